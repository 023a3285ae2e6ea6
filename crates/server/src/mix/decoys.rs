//! A mix's decoys: made for each batch, remembered, and looked for in the drops. Spec: mix.md §10.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use proto::mix::BatchId;
use proto::{Digest, Round, envelope};
use rand::rngs::StdRng;

use super::keys::Keys;
use super::store::Store;
use super::upstream::Upstream;
use super::{Me, MixError, directory};
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

/// Makes the decoys of the batch `id`. It is `now`.
pub(super) fn make(
    me: &Me,
    (id, now): (BatchId, Round),
    keys: &mut Keys,
    upstream: &mut impl Upstream,
    rng: &mut StdRng,
) -> Result<Made, MixError> {
    let decoys = me.directory.parameters().decoys;
    // MIX-08: with every batch. Whoever cuts a round gets no more of them by it, since a further part is full (MIX-02).
    if decoys.onions() == 0 {
        return Ok(Made::default());
    }
    let exit = me.wire.cascade.exit();
    let mut key = |hop| keys.of(me, hop, (id.round, now), upstream);
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
    /// The newest round in which everything that is missing was asked for.
    asked: Option<Round>,
    /// Editions that were read.
    read: BTreeSet<Round>,
    /// The desk drops that they name, by round.
    named: BTreeMap<Round, Digest>,
}

impl Search {
    /// Looks through the desk drops that editions name and that were not looked through. Editions and drops come late or never, so
    /// what is missing is asked for again in every round, as long as its decoys are remembered.
    pub(super) fn step(
        &mut self,
        me: &Me,
        store: &mut Store,
        upstream: &mut impl Upstream,
        now: Round,
    ) -> Result<(), MixError> {
        let parameters = me.directory.parameters();
        if parameters.decoys.onions() == 0 || self.asked == Some(now) {
            return Ok(());
        }
        let oldest = Round(now.0.saturating_sub(REMEMBERED));
        self.read_editions(me, upstream, (oldest, now))?;
        let searched = store.searched(oldest)?;
        let length = handed::desk_drop_len(me.wire.cascade, parameters);
        for (&round, &named) in self.named.iter().filter(|(round, _)| !searched.contains(round)) {
            let drop = upstream.desk_drop(round, length)?;
            // MIX-09: a drop that is not the one that everybody opens is no drop.
            let drop = drop.filter(|bytes| bytes.len() == length && Digest::of(bytes) == named);
            let Some(drop) = drop else { continue };
            let boxes = drop.chunks_exact(me.wire.cascade.boxed()).take(parameters.desk_slots.into());
            let boxes: HashSet<Digest> = boxes.map(Digest::of).collect();
            me.hook.at(Step::Searched, Side::Before)?;
            store.note_search(round, &boxes, Round(now.0.saturating_sub(2 * REMEMBERED)))?;
            me.hook.at(Step::Searched, Side::After)?;
        }
        self.asked = Some(now);
        Ok(())
    }

    // MIX-09: by what stands in heads, which everybody is shown. Edge and exit could show the mixes other manifests, of drops in
    // which their decoys stand.
    /// Reads the editions of rounds from `oldest` up to the one before `now`, as far as they are there and were not read. A drop is
    /// named in a later one than its own.
    fn read_editions(
        &mut self,
        me: &Me,
        upstream: &mut impl Upstream,
        (oldest, now): (Round, Round),
    ) -> Result<(), MixError> {
        self.read.retain(|round| *round >= oldest);
        self.named.retain(|round, _| *round >= oldest);
        let mut known = Arc::clone(&me.directory);
        for round in (oldest.0..now.0).map(Round) {
            if self.read.contains(&round) {
                continue;
            }
            let Some((edition, directory)) = directory::edition(me, upstream, round, now, &known)? else {
                continue;
            };
            for named in edition.drops().iter().filter(|named| named.round >= oldest) {
                self.named.entry(named.round).or_insert(named.desk);
            }
            self.read.insert(round);
            known = directory;
        }
        Ok(())
    }
}

/// Whether too many of the decoys made 60 to 83 rounds ago were never seen.
pub(super) fn alarm(store: &Store, now: Round) -> Result<bool, MixError> {
    let Some(until) = now.back(MISSING_AFTER) else { return Ok(false) };
    let from = Round((until.0 + 1).saturating_sub(JUDGED));
    let (made, found) = store.decoys(from, until)?;
    Ok(too_many_missing(made, found))
}

// MIX-09
/// Below 99 in 100, and not only one: where few are made, who keeps one box back would be told whether it was a decoy.
fn too_many_missing(made: u32, found: u32) -> bool {
    made.saturating_sub(found) > 1 && u64::from(found) * 100 < u64::from(made) * 99
}

#[cfg(test)]
mod tests {
    use super::*;

    /// MIX-09: no box that the exit keeps back tells it by the alarm whether it was a decoy.
    #[test]
    fn mix_09_one_that_is_missing_raises_no_alarm() {
        let alarms = |made: u32, missing: u32| too_many_missing(made, made - missing);
        for made in [1, 2, 12, 99, 100, 1_000, 100_000] {
            assert!(!alarms(made, 0) && !alarms(made, 1), "{made}");
        }
        assert!(!alarms(0, 0));
        assert!(alarms(2, 2) && alarms(12, 2) && alarms(199, 2));
        // Of 200, two missing leave 99 in 100.
        assert!(!alarms(200, 2) && alarms(200, 3));
        assert!(!alarms(1_000, 10) && alarms(1_000, 11));
    }
}
