//! Sentences that assert the same -> the points on which they differ.
//!
//! Only what can be told from the words is compared, and in doubt nothing is said: an outlet that prints both numbers, or both days,
//! somewhere, does not contradict another that prints one of them.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use jiff::civil::Date;
use proto::analysis::{Difference, Passage, Point};
use rust_stemmers::{Algorithm, Stemmer};

use super::reading::{Reading, Sentence};
use super::timeline::did_not_happen;
use crate::date::{Direction, Grain};
use crate::word::Class;

/// Says something with a hedge.
const HEDGES: &[&str] = &[
    "allegedly",
    "apparently",
    "appeared",
    "appears",
    "perhaps",
    "possibly",
    "presumably",
    "probably",
    "purported",
    "purportedly",
    "reportedly",
    "rumored",
    "rumoured",
    "seemingly",
    "supposedly",
    "unconfirmed",
];
/// All of it.
const WHOLE: &[&str] = &["all", "entire", "every", "whole"];
/// A part of it.
const PART: &[&str] = &["part", "parts", "portion", "portions", "several", "some"];
/// Makes a number less sharp.
const ABOUT: &[&str] = &[
    "about",
    "almost",
    "approximately",
    "around",
    "at",
    "just",
    "least",
    "less",
    "more",
    "nearly",
    "over",
    "roughly",
    "some",
    "than",
    "under",
    "up",
];
/// Says that an office is over.
const FORMER: &[&str] = &["ex", "former", "then"];
/// Alike numbers, one of them hedged, that do not contradict each other: their difference as a share.
const NEAR: f64 = 0.25;

/// The points on which sentences that assert the same differ.
pub(super) fn differences(reading: &Reading<'_>, group: &[usize]) -> Vec<Difference> {
    let mut found = numbers(reading, group);
    found.extend(days(reading, group));
    found.extend(status(reading, group));
    found.extend(certainty(reading, group));
    found.extend(scope(reading, group));
    found.extend(roles(reading, group));
    found
}

/// Passages by side, one for each article; a difference if two articles take different sides and none takes both.
fn difference<S: Ord>(point: Point, taken: impl IntoIterator<Item = (S, Passage)>) -> Option<Difference> {
    let mut sides = BTreeMap::<S, BTreeMap<u32, Passage>>::new();
    for (side, passage) in taken {
        sides.entry(side).or_default().entry(passage.article).or_insert(passage);
    }
    let mut seen = HashSet::new();
    let both = sides.values().flat_map(BTreeMap::keys).any(|article| !seen.insert(*article));
    let sides: Vec<Vec<Passage>> = sides.into_values().map(|side| side.into_values().collect()).collect();
    (sides.len() > 1 && !both).then_some(Difference { point, sides })
}

/// A number of something.
struct Number {
    value: f64,
    /// The stem of what is counted. Empty where the words do not say: "a total of 40 million".
    unit: String,
    hedged: bool,
    bytes: Range<usize>,
}

fn numbers(reading: &Reading<'_>, group: &[usize]) -> Vec<Difference> {
    let stemmer = Stemmer::create(Algorithm::English);
    let mut by_unit = BTreeMap::<String, Vec<(f64, bool, Passage)>>::new();
    for at in group {
        let sentence = &reading.sentences[*at];
        for number in counted(sentence, &stemmer).into_iter().filter(|number| !number.unit.is_empty()) {
            let passage = sentence.passage(&number.bytes);
            by_unit.entry(number.unit).or_default().push((number.value, number.hedged, passage));
        }
    }
    let mut found = Vec::new();
    for (unit, taken) in by_unit {
        let articles: HashSet<u32> = taken.iter().map(|(.., passage)| passage.article).collect();
        if articles.len() < 2 || taken.iter().all(|(value, ..)| *value == taken[0].0) {
            continue;
        }
        // An outlet that prints the other's number anywhere tells of two things.
        let printed = |article: u32| -> Vec<f64> {
            let own = reading.sentences.iter().filter(|sentence| sentence.place.article == article);
            own.flat_map(|sentence| counted(sentence, &stemmer))
                .filter(|number| number.unit == unit || number.unit.is_empty())
                .map(|number| number.value)
                .collect()
        };
        let printed: Vec<(u32, Vec<f64>)> =
            articles.iter().map(|article| (*article, printed(*article))).collect();
        let mixed = taken.iter().any(|(value, _, passage)| {
            printed.iter().any(|(article, all)| {
                *article != passage.article
                    && all.contains(value)
                    && taken.iter().any(|(other, _, it)| it.article == *article && other != value)
            })
        });
        let near = taken.iter().any(|(a, hedged, _)| {
            *hedged && taken.iter().any(|(b, ..)| a != b && (a - b).abs() <= NEAR * a.abs().max(b.abs()))
        });
        // What is counted on other days may have become more or less since.
        let published = |passage: &Passage| reading.articles[passage.article as usize].published;
        let days: Vec<i64> =
            taken.iter().filter_map(|(.., it)| published(it)).map(|it| it.unix / 86_400).collect();
        let later = days.iter().max().zip(days.iter().min()).is_some_and(|(last, first)| last - first > 1);
        if !mixed && !near && !later {
            let taken = taken.iter().map(|(value, _, passage)| (value.to_bits(), *passage));
            found.extend(difference(Point::Number, taken));
        }
    }
    found
}

/// Numbers with what they count: "20 points", "a five-minute call", "12 percent". Not those of dates.
fn counted(sentence: &Sentence<'_>, stemmer: &Stemmer) -> Vec<Number> {
    let words = sentence.words;
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        if sentence.times.iter().any(|time| time.span.contains(&word.begin)) {
            continue;
        }
        let (count, joined) = word.text.split_once('-').unwrap_or((word.text, ""));
        let Some(mut value) = value(count) else { continue };
        let mut end = word.bytes().end;
        let mut next = words.get(at + 1);
        if joined.is_empty()
            && let Some(times) = next.and_then(|next| scale(next.text))
        {
            value *= times;
            end = next.map_or(end, |next| next.bytes().end);
            next = words.get(at + 2);
        }
        let currency =
            at.checked_sub(1).and_then(|at| words[at].text.chars().next()).filter(|c| "$€£¥".contains(*c));
        let unit = match (joined, currency) {
            (_, Some(currency)) => currency.to_string(),
            ("", None) => {
                match next.filter(|next| next.text == "%" || !next.is_sign() && next.text.len() > 2) {
                    Some(next)
                        if next.class == Class::NONE
                            || next.is(Class::DOCUMENT)
                            || next.is(Class::PEOPLE) =>
                    {
                        end = next.bytes().end;
                        stemmer.stem(&next.text.to_lowercase()).into_owned()
                    }
                    _ => String::new(),
                }
            }
            (joined, None) => stemmer.stem(&joined.to_lowercase()).into_owned(),
        };
        let begin = if currency.is_some() { words[at - 1].begin } else { word.begin };
        let before = &words[at.saturating_sub(3)..at];
        let hedged = before.iter().any(|it| ABOUT.iter().any(|about| it.says(about)));
        found.push(Number { value, unit, hedged, bytes: begin..end });
    }
    found
}

fn value(word: &str) -> Option<f64> {
    const SMALL: &[&str] = &[
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
        "twenty",
    ];
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return word.replace(',', "").parse().ok();
    }
    // "one" counts nothing: it stands for a thing.
    SMALL.iter().position(|it| word.eq_ignore_ascii_case(it)).filter(|it| *it != 1).map(|it| it as f64)
}

fn scale(word: &str) -> Option<f64> {
    [("hundred", 1e2), ("thousand", 1e3), ("million", 1e6), ("billion", 1e9), ("trillion", 1e12)]
        .into_iter()
        .find_map(|(name, times)| word.eq_ignore_ascii_case(name).then_some(times))
}

fn days(reading: &Reading<'_>, group: &[usize]) -> Option<Difference> {
    let day_of = |sentence: &Sentence<'_>| -> Option<(Date, Range<usize>)> {
        let mut days =
            sentence.times.iter().filter(|time| !time.saying && time.direction != Some(Direction::Planned));
        let day = |time: &crate::date::Time| {
            let piece = time.piece().filter(|piece| piece.grain() >= Grain::Day)?;
            Some((piece.days().0, time.span.clone()))
        };
        // A sentence with two days tells of two things.
        days.next().and_then(day).filter(|_| days.next().is_none())
    };
    let mut taken = Vec::new();
    for at in group {
        let sentence = &reading.sentences[*at];
        let (day, bytes) = day_of(sentence)?;
        taken.push((day, sentence.passage(&bytes)));
    }
    let told = |article: u32, day: Date| {
        let own = reading.sentences.iter().filter(|it| it.place.article == article);
        own.flat_map(|it| it.times.iter().filter_map(|time| time.piece()))
            .any(|piece| piece.days() == (day, day))
    };
    let mixed = taken
        .iter()
        .any(|(day, _)| taken.iter().any(|(other, passage)| other != day && told(passage.article, *day)));
    if mixed { None } else { difference(Point::Date, taken) }
}

fn status(reading: &Reading<'_>, group: &[usize]) -> Option<Difference> {
    let taken = group.iter().map(|at| {
        let sentence = &reading.sentences[*at];
        (did_not_happen(sentence, 0..usize::MAX), sentence.place)
    });
    difference(Point::Status, taken)
}

fn certainty(reading: &Reading<'_>, group: &[usize]) -> Option<Difference> {
    let taken = group.iter().map(|at| {
        let sentence = &reading.sentences[*at];
        let words = sentence.words;
        // "may have gone": what may come is no hedge on what was.
        let may = |at: usize| {
            ["could", "may", "might"].iter().any(|it| words[at].says(it))
                && words.get(at + 1).is_some_and(|next| next.says("have"))
        };
        let hedge = |at: &usize| {
            !sentence.is_quoted(words[*at].begin) && (may(*at) || HEDGES.iter().any(|it| words[*at].says(it)))
        };
        match (0..words.len()).find(hedge).map(|at| &words[at]) {
            Some(word) => (true, sentence.passage(&word.bytes())),
            None => (false, sentence.place),
        }
    });
    difference(Point::Certainty, taken)
}

/// "the entire valley" against "parts of the valley".
fn scope(reading: &Reading<'_>, group: &[usize]) -> Option<Difference> {
    /// Words between the one that says how much and what it is of.
    const REACH: usize = 5;
    let stemmer = Stemmer::create(Algorithm::English);
    let mut by_thing = BTreeMap::<String, Vec<(bool, Passage)>>::new();
    for at in group {
        let sentence = &reading.sentences[*at];
        for (at, word) in sentence.words.iter().enumerate() {
            let whole = WHOLE.iter().any(|it| word.says(it));
            if !(whole || PART.iter().any(|it| word.says(it))) || sentence.is_quoted(word.begin) {
                continue;
            }
            for thing in sentence.words[at + 1..].iter().take(REACH).take_while(|thing| !thing.is_sign()) {
                if thing.class == Class::NONE && thing.text.chars().count() > 3 {
                    let key = stemmer.stem(&thing.text.to_lowercase()).into_owned();
                    let passage = sentence.passage(&(word.begin..thing.bytes().end));
                    by_thing.entry(key).or_default().push((whole, passage));
                }
            }
        }
    }
    by_thing.into_values().find_map(|taken| difference(Point::Scope, taken))
}

/// The same person in an office, and out of it.
fn roles(reading: &Reading<'_>, group: &[usize]) -> Option<Difference> {
    let mut by_name = BTreeMap::<usize, Vec<(bool, Passage)>>::new();
    for at in group {
        let sentence = &reading.sentences[*at];
        for (name, bytes) in &sentence.names {
            let place = sentence.words.partition_point(|word| word.begin < bytes.start);
            let titled = sentence.words.get(place).is_some_and(|word| word.is(Class::TITLE));
            let before = place.checked_sub(1).map(|at| &sentence.words[at]);
            let joined = sentence
                .words
                .get(place)
                .map(|word| word.text.split_once('-').map_or("", |(first, _)| first));
            let over = |word: &str| FORMER.iter().any(|it| word.eq_ignore_ascii_case(it));
            let former = before.is_some_and(|word| over(word.text)) || joined.is_some_and(over);
            if former || titled {
                by_name.entry(*name).or_default().push((former, sentence.passage(bytes)));
            }
        }
    }
    by_name.into_values().find_map(|taken| difference(Point::Role, taken))
}
