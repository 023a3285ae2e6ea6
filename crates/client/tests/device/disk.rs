//! What lies on a device's disk.

use std::path::Path;

/// A copy of the library of a device that runs, as whoever takes its disk reads it: the device lets nobody else into its own.
pub(crate) fn library(folder: &Path) -> (tempfile::TempDir, rusqlite::Connection) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["library.sqlite", "library.sqlite-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    let db = rusqlite::Connection::open(copy.path().join("library.sqlite")).unwrap();
    (copy, db)
}
