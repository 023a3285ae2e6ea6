//! The keys this device knows. A key that was published for some rounds does not change any more: otherwise whoever puts a
//! directory together could, with one operator's help, hand one reader keys of its own, and open what that reader alone
//! seals to them. Spec: exchange.md §3.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::edition::Edition;
use proto::id::KeyId;
use proto::keys::{KeyKind, Period, WEEK};
use proto::{DeskId, Round};

/// Who has a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub(crate) enum Holder {
    #[n(0)]
    Mix(#[n(0)] u8),
    #[n(1)]
    Desk(#[n(0)] DeskId),
}

/// How long a key is known after its first round: as long as any is in use, an intake key.
const KEPT: u32 = 3 * WEEK;

/// Keys of mixes and desks by their first round, those of the last three weeks and of all rounds to come.
#[derive(Clone, Default, Encode, Decode)]
pub(crate) struct Known(#[n(0)] BTreeMap<(Holder, Round), KeyId>);

impl Known {
    /// What a directory that is trusted lists.
    pub(crate) fn of(directory: &Directory) -> Self {
        let mut it = Self::default();
        it.learn(listed(directory));
        it
    }

    // EXC-08
    /// Takes in the keys of an edition and its directory. `false`: one of them is another than was known for its rounds, and
    /// nothing may be taken from either.
    pub(crate) fn agrees(&mut self, directory: &Directory, edition: &Edition) -> bool {
        let of_rounds = edition.round_keys().iter().map(|(round, key)| ((Holder::Mix(0), round), key.id()));
        let all: Vec<_> = listed(directory).chain(of_rounds).collect();
        let agrees = all.iter().all(|(of, id)| self.0.get(of).is_none_or(|known| known == id));
        if agrees {
            self.learn(all);
            self.forget(edition.head().round);
        }
        agrees
    }

    fn forget(&mut self, now: Round) {
        self.0.retain(|(_, from), _| from.0.saturating_add(KEPT) >= now.0);
    }

    /// The keys of this desk.
    pub(crate) fn of_desk(&self, desk: DeskId) -> impl Iterator<Item = (Period, KeyId)> {
        let of = move |(&(holder, from), &id): (&(Holder, Round), &KeyId)| {
            (holder == Holder::Desk(desk)).then(|| (KeyKind::Intake.period(from), id))
        };
        self.0.iter().filter_map(of)
    }

    fn learn(&mut self, keys: impl IntoIterator<Item = ((Holder, Round), KeyId)>) {
        self.0.extend(keys);
    }
}

fn listed(directory: &Directory) -> impl Iterator<Item = ((Holder, Round), KeyId)> {
    let mixes = (0..directory.wire().cascade.mixes()).flat_map(|hop| {
        directory.mix_keys(hop).map(move |(period, id)| ((Holder::Mix(hop), period.from), id))
    });
    let desks = directory
        .desks()
        .iter()
        .flat_map(|d| d.keys().map(|(period, id)| ((Holder::Desk(d.id), period.from), id)));
    mixes.chain(desks)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// KEY-02
    #[test]
    fn a_desks_key_is_known_for_as_long_as_drops_of_its_week_may_come() {
        let (desk, from) = (DeskId([1; 16]), Round(2 * WEEK));
        let it = KeyKind::Intake.period(from);
        for now in
            (it.from.0..it.from.0 + 5 * WEEK).map(Round).filter(|now| !KeyKind::Intake.is_over(it, *now))
        {
            let mut known = Known(BTreeMap::from([((Holder::Desk(desk), from), KeyId([2; 16]))]));
            known.forget(now);
            assert_eq!(known.of_desk(desk).count(), 1, "{now}");
        }
    }
}
