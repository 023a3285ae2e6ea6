use proptest::prelude::*;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::compare::{Range, Stated};
use super::*;
use crate::directory::tests::{mix_key, town};
use crate::hold::Hold;
use crate::id::Digest;
use crate::mix::{BatchId, Gathering, Input, Inputs, KEPT_INPUT_ROUNDS, Rule};

const LIMITS: Limits = Limits { exit: 2, n_min: Range::of(4), n_max: Range::of(30), onions: Range::of(6) };
const FIRST: Round = Round(0);

fn batch(round: u32, part: u16) -> BatchId {
    BatchId { round: Round(round), part }
}

fn made(hop: u8, round: u32, part: u16) -> Made {
    Made { hop, batch: batch(round, part) }
}

/// The output of a batch; no two are alike.
fn output(hop: u8, batch: BatchId) -> Digest {
    Digest::of(&[&[hop][..], &batch.round.0.to_be_bytes(), &batch.part.to_be_bytes()].concat())
}

fn manifest(hop: u8, batch: BatchId, inputs: Vec<Digest>, count_in: u32, count_out: u32) -> Manifest {
    let outputs = vec![output(hop, batch)];
    Manifest { batch, hop, inputs, count_in, count_out, outputs, deleted: 0, alarm: false }
}

fn found(manifests: impl IntoIterator<Item = Manifest>, first: Option<Round>, now: u32) -> Vec<What> {
    let heads = (first.map_or(0, |first| first.0)..=now).map(Round).collect();
    let compare = Compare { limits: LIMITS, first, heads, found: Vec::new() };
    let stated = manifests.into_iter().map(|it| (Round(it.batch.round.0 + 2), it)).collect();
    compare.all(stated).found.into_iter().map(|found| found.what).collect()
}

/// What is found of this alone: no test is also of what a network is told that stops.
fn of_batches(manifests: impl IntoIterator<Item = Manifest>, first: Option<Round>, now: u32) -> Vec<What> {
    let mut found = found(manifests, first, now);
    found.retain(|what| !matches!(what, What::Silent(..) | What::Merged(..)));
    found
}

/// Ten rounds in which ten envelopes come, six onions are added twice, and drops of eight slots are written.
fn calm() -> Vec<Manifest> {
    let of = |round| {
        let batch = batch(round, 0);
        [
            manifest(0, batch, vec![Digest([round as u8; 32])], 10, 16),
            manifest(1, batch, vec![output(0, batch)], 16, 22),
            manifest(2, batch, vec![output(1, batch)], 22, 8),
        ]
    };
    (0..10).flat_map(of).collect()
}

/// What is found if this is done to the manifest of `hop` for round 5.
fn bent(hop: u8, bend: impl Fn(&mut Manifest)) -> Vec<What> {
    let mut all = calm();
    let it = all.iter_mut().find(|it| it.hop == hop && it.batch == batch(5, 0)).unwrap();
    bend(it);
    found(all, None, 9)
}

#[test]
fn what_fits_is_not_found() {
    assert_eq!(found(calm(), None, 11), []);
    assert_eq!(of_batches(calm(), None, 200), []);
}

#[test]
fn an_input_that_nobody_made_is_found() {
    let what = bent(1, |it| it.inputs = vec![Digest([0x77; 32])]);
    assert_eq!(what, [What::Unmade(made(1, 5, 0))]);
    assert!(!what[0].is_untrue(), "edge or press may have kept the manifest out of the heads");
    // The same to who began to read later, if it can hang on what came before.
    let mut all = calm();
    all.retain(|it| it.batch.round.0 > 4 || it.hop > 0);
    assert_eq!(found(all.clone(), Some(Round(4)), 9), []);
    assert_eq!(found(all, None, 9), (0..5).map(|r| What::Unmade(made(1, r, 0))).collect::<Vec<_>>());
}

#[test]
fn more_or_fewer_entries_taken_than_were_passed_on_are_found() {
    assert_eq!(bent(1, |it| it.count_in = 19)[0], What::TookMore(made(1, 5, 0), 3));
    assert_eq!(bent(1, |it| it.count_in = 15)[0], What::TookLess(made(1, 5, 0), 1));
    assert_eq!(bent(2, |it| it.count_in = 0), [What::TookLess(made(2, 5, 0), 22)]);
    assert!(!What::TookLess(made(2, 5, 0), 22).is_untrue());
}

#[test]
fn an_input_may_be_taken_in_two_batches_and_no_more_of_it_than_there_is() {
    let split = |second| {
        [
            manifest(0, batch(0, 0), vec![], 40, 36),
            manifest(1, batch(0, 0), vec![output(0, batch(0, 0))], 20, 26),
            manifest(1, batch(1, 0), vec![output(0, batch(0, 0))], second, second + 6),
        ]
    };
    assert_eq!(found(split(16), None, 0), []);
    // Named again in the newest of all, what is missing is told all the same once nothing of it can come.
    assert_eq!(found(split(15), None, 1), []);
    assert_eq!(of_batches(split(15), None, 49)[0], What::TookLess(made(1, 1, 0), 1));
    assert_eq!(found(split(17), None, 0)[0], What::TookMore(made(1, 1, 0), 1));
}

#[test]
fn more_out_of_a_mix_than_came_in_is_found() {
    assert_eq!(bent(1, |it| it.count_out = 23)[0], What::MadeMore(made(1, 5, 0), 1));
    // What it took before anybody read may come out later, for so long.
    let later = |round| {
        let all = [
            manifest(1, batch(0, 0), vec![Digest([1; 32])], 5, 11),
            manifest(1, batch(round, 0), vec![Digest([2; 32])], 5, 17),
        ];
        found(all, Some(FIRST), round)
    };
    assert!(!later(KEPT_INPUT_ROUNDS).iter().any(|what| matches!(what, What::MadeMore(..))));
    let round = KEPT_INPUT_ROUNDS + 1;
    assert!(later(round).contains(&What::MadeMore(made(1, round, 0), 1)));
}

#[test]
fn an_input_that_was_taken_with_breaks_between_is_not_found() {
    let first = [batch(0, 0), batch(1, 0), batch(2, 0)];
    let passed = |n: usize, out: u32| manifest(0, first[n], vec![Digest([n as u8; 32])], out - 6, out);
    let before = [passed(0, 30), passed(1, 20), passed(2, 20)];
    let take = |round, inputs: &[usize], count_in| {
        manifest(1, batch(round, 0), inputs.iter().map(|n| output(0, first[*n])).collect(), count_in, 16)
    };
    let all = |taken: &[Manifest]| found(before.iter().chain(taken).cloned(), None, 5);
    // The edge listed the first no more for a while.
    let rest = take(3, &[0], 18);
    assert_eq!(all(&[take(0, &[0], 12), take(1, &[1], 20), take(2, &[2], 20), rest]), []);
    let more = take(3, &[0], 19);
    let what = all(&[take(0, &[0], 12), take(1, &[1], 20), take(2, &[2], 20), more]);
    assert_eq!(what, [What::TookMore(made(1, 3, 0), 1)]);
    assert!(what[0].is_untrue());
    // Whose entries were whose nobody says: those of the second batch were of the first input, or the last had none.
    let mixed = [take(0, &[0, 1], 20), take(1, &[1], 15), take(2, &[2, 0], 35)];
    assert_eq!(all(&mixed), []);
    let other = [take(0, &[1, 0], 20), take(1, &[1], 20), take(2, &[0, 2], 30)];
    assert_eq!(all(&other), []);
    // It was never taken to its end.
    let what = all(&[take(0, &[0], 12), take(1, &[1], 20), take(2, &[2], 20)]);
    assert_eq!(what, [What::TookLess(made(1, 0, 0), 18)]);
}

/// It is seen for the first time in a batch that could name what nobody read.
#[test]
fn an_input_that_is_made_up_is_told_once_whatever_was_before() {
    let forged = Digest([0xee; 32]);
    let stated = |r: u32| {
        let (first, second) = (batch(r, 0), batch(r, 0));
        [manifest(0, first, vec![], 10, 16), manifest(1, second, vec![output(0, first), forged], 16, 22)]
    };
    let all: Vec<_> = (0..100).flat_map(stated).collect();
    let unmade = |what: &What| matches!(what, What::Unmade(_));
    let told: Vec<_> = found(all, Some(Round(0)), 100).into_iter().filter(unmade).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].is_untrue());
}

/// An edge keeps a middle mix waiting for all that it holds, and then gives it the batches that it kept.
#[test]
fn a_days_wait_is_told_though_every_batch_has_its_round_in_its_name() {
    let stated = |r: u32| {
        let [first, second, _] = <[Manifest; 3]>::try_from(calm()[..3].to_vec()).unwrap();
        let at = if (10..33).contains(&r) { 34 } else { r + 1 };
        let first = Manifest { outputs: vec![output(0, batch(r, 0))], batch: batch(r, 0), ..first };
        let of = |it: Manifest| Manifest {
            batch: batch(r, 0),
            inputs: vec![output(0, batch(r, 0))],
            outputs: vec![output(1, batch(r, 0))],
            ..it
        };
        [(Round(r + 1), first), (Round(at), of(second))]
    };
    let told = |stated: Vec<Stated>| {
        let compare =
            Compare { limits: LIMITS, first: None, heads: (0..=40).map(Round).collect(), found: Vec::new() };
        compare.all(stated).found
    };
    let kept: Vec<_> = (0..40).flat_map(stated).collect();
    let found = told(kept.clone());
    let silent = Finding { round: Round(22), what: What::Silent(1, Round(11), Round(33)) };
    assert!(found.contains(&silent), "{found:?}");
    // It shows a batch of before now and then, so that the mix is not silent.
    let (mut kept, mut old) = (kept, 0);
    for (round, _) in kept.iter_mut().filter(|(_, it)| it.hop == 1 && it.batch.round.0 < 10) {
        *round = Round(old * 6);
        old += 1;
    }
    let found = told(kept);
    assert!(!found.iter().any(|it| matches!(it.what, What::Silent(..))), "{found:?}");
    let late = |r: u32| Finding { round: Round(34), what: What::Late(made(1, r, 0), 34 - r) };
    for r in 10..=21 {
        assert!(found.contains(&late(r)), "{r}: {found:?}");
    }
    assert!(!found.contains(&late(22)), "it could have stood in eleven heads");
}

/// An edge gives a middle mix two batches, and has the press show one of them late; then all that it kept back, behind newer ones.
#[test]
fn a_days_wait_is_told_though_the_mix_is_never_silent_nor_late() {
    let names = |head: u32| match head {
        1..=18 => Some(head - 1),
        21 => Some(18),
        31 => Some(19),
        43 => Some(40),
        44.. => Some(head - 1),
        _ => None,
    };
    let stated =
        (1..70).filter_map(|head| Some((Round(head), manifest(1, batch(names(head)?, 0), vec![], 10, 16))));
    let heads: Vec<_> = (0..70).map(Round).collect();
    let compare = Compare { limits: LIMITS, first: Some(Round(0)), heads, found: Vec::new() };
    let found = compare.all(stated.collect()).found;
    let waits = |it: &Finding| matches!(it.what, What::Silent(..) | What::Late(..));
    assert!(!found.iter().any(waits), "{found:?}");
    let merged = What::Merged(1, Round(20), Round(39));
    assert!(found.iter().any(|it| it.what == merged), "{found:?}");
}

#[test]
fn silence_is_counted_in_heads_and_told_while_it_goes_on() {
    let told = |heads: Vec<u32>, speak: Vec<u32>| {
        let speak = speak.into_iter().map(|r| (Round(r), manifest(1, batch(r, 0), vec![], 10, 16)));
        let heads: Vec<_> = heads.into_iter().map(Round).collect();
        let first = heads.first().copied();
        let compare = Compare { limits: LIMITS, first, heads, found: Vec::new() };
        let found = compare.all(speak.collect()).found;
        found
            .into_iter()
            .filter(|it| matches!(it.what, What::Silent(..)))
            .map(|it| (it.round.0, it.what))
            .collect::<Vec<_>>()
    };
    let silent = |from, until| What::Silent(1, Round(from), Round(until));
    assert_eq!(told((0..20).collect(), vec![5, 17]), [], "eleven heads");
    assert_eq!(told((0..20).collect(), vec![5, 18]), [(17, silent(6, 17))]);
    // It stopped, and nothing of it came since.
    assert_eq!(told((0..30).collect(), vec![5]), [(17, silent(6, 29))]);
    assert_eq!(told((0..12).collect(), vec![]), [(11, silent(0, 11))]);
    // The press made no edition meanwhile.
    assert_eq!(told((0..100).chain(120..125).collect(), (0..100).chain(120..125).collect()), []);
}

#[test]
fn what_one_mix_makes_of_another_by_two_names_for_one_batch_is_its_own() {
    let [a, b] = [batch(5, 0), batch(6, 0)];
    let same = Manifest { outputs: vec![output(0, a)], ..manifest(0, b, vec![], 10, 16) };
    let next = manifest(0, batch(7, 0), vec![], 20, 26);
    // The next mix takes both: what it took before opens, and counts as taken.
    let taken = [
        manifest(1, a, vec![output(0, a)], 16, 22),
        manifest(1, batch(7, 0), vec![output(0, a), output(0, batch(7, 0))], 42, 32),
    ];
    let all = [manifest(0, a, vec![], 10, 16), same, next].into_iter().chain(taken);
    let what = found(all, None, 9);
    assert_eq!(what, [What::SameOutput(made(0, 6, 0))]);
    assert!(what[0].is_untrue());
}

#[test]
fn one_input_in_very_many_batches_is_compared_at_once() {
    let digest = output(0, batch(0, 0));
    let before = Manifest { count_out: 3_000, ..manifest(0, batch(0, 0), vec![], 3_000, 3_000) };
    let taken = (0..20_000).map(move |part| manifest(1, batch(0, part), vec![digest], 1, 0));
    // On little stack, as nothing calls itself.
    let found = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(move || found([before].into_iter().chain(taken), None, 0))
        .unwrap()
        .join()
        .unwrap();
    let more = found.iter().filter(|what| matches!(what, What::TookMore(_, 1))).count();
    assert_eq!(more, 17_000);
}

#[test]
fn inputs_that_cannot_be_compared_are_told() {
    // Each of a row of batches names its input and the one before, which nobody took. Each batch at the end takes of the last input, for
    // which every batch of the row has to take one entry less of its input and one more of that before.
    let found_of = |links: u32, ends: u32| {
        let first: Vec<_> = (0..=links).map(|r| manifest(0, batch(r, 0), vec![], ends, ends)).collect();
        let row = (0..links).map(|r| {
            let inputs = vec![output(0, batch(r + 1, 0)), output(0, batch(r, 0))];
            manifest(1, batch(r, 0), inputs, ends, 0)
        });
        let last = output(0, batch(links, 0));
        let ends = (0..ends).map(|part| manifest(1, batch(links, part as u16), vec![last], 1, 0));
        let untaken = manifest(0, batch(links, 1), vec![], 0, 1);
        found(first.into_iter().chain(row).chain(ends).chain([untaken]), None, links + 60)
    };
    let flow = |what: &What| matches!(what, What::Tangled(_) | What::TookMore(..) | What::TookLess(..));
    let told = |links, ends| found_of(links, ends).into_iter().filter(flow).collect::<Vec<_>>();
    assert_eq!(told(50, 50), []);
    assert_eq!(told(2_000, 4_000), [What::Tangled(1)]);
    let untaken = |what: &What| *what == What::Untaken(made(0, 2_000, 1), 1);
    assert!(found_of(2_000, 4_000).iter().any(untaken), "what needs no comparison is told all the same");
}

/// A manifest may name some thousand inputs; each named once and in order is no tangle, however many there are.
#[test]
fn very_many_inputs_that_are_named_once_are_compared() {
    let before = (0..8 * 1_900_u32).map(|n| manifest(0, batch(n / 1_900, (n % 1_900) as u16), vec![], 1, 1));
    let taken = (0..8_u32).map(|r| {
        let inputs = (0..1_900_u16).map(|part| output(0, batch(r, part))).collect();
        manifest(1, batch(r, 0), inputs, 1_900, 1_906)
    });
    let found = found(before.chain(taken), Some(FIRST), 8);
    assert!(!found.iter().any(|what| matches!(what, What::Tangled(_) | What::TookMore(..))), "{found:?}");
}

#[test]
fn an_edge_that_shows_the_newest_editions_alone_is_told() {
    let first = |asked, head: u32, previous| {
        let mut audit = Audit::new(Round(asked));
        audit.begin(Round(head), previous);
        audit.findings
    };
    let (none, one) = (Digest([0; 32]), Digest([1; 32]));
    assert_eq!(first(100, 100, one), []);
    assert_eq!(first(100, 102, one), [], "they went while it was asked");
    let unread = Finding { round: Round(103), what: What::Unread(Round(100)) };
    assert_eq!(first(100, 103, one), [unread]);
    assert_eq!(first(0, 5, none), [], "there are none before");
}

#[test]
fn a_batch_that_is_too_small_or_too_large_is_found() {
    assert_eq!(bent(0, |it| it.count_out = 9)[0], What::Small(made(0, 5, 0), 3));
    let large = bent(0, |it| (it.count_in, it.count_out) = (40, 37));
    assert_eq!(large[0], What::Large(made(0, 5, 0), 31));
    assert!(!large[0].is_untrue(), "a mix goes over to another roster's sizes when it is restarted");
}

#[test]
fn a_further_batch_that_is_not_full_is_told() {
    let cut = |hop, out| {
        let mut all = calm();
        all.retain(|it| it.hop == hop);
        all.push(manifest(hop, batch(5, 1), vec![], 0, out));
        found(all, Some(FIRST), 9)
    };
    let full = LIMITS.n_max.least + LIMITS.onions.most;
    for hop in [0, 1] {
        assert_eq!(cut(hop, full - 1), [What::Cut(made(hop, 5, 1), LIMITS.n_max.least - 1)]);
        assert_eq!(cut(hop, full), []);
    }
    assert!(!What::Cut(made(0, 5, 1), 4).is_untrue(), "a mix may go by a roster with smaller batches");
}

#[test]
fn two_statements_on_one_batch_are_found() {
    let mut all = calm();
    all.push(all[0].clone());
    assert_eq!(found(all.clone(), None, 9), [], "the same twice is one");
    all.push(Manifest { count_in: 11, ..all[0].clone() });
    assert_eq!(found(all, None, 9), [What::TwoManifests(made(0, 0, 0))]);
}

#[test]
fn a_batch_that_nobody_took_is_found_when_nothing_of_it_can_come_any_more() {
    let mut all = calm();
    all.retain(|it| it.hop == 0 || it.batch != batch(9, 0));
    assert_eq!(of_batches(all.clone(), None, 9 + KEPT_INPUT_ROUNDS), []);
    assert_eq!(of_batches(all, None, 10 + KEPT_INPUT_ROUNDS), [What::Untaken(made(0, 9, 0), 16)]);
}

#[test]
fn silence_alarms_and_deletions_are_told() {
    let mut all = calm();
    all.retain(|it| it.hop == 1);
    let end = 10 + QUIET as u32;
    let last = manifest(1, batch(end, 0), vec![Digest([9; 32])], 4, 10);
    all.extend([Manifest { deleted: 3, ..last }]);
    for it in &mut all[7..9] {
        it.alarm = true;
    }
    let silent = What::Silent(1, Round(12), Round(end + 1));
    let told = found(all, Some(FIRST), end + 2);
    assert_eq!(told, [silent, What::Alarm(1), What::Deleted(made(1, end, 0), 3)]);
}

#[test]
fn a_key_that_is_late_is_told_once_and_a_desk_that_goes_when_it_goes() {
    let mut town = town();
    let directory = town.verified().unwrap();
    let desk = Desk { newsroom: "The Herald".into(), name: "Tips".into() };
    let mut audit = Audit::new(Round(0));
    let mut told = |directory: &Directory, round| {
        audit.read_directory(directory, Round(round));
        core::mem::take(&mut audit.findings).into_iter().map(|it| (it.round.0, it.what)).collect::<Vec<_>>()
    };
    // The keys of a day, until round 23, have a quarter of a day left from round 18 on; those of the week from 126 on.
    assert_eq!(told(&directory, 17), []);
    assert_eq!(told(&directory, 18), [(18, What::KeyLate(1, Round(24)))]);
    assert_eq!(told(&directory, 19), [], "it was said");
    assert_eq!(told(&directory, 125), []);
    let late = [What::KeyLate(2, Round(168)), What::DeskKeyLate(desk.clone(), Round(168))];
    assert_eq!(told(&directory, 126), late.map(|it| (126, it)));
    assert_eq!(told(&town.deserted(), 127), [(127, What::DeskGone(desk))]);
    assert_eq!(told(&directory, 128), [], "it came back");

    let next = mix_key(&mut town.rng, 1, 24);
    town.mix_keys.insert(1, next);
    let mut audit = Audit::new(Round(0));
    audit.read_directory(&town.verified().unwrap(), Round(18));
    assert_eq!(audit.findings, [], "the next day's key is there");
}

/// Three mixes as they are: `envelopes` come in each round, of which some do not open; the second mix holds.
fn mixed(envelopes: &[u32], seed: u64) -> Vec<Manifest> {
    let mut rng = StdRng::seed_from_u64(seed);
    let rule = Rule { n_min: LIMITS.n_min.least, n_max: LIMITS.n_max.least };
    let mut mixes = [(); 2].map(|()| Gathering::resume(rule, [], vec![], Inputs::default()));
    let mut exit = Inputs::default();
    let (mut all, mut next) = (Vec::new(), 0_i64);
    let (mut deleted, mut newest) = ([0_u32; 2], [None; 2]);
    for (round, &came) in envelopes.iter().enumerate() {
        let round = Round(round as u32);
        // What each mix is handed in this round: its name, digest and entries.
        let mut handed = vec![(BatchId { round, part: 0 }, None, came)];
        for hop in 0..2_u8 {
            let gathering = &mut mixes[usize::from(hop)];
            let mut passed = Vec::new();
            gathering.ripen(round);
            deleted[usize::from(hop)] += gathering.expire(round).len() as u32;
            for (source, digest, entries) in handed {
                for n in 1..=entries {
                    // As taken entry by entry: no run brings more than fit.
                    let digest = digest.unwrap_or(Digest([n as u8; 32]));
                    gathering.input(Input { source, at: round, digest, entries: 1 });
                    next += 1;
                    let tag = u128::from(next.unsigned_abs()).to_be_bytes();
                    if rng.random_ratio(9, 10) {
                        let held = if hop == 1 { Hold(400).draw(&mut rng) } else { 0 };
                        gathering.offer(tag, next, Round(round.0 + held));
                    }
                    // MIX-02: what is left of a round that a batch is named by waits for the next.
                    let ends = n == entries && newest[usize::from(hop)] < Some(source.round);
                    let Some(closed) = gathering.close(ends, &mut rng) else { continue };
                    newest[usize::from(hop)] = Some(round);
                    let part = passed.len() as u16;
                    let id = BatchId { round, part };
                    let out = closed.order.len() as u32 + LIMITS.onions.least;
                    all.push(Manifest {
                        deleted: core::mem::take(&mut deleted[usize::from(hop)]),
                        ..manifest(hop, id, closed.inputs, closed.count_in, out)
                    });
                    passed.push((id, Some(output(hop, id)), out));
                }
            }
            handed = passed;
        }
        for (source, digest, entries) in handed {
            exit.take(Input { source, at: round, digest: digest.unwrap(), entries });
        }
        let (inputs, count_in) = exit.close();
        all.push(manifest(2, BatchId { round, part: 0 }, inputs, count_in, 8));
    }
    all
}

proptest! {
    /// Whatever comes in whatever rounds, mixes that keep to the rule state nothing that does not fit; also to who reads the
    /// second half alone.
    #[test]
    fn honest_mixes_are_not_accused(envelopes in prop::collection::vec(0..70_u32, 1..120), seed: u64) {
        let all = mixed(&envelopes, seed);
        let now = envelopes.len() as u32;
        let accused = |what: &What| {
            what.is_untrue() || matches!(what, What::MadeMore(..) | What::Unmade(_) | What::Cut(..))
        };
        let untrue = |what: Vec<What>| what.into_iter().filter(accused).collect::<Vec<_>>();
        prop_assert_eq!(untrue(found(all.clone(), None, now)), []);
        let half = now / 2;
        let later = all.into_iter().filter(|it| it.batch.round.0 >= half);
        prop_assert_eq!(untrue(found(later, Some(Round(half)), now)), []);
    }
}
