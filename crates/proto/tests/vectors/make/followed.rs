//! `exchange/`: the log, the rosters and the stories that a device follows from one exchange to the next.

use proto::directory::Roster;
use proto::edition::{Bundle, Head, page_digest, sign_head};
use proto::log::{Checkpoint, Frontier, UnverifiedNote};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, Unverified};
use proto::story::{Story, StoryId};
use proto::{Digest, Millis, Round, path};

use super::directory::Town;
use super::edition::story;
use super::exchange::{FIVE, Net, Published, STAYS, T, ZERO, edge, exchange, restart};
use crate::case::Case;

const NOTHING: &str = "takes 0, shows nothing, sends nothing";
const SIX: &str = "takes 1, shows 6, sends";

pub(super) fn cases() -> Vec<Case> {
    let net = Net { town: Town::new() };
    let mut cases = notes(&net);
    cases.extend(first_day(&net));
    cases.extend(starting_over(&net));
    cases.extend(pages(&net));
    cases.push(round_keys());
    cases
}

/// The network with another roster.
fn bent(bend: impl Fn(&mut Roster)) -> Net {
    let mut town = Town::new();
    bend(&mut town.roster);
    Net { town }
}

/// The log that ends with the last of these editions.
fn tree(editions: &[Published<'_>]) -> Frontier {
    let (mut tree, mut directory) = (Frontier::empty(), None);
    for (its, head) in editions {
        tree.push_edition((directory.replace(*its) != Some(*its)).then_some(its), head);
    }
    tree
}

fn start_of(round: u32) -> Millis {
    Millis(1_790_000_000_000 + u64::from(round) * T)
}

impl Net {
    fn bare(&self, checkpoint: &Checkpoint, by: &IdentitySecret) -> UnverifiedNote {
        UnverifiedNote::from_bytes(&checkpoint.sign(&self.town.network(), by)).expect("a note")
    }

    /// A checkpoint that the press signed, with co-signatures of the first witnesses, made at the starts of these rounds.
    fn note(&self, checkpoint: &Checkpoint, rounds: &[u32]) -> UnverifiedNote {
        self.cosigned(self.bare(checkpoint, &self.town.press), checkpoint, rounds)
    }

    fn cosigned(&self, note: UnverifiedNote, checkpoint: &Checkpoint, rounds: &[u32]) -> UnverifiedNote {
        let line = |(witness, round): (&IdentitySecret, &u32)| {
            checkpoint.cosign(&self.town.network(), witness, start_of(*round))
        };
        self.town.witnesses.iter().zip(rounds).map(line).fold(note, UnverifiedNote::with)
    }

    fn signed(&self, head: &Head) -> Vec<u8> {
        sign_head(head, &self.town.network(), &self.town.press)
    }

    fn named(directory: &[u8]) -> String {
        edge(&path::directory(&Digest::of(directory)), &hex::encode(directory))
    }
}

fn checkpoint(note: &UnverifiedNote) -> String {
    edge(path::CHECKPOINT, &hex::encode(note.to_bytes()))
}

/// Something of the checkpoint over the sixth edition is wrong; in the next round it is right.
fn notes(net: &Net) -> Vec<Case> {
    let known = net.known();
    let five = net.head(5, ZERO, &known);
    let six = net.head(6, Digest::of(&five), &known);
    let good = net.after(&[(&known, &five)], 6, (&known, &six));
    let whole = tree(&[(&known, &five), (&known, &six)]).checkpoint();
    let wrong = |path: &str, check: &str, note: &str, wrong: &UnverifiedNote, outcome: &str| {
        let steps = [
            net.edition(5, &five),
            exchange(5, FIVE),
            good.clone(),
            vec![checkpoint(wrong)],
            exchange(6, outcome),
            restart("shows 5"),
            good.clone(),
            exchange(7, SIX),
        ];
        net.case(path, check, note, &steps)
    };
    let elsewhere =
        UnverifiedNote::from_bytes(&whole.sign(&super::NETWORK, &net.town.press)).expect("a note");
    let other_head = net.head(5, Digest([0x77; 32]), &known);
    let fork = tree(&[(&known, &other_head), (&known, &six)]).checkpoint();
    let more = tree(&[(&known, &five), (&known, &six), (&known, &other_head)]).checkpoint();
    let other = more.cosign(&net.town.network(), &net.town.witnesses[3], start_of(6));
    let nothing_sent = "takes 0, shows 5, sends nothing";
    let held = tree(&[(&known, &five)]).checkpoint();
    let mut cases = vec![
        wrong("log-02-origin", "LOG-02", "the log of another network", &elsewhere, STAYS),
        wrong(
            "log-03-signer",
            "LOG-03",
            "signed by a mix, with three witnesses",
            &net.cosigned(net.bare(&whole, &net.town.mix), &whole, &[6; 3]),
            STAYS,
        ),
        wrong(
            "log-04-other",
            "LOG-04",
            "a fourth co-signature, of another checkpoint",
            &net.note(&whole, &[6; 3]).with(other),
            STAYS,
        ),
        wrong("log-05-two", "LOG-05", "two of four witnesses", &net.note(&whole, &[6; 2]), STAYS),
        wrong("log-06-old", "LOG-06", "co-signed four rounds ago", &net.note(&whole, &[2; 3]), STAYS),
        wrong(
            "log-07-future",
            "LOG-07",
            "co-signed in two rounds: the device takes its clock to be behind",
            &net.note(&whole, &[8; 3]),
            nothing_sent,
        ),
        wrong(
            "log-07-missing",
            "LOG-07",
            "two of three co-signed in two rounds, and one now",
            &net.note(&whole, &[6, 8, 8]),
            STAYS,
        ),
        wrong("log-11-fork", "LOG-11", "another fifth edition before it", &net.note(&fork, &[6; 3]), STAYS),
        wrong("log-11-missing", "LOG-11", "a leaf more than there are", &net.note(&more, &[6; 3]), STAYS),
    ];
    let steps = [
        net.edition(5, &five),
        exchange(5, FIVE),
        good,
        exchange(6, SIX),
        net.after(&[(&known, &five), (&known, &six)], 7, (&known, &net.head(7, Digest::of(&six), &known))),
        vec![checkpoint(&net.note(&held, &[7; 3]))],
        exchange(7, "takes 0, shows 6, sends"),
    ];
    cases.push(net.case(
        "log-10-rollback",
        "LOG-10",
        "a checkpoint that ends with the fifth edition",
        &steps,
    ));
    cases
}

/// What a device that holds nothing checks.
fn first_day(net: &Net) -> Vec<Case> {
    let known = net.known();
    let five = net.head(5, ZERO, &known);
    let good = net.edition(5, &five);
    let wrong = |path: &str, note: &str, wrong: String| {
        let steps = [
            good.clone(),
            vec![wrong],
            exchange(5, NOTHING),
            good.clone(),
            exchange(6, "takes 1, shows 5, sends"),
        ];
        net.case(path, "LOG-09", note, &steps)
    };
    let mut other = Frontier::empty();
    other.push(b"another directory");
    let other_head = net.head(5, Digest([0x77; 32]), &known);
    let fork = tree(&[(&known, &other_head)]).checkpoint();
    // Its roster is not the one that the app came with.
    let rosters = |path: &str, check: &str, note: &str, bend: &dyn Fn(&mut Roster), outcome: &str| {
        let other = bent(bend);
        let directory = other.known();
        let head = other.head(5, ZERO, &directory);
        let steps = [other.edition(5, &head), vec![Net::named(&directory)], exchange(5, outcome)];
        net.case(path, check, note, &steps)
    };
    vec![
        wrong(
            "log-09-frontier",
            "a frontier of another tree",
            edge(&path::frontier(1), &hex::encode(other.to_bytes())),
        ),
        wrong("log-09-head", "the checkpoint ends with another head", checkpoint(&net.note(&fork, &[5; 3]))),
        rosters("dir-13-first-higher", "DIR-13", "a roster later than the app's", &|r| r.number = 4, FIVE),
        rosters("dir-13-first", "DIR-13", "a roster before the app's", &|r| r.number = 2, NOTHING),
        rosters(
            "dir-15-first",
            "DIR-15",
            "a roster with places for three desks, not two as the app's",
            &|r| (r.number, r.parameters.desks) = (4, 3),
            NOTHING,
        ),
    ]
}

/// After more than 336 rounds away.
fn starting_over(net: &Net) -> Vec<Case> {
    let known = net.known();
    let five = net.head(5, ZERO, &known);
    let six = net.head(6, Digest::of(&five), &known);
    // A directory with a key for the third week, and without the desk.
    let later = |net: &Net| net.town.assembled(vec![net.town.mix_key(0, 2, 336, 503, &net.town.mix)], vec![]);
    // And one with a desk that did not wait.
    let desk = IdentitySecret::from_seed(&[9; 32]);
    let hasty = net.third_week(&desk);
    let (nothing, started) = ("takes 0, shows 5, sends nothing", "takes 1, shows 341, sends");
    let offered = |before: &[Published<'_>], round: u32, directory: &[u8]| {
        let previous = before.last().map_or(ZERO, |(_, head)| Digest::of(head));
        let head = net.head(round, previous, directory);
        [net.after(before, round, (directory, &head)), vec![Net::named(directory)]].concat()
    };
    let first = || [net.edition(5, &five), exchange(5, FIVE)].concat();
    // Rosters of a higher number: the fifth edition brings one.
    let next = bent(|r| r.number = 4);
    let counted = next.known();
    let counted_five = next.head(5, ZERO, &counted);
    let fourth = || [next.edition(5, &counted_five), vec![Net::named(&counted)], exchange(5, FIVE)].concat();
    let back = |directory: &[u8], outcome: &str| {
        [offered(&[(&counted, &counted_five)], 342, directory), exchange(342, outcome)].concat()
    };
    vec![
        net.case(
            "away-336",
            "DIR-14",
            "336 rounds away the log is followed, and a new desk has to wait; after 337 a device starts over",
            &[
                first(),
                offered(&[(&known, &five)], 341, &hasty),
                exchange(341, nothing),
                exchange(342, started),
            ],
        ),
        net.case(
            "log-10-away",
            "LOG-10",
            "a device starts over, and the checkpoint is of a smaller tree than it held",
            &[
                first(),
                net.after(&[(&known, &five)], 6, (&known, &six)),
                exchange(6, SIX),
                offered(&[], 343, &later(net)),
                exchange(343, "takes 0, shows 6, sends nothing"),
            ],
        ),
        net.case(
            "dir-13-away-same",
            "DIR-13",
            "a device starts over with the roster that it held",
            &[fourth(), back(&later(&next), "takes 1, shows 342, sends")],
        ),
        net.case(
            "dir-13-away",
            "DIR-13",
            "a device starts over, and the roster is that of the app, which is before the one that it held",
            &[fourth(), back(&later(net), nothing)],
        ),
    ]
}

/// Which of the two bundles a device takes, and what it makes of it.
fn pages(net: &Net) -> Vec<Case> {
    let known = net.known();
    let another = |id: u8| Story { id: StoryId([id; 16]), ..story() };
    let [one, two, three] = [story(), another(0xb1), another(0xb2)];
    let all = |stories: &[&Story]| stories.iter().copied().cloned().collect::<Vec<_>>();
    let bundle = |stories: &[&Story]| Bundle { stories: all(stories), gone: vec![] }.pack();
    let head = |round, previous, changes: &[&Story], front: &[&Story], page: &[&Story]| {
        let (changes, front) = (bundle(changes).1, bundle(front).1);
        let page = page_digest(&all(page));
        net.signed(&Head { changes, front, page, ..net.unsigned(round, previous, &known) })
    };
    let has = |stories: &[&Story]| {
        let (bytes, named) = bundle(stories);
        vec![edge(&path::bundle(&named.digest), &hex::encode(bytes))]
    };
    let five = head(5, ZERO, &[&one], &[&one], &[&one]);
    let six = head(6, Digest::of(&five), &[&two], &[&one, &two], &[&one, &two]);
    // Its whole page is the one that it names, and its changes make another.
    let torn = head(6, Digest::of(&five), &[&three], &[&one, &two], &[&one, &two]);
    let seven = head(7, Digest::of(&torn), &[&three], &[&one, &two, &three], &[&one, &two, &three]);
    let first = || [net.edition(5, &five), has(&[&one]), exchange(5, FIVE)].concat();
    let then = |head: &[u8]| net.after(&[(&known, &five)], 6, (&known, head));
    vec![
        net.case(
            "changes",
            "EDN-14",
            "of an edition that follows the one held the changes are there, and the whole page is not",
            &[first(), then(&six), has(&[&two]), exchange(6, SIX), restart("shows 6")],
        ),
        net.case(
            "front",
            "EDN-14",
            "a device that holds none: the whole page is there, and the changes are not",
            &[then(&six), has(&[&one, &two]), exchange(6, SIX), restart("shows 6")],
        ),
        net.case(
            "edn-14-changes",
            "EDN-14",
            "changes that make another page: refused, and of the next edition the whole page is taken",
            &[
                first(),
                then(&torn),
                has(&[&three]),
                has(&[&one, &two]),
                exchange(6, STAYS),
                net.after(&[(&known, &five), (&known, &torn)], 7, (&known, &seven)),
                has(&[&one, &two, &three]),
                exchange(7, "takes 2, shows 7, sends"),
            ],
        ),
    ]
}

/// Of two mixes the first has a key for each round, and says which in heads.
fn round_keys() -> Case {
    let net = Net { town: Town::of_two() };
    let directory = net.known();
    let key = |seed: u8, round: u32| {
        let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
        let (hop, from, until) = (0, Round(round), Round(round));
        let key = proto::directory::MixKey { hop, key, from, until };
        Unverified::sign(&key, &net.town.network(), &net.town.first)
    };
    let head = |round, previous, round_keys| {
        net.signed(&Head { round_keys, ..net.unsigned(round, previous, &directory) })
    };
    let five = head(5, ZERO, vec![key(1, 5), key(2, 6)]);
    let six = |seed: u8| head(6, Digest::of(&five), vec![key(seed, 6), key(3, 7)]);
    let then = |seed: u8| net.after(&[(&directory, &five)], 6, (&directory, &six(seed)));
    net.case(
        "exc-08-round-key",
        "EXC-08",
        "another key of the first mix for a round than the head before said; then the same",
        &[
            net.after(&[], 5, (&directory, &five)),
            exchange(5, FIVE),
            then(4),
            exchange(6, STAYS),
            then(2),
            exchange(7, SIX),
        ],
    )
}
