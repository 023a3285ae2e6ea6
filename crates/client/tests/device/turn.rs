//! Whole turns: a source writes, a desk acknowledges and answers, the source reads; and what is left after a restart.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::disk::library;
use crate::town::{Pair, Town, inbox, intake_keys, passphrase, story};
use client::{
    AnswerError, Device, Health, Inbox, LineState, OpenError, Place, Session, Stays, Vault, Who, WriteError,
};
use proto::conversation::{ReplyPart, slot_tag};
use proto::{DeskId, Round};
use rand::{SeedableRng, rngs::StdRng};

fn lines(session: &Session) -> Vec<(Who, String, LineState)> {
    let all = session.conversations().into_iter().flat_map(|c| c.lines);
    all.map(|l| (l.who, l.text.to_string(), l.state)).collect()
}

#[tokio::test]
async fn a_tip_an_acknowledgement_and_an_answer() {
    let mut it = Pair::new(1).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let leaves = session.write(it.town.desk, "They knew since March.", it.now()).unwrap();
    assert_eq!((leaves.place, leaves.from, leaves.until), (0, it.town.start(1), it.town.start(2)));
    let state = lines(&session)[0].2;
    assert_eq!(state, LineState::Waiting { from: leaves.from, until: leaves.until });
    it.rounds(1).await;
    assert!(matches!(lines(&session)[0].2, LineState::Left { before } if before == it.now()));
    it.rounds(2).await;
    let [conversation] = &it.inbox.conversations()[..] else { panic!("one conversation") };
    assert_eq!(&**conversation.lines[0].text, "They knew since March.");
    assert!(conversation.unanswered);
    assert_eq!(conversation.name.split(' ').count(), 2);
    let id = conversation.id;
    // The acknowledgement goes out by itself.
    it.rounds(3).await;
    assert_eq!(session.refresh(), 0);
    assert_eq!(lines(&session)[0].2, LineState::Acknowledged);

    let answer = "ä".repeat(1_200);
    let leaves = it.inbox.answer(id, &answer, it.now()).unwrap();
    let line = &it.inbox.conversations()[0].lines[1];
    assert_eq!(
        (line.who, line.state),
        (Who::You, LineState::Waiting { from: leaves.from, until: leaves.until })
    );
    it.rounds(4).await;
    assert!(matches!(it.inbox.conversations()[0].lines[1].state, LineState::Left { .. }));
    assert_eq!(session.refresh(), 1);
    assert_eq!(session.refresh(), 0, "once");
    assert_eq!(lines(&session)[1], (Who::Desk, answer, LineState::Received));

    // CNV-14: what the source received rides on what it writes, once two days have begun since.
    session.write(it.town.desk, "Thank you.", it.now()).unwrap();
    it.rounds(3).await;
    let conversations = it.inbox.conversations();
    assert_eq!((conversations.len(), conversations[0].lines.len()), (1, 3), "the same conversation");
    assert!(matches!(conversations[0].lines[1].state, LineState::Left { .. }));
    while it.r < 50 {
        it.rounds(1).await;
    }
    session.refresh();
    session.write(it.town.desk, "What comes next?", it.now()).unwrap();
    it.rounds(3).await;
    assert_eq!(it.inbox.conversations()[0].lines[1].state, LineState::Acknowledged);
}

/// Counts what is logged on this thread.
struct Counts(Arc<AtomicUsize>);

impl tracing::Subscriber for Counts {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        if event.metadata().target().starts_with("client") {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn an_open_mailbox_writes_nothing_to_the_log_even_when_the_disk_fails() {
    let mut town = Town::found(14).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let source = town.open(town.config(place()), 1);
    town.round(0, &[&source]).await;
    drop(source);
    // From now on drops can neither be read nor written.
    let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
    db.execute("ALTER TABLE drops DROP COLUMN reader", []).unwrap();
    drop(db);
    let source = town.open(town.config(place()), 2);
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "a tip", town.start(1)).unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let _guard = tracing::subscriber::set_default(Counts(Arc::clone(&count)));
    assert_eq!(session.refresh(), 0);
    assert_eq!(session.conversations().len(), 1);
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // What every device does may be logged, and is heard here.
    town.publish(1, vec![]);
    town.publish(2, vec![]);
    town.clock.set(town.start(2));
    town.next(&source).await;
    assert!(count.load(Ordering::SeqCst) > 0);
}

#[tokio::test]
async fn several_messages_leave_in_order_and_each_is_acknowledged() {
    let mut it = Pair::new(2).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    for n in 0..5 {
        let leaves = session.write(it.town.desk, &format!("message {n}"), it.now()).unwrap();
        assert_eq!(leaves.place, n);
    }
    it.rounds(12).await;
    session.refresh();
    let texts: Vec<_> = it.inbox.conversations()[0].lines.iter().map(|l| l.text.to_string()).collect();
    assert_eq!(texts, (0..5).map(|n| format!("message {n}")).collect::<Vec<_>>());
    assert!(lines(&session).iter().all(|l| l.2 == LineState::Acknowledged));
}

#[tokio::test]
async fn what_cannot_be_written_is_refused_and_changes_nothing() {
    let mut town = Town::found(3).await;
    let reader = town.reader(1);
    let session = reader.begin(&passphrase(1)).unwrap();
    let now = town.start(0);
    let desk = town.desk;
    assert_eq!(session.write(desk, "early", now), Err(WriteError::TooEarly));
    town.round(0, &[&reader]).await;
    let nobody = DeskId([9; 16]);
    assert_eq!(session.write(nobody, "hello", now), Err(WriteError::NoDesk));
    let mut noise = [0; 4_000];
    rand::Rng::fill_bytes(&mut StdRng::seed_from_u64(1), &mut noise);
    let long = hex::encode(noise);
    assert!(matches!(session.write(desk, &long, now), Err(WriteError::TooLong(_))));
    let room = reader.room(&long);
    assert!(room.used > room.total && room.total == 3_552);
    assert!(lines(&session).is_empty());
    for n in 0..48 {
        session.write(desk, &format!("message {n}"), now).unwrap();
    }
    assert_eq!(session.write(desk, "one too many", now), Err(WriteError::QueueFull));
    assert_eq!(lines(&session).len(), 48);
    town.round(1, &[&reader]).await;
    assert_eq!(session.write(desk, "now there is room", now).unwrap().place, 47);
}

#[tokio::test]
async fn a_later_session_takes_over_and_dropping_locks() {
    let mut town = Town::found(4).await;
    let reader = town.reader(1);
    town.round(0, &[&reader]).await;
    let first = reader.begin(&passphrase(1)).unwrap();
    first.write(town.desk, "hello", town.start(1)).unwrap();
    assert!(first.is_open());
    let second = reader.unlock(&passphrase(1)).unwrap().unwrap();
    assert!(!first.is_open() && first.conversations().is_empty());
    assert_eq!(first.write(town.desk, "again", town.start(1)), Err(WriteError::Locked));
    drop(first);
    assert!(second.is_open(), "an old session locks nothing but itself");
    assert_eq!(lines(&second).len(), 1);
    drop(second);
    assert!(reader.unlock(&passphrase(2)).unwrap().is_none());
    // A new mailbox erases the old one.
    drop(reader.begin(&passphrase(2)).unwrap());
    assert!(reader.unlock(&passphrase(1)).unwrap().is_none());
    assert!(lines(&reader.unlock(&passphrase(2)).unwrap().unwrap()).is_empty());
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart_and_leaves_as_it_would_have() {
    let mut town = Town::found(5).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let reader = town.open(town.config(place()), 1);
    assert!(matches!(
        Device::open(town.config(place()), town.clock.clone(), StdRng::seed_from_u64(2)).err(),
        Some(OpenError::Mailbox(client::MailboxError::OpenElsewhere))
    ));
    town.round(0, &[&reader]).await;
    assert!(reader.unlock(&passphrase(1)).unwrap().is_none(), "never used");
    let session = reader.begin(&passphrase(1)).unwrap();
    let now = proto::Clock::now(&*town.clock);
    for n in 0..3 {
        let leaves = session.write(town.desk, &format!("message {n}"), now).unwrap();
        assert!(leaves.durable_by <= now.plus(u64::from(crate::town::T) + 2_000));
    }
    // It is cut off before the next rewriting: nothing of it is there.
    drop(session);
    drop(reader);
    let reader = town.open(town.config(place()), 3);
    assert!(reader.unlock(&passphrase(1)).unwrap().is_none());
    let session = reader.begin(&passphrase(1)).unwrap();
    let leaves = session.write(town.desk, "kept", now).unwrap();
    while proto::Clock::now(&*town.clock) < leaves.durable_by {
        let stepped = reader.step(proto::Clock::now(&*town.clock)).await;
        town.clock.set(stepped.next.min(leaves.durable_by));
    }
    let sent = town.edge.uploads().len();
    drop(session);
    drop(reader);
    let reader = town.open(town.config(place()), 4);
    assert!(reader.unlock(&passphrase(2)).unwrap().is_none(), "wrong");
    let session = reader.unlock(&passphrase(1)).unwrap().unwrap();
    assert_eq!(lines(&session)[0].1, "kept");
    if sent == 1 {
        assert!(matches!(lines(&session)[0].2, LineState::Waiting { .. }));
    }
    let mailbox = std::fs::metadata(folder.path().join("mailbox")).unwrap().len();
    assert_eq!(mailbox, 4 * 1024 * 1024);
    for _ in 0..3 {
        town.next(&reader).await;
    }
    town.mix();
    let distinct: std::collections::HashSet<_> = town.blobs.iter().collect();
    assert_eq!(distinct.len(), town.blobs.len());
    assert!(matches!(lines(&session)[0].2, LineState::Left { .. }));
}

#[tokio::test]
async fn an_answer_cut_off_before_it_is_durable_goes_out_again_and_is_read_once() {
    let mut town = Town::found(6).await;
    let folder = tempfile::tempdir().unwrap();
    let desk_place = || Place::Folder(folder.path().join("desk"));
    let vault_path = folder.path().join("vault");
    let source = town.reader(1);
    let desk = town.open(town.desk_config(desk_place()), 2);
    let inbox = inbox(&desk, town.desk_identity, intake_keys(), &vault_path);
    town.round(0, &[&source, &desk]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "a tip", town.start(1)).unwrap();
    for r in 1..4 {
        town.round(r, &[&source, &desk]).await;
        inbox.collect();
    }
    let id = inbox.conversations()[0].id;
    let now = proto::Clock::now(&*town.clock);
    inbox.answer(id, "an answer", now).unwrap();
    // The desk's machine loses power before its mailbox is rewritten; the vault has it.
    drop(inbox);
    drop(desk);
    let desk = town.open(town.desk_config(desk_place()), 3);
    let again = Vault::unlock(&vault_path, &passphrase(9)).unwrap();
    assert!(Vault::unlock(&vault_path, &passphrase(8)).is_err());
    let inbox = Inbox::new(Arc::clone(&desk), again);
    let state = inbox.conversations()[0].lines[1].state;
    assert_eq!(state, LineState::Stays(Stays::NoPlace), "its envelope never was in the queue");
    for r in 4..10 {
        town.round(r, &[&source, &desk]).await;
        inbox.collect();
    }
    session.refresh();
    assert_eq!(
        lines(&session).iter().map(|l| (l.0, l.1.as_str())).collect::<Vec<_>>(),
        [(Who::You, "a tip"), (Who::Desk, "an answer")]
    );
    assert_eq!(inbox.answer([0; 8], "?", now), Err(AnswerError::NoConversation));
}

/// conversation.md §3: two journalists answer from two copies of a vault, or one from a desk restored from a back-up: both take
/// the same links for the same number. On the wire two slots of one link share its tag and nothing else. The source takes of
/// each link what came first, and never joins parts of both.
#[tokio::test]
async fn two_journalists_or_a_restored_desk_on_one_chain_give_nothing_away() {
    let (short, long) = ("We are on it.", "Who else knew of it in March? ".repeat(80));
    let other_long = "Leave everything where it is. ".repeat(80);
    // The order in which the slots come, by journalist and part; and what the source sees.
    type Order = [(usize, usize)];
    let cases: [(&str, &Order, Option<&str>); 4] = [
        (short, &[(0, 0), (1, 0), (1, 1), (1, 2)], Some(short)),
        (short, &[(1, 1), (1, 2), (1, 0), (0, 0)], Some(&long)),
        // A part of the other came first; this one is whole by itself, and the other's link is used up.
        (short, &[(1, 2), (0, 0), (1, 0), (1, 1)], Some(short)),
        // Of as many parts: two of one and one of the other are no reply.
        (&other_long, &[(0, 0), (1, 0), (1, 1), (0, 1), (0, 2), (1, 2)], None),
    ];
    for (n, (ours, order, seen)) in (0..).zip(cases) {
        let mut it = Pair::new(60 + n).await;
        let other = it.town.open(it.town.desk_config(Place::Memory), 90 + n);
        let session = it.source.begin(&passphrase(1)).unwrap();
        session.write(it.town.desk, "a tip", it.now()).unwrap();
        it.with(&other, 6).await;
        assert!(it.town.slots.is_empty(), "the acknowledgement is out");
        let vault = it.folder.path().join("vault");
        let copy = it.folder.path().join("copy");
        std::fs::copy(&vault, &copy).unwrap();
        let theirs = Vault::unlock(&copy, &passphrase(9)).unwrap();
        let theirs = Inbox::new(Arc::clone(&other), theirs);
        let id = theirs.conversations()[0].id;
        let mut slots = [vec![], vec![]];
        for (slots, (inbox, text)) in slots.iter_mut().zip([(&it.inbox, ours), (&theirs, long.as_str())]) {
            inbox.answer(id, text, proto::Clock::now(&*it.town.clock)).unwrap();
            for _ in 0..2 {
                it.town.quiet(it.r, &[&it.source, &it.desk, &other], |_| ()).await;
                it.town.mix();
                slots.append(&mut it.town.slots);
                it.r += 1;
            }
        }
        share_a_tag_alone(&mut slots, [ours, &long]);
        for (desk, part) in order {
            let slot = slots[*desk][*part];
            it.town.quiet(it.r, &[&it.source, &it.desk, &other], |town| town.slots = vec![slot]).await;
            it.r += 1;
            session.refresh();
        }
        let shown: Vec<_> = lines(&session).into_iter().filter(|l| l.0 == Who::Desk).map(|l| l.1).collect();
        assert_eq!(shown, seen.map(str::to_owned).into_iter().collect::<Vec<_>>(), "case {n}");

        // See the threat model: what the source says it has is a number, and both take it for their own.
        it.with(&other, 50_u32.saturating_sub(it.r)).await;
        session.refresh();
        session.write(it.town.desk, "Thank you.", it.now()).unwrap();
        it.with(&other, 4).await;
        for inbox in [&it.inbox, &theirs] {
            inbox.collect();
            let lines = inbox.conversations().swap_remove(0).lines;
            let state = lines.iter().find(|line| line.who == Who::You).unwrap().state;
            assert_eq!(state == LineState::Acknowledged, seen.is_some(), "case {n}: {state:?}");
            assert!(lines.iter().any(|line| *line.text == "Thank you."));
        }
        drop((theirs, it.inbox));
        assert!(Vault::unlock(&vault, &passphrase(9)).is_ok(), "it can still be opened");
    }
}

impl Pair {
    /// Rounds in which another desk is on too.
    async fn with(&mut self, other: &Device, n: u32) {
        for _ in 0..n {
            self.town.round(self.r, &[&self.source, &self.desk, other]).await;
            self.inbox.collect();
            self.r += 1;
        }
    }
}

/// Leaves the slots of two answers that begin with the same link, after a look at what those of one link share.
fn share_a_tag_alone(slots: &mut [Vec<[u8; 1024]>; 2], texts: [&str; 2]) {
    let [ours, theirs] = &*slots;
    let first = ours.iter().position(|slot| theirs.iter().any(|other| slot_tag(slot) == slot_tag(other)));
    let tag = slot_tag(&ours[first.unwrap()]);
    for (slots, text) in slots.iter_mut().zip(texts) {
        let first = slots.iter().position(|slot| slot_tag(slot) == tag).unwrap();
        // The parts, in order; behind them what says nothing.
        slots.drain(..first);
        slots.truncate(text.len().div_ceil(944));
    }
    let plain = |text: &str, part: usize| {
        let parts = ReplyPart::cut(1, text).unwrap();
        let mut plain = vec![1, 1, 0, 0, 0, 1, part as u8, parts.len() as u8];
        plain.extend((parts[part].text.len() as u16).to_be_bytes());
        plain.extend(parts[part].whole);
        plain.resize(32, 0);
        plain.extend_from_slice(&parts[part].text);
        plain.resize(976, 0);
        plain
    };
    let xor = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| a ^ b).collect::<Vec<_>>();
    for (part, (a, b)) in slots[0].iter().zip(&slots[1]).enumerate() {
        assert_eq!(slot_tag(a), slot_tag(b));
        assert_ne!(a[16..32], b[16..32], "the salt");
        let sealed = xor(&a[32..1_008], &b[32..1_008]);
        let open = xor(&plain(texts[0], part), &plain(texts[1], part));
        // By chance one byte in 256: 3.8 of 976 expected, standard deviation 1.9.
        let same = sealed.iter().zip(&open).filter(|(sealed, open)| sealed == open).count();
        assert!(same < 20, "{same} bytes are as under one key");
        assert!(xor(a, b)[16..].iter().filter(|byte| **byte == 0).count() < 20, "they share more than a tag");
    }
}

#[tokio::test]
async fn exc_05_an_edition_altered_on_the_disk_is_refused_and_the_one_before_is_shown() {
    let mut town = Town::found(7).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let titles = |d: &Device| d.stories().iter().map(|s| s.title.clone()).collect::<Vec<_>>();
    let reader = town.open(town.config(place()), 1);
    for r in 0..3 {
        town.round(r, &[&reader]).await;
    }
    drop(reader);
    for (column, shown) in [("bundle", 2), ("head", 2)] {
        let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
        let get = format!("SELECT {column} FROM editions WHERE round = 2");
        let good: Vec<u8> = db.query_row(&get, [], |row| row.get(0)).unwrap();
        let mut bent = good.clone();
        let middle = bent.len() / 2;
        bent[middle] ^= 1;
        let set = format!("UPDATE editions SET {column} = ?1 WHERE round = 2");
        db.execute(&set, [bent]).unwrap();
        drop(db);
        let reader = town.open(town.config(place()), 2);
        assert_eq!(reader.status().health, Health::Unverified, "{column}");
        assert_eq!(titles(&reader), ["Story 1", "Story 0"][..shown], "{column}");
        assert_eq!(reader.status().edition.unwrap().round, Round(1));
        drop(reader);
        let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
        db.execute(&set, [good]).unwrap();
    }
    // The whole page that all rests on, altered: the next edition brings it back.
    let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
    db.execute("UPDATE editions SET bundle = X'00' WHERE whole", []).unwrap();
    drop(db);
    let reader = town.open(town.config(place()), 3);
    assert_eq!(reader.status().health, Health::Unverified);
    assert!(titles(&reader).is_empty());
    town.publish(3, vec![story(3)]);
    town.clock.set(town.start(3));
    assert_eq!(town.next(&reader).await.health, Health::Good);
    assert_eq!(titles(&reader).len(), 4);
    drop(reader);
    let reader = town.open(town.config(place()), 4);
    assert_eq!(
        (titles(&reader).len(), reader.status().health),
        (4, Health::Good),
        "verified from the disk again"
    );
}

#[tokio::test]
async fn the_page_before_the_last_whole_one_is_kept() {
    let mut town = Town::found(8).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let reader = town.open(town.config(place()), 1);
    for r in 0..27 {
        town.round(r, &[&reader]).await;
    }
    drop(reader);
    let db = rusqlite::Connection::open(folder.path().join("library.sqlite")).unwrap();
    let whole: Vec<u32> = db
        .prepare("SELECT round FROM editions WHERE whole ORDER BY round")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(whole, [0, 25], "24 editions of changes, then the whole page again");
    db.execute("UPDATE editions SET bundle = X'00' WHERE round = 25", []).unwrap();
    drop(db);
    let reader = town.open(town.config(place()), 2);
    assert_eq!(reader.stories().len(), 25, "what edition 24 showed");
    assert_eq!(reader.status().health, Health::Unverified);
}

#[tokio::test]
async fn a_folder_of_another_network_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let here = Town::found(9).await;
    drop(here.open(here.config(place()), 1));
    let there = Town::found(10).await;
    let refused = Device::open(there.config(place()), there.clock.clone(), StdRng::seed_from_u64(1)).err();
    assert!(matches!(refused, Some(OpenError::Library(client::LibraryError::OtherNetwork))));
    let mixed = client::Config { directory: here.directory_bytes.clone(), ..there.config(Place::Memory) };
    let refused = Device::open(mixed, there.clock, StdRng::seed_from_u64(1)).err();
    assert!(matches!(refused, Some(OpenError::Directory(_))));
}

#[tokio::test]
async fn it_runs_by_itself_and_writes_its_mailbox_when_it_stops() {
    let mut town = Town::found(11).await;
    let folder = tempfile::tempdir().unwrap();
    let reader = town.open(town.config(Place::Folder(folder.path().to_owned())), 1);
    town.round(0, &[&reader]).await;
    let session = reader.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "kept at the stop", town.start(1)).unwrap();
    let key = || std::fs::read(folder.path().join("device.key")).unwrap();
    let before = key();
    reader.run(std::future::ready(())).await.unwrap();
    assert_ne!(key(), before);
    drop(session);
    drop(reader);
    let reader = town.open(town.config(Place::Folder(folder.path().to_owned())), 2);
    assert_eq!(lines(&reader.unlock(&passphrase(1)).unwrap().unwrap())[0].1, "kept at the stop");
}

/// Everything on a device's disk that does not need a key: names, lengths, and the library's rows.
fn on_disk(folder: &Path) -> (Vec<(String, u64)>, Vec<Vec<rusqlite::types::Value>>) {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    files.sort();
    let (_copy, db) = library(folder);
    let mut rows = vec![];
    for table in ["kept", "directories", "editions", "drops"] {
        let mut query = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
        let columns = query.column_count();
        let all = query.query_map([], |row| (0..columns).map(|i| row.get(i)).collect()).unwrap();
        rows.extend(all.map(Result::unwrap));
    }
    (files, rows)
}

/// Bytes of a file, as counts: what can be seen of it without its key.
fn spread(bytes: &[u8]) -> (usize, u64) {
    (bytes.len(), bytes.iter().map(|b| u64::from(b.count_ones())).sum())
}

#[tokio::test]
async fn the_disk_of_a_source_looks_like_that_of_a_reader() {
    let mut town = Town::found(12).await;
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let place = |folder: &tempfile::TempDir| Place::Folder(folder.path().to_owned());
    // The same seed, so the same instants, on the same edge.
    let source = town.open(town.config(place(&one)), 5);
    let reads = town.open(town.config(place(&other)), 5);
    let mut session = None;
    let mut changes = vec![];
    for r in 0..8 {
        town.clock.set(town.start(r).max(proto::Clock::now(&*town.clock)));
        town.publish(r, vec![story(r)]);
        if r == 2 {
            session = Some(source.begin(&passphrase(1)).unwrap());
        }
        if let Some(session) = &session {
            session.write(town.desk, &"a long tip ".repeat(r as usize * 50), town.start(r)).unwrap();
            session.refresh();
        }
        loop {
            let now = proto::Clock::now(&*town.clock);
            let before = [&one, &other].map(|f| std::fs::read(f.path().join("device.key")).unwrap());
            let (a, b) = (source.step(now).await, reads.step(now).await);
            assert_eq!(a, b, "the same at the same time");
            let after = [&one, &other].map(|f| std::fs::read(f.path().join("device.key")).unwrap());
            // The mailbox is rewritten at the same times, each time under another key.
            assert_eq!(before[0] != after[0], before[1] != after[1]);
            changes.push(before[0] != after[0]);
            if a.exchange.is_some() {
                break;
            }
            town.clock.set(a.next);
        }
    }
    assert!(changes.iter().filter(|c| **c).count() >= 8);
    let [a, b] = [&one, &other].map(|f| on_disk(f.path()));
    assert_eq!(a, b);
    for folder in [&one, &other] {
        let (length, ones) = spread(&std::fs::read(folder.path().join("mailbox")).unwrap());
        assert_eq!(length, 4_194_304);
        // 16,777,216 expected of 33,554,432 bits, standard deviation 2,896.
        assert!(ones.abs_diff(16_777_216) < 5 * 2_896, "{ones}");
    }
    drop(session);
    assert!(
        reads.unlock(&passphrase(1)).unwrap().is_none() && source.unlock(&passphrase(1)).unwrap().is_some()
    );
}
