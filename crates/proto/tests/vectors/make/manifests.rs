//! `edition/`: the manifests, drops and keys that heads name.

use proto::directory::{Operator, Role};
use proto::edition::Head;
use proto::mix::{BatchId, Manifest};
use proto::sign::IdentitySecret;
use proto::size::{PASS, READER_SLOT};
use proto::{Digest, Round};

use super::directory::Town;
use super::edition::{Press, exits};
use crate::case::Case;

pub(super) fn cases(p: &Press) -> Vec<Case> {
    let two = Press { town: Town::of_two() };
    let mut cases = manifests(p);
    cases.extend(drops(p));
    cases.extend(round_keys(&two));
    cases.extend(of_two(&two));
    cases.extend(signers());
    cases
}

fn manifests(p: &Press) -> Vec<Case> {
    let of = |manifests| Head { manifests, ..p.head() };
    let two = exits(vec![Digest([1; 32]), Digest([2; 32])]);
    let one = exits(vec![Digest([1; 32])]);
    let beyond = Manifest { hop: 1, ..two.clone() };
    let other = exits(vec![Digest([1; 32]), Digest([3; 32])]);
    let mix = &p.town.mix;
    let of_round = |round| Manifest { batch: BatchId { round: Round(round), part: 0 }, ..two.clone() };
    let aged = |path, expect, note, round| {
        p.case(path, expect, "EDN-16", note, &of(vec![p.manifest(&of_round(round), mix)]))
    };
    vec![
        p.case(
            "edn-05-signer",
            "manifest",
            "EDN-05",
            "a mix's manifest signed by the press",
            &of(vec![p.manifest(&two, &p.town.press)]),
        ),
        p.case(
            "edn-05-hop",
            "manifest",
            "EDN-05",
            "a hop that is not there",
            &of(vec![p.manifest(&beyond, mix)]),
        ),
        p.case(
            "edn-05-outputs",
            "manifest",
            "EDN-05",
            "the exit names one drop",
            &of(vec![p.manifest(&one, mix)]),
        ),
        p.case(
            "edn-10-two",
            "manifest twice",
            "EDN-10",
            "two drops for one round",
            &of(vec![p.manifest(&two, mix), p.manifest(&other, mix)]),
        ),
        aged("edn-16-oldest", "success", "a manifest of the 96th round before", 204)
            .with("digest", Digest::of(&p.served(&of(vec![p.manifest(&of_round(204), mix)])))),
        aged("edn-16-old", "manifest round", "a manifest of the 97th round before", 203),
        aged("edn-16-own", "manifest round", "a manifest of the head's own round", 300),
    ]
}

/// Manifests in a network of two mixes.
fn of_two(p: &Press) -> Vec<Case> {
    let of = |manifests| Head { manifests, ..p.head() };
    let reader = vec![0x56; READER_SLOT];
    let drops = exits(vec![Digest([1; 32]), Digest::of(&reader)]);
    let part = |part| {
        let batch = BatchId { round: Round(298), part };
        p.manifest(&Manifest { batch, ..exits(vec![Digest([1; 32])]) }, &p.town.first)
    };
    let exit = Manifest { hop: 1, ..drops.clone() };
    let parts = of(vec![part(0), part(1), p.manifest(&exit, &p.town.mix)]);
    let second = Manifest { batch: BatchId { round: Round(298), part: 1 }, ..exit };
    vec![
        p.case(
            "edn-10-parts",
            "success",
            "EDN-10",
            "two parts of one round, and the exit's drops of it",
            &parts,
        )
        .with("digest", Digest::of(&p.served(&parts))),
        p.case(
            "edn-05-part",
            "manifest",
            "EDN-05",
            "a second part of the exit",
            &of(vec![p.manifest(&second, &p.town.mix)]),
        ),
        p.case(
            "edn-07-first-mix",
            "drop",
            "EDN-07",
            "a drop that the first mix names, not the exit",
            &of(vec![p.manifest(&drops, &p.town.first)]),
        )
        .hex("reader-drop", reader),
    ]
}

/// From round 168 on another is the exit: each signs for its own rounds.
fn signers() -> Vec<Case> {
    let mut town = Town::new();
    let (name, key) = ("Next".into(), town.first.public());
    town.roster.operators.push(Operator { role: Role::Mix(0), name, key, since: Round(168) });
    let p = Press { town };
    let of = |round, by: &IdentitySecret| {
        let batch = BatchId { round: Round(round), part: 0 };
        p.manifest(&Manifest { batch, ..exits(vec![Digest([1; 32]), Digest([2; 32])]) }, by)
    };
    let (before, next) = (&p.town.mix, &p.town.first);
    // Of a round soon after it, since old manifests stand in no head (EDN-16).
    let round = Round(200);
    let both = Head { round, manifests: vec![of(167, before), of(168, next)], ..p.head() };
    let refused = |path: &str, note: &str, manifest| {
        p.case(path, "manifest", "EDN-05", note, &Head { manifests: vec![manifest], ..p.head() })
    };
    vec![
        Case::new(
            "edition/edn-05-took-over",
            "success",
            "EDN-05",
            "the last round of one exit, and the first of the next",
        )
        .hex("network", p.town.network().0)
        .hex("directory", p.town.bare())
        .with("asked", round)
        .with("now", round)
        .with("previous", both.previous)
        .hex("head", p.served(&both))
        .with("digest", Digest::of(&p.served(&both))),
        refused("edn-05-gone", "a batch of the next exit's first round, by the one before", of(168, before)),
        refused("edn-05-early", "a batch of the last round before, by the next exit", of(167, next)),
    ]
}

fn drops(p: &Press) -> Vec<Case> {
    let (desk, reader) = (vec![0x55; 7_008 + 2 * PASS], vec![0x56; READER_SLOT]);
    let good = p.with_drops(&desk, &reader);
    let short = p.with_drops(&desk[1..], &reader[1..]);
    let mut bent = reader.clone();
    bent[9] ^= 1;
    vec![
        p.case("reader-drop", "success", "EDN-07", "the drop that the head names", &good)
            .hex("reader-drop", &reader),
        p.case("desk-drop", "success", "EDN-07", "the drop that the head names", &good)
            .hex("desk-drop", &desk),
        p.case("edn-07-bit", "drop", "EDN-07", "one bit flipped", &good).hex("reader-drop", bent),
        p.case("edn-07-other", "drop", "EDN-07", "the reader drop in place of the desk drop", &good)
            .hex("desk-drop", &reader),
        p.case("edn-07-short", "drop", "EDN-07", "named, but a byte short", &short)
            .hex("reader-drop", &reader[1..]),
    ]
}

/// Heads of a network of two mixes, with keys of the first.
fn round_keys(p: &Press) -> Vec<Case> {
    let key = |at: usize, from: u32, until: u32| p.town.mix_key(0, at, from, until, &p.town.first);
    let of = |round_keys| Head { round_keys, ..p.head() };
    let odd = {
        let mut town = Town::of_two();
        town.keys[0][..3].fill(0xff);
        town.mix_key(0, 0, 300, 300, &town.first)
    };
    let by_exit = p.town.mix_key(0, 0, 300, 300, &p.town.mix);
    let exits = p.town.mix_key(1, 0, 168, 335, &p.town.mix);
    let case = |path: &str, expect: &str, note: &str, keys| p.case(path, expect, "EDN-12", note, &of(keys));
    vec![
        case(
            "round-keys",
            "success",
            "this round's key and the furthest",
            vec![key(0, 300, 300), key(1, 312, 312)],
        )
        .with("digest", Digest::of(&p.served(&of(vec![key(0, 300, 300), key(1, 312, 312)])))),
        case("edn-12-signer", "round key", "signed by the exit", vec![by_exit]),
        case("edn-12-hop", "round key", "the exit's key", vec![exits]),
        case("edn-12-past", "round key", "a round that is over", vec![key(0, 299, 299)]),
        case("edn-12-far", "round key", "further ahead than keys are published", vec![key(0, 313, 313)]),
        case("edn-12-long", "round key", "a key for two rounds", vec![key(0, 300, 301)]),
        case("edn-12-order", "round key", "backwards", vec![key(0, 301, 301), key(1, 300, 300)]),
        case("edn-12-form", "round key", "a key with a number that ML-KEM does not allow", vec![odd]),
        case("edn-12-twice", "round key", "one key for two rounds", vec![key(0, 300, 300), key(0, 301, 301)]),
    ]
}
