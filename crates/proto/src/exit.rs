//! The exit's pool: what waits for a slot, and how a round's slots are filled. Spec: mix.md §6, §9.

use rand::RngExt as _;
use rand::seq::SliceRandom;
use rand_core::CryptoRng;

use crate::hold::Waiting;
use crate::mix::ItemId;
use crate::round::Round;

/// One slot in so many may be left to filler however much waits.
const FILLER: usize = 8;

/// How many rounds' worth of slots a pool holds before a random item goes.
pub const POOL_ROUNDS: usize = 24;

/// Items waiting for one kind of slot. Two stand at the exit: one for desk slots, one for reader slots.
#[derive(Debug)]
pub struct Pool {
    slots: usize,
    items: Waiting,
}

impl Pool {
    /// A pool for drops of `slots` slots, with the items its store kept and the rounds from which they may leave.
    pub fn resume(slots: u16, items: Vec<(Round, ItemId)>) -> Self {
        Self { slots: usize::from(slots), items: Waiting::resume(items) }
    }

    /// Tells the round it is, by the exit's own clock.
    pub fn ripen(&mut self, now: Round) {
        self.items.ripen(now);
    }

    /// Adds an item that may leave from `release` on. When the pool is full, returns the item that goes: a random one, held
    /// ones and the newcomer included.
    pub fn add(&mut self, item: ItemId, release: Round, rng: &mut impl CryptoRng) -> Option<ItemId> {
        self.items.add(release, item);
        // EXT-01: at most 24 rounds' worth waits.
        if self.items.len() <= POOL_ROUNDS * self.slots { None } else { self.items.remove_any(rng) }
    }

    /// How many wait, held ones included.
    pub fn waiting(&self) -> usize {
        self.items.len()
    }

    /// Fills a drop: exactly as many places as it has slots, random items in random places, `None` where filler goes.
    pub fn emit(&mut self, rng: &mut impl CryptoRng) -> Vec<Option<ItemId>> {
        // EXT-07: who keeps the pool full could else count what is not its own.
        let filler = rng.random_range(0..=self.slots / FILLER);
        // EXT-05: what is held stays.
        let mut places: Vec<_> = self.items.take(self.slots - filler, rng).into_iter().map(Some).collect();
        // EXT-02: exactly the published number of slots, every round.
        places.resize(self.slots, None);
        // EXT-03: in random order.
        places.shuffle(rng);
        places
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn ext_01_a_full_pool_lets_a_random_item_go() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut pool = Pool::resume(2, vec![]);
        let gone: Vec<_> = (0..60).filter_map(|n| pool.add(n, Round(0), &mut rng)).collect();
        assert_eq!(pool.waiting(), 48);
        assert_eq!(gone.len(), 12);
        assert!(gone.iter().any(|&n| n < 48), "not only newcomers go: {gone:?}");
    }

    #[test]
    fn ext_02_a_drop_has_its_slots_whatever_waits() {
        let mut rng = StdRng::seed_from_u64(2);
        for waiting in [0usize, 1, 4, 5, 9] {
            let mut pool = Pool::resume(4, (0..waiting as ItemId).map(|n| (Round(0), n)).collect());
            let places = pool.emit(&mut rng);
            assert_eq!(places.len(), 4);
            assert_eq!(places.iter().flatten().count(), waiting.min(4));
            assert_eq!(pool.waiting(), waiting.saturating_sub(4));
        }
    }

    #[test]
    fn ext_07_a_full_pool_leaves_filler_and_nobody_knows_how_much() {
        let mut rng = StdRng::seed_from_u64(5);
        let mut filler = [0; 3];
        for _ in 0..3_000 {
            let mut pool = Pool::resume(16, (0..16 * 24).map(|n| (Round(0), n)).collect());
            filler[pool.emit(&mut rng).iter().filter(|place| place.is_none()).count()] += 1;
        }
        // 1,000 expected of each, standard deviation 26.
        assert!(filler.iter().all(|n| (890..1_110).contains(n)), "{filler:?}");
    }

    #[test]
    fn ext_03_one_item_stands_in_any_slot() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut places = [0; 4];
        for _ in 0..4_000 {
            let drop = Pool::resume(4, vec![(Round(0), 7)]).emit(&mut rng);
            places[drop.iter().position(Option::is_some).unwrap()] += 1;
        }
        assert!(places.iter().all(|n| (880..1_120).contains(n)), "{places:?}");
    }

    #[test]
    fn ext_05_what_is_held_stands_in_no_drop_and_may_still_be_pushed_out() {
        let mut rng = StdRng::seed_from_u64(4);
        let mut pool = Pool::resume(2, (0..3).map(|n| (Round(6), n)).collect());
        pool.ripen(Round(5));
        assert_eq!(pool.emit(&mut rng), [None, None]);
        pool.ripen(Round(6));
        assert_eq!(pool.emit(&mut rng).into_iter().flatten().count(), 2);
        let mut full = Pool::resume(1, vec![]);
        let gone: Vec<_> = (0..48).filter_map(|n| full.add(n, Round(n as u32 % 2), &mut rng)).collect();
        assert_eq!((full.waiting(), gone.len()), (24, 24));
        assert!([0, 1].iter().all(|half| gone.iter().any(|n| n % 2 == *half)), "held or not: {gone:?}");
    }
}
