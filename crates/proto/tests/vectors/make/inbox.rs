//! What several messages or parts become: `reply/` at a source's end, `inbox/` at a desk's.

use proto::conversation::{Body, Chain, ConversationKey, MAX_TEXT, Message, Received};
use proto::document::{Document, Format};
use proto::seal::{self, Exporter, SealSecret, Use};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::document::messages;
use super::envelope::wire;
use super::{Draw, NETWORK};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = replies();
    cases.extend(inboxes());
    cases
}

/// A sequence whose outcome is the last step's, as far as ` | `.
pub(super) fn sequence(path: &str, check: &str, note: &str, steps: &[String]) -> Case {
    let last = steps.last().and_then(|step| step.split(" -> ").nth(1)).expect("a step with an outcome");
    Case::new(path, last.split(" | ").next().expect("a word"), check, note)
}

/// Adds the steps, behind what they need.
pub(super) fn with_steps(case: Case, steps: &[String]) -> Case {
    steps.iter().fold(case, |case, step| case.with("step", step))
}

/// Steps `part NUMBER PART PARTS WHOLE TEXT`, and what the source says in the end that it has received.
fn reply(path: &str, note: &str, steps: &[String], highest: u32, before: u16) -> Case {
    let case = sequence(&format!("reply/{path}"), "CNV-07", note, steps);
    with_steps(case, steps).with("highest", highest).with("before", before)
}

/// A reply of which parts come: its number, how many parts it says it has, and its text.
struct Reply(u32, u8, &'static str);

impl Reply {
    fn part(&self, part: u8, text: &[u8], then: &str) -> String {
        let Self(number, parts, whole) = self;
        let whole = hex::encode(&Sha256::digest(whole)[..8]);
        format!("part {number} {part} {parts} {whole} {} -> {then}", hex::encode(text))
    }

    /// It changes nothing that is seen.
    fn waits(&self, part: u8, text: &str) -> String {
        self.part(part, text.as_bytes(), "nothing new")
    }

    /// With it the reply is whole.
    fn makes_whole(&self, part: u8, text: &[u8]) -> String {
        self.part(part, text, &format!("reply | {}", hex::encode(self.2)))
    }
}

fn replies() -> Vec<Case> {
    let one = |number| Reply(number, 1, "Yes").makes_whole(0, b"Yes");
    let thanks = Reply(1, 2, "Thank you");
    let other = Reply(1, 2, "Blame me");
    let split = Reply(1, 2, "Caf\u{e9}");
    let letters = Reply(1, 3, "abc");
    let second = Reply(2, 2, "Thank you");
    vec![
        reply("one-part", "a reply in one part", &[one(1)], 1, 0),
        reply(
            "turned-round",
            "two parts, the second first; a character is cut between them",
            &[split.part(1, b"\xa9", "nothing new"), split.makes_whole(0, b"Caf\xc3")],
            1,
            0,
        ),
        reply(
            "cnv-07-disagrees",
            "parts that say three, among those that say two: they are of another reply",
            &[
                thanks.waits(0, "Thank"),
                Reply(1, 3, "Thank you").waits(1, " nobody"),
                Reply(1, 3, "Thank you").waits(2, " else"),
                thanks.makes_whole(1, b" you"),
            ],
            1,
            0,
        ),
        reply(
            "cnv-07-two-of-one-number",
            "two replies of one number, from two copies of a vault: each is joined of its own parts",
            &[
                thanks.waits(0, "Thank"),
                other.waits(1, " me"),
                thanks.makes_whole(1, b" you"),
                other.makes_whole(0, b"Blame"),
            ],
            1,
            0,
        ),
        reply(
            "cnv-07-not-what-it-says",
            "a reply that is not what its parts say: none of them stays",
            &[
                thanks.waits(0, "Blame"),
                thanks.waits(1, " you"),
                thanks.waits(1, " you"),
                thanks.makes_whole(0, b"Thank"),
            ],
            1,
            0,
        ),
        reply(
            "cnv-07-one-part-not-what-it-says",
            "the same of a reply in one part",
            &[Reply(1, 1, "Yes").waits(0, "No")],
            0,
            0,
        ),
        reply(
            "cnv-07-part-twice",
            "the same part under another link, with another text: the first stays",
            &[thanks.waits(0, "Thank"), thanks.waits(0, "Blame"), thanks.makes_whole(1, b" you")],
            1,
            0,
        ),
        reply(
            "cnv-07-again",
            "a reply that is whole, once more",
            &[one(1), Reply(1, 1, "Yes").waits(0, "Yes")],
            1,
            0,
        ),
        reply(
            "cnv-07-two-replies",
            "parts of two replies by turns",
            &[
                second.waits(0, "Thank"),
                letters.waits(0, "a"),
                second.makes_whole(1, b" you"),
                letters.waits(2, "c"),
                letters.makes_whole(1, b"b"),
            ],
            2,
            1,
        ),
        reply(
            "received",
            "the highest, and which of the sixteen before it: 1 is too far back to be told",
            &[one(1), one(2), one(4), one(17), one(18)],
            18,
            0b1010_0000_0000_0001,
        ),
    ]
}

const INTAKE: [u8; 32] = [0x61; 32];

/// A box: its bytes, and what it starts.
struct Boxed {
    name: &'static str,
    bytes: Vec<u8>,
    ack: String,
    /// Tags of its chain's links.
    links: Vec<String>,
}

/// Everything that these vectors put before a desk: two messages of one conversation, the first of them sealed anew, a message of
/// another, the two parts of a document, the last two of a longer one, and the longest text.
fn boxes() -> [Boxed; 9] {
    let sealed = |name: &'static str, conversation: u8, plain: &[u8]| {
        let key = || ConversationKey::from_bytes([conversation; 32]);
        let intake = SealSecret::from_seed(&INTAKE);
        let draw = &mut Draw::new(&format!("inbox {name}"));
        let (bytes, exporter): (_, Exporter) = seal::seal(Use::Box, &NETWORK, intake.public(), plain, draw);
        let chain = Chain::new(&key(), &exporter);
        let links = chain.links().iter().map(|link| hex::encode(link.tag())).collect();
        Boxed { name, bytes, ack: hex::encode(chain.ack()), links }
    };
    let boxed = |name: &'static str, conversation: u8, sequence: u32, text: &str| {
        let body = Body::Text(Zeroizing::new(text.to_owned()));
        let received = Received { highest: 0, before: 0 };
        let key = ConversationKey::from_bytes([conversation; 32]);
        let message = Message { conversation: key, sequence, received, body };
        sealed(name, conversation, &message.pack(wire(4).cascade).expect("it fits"))
    };
    let picture = Document { name: "a.jpg".into(), format: Format::Picture, content: vec![7; 3_000] };
    let parts = messages([0x62; 32], 1, &picture);
    let longer = Document { name: "a.jpg".into(), format: Format::Picture, content: vec![7; 155_000] };
    let many = messages([0x62; 32], 1, &longer);
    [
        boxed("first", 0x62, 0, "The minutes were rewritten."),
        boxed("second", 0x62, 1, "Ask who kept the first copy."),
        boxed("first-anew", 0x62, 0, "The minutes were rewritten."),
        boxed("other", 0x63, 0, "I have another question."),
        sealed("part-0", 0x62, &parts[0]),
        sealed("part-1", 0x62, &parts[1]),
        sealed("part-63", 0x62, &many[63]),
        sealed("part-64", 0x62, &many[64]),
        boxed("longest", 0x62, 0, &"a".repeat(MAX_TEXT)),
    ]
}

/// The boxes.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    let names = ["box-first", "box-second", "box-first-anew", "box-other", "box-part-0", "box-part-1"];
    names.into_iter().zip(boxes()).map(|(name, boxed)| (name, boxed.bytes)).collect()
}

/// Steps `box NAME` and `write CONVERSATION`: the desk uses a link for a part of a reply.
fn inboxes() -> Vec<Case> {
    let boxes = boxes();
    let [first, second, anew, other, part_0, part_1, part_63, part_64, longest] = &boxes;
    let new = |it: &Boxed| format!("box {} -> new | acknowledged {}", it.name, it.ack);
    let known = |it: &Boxed| format!("box {} -> known | acknowledged {}", it.name, it.ack);
    let copy = |it: &Boxed| format!("box {} -> copy", it.name);
    let write = |it: &Boxed, link: usize| format!("write {} -> link {}", "62".repeat(32), it.links[link]);
    let case = |path: &str, check: &str, note: &str, steps: &[String], messages: usize| {
        let mut case = sequence(&format!("inbox/{path}"), check, note, steps)
            .hex("network", NETWORK.0)
            .with("mixes", 4)
            .hex("intake", INTAKE);
        for it in &boxes {
            if steps.iter().any(|step| step.starts_with(&format!("box {} ", it.name))) {
                case = case.hex(&format!("box-{}", it.name), &it.bytes);
            }
        }
        with_steps(case, steps).with("messages", messages)
    };
    vec![
        case(
            "two-messages",
            "CNV-08",
            "two messages of one conversation: the desk writes on the chain of the newer",
            &[new(first), write(first, 0), new(second), write(second, 0), write(second, 1)],
            2,
        ),
        case(
            "two-conversations",
            "CNV-08",
            "the same sequence number in two conversations",
            &[new(first), new(other), write(first, 0)],
            2,
        ),
        case(
            "cnv-08-anew",
            "CNV-08",
            "a message sealed anew: acknowledged, no new message, and its chain is the newer one",
            &[new(first), write(first, 0), known(anew), write(anew, 0)],
            1,
        ),
        case(
            "cnv-08-anew-late",
            "CNV-08",
            "a message sealed anew after the next: its chain does not come before that of the next",
            &[new(first), new(second), known(anew), write(second, 0)],
            2,
        ),
        case(
            "cnv-08-backwards",
            "CNV-08",
            "the second message before the first",
            &[new(second), new(first), write(second, 0)],
            2,
        ),
        case(
            "doc-05-no-chain",
            "DOC-05",
            "a part that starts no chain comes first: the desk can write once the part before it is there",
            &[new(part_1), format!("write {} -> no link", "62".repeat(32)), new(part_0), write(part_0, 0)],
            1,
        ),
        case(
            "doc-05-sixty-fourth",
            "DOC-05",
            "the last two of 65 parts: of these it is part 64 that starts a chain",
            &[new(part_63), format!("write {} -> no link", "62".repeat(32)), new(part_64), write(part_64, 0)],
            1,
        ),
        case("longest", "CNV-03", "a text of 65,536 bytes", &[new(longest), write(longest, 0)], 1),
        case(
            "doc-05-later",
            "DOC-05",
            "a part that starts no chain after a message: the desk goes on writing on the message's chain",
            &[new(first), write(first, 0), new(part_1), write(first, 1)],
            2,
        ),
        case(
            "cnv-09-copy",
            "CNV-09",
            "the same box again: not acknowledged, and the link that was used stays used",
            &[new(first), write(first, 0), copy(first), write(first, 1)],
            1,
        ),
        case(
            "cnv-09-older-copy",
            "CNV-09",
            "copies of all boxes taken, the newest included",
            &[
                new(first),
                known(anew),
                new(second),
                write(second, 0),
                copy(first),
                copy(anew),
                copy(second),
                write(second, 1),
            ],
            2,
        ),
        case(
            "cnv-09-after-anew",
            "CNV-09",
            "a copy of the first box after the message came anew: its chain is not taken up again",
            &[new(first), known(anew), copy(first), write(anew, 0)],
            1,
        ),
    ]
}
