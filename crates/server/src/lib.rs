//! Firsthand's services: the *edge*, which takes envelopes and serves what is published, the *mixes*, of which the last is
//! the exit, and the *witness*, which co-signs the log. The audit is no service: it reads what all of them published.
//!
//! Each is a `step(now)` over `proto`'s rules and a store that loses nothing, and one small loop that calls it.
//!
//! ```text
//! POST envelope -> edge::upload -> store::Journal -> mix (hop 0) -> edge::batches -> mix (hop 1) -> ... -> mix (exit)
//!   -> edge::batches (drops) -> edge::publish (edition) -> everyone
//! ```
//!
//! Logs say what an operator has to do something about. They never hold addresses, ids, lengths, times of messages or
//! bodies, and nothing that differs between a day with tips and one without.

pub mod audit;
pub mod edge;
pub mod faults;
pub mod handed;
pub mod handing;
pub mod http;
pub mod mix;
pub mod run;
pub mod seed;
pub mod state;
pub mod status;
pub mod store;
#[cfg(test)]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests in tests/, which use the rest")]
mod testing;
pub mod witness;
