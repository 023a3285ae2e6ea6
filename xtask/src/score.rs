//! `cargo xtask score`: how well the news engine does on annotated data, by the example `score` of `news` in release mode.

use std::path::absolute;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::process;

/// Builds and runs it. Words are the program's own; a path is made to mean the same from the workspace's folder.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let mut command = process::cargo();
    command.args(["run", "--quiet", "--release", "--package", "news", "--example", "score", "--"]);
    let mut words = words.iter();
    if let Some(task) = words.next() {
        command.arg(task);
    }
    while let Some(word) = words.next() {
        match *word {
            "--json" => {
                command.arg(word).arg(absolute(words.next().context("--json wants a file's name")?)?);
            }
            option if option.starts_with('-') => {
                command.arg(option);
            }
            folder => {
                command.arg(absolute(folder)?);
            }
        }
    }
    Ok(if process::passes(&mut command)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
