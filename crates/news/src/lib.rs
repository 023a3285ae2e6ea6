//! From pages, feeds and scraped text to stories.
//!
//! Bytes in, data out: no clock, no network, no file system.
//!
//! ```text
//! bytes -> decode -> detect -> text | page | feed -> Document -> (sidecar) -> group -> Story
//! ```
//!
//! Nothing behind [`Document`] knows what format an article came in.

mod article;
mod document;
pub mod group;
pub mod sidecar;
mod stamp;
pub mod text;

pub use article::{LONGEST_BODY, article};
pub use document::{Document, Dropped, Format, Place, Reason, Source};
