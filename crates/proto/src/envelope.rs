//! Envelopes and cover, by one code path. Spec: envelope.md §4-6.
//!
//! An envelope is fixed offsets all the way down: no parser, no length field before authentication.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::id::{Digest, NetworkId};
use crate::pass::DeskPass;
use crate::seal::{self, Exporter, NotOpened, SealPublic, SealSecret, Use};
use crate::size::{Cascade, ENVELOPE, EXIT_HEADER, READER_SLOT};

/// What every layer of a network's envelopes is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The network.
    pub network: NetworkId,
    /// How many mixes.
    pub cascade: Cascade,
}

/// An envelope without the layers of the mixes before the exit: what the queue keeps. `cascade.blob()` bytes.
///
/// It is sent at most once, so it has no `Clone`.
pub struct Blob(Vec<u8>);

impl Blob {
    /// Takes bytes kept by [`Self::as_bytes`].
    pub fn from_bytes(wire: &Wire, bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == wire.cascade.blob()).then_some(Self(bytes))
    }

    /// The bytes to keep.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Classes of the exit header.
mod class {
    pub(super) const COVER: u8 = 0;
    pub(super) const TO_DESK: u8 = 1;
    pub(super) const TO_READERS: u8 = 2;
}

/// Cover: an envelope with nothing in it, which nobody but the exit can tell from a message.
pub fn cover(wire: &Wire, exit: &SealPublic, rng: &mut impl CryptoRng) -> Blob {
    let nothing = Zeroizing::new(vec![0; wire.cascade.message()]);
    seal_inner(
        wire,
        &Inner { class: class::COVER, desk: None, message: &nothing, slots: &[], pass: None },
        exit,
        rng,
    )
    .blob
}

/// A message to a desk. `message` is [`crate::conversation::Message::pack`]ed: `cascade.message()` bytes. The exporter
/// starts the reply chain.
pub fn to_desk(
    wire: &Wire,
    desk: &SealPublic,
    message: &[u8],
    exit: &SealPublic,
    rng: &mut impl CryptoRng,
) -> (Blob, Exporter) {
    let it = Inner { class: class::TO_DESK, desk: Some(desk), message, slots: &[], pass: None };
    let sealed = seal_inner(wire, &it, exit, rng);
    (sealed.blob, sealed.exporter)
}

/// A mix's decoy: what looks like a message at the exit if `real`, else cover. With it, of a real one, the digest of its box,
/// by which the mix knows it again in a desk drop.
pub fn decoy(wire: &Wire, real: bool, exit: &SealPublic, rng: &mut impl CryptoRng) -> (Blob, Option<Digest>) {
    let nothing = Zeroizing::new(vec![0; wire.cascade.message()]);
    let class = if real { class::TO_DESK } else { class::COVER };
    let sealed =
        seal_inner(wire, &Inner { class, desk: None, message: &nothing, slots: &[], pass: None }, exit, rng);
    (sealed.blob, real.then_some(sealed.boxed))
}

/// Slots for the reader drop, from a desk, which proves with the `pass` that it is one. At most `cascade.slots()` of them.
pub fn to_readers(
    wire: &Wire,
    slots: &[[u8; READER_SLOT]],
    pass: &DeskPass,
    exit: &SealPublic,
    rng: &mut impl CryptoRng,
) -> Blob {
    assert!(!slots.is_empty() && slots.len() <= wire.cascade.slots(), "1 to {} slots", wire.cascade.slots());
    let nothing = Zeroizing::new(vec![0; wire.cascade.message()]);
    let it = Inner { class: class::TO_READERS, desk: None, message: &nothing, slots, pass: Some(pass) };
    seal_inner(wire, &it, exit, rng).blob
}

struct Inner<'a> {
    class: u8,
    desk: Option<&'a SealPublic>,
    message: &'a [u8],
    slots: &'a [[u8; READER_SLOT]],
    pass: Option<&'a DeskPass>,
}

/// A blob, the exporter of its box and the box's digest.
struct Sealed {
    blob: Blob,
    exporter: Exporter,
    boxed: Digest,
}

// envelope.md §4, the same steps for every class:
//   (sk', pk')  a throw-away key
//   box         = seal(Box, desk if class 1 else pk', message)
//   box         = slots || random                               if class 2
//   proof       = HMAC(pass, box) if class 2, else zero
//   X           = class 1 | slots 1 | proof 32 | zero 14 | box
//   blob        = seal(Layer(k - 1), exit, X)
fn seal_inner(wire: &Wire, it: &Inner<'_>, exit: &SealPublic, rng: &mut impl CryptoRng) -> Sealed {
    assert_eq!(it.message.len(), wire.cascade.message(), "a message is packed to its one length");
    let nobody = SealSecret::generate(rng);
    let (mut boxed, exporter) =
        seal::seal(Use::Box, &wire.network, it.desk.unwrap_or(nobody.public()), it.message, rng);
    if it.class == class::TO_READERS {
        let used = it.slots.len() * READER_SLOT;
        boxed[..used].copy_from_slice(it.slots.as_flattened());
        rng.fill_bytes(&mut boxed[used..]);
    }
    let mut inner = Zeroizing::new(vec![0; EXIT_HEADER]);
    inner[0] = it.class;
    inner[1] = it.slots.len() as u8;
    if let Some(pass) = it.pass {
        inner[2..34].copy_from_slice(&pass.proof(&boxed));
    }
    inner.extend_from_slice(&boxed);
    let (blob, _) = seal::seal(Use::Layer(wire.cascade.exit()), &wire.network, exit, &inner, rng);
    Sealed { blob: Blob(blob), exporter, boxed: Digest::of(&boxed) }
}

/// What travels: exactly [`ENVELOPE`] bytes.
pub struct Envelope(Box<[u8; ENVELOPE]>);

impl Envelope {
    /// The bytes to send.
    pub fn as_bytes(&self) -> &[u8; ENVELOPE] {
        &self.0
    }
}

/// Adds the layers of the mixes before the exit, innermost first. `mixes` are their keys in the order of hops.
/// Consumes the blob: it is never sent again.
pub fn wrap(wire: &Wire, blob: Blob, mixes: &[SealPublic], rng: &mut impl CryptoRng) -> Envelope {
    Envelope(wrap_for(wire, blob, 0, mixes, rng).try_into().expect("the layers add up to an envelope"))
}

/// Adds the layers from `hop` on: what the mix at `hop` receives, `cascade.layer(hop)` bytes. `mixes` are the keys of that mix
/// and those after it, before the exit. So a mix puts its decoys among what it passes on.
pub fn wrap_for(wire: &Wire, blob: Blob, hop: u8, mixes: &[SealPublic], rng: &mut impl CryptoRng) -> Vec<u8> {
    assert_eq!(mixes.len(), usize::from(wire.cascade.exit() - hop), "one key for each mix before the exit");
    let mut layer = blob.0;
    for (hop, key) in (hop..wire.cascade.exit()).zip(mixes).rev() {
        layer = seal::seal(Use::Layer(hop), &wire.network, key, &layer, rng).0;
    }
    layer
}

/// Names one layer for as long as its key lives: HPKE export("firsthand/v1 replay", 16).
pub type ReplayTag = [u8; 16];

/// A mix before the exit opens its layer. Returns what the next hop receives.
///
/// # Errors
/// One opaque value: wrong length (ENV-01) or not sealed to this key, hop and network (ENV-02).
pub fn open_layer(
    wire: &Wire,
    hop: u8,
    key: &SealSecret,
    layer: &[u8],
) -> Result<(ReplayTag, Vec<u8>), NotOpened> {
    debug_assert!(hop < wire.cascade.exit());
    // ENV-01: what a hop receives has the one length of that hop.
    if layer.len() != wire.cascade.layer(hop) {
        return Err(NotOpened);
    }
    // ENV-02: it opens under this mix's key, for this hop of this network.
    let (mut plain, exporter) = seal::open(Use::Layer(hop), &wire.network, key, layer)?;
    Ok((exporter.replay_tag(), core::mem::take(&mut *plain)))
}

/// What the exit finds in its layer.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// Nothing: it is discarded.
    Cover,
    /// A box for one desk slot, `cascade.boxed()` bytes.
    ToDesk(Vec<u8>),
    /// Slots for the reader drop.
    ToReaders(Vec<[u8; READER_SLOT]>),
}

/// The exit opens the last layer.
///
/// # Errors
/// One opaque value: wrong length (ENV-01), not sealed to this key (ENV-02), or a header that no client writes (ENV-03,
/// ENV-04, ENV-05). Of class 2 is only what has a proof under one of the `passes`.
pub fn open_exit(
    wire: &Wire,
    key: &SealSecret,
    passes: &[DeskPass],
    layer: &[u8],
) -> Result<(ReplayTag, Found), NotOpened> {
    // ENV-01
    if layer.len() != wire.cascade.blob() {
        return Err(NotOpened);
    }
    // ENV-02
    let (inner, exporter) = seal::open(Use::Layer(wire.cascade.exit()), &wire.network, key, layer)?;
    let (header, boxed) = inner.split_at(EXIT_HEADER);
    let (class, slots) = (header[0], usize::from(header[1]));
    let (proof, zero) = header[2..].split_at(32);
    // ENV-03: a desk proves that it is one, and nobody else writes a proof; zero bytes are zero.
    let proven = match class {
        class::TO_READERS => passes.iter().any(|pass| pass.verifies(boxed, proof)),
        _ => proof.iter().all(|&b| b == 0),
    };
    if !proven || zero.iter().any(|&b| b != 0) {
        return Err(NotOpened);
    }
    let found = match (class, slots) {
        (class::COVER, 0) => Found::Cover,
        (class::TO_DESK, 0) => Found::ToDesk(boxed.to_vec()),
        // ENV-05: class 2 carries as many slots as fit a box, and at least one.
        (class::TO_READERS, 1..) if slots <= wire.cascade.slots() => {
            Found::ToReaders(boxed.as_chunks().0[..slots].to_vec())
        }
        // ENV-04: the class is 0, 1 or 2, and only class 2 counts slots.
        _ => return Err(NotOpened),
    };
    Ok((exporter.replay_tag(), found))
}

/// Test support: an exit's layer with a header of one's choice. Never a client's way.
#[doc(hidden)]
pub fn dangerously_seal_exit_layer(
    wire: &Wire,
    header: &[u8; EXIT_HEADER],
    boxed: &[u8],
    exit: &SealPublic,
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    seal::seal(
        Use::Layer(wire.cascade.exit()),
        &wire.network,
        exit,
        &[header.as_slice(), boxed].concat(),
        rng,
    )
    .0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng, rngs::StdRng};

    use super::*;

    struct Town {
        wire: Wire,
        mixes: Vec<SealSecret>,
        rng: StdRng,
    }

    impl Town {
        fn new(k: u8, seed: u64) -> Self {
            let mut rng = StdRng::seed_from_u64(seed);
            let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(k).unwrap() };
            let mixes = (0..k).map(|_| SealSecret::generate(&mut rng)).collect();
            Self { wire, mixes, rng }
        }

        fn exit(&self) -> SealPublic {
            self.mixes.last().unwrap().public().clone()
        }

        fn wrap(&mut self, blob: Blob) -> Envelope {
            let keys: Vec<_> =
                self.mixes[..self.mixes.len() - 1].iter().map(|m| m.public().clone()).collect();
            wrap(&self.wire, blob, &keys, &mut self.rng)
        }

        fn through(&self, envelope: &[u8]) -> Result<Found, NotOpened> {
            let mut layer = envelope.to_vec();
            let (exit, before) = self.mixes.split_last().unwrap();
            for (hop, key) in (0u8..).zip(before) {
                layer = open_layer(&self.wire, hop, key, &layer)?.1;
            }
            Ok(open_exit(&self.wire, exit, &[pass()], &layer)?.1)
        }
    }

    #[test]
    fn every_class_arrives_through_one_to_four_mixes() {
        for k in 1..=4 {
            let mut town = Town::new(k, u64::from(k));
            let exit = town.exit();
            let blob = cover(&town.wire, &exit, &mut town.rng);
            let envelope = town.wrap(blob);
            assert_eq!(town.through(envelope.as_bytes()), Ok(Found::Cover), "k = {k}");

            let desk = SealSecret::generate(&mut town.rng);
            let message = vec![42; town.wire.cascade.message()];
            let (blob, ours) = to_desk(&town.wire, desk.public(), &message, &exit, &mut town.rng);
            let envelope = town.wrap(blob);
            let Found::ToDesk(boxed) = town.through(envelope.as_bytes()).unwrap() else { panic!("k = {k}") };
            let (plain, theirs) = seal::open(Use::Box, &town.wire.network, &desk, &boxed).unwrap();
            assert_eq!(*plain, message);
            assert_eq!(*ours.chain(), *theirs.chain());

            let slots: Vec<_> = (0..town.wire.cascade.slots()).map(|i| [i as u8; READER_SLOT]).collect();
            let blob = to_readers(&town.wire, &slots, &pass(), &exit, &mut town.rng);
            let envelope = town.wrap(blob);
            assert_eq!(town.through(envelope.as_bytes()), Ok(Found::ToReaders(slots)));
        }
    }

    #[test]
    fn a_decoy_of_any_mix_is_found_as_a_message_or_cover_is() {
        for (k, real) in [(2, true), (3, true), (3, false), (4, true)] {
            let mut town = Town::new(k, 20 + u64::from(k));
            let (exit, wire) = (town.exit(), town.wire);
            for hop in 1..k {
                let keys: Vec<_> = town.mixes[usize::from(hop)..usize::from(k) - 1]
                    .iter()
                    .map(|m| m.public().clone())
                    .collect();
                let (blob, boxed) = decoy(&wire, real, &exit, &mut town.rng);
                let mut layer = wrap_for(&wire, blob, hop, &keys, &mut town.rng);
                assert_eq!(layer.len(), wire.cascade.layer(hop));
                for (hop, key) in (hop..k - 1).zip(&town.mixes[usize::from(hop)..]) {
                    layer = open_layer(&wire, hop, key, &layer).unwrap().1;
                }
                match open_exit(&wire, town.mixes.last().unwrap(), &[], &layer).unwrap().1 {
                    Found::ToDesk(found) => assert_eq!(Some(Digest::of(&found)), boxed),
                    found => assert_eq!((found, boxed), (Found::Cover, None)),
                }
            }
        }
    }

    #[test]
    fn env_01_a_layer_of_another_length_is_refused() {
        let mut town = Town::new(3, 10);
        let exit = town.exit();
        let blob = cover(&town.wire, &exit, &mut town.rng);
        let short = blob.as_bytes()[1..].to_vec();
        assert_eq!(open_exit(&town.wire, &town.mixes[2], &[], &short), Err(NotOpened));
        let envelope = town.wrap(blob);
        let mut long = envelope.as_bytes().to_vec();
        long.push(0);
        assert_eq!(open_layer(&town.wire, 0, &town.mixes[0], &long).err(), Some(NotOpened));
    }

    #[test]
    fn env_02_a_layer_for_another_hop_or_network_is_refused() {
        let mut town = Town::new(3, 11);
        let exit = town.exit();
        let blob = cover(&town.wire, &exit, &mut town.rng);
        let envelope = town.wrap(blob);
        assert!(open_layer(&town.wire, 0, &town.mixes[1], envelope.as_bytes()).is_err());
        let elsewhere = Wire { network: NetworkId([2; 32]), ..town.wire };
        assert!(open_layer(&elsewhere, 0, &town.mixes[0], envelope.as_bytes()).is_err());
    }

    fn pass() -> DeskPass {
        DeskPass::from_bytes([8; 32])
    }

    fn headed(town: &mut Town, header: [u8; EXIT_HEADER]) -> Result<Found, NotOpened> {
        let boxed = vec![9; town.wire.cascade.boxed()];
        let exit = town.exit();
        let layer = dangerously_seal_exit_layer(&town.wire, &header, &boxed, &exit, &mut town.rng);
        open_exit(&town.wire, &town.mixes[2], &[pass()], &layer).map(|(_, found)| found)
    }

    #[test]
    fn env_03_a_proof_or_padding_that_is_not_zero_is_refused() {
        let mut town = Town::new(3, 12);
        for at in [2, 33, 34, 47] {
            let mut header = [0; EXIT_HEADER];
            assert!(headed(&mut town, header).is_ok());
            header[at] = 1;
            assert_eq!(headed(&mut town, header), Err(NotOpened), "byte {at}");
        }
    }

    #[test]
    fn env_03_a_stranger_cannot_send_slots_for_readers() {
        let mut town = Town::new(3, 18);
        let (exit, wire) = (town.exit(), town.wire);
        let blob = to_readers(&wire, &[[7; READER_SLOT]], &pass(), &exit, &mut town.rng);
        let open = |passes: &[DeskPass]| open_exit(&wire, &town.mixes[2], passes, blob.as_bytes()).is_ok();
        let other = || DeskPass::from_bytes([9; 32]);
        assert!(open(&[pass()]) && open(&[other(), pass()]));
        assert!(!open(&[]) && !open(&[other()]));
        // Without a proof, and with one over another box.
        for proof in [[0; 32], pass().proof(b"another")] {
            let mut header = [0; EXIT_HEADER];
            (header[0], header[1]) = (class::TO_READERS, 1);
            header[2..34].copy_from_slice(&proof);
            assert_eq!(headed(&mut town, header), Err(NotOpened));
        }
    }

    #[test]
    fn env_04_an_unknown_class_is_refused() {
        let mut town = Town::new(3, 13);
        for (class, slots) in [(3, 0), (255, 0), (0, 1), (1, 1)] {
            let mut header = [0; EXIT_HEADER];
            (header[0], header[1]) = (class, slots);
            assert_eq!(headed(&mut town, header), Err(NotOpened), "class {class}, slots {slots}");
        }
    }

    #[test]
    fn env_05_more_slots_than_a_box_holds_are_refused() {
        let mut town = Town::new(3, 14);
        for (slots, good) in [(0, false), (1, true), (4, true), (5, false), (255, false)] {
            let mut header = [0; EXIT_HEADER];
            (header[0], header[1]) = (class::TO_READERS, slots);
            header[2..34].copy_from_slice(&pass().proof(&vec![9; town.wire.cascade.boxed()]));
            assert_eq!(headed(&mut town, header).is_ok(), good, "{slots} slots");
        }
    }

    #[test]
    fn the_same_layer_opened_twice_has_the_same_replay_tag_and_another_has_another() {
        let mut town = Town::new(3, 15);
        let exit = town.exit();
        let tags: Vec<_> = (0..2)
            .flat_map(|_| {
                let blob = cover(&town.wire, &exit, &mut town.rng);
                [0, 1].map(|_| open_exit(&town.wire, &town.mixes[2], &[], blob.as_bytes()).unwrap().0)
            })
            .collect();
        assert_eq!(tags[0], tags[1]);
        assert_eq!(tags[2], tags[3]);
        assert_ne!(tags[0], tags[2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn any_flipped_bit_dies_at_the_first_hop(byte in 0..ENVELOPE, bit in 0u32..8) {
            let mut town = Town::new(3, 16);
            let exit = town.exit();
            let blob = cover(&town.wire, &exit, &mut town.rng);
            let mut bent = town.wrap(blob).as_bytes().to_vec();
            bent[byte] ^= 1u8 << bit;
            prop_assert!(open_layer(&town.wire, 0, &town.mixes[0], &bent).is_err());
        }

        #[test]
        fn garbage_never_opens(seed: u64) {
            let town = Town::new(3, 17);
            let mut garbage = vec![0; ENVELOPE];
            StdRng::seed_from_u64(seed).fill_bytes(&mut garbage);
            prop_assert!(open_layer(&town.wire, 0, &town.mixes[0], &garbage).is_err());
        }
    }
}
