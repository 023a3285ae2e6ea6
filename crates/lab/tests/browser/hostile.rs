//! A page opened before there is anything to read, and then the coverage of somebody who means harm.

use std::path::Path;
use std::time::Duration;

use anyhow::{bail, ensure};
use serde_json::Value;

use crate::chromium::Driver;
use crate::person::Person;
use crate::program::Demo;

/// Letters that would do something if they were more than letters.
const MARKUP: &str =
    "<script>window.pwned = 1</script><img src=http://tracker.invalid/p.gif onerror=window.pwned=1>";
/// Turns the text behind it around, where it is allowed to.
const OVERRIDE: char = '\u{202E}';

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_page_fills_by_itself_and_hostile_coverage_shows_letters() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    coverage(folder.path())?;
    let driver = Driver::start()?;
    let articles = folder.path().display().to_string();
    let (_demo, reader, plain) = early(&driver, &articles).await?;
    reader.run("window.stayed = true").await?;
    reader.shoot("empty", "wide").await?;

    // Then stories come, with nobody doing anything.
    for person in [&reader, &plain] {
        person.sees("verified").await?;
        person.sees("2 outlets").await?;
    }
    ensure!(reader.run("return window.stayed").await? == true, "the page was reloaded");
    letters_only(&reader, "front").await?;

    let stories = reader
        .run("return [...document.querySelectorAll('h2 a')].map(a => [a.getAttribute('href'), a.innerText])")
        .await?;
    let stories: Vec<(String, String)> = serde_json::from_value(stories)?;
    ensure!(stories.len() >= 2, "every article is shown: {stories:?}");
    let mut seen = String::new();
    for (number, (path, _)) in stories.iter().enumerate() {
        reader.browser.client.goto(&format!("{}{}", reader.home(), path.trim_start_matches('/'))).await?;
        letters_only(&reader, &format!("hostile-{number}")).await?;
        seen.push_str(&reader.text().await?);
    }
    // Nothing was thrown away either: what they wrote can be read.
    let long = long_word();
    for words in [MARKUP, &long, "javascript:alert(1)", "Harbour closed for a week", "Ships wait outside"] {
        ensure!(seen.contains(words), "{words:?} is not to be read in\n{}", seen.replace(&long, "(long)"));
    }
    a_later_edition_appears(&reader, folder.path()).await
}

/// Somebody with scripts and somebody without, both there before there is anything to read. On a machine with much to do
/// the first edition may be sooner than the second browser: then it begins anew.
async fn early(driver: &Driver, articles: &str) -> anyhow::Result<(Demo, Person, Person)> {
    for _ in 0..5 {
        let (browser, plain) = (driver.browser(true).await?, driver.browser(false).await?);
        let demo = Demo::start(&["--readers", "8", "--articles", articles]).await?;
        let reader = Person::at(browser, "early", &demo.reader).await?;
        plain.be_given(&reader.browser.cookies(&reader.home()).await?).await?;
        let plain = Person::at(plain, "early-plain", &reader.home()).await?;
        let (seen, plainly) = (reader.text().await?, plain.text().await?);
        if seen.contains("verified") || plainly.contains("verified") {
            demo.interrupt().await?;
            continue;
        }
        for page in [seen, plainly] {
            ensure!(
                page.contains("The next exchange is in "),
                "an empty page says when to expect what:\n{page}"
            );
        }
        return Ok((demo, reader, plain));
    }
    bail!("the first edition is always there before two browsers are")
}

/// What the press reads later comes to an open front page by itself, and the keyboard stays where it is.
async fn a_later_edition_appears(reader: &Person, folder: &Path) -> anyhow::Result<()> {
    reader.browser.client.goto(&reader.home()).await?;
    let held = reader
        .run("window.stayed = true; const a = document.querySelector('h2 a'); a.focus(); return a.getAttribute('href')")
        .await?;
    std::fs::write(
        folder.join("late.txt"),
        "Lighthouse painted green\n\nPainters at the lighthouse of Ossin finished on Friday, said the keeper. \
         Nobody had asked for green. The old white paint had been bought from another port.\n",
    )?;
    reader.sees("Lighthouse painted green").await?;
    ensure!(reader.run("return window.stayed").await? == true, "the page was reloaded");
    let holds = reader.run("return document.activeElement.getAttribute('href')").await?;
    ensure!(held == holds, "the keyboard was at {held} and is at {holds}");
    Ok(())
}

/// The page is in order, asks nobody, says nothing to the console and holds nothing that could act.
async fn letters_only(reader: &Person, step: &str) -> anyhow::Result<()> {
    reader.look(step).await?;
    // Whatever would run late has had its time.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let acting = reader
        .run(
            "const found = [];
             for (const e of document.querySelectorAll('main, main *, title')) {
               if (/^(SCRIPT|IFRAME|OBJECT|EMBED|STYLE|LINK|BASE|VIDEO|AUDIO)$/i.test(e.tagName)) found.push(e.outerHTML);
               // Drawings are ours, and stand in sections of ours.
               if (/^SVG$/i.test(e.tagName) && !e.matches('section.found svg')) found.push(e.outerHTML);
               for (const { name, value } of e.attributes) {
                 if (/^on|^style$|^srcset$/.test(name)) found.push(name);
                 if (/^(href|src|action)$/.test(name) && !/^(\\/(?!\\/)|#)/.test(value)) found.push(value);
               }
             }
             if (window.pwned) found.push('a script ran');
             const acts = /[\\u202A-\\u202E\\u2066-\\u2069\\uFEFF]/;
             if (acts.test(document.documentElement.outerHTML)) found.push('bidi control');
             return found;",
        )
        .await?;
    ensure!(acting == Value::Array(vec![]), "{step}: {acting}");
    let said = reader.browser.said().await?;
    ensure!(said.is_empty(), "{step}: the console says {said:?}");
    Ok(())
}

/// A word of 10,000 letters. Of ASCII letters alone it would pass for data and be cut out before it comes to a page.
fn long_word() -> String {
    "ä".repeat(10_000)
}

/// A folder of coverage that tries everything.
fn coverage(folder: &Path) -> anyhow::Result<()> {
    let long = long_word();
    let write = |name: &str, text: String| std::fs::write(folder.join(name), text);
    write(
        "plain.txt",
        format!(
            "{MARKUP}\n\nThe first paragraph holds {MARKUP} and goes on.\n\n\
             The second turns {OVERRIDE}around, and [this](javascript:alert(1)) is no link.\n\n{long}\n"
        ),
    )?;
    write(
        "page.html",
        format!(
            "<!DOCTYPE html><html><head><title>Harbour closed for a week</title>\
             <base href=\"http://tracker.invalid/\">\
             <meta http-equiv=refresh content=\"0;url=http://tracker.invalid/\">\
             <meta property=\"og:url\" content=\"javascript:alert(1)\">\
             <meta property=\"og:image\" content=\"http://tracker.invalid/og.png\">\
             <link rel=stylesheet href=\"http://tracker.invalid/a.css\"></head>\
             <body onload=\"window.pwned=1\"><article><h1>Harbour closed for a week</h1>\
             <p onclick=\"window.pwned=1\">Ships wait outside the harbour tonight, said the harbour master.\
             <script>window.pwned = 1</script><img src=\"http://tracker.invalid/pixel.gif\" width=1 height=1></p>\
             <p>A <a href=\"javascript:window.pwned=1\">link</a> and {escaped} stand in the second paragraph.</p>\
             <iframe src=\"http://tracker.invalid/\"></iframe><svg onload=\"window.pwned=1\"></svg>\
             <style>body {{ display: none }}</style><form action=\"http://tracker.invalid/\"><input autofocus></form>\
             <p>{OVERRIDE}This paragraph is turned around from its start and never ends.</p><p>{long}</p>\
             </article></body></html>",
            escaped = MARKUP.replace('<', "&lt;"),
        ),
    )?;
    for (name, town) in [("long.txt", "Long"), ("stacked.txt", "Stacked")] {
        let marks = "z\u{301}".to_owned() + &"\u{316}".repeat(400);
        write(
            name,
            format!("{town} words of {long}\n\nIn {town} somebody wrote {marks} on a wall of {town}.\n"),
        )?;
    }
    let title = |text: &str| format!("{text:?}").replace("\\u{202e}", "\\u202E");
    let sidecar = format!(
        "[\"plain.txt\"]\noutlet = {outlet}\npublished = \"2026-11-20\"\nrights = \"own\"\ntitle = {headline}\nbyline = {byline}\n\
         url = \"https://tracker.invalid/{escape}\"\n\n\
         [\"page.html\"]\noutlet = \"Quay\\u202Etsop\"\npublished = \"2026-11-21\"\nrights = \"own\"\n\n\
         [\"long.txt\"]\noutlet = {long_outlet}\npublished = \"2026-11-21\"\nrights = \"own\"\ntitle = {long_title}\n\n\
         [\"stacked.txt\"]\noutlet = \"Stack\"\npublished = \"2026-11-21\"\nrights = \"own\"\nbyline = {long_outlet}\n",
        outlet = title(MARKUP),
        headline = title(&format!("{MARKUP} {OVERRIDE}gpj.exe")),
        byline = title("\" onmouseover=\"window.pwned=1"),
        escape = "%3Cscript%3Ewindow.pwned=1%3C/script%3E",
        long_outlet = title(&"o".repeat(10_000)),
        long_title = title(&"t".repeat(10_000)),
    );
    write("articles.toml", sidecar)?;
    Ok(())
}
