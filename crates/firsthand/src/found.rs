//! Founding a network: a root, operators, two newsrooms with three desks, and the directory they sign together.
//!
//! For demonstrations only: all secrets are drawn on one machine, and the root is forgotten once it has signed. Each
//! role's folder then holds what that role needs, and nothing of another's.

use std::fs;
use std::path::{Path, PathBuf};

use client::VaultContents;
use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, IntakeKey, Operator, Parameters, Role, Roster, UnverifiedDirectory, desk_id,
};
use proto::hold::Hold;
use proto::keys::{KeyKind, Period};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{DeskId, Millis, NetworkId, Round, Schedule};
use rand::CryptoRng;
use server::seed;

/// How many mixes a demonstration has.
pub const MIXES: u8 = 3;

/// Newsrooms of a demonstration. They share one crowd of readers.
const NEWSROOMS: [&str; 2] = ["The Demonstration Courier", "The Sample Gazette"];

/// A desk of a demonstration.
struct Plate {
    /// The folder of its role.
    folder: &'static str,
    /// Its newsroom's place in [`NEWSROOMS`].
    newsroom: usize,
    name: &'static str,
    about: &'static str,
}

const DESKS: [Plate; 3] = [
    Plate {
        folder: file::DESK,
        newsroom: 0,
        name: "Investigations",
        about: "Read by the investigations team of this demonstration. Usual answer: within a minute.",
    },
    Plate {
        folder: "desk2",
        newsroom: 0,
        name: "Local affairs",
        about: "For what happens around the corner. Read by two reporters of this demonstration.",
    },
    Plate {
        folder: "desk3",
        newsroom: 1,
        name: "Health and work",
        about: "For hospitals, care homes and work places. Read by one reporter of this demonstration.",
    },
];

/// Names of folders, and of files inside a role's.
pub mod file {
    /// The folder of the first desk's role.
    pub const DESK: &str = "desk";
    /// Ed25519 seed.
    pub const IDENTITY: &str = "identity.key";
    /// A desk's vault.
    pub const VAULT: &str = "vault";
    /// The signed directory.
    pub const DIRECTORY: &str = "directory.cbor";
}

/// What a demonstration is founded with.
pub struct Plan {
    /// T in milliseconds.
    pub round_ms: u32,
    /// When round 0 begins.
    pub genesis: Millis,
}

/// A founded network, as the demonstration remembers it.
pub struct Network {
    /// Its id, which every role pins.
    pub id: NetworkId,
    /// Its first desk.
    pub desk: DeskId,
    /// What the first desk's vault is made of, and nobody else keeps.
    pub vault: VaultContents,
    /// Its other desks.
    pub others: Vec<OtherDesk>,
}

/// A desk beside the first.
pub struct OtherDesk {
    /// The folder of its role.
    pub folder: &'static str,
    /// Its id.
    pub desk: DeskId,
    /// Its name and its newsroom's, for people.
    pub title: String,
    /// What its vault is made of, and nobody else keeps.
    pub vault: VaultContents,
}

/// Draws all keys, signs the directory, and fills a folder for each role under `dir`.
pub fn found(dir: &Path, plan: &Plan, rng: &mut impl CryptoRng) -> anyhow::Result<Network> {
    let root = RootSecret::generate(rng);
    let network = root.public().network();
    let press = IdentitySecret::generate(rng);
    let edge = IdentitySecret::generate(rng);
    let witness = IdentitySecret::generate(rng);
    let newsrooms = NEWSROOMS.map(|_| IdentitySecret::generate(rng));
    let desks = DESKS.map(|plate| {
        let [identity, vault_key] = [(); 2].map(|()| IdentitySecret::generate(rng));
        let intake =
            KeyKind::Intake.published(Round(0)).map(|period| (period, SealSecret::generate(rng))).collect();
        (plate, identity, VaultContents { vault_key, intake })
    });
    let mixes: Vec<_> = (0..MIXES).map(|_| IdentitySecret::generate(rng)).collect();

    let operator = |role, name: &str, key: &IdentitySecret| Operator {
        role,
        name: name.into(),
        key: key.public(),
        since: Round(0),
    };
    let mut operators = vec![
        operator(Role::Press, "Demonstration Press", &press),
        operator(Role::Edge, "Demonstration Edge", &edge),
        operator(Role::Witness, "Demonstration Witness", &witness),
    ];
    operators.extend(NEWSROOMS.iter().zip(&newsrooms).map(|(name, key)| operator(Role::Newsroom, name, key)));
    let names = ["First Mix", "Second Mix", "Third Mix"];
    for ((hop, name), identity) in (0..).zip(names).zip(&mixes) {
        operators.push(operator(Role::Mix(hop), name, identity));
    }
    let roster = Roster {
        name: "Firsthand demonstration".into(),
        demonstration: true,
        parameters: Parameters {
            schedule: Schedule { genesis: plan.genesis, round_ms: plan.round_ms },
            mixes: MIXES,
            n_min: 8,
            n_max: 100_000,
            desk_slots: 16,
            reader_slots: 16,
            hold: Hold::NONE,
            decoys: Decoys { mu: 2, b: 1 },
            quorum: 1,
            desks: 8,
        },
        operators,
        number: 1,
        from: Round(0),
        // The root of a demonstration is forgotten, so nobody could sign the next one.
        until: Round(u32::MAX),
    };

    let entry = |(plate, desk, vault): &(Plate, IdentitySecret, VaultContents)| {
        let newsroom = &newsrooms[plate.newsroom];
        let (name, about) = (plate.name.into(), plate.about.into());
        let vault_key = vault.vault_key.public();
        let card = DeskCard { desk: desk.public(), vault_key, name, about, since: Round(0) };
        let sign = |(Period { from, until }, secret): &(Period, SealSecret)| {
            let key = secret.public().to_bytes().into();
            Unverified::sign(&IntakeKey { key, from: *from, until: *until }, &network, &vault.vault_key)
        };
        DeskEntry {
            newsroom: newsroom.public(),
            card: Unverified::sign(&card, &network, newsroom),
            keys: vault.intake.iter().map(sign).collect(),
        }
    };
    let entries = desks.iter().map(entry).collect();
    // The mixes make their keys themselves, and the press puts them into its first directory.
    let directory = UnverifiedDirectory::assemble(&root, &roster, vec![], entries).to_bytes();

    let folder = |name: &str| -> anyhow::Result<PathBuf> {
        let folder = dir.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    let roles = ["edge", "press", "mix1", "mix2", "mix3", "witness", "reader", "crowd"];
    for name in roles.into_iter().chain(DESKS.map(|plate| plate.folder)) {
        fs::write(folder(name)?.join(file::DIRECTORY), &directory)?;
    }
    for (name, identity) in [("press", &press), ("witness", &witness)] {
        seed::write(&folder(name)?.join(file::IDENTITY), &identity.to_seed())?;
    }
    for (n, identity) in (1..).zip(&mixes) {
        let at = folder(&format!("mix{n}"))?;
        seed::write(&at.join(file::IDENTITY), &identity.to_seed())?;
    }
    for (plate, desk, _) in &desks {
        seed::write(&folder(plate.folder)?.join(file::IDENTITY), &desk.to_seed())?;
    }
    let id =
        |desk: &IdentitySecret, vault: &VaultContents| desk_id(&desk.public(), &vault.vault_key.public());
    let [(_, desk, vault), others @ ..] = desks;
    let other = |(plate, desk, vault): (Plate, IdentitySecret, VaultContents)| OtherDesk {
        folder: plate.folder,
        desk: id(&desk, &vault),
        title: format!("{}, {}", plate.name, NEWSROOMS[plate.newsroom]),
        vault,
    };
    let others = others.into_iter().map(other).collect();
    Ok(Network { id: network, desk: id(&desk, &vault), vault, others })
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn a_founded_network_has_a_directory_that_verifies_and_secrets_of_its_own_in_each_folder() {
        let dir = std::env::temp_dir().join(format!("firsthand-found-{}", std::process::id()));
        let plan = Plan { round_ms: 5_000, genesis: Millis(1_000) };
        let network = found(&dir, &plan, &mut StdRng::seed_from_u64(1)).unwrap();
        for role in ["edge", "press", "witness", "mix1", "mix2", "mix3"] {
            let bytes = fs::read(dir.join(role).join(file::DIRECTORY)).unwrap();
            let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&network.id).unwrap();
            assert!(
                directory.desk(&network.desk).unwrap().intake(Round(0))
                    == Some(network.vault.intake[0].1.public())
            );
            for other in &network.others {
                let desk = directory.desk(&other.desk).unwrap();
                assert!(desk.intake(Round(0)) == Some(other.vault.intake[0].1.public()));
                assert_eq!(other.title, format!("{}, {}", desk.name, desk.newsroom));
            }
            assert_eq!((directory.desks().len(), network.others.len()), (3, 2));
            assert!(directory.roster().demonstration);
        }
        let files = [
            "press/identity.key",
            "witness/identity.key",
            "mix1/identity.key",
            "mix2/identity.key",
            "mix3/identity.key",
        ];
        let mut seeds: Vec<_> = files.map(|f| *seed::read(&dir.join(f)).unwrap()).into();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), files.len());
        // What only the vaults hold lies in no file before they are made.
        let vaults = std::iter::once(&network.vault).chain(network.others.iter().map(|other| &other.vault));
        let hidden: Vec<_> = vaults.map(|vault| *vault.vault_key.to_seed()).collect();
        for folder in fs::read_dir(&dir).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                let bytes = fs::read(file.unwrap().path()).unwrap();
                assert!(!bytes.windows(32).any(|at| hidden.iter().any(|seed| at == seed)));
            }
        }
        assert!(!dir.join("edge").join(file::IDENTITY).exists(), "the edge signs nothing in this version");
        fs::remove_dir_all(&dir).unwrap();
    }
}
