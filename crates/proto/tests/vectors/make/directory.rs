//! `directory/`: directories as they are served.

use minicbor::bytes::ByteVec;
use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, IntakeKey, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory,
};
use proto::hold::Hold;
use proto::seal::{SealPublic, SealSecret};
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{Digest, Millis, NetworkId, Round, Schedule, codec};

use super::Draw;
use crate::case::Case;

/// The vault key of a desk: in the vectors it hangs on the desk's identity, so that who makes one needs no second seed.
pub(super) fn vault_key(desk: &IdentitySecret) -> IdentitySecret {
    IdentitySecret::from_seed(&desk.to_seed().map(|byte| !byte))
}

/// Everybody in a network of one mix, or of two.
pub(super) struct Town {
    pub(super) root: RootSecret,
    pub(super) press: IdentitySecret,
    pub(super) mix: IdentitySecret,
    pub(super) first: IdentitySecret,
    pub(super) witnesses: [IdentitySecret; 4],
    pub(super) newsroom: IdentitySecret,
    pub(super) desk: IdentitySecret,
    pub(super) keys: [ByteVec; 3],
    pub(super) roster: Roster,
}

impl Town {
    /// Two mixes: the press's neighbour is the first, and `mix` the exit.
    pub(super) fn of_two() -> Self {
        let mut town = Self::new();
        town.roster.parameters.mixes = 2;
        town.roster.operators[2].role = Role::Mix(1);
        let (name, key) = ("First".into(), town.first.public());
        town.roster.operators.push(Operator { role: Role::Mix(0), name, key, since: Round(0) });
        town
    }

    pub(super) fn new() -> Self {
        let mut draw = Draw::new("directory");
        let root = RootSecret::generate(&mut draw);
        let [press, edge, mix, newsroom, desk, first] =
            [(); 6].map(|()| IdentitySecret::from_seed(&draw.bytes32()));
        let keys = [(); 3].map(|()| SealSecret::from_seed(&draw.bytes32()).public().to_bytes().into());
        let witnesses = [(); 4].map(|()| IdentitySecret::from_seed(&draw.bytes32()));
        let operator = |role, name: &str, who: &IdentitySecret| Operator {
            role,
            name: name.into(),
            key: who.public(),
            since: Round(0),
        };
        let mut roster = Roster {
            number: 3,
            from: Round(0),
            until: Round(8_760),
            name: "Vectors".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(1_790_000_000_000), round_ms: 3_600_000 },
                mixes: 1,
                n_min: 2,
                n_max: 100,
                desk_slots: 1,
                reader_slots: 1,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 3,
                desks: 2,
            },
            operators: vec![
                operator(Role::Press, "Press", &press),
                operator(Role::Edge, "Edge", &edge),
                operator(Role::Mix(0), "Mix", &mix),
                operator(Role::Newsroom, "The Herald", &newsroom),
            ],
        };
        roster.operators.extend(witnesses.iter().map(|w| operator(Role::Witness, "Witness", w)));
        Self { root, press, mix, first, witnesses, newsroom, desk, keys, roster }
    }

    pub(super) fn network(&self) -> NetworkId {
        self.root.public().network()
    }

    /// The bytes of a directory without keys and desks: all that a head needs.
    pub(super) fn bare(&self) -> Vec<u8> {
        UnverifiedDirectory::assemble(&self.root, &self.roster, vec![], vec![]).to_bytes()
    }

    pub(super) fn mix_key(
        &self,
        hop: u8,
        key: usize,
        from: u32,
        until: u32,
        by: &IdentitySecret,
    ) -> Unverified<MixKey> {
        let key = MixKey { hop, key: self.keys[key].clone(), from: Round(from), until: Round(until) };
        Unverified::sign(&key, &self.network(), by)
    }

    pub(super) fn card(&self, name: &str, about: &str) -> DeskCard {
        self.card_of(&self.desk, name, about)
    }

    /// A card of another desk.
    pub(super) fn card_of(&self, desk: &IdentitySecret, name: &str, about: &str) -> DeskCard {
        let (name, about) = (name.into(), about.into());
        DeskCard { desk: desk.public(), vault_key: vault_key(desk).public(), name, about, since: Round(0) }
    }

    pub(super) fn desk(
        &self,
        card: &DeskCard,
        newsroom: &IdentitySecret,
        key: Option<&IdentitySecret>,
    ) -> DeskEntry {
        let intake = IntakeKey { key: self.keys[1].clone(), from: Round(0), until: Round(167) };
        DeskEntry {
            newsroom: newsroom.public(),
            card: Unverified::sign(card, &self.network(), newsroom),
            keys: key.iter().map(|by| Unverified::sign(&intake, &self.network(), by)).collect(),
        }
    }

    pub(super) fn assembled(&self, keys: Vec<Unverified<MixKey>>, desks: Vec<DeskEntry>) -> Vec<u8> {
        UnverifiedDirectory::assemble(&self.root, &self.roster, keys, desks).to_bytes()
    }

    pub(super) fn with_roster(bend: impl Fn(&mut Roster)) -> Vec<u8> {
        let mut town = Self::new();
        bend(&mut town.roster);
        town.bare()
    }
}

/// A fault: its name, what it is, and how it is made.
type Bend<T> = (&'static str, &'static str, fn(&mut T));

/// Directories without keys and desks, the keys that others hold, the root, and its signatures under the roster.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    let t = Town::new();
    let signature = t.root.sign::<Roster>(&codec::encode(&t.roster));
    let [first, second, third] = t.keys.clone().map(Vec::from);
    vec![
        ("bare", t.bare()),
        ("bare-of-two", Town::of_two().bare()),
        ("key-0", first),
        ("key-1", second),
        ("key-2", third),
        ("two-newsrooms", Two::new().before()),
        ("root", codec::encode(&t.root.public())),
        ("root-signature", codec::encode(&signature)),
    ]
}

pub(super) fn cases() -> Vec<Case> {
    let t = Town::new();
    let case = |path: &str, expect: &str, check: &str, note: &str, bytes: &[u8]| {
        Case::new(&format!("directory/{path}"), expect, check, note)
            .hex("network", t.network().0)
            .hex("directory", bytes)
    };
    let mut cases = vec![whole(&t)];
    let elsewhere =
        Case::new("directory/dir-01-network", "other network", "DIR-01", "another network is pinned")
            .hex("network", [0x12; 32])
            .hex("directory", t.bare());
    cases.push(elsewhere);

    let mut bent = t.bare();
    let name = bent.windows(7).position(|w| w == b"Vectors").expect("the network's name");
    bent[name] ^= 1;
    cases.push(case("dir-02-roster", "roster signature", "DIR-02", "one bit of the roster flipped", &bent));
    let signature = t.root.sign::<Roster>(&codec::encode(&t.roster));
    for (name, part) in [("ed25519", signature.ed25519.as_slice()), ("ml-dsa", signature.ml_dsa.as_slice())] {
        let mut bent = t.bare();
        let at = bent.windows(part.len()).position(|w| w == part).expect("the signature");
        bent[at + 40] ^= 1;
        let note = "one bit of a signature flipped";
        cases.push(case(&format!("dir-02-{name}"), "roster signature", "DIR-02", note, &bent));
    }

    let parameters: [Bend<Parameters>; 13] = [
        ("mixes", "five mixes", |p| p.mixes = 5),
        ("n-min", "n_min 1", |p| p.n_min = 1),
        ("n-max", "n_max below n_min", |p| p.n_max = 1),
        ("round", "a round of 499 ms", |p| p.schedule.round_ms = 499),
        ("genesis", "genesis after the year 10000", |p| p.schedule.genesis = Millis(253_402_300_800_001)),
        ("slots", "no desk slot", |p| p.desk_slots = 0),
        ("quorum", "two of four witnesses", |p| p.quorum = 2),
        ("quorum-none", "none of four witnesses", |p| p.quorum = 0),
        ("quorum-five", "five of four witnesses", |p| p.quorum = 5),
        ("decoys", "three mixes, each with two decoys on average, and seven desk slots", |p| {
            (p.mixes, p.desk_slots, p.decoys) = (3, 7, Decoys { mu: 2, b: 1 });
        }),
        ("desks", "no place for a desk", |p| p.desks = 0),
        ("hold-never", "nothing is ever let go", |p| p.hold = Hold(0)),
        ("hold", "a probability above one", |p| p.hold = Hold(1_001)),
    ];
    for (name, note, bend) in parameters {
        let bytes = Town::with_roster(|r| bend(&mut r.parameters));
        cases.push(case(&format!("dir-03-{name}"), "parameters", "DIR-03", note, &bytes));
    }
    let operators: [Bend<Roster>; 6] = [
        ("no-press", "no press", |r| drop(r.operators.remove(0))),
        ("late", "an edge that takes effect after the roster", |r| r.operators[1].since = Round(1)),
        ("over", "a roster that is over before it begins", |r| {
            (r.from, r.until) = (Round(9), Round(8));
        }),
        ("hop", "a mix beyond the last hop", |r| r.operators[3].role = Role::Mix(1)),
        ("within", "a mix that begins within the rounds of a key", |r| {
            (r.from, r.operators[2].since) = (Round(200), Round(100));
        }),
        ("twice", "one identity in two roles", |r| r.operators[3].key = r.operators[0].key),
    ];
    for (name, note, bend) in operators {
        cases.push(case(&format!("dir-04-{name}"), "operators", "DIR-04", note, &Town::with_roster(bend)));
    }

    let bytes = t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.press)], vec![]);
    cases.push(case("dir-05-signer", "mix key", "DIR-05", "a mix's key signed by the press", &bytes));
    let bytes = t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.desk)], vec![]);
    cases.push(case("dir-05-desk", "mix key", "DIR-05", "a desk's key offered as a mix's", &bytes));
    let bytes = t.assembled(vec![t.mix_key(1, 0, 0, 167, &t.mix)], vec![]);
    cases.push(case("dir-05-hop", "mix key", "DIR-05", "a key for a hop that is not there", &bytes));
    let two = Town::of_two();
    let bytes = two.assembled(vec![two.mix_key(0, 0, 9, 9, &two.first)], vec![]);
    cases.push(case(
        "dir-05-round",
        "mix key",
        "DIR-05",
        "a key of one round, which stands in heads",
        &bytes,
    ));

    let card = t.card("Tips", "Read by two people.");
    let bytes = t.assembled(vec![], vec![t.desk(&card, &t.press, None)]);
    cases.push(case("dir-06-press", "desk card", "DIR-06", "a desk named by the press", &bytes));
    let stolen = DeskEntry { newsroom: t.newsroom.public(), ..t.desk(&card, &t.desk, None) };
    let bytes = t.assembled(vec![], vec![stolen]);
    cases.push(case("dir-06-signer", "desk card", "DIR-06", "a card that the newsroom did not sign", &bytes));
    let bytes = t.assembled(vec![], vec![t.desk(&card, &t.newsroom, Some(&t.newsroom))]);
    cases.push(case("dir-07-signer", "intake key", "DIR-07", "a desk's key signed by its newsroom", &bytes));
    let bytes = t.assembled(vec![], vec![t.desk(&card, &t.newsroom, Some(&t.desk))]);
    cases.push(case(
        "dir-07-identity",
        "intake key",
        "DIR-07",
        "a desk's key signed by its identity",
        &bytes,
    ));

    let signer = vault_key(&t.desk);
    let bytes =
        t.assembled(vec![t.mix_key(0, 1, 0, 167, &t.mix)], vec![t.desk(&card, &t.newsroom, Some(&signer))]);
    cases.push(case(
        "dir-08-mix-and-desk",
        "key twice",
        "DIR-08",
        "a desk's key that is a mix's too",
        &bytes,
    ));
    let bytes = t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.mix), t.mix_key(0, 1, 0, 167, &t.mix)], vec![]);
    cases.push(case("dir-08-mix-period", "key twice", "DIR-08", "two keys of a mix for one week", &bytes));
    let intake = |key: usize| IntakeKey { key: t.keys[key].clone(), from: Round(0), until: Round(167) };
    let keys = [0, 1].map(|key| Unverified::sign(&intake(key), &t.network(), &signer));
    let two = DeskEntry { keys: keys.into(), ..t.desk(&card, &t.newsroom, None) };
    let bytes = t.assembled(vec![], vec![two]);
    cases.push(case("dir-08-desk-period", "key twice", "DIR-08", "two keys of a desk for one week", &bytes));
    cases.extend(vault_keys(&t));

    for (name, title, note) in [
        ("blank", " ", "a blank name"),
        ("long", &*"x".repeat(81), "a name of 81 bytes"),
        ("line", "Tips\nmore", "a name with a line break"),
        ("turned", "Tips\u{202e}more", "a name that turns the direction of writing"),
    ] {
        let bytes = t.assembled(vec![], vec![t.desk(&t.card(title, ""), &t.newsroom, None)]);
        cases.push(case(&format!("dir-09-{name}"), "name", "DIR-09", note, &bytes));
    }
    let bytes = t.assembled(vec![], vec![t.desk(&t.card("Tips", &"x".repeat(501)), &t.newsroom, None)]);
    cases.push(case("dir-09-about", "name", "DIR-09", "501 bytes about a desk", &bytes));
    let other = DeskCard { vault_key: t.first.public(), ..t.card("Other", "") };
    let twice = vec![t.desk(&card, &t.newsroom, None), t.desk(&other, &t.newsroom, None)];
    cases.push(case(
        "dir-09-twice",
        "name",
        "DIR-09",
        "one identity, two desks",
        &t.assembled(vec![], twice),
    ));
    let card = DeskCard { desk: t.mix.public(), ..card };
    let bytes = t.assembled(vec![], vec![t.desk(&card, &t.newsroom, None)]);
    cases.push(case("dir-09-operator", "name", "DIR-09", "a desk that is a mix", &bytes));

    for (name, note, from, until) in [
        ("backwards", "a key from round 167 until round 0", 167, 0),
        ("late", "a key that begins within a week", 1, 167),
        ("long", "a key of two weeks", 0, 335),
    ] {
        let bytes = t.assembled(vec![t.mix_key(0, 0, from, until, &t.mix)], vec![]);
        cases.push(case(&format!("key-01-{name}"), "key", "KEY-01", note, &bytes));
    }
    let mut odd = Town::new();
    odd.keys[0][..3].fill(0xff);
    let bytes = odd.assembled(vec![odd.mix_key(0, 0, 0, 167, &odd.mix)], vec![]);
    cases.push(case(
        "dir-10-form",
        "key",
        "DIR-10",
        "a key with a number that ML-KEM does not allow",
        &bytes,
    ));

    cases.extend(rounds(&t));
    cases.extend(follows(&t));
    cases.extend(swapped());
    let mut bent = t.bare();
    bent.push(0);
    cases.push(case("dir-12-longer", "malformed", "DIR-12", "a byte left over", &bent));
    bent.truncate(bent.len() - 2);
    cases.push(case("dir-12-shorter", "malformed", "DIR-12", "a byte short", &bent));
    cases
}

/// A directory with everything in it.
fn whole(t: &Town) -> Case {
    let (card, signer) = (t.card("Tips", "Read by two people."), vault_key(&t.desk));
    let bytes =
        t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.mix)], vec![t.desk(&card, &t.newsroom, Some(&signer))]);
    Case::new(
        "directory/whole",
        "success",
        "",
        "a press, an edge, a mix with its key, a newsroom with a desk",
    )
    .hex("network", t.network().0)
    .hex("directory", &bytes)
    .with("digest", Digest::of(&bytes))
    .with("desk", card.id())
}

/// Vault keys that stand elsewhere too.
fn vault_keys(t: &Town) -> Vec<Case> {
    let tips = t.card("Tips", "");
    let other = t.card_of(&t.first, "Other", "");
    let case = |name: &str, note: &str, cards: &[&DeskCard]| {
        let desks = cards.iter().map(|card| t.desk(card, &t.newsroom, None)).collect();
        Case::new(&format!("directory/dir-08-vault-key-{name}"), "key twice", "DIR-08", note)
            .hex("network", t.network().0)
            .hex("directory", t.assembled(vec![], desks))
    };
    let with = |vault_key, card: &DeskCard| DeskCard { vault_key, ..card.clone() };
    let as_identity = DeskCard { desk: tips.vault_key, ..other.clone() };
    vec![
        case("own", "a desk whose vault key is its identity", &[&with(tips.desk, &tips)]),
        case("operator", "a desk whose vault key is the mix's identity", &[&with(t.mix.public(), &tips)]),
        case("newsroom", "a desk whose vault key is its newsroom's", &[&with(t.newsroom.public(), &tips)]),
        case("twice", "two desks with one vault key", &[&tips, &with(tips.vault_key, &other)]),
        case("desk", "a desk whose vault key is another's identity", &[&tips, &with(tips.desk, &other)]),
        case(
            "before",
            "a desk whose vault key is a later one's identity",
            &[&with(other.desk, &tips), &other],
        ),
        case("identity", "a desk whose identity is another's vault key", &[&tips, &as_identity]),
    ]
}

/// Which of a mix's keys is used when: the first lives from round 0 to 167, the second from 168 to 335.
fn rounds(t: &Town) -> Vec<Case> {
    let (first, second) = (t.mix_key(0, 0, 0, 167, &t.mix), t.mix_key(0, 1, 168, 335, &t.mix));
    let ahead = t.assembled(vec![second.clone()], vec![]);
    let both = t.assembled(vec![first, second], vec![]);
    let id = |i: usize| SealPublic::from_bytes(&t.keys[i]).expect("well formed").id();
    [
        ("before", "no key", &ahead, 167, None, "a key of which nothing but the next week's is there yet"),
        ("last", "success", &both, 167, Some(0), "the last round of a key"),
        ("first", "success", &both, 168, Some(1), "the first round of the next"),
        ("after", "no key", &both, 336, None, "after the last round of a key"),
    ]
    .into_iter()
    .map(|(name, expect, bytes, round, key, note)| {
        let case = Case::new(&format!("directory/dir-11-{name}"), expect, "DIR-11", note)
            .hex("network", t.network().0)
            .hex("directory", bytes)
            .with("hop", 0)
            .with("round", round);
        match key {
            Some(key) => case.with("key-id", id(key)),
            None => case,
        }
    })
    .collect()
}

/// Two newsrooms with a desk each.
struct Two {
    t: Town,
    courts: IdentitySecret,
}

impl Two {
    fn new() -> Self {
        let courts = IdentitySecret::from_seed(&Draw::new("another desk").bytes32());
        Self { t: Town::new(), courts }
    }

    fn roster(&self, number: u32, names: [&str; 2], since: u32) -> Roster {
        let mut roster = Roster { number, ..self.t.roster.clone() };
        roster.operators.retain(|o| o.role != Role::Newsroom);
        roster.operators.extend([&self.t.newsroom, &self.t.first].into_iter().zip(names).map(
            |(who, name)| Operator {
                role: Role::Newsroom,
                name: name.into(),
                key: who.public(),
                since: Round(since),
            },
        ));
        roster
    }

    /// The first newsroom's desk, and the second's: who it is, and under which name.
    fn desks(&self, desks: [(&IdentitySecret, &str); 2], since: u32) -> Vec<DeskEntry> {
        let newsrooms = [&self.t.newsroom, &self.t.first];
        let entry = |((desk, name), newsroom): ((&IdentitySecret, &str), &IdentitySecret)| {
            let card = DeskCard { since: Round(since), ..self.t.card_of(desk, name, "") };
            self.t.desk(&card, newsroom, None)
        };
        desks.into_iter().zip(newsrooms).map(entry).collect()
    }

    fn assembled(&self, roster: &Roster, desks: Vec<DeskEntry>) -> Vec<u8> {
        UnverifiedDirectory::assemble(&self.t.root, roster, vec![], desks).to_bytes()
    }

    fn as_they_are(&self) -> (Roster, Vec<DeskEntry>) {
        let desks = self.desks([(&self.t.desk, "Tips"), (&self.courts, "Courts")], 0);
        (self.roster(3, ["The Herald", "The Courier"], 0), desks)
    }

    fn before(&self) -> Vec<u8> {
        let (roster, desks) = self.as_they_are();
        self.assembled(&roster, desks)
    }
}

/// Names exchanged: sources go by them.
fn swapped() -> Vec<Case> {
    let two = Two::new();
    let (same, desks) = two.as_they_are();
    let (tips, courts) = (&two.t.desk, &two.courts);
    let newsrooms =
        |since: u32| two.assembled(&two.roster(4, ["The Courier", "The Herald"], since), desks.clone());
    let names = |since: u32| two.assembled(&same, two.desks([(tips, "Courts"), (courts, "Tips")], since));
    let moved = two.assembled(&same, two.desks([(courts, "Courts"), (tips, "Tips")], 0));
    [
        ("newsrooms-swapped", "too soon", "two newsrooms that exchange names at once", newsrooms(0)),
        (
            "newsrooms-swapped-wait",
            "success",
            "two newsrooms that exchange names after 48 rounds",
            newsrooms(57),
        ),
        ("desks-swapped", "too soon", "two desks that exchange names at once", names(0)),
        ("desks-swapped-wait", "success", "two desks that exchange names after 48 rounds", names(57)),
        ("desks-move", "too soon", "two desks that exchange newsrooms at once", moved),
    ]
    .into_iter()
    .map(|(name, expect, note, bytes)| {
        Case::new(&format!("directory/dir-14-{name}"), expect, "DIR-14", note)
            .hex("network", two.t.network().0)
            .hex("before", two.before())
            .hex("directory", bytes)
            .with("at", 9)
    })
    .collect()
}

/// One directory after another, in the edition of round `at`.
fn after(
    t: &Town,
    path: &str,
    (expect, check, note): (&str, &str, &str),
    (before, directory, at): (&[u8], &[u8], u32),
) -> Case {
    Case::new(&format!("directory/{path}"), expect, check, note)
        .hex("network", t.network().0)
        .hex("before", before)
        .hex("directory", directory)
        .with("at", at)
}

/// Whether a directory may follow another.
fn follows(t: &Town) -> Vec<Case> {
    let case = |path: &str, expect: &str, check: &str, note: &str, bytes: &[u8]| {
        after(t, path, (expect, check, note), (&t.bare(), bytes, 9))
    };
    let roster = |bend: &dyn Fn(&mut Roster)| {
        let mut town = Town::new();
        bend(&mut town.roster);
        town.bare()
    };
    let joins = |since: u32| {
        roster(&|r| {
            r.number = 4;
            let (role, name, key) = (Role::Newsroom, "The Courier".into(), t.first.public());
            r.operators.push(Operator { role, name, key, since: Round(since) });
        })
    };
    // With one mix, that is the exit.
    let takes_over = |since: u32| {
        roster(&|r| {
            r.number = 4;
            let (role, name, key) = (Role::Mix(0), "Next".into(), t.first.public());
            r.operators.push(Operator { role, name, key, since: Round(since) });
        })
    };
    let desk = |since: u32| {
        let card = DeskCard { since: Round(since), ..t.card("Tips", "") };
        t.assembled(vec![], vec![t.desk(&card, &t.newsroom, None)])
    };
    // The desk's key is for rounds 0 to 167.
    let card = t.card("Tips", "");
    let keyed = t.assembled(vec![], vec![t.desk(&card, &t.newsroom, Some(&vault_key(&t.desk)))]);
    // The same desk, with a vault key that is another's.
    let other_vault = |since: u32| {
        let key = vault_key(&t.first);
        let card = DeskCard { vault_key: key.public(), since: Round(since), ..t.card("Tips", "") };
        t.assembled(vec![], vec![t.desk(&card, &t.newsroom, Some(&key))])
    };
    let vault = |path: &str, expect: &str, note: &str, bytes: Vec<u8>| {
        after(t, path, (expect, "DIR-14", note), (&desk(0), &bytes, 9))
    };
    let keeps = |path: &str, expect: &str, at: u32, note: &str, bytes: &[u8]| {
        after(t, path, (expect, "DIR-16", note), (&keyed, bytes, at))
    };
    // The exit's key is for the same rounds, and lives on for 240.
    let exit_key = t.assembled(vec![t.mix_key(0, 0, 0, 167, &t.mix)], vec![]);
    let exit = |path: &str, expect: &str, at: u32, note: &str, bytes: &[u8]| {
        after(t, path, (expect, "DIR-16", note), (&exit_key, bytes, at))
    };
    // A press that is replaced in round 9, and a roster that leaves out who replaces it.
    let replaced = roster(&|r| {
        let (role, name, key) = (Role::Press, "Next".into(), t.first.public());
        r.operators.push(Operator { role, name, key, since: Round(9) });
    });
    let undone = |path: &str, at: u32, note: &str| {
        after(t, path, ("success", "DIR-14", note), (&replaced, &roster(&|r| r.number = 4), at))
    };
    vec![
        undone("dir-14-undone", 9, "a press that was replaced is in force again"),
        undone("dir-14-called-off", 8, "a press that was to be replaced stays in force"),
        keeps("dir-16-same", "success", 167, "a desk with the key that it had", &keyed),
        keeps("dir-16-key", "key left out", 167, "a desk without a key that is for this round", &desk(0)),
        keeps("dir-16-over", "success", 168, "a desk without a key whose rounds are over", &desk(0)),
        keeps("dir-16-gone", "success", 167, "a desk that is left out with its key", &t.bare()),
        exit("dir-16-exit-same", "success", 407, "an exit with the key that it had", &exit_key),
        exit(
            "dir-16-exit-key",
            "key left out",
            407,
            "an exit without a key that it still has, of a week that is over",
            &t.bare(),
        ),
        exit("dir-16-exit-over", "success", 408, "an exit without a key that it deleted", &t.bare()),
        case(
            "dir-13-higher",
            "success",
            "DIR-13",
            "a roster with a higher number",
            &roster(&|r| r.number = 4),
        ),
        case(
            "dir-13-lower",
            "old roster",
            "DIR-13",
            "a roster with a lower number",
            &roster(&|r| r.number = 2),
        ),
        case(
            "dir-13-other",
            "old roster",
            "DIR-13",
            "another roster with the same number",
            &roster(&|r| r.until = Round(9_000)),
        ),
        case(
            "dir-15-larger-batches",
            "success",
            "DIR-15",
            "a roster by which a batch may hold more",
            &roster(&|r| (r.number, r.parameters.n_max) = (4, r.parameters.n_max + 1)),
        ),
        case(
            "dir-15-smaller-batches",
            "other sizes",
            "DIR-15",
            "a roster by which a batch may hold less",
            &roster(&|r| (r.number, r.parameters.n_max) = (4, r.parameters.n_max - 1)),
        ),
        case(
            "dir-15-slots",
            "other sizes",
            "DIR-15",
            "a roster with one slot more in each desk drop",
            &roster(&|r| (r.number, r.parameters.desk_slots) = (4, r.parameters.desk_slots + 1)),
        ),
        case(
            "dir-15-round",
            "other sizes",
            "DIR-15",
            "a roster with rounds that are longer",
            &roster(&|r| {
                (r.number, r.parameters.schedule.round_ms) = (4, r.parameters.schedule.round_ms * 2);
            }),
        ),
        case(
            "dir-14-exit-waits",
            "success",
            "DIR-14",
            "an exit that takes over after 327 rounds",
            &takes_over(336),
        ),
        case(
            "dir-14-exit",
            "too soon",
            "DIR-14",
            "an exit that takes over after 159 rounds",
            &takes_over(168),
        ),
        case("dir-14-waits", "success", "DIR-14", "a newsroom that joins after 48 rounds", &joins(57)),
        case("dir-14-operator", "too soon", "DIR-14", "a newsroom that joins after 47 rounds", &joins(56)),
        case("dir-14-desk-waits", "success", "DIR-14", "a desk that is new and waits", &desk(57)),
        case("dir-14-desk", "too soon", "DIR-14", "a desk that is new and does not wait", &desk(0)),
        vault("dir-14-vault-key", "too soon", "a desk with another vault key, at once", other_vault(0)),
        vault(
            "dir-14-vault-key-47",
            "too soon",
            "a desk with another vault key after 47 rounds",
            other_vault(56),
        ),
        vault(
            "dir-14-vault-key-waits",
            "success",
            "a desk with another vault key after 48 rounds",
            other_vault(57),
        ),
        case(
            "dir-14-renamed",
            "too soon",
            "DIR-14",
            "a newsroom under another name, at once",
            &roster(&|r| {
                r.number = 4;
                r.operators.iter_mut().filter(|o| o.role == Role::Newsroom).for_each(|o| o.name.push('s'));
            }),
        ),
        case(
            "dir-14-later",
            "too soon",
            "DIR-14",
            "a newsroom that goes, and comes back after 47 rounds",
            &roster(&|r| {
                r.number = 4;
                r.operators.iter_mut().filter(|o| o.role == Role::Newsroom).for_each(|o| o.since = Round(56));
            }),
        ),
    ]
}
