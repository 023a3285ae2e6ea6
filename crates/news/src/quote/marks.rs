//! A block's text -> the stretches between quotation marks.
//!
//! Double marks come first: straight, typographic, angled, two apostrophes. Which of two straight marks opens is seen from what
//! stands beside it. Then single marks outside of them, where an apostrophe is no closing mark. Marks inside of marks belong to the
//! words. A mark that nothing closes ends with its sentence, or goes on in the next block if that opens with a mark again.

use std::ops::Range;

/// A stretch in marks, outermost only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Marked {
    /// From the opening mark to behind the closing one, in bytes.
    pub(super) outer: Range<usize>,
    /// What stands between the marks.
    pub(super) inner: Range<usize>,
    /// How it ends.
    pub(super) end: End,
}

/// How a marked stretch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With a closing mark.
    Closed,
    /// With its sentence: the closing mark is missing.
    Sentence,
    /// With its block, and the next one goes on.
    RunsOn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Open,
    Close,
    /// Nothing but the order tells.
    Either,
}

/// A double mark.
#[derive(Clone, Copy, Debug)]
struct Sign {
    at: usize,
    end: usize,
    side: Side,
}

/// Whether a text begins with a mark that opens.
pub(super) fn opens(text: &str) -> bool {
    text.trim_start().starts_with(['"', '“', '«', '„', '‘']) || text.trim_start().starts_with("''")
}

/// The marked stretches in order. `sentences` are those of the text; `next_opens` is whether the next block begins with a mark.
pub(super) fn marked(text: &str, sentences: &[Range<usize>], next_opens: bool) -> Vec<Marked> {
    let mut found = doubles(text, sentences, next_opens);
    let singles = singles(text, &found);
    if !singles.is_empty() {
        found.extend(singles);
        found.sort_unstable_by_key(|marked| marked.outer.start);
    }
    found
}

fn doubles(text: &str, sentences: &[Range<usize>], next_opens: bool) -> Vec<Marked> {
    let signs = signs(text);
    let mut found = Vec::new();
    let mut open: Option<Sign> = None;
    let mut nested = 0;
    for (place, &sign) in signs.iter().enumerate() {
        let Some(begin) = open else {
            // A closing mark that nothing opened says nothing.
            open = (sign.side != Side::Close).then_some(sign);
            continue;
        };
        if sign.side == Side::Open {
            let closes = |next: usize| signs.get(place + next).is_some_and(|sign| sign.side == Side::Close);
            if nested > 0 || (closes(1) && closes(2)) {
                nested += 1;
            } else {
                found.push(unclosed(text, begin, sign.at, sentences));
                open = Some(sign);
            }
        } else if nested > 0 {
            nested -= 1;
        } else {
            found.push(Marked { outer: begin.at..sign.end, inner: begin.end..sign.at, end: End::Closed });
            open = None;
        }
    }
    if let Some(begin) = open {
        let end = text.trim_end().len();
        found.push(match next_opens && begin.end < end {
            true => Marked { outer: begin.at..end, inner: begin.end..end, end: End::RunsOn },
            false => unclosed(text, begin, text.len(), sentences),
        });
    }
    found.retain(|marked| text[marked.inner.clone()].contains(char::is_alphanumeric));
    found
}

/// The stretch from `begin` to its sentence's end, and before `limit`.
fn unclosed(text: &str, begin: Sign, limit: usize, sentences: &[Range<usize>]) -> Marked {
    let sentence = sentences.partition_point(|sentence| sentence.end <= begin.end);
    let end = sentences.get(sentence).map_or(limit, |sentence| sentence.end).min(limit).max(begin.end);
    let end = begin.end + text[begin.end..end].trim_end().len();
    Marked { outer: begin.at..end, inner: begin.end..end, end: End::Sentence }
}

/// All double marks of a text.
fn signs(text: &str) -> Vec<Sign> {
    let mut found: Vec<Sign> = Vec::new();
    let mut before: Option<char> = None;
    let mut letters = text.char_indices().peekable();
    // Inside of `name="..."`, which is no prose.
    let mut markup = false;
    while let Some((at, letter)) = letters.next() {
        let mut end = at + letter.len_utf8();
        let twice = matches!(letter, '\'' | '`') && letters.peek().is_some_and(|(_, next)| *next == letter);
        if twice {
            // The first of three closes marks within marks.
            let three = text[end..].starts_with("''") && before.is_some_and(|c| !c.is_whitespace());
            if three {
                before = Some(letter);
                continue;
            }
            letters.next();
            end += 1;
        }
        let after = letters.peek().map(|(_, next)| *next);
        let straight = letter == '"' || letter == '＂' || twice;
        let is_mark = straight || matches!(letter, '“' | '”' | '„' | '«' | '»');
        // 6'2"
        let inches = || {
            text[..at].ends_with(|c: char| c.is_ascii_digit())
                && text[..at].trim_end_matches(|c: char| c.is_ascii_digit()).ends_with(['’', '\''])
        };
        if !is_mark || inches() {
            before = Some(letter);
            continue;
        }
        if straight && (markup || before == Some('=')) {
            markup = !markup;
        } else {
            if before.is_some_and(has_no_width) {
                before = text[..at].chars().rev().find(|c| !has_no_width(*c));
            }
            let side = match (letter, by_place(before, after)) {
                // Typographic marks say it themselves, unless both neighbours say they are typed wrong.
                ('“' | '«' | '„', Side::Close) => Side::Close,
                ('“' | '«' | '„', _) => Side::Open,
                ('”' | '»', Side::Open) => Side::Open,
                // Nothing before it can be closed: "” … and so we wait,” she said".
                ('”', Side::Either) if before.is_none() => Side::Open,
                ('”' | '»', _) => Side::Close,
                (_, side) => side,
            };
            found.push(Sign { at, end, side });
        }
        before = Some(letter);
    }
    found
}

/// Whether a letter only says in which direction is written.
fn has_no_width(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
}

/// What a mark between two letters must be.
fn by_place(before: Option<char>, after: Option<char>) -> Side {
    let free =
        |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || matches!(c, '—' | '–' | '-' | '/' | '…'));
    let opened =
        free(before) || before.is_some_and(|c| matches!(c, '(' | '[' | '‘' | '“' | '\'' | '"' | '>'));
    let closed = free(after)
        || after.is_some_and(|c| {
            matches!(c, ',' | '.' | ';' | ':' | '?' | '!' | ')' | ']' | '’' | '”' | '\'' | '"' | '<')
        });
    match (opened, closed) {
        (true, false) => Side::Open,
        (false, true) => Side::Close,
        (true, true) if before.is_none_or(char::is_whitespace) && !after.is_none_or(char::is_whitespace) => {
            Side::Open
        }
        (true, true) if !before.is_none_or(char::is_whitespace) && after.is_none_or(char::is_whitespace) => {
            Side::Close
        }
        _ => Side::Either,
    }
}

/// Stretches between single marks, outside of the double ones.
fn singles(text: &str, doubles: &[Marked]) -> Vec<Marked> {
    if !text.contains(['‘', '\'']) {
        return Vec::new();
    }
    let mut opening: Option<usize> = None;
    // The first closing mark that may be a possessive ("the voters’ choice").
    let mut doubtful: Option<usize> = None;
    let mut found = Vec::new();
    let close = |begin: usize, at: usize, found: &mut Vec<Marked>| {
        let width = |at: usize| text[at..].chars().next().map_or(1, char::len_utf8);
        let inner = begin + width(begin)..at;
        if text[inner.clone()].contains(char::is_alphanumeric) {
            found.push(Marked { outer: begin..at + width(at), inner, end: End::Closed });
        }
    };
    let mut double = doubles.iter().peekable();
    let mut before: Option<char> = None;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        while double.next_if(|marked| marked.outer.end <= at).is_some() {}
        let quoted = double.peek().is_some_and(|marked| marked.outer.start <= at);
        if !quoted && matches!(letter, '‘' | '’' | '\'') {
            let after = letters.peek().map(|(_, next)| *next);
            if opens_single(letter, before, &text[at + letter.len_utf8()..]) {
                if let (Some(begin), Some(end)) = (opening, doubtful) {
                    close(begin, end, &mut found);
                }
                (opening, doubtful) = (Some(at), None);
            } else if let Some(begin) = opening
                && letter != '‘'
                && before.is_some_and(|c| !c.is_whitespace())
                && !after.is_some_and(char::is_alphanumeric)
            {
                if before == Some('s') && after == Some(' ') {
                    doubtful = doubtful.or(Some(at));
                } else {
                    close(begin, at, &mut found);
                    (opening, doubtful) = (None, None);
                }
            }
        } else if quoted || letter == '\n' {
            if let (Some(begin), Some(end)) = (opening, doubtful) {
                close(begin, end, &mut found);
            }
            (opening, doubtful) = (None, None);
        }
        before = Some(letter);
    }
    if let (Some(begin), Some(end)) = (opening, doubtful) {
        close(begin, end, &mut found);
    }
    found
}

/// Whether a single mark opens: nothing but a blank or a bracket before it, a letter behind it, and no word that begins with an
/// apostrophe.
fn opens_single(mark: char, before: Option<char>, rest: &str) -> bool {
    let free = before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '[' | '—' | '–'));
    if mark == '’' || !free || !rest.starts_with(char::is_alphabetic) {
        return false;
    }
    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    !["em", "til", "tis", "twas", "cause", "n", "bout", "round", "cos"]
        .iter()
        .any(|elided| word.eq_ignore_ascii_case(elided))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sentence::sentences;

    fn cut(text: &str) -> Vec<&str> {
        marked(text, &sentences(text), false).into_iter().map(|marked| &text[marked.inner]).collect()
    }

    #[test]
    fn marks_of_every_kind_are_paired() {
        for (text, wanted) in [
            ("“We wait,” she said. “We do.”", &["We wait,", "We do."][..]),
            ("\"We wait,\" she said. \"We do.\"", &["We wait,", "We do."]),
            ("''We wait,'' she said, ''for 'em.''", &["We wait,", "for 'em."]),
            ("''He said 'no.''' Nobody heard.", &["He said 'no.'"]),
            ("«We wait», she said.", &["We wait"]),
            ("‘We wait,’ she said, ‘for the sailors’ boat.’", &["We wait,", "for the sailors’ boat."]),
            ("He called it 'a joke' and left. It's Orr's '90s boat.", &["a joke"]),
            ("“They said ‘no’ and “never” again,” she said.", &["They said ‘no’ and “never” again,"]),
            ("\u{202a}”We wait,” she said.", &["We wait,"]),
            ("” … so we wait,” she said.", &[" … so we wait,"]),
            ("A \"quay\"-side bar (\"The Oar\") closed.", &["quay", "The Oar"]),
            ("The boats' crews waited for the captains' word.", &[]),
        ] {
            assert_eq!(cut(text), wanted, "{text}");
        }
    }

    #[test]
    fn what_nothing_closes_ends_with_its_sentence() {
        assert_eq!(cut("He said “we wait. It rained."), ["we wait."]);
        assert_eq!(cut("\"We wait. \"We do,\" she said."), ["We wait.", "We do,"]);
        let text = "“We wait. We do.";
        let runs = marked(text, &sentences(text), true);
        assert_eq!((&text[runs[0].inner.clone()], runs[0].end), ("We wait. We do.", End::RunsOn));
    }

    #[test]
    fn markup_is_no_speech() {
        assert!(cut("<tip id=\"44\" by=\"Orr\"> It rained.").is_empty());
    }

    proptest! {
        #[test]
        fn stretches_lie_in_order_on_letters(text in "[ a-zA-Z.,'\"“”‘’«»`=\\n]{0,60}|\\PC{0,60}", next: bool) {
            let mut last = 0;
            for marked in marked(&text, &sentences(&text), next) {
                prop_assert!(marked.outer.start >= last && marked.outer.start < marked.inner.start);
                prop_assert!(marked.inner.end <= marked.outer.end);
                prop_assert!(!text[marked.inner].is_empty());
                last = marked.outer.end;
            }
        }
    }
}
