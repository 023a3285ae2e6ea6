//! A service's state folder: one service, one network, one program at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use proto::NetworkId;

const MARK: &str = "firsthand-state";
const LOCK: &str = "lock";

/// Why a state folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// It was made for another network.
    #[error(
        "The state folder {} belongs to another network. Give another folder, or empty this one if it is no longer needed.",
        .path.display()
    )]
    OtherNetwork {
        /// The folder.
        path: PathBuf,
    },
    /// It was made for another service.
    #[error(
        "The state folder {} belongs to another service ({holds}). Give each service a folder of its own.",
        .path.display()
    )]
    OtherService {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        holds: String,
    },
    /// A file of the service lies in it, and not the one that says whose the folder is.
    #[error(
        "The state folder {} holds `{file}` and not `{MARK}`: it is not whole, and nothing in it was changed. Bring the other files from where this one is from.",
        .path.display()
    )]
    Unmarked {
        /// The folder.
        path: PathBuf,
        /// The file.
        file: String,
    },
    /// Another program holds it.
    #[error("The state folder {} is in use by another program. Stop that one first.", .path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The disk is full.
    #[error("The disk that holds the state folder {} is full. Free some space, then start again.", .path.display())]
    Full {
        /// The folder.
        path: PathBuf,
    },
    /// It cannot be written or read.
    #[error("The state folder {} cannot be used. Check that it exists and that you may write to it.", .path.display())]
    Unusable {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

/// A state folder that is ours until this is dropped.
#[derive(Debug)]
pub struct StateFolder {
    path: PathBuf,
    _lock: File,
}

impl StateFolder {
    /// Takes the folder for `service` ("edge", "mix at place 1") of `network`. The first time it is made and marked; from then on
    /// only the same service of the same network may have it.
    pub fn open(path: &Path, service: &str, network: &NetworkId) -> Result<Self, StateError> {
        Self::open_with(path, service, network, &[])
    }

    /// The same, with files that are in it from the first time on: they are written before the folder is marked, so that in a
    /// marked folder one that is missing was lost.
    pub(crate) fn open_with(
        path: &Path,
        service: &str,
        network: &NetworkId,
        first: &[(&str, &[u8])],
    ) -> Result<Self, StateError> {
        let failed = |cause: io::Error| match cause.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                StateError::Full { path: path.to_owned() }
            }
            _ => StateError::Unusable { path: path.to_owned(), cause },
        };
        make_private(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))
            .map_err(failed)?;
        lock.try_lock().map_err(|e| match e {
            TryLockError::WouldBlock => StateError::InUse { path: path.to_owned() },
            TryLockError::Error(e) => failed(e),
        })?;
        match std::fs::read_to_string(path.join(MARK)) {
            Ok(mark) => check_mark(&mark, path, service, network)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                for (name, bytes) in first {
                    // Whoever brought the file here and not the mark needs what is in it.
                    if is_other(&path.join(name), bytes).map_err(failed)? {
                        return Err(StateError::Unmarked { path: path.to_owned(), file: (*name).to_owned() });
                    }
                    write_durably(&path.join(name), bytes).map_err(failed)?;
                }
                write_durably(&path.join(MARK), format!("{service}\n{network}\n").as_bytes())
                    .map_err(failed)?;
            }
            Err(e) => return Err(failed(e)),
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether there is a file, with other bytes than these.
fn is_other(file: &Path, bytes: &[u8]) -> io::Result<bool> {
    match std::fs::read(file) {
        Ok(there) => Ok(there != bytes),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Makes the folder, or takes it as it is, and keeps everybody else out of it.
fn make_private(path: &Path) -> io::Result<()> {
    let mut folder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let is_open = std::fs::metadata(path)?.permissions().mode() & 0o077 != 0;
        // Whoever made it for us may have kept it: then what is around it must keep others out.
        if is_open && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).is_err() {
            tracing::warn!(
                "Others may look into the state folder {}. Give it to this service alone.",
                path.display()
            );
        }
    }
    Ok(())
}

fn check_mark(mark: &str, path: &Path, service: &str, network: &NetworkId) -> Result<(), StateError> {
    let (holds, id) = mark.trim_end().split_once('\n').unwrap_or((mark.trim_end(), ""));
    if id != network.to_string() {
        return Err(StateError::OtherNetwork { path: path.to_owned() });
    }
    if holds != service {
        return Err(StateError::OtherService { path: path.to_owned(), holds: holds.to_owned() });
    }
    Ok(())
}

/// Writes a file so that after a loss of power it is there whole or not at all: beside, synced, renamed, folder synced.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    settle(&file, &beside, path)
}

/// Syncs what was written to `beside`, and puts it in the place of `path`.
pub(crate) fn settle(file: &File, beside: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    std::fs::rename(beside, path)?;
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NET: NetworkId = NetworkId([1; 32]);

    #[test]
    fn one_program_one_network_one_service() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/state");
        let held = StateFolder::open(&path, "edge", &NET).unwrap();
        assert!(matches!(StateFolder::open(&path, "edge", &NET), Err(StateError::InUse { .. })));
        drop(held);
        let other = NetworkId([2; 32]);
        assert!(matches!(StateFolder::open(&path, "edge", &other), Err(StateError::OtherNetwork { .. })));
        let wrong = StateFolder::open(&path, "mix 0", &NET).unwrap_err();
        assert!(wrong.to_string().contains("another service (edge)"), "{wrong}");
        StateFolder::open(&path, "edge", &NET).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_in_also_where_they_could_before() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        drop(StateFolder::open(&path, "edge", &NET).unwrap());
        assert_eq!(mode(), 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        drop(StateFolder::open(&path, "edge", &NET).unwrap());
        assert_eq!(mode(), 0o700);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let refused = StateFolder::open(&file.path().join("state"), "edge", &NET).unwrap_err();
        assert!(matches!(refused, StateError::Unusable { .. }), "{refused}");
    }
}
