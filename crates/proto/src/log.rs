//! The log: one row of everything published under which everybody can be told the same, and what proves that they are.
//! Spec: log.md.
//!
//! ```text
//! directory, head, head, directory, head ... -> tree -> checkpoint, signed by the press -> co-signed by witnesses
//! ```
//! Who follows editions holds every leaf, hashes it into a [`Frontier`] of a few hundred bytes, and compares the root with
//! the one that was co-signed: no proof, no request beyond the checkpoint itself.

mod note;
mod tile;
mod tree;

pub use note::{
    Checkpoint, Cosignature, CosignatureLine, MAX_NOTE, NoteRejected, Signed, UnverifiedNote, cosigner,
    origin,
};
pub use tile::{Hashes, Tile};
pub use tree::{Frontier, LogRejected, leaf_hash};

/// The most that a frontier weighs as served, in bytes.
pub const MAX_FRONTIER: usize = 4096;

// LOG-06
/// A checkpoint is fresh for so many rounds after the q-th newest of its co-signatures was made.
pub const FRESH_ROUNDS: u64 = 3;

// LOG-09
/// Editions, the newest first, among which the newest leaf of a checkpoint's tree is looked for on the first day: witnesses may be
/// some rounds behind.
pub const NEWEST: u32 = 4;
