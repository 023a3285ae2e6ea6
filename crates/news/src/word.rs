//! A block's text -> its words and signs, with what the language says of each.
//!
//! One pass, no allocation for a word. Classes come from lists of the language (`word/list.rs`): verbs of saying, small words,
//! nouns for offices, documents and groups. A word may have several ("report" is said and is written).

mod list;

pub(crate) use list::{Key, Table};

use std::borrow::Cow;
use std::ops::{BitOr, Range};

/// One word, number or sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word<'t> {
    /// As it stands in the text.
    pub(crate) text: &'t str,
    /// Where it begins, in bytes.
    pub(crate) begin: usize,
    /// What it can be; empty for signs and for words no list holds.
    pub(crate) class: Class,
}

impl Word<'_> {
    pub(crate) fn bytes(&self) -> Range<usize> {
        self.begin..self.begin + self.text.len()
    }

    pub(crate) fn is(&self, class: Class) -> bool {
        self.class.0 & class.0 != 0
    }

    /// Whether it is this word, written in small letters here, however it is written in the text.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }

    /// Whether it begins like a name.
    pub(crate) fn is_capital(&self) -> bool {
        self.text.starts_with(char::is_uppercase)
    }

    pub(crate) fn is_sign(&self) -> bool {
        let word = self.text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
        !word && !self.text.starts_with(char::is_alphanumeric) && !self.is_possessive()
    }

    /// "’s", or the apostrophe behind a plural.
    pub(crate) fn is_possessive(&self) -> bool {
        self.text.len() <= 4 && self.text.ends_with('s') && self.text.starts_with(['\'', '’'])
    }
}

/// What a word can be: a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Class(u32);

impl Class {
    pub(crate) const NONE: Class = Class(0);
    /// A verb that introduces words: "said", "wrote".
    pub(crate) const SAY: Class = Class(1);
    /// A verb that gives something a name: "called", "described".
    pub(crate) const NAME: Class = Class(1 << 1);
    /// A verb of opinion, will or show, behind which marked words are somebody's: "wants", "mocked".
    pub(crate) const HOLD: Class = Class(1 << 2);
    /// A form in -ing, of one of the verbs above.
    pub(crate) const ING: Class = Class(1 << 3);
    /// "has", "was", "would", "not".
    pub(crate) const AUX: Class = Class(1 << 4);
    /// "also", "later", and what ends in -ly.
    pub(crate) const ADVERB: Class = Class(1 << 5);
    /// "the", "a", "his", "some".
    pub(crate) const DETERMINER: Class = Class(1 << 6);
    /// "in", "of", "during".
    pub(crate) const PREPOSITION: Class = Class(1 << 7);
    /// "and", "but", "or".
    pub(crate) const AND: Class = Class(1 << 8);
    /// Opens a clause that depends on another: "when", "because", "that".
    pub(crate) const SUBORDINATOR: Class = Class(1 << 9);
    /// "he", "she", "they", "it", "who", "I", "we", "you".
    pub(crate) const PRONOUN: Class = Class(1 << 10);
    /// "Monday", "March", "yesterday".
    pub(crate) const TIME: Class = Class(1 << 11);
    /// Stands before a name: "Mr.", "president", "Senator".
    pub(crate) const TITLE: Class = Class(1 << 12);
    /// Makes a body of a name: "Ministry", "Party", "University".
    pub(crate) const BODY: Class = Class(1 << 13);
    /// Something written or sent: "statement", "newspaper", "report".
    pub(crate) const DOCUMENT: Class = Class(1 << 14);
    /// People without names: "officials", "aides", "critics".
    pub(crate) const PEOPLE: Class = Class(1 << 15);
    /// The first person that is told something: "told", "assured".
    pub(crate) const TELL: Class = Class(1 << 16);
    /// A form that is a noun as often as a verb: "reports", "campaign".
    pub(crate) const NOUN: Class = Class(1 << 17);
    /// Any verb that is told of saying, naming or holding.
    pub(crate) const CUE: Class = Class(Self::SAY.0 | Self::NAME.0 | Self::HOLD.0);
}

impl BitOr for Class {
    type Output = Class;

    fn bitor(self, other: Class) -> Class {
        Class(self.0 | other.0)
    }
}

/// A word in small letters, as most are already.
pub(crate) fn small(word: &str) -> Cow<'_, str> {
    match word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        true => Cow::Borrowed(word),
        false => Cow::Owned(word.to_lowercase()),
    }
}

/// The words and signs of a text, in order. Blanks are left out.
///
/// A word may hold apostrophes and hyphens ("don’t", "vice-president"), stops between single letters ("U.N.") and the stop of an
/// abbreviation ("Mr."). A possessive ending is a word of its own. Two apostrophes or two accents in a row are one sign.
pub(crate) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found = Vec::with_capacity(text.len() / 5);
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        if letter.is_alphanumeric() {
            let end = word_end(text, at);
            let word = &text[at..end];
            let stem = possessed(word);
            found.push(Word { text: stem, begin: at, class: class(stem) });
            if stem.len() < word.len() {
                found.push(Word { text: &word[stem.len()..], begin: at + stem.len(), class: Class::NONE });
            }
            at = end;
            continue;
        }
        let twice = matches!(letter, '\'' | '`') && text[at + 1..].starts_with(letter);
        let end = at + letter.len_utf8() + usize::from(twice);
        if !letter.is_whitespace() && !letter.is_control() {
            found.push(Word { text: &text[at..end], begin: at, class: Class::NONE });
        }
        at = end;
    }
    found
}

/// Where the word that begins at `begin` ends.
fn word_end(text: &str, begin: usize) -> usize {
    // Most words are plain letters before a blank.
    let plain = text.as_bytes()[begin..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    if plain > 0 && matches!(text.as_bytes().get(begin + plain), None | Some(b' ')) {
        return begin + plain;
    }
    let mut letters = text[begin..].char_indices().peekable();
    let mut end = begin;
    // Letters since the last stop: an abbreviation has one between two.
    let mut run = 0;
    let mut initials = true;
    while let Some((offset, letter)) = letters.next() {
        let at = begin + offset;
        if letter.is_alphanumeric() || is_joiner(letter) {
            run += 1;
            end = at + letter.len_utf8();
            continue;
        }
        let next_is_letter = letters.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if matches!(letter, '\'' | '’' | '-' | '‑') && next_is_letter {
            initials = false;
            end = at + letter.len_utf8();
        } else if letter == ',' && next_is_letter && text[..at].ends_with(|c: char| c.is_ascii_digit()) {
            end = at + 1;
        } else if letter == '.'
            && next_is_letter
            && (run == 1 || text[..at].ends_with(|c: char| c.is_ascii_digit()))
        {
            run = 0;
            end = at + 1;
        } else if letter == '.' {
            let word = &text[begin..at];
            let dotted = word.contains('.') && initials && run == 1;
            let initial = word.chars().count() == 1 && word.starts_with(char::is_uppercase) && word != "I";
            return if dotted || initial || list::is_abbreviation(word) { at + 1 } else { end };
        } else {
            break;
        }
    }
    end
}

/// Soft hyphens and other letters without width stand inside words.
fn is_joiner(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200c}' | '\u{200d}')
}

/// The word without a possessive ending.
fn possessed(word: &str) -> &str {
    // The last byte of either apostrophe.
    let [.., b'\'' | 0x99, b's' | b'S'] = word.as_bytes() else { return word };
    let stem = ["'s", "’s", "'S", "’S"].into_iter().find_map(|ending| word.strip_suffix(ending));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(word)
}

fn class(word: &str) -> Class {
    // "US" is a country.
    if matches!(word, "US" | "IT") {
        return Class::NONE;
    }
    let known = list::class(word);
    // Names end in -ly too.
    if known == Class::ADVERB && word.starts_with(char::is_uppercase) && word.ends_with("ly") {
        Class::NONE
    } else {
        known
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        words(text).into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn words_keep_what_belongs_to_them() {
        assert_eq!(
            texts("Mr. Vane’s U.N. aide didn't."),
            ["Mr.", "Vane", "’s", "U.N.", "aide", "didn't", "."]
        );
        assert_eq!(texts("''No,'' said J. Orr."), ["''", "No", ",", "''", "said", "J.", "Orr", "."]);
        assert_eq!(
            texts("It cost 1,200.50 crowns, no."),
            ["It", "cost", "1,200.50", "crowns", ",", "no", "."]
        );
        assert_eq!(texts("vice-president -- so"), ["vice-president", "-", "-", "so"]);
    }

    #[test]
    fn verbs_are_known_in_all_their_forms() {
        for form in
            ["say", "says", "said", "Said", "replied", "replies", "replying", "quipped", "arguing", "noted"]
        {
            assert!(words(form)[0].is(Class::SAY), "{form}");
        }
        assert!(words("agreeing")[0].is(Class::ING) && !words("agreing")[0].is(Class::CUE));
        assert!(words("calling")[0].is(Class::NAME) && words("calling")[0].is(Class::ING));
        assert!(!words("said")[0].is(Class::ING));
        assert!(words("quietly")[0].is(Class::ADVERB));
        assert!(!words("harbour")[0].is(Class::CUE));
    }

    proptest! {
        #[test]
        fn words_lie_in_order_on_letters(text in "\\PC{0,60}") {
            let mut last = 0;
            for word in words(&text) {
                prop_assert!(word.begin >= last && !word.text.is_empty());
                prop_assert_eq!(&text[word.bytes()], word.text);
                last = word.bytes().end;
            }
        }
    }
}
