//! `cargo xtask mutants`: takes the defences of the threat model away, one after the other, and shows that the tests which
//! it names then fail. The list is `tests/mutants.toml`; everything happens on a copy of HEAD.

mod list;
mod record;

use std::collections::BTreeMap;
use std::env::consts::EXE_SUFFIX;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use list::{Change, Home, List, Mutant};
use record::Record;

use crate::house;
use crate::process::{self, Stopwatch};
use crate::runner;
use crate::test::Settings;

pub(crate) use list::faults;

/// Runs the mutants that all of these words fit, or all of them. `--new` leaves out those that `docs/mutants.md` says were
/// killed; `--list` only prints them; `--record` notes those that are killed.
pub(crate) fn run(arguments: &[&str]) -> Result<ExitCode> {
    let (options, words): (Vec<&str>, Vec<&str>) =
        arguments.iter().copied().partition(|word| word.starts_with("--"));
    if let Some(other) = options.iter().find(|option| !["--list", "--new", "--record"].contains(option)) {
        bail!("there is no option `{other}`: there are --list, --new and --record");
    }
    let root = process::root();
    let list = List::read(root)?;
    let mut chosen: Vec<&Mutant> = list.mutants.iter().filter(|mutant| mutant.fits(&words)).collect();
    ensure!(!chosen.is_empty(), "no mutant fits {}", words.join(" "));
    if options.contains(&"--new") {
        let record = Record::open(root, &list)?;
        chosen.retain(|mutant| !record.knows(mutant));
        ensure!(!chosen.is_empty(), "each of them was killed already");
    }
    if options.contains(&"--list") {
        print_by_promise(&chosen);
        return Ok(ExitCode::SUCCESS);
    }
    let faults = list.faults(root)?;
    ensure!(faults.is_empty(), "the list is out of date:\n{}", faults.join("\n"));
    let homes = list::homes(root)?;
    chosen.sort_by_key(|mutant| mutant.when(&homes));
    let bench = Bench::prepare(root, homes)?;
    bench.check_whole(&chosen)?;
    let mut record = options.contains(&"--record").then(|| Record::open(root, &list)).transpose()?;
    let mut report = Report::default();
    for (n, mutant) in chosen.iter().enumerate() {
        let watch = Stopwatch::start();
        let outcome = bench.run(mutant)?;
        let row = Row { outcome, time: watch.elapsed(), mutant };
        println!("{:>3} of {} {row}", n + 1, chosen.len());
        if let (Some(record), Outcome::Killed) = (&mut record, &row.outcome) {
            // At once: a run may take an hour, and be stopped.
            record.note(mutant)?;
        }
        report.rows.push(row);
    }
    print!("\n{report}");
    Ok(report.exit_code())
}

fn print_by_promise(mutants: &[&Mutant]) {
    let mut by_promise = BTreeMap::<&str, Vec<&Mutant>>::new();
    for mutant in mutants {
        for promise in &mutant.promise {
            by_promise.entry(promise).or_default().push(mutant);
        }
    }
    for (promise, mutants) in by_promise {
        println!("{promise}");
        for mutant in mutants {
            println!("  {:<8}{}", mutant.check.as_deref().unwrap_or_default(), mutant.defence);
            for test in &mutant.tests {
                println!("          {test}");
            }
        }
    }
}

/// A copy of HEAD, with a folder of its own for what is built. Both stay for the next run.
struct Bench {
    tree: PathBuf,
    target: PathBuf,
    settings: Settings,
    homes: BTreeMap<String, Home>,
}

impl Bench {
    fn prepare(root: &Path, homes: BTreeMap<String, Home>) -> Result<Self> {
        // But for what this command writes itself.
        let others = format!(":(exclude){}", record::FILE);
        let changed = git(root, &["status", "--porcelain", "--untracked-files=no", "--", ".", &others])?;
        ensure!(
            changed.is_empty(),
            "commit first: mutants are made of what is committed, and these are not:\n{changed}"
        );
        let folder = house::metadata(root)?.target_directory.into_std_path_buf().join("mutants");
        let tree = folder.join("tree");
        let path = tree.to_str().context("the target folder's name is not text")?;
        git(root, &["worktree", "prune"])?;
        if tree.is_dir() {
            // Whatever a run that was stopped left changed; only files that differ are written, and so built again.
            git(
                &tree,
                &["checkout", "--quiet", "--force", "--detach", git(root, &["rev-parse", "HEAD"])?.trim()],
            )?;
        } else {
            git(root, &["worktree", "add", "--quiet", "--detach", path, "HEAD"])?;
        }
        let target = folder.join("target");
        let mut settings = Settings::find(&house::metadata(root)?);
        settings.program = target.join(format!("debug/firsthand{EXE_SUFFIX}"));
        Ok(Self { tree, target, settings, homes })
    }

    /// What the mutants' tests say of the sources as they are: they all pass, or that they fail says nothing.
    fn check_whole(&self, mutants: &[&Mutant]) -> Result<()> {
        let tests: Vec<&str> = mutants.iter().flat_map(|m| &m.tests).map(String::as_str).collect();
        for (home, mut tests) in self.by_home(&tests) {
            tests.sort_unstable();
            tests.dedup();
            println!("without a mutant: {home}, {} tests", tests.len());
            let ran = self.test(home, &tests)?;
            let Some(tally) = ran.tally else { bail!("it does not build:\n{}", ran.end()) };
            ensure!(
                ran.failures.is_empty() && tally.failed == 0 && tally.passed == tests.len(),
                "{} of {} pass; failed: {}",
                tally.passed,
                tests.len(),
                ran.failures.join(", ")
            );
        }
        Ok(())
    }

    fn by_home<'a>(&self, tests: &[&'a str]) -> BTreeMap<&Home, Vec<&'a str>> {
        let mut by_home = BTreeMap::<&Home, Vec<&str>>::new();
        for &test in tests {
            by_home.entry(&self.homes[test]).or_default().push(test);
        }
        by_home
    }

    /// Makes the change, runs the tests, and undoes it, whatever came of it.
    fn run(&self, mutant: &Mutant) -> Result<Outcome> {
        let mut whole = Vec::new();
        let outcome = self.change(mutant, &mut whole).and_then(|()| self.judge(mutant));
        // The last first: two changes may be of one file.
        for (path, text) in whole.into_iter().rev() {
            std::fs::write(&path, text).with_context(|| format!("could not undo {}", path.display()))?;
        }
        outcome
    }

    fn change(&self, mutant: &Mutant, whole: &mut Vec<(PathBuf, String)>) -> Result<()> {
        for Change { file, find, replace } in mutant.changes() {
            let path = self.tree.join(file);
            let text = std::fs::read_to_string(&path)?;
            // The list's check saw that it stands there once.
            let changed = text.replacen(&find, &replace, 1);
            whole.push((path.clone(), text));
            std::fs::write(&path, changed)?;
        }
        Ok(())
    }

    fn judge(&self, mutant: &Mutant) -> Result<Outcome> {
        let tests: Vec<&str> = mutant.tests.iter().map(String::as_str).collect();
        let mut passed = Vec::new();
        for (home, tests) in self.by_home(&tests) {
            let ran = self.test(home, &tests)?;
            if ran.tally.is_none() {
                return Ok(Outcome::DoesNotCompile(ran.end()));
            }
            passed.extend(tests.into_iter().filter(|test| !ran.failed(test)).map(str::to_owned));
        }
        Ok(if passed.is_empty() { Outcome::Killed } else { Outcome::Survived(passed) })
    }

    /// Builds and runs these tests of one target, and nothing else.
    fn test(&self, home: &Home, tests: &[&str]) -> Result<runner::Quiet> {
        let mut command = process::cargo();
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        command.args(["nextest", "run", "--no-fail-fast", "--color", "never", "--package", &home.package]);
        match &home.target {
            None => command.arg("--lib"),
            Some(target) => command.args(["--test", target]),
        };
        let filters: Vec<String> = tests.iter().map(|test| format!("test(/(^|::){test}$/)")).collect();
        command.args(["--filterset", &filters.join(" + ")]);
        runner::quietly(&mut command, &self.settings)
    }
}

enum Outcome {
    Killed,
    /// These tests pass all the same.
    Survived(Vec<String>),
    /// With the end of what the compiler said.
    DoesNotCompile(String),
}

struct Row<'a> {
    outcome: Outcome,
    time: Duration,
    mutant: &'a Mutant,
}

#[derive(Default)]
struct Report<'a> {
    rows: Vec<Row<'a>>,
}

impl Report<'_> {
    fn killed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Outcome::Killed)).count()
    }

    fn exit_code(&self) -> ExitCode {
        if self.killed() == self.rows.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outcome, time, mutant } = self;
        let word = match outcome {
            Outcome::Killed => "killed",
            Outcome::Survived(_) => "SURVIVED",
            Outcome::DoesNotCompile(_) => "does not compile",
        };
        let (promise, check) = (mutant.promise.join(" "), mutant.check.as_deref().unwrap_or_default());
        write!(f, "{word:<18}{:>6.1} s  {promise:<7}{check:<8}{}", time.as_secs_f64(), mutant.defence)?;
        match outcome {
            Outcome::Killed => Ok(()),
            Outcome::Survived(tests) => write!(f, "\n    passed all the same: {}", tests.join(", ")),
            Outcome::DoesNotCompile(said) => write!(f, "\n{said}"),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        writeln!(f, "{} of {} killed", self.killed(), self.rows.len())
    }
}

/// What git prints.
fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new("git");
    let printed = process::output(command.current_dir(folder).args(arguments));
    printed.with_context(|| format!("git {} failed", arguments.join(" ")))
}
