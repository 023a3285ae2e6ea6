//! The desk's pages over a device that makes its exchanges with an edge.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

#[path = "../../client/tests/device/town.rs"]
#[allow(dead_code, reason = "shared with the tests of devices, which use the rest")]
mod network;
#[path = "../../reader/tests/town/mod.rs"]
mod town;
#[path = "../../reader/tests/town/troubles.rs"]
mod troubles;

use std::sync::Arc;

use client::{Device, Kdf, VaultContents};
use proto::{Clock, sign::IdentitySecret};
use rand::{SeedableRng, rngs::StdRng};
use town::{ADDRESS, Window, make_vault};
use troubles::Trouble;
use ui::{Guard, Zone};

/// What the inbox says of each.
const SENTENCES: [(Trouble, &str); 9] = [
    (Trouble::Offline, "The network was not reached at the last try. Nothing could be collected."),
    (
        Trouble::Unverified,
        "What came last could not be verified. It was thrown away. Nothing of it was collected.",
    ),
    (
        Trouble::Forked,
        "What came last does not go on from what this desk was shown before. It was thrown away.",
    ),
    (Trouble::TwoPages, "are not the front page that the press signed for everyone. They were thrown away."),
    (Trouble::Frozen, "The witnesses have co-signed nothing for more than three rounds."),
    (Trouble::Unwitnessed, "Too few witnesses have co-signed what came last. It was thrown away."),
    (Trouble::Stale, "No new edition has come for a while."),
    (Trouble::Clock, "The clock of this computer is wrong. Set it."),
    (Trouble::StartedOver, "It began anew with the newest edition."),
];

/// A desk's window on its inbox, with a vault that was just made in `folder`.
async fn inbox(
    town: &network::Town,
    device: Arc<Device>,
    folder: &std::path::Path,
    contents: VaultContents,
    rng: &mut StdRng,
) -> Window {
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand desk", rng);
    let clock: Arc<dyn Clock> = town.clock.clone();
    let app = desk::App::new(device, folder.join("vault"), guard, clock, Zone::utc(), rng);
    app.offer(contents, Kdf::cheap());
    let mut window = Window::open(desk::router(app), &link).await;
    make_vault(&mut window).await;
    window.get("/").await;
    window
}

/// What the desk of this town keeps in its vault.
fn own(town: &network::Town) -> VaultContents {
    let vault_key = network::vault_key(&IdentitySecret::from_seed(&town.desk_identity));
    VaultContents { vault_key, intake: network::intake_keys() }
}

/// Which of these the page says, as soon as it says one; none if that takes longer than two seconds.
async fn said_soon<'a>(window: &mut Window, sentences: &[&'a str]) -> Vec<&'a str> {
    for _ in 0..40 {
        let said: Vec<_> = sentences.iter().copied().filter(|sentence| window.says(sentence)).collect();
        if !said.is_empty() {
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        window.get("/").await;
    }
    vec![]
}

/// P6
#[tokio::test]
async fn the_inbox_says_in_plain_words_what_is_wrong_and_no_other_thing() {
    for trouble in Trouble::ALL {
        let (town, device) = trouble.befalls(true).await;
        let mut rng = StdRng::seed_from_u64(1);
        let folder = tempfile::tempdir().unwrap();
        let window = inbox(&town, device, folder.path(), own(&town), &mut rng).await;
        assert_eq!(window.heading(), "Inbox");
        let wrong = if trouble == Trouble::Nothing { vec![] } else { vec![trouble] };
        let count = wrong.len();
        assert_eq!(Trouble::said(&window.page, &SENTENCES), (wrong, count), "{trouble:?}: {}", window.page);
    }
}

/// KEY-02, P8: a vault without the keys that the directory names, and one of another desk.
#[tokio::test]
async fn an_old_copy_of_a_vault_and_another_desks_are_said_on_the_inbox() {
    let (town, device) = Trouble::Nothing.befalls(true).await;
    let mut rng = StdRng::seed_from_u64(2);
    let folder = tempfile::tempdir().unwrap();
    let vaults = [
        ("whole", own(&town).vault_key, network::intake_keys(), None),
        ("old", own(&town).vault_key, vec![], Some("This vault has no key for it.")),
        (
            "other",
            IdentitySecret::generate(&mut rng),
            vec![],
            Some("This vault belongs to another desk than the one of this computer."),
        ),
    ];
    for (name, vault_key, intake, sentence) in vaults {
        let contents = VaultContents { vault_key, intake };
        let mut window =
            inbox(&town, Arc::clone(&device), &folder.path().join(name), contents, &mut rng).await;
        let sentences = [
            "This vault has no key for it.",
            "This vault belongs to another desk than the one of this computer.",
        ];
        let said = said_soon(&mut window, &sentences).await;
        assert_eq!(said, sentence.into_iter().collect::<Vec<_>>(), "{name}: {}", window.page);
    }
}

/// EXC-11, EXC-12, P8: a desk that is left out, one whose keys have come to their end, and one whose clock is minutes off.
#[tokio::test]
async fn a_desk_that_nobody_can_write_to_says_why_on_the_inbox() {
    let sentences = [
        "The newest edition does not list this desk.",
        "The newest edition names no key of it for this week.",
        "The network answered, and gave this desk nothing.",
    ];
    for said in sentences {
        let (mut town, device) = Trouble::Nothing.befalls(true).await;
        if said == sentences[0] {
            town.directory = town.directory_with(None, &[]);
            town.round(3, &[&device]).await;
        } else if said == sentences[1] {
            town.round(8 * proto::keys::WEEK + 1, &[&device]).await;
        } else {
            town.edge.set_ahead(121_000);
            town.round(3, &[&device]).await;
        }
        let mut rng = StdRng::seed_from_u64(3);
        let folder = tempfile::tempdir().unwrap();
        let mut window = inbox(&town, device, folder.path(), own(&town), &mut rng).await;
        let all = said_soon(&mut window, &sentences).await;
        assert_eq!(all, [said], "{}", window.page);
    }
}

/// P8: where a message is missing, and why an answer does not leave, stands on the page of its conversation.
#[tokio::test]
async fn a_conversation_says_what_is_missing_and_what_keeps_its_answers() {
    let (mut town, device) = Trouble::Nothing.befalls(true).await;
    let source = town.reader(7);
    town.round(3, &[&source, &device]).await;
    let session = source.begin(&network::passphrase(1)).unwrap();
    for text in ["the first", "the second"] {
        session.write(town.desk, text, town.clock.now()).unwrap();
    }
    for r in 4..8 {
        let late = |town: &mut network::Town| {
            if r == 5 {
                town.lose();
            }
        };
        town.quiet(r, &[&source, &device], late).await;
    }
    let mut rng = StdRng::seed_from_u64(4);
    let folder = tempfile::tempdir().unwrap();
    let mut window = inbox(&town, Arc::clone(&device), folder.path(), own(&town), &mut rng).await;
    assert_eq!(said_soon(&mut window, &["the second"]).await, ["the second"], "{}", window.page);
    let page = format!("/conversations/{}", town::between(&window.page, "/conversations/", "\""));
    window.get(&page).await;
    assert!(window.says("At least one message before this one has not come."), "{}", window.page);
    window.press("Send the answer", &["Say it again."]).await;
    assert!(window.says("It leaves between") || window.says("It leaves at"), "{}", window.page);
    town.edge.set_upload(network::Upload::Busy);
    town.quiet(8, &[&source, &device], |_| ()).await;
    window.get(&page).await;
    assert!(!window.says("It leaves between") && !window.says("It leaves at"), "{}", window.page);
    assert!(
        window.says("It cannot leave as things are now.") && window.says(SENTENCES[0].1),
        "{}",
        window.page
    );
}
