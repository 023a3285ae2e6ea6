//! Whatever comes in, nothing panics and nothing hangs.

use std::time::{Duration, Instant};

use news::group::Grouper;
use news::sidecar::Sidecar;
use news::{Format, Input, Source, decode, feed, page, text};
use proptest::prelude::*;

/// Bytes out of which pages, feeds and sidecars are made, in any order.
const SCRAPS: &[&str] = &[
    "<div>",
    "</div>",
    "<p",
    ">",
    "<table><tr><td>",
    "</table>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<a href='",
    "'",
    "\"",
    "&amp;",
    "&#x1F600;",
    "&#0;",
    "<rss version='2.0'><channel>",
    "<item><title>",
    "</title>",
    "<description>",
    "</description></item>",
    "</channel></rss>",
    "<feed xmlns='http://www.w3.org/2005/Atom'>",
    "<entry>",
    "</entry></feed>",
    "<?xml version='1.0' encoding='utf-16'?>",
    "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[",
    "{\"content_html\":\"",
    "\"}]}",
    "[\"a.txt\"]\n",
    "outlet = ",
    "published = ",
    "2026-11-03",
    "By Ada Moor",
    "Also read: a b c",
    "Photograph: C. Light/XY",
    "Key points",
    "• ",
    "\n",
    "\n\n",
    "\r\n",
    "\u{feff}",
    "\u{0}",
    "\u{202e}",
    "é",
    "中文",
    "The ferry to the outer islands did not leave on Monday, the harbour office said. ",
    "You can contact us securely. ",
    "told",
    ", and",
    "[",
    "]",
    "https://a.example/",
    "<meta charset=utf-16>",
    "<link rel=canonical href=",
    "<script type='application/ld+json'>{\"@type\":\"NewsArticle\"",
    "<b><i><font>",
];

fn scraps() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(SCRAPS), 0..80).prop_map(|parts| parts.concat())
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        scraps(),
        any::<String>(),
        prop::collection::vec(any::<u8>(), 0..400).prop_map(|b| String::from_utf8_lossy(&b).into_owned())
    ]
}

fn source(format: Format) -> Source {
    Source { name: "x".into(), format, charset: "UTF-8" }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn text_never_panics_and_places_are_true(input in any_text()) {
        if let Ok(document) = text::read(&input, source(Format::Text)) {
            prop_assert_eq!(document.body.len(), document.places.len());
            for place in document.places.iter().chain(document.dropped.iter().map(|dropped| &dropped.place)) {
                prop_assert!(input.get(place.bytes.clone()).is_some());
                prop_assert_eq!(input[..place.bytes.start].replace("\r\n", "\n").replace('\r', "\n").matches('\n').count() + 1, place.line as usize);
            }
            let mut grouper = Grouper::new();
            grouper.add(&document);
            prop_assert_eq!(grouper.stories().len(), 1);
        }
    }

    #[test]
    fn page_never_panics(input in any_text()) {
        let read = page::read(&input, Some("https://a.example/"), source(Format::Html));
        prop_assert_ne!(read.err(), Some(page::PageError::Extractor));
        prop_assert!(page::fragment(&input).is_ok());
    }

    #[test]
    fn feed_never_panics(input in any_text()) {
        for format in [Format::XmlFeed, Format::JsonFeed] {
            let read = feed::read(&input, None, &source(format));
            prop_assert_ne!(read.err(), Some(feed::FeedError::Parser));
        }
    }

    #[test]
    fn decode_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), label in "[ -~]{0,40}") {
        let _ = decode::decode(&bytes, Some(&label));
        let _ = decode::decode(&bytes, Some(&format!("text/html; charset={label}")));
        let mut page = format!("<meta charset={label}>").into_bytes();
        page.extend(&bytes);
        let _ = decode::decode(&page, None);
    }

    #[test]
    fn sidecar_never_panics(input in any_text()) {
        let _ = Sidecar::parse(&input);
    }

    #[test]
    fn read_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600), scraps in scraps(), name in "[a-z]{0,3}\\.(txt|html|xml|json|rss|bin)?") {
        for bytes in [bytes, scraps.into_bytes()] {
            let _ = news::read(&bytes, Input { name: &name, ..Input::default() });
        }
    }
}

/// Inputs built to be slow. Each must be done in a time in which nobody would say that it hangs, on a slow machine and
/// without optimisation too.
#[test]
#[expect(clippy::disallowed_methods, reason = "a stopwatch: the test is about time")]
fn nothing_hangs() {
    const LONGEST: Duration = Duration::from_secs(60);
    let many = |part: &str, bytes: usize| part.repeat(bytes / part.len());
    let mb = 1 << 20;
    let prose = "The ferry to the outer islands did not leave on Monday, the harbour office said. ";
    let inputs: Vec<(&str, &str, String)> = vec![
        ("one line of prose", "a.txt", many(prose, 2 * mb)),
        ("one word", "a.txt", many("a", 2 * mb)),
        ("one word of another script", "a.txt", many("é", 2 * mb)),
        ("a word a line", "a.txt", many("word\n", 16 * 1024)),
        ("many lines", "a.txt", many("word\n", 2 * mb)),
        ("open lines", "a.txt", many("and then,\n", 128 * 1024)),
        ("brackets", "a.txt", many("[\n", 32 * 1024)),
        ("blank lines", "a.txt", many("\n", 2 * mb)),
        ("promotions", "a.txt", many("Also read: one two three\n", 256 * 1024)),
        ("points", "a.txt", format!("Summary\n{}", many("• point\n", 128 * 1024))),
        ("captions", "a.txt", many("Photograph: A\n", 256 * 1024)),
        (
            "paragraphs with names",
            "a.txt",
            many(
                "“Then Ada Moor and Ben Gale told us what they all had seen there.” It was Cora Light.\n\n",
                mb,
            ),
        ),
        ("nested", "a.html", many("<div>", 2 * mb)),
        ("nested with noise", "a.html", many("<div></p><span></b>", 2 * mb)),
        ("nested, wrongly closed", "a.html", many("<div><table></div>", 2 * mb)),
        ("lists in lists", "a.html", many("<ul><li>", 2 * mb)),
        ("emphasis", "a.html", many("<b><p>", 2 * mb)),
        ("links", "a.html", many("<a href=x>", 2 * mb)),
        ("paragraphs", "a.html", many("<p>x", mb / 3)),
        ("line ends", "a.html", format!("<p>{}", many("<br>", mb / 3))),
        ("attributes", "a.html", format!("<p {}>", many("a=b ", 2 * mb))),
        ("entities", "a.html", many("&lt;&amp;", mb)),
        ("comment without end", "a.html", format!("<p>{prose}<!--{}", many("-", mb))),
        (
            "a page of prose",
            "a.html",
            format!("<!doctype html><article>{}", many(&format!("<p>{prose}</p>"), mb)),
        ),
        (
            "depth below the limit",
            "a.html",
            format!("{}{}", "<div>".repeat(500), many(&format!("<p>{prose}<a href=x>y</a></p>"), mb / 2)),
        ),
        ("labels", "a.html", format!("<article><p>{prose}{}</article>", many("<p>Comments</p>", mb))),
        (
            "authors",
            "a.html",
            many(&format!("<p>Ada Moor is a reporter at the harbour desk. {prose}</p>"), mb),
        ),
        ("names", "a.html", many(&format!("<div class='share author photo'><p>{prose}</p></div>"), mb)),
        ("long names", "a.html", many(&format!("<div class='{}'>x</div>", "aB-".repeat(20_000)), mb)),
        ("names in names", "a.html", format!("{}{prose}", "<div class=author>".repeat(500))),
        ("tables", "a.html", many("<table><tr><td>x</table>", mb / 2)),
        ("nested feed", "a.xml", format!("<rss version='2.0'><channel>{}", many("<item>", 2 * mb))),
        (
            "feed of items",
            "a.xml",
            format!(
                "<rss version='2.0'><channel><title>t</title>{}</channel></rss>",
                many("<item><description>x</description></item>", mb)
            ),
        ),
        ("nested JSON", "a.json", many("[{\"a\":", mb)),
    ];
    for (what, name, input) in inputs {
        let begin = Instant::now();
        let outcome = news::read(input.as_bytes(), Input { name, ..Input::default() });
        if let Ok(read) = &outcome {
            let mut grouper = Grouper::new();
            read.documents.iter().take(100).for_each(|document| {
                grouper.add(document);
            });
        }
        let took = begin.elapsed();
        println!(
            "{took:>10.1?}  {what}: {}",
            outcome
                .map_or_else(|error| error.to_string(), |read| format!("{} documents", read.documents.len()))
        );
        assert!(took < LONGEST, "{what} took {took:?}");
    }
    let begin = Instant::now();
    let _ = Sidecar::parse(&many("[\"a\"]\n", 2 * mb));
    let _ = Sidecar::parse(&format!("[\"a\"]\noutlet = {}", many("[\n", 2 * mb)));
    let _ = Sidecar::parse(&(0..20_000).map(|n| format!("[\"{n}\"]\noutlet = \"x\"\n")).collect::<String>());
    assert!(begin.elapsed() < LONGEST);
}
