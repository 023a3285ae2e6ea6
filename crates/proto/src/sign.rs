//! Signatures. Each names its purpose, in its type and in the bytes signed, and the network. Spec: directory.md §2.

use core::marker::PhantomData;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use ml_dsa::{KeyInit as _, Keypair as _, MlDsa65};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::codec::{self, Malformed};
use crate::id::NetworkId;

/// What a signed thing is. A signature for one purpose does not compile as, and does not verify for, another.
pub trait Purpose {
    /// Stands in the bytes signed.
    const TAG: &'static str;
}

// "firsthand/v1 " tag 0x00 network[32] body
fn signed_bytes<P: Purpose>(network: &NetworkId, body: &[u8]) -> Vec<u8> {
    [b"firsthand/v1 ", P::TAG.as_bytes(), &[0], &network.0, body].concat()
}

/// The signature is not this signer's, over this, for this purpose, in this network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct BadSignature;

/// An Ed25519 signature for purpose `P`.
pub struct Signature<P: Purpose> {
    bytes: [u8; 64],
    purpose: PhantomData<P>,
}

impl<P: Purpose> Signature<P> {
    /// Takes 64 bytes, not yet verified.
    pub fn from_bytes(bytes: [u8; 64]) -> Self {
        Self { bytes, purpose: PhantomData }
    }

    /// The 64 bytes.
    pub fn to_bytes(&self) -> [u8; 64] {
        self.bytes
    }
}

/// The public half of an operator's or a desk's identity, or of a desk's vault key (Ed25519).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct IdentityPublic(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl IdentityPublic {
    /// Verifies strictly (RFC 8032, no small-order keys): one signature, one meaning.
    pub fn verify<P: Purpose>(
        &self,
        network: &NetworkId,
        body: &[u8],
        signature: &Signature<P>,
    ) -> Result<(), BadSignature> {
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| {
                key.verify_strict(
                    &signed_bytes::<P>(network, body),
                    &ed25519_dalek::Signature::from_bytes(&signature.bytes),
                )
            })
            .map_err(|_| BadSignature)
    }

    /// Verifies bytes of a format that is not ours, which names its purpose in its own way. As strictly.
    pub(crate) fn verify_foreign(&self, bytes: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        VerifyingKey::from_bytes(&self.0)
            .and_then(|key| key.verify_strict(bytes, &ed25519_dalek::Signature::from_bytes(signature)))
            .map_err(|_| BadSignature)
    }
}

/// The secret half. Cleared when dropped.
pub struct IdentitySecret(SigningKey);

impl IdentitySecret {
    /// A new identity.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seed(&seed)
    }

    /// The identity kept as these 32 bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The 32 bytes to keep it as.
    pub fn to_seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// Its public half.
    pub fn public(&self) -> IdentityPublic {
        IdentityPublic(self.0.verifying_key().to_bytes())
    }

    /// Signs `body` for purpose `P`.
    pub fn sign<P: Purpose>(&self, network: &NetworkId, body: &[u8]) -> Signature<P> {
        Signature::from_bytes(self.0.sign(&signed_bytes::<P>(network, body)).to_bytes())
    }

    /// Signs bytes of a format that is not ours. They must not begin as ours do: log.md §7.
    pub(crate) fn sign_foreign(&self, bytes: &[u8]) -> [u8; 64] {
        debug_assert!(!bytes.starts_with(b"firsthand/v1 "), "that is what our own signatures begin with");
        self.0.sign(bytes).to_bytes()
    }
}

/// Something signed whose signature has not been looked at. [`Self::verify`] gives what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Unverified<T> {
    #[n(0)]
    body: ByteVec,
    #[cbor(n(1), with = "minicbor::bytes")]
    signature: [u8; 64],
    #[cbor(skip)]
    holds: PhantomData<T>,
}

/// Why something signed is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The signature is not valid.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// The signer wrote what is not a value of this type.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl<T> Unverified<T>
where
    T: Purpose + Encode<()> + for<'b> Decode<'b, ()>,
{
    /// Signs `value`.
    pub fn sign(value: &T, network: &NetworkId, by: &IdentitySecret) -> Self {
        let body = codec::encode(value);
        let signature = by.sign::<T>(network, &body).to_bytes();
        Self { body: body.into(), signature, holds: PhantomData }
    }

    /// The value, if `by` signed it in this network.
    ///
    /// # Errors
    /// SIG-01: the signature is not valid for this signer, purpose and network. SIG-02: the body is not the one encoding
    /// of a value.
    pub fn verify(&self, network: &NetworkId, by: &IdentityPublic) -> Result<T, Rejected> {
        // SIG-01
        by.verify::<T>(network, &self.body, &Signature::from_bytes(self.signature))?;
        // SIG-02
        Ok(codec::decode(&self.body)?)
    }

    /// The value without looking at the signature: to find out whose signature to ask for, never to act on.
    pub fn dangerously_peek(&self) -> Result<T, Malformed> {
        codec::decode(&self.body)
    }
}

/// The public half of a network's root: Ed25519 and ML-DSA-65, and both must verify.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RootPublic {
    /// Ed25519, 32 bytes.
    #[n(0)]
    pub ed25519: IdentityPublic,
    /// ML-DSA-65, 1952 bytes.
    #[n(1)]
    pub ml_dsa: ByteVec,
}

impl RootPublic {
    /// The network's id: SHA-256("firsthand/v1 network" 0x00 ed25519 ml_dsa).
    pub fn network(&self) -> NetworkId {
        let hash = Sha256::new()
            .chain_update(b"firsthand/v1 network\0")
            .chain_update(self.ed25519.0)
            .chain_update(&*self.ml_dsa);
        NetworkId(hash.finalize().into())
    }

    /// Verifies both signatures.
    pub fn verify<P: Purpose>(&self, body: &[u8], signature: &RootSignature) -> Result<(), BadSignature> {
        let network = self.network();
        // SIG-03: the Ed25519 signature.
        self.ed25519.verify::<P>(&network, body, &Signature::from_bytes(signature.ed25519))?;
        // SIG-04: the ML-DSA signature.
        let key = ml_dsa::EncodedVerifyingKey::<MlDsa65>::try_from(self.ml_dsa.as_slice())
            .map_err(|_| BadSignature)?;
        let encoded = ml_dsa::EncodedSignature::<MlDsa65>::try_from(signature.ml_dsa.as_slice())
            .map_err(|_| BadSignature)?;
        let parsed = ml_dsa::Signature::<MlDsa65>::decode(&encoded).ok_or(BadSignature)?;
        let valid = ml_dsa::VerifyingKey::<MlDsa65>::decode(&key).verify_with_context(
            &signed_bytes::<P>(&network, body),
            b"",
            &parsed,
        );
        if valid { Ok(()) } else { Err(BadSignature) }
    }
}

/// The root's two signatures over one body.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RootSignature {
    /// Ed25519, 64 bytes.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub ed25519: [u8; 64],
    /// ML-DSA-65, 3309 bytes.
    #[n(1)]
    pub ml_dsa: ByteVec,
}

/// The secret half of a network's root. Kept offline; in a demonstration it is forgotten once it has signed.
pub struct RootSecret {
    ed25519: IdentitySecret,
    ml_dsa: ml_dsa::SigningKey<MlDsa65>,
}

impl RootSecret {
    /// A new root.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let ed25519 = IdentitySecret::generate(rng);
        let mut seed = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(seed.as_mut_slice());
        Self::from_seeds(&ed25519.to_seed(), &seed)
    }

    /// The root with these seeds: of its Ed25519 key, and of its ML-DSA key.
    pub fn from_seeds(ed25519: &[u8; 32], ml_dsa: &[u8; 32]) -> Self {
        Self {
            ed25519: IdentitySecret::from_seed(ed25519),
            ml_dsa: ml_dsa::SigningKey::<MlDsa65>::new(&(*ml_dsa).into()),
        }
    }

    /// What [`Self::from_seeds`] takes, for safekeeping.
    pub fn to_seeds(&self) -> [Zeroizing<[u8; 32]>; 2] {
        [self.ed25519.to_seed(), Zeroizing::new(self.ml_dsa.to_seed().into())]
    }

    /// Its public half.
    pub fn public(&self) -> RootPublic {
        RootPublic {
            ed25519: self.ed25519.public(),
            ml_dsa: self.ml_dsa.verifying_key().encode().to_vec().into(),
        }
    }

    /// Signs `body` for purpose `P`, with both keys.
    pub fn sign<P: Purpose>(&self, body: &[u8]) -> RootSignature {
        let network = self.public().network();
        let ml_dsa = self
            .ml_dsa
            .expanded_key()
            .sign_deterministic(&signed_bytes::<P>(&network, body), b"")
            .expect("an empty context is allowed");
        RootSignature {
            ed25519: self.ed25519.sign::<P>(&network, body).to_bytes(),
            ml_dsa: ml_dsa.encode().to_vec().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::round::Round;

    impl Purpose for Round {
        const TAG: &'static str = "test round";
    }

    struct Other;
    impl Purpose for Other {
        const TAG: &'static str = "other";
    }

    const NET: NetworkId = NetworkId([3; 32]);

    #[test]
    fn sig_01_another_signer_purpose_network_or_body_is_refused() {
        let mut rng = StdRng::seed_from_u64(1);
        let me = IdentitySecret::generate(&mut rng);
        let other = IdentitySecret::generate(&mut rng);
        let signed = Unverified::sign(&Round(9), &NET, &me);
        assert_eq!(signed.verify(&NET, &me.public()), Ok(Round(9)));
        let bad = Err(Rejected::Signature(BadSignature));
        assert_eq!(signed.verify(&NET, &other.public()), bad);
        assert_eq!(signed.verify(&NetworkId([4; 32]), &me.public()), bad);
        let mut bent = signed.clone();
        bent.signature[40] ^= 1;
        assert_eq!(bent.verify(&NET, &me.public()), bad);
        let mut bent = signed;
        bent.body[0] ^= 1;
        assert_eq!(bent.verify(&NET, &me.public()), bad);
        let body = codec::encode(&Round(9));
        let relabelled = Signature::<Round>::from_bytes(me.sign::<Other>(&NET, &body).to_bytes());
        assert_eq!(me.public().verify(&NET, &body, &relabelled), Err(BadSignature));
    }

    #[test]
    fn sig_02_a_signed_body_in_another_form_is_refused() {
        let mut rng = StdRng::seed_from_u64(2);
        let me = IdentitySecret::generate(&mut rng);
        let body = vec![0x18, 9];
        let signature = me.sign::<Round>(&NET, &body).to_bytes();
        let odd = Unverified::<Round> { body: body.into(), signature, holds: PhantomData };
        assert_eq!(odd.verify(&NET, &me.public()), Err(Rejected::Malformed(Malformed)));
    }

    #[test]
    fn a_root_is_the_same_from_its_seeds_and_another_from_one_of_them() {
        let mut rng = StdRng::seed_from_u64(4);
        let [root, other] = [(); 2].map(|()| RootSecret::generate(&mut rng));
        let ([ed25519, ml_dsa], [_, other_ml_dsa]) = (root.to_seeds(), other.to_seeds());
        let again = RootSecret::from_seeds(&ed25519, &ml_dsa);
        assert_eq!(again.public(), root.public());
        assert_eq!(root.public().verify::<Other>(b"body", &again.sign::<Other>(b"body")), Ok(()));
        let half = RootSecret::from_seeds(&ed25519, &other_ml_dsa);
        assert_ne!(half.public().network(), root.public().network());
        assert_eq!(root.public().verify::<Other>(b"body", &half.sign::<Other>(b"body")), Err(BadSignature));
    }

    #[test]
    fn sig_03_and_sig_04_both_root_signatures_must_verify() {
        let mut rng = StdRng::seed_from_u64(3);
        let root = RootSecret::generate(&mut rng);
        let public = root.public();
        let good = root.sign::<Other>(b"body");
        assert_eq!((public.ml_dsa.len(), good.ml_dsa.len()), (1952, 3309));
        assert_eq!(public.verify::<Other>(b"body", &good), Ok(()));
        assert_eq!(public.verify::<Other>(b"bodY", &good), Err(BadSignature));
        assert_eq!(public.verify::<Round>(b"body", &good), Err(BadSignature));
        let mut one = good.clone();
        one.ed25519[5] ^= 1;
        assert_eq!(public.verify::<Other>(b"body", &one), Err(BadSignature));
        for i in [0, 1000, 3308] {
            let mut two = good.clone();
            two.ml_dsa[i] ^= 1;
            assert_eq!(public.verify::<Other>(b"body", &two), Err(BadSignature), "byte {i}");
        }
        let mut none = good;
        none.ml_dsa = vec![].into();
        assert_eq!(public.verify::<Other>(b"body", &none), Err(BadSignature));
    }
}
