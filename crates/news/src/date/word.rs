//! A sentence's words, with what each can mean in a time expression.

use jiff::civil::Date;

use super::lexicon::{self, Lex};
use super::verb::Verb;

/// One word, number or sign of a clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// First byte, in the whole text.
    pub(super) at: usize,
    /// Behind its last byte.
    pub(super) end: usize,
    pub(super) lex: Lex,
    pub(super) verb: Verb,
    pub(super) capital: bool,
    /// What stands between it and the word before.
    pub(super) gap: Gap,
}

/// What stands before a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    /// Blanks alone, or nothing.
    Blank,
    Hyphen,
    Comma,
    /// A full stop of an abbreviation, with a blank.
    Stop,
    /// A sign that makes a number no date: "$1995", "#1995".
    Amount,
    /// Anything else.
    Other,
}

/// What the word at `at` can be; nothing behind the sentence's end.
pub(super) fn lex(words: &[Word], at: usize) -> Lex {
    words.get(at).map_or(Lex::Other, |word| word.lex)
}

/// What stands before the word at `at`.
pub(super) fn gap(words: &[Word], at: usize) -> Gap {
    words.get(at).map_or(Gap::Other, |word| word.gap)
}

/// The word before the one at `at`.
pub(super) fn before(words: &[Word], at: usize) -> Lex {
    at.checked_sub(1).map_or(Lex::Other, |at| words[at].lex)
}

/// What the word at `at` says of its clause's tense.
pub(super) fn verb(words: &[Word], at: usize) -> Verb {
    words.get(at).map_or(Verb::None, |word| word.verb)
}

/// The same of the word before the one at `at`.
pub(super) fn before_verb(words: &[Word], at: usize) -> Verb {
    at.checked_sub(1).map_or(Verb::None, |at| words[at].verb)
}

/// Reads the words of `text[begin..end]` into `words`, which is emptied before.
pub(super) fn read(text: &str, begin: usize, end: usize, words: &mut Vec<Word>) {
    words.clear();
    let bytes = text.as_bytes();
    let mut at = begin;
    let mut last = begin;
    while at < end {
        if !is_letter(bytes[at]) {
            at += 1;
            continue;
        }
        let gap = if words.is_empty() {
            gap_of(&text[last..at], Gap::Other)
        } else {
            gap_of(&text[last..at], Gap::Blank)
        };
        let (stop, lex) = if bytes[at].is_ascii_digit() {
            number(text, at, end, &bytes[last..at])
        } else {
            let mut stop = at;
            while stop < end && is_letter(bytes[stop]) && !bytes[stop].is_ascii_digit() {
                stop += 1;
            }
            // "a.m." and its like are one word.
            if stop + 2 < end
                && stop == at + 1
                && bytes[stop] == b'.'
                && matches!(bytes[stop + 1], b'm' | b'M')
            {
                stop += if stop + 2 < end && bytes[stop + 2] == b'.' { 3 } else { 2 };
            }
            (stop, Lex::Other)
        };
        let word = &text[at..stop];
        let capital = bytes[at].is_ascii_uppercase();
        let (lex, verb) = if lex == Lex::Other { lexicon::look_up(word) } else { (lex, Verb::None) };
        // "Won't" is two words here, and its first one no past form.
        if word == "t"
            && let Some(won) = words.last_mut()
            && text[won.at..won.end].eq_ignore_ascii_case("won")
            && text[won.end..at].starts_with(['\'', '’'])
        {
            won.verb = Verb::Will;
        }
        words.push(Word { at, end: stop, lex, verb, capital, gap });
        at = stop;
        last = stop;
    }
}

/// Words of time expressions have plain letters and digits; any other byte ends a word.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn gap_of(between: &str, nothing: Gap) -> Gap {
    let mut marks = between.trim().chars();
    match (marks.next(), marks.next()) {
        (None, _) => nothing,
        (Some('-' | '‑'), None) if between.len() == between.trim().len() => Gap::Hyphen,
        (Some(','), None) => Gap::Comma,
        (Some('.'), None) => Gap::Stop,
        (Some('.'), Some(',')) if marks.next().is_none() => Gap::Comma,
        (Some('\'' | '’'), None) => Gap::Blank,
        _ if between.ends_with(['$', '£', '€', '#', '.', '/', '+']) => Gap::Amount,
        _ => Gap::Other,
    }
}

/// The number that begins at `at`: where it ends and what it is. `before` are the bytes since the last word.
fn number(text: &str, at: usize, end: usize, before: &[u8]) -> (usize, Lex) {
    let bytes = &text.as_bytes()[..end];
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = |from: usize, to: usize| text[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let next = |at: usize| bytes.get(at).copied().unwrap_or_default();
    let first = digits(at);
    let whole = value(at, first);
    match next(first) {
        sign @ (b':' | b'/' | b'-') if next(first + 1).is_ascii_digit() => {
            let second = digits(first + 1);
            let middle = value(first + 1, second);
            if sign == b':' && second - first == 3 && whole < 24 && middle < 60 {
                return (second, Lex::Clock(whole as i8, middle as i8));
            }
            if sign != b':' && next(second) == sign && next(second + 1).is_ascii_digit() {
                let third = digits(second + 1);
                let last = value(second + 1, third);
                let parts =
                    if first - at == 4 { (whole, middle, last) } else { day_and_month(last, whole, middle) };
                if let Some(day) = civil(parts) {
                    return (third, Lex::Date(day));
                }
            }
            if sign == b'/' && (whole, middle) == (1, 2) {
                return (second, Lex::HalfSign);
            }
        }
        b',' if first - at <= 3 && digits(first + 1) == first + 4 => {
            let mut stop = first;
            while next(stop) == b',' && digits(stop + 1) == stop + 4 {
                stop += 4;
            }
            let value = text[at..stop].replace(',', "").parse().unwrap_or(u32::MAX);
            return (stop, Lex::Number(value));
        }
        b'.' if next(first + 1).is_ascii_digit() => {
            let second = digits(first + 1);
            return (second, if &text[first + 1..second] == "5" { Lex::AndHalf(whole) } else { Lex::Amount });
        }
        _ => {}
    }
    let rest = &bytes[first..];
    let suffix = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let apostrophe = before.ends_with(b"'") || before.ends_with("’".as_bytes());
    match (&rest[..suffix], first - at) {
        (b"st" | b"nd" | b"rd" | b"th", _) => (first + 2, Lex::Ordinal(whole)),
        (b"s", 4) if whole % 10 == 0 => (first + 1, Lex::Decade(whole)),
        (b"s", 2) if whole % 10 == 0 && apostrophe => (first + 1, Lex::Decade(1900 + whole)),
        (b"", 4) if whole % 10 == 0 && (rest.starts_with(b"'s") || rest.starts_with("’s".as_bytes())) => {
            (first + rest.iter().position(|byte| *byte == b's').unwrap_or_default() + 1, Lex::Decade(whole))
        }
        (b"", 2) if apostrophe => {
            (first, Lex::ShortYear(if whole < 40 { 2000 + whole } else { 1900 + whole }))
        }
        (b"", 4) if next(first) != b'%' => (first, Lex::Year(whole)),
        _ if next(first) == b'%' => (first, Lex::Amount),
        _ => (first, Lex::Number(whole)),
    }
}

/// Year, month and day of "3/14/2019" or "14/3/2019". Where both would do, the month comes first, as in America.
fn day_and_month(year: u32, first: u32, second: u32) -> (u32, u32, u32) {
    let year = if year < 40 {
        2000 + year
    } else if year < 100 {
        1900 + year
    } else {
        year
    };
    if first > 12 { (year, second, first) } else { (year, first, second) }
}

fn civil((year, month, day): (u32, u32, u32)) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(super::piece::year(year)?, month, day).ok()
}

/// Whether a text begins with what stands behind a time on the clock: a zone, a weekday, a month.
pub(super) fn goes_on_a_clock(text: &str) -> bool {
    let first = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    matches!(lexicon::look_up(first).0, Lex::Zone | Lex::Weekday(_) | Lex::Month(_))
}
