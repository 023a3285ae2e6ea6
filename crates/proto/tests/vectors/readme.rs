//! What `vectors/README.md` says of each folder, compared with what stands in the vectors: whoever writes a program to run
//! them has nothing else.

use std::collections::{BTreeMap, BTreeSet};

/// The fields that every vector may have.
const EVERYWHERE: [&str; 3] = ["expect", "check", "note"];

/// What the page says, folder by folder: everything between backticks in the rows and in the section of that folder.
pub(crate) struct Page(String);

impl Page {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The spans of a folder. A section begins with its name in bold and ends where the next begins.
    fn spans(&self, folder: &str) -> Vec<&str> {
        let quoted = format!("`{folder}`");
        let mut section = "";
        let about = self.0.lines().filter(|line| {
            if line.starts_with("**`") || line.starts_with("## ") {
                section = line;
            }
            let row = line.strip_prefix("| ").and_then(|row| row.split(" | ").next());
            row.is_some_and(|first| first.split(", ").any(|name| name == quoted))
                || section.starts_with(&format!("**{quoted}"))
                || section.starts_with(&format!("## A {folder} file"))
        });
        about.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
    }

    /// Fields, steps and outcomes of the vectors that the page does not name.
    pub(crate) fn missing(&self, files: &BTreeMap<String, String>) -> BTreeSet<String> {
        let mut missing = BTreeSet::new();
        for (path, text) in files {
            let Some((folder, _)) = path.split_once('/').filter(|(folder, _)| *folder != "shared") else {
                continue;
            };
            let spans = self.spans(folder);
            for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
                let (what, known) = match name {
                    "expect" => (value.trim(), is_outcome(&spans, value.trim())),
                    "step" => {
                        let first = value.trim().split(' ').next().unwrap_or_default();
                        (first, spans.iter().any(|span| begins(span, first)))
                    }
                    _ => (name, EVERYWHERE.contains(&name) || spans.iter().any(|span| is_field(span, name))),
                };
                if !known {
                    missing.insert(format!("{folder}: {what}"));
                }
            }
        }
        missing
    }
}

/// `box-NAME` stands for all fields that begin so.
fn is_field(span: &str, name: &str) -> bool {
    span == name || span.strip_suffix("NAME").is_some_and(|begin| name.starts_with(begin))
}

/// A word in capitals stands for any.
fn alike(span: &str, word: &str) -> bool {
    span == word || (!span.is_empty() && span.chars().all(|c| c.is_ascii_uppercase()))
}

fn begins(span: &str, first: &str) -> bool {
    span.split_once(' ').map_or(span, |(word, _)| word) == first
        || (span.starts_with("ROUND ") && first.parse::<u32>().is_ok())
}

/// An outcome is a success, a number, or pieces that stand on the page.
fn is_outcome(spans: &[&str], outcome: &str) -> bool {
    let stands = |piece: &str| {
        let same = |span: &str| {
            let (span, piece): (Vec<_>, Vec<_>) = (span.split(' ').collect(), piece.split(' ').collect());
            span.len() == piece.len() && span.iter().zip(&piece).all(|(span, word)| alike(span, word))
        };
        spans.iter().flat_map(|span| span.split(", ")).any(same)
    };
    outcome == "success" || outcome.parse::<u32>().is_ok() || outcome.split(", ").all(stands)
}
