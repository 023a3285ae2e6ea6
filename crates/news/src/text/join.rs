//! Lines -> pieces: a sentence that a scraper broke where a link or an emphasis stood is one sentence again.

use std::ops::Range;

use proto::story::Block;

use super::Role;
use super::lines::{Line, end, ends_sentence};

/// One or more lines that belong together.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The first of its lines, counted from 1.
    pub(crate) line: u32,
    /// From the first line's beginning to the last one's end.
    pub(crate) bytes: Range<usize>,
    /// The words, joined.
    pub(crate) text: String,
    /// What it is; decided step by step.
    pub(crate) role: Role,
    /// Whether it was put together from lines broken at former links.
    pub(crate) mended: bool,
    /// Whether a blank line stands before it.
    pub(crate) after_blank: bool,
}

impl Piece {
    /// A block of a format that knows its own blocks; `number` counts them from 1.
    pub(crate) fn of_block(block: Block, number: u32) -> Piece {
        let (role, text) = match block {
            Block::Paragraph(text) => (Role::Paragraph, text),
            Block::Heading(text) => (Role::Heading, text),
            Block::Caption(text) => (Role::Caption, text),
        };
        Piece { line: number, bytes: 0..0, text, role, mended: false, after_blank: true }
    }
}

/// Joins what was broken. Lines that were left out stay alone, and no sentence goes on across one.
pub(crate) fn pieces(lines: &[Line<'_>]) -> Vec<Piece> {
    let wrapped = is_hard_wrapped(lines);
    let mut pieces: Vec<Piece> = Vec::new();
    let mut blank = true;
    let mut open = false; // whether the next line may belong to the last piece
    for (at, line) in lines.iter().enumerate() {
        if line.text.is_empty() {
            blank = true;
            continue;
        }
        let kept = line.role.is_none();
        let joins = match pieces.last() {
            Some(last) if kept && open => {
                (wrapped && !blank) || continues(&last.text, line.text, next_text(lines, at), blank)
            }
            _ => false,
        };
        match pieces.last_mut() {
            Some(last) if joins => {
                append(&mut last.text, line.text);
                last.bytes.end = line.bytes.end;
                last.mended |= !wrapped;
            }
            _ => pieces.push(Piece {
                line: line.number,
                bytes: line.bytes.clone(),
                text: line.text.to_owned(),
                role: line.role.unwrap_or(Role::Paragraph),
                mended: false,
                after_blank: blank,
            }),
        }
        open = kept;
        blank = false;
    }
    pieces
}

/// The following line, if it follows at once and was not left out.
fn next_text<'a>(lines: &[Line<'a>], at: usize) -> Option<&'a str> {
    lines.get(at + 1).filter(|line| line.role.is_none() && !line.text.is_empty()).map(|line| line.text)
}

/// Whether `line` goes on with the sentence of `so_far`; `next` stands below `line`.
fn continues(so_far: &str, line: &str, next: Option<&str>, blank_between: bool) -> bool {
    if goes_on(line) && line.starts_with(|c: char| !c.is_alphabetic()) {
        return true; // a comma or full stop never begins a paragraph
    }
    if ends_sentence(so_far) || so_far.ends_with(':') {
        return false;
    }
    let hanging = hangs(so_far);
    if blank_between {
        return hanging && (goes_on(line) || next.is_some_and(goes_on));
    }
    // A capitalised line between two halves of a sentence was a link: "told / The Post / on Friday".
    goes_on(line) || hanging || (line.split_whitespace().count() <= 8 && next.is_some_and(goes_on))
}

/// Begins in the middle of a sentence.
fn goes_on(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        Some(',' | '.' | ';' | ':' | '?' | '!' | ')' | '”' | '’') => {
            // ".NET" and "...and" are words; ". That" and ".” he" are not. A lone sign ends the sentence.
            chars.next().is_none_or(|c| c.is_whitespace() || matches!(c, '”' | '"' | '’' | ')'))
        }
        // "iPhone", "eBay" begin sentences.
        Some(c) if c.is_lowercase() => chars.next().is_none_or(|c| !c.is_uppercase()),
        _ => false,
    }
}

/// Ends in a word or sign after which no sentence, heading or label ends.
fn hangs(text: &str) -> bool {
    const HANGING: &[&str] = &[
        "a", "an", "and", "as", "at", "but", "by", "for", "from", "had", "has", "have", "in", "into", "is",
        "its", "nor", "of", "on", "or", "over", "than", "that", "the", "their", "to", "was", "were", "which",
        "who", "whose", "with", "his", "her",
    ];
    if text.ends_with([',', ';', '—', '–', '(', '“']) {
        return true;
    }
    let last = end(text).rsplit(char::is_whitespace).next().unwrap_or_default();
    HANGING.contains(&last)
}

/// Adds `line` with a blank, or without one before a sign that closes and after one that opens.
fn append(text: &mut String, line: &str) {
    let closes = line.starts_with([',', '.', ';', ':', '?', '!', ')', '”', '’', ']']);
    let opens = text.ends_with(['(', '“', '‘', '[', '—']);
    if !closes && !opens {
        text.push(' ');
    }
    text.push_str(line);
}

/// Text wrapped at a fixed width, as in mails: many lines of nearly the same length, most ending inside a sentence.
fn is_hard_wrapped(lines: &[Line<'_>]) -> bool {
    const ENOUGH: usize = 6;
    let lengths: Vec<usize> = lines
        .iter()
        .filter(|l| l.role.is_none() && !l.text.is_empty())
        .map(|l| l.text.chars().count())
        .collect();
    if lengths.len() < ENOUGH || lengths.iter().any(|&length| length > 100) {
        return false;
    }
    let full = lengths.iter().filter(|&&length| length >= 50).count();
    let open =
        lines.iter().filter(|l| l.role.is_none() && l.text.len() >= 50 && !ends_sentence(l.text)).count();
    full * 10 >= lengths.len() * 6 && open * 2 >= full
}

#[cfg(test)]
mod tests {
    use super::super::lines::split;
    use super::*;

    fn joined(text: &str) -> Vec<String> {
        pieces(&split(text)).into_iter().map(|piece| piece.text).collect()
    }

    #[test]
    fn a_sentence_broken_at_links_is_one_again() {
        let text = "The harbour master\nsaid\nthe ferry was late. A tape has been\nhanded to\nThe Post\n. Nobody denied it.\n\
                    “In one night,” a clerk\nwrote to\nHarbour Weekly\non Friday\n, “it was over.”\nThe next paragraph.";
        assert_eq!(
            joined(text),
            [
                "The harbour master said the ferry was late. A tape has been handed to The Post. Nobody denied it.",
                "“In one night,” a clerk wrote to Harbour Weekly on Friday, “it was over.”",
                "The next paragraph."
            ]
        );
    }

    #[test]
    fn headings_and_labels_stay_alone() {
        let text = "The storm and what it left\nThe mayor spoke at noon.\n\niPhone sales rose.\nMenu\nHome";
        assert_eq!(
            joined(text),
            ["The storm and what it left", "The mayor spoke at noon.", "iPhone sales rose.", "Menu", "Home"]
        );
    }

    #[test]
    fn wrapped_mail_is_unwrapped() {
        let line = "This line of a mail is about sixty signs long and then it\n";
        let text = format!("{}ends.\n\n{}ends.", line.repeat(4), line.repeat(4));
        let got = joined(&text);
        assert_eq!(got.len(), 2);
        assert!(got[0].ends_with("then it ends."));
    }

    #[test]
    fn pieces_know_their_bytes() {
        let text = "One\nand two\n\nThree.";
        let pieces = pieces(&split(text));
        assert_eq!(&text[pieces[0].bytes.clone()], "One\nand two");
        assert_eq!((pieces[1].line, pieces[1].after_blank), (4, true));
    }
}
