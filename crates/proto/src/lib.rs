//! What travels through Firsthand: sizes, keys, envelopes, mix rule, drops, conversations, documents, directory, edition and
//! log.
//!
//! No input or output, no clock, no ambient randomness: `now` and `rng` are arguments. Everything here can be
//! implemented again from `docs/spec/`, and `vectors/` checks it.
//!
//! The way of an envelope, by module:
//!
//! ```text
//! conversation::Message -> envelope::to_desk -> Blob -> envelope::wrap -> Envelope      (client)
//! Envelope -> envelope::open_layer -> mix::Gathering -> batch::seal -> ... -> envelope::open_exit   (mixes)
//! exit::Pool -> drops::DeskDrop -> conversation::open_message                            (exit, desk)
//! conversation::seal_reply -> envelope::to_readers -> ... -> drops::ReaderDrop -> conversation::open_reply
//! ```

pub mod analysis;
pub mod audit;
pub mod batch;
pub mod codec;
pub mod conversation;
pub mod decoy;
pub mod directory;
pub mod document;
pub mod drops;
pub mod edition;
pub mod envelope;
pub mod exit;
pub mod hold;
pub mod id;
pub mod keys;
pub mod log;
pub mod mix;
pub mod pass;
pub mod path;
pub mod request;
pub mod round;
pub mod seal;
pub mod sign;
pub mod size;
pub mod story;

pub use id::{DeskId, Digest, NetworkId};
pub use round::{Clock, Millis, Round, Schedule};
