//! Runs of words with capitals -> mentions, each with what stands beside it.

use std::borrow::Cow;

use foldhash::{HashSet, HashSetExt as _};

use super::{Pronoun, Span};
use crate::cut::{Cut, Line};
use crate::word::{Class, Word, small};

/// A run of words that may be a name.
#[derive(Clone, Debug)]
pub(super) struct Found<'t> {
    pub(super) span: Span,
    /// Its words without titles. Never empty.
    pub(super) words: Vec<&'t str>,
    pub(super) title: Option<String>,
    pub(super) pronoun: Option<Pronoun>,
    /// It speaks, has a title, or is told of as "who".
    pub(super) acts: bool,
    /// A word of it, or "the" before it, says that it is no person.
    pub(super) body: bool,
}

/// Words within a name that have no capital.
const PARTICLES: &[&str] = &[
    "al", "bin", "bint", "da", "de", "del", "della", "der", "di", "du", "el", "ibn", "la", "le", "ter",
    "van", "von",
];
const HE: &[&str] = &[
    "mr",
    "mr.",
    "sir",
    "lord",
    "king",
    "prince",
    "pope",
    "congressman",
    "councilman",
    "chairman",
    "spokesman",
];
const SHE: &[&str] = &[
    "mrs",
    "mrs.",
    "ms",
    "ms.",
    "dame",
    "lady",
    "queen",
    "princess",
    "congresswoman",
    "councilwoman",
    "chairwoman",
    "spokeswoman",
];
/// More words are a headline in capitals.
const LONGEST: usize = 8;

/// All runs of an article that may be names, in order.
pub(super) fn found<'t>(cut: &Cut<'t>) -> Vec<Found<'t>> {
    let lines: Vec<(&[Word<'t>], Vec<bool>)> =
        cut.lines.iter().map(|line| (line.words.as_slice(), beginnings(line))).collect();
    // What begins sentences, and of that what the article writes small elsewhere, and with a capital within a sentence.
    let mut first = HashSet::<Cow<'_, str>>::new();
    let mut lengths = [0_u64; 256];
    for (words, begins) in &lines {
        for (word, _) in words.iter().zip(begins).filter(|(word, begins)| **begins && word.is_capital()) {
            let small = small(word.text);
            lengths[usize::from(small.as_bytes()[0])] |= 1 << small.len().min(63);
            first.insert(small);
        }
    }
    let mut small = HashSet::new();
    let mut capital = HashSet::new();
    for (words, begins) in &lines {
        for (word, begins) in words.iter().zip(begins) {
            // Most words begin no sentence anywhere, which their first letter and length tell.
            let byte = word.text.as_bytes()[0];
            if word.is_capital() {
                if !begins {
                    capital.insert(word.text);
                }
            } else if lengths[usize::from(byte)] & (1 << word.text.len().min(63)) != 0
                && first.contains(word.text)
            {
                small.insert(word.text);
            }
        }
    }
    let mut found = Vec::new();
    for (block, (words, begins)) in lines.iter().enumerate() {
        let mut at = 0;
        while at < words.len() {
            let end = run_end(words, at);
            if end == at {
                at += 1;
                continue;
            }
            let first = &words[at];
            let begin = at
                + usize::from(
                    first.text == "I" || (begins[at] && says_little(first, end == at + 1, &small, &capital)),
                );
            found.extend(mention(block, words, begin, end));
            at = end;
        }
    }
    found
}

/// Whether the capital of a sentence's first word says nothing: a word of the language, or one that the article writes small too.
fn says_little(first: &Word<'_>, alone: bool, small: &HashSet<&str>, capital: &HashSet<&str>) -> bool {
    let noun = alone && first.is(Class::PEOPLE | Class::DOCUMENT);
    let plain = !first.is(Class::TITLE)
        && small.contains(&*crate::word::small(first.text))
        && !(alone && capital.contains(first.text));
    is_small_word(first) || first.is(Class::CUE) || noun || plain
}

/// Whether each word begins a sentence or marked words.
fn beginnings(line: &Line<'_>) -> Vec<bool> {
    let mut sentences = line.sentences.iter().map(|sentence| sentence.start).peekable();
    let mut begins = Vec::with_capacity(line.words.len());
    let mut fresh = true;
    for word in &line.words {
        while sentences.next_if(|start| *start <= word.begin).is_some() {
            fresh = true;
        }
        begins.push(fresh);
        fresh = word.is_sign() && (fresh || word.text.starts_with(['“', '‘', '"', '\'', ':', '«']));
    }
    begins
}

/// Where the run that begins at `at` ends.
fn run_end(words: &[Word<'_>], at: usize) -> usize {
    let mut end = at;
    while let Some(word) = words.get(end) {
        let next = words.get(end + 1);
        let particle =
            end > at && PARTICLES.contains(&word.text) && next.is_some_and(|next| next.is_capital());
        // "Ministry of Fisheries", "Bread & Sons".
        let joins = end > at
            && (word.text == "&"
                || (word.says("of") && words[at..end].iter().any(|word| word.is(Class::BODY))))
            && next.is_some_and(|next| next.is_capital() && !next.is(Class::TIME));
        // "Mr. Per Lund".
        let titled = end > at && words[end - 1].is(Class::TITLE) && words[end - 1].text.ends_with('.');
        let small = end > at && !titled && is_small_word(word);
        let capital = word.is_capital() && !word.is(Class::TIME) && !small;
        if !(capital || particle || joins) {
            break;
        }
        end += 1;
    }
    end
}

/// "The", "But", "When": a capital makes no name of them.
fn is_small_word(word: &Word<'_>) -> bool {
    word.is(Class::AUX
        | Class::ADVERB
        | Class::DETERMINER
        | Class::PREPOSITION
        | Class::AND
        | Class::SUBORDINATOR
        | Class::PRONOUN
        | Class::TIME)
        || word.text == "I"
}

fn mention<'t>(block: usize, words: &[Word<'t>], begin: usize, end: usize) -> Option<Found<'t>> {
    let run = &words[begin..end];
    if run.is_empty() || run.len() > LONGEST {
        return None;
    }
    let titles = titles(run);
    let body = run[titles..].iter().any(|word| word.is(Class::BODY))
        || is_acronym(run)
        || (run[0].is(Class::TITLE) && run.iter().any(|word| word.is(Class::BODY)));
    // "US President" is an office.
    if run.len() > 1 && is_acronym(&run[..1]) && run[1..].iter().all(|word| word.is(Class::TITLE)) {
        return None;
    }
    let titles = if body { 0 } else { titles };
    let name = &run[titles..];
    // A title alone names nobody.
    let first = name.first()?;
    let before = begin.checked_sub(1).map(|at| &words[at]);
    let after = words.get(end);
    let behind = words.get(end + 1);
    let verb = |word: Option<&Word<'_>>| {
        word.is_some_and(|word| word.is(Class::SAY | Class::AUX) && !word.is_capital())
    };
    let is_office = |word: Option<&Word<'_>>| {
        word.is_some_and(|word| !word.is_capital() && word.is(Class::TITLE | Class::PEOPLE))
    };
    let aside = before.is_some_and(|word| word.text == ",") && begin >= 2 && is_office(words.get(begin - 2));
    let office = is_office(before) || aside;
    let the = before.is_some_and(|word| word.says("the")) && titles == 0;
    let who = after.is_some_and(|word| word.says("who"))
        || (after.is_some_and(|word| word.text == ",") && behind.is_some_and(|word| word.says("who")));
    // Who is told something need not be anybody who speaks: a paper, a parliament.
    let says = |word: &Word<'_>| word.is(Class::SAY) && !word.is(Class::NOUN | Class::TELL);
    let speaks = verb(after) || before.is_some_and(says);
    // "Vane, 44,": an age.
    let aged = after.is_some_and(|word| word.text == ",")
        && behind.is_some_and(|word| word.text.len() == 2 && word.text.bytes().all(|b| b.is_ascii_digit()));
    let title_words: Vec<&str> = run[..titles].iter().map(|word| word.text).collect();
    let titled = |list: &[&str]| {
        run[..titles]
            .iter()
            .chain(before.filter(|_| office))
            .any(|word| list.iter().any(|known| word.says(known)))
    };
    let pronoun = if titled(SHE) { Some(Pronoun::She) } else { titled(HE).then_some(Pronoun::He) };
    let (last, start) = (run.last()?, run.first()?);
    if name.len() == 1 && first.text.chars().count() == 1 {
        return None;
    }
    Some(Found {
        span: Span { block, bytes: start.begin..last.bytes().end },
        words: name.iter().map(|word| word.text).collect(),
        title: (titles > 0).then(|| title_words.join(" ")),
        pronoun,
        acts: (speaks || who || aged || office || titles > 0) && !the,
        body: body || the,
    })
}

/// How many words of a run are titles: "Senator", and "Orfordian President" before a name of two words or more.
fn titles(run: &[Word<'_>]) -> usize {
    let leading = run.iter().take_while(|word| word.is(Class::TITLE)).count();
    let inside = run.iter().skip(1).take(2).position(|word| word.is(Class::TITLE)).map(|at| at + 1);
    match inside {
        Some(at) if leading == 0 && run.len() >= at + 2 => {
            at + run[at..].iter().take_while(|word| word.is(Class::TITLE)).count()
        }
        _ => leading,
    }
}

/// "HSB": two to six capitals.
fn is_acronym(run: &[Word<'_>]) -> bool {
    let [word] = run else { return false };
    (2..=6).contains(&word.text.len()) && word.text.bytes().all(|b| b.is_ascii_uppercase())
}
