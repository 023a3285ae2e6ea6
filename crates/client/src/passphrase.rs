//! Passphrases: six words, drawn by the program and never by a person, 77 bits.

use core::fmt::Write as _;

use rand::{CryptoRng, RngExt as _};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// How many words a passphrase has.
pub const WORDS: usize = 6;

/// How many words the list has: five dice.
const LIST: usize = 7776;

/// The list, in the order of the alphabet, with where it comes from in `words/NOTICE.txt`.
const TEXT: &str = include_str!("../words/words.txt");

/// Opens a mailbox or a vault. Cleared when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Passphrase([u16; WORDS]);

/// Why what was typed is no passphrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Not six words.
    #[error("a passphrase has six words, and these are {0}")]
    Count(usize),
    /// The word at this place, counted from 1, is not on the list.
    #[error("word {0} is not one of the words that passphrases are made of")]
    Unknown(usize),
}

impl Passphrase {
    /// Draws a new one: each word alike likely, 6 x log2(7776) = 77.5 bits.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self(core::array::from_fn(|_| rng.random_range(0..LIST as u16)))
    }

    /// Reads what a person typed: any case; spaces, hyphens, commas, full stops and line ends between the words.
    ///
    /// # Errors
    /// Which word is not on the list, the first of them, or how many there are.
    pub fn parse(typed: &str) -> Result<Self, PassphraseError> {
        let lower = Zeroizing::new(typed.to_lowercase());
        let words: Zeroizing<Vec<Option<u16>>> = Zeroizing::new(split(&lower).map(number).collect());
        // An unknown word is named first: it is what a person can correct.
        if let Some(at) = words.iter().position(Option::is_none) {
            return Err(PassphraseError::Unknown(at + 1));
        }
        // MBX-09: six words of the list.
        if words.len() != WORDS {
            return Err(PassphraseError::Count(words.len()));
        }
        Ok(Self(core::array::from_fn(|i| words[i].expect("looked up above"))))
    }

    /// Its words in order.
    pub fn words(&self) -> impl ExactSizeIterator<Item = &'static str> + '_ {
        self.0.iter().map(|&n| word(n))
    }

    /// The one form that keys are derived from: lower case, one space between words.
    pub(crate) fn normal(&self) -> Zeroizing<String> {
        // Longer than six words of nine letters ever are, so that it never grows and leaves a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(64));
        for (i, word) in self.words().enumerate() {
            let space = if i > 0 { " " } else { "" };
            write!(text, "{space}{word}").expect("writing to a string cannot fail");
        }
        text
    }
}

/// Whether this is a word that passphrases are made of.
pub fn is_listed(word: &str) -> bool {
    number(&word.to_lowercase()).is_some()
}

/// The word at place `n` of the list.
pub(crate) fn word(n: u16) -> &'static str {
    list()[usize::from(n)]
}

fn number(word: &str) -> Option<u16> {
    list().binary_search(&word).ok().map(|n| n as u16)
}

fn split(lower: &str) -> impl Iterator<Item = &str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty())
}

fn list() -> &'static [&'static str] {
    static LINES: std::sync::LazyLock<Vec<&'static str>> =
        std::sync::LazyLock::new(|| TEXT.lines().collect());
    &LINES
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn the_list_is_7776_different_plain_words_in_order() {
        assert_eq!(list().len(), LIST);
        assert!(list().windows(2).all(|w| w[0] < w[1]), "sorted, and none twice");
        assert!(
            list().iter().all(|w| (3..=9).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase()))
        );
    }

    #[test]
    fn typing_is_forgiven() {
        let words = ["abacus", "abandon", "abbey", "abide", "ability", "able"];
        for typed in [
            "abacus abandon abbey abide ability able",
            "  Abacus-abandon  ABBEY\nabide, ability able. ",
            "abacus\u{a0}abandon abbey\tabide ability–able",
        ] {
            let passphrase = Passphrase::parse(typed).unwrap();
            assert!(passphrase.words().eq(words), "{typed}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        use PassphraseError::{Count, Unknown};
        let no = |typed: &str| Passphrase::parse(typed).err().unwrap();
        assert_eq!(no(""), Count(0));
        assert_eq!(no("abacus abandon"), Count(2));
        assert_eq!(no("abacus abandon abbey abide ability able abacus"), Count(7));
        assert_eq!(no("abacus abandon abbbey abide ability able"), Unknown(3));
        assert_eq!(no("abacus abbbey"), Unknown(2));
    }

    #[test]
    fn drawn_words_are_spread_over_the_list() {
        let mut rng = StdRng::seed_from_u64(1);
        let drawn: std::collections::HashSet<u16> =
            (0..4_000).flat_map(|_| Passphrase::generate(&mut rng).0).collect();
        // 24,000 draws from 7,776 miss e^-3.09 = 4.6 % of them.
        assert!((7_330..7_500).contains(&drawn.len()), "{}", drawn.len());
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_typed(seed: u64) {
            let drawn = Passphrase::generate(&mut StdRng::seed_from_u64(seed));
            let again = Passphrase::parse(&drawn.normal()).unwrap();
            prop_assert!(again.words().eq(drawn.words()));
            prop_assert!(drawn.normal().len() <= 64);
        }

        #[test]
        fn any_text_parses_or_not_but_never_panics(typed in "\\PC{0,200}") {
            let _ = Passphrase::parse(&typed);
        }
    }
}
