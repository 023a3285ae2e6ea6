//! One input, looked at: what was kept of it, what was dropped and why. Nothing is stored.

use std::path::Path;

use proto::Millis;
use proto::story::{Block, Grain, When};
use serde::Serialize;

use crate::fetch::{FetchError, Fetcher, MAX_INPUT, Manners, Memory, Want};
use crate::gather::said;
use crate::rules::Rules;

/// The version of what [`Trial`] is written as.
pub const VERSION: u32 = 1;

/// What an input holds.
#[derive(Debug, Serialize)]
pub struct Trial {
    /// The version of this form, counted up when a field changes its meaning or goes.
    pub version: u32,
    /// The address or file.
    pub input: String,
    /// One for a page or text, as many as there are items with a text for a feed.
    pub documents: Vec<Looked>,
    /// Parts that gave no document, each as a sentence that says which and why.
    pub skipped: Vec<String>,
}

/// One article.
#[derive(Debug, Serialize)]
pub struct Looked {
    /// Who published it.
    pub outlet: Option<String>,
    /// The headline.
    pub title: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// When it was published: a day, or a moment of UTC to the minute.
    pub published: Option<String>,
    /// Where it stands on the web.
    pub url: Option<String>,
    /// The section of the outlet.
    pub section: Option<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// `text`, `page` or `feed`.
    pub format: &'static str,
    /// The charset, by its WHATWG name.
    pub charset: &'static str,
    /// The text, in order.
    pub kept: Vec<KeptLine>,
    /// What was left out, in the order of the input.
    pub dropped: Vec<DroppedLine>,
}

/// A block of text.
#[derive(Debug, Serialize)]
pub struct KeptLine {
    /// Its line in the input; of pages and feeds, the number of the block.
    pub line: u32,
    /// `paragraph`, `heading` or `caption`.
    pub kind: &'static str,
    /// Its words.
    pub text: String,
}

/// A line that was left out.
#[derive(Debug, Serialize)]
pub struct DroppedLine {
    /// As of [`KeptLine`]; 0 where a rule of the operator took a whole element.
    pub line: u32,
    /// Its words.
    pub text: String,
    /// Why it is not part of the article.
    pub reason: String,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The address gave nothing.
    #[error("{0}: {why}", why = said(.1))]
    Fetch(String, FetchError),
    /// The file gave nothing.
    #[error("{0}: cannot be read: {1}")]
    File(String, std::io::Error),
    /// More than is read.
    #[error("{0}: is {len} MB; at most {most} are read", len = .1 >> 20, most = MAX_INPUT >> 20)]
    TooLarge(String, u64),
    /// No article in it.
    #[error("{0}: {1}")]
    Read(String, news::ReadError),
}

impl Trial {
    /// Reads an address or a file as the press would, with these rules.
    pub async fn of(what: &str, rules: &Rules, manners: Manners, now: Millis) -> Result<Self, TrialError> {
        let (bytes, address, content_type) = if what.contains("://") {
            let failed = |why| TrialError::Fetch(what.to_owned(), why);
            let memory = Memory::open(None).map_err(|why| failed(why.into()))?;
            let fetcher = Fetcher::new(manners, memory);
            fetcher.get(what, Want::Named, now).await.map_err(failed)?;
            let kept = fetcher.memory().kept(what).map_err(|why| failed(why.into()))?.unwrap_or_default();
            (kept.bytes, Some(kept.at), kept.content_type)
        } else {
            let failed = |why| TrialError::File(what.to_owned(), why);
            let len = Path::new(what).metadata().map_err(failed)?.len();
            if len > MAX_INPUT {
                return Err(TrialError::TooLarge(what.to_owned(), len));
            }
            (std::fs::read(what).map_err(failed)?, None, None)
        };
        let input =
            news::Input { name: what, address: address.as_deref(), content_type: content_type.as_deref() };
        let read = rules.read(&bytes, input).map_err(|why| TrialError::Read(what.to_owned(), why))?;
        Ok(Self {
            version: VERSION,
            input: what.to_owned(),
            documents: read.documents.into_iter().map(looked).collect(),
            skipped: read.skipped,
        })
    }
}

fn looked(document: news::Document) -> Looked {
    let kept = document.body.into_iter().zip(document.places).map(|(block, place)| KeptLine {
        line: place.line,
        kind: kind(&block),
        text: block.text().to_owned(),
    });
    let dropped = document.dropped.into_iter().map(|dropped| DroppedLine {
        line: dropped.place.line,
        text: dropped.text,
        reason: dropped.reason.to_string(),
    });
    Looked {
        outlet: document.outlet,
        title: document.title,
        byline: document.byline,
        published: document.published.and_then(stated),
        url: document.url,
        section: document.section,
        language: document.language,
        format: match document.source.format {
            news::Format::Text => "text",
            news::Format::Html => "page",
            news::Format::XmlFeed | news::Format::JsonFeed => "feed",
        },
        charset: document.source.charset,
        kept: kept.collect(),
        dropped: dropped.collect(),
    }
}

/// What a block is.
pub(crate) fn kind(block: &Block) -> &'static str {
    match block {
        Block::Paragraph(_) => "paragraph",
        Block::Heading(_) => "heading",
        Block::Caption(_) => "caption",
    }
}

/// A date as exactly as it is known.
pub(crate) fn stated(when: When) -> Option<String> {
    let moment = jiff::Timestamp::from_second(when.unix).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(match when.grain {
        Grain::Day => moment.strftime("%Y-%m-%d").to_string(),
        _ => moment.strftime("%Y-%m-%dT%H:%MZ").to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_685_400_000);

    #[tokio::test]
    async fn what_is_kept_and_what_is_dropped_are_shown_with_the_reason() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("quay.txt");
        let text = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide rose above \
                    its wall.\n\nAlso read: Ten tides that nobody forgot\n\nIt will open again once the water has gone, the harbour \
                    master said.\n";
        std::fs::write(&file, text).unwrap();
        let what = file.display().to_string();
        let trial = Trial::of(&what, &Rules::default(), Manners::default(), NOW).await.unwrap();
        let looked = &trial.documents[0];
        assert_eq!((looked.kept.len(), looked.format, looked.charset), (2, "text", "UTF-8"), "{looked:?}");
        assert_eq!(looked.kept[0].line, 3);
        let promotion = looked.dropped.iter().find(|line| line.text.starts_with("Also read")).unwrap();
        assert_eq!((promotion.line, promotion.reason.as_str()), (5, "points to another article"));
        let rules = Rules::parse("[\"The Quay\"]\noutlet = \"x\"\n").unwrap();
        assert!(Trial::of(&what, &rules, Manners::default(), NOW).await.is_ok());
    }

    #[tokio::test]
    async fn what_cannot_be_looked_at_is_said() {
        let said = async |what: &str| {
            Trial::of(what, &Rules::default(), Manners::default(), NOW).await.unwrap_err().to_string()
        };
        assert!(said("no/such/file").await.starts_with("no/such/file: cannot be read: "));
        assert!(said("http://127.0.0.1/").await.contains("private network"));
        let dir = tempfile::tempdir().unwrap();
        let large = dir.path().join("large.html");
        std::fs::File::create(&large).unwrap().set_len(50 << 20).unwrap();
        assert!(said(&large.display().to_string()).await.ends_with("is 50 MB; at most 8 are read"));
    }
}
