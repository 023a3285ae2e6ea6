//! RSS, Atom and JSON Feed -> documents, one for each item that carries a text.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model::{Entry, Feed, Text};
use proto::story::Block;

use crate::depth::{self, DepthError, Markup};
use crate::document::{Document, Format, Source, web_address};
use crate::opinion::is_label;
use crate::{page, stamp, text};

/// Most items taken of one feed, the first ones; honest feeds have some dozens.
const MOST_ITEMS: usize = 5_000;

/// What a feed holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// One for each item with a text, in the feed's order.
    pub documents: Vec<Document>,
    /// Items left out, with the reason, as a sentence each.
    pub skipped: Vec<String>,
}

/// Why an input is not a feed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// Not RSS, Atom or JSON Feed, or broken beyond reading.
    #[error("it is not a feed: {cause}")]
    NotAFeed {
        /// What the parser said.
        cause: String,
    },
    /// Built to nest, or to be endless.
    #[error("the feed is not read: {0}")]
    Markup(#[from] DepthError),
    /// The parser broke down on it: a bug in it, not in the feed.
    #[error("the parser failed on this feed")]
    Parser,
}

/// Reads a feed. `address` is where it was fetched, if it was: relative links are resolved against it.
pub fn read(text: &str, address: Option<&str>, source: &Source) -> Result<Items, FeedError> {
    if source.format == Format::XmlFeed {
        depth::check(text, Markup::Xml)?;
    }
    let address = address.and_then(web_address);
    let parsed = catch_unwind(AssertUnwindSafe(|| {
        let parser =
            feed_rs::parser::Builder::new().sanitize_content(false).base_uri(address.as_deref()).build();
        parser.parse(without_declaration(text).as_bytes())
    }));
    let feed = parsed
        .map_err(|_| FeedError::Parser)?
        .map_err(|cause| FeedError::NotAFeed { cause: cause.to_string() })?;
    let outlet = feed.title.as_ref().and_then(plain);
    let mut items = Items::default();
    for (entry, number) in feed.entries.iter().zip(1..) {
        if number > MOST_ITEMS {
            items.skipped.push(format!("items after the first {MOST_ITEMS}"));
            break;
        }
        match item(entry, &feed, outlet.clone(), source) {
            Ok(document) => items.documents.push(document),
            Err(reason) => items.skipped.push(format!("item {number}: {reason}")),
        }
    }
    Ok(items)
}

fn item(entry: &Entry, feed: &Feed, outlet: Option<String>, source: &Source) -> Result<Document, String> {
    let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
    let summary = entry.summary.as_ref().map(|summary| summary.content.as_str());
    let longer = [content, summary].into_iter().flatten().max_by_key(|html| html.len()).unwrap_or_default();
    let blocks = page::fragment(longer).map_err(|error| error.to_string())?;
    let mut document = Document::empty(source.clone());
    document.outlet = outlet;
    document.title = entry.title.as_ref().and_then(plain);
    let authors: Vec<&str> = entry
        .authors
        .iter()
        .map(|author| author.name.as_deref().unwrap_or_default().trim())
        .filter(|name| !name.is_empty())
        .collect();
    document.byline = (!authors.is_empty()).then(|| authors.join(", "));
    // Categories are anything; one may be a section that is opinion.
    let categories = entry.categories.iter().map(|it| it.label.as_deref().unwrap_or(&it.term).trim());
    document.section = categories.into_iter().find(|words| is_label(words)).map(str::to_owned);
    let address = entry.links.iter().find(|link| link.rel.as_deref().is_none_or(|rel| rel == "alternate"));
    document.url = address.and_then(|link| web_address(&link.href));
    document.language = entry.language.clone().or_else(|| feed.language.clone());
    // Atom asks for `updated` only; without `published` it is the day the entry came out or was last changed.
    document.published =
        entry.published.or(entry.updated).and_then(|moment| stamp::minute(moment.timestamp()));
    text::clean(blocks.into_iter().map(|block| (block, None)).collect(), &mut document);
    if document.body.iter().all(|block| !matches!(block, Block::Paragraph(_))) {
        return Err("it has no text".to_owned());
    }
    Ok(document)
}

/// A title's words: some feeds write markup and entities into it.
fn plain(text: &Text) -> Option<String> {
    let words: Vec<String> = match page::fragment(&text.content) {
        Ok(blocks) => blocks.iter().map(|block| block.text().to_owned()).collect(),
        Err(_) => return None,
    };
    Some(words.join(" ")).filter(|line| !line.is_empty())
}

/// The text without its XML declaration: what that says of the charset held for the bytes, and they have been decoded.
/// A second declaration is no XML; the parser panics on one that names a charset, so it becomes an instruction to
/// nobody.
fn without_declaration(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']);
    let behind = match trimmed.strip_prefix("<?xml") {
        Some(rest) => rest.split_once("?>").map_or(trimmed, |(_, behind)| behind),
        None => trimmed,
    };
    if behind.contains("<?xml") { behind.replace("<?xml", "<?void").into() } else { behind.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(format: Format) -> Source {
        Source { name: "feed".into(), format, charset: "UTF-8" }
    }

    fn xml(text: &str) -> Result<Items, FeedError> {
        read(text, None, &source(Format::XmlFeed))
    }

    #[test]
    fn rss_items_become_documents() {
        let got = xml("<?xml version='1.0' encoding='iso-8859-1'?><rss version='2.0'><channel><title>Harbour Post</title><language>en</language>\
            <item><title>Ferry &amp;amp; crew</title><link>https://harbour.example/1</link><author>ada@harbour.example (Ada Moor)</author>\
            <pubDate>Tue, 03 Nov 2026 09:30:00 GMT</pubDate>\
            <description><![CDATA[<p>The ferry did not <b>leave</b>.</p><script>alert(1)</script><p>Nor did the second one — überhaupt.</p>]]></description></item>\
            <item><title>Nothing to read</title></item></channel></rss>")
        .expect("a feed");
        assert_eq!(got.skipped, ["item 2: it has no text"]);
        let document = &got.documents[0];
        assert_eq!(document.outlet.as_deref(), Some("Harbour Post"));
        assert_eq!(document.title.as_deref(), Some("Ferry & crew"));
        assert_eq!(document.url.as_deref(), Some("https://harbour.example/1"));
        assert_eq!(document.published.map(|when| when.unix), Some(1_793_698_200));
        let body: Vec<&str> = document.paragraphs().collect();
        assert_eq!(body, ["The ferry did not leave.", "Nor did the second one — überhaupt."]);
    }

    #[test]
    fn atom_and_json_feed_are_read() {
        let atom = xml("<feed xmlns='http://www.w3.org/2005/Atom'><title>Post</title><id>x</id><updated>2026-11-03T09:30:00Z</updated>\
            <entry><title>One</title><id>1</id><updated>2026-11-03T09:30:00Z</updated><link href='https://a.example/1'/>\
            <content type='html'>&lt;p&gt;A text of the first entry.&lt;/p&gt;</content></entry></feed>")
        .expect("a feed");
        assert_eq!(atom.documents[0].paragraphs().collect::<Vec<_>>(), ["A text of the first entry."]);
        let json = read(
            "{\"version\":\"https://jsonfeed.org/version/1.1\",\"title\":\"Post\",\"items\":[{\"id\":\"1\",\"url\":\"https://a.example/1\",\
             \"title\":\"One\",\"content_html\":\"<p>A text of the first item.</p>\",\"date_published\":\"2026-11-03T09:30:00Z\"}]}",
            None,
            &source(Format::JsonFeed),
        )
        .expect("a feed");
        assert_eq!(json.documents[0].paragraphs().collect::<Vec<_>>(), ["A text of the first item."]);
        assert_eq!(json.documents[0].outlet.as_deref(), Some("Post"));
    }

    #[test]
    fn a_feed_that_is_not_a_feed_is_an_error() {
        for text in
            ["", "no feed at all", "<html><p>x</p></html>", "<rss version='2.0'><chan", "{\"a\": 1}", "<?xml"]
        {
            assert!(matches!(xml(text), Err(FeedError::NotAFeed { .. })), "{text}");
        }
        let json = read("[1, 2]", None, &source(Format::JsonFeed)).expect_err("no feed");
        assert!(json.to_string().starts_with("it is not a feed: "));
        assert!(matches!(
            read(&format!("{{\"version\":{}", "[".repeat(100_000)), None, &source(Format::JsonFeed)),
            Err(FeedError::NotAFeed { .. })
        ));
        assert_eq!(xml(&"<rss>".repeat(100_000)), Err(FeedError::Markup(DepthError::TooDeep)));
    }
}
