//! Looking through reader drops for what bears a tag that is waited for. Nothing is requested, and nothing is tried on slots
//! that bear none. Spec: conversation.md §3, §4.

use std::collections::HashMap;

use proto::Round;
use proto::conversation::{AckTag, SlotTag, ack_tags, open_reply, slot_tag};
use proto::size::READER_SLOT;

use crate::conversations::Content;

/// A slot, and the round of the edition that brought it.
pub(crate) type Brought = (Round, [u8; READER_SLOT]);

/// Tags to look for, and the conversation and message each belongs to. Every box of a message counts: whichever arrived
/// answers for all.
pub(crate) struct Expected {
    acks: HashMap<AckTag, ([u8; 8], u32)>,
    slots: HashMap<SlotTag, ([u8; 8], u32)>,
}

/// What came of looking.
#[derive(Default)]
pub(crate) struct Found {
    /// How many lines are new.
    pub(crate) lines: usize,
    /// Whether anything is to be kept.
    pub(crate) changed: bool,
}

impl Expected {
    pub(crate) fn of(content: &Content) -> Self {
        let mut it = Self { acks: HashMap::new(), slots: HashMap::new() };
        for conversation in &content.conversations {
            for sealed in &conversation.boxes {
                let whose = (conversation.id, sealed.sequence);
                it.acks.insert(*sealed.chain.ack(), whose);
                it.slots.extend(sealed.chain.links().iter().map(|link| (*link.tag(), whose)));
            }
        }
        it
    }

    pub(crate) fn bears(&self, slot: &[u8; READER_SLOT]) -> bool {
        self.slots.contains_key(&slot_tag(slot)) || ack_tags(slot).iter().any(|t| self.acks.contains_key(t))
    }

    /// Takes out of the slots what is for this mailbox.
    pub(crate) fn take(&self, brought: &[Brought], content: &mut Content) -> Found {
        let mut found = Found::default();
        for (edition, slot) in brought {
            match self.slots.get(&slot_tag(slot)) {
                Some(&(id, sequence)) => reply(slot, *edition, content, id, sequence, &mut found),
                None => self.acknowledgements(slot, content, &mut found),
            }
        }
        found
    }

    fn acknowledgements(&self, slot: &[u8; READER_SLOT], content: &mut Content, found: &mut Found) {
        for tag in ack_tags(slot) {
            if let Some(&(id, sequence)) = self.acks.get(tag)
                && let Some(conversation) = content.conversation(id)
            {
                found.changed |= conversation.acknowledge(sequence);
            }
        }
    }
}

fn reply(
    slot: &[u8; READER_SLOT],
    edition: Round,
    content: &mut Content,
    id: [u8; 8],
    sequence: u32,
    found: &mut Found,
) {
    let tag = slot_tag(slot);
    let Some(conversation) = content.conversation(id) else { return };
    for sealed in conversation.boxes.iter_mut().filter(|sealed| sealed.sequence == sequence) {
        let Some(link) = sealed.chain.links().iter().find(|link| *link.tag() == tag) else { continue };
        let Ok(part) = open_reply(link, slot) else { continue };
        // A used link is deleted: what it opened cannot be opened again.
        sealed.chain.delete(&tag);
        found.changed = true;
        found.lines += usize::from(conversation.take_part(&part, edition));
        // Only whoever opened the message's box can write on its chain.
        conversation.acknowledge(sequence);
        break;
    }
}
