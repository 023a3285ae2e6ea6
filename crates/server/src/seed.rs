//! Seed files: 32 secret bytes in hexadecimal on one line, readable by their owner only.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Why a seed file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeedError {
    /// It cannot be read.
    #[error("The key file {} cannot be read. Check that it is there and that it is yours.", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It cannot be written.
    #[error("The key file {} cannot be written. Nothing is in use yet: look at its folder and the space there.", .path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It does not hold what a seed file holds.
    #[error("The key file {} does not hold 64 hexadecimal digits. Restore it from your backup.", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads a seed file.
pub fn read(path: &Path) -> Result<Zeroizing<[u8; 32]>, SeedError> {
    let mut text = Zeroizing::new(String::with_capacity(80));
    std::fs::File::open(path)
        .and_then(|file| file.take(80).read_to_string(&mut text))
        .map_err(|cause| SeedError::Unreadable { path: path.to_owned(), cause })?;
    let mut seed = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_end(), seed.as_mut_slice())
        .map_err(|_| SeedError::Malformed { path: path.to_owned() })?;
    Ok(seed)
}

/// Writes a new seed file. One that is there already is never overwritten.
pub fn write(path: &Path, seed: &[u8; 32]) -> Result<(), SeedError> {
    let mut text = Zeroizing::new([b'\n'; 65]);
    hex::encode_to_slice(seed, &mut text[..64]).expect("64 digits");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| file.write_all(text.as_slice()).and_then(|()| file.sync_all()))
        .map_err(|cause| SeedError::Unwritten { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        write(&path, &[7; 32]).unwrap();
        assert_eq!(*read(&path).unwrap(), [7; 32]);
        assert!(write(&path, &[8; 32]).is_err());
        assert_eq!(*read(&path).unwrap(), [7; 32]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn what_is_no_seed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(read(&path), Err(SeedError::Unreadable { .. })));
        let long = "ab".repeat(33);
        for bad in ["", "abc", "zz", &long[..63], &long] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(read(&path), Err(SeedError::Malformed { .. })), "{bad}");
        }
    }
}
