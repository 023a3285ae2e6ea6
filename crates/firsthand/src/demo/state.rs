//! The demonstration's folder: one network, its roles' folders, and what the demonstration itself remembers.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use proto::{DeskId, Millis, NetworkId};
use rand::rngs::StdRng;
use rand::{CryptoRng, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::found::{self, Plan};
use crate::roles;

/// The demonstration's own file in its folder.
const FILE: &str = "demo.toml";
/// Held while a demonstration runs.
const LOCK: &str = "demo.lock";
/// Written first: a folder with other things in it is not ours to fill.
const VERSION: u32 = 7;

/// What the demonstration remembers. The passphrase stands here in the open because nothing in a demonstration is secret.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    version: u32,
    network: String,
    desk: String,
    passphrase: String,
    round_ms: u32,
    /// The desks beside the first.
    #[serde(default)]
    others: Vec<Other>,
}

/// Another desk, as it is printed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Other {
    /// The folder of its role.
    pub folder: String,
    /// Its name and its newsroom's.
    pub title: String,
    /// Opens its vault.
    pub passphrase: String,
}

/// A demonstration's folder, locked.
pub(super) struct State {
    /// Where it is.
    pub dir: PathBuf,
    /// The network in it.
    pub network: NetworkId,
    /// The network's desk.
    pub desk: DeskId,
    /// Opens the desk's vault.
    pub passphrase: String,
    /// The desks beside it.
    pub others: Vec<Other>,
    /// T in milliseconds, as the network was founded with.
    pub round_ms: u32,
    /// Whether the network was founded just now.
    pub fresh: bool,
    // Dropped last: the folder is ours until then.
    _lock: File,
    remove: bool,
}

impl State {
    /// Opens the folder `dir`, or founds a network in it. Without `dir`, founds one in a new temporary folder that is removed
    /// at the end.
    pub(super) fn open(
        dir: Option<&Path>,
        round_ms: u32,
        now: Millis,
        rng: &mut impl CryptoRng,
    ) -> anyhow::Result<Self> {
        let remove = dir.is_none();
        let dir = match dir {
            Some(dir) => std::path::absolute(dir)?,
            None => {
                let mut name = [0; 8];
                rng.fill_bytes(&mut name);
                std::env::temp_dir().join(format!("firsthand-demo-{}", hex::encode(name)))
            }
        };
        fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        let file = dir.join(FILE);
        if !file.exists() && has_other_things(&dir)? {
            bail!(
                "{} holds other things than a demonstration. Name an empty or new folder with --dir",
                dir.display()
            );
        }
        let lock =
            File::create(dir.join(LOCK)).with_context(|| format!("cannot write in {}", dir.display()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "a demonstration already runs in {}. Stop it first, or name another folder with --dir",
                dir.display()
            ),
            Err(TryLockError::Error(why)) => return Err(why).context("cannot lock the folder"),
        }
        let remembered = if file.exists() { Some(read(&file)?) } else { None };
        let fresh = remembered.is_none();
        let it = match remembered {
            Some(it) => it,
            None => {
                let it = found_network(&dir, round_ms, now, rng)?;
                // Last: a folder without it was not founded to the end.
                fs::write(&file, toml::to_string(&it)?)?;
                it
            }
        };
        let broken = || format!("{} is not what a demonstration wrote", file.display());
        Ok(Self {
            network: NetworkId::from_hex(&it.network).with_context(broken)?,
            desk: DeskId::from_hex(&it.desk).with_context(broken)?,
            passphrase: it.passphrase,
            others: it.others,
            round_ms: it.round_ms,
            fresh,
            dir,
            _lock: lock,
            remove,
        })
    }

    /// Removes the folder if it was only for this run.
    pub(super) fn close(self) -> anyhow::Result<()> {
        if self.remove {
            fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove {}", self.dir.display()))?;
        }
        Ok(())
    }
}

fn has_other_things(dir: &Path) -> anyhow::Result<bool> {
    let list = fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    Ok(list.flatten().any(|entry| entry.file_name() != LOCK))
}

fn read(file: &Path) -> anyhow::Result<Remembered> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let it: Remembered = toml::from_str(&text).with_context(|| {
        format!("{} is not what a demonstration wrote. Name another folder with --dir", file.display())
    })?;
    if it.version != VERSION {
        bail!("{} was written by another version. Name another folder with --dir", file.display());
    }
    Ok(it)
}

fn found_network(
    dir: &Path,
    round_ms: u32,
    now: Millis,
    rng: &mut impl CryptoRng,
) -> anyhow::Result<Remembered> {
    let mut network = found::found(dir, &Plan { round_ms, genesis: now }, rng)
        .with_context(|| format!("cannot found a network in {}", dir.display()))?;
    let (id, desk) = (network.id.to_string(), network.desk.to_string());
    let others = std::mem::take(&mut network.others);
    let folders: Vec<_> = others.iter().map(|other| other.folder.to_owned()).collect();
    // Deriving a key takes its time; beside the first desk's the others' cost none.
    let mut their_rng = StdRng::from_rng(rng);
    let (passphrase, made) = std::thread::scope(|scope| {
        let made = scope.spawn(|| roles::make_other_vaults(dir, others, &mut their_rng));
        (roles::make_vault(dir, network, rng), made.join())
    });
    let made = made.map_err(|_| anyhow!("the vaults of the other desks could not be made"))??;
    let other = |(folder, (title, passphrase))| Other { folder, title, passphrase };
    let others = folders.into_iter().zip(made).map(other).collect();
    Ok(Remembered { version: VERSION, network: id, desk, passphrase: passphrase?, round_ms, others })
}
