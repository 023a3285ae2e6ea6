//! What a mix keeps, in one SQLite file: items on their way through, replay tags, progress, outputs.

use std::path::Path;

use proto::Digest;
use proto::Round;
use proto::codec;
use proto::envelope::ReplayTag;
use proto::id::KeyId;
use proto::mix::{BatchId, ItemId, Manifest};
use proto::sign::Unverified;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::store::StoreError;
use crate::store::sqlite::{empty_log, open_database};

const SCHEMA: &str = "
    -- Replay tags, by the key under which they were seen.
    CREATE TABLE IF NOT EXISTS tags (key BLOB NOT NULL, tag BLOB NOT NULL, PRIMARY KEY (key, tag)) STRICT, WITHOUT ROWID;
    -- Opened entries: gathered for a batch or, at the exit, waiting for or standing in a pool. `release` is the round from
    -- which they may leave, drawn once: a mix that is stopped draws nothing again.
    CREATE TABLE IF NOT EXISTS items (
        id INTEGER PRIMARY KEY, place INTEGER NOT NULL, release INTEGER NOT NULL, bytes BLOB NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS items_by_place ON items (place, id);
    -- Inputs taken since the last output, in order.
    CREATE TABLE IF NOT EXISTS inputs (seq INTEGER PRIMARY KEY, digest BLOB NOT NULL, entries INTEGER NOT NULL) STRICT;
    -- Inputs taken whole, ever.
    CREATE TABLE IF NOT EXISTS taken (round INTEGER NOT NULL, part INTEGER NOT NULL, PRIMARY KEY (round, part)) STRICT, WITHOUT ROWID;
    -- The input that is being taken, and how many of its entries are.
    CREATE TABLE IF NOT EXISTS progress (
        one INTEGER PRIMARY KEY CHECK (one = 0), round INTEGER NOT NULL, part INTEGER NOT NULL, next INTEGER NOT NULL
    ) STRICT;
    -- One output for each (round, part), ever. Its bytes stand in a file until they are pushed.
    CREATE TABLE IF NOT EXISTS outputs (
        round INTEGER NOT NULL, part INTEGER NOT NULL, manifest BLOB NOT NULL, pushed INTEGER NOT NULL,
        PRIMARY KEY (round, part)
    ) STRICT;
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

/// A run of entries, opened, to be stored in one transaction.
pub(crate) struct Run {
    /// The input it is of.
    pub(crate) source: BatchId,
    /// How many of the input's entries are taken with it.
    pub(crate) next: u64,
    /// Whether that is all of them.
    pub(crate) ended: bool,
    /// Whether a batch is to be closed with it.
    pub(crate) due: bool,
    /// Digest of what was taken, and its entries; nothing if it brought none.
    pub(crate) input: Option<(Digest, u32)>,
    /// Tags to remember.
    pub(crate) tags: Vec<ReplayTag>,
    /// Items to keep.
    pub(crate) items: Vec<Item>,
    /// At the exit: entries that opened and are new, with those of earlier runs of the same batch.
    pub(crate) opened: u32,
}

/// An opened entry to be stored.
pub(crate) struct Item {
    pub(crate) place: Place,
    /// From which round it may leave.
    pub(crate) release: Round,
    pub(crate) bytes: Vec<u8>,
}

/// What stands in the file when a mix starts.
pub(crate) struct Kept {
    pub(crate) tags: Vec<ReplayTag>,
    pub(crate) items: Vec<(Place, Round, ItemId)>,
    pub(crate) inputs: Vec<Digest>,
    pub(crate) entries: u32,
    pub(crate) progress: Option<(BatchId, u64)>,
    pub(crate) due: bool,
    pub(crate) opened: u32,
}

impl Kept {
    /// What a mix starts from on the first day.
    pub(crate) fn nothing() -> Self {
        Self {
            tags: vec![],
            items: vec![],
            inputs: vec![],
            entries: 0,
            progress: None,
            due: false,
            opened: 0,
        }
    }
}

/// An output the edge does not have yet.
pub(crate) struct Output {
    pub(crate) id: BatchId,
    pub(crate) manifest: Unverified<Manifest>,
}

pub(crate) struct Store {
    db: Connection,
    key: KeyId,
}

type Sql<T> = Result<T, rusqlite::Error>;

fn failed(doing: &'static str) -> impl FnOnce(rusqlite::Error) -> StoreError {
    move |e| StoreError::because(doing, e)
}

impl Store {
    /// Opens the file for a mix whose key is `key`. Tags seen under keys that are not `listed` any more go with them: no
    /// envelope is sealed to those. `key` must be one of the listed.
    pub(crate) fn open(path: &Path, key: KeyId, listed: &[KeyId]) -> Result<Self, StoreError> {
        let open = || {
            let db = open_database(path)?;
            db.execute_batch(SCHEMA)?;
            let kept: Vec<KeyId> = db
                .prepare("SELECT DISTINCT key FROM tags")?
                .query_map([], |row| row.get(0).map(KeyId))?
                .collect::<Sql<_>>()?;
            for gone in kept.iter().filter(|k| !listed.contains(k)) {
                db.execute("DELETE FROM tags WHERE key = ?1", [gone.0])?;
            }
            empty_log(&db)?;
            Ok(db)
        };
        open().map(|db| Self { db, key }).map_err(failed("opening the mix's store"))
    }

    /// Everything a mix goes on from.
    pub(crate) fn kept(&self) -> Result<Kept, StoreError> {
        let read = || -> Sql<Kept> {
            let db = &self.db;
            let tags = db
                .prepare("SELECT tag FROM tags WHERE key = ?1")?
                .query_map([self.key.0], |row| row.get(0))?
                .collect::<Sql<_>>()?;
            let items = db
                .prepare("SELECT place, release, id FROM items ORDER BY id")?
                .query_map([], |row| Ok((place(row.get(0)?)?, Round(row.get(1)?), row.get(2)?)))?
                .collect::<Sql<_>>()?;
            let inputs: Vec<([u8; 32], u32)> = db
                .prepare("SELECT digest, entries FROM inputs ORDER BY seq")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<Sql<_>>()?;
            let progress = db
                .query_row("SELECT round, part, next FROM progress", [], |row| {
                    Ok((BatchId { round: Round(row.get(0)?), part: row.get(1)? }, row.get(2)?))
                })
                .optional()?;
            Ok(Kept {
                tags,
                items,
                entries: inputs.iter().map(|(_, entries)| entries).sum(),
                inputs: inputs.into_iter().map(|(digest, _)| Digest(digest)).collect(),
                progress,
                due: number(db, "due")?.unwrap_or(0) != 0,
                opened: number(db, "opened")?.unwrap_or(0),
            })
        };
        read().map_err(failed("reading the mix's store"))
    }

    /// Stores a run in one transaction: items, tags and progress. Returns the items' numbers, in their order.
    pub(crate) fn keep(&mut self, run: &Run) -> Result<Vec<ItemId>, StoreError> {
        let key = self.key;
        self.transact("storing opened entries", |tx| {
            let mut insert_tag = tx.prepare_cached("INSERT INTO tags (key, tag) VALUES (?1, ?2)")?;
            for tag in &run.tags {
                insert_tag.execute(params![key.0, tag])?;
            }
            let mut insert = tx.prepare_cached(
                "INSERT INTO items (place, release, bytes) VALUES (?1, ?2, ?3) RETURNING id",
            )?;
            let ids = run
                .items
                .iter()
                .map(|it| {
                    insert.query_row(params![it.place as u8, it.release.0, it.bytes], |row| row.get(0))
                })
                .collect::<Sql<_>>()?;
            if let Some((digest, entries)) = run.input {
                tx.execute(
                    "INSERT INTO inputs (digest, entries) VALUES (?1, ?2)",
                    params![digest.0, entries],
                )?;
            }
            if run.ended {
                tx.execute("DELETE FROM progress", [])?;
                tx.execute(
                    "INSERT OR IGNORE INTO taken (round, part) VALUES (?1, ?2)",
                    params![run.source.round.0, run.source.part],
                )?;
            } else {
                tx.execute(
                    "INSERT OR REPLACE INTO progress (one, round, part, next) VALUES (0, ?1, ?2, ?3)",
                    params![run.source.round.0, run.source.part, run.next],
                )?;
            }
            let newest = number(tx, "newest")?.unwrap_or(0).max(run.source.round.0);
            set_number(tx, "newest", newest)?;
            set_number(tx, "due", run.due.into())?;
            set_number(tx, "opened", run.opened)?;
            Ok(ids)
        })
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
        closes: Closes,
    ) -> Result<(), StoreError> {
        self.transact("recording an output", |tx| {
            tx.execute(
                "INSERT INTO outputs (round, part, manifest, pushed) VALUES (?1, ?2, ?3, 0)",
                params![id.round.0, id.part, codec::encode(manifest)],
            )?;
            delete_items(tx, gone)?;
            if closes == Closes::Batch {
                set_number(tx, "due", 0)?;
            }
            tx.execute("DELETE FROM inputs", [])?;
            Ok(())
        })?;
        // It is recorded. That nothing of the items is left on the disk is tried again with the next output.
        let _ = empty_log(&self.db);
        Ok(())
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
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closes {
    /// The batch that was due.
    Batch,
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

    fn run(tag: u8, item: Vec<u8>) -> Run {
        Run {
            source: BatchId { round: Round(1), part: u16::from(tag) },
            next: 1,
            ended: true,
            due: true,
            input: Some((Digest::of(&item), 1)),
            tags: vec![[tag; 16]],
            items: vec![Item { place: Place::Gathered, release: Round(1), bytes: item }],
            opened: 0,
        }
    }

    #[test]
    fn nothing_of_an_item_is_left_once_its_output_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.sqlite");
        let key = KeyId([1; 16]);
        let mut store = Store::open(&path, key, &[key]).unwrap();
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
        let manifest =
            Manifest { batch: id, hop: 0, inputs: vec![], count_in: 40, count_out: 40, outputs: vec![] };
        let by = proto::sign::IdentitySecret::from_seed(&[3; 32]);
        let signed = Unverified::sign(&manifest, &proto::NetworkId([4; 32]), &by);
        let all: Vec<ItemId> = store.kept().unwrap().items.into_iter().map(|(.., id)| id).collect();
        store.close(id, &signed, &all, Closes::Batch).unwrap();
        assert_eq!(found(), 0);
    }

    /// MIX-01
    #[test]
    fn mix_01_tags_stay_as_long_as_their_key_is_listed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mix.sqlite");
        let (old, new) = (KeyId([1; 16]), KeyId([2; 16]));
        Store::open(&path, old, &[old]).unwrap().keep(&run(7, vec![0; 9])).unwrap();
        assert_eq!(Store::open(&path, new, &[old, new]).unwrap().kept().unwrap().tags, [] as [ReplayTag; 0]);
        assert_eq!(Store::open(&path, old, &[old, new]).unwrap().kept().unwrap().tags, [[7; 16]]);
        Store::open(&path, new, &[new]).unwrap();
        assert!(Store::open(&path, old, &[old, new]).unwrap().kept().unwrap().tags.is_empty());
    }
}
