//! The log as this device follows it: the tree of all that it was shown, compared with what witnesses co-signed. Spec:
//! log.md §4.

use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::log::{Frontier, LogRejected, NoteRejected, UnverifiedNote};
use proto::{Digest, Millis, Round};

use crate::device::Health;

/// Where this device stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Place {
    /// Of every leaf up to the newest head.
    #[n(0)]
    pub(crate) tree: Frontier,
    /// The directory that this head names.
    #[n(1)]
    pub(crate) directory: Digest,
    /// The round of this head.
    #[n(2)]
    pub(crate) round: Round,
}

/// Why the editions that came are not taken, as the screens say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTheLog(pub(crate) Health);

impl From<NoteRejected> for NotTheLog {
    fn from(why: NoteRejected) -> Self {
        Self(match why {
            NoteRejected::Unwitnessed | NoteRejected::Cosignature => Health::Unwitnessed,
            NoteRejected::Frozen => Health::Frozen,
            NoteRejected::Future => Health::Clock,
            _ => Health::Unverified,
        })
    }
}

impl From<LogRejected> for NotTheLog {
    fn from(why: LogRejected) -> Self {
        Self(match why {
            LogRejected::Rollback | LogRejected::Fork => Health::Forked,
            _ => Health::Unverified,
        })
    }
}

/// Checks the checkpoint against the tree that this device made itself, with the directory that its newest head names.
pub(crate) fn check(
    note: &UnverifiedNote,
    directory: &Directory,
    place: &Place,
    now: Millis,
) -> Result<(), NotTheLog> {
    Ok(place.tree.check(&note.verify(directory, place.round)?.witnessed(directory, now)?)?)
}
