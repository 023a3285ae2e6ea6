//! An article's blocks -> its quotes: the exact words, who said them, to whom and where.
//!
//! ```text
//! block -> words, marks -> line (marked stretches as items) -> attributions of each sentence -> quotes
//!       -> names -------------------------------------------------------------> speakers ----^
//! ```
//!
//! Nothing is guessed from what the words mean. A marked stretch is somebody's words if a verb, a colon or the paragraph ties it to a
//! source; what nothing ties is told apart as a label, a title or a word of an interface ([`Kind`]).

mod attribute;
mod kind;
mod line;
mod marks;
mod phrase;
mod reader;
mod speaker;

use proto::story::Block;

use crate::name::Names;
use crate::span::Span;

/// One utterance, or one marked stretch that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Whether somebody says it.
    pub kind: Kind,
    /// The exact words, between the marks, in order. Never empty. Several if the quote is split, or goes on in other paragraphs.
    pub words: Vec<Span>,
    /// All that is attributed: the marks, and the words around them that belong to the same utterance ("that the plan was “dead”").
    pub content: Vec<Span>,
    /// The verb of saying, "according to", or the colon that announces the words. Absent if nothing but their place ties them.
    pub cue: Option<Span>,
    /// Who said it, if the article names anybody.
    pub speaker: Option<Speaker>,
    /// Who was told: "reporters", "the Orford Gazette".
    pub addressee: Option<Span>,
    /// Where or when it was said, as printed: "in an interview on Monday".
    pub occasion: Option<Span>,
}

/// What a marked stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's words.
    Speech,
    /// A word used with distance, a nickname, a slogan.
    Label,
    /// The title of a work or programme.
    Title,
    /// What stands on a button.
    Interface,
}

/// The source of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Who it is, as far as the article says.
    pub who: Who,
    /// What stands beside the verb: a name, a pronoun, "officials".
    pub mention: Span,
}

/// Who a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A person or body, by the fullest name that the article gives.
    Named(String),
    /// Somebody known by an office alone, as printed: "the president", "a spokesman for the board".
    Role(String),
    /// People without names, as printed: "officials".
    Unnamed(String),
    /// A paper, a statement, a medium, as printed or by its full name.
    Document(String),
}

/// The quotes of an article, in order of their first word. `names` are those of the same blocks.
pub fn quotes(blocks: &[Block], names: &Names) -> Vec<Quote> {
    reader::read(blocks, names)
}
