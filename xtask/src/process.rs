//! Starting other programs: cargo as a developer's shell would start it, and reading along with what one prints.

use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The workspace's folder.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace's folder")
}

/// `cargo`, in the workspace's folder.
///
/// What `cargo run` told this program about its own package is taken out of the environment: some build scripts are
/// run again when one of these changes, and everything behind them would be compiled anew.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to the end, its output shown as it is. True if it exited with 0.
pub(crate) fn passes(command: &mut Command) -> Result<bool> {
    let status = command.status().with_context(|| format!("could not start {}", name(command)))?;
    Ok(status.success())
}

/// A program that runs beside others, for what they leave of the machine.
pub(crate) struct Beside {
    child: Child,
    /// Where it writes.
    said: PathBuf,
}

impl Beside {
    /// Starts it. What it says goes to a file in this folder.
    pub(crate) fn start(command: &Command, folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let said = folder.join("said");
        let file = File::create(&said)?;
        let mut nice = match find("nice") {
            Some(nice) => {
                let mut yielding = Command::new(nice);
                yielding.args(["-n", "19"]).arg(command.get_program());
                yielding
            }
            None => Command::new(command.get_program()),
        };
        nice.args(command.get_args()).stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => nice.env(name, value),
                None => nice.env_remove(name),
            };
        }
        if let Some(folder) = command.get_current_dir() {
            nice.current_dir(folder);
        }
        let child = nice.spawn().with_context(|| format!("could not start {}", name(command)))?;
        Ok(Self { child, said })
    }

    /// Waits for its end, and shows what it said if it failed. True if it exited with 0.
    pub(crate) fn finish(mut self) -> Result<bool> {
        let good = self.child.wait()?.success();
        if !good {
            std::io::copy(&mut File::open(&self.said)?, &mut std::io::stderr())?;
        }
        Ok(good)
    }
}

/// Runs to the end in silence and gives its standard output, if it exited with 0.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Which of a program's two streams to read along with; the other is shown as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    Err,
}

/// Runs to the end, shows one stream line by line as it comes and hands each line, without colours, to `see`.
/// True if it exited with 0.
pub(crate) fn follow(command: &mut Command, stream: Stream, mut see: impl FnMut(&str)) -> Result<bool> {
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("could not start {}", name(command)))?;
    let read: Box<dyn std::io::Read> = match stream {
        Stream::Out => Box::new(child.stdout.take().expect("piped above")),
        Stream::Err => Box::new(child.stderr.take().expect("piped above")),
    };
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    while read.read_until(b'\n', &mut line)? > 0 {
        match stream {
            Stream::Out => std::io::stdout().write_all(&line)?,
            Stream::Err => std::io::stderr().write_all(&line)?,
        }
        see(&plain(&String::from_utf8_lossy(&line)));
        line.clear();
    }
    Ok(child.wait()?.success())
}

/// Whether what we start should use colours: yes if we write to a terminal, though we may read along.
pub(crate) fn colours() -> &'static str {
    if std::io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none() { "always" } else { "never" }
}

/// Where the search path has this program.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Measures how long a part takes. For the developer's eye only.
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "elapsed time of a developer's command; nothing depends on it"
    )]
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

fn name(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// A line without its colour sequences (`ESC [ ... letter`) and its end of line.
fn plain(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut letters = line.trim_end().chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            clean.push(letter);
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_beside_tells_how_it_ended() {
        let folder = tempfile::tempdir().unwrap();
        for (words, good) in [("exit 0", true), ("echo said; exit 3", false)] {
            let beside = Beside::start(Command::new("sh").args(["-c", words]), folder.path()).unwrap();
            assert_eq!(beside.finish().unwrap(), good);
        }
        assert_eq!(std::fs::read_to_string(folder.path().join("said")).unwrap(), "said\n");
    }

    #[test]
    fn colours_are_taken_off() {
        assert_eq!(
            plain("\u{1b}[32;1m     Summary\u{1b}[0m [   0.1s] 2 tests\n"),
            "     Summary [   0.1s] 2 tests"
        );
    }
}
