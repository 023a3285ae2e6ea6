//! What a mailbox's region holds: a source's conversations. Spec: mailbox.md §5, conversation.md.

use minicbor::{Decode, Encode};
use proto::conversation::{Body, Chain, ConversationKey, Message, Received, ReplyPart, TooLong};
use proto::envelope::{self, Blob, Wire};
use proto::keys::DAY;
use proto::seal::SealPublic;
use proto::{DeskId, Round};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::device::DeskView;
use crate::documents::Outbound;
use crate::mailbox::{FILE, Hint, HintKey, Mailbox, TRAIL};

/// How long a source keeps a chain after its box has left: 42 days, two weeks longer than a desk writes on it.
pub(crate) const CHAIN_ROUNDS: u32 = 42 * 24;
/// So long after it left a message without an acknowledgement may be lost: five days, in which a desk's machine that is off
/// over a weekend has long been on again.
pub(crate) const PATIENCE: u32 = 5 * 24;
/// How often a message is sealed: once, and twice anew. After that more of the same would show more than it helps.
pub(crate) const SEALINGS: u8 = 3;
/// How many conversations a mailbox holds.
pub const MAX_CONVERSATIONS: usize = 32;
/// Bytes of the region that writing leaves free, so that answers find room: seventeen of the longest.
pub(crate) const FOR_ANSWERS: usize = 256 * 1024;

/// Text of a conversation. Cleared when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Text(#[n(0)] pub(crate) String);

impl Text {
    /// A copy for a screen.
    pub(crate) fn shown(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.clone())
    }
}

/// The region's content.
#[derive(Encode, Decode)]
pub(crate) struct Content {
    #[cbor(n(0), with = "minicbor::bytes")]
    hint_key: [u8; 32],
    /// The newest edition whose drops were looked through.
    #[n(1)]
    pub(crate) looked: Option<Round>,
    #[n(2)]
    pub(crate) conversations: Vec<Conversation>,
    /// What was being written when the mailbox was closed.
    #[n(3)]
    drafts: Vec<Draft>,
    /// What came before this edition is what conversations say that they have.
    #[n(4)]
    settled: Round,
}

/// A message begun and not sent.
#[derive(Encode, Decode)]
struct Draft {
    #[n(0)]
    desk: DeskId,
    #[n(1)]
    text: Text,
}

impl Drop for Content {
    fn drop(&mut self) {
        self.hint_key.zeroize();
    }
}

impl Content {
    /// An empty mailbox.
    pub(crate) fn new(rng: &mut impl CryptoRng) -> Self {
        let hint_key = *HintKey::generate(rng).as_bytes();
        Self { hint_key, looked: None, conversations: Vec::new(), drafts: Vec::new(), settled: Round(0) }
    }

    pub(crate) fn hint_key(&self) -> HintKey {
        HintKey::from_bytes(self.hint_key)
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // As long as the region can be, so that it never grows and leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE));
        minicbor::encode(self, &mut *bytes).expect("writing to a vector cannot fail");
        bytes
    }

    /// The same again: to try a change on.
    pub(crate) fn copy(&self) -> Self {
        Self::from_bytes(&self.to_bytes()).expect("written just now")
    }

    /// The conversation with this name.
    pub(crate) fn conversation(&mut self, id: [u8; 8]) -> Option<&mut Conversation> {
        self.conversations.iter_mut().find(|c| c.id == id)
    }

    /// The conversation with a desk, begun if there is none. `None`: there are as many as a mailbox holds.
    pub(crate) fn with(&mut self, desk: &DeskView, rng: &mut impl CryptoRng) -> Option<&mut Conversation> {
        let at = match self.conversations.iter().position(|c| c.desk == desk.id) {
            Some(at) => at,
            None if self.conversations.len() == MAX_CONVERSATIONS => return None,
            None => {
                self.conversations.push(Conversation::new(desk, rng));
                self.conversations.len() - 1
            }
        };
        Some(&mut self.conversations[at])
    }

    /// Deletes a conversation, and what was being written in it. Returns the hints of its boxes, of which some may wait.
    pub(crate) fn delete(&mut self, id: [u8; 8]) -> Vec<Hint> {
        let Some(at) = self.conversations.iter().position(|c| c.id == id) else { return Vec::new() };
        let gone = self.conversations.remove(at);
        self.drafts.retain(|draft| draft.desk != gone.desk);
        gone.boxes.iter().map(|sealed| sealed.hint).collect()
    }

    /// What was being written to a desk.
    pub(crate) fn draft(&self, desk: DeskId) -> Option<&Text> {
        self.drafts.iter().find(|draft| draft.desk == desk).map(|draft| &draft.text)
    }

    /// The desks to which something was being written.
    pub(crate) fn drafts(&self) -> impl Iterator<Item = DeskId> {
        self.drafts.iter().map(|draft| draft.desk)
    }

    /// Keeps what is being written to a desk in the place of what was. `true`: that changed something.
    pub(crate) fn keep_draft(&mut self, desk: DeskId, text: &str) -> bool {
        let blank = text.trim().is_empty();
        if self.draft(desk).map_or(blank, |kept| kept.0 == text) {
            return false;
        }
        self.drafts.retain(|draft| draft.desk != desk);
        if !blank {
            // The oldest goes. Who writes to more desks at once than there may be conversations loses the first words.
            self.drafts.truncate(MAX_CONVERSATIONS - 1);
            self.drafts.insert(0, Draft { desk, text: Text(text.to_owned()) });
        }
        true
    }

    // CNV-14: what came before the day border that is 24 to 47 rounds ago, and no change until all of that was looked through.
    /// Sets what the source says that it has, in round `now`. Not what it has by now: how far a device has come is up to the edge,
    /// for each device another way, and who reads messages is not to learn it.
    pub(crate) fn settle(&mut self, now: Round) {
        let border = Round(now.0.saturating_sub(DAY) / DAY * DAY);
        if border <= self.settled || self.looked.is_none_or(|looked| looked.next() < border) {
            return;
        }
        self.settled = border;
        for conversation in &mut self.conversations {
            conversation.told = conversation.received_before(border);
        }
    }

    /// Notes what has left the queue, and forgets the links of chains that no desk writes on any more. A box stays until its
    /// message is settled: it says that the message has been gone for too long. `true`: something changed.
    ///
    /// How late it is, the newest edition says whose drops were looked through, and never the clock: one look under a clock that
    /// is wrong would destroy what answers are waited for with. A device that lags behind the editions forgets later.
    pub(crate) fn note_left(&mut self, mailbox: &Mailbox) -> bool {
        let Some(now) = self.looked else { return false };
        let mut changed = false;
        for conversation in &mut self.conversations {
            for sealed in &mut conversation.boxes {
                if sealed.left.is_none() && mailbox.find(&sealed.hint).is_none() {
                    // Not in the trail: at least 120 left after it, in as many rounds.
                    let left =
                        mailbox.left(&sealed.hint).unwrap_or(Round(now.0.saturating_sub(TRAIL as u32)));
                    sealed.left = Some(left);
                    changed = true;
                }
            }
            let mut boxes = core::mem::take(&mut conversation.boxes);
            let before = boxes.len();
            boxes.retain_mut(|sealed| {
                if sealed.left.is_none_or(|left| left.0.saturating_add(CHAIN_ROUNDS) >= now.0) {
                    return true;
                }
                changed |= sealed.chain.delete_links();
                !conversation.is_settled(sealed.sequence)
            });
            changed |= boxes.len() != before;
            conversation.boxes = boxes;
            // CNV-07: nothing more of it comes once the chain is gone on which it came.
            let before = conversation.parts.len();
            conversation.parts.retain(|part| part.at.0.saturating_add(CHAIN_ROUNDS) >= now.0);
            changed |= conversation.parts.len() != before;
        }
        changed
    }
}

/// A conversation with one desk.
#[derive(Encode, Decode)]
pub(crate) struct Conversation {
    /// For this device only.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) id: [u8; 8],
    #[n(1)]
    pub(crate) desk: DeskId,
    /// The desk as it was when this was begun: it is shown even after it has left the directory, or goes by another name.
    #[n(2)]
    newsroom: String,
    #[n(3)]
    name: String,
    #[n(4)]
    about: String,
    #[n(5)]
    pub(crate) key: ConversationKey,
    /// The next message's sequence number.
    #[n(6)]
    pub(crate) next: u32,
    /// Replies received whole, and with which edition.
    #[n(7)]
    received: Vec<(Whole, Round)>,
    /// Parts of replies not yet whole.
    #[n(8)]
    parts: Vec<Part>,
    /// Boxes that were sealed, the newest last.
    #[n(9)]
    pub(crate) boxes: Vec<Sealed>,
    #[n(10)]
    pub(crate) lines: Vec<Said>,
    /// What the source says of it that it has.
    #[n(11)]
    told: Received,
}

/// A box that was sealed: where it is, and the chain it started, whose links are kept for 42 days after it left.
#[derive(Encode, Decode)]
pub(crate) struct Sealed {
    /// The message in it.
    #[n(0)]
    pub(crate) sequence: u32,
    /// Finds its blob in the queue, and in the trail.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) hint: Hint,
    /// The round in which it left, or by which it surely had.
    #[n(2)]
    pub(crate) left: Option<Round>,
    #[n(3)]
    pub(crate) chain: Chain,
}

/// Names a reply. Of one number there are two if a desk answers from two copies of its vault.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Whole {
    #[n(0)]
    number: u32,
    #[n(1)]
    parts: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    digest: [u8; 8],
}

/// A part of a reply.
#[derive(Encode, Decode)]
pub(crate) struct Part {
    #[n(0)]
    of: Whole,
    #[n(1)]
    part: u8,
    #[cbor(n(2), with = "minicbor::bytes")]
    text: Vec<u8>,
    /// The edition that brought it.
    #[n(3)]
    at: Round,
}

impl Drop for Part {
    fn drop(&mut self) {
        self.text.zeroize();
    }
}

/// One line of a conversation.
#[derive(Encode, Decode)]
pub(crate) enum Said {
    /// By the source.
    #[n(0)]
    Source {
        #[n(0)]
        text: Text,
        #[n(1)]
        sequence: u32,
        #[n(2)]
        at: Round,
        /// How many times it was sealed.
        #[n(3)]
        times: u8,
        #[n(4)]
        acknowledged: bool,
    },
    /// By the desk.
    #[n(1)]
    Desk {
        #[n(0)]
        text: Text,
        #[n(1)]
        number: u32,
        #[n(2)]
        at: Round,
    },
    /// A document by the source.
    #[n(2)]
    Document(#[n(0)] Outbound),
}

impl Conversation {
    fn new(desk: &DeskView, rng: &mut impl CryptoRng) -> Self {
        let mut id = [0; 8];
        rng.fill_bytes(&mut id);
        Self {
            id,
            desk: desk.id,
            newsroom: desk.newsroom.clone(),
            name: desk.name.clone(),
            about: desk.about.clone(),
            key: ConversationKey::generate(rng),
            next: 0,
            received: Vec::new(),
            told: Received::default(),
            parts: Vec::new(),
            boxes: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// The desk, for people.
    pub(crate) fn desk_view(&self) -> DeskView {
        DeskView {
            id: self.desk,
            newsroom: self.newsroom.clone(),
            name: self.name.clone(),
            about: self.about.clone(),
        }
    }

    /// Adds a message of the source's, not yet sealed, and returns its number.
    pub(crate) fn say(&mut self, text: &str, at: Round) -> u32 {
        let sequence = self.next;
        let text = Text(text.to_owned());
        self.lines.push(Said::Source { text, sequence, at, times: 0, acknowledged: false });
        self.next += 1;
        sequence
    }

    /// Seals a message for the first time or anew: under its one name, (conversation key, sequence), with new keys and a new
    /// chain, so that nobody but the desk can tell that it is the same. What was received rides along.
    pub(crate) fn seal(
        &mut self,
        number: u32,
        to: &Keys<'_>,
        hints: &HintKey,
        rng: &mut impl CryptoRng,
    ) -> Result<Blob, TooLong> {
        let received = self.told;
        let cascade = to.wire.cascade;
        let line = self.lines.iter_mut().find_map(|line| match line {
            Said::Source { text, sequence, times, .. } if *sequence == number => {
                Some((Body::Text(text.shown()), times))
            }
            Said::Document(document) => document.sealing(number, cascade),
            _ => None,
        });
        let (body, times) = line.expect("only messages that were said are sealed");
        let key = ConversationKey::from_bytes(*self.key.as_bytes());
        let message = Message { conversation: key, sequence: number, received, body };
        let packed = message.pack(to.wire.cascade)?;
        let (blob, exporter) = envelope::to_desk(to.wire, to.intake, &packed, to.exit, rng);
        *times += 1;
        let chain = Chain::of(&self.key, &exporter, &message.body);
        self.boxes.push(Sealed { sequence: number, hint: hints.hint(&blob), left: None, chain });
        Ok(blob)
    }

    /// The newest box of a message. None is left of one that was settled long ago; older versions of the program kept none of
    /// any other.
    pub(crate) fn newest_box(&self, number: u32) -> Option<&Sealed> {
        self.boxes.iter().rfind(|sealed| sealed.sequence == number)
    }

    // CNV-10: 120 rounds of drops looked through since it left, no acknowledgement, sealed fewer than three times.
    /// Texts to seal anew, when the drops up to edition `looked` have been looked through.
    pub(crate) fn overdue(&self, looked: Round) -> Vec<u32> {
        let overdue = |line: &Said| match line {
            Said::Source { sequence, times: ..SEALINGS, acknowledged: false, .. } => {
                self.is_overdue(*sequence, looked).then_some(*sequence)
            }
            _ => None,
        };
        self.lines.iter().filter_map(overdue).collect()
    }

    /// The same for parts of documents.
    pub(crate) fn overdue_parts(&self, looked: Round) -> Vec<u32> {
        let sealed = self.documents().flat_map(|document| document.open(1..SEALINGS));
        sealed.filter(|number| self.is_overdue(*number, looked)).collect()
    }

    /// Whether nothing more can be found out about a message: it was acknowledged, or taken back.
    fn is_settled(&self, number: u32) -> bool {
        self.lines.iter().any(|line| match line {
            Said::Source { sequence, acknowledged, .. } => *sequence == number && *acknowledged,
            Said::Document(document) => document.is_settled(number),
            Said::Desk { .. } => false,
        })
    }

    /// Whether the newest box of a message that was sealed has been gone for long enough.
    pub(crate) fn is_overdue(&self, number: u32, looked: Round) -> bool {
        let is_long_ago = |left: Round| left.0.saturating_add(PATIENCE) <= looked.0;
        self.newest_box(number).is_none_or(|sealed| sealed.left.is_some_and(is_long_ago))
    }

    // conversation.md §5:  highest, and bit i for highest - 1 - i
    /// What was received whole before this edition.
    pub(crate) fn received_before(&self, edition: Round) -> Received {
        let numbers = || self.received.iter().filter(|(_, at)| *at < edition).map(|(reply, _)| reply.number);
        let highest = numbers().max().unwrap_or(0);
        let before = (0..16).fold(0, |bits, i| {
            let there = highest.checked_sub(1 + i).is_some_and(|earlier| numbers().any(|n| n == earlier));
            bits | (u16::from(there) << i)
        });
        Received { highest, before }
    }

    /// Takes a part of a reply. `true`: that made the reply whole, and it is a new line.
    pub(crate) fn take_part(&mut self, part: &ReplyPart, at: Round) -> bool {
        // CNV-07: parts that do not agree are of two replies.
        let of = Whole { number: part.number, parts: part.parts, digest: part.whole };
        let known = self.parts.iter().any(|p| p.of == of && p.part == part.part);
        if known || self.received.iter().any(|(reply, _)| *reply == of) {
            return false;
        }
        self.parts.push(Part { of, part: part.part, text: part.text.to_vec(), at });
        if self.parts.iter().filter(|p| p.of == of).count() < usize::from(of.parts) {
            return false;
        }
        let (mut whole, others): (Vec<_>, Vec<_>) = self.parts.drain(..).partition(|p| p.of == of);
        self.parts = others;
        whole.sort_by_key(|p| p.part);
        // Room for all of it, so that it never grows and leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(whole.iter().map(|p| p.text.len()).sum()));
        whole.iter().for_each(|p| bytes.extend_from_slice(&p.text));
        if ReplyPart::whole(&bytes) != of.digest {
            return false;
        }
        self.received.push((of, at));
        let text = Text(String::from_utf8_lossy(&bytes).into_owned());
        // Before the first answer that was written later: they come in any order.
        let is_later = |line: &Said| matches!(line, Said::Desk { number, .. } if *number > of.number);
        let later = self.lines.iter().position(is_later).unwrap_or(self.lines.len());
        self.lines.insert(later, Said::Desk { text, number: of.number, at });
        true
    }

    /// The desk has the message with this number. `true`: that is new.
    pub(crate) fn acknowledge(&mut self, number: u32) -> bool {
        let mut new = false;
        for line in &mut self.lines {
            match line {
                Said::Source { sequence, acknowledged, .. } if *sequence == number => {
                    new |= !*acknowledged;
                    *acknowledged = true;
                }
                Said::Document(document) => new |= document.acknowledge(number),
                _ => {}
            }
        }
        new
    }
}

/// What a message is sealed to.
pub(crate) struct Keys<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) intake: &'a SealPublic,
    pub(crate) exit: &'a SealPublic,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::NetworkId;
    use proto::seal::SealSecret;
    use proto::size::Cascade;
    use rand::seq::SliceRandom as _;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn conversation() -> Conversation {
        let desk =
            DeskView { id: DeskId([1; 16]), newsroom: "N".into(), name: "D".into(), about: String::new() };
        Conversation::new(&desk, &mut StdRng::seed_from_u64(1))
    }

    fn texts(c: &Conversation) -> Vec<String> {
        let text = |l: &Said| match l {
            Said::Desk { text, .. } | Said::Source { text, .. } => text.0.clone(),
            Said::Document(document) => document.name.0.clone(),
        };
        c.lines.iter().map(text).collect()
    }

    proptest! {
        #[test]
        fn parts_join_in_any_order_and_repeats_change_nothing(text in "\\PC{0,3000}", seed: u64) {
            let mut c = conversation();
            let mut parts = ReplyPart::cut(1, &text).unwrap();
            parts.extend(ReplyPart::cut(1, &text).unwrap());
            parts.shuffle(&mut StdRng::seed_from_u64(seed));
            let new = parts.into_iter().map(|p| c.take_part(&p, Round(9))).filter(|&n| n).count();
            prop_assert_eq!(new, 1);
            prop_assert_eq!(texts(&c), [text]);
            prop_assert!(c.parts.is_empty());
        }
    }

    #[test]
    fn what_was_received_is_told_by_its_highest_and_the_sixteen_before() {
        let mut c = conversation();
        assert_eq!(c.received_before(Round(2)), Received { highest: 0, before: 0 });
        for number in [1, 2, 4, 20] {
            assert!(c.take_part(&ReplyPart::cut(number, "x").unwrap().remove(0), Round(1)));
        }
        // 20 - 1 - 15 = 4 is the last that fits.
        assert_eq!(c.received_before(Round(2)), Received { highest: 20, before: 1 << 15 });
        assert!(c.take_part(&ReplyPart::cut(19, "x").unwrap().remove(0), Round(1)));
        assert_eq!(c.received_before(Round(2)), Received { highest: 20, before: (1 << 15) | 1 });
    }

    // CNV-14
    #[test]
    fn what_a_source_says_it_has_hangs_on_the_day_and_not_on_how_far_its_device_has_come() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut content = Content::new(&mut rng);
        let desk = conversation().desk_view();
        content.with(&desk, &mut rng).unwrap();
        let mut told = |looked: u32, now: u32, came: Option<u32>| {
            let c = &mut content.conversations[0];
            if let Some(number) = came {
                assert!(c.take_part(&ReplyPart::cut(number, "x").unwrap().remove(0), Round(looked)));
            }
            content.looked = Some(Round(looked));
            content.settle(Round(now));
            content.conversations[0].told.highest
        };
        assert_eq!(told(20, 20, Some(1)), 0);
        assert_eq!(told(23, 23, Some(2)), 0);
        assert_eq!(told(24, 25, Some(3)), 0, "of the day before nothing is said yet");
        for lag in 0..24 {
            assert_eq!(told(47 - lag, 47, None), 0);
        }
        // From round 48 on what came with editions 0 to 23, however far the device is.
        for lag in (0..24).rev() {
            assert_eq!(told(48 - lag, 48, None), 2);
        }
        assert_eq!(told(71, 71, Some(4)), 2);
        assert_eq!(told(46, 72, None), 2, "not all of the next day was looked through");
        assert_eq!(told(47, 72, None), 3);
        assert_eq!(told(47, 20, None), 3, "a clock set back takes nothing back");
    }

    // CNV-07
    #[test]
    fn parts_that_disagree_are_never_joined() {
        let mut c = conversation();
        // Under one number: of two parts, of as many, of three.
        let replies = ["x".repeat(1_000), "y".repeat(1_000), "z".repeat(2_000)];
        let parts: Vec<_> = replies.iter().map(|text| ReplyPart::cut(1, text).unwrap()).collect();
        let (last, first): (Vec<_>, Vec<_>) = parts.iter().map(|parts| parts.split_last().unwrap()).unzip();
        for part in first.into_iter().flatten() {
            assert!(!c.take_part(part, Round(1)));
        }
        for part in last {
            assert!(c.take_part(part, Round(1)));
        }
        assert_eq!(texts(&c), replies);
        assert_eq!(c.received_before(Round(2)), Received { highest: 1, before: 0 });
    }

    /// P8
    #[test]
    fn answers_are_shown_in_the_order_in_which_they_were_written() {
        let mut c = conversation();
        for number in [2, 4, 1, 3] {
            c.say(&format!("before {number}"), Round(1));
            assert!(c.take_part(&ReplyPart::cut(number, &number.to_string()).unwrap()[0], Round(1)));
        }
        assert_eq!(
            texts(&c),
            ["before 2", "1", "2", "before 4", "3", "4", "before 1", "before 3"],
            "each where the first that was written after it stands"
        );
    }

    // CNV-07
    #[test]
    fn a_reply_that_is_not_what_its_parts_say_is_left_out() {
        let mut c = conversation();
        let good = ReplyPart::cut(1, &"x".repeat(1_000)).unwrap();
        let [a, b] = &good[..] else { panic!("two parts") };
        let bent = ReplyPart { text: b"y".to_vec().into(), ..*b };
        assert!(!c.take_part(&bent, Round(1)));
        assert!(!c.take_part(a, Round(1)));
        assert!(c.parts.is_empty() && c.lines.is_empty(), "neither stays");
        assert!(!c.take_part(a, Round(1)));
        assert!(c.take_part(b, Round(1)), "a copy makes up for it");
    }

    #[test]
    fn the_content_is_read_as_it_was_written() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut content = Content::new(&mut rng);
        let desk = conversation().desk_view();
        let c = content.with(&desk, &mut rng).unwrap();
        c.take_part(&ReplyPart::cut(1, "an answer").unwrap().remove(0), Round(7));
        c.take_part(&ReplyPart::cut(2, &"x".repeat(1_000)).unwrap().remove(0), Round(7));
        let key = *c.key.as_bytes();
        let again = Content::from_bytes(&content.to_bytes()).unwrap();
        assert_eq!(*again.to_bytes(), *content.to_bytes());
        assert_eq!(texts(&again.conversations[0]), ["an answer"]);
        assert_eq!(again.conversations[0].key.as_bytes(), &key);
        assert_eq!(
            content.with(&desk, &mut rng).unwrap().key.as_bytes(),
            &key,
            "one conversation with one desk"
        );
        assert!(Content::from_bytes(b"").is_none());
    }

    #[test]
    fn a_mailbox_holds_32_conversations_with_room_for_each() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut content = Content::new(&mut rng);
        let desk = |n: u8| DeskView { id: DeskId([n; 16]), ..conversation().desk_view() };
        for n in 0..32 {
            assert!(content.with(&desk(n), &mut rng).is_some());
        }
        assert!(content.with(&desk(32), &mut rng).is_none());
        assert!(content.with(&desk(7), &mut rng).is_some(), "one of them goes on");
        content.delete(content.conversations[7].id);
        assert!(content.with(&desk(32), &mut rng).is_some());
        for n in 0..40 {
            assert!(content.keep_draft(desk(n).id, "x"));
        }
        assert_eq!(content.drafts().count(), 32);
    }

    #[test]
    fn deleting_a_conversation_removes_what_was_being_written_to_its_desk_and_no_other_draft() {
        let mut rng = StdRng::seed_from_u64(5);
        let mut content = Content::new(&mut rng);
        let desk = |n: u8| DeskView { id: DeskId([n; 16]), ..conversation().desk_view() };
        for n in 1..=3 {
            content.with(&desk(n), &mut rng).unwrap();
            assert!(content.keep_draft(desk(n).id, "the quay is"));
        }
        content.delete(content.conversations[1].id);
        assert!(content.draft(desk(2).id).is_none());
        assert_eq!(content.drafts().collect::<Vec<_>>(), [desk(3).id, desk(1).id]);
        content.delete([0; 8]);
        assert_eq!(content.drafts().count(), 2, "no conversation has this name");
    }

    /// CNV-07: a desk that sends parts of what never becomes whole fills no mailbox for good.
    #[test]
    fn cnv_07_parts_that_never_become_whole_are_forgotten_with_their_chain() {
        let mut rng = StdRng::seed_from_u64(5);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let mailbox = Mailbox::in_memory(wire, &mut rng);
        let mut content = Content::new(&mut rng);
        let c = content.with(&conversation().desk_view(), &mut rng).unwrap();
        let [first, second] = &ReplyPart::cut(1, &"x".repeat(1_000)).unwrap()[..] else {
            panic!("two parts")
        };
        assert!(!c.take_part(first, Round(10)));
        content.looked = Some(Round(10 + 1_008));
        assert!(!content.note_left(&mailbox));
        assert_eq!(content.conversations[0].parts.len(), 1);
        content.looked = Some(Round(10 + 1_009));
        assert!(content.note_left(&mailbox), "it has to be written down");
        let c = &mut content.conversations[0];
        assert!(c.parts.is_empty());
        assert!(!c.take_part(second, Round(1_020)));
        assert!(c.take_part(first, Round(1_021)), "a copy of all of it");
    }

    #[test]
    fn a_message_whose_box_an_older_version_forgot_is_sealed_anew() {
        let mut rng = StdRng::seed_from_u64(6);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let [intake, exit] = [(); 2].map(|()| SealSecret::generate(&mut rng));
        let to = Keys { wire: &wire, intake: intake.public(), exit: exit.public() };
        let mut c = conversation();
        c.say("x", Round(5));
        for times in 1..=3 {
            c.seal(0, &to, &HintKey::generate(&mut rng), &mut rng).unwrap();
            assert!(c.overdue(Round(2_000)).is_empty(), "it waits");
            c.boxes.clear();
            assert_eq!(c.overdue(Round(2_000)).len(), usize::from(times < 3));
        }
    }

    // CNV-10
    #[test]
    fn a_chain_is_kept_while_its_box_waits_and_1008_rounds_after_it_left() {
        let mut rng = StdRng::seed_from_u64(4);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let mut mailbox = Mailbox::in_memory(wire, &mut rng);
        let cover = || Blob::from_bytes(&wire, vec![0; wire.cascade.blob()]).unwrap();
        mailbox.fill(|_, _| cover().into(), &mut rng).unwrap();
        let [intake, exit] = [(); 2].map(|()| SealSecret::generate(&mut rng));
        let to = Keys { wire: &wire, intake: intake.public(), exit: exit.public() };
        let mut content = Content::new(&mut rng);
        let hints = content.hint_key();
        let c = content.with(&conversation().desk_view(), &mut rng).unwrap();
        c.say("x", Round(5));
        let blob = c.seal(0, &to, &hints, &mut rng).unwrap();
        mailbox.place(&hints, &blob.into()).unwrap();
        let note_left = |content: &mut Content, mailbox: &Mailbox, looked| {
            content.looked = Some(Round(looked));
            content.note_left(mailbox)
        };
        // The device is off for two months.
        assert!(!note_left(&mut content, &mailbox, 1_500));
        mailbox.take(Round(1_500), &cover().into(), &mut rng).unwrap();
        assert!(note_left(&mut content, &mailbox, 1_501));
        let kept = |content: &Content| -> Vec<usize> {
            content.conversations[0].boxes.iter().map(|sealed| sealed.chain.links().len()).collect()
        };
        assert!(!note_left(&mut content, &mailbox, 1_500 + 1_008));
        assert_eq!(kept(&content), [64]);
        // Overdue 120 rounds after it left, and not sealed a fourth time.
        for (looked, overdue) in [(1_619, vec![]), (1_620, vec![0])] {
            assert_eq!(content.conversations[0].overdue(Round(looked)), overdue);
        }
        let c = &mut content.conversations[0];
        c.seal(0, &to, &hints, &mut rng).unwrap();
        assert!(c.overdue(Round(1_620)).is_empty(), "it waits");
        c.seal(0, &to, &hints, &mut rng).unwrap();
        // Never placed, so it is neither in the queue nor in the trail: gone for 120 rounds.
        note_left(&mut content, &mailbox, 1_800);
        assert_eq!(content.conversations[0].newest_box(0).unwrap().left, Some(Round(1_680)));
        assert!(content.conversations[0].overdue(Round(9_999)).is_empty(), "three times at most");
        assert!(note_left(&mut content, &mailbox, 1_500 + 1_009));
        assert_eq!(kept(&content), [0, 64, 64], "the oldest chain is forgotten");
        assert!(!note_left(&mut content, &mailbox, 1_500 + 1_009), "once");
        // The boxes stay for as long as nobody knows whether the message arrived, and take next to nothing.
        assert!(note_left(&mut content, &mailbox, 9_999));
        assert_eq!(kept(&content), [0, 0, 0]);
        let sealed = minicbor::to_vec(&content.conversations[0].boxes[0]).unwrap();
        assert!(sealed.len() <= crate::documents::BOX, "{}", sealed.len());
        assert!(content.conversations[0].acknowledge(0), "by a tag that comes as late as this");
        assert!(note_left(&mut content, &mailbox, 9_999));
        assert!(kept(&content).is_empty());
    }
}
