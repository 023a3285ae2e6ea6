//! When in a round this device makes its exchange. Spec: exchange.md §1.

use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::{Millis, Round, Schedule};
use rand::CryptoRng;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// From this a device draws its instants: nobody else can tell them beforehand, and a restart draws the same again.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct InstantSecret([u8; 32]);

impl InstantSecret {
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut secret = [0; 32];
        rng.fill_bytes(&mut secret);
        Self(secret)
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    // offset = first 8 bytes of HMAC-SHA256(secret, "firsthand/v1 instant" || round 4) mod (T - g)
    /// How far into round `r` the exchange is, in milliseconds: uniform in `[0, T - g)`. T is at most a day, so reducing
    /// 64 bits favours no millisecond by more than one part in 2^37.
    pub(crate) fn offset_ms(&self, schedule: &Schedule, r: Round) -> u64 {
        // EXC-01: from the secret and the round, and from nothing else.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(b"firsthand/v1 instant");
        mac.update(&r.0.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let draw = u64::from_be_bytes(hash[..8].try_into().expect("eight bytes"));
        draw % (u64::from(schedule.round_ms) - schedule.guard_ms())
    }

    /// The instant of the exchange in round `r`.
    pub(crate) fn instant(&self, schedule: &Schedule, r: Round) -> Millis {
        schedule.start(r).plus(self.offset_ms(schedule, r))
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const HOUR: Schedule = Schedule { genesis: Millis(0), round_ms: 3_600_000 };

    #[test]
    fn instants_are_uniform_up_to_a_guard_before_the_end() {
        let secret = InstantSecret::generate(&mut StdRng::seed_from_u64(1));
        let mut tenths = [0; 10];
        for r in 0..20_000 {
            let offset = secret.offset_ms(&HOUR, Round(r));
            assert!(offset < 3_480_000);
            tenths[(offset / 348_000) as usize] += 1;
        }
        // 2,000 expected in each, standard deviation 42.
        assert!(tenths.iter().all(|n| (1_790..2_210).contains(n)), "{tenths:?}");
    }

    #[test]
    fn the_same_secret_draws_the_same_and_another_another() {
        let secret = InstantSecret::generate(&mut StdRng::seed_from_u64(2));
        let again = InstantSecret::from_bytes(*secret.as_bytes());
        let other = InstantSecret::generate(&mut StdRng::seed_from_u64(3));
        let draw = |s: &InstantSecret| (0..20).map(|r| s.offset_ms(&HOUR, Round(r))).collect::<Vec<_>>();
        assert_eq!(draw(&secret), draw(&again));
        assert_ne!(draw(&secret), draw(&other));
    }
}
