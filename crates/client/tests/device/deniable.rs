//! A reader's device in the eyes of whoever takes it: P7. Spec: mailbox.md.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::town::{Request, Town, inbox, intake_keys, intake_keys_of, opened_by_exit, passphrase};
use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{Key, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use client::{Device, LineState, Place, QUEUE, Who, WriteError};
use proto::conversation::open_message;
use proto::document::{Document, Format};
use proto::envelope::{self, Found};
use proto::{Clock as _, Round};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Everything in a folder: names, bytes, and when each was last changed.
type Image = BTreeMap<String, (Vec<u8>, SystemTime)>;

fn image(folder: &Path) -> Image {
    let read = |path: &Path| {
        let changed = std::fs::metadata(path).unwrap().modified().unwrap();
        (path.file_name().unwrap().to_str().unwrap().to_owned(), (std::fs::read(path).unwrap(), changed))
    };
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| read(&entry.unwrap().path())).collect()
}

/// What a look at the folder shows of each file: its length, whether it was changed since the look before, and its bytes, but
/// for those that must look random.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    length: usize,
    touched: bool,
    bytes: Vec<u8>,
}

/// A write-ahead log of SQLite without the salts that it draws for each log and the checksums that hang on them
/// (sqlite.org/fileformat.html, 4.1).
fn without_salts(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if name.ends_with("-wal") && bytes.len() > 32 {
        // Header: salts 8, checksum 8. Each frame: page 4, pages 4, salts 8, checksum 8, and a page of 4,096.
        bytes[16..32].fill(0);
        (32..bytes.len()).step_by(24 + 4_096).for_each(|frame| bytes[frame + 8..frame + 24].fill(0));
    }
    bytes
}

fn look(now: &Image, before: &Image) -> BTreeMap<String, Seen> {
    let seen = |(name, (bytes, changed)): (&String, &(Vec<u8>, SystemTime))| {
        let random = match name.as_str() {
            "mailbox" => bytes.len(),
            "device.key" => 32,
            _ => 0,
        };
        let touched = before.get(name).is_none_or(|(old, then)| old != bytes || then != changed);
        let rest = without_salts(name, &bytes[random..]);
        (name.clone(), Seen { length: bytes.len(), touched, bytes: rest })
    };
    now.iter().map(seen).collect()
}

/// The mailbox of a folder, opened as whoever takes the folder can: the device key lies beside it.
fn opened(image: &Image) -> Plain {
    let key: [u8; 32] = image["device.key"].0[..32].try_into().unwrap();
    let mut sealed = image["mailbox"].0.clone();
    let text = sealed.len() - 16;
    let (text, tag) = sealed.split_at_mut(text);
    let tag = Tag::try_from(&*tag).unwrap();
    let cipher = XChaCha20Poly1305::new(&Key::from(key));
    cipher.decrypt_inout_detached(&XNonce::default(), b"", InOutBuf::from(&mut *text), &tag).unwrap();
    Plain(text.to_vec())
}

/// salt 32 | queue 48 x 5920 | weeks 48 x 4 | hints 48 x 20 | trail 120 x 20 | region
struct Plain(Vec<u8>);

impl Plain {
    const BLOB: usize = 5_920;
    const WEEKS: usize = 32 + QUEUE * Self::BLOB;
    const HINTS: usize = Self::WEEKS + QUEUE * 4;
    const REGION: usize = Self::HINTS + (QUEUE + 120) * 20;

    fn blobs(&self) -> impl Iterator<Item = &[u8]> {
        self.0[32..Self::WEEKS].chunks_exact(Self::BLOB)
    }

    /// Says when blobs came, and must be the same on all devices that were on in the same rounds.
    fn weeks(&self) -> &[u8] {
        &self.0[Self::WEEKS..Self::HINTS]
    }

    /// All that must look random: salt, hints, trail and region.
    fn rest(&self) -> Vec<u8> {
        [&self.0[..32], &self.0[Self::HINTS..]].concat()
    }
}

/// Bytes without a pattern: each value about as often, each bit after each as often, and no 16 bytes twice.
fn assert_random(bytes: &[u8], what: &str) {
    let mut counts = [0_u64; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let mean = bytes.len() as f64 / 256.0;
    let chi: f64 = counts.iter().map(|count| (*count as f64 - mean).powi(2) / mean).sum();
    // 255 degrees of freedom: 255 expected, standard deviation 22.6. The seeds are fixed, so it never fails by chance.
    assert!((140.0..370.0).contains(&chi), "{what}: chi-squared {chi}");
    let changes: u64 = bytes.windows(2).map(|pair| u64::from((pair[0] ^ pair[1]).count_ones())).sum();
    let (expected, deviation) = (4.0 * (bytes.len() - 1) as f64, (2.0 * bytes.len() as f64).sqrt());
    assert!((changes as f64 - expected).abs() < 5.0 * deviation, "{what}: {changes} bits change");
    let blocks = bytes.chunks_exact(16);
    let all = blocks.len();
    assert_eq!(blocks.collect::<HashSet<_>>().len(), all, "{what}: 16 bytes stand twice");
}

/// The bits that are the same in all of these: what somebody sees who knows no key.
fn constant_bits<'a>(all: impl Iterator<Item = &'a [u8]>) -> Vec<(usize, u8, u8)> {
    let all: Vec<_> = all.collect();
    assert!(all.len() >= 40, "by chance a bit is the same in few");
    (0..all[0].len())
        .map(|at| {
            let (and, or) = all.iter().fold((0xff, 0), |(and, or), bytes| (and & bytes[at], or | bytes[at]));
            (at, and, !or)
        })
        .filter(|(_, ones, noughts)| ones | noughts != 0)
        .collect()
}

/// Two devices of the same seed, each in a folder.
fn twins(town: &Town, folder: &Path) -> ([PathBuf; 2], [Arc<Device>; 2]) {
    let places = ["reads", "writes"].map(|name| folder.join(name));
    let devices = places.each_ref().map(|place| town.open(town.config(Place::Folder(place.clone())), 7));
    (places, devices)
}

/// P7: two devices of the same seed under the same clock. One only reads; the other writes, is answered, locks and unlocks. The
/// disks of both are the same at every look, but for bytes that look random on both.
#[tokio::test]
async fn the_disk_of_one_who_writes_is_like_that_of_one_who_only_reads() {
    let mut town = Town::found(51).await;
    let folder = tempfile::tempdir().unwrap();
    let (places, [reads, writes]) = twins(&town, folder.path());
    let desk = town.open(town.desk_config(Place::Memory), 8);
    let vault_file = folder.path().join("vault");
    let inbox = inbox(&desk, town.desk_identity, intake_keys(), &vault_file);

    let mut before = places.each_ref().map(|place| image(place));
    let mut plains: [Vec<Plain>; 2] = [vec![], vec![]];
    let mut keys = HashSet::new();
    let mut session = None;
    for r in 0..36 {
        town.round(r, &[&reads, &writes, &desk]).await;
        let now = places.each_ref().map(|place| image(place));
        let seen = [0, 1].map(|i: usize| look(&now[i], &before[i]));
        let names = |seen: &BTreeMap<String, Seen>| seen.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&seen[0]), names(&seen[1]), "round {r}");
        for (name, ours) in &seen[0] {
            let theirs = &seen[1][name];
            assert_eq!((ours.length, ours.touched), (theirs.length, theirs.touched), "{name}, round {r}");
            let differs = ours.bytes.iter().zip(&theirs.bytes).position(|(a, b)| a != b);
            assert_eq!(differs, None, "{name}, round {r}: the first byte that differs");
        }
        for i in [0, 1] {
            let key = now[i]["device.key"].0[..32].to_vec();
            // Of one seed, they draw the same until one of them does something.
            assert!(keys.insert(key) || r <= 1, "a device key comes twice");
            if r % 12 == 11 {
                assert_random(&now[i]["mailbox"].0, "the file");
                let plain = opened(&now[i]);
                assert_random(&plain.rest(), "salt, hints and region");
                plains[i].push(plain);
            }
        }
        if let [Some(one), Some(other)] = plains.each_ref().map(|plains| plains.last()) {
            assert!(one.weeks() == other.weeks(), "r {r}");
        }
        before = now;

        // What the one does who writes, between two looks.
        inbox.collect();
        if r == 1 {
            session = Some(writes.begin(&passphrase(1)).unwrap());
        }
        let Some(open) = &session else { continue };
        open.refresh();
        if r % 6 == 2 {
            // Several wait in the queue at the look that opens it.
            for n in 0..8 {
                let now = proto::Clock::now(&*town.clock);
                open.write(town.desk, &"What they knew. ".repeat(1 + 7 * n), now).unwrap();
            }
        }
        for conversation in inbox.conversations().into_iter().filter(|c| c.unanswered).take(1) {
            inbox.answer(conversation.id, "Go on.", proto::Clock::now(&*town.clock)).unwrap();
        }
        if r % 7 == 6 {
            drop(session.take());
            assert!(writes.unlock(&passphrase(2)).unwrap().is_none());
            session = writes.unlock(&passphrase(1)).unwrap();
        }
    }
    // It did write and was answered, or nothing was compared.
    let open = session.unwrap();
    open.refresh();
    let lines: Vec<_> = open.conversations().into_iter().flat_map(|c| c.lines).collect();
    assert!(lines.iter().filter(|line| line.who == Who::Desk).count() >= 2);
    assert!(lines.iter().any(|line| matches!(line.state, LineState::Waiting { .. })));
    let messages = lines.iter().filter(|line| line.who == Who::You).count();
    assert!(messages >= 30, "{messages} messages");

    let constant = plains.each_ref().map(|of| constant_bits(of.iter().flat_map(Plain::blobs)));
    assert_eq!(constant[0], constant[1], "blobs of one show what blobs of the other do not");
    let blocks = |of: &[Plain]| {
        let regions = of.last().unwrap().0[Plain::REGION..].chunks_exact(16).map(<[u8]>::to_vec);
        regions.collect::<HashSet<_>>()
    };
    assert!(blocks(&plains[0]).is_disjoint(&blocks(&plains[1])), "two regions share 16 bytes");
}

/// P1, P7: a fresh install and one that has run for a thousand rounds send the same.
#[tokio::test]
async fn the_first_envelope_of_a_fresh_install_is_like_the_thousandth() {
    const ROUNDS: u32 = 1_000;
    const SOME: usize = 60;
    let mut town = Town::found(52).await;
    let device = town.reader(1);
    let mut posts: Vec<Request> = vec![];
    for r in 0..ROUNDS {
        town.clock.set(town.start(r).max(proto::Clock::now(&*town.clock)));
        town.publish(r, vec![]);
        town.pass(r, &[&device]).await;
        posts.extend(town.edge.requests().into_iter().filter(|request| request.method == "POST"));
        town.edge.forget();
    }
    assert_eq!(posts.len(), ROUNDS as usize);
    let shape = |post: &Request| {
        let names = post.headers.iter().map(|(name, value)| (name.clone(), value.len())).collect::<Vec<_>>();
        (names, post.body.len())
    };
    assert_eq!(shape(&posts[0]), shape(&posts[ROUNDS as usize - 1]));
    assert!(posts.iter().all(|post| shape(post) == shape(&posts[0])));

    // What each mix sees, and the exit.
    let wire = town.directory.wire();
    let round = |post: &Request| Round(post.path.split('/').nth(3).unwrap().parse().unwrap());
    let rounds: Vec<Round> = posts.iter().map(round).collect();
    let mut layers: Vec<Vec<u8>> = posts.into_iter().map(|post| post.body).collect();
    let classes =
        rounds.iter().zip(&layers).flat_map(|(round, e)| town.class_of(*round, std::slice::from_ref(e)));
    assert!(classes.into_iter().all(|class| class == "cover"), "all of them cover to the exit");
    let alike = |layers: &[Vec<u8>], what: &str| {
        let all: HashSet<_> = layers.iter().collect();
        assert_eq!(all.len(), layers.len(), "{what}: none comes twice");
        let [first, last] = [&layers[..SOME], &layers[layers.len() - SOME..]]
            .map(|some| constant_bits(some.iter().map(Vec::as_slice)));
        assert_eq!(first, last, "{what}");
    };
    alike(&layers, "the first mix takes");
    for hop in 0..2 {
        let open = |(round, l): (&Round, &Vec<u8>)| {
            envelope::open_layer(&wire, hop, &town.mix_key(hop, *round), l).unwrap().1
        };
        layers = rounds.iter().zip(&layers).map(open).collect();
        alike(&layers, "a mix passes on");
    }
    assert_eq!(device.status().edition.unwrap().round, Round(ROUNDS - 1));
}

/// P1: what waited over the end of a week is sealed to the same key as what is new, messages, cover and parts alike.
#[tokio::test]
async fn mbx_15_a_blob_is_sealed_to_the_exits_key_of_the_week_in_which_it_leaves() {
    let mut town = Town::found(54).await;
    let source = town.reader(7);
    let end = proto::keys::WEEK;
    town.round(end - 20, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    for n in 0..5 {
        session.write(town.desk, &format!("message {n}"), town.clock.now()).unwrap();
    }
    let mut content = vec![0; 100_000];
    StdRng::seed_from_u64(3).fill_bytes(&mut content);
    let document = Document { name: "a".into(), format: Format::Pdf, content };
    session.attach(town.desk, &document, town.clock.now()).unwrap();
    let conversation = session.conversations()[0].id;
    for r in end - 19..end + 40 {
        town.quiet(r, &[&source], |_| ()).await;
        if r == end - 12 {
            // They go before the parts, which move back.
            for n in 0..4 {
                session.write(town.desk, &format!("meanwhile {n}"), town.clock.now()).unwrap();
            }
        }
        if r == end - 5 {
            // Cover takes the places of all that wait, and messages again.
            session.delete_conversation(conversation, town.clock.now());
            for n in 0..12 {
                session.write(town.desk, &format!("again {n}"), town.clock.now()).unwrap();
            }
        }
        session.refresh();
        let [(round, envelope)] = &town.edge.uploads()[..] else { panic!("one upload a round") };
        assert_eq!((round.0, town.week_of(*round, envelope)), (r, r / end), "in round {r}");
    }
}

/// P8: a box that waits two days for its place has as long to arrive as any other before its key is deleted.
#[tokio::test]
async fn a_box_is_sealed_to_the_desks_key_of_the_week_in_which_it_leaves() {
    let mut town = Town::found(56).await;
    let source = town.reader(7);
    let (end, wire) = (proto::keys::WEEK, town.directory.wire());
    town.round(end - 6, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    for n in 0..12 {
        session.write(town.desk, &format!("message {n}"), town.clock.now()).unwrap();
    }
    let mut opened = 0;
    for r in end - 5..end + 8 {
        // What came to the exit left in the round before.
        let mut boxes = vec![];
        town.quiet(r, &[&source], |town| boxes = std::mem::take(&mut town.boxes)).await;
        for boxed in &boxes {
            let opens = |(_, key): &(_, _)| open_message(&wire, key, boxed).is_ok();
            assert_eq!(intake_keys().iter().position(opens), Some(((r - 1) / end) as usize), "in round {r}");
        }
        opened += boxes.len();
    }
    assert_eq!(opened, 12);
}

/// A device that keeps what it keeps in a folder.
fn in_a_folder(town: &Town) -> (tempfile::TempDir, Arc<Device>) {
    let folder = tempfile::tempdir().unwrap();
    let device = town.open(town.config(Place::Folder(folder.path().to_owned())), 7);
    (folder, device)
}

/// To the exit's keys of which weeks the envelopes of this round are sealed.
fn weeks_sent(town: &Town) -> Vec<u32> {
    town.edge.uploads().iter().map(|(at, envelope)| town.week_of(*at, envelope)).collect()
}

/// MBX-15: of two devices that are on in the same rounds, three in ten, one writes. What both send is sealed to the same key in
/// every round, whatever it is: the exit sees that key, and the edge which rounds they are.
#[tokio::test]
async fn mbx_15_what_is_written_on_a_device_that_was_off_is_sealed_to_the_key_that_cover_has() {
    let mut town = Town::found(56).await;
    let (reads, writes) = (town.reader(7), town.reader(8));
    let week = proto::keys::WEEK;
    town.round(week - 60, &[&reads, &writes]).await;
    let session = writes.begin(&passphrase(1)).unwrap();
    let mut content = vec![0; 60_000];
    StdRng::seed_from_u64(3).fill_bytes(&mut content);
    let document = Document { name: "a".into(), format: Format::Pdf, content };
    let mut seen = HashSet::new();
    for r in (week - 59..2 * week).filter(|r| r % 10 < 3) {
        town.quiet(r, &[&reads, &writes], |_| ()).await;
        let sent = weeks_sent(&town);
        assert_eq!(sent, [sent[0]; 2], "in round {r}");
        seen.insert((r / week, sent[0]));
        if r % 20 < 3 && r < week + 100 {
            session.write(town.desk, "a message", town.clock.now()).unwrap();
        }
        if r == week {
            session.attach(town.desk, &document, town.clock.now()).unwrap();
        }
        if r == week + 31 {
            session.delete_conversation(session.conversations()[0].id, town.clock.now());
        }
        session.refresh();
    }
    assert!(seen.contains(&(1, 0)) && seen.contains(&(1, 1)), "old keys and new: {seen:?}");
}

/// MBX-15: what waited until its key was gone is cover anew, on every device, and what the exit still opens goes out.
#[tokio::test]
async fn mbx_15_what_nobody_could_open_any_more_is_not_sent() {
    let mut town = Town::found(57).await;
    let (reads, writes) = (town.reader(7), town.reader(8));
    let week = proto::keys::WEEK;
    town.round(week - 60, &[&reads, &writes]).await;
    let session = writes.begin(&passphrase(1)).unwrap();
    for n in 0..3 {
        session.write(town.desk, &format!("before {n}"), town.clock.now()).unwrap();
    }
    // The exit's key of the first week goes in round 407, and a mix may hold a message for a day.
    let gone = week + 240;
    for (back, keys) in [(gone - 30, 0), (gone + 3 * week, 5)] {
        for r in back..back + 3 {
            town.quiet(r, &[&reads, &writes], |_| ()).await;
            assert_eq!(weeks_sent(&town), [keys; 2], "in round {r}");
            if r == back {
                session.write(town.desk, "afterwards", town.clock.now()).unwrap();
            }
        }
    }
}

/// MBX-15, P1, P7: on a device that was off until the key of all that waits was nearly gone, nothing is written before the first exchange
/// has made it cover anew: it would be the only thing of its week.
#[tokio::test]
async fn mbx_15_nothing_is_written_after_weeks_off_before_the_first_exchange() {
    let mut town = Town::found(58).await;
    let (folder, source) = in_a_folder(&town);
    town.round(100, &[&source]).await;
    drop(source.begin(&passphrase(1)).unwrap());
    town.clock.set(town.start(390));
    let session = source.unlock(&passphrase(1)).unwrap().unwrap();
    assert_eq!(session.write(town.desk, "a tip", town.clock.now()), Err(WriteError::TooEarly));
    town.quiet(390, &[&source], |_| ()).await;
    session.write(town.desk, "a tip", town.clock.now()).unwrap();
    source.run(std::future::ready(())).await.unwrap();
    let (wire, plain) = (town.directory.wire(), opened(&image(folder.path())));
    let of_week = |blob: &[u8]| opened_by_exit(&wire, Round(390), blob).is_some();
    assert_eq!(plain.blobs().filter(|blob| of_week(blob)).count(), QUEUE);
}

/// MBX-14: also on a device that was off for so long that it knows no key of today.
#[tokio::test]
async fn mbx_14_what_is_taken_back_after_weeks_away_is_gone_from_the_queue() {
    let mut town = Town::found(52).await;
    let (folder, source) = in_a_folder(&town);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "a tip", town.clock.now()).unwrap();
    drop(session);
    source.run(std::future::ready(())).await.unwrap();
    let before = opened(&image(folder.path()));
    town.clock.set(town.start(40 * 168));
    let session = source.unlock(&passphrase(1)).unwrap().unwrap();
    session.delete_mailbox(town.clock.now()).unwrap();
    source.run(std::future::ready(())).await.unwrap();
    let after = opened(&image(folder.path()));
    let kept: HashSet<_> = after.blobs().collect();
    assert_eq!(before.blobs().filter(|blob| !kept.contains(blob)).count(), 1, "the message alone is covered");
}

/// MBX-15, P7: the same where the directory in force names the key of what waits no more, and no exchange has gone to its end since: it
/// gives way with what is beside it, and bears no other week until then.
#[tokio::test]
async fn mbx_15_what_is_taken_back_under_a_key_that_is_gone_bears_the_week_of_what_is_beside_it() {
    let mut town = Town::found(59).await;
    let folder = tempfile::tempdir().unwrap();
    let (places, [reads, writes]) = twins(&town, folder.path());
    town.round(100, &[&reads, &writes]).await;
    let session = writes.begin(&passphrase(1)).unwrap();
    for n in 0..3 {
        session.write(town.desk, &format!("message {n}"), town.clock.now()).unwrap();
    }
    // The first edition after the exit deleted that key. Its round keys are for no later round than 422, so nothing leaves.
    town.directory = town.without_exit_key(0);
    town.publish(410, vec![]);
    town.clock.set(town.start(424));
    town.edge.forget();
    town.pass(424, &[&reads, &writes]).await;
    assert_eq!((town.edge.uploads().len(), writes.status().edition.unwrap().round), (0, Round(410)));
    session.delete_mailbox(town.clock.now()).unwrap();
    for device in [&reads, &writes] {
        device.run(std::future::ready(())).await.unwrap();
    }
    let [reads, writes] = places.each_ref().map(|place| opened(&image(place)));
    assert!(reads.weeks() == writes.weeks());
}

/// What P7 does not promise (the threat model): who holds the exit's key too sees which blobs of the queue are messages. Of what
/// they say, and to whom, they see nothing.
#[tokio::test]
async fn a_thief_with_the_exits_key_sees_which_blobs_are_messages_and_nothing_of_them() {
    let mut town = Town::found(55).await;
    let (folder, source) = in_a_folder(&town);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    for n in 0..6 {
        session.write(town.desk, &format!("message {n}"), town.clock.now()).unwrap();
    }
    town.round(1, &[&source]).await;
    source.run(std::future::ready(())).await.unwrap();
    let lines: Vec<_> = session.conversations().into_iter().flat_map(|c| c.lines).collect();
    let waits = lines.iter().filter(|line| matches!(line.state, LineState::Waiting { .. })).count();

    let (wire, plain) = (town.directory.wire(), opened(&image(folder.path())));
    let found: Vec<_> = plain.blobs().map(|blob| opened_by_exit(&wire, Round(2), blob).unwrap()).collect();
    let to_desks = found.iter().filter_map(|found| match found {
        Found::ToDesk(boxed) => Some(boxed),
        _ => None,
    });
    let boxes: Vec<_> = to_desks.collect();
    assert_eq!((found.len(), boxes.len(), waits), (QUEUE, 5, 5));
    let opens =
        |keys: Vec<_>, boxed: &[u8]| keys.iter().any(|(_, key)| open_message(&wire, key, boxed).is_ok());
    for boxed in boxes {
        assert!(!opens(intake_keys_of(0xdf), boxed), "another desk's keys");
        assert!(opens(intake_keys(), boxed), "the desk's");
    }
}

/// P7: an open mailbox reads the library between exchanges, and a closed one does not. To read it writes nothing.
#[tokio::test]
async fn a_look_into_the_mailbox_changes_no_file() {
    let mut town = Town::found(54).await;
    let (folder, source) = in_a_folder(&town);
    for r in 0..3 {
        town.round(r, &[&source]).await;
        let before = image(folder.path());
        let session = source.begin(&passphrase(1)).unwrap();
        session.refresh();
        let after = image(folder.path());
        let changed: Vec<_> = after.iter().filter(|(name, file)| before.get(*name) != Some(*file)).collect();
        let names: Vec<_> = changed.into_iter().map(|(name, _)| name).collect();
        assert!(names.is_empty() && after.len() == before.len(), "{names:?}");
    }
}

/// P7: an open mailbox reads the library between exchanges, and a closed one does not. When its files were read last says when
/// the mailbox was rewritten, and that is the same for all.
#[tokio::test]
async fn when_files_were_last_read_does_not_tell_of_an_open_mailbox() {
    let mut town = Town::found(53).await;
    let (folder, source) = in_a_folder(&town);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.refresh();
    source.run(std::future::ready(())).await.unwrap();
    let rewritten = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(town.clock.now().0);
    for name in ["library.sqlite", "library.sqlite-wal"] {
        let read = std::fs::metadata(folder.path().join(name)).unwrap().accessed().unwrap();
        assert_eq!(read, rewritten, "{name}");
    }
}
