//! `document/`: parts of documents as messages, and what they join to.

use proto::conversation::{Body, ConversationKey, Message, Received};
use proto::document::{Document, Format, Part, parts};
use proto::size::{MESSAGE_HEADER, PART_HEADER};
use sha2::{Digest as _, Sha256};

use super::envelope::wire;
use super::inbox::{sequence, with_steps};
use crate::case::Case;

const NAME: &str = "Protokoll 3. März.pdf";
const FIRST: u32 = 5;

fn document(length: usize) -> Document {
    // Anybody can write this again: the numbers from 0, in 4 bytes each.
    let content = (0..length as u32 / 4).flat_map(u32::to_be_bytes).collect();
    Document { name: NAME.into(), format: Format::Pdf, content }
}

/// The parts of a document, each as a message.
pub(super) fn messages(conversation: [u8; 32], first: u32, document: &Document) -> Vec<Vec<u8>> {
    let cascade = wire(4).cascade;
    let stream = document.to_stream().expect("it fits");
    let message = |part: u16| Message {
        conversation: ConversationKey::from_bytes(conversation),
        sequence: first + u32::from(part),
        received: Received { highest: 0, before: 0 },
        body: Body::Part(Part::of(cascade, &stream, part)),
    };
    let of = 0..parts(cascade, stream.len());
    of.map(|part| message(part).pack(cascade).expect("it fits").to_vec()).collect()
}

fn three() -> Vec<Vec<u8>> {
    messages([0x22; 32], FIRST, &document(6_000))
}

pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    ["document-0", "document-1", "document-2"].into_iter().zip(three()).collect()
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = alone();
    cases.extend(together());
    cases
}

fn alone() -> Vec<Case> {
    let parts = three();
    let case = |path: &str, expect: &str, check: &str, note: &str, plain: &[u8]| {
        Case::new(&format!("document/{path}"), expect, check, note).with("mixes", 4).hex("plain", plain)
    };
    let good = |path: &str, note: &str, n: usize| {
        case(path, "success", "", note, &parts[n])
            .with("sequence", FIRST + n as u32)
            .with("part", n)
            .with("parts", 3)
    };
    let bad =
        |path: &str, check: &str, note: &str, plain: &[u8]| case(path, "bad message", check, note, plain);
    let bent = |part: usize, at: usize, to: &[u8]| {
        let mut plain = parts[part].clone();
        plain[at..at + to.len()].copy_from_slice(to);
        plain
    };
    let (longest, too_long) = ("\u{e9}".repeat(50), "x".repeat(101));
    // Part 0 with this head; of the content come zeros.
    let head = |path: &str, expect: &str, note: &str, format: u8, name: &str, length: u32, parts: u16| {
        let stream =
            [&[format, name.len() as u8][..], &length.to_be_bytes(), &[0x5a; 32], name.as_bytes()].concat();
        let room = three()[0].len() - MESSAGE_HEADER - PART_HEADER;
        let rest = if parts == 1 { stream.len() + length as usize } else { room };
        let mut plain = bent(0, 40, &((PART_HEADER + rest) as u16).to_be_bytes());
        plain[MESSAGE_HEADER..].fill(0);
        plain[MESSAGE_HEADER + 2..MESSAGE_HEADER + PART_HEADER].copy_from_slice(&parts.to_be_bytes());
        let at = MESSAGE_HEADER + PART_HEADER;
        plain[at..at + stream.len()].copy_from_slice(&stream);
        case(path, expect, "DOC-02", note, &plain)
    };
    let (data, stream) = (MESSAGE_HEADER, MESSAGE_HEADER + PART_HEADER);
    let name = stream + 38;
    let header = |part: u16, parts: u16| [part.to_be_bytes(), parts.to_be_bytes()].concat();
    let short = |part: usize, length: u16| {
        let mut plain = bent(part, 40, &length.to_be_bytes());
        plain[data + usize::from(length)..].fill(0);
        plain
    };
    vec![
        good("first", "part 0 of 3, with the head", 0)
            .with("format", "pdf")
            .with("name", NAME)
            .with("length", 6_000)
            .hex("sha256", Sha256::digest(&document(6_000).content)),
        good("middle", "part 1 of 3", 1),
        good("last", "part 2 of 3, which does not fill the data", 2),
        head(
            "named",
            "success",
            "format 9, a name of 100 bytes, and the longest content",
            9,
            &longest,
            1_048_576,
            435,
        )
        .with("sequence", FIRST)
        .with("part", 0)
        .with("parts", 435)
        .with("format", "odp")
        .with("name", &longest)
        .with("length", 1_048_576)
        .hex("sha256", [0x5a; 32]),
        head("shortest", "success", "format 1, a name of one byte, and content of one", 1, "a", 1, 1)
            .with("sequence", FIRST)
            .with("part", 0)
            .with("parts", 1)
            .with("format", "txt")
            .with("name", "a")
            .with("length", 1)
            .hex("sha256", [0x5a; 32]),
        head("doc-02-name-101", "bad message", "a name of 101 bytes, and all else fits", 1, &too_long, 10, 1),
        head("doc-02-length-0", "bad message", "no content, and all else fits", 1, "a", 0, 1),
        head("doc-02-colon", "bad message", "a name with a colon", 1, "a:b", 10, 1),
        head("doc-02-backslash", "bad message", "a name with a reverse solidus", 1, "a\\b", 10, 1),
        head(
            "doc-02-delete",
            "bad message",
            "a name with a control character (U+0085)",
            1,
            "a\u{85}b",
            10,
            1,
        ),
        bad("doc-01-no-such-part", "DOC-01", "part 3 of 3, counted from 0", &bent(2, data, &header(3, 3))),
        bad("doc-01-before-the-first", "DOC-01", "part 1 in message 0", &bent(1, 36, &0u32.to_be_bytes())),
        bad("doc-01-too-many", "DOC-01", "436 parts", &bent(1, data, &header(1, 436))),
        bad("doc-01-short", "DOC-01", "a part in the middle that is a byte short", &short(1, 2_415)),
        bad("doc-01-empty", "DOC-01", "a last part without a byte", &short(2, 4)),
        bad("doc-01-no-header", "DOC-01", "three bytes", &short(1, 3)),
        bad("doc-02-format", "DOC-02", "format 10", &bent(0, stream, &[10])),
        bad("doc-02-no-format", "DOC-02", "format 0", &bent(0, stream, &[0])),
        bad("doc-02-no-name", "DOC-02", "a name of no byte", &bent(0, stream + 1, &[0])),
        bad("doc-02-long-name", "DOC-02", "a name of 101 bytes", &bent(0, stream + 1, &[101])),
        bad("doc-02-long", "DOC-02", "1,048,577 bytes", &{
            let mut plain = bent(0, stream + 2, &1_048_577u32.to_be_bytes());
            plain[data..stream].copy_from_slice(&header(0, 435));
            plain
        }),
        bad("doc-02-nothing", "DOC-02", "a document of no byte", &bent(0, stream + 2, &[0; 4])),
        bad(
            "doc-02-parts",
            "DOC-02",
            "4,000 bytes, which two parts would hold",
            &bent(0, stream + 2, &4_000u32.to_be_bytes()),
        ),
        bad("doc-02-path", "DOC-02", "a name with a solidus", &bent(0, name + 3, b"/")),
        bad("doc-02-hidden", "DOC-02", "a name that begins with a full stop", &bent(0, name, b".")),
        bad("doc-02-control", "DOC-02", "a name with a line feed", &bent(0, name + 3, b"\n")),
        bad(
            "doc-02-turns",
            "DOC-02",
            "a name that turns the direction of writing",
            &bent(0, name, "\u{202e}".as_bytes()),
        ),
        bad("doc-02-not-text", "DOC-02", "a name that is not UTF-8", &bent(0, name, &[0xff])),
    ]
}

/// Steps `part NAME` and `join`.
fn together() -> Vec<Case> {
    let parts = three();
    let longer = messages([0x22; 32], FIRST, &document(8_000));
    let mut flipped = parts[1].clone();
    flipped[1_000] ^= 1;
    let mut longer_last = parts[2].clone();
    let length = u16::from_be_bytes([longer_last[40], longer_last[41]]) + 1;
    longer_last[40..42].copy_from_slice(&length.to_be_bytes());
    let all: [(&str, &[u8]); 6] = [
        ("0", &parts[0]),
        ("1", &parts[1]),
        ("2", &parts[2]),
        ("1-of-four", &longer[1]),
        ("1-flipped", &flipped),
        ("2-longer", &longer_last),
    ];
    let case = |path: &str, check: &str, note: &str, steps: &[String]| {
        let mut case = sequence(&format!("document/{path}"), check, note, steps).with("mixes", 4);
        for (name, plain) in all {
            if steps.iter().any(|step| step.starts_with(&format!("part {name} "))) {
                case = case.hex(&format!("part-{name}"), plain);
            }
        }
        with_steps(case, steps)
    };
    let part = |name: &str, was: &str| format!("part {name} -> {was}");
    let whole = format!("join -> whole | {}", hex::encode(Sha256::digest(&document(6_000).content)));
    let (waits, damaged) = ("join -> waits".to_owned(), "join -> damaged".to_owned());
    let new = |name: &str| part(name, "new");
    vec![
        case(
            "joined",
            "DOC-04",
            "three parts in any order",
            &[new("2"), new("0"), waits.clone(), new("1"), whole.clone()],
        ),
        case(
            "doc-03-disagrees",
            "DOC-03",
            "a part that says four, among those that say three: it is left out",
            &[new("0"), part("1-of-four", "disagrees"), new("2"), waits, new("1"), whole.clone()],
        ),
        case(
            "doc-03-twice",
            "DOC-03",
            "a part once more, with other bytes: the first stays",
            &[new("0"), new("1"), part("1-flipped", "known"), new("2"), whole],
        ),
        case(
            "doc-04-flipped",
            "DOC-04",
            "a bit flipped in the content",
            &[new("0"), new("1-flipped"), new("2"), damaged.clone()],
        ),
        case(
            "doc-04-longer",
            "DOC-04",
            "a byte more than the head says",
            &[new("0"), new("1"), new("2-longer"), damaged],
        ),
    ]
}
