//! The edge: takes envelopes, keeps batches between mixes, and serves what is published.
//!
//! It sees ciphertext and addresses, and is trusted with neither: an envelope is sealed to the first mix, a batch to
//! the next, and everything published is signed by others.

mod access;
mod batches;
mod ceiling;
mod keys;
mod listen;
mod log;
mod open;
mod pages;
mod publish;
mod retention;
mod rounds;
mod sender;
mod upload;
#[cfg(test)]
mod vectors;

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Router, middleware};
use proto::directory::Directory;
use proto::edition::Edition;
use proto::id::KeyId;
use proto::mix::Manifest;
use proto::sign::Unverified;
use proto::{Clock, Digest, NetworkId, Round, Schedule};
use tokio::sync::watch;

use crate::faults::{Hook, Killed, Side, Step};
use crate::state::StateFolder;
use crate::status::Refused;
use crate::store::{Blobs, Journal, PutError, StoreError};

pub use ceiling::{Ceilings, Relay};
pub use listen::{Listening, RunError};
pub use open::OpenError;
pub(crate) use open::read_directory;
pub use sender::{KnownBy, NoRange, RELAY, Range};

/// Rounds for which editions, drops and manifests are kept: 14 days of hours.
pub const KEPT_ROUNDS: u32 = 336;
/// The disk is looked through once in so many rounds, and what is older deleted.
pub(crate) const LOOKED_THROUGH: u32 = 16;

// EDG-16
/// Whether of `round` nothing is kept any more, nor taken, in round `now`.
pub(crate) fn is_too_old(round: Round, now: Round) -> bool {
    now.back(KEPT_ROUNDS).is_some_and(|oldest| round < oldest)
}

/// What the manifests of one mix for one round may weigh together, in bytes. They stay in memory, and are served at once.
pub const MAX_MANIFESTS: usize = 128 * 1024;

/// What an edge is told when it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Its state folder.
    pub state: PathBuf,
    /// The network it belongs to.
    pub network: NetworkId,
    /// The file that holds the directory to begin with; the press brings later ones.
    pub directory: PathBuf,
    /// The most that the journal of envelopes may weigh, in bytes. A flood beyond it is answered 503, and the room for
    /// everything else stays free.
    pub max_journal_bytes: Option<u64>,
    /// What it bears of each sender and of all.
    pub ceilings: Ceilings,
}

/// An edge.
pub struct Edge {
    clock: Arc<dyn Clock>,
    hook: Hook,
    killed: watch::Sender<Option<Killed>>,
    network: NetworkId,
    journal: Box<dyn Journal>,
    blobs: Box<dyn Blobs>,
    log: log::Log,
    /// Held while something published is checked and put: of two at once, the second sees the first.
    publishing: tokio::sync::Mutex<()>,
    /// Held while rounds are sealed and old things deleted.
    stepping: tokio::sync::Mutex<()>,
    ready: AtomicBool,
    seen: RwLock<Seen>,
    counts: Mutex<Counts>,
    ceilings: Ceilings,
    senders: sender::Senders,
    /// Envelopes of the rounds being collected, by sender.
    counter: Mutex<ceiling::Counter>,
    /// Connections being served, by address.
    open: Mutex<ceiling::Open>,
    edition_page: Arc<tokio::sync::Mutex<pages::EditionPage>>,
    /// Where batches lie while they come, and how many came.
    incoming: PathBuf,
    spooled: AtomicU64,
    // Last, so that it is let go of after the stores are closed.
    _folder: StateFolder,
}

/// What the edge knows of what is published, read from its blobs at the start.
struct Seen {
    /// The directory in force.
    directory: Arc<Directory>,
    /// Every directory kept, verified.
    directories: HashMap<Digest, Arc<Directory>>,
    /// Every manifest kept, by round, hop and part.
    manifests: BTreeMap<(Round, u8, u16), Shown>,
    /// The name under which each key stands that was handed in.
    keys: HashMap<KeyId, String>,
    /// Rounds whose drops stand in an edition.
    published: BTreeMap<Round, Round>,
    /// The newest edition.
    newest: Option<Arc<Edition>>,
    /// For each bundle and directory, the newest round that has a use for it.
    used: HashMap<Digest, Round>,
    /// All rounds up to this one are sealed.
    sealed: Option<Round>,
}

/// A manifest, as signed and as read.
struct Shown {
    signed: Unverified<Manifest>,
    manifest: Manifest,
    /// What it weighs, signed.
    bytes: usize,
}

/// What the status page counts beyond the manifests.
#[derive(Default)]
struct Counts {
    /// Refused in the round that is being collected.
    refused: Refused,
    /// Taken and refused in rounds that are over.
    rounds: BTreeMap<Round, (u64, Refused)>,
}

impl Edge {
    fn seen(&self) -> std::sync::RwLockReadGuard<'_, Seen> {
        self.seen.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen_mut(&self) -> std::sync::RwLockWriteGuard<'_, Seen> {
        self.seen.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counter(&self) -> MutexGuard<'_, ceiling::Counter> {
        self.counter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_connections(&self) -> MutexGuard<'_, ceiling::Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The directory in force.
    pub fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.seen().directory)
    }

    fn schedule(&self) -> Schedule {
        self.seen().directory.parameters().schedule
    }

    /// The round it is; the first before that.
    fn round(&self) -> Round {
        self.schedule().round_at(self.clock.now()).unwrap_or(Round(0))
    }

    /// Everything the edge answers to whoever connects from `address`: for who brings connections of their own.
    pub fn router_for(self: &Arc<Self>, address: std::net::IpAddr) -> Router {
        let caller = sender::Caller::new(self.senders.peer(address));
        self.router().layer(axum::Extension(caller))
    }

    /// Everything the edge answers.
    fn router(self: &Arc<Self>) -> Router {
        let served = Router::new()
            .route("/v1/rounds/{round}/envelopes", post(upload::envelope))
            .route("/v1/rounds/{round}/envelopes/{from}", get(rounds::envelopes))
            .route("/v1/rounds/{round}", axum::routing::delete(rounds::release))
            .route("/v1/rounds", get(rounds::list))
            .route("/v1/batches/{hop}", get(batches::list))
            .route(
                "/v1/batches/{hop}/{round}/{part}",
                get(batches::batch).put(batches::put_batch).delete(batches::release),
            )
            .route("/v1/drops/{round}", put(batches::put_drops))
            .route("/v1/drops/{round}/desk", get(publish::desk_drop))
            .route("/v1/drops/{round}/reader", get(publish::reader_drop))
            .route("/v1/manifests/{round}", get(publish::manifests))
            .route("/v1/keys/{hop}/{from}", get(keys::mix_key).put(keys::put_mix_key))
            .route("/v1/intake/{desk}/{from}", get(keys::intake_key).put(keys::put_intake_key))
            .route("/v1/directories/{digest}", get(publish::directory).put(publish::put_directory))
            .route("/v1/bundles/{digest}", get(publish::bundle).put(publish::put_bundle))
            .route("/v1/editions/{round}", get(publish::edition).put(publish::put_edition));
        let served = served.merge(log::router());
        let served = served.layer(middleware::from_fn(access::keep_from_caches));
        served.merge(pages::router()).with_state(Arc::clone(self))
    }

    /// Before or after a step, inside a request: if a test says so, the whole edge stops here and answers nobody.
    async fn at(&self, step: Step, side: Side) {
        if let Err(killed) = self.hook.at(step, side) {
            self.killed.send_replace(Some(killed));
            std::future::pending::<()>().await;
        }
    }

    /// Notes whether the store works, for `/readyz`.
    fn noted<T, E: AsStoreError>(&self, outcome: Result<T, E>) -> Result<T, E> {
        match outcome.as_ref().err().and_then(AsStoreError::as_store_error) {
            Some(failure) => {
                if self.ready.swap(false, Ordering::Relaxed) {
                    tracing::error!("{failure}");
                }
            }
            None => {
                if !self.ready.swap(true, Ordering::Relaxed) {
                    tracing::info!("The store works again.");
                }
            }
        }
        outcome
    }
}

/// An error that may be our store's.
trait AsStoreError {
    fn as_store_error(&self) -> Option<&StoreError>;
}

impl AsStoreError for StoreError {
    fn as_store_error(&self) -> Option<&StoreError> {
        Some(self)
    }
}

impl AsStoreError for PutError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            PutError::Store(e) => Some(e),
            PutError::Conflict => None,
        }
    }
}

impl AsStoreError for crate::store::AppendError {
    fn as_store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(e) => Some(e),
            Self::Sealed => None,
        }
    }
}

/// Why a request is not done, as a status with an empty body: whoever broke the protocol learns no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum No {
    /// It is not there.
    Missing,
    /// Not signed by someone who may.
    Forbidden,
    /// Other bytes stand there, or it is too early.
    Conflict,
    /// Longer than it can be.
    TooLong,
    /// Not what it should be.
    Rejected,
    /// Our store fails.
    Failing,
}

impl axum::response::IntoResponse for No {
    fn into_response(self) -> axum::response::Response {
        let status = match self {
            No::Missing => StatusCode::NOT_FOUND,
            No::Forbidden => StatusCode::FORBIDDEN,
            No::Conflict => StatusCode::CONFLICT,
            No::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            No::Rejected => StatusCode::UNPROCESSABLE_ENTITY,
            No::Failing => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, [(axum::http::header::CACHE_CONTROL, "no-store")]).into_response()
    }
}

impl From<StoreError> for No {
    fn from(_: StoreError) -> Self {
        No::Failing
    }
}

impl From<PutError> for No {
    fn from(e: PutError) -> Self {
        match e {
            PutError::Conflict => No::Conflict,
            PutError::Store(_) => No::Failing,
        }
    }
}

/// Names of streams and blobs. Numbers have leading zeros, so that the order of names is the order of numbers.
mod name {
    use proto::mix::BatchId;
    use proto::{DeskId, Digest, Round};

    pub(super) const ENVELOPES: &str = "envelopes/";

    pub(super) fn envelopes(round: Round) -> String {
        format!("{ENVELOPES}{:010}", round.0)
    }

    pub(super) fn directory(digest: &Digest) -> String {
        format!("directories/{digest}")
    }

    pub(super) fn bundle(digest: &Digest) -> String {
        format!("bundles/{digest}")
    }

    pub(super) fn edition(round: Round) -> String {
        format!("editions/{:010}", round.0)
    }

    pub(super) fn drop(round: Round, which: &str) -> String {
        format!("drops/{:010}/{which}", round.0)
    }

    pub(super) fn manifest(hop: u8, id: BatchId) -> String {
        format!("manifests/{:010}/{hop}/{:05}", id.round.0, id.part)
    }

    pub(super) fn batch(hop: u8, id: BatchId) -> String {
        format!("batches/{hop}/{:010}/{:05}", id.round.0, id.part)
    }

    pub(super) fn mix_key(hop: u8, from: Round) -> String {
        format!("keys/{:010}/{hop}", from.0)
    }

    pub(super) fn intake_key(desk: &DeskId, from: Round) -> String {
        format!("intake/{:010}/{desk}", from.0)
    }

    pub(super) fn checkpoint(round: Round) -> String {
        format!("checkpoints/{:010}", round.0)
    }

    pub(super) fn counts(round: Round) -> String {
        format!("counts/{:010}", round.0)
    }

    /// The round in the `at`-th part of a name.
    pub(super) fn round_in(name: &str, at: usize) -> Option<Round> {
        name.split('/').nth(at)?.parse().ok().map(Round)
    }
}
