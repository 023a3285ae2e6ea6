//! Each role: its parts opened from its configuration, its loop run until it is told to stop.
//!
//! A role that serves says `ready ADDRESS` on standard output once it does.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use axum::Router;
use client::{
    Device, Inbox, Kdf, LibraryError, MailboxError, OpenError, Passphrase, Place, Vault, VaultContents,
};
use proto::sign::IdentitySecret;
use rand::CryptoRng;
use server::faults::Hook;
use server::seed;
use tokio::net::TcpListener;

use crate::ambient::{self, Stop};
use crate::{config, found};

/// Resolves once everything is to stop.
async fn stopped(mut stop: Stop) {
    // An error means that nobody can tell any more: stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn ready(address: impl std::fmt::Display) {
    println!("ready {address}");
}

/// Runs the edge.
pub async fn edge(config: config::Edge, stop: Stop) -> anyhow::Result<()> {
    let ceilings = config.ceilings().map_err(config::ConfigError::from)?;
    let edge = server::edge::Config {
        listen: config.listen,
        state: config.state,
        network: config.network,
        directory: config.directory,
        max_journal_bytes: Some(config.max_journal_bytes),
        ceilings,
    };
    let serving = |address| ready(format!("http://{address}"));
    server::run::run_edge(edge, ambient::clock(), ambient::rng()?, Hook::none(), serving, stopped(stop))
        .await?;
    Ok(())
}

/// Runs a mix.
pub async fn mix(config: config::Mix, stop: Stop) -> anyhow::Result<()> {
    let mix = server::mix::Config {
        hop: config.place - 1,
        edge: config.edge,
        state: config.state,
        identity: config.identity,
        network: config.network,
        directory: config.directory,
    };
    let rng = ambient::rng()?;
    server::run::run_mix(mix, ambient::clock(), rng, Hook::none(), || ready("mix"), stopped(stop)).await?;
    Ok(())
}

/// Runs the press.
pub async fn press(config: config::Press, stop: Stop) -> anyhow::Result<()> {
    let (_, directory) = config::directory(&config.directory, &config.network)?;
    let press = press::Press::open(press::Config {
        edge: config.edge,
        state: config.state,
        inputs: press::gather::Inputs { folders: config.folders, feeds: config.feeds },
        directory,
        network: config.network,
        identity: IdentitySecret::from_seed(&*seed::read(&config.identity)?),
    })?;
    ready("press");
    press::run(press, ambient::clock(), stop).await?;
    Ok(())
}

/// Runs a witness.
pub async fn witness(config: config::Witness, stop: Stop) -> anyhow::Result<()> {
    let witness = server::witness::Config {
        edge: config.edge,
        state: config.state,
        identity: config.identity,
        network: config.network,
        directory: config.directory,
    };
    let ready = || ready("witness");
    server::run::run_witness(witness, ambient::clock(), Hook::none(), ready, stopped(stop)).await?;
    Ok(())
}

/// Opens a reader's device.
pub fn reader_device(config: &config::Reader) -> anyhow::Result<Arc<Device>> {
    let device = client::Config {
        edge: config.edge.clone(),
        network: config.network,
        directory: read_directory(&config.directory)?,
        place: Place::Folder(config.state.clone()),
        kdf: Kdf::desktop(),
        desk: None,
    };
    open(device, &config.state)
}

/// Opens a desk's device.
pub fn desk_device(config: &config::Desk) -> anyhow::Result<Arc<Device>> {
    let device = client::Config {
        edge: config.edge.clone(),
        network: config.network,
        directory: read_directory(&config.directory)?,
        place: Place::Folder(config.state.clone()),
        kdf: Kdf::desktop(),
        desk: Some(IdentitySecret::from_seed(&*seed::read(&config.identity)?)),
    };
    open(device, &config.state)
}

fn open(device: client::Config, state: &Path) -> anyhow::Result<Arc<Device>> {
    let state = state.display();
    match Device::open(device, ambient::clock(), ambient::rng()?) {
        Ok(device) => Ok(Arc::new(device)),
        Err(OpenError::Library(LibraryError::OtherNetwork)) => {
            bail!("The state folder {state} belongs to another network. Give another folder.")
        }
        Err(OpenError::Mailbox(MailboxError::OpenElsewhere)) => {
            bail!("The state folder {state} is in use by another program. Stop that one first.")
        }
        Err(
            why @ (OpenError::Library(LibraryError::Disk { .. })
            | OpenError::Mailbox(MailboxError::Disk { .. })),
        ) => Err(anyhow::Error::from(why).context(format!(
            "The state folder {state} cannot be used. Check that there is room on its disk and that you may write to it."
        ))),
        Err(why) => Err(why.into()),
    }
}

fn read_directory(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Runs the reader: its device, and its pages on loopback.
pub async fn reader(config: config::Reader, stop: Stop) -> anyhow::Result<()> {
    let device = reader_device(&config)?;
    let listener = loopback(config.port).await?;
    let (pages, link) =
        reader::pages(Arc::clone(&device), listener.local_addr()?, ambient::clock(), &mut ambient::rng()?);
    ready(link);
    run_device(device, listener, pages, stop).await
}

/// Runs the desk: its device, and its pages on loopback.
pub async fn desk(config: config::Desk, stop: Stop) -> anyhow::Result<()> {
    let device = desk_device(&config)?;
    let listener = loopback(config.port).await?;
    let (pages, link) = desk::pages(
        Arc::clone(&device),
        config.vault,
        listener.local_addr()?,
        ambient::clock(),
        &mut ambient::rng()?,
    );
    ready(link);
    run_device(device, listener, pages, stop).await
}

/// Makes the vault of a founded network's first desk. Returns the passphrase that opens it.
pub fn make_vault(dir: &Path, network: found::Network, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    vault(&dir.join(found::file::DESK), network.intake, rng)
}

/// Makes the vaults of a founded network's other desks: who they are, and the passphrase that opens each.
pub fn make_other_vaults(
    dir: &Path,
    others: Vec<found::OtherDesk>,
    rng: &mut impl CryptoRng,
) -> anyhow::Result<Vec<(String, String)>> {
    let make =
        |other: found::OtherDesk| Ok((other.title, vault(&dir.join(other.folder), other.intake, rng)?));
    others.into_iter().map(make).collect()
}

fn vault(folder: &Path, intake: found::IntakeKeys, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    let passphrase = Passphrase::generate(rng);
    let identity = IdentitySecret::from_seed(&*seed::read(&folder.join(found::file::IDENTITY))?);
    let contents = VaultContents { identity, intake };
    Vault::create(&folder.join(found::file::VAULT), &passphrase, Kdf::desktop(), contents, rng)?;
    Ok(passphrase.words().collect::<Vec<_>>().join(" "))
}

/// Unlocks the desk's vault and opens its inbox.
pub async fn unlock_inbox(
    config: &config::Desk,
    device: &Arc<Device>,
    passphrase: &str,
) -> anyhow::Result<Inbox> {
    let passphrase = Passphrase::parse(passphrase)?;
    let file = config.vault.clone();
    let vault = tokio::task::spawn_blocking(move || Vault::unlock(&file, &passphrase)).await??;
    Ok(Inbox::new(Arc::clone(device), vault))
}

/// Takes a port of 127.0.0.1.
async fn loopback(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "The address 127.0.0.1:{port} is in use. Stop the program that holds it, or give another port."
        ),
        _ => anyhow::Error::from(cause).context(format!(
            "The address 127.0.0.1:{port} cannot be listened at. Give another port, or 0 for a free one."
        )),
    })
}

/// Serves the pages and runs the device until told to stop; then lets the device write its mailbox a last time.
async fn run_device(
    device: Arc<Device>,
    listener: TcpListener,
    pages: Router,
    stop: Stop,
) -> anyhow::Result<()> {
    let served = tokio::spawn({
        let stop = stop.clone();
        async move { axum::serve(listener, pages).with_graceful_shutdown(stopped(stop)).await }
    });
    device.run(stopped(stop)).await?;
    // A browser keeps its connection open; there is nothing to wait for.
    served.abort();
    Ok(())
}
