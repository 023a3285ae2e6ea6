//! The reader's pages over a device that makes its exchanges with an edge.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]

#[path = "../../client/tests/device/town.rs"]
#[allow(dead_code, reason = "shared with the tests of devices, which use the rest")]
mod network;
mod town;
#[path = "town/troubles.rs"]
mod troubles;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client::{Config, Device, Place};
use network::{Edge, Request, Town, story};
use proto::story::{Media, Picture, Story};
use proto::{Clock, Round, path};
use rand::{SeedableRng, rngs::StdRng};
use town::{ADDRESS, Window, begin, draw_words, strs};
use troubles::Trouble;
use ui::{Guard, Zone};

/// A browser's window on the pages of this device.
async fn window(town: &Town, device: &Arc<Device>) -> Window {
    let mut rng = StdRng::seed_from_u64(1);
    let (guard, link) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
    let clock: Arc<dyn Clock> = town.clock.clone();
    let app = reader::App::new(Arc::clone(device), guard, clock, Zone::utc(), &mut rng);
    Window::open(reader::router(app), &link).await
}

/// A story of its own for each number, from two outlets, one of them with a picture.
fn illustrated(n: u32) -> Story {
    let mut illustrated = story(n);
    let mut other = illustrated.articles[0].clone();
    other.id.0[0] ^= 0x80;
    other.outlet = "The Quay".into();
    other.picture = Some(Picture {
        media: Media::Png,
        width: 8,
        height: 8,
        alt: "A quay".into(),
        credit: None,
        bytes: b"points".to_vec(),
    });
    illustrated.articles.push(other);
    illustrated
}

/// Opens the front page and whatever a page leads to or shows. The paths that were there.
async fn open_all(window: &mut Window) -> BTreeSet<String> {
    let (mut opened, mut next) = (BTreeSet::new(), vec!["/".to_owned()]);
    while let Some(path) = next.pop() {
        let answer = window.get(&path).await;
        assert_eq!(answer.status(), 200, "{path}");
        opened.insert(path);
        for to in [" href=\"", " src=\""].into_iter().flat_map(|named| window.page.split(named).skip(1)) {
            let to = to.split(['"', '#']).next().unwrap();
            if to.starts_with('/') && !opened.contains(to) {
                next.push(to.to_owned());
            }
        }
    }
    opened
}

/// From the public page through the whole private area: a message, a document that is looked at, and out.
async fn write_something(window: &mut Window) -> Vec<String> {
    let six = begin(window).await;
    window.press("Desk ", &[]).await;
    window.press("Check length", &["The quay is weak."]).await;
    window.press("Send", &["The quay is weak."]).await;
    assert!(window.says("Your message is sealed."), "{}", window.page);
    window.press("Write more", &[]).await;
    window.press("Attach a document", &[""]).await;
    window.upload("Look at it", "a.txt", b"The quay is weak.").await;
    window.press("Send this one", &[]).await;
    assert!(window.says("Your document is in line."), "{}", window.page);
    window.press("Leave at once", &[]).await;
    six
}

async fn look_into_it(window: &mut Window, six: &[String]) {
    window.get("/contact").await;
    window.press("I have six words", &[]).await;
    window.press("Open", &["abandon", "abbey", "abide", "ability", "able", "abacus"]).await;
    window.press("Open", &strs(six)).await;
    assert!(window.says("The quay is weak."), "{}", window.page);
    window.press("Look again", &[]).await;
    window.press("Delete", &[]).await;
    window.press("Back", &[]).await;
    window.press("Leave at once", &[]).await;
}

/// What the edge sees of a request, what is sealed aside.
fn seen(request: &Request) -> (usize, &str, &str, Vec<(&str, usize)>, usize) {
    let headers = request.headers.iter().map(|(name, value)| (&**name, value.len()));
    (request.connection, &request.method, &request.path, headers.collect(), request.body.len())
}

/// P5, EXC-07: whatever is opened between two exchanges, the edge gets no connection, and the next exchange is that of a device on
/// which nothing is opened.
#[tokio::test]
async fn nobody_on_the_network_and_no_server_learns_what_a_reader_reads() {
    let mut town = Town::found(1).await;
    let beside = Edge::start().await;
    // The same seed, so the same instants; each asks an edge of its own.
    let reads = town.reader(2);
    let is_left = town.open(Config { edge: beside.address.clone(), ..town.config(Place::Memory) }, 2);
    let mut window = window(&town, &reads).await;
    let mut six = Vec::new();
    for r in 0..9 {
        town.clock.set(town.start(r));
        let before = town.edge.connections();
        let what = match r {
            0 => {
                window.get("/").await;
                assert_eq!(window.heading(), "The first edition is on its way");
                draw_words(&mut window).await;
                "the pages before the first edition"
            }
            1 => {
                window.get("/").await;
                "the front page"
            }
            2 => {
                for _ in 0..3 {
                    window.get(&ui::story::path(story(1).id)).await;
                    assert!(window.says("The Quay"), "{}", window.page);
                }
                "one story, again and again"
            }
            3 => {
                window.get(&ui::story::picture_path(illustrated(0).articles[1].id)).await;
                assert_eq!(window.page, "points");
                "one picture"
            }
            4 => {
                let opened = open_all(&mut window).await;
                let of = |what: &str| opened.iter().filter(|path| path.starts_with(what)).count();
                assert_eq!((of("/stories/"), of("/pictures/"), of("/contact")), (4, 4, 1), "{opened:?}");
                "every page there is"
            }
            5 => {
                six = write_something(&mut window).await;
                "the private area"
            }
            6 => {
                look_into_it(&mut window, &six).await;
                "the mailbox"
            }
            7 => {
                for path in
                    ["/stories/00", "/pictures/00", "/nowhere", "/stories/ffffffffffffffffffffffffffffffff"]
                {
                    assert_eq!(window.get(path).await.status(), 404, "{path}");
                }
                "what is not there"
            }
            _ => "nothing",
        };
        // What a page would have begun, it has begun by then.
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert_eq!(town.edge.connections(), before, "the edge notices: {what}");

        town.publish(r, vec![illustrated(r)]);
        town.cosign();
        town.edge.copy_to(&beside);
        let exchanged = town.next(&reads).await;
        assert_eq!((exchanged.round, exchanged.editions, exchanged.posted), (Round(r), 1, true));
        // The other's exchange is at the same instant, and the clock stands.
        assert_eq!(is_left.step(is_left.status().next_exchange).await.exchange, Some(exchanged));
        let (ours, theirs) = (town.edge.requests(), beside.requests());
        let [ours, theirs] = [&ours, &theirs].map(|requests| requests.iter().map(seen).collect::<Vec<_>>());
        assert_eq!(ours, theirs, "the exchange after: {what}");
    }
    assert_eq!(
        (town.edge.connections(), town.edge.requests().len()),
        (beside.connections(), beside.requests().len())
    );
    town.mix();
    assert_eq!(town.messages, 2, "and it did write");
}

/// What the front page says of each.
const SENTENCES: [(Trouble, &str); 9] = [
    (Trouble::Offline, "The network was not reached at the last try. You can read the edition you have."),
    (Trouble::Unverified, "What came last could not be verified. It was thrown away."),
    (Trouble::Forked, "What came last does not go on from what you were shown before. It was thrown away."),
    (Trouble::TwoPages, "are not the front page that the press signed for everyone. They were thrown away."),
    (Trouble::Frozen, "The witnesses have co-signed nothing for more than three rounds."),
    (Trouble::Unwitnessed, "Too few witnesses have co-signed what came last. It was thrown away."),
    (Trouble::Stale, "No new edition has come for a while."),
    (Trouble::Clock, "The clock of this computer is wrong. Set it."),
    (Trouble::StartedOver, "It began anew with the newest edition."),
];

/// P6
#[tokio::test]
async fn the_front_page_says_in_plain_words_what_is_wrong_and_no_other_thing() {
    for trouble in Trouble::ALL {
        let (town, device) = trouble.befalls(false).await;
        let mut window = window(&town, &device).await;
        window.get("/").await;
        let wrong = if trouble == Trouble::Nothing { vec![] } else { vec![trouble] };
        let count = wrong.len();
        assert_eq!(Trouble::said(&window.page, &SENTENCES), (wrong, count), "{trouble:?}: {}", window.page);
        // What was thrown away is not said to be verified.
        let thrown_away = [Trouble::Unverified, Trouble::Forked, Trouble::TwoPages, Trouble::Unwitnessed]
            .contains(&trouble);
        assert_eq!(window.says(">verified<"), !thrown_away, "{trouble:?}: {}", window.page);
        assert!(window.says("Story 0"), "the last good edition stays");
    }
}

/// The same before there is an edition.
#[tokio::test]
async fn the_page_before_the_first_edition_says_in_plain_words_why_none_comes() {
    let mut town = Town::found(5).await;
    let device = town.reader(6);
    let mut window = window(&town, &device).await;
    town.publish(0, vec![story(0)]);
    let good = town.edge.file(&path::edition(Round(0))).unwrap();
    town.edge.bend(&path::edition(Round(0)), 40);
    town.next(&device).await;
    window.get("/").await;
    assert_eq!(window.heading(), "The first edition is on its way");
    assert_eq!(Trouble::said(&window.page, &SENTENCES).0, [Trouble::Unverified], "{}", window.page);
    town.edge.put(path::edition(Round(0)), good);
    town.next(&device).await;
    window.get("/").await;
    assert_eq!(
        (window.heading() == "The first edition is on its way", Trouble::said(&window.page, &SENTENCES).0),
        (false, vec![])
    );
}
