//! From a passphrase to a key: Argon2id (RFC 9106), one lane.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::CryptoRng;
use zeroize::Zeroize as _;

use crate::passphrase::Passphrase;
use crate::seal::StoreKey;

/// What a guess costs. One lane, because a second one halves the time of an attacker as much as ours, and the program
/// would need threads for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kdf {
    memory_kib: u32,
    passes: u32,
}

/// The memory that a derivation takes is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this computer has too little free memory; close other programs and try again")]
pub struct OutOfMemory;

impl Kdf {
    /// 256 MiB, three passes: under a second on a laptop of today. Six words are 77 bits already; this makes each guess
    /// cost what an unlocking costs, and 256 MiB keep it from being made cheap on graphics cards.
    pub const fn desktop() -> Self {
        Self { memory_kib: 256 * 1024, passes: 3 }
    }

    /// Next to nothing, for tests.
    #[cfg(any(test, feature = "cheap-kdf"))]
    pub const fn cheap() -> Self {
        Self { memory_kib: 64, passes: 1 }
    }

    // memory 4 | passes 4
    /// The setting as a vault's header keeps it.
    pub(crate) fn to_bytes(self) -> [u8; 8] {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&self.memory_kib.to_be_bytes());
        bytes[4..].copy_from_slice(&self.passes.to_be_bytes());
        bytes
    }

    /// Reads a setting that this program could have chosen: from 64 KiB to 4 GiB, one pass to 16.
    pub(crate) fn from_bytes(bytes: [u8; 8]) -> Option<Self> {
        let word = |at: usize| u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let (memory_kib, passes) = (word(0), word(4));
        let sane = (64..=4 * 1024 * 1024).contains(&memory_kib) && (1..=16).contains(&passes);
        sane.then_some(Self { memory_kib, passes })
    }

    /// Derives a key from words drawn for nothing, and throws it away. Whoever serves people does this once at every start,
    /// before anybody can type words: the system writes down how much memory a program took at most, others read it, and
    /// without this it would tell that words were typed. It takes a quarter more memory than a derivation, because the
    /// rest of the program grows while it runs, and the words may be typed after weeks.
    ///
    /// # Errors
    /// The memory is not to be had.
    pub fn rehearse(&self, rng: &mut impl CryptoRng) -> Result<(), OutOfMemory> {
        let mut salt = [0; 32];
        rng.fill_bytes(&mut salt);
        let more = Self { memory_kib: self.memory_kib / 4 * 5, ..*self };
        more.derive(&Passphrase::generate(rng), &salt).map(drop)
    }

    /// Derives the key. Slow, on purpose: call it where blocking is fine. The memory is cleared before it is given back.
    pub(crate) fn derive(&self, passphrase: &Passphrase, salt: &[u8; 32]) -> Result<StoreKey, OutOfMemory> {
        let params = Params::new(self.memory_kib, self.passes, 1, Some(StoreKey::LEN))
            .expect("the two settings are within Argon2's limits");
        let mut memory = Vec::new();
        memory.try_reserve_exact(params.block_count()).map_err(|_| OutOfMemory)?;
        memory.resize(params.block_count(), Block::new());
        let mut key = [0; StoreKey::LEN];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.normal().as_bytes(), salt, &mut key, &mut memory)
            .expect("the lengths are fixed and within Argon2's limits");
        memory.zeroize();
        #[cfg(test)]
        crate::work::done(crate::work::Work::Derived { memory_kib: self.memory_kib, passes: self.passes });
        let derived = StoreKey::from_bytes(key);
        key.zeroize();
        Ok(derived)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng as _, rngs::StdRng};

    use super::*;
    use crate::work::{Work, counted};

    #[test]
    fn another_salt_or_passphrase_gives_another_key() {
        let one = Passphrase::parse("abacus abandon abbey abide ability able").unwrap();
        let two = Passphrase::parse("abacus abandon abbey abide ability abacus").unwrap();
        let key = |p, salt| *Kdf::cheap().derive(p, &[salt; 32]).unwrap().dangerously_as_bytes();
        assert_eq!(key(&one, 1), key(&one, 1));
        assert_ne!(key(&one, 1), key(&one, 2));
        assert_ne!(key(&one, 1), key(&two, 1));
    }

    #[test]
    fn a_rehearsal_takes_more_memory_than_what_it_rehearses_and_as_many_passes() {
        let (done, work) = counted(|| Kdf::cheap().rehearse(&mut StdRng::seed_from_u64(1)));
        done.unwrap();
        assert_eq!(work, [Work::Derived { memory_kib: 80, passes: 1 }]);
    }

    #[test]
    fn the_desktop_setting_is_what_the_specification_says() {
        assert_eq!(Kdf::desktop(), Kdf { memory_kib: 262_144, passes: 3 });
    }
}
