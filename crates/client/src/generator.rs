//! The generator of everything that a device draws.

use std::sync::{Mutex, PoisonError};

use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// Gives each piece of work a generator of its own, and keeps nothing of which any of them came.
pub struct Generator(Mutex<StdRng>);

impl Generator {
    /// `rng` is seeded by the system; only tests give another.
    pub fn new(rng: StdRng) -> Self {
        Self(Mutex::new(rng))
    }

    /// One for one piece of work, so that none waits for another's.
    pub fn draw(&self) -> StdRng {
        let mut root = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let drawn = StdRng::from_rng(&mut *root);
        // KEY-06: what the memory holds from now on does not give `drawn` again.
        *root = StdRng::from_rng(&mut *root);
        drawn
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;

    /// KEY-06. Six words, the coins of sent blobs and intake keys would all be had from the memory of a program that
    /// began with them.
    #[test]
    fn key_06_what_a_devices_generator_began_with_gives_nothing_that_was_drawn_later() {
        let began = || StdRng::seed_from_u64(5);
        let generator = Generator::new(began());
        // Wherever in its stream it was drawn.
        let gives = |drawn: &StdRng| {
            (0..1_000).any(|n| {
                let mut from = began();
                for _ in 0..n {
                    from.next_u32();
                }
                StdRng::from_rng(&mut from) == *drawn
            })
        };
        assert_eq!(
            [generator.draw(), generator.draw(), generator.draw()].each_ref().map(gives),
            [true, false, false]
        );
    }
}
