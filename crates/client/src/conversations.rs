//! What a mailbox's region holds: a source's conversations. Spec: mailbox.md §4, conversation.md.

use minicbor::{Decode, Encode};
use proto::conversation::{Chain, ConversationKey, Received, ReplyPart};
use proto::{DeskId, Millis, Round};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::device::DeskView;
use crate::mailbox::{FILE, Hint, HintKey};

/// How long a source keeps a chain: 42 days, two weeks longer than a desk writes on it.
pub(crate) const CHAIN_ROUNDS: u32 = 42 * 24;

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
}

impl Drop for Content {
    fn drop(&mut self) {
        self.hint_key.zeroize();
    }
}

impl Content {
    /// An empty mailbox.
    pub(crate) fn new(rng: &mut impl CryptoRng) -> Self {
        Self { hint_key: *HintKey::generate(rng).as_bytes(), looked: None, conversations: Vec::new() }
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

    /// The conversation with a desk, begun if there is none.
    pub(crate) fn with(&mut self, desk: &DeskView, rng: &mut impl CryptoRng) -> &mut Conversation {
        let at = match self.conversations.iter().position(|c| c.desk == desk.id) {
            Some(at) => at,
            None => {
                self.conversations.push(Conversation::new(desk, rng));
                self.conversations.len() - 1
            }
        };
        &mut self.conversations[at]
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
    /// The desk as it was when last written to: it is shown even after it has left the directory.
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
    /// Numbers of replies received whole.
    #[n(7)]
    received: Vec<u32>,
    /// Parts of replies not yet whole.
    #[n(8)]
    parts: Vec<Part>,
    /// Reply chains, the newest last.
    #[n(9)]
    pub(crate) chains: Vec<Started>,
    #[n(10)]
    pub(crate) lines: Vec<Said>,
}

/// A chain, and when it was started.
#[derive(Encode, Decode)]
pub(crate) struct Started {
    #[n(0)]
    pub(crate) at: Round,
    /// The message whose box started it.
    #[n(1)]
    pub(crate) sequence: u32,
    #[n(2)]
    pub(crate) chain: Chain,
}

/// A part of a reply.
#[derive(Encode, Decode)]
pub(crate) struct Part {
    #[n(0)]
    number: u32,
    #[n(1)]
    part: u8,
    #[n(2)]
    parts: u8,
    #[cbor(n(3), with = "minicbor::bytes")]
    text: Vec<u8>,
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
        /// Finds its blob in the queue.
        #[cbor(n(2), with = "minicbor::bytes")]
        hint: Hint,
        #[n(3)]
        at: Round,
        /// When it was first seen to have left: it left before.
        #[n(4)]
        left: Option<Millis>,
        #[n(5)]
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
            parts: Vec::new(),
            chains: Vec::new(),
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

    // conversation.md §5:  highest, and bit i for highest - 1 - i
    /// What the source tells the desk that it has.
    pub(crate) fn received(&self) -> Received {
        let highest = self.received.iter().copied().max().unwrap_or(0);
        let before = (0..16).fold(0, |bits, i| {
            let there = highest.checked_sub(1 + i).is_some_and(|n| self.received.contains(&n));
            bits | (u16::from(there) << i)
        });
        Received { highest, before }
    }

    /// Takes a part of a reply. `true`: that made the reply whole, and it is a new line.
    pub(crate) fn take_part(&mut self, part: &ReplyPart, at: Round) -> bool {
        if self.received.contains(&part.number) {
            return false;
        }
        let known = self.parts.iter().any(|p| p.number == part.number && p.part == part.part);
        // CNV-07: parts of one reply agree on how many there are; one that does not is not of this desk's making.
        let agrees = self.parts.iter().all(|p| p.number != part.number || p.parts == part.parts);
        if known || !agrees {
            return false;
        }
        let (number, parts) = (part.number, part.parts);
        self.parts.push(Part { number, part: part.part, parts, text: part.text.to_vec() });
        if self.parts.iter().filter(|p| p.number == number).count() < usize::from(parts) {
            return false;
        }
        self.parts.sort_by_key(|p| (p.number, p.part));
        // Room for all of it, so that it never grows and leaves a copy behind.
        let whole = || self.parts.iter().filter(|p| p.number == number);
        let mut bytes = Zeroizing::new(Vec::with_capacity(whole().map(|p| p.text.len()).sum()));
        whole().for_each(|p| bytes.extend_from_slice(&p.text));
        let text = Text(String::from_utf8_lossy(&bytes).into_owned());
        self.parts.retain(|p| p.number != number);
        self.received.push(number);
        self.lines.push(Said::Desk { text, number, at });
        true
    }

    /// The desk has the message with this number. `true`: that is new.
    pub(crate) fn acknowledge(&mut self, number: u32) -> bool {
        let mut new = false;
        for line in &mut self.lines {
            if let Said::Source { sequence, acknowledged, .. } = line
                && *sequence == number
            {
                new |= !*acknowledged;
                *acknowledged = true;
            }
        }
        new
    }

    /// Forgets chains that no desk writes on any more.
    pub(crate) fn forget_old_chains(&mut self, now: Round) {
        self.chains.retain(|c| c.at.0.saturating_add(CHAIN_ROUNDS) >= now.0);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
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
        assert_eq!(c.received(), Received { highest: 0, before: 0 });
        for number in [1, 2, 4, 20] {
            assert!(c.take_part(&ReplyPart::cut(number, "x").unwrap().remove(0), Round(1)));
        }
        // 20 - 1 - 15 = 4 is the last that fits.
        assert_eq!(c.received(), Received { highest: 20, before: 1 << 15 });
        assert!(c.take_part(&ReplyPart::cut(19, "x").unwrap().remove(0), Round(1)));
        assert_eq!(c.received(), Received { highest: 20, before: (1 << 15) | 1 });
    }

    // CNV-07
    #[test]
    fn a_part_that_disagrees_is_left_out() {
        let mut c = conversation();
        let two = ReplyPart::cut(1, &"x".repeat(1_000)).unwrap();
        let three = ReplyPart::cut(1, &"y".repeat(2_000)).unwrap();
        let mut two = two.into_iter();
        assert!(!c.take_part(&two.next().unwrap(), Round(1)));
        for part in three {
            assert!(!c.take_part(&part, Round(1)));
        }
        assert!(c.take_part(&two.next().unwrap(), Round(1)));
        assert_eq!(texts(&c), ["x".repeat(1_000)]);
    }

    #[test]
    fn the_content_is_read_as_it_was_written() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut content = Content::new(&mut rng);
        let desk = conversation().desk_view();
        let c = content.with(&desk, &mut rng);
        c.take_part(&ReplyPart::cut(1, "an answer").unwrap().remove(0), Round(7));
        c.take_part(&ReplyPart::cut(2, &"x".repeat(1_000)).unwrap().remove(0), Round(7));
        let key = *c.key.as_bytes();
        let again = Content::from_bytes(&content.to_bytes()).unwrap();
        assert_eq!(*again.to_bytes(), *content.to_bytes());
        assert_eq!(texts(&again.conversations[0]), ["an answer"]);
        assert_eq!(again.conversations[0].key.as_bytes(), &key);
        assert_eq!(content.with(&desk, &mut rng).key.as_bytes(), &key, "one conversation with one desk");
        assert!(Content::from_bytes(b"").is_none());
    }
}
