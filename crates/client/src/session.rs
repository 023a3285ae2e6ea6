//! An unlocked mailbox: writing to a desk, and what came back. Nothing here touches the network; what is written waits in
//! the queue, and answers are in drops that every device has.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proto::conversation::{
    AckTag, Chain, ConversationKey, Message, SlotTag, TooLong, ack_tags, open_reply, slot_tag,
};
use proto::size::READER_SLOT;
use proto::{DeskId, Millis, Round, envelope};
use zeroize::Zeroizing;

use crate::conversations::{Content, Conversation, Said, Started, Text};
use crate::device::{DeskView, Held, Inner, Leaves, Open};
use crate::mailbox::{QUEUE, RegionFull};
use crate::seal::StoreKey;

/// After so many rounds without an acknowledgement a message may be lost: five days of hours, in which a desk's machine
/// that is off over a weekend has long been on again.
const OVERDUE_ROUNDS: u64 = 5 * 24;

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
    /// It left long ago and was not acknowledged. It may be lost.
    Overdue {
        /// It left at some time before this.
        before: Millis,
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
    /// The mailbox can hold no more.
    #[error("the mailbox is full")]
    MailboxFull,
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
            let view = |c: &Conversation| ConversationView {
                id: c.id,
                desk: c.desk_view(),
                lines: c.lines.iter().map(|line| self.line(held, line, now)).collect(),
            };
            open.content.conversations.iter().map(view).collect()
        })
        .unwrap_or_default()
    }

    fn line(&self, held: &Held, line: &Said, now: Millis) -> Line {
        match line {
            Said::Source { text, hint, at, left, acknowledged, .. } => {
                let state = match (acknowledged, held.mailbox.find(hint)) {
                    (true, _) => LineState::Acknowledged,
                    (false, Some(place)) => {
                        let leaves = self.inner.leaves(held, place, now);
                        LineState::Waiting { from: leaves.from, until: leaves.until }
                    }
                    (false, None) => self.left(left.unwrap_or(now), now),
                };
                Line { who: Who::You, text: text.shown(), state, at: *at }
            }
            Said::Desk { text, at, .. } => {
                Line { who: Who::Desk, text: text.shown(), state: LineState::Received, at: *at }
            }
        }
    }

    fn left(&self, before: Millis, now: Millis) -> LineState {
        let patience = OVERDUE_ROUNDS * u64::from(self.inner.schedule.round_ms);
        if now > before.plus(patience) { LineState::Overdue { before } } else { LineState::Left { before } }
    }

    /// Seals a message to a desk and puts it in the queue in the place of cover. It is on the disk after the next
    /// rewriting, which comes when it always comes.
    pub fn write(&self, desk: DeskId, text: &str, now: Millis) -> Result<Leaves, WriteError> {
        let inner = &self.inner;
        let directory = Arc::clone(&inner.shown().directory);
        let at = inner.schedule.round_at(now).ok_or(WriteError::TooEarly)?;
        let to = directory.desk(&desk).ok_or(WriteError::NoDesk)?;
        let intake = to.intake(at).ok_or(WriteError::NoDesk)?;
        let (_, exit) = directory.envelope_keys(at).ok_or(WriteError::TooEarly)?;
        let mut rng = inner.rng();
        self.with(|held, open| {
            if !held.mailbox.is_filled() {
                return Err(WriteError::TooEarly);
            }
            if !held.mailbox.has_cover(&open.hints, QUEUE) {
                return Err(WriteError::QueueFull);
            }
            // On a copy, so that a refusal changes nothing.
            let mut content = open.content.copy();
            let conversation = content.with(&DeskView::from(to), &mut rng);
            let message = Message {
                conversation: ConversationKey::from_bytes(*conversation.key.as_bytes()),
                sequence: conversation.next,
                received: conversation.received(),
                text: Zeroizing::new(text.to_owned()),
            };
            let packed = message.pack(inner.wire.cascade)?;
            let (blob, exporter) = envelope::to_desk(&inner.wire, intake, &packed, &exit, &mut rng);
            let sequence = conversation.next;
            let chain = Chain::new(&conversation.key, &exporter);
            conversation.chains.push(Started { at, sequence, chain });
            conversation.lines.push(Said::Source {
                text: Text(text.to_owned()),
                sequence,
                hint: open.hints.hint(&blob),
                at,
                left: None,
                acknowledged: false,
            });
            conversation.next += 1;
            held.mailbox
                .seal_region(&open.key, &content.to_bytes(), &mut rng)
                .map_err(|RegionFull| WriteError::MailboxFull)?;
            let (place, _) = held.mailbox.place(&open.hints, &blob).expect("it has a place of cover");
            self.changed.store(held.mailbox.changes(), Ordering::Relaxed);
            open.content = content;
            Ok(inner.leaves(held, place, now))
        })
        .unwrap_or(Err(WriteError::Locked))
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
        let (bearing, looked) = self.bearing(&expected, looked);
        self.with(|held, open| {
            let content = &mut open.content;
            let mut found = Found::default();
            for (edition, slot) in &bearing {
                look_at(slot, *edition, content, &expected, &mut found);
            }
            content.looked = content.looked.max(looked);
            for conversation in &mut content.conversations {
                conversation.forget_old_chains(round);
                for line in &mut conversation.lines {
                    if let Said::Source { hint, left: left @ None, .. } = line
                        && held.mailbox.find(hint).is_none()
                    {
                        *left = Some(now);
                        found.changed = true;
                    }
                }
            }
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
    fn bearing(
        &self,
        expected: &Expected,
        mut looked: Option<Round>,
    ) -> (Vec<(Round, [u8; READER_SLOT])>, Option<Round>) {
        let mut bearing = Vec::new();
        loop {
            let next = self.inner.library().next_reader_drops(looked);
            match next {
                Ok(Some((edition, drops))) => {
                    let slots = drops.iter().flat_map(|drop| drop.as_chunks().0);
                    bearing.extend(slots.filter(|slot| expected.bears(slot)).map(|slot| (edition, *slot)));
                    looked = Some(edition);
                }
                Ok(None) => break,
                // Not a word to the log: only a device with an open mailbox comes here. The exchange reads and writes the
                // same file, and says so if it cannot.
                Err(_) => break,
            }
        }
        (bearing, looked)
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

/// Tags to look for, and the conversation and message each belongs to.
struct Expected {
    acks: HashMap<AckTag, ([u8; 8], u32)>,
    slots: HashMap<SlotTag, ([u8; 8], u32)>,
}

#[derive(Default)]
struct Found {
    lines: usize,
    changed: bool,
}

impl Expected {
    fn of(content: &Content) -> Self {
        let mut it = Self { acks: HashMap::new(), slots: HashMap::new() };
        for conversation in &content.conversations {
            let id = conversation.id;
            for started in &conversation.chains {
                it.acks.insert(*started.chain.ack(), (id, started.sequence));
                let tags = started.chain.links().iter().map(|link| *link.tag());
                it.slots.extend(tags.map(|tag| (tag, (id, started.sequence))));
            }
        }
        it
    }

    fn bears(&self, slot: &[u8; READER_SLOT]) -> bool {
        self.slots.contains_key(&slot_tag(slot)) || ack_tags(slot).iter().any(|t| self.acks.contains_key(t))
    }
}

fn look_at(
    slot: &[u8; READER_SLOT],
    edition: Round,
    content: &mut Content,
    expected: &Expected,
    found: &mut Found,
) {
    let tag = slot_tag(slot);
    if let Some(&(id, sequence)) = expected.slots.get(&tag) {
        let Some(conversation) = content.conversation(id) else { return };
        let started = conversation.chains.iter_mut().filter(|c| c.sequence == sequence);
        for started in started {
            let Some(link) = started.chain.links().iter().find(|link| *link.tag() == tag) else { continue };
            let Ok(part) = open_reply(link, slot) else { continue };
            // A used link is deleted: what it opened cannot be opened again.
            started.chain.delete(&tag);
            found.changed = true;
            found.lines += usize::from(conversation.take_part(&part, edition));
            // Only whoever opened the message's box can write on its chain.
            conversation.acknowledge(sequence);
            break;
        }
        return;
    }
    for tag in ack_tags(slot) {
        if let Some(&(id, sequence)) = expected.acks.get(tag)
            && let Some(conversation) = content.conversation(id)
        {
            found.changed |= conversation.acknowledge(sequence);
        }
    }
}
