//! Unlocking in vain: with wrong words, and where there never was a mailbox. Whoever holds the device and a stop-watch should
//! learn nothing from the difference.

use std::sync::Arc;

use anyhow::{Result, ensure};
use client::{Config, Device, Kdf, Passphrase, Place};
use lab::town::{GENESIS, Town};
use proto::{Clock, Millis};
use rand::{SeedableRng as _, rngs::StdRng};

use crate::board::{Board, Unit};

const WRONG: &str = "mailbox: wrong words";
const NEVER: &str = "mailbox: words where there never was one";

/// By how much the two may differ on a machine that does nothing else.
const APART: f64 = 0.05;

pub(crate) fn measure(board: &mut Board) -> Result<()> {
    if !board.wants(WRONG) && !board.wants(NEVER) {
        return Ok(());
    }
    let town = Town::new(100_000);
    let device = |seed| {
        let config = Config {
            edge: "http://127.0.0.1:9".into(),
            network: town.network,
            directory: town.bytes.clone(),
            place: Place::Memory,
            kdf: Kdf::desktop(),
            desk: None,
        };
        Device::open(config, Arc::new(Standing), StdRng::seed_from_u64(seed))
    };
    let (used, never) = (device(1)?, device(2)?);
    let [right, wrong] = [3, 4].map(|seed| Passphrase::generate(&mut StdRng::seed_from_u64(seed)));
    drop(used.begin(&right)?);
    let no = |device: &Device| device.unlock(&wrong).is_ok_and(|session| session.is_none());
    ensure!(used.unlock(&right)?.is_some() && no(&used) && no(&never));
    board.time(WRONG, Unit::Millis, || no(&used));
    board.time(NEVER, Unit::Millis, || no(&never));
    if let Some(ratio) = board.ratio(WRONG, NEVER) {
        let within = (ratio - 1.0).abs() <= APART;
        let verdict =
            if within { "within 5 %" } else { "more than 5 % apart: measure with nothing else running" };
        eprintln!("mailbox: wrong words take {ratio:.3} of the other: {verdict}");
    }
    Ok(())
}

/// The middle of round 0.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        GENESIS.plus(1_800_000)
    }
}
