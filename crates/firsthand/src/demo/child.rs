//! Roles as child processes of the same program: started, watched, stopped.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child as Process, ChildStdin, Command};
use tokio::sync::oneshot;

/// How long a role may take to say that it is ready.
const READY: Duration = Duration::from_secs(30);
/// How long a role may take to stop once it is asked to.
const STOP: Duration = Duration::from_secs(10);
/// Lines of a role's log that are shown when it ends by itself.
const LAST_WORDS: usize = 5;

/// A role at work.
pub(super) struct Child {
    name: String,
    process: Process,
    /// Kept apart from the process, which would end it while waiting. Dropped, it tells the role to stop.
    stdin: Option<ChildStdin>,
    last_words: Arc<Mutex<VecDeque<String>>>,
}

impl Child {
    /// Starts `firsthand ROLE --config FILE` and waits for the line `ready ADDRESS` on its standard output. Returns the
    /// address with it.
    pub(super) async fn start(name: &str, role: &str, config: &Path) -> anyhow::Result<(Self, String)> {
        let program = std::env::current_exe().context("cannot find this program's own file")?;
        let mut command = Command::new(program);
        command
            .arg(role)
            .arg("--config")
            .arg(config)
            .arg("--until-stdin-ends")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C in the terminal is for the demonstration alone: it stops its roles one after the other.
        #[cfg(unix)]
        command.process_group(0);
        let mut process = command.spawn().with_context(|| format!("cannot start the {name}"))?;
        let last_words = Arc::new(Mutex::new(VecDeque::new()));
        listen(name, &mut process, Arc::clone(&last_words));
        let stdin = process.stdin.take();
        let mut child = Self { name: name.to_owned(), process, stdin, last_words };
        let ready = child.ready();
        let address = tokio::select! {
            said = tokio::time::timeout(READY, ready) => match said {
                Ok(Ok(address)) => address,
                Ok(Err(_)) => {
                    let ended = child.ended().await;
                    bail!("{}", child.complaint().unwrap_or(ended))
                }
                Err(_) => bail!("the {name} did not get ready within {} s", READY.as_secs()),
            },
        };
        Ok((child, address))
    }

    fn ready(&mut self) -> oneshot::Receiver<String> {
        let (tell, told) = oneshot::channel();
        let stdout = self.process.stdout.take().expect("it is piped");
        tokio::spawn(async move {
            let mut tell = Some(tell);
            let mut lines = BufReader::new(stdout).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                if let (Some(address), true) = (line.strip_prefix("ready "), tell.is_some()) {
                    let _ = tell.take().expect("just seen").send(address.to_owned());
                }
            }
        });
        told
    }

    /// What the role said of itself when it refused to start.
    fn complaint(&self) -> Option<String> {
        let words = self.last_words.lock().expect("no holder panics");
        let why = words.iter().position(|line| line.starts_with("firsthand: "))?;
        let why = words.iter().skip(why).map(String::as_str).collect::<Vec<_>>().join("\n  ");
        Some(format!("The {} did not start: {}", self.name, why.trim_start_matches("firsthand: ")))
    }

    /// Waits until the role ends, which it should not do by itself; says why.
    pub(super) async fn ended(&mut self) -> String {
        let status = match self.process.wait().await {
            Ok(status) => status.to_string(),
            Err(why) => why.to_string(),
        };
        // What it said last is on its way through the pipe.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let words = self.last_words.lock().expect("no holder panics");
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        format!("the {} ended ({status}): {}", self.name, words.join("\n  "))
    }

    /// Asks the role to stop, by ending its standard input, and waits for it.
    pub(super) async fn stop(mut self) {
        drop(self.stdin.take());
        if tokio::time::timeout(STOP, self.process.wait()).await.is_err() {
            let _ = self.process.kill().await;
        }
    }
}

/// Passes a role's warnings on, and remembers its last lines.
fn listen(name: &str, process: &mut Process, last_words: Arc<Mutex<VecDeque<String>>>) {
    let name = name.to_owned();
    let stderr = process.stderr.take().expect("it is piped");
    tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let line = line.trim();
            if let Some(said) = line.strip_prefix("WARN ").or_else(|| line.strip_prefix("ERROR ")) {
                eprintln!("  {name}: {}", said.trim());
            }
            let mut words = last_words.lock().expect("no holder panics");
            words.push_back(line.to_owned());
            if words.len() > LAST_WORDS {
                words.pop_front();
            }
        }
    });
}
