//! Runs every vector through the public API and compares the outcome. The files are made by
//! `cargo run -p proto --example vectors`; another implementation needs only `vectors/` and `docs/spec/`.

mod case;
mod make;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders that this crate makes and runs. Others belong to the crate whose tests run them.
const OURS: [&str; 12] = [
    "batch",
    "conversation",
    "directory",
    "drop",
    "edition",
    "envelope",
    "exit",
    "mix",
    "pass",
    "request",
    "shared",
    "signature",
];

fn files() -> BTreeMap<String, String> {
    let folder = case::folder();
    let mut files = BTreeMap::new();
    for kind in OURS {
        for entry in fs::read_dir(folder.join(kind)).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let name = path.file_name().expect("a file").to_str().expect("a plain name");
            files.insert(format!("{kind}/{name}"), fs::read_to_string(&path).expect("it is text"));
        }
    }
    files
}

#[test]
fn every_vector_has_the_outcome_it_states() {
    let files = files();
    assert!(files.len() > 150, "only {} vectors", files.len());
    let wrong: Vec<String> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".txt"))
        .filter_map(|(path, text)| run::check(path, text).err().map(|why| format!("{path}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn making_them_again_gives_the_same_bytes() {
    let (files, made) = (files(), make::files());
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (files.keys().collect(), made.keys().collect());
    assert_eq!(old, new, "a file that is not made, or one that is not there");
    for (path, text) in &made {
        assert!(text == &files[path], "{path} differs");
    }
}

#[test]
fn all_of_them_together_are_under_a_mebibyte() {
    fn size(folder: &Path) -> u64 {
        fs::read_dir(folder)
            .expect("it is there")
            .map(|entry| entry.expect("it can be listed").path())
            .map(|path| if path.is_dir() { size(&path) } else { path.metadata().expect("it is there").len() })
            .sum()
    }
    assert!(size(&case::folder()) < 1024 * 1024);
}

#[test]
fn a_wrong_outcome_is_noticed() {
    let files = files();
    let text = &files["envelope/cover-of-four.txt"];
    assert_eq!(run::check("envelope/cover-of-four.txt", text), Ok(()));
    let said = text.replace("expect: success", "expect: not opened");
    assert!(run::check("envelope/cover-of-four.txt", &said).is_err());
    let found = text.replace("found: cover", "found: to a desk");
    assert!(run::check("envelope/cover-of-four.txt", &found).is_err());
    let extra = format!("{text}colour: blue\n");
    assert!(run::check("envelope/cover-of-four.txt", &extra).is_err(), "a field nobody looked at");
}
