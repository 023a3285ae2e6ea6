//! A conversation: messages to a desk, reply chains, acknowledgements. Spec: conversation.md.

use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

use crate::document::Part;
use crate::envelope::Wire;
use crate::seal::{self, Exporter, NotOpened, SealSecret, Use};
use crate::size::{Cascade, MESSAGE_HEADER, READER_SLOT, REPLY, REPLY_HEADER, REPLY_TEXT};

/// The most that a message's text may unpack to, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Links in a reply chain.
pub const LINKS: u8 = 64;
/// Tags in an acknowledgement slot.
pub const TAGS: usize = READER_SLOT / 16;
/// The most parts that a reply may have.
pub const MAX_PARTS: u8 = 16;

const VERSION: u8 = 1;
const KIND_TEXT: u8 = 1;
const KIND_PART: u8 = 2;

/// Names a conversation to its two ends, and keeps its reply chains apart from all others. Drawn by the source.
#[derive(Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
pub struct ConversationKey(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl ConversationKey {
    /// A new conversation.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key as it stands in a message.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, to keep it.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// What a source has received: the highest reply number it has whole, and which of the 16 before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Received {
    /// Reply numbers count from 1; 0 means none.
    #[n(0)]
    pub highest: u32,
    /// Bit i: reply `highest - 1 - i`.
    #[n(1)]
    pub before: u16,
}

/// What a source writes to a desk, in one envelope.
pub struct Message {
    /// Which conversation.
    pub conversation: ConversationKey,
    /// Counted from 0 within it.
    pub sequence: u32,
    /// What the source has received so far.
    pub received: Received,
    /// What it carries.
    pub body: Body,
}

/// What a message carries.
pub enum Body {
    /// A text.
    Text(Zeroizing<String>),
    /// A part of a document.
    Part(Part),
}

impl Body {
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Part(_) => None,
        }
    }

    /// Whether the message's box starts a chain with links: all do but most parts of documents (DOC-05).
    pub fn starts_chain(&self) -> bool {
        match self {
            Self::Text(_) => true,
            Self::Part(part) => part.starts_chain(),
        }
    }
}

/// The text does not fit one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text needs {needed} bytes packed, and one message holds {room}")]
pub struct TooLong {
    /// Bytes it needs once compressed.
    pub needed: usize,
    /// Bytes there are.
    pub room: usize,
}

/// A message that no client writes. The reason is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a message")]
pub struct BadMessage;

/// How many bytes `text` takes in a message.
pub fn packed_len(text: &str) -> usize {
    compress(text).len()
}

fn compress(text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(zstd::bulk::compress(text.as_bytes(), 19).expect("memory is all it needs"))
}

impl Message {
    // P = version 1 | kind 1 | flags 2 | conversation key 32 | sequence 4 | length 2 | received 6 | data
    /// Packs the message to its one length, `cascade.message()`.
    pub fn pack(&self, cascade: Cascade) -> Result<Zeroizing<Vec<u8>>, TooLong> {
        let (kind, data, is_short) = match &self.body {
            Body::Text(text) => (KIND_TEXT, compress(text), text.len() <= MAX_TEXT),
            Body::Part(part) => (KIND_PART, part.to_data(), true),
        };
        if data.len() > cascade.data() || !is_short {
            return Err(TooLong { needed: data.len().max(cascade.data() + 1), room: cascade.data() });
        }
        let mut plain = Zeroizing::new(Vec::with_capacity(cascade.message()));
        plain.extend_from_slice(&[VERSION, kind, 0, 0]);
        plain.extend_from_slice(&self.conversation.0);
        plain.extend_from_slice(&self.sequence.to_be_bytes());
        plain.extend_from_slice(&(data.len() as u16).to_be_bytes());
        plain.extend_from_slice(&self.received.highest.to_be_bytes());
        plain.extend_from_slice(&self.received.before.to_be_bytes());
        debug_assert_eq!(plain.len(), MESSAGE_HEADER);
        plain.extend_from_slice(&data);
        plain.resize(cascade.message(), 0);
        Ok(plain)
    }

    /// Reads a message that [`Self::pack`] made.
    ///
    /// # Errors
    /// One opaque value for CNV-01 to CNV-04, DOC-01 and DOC-02.
    pub fn unpack(cascade: Cascade, plain: &[u8]) -> Result<Self, BadMessage> {
        // CNV-01: its one length, version 1, kind 1 or 2, no flags.
        if plain.len() != cascade.message() {
            return Err(BadMessage);
        }
        let (header, data) = plain.split_at(MESSAGE_HEADER);
        let [VERSION, kind @ (KIND_TEXT | KIND_PART), 0, 0] = header[..4] else { return Err(BadMessage) };
        let word = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let length = usize::from(u16::from_be_bytes([header[40], header[41]]));
        // CNV-02: the length is within the data, and zero follows.
        let (data, padding) = data.split_at_checked(length).ok_or(BadMessage)?;
        if padding.iter().any(|&b| b != 0) {
            return Err(BadMessage);
        }
        let sequence = word(36);
        let body = if kind == KIND_TEXT {
            Body::Text(unpack_text(data)?)
        } else {
            Body::Part(Part::from_data(cascade, sequence, data).ok_or(BadMessage)?)
        };
        Ok(Self {
            conversation: ConversationKey(header[4..36].try_into().expect("32 bytes")),
            sequence,
            received: Received { highest: word(42), before: u16::from_be_bytes([header[46], header[47]]) },
            body,
        })
    }
}

fn unpack_text(data: &[u8]) -> Result<Zeroizing<String>, BadMessage> {
    // CNV-03: it unpacks to at most 64 KiB.
    let text = zstd::bulk::decompress(data, MAX_TEXT).map_err(|_| BadMessage)?;
    // CNV-04: what is unpacked is text.
    let text = String::from_utf8(text).map_err(|e| {
        e.into_bytes().zeroize();
        BadMessage
    })?;
    Ok(Zeroizing::new(text))
}

/// A desk tries a box of a desk drop with one of its intake keys.
///
/// # Errors
/// It is not for this key, or not a message: nobody can tell the difference outside.
pub fn open_message(wire: &Wire, intake: &SealSecret, boxed: &[u8]) -> Result<(Message, Chain), NotOpened> {
    let (plain, exporter) = seal::open(Use::Box, &wire.network, intake, boxed)?;
    let message = Message::unpack(wire.cascade, &plain).map_err(|BadMessage| NotOpened)?;
    let chain = Chain::of(&message.conversation, &exporter, &message.body);
    Ok((message, chain))
}

/// Answers a box that carries a message, in a later reader drop.
pub type AckTag = [u8; 16];

/// Marks the reader slot that a link opens.
pub type SlotTag = [u8; 16];

/// One step of a reply chain: its slot's tag, and the secret its slot is sealed under.
#[derive(Zeroize, ZeroizeOnDrop, Encode, Decode)]
pub struct Link {
    #[cbor(n(0), with = "minicbor::bytes")]
    tag: SlotTag,
    #[cbor(n(1), with = "minicbor::bytes")]
    secret: [u8; 32],
}

impl Link {
    /// The tag to look for.
    pub fn tag(&self) -> &SlotTag {
        &self.tag
    }
}

/// What one box starts, known to its two ends: an acknowledgement tag, and links for replies. A used link is deleted.
#[derive(Encode, Decode)]
pub struct Chain {
    #[cbor(n(0), with = "minicbor::bytes")]
    ack: AckTag,
    #[n(1)]
    links: Vec<Link>,
}

impl Chain {
    // C      = HKDF-Extract(salt: conversation key, ikm: exporter's chain secret)
    // ack    = HKDF-Expand(C, "firsthand/v1 ack", 16)
    // link i = HKDF-Expand(C, "firsthand/v1 link" || i, 16 + 32): tag, secret
    /// Derives the chain that the box with this exporter starts.
    pub fn new(conversation: &ConversationKey, exporter: &Exporter) -> Self {
        let c = Hkdf::<Sha256>::new(Some(&conversation.0), exporter.chain().as_slice());
        let mut ack = [0; 16];
        c.expand(b"firsthand/v1 ack", &mut ack).expect("16 bytes are within HKDF's limit");
        let links = (0..LINKS)
            .map(|i| {
                let mut out = Zeroizing::new([0; 48]);
                let info = [b"firsthand/v1 link".as_slice(), &[i]].concat();
                c.expand(&info, out.as_mut_slice()).expect("48 bytes are within HKDF's limit");
                Link {
                    tag: out[..16].try_into().expect("16 bytes"),
                    secret: out[16..].try_into().expect("32 bytes"),
                }
            })
            .collect();
        Self { ack, links }
    }

    /// The chain of the box that carries this.
    pub fn of(conversation: &ConversationKey, exporter: &Exporter, body: &Body) -> Self {
        let mut chain = Self::new(conversation, exporter);
        // DOC-05: most parts of documents start none; neither end keeps links of them.
        if !body.starts_chain() {
            chain.links.clear();
        }
        chain
    }

    /// The tag that acknowledges the box.
    pub fn ack(&self) -> &AckTag {
        &self.ack
    }

    /// Links not yet used, the next first.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The desk takes the next link to write on. `None`: the chain is used up.
    pub fn next_link(&mut self) -> Option<Link> {
        if self.links.is_empty() { None } else { Some(self.links.remove(0)) }
    }

    /// The source deletes a link once its slot is read.
    pub fn delete(&mut self, tag: &SlotTag) {
        self.links.retain(|l| l.tag != *tag);
    }

    /// The source deletes all of them once nobody writes on the chain any more. `true`: there were some.
    pub fn delete_links(&mut self) -> bool {
        let any = !self.links.is_empty();
        self.links = Vec::new();
        any
    }
}

/// One part of a reply: what a reader slot holds.
#[derive(PartialEq, Eq)]
pub struct ReplyPart {
    /// Counted from 1 within the conversation.
    pub number: u32,
    /// Counted from 0.
    pub part: u8,
    /// How many there are, 1 to [`MAX_PARTS`].
    pub parts: u8,
    /// [`ReplyPart::whole`] of the reply that it is a part of: keeps parts of two replies with one number apart.
    pub whole: [u8; 8],
    /// At most 944 bytes; a character may be split between parts.
    pub text: Zeroizing<Vec<u8>>,
}

impl ReplyPart {
    /// Cuts a reply into its parts.
    pub fn cut(number: u32, text: &str) -> Result<Vec<Self>, TooLong> {
        let room = usize::from(MAX_PARTS) * REPLY_TEXT;
        if text.len() > room {
            return Err(TooLong { needed: text.len(), room });
        }
        let mut chunks: Vec<&[u8]> = text.as_bytes().chunks(REPLY_TEXT).collect();
        if chunks.is_empty() {
            chunks.push(b"");
        }
        let (parts, whole) = (chunks.len() as u8, Self::whole(text.as_bytes()));
        let part = |(part, text): (u8, &&[u8])| Self {
            number,
            part,
            parts,
            whole,
            text: Zeroizing::new(text.to_vec()),
        };
        Ok((0..).zip(&chunks).map(part).collect())
    }

    /// What all parts of a reply say of it: the first bytes of SHA-256 of its text.
    pub fn whole(text: &[u8]) -> [u8; 8] {
        Sha256::digest(text)[..8].try_into().expect("SHA-256 gives 32 bytes")
    }
}

// HKDF(salt: slot's salt, ikm: link's secret) -> key 32, nonce 12
fn slot_key(link: &Link, salt: &[u8; 16]) -> (ChaCha20Poly1305, Nonce) {
    let mut out = Zeroizing::new([0; 44]);
    Hkdf::<Sha256>::new(Some(salt), &link.secret)
        .expand(b"firsthand/v1 slot", out.as_mut_slice())
        .expect("44 bytes are within HKDF's limit");
    let key = Key::try_from(&out[..32]).expect("32 bytes");
    let nonce = Nonce::try_from(&out[32..]).expect("12 bytes");
    (ChaCha20Poly1305::new(&key), nonce)
}

/// Seals one part of a reply under a link: tag 16, salt 16, ciphertext 976, tag 16. The salt keeps two journalists, or a
/// desk restored from a back-up, from using one key twice.
pub fn seal_reply(link: &Link, reply: &ReplyPart, rng: &mut impl CryptoRng) -> [u8; READER_SLOT] {
    assert!(reply.text.len() <= REPLY_TEXT && reply.part < reply.parts && reply.parts <= MAX_PARTS);
    let mut plain = Zeroizing::new(Vec::with_capacity(REPLY));
    plain.extend_from_slice(&[VERSION, KIND_TEXT]);
    plain.extend_from_slice(&reply.number.to_be_bytes());
    plain.extend_from_slice(&[reply.part, reply.parts]);
    plain.extend_from_slice(&(reply.text.len() as u16).to_be_bytes());
    plain.extend_from_slice(&reply.whole);
    plain.resize(REPLY_HEADER, 0);
    plain.extend_from_slice(&reply.text);
    plain.resize(REPLY, 0);
    let mut salt = [0; 16];
    rng.fill_bytes(&mut salt);
    let (cipher, nonce) = slot_key(link, &salt);
    let head = [link.tag, salt].concat();
    let sealed = cipher.encrypt(&nonce, Payload { msg: &plain, aad: &head }).expect("a reply is short");
    let mut slot = [0; READER_SLOT];
    slot[..32].copy_from_slice(&head);
    slot[32..].copy_from_slice(&sealed);
    slot
}

/// The tag that a reader slot bears, if it is a reply.
pub fn slot_tag(slot: &[u8; READER_SLOT]) -> SlotTag {
    slot[..16].try_into().expect("16 bytes")
}

/// Opens a reader slot that bears `link`'s tag.
///
/// # Errors
/// One opaque value: the slot bears another tag or does not open (CNV-05), or holds what no desk writes (CNV-06).
pub fn open_reply(link: &Link, slot: &[u8; READER_SLOT]) -> Result<ReplyPart, NotOpened> {
    // CNV-05: the slot bears the link's tag and opens under it.
    if slot_tag(slot) != link.tag {
        return Err(NotOpened);
    }
    let (head, sealed) = slot.split_at(32);
    let salt = head[16..].try_into().expect("16 bytes");
    let (cipher, nonce) = slot_key(link, salt);
    let plain = cipher.decrypt(&nonce, Payload { msg: sealed, aad: head }).map_err(|_| NotOpened)?;
    let plain = Zeroizing::new(plain);
    let (header, text) = plain.split_at(REPLY_HEADER);
    let length = usize::from(u16::from_be_bytes([header[8], header[9]]));
    let (number, part, parts) =
        (u32::from_be_bytes(header[2..6].try_into().expect("four bytes")), header[6], header[7]);
    // CNV-06: version 1, kind 1, a reply number, a part that exists, a length within the slot, zero where nothing stands.
    let good = header[..2] == [VERSION, KIND_TEXT]
        && number > 0
        && part < parts
        && parts <= MAX_PARTS
        && length <= REPLY_TEXT
        && header[18..].iter().chain(text.iter().skip(length)).all(|&b| b == 0);
    if !good {
        return Err(NotOpened);
    }
    let whole = header[10..18].try_into().expect("eight bytes");
    Ok(ReplyPart { number, part, parts, whole, text: Zeroizing::new(text[..length].to_vec()) })
}

/// An acknowledgement slot: up to 64 tags, random where there is none. To anyone else the same as a reply slot.
pub fn ack_slot(tags: &[AckTag], rng: &mut impl CryptoRng) -> [u8; READER_SLOT] {
    assert!(tags.len() <= TAGS, "{TAGS} tags fit a slot");
    let mut slot = crate::drops::empty_slot(rng);
    slot[..tags.len() * 16].copy_from_slice(tags.as_flattened());
    slot
}

/// The tags a slot would hold if it were an acknowledgement slot.
pub fn ack_tags(slot: &[u8; READER_SLOT]) -> &[AckTag] {
    slot.as_chunks().0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::id::NetworkId;

    fn three() -> Cascade {
        Cascade::new(3).unwrap()
    }

    fn message(text: &str) -> Message {
        Message {
            conversation: ConversationKey([5; 32]),
            sequence: 7,
            received: Received { highest: 3, before: 0b11 },
            body: Body::Text(Zeroizing::new(text.to_owned())),
        }
    }

    fn chains() -> (Chain, Chain, StdRng) {
        let mut rng = StdRng::seed_from_u64(1);
        let wire = Wire { network: NetworkId([1; 32]), cascade: three() };
        let desk = SealSecret::generate(&mut rng);
        let plain = message("a tip").pack(three()).unwrap();
        let (boxed, exporter) = seal::seal(Use::Box, &wire.network, desk.public(), &plain, &mut rng);
        let ours = Chain::new(&ConversationKey([5; 32]), &exporter);
        let (got, theirs) = open_message(&wire, &desk, &boxed).unwrap();
        assert_eq!(got.body.text(), Some("a tip"));
        (ours, theirs, rng)
    }

    proptest! {
        #[test]
        fn what_is_packed_unpacks(text in "\\PC{0,900}", k in 1u8..=4) {
            let k = Cascade::new(k).unwrap();
            let plain = message(&text).pack(k).unwrap();
            prop_assert_eq!(plain.len(), k.message());
            let again = Message::unpack(k, &plain).unwrap();
            prop_assert_eq!(again.body.text(), Some(&*text));
            prop_assert_eq!(again.sequence, 7);
            prop_assert_eq!(again.received, Received { highest: 3, before: 0b11 });
            prop_assert_eq!(again.conversation.as_bytes(), &[5; 32]);
        }

        #[test]
        fn any_bytes_unpack_or_not_but_never_panic(plain in proptest::collection::vec(any::<u8>(), 3600)) {
            let _ = Message::unpack(three(), &plain);
        }
    }

    fn bent(at: usize, to: u8) -> Result<(), BadMessage> {
        let mut plain = message("hello").pack(three()).unwrap();
        plain[at] = to;
        Message::unpack(three(), &plain).map(|_| ())
    }

    #[test]
    fn cnv_01_another_version_kind_or_flag_is_refused() {
        assert_eq!(bent(0, 1), Ok(()));
        for (at, to) in [(0, 2), (1, 0), (1, 3), (2, 1), (3, 1)] {
            assert_eq!(bent(at, to), Err(BadMessage), "byte {at}");
        }
    }

    #[test]
    fn cnv_02_a_length_beyond_the_data_or_dirty_padding_is_refused() {
        assert_eq!(bent(40, 0x0e), Err(BadMessage));
        assert_eq!(bent(3599, 1), Err(BadMessage));
    }

    fn with_data(data: &[u8]) -> Result<Message, BadMessage> {
        let mut plain = message("").pack(three()).unwrap();
        plain[40..42].copy_from_slice(&(data.len() as u16).to_be_bytes());
        plain[MESSAGE_HEADER..].fill(0);
        plain[MESSAGE_HEADER..MESSAGE_HEADER + data.len()].copy_from_slice(data);
        Message::unpack(three(), &plain)
    }

    #[test]
    fn cnv_03_a_text_that_unpacks_beyond_the_limit_is_refused() {
        let fits = zstd::bulk::compress(&vec![b'a'; MAX_TEXT], 3).unwrap();
        assert!(with_data(&fits).is_ok());
        let bomb = zstd::bulk::compress(&vec![b'a'; MAX_TEXT + 1], 3).unwrap();
        assert!(with_data(&bomb).is_err());
        assert!(with_data(b"not zstd").is_err());
    }

    #[test]
    fn cnv_04_bytes_that_are_not_text_are_refused() {
        assert!(with_data(&zstd::bulk::compress(&[0xff, 0xfe], 3).unwrap()).is_err());
    }

    #[test]
    fn a_text_too_long_says_how_long() {
        let mut rng = StdRng::seed_from_u64(9);
        let text: String =
            (0..8_000).map(|_| char::from(rand::RngExt::random_range(&mut rng, b'a'..=b'z'))).collect();
        let too_long = message(&text).pack(three()).unwrap_err();
        assert_eq!(too_long.room, 3552);
        assert!(too_long.needed > 3552);
        assert!(
            message(&"a".repeat(MAX_TEXT + 1)).pack(three()).is_err(),
            "compressible, but too long unpacked"
        );
    }

    #[test]
    fn both_ends_derive_the_same_chain_and_a_used_link_is_gone() {
        let (ours, mut theirs, _) = chains();
        assert_eq!(ours.ack(), theirs.ack());
        let tags = |c: &Chain| c.links().iter().map(|l| *l.tag()).collect::<Vec<_>>();
        assert_eq!(tags(&ours), tags(&theirs));
        assert_eq!(ours.links().len(), 64);
        let first = theirs.next_link().unwrap();
        assert_eq!(first.tag(), ours.links()[0].tag());
        assert_eq!(theirs.links().len(), 63);
        for _ in 0..63 {
            assert!(theirs.next_link().is_some());
        }
        assert!(theirs.next_link().is_none());
    }

    #[test]
    fn cnv_05_a_reply_opens_under_its_link_only() {
        let (mut ours, mut theirs, mut rng) = chains();
        let part = ReplyPart::cut(1, "an answer").unwrap().remove(0);
        let link = theirs.next_link().unwrap();
        let slot = seal_reply(&link, &part, &mut rng);
        assert!(open_reply(&ours.links()[0], &slot).unwrap() == part);
        assert!(open_reply(&ours.links()[1], &slot).is_err(), "another link");
        for at in [0, 16, 32, 1023] {
            let mut bent = slot;
            bent[at] ^= 1;
            assert!(open_reply(&ours.links()[0], &bent).is_err(), "byte {at}");
        }
        let again = seal_reply(&link, &part, &mut rng);
        assert_ne!(again[16..], slot[16..], "a fresh salt, a fresh key");
        ours.delete(&slot_tag(&slot));
        assert_eq!(ours.links().len(), 63);
    }

    #[test]
    fn cnv_06_a_reply_no_desk_writes_is_refused() {
        let (ours, theirs, mut rng) = chains();
        let link = &theirs.links()[0];
        let sealed = |header: [u8; 20], rng: &mut StdRng| {
            let mut plain = vec![0; REPLY];
            plain[..20].copy_from_slice(&header);
            let mut salt = [0; 16];
            rng.fill_bytes(&mut salt);
            let (cipher, nonce) = slot_key(link, &salt);
            let head = [link.tag, salt].concat();
            let body = cipher.encrypt(&nonce, Payload { msg: &plain, aad: &head }).unwrap();
            let slot: [u8; READER_SLOT] = [head, body].concat().try_into().unwrap();
            open_reply(&ours.links()[0], &slot).is_ok()
        };
        let good = [1, 1, 0, 0, 0, 1, 0, 1, 0, 5, 8, 8, 8, 8, 8, 8, 8, 8, 0, 0];
        assert!(sealed(good, &mut rng));
        for (at, to, what) in [
            (0, 2, "version"),
            (1, 2, "kind"),
            (5, 0, "reply number 0"),
            (6, 1, "part 1 of 1"),
            (7, 17, "17 parts"),
            (8, 4, "length beyond the slot"),
            (18, 1, "dirty header"),
            (19, 1, "dirty header"),
        ] {
            let mut header = good;
            header[at] = to;
            assert!(!sealed(header, &mut rng), "{what}");
        }
    }

    #[test]
    fn doc_05_most_parts_of_a_document_start_no_chain_at_either_end() {
        let mut rng = StdRng::seed_from_u64(2);
        let wire = Wire { network: NetworkId([1; 32]), cascade: three() };
        let desk = SealSecret::generate(&mut rng);
        for (part, links) in [(1, 0), (63, 0), (64, 64), (65, 0)] {
            let rest = Zeroizing::new(vec![7; three().part()]);
            let message = Message {
                sequence: part.into(),
                body: Body::Part(Part { part, parts: 200, rest }),
                ..message("")
            };
            let plain = message.pack(three()).unwrap();
            let (boxed, exporter) = seal::seal(Use::Box, &wire.network, desk.public(), &plain, &mut rng);
            let ours = Chain::of(&message.conversation, &exporter, &message.body);
            let (got, theirs) = open_message(&wire, &desk, &boxed).unwrap();
            let Body::Part(got) = &got.body else { panic!("a part") };
            assert_eq!((got.part, got.parts, got.rest.len()), (part, 200, 3548));
            assert_eq!((ours.links().len(), theirs.links().len()), (links, links), "part {part}");
            assert_eq!(ours.ack(), theirs.ack());
        }
    }

    #[test]
    fn a_long_reply_is_cut_and_joins_again() {
        let text = "ä".repeat(1_000);
        let parts = ReplyPart::cut(4, &text).unwrap();
        assert_eq!(parts.len(), 3);
        let joined: Vec<u8> = parts.iter().flat_map(|p| p.text.to_vec()).collect();
        assert_eq!(String::from_utf8(joined).unwrap(), text);
        assert!(ReplyPart::cut(1, &"x".repeat(16 * 944)).is_ok());
        assert_eq!(ReplyPart::cut(1, &"x".repeat(16 * 944 + 1)).err().unwrap().room, 16 * 944);
        assert_eq!(ReplyPart::cut(1, "").unwrap().len(), 1);
    }

    #[test]
    fn an_acknowledgement_slot_holds_its_tags() {
        let (ours, _, mut rng) = chains();
        let slot = ack_slot(&[[9; 16], *ours.ack()], &mut rng);
        assert!(ack_tags(&slot).contains(ours.ack()));
        assert_eq!(ack_tags(&slot).len(), 64);
    }
}
