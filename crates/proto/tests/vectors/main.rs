//! Runs every vector through the public API and compares the outcome. The files are made by
//! `cargo run -p proto --example vectors`; another implementation needs only `vectors/` and `docs/spec/`.

mod case;
#[allow(dead_code, reason = "shared with other crates, which use the rest")]
mod fields;
mod make;
mod readme;
mod run;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The folders that another crate runs, since the checks are there, and the test that does.
const ELSEWHERE: [(&str, &str); 9] = [
    ("edge", "server/tests/roles/vectors.rs"),
    ("exchange", "client/tests/device/vectors.rs"),
    ("handed", "server/tests/roles/vectors.rs"),
    ("inbox", "client/src/vectors.rs"),
    ("instant", "client/src/vectors.rs"),
    ("mailbox", "client/src/vectors.rs"),
    ("queue", "client/src/vectors.rs"),
    ("reply", "client/src/vectors.rs"),
    ("vault", "client/src/vectors.rs"),
];

/// The folder whose files were written by hand; `server/src/edge/vectors.rs` runs them.
const BY_HAND: &str = "ceiling/";

/// Every file below `vectors/` but the one that explains them.
fn files() -> BTreeMap<String, String> {
    fn below(folder: &Path, name: &str, files: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let name =
                format!("{name}/{}", path.file_name().expect("a file").to_str().expect("a plain name"));
            if path.is_dir() {
                below(&path, &name, files);
            } else {
                files.insert(name[1..].to_owned(), fs::read_to_string(&path).expect("it is text"));
            }
        }
    }
    let mut files = BTreeMap::new();
    below(&fields::folder(), "", &mut files);
    files.remove("README.md").expect("it explains the others");
    files
}

fn is_elsewhere(path: &str) -> bool {
    path.starts_with(BY_HAND) || ELSEWHERE.iter().any(|(kind, _)| path.split('/').next() == Some(kind))
}

#[test]
fn every_vector_has_the_outcome_it_states() {
    let files = files();
    assert!(files.len() > 150, "only {} vectors", files.len());
    let wrong: Vec<String> = files
        .iter()
        .filter(|(path, _)| !path.starts_with("shared/") && !is_elsewhere(path))
        .filter_map(|(path, text)| run::check(path, text).err().map(|why| format!("{path}: {why}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn making_them_again_gives_the_same_bytes() {
    let (mut files, made) = (files(), make::files());
    files.retain(|path, _| !path.starts_with(BY_HAND));
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (files.keys().collect(), made.keys().collect());
    assert_eq!(old, new, "a file that is not made, or one that is not there");
    for (path, text) in &made {
        assert!(text == &files[path], "{path} differs");
    }
}

#[test]
fn every_folder_is_run_by_somebody() {
    for (kind, test) in ELSEWHERE {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(test);
        let text = fs::read_to_string(&path).expect("the test is there");
        assert!(text.contains(&format!("run_folder(\"{kind}\", ")), "{test} does not run {kind}");
        assert!(files().keys().any(|path| path.starts_with(&format!("{kind}/"))), "there is no {kind}");
    }
}

#[test]
fn the_page_that_explains_them_names_every_field_every_step_and_every_outcome() {
    let text = fs::read_to_string(fields::folder().join("README.md")).expect("the page is there");
    assert_eq!(readme::Page::new(&text).missing(&files()), BTreeSet::new());
    // And it is noticed if one is not named.
    let less = text.replace("`count-in`", "").replace("| `left BLOB` |", "| |").replace("`key twice`", "");
    let missing = ["directory: key twice", "mix: count-in", "queue: left"].map(String::from);
    assert_eq!(readme::Page::new(&less).missing(&files()), missing.into());
}

#[test]
fn bytes_that_are_shared_stand_in_some_vector() {
    let files = files();
    for path in files.keys().filter(|path| path.starts_with("shared/")) {
        assert!(files.values().any(|text| text.contains(&format!("@{path}"))), "nobody refers to {path}");
    }
}

#[test]
fn all_of_them_together_stay_under_three_mebibytes() {
    let files = files();
    assert!(files.values().map(String::len).sum::<usize>() < 3 * 1024 * 1024);
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
