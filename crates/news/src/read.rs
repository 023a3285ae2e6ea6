//! One input, whatever its format -> its documents.

use crate::decode::{DecodeError, decode};
use crate::detect::detect;
use crate::document::{Document, Format, Source};
use crate::feed::{self, FeedError};
use crate::page::{self, PageError};
use crate::text::{self, TextError};

/// Where an input came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Input<'a> {
    /// File name or address, for messages and for articles whose outlet nobody knows.
    pub name: &'a str,
    /// The address it was fetched from, if it was.
    pub address: Option<&'a str>,
    /// The value of HTTP's `Content-Type`, if it was fetched.
    pub content_type: Option<&'a str>,
}

/// What an input holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// One for a text or a page, as many as there are items with a text for a feed.
    pub documents: Vec<Document>,
    /// Parts that were left out, each as a sentence that says which and why.
    pub skipped: Vec<String>,
}

/// Why an input gives no article.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Its bytes are no text.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is no article's text.
    #[error(transparent)]
    Text(#[from] TextError),
    /// It is no article's page.
    #[error(transparent)]
    Page(#[from] PageError),
    /// It is no feed.
    #[error(transparent)]
    Feed(#[from] FeedError),
}

/// Decodes `bytes`, finds out the format and reads the documents.
pub fn read(bytes: &[u8], input: Input<'_>) -> Result<Read, ReadError> {
    let decoded = decode(bytes, input.content_type)?;
    let format = detect(input.name, &decoded.text);
    let source = Source { name: input.name.to_owned(), format, charset: decoded.charset };
    let one = |document| Read { documents: vec![document], skipped: Vec::new() };
    match format {
        Format::Text => {
            let mut document = text::read(&decoded.text, source)?;
            document.url = input.address.and_then(crate::document::web_address);
            Ok(one(document))
        }
        Format::Html => Ok(one(page::read(&decoded.text, input.address, source)?)),
        Format::XmlFeed | Format::JsonFeed => {
            let items = feed::read(&decoded.text, input.address, &source)?;
            Ok(Read { documents: items.documents, skipped: items.skipped })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Input<'_> {
        Input { name, ..Input::default() }
    }

    #[test]
    fn each_format_is_read_by_its_reader() {
        let text = "The ferry did not leave\n\nThe ferry to the outer islands did not leave on Monday, the harbour office said.";
        assert_eq!(
            read(text.as_bytes(), named("a.txt")).map(|read| read.documents[0].source.format),
            Ok(Format::Text)
        );
        let html = format!("<!doctype html><title>The ferry did not leave</title><p>{text}</p>");
        assert_eq!(
            read(html.as_bytes(), named("a.html")).map(|read| read.documents[0].source.format),
            Ok(Format::Html)
        );
        let rss = format!(
            "<rss version='2.0'><channel><title>P</title><item><title>T</title><description>{text}</description></item></channel></rss>"
        );
        assert_eq!(read(rss.as_bytes(), named("a.xml")).map(|read| read.documents.len()), Ok(1));
    }

    #[test]
    fn what_cannot_be_read_says_so() {
        let message = |bytes: &[u8], name| read(bytes, named(name)).expect_err("unreadable").to_string();
        assert_eq!(message(b"", "a.txt"), "it is empty");
        assert_eq!(message(b"\n \n", "a.txt"), "the text is empty");
        assert_eq!(message(b"\0\x01\x02\x03\xff\xfe", "a.txt"), "it is not text");
        assert_eq!(message(b"no feed", "a.rss"), "it is not a feed: unable to parse feed: no root element");
        assert_eq!(
            message("<div>".repeat(100_000).as_bytes(), "a.html"),
            "the page is not read: its tags nest deeper than 512"
        );
        assert_eq!(
            message(b"https://a.example/1\n", "a.txt"),
            "no line of the text belongs to an article (the first one: an address alone)"
        );
    }

    #[test]
    fn latin_1_arrives_whole() {
        let got = read(b"Der B\xfcrgermeister m\xf6chte nicht\n\nDer B\xfcrgermeister m\xf6chte am Montag nicht \xfcber die F\xe4hre sprechen, sagte er in T\xfcbingen.", named("a.txt"));
        let document = got.expect("a text").documents.remove(0);
        assert_eq!(document.title.as_deref(), Some("Der Bürgermeister möchte nicht"));
        assert_eq!(document.source.charset, "windows-1252");
    }
}
