//! A block's text -> its sentences.
//!
//! Newspapers end a sentence inside closing marks, write initials and titles with full stops, and go on behind an abbreviation. A
//! sentence cut in two loses a quote or a date; two taken for one are only a longer piece of evidence. So in doubt nothing is cut.

use std::ops::Range;

/// Words behind whose full stop a sentence goes on, in small letters: what follows them is a name or a number.
const GO_ON: &[&str] = &[
    "adm", "ave", "brig", "capt", "cf", "cmdr", "col", "cpl", "dr", "e.g", "fr", "gen", "gov", "hon", "i.e",
    "lt", "maj", "messrs", "mr", "mrs", "ms", "mt", "no", "nos", "pp", "prof", "rep", "reps", "rev", "sen",
    "sens", "sgt", "st", "supt", "viz", "vs",
];
/// Words behind whose full stop one goes on only before a small letter or a number: they end sentences too.
const MAY_END: &[&str] = &[
    "a.m", "apr", "aug", "bros", "co", "corp", "dec", "etc", "feb", "fri", "inc", "jan", "jr", "jul", "jun",
    "ltd", "mar", "mon", "nov", "oct", "p.m", "sat", "sep", "sept", "sr", "sun", "thu", "thurs", "tue",
    "tues", "wed",
];

/// The sentences of one block, in order, as bytes of it, without the blanks between them. Empty for a text without words.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let mut end = at + letter.len_utf8();
        if letter == '\n' {
            keep(text, begin..end, &mut found);
            begin = end;
            continue;
        }
        if !matches!(letter, '.' | '!' | '?' | '…') {
            continue;
        }
        // Closing marks belong to the sentence before them.
        while let Some(&(at, mark)) = letters.peek()
            && matches!(mark, '.' | '!' | '?' | '…' | '"' | '\'' | '”' | '’' | '»' | ')' | ']')
        {
            end = at + mark.len_utf8();
            letters.next();
        }
        let rest = &text[end..];
        if rest.starts_with(|c: char| !c.is_whitespace()) {
            continue;
        }
        let next = rest.trim_start().chars().find(|c| !matches!(c, '"' | '\'' | '“' | '‘' | '«' | '(' | '['));
        if !goes_on(&text[begin..at], letter, text[at..end].chars().count() > 1, next) {
            keep(text, begin..end, &mut found);
            begin = end;
        }
    }
    keep(text, begin..text.len(), &mut found);
    found
}

/// Whether the sentence goes on behind a sign: what stands before it, whether marks follow it, and the next letter.
fn goes_on(before: &str, sign: char, marks: bool, next: Option<char>) -> bool {
    let Some(next) = next else { return false };
    if next.is_lowercase() {
        return true;
    }
    if sign != '.' || marks {
        return false;
    }
    let word = before
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '“' | '"' | '‘' | '-' | '–' | '—'))
        .next();
    let word = word.unwrap_or_default();
    let small = word.to_lowercase();
    if GO_ON.contains(&small.as_str()) {
        return small != "no" || next.is_numeric();
    }
    if MAY_END.contains(&small.as_str()) {
        return next.is_numeric();
    }
    // An initial ("J. Smith"), or letters with stops between them ("U.S. Senate"): which of the two cannot be seen, so it goes on,
    // but behind "I" of "so do I.".
    let mut parts = word.split('.').map(|part| part.chars().count());
    word.starts_with(char::is_uppercase) && word != "I" && parts.all(|letters| letters == 1)
}

fn keep(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let piece = &text[range.clone()];
    let begin = range.start + (piece.len() - piece.trim_start().len());
    let end = begin + piece.trim().len();
    if text[begin..end].chars().any(char::is_alphanumeric) {
        found.push(begin..end);
    } else if let Some(last) = found.last_mut()
        && begin < end
    {
        // A closing mark on its own.
        last.end = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        for (text, wanted) in [
            ("One. Two! Three? Four… Five", &["One.", "Two!", "Three?", "Four…", "Five"][..]),
            ("“It is late.” She left.", &["“It is late.”", "She left."]),
            ("“Is it late?” she asked. Yes.", &["“Is it late?” she asked.", "Yes."]),
            (
                "Mr. Vane met Dr. Orr at 9 a.m. Nobody else came.",
                &["Mr. Vane met Dr. Orr at 9 a.m.", "Nobody else came."],
            ),
            ("J. R. Vane of the U.N. Office spoke.", &["J. R. Vane of the U.N. Office spoke."]),
            ("It cost 3.5 crowns. He paid.", &["It cost 3.5 crowns.", "He paid."]),
            ("See No. 4. Was it? No. It was not.", &["See No. 4.", "Was it?", "No.", "It was not."]),
            (
                "On Oct. 14 it rained. It stopped in Oct. Then came snow.",
                &["On Oct. 14 it rained.", "It stopped in Oct.", "Then came snow."],
            ),
            ("He said so, and so do I. We left.", &["He said so, and so do I.", "We left."]),
            ("First line\nSecond line", &["First line", "Second line"]),
            ("  \n … ", &[]),
        ] {
            assert_eq!(cut(text), wanted, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_order_is_kept(text in "[a-zA-Z.!?…”“\"' \n0-9é]{0,80}") {
            let found = sentences(&text);
            let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            let kept: String = found.iter().map(|range| words(&text[range.clone()])).collect();
            prop_assert_eq!(kept, words(&text));
            prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        }
    }
}
