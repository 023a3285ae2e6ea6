//! Founding a network: a root, operators, two newsrooms with three desks, and the directory they sign together.
//!
//! For demonstrations only: all secrets are drawn on one machine, and the root is forgotten once it has signed. Each
//! role's folder then holds what that role needs, and nothing of another's.

use std::fs;
use std::path::{Path, PathBuf};

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
    /// The first desk's first intake keys, which only its vault keeps.
    pub intake: IntakeKeys,
    /// Its other desks.
    pub others: Vec<OtherDesk>,
}

/// A desk's intake keys, each with its week.
pub type IntakeKeys = Vec<(Period, SealSecret)>;

/// A desk beside the first.
pub struct OtherDesk {
    /// The folder of its role.
    pub folder: &'static str,
    /// Its id.
    pub desk: DeskId,
    /// Its name and its newsroom's, for people.
    pub title: String,
    /// Its first intake keys, which only its vault keeps.
    pub intake: IntakeKeys,
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
        let identity = IdentitySecret::generate(rng);
        let intake: IntakeKeys =
            KeyKind::Intake.published(Round(0)).map(|period| (period, SealSecret::generate(rng))).collect();
        (plate, identity, intake)
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

    let entry = |(plate, desk, intake): &(Plate, IdentitySecret, IntakeKeys)| {
        let newsroom = &newsrooms[plate.newsroom];
        let (name, about) = (plate.name.into(), plate.about.into());
        let card = DeskCard { desk: desk.public(), name, about, since: Round(0) };
        let sign = |(Period { from, until }, secret): &(Period, SealSecret)| {
            let key = secret.public().to_bytes().into();
            Unverified::sign(&IntakeKey { key, from: *from, until: *until }, &network, desk)
        };
        DeskEntry {
            newsroom: newsroom.public(),
            card: Unverified::sign(&card, &network, newsroom),
            keys: intake.iter().map(sign).collect(),
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
    let [(_, desk, intake), others @ ..] = desks;
    let other = |(plate, desk, intake): (Plate, IdentitySecret, IntakeKeys)| OtherDesk {
        folder: plate.folder,
        desk: desk_id(&desk.public()),
        title: format!("{}, {}", plate.name, NEWSROOMS[plate.newsroom]),
        intake,
    };
    let others = others.into_iter().map(other).collect();
    Ok(Network { id: network, desk: desk_id(&desk.public()), intake, others })
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
                directory.desk(&network.desk).unwrap().intake(Round(0)) == Some(network.intake[0].1.public())
            );
            for other in &network.others {
                let desk = directory.desk(&other.desk).unwrap();
                assert!(desk.intake(Round(0)) == Some(other.intake[0].1.public()));
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
        assert!(!dir.join("edge").join(file::IDENTITY).exists(), "the edge signs nothing in this version");
        fs::remove_dir_all(&dir).unwrap();
    }
}
