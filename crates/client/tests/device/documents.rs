//! Documents from a source to a desk: real devices with their files, stopped and started again on the way.

use std::path::Path;
use std::sync::Arc;

use crate::town::{self, Town, inbox, intake_keys, passphrase};
use client::{Device, Inbox, Line, LineState, Place, QUEUE, Session, Vault, Who, WriteError};
use proto::document::{Document, Format, MAX_CONTENT, Unfit};
use proto::{Clock as _, Millis};
use rand::{Rng as _, SeedableRng, rngs::StdRng};

/// A document of so many bytes that do not repeat.
fn document(name: &str, length: usize) -> Document {
    let mut content = vec![0; length];
    StdRng::seed_from_u64(length as u64).fill_bytes(&mut content);
    Document { name: name.into(), format: Format::Pdf, content }
}

/// With three mixes so many bytes are a full part; part 0 begins with a head of 38 bytes and the name.
const PART: usize = 3_548;

/// A source and a desk, both with their files.
struct Pair {
    town: Town,
    folder: tempfile::TempDir,
    source: Arc<Device>,
    desk: Arc<Device>,
    inbox: Inbox,
    r: u32,
    starts: u64,
}

impl Pair {
    async fn new(seed: u64) -> Self {
        let mut town = Town::found(seed).await;
        let folder = tempfile::tempdir().unwrap();
        let (source, desk) = devices(&town, folder.path(), seed);
        town.round(0, &[&source, &desk]).await;
        let inbox = inbox(&desk, town.desk_identity, intake_keys(), &folder.path().join("vault"));
        Self { town, folder, source, desk, inbox, r: 1, starts: seed + 1_000 }
    }

    /// Stops both programs, as anybody does, and starts them again from what is on the disk.
    async fn restarted(self) -> Self {
        let Self { town, folder, source, desk, inbox, r, starts } = self;
        for device in [&source, &desk] {
            device.run(std::future::ready(())).await.unwrap();
        }
        drop((source, inbox, desk));
        let starts = starts + 2;
        let (source, desk) = devices(&town, folder.path(), starts);
        let vault = Vault::unlock(&folder.path().join("vault"), &passphrase(9)).unwrap();
        let inbox = Inbox::new(Arc::clone(&desk), vault);
        Self { town, folder, source, desk, inbox, r, starts }
    }

    async fn round(&mut self, late: impl FnOnce(&mut Town)) {
        self.town.quiet(self.r, &[&self.source, &self.desk], late).await;
        self.inbox.collect();
        self.r += 1;
    }

    async fn rounds(&mut self, n: u32) {
        for _ in 0..n {
            self.round(|_| ()).await;
        }
    }

    /// Rounds up to `until` in which both devices are on in every tenth and the last alone.
    async fn away(&mut self, until: u32, late: impl Fn(&mut Town)) {
        while self.r < until {
            let both: [&Device; 2] = [&self.source, &self.desk];
            let on = if self.r.is_multiple_of(10) || self.r + 1 == until { &both[..] } else { &[] };
            self.town.quiet(self.r, on, &late).await;
            self.inbox.collect();
            self.r += 1;
        }
    }

    fn now(&self) -> Millis {
        self.town.clock.now()
    }

    fn begin(&self) -> Session {
        self.source.begin(&passphrase(1)).unwrap()
    }

    fn unlock(&self) -> Session {
        self.source.unlock(&passphrase(1)).unwrap().unwrap()
    }

    /// The lines that the desk has.
    fn at_desk(&self) -> Vec<Line> {
        self.inbox.conversations().into_iter().flat_map(|c| c.lines).collect()
    }

    /// The document that the desk has whole.
    fn document(&self, first: u32) -> Option<Document> {
        self.inbox.document(self.inbox.conversations()[0].id, first)
    }
}

fn devices(town: &Town, folder: &Path, seed: u64) -> (Arc<Device>, Arc<Device>) {
    let place = |name: &str| Place::Folder(folder.join(name));
    (town.open(town.config(place("source")), seed), town.open(town.desk_config(place("desk")), seed + 1))
}

fn lines(session: &Session) -> Vec<Line> {
    session.conversations().into_iter().flat_map(|c| c.lines).collect()
}

#[tokio::test]
async fn a_document_arrives_whole_through_restarts_on_both_sides() {
    let mut it = Pair::new(100).await;
    let sent = document("Minutes of 3 November.pdf", 7 * PART - 200);
    let session = it.begin();
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    let view = lines(&session)[0].document.clone().unwrap();
    assert_eq!((view.parts, view.queued, view.left, view.arrived), (7, 7, 0, 0));
    drop(session);
    let mut shown = vec![];
    for _ in 0..13 {
        it.round(|_| ()).await;
        it = it.restarted().await;
        if let [line] = &it.at_desk()[..] {
            let view = line.document.clone().unwrap();
            shown.push((view.arrived, view.parts, line.state == LineState::Received));
        }
    }
    assert!(shown.contains(&(3, 7, false)), "{shown:?}");
    assert_eq!(shown.last(), Some(&(7, 7, true)));
    assert!(it.document(0) == Some(sent));
    assert!(it.document(1).is_none());
    let session = it.unlock();
    let line = &lines(&session)[0];
    assert_eq!((line.who, line.state), (Who::You, LineState::Acknowledged));
    assert_eq!(line.document.as_ref().unwrap().arrived, 7);
    assert_eq!(it.town.messages, 7, "each part once");
    assert_eq!(it.at_desk()[0].who, Who::Source);
}

// MBX-13
#[tokio::test]
async fn the_longest_document_moves_into_the_queue_at_each_opening_and_never_while_locked() {
    let mut it = Pair::new(110).await;
    let sent = document("x", 60 * PART - 39);
    let session = it.begin();
    let plan = session.plan("x", sent.content.len());
    assert_eq!((plan.parts, plan.openings, plan.always_ms), (60, 2, 60 * u64::from(crate::town::T)));
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    let queued = |session: &Session| lines(session)[0].document.clone().unwrap().queued;
    assert_eq!(usize::from(queued(&session)), QUEUE);
    assert_eq!(session.plan("x", 1).openings, 2, "behind what waits");
    drop(session);
    it.rounds(10).await;
    assert_eq!(it.town.messages, 9, "the tenth is still to be mixed");
    it = it.restarted().await;
    it.rounds(45).await;
    assert_eq!(it.town.messages, 48, "a locked device leaves the rest where it is");
    let session = it.unlock();
    assert_eq!(queued(&session), 12);
    drop(session);
    it.rounds(16).await;
    assert!(it.document(0) == Some(sent));
    // And one of a mebibyte finds room, twice and no more often.
    let session = it.unlock();
    let large = document("large", MAX_CONTENT);
    let mut kept = 0;
    let refused = loop {
        match session.attach(it.town.desk, &large, it.now()) {
            Ok(_) => kept += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!((kept, refused), (3, WriteError::MailboxFull));
    assert_eq!(lines(&session)[1].document.clone().unwrap().parts, 296);
    // What is left is for their boxes, 110 KB each at most, for answers, and for a draft that is not too long.
    let desk = it.town.desk;
    session.keep_draft(desk, &"x".repeat(240_000));
    assert!(session.draft(desk).is_none() && !session.is_full());
    let longest = (1..240_000).rev().step_by(1_000).find(|length| {
        session.keep_draft(desk, &"x".repeat(*length));
        session.draft(desk).is_some()
    });
    assert!(longest.is_some() && session.is_full());
    session.keep_draft(desk, "");
    for (wrong, why) in [
        (document("large", MAX_CONTENT + 1), Unfit::TooLong(MAX_CONTENT + 1)),
        (document("large", 0), Unfit::Empty),
        (document("a/b", 1), Unfit::Name),
    ] {
        assert_eq!(session.attach(it.town.desk, &wrong, it.now()), Err(WriteError::Unfit(why)));
    }
}

#[tokio::test]
async fn a_document_of_a_mebibyte_arrives_whole_in_its_296_parts() {
    let mut it = town::Pair::new(160).await;
    let sent = document("Minutes.pdf", MAX_CONTENT);
    let session = it.source.begin(&passphrase(1)).unwrap();
    let plan = session.plan(&sent.name, sent.content.len());
    assert_eq!((plan.parts, plan.openings), (296, 7));
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    drop(session);
    let [desk, source] = [&it.desk, &it.source].map(Arc::clone);
    let mut arrived = vec![];
    for _ in 0..plan.openings {
        for n in 0..QUEUE {
            it.town.quiet(it.r, &[&source, &desk], |_| ()).await;
            it.r += 1;
            if n % 12 == 11 {
                it.inbox.collect();
            }
        }
        let view = it.inbox.conversations()[0].lines[0].document.clone().unwrap();
        arrived.push((view.arrived, view.parts));
        source.unlock(&passphrase(1)).unwrap().unwrap();
    }
    assert_eq!(arrived, [(47, 296), (95, 296), (143, 296), (191, 296), (239, 296), (287, 296), (296, 296)]);
    let [conversation] = &it.inbox.conversations()[..] else { panic!("one conversation") };
    assert!(it.inbox.document(conversation.id, 0) == Some(sent));
    assert_eq!(conversation.lines[0].state, LineState::Received);
    assert_eq!(it.town.messages, 296, "each part once");
    let session = source.unlock(&passphrase(1)).unwrap().unwrap();
    session.refresh();
    assert_eq!(lines(&session)[0].state, LineState::Acknowledged);
}

#[tokio::test]
async fn doc_06_what_is_written_meanwhile_goes_before_the_remaining_parts() {
    let mut it = Pair::new(120).await;
    let sent = document("x", 50 * PART);
    let session = it.begin();
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    it.rounds(4).await;
    session.refresh();
    // The queue is full of parts again.
    let leaves = session.write(it.town.desk, "Read page 3 first.", it.now()).unwrap();
    assert_eq!(leaves.place, 0);
    it.rounds(3).await;
    let texts: Vec<_> =
        it.at_desk().iter().filter(|line| line.document.is_none()).map(|l| l.text.to_string()).collect();
    assert_eq!(texts, ["Read page 3 first."]);
    assert!(it.at_desk().iter().any(|line| matches!(line.state, LineState::UnderWay { .. })));
    // The desk answers on the text's chain meanwhile.
    it.inbox.answer(it.inbox.conversations()[0].id, "Thank you.", it.now()).unwrap();
    it.rounds(4).await;
    assert_eq!(session.refresh(), 1);
    // The part that fell out is sealed again: nothing is missing in the end.
    for _ in 0..50 {
        it.round(|_| ()).await;
        session.refresh();
    }
    assert!(it.document(0) == Some(sent));
    assert_eq!(it.town.messages, 52, "51 parts and a text, each once");
}

/// P8: a document takes hours, and the desk may answer meanwhile. Once it is whole somebody is to look at it.
#[tokio::test]
async fn a_document_that_becomes_whole_after_an_answer_raises_its_conversation() {
    let mut it = Pair::new(125).await;
    let session = it.begin();
    session.attach(it.town.desk, &document("x", 7 * PART), it.now()).unwrap();
    it.rounds(5).await;
    let conversation = |it: &Pair| it.inbox.conversations().swap_remove(0);
    assert!(conversation(&it).unanswered);
    it.inbox.answer(conversation(&it).id, "Thank you.", it.now()).unwrap();
    let mut whole = false;
    for _ in 0..8 {
        whole = conversation(&it).lines[0].state == LineState::Received;
        assert_eq!(conversation(&it).unanswered, whole);
        it.round(|_| ()).await;
    }
    let raised = conversation(&it);
    assert!(whole && raised.newest == raised.lines[0].at && raised.newest > raised.lines[1].at);
    it.inbox.answer(raised.id, "We have it.", it.now()).unwrap();
    assert!(!conversation(&it).unanswered);
}

#[tokio::test]
async fn doc_07_a_document_taken_back_leaves_nothing_behind_that_waits() {
    let mut it = Pair::new(130).await;
    let session = it.begin();
    session.attach(it.town.desk, &document("x", 60 * PART), it.now()).unwrap();
    it.rounds(3).await;
    let conversation = &session.conversations()[0];
    session.take_back_document(conversation.id, 0, it.now());
    let line = &lines(&session)[0];
    let view = line.document.clone().unwrap();
    assert_eq!((line.state, view.queued, view.left), (LineState::TakenBack, 0, 3));
    session.refresh();
    it.rounds(60).await;
    session.refresh();
    drop(session);
    it = it.restarted().await;
    assert_eq!(it.town.messages, 3);
    let line = &lines(&it.unlock())[0];
    assert_eq!((line.state, line.document.clone().unwrap().arrived), (LineState::TakenBack, 3));
    // The room is free again, and another document goes.
    let session = it.unlock();
    let sent = document("y", 2 * PART);
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    it.rounds(6).await;
    assert!(it.document(61) == Some(sent));
    assert!(matches!(it.at_desk()[0].state, LineState::UnderWay { .. }), "the first never becomes whole");
}

#[tokio::test]
async fn lost_parts_are_sealed_anew_and_when_that_is_over_their_source_is_told() {
    let mut it = Pair::new(140).await;
    let sent = document("x", 3 * PART);
    let session = it.begin();
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    drop(session);
    // Parts 1 and 3, which left in rounds 2 and 4, are lost, and when they are sealed anew once more.
    for (until, lost, quiet_until) in [(10, [3, 5], 125), (130, [126, 127], 245)] {
        while it.r < until {
            let r = it.r;
            it.round(|town| {
                if lost.contains(&r) {
                    town.lose();
                }
            })
            .await;
        }
        it.away(quiet_until, |_| ()).await;
        if quiet_until == 125 {
            drop(it.unlock());
        }
    }
    it.rounds(5).await;
    assert!(it.document(0).is_none());
    assert_eq!((it.at_desk()[0].document.as_ref().unwrap().arrived, it.town.messages), (2, 6));
    drop(it.unlock());
    it.rounds(10).await;
    assert!(it.document(0) == Some(sent), "the third time they came through");
    assert_eq!(lines(&it.unlock())[0].state, LineState::Acknowledged);
    assert_eq!(it.town.messages, 8);
    let mut gone = Pair::new(150).await;
    let session = gone.begin();
    session.attach(gone.town.desk, &document("x", 10), gone.now()).unwrap();
    drop(session);
    for _ in 0..41 {
        drop(gone.unlock());
        gone.away(gone.r + 10, Town::lose).await;
    }
    assert_eq!(lines(&gone.unlock())[0].state, LineState::Unknown { before: None });
    // Also after 42 days, when nobody listens to its chains any more.
    gone.r += 1_010;
    gone.round(Town::lose).await;
    for _ in 0..2 {
        assert_eq!(lines(&gone.unlock())[0].state, LineState::Unknown { before: None });
    }
    gone.rounds(2).await;
    gone.town.mix();
    assert_eq!(gone.town.messages, 3);
    // What nobody knows of can be taken back too.
    let session = gone.unlock();
    session.take_back_document(session.conversations()[0].id, 0, gone.now());
    assert_eq!(lines(&session)[0].state, LineState::TakenBack);
}

#[tokio::test]
async fn cnv_10_a_part_lost_long_ago_is_sealed_anew_all_the_same() {
    let mut it = Pair::new(160).await;
    let session = it.begin();
    let sent = document("x", 10);
    session.attach(it.town.desk, &sent, it.now()).unwrap();
    drop(session);
    it.away(it.r + 10, Town::lose).await;
    drop(it.unlock());
    it.r += 1_010;
    it.round(Town::lose).await;
    let session = it.unlock();
    let view = lines(&session)[0].document.clone().unwrap();
    assert_eq!((view.queued, view.left), (1, 1));
    it.rounds(5).await;
    assert!(it.document(0) == Some(sent));
}

#[tokio::test]
async fn of_a_document_taken_back_it_stays_said_how_much_had_left() {
    let mut it = Pair::new(170).await;
    let session = it.begin();
    session.attach(it.town.desk, &document("x", 5 * PART), it.now()).unwrap();
    it.away(it.r + 3, Town::lose).await;
    session.refresh();
    session.take_back_document(session.conversations()[0].id, 0, it.now());
    it.r += 1_010;
    it.round(Town::lose).await;
    session.refresh();
    let line = &lines(&session)[0];
    let view = line.document.clone().unwrap();
    assert_eq!((line.state, view.left, view.arrived), (LineState::TakenBack, 1, 0));
}
