//! The five real articles on one event, with other coverage thrown in. Reads the corpus where it lies; without it, says
//! so.
use std::path::{Path, PathBuf};

use news::group::Grouper;
use news::sidecar::Sidecar;
use news::{Document, Format, Source, text};

fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("FIRSTHAND_CORPUS")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"));
    let folder = root.join("leaked-call");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus at {} (set FIRSTHAND_CORPUS)", root.display());
    None
}

fn documents(folder: &Path) -> Vec<Document> {
    let sidecar = std::fs::read_to_string(folder.join("articles.toml")).expect("a sidecar");
    let sidecar = Sidecar::parse(&sidecar).expect("a valid sidecar");
    let mut names: Vec<&String> = sidecar.entries.keys().collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let bytes = std::fs::read_to_string(folder.join(name)).expect("a file");
            let source = Source { name: name.clone(), format: Format::Text, charset: "UTF-8" };
            let mut document = text::read(&bytes, source).expect("an article");
            sidecar.entry(name).expect("listed").apply(&mut document);
            document
        })
        .collect()
}

#[test]
fn the_five_are_one_story_of_five_outlets() {
    let Some(folder) = corpus() else { return };
    let mut grouper = Grouper::new();
    for document in documents(&folder) {
        grouper.add(&document);
    }
    let stories = grouper.stories();
    assert_eq!(stories.len(), 1);
    assert_eq!(stories[0].outlets(), 5);
}
