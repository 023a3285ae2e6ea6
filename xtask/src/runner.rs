//! Runs tests: with `cargo nextest` where it is installed, else each test program by itself, as `cargo test` would.
//!
//! The build is done before and always for the whole workspace: what is selected here is which tests run, never what
//! is compiled, since other packages or features would mean another build.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use cargo_metadata::{Message, Metadata, PackageId, Target, TargetKind};

use crate::process::{self, Stream};
use crate::test::{Settings, Tally};

/// Which tests. The package `lab` holds those that need the whole network; those of them in a target whose name
/// begins with `browser` need Chromium too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tests {
    Unit,
    Net,
    Browser,
}

/// What came of running tests.
pub(crate) struct Outcome {
    pub(crate) passed: bool,
    /// How many, if the runner told.
    pub(crate) tally: Option<Tally>,
    /// The names of those that did not pass.
    pub(crate) failures: Vec<String>,
}

/// Runs them all to the end. That there are none is a failure: a part that runs nothing proves nothing.
pub(crate) fn run(tests: Tests, metadata: &Metadata, settings: &Settings) -> Result<Outcome> {
    let outcome = if nextest_is_installed() {
        nextest(tests, settings)?
    } else {
        one_by_one(tests, metadata, settings)?
    };
    if outcome.tally == Some(Tally::default()) {
        eprintln!("there are no such tests");
        return Ok(Outcome { passed: false, tally: None, ..outcome });
    }
    Ok(outcome)
}

/// Runs the examples in the documentation, of which there may be none.
pub(crate) fn examples_in_docs(settings: &Settings) -> Result<Outcome> {
    let mut command = process::cargo();
    command.args(["test", "--workspace", "--doc", "--quiet", "--no-fail-fast"]);
    let mut tally = Tally::default();
    let passed = process::follow(tell(&mut command, settings), Stream::Out, |line| {
        tally = libtest_summary(line).map_or(tally, |more| tally.and(more));
    })?;
    Ok(Outcome { passed, tally: Some(tally), failures: Vec::new() })
}

impl Tests {
    /// In nextest's own language.
    fn filter(self) -> &'static str {
        match self {
            Self::Unit => "not (package(=lab) & kind(test))",
            Self::Net => "package(=lab) & kind(test) & not binary(/^browser/)",
            Self::Browser => "package(=lab) & kind(test) & binary(/^browser/)",
        }
    }

    /// The same for a test program built by cargo.
    fn of(package: &str, target: &Target) -> Self {
        if package != "lab" || !target.kind.contains(&TargetKind::Test) {
            Self::Unit
        } else if target.name.starts_with("browser") {
            Self::Browser
        } else {
            Self::Net
        }
    }
}

fn nextest_is_installed() -> bool {
    process::output(process::cargo().args(["nextest", "--version"]).stdin(Stdio::null())).is_some()
}

fn tell<'a>(command: &'a mut Command, settings: &Settings) -> &'a mut Command {
    command.env("FIRSTHAND_BIN", &settings.program);
    if let Some(folder) = settings.scratch {
        command.env("TMPDIR", folder);
    }
    match &settings.corpus {
        Some(folder) => command.env("FIRSTHAND_CORPUS", folder),
        None => command.env_remove("FIRSTHAND_CORPUS"),
    }
}

fn nextest(tests: Tests, settings: &Settings) -> Result<Outcome> {
    let mut command = process::cargo();
    command.args([
        "nextest",
        "run",
        "--workspace",
        "--tests",
        "--no-fail-fast",
        "--color",
        process::colours(),
    ]);
    command.args(["--filterset", tests.filter()]);
    let (mut tally, mut failures) = (None, Vec::new());
    let passed = process::follow(tell(&mut command, settings), Stream::Err, |line| {
        // Behind the summary stands once more what did not pass.
        if tally.is_some() {
            failures.extend(nextest_failure(line));
        }
        tally = nextest_summary(line).or(tally);
    })?;
    Ok(Outcome { passed, tally, failures })
}

/// What came of a run of nextest that printed nothing.
pub(crate) struct Quiet {
    /// None if nothing ran: it did not build.
    pub(crate) tally: Option<Tally>,
    pub(crate) failures: Vec<String>,
    said: String,
}

impl Quiet {
    fn read(said: String) -> Self {
        let (mut tally, mut failures) = (None, Vec::new());
        for line in said.lines() {
            // Behind the summary stands once more what did not pass; before it, what did as well.
            if tally.is_some() {
                failures.extend(nextest_failure(line));
            }
            tally = nextest_summary(line).or(tally);
        }
        Self { tally, failures, said }
    }

    /// Whether the test of this name failed.
    pub(crate) fn failed(&self, test: &str) -> bool {
        let is = |name: &String| name.rsplit([' ', ':']).next() == Some(test);
        self.failures.iter().any(is)
    }

    /// The end of what it would have printed.
    pub(crate) fn end(&self) -> String {
        let lines: Vec<&str> = self.said.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}

/// Runs nextest to the end, and prints nothing.
pub(crate) fn quietly(command: &mut Command, settings: &Settings) -> Result<Quiet> {
    let output = tell(command, settings).stdin(Stdio::null()).output().context("could not start cargo")?;
    Ok(Quiet::read(String::from_utf8_lossy(&output.stderr).into_owned()))
}

fn one_by_one(tests: Tests, metadata: &Metadata, settings: &Settings) -> Result<Outcome> {
    let mut all = Outcome { passed: true, tally: Some(Tally::default()), failures: Vec::new() };
    for program in test_programs(metadata)? {
        let package = &metadata[&program.package];
        if Tests::of(&package.name, &program.target) != tests {
            continue;
        }
        let name = format!("{} {}", package.name, program.target.name);
        println!("{name}");
        let mut command = Command::new(&program.path);
        let folder = package.manifest_path.parent().context("a manifest lies in a folder")?;
        command.current_dir(folder).env("CARGO_MANIFEST_DIR", folder).args(["--color", process::colours()]);
        let mut told = None;
        all.passed &= process::follow(tell(&mut command, settings), Stream::Out, |line| {
            told = libtest_summary(line).or(told);
            all.failures.extend(libtest_failure(line).map(|test| format!("{name} {test}")));
        })?;
        all.tally = all.tally.zip(told).map(|(before, more)| before.and(more));
    }
    Ok(all)
}

struct TestProgram {
    package: PackageId,
    target: Target,
    path: String,
}

fn test_programs(metadata: &Metadata) -> Result<Vec<TestProgram>> {
    let mut command = process::cargo();
    command.args(["test", "--workspace", "--tests", "--no-run", "--quiet", "--message-format", "json"]);
    let Some(messages) = process::output(&mut command) else { bail!("the tests do not build") };
    let mut programs = Vec::new();
    for message in Message::parse_stream(messages.as_bytes()) {
        let Message::CompilerArtifact(built) = message? else { continue };
        let Some(path) = built.executable.filter(|_| built.profile.test) else { continue };
        programs.push(TestProgram {
            package: built.package_id,
            target: built.target,
            path: path.into_string(),
        });
    }
    let name = |id: &PackageId| metadata[id].name.to_string();
    programs.sort_by_cached_key(|program| (name(&program.package), program.target.name.clone()));
    Ok(programs)
}

/// From `Summary [ 0.5s] 20/25 tests run: 17 passed (1 slow), 2 failed, 1 timed out, 5 skipped`: what did not pass
/// failed, in whatever way.
fn nextest_summary(line: &str) -> Option<Tally> {
    let rest = line.trim_start().strip_prefix("Summary [")?;
    let (_, rest) = rest.split_once(']')?;
    let (run, outcomes) = rest.split_once(" run: ")?;
    let run: usize = run.split_whitespace().next()?.split('/').next()?.parse().ok()?;
    let passed = outcomes.split(", ").find_map(|part| part.split_once(" passed"));
    let passed: usize = passed.map_or(Some(0), |(count, _)| count.trim().parse().ok())?;
    Some(Tally { passed, failed: run.checked_sub(passed)? })
}

/// From `test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s`.
fn libtest_summary(line: &str) -> Option<Tally> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut counts = counts.split("; ");
    let passed = counts.next()?.strip_suffix(" passed")?.parse().ok()?;
    let failed = counts.next()?.strip_suffix(" failed")?.parse().ok()?;
    Some(Tally { passed, failed })
}

/// From `FAIL [   0.520s] ( 56/358) client::exchange exc_06`, or `TIMEOUT` or another word for how it failed.
fn nextest_failure(line: &str) -> Option<String> {
    let (how, rest) = line.trim_start().split_once(" [")?;
    let (_, rest) = rest.split_once("] ")?;
    let name = rest.split_once(") ").map_or(rest, |(_, name)| name);
    how.chars().all(|letter| letter.is_ascii_uppercase() || letter == '-').then(|| name.trim().to_owned())
}

/// From `test tests::summary ... FAILED`.
fn libtest_failure(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_nextest_is_understood() {
        let all = "     Summary [   1.234s] 20 tests run: 20 passed, 0 skipped";
        assert_eq!(nextest_summary(all), Some(Tally { passed: 20, failed: 0 }));
        let some = "     Summary [   1.234s] 20/25 tests run: 16 passed (1 slow, 1 leaky), 3 failed, 1 timed out, 4 skipped";
        assert_eq!(nextest_summary(some), Some(Tally { passed: 16, failed: 4 }));
        let none = "     Summary [   0.100s] 2 tests run: 2 failed, 0 skipped";
        assert_eq!(nextest_summary(none), Some(Tally { passed: 0, failed: 2 }));
        let one = "     Summary [   0.010s] 1 test run: 1 passed, 9 skipped";
        assert_eq!(nextest_summary(one), Some(Tally { passed: 1, failed: 0 }));
        assert_eq!(nextest_summary("        PASS [   0.005s] xtask tests::summary"), None);
    }

    #[test]
    fn the_summary_of_a_test_program_is_understood() {
        let line = "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(libtest_summary(line), Some(Tally { passed: 4, failed: 1 }));
        assert_eq!(libtest_summary("test tests::summary ... ok"), None);
    }

    #[test]
    fn a_quiet_run_tells_what_failed_from_what_passed_and_from_what_did_not_build() {
        let ran = Quiet::read(
            "        PASS [   0.005s] (1/3) client::device log::one\n\
             \x20       FAIL [   0.005s] (2/3) client::device log::two\n\
             \x20    SIGABRT [   0.005s] (3/3) model three\n\
             ────────────\n\
             \x20    Summary [   0.010s] 3 tests run: 1 passed, 2 failed, 9 skipped\n\
             \x20       FAIL [   0.005s] (2/3) client::device log::two\n\
             \x20    SIGABRT [   0.005s] (3/3) model three\n"
                .into(),
        );
        assert_eq!(ran.tally, Some(Tally { passed: 1, failed: 2 }));
        assert!(ran.failed("two") && ran.failed("three"));
        assert!(!ran.failed("one") && !ran.failed("wo") && !ran.failed("log"));
        let built = Quiet::read("error: could not compile `client` (lib)\n".into());
        assert!(built.tally.is_none() && !built.failed("one"));
    }

    #[test]
    fn what_failed_is_named() {
        let line = "        FAIL [   0.520s] ( 56/358) client::exchange exc_06_a_sending_reader";
        assert_eq!(nextest_failure(line).as_deref(), Some("client::exchange exc_06_a_sending_reader"));
        let line = "     TIMEOUT [  60.002s] (3/3) lab::net turn";
        assert_eq!(nextest_failure(line).as_deref(), Some("lab::net turn"));
        assert_eq!(nextest_failure("error: test run failed"), None);
        assert_eq!(nextest_failure("warning: 15/22 tests were not run"), None);
        assert_eq!(libtest_failure("test tests::summary ... FAILED"), Some("tests::summary"));
        assert_eq!(libtest_failure("test tests::summary ... ok"), None);
    }
}
