//! `log/`: checkpoints with their signatures, and trees compared with them.

use data_encoding::BASE64;
use proto::directory::{Operator, Role};
use proto::log::{Checkpoint, CosignatureLine, Frontier, MAX_NOTE, UnverifiedNote};
use proto::sign::IdentitySecret;
use proto::{Millis, Round};

use super::directory::Town;
use super::folded;
use crate::case::Case;

/// Rounds of an hour; three of four witnesses must co-sign.
const T: u64 = 3_600_000;
const NOW: Millis = Millis(1_791_080_000_000);

fn tree(leaves: impl IntoIterator<Item = u8>) -> Frontier {
    let mut tree = Frontier::empty();
    leaves.into_iter().for_each(|n| tree.push(&[n; 3]));
    tree
}

struct Press {
    town: Town,
    checkpoint: Checkpoint,
    /// The round of the newest head.
    newest: u32,
}

impl Press {
    fn bare(&self, by: &IdentitySecret) -> UnverifiedNote {
        UnverifiedNote::from_bytes(&self.checkpoint.sign(&self.town.network(), by)).expect("a note")
    }

    fn line(&self, witness: usize, at: Millis) -> CosignatureLine {
        self.checkpoint.cosign(&self.town.network(), &self.town.witnesses[witness], at)
    }

    /// With co-signatures of the first witnesses, made at these times.
    fn note(&self, times: &[Millis]) -> UnverifiedNote {
        (0..).zip(times).fold(self.bare(&self.town.press), |note, (n, at)| note.with(self.line(n, *at)))
    }

    fn bytes(&self, path: &str, expect: &str, check: &str, note: &str, bytes: &[u8]) -> Case {
        self.stated(path, expect, check, note, &hex::encode(bytes))
    }

    fn stated(&self, path: &str, expect: &str, check: &str, note: &str, checkpoint: &str) -> Case {
        let case = Case::new(&format!("log/{path}"), expect, check, note)
            .hex("network", self.town.network().0)
            .hex("directory", self.town.bare())
            .with("now", NOW.0)
            .with("newest", self.newest)
            .with("checkpoint", checkpoint);
        if expect != "success" {
            return case;
        }
        case.with("size", self.checkpoint.size).with("root", self.checkpoint.root)
    }

    fn case(&self, path: &str, expect: &str, check: &str, note: &str, it: &UnverifiedNote) -> Case {
        self.bytes(path, expect, check, note, &it.to_bytes())
    }
}

pub(super) fn cases() -> Vec<Case> {
    let checkpoint = tree(0..7).checkpoint();
    let p = Press { town: Town::new(), checkpoint, newest: 300 };
    let mut cases = notes(&p);
    cases.extend(cosignatures(&p));
    cases.extend(to_come(checkpoint));
    cases.extend(trees());
    cases
}

/// The last signature written as base64 of its first bytes, and behind that of its last three.
fn in_two_pieces(note: &str) -> String {
    let (_, base64) = note.trim_end().rsplit_once(' ').expect("a line of a signature");
    let bytes = BASE64.decode(base64.as_bytes()).expect("base64");
    let (one, other) = bytes.split_at(bytes.len() - 3);
    note.replacen(base64, &(BASE64.encode(one) + &BASE64.encode(other)), 1)
}

fn notes(p: &Press) -> Vec<Case> {
    let good = p.note(&[NOW; 3]);
    let text = String::from_utf8(good.to_bytes()).expect("text");
    let bent =
        |path: &str, note: &str, text: String| p.bytes(path, "malformed", "LOG-01", note, text.as_bytes());
    let elsewhere = UnverifiedNote::from_bytes(&p.checkpoint.sign(&super::NETWORK, &p.town.press));
    let size = text.replacen("\n7\n", "\n8\n", 1);
    let root = BASE64.encode(&p.checkpoint.root.0);
    // 32 bytes leave two bits of the last letter over.
    let loose = {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let at = LETTERS.iter().position(|letter| *letter == root.as_bytes()[42]).expect("a letter");
        text.replacen(&root, &format!("{}{}=", &root[..42], char::from(LETTERS[at + 1])), 1)
    };
    let other = "\u{2014} other AAAAAAA=\n";
    let lines = |path: &str, expect: &str, note: &str, count: usize| {
        let all = text.clone() + &other.repeat(count);
        p.stated(path, expect, "LOG-01", note, &folded(all.as_bytes(), other.as_bytes()))
    };
    let (press, network) = (&p.town.press, p.town.network());
    // A second line of the press, of another checkpoint.
    let second = String::from_utf8(tree(0..8).checkpoint().sign(&network, press)).expect("text");
    let second = second.lines().last().expect("a line");
    // A line under the press's name with another key's id, and one under a witness's.
    let by_mix = String::from_utf8(p.checkpoint.sign(&network, &p.town.mix)).expect("text");
    let by_mix = by_mix.lines().last().expect("a line");
    let witness = String::from_utf8(p.line(3, NOW).to_bytes()).expect("text");
    let (name, _) = witness.trim_end().rsplit_once(' ').expect("a name");
    let first_line = text.lines().position(|line| line.starts_with('\u{2014}')).expect("a signature");
    let mut before: Vec<&str> = text.lines().collect();
    before.insert(first_line, by_mix);
    let passes = |path: &str, check: &str, note: &str, text: &str| {
        p.bytes(path, "success", check, note, text.as_bytes())
    };
    vec![
        passes(
            "another-key",
            "LOG-03",
            "a line under the press's name with a mix's key before its own",
            &(before.join("\n") + "\n"),
        ),
        passes(
            "another-key-of-witness",
            "LOG-04",
            "a line under a witness's name with the id of no key",
            &format!("{text}{name} AAAAAAA=\n"),
        ),
        p.bytes(
            "log-03-twice",
            "press",
            "LOG-03",
            "two lines of the press, the second of another checkpoint",
            format!("{text}{second}\n").as_bytes(),
        ),
        p.case("checkpoint", "success", "", "signed by the press and three of four witnesses", &good),
        bent("log-01-extension", "a fourth line", text.replacen("\n\n", "\nmore\n\n", 1)),
        bent("log-01-size", "a zero before the size", text.replacen("\n7\n", "\n07\n", 1)),
        bent("log-01-unsigned", "no line below", text[..text.find("\n\n").expect("it is there") + 2].into()),
        bent("log-01-padding", "a signature in two pieces, each padded", in_two_pieces(&text)),
        bent("log-01-size-far", "a size of 2^40 + 1", text.replacen("\n7\n", "\n1099511627777\n", 1)),
        bent("log-01-size-zero", "no leaf", text.replacen("\n7\n", "\n0\n", 1)),
        bent("log-01-size-sign", "a sign before the size", text.replacen("\n7\n", "\n+7\n", 1)),
        bent("log-01-root-short", "a root of 31 bytes", text.replacen(&root, &BASE64.encode(&[7; 31]), 1)),
        bent("log-01-bits", "the last letter of the root has a bit that says nothing", loose),
        bent(
            "log-01-unpadded",
            "the root without its padding",
            text.replacen(&root, root.trim_end_matches('='), 1),
        ),
        bent("log-01-name", "a signature's name with a plus sign", format!("{text}\u{2014} a+b AAAAAAA=\n")),
        bent("log-01-dash", "a line that begins with a hyphen", format!("{text}- other AAAAAAA=\n")),
        bent("log-01-no-end", "the last line has no end", text.trim_end().into()),
        lines("log-01-long", "malformed", "more than 32 KiB", MAX_NOTE / other.len()),
        lines(
            "strangers",
            "success",
            "almost 32 KiB of lines of a key that nobody knows",
            MAX_NOTE / other.len() - 50,
        ),
        bent("log-01-longer", "an empty line at the end", format!("{text}\n")),
        p.case(
            "log-02-origin",
            "origin",
            "LOG-02",
            "the log of another network",
            &elsewhere.expect("a note"),
        ),
        p.case("log-03-signer", "press", "LOG-03", "signed by a mix", &p.bare(&p.town.mix)),
        p.bytes("log-03-size", "press", "LOG-03", "another size under the same signatures", size.as_bytes()),
    ]
}

fn cosignatures(p: &Press) -> Vec<Case> {
    let good = p.note(&[NOW; 3]);
    let other = tree(0..8).checkpoint().cosign(&p.town.network(), &p.town.witnesses[3], NOW);
    let twice = [good.to_bytes(), p.line(0, NOW).to_bytes()].concat();
    let stranger = p.checkpoint.cosign(&p.town.network(), &p.town.mix, NOW);
    let ago = |ms: u64| Millis(NOW.0 - ms);
    let (oldest, too_old) = (ago(3 * T), ago(3 * T + 1000));
    let (ahead, too_far) = (NOW.plus(T), NOW.plus(T + 1000));
    vec![
        p.case("log-04-other", "cosignature", "LOG-04", "a fourth, of another checkpoint", &good.with(other)),
        p.bytes("log-04-twice", "cosignature", "LOG-04", "two lines of one witness", &twice),
        p.case("log-05-two", "unwitnessed", "LOG-05", "two of four", &p.note(&[NOW; 2])),
        p.case(
            "log-05-stranger",
            "unwitnessed",
            "LOG-05",
            "two of four, and a mix",
            &p.note(&[NOW; 2]).with(stranger),
        ),
        p.case("log-06-last", "success", "LOG-06", "three rounds ago", &p.note(&[oldest; 3])),
        p.case(
            "log-06-old",
            "frozen",
            "LOG-06",
            "the third newest a second earlier",
            &p.note(&[NOW, NOW, too_old]),
        ),
        p.case(
            "log-06-fourth",
            "success",
            "LOG-06",
            "only the fourth newest a second earlier",
            &p.note(&[NOW, too_old, NOW, NOW]),
        ),
        p.case("log-07-grace", "success", "LOG-07", "one round ahead of the clock", &p.note(&[ahead; 3])),
        p.case(
            "log-07-future",
            "future",
            "LOG-07",
            "all three a second further ahead",
            &p.note(&[too_far; 3]),
        ),
        p.case(
            "log-07-one",
            "unwitnessed",
            "LOG-07",
            "two of three a second further ahead",
            &p.note(&[NOW, too_far, too_far]),
        ),
        p.case(
            "log-07-left-old",
            "future",
            "LOG-07",
            "two of four a second further ahead, and the others three rounds ago: none that is left is of now",
            &p.note(&[too_old, too_far, too_far, too_old]),
        ),
        p.case(
            "log-07-left-last",
            "unwitnessed",
            "LOG-07",
            "the same, and one of the others a second later",
            &p.note(&[too_old, too_far, too_far, oldest]),
        ),
        p.case(
            "log-07-enough",
            "success",
            "LOG-07",
            "one of four a second further ahead",
            &p.note(&[too_far, NOW, NOW, NOW]),
        ),
    ]
}

/// From round 301 on the first of the witnesses is another.
fn to_come(checkpoint: Checkpoint) -> Vec<Case> {
    let mut town = Town::new();
    let first = town.roster.operators.iter_mut().find(|o| o.role == Role::Witness).expect("it has four");
    first.since = Round(301);
    let by = IdentitySecret::from_seed(&town.first.to_seed());
    let key = by.public();
    town.roster.operators.push(Operator { role: Role::Press, name: "Next".into(), key, since: Round(301) });
    let mut p = Press { town, checkpoint, newest: 300 };
    let (three, next) = (p.note(&[NOW; 3]), p.bare(&by));
    let mut cases = vec![
        p.case("log-03-to-come", "press", "LOG-03", "signed by the press of the round after", &next),
        p.case(
            "log-05-to-come",
            "unwitnessed",
            "LOG-05",
            "three, of which one is a witness from the next round on",
            &three,
        ),
    ];
    // Whoever serves a note names the round, and the roster's only press begins later.
    let mut none = Town::new();
    let press = none.roster.operators.iter_mut().filter(|o| o.role == Role::Press);
    press.for_each(|o| o.since = Round(301));
    none.roster.from = Round(301);
    let none = Press { town: none, checkpoint, newest: 300 };
    let note = none.note(&[NOW; 3]);
    cases.push(none.case(
        "log-03-not-begun",
        "press",
        "LOG-03",
        "a roster whose press begins with the next round",
        &note,
    ));
    p.newest = 301;
    let next = (0..3).fold(next, |note, n| note.with(p.line(n, NOW)));
    cases.push(p.case("log-05-came", "success", "LOG-05", "in the next round, with its press", &next));
    cases.push(p.case("log-03-gone", "press", "LOG-03", "signed by the press of the round before", &three));
    // Where fewer are in force than must co-sign, all of them must.
    let with_to_come = |n: usize| {
        let mut town = Town::new();
        let witnesses = town.roster.operators.iter_mut().filter(|o| o.role == Role::Witness);
        witnesses.rev().take(n).for_each(|o| o.since = Round(301));
        Press { town, checkpoint, newest: 300 }
    };
    for (to_come, signed, path, expect, note) in [
        (2, 2, "log-05-fewer", "success", "both of two that are in force, of four of which three must"),
        (2, 1, "log-05-fewer-one", "unwitnessed", "one of two that are in force"),
        (3, 1, "log-05-fewest", "success", "the only one that is in force"),
        (4, 4, "log-05-none", "unwitnessed", "all four, of which none is in force"),
    ] {
        let p = with_to_come(to_come);
        cases.push(p.case(path, expect, "LOG-05", note, &p.note(&vec![NOW; signed])));
    }
    cases
}

fn trees() -> Vec<Case> {
    let (before, whole) = (tree(0..6), tree(0..7));
    let case = |path: &str, expect: &str, check: &str, note: &str, from: &[u8], to: &Checkpoint| {
        Case::new(&format!("log/{path}"), expect, check, note)
            .hex("frontier", from)
            .with("size", to.size)
            .with("root", to.root)
    };
    let leaves = |case: Case, leaves: &[u8]| leaves.iter().fold(case, |case, n| case.hex("leaf", [*n; 3]));
    let (empty, six) = (Frontier::empty().to_bytes(), before.to_bytes());
    let (seven, eight) = (whole.checkpoint(), tree(0..8).checkpoint());
    let mut bits = six.clone();
    bits[1] = 7;
    let far = [&[0x82, 0x1b, 0, 0, 1, 0, 0, 0, 0, 1, 0x82][..], &six[3..]].concat();
    let mut less = whole.to_bytes();
    less[1] = 6;
    let mut bent = six.clone();
    bent[9] ^= 1;
    vec![
        leaves(case("leaves", "success", "", "seven leaves", &empty, &seven), &[0, 1, 2, 3, 4, 5, 6]),
        leaves(case("grown", "success", "LOG-11", "one more than was held", &six, &seven), &[6]),
        case("log-08-hashes", "malformed", "LOG-08", "two hashes for a size of three bits", &bits, &seven),
        case("log-08-far", "malformed", "LOG-08", "a size of 2^40 + 1, with its two hashes", &far, &seven),
        case("log-08-size", "malformed", "LOG-08", "three hashes for a size of two bits", &less, &seven),
        case(
            "log-08-longer",
            "malformed",
            "LOG-08",
            "a byte left over",
            &[six.as_slice(), &[0]].concat(),
            &seven,
        ),
        case("begun", "success", "LOG-09", "the first day", &six, &seven).hex("head", [6; 3]),
        case("log-09-head", "fork", "LOG-09", "another head", &six, &seven).hex("head", [7; 3]),
        case("log-09-bit", "fork", "LOG-09", "one bit of a hash flipped", &bent, &seven).hex("head", [6; 3]),
        case("log-09-size", "fork", "LOG-09", "the frontier of another size", &six, &eight)
            .hex("head", [7; 3]),
        case(
            "log-10-smaller",
            "rollback",
            "LOG-10",
            "a smaller tree than the one held",
            &whole.to_bytes(),
            &before.checkpoint(),
        ),
        leaves(case("log-11-root", "fork", "LOG-11", "another leaf", &six, &seven), &[7]),
        leaves(case("log-11-missing", "missing", "LOG-11", "a leaf is left out", &six, &eight), &[6]),
    ]
}
