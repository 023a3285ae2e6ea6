//! What every row of a story page rests on: outlets by name, and their sentences with the words that matter marked.
//!
//! An analysis may come from anywhere. What it points at is looked up, and what is not there is left out.

use std::{
    cell::Cell,
    collections::{HashMap, HashSet},
    ops::Range,
};

use maud::{Markup, html};
use proto::{
    analysis::{Analysis, Claim, Difference, Event, NearCopy, Origin, Passage, Point, Utterance},
    story::{Article, Story},
};

use super::article::{anchor, opinion};
use crate::text::{beginning, run, tame};

/// The most bytes of one sentence: a passage may be a whole paragraph.
const SENTENCE: usize = 700;
/// The most bytes of sentences on one page: more than the largest analysis that an honest press sends comes to.
const PAGE: usize = 1 << 20;
/// The most events, utterances, claims and origins, each: far more than anybody reads.
const ROWS: usize = 300;
/// Outlets named in a line; a row's sentences name all of them.
const NAMED: usize = 6;
/// The longest name of a speaker or an origin, in characters.
const NAME: usize = 120;

/// A story, and what its page looks up again and again.
pub(super) struct View<'a> {
    pub(super) articles: &'a [Article],
    pub(super) events: &'a [Event],
    pub(super) utterances: &'a [Utterance],
    pub(super) claims: &'a [Claim],
    pub(super) origins: &'a [Origin],
    pub(super) spellings: &'a [Vec<String>],
    pub(super) copies: &'a [NearCopy],
    /// Rows beyond those, which this page leaves out.
    pub(super) left_out: usize,
    /// For each article the first one of its outlet.
    firsts: Vec<u32>,
    /// Bytes of sentences for which there is still room.
    room: Cell<usize>,
}

/// A sentence as a row shows it.
pub(super) struct Line {
    pub(super) sentence: Passage,
    /// Which of its words matter for the row.
    pub(super) marks: Vec<Passage>,
    /// What is said about it, under it.
    pub(super) note: Markup,
}

impl<'a> View<'a> {
    pub(super) fn new(story: &'a Story) -> View<'a> {
        fn first<'a, T>(all: &'a [T], left_out: &mut usize) -> &'a [T] {
            let (shown, rest) = all.split_at(all.len().min(ROWS));
            *left_out += rest.len();
            shown
        }
        let mut known = HashMap::new();
        let firsts = (0..).zip(&story.articles);
        let Analysis { events, utterances, claims, origins, spellings, copies } = &story.analysis;
        let mut left_out = 0;
        View {
            articles: &story.articles,
            events: first(events, &mut left_out),
            utterances: first(utterances, &mut left_out),
            claims: first(claims, &mut left_out),
            origins: first(origins, &mut left_out),
            spellings: first(spellings, &mut left_out),
            copies: first(copies, &mut left_out),
            left_out,
            firsts: firsts.map(|(n, it)| *known.entry(it.outlet.as_str()).or_insert(n)).collect(),
            room: Cell::new(PAGE),
        }
    }

    /// The first article of an article's outlet, which stands for all of them.
    pub(super) fn first(&self, article: u32) -> Option<u32> {
        self.firsts.get(article as usize).copied()
    }

    /// Whether its outlet marks an article as opinion: it counts for nothing that it says.
    pub(super) fn is_opinion(&self, article: u32) -> bool {
        self.articles.get(article as usize).is_some_and(|it| opinion(it).is_some())
    }

    /// One article of each outlet among `articles`, in their order.
    pub(super) fn outlets(&self, articles: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let mut seen = HashSet::new();
        articles.into_iter().filter(|it| self.first(*it).is_some_and(|first| seen.insert(first))).collect()
    }

    /// Outlets by name, each a link to its article: "A, B and C".
    pub(super) fn names(&self, outlets: &[u32]) -> Markup {
        let shown = if outlets.len() > NAMED + 1 { NAMED } else { outlets.len() };
        let more = outlets.len() - shown;
        html! {
            @for (place, outlet) in outlets[..shown].iter().enumerate() {
                @if place > 0 { (if place + 1 == outlets.len() { " and " } else { ", " }) }
                (self.name(*outlet))
            }
            @if more > 0 { " and " (more) " more" }
        }
    }

    /// An article's outlet, a link to it.
    pub(super) fn name(&self, article: u32) -> Markup {
        html! {
            @if let Some(it) = self.articles.get(article as usize) { a href={ "#" (anchor(it)) } { (run(&it.outlet)) } }
        }
    }

    /// A passage's words, the marked ones in `mark`. Nothing if it does not lie in the articles.
    pub(super) fn words(&self, whole: &Passage, marks: &[Passage]) -> Markup {
        let Some(text) = whole.text(self.articles) else { return html! {} };
        let Some(room) = self.room.get().checked_sub(text.len().min(SENTENCE)) else {
            return html! { i { "Not repeated here, for this page is long already; it stands in the article." } };
        };
        self.room.set(room);
        let within = |mark: &Passage| {
            let [start, end] = [mark.start, mark.end].map(|at| at.saturating_sub(whole.start) as usize);
            (whole.holds(mark) && text.get(start..end).is_some()).then_some(start..end)
        };
        let mut marks: Vec<_> = marks.iter().filter_map(within).collect();
        marks.sort_unstable_by_key(|mark| (mark.start, mark.end));
        let shown = window(text, marks.first().map_or(0, |mark| mark.start));
        html! {
            @if shown.start > 0 { "… " }
            @for (piece, marked) in pieces(text, shown.clone(), &marks) {
                @if marked { mark { (tame(piece)) } } @else { (tame(piece)) }
            }
            @if shown.end < text.len() { " …" }
        }
    }

    /// The sentence of a row that holds some words, or what stands around them.
    pub(super) fn around<'p>(
        &self,
        words: &Passage,
        sentences: impl IntoIterator<Item = &'p Passage>,
    ) -> Passage {
        /// Of a block so many bytes to each side: it may be as long as its outlet likes, and stand around many words.
        const AROUND: usize = 600;
        let block = || {
            let text = self.articles.get(words.article as usize)?.body.get(words.block as usize)?.text();
            let start = text.floor_char_boundary((words.start as usize).saturating_sub(AROUND));
            let end = text.ceil_char_boundary((words.end as usize).saturating_add(AROUND).min(text.len()));
            Some(Passage { start: u32::try_from(start).ok()?, end: u32::try_from(end).ok()?, ..*words })
        };
        let sentence = sentences.into_iter().find(|sentence| sentence.holds(words)).copied();
        sentence.or_else(block).unwrap_or(*words)
    }

    /// Who prints some words, a link to the block in which they stand.
    pub(super) fn place(&self, words: &Passage) -> Markup {
        let article = self.articles.get(words.article as usize);
        html! {
            @if let Some(it) = article.filter(|it| (words.block as usize) < it.body.len()) {
                a href={ "#" (anchor(it)) "-" (words.block) } { (run(&it.outlet)) }
            }
        }
    }

    /// One sentence with who prints it, which is a link to where it stands.
    pub(super) fn line(&self, line: &Line) -> Markup {
        let Line { sentence, marks, note } = line;
        html! {
            @if sentence.text(self.articles).is_some() {
                li {
                    p.from { (self.place(sentence)) }
                    blockquote dir="auto" { (self.words(sentence, marks)) }
                    (note)
                }
            }
        }
    }

    /// All sentences of a row, folded under what they are.
    pub(super) fn lines(&self, title: &str, lines: &[Line]) -> Markup {
        html! {
            @if !lines.is_empty() {
                details.evidence {
                    summary { (title) }
                    (folded(lines, 12, |lines| html! { ul { @for line in lines { (self.line(line)) } } }))
                }
            }
        }
    }

    /// A point of difference: each side's words, who takes it, and their sentences.
    pub(super) fn difference(&self, difference: &Difference, sentences: &[Passage]) -> Markup {
        let line = |words: &Passage| Line {
            sentence: self.around(words, sentences),
            marks: vec![*words],
            note: html! {},
        };
        html! {
            ul.sides {
                @for side in difference.sides.iter().take(ROWS) {
                    @if let Some((first, others)) = side.split_first() {
                        li {
                            p.from { (self.names(&self.outlets(side.iter().map(|words| words.article)))) }
                            blockquote dir="auto" { (self.words(&line(first).sentence, &[*first])) }
                            @let others: Vec<_> = others.iter().map(line).collect();
                            (self.lines(&count(others.len(), "more sentence"), &others))
                        }
                    }
                }
            }
        }
    }
}

/// In what outlets differ, as a sentence.
pub(super) fn point(point: Point) -> &'static str {
    match point {
        Point::Speaker => "They give these words to different people.",
        Point::Number => "They give different numbers.",
        Point::Date => "They give different days.",
        Point::Status => "They differ on whether it has happened.",
        Point::Certainty => "Some say it flatly, others with a hedge.",
        Point::Scope => "Some speak of all of it, others of a part.",
        Point::Role => "They give the same person different offices.",
        Point::Wording => "They print different words.",
    }
}

/// The first rows, and the others folded behind how many they are.
pub(super) fn folded<T>(rows: &[T], open: usize, draw: impl Fn(&[T]) -> Markup) -> Markup {
    // Nobody opens a fold for one or two.
    let (first, others) = rows.split_at(if rows.len() > open + 2 { open } else { rows.len() });
    html! {
        (draw(first))
        @if !others.is_empty() { details.more { summary { (others.len()) " more" } (draw(others)) } }
    }
}

/// "1 sentence", "3 sentences".
pub(super) fn count(number: usize, noun: &str) -> String {
    let ending = match noun.ends_with("ch") {
        _ if number == 1 => "",
        true => "es",
        false => "s",
    };
    format!("{number} {noun}{ending}")
}

/// A name from an analysis, never longer than a line or two.
pub(super) fn named(name: &str) -> Markup {
    run(&beginning(name, NAME))
}

/// Which part of a long text is shown, given where it matters.
fn window(text: &str, matters: usize) -> Range<usize> {
    if text.len() <= SENTENCE {
        return 0..text.len();
    }
    let start = matters.saturating_sub(SENTENCE / 3).min(text.len() - SENTENCE);
    let start = text.floor_char_boundary(start);
    start..text.floor_char_boundary(start + SENTENCE)
}

/// The shown part cut where marks begin and end. Marks come by their beginning and may lie over each other.
fn pieces<'t>(text: &'t str, shown: Range<usize>, marks: &[Range<usize>]) -> Vec<(&'t str, bool)> {
    let mut pieces = Vec::new();
    let mut at = shown.start;
    for mark in marks {
        let (start, end) = (mark.start.clamp(at, shown.end), mark.end.clamp(at, shown.end));
        pieces.extend([(&text[at..start], false), (&text[start..end], true)]);
        at = end;
    }
    pieces.push((&text[at..shown.end], false));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn marks_are_cut_out_of_what_is_shown() {
        let text = "It rained on Tuesday, they said.";
        assert_eq!(
            pieces(text, 0..text.len(), &[3..9, 5..20]),
            [("It ", false), ("rained", true), (" on Tuesday", true), (", they said.", false)]
        );
        assert_eq!(pieces(text, 13..20, &[3..9, 22..26]), [("Tuesday", false)]);
    }

    #[test]
    fn long_lists_are_folded_and_short_ones_are_not() {
        let drawn =
            |rows: usize| folded(&vec![(); rows], 3, |rows| html! { "[" (rows.len()) "]" }).into_string();
        assert_eq!(drawn(5), "[5]");
        assert_eq!(drawn(6), "[3]<details class=\"more\"><summary>3 more</summary>[3]</details>");
    }

    proptest! {
        #[test]
        fn any_text_and_any_marks(
            text in "[aé龍 ]{0,900}",
            matters in 0usize..3000,
            mut marks in prop::collection::vec((0usize..3000, 0usize..3000), 0..5),
        ) {
            let shown = window(&text, matters.min(text.len()));
            prop_assert!(shown.len() <= SENTENCE && text.get(shown.clone()).is_some());
            marks.sort_unstable();
            let marks: Vec<_> = marks
                .into_iter()
                .map(|(a, b)| text.floor_char_boundary(a.min(b))..text.floor_char_boundary(a.max(b)))
                .collect();
            let mut marks = marks;
            marks.sort_unstable_by_key(|mark| mark.start);
            let all: String = pieces(&text, shown.clone(), &marks).into_iter().map(|(piece, _)| piece).collect();
            prop_assert_eq!(&all, &text[shown]);
        }
    }
}
