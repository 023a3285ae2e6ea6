//! Drops: the exit's fixed-size outputs. Spec: drop.md.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::envelope::Wire;
use crate::seal::{self, SealSecret, Use};
use crate::size::{Cascade, PASS, READER_SLOT};

/// The drop is not as long as its number of slots says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the drop has the wrong length")]
pub struct WrongLength;

/// What every desk downloads: one box in each slot, most of them for nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskDrop {
    bytes: Vec<u8>,
    slot: usize,
    boxes: usize,
}

impl DeskDrop {
    /// Length of a drop of `slots` slots with a table of `desks` passes, in bytes.
    pub fn len(cascade: Cascade, slots: u16, desks: u16) -> usize {
        usize::from(slots) * cascade.boxed() + usize::from(desks) * PASS
    }

    /// Reads a drop of `slots` slots with a table of `desks` passes.
    pub fn from_bytes(cascade: Cascade, slots: u16, desks: u16, bytes: Vec<u8>) -> Result<Self, WrongLength> {
        // DRP-01: exactly the published number of slots, and of passes.
        if bytes.len() != Self::len(cascade, slots, desks) {
            return Err(WrongLength);
        }
        Ok(Self { bytes, slot: cascade.boxed(), boxes: usize::from(slots) * cascade.boxed() })
    }

    /// The day's table of passes, for [`crate::pass::find`].
    pub fn passes(&self) -> &[u8] {
        &self.bytes[self.boxes..]
    }

    /// Its boxes, in the order they stand.
    pub fn boxes(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.bytes[..self.boxes].chunks_exact(self.slot)
    }

    /// The bytes as they are served.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// A box for nobody: sealed to a throw-away key, so that no desk can tell it from another desk's.
pub fn empty_box(wire: &Wire, rng: &mut impl CryptoRng) -> Vec<u8> {
    let nobody = SealSecret::generate(rng);
    let nothing = Zeroizing::new(vec![0; wire.cascade.message()]);
    seal::seal(Use::Box, &wire.network, nobody.public(), &nothing, rng).0
}

/// What every reader downloads with an edition: reply and acknowledgement slots, random bytes where nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReaderDrop(Vec<u8>);

impl ReaderDrop {
    /// Reads a drop of `slots` slots.
    pub fn from_bytes(slots: u16, bytes: Vec<u8>) -> Result<Self, WrongLength> {
        // DRP-02: exactly the published number of slots.
        if bytes.len() != usize::from(slots) * READER_SLOT {
            return Err(WrongLength);
        }
        Ok(Self(bytes))
    }

    /// Its slots, in the order they stand.
    pub fn slots(&self) -> &[[u8; READER_SLOT]] {
        self.0.as_chunks().0
    }

    /// The bytes as they are served.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A reader slot in which nothing is said.
pub fn empty_slot(rng: &mut impl CryptoRng) -> [u8; READER_SLOT] {
    let mut slot = [0; READER_SLOT];
    rng.fill_bytes(&mut slot);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drp_01_a_desk_drop_has_its_one_length() {
        let three = Cascade::new(3).unwrap();
        let drop = DeskDrop::from_bytes(three, 2, 3, vec![0; 2 * 4736 + 3 * 1168]).unwrap();
        assert_eq!((drop.boxes().len(), drop.passes().len()), (2, 3 * 1168));
        for len in [0, 2 * 4736, 2 * 4736 + 3 * 1168 - 1, 2 * 4736 + 3 * 1168 + 1, 3 * 4736] {
            assert_eq!(DeskDrop::from_bytes(three, 2, 3, vec![0; len]), Err(WrongLength), "{len}");
        }
    }

    #[test]
    fn drp_02_a_reader_drop_has_its_one_length() {
        assert_eq!(ReaderDrop::from_bytes(2, vec![0; 2048]).unwrap().slots().len(), 2);
        for len in [0, 1024, 2047, 2049, 3072] {
            assert_eq!(ReaderDrop::from_bytes(2, vec![0; len]), Err(WrongLength), "{len}");
        }
    }
}
