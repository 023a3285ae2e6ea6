//! The marks by which the passphrase's holder, and nobody else, tells messages from cover in the queue, and finds when a
//! message left. Spec: mailbox.md §4.
//!
//! ```text
//! hint of a message = first 20 bytes of HMAC-SHA256(hint key, blob) = name 16 | veil 4
//! hint of cover     = random
//! trail             = 120 x (name 16 | veil XOR round 4), oldest first: the hints of what left last
//! ```
//! A device that nobody has unlocked for days must still know afterwards how long a message has been gone, or it could
//! not say that it may be lost. The background sender writes that down without knowing what it sends: every blob's round goes
//! under that blob's veil. Only who can make the hint again can take the veil off.

use std::collections::VecDeque;

use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::Round;
use proto::envelope::Blob;
use rand::CryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::QUEUE;

/// Length of the part of a hint by which it is found.
const NAME: usize = 16;
/// Length of a hint.
pub(super) const HINT: usize = NAME + 4;
/// How many of those that left are remembered. One that is not among them left before 120 others, so at least 120 rounds ago:
/// all that has to be known of it.
pub(crate) const TRAIL: usize = 120;
/// Length of the marks in the file.
pub(super) const MARKS: usize = (QUEUE + TRAIL) * HINT;

/// Marks one place of the queue, and one of the trail.
pub(crate) type Hint = [u8; HINT];

/// Makes the hints of messages. Lies in the region, so only the passphrase can.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct HintKey([u8; 32]);

impl HintKey {
    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(key)
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hint that marks this blob as a message.
    pub(crate) fn hint(&self, blob: &Blob) -> Hint {
        self.over(blob.as_bytes())
    }

    /// What a label and some bytes become for whoever has this key, and for nobody else. No blob is as short.
    pub(crate) fn mark(&self, label: &str, bytes: &[u8]) -> Hint {
        self.over(&[label.as_bytes(), &[0], bytes].concat())
    }

    pub(super) fn over(&self, blob: &[u8]) -> Hint {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(blob);
        *mac.finalize().into_bytes().first_chunk().expect("HMAC gives 32 bytes")
    }
}

/// The hints of the queue's places, and the trail.
#[derive(Clone)]
pub(super) struct Marks {
    places: VecDeque<Hint>,
    trail: VecDeque<Hint>,
}

impl Marks {
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (places, trail) = bytes.as_chunks().0.split_at(QUEUE);
        Self { places: places.iter().copied().collect(), trail: trail.iter().copied().collect() }
    }

    /// All of them in the order of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Hint> {
        self.places.iter().chain(&self.trail)
    }

    pub(super) fn place(&self, place: usize) -> &Hint {
        &self.places[place]
    }

    pub(super) fn set(&mut self, place: usize, hint: Hint) {
        self.places[place] = hint;
    }

    /// The first place becomes the trail's last, under its veil, and cover comes to the end of the queue.
    pub(super) fn take(&mut self, round: Round, rng: &mut impl CryptoRng) {
        let mut gone = self.places.pop_front().expect("the queue has its 48 places");
        gone[NAME..].iter_mut().zip(round.0.to_be_bytes()).for_each(|(veil, byte)| *veil ^= byte);
        self.places.push_back(random(rng));
        self.trail.pop_front();
        self.trail.push_back(gone);
    }

    /// The place of a message that still waits.
    pub(super) fn find(&self, hint: &Hint) -> Option<usize> {
        self.places.iter().position(|place| same_name(place, hint))
    }

    /// The round in which a message left, if it is among the last 120 that did.
    pub(super) fn left(&self, hint: &Hint) -> Option<Round> {
        let gone = self.trail.iter().find(|gone| same_name(gone, hint))?;
        let byte = |i: usize| gone[NAME + i] ^ hint[NAME + i];
        Some(Round(u32::from_be_bytes([byte(0), byte(1), byte(2), byte(3)])))
    }
}

/// A mark of cover.
pub(crate) fn random(rng: &mut impl CryptoRng) -> Hint {
    let mut hint = [0; HINT];
    rng.fill_bytes(&mut hint);
    hint
}

fn same_name(one: &Hint, other: &Hint) -> bool {
    one[..NAME].ct_eq(&other[..NAME]).into()
}

#[cfg(test)]
mod tests {
    use rand::{Rng as _, SeedableRng, rngs::StdRng};

    use super::*;

    fn marks(rng: &mut StdRng) -> Marks {
        let mut bytes = vec![0; MARKS];
        rng.fill_bytes(&mut bytes);
        Marks::from_bytes(&bytes)
    }

    #[test]
    fn mbx_10_a_message_that_left_is_found_with_its_round_by_its_hint_alone() {
        let mut rng = StdRng::seed_from_u64(1);
        let mut marks = marks(&mut rng);
        let key = HintKey::generate(&mut rng);
        let (ours, theirs) = (key.over(b"ours"), HintKey::generate(&mut rng).over(b"ours"));
        marks.set(2, ours);
        for round in [7, 8] {
            marks.take(Round(round), &mut rng);
            assert_eq!((marks.find(&ours).is_some(), marks.left(&ours)), (true, None));
        }
        marks.take(Round(70_000), &mut rng);
        assert_eq!((marks.find(&ours), marks.left(&ours)), (None, Some(Round(70_000))));
        assert_eq!(marks.left(&theirs), None);
        for round in 0..TRAIL as u32 {
            assert_eq!(marks.left(&ours), Some(Round(70_000)), "{round} after it");
            marks.take(Round(70_001 + round), &mut rng);
        }
        assert_eq!(marks.left(&ours), None, "120 left after it");
        assert_eq!((marks.places.len(), marks.trail.len()), (48, 120));
    }

    #[test]
    fn a_trail_shows_no_rounds_to_who_has_no_passphrase() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut marks = marks(&mut rng);
        let key = HintKey::generate(&mut rng);
        // Every other one a message, all in rounds with few bits set.
        for n in 0..2 * TRAIL as u32 {
            if n % 2 == 0 {
                marks.set(0, key.over(&n.to_be_bytes()));
            }
            marks.take(Round(1), &mut rng);
        }
        let ones = |parity: usize, from: usize| -> u32 {
            let chosen = marks.trail.iter().skip(parity).step_by(2);
            chosen.flat_map(|hint| &hint[from..]).map(|b| b.count_ones()).sum()
        };
        for parity in [0, 1] {
            // 60 hints of 160 bits: 4,800 expected, standard deviation 49. Their rounds alone: 960 and 22.
            assert!(ones(parity, 0).abs_diff(4_800) < 5 * 49, "{}", ones(parity, 0));
            assert!(ones(parity, NAME).abs_diff(960) < 5 * 22, "{}", ones(parity, NAME));
        }
    }
}
