//! The table of runs in `docs/fuzzing.md`. Written by `--record` and by nobody else.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::process;

/// What all runs of one target amount to, as its row in the table has it.
#[derive(Debug, PartialEq)]
struct Row {
    target: String,
    /// When it ran last, and the commit it was made of.
    on: String,
    /// Of processor time.
    minutes: f64,
    executions: u64,
    edges: u64,
    found: usize,
}

impl Row {
    fn read(line: &str) -> Option<Self> {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", target, on, minutes, executions, edges, found, ""] = cells[..] else { return None };
        let number = |text: &str| text.replace(',', "").parse::<u64>().ok();
        Some(Self {
            target: target.strip_prefix('`')?.strip_suffix('`')?.to_owned(),
            on: on.to_owned(),
            minutes: minutes.parse().ok()?,
            executions: number(executions)?,
            edges: number(edges)?,
            found: found.parse().ok()?,
        })
    }

    fn line(&self) -> String {
        let Self { target, on, minutes, executions, edges, found } = self;
        let (executions, edges) = (grouped(*executions), grouped(*edges));
        format!("| `{target}` | {on} | {minutes:.1} | {executions} | {edges} | {found} |")
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Where runs are noted.
pub(super) struct Record {
    file: PathBuf,
    on: String,
}

impl Record {
    pub(super) fn open() -> Result<Self> {
        let root = process::root();
        let mut git = Command::new("git");
        git.current_dir(root).args(["log", "-1", "--format=%cs %h"]);
        let on = process::output(&mut git).context("git does not say what the last commit is")?;
        let mut git = Command::new("git");
        git.current_dir(root).args(["status", "--porcelain", "--", ".", ":!docs/fuzzing.md"]);
        let changed = process::output(&mut git).context("git does not say what is changed")?;
        // Else the row would name a commit whose code is not what ran.
        ensure!(
            changed.trim().is_empty(),
            "a run is recorded of a commit: commit first, or leave --record away"
        );
        Ok(Self { file: root.join("docs/fuzzing.md"), on: on.trim().to_owned() })
    }

    /// Adds what a run did to its target's row, which begins at nothing if something was found. At once: a night of runs may be
    /// stopped.
    pub(super) fn note(&self, target: &str, ran: &super::Ran) -> Result<()> {
        let page = fs::read_to_string(&self.file)?;
        let mut noted = false;
        let mut lines = Vec::new();
        for line in page.lines() {
            match Row::read(line).filter(|row| row.target == target) {
                Some(row) => {
                    noted = true;
                    let clean = ran.crashes.is_empty();
                    let sum = Row {
                        on: self.on.clone(),
                        minutes: if clean { row.minutes + ran.minutes } else { 0.0 },
                        executions: if clean { row.executions + ran.executions } else { 0 },
                        // Of all runs the most: each begins with what those before it reached.
                        edges: row.edges.max(ran.edges),
                        found: row.found + ran.crashes.len(),
                        target: row.target,
                    };
                    lines.push(sum.line());
                }
                None => lines.push(line.to_owned()),
            }
        }
        ensure!(noted, "`{target}` has no row in {}", self.file.display());
        Ok(fs::write(&self.file, lines.join("\n") + "\n")?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Ran;
    use super::*;

    #[test]
    fn runs_are_added_up_in_their_row_and_nothing_else_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("page.md");
        let page = "# Page\n\n| target | on | minutes | executions | edges | found |\n| --- | --- | --- | --- | --- | --- |\n\
                    | `heads` | 2030-01-01 0000000 | 1.5 | 1,500 | 12 | 1 |\n| `logs` | - | 0.0 | 0 | 0 | 0 |\n\nText | with a bar.\n";
        fs::write(&file, page).unwrap();
        let record = Record { file: file.clone(), on: "2030-01-02 abcdef0".into() };
        let ran = Ran { minutes: 2.25, executions: 1_000_000, edges: 10, crashes: vec![] };
        record.note("heads", &ran).unwrap();
        let row = "| `heads` | 2030-01-02 abcdef0 | 3.8 | 1,001,500 | 12 | 1 |";
        let before = "| `heads` | 2030-01-01 0000000 | 1.5 | 1,500 | 12 | 1 |";
        assert_eq!(fs::read_to_string(&file).unwrap(), page.replace(before, row));
        let ran = Ran { edges: 13, crashes: vec!["heads-crash-1".into()], ..ran };
        record.note("heads", &ran).unwrap();
        let row = "| `heads` | 2030-01-02 abcdef0 | 0.0 | 0 | 13 | 2 |";
        assert_eq!(fs::read_to_string(&file).unwrap(), page.replace(before, row), "it begins again");
        assert!(record.note("nobody", &ran).is_err());
    }

    #[test]
    fn every_target_has_a_row() {
        let page = fs::read_to_string(process::root().join("docs/fuzzing.md")).unwrap();
        let rows: Vec<_> = page.lines().filter_map(Row::read).map(|row| row.target).collect();
        let mut all = super::super::all();
        all.retain(|target| !rows.contains(target));
        assert!(all.is_empty(), "no row for {all:?}");
    }
}
