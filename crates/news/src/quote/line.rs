//! A block as the grammar sees it: its words, with each marked stretch as a single item, in sentences.

use std::ops::Range;

use super::Kind;
use super::kind;
use super::marks::{Marked, marked};
use crate::cut;
use crate::word::{Class, Word};

/// One block.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) items: Vec<Item<'t>>,
    pub(super) marked: Vec<Marked>,
    /// Those of `marked` that are no speech, whatever stands in the sentence.
    pub(super) asides: Vec<Aside>,
    /// Of items. None ends inside of marks.
    pub(super) sentences: Vec<Range<usize>>,
}

/// Marked words that are no speech.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) kind: Kind,
    pub(super) marked: Marked,
}

/// A word, a sign, or a marked stretch.
#[derive(Clone, Debug)]
pub(super) struct Item<'t> {
    pub(super) word: Word<'t>,
    /// Which marked stretch of the line it is.
    pub(super) marked: Option<usize>,
}

impl Item<'_> {
    /// Whether it is a word of the language: no sign, no marked stretch.
    pub(super) fn is_word(&self) -> bool {
        self.marked.is_none() && !self.word.is_sign()
    }

    pub(super) fn is(&self, class: Class) -> bool {
        self.word.is(class)
    }

    pub(super) fn is_sign(&self, sign: &str) -> bool {
        self.marked.is_none() && self.word.text == sign
    }

    pub(super) fn says(&self, word: &str) -> bool {
        self.marked.is_none() && self.word.says(word)
    }

    pub(super) fn says_any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.says(word))
    }

    pub(super) fn is_dash(&self) -> bool {
        self.is_sign("—") || self.is_sign("–") || self.is_sign("-")
    }

    /// Whether a pronoun's letters are a name's: "US" within a sentence.
    pub(super) fn is_capital_name(&self) -> bool {
        self.word.text.len() > 1 && self.word.text.chars().all(char::is_uppercase)
    }

    pub(super) fn is_capital(&self) -> bool {
        self.marked.is_none() && self.word.is_capital()
    }
}

impl<'t> Line<'t> {
    pub(super) fn of(cut: &cut::Line<'t>, next_opens: bool) -> Line<'t> {
        let text = cut.block.text();
        let marked = marked(text, &cut.sentences, next_opens);
        let mut items = items(text, &cut.words, &marked);
        let asides = asides(&mut items, &marked, text);
        let sentences = outer_sentences(&items, &marked, text, &cut.sentences);
        Line { text, items, marked, asides, sentences }
    }

    /// The bytes of some items, of which there is at least one.
    pub(super) fn bytes(&self, items: Range<usize>) -> Range<usize> {
        self.items[items.start].word.begin..self.items[items.end - 1].word.bytes().end
    }
}

fn items<'t>(text: &'t str, words: &[Word<'t>], marked: &[Marked]) -> Vec<Item<'t>> {
    let mut items = Vec::with_capacity(words.len());
    let mut places = marked.iter().enumerate().peekable();
    for word in words {
        while let Some((place, marked)) = places.next_if(|(_, marked)| marked.outer.start <= word.begin) {
            let stretch =
                Word { text: &text[marked.outer.clone()], begin: marked.outer.start, class: Class::NONE };
            items.push(Item { word: stretch, marked: Some(place) });
        }
        let covered = items.last().is_some_and(|last: &Item<'_>| last.word.bytes().end > word.begin);
        if !covered {
            items.push(Item { word: word.clone(), marked: None });
        }
    }
    items
}

/// Marked words whose surroundings say that nobody speaks them become words: the grammar sees "on The Long Quay".
fn asides<'t>(items: &mut [Item<'t>], marked: &[Marked], text: &'t str) -> Vec<Aside> {
    let mut found = Vec::new();
    for at in 0..items.len() {
        let Some(place) = items[at].marked else { continue };
        let inner = marked[place].inner.clone();
        if let Some(kind) = kind::of_named(items, at, &text[inner.clone()]) {
            found.push(Aside { kind, marked: marked[place].clone() });
            let words = Word { text: text[inner.clone()].trim(), begin: inner.start, class: Class::NONE };
            items[at] = Item { word: words, marked: None };
        }
    }
    found
}

/// Longest sentence, in items; more is no prose, and the grammar looks at a sentence more than once.
const LONGEST_SENTENCE: usize = 400;

/// Sentences of items, from those of bytes: an end inside of marks is none.
fn outer_sentences(
    items: &[Item<'_>],
    marked: &[Marked],
    text: &str,
    ends: &[Range<usize>],
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut ends = ends.iter().map(|sentence| sentence.end).peekable();
    for (at, item) in items.iter().enumerate() {
        let end = item.word.bytes().end;
        let mut is_end = false;
        while ends.next_if(|sentence| *sentence <= end).is_some() {
            is_end = true;
        }
        // The end of the last sentence within a marked stretch is the stretch's, if the words end there.
        if is_end && item.marked.is_some_and(|place| !ends_sentence(&text[marked[place].inner.clone()])) {
            is_end = false;
        }
        if item.marked.is_none()
            && item.word.text.ends_with('.')
            && item.word.text.len() > 2
            && item.word.text[..item.word.text.len() - 1].contains('.')
            && items.get(at + 1).is_some_and(|next| {
                next.is_capital()
                    && next.is(Class::PRONOUN
                        | Class::DETERMINER
                        | Class::SUBORDINATOR
                        | Class::AND
                        | Class::PREPOSITION)
            })
        {
            is_end = true;
        }
        if is_end || at + 1 - begin >= LONGEST_SENTENCE {
            found.push(begin..at + 1);
            begin = at + 1;
        }
    }
    if begin < items.len() {
        found.push(begin..items.len());
    }
    found
}

/// Whether marked words end a sentence. A mark of question or exclamation may stand before the verb of saying; the
/// attribution that follows decides there.
pub(super) fn ends_sentence(words: &str) -> bool {
    words
        .trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '’' | '”' | ')'))
        .ends_with(['.', '?', '!', '…'])
}

#[cfg(test)]
mod tests {
    use proto::story::Block;

    use super::*;
    use crate::cut::Cut;

    #[test]
    fn sentences_do_not_end_inside_of_marks() {
        let text = "“We wait. We do,” she said. It rained. “Why? Nobody knows.” Orr left.";
        let blocks = [Block::Paragraph(text.to_owned())];
        let line = Line::of(&Cut::of(&blocks).lines[0], false);
        let cut: Vec<_> = line.sentences.iter().map(|items| &line.text[line.bytes(items.clone())]).collect();
        assert_eq!(cut, ["“We wait. We do,” she said.", "It rained.", "“Why? Nobody knows.”", "Orr left."]);
    }
}
