//! A mailbox file, made from what a vector says of it: 4 MiB would be too long to write down. Also used by the crate that
//! runs these vectors. Spec: mailbox.md §1, §3.

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};

/// Length of a mailbox file.
pub(crate) const FILE: usize = 4 * 1024 * 1024;
/// Salt, and the tag at the end.
const SALT: usize = 32;
const TAG: usize = 16;
/// Blobs in the queue, hints of what left, and the length of each hint.
const QUEUE: usize = 48;
const WEEK: usize = 4;
const TRAIL: usize = 120;
const HINT: usize = 20;

/// What a mailbox file is made of.
pub(crate) struct Ingredients {
    /// Length of a blob in the queue.
    pub(crate) blob: usize,
    pub(crate) device_key: [u8; 32],
    pub(crate) salt: [u8; SALT],
    /// Every byte of queue, hints and trail, and of a region never used.
    pub(crate) filling: u8,
    /// None: never used.
    pub(crate) region: Option<Region>,
    /// The byte of the file, counted from 0, of which one bit is flipped.
    pub(crate) flipped: Option<usize>,
    /// How long the file is in the end: cut there, or followed by zeros.
    pub(crate) length: usize,
}

/// A region that was written.
pub(crate) struct Region {
    pub(crate) key: [u8; 32],
    pub(crate) nonce: [u8; 24],
    /// What stands as the content's length.
    pub(crate) length: u32,
    pub(crate) content: Vec<u8>,
    /// The byte of the sealed region, counted from 0, of which one bit is flipped.
    pub(crate) flipped: Option<usize>,
}

/// How long a content can be.
pub(crate) fn room(blob: usize) -> usize {
    FILE - TAG - before_region(blob) - (24 + 4 + TAG)
}

fn before_region(blob: usize) -> usize {
    SALT + QUEUE * (blob + WEEK) + (QUEUE + TRAIL) * HINT
}

/// The file.
pub(crate) fn file(it: &Ingredients) -> Vec<u8> {
    let mut plain = vec![it.filling; FILE - TAG];
    plain[..SALT].copy_from_slice(&it.salt);
    if let Some(region) = &it.region {
        let mut text = region.length.to_be_bytes().to_vec();
        text.extend(&region.content);
        text.resize(4 + room(it.blob), 0);
        let mut sealed = [region.nonce.to_vec(), seal(&region.key, &region.nonce, &text)].concat();
        flip(&mut sealed, region.flipped);
        plain[before_region(it.blob)..].copy_from_slice(&sealed);
    }
    let mut file = seal(&it.device_key, &[0; 24], &plain);
    flip(&mut file, it.flipped);
    file.resize(it.length, 0);
    file
}

/// XChaCha20-Poly1305 without associated data: ciphertext and tag.
pub(crate) fn seal(key: &[u8; 32], nonce: &[u8; 24], text: &[u8]) -> Vec<u8> {
    let nonce = XNonce::from(*nonce);
    XChaCha20Poly1305::new(&Key::from(*key)).encrypt(&nonce, text).expect("it is shorter than 256 GiB")
}

fn flip(bytes: &mut [u8], at: Option<usize>) {
    if let Some(at) = at {
        bytes[at] ^= 1;
    }
}
