//! Each role: its parts opened from its configuration, its loop run until it is told to stop.
//!
//! A role that serves says `ready ADDRESS` on standard output once it does.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
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
use tokio::task::JoinSet;

use crate::ambient::{self, Stop};
use crate::{config, found};

/// Resolves once everything is to stop.
pub(crate) async fn stopped(mut stop: Stop) {
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
    let _alone = alone(&config.state)?;
    let press = press::Press::open(press_config(config)?, ambient::clock())?;
    ready("press");
    press::run(press, stop).await?;
    Ok(())
}

/// What a press is opened with.
pub(crate) fn press_config(config: config::Press) -> anyhow::Result<press::Config> {
    let (_, directory) = config::directory(&config.directory, &config.network)?;
    Ok(press::Config {
        inputs: config.inputs(),
        edge: config.edge,
        state: config.state,
        directory,
        network: config.network,
        identity: IdentitySecret::from_seed(&*seed::read(&config.identity)?),
    })
}

/// Holds the press's folder until it is dropped: two presses at once could sign two editions that both follow the same one.
pub(crate) fn alone(state: &Path) -> anyhow::Result<std::fs::File> {
    make_folder(state)?;
    let file = state.join("press.lock");
    let lock = std::fs::File::create(&file).with_context(|| format!("cannot write {}", file.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => bail!(
            "A press runs with the folder {} already, and makes each edition by itself. Stop it first.",
            state.display()
        ),
        Err(std::fs::TryLockError::Error(why)) => {
            Err(anyhow::Error::from(why).context(format!("cannot lock {}", file.display())))
        }
    }
}

/// Makes a role's folder if it is not there.
pub(crate) fn make_folder(state: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(state).with_context(|| {
        let state = state.display();
        format!("The folder {state} cannot be made. Check that there is room on its disk and that you may write to it.")
    })
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

/// Derives one key for nothing before the link is given out, whether or not words are ever typed: the peak of this process's
/// memory then says nothing of them. Reader and desk do it here, and with them the demonstration, whose roles they are; the
/// readers that it simulates have nobody who types.
async fn rehearse() -> anyhow::Result<()> {
    let mut rng = ambient::rng()?;
    Ok(tokio::task::spawn_blocking(move || Kdf::desktop().rehearse(&mut rng)).await??)
}

/// Runs the reader: its device, and its pages on loopback.
pub async fn reader(config: config::Reader, stop: Stop) -> anyhow::Result<()> {
    let device = reader_device(&config)?;
    let loopback = Loopback::take(config.port).await?;
    let (pages, link) =
        reader::pages(Arc::clone(&device), loopback.address()?, ambient::clock(), &mut ambient::rng()?);
    rehearse().await?;
    ready(link);
    run_device(device, loopback, pages, stop).await
}

/// Runs the desk: its device, and its pages on loopback.
pub async fn desk(config: config::Desk, stop: Stop) -> anyhow::Result<()> {
    let device = desk_device(&config)?;
    let loopback = Loopback::take(config.port).await?;
    let (pages, link) = desk::pages(
        Arc::clone(&device),
        config.vault,
        loopback.address()?,
        ambient::clock(),
        &mut ambient::rng()?,
    );
    rehearse().await?;
    ready(link);
    run_device(device, loopback, pages, stop).await
}

/// Makes the vault of a founded network's first desk. Returns the passphrase that opens it.
pub fn make_vault(dir: &Path, network: found::Network, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    vault(&dir.join(found::file::DESK), network.vault, rng)
}

/// Makes the vaults of a founded network's other desks: who they are, and the passphrase that opens each.
pub fn make_other_vaults(
    dir: &Path,
    others: Vec<found::OtherDesk>,
    rng: &mut impl CryptoRng,
) -> anyhow::Result<Vec<(String, String)>> {
    let make = |other: found::OtherDesk| Ok((other.title, vault(&dir.join(other.folder), other.vault, rng)?));
    others.into_iter().map(make).collect()
}

fn vault(folder: &Path, contents: VaultContents, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    let passphrase = Passphrase::generate(rng);
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

/// One port, at both addresses of this machine. Browsers take the name of the pages to ::1 first and to 127.0.0.1 after it:
/// whoever held the port at ::1 would be given the launch link, the cookie and the six words.
pub(crate) struct Loopback {
    four: TcpListener,
    /// None where there is no IPv6, and so nobody whom a browser could ask.
    six: Option<TcpListener>,
}

/// Whether the port is ours at ::1.
enum Six {
    Ours(TcpListener),
    NotHere,
    Taken,
}

impl Loopback {
    /// How many free ports are tried. Of those that the system gives out at 127.0.0.1 few are in use at ::1, unless somebody
    /// holds them on purpose.
    const DRAWS: usize = 16;

    /// Takes this port, or with 0 a free one.
    pub(crate) async fn take(port: u16) -> anyhow::Result<Self> {
        match port {
            0 => Self::first(&[0; Self::DRAWS]).await,
            fixed => Self::first(&[fixed]).await,
        }
    }

    /// Takes the first of these ports that nobody else holds at ::1.
    async fn first(ports: &[u16]) -> anyhow::Result<Self> {
        let mut last = 0;
        for port in ports {
            let four = bind_four(*port).await?;
            last = four.local_addr()?.port();
            match bind_six(last).await? {
                Six::Ours(six) => return Ok(Self { four, six: Some(six) }),
                Six::NotHere => return Ok(Self { four, six: None }),
                Six::Taken => {}
            }
        }
        bail!(
            "The address [::1]:{last} is in use, and browsers ask there first: whoever holds it would see what you type. \
             Nothing was opened. Stop the program that holds it, or give another port."
        )
    }

    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.four.local_addr()
    }

    pub(crate) fn listeners(self) -> impl Iterator<Item = TcpListener> {
        std::iter::once(self.four).chain(self.six)
    }
}

async fn bind_four(port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|cause| match cause.kind() {
        ErrorKind::AddrInUse => anyhow!(
            "The address 127.0.0.1:{port} is in use. Stop the program that holds it, or give another port."
        ),
        _ => anyhow::Error::from(cause).context(format!(
            "The address 127.0.0.1:{port} cannot be listened at. Give another port, or 0 for a free one."
        )),
    })
}

async fn bind_six(port: u16) -> anyhow::Result<Six> {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await {
        Ok(six) => Ok(Six::Ours(six)),
        Err(cause) if cause.kind() == ErrorKind::AddrInUse => Ok(Six::Taken),
        Err(cause) if is_without_ipv6(&cause) => Ok(Six::NotHere),
        // Whatever else keeps us from it need not keep others from it.
        Err(cause) => Err(anyhow::Error::from(cause).context(format!(
            "The address [::1]:{port} cannot be listened at, and browsers ask there first. Nothing was opened. \
             Give another port, or 0 for a free one."
        ))),
    }
}

/// Whether the machine has no ::1, or no IPv6 at all.
fn is_without_ipv6(cause: &std::io::Error) -> bool {
    #[cfg(unix)]
    if rustix::io::Errno::from_io_error(cause) == Some(rustix::io::Errno::AFNOSUPPORT) {
        return true;
    }
    cause.kind() == ErrorKind::AddrNotAvailable
}

/// Serves the pages and runs the device until told to stop; then lets the device write its mailbox a last time.
async fn run_device(
    device: Arc<Device>,
    loopback: Loopback,
    pages: Router,
    stop: Stop,
) -> anyhow::Result<()> {
    // Dropped at the end, with whatever still runs in it: a browser keeps its connection open, and there is nothing to
    // wait for.
    let mut served = JoinSet::new();
    for listener in loopback.listeners() {
        let (pages, stop) = (pages.clone(), stop.clone());
        served.spawn(async move { axum::serve(listener, pages).with_graceful_shutdown(stopped(stop)).await });
    }
    device.run(stopped(stop)).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port that somebody else holds at ::1 and nobody at 127.0.0.1. None on a machine without IPv6.
    async fn held() -> Option<(TcpListener, u16)> {
        for _ in 0..64 {
            let held = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.ok()?;
            let port = held.local_addr().unwrap().port();
            if bind_four(port).await.is_ok() {
                return Some((held, port));
            }
        }
        None
    }

    #[tokio::test]
    async fn a_free_port_is_free_at_both_addresses_or_another_is_taken() {
        let Some((_held, port)) = held().await else {
            println!("skipped: no ::1 here");
            return;
        };
        let loopback = Loopback::first(&[port, 0]).await.unwrap();
        let other = loopback.address().unwrap().port();
        assert_ne!(other, port);
        assert_eq!(loopback.six.as_ref().unwrap().local_addr().unwrap().port(), other);
        // With no other to take, nothing is opened.
        assert!(Loopback::first(&[port, port]).await.is_err());
    }

    #[test]
    fn one_press_at_a_time_holds_a_folder() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let held = alone(&state).unwrap();
        let why = alone(&state).unwrap_err().to_string();
        assert!(why.contains("Stop it first"), "{why}");
        drop(held);
        assert!(alone(&state).is_ok());
    }

    #[test]
    fn only_a_machine_without_ipv6_is_served_without_it() {
        for (kind, without) in [
            (ErrorKind::AddrNotAvailable, true),
            (ErrorKind::AddrInUse, false),
            (ErrorKind::PermissionDenied, false),
            (ErrorKind::OutOfMemory, false),
        ] {
            assert_eq!(is_without_ipv6(&kind.into()), without, "{kind}");
        }
        #[cfg(unix)]
        assert!(is_without_ipv6(&rustix::io::Errno::AFNOSUPPORT.into()));
    }
}
