//! What the press remembers of where it has been, in the file of its outlets: answers, moves, rules of sites, and when an
//! address that failed may be asked again.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proto::Millis;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::Want;
use crate::outlets;

/// In milliseconds.
const MONTH: u64 = 30 * 24 * 60 * 60 * 1_000;

/// The memory. Each method is one transaction.
pub struct Memory(Mutex<Connection>);

/// The last answer of an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Where it came from, after redirects.
    pub at: String,
    /// `ETag`, given back to ask whether there is anything new.
    pub etag: Option<String>,
    /// `Last-Modified`, likewise.
    pub modified: Option<String>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The bytes, unpacked.
    pub bytes: Vec<u8>,
}

/// How it goes with an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When it last answered as it should.
    pub succeeded: Option<Millis>,
    /// Not asked before this. `None`: it may be asked.
    pub next: Option<Millis>,
    /// How often it failed since.
    pub failures: u32,
    /// What was wrong the last time, as a sentence. `None`: nothing.
    pub why: Option<String>,
    /// How many articles its last answer held.
    pub articles: u32,
    /// What it calls itself.
    pub name: Option<String>,
}

impl Memory {
    /// Opens the memory in `file`; with `None` one that ends with the program.
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = outlets::database(file)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS answers (address TEXT PRIMARY KEY, at TEXT NOT NULL, etag TEXT, modified TEXT,
                 content_type TEXT, came INTEGER NOT NULL, is_page INTEGER NOT NULL, body BLOB NOT NULL);
             CREATE TABLE IF NOT EXISTS moved (address TEXT PRIMARY KEY, at TEXT NOT NULL);
             CREATE TABLE IF NOT EXISTS robots (site TEXT PRIMARY KEY, until INTEGER NOT NULL, text TEXT);
             CREATE TABLE IF NOT EXISTS health (address TEXT PRIMARY KEY, succeeded INTEGER, next INTEGER,
                 failures INTEGER NOT NULL DEFAULT 0, why TEXT, articles INTEGER NOT NULL DEFAULT 0, name TEXT);",
        )?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The last answer of an address.
    pub fn kept(&self, address: &str) -> rusqlite::Result<Option<Kept>> {
        let row = |row: &rusqlite::Row<'_>| {
            let packed: Vec<u8> = row.get(4)?;
            let mut bytes = Vec::new();
            let unpacked = GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes);
            unpacked.map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
            let (at, etag, modified, content_type) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Kept { at, etag, modified, content_type, bytes })
        };
        let one = "SELECT at, etag, modified, content_type, body FROM answers WHERE address = ?";
        self.db().query_row(one, [address], row).optional()
    }

    /// When the last answer of an address came.
    pub fn came(&self, address: &str) -> rusqlite::Result<Option<Millis>> {
        let one = "SELECT came FROM answers WHERE address = ?";
        self.db().query_row(one, [address], |row| row.get(0).map(Millis)).optional()
    }

    /// Whether an answer of that address is kept.
    pub fn is_kept(&self, address: &str) -> rusqlite::Result<bool> {
        let one = "SELECT 1 FROM answers WHERE address = ?";
        self.db().query_row(one, [address], |_| Ok(())).optional().map(|found| found.is_some())
    }

    /// Keeps an answer in place of the one before. Pages go after a month: their articles are no news any more.
    pub(super) fn keep(&self, address: &str, answer: &Kept, want: Want, now: Millis) -> rusqlite::Result<()> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = packed.write_all(&answer.bytes).and_then(|()| packed.finish());
        let packed = packed.map_err(|why| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
        let Kept { at, etag, modified, content_type, .. } = answer;
        let is_page = want == Want::Page;
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![address, at, etag, modified, content_type, now.0, is_page, packed],
        )?;
        change.execute("DELETE FROM answers WHERE is_page AND came < ?", [now.0.saturating_sub(MONTH)])?;
        change.commit()
    }

    /// Keeps what is given back next time of an answer that is the one before. It came when that came.
    pub(super) fn set_conditions(&self, address: &str, answer: &Kept) -> rusqlite::Result<()> {
        let set = "UPDATE answers SET etag = ?, modified = ? WHERE address = ?";
        self.db().execute(set, params![answer.etag, answer.modified, address]).map(|_| ())
    }

    /// Forgets all about an address.
    pub fn forget(&self, address: &str) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        for table in ["answers", "moved", "health"] {
            change.execute(&format!("DELETE FROM {table} WHERE address = ?"), [address])?;
        }
        change.commit()
    }

    /// Where an address has moved for good.
    pub(super) fn moved(&self, address: &str) -> rusqlite::Result<Option<String>> {
        self.db().query_row("SELECT at FROM moved WHERE address = ?", [address], |row| row.get(0)).optional()
    }

    /// Notes that an address has moved for good, or with `None` that it has not.
    pub(super) fn set_moved(&self, address: &str, at: Option<&str>) -> rusqlite::Result<()> {
        let db = self.db();
        match at {
            Some(at) => db.execute("INSERT OR REPLACE INTO moved VALUES (?, ?)", [address, at]),
            None => db.execute("DELETE FROM moved WHERE address = ?", [address]),
        }
        .map(|_| ())
    }

    /// A site's `robots.txt` if it still holds at `now`; inside, `None` says that nothing may be fetched.
    pub(super) fn robots(&self, site: &str, now: Millis) -> rusqlite::Result<Option<Option<String>>> {
        let one = "SELECT text FROM robots WHERE site = ? AND until > ?";
        self.db().query_row(one, params![site, now.0], |row| row.get(0)).optional()
    }

    pub(super) fn set_robots(&self, site: &str, until: Millis, text: Option<&str>) -> rusqlite::Result<()> {
        let put = "INSERT OR REPLACE INTO robots VALUES (?, ?, ?)";
        self.db().execute(put, params![site, until.0, text]).map(|_| ())
    }

    /// How it goes with an address. One that was never asked goes well and may be asked.
    pub fn health(&self, address: &str) -> rusqlite::Result<Health> {
        let one = "SELECT succeeded, next, failures, why, articles, name FROM health WHERE address = ?";
        let row = |row: &rusqlite::Row<'_>| {
            Ok(Health {
                succeeded: row.get::<_, Option<u64>>(0)?.map(Millis),
                next: row.get::<_, Option<u64>>(1)?.map(Millis),
                failures: row.get(2)?,
                why: row.get(3)?,
                articles: row.get(4)?,
                name: row.get(5)?,
            })
        };
        self.db().query_row(one, [address], row).optional().map(Option::unwrap_or_default)
    }

    /// Notes how it went.
    pub(crate) fn set_health(&self, address: &str, health: &Health) -> rusqlite::Result<()> {
        let Health { succeeded, next, failures, why, articles, name } = health;
        self.db()
            .execute(
                "INSERT OR REPLACE INTO health VALUES (?, ?, ?, ?, ?, ?, ?)",
                params![
                    address,
                    succeeded.map(|at| at.0),
                    next.map(|at| at.0),
                    failures,
                    why,
                    articles,
                    name
                ],
            )
            .map(|_| ())
    }
}
