//! `mix/` and `exit/`: the rules as scripts. `batch/`: a batch on its way.

use proto::Digest;
use proto::batch::BatchSeal;
use proto::seal::{CHUNK, SealSecret, StreamSeal, Use};
use proto::size::{ENC, TAG};

use super::envelope::wire;
use super::{Draw, NETWORK};
use crate::case::Case;

/// A batch of two chunks up to the end of the first.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    let two = sealed("batch two chunks", 14, wire(4).cascade.blob());
    vec![("two-chunks-first", two.bytes[..ENC + CHUNK + TAG].to_vec())]
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = rule();
    cases.extend(exit());
    cases.extend(batches());
    cases
}

/// A script's steps are `round N` (by the mix's clock), `input ENTRIES`, `offer TAG ITEM` or `offer TAG ITEM RELEASE`,
/// `delete` (what waited too long) and `close yes|no` (is the round over); the outcome is the last step's.
fn script(path: &str, expect: &str, check: &str, note: &str, limits: (u32, u32), steps: &[&str]) -> Case {
    let case = Case::new(&format!("mix/{path}"), expect, check, note)
        .with("n-min", limits.0)
        .with("n-max", limits.1);
    steps.iter().fold(case, |case, step| case.with("step", step))
}

fn rule() -> Vec<Case> {
    let [a, b, c] = [1u8, 2, 3].map(|n| hex::encode([n; 16]));
    let offer = |tag: &str, item: u32| format!("offer {tag} {item}");
    let (one, again) = (offer(&a, 1), offer(&a, 9));
    let (two, three) = (offer(&b, 2), offer(&c, 3));
    vec![
        script("new", "new", "MIX-01", "two tags", (2, 9), &[&one, &two]),
        script("mix-01-replay", "replay", "MIX-01", "one tag twice", (2, 9), &[&one, &again]),
        script(
            "mix-01-replay-later",
            "replay",
            "MIX-01",
            "one tag twice, in different batches",
            (2, 9),
            &[&one, &two, "close yes", &again],
        ),
        script(
            "mix-01-replay-does-not-count",
            "waits",
            "MIX-01",
            "n_min is not reached with a replay",
            (2, 9),
            &["input 2", &one, &again, "close yes"],
        ),
        script(
            "mix-02-small",
            "waits",
            "MIX-02",
            "fewer than n_min",
            (3, 9),
            &["input 2", &one, &two, "close yes"],
        ),
        script("mix-02-empty", "waits", "MIX-02", "nothing came", (2, 9), &["input 0", "close yes"]),
        script(
            "mix-02-not-over",
            "waits",
            "MIX-02",
            "n_min, but the round goes on",
            (2, 9),
            &[&one, &two, "close no"],
        ),
        script(
            "mix-02-merged",
            "closed",
            "MIX-02",
            "a small batch and the next; one of the five entries did not open",
            (3, 9),
            &["input 2", &one, &two, "close yes", "input 3", &three, "close yes"],
        )
        .with("items", "1 2 3")
        .with("count-in", 5)
        .with("inputs", 2),
        script(
            "mix-03-full",
            "closed",
            "MIX-03",
            "n_max before the round is over",
            (2, 3),
            &["input 3", &one, &two, &three, "close no"],
        )
        .with("items", "1 2 3")
        .with("count-in", 3)
        .with("inputs", 1),
        script(
            "mix-07-held",
            "waits",
            "MIX-07",
            "three items, of which two may leave, and n_min is three",
            (3, 9),
            &["round 4", &one, &two, &format!("{three} 5"), "close yes"],
        ),
        script(
            "mix-07-leaves",
            "closed",
            "MIX-07",
            "what is held leaves in its round, with what came meanwhile",
            (2, 9),
            &["round 4", "input 2", &one, &format!("{three} 6"), "round 6", "input 1", &two, "close yes"],
        )
        .with("items", "1 2 3")
        .with("count-in", 3)
        .with("inputs", 2),
        script(
            "mix-07-stays",
            "closed",
            "MIX-07",
            "what is held stays when others leave",
            (2, 9),
            &["round 4", "input 3", &one, &format!("{three} 6"), &two, "round 5", "close yes"],
        )
        .with("items", "1 2")
        .with("count-in", 3)
        .with("inputs", 1),
        script(
            "mix-10-not-yet",
            "0 deleted",
            "MIX-10",
            "what might have left for 23 rounds waits on",
            (3, 9),
            &[&format!("{one} 4"), "round 27", "delete"],
        ),
        script(
            "mix-10-deleted",
            "1 deleted",
            "MIX-10",
            "one might have left for 24 rounds, one for 23, one is held",
            (3, 9),
            &[&format!("{one} 4"), &format!("{two} 5"), &format!("{three} 29"), "round 28", "delete"],
        ),
        script(
            "mix-02-counts-anew",
            "closed",
            "MIX-02",
            "a second batch: what came before the first is not counted again",
            (2, 9),
            &[
                "input 2",
                &one,
                &two,
                "close yes",
                "input 4",
                &three,
                &offer(&hex::encode([4; 16]), 4),
                "close yes",
            ],
        )
        .with("items", "3 4")
        .with("count-in", 4)
        .with("inputs", 1),
        script(
            "mix-03-no-more",
            "closed",
            "MIX-03",
            "three may leave at once, and n_max is two",
            (2, 2),
            &[
                "input 3",
                &format!("{one} 1"),
                &format!("{two} 1"),
                &format!("{three} 1"),
                "round 1",
                "close yes",
            ],
        )
        .with("leave", 2)
        .with("count-in", 3)
        .with("inputs", 1),
        script("mix-03-not-full", "waits", "MIX-03", "one below n_max", (2, 3), &[&one, &two, "close no"]),
    ]
}

fn exit() -> Vec<Case> {
    let case = |path: &str, check: &str, note: &str, slots: u16, added: u32| {
        Case::new(&format!("exit/{path}"), "success", check, note).with("slots", slots).with("added", added)
    };
    vec![
        case("ext-01-full", "EXT-01", "exactly 24 drops' worth", 2, 48).with("gone", 0).with("waiting", 48),
        case("ext-01-overfull", "EXT-01", "twelve more than fit", 2, 60).with("gone", 12).with("waiting", 48),
        case("ext-02-empty", "EXT-02", "nothing waits", 4, 0)
            .with("filled", 0)
            .with("filler", 4)
            .with("left", 0),
        case("ext-02-some", "EXT-02", "fewer wait than there are slots", 4, 3)
            .with("filled", 3)
            .with("filler", 1)
            .with("left", 0),
        case("ext-05-held", "EXT-05", "two of three are held", 4, 3)
            .with("held", 2)
            .with("filled", 1)
            .with("filler", 3)
            .with("left", 2),
        case("ext-02-more", "EXT-02", "more wait than there are slots", 4, 7)
            .with("filled", 4)
            .with("filler", 0)
            .with("left", 3),
    ]
}

struct Batch {
    key: SealSecret,
    bytes: Vec<u8>,
    entries: Vec<u8>,
}

/// `count` entries of `len` bytes for the exit of four mixes.
fn sealed(label: &str, count: usize, len: usize) -> Batch {
    let mut draw = Draw::new(label);
    let key = SealSecret::from_seed(&draw.bytes32());
    let (mut bytes, mut entries) = (Vec::new(), Vec::new());
    let mut batch = BatchSeal::new(&wire(4), 3, key.public(), &mut draw, &mut bytes);
    for n in 0..count {
        let entry = vec![n as u8; len];
        batch.entry(&entry, &mut bytes);
        entries.extend(entry);
    }
    batch.finish(&mut bytes);
    Batch { key, bytes, entries }
}

impl Batch {
    fn case(&self, path: &str, expect: &str, check: &str, note: &str) -> Case {
        Case::new(&format!("batch/{path}"), expect, check, note)
            .hex("network", NETWORK.0)
            .with("mixes", 4)
            .with("hop", 3)
            .hex("key", *self.key.to_seed())
            .hex("batch", &self.bytes)
    }

    fn good(&self, path: &str, note: &str, count: usize) -> Case {
        self.case(path, "success", "BAT-01", note)
            .with("entries", count)
            .with("sha256", Digest::of(&self.entries))
    }

    fn refused(&self, path: &str, check: &str, note: &str) -> Case {
        self.case(path, "not opened", check, note)
    }
}

fn batches() -> Vec<Case> {
    let entry = wire(4).cascade.blob();
    let one = || sealed("batch one", 1, entry);
    let two = sealed("batch two chunks", 14, entry);
    let cut =
        Batch { bytes: two.bytes[..ENC + CHUNK + TAG].to_vec(), ..sealed("batch two chunks", 14, entry) };
    let mut bent = one();
    bent.bytes[ENC + 9] ^= 1;
    let mut short = one();
    short.bytes.pop();
    let no_chunk = Batch { bytes: one().bytes[..ENC].to_vec(), ..one() };
    let mut draw = Draw::new("batch elsewhere");
    let key = SealSecret::from_seed(&draw.bytes32());
    let mut elsewhere = Batch { key, bytes: Vec::new(), entries: Vec::new() };
    let (mut stream, enc) = StreamSeal::new(Use::Batch(2), &NETWORK, elsewhere.key.public(), &mut draw);
    elsewhere.bytes = [enc, stream.chunk(&vec![0; entry], true)].concat();
    vec![
        sealed("batch none", 0, entry).good("none", "no entry: one empty chunk", 0),
        one().good("one", "one entry", 1),
        two.good("two-chunks", "fourteen entries, the fourteenth in two chunks", 14),
        cut.refused("bat-01-cut", "BAT-01", "cut between two chunks"),
        bent.refused("bat-01-bent", "BAT-01", "one bit flipped"),
        short.refused("bat-01-short", "BAT-01", "one byte short"),
        no_chunk.refused("bat-01-no-chunk", "BAT-01", "no chunk"),
        elsewhere.refused("bat-01-hop", "BAT-01", "sealed for another hop"),
        sealed("batch short entry", 1, entry - 1).refused(
            "bat-02-short-entry",
            "BAT-02",
            "an entry one byte short",
        ),
        sealed("batch long entry", 1, entry + 1).refused(
            "bat-02-long-entry",
            "BAT-02",
            "an entry one byte long",
        ),
    ]
}
