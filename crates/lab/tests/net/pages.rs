//! The reader's and the desk's pages over devices at work: forms that are sent twice, and an answer that is sent after the
//! screen was locked.

use std::sync::Arc;
use std::time::Duration;

use client::{Device, Place};
use firsthand::ambient;
use firsthand::found::file;
use ui::{Guard, Zone};

use crate::town::{Town, With};
use crate::turn::one_article;

#[path = "../../../reader/tests/town/mod.rs"]
mod window;

use window::{ADDRESS, Window, between};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sent_twice_is_one_message_and_an_answer_to_a_locked_screen_is_not_lost() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 12, witness: true };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let device = town.device(Place::Memory, &edge, Some(town.desk_identity().unwrap())).unwrap();
    town.run(Arc::clone(&device));
    let mut rng = ambient::rng().unwrap();
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand desk", &mut rng);
    let vault = town.folder("desk").join(file::VAULT);
    let app = desk::App::new(device, vault, guard, ambient::clock(), Zone::utc(), &mut rng);
    let mut desk = Window::open(desk::router(app), &link).await;
    let six: Vec<String> = town.passphrase().words().map(str::to_owned).collect();
    let six: Vec<&str> = six.iter().map(String::as_str).collect();
    desk.get("/vault").await;
    desk.press("Open", &six).await;

    let reader = town.device(Place::Memory, &edge, None).unwrap();
    town.run(Arc::clone(&reader));
    town.wait("first edition", 8, || reader.status().edition).await.unwrap();
    let sent = |at: &Window, text: &str| {
        at.page.matches(&format!("<p class=\"said\" dir=\"auto\">{text}</p>")).count()
    };
    let mut source = source(reader).await;
    let form = source.page.clone();
    for _ in 0..3 {
        source.page.clone_from(&form);
        source.press("Send", &["The pump failed."]).await;
        assert_eq!(sent(&source, "The pump failed."), 1, "{}", source.page);
    }
    // Another text in the same form is said to be another one, and waits in a form of its own.
    source.page.clone_from(&form);
    source.press("Send", &["The pump failed. Twice."]).await;
    assert!(source.says("Your first message is sealed.") && sent(&source, "The pump failed. Twice.") == 0);
    source.press("Back", &[""]).await;
    source.press("Write more", &[]).await;
    source.press("Send", &["The pump failed."]).await;
    assert_eq!(sent(&source, "The pump failed."), 2, "{}", source.page);

    let arriving = async {
        loop {
            desk.get("/").await;
            match between(&desk.page, "href=\"/conversations/", "\"") {
                "" => tokio::time::sleep(Duration::from_millis(200)).await,
                id => break format!("/conversations/{id}"),
            }
        }
    };
    let conversation = tokio::time::timeout(Duration::from_secs(60), arriving).await.unwrap();

    desk.get(&conversation).await;
    let form = desk.page.clone();
    for _ in 0..3 {
        desk.page.clone_from(&form);
        desk.press("Send the answer", &["How do you know?"]).await;
        assert_eq!(sent(&desk, "How do you know?"), 1, "{}", desk.page);
    }
    desk.page.clone_from(&form);
    desk.press("Send the answer", &["How do you know? Who else does?"]).await;
    assert!(desk.says("Your first answer was sent.") && sent(&desk, "How do you know? Who else does?") == 0);
    assert!(desk.says("Who else does?</textarea>"), "{}", desk.page);
    // The same words in a form of their own are an answer of their own.
    desk.press("Send the answer", &["How do you know?"]).await;
    assert_eq!(sent(&desk, "How do you know?"), 2, "{}", desk.page);

    let form = desk.page.clone();
    desk.press("Lock", &[]).await;
    desk.page = form;
    desk.press("Send the answer", &["Since when?\n<b>And</b> who?"]).await;
    assert_eq!(desk.location.as_deref(), Some("/vault"));
    desk.get("/vault").await;
    assert!(!desk.says("Since when?"));
    desk.press("Open", &six).await;
    assert_eq!(desk.location.as_ref(), Some(&conversation));
    desk.get(&conversation).await;
    assert!(desk.says("Since when?\n&lt;b&gt;And&lt;/b&gt; who?</textarea>"), "{}", desk.page);
    assert_eq!(sent(&desk, "Since when?"), 0);
    desk.press("Send the answer", &["Since when?"]).await;
    assert_eq!(sent(&desk, "Since when?"), 1);
    assert!(desk.says("</textarea>") && !desk.says("And&lt;"), "what was sent is no draft");
    town.end().await.unwrap();
}

/// A source who has just chosen a desk.
async fn source(device: Arc<Device>) -> Window {
    let mut rng = ambient::rng().unwrap();
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(device, guard, ambient::clock(), Zone::utc(), &mut rng);
    let mut source = Window::open(reader::router(app), &link).await;
    source.get("/contact").await;
    for button in
        ["Start", "Yes, it is mine", "Yes, or many people use it", "No, nobody", "Show my six words"]
    {
        source.press(button, &[]).await;
    }
    let six = source.six();
    source.press("I have them", &[]).await;
    source.press("Open my mailbox", &six.iter().map(String::as_str).collect::<Vec<_>>()).await;
    source.press("Investigations", &[]).await;
    source
}
