//! Sealing what lies on this device: XChaCha20-Poly1305.

use chacha20poly1305::aead::AeadInOut as _;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{Key, KeyInit as _, Tag, XChaCha20Poly1305, XNonce};
use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Length of a nonce.
pub(crate) const NONCE: usize = 24;
/// Length of a Poly1305 tag.
pub(crate) const TAG: usize = 16;
/// What [`StoreKey::seal`] adds: nonce and tag.
pub(crate) const OVERHEAD: usize = NONCE + TAG;

/// Opens something on this device. Cleared when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct StoreKey([u8; Self::LEN]);

/// It did not open: another key, or other bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotOpened;

impl StoreKey {
    /// Length in bytes.
    pub(crate) const LEN: usize = 32;

    /// A new key.
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; Self::LEN];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    /// The key kept as these bytes.
    pub(crate) fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes: for the one file that keeps a device key, and the vault that keeps the desk's.
    pub(crate) fn dangerously_as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.0))
    }

    /// Seals in place what lies between nonce and tag: `nonce 24 | text | tag 16`. The nonce is drawn at random; 24 bytes
    /// do not repeat.
    pub(crate) fn seal(&self, buffer: &mut [u8], rng: &mut impl CryptoRng) {
        let (nonce, rest) = buffer.split_at_mut(NONCE);
        let text = rest.len() - TAG;
        let (text, tag) = rest.split_at_mut(text);
        rng.fill_bytes(nonce);
        let nonce = XNonce::try_from(&*nonce).expect("24 bytes");
        tag.copy_from_slice(&self.detached(&nonce, text));
    }

    /// Opens in place what [`Self::seal`] made, and returns the text.
    pub(crate) fn open<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], NotOpened> {
        let (nonce, rest) = buffer.split_at_mut_checked(NONCE).ok_or(NotOpened)?;
        let (text, tag) = rest.len().checked_sub(TAG).map(|text| rest.split_at_mut(text)).ok_or(NotOpened)?;
        let nonce = XNonce::try_from(&*nonce).expect("24 bytes");
        self.attached(&nonce, text, tag)?;
        Ok(text)
    }

    /// Seals in place, `text | tag 16`, with the nonce zero. Only for a key that seals once in its life: then no nonce
    /// ever meets a second text, which is all that a nonce is for.
    pub(crate) fn seal_once(&self, buffer: &mut [u8]) {
        let text = buffer.len() - TAG;
        let (text, tag) = buffer.split_at_mut(text);
        tag.copy_from_slice(&self.detached(&XNonce::default(), text));
    }

    /// Opens in place what [`Self::seal_once`] made, and returns the text.
    pub(crate) fn open_once<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [u8], NotOpened> {
        let (text, tag) =
            buffer.len().checked_sub(TAG).map(|text| buffer.split_at_mut(text)).ok_or(NotOpened)?;
        self.attached(&XNonce::default(), text, tag)?;
        Ok(text)
    }

    fn detached(&self, nonce: &XNonce, text: &mut [u8]) -> Tag {
        self.cipher()
            .encrypt_inout_detached(nonce, b"", InOutBuf::from(text))
            .expect("the text is shorter than 256 GiB")
    }

    fn attached(&self, nonce: &XNonce, text: &mut [u8], tag: &[u8]) -> Result<(), NotOpened> {
        let tag = Tag::try_from(tag).expect("16 bytes");
        #[cfg(test)]
        let length = text.len();
        let opened = self.cipher().decrypt_inout_detached(nonce, b"", InOutBuf::from(text), &tag);
        #[cfg(test)]
        crate::work::done(match opened {
            Ok(()) => crate::work::Work::Opened(length),
            Err(_) => crate::work::Work::Refused(length),
        });
        opened.map_err(|_| NotOpened)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn what_is_sealed_opens_and_a_bent_bit_does_not() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = StoreKey::generate(&mut rng);
        let mut sealed = vec![7; OVERHEAD + 100];
        key.seal(&mut sealed, &mut rng);
        assert_eq!(key.open(&mut sealed.clone()).unwrap(), [7; 100]);
        for at in [0, 24, 123, 124, 139] {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert!(key.open(&mut bent).is_err(), "byte {at}");
        }
        assert!(StoreKey::generate(&mut rng).open(&mut sealed.clone()).is_err());
        assert!(key.open(&mut [0; 39]).is_err());
    }

    #[test]
    fn a_key_used_once_needs_no_nonce() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = StoreKey::generate(&mut rng);
        let mut sealed = vec![7; 100 + TAG];
        key.seal_once(&mut sealed);
        assert_eq!(key.open_once(&mut sealed.clone()).unwrap(), [7; 100]);
        sealed[0] ^= 1;
        assert!(key.open_once(&mut sealed).is_err());
        assert!(key.open_once(&mut [0; 15]).is_err());
    }
}
