//! The keys that mixes and desks hand in at the edge, for heads and directories. Spec: keys.md §3.

use std::collections::BTreeMap;

use proto::directory::{Directory, IntakeKey, MixKey, check_intake_key, check_mix_key};
use proto::id::KeyId;
use proto::keys::KeyKind;
use proto::seal::SealPublic;
use proto::sign::Unverified;
use proto::{DeskId, Round, codec, path};
use tracing::warn;

use crate::edge::{Edge, EdgeError};

/// How long a key is kept after its first round: those of the exit live for so long.
pub(crate) const KEPT: u32 = 3 * proto::keys::WEEK;

/// Keys as their owners signed them, each by who has it and the first round it is for. Fetched once, and kept: devices take no
/// other key for rounds whose key they know, so none may come in its place, whatever is handed in after a restart.
#[derive(Default)]
pub(crate) struct Keys {
    mixes: BTreeMap<(u8, Round), Unverified<MixKey>>,
    desks: BTreeMap<(DeskId, Round), Unverified<IntakeKey>>,
    /// Whose each key is, and from which round on. Who hands in another's key, which is public, would make a directory that
    /// nobody takes.
    owners: BTreeMap<KeyId, Owner>,
    /// The one key of each, in rounds that it was first seen for.
    only: BTreeMap<Owner, KeyId>,
    /// What is not on the disk yet.
    unsaved: Vec<Kept>,
}

/// Who has a key, and from which round on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    Mix(u8, Round),
    Desk(DeskId, Round),
}

/// A key as it is kept on the disk: its id, and the record that its owner signed.
pub(crate) struct Kept {
    pub(crate) owner: Owner,
    pub(crate) id: KeyId,
    pub(crate) signed: Vec<u8>,
}

impl Keys {
    /// Those kept in earlier runs. What the roster of now would not take is not published any more; no other comes for it.
    pub(crate) fn kept(kept: Vec<Kept>, directory: &Directory) -> Self {
        let (wire, roster) = (directory.wire(), directory.roster());
        let mut keys = Self::default();
        for Kept { owner, id, signed } in kept {
            keys.note(id, owner);
            match owner {
                Owner::Mix(hop, from) => {
                    let signed = codec::decode(&signed).ok();
                    let taken = |s: &_| check_mix_key(s, roster, wire.cascade, &wire.network).is_ok();
                    keys.mixes.extend(signed.filter(taken).map(|signed| ((hop, from), signed)));
                }
                Owner::Desk(desk, from) => {
                    let signed = codec::decode(&signed).ok();
                    // A desk's id says which vault key it has, so that those of one that is not listed are nobody else's.
                    let taken = |s: &_| {
                        let listed = directory.desk(&desk);
                        listed.is_some_and(|it| check_intake_key(s, &it.vault_key, &wire.network).is_ok())
                    };
                    keys.desks.extend(signed.filter(taken).map(|signed| ((desk, from), signed)));
                }
            }
        }
        keys
    }

    /// What is to be kept on the disk before it is published.
    pub(crate) fn unsaved(&self) -> &[Kept] {
        &self.unsaved
    }

    /// It is on the disk.
    pub(crate) fn saved(&mut self) {
        self.unsaved.clear();
    }

    /// Fetches what is to be public in round `now` and is not here yet. What is not at the edge may come later.
    pub(crate) async fn collect(
        &mut self,
        edge: &Edge,
        directory: &Directory,
        now: Round,
    ) -> Result<(), EdgeError> {
        let (wire, roster) = (directory.wire(), directory.roster());
        self.know(directory);
        for hop in 0..wire.cascade.mixes() {
            for period in KeyKind::of_mix(hop, wire.cascade).published(now) {
                if self.mixes.contains_key(&(hop, period.from)) {
                    continue;
                }
                let Some(signed) = edge.record(&path::mix_key(hop, period.from)).await? else { continue };
                match check_mix_key(&signed, roster, wire.cascade, &wire.network) {
                    Ok((it, _)) if (it.hop, it.period()) != (hop, period) => {
                        warn!("left a mix's key out: it is another one than was asked for");
                    }
                    Ok((_, key)) if !self.is_theirs(key.id(), Owner::Mix(hop, period.from)) => {
                        warn!("left a mix's key out: it is another's, or another one than was seen first");
                    }
                    Ok((_, key)) => {
                        self.keep(key.id(), Owner::Mix(hop, period.from), &signed);
                        self.mixes.insert((hop, period.from), signed);
                    }
                    Err(why) => warn!("left a mix's key out: {why}"),
                }
            }
        }
        for desk in directory.desks() {
            for period in KeyKind::Intake.published(now) {
                if self.desks.contains_key(&(desk.id, period.from)) {
                    continue;
                }
                let Some(signed) = edge.record(&path::intake_key(&desk.id, period.from)).await? else {
                    continue;
                };
                match check_intake_key(&signed, &desk.vault_key, &wire.network) {
                    Ok((it, _)) if it.period() != period => {
                        warn!("left a desk's key out: it is another one than was asked for");
                    }
                    Ok((_, key)) if !self.is_theirs(key.id(), Owner::Desk(desk.id, period.from)) => {
                        warn!("left a desk's key out: it is another's, or another one than was seen first");
                    }
                    Ok((_, key)) => {
                        self.keep(key.id(), Owner::Desk(desk.id, period.from), &signed);
                        self.desks.insert((desk.id, period.from), signed);
                    }
                    Err(why) => warn!("left a desk's key out: {why}"),
                }
            }
        }
        self.mixes.retain(|(_, from), _| from.0.saturating_add(KEPT) > now.0);
        self.desks.retain(|(_, from), _| from.0.saturating_add(KEPT) > now.0);
        Ok(())
    }

    /// Whether every mix's key for round `now` is here.
    pub(crate) fn has_all_mixes(&self, directory: &Directory, now: Round) -> bool {
        let cascade = directory.wire().cascade;
        let first = |hop| KeyKind::of_mix(hop, cascade).period(now).from;
        (0..cascade.mixes()).all(|hop| self.mixes.contains_key(&(hop, first(hop))))
    }

    /// Takes note of whose the keys are that stand in a directory.
    pub(crate) fn know(&mut self, directory: &Directory) {
        for hop in 0..directory.wire().cascade.mixes() {
            directory.mix_keys(hop).for_each(|(period, id)| self.note(id, Owner::Mix(hop, period.from)));
        }
        for desk in directory.desks() {
            desk.keys().for_each(|(period, id)| self.note(id, Owner::Desk(desk.id, period.from)));
        }
    }

    /// Takes note of whose a key is, as it was seen first.
    fn note(&mut self, id: KeyId, owner: Owner) {
        self.owners.entry(id).or_insert(owner);
        self.only.entry(owner).or_insert(id);
    }

    fn keep<T: codec::Record>(&mut self, id: KeyId, owner: Owner, signed: &T) {
        self.unsaved.push(Kept { owner, id, signed: codec::encode(signed) });
    }

    /// Whether a key is this owner's, who has it from now on if it was nobody's.
    fn is_theirs(&mut self, id: KeyId, owner: Owner) -> bool {
        // EXC-08: no device takes another than the first.
        if self.only.get(&owner).is_some_and(|only| *only != id) {
            return false;
        }
        let theirs = *self.owners.entry(id).or_insert(owner) == owner;
        if theirs {
            self.only.insert(owner, id);
        }
        theirs
    }

    /// The first mix's keys for the head of round `now`.
    pub(crate) fn of_rounds(&self, directory: &Directory, now: Round) -> Vec<Unverified<MixKey>> {
        self.of_mix(directory, 0, now, |kind| kind == KeyKind::Round)
    }

    /// The other mixes' keys for a directory made in round `now`.
    pub(crate) fn of_mixes(&self, directory: &Directory, now: Round) -> Vec<Unverified<MixKey>> {
        (0..directory.wire().cascade.mixes())
            .flat_map(|hop| self.of_mix(directory, hop, now, |kind| kind != KeyKind::Round))
            .collect()
    }

    fn of_mix(
        &self,
        directory: &Directory,
        hop: u8,
        now: Round,
        wanted: impl Fn(KeyKind) -> bool,
    ) -> Vec<Unverified<MixKey>> {
        let kind = KeyKind::of_mix(hop, directory.wire().cascade);
        // MBX-15: what a device that was off seals for the exit, it seals to the key that its cover has.
        let before = kind.live_on(now).filter(|_| kind == KeyKind::Week);
        let periods = before.chain(kind.published(now)).filter(|_| wanted(kind));
        periods.filter_map(|period| self.mixes.get(&(hop, period.from)).cloned()).collect()
    }

    /// A desk's keys for a directory made in round `now`. `listed` are those that came with its card.
    pub(crate) fn of_desk(
        &self,
        desk: &DeskId,
        listed: &[Unverified<IntakeKey>],
        now: Round,
    ) -> Vec<Unverified<IntakeKey>> {
        let is_only = |key: &IntakeKey| {
            let only = self.only.get(&Owner::Desk(*desk, key.from));
            only.is_none_or(|only| SealPublic::from_bytes(&key.key).is_some_and(|key| key.id() == *only))
        };
        let came = |from: Round| {
            let of_then = |key: IntakeKey| key.from == from && is_only(&key);
            listed.iter().find(|signed| signed.dangerously_peek().is_ok_and(of_then))
        };
        KeyKind::Intake
            .published(now)
            .filter_map(|period| self.desks.get(&(*desk, period.from)).or_else(|| came(period.from)).cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Town;

    /// MBX-15: a directory names the exit's keys until they are deleted, and a middle mix's only while they are used.
    #[test]
    fn mbx_15_a_directory_names_the_exits_keys_for_as_long_as_they_open() {
        let town = Town::new(4);
        let cascade = town.directory.wire().cascade;
        let identity = proto::sign::IdentitySecret::from_seed(&[9; 32]);
        let mut keys = Keys::default();
        for hop in 1..cascade.mixes() {
            let kind = KeyKind::of_mix(hop, cascade);
            for period in (0..600).step_by(kind.rounds() as usize).map(|from| kind.period(Round(from))) {
                let seed = [&[hop; 28][..], &period.from.0.to_be_bytes()].concat().try_into().unwrap();
                let key = proto::seal::SealSecret::from_seed(&seed).public().to_bytes().into();
                let key = MixKey { hop, key, from: period.from, until: period.until };
                keys.mixes.insert((hop, period.from), Unverified::sign(&key, &town.network, &identity));
            }
        }
        let named = |now, hop| {
            let all = keys.of_mixes(&town.directory, Round(now));
            let all = all.iter().map(|key| key.dangerously_peek().unwrap()).filter(|key| key.hop == hop);
            all.map(|key| key.from.0).collect::<Vec<_>>()
        };
        let exit = cascade.exit();
        for (now, want) in [(0, vec![0, 168]), (407, vec![168, 0, 336, 504]), (408, vec![168, 336, 504])] {
            assert_eq!(named(now, exit), want, "{now}");
        }
        assert_eq!(named(407, 1), [384, 408]);
    }

    /// DIR-08 at the press: who hands in a key that is another's, or their own of another time, is left out; the directory is
    /// made all the same.
    #[test]
    fn a_key_that_stands_under_another_name_is_nobody_elses() {
        let town = Town::new(3);
        let mut keys = Keys::default();
        keys.know(&town.directory);
        let desk = town.directory.desks()[0].id;
        let of_desk = town.intake.public().id();
        assert!(keys.is_theirs(of_desk, Owner::Desk(desk, Round(0))), "its own again");
        assert!(!keys.is_theirs(of_desk, Owner::Desk(desk, Round(168))), "its own of another week");
        assert!(!keys.is_theirs(of_desk, Owner::Mix(2, Round(0))), "another's");
        let new = proto::seal::SealSecret::from_seed(&[1; 32]).public().id();
        assert!(keys.is_theirs(new, Owner::Mix(1, Round(24))));
        assert!(!keys.is_theirs(new, Owner::Mix(0, Round(24))), "who comes second");
        let other = proto::seal::SealSecret::from_seed(&[2; 32]).public().id();
        assert!(!keys.is_theirs(other, Owner::Mix(1, Round(24))), "another in place of the first");
        assert!(!keys.is_theirs(other, Owner::Desk(desk, Round(0))), "and of one that a directory lists");
    }
}
