//! Founding a network: a root, operators, one newsroom with one desk, and the directory they sign together.
//!
//! For demonstrations only: all secrets are drawn on one machine, and the root is forgotten once it has signed. Each
//! role's folder then holds what that role needs, and nothing of another's.

use std::fs;
use std::path::{Path, PathBuf};

use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, IntakeKey, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory, desk_id,
};
use proto::hold::Hold;
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{DeskId, Millis, NetworkId, Round, Schedule};
use rand::CryptoRng;
use server::seed;

/// How many mixes a demonstration has.
pub const MIXES: u8 = 3;

/// File names inside a role's folder.
pub mod file {
    /// Ed25519 seed.
    pub const IDENTITY: &str = "identity.key";
    /// X-Wing seed.
    pub const SEAL: &str = "seal.key";
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
    /// Its one desk.
    pub desk: DeskId,
    /// The desk's intake key, which only its vault keeps.
    pub intake: SealSecret,
}

/// Draws all keys, signs the directory, and fills a folder for each role under `dir`.
pub fn found(dir: &Path, plan: &Plan, rng: &mut impl CryptoRng) -> anyhow::Result<Network> {
    let root = RootSecret::generate(rng);
    let network = root.public().network();
    let press = IdentitySecret::generate(rng);
    let edge = IdentitySecret::generate(rng);
    let newsroom = IdentitySecret::generate(rng);
    let desk = IdentitySecret::generate(rng);
    let intake = SealSecret::generate(rng);
    let mixes: Vec<_> =
        (0..MIXES).map(|_| (IdentitySecret::generate(rng), SealSecret::generate(rng))).collect();

    let operator =
        |role, name: &str, key: &IdentitySecret| Operator { role, name: name.into(), key: key.public() };
    let mut operators = vec![
        operator(Role::Press, "Demonstration Press", &press),
        operator(Role::Edge, "Demonstration Edge", &edge),
        operator(Role::Newsroom, "The Demonstration Courier", &newsroom),
    ];
    let names = ["First Mix", "Second Mix", "Third Mix"];
    for ((hop, name), (identity, _)) in (0..).zip(names).zip(&mixes) {
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
            desks: 8,
        },
        operators,
    };

    // Keys of a demonstration are fixed for its run.
    let (from, until) = (Round(0), Round(u32::MAX));
    let mix_keys = (0..)
        .zip(&mixes)
        .map(|(hop, (identity, seal))| {
            let key = MixKey { hop, key: seal.public().to_bytes().into(), from, until };
            Unverified::sign(&key, &network, identity)
        })
        .collect();
    let card = DeskCard {
        desk: desk.public(),
        name: "Investigations".into(),
        about: "Read by the investigations team of this demonstration. Usual answer: within a minute.".into(),
    };
    let entry = DeskEntry {
        newsroom: newsroom.public(),
        card: Unverified::sign(&card, &network, &newsroom),
        keys: vec![Unverified::sign(
            &IntakeKey { key: intake.public().to_bytes().into(), from, until },
            &network,
            &desk,
        )],
    };
    let directory = UnverifiedDirectory::assemble(&root, &roster, mix_keys, vec![entry]).to_bytes();

    let folder = |name: &str| -> anyhow::Result<PathBuf> {
        let folder = dir.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    };
    for name in ["edge", "press", "mix1", "mix2", "mix3", "desk", "reader", "crowd"] {
        fs::write(folder(name)?.join(file::DIRECTORY), &directory)?;
    }
    let at = folder("press")?;
    seed::write(&at.join(file::IDENTITY), &press.to_seed())?;
    for (n, (identity, seal)) in (1..).zip(&mixes) {
        let at = folder(&format!("mix{n}"))?;
        seed::write(&at.join(file::IDENTITY), &identity.to_seed())?;
        seed::write(&at.join(file::SEAL), &seal.to_seed())?;
    }
    seed::write(&folder("desk")?.join(file::IDENTITY), &desk.to_seed())?;
    Ok(Network { id: network, desk: desk_id(&desk.public()), intake })
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
        for role in ["edge", "press", "mix1", "mix2", "mix3"] {
            let bytes = fs::read(dir.join(role).join(file::DIRECTORY)).unwrap();
            let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&network.id).unwrap();
            assert!(directory.desk(&network.desk).unwrap().intake(Round(0)) == Some(network.intake.public()));
            assert!(directory.roster().demonstration);
        }
        let mut seeds: Vec<_> = ["press/identity.key", "mix1/identity.key", "mix1/seal.key", "mix3/seal.key"]
            .map(|f| *seed::read(&dir.join(f)).unwrap())
            .into();
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 4);
        assert!(!dir.join("edge").join(file::IDENTITY).exists(), "the edge signs nothing in this version");
        fs::remove_dir_all(&dir).unwrap();
    }
}
