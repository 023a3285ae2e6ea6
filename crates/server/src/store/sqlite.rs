//! The journal on SQLite, in write-ahead mode, synced in full.
//!
//! One thread writes. Appends that wait while it syncs go into the next transaction together (group commit), so the
//! cost of a sync is shared by as many as come. Each is answered after its transaction is on the disk.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryFutureExt as _};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use tokio::sync::{mpsc, oneshot};

use super::{AppendError, Journal, StoreError, Stream};

/// The most appends in one transaction: 8 MiB of envelopes.
const GROUP: usize = 1024;
/// Appends that may wait for the writer before their senders wait too: 32 MiB of envelopes.
const QUEUE: usize = 4096;
/// Records of released streams deleted between two groups, so that no append waits long behind them.
const SLICE: u64 = 512;
/// A record's row is its stream's number and its index: 2^32 of each.
const STREAM_BITS: u32 = 32;
/// What a write-ahead log begins with, in bytes (sqlite.org/fileformat2.html, 4.1).
const LOG_HEADER: u64 = 32;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS streams (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        len INTEGER NOT NULL,
        sealed INTEGER NOT NULL,
        released INTEGER NOT NULL,
        cleared INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
";

/// Opens a database that keeps what it says it keeps: write-ahead, synced at every commit.
pub(crate) fn open_database(path: &Path) -> Result<Connection, rusqlite::Error> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "journal_mode", "wal")?;
    // FULL and not NORMAL: in write-ahead mode NORMAL syncs at checkpoints only, and an answer would be a guess.
    db.pragma_update(None, "synchronous", "full")?;
    // What is deleted is overwritten: whoever takes the disk later finds nothing of what went through.
    db.pragma_update(None, "secure_delete", true)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(db)
}

/// Moves everything from the write-ahead log into the database and empties the log, where what was deleted still stands. What stood
/// there is overwritten first: what is cut off a file can be found on the disk until something else comes to lie there.
pub(crate) fn empty_log(db: &Connection) -> Result<(), rusqlite::Error> {
    if overwrite_log(db)? {
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// `false`: somebody still reads it, and it stays as it is.
fn overwrite_log(db: &Connection) -> Result<bool, rusqlite::Error> {
    let waits: bool = db.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0))?;
    // Otherwise all of it is in the database, on the disk, and nobody reads it any more. Nobody writes either: a database has one
    // connection that does.
    if let (false, Some(path)) = (waits, db.path()) {
        // What cannot be overwritten is emptied all the same.
        let _: io::Result<()> = overwrite(Path::new(&format!("{path}-wal")));
    }
    Ok(!waits)
}

/// A disk that loses power has what was written before a sync, and of the rest any part. A log without its end would be read up to
/// there, into a database that is further; one without its beginning is an empty one. So that goes first.
fn overwrite(path: &Path) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    let length = file.metadata()?.len();
    for length in [length.min(LOG_HEADER), length.saturating_sub(LOG_HEADER)] {
        io::copy(&mut io::repeat(0).take(length), &mut file)?;
        file.sync_data()?;
    }
    Ok(())
}

/// A journal in one SQLite file.
pub struct SqliteJournal {
    commands: Option<mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
    reader: Arc<Mutex<Connection>>,
}

impl SqliteJournal {
    /// Opens the journal in `path`, or makes it. `max_bytes` bounds the file: beyond it appends fail as on a full disk,
    /// so that a flood of envelopes cannot take the room that everything else needs.
    pub fn open(path: &Path, max_bytes: Option<u64>) -> Result<Self, StoreError> {
        let open = || {
            let db = open_database(path)?;
            if let Some(max) = max_bytes {
                let page: u64 = db.query_row("PRAGMA page_size", [], |row| row.get(0))?;
                let pages = (max / page).max(16);
                db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
            }
            db.execute_batch(SCHEMA)?;
            let reader = open_database(path)?;
            Ok((db, reader))
        };
        let (db, reader) =
            open().map_err(|e: rusqlite::Error| StoreError::because("opening the journal", e))?;
        let (commands, queue) = mpsc::channel(QUEUE);
        let mut writer = Writer::new(db).map_err(|e| StoreError::because("opening the journal", e))?;
        let writer = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || writer.run(queue))
            .map_err(|e| StoreError::because("starting the journal's thread", e))?;
        Ok(Self { commands: Some(commands), writer: Some(writer), reader: Arc::new(Mutex::new(reader)) })
    }

    fn ask(&self, stream: &str, work: Work) -> BoxFuture<'_, Result<Option<u64>, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let command = Command { stream: stream.to_owned(), work, answer };
        async move {
            let writer = self.commands.as_ref().ok_or(StoreError::Stopped)?;
            writer.send(command).await.map_err(|_| StoreError::Stopped)?;
            answered.await.unwrap_or(Err(StoreError::Stopped))
        }
        .boxed()
    }

    fn look<T: Send + 'static>(
        &self,
        doing: &'static str,
        query: impl FnOnce(&Connection) -> Result<T, rusqlite::Error> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        let reader = Arc::clone(&self.reader);
        async move {
            tokio::task::spawn_blocking(move || query(&reader.lock().unwrap_or_else(PoisonError::into_inner)))
                .await
                .map_err(|_| StoreError::Stopped)?
                .map_err(|e| StoreError::because(doing, e))
        }
        .boxed()
    }
}

impl Drop for SqliteJournal {
    // Waits for the appends already queued, so that the file is closed when this returns.
    fn drop(&mut self) {
        drop(self.commands.take());
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Journal for SqliteJournal {
    fn append(&self, stream: &str, record: Bytes) -> BoxFuture<'_, Result<u64, AppendError>> {
        let asked = self.ask(stream, Work::Append(record));
        async move { asked.await?.ok_or(AppendError::Sealed) }.boxed()
    }

    fn shed(&self, stream: &str, record: Bytes) -> BoxFuture<'_, Result<(), AppendError>> {
        let asked = self.ask(stream, Work::Shed(record));
        async move { asked.await?.map(drop).ok_or(AppendError::Sealed) }.boxed()
    }

    fn seal(&self, stream: &str) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.ask(stream, Work::Seal).map_ok(Option::unwrap_or_default).boxed()
    }

    fn read(&self, stream: &str, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Bytes>, StoreError>> {
        let stream = stream.to_owned();
        self.look("reading a stream", move |db| {
            let found = db
                .prepare_cached("SELECT id, len FROM streams WHERE name = ?1 AND NOT released")?
                .query_row([&stream], |row| Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?)))
                .optional()?;
            let Some((id, len)) = found else { return Ok(vec![]) };
            let until = from.saturating_add(limit as u64).min(len);
            if from >= until {
                return Ok(vec![]);
            }
            db.prepare_cached("SELECT bytes FROM records WHERE id >= ?1 AND id < ?2 ORDER BY id")?
                .query_map(params![row_of(id, from), row_of(id, until)], |row| {
                    row.get_ref(0)?.as_blob().map(Bytes::copy_from_slice).map_err(Into::into)
                })?
                .collect()
        })
    }

    fn stream(&self, stream: &str) -> BoxFuture<'_, Result<Option<Stream>, StoreError>> {
        let stream = stream.to_owned();
        self.look("looking for a stream", move |db| {
            db.prepare_cached("SELECT name, len, sealed, released FROM streams WHERE name = ?1")?
                .query_row([&stream], read_stream)
                .optional()
        })
    }

    fn streams(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<Stream>, StoreError>> {
        let prefix = prefix.to_owned();
        self.look("listing streams", move |db| {
            db.prepare_cached(
                "SELECT name, len, sealed, released FROM streams
                 WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
            )?
            .query_map([&prefix], read_stream)?
            .collect()
        })
    }

    fn release(&self, stream: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.ask(stream, Work::Release).map_ok(drop).boxed()
    }

    fn forget(&self, stream: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        self.ask(stream, Work::Forget).map_ok(drop).boxed()
    }
}

fn read_stream(row: &rusqlite::Row<'_>) -> Result<Stream, rusqlite::Error> {
    Ok(Stream { name: row.get(0)?, len: row.get(1)?, sealed: row.get(2)?, released: row.get(3)? })
}

fn row_of(stream: u64, index: u64) -> u64 {
    (stream << STREAM_BITS) + index
}

enum Work {
    Append(Bytes),
    Shed(Bytes),
    Seal,
    Release,
    Forget,
}

struct Command {
    stream: String,
    work: Work,
    /// Told after the commit: an index, a length, or nothing because the stream is sealed.
    answer: oneshot::Sender<Result<Option<u64>, StoreError>>,
}

#[derive(Clone, Copy)]
struct Known {
    id: u64,
    len: u64,
    sealed: bool,
}

struct Writer {
    db: Connection,
    /// What the file says of streams in use; emptied whenever a transaction did not go through.
    known: HashMap<String, Known>,
    /// Streams released whose records are still there.
    clearing: VecDeque<u64>,
    /// Whether the write-ahead log may hold what was deleted.
    emptying: bool,
}

impl Writer {
    fn new(db: Connection) -> Result<Self, rusqlite::Error> {
        let clearing = db
            .prepare("SELECT id FROM streams WHERE released AND cleared < len ORDER BY id")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        Ok(Self { db, known: HashMap::new(), clearing, emptying: true })
    }

    fn run(&mut self, mut queue: mpsc::Receiver<Command>) {
        loop {
            let first = match queue.try_recv() {
                Ok(command) => command,
                Err(mpsc::error::TryRecvError::Disconnected) => {
                    let _ = empty_log(&self.db);
                    return;
                }
                Err(mpsc::error::TryRecvError::Empty) => {
                    if self.clear_some() {
                        continue;
                    }
                    if std::mem::take(&mut self.emptying) {
                        // If it cannot be emptied now, it is after the next deletion or the next start.
                        let _ = empty_log(&self.db);
                        continue;
                    }
                    let Some(command) = queue.blocking_recv() else { continue };
                    command
                }
            };
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(next) = queue.try_recv()
            {
                group.push(next);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Command>) {
        let is_append = |it: &Command| matches!(it.work, Work::Append(_) | Work::Shed(_));
        let committed = self.try_commit(&group).map_err(|e| StoreError::because("writing the journal", e));
        if committed.is_err() {
            self.known.clear();
        }
        // Whoever asked may have gone; then there is nobody to tell.
        match committed {
            Ok((outcomes, released)) => {
                self.clearing.extend(released);
                for (command, outcome) in group.into_iter().zip(outcomes) {
                    let _ = command.answer.send(Ok(outcome));
                }
            }
            // Where there is no room for what comes, what needs none still goes, and makes some.
            Err(e) => {
                let (mut failed, mut others): (Vec<_>, Vec<_>) = group.into_iter().partition(is_append);
                if failed.is_empty() {
                    std::mem::swap(&mut failed, &mut others);
                }
                for command in failed {
                    let _ = command.answer.send(Err(e.clone()));
                }
                if !others.is_empty() {
                    self.commit(others);
                }
                self.clear_some();
            }
        }
    }

    /// One transaction. Returns an outcome for each command, and the streams that were released.
    fn try_commit(&mut self, group: &[Command]) -> Result<(Vec<Option<u64>>, Vec<u64>), rusqlite::Error> {
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known = &mut self.known;
        let (mut outcomes, mut released) = (Vec::with_capacity(group.len()), Vec::new());
        for Command { stream, work, .. } in group {
            outcomes.push(match work {
                Work::Append(record) => append(&tx, known, stream, record)?,
                Work::Shed(record) => shed(&tx, known, stream, record)?,
                Work::Seal => Some(seal(&tx, known, stream, false)?.len),
                Work::Release => {
                    released.push(seal(&tx, known, stream, true)?.id);
                    None
                }
                Work::Forget => {
                    forget(&tx, known, stream)?;
                    self.emptying = true;
                    None
                }
            });
        }
        tx.commit()?;
        Ok((outcomes, released))
    }

    /// Deletes a slice of what was released. Returns whether there was anything to delete.
    fn clear_some(&mut self) -> bool {
        let Some(&id) = self.clearing.front() else { return false };
        self.emptying = true;
        let outcome = (|| {
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let left = tx
                .query_row("SELECT cleared, len FROM streams WHERE id = ?1 AND released", [id], |row| {
                    Ok((row.get::<_, u64>(0)?, row.get::<_, u64>(1)?))
                })
                .optional()?;
            let Some((from, len)) = left else { return Ok(true) };
            let until = (from + SLICE).min(len);
            tx.execute(
                "DELETE FROM records WHERE id >= ?1 AND id < ?2",
                [row_of(id, from), row_of(id, until)],
            )?;
            tx.execute("UPDATE streams SET cleared = ?2 WHERE id = ?1", [id, until])?;
            tx.commit()?;
            Ok::<_, rusqlite::Error>(until == len)
        })();
        // A stream that cannot be cleared now is cleared after the next start: only room is lost.
        if outcome.unwrap_or(true) {
            self.clearing.pop_front();
        }
        true
    }
}

fn find(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
) -> Result<Option<Known>, rusqlite::Error> {
    if let Some(found) = known.get(stream) {
        return Ok(Some(*found));
    }
    let found = tx
        .prepare_cached("SELECT id, len, sealed FROM streams WHERE name = ?1")?
        .query_row([stream], |row| Ok(Known { id: row.get(0)?, len: row.get(1)?, sealed: row.get(2)? }))
        .optional()?;
    if let Some(found) = found {
        known.insert(stream.to_owned(), found);
    }
    Ok(found)
}

fn begin(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
) -> Result<Known, rusqlite::Error> {
    if let Some(found) = find(tx, known, stream)? {
        return Ok(found);
    }
    let id = tx
        .prepare_cached(
            "INSERT INTO streams (name, len, sealed, released, cleared) VALUES (?1, 0, 0, 0, 0) RETURNING id",
        )?
        .query_row([stream], |row| row.get(0))?;
    let new = Known { id, len: 0, sealed: false };
    known.insert(stream.to_owned(), new);
    Ok(new)
}

fn append(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
    record: &[u8],
) -> Result<Option<u64>, rusqlite::Error> {
    let at = begin(tx, known, stream)?;
    if at.sealed {
        return Ok(None);
    }
    tx.prepare_cached("INSERT INTO records (id, bytes) VALUES (?1, ?2)")?
        .execute(params![row_of(at.id, at.len), record])?;
    tx.prepare_cached("UPDATE streams SET len = ?2 WHERE id = ?1")?.execute([at.id, at.len + 1])?;
    known.insert(stream.to_owned(), Known { len: at.len + 1, ..at });
    Ok(Some(at.len))
}

/// Appends, and takes back what was appended before anybody sees it: the same pages are written and synced.
fn shed(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
    record: &[u8],
) -> Result<Option<u64>, rusqlite::Error> {
    let at = begin(tx, known, stream)?;
    let Some(index) = append(tx, known, stream, record)? else { return Ok(None) };
    tx.prepare_cached("DELETE FROM records WHERE id = ?1")?.execute([row_of(at.id, index)])?;
    tx.prepare_cached("UPDATE streams SET len = ?2 WHERE id = ?1")?.execute([at.id, index])?;
    known.insert(stream.to_owned(), at);
    Ok(Some(index))
}

fn seal(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
    release: bool,
) -> Result<Known, rusqlite::Error> {
    let at = begin(tx, known, stream)?;
    tx.prepare_cached("UPDATE streams SET sealed = 1, released = released OR ?2 WHERE id = ?1")?
        .execute(params![at.id, release])?;
    let sealed = Known { sealed: true, ..at };
    known.insert(stream.to_owned(), sealed);
    Ok(sealed)
}

fn forget(
    tx: &Transaction<'_>,
    known: &mut HashMap<String, Known>,
    stream: &str,
) -> Result<(), rusqlite::Error> {
    let Some(at) = find(tx, known, stream)? else { return Ok(()) };
    tx.execute("DELETE FROM records WHERE id >= ?1 AND id < ?2", [row_of(at.id, 0), row_of(at.id, at.len)])?;
    tx.execute("DELETE FROM streams WHERE id = ?1", [at.id])?;
    known.remove(stream);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite;

    #[tokio::test]
    async fn it_is_a_journal() {
        suite::journal(|folder| SqliteJournal::open(&folder.join("journal.sqlite"), None).unwrap()).await;
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(24))]

        #[test]
        fn it_does_what_three_vectors_would(deeds in suite::deeds()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(suite::like_a_model(
                |folder| SqliteJournal::open(&folder.join("j"), None).unwrap(),
                &deeds,
            ));
        }
    }

    #[tokio::test]
    async fn a_full_store_refuses_keeps_what_it_answered_and_goes_on_once_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("j"), Some(256 * 1024)).unwrap();
        let mut kept = 0;
        let refused = loop {
            match journal.append("a", Bytes::from(vec![7; 8192])).await {
                Ok(index) => {
                    assert_eq!(index, kept);
                    kept += 1;
                }
                Err(e) => break e,
            }
        };
        assert!(matches!(refused, AppendError::Store(StoreError::Full { .. })), "{refused:?}");
        assert!((10..40).contains(&kept), "{kept}");
        let shed = journal.shed("a", Bytes::from(vec![7; 8192])).await;
        assert!(matches!(shed, Err(AppendError::Store(StoreError::Full { .. }))), "{shed:?}");
        assert_eq!(journal.read("a", 0, 100).await.unwrap().len() as u64, kept);
        assert_eq!(journal.stream("a").await.unwrap().unwrap().len, kept);
        // What needs no room is not kept from it by what finds none.
        for n in 0..20 {
            let more = (0..64).map(|_| journal.append("a", Bytes::from(vec![7; 8192])));
            let (more, (sealed, released)) =
                futures_util::join!(futures_util::future::join_all(more), async {
                    futures_util::join!(journal.seal("round"), journal.release("another"))
                });
            assert!(more.iter().all(Result::is_err) && sealed.is_ok() && released.is_ok(), "{n}: {sealed:?}");
        }
        journal.forget("a").await.unwrap();
        assert_eq!(journal.append("b", Bytes::from(vec![7; 8192])).await.unwrap(), 0);
    }

    /// KEY-03: what is cut off a file may be found on the disk for long. Whoever is stopped in between finds all of it again.
    #[test]
    fn what_stood_in_the_log_is_overwritten_and_not_only_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let db = open_database(&path).unwrap();
        db.execute_batch(SCHEMA).unwrap();
        let add =
            |id: u32| db.execute("INSERT INTO records VALUES (?1, ?2)", params![id, b"a secret".repeat(999)]);
        add(1).unwrap();
        db.execute("DELETE FROM records WHERE id = 1", []).unwrap();
        add(2).unwrap();
        let count = |db: &Connection| -> u32 {
            db.query_row("SELECT count(*) FROM records", [], |row| row.get(0)).unwrap()
        };
        let before = std::fs::read(folder.path().join("j-wal")).unwrap();
        assert!(overwrite_log(&db).unwrap());
        // As the disk is if power is lost as soon as the log has no beginning any more, or later.
        for kept in [before.len(), before.len() / 2, 0] {
            let copy = tempfile::tempdir().unwrap();
            std::fs::copy(&path, copy.path().join("j")).unwrap();
            let mut log = before.clone();
            log[..LOG_HEADER as usize].fill(0);
            log[kept.max(LOG_HEADER as usize)..].fill(0);
            std::fs::write(copy.path().join("j-wal"), log).unwrap();
            let copy = open_database(&copy.path().join("j")).unwrap();
            assert_eq!(count(&copy), 1);
            let whole: String = copy.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(whole, "ok");
        }
        let log = std::fs::read(folder.path().join("j-wal")).unwrap();
        assert!(log.len() > 10_000 && log.iter().all(|byte| *byte == 0), "{} bytes", log.len());
        // And it goes on.
        add(3).unwrap();
        empty_log(&db).unwrap();
        add(4).unwrap();
        assert_eq!((count(&db), count(&open_database(&path).unwrap())), (3, 3));
    }

    #[tokio::test]
    async fn nothing_of_a_record_is_left_once_its_stream_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let journal = SqliteJournal::open(&folder.path().join("j"), None).unwrap();
        let mark = b"a mark found nowhere else";
        for _ in 0..20 {
            journal.append("a", Bytes::from(mark.repeat(300))).await.unwrap();
        }
        let is_left = || {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|f| f.unwrap().path());
            files.into_iter().any(|f| std::fs::read(f).unwrap().windows(mark.len()).any(|w| w == mark))
        };
        assert!(is_left());
        journal.release("a").await.unwrap();
        for _ in 0..200 {
            if !is_left() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert!(!is_left());
    }

    #[tokio::test]
    async fn releasing_lets_go_of_every_record_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let journal = SqliteJournal::open(&path, None).unwrap();
        let many = 3 * SLICE + 7;
        futures_util::future::try_join_all((0..many).map(|_| journal.append("a", Bytes::from_static(b"x"))))
            .await
            .unwrap();
        journal.append("b", Bytes::from_static(b"y")).await.unwrap();
        journal.release("a").await.unwrap();
        drop(journal);
        let journal = SqliteJournal::open(&path, None).unwrap();
        let left = || {
            let db = Connection::open(&path).unwrap();
            db.query_row("SELECT count(*) FROM records", [], |row| row.get::<_, u64>(0)).unwrap()
        };
        for _ in 0..200 {
            if left() == 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(left(), 1);
        assert_eq!(journal.read("b", 0, 9).await.unwrap(), [Bytes::from_static(b"y")]);
        assert_eq!(journal.stream("a").await.unwrap().unwrap().len, many);
    }
}
