//! Whether two texts of one outlet are the same text: a bottom-k sketch of their four-word passages.

use std::collections::BTreeSet;

/// Passages kept of a text. The estimate's error is about 1/sqrt(64), far finer than the distance between a corrected
/// article and another one.
const KEPT: usize = 64;
/// Words of a passage.
const PASSAGE: usize = 4;
/// From this share of common passages on, two texts of one outlet are one article, corrected or scraped twice.
const SAME: f32 = 0.6;

/// The smallest hashes of a text's passages, in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sketch(Vec<u64>);

impl Sketch {
    pub(super) fn of<'a>(blocks: impl Iterator<Item = &'a str>) -> Sketch {
        let hashes: Vec<u64> = blocks.flat_map(crate::text::words).map(hash_word).collect();
        let passages = hashes.windows(PASSAGE.min(hashes.len()).max(1));
        let mut smallest: Vec<u64> = Vec::with_capacity(KEPT + 1);
        for passage in passages {
            let hash = passage.iter().fold(SEED, |all, word| mix(all ^ word));
            if smallest.len() < KEPT || smallest.last().is_some_and(|&last| hash < last) {
                if let Err(place) = smallest.binary_search(&hash) {
                    smallest.insert(place, hash);
                }
                smallest.truncate(KEPT);
            }
        }
        Sketch(smallest)
    }

    /// Estimates the share of common passages (Jaccard) from the smallest hashes of both.
    pub(super) fn is_same(&self, other: &Sketch) -> bool {
        if self.0.is_empty() || other.0.is_empty() {
            return self == other;
        }
        let both: BTreeSet<u64> = self.0.iter().chain(&other.0).copied().collect();
        let least: Vec<u64> = both.into_iter().take(KEPT).collect();
        let common = least
            .iter()
            .filter(|h| self.0.binary_search(h).is_ok() && other.0.binary_search(h).is_ok())
            .count();
        common as f32 >= SAME * least.len() as f32
    }
}

/// FNV-1a's offset. These hashes guard nothing: a collision makes an outlet's own two texts look alike, no more.
const SEED: u64 = 0xcbf2_9ce4_8422_2325;

fn hash_word(word: &str) -> u64 {
    let add = |hash: u64, letter: u64| (hash ^ letter).wrapping_mul(0x0100_0000_01b3);
    if word.is_ascii() {
        return word.bytes().fold(SEED, |hash, byte| add(hash, byte.to_ascii_lowercase().into()));
    }
    word.chars().flat_map(char::to_lowercase).fold(SEED, |hash, c| add(hash, c.into()))
}

/// Spreads all bits over all (the finisher of MurmurHash3).
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x = (x ^ (x >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    x ^ (x >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(text: &str) -> Sketch {
        Sketch::of(std::iter::once(text))
    }

    #[test]
    fn a_corrected_text_is_the_same_and_another_is_not() {
        let text: String = (0..300).map(|n| format!("word{} ", n * 7 % 101)).collect();
        let corrected = text.replacen("word7", "Word8", 1) + "with one more sentence at its end";
        let other: String = (0..300).map(|n| format!("word{} ", n * 13 % 103)).collect();
        assert!(sketch(&text).is_same(&sketch(&text)));
        assert!(sketch(&text).is_same(&sketch(&corrected)));
        assert!(!sketch(&text).is_same(&sketch(&other)));
        assert!(!sketch(&text).is_same(&sketch("")));
    }
}
