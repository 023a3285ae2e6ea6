//! Uploads to an edge, over real HTTP on loopback, each answered only when it is durable.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use lab::town::{GENESIS, Town};
use proto::size::ENVELOPE;
use proto::{Clock, Millis};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use server::edge::{Ceilings, Config, Edge, Listening, RunError};
use server::faults::Hook;
use server::store::{Journal as _, SqliteJournal};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::board::{Board, Plan, Unit};

/// As a proxy before the edge would hold them open; each sends one envelope after the other.
const CONNECTIONS: u32 = 64;
/// Envelopes on each connection, so that a run takes about a second.
const EACH: u32 = 128;

pub(crate) fn measure(board: &mut Board) -> Result<()> {
    let name = "edge: uploads, durable, over 64 connections";
    let plan = Plan { name, unit: Unit::PerSecond, runs: 7, count: CONNECTIONS * EACH };
    if !board.wants(plan.name) {
        return Ok(());
    }
    let town = Town::new(100_000);
    let runtime = Runtime::new()?;
    let upload = |mut running: Running| {
        runtime.block_on(running.upload())?;
        Ok(running)
    };
    let prepare = || runtime.block_on(Running::start(&town));
    board.time_prepared(&plan, prepare, upload, |running| runtime.block_on(running.check()))
}

/// An edge at work in the middle of round 0, and those who send to it.
struct Running {
    folder: TempDir,
    edge: JoinHandle<Result<(), RunError>>,
    stop: oneshot::Sender<()>,
    connections: Vec<TcpStream>,
}

impl Running {
    async fn start(town: &Town) -> Result<Self> {
        let folder = crate::folder()?;
        let directory = folder.path().join("directory");
        std::fs::write(&directory, &town.bytes)?;
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: folder.path().join("state"),
            network: town.network,
            directory,
            max_journal_bytes: None,
            // All of it comes from this computer.
            ceilings: Ceilings { address: CONNECTIONS * EACH, ..Ceilings::default() },
        };
        let edge =
            Edge::open(&config, Arc::new(Stopped), &mut StdRng::seed_from_u64(1), Hook::none()).await?;
        let listening: Listening = edge.listen(config.listen).await?;
        let address = listening.address();
        let (stop, stopped) = oneshot::channel();
        let edge = tokio::spawn(listening.run(async { drop(stopped.await) }));
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let connection = TcpStream::connect(address).await?;
            connection.set_nodelay(true)?;
            connections.push(connection);
        }
        Ok(Self { folder, edge, stop, connections })
    }

    async fn upload(&mut self) -> Result<()> {
        let mut senders = JoinSet::new();
        for (seed, connection) in (0..).zip(self.connections.drain(..)) {
            senders.spawn(send(connection, StdRng::seed_from_u64(seed)));
        }
        while let Some(sent) = senders.join_next().await {
            sent??;
        }
        Ok(())
    }

    /// Every upload is answered alike, taken or not: whether they were taken stands in the journal.
    async fn check(self) -> Result<()> {
        self.stop.send(()).ok().context("the edge runs until now")?;
        self.edge.await??;
        let kept = kept(&self.folder.path().join("state/journal.sqlite")).await?;
        ensure!(kept == u64::from(CONNECTIONS * EACH), "{kept} envelopes are in the journal");
        Ok(())
    }
}

async fn kept(journal: &Path) -> Result<u64> {
    let journal = SqliteJournal::open(journal, None)?;
    Ok(journal.streams("envelopes/").await?.iter().map(|stream| stream.len).sum())
}

async fn send(mut connection: TcpStream, mut rng: StdRng) -> Result<()> {
    let mut request =
        format!("POST /v1/rounds/0/envelopes HTTP/1.1\r\nhost: edge\r\ncontent-length: {ENVELOPE}\r\n\r\n")
            .into_bytes();
    let head = request.len();
    request.resize(head + ENVELOPE, 0);
    let mut answer = Vec::with_capacity(512);
    for _ in 0..EACH {
        rng.fill_bytes(&mut request[head..]);
        connection.write_all(&request).await?;
        answer.clear();
        // The answer has no body, so it ends with its head.
        while !answer.ends_with(b"\r\n\r\n") {
            ensure!(connection.read_buf(&mut answer).await? > 0, "the edge hung up");
        }
        ensure!(answer.starts_with(b"HTTP/1.1 202"), "{}", String::from_utf8_lossy(&answer));
    }
    Ok(())
}

/// Stands in the middle of round 0.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Millis {
        GENESIS.plus(1_800_000)
    }
}
