//! An input on its way in: pulled into a file, looked through as a whole, then taken run by run. No batch is ever in memory.

use std::path::PathBuf;

use proto::Digest;
use proto::id::KeyId;
use proto::mix::BatchId;

use super::keys::Keys;
use super::store::Progress;
use super::upstream::{Upstream, UpstreamError};
use super::{Me, MixError};
use crate::handed;
use crate::handing::{Entries, Incoming, IncomingRejected};
use crate::http::RequestError;
use crate::store::StoreError;

/// The input being taken, if one is.
pub(super) struct Pull {
    file: PathBuf,
    open: Option<Open>,
}

struct Open {
    id: BatchId,
    /// Under which it opens.
    key: KeyId,
    digest: Digest,
    incoming: Incoming,
    entries: Entries,
}

/// Whether an input can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It lies here whole and is what its manifest says.
    Here,
    /// It is not there.
    NothingYet,
    /// It is not what its manifest says, and never will be: the mix before signed for it.
    Refused,
    /// It is not what the mix before signed for, or another than was begun. The edge may yet give the right one.
    Another,
}

/// Some entries of an input.
pub(super) struct Given {
    pub(super) entries: Vec<Vec<u8>>,
    /// How many were given by now.
    pub(super) taken: u64,
    /// Whether these were the last.
    pub(super) ended: bool,
    /// SHA-256 of the whole batch.
    pub(super) digest: Digest,
}

fn disk(cause: std::io::Error) -> MixError {
    StoreError::because("reading an input", cause).into()
}

impl Pull {
    /// `folder` is this mix's alone. What an earlier run pulled is pulled again: the edge has it until it is released.
    pub(super) fn open(folder: &std::path::Path) -> Result<Self, StoreError> {
        let file = folder.join("input");
        match std::fs::remove_file(&file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::because("deleting an old input", e))
            }
            _ => Ok(Self { file, open: None }),
        }
    }

    /// Makes sure that the next entry to come is the one after those of the input `id` that were taken, if it was `begun`.
    pub(super) fn begin(
        &mut self,
        me: &Me,
        keys: &Keys,
        upstream: &mut impl Upstream,
        id: BatchId,
        begun: Option<Progress>,
    ) -> Result<Begun, MixError> {
        let next = begun.map_or(0, |begun| begun.next);
        if self.open.as_ref().is_some_and(|open| open.id == id && open.entries.taken() == next) {
            return Ok(Begun::Here);
        }
        if self.open.as_ref().is_none_or(|open| open.id != id) {
            self.end();
            let before = me.hop - 1;
            let limit = handed::max_len(me.wire.cascade, me.directory.parameters(), before);
            match upstream.batch(id, limit, &self.file) {
                Ok(true) => {}
                Ok(false) => return Ok(Begun::NothingYet),
                // The edge's doing, or a roster with larger batches than this mix was started with. Others are taken meanwhile.
                Err(UpstreamError::Edge(RequestError::TooLong)) => {
                    self.end();
                    return Ok(Begun::Another);
                }
                Err(e) => return Err(e.into()),
            }
            match self.look_through(me, keys, id) {
                Ok(open) => self.open = Some(open),
                Err(IncomingRejected::Disk(e)) => return Err(disk(e)),
                Err(why) => {
                    self.end();
                    let signed_so = matches!(why, IncomingRejected::Batch);
                    return Ok(if signed_so { Begun::Refused } else { Begun::Another });
                }
            }
        }
        let Some(open) = &mut self.open else { return Ok(Begun::NothingYet) };
        // MIX-14: what was begun goes on only as the same. Edge and mix before may hold two batches of one name, both signed.
        if begun.is_some_and(|begun| begun.digest != open.digest) {
            self.end();
            return Ok(Begun::Another);
        }
        // After a stop, or a run that could not be stored: what was taken is passed over.
        match open.restart(me, keys, next) {
            Ok(()) => Ok(Begun::Here),
            Err(IncomingRejected::Disk(e)) => Err(disk(e)),
            Err(_) => Ok(Begun::Refused),
        }
    }

    fn look_through(&self, me: &Me, keys: &Keys, id: BatchId) -> Result<Open, IncomingRejected> {
        let incoming = Incoming::open(&self.file)?;
        let (_, manifest) = incoming.check(&me.directory, me.hop - 1, id)?;
        // BAT-07: as many entries as the manifest states, since everyone counts by manifests.
        let (key, count) = keys
            .tried(id.round)
            .map(|key| Ok((key, incoming.count(&me.wire, me.hop, key)?)))
            .find(|opened| !matches!(opened, Err(IncomingRejected::Batch)))
            .unwrap_or(Err(IncomingRejected::Batch))?;
        if count != manifest.count_out {
            return Err(IncomingRejected::Batch);
        }
        let entries = incoming.entries(&me.wire, me.hop, key)?;
        let digest = manifest.outputs.first().copied().ok_or(IncomingRejected::Batch)?;
        Ok(Open { id, key: key.public().id(), digest, incoming, entries })
    }

    /// At most `most` entries, fewer if that takes opening more than is worth while.
    pub(super) fn next(&mut self, most: usize, enough: usize) -> Result<Given, MixError> {
        let gone = || disk(std::io::ErrorKind::NotFound.into());
        let open = self.open.as_mut().ok_or_else(gone)?;
        let entries = open.entries.next(most, enough).map_err(|e| match e {
            IncomingRejected::Disk(e) => disk(e),
            // It opened when it was looked through.
            _ => disk(std::io::ErrorKind::InvalidData.into()),
        })?;
        Ok(Given { entries, taken: open.entries.taken(), ended: open.entries.is_over(), digest: open.digest })
    }

    /// Lets go of the file. If that fails, the next start does it.
    pub(super) fn end(&mut self) {
        self.open = None;
        let _ = std::fs::remove_file(&self.file);
    }
}

impl Open {
    fn restart(&mut self, me: &Me, keys: &Keys, next: u64) -> Result<(), IncomingRejected> {
        if self.entries.taken() > next {
            let mut tried = keys.tried(self.id.round);
            let key = tried.find(|key| key.public().id() == self.key).ok_or(IncomingRejected::Batch)?;
            self.entries = self.incoming.entries(&me.wire, me.hop, key)?;
        }
        while self.entries.taken() < next {
            let left = usize::try_from(next - self.entries.taken()).unwrap_or(usize::MAX);
            if self.entries.next(left, 0)?.is_empty() {
                break;
            }
        }
        Ok(())
    }
}
