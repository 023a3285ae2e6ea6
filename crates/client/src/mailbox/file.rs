//! The mailbox on disk: one file, its key, and the order in which the two change. Spec: mailbox.md §2.
//!
//! `device.key` is the key of the file, 32 bytes, and a byte that says whether the queue was ever filled. A rewriting goes
//! through these steps, each on the disk before the next begins:
//!
//! ```text
//! 1 Written      `mailbox.next`, sealed under a key that is nowhere on the disk yet
//! 2 KeyChanged   that key over the old one, in one write
//! 3 Moved        `mailbox.next` takes the place of `mailbox`: programs see it there, a power cut may undo it
//!   Renamed      and the folder says so on the disk
//! ```
//! Up to step 2 the key opens `mailbox` and nothing else, from step 2 on it opens the new file and nothing else, under
//! either name. So whenever the folder is taken, one state of the mailbox can be read and never two: two that are compared
//! tell whether something was written in between. A file replaced cannot be opened any more, wherever its blocks still
//! lie: nothing tells what was in the mailbox an hour ago.

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
    Written,
    KeyChanged,
    Moved,
    Renamed,
}

/// What the last rewriting did not bring to its end, because the disk failed. It is done before anything is written again:
/// `mailbox.next` may be the only file that the key opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Undone {
    Nothing,
    /// Which of the two keys is on the disk is not known: the old one is put again.
    Key,
    /// The new file has not its name.
    Name,
    /// It has, and a power cut may undo it.
    Folder,
}

/// The mailbox's files in one folder, held under a lock.
pub(crate) struct MailboxFile {
    folder: PathBuf,
    keys: File,
    /// Opens the file that is there.
    key: Option<StoreKey>,
    undone: Undone,
    filled: bool,
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
        let (key, undone) = (None, Undone::Nothing);
        let mut file = Self { folder: folder.to_owned(), keys, key, undone, filled: false, _lock: lock };
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

    fn next(&self) -> PathBuf {
        self.folder.join("mailbox.next")
    }

    /// Reads the mailbox, and brings a rewriting that was cut short to its end, or undoes it. `None`: there is none yet.
    pub(crate) fn read(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, MailboxError> {
        let (path, next) = (self.path(), self.next());
        let (there, coming) = (look(&path)?, look(&next)?);
        let key = self.key_on_disk();
        let opened = |sealed: &Option<Vec<u8>>| {
            // MBX-01: 4 MiB, neither more nor less.
            let mut plain = Zeroizing::new(sealed.as_ref().filter(|sealed| sealed.len() == FILE)?.clone());
            // MBX-02: it opens under the device key.
            key.as_ref()?.open_once(&mut plain).ok()?;
            plain.truncate(FILE - TAG);
            Some(plain)
        };
        // MBX-04: stopped before the key changed, it opens the old file; after, the new one under either name.
        let plain = if let Some(plain) = opened(&there) {
            if coming.is_some() {
                std::fs::remove_file(&next).map_err(failed("remove", &next))?;
            }
            plain
        } else if let Some(plain) = opened(&coming) {
            std::fs::rename(&next, &path).map_err(failed("replace", &path))?;
            plain
        } else if there.is_some() {
            return Err(MailboxError::Damaged(self.folder.clone()));
        } else {
            if coming.is_some() {
                std::fs::remove_file(&next).map_err(failed("remove", &next))?;
            }
            // Before a new mailbox is made: its queue will hold chance.
            self.set_filled(false)?;
            return Ok(None);
        };
        // The run before may have been cut short between renaming and syncing.
        self.sync_folder()?;
        (self.key, self.undone) = (key, Undone::Nothing);
        Ok(Some(plain))
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
        // MBX-04: at every point between these steps the key on the disk opens one file that is there.
        self.finish()?;
        let next = self.next();
        durable::write(&next, &plain).map_err(failed("write", &next))?;
        // Its name too, or the key would open what has none.
        self.sync_folder()?;
        after(Step::Written)?;
        self.undone = Undone::Key;
        // MBX-10: the old key goes in the same write in which the new one comes.
        self.put(KEY, key.dangerously_as_bytes())?;
        (self.key, self.undone) = (Some(key), Undone::Name);
        after(Step::KeyChanged)?;
        self.rename()?;
        after(Step::Moved)?;
        self.finish()?;
        after(Step::Renamed)
    }

    /// Does what the last rewriting did not come to.
    fn finish(&mut self) -> Result<(), MailboxError> {
        if self.undone == Undone::Key {
            if let Some(old) = self.key.as_ref().map(|key| Zeroizing::new(*key.dangerously_as_bytes())) {
                self.put(KEY, old.as_slice())?;
            }
            self.undone = Undone::Nothing;
        }
        if self.undone == Undone::Name {
            self.rename()?;
        }
        if self.undone == Undone::Folder {
            self.sync_folder()?;
            self.undone = Undone::Nothing;
        }
        Ok(())
    }

    fn rename(&mut self) -> Result<(), MailboxError> {
        std::fs::rename(self.next(), self.path()).map_err(failed("replace", &self.path()))?;
        self.undone = Undone::Folder;
        Ok(())
    }

    fn sync_folder(&self) -> Result<(), MailboxError> {
        durable::sync_folder(&self.folder).map_err(failed("sync", &self.folder))
    }

    // In place: the file is never cut, so the old key's bytes are the ones overwritten wherever the file system does not
    // move what it writes. A key is 32 bytes at the beginning of the file, so it lies in one sector, which a disk writes
    // whole or not at all.
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

    fn key_on_disk(&mut self) -> Option<StoreKey> {
        let mut bytes = Zeroizing::new([0; StoreKey::LEN]);
        self.keys.seek(SeekFrom::Start(KEY)).ok()?;
        self.keys.read_exact(bytes.as_mut_slice()).ok()?;
        Some(StoreKey::from_bytes(*bytes))
    }
}

/// Where the key stands.
const KEY: u64 = 0;

/// Where the byte stands that says whether the queue was filled.
const FILLED: u64 = StoreKey::LEN as u64;

/// A file's bytes, if it is there.
fn look(path: &Path) -> Result<Option<Vec<u8>>, MailboxError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(failed("read", path)(cause)),
    }
}

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

    fn key(folder: &Path) -> StoreKey {
        StoreKey::from_bytes(std::fs::read(folder.join("device.key")).unwrap()[..32].try_into().unwrap())
    }

    fn opens(folder: &Path, sealed: &[u8]) -> bool {
        key(folder).open_once(&mut sealed.to_vec()).is_ok()
    }

    const ALL: [(Step, u8); 4] =
        [(Step::Written, 1), (Step::KeyChanged, 2), (Step::Moved, 2), (Step::Renamed, 2)];

    // MBX-04
    #[test]
    fn a_rewriting_cut_short_anywhere_leaves_the_old_or_the_new() {
        for (at, left) in ALL {
            let folder = tempfile::tempdir().unwrap();
            let mut rng = StdRng::seed_from_u64(1);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert!(file.read().unwrap().is_none());
            file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
            file.write(vec![2; PLAIN], &mut rng, cut(at)).unwrap_err();
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert_eq!(*file.read().unwrap().unwrap(), vec![left; PLAIN], "{at:?}");
            assert!(!folder.path().join("mailbox.next").exists());
            // And it goes on from there.
            for n in [3, 4] {
                file.write(vec![n; PLAIN], &mut rng, |_| Ok(())).unwrap();
            }
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert_eq!(*file.read().unwrap().unwrap(), vec![4; PLAIN], "{at:?}");
        }
    }

    // MBX-04: the program goes on after a disk that failed, and the next rewriting is cut by the power.
    #[test]
    fn after_a_disk_that_failed_at_any_step_the_key_still_opens_a_file() {
        for (failed, left) in ALL {
            for (then, after) in ALL {
                let folder = tempfile::tempdir().unwrap();
                let mut rng = StdRng::seed_from_u64(8);
                let mut file = MailboxFile::lock(folder.path()).unwrap();
                file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
                file.write(vec![2; PLAIN], &mut rng, cut(failed)).unwrap_err();
                file.write(vec![3; PLAIN], &mut rng, cut(then)).unwrap_err();
                drop(file);
                let mut file = MailboxFile::lock(folder.path()).unwrap();
                let wanted = if after == 1 { left } else { 3 };
                assert_eq!(*file.read().unwrap().unwrap(), vec![wanted; PLAIN], "{failed:?} {then:?}");
            }
        }
    }

    // MBX-04: the key could not be written, so which one is on the disk is not known.
    #[test]
    fn a_key_that_may_or_may_not_have_been_written_is_put_again_before_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(9);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        // Read only: the write of the key fails.
        let writable =
            std::mem::replace(&mut file.keys, File::open(folder.path().join("device.key")).unwrap());
        assert!(file.write(vec![2; PLAIN], &mut rng, |_| Ok(())).is_err());
        let next = std::fs::read(folder.path().join("mailbox.next")).unwrap();
        assert!(file.write(vec![3; PLAIN], &mut rng, |_| Ok(())).is_err());
        assert!(std::fs::read(folder.path().join("mailbox.next")).unwrap() == next, "it may be all there is");
        file.keys = writable;
        file.write(vec![4; PLAIN], &mut rng, |_| Ok(())).unwrap();
        drop(file);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        assert_eq!(*file.read().unwrap().unwrap(), vec![4; PLAIN]);
    }

    // MBX-10
    #[test]
    fn at_every_step_of_a_rewriting_one_state_can_be_read_and_never_two() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(10);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        // Blocks of a file that was replaced may lie on the disk for long.
        let mut ever = vec![std::fs::read(folder.path().join("mailbox")).unwrap()];
        let mut steps = 0;
        for n in 2..5 {
            let look = |_| {
                for name in ["mailbox", "mailbox.next"] {
                    ever.extend(std::fs::read(folder.path().join(name)).ok());
                }
                ever.sort_unstable();
                ever.dedup();
                assert_eq!(ever.iter().filter(|sealed| opens(folder.path(), sealed)).count(), 1);
                steps += 1;
                Ok(())
            };
            file.write(vec![n; PLAIN], &mut rng, look).unwrap();
        }
        assert_eq!((steps, ever.len()), (12, 4));
    }

    #[test]
    fn a_first_writing_cut_short_starts_over_until_its_key_is_there() {
        for (at, left) in ALL {
            let folder = tempfile::tempdir().unwrap();
            let mut rng = StdRng::seed_from_u64(2);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            file.write(vec![1; PLAIN], &mut rng, cut(at)).unwrap_err();
            drop(file);
            let mut file = MailboxFile::lock(folder.path()).unwrap();
            assert_eq!(file.read().unwrap().is_none(), left == 1, "{at:?}");
            file.write(vec![2; PLAIN], &mut rng, |_| Ok(())).unwrap();
            assert_eq!(*file.read().unwrap().unwrap(), vec![2; PLAIN]);
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
            kept.push(std::fs::read(folder.path().join("mailbox")).unwrap());
            assert!(opens(folder.path(), &kept[kept.len() - 1]));
        }
        for (n, sealed) in kept.iter().enumerate() {
            assert_eq!(sealed.len(), 4_194_304);
            assert_eq!(opens(folder.path(), sealed), n == 3, "file {n}");
        }
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
            assert!(matches!(file.read().err(), Some(MailboxError::Damaged(_))));
        }
        std::fs::write(&path, good).unwrap();
        assert!(file.read().unwrap().is_some());
    }

    #[test]
    fn that_the_queue_is_filled_is_remembered_until_the_mailbox_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(7);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        file.read().unwrap();
        file.write(vec![1; PLAIN], &mut rng, |_| Ok(())).unwrap();
        assert!(!file.is_filled());
        file.set_filled(true).unwrap();
        drop(file);
        let mut file = MailboxFile::lock(folder.path()).unwrap();
        assert!(file.read().unwrap().is_some() && file.is_filled());
        std::fs::remove_file(folder.path().join("mailbox")).unwrap();
        assert!(file.read().unwrap().is_none() && !file.is_filled());
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
