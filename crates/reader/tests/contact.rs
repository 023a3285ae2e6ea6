//! The reader's pages over a real device that never reached its edge: the guard, the headers, and the whole way to
//! the newsroom up to the message.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

mod town;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use client::Place;
use proto::Clock as _;
use rand::{SeedableRng, rngs::StdRng};
use tower::ServiceExt as _;
use town::{ADDRESS, Hand, Standing, Window, begin, between, device, device_in, draw_words, pressed, strs};
use ui::{Guard, Zone};

async fn window(seed: u64) -> Window {
    let mut rng = StdRng::seed_from_u64(seed);
    let device = device(&mut rng);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(device, guard, Arc::new(Standing), Zone::utc(), &mut rng);
    Window::open(reader::router(app), &link).await
}

/// The page without what is drawn for each load: names of fields and the window's key.
fn settled(page: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    for c in page.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        // 16 digits of a load and its mark, which may be one of a to f itself
        shown += if run.len() >= 16 { "…" } else { &run };
        run.clear();
        shown.push(c);
    }
    shown
}

#[tokio::test]
async fn every_answer_is_strict_and_kept_nowhere() {
    let mut window = window(1).await;
    for path in ["/", "/contact", "/stories/00", "/pictures/00", "/nowhere"] {
        let answer = window.get(path).await;
        assert_eq!(answer.headers()["content-security-policy"], ui::headers::CSP, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        if !window.page.is_empty() {
            assert_eq!(window.page.matches("<h1").count(), 1, "{path}");
        }
    }
    let stranger = Request::get("/").header("host", &window.host).body(Body::empty()).unwrap();
    let answer = window.router.clone().oneshot(stranger).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-security-policy"], ui::headers::CSP);
}

#[tokio::test]
async fn every_page_says_which_start_of_the_program_made_it() {
    let mut runs = Vec::new();
    for seed in [30, 31] {
        let mut window = window(seed).await;
        window.get("/run").await;
        let run = window.page.clone();
        assert_eq!(run.len(), 32);
        for path in ["/", "/contact", "/stories/00", "/nowhere"] {
            window.get(path).await;
            assert_eq!(between(&window.page, " data-run=\"", "\""), run, "{path}");
        }
        window.get("/contact").await;
        window.press("Start", &[]).await;
        assert_eq!(between(&window.page, " data-run=\"", "\""), run);
        window.cookie.clear();
        window.get("/").await;
        assert!(window.says("This page stays closed") && !window.says("data-run"));
        runs.push(run);
    }
    assert_ne!(runs[0], runs[1]);
}

#[tokio::test]
async fn front_page_is_useful_before_the_first_edition() {
    let mut window = window(2).await;
    window.get("/").await;
    assert_eq!(window.heading(), "The first edition is on its way");
    assert!(window.says("The next exchange is in ") && window.says(ui::page::DEMONSTRATION));
}

#[tokio::test]
async fn every_step_has_the_same_title_and_new_field_names() {
    let mut window = window(3).await;
    window.get("/contact").await;
    assert!(window.says("Investigations"));
    let mut names = Vec::new();
    for button in
        ["Start", "No, or I am not sure", "Go on all the same", "Yes, or many people use it", "No, nobody"]
    {
        assert_eq!(between(&window.page, "<title>", "</title>"), "Contact the newsroom · Firsthand");
        names.push(pressed(&window.page, button, &[]).unwrap().1.rsplit_once('=').unwrap().0.to_owned());
        window.press(button, &[]).await;
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
    window.press("Show my six words", &[]).await;
    window.press("I have them", &[]).await;
    assert_eq!(between(&window.page, "<title>", "</title>"), "Contact the newsroom · Firsthand");
    assert!(!window.says("type=\"password\""));
    for form in window.page.split("<form ").skip(1).filter(|form| form.contains("type=\"text\"")) {
        assert!(form.split('>').next().unwrap().contains("autocomplete=\"off\""));
    }
}

/// DIR-14: whoever chooses a desk could see it for two days.
#[tokio::test]
async fn a_desk_to_come_is_shown_with_its_time_and_cannot_be_chosen() {
    let mut window = window(31).await;
    window.get("/contact").await;
    let page = &window.page;
    let (now, to_come) = page.split_once("Announced").unwrap();
    assert!(now.contains("Investigations") && !now.contains("Letters"), "{page}");
    let (_, to_come) = to_come.split_once("Letters, The Wendral Post").unwrap();
    assert!(to_come.contains("2026-11-22T08:05:00Z"), "{page}");
    // Nor is it among those that a mailbox offers.
    begin(&mut window).await;
    assert!(window.page.contains("Investigations") && !window.page.contains("Letters"), "{}", window.page);
}

#[tokio::test]
async fn a_word_typed_wrong_is_named() {
    let mut window = window(4).await;
    let six = draw_words(&mut window).await;
    window.press("I have them", &[]).await;
    let mut typed: Vec<&str> = six.iter().map(String::as_str).collect();
    typed[2] = "nonsense";
    window.press("Open my mailbox", &typed).await;
    assert!(window.says("Word 3 is different."));
    // the same words are shown again, not others
    window.press("Show the words again", &[]).await;
    assert!(six.iter().all(|word| window.says(&format!("<b>{word}</b>"))));
}

#[tokio::test]
async fn wrong_words_and_no_mailbox_show_the_same_page() {
    let typed = ["abandon", "abbey", "abide", "ability", "able", "abacus"];
    assert!(typed.iter().all(|word| client::is_listed(word)));
    let mut pages = Vec::new();
    for has_mailbox in [false, true] {
        let mut window = window(5).await;
        if has_mailbox {
            begin(&mut window).await;
            window.press("Leave at once", &[]).await;
        }
        window.get("/contact").await;
        window.press("I have six words", &[]).await;
        window.press("Open", &typed).await;
        assert!(window.says("These words open nothing here."), "{}", window.page);
        pages.push(settled(&window.page));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn leaving_locks_and_leads_back() {
    let mut window = window(6).await;
    let six = begin(&mut window).await;
    let inside = window.page.clone();
    window.press("Leave at once", &[]).await;
    assert_eq!(window.location.as_deref(), Some("/"));
    window.page = inside;
    window.press("Investigations", &[]).await;
    assert_eq!(window.heading(), "Type your six words");
    // the words open it again
    window.press("Open", &strs(&six)).await;
    assert_eq!(window.heading(), "Choose a desk");
}

#[tokio::test]
async fn another_window_finds_the_public_page_and_takes_over() {
    let mut first = window(7).await;
    let six = begin(&mut first).await;
    let mut second = first.beside();
    second.get("/contact").await;
    assert_eq!(second.heading(), "Contact the newsroom");
    second.press("I have six words", &[]).await;
    second.press("Open", &strs(&six)).await;
    assert_eq!(second.heading(), "Choose a desk");
    first.press("Investigations", &[]).await;
    assert!(first.says("The mailbox is closed in this window."));
}

#[tokio::test]
async fn message_is_looked_over_before_it_is_sealed() {
    let mut window = window(8).await;
    let six = begin(&mut window).await;
    window.press("Investigations", &[]).await;
    assert_eq!(window.heading(), "Write to <bdi>Investigations</bdi>");
    for (text, answer) in [
        ("  ", "The message is empty."),
        (&*format!("my words: {} {}", six[1], six[2]), "Your message holds words of your passphrase."),
        ("write to ana@harbour.example", "Your message holds an e-mail address."),
    ] {
        let before = window.page.clone();
        window.press("Send", &[text]).await;
        assert!(window.says(answer), "{answer}: {}", window.page);
        window.page = before;
    }
    window.press("Check length", &["<b>\"forty\"</b> words"]).await;
    assert!(
        window.says("Room for about ")
            && window.says("&lt;b&gt;&quot;forty&quot;&lt;/b&gt; words</textarea>")
    );
    // before the first edition nothing can be sealed: nothing is lost, and the text stays
    window.press("Send", &["The quay is weak."]).await;
    assert!(window.says("Nothing was sent.") && window.says("The quay is weak."), "{}", window.page);
}

/// A desk that is listed and has no key now is not said to be gone, and what was written to it is kept.
#[tokio::test]
async fn what_is_written_to_a_desk_that_has_no_key_now_is_kept() {
    let mut rng = StdRng::seed_from_u64(43);
    let clock = Arc::new(Hand(AtomicU64::new(Standing.now().0)));
    let device = device_in(Place::Memory, Arc::clone(&clock) as _, &mut rng);
    clock.0.fetch_add(30 * 7 * 24 * 3_600_000, Ordering::SeqCst);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(device, guard, Arc::clone(&clock) as _, Zone::utc(), &mut rng);
    let mut window = Window::open(reader::router(app), &link).await;
    let six = begin(&mut window).await;
    window.press("Investigations", &[]).await;
    window.press("Send", &["The quay is weak."]).await;
    assert!(window.says("This desk cannot be written to now. Nothing was sent."), "{}", window.page);
    assert!(window.says("The quay is weak.</textarea>"), "{}", window.page);
    // Whoever goes elsewhere finds it again.
    window.get("/contact").await;
    window.press("I have six words", &[]).await;
    window.press("Open", &strs(&six)).await;
    window.press("Go on writing", &[]).await;
    assert!(window.says("The quay is weak.</textarea>"), "{}", window.page);
}

/// A desk that is not listed when the message is sent, and is again later: here because the computer's clock was put back.
#[tokio::test]
async fn what_is_written_to_a_desk_that_is_gone_comes_back_with_it() {
    let mut rng = StdRng::seed_from_u64(44);
    let clock = Arc::new(Hand(AtomicU64::new(Standing.now().0)));
    let device = device_in(Place::Memory, Arc::clone(&clock) as _, &mut rng);
    let since = device.desks_to_come()[0].0;
    clock.0.store(since.0, Ordering::SeqCst);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(device, guard, Arc::clone(&clock) as _, Zone::utc(), &mut rng);
    let mut window = Window::open(reader::router(app), &link).await;
    begin(&mut window).await;
    let choose = window.page.clone();
    const GONE: &str = "This desk is no longer listed. Nothing was sent. Choose another.";
    clock.0.store(since.0 - 1, Ordering::SeqCst);
    window.press("Letters", &[]).await;
    assert!(window.says(GONE), "{}", window.page);
    clock.0.store(since.0, Ordering::SeqCst);
    window.page = choose;
    window.press("Letters", &[]).await;
    clock.0.store(since.0 - 1, Ordering::SeqCst);
    window.press("Send", &["The quay is weak."]).await;
    assert!(window.says(GONE), "{}", window.page);
    let gone = window.page.clone();
    window.press("Back", &[]).await;
    assert_eq!(window.heading(), "Choose a desk");
    assert!(!window.says("Letters") && !window.says("is kept here"), "{}", window.page);
    clock.0.store(since.0, Ordering::SeqCst);
    window.page = gone;
    window.press("Back", &[]).await;
    window.press("Go on writing", &[]).await;
    assert!(window.says("The quay is weak.</textarea>"), "{}", window.page);
}

#[tokio::test(start_paused = true)]
async fn five_minutes_lock_it_and_looking_does_not_keep_it_open() {
    let mut window = window(9).await;
    begin(&mut window).await;
    let inside = window.page.clone();
    tokio::time::sleep(Duration::from_secs(4 * 60)).await;
    let (path, body) = pressed(&window.page, "Leave at once", &[]).unwrap();
    window.post(&path, body.replace("=leave", "=look")).await;
    assert_eq!(window.heading(), "Choose a desk");
    tokio::time::sleep(Duration::from_secs(61)).await;
    window.page = inside;
    window.press("Investigations", &[]).await;
    assert!(window.says("The mailbox is closed in this window."));
}

/// A timer does not count the time for which a computer sleeps. What was being written is kept all the same.
#[tokio::test]
async fn a_mailbox_is_closed_after_a_sleep() {
    let mut rng = StdRng::seed_from_u64(42);
    let clock = Arc::new(Hand(AtomicU64::new(Standing.now().0)));
    let device = device_in(Place::Memory, Arc::clone(&clock) as _, &mut rng);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(device, guard, Arc::clone(&clock) as _, Zone::utc(), &mut rng);
    let mut window = Window::open(reader::router(app), &link).await;
    let sleep = |minutes: u64| clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
    let six = begin(&mut window).await;
    sleep(4);
    window.press("Investigations", &[]).await;
    sleep(4);
    window.press("Back", &[""]).await;
    assert_eq!(window.heading(), "Choose a desk");
    window.press("Investigations", &[]).await;
    sleep(5);
    // What the module asks by itself shows nothing either.
    let (path, body) = pressed(&window.page, "Send", &["The quay is weak"]).unwrap();
    window.post(&path, body.replace("=send&", "=look&")).await;
    assert!(window.says("The mailbox is closed") && !window.says("Choose a desk"), "{}", window.page);
    window.press("Open", &strs(&six)).await;
    assert!(window.says("The quay is weak</textarea>"), "{}", window.page);
}

/// Without script typing is no step, so who writes for long finds the area locked.
#[tokio::test(start_paused = true)]
async fn what_was_written_for_longer_than_five_minutes_comes_back_with_the_six_words() {
    let mut window = window(12).await;
    let six = begin(&mut window).await;
    window.press("Investigations", &[]).await;
    let composing = window.page.clone();
    for button in ["Send", "Check length", "Attach a document", "Back"] {
        window.page.clone_from(&composing);
        tokio::time::sleep(Duration::from_secs(6 * 60)).await;
        let text = "The quay\nis <b>\"weak\"</b>.";
        window.press(button, &[text]).await;
        assert!(window.says("The mailbox is closed in this window."), "{button}");
        assert!(window.says("What you wrote comes back once it is open."), "{button}");
        // A word typed wrong loses nothing either.
        let mut wrong = strs(&six);
        wrong.swap(0, 5);
        window.press("Open", &wrong).await;
        assert!(window.says("These words open nothing here."), "{button}");
        wrong[3] = "zzzz";
        window.press("Open", &wrong).await;
        assert!(window.says("Word 4 is not in the list"), "{button}");
        window.press("Open", &strs(&six)).await;
        assert_eq!(window.heading(), "Write to <bdi>Investigations</bdi>", "{button}");
        assert!(
            window.says("The quay\nis &lt;b&gt;&quot;weak&quot;&lt;/b&gt;.</textarea>"),
            "{}",
            window.page
        );
        // It is in the mailbox too.
        window.press("Back", &[text]).await;
        window.press("Go on writing", &[]).await;
        assert!(window.says("weak"), "{button}");
        window.press("Leave at once", &[]).await;
        window.page.clone_from(&composing);
    }
    // Who only comes back has nothing to carry.
    window.press("Send", &[""]).await;
    assert!(window.says("The mailbox is closed") && !window.says("What you wrote"));
}

#[tokio::test]
async fn leaving_keeps_what_was_being_written() {
    let mut window = window(10).await;
    let six = begin(&mut window).await;
    window.press("Investigations", &[]).await;
    // The way out belongs to the form with the message: a browser without script sends the text along.
    assert!(between(&window.page, "data-leave>", "</form>").contains("form=\"writing\""));
    let (path, body) = pressed(&window.page, "Send", &["The quay is"]).unwrap();
    window.post(&path, body.replace("=send&", "=leave&")).await;
    assert_eq!(window.location.as_deref(), Some("/"));
    window.get("/contact").await;
    assert!(!window.says("kept here"));
    window.press("I have six words", &[]).await;
    window.press("Open", &strs(&six)).await;
    assert!(window.says("is kept here."), "{}", window.page);
    window.press("Go on writing", &[]).await;
    assert!(window.says("The quay is</textarea>"), "{}", window.page);
    // Back keeps it too; a message that was cleared is none.
    window.press("Back", &["The quay is weak"]).await;
    window.press("Go on writing", &[]).await;
    assert!(window.says("The quay is weak</textarea>"));
    window.press("Back", &[""]).await;
    assert!(!window.says("is kept here."));
}

/// P8: no page promises that something is kept or gone that the disk did not take.
#[tokio::test]
async fn what_the_disk_did_not_take_is_said_where_it_was_promised() {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(40);
    let clock = Arc::new(Hand(AtomicU64::new(Standing.now().0)));
    let device = device_in(Place::Folder(folder.path().to_owned()), Arc::clone(&clock) as _, &mut rng);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let app = reader::App::new(Arc::clone(&device), guard, Arc::clone(&clock) as _, Zone::utc(), &mut rng);
    let mut window = Window::open(reader::router(app), &link).await;
    let later = async |ms: u64| {
        clock.0.fetch_add(ms, Ordering::SeqCst);
        device.step(clock.now()).await;
    };
    const FULL: &str = "Writing to the disk failed at the last try.";
    const LOST: &str = "What you did last is not on the disk yet.";
    begin(&mut window).await;
    later(10_000).await;
    let in_the_way = folder.path().join("mailbox.next");
    std::fs::create_dir(&in_the_way).unwrap();
    window.press("Investigations", &[]).await;
    window.press("Back", &["The quay is weak"]).await;
    assert!(window.says("is kept here.") && !window.says(LOST), "it has its time");
    later(10_000).await;
    for _ in 0..2 {
        window.press("Go on writing", &[]).await;
        window.press("Back", &["The quay is weak"]).await;
        assert!(window.says("is kept here.") && window.says(LOST), "{}", window.page);
    }
    window.get("/").await;
    assert!(window.says(FULL), "{}", window.page);
    // Room again.
    std::fs::remove_dir(&in_the_way).unwrap();
    later(10_000).await;
    window.get("/").await;
    assert!(!window.says(FULL));
    window.get("/contact").await;
    window.press("I have six words", &[]).await;
    assert!(!window.says(FULL));
    // And what is deleted while there is none.
    let mut window = window.beside();
    begin(&mut window).await;
    window.press("Delete the mailbox", &[]).await;
    assert!(!window.says(FULL) && window.says("the old file is still there"));
    std::fs::create_dir(&in_the_way).unwrap();
    later(10_000).await;
    window.press("Back", &[]).await;
    window.press("Delete the mailbox", &[]).await;
    assert!(window.says(FULL));
    window.press("Delete it now", &[]).await;
    assert!(window.says(FULL) && window.heading() == "Type your six words");
}

#[tokio::test]
async fn a_deleted_mailbox_and_wrong_words_show_the_same_page() {
    let mut window = window(11).await;
    let six = begin(&mut window).await;
    window.press("Delete the mailbox", &[]).await;
    assert!(window.says("What this does") && window.says("What this does not undo"));
    window.press("Back", &[]).await;
    assert_eq!(window.heading(), "Choose a desk");
    window.press("Delete the mailbox", &[]).await;
    window.press("Delete it now", &[]).await;
    assert_eq!(window.heading(), "Type your six words");
    window.press("Open", &strs(&six)).await;
    assert!(window.says("These words open nothing here."));
    let deleted = settled(&window.page);
    let mut other = self::window(11).await;
    other.get("/contact").await;
    other.press("I have six words", &[]).await;
    other.press("Open", &strs(&six)).await;
    assert_eq!(deleted, settled(&other.page));
}

#[tokio::test]
async fn a_document_shows_what_it_carries_and_how_long_it_takes_before_it_starts() {
    let mut window = window(20).await;
    begin(&mut window).await;
    window.press("Investigations", &[]).await;
    window.press("Attach a document", &["Look at page 3."]).await;
    assert!(window.heading().starts_with("A document for "));
    assert_eq!(between(&window.page, "<title>", "</title>"), "Contact the newsroom · Firsthand");
    window
        .upload("Look at it", "C:\\ana\\Minutes.pdf", b"%PDF-1.4 << /Author (Ana) /Producer (<b>Word</b>) >>")
        .await;
    assert_eq!(window.heading(), "What the file carries", "{}", window.page);
    for said in [
        "It would be sent as it is.",
        "A person: ",
        "Ana",
        "&lt;b&gt;Word",
        "Minutes.pdf",
        "1 part",
        "if this device is always on",
        "three rounds in ten",
        "learns more from many messages",
    ] {
        assert!(window.says(said), "{said}: {}", window.page);
    }
    // There is no queue before the first edition, so nothing starts.
    window.press("Send this one", &[]).await;
    assert!(window.says("The next edition is still to come. Nothing was sent."));
    // The file is still there, to be sent once it can be.
    assert_eq!(window.heading(), "What the file carries");
    window.press("Send this one", &[]).await;
    assert!(window.says("Nothing was sent.") && window.says("Minutes.pdf"));
    window.press("Choose another file", &[]).await;
    window.upload("Look at it", "a.jpg", b"\xff\xd8\xff\xe0 no picture").await;
    assert!(window.says("The file is damaged."));
    window.upload("Look at it", "a.exe", b"MZ\x90\x00").await;
    assert!(window.says("This kind of file cannot be sent."));
    window.upload("Look at it", "", b"").await;
    assert!(window.says("No file was chosen."));
    window.upload("Look at it", "a.txt", &vec![b'x'; (1 << 20) + 1]).await;
    assert!(window.says("larger than 1 MB"));
    window.upload("Look at it", "a.txt", &vec![b'x'; 33 << 20]).await;
    assert!(window.says("The limit is 32 MB") && window.says("Look at it"), "the window goes on");
}

#[tokio::test]
async fn that_there_may_be_more_in_a_file_is_said_of_every_one_that_is_not_made_anew() {
    let mut window = window(22).await;
    begin(&mut window).await;
    window.press("Investigations", &[]).await;
    window.press("Attach a document", &[""]).await;
    let authors = |n| (0..n).map(|n| format!("<< /Author (Ana {n:04}) >>")).collect::<String>();
    for (name, file, more) in [
        ("a.txt", "hello".to_owned(), None),
        ("a.pdf", "%PDF-1.4".to_owned(), None),
        ("a.pdf", format!("%PDF-1.4 {} << /Company (Harbour) >>", authors(10)), None),
        ("a.pdf", format!("%PDF-1.4 {} << /Company (Harbour) >>", authors(12)), Some("A person: and 2 more")),
        ("a.pdf", format!("%PDF-1.4 {}", authors(1_001)), Some("A person: and more than 990 more")),
    ] {
        window.upload("Look at it", name, file.as_bytes()).await;
        assert_eq!(window.heading(), "What the file carries", "{}", window.page);
        assert!(window.says("There may be more in it than is listed here."), "{}", window.page);
        assert_eq!(window.says(" more</li>"), more.is_some(), "{}", window.page);
        assert!(more.is_none_or(|more| window.says(more)), "{}", window.page);
        assert_eq!(window.says("Harbour"), file.contains("Harbour"), "many of one kind hide no other");
        window.press("Choose another file", &[]).await;
    }
}

#[tokio::test]
async fn a_file_from_a_stranger_or_a_closed_area_goes_nowhere() {
    let mut ours = window(21).await;
    begin(&mut ours).await;
    ours.press("Investigations", &[]).await;
    ours.press("Attach a document", &[""]).await;
    let mut other = ours.beside();
    other.page = ours.page.clone();
    // Without the browser's cookie it does not reach the area at all.
    other.cookie = "firsthand-4321=00".into();
    assert_eq!(other.upload("Look at it", "a.txt", b"hello").await.status(), 403);
    other.cookie.clone_from(&ours.cookie);
    other.page.clone_from(&ours.page);
    ours.press("Leave at once", &[]).await;
    other.upload("Look at it", "a.txt", b"hello").await;
    assert_eq!(other.heading(), "Type your six words");
    // A form as long as a file is for files only.
    let long = format!("x={}", "y".repeat(1 << 20));
    ours.post("/contact", long).await;
    assert!(ours.says("The file is too large."));
}
