//! What a person knows better of an outlet's pages than the program: one small TOML, tried with `firsthand press try --rules`.
//!
//! ```toml
//! ["quay.example"]                    # a host, with all below it; or the name of an outlet
//! keep = ["article .text"]            # of a page, only what stands in these elements is read
//! drop = [".newsletter", "aside"]     # and never what stands in these
//! drop_lines = ["Read more:"]         # nor lines that begin so, whatever the format
//! title = "h1.headline"               # where a page says it, if it is found wrong
//! byline = ".author b"
//! date = "time.published"
//! outlet = "The Quay"                 # what to print in place of the outlet's own name
//! quoted = 800                        # carried of an article that is neither own nor licensed: so many bytes at most
//! ```

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dom_query::Matcher;
use news::page::PageError;
use news::{Document, Dropped, Format, Place, ReadError, Reason};
use serde::Deserialize;
use url::Url;

/// Of an article that is somebody else's, so many bytes of text are carried at most, unless a rule says otherwise: some two hundred
/// words of quotes and evidence.
pub const QUOTED: usize = 1_500;

/// The most that a rule may say of it: a quotation of more is no quotation.
pub const MOST_QUOTED: usize = 10_000;

/// The rules of all outlets. The default has none.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Rules(BTreeMap<String, Rule>);

/// The rules of one outlet.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Rule {
    keep: Vec<String>,
    drop: Vec<String>,
    drop_lines: Vec<String>,
    title: Option<String>,
    byline: Option<String>,
    date: Option<String>,
    outlet: Option<String>,
    quoted: Option<usize>,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// Not TOML, or a key that nobody knows. The parser shows the line.
    #[error("{}", .0.to_string().trim_end())]
    Toml(#[from] toml::de::Error),
    /// No selector of CSS.
    #[error("`{key}` of \"{outlet}\": {selector:?} is no CSS selector, like \"div.text > p\"")]
    Selector {
        /// Whose rule.
        outlet: String,
        /// Which key.
        key: &'static str,
        /// What stands there.
        selector: String,
    },
    /// A line that begins with nothing is every line.
    #[error("`drop_lines` of \"{0}\" holds an empty text, with which every line begins")]
    EmptyLine(String),
    /// More than is a quotation.
    #[error(
        "`quoted` of \"{0}\" is more than {MOST_QUOTED} bytes. To carry the whole text, add the outlet with --own or --licensed"
    )]
    Quoted(String),
}

impl Rules {
    /// Parses a file of rules.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        let rules: Self = toml::from_str(text)?;
        for (outlet, rule) in &rules.0 {
            if rule.drop_lines.iter().any(|line| line.trim().is_empty()) {
                return Err(RulesError::EmptyLine(outlet.clone()));
            }
            if rule.quoted.is_some_and(|bytes| bytes > MOST_QUOTED) {
                return Err(RulesError::Quoted(outlet.clone()));
            }
            let one = [("title", &rule.title), ("byline", &rule.byline), ("date", &rule.date)];
            let one = one.into_iter().flat_map(|(key, value)| value.iter().map(move |value| (key, value)));
            let many = [("keep", &rule.keep), ("drop", &rule.drop)];
            let many =
                many.into_iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
            for (key, selector) in one.chain(many) {
                Matcher::new(selector).map_err(|_| RulesError::Selector {
                    outlet: outlet.clone(),
                    key,
                    selector: selector.clone(),
                })?;
            }
        }
        Ok(rules)
    }

    /// Reads an input ([`news::read()`]) as the rules of its outlet say.
    pub fn read(&self, bytes: &[u8], input: news::Input<'_>) -> Result<news::Read, ReadError> {
        let plain = news::read(bytes, input);
        if self.0.is_empty() {
            return plain;
        }
        let first = plain.as_ref().ok().and_then(|read| read.documents.first());
        let (url, outlet) =
            (first.and_then(|it| it.url.as_deref()), first.and_then(|it| it.outlet.as_deref()));
        let Some(rule) = self.of(input.address, url, outlet) else { return plain };
        let mut read = match plain {
            Ok(read) if first_format(&read) == Some(Format::Html) => rule.read_page(bytes, input)?,
            // The rules may find what was not found without. What is built to nest never gets here.
            Err(ReadError::Page(PageError::NoArticle)) => rule.read_page(bytes, input)?,
            read => read?,
        };
        read.documents.iter_mut().for_each(|document| rule.apply(document));
        Ok(read)
    }

    /// How many bytes of an article are carried if it is somebody else's: by where it came from, its own address and its outlet.
    pub fn quoted(&self, address: Option<&str>, url: Option<&str>, outlet: Option<&str>) -> usize {
        self.of(address, url, outlet).and_then(|rule| rule.quoted).unwrap_or(QUOTED)
    }

    /// The rules of the host it came from, of the host it names itself, or of its outlet by name. The longest host counts.
    fn of(&self, address: Option<&str>, url: Option<&str>, outlet: Option<&str>) -> Option<&Rule> {
        let hosts = [address, url].into_iter().flatten().filter_map(|url| Url::parse(url).ok());
        for host in hosts.filter_map(|url| url.host_str().map(str::to_owned)) {
            let is_of = |name: &&String| {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            };
            if let Some(name) = self.0.keys().filter(is_of).max_by_key(|name| name.len()) {
                return self.0.get(name);
            }
        }
        self.0.get(outlet?)
    }
}

impl Rule {
    fn read_page(&self, bytes: &[u8], input: news::Input<'_>) -> Result<news::Read, ReadError> {
        let html = news::decode::decode(bytes, input.content_type)?.text;
        let page = catch_unwind(AssertUnwindSafe(|| self.page(&html))).map_err(|_| PageError::Extractor)?;
        let input = news::Input { content_type: Some("text/html; charset=utf-8"), ..input };
        let mut read = news::read(page.html.as_bytes(), input)?;
        for document in &mut read.documents {
            document.title = page.title.clone().or(document.title.take());
            document.byline = page.byline.clone().or(document.byline.take());
            document.published = page.date.as_deref().and_then(news::parse_when).or(document.published);
            let dropped = page.dropped.iter().map(|text| dropped(Place::default(), text.clone()));
            document.dropped.splice(0..0, dropped);
        }
        Ok(read)
    }

    /// The page as the rules leave it.
    fn page(&self, html: &str) -> Page {
        let tree = dom_query::Document::from(html);
        let first = |selector: &Option<String>| {
            let found = tree.try_select(selector.as_deref()?)?;
            let node = found.nodes().first()?.to_owned();
            let stated = node.attr("datetime").or_else(|| node.attr("content"));
            Some(line(&stated.unwrap_or_else(|| node.text()))).filter(|line| !line.is_empty())
        };
        let (title, byline, date) = (first(&self.title), first(&self.byline), first(&self.date));
        let mut dropped = Vec::new();
        for found in self.drop.iter().filter_map(|selector| tree.try_select(selector)) {
            let texts = found.nodes().iter().map(|node| line(&node.text()));
            dropped.extend(texts.filter(|text| !text.is_empty()));
            found.remove();
        }
        let kept: Vec<String> = self
            .keep
            .iter()
            .filter_map(|selector| tree.try_select(selector))
            .flat_map(|found| found.nodes().iter().map(|node| node.html().to_string()).collect::<Vec<_>>())
            .collect();
        if !kept.is_empty() {
            tree.select("body").set_html(format!("<article>{}</article>", kept.concat()));
        }
        Page { html: tree.html().to_string(), title, byline, date, dropped }
    }

    /// What holds for every format.
    fn apply(&self, document: &mut Document) {
        if self.outlet.is_some() {
            document.outlet.clone_from(&self.outlet);
        }
        let begins = |text: &str| self.drop_lines.iter().any(|line| text.starts_with(line.trim()));
        let blocks = std::mem::take(&mut document.body).into_iter().zip(std::mem::take(&mut document.places));
        for (block, place) in blocks {
            if begins(block.text()) {
                document.dropped.push(dropped(place, block.text().to_owned()));
            } else {
                document.body.push(block);
                document.places.push(place);
            }
        }
        document.dropped.sort_by_key(|dropped| dropped.place.line);
    }
}

/// A page as rules leave it, and what they found on it.
struct Page {
    html: String,
    title: Option<String>,
    byline: Option<String>,
    date: Option<String>,
    dropped: Vec<String>,
}

fn dropped(place: Place, text: String) -> Dropped {
    Dropped { place, text, reason: Reason::Rule }
}

fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn first_format(read: &news::Read) -> Option<Format> {
    read.documents.first().map(|document| document.source.format)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<!doctype html><title>Site</title><body><h1>Wrong</h1><h2 class=head>The quay opens</h2>\
        <b class=by>Ada Moor</b><time datetime='2026-11-03T09:30:00Z'>today</time><div class=text>\
        <p>The lower quay is open again, the harbour master said on Monday, after a week in which no ship came.</p>\
        <div class=offer><p>Our newsletter brings you the quay every morning, and you can have it for nothing at all.</p></div>\
        <p>Read on: the history of the quay, in ten pictures that nobody has seen before.</p>\
        <p>The ferry will sail at noon, and the market comes back to its old place beside the water on Friday.</p></div>\
        <div class=else><p>Ten other stories that were read by many people in this town during the last week.</p></div>";

    fn read(rules: &str, address: &str) -> Document {
        let input = news::Input { name: address, address: Some(address), content_type: Some("text/html") };
        Rules::parse(rules).unwrap().read(PAGE.as_bytes(), input).unwrap().documents.remove(0)
    }

    const RULES: &str = "[\"quay.example\"]\nkeep = [\".text\"]\ndrop = [\".offer\"]\ndrop_lines = [\"Read on:\"]\n\
        title = \"h2.head\"\nbyline = \".by\"\ndate = \"time\"\noutlet = \"The Quay\"\n";

    #[test]
    fn a_page_is_read_as_its_outlet_s_rules_say() {
        let got = read(RULES, "https://www.quay.example/1");
        assert_eq!(got.title.as_deref(), Some("The quay opens"));
        assert_eq!(got.byline.as_deref(), Some("Ada Moor"));
        assert_eq!(got.outlet.as_deref(), Some("The Quay"));
        assert_eq!(got.published.map(|when| when.unix), Some(1_793_698_200));
        let body: Vec<&str> = got.paragraphs().collect();
        assert_eq!(body.len(), 2, "{body:?}");
        assert!(body[0].starts_with("The lower quay") && body[1].starts_with("The ferry"));
        let ruled = got.dropped.iter().filter(|dropped| dropped.reason == Reason::Rule);
        let ruled: Vec<&str> = ruled.map(|dropped| dropped.text.as_str()).collect();
        assert!(ruled[0].starts_with("Our newsletter") && ruled[1].starts_with("Read on:"), "{ruled:?}");
        assert_eq!(got.body.len(), got.places.len());
    }

    #[test]
    fn rules_hold_for_their_host_or_outlet_alone() {
        for other in ["https://notquay.example/1", "https://quay.example.evil.example/1"] {
            let got = read(RULES, other);
            assert_eq!(got.outlet, None, "{other}");
        }
        let rules = Rules::parse("[\"The Quay\"]\ndrop_lines = [\"The ferry\"]\n").unwrap();
        let feed = "<rss version='2.0'><channel><title>The Quay</title><item><title>T</title><description>\
                    &lt;p&gt;The lower quay is open again.&lt;/p&gt;&lt;p&gt;The ferry sails.&lt;/p&gt;</description></item></channel></rss>";
        let got =
            rules.read(feed.as_bytes(), news::Input { name: "feed.xml", ..news::Input::default() }).unwrap();
        assert_eq!(got.documents[0].paragraphs().collect::<Vec<_>>(), ["The lower quay is open again."]);
    }

    #[test]
    fn mistakes_are_named() {
        let why = |text: &str| Rules::parse(text).unwrap_err().to_string();
        assert!(why("[\"a\"]\nkeap = []").contains("line 2") && why("[\"a\"]\nkeap = []").contains("keap"));
        assert!(why("[\"a\"]\ndrop = [\"p:::\"]").contains("`drop` of \"a\": \"p:::\" is no CSS selector"));
        assert!(why("[\"a\"]\ndrop_lines = [\" \"]").contains("every line begins"));
        assert!(why("keep = 1").contains("line 1"));
        assert!(why("[\"a\"]\nquoted = 10001").contains("`quoted` of \"a\" is more than 10000 bytes"));
        assert!(why("[\"a\"]\nquoted = -1").contains("line 2"));
    }
}
