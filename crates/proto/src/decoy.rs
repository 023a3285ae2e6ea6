//! Decoys: a mix's own onions, which look real at the exit. Spec: mix.md §10.
//!
//! They blur how many messages came, for the exit and for whoever sees its counts; and a mix that misses its own in the
//! drops knows that messages are left out.

use minicbor::{Decode, Encode};
use rand::RngExt as _;
use rand_core::CryptoRng;

/// How many decoys a mix adds in a round: two numbers of the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Decoys {
    /// How many of class 1 on average; a mix adds twice as many onions in all. 0: none.
    #[n(0)]
    pub mu: u16,
    /// The scale of the noise: the larger, the less a count says of one message more or less.
    #[n(1)]
    pub b: u16,
}

impl Decoys {
    /// No decoys.
    pub const NONE: Self = Self { mu: 0, b: 0 };

    /// Onions that a mix adds in a round: always the same number, so that counts of entries tell nothing of the noise.
    pub fn onions(self) -> u32 {
        2 * u32::from(self.mu)
    }

    // mix.md §10:  real = clamp(mu + noise(b), 0, 2 mu)
    /// Draws how many of them are of class 1. The rest are cover.
    pub fn draw(self, rng: &mut impl CryptoRng) -> u32 {
        let real = i64::from(self.mu) + noise(self.b, rng);
        real.clamp(0, self.onions().into()) as u32
    }
}

/// A whole number with probability proportional to exp(-|n| / b): the discrete Laplace distribution, exactly, with whole
/// numbers alone. Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), algorithm 2.
///
/// The Laplace distribution drawn with floating-point numbers has gaps, by which a sum can betray what was added to it
/// (Mironov 2012). Here is no floating-point number.
fn noise(b: u16, rng: &mut impl CryptoRng) -> i64 {
    let b = u64::from(b);
    if b == 0 {
        return 0;
    }
    loop {
        let rest = rng.random_range(0..b);
        if !happens_exp(rest, b, rng) {
            continue;
        }
        let mut times = 0;
        // A generator that always said yes would never end: 2^16 in a row do not happen.
        while times < 1 << 16 && happens_exp(1, 1, rng) {
            times += 1;
        }
        let size = (rest + b * times) as i64;
        let negative = rng.random_range(0..2u8) == 1;
        // Zero has one sign.
        if !(negative && size == 0) {
            return if negative { -size } else { size };
        }
    }
}

/// True with probability exp(-n/d), n <= d: how many in a row of chances n/d, n/2d, n/3d ... happen is even.
fn happens_exp(n: u64, d: u64, rng: &mut impl CryptoRng) -> bool {
    let mut k = 1;
    while rng.random_range(0..d * k) < n {
        k += 1;
    }
    k % 2 == 1
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn noise_is_discrete_laplace() {
        // P(n) = tanh(1 / 2b) exp(-|n| / b). At b = 2: 0.2449, 0.1486, 0.0901, 0.0547, 0.0331.
        let mut rng = StdRng::seed_from_u64(1);
        let mut counts = std::collections::HashMap::<i64, u32>::new();
        for _ in 0..40_000 {
            *counts.entry(noise(2, &mut rng)).or_default() += 1;
        }
        for (n, p) in [(0i64, 0.2449), (1, 0.1486), (2, 0.0901), (3, 0.0547), (4, 0.0331)] {
            for n in [n, -n] {
                let (got, expected) = (f64::from(counts[&n]), 40_000.0 * p);
                // Five standard deviations.
                assert!((got - expected).abs() < 5.0 * expected.sqrt(), "{n}: {got}, expected {expected}");
            }
        }
    }

    #[test]
    fn mix_08_the_sum_is_constant_and_the_noise_stays_within_it() {
        let mut rng = StdRng::seed_from_u64(2);
        let pilot = Decoys { mu: 66, b: 5 };
        assert_eq!(pilot.onions(), 132);
        let drawn: Vec<u32> = (0..4_000).map(|_| pilot.draw(&mut rng)).collect();
        let mean = f64::from(drawn.iter().sum::<u32>()) / 4_000.0;
        assert!((mean - 66.0).abs() < 0.6, "{mean}");
        assert!(drawn.iter().min() < drawn.iter().max());
        // A scale far beyond the mean: everything is clamped, and both ends are reached.
        let wide = Decoys { mu: 1, b: 1_000 };
        let drawn: Vec<u32> = (0..200).map(|_| wide.draw(&mut rng)).collect();
        assert!(drawn.iter().all(|n| *n <= 2) && drawn.contains(&0) && drawn.contains(&2));
        assert!((0..50).all(|_| Decoys { mu: 3, b: 0 }.draw(&mut rng) == 3));
        assert_eq!(Decoys::NONE.draw(&mut rng), 0);
    }
}
