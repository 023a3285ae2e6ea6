//! `cargo xtask fuzz`: builds the targets of `fuzz/` for libFuzzer with the stable compiler, runs each for some minutes, and says
//! what was found.

mod corpus;
mod record;
mod seeds;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use record::Record;

use crate::process::{self, Stopwatch};

/// What `cargo fuzz --sanitizer none` hands the compiler too: counters at every edge, a table of where they are, and what is
/// compared, so that libFuzzer can guess it. Our code has no `unsafe`, and a sanitizer would need a nightly compiler.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// The list of targets.
const TABLE: &str = include_str!("../../crates/fuzz/src/lib.rs");

/// What tells the program which target it is.
const TARGET: &str = "FUZZ_TARGET";

/// Builds, runs and reports. Exit code 1 if something was found.
pub(crate) fn run(words: &[&str]) -> Result<ExitCode> {
    let asked = Asked::read(words, &all())?;
    let places = Places::new();
    let program = build()?;
    let record = asked.record.then(Record::open).transpose()?;
    let queue = Mutex::new(asked.targets.iter());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..asked.jobs {
            scope.spawn(|| {
                loop {
                    let Some(target) = queue.lock().ok().and_then(|mut queue| queue.next()) else { return };
                    let ran = one(&program, &places, target, &asked);
                    if let Ok(mut done) = done.lock() {
                        // While nobody else does: they are all of one page.
                        let noted = ran.and_then(|ran| {
                            record.iter().try_for_each(|record| record.note(target, &ran))?;
                            Ok(ran)
                        });
                        done.push((target.clone(), noted));
                    }
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_default();
    println!("\n{:<14}{:>10}{:>14}{:>10}{:>10}", "target", "minutes", "executions", "edges", "findings");
    let mut found = false;
    for (target, ran) in done {
        let ran = ran.with_context(|| format!("{target} did not run"))?;
        let Ran { minutes, executions, edges, crashes } = ran;
        println!("{target:<14}{minutes:>10.1}{executions:>14}{edges:>10}{:>10}", crashes.len());
        for crash in &crashes {
            let crash = crash.display();
            println!("  {crash}\n  again: {TARGET}={target} {} {crash}", program.display());
        }
        found |= !crashes.is_empty();
    }
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Every target, as the table in `crates/fuzz` has them.
fn all() -> Vec<String> {
    let rows = TABLE.split("target(\"").skip(1);
    rows.filter_map(|row| Some(row.split_once("\", ")?.0.to_owned())).collect()
}

/// What was typed.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    targets: Vec<String>,
    minutes: u64,
    jobs: usize,
    minimise: bool,
    record: bool,
}

impl Asked {
    fn read(words: &[&str], all: &[String]) -> Result<Self> {
        let mut asked = Self { targets: Vec::new(), minutes: 1, jobs: 1, minimise: false, record: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--minutes" => {
                    asked.minutes = words.next().context("--minutes needs a number")?.parse()?;
                }
                "--jobs" => asked.jobs = words.next().context("--jobs needs a number")?.parse()?,
                "--minimise" => asked.minimise = true,
                "--record" => asked.record = true,
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

/// Builds the program, and says where it lies. The folder of what is built is its own: with these flags nothing of an ordinary
/// build can be used.
fn build() -> Result<PathBuf> {
    let told = process::output(Command::new("rustc").arg("-vV")).context("rustc does not say its host")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let folder = process::root().join("target/fuzz");
    let mut cargo = process::cargo();
    // `--target` keeps the flags from build scripts and macros, which run here and now.
    cargo.args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host]);
    ensure!(
        process::passes(cargo.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder))?,
        "the targets do not build"
    );
    Ok(folder.join(host).join("release/targets").with_extension(std::env::consts::EXE_EXTENSION))
}

/// What a run amounts to.
struct Ran {
    /// Of processor time: beside other work a run gets less than the clock says.
    minutes: f64,
    executions: u64,
    edges: u64,
    crashes: Vec<PathBuf>,
}

fn one(program: &Path, places: &Places, target: &str, asked: &Asked) -> Result<Ran> {
    let scratch = places.scratch.join(target);
    fs::create_dir_all(&scratch)?;
    fs::create_dir_all(&places.crashes)?;
    for (n, seed) in corpus::read(&places.kept, target)?.into_iter().chain(seeds::of(target)?).enumerate() {
        fs::write(scratch.join(format!("seed-{n:04}")), seed)?;
    }
    let before = crashes(&places.crashes, target)?;
    println!("{target}: {} minutes", asked.minutes);
    let mut fuzzer = Command::new(program);
    fuzzer
        .env(TARGET, target)
        .arg(&scratch)
        .args(["-timeout=60", "-rss_limit_mb=1024", "-print_final_stats=1", "-use_value_profile=1"])
        .arg(format!("-max_len={}", max_len(target)))
        .arg(format!("-max_total_time={}", asked.minutes * 60))
        .arg(format!("-artifact_prefix={}/{target}-", places.crashes.display()));
    let said = places.scratch.join(format!("{target}.said"));
    fuzzer.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&said)?);
    let fuzzer = fuzzer.spawn().with_context(|| format!("{} does not start", program.display()))?;
    let minutes = until_its_end(fuzzer)?.as_secs_f64() / 60.0;
    let told = String::from_utf8_lossy(&fs::read(&said)?).into_owned();
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
        corpus::minimise(program, &scratch, &smaller, &places.kept, target)?;
    }
    Ok(Ran { minutes, executions, edges, crashes })
}

/// The processor time that a program took until it ended, to the second; where the system does not tell, what the clock says.
fn until_its_end(mut program: Child) -> Result<Duration> {
    let watch = Stopwatch::start();
    let mut took = None;
    while program.try_wait()?.is_none() {
        took = processor_time(program.id()).or(took);
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(took.unwrap_or_else(|| watch.elapsed()))
}

/// What `/proc` says of a process: only the second of its fields, the name, has blanks in it; the third is the state, and 14 and 15
/// are user and system time in hundredths of a second. A process that has ended and was not asked for yet has none.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let hundredths = |n: usize| fields.get(n).and_then(|field| field.parse::<u64>().ok());
    (*fields.first()? != "Z").then_some(Duration::from_millis(10 * (hundredths(11)? + hundredths(12)?)))
}

/// The longest input of a target, in bytes, as the table in `crates/fuzz` has it.
fn max_len(target: &str) -> usize {
    let row = TABLE.split_once(&format!("target(\"{target}\", ")).and_then(|(_, row)| row.split_once(','));
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
        let asked =
            Asked::read(&["heads", "--minutes", "3", "--jobs", "2", "--minimise", "--record"], &all).unwrap();
        let targets = vec!["heads".into()];
        assert_eq!(asked, Asked { targets, minutes: 3, jobs: 2, minimise: true, record: true });
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
    fn every_target_has_a_corpus_and_a_length() {
        let all = all();
        assert!(all.len() > 20 && all.contains(&"desk".to_owned()), "{all:?}");
        for target in all {
            assert!((64..=16_384).contains(&max_len(&target)), "{target}");
            let kept = corpus::read(&Places::new().kept, &target).unwrap();
            assert!(!kept.is_empty(), "{target} has no corpus");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn processor_time_is_not_what_the_clock_says() {
        let sleeping = Command::new("sleep").arg("1").spawn().unwrap();
        assert!(until_its_end(sleeping).unwrap() < Duration::from_millis(500));
        let mut busy = Command::new("sh");
        busy.args(["-c", "n=0; while [ $n -lt 2000000 ]; do n=$((n+1)); done"]);
        assert!(until_its_end(busy.spawn().unwrap()).unwrap() > Duration::from_millis(100));
    }
}
