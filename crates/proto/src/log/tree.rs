//! The tree: RFC 6962 hashing, and the few hashes from which it can be continued. Spec: log.md §2.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

use super::note::Checkpoint;
use crate::codec::{self, Malformed};
use crate::id::Digest;

/// More leaves than a log can have: a checkpoint beyond it is nonsense. A leaf a second fills it in 34,000 years.
pub(super) const MAX_SIZE: u64 = 1 << 40;

/// The hash of a leaf: SHA-256(0x00 leaf) (RFC 6962 §2.1).
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// The hash over two subtrees: SHA-256(0x01 left right) (RFC 6962 §2.1).
pub(super) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest(Sha256::new().chain_update([1]).chain_update(left.0).chain_update(right.0).finalize().into())
}

/// A tree of which only what it takes to go on is held: its size, and the hashes of its largest whole subtrees from left to
/// right, one for each bit that is set in the size.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Frontier {
    #[n(0)]
    size: u64,
    #[n(1)]
    hashes: Vec<Digest>,
}

/// Why a tree is not the one that was co-signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogRejected {
    /// LOG-10
    #[error("the checkpoint is of a smaller tree than the one held")]
    Rollback,
    /// LOG-09, LOG-11
    #[error("the checkpoint is of another tree than the one held")]
    Fork,
    /// LOG-11
    #[error("leaves of the checkpoint's tree are missing")]
    Missing,
}

impl Frontier {
    /// The tree without leaves.
    pub fn empty() -> Self {
        Self { size: 0, hashes: Vec::new() }
    }

    /// Reads the one encoding of a frontier.
    ///
    /// # Errors
    /// LOG-08: another form, or not one hash for each bit of the size.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let it: Self = codec::decode(bytes)?;
        // LOG-08: one hash for each subtree.
        let fits = it.size <= MAX_SIZE && it.hashes.len() == it.size.count_ones() as usize;
        if fits { Ok(it) } else { Err(Malformed) }
    }

    /// The bytes as they are kept and served: at most 1.4 kB.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    pub(super) fn new(size: u64, hashes: Vec<Digest>) -> Self {
        Self { size, hashes }
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        self.push_hash(leaf_hash(leaf));
    }

    /// Adds what an edition adds: its directory, if it is not the one of the edition before, then its head. Both as served.
    pub fn push_edition(&mut self, new_directory: Option<&[u8]>, head: &[u8]) {
        new_directory.into_iter().chain([head]).for_each(|leaf| self.push(leaf));
    }

    /// Adds a leaf of which only the hash is known.
    pub fn push_hash(&mut self, leaf: Digest) {
        let mut right = leaf;
        // Every subtree that ends here has as many leaves as one of the bits that the size loses.
        let mut bits = self.size;
        while bits & 1 == 1 {
            let left = self.hashes.pop().expect("one hash for each bit");
            right = node_hash(&left, &right);
            bits >>= 1;
        }
        self.hashes.push(right);
        self.size += 1;
    }

    /// The root: `MTH` of RFC 6962 §2.1.
    pub fn root(&self) -> Digest {
        let mut subtrees = self.hashes.iter().rev();
        match subtrees.next() {
            None => Digest::of(b""),
            Some(last) => subtrees.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// What a checkpoint says of this tree.
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { size: self.size, root: self.root() }
    }

    /// Compares this tree, to which all was added that can be, with a checkpoint that verified.
    ///
    /// # Errors
    /// LOG-10 and LOG-11, as [`LogRejected`] says.
    pub fn check(&self, checkpoint: &Checkpoint) -> Result<(), LogRejected> {
        // LOG-10: a log only grows.
        if checkpoint.size < self.size {
            return Err(LogRejected::Rollback);
        }
        // LOG-11: the same leaves in the same order.
        if self.size < checkpoint.size {
            return Err(LogRejected::Missing);
        }
        if self.root() == checkpoint.root { Ok(()) } else { Err(LogRejected::Fork) }
    }

    /// Begins with a frontier that somebody else holds, on the first day: the tree before its newest leaf, and that leaf,
    /// which is an edition's head.
    ///
    /// # Errors
    /// LOG-09: together they are not the checkpoint's tree.
    pub fn begin(mut self, head: &[u8], checkpoint: &Checkpoint) -> Result<Self, LogRejected> {
        // LOG-09: whatever came hashes to the root, and the head is the newest leaf.
        if self.size.checked_add(1) != Some(checkpoint.size) {
            return Err(LogRejected::Fork);
        }
        self.push(head);
        if self.root() == checkpoint.root { Ok(self) } else { Err(LogRejected::Fork) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(leaves: impl IntoIterator<Item = Vec<u8>>) -> Frontier {
        let mut tree = Frontier::empty();
        leaves.into_iter().for_each(|leaf| tree.push(&leaf));
        tree
    }

    /// RFC 6962 §2.1, word by word.
    fn mth(leaves: &[Vec<u8>]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [one] => leaf_hash(one),
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(&mth(&leaves[..k]), &mth(&leaves[k..]))
            }
        }
    }

    proptest! {
        #[test]
        fn the_root_is_that_of_rfc_6962_at_every_size(
            leaves in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..4), 0..70)
        ) {
            let held = tree(leaves.clone());
            prop_assert_eq!(held.root(), mth(&leaves));
            prop_assert_eq!(Frontier::from_bytes(&held.to_bytes()), Ok(held));
        }

        #[test]
        fn any_bytes_are_a_frontier_or_not_but_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(mut frontier) = Frontier::from_bytes(&bytes) {
                frontier.push(b"leaf");
                frontier.root();
            }
        }
    }

    #[test]
    fn log_08_a_frontier_has_one_hash_for_each_bit_of_its_size() {
        let held = tree([vec![1], vec![2], vec![3]]);
        let bytes = held.to_bytes();
        for (at, bent) in [(1, 2), (1, 4), (1, 23)] {
            let mut bytes = bytes.clone();
            bytes[at] = bent;
            assert_eq!(Frontier::from_bytes(&bytes), Err(Malformed), "size {bent}");
        }
        let mut other = bytes;
        other[1] = 5;
        assert!(Frontier::from_bytes(&other).is_ok(), "five has two bits too; the root tells them apart");
        let huge = Frontier::new(MAX_SIZE + 1, vec![Digest([1; 32]); 2]);
        assert_eq!(Frontier::from_bytes(&huge.to_bytes()), Err(Malformed));
    }

    #[test]
    fn log_09_who_begins_needs_the_frontier_and_the_newest_head() {
        let before = tree((0..6).map(|n| vec![n]));
        let whole = tree((0..7).map(|n| vec![n]));
        let checkpoint = whole.checkpoint();
        assert_eq!(before.clone().begin(&[6], &checkpoint), Ok(whole.clone()));
        assert_eq!(before.clone().begin(&[7], &checkpoint), Err(LogRejected::Fork), "another head");
        assert_eq!(whole.begin(&[6], &checkpoint), Err(LogRejected::Fork), "another size");
        let mut bent = before;
        bent.hashes[1].0[3] ^= 1;
        assert_eq!(bent.begin(&[6], &checkpoint), Err(LogRejected::Fork), "one bit");
    }

    #[test]
    fn log_10_and_log_11_a_smaller_tree_another_tree_and_a_hole_are_told_apart() {
        let held = tree((0..6).map(|n| vec![n]));
        assert_eq!(held.check(&held.checkpoint()), Ok(()));
        let smaller = tree((0..5).map(|n| vec![n]));
        assert_eq!(held.check(&smaller.checkpoint()), Err(LogRejected::Rollback));
        assert_eq!(smaller.check(&held.checkpoint()), Err(LogRejected::Missing));
        let other = tree((0..6).map(|n| vec![n / 5]));
        assert_eq!(held.check(&other.checkpoint()), Err(LogRejected::Fork));
    }

    #[test]
    fn an_edition_adds_its_directory_only_if_it_is_a_new_one() {
        let mut tree = Frontier::empty();
        tree.push_edition(Some(b"directory"), b"head 0");
        tree.push_edition(None, b"head 1");
        assert_eq!(tree.size(), 3);
        assert_eq!(tree.root(), mth(&[b"directory".to_vec(), b"head 0".to_vec(), b"head 1".to_vec()]));
    }
}
