//! The real program in a real browser: what a reader, a source and a journalist see. `FIRSTHAND_BIN` names the program.
//!
//! Few tests of many scenes each, because every test starts a demonstration of its own. Pictures of the steps are
//! written to `tests/browser/shots`, for people to look at.

mod chromium;
mod hostile;
mod person;
mod program;
mod quiet;
mod stopped;
mod typed;
mod walk;
