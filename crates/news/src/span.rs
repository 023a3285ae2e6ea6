//! A place in an article.

use std::ops::Range;

/// Some bytes of one block.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Which block of the article, counted from 0.
    pub block: usize,
    /// Bytes of its text, from letter to letter.
    pub bytes: Range<usize>,
}

impl Span {
    /// Whether both have a byte in common.
    pub fn overlaps(&self, other: &Span) -> bool {
        self.block == other.block && self.bytes.start < other.bytes.end && other.bytes.start < self.bytes.end
    }

    /// Whether `other` lies within it.
    pub fn holds(&self, other: &Span) -> bool {
        self.block == other.block
            && self.bytes.start <= other.bytes.start
            && other.bytes.end <= self.bytes.end
    }
}
