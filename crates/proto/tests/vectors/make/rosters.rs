//! `directory/`: the bounds of what a directory may say, each at it and beyond it, and whose signature counts when.

use proto::decoy::Decoys;
use proto::directory::{DeskEntry, IntakeKey, Operator, Parameters, Role, Roster};
use proto::hold::Hold;
use proto::sign::{IdentitySecret, Unverified};
use proto::{Digest, Millis, Round, codec};

use super::directory::{Town, vault_key};
use crate::case::Case;

/// What is changed of something good: the vector's name, what it is, and how it is made.
type Bend<T> = (&'static str, &'static str, fn(&mut T));

pub(super) fn cases() -> Vec<Case> {
    let mut cases = parameters();
    cases.extend(operators());
    cases.extend(signers());
    cases.extend(names());
    cases.extend(keys());
    cases.extend(sizes());
    cases.extend(keeps());
    cases.push(choice());
    cases
}

fn case(path: &str, expect: &str, check: &str, note: &str, bytes: &[u8]) -> Case {
    Case::new(&format!("directory/{path}"), expect, check, note)
        .hex("network", Town::new().network().0)
        .hex("directory", bytes)
}

fn good(path: &str, check: &str, note: &str, bytes: &[u8]) -> Case {
    case(path, "success", check, note, bytes).with("digest", Digest::of(bytes))
}

fn operator(role: Role, name: &str, seed: [u8; 32], since: u32) -> Operator {
    let key = IdentitySecret::from_seed(&seed).public();
    Operator { role, name: name.into(), key, since: Round(since) }
}

fn mixes(roster: &mut Roster, mixes: u8) {
    roster.parameters.mixes = mixes;
    // The one that is there is the first.
    roster.operators.extend((1..mixes).map(|hop| operator(Role::Mix(hop), "Mix", [0xc0 + hop; 32], 0)));
}

fn witnesses(roster: &mut Roster, count: u8, since: u32) {
    let all = (0..count).map(|n| operator(Role::Witness, "Witness", [n; 32], since));
    roster.operators.extend(all);
}

fn no_witness(roster: &mut Roster) {
    roster.operators.retain(|o| o.role != Role::Witness);
    roster.parameters.quorum = 0;
}

fn parameters() -> Vec<Case> {
    const BEYOND: [Bend<Parameters>; 7] = [
        ("round-long", "a round of a day and a ms", |p| p.schedule.round_ms = 86_400_001),
        ("slots-many", "4,097 desk slots", |p| p.desk_slots = 4_097),
        ("reader-slots", "no reader slot", |p| p.reader_slots = 0),
        ("reader-slots-many", "4,097 reader slots", |p| p.reader_slots = 4_097),
        ("desks-many", "places for 641 desks", |p| p.desks = 641),
        ("no-mix", "no mix", |p| p.mixes = 0),
        ("n-max-one", "n_max 2 below n_min 3", |p| (p.n_min, p.n_max) = (3, 2)),
    ];
    const ROSTERS: [Bend<Roster>; 6] = [
        ("quorum-to-come", "three of six witnesses, of which two are to come", |r| witnesses(r, 2, 1_000)),
        ("quorum-nobody", "a quorum of one, and no witness", |r| {
            no_witness(r);
            r.parameters.quorum = 1;
        }),
        ("no-demonstration", "no witness, and no demonstration", |r| {
            no_witness(r);
            r.demonstration = false;
        }),
        ("witnesses", "65 witnesses", |r| {
            no_witness(r);
            witnesses(r, 65, 0);
            r.parameters.quorum = 65;
        }),
        ("decoys-of-two", "two mixes with one decoy on average, and one desk slot", |r| {
            mixes(r, 2);
            r.parameters.decoys = Decoys { mu: 1, b: 0 };
        }),
        ("mixes-five", "five mixes, all of them named", |r| mixes(r, 5)),
    ];
    let mut cases: Vec<_> = BEYOND
        .iter()
        .map(|(name, note, bend)| (*name, *note, Town::with_roster(|r| bend(&mut r.parameters))))
        .chain(ROSTERS.iter().map(|(name, note, bend)| (*name, *note, Town::with_roster(bend))))
        .map(|(name, note, bytes)| case(&format!("dir-03-{name}"), "parameters", "DIR-03", note, &bytes))
        .collect();
    let most = Town::with_roster(|r| {
        mixes(r, 4);
        no_witness(r);
        witnesses(r, 64, 0);
        let p = &mut r.parameters;
        (p.schedule.round_ms, p.schedule.genesis) = (86_400_000, Millis(253_402_300_800_000));
        (p.n_min, p.n_max, p.quorum) = (u32::MAX, u32::MAX, 64);
        (p.desk_slots, p.reader_slots, p.desks, p.hold) = (4_096, 4_096, 640, Hold(1));
    });
    let least = Town::with_roster(|r| {
        no_witness(r);
        let p = &mut r.parameters;
        (p.schedule.round_ms, p.schedule.genesis) = (500, Millis(0));
        (p.n_min, p.n_max, p.desks, p.hold) = (2, 2, 1, Hold(1_000));
    });
    let decoys = Town::with_roster(|r| {
        mixes(r, 3);
        (r.parameters.desk_slots, r.parameters.decoys) = (8, Decoys { mu: 2, b: 1 });
    });
    // Three desks, and the roster has places for two.
    let t = Town::new();
    let desks = (0..3).map(|n| listed(&t, &IdentitySecret::from_seed(&[n; 32]), &n.to_string())).collect();
    cases.extend([
        good("most", "DIR-03", "every number at its highest, 64 witnesses", &most),
        good("least", "DIR-03", "every number at its lowest, no witness", &least),
        good(
            "decoys",
            "DIR-03",
            "three mixes, each with two decoys on average, and eight desk slots",
            &decoys,
        ),
        case(
            "dir-03-desks-listed",
            "parameters",
            "DIR-03",
            "three desks, two places",
            &t.assembled(vec![], desks),
        ),
    ]);
    cases
}

fn operators() -> Vec<Case> {
    const FAULTS: [Bend<Roster>; 7] = [
        ("no-edge", "no edge", |r| drop(r.operators.remove(1))),
        ("no-mix", "no mix", |r| drop(r.operators.remove(2))),
        ("three", "three presses", |r| {
            r.operators.push(operator(Role::Press, "Next", [1; 32], 100));
            r.operators.push(operator(Role::Press, "Last", [2; 32], 200));
        }),
        ("equal", "two edges from the same round on", |r| {
            r.operators.push(operator(Role::Edge, "Next", [1; 32], 0));
        }),
        ("gap", "both presses begin after the roster", |r| {
            r.operators[0].since = Round(100);
            r.operators.push(operator(Role::Press, "Next", [1; 32], 200));
        }),
        ("within-week", "the second of two mixes takes over within a week", |r| {
            mixes(r, 2);
            r.operators.push(operator(Role::Mix(1), "Next", [1; 32], 100));
        }),
        ("within-day", "the second of three mixes takes over within a day", |r| {
            mixes(r, 3);
            r.operators.push(operator(Role::Mix(1), "Next", [1; 32], 30));
        }),
    ];
    let mut cases: Vec<_> = FAULTS
        .iter()
        .map(|(name, note, bend)| {
            case(&format!("dir-04-{name}"), "operators", "DIR-04", note, &Town::with_roster(bend))
        })
        .collect();
    let take_over = Town::with_roster(|r| {
        mixes(r, 3);
        r.operators.push(operator(Role::Press, "Next", [1; 32], 7));
        r.operators.push(operator(Role::Edge, "Next", [2; 32], 7));
        r.operators.push(operator(Role::Mix(0), "Next", [3; 32], 7));
        r.operators.push(operator(Role::Mix(1), "Next", [4; 32], 48));
        r.operators.push(operator(Role::Mix(2), "Next", [5; 32], 336));
    });
    cases.push(good(
        "next-of-each",
        "DIR-04",
        "three mixes, and a second one of each, each with the first round of a key",
        &take_over,
    ));
    cases
}

/// From round 168 on another is the exit.
fn signers() -> Vec<Case> {
    let mut t = Town::new();
    t.roster.operators.push(operator(Role::Mix(0), "Next", *t.first.to_seed(), 168));
    let key = |from, by: &IdentitySecret| t.mix_key(0, 0, from, from + 167, by);
    let refused =
        |path: &str, note: &str, key| case(path, "mix key", "DIR-05", note, &t.assembled(vec![key], vec![]));
    let both =
        t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.mix), t.mix_key(0, 1, 168, 335, &t.first)], vec![]);
    vec![
        good("took-over", "DIR-05", "the last key of one exit, and the first of the next", &both),
        refused("dir-05-gone", "a key of the next exit's first week, by the one before", key(168, &t.mix)),
        refused("dir-05-early", "a key of the last week before, by the next exit", key(0, &t.first)),
    ]
}

/// A desk without a key.
fn listed(t: &Town, desk: &IdentitySecret, name: &str) -> DeskEntry {
    t.desk(&t.card_of(desk, name, ""), &t.newsroom, None)
}

fn names() -> Vec<Case> {
    let t = Town::new();
    let other = IdentitySecret::from_seed(&[7; 32]);
    let two = |one: &str, another: &str| {
        t.assembled(vec![], vec![listed(&t, &t.desk, one), listed(&t, &other, another)])
    };
    let desks = |path: &str, note: &str, one: &str, another: &str| {
        case(&format!("dir-09-{path}"), "name", "DIR-09", note, &two(one, another))
    };
    let newsrooms = |path: &str, note: &str, name: &'static str| {
        let bytes = Town::with_roster(|r| r.operators.push(operator(Role::Newsroom, name, [7; 32], 0)));
        case(&format!("dir-09-{path}"), "name", "DIR-09", note, &bytes)
    };
    let about = |path: &str, note: &str, about: &str| {
        let bytes = t.assembled(vec![], vec![t.desk(&t.card("Tips", about), &t.newsroom, None)]);
        case(&format!("dir-09-{path}"), "name", "DIR-09", note, &bytes)
    };
    let with_desk = |path: &str, note: &str, bytes: &[u8]| {
        good(path, "DIR-09", note, bytes).with("desk", t.card("", "").id())
    };
    let longest = t.card(&"\u{e9}".repeat(40), &"\u{e9}".repeat(250));
    let roster_name = Town::with_roster(|r| r.name = "\u{a0}\u{2003}".into());
    let operator_name = Town::with_roster(|r| r.operators[1].name = "x".repeat(81));
    vec![
        desks("desks", "two desks of one name", "Tips", "Tips"),
        desks("desks-case", "two desks whose names differ in case", "T\u{dc}PS", "t\u{fc}ps"),
        desks("desks-blanks", "two desks whose names differ in white space", "Big  tips ", " Big\u{a0}tips"),
        desks(
            "desks-unseen",
            "two desks whose names differ in what is not seen",
            "Ti\u{200b}ps",
            "Tips\u{ad}\u{fe0f}",
        ),
        newsrooms(
            "newsrooms",
            "two newsrooms of one name, but for case and what is not seen",
            "the\u{2060} herald",
        ),
        about("about-line", "a line break in what is said about a desk", "Read by\ntwo"),
        about("about-turned", "a mark that turns the direction of writing", "Read by \u{2067}two"),
        about("about-bytes", "502 bytes about a desk, in 251 letters", &"\u{e9}".repeat(251)),
        case(
            "dir-09-bytes",
            "name",
            "DIR-09",
            "a name of 82 bytes, in 41 letters",
            &t.assembled(vec![], vec![listed(&t, &t.desk, &"\u{e9}".repeat(41))]),
        ),
        case("dir-09-network", "name", "DIR-09", "a network whose name is white space", &roster_name),
        case("dir-09-edge", "name", "DIR-09", "an edge's name of 81 bytes", &operator_name),
        with_desk(
            "blank-within",
            "names that differ in a blank between letters",
            &two("Big tips", "Bigtips"),
        ),
        with_desk(
            "longest",
            "a name of 80 bytes, and 500 about the desk",
            &t.assembled(vec![], vec![t.desk(&longest, &t.newsroom, None)]),
        ),
    ]
}

fn keys() -> Vec<Case> {
    let t = Town::new();
    let other = IdentitySecret::from_seed(&[7; 32]);
    let entry = |desk: &IdentitySecret, name: &str, keys: &[(usize, u32, u32)]| {
        let sign = |&(key, from, until): &(usize, u32, u32)| {
            let key = IntakeKey { key: t.keys[key].clone(), from: Round(from), until: Round(until) };
            Unverified::sign(&key, &t.network(), &vault_key(desk))
        };
        DeskEntry { keys: keys.iter().map(sign).collect(), ..listed(&t, desk, name) }
    };
    let with = |keys: &[(usize, u32, u32)]| t.assembled(vec![], vec![entry(&t.desk, "Tips", keys)]);
    let mix = |from, until| t.assembled(vec![t.mix_key(0, 0, from, until, &t.mix)], vec![]);
    let twice = t.assembled(
        vec![],
        vec![entry(&t.desk, "Tips", &[(1, 0, 167)]), entry(&other, "Other", &[(1, 0, 167)])],
    );
    let day = {
        let mut t = Town::new();
        mixes(&mut t.roster, 3);
        let by = IdentitySecret::from_seed(&[0xc1; 32]);
        t.assembled(vec![t.mix_key(1, 0, 24, 47, &by), t.mix_key(1, 1, 48, 71, &by)], vec![])
    };
    let mut odd = Town::new();
    odd.keys[1][..3].fill(0xff);
    let signer = vault_key(&odd.desk);
    let odd = odd.assembled(vec![], vec![odd.desk(&odd.card("Tips", ""), &odd.newsroom, Some(&signer))]);
    vec![
        case("dir-08-two-desks", "key twice", "DIR-08", "two desks with one key", &twice),
        case(
            "dir-08-two-weeks",
            "key twice",
            "DIR-08",
            "a desk with one key for two weeks",
            &with(&[(1, 0, 167), (1, 168, 335)]),
        ),
        case("dir-10-desk", "key", "DIR-10", "a desk's key with a number that ML-KEM does not allow", &odd),
        case(
            "key-01-shifted",
            "key",
            "KEY-01",
            "an exit's key of 168 rounds that begins within a week",
            &mix(1, 168),
        ),
        case("key-01-day", "key", "KEY-01", "an exit's key of a day", &mix(0, 23)),
        case(
            "key-01-desk-shifted",
            "key",
            "KEY-01",
            "a desk's key of 168 rounds that begins within a week",
            &with(&[(1, 24, 191)]),
        ),
        case("key-01-desk-long", "key", "KEY-01", "a desk's key of two weeks", &with(&[(1, 0, 335)])),
        case(
            "key-01-desk-backwards",
            "key",
            "KEY-01",
            "a desk's key from round 168 until round 167",
            &with(&[(1, 168, 167)]),
        ),
        good("days", "KEY-01", "two days' keys of the second of three mixes", &day),
    ]
}

/// Whether a directory of other sizes may follow, in the edition of round 9.
fn sizes() -> Vec<Case> {
    let with = |bend: &dyn Fn(&mut Roster)| {
        let mut town = Town::new();
        bend(&mut town.roster);
        town
    };
    let follows = |path: &str, expect: &str, note: &str, before: &Town, bend: &dyn Fn(&mut Roster)| {
        let after = Town::with_roster(|r| {
            *r = before.roster.clone();
            r.number += 1;
            bend(r);
        });
        Case::new(&format!("directory/dir-15-{path}"), expect, "DIR-15", note)
            .hex("network", before.network().0)
            .hex("before", before.bare())
            .hex("directory", after)
            .with("at", 9)
    };
    let no = "other sizes";
    let plain = with(&|_| ());
    // What a batch holds at most are n_max and twice mu.
    let decoys = with(&|r| r.parameters.decoys = Decoys { mu: 5, b: 1 });
    // A second hop that both have: of two mixes one is left out.
    let two = with(&|r| mixes(r, 2));
    vec![
        follows("reader-slots", no, "one slot more in each reader drop", &plain, &|r| {
            r.parameters.reader_slots += 1;
        }),
        follows("desks", no, "a place for one desk more", &plain, &|r| r.parameters.desks += 1),
        follows("genesis", no, "round 0 begins a ms later", &plain, &|r| {
            r.parameters.schedule.genesis.0 += 1;
        }),
        follows("mixes", no, "one mix less", &two, &|r| {
            r.parameters.mixes = 1;
            r.operators.retain(|o| o.role != Role::Mix(1));
        }),
        follows("fewer-decoys", no, "a batch holds two less, since mu is one less", &decoys, &|r| {
            r.parameters.decoys.mu -= 1;
        }),
        follows("decoys", "success", "n_max is ten less, and mu five more", &decoys, &|r| {
            r.parameters.n_max -= 10;
            r.parameters.decoys.mu += 5;
        }),
        follows("others", "success", "n_min, hold and the spread of decoys are others", &decoys, &|r| {
            (r.parameters.n_min, r.parameters.hold, r.parameters.decoys.b) = (50, Hold(500), 3);
        }),
    ]
}

/// A desk's key with other rounds is another.
fn keeps() -> Vec<Case> {
    let t = Town::new();
    let with = |key: usize, from: u32| {
        let key = IntakeKey { key: t.keys[key].clone(), from: Round(from), until: Round(from + 167) };
        let entry = DeskEntry {
            keys: vec![Unverified::sign(&key, &t.network(), &vault_key(&t.desk))],
            ..t.desk(&t.card("Tips", ""), &t.newsroom, None)
        };
        t.assembled(vec![], vec![entry])
    };
    let keeps = |path: &str, note: &str, bytes: &[u8]| {
        Case::new(&format!("directory/dir-16-{path}"), "key left out", "DIR-16", note)
            .hex("network", t.network().0)
            .hex("before", with(1, 0))
            .hex("directory", bytes)
            .with("at", 167)
    };
    vec![
        keeps("rounds", "a desk with the key that it had, for another week", &with(1, 168)),
        keeps("other", "a desk with another key for the same week", &with(2, 0)),
    ]
}

/// An operator of a role that there is not, signed by the root.
fn choice() -> Case {
    let t = Town::new();
    let roster = codec::encode(&t.roster);
    // The newsroom: a record of a choice that carries nothing, and its name.
    let newsroom = [0x84, 0x82, 0x03, 0x80, 0x6a];
    let at = roster.windows(newsroom.len()).position(|bytes| bytes == newsroom).expect("the newsroom");
    let mut bent = roster;
    bent[at + 2] = 5;
    let signature = t.root.sign::<Roster>(&bent);
    let parts = [
        vec![0x85],
        codec::encode(&t.root.public()),
        vec![0x59],
        (bent.len() as u16).to_be_bytes().to_vec(),
        bent,
        codec::encode(&signature),
        vec![0x80, 0x80],
    ];
    case("dir-12-choice", "malformed", "DIR-12", "an operator of role 5, signed by the root", &parts.concat())
}
