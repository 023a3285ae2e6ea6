//! The real program, as a person starts it: what it prints, how it ends, and what it leaves behind. `FIRSTHAND_BIN` names
//! the program; `cargo xtask test` sets it.
//!
//! Not a failure: a temporary folder left by a demonstration that was killed outright; it had no time to remove it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod config;
mod disk;
mod founded;
mod help;
mod keys;
mod memory;
mod once;
mod other;
mod port;
mod press;
mod run;
mod stop;
mod wrong;
