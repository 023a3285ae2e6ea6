//! The exit's desk passes: one drawn for each day, sealed to every listed desk, and laid into that day's drops.
//! Spec: mix.md §12.

use proto::Round;
use proto::directory::{Desk, check_intake_key};
use proto::keys::KeyKind;
use proto::pass::{self, ACCEPTED_DAYS, DeskPass};
use proto::seal::SealPublic;
use rand::rngs::StdRng;

use super::store::{DayPass, Store};
use super::upstream::Upstream;
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
        upstream: &mut impl Upstream,
        rng: &mut StdRng,
    ) -> Result<&[u8], MixError> {
        let today = pass::day(round);
        // PAS-02: one pass for each day.
        if self.day < Some(today) {
            let drawn = DeskPass::generate(rng);
            let mut intake = Vec::new();
            // Also a desk that takes effect later in the day, or it could not answer until the next.
            let last = pass::last_round(today);
            for desk in me.directory.desks().iter().filter(|desk| desk.since <= last) {
                intake.extend(current(me, desk, last, upstream)?);
            }
            let places = me.directory.parameters().desks;
            let table = pass::table(&me.wire.network, &drawn, intake.iter(), places, rng);
            me.hook.at(Step::PassKept, Side::Before)?;
            store.keep_pass(today, drawn.as_bytes(), &table, (today + 1).saturating_sub(ACCEPTED_DAYS))?;
            me.hook.at(Step::PassKept, Side::After)?;
            *self = Self::resume(store.passes()?);
        }
        Ok(&self.table)
    }
}

/// The desk's intake key of `round`: as the directory names it or, once that is too old to, as the edge has it. `None`: its
/// vault was not open for so long that it has none.
fn current(
    me: &Me,
    desk: &Desk,
    round: Round,
    upstream: &mut impl Upstream,
) -> Result<Option<SealPublic>, MixError> {
    if let Some(key) = desk.intake(round) {
        return Ok(Some(key.clone()));
    }
    let period = KeyKind::Intake.period(round);
    let Some(signed) = upstream.intake(&desk.id, period.from)? else { return Ok(None) };
    Ok(match check_intake_key(&signed, &desk.identity, &me.wire.network) {
        Ok((it, key)) if it.period() == period => Some(key),
        _ => {
            tracing::warn!("The edge gave another key for a desk than was asked for. Ask its operator.");
            None
        }
    })
}
