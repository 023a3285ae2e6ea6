//! A round of 100,000 envelopes through one mix, from disk to disk; and whether an exit takes longer on a day with tips.

use anyhow::{Result, ensure};
use lab::disk::{self, Prepared};
use lab::town::Town;
use tempfile::TempDir;

use crate::board::{Board, Plan, Unit};

const ENVELOPES: u32 = 100_000;
/// How often each of the exit's rows is measured.
const RUNS: usize = 9;

/// Entries in the exit's batch.
const ENTRIES: u32 = 10_000;
/// Messages that come to desks in a round without a tip: the decoys of two mixes, 66 of each on average.
const DECOYS: u32 = 132;
/// Tips in one round of a day with many.
const TIPS: u32 = 50;

pub(crate) fn measure(board: &mut Board) -> Result<()> {
    pass(board)?;
    exit(board)
}

/// The first mix's work: read the round, open every layer, keep items and replay tags, shuffle, seal the batch to the next
/// mix, hand it over. Everything it keeps is durable, as in production; the network between is left out.
fn pass(board: &mut Board) -> Result<()> {
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

/// The exit's work, on a day without tips and on one with, at the two moments at which the edge sees it begin and end.
fn exit(board: &mut Board) -> Result<()> {
    const TAKES: [&str; 2] = ["exit: takes 10,000 entries, no tips", "exit: takes 10,000 entries, 50 tips"];
    const WRITES: [&str; 2] =
        ["exit: writes drops of 512 and 64, no tips", "exit: writes drops of 512 and 64, 50 tips"];
    if !TAKES.iter().chain(&WRITES).any(|name| board.wants(name)) {
        return Ok(());
    }
    let town = Town::new(ENTRIES);
    let disk = crate::folder()?;
    for (n, tips) in [0, TIPS].into_iter().enumerate() {
        let mut input = disk.path().join("round");
        disk::write_classes(&town, ENTRIES, DECOYS + tips, &input)?;
        for hop in 0..2 {
            let folder = disk.path().join(format!("{tips}-{hop}"));
            std::fs::create_dir(&folder)?;
            Prepared::new(&town, hop, &input, &folder)?.pass()?;
            input = disk::check(&town, hop, ENTRIES, &folder)?;
        }
        let prepare = || {
            let folder = crate::folder()?;
            Ok((Prepared::new(&town, 2, &input, folder.path())?, folder))
        };
        let plan = Plan { name: TAKES[n], unit: Unit::Millis, runs: RUNS, count: 1 };
        board.time_prepared(
            &plan,
            prepare,
            |(mut prepared, folder)| prepared.take().map(|taken| (taken, folder)),
            |(taken, _)| {
                ensure!(taken == u64::from(ENTRIES), "{taken} were taken");
                Ok(())
            },
        )?;
        let plan = Plan { name: WRITES[n], ..plan };
        board.time_prepared(
            &plan,
            || prepare().and_then(|(mut prepared, folder)| prepared.take().map(|_| (prepared, folder))),
            |(mut prepared, folder)| prepared.write_drops(&town).map(|()| folder),
            |folder| disk::check(&town, 2, 512 + 64, folder.path()).map(drop),
        )?;
    }
    for [quiet, busy] in [TAKES, WRITES] {
        if let Some(ratio) = board.ratio(busy, quiet) {
            eprintln!("{busy}: {ratio:.3} of the same without");
        }
    }
    Ok(())
}
