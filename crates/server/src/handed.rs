//! What one service hands another: a signed manifest, and with it what it names. Spec: mix.md §7.
//!
//! ```text
//! length of the manifest 4 (big-endian) | manifest | payload
//! ```
//! The payload is a sealed batch or, from the exit, the desk drop followed by the reader drop.

use bytes::Bytes;
use proto::codec::{self, Malformed};
use proto::directory::{Directory, Parameters};
use proto::drops::DeskDrop;
use proto::edition::check_manifest;
use proto::mix::{BatchId, Manifest};
use proto::sign::Unverified;
use proto::size::{Cascade, ENC, READER_SLOT, TAG};
use proto::{Digest, Round};

/// The longest manifest, in bytes: room for the digests of some 1,900 inputs.
pub const MAX_MANIFEST: usize = 64 * 1024;

/// A manifest and what it names, not yet checked.
#[derive(Clone)]
pub struct Handed {
    body: Bytes,
    manifest: usize,
}

/// Why what was handed over is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandedRejected {
    /// BAT-03
    #[error("the manifest is not signed by the mix at its hop")]
    Manifest,
    /// BAT-04
    #[error("the manifest names another batch")]
    Batch,
    /// BAT-05
    #[error("the bytes are not those that the manifest names")]
    Payload,
    /// The bytes do not have the form they should.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl Handed {
    /// Puts a manifest before what it names.
    pub fn new(manifest: &Unverified<Manifest>, payload: &[u8]) -> Self {
        let mut body = head(manifest);
        body.extend_from_slice(payload);
        Self { manifest: codec::encode(manifest).len(), body: body.into() }
    }

    /// Reads what [`Self::body`] gave.
    pub fn parse(body: Bytes) -> Result<Self, Malformed> {
        let (length, rest) = body.split_at_checked(4).ok_or(Malformed)?;
        let manifest = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        if manifest > MAX_MANIFEST || manifest > rest.len() {
            return Err(Malformed);
        }
        Ok(Self { manifest, body })
    }

    /// The bytes that travel.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// What the manifest names.
    pub fn payload(&self) -> Bytes {
        self.body.slice(4 + self.manifest..)
    }

    /// The manifest as its mix signed it.
    pub fn manifest(&self) -> Result<Unverified<Manifest>, Malformed> {
        codec::decode(&self.body[4..4 + self.manifest])
    }

    /// The manifest's bytes.
    pub fn manifest_bytes(&self) -> Bytes {
        self.body.slice(4..4 + self.manifest)
    }

    /// Checks that these are the exit's drops of `round`.
    ///
    /// # Errors
    /// BAT-03 to BAT-05, as [`HandedRejected`] says.
    pub fn check_drops(
        &self,
        directory: &Directory,
        round: Round,
    ) -> Result<(Unverified<Manifest>, Manifest), HandedRejected> {
        let cascade = directory.wire().cascade;
        let id = BatchId { round, part: 0 };
        let (signed, manifest) = check_signed(&self.manifest_bytes(), directory, cascade.exit(), id)?;
        // BAT-05: they are those that the manifest names, and have the published lengths.
        let payload = self.payload();
        let desk = desk_drop_len(cascade, directory.parameters());
        if payload.len() != desk + reader_drop_len(directory.parameters()) {
            return Err(HandedRejected::Payload);
        }
        let named = [Digest::of(&payload[..desk]), Digest::of(&payload[desk..])];
        if manifest.outputs == named { Ok((signed, manifest)) } else { Err(HandedRejected::Payload) }
    }
}

/// Reads a manifest, and checks that it is of the output `id` of the mix at `hop`.
pub(crate) fn check_signed(
    manifest: &[u8],
    directory: &Directory,
    hop: u8,
    id: BatchId,
) -> Result<(Unverified<Manifest>, Manifest), HandedRejected> {
    let signed: Unverified<Manifest> = codec::decode(manifest)?;
    // BAT-03: nothing is taken but with its manifest, signed by the mix that made it.
    let manifest = check_manifest(&signed, directory).map_err(|_| HandedRejected::Manifest)?;
    // BAT-04: the manifest is of this hop and this batch.
    if (manifest.hop, manifest.batch) == (hop, id) {
        Ok((signed, manifest))
    } else {
        Err(HandedRejected::Batch)
    }
}

/// What travels before the payload.
pub(crate) fn head(manifest: &Unverified<Manifest>) -> Vec<u8> {
    let manifest = codec::encode(manifest);
    let length = u32::try_from(manifest.len()).expect("a manifest is short").to_be_bytes();
    [length.as_slice(), &manifest].concat()
}

/// Length of a desk drop in bytes.
pub fn desk_drop_len(cascade: Cascade, parameters: &Parameters) -> usize {
    DeskDrop::len(cascade, parameters.desk_slots, parameters.desks)
}

/// Length of a reader drop in bytes.
pub fn reader_drop_len(parameters: &Parameters) -> usize {
    usize::from(parameters.reader_slots) * READER_SLOT
}

/// The most that the mix at `hop` hands over, in bytes.
pub fn max_len(cascade: Cascade, parameters: &Parameters, hop: u8) -> usize {
    let payload = if hop == cascade.exit() {
        desk_drop_len(cascade, parameters) + reader_drop_len(parameters)
    } else {
        let most = parameters.n_max as usize + parameters.decoys.onions() as usize;
        let plain = most * cascade.layer(hop + 1);
        ENC + plain + (plain / proto::seal::CHUNK + 1) * TAG
    };
    4 + MAX_MANIFEST + payload
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Town;

    #[test]
    fn bat_05_drops_that_the_manifest_does_not_name_are_refused() {
        let town = Town::new(3);
        let (desk, reader) = (vec![1; 4 * 4736 + 3 * 1168], vec![2; 4 * 1024]);
        let round = Round(3);
        let manifest = Manifest {
            batch: BatchId { round, part: 0 },
            hop: 2,
            inputs: vec![],
            count_in: 9,
            count_out: 8,
            outputs: vec![Digest::of(&desk), Digest::of(&reader)],
            deleted: 0,
            alarm: false,
        };
        let signed = Unverified::sign(&manifest, &town.network, &town.mixes[2]);
        let checked = |payload: &[u8], round| {
            Handed::new(&signed, payload).check_drops(&town.directory, round).map(|(_, manifest)| manifest)
        };
        let both = [desk.as_slice(), &reader].concat();
        assert_eq!(checked(&both, round), Ok(manifest));
        assert_eq!(checked(&both, round.next()), Err(HandedRejected::Batch), "BAT-04");
        for bad in [&both[1..], &both[..both.len() - 1], &[], &[reader.as_slice(), &desk].concat()] {
            assert_eq!(checked(bad, round), Err(HandedRejected::Payload));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_not_but_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(handed) = Handed::parse(bytes.into()) {
                let _ = (handed.manifest(), handed.payload());
            }
        }
    }
}
