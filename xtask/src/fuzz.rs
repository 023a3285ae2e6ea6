//! `cargo xtask fuzz`: builds the targets of `fuzz/` for libFuzzer with the stable compiler, runs each for some minutes, and says
//! what was found.

mod corpus;
mod seeds;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;

use anyhow::{Context as _, Result, bail, ensure};

use crate::process;

/// What `cargo fuzz --sanitizer none` hands the compiler too: counters at every edge, a table of where they are, and what is
/// compared, so that libFuzzer can guess it. Our code has no `unsafe`, and a sanitizer would need a nightly compiler.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Builds, runs and reports. Exit code 1 if something was found.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let asked = Asked::read(words, &all()?)?;
    let places = Places::new();
    let programs = build(&asked.targets)?;
    let queue = Mutex::new(asked.targets.iter());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..asked.jobs {
            scope.spawn(|| {
                loop {
                    let Some(target) = queue.lock().ok().and_then(|mut queue| queue.next()) else { return };
                    let ran = one(&programs, &places, target, &asked);
                    if let Ok(mut done) = done.lock() {
                        done.push((target.clone(), ran));
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default();
    println!("\n{:<14}{:>14}{:>10}{:>10}", "target", "executions", "edges", "findings");
    let mut found = false;
    for (target, ran) in done {
        let ran = ran.with_context(|| format!("{target} did not run"))?;
        println!("{target:<14}{:>14}{:>10}{:>10}", ran.executions, ran.edges, ran.crashes.len());
        for crash in &ran.crashes {
            println!(
                "  {}\n  again: {} {}",
                crash.display(),
                programs.join(&target).display(),
                crash.display()
            );
        }
        found |= !ran.crashes.is_empty();
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Every target, by its file.
fn all() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(process::root().join("fuzz/targets")).context("fuzz/targets is not there")? {
        let file = file?.path();
        names.extend(file.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    names.sort();
    Ok(names)
}

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    targets: Vec<String>,
    minutes: u64,
    jobs: usize,
    minimise: bool,
}

impl Asked {
    fn read(words: &[&str], all: &[String]) -> Result<Self> {
        let mut asked = Self { targets: Vec::new(), minutes: 1, jobs: 1, minimise: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--minutes" => {
                    asked.minutes = words.next().context("--minutes needs a number")?.parse()?;
                }
                "--jobs" => asked.jobs = words.next().context("--jobs needs a number")?.parse()?,
                "--minimise" => asked.minimise = true,
                name if all.iter().any(|target| target == name) => asked.targets.push(name.to_owned()),
                other => bail!("there is no target `{other}`: name some of {}", all.join(", ")),
            }
        }
        ensure!((1..=64).contains(&asked.jobs), "--jobs takes 1 to 64");
        // To libFuzzer no time is time without end.
        ensure!(asked.minutes > 0, "--minutes takes 1 or more");
        if asked.targets.is_empty() {
            asked.targets = all.to_vec();
        }
        Ok(asked)
    }
}

struct Places {
    /// What is kept, one file for each target.
    kept: PathBuf,
    /// What a run finds, one folder for each target.
    scratch: PathBuf,
    crashes: PathBuf,
}

impl Places {
    fn new() -> Self {
        let root = process::root();
        Self {
            kept: root.join("fuzz/corpus"),
            scratch: root.join("target/fuzz/corpus"),
            crashes: root.join("fuzz/crashes"),
        }
    }
}

/// Builds the programs, and gives the folder where they lie. The folder of what is built is their own: with these flags nothing
/// of an ordinary build can be used.
fn build(targets: &[String]) -> Result<PathBuf> {
    let told = process::output(Command::new("rustc").arg("-vV")).context("rustc does not say its host")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let folder = process::root().join("target/fuzz");
    let mut cargo = process::cargo();
    // `--target` keeps the flags from build scripts and macros, which run here and now.
    cargo.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host]);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    ensure!(
        process::passes(cargo.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder))?,
        "the targets do not build"
    );
    Ok(folder.join(host).join("release"))
}

/// What a run amounts to.
struct Ran {
    executions: u64,
    edges: u64,
    crashes: Vec<PathBuf>,
}

fn one(programs: &Path, places: &Places, target: &str, asked: &Asked) -> Result<Ran> {
    let (program, scratch) = (programs.join(target), places.scratch.join(target));
    fs::create_dir_all(&scratch)?;
    fs::create_dir_all(&places.crashes)?;
    for (n, seed) in corpus::read(&places.kept, target)?.into_iter().chain(seeds::of(target)?).enumerate() {
        fs::write(scratch.join(format!("seed-{n:04}")), seed)?;
    }
    let before = crashes(&places.crashes, target)?;
    println!("{target}: {} minutes", asked.minutes);
    let mut fuzzer = Command::new(&program);
    fuzzer
        .arg(&scratch)
        .args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-use_value_profile=1"])
        .arg(format!("-max_len={}", max_len(target)))
        .arg(format!("-max_total_time={}", asked.minutes * 60))
        .arg(format!("-artifact_prefix={}/{target}-", places.crashes.display()));
    let told = fuzzer
        .stdout(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    let (executions, edges) = figures(&told);
    let mut crashes = crashes(&places.crashes, target)?;
    crashes.retain(|crash| !before.contains(crash));
    if !crashes.is_empty() {
        let tail: Vec<_> =
            told.lines().filter(|line| line.contains("panicked") || line.contains("ERROR")).collect();
        println!("{target}: {}", tail.join("\n  "));
    }
    if asked.minimise && crashes.is_empty() {
        let smaller = places.scratch.join(format!("{target}.smaller"));
        corpus::minimise(&program, &scratch, &smaller, &places.kept, target)?;
    }
    Ok(Ran { executions, edges, crashes })
}

/// The longest input of a target, in bytes, as the table in `crates/fuzz` has it.
fn max_len(target: &str) -> usize {
    let table = include_str!("../../crates/fuzz/src/lib.rs");
    let row = table.split_once(&format!("target(\"{target}\", ")).and_then(|(_, row)| row.split_once(','));
    row.and_then(|(number, _)| number.replace('_', "").parse().ok()).unwrap_or(4_096)
}

fn crashes(folder: &Path, target: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A slow input is no finding.
        if ["crash", "timeout", "oom", "leak"]
            .iter()
            .any(|kind| name.starts_with(&format!("{target}-{kind}-")))
        {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

/// Executions and edges, as libFuzzer tells them at its end.
fn figures(told: &str) -> (u64, u64) {
    let number = |text: &str| text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0);
    let executions = told.rsplit_once("stat::number_of_executed_units:").map_or(0, |(_, rest)| number(rest));
    let edges = told.rsplit_once(" cov: ").map_or(0, |(_, rest)| number(rest));
    (executions, edges)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_a_wrong_word_is_refused() {
        let all = ["heads".to_owned(), "layers".to_owned()];
        let asked = Asked::read(&["heads", "--minutes", "3", "--jobs", "2", "--minimise"], &all).unwrap();
        assert_eq!(asked, Asked { targets: vec!["heads".into()], minutes: 3, jobs: 2, minimise: true });
        assert_eq!(Asked::read(&[], &all).unwrap().targets, all);
        for bad in [&["head"][..], &["--minutes"], &["--jobs", "0"], &["--minutes", "0"]] {
            assert!(Asked::read(bad, &all).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_libfuzzer_tells_at_its_end_is_read() {
        let told = "#2\tINITED cov: 7 ft: 8\n#99\tDONE   cov: 45 ft: 61 corp: 9/1Kb\nstat::number_of_executed_units: 4130\n";
        assert_eq!(figures(told), (4_130, 45));
        assert_eq!(figures(""), (0, 0));
    }

    #[test]
    fn every_target_has_a_row_a_program_and_a_corpus() {
        let manifest = fs::read_to_string(process::root().join("fuzz/Cargo.toml")).unwrap();
        let table = include_str!("../../crates/fuzz/src/lib.rs");
        let all = all().unwrap();
        assert!(all.len() > 20);
        for target in all {
            assert!(table.contains(&format!("target(\"{target}\", ")), "{target} is not in the table");
            assert!(manifest.contains(&format!("path = \"targets/{target}.rs\"")), "{target} is not built");
            assert!(
                !corpus::read(&Places::new().kept, &target).unwrap().is_empty(),
                "{target} has no corpus"
            );
        }
    }
}
