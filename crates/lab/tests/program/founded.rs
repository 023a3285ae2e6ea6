//! A founded network in a folder, with a configuration of each role as a person would write it.

use std::path::PathBuf;

use firsthand::found::{self, Plan};
use firsthand::{ambient, roles};
use proto::directory::{Directory, UnverifiedDirectory};
use proto::{NetworkId, Round};

use crate::run::Here;

/// The roles that keep a state, with the folder of each.
pub(crate) const ROLES: [(&str, &str); 6] = [
    ("edge", "edge"),
    ("mix", "mix1"),
    ("press", "press"),
    ("witness", "witness"),
    ("reader", "reader"),
    ("desk", "desk"),
];

/// A founded network.
pub(crate) struct Founded {
    folder: PathBuf,
    pub(crate) network: NetworkId,
    pub(crate) directory: Directory,
}

impl Founded {
    /// Founds a network in a folder `name`.
    pub(crate) fn new(here: &Here, name: &str, round_ms: u32) -> Self {
        let folder = here.path(name);
        let mut rng = ambient::rng().unwrap();
        let plan = Plan { round_ms, genesis: ambient::clock().now() };
        let founded = found::found(&folder, &plan, &mut rng).unwrap();
        let network = founded.id;
        let bytes = std::fs::read(folder.join("edge").join(found::file::DIRECTORY)).unwrap();
        let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&network).unwrap();
        roles::make_vault(&folder, founded, &mut rng).unwrap();
        Self { folder, network, directory }
    }

    /// The folder of a role.
    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes the configuration of a role, its state in the folder `state`, for an edge at this address. Returns the file.
    pub(crate) fn configure(&self, name: &str, state: &str, edge: &str) -> String {
        let role = ROLES.iter().find(|(_, folder)| *folder == name).expect("a role").0;
        let mut text =
            format!("network = \"{}\"\nstate = \"{state}\"\ndirectory = \"directory.cbor\"\n", self.network);
        text += &match role {
            "edge" => "listen = \"127.0.0.1:0\"\n".to_owned(),
            _ => format!("edge = \"{edge}\"\n"),
        };
        text += match role {
            "mix" => "place = 1\nidentity = \"identity.key\"\n",
            "press" => "identity = \"identity.key\"\nfolders = [\"articles\"]\n",
            "witness" => "identity = \"identity.key\"\n",
            "desk" => "identity = \"identity.key\"\nvault = \"vault\"\n",
            _ => "",
        };
        if role == "press" {
            std::fs::create_dir_all(self.at("press/articles")).unwrap();
            std::fs::write(self.at("press/articles/quay.txt"), ARTICLE).unwrap();
        }
        let file = self.at(name).join(format!("{role}.toml"));
        std::fs::write(&file, text).unwrap();
        file.display().to_string()
    }

    /// The round it is.
    pub(crate) fn round(&self) -> Round {
        self.directory.parameters().schedule.round_at(ambient::clock().now()).unwrap()
    }
}

/// An article.
pub(crate) const ARTICLE: &str = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the \
    spring tide rose above its wall, the harbour master said. It will open again once the water has gone.\n";
