//! What is handed over in files: a batch may be larger than memory, and is in none as a whole. Spec: mix.md §7.
//!
//! [`Outgoing`] is an output on its way to the edge; [`Incoming`] is what came, at the edge or at the next mix. The bytes are
//! those of [`Handed`](crate::handed::Handed).

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use proto::Digest;
use proto::batch::{BatchOpen, SEALED_CHUNK};
use proto::codec::Malformed;
use proto::directory::Directory;
use proto::envelope::Wire;
use proto::mix::{BatchId, Manifest};
use proto::seal::{NotOpened, SealSecret};
use proto::sign::Unverified;
use proto::size::ENC;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::handed::{HandedRejected, MAX_MANIFEST, check_signed, head};

/// Bytes read from or written to a file at once.
pub(crate) const PIECE: usize = 256 * 1024;

/// An output to be handed over: its manifest, and a file with what that names.
pub struct Outgoing {
    head: Bytes,
    payload: PathBuf,
    len: u64,
    digest: Digest,
}

impl Outgoing {
    /// Reads the file once, to know what will be signed for.
    pub(crate) fn open(manifest: &Unverified<Manifest>, payload: PathBuf) -> io::Result<Self> {
        let head = Bytes::from(head(manifest));
        let mut hash = Sha256::new_with_prefix(&head);
        let mut file = File::open(&payload)?;
        let len = head.len() as u64 + io::copy(&mut file, &mut Hashing(&mut hash, io::sink()))?;
        Ok(Self { head, payload, len, digest: Digest(hash.finalize().into()) })
    }

    /// SHA-256 of all that travels.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Writes all that travels.
    pub fn write_to(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.head)?;
        io::copy(&mut File::open(&self.payload)?, to).map(drop)
    }

    /// The body of a request, read from the file as it is sent.
    pub(crate) fn body(&self) -> io::Result<FileBody> {
        let (pieces, taken) = mpsc::channel(2);
        let (head, mut file) = (self.head.clone(), File::open(&self.payload)?);
        tokio::task::spawn_blocking(move || {
            let mut piece = Ok(head);
            // Until the end, a failure, or nobody takes any more.
            while !piece.as_ref().is_ok_and(Bytes::is_empty) {
                let failed = piece.is_err();
                if pieces.blocking_send(piece).is_err() || failed {
                    return;
                }
                piece = next_piece(&mut file);
            }
        });
        Ok(FileBody { taken, left: self.len })
    }
}

fn next_piece(file: &mut File) -> io::Result<Bytes> {
    let mut piece = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece.into())
}

/// Pieces of a file with their sum known.
pub(crate) struct FileBody {
    taken: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl http_body::Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        self.taken.poll_recv(cx).map(|piece| {
            let piece = piece?;
            if let Ok(piece) = &piece {
                self.left = self.left.saturating_sub(piece.len() as u64);
            }
            Some(piece.map(Frame::data))
        })
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Hashes what is written through it.
struct Hashing<'a, W>(&'a mut Sha256, W);

impl<W: Write> Write for Hashing<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.1.write(bytes)?;
        self.0.update(&bytes[..n]);
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.1.flush()
    }
}

/// What was handed over, in a file, not yet checked.
pub struct Incoming {
    path: PathBuf,
    manifest: Vec<u8>,
    payload: u64,
}

/// Why what lies in a file is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IncomingRejected {
    /// It is not what it should be.
    #[error(transparent)]
    Handed(#[from] HandedRejected),
    /// BAT-01, BAT-02, BAT-07
    #[error("the batch does not open as what its manifest says")]
    Batch,
    /// Our disk failed.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl From<Malformed> for IncomingRejected {
    fn from(e: Malformed) -> Self {
        Self::Handed(e.into())
    }
}

impl From<NotOpened> for IncomingRejected {
    fn from(_: NotOpened) -> Self {
        Self::Batch
    }
}

impl Incoming {
    /// Reads the beginning of a file that holds what was handed over.
    ///
    /// # Errors
    /// It is too short, or says that its manifest is longer than [`MAX_MANIFEST`]; or our disk failed.
    pub fn open(path: &Path) -> Result<Self, IncomingRejected> {
        let mut file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut length = [0; 4];
        if len < 4 {
            return Err(Malformed.into());
        }
        file.read_exact(&mut length)?;
        let manifest = u32::from_be_bytes(length) as usize;
        if manifest > MAX_MANIFEST || 4 + manifest as u64 > len {
            return Err(Malformed.into());
        }
        let mut bytes = vec![0; manifest];
        file.read_exact(&mut bytes)?;
        Ok(Self { path: path.to_owned(), manifest: bytes, payload: 4 + manifest as u64 })
    }

    /// The manifest's bytes.
    pub(crate) fn manifest_bytes(&self) -> &[u8] {
        &self.manifest
    }

    /// Checks that this is the output `id` of the mix at `hop`, which is not the exit.
    ///
    /// # Errors
    /// BAT-03 to BAT-05, as [`HandedRejected`] says; or our disk failed.
    pub fn check(
        &self,
        directory: &Directory,
        hop: u8,
        id: BatchId,
    ) -> Result<(Unverified<Manifest>, Manifest), IncomingRejected> {
        let (signed, manifest) = check_signed(&self.manifest, directory, hop, id)?;
        // BAT-05: the bytes are those that the manifest names.
        let mut hash = Sha256::new();
        io::copy(&mut self.payload()?, &mut Hashing(&mut hash, io::sink()))?;
        if manifest.outputs != [Digest(hash.finalize().into())] {
            return Err(HandedRejected::Payload.into());
        }
        Ok((signed, manifest))
    }

    /// Opens the whole batch, keeping nothing of it, and counts its entries: nothing is taken of one that is not whole.
    pub(crate) fn count(&self, wire: &Wire, hop: u8, key: &SealSecret) -> Result<u32, IncomingRejected> {
        let mut reader = self.entries(wire, hop, key)?;
        let mut count = 0u32;
        loop {
            match reader.next(usize::MAX, 0)?.len() {
                0 => return Ok(count),
                n => count = count.saturating_add(n as u32),
            }
        }
    }

    /// Its entries from the first on.
    pub(crate) fn entries(
        &self,
        wire: &Wire,
        hop: u8,
        key: &SealSecret,
    ) -> Result<Entries, IncomingRejected> {
        let mut file = self.payload()?;
        let left = file.metadata()?.len() - self.payload;
        let mut enc = [0; ENC];
        let left = left.checked_sub(ENC as u64).ok_or(NotOpened)?;
        file.read_exact(&mut enc)?;
        Ok(Entries {
            file,
            left,
            open: Some(BatchOpen::new(wire, hop, key, &enc)?),
            ready: Vec::new(),
            taken: 0,
        })
    }

    fn payload(&self) -> io::Result<File> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.payload))?;
        Ok(file)
    }
}

/// Entries of a batch, opened chunk by chunk as they are asked for.
pub(crate) struct Entries {
    file: File,
    left: u64,
    /// Until the last chunk was opened.
    open: Option<BatchOpen>,
    ready: Vec<Vec<u8>>,
    taken: u64,
}

impl Entries {
    /// How many were given.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// The next entries: at most `most`, and no more chunks are opened once there are `enough`, of at least one chunk that
    /// holds any. None left: the batch is at its end, and was whole.
    pub(crate) fn next(&mut self, most: usize, enough: usize) -> Result<Vec<Vec<u8>>, IncomingRejected> {
        while self.ready.len() < enough.max(1).min(most) {
            let Some(open) = &mut self.open else { break };
            let len = self.left.min(SEALED_CHUNK as u64);
            self.left -= len;
            let mut chunk = vec![0; len as usize];
            self.file.read_exact(&mut chunk)?;
            open.chunk(&chunk, self.left == 0, &mut self.ready)?;
            if self.left == 0
                && let Some(open) = self.open.take()
            {
                open.finish()?;
            }
        }
        let rest = self.ready.split_off(most.min(self.ready.len()));
        let next = std::mem::replace(&mut self.ready, rest);
        self.taken += next.len() as u64;
        Ok(next)
    }

    /// Whether every entry was given.
    pub(crate) fn is_over(&self) -> bool {
        self.open.is_none() && self.ready.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proto::batch::BatchSeal;
    use proto::mix::Manifest;

    use super::*;
    use crate::handed::Handed;
    use crate::testing::Town;

    const ID: BatchId = BatchId { round: proto::Round(3), part: 0 };

    /// A key of the mix at `hop`.
    fn secret(hop: u8) -> SealSecret {
        SealSecret::from_seed(&[hop; 32])
    }

    /// A batch of `count` entries from the first mix, in a file as it travels, with a manifest of `stated`.
    fn file(
        town: &mut Town,
        folder: &Path,
        count: u32,
        stated: u32,
    ) -> (PathBuf, Unverified<Manifest>, Vec<u8>) {
        let wire = town.directory.wire();
        let mut payload = Vec::new();
        let mut sealing = BatchSeal::new(&wire, 1, secret(1).public(), &mut town.rng, &mut payload);
        (0..count).for_each(|n| sealing.entry(&vec![n as u8; wire.cascade.layer(1)], &mut payload));
        sealing.finish(&mut payload);
        let manifest = Manifest {
            batch: ID,
            hop: 0,
            inputs: vec![],
            count_in: stated,
            count_out: stated,
            outputs: vec![Digest::of(&payload)],
            deleted: 0,
            alarm: false,
        };
        let signed = Unverified::sign(&manifest, &town.network, &town.mixes[0]);
        let path = folder.join("batch");
        std::fs::write(&path, Handed::new(&signed, &payload).body()).unwrap();
        (path, signed, payload)
    }

    #[test]
    fn what_goes_out_of_a_file_is_what_would_go_out_of_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut town = Town::new(1);
        let (_, signed, payload) = file(&mut town, folder.path(), 90, 90);
        let bare = folder.path().join("payload");
        std::fs::write(&bare, &payload).unwrap();
        let outgoing = Outgoing::open(&signed, bare).unwrap();
        let mut written = Vec::new();
        outgoing.write_to(&mut written).unwrap();
        let whole = Handed::new(&signed, &payload).body();
        assert_eq!(written, whole);
        assert_eq!(outgoing.digest(), Digest::of(&whole));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (hint, sent) = runtime.block_on(async {
            let mut body = outgoing.body().unwrap();
            let hint = http_body::Body::size_hint(&body).exact();
            let mut sent = Vec::new();
            while let Some(piece) = body.taken.recv().await {
                let piece = piece.unwrap();
                assert!(piece.len() <= PIECE);
                sent.extend(piece);
            }
            (hint, sent)
        });
        assert_eq!((hint, sent), (Some(whole.len() as u64), whole.to_vec()));
    }

    #[test]
    fn entries_come_in_order_however_many_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let mut town = Town::new(2);
        let (path, ..) = file(&mut town, folder.path(), 90, 90);
        let (wire, key) = (town.directory.wire(), &secret(1));
        let incoming = Incoming::open(&path).unwrap();
        assert_eq!(incoming.check(&town.directory, 0, ID).unwrap().1.count_out, 90);
        assert_eq!(incoming.count(&wire, 1, key).unwrap(), 90);
        for (most, enough) in [(1, 1), (7, 30), (30, 7), (1_000, 1), (1_000, 1_000)] {
            let mut entries = incoming.entries(&wire, 1, key).unwrap();
            let mut all = Vec::new();
            while !entries.is_over() {
                let next = entries.next(most, enough).unwrap();
                assert!(next.len() <= most && !next.is_empty());
                all.extend(next.iter().map(|entry| entry[9]));
                assert_eq!(entries.taken(), all.len() as u64);
            }
            assert_eq!(all, (0..90).collect::<Vec<u8>>(), "{most} {enough}");
            assert!(entries.next(most, enough).unwrap().is_empty());
        }
    }

    /// What is said of these bytes in a file.
    fn refused(town: &Town, path: &Path, bytes: &[u8], hop: u8, id: BatchId) -> Option<HandedRejected> {
        std::fs::write(path, bytes).unwrap();
        match Incoming::open(path).and_then(|it| it.check(&town.directory, hop, id)).err()? {
            IncomingRejected::Handed(why) => Some(why),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn bat_03_a_batch_without_its_mixs_manifest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut town = Town::new(4);
        let (path, signed, payload) = file(&mut town, folder.path(), 20, 20);
        let manifest = signed.dangerously_peek().unwrap();
        let elsewhere = proto::NetworkId([9; 32]);
        for (network, by) in [(&town.network, 1), (&elsewhere, 0)] {
            let forged = Unverified::sign(&manifest, network, &town.mixes[by]);
            let why = refused(&town, &path, &Handed::new(&forged, &payload).body(), 0, ID);
            assert_eq!(why, Some(HandedRejected::Manifest), "signed by mix {by}");
        }
    }

    /// BAT-04, BAT-05; BAT-01
    #[test]
    fn a_file_that_is_not_what_it_should_be_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut town = Town::new(3);
        let (path, ..) = file(&mut town, folder.path(), 20, 20);
        let whole = std::fs::read(&path).unwrap();
        let wire = town.directory.wire();
        let refused = |bytes: &[u8], hop, id| refused(&town, &path, bytes, hop, id);
        assert_eq!(refused(&whole, 0, ID), None);
        assert_eq!(refused(&whole, 1, ID), Some(HandedRejected::Batch));
        assert_eq!(refused(&whole, 0, BatchId { part: 1, ..ID }), Some(HandedRejected::Batch));
        let last = whole.len() - 1;
        for at in [0, 3, 4, 40] {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            assert!(refused(&bent, 0, ID).is_some(), "byte {at}");
        }
        for at in [last / 2, last] {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            assert_eq!(refused(&bent, 0, ID), Some(HandedRejected::Payload), "byte {at}");
        }
        for len in [0, 3, 4, 100] {
            assert_eq!(refused(&whole[..len], 0, ID), Some(Malformed.into()), "{len} bytes");
        }
        assert_eq!(refused(&whole[..last], 0, ID), Some(HandedRejected::Payload));
        // Whole by its digest, and no batch for this key.
        std::fs::write(&path, &whole).unwrap();
        let incoming = Incoming::open(&path).unwrap();
        assert!(incoming.count(&wire, 1, &secret(2)).is_err());
        assert!(incoming.count(&wire, 2, &secret(1)).is_err());
    }
}
