//! `cargo xtask bench`: what things cost, measured by `lab`'s program `performance` in release mode.

use std::path::absolute;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use crate::process;

/// Builds and runs it. Options are the program's own; a file's path is made to mean the same from the workspace's folder.
pub(crate) fn run(options: &[&str]) -> Result<ExitCode> {
    let mut command = process::cargo();
    command.args(["run", "--release", "--package", "lab", "--bin", "performance", "--"]);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        command.arg(option);
        if *option == "--json" {
            command.arg(absolute(options.next().context("--json wants a file's name")?)?);
        }
    }
    Ok(if process::passes(&mut command)? { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
