//! Files that are there after a power cut, and that nobody else on the machine may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Opens a file for reading and writing, making it if need be. Readable by its owner only.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    own(OpenOptions::new().read(true).write(true).create(true).truncate(false)).open(path)
}

/// Writes a new file, or a file anew, and returns once it is on the disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = own(OpenOptions::new().write(true).create(true).truncate(true)).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts `from` in the place of `to`, in the same folder, and returns once the folder is on the disk.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    sync_folder(to.parent().expect("a file lies in a folder"))
}

/// Returns once the names in the folder are on the disk.
#[cfg(unix)]
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere than on Unix a folder cannot be synced; renaming writes through.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Makes the folder, or takes it as it is, and keeps everybody else out of it.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let is_open = std::fs::metadata(path)?.permissions().mode() & 0o077 != 0;
        // Whoever made it for us may have kept it: then what is around it must keep others out.
        if is_open && std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).is_err() {
            tracing::warn!(
                "Others may look into the folder {}. Give it to this program alone.",
                path.display()
            );
        }
    }
    Ok(())
}

#[cfg(unix)]
fn own(options: &mut OpenOptions) -> &mut OpenOptions {
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600)
}

#[cfg(not(unix))]
fn own(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proto::NetworkId;

    use super::*;
    use crate::library::Library;

    #[test]
    fn nobody_else_may_look_into_a_devices_folder_also_where_they_could_before() {
        let around = tempfile::tempdir().unwrap();
        let folder = around.path().join("reader");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        create_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        create_folder(&folder).unwrap();
        assert_eq!(mode(&folder), 0o700);
        let _library = Library::open(Some(&folder), NetworkId([1; 32])).unwrap();
        for name in ["library.sqlite", "library.sqlite-wal"] {
            assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        }
    }
}
