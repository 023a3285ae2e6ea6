//! `firsthand demo`: the whole system on this machine, every role a process of its own, all over real HTTP on loopback.

mod child;
mod once;
mod state;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::ValueEnum;
use include_dir::{Dir, include_dir};

use self::child::Child;
use self::state::State;
use crate::{ambient, config, found};

/// Invented outlets and coverage, part of the program.
static SAMPLES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../samples");

/// Arguments of `firsthand demo`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep the state in this folder, and resume it if it is there. Without, a temporary folder is used and removed
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Show this coverage instead of the invented samples: folders of articles, or addresses of feeds
    #[arg(long, value_name = "DIR|URL", num_args = 1..)]
    articles: Vec<String>,
    /// Use this port for the edge and the next two for reader and desk. Without, free ports are taken
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..=65533))]
    port: Option<u16>,
    /// How long a round takes: 5 seconds, or with `fast` 1 second
    #[arg(long, value_enum, default_value_t = Pace::Normal)]
    clock: Pace,
    /// How many readers to simulate: their cover is what hides a tip
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u16).range(8..=1000))]
    readers: u16,
    /// Do not open the reader in a browser
    #[arg(long)]
    no_open: bool,
    /// Run one whole turn without a browser: a tip, its arrival, the answer; then stop
    #[arg(long, requires = "tip")]
    once: bool,
    /// The text of the tip, for --once
    #[arg(long, value_name = "FILE", requires = "once")]
    tip: Option<PathBuf>,
}

/// How fast the demonstration's clock runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Pace {
    /// A round is 5 seconds
    Normal,
    /// A round is 1 second: a simulated hour
    Fast,
}

impl Pace {
    fn round_ms(self) -> u32 {
        match self {
            Pace::Normal => 5_000,
            Pace::Fast => 1_000,
        }
    }
}

/// Runs the demonstration until it is stopped.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    // Before anything starts.
    let tip = args.tip.as_deref().map(once::read_tip).transpose()?;
    let articles = Articles::named(&args.articles)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let mut stop = ambient::stop(false)?;
        let mut rng = ambient::rng()?;
        let state =
            State::open(args.dir.as_deref(), args.clock.round_ms(), ambient::clock().now(), &mut rng)?;
        if state.round_ms != args.clock.round_ms() && !state.fresh {
            eprintln!("This network was founded with rounds of {} ms, and keeps them.", state.round_ms);
        }
        let mut town = Town { children: Vec::new() };
        let result = match &tip {
            Some(tip) => tokio::select! {
                turn = once::run(&mut town, args, articles, &state, tip) => turn,
                _ = stop.changed() => bail!("stopped before the turn was over"),
            },
            None => show(&mut town, args, articles, &state, &mut stop).await,
        };
        town.stop().await;
        state.close()?;
        result
    })
}

/// The running roles.
struct Town {
    children: Vec<Child>,
}

impl Town {
    /// Starts edge, mixes, press, witness and crowd. Returns the edge's address.
    async fn found(&mut self, args: &Args, articles: Articles, state: &State) -> anyhow::Result<String> {
        let network = state.network;
        let edge = self
            .add(
                state,
                "edge",
                "edge",
                &config::Edge::new(
                    network,
                    (Ipv4Addr::LOCALHOST, args.port.unwrap_or(0)).into(),
                    "state".into(),
                    found::file::DIRECTORY.into(),
                ),
            )
            .await?;
        for place in 1..=found::MIXES {
            let mix = config::Mix {
                network,
                place,
                edge: edge.clone(),
                state: "state".into(),
                directory: found::file::DIRECTORY.into(),
                identity: found::file::IDENTITY.into(),
            };
            self.add(state, &format!("mix{place}"), "mix", &mix).await?;
        }
        let Articles { folders, feeds } = articles.or_samples(&state.dir)?;
        let press = config::Press {
            network,
            edge: edge.clone(),
            state: "state".into(),
            directory: found::file::DIRECTORY.into(),
            identity: found::file::IDENTITY.into(),
            folders,
            feeds,
            rules: None,
            // Whoever tries things out may have a feed on this computer.
            private_addresses: true,
            contact: None,
        };
        self.add(state, "press", "press", &press).await?;
        let witness = config::Witness {
            network,
            edge: edge.clone(),
            state: "state".into(),
            directory: found::file::DIRECTORY.into(),
            identity: found::file::IDENTITY.into(),
        };
        self.add(state, "witness", "witness", &witness).await?;
        let crowd = config::Crowd {
            network,
            edge: edge.clone(),
            directory: found::file::DIRECTORY.into(),
            readers: args.readers,
        };
        self.add(state, "crowd", "crowd", &crowd).await?;
        Ok(edge)
    }

    /// Writes a role's configuration and starts it.
    async fn add<C: serde::Serialize>(
        &mut self,
        state: &State,
        name: &str,
        role: &str,
        config: &C,
    ) -> anyhow::Result<String> {
        let folder = state.dir.join(name);
        std::fs::create_dir_all(&folder)?;
        let file = folder.join(format!("{role}.toml"));
        std::fs::write(&file, toml::to_string(config)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        let (child, address) = Child::start(name, role, &file).await?;
        self.children.push(child);
        Ok(address)
    }

    /// Waits until a role ends, which none should.
    async fn ended(&mut self) -> String {
        let waiting = self.children.iter_mut().map(|child| Box::pin(child.ended()));
        futures_util::future::select_all(waiting).await.0
    }

    /// Stops every role, the last started first.
    async fn stop(mut self) {
        while let Some(child) = self.children.pop() {
            child.stop().await;
        }
    }
}

async fn show(
    town: &mut Town,
    args: &Args,
    articles: Articles,
    state: &State,
    stop: &mut ambient::Stop,
) -> anyhow::Result<()> {
    println!("Starting the whole of Firsthand on this machine ...");
    let edge = tokio::select! {
        edge = town.found(args, articles, state) => edge?,
        _ = stop.changed() => return Ok(()),
    };
    let network = state.network;
    let port = |n: u16| args.port.map_or(0, |port| port + n);
    let desk = |port| config::Desk {
        network,
        edge: edge.clone(),
        directory: found::file::DIRECTORY.into(),
        state: "state".into(),
        identity: found::file::IDENTITY.into(),
        vault: found::file::VAULT.into(),
        port,
    };
    let reader = config::Reader {
        network,
        edge: edge.clone(),
        directory: found::file::DIRECTORY.into(),
        state: "state".into(),
        port: port(1),
    };
    let first = town.add(state, found::file::DESK, "desk", &desk(port(2))).await?;
    let mut others = Vec::new();
    for other in &state.others {
        others.push((other, town.add(state, &other.folder, "desk", &desk(0)).await?));
    }
    let reader = town.add(state, "reader", "reader", &reader).await?;

    println!();
    println!("  Reader   {reader}");
    println!("  Desk     {first}");
    println!("           passphrase: {}", state.passphrase);
    println!("  Status   {edge}/status");
    println!("  Edition  {edge}/edition");
    println!();
    println!("More desks, of two newsrooms; all share one crowd:");
    for (other, link) in &others {
        println!("  {}", other.title);
        println!("           {link}");
        println!("           passphrase: {}", other.passphrase);
    }
    println!();
    println!("A demonstration network with {} simulated readers: not for real tips.", args.readers);
    println!("Links of reader and desks work once: the browser that opens one keeps it.");
    match &args.dir {
        Some(dir) => println!("State is kept in {}.", dir.display()),
        None => println!("State is removed at the end; keep it with --dir DIR."),
    }
    println!("Stop with Ctrl-C.");
    if !args.no_open {
        open_browser(&reader);
    }
    tokio::select! {
        why = town.ended() => bail!("{why}"),
        _ = stop.changed() => {
            println!("\nStopping ...");
            Ok(())
        }
    }
}

/// What the press is to read: folders and addresses of feeds.
struct Articles {
    folders: Vec<PathBuf>,
    feeds: Vec<String>,
}

impl Articles {
    /// What was asked for, which may be nothing.
    fn named(articles: &[String]) -> anyhow::Result<Self> {
        let (feeds, folders): (Vec<_>, Vec<_>) =
            articles.iter().cloned().partition(|a| a.starts_with("http://") || a.starts_with("https://"));
        let folders = folders
            .iter()
            .map(|folder| {
                let path = std::path::absolute(folder)?;
                if path.is_dir() {
                    Ok(path)
                } else {
                    bail!("{folder} is not a folder. Name one that holds articles, or the address of a feed.")
                }
            })
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { folders, feeds })
    }

    /// The same, or the samples if nothing was asked for.
    fn or_samples(mut self, dir: &Path) -> anyhow::Result<Self> {
        if self.folders.is_empty() && self.feeds.is_empty() {
            let samples = dir.join("samples");
            if !samples.exists() {
                std::fs::create_dir_all(&samples)?;
                SAMPLES.extract(&samples).context("cannot unpack the sample articles")?;
            }
            self.folders.push(samples);
        }
        Ok(self)
    }
}

/// Opens an address in the person's browser, if this machine has a way.
fn open_browser(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let mut command = std::process::Command::new(program);
    command.arg(address).stdin(quiet()).stdout(quiet()).stderr(quiet());
    // Ctrl-C in the terminal is for the demonstration, not for the browser.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _ = command.spawn();
}

/// Waits a little: how often the turn looks.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}
