//! A source's documents on their way: kept whole in the region, moved into the queue part by part. Spec: document.md §5.

use minicbor::{Decode, Encode};
use proto::Round;
use proto::conversation::Body;
use proto::document::{self, CHAIN_EVERY, Document, Format, Part, Unfit};
use proto::size::Cascade;
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::conversations::{Content, Conversation, Keys, SEALINGS, Said, Sealed, Text};
use crate::mailbox::{Hint, HintKey, Mailbox, QUEUE, Waiting};

/// Bytes of the region that a box takes: without links, and with them.
pub(crate) const BOX: usize = 64;
const BOX_WITH_CHAIN: usize = 3_500;

/// A document that a source sends.
#[derive(Encode, Decode)]
pub(crate) struct Outbound {
    #[n(0)]
    pub(crate) name: Text,
    #[n(1)]
    pub(crate) format: Format,
    #[n(2)]
    pub(crate) length: u32,
    /// The sequence number of part 0.
    #[n(3)]
    pub(crate) first: u32,
    /// When it was begun.
    #[n(4)]
    pub(crate) at: Round,
    /// What became of each part.
    #[n(5)]
    pub(crate) fates: Vec<Fate>,
    /// What the parts are cut of; nothing once no part has to be sealed any more.
    #[n(6)]
    stream: Stream,
    #[n(7)]
    pub(crate) taken_back: bool,
}

/// What became of a part.
#[derive(Clone, Encode, Decode)]
pub(crate) struct Fate {
    /// How many times it was sealed. Of what was taken back: how many of these had left.
    #[n(0)]
    pub(crate) times: u8,
    #[n(1)]
    pub(crate) acknowledged: bool,
}

/// Cleared when dropped.
#[derive(Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
struct Stream(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>);

impl Outbound {
    /// A document to be sent from `first` on.
    pub(crate) fn new(document: &Document, cascade: Cascade, first: u32, at: Round) -> Result<Self, Unfit> {
        let stream = document.to_stream()?;
        let parts = document::parts(cascade, stream.len());
        Ok(Self {
            name: Text(document.name.clone()),
            format: document.format,
            length: document.content.len() as u32,
            first,
            at,
            fates: vec![Fate { times: 0, acknowledged: false }; parts.into()],
            stream: Stream(stream.to_vec()),
            taken_back: false,
        })
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.part_of(number).is_some()
    }

    /// Whether nothing more can be found out about the part with this number.
    pub(crate) fn is_settled(&self, number: u32) -> bool {
        self.part_of(number).is_some_and(|part| self.taken_back || self.fates[part].acknowledged)
    }

    fn part_of(&self, number: u32) -> Option<usize> {
        let part = number.checked_sub(self.first)? as usize;
        (part < self.fates.len()).then_some(part)
    }

    /// What the message with this number carries, and how often it was sealed.
    pub(crate) fn sealing(&mut self, number: u32, cascade: Cascade) -> Option<(Body, &mut u8)> {
        let part = self.part_of(number)?;
        let body = Body::Part(Part::of(cascade, &self.stream.0, part as u16));
        Some((body, &mut self.fates[part].times))
    }

    /// The desk has this part. `true`: that is new.
    pub(crate) fn acknowledge(&mut self, number: u32) -> bool {
        let Some(part) = self.part_of(number) else { return false };
        let new = !core::mem::replace(&mut self.fates[part].acknowledged, true);
        if self.fates.iter().all(|fate| fate.acknowledged) {
            self.stream.0.zeroize();
        }
        new
    }

    /// Numbers of parts that may be sealed and were fewer than so many times.
    pub(crate) fn open(&self, sealed: core::ops::Range<u8>) -> impl Iterator<Item = u32> {
        let fates = (self.first..).zip(&self.fates);
        fates
            .filter(move |(_, fate)| !self.taken_back && !fate.acknowledged && sealed.contains(&fate.times))
            .map(|(number, _)| number)
    }

    fn take_back(&mut self) {
        self.taken_back = true;
        self.stream.0.zeroize();
    }

    /// How many bytes of the region its boxes still to come may take.
    fn reserve(&self) -> usize {
        let cost = |(part, fate): (u16, &Fate)| {
            let each = if part.is_multiple_of(CHAIN_EVERY) { BOX_WITH_CHAIN } else { BOX };
            usize::from(SEALINGS.saturating_sub(fate.times)) * each
        };
        let is_over = |fate: &Fate| self.taken_back || fate.acknowledged;
        (0..).zip(&self.fates).filter(|(_, fate)| !is_over(fate)).map(cost).sum()
    }
}

impl Conversation {
    /// Begins a document: its parts take the next numbers.
    pub(crate) fn attach(&mut self, document: &Document, cascade: Cascade, at: Round) -> Result<u32, Unfit> {
        let document = Outbound::new(document, cascade, self.next, at)?;
        let first = self.next;
        self.next += document.fates.len() as u32;
        self.lines.push(Said::Document(document));
        Ok(first)
    }

    pub(crate) fn documents(&self) -> impl Iterator<Item = &Outbound> {
        self.lines.iter().filter_map(|line| match line {
            Said::Document(document) => Some(document),
            _ => None,
        })
    }

    fn documents_mut(&mut self) -> impl Iterator<Item = &mut Outbound> {
        self.lines.iter_mut().filter_map(|line| match line {
            Said::Document(document) => Some(document),
            _ => None,
        })
    }

    /// Takes a document back. Returns the hints of its boxes that have not left, so far as is known.
    pub(crate) fn take_back(&mut self, first: u32, mailbox: &Mailbox) -> Vec<Hint> {
        // DOC-07: nothing of it is sealed any more; what waits is replaced, and forgotten here.
        let Some(document) = self.documents_mut().find(|document| document.first == first) else {
            return Vec::new();
        };
        document.take_back();
        let last = first + document.fates.len() as u32;
        let waits = |sealed: &&Sealed| {
            (first..last).contains(&sealed.sequence) && mailbox.find(&sealed.hint).is_some()
        };
        let gone: Vec<_> = self.boxes.iter().filter(waits).map(|sealed| sealed.hint).collect();
        gone.iter().for_each(|hint| {
            self.unseal(hint);
        });
        gone
    }

    /// Undoes the sealing of a part that fell out of the queue, or is taken out.
    fn unseal(&mut self, hint: &Hint) -> bool {
        let Some(at) = self.boxes.iter().position(|sealed| sealed.hint == *hint) else { return false };
        let number = self.boxes.remove(at).sequence;
        for document in self.documents_mut() {
            if let Some(part) = document.part_of(number) {
                document.fates[part].times -= 1;
            }
        }
        true
    }
}

impl Content {
    /// Hints of parts that were sealed and, so far as is known, wait.
    pub(crate) fn waiting_parts(&self) -> Vec<Hint> {
        let of = |c: &Conversation| {
            let is_part = |number| c.documents().any(|document| document.has(number));
            let waiting = c.boxes.iter().filter(|sealed| sealed.left.is_none() && is_part(sealed.sequence));
            waiting.map(|sealed| sealed.hint).collect::<Vec<_>>()
        };
        self.conversations.iter().flat_map(of).collect()
    }

    /// Undoes the sealing of a part that fell out of the queue.
    pub(crate) fn unseal(&mut self, hint: &Hint) {
        self.conversations.iter_mut().any(|c| c.unseal(hint));
    }

    /// How many bytes of the region the documents under way may still come to need, beside what is written now.
    pub(crate) fn reserve(&self) -> usize {
        self.conversations.iter().flat_map(Conversation::documents).map(Outbound::reserve).sum()
    }

    /// Whether a part is still to be sealed for the first time; with `anew`, for a time at all.
    pub(crate) fn has_parts(&self, anew: bool) -> bool {
        let most = if anew { SEALINGS } else { 1 };
        self.conversations.iter().flat_map(Conversation::documents).any(|d| d.open(0..most).next().is_some())
    }

    /// Seals parts for these places, in their order; with `anew`, before them those that were not acknowledged in time.
    /// Parts whose desk has no key now wait.
    pub(crate) fn seal_parts<'a>(
        &mut self,
        places: &[usize],
        anew: Option<Round>,
        keys: impl Fn(&Conversation, usize) -> Option<(Keys<'a>, Round)>,
        hints: &HintKey,
        rng: &mut impl CryptoRng,
    ) -> Vec<Waiting> {
        let mut parts = Vec::new();
        for conversation in &mut self.conversations {
            let again = anew.map(|looked| conversation.overdue_parts(looked)).unwrap_or_default();
            let fresh: Vec<u32> = conversation.documents().flat_map(|document| document.open(0..1)).collect();
            for number in again.into_iter().chain(fresh) {
                let Some(place) = places.get(parts.len()) else { return parts };
                let Some((to, week)) = keys(conversation, *place) else { break };
                let part = conversation.seal(number, &to, hints, rng);
                parts.extend(part.map(|blob| Waiting { blob, week }));
            }
        }
        parts
    }
}

/// What sending a document takes. Rounded up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How many parts it has.
    pub parts: u16,
    /// How long it takes until the last has left a device that is always on, in ms. What waits already leaves first.
    pub always_ms: u64,
    /// The same for a device that is on in three rounds of ten.
    pub at_30_ms: u64,
    /// How often the mailbox has to be open at least, the first time included: at each, at most 48 parts go into the queue.
    pub openings: u16,
    /// Within this time from one opening to the next, nothing waits for the next: 48 rounds in which the device is on, in ms.
    pub every_ms: u64,
}

impl Plan {
    /// Of so many parts, behind so many messages that wait.
    pub(crate) fn new(parts: u16, waiting: usize, round_ms: u64) -> Self {
        let rounds = u64::from(parts) + waiting as u64;
        Self {
            parts,
            always_ms: rounds * round_ms,
            at_30_ms: (rounds * 10).div_ceil(3) * round_ms,
            openings: (usize::from(parts) + waiting).div_ceil(QUEUE) as u16,
            every_ms: QUEUE as u64 * round_ms,
        }
    }
}

/// A document, for a screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentView {
    /// Names it within its conversation.
    pub first: u32,
    /// What its sender calls it; at a desk not known before part 0 is there.
    pub name: Option<String>,
    /// What it is, says its sender.
    pub format: Option<Format>,
    /// How many bytes it has.
    pub length: Option<u32>,
    /// Of its content; at a desk.
    pub sha256: Option<[u8; 32]>,
    /// How many parts it has.
    pub parts: u16,
    /// How many of them have left this device; at a desk, how many have come.
    pub left: u16,
    /// How many of them the desk has.
    pub arrived: u16,
    /// How many of them wait in the queue.
    pub queued: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_rounded_up_and_counts_what_waits() {
        let hour = 3_600_000;
        let plan = Plan::new(296, 0, hour);
        assert_eq!((plan.always_ms / hour, plan.at_30_ms / hour, plan.openings), (296, 987, 7));
        let plan = Plan::new(9, 1, hour);
        assert_eq!((plan.always_ms / hour, plan.at_30_ms / hour, plan.openings), (10, 34, 1));
        assert_eq!(Plan::new(48, 1, hour).openings, 2);
    }
}
