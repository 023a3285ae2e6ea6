//! A mix's decoys: made for each round, remembered, and looked for in the drops. Spec: mix.md §10.

use std::collections::HashSet;

use proto::directory::Directory;
use proto::edition::check_manifest;
use proto::envelope;
use proto::mix::{BatchId, Manifest};
use proto::round::Round;
use proto::{Digest, Millis};
use rand::rngs::StdRng;

use super::keys::Keys;
use super::store::Store;
use super::upstream::{Upstream, UpstreamError};
use super::{Me, MixError};
use crate::faults::{Side, Step};
use crate::handed;

/// A decoy not seen after so many rounds is missing: two holds of 24 rounds and what else takes time are over.
pub(super) const MISSING_AFTER: u32 = 60;
/// Decoys of so many rounds are judged together, so that one lost by chance is no alarm.
const JUDGED: u32 = 24;
/// For how long decoys are remembered and drops looked through.
pub(super) const REMEMBERED: u32 = MISSING_AFTER + JUDGED;

/// What a batch is given.
#[derive(Default)]
pub(super) struct Made {
    /// Onions as the next mix receives them.
    pub(super) onions: Vec<Vec<u8>>,
    /// Digests of the boxes of those that look real.
    pub(super) boxes: Vec<Digest>,
}

/// Makes the decoys of the batch `id`.
pub(super) fn make(
    me: &Me,
    id: BatchId,
    keys: &mut Keys,
    upstream: &mut impl Upstream,
    rng: &mut StdRng,
) -> Result<Made, MixError> {
    let decoys = me.directory.parameters().decoys;
    // MIX-08: once in a round, with its first part.
    if id.part > 0 || decoys.onions() == 0 {
        return Ok(Made::default());
    }
    let exit = me.wire.cascade.exit();
    let mut key = |hop| keys.of(me, hop, id.round, upstream);
    let to = me.hop + 1;
    let (between, last) = ((to..exit).map(&mut key).collect::<Result<Vec<_>, _>>()?, key(exit)?);
    let real = decoys.draw(rng);
    let mut made = Made::default();
    for n in 0..decoys.onions() {
        let (blob, boxed) = envelope::decoy(&me.wire, n < real, &last, rng);
        made.boxes.extend(boxed);
        made.onions.push(envelope::wrap_for(&me.wire, blob, to, &between, rng));
    }
    Ok(made)
}

/// The search for a mix's own decoys.
#[derive(Default)]
pub(super) struct Search {
    /// The newest round whose drops were due when all rounds were asked for.
    asked: Option<Round>,
}

impl Search {
    /// Looks through the desk drops that are there and were not looked through. Drops come late or never, so a round is
    /// asked for again with every new one, as long as its decoys are remembered.
    pub(super) fn step(
        &mut self,
        me: &Me,
        store: &mut Store,
        upstream: &mut impl Upstream,
        now: Millis,
    ) -> Result<(), MixError> {
        let parameters = me.directory.parameters();
        let Some(due) = parameters.schedule.newest_drops_due(now).filter(|_| parameters.decoys.onions() > 0)
        else {
            return Ok(());
        };
        let oldest = if self.asked < Some(due) { due.0.saturating_sub(REMEMBERED) } else { due.0 };
        let searched = store.searched(Round(oldest))?;
        for round in (oldest..=due.0).map(Round).filter(|r| !searched.contains(r)) {
            let Some(drop) = fetch(me, upstream, round)? else { continue };
            let boxes = drop.chunks_exact(me.wire.cascade.boxed()).take(parameters.desk_slots.into());
            let boxes: HashSet<Digest> = boxes.map(Digest::of).collect();
            me.hook.at(Step::Searched, Side::Before)?;
            store.note_search(round, &boxes, Round(due.0.saturating_sub(2 * REMEMBERED)))?;
            me.hook.at(Step::Searched, Side::After)?;
        }
        self.asked = Some(due);
        Ok(())
    }
}

/// The desk drop of `round`, if it is there and is the one that the exit signed for.
fn fetch(me: &Me, upstream: &mut impl Upstream, round: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
    let Some(named) = upstream.manifests(round)?.iter().find_map(|m| exits(m, &me.directory, round)) else {
        return Ok(None);
    };
    let length = handed::desk_drop_len(me.wire.cascade, me.directory.parameters());
    let drop = upstream.desk_drop(round, length)?;
    // MIX-09: a drop that is not the one that everybody opens is no drop.
    Ok(drop.filter(|bytes| bytes.len() == length && Digest::of(bytes) == named))
}

fn exits(signed: &proto::sign::Unverified<Manifest>, directory: &Directory, round: Round) -> Option<Digest> {
    let manifest = check_manifest(signed, directory).ok()?;
    let is_exits = manifest.hop == directory.wire().cascade.exit() && manifest.batch.round == round;
    manifest.outputs.first().copied().filter(|_| is_exits)
}

/// Whether too many of the decoys made 60 to 83 rounds ago were never seen.
pub(super) fn alarm(store: &Store, now: Round) -> Result<bool, MixError> {
    let Some(until) = now.back(MISSING_AFTER) else { return Ok(false) };
    let from = Round((until.0 + 1).saturating_sub(JUDGED));
    let (made, found) = store.decoys(from, until)?;
    // MIX-09: below 99 in 100.
    Ok(u64::from(found) * 100 < u64::from(made) * 99)
}
