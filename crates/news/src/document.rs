//! What every later step knows of an article, whatever format it came in.
//!
//! A [`Document`] carries its text as blocks, where each block stood in the input, and every line that was left out
//! together with the reason. Nothing is thrown away silently: a reader of the press's preview can see what was taken
//! for an advertisement and why.

use std::fmt;
use std::ops::Range;

use proto::story::{Block, When};

/// One article as read from one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Who published it, if the input or a sidecar says so.
    pub outlet: Option<String>,
    /// The headline, if the input has one.
    pub title: Option<String>,
    /// Who wrote it, as printed, without a leading "By".
    pub byline: Option<String>,
    /// When it was published; absent if nobody said, never guessed.
    pub published: Option<When>,
    /// Where it stands on the web. `http` or `https` only.
    pub url: Option<String>,
    /// The section of the outlet, as printed ("World").
    pub section: Option<String>,
    /// BCP 47 tag, as the input states it.
    pub language: Option<String>,
    /// The text, in order. Plain text, never markup.
    pub body: Vec<Block>,
    /// Where each block of `body` stood in the input; as long as `body`.
    pub places: Vec<Place>,
    /// Lines that are not part of the article, in the order of the input.
    pub dropped: Vec<Dropped>,
    /// The input itself.
    pub source: Source,
}

impl Document {
    /// A document without text, to be filled by a reader of one format.
    pub(crate) fn empty(source: Source) -> Self {
        Document {
            outlet: None,
            title: None,
            byline: None,
            published: None,
            url: None,
            section: None,
            language: None,
            body: Vec::new(),
            places: Vec::new(),
            dropped: Vec::new(),
            source,
        }
    }

    /// The outlet, or "outlet unknown (file name)" for an input that nobody told us about.
    pub fn outlet_or_unknown(&self) -> String {
        match &self.outlet {
            Some(outlet) => outlet.clone(),
            None => format!("outlet unknown ({})", self.source.name),
        }
    }

    /// The headline, or the beginning of the text for an input that has none.
    pub fn title_or_opening(&self) -> String {
        /// Long enough to recognise an article by, short enough for one or two lines of a front page.
        const OPENING_CHARS: usize = 96;
        if let Some(title) = &self.title {
            return title.clone();
        }
        let opening =
            self.paragraphs().next().or_else(|| self.body.first().map(Block::text)).unwrap_or_default();
        let sentence = first_sentence(opening);
        if sentence.chars().count() <= OPENING_CHARS && sentence.split_whitespace().count() >= 4 {
            return sentence.trim_end_matches('.').to_owned();
        }
        let mut short: String = opening.chars().take(OPENING_CHARS).collect();
        if short.len() < opening.len() {
            if let Some(end) = short.rfind(' ') {
                short.truncate(end);
            }
            short.push('…');
        }
        short
    }

    /// The paragraphs alone, without headings and captions.
    pub fn paragraphs(&self) -> impl Iterator<Item = &str> {
        self.body.iter().filter_map(|block| match block {
            Block::Paragraph(text) => Some(text.as_str()),
            Block::Heading(_) | Block::Caption(_) => None,
        })
    }

    /// Adds a block and where it stood.
    pub(crate) fn push(&mut self, block: Block, place: Place) {
        self.body.push(block);
        self.places.push(place);
    }
}

/// Where something stood in the decoded input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The first line, counted from 1. In HTML and feeds, the number of the block instead: their lines mean nothing.
    pub line: u32,
    /// Bytes of the decoded text, from the first line's beginning to the last line's end. Empty where the format has
    /// been taken apart (HTML, feeds).
    pub bytes: Range<usize>,
}

/// A line that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Where it stood.
    pub place: Place,
    /// Its words, trimmed.
    pub text: String,
    /// Why it is not part of the article.
    pub reason: Reason,
}

/// Why a line is not part of the article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Points to another article ("Also read: ...").
    Promotion,
    /// A site's own words around the article: sign-up, menus, lists of other stories.
    Chrome,
    /// Names the outlet; taken over into [`Document::outlet`].
    OutletName,
    /// Names the section; taken over into [`Document::section`].
    SectionName,
    /// Names the author; taken over into [`Document::byline`].
    Byline,
    /// States when it was published; taken over into [`Document::published`] where it is understood.
    Dateline,
    /// An address alone on its line.
    BareAddress,
    /// The label or an entry of a table of contents.
    Contents,
    /// A summary that stands before the text and repeats it.
    Summary,
    /// How to contact the outlet with information.
    TipPanel,
    /// Who else contributed, or whose material was used.
    Contribution,
    /// A rights notice.
    Rights,
    /// Nothing but signs, or one endless word.
    NotProse,
    /// The press's operator has a rule against it.
    Rule,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::Promotion => "points to another article",
            Reason::Chrome => "the site's own words around the article",
            Reason::OutletName => "names the outlet",
            Reason::SectionName => "names the section",
            Reason::Byline => "names the author",
            Reason::Dateline => "states the date",
            Reason::BareAddress => "an address alone",
            Reason::Contents => "table of contents",
            Reason::Summary => "a summary before the text",
            Reason::TipPanel => "how to contact the outlet",
            Reason::Contribution => "who contributed",
            Reason::Rights => "rights notice",
            Reason::NotProse => "not prose",
            Reason::Rule => "a rule for this outlet",
        })
    }
}

/// The input a document was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File name or address, as the caller knows it.
    pub name: String,
    /// Its format.
    pub format: Format,
    /// The charset it was decoded from, by its WHATWG name.
    pub charset: &'static str,
}

/// Formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Plain text, as scraped.
    Text,
    /// An HTML page.
    Html,
    /// RSS or Atom.
    XmlFeed,
    /// JSON Feed.
    JsonFeed,
}

/// Up to the first sign that ends a sentence. A full stop behind a short word ("vs.", "Sen.", "U.S.") ends none here:
/// an opening cut too late is whole, one cut too early is nonsense.
fn first_sentence(text: &str) -> &str {
    const SHORT_WORD: usize = 4;
    for (at, sign) in text.match_indices(['.', '?', '!']) {
        let end = at + sign.len();
        if !(text[end..].is_empty() || text[end..].starts_with(char::is_whitespace)) {
            continue;
        }
        let before = text[..at].rsplit(char::is_whitespace).next().unwrap_or_default();
        if sign != "." || (before.chars().count() >= SHORT_WORD && !before.contains('.')) {
            return &text[..end];
        }
    }
    text
}

/// `address` if it is one that may be carried: `http` or `https`, no blanks, not endless. The scheme in small letters, as editions
/// have it (EDN-08).
pub(crate) fn web_address(address: &str) -> Option<String> {
    /// Longer ones are trackers or attacks; browsers and proxies stop near 2,000 too.
    const LONGEST: usize = 2048;
    let address = address.trim();
    let after = |scheme: &'static str| {
        let (head, rest) = address.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some((scheme, rest))
    };
    let (scheme, rest) = after("https://").or_else(|| after("http://"))?;
    let plain = !address.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"'));
    (plain && address.len() <= LONGEST && rest.starts_with(|c: char| c.is_alphanumeric() || c == '['))
        .then(|| format!("{scheme}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_carried() {
        assert_eq!(web_address(" https://a.example/x?y=1 ").as_deref(), Some("https://a.example/x?y=1"));
        assert_eq!(web_address("HttpS://a.example/X").as_deref(), Some("https://a.example/X"));
        assert_eq!(web_address("HTTP://a.example").as_deref(), Some("http://a.example"));
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://",
            "ftp://a",
            "https://a b",
            "https://a\"x",
            "é",
        ] {
            assert_eq!(web_address(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_untitled_text_is_named_by_its_opening() {
        let source = Source { name: "a.txt".into(), format: Format::Text, charset: "UTF-8" };
        let mut document = Document::empty(source);
        document.push(Block::Caption("A pier".into()), Place::default());
        document
            .push(Block::Paragraph("The ferry was late again. Nobody knew why.".into()), Place::default());
        assert_eq!(document.title_or_opening(), "The ferry was late again");
        assert_eq!(document.outlet_or_unknown(), "outlet unknown (a.txt)");
        document.body[1] = Block::Paragraph("The U.S. ferry vs. Sen. Gale was heard. More.".into());
        assert_eq!(document.title_or_opening(), "The U.S. ferry vs. Sen. Gale was heard");
        document.body[1] = Block::Paragraph("word ".repeat(60));
        assert!(document.title_or_opening().chars().count() <= 97);
        assert!(document.title_or_opening().ends_with("word…"));
    }
}
