//! `docs/mutants.md`: which mutants were killed, and on which commit. Written by `--record` and by nobody else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::git;
use super::list::{List, Mutant};

pub(super) const FILE: &str = "docs/mutants.md";

const HEAD: &str = "\
# Recorded mutants

Each line is a defence, taken away by one change of the source, and the tests that failed then. Which change is in
`tests/mutants.toml`. This page is written by `cargo xtask mutants --record`; do not edit it.

| promise | check | what is true while nobody takes it away | tests that fail without it | killed on |
| --- | --- | --- | --- | --- |
";

const NEVER: &str = "not yet";

/// The page as it grows.
pub(super) struct Record<'a> {
    file: PathBuf,
    list: &'a List,
    /// When each was killed last, by its defence.
    killed: BTreeMap<String, String>,
    /// The commit that mutants are made of now.
    commit: String,
}

impl<'a> Record<'a> {
    pub(super) fn open(root: &Path, list: &'a List) -> Result<Self> {
        let file = root.join(FILE);
        let killed = std::fs::read_to_string(&file).map(|page| killed(&page)).unwrap_or_default();
        let commit = git(root, &["log", "-1", "--format=%cs %h"])?.trim().to_owned();
        Ok(Self { file, list, killed, commit })
    }

    /// Whether it was killed once.
    pub(super) fn knows(&self, mutant: &Mutant) -> bool {
        self.killed.contains_key(&mutant.defence)
    }

    /// Notes that a mutant was killed.
    pub(super) fn note(&mut self, mutant: &Mutant) -> Result<()> {
        self.killed.insert(mutant.defence.clone(), self.commit.clone());
        std::fs::write(&self.file, page(self.list, &self.killed))
            .with_context(|| format!("could not write {FILE}"))
    }
}

/// A sentence if the page is not the list's: a mutant that came or changed has to be run.
pub(super) fn fault(root: &Path, list: &List) -> Result<Option<String>> {
    let file = root.join(FILE);
    if !file.exists() {
        return Ok(None);
    }
    let there = std::fs::read_to_string(&file)?;
    let differs = page(list, &killed(&there)) != there;
    Ok(differs.then(|| format!("{FILE}: it is not the list's; run those that changed with --record")))
}

fn page(list: &List, killed: &BTreeMap<String, String>) -> String {
    let row = |mutant: &Mutant| {
        let Mutant { promise, check, defence, tests, .. } = mutant;
        let tests: Vec<_> = tests.iter().map(|test| format!("`{test}`")).collect();
        let on = killed.get(defence).map_or(NEVER, String::as_str);
        let check = check.as_deref().unwrap_or("-");
        format!("| {} | {check} | {defence} | {} | {on} |\n", promise.join(", "), tests.join(", "))
    };
    HEAD.to_owned() + &list.mutants.iter().map(row).collect::<String>()
}

fn killed(page: &str) -> BTreeMap<String, String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        match cells[..] {
            ["", _, _, defence, _, on, ""] if on != NEVER => Some((defence.to_owned(), on.to_owned())),
            _ => None,
        }
    };
    page.lines().filter_map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_what_was_recorded_before() {
        let list: List = toml::from_str(
            "[[mutant]]\npromise = ['P1', 'P2']\ndefence = 'One.'\nfile = 'a'\nfind = 'b'\nreplace = 'c'\ntests = ['one']\n\
             [[mutant]]\npromise = ['P1']\ncheck = 'ABC-01'\ndefence = 'Two.'\nfile = 'a'\nfind = 'b'\nreplace = 'c'\ntests = ['one', 'two']\n",
        )
        .unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("docs")).unwrap();
        let mut record = Record {
            file: root.path().join(FILE),
            list: &list,
            killed: BTreeMap::new(),
            commit: "2030-01-02 abcdef0".into(),
        };
        assert_eq!(fault(root.path(), &list).unwrap(), None, "there is no page yet");
        record.note(&list.mutants[1]).unwrap();
        assert_eq!(list.mutants.iter().map(|m| record.knows(m)).collect::<Vec<_>>(), [false, true]);
        let written = std::fs::read_to_string(&record.file).unwrap();
        let rows = "| P1, P2 | - | One. | `one` | not yet |\n\
                    | P1 | ABC-01 | Two. | `one`, `two` | 2030-01-02 abcdef0 |\n";
        assert!(written.ends_with(rows), "{written}");
        assert_eq!(page(&list, &killed(&written)), written);
        assert_eq!(fault(root.path(), &list).unwrap(), None);
        std::fs::write(&record.file, written.replace("Two.", "Three.")).unwrap();
        assert!(fault(root.path(), &list).unwrap().is_some());
    }
}
