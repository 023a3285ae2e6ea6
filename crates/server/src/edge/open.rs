//! Opening an edge: its state folder, its stores, and what it knew.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use bytes::Bytes;
use proto::directory::{Directory, DirectoryRejected, IntakeKey, MixKey};
use proto::edition::{Edition, UnverifiedHead};
use proto::mix::Manifest;
use proto::seal::SealPublic;
use proto::sign::Unverified;
use proto::{Clock, Digest, NetworkId, Round, codec};
use tokio::sync::watch;

use rand::CryptoRng;
use zeroize::Zeroizing;

use super::ceiling::{Counter, Open, Relay};
use super::log::Log;
use super::sender::{Known, KnownBy, KnownRelay, Senders};
use super::{Config, Counts, Edge, Seen, Shown, name};
use crate::faults::Hook;
use crate::state::{StateError, StateFolder};
use crate::status::Refused;
use crate::store::{Blobs, Journal, LocalBlobs, PutError, SqliteJournal, StoreError};

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The state folder.
    #[error(transparent)]
    State(#[from] StateError),
    /// The store in it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key file.
    #[error(transparent)]
    Seed(#[from] crate::seed::SeedError),
    /// The directory's file cannot be read.
    #[error("The directory {} cannot be read. Check that the file is there.", .path.display())]
    NoDirectory {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The directory is refused.
    #[error("The directory {} is refused: {why}. Get the one of your network.", .path.display())]
    Directory {
        /// The file.
        path: PathBuf,
        /// Which check.
        why: DirectoryRejected,
    },
    /// The identity is not the one that the directory names for this mix.
    #[error(
        "The identity is not that of mix {} in the directory. Give the right key file, or the right place.", .hop + 1
    )]
    NotThisMix {
        /// The hop, counted from 0; people count from 1.
        hop: u8,
    },
    /// A header that no request can have.
    #[error("A relay tells addresses in {name:?}, which is no header's name. Give the header that it sets.")]
    RelayHeader {
        /// What was given.
        name: String,
    },
    /// A relay's ceiling.
    #[error(
        "A relay's ceiling ({ceiling}) is below that of one address ({address}). Raise the first or lower the second."
    )]
    RelayCeiling {
        /// The relay's.
        ceiling: u32,
        /// That of one address.
        address: u32,
    },
    /// The identity is not one that the directory names as a witness.
    #[error("The identity is not that of a witness in the directory. Give the key file it was listed with.")]
    NotAWitness,
    /// A witness's memory is gone or damaged. Going on without would let it sign what contradicts what it signed.
    #[error(
        "The memory of this witness, {}, is damaged or gone. Ask the network for a new identity, and begin anew with it in an empty folder.",
        .path.display()
    )]
    MemoryLost {
        /// The file.
        path: PathBuf,
    },
    /// The address cannot be listened at.
    #[error("The address {address} is in use. Stop the program that holds it, or give another one.")]
    AddressInUse {
        /// The address.
        address: std::net::SocketAddr,
    },
    /// The address cannot be listened at for another reason.
    #[error("The address {address} cannot be listened at. Give one of this machine's.")]
    Address {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The edge's address cannot be used.
    #[error(transparent)]
    Edge(#[from] crate::http::RequestError),
}

/// Reads and verifies a directory's file.
pub(crate) fn read_directory(
    path: &std::path::Path,
    network: &NetworkId,
) -> Result<(Bytes, Directory), OpenError> {
    let bytes =
        std::fs::read(path).map_err(|cause| OpenError::NoDirectory { path: path.to_owned(), cause })?;
    let directory = Directory::read(&bytes, network)
        .map_err(|why| OpenError::Directory { path: path.to_owned(), why })?;
    Ok((bytes.into(), directory))
}

impl Edge {
    /// Opens an edge on its state folder. `rng` draws the key under which addresses are counted.
    pub async fn open(
        config: &Config,
        clock: Arc<dyn Clock>,
        rng: &mut (impl CryptoRng + Send),
        hook: Hook,
    ) -> Result<Arc<Self>, OpenError> {
        let senders = senders(config, rng)?;
        let (bytes, given) = read_directory(&config.directory, &config.network)?;
        let folder = StateFolder::open(&config.state, "edge", &config.network)?;
        let journal = SqliteJournal::open(&folder.path().join("journal.sqlite"), config.max_journal_bytes)?;
        let blobs = LocalBlobs::open(&folder.path().join("blobs"))?;
        let incoming = folder.path().join("incoming");
        empty(&incoming).map_err(|e| StoreError::because("emptying the folder of what comes", e))?;
        let given = Arc::new(given);
        let now = given.parameters().schedule.round_at(clock.now()).unwrap_or(Round(0));

        let directory_name = name::directory(&given.digest());
        let is_new = !blobs.has(&directory_name).await?;
        match blobs.put(&directory_name, bytes).await {
            Ok(()) => {}
            // Its name is its digest: other bytes there are a damaged disk.
            Err(PutError::Conflict) => {
                let damaged = io::Error::new(io::ErrorKind::InvalidData, "a stored directory is damaged");
                return Err(StoreError::because("reading the stored directories", damaged).into());
            }
            Err(PutError::Store(e)) => return Err(e.into()),
        }

        let mut seen = Seen {
            directory: Arc::clone(&given),
            directories: HashMap::from([(given.digest(), given)]),
            manifests: BTreeMap::new(),
            keys: HashMap::new(),
            published: BTreeMap::new(),
            newest: None,
            used: HashMap::new(),
            sealed: None,
        };
        seen.load_directories(&blobs, &config.network).await?;
        seen.load_editions(&blobs).await?;
        seen.use_unnamed(&blobs, now).await?;
        seen.load_manifests(&blobs).await?;
        seen.load_keys(&blobs).await?;
        // A directory never seen before is the operator's word, if its roster is newer than the newest edition's; otherwise that
        // edition's is in force.
        if let Some(newest) = &seen.newest
            && let Some(directory) = seen.directories.get(&newest.head().directory)
            && (!is_new || seen.directory.roster().number <= directory.roster().number)
        {
            seen.directory = Arc::clone(directory);
        }
        let streams = journal.streams(name::ENVELOPES).await?;
        seen.sealed = streams.iter().filter(|s| s.sealed).filter_map(|s| name::round_in(&s.name, 1)).max();
        let counts = Counts { rounds: load_counts(&blobs).await?, ..Counts::default() };
        let log = Log::open(&folder.path().join("log.sqlite"), &blobs, &seen.directories).await?;

        Ok(Arc::new(Self {
            clock,
            hook,
            killed: watch::Sender::new(None),
            network: config.network,
            journal: Box::new(journal),
            blobs: Box::new(blobs),
            log,
            publishing: tokio::sync::Mutex::new(()),
            stepping: tokio::sync::Mutex::new(()),
            ready: AtomicBool::new(true),
            seen: RwLock::new(seen),
            counts: Mutex::new(counts),
            senders,
            counter: Mutex::new(Counter::new(&config.ceilings)),
            open: Mutex::new(Open::default()),
            ceilings: config.ceilings.clone(),
            edition_page: Arc::default(),
            incoming,
            spooled: AtomicU64::new(0),
            _folder: folder,
        }))
    }
}

/// Reads the relays' secrets, and draws the key of this process.
fn senders(config: &Config, rng: &mut impl CryptoRng) -> Result<Senders, OpenError> {
    let ceilings = &config.ceilings;
    let known = |relay: &Relay| {
        if relay.ceiling < ceilings.address {
            return Err(OpenError::RelayCeiling { ceiling: relay.ceiling, address: ceilings.address });
        }
        let name = |name: &String| {
            name.parse::<axum::http::HeaderName>().map_err(|_| OpenError::RelayHeader { name: name.clone() })
        };
        Ok(KnownRelay {
            known_by: match &relay.known_by {
                KnownBy::Range(range) => Known::Range(*range),
                KnownBy::Secret(file) => Known::Secret(crate::seed::read(file)?),
            },
            tells_address_in: relay.tells_address_in.as_ref().map(name).transpose()?,
        })
    };
    let relays = ceilings.relays.iter().map(known).collect::<Result<_, _>>()?;
    let mut key = Zeroizing::new([0; 32]);
    rng.fill_bytes(key.as_mut_slice());
    Ok(Senders::new(&key, relays))
}

impl Seen {
    /// Notes that `digest` is of use to editions up to `round`.
    pub(super) fn use_until(&mut self, digest: Digest, round: Round) {
        let until = self.used.entry(digest).or_insert(round);
        *until = round.max(*until);
    }

    /// Takes in a verified edition.
    pub(super) fn show_edition(&mut self, edition: Edition) {
        let head = edition.head();
        let round = head.round;
        for digest in [head.changes.digest, head.front.digest, head.directory] {
            self.use_until(digest, round);
        }
        self.published.extend(edition.drops().iter().map(|d| (d.round, round)));
        if self.newest.as_ref().is_none_or(|n| n.head().round < round) {
            self.newest = Some(Arc::new(edition));
        }
    }

    /// What no edition names yet is kept as if it had been put now.
    async fn use_unnamed(&mut self, blobs: &dyn Blobs, now: Round) -> Result<(), StoreError> {
        for blob in blobs.list("bundles").await?.into_iter().chain(blobs.list("directories").await?) {
            if let Some(digest) = blob.rsplit('/').next().and_then(Digest::from_hex) {
                self.used.entry(digest).or_insert(now);
            }
        }
        Ok(())
    }

    async fn load_directories(&mut self, blobs: &dyn Blobs, network: &NetworkId) -> Result<(), StoreError> {
        for blob in blobs.list("directories").await? {
            let Some(bytes) = blobs.get(&blob).await? else { continue };
            match Directory::read(&bytes, network) {
                Ok(directory) => drop(self.directories.insert(directory.digest(), Arc::new(directory))),
                Err(_) => tracing::warn!("A stored directory is damaged and is left aside. Check the disk."),
            }
        }
        Ok(())
    }

    async fn load_editions(&mut self, blobs: &dyn Blobs) -> Result<(), StoreError> {
        for blob in blobs.list("editions").await? {
            let Some(round) = name::round_in(&blob, 1) else { continue };
            let Some(bytes) = blobs.get(&blob).await? else { continue };
            let verified = UnverifiedHead::from_bytes(&bytes).ok().and_then(|head| {
                let directory = self.directories.get(&head.dangerously_directory().ok()?)?;
                // It was checked against the clock when it was put.
                head.verify(directory, round, round, None).ok()
            });
            match verified {
                Some(edition) => self.show_edition(edition),
                None => tracing::warn!("A stored edition is damaged and is left aside. Check the disk."),
            }
        }
        Ok(())
    }

    async fn load_keys(&mut self, blobs: &dyn Blobs) -> Result<(), StoreError> {
        for blob in blobs.list("keys").await?.into_iter().chain(blobs.list("intake").await?) {
            let Some(bytes) = blobs.get(&blob).await? else { continue };
            // Each was checked when it was put.
            let key = if blob.starts_with("keys") {
                let signed = codec::decode::<Unverified<MixKey>>(&bytes);
                signed.and_then(|signed| signed.dangerously_peek()).map(|it| it.key)
            } else {
                let signed = codec::decode::<Unverified<IntakeKey>>(&bytes);
                signed.and_then(|signed| signed.dangerously_peek()).map(|it| it.key)
            };
            match key.ok().and_then(|key| SealPublic::from_bytes(&key)) {
                Some(key) => drop(self.keys.insert(key.id(), blob)),
                None => tracing::warn!("A stored key is damaged and is left aside. Check the disk."),
            }
        }
        Ok(())
    }

    async fn load_manifests(&mut self, blobs: &dyn Blobs) -> Result<(), StoreError> {
        for blob in blobs.list("manifests").await? {
            let Some(bytes) = blobs.get(&blob).await? else { continue };
            // Its signature was verified when it was put; the mix may have another identity by now.
            let read = codec::decode::<Unverified<Manifest>>(&bytes)
                .and_then(|signed| signed.dangerously_peek().map(|manifest| (signed, manifest)));
            match read {
                Ok((signed, manifest)) => {
                    let key = (manifest.batch.round, manifest.hop, manifest.batch.part);
                    self.manifests.insert(key, Shown { signed, manifest, bytes: bytes.len() });
                }
                Err(_) => tracing::warn!("A stored manifest is damaged and is left aside. Check the disk."),
            }
        }
        Ok(())
    }
}

/// What was on its way when the edge was stopped comes again.
fn empty(folder: &std::path::Path) -> io::Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    std::fs::create_dir_all(folder)
}

async fn load_counts(blobs: &dyn Blobs) -> Result<BTreeMap<Round, (u64, Refused)>, StoreError> {
    let mut rounds = BTreeMap::new();
    for blob in blobs.list("counts").await? {
        let Some(bytes) = blobs.get(&blob).await? else { continue };
        if let (Some(round), Ok(counts)) = (name::round_in(&blob, 1), codec::decode(&bytes)) {
            rounds.insert(round, counts);
        }
    }
    Ok(rounds)
}
