//! A whole network's keys and directory, made from a seed, for tests of this crate and of the press.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, Directory, IntakeKey, MixKey, Operator, Parameters, Role, Roster,
    UnverifiedDirectory,
};
use proto::hold::Hold;
use proto::keys::{KeyKind, Period};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{Clock, Millis, NetworkId, Round, Schedule};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// When round 0 of every test network begins.
pub const GENESIS: Millis = Millis(1_800_000_000_000);

/// A network of three mixes, one press, one edge, three witnesses and one desk, with rounds of 3 s.
pub struct Town {
    /// Its id.
    pub network: NetworkId,
    /// Its directory as served.
    pub bytes: Vec<u8>,
    /// The same, verified.
    pub directory: Arc<Directory>,
    /// Sign manifests, keys and requests, by hop.
    pub mixes: Vec<IdentitySecret>,
    /// Signs editions.
    pub press: IdentitySecret,
    /// Co-sign the log.
    pub witnesses: Vec<IdentitySecret>,
    /// Signs a desk's requests.
    pub desk: IdentitySecret,
    /// Opens what is sent to the desk.
    pub intake: SealSecret,
    /// Keys of the mixes that a later directory names, besides what the test bends.
    pub mix_keys: Vec<Unverified<MixKey>>,
    /// For whatever the test draws.
    pub rng: StdRng,
    /// What another directory of the same network is made of.
    root: RootSecret,
    roster: Roster,
    newsroom: IdentitySecret,
    desks: Vec<DeskEntry>,
}

impl Town {
    /// Three mixes, n_min 4, n_max 100.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, 3, 4, 100)
    }

    /// `k` mixes.
    pub fn with(seed: u64, k: u8, n_min: u32, n_max: u32) -> Self {
        Self::bent(seed, k, |p| (p.n_min, p.n_max) = (n_min, n_max))
    }

    /// Three mixes that hold: an item leaves with this many chances in a thousand in each round.
    pub fn holding(seed: u64, hold: u16) -> Self {
        Self::bent(seed, 3, |p| p.hold = Hold(hold))
    }

    /// `k` mixes, n_min 4, n_max 100, no hold, and what `bend` makes of it.
    pub fn bent(seed: u64, k: u8, bend: impl FnOnce(&mut Parameters)) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let root = RootSecret::generate(&mut rng);
        let network = root.public().network();
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let newsroom = IdentitySecret::generate(&mut rng);
        let desk = IdentitySecret::generate(&mut rng);
        let intake = SealSecret::generate(&mut rng);
        let mixes: Vec<_> = (0..k).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let witnesses: Vec<_> = (0..3).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, name: &str, by: &IdentitySecret| Operator {
            role,
            name: name.into(),
            key: by.public(),
            since: Round(0),
        };
        let mut operators = vec![
            operator(Role::Press, "Press", &press),
            operator(Role::Edge, "Edge", &edge),
            operator(Role::Newsroom, "The Wendral Post", &newsroom),
        ];
        operators.extend((0..).zip(&mixes).map(|(h, m)| operator(Role::Mix(h), &format!("Mix {h}"), m)));
        operators.extend(witnesses.iter().map(|w| operator(Role::Witness, "Witness", w)));
        let mut parameters = Parameters {
            schedule: Schedule { genesis: GENESIS, round_ms: 3_000 },
            mixes: k,
            n_min: 4,
            n_max: 100,
            desk_slots: 4,
            reader_slots: 4,
            hold: Hold::NONE,
            decoys: Decoys::NONE,
            quorum: 2,
            desks: 3,
        };
        bend(&mut parameters);
        let roster = Roster {
            name: "Wendral".into(),
            demonstration: true,
            parameters,
            operators,
            number: 1,
            from: Round(0),
            until: Round(u32::MAX),
        };
        let desks = vec![entry(&network, &newsroom, "Investigations", &desk, &intake, Round(0))];
        let unverified = UnverifiedDirectory::assemble(&root, &roster, vec![], desks.clone());
        let bytes = unverified.to_bytes();
        let directory = Arc::new(unverified.verify(&network).expect("the test's own directory"));
        Self {
            network,
            bytes,
            directory,
            mixes,
            press,
            witnesses,
            desk,
            intake,
            mix_keys: vec![],
            rng,
            root,
            roster,
            newsroom,
            desks,
        }
    }

    /// A later directory: the first one, and what `bend` makes of it.
    pub fn later(&self, bend: impl FnOnce(&mut Roster, &mut Vec<DeskEntry>)) -> Vec<u8> {
        let (mut roster, mut desks) = (self.roster.clone(), self.desks.clone());
        bend(&mut roster, &mut desks);
        UnverifiedDirectory::assemble(&self.root, &roster, self.mix_keys.clone(), desks).to_bytes()
    }

    /// Signs the desk's intake keys.
    pub fn vault_key(&self) -> IdentitySecret {
        vault_key(&self.desk)
    }

    /// A later directory, which lists no desk.
    pub fn without_desk(&self) -> Vec<u8> {
        self.later(|_, desks| desks.clear())
    }

    /// A desk to be listed, with its key of the first week.
    pub fn listed(&self, name: &str, desk: &IdentitySecret, intake: &SealSecret, since: Round) -> DeskEntry {
        entry(&self.network, &self.newsroom, name, desk, intake, since)
    }

    /// The schedule.
    pub fn schedule(&self) -> Schedule {
        self.directory.parameters().schedule
    }
}

fn entry(
    network: &NetworkId,
    newsroom: &IdentitySecret,
    name: &str,
    desk: &IdentitySecret,
    intake: &SealSecret,
    since: Round,
) -> DeskEntry {
    let vault_key = vault_key(desk);
    let (name, about) = (name.into(), "Reads.".into());
    let card = DeskCard { desk: desk.public(), vault_key: vault_key.public(), name, about, since };
    let Period { from, until } = KeyKind::Intake.period(Round(0));
    let key = IntakeKey { key: intake.public().to_bytes().into(), from, until };
    DeskEntry {
        newsroom: newsroom.public(),
        card: Unverified::sign(&card, network, newsroom),
        keys: vec![Unverified::sign(&key, network, &vault_key)],
    }
}

/// The vault key of a test's desk: it hangs on the identity, so that who makes one needs no second secret.
pub fn vault_key(desk: &IdentitySecret) -> IdentitySecret {
    IdentitySecret::from_seed(&desk.to_seed().map(|byte| !byte))
}

/// A clock that stands until it is moved.
pub struct Hands(AtomicU64);

impl Hands {
    /// Stands at `at`.
    pub fn at(at: Millis) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(at.0)))
    }

    /// Moves it.
    pub fn set(&self, to: Millis) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}
