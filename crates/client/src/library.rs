//! What this device has read: editions, drops and directories, as their signers made them. Spec: exchange.md §3.
//!
//! Nothing here depends on the mailbox, so it is the same on every device that runs at the same times. Each edition is
//! taken in one transaction. What is shown is verified again at every start, from the signed bytes: the front page is a
//! whole one and the changes since, and the front page before it is kept in case one of them no longer verifies.

use std::fs::{File, FileTimes};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use minicbor::bytes::ByteVec;
use proto::codec;
use proto::directory::{Directory, IntakeKey, RoundKeys, check_intake_key};
use proto::edition::{Edition, EditionRejected, UnverifiedHead};
use proto::id::KeyId;
use proto::keys::{DAY, Period};
use proto::log::Frontier;
use proto::seal::SealPublic;
use proto::sign::{IdentityPublic, Unverified};
use proto::story::Story;
use proto::{Digest, Millis, NetworkId, Round};
use rand::CryptoRng;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::durable;
use crate::known::Known;
use crate::log::Place;
use crate::schedule::InstantSecret;

/// How many rounds drops are kept, and how far back editions are fetched: 14 days of hours.
pub(crate) const KEPT_ROUNDS: u32 = 14 * 24;

/// How many rounds back it is kept which directory an edition named: today's passes and the day's before are judged by those of the
/// days before, and an edition may be missing.
const NAMED_ROUNDS: u32 = 4 * DAY;

/// After this many editions of changes the whole front page is fetched once more, so that what is verified at a start
/// stays small.
pub(crate) const CHAIN: usize = 24;

// What is known of an intake key that is to be handed in.
/// It was handed in and no answer said that it was taken or refused: the edge may have it.
const UNANSWERED: u8 = 0;
/// The edge has it.
const HANDED_IN: u8 = 1;
/// The edge never had it: it was not tried, did not get there, or was refused.
const NEVER_TAKEN: u8 = 2;

/// Why the library cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LibraryError {
    /// The folder was used with another network.
    #[error("this folder belongs to another network; use another folder")]
    OtherNetwork,
    /// The disk failed us, or the file is damaged.
    #[error(
        "could not {what} `library.sqlite`; if it is damaged, move it away: the front page is fetched again, and what came and was not looked at yet is lost"
    )]
    Disk {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        #[source]
        cause: rusqlite::Error,
    },
}

fn disk(what: &'static str) -> impl FnOnce(rusqlite::Error) -> LibraryError {
    move |cause| LibraryError::Disk { what, cause }
}

/// What a bundle is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A whole front page.
    Front,
    /// Changes since the edition before.
    Changes,
}

/// The drops of one round.
pub(crate) struct Drops {
    pub(crate) round: Round,
    pub(crate) reader: Vec<u8>,
    /// On desks' machines only.
    pub(crate) desk: Option<Vec<u8>>,
}

/// Drops that came with one edition, and its round.
pub(crate) type EditionDrops = (Round, Vec<(Round, Vec<u8>)>);

/// An edition to take, verified, with all that it brings.
pub(crate) struct Taken<'a> {
    pub(crate) edition: &'a Edition,
    pub(crate) head: &'a [u8],
    /// The keys known with it.
    pub(crate) known: &'a Known,
    /// The log up to it.
    pub(crate) log: &'a Place,
    pub(crate) drops: Vec<Drops>,
    /// Of the newest edition only.
    pub(crate) stories: Option<(Kind, &'a [u8])>,
}

/// The front page as it stands on this device.
#[derive(Clone, Default)]
pub(crate) struct Front {
    pub(crate) stories: Arc<Vec<Story>>,
    /// The edition up to which it is folded.
    pub(crate) edition: Option<Folded>,
    /// How many editions of changes were folded into it.
    pub(crate) chain: usize,
    /// Whether something on the disk no longer verified.
    pub(crate) damaged: bool,
}

/// Which edition a front page is of.
#[derive(Clone, Copy)]
pub(crate) struct Folded {
    pub(crate) round: Round,
    pub(crate) digest: Digest,
    pub(crate) made: Millis,
}

/// The library's database.
pub(crate) struct Library {
    db: Connection,
    network: NetworkId,
    /// The database's files. Closed after it: to close a file lets go of all locks that this process has on it.
    files: Vec<File>,
}

impl Library {
    /// Opens the library of the folder, or one in memory.
    pub(crate) fn open(folder: Option<&Path>, network: NetworkId) -> Result<Self, LibraryError> {
        let db = match folder {
            Some(folder) => {
                let path = folder.join("library.sqlite");
                // Made here, for its owner only: SQLite makes it for whom the system lets. What fails here fails there, and is said.
                let _: io::Result<File> = durable::open_or_create(&path);
                Connection::open(path)
            }
            None => Connection::open_in_memory(),
        }
        .map_err(disk("open"))?;
        // Before WAL, so that the index of the log is kept in memory: in a file beside the log whoever reads notes how far, and only
        // an open mailbox reads between two exchanges (sqlite.org/wal.html, 8). The folder is locked for others anyway.
        let _: String = db
            .pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |row| row.get(0))
            .map_err(disk("open"))?;
        // FULL: what `begun` says is on the disk before an envelope leaves.
        let _: String = db
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
            .map_err(disk("open"))?;
        db.pragma_update(None, "synchronous", "FULL").map_err(disk("open"))?;
        db.execute_batch(SCHEMA).map_err(disk("open"))?;
        // The vault may be another by now: what was not handed in is offered again when it is opened, if it is in there.
        db.execute("DELETE FROM intake WHERE handed = ?1", [NEVER_TAKEN]).map_err(disk("open"))?;
        let names = ["library.sqlite", "library.sqlite-wal"];
        let files = folder.map(|folder| names.iter().filter_map(|name| File::open(folder.join(name)).ok()));
        let library = Self { db, network, files: files.into_iter().flatten().collect() };
        match library.kept("network")? {
            None => library.keep("network", &network.0)?,
            Some(kept) if kept == network.0 => {}
            Some(_) => return Err(LibraryError::OtherNetwork),
        }
        Ok(library)
    }

    /// Says of the database's files that they were read now. Only an open mailbox reads them between two exchanges, and when a
    /// file was read last stands beside it on the disk.
    pub(crate) fn touch(&self, now: Millis) {
        let now = UNIX_EPOCH + Duration::from_millis(now.0);
        for file in &self.files {
            // A system that does not keep this cannot show it either.
            let _ = file.set_times(FileTimes::new().set_accessed(now));
        }
    }

    /// The secret that the instants are drawn from, made at first use.
    pub(crate) fn instants(&self, rng: &mut impl CryptoRng) -> Result<InstantSecret, LibraryError> {
        if let Some(kept) = self.kept("instants")?.and_then(|b| b.try_into().ok()) {
            return Ok(InstantSecret::from_bytes(kept));
        }
        let new = InstantSecret::generate(rng);
        self.keep("instants", new.as_bytes())?;
        Ok(new)
    }

    /// The newest edition taken: its round and digest.
    pub(crate) fn last(&self) -> Result<Option<(Round, Digest)>, LibraryError> {
        Ok(self.kept("last")?.and_then(|bytes| minicbor::decode(&bytes).ok()))
    }

    /// The last rounds in which an exchange was begun: never two in one, even when the clock is set back.
    pub(crate) fn begun(&self) -> Result<Vec<Round>, LibraryError> {
        Ok(self.kept("begun")?.and_then(|bytes| codec::decode(&bytes).ok()).unwrap_or_default())
    }

    /// Remembers that an exchange was begun in each of these rounds.
    pub(crate) fn keep_begun(&self, rounds: &Vec<Round>) -> Result<(), LibraryError> {
        self.keep("begun", &codec::encode(rounds))
    }

    /// Keeps a directory, verified.
    pub(crate) fn keep_directory(&self, digest: &Digest, bytes: &[u8]) -> Result<(), LibraryError> {
        self.db
            .execute("INSERT OR IGNORE INTO directories VALUES (?1, ?2)", params![digest.0, bytes])
            .map_err(disk("write"))?;
        Ok(())
    }

    /// A directory kept, verified again. `None`: not here, or damaged.
    pub(crate) fn directory(&self, digest: &Digest) -> Result<Option<Directory>, LibraryError> {
        Ok(self
            .directory_bytes(digest)?
            .and_then(|bytes| Directory::read(&bytes, &self.network).ok())
            .filter(|directory| directory.digest() == *digest))
    }

    /// The directory that the newest edition named.
    pub(crate) fn current_directory(&self) -> Result<Option<Directory>, LibraryError> {
        match self.kept("directory")?.and_then(|bytes| bytes.try_into().ok()) {
            Some(digest) => self.directory(&Digest(digest)),
            None => Ok(None),
        }
    }

    /// The keys known with the newest edition.
    pub(crate) fn known(&self) -> Result<Option<Known>, LibraryError> {
        Ok(self.kept("keys")?.and_then(|bytes| minicbor::decode(&bytes).ok()))
    }

    /// The first mix's keys, as the newest edition brought them.
    pub(crate) fn round_keys(&self) -> Result<RoundKeys, LibraryError> {
        let kept: Vec<(Round, ByteVec)> =
            self.kept("round keys")?.and_then(|bytes| codec::decode(&bytes).ok()).unwrap_or_default();
        let key = |(round, key): &(Round, ByteVec)| Some((*round, SealPublic::from_bytes(key)?));
        Ok(kept.iter().filter_map(key).collect())
    }

    // KEY-02
    /// On a desk's machine: the signed intake keys that the edge is to have, which are those of the vault. What was offered before,
    /// is not among them and never got to the edge is forgotten: that vault is gone, and nobody would open what is sealed to it. So is
    /// what another vault key signed, once this one's desk is listed: those are another desk's.
    pub(crate) fn offer_intake_keys(
        &mut self,
        vault_key: &IdentityPublic,
        keys: &[Unverified<IntakeKey>],
        is_listed: bool,
    ) -> Result<(), LibraryError> {
        let network = self.network;
        let keys: Vec<_> = keys
            .iter()
            .filter_map(|key| Some((key.dangerously_peek().ok()?.from.0, codec::encode(key))))
            .collect();
        let all = |db: &Transaction<'_>| -> rusqlite::Result<()> {
            for Offered { first, key, state } in offered(db)? {
                let forgotten = match state {
                    NEVER_TAKEN => !keys.iter().any(|ours| (ours.0, &ours.1) == (first.0, &key)),
                    _ => is_listed && key_of(&key, vault_key, &network).is_none(),
                };
                if forgotten {
                    db.execute("DELETE FROM intake WHERE first = ?1", [first.0])?;
                }
            }
            for (first, key) in &keys {
                db.execute(
                    "INSERT OR IGNORE INTO intake (first, key, handed) VALUES (?1, ?2, ?3)",
                    params![first, key, NEVER_TAKEN],
                )?;
            }
            Ok(())
        };
        let transaction = self.db.transaction().map_err(disk("write"))?;
        all(&transaction).map_err(disk("write"))?;
        transaction.commit().map_err(disk("write"))
    }

    /// The intake keys of this vault key that the edge has or may have, by their periods and names.
    pub(crate) fn taken_intake_keys(
        &self,
        vault_key: &IdentityPublic,
    ) -> Result<Vec<(Period, KeyId)>, LibraryError> {
        let taken = offered(&self.db).map_err(disk("read"))?.into_iter().filter(|it| it.state != NEVER_TAKEN);
        Ok(taken.filter_map(|it| key_of(&it.key, vault_key, &self.network)).collect())
    }

    /// The intake keys of this vault key that the edge does not have yet, each with its first round.
    pub(crate) fn unhanded_intake_keys(
        &self,
        vault_key: &IdentityPublic,
    ) -> Result<Vec<(Round, Vec<u8>)>, LibraryError> {
        let unhanded =
            offered(&self.db).map_err(disk("read"))?.into_iter().filter(|it| it.state != HANDED_IN);
        let ours = unhanded.filter(|it| key_of(&it.key, vault_key, &self.network).is_some());
        Ok(ours.map(|it| (it.first, it.key)).collect())
    }

    /// Notes that one is about to be handed in: from here on the edge may have it. Returns whether it was known so before; `None`:
    /// another stands in its place by now, or none.
    pub(crate) fn try_intake_key(&self, from: Round, key: &[u8]) -> Result<Option<bool>, LibraryError> {
        let was: Option<u8> = self
            .db
            .query_row(
                "SELECT handed FROM intake WHERE first = ?1 AND key = ?2",
                params![from.0, key],
                |row| row.get(0),
            )
            .optional()
            .map_err(disk("read"))?;
        if was.is_some() {
            self.note_intake_key(from, UNANSWERED)?;
        }
        Ok(was.map(|was| was != NEVER_TAKEN))
    }

    /// Notes that the edge has one, or that it does not.
    pub(crate) fn intake_key_tried(&self, from: Round, is_taken: bool) -> Result<(), LibraryError> {
        self.note_intake_key(from, if is_taken { HANDED_IN } else { NEVER_TAKEN })
    }

    fn note_intake_key(&self, from: Round, state: u8) -> Result<(), LibraryError> {
        self.db
            .execute("UPDATE intake SET handed = ?2 WHERE first = ?1", params![from.0, state])
            .map(drop)
            .map_err(disk("write"))
    }

    /// A directory's bytes, as they are a leaf of the log.
    pub(crate) fn directory_bytes(&self, digest: &Digest) -> Result<Option<Vec<u8>>, LibraryError> {
        self.db
            .query_row("SELECT bytes FROM directories WHERE digest = ?1", [digest.0], |row| row.get(0))
            .optional()
            .map_err(disk("read"))
    }

    // PAS-03
    /// The directories by which a table of passes of this day may be made: the one that the last edition before it named, and on the
    /// network's first day, before which there was none, those of that day. None if this device did not see that edition.
    pub(crate) fn directories_of_day(&self, day: u32) -> Result<Vec<Directory>, LibraryError> {
        let (named, border) = match day {
            0 => ("SELECT DISTINCT directory FROM named WHERE round < ?1", DAY),
            _ => (
                "SELECT directory FROM named WHERE round < ?1 ORDER BY round DESC LIMIT 1",
                day.saturating_mul(DAY),
            ),
        };
        let mut query = self.db.prepare_cached(named).map_err(disk("read"))?;
        let rows = query.query_map([border], |row| row.get(0)).map_err(disk("read"))?;
        let digests: Vec<[u8; 32]> = rows.collect::<Result<_, _>>().map_err(disk("read"))?;
        let mut directories = Vec::new();
        for digest in digests {
            directories.extend(self.directory(&Digest(digest))?);
        }
        Ok(directories)
    }

    // PAS-04
    /// Whether this device saw every drop of this day that there was: it took an edition before any that could name one, and so all
    /// that came after.
    pub(crate) fn saw_day(&self, day: u32) -> Result<bool, LibraryError> {
        let mut query = self
            .db
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM named WHERE round <= ?1)")
            .map_err(disk("read"))?;
        query.query_row([day.saturating_mul(DAY)], |row| row.get(0)).map_err(disk("read"))
    }

    /// Where this device stands in the log. `None`: on the first day, or damaged.
    pub(crate) fn log(&self) -> Result<Option<Place>, LibraryError> {
        let place = self.kept("log")?.and_then(|bytes| codec::decode::<Place>(&bytes).ok());
        Ok(place.filter(|place| Frontier::from_bytes(&place.tree.to_bytes()).is_ok()))
    }

    /// The newest round up to which there may be editions whose drops are not here: deleted, or before this device began.
    pub(crate) fn gone(&self) -> Result<Option<Round>, LibraryError> {
        Ok(self.kept("gone")?.and_then(|bytes| minicbor::decode(&bytes).ok()))
    }

    /// Takes an edition: all of it or nothing.
    pub(crate) fn take(&mut self, it: &Taken<'_>) -> Result<(), LibraryError> {
        let (round, before) = (it.edition.head().round, it.edition.head().previous);
        let follows = self.last()?.map_or(before == Digest([0; 32]), |(_, last)| last == before);
        let gone = self.gone()?;
        let all = |db: &Transaction<'_>| -> rusqlite::Result<()> {
            let mut gone = gone;
            if !follows {
                gone = gone.max(round.back(1));
            }
            // Some were too old to be waited for.
            if it.drops.len() < it.edition.drops().len() {
                gone = gone.max(Some(round));
            }
            for drops in &it.drops {
                db.execute(
                    "INSERT OR IGNORE INTO drops VALUES (?1, ?2, ?3, ?4)",
                    params![drops.round.0, round.0, drops.reader, drops.desk],
                )?;
            }
            // Counted, and not by their rounds: a device that was off for weeks has answers that nobody looked at yet.
            let deleted = db
                .prepare_cached(
                    "DELETE FROM drops WHERE edition < (SELECT DISTINCT edition FROM drops ORDER BY edition DESC LIMIT 1 OFFSET ?1)
                     RETURNING edition",
                )?
                .query_map([KEPT_ROUNDS - 1], |row| row.get(0))?
                .collect::<Result<Vec<u32>, _>>()?;
            gone = gone.max(deleted.into_iter().max().map(Round));
            keep(db, "gone", &minicbor::to_vec(gone).expect("a vector takes all"))?;
            let directory = it.edition.head().directory;
            db.execute("INSERT OR REPLACE INTO named VALUES (?1, ?2)", params![round.0, directory.0])?;
            db.execute("DELETE FROM named WHERE round < ?1", [round.0.saturating_sub(NAMED_ROUNDS)])?;
            if let Some((kind, bundle)) = it.stories {
                db.execute(
                    "INSERT OR REPLACE INTO editions VALUES (?1, ?2, ?3, ?4, ?5)",
                    params![round.0, it.head, directory.0, kind == Kind::Front, bundle],
                )?;
                prune(db)?;
            }
            let last = minicbor::to_vec((round, it.edition.digest())).expect("a vector takes all");
            keep(db, "last", &last)?;
            keep(db, "keys", &minicbor::to_vec(it.known).expect("a vector takes all"))?;
            let round_keys: Vec<(Round, ByteVec)> =
                it.edition.round_keys().iter().map(|(round, key)| (round, key.to_bytes().into())).collect();
            keep(db, "round keys", &codec::encode(&round_keys))?;
            keep(db, "log", &codec::encode(it.log))?;
            keep(db, "directory", &directory.0)
        };
        let transaction = self.db.transaction().map_err(disk("write"))?;
        all(&transaction).map_err(disk("write"))?;
        transaction.commit().map_err(disk("write"))
    }

    /// The front page from the disk, every part of it verified again: the newest whole page and its changes as far as they
    /// are good; if the page itself is not, the one before it.
    pub(crate) fn front(&self) -> Result<Front, LibraryError> {
        let mut rows = self.editions()?;
        let mut damaged = false;
        // Newest whole page first.
        while let Some(base) = rows.iter().rposition(|row| row.whole) {
            let tail = rows.split_off(base);
            let mut front = Front::default();
            for row in &tail {
                match self.fold(row, &mut front) {
                    Ok(()) => {}
                    Err(Unfolded::Rejected) => {
                        damaged = true;
                        break;
                    }
                    Err(Unfolded::Library(e)) => return Err(e),
                }
            }
            if front.edition.is_some() {
                return Ok(Front { damaged, ..front });
            }
        }
        Ok(Front { damaged: damaged || !rows.is_empty(), ..Front::default() })
    }

    fn fold(&self, row: &Row, front: &mut Front) -> Result<(), Unfolded> {
        let directory =
            self.directory(&row.directory).map_err(Unfolded::Library)?.ok_or(Unfolded::Rejected)?;
        let previous = front.edition.as_ref().filter(|_| !row.whole).map(|f| f.digest);
        let edition = UnverifiedHead::from_bytes(&row.head)?.verify(
            &directory,
            row.round,
            row.round,
            previous.as_ref(),
        )?;
        let kind = if row.whole { Kind::Front } else { Kind::Changes };
        front.take(&edition, kind, &row.bundle)?;
        Ok(())
    }

    fn editions(&self) -> Result<Vec<Row>, LibraryError> {
        let mut query = self
            .db
            .prepare("SELECT round, head, directory, whole, bundle FROM editions ORDER BY round")
            .map_err(disk("read"))?;
        let rows = query
            .query_map([], |row| {
                Ok(Row {
                    round: Round(row.get(0)?),
                    head: row.get(1)?,
                    directory: Digest(row.get(2)?),
                    whole: row.get(3)?,
                    bundle: row.get(4)?,
                })
            })
            .map_err(disk("read"))?;
        rows.collect::<Result<_, _>>().map_err(disk("read"))
    }

    /// The first edition after `after` that brought reader drops, and these.
    pub(crate) fn next_reader_drops(
        &self,
        after: Option<Round>,
    ) -> Result<Option<EditionDrops>, LibraryError> {
        self.next_drops("reader", after)
    }

    /// The first edition after `after` that brought desk drops, and these.
    pub(crate) fn next_desk_drops(&self, after: Option<Round>) -> Result<Option<EditionDrops>, LibraryError> {
        self.next_drops("desk", after)
    }

    /// The digests of the drops that are kept of a round: the readers', and on a desk's machine the desks'.
    pub(crate) fn drops_of(&self, round: Round) -> Result<Option<(Digest, Option<Digest>)>, LibraryError> {
        let of = |row: &rusqlite::Row<'_>| {
            let (reader, desk): (Vec<u8>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
            Ok((Digest::of(&reader), desk.map(|desk| Digest::of(&desk))))
        };
        self.db
            .query_row("SELECT reader, desk FROM drops WHERE round = ?1", [round.0], of)
            .optional()
            .map_err(disk("read"))
    }

    fn next_drops(
        &self,
        column: &'static str,
        after: Option<Round>,
    ) -> Result<Option<EditionDrops>, LibraryError> {
        let after = after.map_or(-1, |r| i64::from(r.0));
        let first = format!("SELECT MIN(edition) FROM drops WHERE edition > ?1 AND {column} IS NOT NULL");
        let edition: Option<u32> =
            self.db.query_row(&first, [after], |row| row.get(0)).map_err(disk("read"))?;
        let Some(edition) = edition else { return Ok(None) };
        let all = format!(
            "SELECT round, {column} FROM drops WHERE edition = ?1 AND {column} IS NOT NULL ORDER BY round"
        );
        let mut query = self.db.prepare_cached(&all).map_err(disk("read"))?;
        let drop = |row: &rusqlite::Row<'_>| Ok((Round(row.get(0)?), row.get(1)?));
        let rows = query.query_map([edition], drop).map_err(disk("read"))?;
        Ok(Some((Round(edition), rows.collect::<Result<_, _>>().map_err(disk("read"))?)))
    }

    fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, LibraryError> {
        self.db
            .query_row("SELECT value FROM kept WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(disk("read"))
    }

    fn keep(&self, name: &str, value: &[u8]) -> Result<(), LibraryError> {
        keep(&self.db, name, value).map_err(disk("write"))
    }
}

impl Front {
    /// Folds an edition in: the whole page, or the changes if it directly follows.
    pub(crate) fn take(
        &mut self,
        edition: &Edition,
        kind: Kind,
        bundle: &[u8],
    ) -> Result<(), EditionRejected> {
        // Of a bundle that is refused, or that makes another page than the head names, nothing is shown.
        let (page, chain) = match kind {
            Kind::Front => (edition.page(Vec::new(), edition.front(bundle)?)?, 0),
            Kind::Changes => (edition.page(self.stories.to_vec(), edition.changes(bundle)?)?, self.chain + 1),
        };
        (self.stories, self.chain) = (Arc::new(page), chain);
        let head = edition.head();
        self.edition = Some(Folded { round: head.round, digest: edition.digest(), made: head.made });
        Ok(())
    }

    /// Whether the changes of an edition are enough: it directly follows what is held, and the chain is not long.
    pub(crate) fn wants(&self, edition: &Edition) -> Kind {
        let follows = self.edition.is_some_and(|f| f.digest == edition.head().previous);
        if follows && self.chain < CHAIN { Kind::Changes } else { Kind::Front }
    }
}

struct Row {
    round: Round,
    head: Vec<u8>,
    directory: Digest,
    whole: bool,
    bundle: Vec<u8>,
}

enum Unfolded {
    Rejected,
    Library(LibraryError),
}

impl From<EditionRejected> for Unfolded {
    fn from(_: EditionRejected) -> Self {
        Self::Rejected
    }
}

// An intake key that this vault key signed.
fn key_of(bytes: &[u8], vault_key: &IdentityPublic, network: &NetworkId) -> Option<(Period, KeyId)> {
    let signed: Unverified<IntakeKey> = codec::decode(bytes).ok()?;
    let (key, public) = check_intake_key(&signed, vault_key, network).ok()?;
    Some((key.period(), public.id()))
}

// A signed intake key, its first round, and what is known of it.
struct Offered {
    first: Round,
    key: Vec<u8>,
    state: u8,
}

// Four for each vault that was opened here, and those of weeks that are over.
fn offered(db: &Connection) -> rusqlite::Result<Vec<Offered>> {
    let mut query = db.prepare_cached("SELECT first, key, handed FROM intake ORDER BY first")?;
    let row = |row: &rusqlite::Row<'_>| {
        Ok(Offered { first: Round(row.get(0)?), key: row.get(1)?, state: row.get(2)? })
    };
    query.query_map([], row)?.collect()
}

fn keep(db: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    db.execute("INSERT OR REPLACE INTO kept VALUES (?1, ?2)", params![name, value]).map(|_| ())
}

// Keeps the newest whole page and the one before it, each with its changes; and the directories that these name.
fn prune(db: &Connection) -> rusqlite::Result<()> {
    db.execute(
        "DELETE FROM editions WHERE round <
         (SELECT round FROM editions WHERE whole ORDER BY round DESC LIMIT 1 OFFSET 1)",
        [],
    )?;
    db.execute(
        "DELETE FROM directories WHERE digest NOT IN (SELECT directory FROM editions UNION SELECT directory FROM named)",
        [],
    )?;
    Ok(())
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS directories (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS named (round INTEGER PRIMARY KEY, directory BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS intake (first INTEGER PRIMARY KEY, key BLOB NOT NULL, handed INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS editions (
        round INTEGER PRIMARY KEY, head BLOB NOT NULL, directory BLOB NOT NULL,
        whole INTEGER NOT NULL, bundle BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS drops (
        round INTEGER PRIMARY KEY, edition INTEGER NOT NULL, reader BLOB NOT NULL, desk BLOB);
    CREATE INDEX IF NOT EXISTS drops_by_edition ON drops (edition);
";
