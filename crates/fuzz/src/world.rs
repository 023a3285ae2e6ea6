//! What targets seal and sign with: a network whose keys are made once. It begins with a roster in force, and has a second one
//! whose press and witness take over later, as a roster between two presses has.

use std::sync::LazyLock;

use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, Directory, IntakeKey, MixKey, Operator, Parameters, Role, Roster,
    UnverifiedDirectory,
};
use proto::envelope::Wire;
use proto::hold::Hold;
use proto::keys::{KeyKind, Period};
use proto::seal::{SealPublic, SealSecret};
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::size::Cascade;
use proto::{Clock, Millis, NetworkId, Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};

/// When round 0 begins.
pub(crate) const GENESIS: Millis = Millis(1_795_334_400_000);
/// T in milliseconds.
pub(crate) const ROUND_MS: u32 = 5_000;
/// The round that it is.
pub(crate) const NOW: Round = Round(300);
/// The roster that comes later begins here.
const LATER: Round = Round(310);

/// A clock that stands in the middle of [`NOW`].
pub(crate) struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        Millis(GENESIS.0 + u64::from(NOW.0) * u64::from(ROUND_MS) + 2_500)
    }
}

pub(crate) struct World {
    pub(crate) root: RootSecret,
    pub(crate) network: NetworkId,
    pub(crate) wire: Wire,
    /// Press, edge, newsroom, desk, the next press, and a stranger.
    pub(crate) press: IdentitySecret,
    pub(crate) edge: IdentitySecret,
    pub(crate) newsroom: IdentitySecret,
    pub(crate) desk: IdentitySecret,
    /// Signs the desk's intake keys.
    pub(crate) vault_key: IdentitySecret,
    pub(crate) stranger: IdentitySecret,
    pub(crate) witnesses: Vec<IdentitySecret>,
    /// Identities by hop.
    pub(crate) mixes: Vec<IdentitySecret>,
    /// Keys by hop, of the period that it is.
    pub(crate) layers: Vec<SealSecret>,
    /// Opens what comes to the desk.
    pub(crate) intake: SealSecret,
    pub(crate) roster: Roster,
    /// In force.
    pub(crate) directory: Directory,
    pub(crate) directory_bytes: Vec<u8>,
    /// Of the same network, and in force from a later round on.
    pub(crate) later: Directory,
}

/// The one world of all targets.
pub(crate) static WORLD: LazyLock<World> = LazyLock::new(World::new);

/// A generator that draws the same in every run of one input.
pub(crate) fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

impl World {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(1);
        let root = RootSecret::generate(&mut rng);
        let network = root.public().network();
        let cascade = Cascade::new(3).expect("three is a cascade");
        let [press, edge, newsroom, desk, stranger, next] =
            [(); 6].map(|()| IdentitySecret::generate(&mut rng));
        let witnesses: Vec<_> = (0..3).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let mixes: Vec<_> = (0..3).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let layers: Vec<_> = (0..3).map(|_| SealSecret::generate(&mut rng)).collect();
        let intake = SealSecret::generate(&mut rng);
        let vault_key = IdentitySecret::generate(&mut rng);

        let operator = |role, name: &str, key: &IdentitySecret, since| Operator {
            role,
            name: name.into(),
            key: key.public(),
            since,
        };
        let operators = |press, since| {
            let mut all = vec![
                operator(Role::Press, "Press", press, since),
                operator(Role::Edge, "Edge", &edge, Round(0)),
                operator(Role::Newsroom, "The Wendral Post", &newsroom, Round(0)),
            ];
            all.extend((0..).zip(&mixes).map(|(hop, key)| operator(Role::Mix(hop), "Mix", key, Round(0))));
            all.extend(witnesses.iter().map(|key| operator(Role::Witness, "Witness", key, since)));
            all
        };
        let roster = Roster {
            name: "Wendral".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: GENESIS, round_ms: ROUND_MS },
                mixes: 3,
                n_min: 4,
                n_max: 100,
                desk_slots: 2,
                reader_slots: 2,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 2,
                desks: 2,
            },
            operators: operators(&press, Round(0)),
            number: 1,
            from: Round(0),
            until: Round(u32::MAX),
        };
        let after = Roster { operators: operators(&next, LATER), number: 2, from: LATER, ..roster.clone() };
        let keys: Vec<_> = (1..)
            .zip(&mixes[1..])
            .map(|(hop, by)| {
                let period = KeyKind::of_mix(hop, cascade).period(NOW);
                mix_key(&network, hop, layers[usize::from(hop)].public(), period, by)
            })
            .collect();
        let card = DeskCard {
            desk: desk.public(),
            vault_key: vault_key.public(),
            name: "Investigations".into(),
            about: "Reads.".into(),
            since: Round(0),
        };
        let Period { from, until } = KeyKind::Intake.period(NOW);
        let key = IntakeKey { key: intake.public().to_bytes().into(), from, until };
        let desks = vec![DeskEntry {
            newsroom: newsroom.public(),
            card: Unverified::sign(&card, &network, &newsroom),
            keys: vec![Unverified::sign(&key, &network, &vault_key)],
        }];
        let assembled =
            |roster: &Roster| UnverifiedDirectory::assemble(&root, roster, keys.clone(), desks.clone());
        let verified = |it: UnverifiedDirectory| it.verify(&network).expect("the world's own directory");
        let directory_bytes = assembled(&roster).to_bytes();
        let (directory, later) = (verified(assembled(&roster)), verified(assembled(&after)));
        Self {
            network,
            wire: Wire { network, cascade },
            root,
            press,
            edge,
            newsroom,
            desk,
            vault_key,
            stranger,
            witnesses,
            mixes,
            layers,
            intake,
            roster,
            directory,
            directory_bytes,
            later,
        }
    }

    pub(crate) fn exit(&self) -> &SealSecret {
        &self.layers[2]
    }

    /// One of the identities, as an input chooses.
    pub(crate) fn identity(&self, choice: u8) -> &IdentitySecret {
        match choice % 8 {
            0 => &self.press,
            1 => &self.edge,
            2 => &self.newsroom,
            3 => &self.desk,
            hop @ 4..=6 => &self.mixes[usize::from(hop) - 4],
            _ => &self.stranger,
        }
    }
}

/// A mix's key, signed.
pub(crate) fn mix_key(
    network: &NetworkId,
    hop: u8,
    key: &SealPublic,
    period: Period,
    by: &IdentitySecret,
) -> Unverified<MixKey> {
    let Period { from, until } = period;
    Unverified::sign(&MixKey { hop, key: key.to_bytes().into(), from, until }, network, by)
}
