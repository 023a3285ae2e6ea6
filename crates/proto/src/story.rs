//! What an edition carries for people: stories, their articles, and pictures.
//!
//! Plain data, made by the press and shown by the reader. One CBOR encoding per value: fields in order of their
//! index, no maps, so the same stories give the same bytes.

use minicbor::{Decode, Encode};

use crate::analysis::Analysis;

/// The most articles of a story: of one event some dozens of outlets tell at most.
pub const MAX_ARTICLES: usize = 100;
/// The most blocks of an article: the longest magazine pieces have some hundreds of paragraphs.
pub const MAX_BLOCKS: usize = 2_000;

/// Names one story for as long as it lives: 16 bytes, stable while coverage is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct StoryId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Names one article: the first 16 bytes of SHA-256 over outlet, address and text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct ArticleId(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 16]);

/// Coverage of one event by one or more outlets.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Story {
    /// Stays the same while articles are added.
    #[n(0)]
    pub id: StoryId,
    /// The lead article's title.
    #[n(1)]
    pub title: String,
    /// Articles, the lead first, then by time. Never empty.
    #[n(2)]
    pub articles: Vec<Article>,
    /// What the press found in them.
    #[n(3)]
    pub analysis: Analysis,
}

impl Story {
    /// How many different outlets carry the story.
    pub fn outlets(&self) -> usize {
        let mut names: Vec<&str> = self.articles.iter().map(|a| a.outlet.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names.len()
    }

    /// When the newest of its articles was published, if any says so.
    pub fn newest(&self) -> Option<When> {
        self.articles.iter().filter_map(|a| a.published).max()
    }
}

/// One outlet's text.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Article {
    /// Its name.
    #[n(0)]
    pub id: ArticleId,
    /// Who published it, as people know the outlet.
    #[n(1)]
    pub outlet: String,
    /// The headline.
    #[n(2)]
    pub title: String,
    /// Who wrote it, as printed.
    #[n(3)]
    pub byline: Option<String>,
    /// When it was published; absent if nobody said ("needs a date"), never guessed.
    #[n(4)]
    pub published: Option<When>,
    /// Where it stands on the web. `http` or `https` only.
    #[n(5)]
    pub url: Option<String>,
    /// The text, in order.
    #[n(6)]
    pub body: Vec<Block>,
    /// At most one picture, for own and licensed outlets.
    #[n(7)]
    pub picture: Option<Picture>,
    /// Who else contributed, as printed: an agency mostly.
    #[n(8)]
    pub credit: Option<String>,
    /// How much of the text is here.
    #[n(9)]
    pub extent: Extent,
    /// The words by which its outlet marks it as opinion, as printed: "Comment". Absent for everything else.
    #[n(10)]
    pub opinion: Option<String>,
}

/// How much of an article's text an edition carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Extent {
    /// All of it: the outlet is the press's own or has licensed it.
    #[default]
    #[n(0)]
    Whole,
    /// Quotes and the sentences that the analysis rests on.
    #[n(1)]
    Excerpt,
}

/// One block of an article's text. Plain text, never markup.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Block {
    /// A paragraph.
    #[n(0)]
    Paragraph(#[n(0)] String),
    /// A heading inside the text.
    #[n(1)]
    Heading(#[n(0)] String),
    /// A picture's caption or credit, kept apart from the text.
    #[n(2)]
    Caption(#[n(0)] String),
}

impl Block {
    /// The words, whatever the kind.
    pub fn text(&self) -> &str {
        match self {
            Block::Paragraph(t) | Block::Heading(t) | Block::Caption(t) => t,
        }
    }
}

/// A small picture of the outlet's own.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Picture {
    /// Its format; nothing else is shown.
    #[n(0)]
    pub media: Media,
    /// Width in pixels.
    #[n(1)]
    pub width: u16,
    /// Height in pixels.
    #[n(2)]
    pub height: u16,
    /// What it shows, for those who do not see it.
    #[n(3)]
    pub alt: String,
    /// Who made it.
    #[n(4)]
    pub credit: Option<String>,
    /// The file, at most 20 KiB.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// Picture formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Media {
    /// `image/png`
    #[n(0)]
    Png,
    /// `image/jpeg`
    #[n(1)]
    Jpeg,
    /// `image/webp`
    #[n(2)]
    Webp,
}

/// A moment as it was stated: seconds since 1970 in UTC, and how exact the statement was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct When {
    /// Seconds since 1970-01-01T00:00:00Z; for a day, its midnight in UTC.
    #[n(0)]
    pub unix: i64,
    /// How exact.
    #[n(1)]
    pub grain: Grain,
}

impl When {
    /// Whether it is earlier than another moment for certain. Of a day and a minute that may be in it, neither is: a day is some
    /// place's, and begins up to 14 hours before that of UTC and ends up to 12 hours after it. Two days are in the order of the
    /// calendar.
    pub fn is_before(&self, other: &When) -> bool {
        /// Seconds of an hour.
        const HOUR: i64 = 3_600;
        match (self.grain, other.grain) {
            (Grain::Day, Grain::Minute) => self.unix.saturating_add((24 + 12) * HOUR) <= other.unix,
            (Grain::Minute, Grain::Day) => self.unix < other.unix.saturating_sub(14 * HOUR),
            (Grain::Day, Grain::Day) => self.unix.saturating_add(24 * HOUR) <= other.unix,
            (Grain::Minute, Grain::Minute) => self.unix < other.unix,
        }
    }
}

/// How exactly a moment was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Grain {
    /// A calendar day.
    #[n(0)]
    Day,
    /// Hour and minute.
    #[n(1)]
    Minute,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_before_the_next_and_neither_before_nor_after_what_may_be_its_minutes() {
        let day = |unix| When { unix, grain: Grain::Day };
        let minute = |unix| When { unix, grain: Grain::Minute };
        assert!(day(0).is_before(&day(86_400)) && minute(0).is_before(&minute(60)));
        // In the west the day is over when it is noon of the next in UTC; in the east it has begun ten hours before.
        assert!(day(0).is_before(&minute(129_600)) && minute(35_999).is_before(&day(86_400)));
        for (one, other) in [
            (day(0), minute(43_200)),
            (day(0), day(0)),
            (minute(0), minute(0)),
            (day(0), minute(0)),
            (day(0), minute(129_599)),
            (minute(36_000), day(86_400)),
        ] {
            assert!(!one.is_before(&other) && !other.is_before(&one), "{one:?} {other:?}");
        }
    }
}
