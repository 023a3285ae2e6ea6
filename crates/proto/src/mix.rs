//! The mix rule as a pure state machine. Spec: mix.md §3-5, §9.
//!
//! A mix gathers opened entries, counts those that are new, and closes a batch when the round is over and the batch is
//! large enough, or early when it is full. It knows items only by a number its store gave them, so a round larger than
//! memory is shuffled on disk.

use std::collections::HashSet;

use minicbor::{Decode, Encode};
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};

use crate::envelope::ReplayTag;
use crate::hold::{HOLD_ROUNDS, WAIT_ROUNDS, Waiting};
use crate::id::Digest;
use crate::round::Round;
use crate::sign::Purpose;

/// Names a batch at one hop: the round it was closed in, and its part of that round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct BatchId {
    /// The round.
    #[n(0)]
    pub round: Round,
    /// Counted from 0. Above 0 only when a round brought more than `n_max`.
    #[n(1)]
    pub part: u16,
}

/// When a batch is large enough, and when it is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// A smaller batch is merged into the next, never passed on.
    pub n_min: u32,
    /// A batch is closed early at this many entries.
    pub n_max: u32,
}

/// An item's number in the mix's own store.
pub type ItemId = i64;

/// What became of an entry that opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// It is in the batch being gathered.
    New,
    /// Its replay tag was seen before under this key: it is dropped.
    Replay,
}

/// What was taken of one input since the last batch closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its name: a round of envelopes, or a batch of the mix before.
    pub source: BatchId,
    /// When some of it was taken last, by the mix's own clock.
    pub at: Round,
    /// For the first mix [`chain`] over what was taken of it; for a later one the digest of the whole batch.
    pub digest: Digest,
    /// Entries taken of it, whether they opened or not.
    pub entries: u32,
}

/// Inputs taken since the last batch closed: one line for each, so that a manifest stays short however often a mix looks up.
#[derive(Debug, Default)]
pub struct Inputs(Vec<Input>);

impl Inputs {
    /// What the store kept.
    pub fn resume(inputs: Vec<Input>) -> Self {
        Self(inputs)
    }

    /// Counts entries of an input as taken; more of one that stands here already are added to its line.
    pub fn take(&mut self, input: Input) {
        // MIX-11: one line for each input.
        match self.0.iter_mut().find(|there| there.source == input.source) {
            Some(there) => {
                *there = Input { entries: there.entries.saturating_add(input.entries), ..input };
            }
            None => self.0.push(input),
        }
    }

    /// The digest over what was taken of `source` so far.
    pub fn digest(&self, source: BatchId) -> Option<Digest> {
        self.0.iter().find(|there| there.source == source).map(|there| there.digest)
    }

    /// Forgets the inputs of which nothing can be left, held or waiting.
    pub fn expire(&mut self, now: Round) {
        self.0.retain(|input| input.at.0.saturating_add(KEPT_INPUT_ROUNDS) > now.0);
    }

    /// Gives the digests in order and how many entries were taken, and begins anew.
    pub fn close(&mut self) -> (Vec<Digest>, u32) {
        let inputs = core::mem::take(&mut self.0);
        let entries = inputs.iter().fold(0u32, |sum, input| sum.saturating_add(input.entries));
        (inputs.into_iter().map(|input| input.digest).collect(), entries)
    }
}

/// An input is named until all that it brought has left or was deleted.
pub const KEPT_INPUT_ROUNDS: u32 = HOLD_ROUNDS + WAIT_ROUNDS;

// mix.md §5:  d = 32 zero bytes, then for each envelope d = SHA-256(d | envelope)
/// The digest over envelopes in their order, however they are cut into runs; `before` is that of those taken earlier.
pub fn chain<'a>(before: Option<Digest>, envelopes: impl Iterator<Item = &'a [u8]>) -> Digest {
    envelopes.fold(before.unwrap_or(Digest([0; 32])), |digest, envelope| {
        Digest(Sha256::new().chain_update(digest.0).chain_update(envelope).finalize().into())
    })
}

/// A batch being gathered at one hop.
#[derive(Debug)]
pub struct Gathering {
    rule: Rule,
    seen: HashSet<ReplayTag>,
    items: Waiting,
    inputs: Inputs,
}

/// A closed batch: what to write, in the order to write it.
#[derive(Debug, PartialEq, Eq)]
pub struct Closed {
    /// Items in their new, random order.
    pub order: Vec<ItemId>,
    /// Digests of the inputs taken since the last batch closed.
    pub inputs: Vec<Digest>,
    /// Entries taken since then, whatever became of them.
    pub count_in: u32,
}

impl Gathering {
    /// Starts, or starts again after a restart with what the store kept: tags seen under the key in use, items with the
    /// rounds from which they may leave, and inputs of the batch that was being gathered.
    pub fn resume(
        rule: Rule,
        seen: impl IntoIterator<Item = ReplayTag>,
        items: Vec<(Round, ItemId)>,
        inputs: Inputs,
    ) -> Self {
        Self { rule, seen: seen.into_iter().collect(), items: Waiting::resume(items), inputs }
    }

    /// Counts entries of an input as taken, whether they open or not.
    pub fn input(&mut self, input: Input) {
        self.inputs.take(input);
    }

    /// The inputs taken since the last batch closed.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Takes out what waited too long by the round last told, and forgets inputs of which nothing is left.
    pub fn expire(&mut self, now: Round) -> Vec<ItemId> {
        self.inputs.expire(now);
        self.items.expire()
    }

    /// Whether `tag` is new, without taking it: ask before storing.
    pub fn is_new(&self, tag: &ReplayTag) -> bool {
        !self.seen.contains(tag)
    }

    /// Tells the round it is, by the mix's own clock.
    pub fn ripen(&mut self, now: Round) {
        self.items.ripen(now);
    }

    /// Takes an entry that opened, and that may leave from `release` on.
    pub fn offer(&mut self, tag: ReplayTag, item: ItemId, release: Round) -> Offered {
        // MIX-01: a replay tag seen under this key is dropped.
        if !self.seen.insert(tag) {
            return Offered::Replay;
        }
        self.items.add(release, item);
        Offered::New
    }

    /// How many entries opened, are new, and may leave.
    pub fn count(&self) -> u32 {
        u32::try_from(self.items.ready()).expect("a batch closes long before 2^32 entries")
    }

    // mix.md §4:  |batch| >= n_max, or the round is over and |batch| >= n_min
    /// Whether the batch is to be closed now.
    pub fn is_due(&self, round_over: bool) -> bool {
        // MIX-02: never a batch below n_min. MIX-03: closed early at n_max.
        self.count() >= self.rule.n_max || (round_over && self.count() >= self.rule.n_min)
    }

    /// Closes the batch if it is due: forgets its items, keeps the tags and what is held, and gives the order to write in.
    pub fn close(&mut self, round_over: bool, rng: &mut impl CryptoRng) -> Option<Closed> {
        if !self.is_due(round_over) {
            return None;
        }
        let (inputs, count_in) = self.inputs.close();
        Some(Closed {
            // MIX-04: a fresh random order for every batch, full ones too. MIX-03: of more than n_max, random ones wait.
            order: self.items.take(self.rule.n_max as usize, rng),
            inputs,
            count_in,
        })
    }
}

/// A mix's signed statement on a batch. All manifests stand in an edition's head.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Manifest {
    /// The batch; for the exit, the drops of this round.
    #[n(0)]
    pub batch: BatchId,
    /// Counted from 0.
    #[n(1)]
    pub hop: u8,
    /// One for each input: for hop 0 [`chain`] over the envelopes taken of a round, for a later hop SHA-256 of the hop
    /// before's output.
    #[n(2)]
    pub inputs: Vec<Digest>,
    /// Entries taken.
    #[n(3)]
    pub count_in: u32,
    /// Entries passed on; for the exit, slots written.
    #[n(4)]
    pub count_out: u32,
    /// SHA-256 of each output: one sealed batch; for the exit, desk drop and reader drop.
    #[n(5)]
    pub outputs: Vec<Digest>,
    /// Entries that waited too long and were deleted since the last manifest.
    #[n(6)]
    pub deleted: u32,
    /// The mix misses decoys in the drops: messages are being left out.
    #[n(7)]
    pub alarm: bool,
}

impl Purpose for Manifest {
    const TAG: &'static str = "manifest";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NOW: Round = Round(0);

    fn gathering(n_min: u32, n_max: u32) -> Gathering {
        Gathering::resume(Rule { n_min, n_max }, [], vec![], Inputs::default())
    }

    fn input(n: u8, entries: u32) -> Input {
        let source = BatchId { round: Round(n.into()), part: 0 };
        Input { source, at: NOW, digest: Digest([n; 32]), entries }
    }

    fn tag(n: u32) -> ReplayTag {
        let mut tag = [0; 16];
        tag[..4].copy_from_slice(&n.to_be_bytes());
        tag
    }

    #[test]
    fn mix_01_a_replayed_entry_is_dropped_in_later_batches_too() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut mix = gathering(2, 10);
        assert_eq!(mix.offer(tag(1), 1, NOW), Offered::New);
        assert_eq!(mix.offer(tag(1), 2, NOW), Offered::Replay);
        assert_eq!(mix.offer(tag(2), 3, NOW), Offered::New);
        assert_eq!(mix.close(true, &mut rng).unwrap().order.len(), 2);
        assert_eq!(mix.offer(tag(1), 4, NOW), Offered::Replay);
        assert_eq!(mix.count(), 0);
    }

    #[test]
    fn mix_02_a_short_batch_is_merged_into_the_next() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut mix = gathering(3, 10);
        mix.input(input(1, 2));
        mix.offer(tag(1), 1, NOW);
        mix.offer(tag(2), 2, NOW);
        assert_eq!(mix.close(true, &mut rng), None);
        mix.input(input(2, 4));
        mix.offer(tag(3), 3, NOW);
        assert_eq!(mix.close(false, &mut rng), None, "the round is not over");
        let closed = mix.close(true, &mut rng).unwrap();
        assert_eq!(closed.count_in, 6);
        assert_eq!(closed.inputs, [Digest([1; 32]), Digest([2; 32])]);
        let mut items = closed.order;
        items.sort_unstable();
        assert_eq!(items, [1, 2, 3]);
    }

    #[test]
    fn mix_03_a_full_batch_closes_before_the_round_is_over() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut mix = gathering(2, 4);
        for n in 0..3 {
            mix.offer(tag(n), i64::from(n), NOW);
        }
        assert!(!mix.is_due(false));
        mix.offer(tag(3), 3, NOW);
        assert_eq!(mix.close(false, &mut rng).unwrap().order.len(), 4);
    }

    #[test]
    fn mix_04_every_order_is_about_equally_likely() {
        // 6 orders of 3 items, 6,000 closings: each expected 1,000 times, standard deviation 29.
        let mut rng = StdRng::seed_from_u64(4);
        let mut orders = std::collections::HashMap::<Vec<i64>, u32>::new();
        for _ in 0..6_000 {
            let mut mix = gathering(3, 3);
            for n in 0..3 {
                mix.offer(tag(n), i64::from(n), NOW);
            }
            *orders.entry(mix.close(true, &mut rng).unwrap().order).or_default() += 1;
        }
        assert_eq!(orders.len(), 6);
        assert!(orders.values().all(|n| (850..1_150).contains(n)), "{orders:?}");
    }

    #[test]
    fn mix_10_what_waited_24_rounds_is_deleted_and_its_inputs_are_forgotten_with_the_last_of_it() {
        let mut rng = StdRng::seed_from_u64(8);
        let mut mix = gathering(2, 9);
        mix.input(input(1, 5));
        mix.offer(tag(1), 1, Round(0));
        mix.ripen(Round(23));
        assert!(mix.expire(Round(23)).is_empty());
        mix.ripen(Round(24));
        assert_eq!(mix.expire(Round(24)), [1]);
        assert_eq!(mix.offer(tag(1), 2, Round(24)), Offered::Replay, "its tag stays");
        for n in 2..4 {
            mix.offer(tag(n), 2, Round(47));
        }
        mix.ripen(Round(47));
        mix.expire(Round(47));
        mix.input(Input { at: Round(47), ..input(9, 1) });
        let closed = mix.close(true, &mut rng).unwrap();
        assert_eq!((closed.inputs.len(), closed.count_in), (2, 6), "one may have been held until now");
        mix.input(input(1, 5));
        mix.expire(Round(48));
        mix.input(Input { at: Round(48), ..input(2, 1) });
        for n in 5..7 {
            mix.offer(tag(n), 2, Round(47));
        }
        assert_eq!(mix.close(true, &mut rng).unwrap().inputs, [Digest([2; 32])]);
        // The rest of one that came later keeps it.
        for at in [48, 90] {
            mix.input(Input { at: Round(at), ..input(3, 1) });
        }
        mix.ripen(Round(137));
        mix.expire(Round(137));
        for n in 7..9 {
            mix.offer(tag(n), 2, Round(137));
        }
        assert_eq!(mix.close(true, &mut rng).unwrap().inputs, [Digest([3; 32])]);
    }

    #[test]
    fn mix_11_a_round_is_one_input_however_often_it_was_read() {
        let envelopes: Vec<Vec<u8>> = (0..9u8).map(|n| vec![n; 100]).collect();
        let all = || envelopes.iter().map(Vec::as_slice);
        let whole = chain(None, all());
        for cut in 0..9 {
            assert_eq!(chain(Some(chain(None, all().take(cut))), all().skip(cut)), whole, "cut at {cut}");
        }
        assert_ne!(chain(None, all().rev()), whole);
        assert_ne!(chain(None, all().take(8)), whole);
        let mut inputs = Inputs::default();
        for n in 1..=1_000u32 {
            let digest = Digest([(n % 250) as u8; 32]);
            inputs.take(Input { digest, ..input(if n <= 600 { 1 } else { 2 }, 3) });
        }
        assert_eq!(inputs.close(), (vec![Digest([100; 32]), Digest([0; 32])], 3_000));
        assert_eq!(inputs.close(), (vec![], 0));
    }

    #[test]
    fn mix_07_a_held_item_counts_for_no_batch_and_leaves_with_a_later_one() {
        let mut rng = StdRng::seed_from_u64(6);
        let mut mix = gathering(2, 10);
        mix.ripen(Round(7));
        for (n, release) in [(1, 7), (2, 9), (3, 7), (4, 9)] {
            mix.offer(tag(n), i64::from(n), Round(release));
        }
        let mut order = mix.close(true, &mut rng).unwrap().order;
        order.sort_unstable();
        assert_eq!(order, [1, 3]);
        mix.ripen(Round(8));
        assert_eq!((mix.count(), mix.close(true, &mut rng)), (0, None));
        mix.ripen(Round(9));
        assert_eq!(mix.close(true, &mut rng).unwrap().order.len(), 2);
    }

    #[test]
    fn mix_03_of_more_than_n_max_that_may_leave_at_once_random_ones_wait() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut mix = gathering(2, 4);
        for n in 0..7 {
            mix.offer(tag(n), i64::from(n), Round(9));
        }
        mix.ripen(Round(9));
        assert_eq!(mix.close(true, &mut rng).unwrap().order.len(), 4);
        assert_eq!(mix.close(true, &mut rng).unwrap().order.len(), 3);
    }

    proptest! {
        #[test]
        fn every_item_leaves_once_or_waits(
            entries in proptest::collection::vec((0u32..40, any::<bool>(), 0u32..4), 0..200),
            n_min in 1u32..10,
            extra in 0u32..10,
        ) {
            let mut rng = StdRng::seed_from_u64(5);
            let mut mix = gathering(n_min, n_min + extra);
            let mut left = Vec::new();
            let mut release = std::collections::HashMap::new();
            for (now, (n, over, held)) in (0u32..).zip(&entries) {
                mix.ripen(Round(now));
                if mix.offer(tag(*n), i64::from(*n), Round(now + held)) == Offered::New {
                    release.insert(i64::from(*n), now + held);
                }
                while let Some(closed) = mix.close(*over, &mut rng) {
                    prop_assert!(closed.order.len() >= n_min as usize);
                    prop_assert!(closed.order.len() <= (n_min + extra) as usize);
                    prop_assert!(closed.order.iter().all(|item| release[item] <= now));
                    left.extend(closed.order);
                }
            }
            mix.ripen(Round(u32::MAX - 1));
            left.extend(mix.items.take(usize::MAX, &mut rng));
            left.sort_unstable();
            let mut distinct: Vec<i64> = entries.iter().map(|(n, ..)| i64::from(*n)).collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(left, distinct);
        }
    }
}
