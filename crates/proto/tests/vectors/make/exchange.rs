//! `exchange/`: a device at given moments, and an edge that answers from a table.

use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::directory::{DeskCard, DeskEntry, IntakeKey};
use proto::edition::{Bundle, Head, page_digest, sign_head};
use proto::log::{Frontier, UnverifiedNote};
use proto::mix::{BatchId, Manifest};
use proto::sign::{IdentitySecret, Unverified};
use proto::{Digest, Millis, Round, path};
use sha2::Sha256;

use super::directory::{Town, vault_key};
use super::inbox::{sequence, with_steps};
use crate::case::Case;

const SECRET: [u8; 32] = [0xab; 32];
/// A round is an hour, and the guard two minutes.
pub(super) const T: u64 = 3_600_000;
const G: u64 = 120_000;
/// The last round of the first week's keys.
const LAST: u32 = 167;

/// How far into the round the device's exchange is. Spec: exchange.md §1.
pub(super) fn offset(round: u32) -> u64 {
    offset_of(round, T, G)
}

/// The same with rounds of another length.
fn offset_of(round: u32, length: u64, guard: u64) -> u64 {
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).expect("HMAC takes any key");
    mac.update(b"firsthand/v1 instant");
    mac.update(&round.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    u64::from_be_bytes(hash[..8].try_into().expect("eight bytes")) % (length - guard)
}

/// The directory that came with the app.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    vec![("app-directory", Net { town: Town::new() }.known())]
}

pub(super) fn cases() -> Vec<Case> {
    let net = Net { town: Town::new() };
    let mut cases = first_edition(&net);
    cases.extend(moments(&net));
    cases.extend(not_kept(&net));
    cases.extend(other_keys(&net));
    cases.push(short_rounds());
    cases
}

pub(super) struct Net {
    pub(super) town: Town,
}

impl Net {
    pub(super) fn known(&self) -> Vec<u8> {
        self.directory(0, &[(&self.town.desk, 1, 0)])
    }

    /// A directory in which the mix has this key in the first week, and these desks have these from then on.
    pub(super) fn directory(&self, mix_key: usize, desks: &[(&IdentitySecret, usize, u32)]) -> Vec<u8> {
        let entry = |(desk, key, since): &(&IdentitySecret, usize, u32)| self.entry(desk, &[*key], *since);
        self.with_desks(mix_key, desks.iter().map(entry).collect())
    }

    /// The directory with these intake keys of the first week for one desk.
    fn with_keys(&self, desk: &IdentitySecret, keys: &[usize]) -> Vec<u8> {
        self.with_desks(0, vec![self.entry(desk, keys, 0)])
    }

    /// A directory with the mix's key of the third week, and a desk that has none.
    pub(super) fn third_week(&self, desk: &IdentitySecret) -> Vec<u8> {
        let key = self.town.mix_key(self.exit(), 2, 336, 503, &self.town.mix);
        self.town.assembled(vec![key], vec![self.entry(desk, &[], 0)])
    }

    fn with_desks(&self, mix_key: usize, desks: Vec<DeskEntry>) -> Vec<u8> {
        self.town.assembled(vec![self.town.mix_key(self.exit(), mix_key, 0, LAST, &self.town.mix)], desks)
    }

    fn entry(&self, desk: &IdentitySecret, keys: &[usize], since: u32) -> DeskEntry {
        let (town, network) = (&self.town, self.town.network());
        let name = hex::encode(&desk.public().0[..4]);
        let card = DeskCard { since: Round(since), ..town.card_of(desk, &name, "") };
        let intake = |key: &usize| {
            let key = IntakeKey { key: town.keys[*key].clone(), from: Round(0), until: Round(LAST) };
            Unverified::sign(&key, &network, &vault_key(desk))
        };
        DeskEntry {
            newsroom: town.newsroom.public(),
            card: Unverified::sign(&card, &network, &town.newsroom),
            keys: keys.iter().map(intake).collect(),
        }
    }

    fn exit(&self) -> u8 {
        self.town.roster.parameters.mixes - 1
    }

    /// The head of an edition in which nothing is new, with the reader drop of the round before: bytes 0xd2.
    pub(super) fn head(&self, round: u32, previous: Digest, directory: &[u8]) -> Vec<u8> {
        sign_head(&self.unsigned(round, previous, directory), &self.town.network(), &self.town.press)
    }

    /// The same, to bend it.
    pub(super) fn unsigned(&self, round: u32, previous: Digest, directory: &[u8]) -> Head {
        let nothing = Bundle::default().pack().1;
        let manifest = Manifest {
            batch: BatchId { round: Round(round - 1), part: 0 },
            hop: self.exit(),
            inputs: vec![],
            count_in: 2,
            count_out: 2,
            outputs: vec![Digest([0x66; 32]), Digest::of(&[0xd2; 1024])],
            deleted: 0,
            alarm: false,
        };
        let network = self.town.network();
        Head {
            round: Round(round),
            previous,
            made: Millis(1_790_000_000_000),
            directory: Digest::of(directory),
            changes: nothing,
            front: nothing,
            page: page_digest(&[]),
            manifests: vec![Unverified::sign(&manifest, &network, &self.town.mix)],
            round_keys: vec![],
        }
    }

    /// The edge has an edition and all that it names, and a log that ends with it. Before it come these, each with its
    /// directory.
    pub(super) fn after(&self, before: &[Published<'_>], round: u32, it: Published<'_>) -> Vec<String> {
        let (bundle, named) = Bundle::default().pack();
        let (mut tree, mut directory) = (Frontier::empty(), None);
        for (its, head) in before {
            tree.push_edition((directory.replace(*its) != Some(*its)).then_some(its), head);
        }
        if directory != Some(it.0) {
            tree.push(it.0);
        }
        let frontier = edge(&path::frontier(tree.size()), &hex::encode(tree.to_bytes()));
        tree.push(it.1);
        let (checkpoint, network) = (tree.checkpoint(), self.town.network());
        let bare = checkpoint.sign(&network, &self.town.press);
        // Three of four witnesses, at the start of the round.
        let length = u64::from(self.town.roster.parameters.schedule.round_ms);
        let now = Millis(1_790_000_000_000 + u64::from(round) * length);
        let note = self.town.witnesses[..3]
            .iter()
            .map(|witness| checkpoint.cosign(&network, witness, now))
            .fold(UnverifiedNote::from_bytes(&bare).expect("a note"), UnverifiedNote::with);
        vec![
            edge(&path::edition(Round(round)), &hex::encode(it.1)),
            edge(&path::bundle(&named.digest), &hex::encode(bundle)),
            edge(&path::reader_drop(Round(round - 1)), "1024*d2"),
            frontier,
            edge(path::CHECKPOINT, &hex::encode(note.to_bytes())),
        ]
    }

    /// The first edition.
    pub(super) fn edition(&self, round: u32, head: &[u8]) -> Vec<String> {
        self.after(&[], round, (&self.known(), head))
    }

    pub(super) fn case(&self, path: &str, check: &str, note: &str, steps: &[Vec<String>]) -> Case {
        let steps = steps.concat();
        let case = sequence(&format!("exchange/{path}"), check, note, &steps)
            .hex("network", self.town.network().0)
            .hex("directory", self.known())
            .hex("secret", SECRET);
        with_steps(case, &steps)
    }
}

/// A directory and the head that names it.
pub(super) type Published<'a> = (&'a [u8], &'a [u8]);

/// The edge has these bytes on this path from now on.
pub(super) fn edge(path: &str, body: &str) -> String {
    format!("edge {path} {body}")
}

/// The device is awake so many ms after the start of the round.
pub(super) fn at(round: u32, ms: u64, outcome: &str) -> Vec<String> {
    vec![format!("at {round} {ms} -> {outcome}")]
}

/// It is awake before its instant and at it.
pub(super) fn exchange(round: u32, outcome: &str) -> Vec<String> {
    [at(round, 0, "no exchange"), at(round, offset(round), outcome)].concat()
}

pub(super) fn restart(outcome: &str) -> Vec<String> {
    vec![format!("restart -> {outcome}")]
}

pub(super) const ZERO: Digest = Digest([0; 32]);
pub(super) const FIVE: &str = "takes 1, shows 5, sends";
pub(super) const STAYS: &str = "takes 0, shows 5, sends";

fn first_edition(net: &Net) -> Vec<Case> {
    let good = net.head(5, ZERO, &net.known());
    let mut bent = good.clone();
    bent[60] ^= 1;
    let nothing = "takes 0, shows nothing, sends nothing";
    let case = |path: &str, note: &str, steps: &[Vec<String>]| net.case(path, "EXC-02", note, steps);
    vec![
        case("exc-02-first", "the first edition verifies", &[net.edition(5, &good), exchange(5, FIVE)]),
        case(
            "exc-02-none",
            "there is no edition yet",
            &[exchange(5, nothing), exchange(6, nothing), net.edition(5, &good), exchange(7, FIVE)],
        ),
        case(
            "exc-02-bent",
            "a bit of the first edition flipped, and later not",
            &[net.edition(5, &bent), exchange(5, nothing), net.edition(5, &good), exchange(6, FIVE)],
        ),
    ]
}

fn moments(net: &Net) -> Vec<Case> {
    let five = net.edition(5, &net.head(5, ZERO, &net.known()));
    let case = |path: &str, note: &str, steps: &[Vec<String>]| net.case(path, "EXC-04", note, steps);
    let before = at(5, 0, "no exchange");
    // Its instant lies so near the end that its upload can come after the last guard began.
    let one = net.edition(1, &net.head(1, ZERO, &net.known()));
    let last = at(1, 0, "no exchange");
    vec![
        case(
            "exc-04-early",
            "a ms before the instant, and at it",
            &[five.clone(), at(5, offset(5) - 1, "no exchange"), at(5, offset(5), FIVE)],
        ),
        case(
            "exc-04-guard",
            "a guard after the instant",
            &[five.clone(), before.clone(), at(5, offset(5) + G, FIVE)],
        ),
        case(
            "exc-04-late",
            "a guard and a ms after the instant: skipped and not made up",
            &[
                five.clone(),
                before,
                at(5, offset(5) + G + 1, "no exchange"),
                at(5, T - 1, "no exchange"),
                exchange(6, FIVE),
            ],
        ),
        case(
            "exc-04-twice",
            "once more in the same round",
            &[
                five.clone(),
                exchange(5, FIVE),
                at(5, offset(5) + 1, "no exchange"),
                at(5, offset(5) + 1_000, "no exchange"),
            ],
        ),
        case(
            "exc-04-set-back",
            "the clock is set back",
            &[
                five.clone(),
                exchange(5, FIVE),
                exchange(6, STAYS),
                exchange(5, "no exchange"),
                exchange(6, "no exchange"),
                exchange(7, STAYS),
            ],
        ),
        case(
            "exc-04-set-far-back",
            "the clock is set back over eight rounds",
            &[
                five.clone(),
                (5..13).flat_map(|r| exchange(r, if r == 5 { FIVE } else { STAYS })).collect(),
                (5..13).flat_map(|r| exchange(r, "no exchange")).collect(),
                exchange(13, STAYS),
            ],
        ),
        case(
            "exc-04-ahead",
            "a clock that was a year ahead once",
            &[
                five.clone(),
                exchange(5, FIVE),
                exchange(8_766, "takes 0, shows 5, sends nothing"),
                exchange(6, STAYS),
                exchange(8_766, "no exchange"),
                exchange(7, STAYS),
            ],
        ),
        case(
            "exc-04-restart",
            "started again, with the clock set back",
            &[
                five,
                exchange(5, FIVE),
                exchange(6, STAYS),
                at(5, 0, "no exchange"),
                restart("shows 5"),
                exchange(5, "no exchange"),
                exchange(6, "no exchange"),
                exchange(7, STAYS),
            ],
        ),
        case(
            "exc-04-last",
            "an upload at the last ms before the round's last guard",
            &[one.clone(), last.clone(), at(1, T - G - 1, "takes 1, shows 1, sends")],
        ),
        case(
            "exc-04-too-late",
            "the edition is taken, and it is too late to send: the last guard has begun",
            &[one, last, at(1, T - G, "takes 1, shows 1, sends nothing")],
        ),
        case(
            "exc-04-no-key",
            "the mix's key lives until round 167",
            &[
                net.edition(166, &net.head(166, ZERO, &net.known())),
                exchange(166, "takes 1, shows 166, sends"),
                exchange(167, "takes 0, shows 166, sends"),
                exchange(168, "takes 0, shows 166, sends nothing"),
            ],
        ),
    ]
}

fn not_kept(net: &Net) -> Vec<Case> {
    let five = net.head(5, ZERO, &net.known());
    let six = net.head(6, Digest::of(&five), &net.known());
    let known = net.known();
    let good = net.after(&[(&known, &five)], 6, (&known, &six));
    let bundle = path::bundle(&Bundle::default().pack().1.digest);
    let then = "takes 1, shows 6, sends";
    // Something of the sixth edition is wrong; in the next round it is right.
    let wrong = |path: &str, note: &str, wrong: Vec<String>| {
        net.case(
            path,
            "EXC-05",
            note,
            &[
                net.edition(5, &five),
                exchange(5, FIVE),
                good.clone(),
                wrong,
                exchange(6, STAYS),
                restart("shows 5"),
                good.clone(),
                exchange(7, then),
                restart("shows 6"),
            ],
        )
    };
    let after_six = |head: &[u8]| net.after(&[(&known, &five), (&known, &six)], 7, (&known, head));
    // In the log as it is, so that the log does not tell.
    let covered = |head: &[u8]| net.after(&[(&known, &five)], 6, (&known, head));
    let drop = |bytes: &str| vec![edge("/v1/drops/5/reader", bytes)];
    let mut bent = six.clone();
    bent[60] ^= 1;
    let mut cases = vec![
        net.case(
            "missed",
            "EXC-05",
            "two editions at once, in their order",
            &[
                net.edition(5, &five),
                exchange(5, FIVE),
                good.clone(),
                after_six(&net.head(7, Digest::of(&six), &known)),
                exchange(7, "takes 2, shows 7, sends"),
            ],
        ),
        wrong("exc-05-head", "a bit of the head flipped", covered(&bent)),
        wrong("exc-05-previous", "a head that follows another", covered(&net.head(6, ZERO, &known))),
        wrong("exc-05-round", "the head of the round before", covered(&five)),
        wrong("exc-05-bundle", "other stories than the head names", vec![edge(&bundle, "00")]),
        wrong("exc-05-drop", "a reader drop that is not the one", drop("1024*d3")),
        wrong("exc-05-drop-short", "a reader drop a byte short", drop("1023*d2")),
    ];
    cases.push(net.case(
        "exc-05-later",
        "EXC-05",
        "of two editions the second is wrong: none is kept, since no checkpoint ends with the first",
        &[
            net.edition(5, &five),
            exchange(5, FIVE),
            good,
            after_six(&net.head(7, ZERO, &known)),
            exchange(7, STAYS),
            restart("shows 5"),
        ],
    ));
    cases
}

/// With rounds of five seconds a guard is shorter than half a second.
fn short_rounds() -> Case {
    let mut net = Net { town: Town::new() };
    net.town.roster.parameters.schedule.round_ms = 5_000;
    let directory = net.known();
    let begins = |round| offset_of(round, 5_000, 166);
    let steps = [
        net.edition(8, &net.head(8, ZERO, &directory)),
        at(8, 0, "no exchange"),
        at(8, begins(8) + 501, "no exchange"),
        at(9, 0, "no exchange"),
        at(9, begins(9) + 500, "takes 1, shows 8, sends"),
    ];
    net.case(
        "exc-04-half-second",
        "EXC-04",
        "501 ms after the instant, and 500, where the guard is 166",
        &steps,
    )
}

fn other_keys(net: &Net) -> Vec<Case> {
    let (desk, other) = (&net.town.desk, IdentitySecret::from_seed(&[9; 32]));
    let five = net.head(5, ZERO, &net.known());
    let known = net.known();
    let offered = |round: u32, before: &[Published<'_>], directory: &[u8]| {
        let previous = before.last().map_or(ZERO, |(_, head)| Digest::of(head));
        let head = net.head(round, previous, directory);
        let named = edge(&path::directory(&Digest::of(directory)), &hex::encode(directory));
        (head.clone(), [net.after(before, round, (directory, &head)), vec![named]].concat())
    };
    let start = || [net.edition(5, &five), exchange(5, FIVE)].concat();
    let not_taken = |path: &str, check: &str, note: &str, directory: &[u8]| {
        let steps = [start(), offered(6, &[(&known, &five)], directory).1, exchange(6, STAYS)];
        net.case(path, check, note, &steps)
    };
    let refused = |path: &str, note: &str, directory: &[u8]| not_taken(path, "EXC-08", note, directory);
    let beside = net.with_keys(desk, &[1, 2]);
    let keyless = net.with_keys(desk, &[]);
    let nobody = net.directory(0, &[]);
    let (without, goes) = offered(6, &[(&known, &five)], &nobody);
    let before: [Published<'_>; 2] = [(&known, &five), (&nobody, &without)];
    let later = |desks: &[(&IdentitySecret, usize, u32)]| offered(7, &before, &net.directory(0, desks)).1;
    let gone = || [goes.clone(), exchange(6, "takes 1, shows 6, sends")].concat();
    let then = |path: &str, check: &str, note: &str, edition: Vec<String>, outcome: &str| {
        net.case(path, check, note, &[start(), gone(), edition, exchange(7, outcome)])
    };
    let (taken, stays) = ("takes 1, shows 7, sends", "takes 0, shows 6, sends");
    vec![
        refused("exc-08-mix-key", "another key of the mix", &net.directory(2, &[(desk, 1, 0)])),
        refused("exc-08-intake", "another intake key", &net.directory(0, &[(desk, 2, 0)])),
        refused("exc-08-beside", "another intake key beside the one that it had", &beside),
        not_taken("dir-16-key", "DIR-16", "a desk that stays, without its key", &keyless),
        then(
            "exc-08-desks",
            "EXC-08",
            "a desk goes, and comes back with its key beside a new one",
            later(&[(desk, 1, 55), (&other, 2, 55)]),
            taken,
        ),
        then(
            "exc-08-came-back",
            "EXC-08",
            "a desk goes, and comes back with another intake key",
            later(&[(desk, 2, 55)]),
            stays,
        ),
        then(
            "dir-14-at-once",
            "DIR-14",
            "a desk goes, and comes back at once",
            later(&[(desk, 1, 0)]),
            stays,
        ),
    ]
}
