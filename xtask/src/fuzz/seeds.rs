//! What a target begins with beside its corpus: fields of the test vectors, and samples of coverage, each behind the choices by
//! which the target takes it as it is.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::corpus;
use crate::process;

/// Target, folder of `vectors/`, field, and what stands before it in the input.
const VECTORS: &[(&str, &str, &str, &[u8])] = &[
    ("heads", "edition", "head", &[0]),
    ("records", "edition", "head", &[20]),
    ("records", "directory", "directory", &[7]),
    ("records", "log", "frontier", &[15]),
    ("directories", "directory", "directory", &[0]),
    ("notes", "log", "checkpoint", &[0]),
    ("trees", "log", "frontier", &[0]),
    ("messages", "conversation", "plain", &[0, 2]),
    ("messages", "document", "plain", &[0, 3]),
    ("bundles", "edition", "front", &[0]),
    ("requests", "request", "header", &[0]),
    ("handed", "handed", "handed", &[0, 0, 0]),
    ("passphrases", "mailbox", "typed", &[]),
];

/// Target, how names of samples end, and what stands before one in the input.
const SAMPLES: &[(&str, &str, &[u8])] =
    &[("pages", ".html", &[]), ("articles", ".txt", &[0, 0, 0]), ("sidecars", ".toml", &[0])];

/// Longer ones only slow a fuzzer down.
const LONGEST: usize = 16 * 1024;

pub(super) fn of(target: &str) -> Result<Vec<Vec<u8>>> {
    let mut seeds = Vec::new();
    for (_, folder, field, before) in VECTORS.iter().filter(|(of, ..)| *of == target) {
        for text in texts(&process::root().join("vectors").join(folder), ".txt")? {
            let values = text.lines().filter_map(|line| line.strip_prefix(&format!("{field}: ")));
            seeds.extend(values.map(|value| [before, value_of(value).as_slice()].concat()));
        }
    }
    for (_, ending, before) in SAMPLES.iter().filter(|(of, ..)| *of == target) {
        let texts = texts(&process::root().join("samples"), ending)?;
        seeds.extend(texts.iter().take(24).map(|text| [before, text.as_bytes()].concat()));
    }
    seeds.retain(|seed| seed.len() <= LONGEST);
    seeds.sort();
    seeds.dedup();
    Ok(seeds)
}

fn texts(folder: &Path, ending: &str) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for file in fs::read_dir(folder)? {
        files.push(file?.path());
    }
    files.retain(|file| file.to_string_lossy().ends_with(ending));
    files.sort();
    files.iter().map(|file| Ok(fs::read_to_string(file)?)).collect()
}

/// Bytes in hexadecimal, with what other files hold between them; anything else is itself.
fn value_of(value: &str) -> Vec<u8> {
    let piece = |piece: &str| match piece.strip_prefix('@') {
        Some(file) => {
            let text = fs::read_to_string(process::root().join("vectors").join(file)).ok()?;
            corpus::bytes(&text.split_whitespace().collect::<String>())
        }
        None => corpus::bytes(piece),
    };
    let bytes = value.split_whitespace().map(piece).collect::<Option<Vec<_>>>();
    bytes.map_or_else(|| value.as_bytes().to_vec(), |pieces| pieces.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_finds_something() {
        for (target, ..) in VECTORS {
            assert!(!of(target).unwrap().is_empty(), "{target}");
        }
        for (target, ..) in SAMPLES {
            assert!(!of(target).unwrap().is_empty(), "{target}");
        }
        assert_eq!(value_of("00 ff"), [0, 0xff]);
        assert_eq!(value_of("abc. 12"), b"abc. 12");
    }
}
