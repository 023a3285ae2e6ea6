//! The real program in a real browser: what a reader, a source and a journalist see. `FIRSTHAND_BIN` names the program.
//!
//! Pictures of every step are written to `tests/browser/shots`, for people to look at.

mod chromium;
mod program;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use fantoccini::Locator;
use fantoccini::elements::Element;
use serde_json::Value;

use crate::chromium::{Browser, Driver, Look};
use crate::program::Demo;

/// The two widths and the two schemes of the walk-throughs.
const LOOKS: [(&str, Look); 3] = [
    ("wide", Look { width: 1280, height: 800, dark: false }),
    ("narrow", Look { width: 390, height: 844, dark: false }),
    ("dark", Look { width: 1280, height: 800, dark: true }),
];

/// How long anything in a fast demonstration may take.
const PATIENCE: Duration = Duration::from_secs(60);

struct Person {
    name: &'static str,
    browser: Browser,
    host: String,
}

impl Person {
    async fn new(driver: &Driver, name: &'static str, link: &str) -> anyhow::Result<Self> {
        let browser = driver.browser().await?;
        let host = link.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        browser.look(LOOKS[0].1).await?;
        browser.client.goto(link).await?;
        Ok(Self { name, browser, host })
    }

    /// The element that this XPath finds, once it is there.
    async fn find(&self, path: &str) -> anyhow::Result<Element> {
        let find = self.browser.client.wait().at_most(PATIENCE).for_element(Locator::XPath(path));
        find.await.with_context(|| format!("{} does not see {path}", self.name))
    }

    /// Presses the button or follows the link that says `label`.
    async fn press(&self, label: &str) -> anyhow::Result<()> {
        let path = format!("(//button[normalize-space()={label:?}] | //a[normalize-space()={label:?}])[1]");
        self.find(&path).await?.click().await.with_context(|| format!("{} cannot press {label}", self.name))
    }

    /// Waits until the page's text holds `words`.
    async fn sees(&self, words: &str) -> anyhow::Result<()> {
        let looking = async {
            while !self.text().await?.contains(words) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            anyhow::Ok(())
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(seen) => seen,
            Err(_) => anyhow::bail!("{} does not see {words:?} but:\n{}", self.name, self.text().await?),
        }
    }

    async fn text(&self) -> anyhow::Result<String> {
        let text = self
            .browser
            .client
            .execute("return document.body ? document.body.innerText : ''", vec![])
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    async fn run(&self, script: &str) -> anyhow::Result<Value> {
        Ok(self.browser.client.execute(script, vec![]).await?)
    }

    /// Types six words into the six boxes.
    async fn type_words(&self, words: &[String]) -> anyhow::Result<()> {
        for (n, word) in (1..).zip(words) {
            self.find(&format!("//ol/li[{n}]/input")).await?.send_keys(word).await?;
        }
        Ok(())
    }

    /// Looks at the page in every way: one `h1`, no sideways scroll, nothing said by axe or the console, no stranger asked.
    async fn look(&self, step: &str) -> anyhow::Result<()> {
        let shots = shots();
        std::fs::create_dir_all(&shots)?;
        for (name, look) in LOOKS {
            self.browser.look(look).await?;
            tokio::time::sleep(Duration::from_millis(150)).await;
            let picture = self.browser.picture(name == "narrow").await?;
            std::fs::write(shots.join(format!("{}-{step}-{name}.png", self.name)), picture)?;
            let wide = self.run("return document.documentElement.scrollWidth - innerWidth").await?;
            ensure!(wide.as_i64() <= Some(0), "{} {step} {name}: scrolls sideways by {wide}", self.name);
            self.axe(step, name).await?;
        }
        self.browser.look(LOOKS[0].1).await?;
        let headings = self.run("return document.querySelectorAll('h1').length").await?;
        ensure!(headings == 1, "{} {step}: {headings} h1", self.name);
        let complaints = self.browser.complaints().await?;
        ensure!(complaints.is_empty(), "{} {step}: the console says {complaints:?}", self.name);
        let hosts = self.browser.hosts().await?;
        let strange: Vec<_> = hosts.iter().filter(|h| **h != self.host).collect();
        ensure!(strange.is_empty(), "{} {step}: asked {strange:?}", self.name);
        Ok(())
    }

    /// Serious and critical findings of axe-core.
    async fn axe(&self, step: &str, look: &str) -> anyhow::Result<()> {
        let axe = std::fs::read_to_string(root().join("tests/browser/node_modules/axe-core/axe.min.js"))
            .context("axe-core is not there; `cargo xtask test browser` installs it")?;
        // Evaluated by the driver, so the page's own policy stays as strict as it is.
        let script = format!(
            "{axe}; const done = arguments[arguments.length - 1];
             axe.run(document, {{ resultTypes: ['violations'] }}).then(r => done(r.violations
               .filter(v => v.impact === 'serious' || v.impact === 'critical')
               .map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', '))), e => done([String(e)]));"
        );
        let found = self.browser.client.execute_async(&script, vec![]).await?;
        ensure!(
            found.as_array().is_some_and(Vec::is_empty),
            "{} {step} {look}: axe finds {found}",
            self.name
        );
        Ok(())
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn shots() -> PathBuf {
    root().join("tests/browser/shots")
}

/// Walk-throughs 1 to 3 in brief: a story is read, a tip is sent, arrives, is answered, and the answer is read.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_a_source_writes_a_journalist_answers() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast"]).await?;
    let driver = Driver::start()?;

    // The reader: the edition and a story.
    let source = Person::new(&driver, "reader", &demo.reader).await?;
    source.sees("verified").await?;
    source.look("front").await?;
    let title = source.browser.client.title().await?;
    let first = source.find("(//article//a[starts-with(@href, '/stories/')])[1]").await?;
    let headline = first.text().await?;
    first.click().await?;
    source.sees(&headline).await?;
    source.look("story").await?;
    let story = source.browser.client.current_url().await?;
    let story_title = source.browser.client.title().await?;
    ensure!(!title.is_empty() && !story_title.is_empty(), "pages have titles");

    // The source: from the public page to the message.
    source.press("Contact the newsroom").await?;
    source.sees("Opening this page sends nothing.").await?;
    source.look("public").await?;
    source.press("Start").await?;
    for yes in ["Yes, it is mine", "Yes, or many people use it", "No, nobody"] {
        source.press(yes).await?;
    }
    source.look("before").await?;
    source.press("Show my six words").await?;
    source.find("//ol[contains(@class, 'shown')]/li[6]").await?;
    source.look("words").await?;
    let words =
        source.run("return [...document.querySelectorAll('ol.shown b')].map(b => b.textContent)").await?;
    let words: Vec<String> = serde_json::from_value(words)?;
    ensure!(words.len() == 6, "six words, not {words:?}");
    source.press("I have them").await?;
    let mut wrong = words.clone();
    wrong[2] = words[3].clone();
    source.type_words(&wrong).await?;
    source.press("Open my mailbox").await?;
    source.sees("Word 3 is different.").await?;
    source.look("retype").await?;
    let third = source.find("//ol/li[3]/input").await?;
    third.clear().await?;
    third.send_keys(&words[2]).await?;
    source.press("Open my mailbox").await?;
    source.sees("Investigations").await?;
    source.look("choose").await?;
    source.find("//button[contains(., 'Investigations')]").await?.click().await?;
    let text = source.find("//textarea").await?;
    text.send_keys("The pump at the west gate failed in May. <script>alert(1)</script>").await?;
    source.look("compose").await?;
    source.press("Send").await?;
    source.sees("Your message is sealed.").await?;
    source.look("sealed").await?;

    // The journalist: opens the vault, finds the tip, answers.
    let desk = Person::new(&driver, "desk", &demo.desk).await?;
    desk.sees("Open the vault").await?;
    desk.look("door").await?;
    let passphrase: Vec<String> = demo.passphrase.split(' ').map(str::to_owned).collect();
    desk.type_words(&passphrase).await?;
    desk.press("Open").await?;
    desk.sees("Inbox").await?;
    desk.sees("new").await?;
    desk.look("inbox").await?;
    desk.find("//a[starts-with(@href, '/conversations/')]").await?.click().await?;
    desk.sees("The pump at the west gate failed in May. <script>alert(1)</script>").await?;
    desk.look("conversation").await?;
    desk.find("//textarea").await?.send_keys("Thank you. How do you know?").await?;
    desk.press("Send the answer").await?;
    desk.sees("Thank you. How do you know?").await?;
    desk.look("answered").await?;

    // The source again: the answer appears without a reload.
    source.run("window.stayed = true").await?;
    source.sees("Thank you. How do you know?").await?;
    ensure!(source.run("return window.stayed").await? == true, "the page was reloaded");
    source.sees("Collected by").await?;
    source.look("answer").await?;
    // One address, one title: the area is drawn over the article, and history gained nothing.
    ensure!(source.browser.client.current_url().await? == story, "the address changed");
    ensure!(source.browser.client.title().await? == story_title, "the title changed");

    // Leave at once: back to the story.
    source.press("Leave at once").await?;
    source.sees(&headline).await?;
    Ok(())
}

/// The public pages of the edge, and how the program ends.
#[tokio::test(flavor = "multi_thread")]
async fn status_and_edition_show_the_round_and_nothing_else() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast"]).await?;
    let driver = Driver::start()?;
    let anyone = Person::new(&driver, "anyone", &demo.status).await?;
    anyone.sees("not for real tips").await?;
    tokio::time::sleep(Duration::from_secs(6)).await;
    anyone.browser.client.refresh().await?;
    anyone.look("status").await?;
    anyone.browser.client.goto(&demo.edition).await?;
    anyone.look("edition").await?;
    let (status, took) = demo.interrupt().await?;
    ensure!(status.success(), "Ctrl-C ends with {status}");
    ensure!(took < Duration::from_secs(10), "stopping took {took:?}");
    Ok(())
}
