//! Real edges, mixes and witnesses on loopback. One program of many files, so that what they share is compiled once.

#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "../../../proto/tests/vectors/fields.rs"]
#[allow(dead_code, reason = "shared with other crates, which use the rest")]
mod fields;
#[path = "../../src/testing.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests in src/, which use the rest")]
mod testing;

mod ceiling;
mod edge;
mod log;
mod mixes;
mod vectors;
