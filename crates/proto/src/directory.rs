//! The roster and the directory: who runs what, with which keys, under which parameters. Spec: directory.md §3-5.
//!
//! The root signs the roster; each operator and desk signs its own keys. The press puts them together into one directory
//! a day: it can leave out, but not alter.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, Malformed};
use crate::envelope::Wire;
use crate::id::{DeskId, Digest, KeyId, NetworkId, short_hash};
use crate::mix::Rule;
use crate::round::{Round, Schedule};
use crate::seal::SealPublic;
use crate::sign::{
    BadSignature, IdentityPublic, Purpose, Rejected, RootPublic, RootSecret, RootSignature, Unverified,
};
use crate::size::Cascade;

/// The longest name that a roster or desk may give, in bytes.
pub const MAX_NAME: usize = 80;

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
    #[error("a name is empty, too long, or not unique")]
    Name,
    /// DIR-10
    #[error("a key is not well formed or its rounds run backwards")]
    Key,
    /// The bytes are not a directory.
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
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes)
    }

    /// The bytes as they are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Checks it against the network that is pinned.
    ///
    /// # Errors
    /// DIR-01 to DIR-10, as [`DirectoryRejected`] says.
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
        && p.n_max >= p.n_min
        && (500..=86_400_000).contains(&p.schedule.round_ms)
        && (1..=4096).contains(&p.desk_slots)
        && (1..=4096).contains(&p.reader_slots);
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
    // DIR-09
    check_name(&roster.name)?;
    roster.operators.iter().try_for_each(|o| check_name(&o.name))
}

// DIR-09
fn check_name(name: &str) -> Result<(), DirectoryRejected> {
    let bad = name.trim().is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control);
    if bad { Err(DirectoryRejected::Name) } else { Ok(()) }
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

    /// The keys an envelope of `round` needs: those of the mixes before the exit in order, and the exit's.
    pub fn envelope_keys(&self, round: Round) -> Option<(Vec<SealPublic>, SealPublic)> {
        let mut keys: Vec<_> =
            (0..self.cascade.mixes()).map(|hop| self.mix_key(hop, round).cloned()).collect::<Option<_>>()?;
        let exit = keys.pop()?;
        Some((keys, exit))
    }
}
