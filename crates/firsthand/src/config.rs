//! Configuration of each role: a TOML file whose every key is known and whose every value is checked before anything
//! starts. Secrets stand in files of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use proto::NetworkId;
use proto::directory::{Directory, DirectoryRejected, UnverifiedDirectory};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or cannot be read.
    #[error("cannot read {file}: {cause}. Name a file that is there and that you may read")]
    Read {
        /// Which.
        file: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The file is not what it should be. The parser shows the line.
    #[error("{file}: {}", .cause.to_string().trim_end())]
    Parse {
        /// Which.
        file: String,
        /// Where and why.
        cause: toml::de::Error,
    },
    /// It names a file that is not there.
    #[error("{file}, line {line}: `{key}` names {}, which is not there. Mend the line, or put the file there", .path.display())]
    Missing {
        /// Which configuration.
        file: String,
        /// Where in it, counted from 1.
        line: usize,
        /// Which key.
        key: &'static str,
        /// What it names.
        path: PathBuf,
    },
    /// A directory that cannot be right.
    #[error("{file}: {why}. Get the directory of your network")]
    Directory {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: DirectoryRejected,
    },
}

/// A role's configuration.
pub trait Config: DeserializeOwned {
    /// Makes the paths in it relative to the folder of its file.
    fn settle(&mut self, folder: &Path);

    /// The files that must be there before the role starts, each with its key.
    fn needs(&self) -> Vec<(&'static str, &Path)>;
}

/// Reads a configuration; its paths are relative to its folder.
pub fn read<C: Config>(file: &Path) -> Result<C, ConfigError> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|cause| ConfigError::Read { file: name.clone(), cause })?;
    let mut config: C =
        toml::from_str(&text).map_err(|cause| ConfigError::Parse { file: name.clone(), cause })?;
    config.settle(file.parent().unwrap_or(Path::new("")));
    if let Some((key, path)) = config.needs().into_iter().find(|(_, path)| !path.is_file()) {
        return Err(ConfigError::Missing {
            file: name,
            line: line_of(&text, key),
            key,
            path: path.to_owned(),
        });
    }
    Ok(config)
}

/// The line on which `key` is given its value. Every key of a configuration stands at its top level.
fn line_of(text: &str, key: &str) -> usize {
    let given = |line: &str| line.split_once('=').is_some_and(|(before, _)| before.trim() == key);
    1 + text.lines().position(given).unwrap_or(0)
}

/// `firsthand edge`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// The network's id, 64 hexadecimal digits.
    #[serde(with = "network")]
    pub network: NetworkId,
    /// Where to listen, `address:port`; port 0 takes a free one.
    #[serde(deserialize_with = "listen")]
    pub listen: SocketAddr,
    /// Folder of its journal and blobs.
    pub state: PathBuf,
    /// The signed directory.
    pub directory: PathBuf,
    /// The most that the journal of envelopes may weigh, in bytes. Beyond it envelopes are answered 503 until the first
    /// mix has taken what is there, so that a flood cannot fill the disk for everything else.
    #[serde(default = "max_journal_bytes")]
    pub max_journal_bytes: u64,
}

/// 32 GiB: a round of four million envelopes.
pub fn max_journal_bytes() -> u64 {
    32 << 30
}

/// `firsthand mix`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mix {
    /// The network's id, 64 hexadecimal digits.
    #[serde(with = "network")]
    pub network: NetworkId,
    /// Its place in the cascade, counted from 1. The last is the exit.
    #[serde(deserialize_with = "place")]
    pub place: u8,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
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
    #[serde(with = "network")]
    pub network: NetworkId,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
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

/// `firsthand witness`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The network's id, 64 hexadecimal digits.
    #[serde(with = "network")]
    pub network: NetworkId,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
    pub edge: String,
    /// Folder of its state. Never an old copy of it: a witness that forgets can be made to contradict itself.
    pub state: PathBuf,
    /// The signed directory.
    pub directory: PathBuf,
    /// File with its identity's seed.
    pub identity: PathBuf,
}

/// `firsthand reader`
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    /// The network's id, 64 hexadecimal digits. Pinned: nothing else is believed.
    #[serde(with = "network")]
    pub network: NetworkId,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
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
    #[serde(with = "network")]
    pub network: NetworkId,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
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
    #[serde(with = "network")]
    pub network: NetworkId,
    /// The edge's address, `http://host:port`.
    #[serde(deserialize_with = "edge")]
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

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path())]
    }
}

impl Config for Mix {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity, &mut self.key]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![
            ("directory", self.directory.as_path()),
            ("identity", self.identity.as_path()),
            ("key", self.key.as_path()),
        ]
    }
}

impl Config for Press {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity]);
        under(folder, self.folders.iter_mut());
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path()), ("identity", self.identity.as_path())]
    }
}

impl Config for Witness {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path()), ("identity", self.identity.as_path())]
    }
}

impl Config for Reader {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path())]
    }
}

impl Config for Desk {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity, &mut self.vault]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![
            ("directory", self.directory.as_path()),
            ("identity", self.identity.as_path()),
            ("vault", self.vault.as_path()),
        ]
    }
}

impl Config for Crowd {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.directory]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path())]
    }
}

/// A network's id as its 64 hexadecimal digits.
mod network {
    use proto::NetworkId;
    use serde::de::{Deserialize as _, Deserializer, Error as _};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(id: &NetworkId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<NetworkId, D::Error> {
        let text = String::deserialize(from)?;
        NetworkId::from_hex(&text).ok_or_else(|| D::Error::custom("a network's id is 64 hexadecimal digits"))
    }
}

fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    let why = || D::Error::custom(format!("`{text}` is not an address and port, like 127.0.0.1:8080"));
    text.parse().map_err(|_| why())
}

fn edge<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    let url = reqwest::Url::parse(&text).ok();
    match url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        Some(_) => Ok(text),
        None => Err(D::Error::custom(format!(
            "`{text}` is not the address of an edge, like http://127.0.0.1:8080"
        ))),
    }
}

fn place<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    match u8::deserialize(from)? {
        0 => Err(D::Error::custom("mixes are counted from 1")),
        place => Ok(place),
    }
}

/// Reads and verifies the directory in `file`. Returns its bytes too.
pub fn directory(file: &Path, network: &NetworkId) -> Result<(Directory, Vec<u8>), ConfigError> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).map_err(|cause| ConfigError::Read { file: name.clone(), cause })?;
    let directory = UnverifiedDirectory::from_bytes(&bytes)
        .map_err(DirectoryRejected::from)
        .and_then(|d| d.verify(network))
        .map_err(|why| ConfigError::Directory { file: name, why })?;
    Ok((directory, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration's file in a folder with a file `there`.
    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("there"), "").unwrap();
        let file = folder.path().join("role.toml");
        std::fs::write(&file, text.replace("ID", &"a5".repeat(32))).unwrap();
        (folder, file)
    }

    const CROWD: &str =
        "network = \"ID\"\nedge = \"http://127.0.0.1:1\"\ndirectory = \"there\"\nreaders = 4\n";

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_key() {
        let why = |text: &str| read::<Crowd>(&file(text).1).unwrap_err().to_string();
        for (from, to, line, words) in [
            ("readers = 4", "lisen = 1\nreaders = 4", "line 4", "`lisen`"),
            ("readers = 4", "readers = 70000", "line 4", "readers"),
            ("ID", "zz", "line 1", "64 hexadecimal digits"),
            ("http://127.0.0.1:1", "nonsense", "line 2", "`nonsense` is not the address of an edge"),
            ("there", "not-there", "line 3", "`directory` names"),
            ("readers = 4", "", "role.toml", "missing field `readers`"),
        ] {
            let why = why(&CROWD.replace(from, to));
            assert!(why.contains(line) && why.contains(words) && why.contains("role.toml"), "{why}");
        }
        let why = read::<Crowd>(Path::new("no/such/file")).unwrap_err().to_string();
        assert!(why.starts_with("cannot read no/such/file"), "{why}");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let (folder, file) = file(
            "network = \"ID\"\nedge = \"http://edge.example\"\nstate = \"s\"\ndirectory = \"there\"\n\
             identity = \"there\"\nfolders = [\"a\", \"/b\"]\n",
        );
        let press = read::<Press>(&file).unwrap();
        assert_eq!(press.state, folder.path().join("s"));
        assert_eq!(press.folders, [folder.path().join("a"), PathBuf::from("/b")]);
    }

    #[test]
    fn what_is_written_is_read_again() {
        let edge = Edge {
            network: NetworkId([7; 32]),
            listen: ([127, 0, 0, 1], 8080).into(),
            state: "state".into(),
            directory: "there".into(),
            max_journal_bytes: 1 << 20,
        };
        let text = toml::to_string(&edge).unwrap();
        let (_folder, given) = file(&text);
        let again = read::<Edge>(&given).unwrap();
        assert_eq!((again.network, again.listen), (edge.network, edge.listen));
        assert_eq!(again.max_journal_bytes, 1 << 20);
        let (_folder, left_out) = file(&text.replace("max_journal_bytes", "# max_journal_bytes"));
        assert_eq!(read::<Edge>(&left_out).unwrap().max_journal_bytes, 32 << 30);
    }
}
