//! The whole network in one process, over real HTTP on loopback, with things going wrong.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod chain;
mod cut;
mod desks;
mod faults;
mod flood;
mod kill;
mod log;
mod pages;
mod proxy;
mod skew;
mod tips;
mod town;
mod turn;
mod whole;
mod wire;
