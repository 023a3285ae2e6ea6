//! The feeds that a page names in its head.

use std::cell::RefCell;

use html5ever::TokenizerResult;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use url::Url;

/// Most feeds taken of one page: some name one for each comment.
const MOST: usize = 20;

/// Where sites put a feed that their pages do not name.
pub(super) const USUAL: [&str; 7] =
    ["/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/rss", "/index.xml", "/feed.json"];

/// The addresses of a page's feeds, in its order, each once. `at` is where the page came from.
///
/// Only the tokenizer sees the page: there is no tree that a hostile one could make deep.
pub(super) fn feeds(html: &str, at: &Url) -> Vec<Url> {
    let tokenizer = Tokenizer::new(
        Found { base: RefCell::new(at.clone()), feeds: RefCell::default() },
        TokenizerOpts::default(),
    );
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
    tokenizer.end();
    tokenizer.sink.feeds.take()
}

struct Found {
    base: RefCell<Url>,
    feeds: RefCell<Vec<Url>>,
}

impl TokenSink for Found {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        if tag.kind == TagKind::EndTag {
            return TokenSinkResult::Continue;
        }
        match &*tag.name {
            "base" => {
                let base = attribute(&tag, "href").and_then(|href| self.base.borrow().join(&href).ok());
                if let Some(base) = base {
                    self.base.replace(base);
                }
            }
            "link" => {
                let feed = feed(&tag, &self.base.borrow());
                let mut feeds = self.feeds.borrow_mut();
                if let Some(feed) = feed.filter(|feed| feeds.len() < MOST && !feeds.contains(feed)) {
                    feeds.push(feed);
                }
            }
            "script" => return TokenSinkResult::RawData(ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => return TokenSinkResult::RawData(Rawtext),
            "textarea" | "title" => return TokenSinkResult::RawData(Rcdata),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

/// What a `<link rel="alternate">` of a feed's type leads to.
fn feed(link: &Tag, base: &Url) -> Option<Url> {
    let rel = attribute(link, "rel")?;
    let kind = attribute(link, "type")?.to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
    let is_alternate = rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("alternate"));
    let types =
        ["application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"];
    (is_alternate && types.contains(&kind.as_str())).then_some(())?;
    base.join(attribute(link, "href")?.trim()).ok()
}

fn attribute(tag: &Tag, name: &str) -> Option<String> {
    tag.attrs
        .iter()
        .find(|attribute| &*attribute.name.local == name)
        .map(|attribute| attribute.value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(html: &str) -> Vec<String> {
        feeds(html, &"https://quay.example/news/".parse().unwrap()).iter().map(Url::to_string).collect()
    }

    #[test]
    fn a_page_s_feeds_are_found_whatever_else_it_links() {
        let html = "<!doctype html><title>The Quay <link rel=alternate type=application/rss+xml href=/title></title>\
            <link rel=stylesheet href=a.css><script>'<link rel=alternate type=application/rss+xml href=/script>'</script>\
            <LINK REL='Alternate home' TYPE='application/RSS+xml; charset=utf-8' HREF=' feed?a=1&amp;b=2 '>\
            <link rel=alternate type=application/atom+xml href='//cdn.example/atom'>\
            <link rel=alternate type=text/html hreflang=de href=/de><link rel=alternate type=application/feed+json>\
            <link rel=alternate type=application/rss+xml href='feed?a=1&amp;b=2'>";
        assert_eq!(found(html), ["https://quay.example/news/feed?a=1&b=2", "https://cdn.example/atom"]);
        let based = "<base href='/en/'><link rel=alternate type=application/rss+xml href=feed>";
        assert_eq!(found(based), ["https://quay.example/en/feed"]);
    }

    #[test]
    fn a_hostile_page_names_few_feeds_and_takes_no_time() {
        let link = |n: usize| format!("<link rel=alternate type=application/rss+xml href=/{n}>");
        assert_eq!(found(&(0..5_000).map(link).collect::<String>()).len(), MOST);
        assert!(found(&"<div>".repeat(200_000)).is_empty());
    }
}
