//! The roster and the directory: who runs what, with which keys, under which parameters. Spec: directory.md §3-5.
//!
//! The root signs the roster; each operator and desk signs its own keys. The press puts them together into one directory
//! a day: it can leave out, but not alter.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::codec::{self, Malformed};
use crate::decoy::Decoys;
use crate::envelope::Wire;
use crate::hold::Hold;
use crate::id::{DeskId, Digest, KeyId, NetworkId, short_hash};
use crate::keys::{KeyKind, NEW_IDENTITY_WAITS, Period};
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
/// The most that a directory may weigh, in bytes: as many desks as there may be, each with four keys and the longest texts. A
/// client reads no further.
pub const MAX_DIRECTORY: usize = 4 * 1024 * 1024;
/// The most desks that a directory may list.
pub const MAX_DESKS: u16 = 640;
/// The most witnesses that a roster may name: their co-signatures all stand in one short note.
pub const MAX_WITNESSES: usize = 64;
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
    /// q: so many of the roster's witnesses must co-sign what everyone is shown. 0 only where there is none.
    #[n(8)]
    pub quorum: u8,
    /// The most desks that a directory lists, and so the entries of every table of passes.
    #[n(9)]
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
    /// Co-signs the log.
    #[n(4)]
    Witness,
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
    /// The round from which it is what it says. Of two with one role, the later takes over then.
    #[n(3)]
    pub since: Round,
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
    /// Counted up by the root: nobody goes back to one with a lower number.
    #[n(4)]
    pub number: u32,
    /// The first round in which it is in force.
    #[n(5)]
    pub from: Round,
    /// The last.
    #[n(6)]
    pub until: Round,
}

impl Purpose for Roster {
    const TAG: &'static str = "roster";
}

impl Roster {
    /// The identity that signs the edition of `round`. `None`: of a round before the roster's first, it may name nobody.
    pub fn press(&self, round: Round) -> Option<IdentityPublic> {
        self.in_force(Role::Press, round).map(|o| o.key)
    }

    /// The identity of the mix at `hop` in `round`.
    pub fn mix(&self, hop: u8, round: Round) -> Option<IdentityPublic> {
        self.in_force(Role::Mix(hop), round).map(|o| o.key)
    }

    /// The identities that co-sign the log in `round`.
    pub fn witnesses(&self, round: Round) -> impl Iterator<Item = IdentityPublic> {
        self.operators.iter().filter(move |o| o.role == Role::Witness && o.since <= round).map(|o| o.key)
    }

    /// How many of them must co-sign a checkpoint whose newest head is of `round`: as many as the parameters say, or all that are in
    /// force by then where those are fewer. With none in force none are enough.
    pub fn quorum(&self, round: Round) -> usize {
        match self.witnesses(round).count() {
            0 => usize::from(self.parameters.quorum),
            in_force => in_force.min(usize::from(self.parameters.quorum)),
        }
    }

    /// The round in which another takes over from the operator whose identity is `key`.
    pub fn ends(&self, key: &IdentityPublic) -> Option<Round> {
        let it = self.operator(key)?;
        let later = self.operators.iter().filter(|o| o.role == it.role && o.since > it.since);
        later.map(|o| o.since).min()
    }

    /// Who holds the identity `key`, whether it has taken effect or not.
    pub fn operator(&self, key: &IdentityPublic) -> Option<&Operator> {
        self.operators.iter().find(|o| o.key == *key)
    }

    // DIR-14: of several with one role, the one that took effect last; before that it is nobody's.
    fn in_force(&self, role: Role, round: Round) -> Option<&Operator> {
        self.operators.iter().filter(|o| o.role == role && o.since <= round).max_by_key(|o| o.since)
    }

    /// Whether it is in force in `round`.
    pub fn holds(&self, round: Round) -> bool {
        Period { from: self.from, until: self.until }.holds(round)
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

impl MixKey {
    /// Its rounds.
    pub fn period(&self) -> Period {
        Period { from: self.from, until: self.until }
    }
}

/// A mix's key as it was handed in, checked: whoever is about to use or to pass on one calls this.
///
/// # Errors
/// DIR-05: not signed by the mix that the roster names for the key's hop in its first round. KEY-01, DIR-10: its rounds are
/// not a period of its kind, or it is not well formed.
pub fn check_mix_key(
    signed: &Unverified<MixKey>,
    roster: &Roster,
    cascade: Cascade,
    network: &NetworkId,
) -> Result<(MixKey, SealPublic), DirectoryRejected> {
    // DIR-05: signed by the identity that the roster names for the key's own hop.
    let peeked = signed.dangerously_peek()?;
    let identity = roster.mix(peeked.hop, peeked.from).ok_or(DirectoryRejected::MixKey)?;
    let it = signed.verify(network, &identity).map_err(|r| refused(r, DirectoryRejected::MixKey))?;
    let key = seal_key(&it.key, KeyKind::of_mix(it.hop, cascade), it.period())?;
    Ok((it, key))
}

/// A desk's key as it was handed in, checked.
///
/// # Errors
/// DIR-07: not signed by `vault_key`. KEY-01, DIR-10: its rounds are not a week, or it is not well formed.
pub fn check_intake_key(
    signed: &Unverified<IntakeKey>,
    vault_key: &IdentityPublic,
    network: &NetworkId,
) -> Result<(IntakeKey, SealPublic), DirectoryRejected> {
    // DIR-07: signed by the vault key that the desk's card names. The identity lies in a file that is not sealed.
    let it = signed.verify(network, vault_key).map_err(|r| refused(r, DirectoryRejected::IntakeKey))?;
    let key = seal_key(&it.key, KeyKind::Intake, it.period())?;
    Ok((it, key))
}

// DIR-10: the key is well formed. KEY-01: its rounds are one whole period of its kind.
fn seal_key(bytes: &[u8], kind: KeyKind, period: Period) -> Result<SealPublic, DirectoryRejected> {
    SealPublic::from_bytes(bytes).filter(|_| kind.is_period(period)).ok_or(DirectoryRejected::Key)
}

/// A desk as its newsroom names it, signed by the newsroom's identity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DeskCard {
    /// The desk's own identity: signs what its machine asks for.
    #[n(0)]
    pub desk: IdentityPublic,
    /// Signs its intake keys. The secret lies in the desk's vault and nowhere else.
    #[n(1)]
    pub vault_key: IdentityPublic,
    /// For people: "Investigations".
    #[n(2)]
    pub name: String,
    /// Who reads it and what for, one or two sentences.
    #[n(3)]
    pub about: String,
    /// The round from which it can be written to.
    #[n(4)]
    pub since: Round,
}

impl DeskCard {
    /// The id of the desk that it names.
    pub fn id(&self) -> DeskId {
        desk_id(&self.desk, &self.vault_key)
    }
}

impl Purpose for DeskCard {
    const TAG: &'static str = "desk card";
}

/// A desk's key, signed by the desk's vault key.
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

impl IntakeKey {
    /// Its rounds.
    pub fn period(&self) -> Period {
        Period { from: self.from, until: self.until }
    }
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
    /// Signed by the desk's vault key.
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
    #[error(
        "the roster does not name one press and one mix for each hop, each mix from the first round of a key on"
    )]
    Operators,
    /// DIR-05
    #[error("a mix's key is not signed by that mix")]
    MixKey,
    /// DIR-06
    #[error("a desk is not named by a newsroom of the roster")]
    DeskCard,
    /// DIR-07
    #[error("a desk's key is not signed by that desk's vault key")]
    IntakeKey,
    /// DIR-08
    #[error("one key stands in two places")]
    KeyTwice,
    /// DIR-09
    #[error("a name is empty, too long, misleading or not unique")]
    Name,
    /// DIR-10, KEY-01
    #[error("a key is not well formed or not of the rounds that such a key has")]
    Key,
    /// DIR-12
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// DIR-13
    #[error("the roster is older than the one before it, or another of the same number")]
    OldRoster,
    /// DIR-15
    #[error("the roster has other sizes than the one before it, which only another network can have")]
    OtherSizes,
    /// DIR-14
    #[error("an operator or desk that was not known before would take effect without waiting")]
    TooSoon,
    /// DIR-16
    #[error("a key of a desk or of the last mix is left out, though it is still needed")]
    KeyLeftOut,
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
    /// DIR-01 to DIR-10, DIR-12 and KEY-01, as [`DirectoryRejected`] says.
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
        check_quorum(&roster)?;
        check_operators(&roster, cascade)?;
        let digest = Digest::of(&codec::encode(&self));

        let mut ids: Vec<KeyId> = Vec::new();
        // DIR-08: a key stands in one place only, so a desk's key cannot be offered as a mix's.
        let mut once = |key: SealPublic, period: Period| {
            if ids.contains(&key.id()) {
                return Err(No::KeyTwice);
            }
            ids.push(key.id());
            Ok(Current { key, period })
        };

        let mut mixes: Vec<Vec<Current>> = (0..cascade.mixes()).map(|_| Vec::new()).collect();
        for signed in &self.mix_keys {
            // DIR-05
            let (it, key) = check_mix_key(signed, &roster, cascade, network)?;
            // DIR-05: keys of one round stand in heads.
            if KeyKind::of_mix(it.hop, cascade) == KeyKind::Round {
                return Err(No::MixKey);
            }
            let current = once(key, it.period())?;
            // DIR-08: of two, one device could be shown the one and all others the other.
            if mixes[usize::from(it.hop)].iter().any(|k| k.period == current.period) {
                return Err(No::KeyTwice);
            }
            mixes[usize::from(it.hop)].push(current);
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
            let mut keys: Vec<Current> = Vec::new();
            for signed in &entry.keys {
                // DIR-07
                let (it, key) = check_intake_key(signed, &card.vault_key, network)?;
                let current = once(key, it.period())?;
                // DIR-08
                if keys.iter().any(|k| k.period == current.period) {
                    return Err(No::KeyTwice);
                }
                keys.push(current);
            }
            // DIR-08: a vault key is one desk's and nobody's identity, or who has another file could sign for the vault.
            let vault_key = card.vault_key;
            if vault_key == card.desk
                || roster.operator(&vault_key).is_some()
                || desks
                    .iter()
                    .any(|d| d.vault_key == vault_key || d.identity == vault_key || d.vault_key == card.desk)
            {
                return Err(No::KeyTwice);
            }
            check_name(&card.name)?;
            check_about(&card.about)?;
            // DIR-09: one identity, one desk, and no operator; one name within its newsroom.
            if roster.operator(&card.desk).is_some()
                || desks.iter().any(|d| {
                    d.identity == card.desk
                        || (d.newsroom == newsroom.name && folded(&d.name) == folded(&card.name))
                })
            {
                return Err(No::Name);
            }
            desks.push(Desk {
                id: card.id(),
                identity: card.desk,
                vault_key,
                newsroom: newsroom.name.clone(),
                name: card.name,
                about: card.about,
                since: card.since.max(newsroom.since),
                keys,
            });
        }
        Ok(Directory { network: *network, cascade, digest, roster, mixes, desks })
    }

    /// The same roster with these desks, and no keys of mixes.
    pub fn with_desks(self, desks: Vec<DeskEntry>) -> Self {
        Self { mix_keys: vec![], desks, ..self }
    }

    /// The same roster and desks with other keys: the press makes the next directory so. `intake` gives the keys of one desk,
    /// and is told those that stand here.
    ///
    /// # Errors
    /// A desk's card is not one.
    pub fn with_keys(
        &self,
        mix_keys: Vec<Unverified<MixKey>>,
        mut intake: impl FnMut(&DeskId, &[Unverified<IntakeKey>]) -> Vec<Unverified<IntakeKey>>,
    ) -> Result<Self, Malformed> {
        let with_keys = |entry: &DeskEntry| {
            let desk = entry.card.dangerously_peek()?.id();
            Ok(DeskEntry { keys: intake(&desk, &entry.keys), ..entry.clone() })
        };
        let desks = self.desks.iter().map(with_keys).collect::<Result<_, _>>()?;
        Ok(Self { mix_keys, desks, ..self.clone() })
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
        && (1..=MAX_DESKS).contains(&p.desks)
        && p.hold.is_usable()
        // As many desk slots as all mixes' onions, or pools could fill with decoys alone.
        && u32::from(p.desk_slots) >= p.decoys.onions() * u32::from(cascade.exit());
    if good { Ok(cascade) } else { Err(DirectoryRejected::Parameters) }
}

// DIR-03: more than half of the witnesses, so that two quorums have one in common; none only for a demonstration.
fn check_quorum(roster: &Roster) -> Result<(), DirectoryRejected> {
    let witnesses = roster.operators.iter().filter(|o| o.role == Role::Witness).count();
    let quorum = usize::from(roster.parameters.quorum);
    let good = match witnesses {
        0 => quorum == 0 && roster.demonstration,
        n => quorum <= n && 2 * quorum > n && n <= MAX_WITNESSES,
    };
    if good { Ok(()) } else { Err(DirectoryRejected::Parameters) }
}

// DIR-04: one press, one edge, one mix for each hop and none beyond, in force as long as the roster is; one more of each may
// wait to take over, a mix with the first round of a key. No identity in two places.
fn check_operators(roster: &Roster, cascade: Cascade) -> Result<(), DirectoryRejected> {
    let good = |role| {
        let mut since: Vec<_> = roster.operators.iter().filter(|o| o.role == role).map(|o| o.since).collect();
        since.sort_unstable();
        match since[..] {
            [one] => one <= roster.from,
            [one, next] => one <= roster.from && one < next,
            _ => false,
        }
    };
    let beyond = |o: &Operator| matches!(o.role, Role::Mix(hop) if hop >= cascade.mixes());
    let within = |o: &Operator| match o.role {
        Role::Mix(hop) => KeyKind::of_mix(hop, cascade).period(o.since).from != o.since,
        _ => false,
    };
    let mut keys: Vec<_> = roster.operators.iter().map(|o| o.key).collect();
    keys.sort_unstable();
    keys.dedup();
    if roster.from > roster.until
        || !good(Role::Press)
        || !good(Role::Edge)
        || !(0..cascade.mixes()).all(|hop| good(Role::Mix(hop)))
        || roster.operators.iter().any(|o| beyond(o) || within(o))
        || keys.len() != roster.operators.len()
    {
        return Err(DirectoryRejected::Operators);
    }
    // DIR-09: a source picks a desk by its newsroom's name, so no two newsrooms share one.
    let mut newsrooms: Vec<_> =
        roster.operators.iter().filter(|o| o.role == Role::Newsroom).map(|o| folded(&o.name)).collect();
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

/// A name as people take it in: without the difference of great and small letters, of spaces, and of what is not seen (joiners,
/// soft hyphens, variation selectors, tags).
fn folded(name: &str) -> String {
    let unseen = |c: &char| {
        matches!(*c,
            '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
    };
    let seen: String = name.chars().filter(|c| !unseen(c)).collect();
    seen.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Characters that make a name look like another on a screen: controls, and marks that turn the direction of writing
/// (Unicode Standard Annex 9 §2).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A desk's id: the first 16 bytes of SHA-256("firsthand/v1 desk" 0x00 identity vault-key). With another vault key it is another
/// desk: whoever wrote to the one goes on with nobody else.
pub fn desk_id(identity: &IdentityPublic, vault_key: &IdentityPublic) -> DeskId {
    DeskId(short_hash("firsthand/v1 desk", &[identity.0, vault_key.0].concat()))
}

/// A key and the rounds it is used in.
#[derive(Clone)]
struct Current {
    key: SealPublic,
    period: Period,
}

fn current(keys: &[Current], round: Round) -> Option<&SealPublic> {
    // DIR-11: a key is used in its own rounds only.
    keys.iter().find(|k| k.period.holds(round)).map(|k| &k.key)
}

/// A desk that can be written to.
pub struct Desk {
    /// Its name in the protocol.
    pub id: DeskId,
    /// Its identity.
    pub identity: IdentityPublic,
    /// Signs its intake keys.
    pub vault_key: IdentityPublic,
    /// Its newsroom's name.
    pub newsroom: String,
    /// Its own.
    pub name: String,
    /// Who reads it and what for.
    pub about: String,
    /// The round from which it can be written to.
    pub since: Round,
    keys: Vec<Current>,
}

impl Desk {
    /// The key to seal to in `round`. `None`: there is none, or the desk has not taken effect.
    pub fn intake(&self, round: Round) -> Option<&SealPublic> {
        current(&self.keys, round).filter(|_| self.since <= round)
    }

    /// Its keys and their rounds.
    pub fn keys(&self) -> impl Iterator<Item = (Period, KeyId)> {
        self.keys.iter().map(|k| (k.period, k.key.id()))
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

    /// The desk that is listed with this identity.
    pub fn desk_of(&self, identity: &IdentityPublic) -> Option<&Desk> {
        self.desks.iter().find(|d| d.identity == *identity)
    }

    /// The keys of desks to seal to in `round`.
    pub fn intake_keys(&self, round: Round) -> impl Iterator<Item = &SealPublic> {
        self.desks.iter().filter_map(move |desk| desk.intake(round))
    }

    /// The key of the mix at `hop` for `round`, if it is one that stands in directories.
    pub fn mix_key(&self, hop: u8, round: Round) -> Option<&SealPublic> {
        current(self.mixes.get(usize::from(hop))?, round)
    }

    /// Keys of the mix at `hop` and their rounds.
    pub fn mix_keys(&self, hop: u8) -> impl Iterator<Item = (Period, KeyId)> {
        self.mixes.get(usize::from(hop)).into_iter().flatten().map(|k| (k.period, k.key.id()))
    }

    /// The exit's key for a blob made in `round`.
    pub fn exit_key(&self, round: Round) -> Option<&SealPublic> {
        self.mix_key(self.cascade.exit(), round)
    }

    /// The exit's key that is used last, whether its time is over or not.
    pub fn newest_exit_key(&self) -> Option<&SealPublic> {
        let keys = self.mixes.get(usize::from(self.cascade.exit()))?;
        keys.iter().max_by_key(|k| k.period.from).map(|k| &k.key)
    }

    /// Reads a directory as it is served, and checks it against the network that is pinned.
    ///
    /// # Errors
    /// DIR-12, and all that [`UnverifiedDirectory::verify`] refuses.
    pub fn read(bytes: &[u8], network: &NetworkId) -> Result<Self, DirectoryRejected> {
        UnverifiedDirectory::from_bytes(bytes)?.verify(network)
    }

    /// Whether every key that stands in directories is there for `round`.
    pub fn has_keys(&self, round: Round) -> bool {
        let in_directory = |hop: &u8| KeyKind::of_mix(*hop, self.cascade) != KeyKind::Round;
        (0..self.cascade.mixes()).filter(in_directory).all(|hop| self.mix_key(hop, round).is_some())
            && self.desks.iter().all(|desk| current(&desk.keys, round).is_some())
    }

    /// The keys that the layers of an envelope of `round` need, in the order of hops: those of the mixes before the exit.
    /// `rounds` are the first mix's.
    pub fn layer_keys(&self, rounds: &RoundKeys, round: Round) -> Option<Vec<SealPublic>> {
        let key = |hop| match KeyKind::of_mix(hop, self.cascade) {
            KeyKind::Round => rounds.get(round),
            _ => self.mix_key(hop, round),
        };
        (0..self.cascade.exit()).map(|hop| key(hop).cloned()).collect()
    }

    /// Checks that its roster may follow the one of `before`.
    ///
    /// # Errors
    /// DIR-13: it is older, or another of the same number. DIR-15: it has other sizes.
    pub fn follows_roster(&self, before: &Directory) -> Result<(), DirectoryRejected> {
        let (new, old) = (&self.roster, &before.roster);
        // DIR-13: rosters are counted up, and one number is one roster.
        if new.number < old.number || (new.number == old.number && new != old) {
            return Err(DirectoryRejected::OldRoster);
        }
        // DIR-15: what was made by the old sizes is read by the new ones.
        let sizes = |p: &Parameters| (p.schedule, p.mixes, p.desk_slots, p.reader_slots, p.desks);
        let most = |p: &Parameters| u64::from(p.n_max) + u64::from(p.decoys.onions());
        let (new, old) = (&new.parameters, &old.parameters);
        if sizes(new) != sizes(old) || most(new) < most(old) {
            return Err(DirectoryRejected::OtherSizes);
        }
        Ok(())
    }

    /// Checks that it may follow `before`, in the edition of round `at`.
    ///
    /// # Errors
    /// DIR-13, DIR-15: its roster is older, another of the same number, or of other sizes. DIR-14: an identity that is new takes
    /// effect too soon. DIR-16: a key of a desk or an exit that stays is left out.
    pub fn follows(&self, before: &Directory, at: Round) -> Result<(), DirectoryRejected> {
        self.follows_roster(before)?;
        self.waits(before, at)?;
        // DIR-16: or the directory of one edition could name one desk's keys alone, and that of the next all of them again.
        let to_come = |d: &Desk| d.keys().filter(|(period, _)| period.until >= at).collect::<Vec<_>>();
        let keeps = |before: &Desk| {
            let after = self.desk(&before.id);
            after.is_none_or(|d| to_come(before).iter().all(|old| d.keys().any(|new| new == *old)))
        };
        if before.desks.iter().all(keeps) && self.keeps_exit(before, at) {
            Ok(())
        } else {
            Err(DirectoryRejected::KeyLeftOut)
        }
    }

    // DIR-16: or what is written on a device that was off would go under another key than its cover. Who took over from an exit that
    // the roster does not name any more cannot show its keys.
    fn keeps_exit(&self, before: &Directory, at: Round) -> bool {
        let hop = self.cascade.exit();
        let lives = |period: &Period| {
            let of = |roster: &Roster| roster.mix(hop, period.from);
            !KeyKind::Week.is_over(*period, at) && of(&self.roster) == of(&before.roster)
        };
        before
            .mix_keys(hop)
            .filter(|(period, _)| lives(period))
            .all(|old| self.mix_keys(hop).any(|new| new == old))
    }

    /// Checks that whoever was not in `before` takes effect late enough, if it is named in round `at`: that of its edition, or a
    /// later one in which people can first read it.
    ///
    /// # Errors
    /// DIR-14: an identity that is new takes effect too soon.
    pub fn waits(&self, before: &Directory, at: Round) -> Result<(), DirectoryRejected> {
        let (new, old) = (&self.roster, &before.roster);
        // DIR-14: what was not there before, takes effect at another time than was said, or bears another name where people
        // choose by name, waits for two days.
        let soonest = |waits: u32| Round(at.0.saturating_add(waits));
        // DIR-14: a mix waits until no key of the one before it can be in use.
        let waits = |role| match role {
            Role::Mix(hop) => KeyKind::of_mix(hop, self.cascade).new_owner_waits(),
            _ => NEW_IDENTITY_WAITS,
        };
        let known = |o: &Operator| {
            let same = |k: &&Operator| (k.role, k.key, k.since) == (o.role, o.key, o.since);
            old.operators.iter().find(same).is_some_and(|k| o.role != Role::Newsroom || k.name == o.name)
        };
        let operators = new.operators.iter().all(|o| o.since >= soonest(waits(o.role)) || known(o));
        // DIR-14: with another vault key it is another desk.
        let known = |d: &Desk| {
            let same = |k: &&Desk| (k.identity, k.vault_key, k.since) == (d.identity, d.vault_key, d.since);
            before.desks.iter().find(same).is_some_and(|k| (&k.newsroom, &k.name) == (&d.newsroom, &d.name))
        };
        let desks = self.desks.iter().all(|d| d.since >= soonest(NEW_IDENTITY_WAITS) || known(d));
        if operators && desks { Ok(()) } else { Err(DirectoryRejected::TooSoon) }
    }
}

/// The first mix's keys of rounds past and to come, from heads.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RoundKeys(BTreeMap<Round, SealPublic>);

impl RoundKeys {
    /// The key of `round`.
    pub fn get(&self, round: Round) -> Option<&SealPublic> {
        self.0.get(&round)
    }

    /// Every one of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Round, &SealPublic)> {
        self.0.iter().map(|(round, key)| (*round, key))
    }
}

impl core::fmt::Debug for RoundKeys {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_map().entries(self.iter().map(|(round, key)| (round, key.id()))).finish()
    }
}

impl FromIterator<(Round, SealPublic)> for RoundKeys {
    fn from_iter<I: IntoIterator<Item = (Round, SealPublic)>>(keys: I) -> Self {
        Self(keys.into_iter().collect())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::seal::SealSecret;
    use crate::sign::IdentitySecret;

    /// Everything a directory is made of, to bend one thing and assemble.
    pub(crate) struct Town {
        pub(crate) rng: StdRng,
        root: RootSecret,
        mixes: Vec<IdentitySecret>,
        newsroom: IdentitySecret,
        desk: IdentitySecret,
        vault_key: IdentitySecret,
        roster: Roster,
        pub(crate) mix_keys: Vec<MixKey>,
        card: DeskCard,
        intake: Vec<IntakeKey>,
    }

    pub(crate) fn town() -> Town {
        let mut rng = StdRng::seed_from_u64(1);
        let root = RootSecret::generate(&mut rng);
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let newsroom = IdentitySecret::generate(&mut rng);
        let desk = IdentitySecret::generate(&mut rng);
        let mixes: Vec<_> = (0..3).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, name: &str, who: &IdentitySecret| Operator {
            role,
            name: name.into(),
            key: who.public(),
            since: Round(0),
        };
        let roster = Roster {
            number: 3,
            from: Round(0),
            until: Round(8_760),
            name: "Test".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(1_000), round_ms: 5_000 },
                mixes: 3,
                n_min: 8,
                n_max: 100,
                desk_slots: 16,
                reader_slots: 16,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 1,
                desks: 8,
            },
            operators: vec![
                operator(Role::Press, "Press", &press),
                operator(Role::Edge, "Edge", &edge),
                operator(Role::Mix(0), "First", &mixes[0]),
                operator(Role::Mix(1), "Second", &mixes[1]),
                operator(Role::Mix(2), "Third", &mixes[2]),
                operator(Role::Newsroom, "The Herald", &newsroom),
                operator(Role::Witness, "The Archive", &IdentitySecret::generate(&mut rng)),
            ],
        };
        let mix_keys = (1..3).map(|hop| mix_key(&mut rng, hop, 0)).collect();
        let vault_key = IdentitySecret::generate(&mut rng);
        let card = DeskCard {
            desk: desk.public(),
            vault_key: vault_key.public(),
            name: "Tips".into(),
            about: "Read by two people.".into(),
            since: Round(0),
        };
        let intake = vec![IntakeKey { key: seal_key(&mut rng), from: Round(0), until: Round(167) }];
        Town { rng, root, mixes, newsroom, desk, vault_key, roster, mix_keys, card, intake }
    }

    fn seal_key(rng: &mut StdRng) -> ByteVec {
        SealSecret::generate(rng).public().to_bytes().into()
    }

    /// A key of the mix at `hop` for the period that begins in round `from`.
    pub(crate) fn mix_key(rng: &mut StdRng, hop: u8, from: u32) -> MixKey {
        let period = KeyKind::of_mix(hop, Cascade::new(3).unwrap()).period(Round(from));
        MixKey { hop, key: seal_key(rng), from: period.from, until: period.until }
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
                keys: self
                    .intake
                    .iter()
                    .map(|k| Unverified::sign(k, &self.network(), &self.vault_key))
                    .collect(),
            }
        }

        fn assembled(&self) -> UnverifiedDirectory {
            UnverifiedDirectory::assemble(&self.root, &self.roster, self.mix_keys(), vec![self.desk()])
        }

        pub(crate) fn verified(&self) -> Result<Directory, DirectoryRejected> {
            self.assembled().verify(&self.network())
        }

        /// With no desk.
        pub(crate) fn deserted(&self) -> Directory {
            let served = UnverifiedDirectory::assemble(&self.root, &self.roster, self.mix_keys(), vec![]);
            served.verify(&self.network()).unwrap()
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
        assert_eq!(d.wire(), Wire { network: t.network(), cascade: Cascade::new(3).unwrap() });
        assert_eq!(d.desks().len(), 1);
        let desk = d.desk(&desk_id(&t.desk.public(), &t.vault_key.public())).unwrap();
        assert_eq!((desk.newsroom.as_str(), desk.name.as_str()), ("The Herald", "Tips"));
        assert_eq!(d.exit_key(Round(3)).unwrap().to_bytes(), t.mix_keys[1].key.to_vec());
        assert!(
            d.layer_keys(&RoundKeys::default(), Round(3)).is_none(),
            "the first mix's keys stand in heads"
        );
        let first = SealPublic::from_bytes(&t.intake[0].key).unwrap();
        let rounds: RoundKeys = [(Round(3), first.clone())].into_iter().collect();
        let layers: Vec<_> = d.layer_keys(&rounds, Round(3)).unwrap().iter().map(SealPublic::id).collect();
        let second = SealPublic::from_bytes(&t.mix_keys[0].key).unwrap();
        assert_eq!(layers, [first.id(), second.id()]);
        assert!(d.layer_keys(&rounds, Round(4)).is_none());
        assert!(d.has_keys(Round(23)) && !d.has_keys(Round(24)), "the second mix's key is of one day");
    }

    #[test]
    fn other_keys_make_the_next_directory() {
        let mut t = town();
        let first = t.assembled();
        t.mix_keys = vec![mix_key(&mut t.rng, 1, 24)];
        t.intake[0].key = seal_key(&mut t.rng);
        let keys = t.desk().keys;
        let next = first.with_keys(t.mix_keys(), |desk, listed| {
            assert_eq!((desk, listed), (&t.card.id(), first.desks[0].keys.as_slice()));
            keys.clone()
        });
        assert_eq!(next.unwrap(), t.assembled());
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
    fn dir_03_two_quorums_have_a_witness_in_common() {
        // Witnesses, q, whether it is a demonstration, and whether that can be used.
        for (witnesses, quorum, demonstration, good) in [
            (0, 0, true, true),
            (0, 0, false, false),
            (0, 1, true, false),
            (1, 0, true, false),
            (1, 1, false, true),
            (1, 2, true, false),
            (4, 2, false, false),
            (4, 3, false, true),
            (5, 3, false, true),
            (5, 5, false, true),
            (64, 33, false, true),
            (65, 33, false, false),
        ] {
            let mut t = town();
            t.roster.operators.retain(|o| o.role != Role::Witness);
            for n in 0..witnesses {
                let key = IdentitySecret::generate(&mut t.rng).public();
                t.roster.operators.push(Operator {
                    role: Role::Witness,
                    name: format!("Witness {n}"),
                    key,
                    since: Round(0),
                });
            }
            t.roster.parameters.quorum = quorum;
            t.roster.demonstration = demonstration;
            let verified = t.verified().map(|_| ());
            let want = if good { Ok(()) } else { Err(DirectoryRejected::Parameters) };
            assert_eq!(verified, want, "{quorum} of {witnesses}, demonstration: {demonstration}");
        }
    }

    #[test]
    fn dir_04_each_role_has_its_one_operator() {
        for at in 0..5 {
            let mut t = town();
            let gone = t.roster.operators.remove(at);
            assert_eq!(t.refused(), DirectoryRejected::Operators, "without {:?}", gone.role);
        }
        let with = |role, since: &[u32]| {
            let mut t = town();
            for &since in since {
                let key = IdentitySecret::generate(&mut t.rng).public();
                let name = "Another".into();
                t.roster.operators.push(Operator { role, name, key, since: Round(since) });
            }
            t.verified().map(|_| ()).err()
        };
        let no = Some(DirectoryRejected::Operators);
        for role in [Role::Press, Role::Edge, Role::Mix(1)] {
            assert_eq!(with(role, &[0]), no, "a further {role:?}");
            assert_eq!(with(role, &[48]), None, "{role:?} hands over");
            assert_eq!(with(role, &[48, 72]), no, "{role:?} hands over twice");
        }
        for (role, good, bad) in [(Role::Mix(1), 72, 73), (Role::Mix(2), 168, 72)] {
            assert_eq!((with(role, &[good]), with(role, &[bad])), (None, no), "{role:?} within a period");
        }
        assert_eq!(with(Role::Mix(0), &[49]), None, "of the first mix a period is a round");
        assert_eq!(with(Role::Mix(3), &[48]), no, "a mix beyond the cascade");
        let mut t = town();
        t.roster.operators[0].since = Round(1);
        assert_eq!(t.refused(), DirectoryRejected::Operators, "no press in the first round");
        t.roster.from = Round(1);
        assert!(t.verified().is_ok());
        t.roster.until = Round(0);
        assert_eq!(t.refused(), DirectoryRejected::Operators, "over before it begins");
        let mut t = town();
        t.roster.operators[5].key = t.roster.operators[0].key;
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
        assert_eq!(sign(1, &t.mixes[1]), Ok(()));
        assert_eq!(sign(1, &t.mixes[2]), Err(DirectoryRejected::MixKey), "the other mix");
        assert_eq!(sign(3, &t.mixes[2]), Err(DirectoryRejected::MixKey), "no such hop");
        let round = MixKey { hop: 0, from: Round(9), until: Round(9), ..t.mix_keys[0].clone() };
        let keys = vec![Unverified::sign(&round, &t.network(), &t.mixes[0])];
        let d = UnverifiedDirectory::assemble(&t.root, &t.roster, keys, vec![]);
        assert_eq!(
            d.verify(&t.network()).err(),
            Some(DirectoryRejected::MixKey),
            "keys of rounds stand in heads"
        );
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
        for (by, what) in [
            (&t.newsroom, "its newsroom"),
            (&t.desk, "its identity, which lies in a file that is not sealed"),
        ] {
            let mut entry = t.desk();
            entry.keys = vec![Unverified::sign(&t.intake[0], &t.network(), by)];
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], vec![entry]);
            assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::IntakeKey), "{what}");
        }
    }

    /// P4: otherwise whoever holds the file of that identity, or another desk's vault, could sign for this one.
    #[test]
    fn dir_08_a_vault_key_is_one_desks_and_nobodys_identity() {
        let no = Some(DirectoryRejected::KeyTwice);
        let other = || {
            let mut t = town();
            t.intake.clear();
            t.card.name = "Others".into();
            t.card.desk = IdentitySecret::generate(&mut t.rng).public();
            t.card.vault_key = IdentitySecret::generate(&mut t.rng).public();
            t
        };
        let first = town().desk();
        let beside = |t: &Town, desks: [DeskEntry; 2]| {
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], desks.into());
            d.verify(&t.network()).err()
        };
        for who in town().roster.operators {
            let mut t = other();
            t.card.vault_key = who.key;
            assert_eq!(t.verified().err(), no, "{}'s identity", who.name);
        }
        let mut t = other();
        t.card.vault_key = t.card.desk;
        assert_eq!(t.verified().err(), no, "its own identity");
        let t = other();
        assert_eq!(beside(&t, [first.clone(), t.desk()]), None);
        assert_eq!(beside(&t, [t.desk(), first.clone()]), None);
        let same: [fn(&mut Town); 3] = [
            |t| t.card.vault_key = t.vault_key.public(),
            |t| t.card.vault_key = t.desk.public(),
            |t| t.card.desk = t.vault_key.public(),
        ];
        let whats = ["another's vault key", "another's identity", "an identity that is another's vault key"];
        for (bend, what) in same.into_iter().zip(whats) {
            let mut t = other();
            bend(&mut t);
            assert_eq!(beside(&t, [first.clone(), t.desk()]), no, "{what}, listed after it");
            assert_eq!(beside(&t, [t.desk(), first.clone()]), no, "{what}, listed before it");
        }
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

    /// P2, P6: devices use the first of two and remember the last, so one could be held to the one and all others to the other.
    #[test]
    fn dir_08_nobody_has_two_keys_for_one_period() {
        let mut t = town();
        t.mix_keys.push(mix_key(&mut t.rng, 1, 24));
        assert!(t.verified().is_ok(), "another day's");
        t.mix_keys.push(mix_key(&mut t.rng, 1, 24));
        assert_eq!(t.refused(), DirectoryRejected::KeyTwice);
        let mut t = town();
        t.intake.push(IntakeKey { key: seal_key(&mut t.rng), ..t.intake[0].clone() });
        assert_eq!(t.refused(), DirectoryRejected::KeyTwice);
    }

    /// DIR-03, DIR-12: as many desks as there may be, each with all its keys and the longest texts. What does not fit could be
    /// signed and not be read again.
    #[test]
    fn the_largest_directory_fits() {
        let mut t = town();
        t.card = DeskCard { name: "n".repeat(MAX_NAME), about: "a".repeat(MAX_ABOUT), ..t.card };
        // Its first round's, and those of three weeks ahead.
        let of = |week| IntakeKey {
            from: Round(168 * week),
            until: Round(168 * week + 167),
            ..t.intake[0].clone()
        };
        t.intake = (9_990..9_994_u32).map(of).collect();
        let desks = vec![t.desk(); usize::from(MAX_DESKS)];
        // Operators besides: a newsroom for each desk, and the most witnesses.
        let operator =
            Operator { name: "n".repeat(MAX_NAME), since: Round(u32::MAX), ..t.roster.operators[5].clone() };
        t.roster.operators.extend(vec![operator; usize::from(MAX_DESKS) + MAX_WITNESSES]);
        let length = UnverifiedDirectory::assemble(&t.root, &t.roster, t.mix_keys(), desks).to_bytes().len();
        assert!((MAX_DIRECTORY * 9 / 10..=MAX_DIRECTORY).contains(&length), "{length}");
    }

    #[test]
    fn dir_09_a_name_is_short_plain_and_its_own() {
        for name in ["", "  ", "a\nb", "a\u{202e}b", "a\u{2066}b", &"x".repeat(MAX_NAME + 1)] {
            let mut t = town();
            t.roster.name = name.into();
            assert_eq!(t.refused(), DirectoryRejected::Name, "network {name:?}");
            let mut t = town();
            t.roster.operators[5].name = name.into();
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
        let since = Round(0);
        t.roster.operators.push(Operator { role: Role::Newsroom, name: "The Herald".into(), key, since });
        assert_eq!(t.refused(), DirectoryRejected::Name, "one name, two newsrooms");
        let mut t = town();
        let first = t.desk();
        t.intake.clear();
        t.card.vault_key = IdentitySecret::generate(&mut t.rng).public();
        let twice = vec![first, t.desk()];
        let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], twice);
        assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::Name), "one identity, two desks");
        let mut t = town();
        let first = t.desk();
        t.card.desk = IdentitySecret::generate(&mut t.rng).public();
        t.card.vault_key = IdentitySecret::generate(&mut t.rng).public();
        t.intake.clear();
        let name = t.card.name.clone();
        for alike in [name.clone(), format!("{name} "), format!("{name}\u{200b}"), name.to_uppercase()] {
            t.card.name = alike;
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, vec![], vec![first.clone(), t.desk()]);
            assert_eq!(d.verify(&t.network()).err(), Some(DirectoryRejected::Name), "one name, two desks");
        }
        let mut t = town();
        t.desk = IdentitySecret::from_seed(&t.mixes[0].to_seed());
        t.card.desk = t.desk.public();
        assert_eq!(t.refused(), DirectoryRejected::Name, "a mix that is a desk");
    }

    #[test]
    fn dir_10_a_key_is_well_formed() {
        let mut t = town();
        t.intake[0].key.truncate(1_215);
        assert_eq!(t.refused(), DirectoryRejected::Key, "too short");
        let mut t = town();
        t.mix_keys[0].key[..3].fill(0xff);
        assert_eq!(t.refused(), DirectoryRejected::Key, "a number that ML-KEM does not allow");
    }

    #[test]
    fn key_01_a_keys_rounds_are_a_period_of_its_kind() {
        let bends: [fn(&mut Town); 5] = [
            |t| t.mix_keys[0].from = Round(100),
            |t| t.mix_keys[0].until = Round(24),
            |t| t.mix_keys[1].until = Round(u32::MAX),
            |t| t.mix_keys[1].from = Round(1),
            |t| t.intake[0].until = Round(168),
        ];
        for (i, bend) in bends.into_iter().enumerate() {
            let mut t = town();
            bend(&mut t);
            assert_eq!(t.refused(), DirectoryRejected::Key, "case {i}");
        }
    }

    #[test]
    fn dir_11_a_key_is_used_in_its_own_rounds() {
        let mut t = town();
        let newer = mix_key(&mut t.rng, 1, 24);
        t.mix_keys.push(newer);
        let d = t.verified().unwrap();
        let old = SealPublic::from_bytes(&t.mix_keys[0].key).unwrap().id();
        let new = SealPublic::from_bytes(&t.mix_keys[2].key).unwrap().id();
        for (round, want) in [(0, Some(old)), (23, Some(old)), (24, Some(new)), (47, Some(new)), (48, None)] {
            assert_eq!(d.mix_key(1, Round(round)).map(SealPublic::id), want, "round {round}");
        }
        let desk = &d.desks()[0];
        assert!(desk.intake(Round(167)).is_some());
        assert!(desk.intake(Round(168)).is_none());
        // A directory that names nothing but keys to come.
        t.mix_keys.remove(0);
        t.intake[0] = IntakeKey { from: Round(168), until: Round(335), ..t.intake[0].clone() };
        let d = t.verified().unwrap();
        assert!(d.mix_key(1, Round(23)).is_none());
        assert_eq!(d.mix_key(1, Round(24)).map(SealPublic::id), Some(new));
        let desk = &d.desks()[0];
        assert!(desk.intake(Round(167)).is_none());
        assert!(desk.intake(Round(168)).is_some());
    }

    #[test]
    fn dir_13_a_roster_is_not_taken_back() {
        let before = town().verified().unwrap();
        let follows = |bend: fn(&mut Roster)| {
            let mut t = town();
            bend(&mut t.roster);
            t.verified().unwrap().follows(&before, Round(9))
        };
        let no = Err(DirectoryRejected::OldRoster);
        assert_eq!(follows(|_| {}), Ok(()));
        assert_eq!(follows(|r| r.number = 4), Ok(()));
        assert_eq!(follows(|r| r.number = 2), no);
        assert_eq!(follows(|r| r.until = Round(9_000)), no, "another of the same number");
    }

    #[test]
    fn dir_15_sizes_are_for_good() {
        let before = town().verified().unwrap();
        let follows = |bend: fn(&mut Parameters)| {
            let mut t = town();
            t.roster.number = 4;
            bend(&mut t.roster.parameters);
            t.verified().unwrap().follows(&before, Round(9))
        };
        let no = Err(DirectoryRejected::OtherSizes);
        let bends: [fn(&mut Parameters); 6] = [
            |p| p.schedule.round_ms += 1,
            |p| p.schedule.genesis.0 += 1,
            |p| p.desk_slots += 1,
            |p| p.reader_slots -= 1,
            |p| p.desks += 1,
            |p| p.n_max -= 1,
        ];
        for bend in bends {
            assert_eq!(follows(bend), no);
        }
        let mut fewer = town();
        (fewer.roster.number, fewer.roster.parameters.mixes) = (4, 2);
        fewer.roster.operators.remove(4);
        fewer.mix_keys.clear();
        assert_eq!(fewer.verified().unwrap().follows(&before, Round(9)), no, "a mix less");
        let bends: [fn(&mut Parameters); 5] = [
            |p| p.n_max += 1,
            |p| p.n_min += 1,
            |p| p.hold = Hold(500),
            |p| p.decoys = Decoys { mu: 4, b: 1 },
            |p| (p.n_max, p.decoys) = (92, Decoys { mu: 4, b: 1 }),
        ];
        for bend in bends {
            assert_eq!(follows(bend), Ok(()));
        }
    }

    #[test]
    fn dir_14_a_new_identity_waits_for_two_days() {
        let before = town().verified().unwrap();
        let joins = |role: Role, since: u32, at: u32| {
            let mut t = town();
            t.roster.number = 4;
            let key = IdentitySecret::generate(&mut t.rng).public();
            t.roster.operators.push(Operator { role, name: "New".into(), key, since: Round(since) });
            t.verified().unwrap().follows(&before, Round(at))
        };
        let no = Err(DirectoryRejected::TooSoon);
        for role in [Role::Press, Role::Edge, Role::Newsroom, Role::Mix(0)] {
            assert_eq!((joins(role, 9 + 48, 9), joins(role, 9 + 47, 9)), (Ok(()), no), "{role:?}");
        }
        assert_eq!((joins(Role::Mix(1), 72, 24), joins(Role::Mix(1), 72, 25)), (Ok(()), no), "a middle mix");
        assert_eq!((joins(Role::Mix(2), 336, 166), joins(Role::Mix(2), 336, 167)), (Ok(()), no), "the exit");
        let desk = |since: u32| {
            let mut t = town();
            t.desk = IdentitySecret::generate(&mut t.rng);
            t.card.desk = t.desk.public();
            t.card.since = Round(since);
            t.verified().unwrap().follows(&before, Round(9))
        };
        assert_eq!(desk(9 + 48), Ok(()));
        assert_eq!(desk(9 + 47), no);
        let mut later = town();
        later.roster.number = 4;
        later.roster.operators[5].since = Round(56);
        assert_eq!(
            later.verified().unwrap().follows(&before, Round(9)),
            no,
            "later than was said, and too soon"
        );
        later.roster.operators[5].since = Round(57);
        let later = later.verified().unwrap();
        assert_eq!(later.follows(&before, Round(9)), Ok(()), "later than was said");
        let mut sooner = town();
        sooner.roster.number = 5;
        assert_eq!(sooner.verified().unwrap().follows(&later, Round(9)), no, "sooner than was said");
        let none = UnverifiedDirectory::assemble(&town().root, &town().roster, town().mix_keys(), vec![]);
        let none = none.verify(&town().network()).unwrap();
        assert_eq!(none.follows(&before, Round(9)), Ok(()), "who leaves does so at once");
    }

    /// P4: a newsroom and a press that put a vault key of their own in the place of a desk's wait as with a desk that is new, and
    /// under another id: nobody who wrote to the desk before goes on with theirs. DIR-16: with it the desk's keys are gone.
    #[test]
    fn dir_14_a_desk_with_another_vault_key_is_another_desk() {
        let t = town();
        let before = t.verified().unwrap();
        let with = |since: u32| {
            let mut t = town();
            t.vault_key = IdentitySecret::generate(&mut t.rng);
            (t.card.vault_key, t.card.since) = (t.vault_key.public(), Round(since));
            t.verified().unwrap()
        };
        assert_eq!(with(0).follows(&before, Round(9)), Err(DirectoryRejected::TooSoon));
        assert_eq!(with(9 + 47).follows(&before, Round(9)), Err(DirectoryRejected::TooSoon));
        let after = with(9 + 48);
        assert_eq!(after.follows(&before, Round(9)), Ok(()));
        assert!(after.desk(&t.card.id()).is_none());
        assert_eq!(after.desks()[0].identity, before.desks()[0].identity);
    }

    /// Two newsrooms that change names would change their sources too.
    #[test]
    fn dir_14_a_directory_that_renames_waits_for_two_days() {
        let before = town().verified().unwrap();
        let no = Err(DirectoryRejected::TooSoon);
        let renamed = |since: u32| {
            let mut t = town();
            t.roster.number = 4;
            t.roster.operators[5].name = "The Courier".into();
            t.roster.operators[5].since = Round(since);
            t.verified().unwrap().follows(&before, Round(9))
        };
        assert_eq!((renamed(0), renamed(56), renamed(57)), (no, no, Ok(())), "a newsroom");
        let renamed = |since: u32| {
            let mut t = town();
            t.card.name = "Another".into();
            t.card.since = Round(since);
            t.verified().unwrap().follows(&before, Round(9))
        };
        assert_eq!((renamed(0), renamed(56), renamed(57)), (no, no, Ok(())), "a desk");
        let mut t = town();
        t.roster.number = 4;
        t.roster.operators[0].name = "The Press, Renamed".into();
        t.card.about = "Read by three people.".into();
        assert_eq!(t.verified().unwrap().follows(&before, Round(9)), Ok(()), "nobody chooses by these");
    }

    #[test]
    fn dir_14_an_operator_who_was_replaced_comes_back_after_two_days() {
        let roster = |number: u32, since: u32| {
            let mut t = town();
            (t.roster.number, t.roster.from) = (number, Round(if number == 4 { 0 } else { 61 }));
            let (role, name) = (t.roster.operators[3].role, "Next".into());
            let key = IdentitySecret::generate(&mut t.rng).public();
            t.roster.operators[3].since = Round(since);
            t.roster.operators.push(Operator { role, name, key, since: Round(48) });
            t.mix_keys.clear();
            t.verified()
        };
        let replaced = roster(4, 0).unwrap();
        let back = |since: u32| roster(5, since).and_then(|back| back.follows(&replaced, Round(61)));
        assert_eq!(back(96).err(), Some(DirectoryRejected::TooSoon));
        assert_eq!(back(120), Ok(()));
        // The roster that leaves out who replaced it undoes the takeover, also once that one is in office: if it cannot go on, nobody
        // else signs the edition that would name another.
        let mut t = town();
        (t.roster.number, t.roster.from) = (5, Round(61));
        t.mix_keys.clear();
        assert_eq!(t.verified().unwrap().follows(&replaced, Round(61)), Ok(()));
    }

    #[test]
    fn dir_16_an_exit_that_stays_keeps_its_keys_until_they_are_deleted() {
        let mut t = town();
        t.mix_keys.push(mix_key(&mut t.rng, 2, 168));
        let [_, first, second] = [0, 1, 2].map(|n| t.mix_keys[n].clone());
        let other = mix_key(&mut t.rng, 2, 0);
        let with = |t: &mut Town, keys: &[&MixKey]| {
            t.mix_keys = keys.iter().map(|key| (*key).clone()).collect();
            t.verified().unwrap()
        };
        let both = with(&mut t, &[&first, &second]);
        let no = Err(DirectoryRejected::KeyLeftOut);
        for (keys, at, want) in [
            (vec![&first, &second], 9, Ok(())),
            (vec![&first], 9, no),
            (vec![&other, &second], 9, no),
            (vec![&second], 168, no),
            (vec![&second], 407, no),
            (vec![&second], 408, Ok(())),
            (vec![], 575, no),
            (vec![], 576, Ok(())),
        ] {
            let after = with(&mut t, &keys);
            assert_eq!(after.follows(&both, Round(at)), want, "{} keys, round {at}", keys.len());
        }
        // Who took over: the roster names the one before no more, so nobody can verify its keys.
        t.roster.number += 1;
        (t.roster.from, t.roster.operators[4].since) = (Round(336), Round(336));
        assert_eq!(with(&mut t, &[]).follows_roster(&both), Ok(()));
        assert!(with(&mut t, &[]).keeps_exit(&both, Round(336)));
    }

    #[test]
    fn dir_16_a_desk_that_stays_keeps_its_keys_for_rounds_to_come() {
        let mut t = town();
        let other = IntakeKey { key: seal_key(&mut t.rng), from: Round(168), until: Round(335) };
        let another = IntakeKey { key: seal_key(&mut t.rng), ..other };
        let with = |t: &mut Town, keys: &[&IntakeKey]| {
            t.intake = keys.iter().map(|key| (*key).clone()).collect();
            t.verified().unwrap()
        };
        let first = t.intake[0].clone();
        let both = with(&mut t, &[&first, &other]);
        let no = Err(DirectoryRejected::KeyLeftOut);
        for (keys, at, want) in [
            (vec![&first, &other], 9, Ok(())),
            (vec![&first], 9, no),
            (vec![&other], 167, no),
            (vec![&other], 168, Ok(())),
            (vec![&first, &another], 9, no),
            (vec![], 335, no),
            (vec![], 336, Ok(())),
        ] {
            assert_eq!(
                with(&mut t, &keys).follows(&both, Round(at)),
                want,
                "{} keys, round {at}",
                keys.len()
            );
        }
        // Nor under another name, or later than was said: then it is the same desk.
        t.card.since = Round(100);
        assert_eq!(with(&mut t, &[&first]).follows(&both, Round(9)), no);
        assert_eq!(with(&mut t, &[&first, &other]).follows(&both, Round(9)), Ok(()));
        let nobody = UnverifiedDirectory::assemble(&t.root, &t.roster, t.mix_keys(), vec![]);
        assert_eq!(
            nobody.verify(&t.network()).unwrap().follows(&both, Round(9)),
            Ok(()),
            "who leaves takes them along"
        );
    }

    #[test]
    fn dir_14_an_identity_takes_over_in_its_round() {
        let mut t = town();
        let next = IdentitySecret::generate(&mut t.rng);
        let role = Role::Mix(1);
        t.roster.operators.push(Operator { role, name: "Next".into(), key: next.public(), since: Round(24) });
        t.card.since = Round(24);
        let key = mix_key(&mut t.rng, 1, 24);
        let by = |who: &IdentitySecret| {
            let keys = vec![Unverified::sign(&key, &t.network(), who)];
            let d = UnverifiedDirectory::assemble(&t.root, &t.roster, keys, vec![t.desk()]);
            d.verify(&t.network())
        };
        assert_eq!(by(&t.mixes[1]).err(), Some(DirectoryRejected::MixKey), "whose time is over");
        let d = by(&next).unwrap();
        assert_eq!(d.roster().mix(1, Round(23)), Some(t.mixes[1].public()));
        assert_eq!(d.roster().mix(1, Round(24)), Some(next.public()));
        assert!(d.desks()[0].intake(Round(23)).is_none() && d.desks()[0].intake(Round(24)).is_some());
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
