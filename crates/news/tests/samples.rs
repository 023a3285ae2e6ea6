//! Grouping of the made-up coverage that the demo shows, against the truth beside it.

mod bcubed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use bcubed::bcubed;
use news::group::Grouper;
use news::sidecar::Sidecar;
use news::{Document, Input};

/// The last part of a feed item's identifier or address: the same in both.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', ':']).next().unwrap_or(name)
}

#[test]
fn the_samples_fall_into_their_events() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let (Ok(sidecar), Ok(events)) = (
        std::fs::read_to_string(folder.join("articles.toml")),
        std::fs::read_to_string(folder.join("events.toml")),
    ) else {
        println!("skipped: no samples at {}", folder.display());
        return;
    };
    let sidecar = Sidecar::parse(&sidecar).expect("a valid sidecar");
    let events: toml::Table = events.parse().expect("valid TOML");
    let mut event_of: BTreeMap<String, String> = BTreeMap::new();
    for (event, about) in &events {
        for file in about["files"].as_array().expect("files") {
            let file = file.as_str().expect("a name");
            let key = file.split_once('#').map_or(file, |(_, id)| last_part(id));
            event_of.insert(key.to_owned(), event.clone());
        }
    }

    let mut documents: Vec<(String, Document)> = Vec::new();
    for (name, entry) in &sidecar.entries {
        let bytes = std::fs::read(folder.join(name)).expect("a file");
        let read = news::read(&bytes, Input { name, ..Input::default() })
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(read.skipped.is_empty(), "{name}: {:?}", read.skipped);
        let many = read.documents.len() > 1;
        for mut document in read.documents {
            entry.apply(&mut document);
            assert!(
                document.title.is_some() && document.published.is_some() && document.outlet.is_some(),
                "{name}: {document:?}"
            );
            assert!(document.dropped.len() <= 2, "{name}: {:?}", document.dropped);
            let key = if many {
                last_part(document.url.as_deref().expect("an address")).to_owned()
            } else {
                name.clone()
            };
            documents
                .push((event_of.get(&key).unwrap_or_else(|| panic!("no event for {key}")).clone(), document));
        }
    }
    for (order, by_time) in [("by time", true), ("by name", false)] {
        if by_time {
            documents.sort_by_key(|(_, document)| document.published);
        }
        let mut grouper = Grouper::new();
        for (_, document) in &documents {
            grouper.add(document);
        }
        // As at the end of a round.
        grouper.settle();
        let story = |document| grouper.story_of(news::article(document).id).expect("it was added").0;
        let items: Vec<(String, [u8; 16])> =
            documents.iter().map(|(event, document)| (event.clone(), story(document))).collect();
        let (p, r, f1) = bcubed(&items);
        println!("{order}: {} articles, P {p:.3} R {r:.3} F1 {f1:.3}", items.len());
        for story in grouper.stories() {
            let of: BTreeSet<&str> =
                items.iter().filter(|(_, id)| *id == story.id.0).map(|(event, _)| event.as_str()).collect();
            println!("  {:>2} articles of {of:?}: {}", story.articles.len(), story.title);
        }
        assert!(f1 > 0.95, "{order}: F1 {f1:.3}");
        documents.sort_by(|a, b| a.1.source.name.cmp(&b.1.source.name));
    }
}
