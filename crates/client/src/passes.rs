//! A desk's passes: one for each day, and only if all desks have it. Spec: mix.md §12.

use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::pass::{self, DeskPass};
use proto::seal::SealSecret;
use proto::{NetworkId, Round};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::device::ExitKeys;

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
    /// SHA-256 of the first table of the day that came, which is the same in all its drops; zero if none came.
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
/// Said for each drop that has another than the first. It changes nothing that is sent.
const SECOND: &str =
    "The exit gave out a second pass within a day. All desks go on with the first. Ask its operator why.";

impl Passes {
    /// Looks into the table of passes of a drop of `round`, once for each day. `keys` are this desk's; `directories` those of the
    /// day: one, but on the network's first day; none if this device does not know it. `saw_before` says whether this device saw
    /// every drop of the day before. Drops are handed in as they stand in the log.
    pub(crate) fn learn<'a>(
        &mut self,
        network: &NetworkId,
        round: Round,
        table: &[u8],
        keys: impl Iterator<Item = &'a SealSecret>,
        directories: impl FnOnce() -> Vec<Directory>,
        saw_before: impl FnOnce() -> bool,
    ) {
        let (day, digest) = (pass::day(round), <[u8; 32]>::from(Sha256::digest(table)));
        let known = |day: u32| self.days.iter().find(|known| known.day == day);
        // PAS-03: the first in the order of the log, which is the same for all, however far each has come. If a second changed
        // anything, whoever shows it could tell by what they send how far a desk has come.
        if let Some(known) = known(day) {
            if known.table != digest && known.desks > 0 {
                tracing::error!("{SECOND}");
            }
            return;
        }
        // PAS-03: that the day had none was found out by all when the later one came.
        if self.days.iter().any(|known| known.day > day) {
            return;
        }
        // PAS-04: who was not there cannot know that others have no pass of that day.
        if let Some(before) = day.checked_sub(1)
            && known(before).is_none()
            && !saw_before()
        {
            self.days.push(Day { day: before, table: [0; 32], pass: [0; 32], desks: 0 });
        }
        let directories = directories();
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

    /// The pass for the envelope at `place` of the queue, its day, and how many desks have it.
    pub(crate) fn at(&self, exits: &ExitKeys, place: usize) -> Option<(DeskPass, u32, u16)> {
        let leaves = exits.leaves(place);
        self.of(leaves, |day| exits.is_one(leaves, pass::last_round(day)))
    }

    // PAS-04: that of the day before. By then every desk has it, and what waited in a queue bears the same as what is new. Drops come in
    // their order: who knows the pass of a day, and saw the day before, knows whether there was a drop on it.
    /// The pass for an envelope that leaves in this round, its day, and how many desks have it. `is_its` says whether the exit of that
    /// round drew the pass of a day: one that takes over knows none of before.
    fn of(&self, leaves: Round, is_its: impl Fn(u32) -> bool) -> Option<(DeskPass, u32, u16)> {
        let of = |day: u32| self.days.iter().find(|known| known.day == day);
        let today = pass::day(leaves);
        let before = today.checked_sub(1).filter(|day| is_its(*day)).and_then(of);
        let known = before.or_else(|| of(today)).filter(|known| known.desks > 0)?;
        Some((DeskPass::from_bytes(known.pass), known.day, known.desks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32, desks: u16) -> Day {
        Day { day, table: [day as u8; 32], pass: [day as u8; 32], desks }
    }

    /// PAS-04
    #[test]
    fn pas_04_an_envelope_bears_the_pass_of_the_day_before_or_of_its_own_after_a_day_without_drops() {
        let of =
            |passes: &Passes, leaves| passes.of(Round(leaves), |_| true).map(|(_, day, desks)| (day, desks));
        let mut passes = Passes { days: vec![day(0, 2)] };
        assert_eq!(
            [0, 23, 24, 47, 48].map(|r| of(&passes, r)),
            [Some((0, 2)), Some((0, 2)), Some((0, 2)), Some((0, 2)), None]
        );
        // No drop on day 1, and what came on day 4 is not usable.
        passes.days.extend([day(2, 3), day(3, 3), day(4, 0)]);
        let on = |d: u32| [d * 24, d * 24 + 23].map(|r| of(&passes, r));
        assert_eq!(
            [2, 3, 4, 5, 6].map(on),
            [[Some((2, 3)); 2], [Some((2, 3)); 2], [Some((3, 3)); 2], [None; 2], [None; 2]]
        );
    }

    /// PAS-04: an exit that takes over on day 7 has no pass of before.
    #[test]
    fn pas_04_on_the_first_day_of_another_exit_desks_wait_for_its_pass() {
        let by = |passes: &Passes, leaves: u32| {
            let is_its = |day| (day >= 7) == (leaves / 24 >= 7);
            passes.of(Round(leaves), is_its).map(|(_, day, _)| day)
        };
        let mut passes = Passes { days: vec![day(5, 2), day(6, 2)] };
        assert_eq!(
            [6 * 24, 7 * 24 - 1, 7 * 24, 8 * 24 - 1].map(|r| by(&passes, r)),
            [Some(5), Some(5), None, None]
        );
        passes.days.push(day(7, 2));
        assert_eq!([7 * 24, 8 * 24 - 1, 8 * 24].map(|r| by(&passes, r)), [Some(7), Some(7), Some(7)]);
    }

    const NETWORK: NetworkId = NetworkId([7; 32]);

    /// Learns the tables of these rounds, which no directory is known for. `saw` says of which days all drops were seen.
    fn learned(passes: &mut Passes, rounds: &[u32], saw: bool) {
        let key = SealSecret::from_seed(&[1; 32]);
        let table = pass::table(&NETWORK, &DeskPass::from_bytes([5; 32]), [key.public()].into_iter(), 3);
        for &round in rounds {
            passes.learn(&NETWORK, Round(round), &table, [&key].into_iter(), Vec::new, || saw);
        }
    }

    #[test]
    fn a_table_that_nobody_can_judge_is_remembered_as_none_and_is_no_reason_to_use_the_days_own_pass() {
        let mut passes = Passes::default();
        learned(&mut passes, &[30, 31], true);
        assert_eq!(passes.days.len(), 1);
        assert!(passes.of(Round(47), |_| true).is_none() && passes.of(Round(48), |_| true).is_none());
    }

    /// PAS-03
    #[test]
    fn pas_03_an_earlier_days_table_after_a_later_one_is_as_if_it_had_not_come() {
        let mut passes = Passes { days: vec![day(3, 2)] };
        learned(&mut passes, &[71], true);
        assert_eq!(passes.days.len(), 1);
        assert_eq!(
            passes.of(Round(72), |_| true).map(|(_, day, _)| day),
            Some(3),
            "day 2 had no drop when that of day 3 came"
        );
    }

    /// PAS-04
    #[test]
    fn pas_04_who_did_not_see_the_day_before_takes_it_for_one_whose_pass_others_have() {
        for (saw, days) in [(true, vec![3]), (false, vec![2, 3])] {
            let mut passes = Passes::default();
            learned(&mut passes, &[72], saw);
            assert_eq!(passes.days.iter().map(|known| known.day).collect::<Vec<_>>(), days);
            assert!(passes.days.iter().all(|known| known.desks == 0));
        }
        let mut passes = Passes { days: vec![day(2, 2)] };
        learned(&mut passes, &[72], false);
        assert_eq!(passes.days.len(), 2, "of that day it has one");
    }
}
