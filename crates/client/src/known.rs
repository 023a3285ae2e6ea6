//! The keys this device knows. They are fixed for as long as a network runs: directories say which desks there are, and
//! never that somebody has another key now. Otherwise whoever puts a directory together could, with one operator's help,
//! hand one reader keys of its own, and open what that reader alone seals to them. Spec: exchange.md §3.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::{DeskId, Digest};

/// Digests of the keys of the mixes and of every desk ever listed, those that have left included.
#[derive(Clone, Encode, Decode)]
pub(crate) struct Known {
    #[n(0)]
    mixes: Digest,
    #[n(1)]
    desks: BTreeMap<DeskId, Digest>,
}

impl Known {
    /// What a directory that is trusted lists.
    pub(crate) fn of(directory: &Directory) -> Self {
        let mut it = Self { mixes: directory.mix_keys_digest(), desks: BTreeMap::new() };
        it.learn(directory);
        it
    }

    /// Whether all that is known has the keys it had.
    pub(crate) fn agrees(&self, directory: &Directory) -> bool {
        let same = |known: Option<&Digest>, now: Digest| known.is_none_or(|known| *known == now);
        self.mixes == directory.mix_keys_digest()
            && directory.desks().iter().all(|desk| same(self.desks.get(&desk.id), desk.keys_digest()))
    }

    /// Takes in the desks that are new.
    pub(crate) fn learn(&mut self, directory: &Directory) {
        for desk in directory.desks() {
            self.desks.entry(desk.id).or_insert_with(|| desk.keys_digest());
        }
    }
}
