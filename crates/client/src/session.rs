//! An unlocked mailbox: writing to a desk, and what came back. Nothing here touches the network; what is written waits in
//! the queue, and answers are in drops that every device has.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proto::conversation::TooLong;
use proto::envelope::{self, Blob};
use proto::seal::SealPublic;
use proto::{DeskId, Millis, Round};
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::conversations::{
    Content, Conversation, FOR_ANSWERS, Keys, MAX_CONVERSATIONS, PATIENCE, SEALINGS, Said,
};
use crate::device::{DeskView, Held, Inner, Leaves, Open};
use crate::listen::{Brought, Expected};
use crate::mailbox::{Hint, QUEUE, RegionFull};
use crate::seal::StoreKey;

/// Bytes that a short message takes in the region, with its chain.
const SHORT: usize = 4 * 1024;

/// An unlocked mailbox. Dropping it locks. A later one takes over: then this one is locked, and says so.
pub struct Session {
    inner: Arc<Inner>,
    opened: u64,
    /// The mailbox's change with which the last message was written, or with which this was opened.
    changed: AtomicU64,
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
    /// The text.
    pub text: Zeroizing<String>,
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
        /// It left for the last time at some time before this; not told of what left very long ago.
        before: Option<Millis>,
    },
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
    /// No edition was verified yet, so there is no queue to wait in.
    #[error("the first edition is still to come; nothing can be written before")]
    TooEarly,
    /// The desk is not in the directory, or has no key for this round.
    #[error("this desk cannot be written to now")]
    NoDesk,
    /// The text does not fit.
    #[error(transparent)]
    TooLong(#[from] TooLong),
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
        Self { inner: Arc::clone(inner), opened: held.opened, changed }
    }

    /// Whether the mailbox is still open here.
    pub fn is_open(&self) -> bool {
        let held = self.inner.held();
        held.opened == self.opened && held.open.is_some()
    }

    /// Whether all that was written is on the disk now, so that the program may be closed in any way. It becomes so with
    /// the next rewriting; after [`Leaves::durable_by`] it is `false` only if the disk fails.
    pub fn is_kept(&self) -> bool {
        self.inner.held().mailbox.written() >= self.changed.load(Ordering::Relaxed)
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
                Line { who: Who::You, text: text.shown(), state, times: *times, at: *at }
            }
            Said::Desk { text, at, .. } => {
                Line { who: Who::Desk, text: text.shown(), state: LineState::Received, times: 0, at: *at }
            }
        }
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
        let Some(sealed) = of.newest_box(sequence) else { return LineState::Unknown { before: None } };
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
        let to = To::of(inner, desk, now)?;
        let mut rng = inner.rng();
        self.with(|held, open| {
            if !held.mailbox.is_filled() {
                return Err(WriteError::TooEarly);
            }
            // On a copy, so that a refusal changes nothing.
            let mut content = open.content.copy();
            let conversation = content.with(&to.desk, &mut rng).ok_or(WriteError::TooMany)?;
            let sequence = conversation.say(text, to.at);
            let blob = conversation.seal(sequence, &to.keys(inner), &open.hints, &mut rng)?;
            content.keep_draft(desk, "");
            let place = self.place(held, open, content, &blob, &mut rng)?;
            Ok(inner.leaves(held, place, now))
        })
        .unwrap_or(Err(WriteError::Locked))
    }

    /// Puts a sealed message in the queue and keeps what the mailbox then holds: both, or nothing.
    fn place(
        &self,
        held: &mut Held,
        open: &mut Open,
        content: Content,
        blob: &Blob,
        rng: &mut StdRng,
    ) -> Result<usize, WriteError> {
        if !held.mailbox.has_cover(&open.hints, QUEUE) {
            return Err(WriteError::QueueFull);
        }
        let bytes = content.to_bytes();
        // MBX-13: answers find room, whatever is written.
        if bytes.len() + FOR_ANSWERS > held.mailbox.room() {
            return Err(WriteError::MailboxFull);
        }
        held.mailbox.seal_region(&open.key, &bytes, rng).map_err(|RegionFull| WriteError::MailboxFull)?;
        let (place, _) = held.mailbox.place(&open.hints, blob).expect("it has a place of cover");
        self.changed.store(held.mailbox.changes(), Ordering::Relaxed);
        open.content = content;
        Ok(place)
    }

    /// What an unlocking does: looks through the drops, then seals anew what was not acknowledged for five days. It goes out
    /// as everything does; a device never sends by itself. What finds no place in the queue, or whose desk has no key
    /// now, waits for the next unlocking.
    pub(crate) fn mend(&self, now: Millis) {
        self.refresh();
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
            let Ok(to) = To::of(inner, desk, now) else { continue };
            self.with(|held, open| {
                let mut content = open.content.copy();
                let sealed = content
                    .conversation(id)
                    .and_then(|c| c.seal(sequence, &to.keys(inner), &open.hints, &mut rng).ok());
                if let Some(blob) = sealed {
                    // Not a word to the log if it finds no place: the line shows that it is still overdue.
                    let _: Result<usize, WriteError> = self.place(held, open, content, &blob, &mut rng);
                }
            });
        }
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
            let fits = bytes.len() + FOR_ANSWERS <= held.mailbox.room();
            if fits && held.mailbox.seal_region(&open.key, &bytes, &mut rng).is_ok() {
                open.content = content;
            }
        });
    }

    /// Whether the mailbox takes no more messages, not even a short one: what is left is for answers.
    pub fn is_full(&self) -> bool {
        let full = |held: &mut Held, open: &mut Open| {
            open.content.to_bytes().len() + SHORT + FOR_ANSWERS > held.mailbox.room()
        };
        self.with(full).unwrap_or(false)
    }

    /// Deletes a conversation: its text, its keys, and those of its messages that still wait. What has left goes on, and what the
    /// desk answers can be read by nobody. It is gone from the disk after the next rewriting.
    pub fn delete_conversation(&self, id: [u8; 8], now: Millis) {
        let mut rng = self.inner.rng();
        self.with(|held, open| {
            let hints = open.content.delete(id);
            self.take_back(held, &hints, now, &mut rng);
            // It is smaller than it was.
            let _: Result<(), RegionFull> =
                held.mailbox.seal_region(&open.key, &open.content.to_bytes(), &mut rng);
        });
    }

    /// Deletes the mailbox: afterwards the device is as one on which none was ever begun, and this is locked. Messages that
    /// still wait are taken back. Returns from when on nothing of it is on the disk.
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
        let at = self.inner.schedule.round_at(now).unwrap_or(Round(0));
        let directory = Arc::clone(&self.inner.shown().directory);
        // Without a key of the exit there is no cover to take the place; and then nothing leaves either.
        let Some(exit) = directory.exit_key(at).cloned() else { return };
        held.mailbox.take_back(hints, |rng| envelope::cover(&self.inner.wire, &exit, rng), rng);
    }

    /// Looks through the reader drops on this device that were not looked through: acknowledgements, and replies. Returns
    /// how many lines are new.
    pub fn refresh(&self) -> usize {
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
            found.changed |= content.note_left(&held.mailbox, round);
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
                    let slots = drops.iter().flat_map(|drop| drop.as_chunks().0);
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

/// A desk, and the keys to seal to it with in one round.
struct To {
    desk: DeskView,
    at: Round,
    intake: SealPublic,
    exit: SealPublic,
}

impl To {
    fn of(inner: &Inner, desk: DeskId, now: Millis) -> Result<Self, WriteError> {
        let directory = Arc::clone(&inner.shown().directory);
        let at = inner.schedule.round_at(now).ok_or(WriteError::TooEarly)?;
        let listed = directory.desk(&desk).ok_or(WriteError::NoDesk)?;
        let intake = listed.intake(at).ok_or(WriteError::NoDesk)?.clone();
        let exit = directory.exit_key(at).cloned().ok_or(WriteError::TooEarly)?;
        Ok(Self { desk: DeskView::from(listed), at, intake, exit })
    }

    fn keys<'a>(&'a self, inner: &'a Inner) -> Keys<'a> {
        Keys { wire: &inner.wire, intake: &self.intake, exit: &self.exit }
    }
}
