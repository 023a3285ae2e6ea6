//! `articles.toml`: what the files of a folder do not say themselves.
//!
//! ```toml
//! ["harbour.txt"]
//! outlet = "Harbour Post"
//! published = "2026-11-03"          # a day, or a moment with its zone: "2026-11-03T09:30:00Z"
//! fetched = "2026-11-04"
//! url = "https://harbour.example/1" # optional from here on
//! title = "Ferry stays in port"
//! byline = "Ada Moor"
//! picture = "harbour.png"           # a file in the folder
//! alt = "A ferry at a pier"
//! credit = "C. Light"
//! rights = "our own"
//! ```
//!
//! A key that is not known is an error, so that a slip of the pen does not pass as "not stated".

use std::collections::BTreeMap;
use std::ops::Range;

use proto::story::When;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::document::{Document, Format, web_address};
use crate::stamp;

/// The known keys, as messages list them.
const KEYS: &str = "outlet, published, fetched, title, byline, url, picture, alt, credit, rights";

/// A parsed `articles.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sidecar {
    /// By file name.
    pub entries: BTreeMap<String, Entry>,
}

/// What it says about one file. What it does not say is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Who published it.
    pub outlet: Option<String>,
    /// When it was published.
    pub published: Option<When>,
    /// When it was collected.
    pub fetched: Option<When>,
    /// The headline.
    pub title: Option<String>,
    /// Who wrote it.
    pub byline: Option<String>,
    /// Where it stands on the web.
    pub url: Option<String>,
    /// A picture's file name, in the same folder or in one below it (`pictures/a.png`).
    pub picture: Option<String>,
    /// What the picture shows.
    pub alt: Option<String>,
    /// Who made the picture.
    pub credit: Option<String>,
    /// On what terms text and picture may be shown.
    pub rights: Option<String>,
}

/// Why a sidecar cannot be used. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SidecarError {
    /// It is not TOML.
    #[error("line {line}: {message}")]
    NotToml {
        /// Where.
        line: usize,
        /// What the parser said.
        message: String,
    },
    /// Something stands outside of an entry.
    #[error("line {line}: `{key}` is not an entry; begin one with [\"file name\"]")]
    NotAnEntry {
        /// Where.
        line: usize,
        /// The key.
        key: String,
    },
    /// A key that nobody knows.
    #[error("line {line}: unknown key `{key}` for \"{file}\"; known are {KEYS}")]
    UnknownKey {
        /// Where.
        line: usize,
        /// The key.
        key: String,
        /// The entry.
        file: String,
    },
    /// A value that cannot be what the key says.
    #[error("line {line}: `{key}` of \"{file}\" is not {expected}")]
    BadValue {
        /// Where.
        line: usize,
        /// The key.
        key: String,
        /// The entry.
        file: String,
        /// What it should be.
        expected: &'static str,
    },
}

impl Sidecar {
    /// Parses the text of an `articles.toml`.
    pub fn parse(text: &str) -> Result<Sidecar, SidecarError> {
        if let Some(line) = nested_too_deep(text) {
            return Err(SidecarError::NotToml { line, message: "nested too deep".to_owned() });
        }
        let table = DeTable::parse(text).map_err(|error| SidecarError::NotToml {
            line: error.span().map_or(1, |span| Lines::of(text).line(&span)),
            message: error.message().to_owned(),
        })?;
        let lines = Lines::of(text);
        let mut sidecar = Sidecar::default();
        for (file, value) in table.into_inner() {
            let line = lines.line(&file.span());
            let name = file.into_inner().into_owned();
            let DeValue::Table(keys) = value.into_inner() else {
                return Err(SidecarError::NotAnEntry { line, key: name });
            };
            let mut entry = Entry::default();
            for (key, value) in keys {
                let at = At { line: lines.line(&key.span()), file: &name, key: key.get_ref() };
                entry.set(&at, &value)?;
            }
            sidecar.entries.insert(name, entry);
        }
        Ok(sidecar)
    }

    /// What is said about `file`, if anything.
    pub fn entry(&self, file: &str) -> Option<&Entry> {
        self.entries.get(file)
    }
}

impl Entry {
    /// Adds to a document what this entry says; a person wrote it, so it outranks what was found in the text. The entry
    /// of a feed names the outlet of its items; their titles, dates and addresses are their own.
    pub fn apply(&self, document: &mut Document) {
        let fill = |to: &mut Option<String>, from: &Option<String>| {
            if from.is_some() {
                to.clone_from(from);
            }
        };
        fill(&mut document.outlet, &self.outlet);
        if matches!(document.source.format, Format::XmlFeed | Format::JsonFeed) {
            return;
        }
        fill(&mut document.title, &self.title);
        fill(&mut document.byline, &self.byline);
        fill(&mut document.url, &self.url);
        document.published = self.published.or(document.published);
    }

    fn set(&mut self, at: &At<'_>, value: &Spanned<DeValue<'_>>) -> Result<(), SidecarError> {
        match at.key {
            "outlet" => self.outlet = Some(at.string(value)?),
            "title" => self.title = Some(at.string(value)?),
            "byline" => self.byline = Some(at.string(value)?),
            "alt" => self.alt = Some(at.string(value)?),
            "credit" => self.credit = Some(at.string(value)?),
            "rights" => self.rights = Some(at.string(value)?),
            "published" => self.published = Some(at.when(value)?),
            "fetched" => self.fetched = Some(at.when(value)?),
            "url" => {
                let url = web_address(&at.string(value)?);
                self.url = Some(url.ok_or_else(|| at.bad("an http or https address"))?);
            }
            "picture" => {
                let name = at.string(value)?;
                // A file in the folder or below it, never a way out.
                let part = |part: &str| !part.is_empty() && !part.starts_with('.');
                if !name.split('/').all(part) || name.contains(['\\', '\0', ':']) {
                    return Err(at.bad("a file name inside the folder"));
                }
                self.picture = Some(name);
            }
            _ => {
                return Err(SidecarError::UnknownKey {
                    line: at.line,
                    key: at.key.to_owned(),
                    file: at.file.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Where a value stands, for messages.
struct At<'a> {
    line: usize,
    file: &'a str,
    key: &'a str,
}

impl At<'_> {
    fn string(&self, value: &Spanned<DeValue<'_>>) -> Result<String, SidecarError> {
        match value.get_ref() {
            DeValue::String(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            _ => Err(self.bad("a text in quotation marks")),
        }
    }

    fn when(&self, value: &Spanned<DeValue<'_>>) -> Result<When, SidecarError> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            DeValue::Datetime(moment) => moment.to_string(),
            _ => String::new(),
        };
        stamp::parse(&text)
            .ok_or_else(|| self.bad("a day (2026-11-03) or a moment with its zone (2026-11-03T09:30:00Z)"))
    }

    fn bad(&self, expected: &'static str) -> SidecarError {
        SidecarError::BadValue {
            line: self.line,
            key: self.key.to_owned(),
            file: self.file.to_owned(),
            expected,
        }
    }
}

/// Where the lines of a text begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    /// The line a span begins on, counted from 1.
    fn line(&self, span: &Range<usize>) -> usize {
        self.0.partition_point(|&begin| begin <= span.start)
    }
}

/// An entry has no nested values; a line of thousands of brackets or dots is an attack on the parser's stack.
fn nested_too_deep(text: &str) -> Option<usize> {
    const DEEPEST: usize = 200;
    let deep =
        |line: &str| line.matches(['[', '{']).count() > DEEPEST || line.matches('.').count() > 20 * DEEPEST;
    text.lines().position(deep).map(|at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::story::Grain;

    #[test]
    fn entries_say_outlet_and_dates() {
        let text = "# people\n[\"a.txt\"]\noutlet = \"Harbour Post\"\npublished = 2026-11-03\nfetched = \"2026-11-03T09:30:00Z\"\npicture = \"pictures/a.png\"\n[\"b.txt\"]\n";
        let sidecar = Sidecar::parse(text).expect("valid");
        let entry = sidecar.entry("a.txt").expect("listed");
        assert_eq!(entry.outlet.as_deref(), Some("Harbour Post"));
        assert_eq!(entry.published, Some(When { unix: 1_793_664_000, grain: Grain::Day }));
        assert_eq!(entry.fetched, Some(When { unix: 1_793_664_000 + 34_200, grain: Grain::Minute }));
        assert_eq!(sidecar.entry("b.txt"), Some(&Entry::default()));
        assert_eq!(sidecar.entry("c.txt"), None);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let message = |text: &str| Sidecar::parse(text).expect_err("a mistake").to_string();
        assert!(
            message("[\"a\"]\noutlet = \"x\"\noutlte = \"y\"")
                .starts_with("line 3: unknown key `outlte` for \"a\"; known are outlet")
        );
        assert!(message("outlet = \"x\"").starts_with("line 1: `outlet` is not an entry"));
        assert!(
            message("[\"a\"]\n\npublished = \"soon\"")
                .starts_with("line 3: `published` of \"a\" is not a day")
        );
        for way_out in ["../x.png", "/x.png", "a/../../x.png", "a//x.png", "a/.b/x.png", "c:x.png"] {
            let text = format!("[\"a\"]\npicture = \"{way_out}\"");
            assert!(message(&text).contains("a file name inside the folder"), "{way_out}");
        }
        assert!(message("[\"a\"]\nurl = \"javascript:1\"").contains("an http or https address"));
        assert!(message("[\"a\"]\noutlet = 3").contains("a text in quotation marks"));
        assert!(message("[\"a\"]\noutlet = \"x\"\n[\"a\"]").starts_with("line 3"));
        assert!(message("[\"a\n").starts_with("line 1"));
        assert!(message(&"[".repeat(100_000)).contains("nested too deep"));
    }
}
