//! The exit's desk passes: one drawn for each day, sealed to every listed desk, and laid into that day's drops.
//! Spec: mix.md §12.

use proto::Round;
use proto::pass::{self, ACCEPTED_DAYS, DeskPass};
use rand::rngs::StdRng;

use super::store::{DayPass, Store};
use super::{Me, MixError};
use crate::faults::{Side, Step};

/// Passes that are accepted, and the newest day's table.
pub(super) struct Passes {
    accepted: Vec<DeskPass>,
    /// The day of the table.
    day: Option<u32>,
    table: Vec<u8>,
}

impl Passes {
    /// What the store kept, the newest last.
    pub(super) fn resume(kept: Vec<DayPass>) -> Self {
        let mut passes = Self { accepted: Vec::new(), day: None, table: Vec::new() };
        for (day, pass, table) in kept {
            passes.accepted.push(DeskPass::from_bytes(pass));
            (passes.day, passes.table) = (Some(day), table);
        }
        passes
    }

    /// Passes under which slots for readers are taken.
    pub(super) fn accepted(&self) -> &[DeskPass] {
        &self.accepted
    }

    /// The table for the drops of `round`: drawn with the first drops of its day, and the same for all of them.
    pub(super) fn table(
        &mut self,
        me: &Me,
        round: Round,
        store: &mut Store,
        rng: &mut StdRng,
    ) -> Result<&[u8], MixError> {
        let today = pass::day(round);
        // PAS-02: one pass for each day.
        if self.day < Some(today) {
            let drawn = DeskPass::generate(rng);
            let desks = me.directory.intake_keys(pass::last_round(today));
            let table = pass::table(&me.wire.network, &drawn, desks, me.directory.parameters().desks);
            me.hook.at(Step::PassKept, Side::Before)?;
            store.keep_pass(today, drawn.as_bytes(), &table, (today + 1).saturating_sub(ACCEPTED_DAYS))?;
            me.hook.at(Step::PassKept, Side::After)?;
            *self = Self::resume(store.passes()?);
        }
        Ok(&self.table)
    }
}
