//! Names of things: fixed-length byte strings, one type each, so that two of them cannot be swapped.

use core::fmt;

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
        #[cbor(transparent)]
        pub struct $name(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; $name::LEN]);

        impl $name {
            /// Length in bytes.
            pub const LEN: usize = $len;

            /// Reads the lower-case hexadecimal form that `Display` writes.
            pub fn from_hex(text: &str) -> Option<Self> {
                let mut bytes = [0; Self::LEN];
                hex::decode_to_slice(text, &mut bytes).ok()?;
                Some(Self(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), hex::encode(&self.0[..4]))
            }
        }
    };
}

name!(
    /// SHA-256 of something published.
    Digest,
    32
);
name!(
    /// A network: SHA-256 over a label and its root's two public keys ([`crate::sign::RootPublic::network`]). Pinned in
    /// the app.
    NetworkId,
    32
);
name!(
    /// A desk: the first 16 bytes of SHA-256 over a label, its identity and its vault key ([`crate::directory::desk_id`]).
    DeskId,
    16
);
name!(
    /// A sealing key: the first 16 bytes of SHA-256 over the label `firsthand/v1 key` and its public half.
    KeyId,
    16
);

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// The first 16 bytes of SHA-256 over `label`, a zero byte and `bytes`.
pub(crate) fn short_hash(label: &str, bytes: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] =
        Sha256::new().chain_update(label).chain_update([0]).chain_update(bytes).finalize().into();
    let mut short = [0; 16];
    short.copy_from_slice(&hash[..16]);
    short
}
