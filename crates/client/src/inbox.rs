//! A desk's inbox: opens what the drops bring, acknowledges by itself, and answers. Nothing here touches the network; the
//! desk's device fetches every drop and sends its envelope whether or not the vault is open.
//!
//! What goes to readers stays in the vault until its envelope has left: only then is it forgotten there. A cut in between can make
//! a reply go out twice, under another link, which the source drops; it can never lose one.

mod places;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use proto::conversation::{ConversationKey, MAX_PARTS, ReplyPart, TooLong};
use proto::directory::{IntakeKey, desk_id};
use proto::document::Document;
use proto::drops::DeskDrop;
use proto::id::KeyId;
use proto::keys::Period;
use proto::pass;
use proto::sign::{IdentitySecret, Unverified};
use proto::size::REPLY_TEXT;
use proto::{Millis, Round};
use rand::rngs::StdRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::book::{COPIES, is_due, last_place};
use crate::device::{Device, Held, Inner, Leaves};
use crate::documents::DocumentView;
use crate::library::KEPT_ROUNDS;
use crate::mailbox::HintKey;
use crate::passphrase;
use crate::session::{Line, LineState, Stays, Who};
use crate::vault::{Book, Missed, Spoken, Thread, Vault, VaultError};

/// An open vault beside the desk's device.
pub struct Inbox {
    device: Arc<Device>,
    vault: Mutex<Vault>,
    trouble: Mutex<Trouble>,
}

/// What keeps a vault from doing what it is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// It was not written at the last try: what came last is in memory alone, and until it is written nothing is looked through,
    /// acknowledged or answered.
    pub unwritten: Option<Unwritten>,
    /// What is written to the desk between these moments is sealed to a key that is not in it: it is an old copy.
    pub lacks: Option<(Millis, Millis)>,
    /// What came between these moments was not looked through, and is not there any more.
    pub missed: Option<(Millis, Millis)>,
    /// By the newest edition nobody can write to this desk, or this is not its vault.
    pub cut_off: Option<CutOff>,
}

/// Why a vault was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// The disk failed, or is full.
    Disk,
    /// Another file lies in its place, and whoever put it there may need it.
    Replaced,
}

/// What the newest edition says of a desk that keeps sources from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutOff {
    /// It lists this device's identity with another vault key, or this vault's key with another identity. No keys are made.
    Foreign,
    /// It names no key of this desk for now.
    Keyless,
}

/// How the newest edition lists the desk of this device.
enum Listing {
    Not,
    /// With this vault's key, from this round on, and with these intake keys.
    Ours {
        since: Round,
        keys: Vec<(Period, KeyId)>,
    },
    /// With another vault key; or this vault's key with another identity.
    Foreign,
}

impl Listing {
    fn keys(&self) -> &[(Period, KeyId)] {
        if let Self::Ours { keys, .. } = self { keys } else { &[] }
    }
}

/// A conversation, for the desk's screen.
pub struct Conversation {
    /// Its name on this desk's machine.
    pub id: [u8; 8],
    /// Two words to call it by, the same for as long as it lives.
    pub name: String,
    /// In the order in which the source and the desk wrote, each by itself.
    pub lines: Vec<Line>,
    /// The lines before which a message of the source's has not come.
    pub gaps: Vec<usize>,
    /// Whether something came after the newest answer.
    pub unanswered: bool,
    /// The round of its newest line; of a document, that of its newest part.
    pub newest: Round,
    /// How long an answer may be until the source writes again, in bytes: at most 15,104; 0 if none can be sent.
    pub room: usize,
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
    /// The source's newest message is more than 28 days old.
    #[error(
        "the source's last message is more than 28 days old; the source has to write again before it can be answered"
    )]
    TooOld,
    /// The source's newest message was answered so much that what it brought for answers is used up, or nearly.
    #[error("until the source writes again there is room for {room} bytes")]
    NoLinks {
        /// How long the answer may be.
        room: usize,
    },
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
        if let Some(now) = device.inner().schedule.round_at(device.inner().clock.now()) {
            vault.book.settle(&device.inner().held().mailbox, now);
        }
        Self { device, vault: Mutex::new(vault), trouble: Mutex::default() }
    }

    fn inner(&self) -> &Inner {
        self.device.inner()
    }

    fn vault(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the vault, or a copy of it, that this inbox was opened with.
    pub fn is_of(&self, vault: &Vault) -> bool {
        self.vault().is_as(vault)
    }

    /// What keeps the vault from doing what it is for. Waits for nothing.
    pub fn trouble(&self) -> Trouble {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the vault; what it cannot write is said on the screen.
    fn kept(&self, vault: &mut Vault, rng: &mut StdRng) -> bool {
        let kept = vault.save(rng);
        let unwritten = match &kept {
            Ok(()) => None,
            Err(cause @ VaultError::Replaced(_)) => {
                tracing::warn!(%cause, "did not write the vault");
                Some(Unwritten::Replaced)
            }
            Err(cause) => {
                tracing::warn!(%cause, "could not write the vault; is the disk full?");
                Some(Unwritten::Disk)
            }
        };
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).unwritten = unwritten;
        unwritten.is_none()
    }

    /// Opens the desk drops that were not looked through, keeps what is new, and acknowledges it. Returns how many
    /// messages are new. Call it now and then; there is no harm in calling it often.
    pub fn collect(&self) -> usize {
        let mut rng = self.inner().rng();
        let mut vault = self.vault();
        let listing = self.listing(&vault);
        let round = self.inner().schedule.round_at(self.inner().clock.now());
        self.note_missed(&mut vault, round);
        let turned = round.is_some_and(|round| self.turn_keys(&mut vault, &listing, round, &mut rng));
        let is_gone = vault.is_in_place().is_ok_and(|is_ours| is_ours != Some(true));
        // Nothing that the disk does not have goes out: not a key, not "this desk has it".
        if (turned || vault.is_unwritten() || is_gone) && !self.kept(&mut vault, &mut rng) {
            if self.trouble().unwritten == Some(Unwritten::Replaced) && !matches!(listing, Listing::Foreign) {
                // What lies there may not have them.
                self.offer(&vault, &listing, &[]);
            }
            return 0;
        }
        // What is there of another vault's is its own, and may be in an edge's hands.
        if !matches!(listing, Listing::Foreign) {
            let keys =
                vault.intake_keys(&self.inner().wire.network, listing.keys(), round.unwrap_or(Round(0)));
            self.offer(&vault, &listing, &keys);
        }
        // Before they are looked for: an exchange that ends meanwhile may have brought more.
        let exchanged = self.inner().shown().exchanged;
        let mut new = 0;
        // One edition at a time: in a large network a drop is some megabytes, and there may be 336.
        loop {
            let looked = vault.book.looked;
            // Let go meanwhile: a page that is asked for does not wait until weeks are looked through.
            drop(vault);
            let next = self.inner().library().next_desk_drops(looked);
            vault = self.vault();
            if vault.book.looked != looked {
                continue;
            }
            let (edition, drops) = match next {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(cause) => {
                    tracing::warn!(%cause, "could not read what was fetched");
                    return new;
                }
            };
            // An exchange that went on meanwhile may have deleted what came in between.
            self.note_missed(&mut vault, round);
            let directory = Arc::clone(&self.inner().shown().directory);
            let (wire, p) = (self.inner().wire, directory.parameters());
            // Each had its length when it was fetched; one of another roster's length holds nothing for us.
            let read = |(round, bytes)| {
                let drop = DeskDrop::from_bytes(wire.cascade, p.desk_slots, p.desks, bytes).ok()?;
                Some((round, drop))
            };
            let drops: Vec<_> = drops.into_iter().filter_map(read).collect();
            for (round, drop) in &drops {
                // PAS-03: of a round to come no drop can be.
                if *round < edition {
                    self.learn_pass(&mut vault, *round, drop.passes());
                }
            }
            for boxed in drops.iter().flat_map(|(_, drop)| drop.boxes()) {
                let Some((message, chain)) = vault.open_message(&wire, edition, boxed) else {
                    continue;
                };
                new += usize::from(vault.book.take(&message, chain, edition));
            }
            vault.book.looked = Some(edition);
            // Kept before it is acknowledged, edition by edition.
            if !self.kept(&mut vault, &mut rng) {
                return new;
            }
        }
        // KEY-03: not before what was there is opened, and what the edge had when this program was started.
        if round.is_some_and(|round| exchanged && vault.delete_keys(round))
            && !self.kept(&mut vault, &mut rng)
        {
            return new;
        }
        if self.repeat(&mut vault, &mut rng) {
            self.flush(&mut vault, &mut rng);
        }
        new
    }

    /// Notes what nobody looked through and is not there any more, if it is more than was noted.
    fn note_missed(&self, vault: &mut Vault, round: Option<Round>) {
        let (Some(looked), Ok(Some(gone)), Some(noticed)) =
            (vault.book.looked, self.inner().library().gone(), round)
        else {
            return;
        };
        let before = vault.book.missed;
        if looked < gone && before.is_none_or(|it| it.until < gone) {
            // Of what grew in between the beginning stays.
            let before = before.filter(|it| it.until.next() >= looked);
            let from = before.map_or(looked.next(), |it| it.from);
            vault.book.missed = Some(Missed { from, until: gone, noticed });
        }
    }

    // PAS-03
    /// Looks for the pass in the table of a drop of `round`.
    fn learn_pass(&self, vault: &mut Vault, round: Round, table: &[u8]) {
        let day = pass::day(round);
        let failed = |cause| tracing::warn!(%cause, "could not read which directories were named");
        let directories = || {
            let of_day = self.inner().library().directories_of_day(day);
            of_day.map_err(failed).unwrap_or_default()
        };
        let saw_before = || {
            let saw = self.inner().library().saw_day(day.saturating_sub(1));
            saw.map_err(failed).unwrap_or_default()
        };
        let mut passes = core::mem::take(&mut vault.book.passes);
        let keys = vault.keys_of(pass::last_round(day));
        passes.learn(&self.inner().wire.network, round, table, keys, directories, saw_before);
        vault.book.passes = passes;
    }

    fn listing(&self, vault: &Vault) -> Listing {
        let directory = Arc::clone(&self.inner().shown().directory);
        let (identity, key) = (self.inner().desk.as_ref().map(IdentitySecret::public), vault.vault_key());
        let mut listed =
            directory.desks().iter().filter(|desk| Some(desk.identity) == identity || desk.vault_key == key);
        match listed.next() {
            None => Listing::Not,
            Some(it) if it.vault_key == key && identity.is_none_or(|own| own == it.identity) => {
                Listing::Ours { since: it.since, keys: it.keys().collect() }
            }
            Some(_) => Listing::Foreign,
        }
    }

    /// Makes intake keys ahead. `true`: the vault has to be written.
    fn turn_keys(&self, vault: &mut Vault, listing: &Listing, round: Round, rng: &mut StdRng) -> bool {
        let inner = self.inner();
        let is_new = inner.shown().front.edition.is_some() && !inner.is_stale(round);
        self.note_trouble(vault, listing, round, is_new);
        // KEY-02: only who knows of which keys others may have heard makes new ones. That stands in the newest directory, which comes
        // with an edition, and in what was handed in since. None could be handed in before that either.
        if !is_new || matches!(listing, Listing::Foreign) {
            return false;
        }
        let published = listing.keys();
        // Handed in, and in no directory yet.
        let taken = match inner.library().taken_intake_keys(&vault.vault_key()) {
            Ok(taken) => taken,
            Err(cause) => {
                tracing::warn!(%cause, "could not read which keys were handed in");
                return false;
            }
        };
        let known: Vec<_> = published.iter().copied().chain(taken).collect();
        vault.turn_keys(round, &known, rng)
    }

    /// What keeps others from writing to this desk, or it from reading what they write.
    fn note_trouble(&self, vault: &Vault, listing: &Listing, round: Round, is_new: bool) {
        let inner = self.inner();
        // Directories name no week that is over, and what was written in it may still come; nor what was handed in since.
        let before = inner.library().known().ok().flatten().unwrap_or_default();
        let desk = inner.desk.as_ref().map(|identity| desk_id(&identity.public(), &vault.vault_key()));
        let mut known: Vec<_> = desk.into_iter().flat_map(|desk| before.of_desk(desk)).collect();
        let is_of_now = |(period, _): &(Period, KeyId)| (period.from..=period.until).contains(&round);
        let cut_off = match listing {
            Listing::Foreign => Some(CutOff::Foreign),
            // What keeps editions from it is said of the device.
            Listing::Not => None,
            Listing::Ours { since, keys } => {
                (is_new && *since <= round && !keys.iter().any(is_of_now)).then_some(CutOff::Keyless)
            }
        };
        known.extend_from_slice(listing.keys());
        if matches!(listing, Listing::Ours { .. }) {
            known.extend(inner.library().taken_intake_keys(&vault.vault_key()).unwrap_or_default());
        }
        let at = |Period { from, until }| (inner.schedule.start(from), inner.schedule.end(until));
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.lacks = vault.lacks(round, &known).map(at);
        let missed = vault.book.missed.filter(|it| it.noticed.0.saturating_add(KEPT_ROUNDS) > round.0);
        trouble.missed = missed.map(|Missed { from, until, .. }| at(Period { from, until }));
        trouble.cut_off = cut_off;
    }

    /// Has the device hand in, with its exchanges, the public halves of keys that are in the vault's file and in no directory.
    fn offer(&self, vault: &Vault, listing: &Listing, keys: &[Unverified<IntakeKey>]) {
        let is_listed = matches!(listing, Listing::Ours { .. });
        if let Err(cause) = self.inner().library().offer_intake_keys(&vault.vault_key(), keys, is_listed) {
            tracing::warn!(%cause, "could not keep new intake keys; is the disk full?");
        }
    }

    /// Puts copies of replies that are due with what waits. Kept before they are sealed; `false`: they could not be kept.
    fn repeat(&self, vault: &mut Vault, rng: &mut StdRng) -> bool {
        let (Some(now), Some(looked)) =
            (self.inner().schedule.round_at(self.inner().clock.now()), vault.book.looked)
        else {
            return true;
        };
        let left = vault.book.note_left(&self.inner().held().mailbox, now);
        let repeated = vault.book.repeat(looked, now);
        !(left || repeated) || self.kept(vault, rng)
    }

    /// The conversations, the one with the newest line first.
    pub fn conversations(&self) -> Vec<Conversation> {
        let mut all = self.views(|_| true);
        all.sort_by_key(|c| core::cmp::Reverse(c.newest));
        all
    }

    /// The conversation with this name.
    pub fn conversation(&self, of: [u8; 8]) -> Option<Conversation> {
        self.views(|thread| id(&thread.key) == of).pop()
    }

    fn views(&self, wanted: impl Fn(&Thread) -> bool) -> Vec<Conversation> {
        let now = self.inner().clock.now();
        let mut vault = self.vault();
        let held = self.inner().held();
        vault.book.note_left(&held.mailbox, self.inner().schedule.round_at(now).unwrap_or(Round(0)));
        let threads = vault.book.threads.iter().filter(|thread| wanted(thread));
        threads.map(|thread| self.view(&held, &vault, thread, now)).collect()
    }

    fn view(&self, held: &Held, vault: &Vault, thread: &Thread, now: Millis) -> Conversation {
        let lines: Vec<_> =
            thread.lines.iter().map(|line| self.line(held, &vault.book, thread, line, now)).collect();
        let at = self.inner().schedule.round_at(now).unwrap_or(Round(0));
        Conversation {
            id: id(&thread.key),
            room: vault.book.links(thread, at).min(usize::from(MAX_PARTS)) * REPLY_TEXT,
            name: name(&vault.hints, &thread.key),
            gaps: thread.gaps(),
            unanswered: thread.is_unanswered(),
            newest: lines.iter().map(|line| line.at).max().unwrap_or(Round(0)),
            lines,
        }
    }

    fn line(&self, held: &Held, book: &Book, thread: &Thread, line: &Spoken, now: Millis) -> Line {
        match line {
            Spoken::Source { text, at, .. } => {
                let (text, state) = (text.shown(), LineState::Received);
                Line { who: Who::Source, text, document: None, state, times: 0, at: *at }
            }
            Spoken::Document { first, at, parts, good } => {
                let head = parts.head();
                let missing = u64::from(parts.parts() - parts.have());
                let state = match good {
                    None => LineState::UnderWay {
                        least: now.plus(missing * u64::from(self.inner().schedule.round_ms)),
                    },
                    Some(true) => LineState::Received,
                    Some(false) => LineState::Damaged,
                };
                let view = DocumentView {
                    first: *first,
                    name: head.as_ref().map(|head| head.name.clone()),
                    format: head.as_ref().map(|head| head.format),
                    length: head.as_ref().map(|head| head.length),
                    sha256: head.as_ref().map(|head| head.sha256),
                    parts: parts.parts(),
                    left: parts.have(),
                    arrived: parts.have(),
                    queued: 0,
                };
                let text = Zeroizing::new(view.name.clone().unwrap_or_default());
                Line { who: Who::Source, text, document: Some(view), state, times: 0, at: *at }
            }
            Spoken::Desk { text, number, at, left, hints, times, received, .. } => {
                let mailbox = &held.mailbox;
                let state = if *received {
                    LineState::Acknowledged
                } else if let Some(why) = self.stays(held, book, thread, *number, now) {
                    LineState::Stays(why)
                } else if let Some(place) = last_place(&book.waiting, hints, mailbox, &thread.key, *number) {
                    if self.inner().can_leave(held, place, now) {
                        let leaves = self.inner().leaves(held, place, now);
                        LineState::Waiting { from: leaves.from, until: leaves.until }
                    } else {
                        LineState::Stays(Stays::Halted)
                    }
                } else {
                    let before = left.map_or(now, |left| self.inner().schedule.end(left).min(now));
                    // The last copy, or one after which another is due and finds no link.
                    let at = self.inner().schedule.round_at(now).unwrap_or(Round(0));
                    let parts = text.0.len().div_ceil(REPLY_TEXT).max(1);
                    let stuck = book.looked.is_some_and(|looked| is_due(line, looked))
                        && book.links(thread, at) < parts;
                    if *times >= COPIES || stuck {
                        LineState::Unknown { before: Some(before) }
                    } else {
                        LineState::Left { before }
                    }
                };
                Line { who: Who::You, text: text.shown(), document: None, state, times: *times, at: *at }
            }
        }
    }

    /// Why a reply that has no place in the queue finds none.
    fn stays(&self, held: &Held, book: &Book, thread: &Thread, reply: u32, now: Millis) -> Option<Stays> {
        if !book.waiting.iter().any(|item| item.is_of(&thread.key, reply)) {
            return None;
        }
        let at = self.inner().schedule.round_at(now).unwrap_or(Round(0));
        let links = thread.chain.as_ref().map_or(0, |started| started.chain.links().len());
        if thread.is_old(at) || links == 0 {
            return Some(Stays::NoLinks);
        }
        if self.trouble().unwritten.is_some() || !self.inner().can_leave(held, 0, now) {
            return Some(Stays::Halted);
        }
        let pass = self.inner().exit_keys(held, now).and_then(|exits| book.passes.at(&exits, 0));
        Some(if pass.is_none() { Stays::NoPass } else { Stays::NoPlace })
    }

    /// A document of a conversation, once all of it is there and is what its sender's device said it would be.
    pub fn document(&self, conversation: [u8; 8], first: u32) -> Option<Document> {
        let vault = self.vault();
        let thread = vault.book.threads.iter().find(|t| id(&t.key) == conversation)?;
        thread.lines.iter().find_map(|line| match line {
            // DOC-04: joined and compared once more.
            Spoken::Document { first: ours, parts, .. } if *ours == first => parts.join()?.ok(),
            _ => None,
        })
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
        let thread = &vault.book.threads[i];
        let number = thread.replies + 1;
        let parts = ReplyPart::cut(number, text)?;
        if thread.is_old(at) {
            return Err(AnswerError::TooOld);
        }
        let links = vault.book.links(thread, at);
        if links < parts.len() {
            return Err(AnswerError::NoLinks { room: links * REPLY_TEXT });
        }
        vault.book.say(i, text, parts, at);
        if !self.kept(&mut vault, &mut rng) {
            vault.book.unsay(i);
            return Err(AnswerError::Disk);
        }
        self.flush(&mut vault, &mut rng);
        let held = self.inner().held();
        Ok(self.inner().leaves(&held, vault.book.place_of(&held.mailbox, i, number).unwrap_or(0), now))
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
    use super::*;

    #[test]
    fn another_vault_calls_a_source_by_another_name() {
        let key = ConversationKey::from_bytes([7; 32]);
        let [ours, theirs] = [1, 2].map(|n| name(&HintKey::from_bytes([n; 32]), &key));
        assert_ne!(ours, theirs);
        assert_eq!(ours, name(&HintKey::from_bytes([1; 32]), &key));
        assert_eq!(ours.split(' ').count(), 2);
    }
}
