//! An article's blocks -> their sentences and words, cut once for all the steps that read them.

use std::ops::Range;

use proto::story::Block;

use crate::sentence::sentences;
use crate::word::{Word, words};

/// An article's blocks, each cut into sentences and words.
#[derive(Debug)]
pub struct Cut<'b> {
    pub(crate) lines: Vec<Line<'b>>,
}

/// One block.
#[derive(Debug)]
pub(crate) struct Line<'b> {
    pub(crate) block: &'b Block,
    pub(crate) sentences: Vec<Range<usize>>,
    pub(crate) words: Vec<Word<'b>>,
}

impl<'b> Cut<'b> {
    /// Cuts the blocks of an article, which may be of any length, or of all articles of a story.
    pub fn of(blocks: impl IntoIterator<Item = &'b Block>) -> Cut<'b> {
        let line =
            |block: &'b Block| Line { block, sentences: sentences(block.text()), words: words(block.text()) };
        Cut { lines: blocks.into_iter().map(line).collect() }
    }

    /// The sentences of one block, as bytes of it. Empty where there is no such block.
    pub fn sentences(&self, block: usize) -> &[Range<usize>] {
        self.lines.get(block).map_or(&[], |line| &line.sentences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_has_its_sentences_and_words() {
        let blocks =
            ["It rained. Vane left.", "", "“No,” she said."].map(|text| Block::Paragraph(text.to_owned()));
        let cut = Cut::of(&blocks);
        assert_eq!(cut.sentences(0), [0..10, 11..21]);
        assert!(cut.sentences(1).is_empty() && cut.sentences(3).is_empty());
        let words: Vec<&str> = cut.lines[2].words.iter().map(|word| word.text).collect();
        assert_eq!(words, ["“", "No", ",", "”", "she", "said", "."]);
    }
}
