//! The mailbox on disk: one file, its key, and the order in which the two change. Spec: mailbox.md §3.
//!
//! `device.key` has two places of 32 bytes and a byte that says whether the queue was ever filled. One place holds the
//! key of the file that is there, the other random bytes. A rewriting goes through these steps, each on the disk before
//! the next begins:
//!
//! ```text
//! 1 KeyAdded     the new key, in the spare place
//! 2 Written      `mailbox.next`, sealed under the new key
//! 3 Moved        `mailbox.next` takes the place of `mailbox`: programs see it there, a power cut may undo it
//!   Renamed      and the folder says so on the disk
//! 4 KeyForgotten random bytes over the old key
//! ```
//! Up to step 3 the old file is there and so is its key; from step 3 on the new file is there and so is its key. If the
//! folder cannot be synced, either may be there after a power cut: both keys stay, and nothing is written until it can.
//! Which of the two places holds the key is found by trying both. A file replaced cannot be opened any more, wherever its blocks
//! still lie: nothing tells what was in the mailbox an hour ago.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::FILE;
use crate::durable;
use crate::seal::{StoreKey, TAG};

/// Why the mailbox cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MailboxError {
    /// Another program has it open.
    #[error("it is open in another window or program; close that one first")]
    OpenElsewhere,
    /// It does not open under the device's key.
    #[error("the mailbox in {0} is damaged; move that folder away to start with a new one")]
    Damaged(PathBuf),
    /// The disk failed us.
    #[error("could not {what} {path}")]
    Disk {
        /// What was tried.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}

/// A step of a rewriting, once it is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    KeyAdded,
    Written,
    Moved,
    Renamed,
    KeyForgotten,
}

/// The mailbox's files in one folder, held under a lock.
pub(crate) struct MailboxFile {
    folder: PathBuf,
    keys: File,
    /// Which place holds the key of the file: 0 or 1.
    current: u64,
    filled: bool,
    /// Whether the last renaming may not be on the disk.
    moved: bool,
    /// Held for as long as this lives.
    _lock: File,
}

impl MailboxFile {
    /// Takes the folder's lock, making the folder if need be.
    pub(crate) fn lock(folder: &Path) -> Result<Self, MailboxError> {
        durable::create_folder(folder).map_err(failed("make the folder", folder))?;
        let path = folder.join("lock");
        let lock = durable::open_or_create(&path).map_err(failed("open", &path))?;
        // MBX-05: one process at a time.
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(MailboxError::OpenElsewhere),
            Err(std::fs::TryLockError::Error(cause)) => return Err(failed("lock", &path)(cause)),
        }
        let path = folder.join("device.key");
        let keys = durable::open_or_create(&path).map_err(failed("open", &path))?;
        let mut file =
            Self { folder: folder.to_owned(), keys, current: 0, filled: false, moved: false, _lock: lock };
        file.filled = file.byte_at(FILLED).is_ok_and(|b| b == 1);
        Ok(file)
    }

    /// Whether the queue was filled with cover. Random bytes are never sent, so this is asked first.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled
    }

    /// Remembers that the queue is filled. Comes after the rewriting that brought the cover to the disk.
    pub(crate) fn set_filled(&mut self, filled: bool) -> Result<(), MailboxError> {
        self.put(FILLED, &[u8::from(filled)])?;
        self.filled = filled;
        Ok(())
    }

    fn path(&self) -> PathBuf {
        self.folder.join("mailbox")
    }

    /// Reads the mailbox, and tidies up after a rewriting that was cut short. `None`: there is none yet.
    pub(crate) fn read(
        &mut self,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, MailboxError> {
        let path = self.path();
        let next = self.folder.join("mailbox.next");
        if next.exists() {
            std::fs::remove_file(&next).map_err(failed("remove", &next))?;
        }
        let sealed = match std::fs::read(&path) {
            Ok(sealed) => sealed,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                // Before a new mailbox is made: its queue will hold chance.
                self.set_filled(false)?;
                return Ok(None);
            }
            Err(cause) => return Err(failed("read", &path)(cause)),
        };
        // MBX-01: 4 MiB, neither more nor less.
        if sealed.len() != FILE {
            return Err(MailboxError::Damaged(self.folder.clone()));
        }
        // MBX-02: it opens under the device key in one of the two places.
        for which in [0, 1] {
            let Ok(key) = self.key_at(which) else { continue };
            let mut plain = Zeroizing::new(sealed.clone());
            if key.open_once(&mut plain).is_ok() {
                plain.truncate(FILE - TAG);
                self.current = which;
                // The run before may have been cut short between renaming and syncing.
                self.sync_folder()?;
                self.forget(1 - which, rng)?;
                return Ok(Some(plain));
            }
        }
        Err(MailboxError::Damaged(self.folder.clone()))
    }

    /// Writes the mailbox anew under a fresh key. `after` is told each step once it is on the disk; an error from it
    /// leaves things as a power cut at that point would.
    pub(crate) fn write(
        &mut self,
        mut plain: Vec<u8>,
        rng: &mut impl CryptoRng,
        mut after: impl FnMut(Step) -> Result<(), MailboxError>,
    ) -> Result<(), MailboxError> {
        let key = StoreKey::generate(rng);
        plain.resize(FILE, 0);
        // The key is fresh and seals this once, so its nonce need not be kept anywhere.
        key.seal_once(&mut plain);
        // MBX-04: at every point between these steps a key is kept that opens the file that is there.
        if self.moved {
            self.sync_folder()?;
            self.moved = false;
        }
        let spare = 1 - self.current;
        self.put(place(spare), key.dangerously_as_bytes())?;
        after(Step::KeyAdded)?;
        let next = self.folder.join("mailbox.next");
        durable::write(&next, &plain).map_err(failed("write", &next))?;
        after(Step::Written)?;
        std::fs::rename(&next, self.path()).map_err(failed("replace", &self.path()))?;
        // From here on the file that is there is the new one, whatever becomes of the rest.
        self.current = spare;
        self.moved = true;
        after(Step::Moved)?;
        self.sync_folder()?;
        self.moved = false;
        after(Step::Renamed)?;
        self.forget(1 - spare, rng)?;
        after(Step::KeyForgotten)
    }

    fn sync_folder(&self) -> Result<(), MailboxError> {
        durable::sync_folder(&self.folder).map_err(failed("sync", &self.folder))
    }

    fn forget(&mut self, which: u64, rng: &mut impl CryptoRng) -> Result<(), MailboxError> {
        let mut chance = [0; StoreKey::LEN];
        rng.fill_bytes(&mut chance);
        self.put(place(which), &chance)
    }

    // In place: the file is never cut, so the old key's bytes are the ones overwritten wherever the file system does not
    // move what it writes.
    fn put(&mut self, at: u64, bytes: &[u8]) -> Result<(), MailboxError> {
        let path = self.folder.join("device.key");
        let mut put = || {
            self.keys.seek(SeekFrom::Start(at))?;
            self.keys.write_all(bytes)?;
            self.keys.sync_all()
        };
        put().map_err(failed("write", &path))
    }

    fn byte_at(&mut self, at: u64) -> io::Result<u8> {
        let mut byte = [0];
        self.keys.seek(SeekFrom::Start(at))?;
        self.keys.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    fn key_at(&mut self, which: u64) -> io::Result<StoreKey> {
        let mut bytes = Zeroizing::new([0; StoreKey::LEN]);
        self.keys.seek(SeekFrom::Start(place(which)))?;
        self.keys.read_exact(bytes.as_mut_slice())?;
        Ok(StoreKey::from_bytes(*bytes))
    }
}

/// Where a key's place begins.
fn place(which: u64) -> u64 {
    which * StoreKey::LEN as u64
}

/// Where the byte stands that says whether the queue was filled.
const FILLED: u64 = 2 * StoreKey::LEN as u64;

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MailboxError {
    let path = path.to_owned();
    move |cause| MailboxError::Disk { what, path, cause }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const PLAIN: usize = FILE - TAG;

    fn cut(at: Step) -> impl FnMut(Step) -> Result<(), MailboxError> {
        move |step| if step == at { Err(MailboxError::OpenElsewhere) } else { Ok(()) }
    }

    fn keys(folder: &Path) -> Vec<u8> {
        std::fs::read(folder.join("device.key")).unwrap()[..64].to_vec()
    }

    // MBX-04
    #[test]
    fn a_rewriting_cut_short_anywhere_leaves_the_old_or_the_new() {
        use Step::{KeyAdded, KeyForgotten, Moved, Renamed, Written};
        for (at, left) in [(KeyAdded, 1), (Written, 1), (Moved, 2), (Renamed, 2), (KeyForgotten, 2)] {
            let folder = tempfile::tempdir().unwrap();
            let mut rng = StdRng::seed_from_u64(1);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert!(file.read(&mut rng).unwrap().is_none());
            file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
            file.write(vec![2; PLAIN], &mut rng, cut(at)).unwrap_err();
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert_eq!(*file.read(&mut rng).unwrap().unwrap(), vec![left; PLAIN], "{at:?}");
            assert!(!folder.path().join("mailbox.next").exists());
            // And it goes on from there, twice, so that both places have been used.
            for n in [3, 4] {
                file.write(vec![n; PLAIN], &mut rng, |_| Ok(())).unwrap();
            }
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert_eq!(*file.read(&mut rng).unwrap().unwrap(), vec![4; PLAIN], "{at:?}");
        }
    }

    // MBX-04
    #[test]
    fn after_a_folder_that_could_not_be_synced_the_key_of_the_file_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(8);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        file.write(vec![2; PLAIN], &mut rng, cut(Step::Moved)).unwrap_err();
        // The program goes on, and the next writing is cut by the power.
        file.write(vec![3; PLAIN], &mut rng, cut(Step::KeyAdded)).unwrap_err();
        drop(file);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        assert_eq!(*file.read(&mut rng).unwrap().unwrap(), vec![2; PLAIN]);
    }

    #[test]
    fn a_first_writing_cut_short_starts_over() {
        for at in [Step::KeyAdded, Step::Written] {
            let folder = tempfile::tempdir().unwrap();
            let mut rng = StdRng::seed_from_u64(2);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            file.write(vec![1; PLAIN], &mut rng, cut(at)).unwrap_err();
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert!(file.read(&mut rng).unwrap().is_none(), "{at:?}");
            file.write(vec![2; PLAIN], &mut rng, |_| Ok(())).unwrap();
            assert_eq!(*file.read(&mut rng).unwrap().unwrap(), vec![2; PLAIN]);
        }
    }

    #[test]
    fn a_file_replaced_cannot_be_opened_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(3);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        let mut kept = vec![];
        for n in 0..4 {
            file.write(vec![n; PLAIN], &mut rng, |_| Ok(())).unwrap();
            kept.push((std::fs::read(folder.path().join("mailbox")).unwrap(), keys(folder.path())));
        }
        let now = keys(folder.path());
        assert_eq!(now.len(), 64);
        for (n, (sealed, then)) in kept.iter().enumerate() {
            let opens = |keys: &[u8]| {
                keys.chunks_exact(32).any(|key| {
                    StoreKey::from_bytes(key.try_into().unwrap()).open_once(&mut sealed.clone()).is_ok()
                })
            };
            assert_eq!(sealed.len(), 4_194_304);
            assert!(opens(then));
            assert_eq!(opens(&now), n == 3, "file {n}");
        }
    }

    #[test]
    fn after_a_cut_the_old_key_is_forgotten_at_the_next_opening() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(4);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        let old = std::fs::read(folder.path().join("mailbox")).unwrap();
        file.write(vec![2; PLAIN], &mut rng, cut(Step::Renamed)).unwrap_err();
        drop(file);
        let opens = |sealed: &[u8]| {
            keys(folder.path()).chunks_exact(32).any(|key| {
                StoreKey::from_bytes(key.try_into().unwrap()).open_once(&mut sealed.to_vec()).is_ok()
            })
        };
        assert!(opens(&old), "the cut came before");
        MailboxFile::lock(folder.path()).unwrap().read(&mut rng).unwrap();
        assert!(!opens(&old));
    }

    // MBX-01, MBX-02, MBX-05
    #[test]
    fn a_bent_or_shortened_file_is_damaged_and_a_second_opening_is_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(5);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        assert!(matches!(MailboxFile::lock(folder.path()).err(), Some(MailboxError::OpenElsewhere)));
        let path = folder.path().join("mailbox");
        let good = std::fs::read(&path).unwrap();
        for bad in [
            {
                let mut b = good.clone();
                b[77] ^= 1;
                b
            },
            good[1..].to_vec(),
            vec![],
        ] {
            std::fs::write(&path, bad).unwrap();
            assert!(matches!(file.read(&mut rng).err(), Some(MailboxError::Damaged(_))));
        }
        std::fs::write(&path, good).unwrap();
        assert!(file.read(&mut rng).unwrap().is_some());
    }

    #[test]
    fn that_the_queue_is_filled_is_remembered_until_the_mailbox_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.read(&mut rng).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        assert!(!file.is_filled());
        file.set_filled(true).unwrap();
        drop(file);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        assert!(file.read(&mut rng).unwrap().is_some() && file.is_filled());
        std::fs::remove_file(folder.path().join("mailbox")).unwrap();
        assert!(file.read(&mut rng).unwrap().is_none() && !file.is_filled());
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_files() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(6);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        for name in ["mailbox", "device.key", "lock"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}
