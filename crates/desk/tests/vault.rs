//! The desk's door over a real device and a real vault file.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

#[path = "../../reader/tests/town/mod.rs"]
mod town;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{body::Body, http::Request};
use client::{Device, Kdf, Passphrase, Place, Vault, VaultContents};
use desk::App;
use proto::{Clock as _, Round, keys::KeyKind, seal::SealSecret, sign::IdentitySecret};
use rand::{SeedableRng, rngs::StdRng};
use tower::ServiceExt as _;
use town::{ADDRESS, Hand, Standing, Window, between, device_in, make_vault, strs};
use ui::{Guard, Zone};

struct Desk {
    app: Arc<App>,
    window: Window,
    file: PathBuf,
    clock: Arc<Hand>,
    device: Arc<Device>,
    _folder: tempfile::TempDir,
}

/// A desk with its secrets at hand and no vault yet.
async fn desk(seed: u64) -> Desk {
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vault");
    let clock = Arc::new(Hand(AtomicU64::new(Standing.now().0)));
    let device = device_in(Place::Memory, Arc::clone(&clock) as _, &mut rng);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand desk", &mut rng);
    let app =
        App::new(Arc::clone(&device), file.clone(), guard, Arc::clone(&clock) as _, Zone::utc(), &mut rng);
    let intake = vec![(KeyKind::Intake.period(Round(0)), SealSecret::generate(&mut rng))];
    let contents = VaultContents { vault_key: IdentitySecret::generate(&mut rng), intake };
    app.offer(contents, Kdf::cheap());
    let window = Window::open(desk::router(Arc::clone(&app)), &link).await;
    Desk { app, window, file, clock, device, _folder: folder }
}

#[tokio::test]
async fn nothing_is_shown_before_the_vault_is_open() {
    let mut desk = desk(1).await;
    for path in ["/", "/next", "/conversations/0000000000000000"] {
        desk.window.get(path).await;
        assert_eq!(desk.window.location.as_deref(), Some("/vault"), "{path}");
    }
    desk.window.post("/conversations/0000000000000000", "text=x".into()).await;
    assert_eq!(desk.window.location.as_deref(), Some("/vault"));
    assert!(!desk.file.exists());
}

#[tokio::test]
async fn a_vault_is_made_opened_and_locked() {
    let mut desk = desk(2).await;
    let six = make_vault(&mut desk.window).await;
    assert!(desk.file.exists());
    let window = &mut desk.window;
    window.get("/").await;
    assert_eq!(
        (window.heading(), between(&window.page, "<title>", "</title>")),
        ("Inbox", "Inbox · Firsthand")
    );
    assert!(window.says("Nothing has come yet.") && window.says(ui::page::DEMONSTRATION));
    let clock = between(&window.page, "id=\"next\"", "</p>").to_owned();
    window.get("/next").await;
    assert_eq!(between(&window.page, "id=\"next\"", "</p>"), clock, "it can be put in the other's place");
    assert!(!window.page.contains("id=\"inbox\""));
    window.get("/conversations/0000000000000000").await;
    assert!(window.says("This conversation is not in the inbox."));
    window.get("/").await;
    window.press("Lock", &[]).await;
    window.get("/").await;
    assert_eq!(window.location.as_deref(), Some("/vault"));
    window.get("/vault").await;
    window.press("Open", &["abacus", "abandon", "abbey", "abide", "ability", "able"]).await;
    assert!(window.says("These words do not open the vault."));
    window.press("Open", &["abacus", "abandon", "abbey", "abide", "ability", "zzzz"]).await;
    assert!(window.says("Word 6 is not in the list of words."));
    window.press("Open", &strs(&six)).await;
    assert_eq!(window.location.as_deref(), Some("/"));
}

#[tokio::test]
async fn unlocking_leads_back_to_a_conversation_and_never_to_an_address_that_is_none() {
    let mut desk = desk(7).await;
    let six = make_vault(&mut desk.window).await;
    let window = &mut desk.window;
    for (opened, back) in [
        ("/conversations/00aa00aa00aa00aa", "/conversations/00aa00aa00aa00aa"),
        ("/conversations/%0A", "/"),
        ("/conversations/00aa%0D%0Aa: b", "/"),
        ("/conversations/00", "/"),
    ] {
        window.get(&opened.replace(' ', "%20")).await;
        window.post("/lock", String::new()).await;
        window.get("/vault").await;
        window.press("Open", &strs(&six)).await;
        assert_eq!(window.location.as_deref(), Some(back), "{opened}");
    }
}

#[tokio::test]
async fn a_vault_is_never_made_twice() {
    let mut desk = desk(3).await;
    make_vault(&mut desk.window).await;
    let before = std::fs::read(&desk.file).unwrap();
    desk.window.post("/lock", String::new()).await;
    for step in ["show", "retype", "make"] {
        desk.window.post("/vault", format!("step={step}")).await;
        assert_eq!(desk.window.heading(), "Open the vault", "{step}");
    }
    assert_eq!(std::fs::read(&desk.file).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_vault_is_left_alone() {
    let mut desk = desk(4).await;
    std::fs::write(&desk.file, b"notes").unwrap();
    desk.window.get("/vault").await;
    desk.window.press("Open", &["abacus", "abandon", "abbey", "abide", "ability", "able"]).await;
    assert!(desk.window.says("The vault's file cannot be read."));
    assert_eq!(std::fs::read(&desk.file).unwrap(), b"notes");
}

#[tokio::test(start_paused = true)]
async fn an_idle_screen_locks_and_looking_does_not_count() {
    let mut desk = desk(5).await;
    make_vault(&mut desk.window).await;
    tokio::time::sleep(Duration::from_secs(14 * 60)).await;
    // what the module asks by itself
    let look = Request::get("/")
        .header("host", &desk.window.host)
        .header("cookie", &desk.window.cookie)
        .header("sec-fetch-mode", "cors");
    let answer = desk.window.router.clone().oneshot(look.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(answer.status(), 200);
    tokio::time::sleep(Duration::from_secs(61)).await;
    desk.window.get("/").await;
    assert_eq!(desk.window.location.as_deref(), Some("/vault"));
    drop(desk.app);
}

/// The lock is one for whoever sits at the machine: another vault's words, with its file in this one's place, do not open it.
#[tokio::test(start_paused = true)]
async fn another_vaults_file_and_words_do_not_unlock_the_screen() {
    let mut desk = desk(8).await;
    let six = make_vault(&mut desk.window).await;
    desk.window.get("/").await;
    desk.window.press("Lock", &[]).await;
    // Whoever collects puts back a vault that is gone: what began at the opening is to be done with, and time stands
    // still between two of its steps.
    tokio::time::sleep(Duration::from_secs(31)).await;
    let ours = std::fs::read(&desk.file).unwrap();
    let mut rng = StdRng::seed_from_u64(9);
    let theirs = Passphrase::generate(&mut rng);
    let contents = VaultContents { vault_key: IdentitySecret::generate(&mut rng), intake: vec![] };
    std::fs::remove_file(&desk.file).unwrap();
    drop(Vault::create(&desk.file, &theirs, Kdf::cheap(), contents, &mut rng).unwrap());
    desk.window.get("/vault").await;
    desk.window.press("Open", &theirs.words().collect::<Vec<_>>()).await;
    assert!(desk.window.says("These words do not open the vault."), "{}", desk.window.page);
    desk.window.get("/").await;
    assert_eq!(desk.window.location.as_deref(), Some("/vault"));
    std::fs::write(&desk.file, ours).unwrap();
    desk.window.get("/vault").await;
    desk.window.press("Open", &strs(&six)).await;
    assert_eq!(desk.window.location.as_deref(), Some("/"));
}

/// P8
#[tokio::test(start_paused = true)]
async fn a_vault_that_cannot_be_written_is_said_on_the_inbox() {
    let mut desk = desk(11).await;
    let six = make_vault(&mut desk.window).await;
    let in_the_way = desk.file.with_extension("next");
    let look = async |desk: &mut Desk| {
        tokio::time::sleep(Duration::from_secs(30)).await;
        desk.window.get("/").await;
        desk.window.says("The vault could not be written at the last try.")
    };
    assert!(!look(&mut desk).await);
    std::fs::create_dir(&in_the_way).unwrap();
    // KEY-03: once it knows that the edge has nothing for it, or is out of reach.
    while desk.device.step(desk.clock.now()).await.exchange.is_none() {
        desk.clock.0.fetch_add(500, Ordering::SeqCst);
    }
    // Three weeks, of 5 s a round: its first key is to be gone.
    for _ in 0..3 {
        desk.clock.0.fetch_add(168 * 5_000, Ordering::SeqCst);
        desk.window.get("/").await;
    }
    assert!(look(&mut desk).await, "{}", desk.window.page);
    std::fs::remove_dir(&in_the_way).unwrap();
    let ours = std::fs::read(&desk.file).unwrap();
    std::fs::write(&desk.file, "another").unwrap();
    assert!(!look(&mut desk).await && desk.window.says("Another file lies in the place of this vault."));
    // The words that open what runs do not open what lies there, and the door says why.
    desk.window.post("/lock", String::new()).await;
    desk.window.get("/vault").await;
    assert!(desk.window.says("Another file lies in the place of this vault."), "{}", desk.window.page);
    std::fs::write(&desk.file, ours).unwrap();
    desk.window.press("Open", &strs(&six)).await;
    assert!(!look(&mut desk).await && !desk.window.says("Another file"), "{}", desk.window.page);
}

/// A timer does not count the time for which a computer sleeps.
#[tokio::test]
async fn a_screen_that_slept_is_locked() {
    let mut desk = desk(10).await;
    make_vault(&mut desk.window).await;
    for (minutes, location) in [(14, None), (14, None), (15, Some("/vault"))] {
        desk.clock.0.fetch_add(minutes * 60_000, Ordering::SeqCst);
        desk.window.location = None;
        desk.window.get("/").await;
        assert_eq!(desk.window.location.as_deref(), location, "{minutes}");
    }
}

#[tokio::test]
async fn every_answer_is_strict_kept_nowhere_and_of_this_start() {
    let mut desk = desk(6).await;
    desk.window.get("/run").await;
    let run = desk.window.page.clone();
    make_vault(&mut desk.window).await;
    for path in ["/", "/next", "/vault", "/conversations/00", "/nowhere"] {
        let answer = desk.window.get(path).await;
        let shown = between(&desk.window.page, " data-run=\"", "\"");
        // An open vault's door leads on, with no page.
        assert_eq!(shown, if desk.window.page.is_empty() { "" } else { &run }, "{path}");
        assert_eq!(answer.headers()["content-security-policy"], ui::headers::CSP, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
}
