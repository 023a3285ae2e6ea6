//! The five real articles on one event, with other coverage thrown in. Reads the corpus where it lies; without it, says
//! so.

mod invented;

use std::path::PathBuf;

use news::group::Grouper;
use news::sidecar::Sidecar;
use news::{Document, Input, Reason};
use proto::story::Story;

#[test]
fn the_five_are_one_story_of_five_outlets_whatever_comes_with_them() {
    let Some(five) = corpus() else { return };
    let others = others();
    let events: std::collections::BTreeSet<&str> =
        invented::ARTICLES.iter().map(|(event, _, _)| *event).collect();
    let orders: [Vec<&Document>; 4] = [
        five.iter().chain(&others).collect(),
        others.iter().chain(&five).collect(),
        interleaved(&five, &others),
        others.iter().rev().chain(five.iter().rev()).collect(),
    ];
    for order in orders {
        let stories = grouped(&order);
        let story = stories.iter().max_by_key(|story| story.outlets()).expect("stories");
        assert_eq!((story.outlets(), story.articles.len()), (5, 5), "{:#?}", titles(&stories));
        assert_eq!(stories.len(), 1 + events.len(), "{:#?}", titles(&stories));
    }
}

#[test]
fn each_of_the_five_alone_with_the_others_stays_alone() {
    let Some(five) = corpus() else { return };
    let others = others();
    for one in &five {
        let order: Vec<&Document> = others.iter().chain(std::iter::once(one)).collect();
        let stories = grouped(&order);
        let outlet = one.outlet_or_unknown();
        let with_it =
            stories.iter().find(|story| story.articles.iter().any(|article| article.outlet == outlet));
        assert_eq!(with_it.map(|story| story.articles.len()), Some(1), "{:#?}", titles(&stories));
    }
}

#[test]
fn no_body_carries_what_is_not_the_article() {
    let Some(five) = corpus() else { return };
    let foreign = [
        "also read",
        "read :",
        "read:",
        "http",
        "table of contents",
        "sign up",
        "sign in",
        "subscription",
        "membership",
        "download",
        "contact us",
        "securely",
        "journalism",
        "end to end",
        "contributed to",
        "days free",
        "related stories",
        "one app",
        "•",
    ];
    for document in &five {
        for block in &document.body {
            let text = block.text().to_lowercase();
            let found: Vec<_> = foreign.iter().filter(|words| text.contains(**words)).collect();
            assert!(found.is_empty(), "{}: {found:?} in {text}", document.source.name);
            assert!(!text.starts_with([',', '.', ';', ']', '[']), "{}: {text}", document.source.name);
        }
        assert!(document.paragraphs().count() >= 5, "{}", document.source.name);
        assert_eq!(document.body.len(), document.places.len());
    }
    let count = |reason: Reason| {
        five.iter()
            .map(|d| d.dropped.iter().filter(|dropped| dropped.reason == reason).count())
            .collect::<Vec<_>>()
    };
    assert_eq!(count(Reason::Promotion), [2, 2, 0, 0, 6]);
    assert_eq!(count(Reason::Chrome), [0, 0, 0, 16, 0]);
    assert_eq!(count(Reason::TipPanel), [0, 0, 0, 8, 0]);
    assert_eq!(count(Reason::Summary), [0, 0, 2, 0, 3]);
    assert_eq!(count(Reason::BareAddress), [0, 0, 0, 0, 1]);
    assert_eq!(count(Reason::Contents), [0, 0, 1, 0, 0]);
    assert_eq!(count(Reason::Contribution), [0, 0, 0, 1, 0]);
}

#[test]
fn nothing_of_the_input_is_lost_without_a_reason() {
    let Some(five) = corpus() else { return };
    for document in &five {
        let placed: usize = document.body.iter().map(|block| words(block.text())).sum();
        let dropped: usize = document.dropped.iter().map(|dropped| words(&dropped.text)).sum();
        let title = document.title.as_deref().map_or(0, words);
        let input = std::fs::read_to_string(folder().join(&document.source.name)).expect("the file");
        // A word and the sign behind it may have stood on two lines.
        let slack = document.body.len() + 8;
        assert!(words(&input).abs_diff(placed + dropped + title) <= slack, "{}", document.source.name);
    }
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn folder() -> PathBuf {
    std::env::var_os("FIRSTHAND_CORPUS")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"))
        .join("leaked-call")
}

/// The five, in the order of their file names.
fn corpus() -> Option<Vec<Document>> {
    let folder = folder();
    if !folder.is_dir() {
        println!("skipped: no corpus at {} (set FIRSTHAND_CORPUS)", folder.display());
        return None;
    }
    let sidecar = std::fs::read_to_string(folder.join("articles.toml")).expect("a sidecar");
    let sidecar = Sidecar::parse(&sidecar).expect("a valid sidecar");
    let read = |name: &String| {
        let bytes = std::fs::read(folder.join(name)).expect("a file");
        let mut read = news::read(&bytes, Input { name, ..Input::default() }).expect("an article");
        let mut document = read.documents.remove(0);
        sidecar.entry(name).expect("listed").apply(&mut document);
        document
    };
    Some(sidecar.entries.keys().map(read).collect())
}

fn others() -> Vec<Document> {
    let read = |(at, (_, outlet, text)): (usize, &(&str, &str, &str))| {
        let name = format!("invented-{at}.txt");
        let mut read =
            news::read(text.as_bytes(), Input { name: &name, ..Input::default() }).expect("an article");
        let mut document = read.documents.remove(0);
        document.outlet = Some((*outlet).to_owned());
        document
    };
    invented::ARTICLES.iter().enumerate().map(read).collect()
}

fn interleaved<'a>(some: &'a [Document], others: &'a [Document]) -> Vec<&'a Document> {
    let mut mixed = Vec::new();
    for at in 0..some.len().max(others.len()) {
        mixed.extend(others.get(at));
        mixed.extend(some.get(at));
    }
    mixed
}

fn grouped(documents: &[&Document]) -> Vec<Story> {
    let mut grouper = Grouper::new();
    for document in documents {
        grouper.add(document);
    }
    grouper.stories()
}

fn titles(stories: &[Story]) -> Vec<Vec<&str>> {
    stories
        .iter()
        .map(|story| story.articles.iter().map(|article| article.title.as_str()).collect())
        .collect()
}
