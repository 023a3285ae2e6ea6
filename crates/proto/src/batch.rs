//! A batch on its way from one mix to the next: sealed as a whole, so that whoever stores it sees no entry.
//! Spec: mix.md §7.

use rand_core::CryptoRng;

use crate::envelope::Wire;
use crate::seal::{CHUNK, NotOpened, SealPublic, SealSecret, StreamOpen, StreamSeal, Use};
use crate::size::{ENC, TAG};

/// Seals entries one by one into the stream that the mix at `hop` opens.
pub struct BatchSeal {
    stream: StreamSeal,
    pending: Vec<u8>,
}

impl BatchSeal {
    /// Starts a batch for the mix at `hop`; appends its first bytes to `out`.
    pub fn new(wire: &Wire, hop: u8, to: &SealPublic, rng: &mut impl CryptoRng, out: &mut Vec<u8>) -> Self {
        let (stream, enc) = StreamSeal::new(Use::Batch(hop), &wire.network, to, rng);
        out.extend_from_slice(&enc);
        Self { stream, pending: Vec::with_capacity(2 * CHUNK) }
    }

    /// Adds an entry, and appends what is ready to `out`.
    pub fn entry(&mut self, entry: &[u8], out: &mut Vec<u8>) {
        self.pending.extend_from_slice(entry);
        // The last chunk may be as long as any other, so a full one waits until more comes.
        while self.pending.len() > CHUNK {
            out.extend_from_slice(&self.stream.chunk(&self.pending[..CHUNK], false));
            self.pending.drain(..CHUNK);
        }
    }

    /// Ends the batch.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.stream.chunk(&self.pending, true));
    }
}

/// A chunk of a batch as sealed, but for the last, which may be shorter.
pub const SEALED_CHUNK: usize = CHUNK + TAG;

/// Opens a batch chunk by chunk, so that one larger than memory can be taken.
pub struct BatchOpen {
    stream: StreamOpen,
    len: usize,
    pending: Vec<u8>,
}

impl BatchOpen {
    /// Starts from the encapsulation, the batch's first 1120 bytes.
    pub fn new(wire: &Wire, hop: u8, key: &SealSecret, enc: &[u8]) -> Result<Self, NotOpened> {
        let stream = StreamOpen::new(Use::Batch(hop), &wire.network, key, enc)?;
        Ok(Self { stream, len: wire.cascade.layer(hop), pending: Vec::new() })
    }

    /// Opens the next chunk of at most [`SEALED_CHUNK`] bytes, and appends the entries that end in it.
    ///
    /// # Errors
    /// BAT-01: it is not the next, or not the last though it should be.
    pub fn chunk(&mut self, sealed: &[u8], last: bool, entries: &mut Vec<Vec<u8>>) -> Result<(), NotOpened> {
        // BAT-01: every chunk opens in its place, and the last says that it is the last.
        self.pending.extend(self.stream.chunk(sealed, last)?);
        let whole = self.pending.len() / self.len * self.len;
        entries.extend(self.pending[..whole].chunks_exact(self.len).map(<[u8]>::to_vec));
        self.pending.drain(..whole);
        Ok(())
    }

    /// After the last chunk.
    ///
    /// # Errors
    /// BAT-02: the last entry is not whole.
    pub fn finish(self) -> Result<(), NotOpened> {
        // BAT-02: entries are whole.
        if self.pending.is_empty() { Ok(()) } else { Err(NotOpened) }
    }
}

/// Opens a batch sealed to the mix at `hop`, and gives its entries in order, each `cascade.layer(hop)` bytes.
///
/// # Errors
/// BAT-01: it is not whole, not sealed to this mix, or not a number of whole entries.
pub fn open(wire: &Wire, hop: u8, key: &SealSecret, sealed: &[u8]) -> Result<Vec<Vec<u8>>, NotOpened> {
    let (enc, rest) = sealed.split_at_checked(ENC).ok_or(NotOpened)?;
    let mut batch = BatchOpen::new(wire, hop, key, enc)?;
    let mut entries = Vec::new();
    let mut chunks = rest.chunks(SEALED_CHUNK).peekable();
    if chunks.peek().is_none() {
        return Err(NotOpened);
    }
    while let Some(chunk) = chunks.next() {
        batch.chunk(chunk, chunks.peek().is_none(), &mut entries)?;
    }
    batch.finish()?;
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::id::NetworkId;
    use crate::size::Cascade;

    fn sealed(n: usize, len: usize) -> (Wire, SealSecret, Vec<u8>, Vec<Vec<u8>>) {
        let mut rng = StdRng::seed_from_u64(n as u64);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let key = SealSecret::generate(&mut rng);
        let entries: Vec<_> = (0..n).map(|i| vec![i as u8; len]).collect();
        let mut out = Vec::new();
        let mut batch = BatchSeal::new(&wire, 1, key.public(), &mut rng, &mut out);
        for entry in &entries {
            batch.entry(entry, &mut out);
        }
        batch.finish(&mut out);
        (wire, key, out, entries)
    }

    #[test]
    fn bat_01_a_batch_opens_whole_or_not_at_all() {
        for n in [0, 1, 9, 10, 40] {
            let (wire, key, bytes, entries) = sealed(n, 7056);
            assert_eq!(open(&wire, 1, &key, &bytes).unwrap(), entries, "{n} entries");
            assert!(open(&wire, 2, &key, &bytes).is_err(), "another hop");
            assert!(open(&wire, 1, &key, &bytes[..bytes.len() - 1]).is_err());
            assert!(open(&wire, 1, &key, &bytes[..ENC]).is_err(), "no chunk");
            assert!(open(&wire, 1, &key, &[]).is_err());
        }
        let (wire, key, bytes, _) = sealed(40, 7056);
        let cut = &bytes[..ENC + CHUNK + TAG];
        assert!(open(&wire, 1, &key, cut).is_err(), "cut between two chunks");
    }

    #[test]
    fn bat_02_entries_are_whole() {
        let (wire, key, bytes, _) = sealed(3, 7055);
        assert!(open(&wire, 1, &key, &bytes).is_err());
    }
}
