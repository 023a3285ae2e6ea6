//! What the place of an entry in a batch tells, and what does not: whose it is, in which round it came, of which class.

use std::path::Path;

use super::*;
use proto::envelope::open_layer;
use proto::mix::chain;
use proto::size::ENVELOPE;
use server::edge::{KnownBy, Relay};

/// How unevenly things stand in places: `seen[row][place]`, counted over many orders of `places` things, where each row counts the
/// same number of things of every order. It is
///
/// ```text
/// sum of (seen - expected)^2 / expected, times (places - 1) / places
/// ```
///
/// Of random orders this is distributed as chi-square with (rows - 1)(places - 1) degrees of freedom. The factor is there because
/// every order fills each place once and gives each row its number: what one place has, another lacks.
fn unevenness(seen: &[Vec<u32>]) -> (f64, usize) {
    let places = seen[0].len();
    let sum: f64 = seen
        .iter()
        .flat_map(|row| {
            let expected = f64::from(row.iter().sum::<u32>()) / places as f64;
            row.iter().map(move |&n| (f64::from(n) - expected).powi(2) / expected)
        })
        .sum();
    (sum * (places - 1) as f64 / places as f64, (seen.len() - 1) * (places - 1))
}

/// How likely random orders are at least as uneven: for an even number of degrees of freedom, with y = x / 2, chi-square exceeds x
/// with the chance e^-y (1 + y + y^2 / 2! + ...), as many terms as half the degrees.
fn by_chance(seen: &[Vec<u32>]) -> f64 {
    let (x, degrees) = unevenness(seen);
    assert!(degrees.is_multiple_of(2));
    let mut term = (-x / 2.0).exp();
    let mut sum = 0.0;
    for k in 1..=degrees / 2 {
        sum += term;
        term *= x / 2.0 / k as f64;
    }
    sum
}

/// Below this nobody believes in chance: a test with honest mixes fails once in a million seeds.
const NEVER: f64 = 1e-6;

#[test]
fn an_order_that_leans_is_told_from_a_random_one() {
    let mut rng = StdRng::seed_from_u64(70);
    let table = |order: &mut dyn FnMut(&mut Vec<usize>)| {
        let mut seen = vec![vec![0; 5]; 5];
        for _ in 0..32 {
            let mut places: Vec<_> = (0..5).collect();
            order(&mut places);
            places.iter().enumerate().for_each(|(place, &thing)| seen[thing][place] += 1);
        }
        by_chance(&seen)
    };
    use rand::seq::SliceRandom as _;
    assert!(table(&mut |places| places.shuffle(&mut rng)) > 0.001);
    assert!(table(&mut |_| ()) < NEVER);
    // The first stays where it is, twice in three.
    let mut n = 0;
    let leaning = table(&mut |places| {
        n += 1;
        places[usize::from(n % 3 > 0)..].shuffle(&mut rng);
    });
    assert!(leaning < NEVER, "{leaning}");
}

/// The middle mix has all the keys of its hop and sees all three rounds in one batch; where an entry stands says nothing of
/// the round in which it came.
#[test]
fn three_short_rounds_merged_cannot_be_sorted_by_round() {
    const BATCHES: usize = 24;
    let mut net = Net::start(Town::bent(200, 3, |p| p.n_min = 6), None);
    let schedule = net.town.schedule();
    let mut seen = vec![vec![0; 6]; 3];
    // From round 6 on, so that all three are always of one day.
    for r in (6..).step_by(3).take(BATCHES) {
        net.play(1, Round(r + 5));
        let rounds = [r, r + 1, r + 2].map(|r| {
            net.at(schedule.start(Round(r)).plus(200));
            net.two_covers(r)
        });
        net.at(schedule.start(Round(r + 3)).plus(200));
        assert_eq!(net.counts(r..=r + 2, 0), [(6, 6)]);
        for (place, entry) in net.taken(1, r + 2).iter().enumerate() {
            let round = rounds.iter().position(|sent| sent.contains(entry)).unwrap();
            seen[round][place] += 1;
        }
    }
    let chance = by_chance(&seen);
    assert!(chance > NEVER, "{chance}: {seen:?}");
    net.stop();
}

/// Where it ends, as the threat model says: over the border of a day the middle mix opens each entry with the key of the day on
/// which it was sent, and so knows that day.
#[test]
fn the_days_change_shows_in_a_batch_merged_over_it() {
    let mut net = Net::start(Town::bent(71, 3, |p| p.n_min = 6), None);
    net.play(1, Round(47));
    let schedule = net.town.schedule();
    let sent = [22, 23, 24].map(|r| {
        net.at(schedule.start(Round(r)).plus(200));
        net.two_covers(r)
    });
    net.at(schedule.start(Round(25)).plus(200));
    let batch = net.taken(1, 24);
    assert_eq!((batch.len(), net.counts(22..=24, 0)), (6, vec![(6, 6)]));
    let wire = net.directory().wire();
    let days = [23, 24].map(|r| net.secret_of(1, Round(r)));
    for entry in &batch {
        let opens = [0, 1].map(|day| open_layer(&wire, 1, &days[day], entry).is_ok());
        assert_eq!(opens, if sent[2].contains(entry) { [false, true] } else { [true, false] });
    }
    net.stop();
}

/// How many of some things are told right by whoever learned, from as many others, how often each bit is set in either kind.
fn told_right(learn: [&[Vec<u8>]; 2], judge: [&[Vec<u8>]; 2]) -> f64 {
    let bits =
        |it: &Vec<u8>| it.iter().flat_map(|byte| (0..8).map(move |bit| i64::from(byte >> bit & 1))).collect();
    let sums = learn.map(|kind| {
        let all: Vec<Vec<i64>> = kind.iter().map(bits).collect();
        (0..all[0].len()).map(|at| all.iter().map(|it| it[at]).sum()).collect::<Vec<i64>>()
    });
    let leans = || sums[0].iter().zip(&sums[1]).map(|(a, b)| a - b);
    let middle: i64 = sums[0].iter().zip(&sums[1]).map(|(a, b)| (a - b) * (a + b)).sum();
    // Nearer to the first kind's mean than to the second's.
    let is_first = |it: &Vec<u8>| {
        let score: i64 = bits(it).into_iter().zip(leans()).map(|(bit, lean)| bit * lean).sum();
        2 * learn[0].len() as i64 * score > middle
    };
    let right = judge[0].iter().filter(|it| is_first(it)).count()
        + judge[1].iter().filter(|it| !is_first(it)).count();
    right as f64 / (judge[0].len() + judge[1].len()) as f64
}

/// P1, P2: the relay knows whose each envelope is, and the first mix which entry came out of it and where it put it. The entry does
/// not tell its class, and behind the middle mix it stands anywhere. A relay that tells no addresses leaves none at the edge.
#[test]
fn a_relay_and_the_first_mix_together_learn_the_order_and_no_class() {
    const ROUNDS: u32 = 24;
    let relay = Relayed::new();
    let mut net = Net::bearing(relay.ceilings(), Town::new(72), None);
    let schedule = net.town.schedule();
    // One round with everybody honest.
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..4 {
        let cover = net.cover();
        relay.pass_on(&net, n, Round(5), cover);
    }
    net.at(schedule.drops_due(Round(5)));
    assert_eq!(net.counts(5..=5, 0), [(4, 4)]);
    // The exit is not theirs: in its place the test looks as none of them can.
    net.mixes[2] = None;
    let wire = net.directory().wire();
    let (mut tips, mut covers) = (vec![], vec![]);
    let mut seen = vec![vec![0; 5]; 5];
    for r in 6..6 + ROUNDS {
        net.at(schedule.start(Round(r)).plus(200));
        net.play(0, Round(r + 13));
        let uploads: Vec<_> =
            (0..5).map(|n| if (r + n) % 2 == 0 { net.tip("told to a desk") } else { net.cover() }).collect();
        for (n, body) in (0..).zip(&uploads) {
            relay.pass_on(&net, 5 * r as u8 % 200 + n, Round(r), body.clone());
        }
        net.at(schedule.start(Round(r + 1)).plus(200));
        let path = format!("/v1/rounds/{r}/envelopes/0");
        let envelopes = net.signed(&net.town.mixes[0], "GET", &path, vec![]).unwrap().1;
        assert_eq!(envelopes, uploads.concat(), "address by address");
        let key = net.secret_of(0, Round(r));
        let open = |envelope: &[u8]| open_layer(&wire, 0, &key, envelope).unwrap().1;
        let entries: Vec<_> = envelopes.chunks_exact(ENVELOPE).map(open).collect();
        assert!(entries.iter().all(|entry| entry.len() == wire.cascade.layer(1)));
        for (n, entry) in (0..).zip(&entries) {
            if (r + n) % 2 == 0 { &mut tips } else { &mut covers }.push(entry.clone());
        }
        // In the order of addresses, with the manifest of an honest one.
        let digest = chain(None, envelopes.chunks_exact(ENVELOPE));
        let handed = net.made(0, r, &entries, |m| m.inputs = vec![digest]);
        assert_eq!(net.hand(0, r, &handed), 200);
        net.settle();
        let middle = net.secret_of(1, Round(r));
        let behind: Vec<_> = entries.iter().map(|e| open_layer(&wire, 1, &middle, e).unwrap().1).collect();
        for (place, blob) in net.taken(2, r).iter().enumerate() {
            seen[behind.iter().position(|it| it == blob).unwrap()][place] += 1;
        }
    }
    let chance = by_chance(&seen);
    assert!(chance > NEVER, "{chance}: {seen:?}");
    // 60 of each kind. 60 judged: half of them right by chance, with a standard deviation of 6.5 %.
    assert_eq!((tips.len(), covers.len()), (60, 60));
    let judged = |tips: &[Vec<u8>], covers: &[Vec<u8>]| {
        let (tips, covers) = (tips.split_at(30), covers.split_at(30));
        told_right([tips.0, covers.0], [tips.1, covers.1])
    };
    let right = judged(&tips, &covers);
    assert!((0.2..0.8).contains(&right), "told right: {right}");
    // A mark of sixteen bytes among 7,056 would be noticed.
    tips.iter_mut().for_each(|tip| tip[100..116].fill(0));
    covers.iter_mut().for_each(|cover| cover[100..116].fill(0xff));
    assert!(judged(&tips, &covers) > 0.9);
    relay.check_no_address(&net);
    net.stop();
}

/// A relay that the edge knows by its secret, and that tells no addresses. What its clients say of theirs passes through it.
struct Relayed(tempfile::TempDir);

impl Relayed {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        server::seed::write(&folder.path().join("relay.key"), &[0x11; 32]).unwrap();
        Self(folder)
    }

    fn ceilings(&self) -> Ceilings {
        let known_by = KnownBy::Secret(self.0.path().join("relay.key"));
        Ceilings {
            address: 2,
            relays: vec![Relay { known_by, ceiling: 100, tells_address_in: None }],
            ..Ceilings::default()
        }
    }

    fn pass_on(&self, net: &Net, client: u8, round: Round, body: Vec<u8>) {
        let request = net
            .http
            .post(format!("http://{}/v1/rounds/{round}/envelopes", net.address))
            .header("firsthand-relay", "11".repeat(32))
            .header("x-forwarded-for", format!("203.0.113.{client}"))
            .body(body);
        assert_eq!(net.runtime.block_on(request.send()).unwrap().status(), 202);
    }

    /// In no file of the edge or of the first mix.
    fn check_no_address(&self, net: &Net) {
        let mut files = 0;
        let mut folders = vec![net.folder.path().join("edge"), net.folder.path().join("mix0")];
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                files += 1;
                let bytes = std::fs::read(&path).unwrap();
                for mark in
                    [&b"203.0.113."[..], &[203, 0, 113, 77], b"127.0.0.1", &"11".repeat(32).into_bytes()]
                {
                    let found = bytes.windows(mark.len()).any(|window| window == mark);
                    assert!(!found, "{} holds {mark:?}", Path::new(&path).display());
                }
            }
        }
        assert!(files > 4);
    }
}

impl Net {
    /// Uploads two covers for round `r`, and returns what the middle mix will receive of them.
    fn two_covers(&mut self, r: u32) -> [Vec<u8>; 2] {
        let (wire, key) = (self.directory().wire(), self.secret_of(0, Round(r)));
        [(); 2].map(|()| {
            let cover = self.cover();
            assert!(self.upload(Round(r), cover.clone()));
            open_layer(&wire, 0, &key, &cover).unwrap().1
        })
    }
}
