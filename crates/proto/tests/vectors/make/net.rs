//! A network of two mixes, for what happens between mixes and edge.

use proto::batch::BatchSeal;
use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, IntakeKey, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory,
};
use proto::edition::{Bundle, BundleRef, Head, page_digest, sign_head};
use proto::envelope::Wire;
use proto::hold::Hold;
use proto::mix::{BatchId, Manifest};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::size::{Cascade, PASS};
use proto::{Digest, Millis, NetworkId, Round, Schedule, codec};

use super::Draw;
use super::directory::{Town, vault_key};

/// The directory, one that lists no desk, and a batch of one entry for the exit.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    let net = Net::new();
    vec![
        ("two-mixes", net.directory(true)),
        ("two-mixes-without-desk", net.directory(false)),
        ("one-entry", one_entry(&net)),
    ]
}

/// A network of two mixes with everybody's secrets. A round is an hour, the guard two minutes.
pub(super) struct Net {
    root: RootSecret,
    pub(super) network: NetworkId,
    roster: Roster,
    newsroom: IdentitySecret,
    pub(super) press: IdentitySecret,
    pub(super) mixes: [IdentitySecret; 2],
    pub(super) desk: IdentitySecret,
    pub(super) keys: [SealSecret; 2],
    intake: SealSecret,
}

/// Length of a desk drop and of a reader drop, one slot each, and one pass.
pub(super) const DESK_DROP: usize = 5_872 + PASS;
pub(super) const READER_DROP: usize = 1_024;

impl Net {
    pub(super) fn new() -> Self {
        let mut draw = Draw::new("two mixes");
        let root = Town::new().root;
        let [press, edge, first, exit, newsroom, desk] =
            [(); 6].map(|()| IdentitySecret::from_seed(&draw.bytes32()));
        let [one, two, intake] = [(); 3].map(|()| SealSecret::from_seed(&draw.bytes32()));
        let operator = |role, name: &str, who: &IdentitySecret| Operator {
            role,
            name: name.into(),
            key: who.public(),
            since: Round(0),
        };
        let roster = Roster {
            number: 1,
            from: Round(0),
            until: Round(8_760),
            name: "Two mixes".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(1_790_000_000_000), round_ms: 3_600_000 },
                mixes: 2,
                n_min: 2,
                n_max: 100,
                desk_slots: 1,
                reader_slots: 1,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 0,
                desks: 1,
            },
            operators: vec![
                operator(Role::Press, "Press", &press),
                operator(Role::Edge, "Edge", &edge),
                operator(Role::Mix(0), "First", &first),
                operator(Role::Mix(1), "Exit", &exit),
                operator(Role::Newsroom, "The Herald", &newsroom),
            ],
        };
        let network = root.public().network();
        Self { root, network, roster, newsroom, press, mixes: [first, exit], desk, keys: [one, two], intake }
    }

    /// The same network, in which this identity is the first mix from this round on.
    pub(super) fn with_next(mut self, next: &IdentitySecret, since: Round) -> Self {
        let (role, name, key) = (Role::Mix(0), "Next".into(), next.public());
        self.roster.operators.push(Operator { role, name, key, since });
        self
    }

    /// Its directory, with its desk or without.
    pub(super) fn directory(&self, desk: bool) -> Vec<u8> {
        let (from, until) = (Round(0), Round(167));
        let key = MixKey { hop: 1, key: self.keys[1].public().to_bytes().into(), from, until };
        let keys = vec![Unverified::sign(&key, &self.network, &self.mixes[1])];
        let (identity, vault_key) = (self.desk.public(), vault_key(&self.desk));
        let (name, about) = ("Tips".into(), String::new());
        let card = DeskCard { desk: identity, vault_key: vault_key.public(), name, about, since: Round(0) };
        let intake = IntakeKey { key: self.intake.public().to_bytes().into(), from, until };
        let entry = DeskEntry {
            newsroom: self.newsroom.public(),
            card: Unverified::sign(&card, &self.network, &self.newsroom),
            keys: vec![Unverified::sign(&intake, &self.network, &vault_key)],
        };
        let desks = if desk { vec![entry] } else { vec![] };
        UnverifiedDirectory::assemble(&self.root, &self.roster, keys, desks).to_bytes()
    }

    pub(super) fn manifest(&self, hop: u8, id: (u32, u16), count_out: u32, outputs: Vec<Digest>) -> Manifest {
        let batch = BatchId { round: Round(id.0), part: id.1 };
        Manifest {
            batch,
            hop,
            inputs: vec![Digest([0x66; 32])],
            count_in: count_out,
            count_out,
            outputs,
            deleted: 0,
            alarm: false,
        }
    }

    /// What goes before the payload: the manifest's length and the manifest.
    pub(super) fn signed(&self, manifest: &Manifest, by: &IdentitySecret) -> Vec<u8> {
        let signed = codec::encode(&Unverified::sign(manifest, &self.network, by));
        [&(signed.len() as u32).to_be_bytes()[..], &signed].concat()
    }

    /// A batch of the first mix whose payload is this, as a body.
    pub(super) fn batch(&self, id: (u32, u16), payload: &[u8]) -> String {
        let manifest = self.manifest(0, id, 2, vec![Digest::of(payload)]);
        format!("{} {}", hex::encode(self.signed(&manifest, &self.mixes[0])), hex::encode(payload))
    }

    /// Both drops of a round, each of one byte again and again, as a body.
    pub(super) fn drops(&self, round: u32, desk: u8, reader: u8) -> String {
        let outputs = vec![Digest::of(&vec![desk; DESK_DROP]), Digest::of(&vec![reader; READER_DROP])];
        let manifest = self.signed(&self.manifest(1, (round, 0), 2, outputs), &self.mixes[1]);
        format!("{} {DESK_DROP}*{desk:02x} {READER_DROP}*{reader:02x}", hex::encode(manifest))
    }

    /// An edition in which nothing is new.
    pub(super) fn head(
        &self,
        round: u32,
        previous: Digest,
        directory: &[u8],
        by: &IdentitySecret,
    ) -> Vec<u8> {
        sign_head(&self.unsigned(round, previous, directory), &self.network, by)
    }

    /// The first edition, of which one of the bundles is another than the edge has.
    pub(super) fn head_without(&self, round: u32, directory: &[u8], changes: bool) -> Vec<u8> {
        let other = BundleRef { digest: Digest([0x77; 32]), len: 9 };
        let mut head = self.unsigned(round, Digest([0; 32]), directory);
        if changes {
            head.changes = other;
        } else {
            head.front = other;
        }
        sign_head(&head, &self.network, &self.press)
    }

    fn unsigned(&self, round: u32, previous: Digest, directory: &[u8]) -> Head {
        let nothing = Bundle::default().pack().1;
        Head {
            round: Round(round),
            previous,
            made: Millis(1_790_000_000_000),
            directory: Digest::of(directory),
            changes: nothing,
            front: nothing,
            page: page_digest(&[]),
            manifests: vec![],
            round_keys: vec![],
        }
    }
}

/// A batch for the exit, with one entry that opens under no key.
pub(super) fn one_entry(net: &Net) -> Vec<u8> {
    let wire = Wire { network: net.network, cascade: Cascade::new(2).expect("two mixes") };
    let (mut bytes, mut draw) = (Vec::new(), Draw::new("one entry"));
    let mut batch = BatchSeal::new(&wire, 1, net.keys[1].public(), &mut draw, &mut bytes);
    batch.entry(&vec![7; wire.cascade.blob()], &mut bytes);
    batch.finish(&mut bytes);
    bytes
}
