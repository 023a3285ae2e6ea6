//! What the press remembers, in one SQLite file: keys and directories, and every edition it signed.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use proto::codec::Malformed;
use proto::id::KeyId;
use proto::log::Frontier;
use proto::mix::BatchId;
use proto::{DeskId, Digest, Round};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::keys::{KEPT, Kept, Owner};

/// The press's memory. Each method is one transaction, durable when it returns.
pub(crate) struct State(Mutex<Connection>);

/// An edition that was signed: the bytes never change, however often they are sent.
pub(crate) struct Signed {
    pub(crate) round: Round,
    pub(crate) head: Vec<u8>,
    pub(crate) changes: Vec<u8>,
    pub(crate) front: Vec<u8>,
    /// Whether its head may have left this machine. Then nothing takes its place, ever.
    pub(crate) handed_out: bool,
}

impl State {
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let db = Connection::open(path)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS network (id BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS directories (
                 seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, made INTEGER NOT NULL, base BLOB NOT NULL, bytes BLOB NOT NULL,
                 sent INTEGER NOT NULL DEFAULT 0);
             CREATE TABLE IF NOT EXISTS editions (
                 round INTEGER PRIMARY KEY, head BLOB NOT NULL, changes BLOB NOT NULL, front BLOB NOT NULL,
                 handed_out INTEGER NOT NULL DEFAULT 0, sent INTEGER NOT NULL DEFAULT 0);
             CREATE TABLE IF NOT EXISTS taken_back (round INTEGER PRIMARY KEY);
             CREATE TABLE IF NOT EXISTS carried (round INTEGER NOT NULL, part INTEGER NOT NULL, hop INTEGER NOT NULL,
                 edition INTEGER NOT NULL, PRIMARY KEY (round, part, hop)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS shown (story BLOB PRIMARY KEY, digest BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS shown_before (story BLOB PRIMARY KEY, digest BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS keys (holder BLOB NOT NULL, first INTEGER NOT NULL, id BLOB NOT NULL,
                 signed BLOB NOT NULL, PRIMARY KEY (holder, first)) WITHOUT ROWID;
             CREATE TABLE IF NOT EXISTS log (tree BLOB NOT NULL, directory BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS log_before (tree BLOB NOT NULL, directory BLOB NOT NULL);",
        )?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network this state belongs to; remembers `network` if it is the first.
    pub(crate) fn network(&self, network: &proto::NetworkId) -> rusqlite::Result<bool> {
        let known: Option<Vec<u8>> =
            self.db().query_row("SELECT id FROM network", [], |row| row.get(0)).optional()?;
        match known {
            Some(id) => Ok(id == network.0),
            None => {
                self.db().execute("INSERT INTO network VALUES (?)", [network.0.as_slice()])?;
                Ok(true)
            }
        }
    }

    /// The newest directory made: its round, the digest of the one it was made from, and its bytes.
    pub(crate) fn directory(&self) -> rusqlite::Result<Option<(Round, Digest, Vec<u8>)>> {
        self.db()
            .query_row("SELECT made, base, bytes FROM directories ORDER BY seq DESC LIMIT 1", [], |row| {
                Ok((Round(row.get(0)?), Digest(row.get(1)?), row.get(2)?))
            })
            .optional()
    }

    /// The directory that the newest edition names; `None` before the first edition.
    pub(crate) fn named_directory(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let named = "SELECT bytes FROM directories JOIN log ON digest = directory";
        self.db().query_row(named, [], |row| row.get(0)).optional()
    }

    /// The directory that the edition before the newest names; `None` if there is none before.
    pub(crate) fn named_before(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let named = "SELECT bytes FROM directories JOIN log_before ON digest = directory";
        self.db().query_row(named, [], |row| row.get(0)).optional()
    }

    /// Keeps a directory before an edition names it. Those before it are not needed once the edge has them, but for the one that
    /// the newest edition names, also if that is taken back.
    pub(crate) fn add_directory(&self, made: Round, base: &Digest, bytes: &[u8]) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute(
            "DELETE FROM directories WHERE sent AND digest NOT IN (SELECT directory FROM log UNION SELECT directory FROM log_before)",
            [],
        )?;
        change.execute(
            "INSERT INTO directories (digest, made, base, bytes) VALUES (?, ?, ?, ?)",
            params![Digest::of(bytes).0.as_slice(), made.0, base.0.as_slice(), bytes],
        )?;
        change.commit()
    }

    /// Directories that the edge has not confirmed, oldest first.
    pub(crate) fn unsent_directories(&self) -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let db = self.db();
        let mut query = db.prepare("SELECT seq, bytes FROM directories WHERE NOT sent ORDER BY seq")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    }

    pub(crate) fn mark_directory_sent(&self, seq: i64) -> rusqlite::Result<()> {
        self.db().execute("UPDATE directories SET sent = 1 WHERE seq = ?", [seq]).map(|_| ())
    }

    /// The keys that were handed in: of each holder the first for its rounds.
    pub(crate) fn keys(&self) -> rusqlite::Result<Vec<Kept>> {
        let db = self.db();
        let mut query = db.prepare("SELECT holder, first, id, signed FROM keys")?;
        let rows = query.query_map([], |row| {
            let (holder, from): (Vec<u8>, _) = (row.get(0)?, Round(row.get(1)?));
            // A hop, or a desk's id.
            let owner = match (holder.as_slice(), holder.as_slice().try_into()) {
                ([hop], _) => Owner::Mix(*hop, from),
                (_, Ok(desk)) => Owner::Desk(DeskId(desk), from),
                _ => return Err(rusqlite::Error::ToSqlConversionFailure(Box::new(Malformed))),
            };
            Ok(Kept { owner, id: KeyId(row.get(2)?), signed: row.get(3)? })
        })?;
        rows.collect()
    }

    /// Keeps keys before they are published; the first of a holder for its rounds stays.
    pub(crate) fn add_keys(&self, keys: &[Kept]) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        for Kept { owner, id, signed } in keys {
            let (holder, from) = match owner {
                Owner::Mix(hop, from) => (vec![*hop], from),
                Owner::Desk(desk, from) => (desk.0.to_vec(), from),
            };
            change.execute(
                "INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)",
                params![holder, from.0, id.0.as_slice(), signed],
            )?;
        }
        change.commit()
    }

    /// Round and head of the newest edition.
    pub(crate) fn newest(&self) -> rusqlite::Result<Option<(Round, Digest)>> {
        self.db()
            .query_row("SELECT round, head FROM editions ORDER BY round DESC LIMIT 1", [], |row| {
                let head: Vec<u8> = row.get(1)?;
                Ok((Round(row.get(0)?), Digest::of(&head)))
            })
            .optional()
    }

    /// The newest edition's whole front page, packed.
    pub(crate) fn front(&self) -> rusqlite::Result<Option<Vec<u8>>> {
        let newest = "SELECT front FROM editions ORDER BY round DESC LIMIT 1";
        self.db().query_row(newest, [], |row| row.get(0)).optional()
    }

    /// The newest round that had its edition, one that was taken back included.
    pub(crate) fn last_round(&self) -> rusqlite::Result<Option<Round>> {
        let all = "SELECT MAX(round) FROM (SELECT round FROM editions UNION SELECT round FROM taken_back)";
        let last: Option<u32> = self.db().query_row(all, [], |row| row.get(0))?;
        Ok(last.map(Round))
    }

    /// Digest of each story as the newest edition shows it.
    pub(crate) fn shown(&self) -> rusqlite::Result<Vec<([u8; 16], Digest)>> {
        let db = self.db();
        let mut query = db.prepare("SELECT story, digest FROM shown")?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, Digest(row.get(1)?))))?;
        rows.collect()
    }

    /// Whether a manifest of this batch by the mix at `hop` stands in an edition already: there is one output, ever.
    pub(crate) fn has_manifest(&self, batch: BatchId, hop: u8) -> rusqlite::Result<bool> {
        self.db()
            .query_row(
                "SELECT 1 FROM carried WHERE round = ? AND part = ? AND hop = ?",
                params![batch.round.0, batch.part, hop],
                |_| Ok(()),
            )
            .optional()
            .map(|found| found.is_some())
    }

    /// The log's tree up to the newest edition, and the directory that this edition names. `None` before the first.
    pub(crate) fn log(&self) -> rusqlite::Result<Option<(Frontier, Digest)>> {
        let row: Option<(Vec<u8>, [u8; 32])> = self
            .db()
            .query_row("SELECT tree, directory FROM log", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let damaged = |Malformed| rusqlite::Error::ToSqlConversionFailure(Box::new(Malformed));
        row.map(|(tree, directory)| Ok((Frontier::from_bytes(&tree).map_err(damaged)?, Digest(directory))))
            .transpose()
    }

    /// Keeps an edition before anyone sees it, with the log that ends with it, what it shows and the manifests it carries.
    pub(crate) fn add_edition(
        &self,
        edition: &Signed,
        log: (&Frontier, Digest),
        shown: &[([u8; 16], Digest)],
        manifests: &[(BatchId, u8)],
    ) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute(
            "INSERT INTO editions (round, head, changes, front) VALUES (?, ?, ?, ?)",
            params![edition.round.0, edition.head, edition.changes, edition.front],
        )?;
        // What it was before, in case that this edition is taken back.
        change.execute_batch(
            "DELETE FROM log_before; INSERT INTO log_before SELECT * FROM log; DELETE FROM log;
             DELETE FROM shown_before; INSERT INTO shown_before SELECT * FROM shown; DELETE FROM shown;",
        )?;
        // LOG-15: with the head and before anybody sees it, so that no two trees are ever signed of which one does not
        // continue the other.
        change.execute("INSERT INTO log VALUES (?, ?)", params![log.0.to_bytes(), log.1.0])?;
        for (story, digest) in shown {
            change
                .execute("INSERT INTO shown VALUES (?, ?)", params![story.as_slice(), digest.0.as_slice()])?;
        }
        for (batch, hop) in manifests {
            change.execute(
                "INSERT INTO carried VALUES (?, ?, ?, ?)",
                params![batch.round.0, batch.part, hop, edition.round.0],
            )?;
        }
        // Clients ask for editions of 14 days; what is older serves nobody, but for the one before this.
        let old = edition.round.0.saturating_sub(336);
        change.execute(
            "DELETE FROM editions WHERE round < ? AND sent = 1 AND round < (SELECT MAX(round) FROM editions WHERE sent = 1)",
            [old],
        )?;
        change.execute("DELETE FROM taken_back WHERE round < ?", [old])?;
        // As long as devices know a key, and the press holds it.
        change.execute("DELETE FROM keys WHERE first < ?", [edition.round.0.saturating_sub(KEPT)])?;
        change.execute("DELETE FROM carried WHERE round < ?", [old])?;
        change.commit()
    }

    /// Notes that an edition's head is about to leave this machine.
    pub(crate) fn mark_handed_out(&self, round: Round) -> rusqlite::Result<()> {
        self.db().execute("UPDATE editions SET handed_out = 1 WHERE round = ?", [round.0]).map(|_| ())
    }

    // LOG-15
    /// Takes the newest edition back, unless its head may have left this machine: all is as it was before, but that the round
    /// gets no other. `false`: it stays.
    pub(crate) fn take_back(&self, round: Round) -> rusqlite::Result<bool> {
        let mut db = self.db();
        let change = db.transaction()?;
        if change.execute("DELETE FROM editions WHERE round = ? AND NOT handed_out", [round.0])? == 0 {
            return Ok(false);
        }
        change.execute_batch(
            "DELETE FROM log; INSERT INTO log SELECT * FROM log_before;
             DELETE FROM shown; INSERT INTO shown SELECT * FROM shown_before;",
        )?;
        change.execute("DELETE FROM carried WHERE edition = ?", [round.0])?;
        change.execute("INSERT INTO taken_back VALUES (?)", [round.0])?;
        change.commit()?;
        Ok(true)
    }

    /// Editions that the edge has not confirmed, oldest first: each names the one before, so they go in order.
    pub(crate) fn unsent(&self) -> rusqlite::Result<Vec<Signed>> {
        let db = self.db();
        let mut query = db.prepare(
            "SELECT round, head, changes, front, handed_out FROM editions WHERE sent = 0 ORDER BY round",
        )?;
        let rows = query.query_map([], |row| {
            Ok(Signed {
                round: Round(row.get(0)?),
                head: row.get(1)?,
                changes: row.get(2)?,
                front: row.get(3)?,
                handed_out: row.get(4)?,
            })
        })?;
        rows.collect()
    }

    pub(crate) fn mark_sent(&self, round: Round) -> rusqlite::Result<()> {
        self.db().execute("UPDATE editions SET sent = 1 WHERE round = ?", [round.0]).map(|_| ())
    }
}
