//! A mix before the exit: opens layers, gathers, shuffles, seals to the next mix.

use std::collections::HashSet;

use proto::batch::BatchSeal;
use proto::envelope;
use proto::mix::{BatchId, Gathering, Inputs, ItemId, Rule};
use proto::seal::SealPublic;
use proto::{Digest, Round};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rayon::prelude::*;
use sha2::{Digest as _, Sha256};

use super::decoys::{self, Made};
use super::keys::Keys;
use super::outputs::Outputs;
use super::store::{Closes, Kept, Place, Run, Store};
use super::{Me, MixError, Opened, Totals};
use crate::faults::{Side, Step};

/// Sealed bytes are written to the file whenever there are so many.
const FLUSH: usize = 1 << 20;

/// What stands in one place of a batch.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Item(ItemId),
    Decoy(&'a [u8]),
}

/// What a batch is closed with, besides what was gathered.
pub(super) struct Closing {
    pub(super) id: BatchId,
    /// The next mix's key.
    pub(super) key: SealPublic,
    pub(super) decoys: Made,
    /// The round it is by our own clock.
    pub(super) now: Round,
}

pub(super) struct Pass {
    rule: Rule,
    gathering: Gathering,
}

impl Pass {
    pub(super) fn resume(rule: Rule, kept: Kept) -> Self {
        let items = kept.items.into_iter().map(|(_, release, id)| (release, id)).collect();
        Self { rule, gathering: Gathering::resume(rule, kept.tags, items, Inputs::resume(kept.inputs)) }
    }

    /// Tells the round it is.
    pub(super) fn ripen(&mut self, now: Round) {
        self.gathering.ripen(now);
    }

    /// How many more entries the batch takes before it is full.
    pub(super) fn room(&self) -> usize {
        self.rule.n_max.saturating_sub(self.gathering.count()) as usize
    }

    pub(super) fn count(&self) -> u32 {
        self.gathering.count()
    }

    pub(super) fn is_due(&self, round_over: bool) -> bool {
        self.gathering.is_due(round_over)
    }

    /// Opens entries on all processors, and leaves out what does not open or was seen.
    pub(super) fn open(&self, me: &Me, keys: &Keys, round: Round, entries: &[&[u8]]) -> Opened {
        let open =
            |entry: &&[u8]| keys.open(round, |key| envelope::open_layer(&me.wire, me.hop, key, entry)).ok();
        let opened: Vec<_> = entries.par_iter().map(open).collect();
        let mut out = Opened::default();
        let mut now = HashSet::new();
        for (key, (tag, layer)) in opened.into_iter().flatten() {
            // MIX-01, within this run and before it.
            if self.gathering.is_new(&tag) && now.insert(tag) {
                out.tags.push((key, tag));
                out.items.push((Place::Gathered, layer));
                out.count += 1;
            }
        }
        out
    }

    /// Takes in what was stored.
    pub(super) fn take(&mut self, run: &Run, ids: &[ItemId]) {
        if let Some(input) = run.input {
            self.gathering.input(input);
        }
        for (((_, tag), item), id) in run.tags.iter().zip(&run.items).zip(ids) {
            self.gathering.offer(*tag, *id, item.release);
        }
    }

    /// The inputs taken since the last batch.
    pub(super) fn inputs(&self) -> &Inputs {
        self.gathering.inputs()
    }

    /// Takes out what waited too long: the items, and how many entries that is.
    pub(super) fn expire(&mut self, now: Round) -> (Vec<ItemId>, u32) {
        let gone = self.gathering.expire(now);
        let said = gone.len() as u32;
        (gone, said)
    }

    /// Closes the batch: shuffles it with this round's decoys, seals it to the next mix, and records it.
    pub(super) fn close(
        &mut self,
        me: &Me,
        closing: &Closing,
        store: &mut Store,
        outputs: &Outputs,
        rng: &mut StdRng,
    ) -> Result<(), MixError> {
        let &Closing { id, now, ref decoys, .. } = closing;
        let Some(closed) = self.gathering.close(true, rng) else { return Ok(()) };
        let mut order: Vec<Entry<'_>> = closed.order.iter().copied().map(Entry::Item).collect();
        order.extend(decoys.onions.iter().map(|onion| Entry::Decoy(onion)));
        // MIX-04: decoys stand anywhere among the rest.
        order.shuffle(rng);
        let mut hash = Sha256::new();
        me.hook.at(Step::Written, Side::Before)?;
        outputs.write::<MixError>(id, |write| {
            let mut pending = Vec::with_capacity(2 * FLUSH);
            let mut flush = |pending: &mut Vec<u8>| {
                hash.update(&*pending);
                write(pending)?;
                pending.clear();
                Ok::<_, MixError>(())
            };
            let mut sealing = BatchSeal::new(&me.wire, me.hop + 1, &closing.key, rng, &mut pending);
            for entry in &order {
                match entry {
                    Entry::Item(item) => sealing.entry(&store.item(*item)?, &mut pending),
                    Entry::Decoy(onion) => sealing.entry(onion, &mut pending),
                }
                if pending.len() >= FLUSH {
                    flush(&mut pending)?;
                }
            }
            sealing.finish(&mut pending);
            flush(&mut pending)
        })?;
        me.hook.at(Step::Written, Side::After)?;
        let (deleted, alarm) = (store.deleted()?, decoys::alarm(store, now)?);
        let totals = Totals { batch: id, inputs: closed.inputs, count_in: closed.count_in, deleted, alarm };
        let digest = Digest(hash.finalize().into());
        let manifest = totals.manifest(me.hop, order.len() as u32, vec![digest]);
        me.record(store, &manifest, &closed.order, Closes::Batch { decoys: &decoys.boxes, now })
    }
}
