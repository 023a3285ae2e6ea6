//! How well the engine does on data that people annotated.
//!
//! `cargo xtask score TASK DIR` runs it in release mode. What each task reads and counts stands in `docs/press.md`; the data itself is
//! never part of the project.

#[path = "../../tests/bcubed/mod.rs"]
mod bcubed;
mod dates;
mod extraction;
mod quotes;
mod report;
mod stories;
mod timelines;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;

const HELP: &str = "\
score dates DIR       time expressions, their spans and values (TimeML)
score extraction DIR  the text of articles, told from the pages around them (article-extraction-benchmark)
score quotes DIR      words and speakers of attributions with marks (PolNeAR)
score stories DIR     BCubed of the stories that articles are put into (ECB+)
score timelines DIR   the order of what happened to one entity (SemEval-2015 Task 4, track B)

--explain            what was wrong, item by item
--json FILE          {task, documents, metrics: {name: value}} of all the data

The folders are those of research data; each task says what it misses.";

/// What was typed.
pub(crate) struct Asked {
    pub(crate) folder: PathBuf,
    pub(crate) explain: bool,
}

type Task = fn(&Asked) -> Result<Report, String>;

const TASKS: &[(&str, Task)] = &[
    ("dates", dates::score),
    ("extraction", extraction::score),
    ("quotes", quotes::score),
    ("stories", stories::score),
    ("timelines", timelines::score),
];

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("score: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[String]) -> Result<(), String> {
    let mut names = Vec::new();
    let (mut explain, mut json) = (false, None);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--explain" => explain = true,
            "--json" => json = Some(words.next().ok_or("--json wants a file's name")?),
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(());
            }
            option if option.starts_with('-') => {
                return Err(format!("there is no option `{option}`\n\n{HELP}"));
            }
            name => names.push(name),
        }
    }
    let [task, folder] = names[..] else { return Err(format!("a task and a folder are wanted\n\n{HELP}")) };
    let Some((_, score)) = TASKS.iter().find(|(name, _)| *name == task) else {
        return Err(format!("there is no task `{task}`\n\n{HELP}"));
    };
    let report = score(&Asked { folder: folder.into(), explain })?;
    println!("{report}");
    match json {
        Some(file) => write(Path::new(file), report.json(task).as_bytes()),
        None => Ok(()),
    }
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    std::fs::write(file, bytes).map_err(|error| format!("{} cannot be written: {error}", file.display()))
}

/// A file of the data, as text.
pub(crate) fn text_of(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))
}
