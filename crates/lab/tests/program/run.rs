//! The program in a folder of its own: run to its end, or started and watched; and what is left of it afterwards.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long anything may take on a busy machine before it counts as hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A client that finds the names under which the pages are served, as a browser does, and shows a redirection as one.
pub(crate) fn http(url: &str) -> reqwest::Client {
    let url = reqwest::Url::parse(url).unwrap();
    let address = ([127, 0, 0, 1], url.port().unwrap()).into();
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.resolve(url.host_str().unwrap(), address).build().unwrap()
}

/// A folder for one test. What the program puts aside for a while comes into it too.
pub(crate) struct Here(tempfile::TempDir);

impl Here {
    pub(crate) fn new() -> Self {
        let here = Self(tempfile::tempdir().unwrap());
        std::fs::create_dir(here.path("temporary")).unwrap();
        here
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A path in it, as an argument.
    pub(crate) fn arg(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// Runs the program to its end.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Ended {
        let mut program = self.start(arguments);
        program.ended().await
    }

    /// Starts the program.
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        let mut command = Command::new(program());
        command.args(arguments);
        self.start_as(command)
    }

    /// Starts a command that becomes the program.
    pub(crate) fn start_as(&self, mut command: Command) -> Running {
        command.env("TMPDIR", self.path("temporary")).env("COLUMNS", "200").env_remove("FIRSTHAND_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        // As a shell would: what is typed at a terminal goes to the whole group.
        command.process_group(0);
        let mut process = command.spawn().unwrap();
        let out = Lines::of(process.stdout.take().unwrap());
        let err = Lines::of(process.stderr.take().unwrap());
        Running { process, out, err }
    }

    /// What is left of a program that ran here: temporary folders, and processes that were told of this folder.
    pub(crate) fn left(&self) -> Vec<String> {
        let mut left: Vec<_> = std::fs::read_dir(self.path("temporary"))
            .unwrap()
            .map(|entry| entry.unwrap().path().display().to_string())
            .collect();
        left.extend(self.processes().into_iter().map(|process| process.line));
        left
    }

    /// Processes that were told of this folder.
    pub(crate) fn processes(&self) -> Vec<Process> {
        let here = self.0.path().display().to_string();
        processes().into_iter().filter(|process| process.line.contains(&here)).collect()
    }
}

/// A process of this machine.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: String,
    /// Its command line.
    pub(crate) line: String,
}

/// The program to test.
pub(crate) fn program() -> PathBuf {
    let named = std::env::var_os("FIRSTHAND_BIN");
    named.expect("FIRSTHAND_BIN names the program to test; `cargo xtask test` sets it").into()
}

fn processes() -> Vec<Process> {
    if !Path::new("/proc/self/cmdline").exists() {
        let listed =
            std::process::Command::new("ps").args(["-A", "-o", "pid=,args="]).output().unwrap().stdout;
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let split =
            |line: &str| line.trim().split_once(' ').map(|(id, line)| (id.to_owned(), line.to_owned()));
        return listed.lines().filter_map(split).map(|(id, line)| Process { id, line }).collect();
    }
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let read = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        Some(Process { id: entry.file_name().to_string_lossy().into_owned(), line })
    };
    entries.filter_map(read).collect()
}

/// How a program ended, and everything it said.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A program at work.
pub(crate) struct Running {
    process: Child,
    out: Lines,
    err: Lines,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    /// Waits for a line of standard output that begins with `start`, and returns the rest of it.
    pub(crate) async fn says(&mut self, start: &str) -> String {
        let said = self.says_or_ends(start).await;
        said.unwrap_or_else(|| panic!("it does not say {start:?} but {:?} and {:?}", self.out(), self.err()))
    }

    /// The same, or `None` if it ends without having said so.
    pub(crate) async fn says_or_ends(&mut self, start: &str) -> Option<String> {
        self.wait_for(|running| running.out.after(start)).await
    }

    /// Waits until standard error holds `words`.
    pub(crate) async fn complains(&mut self, words: &str) {
        let said = self.wait_for(|running| running.err().contains(words).then_some(())).await;
        said.unwrap_or_else(|| panic!("it does not complain {words:?} but {:?}", self.err()));
    }

    /// Waits until `look` finds something. `None` if it never does, or the program ends without.
    async fn wait_for<T>(&mut self, look: impl Fn(&Self) -> Option<T>) -> Option<T> {
        let looking = async {
            loop {
                let over = self.process.try_wait().unwrap().is_some();
                if let Some(found) = look(self) {
                    return Some(found);
                }
                if over {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    return look(self);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, looking).await.ok().flatten()
    }

    pub(crate) fn out(&self) -> String {
        self.out.text()
    }

    pub(crate) fn err(&self) -> String {
        self.err.text()
    }

    /// Sends a signal, `INT` or `TERM` or `KILL`, to it alone.
    pub(crate) async fn signal(&self, signal: &str) {
        kill(signal, &self.id().to_string()).await;
    }

    /// What Ctrl-C at a terminal does: every process of the group is told.
    pub(crate) async fn ctrl_c(&self) {
        kill("INT", &format!("-{}", self.id())).await;
    }

    /// Waits for its end.
    pub(crate) async fn ended(&mut self) -> Ended {
        let waiting = async {
            let status = self.process.wait().await.unwrap();
            self.out.end().await;
            self.err.end().await;
            status
        };
        let Ok(status) = timeout(PATIENCE, waiting).await else {
            panic!("it does not end: {:?} {:?}", self.out(), self.err())
        };
        Ended { code: status.code(), out: self.out(), err: self.err() }
    }
}

async fn kill(signal: &str, whom: &str) {
    let sent = Command::new("kill").args([&format!("-{signal}"), "--", whom]).status().await.unwrap();
    assert!(sent.success(), "the signal could not be sent");
}

/// The lines of a stream, as they come.
struct Lines {
    lines: Arc<Mutex<String>>,
    reading: tokio::task::JoinHandle<()>,
}

impl Lines {
    fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&lines);
        let reading = tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                let mut kept = kept.lock().unwrap();
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        Self { lines, reading }
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap().clone()
    }

    fn after(&self, start: &str) -> Option<String> {
        self.text()
            .lines()
            .find_map(|line| line.trim().strip_prefix(start).map(|rest| rest.trim().to_owned()))
    }

    async fn end(&mut self) {
        let _ = (&mut self.reading).await;
    }
}
