//! What every reader's and every desk's device does: one exchange a round, and a mailbox that looks the same whether or
//! not it was ever used.

// MBX-11: 256 MiB and three passes, or it does not compile.
#[cfg(all(feature = "cheap-kdf", not(debug_assertions)))]
compile_error!("a release build never derives keys cheaply: leave out the feature `cheap-kdf`");

mod book;
pub mod cleaning;
mod conversations;
mod device;
mod documents;
mod durable;
mod edge;
mod exchange;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod generator;
mod inbox;
mod kdf;
mod known;
mod library;
mod listen;
mod log;
#[cfg(test)]
mod loss;
mod mailbox;
mod passes;
mod passphrase;
mod schedule;
mod seal;
mod session;
mod vault;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod work;

pub use conversations::MAX_CONVERSATIONS;
pub use device::{
    BeginError, Config, DeskView, Device, EditionView, Health, Leaves, NetworkView, OpenError, Place, Room,
    Status, Stepped,
};
pub use documents::{DocumentView, Plan};
pub use edge::AddressError;
pub use exchange::Exchanged;
pub use generator::Generator;
pub use inbox::{AnswerError, Conversation, CutOff, Inbox, Trouble, Unwritten};
pub use kdf::{Kdf, OutOfMemory};
pub use library::LibraryError;
pub use mailbox::{MailboxError, QUEUE};
pub use passphrase::{Passphrase, PassphraseError, WORDS, is_listed};
pub use session::{ConversationView, Line, LineState, Session, Stays, Who, WriteError};
pub use vault::{UnlockError, Vault, VaultContents, VaultError};
