//! What things cost, measured in release mode on this machine. `cargo xtask bench [--json FILE] [--only WORD]`.
//!
//! A program and not a bench target: those are built with the dependencies for tests, among them a key derivation that
//! costs nothing.
//!
//! Each row is several runs of real code on real bytes; nothing is taken out of the measured part but what the row's
//! comment says. Between the rows one X25519 exchange is measured again and again: the yardstick. A ratio to it says
//! more about the code, and less about the machine and what else ran on it.

mod board;
mod edge;
mod edition;
mod envelope;
mod mailbox;
mod mix;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::board::Board;

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    if cfg!(debug_assertions) {
        bail!("measure in release mode: cargo xtask bench");
    }
    let mut board = Board::new(options.only);
    envelope::measure(&mut board);
    edition::measure(&mut board)?;
    mailbox::measure(&mut board)?;
    edge::measure(&mut board)?;
    mix::measure(&mut board)?;
    let rows = board.rows();
    println!("\n{rows}");
    if let Some(path) = options.json {
        std::fs::write(&path, rows.to_json())
            .with_context(|| format!("could not write {}", path.display()))?;
    }
    Ok(())
}

/// A folder beside this program, which goes when dropped: on the disk the build is on, since a system's folder for
/// temporary files may lie in memory.
fn folder() -> Result<TempDir> {
    let program = std::env::current_exe()?;
    Ok(tempfile::tempdir_in(program.parent().context("a program lies in a folder")?)?)
}

#[derive(Default)]
struct Options {
    /// Where to write the rows.
    json: Option<PathBuf>,
    /// Measure only rows whose name contains this.
    only: Option<String>,
}

impl Options {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word} wants a value"));
            match word.as_str() {
                "--json" => options.json = Some(value()?.into()),
                "--only" => options.only = Some(value()?),
                _ => bail!("there is no option {word}: --json FILE, --only WORD"),
            }
        }
        Ok(options)
    }
}
