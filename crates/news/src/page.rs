//! HTML -> a document: the article's text, told from the page around it.
//!
//! ```text
//! tree -> outline (lines and the elements they stand in) -> body (which lines) -> trim (which of those not, and why) -> blocks
//! ```
//!
//! The body is found as Readability does it, on an outline that a single walk makes of the page. A text so short that it may be
//! a part is compared with what `dom_smoothie` finds, which also weighs the places where a page states title, byline and outlet.
//! Only text leaves this module. A block that reads `<script>` is a text that says so, and is shown as such.

mod body;
mod furniture;
mod hint;
mod meta;
mod outline;
mod trim;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_query::Document;
use dom_smoothie::{Config, Readability, ReadabilityError};
use proto::story::Block;

use crate::depth::{self, DepthError, Markup};
use crate::document::{self, Source, web_address};
use crate::text;
use body::Body;
use outline::Outline;

/// Why a page is not an article.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// No words at all.
    #[error("the page is empty")]
    Empty,
    /// Built to nest, or to be endless.
    #[error("the page is not read: {0}")]
    Markup(#[from] DepthError),
    /// There are words, but no paragraph among them.
    #[error("the page holds no article")]
    NoArticle,
    /// The extractor broke down on it: a bug in it, not in the page.
    #[error("the extractor failed on this page")]
    Extractor,
}

/// Elements looked at by the extractor; the longest live pages have a third.
const MOST_ELEMENTS: usize = 100_000;

/// An article of fewer bytes may be a part of it: another extractor is asked.
const SHORT: usize = 500;

/// Reads the article of a page. `address` is where the page was fetched, if it was.
pub fn read(html: &str, address: Option<&str>, source: Source) -> Result<document::Document, PageError> {
    if html.trim().is_empty() {
        return Err(PageError::Empty);
    }
    depth::check(html, Markup::Html)?;
    let address = address.and_then(web_address);
    // The extractor and the parser below it are large and young: one bad page must not stop a press.
    let extracted = catch_unwind(AssertUnwindSafe(|| extract(html, address.as_deref())));
    let extracted = extracted.map_err(|_| PageError::Extractor)??;
    let mut document = document::Document::empty(source);
    let Extracted { meta, blocks } = extracted;
    document.title = meta.title;
    document.byline = meta.byline;
    document.outlet = meta.outlet;
    document.section = meta.section;
    document.language = meta.language;
    document.published = meta.published;
    document.url = meta.address.as_deref().and_then(web_address).or(address);
    text::clean(blocks, &mut document);
    if document.paragraphs().next().is_none() {
        return Err(PageError::NoArticle);
    }
    Ok(document)
}

/// The blocks of a piece of HTML that is known to be an article's text, as in a feed.
pub fn fragment(html: &str) -> Result<Vec<Block>, PageError> {
    depth::check(html, Markup::Html)?;
    catch_unwind(|| {
        let tree = Document::from(html);
        Ok(Outline::read(tree.root())?.blocks())
    })
    .map_err(|_| PageError::Extractor)?
}

struct Extracted {
    meta: meta::Meta,
    blocks: Vec<trim::Judged>,
}

fn extract(html: &str, address: Option<&str>) -> Result<Extracted, PageError> {
    let tree = Document::from(html);
    let outline = Outline::read(tree.root())?;
    if outline.elements.len() > MOST_ELEMENTS {
        return Err(DepthError::TooManyTags.into());
    }
    let config = Config { max_elements_to_parse: MOST_ELEMENTS, ..Config::default() };
    let mut page =
        Readability::with_document(tree, address, Some(config)).map_err(|_| PageError::Extractor)?;
    let meta = meta::read(&page);
    let judge = |outline: &Outline, body: &Body| {
        trim::judge(outline, body, meta.title.as_deref(), meta.byline.as_deref())
    };
    let mut blocks = body::find(&outline).map(|body| judge(&outline, &body)).unwrap_or_default();
    if size(&blocks) < SHORT {
        let second = match page.parse() {
            Ok(article) => Outline::read(Document::from(article.content).root())?,
            Err(ReadabilityError::TooManyElements(..)) => return Err(DepthError::TooManyTags.into()),
            // Short pages have too little text for the extractor: everything they say is taken.
            Err(_) => outline,
        };
        let second = judge(&second, &Body::all(&second));
        if size(&second) > 2 * size(&blocks) {
            blocks = second;
        }
    }
    let is_title = |block: &Block| matches!(block, Block::Heading(text) if Some(text) == meta.title.as_ref());
    blocks.retain(|(block, _)| !is_title(block));
    Ok(Extracted { meta, blocks })
}

/// Letters of what is kept.
fn size(blocks: &[trim::Judged]) -> usize {
    blocks
        .iter()
        .filter(|(block, out)| out.is_none() && matches!(block, Block::Paragraph(_)))
        .map(|(block, _)| block.text().len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, Reason};
    use proto::story::{Grain, When};

    fn source() -> Source {
        Source { name: "a.html".into(), format: Format::Html, charset: "UTF-8" }
    }

    fn page(head: &str, body: &str) -> document::Document {
        read(
            &format!("<!doctype html><html lang=en-GB><head>{head}</head><body>{body}</body></html>"),
            None,
            source(),
        )
        .expect("an article")
    }

    const PARAGRAPHS: &str = "<p>The ferry to the outer islands did not leave on Monday, and the harbour office said that the crew \
        had refused to sail in a wind that two instruments measured differently, one of them on the pier.</p>\
        <p>The council met in the evening, asked for a second boat, and heard the captain, who said &quot;no&quot; twice, and then \
        said that the <b>older</b> of the two <a href='/x'>instruments</a> had been right before, in March.</p>\
        <p>A new boat, promised by the ministry in spring, has not been ordered, according to the yard that would build it, and \
        nobody on the islands expects it to be at the pier before the next winter but one.</p>";

    #[test]
    fn an_article_is_told_from_its_page() {
        let got = page(
            "<title>Ferry crew refuses to sail | Harbour Post</title><meta property=og:title content='Ferry crew refuses to sail'>\
             <meta property=og:site_name content='Harbour Post'><meta name=author content='By Ada Moor'>\
             <meta property='article:published_time' content='2026-11-03T09:30:00Z'><meta property='article:section' content='Opinion'>\
             <link rel=canonical href='https://harbour.example/1'><script>track()</script>",
            &format!(
                "<nav><ul><li><a href=/>Home</a><li><a href=/s>Sport</a></ul></nav><article><h1>Ferry crew refuses to sail</h1>\
                 <figure><img src=x><figcaption>The ferry in March</figcaption></figure>{PARAGRAPHS}<h2>What comes next</h2>{PARAGRAPHS}\
                 <p>Also read: Harbour bridge closes for a week</p><script>alert(1)</script></article><footer>About us</footer>"
            ),
        );
        assert_eq!(got.title.as_deref(), Some("Ferry crew refuses to sail"));
        assert_eq!(got.outlet.as_deref(), Some("Harbour Post"));
        assert_eq!(got.byline.as_deref(), Some("Ada Moor"));
        assert_eq!(got.section.as_deref(), Some("Opinion"));
        assert_eq!(got.language.as_deref(), Some("en-GB"));
        assert_eq!(got.url.as_deref(), Some("https://harbour.example/1"));
        assert_eq!(got.published, Some(When { unix: 1_793_698_200, grain: Grain::Minute }));
        let kinds: Vec<u8> = got
            .body
            .iter()
            .map(|block| match block {
                Block::Caption(_) => b'c',
                Block::Paragraph(_) => b'p',
                Block::Heading(_) => b'h',
            })
            .collect();
        assert_eq!(String::from_utf8_lossy(&kinds), "cppphppp");
        assert!(
            got.body[2]
                .text()
                .contains("said \"no\" twice, and then said that the older of the two instruments had")
        );
        assert_eq!(got.dropped[0].reason, Reason::Promotion);
        assert!(got.body.iter().all(|block| !block.text().contains("alert")));
    }

    #[test]
    fn dates_are_found_where_pages_state_them() {
        let dated = |head: &str| page(head, PARAGRAPHS).published.map(|when| when.unix);
        let graph = "<script type='application/ld+json'>{\"@graph\":[{\"@type\":\"WebPage\",\"datePublished\":\"2025-01-01\"},\
            {\"@type\":[\"NewsArticle\"],\"datePublished\":\"2026-11-03T09:30:00+0000\"}]}</script>";
        assert_eq!(dated(graph), Some(1_793_698_200));
        let unknown = "<script type='application/ld+json'>{\"@type\":\"Article\",\"datePublished\":\"0001-01-01T00:00:00Z\"}</script>";
        assert_eq!(dated(unknown), None);
        assert_eq!(dated(&format!("{unknown}<meta name=date content=2026-11-03>")), Some(1_793_664_000));
        assert_eq!(dated("<script type='application/ld+json'>{\"@type\":</script>"), None);
    }

    #[test]
    fn the_outlet_is_no_part_of_the_title() {
        let got = page(
            "<title>Ferry crew refuses to sail – Harbour Post</title><meta property=og:site_name content='Harbour Post'>",
            PARAGRAPHS,
        );
        assert_eq!(got.title.as_deref(), Some("Ferry crew refuses to sail"));
    }

    #[test]
    fn markup_written_as_text_stays_text() {
        let got = page(
            "<title>How to write a page for the web</title>",
            &format!(
                "{PARAGRAPHS}<p>Write &lt;script&gt;alert(1)&lt;/script&gt; and see that nothing happens at all.</p>"
            ),
        );
        assert!(got.body.iter().any(|block| block.text().contains("<script>alert(1)</script>")));
    }

    #[test]
    fn hostile_pages_are_refused_by_name() {
        let deep = "<div>".repeat(100_000) + "words";
        assert_eq!(
            read(&deep, None, source()).map_err(|e| e.to_string()),
            Err("the page is not read: its tags nest deeper than 512".into())
        );
        assert_eq!(read("  ", None, source()), Err(PageError::Empty));
        assert_eq!(read("<html><script>x</script>", None, source()), Err(PageError::NoArticle));
    }

    #[test]
    fn a_short_page_is_read_whole() {
        let got = page(
            "<title>Late ferry again</title>",
            "<p>The ferry was late again on Monday, the harbour office said.</p>",
        );
        assert_eq!(got.paragraphs().count(), 1);
        assert_eq!(got.title.as_deref(), Some("Late ferry again"));
    }
}
