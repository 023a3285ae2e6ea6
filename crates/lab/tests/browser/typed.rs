//! What people type goes to no disk of the browser's: no six words, right or wrong, no message and no answer, with scripts and
//! without. A browser writes down what a form brought, beside the page that answered it.

use anyhow::ensure;

use crate::chromium::Driver;
use crate::person::Person;
use crate::program::Demo;
use crate::quiet::files_with;

const TIP: &str = "Behind the third sluice the bolts are rusted through.";
const ANSWER: &str = "Since which winter has that been so?";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_typed_is_in_the_folder_of_a_browser() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast"]).await?;
    let driver = Driver::start()?;
    let first = Person::new(&driver, "typed", &demo.reader).await?;
    first.sees("verified").await?;
    let source = first.elsewhere(&driver, "typed-plain", false).await?;
    let mut typed = writes(&source).await?;
    typed.extend(demo.passphrase.split(' ').map(str::to_owned));

    let desk = Person::new(&driver, "typed-desk", &demo.desk).await?;
    let plain = desk.elsewhere(&driver, "typed-desk-plain", false).await?;
    opens(&desk, &demo.passphrase).await?;
    answers(&desk).await?;
    desk.press("Lock").await?;
    opens(&plain, &demo.passphrase).await?;
    answers(&plain).await?;

    // As a form brings it, and as a page shows it.
    let fields = typed.iter().map(|word| format!("={word}&"));
    let first_words = [TIP, ANSWER].map(|text| text.split(' ').take(3).collect::<Vec<_>>());
    let texts = first_words.iter().flat_map(|words| [" ", "+", "%20"].map(|between| words.join(between)));
    let planted: Vec<String> = fields.chain(texts).collect();
    for person in [source, desk, plain] {
        let name = person.home();
        // The browser writes down what it has open every few seconds, and once more at its end.
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        let folder = person.browser.close().await?;
        for text in &planted {
            let found = files_with(folder.path(), text)?;
            ensure!(found.is_empty(), "{text:?} stands in {found:?} of a browser at {name}");
        }
        // The search finds what is there.
        let home = name.trim_start_matches("http://").trim_end_matches('/').to_owned();
        ensure!(!files_with(folder.path(), &home)?.is_empty(), "a profile remembers where it was");
    }
    Ok(())
}

/// The source: a mailbox, with a word typed wrong first, a message, and six words that open nothing. All words typed.
async fn writes(source: &Person) -> anyhow::Result<Vec<String>> {
    source.press("Contact the newsroom").await?;
    for step in ["Start", "Yes, it is mine", "Yes, or many people use it", "No, nobody", "Show my six words"]
    {
        source.press(step).await?;
    }
    let words = source.six_words().await?;
    source.press("I have them").await?;
    let mut wrong = words.clone();
    wrong.swap(1, 4);
    source.type_words(&wrong).await?;
    source.press("Open my mailbox").await?;
    source.sees("Words 2 and 5 are different.").await?;
    source.type_words(&words).await?;
    source.press("Open my mailbox").await?;
    source.find("//button[contains(., 'Investigations')]").await?.click().await?;
    source.find("//textarea").await?.send_keys(TIP).await?;
    source.press("Check length").await?;
    source.sees("Room for about 5").await?;
    source.press("Send").await?;
    source.sees("Your message is sealed.").await?;
    source.press("Leave at once").await?;
    source.press("Contact the newsroom").await?;
    source.press("I have six words").await?;
    source.type_words(&wrong).await?;
    source.press("Open").await?;
    source.sees("These words open nothing here.").await?;
    Ok(words)
}

/// The journalist at the door, who mistypes the last word first.
async fn opens(desk: &Person, passphrase: &str) -> anyhow::Result<()> {
    let right: Vec<String> = passphrase.split(' ').map(str::to_owned).collect();
    let mut wrong = right.clone();
    wrong[5] = "zzzz".into();
    desk.browser.client.goto(&format!("{}vault", desk.home())).await?;
    desk.type_words(&wrong).await?;
    desk.press("Open").await?;
    desk.sees("Word 6 is not in the list of words.").await?;
    wrong.clone_from(&right);
    wrong.swap(0, 3);
    desk.type_words(&wrong).await?;
    desk.press("Open").await?;
    desk.sees("These words do not open the vault.").await?;
    desk.type_words(&right).await?;
    desk.press("Open").await?;
    desk.find("//form[@action='/lock']").await.map(drop)
}

/// The journalist answers, an empty answer first.
async fn answers(desk: &Person) -> anyhow::Result<()> {
    desk.browser.client.goto(&desk.home()).await?;
    let tip = TIP.split(' ').take(3).collect::<Vec<_>>().join(" ");
    for _ in 0..60 {
        if desk.text().await?.contains(&tip) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        desk.browser.client.goto(&desk.home()).await?;
    }
    desk.press_at("//a[starts-with(@href, '/conversations/')]").await?;
    desk.find("//textarea").await?.send_keys(" ").await?;
    desk.press("Send the answer").await?;
    desk.sees("The answer is empty.").await?;
    desk.find("//textarea").await?.send_keys(ANSWER).await?;
    desk.press("Send the answer").await?;
    desk.sees(ANSWER).await
}
