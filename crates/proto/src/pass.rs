//! The desk pass: how the exit knows that slots for readers come from a desk, and not from which. Spec: mix.md §12, drop.md §1.

use core::convert::Infallible;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand_core::{CryptoRng, TryCryptoRng, TryRng};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::id::NetworkId;
use crate::keys::DAY;
use crate::round::Round;
use crate::seal::{self, SealPublic, SealSecret, Use};
use crate::size::PASS;

/// The exit takes the passes of so many days: today's, and those before it. What a desk has queued leaves within a day, and
/// may be held a day at the mixes between, and wait another.
pub const ACCEPTED_DAYS: u32 = 4;
/// A desk puts slots for readers only so far back in its queue that they leave within a day.
pub const PLACES: usize = DAY as usize;

/// The day of a round's drops.
pub fn day(round: Round) -> u32 {
    round.0 / DAY
}

/// The last round of a day. A day lies in one week, so a desk's key of this round is that of all of the day.
pub fn last_round(day: u32) -> Round {
    Round(day.saturating_mul(DAY).saturating_add(DAY - 1))
}

/// One day's secret between the exit and all desks. Cleared when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct DeskPass([u8; Self::LEN]);

impl DeskPass {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A new pass.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut pass = Self([0; Self::LEN]);
        rng.fill_bytes(&mut pass.0);
        pass
    }

    /// The pass kept as these bytes.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep it as.
    pub fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    // mix.md §12:  proof = HMAC(pass, box)
    /// What stands in the exit header over this box.
    pub fn proof(&self, boxed: &[u8]) -> [u8; 32] {
        self.mac(boxed).finalize().into_bytes().into()
    }

    /// Whether `proof` is this pass's over this box. Takes as long whatever stands in it.
    pub fn verifies(&self, boxed: &[u8], proof: &[u8]) -> bool {
        self.mac(boxed).verify_slice(proof).is_ok()
    }

    fn mac(&self, boxed: &[u8]) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("any length is a key").chain_update(boxed)
    }
}

// mix.md §12, PAS-03:
//   T        = HKDF-Extract(network, pass)
//   nobody n = the sealing key of the seed HKDF-Expand(T, "firsthand/v1 pass nobody" | n 2, 32)
//   coins    = HKDF-Expand(T, "firsthand/v1 pass coins" | key id, 64), what X-Wing draws when it seals to this key
/// A day's table of passes: the pass sealed to each desk, zero bytes to throw-away keys in the places left over, in the order of
/// their bytes. All of it hangs on the pass and the keys, so that a desk that has the pass can see that all others have it too.
/// `places * PASS` bytes; desks beyond the number of places get none, which DIR-03 excludes.
pub fn table<'a>(
    network: &NetworkId,
    pass: &DeskPass,
    desks: impl Iterator<Item = &'a SealPublic>,
    places: u16,
) -> Vec<u8> {
    let made = Made(Hkdf::new(Some(&network.0), &pass.0));
    let entry =
        |to: &SealPublic, plain: &[u8]| seal::seal(Use::Pass, network, to, plain, &mut made.coins(to)).0;
    let mut entries: Vec<Vec<u8>> =
        desks.take(places.into()).map(|desk| entry(desk, pass.as_bytes())).collect();
    let left = places - entries.len() as u16;
    entries.extend((0..left).map(|n| entry(made.nobody(n).public(), &[0; DeskPass::LEN])));
    entries.sort_unstable();
    entries.concat()
}

/// What is made of a pass for its table.
struct Made(Hkdf<Sha256>);

impl Made {
    fn nobody(&self, n: u16) -> SealSecret {
        let mut seed = Zeroizing::new([0; 32]);
        let info: [&[u8]; 2] = [b"firsthand/v1 pass nobody", &n.to_be_bytes()];
        self.0.expand_multi_info(&info, seed.as_mut_slice()).expect("32 bytes are within HKDF's limit");
        SealSecret::from_seed(&seed)
    }

    fn coins(&self, to: &SealPublic) -> Coins {
        let mut left = Zeroizing::new([0; 64]);
        let info: [&[u8]; 2] = [b"firsthand/v1 pass coins", &to.id().0];
        self.0.expand_multi_info(&info, left.as_mut_slice()).expect("64 bytes are within HKDF's limit");
        Coins { left, used: 0 }
    }
}

/// The 64 bytes that are drawn in sealing once. To draw more is a mistake of ours.
struct Coins {
    left: Zeroizing<[u8; 64]>,
    used: usize,
}

impl TryRng for Coins {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes).map(|()| u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes).map(|()| u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + to.len();
        to.copy_from_slice(&self.left[self.used..end]);
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Coins {}

/// A desk finds its pass in a table.
pub fn find(network: &NetworkId, intake: &SealSecret, table: &[u8]) -> Option<DeskPass> {
    table.chunks_exact(PASS).find_map(|entry| {
        // PAS-01: it opens under the desk's intake key, as a pass.
        let (plain, _) = seal::open(Use::Pass, network, intake, entry).ok()?;
        plain.as_slice().try_into().ok().map(DeskPass::from_bytes)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NET: NetworkId = NetworkId([1; 32]);

    #[test]
    fn pas_01_every_desk_finds_the_pass_and_nobody_else() {
        let mut rng = StdRng::seed_from_u64(1);
        let desks: Vec<_> = (0..3).map(|_| SealSecret::generate(&mut rng)).collect();
        let pass = DeskPass::generate(&mut rng);
        let table = table(&NET, &pass, desks.iter().map(SealSecret::public), 5);
        assert_eq!(table.len(), 5 * PASS);
        for desk in &desks {
            assert_eq!(find(&NET, desk, &table).unwrap().as_bytes(), pass.as_bytes());
        }
        assert!(find(&NET, &SealSecret::generate(&mut rng), &table).is_none());
        assert!(find(&NetworkId([2; 32]), &desks[0], &table).is_none());
        assert!(find(&NET, &desks[0], &table[1..]).is_none());
        // A box to the desk is no pass, though both are sealed to one key.
        let boxed = seal::seal(Use::Box, &NET, desks[0].public(), &[7; 32], &mut rng).0;
        assert!(find(&NET, &desks[0], &boxed).is_none());
    }

    #[test]
    fn pas_03_a_table_hangs_on_the_pass_and_the_desks_alone() {
        let mut rng = StdRng::seed_from_u64(3);
        let desks: Vec<_> = (0..3).map(|_| SealSecret::generate(&mut rng).public().clone()).collect();
        let made = |pass: u8, desks: &[SealPublic]| {
            table(&NET, &DeskPass::from_bytes([pass; DeskPass::LEN]), desks.iter(), 5)
        };
        let whole = made(1, &desks);
        let turned: Vec<_> = desks.iter().rev().cloned().collect();
        assert_eq!(made(1, &turned), whole, "in whatever order they are listed");
        assert_ne!(made(1, &desks[1..]), whole, "one is left out");
        // No entry of another pass is one of this: a table with two passes is made by neither.
        let entries = |table: &[u8]| table.chunks_exact(PASS).map(<[u8]>::to_vec).collect::<HashSet<_>>();
        assert!(entries(&made(2, &desks)).is_disjoint(&entries(&whole)));
        assert_eq!(entries(&whole).len(), 5);
    }

    #[test]
    fn a_proof_is_of_one_box_and_one_pass() {
        let mut rng = StdRng::seed_from_u64(2);
        let (pass, other) = (DeskPass::generate(&mut rng), DeskPass::generate(&mut rng));
        let mut proof = pass.proof(b"box");
        assert!(pass.verifies(b"box", &proof));
        assert!(!pass.verifies(b"bix", &proof) && !other.verifies(b"box", &proof));
        assert!(!pass.verifies(b"box", &proof[1..]) && !pass.verifies(b"box", &[0; 32]));
        proof[31] ^= 1;
        assert!(!pass.verifies(b"box", &proof));
    }
}
