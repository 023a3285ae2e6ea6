//! Which format an input has: by its content, and where that does not say, by its name.

use crate::document::Format;

/// Looks at the beginning of `text` and at `name`'s ending.
///
/// A name that promises a feed is believed, so that "a feed that is not a feed" is an error and not an odd article.
pub fn detect(name: &str, text: &str) -> Format {
    /// Doctypes, comments and declarations stand above the first telling tag.
    const LOOKED_AT: usize = 2048;
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text[..end].trim_start_matches(['\u{feff}', ' ', '\n', '\r', '\t']).to_ascii_lowercase();
    let path = name.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let is = |tag: &str| head.match_indices(tag).any(|(at, _)| ends_name(&head[at + tag.len()..]));

    if head.starts_with("<!doctype html") || (head.starts_with('<') && is("<html")) {
        return Format::Html;
    }
    if head.starts_with('<') && (is("<rss") || is("<feed") || is("<rdf:rdf") || is("<entry")) {
        return Format::XmlFeed;
    }
    if head.starts_with('{') && head.contains("jsonfeed.org/version") {
        return Format::JsonFeed;
    }
    match ending.as_str() {
        "rss" | "atom" | "xml" | "rdf" => Format::XmlFeed,
        "json" => Format::JsonFeed,
        "html" | "htm" | "xhtml" => Format::Html,
        "txt" | "text" | "md" => Format::Text,
        _ if head.starts_with('<')
            && ["<head", "<body", "<div", "<p", "<article", "<meta"].iter().any(|tag| is(tag)) =>
        {
            Format::Html
        }
        _ => Format::Text,
    }
}

fn ends_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_speaks_before_the_name() {
        let rows = [
            ("a.txt", "<!DOCTYPE html><p>x", Format::Html),
            ("a", "<?xml version='1.0'?>\n<!-- x --><html xmlns='x'>", Format::Html),
            ("a.html", "<?xml version='1.0'?><rss version='2.0'>", Format::XmlFeed),
            ("a", "<feed xmlns='http://www.w3.org/2005/Atom'>", Format::XmlFeed),
            ("a.txt", "{\"version\": \"https://jsonfeed.org/version/1.1\"}", Format::JsonFeed),
            ("a.xml", "no feed at all", Format::XmlFeed),
            ("a.json?x=1", "[]", Format::JsonFeed),
            ("a.htm", "plain words", Format::Html),
            ("a", "<div>x</div>", Format::Html),
            ("a.txt", "<div>quoted in a text</div>", Format::Text),
            ("https://a.example/news", "Plain words.", Format::Text),
            ("é", "é", Format::Text),
        ];
        for (name, text, format) in rows {
            assert_eq!(detect(name, text), format, "{name} {text}");
        }
    }
}
