//! Where the edge keeps things, behind two traits: a journal of streams and a set of named blobs.
//!
//! The same suite (`suite`) runs against every implementation. Nothing above this module knows which one it has.

mod local;
pub(crate) mod sqlite;
#[cfg(test)]
mod suite;

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;

pub use local::LocalBlobs;
pub use sqlite::SqliteJournal;

/// Our own store failed. Nothing about the request was wrong.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No room is left, on the disk or under the limit that was set.
    #[error(
        "There is no room left while {doing}. Free some space on the disk; what was answered before is kept."
    )]
    Full {
        /// What was being done.
        doing: &'static str,
    },
    /// The machine failed in another way.
    #[error(
        "The store failed while {doing}. Look at the disk and its permissions; what was answered before is kept."
    )]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        cause: Arc<dyn Error + Send + Sync>,
    },
    /// The store is stopping.
    #[error("The store has stopped. Start the service again.")]
    Stopped,
}

impl StoreError {
    /// Keeps the cause, and notices when it is that nothing more fits.
    pub(crate) fn because(doing: &'static str, cause: impl Error + Send + Sync + 'static) -> Self {
        if is_full(&cause) { Self::Full { doing } } else { Self::Failed { doing, cause: Arc::new(cause) } }
    }
}

fn is_full(error: &(dyn Error + 'static)) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let here = error
        .downcast_ref::<std::io::Error>()
        .is_some_and(|e| matches!(e.kind(), StorageFull | QuotaExceeded))
        || matches!(
            error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code),
            Some(rusqlite::ErrorCode::DiskFull)
        );
    here || error.source().is_some_and(is_full)
}

/// Why a record was not appended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream was sealed: it has its final length.
    #[error("the stream is sealed")]
    Sealed,
    /// Our store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a blob was not put.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PutError {
    /// Other bytes stand under this name already.
    #[error("other bytes stand under this name")]
    Conflict,
    /// Our store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// Records in it; still known once they are released.
    pub len: u64,
    /// Whether it takes no more.
    pub sealed: bool,
    /// Whether its records are gone.
    pub released: bool,
}

/// Append-only streams of records. A stream comes into being with its first record, or when it is sealed.
///
/// A record's index is its place in the stream, counted from 0, without holes. Everything is durable when it is
/// answered: after a loss of power nothing that was answered is missing. What was not answered may or may not be there.
pub trait Journal: Send + Sync {
    /// Appends a record, and answers its index once it is durable. Many appends may share one write to the disk.
    fn append(&self, stream: &str, record: Bytes) -> BoxFuture<'_, Result<u64, AppendError>>;

    /// Does all that [`Self::append`] does, with the same work and no sooner, and keeps nothing: no record, no index. Fails
    /// where an append would.
    fn shed(&self, stream: &str, record: Bytes) -> BoxFuture<'_, Result<(), AppendError>>;

    /// Ends a stream. Answers its final length; from then on every append to it is refused with
    /// [`AppendError::Sealed`], also after a restart and after [`Self::release`]. Sealing again answers the same.
    fn seal(&self, stream: &str) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Up to `limit` records from index `from` on, in order. Empty beyond the end, for a stream that is not there, and
    /// for a released one. A record is seen only once it is durable.
    fn read(&self, stream: &str, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Bytes>, StoreError>>;

    /// What is known of one stream.
    fn stream(&self, stream: &str) -> BoxFuture<'_, Result<Option<Stream>, StoreError>>;

    /// The streams whose names begin with `prefix`, by name.
    fn streams(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Stream>, StoreError>>;

    /// Seals a stream and lets go of its records; name and length stay. Idempotent.
    fn release(&self, stream: &str) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Lets go of a stream altogether, its name included: a later append begins it anew. Idempotent.
    fn forget(&self, stream: &str) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Bytes of a blob, in order.
pub type Pieces = BoxStream<'static, Result<Bytes, StoreError>>;

/// Blobs by name. Names are words of `[a-z0-9-]` separated by `/`.
///
/// A blob never changes: a name stands for the same bytes for as long as it exists.
pub trait Blobs: Send + Sync {
    /// Puts a blob; durable on return. The same bytes again succeed and change nothing; other bytes under the same name
    /// are refused with [`PutError::Conflict`]. Never seen half written.
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), PutError>>;

    /// As [`Self::put`], of a file's bytes, which may be more than fit into memory. The file is on the same disk and may be
    /// taken away afterwards.
    fn put_file(&self, name: &str, file: &Path) -> BoxFuture<'_, Result<(), PutError>>;

    /// The blob piece by piece, with its length, if it is there.
    fn open(&self, name: &str) -> BoxFuture<'_, Result<Option<(u64, Pieces)>, StoreError>>;

    /// The blob, if it is there.
    fn get(&self, name: &str) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>>;

    /// Whether the blob is there.
    fn has(&self, name: &str) -> BoxFuture<'_, Result<bool, StoreError>>;

    /// Names below the folder `prefix`, by name.
    fn list(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<String>, StoreError>>;

    /// Deletes a blob; one that is not there is no error. A blob deleted just before a loss of power may come back: who
    /// deletes must be content to delete again.
    fn delete(&self, name: &str) -> BoxFuture<'_, Result<(), StoreError>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_noticed_below_other_errors() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let full = Outer(std::io::Error::from(std::io::ErrorKind::StorageFull));
        assert!(matches!(StoreError::because("testing", full), StoreError::Full { doing: "testing" }));
        let other = Outer(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
        assert!(matches!(StoreError::because("testing", other), StoreError::Failed { .. }));
    }
}
