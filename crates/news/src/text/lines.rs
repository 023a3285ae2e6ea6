//! Lines of a text, with where each stood, and small questions about a line.

use std::ops::Range;

use super::Role;

/// One line of the input.
#[derive(Clone, Debug)]
pub(crate) struct Line<'a> {
    /// Counted from 1.
    pub(crate) number: u32,
    /// Where the whole line stood, without its line end.
    pub(crate) bytes: Range<usize>,
    /// Its words, trimmed; empty for a blank line.
    pub(crate) text: &'a str,
    /// `None` until a rule has decided.
    pub(crate) role: Option<Role>,
}

/// Splits at `\n`, `\r\n` and lone `\r`.
pub(crate) fn split(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at <= bytes.len() {
        let end_of_line = at == bytes.len() || matches!(bytes[at], b'\n' | b'\r');
        if end_of_line {
            let number = u32::try_from(lines.len() + 1).unwrap_or(u32::MAX);
            lines.push(Line { number, bytes: start..at, text: trim(&text[start..at]), role: None });
            if at + 1 < bytes.len() && bytes[at] == b'\r' && bytes[at + 1] == b'\n' {
                at += 1;
            }
            start = at + 1;
        }
        at += 1;
    }
    lines
}

/// Trims blanks, byte-order marks and other invisible signs.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}' | '\u{200c}' | '\u{200d}')
    })
}

/// The words of a line: runs of letters, digits and inner apostrophes.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (between, behind) = rest.split_at(run(rest, |c| !is_inner(c)));
            let (word, next) = behind.split_at(run(behind, is_inner));
            // Nothing is left but what stands between words.
            if between.len() == rest.len() {
                return None;
            }
            rest = next;
            let word = word.trim_matches(['\'', '’']);
            if !word.is_empty() {
                return Some(word);
            }
        }
    })
}

fn is_inner(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '\'' | '’')
}

/// How many bytes of letters of a kind a text begins with.
fn run(text: &str, is: impl Fn(char) -> bool) -> usize {
    let mut end = 0;
    loop {
        // Most letters are ASCII, and need not be put together.
        let ascii = |byte: &&u8| byte.is_ascii() && is(char::from(**byte));
        end += text.as_bytes()[end..].iter().take_while(ascii).count();
        match text[end..].chars().next().filter(|letter| !letter.is_ascii() && is(*letter)) {
            Some(letter) => end += letter.len_utf8(),
            None => return end,
        }
    }
}

/// How many words, counting no further than `enough`: lines can be long.
pub(crate) fn count_words(text: &str, enough: usize) -> usize {
    words(text).take(enough).count()
}

/// The last few letters of a text, enough for its last word. Questions about an end must not read a long text whole.
pub(crate) fn end(text: &str) -> &str {
    const BYTES: usize = 32;
    let mut begin = text.len().saturating_sub(BYTES);
    while !text.is_char_boundary(begin) {
        begin += 1;
    }
    &text[begin..]
}

/// Ends as a sentence does, closing quotes and brackets aside.
pub(crate) fn ends_sentence(text: &str) -> bool {
    let text = end(text).trim_end_matches(['"', '”', '’', '\'', '»', ')', ']', ' ']);
    text.ends_with(['.', '?', '!', '…'])
}

/// Starts with a capital or a digit, opening quotes aside.
pub(crate) fn starts_upper(text: &str) -> bool {
    text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| c.is_uppercase() || c.is_numeric())
}

/// A full paragraph by its length, or a shorter one that ends as a sentence does.
pub(crate) fn is_prose(text: &str) -> bool {
    let count = count_words(text, 30);
    count >= 28 || (count >= 12 && ends_sentence(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_know_where_they_stood() {
        let text = "a\r\n\r\n  b \rc";
        let got: Vec<(u32, &str, &str)> =
            split(text).iter().map(|l| (l.number, l.text, &text[l.bytes.clone()])).collect();
        assert_eq!(got, [(1, "a", "a"), (2, "", ""), (3, "b", "  b "), (4, "c", "c")]);
        assert_eq!(split("").len(), 1);
        assert_eq!(split("x\n").len(), 2);
    }

    #[test]
    fn sentences_end_inside_quotes_too() {
        assert!(ends_sentence("He said: “Go.”"));
        assert!(ends_sentence("Why?)"));
        assert!(!ends_sentence("as he told"));
    }

    #[test]
    fn apostrophes_stay_inside_words() {
        assert_eq!(
            words("‘It’s’ the crew's 2nd").collect::<Vec<_>>(),
            ["‘", "It’s", "the", "crew's", "2nd"][1..]
        );
    }

    proptest::proptest! {
        #[test]
        fn words_are_what_stands_between_other_letters(text in "[a-z’' .é…-]{0,40}|\\PC{0,40}") {
            let between = text.split(|c| !is_inner(c)).map(|word| word.trim_matches(['\'', '’']));
            let wanted: Vec<&str> = between.filter(|word| !word.is_empty()).collect();
            proptest::prop_assert_eq!(words(&text).collect::<Vec<_>>(), wanted);
        }
    }
}
