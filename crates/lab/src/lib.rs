//! The whole network in one process, with faults, and what things cost. Ships never.
//!
//! What is here to run stands in `tests/` (the whole network, the browser) and in `bin/performance` (`cargo xtask bench`); here is what
//! both measure with.

pub mod disk;
pub mod town;
