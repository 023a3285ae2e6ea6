//! What the manifests of all mixes say together, and whether it fits: for anybody who reads the heads of editions. Spec:
//! mix.md §16.
//!
//! One manifest is one mix's word. But what one says it made, the next says it took, and no batch is smaller than the roster
//! allows. Where two such statements differ, one of them is not so. Other things are no contradiction, since edge and press can
//! keep a manifest out of the heads, and weaken what mixing hides: batches that nobody took, that bore no decoys, or that waited.

use core::fmt;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::directory::Directory;
use crate::edition::{Edition, EditionRejected, check_manifest};
use crate::id::{DeskId, Digest};
use crate::keys::KeyKind;
use crate::mix::{BatchId, KEPT_INPUT_ROUNDS, Manifest};
use crate::round::Round;

/// Something that does not fit, or that hides less than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The round from which on anybody could see it.
    pub round: Round,
    /// What it is.
    pub what: What,
}

/// A batch that a mix passed on; of the exit, the drops of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The mix's hop, counted from 0.
    pub hop: u8,
    /// Which.
    pub batch: BatchId,
}

/// As its desks and its newsroom are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The newsroom's name.
    pub newsroom: String,
    /// The desk's.
    pub name: String,
}

/// What was found. Numbers are entries, or as it says; a lone `u8` is a hop, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Two different statements on one batch.
    TwoManifests(Made),
    /// A mix says that it took what no head says the mix before made.
    Unmade(Made),
    /// A mix says that it took so many entries more than there were in its inputs.
    TookMore(Made, u64),
    /// So many more came out of a mix than heads say had come in, its decoys left aside.
    MadeMore(Made, u64),
    /// A batch of so many, smaller than n_min, its decoys left aside.
    Small(Made, u32),
    /// A batch of so many, larger than n_max, its decoys left aside.
    Large(Made, u32),
    /// The first mix cut a round though its batch was not full.
    Cut(Made),
    /// A mix says that it took so many entries fewer than there were in its inputs.
    TookLess(Made, u64),
    /// A batch of so many that the next mix never said it took.
    Untaken(Made, u32),
    /// A batch that came to a mix behind a newer one, and was passed on without that mix's decoys.
    Undecoyed(Made),
    /// A further batch of a round, where no head names the one before it.
    Alone(Made),
    /// Of a mix between the first and the exit the heads between these name nothing, [`QUIET`] rounds at least.
    Silent(u8, Round, Round),
    /// So many entries waited too long and were deleted.
    Deleted(Made, u32),
    /// A mix misses its decoys in the drops.
    Alarm(u8),
    /// A mix's key from this round on is not in the directory, and its time is near.
    KeyLate(u8, Round),
    /// A desk's key from this round on is not in the directory, and its time is near.
    DeskKeyLate(Desk, Round),
    /// A desk that was listed is not any more.
    DeskGone(Desk),
}

impl What {
    /// Whether somebody stated what is not so. All else can also come of machines and networks that failed, or of manifests that edge
    /// or press kept out of the heads.
    pub fn is_untrue(&self) -> bool {
        match self {
            Self::TwoManifests(_) | Self::TookMore(..) | Self::Small(..) | Self::Large(..) | Self::Cut(_) => {
                true
            }
            Self::Unmade(_)
            | Self::MadeMore(..)
            | Self::TookLess(..)
            | Self::Untaken(..)
            | Self::Undecoyed(_)
            | Self::Alone(_)
            | Self::Silent(..)
            | Self::Deleted(..)
            | Self::Alarm(_)
            | Self::KeyLate(..)
            | Self::DeskKeyLate(..)
            | Self::DeskGone(_) => false,
        }
    }
}

/// As people count: mix 1 is the first.
struct Mix(u8);

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mix {}", u32::from(self.0) + 1)
    }
}

impl Made {
    fn mix(self) -> Mix {
        Mix(self.hop)
    }

    fn mix_before(self) -> Mix {
        Mix(self.hop.saturating_sub(1))
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BatchId { round, part } = self.batch;
        write!(f, "{} of round {}", if part == 0 { "the batch" } else { "a further batch" }, round.0)
    }
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the desk {} of {}", self.name, self.newsroom)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoManifests(it) => write!(f, "{} signed two different statements on {it}", it.mix()),
            Self::Unmade(it) => {
                write!(f, "{} took into {it} what no head says {} made", it.mix(), it.mix_before())
            }
            Self::TookMore(it, n) => {
                write!(
                    f,
                    "{} took {n} entries more into {it} than {} had passed on",
                    it.mix(),
                    it.mix_before()
                )
            }
            Self::MadeMore(it, n) => {
                write!(f, "{} passed on {n} entries more with {it} than heads say had come in", it.mix())
            }
            Self::Small(it, n) => write!(f, "{} passed on {it} with {n} entries: too few", it.mix()),
            Self::Large(it, n) => write!(f, "{} passed on {it} with {n} entries: too many", it.mix()),
            Self::Cut(it) => write!(f, "{} cut round {} though it was not full", it.mix(), it.batch.round.0),
            Self::TookLess(it, n) => {
                write!(
                    f,
                    "{} took {n} entries fewer into {it} than {} had passed on",
                    it.mix(),
                    it.mix_before()
                )
            }
            Self::Untaken(it, n) => {
                write!(f, "{it} by {}, {n} entries, was never taken by {}", it.mix(), Mix(it.hop + 1))
            }
            Self::Undecoyed(it) => {
                write!(f, "{} passed on {it} without decoys: it came behind a newer one", it.mix())
            }
            Self::Alone(it) => {
                write!(f, "{} passed on {it}, and no head names the one before it", it.mix())
            }
            Self::Silent(hop, since, until) => {
                write!(
                    f,
                    "{} passed on nothing that heads between rounds {} and {} name",
                    Mix(*hop),
                    since.0,
                    until.0
                )
            }
            Self::Deleted(it, n) => {
                write!(f, "{} deleted {n} entries that had waited too long, before {it}", it.mix())
            }
            Self::Alarm(hop) => write!(f, "{} misses its decoys: messages are left out behind it", Mix(*hop)),
            Self::KeyLate(hop, from) => write!(f, "{} has no key yet for round {} and on", Mix(*hop), from.0),
            Self::DeskKeyLate(desk, from) => write!(f, "{desk} has no key yet for round {} and on", from.0),
            Self::DeskGone(desk) => write!(f, "{desk} is not listed any more"),
        }
    }
}

/// What one mix says of all its batches, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Batches; of the exit, pairs of drops.
    pub batches: u64,
    /// Entries taken, opened or not.
    pub taken: u64,
    /// Entries passed on, decoys included; of the exit, slots.
    pub passed: u64,
    /// The decoys among them, whether they look real or not.
    pub decoys: u64,
    /// Entries that waited too long and were deleted.
    pub deleted: u64,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The first round of which an edition was read, and the last.
    pub rounds: Option<(Round, Round)>,
    /// Editions read.
    pub editions: u64,
    /// One for each mix.
    pub sums: Vec<Sum>,
    /// In the order of their rounds.
    pub findings: Vec<Finding>,
}

/// Reads editions in their order.
#[derive(Debug, Default)]
pub struct Audit {
    rounds: Option<(Round, Round)>,
    editions: u64,
    /// Whether the first edition read is the network's first.
    whole: bool,
    limits: Limits,
    manifests: Vec<(Round, Manifest)>,
    desks: BTreeMap<DeskId, Desk>,
    /// Keys said to be late already.
    late: BTreeSet<(Late, Round)>,
    findings: Vec<Finding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Late {
    Mix(u8),
    Desk(DeskId),
}

/// The parameters, and how far they ranged while editions were read: a mix goes over to others only when it is restarted, so what
/// hangs on one is held against the mildest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Limits {
    exit: u8,
    n_min: Range,
    n_max: Range,
    onions: Range,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range {
    least: u32,
    most: u32,
}

impl Range {
    const fn of(one: u32) -> Self {
        Self { least: one, most: one }
    }

    fn with(self, other: u32) -> Self {
        Self { least: self.least.min(other), most: self.most.max(other) }
    }
}

impl Limits {
    fn of(directory: &Directory) -> Self {
        let it = directory.parameters();
        Self {
            exit: directory.wire().cascade.exit(),
            n_min: Range::of(it.n_min),
            n_max: Range::of(it.n_max),
            onions: Range::of(it.decoys.onions()),
        }
    }

    fn with(self, directory: &Directory) -> Self {
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

impl Audit {
    /// Reads the next edition, verified with the directory that it names.
    ///
    /// # Errors
    /// EDN-05, which a verified edition never is.
    pub fn read(&mut self, directory: &Directory, edition: &Edition) -> Result<(), EditionRejected> {
        let head = edition.head();
        let first = self.rounds.is_none();
        if first {
            self.whole = head.previous == Digest([0; 32]);
        }
        self.limits = if first { Limits::of(directory) } else { self.limits.with(directory) };
        self.rounds = Some((self.rounds.map_or(head.round, |(first, _)| first), head.round));
        self.editions += 1;
        for signed in &head.manifests {
            self.manifests.push((head.round, check_manifest(signed, directory)?));
        }
        self.read_directory(directory, head.round);
        Ok(())
    }

    /// Which desks went, and whose next key is late.
    fn read_directory(&mut self, directory: &Directory, round: Round) {
        let listed: BTreeMap<_, _> = directory
            .desks()
            .iter()
            .map(|desk| (desk.id, Desk { newsroom: desk.newsroom.clone(), name: desk.name.clone() }))
            .collect();
        for (id, desk) in core::mem::replace(&mut self.desks, listed) {
            if !self.desks.contains_key(&id) {
                self.findings.push(Finding { round, what: What::DeskGone(desk) });
            }
        }
        let cascade = directory.wire().cascade;
        // The first mix's are in the heads, for each round; a client without one sends nothing.
        for hop in 1..=cascade.exit() {
            let near = near(KeyKind::of_mix(hop, cascade), round);
            if let Some(from) = near.filter(|from| directory.mix_key(hop, *from).is_none())
                && self.late.insert((Late::Mix(hop), from))
            {
                self.findings.push(Finding { round, what: What::KeyLate(hop, from) });
            }
        }
        let Some(from) = near(KeyKind::Intake, round) else { return };
        for desk in directory.desks().iter().filter(|desk| desk.since <= from) {
            if desk.intake(from).is_none() && self.late.insert((Late::Desk(desk.id), from)) {
                let desk = Desk { newsroom: desk.newsroom.clone(), name: desk.name.clone() };
                self.findings.push(Finding { round, what: What::DeskKeyLate(desk, from) });
            }
        }
    }

    /// Compares.
    pub fn finish(self) -> Report {
        let Self { rounds, editions, whole, limits, manifests, mut findings, .. } = self;
        // What is late is late by what was published: while no edition came, nobody could say anything.
        let (first, now) = rounds.unwrap_or((Round(0), Round(0)));
        let compared =
            Compare { limits, first: (!whole).then_some(first), now, found: Vec::new() }.all(manifests);
        findings.extend(compared.found);
        findings.sort_by_key(|finding| finding.round);
        Report { rounds, editions, sums: compared.sums, findings }
    }
}

/// Rounds without a batch of a middle mix that are told: half of the longest hold. Whatever waits for so long leaves with one batch.
pub const QUIET: u32 = 12;

/// The first round of the next key, if it is near: in the last quarter of the period before.
fn near(kind: KeyKind, round: Round) -> Option<Round> {
    let until = kind.period(round).until.0;
    (until - round.0 < kind.rounds() / 4).then(|| until.checked_add(1).map(Round)).flatten()
}

struct Compare {
    limits: Limits,
    /// The first round read, if manifests of rounds before were not.
    first: Option<Round>,
    /// The newest round read.
    now: Round,
    found: Vec<Finding>,
}

struct Compared {
    found: Vec<Finding>,
    sums: Vec<Sum>,
}

/// A manifest and the round of the head in which it stands.
type Stated = (Round, Manifest);

impl Compare {
    fn all(mut self, manifests: Vec<Stated>) -> Compared {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;
    use crate::directory::tests::{mix_key, town};
    use crate::hold::Hold;
    use crate::mix::{Gathering, Input, Inputs, Rule};

    const LIMITS: Limits =
        Limits { exit: 2, n_min: Range::of(4), n_max: Range::of(30), onions: Range::of(6) };
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
        let compare = Compare { limits: LIMITS, first, now: Round(now), found: Vec::new() };
        let stated = manifests.into_iter().map(|it| (Round(it.batch.round.0 + 2), it)).collect();
        compare.all(stated).found.into_iter().map(|found| found.what).collect()
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
        assert_eq!(found(calm(), None, 200), []);
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
                manifest(1, batch(0, 0), vec![output(0, batch(0, 0))], 30, 36),
                manifest(1, batch(0, 1), vec![output(0, batch(0, 0))], second, second),
            ]
        };
        assert_eq!(found(split(6), None, 0), []);
        assert_eq!(found(split(7), None, 0)[0], What::TookMore(made(1, 0, 1), 1));
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

    #[test]
    fn a_further_batch_is_told_where_no_head_names_the_one_before() {
        let mut all = calm();
        all.retain(|it| !(it.hop == 1 && it.batch == batch(5, 0)));
        all.push(manifest(1, batch(5, 1), vec![output(0, batch(5, 0))], 16, 16));
        let what = found(all.clone(), None, 9);
        assert!(what.contains(&What::Alone(made(1, 5, 1))), "{what:?}");
        assert!(!what.iter().any(What::is_untrue), "{what:?}");
        assert!(!found(all, Some(FIRST), 9).contains(&What::Alone(made(1, 5, 1))), "it may stand before");
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
        let compare = Compare { limits: LIMITS, first: None, now: Round(40), found: Vec::new() };
        let found = compare.all((0..40).flat_map(stated).collect()).found;
        let silent = Finding { round: Round(34), what: What::Silent(1, Round(10), Round(34)) };
        assert!(found.contains(&silent), "{found:?}");
    }

    #[test]
    fn a_batch_that_is_too_small_or_too_large_is_found() {
        assert_eq!(bent(0, |it| it.count_out = 9)[0], What::Small(made(0, 5, 0), 3));
        let large = bent(0, |it| (it.count_in, it.count_out) = (40, 37));
        assert_eq!(large[0], What::Large(made(0, 5, 0), 31));
    }

    #[test]
    fn a_round_cut_in_two_is_found_at_the_first_mix_and_lacks_decoys_at_the_next() {
        let cut = |hop| {
            let mut all = calm();
            all.retain(|it| it.hop == hop);
            all.push(manifest(hop, batch(5, 1), vec![], 0, 4));
            found(all, Some(FIRST), 9)
        };
        assert_eq!(cut(0), [What::Cut(made(0, 5, 1))]);
        assert_eq!(cut(1), [What::Undecoyed(made(1, 5, 1))]);
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
        assert_eq!(found(all.clone(), None, 9 + KEPT_INPUT_ROUNDS), []);
        assert_eq!(found(all, None, 10 + KEPT_INPUT_ROUNDS), [What::Untaken(made(0, 9, 0), 16)]);
    }

    #[test]
    fn silence_alarms_and_deletions_are_told() {
        let mut all = calm();
        all.retain(|it| it.hop == 1);
        let last = manifest(1, batch(9 + QUIET, 0), vec![Digest([9; 32])], 4, 10);
        all.extend([Manifest { deleted: 3, ..last }]);
        for it in &mut all[7..9] {
            it.alarm = true;
        }
        let silent = What::Silent(1, Round(11), Round(11 + QUIET));
        let told = found(all, Some(FIRST), 40);
        assert_eq!(told, [silent, What::Alarm(1), What::Deleted(made(1, 9 + QUIET, 0), 3)]);
    }

    #[test]
    fn a_key_that_is_late_is_told_once_and_a_desk_that_goes_when_it_goes() {
        let mut town = town();
        let directory = town.verified().unwrap();
        let desk = Desk { newsroom: "The Herald".into(), name: "Tips".into() };
        let mut audit = Audit::default();
        let mut told = |directory: &Directory, round| {
            audit.read_directory(directory, Round(round));
            core::mem::take(&mut audit.findings)
                .into_iter()
                .map(|it| (it.round.0, it.what))
                .collect::<Vec<_>>()
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
        let mut audit = Audit::default();
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
        let mut deleted = [0_u32; 2];
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
                        let Some(closed) = gathering.close(n == entries, &mut rng) else { continue };
                        let part = passed.len() as u16;
                        let id = BatchId { round, part };
                        let onions = if part == 0 { LIMITS.onions.least } else { 0 };
                        let out = closed.order.len() as u32 + onions;
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
            let accused = |what: &What| what.is_untrue() || matches!(what, What::MadeMore(..) | What::Unmade(_));
            let untrue = |what: Vec<What>| what.into_iter().filter(accused).collect::<Vec<_>>();
            prop_assert_eq!(untrue(found(all.clone(), None, now)), []);
            let half = now / 2;
            let later = all.into_iter().filter(|it| it.batch.round.0 >= half);
            prop_assert_eq!(untrue(found(later, Some(Round(half)), now)), []);
        }
    }
}
