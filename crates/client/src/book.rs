//! What a desk makes of what comes and goes: the rules of its end of a conversation, over its vault and its queue. Pure: the
//! round is handed in. Spec: vault.md §2, conversation.md.

use std::collections::HashSet;
use std::ops::Range;

use minicbor::bytes::ByteArray;
use proto::Round;
use proto::conversation::{
    AckTag, Body, Chain, ConversationKey, Message, Received, ReplyPart, TAGS, ack_slot, seal_reply,
};
use proto::document::{Joining, Part, Taken};
use proto::drops::empty_slot;
use proto::envelope::{self, Blob, Wire};
use proto::pass::DeskPass;
use proto::seal::SealPublic;
use proto::size::READER_SLOT;
use rand::CryptoRng;
use rand::rngs::StdRng;
use zeroize::Zeroizing;

use crate::conversations::Text;
use crate::device::ExitKeys;
use crate::mailbox::{Hint, HintKey, Mailbox, QUEUE, TRAIL};
use crate::passes::Passes;
use crate::vault::{Book, Outgoing, Placed, SealedBy, Slice, Spoken, Started, Thread};

/// A desk writes on no chain older than 28 days: the source forgets it after 42.
const WRITES_ROUNDS: u32 = 28 * 24;
/// How long after a copy has left the next one goes, if the source has not said that it has the reply: after four days, and
/// six days after that. What a source says is up to two days old; by then one who looks now and then has written, if they are
/// going to.
const REPEATS: [u32; 2] = [4 * 24, 6 * 24];
/// How many copies of a reply there are at most.
pub(crate) const COPIES: u8 = REPEATS.len() as u8 + 1;

impl Outgoing {
    pub(crate) fn part(conversation: [u8; 32], part: &ReplyPart) -> Self {
        let ReplyPart { number, part, parts, whole, ref text } = *part;
        Self::Part { conversation, number, part, parts, whole, text: Slice(text.to_vec()) }
    }

    pub(crate) fn is_of(&self, key: &ConversationKey, reply: u32) -> bool {
        matches!(self, Self::Part { conversation, number, .. } if conversation == key.as_bytes() && *number == reply)
    }
}

impl Book {
    /// Takes a message that opened. `true`: it is new. A message sealed anew is acknowledged too: the acknowledgement of
    /// its first box was lost.
    pub(crate) fn take(&mut self, message: &Message, chain: Chain, edition: Round) -> bool {
        let known = self.threads.iter_mut().find(|t| t.key.as_bytes() == message.conversation.as_bytes());
        let ack = *chain.ack();
        // CNV-09: the same box again. No source sends one twice and no honest mix lets it through. Its chain, whole as on
        // the first day, would bring links back into use that the source has deleted, and answers would be lost.
        if known.as_ref().is_some_and(|t| t.taken.iter().any(|taken| **taken == ack)) {
            return false;
        }
        self.waiting.push(Outgoing::Ack(ack));
        let thread = match known {
            Some(thread) => thread,
            None => {
                self.threads.push(Thread {
                    key: ConversationKey::from_bytes(*message.conversation.as_bytes()),
                    chain: None,
                    replies: 0,
                    lines: Vec::new(),
                    taken: Vec::new(),
                });
                self.threads.last_mut().expect("pushed just now")
            }
        };
        // Sealed anew counts as newer: its chain is the one that the source surely has. DOC-05: most parts start none.
        let is_newer = thread.chain.as_ref().is_none_or(|chain| message.sequence >= chain.sequence);
        if message.body.starts_chain() && is_newer {
            thread.chain = Some(Started { at: edition, sequence: message.sequence, chain });
        }
        thread.taken.push(ack.into());
        // CNV-11: what a source once had it has, in whatever order its messages come.
        let key = *thread.key.as_bytes();
        let mut had = Vec::new();
        for line in &mut thread.lines {
            if let Spoken::Desk { number, received: received @ false, .. } = line
                && has(&message.received, *number)
            {
                *received = true;
                had.push(*number);
            }
        }
        let is_new = thread.add(message, edition);
        // Copies of it that wait need not go.
        self.waiting.retain(|item| {
            !matches!(item, Outgoing::Part { conversation, number, .. } if *conversation == key && had.contains(number))
        });
        is_new
    }

    /// Adds a reply, and puts its first copy with what waits.
    pub(crate) fn say(&mut self, thread: usize, text: &str, parts: Vec<ReplyPart>, at: Round) {
        let (seen, thread) = (self.looked, &mut self.threads[thread]);
        thread.replies += 1;
        let text = Text(text.to_owned());
        let number = thread.replies;
        thread.lines.push(Spoken::Desk {
            text,
            number,
            at,
            left: None,
            hints: Vec::new(),
            times: 1,
            received: false,
            seen,
        });
        let key = *thread.key.as_bytes();
        self.waiting.extend(parts.into_iter().map(|part| Outgoing::part(key, &part)));
    }

    /// Takes back what [`Self::say`] did last.
    pub(crate) fn unsay(&mut self, thread: usize) {
        let thread = &mut self.threads[thread];
        let key = ConversationKey::from_bytes(*thread.key.as_bytes());
        let number = thread.replies;
        thread.replies -= 1;
        thread.lines.pop();
        self.waiting.retain(|item| !item.is_of(&key, number));
    }

    // CNV-12: 96 rounds after the first copy left, 144 after the second, while the newest chain may be written on.
    /// Puts another copy of each reply that is due with what waits, when the drops up to edition `looked` have been looked
    /// through in round `now`. `true`: there is one.
    pub(crate) fn repeat(&mut self, looked: Round, now: Round) -> bool {
        let mut any = false;
        for i in 0..self.threads.len() {
            let mut free = self.links(&self.threads[i], now);
            let thread = &mut self.threads[i];
            let key = *thread.key.as_bytes();
            for line in &mut thread.lines {
                let due = is_due(line, looked);
                let Spoken::Desk { text, number, left, hints, times, .. } = line else { continue };
                let parts = ReplyPart::cut(*number, &text.0).unwrap_or_default();
                if !due || parts.len() > free {
                    continue;
                }
                free -= parts.len();
                (*times, *left) = (*times + 1, None);
                hints.clear();
                self.waiting.extend(parts.iter().map(|part| Outgoing::part(key, part)));
                any = true;
            }
        }
        any
    }

    /// How many parts the desk may still write in this conversation until the source writes again: links of its newest chain
    /// that nothing waits for, if that is no older than 28 days.
    pub(crate) fn links(&self, thread: &Thread, now: Round) -> usize {
        if thread.is_old(now) {
            return 0;
        }
        let links = thread.chain.as_ref().map_or(0, |started| started.chain.links().len());
        links.saturating_sub(self.waiting_parts(&thread.key))
    }

    /// Forgets what has left. What is neither in the queue nor in its trail was never on the disk there, and goes out again, under
    /// other links; but after 120 rounds nobody can tell, and it counts as left.
    pub(crate) fn settle(&mut self, mailbox: &Mailbox, now: Round) {
        let mut again = Vec::new();
        self.placed.retain_mut(|placed| {
            if placed.hints().any(|hint| mailbox.find(hint).is_some()) {
                return true;
            }
            let left = placed.hints().any(|hint| mailbox.left(hint).is_some());
            let since = |at: Round| now.0.checked_sub(at.0);
            let tells = placed.at.is_none_or(|at| since(at).is_some_and(|rounds| rounds < TRAIL as u32));
            if !left && tells {
                again.append(&mut placed.items);
            }
            false
        });
        self.waiting.splice(0..0, again);
    }

    /// Seals one envelope of what waits in round `now`: acknowledgements, up to 64 in one slot, and parts of replies in the
    /// others; slots that are left bear more acknowledgements, or nothing. They stay with it until it has left. `None`: there is
    /// nothing that can go.
    pub(crate) fn envelope(
        &mut self,
        to: &Readers<'_>,
        now: Round,
        hints: &HintKey,
        rng: &mut StdRng,
    ) -> Option<Blob> {
        let (slots, items) = self.next_slots(to.slots, now, rng);
        if slots.is_empty() {
            return None;
        }
        let slots = slots.into_iter().map(ByteArray::from).collect();
        let (at, sealed_by) = (Some(now), Some(to.sealed_by()));
        let mut placed = Placed { hint: [0; _], items, slots, at, anew: Vec::new(), sealed_by };
        let blob = to.envelope(&placed.slots, rng);
        placed.hint = hints.hint(&blob);
        mark(&mut self.threads, &placed.items, placed.hint);
        self.placed.push(placed);
        Some(blob)
    }

    /// Notes that envelopes of the queue were sealed anew: which of [`Self::placed`], and the hint of each from now on. What was
    /// there before may still be what is on the disk.
    pub(crate) fn sealed_anew(&mut self, hints: &[(usize, Hint)]) {
        for (at, hint) in hints {
            self.placed[*at].anew.push(*hint);
            mark(&mut self.threads, &self.placed[*at].items, *hint);
        }
    }

    /// Takes back what [`Self::sealed_anew`] noted.
    pub(crate) fn not_sealed(&mut self, hints: &[(usize, Hint)]) {
        let stays = |hint: &Hint| hints.iter().all(|(_, anew)| anew != hint);
        self.placed.iter_mut().for_each(|placed| placed.anew.retain(stays));
        for line in self.threads.iter_mut().flat_map(|thread| &mut thread.lines) {
            if let Spoken::Desk { hints, .. } = line {
                hints.retain(stays);
            }
        }
    }

    /// Seals up to `most` slots of what waits in round `now`, and takes it out.
    fn next_slots(
        &mut self,
        most: usize,
        now: Round,
        rng: &mut StdRng,
    ) -> (Vec<[u8; READER_SLOT]>, Vec<Outgoing>) {
        let (mut slots, mut items, mut acks, mut rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for item in core::mem::take(&mut self.waiting) {
            match item {
                Outgoing::Ack(tag) => acks.push(tag),
                item @ Outgoing::Part { .. } => rest.push(item),
            }
        }
        // One slot for acknowledgements before the parts, and what is left behind them. Where there is but one slot they take turns:
        // if each edition brings a message, and the queue's first places are full, no part would ever find a place.
        let carries_acks = |placed: &Placed| placed.items.iter().any(|item| matches!(item, Outgoing::Ack(_)));
        let parts_first = most == 1 && acks.len() < TAGS && self.placed.last().is_some_and(carries_acks);
        let mut acks = acks.chunks(TAGS);
        let slot = |tags: &[AckTag], items: &mut Vec<_>, rng: &mut StdRng| {
            items.extend(tags.iter().copied().map(Outgoing::Ack));
            ack_slot(tags, rng)
        };
        if !parts_first {
            slots.extend(acks.next().map(|tags| slot(tags, &mut items, rng)));
        }
        for item in rest {
            let slot = if slots.len() < most { self.seal(&item, now, rng) } else { Sealed::Waits };
            match slot {
                Sealed::Slot(slot) => {
                    slots.push(*slot);
                    items.push(item);
                }
                Sealed::Waits => self.waiting.push(item),
                Sealed::Never => {}
            }
        }
        while slots.len() < most
            && let Some(tags) = acks.next()
        {
            slots.push(slot(tags, &mut items, rng));
        }
        self.waiting.extend(acks.flatten().copied().map(Outgoing::Ack));
        (slots, items)
    }

    fn seal(&mut self, item: &Outgoing, now: Round, rng: &mut StdRng) -> Sealed {
        let &Outgoing::Part { ref conversation, number, part, parts, whole, ref text } = item else {
            return Sealed::Waits;
        };
        let Some(thread) = self.threads.iter_mut().find(|t| t.key.as_bytes() == conversation) else {
            return Sealed::Never;
        };
        // CNV-13: the chain grew old while this waited, or no link is left because cuts made parts go out again. The source has
        // to write again; then the parts go out on its new chain.
        if thread.is_old(now) {
            return Sealed::Waits;
        }
        let link = thread.chain.as_mut().and_then(|started| started.chain.next_link());
        let Some(link) = link else { return Sealed::Waits };
        let text = Zeroizing::new(text.0.clone());
        let part = ReplyPart { number, part, parts, whole, text };
        Sealed::Slot(Box::new(seal_reply(&link, &part, rng)))
    }

    /// How many parts of a conversation wait for a link.
    fn waiting_parts(&self, key: &ConversationKey) -> usize {
        let of = |item: &&Outgoing| matches!(item, Outgoing::Part { conversation, .. } if conversation == key.as_bytes());
        self.waiting.iter().filter(of).count()
    }

    pub(crate) fn place_of(&self, mailbox: &Mailbox, thread: usize, reply: u32) -> Option<usize> {
        let thread = &self.threads[thread];
        thread.lines.iter().find_map(|line| match line {
            Spoken::Desk { number, hints, .. } if *number == reply => {
                last_place(&self.waiting, hints, mailbox, &thread.key, reply)
            }
            _ => None,
        })
    }

    /// Notes which replies have left since it was last asked. `true`: some have.
    pub(crate) fn note_left(&mut self, mailbox: &Mailbox, now: Round) -> bool {
        let mut any = false;
        for thread in &mut self.threads {
            for line in &mut thread.lines {
                if let Spoken::Desk { number, hints, left: left @ None, .. } = line
                    && last_place(&self.waiting, hints, mailbox, &thread.key, *number).is_none()
                {
                    // Not in the trail: at least 120 left after it, in as many rounds.
                    let long_ago = || Round(now.0.saturating_sub(TRAIL as u32));
                    let last = hints.iter().filter_map(|hint| mailbox.left(hint)).max();
                    *left = Some(last.unwrap_or_else(long_ago));
                    any = true;
                }
            }
        }
        any
    }
}

impl Thread {
    /// Whether there is a chain and it is too old to write on.
    pub(crate) fn is_old(&self, now: Round) -> bool {
        self.chain.as_ref().is_some_and(|started| started.at.0.saturating_add(WRITES_ROUNDS) < now.0)
    }

    /// Adds a line of the source's before the first that it wrote later: mixes let messages go in any order.
    fn insert(&mut self, line: Spoken) {
        let begins = |line: &Spoken| line.numbers().map(|numbers| numbers.start);
        let later = self.lines.iter().position(|other| begins(other) > begins(&line));
        self.lines.insert(later.unwrap_or(self.lines.len()), line);
    }

    /// The lines before which a message of the source's has not come.
    pub(crate) fn gaps(&self) -> Vec<usize> {
        let ends: HashSet<_> = self.lines.iter().filter_map(Spoken::numbers).map(|them| them.end).collect();
        let is_after_gap = |them: Range<u32>| them.start > 0 && !ends.contains(&them.start);
        (0..self.lines.len()).filter(|i| self.lines[*i].numbers().is_some_and(is_after_gap)).collect()
    }

    /// Whether something came after the newest answer was written, wherever it stands: a message that mixes let go late, or a document
    /// once all of it is there.
    pub(crate) fn is_unanswered(&self) -> bool {
        let answer = self.lines.iter().enumerate().rev().find_map(|(place, line)| match line {
            // An older version did not note what was seen.
            Spoken::Desk { seen, at, .. } => Some((place, seen.unwrap_or(*at))),
            _ => None,
        });
        self.lines.iter().enumerate().any(|(i, line)| {
            let (came, is_whole) = match line {
                Spoken::Source { at, .. } => (*at, true),
                Spoken::Document { at, good, .. } => (*at, good.is_some()),
                Spoken::Desk { .. } => return false,
            };
            answer.is_none_or(|(place, seen)| i > place || (is_whole && came > seen))
        })
    }

    /// Adds what a message carries. `true`: it was not there.
    fn add(&mut self, message: &Message, edition: Round) -> bool {
        // CNV-08: what is sealed anew is the same message.
        match &message.body {
            Body::Text(text) => {
                let is = |line: &Spoken| matches!(line, Spoken::Source { sequence, .. } if *sequence == message.sequence);
                let new = !self.lines.iter().any(is);
                if new {
                    let text = Text(text.to_string());
                    self.insert(Spoken::Source { text, sequence: message.sequence, at: edition });
                }
                new
            }
            Body::Part(part) => self.add_part(message.sequence - u32::from(part.part), part, edition),
        }
    }

    /// Adds a part of the document whose part 0 is in message `document`.
    fn add_part(&mut self, document: u32, part: &Part, edition: Round) -> bool {
        let is = |line: &Spoken| matches!(line, Spoken::Document { first, .. } if *first == document);
        if !self.lines.iter().any(is) {
            let parts = Joining::new(part.parts);
            self.insert(Spoken::Document { first: document, at: edition, parts, good: None });
        }
        for line in self.lines.iter_mut().filter(|line| is(line)) {
            let Spoken::Document { at, parts, good, .. } = line else { continue };
            if parts.take(part) == Taken::New {
                *at = edition;
                *good = parts.join().map(|joined| joined.is_ok());
                return true;
            }
        }
        false
    }
}

impl Spoken {
    /// The numbers of the messages that a line of the source's is made of; of a document, whether or not they have come.
    fn numbers(&self) -> Option<Range<u32>> {
        match self {
            Self::Source { sequence, .. } => Some(*sequence..sequence.saturating_add(1)),
            Self::Document { first, parts, .. } => {
                Some(*first..first.saturating_add(u32::from(parts.parts())))
            }
            Self::Desk { .. } => None,
        }
    }
}

/// Remembers which envelope carries the parts among `items`.
fn mark(threads: &mut [Thread], items: &[Outgoing], hint: Hint) {
    for thread in threads {
        for line in &mut thread.lines {
            if let Spoken::Desk { number, hints, left, .. } = line
                && items.iter().any(|item| item.is_of(&thread.key, *number))
            {
                hints.push(hint);
                *left = None;
            }
        }
    }
}

// PAS-04: as many as fit the reader drops if all desks that have the pass send them in every round.
/// How many slots of the reader drop each of these desks may fill with an envelope, which carries `most`.
fn share(drop: u16, desks: u16, most: usize) -> usize {
    (usize::from(drop) * 7 / (8 * usize::from(desks.max(1)))).clamp(1, most)
}

/// What goes to readers is sealed to, and passes with. All of it hangs on the round in which the envelope leaves, so that what waited
/// looks like what is new.
pub(crate) struct Readers<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) exit: &'a SealPublic,
    /// The first round of the week of the exit's key.
    pub(crate) week: Round,
    pub(crate) pass: DeskPass,
    /// The day of the pass.
    pub(crate) day: u32,
    /// How many slots each envelope has, whatever is in it.
    pub(crate) slots: usize,
}

impl<'a> Readers<'a> {
    /// For the envelope at `place` of the queue. `None`: there is no pass for the round in which that leaves.
    pub(crate) fn of(
        passes: &Passes,
        reader_slots: u16,
        wire: &'a Wire,
        exits: &'a ExitKeys,
        place: usize,
    ) -> Option<Self> {
        let (pass, day, desks) = passes.at(exits, place)?;
        let (exit, week) = exits.at(place);
        Some(Self { wire, exit, week, pass, day, slots: share(reader_slots, desks, wire.cascade.slots()) })
    }

    /// By which day's pass and which key of the exit.
    pub(crate) fn sealed_by(&self) -> SealedBy {
        (self.day, self.exit.id())
    }

    /// An envelope with these slots, and as many that say nothing as there is room for. To everybody but the exit it is cover, and
    /// the exit cannot tell whether any says something.
    pub(crate) fn envelope(&self, slots: &[ByteArray<READER_SLOT>], rng: &mut impl CryptoRng) -> Blob {
        let mut slots: Vec<[u8; READER_SLOT]> = slots.iter().map(|slot| **slot).collect();
        slots.resize_with(self.slots, || empty_slot(rng));
        envelope::to_readers(self.wire, &slots, &self.pass, self.exit, rng)
    }
}

/// Whether another copy of a reply is to go.
pub(crate) fn is_due(line: &Spoken, looked: Round) -> bool {
    let Spoken::Desk { left: Some(left), times, received: false, .. } = line else { return false };
    let wait = usize::from(*times).checked_sub(1).and_then(|n| REPEATS.get(n));
    wait.is_some_and(|wait| left.0.saturating_add(*wait) <= looked.0)
}

/// The place in the queue of the last part of a reply that has not left; a part that has no place yet comes last.
pub(crate) fn last_place(
    waiting: &[Outgoing],
    hints: &[Hint],
    mailbox: &Mailbox,
    key: &ConversationKey,
    reply: u32,
) -> Option<usize> {
    if waiting.iter().any(|item| item.is_of(key, reply)) {
        return Some(QUEUE - 1);
    }
    hints.iter().filter_map(|hint| mailbox.find(hint)).max()
}

enum Sealed {
    Slot(Box<[u8; READER_SLOT]>),
    Waits,
    Never,
}

// conversation.md §5:  bit i: reply highest - 1 - i
fn has(received: &Received, number: u32) -> bool {
    match received.highest.checked_sub(number) {
        None => false,
        Some(0) => true,
        Some(back) => back <= 16 && received.before >> (back - 1) & 1 == 1,
    }
}

#[cfg(test)]
mod tests {
    use proto::NetworkId;
    use proto::keys::KeyKind;
    use proto::seal::{self, SealSecret, Use};
    use proto::sign::IdentitySecret;
    use rand::SeedableRng as _;

    use super::*;
    use crate::kdf::Kdf;
    use crate::passphrase::Passphrase;
    use crate::vault::{Vault, VaultContents};

    const EDITION: Round = Round(9);

    #[test]
    fn pas_04_all_listed_desks_together_leave_an_eighth_of_a_drop_to_filler() {
        let most = 5;
        assert_eq!([1, 2, 3, 14].map(|desks| share(16, desks, most)), [5, 5, 4, 1]);
        for drop in 2..200_u16 {
            for desks in 1..=drop * 7 / 8 {
                let all = usize::from(desks) * share(drop, desks, most);
                assert!(8 * all <= 7 * usize::from(drop), "{desks} desks put {all} into {drop} slots");
            }
        }
        // More desks than a drop has room for, or none: still one each, so that what they say gets through in time.
        assert_eq!([share(1, 1, most), share(16, 1000, most), share(16, 0, most)], [1, 1, 5]);
    }

    fn vault(folder: &std::path::Path, rng: &mut StdRng) -> Vault {
        let passphrase = Passphrase::generate(rng);
        let contents = VaultContents {
            vault_key: IdentitySecret::generate(rng),
            intake: vec![(KeyKind::Intake.period(Round(0)), SealSecret::generate(rng))],
        };
        Vault::create(&folder.join("vault"), &passphrase, Kdf::cheap(), contents, rng).unwrap()
    }

    /// Whichever of its seals is in the queue or has left, an envelope is not put there again; and it is never forgotten before.
    #[test]
    fn what_has_left_is_forgotten_and_what_never_was_in_the_queue_goes_out_again() {
        let mut rng = StdRng::seed_from_u64(6);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let wire = Wire { network: NetworkId([1; 32]), cascade: proto::size::Cascade::new(3).unwrap() };
        let exit = SealSecret::generate(&mut rng);
        let blob = || envelope::cover(&wire, exit.public(), &mut StdRng::seed_from_u64(8));
        let mut mailbox = Mailbox::in_memory(wire, &mut rng);
        mailbox.fill(|_, _| blob().into(), &mut rng).unwrap();
        let key = HintKey::generate(&mut rng);
        let (_, here) = mailbox.place(&key, &blob().into()).unwrap();
        let placed = |hint, anew, at| Placed {
            hint,
            items: vec![Outgoing::Ack([3; 16])],
            slots: vec![ByteArray::from([0; READER_SLOT])],
            at,
            anew,
            sealed_by: None,
        };
        let nowhere = [9; 20];
        let settled = |hint, anew, at: Option<u32>, mailbox: &Mailbox, book: &mut Book| {
            book.placed = vec![placed(hint, anew, at.map(Round))];
            book.waiting.clear();
            book.settle(mailbox, Round(200));
            (book.placed.len(), book.waiting.len())
        };
        // The last seal, or the one before, as the program was stopped in between.
        assert_eq!(settled(here, vec![], Some(10), &mailbox, &mut book), (1, 0));
        assert_eq!(settled(here, vec![nowhere], Some(199), &mailbox, &mut book), (1, 0));
        assert_eq!(settled(nowhere, vec![here], Some(199), &mailbox, &mut book), (1, 0));
        mailbox.take(Round(150), &blob().into(), &mut rng).unwrap();
        assert_eq!(settled(here, vec![nowhere], Some(199), &mailbox, &mut book), (0, 0));
        assert_eq!(settled(nowhere, vec![here], Some(199), &mailbox, &mut book), (0, 0));
        // Neither: if it had left within 120 rounds, the trail would know.
        for (at, again) in [(None, 1), (Some(200), 1), (Some(81), 1), (Some(80), 0), (Some(201), 0)] {
            assert_eq!(settled(nowhere, vec![], at, &mailbox, &mut book), (0, again), "{at:?}");
        }
    }

    /// A message, and the chain of a fresh box around it.
    fn message(sequence: u32, rng: &mut StdRng) -> (Message, Chain) {
        let key = || ConversationKey::from_bytes([7; 32]);
        let body = Body::Text(Zeroizing::new(format!("message {sequence}")));
        let network = NetworkId([1; 32]);
        let (_, exporter) = seal::seal(Use::Box, &network, SealSecret::generate(rng).public(), b"", rng);
        let message = Message { conversation: key(), sequence, received: Received::default(), body };
        (message, Chain::new(&key(), &exporter))
    }

    fn again(chain: &Chain) -> Chain {
        proto::codec::decode(&proto::codec::encode(chain)).unwrap()
    }

    fn started(book: &Book) -> &Started {
        book.threads[0].chain.as_ref().unwrap()
    }

    fn acks(book: &Book) -> usize {
        book.waiting.iter().filter(|w| matches!(w, Outgoing::Ack(_))).count()
    }

    #[test]
    fn cnv_08_a_message_sealed_anew_is_one_line_on_the_newer_chain() {
        let mut rng = StdRng::seed_from_u64(1);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let ((first, one), (anew, two)) = (message(0, &mut rng), message(0, &mut rng));
        let newer = *two.ack();
        assert!(book.take(&first, one, EDITION));
        assert!(!book.take(&anew, two, EDITION));
        assert_eq!((book.threads[0].lines.len(), acks(&book)), (1, 2));
        assert_eq!(*started(&book).chain.ack(), newer);
    }

    /// An answer is to what had been looked through when it was written, and not to what came in the same round.
    #[test]
    fn a_message_that_comes_late_is_new_though_it_stands_above_an_answer() {
        let mut rng = StdRng::seed_from_u64(4);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let take = |book: &mut Book, sequence, edition, rng: &mut _| {
            let (message, chain) = message(sequence, rng);
            assert!(book.take(&message, chain, edition));
            book.looked = Some(edition);
        };
        take(&mut book, 1, EDITION, &mut rng);
        assert!(book.threads[0].is_unanswered());
        // Written in the round of the next edition, before that is looked through.
        book.say(0, "Which warehouse?", vec![], EDITION.next());
        assert!(!book.threads[0].is_unanswered());
        take(&mut book, 0, EDITION.next(), &mut rng);
        assert!(matches!(
            book.threads[0].lines[..],
            [Spoken::Source { .. }, Spoken::Source { .. }, Spoken::Desk { .. }]
        ));
        assert!(book.threads[0].is_unanswered(), "it came after the answer was written");
        book.say(0, "Thank you.", vec![], EDITION.next());
        assert!(!book.threads[0].is_unanswered());
    }

    #[test]
    fn an_answer_of_an_older_version_is_read_and_was_to_what_came_before_its_round() {
        let old =
            (1_u8, (Text("Which?".into()), 1_u32, Round(9), None::<Round>, Vec::<Hint>::new(), 1_u8, false));
        let read: Spoken = minicbor::decode(&minicbor::to_vec(old).unwrap()).unwrap();
        assert!(matches!(read, Spoken::Desk { number: 1, at: Round(9), seen: None, .. }));
    }

    #[test]
    fn cnv_09_a_box_that_comes_twice_brings_no_used_link_back() {
        let mut rng = StdRng::seed_from_u64(2);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let ((first, one), (second, two)) = (message(0, &mut rng), message(1, &mut rng));
        let copies = [again(&one), again(&two)];
        assert!(book.take(&first, one, EDITION));
        assert!(book.take(&second, two, EDITION));
        let used = *book.threads[0].chain.as_mut().unwrap().chain.next_link().unwrap().tag();
        // And an anew of the second, after which its first box comes once more.
        let (anew, three) = message(1, &mut rng);
        let newest = *three.ack();
        assert!(!book.take(&anew, three, EDITION));
        let before = acks(&book);
        for (message, copy) in [&first, &second].into_iter().zip(copies) {
            assert!(!book.take(message, copy, Round(10)));
        }
        let chain = started(&book);
        assert_eq!((*chain.chain.ack(), chain.at, acks(&book)), (newest, EDITION, before));
        assert!(chain.chain.links().iter().all(|link| *link.tag() != used));
    }

    /// P8: nobody's answer waits for ever because every edition brings a message, nor a message's acknowledgement behind answers.
    #[test]
    fn in_envelopes_of_one_slot_answers_and_acknowledgements_take_turns() {
        let mut rng = StdRng::seed_from_u64(7);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let wire = Wire { network: NetworkId([1; 32]), cascade: proto::size::Cascade::new(3).unwrap() };
        let exit = SealSecret::generate(&mut rng);
        let pass = DeskPass::generate(&mut rng);
        let to = Readers { wire: &wire, exit: exit.public(), week: Round(0), pass, day: 0, slots: 1 };
        let key = HintKey::generate(&mut rng);
        let (first, chain) = message(0, &mut rng);
        book.take(&first, chain, EDITION);
        for number in 1..=2 {
            let text = "x".repeat(16 * 944);
            book.say(0, &text, ReplyPart::cut(number, &text).unwrap(), EDITION);
        }
        // As many acknowledgements as each envelope carries. One leaves with each edition, and frees a place for one.
        let mut carried = |messages: core::ops::Range<u32>, now, book: &mut Book| {
            for sequence in messages {
                let (message, chain) = message(sequence, &mut rng);
                book.take(&message, chain, EDITION);
            }
            book.envelope(&to, now, &key, &mut rng).unwrap();
            let items = &book.placed.last().unwrap().items;
            items.iter().filter(|item| matches!(item, Outgoing::Ack(_))).count()
        };
        for n in 0..10 {
            let turns = [0, 1].map(|turn| carried(1 + 2 * n + turn..2 + 2 * n + turn, EDITION, &mut book));
            assert_eq!(turns, [2, 0]);
        }
        // A whole slot of them waits for nobody; and no slot stays empty for a part that finds no link.
        assert_eq!(
            [21..22, 22..86, 86..87].map(|messages| carried(messages, EDITION, &mut book)),
            [2, 64, 0]
        );
        let late = Round(EDITION.0 + WRITES_ROUNDS + 1);
        assert_eq!([87..88, 88..89].map(|messages| carried(messages, late, &mut book)), [2, 1]);
    }

    /// P8: mixes let messages go in any order.
    #[test]
    fn what_a_source_wrote_is_shown_in_the_order_in_which_it_was_written() {
        let mut rng = StdRng::seed_from_u64(8);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let mut come = |sequence, part: Option<Part>, book: &mut Book| {
            let (mut message, chain) = message(sequence, &mut rng);
            message.body = part.map_or(message.body, Body::Part);
            assert!(book.take(&message, chain, EDITION));
        };
        // The third part of a document of three, whose first is message 3.
        let part = Part { part: 2, parts: 3, rest: Zeroizing::new(vec![1]) };
        come(1, None, &mut book);
        book.say(0, "an answer", ReplyPart::cut(1, "an answer").unwrap(), EDITION);
        come(8, None, &mut book);
        come(5, Some(part), &mut book);
        come(6, None, &mut book);
        come(0, None, &mut book);
        let shown = |line: &Spoken| match line {
            Spoken::Source { sequence, .. } => i64::from(*sequence),
            Spoken::Document { first, .. } => i64::from(*first),
            Spoken::Desk { .. } => -1,
        };
        let thread = &book.threads[0];
        assert_eq!(thread.lines.iter().map(shown).collect::<Vec<_>>(), [0, 1, -1, 3, 6, 8]);
        // Message 2 has not come, and message 7. That not all of the document has is said of itself.
        assert_eq!(thread.gaps(), [3, 5]);
    }

    fn received(book: &Book) -> Vec<u32> {
        let had = book.threads[0].lines.iter().filter_map(|line| match line {
            Spoken::Desk { number, received: true, .. } => Some(*number),
            _ => None,
        });
        had.collect()
    }

    #[test]
    fn cnv_11_what_the_source_has_it_has_in_whatever_order_its_messages_come() {
        let mut rng = StdRng::seed_from_u64(3);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let (first, chain) = message(0, &mut rng);
        book.take(&first, chain, EDITION);
        for number in 1..=20 {
            book.say(0, "x", ReplyPart::cut(number, "x").unwrap(), EDITION);
        }
        let mut say = |sequence, highest, before, book: &mut Book| {
            let (message, chain) = message(sequence, &mut rng);
            book.take(&Message { received: Received { highest, before }, ..message }, chain, EDITION);
        };
        // 20, 19 and 4; then a message that was written before, when the source had 1 to 3; then nonsense.
        say(3, 20, 1 | 1 << 15, &mut book);
        assert_eq!(received(&book), [4, 19, 20]);
        assert_eq!(book.waiting_parts(&ConversationKey::from_bytes([7; 32])), 17, "these need not go");
        say(1, 3, 0b11, &mut book);
        assert_eq!(received(&book), [1, 2, 3, 4, 19, 20]);
        say(2, 0, 0xffff, &mut book);
        say(4, u32::MAX, 0xffff, &mut book);
        assert_eq!(received(&book), [1, 2, 3, 4, 19, 20]);
    }

    #[test]
    fn cnv_13_nothing_goes_on_an_old_chain_and_what_waits_goes_on_the_next() {
        let mut rng = StdRng::seed_from_u64(4);
        let folder = tempfile::tempdir().unwrap();
        let mut book = vault(folder.path(), &mut rng).book;
        let (first, chain) = message(0, &mut rng);
        book.take(&first, chain, EDITION);
        book.waiting.clear();
        book.say(0, "x", ReplyPart::cut(1, "x").unwrap(), EDITION);
        let last = Round(EDITION.0 + WRITES_ROUNDS);
        assert_eq!(book.links(&book.threads[0], last), 63);
        assert_eq!(book.links(&book.threads[0], last.next()), 0);
        assert!(book.next_slots(4, last.next(), &mut rng).0.is_empty());
        // CNV-12: nor is it repeated there.
        assert!(!book.repeat(last.next(), last.next()));
        let (second, chain) = message(1, &mut rng);
        let tag = *chain.links()[0].tag();
        book.take(&second, chain, last.next());
        let (slots, items) = book.next_slots(4, last.next(), &mut rng);
        assert_eq!((slots.len(), items.len()), (2, 2), "the acknowledgement, and what waited");
        assert_eq!(proto::conversation::slot_tag(&slots[1]), tag);
    }
}
