//! Outputs on their way to the edge: each a file, until the edge has it.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use proto::mix::{BatchId, Manifest};
use proto::sign::Unverified;

use crate::handing::Outgoing;
use crate::state::settle;
use crate::store::StoreError;

/// The folder of outputs.
pub(crate) struct Outputs(PathBuf);

impl Outputs {
    /// Opens the folder. Files of no output in `unpushed` go: they were written just before a crash, and nobody has seen
    /// them, or just pushed.
    pub(crate) fn open(folder: PathBuf, unpushed: impl Iterator<Item = BatchId>) -> Result<Self, StoreError> {
        let open = || -> io::Result<()> {
            std::fs::create_dir_all(&folder)?;
            let wanted: HashSet<PathBuf> = unpushed.map(|id| path(&folder, id)).collect();
            for entry in std::fs::read_dir(&folder)? {
                let file = entry?.path();
                if !wanted.contains(&file) {
                    std::fs::remove_file(file)?;
                }
            }
            Ok(())
        };
        open().map_err(|e| StoreError::because("opening the folder of outputs", e))?;
        Ok(Self(folder))
    }

    /// Writes an output's bytes with `write`; durable on return. Nothing points to the file yet: whatever a crash left under
    /// the same name is replaced.
    pub(crate) fn write<E: From<StoreError>>(
        &self,
        id: BatchId,
        write: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |e| StoreError::because("writing an output", e);
        let path = path(&self.0, id);
        let beside = path.with_extension("new");
        let mut file = BufWriter::with_capacity(1 << 20, File::create(&beside).map_err(failed)?);
        write(&mut |bytes| Ok(file.write_all(bytes).map_err(failed)?))?;
        let file = file.into_inner().map_err(|e| failed(e.into_error()))?;
        settle(&file, &beside, &path).map_err(failed)?;
        Ok(())
    }

    /// An output to hand over. Its file is read as it is sent.
    pub(crate) fn outgoing(
        &self,
        id: BatchId,
        manifest: &Unverified<Manifest>,
    ) -> Result<Outgoing, StoreError> {
        Outgoing::open(manifest, path(&self.0, id)).map_err(|e| StoreError::because("reading an output", e))
    }

    /// Deletes an output's file. If that fails, the next start does it.
    pub(crate) fn delete(&self, id: BatchId) {
        let _ = std::fs::remove_file(path(&self.0, id));
    }
}

fn path(folder: &Path, id: BatchId) -> PathBuf {
    folder.join(format!("{:010}-{:05}", id.round.0, id.part))
}
