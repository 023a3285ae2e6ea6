//! A desk's inbox: opens what the drops bring, acknowledges by itself, and answers. Nothing here touches the network; the
//! desk's device fetches every drop and sends its envelope whether or not the vault is open.
//!
//! What goes to readers waits in the vault until it is known to be on the disk in the queue: only then is it forgotten
//! there. A cut in between can make a reply go out twice, under another link, which the source drops; it can never lose
//! one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::conversation::{
    Chain, ConversationKey, Message, Received, ReplyPart, TAGS, TooLong, ack_slot, open_message, seal_reply,
};
use proto::drops::DeskDrop;
use proto::envelope::Wire;
use proto::pass::{self, DeskPass, PLACES};
use proto::seal::SealPublic;
use proto::size::READER_SLOT;
use proto::{Millis, Round, envelope};
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::conversations::{Started, Text};
use crate::device::{Device, Held, Inner, Leaves};
use crate::mailbox::HintKey;
use crate::mailbox::{Hint, QUEUE};
use crate::passphrase;
use crate::session::{Line, LineState, Who};
use crate::vault::{Book, Outgoing, Pass, Placed, Slice, Spoken, Thread, Vault};

/// A desk writes on no chain older than 28 days: the source forgets it after 42.
const WRITES_ROUNDS: u32 = 28 * 24;

/// A pass is used while an edition that brought it is at most so old. With a day in the queue, one held and half a day to spare it is
/// still taken when it comes.
const FRESH_ROUNDS: u32 = 12;

/// An open vault beside the desk's device.
pub struct Inbox {
    device: Arc<Device>,
    vault: Mutex<Vault>,
}

/// A conversation, for the desk's screen.
pub struct Conversation {
    /// Its name on this desk's machine.
    pub id: [u8; 8],
    /// Two words to call it by, the same for as long as it lives.
    pub name: String,
    /// In order.
    pub lines: Vec<Line>,
    /// Whether the source spoke last.
    pub unanswered: bool,
    /// The round of its newest line.
    pub newest: Round,
}

/// Why an answer was not sealed. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// No such conversation.
    #[error("this conversation is not in the vault")]
    NoConversation,
    /// No edition was verified yet, so there is no queue to wait in.
    #[error("the first edition is still to come; nothing can be written before")]
    TooEarly,
    /// The source's newest message is too old to answer, or was answered too often.
    #[error("the source has to write again before it can be answered")]
    NoChain,
    /// The text does not fit a reply.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The vault could not be written.
    #[error("the vault could not be written; is the disk full?")]
    Disk,
}

impl Inbox {
    /// Opens an inbox. What an earlier run of the program left half done goes on.
    pub fn new(device: Arc<Device>, mut vault: Vault) -> Self {
        vault.book.settle(&device.inner().held());
        Self { device, vault: Mutex::new(vault) }
    }

    fn inner(&self) -> &Inner {
        self.device.inner()
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the desk drops that were not looked through, keeps what is new, and acknowledges it. Returns how many
    /// messages are new. Call it now and then; there is no harm in calling it often.
    pub fn collect(&self) -> usize {
        let mut rng = self.inner().rng();
        let mut vault = self.vault();
        let mut new = 0;
        // One edition at a time: in a large network a drop is some megabytes, and there may be 336.
        loop {
            let looked = vault.book.looked;
            let next = self.inner().library().next_desk_drops(looked);
            let (edition, drops) = match next {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(cause) => {
                    tracing::warn!(%cause, "could not read what was fetched");
                    break;
                }
            };
            let directory = Arc::clone(&self.inner().shown().directory);
            let (wire, p) = (self.inner().wire, directory.parameters());
            // Each had its length when it was fetched; one of another roster's length holds nothing for us.
            let drops: Vec<_> = drops
                .into_iter()
                .filter_map(|bytes| DeskDrop::from_bytes(wire.cascade, p.desk_slots, p.desks, bytes).ok())
                .collect();
            for drop in &drops {
                vault.learn_pass(&wire, drop.passes(), edition);
            }
            for boxed in drops.iter().flat_map(DeskDrop::boxes) {
                let Ok((message, chain)) = open_message(&self.inner().wire, &vault.intake, boxed) else {
                    continue;
                };
                new += usize::from(vault.book.take(&message, chain, edition));
            }
            vault.book.looked = Some(edition);
            // Kept before it is acknowledged, edition by edition.
            if let Err(cause) = vault.save(&mut rng) {
                tracing::warn!(%cause, "could not write the vault; is the disk full?");
                return new;
            }
        }
        self.flush(&mut vault, &mut rng);
        new
    }

    /// The conversations, the one with the newest line first.
    pub fn conversations(&self) -> Vec<Conversation> {
        let now = self.inner().clock.now();
        let mut vault = self.vault();
        let held = self.inner().held();
        vault.book.note_left(&held, now);
        let mut all: Vec<_> = vault.book.threads.iter().map(|t| self.view(&held, &vault, t, now)).collect();
        all.sort_by_key(|c| core::cmp::Reverse(c.newest));
        all
    }

    fn view(&self, held: &Held, vault: &Vault, thread: &Thread, now: Millis) -> Conversation {
        let lines: Vec<_> =
            thread.lines.iter().map(|line| self.line(held, &vault.book, thread, line, now)).collect();
        Conversation {
            id: id(&thread.key),
            name: name(&vault.hints, &thread.key),
            unanswered: lines.last().is_some_and(|line| line.who == Who::Source),
            newest: lines.last().map_or(Round(0), |line| line.at),
            lines,
        }
    }

    fn line(&self, held: &Held, book: &Book, thread: &Thread, line: &Spoken, now: Millis) -> Line {
        match line {
            Spoken::Source { text, at, .. } => {
                Line { who: Who::Source, text: text.shown(), state: LineState::Received, at: *at }
            }
            Spoken::Desk { text, number, at, left, hints } => {
                let state = if has(&thread.received, *number) {
                    LineState::Acknowledged
                } else if let Some(place) = last_place(&book.waiting, hints, held, &thread.key, *number) {
                    let leaves = self.inner().leaves(held, place, now);
                    LineState::Waiting { from: leaves.from, until: leaves.until }
                } else {
                    LineState::Left { before: left.unwrap_or(now) }
                };
                Line { who: Who::You, text: text.shown(), state, at: *at }
            }
        }
    }

    /// Seals an answer on the conversation's newest chain and puts it in the queue in the place of cover.
    pub fn answer(&self, conversation: [u8; 8], text: &str, now: Millis) -> Result<Leaves, AnswerError> {
        let mut rng = self.inner().rng();
        let mut vault = self.vault();
        let at = self.inner().schedule.round_at(now).ok_or(AnswerError::TooEarly)?;
        if !self.inner().held().mailbox.is_filled() {
            return Err(AnswerError::TooEarly);
        }
        let find = |book: &Book| book.threads.iter().position(|t| id(&t.key) == conversation);
        let i = find(&vault.book).ok_or(AnswerError::NoConversation)?;
        let waiting = vault.book.waiting_parts(&vault.book.threads[i].key);
        let thread = &mut vault.book.threads[i];
        let number = thread.replies + 1;
        let parts = ReplyPart::cut(number, text)?;
        let old = thread.chain.at.0.saturating_add(WRITES_ROUNDS) < at.0;
        if old || thread.chain.chain.links().len() < waiting + parts.len() {
            return Err(AnswerError::NoChain);
        }
        let key = *thread.key.as_bytes();
        thread.replies = number;
        let text = Text(text.to_owned());
        thread.lines.push(Spoken::Desk { text, number, at, left: None, hints: Vec::new() });
        let count = parts.len();
        vault.book.waiting.extend(parts.into_iter().map(|p| Outgoing::part(key, &p)));
        if let Err(cause) = vault.save(&mut rng) {
            tracing::warn!(%cause, "could not write the vault; is the disk full?");
            let left = vault.book.waiting.len() - count;
            vault.book.waiting.truncate(left);
            let thread = &mut vault.book.threads[i];
            thread.replies -= 1;
            thread.lines.pop();
            return Err(AnswerError::Disk);
        }
        self.flush(&mut vault, &mut rng);
        let held = self.inner().held();
        Ok(self.inner().leaves(&held, vault.book.place_of(&held, i, number).unwrap_or(0), now))
    }

    /// Puts what waits into envelopes, and those into the queue. What finds no place there waits on.
    fn flush(&self, vault: &mut Vault, rng: &mut StdRng) {
        let Some(round) = self.inner().schedule.round_at(self.inner().clock.now()) else { return };
        let directory = Arc::clone(&self.inner().shown().directory);
        let Some((_, exit)) = directory.envelope_keys(round) else { return };
        // Without a pass that the exit still takes when they come, slots would be dropped: they wait for the next edition.
        let fresh = |pass: &&Pass| round.0 <= pass.at.0.saturating_add(FRESH_ROUNDS);
        let Some(pass) = vault.book.pass.as_ref().filter(fresh).map(|pass| DeskPass::from_bytes(pass.bytes))
        else {
            return;
        };
        vault.book.settle(&self.inner().held());
        while !vault.book.waiting.is_empty() {
            {
                let held = self.inner().held();
                if !held.mailbox.is_filled() || !held.mailbox.has_cover(&vault.hints, PLACES) {
                    return;
                }
            }
            if !self.place_one(vault, &pass, &exit, rng) {
                return;
            }
        }
    }

    /// One envelope: the acknowledgements that wait, up to 64 in one slot, and parts of replies in the others.
    fn place_one(&self, vault: &mut Vault, pass: &DeskPass, exit: &SealPublic, rng: &mut StdRng) -> bool {
        let (slots, items) = vault.book.next_slots(self.inner().wire.cascade.slots(), rng);
        if slots.is_empty() {
            return false;
        }
        let blob = envelope::to_readers(&self.inner().wire, &slots, pass, exit, rng);
        let hint = vault.hints.hint(&blob);
        vault.book.mark(&items, hint);
        vault.book.placed.push(Placed { hint, items, change: None });
        // The links are spent on the disk before anything sealed under them can be seen.
        let saved = vault.save(rng);
        let mut held = self.inner().held();
        let placed = vault.book.placed.last_mut().expect("pushed above");
        match saved {
            Ok(()) if held.mailbox.place(&vault.hints, &blob).is_ok() => {
                placed.change = Some(held.mailbox.changes());
                true
            }
            saved => {
                if let Err(cause) = saved {
                    tracing::warn!(%cause, "could not write the vault; is the disk full?");
                }
                let placed = vault.book.placed.pop().expect("pushed above");
                vault.book.waiting.splice(0..0, placed.items);
                false
            }
        }
    }
}

impl Vault {
    /// Looks for the desk pass in a drop's table, once for each table.
    fn learn_pass(&mut self, wire: &Wire, table: &[u8], edition: Round) {
        let digest: [u8; 32] = Sha256::digest(table).into();
        match &mut self.book.pass {
            Some(pass) if pass.table == digest => pass.at = edition,
            known => {
                if let Some(found) = pass::find(&wire.network, &self.intake, table) {
                    *known = Some(Pass { bytes: *found.as_bytes(), table: digest, at: edition });
                }
            }
        }
    }
}

impl Outgoing {
    fn part(conversation: [u8; 32], part: &ReplyPart) -> Self {
        let text = Slice(part.text.to_vec());
        Self::Part { conversation, number: part.number, part: part.part, parts: part.parts, text }
    }

    fn is_of(&self, key: &ConversationKey, reply: u32) -> bool {
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
        let started = Started { at: edition, sequence: message.sequence, chain };
        let thread = match known {
            Some(thread) => {
                // Sealed anew counts as newer: its chain is the one that the source surely has.
                if message.sequence >= thread.chain.sequence {
                    thread.chain = started;
                    thread.received = message.received;
                }
                thread
            }
            None => {
                self.threads.push(Thread {
                    key: ConversationKey::from_bytes(*message.conversation.as_bytes()),
                    chain: started,
                    replies: 0,
                    received: message.received,
                    lines: Vec::new(),
                    taken: Vec::new(),
                });
                self.threads.last_mut().expect("pushed just now")
            }
        };
        thread.taken.push(ack.into());
        // CNV-08: what is sealed anew is the same message.
        let repeat = thread
            .lines
            .iter()
            .any(|line| matches!(line, Spoken::Source { sequence, .. } if *sequence == message.sequence));
        if !repeat {
            thread.lines.push(Spoken::Source {
                text: Text(message.text.to_string()),
                sequence: message.sequence,
                at: edition,
            });
        }
        !repeat
    }

    /// Forgets what is on the disk in the queue. What an earlier run placed and is not there goes out again.
    fn settle(&mut self, held: &Held) {
        let mut again = Vec::new();
        self.placed.retain_mut(|placed| match placed.change {
            Some(change) => change > held.mailbox.written(),
            None => {
                if held.mailbox.find(&placed.hint).is_none() {
                    again.append(&mut placed.items);
                }
                false
            }
        });
        self.waiting.splice(0..0, again);
    }

    /// Seals up to `most` slots of what waits, and takes it out.
    fn next_slots(&mut self, most: usize, rng: &mut StdRng) -> (Vec<[u8; READER_SLOT]>, Vec<Outgoing>) {
        let (mut slots, mut items, mut acks, mut rest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for item in core::mem::take(&mut self.waiting) {
            match item {
                Outgoing::Ack(tag) if acks.len() < TAGS => acks.push(tag),
                item => rest.push(item),
            }
        }
        if !acks.is_empty() {
            slots.push(ack_slot(&acks, rng));
            items.extend(acks.into_iter().map(Outgoing::Ack));
        }
        for item in rest {
            let slot = if slots.len() < most { self.seal(&item, rng) } else { Sealed::Waits };
            match slot {
                Sealed::Slot(slot) => {
                    slots.push(*slot);
                    items.push(item);
                }
                Sealed::Waits => self.waiting.push(item),
                Sealed::Never => {}
            }
        }
        (slots, items)
    }

    fn seal(&mut self, item: &Outgoing, rng: &mut StdRng) -> Sealed {
        let Outgoing::Part { conversation, number, part, parts, text } = item else { return Sealed::Waits };
        // No link left: the chain was used up by sending again after cuts. The source has to write again; then the
        // parts go out on its new chain.
        let Some(thread) = self.threads.iter_mut().find(|t| t.key.as_bytes() == conversation) else {
            return Sealed::Never;
        };
        let Some(link) = thread.chain.chain.next_link() else { return Sealed::Waits };
        let text = Zeroizing::new(text.0.clone());
        let part = ReplyPart { number: *number, part: *part, parts: *parts, text };
        Sealed::Slot(Box::new(seal_reply(&link, &part, rng)))
    }

    /// How many parts of a conversation wait for a link.
    fn waiting_parts(&self, key: &ConversationKey) -> usize {
        let of = |item: &&Outgoing| matches!(item, Outgoing::Part { conversation, .. } if conversation == key.as_bytes());
        self.waiting.iter().filter(of).count()
    }

    /// Remembers which envelope carries the parts among `items`.
    fn mark(&mut self, items: &[Outgoing], hint: Hint) {
        for thread in &mut self.threads {
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

    fn place_of(&self, held: &Held, thread: usize, reply: u32) -> Option<usize> {
        let thread = &self.threads[thread];
        thread.lines.iter().find_map(|line| match line {
            Spoken::Desk { number, hints, .. } if *number == reply => {
                last_place(&self.waiting, hints, held, &thread.key, reply)
            }
            _ => None,
        })
    }

    /// Notes which replies have left since it was last asked.
    fn note_left(&mut self, held: &Held, now: Millis) {
        for thread in &mut self.threads {
            for line in &mut thread.lines {
                if let Spoken::Desk { number, hints, left: left @ None, .. } = line
                    && last_place(&self.waiting, hints, held, &thread.key, *number).is_none()
                {
                    *left = Some(now);
                }
            }
        }
    }
}

/// The place in the queue of the last part of a reply that has not left; a part that has no place yet comes last.
fn last_place(
    waiting: &[Outgoing],
    hints: &[Hint],
    held: &Held,
    key: &ConversationKey,
    reply: u32,
) -> Option<usize> {
    if waiting.iter().any(|item| item.is_of(key, reply)) {
        return Some(QUEUE - 1);
    }
    hints.iter().filter_map(|hint| held.mailbox.find(hint)).max()
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

fn hash(label: &str, key: &ConversationKey) -> [u8; 32] {
    Sha256::new().chain_update(label).chain_update([0]).chain_update(key.as_bytes()).finalize().into()
}

fn id(key: &ConversationKey) -> [u8; 8] {
    *hash("firsthand/v1 inbox id", key).first_chunk().expect("a hash is longer")
}

// From a secret of the vault too: what two words a source is called by must not tell those who overhear them, and later
// get hold of a conversation's key, that the two belong together.
fn name(hints: &HintKey, key: &ConversationKey) -> String {
    let hash = hints.mark("firsthand/v1 inbox name", key.as_bytes());
    let word = |at: usize| {
        let n = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]);
        passphrase::word((n % 7776) as u16)
    };
    format!("{} {}", word(0), word(4))
}

#[cfg(test)]
mod tests {
    use proto::NetworkId;
    use proto::seal::{self, SealSecret, Use};
    use proto::sign::IdentitySecret;
    use rand::SeedableRng as _;

    use super::*;
    use crate::kdf::Kdf;
    use crate::passphrase::Passphrase;
    use crate::vault::VaultContents;

    const EDITION: Round = Round(9);

    fn vault(folder: &std::path::Path, rng: &mut StdRng) -> Vault {
        let passphrase = Passphrase::generate(rng);
        let contents =
            VaultContents { identity: IdentitySecret::generate(rng), intake: SealSecret::generate(rng) };
        Vault::create(&folder.join("vault"), &passphrase, Kdf::cheap(), contents, rng).unwrap()
    }

    #[test]
    fn a_pass_is_the_newest_drops_and_a_table_for_others_changes_nothing() {
        let mut rng = StdRng::seed_from_u64(5);
        let folder = tempfile::tempdir().unwrap();
        let mut vault = vault(folder.path(), &mut rng);
        let wire = Wire { network: NetworkId([1; 32]), cascade: proto::size::Cascade::new(3).unwrap() };
        let intake = vault.intake.public().clone();
        let other = SealSecret::generate(&mut rng).public().clone();
        let mut table = |n: u8, desk: &SealPublic| {
            pass::table(&wire.network, &DeskPass::from_bytes([n; 32]), [desk].into_iter(), 3, &mut rng)
        };
        let (first, second, elsewhere) = (table(1, &intake), table(2, &intake), table(3, &other));
        let known = |vault: &Vault| vault.book.pass.as_ref().map(|pass| (pass.bytes[0], pass.at.0));
        for (table, edition, expected) in [
            (&elsewhere, 8, None),
            (&first, 9, Some((1, 9))),
            (&first, 10, Some((1, 10))),
            (&elsewhere, 11, Some((1, 10))),
            (&second, 12, Some((2, 12))),
        ] {
            vault.learn_pass(&wire, table, Round(edition));
            assert_eq!(known(&vault), expected, "edition {edition}");
        }
    }

    /// A message, and the chain of a fresh box around it.
    fn message(sequence: u32, rng: &mut StdRng) -> (Message, Chain) {
        let key = || ConversationKey::from_bytes([7; 32]);
        let text = Zeroizing::new(format!("message {sequence}"));
        let network = NetworkId([1; 32]);
        let (_, exporter) = seal::seal(Use::Box, &network, SealSecret::generate(rng).public(), b"", rng);
        let message = Message { conversation: key(), sequence, received: Received::default(), text };
        (message, Chain::new(&key(), &exporter))
    }

    fn again(chain: &Chain) -> Chain {
        proto::codec::decode(&proto::codec::encode(chain)).unwrap()
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
        assert_eq!(*book.threads[0].chain.chain.ack(), newer);
    }

    #[test]
    fn another_vault_calls_a_source_by_another_name() {
        let key = ConversationKey::from_bytes([7; 32]);
        let [ours, theirs] = [1, 2].map(|n| name(&HintKey::from_bytes([n; 32]), &key));
        assert_ne!(ours, theirs);
        assert_eq!(ours, name(&HintKey::from_bytes([1; 32]), &key));
        assert_eq!(ours.split(' ').count(), 2);
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
        let used = *book.threads[0].chain.chain.next_link().unwrap().tag();
        // And an anew of the second, after which its first box comes once more.
        let (anew, three) = message(1, &mut rng);
        let newest = *three.ack();
        assert!(!book.take(&anew, three, EDITION));
        let before = acks(&book);
        for (message, copy) in [&first, &second].into_iter().zip(copies) {
            assert!(!book.take(message, copy, Round(10)));
        }
        let chain = &book.threads[0].chain;
        assert_eq!((*chain.chain.ack(), chain.at, acks(&book)), (newest, EDITION, before));
        assert!(chain.chain.links().iter().all(|link| *link.tag() != used));
    }
}
