//! A desk's vault: one file under a passphrase. Spec: vault.md.
//!
//! ```text
//! file = version 1 | memory 4 | passes 4 | salt 32 | nonce 24 | text | tag 16
//! key  = Argon2id(passphrase, salt), with the memory (KiB) and passes that the file names
//! ```
//! Unlike a mailbox it hides nothing about being there: a newsroom has a desk. It is written beside and renamed, so the
//! old one or the new one is there after a power cut.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use minicbor::bytes::ByteArray;
use minicbor::{Decode, Encode};
use proto::conversation::{AckTag, Chain, ConversationKey, Message, open_message};
use proto::directory::IntakeKey;
use proto::document::Joining;
use proto::envelope::Wire;
use proto::id::KeyId;
use proto::keys::{KeyKind, Period};
use proto::seal::SealSecret;
use proto::sign::{IdentityPublic, IdentitySecret, Unverified};
use proto::size::READER_SLOT;
use proto::{NetworkId, Round};
use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

use crate::conversations::Text;
use crate::durable;
use crate::kdf::{Kdf, OutOfMemory};
use crate::mailbox::{Hint, HintKey};
use crate::passes::Passes;
use crate::passphrase::Passphrase;
use crate::seal::{self, StoreKey};

/// Of version 1 the vault key would be the desk's identity, which lies in a file that is not sealed.
const VERSION: u8 = 2;
const HEADER: usize = 1 + 4 + 4 + 32;

/// What a new vault is given: secrets whose public halves stand in the directory.
pub struct VaultContents {
    /// Signs the intake keys that the vault makes. Nowhere but in the vault: who has the desk's identity alone
    /// makes no key that anybody seals to.
    pub vault_key: IdentitySecret,
    /// The first keys that open what sources write, each with its week. Nowhere but in the vault, which makes the next.
    pub intake: Vec<(Period, SealSecret)>,
}

impl VaultContents {
    /// A second copy, for who may have to try again: making a vault takes the secrets.
    pub fn copy(&self) -> Self {
        let key =
            |(period, secret): &(Period, SealSecret)| (*period, SealSecret::from_seed(&secret.to_seed()));
        Self {
            vault_key: IdentitySecret::from_seed(&self.vault_key.to_seed()),
            intake: self.intake.iter().map(key).collect(),
        }
    }
}

/// Why a vault does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnlockError {
    /// Another passphrase, or an altered file: nobody can tell which.
    #[error("these words do not open the vault")]
    Wrong,
    /// It is no vault.
    #[error("{0} is not a vault of this version")]
    NotAVault(PathBuf),
    /// Deriving the key takes more memory than there is.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// The disk failed us.
    #[error("could not read {path}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}

/// Why a vault could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// There is one already; it is never written over.
    #[error("there is a vault at {0} already")]
    Exists(PathBuf),
    /// Another file was put in the place of the one that was read or written last. It is not written over.
    #[error("another file was put in the place of {0}")]
    Replaced(PathBuf),
    /// Deriving the key takes more memory than there is.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
    /// The disk failed us.
    #[error("could not write {path}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        cause: io::Error,
    },
}

/// By which day's pass and which key of the exit an envelope was sealed.
pub(crate) type SealedBy = (u32, KeyId);

/// Cover of class 2 in the queue, and the mark by which it is found there.
pub(crate) struct Cover {
    pub(crate) mark: Hint,
    pub(crate) sealed_by: SealedBy,
}

/// An unlocked vault. Dropping it clears it.
pub struct Vault {
    path: PathBuf,
    header: [u8; HEADER],
    key: StoreKey,
    /// Newest first.
    intake: Vec<(Period, SealSecret)>,
    pub(crate) hints: HintKey,
    pub(crate) book: Book,
    /// Cover of class 2 that waits in the queue.
    pub(crate) covers: Vec<Cover>,
    /// Whether the file lacks something of this, as far as it was tried to write it.
    unwritten: bool,
    /// The nonces of the file as it was read or written last, and as it was tried to write it last: any other file there is
    /// somebody else's.
    ours: [Option<[u8; seal::NONCE]>; 2],
}

impl Vault {
    /// Makes a new vault. Slow: derive where blocking is fine.
    pub fn create(
        path: &Path,
        passphrase: &Passphrase,
        kdf: Kdf,
        contents: VaultContents,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, VaultError> {
        if path.exists() {
            return Err(VaultError::Exists(path.to_owned()));
        }
        private_folder(path).map_err(|cause| VaultError::Disk { path: path.to_owned(), cause })?;
        let mut header = [0; HEADER];
        header[0] = VERSION;
        header[1..9].copy_from_slice(&kdf.to_bytes());
        rng.fill_bytes(&mut header[9..]);
        let key = kdf.derive(passphrase, header[9..].try_into().expect("32 bytes"))?;
        let hints = HintKey::generate(rng);
        let VaultContents { vault_key, intake } = contents;
        let book = Book {
            vault_key: *vault_key.to_seed(),
            intake: intake.iter().map(Intake::of).collect(),
            hint_key: *hints.as_bytes(),
            looked: None,
            threads: Vec::new(),
            waiting: Vec::new(),
            placed: Vec::new(),
            passes: Passes::default(),
            gone: None,
            missed: None,
        };
        let intake = book.intake();
        let (path, covers) = (path.to_owned(), Vec::new());
        let mut vault =
            Self { path, header, key, intake, hints, book, covers, unwritten: true, ours: [None; 2] };
        vault.save(rng)?;
        Ok(vault)
    }

    /// Opens the vault. Slow: derive where blocking is fine.
    pub fn unlock(path: &Path, passphrase: &Passphrase) -> Result<Self, UnlockError> {
        let bytes =
            std::fs::read(path).map_err(|cause| UnlockError::Disk { path: path.to_owned(), cause })?;
        let (key, text) = Self::open(path, &bytes, passphrase)?;
        // Also of a vault that was put back from somewhere.
        private_folder(path).map_err(|cause| UnlockError::Disk { path: path.to_owned(), cause })?;
        let book: Book = minicbor::decode(&text).map_err(|_| UnlockError::NotAVault(path.to_owned()))?;
        Ok(Self {
            path: path.to_owned(),
            header: *bytes.first_chunk().expect("it opened"),
            key,
            intake: book.intake(),
            covers: Vec::new(),
            hints: HintKey::from_bytes(book.hint_key),
            book,
            unwritten: false,
            ours: [nonce_of(&bytes); 2],
        })
    }

    /// The key of the file with these bytes, and the text inside. `path` is for the error.
    pub(crate) fn open(
        path: &Path,
        bytes: &[u8],
        passphrase: &Passphrase,
    ) -> Result<(StoreKey, Zeroizing<Vec<u8>>), UnlockError> {
        let not_a_vault = || UnlockError::NotAVault(path.to_owned());
        let (header, sealed) = bytes.split_first_chunk::<HEADER>().ok_or_else(not_a_vault)?;
        // VLT-01: this version, and a cost that can be paid.
        if header[0] != VERSION {
            return Err(not_a_vault());
        }
        let kdf = Kdf::from_bytes(header[1..9].try_into().expect("eight bytes")).ok_or_else(not_a_vault)?;
        let key = kdf.derive(passphrase, header[9..].try_into().expect("32 bytes"))?;
        // VLT-02: other words and other bytes are one answer.
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let text = key.open(&mut sealed).map_err(|_| UnlockError::Wrong)?;
        let (from, length) = (seal::NONCE, text.len());
        sealed.truncate(from + length);
        sealed.drain(..from);
        Ok((key, sealed))
    }

    // DIR-07
    fn signer(&self) -> IdentitySecret {
        IdentitySecret::from_seed(&self.book.vault_key)
    }

    /// The public half of its vault key, by which the directory names the desk that this is the vault of.
    pub fn vault_key(&self) -> IdentityPublic {
        self.signer().public()
    }

    /// Whether this is a vault of the same desk that began as `other` did, in a time that hangs on neither.
    pub(crate) fn is_as(&self, other: &Vault) -> bool {
        let (ours, theirs) = (&self.book, &other.book);
        (ours.vault_key[..].ct_eq(&theirs.vault_key) & ours.hint_key[..].ct_eq(&theirs.hint_key)).into()
    }

    /// Deletes the intake keys whose time is over. `true`: it has to be saved.
    pub(crate) fn delete_keys(&mut self, now: Round) -> bool {
        let before = self.book.intake.len();
        let over = self.book.intake.iter().filter(|key| KeyKind::Intake.is_over(key.period(), now));
        self.book.gone = over.map(|key| key.from).chain(self.book.gone).max();
        // KEY-03
        self.book.intake.retain(|key| !KeyKind::Intake.is_over(key.period(), now));
        let changed = self.book.intake.len() != before;
        if changed {
            self.intake = self.book.intake();
        }
        changed
    }

    /// Makes the intake keys that are to be public in round `now` and the one after. `known` are this desk's keys of which others may
    /// have heard. `true`: it has to be saved, and before anybody hears of the new ones.
    pub(crate) fn turn_keys(
        &mut self,
        now: Round,
        known: &[(Period, KeyId)],
        rng: &mut impl CryptoRng,
    ) -> bool {
        let mut changed = false;
        // One round early, so that the press has them when that round's edition is made.
        for period in KeyKind::Intake.published(now).chain(KeyKind::Intake.published(now.next())) {
            // KEY-02: neither for a week that has one nor, if the clock was set back or this vault is an old copy, for one that had one.
            let gone = self.book.gone.is_some_and(|gone| period.from <= gone)
                || known.iter().any(|(known, _)| *known == period);
            if !gone && self.book.intake.iter().all(|key| key.period() != period) {
                self.book.intake.push(Intake::of(&(period, SealSecret::generate(rng))));
                changed = true;
            }
        }
        if changed {
            self.intake = self.book.intake();
        }
        changed
    }

    /// The public halves of its intake keys whose time is not over and for whose periods none is published, signed: what the edge is
    /// to have.
    pub(crate) fn intake_keys(
        &self,
        network: &NetworkId,
        published: &[(Period, KeyId)],
        now: Round,
    ) -> Vec<Unverified<IntakeKey>> {
        let signer = self.signer();
        let sign = |(Period { from, until }, secret): &(Period, SealSecret)| {
            let key = secret.public().to_bytes().into();
            Unverified::sign(&IntakeKey { key, from: *from, until: *until }, network, &signer)
        };
        let is_new = |(period, _): &&(Period, SealSecret)| {
            !KeyKind::Intake.is_over(*period, now) && published.iter().all(|(known, _)| known != period)
        };
        self.intake.iter().filter(is_new).map(sign).collect()
    }

    /// Opens a box that came with the edition of round `edition`, under whichever key it is sealed to.
    pub(crate) fn open_message(&self, wire: &Wire, edition: Round, boxed: &[u8]) -> Option<(Message, Chain)> {
        let begun = self.intake.iter().filter(|(period, _)| period.from <= edition);
        begun.map(|(_, key)| open_message(wire, key, boxed)).find_map(Result::ok)
    }

    /// Its intake keys of this round.
    pub(crate) fn keys_of(&self, round: Round) -> impl Iterator<Item = &SealSecret> {
        self.intake
            .iter()
            .filter(move |(period, _)| (period.from..=period.until).contains(&round))
            .map(|(_, key)| key)
    }

    /// The first and the last round in which what is sealed to this desk's `published` keys is not sealed to one that is here. Weeks
    /// whose drops may still come count: what was written in them is under way.
    pub(crate) fn lacks(&self, now: Round, published: &[(Period, KeyId)]) -> Option<Period> {
        let here = |(period, key): &(Period, KeyId)| {
            self.intake.iter().any(|(ours, secret)| ours == period && secret.public().id() == *key)
        };
        let lacking = published
            .iter()
            .filter(|it| !KeyKind::Intake.is_over(it.0, now) && !here(it))
            .map(|(period, _)| *period);
        lacking.reduce(|a, b| Period { from: a.from.min(b.from), until: a.until.max(b.until) })
    }

    /// Whether the last writing failed.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.unwritten
    }

    /// Writes it anew and returns once it is on the disk.
    pub(crate) fn save(&mut self, rng: &mut impl CryptoRng) -> Result<(), VaultError> {
        self.unwritten = true;
        let mut length = Length(0);
        minicbor::encode(&self.book, &mut length).expect("counting cannot fail");
        // As long as it needs to be from the start, so that it never grows and leaves a copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + seal::OVERHEAD + length.0));
        bytes.extend_from_slice(&self.header);
        bytes.resize(HEADER + seal::NONCE, 0);
        minicbor::encode(&self.book, &mut *bytes).expect("writing to a vector cannot fail");
        bytes.extend_from_slice(&[0; seal::TAG]);
        self.key.seal(&mut bytes[HEADER..], rng);
        let path = self.path.clone();
        let failed = |cause| VaultError::Disk { path: path.clone(), cause };
        let mut next = path.clone().into_os_string();
        next.push(".next");
        let next = PathBuf::from(next);
        durable::write(&next, &bytes).map_err(failed)?;
        // Whoever put another file there may have no second copy of it.
        if self.is_in_place().map_err(failed)? == Some(false) {
            let _: io::Result<()> = std::fs::remove_file(&next);
            return Err(VaultError::Replaced(self.path.clone()));
        }
        // Either may be there if the renaming fails.
        self.ours[1] = nonce_of(&bytes);
        durable::rename(&next, &self.path).map_err(failed)?;
        self.ours[0] = self.ours[1];
        self.unwritten = false;
        Ok(())
    }

    /// Whether the file in its place is as this vault read or wrote it. `None`: there is none.
    pub(crate) fn is_in_place(&mut self) -> io::Result<Option<bool>> {
        let mut head = Vec::new();
        match File::open(&self.path) {
            Ok(file) => file.take((HEADER + seal::NONCE) as u64).read_to_end(&mut head)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let there = nonce_of(&head);
        let is_ours = there.is_some() && self.ours.contains(&there);
        if is_ours {
            // The writing that failed may have got there.
            self.ours[0] = there;
        }
        Ok(Some(is_ours))
    }
}

/// Who may look into a vault's folder sees it grow with every message.
fn private_folder(vault: &Path) -> io::Result<()> {
    match vault.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => durable::create_folder(folder),
        None => Ok(()),
    }
}

/// Every writing draws another, so it names one state of the file.
fn nonce_of(file: &[u8]) -> Option<[u8; seal::NONCE]> {
    file.get(HEADER..)?.first_chunk().copied()
}

/// Counts bytes instead of writing them.
struct Length(usize);

impl minicbor::encode::Write for Length {
    type Error = core::convert::Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

/// What the vault holds.
#[derive(Encode, Decode)]
pub(crate) struct Book {
    /// As its seed.
    #[cbor(n(0), with = "minicbor::bytes")]
    vault_key: [u8; 32],
    #[n(1)]
    intake: Vec<Intake>,
    /// Tells this desk's envelopes from cover in its queue. A desk's mailbox has a region like every other, never used:
    /// what a reader's region would hold is here.
    #[cbor(n(2), with = "minicbor::bytes")]
    hint_key: [u8; 32],
    /// The newest edition whose desk drops were looked through.
    #[n(3)]
    pub(crate) looked: Option<Round>,
    #[n(4)]
    pub(crate) threads: Vec<Thread>,
    /// What goes into the next envelopes.
    #[n(5)]
    pub(crate) waiting: Vec<Outgoing>,
    /// What was put in the queue and is not yet known to have left.
    #[n(6)]
    pub(crate) placed: Vec<Placed>,
    /// The desk passes that drops brought.
    #[n(7)]
    pub(crate) passes: Passes,
    /// Where the newest week begins whose intake key was deleted.
    #[n(8)]
    gone: Option<Round>,
    /// What was not looked through and is not there any more.
    #[n(9)]
    pub(crate) missed: Option<Missed>,
}

/// Editions of which some were deleted before they were looked through, or never fetched.
#[derive(Clone, Copy, Encode, Decode)]
pub(crate) struct Missed {
    #[n(0)]
    pub(crate) from: Round,
    #[n(1)]
    pub(crate) until: Round,
    /// When that was noticed.
    #[n(2)]
    pub(crate) noticed: Round,
}

impl Drop for Book {
    fn drop(&mut self) {
        self.vault_key.zeroize();
        self.hint_key.zeroize();
    }
}

impl Book {
    fn intake(&self) -> Vec<(Period, SealSecret)> {
        let mut keys: Vec<_> =
            self.intake.iter().map(|it| (it.period(), SealSecret::from_seed(&it.seed))).collect();
        keys.sort_unstable_by_key(|(period, _)| core::cmp::Reverse(*period));
        keys
    }
}

/// An intake key, as its seed.
#[derive(Encode, Decode)]
struct Intake {
    #[n(0)]
    from: Round,
    #[n(1)]
    until: Round,
    #[cbor(n(2), with = "minicbor::bytes")]
    seed: [u8; SealSecret::LEN],
}

impl Intake {
    fn of((period, secret): &(Period, SealSecret)) -> Self {
        Self { from: period.from, until: period.until, seed: *secret.to_seed() }
    }

    fn period(&self) -> Period {
        Period { from: self.from, until: self.until }
    }
}

impl Drop for Intake {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

/// A conversation, from the desk's end.
#[derive(Encode, Decode)]
pub(crate) struct Thread {
    #[n(0)]
    pub(crate) key: ConversationKey,
    /// The chain that the desk writes on: the newest message's. None yet, if only parts came that start none.
    #[n(1)]
    pub(crate) chain: Option<Started>,
    /// How many replies there are; the next has the number after.
    #[n(2)]
    pub(crate) replies: u32,
    #[n(3)]
    pub(crate) lines: Vec<Spoken>,
    /// Acknowledgement tags of all boxes taken: by them a box that comes twice is known.
    #[n(4)]
    pub(crate) taken: Vec<ByteArray<16>>,
}

/// A chain, and the edition that brought the box that started it.
#[derive(Encode, Decode)]
pub(crate) struct Started {
    #[n(0)]
    pub(crate) at: Round,
    /// The message in that box.
    #[n(1)]
    pub(crate) sequence: u32,
    #[n(2)]
    pub(crate) chain: Chain,
}

/// A line of it.
#[derive(Encode, Decode)]
pub(crate) enum Spoken {
    #[n(0)]
    Source {
        #[n(0)]
        text: Text,
        #[n(1)]
        sequence: u32,
        #[n(2)]
        at: Round,
    },
    #[n(1)]
    Desk {
        #[n(0)]
        text: Text,
        #[n(1)]
        number: u32,
        #[n(2)]
        at: Round,
        /// The round in which the last part of its newest copy left, or by which it surely had.
        #[n(3)]
        left: Option<Round>,
        /// The envelopes that carry the parts of its newest copy.
        #[n(4)]
        hints: Vec<Hint>,
        /// How many copies there were.
        #[n(5)]
        times: u8,
        /// The source said that it has it.
        #[n(6)]
        received: bool,
        /// The edition up to which drops had been looked through when it was written.
        #[n(7)]
        seen: Option<Round>,
    },
    #[n(2)]
    Document {
        /// The sequence number of part 0.
        #[n(0)]
        first: u32,
        /// The edition that brought its newest part.
        #[n(1)]
        at: Round,
        #[n(2)]
        parts: Joining,
        /// Once all parts are there: whether they are what the head says.
        #[n(3)]
        good: Option<bool>,
    },
}

/// Something to go to readers.
#[derive(Encode, Decode)]
pub(crate) enum Outgoing {
    /// That a message has arrived.
    #[n(0)]
    Ack(#[cbor(n(0), with = "minicbor::bytes")] AckTag),
    /// A part of a reply.
    #[n(1)]
    Part {
        #[cbor(n(0), with = "minicbor::bytes")]
        conversation: [u8; 32],
        #[n(1)]
        number: u32,
        #[n(2)]
        part: u8,
        #[n(3)]
        parts: u8,
        #[cbor(n(4), with = "minicbor::bytes")]
        whole: [u8; 8],
        #[n(5)]
        text: Slice,
    },
}

/// A piece of a text, which may begin and end inside a character. Cleared when dropped.
#[derive(Zeroize, zeroize::ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
pub(crate) struct Slice(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) Vec<u8>);

/// An envelope in the queue, and what it carries. As it stands here it is sealed again, by another pass or to another key of the
/// exit, as long as it has not left.
#[derive(Encode, Decode)]
pub(crate) struct Placed {
    /// As it was sealed first.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub(crate) hint: Hint,
    #[n(1)]
    pub(crate) items: Vec<Outgoing>,
    /// Its slots that say something. None, if an older version of the program put it in the queue: then it leaves as it is.
    #[cbor(n(2), default)]
    pub(crate) slots: Vec<ByteArray<READER_SLOT>>,
    /// When it was put there; unknown if an older version did it.
    #[n(3)]
    pub(crate) at: Option<Round>,
    /// As it was sealed since. Which of all is in the queue's file hangs on when the program was stopped.
    #[cbor(n(4), default)]
    pub(crate) anew: Vec<Hint>,
    /// Of what is in the queue. Unknown from an earlier run of the program.
    #[cbor(skip)]
    pub(crate) sealed_by: Option<SealedBy>,
}

impl Placed {
    /// Every hint under which it may be in the queue or have left.
    pub(crate) fn hints(&self) -> impl Iterator<Item = &Hint> {
        core::iter::once(&self.hint).chain(&self.anew)
    }
}

#[cfg(test)]
mod tests {
    use proto::conversation::Body;
    use proto::directory::check_intake_key;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn words(six: &str) -> Passphrase {
        Passphrase::parse(six).unwrap()
    }

    fn made(path: &Path, rng: &mut StdRng) -> (Passphrase, [u8; 32]) {
        let passphrase = words("abacus abandon abbey abide ability able");
        let intake = SealSecret::generate(rng);
        let seed = *intake.to_seed();
        let intake = vec![(KeyKind::Intake.period(Round(0)), intake)];
        let contents = VaultContents { vault_key: IdentitySecret::generate(rng), intake };
        Vault::create(path, &passphrase, Kdf::cheap(), contents, rng).unwrap();
        (passphrase, seed)
    }

    // VLT-02
    #[test]
    fn a_vault_opens_under_its_passphrase_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(1);
        let (passphrase, intake) = made(&path, &mut rng);
        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        assert_eq!(*vault.intake[0].1.to_seed(), intake);
        vault.book.looked = Some(Round(7));
        vault.save(&mut rng).unwrap();
        assert_eq!(Vault::unlock(&path, &passphrase).unwrap().book.looked, Some(Round(7)));
        let other = words("abacus abandon abbey abide ability abacus");
        assert!(matches!(Vault::unlock(&path, &other).err(), Some(UnlockError::Wrong)));
        assert!(!folder.path().join("vault.next").exists());
    }

    #[test]
    fn a_vault_is_never_written_over_by_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(2);
        let (passphrase, _) = made(&path, &mut rng);
        let contents = VaultContents { vault_key: IdentitySecret::generate(&mut rng), intake: vec![] };
        let again = Vault::create(&path, &passphrase, Kdf::cheap(), contents, &mut rng);
        assert!(matches!(again.err(), Some(VaultError::Exists(_))));
    }

    #[test]
    fn what_an_older_version_put_in_the_queue_is_read_and_cannot_be_sealed_again() {
        let items = || vec![Outgoing::Ack([3; 16])];
        let old = minicbor::to_vec((ByteArray::from([7; 20]), items())).unwrap();
        let Placed { hint, items: read, slots, at, anew, sealed_by } = minicbor::decode(&old).unwrap();
        assert_eq!(
            (hint, read.len(), slots.len(), at, anew.len(), sealed_by),
            ([7; 20], 1, 0, None, 0, None)
        );
        let (slots, anew) = (vec![ByteArray::from([1; READER_SLOT])], vec![[8; 20]]);
        let new = Placed { hint, items: items(), slots, at: Some(Round(5)), anew, sealed_by };
        let read: Placed = minicbor::decode(&minicbor::to_vec(&new).unwrap()).unwrap();
        assert_eq!((read.slots, read.at, read.anew), (new.slots, new.at, new.anew));
    }

    // VLT-01, VLT-02
    #[test]
    fn an_altered_vault_does_not_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(3);
        let (passphrase, _) = made(&path, &mut rng);
        let good = std::fs::read(&path).unwrap();
        // Memory and passes of another cost give another key; absurd ones are not tried.
        for (at, to) in [(0, 9), (1, 0xff), (4, good[4] ^ 8), (8, 2), (9, good[9] ^ 1), (60, good[60] ^ 1)] {
            let mut bent = good.clone();
            bent[at] = to;
            std::fs::write(&path, bent).unwrap();
            assert!(Vault::unlock(&path, &passphrase).is_err(), "byte {at}");
        }
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Vault::unlock(&path, &passphrase).err(), Some(UnlockError::NotAVault(_))));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(Vault::unlock(&path, &passphrase).err(), Some(UnlockError::Disk { .. })));
    }

    #[test]
    fn key_03_an_intake_key_opens_until_its_time_is_over_and_never_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(5);
        let (passphrase, seed) = made(&path, &mut rng);
        let wire = Wire { network: NetworkId([7; 32]), cascade: proto::size::Cascade::new(3).unwrap() };
        let message = Message {
            conversation: ConversationKey::generate(&mut rng),
            sequence: 0,
            received: proto::conversation::Received::default(),
            body: Body::Text(Zeroizing::new("A tip.".to_owned())),
        };
        let packed = message.pack(wire.cascade).unwrap();
        let exit = SealSecret::generate(&mut rng);
        let to = SealSecret::from_seed(&seed);
        let (blob, _) = proto::envelope::to_desk(&wire, to.public(), &packed, exit.public(), &mut rng);
        let found = proto::envelope::open_exit(&wire, &exit, &[], blob.as_bytes()).unwrap().1;
        let proto::envelope::Found::ToDesk(boxed) = found else { panic!("a message to a desk") };

        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        assert!(vault.turn_keys(Round(0), &[], &mut rng), "three more weeks are to be public");
        assert_eq!(vault.intake_keys(&wire.network, &[], Round(0)).len(), 4);
        assert!(!vault.turn_keys(Round(166), &[], &mut rng), "nothing to do within a week");
        let last = 167 + 14 * 24;
        assert!(!vault.delete_keys(Round(last)));
        assert!(vault.open_message(&wire, Round(last), &boxed).is_some());
        assert_eq!(vault.intake_keys(&wire.network, &[], Round(last + 1)).len(), 3);
        assert!(vault.delete_keys(Round(last + 1)));
        vault.save(&mut rng).unwrap();
        assert!(vault.open_message(&wire, Round(last + 1), &boxed).is_none());
        let again = Vault::unlock(&path, &passphrase).unwrap();
        assert!(again.open_message(&wire, Round(last + 1), &boxed).is_none(), "nor after a restart");
        assert!(again.intake.iter().all(|(_, key)| *key.to_seed() != seed));
    }

    /// DIR-07
    #[test]
    fn a_vault_signs_its_intake_keys_with_the_key_that_lies_in_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(12);
        let (passphrase, _) = made(&path, &mut rng);
        let identity = IdentitySecret::generate(&mut rng).public();
        let vault = Vault::unlock(&path, &passphrase).unwrap();
        let network = NetworkId([7; 32]);
        let keys = vault.intake_keys(&network, &[], Round(0));
        assert_eq!(keys.len(), 1);
        for key in keys {
            assert!(check_intake_key(&key, &vault.vault_key(), &network).is_ok());
            assert!(check_intake_key(&key, &identity, &network).is_err());
        }
    }

    /// KEY-02, P8
    #[test]
    fn an_old_copy_of_a_vault_makes_no_second_key_and_says_what_it_cannot_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(8);
        let (passphrase, _) = made(&path, &mut rng);
        let old = std::fs::read(&path).unwrap();
        let keys =
            |vault: &Vault| vault.intake.iter().map(|(period, key)| (*period, key.public().id())).collect();
        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        assert!(vault.turn_keys(Round(0), &[], &mut rng));
        let published: Vec<_> = keys(&vault);
        assert_eq!((published.len(), vault.lacks(Round(0), &published)), (4, None));
        std::fs::write(&path, old).unwrap();
        let mut copy = Vault::unlock(&path, &passphrase).unwrap();
        assert!(!copy.turn_keys(Round(0), &published, &mut rng), "others have keys for these weeks");
        let weeks =
            |from: u32, until: u32| Some(Period { from: Round(from * 168), until: Round(until * 168 + 167) });
        assert_eq!(copy.lacks(Round(0), &published), weeks(1, 3));
        assert_eq!(
            copy.lacks(Round(3 * 168), &published),
            weeks(1, 3),
            "what was written a week ago still comes"
        );
        assert_eq!(copy.lacks(Round(5 * 168), &published), weeks(3, 3), "what is over is over");
        // From the week on of which nobody has heard it makes its own.
        assert!(copy.turn_keys(Round(168), &published, &mut rng));
        let now: Vec<_> = keys(&copy);
        assert!(now.iter().any(|(period, _)| Some(*period) == weeks(4, 4)), "{now:?}");
        // One that made another key, as versions before this did, reads nothing either.
        let mut wrong = Vault::unlock(&path, &passphrase).unwrap();
        assert!(wrong.turn_keys(Round(0), &[], &mut rng));
        assert_eq!(wrong.lacks(Round(0), &published), weeks(1, 3));
    }

    #[test]
    fn another_vault_is_not_this_one_and_a_copy_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(9);
        let [ours, copy, other] =
            ["ours", "copy", "other"].map(|name| folder.path().join(name).join("vault"));
        let (passphrase, _) = made(&ours, &mut rng);
        made(&other, &mut rng);
        std::fs::create_dir(copy.parent().unwrap()).unwrap();
        std::fs::copy(&ours, &copy).unwrap();
        let [ours, copy, other] = [ours, copy, other].map(|path| Vault::unlock(&path, &passphrase).unwrap());
        assert!(ours.is_as(&copy) && !ours.is_as(&other));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(folder.path().join("ours")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "others would see it grow");
        }
    }

    #[test]
    fn key_02_no_second_key_is_made_for_a_week_whose_key_is_gone_whatever_the_clock_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(7);
        let (passphrase, _) = made(&path, &mut rng);
        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        let weeks = |vault: &Vault| {
            let mut weeks: Vec<_> = vault.intake.iter().map(|(period, _)| period.from.0 / 168).collect();
            weeks.reverse();
            weeks
        };
        let turn = |vault: &mut Vault, now, rng: &mut StdRng| {
            let made = vault.turn_keys(Round(now), &[], rng);
            vault.delete_keys(Round(now)) || made
        };
        turn(&mut vault, 0, &mut rng);
        // A clock that is ten weeks ahead deletes those of weeks 0 to 3.
        assert!(turn(&mut vault, 10 * 168, &mut rng));
        assert_eq!(weeks(&vault), [10, 11, 12, 13]);
        vault.save(&mut rng).unwrap();
        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        assert!(!turn(&mut vault, 0, &mut rng), "all that were to be public had one");
        // Weeks that never had a key get theirs, so that the desk can be written to long before week 10.
        assert!(turn(&mut vault, 2 * 168, &mut rng));
        assert_eq!(weeks(&vault), [4, 5, 10, 11, 12, 13]);
        assert!(turn(&mut vault, 7 * 168, &mut rng));
        assert_eq!(weeks(&vault), [5, 7, 8, 9, 10, 11, 12, 13]);
        assert!(turn(&mut vault, 3 * 168, &mut rng));
        assert_eq!(weeks(&vault), [5, 6, 7, 8, 9, 10, 11, 12, 13], "the keys of weeks 3 and 4 are gone");
    }

    #[test]
    fn an_intake_key_is_made_one_round_before_it_is_to_be_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vault");
        let mut rng = StdRng::seed_from_u64(10);
        let (passphrase, _) = made(&path, &mut rng);
        let mut vault = Vault::unlock(&path, &passphrase).unwrap();
        let has = |vault: &Vault| vault.intake.iter().any(|(period, _)| period.from == Round(4 * 168));
        vault.turn_keys(Round(166), &[], &mut rng);
        assert!(!has(&vault));
        vault.turn_keys(Round(167), &[], &mut rng);
        assert!(has(&vault));
    }

    /// P9
    #[cfg(unix)]
    #[test]
    fn nobody_else_may_look_into_the_folder_of_a_vault_that_was_opened() {
        use std::os::unix::fs::PermissionsExt as _;
        let around = tempfile::tempdir().unwrap();
        let (folder, mut rng) = (around.path().join("desk"), StdRng::seed_from_u64(11));
        let (passphrase, _) = made(&folder.join("vault"), &mut rng);
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
        Vault::unlock(&folder.join("vault"), &passphrase).unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }
}
