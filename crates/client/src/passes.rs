//! A desk's passes: one for each day, and only if all desks have it. Spec: mix.md §12.

use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::pass::{self, DeskPass};
use proto::seal::SealSecret;
use proto::{NetworkId, Round};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How many days are remembered: passes of today and the day before are used, and what was refused must stay so.
const DAYS: u32 = 4;

/// What a desk knows of the passes of the last days.
#[derive(Default, Encode, Decode)]
pub(crate) struct Passes {
    #[n(0)]
    days: Vec<Day>,
}

#[derive(Encode, Decode, Zeroize, ZeroizeOnDrop)]
struct Day {
    #[n(0)]
    day: u32,
    /// SHA-256 of the first table of the day that came: it is the same in all its drops.
    #[cbor(n(1), with = "minicbor::bytes")]
    table: [u8; 32],
    #[cbor(n(2), with = "minicbor::bytes")]
    pass: [u8; 32],
    /// How many desks have it. 0: there is none, and it stays so.
    #[n(3)]
    desks: u16,
}

/// Said once for each day; the desk's screen says that answers wait.
const ACCUSED: &str = "The exit did not give all desks one pass, so it could tell which desk answers. Answers wait. Ask its operator.";

impl Passes {
    /// Looks into the table of passes of a drop of `round`, once for each table. `keys` are this desk's; `directories` those of the
    /// day: one, but on the network's first day.
    pub(crate) fn learn<'a>(
        &mut self,
        network: &NetworkId,
        round: Round,
        table: &[u8],
        keys: impl Iterator<Item = &'a SealSecret>,
        directories: &[Directory],
    ) {
        let (day, digest) = (pass::day(round), <[u8; 32]>::from(Sha256::digest(table)));
        // PAS-03: one table for each day. Who shows two could tell desks by which of them they took.
        if let Some(known) = self.days.iter_mut().find(|known| known.day == day) {
            if known.table != digest && known.desks > 0 {
                tracing::error!("{ACCUSED}");
                (known.pass, known.desks) = ([0; 32], 0);
            }
            return;
        }
        if directories.is_empty() {
            return;
        }
        let last = pass::last_round(day);
        let mut ours = Vec::new();
        let mut found = None;
        for key in keys {
            ours.push(key.public().id());
            found = found.or_else(|| pass::find(network, key, table));
        }
        // PAS-03: what is in it for the others hangs on the pass too.
        let is_whole = |directory: &&Directory| {
            let made =
                |pass| pass::table(network, pass, directory.intake_keys(last), directory.parameters().desks);
            found.as_ref().is_some_and(|pass| made(pass) == table)
        };
        let whole = directories.iter().find(is_whole);
        let listed = |directory: &Directory| directory.intake_keys(last).any(|key| ours.contains(&key.id()));
        if whole.is_none() && directories.iter().any(listed) {
            tracing::error!("{ACCUSED}");
        }
        let (pass, desks) = match (whole, &found) {
            (Some(directory), Some(pass)) => (*pass.as_bytes(), directory.intake_keys(last).count() as u16),
            _ => ([0; 32], 0),
        };
        self.days.push(Day { day, table: digest, pass, desks });
        self.days.retain(|known| known.day.saturating_add(DAYS) > day);
    }

    /// The pass for an envelope that leaves in this round, and how many desks have it.
    pub(crate) fn of(&self, leaves: Round) -> Option<(DeskPass, u16)> {
        let day = pass::of_envelope(leaves);
        let known = self.days.iter().find(|known| known.day == day && known.desks > 0)?;
        Some((DeskPass::from_bytes(known.pass), known.desks))
    }
}
