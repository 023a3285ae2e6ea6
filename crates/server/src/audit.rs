//! The audit: reads the editions that everybody is shown, and compares what the mixes state in them. It has no inbound port,
//! keeps nothing, signs nothing, and asks for what is public. Spec: mix.md §16.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proto::audit::{Audit, Report};
use proto::directory::{Directory, DirectoryRejected, MAX_DIRECTORY};
use proto::edition::{Edition, EditionRejected, MAX_HEAD, UnverifiedHead};
use proto::log::{Frontier, LogRejected, MAX_FRONTIER, MAX_NOTE, NEWEST, NoteRejected, UnverifiedNote};
use proto::{Clock, Digest, NetworkId, Round, path};

use crate::edge::{KEPT_ROUNDS, OpenError, read_directory};
use crate::http::{PublicClient, RequestError};

/// What an audit is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// The edge's address, "http://host:port".
    pub edge: String,
    /// The network.
    pub network: NetworkId,
    /// The file that holds the directory to begin with.
    pub directory: PathBuf,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The directory's file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The edge was not reached, or refused.
    #[error(transparent)]
    Edge(#[from] RequestError),
    /// There is no edition, or no checkpoint.
    #[error("The edge has no edition yet that witnesses co-signed. Try again in a few rounds.")]
    Nothing,
    /// The edge has less than its checkpoint covers.
    #[error(
        "The edge does not have all that its checkpoint covers. Try again in a round, or ask its operator."
    )]
    Missing,
    /// The checkpoint is not the press's, or too few witnesses co-signed it.
    #[error(
        "What the edge shows was not co-signed as it must be: {0}. So nothing is said of it. Ask the witnesses' operators."
    )]
    Note(#[from] NoteRejected),
    /// The editions are not those that were co-signed.
    #[error(
        "The editions that the edge shows are not those that the witnesses co-signed: {0}. So nothing is said of them. Tell the witnesses' operators."
    )]
    Log(#[from] LogRejected),
    /// An edition is refused.
    #[error("The edition of round {} is refused: {why}.", round.0)]
    Edition {
        /// Its round.
        round: Round,
        /// Why.
        why: EditionRejected,
    },
    /// A directory is refused.
    #[error("The directory that the edition of round {} names is refused: {why}.", round.0)]
    Directory {
        /// The edition's round.
        round: Round,
        /// Why.
        why: DirectoryRejected,
    },
    /// A directory is missing, or is another than its name says.
    #[error(
        "The edge does not have the directory that the edition of round {} names. Try again in a round, or ask its operator.", .0.0
    )]
    NoDirectory(Round),
}

/// What was read and found.
pub struct Audited {
    /// The network's name.
    pub network: String,
    /// What the manifests say together.
    pub report: Report,
}

/// Reads all that the edge keeps. `progress` is told how many rounds of how many were asked for.
///
/// # Errors
/// Nothing can be said, as [`AuditError`] says. What is found is no error.
pub async fn run(
    config: &Config,
    clock: &dyn Clock,
    mut progress: impl FnMut(u32, u32),
) -> Result<Audited, AuditError> {
    let (_, given) = read_directory(&config.directory, &config.network)?;
    let edge = PublicClient::new(&config.edge)?;
    let now = clock.now();
    let round = given.parameters().schedule.round_at(now).unwrap_or(Round(0));
    let note = edge.get(path::CHECKPOINT, MAX_NOTE).await?.ok_or(AuditError::Nothing)?;
    let note = UnverifiedNote::from_bytes(&note).map_err(NoteRejected::from)?;

    let given = Arc::new(given);
    let directory = Arc::clone(&given);
    let mut reading = Reading { edge, network: config.network, directory, read: Vec::new() };
    let first = round.0.saturating_sub(KEPT_ROUNDS - 1);
    let last = round.next().0;
    for e in first..=last {
        progress(e - first, last - first + 1);
        reading.edition(Round(e), round).await?;
    }
    let Reading { edge, mut read, .. } = reading;

    // LOG-09: of which one is the newest leaf of the tree that was co-signed. All before it hang on it, each by the next.
    let checkpoint = note.dangerously_checkpoint();
    let before = edge.get(&path::frontier(checkpoint.size.saturating_sub(1)), MAX_FRONTIER).await?;
    let before = Frontier::from_bytes(&before.ok_or(AuditError::Missing)?).map_err(NoteRejected::from)?;
    let newest = (0..read.len()).rev().take(NEWEST as usize).find_map(|n| {
        let tree = before.clone().begin(&read[n].bytes, &checkpoint).ok()?;
        Some((n, tree))
    });
    let Some((newest, tree)) = newest else {
        return Err(if read.is_empty() { AuditError::Nothing } else { LogRejected::Fork.into() });
    };
    read.truncate(newest + 1);
    let of = &read[newest];
    // DIR-13, of the newest: the oldest may be of the roster before the one that was given.
    of.directory
        .follows_roster(&given)
        .map_err(|why| AuditError::Directory { round: of.edition.head().round, why })?;
    let witnessed = note.verify(&of.directory, of.edition.head().round)?.witnessed(&of.directory, now)?;
    tree.check(&witnessed)?;

    let mut audit = Audit::new(Round(first));
    for Read { edition, directory, .. } in &read {
        let round = edition.head().round;
        audit.read(directory, edition).map_err(|why| AuditError::Edition { round, why })?;
    }
    Ok(Audited { network: of.directory.roster().name.clone(), report: audit.finish() })
}

struct Read {
    edition: Edition,
    bytes: Bytes,
    directory: Arc<Directory>,
}

struct Reading {
    edge: PublicClient,
    network: NetworkId,
    /// The one that the newest edition names.
    directory: Arc<Directory>,
    read: Vec<Read>,
}

impl Reading {
    /// Takes the edition of `e`, if there is one, after those before it.
    async fn edition(&mut self, e: Round, now: Round) -> Result<(), AuditError> {
        let Some(bytes) = self.edge.get(&path::edition(e), MAX_HEAD).await? else { return Ok(()) };
        let refused = |why| AuditError::Edition { round: e, why };
        let head = UnverifiedHead::from_bytes(&bytes).map_err(refused)?;
        let named = head.dangerously_directory().map_err(refused)?;
        let directory = if named == self.directory.digest() {
            Arc::clone(&self.directory)
        } else {
            self.fetch(&named, e).await?
        };
        let previous = self.read.last().map(|before| before.edition.digest());
        let edition = head.verify(&directory, e, now, previous.as_ref()).map_err(refused)?;
        if previous.is_some() {
            directory.follows(&self.directory, e).map_err(|why| AuditError::Directory { round: e, why })?;
        }
        self.directory = Arc::clone(&directory);
        self.read.push(Read { edition, bytes, directory });
        Ok(())
    }

    async fn fetch(&self, named: &Digest, e: Round) -> Result<Arc<Directory>, AuditError> {
        let bytes = self.edge.get(&path::directory(named), MAX_DIRECTORY).await?;
        let refused = |why| AuditError::Directory { round: e, why };
        let directory =
            Directory::read(&bytes.ok_or(AuditError::NoDirectory(e))?, &self.network).map_err(refused)?;
        if directory.digest() == *named { Ok(Arc::new(directory)) } else { Err(AuditError::NoDirectory(e)) }
    }
}
