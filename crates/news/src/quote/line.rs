//! A block as the grammar sees it: its words, with each marked stretch as a single item, in sentences.

use std::ops::Range;

use super::marks::{Marked, marked};
use crate::sentence::sentences;
use crate::word::{Class, Word, words};

/// One block.
#[derive(Debug)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    pub(super) items: Vec<Item<'t>>,
    pub(super) marked: Vec<Marked>,
    /// Of items. None ends inside of marks.
    pub(super) sentences: Vec<Range<usize>>,
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

    pub(super) fn is_capital(&self) -> bool {
        self.marked.is_none() && self.word.is_capital()
    }
}

impl<'t> Line<'t> {
    pub(super) fn of(text: &'t str, next_opens: bool) -> Line<'t> {
        let ends = sentences(text);
        let marked = marked(text, &ends, next_opens);
        let mut items = items(text, &marked);
        titles(&mut items, &marked, text);
        let sentences = outer_sentences(&items, &marked, text, &ends);
        Line { text, items, marked, sentences }
    }

    /// The bytes of some items, of which there is at least one.
    pub(super) fn bytes(&self, items: Range<usize>) -> Range<usize> {
        self.items[items.start].word.begin..self.items[items.end - 1].word.bytes().end
    }
}

fn items<'t>(text: &'t str, marked: &[Marked]) -> Vec<Item<'t>> {
    let mut items = Vec::new();
    let mut places = marked.iter().enumerate().peekable();
    for word in words(text) {
        while let Some((place, marked)) = places.next_if(|(_, marked)| marked.outer.start <= word.begin) {
            let stretch = Word { text: &text[marked.outer.clone()], begin: marked.outer.start, class: Class::NONE };
            items.push(Item { word: stretch, marked: Some(place) });
        }
        let covered = items.last().is_some_and(|last: &Item<'_>| last.word.bytes().end > word.begin);
        if !covered {
            items.push(Item { word, marked: None });
        }
    }
    items
}

/// Marked titles of works and programmes become words: nobody says them.
fn titles<'t>(items: &mut [Item<'t>], marked: &[Marked], text: &'t str) {
    for at in 1..items.len() {
        let Some(place) = items[at].marked else { continue };
        let before = &items[at - 1];
        let placed = before.word.is_possessive()
            || ["on", "in", "at", "from", "with"].iter().any(|word| before.says(word))
            || ["book", "film", "show", "song", "album", "play", "series", "podcast", "program", "programme", "magazine", "novel", "movie"].iter().any(|word| before.says(word));
        if placed && is_title(&text[marked[place].inner.clone()]) {
            let inner = marked[place].inner.clone();
            items[at] = Item { word: Word { text: text[inner.clone()].trim(), begin: inner.start, class: Class::NONE }, marked: None };
        }
    }
}

/// Whether all words but small ones begin with a capital, and nothing but a comma ends them.
fn is_title(words: &str) -> bool {
    const LONGEST: usize = 9;
    let words = words.trim_end_matches([',', '.', ' ']);
    let mut count = 0;
    let all = words.split_whitespace().all(|word| {
        count += 1;
        !word.starts_with(char::is_lowercase) || ["a", "an", "and", "at", "for", "in", "of", "on", "or", "the", "to", "with"].contains(&word)
    });
    all && count <= LONGEST && words.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
}

/// Longest sentence, in items; more is no prose, and the grammar looks at a sentence more than once.
const LONGEST_SENTENCE: usize = 400;

/// Sentences of items, from those of bytes: an end inside of marks is none.
fn outer_sentences(items: &[Item<'_>], marked: &[Marked], text: &str, ends: &[Range<usize>]) -> Vec<Range<usize>> {
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
    words.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '’' | '”' | ')')).ends_with(['.', '?', '!', '…'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_do_not_end_inside_of_marks() {
        let line = Line::of("“We wait. We do,” she said. It rained. “Why? Nobody knows.” Orr left.", false);
        let cut: Vec<_> = line.sentences.iter().map(|items| &line.text[line.bytes(items.clone())]).collect();
        assert_eq!(cut, ["“We wait. We do,” she said.", "It rained.", "“Why? Nobody knows.”", "Orr left."]);
    }
}
