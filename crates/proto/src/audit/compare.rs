//! The comparison: all manifests that stand in heads, hop by hop.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Sum;
use super::what::{Finding, Made, What};
use crate::directory::Directory;
use crate::id::Digest;
use crate::mix::{BatchId, KEPT_INPUT_ROUNDS, Manifest};
use crate::round::Round;

/// Heads in a row without a batch of a middle mix that are told, and so many in which a batch could have stood before: half of the
/// longest hold. Whatever waits for so long leaves with one batch.
pub const QUIET: usize = 12;
/// Comparisons of inputs with batches, of one mix, that are made at most. A mix whose batches name their inputs in order needs one for
/// each that is named.
const STEPS: u64 = 20_000_000;

/// The parameters, and how far they ranged while editions were read: a mix goes over to others only when it is restarted, so what
/// hangs on one is held against the mildest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) exit: u8,
    pub(super) n_min: Range,
    pub(super) n_max: Range,
    pub(super) onions: Range,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) least: u32,
    pub(super) most: u32,
}

impl Range {
    pub(super) const fn of(one: u32) -> Self {
        Self { least: one, most: one }
    }

    fn with(self, other: u32) -> Self {
        Self { least: self.least.min(other), most: self.most.max(other) }
    }
}

impl Limits {
    pub(super) fn of(directory: &Directory) -> Self {
        let it = directory.parameters();
        Self {
            exit: directory.wire().cascade.exit(),
            n_min: Range::of(it.n_min),
            n_max: Range::of(it.n_max),
            onions: Range::of(it.decoys.onions()),
        }
    }

    pub(super) fn with(self, directory: &Directory) -> Self {
        let it = Self::of(directory);
        Self {
            exit: it.exit,
            n_min: self.n_min.with(it.n_min.least),
            n_max: self.n_max.with(it.n_max.least),
            onions: self.onions.with(it.onions.least),
        }
    }

    /// What a mix before the exit passed on without its decoys: at least and at most.
    fn passed(&self, manifest: &Manifest) -> Range {
        // MIX-08: every batch bears them.
        Range {
            least: manifest.count_out.saturating_sub(self.onions.most),
            most: manifest.count_out.saturating_sub(self.onions.least),
        }
    }
}

pub(super) struct Compare {
    pub(super) limits: Limits,
    /// The first round read, if manifests of rounds before were not.
    pub(super) first: Option<Round>,
    /// The rounds of the heads that were read, in their order.
    pub(super) heads: Vec<Round>,
    pub(super) found: Vec<Finding>,
}

pub(super) struct Compared {
    pub(super) found: Vec<Finding>,
    pub(super) sums: Vec<Sum>,
}

/// A manifest and the round of the head in which it stands.
pub(super) type Stated = (Round, Manifest);

impl Compare {
    pub(super) fn all(mut self, manifests: Vec<Stated>) -> Compared {
        let mut hops: Vec<BTreeMap<BatchId, Stated>> =
            (0..=self.limits.exit).map(|_| BTreeMap::new()).collect();
        for (round, manifest) in manifests {
            let (hop, batch) = (manifest.hop, manifest.batch);
            let Some(stated) = hops.get_mut(usize::from(hop)) else { continue };
            match stated.get(&batch) {
                None => drop(stated.insert(batch, (round, manifest))),
                Some((_, before)) if *before == manifest => {}
                Some(_) => self.find(round, What::TwoManifests(Made { hop, batch })),
            }
        }
        for hop in 0..=self.limits.exit {
            let (before, rest) = hops.split_at(usize::from(hop));
            let stated = &rest[0];
            if let Some(before) = before.last() {
                self.hand_over(hop, before, stated);
            }
            self.twice(hop, stated);
            self.late(hop, stated);
            if hop < self.limits.exit {
                self.sizes(hop, stated);
                self.nothing_from_nothing(hop, stated);
                if hop > 0 {
                    self.silence(hop, stated);
                }
            }
            self.said(hop, stated);
        }
        let sums = hops.iter().map(|stated| self.sum(stated)).collect();
        Compared { found: self.found, sums }
    }

    /// The newest round read.
    fn now(&self) -> Round {
        self.heads.last().copied().unwrap_or(Round(0))
    }

    fn find(&mut self, round: Round, what: What) {
        self.found.push(Finding { round, what });
    }

    /// Whether a batch of this round can hang on what was stated before the first round read.
    fn hangs_on_before(&self, batch: BatchId) -> bool {
        self.first.is_some_and(|first| batch.round.0 <= first.0.saturating_add(KEPT_INPUT_ROUNDS))
    }

    /// What one mix made and what the next says it took.
    fn hand_over(&mut self, hop: u8, before: &BTreeMap<BatchId, Stated>, stated: &BTreeMap<BatchId, Stated>) {
        // One content under two names is two batches to whoever takes it.
        let mut outputs: HashMap<Digest, Output> = HashMap::new();
        for (_, manifest) in before.values() {
            let Some(digest) = manifest.outputs.first() else { continue };
            let output = outputs.entry(*digest).or_default();
            output.entries += u64::from(manifest.count_out);
            output.round = output.round.max(manifest.batch.round);
        }
        let oldest = stated.keys().next().copied();
        let mut taken = Taken::default();
        // The batch that names an input last, and the round of its head.
        let mut last: HashMap<Digest, (BatchId, Round)> = HashMap::new();
        let mut told = HashSet::new();
        let mut is_tangled = false;
        for (&batch, (round, manifest)) in stated {
            let made = Made { hop, batch };
            let (mut inputs, unmade): (Vec<Digest>, Vec<_>) =
                manifest.inputs.iter().copied().partition(|input| outputs.contains_key(input));
            // The first batch read names what came before it, however long that was.
            let can_hang = self.hangs_on_before(batch) || self.first.is_some() && Some(batch) == oldest;
            // Once for each: also for one that was named while it may have come before, and is named for ever.
            let untold = unmade.iter().filter(|input| !can_hang && told.insert(**input)).count();
            if untold > 0 {
                self.find(*round, What::Unmade(made));
            }
            inputs.extend(unmade);
            for input in &inputs {
                // Nobody knows how much there was of what no head names.
                let holds = outputs.get(input).map_or(u64::MAX, |output| output.entries);
                taken.left.entry(*input).or_insert(holds);
                last.insert(*input, (batch, *round));
            }
            match taken.take(inputs, manifest.count_in.into()) {
                _ if is_tangled => {}
                Some(0) => {}
                Some(more) => self.find(*round, What::TookMore(made, more)),
                None => {
                    self.find(*round, What::Tangled(hop));
                    is_tangled = true;
                }
            }
        }
        // What is left of an input may still be taken while nothing newer was, and for so long.
        let newest = stated.keys().next_back().copied();
        let mut less: BTreeMap<BatchId, (Round, u64)> = BTreeMap::new();
        for (input, (batch, round)) in &last {
            let Some(output) = outputs.get(input).filter(|_| !is_tangled) else { continue };
            if Some(*batch) != newest || self.is_over(output.round) {
                less.entry(*batch).or_insert((*round, 0)).1 += taken.left[input];
            }
        }
        for (batch, (round, entries)) in less {
            if entries > 0 {
                self.find(round, What::TookLess(Made { hop, batch }, entries));
            }
        }
        for (round, manifest) in before.values() {
            if self.is_over(manifest.batch.round)
                && manifest.outputs.first().is_some_and(|output| !last.contains_key(output))
            {
                let made = Made { hop: manifest.hop, batch: manifest.batch };
                self.find(*round, What::Untaken(made, manifest.count_out));
            }
        }
    }

    /// Whether nothing of what was passed on in this round can be taken any more.
    fn is_over(&self, round: Round) -> bool {
        round.0.saturating_add(KEPT_INPUT_ROUNDS) < self.now().0
    }

    /// Sealing draws anew each time: no two batches of an honest mix are the same bytes.
    fn twice(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        let mut outputs = HashSet::new();
        for (&batch, (round, manifest)) in stated {
            if manifest.outputs.iter().any(|output| !outputs.insert(*output)) {
                self.find(*round, What::SameOutput(Made { hop, batch }));
            }
        }
    }

    /// A batch bears the round that it is of, so one that was kept back is seen by the heads in which it could have stood.
    fn late(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        for (&batch, (round, _)) in stated {
            let until = |round: Round| self.heads.partition_point(|head| *head < round);
            if until(*round).saturating_sub(until(batch.round.next())) >= QUIET {
                self.find(*round, What::Late(Made { hop, batch }, round.0 - batch.round.0));
            }
        }
    }

    /// How large batches are, and how they are cut.
    fn sizes(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        for (&batch, (round, manifest)) in stated {
            let passed = self.limits.passed(manifest);
            let made = Made { hop, batch };
            // MIX-02
            if passed.most < self.limits.n_min.least {
                self.find(*round, What::Small(made, passed.most));
            }
            // MIX-03
            if passed.least > self.limits.n_max.most {
                self.find(*round, What::Large(made, passed.least));
            }
            // MIX-02: what is left of a round waits for the next.
            if batch.part > 0 && passed.most < self.limits.n_max.least {
                self.find(*round, What::Cut(made, passed.most));
            }
        }
    }

    /// By the heads, and not by the names of batches. Rounds without a head say nothing: no mix can stand in what the press did not
    /// make.
    fn silence(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        let speak: BTreeSet<Round> = stated.values().map(|(round, _)| *round).collect();
        let silent: Vec<_> = self
            .heads
            .split(|head| speak.contains(head))
            .filter(|heads| heads.len() >= QUIET)
            .map(|heads| (heads[QUIET - 1], What::Silent(hop, heads[0], heads[heads.len() - 1])))
            .collect();
        // A mix can speak in time of what it held back, a batch at a time; then many rounds are passed on under the name of one.
        let spoke = |heads: &[Round]| {
            let overlaps = |(_, what): &(Round, What)| matches!(what, What::Silent(_, since, until) if *since <= heads[heads.len() - 1] && heads[0] <= *until);
            !silent.iter().any(overlaps)
        };
        let named: BTreeSet<Round> = stated.keys().map(|batch| batch.round).collect();
        let merged: Vec<_> = self
            .heads
            .split(|head| named.contains(head))
            .filter(|heads| heads.len() > QUIET && spoke(heads))
            .map(|heads| (heads[QUIET - 1], What::Merged(hop, heads[0], heads[heads.len() - 1])))
            .collect();
        for (round, what) in silent.into_iter().chain(merged) {
            self.find(round, what);
        }
    }

    /// What leaves came before.
    fn nothing_from_nothing(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        let (mut came, mut left) = (0_u64, 0_u64);
        for (&batch, (round, manifest)) in stated {
            came += u64::from(manifest.count_in);
            if self.hangs_on_before(batch) {
                continue;
            }
            // What was deleted is not counted: its input may be forgotten by then (MIX-11).
            left += u64::from(self.limits.passed(manifest).least);
            if left > came {
                self.find(*round, What::MadeMore(Made { hop, batch }, left - came));
                left = came;
            }
        }
    }

    /// What a mix says of itself.
    fn said(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        let mut alarmed = false;
        for (&batch, (round, manifest)) in stated {
            if manifest.deleted > 0 {
                self.find(*round, What::Deleted(Made { hop, batch }, manifest.deleted));
            }
            if manifest.alarm && !alarmed {
                self.find(*round, What::Alarm(hop));
            }
            alarmed = manifest.alarm;
        }
    }

    fn sum(&self, stated: &BTreeMap<BatchId, Stated>) -> Sum {
        stated.values().fold(Sum::default(), |sum, (_, manifest)| Sum {
            batches: sum.batches + 1,
            taken: sum.taken + u64::from(manifest.count_in),
            passed: sum.passed + u64::from(manifest.count_out),
            decoys: sum.decoys
                + if manifest.hop < self.limits.exit { u64::from(self.limits.onions.least) } else { 0 },
            deleted: sum.deleted + u64::from(manifest.deleted),
        })
    }
}

/// What stands under one digest.
#[derive(Default)]
struct Output {
    entries: u64,
    round: Round,
}

/// Which entries each batch can have taken, by what was passed on: a flow from inputs to the batches that name them. An input may be
/// named in several, in a row or not, since a mix that is kept from the rest of one goes on with others.
#[derive(Default)]
struct Taken {
    /// Of each input, what no batch took so far.
    left: HashMap<Digest, u64>,
    /// Of each input, how much which batch took of it.
    by: HashMap<Digest, BTreeMap<usize, u64>>,
    /// The inputs that each batch names.
    of: Vec<Vec<Digest>>,
    /// Inputs of which nothing is to be had any more, not by exchange either: all that their batches name is among them.
    spent: HashSet<Digest>,
    steps: u64,
}

/// A batch that may give up what it took of an input, to one that was asked before it.
struct Asked {
    batch: usize,
    gives: Option<(Digest, usize)>,
}

impl Taken {
    /// One batch more, of these inputs. Returns how many entries more it says it took than there were; `None`: to find that out takes
    /// too long.
    fn take(&mut self, inputs: Vec<Digest>, entries: u64) -> Option<u64> {
        let batch = self.of.len();
        self.steps += inputs.len() as u64;
        self.of.push(inputs);
        let mut open = entries;
        // What is left, in the order in which it is named; only then what others may take in exchange.
        for at in 0..self.of[batch].len() {
            let input = self.of[batch][at];
            let got = self.left.get(&input).copied().unwrap_or(0).min(open);
            if got > 0 {
                *self.left.entry(input).or_default() -= got;
                *self.by.entry(input).or_default().entry(batch).or_default() += got;
                open -= got;
            }
        }
        while open > 0 {
            match self.push(batch, open)? {
                0 => break,
                got => open -= got,
            }
        }
        Some(open)
    }

    /// Has a batch take more: what is left of its inputs, or what another batch took of one and can take of another instead.
    /// Returns how many entries, at most `most`; 0: there are none.
    fn push(&mut self, batch: usize, most: u64) -> Option<u64> {
        let mut asked = vec![Asked { batch, gives: None }];
        let (mut batches, mut inputs) = (HashSet::from([batch]), HashSet::new());
        let mut at = 0;
        while at < asked.len() {
            for input in &self.of[asked[at].batch] {
                self.steps += 1;
                if self.spent.contains(input) || !inputs.insert(*input) {
                    continue;
                }
                if self.left.get(input).is_some_and(|left| *left > 0) {
                    let input = *input;
                    return Some(self.turn(&asked, at, input, most));
                }
                for other in self.by.get(input).into_iter().flat_map(BTreeMap::keys) {
                    self.steps += 1;
                    if batches.insert(*other) {
                        asked.push(Asked { batch: *other, gives: Some((*input, at)) });
                    }
                }
                if self.steps > STEPS {
                    return None;
                }
            }
            at += 1;
        }
        self.spent.extend(inputs);
        Some(0)
    }

    /// Gives `input` to the batch asked at `at`, what that one gives to the one that asked it, and so on.
    fn turn(&mut self, asked: &[Asked], at: usize, input: Digest, most: u64) -> u64 {
        let way = || core::iter::successors(Some(&asked[at]), |asker| Some(&asked[asker.gives?.1]));
        let given = way().filter_map(|of| Some(self.by[&of.gives?.0][&of.batch]));
        let got = given.fold(most.min(self.left[&input]), u64::min);
        *self.left.entry(input).or_default() -= got;
        let mut takes = input;
        for Asked { batch, gives } in way() {
            *self.by.entry(takes).or_default().entry(*batch).or_default() += got;
            let Some((gives, _)) = gives else { break };
            let took = self.by.entry(*gives).or_default();
            if let Some(left) = took.get_mut(batch) {
                *left -= got;
                if *left == 0 {
                    took.remove(batch);
                }
            }
            takes = *gives;
        }
        got
    }
}
