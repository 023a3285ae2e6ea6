//! Walk-throughs 1 to 3 in brief: a story is read, a tip is sent, arrives, is answered, and the answer is read. Then once
//! more in a browser that runs no scripts.

use std::time::Duration;

use anyhow::{bail, ensure};
use fantoccini::elements::Element;

use crate::chromium::Driver;
use crate::person::Person;
use crate::program::Demo;

/// What the first source writes. It comes out as the same letters.
const TIP: &str = "The pump at the west gate failed in May. <script>alert(1)</script>";
/// What the desk answers, and is writing next when the screen is locked.
const ANSWER: &str = "Thank you. How do you know?";
const DRAFT: &str = "One more thing: who else was on";
/// What a source is writing when somebody comes in.
const HALF: &str = "The day before, the same pump";

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_reads_a_source_writes_a_journalist_answers() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast"]).await?;
    let driver = Driver::start()?;
    let source = Person::new(&driver, "reader", &demo.reader).await?;
    let (title, headline) = reads(&source).await?;
    let story = source.browser.client.current_url().await?;
    let story_title = source.browser.client.title().await?;
    ensure!(!title.is_empty() && !story_title.is_empty(), "pages have titles");
    let words = writes(&source).await?;

    let desk = Person::new(&driver, "desk", &demo.desk).await?;
    opens_the_vault(&desk, &demo.passphrase).await?;
    answers(&desk).await?;
    locks_and_comes_back(&desk, &demo.passphrase).await?;

    // The source again: the answer appears without a reload.
    source.run("window.stayed = true").await?;
    source.sees(ANSWER).await?;
    ensure!(source.run("return window.stayed").await? == true, "the page was reloaded");
    source.sees("Collected by").await?;
    source.look("answer").await?;
    // One address, one title: the area is drawn over the article, and history gained nothing.
    ensure!(source.browser.client.current_url().await? == story, "the address changed");
    ensure!(source.browser.client.title().await? == story_title, "the title changed");
    sends_a_picture(&source, &desk).await?;
    leaves_a_draft(&source, &words, &headline).await?;
    deletes_the_mailbox(&source, &words).await?;

    without_scripts(&driver, &source, &desk).await
}

/// The reader: the edition and a story. The front page's title and the story's headline.
async fn reads(reader: &Person) -> anyhow::Result<(String, String)> {
    reader.sees("verified").await?;
    reader.look("front").await?;
    let title = reader.browser.client.title().await?;
    let first = first_story(reader).await?;
    let headline = first.text().await?;
    first.click().await?;
    reader.sees(&headline).await?;
    reader.look("story").await?;
    Ok((title, headline))
}

/// The source: from the public page to the message.
async fn writes(source: &Person) -> anyhow::Result<Vec<String>> {
    source.press("Contact the newsroom").await?;
    source.sees("Opening this page sends nothing.").await?;
    source.look("public").await?;
    source.press("Start").await?;
    for yes in ["Yes, it is mine", "Yes, or many people use it", "No, nobody"] {
        source.press(yes).await?;
    }
    source.look("before").await?;
    source.press("Show my six words").await?;
    let words = source.six_words().await?;
    source.look("words").await?;
    source.press("I have them").await?;
    let mut wrong = words.clone();
    wrong[2].clone_from(&words[3]);
    source.type_words(&wrong).await?;
    source.press("Open my mailbox").await?;
    source.sees("Word 3 is different.").await?;
    source.look("retype").await?;
    source.type_words(&words).await?;
    source.press("Open my mailbox").await?;
    source.sees("Investigations").await?;
    source.look("choose").await?;
    source.find("//button[contains(., 'Investigations')]").await?.click().await?;
    source.find("//textarea").await?.send_keys(TIP).await?;
    source.look("compose").await?;
    source.press("Send").await?;
    source.sees("Your message is sealed.").await?;
    source.sees("Answers appear here by themselves.").await?;
    source.look("sealed").await?;
    Ok(words)
}

/// A picture: what it takes is told before it starts, it arrives in parts, and the desk sees what its own program drew.
async fn sends_a_picture(source: &Person, desk: &Person) -> anyhow::Result<()> {
    // Small: on a machine with much to do a fast demonstration loses envelopes, and a lost part takes 120 rounds.
    let folder = tempfile::tempdir()?;
    let picture = folder.path().join("gate.png");
    image::RgbImage::from_fn(200, 150, |x, y| image::Rgb([x as u8, y as u8, 90])).save(&picture)?;
    let picture = picture.canonicalize()?.display().to_string();
    source.press_at("//button[starts-with(normalize-space(), 'Write more')]").await?;
    source.press("Attach a document").await?;
    source.sees("Nothing is sent before you say so.").await?;
    source.look("attach").await?;
    source.find("//input[@type='file']").await?.send_keys(&picture).await?;
    source.press("Look at it").await?;
    source.sees("The picture was made anew on this device.").await?;
    source.sees("if this device is always on").await?;
    source.look("document").await?;
    source.press("Send this one").await?;
    source.sees("Your document is in line.").await?;
    source.sees("Take it back").await?;
    source.look("under-way").await?;

    desk.press_at("//a[starts-with(@href, '/conversations/')]").await?;
    desk.sees("Fingerprint (SHA-256)").await?;
    desk.find("//img[contains(@src, '/picture')]").await?;
    let drawn = "const drawn = document.querySelector('#lines img'); await drawn.decode(); return drawn.naturalWidth;";
    ensure!(desk.run_async(drawn).await?.as_u64() > Some(100), "the picture is not shown");
    desk.find("//a[@download and normalize-space()='Save the document']").await?;
    desk.look("picture").await?;
    desk.asked_nobody_else().await?;
    desk.press("Inbox").await?;

    source.sees("Picture").await?;
    let waiting = async {
        while source.text().await?.contains("Take it back") {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await?
}

/// Left in the middle of a sentence, and come back to it. Begins at the conversations and ends at the story.
async fn leaves_a_draft(source: &Person, words: &[String], headline: &str) -> anyhow::Result<()> {
    source.press_at("//button[starts-with(normalize-space(), 'Write more')]").await?;
    source.find("//textarea").await?.send_keys(HALF).await?;
    source.press("Leave at once").await?;
    source.sees(headline).await?;
    ensure!(!source.text().await?.contains(HALF), "what was being written shows");
    source.press("Contact the newsroom").await?;
    source.press("I have six words").await?;
    source.type_words(words).await?;
    source.press("Open").await?;
    source.sees("is kept here.").await?;
    source.press("Go on writing").await?;
    source.find("//textarea").await?;
    ensure!(source.draft().await? == HALF, "the draft is {:?}", source.draft().await?);
    source.press("Leave at once").await?;
    source.sees(headline).await
}

/// Deleted, a mailbox is none. Begins at the story.
async fn deletes_the_mailbox(source: &Person, words: &[String]) -> anyhow::Result<()> {
    source.press("Contact the newsroom").await?;
    source.press("I have six words").await?;
    source.type_words(words).await?;
    source.press("Open").await?;
    source.sees("is kept here.").await?;
    source.look("draft").await?;
    source.press("Delete the mailbox").await?;
    source.sees("What this does not undo").await?;
    source.look("erase").await?;
    source.press("Delete it now").await?;
    source.sees("Type your six words").await?;
    source.type_words(words).await?;
    source.press("Open").await?;
    source.sees("These words open nothing here.").await
}

/// The journalist at the door: once with wrong words.
async fn opens_the_vault(desk: &Person, passphrase: &str) -> anyhow::Result<()> {
    desk.sees("Open the vault").await?;
    desk.look("door").await?;
    let right: Vec<String> = passphrase.split(' ').map(str::to_owned).collect();
    let mut wrong = right.clone();
    wrong.swap(0, 5);
    desk.type_words(&wrong).await?;
    desk.press("Open").await?;
    desk.sees("These words do not open the vault. Look at each word again.").await?;
    desk.look("wrong").await?;
    desk.type_words(&right).await?;
    desk.press("Open").await
}

/// The journalist finds the tip and answers.
async fn answers(desk: &Person) -> anyhow::Result<()> {
    desk.sees("Inbox").await?;
    desk.sees("new").await?;
    ensure!(desk.browser.client.title().await? == "Inbox · Firsthand", "the title carries no count");
    desk.look("inbox").await?;
    desk.find("//a[starts-with(@href, '/conversations/')]").await?.click().await?;
    desk.sees(TIP).await?;
    desk.look("conversation").await?;
    desk.find("//textarea").await?.send_keys(ANSWER).await?;
    desk.press("Send the answer").await?;
    desk.sees(ANSWER).await?;
    desk.look("answered").await
}

/// The journalist locks the screen in the middle of a sentence; nothing is shown until the passphrase is typed, then the
/// same conversation with the same sentence.
async fn locks_and_comes_back(desk: &Person, passphrase: &str) -> anyhow::Result<()> {
    let conversation = desk.browser.client.current_url().await?;
    ensure!(desk.draft().await?.is_empty(), "what was sent is no draft");
    desk.find("//textarea").await?.send_keys(DRAFT).await?;
    desk.press("Lock").await?;
    desk.sees("Open the vault").await?;
    for locked in [conversation.as_str(), &desk.home()] {
        desk.browser.client.goto(locked).await?;
        desk.sees("Open the vault").await?;
        ensure!(!desk.text().await?.contains("west gate"), "a locked screen shows a tip at {locked}");
    }
    let words: Vec<String> = passphrase.split(' ').map(str::to_owned).collect();
    desk.type_words(&words).await?;
    desk.press("Open").await?;
    desk.sees(TIP).await?;
    ensure!(desk.browser.client.current_url().await? == conversation, "it unlocks somewhere else");
    ensure!(desk.draft().await? == DRAFT, "the sentence begun is lost: {:?}", desk.draft().await?);
    desk.press("Inbox").await?;
    // By now it may have left, or not.
    desk.sees("answer").await
}

/// Scripts disabled: a story is read, a tip sent, the answer seen with "Look again".
async fn without_scripts(driver: &Driver, source: &Person, desk: &Person) -> anyhow::Result<()> {
    const TIP: &str = "No script runs here, and the north gate leaks.";
    const ANSWER: &str = "Thank you. Since when?";
    let plain = source.elsewhere(driver, "plain", false).await?;
    plain.sees("verified").await?;
    let first = first_story(&plain).await?;
    let headline = first.text().await?;
    first.click().await?;
    plain.sees(&headline).await?;
    let story = plain.browser.client.current_url().await?;
    plain.press("Contact the newsroom").await?;
    plain.sees("Opening this page sends nothing.").await?;
    let door = (plain.browser.client.current_url().await?, plain.browser.client.title().await?);
    ensure!(door.0.path() == "/contact" && door.0.query().is_none(), "the one public path, not {}", door.0);
    let still_there = async || {
        let here = (plain.browser.client.current_url().await?, plain.browser.client.title().await?);
        ensure!(here == door, "{here:?} is not {door:?}");
        anyhow::Ok(())
    };
    for step in ["Start", "Yes, it is mine", "Yes, or many people use it", "No, nobody", "Show my six words"]
    {
        plain.press(step).await?;
        still_there().await?;
    }
    let words = plain.six_words().await?;
    plain.press("I have them").await?;
    still_there().await?;
    // All six words in one box are fine, and there is no script to spread them.
    plain.find("//ol/li[1]/input").await?.send_keys(&words.join(" ")).await?;
    plain.press("Open my mailbox").await?;
    plain.sees("Choose a desk").await?;
    still_there().await?;
    plain.find("//button[contains(., 'Investigations')]").await?.click().await?;
    plain.find("//textarea").await?.send_keys(TIP).await?;
    plain.press("Check length").await?;
    plain.sees("Room for about 5").await?;
    still_there().await?;
    plain.press("Send").await?;
    plain.sees("Your message is sealed.").await?;
    still_there().await?;
    ensure!(!plain.text().await?.contains("by themselves"), "without scripts nothing appears by itself");
    plain.shoot("sealed", "wide").await?;

    // The inbox shows the second source by itself.
    desk.find("//li[contains(., 'north gate')]//a").await?.click().await?;
    desk.sees(TIP).await?;
    desk.find("//textarea").await?.send_keys(ANSWER).await?;
    desk.press("Send the answer").await?;
    desk.sees(ANSWER).await?;

    let looking = async {
        while !plain.text().await?.contains(ANSWER) {
            tokio::time::sleep(Duration::from_secs(1)).await;
            plain.press("Look again").await?;
            still_there().await?;
        }
        anyhow::Ok(())
    };
    match tokio::time::timeout(Duration::from_secs(60), looking).await {
        Ok(seen) => seen?,
        Err(_) => bail!("no answer but:\n{}\nat the desk:\n{}", plain.text().await?, desk.text().await?),
    }
    plain.asked_nobody_else().await?;
    leaves_a_draft(&plain, &words, &headline).await?;
    ensure!(plain.browser.client.current_url().await? == story, "leaving leads back to the story");
    Ok(())
}

async fn first_story(reader: &Person) -> anyhow::Result<Element> {
    reader.find("(//article//a[starts-with(@href, '/stories/')])[1]").await
}
