//! Configuration of each role: a TOML file whose every key is known. Secrets stand in files of their own.

use std::path::{Path, PathBuf};

use proto::NetworkId;
use proto::directory::{Directory, UnverifiedDirectory};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read {file}: {cause}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("{file}: {cause}")]
    Parse {
        /// Which.
        file: String,
        /// Where and why.
        cause: toml::de::Error,
    },
    /// A value that cannot be right.
    #[error("{file}: {what}")]
    Value {
        /// Which file.
        file: String,
        /// What is wrong, and what would be right.
        what: String,
    },
}

/// A role's configuration.
pub trait Config: DeserializeOwned {
    /// Makes the paths in it relative to the folder of its file.
    fn settle(&mut self, folder: &Path);
}

/// Reads a configuration; its paths are relative to its folder.
pub fn read<C: Config>(file: &Path) -> Result<C, ConfigError> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|cause| ConfigError::Read { file: name.clone(), cause })?;
    let mut config: C = toml::from_str(&text).map_err(|cause| ConfigError::Parse { file: name, cause })?;
    config.settle(file.parent().unwrap_or(Path::new("")));
    Ok(config)
}

/// `firsthand edge`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The network's id, 64 hexadecimal digits.
    pub network: String,
    /// Where to listen, `address:port`; port 0 takes a free one.
    pub listen: String,
    /// Folder of its journal and blobs.
    pub state: PathBuf,
    /// The signed directory.
    pub directory: PathBuf,
}

/// `firsthand mix`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// The network's id, 64 hexadecimal digits.
    pub network: String,
    /// Its place in the cascade, counted from 1. The last is the exit.
    pub place: u8,
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// Folder of its state.
    pub state: PathBuf,
    /// The signed directory.
    pub directory: PathBuf,
    /// File with its identity's seed.
    pub identity: PathBuf,
    /// File with its key's seed.
    pub key: PathBuf,
}

/// `firsthand press`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Press {
    /// The network's id, 64 hexadecimal digits.
    pub network: String,
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// Folder of its state.
    pub state: PathBuf,
    /// The signed directory.
    pub directory: PathBuf,
    /// File with its identity's seed.
    pub identity: PathBuf,
    /// Folders of articles.
    #[serde(default)]
    pub folders: Vec<PathBuf>,
    /// Addresses of feeds.
    #[serde(default)]
    pub feeds: Vec<String>,
}

/// `firsthand reader`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The network's id, 64 hexadecimal digits. Pinned: nothing else is believed.
    pub network: String,
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// The signed directory that came with the program; newer ones are fetched.
    pub directory: PathBuf,
    /// Folder of editions and mailbox.
    pub state: PathBuf,
    /// Port of its pages on 127.0.0.1; 0 takes a free one.
    #[serde(default)]
    pub port: u16,
}

/// `firsthand desk`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Desk {
    /// The network's id, 64 hexadecimal digits.
    pub network: String,
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// The signed directory that came with the program; newer ones are fetched.
    pub directory: PathBuf,
    /// Folder of editions, drops and queue.
    pub state: PathBuf,
    /// File with the desk identity's seed.
    pub identity: PathBuf,
    /// The encrypted vault.
    pub vault: PathBuf,
    /// Port of its pages on 127.0.0.1; 0 takes a free one.
    #[serde(default)]
    pub port: u16,
}

/// `firsthand crowd`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Crowd {
    /// The network's id, 64 hexadecimal digits.
    pub network: String,
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// The signed directory that came with the program; newer ones are fetched.
    pub directory: PathBuf,
    /// How many readers to simulate.
    pub readers: u16,
}

fn under(folder: &Path, paths: impl IntoIterator<Item = impl std::borrow::BorrowMut<PathBuf>>) {
    for mut path in paths {
        let path = std::borrow::BorrowMut::borrow_mut(&mut path);
        *path = folder.join(&*path);
    }
}

impl Config for Edge {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory]);
    }
}

impl Config for Mix {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity, &mut self.key]);
    }
}

impl Config for Press {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity]);
        under(folder, self.folders.iter_mut());
    }
}

impl Config for Reader {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory]);
    }
}

impl Config for Desk {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity, &mut self.vault]);
    }
}

impl Config for Crowd {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.directory]);
    }
}

/// Parses a network id.
pub fn network(text: &str) -> Result<NetworkId, ConfigError> {
    NetworkId::from_hex(text).ok_or_else(|| ConfigError::Value {
        file: "network".into(),
        what: "a network's id is 64 hexadecimal digits".into(),
    })
}

/// Reads and verifies the directory in `file`. Returns its bytes too.
pub fn directory(file: &Path, network: &NetworkId) -> Result<(Directory, Vec<u8>), ConfigError> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|cause| ConfigError::Read { file: name.clone(), cause })?;
    let directory = UnverifiedDirectory::from_bytes(&bytes)
        .map_err(Into::into)
        .and_then(|d| d.verify(network))
        .map_err(|why| ConfigError::Value { file: name, what: why.to_string() })?;
    Ok((directory, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_named_with_their_line() {
        let file = std::env::temp_dir().join(format!("firsthand-config-{}.toml", std::process::id()));
        std::fs::write(&file, "network = \"00\"\nedge = \"x\"\ndirectory = \"d\"\nlisen = 1\nreaders = 4\n")
            .unwrap();
        let why = read::<Crowd>(&file).unwrap_err().to_string();
        assert!(why.contains("line 4") && why.contains("lisen"), "{why}");
        std::fs::remove_file(&file).unwrap();
        let why = read::<Crowd>(&file).unwrap_err().to_string();
        assert!(why.starts_with("cannot read"), "{why}");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let dir = std::env::temp_dir();
        let file = dir.join(format!("firsthand-press-{}.toml", std::process::id()));
        std::fs::write(
            &file,
            "network = \"00\"\nedge = \"x\"\nstate = \"s\"\ndirectory = \"d\"\nidentity = \"i\"\nfolders = [\"a\", \"/b\"]\n",
        )
        .unwrap();
        let press = read::<Press>(&file).unwrap();
        assert_eq!(press.state, dir.join("s"));
        assert_eq!(press.folders, [dir.join("a"), PathBuf::from("/b")]);
        std::fs::remove_file(&file).unwrap();
    }
}
