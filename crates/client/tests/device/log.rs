//! The log against those who lie: an edge, a press, witnesses. Spec: log.md §4.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::disk::library;
use crate::town::{Edge, T, Town, story};
use client::{Config, Device, Exchanged, Health, Place};
use proto::log::{Checkpoint, Frontier, UnverifiedNote};
use proto::{Clock as _, Digest, Millis, Round, path};

fn titles(device: &Device) -> Vec<String> {
    device.stories().iter().map(|s| s.title.clone()).collect()
}

/// A network and a reader who took the editions of its first three rounds. From then on witnesses co-sign what a test has
/// them co-sign.
async fn town(seed: u64) -> (Town, Arc<Device>) {
    let mut town = Town::found(seed).await;
    let reader = town.reader(seed);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    town.awake.store(false, Ordering::SeqCst);
    (town, reader)
}

/// The exchange of round `r`.
async fn exchange(town: &Town, r: u32, reader: &Device) -> Exchanged {
    town.clock.set(town.start(r).max(town.clock.now()));
    let exchanged = town.next(reader).await;
    assert_eq!(exchanged.round, Round(r));
    exchanged
}

/// What is said and what is shown when what came is thrown away: an envelope leaves all the same, since the keys of its round
/// were verified before.
fn assert_thrown_away(exchanged: Exchanged, reader: &Device, said: Health, stories: usize) {
    assert_eq!((exchanged.health, exchanged.editions, exchanged.posted), (said, 0, true));
    assert_eq!((reader.status().health, titles(reader).len()), (said, stories));
}

/// A network with two readers, each of whom has an edge of their own.
struct Two {
    town: Town,
    second: Edge,
    readers: [Arc<Device>; 2],
    /// The trees that end with one edition of round 3 and with another, each on one of the edges.
    trees: [Checkpoint; 2],
}

impl Two {
    async fn new(seed: u64, witnesses: usize, quorum: u8) -> Self {
        let mut town = Town::with_witnesses(seed, witnesses, quorum).await;
        let mut second = Edge::start().await;
        let elsewhere = Config { edge: second.address.clone(), ..town.config(Place::Memory) };
        let readers = [town.reader(seed), town.open(elsewhere, seed + 1)];
        for r in 0..3 {
            town.clock.set(town.start(r).max(town.clock.now()));
            town.publish(r, vec![story(r)]);
            town.edge.copy_to(&second);
            town.pass(r, &[&readers[0], &readers[1]]).await;
        }
        town.awake.store(false, Ordering::SeqCst);
        town.clock.set(town.start(3));
        let before = town.snapshot();
        town.publish(3, vec![story(3)]);
        let one = town.checkpoint();
        town.go_back(before);
        std::mem::swap(&mut town.edge, &mut second);
        town.publish(3, vec![story(99)]);
        std::mem::swap(&mut town.edge, &mut second);
        let trees = [one, town.checkpoint()];
        assert!(trees[0].size == trees[1].size && trees[0].root != trees[1].root);
        Self { town, second, readers, trees }
    }

    /// Has each edge serve its tree, co-signed by these witnesses; says what each reader made of it.
    async fn exchange(&self, by: [&[usize]; 2]) -> [Exchanged; 2] {
        let now = self.town.clock.now();
        for ((edge, tree), by) in [&self.town.edge, &self.second].into_iter().zip(self.trees).zip(by) {
            edge.put(path::CHECKPOINT.to_owned(), self.town.note(tree, by, now));
        }
        let mut order = [0, 1];
        order.sort_by_key(|n| self.readers[*n].status().next_exchange);
        let mut exchanged = [None; 2];
        for n in order {
            exchanged[n] = Some(self.town.next(&self.readers[n]).await);
        }
        exchanged.map(Option::unwrap)
    }
}

#[tokio::test]
async fn log_12_an_edge_that_serves_two_versions_of_an_edition_is_refused_the_one_that_is_not_in_the_log() {
    let two = Two::new(1, 3, 2).await;
    let [honest, lied_to] = two.exchange([&[0, 1, 2], &[]]).await;
    assert_eq!((honest.health, honest.editions), (Health::Good, 1));
    assert_thrown_away(lied_to, &two.readers[1], Health::Unwitnessed, 3);
    // The other edition under the checkpoint that everybody else is shown.
    let now = two.town.start(4);
    two.second.put(path::CHECKPOINT.to_owned(), two.town.note(two.trees[0], &[0, 1], now));
    let lied_to = exchange(&two.town, 4, &two.readers[1]).await;
    assert_thrown_away(lied_to, &two.readers[1], Health::Forked, 3);
    // And to one who took the other one before: nothing leads back.
    let (one, two) = (&two, two.town.note(two.trees[1], &[0, 1, 2], two.town.start(5)));
    one.town.edge.put(path::CHECKPOINT.to_owned(), two);
    one.town.clock.set(one.town.start(5));
    let led_back = one.town.next(&one.readers[0]).await;
    assert_thrown_away(led_back, &one.readers[0], Health::Forked, 4);
}

/// With n witnesses and a quorum of q, fewer than 2q - n liars are too few: at most one of two trees has a quorum, however
/// the press shares out the honest ones. With as many as that both have one, and a reader who sees one of them cannot tell:
/// that is the limit of the promise.
#[tokio::test]
async fn log_05_witnesses_that_sign_a_fork_below_and_above_the_limit_of_2q_less_n() {
    for (witnesses, quorum) in [(1usize, 1u8), (3, 2), (5, 4)] {
        let limit = 2 * usize::from(quorum) - witnesses;
        for liars in [limit - 1, limit] {
            for share in 0..=witnesses - liars {
                let two = Two::new(7, witnesses, quorum).await;
                let honest: Vec<usize> = (liars..witnesses).collect();
                let by = |honest: &[usize]| (0..liars).chain(honest.iter().copied()).collect::<Vec<_>>();
                let (one, other) = (by(&honest[..share]), by(&honest[share..]));
                let taken = two.exchange([&one, &other]).await.map(|e| e.editions == 1);
                let enough = [one, other].map(|by| by.len() >= usize::from(quorum));
                assert_eq!(taken, enough, "{liars} of {witnesses} lie, {share} honest ones see the first");
                assert!(liars >= limit || taken != [true, true], "{liars} of {witnesses} are too few");
                if liars == limit && share == usize::from(quorum) - liars {
                    assert_eq!(taken, [true, true], "{liars} of {witnesses} are enough");
                }
            }
        }
    }
}

#[tokio::test]
async fn log_10_a_rollback_is_noticed_also_when_witnesses_sign_it() {
    let (mut town, reader) = town(3).await;
    let older = town.checkpoint();
    town.awake.store(true, Ordering::SeqCst);
    town.round(3, &[&reader]).await;
    town.awake.store(false, Ordering::SeqCst);
    town.serve(older, &[0, 1, 2], town.start(4));
    assert_thrown_away(exchange(&town, 4, &reader).await, &reader, Health::Forked, 4);
    town.awake.store(true, Ordering::SeqCst);
    assert_eq!(exchange(&town, 5, &reader).await.health, Health::Good);
}

#[tokio::test]
async fn log_11_another_root_for_the_size_that_was_seen_is_noticed() {
    let (town, reader) = town(4).await;
    let other = Checkpoint { root: Digest([9; 32]), ..town.checkpoint() };
    town.serve(other, &[0, 1, 2], town.start(3));
    assert_thrown_away(exchange(&town, 3, &reader).await, &reader, Health::Forked, 3);
    // More leaves than there are heads.
    town.serve(Checkpoint { size: other.size + 1, ..other }, &[0, 1, 2], town.start(4));
    assert_thrown_away(exchange(&town, 4, &reader).await, &reader, Health::Unverified, 3);
}

#[tokio::test]
async fn log_06_a_frozen_log_is_said_after_three_rounds() {
    let (mut town, reader) = town(5).await;
    let slept = town.start(3);
    town.serve(town.checkpoint(), &[0, 1], slept);
    let mut said = Vec::new();
    for r in 3..8 {
        town.clock.set(town.start(r).max(town.clock.now()));
        // Editions go on; nobody co-signs them.
        let served = town.edge.file(path::CHECKPOINT).unwrap();
        town.publish(r, vec![story(r)]);
        town.edge.put(path::CHECKPOINT.to_owned(), served);
        let exchanged = town.next(&reader).await;
        let late = town.clock.now().0 >= slept.0 + 3 * u64::from(T) + 1000;
        let want = if late { Health::Frozen } else { Health::Good };
        assert_eq!((exchanged.health, exchanged.editions, exchanged.posted), (want, 0, true), "round {r}");
        said.push(exchanged.health);
    }
    assert!(said.contains(&Health::Good) && said.ends_with(&[Health::Frozen; 2]), "{said:?}");
    assert_eq!(titles(&reader).len(), 3);
    // No checkpoint at all is the same to who has seen one.
    town.edge.remove(path::CHECKPOINT);
    assert_thrown_away(exchange(&town, 8, &reader).await, &reader, Health::Frozen, 3);
    town.awake.store(true, Ordering::SeqCst);
    let woken = exchange(&town, 9, &reader).await;
    assert_eq!(woken.editions, 5, "all that was held back comes, once it is co-signed");
}

#[tokio::test]
async fn log_05_a_missing_co_signature_is_said_and_nothing_of_the_edition_is_used() {
    let (mut town, reader) = town(6).await;
    // The edition leaves the desk out.
    town.directory = town.directory_with(None, &[]);
    town.clock.set(town.start(3));
    town.publish(3, vec![story(3)]);
    town.edge.forget();
    for (r, by) in [(3, &[1][..]), (4, &[]), (5, &[2])] {
        town.serve(town.checkpoint(), by, town.start(r));
        assert_thrown_away(exchange(&town, r, &reader).await, &reader, Health::Unwitnessed, 3);
    }
    assert_eq!(reader.desks().len(), 1);
    let opened = |path: &str| path.starts_with("/v1/drops/") || path.starts_with("/v1/bundles/");
    assert!(!town.edge.requests().iter().any(|r| opened(&r.path)), "what a head names is not even fetched");
    town.serve(town.checkpoint(), &[0, 2], town.start(6));
    let taken = exchange(&town, 6, &reader).await;
    assert_eq!((taken.editions, reader.desks().len(), titles(&reader).len()), (1, 0, 4));
    // A device on its first day shows nothing and sends nothing.
    let fresh = town.reader(60);
    town.serve(town.checkpoint(), &[1], town.start(7));
    let refused = exchange(&town, 7, &fresh).await;
    assert_eq!((refused.health, refused.posted), (Health::Unwitnessed, false));
    assert!(titles(&fresh).is_empty());
}

/// Witnesses who sign with a time to come can be missing, and no more: who is good enough makes the quorum, and while one agrees with
/// the device's clock it goes on sending. If none does, it is the clock that is behind.
#[tokio::test]
async fn log_07_witnesses_who_lie_about_the_time_do_not_stop_a_device_from_sending() {
    let (mut town, reader) = town(13).await;
    let far = 100 * u64::from(T);
    town.clock.set(town.start(3));
    town.publish(3, vec![story(3)]);
    let network = town.directory.wire().network;
    for (r, good, liars, said, posted) in [
        (3, &[0][..], &[1, 2][..], Health::Unwitnessed, true),
        (4, &[], &[0, 1, 2], Health::Clock, false),
        (5, &[0, 1], &[2], Health::Good, true),
    ] {
        let note = UnverifiedNote::from_bytes(&town.note(town.checkpoint(), good, town.start(r))).unwrap();
        let at = town.start(r).plus(far);
        let note = liars
            .iter()
            .fold(note, |note, w| note.with(town.checkpoint().cosign(&network, &town.witnesses[*w], at)));
        town.edge.put(path::CHECKPOINT.to_owned(), note.to_bytes());
        let exchanged = exchange(&town, r, &reader).await;
        let taken = u32::from(said == Health::Good);
        assert_eq!(
            (exchanged.health, exchanged.editions, exchanged.posted),
            (said, taken, posted),
            "{good:?}"
        );
    }
}

#[tokio::test]
async fn an_edition_that_is_not_co_signed_yet_is_left_for_the_next_exchange_and_is_no_fault() {
    let (mut town, reader) = town(8).await;
    let served = town.note(town.checkpoint(), &[0, 1], town.start(3));
    town.clock.set(town.start(3));
    town.publish(3, vec![story(3)]);
    town.edge.put(path::CHECKPOINT.to_owned(), served);
    let early = town.next(&reader).await;
    assert_eq!((early.health, early.editions, early.posted), (Health::Good, 0, true));
    // Nor for a device on its first day: it begins with the edition before.
    let fresh = town.reader(80);
    let first = exchange(&town, 4, &fresh).await;
    assert_eq!((first.health, first.editions, titles(&fresh).len()), (Health::Good, 1, 3));
    town.awake.store(true, Ordering::SeqCst);
    for (r, device) in [(5, &reader), (5, &fresh)] {
        town.clock.set(town.start(r));
        assert_eq!(town.next(device).await.editions, 1);
        assert_eq!(titles(device).len(), 4);
    }
}

#[tokio::test]
async fn log_09_an_edge_that_lies_about_the_log_on_the_first_day_is_refused() {
    let (town, _) = town(9).await;
    let size = town.checkpoint().size;
    let at = path::frontier(size - 1);
    let good = town.edge.file(&at).unwrap();
    let mut other = Frontier::from_bytes(&good).unwrap();
    other.push(b"one more");
    let mut bent = good.clone();
    *bent.last_mut().unwrap() ^= 1;
    let fresh = town.reader(90);
    town.awake.store(true, Ordering::SeqCst);
    let lies = [(bent, Health::Forked), (other.to_bytes(), Health::Forked), (vec![0], Health::Unverified)];
    for (r, (lie, said)) in (3..).zip(lies) {
        town.edge.put(at.clone(), lie);
        let refused = exchange(&town, r, &fresh).await;
        assert_eq!((refused.health, refused.posted), (said, false), "round {r}");
        assert!(titles(&fresh).is_empty());
    }
    town.edge.put(at, good);
    // An edition three rounds old is good enough to begin with.
    assert_eq!(exchange(&town, 6, &fresh).await.editions, 1);
}

/// EDN-07, over the log: drops are those that a manifest in a head names, and heads are in the log. A reader and a desk are each
/// shown the version that is named, and beside them another reader and another device of that desk are not.
#[tokio::test]
async fn an_edge_that_serves_two_versions_of_a_drop_is_refused_the_one_that_no_head_names() {
    let mut town = Town::found(10).await;
    let second = Edge::start().await;
    let elsewhere = |config| Config { edge: second.address.clone(), ..config };
    let devices = [
        town.reader(1),
        town.open(elsewhere(town.config(Place::Memory)), 2),
        town.open(town.desk_config(Place::Memory), 3),
        town.open(elsewhere(town.desk_config(Place::Memory)), 4),
    ];
    let mut said = Vec::new();
    for r in 0..6 {
        town.clock.set(town.start(r).max(town.clock.now()));
        town.publish(r, vec![story(r)]);
        town.edge.copy_to(&second);
        // The exit makes another version of one drop; no head carries its manifest.
        let two = [path::reader_drop(Round(1)), path::desk_drop(Round(2))];
        if let 3 | 4 = r {
            let at = &two[r as usize - 3];
            let named = town.edge.file(at).unwrap();
            second.put(at.clone(), named.iter().rev().copied().collect());
        }
        let mut order = [0, 1, 2, 3];
        order.sort_by_key(|n| devices[*n].status().next_exchange);
        let mut round = [None; 4];
        for n in order {
            let exchanged = town.next(&devices[n]).await;
            assert!(exchanged.posted, "round {r}");
            round[n] = Some((exchanged.health, exchanged.editions));
        }
        said.push(round.map(Option::unwrap));
    }
    let (good, refused) = ((Health::Good, 1), (Health::Unverified, 0));
    assert_eq!(said[..3], [[good; 4]; 3]);
    assert_eq!(said[3], [good, refused, good, refused], "another reader drop");
    // The edition before is good by now.
    assert_eq!(said[4], [good, (Health::Good, 2), good, (Health::Unverified, 1)], "another desk drop");
    assert_eq!(said[5], [good, good, good, (Health::Good, 2)], "the named ones");
}

#[tokio::test]
async fn a_device_away_for_more_than_14_days_begins_anew_and_says_so() {
    let (mut town, reader) = town(11).await;
    town.awake.store(true, Ordering::SeqCst);
    town.clock.set(Millis(town.start(500).0 - 1));
    town.publish(499, vec![story(9)]);
    town.clock.set(town.start(500));
    town.publish(500, vec![story(10)]);
    let back = town.next(&reader).await;
    assert_eq!((back.round, back.editions, back.health), (Round(500), 1, Health::Good));
    assert!(reader.status().started_over);
    // From here on it follows again.
    town.round(501, &[&reader]).await;
    assert_eq!(reader.status().edition.unwrap().round, Round(501));
}

/// DIR-13: an app that came with a newer roster than the device holds, for a device that was away for weeks.
#[tokio::test]
async fn dir_13_a_newer_app_does_not_go_back_behind_its_roster_after_weeks_away() {
    for (number, said) in [(1, Health::Good), (2, Health::Unverified)] {
        let mut town = Town::found(16).await;
        let folder = tempfile::tempdir().unwrap();
        let reader = town.open(town.config(Place::Folder(folder.path().to_owned())), 1);
        town.round(0, &[&reader]).await;
        drop(reader);
        let directory = town.installed(|roster| roster.number = number);
        let reader =
            town.open(Config { directory, ..town.config(Place::Folder(folder.path().to_owned())) }, 2);
        town.clock.set(town.start(500));
        town.publish(500, vec![story(10)]);
        assert_eq!(town.next(&reader).await.health, said, "it came with roster {number}");
    }
}

/// P6: no edition for weeks is what a device that was on all the time says, and it asks for nothing that is not there.
#[tokio::test]
async fn a_device_that_was_on_says_of_a_press_that_is_silent_for_weeks_that_nothing_new_came() {
    let (town, reader) = town(15).await;
    town.awake.store(true, Ordering::SeqCst);
    town.clock.set(town.start(500));
    town.edge.forget();
    assert_eq!(town.next(&reader).await.health, Health::Stale);
    assert!(!reader.status().started_over);
    let asked = town.edge.requests().iter().filter(|request| request.method == "GET").count();
    assert_eq!(asked, 1, "the checkpoint");
}

/// DIR-13 on the first day too: a roster of the root that is older than the one the app came with, whatever a log, a press and
/// witnesses of its own make of it, is refused.
#[tokio::test]
async fn dir_13_a_new_device_does_not_go_back_behind_the_roster_it_came_with() {
    let (town, _) = town(12).await;
    town.awake.store(true, Ordering::SeqCst);
    for (number, said) in [(1, Health::Good), (2, Health::Unverified)] {
        let directory = town.installed(|roster| roster.number = number);
        let reader = town.open(Config { directory, ..town.config(Place::Memory) }, u64::from(number));
        assert_eq!(town.next(&reader).await.health, said, "it came with roster {number}");
        assert_eq!(reader.status().edition.is_some(), said == Health::Good);
    }
}

/// LOG-10 for who was away as well: what the edge shows may not be shorter than what was seen before.
#[tokio::test]
async fn log_10_a_device_that_was_away_for_long_is_shown_no_shorter_log() {
    let mut town = Town::found(14).await;
    let reader = town.reader(14);
    town.round(0, &[&reader]).await;
    let early = town.snapshot();
    for r in 1..6 {
        town.round(r, &[&reader]).await;
    }
    town.go_back(early);
    town.clock.set(town.start(500));
    town.publish(500, vec![story(10)]);
    let back = town.next(&reader).await;
    assert_eq!((back.editions, back.health), (0, Health::Forked));
    assert_eq!(reader.status().edition.unwrap().round, Round(5), "the last good one stays");
}

/// EXC-05: a directory needs no press. Who answers with heads that the press did not sign, each naming another, fills no disk.
#[tokio::test]
async fn exc_05_a_head_that_the_press_did_not_sign_leaves_no_directory_behind() {
    let mut town = Town::found(15).await;
    let folder = tempfile::tempdir().unwrap();
    let reader = town.open(town.config(Place::Folder(folder.path().to_owned())), 1);
    town.round(0, &[&reader]).await;
    let kept = || {
        let count = "SELECT count(*) FROM directories";
        let (_copy, db) = library(folder.path());
        db.query_row(count, [], |row| row.get::<_, u32>(0)).unwrap()
    };
    let before = kept();
    town.directory = town.directory_with(None, &[]);
    town.clock.set(town.start(1));
    town.publish(1, vec![]);
    let head = path::edition(Round(1));
    let signature = town.edge.file(&head).unwrap().len() - 1;
    town.edge.bend(&head, signature);
    let refused = town.next(&reader).await;
    assert_eq!((refused.editions, refused.health, kept()), (0, Health::Unverified, before));
    town.edge.bend(&head, signature);
    town.clock.set(town.start(2));
    town.publish(2, vec![]);
    assert_eq!(town.next(&reader).await.editions, 2);
    assert_eq!(kept(), before + 1, "one that the press did sign is kept");
}
