//! A network's keys and directory, made for one measurement.

use std::sync::Arc;

use proto::decoy::Decoys;
use proto::directory::{Directory, Operator, Parameters, Role, Roster, UnverifiedDirectory};
use proto::hold::Hold;
use proto::sign::{IdentitySecret, RootSecret};
use proto::{Millis, NetworkId, Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};

/// When round 0 begins.
pub const GENESIS: Millis = Millis(1_800_000_000_000);
/// How many mixes.
pub const MIXES: u8 = 3;

/// A network of three mixes, with rounds of an hour.
pub struct Town {
    /// Its id.
    pub network: NetworkId,
    /// The directory as served.
    pub bytes: Vec<u8>,
    /// The same, checked.
    pub directory: Arc<Directory>,
    /// Signs editions.
    pub press: IdentitySecret,
    /// Sign manifests, keys and requests, by hop.
    pub mixes: Vec<IdentitySecret>,
}

impl Town {
    /// A network in which a batch holds at most `n_max`, with the drops of a large one.
    pub fn new(n_max: u32) -> Self {
        Self::with(n_max, vec![])
    }

    /// The same with `more` operators in its roster.
    pub fn with(n_max: u32, more: Vec<Operator>) -> Self {
        let mut rng = StdRng::seed_from_u64(2);
        let root = RootSecret::generate(&mut rng);
        let network = root.public().network();
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let mixes: Vec<_> = (0..MIXES).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, name: String, by: &IdentitySecret| Operator {
            role,
            name,
            key: by.public(),
            since: Round(0),
        };
        let mut operators =
            vec![operator(Role::Press, "Press".into(), &press), operator(Role::Edge, "Edge".into(), &edge)];
        let of_mix = |(hop, mix): (u8, &IdentitySecret)| operator(Role::Mix(hop), format!("Mix {hop}"), mix);
        operators.extend((0..).zip(&mixes).map(of_mix));
        operators.extend(more);
        let roster = Roster {
            name: "Measured".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: GENESIS, round_ms: 3_600_000 },
                mixes: MIXES,
                n_min: 8,
                n_max,
                desk_slots: 512,
                reader_slots: 64,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 0,
                desks: 3,
            },
            operators,
            number: 1,
            from: Round(0),
            until: Round(u32::MAX),
        };
        let directory = UnverifiedDirectory::assemble(&root, &roster, Vec::new(), Vec::new());
        let bytes = directory.to_bytes();
        let directory = Arc::new(directory.verify(&network).expect("put together by the rules"));
        Self { network, bytes, directory, press, mixes }
    }
}
