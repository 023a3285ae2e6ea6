//! The comparison: all manifests that stand in heads, hop by hop.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::Sum;
use super::what::{Finding, Made, What};
use crate::directory::Directory;
use crate::id::Digest;
use crate::mix::{BatchId, KEPT_INPUT_ROUNDS, Manifest};
use crate::round::Round;

/// Rounds without a batch of a middle mix that are told: half of the longest hold. Whatever waits for so long leaves with one batch.
pub const QUIET: u32 = 12;

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
        // MIX-08: the first part of a round bears them.
        let onions = if manifest.batch.part == 0 { self.onions } else { Range::default() };
        Range {
            least: manifest.count_out.saturating_sub(onions.most),
            most: manifest.count_out.saturating_sub(onions.least),
        }
    }
}

pub(super) struct Compare {
    pub(super) limits: Limits,
    /// The first round read, if manifests of rounds before were not.
    pub(super) first: Option<Round>,
    /// The newest round read.
    pub(super) now: Round,
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

    fn find(&mut self, round: Round, what: What) {
        self.found.push(Finding { round, what });
    }

    /// Whether a batch of this round can hang on what was stated before the first round read.
    fn hangs_on_before(&self, batch: BatchId) -> bool {
        self.first.is_some_and(|first| batch.round.0 <= first.0.saturating_add(KEPT_INPUT_ROUNDS))
    }

    /// What one mix made and what the next says it took.
    fn hand_over(&mut self, hop: u8, before: &BTreeMap<BatchId, Stated>, stated: &BTreeMap<BatchId, Stated>) {
        let outputs: HashMap<Digest, &Manifest> = before
            .values()
            .filter_map(|(_, manifest)| Some((*manifest.outputs.first()?, manifest)))
            .collect();
        let mut taken = Taken::default();
        // The batch that names an input last, and the round of its head.
        let mut last: HashMap<Digest, (BatchId, Round)> = HashMap::new();
        for (&batch, (round, manifest)) in stated {
            let made = Made { hop, batch };
            let (mut inputs, unmade): (Vec<Digest>, Vec<_>) =
                manifest.inputs.iter().copied().partition(|input| outputs.contains_key(input));
            if unmade.iter().any(|input| !last.contains_key(input)) && !self.hangs_on_before(batch) {
                self.find(*round, What::Unmade(made));
            }
            inputs.extend(unmade);
            for input in &inputs {
                // Nobody knows how much there was of what no head names.
                let holds = outputs.get(input).map_or(u64::MAX, |made| made.count_out.into());
                taken.left.entry(*input).or_insert(holds);
                last.insert(*input, (batch, *round));
            }
            let more = taken.take(inputs, manifest.count_in.into());
            if more > 0 {
                self.find(*round, What::TookMore(made, more));
            }
        }
        // What is left of an input may still be taken while nothing newer was.
        let newest = stated.keys().next_back().copied();
        let mut less: BTreeMap<BatchId, (Round, u64)> = BTreeMap::new();
        for (input, (batch, round)) in &last {
            if outputs.contains_key(input) && Some(*batch) != newest {
                less.entry(*batch).or_insert((*round, 0)).1 += taken.left[input];
            }
        }
        for (batch, (round, entries)) in less {
            if entries > 0 {
                self.find(round, What::TookLess(Made { hop, batch }, entries));
            }
        }
        for (round, manifest) in before.values() {
            let is_old = manifest.batch.round.0.saturating_add(KEPT_INPUT_ROUNDS) < self.now.0;
            if is_old && manifest.outputs.first().is_some_and(|output| !last.contains_key(output)) {
                let made = Made { hop: manifest.hop, batch: manifest.batch };
                self.find(*round, What::Untaken(made, manifest.count_out));
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
            let Some(part) = batch.part.checked_sub(1) else { continue };
            let what = match stated.get(&BatchId { part, ..batch }) {
                None if self.hangs_on_before(batch) => continue,
                None => What::Alone(made),
                Some((_, before)) if self.limits.passed(before).most >= self.limits.n_max.least => continue,
                Some(_) if hop == 0 => What::Cut(made),
                Some(_) => What::Undecoyed(made),
            };
            self.find(*round, what);
        }
    }

    /// By the heads, and not by the names of batches: one that waited is called by the round that it is of.
    fn silence(&mut self, hop: u8, stated: &BTreeMap<BatchId, Stated>) {
        let heads: Vec<Round> =
            stated.values().map(|(round, _)| *round).collect::<BTreeSet<_>>().into_iter().collect();
        for pair in heads.windows(2) {
            if pair[1].0 - pair[0].0 >= QUIET {
                self.find(pair[1], What::Silent(hop, pair[0], pair[1]));
            }
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
                + if manifest.hop < self.limits.exit && manifest.batch.part == 0 {
                    u64::from(self.limits.onions.least)
                } else {
                    0
                },
            deleted: sum.deleted + u64::from(manifest.deleted),
        })
    }
}

/// Which entries each batch can have taken, by what was passed on: a flow from inputs to the batches that name them. An input may be
/// named in several, in a row or not, since a mix that is kept from the rest of one goes on with others.
#[derive(Default)]
struct Taken {
    /// Of each input, what no batch took so far.
    left: HashMap<Digest, u64>,
    /// Of each batch, how much it took of which input.
    of: Vec<Vec<(Digest, u64)>>,
}

impl Taken {
    /// One batch more, of these inputs. Returns how many entries more it says it took than there were.
    fn take(&mut self, inputs: Vec<Digest>, entries: u64) -> u64 {
        let batch = self.of.len();
        self.of.push(inputs.into_iter().map(|input| (input, 0)).collect());
        let mut open = entries;
        while open > 0 {
            match self.push(batch, open, &mut HashSet::new()) {
                0 => break,
                got => open -= got,
            }
        }
        open
    }

    /// Has a batch take more: what is left of its inputs, or what another batch took of one and can take of another instead.
    /// Returns how many entries, at most `most`; 0: there are none. `asked` are those that gave nothing.
    fn push(&mut self, batch: usize, most: u64, asked: &mut HashSet<usize>) -> u64 {
        if !asked.insert(batch) {
            return 0;
        }
        for n in 0..self.of[batch].len() {
            let left = self.left.entry(self.of[batch][n].0).or_default();
            let got = most.min(*left);
            if got > 0 {
                *left -= got;
                self.of[batch][n].1 += got;
                return got;
            }
        }
        for n in 0..self.of[batch].len() {
            let input = self.of[batch][n].0;
            for other in 0..self.of.len() {
                let took = |(of, took): &(Digest, u64)| *of == input && *took > 0;
                let Some(at) = self.of[other].iter().position(took) else { continue };
                let got = self.push(other, most.min(self.of[other][at].1), asked);
                if got > 0 {
                    self.of[other][at].1 -= got;
                    self.of[batch][n].1 += got;
                    return got;
                }
            }
        }
        0
    }
}
