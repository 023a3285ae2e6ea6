//! `cargo xtask test`: which parts there are, in which order, and what they amount to.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Result, bail};
use cargo_metadata::Metadata;

use crate::process::{self, Beside, Stopwatch};
use crate::runner::{self, Outcome, Tests};
use crate::{browser, house, licence, mutants};

/// Runs the named parts, or all of them if none is named. The last line it prints is `N passed, N failed` when every
/// part asked for ran to its end, counting each test and each lint as one; else it says what is missing.
pub(crate) fn run(names: &[&str]) -> Result<ExitCode> {
    let parts = Part::named(names)?;
    let mut report = Report::default();
    let metadata = house::metadata(process::root())?;
    let lints = parts.contains(&Part::Lints);
    // Clippy reads for minutes, and the whole network waits for minutes: each has what the other leaves.
    let beside = lints && parts.contains(&Part::Net);
    if lints {
        quick_lints(&metadata, &mut report)?;
    }
    if lints && !beside {
        report.lint("clippy", || process::passes(&mut clippy()))?;
    }
    if parts.iter().any(|part| *part != Part::Lints) {
        tests(&parts, beside, &metadata, &mut report)?;
    }
    print!("{report}");
    Ok(report.exit_code())
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Lints,
    Unit,
    Net,
    Browser,
}

impl Part {
    fn named(names: &[&str]) -> Result<Vec<Self>> {
        if names.is_empty() {
            return Ok(vec![Self::Lints, Self::Unit, Self::Net, Self::Browser]);
        }
        let part = |name: &&str| match *name {
            "lints" => Ok(Self::Lints),
            "unit" => Ok(Self::Unit),
            "net" => Ok(Self::Net),
            "browser" => Ok(Self::Browser),
            other => bail!("there is no part `{other}`: name unit, net, browser or lints, or none for all"),
        };
        names.iter().map(part).collect()
    }
}

fn clippy() -> Command {
    let mut command = process::cargo();
    command.args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    command
}

fn quick_lints(metadata: &Metadata, report: &mut Report) -> Result<()> {
    report.lint("format", || process::passes(process::cargo().args(["fmt", "--all", "--", "--check"])))?;
    report.lint("arrows", || Ok(no_faults(&house::arrows(metadata))))?;
    report.lint("crates", || Ok(no_faults(&house::crates(metadata)?)))?;
    report.lint("licences", || Ok(no_faults(&licence::faults(metadata)?)))?;
    report.lint("mutants", || Ok(no_faults(&mutants::faults(process::root())?)))
}

fn no_faults(faults: &[String]) -> bool {
    for fault in faults {
        eprintln!("{fault}");
    }
    faults.is_empty()
}

fn tests(parts: &[Part], clippy_beside: bool, metadata: &Metadata, report: &mut Report) -> Result<()> {
    // Before the long build, so that the answer to "may I install something" comes early.
    let ready = if parts.contains(&Part::Browser) { browser::prepare()? } else { browser::Ready::Yes };

    // One build for all parts, tests and program alike: the same packages and features, so nothing is compiled twice.
    let build = report.step("build", || {
        let arguments = ["build", "--workspace", "--tests", "--bin", "firsthand"];
        process::passes(process::cargo().args(arguments))
    })?;
    if !build {
        return if clippy_beside { report.lint("clippy", || process::passes(&mut clippy())) } else { Ok(()) };
    }
    let settings = Settings::find(metadata);
    if parts.contains(&Part::Unit) {
        report.tests("unit", || runner::run(Tests::Unit, metadata, &settings))?;
        report.tests("examples in docs", || runner::examples_in_docs(&settings))?;
    }
    if parts.contains(&Part::Net) {
        // In a folder of its own, so that neither waits until the other lets go of the build.
        let lint = clippy_beside.then(|| {
            let folder = metadata.target_directory.join("lints");
            Beside::start(clippy().env("CARGO_TARGET_DIR", &folder), folder.as_std_path())
        });
        let lint = lint.transpose()?;
        report.tests("net", || runner::run(Tests::Net, metadata, &settings))?;
        if let Some(lint) = lint {
            report.lint("clippy", || lint.finish())?;
        }
    }
    if parts.contains(&Part::Browser) {
        if let browser::Ready::No { command } = ready {
            report.missing = Some(command);
        } else {
            report.tests("browser", || runner::run(Tests::Browser, metadata, &settings))?;
        }
    }
    Ok(())
}

/// What the tests are told through their environment.
pub(crate) struct Settings {
    /// The program they may start: `FIRSTHAND_BIN`.
    pub(crate) program: PathBuf,
    /// The folder of real coverage: `FIRSTHAND_CORPUS`, absolute, since tests run in their own crate's folder.
    pub(crate) corpus: Option<PathBuf>,
    /// Where tests keep what they write, if there is something better than the system's folder.
    pub(crate) scratch: Option<&'static Path>,
}

impl Settings {
    pub(crate) fn find(metadata: &Metadata) -> Self {
        let program = format!("debug/firsthand{}", std::env::consts::EXE_SUFFIX);
        let program = metadata.target_directory.join(program).into_std_path_buf();
        let named = std::env::var_os("FIRSTHAND_CORPUS").map(PathBuf::from);
        let folder = process::root().join(named.as_deref().unwrap_or(Path::new("../shared/corpus")));
        let corpus = folder.canonicalize().ok();
        if corpus.is_none() {
            println!(
                "no real coverage at {} (FIRSTHAND_CORPUS): tests of it will be skipped",
                folder.display()
            );
        }
        Self { program, corpus, scratch: in_memory() }
    }
}

/// A file system in memory, where there is one with room: tests stop programs and never the computer, so nothing they write has
/// to be on a disk, and most of the time of many is spent waiting until it is.
fn in_memory() -> Option<&'static Path> {
    /// In KiB.
    const ROOM: u64 = 4 << 20;
    let memory = Path::new("/dev/shm");
    let told = process::output(Command::new("df").arg("-Pk").arg(memory).stderr(Stdio::null()))?;
    let free: u64 = told.lines().last()?.split_whitespace().nth(3)?.parse().ok()?;
    (free >= ROOM).then_some(memory)
}

/// How many tests of a part passed and failed, as far as its runner told.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    pub(crate) fn and(self, more: Self) -> Self {
        Self { passed: self.passed + more.passed, failed: self.failed + more.failed }
    }
}

#[derive(Default)]
struct Report {
    rows: Vec<Row>,
    /// The names of tests that did not pass.
    failures: Vec<String>,
    /// The command to type where the browser part could not run.
    missing: Option<String>,
}

struct Row {
    name: &'static str,
    passed: bool,
    kind: Kind,
    time: Duration,
}

#[derive(Clone, Copy)]
enum Kind {
    /// One check, counted as one test.
    Lint,
    /// What must work and is no check by itself.
    Step,
    /// Tests, and how many, if their runner told.
    Tests(Option<Tally>),
}

impl Report {
    fn lint(&mut self, name: &'static str, check: impl FnOnce() -> Result<bool>) -> Result<()> {
        let (passed, time) = timed(name, check)?;
        self.row(Row { name, passed, kind: Kind::Lint, time });
        Ok(())
    }

    fn step(&mut self, name: &'static str, step: impl FnOnce() -> Result<bool>) -> Result<bool> {
        let (passed, time) = timed(name, step)?;
        self.row(Row { name, passed, kind: Kind::Step, time });
        Ok(passed)
    }

    fn tests(&mut self, name: &'static str, run: impl FnOnce() -> Result<Outcome>) -> Result<()> {
        let (Outcome { passed, tally, failures }, time) = timed(name, run)?;
        self.failures.extend(failures);
        self.row(Row { name, passed, kind: Kind::Tests(tally), time });
        Ok(())
    }

    fn row(&mut self, row: Row) {
        println!("{row}");
        self.rows.push(row);
    }

    fn exit_code(&self) -> ExitCode {
        match (self.rows.iter().all(|row| row.passed), &self.missing) {
            (false, _) => ExitCode::FAILURE,
            (true, Some(_)) => ExitCode::from(2),
            (true, None) => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        for failure in &self.failures {
            writeln!(f, "failed: {failure}")?;
        }
        // Where one row cannot be counted, or what it counted is not why it failed, there is no honest sum.
        let tallies: Option<Vec<Tally>> = self.rows.iter().map(Row::tally).collect();
        let bad: Vec<_> = self.rows.iter().filter(|row| !row.passed).map(|row| row.name).collect();
        match tallies.map(|tallies| tallies.into_iter().fold(Tally::default(), Tally::and)) {
            Some(Tally { passed, failed }) => writeln!(f, "{passed} passed, {failed} failed")?,
            None if bad.is_empty() => writeln!(f, "passed")?,
            None => writeln!(f, "failed: {}", bad.join(", "))?,
        }
        match &self.missing {
            Some(command) => writeln!(f, "the browser part did not run; type this, then again:\n  {command}"),
            None => Ok(()),
        }
    }
}

impl Row {
    fn tally(&self) -> Option<Tally> {
        match self.kind {
            Kind::Lint => Some(Tally { passed: usize::from(self.passed), failed: usize::from(!self.passed) }),
            Kind::Step => self.passed.then_some(Tally::default()),
            Kind::Tests(tally) => tally.filter(|tally| self.passed == (tally.failed == 0)),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, passed, kind, time } = self;
        let word = if *passed { "ok" } else { "FAILED" };
        write!(f, "{name:<18}{word:<8}{:>7.1} s", time.as_secs_f64())?;
        match kind {
            Kind::Tests(Some(Tally { passed, failed })) => write!(f, "   {passed} passed, {failed} failed"),
            _ => Ok(()),
        }
    }
}

fn timed<T>(name: &str, run: impl FnOnce() -> Result<T>) -> Result<(T, Duration)> {
    println!("\n--- {name}");
    let watch = Stopwatch::start();
    Ok((run()?, watch.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Kind, passed: bool) -> Row {
        Row { name: "unit", passed, kind, time: Duration::from_secs(1) }
    }

    fn tests(passed: usize, failed: usize) -> Row {
        row(Kind::Tests(Some(Tally { passed, failed })), failed == 0)
    }

    fn last_line(report: &Report) -> String {
        report.to_string().lines().last().unwrap().to_owned()
    }

    #[test]
    fn no_name_means_every_part_and_a_wrong_name_is_refused() {
        assert_eq!(Part::named(&[]).unwrap().len(), 4);
        assert_eq!(Part::named(&["net"]).unwrap(), [Part::Net]);
        assert!(Part::named(&["nett"]).is_err());
    }

    #[test]
    fn the_last_line_counts_tests_and_lints() {
        let good = Report {
            rows: vec![row(Kind::Lint, true), row(Kind::Step, true), tests(3, 0)],
            ..Report::default()
        };
        assert_eq!(last_line(&good), "4 passed, 0 failed");
        assert_eq!(good.exit_code(), ExitCode::SUCCESS);
        let failures = vec!["unit::a".into(), "unit::b".into()];
        let bad = Report { rows: vec![row(Kind::Lint, false), tests(1, 2)], failures, ..Report::default() };
        assert!(bad.to_string().contains("failed: unit::b"));
        assert_eq!(last_line(&bad), "1 passed, 3 failed");
        assert_eq!(bad.exit_code(), ExitCode::FAILURE);
    }

    #[test]
    fn there_is_no_count_that_would_not_be_true() {
        let untold = Report { rows: vec![tests(3, 0), row(Kind::Tests(None), true)], ..Report::default() };
        assert_eq!(last_line(&untold), "passed");
        let unbuilt =
            Report { rows: vec![row(Kind::Lint, true), row(Kind::Step, false)], ..Report::default() };
        assert_eq!(last_line(&unbuilt), "failed: unit");
        let mut aborted = Report { rows: vec![tests(3, 0)], ..Report::default() };
        aborted.rows[0].passed = false;
        assert_eq!(last_line(&aborted), "failed: unit");
        assert_eq!(aborted.exit_code(), ExitCode::FAILURE);
    }

    #[test]
    fn a_missing_browser_is_named_and_is_no_success() {
        let good =
            Report { rows: vec![tests(3, 0)], missing: Some("install it".into()), ..Report::default() };
        assert_eq!(last_line(&good), "  install it");
        assert_eq!(good.exit_code(), ExitCode::from(2));
        let bad = Report { rows: vec![tests(3, 1)], missing: Some("install it".into()), ..Report::default() };
        assert_eq!(bad.exit_code(), ExitCode::FAILURE);
    }
}
