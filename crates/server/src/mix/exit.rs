//! The exit: the last mix. Drops cover, pools the rest, and writes a desk drop and a reader drop of fixed size every round.

use std::collections::HashSet;

use proto::directory::Parameters;
use proto::drops;
use proto::envelope::{self, Found, ReplayTag};
use proto::exit::Pool;
use proto::hold::WAIT_ROUNDS;
use proto::mix::{BatchId, Inputs, ItemId};
use proto::{Digest, Round};
use rand::rngs::StdRng;
use rayon::prelude::*;

use super::keys::Keys;
use super::outputs::Outputs;
use super::passes::Passes;
use super::store::{Closes, Kept, Place, Run, Store};
use super::{Me, MixError, Opened, Totals};
use crate::faults::{Side, Step};

pub(super) struct Exit {
    /// Tags of classes 1 and 2, the only ones kept: cover seen again is cover.
    seen: HashSet<ReplayTag>,
    /// Items of the batch that is not admitted yet.
    waiting: Vec<(Place, Round, ItemId)>,
    /// Entries of that batch, whatever they are: what `n_min` counts.
    opened: u32,
    /// When the first of those was taken.
    since: Round,
    desk: Pool,
    readers: Pool,
    inputs: Inputs,
    passes: Passes,
}

impl Exit {
    pub(super) fn resume(parameters: &Parameters, kept: Kept) -> Self {
        let at = |wanted: Place| {
            kept.items.iter().filter(move |(p, ..)| *p == wanted).map(|&(_, release, id)| (release, id))
        };
        let waiting =
            kept.items.iter().filter(|(p, ..)| matches!(p, Place::DeskWaiting | Place::ReaderWaiting));
        Self {
            waiting: waiting.copied().collect(),
            desk: Pool::resume(parameters.desk_slots, at(Place::DeskPool).collect()),
            readers: Pool::resume(parameters.reader_slots, at(Place::ReaderPool).collect()),
            seen: kept.tags.into_iter().collect(),
            opened: kept.opened,
            since: kept.since,
            inputs: Inputs::resume(kept.inputs),
            passes: Passes::resume(kept.passes),
        }
    }

    /// Tells the round it is.
    pub(super) fn ripen(&mut self, now: Round) {
        self.desk.ripen(now);
        self.readers.ripen(now);
    }

    pub(super) fn opened(&self) -> u32 {
        self.opened
    }

    /// Opens entries on all processors. Cover is counted and dropped at once.
    pub(super) fn open(&self, me: &Me, keys: &Keys, round: Round, entries: &[&[u8]]) -> Opened {
        let passes = self.passes.accepted();
        let open =
            |entry: &&[u8]| keys.open(round, |key| envelope::open_exit(&me.wire, key, passes, entry)).ok();
        let opened: Vec<_> = entries.par_iter().map(open).collect();
        // EXT-06: all that came, whatever it is. If what an entry is decided whether it counts, the mix before could send a
        // batch of one too few with a copy of one entry, and see in the drops whether that was a message.
        let mut out = Opened { count: entries.len() as u32, ..Opened::default() };
        let mut now = HashSet::new();
        for (key, (tag, found)) in opened.into_iter().flatten() {
            // MIX-01
            if matches!(found, Found::Cover) || self.seen.contains(&tag) || !now.insert(tag) {
                continue;
            }
            out.tags.push((key, tag));
            match found {
                Found::Cover => {}
                Found::ToDesk(boxed) => out.items.push((Place::DeskWaiting, boxed)),
                Found::ToReaders(slots) => {
                    out.items.extend(slots.iter().map(|slot| (Place::ReaderWaiting, slot.to_vec())));
                }
            }
        }
        out
    }

    /// Takes in what was stored.
    pub(super) fn take(&mut self, run: &Run, ids: &[ItemId]) {
        if let Some(input) = run.input {
            self.inputs.take(input);
        }
        if self.opened == 0 {
            self.since = run.now;
        }
        self.seen.extend(run.tags.iter().map(|(_, tag)| *tag));
        self.waiting.extend(run.items.iter().zip(ids).map(|(item, id)| (item.place, item.release, *id)));
        self.opened = run.opened;
    }

    /// The inputs taken since the last drops.
    pub(super) fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Takes out a batch that waited too long: its items, and how many entries it had. Never how many of which class.
    pub(super) fn expire(&mut self, now: Round) -> (Vec<ItemId>, u32) {
        self.inputs.expire(now);
        // MIX-10
        if self.opened == 0 || self.since.0.saturating_add(WAIT_ROUNDS) > now.0 {
            return (vec![], 0);
        }
        (self.waiting.drain(..).map(|(.., id)| id).collect(), std::mem::take(&mut self.opened))
    }

    /// Moves what waits into the pools. Returns the items that found no room.
    pub(super) fn admit(&mut self, rng: &mut StdRng) -> Vec<ItemId> {
        self.opened = 0;
        let mut gone = Vec::new();
        for (place, release, id) in self.waiting.drain(..) {
            let pool = if place == Place::DeskWaiting { &mut self.desk } else { &mut self.readers };
            gone.extend(pool.add(id, release, rng));
        }
        gone
    }

    /// The passes that it drew.
    pub(super) fn passes(&mut self) -> &mut Passes {
        &mut self.passes
    }

    /// Writes the drops of `round`, whose day has its pass: exactly the published number of slots, in random order, filled up with what nobody can
    /// tell from the rest.
    pub(super) fn emit(
        &mut self,
        me: &Me,
        round: Round,
        store: &mut Store,
        outputs: &Outputs,
        rng: &mut StdRng,
    ) -> Result<(), MixError> {
        let id = BatchId { round, part: 0 };
        let table = self.passes.table();
        let (desk, readers) = (self.desk.emit(rng), self.readers.emit(rng));
        // Filler is made for every slot and then replaced, so that a round takes about as long with tips as without.
        let mut desk_drop = Vec::new();
        for place in &desk {
            let filler = drops::empty_box(&me.wire, rng);
            desk_drop.extend(place.map_or(Ok(filler), |item| store.item(item))?);
        }
        desk_drop.extend_from_slice(table);
        let mut reader_drop = Vec::new();
        for place in &readers {
            let filler = drops::empty_slot(rng).to_vec();
            reader_drop.extend(place.map_or(Ok(filler), |item| store.item(item))?);
        }
        me.hook.at(Step::Written, Side::Before)?;
        outputs.write::<MixError>(id, |write| {
            write(&desk_drop)?;
            write(&reader_drop)
        })?;
        me.hook.at(Step::Written, Side::After)?;
        let (inputs, count_in) = self.inputs.close();
        let totals = Totals { batch: id, inputs, count_in, deleted: store.deleted()?, alarm: false };
        let slots = (desk.len() + readers.len()) as u32;
        let digests = vec![Digest::of(&desk_drop), Digest::of(&reader_drop)];
        let gone: Vec<ItemId> = desk.into_iter().chain(readers).flatten().collect();
        me.record(store, &totals.manifest(me.hop, slots, digests), &gone, Closes::Drops)?;
        Ok(())
    }
}
