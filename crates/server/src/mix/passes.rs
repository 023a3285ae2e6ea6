//! The exit's desk passes: one drawn for each day, sealed to every listed desk, and laid into that day's drops.
//! Spec: mix.md §12.

use proto::directory::Directory;
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

    /// The table for drops of the newest day that has a pass. Empty: none was drawn yet.
    pub(super) fn table(&self) -> &[u8] {
        &self.table
    }

    /// Whether the day has no pass yet, nor one after it.
    pub(super) fn lacks(&self, day: u32) -> bool {
        self.day < Some(day)
    }

    /// Draws the pass of a day, for the desks of the day's directory.
    pub(super) fn draw(
        &mut self,
        me: &Me,
        (day, directory): (u32, &Directory),
        store: &mut Store,
        rng: &mut StdRng,
    ) -> Result<(), MixError> {
        // PAS-02: one pass for each day.
        if !self.lacks(day) {
            return Ok(());
        }
        let drawn = DeskPass::generate(rng);
        let desks = directory.intake_keys(pass::last_round(day));
        let table = pass::table(&me.wire.network, &drawn, desks, me.directory.parameters().desks);
        me.hook.at(Step::PassKept, Side::Before)?;
        store.keep_pass(day, drawn.as_bytes(), &table, (day + 1).saturating_sub(ACCEPTED_DAYS))?;
        me.hook.at(Step::PassKept, Side::After)?;
        *self = Self::resume(store.passes()?);
        Ok(())
    }
}
