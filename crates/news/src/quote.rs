//! An article's blocks -> its quotes: the exact words, who said them, to whom and where.
//!
//! ```text
//! block -> words, marks -> line (marked stretches as items) -> attributions of each sentence -> quotes -> speakers
//! ```
//!
//! Nothing is guessed from what the words mean. A marked stretch is somebody's words if a verb, a colon or the paragraph ties it to a
//! source; what nothing ties is told apart as a label, a title or a word of an interface ([`Kind`]).

mod attribute;
mod line;
mod marks;
mod phrase;

use std::ops::Range;

use proto::story::Block;

use attribute::{Attribution, announcing, attributions, begins_with_tag};
use line::Line;

use crate::span::Span;

/// One utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The exact words, between the marks, in order. Never empty.
    pub words: Vec<Span>,
    /// All that is attributed: the marks and the words around them that belong to the same utterance ("that the plan was “dead”").
    pub content: Vec<Span>,
    /// The verb of saying, or "according to".
    pub cue: Option<Span>,
    /// Who is named as the source, as it stands beside the cue.
    pub source: Option<Span>,
    /// Who was told.
    pub addressee: Option<Span>,
}

/// The quotes of an article, in order.
pub fn quotes(blocks: &[Block]) -> Vec<Quote> {
    let mut reader = Reader::default();
    for (at, block) in blocks.iter().enumerate() {
        let next_opens = blocks.get(at + 1).is_some_and(|next| marks::opens(next.text()));
        reader.read(at, &Line::of(block.text(), next_opens));
    }
    reader.quotes
}

#[derive(Default)]
struct Reader {
    quotes: Vec<Quote>,
    /// The sentence before ended with a colon: its verb and subject.
    announced: Option<(Option<Span>, Option<Span>)>,
    /// The block before ended inside of a quote or with one.
    goes_on: bool,
    /// The first quote of the last sentence that had any.
    since: usize,
    marked: Vec<bool>,
}

impl Reader {
    /// The quote that a marked sentence of its own goes on with: the one that began with marks, rather than a fragment behind it.
    fn followed(&mut self) -> Option<&mut Quote> {
        let at = (self.since..self.quotes.len()).rev().find(|&at| self.marked.get(at) == Some(&true));
        match at {
            Some(at) => self.quotes.get_mut(at),
            None => self.quotes.last_mut(),
        }
    }

    fn read(&mut self, block: usize, line: &Line<'_>) {
        // Whether a marked sentence of its own belongs to the last quote.
        let mut follows = self.goes_on;
        for sentence in sentences(line) {
            let items = &line.items[sentence.clone()];
            let place = |part: Range<usize>| Span { block, bytes: line.bytes(sentence.start + part.start..sentence.start + part.end) };
            let has_marks = items.iter().any(|item| item.marked.is_some());
            let pure = has_marks && items.iter().all(|item| !item.is_word());
            if pure {
                let whole = trimmed(items);
                if let Some((cue, source)) = self.announced.take() {
                    self.quotes.push(Quote { words: vec![], content: vec![place(whole)], cue, source, addressee: None });
                    follows = true;
                } else if follows && let Some(last) = self.followed() {
                    last.content.push(place(whole));
                }
                continue;
            }
            self.announced = None;
            follows &= has_marks;
            if has_marks {
                let found = attributions(items);
                follows = !found.is_empty();
                self.since = self.quotes.len();
                for Attribution { cue, source, content, addressee } in found {
                    self.marked.truncate(self.quotes.len());
                    self.marked.resize(self.quotes.len(), false);
                    self.marked.push(items[content[0].start].marked.is_some());
                    self.quotes.push(Quote {
                        words: vec![],
                        content: content.into_iter().map(place).collect(),
                        cue: Some(place(cue)),
                        source: source.map(place),
                        addressee: addressee.map(place),
                    });
                }
            }
            if items.last().is_some_and(|last| last.is_sign(":")) {
                let (cue, source) = announcing(items);
                self.announced = Some((cue.map(place), source.map(place)));
            }
        }
        self.goes_on = follows;
    }
}

/// The sentences of a line, where a question in marks and the verb of asking behind it are one.
fn sentences(line: &Line<'_>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(line.sentences.len());
    for sentence in &line.sentences {
        match joined.last_mut() {
            // "Vane Jr. (of Orford)" is not two sentences.
            Some(last) if line.items[sentence.start].is_sign("(") && line.items[last.end - 1].marked.is_none() => last.end = sentence.end,
            Some(last) if is_before_tag(line, last.end - 1, &line.items[sentence.clone()]) => {
                last.end = sentence.end;
            }
            _ => joined.push(sentence.clone()),
        }
    }
    joined
}

/// Whether the verb of saying for the marked words at `at` begins the next sentence.
fn is_before_tag(line: &Line<'_>, at: usize, next: &[line::Item<'_>]) -> bool {
    let Some(place) = line.items[at].marked else { return false };
    let stops = line.text[line.marked[place].inner.clone()].trim_end().ends_with('.');
    begins_with_tag(next, stops)
}

/// The items of a marked sentence without a stop behind the marks.
fn trimmed(items: &[line::Item<'_>]) -> Range<usize> {
    let begin = items.iter().position(|item| item.marked.is_some()).unwrap_or(0);
    let end = items.iter().rposition(|item| item.marked.is_some()).map_or(items.len(), |last| last + 1);
    begin..end
}
