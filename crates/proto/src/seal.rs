//! Sealing: HPKE (RFC 9180), mode base, KEM X-Wing (0x647a), HKDF-SHA256, ChaCha20-Poly1305. Spec: envelope.md §3.
//!
//! What cannot be opened gives one opaque error: the reason would help only an attacker.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::id::{KeyId, NetworkId, short_hash};
use crate::size::{ENC, SEAL, TAG};

/// What a seal is for. It stands in HPKE's `info`, so that one kind of seal never opens as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// A layer of an envelope, sealed to the mix at this hop.
    Layer(u8),
    /// A whole batch, sealed to the mix at this hop.
    Batch(u8),
    /// A box, sealed to a desk or to nobody.
    Box,
    /// A desk pass, sealed to a desk or to nobody.
    Pass,
}

impl Use {
    // info = "firsthand/v1 " label 0x00 network[32] hop[1] key id[16]
    fn info(self, network: &NetworkId, to: &KeyId) -> Vec<u8> {
        let (label, hop): (&[u8], u8) = match self {
            Use::Layer(hop) => (b"layer", hop),
            Use::Batch(hop) => (b"batch", hop),
            Use::Box => (b"box", 0xff),
            Use::Pass => (b"pass", 0xff),
        };
        [b"firsthand/v1 ", label, &[0], &network.0, &[hop], &to.0].concat()
    }
}

/// The public half of a sealing key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealPublic {
    key: <XWing as Kem>::PublicKey,
    id: KeyId,
}

impl SealPublic {
    /// Length in bytes: ML-KEM-768 public key, X25519 public key.
    pub const LEN: usize = 1184 + 32;

    /// Reads a public key, checking what ML-KEM (FIPS 203 §7.2) asks to check.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = <XWing as Kem>::PublicKey::from_bytes(bytes).ok()?;
        Some(Self { id: KeyId(short_hash("firsthand/v1 key", bytes)), key })
    }

    /// The key as bytes, [`Self::LEN`] of them.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.key.to_bytes().to_vec()
    }

    /// Its name.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

/// The secret half of a sealing key. Cleared when dropped.
pub struct SealSecret {
    key: <XWing as Kem>::PrivateKey,
    public: SealPublic,
}

impl SealSecret {
    /// Length of the seed it is kept as.
    pub const LEN: usize = 32;

    /// A new key.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let (key, public) = XWing::gen_keypair_with_rng(rng);
        let public = SealPublic::from_bytes(&public.to_bytes()).expect("a fresh key is well formed");
        Self { key, public }
    }

    /// The key kept as these 32 bytes.
    pub fn from_seed(seed: &[u8; Self::LEN]) -> Self {
        let key = <XWing as Kem>::PrivateKey::from_bytes(seed).expect("any 32 bytes are a seed");
        let public = SealPublic::from_bytes(&XWing::sk_to_pk(&key).to_bytes()).expect("derived just now");
        Self { key, public }
    }

    /// The 32 bytes to keep it as.
    pub fn to_seed(&self) -> Zeroizing<[u8; Self::LEN]> {
        let mut seed = Zeroizing::new([0; Self::LEN]);
        self.key.write_exact(seed.as_mut_slice());
        seed
    }

    /// Its public half.
    pub fn public(&self) -> &SealPublic {
        &self.public
    }
}

/// It did not open. There is no reason to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not be opened")]
pub struct NotOpened;

/// Secrets that sealer and opener share besides the text (HPKE's exporter, RFC 9180 §5.3).
pub struct Exporter([u8; 48]);

impl Exporter {
    // replay = export("firsthand/v1 replay", 16), chain = export("firsthand/v1 chain", 32)
    fn read(export: impl Fn(&[u8], &mut [u8]) -> Result<(), hpke::HpkeError>) -> Self {
        let mut out = [0; 48];
        let (replay, chain) = out.split_at_mut(16);
        export(b"firsthand/v1 replay", replay).expect("16 bytes are within HKDF's limit");
        export(b"firsthand/v1 chain", chain).expect("32 bytes are within HKDF's limit");
        Self(out)
    }

    /// Tells this seal from every other; the same for whoever opens the same bytes again.
    pub fn replay_tag(&self) -> [u8; 16] {
        self.0[..16].try_into().expect("16 bytes")
    }

    /// From this a reply chain starts.
    pub fn chain(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0[16..].try_into().expect("32 bytes"))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

/// Seals `plain` to `to`: enc 1120, ciphertext, tag 16.
pub fn seal(
    usage: Use,
    network: &NetworkId,
    to: &SealPublic,
    plain: &[u8],
    rng: &mut impl CryptoRng,
) -> (Vec<u8>, Exporter) {
    let info = usage.info(network, &to.id);
    let (enc, mut context) = hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeS::Base,
        &to.key,
        &info,
        rng,
    )
    .expect("encapsulating to a checked key does not fail");
    let mut sealed = Vec::with_capacity(plain.len() + SEAL);
    sealed.extend_from_slice(&enc.to_bytes());
    sealed.extend_from_slice(&context.seal(plain, b"").expect("the first of 2^64 messages"));
    (sealed, Exporter::read(|label, out| context.export(label, out)))
}

/// Opens what [`seal`] made with the same `usage` and `network`.
pub fn open(
    usage: Use,
    network: &NetworkId,
    with: &SealSecret,
    sealed: &[u8],
) -> Result<(Zeroizing<Vec<u8>>, Exporter), NotOpened> {
    let (enc, rest) = sealed.split_at_checked(ENC).ok_or(NotOpened)?;
    let mut context = receiver(usage, network, with, enc)?;
    let plain = context.open(rest, b"").map_err(|_| NotOpened)?;
    Ok((Zeroizing::new(plain), Exporter::read(|label, out| context.export(label, out))))
}

type Receiver = hpke::aead::AeadCtxR<ChaCha20Poly1305, HkdfSha256, XWing>;
type Sender = hpke::aead::AeadCtxS<ChaCha20Poly1305, HkdfSha256, XWing>;

fn receiver(usage: Use, network: &NetworkId, with: &SealSecret, enc: &[u8]) -> Result<Receiver, NotOpened> {
    let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| NotOpened)?;
    let info = usage.info(network, &with.public.id);
    hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, XWing>(&OpModeR::Base, &with.key, &enc, &info)
        .map_err(|_| NotOpened)
}

/// Seals a long text chunk by chunk under one HPKE context, so that neither side holds all of it twice.
/// Each chunk's associated data says whether it is the last: a text cut short does not open.
pub struct StreamSeal(Sender);

/// Plain bytes in each chunk of a stream but the last, which may be shorter.
pub const CHUNK: usize = 64 * 1024;

impl StreamSeal {
    /// Starts a stream; write the returned encapsulation first.
    pub fn new(
        usage: Use,
        network: &NetworkId,
        to: &SealPublic,
        rng: &mut impl CryptoRng,
    ) -> (Self, Vec<u8>) {
        let info = usage.info(network, &to.id);
        let (enc, context) = hpke::setup_sender_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &to.key,
            &info,
            rng,
        )
        .expect("encapsulating to a checked key does not fail");
        (Self(context), enc.to_bytes().to_vec())
    }

    /// Seals the next chunk: [`CHUNK`] bytes, or fewer if it is the last. 16 bytes longer.
    pub fn chunk(&mut self, plain: &[u8], last: bool) -> Vec<u8> {
        debug_assert!(plain.len() == CHUNK || (last && plain.len() < CHUNK));
        self.0.seal(plain, &[u8::from(last)]).expect("fewer than 2^64 chunks")
    }
}

/// Opens a stream made by [`StreamSeal`].
pub struct StreamOpen(Receiver);

impl StreamOpen {
    /// Starts from the encapsulation, the stream's first 1120 bytes.
    pub fn new(usage: Use, network: &NetworkId, with: &SealSecret, enc: &[u8]) -> Result<Self, NotOpened> {
        receiver(usage, network, with, enc).map(Self)
    }

    /// Opens the next chunk of at most [`CHUNK`] + 16 bytes.
    pub fn chunk(&mut self, sealed: &[u8], last: bool) -> Result<Vec<u8>, NotOpened> {
        if sealed.len() > CHUNK + TAG {
            return Err(NotOpened);
        }
        self.0.open(sealed, &[u8::from(last)]).map_err(|_| NotOpened)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NET: NetworkId = NetworkId([7; 32]);

    #[test]
    fn what_is_sealed_opens_with_the_same_exports() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = SealSecret::generate(&mut rng);
        let (sealed, ours) = seal(Use::Layer(1), &NET, key.public(), b"hello", &mut rng);
        assert_eq!(sealed.len(), 5 + SEAL);
        let (plain, theirs) = open(Use::Layer(1), &NET, &key, &sealed).unwrap();
        assert_eq!(plain.as_slice(), b"hello");
        assert_eq!(ours.replay_tag(), theirs.replay_tag());
        assert_eq!(*ours.chain(), *theirs.chain());
    }

    #[test]
    fn another_use_network_hop_key_or_bit_does_not_open() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = SealSecret::generate(&mut rng);
        let other = SealSecret::generate(&mut rng);
        let (sealed, _) = seal(Use::Layer(1), &NET, key.public(), b"hello", &mut rng);
        for usage in [Use::Layer(0), Use::Layer(2), Use::Batch(1), Use::Box, Use::Pass] {
            assert!(open(usage, &NET, &key, &sealed).is_err(), "{usage:?}");
        }
        assert!(open(Use::Layer(1), &NetworkId([8; 32]), &key, &sealed).is_err());
        assert!(open(Use::Layer(1), &NET, &other, &sealed).is_err());
        for i in [0, 500, 1087, 1088, 1119, 1120, sealed.len() - 1] {
            let mut bent = sealed.clone();
            bent[i] ^= 1;
            assert!(open(Use::Layer(1), &NET, &key, &bent).is_err(), "byte {i}");
        }
        assert!(open(Use::Layer(1), &NET, &key, &sealed[..sealed.len() - 1]).is_err());
        assert!(open(Use::Layer(1), &NET, &key, &[]).is_err());
    }

    #[test]
    fn a_stream_cut_short_or_reordered_does_not_open() {
        let mut rng = StdRng::seed_from_u64(3);
        let key = SealSecret::generate(&mut rng);
        let (mut out, enc) = StreamSeal::new(Use::Batch(1), &NET, key.public(), &mut rng);
        let a = out.chunk(&[1; CHUNK], false);
        let b = out.chunk(&[2; 9], true);
        let mut back = StreamOpen::new(Use::Batch(1), &NET, &key, &enc).unwrap();
        assert_eq!(back.chunk(&a, false).unwrap(), [1; CHUNK]);
        assert_eq!(back.chunk(&b, true).unwrap(), [2; 9]);
        let mut cut = StreamOpen::new(Use::Batch(1), &NET, &key, &enc).unwrap();
        assert!(cut.chunk(&a, true).is_err(), "the first chunk offered as the last");
        let mut swapped = StreamOpen::new(Use::Batch(1), &NET, &key, &enc).unwrap();
        assert!(swapped.chunk(&b, true).is_err(), "the second chunk offered as the first");
    }

    #[test]
    fn a_key_survives_being_kept() {
        let mut rng = StdRng::seed_from_u64(4);
        let key = SealSecret::generate(&mut rng);
        let again = SealSecret::from_seed(&key.to_seed());
        assert!(again.public() == key.public());
        let (sealed, _) = seal(Use::Box, &NET, key.public(), b"x", &mut rng);
        assert!(open(Use::Box, &NET, &again, &sealed).is_ok());
    }
}
