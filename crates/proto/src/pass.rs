//! The desk pass: how the exit knows that slots for readers come from a desk, and not from which. Spec: mix.md §12, drop.md §1.

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::seq::SliceRandom as _;
use rand_core::CryptoRng;
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

/// A day's table of passes: the pass sealed to each desk, to throw-away keys in the places left over, in random order.
/// `places * PASS` bytes; desks beyond the number of places get none, which DIR-03 excludes.
pub fn table<'a>(
    network: &NetworkId,
    pass: &DeskPass,
    desks: impl Iterator<Item = &'a SealPublic>,
    places: u16,
    rng: &mut impl CryptoRng,
) -> Vec<u8> {
    let nothing = Zeroizing::new([0; DeskPass::LEN]);
    let mut entries: Vec<Vec<u8>> = desks
        .take(places.into())
        .map(|desk| seal::seal(Use::Pass, network, desk, pass.as_bytes(), rng).0)
        .collect();
    while entries.len() < usize::from(places) {
        let nobody = SealSecret::generate(rng);
        entries.push(seal::seal(Use::Pass, network, nobody.public(), nothing.as_slice(), rng).0);
    }
    entries.shuffle(rng);
    entries.concat()
}

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
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NET: NetworkId = NetworkId([1; 32]);

    #[test]
    fn pas_01_every_desk_finds_the_pass_and_nobody_else() {
        let mut rng = StdRng::seed_from_u64(1);
        let desks: Vec<_> = (0..3).map(|_| SealSecret::generate(&mut rng)).collect();
        let pass = DeskPass::generate(&mut rng);
        let table = table(&NET, &pass, desks.iter().map(SealSecret::public), 5, &mut rng);
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
