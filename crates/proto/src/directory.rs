//! The roster and the directory: who runs what, with which keys, under which parameters. Spec: directory.md §3-5.
//!
//! The root signs the roster; each operator and desk signs its own keys. The press puts them together into one directory
//! a day: it can leave out, but not alter.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, Malformed};
use crate::decoy::Decoys;
use crate::envelope::Wire;
use crate::hold::Hold;
use crate::id::{DeskId, Digest, KeyId, NetworkId, short_hash};
use crate::mix::Rule;
use crate::round::{Millis, Round, Schedule};
use crate::seal::SealPublic;
use crate::sign::{
    BadSignature, IdentityPublic, Purpose, Rejected, RootPublic, RootSecret, RootSignature, Unverified,
};
use crate::size::Cascade;

/// The longest name that a roster or desk may give, in bytes.
pub const MAX_NAME: usize = 80;
/// The longest text that a desk may give about itself, in bytes.
pub const MAX_ABOUT: usize = 500;
/// The most that a directory may weigh, in bytes: about 800 desks with three keys each. A client reads no further.
pub const MAX_DIRECTORY: usize = 4 * 1024 * 1024;
/// The last moment at which round 0 may begin: the year 10000. No sum of times overflows.
const MAX_GENESIS: Millis = Millis(253_402_300_800_000);

/// What is the same for everyone in a network.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Parameters {
    /// When rounds begin, and T.
    #[n(0)]
    pub schedule: Schedule,
    /// k.
    #[n(1)]
    pub mixes: u8,
    /// A smaller batch is merged into the next.
    #[n(2)]
    pub n_min: u32,
    /// A batch closes early at this many.
    #[n(3)]
    pub n_max: u32,
    /// Slots in every desk drop.
    #[n(4)]
    pub desk_slots: u16,
    /// Slots in every reader drop.
    #[n(5)]
    pub reader_slots: u16,
    /// With what probability a mix that holds lets an item go in each round.
    #[n(6)]
    pub hold: Hold,
    /// How many decoys each mix before the exit adds.
    #[n(7)]
    pub decoys: Decoys,
    /// The most desks that a directory lists, and so the entries of every table of passes.
    #[n(8)]
    pub desks: u16,
}

impl Parameters {
    /// n_min and n_max.
    pub fn rule(&self) -> Rule {
        Rule { n_min: self.n_min, n_max: self.n_max }
    }
}

/// What an operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Role {
    /// Signs editions.
    #[n(0)]
    Press,
    /// Takes envelopes and serves what is published.
    #[n(1)]
    Edge,
    /// Mixes at this hop, counted from 0.
    #[n(2)]
    Mix(#[n(0)] u8),
    /// Names desks.
    #[n(3)]
    Newsroom,
}

/// One line of the roster.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Operator {
    /// What it does.
    #[n(0)]
    pub role: Role,
    /// As people know the organisation.
    #[n(1)]
    pub name: String,
    /// Its identity.
    #[n(2)]
    pub key: IdentityPublic,
}

/// Operators and parameters, signed by the network's root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Roster {
    /// The network's name, for people.
    #[n(0)]
    pub name: String,
    /// Whether every screen must say that this is no place for real tips.
    #[n(1)]
    pub demonstration: bool,
    /// The same for everyone.
    #[n(2)]
    pub parameters: Parameters,
    /// In any order.
    #[n(3)]
    pub operators: Vec<Operator>,
}

impl Purpose for Roster {
    const TAG: &'static str = "roster";
}

impl Roster {
    /// The identity that signs editions.
    pub fn press(&self) -> IdentityPublic {
        self.find(Role::Press).expect("DIR-04 holds")
    }

    /// The identity of the mix at `hop`.
    pub fn mix(&self, hop: u8) -> Option<IdentityPublic> {
        self.find(Role::Mix(hop))
    }

    /// Who holds the identity `key`.
    pub fn operator(&self, key: &IdentityPublic) -> Option<&Operator> {
        self.operators.iter().find(|o| o.key == *key)
    }

    fn find(&self, role: Role) -> Option<IdentityPublic> {
        self.operators.iter().find(|o| o.role == role).map(|o| o.key)
    }
}

/// A mix's key, signed by its identity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct MixKey {
    /// The hop it is for.
    #[n(0)]
    pub hop: u8,
    /// X-Wing public key, 1216 bytes.
    #[n(1)]
    pub key: ByteVec,
    /// The first round it is used in.
    #[n(2)]
    pub from: Round,
    /// The last.
    #[n(3)]
    pub until: Round,
}

impl Purpose for MixKey {
    const TAG: &'static str = "mix key";
}

/// A desk as its newsroom names it, signed by the newsroom's identity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DeskCard {
    /// The desk's own identity.
    #[n(0)]
    pub desk: IdentityPublic,
    /// For people: "Investigations".
    #[n(1)]
    pub name: String,
    /// Who reads it and what for, one or two sentences.
    #[n(2)]
    pub about: String,
}

impl Purpose for DeskCard {
    const TAG: &'static str = "desk card";
}

/// A desk's key, signed by the desk's identity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IntakeKey {
    /// X-Wing public key, 1216 bytes.
    #[n(0)]
    pub key: ByteVec,
    /// The first round it is used in.
    #[n(1)]
    pub from: Round,
    /// The last.
    #[n(2)]
    pub until: Round,
}

impl Purpose for IntakeKey {
    const TAG: &'static str = "intake key";
}

/// A desk's entry in the directory, as its signers handed it in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DeskEntry {
    /// Whose desk it is.
    #[n(0)]
    pub newsroom: IdentityPublic,
    /// Signed by the newsroom.
    #[n(1)]
    pub card: Unverified<DeskCard>,
    /// Signed by the desk.
    #[n(2)]
    pub keys: Vec<Unverified<IntakeKey>>,
}

/// A directory as it is served. [`Self::verify`] gives the [`Directory`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct UnverifiedDirectory {
    #[n(0)]
    root: RootPublic,
    #[n(1)]
    roster: ByteVec,
    #[n(2)]
    signature: RootSignature,
    #[n(3)]
    mix_keys: Vec<Unverified<MixKey>>,
    #[n(4)]
    desks: Vec<DeskEntry>,
}

/// Why a directory is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryRejected {
    /// DIR-01
    #[error("the directory belongs to another network")]
    OtherNetwork,
    /// DIR-02
    #[error("the roster's signatures are not the root's")]
    RosterSignature,
    /// DIR-03
    #[error("the roster's parameters cannot be used")]
    Parameters,
    /// DIR-04
    #[error("the roster does not name one press and one mix for each hop")]
    Operators,
    /// DIR-05
    #[error("a mix's key is not signed by that mix")]
    MixKey,
    /// DIR-06
    #[error("a desk is not named by a newsroom of the roster")]
    DeskCard,
    /// DIR-07
    #[error("a desk's key is not signed by that desk")]
    IntakeKey,
    /// DIR-08
    #[error("one key stands in two places")]
    KeyTwice,
    /// DIR-09
    #[error("a name is empty, too long, misleading or not unique")]
    Name,
    /// DIR-10
    #[error("a key is not well formed or its rounds run backwards")]
    Key,
    /// DIR-12
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl UnverifiedDirectory {
    /// Puts a directory together.
    pub fn assemble(
        root: &RootSecret,
        roster: &Roster,
        mix_keys: Vec<Unverified<MixKey>>,
        desks: Vec<DeskEntry>,
    ) -> Self {
        let body = codec::encode(roster);
        let signature = root.sign::<Roster>(&body);
        Self { root: root.public(), roster: body.into(), signature, mix_keys, desks }
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// DIR-12: the bytes are too many, or not the one encoding of a directory.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        // DIR-12: at most 4 MiB, in the one encoding. What is signed inside is held to the same as it is verified.
        if bytes.len() > MAX_DIRECTORY {
            return Err(Malformed);
        }
        codec::decode(bytes)
    }

    /// The bytes as they are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Checks it against the network that is pinned.
    ///
    /// # Errors
    /// DIR-01 to DIR-10 and DIR-12, as [`DirectoryRejected`] says.
    pub fn verify(self, network: &NetworkId) -> Result<Directory, DirectoryRejected> {
        use DirectoryRejected as No;
        // DIR-01: the root is the one that the app pins.
        if self.root.network() != *network {
            return Err(No::OtherNetwork);
        }
        // DIR-02: both of the root's signatures stand under the roster.
        self.root
            .verify::<Roster>(&self.roster, &self.signature)
            .map_err(|BadSignature| No::RosterSignature)?;
        let roster: Roster = codec::decode(&self.roster)?;
        let cascade = check_parameters(&roster.parameters)?;
        check_operators(&roster, cascade)?;
        let digest = Digest::of(&codec::encode(&self));

        let mut ids: Vec<KeyId> = Vec::new();
        let mut seal_key = |bytes: &[u8], from: Round, until: Round| {
            // DIR-10: the key is well formed and lives forwards.
            let key = SealPublic::from_bytes(bytes).filter(|_| from <= until).ok_or(No::Key)?;
            // DIR-08: a key stands in one place only, so a desk's key cannot be offered as a mix's.
            if ids.contains(&key.id()) {
                return Err(No::KeyTwice);
            }
            ids.push(key.id());
            Ok(Current { key, from, until })
        };

        let mut mixes: Vec<Vec<Current>> = (0..cascade.mixes()).map(|_| Vec::new()).collect();
        for signed in &self.mix_keys {
            // DIR-05: signed by the identity that the roster names for the key's own hop.
            let hop = signed.dangerously_peek()?.hop;
            let identity = roster.mix(hop).ok_or(No::MixKey)?;
            let key = signed.verify(network, &identity).map_err(|r| refused(r, No::MixKey))?;
            mixes[usize::from(hop)].push(seal_key(&key.key, key.from, key.until)?);
        }

        // DIR-03: each desk has a place in the table of passes.
        if self.desks.len() > usize::from(roster.parameters.desks) {
            return Err(No::Parameters);
        }
        let mut desks: Vec<Desk> = Vec::new();
        for entry in &self.desks {
            // DIR-06: the newsroom stands in the roster, and signed the card.
            let newsroom =
                roster.operator(&entry.newsroom).filter(|o| o.role == Role::Newsroom).ok_or(No::DeskCard)?;
            let card = entry.card.verify(network, &newsroom.key).map_err(|r| refused(r, No::DeskCard))?;
            let keys = entry
                .keys
                .iter()
                .map(|signed| {
                    // DIR-07: signed by the desk's own identity.
                    let key = signed.verify(network, &card.desk).map_err(|r| refused(r, No::IntakeKey))?;
                    seal_key(&key.key, key.from, key.until)
                })
                .collect::<Result<_, _>>()?;
            check_name(&card.name)?;
            check_about(&card.about)?;
            // DIR-09: one identity, one desk; one name within its newsroom.
            if desks
                .iter()
                .any(|d| d.identity == card.desk || (d.newsroom == newsroom.name && d.name == card.name))
            {
                return Err(No::Name);
            }
            desks.push(Desk {
                id: desk_id(&card.desk),
                identity: card.desk,
                newsroom: newsroom.name.clone(),
                name: card.name,
                about: card.about,
                keys,
            });
        }
        Ok(Directory { network: *network, cascade, digest, roster, mixes, desks })
    }
}

fn refused(why: Rejected, signature: DirectoryRejected) -> DirectoryRejected {
    match why {
        Rejected::Signature(_) => signature,
        Rejected::Malformed(m) => m.into(),
    }
}

// DIR-03
fn check_parameters(p: &Parameters) -> Result<Cascade, DirectoryRejected> {
    let cascade = Cascade::new(p.mixes).ok_or(DirectoryRejected::Parameters)?;
    let good = p.n_min >= 2
        && p.schedule.genesis <= MAX_GENESIS
        && p.n_max >= p.n_min
        && (500..=86_400_000).contains(&p.schedule.round_ms)
        && (1..=4096).contains(&p.desk_slots)
        && (1..=4096).contains(&p.reader_slots)
        && (1..=1024).contains(&p.desks)
        && p.hold.is_usable()
        // As many desk slots as all mixes' onions, or pools could fill with decoys alone.
        && u32::from(p.desk_slots) >= p.decoys.onions() * u32::from(cascade.exit());
    if good { Ok(cascade) } else { Err(DirectoryRejected::Parameters) }
}

// DIR-04: one press, one edge, one mix for each hop and none beyond, no identity in two roles.
fn check_operators(roster: &Roster, cascade: Cascade) -> Result<(), DirectoryRejected> {
    let count = |role| roster.operators.iter().filter(|o| o.role == role).count();
    let mixes = roster.operators.iter().filter(|o| matches!(o.role, Role::Mix(_))).count();
    let mut keys: Vec<_> = roster.operators.iter().map(|o| o.key).collect();
    keys.sort_unstable();
    keys.dedup();
    if count(Role::Press) != 1
        || count(Role::Edge) != 1
        || mixes != usize::from(cascade.mixes())
        || (0..cascade.mixes()).any(|hop| count(Role::Mix(hop)) != 1)
        || keys.len() != roster.operators.len()
    {
        return Err(DirectoryRejected::Operators);
    }
    // DIR-09: a source picks a desk by its newsroom's name, so no two newsrooms share one.
    let mut newsrooms: Vec<_> =
        roster.operators.iter().filter(|o| o.role == Role::Newsroom).map(|o| o.name.as_str()).collect();
    newsrooms.sort_unstable();
    if newsrooms.windows(2).any(|two| two[0] == two[1]) {
        return Err(DirectoryRejected::Name);
    }
    check_name(&roster.name)?;
    roster.operators.iter().try_for_each(|o| check_name(&o.name))
}

// DIR-09
fn check_name(name: &str) -> Result<(), DirectoryRejected> {
    let bad = name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(misleads);
    if bad { Err(DirectoryRejected::Name) } else { Ok(()) }
}

// DIR-09: what a desk says about itself stands beside its name.
fn check_about(about: &str) -> Result<(), DirectoryRejected> {
    let bad = about.len() > MAX_ABOUT || about.chars().any(misleads);
    if bad { Err(DirectoryRejected::Name) } else { Ok(()) }
}

/// Characters that make a name look like another on a screen: controls, and marks that turn the direction of writing
/// (Unicode Standard Annex 9 §2).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A desk's id: the first 16 bytes of SHA-256("firsthand/v1 desk" 0x00 identity).
pub fn desk_id(identity: &IdentityPublic) -> DeskId {
    DeskId(short_hash("firsthand/v1 desk", &identity.0))
}

/// A key and the rounds it is used in, both included.
#[derive(Clone)]
struct Current {
    key: SealPublic,
    from: Round,
    until: Round,
}

/// SHA-256 over keys and their rounds, in their order; of several lists, each with its count.
fn digest_of<'a>(lists: impl IntoIterator<Item = &'a Vec<Current>>) -> Digest {
    let mut bytes = Vec::new();
    for keys in lists {
        bytes.extend_from_slice(&(keys.len() as u32).to_be_bytes());
        for k in keys {
            bytes.extend_from_slice(&k.from.0.to_be_bytes());
            bytes.extend_from_slice(&k.until.0.to_be_bytes());
            bytes.extend_from_slice(&k.key.to_bytes());
        }
    }
    Digest::of(&bytes)
}

fn current(keys: &[Current], round: Round) -> Option<&SealPublic> {
    // DIR-11: a key is used in its own rounds only; of several, the newest.
    keys.iter().filter(|k| (k.from..=k.until).contains(&round)).max_by_key(|k| k.from).map(|k| &k.key)
}

/// A desk that can be written to.
pub struct Desk {
    /// Its name in the protocol.
    pub id: DeskId,
    /// Its identity.
    pub identity: IdentityPublic,
    /// Its newsroom's name.
    pub newsroom: String,
    /// Its own.
    pub name: String,
    /// Who reads it and what for.
    pub about: String,
    keys: Vec<Current>,
}

impl Desk {
    /// The key to seal to in `round`.
    pub fn intake(&self, round: Round) -> Option<&SealPublic> {
        current(&self.keys, round)
    }

    /// A digest over all its keys and their rounds: the same for as long as none of them changes.
    pub fn keys_digest(&self) -> Digest {
        digest_of([&self.keys])
    }
}

/// A verified directory.
pub struct Directory {
    network: NetworkId,
    cascade: Cascade,
    digest: Digest,
    roster: Roster,
    mixes: Vec<Vec<Current>>,
    desks: Vec<Desk>,
}

impl Directory {
    /// SHA-256 of its bytes, as a head names it.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Network and cascade.
    pub fn wire(&self) -> Wire {
        Wire { network: self.network, cascade: self.cascade }
    }

    /// Operators and parameters.
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.roster.parameters
    }

    /// The desks, in the directory's order.
    pub fn desks(&self) -> &[Desk] {
        &self.desks
    }

    /// The desk with this id.
    pub fn desk(&self, id: &DeskId) -> Option<&Desk> {
        self.desks.iter().find(|d| d.id == *id)
    }

    /// The key of the mix at `hop` for `round`.
    pub fn mix_key(&self, hop: u8, round: Round) -> Option<&SealPublic> {
        current(self.mixes.get(usize::from(hop))?, round)
    }

    /// Every key of the mix at `hop`, of rounds past and to come.
    pub fn mix_keys(&self, hop: u8) -> impl Iterator<Item = &SealPublic> {
        self.mixes.get(usize::from(hop)).into_iter().flatten().map(|current| &current.key)
    }

    /// A digest over the keys of all mixes and their rounds: the same for as long as none of them changes.
    pub fn mix_keys_digest(&self) -> Digest {
        digest_of(&self.mixes)
    }

    /// The keys an envelope of `round` needs: those of the mixes before the exit in order, and the exit's.
    pub fn envelope_keys(&self, round: Round) -> Option<(Vec<SealPublic>, SealPublic)> {
        let mut keys: Vec<_> =
            (0..self.cascade.mixes()).map(|hop| self.mix_key(hop, round).cloned()).collect::<Option<_>>()?;
        let exit = keys.pop()?;
        Some((keys, exit))
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::seal::SealSecret;
    use crate::sign::IdentitySecret;

    /// Everything a directory is made of, to bend one thing and assemble.
    struct Town {
        rng: StdRng,
        root: RootSecret,
        mixes: Vec<IdentitySecret>,
        newsroom: IdentitySecret,
        desk: IdentitySecret,
        roster: Roster,
        mix_keys: Vec<MixKey>,
        card: DeskCard,
        intake: Vec<IntakeKey>,
    }

    fn town() -> Town {
        let mut rng = StdRng::seed_from_u64(1);
        let root = RootSecret::generate(&mut rng);
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let newsroom = IdentitySecret::generate(&mut rng);
        let desk = IdentitySecret::generate(&mut rng);
        let mixes: Vec<_> = (0..2).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator =
            |role, name: &str, who: &IdentitySecret| Operator { role, name: name.into(), key: who.public() };
        let roster = Roster {
            name: "Test".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(1_000), round_ms: 5_000 },
                mixes: 2,
                n_min: 8,
                n_max: 100,
                desk_slots: 16,
                reader_slots: 16,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                desks: 8,
            },
            operators: vec![
                operator(Role::Press, "Press", &press),
                operator(Role::Edge, "Edge", &edge),
                operator(Role::Mix(0), "First", &mixes[0]),
                operator(Role::Mix(1), "Second", &mixes[1]),
                operator(Role::Newsroom, "The Herald", &newsroom),
            ],
        };
        let mix_keys = (0..2)
            .map(|hop| MixKey { hop, key: seal_key(&mut rng), from: Round(0), until: Round(99) })
            .collect();
        let card = DeskCard { desk: desk.public(), name: "Tips".into(), about: "Read by two people.".into() };
        let intake = vec![IntakeKey { key: seal_key(&mut rng), from: Round(0), until: Round(99) }];
        Town { rng, root, mixes, newsroom, desk, roster, mix_keys, card, intake }
    }

    fn seal_key(rng: &mut StdRng) -> ByteVec {
        SealSecret::generate(rng).public().to_bytes().into()
    }

    impl Town {
        fn network(&self) -> NetworkId {
            self.root.public().network()
        }

        fn mix_keys(&self) -> Vec<Unverified<MixKey>> {
            let sign = |k: &MixKey| Unverified::sign(k, &self.network(), &self.mixes[usize::from(k.hop)]);
            self.mix_keys.iter().map(sign).collect()
        }

        fn desk(&self) -> DeskEntry {
            DeskEntry {
                newsroom: self.newsroom.public(),
                card: Unverified::sign(&self.card, &self.network(), &self.newsroom),
                keys: self.intake.iter().map(|k| Unverified::sign(k, &self.network(), &self.desk)).collect(),
            }
        }

        fn assembled(&self) -> UnverifiedDirectory {
            UnverifiedDirectory::assemble(&self.root, &self.roster, self.mix_keys(), vec![self.desk()])
        }

        fn verified(&self) -> Result<Directory, DirectoryRejected> {
            self.assembled().verify(&self.network())
        }

        fn refused(&self) -> DirectoryRejected {
            self.verified().err().expect("it is refused")
        }
    }

    #[test]
    fn a_directory_survives_being_served() {
        let t = town();
        let bytes = t.assembled().to_bytes();
        let d = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&t.network()).unwrap();
        assert_eq!(d.digest(), Digest::of(&bytes));
        assert_eq!(d.wire(), Wire { network: t.network(), cascade: Cascade::new(2).unwrap() });
        assert_eq!(d.desks().len(), 1);
        let desk = d.desk(&desk_id(&t.desk.public())).unwrap();
        assert_eq!((desk.newsroom.as_str(), desk.name.as_str()), ("The Herald", "Tips"));
        let (before, exit) = d.envelope_keys(Round(3)).unwrap();
        assert_eq!(before.len(), 1);
        assert_eq!(exit.to_bytes(), t.mix_keys[1].key.to_vec());
    }

    #[test]
    fn dir_01_another_networks_directory_is_refused() {
        let mut t = town();
        let other = RootSecret::generate(&mut t.rng).public().network();
        assert_eq!(t.assembled().verify(&other).err(), Some(DirectoryRejected::OtherNetwork));
    }

    #[test]
    fn dir_02_both_of_the_roots_signatures_stand_under_the_roster() {
        let mut t = town();
        let network = t.network();
        let no = Some(DirectoryRejected::RosterSignature);
        let mut bent = t.assembled();
        bent.signature.ed25519[9] ^= 1;
        assert_eq!(bent.verify(&network).err(), no);
        let mut bent = t.assembled();
        bent.signature.ml_dsa[9] ^= 1;
        assert_eq!(bent.verify(&network).err(), no);
        let mut bent = t.assembled();
        t.roster.parameters.n_min = 7;
        bent.roster = codec::encode(&t.roster).into();
        assert_eq!(bent.verify(&network).err(), no);
    }

    #[test]
    fn dir_03_parameters_that_cannot_be_used_are_refused() {
        let bends: [fn(&mut Parameters); 18] = [
            |p| p.mixes = 0,
            |p| p.mixes = 5,
            |p| p.n_min = 1,
            |p| p.n_max = 7,
            |p| p.schedule.round_ms = 499,
            |p| p.schedule.round_ms = 86_400_001,
            |p| p.schedule.genesis = Millis(MAX_GENESIS.0 + 1),
            |p| p.schedule.genesis = Millis(u64::MAX),
            |p| p.desk_slots = 0,
            |p| p.desk_slots = 4_097,
            |p| p.reader_slots = 0,
            |p| p.reader_slots = 4_097,
            |p| p.desks = 0,
            |p| p.desks = 1_025,
            |p| p.hold = Hold(0),
            |p| p.decoys = Decoys { mu: p.desk_slots, b: 1 },
            |p| p.decoys = Decoys { mu: u16::MAX, b: 0 },
            |p| p.hold = Hold(1_001),
        ];
        for (i, bend) in bends.into_iter().enumerate() {
            let mut t = town();
            bend(&mut t.roster.parameters);
            assert_eq!(t.refused(), DirectoryRejected::Parameters, "case {i}");
        }
        let mut t = town();
        t.roster.parameters.schedule.genesis = MAX_GENESIS;
        let schedule = t.verified().unwrap().parameters().schedule;
        assert!(schedule.end(Round(u32::MAX)) > schedule.genesis, "no overflow");
    }

    #[test]
    fn dir_04_each_role_has_its_one_operator() {
        for at in 0..4 {
            let mut t = town();
            let gone = t.roster.operators.remove(at);
            assert_eq!(t.refused(), DirectoryRejected::Operators, "without {:?}", gone.role);
        }
        for role in [Role::Press, Role::Edge, Role::Mix(1), Role::Mix(2)] {
            let mut t = town();
            let key = IdentitySecret::generate(&mut t.rng).public();
            t.roster.operators.push(Operator { role, name: "Another".into(), key });
            assert_eq!(t.refused(), DirectoryRejected::Operators, "a further {role:?}");
        }
        let mut t = town();
        t.roster.operators[4].key = t.roster.operators[0].key;
        assert_eq!(t.refused(), DirectoryRejected::Operators, "one identity, two roles");
    }

    #[test]
    fn dir_05_a_mix_key_is_signed_by_the_mix_at_its_hop() {
        let t = town();
        let sign = |hop: u8, by: &IdentitySecret| {
            let key = MixKey { hop, ..t.mix_keys[0].clone() };
            let keys = vec![Unverified::sign(&key, &t.network(), by)];
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, keys, vec![]);
            d.verify(&t.network()).map(|_| ())
        };
        assert_eq!(sign(0, &t.mixes[0]), Ok(()));
        assert_eq!(sign(0, &t.mixes[1]), Err(DirectoryRejected::MixKey), "the other mix");
        assert_eq!(sign(2, &t.mixes[1]), Err(DirectoryRejected::MixKey), "no such hop");
    }

    #[test]
    fn dir_06_a_desk_is_named_by_a_newsroom_of_the_roster() {
        let mut t = town();
        let stranger = IdentitySecret::generate(&mut t.rng);
        let with = |newsroom: &IdentitySecret, signer: &IdentitySecret| {
            let entry = DeskEntry {
                newsroom: newsroom.public(),
                card: Unverified::sign(&t.card, &t.network(), signer),
                keys: vec![],
            };
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], vec![entry]);
            d.verify(&t.network()).map(|_| ())
        };
        assert_eq!(with(&t.newsroom, &t.newsroom), Ok(()));
        assert_eq!(with(&stranger, &stranger), Err(DirectoryRejected::DeskCard), "not in the roster");
        assert_eq!(with(&t.newsroom, &stranger), Err(DirectoryRejected::DeskCard), "another signer");
        assert_eq!(with(&t.mixes[0], &t.mixes[0]), Err(DirectoryRejected::DeskCard), "not a newsroom");
    }

    #[test]
    fn dir_07_an_intake_key_is_signed_by_its_desk() {
        let t = town();
        let mut entry = t.desk();
        entry.keys = vec![Unverified::sign(&t.intake[0], &t.network(), &t.newsroom)];
        let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], vec![entry]);
        assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::IntakeKey));
    }

    #[test]
    fn dir_08_a_key_stands_in_one_place_only() {
        let mut t = town();
        t.intake[0].key = t.mix_keys[1].key.clone();
        assert_eq!(t.refused(), DirectoryRejected::KeyTwice, "a mix's key offered as a desk's");
        let mut t = town();
        t.mix_keys[0].key = t.mix_keys[1].key.clone();
        assert_eq!(t.refused(), DirectoryRejected::KeyTwice, "one key at two hops");
    }

    #[test]
    fn dir_09_a_name_is_short_plain_and_its_own() {
        for name in ["", "  ", "a\nb", "a\u{202e}b", "a\u{2066}b", &"x".repeat(MAX_NAME + 1)] {
            let mut t = town();
            t.roster.name = name.into();
            assert_eq!(t.refused(), DirectoryRejected::Name, "network {name:?}");
            let mut t = town();
            t.roster.operators[4].name = name.into();
            assert_eq!(t.refused(), DirectoryRejected::Name, "operator {name:?}");
            let mut t = town();
            t.card.name = name.into();
            assert_eq!(t.refused(), DirectoryRejected::Name, "desk {name:?}");
        }
        for about in ["a\tb", "a\u{202e}b", &"x".repeat(MAX_ABOUT + 1)] {
            let mut t = town();
            t.card.about = about.into();
            assert_eq!(t.refused(), DirectoryRejected::Name, "about {about:?}");
        }
        let mut t = town();
        let key = IdentitySecret::generate(&mut t.rng).public();
        t.roster.operators.push(Operator { role: Role::Newsroom, name: "The Herald".into(), key });
        assert_eq!(t.refused(), DirectoryRejected::Name, "one name, two newsrooms");
        let t = town();
        let twice = vec![t.desk(), DeskEntry { keys: vec![], ..t.desk() }];
        let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], twice);
        assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::Name), "one identity, two desks");
        let mut t = town();
        let first = t.desk();
        t.card.desk = IdentitySecret::generate(&mut t.rng).public();
        t.intake.clear();
        let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], vec![first, t.desk()]);
        assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::Name), "one name, two desks");
    }

    #[test]
    fn dir_10_a_key_is_well_formed_and_lives_forwards() {
        let mut t = town();
        t.mix_keys[0].from = Round(100);
        assert_eq!(t.refused(), DirectoryRejected::Key, "from 100 until 99");
        let mut t = town();
        t.intake[0].key.truncate(1_215);
        assert_eq!(t.refused(), DirectoryRejected::Key, "too short");
        let mut t = town();
        t.mix_keys[0].key[..3].fill(0xff);
        assert_eq!(t.refused(), DirectoryRejected::Key, "a number that ML-KEM does not allow");
    }

    #[test]
    fn dir_11_a_key_is_used_in_its_own_rounds_and_of_several_the_newest() {
        let mut t = town();
        t.mix_keys[0].from = Round(10);
        t.mix_keys[0].until = Round(20);
        let newer = MixKey { hop: 0, key: seal_key(&mut t.rng), from: Round(15), until: Round(30) };
        t.mix_keys.push(newer);
        let d = t.verified().unwrap();
        let old = SealPublic::from_bytes(&t.mix_keys[0].key).unwrap().id();
        let new = SealPublic::from_bytes(&t.mix_keys[2].key).unwrap().id();
        for (round, want) in [
            (9, None),
            (10, Some(old)),
            (14, Some(old)),
            (15, Some(new)),
            (20, Some(new)),
            (30, Some(new)),
            (31, None),
        ] {
            assert_eq!(d.mix_key(0, Round(round)).map(SealPublic::id), want, "round {round}");
            assert_eq!(d.envelope_keys(Round(round)).is_some(), want.is_some(), "round {round}");
        }
        let desk = &d.desks()[0];
        assert!(desk.intake(Round(99)).is_some());
        assert!(desk.intake(Round(100)).is_none());
    }

    #[test]
    fn dir_12_a_directory_in_another_form_is_refused() {
        let mut t = town();
        let bytes = t.assembled().to_bytes();
        assert!(
            UnverifiedDirectory::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err(),
            "one byte more"
        );
        assert!(UnverifiedDirectory::from_bytes(&bytes[..bytes.len() - 1]).is_err(), "one byte less");
        t.card.about = "x".repeat(MAX_DIRECTORY);
        let long = t.assembled().to_bytes();
        assert!(UnverifiedDirectory::from_bytes(&long).is_err(), "too long");
        let mut odd = town().assembled();
        odd.roster = [odd.roster.as_slice(), &[0]].concat().into();
        odd.signature = t.root.sign::<Roster>(&odd.roster);
        assert_eq!(
            odd.verify(&t.network()).err(),
            Some(Malformed.into()),
            "a roster with a byte more, signed"
        );
    }
}
