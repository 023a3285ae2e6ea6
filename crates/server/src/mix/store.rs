//! What a mix keeps, in one SQLite file: items on their way through, replay tags, progress, outputs.

use std::collections::HashSet;
use std::path::Path;

use proto::Digest;
use proto::Round;
use proto::codec;
use proto::envelope::ReplayTag;
use proto::id::KeyId;
use proto::keys::Period;
use proto::mix::{BatchId, Input, ItemId, KEPT_INPUT_ROUNDS, Manifest};
use proto::seal::SealSecret;
use proto::sign::Unverified;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use zeroize::Zeroizing;

use crate::store::StoreError;
use crate::store::sqlite::{empty_log, open_database};

const SCHEMA: &str = "
    -- Replay tags, by the key under which they were seen.
    CREATE TABLE IF NOT EXISTS tags (key BLOB NOT NULL, tag BLOB NOT NULL, PRIMARY KEY (key, tag)) STRICT, WITHOUT ROWID;
    -- The secrets of this mix's keys, as seeds, by their rounds.
    CREATE TABLE IF NOT EXISTS keys (
        first INTEGER PRIMARY KEY, last INTEGER NOT NULL, seed BLOB NOT NULL, handed INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    -- Opened entries: gathered for a batch or, at the exit, waiting for or standing in a pool. `release` is the round from
    -- which they may leave, drawn once: a mix that is stopped draws nothing again.
    CREATE TABLE IF NOT EXISTS items (
        id INTEGER PRIMARY KEY, place INTEGER NOT NULL, release INTEGER NOT NULL, bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS items_by_place ON items (place, id);
    -- Inputs taken since the last output, in order: one line for each, however often it was read.
    CREATE TABLE IF NOT EXISTS inputs (
        seq INTEGER PRIMARY KEY, round INTEGER NOT NULL, part INTEGER NOT NULL, at INTEGER NOT NULL,
        digest BLOB NOT NULL, entries INTEGER NOT NULL, UNIQUE (round, part)
    ) STRICT;
    -- Inputs taken whole, ever.
    CREATE TABLE IF NOT EXISTS taken (round INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (round, part)) STRICT, WITHOUT ROWID;
    -- The input that is being taken, how many of its entries are, and its digest: it must not be another after a restart.
    CREATE TABLE IF NOT EXISTS progress (
        one INTEGER PRIMARY KEY CHECK (one = 0), round INTEGER NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL,
        digest BLOB NOT NULL
    ) STRICT;
    -- One output for each (round, part), ever. Its bytes stand in a file until they are pushed.
    CREATE TABLE IF NOT EXISTS outputs (
        round INTEGER NOT NULL, part INTEGER NOT NULL, manifest BLOB NOT NULL, pushed INTEGER NOT NULL,
        PRIMARY KEY (round, part)
    ) STRICT;
    -- They are looked for several times a step, among all that ever were.
    CREATE INDEX IF NOT EXISTS outputs_to_push ON outputs (round, part) WHERE NOT pushed;
    -- Digests of our decoys' boxes, the round in which they left by our own clock, and whether they were seen in a drop.
    CREATE TABLE IF NOT EXISTS decoys (box BLOB PRIMARY KEY, round INTEGER NOT NULL, found INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS decoys_by_round ON decoys (round);
    -- Rounds whose desk drops were looked through.
    CREATE TABLE IF NOT EXISTS searched (round INTEGER PRIMARY KEY) STRICT;
    -- The exit's desk passes by day, with the table that stands in that day's drops.
    CREATE TABLE IF NOT EXISTS passes (day INTEGER PRIMARY KEY, pass BLOB NOT NULL, sealed BLOB NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the batch that a mix before the exit gathers.
    Gathered = 0,
    /// At the exit, in a batch that is not large enough yet: a box for a desk.
    DeskWaiting = 1,
    /// At the exit, in a batch that is not large enough yet: a slot for readers.
    ReaderWaiting = 2,
    /// In the pool of boxes.
    DeskPool = 3,
    /// In the pool of reader slots.
    ReaderPool = 4,
}

/// An input and how far it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Its name.
    pub(crate) source: BatchId,
    /// How many of its entries are taken.
    pub(crate) next: u64,
    /// As in [`Input`].
    pub(crate) digest: Digest,
}

/// A run of entries, opened, to be stored in one transaction.
pub(crate) struct Run {
    /// The input it is of, and how far that is taken with it.
    pub(crate) progress: Progress,
    /// Whether that is all of it.
    pub(crate) ended: bool,
    /// Whether a batch is to be closed with it.
    pub(crate) due: bool,
    /// What was taken; nothing if it brought no entries.
    pub(crate) input: Option<Input>,
    /// Tags to remember, each with the key that it was seen under.
    pub(crate) tags: Vec<(KeyId, ReplayTag)>,
    /// Items to keep.
    pub(crate) items: Vec<Item>,
    /// At the exit: entries that opened and are new, with those of earlier runs of the same batch.
    pub(crate) opened: u32,
    /// The round it is by the mix's own clock.
    pub(crate) now: Round,
}

/// An opened entry to be stored.
pub(crate) struct Item {
    pub(crate) place: Place,
    /// From which round it may leave.
    pub(crate) release: Round,
    pub(crate) bytes: Vec<u8>,
}

/// One of the mix's own keys.
pub(crate) struct KeptKey {
    pub(crate) period: Period,
    pub(crate) secret: SealSecret,
    /// Whether the edge is known to have its public half.
    pub(crate) handed: bool,
}

/// What stands in the file when a mix starts.
pub(crate) struct Kept {
    pub(crate) keys: Vec<KeptKey>,
    pub(crate) tags: Vec<ReplayTag>,
    pub(crate) items: Vec<(Place, Round, ItemId)>,
    pub(crate) inputs: Vec<Input>,
    pub(crate) progress: Option<Progress>,
    pub(crate) due: bool,
    pub(crate) opened: u32,
    /// At the exit: when the first of those was taken.
    pub(crate) since: Round,
    /// At the exit: passes and their tables, by day.
    pub(crate) passes: Vec<DayPass>,
}

impl Kept {
    /// What a mix starts from on the first day.
    pub(crate) fn nothing() -> Self {
        Self {
            keys: vec![],
            tags: vec![],
            items: vec![],
            inputs: vec![],
            progress: None,
            due: false,
            opened: 0,
            since: Round(0),
            passes: vec![],
        }
    }
}

/// A day, its desk pass, and the table that stands in its drops.
pub(crate) type DayPass = (u32, [u8; 32], Vec<u8>);

/// An output the edge does not have yet.
pub(crate) struct Output {
    pub(crate) id: BatchId,
    pub(crate) manifest: Unverified<Manifest>,
}

pub(crate) struct Store {
    db: Connection,
}

type Sql<T> = Result<T, rusqlite::Error>;

fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |e| StoreError::because(doing, e)
}

impl Drop for Store {
    // When the file is closed its log is deleted, and what was in there would stay on the disk.
    fn drop(&mut self) {
        let _ = empty_log(&self.db);
    }
}

impl Store {
    /// Opens the file.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let open = || {
            let db = open_database(path)?;
            db.execute_batch(SCHEMA)?;
            empty_log(&db)?;
            Ok(db)
        };
        open().map(|db| Self { db }).map_err(failed("opening the mix's store"))
    }

    /// Everything a mix goes on from.
    pub(crate) fn kept(&self) -> Result<Kept, StoreError> {
        let read = || -> Sql<Kept> {
            let db = &self.db;
            let key = |row: &rusqlite::Row<'_>| {
                let seed = Zeroizing::new(row.get::<_, [u8; SealSecret::LEN]>(2)?);
                let period = Period { from: Round(row.get(0)?), until: Round(row.get(1)?) };
                Ok(KeptKey { period, secret: SealSecret::from_seed(&seed), handed: row.get(3)? })
            };
            let keys = db
                .prepare("SELECT first, last, seed, handed FROM keys ORDER BY first DESC")?
                .query_map([], key)?
                .collect::<Sql<_>>()?;
            let tags =
                db.prepare("SELECT tag FROM tags")?.query_map([], |row| row.get(0))?.collect::<Sql<_>>()?;
            let items = db
                .prepare("SELECT place, release, id FROM items ORDER BY id")?
                .query_map([], |row| Ok((place(row.get(0)?)?, Round(row.get(1)?), row.get(2)?)))?
                .collect::<Sql<_>>()?;
            let inputs = db
                .prepare("SELECT round, part, at, digest, entries FROM inputs ORDER BY seq")?
                .query_map([], |row| {
                    Ok(Input {
                        source: BatchId { round: Round(row.get(0)?), part: row.get(1)? },
                        at: Round(row.get(2)?),
                        digest: Digest(row.get(3)?),
                        entries: row.get(4)?,
                    })
                })?
                .collect::<Sql<_>>()?;
            let progress = db
                .query_row("SELECT round, part, next, digest FROM progress", [], |row| {
                    let source = BatchId { round: Round(row.get(0)?), part: row.get(1)? };
                    Ok(Progress { source, next: row.get(2)?, digest: Digest(row.get(3)?) })
                })
                .optional()?;
            Ok(Kept {
                keys,
                tags,
                items,
                inputs,
                progress,
                due: number(db, "due")?.unwrap_or(0) != 0,
                opened: number(db, "opened")?.unwrap_or(0),
                since: Round(number(db, "since")?.unwrap_or(0)),
                passes: vec![],
            })
        };
        let kept = read().map_err(failed("reading the mix's store"))?;
        Ok(Kept { passes: self.passes()?, ..kept })
    }

    /// Stores a run in one transaction: items, tags and progress. Returns the items' numbers, in their order.
    pub(crate) fn keep(&mut self, run: &Run) -> Result<Vec<ItemId>, StoreError> {
        let Progress { source: taking, next, digest } = run.progress;
        self.transact("storing opened entries", |tx| {
            let mut insert_tag = tx.prepare_cached("INSERT INTO tags (key, tag) VALUES (?1, ?2)")?;
            for (key, tag) in &run.tags {
                insert_tag.execute(params![key.0, tag])?;
            }
            let mut insert = tx.prepare_cached(
                "INSERT INTO items (place, release, bytes) VALUES (?1, ?2, ?3) RETURNING id",
            )?;
            let ids = run
                .items
                .iter()
                .map(|it| insert.query_row(params![it.place as u8, it.release.0, it.bytes], |row| row.get(0)))
                .collect::<Sql<_>>()?;
            if let Some(Input { source, at, digest, entries }) = run.input {
                tx.execute(
                    "INSERT INTO inputs (round, part, at, digest, entries) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (round, part) DO UPDATE
                     SET digest = excluded.digest, at = excluded.at, entries = entries + excluded.entries",
                    params![source.round.0, source.part, at.0, digest.0, entries],
                )?;
            }
            tx.execute("DELETE FROM inputs WHERE at + ?1 <= ?2", [KEPT_INPUT_ROUNDS, run.now.0])?;
            if number(tx, "opened")?.unwrap_or(0) == 0 {
                set_number(tx, "since", run.now.0)?;
            }
            if run.ended {
                tx.execute("DELETE FROM progress", [])?;
                tx.execute(
                    "INSERT OR IGNORE INTO taken (round, part) VALUES (?1, ?2)",
                    params![taking.round.0, taking.part],
                )?;
            } else {
                tx.execute(
                    "INSERT OR REPLACE INTO progress (one, round, part, next, digest) VALUES (0, ?1, ?2, ?3, ?4)",
                    params![taking.round.0, taking.part, next, digest.0],
                )?;
            }
            let newest = number(tx, "newest")?.unwrap_or(0).max(taking.round.0);
            set_number(tx, "newest", newest)?;
            set_number(tx, "due", run.due.into())?;
            set_number(tx, "opened", run.opened)?;
            Ok(ids)
        })
    }

    /// Keeps a new key. There is one for a period, ever.
    pub(crate) fn keep_key(&mut self, period: Period, key: &SealSecret) -> Result<(), StoreError> {
        let seed = key.to_seed();
        self.db
            .execute(
                "INSERT INTO keys (first, last, seed) VALUES (?1, ?2, ?3)",
                params![period.from.0, period.until.0, seed.as_slice()],
            )
            .map(drop)
            .map_err(failed("keeping a new key"))
    }

    /// Records that the edge has a key's public half.
    pub(crate) fn note_key_handed(&mut self, period: Period) -> Result<(), StoreError> {
        self.db
            .execute("UPDATE keys SET handed = 1 WHERE first = ?1", [period.from.0])
            .map(drop)
            .map_err(failed("recording what was handed over"))
    }

    /// Deletes keys and the tags seen under them. Nothing of them is left in the file or in its log.
    pub(crate) fn forget_keys(&mut self, gone: &[(Period, KeyId)]) -> Result<(), StoreError> {
        self.transact("deleting keys", |tx| {
            for (period, id) in gone {
                tx.execute("DELETE FROM keys WHERE first = ?1", [period.from.0])?;
                tx.execute("DELETE FROM tags WHERE key = ?1", [id.0])?;
            }
            Ok(())
        })?;
        empty_log(&self.db).map_err(failed("deleting keys"))
    }

    /// Whether an input was taken whole.
    pub(crate) fn is_taken(&self, id: BatchId) -> Result<bool, StoreError> {
        self.db
            .prepare_cached("SELECT 1 FROM taken WHERE round = ?1 AND part = ?2")
            .and_then(|mut q| q.exists(params![id.round.0, id.part]))
            .map_err(failed("looking for an input"))
    }

    /// The name of the next output: the round of the newest input, and the next part that is free.
    pub(crate) fn next_output(&self) -> Result<BatchId, StoreError> {
        let read = || -> Sql<BatchId> {
            let round = Round(number(&self.db, "newest")?.unwrap_or(0));
            let part = self
                .db
                .prepare_cached("SELECT coalesce(max(part) + 1, 0) FROM outputs WHERE round = ?1")?
                .query_row([round.0], |row| row.get(0))?;
            Ok(BatchId { round, part })
        };
        read().map_err(failed("naming an output"))
    }

    /// The newest round with an output.
    pub(crate) fn newest_output(&self) -> Result<Option<Round>, StoreError> {
        self.db
            .query_row("SELECT max(round) FROM outputs", [], |row| row.get::<_, Option<u32>>(0))
            .map(|round| round.map(Round))
            .map_err(failed("looking for outputs"))
    }

    /// An item's bytes.
    pub(crate) fn item(&self, id: ItemId) -> Result<Vec<u8>, StoreError> {
        self.db
            .prepare_cached("SELECT bytes FROM items WHERE id = ?1")
            .and_then(|mut q| q.query_row([id], |row| row.get(0)))
            .map_err(failed("reading an item"))
    }

    /// Records an output and lets go of what went into it, in one transaction: the items `gone`, and the inputs since the
    /// last output. Their bytes are overwritten: with the order in which they came, they would tell which entry of the
    /// input is which of the output.
    pub(crate) fn close(
        &mut self,
        id: BatchId,
        manifest: &Unverified<Manifest>,
        gone: &[ItemId],
        closes: Closes<'_>,
    ) -> Result<(), StoreError> {
        self.transact("recording an output", |tx| {
            tx.execute(
                "INSERT INTO outputs (round, part, manifest, pushed) VALUES (?1, ?2, ?3, 0)",
                params![id.round.0, id.part, codec::encode(manifest)],
            )?;
            delete_items(tx, gone)?;
            if let Closes::Batch { decoys, now } = closes {
                set_number(tx, "due", 0)?;
                let mut insert =
                    tx.prepare_cached("INSERT INTO decoys (box, round, found) VALUES (?1, ?2, 0)")?;
                for decoy in decoys {
                    insert.execute(params![decoy.0, now.0])?;
                }
            }
            tx.execute("DELETE FROM inputs", [])?;
            set_number(tx, "deleted", 0)
        })?;
        // It is recorded. That nothing of the items is left on the disk is tried again with the next output.
        let _ = empty_log(&self.db);
        Ok(())
    }

    /// Deletes what waited too long, in one transaction, and notes that the next manifest says so: `said` of them, which at
    /// the exit are entries of every class.
    pub(crate) fn delete(&mut self, gone: &[ItemId], said: u32) -> Result<(), StoreError> {
        self.transact("deleting what waited too long", |tx| {
            delete_items(tx, gone)?;
            set_number(tx, "opened", 0)?;
            let before = number(tx, "deleted")?.unwrap_or(0);
            set_number(tx, "deleted", before.saturating_add(said))
        })?;
        // As after an output.
        let _ = empty_log(&self.db);
        Ok(())
    }

    /// How many were deleted since the last output.
    pub(crate) fn deleted(&self) -> Result<u32, StoreError> {
        number(&self.db, "deleted")
            .map(Option::unwrap_or_default)
            .map_err(failed("counting what was deleted"))
    }

    /// Rounds from `oldest` on whose desk drops were looked through.
    pub(crate) fn searched(&self, oldest: Round) -> Result<HashSet<Round>, StoreError> {
        let read = || -> Sql<HashSet<Round>> {
            self.db
                .prepare_cached("SELECT round FROM searched WHERE round >= ?1")?
                .query_map([oldest.0], |row| row.get(0).map(Round))?
                .collect()
        };
        read().map_err(failed("looking for drops"))
    }

    /// Records that the desk drop of `round`, with these boxes, was looked through, and forgets what is older than `oldest`.
    pub(crate) fn note_search(
        &mut self,
        round: Round,
        boxes: &HashSet<Digest>,
        oldest: Round,
    ) -> Result<(), StoreError> {
        self.transact("recording what a drop held", |tx| {
            let mut find = tx.prepare_cached("UPDATE decoys SET found = 1 WHERE box = ?1")?;
            boxes.iter().try_for_each(|boxed| find.execute([boxed.0]).map(drop))?;
            tx.execute("INSERT OR IGNORE INTO searched (round) VALUES (?1)", [round.0])?;
            tx.execute("DELETE FROM searched WHERE round < ?1", [oldest.0])?;
            tx.execute("DELETE FROM decoys WHERE round < ?1", [oldest.0]).map(drop)
        })
    }

    /// Keeps a day's pass and its table, and deletes those of days before `oldest`.
    pub(crate) fn keep_pass(
        &mut self,
        day: u32,
        pass: &[u8; 32],
        table: &[u8],
        oldest: u32,
    ) -> Result<(), StoreError> {
        self.transact("keeping a pass", |tx| {
            tx.execute(
                "INSERT INTO passes (day, pass, sealed) VALUES (?1, ?2, ?3)",
                params![day, pass, table],
            )?;
            tx.execute("DELETE FROM passes WHERE day < ?1", [oldest]).map(drop)
        })
    }

    /// The passes that are accepted, by day.
    pub(crate) fn passes(&self) -> Result<Vec<DayPass>, StoreError> {
        let read = || -> Sql<Vec<DayPass>> {
            self.db
                .prepare_cached("SELECT day, pass, sealed FROM passes ORDER BY day")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect()
        };
        read().map_err(failed("reading the passes"))
    }

    /// How many decoys left in these rounds, both included, and how many of them were seen.
    pub(crate) fn decoys(&self, from: Round, until: Round) -> Result<(u32, u32), StoreError> {
        self.db
            .prepare_cached(
                "SELECT count(*), coalesce(sum(found), 0) FROM decoys WHERE round BETWEEN ?1 AND ?2",
            )
            .and_then(|mut q| q.query_row([from.0, until.0], |row| Ok((row.get(0)?, row.get(1)?))))
            .map_err(failed("counting decoys"))
    }

    /// Moves what waited at the exit into the pools, without those that found no room, in one transaction.
    pub(crate) fn admit(&mut self, gone: &[ItemId]) -> Result<(), StoreError> {
        self.transact("admitting to the pools", |tx| {
            for (from, to) in
                [(Place::DeskWaiting, Place::DeskPool), (Place::ReaderWaiting, Place::ReaderPool)]
            {
                tx.execute("UPDATE items SET place = ?2 WHERE place = ?1", [from as u8, to as u8])?;
            }
            delete_items(tx, gone)?;
            set_number(tx, "due", 0)?;
            set_number(tx, "opened", 0)
        })
    }

    /// Outputs the edge does not have yet, the oldest first.
    pub(crate) fn unpushed(&self) -> Result<Vec<Output>, StoreError> {
        let read = || -> Sql<Vec<(BatchId, Vec<u8>)>> {
            self.db
                .prepare_cached(
                    "SELECT round, part, manifest FROM outputs WHERE NOT pushed ORDER BY round, part",
                )?
                .query_map([], |row| {
                    Ok((BatchId { round: Round(row.get(0)?), part: row.get(1)? }, row.get(2)?))
                })?
                .collect()
        };
        let rows = read().map_err(failed("looking for outputs"))?;
        rows.into_iter()
            .map(|(id, manifest)| {
                let manifest =
                    codec::decode(&manifest).map_err(|e| StoreError::because("reading an output", e))?;
                Ok(Output { id, manifest })
            })
            .collect()
    }

    /// Records that the edge has an output.
    pub(crate) fn note_pushed(&mut self, id: BatchId) -> Result<(), StoreError> {
        self.db
            .execute(
                "UPDATE outputs SET pushed = 1 WHERE round = ?1 AND part = ?2",
                params![id.round.0, id.part],
            )
            .map(drop)
            .map_err(failed("recording what was pushed"))
    }

    fn transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> Sql<T>,
    ) -> Result<T, StoreError> {
        let go = || {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let done = work(&tx)?;
            tx.commit()?;
            Ok(done)
        };
        go().map_err(failed(doing))
    }
}

/// What an output is.
#[derive(Clone, Copy)]
pub(crate) enum Closes<'a> {
    /// The batch that was due, with these decoys in it.
    Batch {
        /// Digests of their boxes.
        decoys: &'a [Digest],
        /// The round it is by our own clock.
        now: Round,
    },
    /// A round's drops, which wait for no batch.
    Drops,
}

fn delete_items(tx: &Transaction<'_>, items: &[ItemId]) -> Sql<()> {
    let mut delete = tx.prepare_cached("DELETE FROM items WHERE id = ?1")?;
    items.iter().try_for_each(|id| delete.execute([id]).map(drop))
}

fn place(number: u8) -> Sql<Place> {
    [Place::Gathered, Place::DeskWaiting, Place::ReaderWaiting, Place::DeskPool, Place::ReaderPool]
        .into_iter()
        .find(|&p| p as u8 == number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number.into()))
}

fn number(db: &Connection, name: &str) -> Sql<Option<u32>> {
    db.prepare_cached("SELECT value FROM numbers WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn set_number(tx: &Transaction<'_>, name: &str, value: u32) -> Sql<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO numbers (name, value) VALUES (?1, ?2)")?
        .execute(params![name, value])
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: KeyId = KeyId([1; 16]);

    fn run(tag: u8, item: Vec<u8>) -> Run {
        let (source, digest) = (BatchId { round: Round(1), part: u16::from(tag) }, Digest::of(&item));
        Run {
            progress: Progress { source, next: 1, digest },
            ended: true,
            due: true,
            input: Some(Input { source, at: Round(1), digest, entries: 1 }),
            tags: vec![(KEY, [tag; 16])],
            items: vec![Item { place: Place::Gathered, release: Round(1), bytes: item }],
            opened: 0,
            now: Round(1),
        }
    }

    #[test]
    fn nothing_of_an_item_is_left_once_its_output_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.sqlite");
        let mut store = Store::open(&path).unwrap();
        let marks: Vec<Vec<u8>> = (0..40u8).map(|n| [b"mark", [n; 12].as_slice()].concat()).collect();
        for (n, mark) in (0..).zip(&marks) {
            store.keep(&run(n, mark.repeat(500))).unwrap();
        }
        let found = || {
            let files: Vec<_> =
                std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path()).collect();
            let holds = |mark: &[u8], bytes: &[u8]| bytes.windows(mark.len()).any(|w| w == mark);
            let bytes: Vec<_> = files.iter().map(|f| std::fs::read(f).unwrap()).collect();
            marks.iter().filter(|mark| bytes.iter().any(|b| holds(mark, b))).count()
        };
        assert_eq!(found(), 40);
        let id = BatchId { round: Round(1), part: 0 };
        let manifest = Manifest {
            batch: id,
            hop: 0,
            inputs: vec![],
            count_in: 40,
            count_out: 40,
            outputs: vec![],
            deleted: 0,
            alarm: false,
        };
        let by = proto::sign::IdentitySecret::from_seed(&[3; 32]);
        let signed = Unverified::sign(&manifest, &proto::NetworkId([4; 32]), &by);
        let all: Vec<ItemId> = store.kept().unwrap().items.into_iter().map(|(.., id)| id).collect();
        store.close(id, &signed, &all, Closes::Batch { decoys: &[], now: Round(1) }).unwrap();
        assert_eq!(found(), 0);
    }

    // KEY-02
    #[test]
    fn key_03_nothing_of_a_key_is_left_once_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.sqlite");
        let mut store = Store::open(&path).unwrap();
        let secrets: Vec<_> = (0..9u8).map(|n| SealSecret::from_seed(&[b'k' + n; 32])).collect();
        let period = |n: u32| Period { from: Round(n), until: Round(n) };
        for (n, secret) in (0..).zip(&secrets) {
            store.keep_key(period(n), secret).unwrap();
        }
        assert!(store.keep_key(period(3), &secrets[0]).is_err(), "KEY-02: one key for a period, ever");
        let found = || {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path());
            let bytes: Vec<_> = files.map(|f| std::fs::read(f).unwrap()).collect();
            let holds = |seed: &[u8]| bytes.iter().any(|b| b.windows(seed.len()).any(|w| w == seed));
            secrets.iter().filter(|s| holds(s.to_seed().as_slice())).count()
        };
        assert_eq!(found(), 9);
        let gone: Vec<_> = (0..5).map(|n| (period(n), secrets[n as usize].public().id())).collect();
        store.forget_keys(&gone).unwrap();
        assert_eq!(found(), 4);
        assert_eq!(store.kept().unwrap().keys.len(), 4);
    }

    #[test]
    fn mix_01_tags_go_with_their_key_and_not_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.sqlite");
        Store::open(&path).unwrap().keep(&run(7, vec![0; 9])).unwrap();
        let mut store = Store::open(&path).unwrap();
        let period = Period { from: Round(0), until: Round(23) };
        store.forget_keys(&[(period, KeyId([2; 16]))]).unwrap();
        assert_eq!(store.kept().unwrap().tags, [[7; 16]]);
        store.forget_keys(&[(period, KEY)]).unwrap();
        assert!(store.kept().unwrap().tags.is_empty());
    }
}
