//! Ways for the fuzzer to what stands behind a seal: a desk's book and a source's content, and what they make of what others
//! wrote. Of no use to a program, which has [`crate::Inbox`] and [`crate::Session`].

use proto::conversation::{AckTag, Chain, ConversationKey, Link, Message, ReplyPart, ack_slot, seal_reply};
use proto::size::READER_SLOT;
use proto::{DeskId, Round};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use crate::conversations::{Content, Sealed};
use crate::device::DeskView;
use crate::listen::{Brought, Expected};
use crate::mailbox::Hint;
use crate::vault::{Book, Outgoing, Spoken};

/// A chain with this acknowledgement tag and `links` links.
fn chain(ack: AckTag, links: u8) -> Chain {
    // As CBOR, since a chain is made of a box's secrets alone.
    let mut bytes = vec![0x82, 0x50];
    bytes.extend(ack);
    bytes.extend([0x98, links]);
    for n in 0..links {
        bytes.extend(link_bytes(&ack, n));
    }
    minicbor::decode(&bytes).expect("a tag and links are a chain")
}

fn link_bytes(ack: &AckTag, n: u8) -> Vec<u8> {
    let mut tag = *ack;
    tag[15] = tag[15].wrapping_add(n).wrapping_add(1);
    [[0x82, 0x50].as_slice(), &tag, &[0x58, 0x20], &[n; 32]].concat()
}

fn link(ack: &AckTag, n: u8) -> Link {
    minicbor::decode(&link_bytes(ack, n)).expect("a tag and a secret are a link")
}

/// A desk's book.
pub struct Desk(Book);

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    /// An empty one.
    pub fn new() -> Self {
        let secret = [[0x58, 0x20].as_slice(), &[7; 32]].concat();
        let bytes =
            [&[0x88], secret.as_slice(), &[0x80], &secret, &[0xf6, 0x80, 0x80, 0x80, 0x81, 0x80]].concat();
        Self::read(&bytes).expect("an empty book")
    }

    /// The book that these bytes are, as they stand in a vault.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok().map(Self)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        minicbor::to_vec(&self.0).expect("writing to a vector cannot fail")
    }

    /// Takes a message whose box starts the chain with this tag, and says in every conversation what a journalist would.
    pub fn take(&mut self, message: &Message, ack: AckTag, edition: Round) {
        self.0.take(message, chain(ack, if message.body.starts_chain() { 8 } else { 0 }), edition);
        for at in 0..self.0.threads.len() {
            let number = self.0.threads[at].replies + 1;
            if self.0.links(&self.0.threads[at], edition) > 0
                && let Ok(parts) = ReplyPart::cut(number, "An answer.")
            {
                self.0.say(at, "An answer.", parts, edition);
            }
        }
    }

    /// Puts copies of replies that are due with what waits.
    pub fn repeat(&mut self, looked: Round, now: Round) {
        for thread in &mut self.0.threads {
            for line in &mut thread.lines {
                if let Spoken::Desk { left, .. } = line {
                    left.get_or_insert(Round(0));
                }
            }
        }
        self.0.repeat(looked, now);
    }

    /// What the screens ask of it, and that what waits agrees with what was said.
    pub fn looked_at(&self, now: Round) {
        for thread in &self.0.threads {
            assert!(self.0.links(thread, now) <= usize::from(proto::conversation::LINKS));
            for line in &thread.lines {
                if let Spoken::Document { parts, good, .. } = line {
                    assert_eq!(parts.parts().checked_sub(parts.have()) == Some(0), good.is_some());
                    let _ = (parts.head(), parts.join());
                }
            }
        }
        let of = |key: &ConversationKey, item: &Outgoing| item.is_of(key, u32::MAX);
        assert!(!self.0.threads.iter().any(|t| self.0.waiting.iter().any(|item| of(&t.key, item))));
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.0.threads.iter().map(|thread| thread.lines.len()).sum()
    }
}

/// A source's content.
pub struct Source {
    content: Content,
    rng: StdRng,
}

impl Source {
    /// With one conversation for each number, which says how many messages were sealed in it.
    pub fn new(sealed: &[u8]) -> Self {
        let mut rng = StdRng::seed_from_u64(5);
        let mut content = Content::new(&mut rng);
        for (n, &sealed) in (0u8..).zip(sealed) {
            let desk = DeskView {
                id: DeskId([n; 16]),
                newsroom: "N".into(),
                name: "D".into(),
                about: String::new(),
            };
            let Some(conversation) = content.with(&desk, &mut rng) else { continue };
            for _ in 0..sealed {
                let sequence = conversation.say("A tip.", Round(1));
                let (hint, chain): (Hint, _) = ([n; 20], chain([n * 4 + sequence as u8; 16], 8));
                conversation.boxes.push(Sealed { sequence, hint, left: Some(Round(1)), chain });
            }
        }
        Self { content, rng }
    }

    /// The content that these bytes are, as they stand in a mailbox's region.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        Some(Self { content: Content::from_bytes(bytes)?, rng: StdRng::seed_from_u64(5) })
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Not as `Content::to_bytes`, which takes the room of a whole mailbox.
        minicbor::to_vec(&self.content).expect("writing to a vector cannot fail")
    }

    /// A part of a reply comes, on the first link of a box.
    pub fn reply(&mut self, of: usize, part: &ReplyPart, edition: Round) {
        let link = link(&[of as u8; 16], 0);
        let slot = seal_reply(&link, part, &mut self.rng);
        self.slot(slot, edition);
    }

    /// An acknowledgement of a box comes.
    pub fn acknowledge(&mut self, of: usize, edition: Round) {
        let slot = ack_slot(&[[of as u8; 16]], &mut self.rng);
        self.slot(slot, edition);
    }

    /// Any slot comes. What it brings a second time changes nothing.
    pub fn slot(&mut self, slot: [u8; READER_SLOT], edition: Round) {
        let brought: [Brought; 1] = [(edition, slot)];
        let before = self.lines();
        let found = Expected::of(&self.content).take(&brought, &mut self.content);
        assert_eq!(self.lines(), before + found.lines);
        let kept = self.to_bytes();
        Expected::of(&self.content).take(&brought, &mut self.content);
        assert!(self.to_bytes() == kept, "the same slot again changes nothing");
    }

    /// What an unlocking and the screens ask of it.
    pub fn looked_at(&self, looked: Round) {
        for conversation in &self.content.conversations {
            let received = conversation.received_before(Round(u32::MAX));
            assert!(received.highest > 0 || received.before == 0);
            let _ =
                (conversation.overdue(looked), conversation.overdue_parts(looked), conversation.desk_view());
        }
        let _ = (self.content.waiting_parts(), self.content.reserve(), self.content.has_parts(true));
    }

    fn lines(&self) -> usize {
        self.content.conversations.iter().map(|conversation| conversation.lines.len()).sum()
    }
}
