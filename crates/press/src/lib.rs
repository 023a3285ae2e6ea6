//! The press: gathers coverage, asks `news` what it holds, and publishes a signed edition every round.

mod edge;
pub mod fetch;
pub mod gather;
mod keys;
pub mod opml;
pub mod outlets;
pub mod preview;
mod publish;
pub mod reading;
pub mod rules;
mod state;
#[cfg(test)]
#[path = "../../server/src/testing.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared with the servers' tests, which use the rest"
)]
mod testing;
pub mod trial;

pub use publish::{Config, Draft, Press, PressError, run};
