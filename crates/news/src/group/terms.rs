//! The words by which an article's event is recognised, each with a weight.
//!
//! Names and numbers tell events apart better than other words: two trials, two storms, two talks share their verbs.
//! A name is a word that the running text writes with a capital inside a sentence and never without one; headlines
//! say nothing about that, some outlets capitalise every word of them. Countries, capitals and offices are names that
//! half of all stories share: without a table of how common words are, which only a large collection could give, they
//! are told by a list.

use std::borrow::Cow;
use std::collections::HashMap;

use rust_stemmers::{Algorithm, Stemmer};

use super::stopwords::{EVERYWHERE, STOP_WORDS};
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
) -> Vec<(String, f32)> {
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
    let mut stems: HashMap<String, (f32, f32)> = HashMap::with_capacity(seen.len());
    for (word, seen) in seen {
        if STOP_WORDS.binary_search(&&*word).is_ok() || word.chars().count() < 2 {
            continue;
        }
        let number = word.starts_with(|c: char| c.is_ascii_digit());
        let name = seen.capital_inside > 0 && seen.small == 0;
        let kind = if EVERYWHERE.binary_search(&&*word).is_ok() {
            COMMON
        } else if number {
            NUMBER
        } else if name {
            NAME
        } else {
            1.0
        };
        // A name is not an inflected word, but its genitive and plural should meet it.
        let stem = stemmer.stem(&word).into_owned();
        let entry = stems.entry(stem).or_insert((0.0, kind));
        entry.0 += seen.count;
        // Words come in no order here: the outcome must not depend on it.
        entry.1 = if entry.1.min(kind) < 1.0 { entry.1.min(kind) } else { entry.1.max(kind) };
    }
    let weighed = stems.into_iter().map(|(stem, (count, kind))| (stem, (1.0 + count.max(1.0).ln()) * kind));
    let mut terms: Vec<_> = weighed.collect();
    terms.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    terms
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
