//! `firsthand demo` as a child, and the links it prints.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// A running demonstration.
pub(crate) struct Demo {
    process: Child,
    pub(crate) reader: String,
    pub(crate) desk: String,
    pub(crate) passphrase: String,
    pub(crate) status: String,
    pub(crate) edition: String,
    /// Where it keeps its state: a test that fails kills it, and it then removes nothing itself.
    _folder: tempfile::TempDir,
}

impl Demo {
    /// Starts the demonstration and waits for its four links.
    pub(crate) async fn start(args: &[&str]) -> anyhow::Result<Self> {
        let program = std::env::var("FIRSTHAND_BIN")
            .context("FIRSTHAND_BIN names the program to test; `cargo xtask test` sets it")?;
        let folder = tempfile::tempdir()?;
        let mut process = Command::new(program)
            .env("TMPDIR", folder.path())
            .args(["demo", "--no-open"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let mut said = Vec::new();
        let reading = async {
            while let Some(line) = lines.next_line().await? {
                let last = line.starts_with("Stop with");
                said.push(line);
                if last {
                    return anyhow::Ok(());
                }
            }
            bail!("the demonstration ended: {said:?}")
        };
        tokio::time::timeout(Duration::from_secs(60), reading)
            .await
            .context("no links within a minute")??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let labelled = |label: &str| {
            let line =
                said.iter().find_map(|line| line.trim().strip_prefix(label)).map(|l| l.trim().to_owned());
            line.with_context(|| format!("no {label} in {said:?}"))
        };
        let demo = Self {
            reader: labelled("Reader ")?,
            desk: labelled("Desk ")?,
            passphrase: labelled("passphrase:")?,
            status: labelled("Status ")?,
            edition: labelled("Edition ")?,
            process,
            _folder: folder,
        };
        ensure!(demo.passphrase.split(' ').count() == 6, "a passphrase has six words");
        Ok(demo)
    }

    /// Sends it what Ctrl-C sends, and waits for its end.
    pub(crate) async fn interrupt(mut self) -> anyhow::Result<(ExitStatus, Duration)> {
        let pid = self.process.id().context("it has ended already")?;
        let began = tokio::time::Instant::now();
        let sent = Command::new("kill").args(["-INT", &pid.to_string()]).status().await?;
        ensure!(sent.success(), "the signal could not be sent");
        let status = tokio::time::timeout(Duration::from_secs(30), self.process.wait()).await??;
        Ok((status, began.elapsed()))
    }
}
