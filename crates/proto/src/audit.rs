//! What the manifests of all mixes say together, and whether it fits: for anybody who reads the heads of editions. Spec:
//! mix.md §16.
//!
//! One manifest is one mix's word. But what one says it made, the next says it took. Where two such statements differ, one of them
//! is not so. Other things are no contradiction, since edge and press can keep a manifest out of the heads, and weaken what mixing
//! hides: batches that nobody took, that are too small, that bore no decoys, or that waited.

mod compare;
#[cfg(test)]
mod tests;
mod what;

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::Directory;
use crate::edition::{Edition, EditionRejected, check_manifest};
use crate::id::{DeskId, Digest};
use crate::keys::KeyKind;
use crate::mix::Manifest;
use crate::round::Round;

pub use compare::QUIET;
use compare::{Compare, Limits};
pub use what::{Desk, Finding, Made, What};

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
#[derive(Debug)]
pub struct Audit {
    /// The first round of which an edition was asked for.
    asked: Round,
    /// Rounds of the editions read.
    heads: Vec<Round>,
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

/// The edge's round may be one later than the reader's, and the oldest edition gone while it was asked for.
const SLACK: u32 = 2;

impl Audit {
    /// `asked` is the first round of which an edition was asked for.
    pub fn new(asked: Round) -> Self {
        Self {
            asked,
            heads: Vec::new(),
            whole: false,
            limits: Limits::default(),
            manifests: Vec::new(),
            desks: BTreeMap::new(),
            late: BTreeSet::new(),
            findings: Vec::new(),
        }
    }

    /// Reads the next edition, verified with the directory that it names.
    ///
    /// # Errors
    /// EDN-05, which a verified edition never is.
    pub fn read(&mut self, directory: &Directory, edition: &Edition) -> Result<(), EditionRejected> {
        let head = edition.head();
        let first = self.heads.is_empty();
        if first {
            self.begin(head.round, head.previous);
        }
        self.limits = if first { Limits::of(directory) } else { self.limits.with(directory) };
        self.heads.push(head.round);
        for signed in &head.manifests {
            self.manifests.push((head.round, check_manifest(signed, directory)?));
        }
        self.read_directory(directory, head.round);
        Ok(())
    }

    /// The first edition is of `round` and names the one before.
    fn begin(&mut self, round: Round, previous: Digest) {
        self.whole = previous == Digest([0; 32]);
        // An edge that keeps what stood in the others to itself would else have everything fit.
        if !self.whole && round.0 > self.asked.0.saturating_add(SLACK) {
            self.findings.push(Finding { round, what: What::Unread(self.asked) });
        }
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
        let Self { heads, whole, limits, manifests, mut findings, .. } = self;
        let rounds = heads.first().copied().zip(heads.last().copied());
        let editions = heads.len() as u64;
        // What is late is late by what was published: while no edition came, nobody could say anything.
        let first = heads.first().copied().filter(|_| !whole);
        let compared = Compare { limits, first, heads, found: Vec::new() }.all(manifests);
        findings.extend(compared.found);
        findings.sort_by_key(|finding| finding.round);
        Report { rounds, editions, sums: compared.sums, findings }
    }
}

/// The first round of the next key, if it is near: in the last quarter of the period before.
fn near(kind: KeyKind, round: Round) -> Option<Round> {
    let until = kind.period(round).until.0;
    (until - round.0 < kind.rounds() / 4).then(|| until.checked_add(1).map(Round)).flatten()
}
