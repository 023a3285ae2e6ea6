//! The press: gathers coverage, asks `news` what it holds, and publishes a signed edition every round.

mod edge;
pub mod gather;
mod keys;
mod publish;
mod state;

pub use publish::{Config, Press, PressError, run};
