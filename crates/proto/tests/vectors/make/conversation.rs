//! `conversation/`: what a desk finds in a box, and what a source finds in a reader slot.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use proto::conversation::{Body, Chain, ConversationKey, MAX_TEXT, Message, Received};
use proto::seal::{self, SealSecret, Use};
use proto::size::{MESSAGE_HEADER, READER_SLOT, REPLY, REPLY_HEADER};
use rand_core::Rng as _;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::envelope::wire;
use super::{Draw, NETWORK};
use crate::case::Case;

const TEXT: &str = "The minutes of 3 November were rewritten. Ask who kept the first copy.";

pub(super) fn cases() -> Vec<Case> {
    let mut cases = messages();
    cases.extend(boxes());
    cases.extend(replies());
    cases
}

fn packed() -> Vec<u8> {
    let message = Message {
        conversation: ConversationKey::from_bytes([0x22; 32]),
        sequence: 7,
        received: Received { highest: 3, before: 0b11 },
        body: Body::Text(Zeroizing::new(TEXT.into())),
    };
    message.pack(wire(4).cascade).expect("it fits").to_vec()
}

fn message(path: &str, expect: &str, check: &str, note: &str, plain: &[u8]) -> Case {
    Case::new(&format!("conversation/{path}"), expect, check, note).with("mixes", 4).hex("plain", plain)
}

/// A message whose data are these.
fn carrying(data: &[u8]) -> Vec<u8> {
    let mut plain = packed();
    plain[40..42].copy_from_slice(&(data.len() as u16).to_be_bytes());
    plain[MESSAGE_HEADER..].fill(0);
    plain[MESSAGE_HEADER..MESSAGE_HEADER + data.len()].copy_from_slice(data);
    plain
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(text, 19).expect("memory is all it needs")
}

fn messages() -> Vec<Case> {
    let bad =
        |path: &str, check: &str, note: &str, plain: &[u8]| message(path, "bad message", check, note, plain);
    let bent = |at: usize, to: u8| {
        let mut plain = packed();
        plain[at] = to;
        plain
    };
    let good = |path: &str, check: &str, note: &str, plain: &[u8]| {
        message(path, "success", check, note, plain)
            .hex("conversation", [0x22; 32])
            .with("sequence", 7)
            .with("highest", 3)
            .with("before", 3)
    };
    let short = packed()[1..].to_vec();
    let nothing = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9];
    let frames = [zstd(b"Ask who "), nothing.to_vec(), zstd(b"kept it.")].concat();
    let cut = zstd(b"Ask who kept the first copy.");
    vec![
        good("message", "", "a message", &packed()).with("text", TEXT),
        good("message-empty", "CNV-02", "no data: no text", &carrying(b"")).with("text", ""),
        bad("cnv-01-version", "CNV-01", "version 2", &bent(0, 2)),
        bad("cnv-01-kind", "CNV-01", "kind 3", &bent(1, 3)),
        bad("cnv-01-flags", "CNV-01", "a flag", &bent(3, 1)),
        bad("cnv-01-short", "CNV-01", "one byte short", &short),
        bad("cnv-01-cut", "CNV-01", "the last byte, a zero, is not there", &packed()[..packed().len() - 1]),
        bad("cnv-01-longer", "CNV-01", "a zero more", &[packed().as_slice(), &[0]].concat()),
        good("two-frames", "CNV-03", "packed in two frames, and one that says nothing", &carrying(&frames))
            .with("text", "Ask who kept it."),
        bad(
            "cnv-03-behind",
            "CNV-03",
            "a byte behind the frame",
            &carrying(&[zstd(b"Ask who."), vec![0]].concat()),
        ),
        bad("cnv-03-cut", "CNV-03", "a frame that is cut", &carrying(&cut[..cut.len() - 1])),
        bad("cnv-02-length", "CNV-02", "a length beyond the data", &bent(40, 0x0a)),
        bad("cnv-02-dirty", "CNV-02", "a byte behind the data", &bent(packed().len() - 1, 1)),
        bad("cnv-03-large", "CNV-03", "unpacks to 65,537 bytes", &carrying(&zstd(&vec![b'a'; MAX_TEXT + 1]))),
        bad("cnv-03-not-zstd", "CNV-03", "not packed", &carrying(b"hello")),
        bad("cnv-04-not-text", "CNV-04", "bytes that are not UTF-8", &carrying(&zstd(&[0xff, 0xfe]))),
    ]
}

fn boxes() -> Vec<Case> {
    let mut draw = Draw::new("conversation box");
    let desk = SealSecret::from_seed(&draw.bytes32());
    let other = SealSecret::from_seed(&draw.bytes32());
    let (boxed, exporter) = seal::seal(Use::Box, &NETWORK, desk.public(), &packed(), &mut draw);
    let (dirty, _) = seal::seal(Use::Box, &NETWORK, desk.public(), &carrying(b"hello"), &mut draw);
    let chain = Chain::new(&ConversationKey::from_bytes([0x22; 32]), &exporter);
    let case = |path: &str, expect: &str, check: &str, note: &str, key: &SealSecret, boxed: &[u8]| {
        Case::new(&format!("conversation/{path}"), expect, check, note)
            .hex("network", NETWORK.0)
            .with("mixes", 4)
            .hex("intake", *key.to_seed())
            .hex("box", boxed)
    };
    let links = chain.links();
    vec![
        case("box", "success", "", "a box and the chain it starts", &desk, &boxed)
            .with("text", TEXT)
            .hex("ack", chain.ack())
            .hex("first-tag", links[0].tag())
            .hex("last-tag", links[63].tag()),
        case("box-for-another", "not opened", "", "a box for another desk", &other, &boxed),
        case("cnv-03-box", "not opened", "CNV-03", "it opens, and is no message", &desk, &dirty),
    ]
}

const TAG: [u8; 16] = [0x33; 16];
const SECRET: [u8; 32] = [0x44; 32];

/// One part of a reply with this header and text, sealed as conversation.md §3 says.
fn slot(header: &[u8], text: &[u8]) -> [u8; READER_SLOT] {
    let mut draw = Draw::new("conversation slot");
    let mut plain = vec![0; REPLY];
    plain[..header.len()].copy_from_slice(header);
    plain[REPLY_HEADER..REPLY_HEADER + text.len()].copy_from_slice(text);
    let mut salt = [0; 16];
    draw.fill_bytes(&mut salt);
    let mut out = [0; 44];
    Hkdf::<Sha256>::new(Some(&salt), &SECRET).expand(b"firsthand/v1 slot", &mut out).expect("44 bytes");
    let (key, nonce) = (Key::try_from(&out[..32]).expect("32"), Nonce::try_from(&out[32..]).expect("12"));
    let head = [TAG, salt].concat();
    let sealed = ChaCha20Poly1305::new(&key)
        .encrypt(&nonce, Payload { msg: &plain, aad: &head })
        .expect("a reply is short");
    [head, sealed].concat().try_into().expect("a slot")
}

fn replies() -> Vec<Case> {
    let case = |path: &str, expect: &str, check: &str, note: &str, secret: [u8; 32], slot: &[u8]| {
        Case::new(&format!("conversation/{path}"), expect, check, note)
            .hex("link-tag", TAG)
            .hex("link-secret", secret)
            .hex("slot", slot)
    };
    let refused = |path: &str, check: &str, note: &str, slot: &[u8]| {
        case(path, "not opened", check, note, SECRET, slot)
    };
    // version 1 | kind 1 | reply number 4 | part 1 | parts 1 | length 2 | whole 8
    let header = [1, 1, 0, 0, 0, 9, 1, 2, 0, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let good = slot(&header, b"Thanks");
    let most = [&[1, 1, 0, 0, 0, 9, 15, 16, 0x03, 0xb0][..], &header[10..]].concat();
    let full = slot(&most, &[b'x'; 944]);
    let mut cases = vec![
        case("reply", "success", "", "the second of two parts", SECRET, &good)
            .with("number", 9)
            .with("part", 1)
            .with("parts", 2)
            .hex("whole", &header[10..])
            .with("text", "Thanks"),
        case("reply-last", "success", "CNV-06", "the last of sixteen parts, full", SECRET, &full)
            .with("number", 9)
            .with("part", 15)
            .with("parts", 16)
            .hex("whole", &most[10..])
            .with("text", "x".repeat(944)),
        case("cnv-05-link", "not opened", "CNV-05", "the tag is right, the secret is not", [0x45; 32], &good),
    ];
    for (at, name, note) in [
        (0, "tag", "a bit of the tag flipped"),
        (16, "salt", "a bit of the salt flipped"),
        (40, "text", "a bit of the ciphertext flipped"),
        (1023, "end", "a bit of the last byte flipped"),
    ] {
        let mut bent = good;
        bent[at] ^= 1;
        cases.push(refused(&format!("cnv-05-{name}"), "CNV-05", note, &bent));
    }
    for (at, to, name, note) in [
        (0, 2, "version", "version 2"),
        (1, 2, "kind", "kind 2"),
        (5, 0, "number", "reply number 0"),
        (6, 2, "part", "part 2 of 2, counted from 0"),
        (7, 17, "parts", "seventeen parts"),
        (8, 4, "length", "a length beyond the slot"),
        (9, 5, "dirty", "a byte behind the text"),
    ] {
        let mut bent = header;
        bent[at] = to;
        cases.push(refused(&format!("cnv-06-{name}"), "CNV-06", note, &slot(&bent, b"Thanks")));
    }
    let mut dirty = header.to_vec();
    dirty.resize(REPLY_HEADER, 0);
    for (at, name) in [(18, "dirty-header"), (31, "dirty-header-end")] {
        let mut bent = dirty.clone();
        bent[at] = 1;
        let note = "a byte behind the header's fields";
        cases.push(refused(&format!("cnv-06-{name}"), "CNV-06", note, &slot(&bent, b"Thanks")));
    }
    cases
}
