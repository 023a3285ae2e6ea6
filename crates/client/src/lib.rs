//! What every reader's and every desk's device does: one exchange a round, and a mailbox that looks the same whether or
//! not it was ever used.

#[cfg(all(feature = "cheap-kdf", not(debug_assertions)))]
compile_error!("a release build never derives keys cheaply: leave out the feature `cheap-kdf`");

mod durable;
mod kdf;
mod mailbox;
mod passphrase;
mod schedule;
mod seal;

pub use kdf::Kdf;
pub use mailbox::{MailboxError, QUEUE};
pub use passphrase::{Passphrase, PassphraseError, WORDS, is_listed};
