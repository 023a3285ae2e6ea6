//! The private area leaves nothing, is left at once, and can be gone through by keyboard alone (walk-throughs 2.8 to
//! 2.11). At the end the public pages of the edge, and how the program ends.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fantoccini::key::Key;
use serde_json::Value;

use crate::chromium::Driver;
use crate::person::Person;
use crate::program::Demo;

/// What the source writes. Its words stand in no other text.
const TIP: &str = "The turbine hall floods each spring.";

#[tokio::test(flavor = "multi_thread")]
async fn the_area_leaves_nothing_and_the_edge_shows_nothing() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast"]).await?;
    let driver = Driver::start()?;
    let first = Person::new(&driver, "first", &demo.reader).await?;
    first.sees("verified").await?;

    // A control run that only reads.
    let reader = first.elsewhere(&driver, "control", true).await?;
    let headline = opens_first_story(&reader).await?;
    let read = Traces::of(&reader).await?;

    // A device with no mailbox.
    first.browser.client.goto(&format!("{}{}", reader.home(), read.story.trim_start_matches('/'))).await?;
    let none = wrong_words(&first).await?;

    let source = first.elsewhere(&driver, "keyboard", true).await?;
    ensure!(opens_first_story(&source).await? == headline, "both read the same story");
    let words = writes(&source).await?;
    leaves_at_once(&source, &headline).await?;
    let wrote = Traces::of(&source).await?;
    ensure!(read == wrote, "a reader leaves {read:#?}, a source {wrote:#?}");
    for person in [&reader, &source] {
        person.asked_nobody_else().await?;
        nothing_is_kept(person).await?;
    }
    // What the closed browsers have on disk.
    let (read, wrote) = (reader.browser.close().await?, source.browser.close().await?);
    // A short word stands in many files by chance; two after one another, as they are typed or sent, do not.
    let pairs = words.windows(2).flat_map(|pair| [" ", "+", "%20"].map(|between| pair.join(between)));
    let long = words.iter().filter(|word| word.len() > 6).cloned();
    let planted: Vec<String> =
        pairs.chain(long).chain([TIP, "/contact", "turbine"].map(str::to_owned)).collect();
    for text in &planted {
        let (read, wrote) = (files_with(read.path(), text)?, files_with(wrote.path(), text)?);
        ensure!(read == wrote, "{text:?} stands in {wrote:?} of a source's profile, {read:?} of a reader's");
    }
    // The search finds what is there.
    ensure!(!files_with(read.path(), "/stories/")?.is_empty(), "a profile remembers which stories were read");

    // A device with a mailbox.
    let some = wrong_words(&first).await?;
    ensure!(none.page == some.page, "with a mailbox\n{}\nwithout\n{}", some.page, none.page);
    let ratio = some.median / none.median;
    println!("wrong words: {:.0} ms with a mailbox, {:.0} ms without", some.median, none.median);
    ensure!((0.5..2.0).contains(&ratio), "{} ms and {} ms", some.median, none.median);

    first.press("Contact the newsroom").await?;
    first.sees("Opening this page sends nothing.").await?;
    is_left_after_a_sleep(&first).await?;

    public_pages(&driver, &demo).await?;
    let (status, took) = demo.interrupt().await?;
    ensure!(status.success(), "Ctrl-C ends with {status}");
    ensure!(took < Duration::from_secs(10), "stopping took {took:?}");
    Ok(())
}

/// From the front page to a story and its articles by keyboard. Its headline.
async fn opens_first_story(person: &Person) -> anyhow::Result<String> {
    person.sees("verified").await?;
    // The way past the masthead comes first, and leads into the page.
    person.tab_to("Skip to the page", false).await?;
    person.key(Key::Enter).await?;
    person.key(Key::Tab).await?;
    let card = person.focus().await?;
    ensure!(card.inside && card.tag == "A", "behind the skip link comes the first story, not {card:?}");
    person.key(Key::Enter).await?;
    person.find("//header[contains(@class, 'story-head')]//h1").await?;
    person.sees(&card.label).await?;
    // What was found in it is long: the way past it leads to the articles.
    person.tab_to("The articles", true).await?;
    person.key(Key::Enter).await?;
    Ok(card.label)
}

/// By Tab and Enter alone, from the link under an article to the sealed message. The six words.
async fn writes(source: &Person) -> anyhow::Result<Vec<String>> {
    source.tab_to("Contact the newsroom", true).await?;
    source.run("window.from = scrollY").await?;
    ensure!(source.run("return scrollY > 200").await? == true, "the link stands under the article");
    source.key(Key::Enter).await?;
    source.sees("Opening this page sends nothing.").await?;
    let drawn = source.focus().await?;
    ensure!(drawn.tag == "H1" && drawn.inside, "the keyboard is at the new heading, not at {drawn:?}");
    ensure!(source.run("return scrollY").await? == 0, "the area begins at its top");
    let way = source.tab_to("Start", true).await?;
    ensure!(way.len() == 1, "the first button comes next, not {way:?}");
    source.key(Key::Enter).await?;
    for (question, yes) in [
        ("Is this device your own?", "Yes, it is mine"),
        ("Is this network your own?", "Yes, or many people use it"),
        ("Have you told anyone", "No, nobody"),
        ("Before you get your six words", "Show my six words"),
    ] {
        source.sees(question).await?;
        ensure!(source.focus().await?.label.contains(question), "each step is read out from its heading");
        source.enter(yes).await?;
    }
    let words = source.six_words().await?;
    source.enter("I have them").await?;
    source.sees("Then you can be sure that you can come back.").await?;
    ensure!(source.focus().await?.label == "Word 1", "the keyboard is where the words go");
    source.keys(words.join(" ").chars()).await?;
    ensure!(source.focus().await?.label == "Word 6", "a space leads to the next box");
    source.enter("Open my mailbox").await?;
    source.sees("Choose a desk").await?;
    source.enter("Investigations").await?;
    source.sees("Your message").await?;
    ensure!(source.focus().await?.tag == "TEXTAREA", "the keyboard is where the message goes");
    source.keys(TIP.chars()).await?;
    looks_away(source).await?;
    source.enter("Send").await?;
    source.sees("Your message is sealed.").await?;
    source.sees(TIP).await?;
    Ok(words)
}

/// While another window is in front nothing of the area shows; afterwards the keyboard is where it was.
async fn looks_away(source: &Person) -> anyhow::Result<()> {
    let shown = "getComputedStyle(document.querySelector('textarea')).visibility";
    let away = source
        .run_async(&format!(
            "dispatchEvent(new Event('blur'));
             await new Promise(done => setTimeout(done, 200));
             return {shown};"
        ))
        .await?;
    ensure!(away == "hidden", "the message can be read from behind another window");
    let back = source.run(&format!("dispatchEvent(new Event('focus')); return {shown}")).await?;
    ensure!(back == "visible", "the message comes back");
    let focus = source.focus().await?;
    ensure!(focus.tag == "TEXTAREA", "the keyboard is at {focus:?} after looking away");
    Ok(())
}

/// A key that wakes a computer which slept opens nothing: the area is gone before the press is over.
async fn is_left_after_a_sleep(source: &Person) -> anyhow::Result<()> {
    let there = "document.querySelector('form[data-leave]') !== null";
    ensure!(source.run(&format!("return {there}")).await? == true, "the area is open");
    let still = source
        .run(&format!(
            "const now = Date.now;
             Date.now = () => now() + 10 * 60 * 1000;
             document.body.dispatchEvent(new KeyboardEvent('keydown', {{ key: 'a', bubbles: true }}));
             return {there};"
        ))
        .await?;
    ensure!(still == false, "the key that woke the computer keeps the area open");
    Ok(())
}

/// Esc Esc: the same article at the same place, and the mailbox is closed. The area is gone before the key press is over,
/// so nothing of the time it takes is the program's or the network's: only drawing the article is left.
async fn leaves_at_once(source: &Person, headline: &str) -> anyhow::Result<()> {
    source
        .run(
            "window.form = new URLSearchParams(new FormData(document.querySelector('form[data-every]'))).toString();
             addEventListener('keydown', (event) => {
               if (document.querySelector('form[data-leave]')) return;
               window.left ??= { moved: Math.abs(scrollY - window.from) };
               requestAnimationFrame(() => setTimeout(() => window.left.took ??= performance.now() - event.timeStamp));
             });",
        )
        .await?;
    source.keys([char::from(Key::Escape), char::from(Key::Escape)]).await?;
    let left = source
        .run_async(
            "for (let n = 0; n < 1000 && window.left?.took === undefined; n++) {
               await new Promise(done => setTimeout(done, 10));
             }
             return window.left ?? null;",
        )
        .await?;
    println!("Esc Esc: back in {left}");
    ensure!(left["took"].is_number(), "the area stays when the key is pressed: {left}");
    ensure!(left["moved"].as_f64().is_some_and(|px| px <= 2.0), "the article moved: {left}");
    let text = source.text().await?;
    ensure!(text.contains(headline) && !text.contains(TIP), "the area is gone:\n{text}");
    ensure!(
        source.run("return document.querySelector('.area') === null").await? == true,
        "no part of it is left"
    );
    let focus = source.focus().await?;
    ensure!(focus.label == "Contact the newsroom" && focus.inside, "the keyboard is back at {focus:?}");
    // Whoever kept the page's form gets nothing with it any more.
    let answer = source
        .run_async(
            "const answer = await fetch('/contact', { method: 'POST', body: new URLSearchParams(window.form) });
             return await answer.text();",
        )
        .await?;
    let answer = answer.as_str().unwrap_or_default();
    ensure!(answer.contains("The mailbox is closed") && !answer.contains(TIP), "it is locked:\n{answer}");
    Ok(())
}

/// What a tab and its browser keep of a session.
#[derive(Debug, PartialEq)]
struct Traces {
    story: String,
    history: Vec<(String, String)>,
    stored: Value,
    cookies: Vec<String>,
}

impl Traces {
    async fn of(person: &Person) -> anyhow::Result<Self> {
        let stored = person
            .run_async(
                "const workers = await navigator.serviceWorker.getRegistrations();
                 return {
                   local: localStorage.length, session: sessionStorage.length, workers: workers.length,
                   databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
                   state: history.state, length: history.length, cookies: document.cookie,
                   usage: (await navigator.storage.estimate()).usage,
                 };",
            )
            .await?;
        for kind in ["local", "session", "workers", "databases", "caches", "usage"] {
            ensure!(stored[kind] == 0, "something is stored: {stored}");
        }
        let cookies = person.browser.cookies(&person.home()).await?;
        let cookies = cookies.as_array().context("no cookies")?;
        ensure!(cookies.iter().all(|c| c["httpOnly"] == true && c["session"] == true), "{cookies:?}");
        Ok(Self {
            story: person.browser.client.current_url().await?.path().to_owned(),
            history: person.browser.history().await?,
            stored,
            cookies: cookies.iter().map(|c| c["name"].to_string()).collect(),
        })
    }
}

/// Every answer but the assets forbids keeping it.
async fn nothing_is_kept(person: &Person) -> anyhow::Result<()> {
    let answers = person.browser.answers().await?;
    ensure!(answers.len() > 5, "only {answers:?}");
    let kept = |url: &str| url.contains("/assets/");
    for answer in answers.iter().filter(|a| !kept(&a.url)) {
        ensure!(answer.cache == "no-store", "{answer:?} may be kept");
    }
    Ok(())
}

/// What wrong words lead to.
struct Wrong {
    /// The page, but for the names of its fields, which are drawn anew each time.
    page: String,
    /// How long it took, in milliseconds.
    median: f64,
}

/// Six words that open nothing, three times by hand; then some times more to see how long it takes.
async fn wrong_words(person: &Person) -> anyhow::Result<Wrong> {
    let words = ["abacus", "abandon", "abbey", "abide", "ability", "able"].map(str::to_owned);
    person.press("Contact the newsroom").await?;
    person.press("I have six words").await?;
    let mut pages = Vec::new();
    for _ in 0..3 {
        person.type_words(&words).await?;
        person.run("document.querySelector('main').dataset.old = 1").await?;
        person.press("Open").await?;
        person.find("//main[not(@data-old)]//p[@role='alert']").await?;
        person.sees("These words open nothing here. Look at each word again.").await?;
        let page = person.run(
            "return document.querySelector('main').outerHTML.replace(/[0-9a-f]{16}(?=[a-k]\")/g, 'name-')",
        );
        pages.push(page.await?.as_str().context("no page")?.to_owned());
    }
    ensure!(pages.windows(2).all(|two| two[0] == two[1]), "three times the same page, not {pages:#?}");
    let times = person
        .run_async(
            "const form = document.querySelector('form[data-step]'), times = [];
             const fields = new URLSearchParams(new FormData(form, form.querySelector('button')));
             for (let n = 0; n < 7; n++) {
               const began = performance.now();
               await (await fetch(form.action, { method: 'POST', body: fields })).text();
               times.push(performance.now() - began);
             }
             return times;",
        )
        .await?;
    let mut times: Vec<f64> = serde_json::from_value(times)?;
    times.sort_by(f64::total_cmp);
    person.press("Leave at once").await?;
    Ok(Wrong { page: pages.swap_remove(0), median: times[times.len() / 2] })
}

/// The public pages of the edge.
async fn public_pages(driver: &Driver, demo: &Demo) -> anyhow::Result<()> {
    let anyone = Person::new(driver, "anyone", &demo.status).await?;
    anyone.sees("not for real tips").await?;
    anyone.look("status").await?;
    anyone.browser.client.goto(&demo.edition).await?;
    anyone.look("edition").await
}

/// Files below `folder` that hold `text`, in UTF-8 or in UTF-16, by their paths in it.
pub(crate) fn files_with(folder: &Path, text: &str) -> anyhow::Result<Vec<String>> {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let holds = |bytes: &[u8], part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.is_file() {
                let bytes = std::fs::read(&path)?;
                if holds(&bytes, text.as_bytes()) || holds(&bytes, &wide) {
                    found.push(path.strip_prefix(folder)?.display().to_string());
                }
            }
        }
    }
    found.sort();
    Ok(found)
}
