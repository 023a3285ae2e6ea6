//! What a witness remembers: one small file, replaced as a whole.

use std::path::{Path, PathBuf};

use minicbor::{Decode, Encode};
use proto::log::Frontier;
use proto::{Digest, NetworkId, Round, codec};

use crate::edge::OpenError;
use crate::state::{StateFolder, write_durably};
use crate::store::StoreError;

const FILE: &str = "seen.cbor";

/// Where a witness stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(super) struct Seen {
    /// Of every leaf up to the newest head.
    #[n(0)]
    pub(super) tree: Frontier,
    /// The newest head's round.
    #[n(1)]
    pub(super) round: Round,
    /// Its digest.
    #[n(2)]
    pub(super) head: Digest,
    /// The directory that it names.
    #[n(3)]
    pub(super) directory: Digest,
}

#[derive(Encode, Decode)]
struct File {
    /// Absent before the first checkpoint.
    #[n(0)]
    seen: Option<Seen>,
}

/// The file and what is in it.
pub(super) struct Memory {
    seen: Option<Seen>,
    file: PathBuf,
    _folder: StateFolder,
}

impl Memory {
    /// Reads the memory. In a folder that was never used it begins empty; in any other it must be there.
    pub(super) fn open(path: &Path, network: &NetworkId) -> Result<Self, OpenError> {
        let nothing = codec::encode(&File { seen: None });
        let folder = StateFolder::open_with(path, "witness", network, &[(FILE, &nothing)])?;
        let file = folder.path().join(FILE);
        // LOG-14: never begins again by itself.
        let lost = || OpenError::MemoryLost { path: file.clone() };
        let bytes = std::fs::read(&file).map_err(|_| lost())?;
        let File { seen } = codec::decode(&bytes).map_err(|_| lost())?;
        // The form is the frontier's to check.
        if let Some(seen) = &seen {
            Frontier::from_bytes(&seen.tree.to_bytes()).map_err(|_| lost())?;
        }
        Ok(Self { seen, file, _folder: folder })
    }

    pub(super) fn seen(&self) -> Option<&Seen> {
        self.seen.as_ref()
    }

    /// Durable on return.
    pub(super) async fn keep(&mut self, seen: Seen) -> Result<(), StoreError> {
        let bytes = codec::encode(&File { seen: Some(seen.clone()) });
        let file = self.file.clone();
        let failed = |cause| StoreError::because("writing the witness's memory", cause);
        match tokio::task::spawn_blocking(move || write_durably(&file, &bytes)).await {
            Ok(written) => written.map_err(failed)?,
            Err(_) => return Err(StoreError::Stopped),
        }
        self.seen = Some(seen);
        Ok(())
    }
}
