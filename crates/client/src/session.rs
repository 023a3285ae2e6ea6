//! An unlocked mailbox: writing to a desk, and what came back. Nothing here touches the network; what is written waits in
//! the queue, and answers are in drops that every device has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proto::conversation::TooLong;
use proto::directory::Directory;
use proto::document::{self, Document, Format, Unfit};
use proto::envelope;
use proto::{DeskId, Millis, Round};
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::cleaning::{Sizes, named};
use crate::conversations::{
    Content, Conversation, FOR_ANSWERS, Keys, MAX_CONVERSATIONS, PATIENCE, SEALINGS, Said,
};
use crate::device::{DeskView, ExitKeys, Held, Inner, Leaves, Open};
use crate::documents::{DocumentView, Outbound, Plan};
use crate::listen::{Brought, Expected};
use crate::mailbox::{Hint, Mailbox, QUEUE, QueueFull, RegionFull, Waiting};
use crate::seal::StoreKey;

/// Bytes that a short message takes in the region, with its chain.
const SHORT: usize = 4 * 1024;

/// An unlocked mailbox. Dropping it locks. A later one takes over: then this one is locked, and says so.
pub struct Session {
    inner: Arc<Inner>,
    opened: u64,
    /// The mailbox's change with which something was written or deleted last, or with which this was opened.
    changed: AtomicU64,
    /// By when the first such change since all of them were on the disk is to be there, in ms.
    kept_by: AtomicU64,
}

/// A conversation, for the screen.
pub struct ConversationView {
    /// Its name on this device.
    pub id: [u8; 8],
    /// With whom.
    pub desk: DeskView,
    /// In order.
    pub lines: Vec<Line>,
}

/// One line of a conversation, for the screen.
pub struct Line {
    /// Whose it is.
    pub who: Who,
    /// The text; of a document, its name.
    pub text: Zeroizing<String>,
    /// If it is a document.
    pub document: Option<DocumentView>,
    /// Where it can be by now.
    pub state: LineState,
    /// How many times it was put on its way: more than once if it was not acknowledged in time. 0 for what came.
    pub times: u8,
    /// The round it was written or received in.
    pub at: Round,
}

/// Whose a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The source's own, on the source's screen.
    You,
    /// The source's, on the desk's screen.
    Source,
    /// The desk's.
    Desk,
}

/// Why nobody can say when an answer leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// There is no pass that all desks have.
    NoPass,
    /// The source's newest message is too old to be answered, or has been answered too much: the source has to write again.
    NoLinks,
    /// It gets a place once there is one: what was written before it may take them all for now.
    NoPlace,
    /// As things are now nothing leaves this device by then, or nothing is sealed.
    Halted,
}

/// Where a line can be by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// It waits in the queue.
    Waiting {
        /// It leaves not before.
        from: Millis,
        /// It leaves not after, if the device goes on as always.
        until: Millis,
    },
    /// At a desk: it waits, and nobody knows until when.
    Stays(Stays),
    /// It has left this device.
    Left {
        /// At some time before this.
        before: Millis,
    },
    /// It left long ago and was not acknowledged. It may be lost; it is sealed anew at the next unlocking.
    Overdue {
        /// It left at some time before this.
        before: Millis,
    },
    /// It was sent as often as anything ever is, and was not acknowledged. Nobody knows whether it arrived.
    Unknown {
        /// It left for the last time at some time before this; not told of documents.
        before: Option<Millis>,
    },
    /// A document of which the desk has not every part yet.
    UnderWay {
        /// The last part does not leave before this; at a desk, does not come before this.
        least: Millis,
    },
    /// A document that was taken back before all of it had left.
    TakenBack,
    /// A document whose parts are all there, and are not what its sender's device said they would be.
    Damaged,
    /// The other end has it.
    Acknowledged,
    /// It came from the other end.
    Received,
}

/// Why a message was not sealed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The mailbox is locked, or open elsewhere.
    #[error("the mailbox is locked")]
    Locked,
    /// No edition was verified yet, so there is no queue to wait in; or the device was off for more than a week, and has not made an
    /// exchange since.
    #[error("the next edition is still to come; nothing can be written before")]
    TooEarly,
    /// The desk is not in the directory, or has no key for this round.
    #[error("this desk cannot be written to now")]
    NoDesk,
    /// The text does not fit.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The document cannot be sent as it is.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// 48 messages wait already.
    #[error("too many messages wait to leave; try again later")]
    QueueFull,
    /// The mailbox can hold no more: what is left is for answers.
    #[error("the mailbox is full; delete a conversation to make room")]
    MailboxFull,
    /// There are as many conversations as a mailbox holds.
    #[error("there are {MAX_CONVERSATIONS} conversations; delete one to begin another")]
    TooMany,
}

impl Session {
    pub(crate) fn new(inner: &Arc<Inner>, held: &mut Held, key: StoreKey, content: Content) -> Self {
        held.opened += 1;
        held.open = Some(Open { key, hints: content.hint_key(), content });
        let changed = AtomicU64::new(held.mailbox.changes());
        let kept_by = AtomicU64::new(inner.durable_by().0);
        Self { inner: Arc::clone(inner), opened: held.opened, changed, kept_by }
    }

    /// Whether the mailbox is still open here.
    pub fn is_open(&self) -> bool {
        let held = self.inner.held();
        held.opened == self.opened && held.open.is_some()
    }

    /// Whether all that was written or deleted here is on the disk now, so that the program may be closed in any way. It becomes
    /// so with the next rewriting; after [`Leaves::durable_by`] it is `false` only if the disk fails.
    pub fn is_kept(&self) -> bool {
        self.is_written(&self.inner.held())
    }

    /// Whether something that was written or deleted here is not on the disk though its time is over, or though a rewriting was
    /// tried: to close the program now would undo it.
    pub fn is_unkept(&self, now: Millis) -> bool {
        let late = now.0 >= self.kept_by.load(Ordering::Relaxed) || self.inner.shown().unwritten;
        late && !self.is_kept()
    }

    fn is_written(&self, held: &Held) -> bool {
        held.mailbox.written() >= self.changed.load(Ordering::Relaxed)
    }

    /// Remembers that something was changed that its writer is told will be on the disk.
    fn keeps(&self, held: &Held) {
        if self.is_written(held) {
            self.kept_by.store(self.inner.durable_by().0, Ordering::Relaxed);
        }
        self.changed.store(held.mailbox.changes(), Ordering::Relaxed);
    }

    /// The conversations, in the order they were begun.
    pub fn conversations(&self) -> Vec<ConversationView> {
        let now = self.inner.clock.now();
        self.with(|held, open| {
            let looked = open.content.looked.unwrap_or(Round(0));
            let view = |c: &Conversation| ConversationView {
                id: c.id,
                desk: c.desk_view(),
                lines: c.lines.iter().map(|line| self.line(held, looked, c, line, now)).collect(),
            };
            open.content.conversations.iter().map(view).collect()
        })
        .unwrap_or_default()
    }

    fn line(&self, held: &Held, looked: Round, of: &Conversation, line: &Said, now: Millis) -> Line {
        match line {
            Said::Source { text, sequence, at, times, acknowledged } => {
                let state = if *acknowledged {
                    LineState::Acknowledged
                } else {
                    self.state(held, looked, of, *sequence, *times, now)
                };
                let text = text.shown();
                Line { who: Who::You, text, document: None, state, times: *times, at: *at }
            }
            Said::Desk { text, at, .. } => {
                let (text, state) = (text.shown(), LineState::Received);
                Line { who: Who::Desk, text, document: None, state, times: 0, at: *at }
            }
            Said::Document(document) => self.document_line(held, looked, of, document, now),
        }
    }

    fn document_line(
        &self,
        held: &Held,
        looked: Round,
        of: &Conversation,
        document: &Outbound,
        now: Millis,
    ) -> Line {
        let parts = document.fates.len() as u32;
        let numbers = document.first..document.first + parts;
        // Of each part, how many of its boxes wait.
        let (mut waiting, mut last) = (vec![0; document.fates.len()], 0);
        for sealed in of.boxes.iter().filter(|sealed| numbers.contains(&sealed.sequence)) {
            if let Some(place) = held.mailbox.find(&sealed.hint) {
                waiting[(sealed.sequence - document.first) as usize] += 1;
                last = last.max(place + 1);
            }
        }
        let fates = || document.fates.iter().zip(&waiting);
        let left = fates().filter(|(fate, waiting)| fate.acknowledged || fate.times > **waiting).count();
        let arrived = document.fates.iter().filter(|fate| fate.acknowledged).count() as u16;
        let lost = document.open(SEALINGS..u8::MAX).any(|number| of.is_overdue(number, looked));
        let state = if arrived == document.fates.len() as u16 {
            LineState::Acknowledged
        } else if document.taken_back {
            LineState::TakenBack
        } else if lost {
            LineState::Unknown { before: None }
        } else {
            let unsealed = document.open(0..1).count();
            let rounds = (last + unsealed) as u64;
            LineState::UnderWay { least: now.plus(rounds * u64::from(self.inner.schedule.round_ms)) }
        };
        let view = DocumentView {
            first: document.first,
            name: Some(document.name.0.clone()),
            format: Some(document.format),
            length: Some(document.length),
            sha256: None,
            parts: document.fates.len() as u16,
            left: left as u16,
            arrived,
            queued: waiting.iter().map(|waiting| u16::from(*waiting)).sum(),
        };
        let text = document.name.shown();
        Line { who: Who::You, text, document: Some(view), state, times: 1, at: document.at }
    }

    /// Where a message is that was not acknowledged: its newest box says.
    fn state(
        &self,
        held: &Held,
        looked: Round,
        of: &Conversation,
        sequence: u32,
        times: u8,
        now: Millis,
    ) -> LineState {
        let Some(sealed) = of.newest_box(sequence) else {
            // An older version of the program forgot boxes with their chains.
            return match times < SEALINGS {
                true => LineState::Overdue { before: now },
                false => LineState::Unknown { before: None },
            };
        };
        if let Some(place) = held.mailbox.find(&sealed.hint) {
            let leaves = self.inner.leaves(held, place, now);
            return LineState::Waiting { from: leaves.from, until: leaves.until };
        }
        let Some(left) = sealed.left.or_else(|| held.mailbox.left(&sealed.hint)) else {
            return LineState::Left { before: now };
        };
        // To the end of its round: no screen shows the instants that this device draws.
        let before = self.inner.schedule.end(left).min(now);
        match left.0.saturating_add(PATIENCE) <= looked.0 {
            false => LineState::Left { before },
            true if times < SEALINGS => LineState::Overdue { before },
            true => LineState::Unknown { before: Some(before) },
        }
    }

    /// Seals a message to a desk and puts it in the queue in the place of cover. It is on the disk after the next
    /// rewriting, which comes when it always comes.
    pub fn write(&self, desk: DeskId, text: &str, now: Millis) -> Result<Leaves, WriteError> {
        let inner = &self.inner;
        let mut rng = inner.rng();
        self.with(|held, open| {
            let to = To::of(inner, held, desk, now)?;
            // On a copy, so that a refusal changes nothing.
            let mut content = open.content.copy();
            let place = place_in(held, open, &content);
            let conversation = content.with(&to.desk, &mut rng).ok_or(WriteError::TooMany)?;
            let sequence = conversation.say(text, to.at);
            let (keys, week) = to.keys(inner, &held.mailbox, place);
            let blob = conversation.seal(sequence, &keys, &open.hints, &mut rng)?;
            content.keep_draft(desk, "");
            let place = self.place(held, open, content, &Waiting { blob, week }, &mut rng)?;
            Ok(inner.leaves(held, place, now))
        })
        .unwrap_or(Err(WriteError::Locked))
    }

    /// What sending a document with this name and so many bytes takes.
    pub fn plan(&self, name: &str, length: usize) -> Plan {
        let parts = document::parts(self.inner.wire.cascade, document::stream_len(name, length));
        let round_ms = u64::from(self.inner.schedule.round_ms);
        let waiting = self.with(|held, open| QUEUE - held.mailbox.covers(&open.hints).len()).unwrap_or(0);
        Plan::new(parts, waiting, round_ms)
    }

    /// The sizes that pictures are made in: what leaves a device that is always on within 10 and within 30 hours.
    pub fn sizes(&self, name: &str) -> Sizes {
        let (cascade, name) = (self.inner.wire.cascade, named(name, Format::Picture));
        let hours = |hours: u64| {
            let rounds = hours * 3_600_000 / u64::from(self.inner.schedule.round_ms);
            document::fits(cascade, &name, u16::try_from(rounds).unwrap_or(u16::MAX))
        };
        Sizes { ten: hours(10), thirty: hours(30) }
    }

    /// Begins a document: keeps all of it in the mailbox, and puts its first parts in the queue. More of them follow at each
    /// unlocking and each [`Self::refresh`]. Returns from when on all of it is on the disk.
    pub fn attach(&self, desk: DeskId, document: &Document, now: Millis) -> Result<Millis, WriteError> {
        let inner = &self.inner;
        let mut rng = inner.rng();
        self.with(|held, open| {
            let to = To::of(inner, held, desk, now)?;
            let mut content = open.content.copy();
            let conversation = content.with(&to.desk, &mut rng).ok_or(WriteError::TooMany)?;
            conversation.attach(document, inner.wire.cascade, to.at)?;
            self.keep(held, open, content, &mut rng)?;
            Ok(inner.leaves(held, 0, now).durable_by)
        })
        .unwrap_or(Err(WriteError::Locked))
        .inspect(|_| self.fill(now, false))
    }

    /// Takes a document back: its parts that wait are replaced by cover. What has left has left.
    pub fn take_back_document(&self, conversation: [u8; 8], first: u32, now: Millis) {
        let mut rng = self.inner.rng();
        self.with(|held, open| {
            let hints = shrink(&mut held.mailbox, open, &mut rng, |content, mailbox| {
                content.conversation(conversation).map(|it| it.take_back(first, mailbox)).unwrap_or_default()
            });
            self.keeps(held);
            self.take_back(held, &hints, now, &mut rng);
        });
    }

    /// Moves parts of documents into the places of cover; with `anew`, those too that were not acknowledged in time.
    fn fill(&self, now: Millis, anew: bool) {
        let inner = &self.inner;
        let mut rng = inner.rng();
        self.with(|held, open| {
            let places = held.mailbox.covers(&open.hints);
            if !held.mailbox.is_filled() || places.is_empty() || !open.content.has_parts(anew) {
                return;
            }
            let mut content = open.content.copy();
            let anew = if anew { content.looked } else { None };
            let desks: Vec<_> = content.conversations.iter().map(|c| c.desk).collect();
            let to: Vec<_> =
                desks.into_iter().filter_map(|desk| To::of(inner, held, desk, now).ok()).collect();
            let mailbox = &held.mailbox;
            let keys = |c: &Conversation, place| {
                to.iter().find(|to| to.desk.id == c.desk).map(|to| to.keys(inner, mailbox, place))
            };
            let parts = content.seal_parts(&places, anew, keys, &open.hints, &mut rng);
            // The room that its boxes take was kept free for them when the document was begun.
            if parts.is_empty() || held.mailbox.seal_region(&open.key, &content.to_bytes(), &mut rng).is_err()
            {
                return;
            }
            for part in &parts {
                held.mailbox.place(&open.hints, part).expect("there are as many places of cover");
            }
            self.keeps(held);
            open.content = content;
        });
    }

    /// Keeps what the mailbox is to hold, if answers still find room.
    fn keep(
        &self,
        held: &mut Held,
        open: &mut Open,
        content: Content,
        rng: &mut StdRng,
    ) -> Result<(), WriteError> {
        let bytes = content.to_bytes();
        if !leaves_room(held, &content, bytes.len()) {
            return Err(WriteError::MailboxFull);
        }
        held.mailbox.seal_region(&open.key, &bytes, rng).map_err(|RegionFull| WriteError::MailboxFull)?;
        self.keeps(held);
        open.content = content;
        Ok(())
    }

    /// Puts a sealed message in the queue and keeps what the mailbox then holds: both, or nothing. It goes before parts of
    /// documents that wait.
    fn place(
        &self,
        held: &mut Held,
        open: &mut Open,
        mut content: Content,
        message: &Waiting,
        rng: &mut StdRng,
    ) -> Result<usize, WriteError> {
        // DOC-06
        let parts = content.waiting_parts();
        let falls = held.mailbox.falls(&open.hints, &parts).map_err(|QueueFull| WriteError::QueueFull)?;
        if let Some(hint) = falls {
            content.unseal(&hint);
        }
        self.keep(held, open, content, rng)?;
        let placed = held.mailbox.place_before(&open.hints, message, &parts);
        self.keeps(held);
        Ok(placed.expect("it has a place").0)
    }

    /// What an unlocking does: looks through the drops, then seals anew what was not acknowledged for five days. It goes out
    /// as everything does; a device never sends by itself. What finds no place in the queue, or whose desk has no key
    /// now, waits for the next unlocking.
    pub(crate) fn mend(&self, now: Millis) {
        self.look();
        let inner = &self.inner;
        let mut rng = inner.rng();
        let overdue = self.with(|_, open| {
            let looked = open.content.looked.unwrap_or(Round(0));
            let of = |c: &Conversation| {
                c.overdue(looked).into_iter().map(|sequence| (c.id, c.desk, sequence)).collect::<Vec<_>>()
            };
            open.content.conversations.iter().flat_map(of).collect::<Vec<_>>()
        });
        for (id, desk, sequence) in overdue.unwrap_or_default() {
            self.with(|held, open| {
                let Ok(to) = To::of(inner, held, desk, now) else { return };
                let mut content = open.content.copy();
                let place = place_in(held, open, &content);
                let (keys, week) = to.keys(inner, &held.mailbox, place);
                let sealed = content
                    .conversation(id)
                    .and_then(|c| c.seal(sequence, &keys, &open.hints, &mut rng).ok());
                if let Some(blob) = sealed {
                    // Not a word to the log if it finds no place: the line shows that it is still overdue.
                    let _: Result<usize, WriteError> =
                        self.place(held, open, content, &Waiting { blob, week }, &mut rng);
                }
            });
        }
        self.fill(now, true);
    }

    /// What was being written to a desk when the mailbox was closed.
    pub fn draft(&self, desk: DeskId) -> Option<Zeroizing<String>> {
        self.with(|_, open| open.content.draft(desk).map(|text| text.shown())).flatten()
    }

    /// The desks to which something was being written, the newest first.
    pub fn drafts(&self) -> Vec<DeskId> {
        self.with(|_, open| open.content.drafts().collect()).unwrap_or_default()
    }

    /// Keeps what is being written to a desk, in the mailbox and nowhere else, until it is sent or taken out. It is on the disk
    /// after the next rewriting. A full mailbox keeps the draft before.
    pub fn keep_draft(&self, desk: DeskId, text: &str) {
        let mut rng = self.inner.rng();
        self.with(|held, open| {
            let mut content = open.content.copy();
            if !content.keep_draft(desk, text) {
                return;
            }
            let bytes = content.to_bytes();
            let fits = leaves_room(held, &content, bytes.len());
            if fits && held.mailbox.seal_region(&open.key, &bytes, &mut rng).is_ok() {
                self.keeps(held);
                open.content = content;
            }
        });
    }

    /// Whether the mailbox takes no more messages, not even a short one: what is left is for answers.
    pub fn is_full(&self) -> bool {
        let full = |held: &mut Held, open: &mut Open| {
            !leaves_room(held, &open.content, open.content.to_bytes().len() + SHORT)
        };
        self.with(full).unwrap_or(false)
    }

    /// Deletes a conversation: its text, its keys, and those of its messages that still wait. What has left goes on, and what the
    /// desk answers can be read by nobody. It is gone from the disk after the next rewriting.
    pub fn delete_conversation(&self, id: [u8; 8], now: Millis) {
        let mut rng = self.inner.rng();
        self.with(|held, open| {
            let hints = shrink(&mut held.mailbox, open, &mut rng, |content, _| content.delete(id));
            self.keeps(held);
            self.take_back(held, &hints, now, &mut rng);
        });
    }

    /// Deletes the mailbox: afterwards the device is as one on which none was ever begun, and this is locked. Messages that
    /// still wait are taken back. Returns from when on nothing of it is on the disk, unless that fails, which
    /// [`crate::Health::Disk`] says.
    pub fn delete_mailbox(&self, now: Millis) -> Option<Millis> {
        let mut rng = self.inner.rng();
        let gone = self.with(|held, open| {
            let boxes = open.content.conversations.iter().flat_map(|c| &c.boxes);
            let hints: Vec<_> = boxes.map(|sealed| sealed.hint).collect();
            self.take_back(held, &hints, now, &mut rng);
            // MBX-14: nothing opens it, and its length is what it always was.
            held.mailbox.erase(&mut rng);
            self.inner.leaves(held, 0, now).durable_by
        })?;
        let mut held = self.inner.held();
        if held.opened == self.opened {
            held.open = None;
        }
        Some(gone)
    }

    fn take_back(&self, held: &mut Held, hints: &[Hint], now: Millis, rng: &mut StdRng) {
        let directory = Arc::clone(&self.inner.shown().directory);
        let exits = self.inner.exit_keys(held, now);
        // A device that was off for long has none: it keeps the key that was there, and where that is not known any of the exit's does,
        // since what is taken back may not stay. It keeps the week too, and gives way with what is beside it.
        let exit = |place, week| match &exits {
            Some(exits) => Some(exits.instead(place, week)),
            None => directory.exit_key(week).or_else(|| directory.newest_exit_key()).map(|key| (key, week)),
        };
        if exit(0, Round(0)).is_some() {
            let cover = |place, week, rng: &mut _| {
                let (exit, week) = exit(place, week).expect("there is one for every place");
                Waiting { blob: envelope::cover(&self.inner.wire, exit, rng), week }
            };
            held.mailbox.take_back(hints, cover, rng);
        }
    }

    /// Looks through the reader drops on this device that were not looked through: acknowledgements, and replies; and moves
    /// parts of documents into the queue. Returns how many lines are new.
    pub fn refresh(&self) -> usize {
        let lines = self.look();
        self.fill(self.inner.clock.now(), false);
        lines
    }

    fn look(&self) -> usize {
        let now = self.inner.clock.now();
        let round = self.inner.schedule.round_at(now).unwrap_or(Round(0));
        let mut rng = self.inner.rng();
        // The drops are read with the mailbox let go, so that an exchange that falls into this time does not wait for it.
        let Some((expected, looked)) =
            self.with(|_, open| (Expected::of(&open.content), open.content.looked))
        else {
            return 0;
        };
        let (brought, looked) = self.brought(&expected, looked);
        self.with(|held, open| {
            let content = &mut open.content;
            let mut found = expected.take(&brought, content);
            content.looked = content.looked.max(looked);
            content.settle(round);
            found.changed |= content.note_left(&held.mailbox);
            // Having looked is not worth a change: what is not remembered is looked through again.
            if found.changed {
                // Full, it is not remembered either, and the log must not know: only a source's mailbox can be full.
                let _: Result<(), RegionFull> =
                    held.mailbox.seal_region(&open.key, &content.to_bytes(), &mut rng);
            }
            found.lines
        })
        .unwrap_or(0)
    }

    /// Slots that bear a tag that is looked for, with the edition each came in, and the last edition there is.
    fn brought(&self, expected: &Expected, mut looked: Option<Round>) -> (Vec<Brought>, Option<Round>) {
        let mut brought = Vec::new();
        loop {
            let next = self.inner.library().next_reader_drops(looked);
            match next {
                Ok(Some((edition, drops))) => {
                    let slots = drops.iter().flat_map(|(_, drop)| drop.as_chunks().0);
                    brought.extend(slots.filter(|slot| expected.bears(slot)).map(|slot| (edition, *slot)));
                    looked = Some(edition);
                }
                Ok(None) => break,
                // Not a word to the log: only a device with an open mailbox comes here. The exchange reads and writes the
                // same file, and says so if it cannot.
                Err(_) => break,
            }
        }
        (brought, looked)
    }

    /// Runs `work` on the mailbox if it is still open here.
    fn with<T>(&self, work: impl FnOnce(&mut Held, &mut Open) -> T) -> Option<T> {
        let mut held = self.inner.held();
        if held.opened != self.opened {
            return None;
        }
        let mut open = held.open.take()?;
        let done = work(&mut held, &mut open);
        held.open = Some(open);
        Some(done)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let mut held = self.inner.held();
        if held.opened == self.opened {
            held.open = None;
        }
    }
}

// MBX-13
/// Whether answers find room beside this content, which is so long, and so does what its documents under way will still need.
fn leaves_room(held: &Held, content: &Content, length: usize) -> bool {
    length + content.reserve() + FOR_ANSWERS <= held.mailbox.room()
}

/// Deletes something of what the mailbox holds, in memory and in the region.
fn shrink<T>(
    mailbox: &mut Mailbox,
    open: &mut Open,
    rng: &mut StdRng,
    delete: impl Fn(&mut Content, &Mailbox) -> T,
) -> T {
    let deleted = delete(&mut open.content, mailbox);
    if mailbox.seal_region(&open.key, &open.content.to_bytes(), rng).is_err() {
        // More answers came than there is room for, and are in memory alone. The region has less than all of them.
        let kept = mailbox.open_region(&open.key).and_then(|bytes| Content::from_bytes(&bytes));
        let mut kept = kept.expect("it was sealed with this key");
        delete(&mut kept, mailbox);
        mailbox.seal_region(&open.key, &kept.to_bytes(), rng).expect("it is no longer than it was");
    }
    deleted
}

/// The place in the queue that the next message takes; what finds none is refused later.
fn place_in(held: &Held, open: &Open, content: &Content) -> usize {
    held.mailbox.next_place(&open.hints, &content.waiting_parts()).unwrap_or(0)
}

/// A desk, and the keys to seal to it with.
struct To {
    desk: DeskView,
    at: Round,
    directory: Arc<Directory>,
    exits: ExitKeys,
}

impl To {
    fn of(inner: &Inner, held: &Held, desk: DeskId, now: Millis) -> Result<Self, WriteError> {
        let directory = Arc::clone(&inner.shown().directory);
        let filled = held.mailbox.is_filled();
        let at = inner.schedule.round_at(now).ok_or(WriteError::TooEarly)?;
        let listed = directory.desk(&desk).ok_or(WriteError::NoDesk)?;
        listed.intake(at).ok_or(WriteError::NoDesk)?;
        let exits = inner.exit_keys(held, now).filter(|_| filled).ok_or(WriteError::TooEarly)?;
        Ok(Self { desk: DeskView::from(listed), at, directory, exits })
    }

    /// What is sealed to for the queue's place `place`, and the week of the exit's key.
    fn keys<'a>(&'a self, inner: &'a Inner, mailbox: &Mailbox, place: usize) -> (Keys<'a>, Round) {
        // Of the round in which it leaves, so that it has as long as any other until the desk deletes its key.
        let of = |round| self.directory.desk(&self.desk.id).and_then(|desk| desk.intake(round));
        let intake = of(self.exits.leaves(place)).or_else(|| of(self.at));
        let intake = intake.expect("there was one when this was made");
        let (exit, week) = self.exits.instead(place, mailbox.week(place));
        (Keys { wire: &inner.wire, intake, exit }, week)
    }
}

#[cfg(test)]
mod tests {
    use proto::NetworkId;
    use proto::envelope::Wire;
    use proto::size::Cascade;
    use rand::{RngExt as _, SeedableRng};

    use super::*;
    use crate::conversations::Text;

    // MBX-13: such a mailbox has answers in memory that its region has no room for.
    #[test]
    fn what_is_deleted_while_answers_find_no_room_stays_deleted() {
        let mut rng = StdRng::seed_from_u64(1);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let (mut mailbox, mut content) = (Mailbox::in_memory(wire, &mut rng), Content::new(&mut rng));
        let desk =
            |n| DeskView { id: DeskId([n; 16]), newsroom: "N".into(), name: "D".into(), about: "".into() };
        let [short, long] = [1, 2].map(|n| content.with(&desk(n), &mut rng).unwrap().id);
        let key = StoreKey::from_bytes(rng.random());
        mailbox.begin([0; 32], &key, &content.to_bytes(), &mut rng).unwrap();
        let answers =
            [1, mailbox.room()].map(|n| Said::Desk { text: Text("y".repeat(n)), number: 0, at: Round(1) });
        content.conversation(long).unwrap().lines.extend(answers);
        let mut open = Open { key, hints: content.hint_key(), content };
        let has = |content: &Content| {
            content.conversations.iter().map(|c| (c.id, c.lines.len())).collect::<Vec<_>>()
        };
        shrink(&mut mailbox, &mut open, &mut rng, |content, _| content.delete(short));
        assert_eq!(has(&open.content), [(long, 2)]);
        let kept = Content::from_bytes(&mailbox.open_region(&open.key).unwrap()).unwrap();
        assert_eq!(has(&kept), [(long, 0)]);
        // Where what is left finds room, it is kept with all that came.
        shrink(&mut mailbox, &mut open, &mut rng, |content, _| {
            content.conversation(long).unwrap().lines.truncate(1);
        });
        let kept = Content::from_bytes(&mailbox.open_region(&open.key).unwrap()).unwrap();
        assert_eq!(has(&kept), [(long, 1)]);
    }
}
