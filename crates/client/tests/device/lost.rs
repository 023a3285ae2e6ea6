//! What is lost, late or rarely fetched: sealed anew, repeated, and told. Real devices and their real exchange; the town loses
//! what it is told to.

use std::sync::Arc;

use crate::town::{GENESIS, Listed, Pair, T, Town, inbox, intake_keys, intake_keys_of, passphrase};
use client::{AnswerError, Device, Inbox, LineState, Place, Session, Stays, Vault, Who, WriteError};
use proto::sign::IdentitySecret;
use proto::{Clock as _, Millis};
use rand::{SeedableRng, rngs::StdRng};

impl Pair {
    /// A round in which both devices are on.
    async fn round(&mut self, late: impl FnOnce(&mut Town)) {
        self.town.quiet(self.r, &[&self.source, &self.desk], late).await;
        self.inbox.collect();
        self.r += 1;
    }

    /// Rounds in which the desk is on, and the source in every `every`th.
    async fn quiet(&mut self, n: u32, every: u32) {
        for _ in 0..n {
            let both: [&Device; 2] = [&self.source, &self.desk];
            let on = if self.r.is_multiple_of(every) { &both[..] } else { &both[1..] };
            self.town.quiet(self.r, on, |_| ()).await;
            self.inbox.collect();
            self.r += 1;
        }
    }

    fn unlock(&self) -> Session {
        self.source.unlock(&passphrase(1)).unwrap().unwrap()
    }

    fn answer_state(&self) -> (LineState, u8) {
        let line = &self.inbox.conversations()[0].lines[1];
        (line.state, line.times)
    }
}

fn lines(session: &Session) -> Vec<(Who, String, LineState, u8)> {
    let all = session.conversations().into_iter().flat_map(|c| c.lines);
    all.map(|l| (l.who, l.text.to_string(), l.state, l.times)).collect()
}

/// Rounds `from..to` in which the source is on in every tenth and the last, and everything is lost.
async fn lost_rounds(town: &mut Town, source: &Device, rounds: std::ops::Range<u32>) {
    let last = rounds.end - 1;
    for r in rounds {
        let on: &[&Device] = if r.is_multiple_of(10) || r == last { &[source] } else { &[] };
        town.quiet(r, on, Town::lose).await;
    }
}

#[tokio::test]
async fn cnv_10_a_lost_message_is_sealed_anew_twice_at_an_unlocking_and_then_its_source_is_told() {
    let mut town = Town::found(30).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let source = town.open(town.config(place()), 1);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "lost", town.start(1)).unwrap();
    drop(session);
    // It leaves in round 1, while the mailbox is closed; and the program is started anew.
    town.quiet(1, &[&source], Town::lose).await;
    drop(source);
    let source = town.open(town.config(place()), 2);
    lost_rounds(&mut town, &source, 2..121).await;
    assert_eq!(town.messages, 1, "a device never sends by itself");
    let unlock = || source.unlock(&passphrase(1)).unwrap().unwrap();
    let end = |r| GENESIS + u64::from(T) * (r + 1);
    assert_eq!(lines(&unlock())[0].2, LineState::Left { before: Millis(end(1)) });
    for (times, leaves) in [(2, 122), (3, 243)] {
        lost_rounds(&mut town, &source, leaves - 1..leaves).await;
        assert_eq!(town.messages + 1, times, "119 rounds were not enough");
        let session = unlock();
        let line = &lines(&session)[0];
        assert!(matches!(line.2, LineState::Waiting { .. }) && line.3 == times as u8, "{line:?}");
        // Once more changes nothing: it is on its way.
        drop(session);
        assert_eq!(lines(&unlock())[0].3, times as u8);
        lost_rounds(&mut town, &source, leaves..leaves + 1).await;
        town.mix();
        assert_eq!(town.messages, times);
        lost_rounds(&mut town, &source, leaves + 1..leaves + 120).await;
        assert_eq!(lines(&unlock())[0].2, LineState::Left { before: Millis(end(u64::from(leaves))) });
    }
    lost_rounds(&mut town, &source, 363..364).await;
    for _ in 0..2 {
        assert_eq!(lines(&unlock())[0].2, LineState::Unknown { before: Some(Millis(end(243))) });
    }
    lost_rounds(&mut town, &source, 364..366).await;
    assert_eq!(town.messages, 3, "no more");
    let distinct: std::collections::HashSet<_> = town.blobs.iter().collect();
    assert_eq!(distinct.len(), town.blobs.len());
}

#[tokio::test]
async fn cnv_10_a_message_lost_long_ago_is_sealed_anew_and_never_said_to_be_given_up_too_early() {
    let mut it = Pair::new(35).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "lost", it.now()).unwrap();
    drop(session);
    for _ in 0..10 {
        it.round(Town::lose).await;
    }
    assert!(matches!(lines(&it.unlock())[0].2, LineState::Left { .. }));
    // Nobody looks for six weeks.
    it.r += 1_010;
    it.round(Town::lose).await;
    let session = it.unlock();
    let line = &lines(&session)[0];
    assert!(matches!(line.2, LineState::Waiting { .. }) && line.3 == 2, "{line:?}");
    it.quiet(4, 1).await;
    assert_eq!(it.inbox.conversations()[0].lines.len(), 1);
}

/// Keys of messages and parts of answers are for six weeks: a look under a wrong clock is no reason to forget them.
#[tokio::test]
async fn one_look_under_a_wrong_clock_loses_no_answer() {
    let mut it = Pair::in_town(Town::found(37).await, 37, 1_055).await;
    // The desk has a pass on the second day that it sees whole.
    it.quiet(26, 1).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let right = |it: &Pair| it.town.start(it.r);
    let look_at = |it: &Pair, round| {
        it.town.clock.set(it.town.start(round));
        session.refresh();
        it.town.clock.set(right(it));
        session.refresh();
    };
    // Six weeks and more ahead, with half an answer there.
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.quiet(4, 1).await;
    it.inbox.answer(it.inbox.conversations()[0].id, &"an answer ".repeat(150), it.now()).unwrap();
    let mut held = vec![];
    for _ in 0..6 {
        it.round(|town| {
            if town.slots.len() > 1 {
                held.extend(town.slots.drain(1..));
            }
        })
        .await;
        session.refresh();
    }
    assert!(!held.is_empty() && lines(&session).len() == 1, "half of it came");
    let ahead = it.r + 1_100;
    look_at(&it, ahead);
    it.round(|town| town.slots.append(&mut held)).await;
    it.quiet(2, 1).await;
    assert_eq!((session.refresh(), lines(&session).len()), (1, 2));
    // And far behind, where the message has long left the trail.
    session.write(it.town.desk, "another", it.now()).unwrap();
    it.quiet(125, 1).await;
    look_at(&it, 3);
    it.inbox.answer(it.inbox.conversations()[0].id, "another answer", it.now()).unwrap();
    it.quiet(4, 1).await;
    assert_eq!(session.refresh(), 1);
    assert_eq!(lines(&session)[2].3, 1, "nothing was sealed anew");
}

#[tokio::test]
async fn boxes_of_one_message_come_late_in_any_order_and_each_answers_for_it() {
    for answers in [0, 1] {
        let mut it = Pair::new(40 + answers as u64).await;
        let session = it.source.begin(&passphrase(1)).unwrap();
        session.write(it.town.desk, "a tip", it.now()).unwrap();
        drop(session);
        let mut held = vec![];
        for r in 0..250 {
            if r == 122 {
                assert_eq!(lines(&it.unlock())[0].3, 2);
            }
            it.round(|town| held.append(&mut town.boxes)).await;
        }
        assert_eq!(held.len(), 2);
        // The newer box first; of their acknowledgements only one comes through.
        for n in [1, 0] {
            let boxed = held[n].clone();
            it.round(|town| town.boxes.push(boxed)).await;
            for _ in 0..4 {
                it.round(|town| {
                    if n != answers {
                        town.slots.clear();
                    }
                })
                .await;
            }
        }
        assert_eq!(it.inbox.conversations()[0].lines.len(), 1, "one message");
        // Before this unlocking the second box was gone for 120 rounds too: the drops are looked through first.
        let session = it.unlock();
        assert_eq!((lines(&session)[0].2, lines(&session)[0].3), (LineState::Acknowledged, 2));
        it.inbox.answer(it.inbox.conversations()[0].id, "an answer", it.now()).unwrap();
        it.quiet(4, 1).await;
        assert_eq!(session.refresh(), 1);
    }
}

#[tokio::test]
async fn cnv_12_an_answer_of_which_nothing_is_heard_is_repeated_twice_and_shown_once() {
    let mut it = Pair::new(50).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.quiet(3, 1).await;
    let answer = "an answer ".repeat(150);
    it.inbox.answer(it.inbox.conversations()[0].id, &answer, it.now()).unwrap();
    it.round(|_| ()).await;
    let left = it.r - 1;
    assert!(matches!(it.answer_state(), (LineState::Left { .. }, 1)));
    it.round(Town::lose).await;
    // Collected in round `left + 96`, the first edition of which this can be said.
    while it.r < left + 96 {
        it.round(|_| ()).await;
    }
    assert!(matches!(it.answer_state(), (LineState::Left { .. }, 1)));
    assert_eq!(session.refresh(), 0, "the first was lost");
    it.round(|_| ()).await;
    assert!(matches!(it.answer_state(), (LineState::Waiting { .. }, 2)));
    it.quiet(4, 1).await;
    assert_eq!(session.refresh(), 1);
    while it.r < left + 97 + 144 {
        it.round(|_| ()).await;
    }
    assert!(matches!(it.answer_state(), (LineState::Left { .. }, 2)));
    it.round(|_| ()).await;
    assert!(matches!(it.answer_state(), (LineState::Waiting { .. }, 3)));
    it.quiet(200, 10).await;
    assert!(matches!(it.answer_state(), (LineState::Unknown { before: Some(_) }, 3)), "no more");
    assert_eq!((session.refresh(), lines(&session).len()), (0, 2), "once");
    // What the source has rides on what it writes.
    session.write(it.town.desk, "Thank you.", it.now()).unwrap();
    it.quiet(13, 1).await;
    assert_eq!(it.answer_state(), (LineState::Acknowledged, 3));
}

#[tokio::test]
async fn a_reader_who_is_on_one_round_in_ten_gets_every_answer() {
    let mut it = Pair::new(60).await;
    drop(it.source.begin(&passphrase(1)).unwrap());
    let (mut answered, mut asked) = (0, 0);
    for _ in 0..12 {
        // Whenever the device is on, its owner looks, and writes.
        it.quiet(10, 10).await;
        let session = it.unlock();
        if asked < 4 {
            session.write(it.town.desk, &format!("question {asked}"), it.now()).unwrap();
            asked += 1;
        }
        drop(session);
        let conversations = it.inbox.conversations();
        let Some(conversation) = conversations.first() else { continue };
        let questions = conversation.lines.iter().filter(|line| line.who == Who::Source).count();
        while answered < questions {
            let text = format!("answer {answered} ").repeat(200);
            it.inbox.answer(conversation.id, &text, it.now()).unwrap();
            answered += 1;
        }
    }
    let session = it.unlock();
    let mut shown: Vec<_> = lines(&session);
    shown.retain(|line| line.0 == Who::Desk);
    let mut texts: Vec<_> = shown.into_iter().map(|line| line.1).collect();
    texts.sort();
    assert_eq!(texts, (0..4).map(|n| format!("answer {n} ").repeat(200)).collect::<Vec<_>>());
    assert!(lines(&session).iter().filter(|l| l.0 == Who::You).all(|l| l.2 == LineState::Acknowledged));
}

#[tokio::test]
async fn cnv_13_a_desk_that_cannot_answer_is_told_what_to_do() {
    let mut it = Pair::new(70).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.quiet(3, 1).await;
    let id = it.inbox.conversations()[0].id;
    assert_eq!(it.inbox.conversations()[0].room, 15_104);
    let long = "x".repeat(15_104);
    for _ in 0..3 {
        it.inbox.answer(id, &long, it.now()).unwrap();
    }
    it.inbox.answer(id, &"x".repeat(13 * 944), it.now()).unwrap();
    assert_eq!(it.inbox.conversations()[0].room, 3 * 944);
    let few = it.inbox.answer(id, &long, it.now());
    assert_eq!(few, Err(AnswerError::NoLinks { room: 3 * 944 }));
    it.inbox.answer(id, &"x".repeat(3 * 944), it.now()).unwrap();
    assert_eq!(it.inbox.answer(id, "more", it.now()), Err(AnswerError::NoLinks { room: 0 }));
    // The source writes again, and there is room again.
    session.write(it.town.desk, "go on", it.now()).unwrap();
    it.quiet(3, 1).await;
    assert_eq!(it.inbox.conversations()[0].room, 15_104);
    let came = it.r - 2;
    it.town.clock.set(it.town.start(came + 672));
    it.inbox.answer(id, "in time", it.now()).unwrap();
    it.town.clock.set(it.town.start(came + 673));
    assert_eq!(it.inbox.answer(id, "too late", it.now()), Err(AnswerError::TooOld));
    let line = it.inbox.conversations().swap_remove(0).lines.pop().unwrap();
    assert_eq!(
        (line.text.as_str(), line.state),
        ("in time", LineState::Stays(Stays::NoLinks)),
        "it never left"
    );
    assert_eq!(it.inbox.conversations()[0].room, 0);
}

#[tokio::test]
async fn who_collects_at_the_same_time_finds_each_message_once() {
    let mut it = Pair::new(82).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    for n in 0..6 {
        session.write(it.town.desk, &format!("message {n}"), it.now()).unwrap();
    }
    for r in it.r..it.r + 10 {
        it.town.quiet(r, &[&it.source, &it.desk], |_| ()).await;
    }
    let new = std::thread::scope(|scope| {
        let all = [(); 4].map(|()| scope.spawn(|| it.inbox.collect()));
        all.map(|one| one.join().unwrap()).into_iter().sum::<usize>()
    });
    let [conversation] = &it.inbox.conversations()[..] else { panic!("one conversation") };
    assert_eq!((new, conversation.lines.len()), (6, 6));
    assert_eq!(it.inbox.conversation(conversation.id).unwrap().lines.len(), 6);
    assert!(it.inbox.conversation([0; 8]).is_none());
}

#[tokio::test]
async fn one_mailbox_holds_conversations_with_several_desks() {
    let mut it = Pair::new(80).await;
    let mut rng = StdRng::seed_from_u64(80);
    let [first, other] =
        [IdentitySecret::from_seed(&it.town.desk_identity), IdentitySecret::generate(&mut rng)];
    let since = 1 + 48;
    let listed = [(&first, 0, 0xde), (&other, since, 0xdf)];
    let listed = listed.map(|(desk, since, n)| Listed { desk, since, intake: intake_keys_of(n) });
    it.town.directory = it.town.directory_with(None, &listed);
    let config = client::Config {
        desk: Some(IdentitySecret::from_seed(&other.to_seed())),
        ..it.town.config(Place::Memory)
    };
    let other_desk = it.town.open(config, 83);
    let other_inbox =
        inbox(&other_desk, *other.to_seed(), intake_keys_of(0xdf), &it.folder.path().join("other"));
    // Until the day after the one on which it can be written to, with the pass of that day.
    let r = 73;
    for r in it.r..=r {
        it.town.quiet(r, &[&it.source, &it.desk, &other_desk], |_| ()).await;
    }
    it.inbox.collect();
    other_inbox.collect();
    let desks: Vec<_> = it.source.desks().into_iter().map(|desk| desk.id).collect();
    assert_eq!(desks.len(), 2);
    let session = it.source.begin(&passphrase(1)).unwrap();
    for (n, desk) in desks.iter().enumerate() {
        session.write(*desk, &format!("to desk {n}"), it.now()).unwrap();
    }
    let inboxes = |it: &Pair| {
        it.inbox.collect();
        other_inbox.collect();
    };
    for r in r + 1..r + 6 {
        it.town.quiet(r, &[&it.source, &it.desk, &other_desk], |_| ()).await;
        inboxes(&it);
    }
    let ours = desks.iter().position(|desk| *desk == it.town.desk).unwrap();
    for (inbox, n) in [(&it.inbox, ours), (&other_inbox, 1 - ours)] {
        let [conversation] = &inbox.conversations()[..] else { panic!("one each") };
        assert_eq!(**conversation.lines[0].text, format!("to desk {n}"));
        inbox.answer(conversation.id, &format!("from desk {n}"), it.now()).unwrap();
    }
    for r in r + 6..r + 10 {
        it.town.quiet(r, &[&it.source, &it.desk, &other_desk], |_| ()).await;
        inboxes(&it);
    }
    assert_eq!(session.refresh(), 2);
    let conversations = session.conversations();
    assert_eq!(conversations.len(), 2);
    for (n, conversation) in conversations.iter().enumerate() {
        let texts: Vec<_> = conversation.lines.iter().map(|line| line.text.to_string()).collect();
        assert_eq!(texts, [format!("to desk {n}"), format!("from desk {n}")]);
        assert_eq!(conversation.desk.id, desks[n]);
        assert!(conversation.desk.name.contains(&desks[n].to_string()));
    }
    session.delete_conversation(conversations[0].id, it.now());
    let left: Vec<_> = session.conversations().into_iter().map(|c| c.id).collect();
    assert_eq!(left, [conversations[1].id]);
}

// MBX-13
#[tokio::test]
async fn a_full_mailbox_refuses_to_write_takes_answers_and_has_room_when_a_conversation_is_deleted() {
    let mut it = Pair::new(90).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let (long, mut written) = ("x".repeat(65_536), 0);
    let full = loop {
        match session.write(it.town.desk, &long, it.now()) {
            Ok(_) => written += 1,
            Err(WriteError::QueueFull) => it.quiet(4, 1).await,
            Err(other) => break other,
        }
    };
    // 3,906,500 bytes, of which 262,144 are for answers, 65,536 for each text and 3.4 KB for each chain.
    assert_eq!((full, written), (WriteError::MailboxFull, 52));
    session.keep_draft(it.town.desk, &long);
    assert!(session.draft(it.town.desk).is_none() && !session.is_full(), "nor does it take a draft as long");
    for length in (1..65_000).rev().step_by(500) {
        session.keep_draft(it.town.desk, &long[..length]);
        if session.draft(it.town.desk).is_some() {
            break;
        }
    }
    assert!(session.is_full(), "a shorter one does, and then nothing more");
    it.quiet(3, 1).await;
    let id = it.inbox.conversations()[0].id;
    it.inbox.answer(id, &"y".repeat(15_104), it.now()).unwrap();
    // Acknowledgements first, then sixteen parts in envelopes of four.
    it.quiet(10, 1).await;
    drop(session);
    let session = it.unlock();
    assert!(lines(&session).iter().any(|line| line.1 == "y".repeat(15_104)));
    assert!(session.is_full());
    it.town.mix();
    let before = it.town.messages;
    session.delete_conversation(session.conversations()[0].id, it.now());
    assert!(!session.is_full() && session.conversations().is_empty());
    session.write(it.town.desk, "a new beginning", it.now()).unwrap();
    it.quiet(4, 1).await;
    it.town.mix();
    assert_eq!(it.town.messages, before + 1, "what still waited was taken back");
    assert_eq!(it.inbox.conversations().len(), 2);
}

#[tokio::test]
async fn what_was_being_written_is_there_after_the_next_unlocking() {
    let mut town = Town::found(31).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let source = town.open(town.config(place()), 1);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.keep_draft(town.desk, "half a sen");
    session.keep_draft(town.desk, "half a sentence");
    drop(session);
    source.run(std::future::ready(())).await.unwrap();
    drop(source);
    let source = town.open(town.config(place()), 2);
    let session = source.unlock(&passphrase(1)).unwrap().unwrap();
    assert_eq!(session.drafts(), [town.desk]);
    assert_eq!(**session.draft(town.desk).unwrap(), *"half a sentence");
    // Sent, it is no draft any more; nor is one that was cleared.
    session.write(town.desk, "a whole sentence", town.clock.now()).unwrap();
    assert!(session.drafts().is_empty());
    session.keep_draft(town.desk, "and");
    session.keep_draft(town.desk, " \n");
    assert!(session.drafts().is_empty() && session.draft(town.desk).is_none());
}

// MBX-14
#[tokio::test]
async fn a_deleted_mailbox_is_one_that_was_never_begun() {
    let mut town = Town::found(32).await;
    let folder = tempfile::tempdir().unwrap();
    let place = || Place::Folder(folder.path().to_owned());
    let source = town.open(town.config(place()), 1);
    town.round(0, &[&source]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    for n in 0..3 {
        session.write(town.desk, &format!("message {n}"), town.clock.now()).unwrap();
    }
    town.quiet(1, &[&source], |_| ()).await;
    let gone = session.delete_mailbox(town.clock.now()).unwrap();
    assert!(!session.is_open() && session.conversations().is_empty());
    assert_eq!(session.write(town.desk, "more", town.clock.now()), Err(WriteError::Locked));
    assert_eq!(session.delete_mailbox(town.clock.now()), None);
    while town.clock.now() < gone {
        let stepped = source.step(town.clock.now()).await;
        town.clock.set(stepped.next.min(gone));
    }
    drop((session, source));
    assert_eq!(std::fs::metadata(folder.path().join("mailbox")).unwrap().len(), 4_194_304);
    let source = town.open(town.config(place()), 2);
    assert!(source.unlock(&passphrase(1)).unwrap().is_none());
    let now = town.schedule().round_at(town.clock.now()).unwrap().0;
    for r in now + 1..now + 4 {
        town.quiet(r, &[&source], |_| ()).await;
    }
    town.mix();
    assert_eq!(town.messages, 1, "the one that had left");
    // And it can be begun again.
    let session = source.begin(&passphrase(2)).unwrap();
    session.write(town.desk, "anew", town.clock.now()).unwrap();
    assert!(source.unlock(&passphrase(1)).unwrap().is_none());
}

/// KEY-03, P8: a desk that was off for weeks, and is unlocked before its first exchange, opens what the edge still has for it.
#[tokio::test]
async fn key_03_what_the_edge_still_has_is_opened_before_a_key_is_deleted() {
    let mut town = Town::found(83).await;
    let folder = tempfile::tempdir().unwrap();
    let (place, file) = (|| Place::Folder(folder.path().join("desk")), folder.path().join("vault"));
    let (source, desk) = (town.reader(84), town.open(town.desk_config(place()), 85));
    let before = inbox(&desk, town.desk_identity, intake_keys(), &file);
    town.round(160, &[&source, &desk]).await;
    // Sealed to the desk's key of the first week, by a device that is off until that is over.
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "a tip", town.clock.now()).unwrap();
    town.quiet(200, &[&desk], |_| ()).await;
    before.collect();
    drop((before, desk));
    town.quiet(300, &[&source], |_| ()).await;
    town.quiet(302, &[], |_| ()).await;
    let over = 167 + 336 + 1;
    town.clock.set(town.start(over));
    let desk = town.open(town.desk_config(place()), 86);
    let inbox = Inbox::new(Arc::clone(&desk), Vault::unlock(&file, &passphrase(9)).unwrap());
    assert_eq!(inbox.collect(), 0);
    town.quiet(over, &[&desk], |_| ()).await;
    assert_eq!(inbox.collect(), 1);
}

/// P8: an answer that came before its reader was off for weeks, and that nobody looked at, is there afterwards.
#[tokio::test]
async fn an_answer_that_came_before_weeks_off_is_there_afterwards() {
    let mut it = Pair::new(80).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    drop(session);
    it.rounds(27).await;
    let conversation = it.inbox.conversations().swap_remove(0).id;
    it.inbox.answer(conversation, "an answer", it.now()).unwrap();
    it.rounds(5).await;
    it.r = 500;
    it.rounds(2).await;
    assert!(it.source.status().started_over);
    let session = it.source.unlock(&passphrase(1)).unwrap().unwrap();
    let lines: Vec<_> = session.conversations()[0].lines.iter().map(|line| line.text.to_string()).collect();
    assert_eq!(lines, ["a tip", "an answer"]);
}
