//! Plain text as it was scraped -> a document without what is not the article.
//!
//! ```text
//! lines -> marks on single lines (patterns) -> pieces (join) -> head -> tail -> summary -> Document
//! ```
//!
//! The rules look at shape, position, general words of the trade and statistics of the text itself; none names a
//! person or an outlet. Their word lists are English; text in another language passes through the rules of shape only.
//! Whatever is left out is kept in [`Document::dropped`] with its reason.

mod head;
mod join;
mod lines;
pub(crate) use lines::{count_words, ends_sentence, is_prose, words};
pub(crate) mod patterns;
mod summary;
mod tail;

use proto::story::Block;

use crate::document::{Document, Dropped, Place, Reason, Source};
use join::Piece;

/// Most lines read as one article, blank ones aside. A book has fewer.
pub const MOST_LINES: usize = 20_000;

/// Why a text is not an article.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// Nothing but blanks.
    #[error("the text is empty")]
    Empty,
    /// More lines than any article has.
    #[error("the text has more than {MOST_LINES} lines")]
    TooManyLines,
    /// Headlines and captions alone.
    #[error("the text holds no paragraph")]
    NoParagraph,
    /// There were lines, but none that is a paragraph of an article.
    #[error("no line of the text belongs to an article (the first one: {first})")]
    NoArticle {
        /// Why the first line was left out.
        first: Reason,
    },
}

/// Reads one article from scraped text.
///
/// Linear in the length of the text. `source` says where it came from.
pub fn read(text: &str, source: Source) -> Result<Document, TextError> {
    let mut lines = lines::split(text);
    if lines.iter().all(|line| line.text.is_empty()) {
        return Err(TextError::Empty);
    }
    if lines.iter().filter(|line| !line.text.is_empty()).count() > MOST_LINES {
        return Err(TextError::TooManyLines);
    }
    patterns::mark(&mut lines);
    let mut pieces = join::pieces(&lines);
    let found = head::read(&mut pieces);
    tail::mark(&mut pieces);
    summary::mark(&mut pieces);

    let mut document = Document::empty(source);
    document.outlet = found.outlet;
    document.section = found.section;
    document.title = found.title;
    document.byline = found.byline;
    document.published = found.published;
    for piece in pieces {
        place(piece, &mut document);
    }
    if document.paragraphs().next().is_none() {
        return Err(document
            .dropped
            .first()
            .map_or(TextError::NoParagraph, |first| TextError::NoArticle { first: first.reason }));
    }
    Ok(document)
}

/// Fills `document` with blocks that another format's reader found, leaving out what is not the article.
/// A block that its reader judged already comes with the reason.
pub(crate) fn clean(blocks: Vec<(Block, Option<Reason>)>, document: &mut Document) {
    let mut pieces: Vec<Piece> = Vec::with_capacity(blocks.len());
    for ((block, out), number) in blocks.into_iter().zip(1..) {
        let mut piece = Piece::of_block(block, number);
        if let Some(reason) = out {
            piece.role = Role::Out(reason);
        }
        pieces.push(piece);
    }
    for piece in pieces.iter_mut().filter(|piece| matches!(piece.role, Role::Paragraph | Role::Heading)) {
        if let Some(reason) = patterns::judge(&piece.text, false) {
            piece.role = Role::Out(reason);
        }
    }
    head::mark_captions(&mut pieces);
    tail::mark(&mut pieces);
    for piece in pieces {
        place(piece, document);
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Part of the text.
    Paragraph,
    /// A heading inside the text.
    Heading,
    /// A picture's caption, credit or description.
    Caption,
    /// The headline: kept in the document's title, not in its body.
    Title,
    /// Left out.
    Out(Reason),
}

fn place(piece: Piece, document: &mut Document) {
    let place = Place { line: piece.line, bytes: piece.bytes };
    match piece.role {
        Role::Paragraph => document.push(Block::Paragraph(piece.text), place),
        Role::Heading => document.push(Block::Heading(piece.text), place),
        Role::Caption => document.push(Block::Caption(piece.text), place),
        Role::Title => {}
        Role::Out(reason) => document.dropped.push(Dropped { place, text: piece.text, reason }),
    }
}
