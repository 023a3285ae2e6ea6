//! Hold: how long an item stays inside a mix. Spec: mix.md §9.
//!
//! Who watches a network for weeks sees who was online whenever a conversation moved. What leaves in the round in which it
//! came gives that away a little with every message; what leaves at a round drawn at random does not.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_core::CryptoRng;

use crate::mix::ItemId;
use crate::round::Round;

/// An item leaves in one of so many rounds, the one in which it was stored included.
pub const HOLD_ROUNDS: u32 = 24;

/// What might have left for so many rounds, and did not because there was no company, is deleted.
pub const WAIT_ROUNDS: u32 = 24;

/// The probability, in thousandths, with which a held item leaves in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Hold(#[n(0)] pub u16);

impl Hold {
    /// Every item leaves in the round in which it came.
    pub const NONE: Self = Self(1000);

    /// Whether it is a probability above 0. DIR-03 asks.
    pub fn is_usable(self) -> bool {
        (1..=1000).contains(&self.0)
    }

    // mix.md §9:  held = failed draws before the first success, each with probability hold / 1000; at most 23
    /// Draws for how many rounds an item stays beyond the one in which it is stored, 0 to 23. Whole numbers throughout, so
    /// that no rounding makes one round likelier than it should be.
    pub fn draw(self, rng: &mut impl CryptoRng) -> u32 {
        (0..HOLD_ROUNDS - 1).take_while(|_| rng.random_range(0..1000) >= self.0).count() as u32
    }
}

/// Items with the rounds from which they may leave.
#[derive(Debug, Default)]
pub struct Waiting {
    now: Round,
    /// Those that may leave.
    ready: Vec<(Round, ItemId)>,
    /// Those that may not yet, by their release round.
    held: BTreeMap<Round, Vec<ItemId>>,
}

impl Waiting {
    /// Waits with what a store kept. Nothing may leave before [`Self::ripen`] is told the round.
    pub fn resume(items: impl IntoIterator<Item = (Round, ItemId)>) -> Self {
        let mut waiting = Self::default();
        items.into_iter().for_each(|(release, item)| waiting.add(release, item));
        waiting
    }

    /// Adds an item that may leave from `release` on.
    pub fn add(&mut self, release: Round, item: ItemId) {
        if release <= self.now {
            self.ready.push((release, item));
        } else {
            self.held.entry(release).or_default().push(item);
        }
    }

    /// Tells the round it is, by the mix's own clock. A clock that is set back holds nothing again of what might leave before,
    /// and holds what comes from then on.
    pub fn ripen(&mut self, now: Round) {
        self.now = now;
        let later = self.held.split_off(&self.now.next());
        for (release, items) in core::mem::replace(&mut self.held, later) {
            self.ready.extend(items.into_iter().map(|item| (release, item)));
        }
    }

    /// How many may leave.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many there are, held ones included.
    pub fn len(&self) -> usize {
        self.ready.len() + self.held.values().map(Vec::len).sum::<usize>()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes at most `most` of those that may leave: random ones, in random order (Fisher-Yates).
    pub fn take(&mut self, most: usize, rng: &mut impl CryptoRng) -> Vec<ItemId> {
        // MIX-07, EXT-05: what is held is not looked at.
        self.ready.shuffle(rng);
        let rest = self.ready.len().saturating_sub(most);
        self.ready.drain(rest..).map(|(_, item)| item).collect()
    }

    /// Takes out what might have left for [`WAIT_ROUNDS`].
    pub fn expire(&mut self) -> Vec<ItemId> {
        // MIX-10
        let now = self.now.0;
        self.ready
            .extract_if(.., |(release, _)| release.0.saturating_add(WAIT_ROUNDS) <= now)
            .map(|(_, item)| item)
            .collect()
    }

    /// Takes one out at random, held ones included.
    pub fn remove_any(&mut self, rng: &mut impl CryptoRng) -> Option<ItemId> {
        let len = self.len();
        let mut at = if len == 0 { return None } else { rng.random_range(0..len) };
        if at < self.ready.len() {
            return Some(self.ready.swap_remove(at).1);
        }
        at -= self.ready.len();
        for items in self.held.values_mut() {
            if at < items.len() {
                return Some(items.swap_remove(at));
            }
            at -= items.len();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_hold_is_geometric_and_ends_after_24_rounds() {
        // 20,000 draws at a quarter: 5,000 leave at once, 3,750 after one round, 2,812 after two; deviations below 65.
        let mut rng = StdRng::seed_from_u64(1);
        let mut after = [0u32; 24];
        for _ in 0..20_000 {
            after[Hold(250).draw(&mut rng) as usize] += 1;
        }
        for (n, expected) in [(0, 5_000), (1, 3_750), (2, 2_812)] {
            assert!(after[n].abs_diff(expected) < 260, "{after:?}");
        }
        // At the least probability nearly all stay to the end, and nobody beyond it.
        let last = (0..2_000).filter(|_| Hold(1).draw(&mut rng) == HOLD_ROUNDS - 1).count();
        assert!((1_900..2_000).contains(&last), "{last}");
        assert!((0..500).all(|_| Hold::NONE.draw(&mut rng) == 0));
    }

    #[test]
    fn mix_07_nothing_leaves_before_its_round() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut waiting = Waiting::resume([(Round(3), 1), (Round(5), 2), (Round(5), 3)]);
        assert_eq!((waiting.ready(), waiting.len()), (0, 3), "before it knows the round");
        waiting.ripen(Round(4));
        assert_eq!(waiting.take(9, &mut rng), [1]);
        waiting.add(Round(4), 4);
        waiting.add(Round(6), 5);
        assert_eq!(waiting.take(9, &mut rng), [4]);
        waiting.add(Round(4), 6);
        waiting.ripen(Round(2));
        waiting.add(Round(3), 7);
        assert_eq!(
            waiting.take(9, &mut rng),
            [6],
            "after a clock was set back, what came before and not what comes now"
        );
        waiting.ripen(Round(5));
        assert_eq!(waiting.take(1, &mut rng).len(), 1);
        assert_eq!((waiting.ready(), waiting.len()), (2, 3));
        waiting.ripen(Round(6));
        assert_eq!(waiting.take(9, &mut rng).len(), 3);
        assert!(waiting.is_empty() && waiting.remove_any(&mut rng).is_none());
    }

    #[test]
    fn mix_10_what_might_have_left_for_24_rounds_is_deleted() {
        let mut waiting = Waiting::resume([(Round(3), 1), (Round(4), 2), (Round(30), 3)]);
        waiting.ripen(Round(26));
        assert!(waiting.expire().is_empty());
        waiting.ripen(Round(27));
        assert_eq!(waiting.expire(), [1]);
        waiting.ripen(Round(53));
        assert_eq!(waiting.expire(), [2]);
        waiting.ripen(Round(54));
        assert_eq!((waiting.expire(), waiting.len()), (vec![3], 0));
    }

    #[test]
    fn what_is_taken_out_at_random_may_be_held_or_not() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut gone = [0u32; 4];
        for _ in 0..4_000 {
            let mut waiting = Waiting::resume([(Round(0), 0), (Round(0), 1), (Round(8), 2), (Round(9), 3)]);
            gone[waiting.remove_any(&mut rng).unwrap() as usize] += 1;
            assert_eq!(waiting.len(), 3);
        }
        assert!(gone.iter().all(|n| (880..1_120).contains(n)), "{gone:?}");
    }
}
