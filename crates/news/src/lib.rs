//! From pages, feeds and scraped text to stories.
//!
//! Bytes in, data out: no clock, no network, no file system.
//!
//! ```text
//! bytes -> decode -> detect -> text | page | feed -> Document -> sidecar -> article -> group -> Story
//! ```
//!
//! [`read()`] is the first half of that line. Nothing behind [`Document`] knows what format an article came in.

pub mod analysis;
mod article;
mod cut;
pub mod date;
pub mod decode;
mod depth;
mod detect;
mod document;
pub mod excerpt;
pub mod feed;
pub mod group;
pub mod name;
mod opinion;
pub mod page;
pub mod quote;
mod read;
pub mod sentence;
pub mod sidecar;
mod span;
mod stamp;
pub mod text;
pub mod utterance;
mod word;

pub use article::{LONGEST_BODY, article, renamed};
pub use cut::Cut;
pub use depth::{DEEPEST, DepthError, MOST_TAGS};
pub use detect::detect;
pub use document::{Document, Dropped, Format, Place, Reason, Source};
pub use read::{Input, Read, ReadError, read};
pub use span::Span;
pub use stamp::parse as parse_when;
