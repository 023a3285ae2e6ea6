//! OPML: the list of feeds that one reader program gives to another.

use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

/// Most feeds taken of one list. People have some hundreds.
const MOST: usize = 10_000;

/// One feed of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its address, as written.
    pub address: String,
    /// What its owner calls it.
    pub name: Option<String>,
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpmlError {
    /// Broken before its end.
    #[error("the list is broken at byte {at}: {cause}")]
    Broken {
        /// Where.
        at: u64,
        /// What the parser said.
        cause: String,
    },
    /// No feed in it.
    #[error("the list names no feeds")]
    Empty,
}

/// Whether a text is such a list.
pub fn is_opml(text: &str) -> bool {
    let head = text.char_indices().nth(2_000).map_or(text, |(end, _)| &text[..end]);
    head.trim_start().starts_with('<') && head.to_ascii_lowercase().contains("<opml")
}

/// The feeds of a list, in its order, each once, whatever folders it puts them in.
pub fn read(text: &str) -> Result<Vec<Entry>, OpmlError> {
    let mut reader = Reader::from_str(text);
    // Lists are written by hand and by careless programs: only the elements that say something are looked at.
    reader.config_mut().check_end_names = false;
    let mut entries: Vec<Entry> = Vec::new();
    let mut known = std::collections::HashSet::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag) | Event::Empty(tag))
                if tag.name().as_ref().eq_ignore_ascii_case("outline") =>
            {
                let found = entry(&tag).filter(|entry| known.insert(entry.address.clone()));
                entries.extend(found);
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(why) => {
                return Err(OpmlError::Broken { at: reader.error_position(), cause: why.to_string() });
            }
        }
        if entries.len() == MOST {
            break;
        }
    }
    if entries.is_empty() { Err(OpmlError::Empty) } else { Ok(entries) }
}

fn entry(outline: &BytesStart<'_>) -> Option<Entry> {
    let (mut address, mut title, mut text) = (None, None, None);
    for attribute in outline.html_attributes().with_checks(false).flatten() {
        let place = match attribute.key.as_ref().to_ascii_lowercase().as_str() {
            "xmlurl" => &mut address,
            "title" => &mut title,
            "text" => &mut text,
            _ => continue,
        };
        let value = unescape(&attribute.value).unwrap_or(std::borrow::Cow::Borrowed(&attribute.value));
        *place =
            Some(value.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|value| !value.is_empty());
    }
    Some(Entry { address: address?, name: title.or(text) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn feeds_of_all_folders_are_found_once() {
        let text = "<?xml version='1.0' encoding='ISO-8859-1'?><opml version='2.0'><head><title>Mine</title></head><body>\
            <outline text='Coast'><outline type='rss' text='The Quay' xmlUrl='https://quay.example/feed?a=1&amp;b=2'/>\
            <OUTLINE TITLE='Vale &amp; Dale' text='x' XMLURL='https://vale.example/atom'></OUTLINE></outline>\
            <outline text='again' xmlUrl='https://vale.example/atom'/><outline text='a note'/><outline xmlUrl=' '/></body></opml>";
        assert!(is_opml(text));
        let entry = |address: &str, name: &str| Entry { address: address.into(), name: Some(name.into()) };
        let expected = [
            entry("https://quay.example/feed?a=1&b=2", "The Quay"),
            entry("https://vale.example/atom", "Vale & Dale"),
        ];
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn what_is_no_list_or_an_empty_one_is_said() {
        assert!(!is_opml("<rss version='2.0'>") && !is_opml("opml <opml"));
        assert_eq!(read("<opml><body/></opml>"), Err(OpmlError::Empty));
        assert!(matches!(read("<opml><outline xmlUrl='x"), Err(OpmlError::Broken { .. })));
        let deep = format!("<opml>{}", "<outline text='x'>".repeat(100_000));
        assert_eq!(read(&deep), Err(OpmlError::Empty));
        let long =
            format!("<opml>{}", (0..20_000).map(|n| format!("<outline xmlUrl='{n}'/>")).collect::<String>());
        assert_eq!(read(&long).unwrap().len(), MOST);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(text in "(?s)[<opml>=' /&;a-z\u{e9}]{0,200}") {
            let _ = read(&format!("<opml>{text}"));
        }
    }
}
