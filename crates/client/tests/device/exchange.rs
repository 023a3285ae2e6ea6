//! The exchange against an edge that writes down every byte. Spec: exchange.md.

use std::collections::HashSet;

use crate::town::{
    Edge, Listed, Pair, Request, T, Town, Upload, intake_keys, intake_keys_of, opened_by_exit, passphrase,
    story,
};
use client::{Config, Device, Health, Passphrase, Place, QUEUE, Who, WriteError};
use proto::conversation::open_message;
use proto::envelope::Found;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::{Clock as _, Millis, Round, path};
use rand::{SeedableRng, rngs::StdRng};

fn titles(device: &client::Device) -> Vec<String> {
    device.stories().iter().map(|s| s.title.clone()).collect()
}

#[tokio::test]
async fn exc_02_nothing_is_sent_before_the_first_edition_is_verified() {
    let mut town = Town::found(1).await;
    let reader = town.reader(1);
    assert_eq!(reader.status().health, Health::Starting);
    assert!(town.edge.requests().is_empty(), "opening sends nothing");
    let first = town.next(&reader).await;
    assert_eq!((first.posted, first.health), (false, Health::Starting));
    town.publish(1, vec![story(1)]);
    town.edge.bend(&path::edition(Round(1)), 40);
    let second = town.next(&reader).await;
    assert_eq!((second.posted, second.health), (false, Health::Unverified));
    assert!(town.edge.uploads().is_empty());
    town.edge.bend(&path::edition(Round(1)), 40);
    let third = town.next(&reader).await;
    assert_eq!((third.posted, third.editions, third.health), (true, 1, Health::Good));
    assert_eq!(titles(&reader), ["Story 1"]);
    assert_eq!(reader.status().edition.unwrap().round, Round(1));
    let uploads = town.edge.uploads();
    assert_eq!(uploads.iter().map(|(r, e)| (r.0, e.len())).collect::<Vec<_>>(), [(2, 8192)]);
    // What went out is cover, and not what a queue holds that was never filled.
    assert_eq!(town.class_of(Round(2), &[uploads[0].1.clone()]), ["cover"]);
}

#[tokio::test]
async fn every_round_brings_its_edition_and_takes_one_envelope() {
    let mut town = Town::found(2).await;
    let reader = town.reader(2);
    for r in 0..30 {
        town.round(r, &[&reader]).await;
    }
    let rounds: Vec<_> = town.edge.uploads().iter().map(|(r, _)| r.0).collect();
    assert_eq!(rounds, (0..30).collect::<Vec<_>>());
    assert_eq!(titles(&reader).len(), 30);
    assert_eq!(titles(&reader)[0], "Story 29", "newest first");
    // The whole front page at first, and once more after 24 editions of changes.
    let bundles = town.edge.requests().iter().filter(|r| r.path.starts_with("/v1/bundles/")).count();
    assert_eq!(bundles, 30);
    town.mix();
    assert_eq!(town.blobs.len(), 30, "every one of them opens");
}

#[tokio::test]
async fn editions_missed_are_fetched_and_verified_in_order() {
    let mut town = Town::found(3).await;
    let reader = town.reader(3);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    // Away for four rounds; in one of them there was no edition.
    for r in [3, 4, 6] {
        town.publish(r, vec![story(r)]);
    }
    town.clock.set(Millis(town.start(7).0 - 1));
    town.publish(7, vec![story(7)]);
    town.edge.forget();
    let back = town.next(&reader).await;
    assert_eq!((back.round, back.editions, back.posted), (Round(7), 4, true));
    let paths: Vec<_> = town.edge.requests().into_iter().map(|r| r.path).collect();
    let editions: Vec<_> = paths.iter().filter(|p| p.starts_with("/v1/editions/")).collect();
    assert_eq!(
        editions,
        ["/v1/editions/3", "/v1/editions/4", "/v1/editions/5", "/v1/editions/6", "/v1/editions/7"]
    );
    let drops: Vec<_> = paths.iter().filter(|p| p.starts_with("/v1/drops/")).collect();
    assert_eq!(
        drops,
        ["/v1/drops/1/reader", "/v1/drops/2/reader", "/v1/drops/4/reader", "/v1/drops/5/reader"]
    );
    assert_eq!(
        paths.iter().filter(|p| p.starts_with("/v1/bundles/")).count(),
        1,
        "stories of the newest only"
    );
    assert_eq!(titles(&reader).len(), 7);
    assert_eq!(town.edge.uploads().len(), 1, "rounds missed are not made up");
}

#[tokio::test]
async fn an_edition_left_out_by_the_edge_is_noticed() {
    let mut town = Town::found(4).await;
    let reader = town.reader(4);
    town.round(0, &[&reader]).await;
    town.publish(1, vec![story(1)]);
    let hidden = town.edge.remove(&path::edition(Round(1))).unwrap();
    town.publish(2, vec![story(2)]);
    town.clock.set(town.start(2));
    let lied_to = town.next(&reader).await;
    assert_eq!((lied_to.health, lied_to.editions), (Health::Forked, 0));
    assert!(
        lied_to.posted,
        "cover does not stop for a bad edition: the keys of this round were verified before"
    );
    assert_eq!(titles(&reader), ["Story 0"]);
    town.edge.put(path::edition(Round(1)), hidden);
    assert_eq!(town.next(&reader).await.health, Health::Good);
    assert_eq!(titles(&reader).len(), 3);
}

#[tokio::test]
async fn exc_05_one_bit_anywhere_is_refused_and_the_last_good_edition_stays() {
    let mut town = Town::found(5).await;
    let reader = town.reader(5);
    town.round(0, &[&reader]).await;
    town.round(1, &[&reader]).await;
    town.publish(2, vec![story(2)]);
    let parts = [path::edition(Round(2)), town.changes_path.clone(), path::reader_drop(Round(0))];
    for (r, part) in (2..).zip(parts) {
        town.edge.bend(&part, 50);
        town.clock.set(town.start(r));
        let refused = town.next(&reader).await;
        assert_eq!((refused.health, refused.editions), (Health::Unverified, 0), "{part}");
        assert_eq!(titles(&reader), ["Story 1", "Story 0"], "{part}");
        town.edge.bend(&part, 50);
    }
    // A device that has nothing yet shows nothing and sends nothing.
    let fresh = town.reader(6);
    town.edge.bend(&town.front_path, 50);
    town.clock.set(town.start(5));
    let refused = town.next(&fresh).await;
    assert_eq!((refused.health, refused.posted), (Health::Unverified, false));
    assert!(titles(&fresh).is_empty());
    town.edge.bend(&town.front_path, 50);
    for device in [&reader, &fresh] {
        town.clock.set(town.start(6));
        let taken = town.next(device).await;
        // Good, if four rounds old by now.
        assert_eq!((taken.health, taken.editions), (Health::Stale, 1));
        assert_eq!(titles(device).len(), 3);
    }
}

/// P6: the press alone, with one head and two bundles that do not belong together. Who follows and who begins are shown the page that
/// the head names, or nothing new, and are told; with the next honest edition all have one page again.
#[tokio::test]
async fn edn_14_nobody_is_shown_another_page_than_the_head_names() {
    let mut town = Town::found(21).await;
    let follows = town.reader(21);
    town.round(0, &[&follows]).await;
    town.round(1, &[&follows]).await;
    let begins = town.reader(22);
    let mut exchange = async |r, other, devices: [&Device; 2]| {
        town.other_front = other;
        town.publish(r, vec![story(r)]);
        let mut outcomes = vec![];
        for device in devices {
            town.clock.set(town.start(r));
            let it = town.next(device).await;
            outcomes.push((it.health, it.editions, it.posted));
        }
        outcomes
    };
    let devices: [&Device; 2] = [&follows, &begins];

    let outcomes = exchange(2, Some((vec![story(9)], false)), devices).await;
    assert_eq!(outcomes, [(Health::Good, 1, true), (Health::TwoPages, 0, false)], "the changes are named");
    assert_eq!(titles(&follows), ["Story 2", "Story 1", "Story 0"]);
    assert!(titles(&begins).is_empty());

    let outcomes = exchange(3, Some((vec![story(9)], true)), devices).await;
    assert_eq!(outcomes, [(Health::TwoPages, 0, true), (Health::Good, 1, true)], "the whole page is named");
    assert_eq!(titles(&follows).len(), 3, "what was shown before stays");
    assert_eq!(titles(&begins), ["Story 9"]);

    // Whose page is another now is told so, and gets the whole page with the edition after.
    let outcomes = exchange(4, None, devices).await;
    assert_eq!(outcomes, [(Health::Good, 2, true), (Health::TwoPages, 0, true)]);
    let outcomes = exchange(5, None, devices).await;
    assert_eq!(outcomes, [(Health::Good, 1, true), (Health::Good, 2, true)]);
    assert_eq!((titles(&follows).len(), titles(&follows)), (6, titles(&begins)));
}

#[tokio::test]
async fn exc_08_no_reader_is_given_other_keys_than_were_published() {
    let mut town = Town::found(13).await;
    let reader = town.reader(13);
    let refused = |e: client::Exchanged| (e.health, e.editions, e.posted) == (Health::Unverified, 0, true);
    town.round(0, &[&reader]).await;
    let mut rng = StdRng::seed_from_u64(3);
    let (other, other_desk) = (SealSecret::generate(&mut rng), IdentitySecret::generate(&mut rng));
    let desk = IdentitySecret::from_seed(&town.desk_identity);
    let ours = || Listed { desk: &desk, since: 0, intake: intake_keys() };
    let same = town.directory_with(None, &[ours()]);
    town.other_round_key = Some(SealSecret::generate(&mut rng));
    assert!(refused(town.offer(1, same, &reader).await), "the first mix's key of a round");
    for (r, hop) in [(2, 1), (3, 2)] {
        let bad = town.directory_with(Some((hop, &other)), &[ours()]);
        assert!(refused(town.offer(r, bad, &reader).await), "the key of mix {hop}");
    }
    let week = intake_keys()[0].0;
    let bad = Listed { intake: vec![(week, SealSecret::generate(&mut rng))], ..ours() };
    let bad = town.directory_with(None, &[bad]);
    assert!(refused(town.offer(4, bad, &reader).await), "a desk's key");
    let bad = Listed { intake: intake_keys().split_off(1), ..ours() };
    let bad = town.directory_with(None, &[bad]);
    assert!(refused(town.offer(5, bad, &reader).await), "DIR-16");
    // A desk may join, if it waits for two days, and leave at once.
    let joins = |since| Listed { desk: &other_desk, since, intake: vec![] };
    let bad = town.directory_with(None, &[ours(), joins(53)]);
    assert!(refused(town.offer(6, bad, &reader).await), "DIR-14");
    let good = town.directory_with(None, &[ours(), joins(56)]);
    assert_eq!(town.offer(7, good, &reader).await.health, Health::Good);
    assert_eq!(reader.desks().len(), 1, "it can be written to from round 56 on");
    let [(from, coming)] = &reader.desks_to_come()[..] else { panic!("it is seen before") };
    assert_eq!(
        (*from, coming.id == town.desk),
        (town.directory.parameters().schedule.start(Round(56)), false)
    );
    let good = town.directory_with(None, &[joins(56)]);
    assert_eq!(town.offer(8, good, &reader).await.health, Health::Good);
    assert!(reader.desks().is_empty());
    // What went out meanwhile opens under the keys that everybody has.
    town.mix();
    assert_eq!(town.blobs.len(), 9);
}

/// DIR-14: sources choose by name, so names do not change hands between two looks at the list.
#[tokio::test]
async fn a_directory_that_renames_does_not_redirect_a_conversation() {
    let mut town = Town::found(18).await;
    let mut rng = StdRng::seed_from_u64(4);
    let [newsroom, other] = [(); 2].map(|()| IdentitySecret::generate(&mut rng));
    let others = [&newsroom, &other];
    let (light, quay) = (("The Harbour Light", "Tips"), ("The Quay", "Letters"));
    town.directory = town.two_newsrooms(2, [light, quay], 0, others);
    let source = town.reader(18);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "first", town.clock.now()).unwrap();

    let swapped =
        [[(quay.0, light.1), (light.0, quay.1)], [(light.0, quay.1), (quay.0, light.1)], [quay, light]];
    for (r, (names, since)) in
        (1..).zip(swapped.map(|names| (names, 0)).into_iter().chain([([quay, light], 51)]))
    {
        let bad = town.two_newsrooms(3, names, since, others);
        let refused = town.offer(r, bad, &source).await;
        let outcome = (refused.health, refused.editions, refused.posted);
        assert_eq!(outcome, (Health::Unverified, 0, true), "{names:?} from round {since} on, in round {r}");
    }
    // After two days in which everybody could see it, and in which neither can be written to.
    let good = town.two_newsrooms(3, [quay, light], 53, others);
    assert_eq!(town.offer(5, good, &source).await.health, Health::Good);
    assert!(source.desks().is_empty());
    assert_eq!(session.write(town.desk, "meanwhile", town.clock.now()), Err(WriteError::NoDesk));
    for r in 6..54 {
        town.round(r, &[&source]).await;
    }
    let named = |desk: &client::DeskView| (desk.id, desk.newsroom.clone(), desk.name.clone());
    let owned = |(newsroom, name): (&str, &str)| (newsroom.to_owned(), name.to_owned());
    let listed: Vec<_> = source.desks().iter().map(named).collect();
    assert!(listed.contains(&(town.desk, owned(quay).0, owned(quay).1)));

    // The conversation goes on with whom it was begun, and bears the name under which it was begun.
    session.write(town.desk, "second", town.clock.now()).unwrap();
    for r in 54..57 {
        town.round(r, &[&source]).await;
    }
    let [conversation] = &session.conversations()[..] else { panic!("one conversation") };
    assert_eq!(named(&conversation.desk), (town.desk, owned(light).0, owned(light).1));
    assert_eq!(conversation.lines.len(), 2);
    town.mix();
    let wire = town.directory.wire();
    let boxes = town.blobs.iter().filter_map(|blob| match opened_by_exit(&wire, Round(57), blob) {
        Some(Found::ToDesk(boxed)) => Some(boxed),
        _ => None,
    });
    let boxes: Vec<_> = boxes.collect();
    let opened = |keys: Vec<_>| {
        let texts = boxes.iter().filter_map(|boxed| {
            let message = keys.iter().find_map(|(_, key)| open_message(&wire, key, boxed).ok())?.0;
            Some(message.body.text().unwrap().to_owned())
        });
        texts.collect::<Vec<_>>()
    };
    assert_eq!(opened(intake_keys()), ["first", "second"]);
    assert!(opened(intake_keys_of(0xdf)).is_empty(), "nothing for the desk that has the name now");
}

/// EDN-03: what the edge has, in another order or twice. Each is signed by the press and stands in the log.
#[tokio::test]
async fn an_edge_that_replays_or_reorders_editions_is_refused() {
    let mut town = Town::found(19).await;
    let reader = town.reader(19);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    town.publish(3, vec![story(3)]);
    town.publish(4, vec![story(4)]);
    let [second, third, fourth] = [2, 3, 4].map(|e| town.edge.file(&path::edition(Round(e))).unwrap());
    let show = |town: &Town, shown: [&[u8]; 2]| {
        (3..).zip(shown).for_each(|(e, bytes)| town.edge.put(path::edition(Round(e)), bytes.to_vec()));
    };
    for (r, shown) in (4..).zip([[&*fourth, &*third], [&third, &third], [&second, &fourth]]) {
        show(&town, shown);
        town.clock.set(town.start(r));
        let refused = town.next(&reader).await;
        let outcome = (refused.editions, refused.posted, refused.health);
        assert_eq!(outcome, (0, true, Health::Unverified), "in round {r}");
        assert_eq!(titles(&reader), ["Story 2", "Story 1", "Story 0"], "in round {r}");
    }
    show(&town, [&third, &fourth]);
    let taken = town.next(&reader).await;
    assert_eq!((taken.editions, taken.posted, taken.health), (2, true, Health::Good));
    assert_eq!(titles(&reader).len(), 5);
}

impl Pair {
    /// The drop of one round is withheld from a device, then another round's is in its place, and then it comes.
    async fn lie_about(&mut self, drop: impl Fn(Round) -> String, to: &Device) {
        let (mut real, path) = (None, drop(Round(self.r - 2)));
        for lie in 0..3 {
            self.town.clock.set(self.town.start(self.r).max(self.town.clock.now()));
            self.town.publish(self.r, vec![]);
            let shown = match lie {
                0 => {
                    real = self.town.edge.remove(&path);
                    None
                }
                1 => self.town.edge.file(&drop(Round(self.r - 4))),
                _ => real.take(),
            };
            shown.into_iter().for_each(|bytes| self.town.edge.put(path.clone(), bytes));
            let exchanged = self.town.next(to).await;
            let outcome = (exchanged.round, exchanged.posted, exchanged.editions, exchanged.health);
            let (editions, health) = if lie == 2 { (3, Health::Good) } else { (0, Health::Unverified) };
            assert_eq!(outcome, (Round(self.r), true, editions, health), "{path}, lie {lie}");
            self.r += 1;
        }
    }
}

#[tokio::test]
async fn an_edge_that_withholds_delays_or_replays_drops_is_not_believed() {
    let mut it = Pair::new(20).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.rounds(5).await;
    let id = it.inbox.conversations()[0].id;
    it.inbox.answer(id, "an answer", it.now()).unwrap();
    // It leaves now, and the next edition names the drop with it.
    it.rounds(1).await;
    assert_eq!(session.refresh(), 0);
    let (source, desk) = (it.source.clone(), it.desk.clone());
    it.lie_about(path::reader_drop, &source).await;
    assert_eq!((session.refresh(), session.refresh()), (1, 0), "the answer is there, once");

    // The same with a message on its way to the desk.
    it.rounds(1).await;
    session.write(it.town.desk, "more", it.now()).unwrap();
    it.rounds(1).await;
    it.lie_about(path::desk_drop, &desk).await;
    assert_eq!((it.inbox.collect(), it.inbox.collect()), (1, 0), "the message is there, once");
    it.rounds(6).await;
    session.refresh();
    let of = |lines: Vec<client::Line>| {
        let line = |line: client::Line| (line.who, line.text.to_string(), line.times);
        lines.into_iter().map(line).collect::<Vec<_>>()
    };
    // Nothing was sealed anew, and the desk had two messages.
    let sources = of(session.conversations().swap_remove(0).lines);
    let says = |who, text: &str, times| (who, text.to_owned(), times);
    let all = [says(Who::You, "a tip", 1), says(Who::Desk, "an answer", 0), says(Who::You, "more", 1)];
    assert_eq!(sources, all);
    let desks = of(it.inbox.conversations().swap_remove(0).lines);
    let all = [says(Who::Source, "a tip", 0), says(Who::You, "an answer", 1), says(Who::Source, "more", 0)];
    assert_eq!(desks, all);
    assert_eq!(it.town.messages, 2);
}

#[tokio::test]
async fn an_edge_out_of_reach_costs_no_blob() {
    let mut town = Town::found(6).await;
    let reader = town.reader(6);
    town.round(0, &[&reader]).await;
    let address = town.edge.address.clone();
    let good = std::mem::replace(&mut town.edge, Edge::start().await);
    assert_ne!(town.edge.address, address);
    // The listener stays, but answers are refused: an upload fails, a fetch does not.
    good.set_upload(Upload::Busy);
    town.edge = good;
    town.publish(1, vec![]);
    town.clock.set(town.start(1));
    let busy = town.next(&reader).await;
    assert_eq!((busy.posted, busy.health), (true, Health::Offline));
    town.edge.set_upload(Upload::Answer);
    assert_eq!(town.next(&reader).await.health, Health::Good);
    let closed = Config { edge: "http://127.0.0.1:1".into(), ..town.config(Place::Memory) };
    let alone = town.open(closed, 7);
    let nobody = town.next(&alone).await;
    assert_eq!((nobody.posted, nobody.health), (false, Health::Offline));
}

#[tokio::test]
async fn exc_03_no_blob_appears_twice_however_the_edge_behaves() {
    let mut town = Town::found(7).await;
    let reader = town.reader(8);
    let desk = town.desk;
    let behaviours = [Upload::CutAfterBody, Upload::CutWithin, Upload::Busy, Upload::Answer];
    town.round(0, &[&reader]).await;
    let session = reader.begin(&Passphrase::generate(&mut StdRng::seed_from_u64(1))).unwrap();
    for r in 1..25 {
        town.edge.set_upload(behaviours[r as usize % 4]);
        if r % 5 == 0 {
            session.write(desk, &format!("message of round {r}"), town.start(r)).unwrap();
        }
        if r == 13 {
            town.edge.close_after_answer();
        }
        town.round(r, &[&reader]).await;
    }
    town.mix();
    let uploads = town.edge.uploads();
    let rounds: Vec<_> = uploads.iter().map(|(r, _)| r.0).collect();
    assert_eq!(rounds, (0..25).collect::<Vec<_>>(), "one try each, whatever became of it");
    let distinct: HashSet<_> = town.blobs.iter().collect();
    assert_eq!(distinct.len(), town.blobs.len());
    assert!(town.blobs.len() >= 18, "those not cut within open: {}", town.blobs.len());
}

/// The disk as it is when the first byte of an upload comes, whether that upload is then answered or cut: what was on its way is not
/// on it, and who starts from it sends the rest of the queue and never that again.
#[tokio::test]
async fn exc_03_a_blob_has_left_the_disk_before_its_first_byte_goes_out() {
    let mut town = Town::found(22).await;
    let folder = tempfile::tempdir().unwrap();
    let source = town.open(town.config(Place::Folder(folder.path().to_owned())), 22);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    for text in ["first", "second", "third", "fourth"] {
        session.write(town.desk, text, town.clock.now()).unwrap();
    }
    drop(session);
    // From then on all of them are on the disk.
    town.round(1, &[&source]).await;
    let mut disks = vec![];
    for (r, upload, rounds) in [(2, Upload::Answer, QUEUE + 1), (3, Upload::CutAfterBody, 4)] {
        let disk = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().to_owned(), disk.path().to_owned());
        town.edge.at_first_byte(move || {
            for file in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
                std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
            }
        });
        town.edge.set_upload(upload);
        town.round(r, &[&source]).await;
        town.mix();
        assert_eq!(town.messages, r as usize, "a message was on its way in round {r}");
        disks.push((disk, town.blobs.clone(), rounds));
    }
    drop(source);
    town.edge.set_upload(Upload::Answer);
    let mut r = 4;
    for (disk, sent, rounds) in disks {
        let started = town.open(town.config(Place::Folder(disk.path().to_owned())), 23);
        (town.blobs, town.messages) = (vec![], 0);
        for _ in 0..rounds {
            town.quiet(r, &[&started], |_| ()).await;
            r += 1;
        }
        town.mix();
        assert_eq!((sent.len() + town.messages, town.blobs.len()), (5, rounds));
        assert!(town.blobs.iter().all(|blob| !sent.contains(blob)), "it is sent again");
    }
}

#[tokio::test]
async fn exc_04_one_exchange_a_round_even_with_the_clock_set_back() {
    let mut town = Town::found(8).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let reader = town.open(town.config(place()), 9);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    drop(reader);
    town.clock.set(town.start(1));
    let again = town.open(town.config(place()), 10);
    assert!(again.status().next_exchange >= town.start(3));
    assert_eq!(town.next(&again).await.round, Round(3));
    let rounds: Vec<_> = town.edge.uploads().iter().map(|(r, _)| r.0).collect();
    assert_eq!(rounds, [0, 1, 2, 3]);
}

/// EXC-04: a clock that was ahead once, for a moment or over a start, costs the rounds in which it was.
#[tokio::test]
async fn a_clock_that_was_ahead_once_keeps_nobody_from_exchanging() {
    let mut town = Town::found(15).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let mut reader = town.open(town.config(place()), 9);
    for r in 0..2 {
        town.round(r, &[&reader]).await;
    }
    for (r, restart) in [(2, false), (3, true)] {
        // A year ahead, long enough for an exchange there.
        let year = 8_760 + r;
        town.clock.set(town.start(year));
        assert!(town.next(&reader).await.round >= Round(year));
        if restart {
            drop(reader);
            reader = town.open(town.config(place()), 9);
        }
        town.clock.set(town.start(r));
        town.edge.forget();
        reader.step(town.clock.now()).await;
        town.round(r, &[&reader]).await;
        assert_eq!(reader.status().health, Health::Good);
        assert_eq!(town.edge.uploads().iter().map(|(round, _)| round.0).collect::<Vec<_>>(), [r]);
        let soon = reader.step(town.clock.now()).await.next;
        assert!(soon <= town.clock.now().plus(60_000), "it rewrites as often as ever");
    }
}

/// P2, P6: a device that went on without a drop would say which in its next message, in what it has received: whoever withholds
/// one drop from one address and another from another could tell at the desk whose message it is.
#[tokio::test]
async fn exc_09_a_drop_withheld_from_one_device_stops_it_and_marks_no_message() {
    let mut town = Town::found(16).await;
    let reader = town.reader(17);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    // The edition of round 3 names the drops of round 1. For a while the device is off, and then on.
    for r in (3..40).filter(|r| !(8..30).contains(r)) {
        town.clock.set(town.start(r));
        town.publish(r, vec![story(r)]);
        town.edge.remove(&path::reader_drop(Round(1)));
        let exchanged = town.next(&reader).await;
        assert_eq!(exchanged.posted, r < 15, "cover goes on as long as keys are known, in round {r}");
        assert_eq!((exchanged.health, exchanged.editions), (Health::Unverified, 0), "in round {r}");
        assert_eq!(reader.status().edition.unwrap().round, Round(2));
    }
}

/// P6, P8: a drop that nobody has keeps all devices waiting for up to two weeks. What they have of the editions since they do not
/// fetch again in each round, and nobody can show another history meanwhile.
#[tokio::test]
async fn heads_that_wait_for_a_lost_drop_are_asked_for_once_and_are_followed() {
    let mut town = Town::found(24).await;
    let reader = town.reader(25);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    let (lost, mut drop, mut before) = (path::reader_drop(Round(1)), None, None);
    for r in 3..9 {
        town.clock.set(town.start(r).max(town.clock.now()));
        before = Some(town.snapshot());
        town.publish(r, vec![story(r)]);
        drop = drop.or(town.edge.remove(&lost));
        town.edge.forget();
        let exchanged = town.next(&reader).await;
        assert_eq!((exchanged.health, exchanged.editions), (Health::Unverified, 0), "in round {r}");
        let asked: Vec<_> = town.edge.requests().into_iter().filter(|it| it.method == "GET").collect();
        let asked: Vec<_> = asked.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(asked, [path::CHECKPOINT, &path::edition(Round(r)), &lost], "in round {r}");
    }
    // Witnesses sign another edition of the last round, which this device holds one of, and one that follows it.
    let (real, files) = (town.snapshot(), Edge::start().await);
    town.edge.copy_to(&files);
    town.go_back(before.unwrap());
    town.publish(8, vec![story(99)]);
    town.clock.set(town.start(9).max(town.clock.now()));
    town.publish(9, vec![story(100)]);
    let exchanged = town.next(&reader).await;
    assert_eq!((exchanged.health, exchanged.editions), (Health::Forked, 0), "also when the drop is there");
    town.go_back(real);
    files.copy_to(&town.edge);
    town.clock.set(town.start(10).max(town.clock.now()));
    town.publish(10, vec![story(10)]);
    town.edge.put(lost, drop.unwrap());
    town.edge.forget();
    let exchanged = town.next(&reader).await;
    assert_eq!((exchanged.health, exchanged.editions), (Health::Good, 7));
    assert!(!town.edge.requests().iter().any(|it| it.path == path::edition(Round(8))));
    assert_eq!(reader.status().edition.unwrap().round, Round(10));
}

/// P6: of the drops of one round there is one pair. Who began between two editions that name different ones would read the
/// second, and who follows the first.
#[tokio::test]
async fn exc_10_a_second_drop_of_a_round_is_refused_by_who_has_the_first() {
    let mut town = Town::found(18).await;
    let reader = town.reader(19);
    for r in 0..4 {
        town.round(r, &[&reader]).await;
    }
    // The edition of round 3 named the drops of round 1.
    town.late_drops = Some(1);
    town.clock.set(town.start(4));
    town.publish(4, vec![story(4)]);
    let exchanged = town.next(&reader).await;
    assert_eq!((exchanged.health, exchanged.editions), (Health::Forked, 0));
    assert_eq!(reader.status().edition.unwrap().round, Round(3));
}

/// EXC-10: where the readers' drop is the same and the desks' is not, desks see it.
#[tokio::test]
async fn exc_10_a_second_drop_for_desks_is_refused_by_desks() {
    let mut town = Town::found(22).await;
    let desk = town.open(town.desk_config(client::Place::Memory), 23);
    let reader = town.reader(24);
    for r in 0..4 {
        town.round(r, &[&reader, &desk]).await;
    }
    (town.late_drops, town.same_readers) = (Some(1), true);
    town.clock.set(town.start(4));
    town.publish(4, vec![story(4)]);
    let exchanged = town.next(&desk).await;
    assert_eq!((exchanged.health, exchanged.editions), (Health::Forked, 0));
    assert_eq!(town.next(&reader).await.health, Health::Good, "to readers it is the one they have");
}

/// EDN-16, P2, P6: how old a drop is that a device goes on without is the exit's word. A drop of a round long ago would be one
/// that can be shown to some and not to others.
#[tokio::test]
async fn a_drop_named_for_a_round_long_ago_cannot_be_withheld_from_one_device_alone() {
    let mut town = Town::found(20).await;
    let reader = town.reader(21);
    town.round(398, &[&reader]).await;
    town.round(399, &[&reader]).await;
    town.late_drops = Some(50);
    town.clock.set(town.start(400));
    town.publish(400, vec![story(4)]);
    town.edge.remove(&path::reader_drop(Round(50)));
    let exchanged = town.next(&reader).await;
    assert_eq!((exchanged.health, exchanged.editions), (Health::Unverified, 0));
    assert_eq!(reader.status().edition.unwrap().round, Round(399));
}

#[tokio::test]
async fn a_device_that_slept_skips_and_does_not_tell_when_it_woke() {
    let mut town = Town::found(9).await;
    let reader = town.reader(11);
    town.round(0, &[&reader]).await;
    let instant = reader.status().next_exchange;
    let woke = instant.plus(u64::from(T) / 30 + 1);
    town.clock.set(woke);
    town.edge.forget();
    let stepped = reader.step(woke).await;
    assert_eq!(stepped.exchange, None);
    assert!(town.edge.requests().is_empty());
    assert!(reader.status().next_exchange >= town.start(2));
}

#[tokio::test]
async fn after_two_weeks_it_starts_as_on_the_first_day() {
    let mut town = Town::found(10).await;
    let reader = town.reader(12);
    town.round(0, &[&reader]).await;
    for r in 1..5 {
        town.publish(r, vec![story(r)]);
    }
    town.publish(400, vec![story(5)]);
    town.clock.set(town.start(400));
    town.edge.forget();
    assert!(!reader.status().started_over);
    let back = town.next(&reader).await;
    assert_eq!((back.round, back.editions, back.health), (Round(400), 1, Health::Good));
    assert!(reader.status().started_over);
    let asked = town.edge.requests();
    let editions: Vec<_> = asked.iter().filter(|r| r.path.starts_with("/v1/editions/")).collect();
    let paths: Vec<_> = editions.iter().map(|r| r.path.as_str()).collect();
    assert_eq!(paths, ["/v1/editions/401", "/v1/editions/400"], "one round of grace for clocks");
    assert_eq!(titles(&reader).len(), 6);
}

/// Where the place in the log cannot be read there is nothing to go on from, and it says so.
#[tokio::test]
async fn a_device_that_cannot_read_its_place_in_the_log_says_that_it_began_anew() {
    let mut town = Town::found(10).await;
    let folder = tempfile::tempdir().unwrap();
    let open = |town: &Town| town.open(town.config(Place::Folder(folder.path().to_owned())), 12);
    let reader = open(&town);
    town.round(0, &[&reader]).await;
    drop(reader);
    let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
    assert_eq!(db.execute("UPDATE kept SET value = x'00' WHERE name = 'log'", []).unwrap(), 1);
    drop(db);
    let reader = open(&town);
    for r in 1..4 {
        town.publish(r, vec![story(r)]);
    }
    town.clock.set(town.start(3));
    let back = town.next(&reader).await;
    assert_eq!((back.round, back.editions, back.health), (Round(3), 1, Health::Good));
    assert!(reader.status().started_over);
}

#[tokio::test]
async fn editions_that_stop_coming_are_noticed() {
    let mut town = Town::found(14).await;
    let reader = town.reader(15);
    town.round(0, &[&reader]).await;
    for (r, health) in
        [(1, Health::Good), (2, Health::Good), (3, Health::Good), (4, Health::Stale), (5, Health::Stale)]
    {
        let exchanged = town.next(&reader).await;
        assert_eq!((exchanged.round, exchanged.health, exchanged.posted), (Round(r), health, true));
        assert_eq!(reader.status().health, health);
    }
    town.round(6, &[&reader]).await;
    assert_eq!(reader.status().health, Health::Good);
}

#[tokio::test]
async fn a_clock_before_the_last_edition_is_named() {
    let mut town = Town::found(11).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let reader = town.open(town.config(place()), 13);
    town.clock.set(town.start(40));
    town.publish(40, vec![story(1)]);
    assert_eq!(town.next(&reader).await.editions, 1);
    drop(reader);
    // Only the library's memory of the last edition is left to go by.
    let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
    db.execute("DELETE FROM kept WHERE name = 'begun'", []).unwrap();
    drop(db);
    town.clock.set(town.start(2));
    let reader = town.open(town.config(place()), 13);
    let stale = town.next(&reader).await;
    assert_eq!((stale.health, stale.posted), (Health::Clock, false));
}

/// What an observer of the wire sees of a request, the 8192 bytes aside.
fn seen(r: &Request) -> (usize, String, String, Vec<(String, usize)>, usize) {
    let headers = r.headers.iter().map(|(name, value)| (name.clone(), value.len())).collect();
    (r.connection, r.method.clone(), r.path.clone(), headers, r.body.len())
}

// EXC-07 too
#[tokio::test]
async fn exc_06_a_sending_reader_looks_like_one_that_only_reads() {
    let mut town = Town::found(12).await;
    let other = Edge::start().await;
    // The same seed, so the same instants; each asks an edge of its own.
    let source = town.reader(14);
    let reads = town.open(Config { edge: other.address.clone(), ..town.config(Place::Memory) }, 14);
    let desk = town.desk;
    let passphrase = Passphrase::generate(&mut StdRng::seed_from_u64(2));
    let mut session = None;
    for r in 0..40 {
        town.clock.set(town.start(r));
        town.publish(r, vec![story(r)]);
        town.edge.copy_to(&other);
        let before = town.edge.connections();
        match r {
            3 => session = Some(source.begin(&passphrase).unwrap()),
            4..10 => {
                session.as_ref().unwrap().write(desk, &format!("message {r}"), town.start(r)).unwrap();
            }
            12 => session = None,
            14 => session = source.unlock(&passphrase).unwrap(),
            15..40 => {
                let session = session.as_ref().unwrap();
                session.refresh();
                session.conversations();
            }
            _ => {}
        }
        assert_eq!(town.edge.connections(), before, "EXC-07: nothing a person does sends anything");
        assert_eq!(source.status().next_exchange, reads.status().next_exchange);
        let one = town.next(&source).await;
        // The other's exchange is at the same instant, and the clock stands.
        let stepped = reads.step(reads.status().next_exchange).await;
        assert_eq!(Some(one), stepped.exchange);
    }
    let (a, b) = (town.edge.requests(), other.requests());
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(&b) {
        assert_eq!(seen(a), seen(b));
    }
    assert!(a.iter().any(|r| r.method == "POST"));
    // Every GET has the headers of every other GET, every POST those of every other.
    for method in ["GET", "POST"] {
        let shapes: HashSet<Vec<&str>> = a
            .iter()
            .filter(|r| r.method == method)
            .map(|r| r.headers.iter().map(|(n, _)| n.as_str()).collect())
            .collect();
        assert_eq!(shapes.len(), 1, "{method}: {shapes:?}");
    }
    let connections: HashSet<_> = a.iter().map(|r| r.connection).collect();
    assert_eq!(connections.len(), a.len(), "a connection for each request");
    // And it did send.
    town.mix();
    assert_eq!((town.blobs.len(), town.messages), (40, 6));
}
