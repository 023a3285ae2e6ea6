//! A summary glued on top of an article, told from the article's own opening.
//!
//! News style introduces a person by the full name once and goes on with the surname. A text in which most full names
//! are introduced a second time starts over: what stands before is a summary of what follows. That alone could be a
//! long article's habit; two of three other signs must agree: something divides the two (an address, a rule of
//! signs), only the second part has quotations, only the second part was broken at links by the scraper.

use std::collections::HashSet;

use super::Role;
use super::join::Piece;
use super::lines::{count_words, is_prose, words};
use crate::document::Reason;

/// Marks the paragraphs of such a summary.
pub(crate) fn mark(pieces: &mut [Piece]) {
    /// A summary of more paragraphs is no summary.
    const LONGEST: usize = 6;
    let prose: Vec<usize> = (0..pieces.len())
        .filter(|&at| pieces[at].role == Role::Paragraph && is_prose(&pieces[at].text))
        .collect();
    // Of the three signs two must agree, so one of these two.
    let divides = |piece: &Piece| matches!(piece.role, Role::Out(Reason::BareAddress | Reason::NotProse));
    if !pieces.iter().any(divides) && pieces.iter().filter(|piece| piece.mended).count() < 2 {
        return;
    }
    let read: Vec<Prose<'_>> = prose.iter().map(|&at| Prose::of(at, &pieces[at])).collect();
    // Where several boundaries would do, a dividing line decides, then the most names introduced again.
    let glued = (1..prose.len().min(LONGEST + 1))
        .filter_map(|count| {
            let (divided, again) = starts_over(pieces, &read[..count], &read[count..])?;
            Some((divided, again, std::cmp::Reverse(count)))
        })
        .max();
    let Some((_, _, std::cmp::Reverse(count))) = glued else { return };
    for &at in &prose[..count] {
        pieces[at].role = Role::Out(Reason::Summary);
    }
}

/// A paragraph, and what is asked of it at each boundary.
struct Prose<'a> {
    at: usize,
    text: &'a str,
    words: usize,
    quotations: usize,
    mended: bool,
}

impl<'a> Prose<'a> {
    fn of(at: usize, piece: &'a Piece) -> Prose<'a> {
        let text = piece.text.as_str();
        let (words, quotations) = (count_words(text, 5000), quotations(text));
        Prose { at, text, words, quotations, mended: piece.mended }
    }
}

/// Whether `article` starts over behind `summary`: if so, whether something divides them, and how many full names are
/// introduced again.
fn starts_over(pieces: &[Piece], summary: &[Prose<'_>], article: &[Prose<'_>]) -> Option<(bool, usize)> {
    let length = |part: &[Prose<'_>]| part.iter().map(|it| it.words).sum::<usize>();
    let (short, long) = (length(summary), length(article));
    if short < 40 || short * 3 > long * 2 {
        return None;
    }
    let divided = (summary[summary.len() - 1].at..article[0].at)
        .any(|at| matches!(pieces[at].role, Role::Out(Reason::BareAddress | Reason::NotProse)));
    let quotes = |part: &[Prose<'_>]| part.iter().map(|it| it.quotations).sum::<usize>();
    let quoted = quotes(summary) == 0 && quotes(article) >= 2;
    let mended = |part: &[Prose<'_>]| part.iter().filter(|it| it.mended).count();
    let broken = mended(summary) == 0 && mended(article) >= 2;
    if usize::from(divided) + usize::from(quoted) + usize::from(broken) < 2 {
        return None;
    }
    let introduced: HashSet<(&str, &str)> = summary.iter().flat_map(|it| full_names(it.text)).collect();
    let again: HashSet<(&str, &str)> =
        article.iter().flat_map(|it| full_names(it.text)).filter(|name| introduced.contains(name)).collect();
    (again.len() >= 3 && again.len() * 5 >= introduced.len() * 2).then_some((divided, again.len()))
}

/// Quotations of four words or more; scare quotes are shorter.
fn quotations(text: &str) -> usize {
    text.split(['“', '"'])
        .skip(1)
        .filter(|rest| count_words(rest.split(['”', '"']).next().unwrap_or_default(), 4) >= 4)
        .count()
}

/// Two capitalised words in a row inside a sentence: a full name, most of the time.
fn full_names(text: &str) -> Vec<(&str, &str)> {
    let mut names = Vec::new();
    for part in text.split(|c: char| !(c.is_alphanumeric() || matches!(c, ' ' | '\'' | '’' | '-'))) {
        let words: Vec<&str> = words(part).collect();
        names.extend(
            words
                .windows(2)
                .filter(|pair| pair.iter().all(|word| is_name(word)))
                .map(|pair| (pair[0], bare(pair[1]))),
        );
    }
    names
}

fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(char::is_uppercase) && chars.next().is_some_and(char::is_lowercase)
}

fn bare(word: &str) -> &str {
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::document::{Document, Format, Source};

    fn document(text: &str) -> Document {
        read(text, Source { name: "t".into(), format: Format::Text, charset: "UTF-8" }).expect("an article")
    }

    const SUMMARY: &str = "The article examines the part that Ada Moor, a former printer, played in the talks between Skerry and Tallow, and \
        how Ben Gale, who led the crew, came to refuse an offer that Cora Light had made. It raises questions about who decides \
        on the coast and whether the ministry was told in time about the storm.\n\
        Critics of the talks say that the offer came too late for the winter and too early for the vote, and that nobody has yet \
        explained why the letter exists in three forms.\n";
    const ARTICLE: &str = "Look at the calendar first. Ada Moor\nwrote\nto the crew on Monday, a day before anyone on the coast had heard \
        of the offer at all.\nOn Tuesday Ben Gale, who led the crew, read the letter aloud on the pier. “This is not what we were \
        promised in spring,” he said, and put it into his pocket.\nWhat had been promised? Cora Light, the minister,\nremembers\n\
        it differently: “I offered two boats and a year of pay,” she said. Gale remembers one boat. Moor remembers none, and she \
        had written the letter that both of them quote, each with a different ending and a different date at its top.\n\
        The pier has been empty since then. On most mornings somebody comes down to look at the boat, and goes up again before the \
        bakery opens, and the letter is still with the printer, who says that she will show it to anybody who asks.\n";

    #[test]
    fn a_summary_above_an_address_is_told_apart() {
        let got = document(&format!("Who spoke for the crew?\n{SUMMARY}https://video.example/1\n{ARTICLE}"));
        assert_eq!([got.dropped[0].reason, got.dropped[1].reason], [Reason::Summary; 2]);
        assert!(got.paragraphs().next().is_some_and(|first| first.starts_with("Look at the calendar")));
        assert_eq!(got.title.as_deref(), Some("Who spoke for the crew?"));
    }

    #[test]
    fn an_articles_own_opening_stays() {
        let opening = "Ada Moor, a former printer, went to the talks between Skerry and Tallow on Monday, as did Ben Gale, who leads the \
            crew, and Cora Light, the minister. Nobody else was let in, and nobody who was in the room would say a word about it \
            when the doors opened late in the evening.\n";
        let rest = "“We will sail when it is safe to sail,” Gale said. Light nodded. “There will be two boats for the winter,” she said. Moor took \
            notes, as she had for an hour, and asked whether the letter was still on the table. It was, Light said, and it would \
            stay there until somebody signed it or the winter came, whichever was first, and the winter was not far away now.\n";
        let got = document(&format!("Talks on the coast\n{opening}https://video.example/1\n{rest}{rest}"));
        assert!(got.dropped.iter().all(|dropped| dropped.reason != Reason::Summary));
    }
}
