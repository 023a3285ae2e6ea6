//! A round of 100,000 envelopes through one mix, from disk to disk.

use anyhow::Result;
use lab::disk::{self, Prepared};
use lab::town::Town;
use tempfile::TempDir;

use crate::board::{Board, Plan, Unit};

const ENVELOPES: u32 = 100_000;

/// The first mix's work: read the round, open every layer, keep items and replay tags, shuffle, seal the batch to the next
/// mix, hand it over. Everything it keeps is durable, as in production; the network between is left out.
pub(crate) fn measure(board: &mut Board) -> Result<()> {
    let name = "a round of 100,000 envelopes through one mix, disk to disk";
    let plan = Plan { name, unit: Unit::Seconds, runs: 3, count: 1 };
    if !board.wants(plan.name) {
        return Ok(());
    }
    let town = Town::new(ENVELOPES);
    let disk = crate::folder()?;
    let input = disk.path().join("round");
    eprintln!("sealing {ENVELOPES} envelopes to begin with");
    disk::write_round(&town, ENVELOPES, 1, &input)?;
    let prepare = || {
        let folder = crate::folder()?;
        Ok((Prepared::new(&town, 0, &input, folder.path())?, folder))
    };
    let pass = |(mut prepared, folder): (Prepared, TempDir)| prepared.pass().map(|()| folder);
    board.time_prepared(&plan, prepare, pass, |folder| {
        disk::check(&town, 0, ENVELOPES, folder.path()).map(drop)
    })
}
