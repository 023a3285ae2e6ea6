//! What one service hands another: a signed manifest, and with it what it names. Spec: mix.md §7.
//!
//! ```text
//! length of the manifest 4 (big-endian) | manifest | payload
//! ```
//! The payload is a sealed batch or, from the exit, the desk drop followed by the reader drop.

use bytes::Bytes;
use proto::Digest;
use proto::codec::{self, Malformed};
use proto::directory::{Directory, Parameters};
use proto::drops::DeskDrop;
use proto::edition::check_manifest;
use proto::mix::{BatchId, Manifest};
use proto::sign::Unverified;
use proto::size::{Cascade, ENC, READER_SLOT, TAG};

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

    /// Checks that this is the output `id` of the mix at `hop`.
    ///
    /// # Errors
    /// BAT-03 to BAT-05, as [`HandedRejected`] says.
    pub fn check(&self, directory: &Directory, hop: u8, id: BatchId) -> Result<Manifest, HandedRejected> {
        let signed = self.manifest()?;
        // BAT-03: a batch is taken only with its manifest, signed by the mix that made it.
        let manifest = check_manifest(&signed, directory).map_err(|_| HandedRejected::Manifest)?;
        // BAT-04: the manifest is of this hop and this batch.
        if manifest.hop != hop || manifest.batch != id {
            return Err(HandedRejected::Batch);
        }
        // BAT-05: the bytes are those the manifest names; the exit's two drops have the published lengths.
        let payload = self.payload();
        let named = if hop == directory.wire().cascade.exit() {
            let desk = desk_drop_len(directory.wire().cascade, directory.parameters());
            if payload.len() != desk + reader_drop_len(directory.parameters()) {
                return Err(HandedRejected::Payload);
            }
            vec![Digest::of(&payload[..desk]), Digest::of(&payload[desk..])]
        } else {
            vec![Digest::of(&payload)]
        };
        if named == manifest.outputs { Ok(manifest) } else { Err(HandedRejected::Payload) }
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

    fn manifest(hop: u8, outputs: Vec<Digest>) -> Manifest {
        let batch = BatchId { round: proto::Round(3), part: 1 };
        Manifest { batch, hop, inputs: vec![], count_in: 9, count_out: 8, outputs, deleted: 0, alarm: false }
    }

    const ID: BatchId = BatchId { round: proto::Round(3), part: 1 };

    #[test]
    fn bat_03_a_batch_without_its_mixs_manifest_is_refused() {
        let town = Town::new(1);
        let batch = b"a batch".as_slice();
        let signed = |by: u8| {
            let m = manifest(0, vec![Digest::of(batch)]);
            Handed::new(&Unverified::sign(&m, &town.network, &town.mixes[usize::from(by)]), batch)
        };
        assert!(signed(0).check(&town.directory, 0, ID).is_ok());
        assert_eq!(signed(1).check(&town.directory, 0, ID), Err(HandedRejected::Manifest));
    }

    #[test]
    fn bat_04_a_manifest_of_another_batch_or_hop_is_refused() {
        let town = Town::new(2);
        let m = manifest(0, vec![Digest::of(b"x")]);
        let handed = Handed::new(&Unverified::sign(&m, &town.network, &town.mixes[0]), b"x");
        let other = BatchId { part: 0, ..ID };
        assert_eq!(handed.check(&town.directory, 0, other), Err(HandedRejected::Batch));
        assert_eq!(handed.check(&town.directory, 1, ID), Err(HandedRejected::Batch));
    }

    #[test]
    fn bat_05_bytes_that_the_manifest_does_not_name_are_refused() {
        let town = Town::new(3);
        let sign = |m: &Manifest, hop: usize| Unverified::sign(m, &town.network, &town.mixes[hop]);
        let m = sign(&manifest(0, vec![Digest::of(b"x")]), 0);
        assert_eq!(Handed::new(&m, b"y").check(&town.directory, 0, ID), Err(HandedRejected::Payload));
        let (desk, reader) = (vec![1; 4 * 4736 + 3 * 1168], vec![2; 4 * 1024]);
        let drops = BatchId { part: 0, ..ID };
        let m = Manifest { batch: drops, ..manifest(2, vec![Digest::of(&desk), Digest::of(&reader)]) };
        let m = sign(&m, 2);
        let both = [desk.as_slice(), &reader].concat();
        assert!(Handed::new(&m, &both).check(&town.directory, 2, drops).is_ok());
        for bad in [&both[1..], &both[..both.len() - 1], &[]] {
            assert_eq!(Handed::new(&m, bad).check(&town.directory, 2, drops), Err(HandedRejected::Payload));
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
