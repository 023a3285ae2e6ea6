//! The words by which an article's event is recognised, each with a weight.
//!
//! Names and numbers tell events apart better than other words: two trials, two storms, two talks share their verbs.
//! A name is a word that the running text writes with a capital inside a sentence and never without one; headlines
//! say nothing about that, some outlets capitalise every word of them. Countries, capitals and offices are names that
//! half of all stories share: without a table of how common words are, which only a large collection could give, they
//! are told by a list.

use std::borrow::Cow;

use foldhash::{HashMap, HashMapExt as _};
use rust_stemmers::{Algorithm, Stemmer};

use super::stopwords::{is_everywhere, is_stop_word};
use crate::word::small;

/// How much more a name counts than another word.
const NAME: f32 = 1.4;
/// How much less a place or office counts that all news is full of.
const COMMON: f32 = 0.5;
/// How much more a number counts.
const NUMBER: f32 = 1.3;
/// How many times a headline's word is counted, beside its counts in the text.
const TITLE_COUNT: f32 = 2.0;
/// News tells the event first; what comes later in a long article is background that other stories share.
const WORDS_READ: usize = 600;

/// Terms of an article in alphabetical order, each with the damped count of its occurrences times its kind's weight.
pub(super) fn terms<'a>(
    title: Option<&'a str>,
    paragraphs: impl Iterator<Item = &'a str>,
    tag: Option<&str>,
) -> Terms {
    let stemmer = Stemmer::create(language(tag));
    let mut seen: HashMap<Cow<'_, str>, Seen> = HashMap::with_capacity(WORDS_READ / 2);
    for word in words(title.unwrap_or_default()) {
        seen.entry(small(word.text)).or_default().count += TITLE_COUNT;
    }
    for word in paragraphs.flat_map(words).take(WORDS_READ) {
        let entry = seen.entry(small(word.text)).or_default();
        entry.count += 1.0;
        if word.text.starts_with(char::is_uppercase) {
            entry.capital_inside += usize::from(word.inside);
        } else {
            entry.small += 1;
        }
    }
    // Each word's stem, its count and its kind.
    let mut stems: Vec<(Cow<'_, str>, f32, f32)> = Vec::with_capacity(seen.len());
    for (word, seen) in &seen {
        if is_stop_word(word) || word.chars().nth(1).is_none() {
            continue;
        }
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        let name = seen.capital_inside > 0 && seen.small == 0;
        let kind = if is_everywhere(word) {
            COMMON
        } else if number {
            NUMBER
        } else if name {
            NAME
        } else {
            1.0
        };
        // A name is not an inflected word, but its genitive and plural should meet it.
        stems.push((stemmer.stem(word), seen.count, kind));
    }
    stems.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut terms = Terms { each: Vec::with_capacity(stems.len()), ..Terms::default() };
    for words in stems.chunk_by(|a, b| a.0 == b.0) {
        // Words come in no order here: the outcome must not depend on it.
        let count: f32 = words.iter().map(|(_, count, _)| count).sum();
        let least = words.iter().map(|(.., kind)| *kind).fold(f32::INFINITY, f32::min);
        let most = words.iter().map(|(.., kind)| *kind).fold(0.0, f32::max);
        let kind = if least < 1.0 { least } else { most };
        terms.push(&words[0].0, (1.0 + count.max(1.0).ln()) * kind);
    }
    terms
}

/// Terms, each with its weight.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// All terms, one behind the other.
    letters: String,
    /// Where each ends, and its weight.
    each: Vec<(usize, f32)>,
}

impl Terms {
    fn push(&mut self, term: &str, weight: f32) {
        self.letters.push_str(term);
        self.each.push((self.letters.len(), weight));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, f32)> {
        let mut begin = 0;
        self.each.iter().map(move |(end, weight)| {
            let term = &self.letters[begin..*end];
            begin = *end;
            (term, *weight)
        })
    }
}

/// How a word occurred.
#[derive(Default)]
struct Seen {
    count: f32,
    capital_inside: usize,
    small: usize,
}

struct Word<'a> {
    text: &'a str,
    /// Not the first word of a sentence or quotation.
    inside: bool,
}

fn words(text: &str) -> impl Iterator<Item = Word<'_>> {
    let mut inside = false;
    let mut end = 0;
    crate::text::words(text).filter_map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        if text[end..start].contains(['.', '?', '!', ':', '“', '"', '‘', '•', '…']) {
            inside = false;
        }
        end = start + word.len();
        let here = std::mem::replace(&mut inside, true);
        let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word);
        (!word.is_empty() && word.len() <= 40).then_some(Word { text: word, inside: here })
    })
}

fn language(tag: Option<&str>) -> Algorithm {
    let primary = tag.unwrap_or("en").split(['-', '_']).next().unwrap_or_default().to_lowercase();
    match primary.as_str() {
        "ar" => Algorithm::Arabic,
        "da" => Algorithm::Danish,
        "nl" => Algorithm::Dutch,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "de" => Algorithm::German,
        "el" => Algorithm::Greek,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "no" | "nb" | "nn" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "es" => Algorithm::Spanish,
        "sv" => Algorithm::Swedish,
        "ta" => Algorithm::Tamil,
        "tr" => Algorithm::Turkish,
        _ => Algorithm::English,
    }
}
