//! Configuration of each role: a TOML file whose every key is known and whose every value is checked before anything
//! starts. Secrets stand in files of their own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use proto::NetworkId;
use proto::directory::{Directory, DirectoryRejected};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use server::edge::{Ceilings, KnownBy, Range};

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
    /// Ceilings that no edge can have.
    #[error(transparent)]
    Ceiling(#[from] CeilingError),
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
    let needs = config.needs();
    if let Some(missing) = needs.iter().position(|(_, path)| !path.is_file()) {
        let (key, path) = needs[missing];
        // A key that is given for each relay: the line of this one.
        let nth = needs[..missing].iter().filter(|(other, _)| *other == key).count();
        return Err(ConfigError::Missing {
            file: name,
            line: line_of(&text, key, nth),
            key,
            path: path.to_owned(),
        });
    }
    Ok(config)
}

/// The line on which `key` is given its value for the nth time, counted from 0.
fn line_of(text: &str, key: &str, nth: usize) -> usize {
    let given = |line: &str| line.split_once('=').is_some_and(|(before, _)| before.trim() == key);
    let lines = text.lines().enumerate().filter(|(_, line)| given(line));
    1 + lines.map(|(at, _)| at).nth(nth).unwrap_or(0)
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
    /// Envelopes of one address that are taken for a round; what comes beyond is lost, and the status page counts it. An
    /// IPv6 address counts by its first 64 bits. All readers behind one address share this, and each sends one.
    #[serde(default = "address_ceiling")]
    pub address_ceiling: u32,
    /// Connections served at once. More wait.
    #[serde(default = "connections")]
    pub connections: u32,
    /// Connections of one address that are served at once. One more is closed.
    #[serde(default = "connections_per_address")]
    pub connections_per_address: u32,
    /// Who may send for others: proxies, CDNs, other organisations. Without an entry, a proxy before the edge counts as the
    /// one address it has.
    #[serde(default, rename = "relay")]
    pub relays: Vec<Relay>,
}

/// One relay, as `[[relay]]` in the edge's file. It is known by `from` or by `secret`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relay {
    /// The address or range it sends from, like `203.0.113.0/24`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// File with 64 hexadecimal digits, which it shows in the header `firsthand-relay`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<PathBuf>,
    /// Envelopes through it that are taken for a round.
    #[serde(default = "relay_ceiling")]
    pub ceiling: u32,
    /// The header in which it tells the client's address, like `x-forwarded-for`. Then that address has its ceiling too.
    /// Leave it out if the relay is to keep addresses to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tells_address_in: Option<String>,
}

fn address_ceiling() -> u32 {
    Ceilings::default().address
}

fn connections() -> u32 {
    Ceilings::default().connections
}

fn connections_per_address() -> u32 {
    Ceilings::default().connections_per_address
}

/// As many readers as a network in production has several times over.
fn relay_ceiling() -> u32 {
    100_000
}

impl Edge {
    /// An edge with every default.
    pub fn new(network: NetworkId, listen: SocketAddr, state: PathBuf, directory: PathBuf) -> Self {
        Self {
            network,
            listen,
            state,
            directory,
            max_journal_bytes: max_journal_bytes(),
            address_ceiling: address_ceiling(),
            connections: connections(),
            connections_per_address: connections_per_address(),
            relays: vec![],
        }
    }

    /// What it bears of each sender and of all.
    ///
    /// # Errors
    /// A relay that nobody can be told by, or by two things; a ceiling of nothing.
    pub fn ceilings(&self) -> Result<Ceilings, CeilingError> {
        let numbers = [
            ("address_ceiling", self.address_ceiling),
            ("connections", self.connections),
            ("connections_per_address", self.connections_per_address),
        ];
        if let Some((key, _)) = numbers.into_iter().find(|(_, number)| *number == 0) {
            return Err(CeilingError::Nothing { key });
        }
        let relay = |relay: &Relay| {
            let known_by = match (&relay.from, &relay.secret) {
                (Some(from), None) => {
                    let range = from.parse::<Range>();
                    KnownBy::Range(range.map_err(|why| CeilingError::Range { from: from.clone(), why })?)
                }
                (None, Some(secret)) => KnownBy::Secret(secret.clone()),
                _ => return Err(CeilingError::Relay),
            };
            Ok(server::edge::Relay {
                known_by,
                ceiling: relay.ceiling,
                tells_address_in: relay.tells_address_in.clone(),
            })
        };
        Ok(Ceilings {
            address: self.address_ceiling,
            connections: self.connections,
            connections_per_address: self.connections_per_address,
            relays: self.relays.iter().map(relay).collect::<Result<_, _>>()?,
            ..Ceilings::default()
        })
    }
}

/// Why an edge cannot have these ceilings.
#[derive(Debug, thiserror::Error)]
pub enum CeilingError {
    /// Nobody could send anything.
    #[error("`{key}` is 0, so that nothing could be sent. Give a number, or leave the line out")]
    Nothing {
        /// Which.
        key: &'static str,
    },
    /// No address is in it.
    #[error("`from = \"{from}\"`: {why}")]
    Range {
        /// What was given.
        from: String,
        /// How it is written.
        why: server::edge::NoRange,
    },
    /// It is known by nothing, or by two things.
    #[error("each relay has either `from` or `secret`, and one of them alone")]
    Relay,
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
    /// File with its identity's seed. Its other keys it makes itself, and keeps in its state.
    pub identity: PathBuf,
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
    /// Addresses of feeds. Outlets that `firsthand press add` keeps come on top.
    #[serde(default)]
    pub feeds: Vec<String>,
    /// Rules for what is kept of outlets' pages, a TOML file. `firsthand press try --help` shows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<PathBuf>,
    /// Whether feeds and pages may be fetched from this computer and from private networks. Leave it out unless your own
    /// outlets are there: with it, any feed and any redirect leads the press to whatever it can reach.
    #[serde(default)]
    pub private_addresses: bool,
    /// An address where you can be reached, told to every site that is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

impl Press {
    /// What it reads, and how it asks.
    pub fn inputs(&self) -> press::gather::Inputs {
        press::gather::Inputs {
            folders: self.folders.clone(),
            feeds: self.feeds.clone(),
            rules: self.rules.clone(),
            manners: press::fetch::Manners {
                private: self.private_addresses,
                contact: self.contact.clone(),
                ..press::fetch::Manners::default()
            },
        }
    }
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
    /// Port of its pages on 127.0.0.1 and ::1; 0 takes a free one.
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
    /// Port of its pages on 127.0.0.1 and ::1; 0 takes a free one.
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
        under(folder, self.relays.iter_mut().filter_map(|relay| relay.secret.as_mut()));
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        let secrets = self.relays.iter().filter_map(|relay| relay.secret.as_deref());
        let directory = ("directory", self.directory.as_path());
        std::iter::once(directory).chain(secrets.map(|file| ("secret", file))).collect()
    }
}

impl Config for Mix {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity]);
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        vec![("directory", self.directory.as_path()), ("identity", self.identity.as_path())]
    }
}

impl Config for Press {
    fn settle(&mut self, folder: &Path) {
        under(folder, [&mut self.state, &mut self.directory, &mut self.identity]);
        under(folder, self.folders.iter_mut());
        under(folder, self.rules.iter_mut());
    }

    fn needs(&self) -> Vec<(&'static str, &Path)> {
        let needed = [("directory", self.directory.as_path()), ("identity", self.identity.as_path())];
        needed.into_iter().chain(self.rules.as_deref().map(|rules| ("rules", rules))).collect()
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
    let directory =
        Directory::read(&bytes, network).map_err(|why| ConfigError::Directory { file: name, why })?;
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
        let relay = Relay { from: Some("203.0.113.0/24".into()), ceiling: 5_000, ..Relay::default() };
        let edge = Edge {
            max_journal_bytes: 1 << 20,
            relays: vec![relay],
            ..Edge::new(NetworkId([7; 32]), ([127, 0, 0, 1], 8080).into(), "state".into(), "there".into())
        };
        let text = toml::to_string(&edge).unwrap();
        let (_folder, given) = file(&text);
        let again = read::<Edge>(&given).unwrap();
        assert_eq!((again.network, again.listen), (edge.network, edge.listen));
        assert_eq!(again.max_journal_bytes, 1 << 20);
        assert_eq!(again.relays[0].ceiling, 5_000);
        assert_eq!(again.ceilings().unwrap().relays.len(), 1);
        let (_folder, left_out) = file(&text.replace("max_journal_bytes", "# max_journal_bytes"));
        assert_eq!(read::<Edge>(&left_out).unwrap().max_journal_bytes, 32 << 30);
    }

    const EDGE: &str = "network = \"ID\"\nlisten = \"127.0.0.1:0\"\nstate = \"s\"\ndirectory = \"there\"\n";

    #[test]
    fn an_edge_without_ceilings_has_the_defaults_and_what_is_wrong_with_one_is_named() {
        let edge = |more: &str| read::<Edge>(&file(&format!("{EDGE}{more}")).1);
        let plain = edge("").unwrap().ceilings().unwrap();
        let defaults = Ceilings::default();
        assert_eq!(
            (plain.address, plain.connections, plain.connections_per_address),
            (defaults.address, defaults.connections, defaults.connections_per_address)
        );
        assert!(plain.relays.is_empty());
        let relays = "[[relay]]\nfrom = \"2001:db8::/32\"\n[[relay]]\nsecret = \"there\"\nceiling = 9000\n\
                      tells_address_in = \"x-forwarded-for\"\n";
        let with = edge(relays).unwrap().ceilings().unwrap();
        assert_eq!(with.relays.iter().map(|r| r.ceiling).collect::<Vec<_>>(), [100_000, 9_000]);
        for (more, words) in [
            ("adress_ceiling = 1\n", "unknown field `adress_ceiling`"),
            ("[[relay]]\nform = \"::1\"\n", "unknown field `form`"),
            ("[[relay]]\nsecret = \"there\"\n[[relay]]\nsecret = \"none\"\n", "line 8: `secret` names"),
        ] {
            let why = edge(more).unwrap_err().to_string();
            assert!(why.contains(words), "{why}");
        }
        for (more, words) in [
            ("connections = 0\n", "`connections` is 0"),
            ("[[relay]]\nceiling = 4000\n", "either `from` or `secret`"),
            ("[[relay]]\nfrom = \"::1\"\nsecret = \"there\"\n", "either `from` or `secret`"),
            ("[[relay]]\nfrom = \"10.0.0.0/40\"\n", "written like 203.0.113.0/24"),
        ] {
            let why = edge(more).unwrap().ceilings().unwrap_err().to_string();
            assert!(why.contains(words), "{why}");
        }
    }
}
