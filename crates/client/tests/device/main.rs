//! A real device before a town of which everything is real but the servers. One program of many files, so that what they
//! share is compiled once.

#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "../../../proto/tests/vectors/fields.rs"]
#[allow(dead_code, reason = "shared with other crates, which use the rest")]
mod fields;
mod town;

mod deniable;
mod desks;
mod disk;
mod documents;
mod exchange;
mod log;
mod lost;
mod memory;
mod passes;
mod release;
mod slow;
mod turn;
mod vectors;
