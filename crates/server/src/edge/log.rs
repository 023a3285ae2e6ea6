//! The log at the edge: keeps the leaves' hashes, shows checkpoints with their co-signatures, serves tiles. Spec: log.md §6.
//!
//! The edge is trusted with none of it: whoever follows hashes the leaves again, and checkpoints are signed by others.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::{Request, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, put};
use minicbor::{Decode, Encode};
use proto::directory::Directory;
use proto::edition::UnverifiedHead;
use proto::log::{
    Checkpoint, CosignatureLine, FRESH_ROUNDS, Hashes, MAX_NOTE, NoteRejected, Signed, Tile, UnverifiedNote,
    leaf_hash,
};
use proto::{Digest, Round, codec};

use super::publish::FOREVER;
use super::{Edge, No, access, name};
use crate::faults::{Side, Step};
use crate::status;
use crate::store::{AppendError, Blobs, Journal, SqliteJournal, StoreError};

/// One record for each edition.
const LEAVES: &str = "leaves";
/// One stream for each checkpoint, with one record for each co-signature.
const COSIGNATURES: &str = "cosignatures/";
/// The longest line of a co-signature.
const MAX_LINE: usize = 512;
/// Records in one answer of the journal.
const RUN: usize = 1024;

/// The log as the edge keeps it.
pub(super) struct Log {
    journal: Box<dyn Journal>,
    held: RwLock<Held>,
}

/// What an edition adds.
#[derive(PartialEq, Eq, Encode, Decode)]
struct Grown {
    #[n(0)]
    round: Round,
    /// The directory that its head names.
    #[n(1)]
    directory: Digest,
    /// Hashes of its leaves.
    #[n(2)]
    leaves: Vec<Digest>,
}

#[derive(Default)]
struct Held {
    hashes: Hashes,
    /// How many records of the journal are in it.
    records: u64,
    /// The newest edition in it.
    newest: Option<(Round, Digest)>,
    /// The newest checkpoint that the press signed.
    proposed: Option<Noted>,
    /// The newest that enough witnesses have co-signed.
    witnessed: Option<Noted>,
}

/// A checkpoint.
#[derive(Clone)]
struct Noted {
    note: UnverifiedNote,
    /// The round of the newest edition under it.
    newest: Round,
    /// The directory that this edition names, whichever is in force by now: so clients judge it.
    directory: Arc<Directory>,
}

impl Noted {
    fn checkpoint(&self) -> Checkpoint {
        self.note.dangerously_checkpoint()
    }

    fn verify(&self) -> Result<Signed, NoteRejected> {
        self.note.verify(&self.directory, self.newest)
    }
}

impl Log {
    /// Opens the log, and adds what was published and not added yet when the program was stopped.
    pub(super) async fn open(
        path: &Path,
        blobs: &dyn Blobs,
        directories: &HashMap<Digest, Arc<Directory>>,
    ) -> Result<Self, StoreError> {
        let journal = Box::new(SqliteJournal::open(path, None)?);
        let log = Self { journal, held: RwLock::default() };
        loop {
            let known = log.held().records;
            let records = log.journal.read(LEAVES, known, RUN).await?;
            if records.is_empty() {
                break;
            }
            for record in records {
                let grown: Grown = codec::decode(&record).map_err(damaged)?;
                log.held_mut().add(&grown);
            }
        }
        let newest = log.held().newest.map(|(round, _)| round);
        for blob in blobs.list("editions").await? {
            let round = name::round_in(&blob, 1).filter(|r| newest.is_none_or(|newest| *r > newest));
            let (Some(round), Some(bytes)) = (round, blobs.get(&blob).await?) else { continue };
            let Ok(named) = UnverifiedHead::from_bytes(&bytes).and_then(|h| h.dangerously_directory()) else {
                continue;
            };
            log.grow(blobs, round, &named, &bytes).await?;
        }
        log.load_checkpoints(blobs, directories).await?;
        Ok(log)
    }

    async fn load_checkpoints(
        &self,
        blobs: &dyn Blobs,
        directories: &HashMap<Digest, Arc<Directory>>,
    ) -> Result<(), StoreError> {
        let mut newest_first: VecDeque<_> = blobs.list("checkpoints").await?.into_iter().rev().collect();
        while let Some(blob) = newest_first.pop_front() {
            let (Some(newest), Some(bytes)) = (name::round_in(&blob, 1), blobs.get(&blob).await?) else {
                continue;
            };
            let Ok(bare) = UnverifiedNote::from_bytes(&bytes) else {
                tracing::warn!("A stored checkpoint is damaged and is left aside. Check the disk.");
                continue;
            };
            let head = blobs.get(&name::edition(newest)).await?;
            let named =
                head.and_then(|head| UnverifiedHead::from_bytes(&head).ok()?.dangerously_directory().ok());
            let Some(directory) = named.and_then(|named| directories.get(&named)).cloned() else { continue };
            let (stream, mut read, mut note) = (stream(&bare.dangerously_checkpoint()), 0, bare);
            loop {
                let lines = self.journal.read(&stream, read, RUN).await?;
                if lines.is_empty() {
                    break;
                }
                read += lines.len() as u64;
                let lines = lines.iter().filter_map(|line| CosignatureLine::from_bytes(line).ok());
                note = lines.fold(note, UnverifiedNote::with);
            }
            if self.held_mut().show(Noted { note, newest, directory }) {
                break;
            }
        }
        Ok(())
    }

    /// The round of the newest edition that clients are shown.
    pub(super) fn newest_shown(&self) -> Option<Round> {
        self.held().witnessed.as_ref().map(|noted| noted.newest)
    }

    fn held(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_mut(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an edition, if it is not there yet. Editions come in their order; nobody else adds one meanwhile.
    pub(super) async fn grow(
        &self,
        blobs: &dyn Blobs,
        round: Round,
        directory: &Digest,
        head: &[u8],
    ) -> Result<(), StoreError> {
        let (known, newest) = {
            let held = self.held();
            (held.records, held.newest)
        };
        if newest.is_some_and(|(newest, _)| newest >= round) {
            return Ok(());
        }
        let mut leaves = Vec::new();
        if newest.is_none_or(|(_, before)| before != *directory) {
            let bytes = blobs.get(&name::directory(directory)).await?.ok_or_else(|| damaged(Gone))?;
            leaves.push(leaf_hash(&bytes));
        }
        leaves.push(leaf_hash(head));
        let grown = Grown { round, directory: *directory, leaves };
        // An append that failed, or whose asker hung up, may have come through all the same, and more than once.
        let mut at = known;
        while let Some(record) = self.journal.read(LEAVES, at, 1).await?.first() {
            let there: Grown = codec::decode(record).map_err(damaged)?;
            self.held_mut().add(&there);
            at += 1;
            if there == grown {
                return Ok(());
            }
        }
        self.journal.append(LEAVES, codec::encode(&grown).into()).await.map_err(unsealed)?;
        self.held_mut().add(&grown);
        Ok(())
    }

    /// What the status page says.
    pub(super) fn shown(&self) -> Option<status::Checkpoint> {
        let noted = self.held().witnessed.clone()?;
        let signed = noted.verify().ok()?;
        Some(status::Checkpoint {
            size: signed.checkpoint().size,
            root: signed.checkpoint().root.to_string(),
            cosigned: signed.cosignatures().len() as u8,
        })
    }
}

impl Held {
    /// Adds a record of the journal. One of a round that is there stands there twice.
    fn add(&mut self, grown: &Grown) {
        self.records += 1;
        if self.newest.is_some_and(|(newest, _)| newest >= grown.round) {
            return;
        }
        grown.leaves.iter().for_each(|leaf| self.hashes.push(*leaf));
        self.newest = Some((grown.round, grown.directory));
    }

    /// Takes a checkpoint with the co-signatures there are. Says whether they are enough.
    fn show(&mut self, noted: Noted) -> bool {
        // LOG-17: clients are shown what they will accept; until then, what they accepted before. Also after a restart: whether
        // it is long ago is theirs to say.
        let enough = noted.verify().is_ok_and(|signed| signed.has_quorum(&noted.directory));
        if enough {
            self.witnessed = Some(noted.clone());
        }
        let size = noted.checkpoint().size;
        if self.proposed.as_ref().is_none_or(|there| there.checkpoint().size <= size) {
            self.proposed = Some(noted);
        }
        enough
    }

    /// The checkpoint of the newest edition.
    fn due(&self) -> Option<Checkpoint> {
        Some(self.hashes.frontier(self.hashes.size()).filter(|f| f.size() > 0)?.checkpoint())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("a directory that an edition names is gone")]
struct Gone;

fn damaged(cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::because("reading the log", cause)
}

fn unsealed(e: AppendError) -> StoreError {
    match e {
        AppendError::Store(e) => e,
        AppendError::Sealed => damaged(e),
    }
}

fn stream(checkpoint: &Checkpoint) -> String {
    format!("{COSIGNATURES}{:020}", checkpoint.size)
}

/// The log's paths.
pub(super) fn router() -> Router<Arc<Edge>> {
    Router::new()
        .route("/v1/log/checkpoint", get(checkpoint))
        .route("/v1/log/proposed", get(proposed).put(put_proposed))
        .route("/v1/log/cosignatures/{size}", put(put_cosignature))
        .route("/v1/log/frontier/{size}", get(frontier))
        .route("/v1/log/tile/{*tile}", get(tile))
}

fn text(note: Option<&UnverifiedNote>) -> Result<Response, No> {
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    let fresh = (header::CACHE_CONTROL, "no-store");
    Ok(([kind, fresh], note.ok_or(No::Missing)?.to_bytes()).into_response())
}

/// `GET /v1/log/checkpoint`
async fn checkpoint(State(edge): State<Arc<Edge>>) -> Result<Response, No> {
    text(edge.log.held().witnessed.as_ref().map(|noted| &noted.note))
}

/// `GET /v1/log/proposed`
async fn proposed(State(edge): State<Arc<Edge>>) -> Result<Response, No> {
    text(edge.log.held().proposed.as_ref().map(|noted| &noted.note))
}

/// `GET /v1/log/frontier/{size}`
async fn frontier(State(edge): State<Arc<Edge>>, UrlPath(size): UrlPath<u64>) -> Result<Response, No> {
    let frontier = edge.log.held().hashes.frontier(size).ok_or(No::Missing)?;
    Ok(([(header::CACHE_CONTROL, FOREVER)], frontier.to_bytes()).into_response())
}

/// `GET /v1/log/tile/{level}/{index}`
async fn tile(State(edge): State<Arc<Edge>>, UrlPath(path): UrlPath<String>) -> Result<Response, No> {
    let named = Tile::parse(&path).ok_or(No::Missing)?;
    let bytes = edge.log.held().hashes.tile(&named).ok_or(No::Missing)?;
    Ok(([(header::CACHE_CONTROL, FOREVER)], bytes).into_response())
}

/// `PUT /v1/log/proposed`, by the press: the checkpoint of the newest edition.
async fn put_proposed(State(edge): State<Arc<Edge>>, request: Request<Body>) -> Result<(), No> {
    let bytes = edge.signed(request, MAX_NOTE, access::press).await?;
    let note = UnverifiedNote::from_bytes(&bytes).map_err(|_| No::Rejected)?;
    let _one = edge.publishing.lock().await;
    let (due, newest, there) = {
        let held = edge.log.held();
        (held.due(), held.newest, held.proposed.clone())
    };
    let (newest, named) = newest.ok_or(No::Conflict)?;
    let directory = edge.seen().directories.get(&named).cloned().ok_or(No::Failing)?;
    let noted = Noted { note, newest, directory };
    let signed = noted.verify().map_err(|_| No::Rejected)?;
    // LOG-16: that of what everybody can fetch here, and nothing below it but the press's line.
    if Some(signed.checkpoint()) != due || !noted.note.is_bare() {
        return Err(No::Conflict);
    }
    if there.is_some_and(|there| Some(there.checkpoint()) == due) {
        return Ok(());
    }
    edge.at(Step::CheckpointKept, Side::Before).await;
    edge.noted(edge.blobs.put(&name::checkpoint(noted.newest), bytes).await)?;
    edge.at(Step::CheckpointKept, Side::After).await;
    edge.log.held_mut().show(noted);
    edge.forget_cosignatures().await
}

/// `PUT /v1/log/cosignatures/{size}`, by a witness.
async fn put_cosignature(
    State(edge): State<Arc<Edge>>,
    UrlPath(size): UrlPath<u64>,
    request: Request<Body>,
) -> Result<(), No> {
    let bytes = edge.signed(request, MAX_LINE, access::witness).await?;
    let line = CosignatureLine::from_bytes(&bytes).map_err(|_| No::Rejected)?;
    let _one = edge.publishing.lock().await;
    let proposed = edge.log.held().proposed.clone();
    let there = proposed.filter(|there| there.checkpoint().size == size).ok_or(No::Conflict)?;
    let before = there.verify().map_err(|_| No::Rejected)?;
    let noted = Noted { note: there.note.with(line), ..there };
    // LOG-16: a witness's, valid, not older than the one there is, and of now: neither of a time to come nor, since each is kept, of any
    // of all those past.
    let after = noted.verify().map_err(|_| No::Rejected)?;
    let Some(new) = after.cosignatures().iter().find(|c| !before.cosignatures().contains(c)) else {
        // The same again, or a line that is no witness's: there is nothing to keep.
        return Ok(());
    };
    let (now, round) = (edge.clock.now(), u64::from(noted.directory.parameters().schedule.round_ms));
    // Times are whole seconds, and a line is some time on its way.
    let oldest = now.0.saturating_sub(FRESH_ROUNDS * round + 2_000);
    if !(oldest..=now.plus(round).0).contains(&new.time.saturating_mul(1000)) {
        return Err(No::Rejected);
    }
    if before.cosignatures().iter().any(|c| c.witness == new.witness && c.time > new.time) {
        return Err(No::Conflict);
    }
    edge.at(Step::CosignatureKept, Side::Before).await;
    let stream = stream(&after.checkpoint());
    edge.noted(edge.log.journal.append(&stream, bytes).await.map_err(unsealed))?;
    edge.at(Step::CosignatureKept, Side::After).await;
    edge.log.held_mut().show(noted);
    edge.forget_cosignatures().await
}

impl Edge {
    /// Lets go of co-signatures under checkpoints older than the one that everybody is shown.
    async fn forget_cosignatures(&self) -> Result<(), No> {
        let shown = self.log.held().witnessed.as_ref().map(|noted| stream(&noted.checkpoint()));
        let Some(shown) = shown else { return Ok(()) };
        for old in self.noted(self.log.journal.streams(COSIGNATURES).await)? {
            if old.name < shown {
                self.noted(self.log.journal.forget(&old.name).await)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::LocalBlobs;

    /// A press that hangs up while its edition is being written, and comes again before it is: it is one leaf all the same.
    #[tokio::test]
    async fn an_edition_that_is_recorded_twice_is_one_leaf() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(&folder.path().join("blobs")).unwrap();
        let directory = Digest::of(b"a directory");
        blobs.put(&name::directory(&directory), b"a directory".to_vec().into()).await.unwrap();
        let (file, none) = (folder.path().join("log.sqlite"), HashMap::new());
        let log = Log::open(&file, &blobs, &none).await.unwrap();
        let grow = async |log: &Log, round| {
            log.grow(&blobs, Round(round), &directory, format!("head {round}").as_bytes()).await.unwrap();
        };
        grow(&log, 1).await;
        let once = log.journal.read(LEAVES, 0, 1).await.unwrap().remove(0);
        log.journal.append(LEAVES, once).await.unwrap();
        grow(&log, 2).await;
        grow(&log, 2).await;
        let due = log.held().due().unwrap();
        assert_eq!(due.size, 3, "a directory and two heads");
        drop(log);
        let log = Log::open(&file, &blobs, &none).await.unwrap();
        assert_eq!(log.held().due().unwrap(), due);
        grow(&log, 3).await;
        assert_eq!(log.held().due().unwrap().size, 4);
    }
}
