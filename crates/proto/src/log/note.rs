//! Checkpoints: C2SP signed notes, signed by the press and co-signed by witnesses. Spec: log.md §3-4.
//!
//! The formats are C2SP's own (signed-note, tlog-checkpoint, tlog-cosignature), so that anybody's tools can read them.

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use super::FRESH_ROUNDS;
use super::tree::MAX_SIZE;
use crate::codec::Malformed;
use crate::directory::Directory;
use crate::id::{Digest, NetworkId};
use crate::round::{Millis, Round};
use crate::sign::{BadSignature, IdentityPublic, IdentitySecret};

/// The most that a note may weigh, in bytes: room for 64 witnesses and as many lines that nobody knows.
pub const MAX_NOTE: usize = 32 * 1024;
/// The kinds of signatures that C2SP signed-note assigns a byte.
const ED25519: u8 = 0x01;
const COSIGNATURE: u8 = 0x04;

/// The log's name: the first line of its checkpoints, and the name of the press's key.
///
/// What is signed elsewhere begins with "firsthand/v1 ". Behind "firsthand/" a checkpoint has a hexadecimal digit, which "v" is
/// not, and a co-signature begins with "cosignature/v1": no signature of one kind can be taken for one of another.
pub fn origin(network: &NetworkId) -> String {
    format!("firsthand/{network}")
}

/// The name of a witness's key.
pub fn cosigner(witness: &IdentityPublic) -> String {
    format!("firsthand/witness/{}", hex::encode(witness.0))
}

/// What a log states of itself: how many leaves it has, and the root over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// RFC 6962 §2.1.
    pub root: Digest,
}

impl Checkpoint {
    fn text(&self, network: &NetworkId) -> String {
        format!("{}\n{}\n{}\n", origin(network), self.size, BASE64.encode(&self.root.0))
    }

    /// The note with the press's signature alone. The same checkpoint gives the same bytes.
    pub fn sign(&self, network: &NetworkId, press: &IdentitySecret) -> Vec<u8> {
        let text = self.text(network);
        let signature = press.sign_foreign(text.as_bytes());
        let line = Line::new(origin(network), ED25519, &press.public(), &signature);
        format!("{text}\n{line}").into_bytes()
    }

    /// A witness's co-signature: that at `now` this is the largest tree it has seen, and follows from every one before.
    pub fn cosign(&self, network: &NetworkId, witness: &IdentitySecret, now: Millis) -> CosignatureLine {
        let time = now.0 / 1000;
        let signature = witness.sign_foreign(&cosigned(time, &self.text(network)));
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        let key = witness.public();
        CosignatureLine(Line::new(cosigner(&key), COSIGNATURE, &key, &bytes))
    }
}

// "cosignature/v1\n" "time " seconds "\n" note text
fn cosigned(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

// SHA-256(name "\n" kind key)[..4]
fn key_id(name: &str, kind: u8, key: &IdentityPublic) -> [u8; 4] {
    let hash = Sha256::new().chain_update(name).chain_update([b'\n', kind]).chain_update(key.0).finalize();
    [hash[0], hash[1], hash[2], hash[3]]
}

// LOG-01
/// What base64 stands for, if it is the one way to write that: the library also takes pieces one behind the other, each padded.
fn decoded(base64: &str) -> Option<Vec<u8>> {
    BASE64.decode(base64.as_bytes()).ok().filter(|bytes| BASE64.encode(bytes) == base64)
}

/// One line below a note: "— name base64(key id, signature)".
#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

impl Line {
    fn new(name: String, kind: u8, key: &IdentityPublic, signature: &[u8]) -> Self {
        let id = key_id(&name, kind, key);
        Self { name, id, signature: signature.to_vec() }
    }

    fn parse(line: &str) -> Result<Self, Malformed> {
        let (name, base64) =
            line.strip_prefix("— ").and_then(|rest| rest.split_once(' ')).ok_or(Malformed)?;
        let bytes = decoded(base64).ok_or(Malformed)?;
        let (id, signature) = bytes.split_first_chunk().filter(|(_, s)| !s.is_empty()).ok_or(Malformed)?;
        if name.is_empty() || name.contains(|c: char| c == '+' || c.is_whitespace()) {
            return Err(Malformed);
        }
        Ok(Self { name: name.into(), id: *id, signature: signature.to_vec() })
    }

    fn is_of(&self, name: &str, kind: u8, key: &IdentityPublic) -> bool {
        self.name == name && self.id == key_id(name, kind, key)
    }
}

impl core::fmt::Display for Line {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let bytes = [self.id.as_slice(), &self.signature].concat();
        writeln!(f, "— {} {}", self.name, BASE64.encode(&bytes))
    }
}

/// A co-signature as it stands in a note and travels to the edge. [`UnverifiedNote::with`] puts it below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignatureLine(Line);

impl CosignatureLine {
    /// Reads one line with its end.
    ///
    /// # Errors
    /// LOG-01: it is no line of a note.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let text = core::str::from_utf8(bytes).map_err(|_| Malformed)?;
        let line = text.strip_suffix('\n').filter(|l| !l.contains(|c: char| c < ' ')).ok_or(Malformed)?;
        Line::parse(line).map(Self)
    }

    /// The line with its end.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_string().into_bytes()
    }
}

/// A witness's co-signature, verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// Who.
    pub witness: IdentityPublic,
    /// When, in seconds since 1970 in UTC.
    pub time: u64,
}

/// Why a checkpoint is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteRejected {
    /// LOG-02
    #[error("the checkpoint is of another log")]
    Origin,
    /// LOG-03
    #[error("the checkpoint is not signed by this network's press")]
    Press,
    /// LOG-04
    #[error("a witness's co-signature is not valid")]
    Cosignature,
    /// LOG-05
    #[error("not enough witnesses have co-signed the checkpoint")]
    Unwitnessed,
    /// LOG-06
    #[error("the checkpoint was co-signed too long ago")]
    Frozen,
    /// LOG-07
    #[error("the checkpoint was co-signed at a time still to come")]
    Future,
    /// LOG-01
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// A note as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedNote {
    text: String,
    origin: String,
    checkpoint: Checkpoint,
    lines: Vec<Line>,
}

impl UnverifiedNote {
    /// Reads a note.
    ///
    /// # Errors
    /// LOG-01: it is too long, or not a checkpoint of three lines with signatures below.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        // LOG-01: three lines, an empty one, and lines of signatures.
        let whole = core::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= MAX_NOTE).ok_or(Malformed)?;
        if whole.contains(|c: char| c < ' ' && c != '\n') {
            return Err(Malformed);
        }
        let (text, lines) = whole.split_once("\n\n").ok_or(Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(Malformed)?;
        let [origin, size, root] = text.split('\n').collect::<Vec<_>>()[..] else { return Err(Malformed) };
        let number: u64 = size.parse().map_err(|_| Malformed)?;
        let root = decoded(root).and_then(|bytes| bytes.try_into().ok()).ok_or(Malformed)?;
        // One way to write a number. No checkpoint is made of a tree without leaves.
        if origin.is_empty() || number.to_string() != size || !(1..=MAX_SIZE).contains(&number) {
            return Err(Malformed);
        }
        Ok(Self {
            text: format!("{text}\n"),
            origin: origin.into(),
            checkpoint: Checkpoint { size: number, root: Digest(root) },
            lines: lines.split('\n').map(Line::parse).collect::<Result<_, _>>()?,
        })
    }

    /// The bytes as they are served.
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines: String = self.lines.iter().map(ToString::to_string).collect();
        format!("{}\n{lines}", self.text).into_bytes()
    }

    /// What it states, to know which editions to fetch before verifying.
    pub fn dangerously_checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// Whether it has one signature and no more, as the press makes it.
    pub fn is_bare(&self) -> bool {
        self.lines.len() == 1
    }

    /// The same note with one more line, in the place of an earlier one by the same key.
    pub fn with(mut self, line: CosignatureLine) -> Self {
        self.lines.retain(|l| (&l.name, l.id) != (&line.0.name, line.0.id));
        self.lines.push(line.0);
        self
    }

    /// Checks whose it is, and every co-signature of a witness, as the directory's roster names them for the round of the newest
    /// head in the tree.
    ///
    /// # Errors
    /// LOG-02 to LOG-04.
    pub fn verify(&self, directory: &Directory, newest: Round) -> Result<Signed, NoteRejected> {
        let name = origin(&directory.wire().network);
        // LOG-02: the log of the network that is pinned.
        if self.origin != name {
            return Err(NoteRejected::Origin);
        }
        // LOG-03: the press signed it.
        let press = directory.roster().press(newest).ok_or(NoteRejected::Press)?;
        let by = self.one(&name, ED25519, &press).map_err(|TwoLines| NoteRejected::Press)?;
        let signature =
            by.and_then(|line| line.signature.as_slice().try_into().ok()).ok_or(NoteRejected::Press)?;
        press.verify_foreign(self.text.as_bytes(), signature).map_err(|BadSignature| NoteRejected::Press)?;
        // LOG-04: a line under a witness's name and key is that witness's; one line each. Others are passed over.
        let mut cosignatures = Vec::new();
        for witness in directory.roster().witnesses(newest) {
            let line = self
                .one(&cosigner(&witness), COSIGNATURE, &witness)
                .map_err(|TwoLines| NoteRejected::Cosignature)?;
            if let Some(line) = line {
                let time = self.cosigned_by(line, &witness).ok_or(NoteRejected::Cosignature)?;
                cosignatures.push(Cosignature { witness, time });
            }
        }
        let quorum = directory.roster().quorum(newest);
        Ok(Signed { checkpoint: self.checkpoint, cosignatures, quorum })
    }

    fn one(&self, name: &str, kind: u8, key: &IdentityPublic) -> Result<Option<&Line>, TwoLines> {
        let mut lines = self.lines.iter().filter(|line| line.is_of(name, kind, key));
        match (lines.next(), lines.next()) {
            (line, None) => Ok(line),
            _ => Err(TwoLines),
        }
    }

    fn cosigned_by(&self, line: &Line, witness: &IdentityPublic) -> Option<u64> {
        let (time, signature) = line.signature.split_first_chunk()?;
        let time = u64::from_be_bytes(*time);
        // C2SP allows no later one, and no sum of times overflows.
        if time > i64::MAX as u64 {
            return None;
        }
        witness.verify_foreign(&cosigned(time, &self.text), signature.try_into().ok()?).ok()?;
        Some(time)
    }
}

struct TwoLines;

/// A checkpoint signed by the press, with the co-signatures that verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    checkpoint: Checkpoint,
    cosignatures: Vec<Cosignature>,
    quorum: usize,
}

impl Signed {
    /// What it states. Whether enough witnesses say the same is another matter: [`Self::witnessed`].
    pub fn checkpoint(&self) -> Checkpoint {
        self.checkpoint
    }

    /// The co-signatures of the roster's witnesses, one each.
    pub fn cosignatures(&self) -> &[Cosignature] {
        &self.cosignatures
    }

    /// Whether as many witnesses as the roster asks for co-signed it at about the same time, whenever that was.
    pub fn has_quorum(&self, directory: &Directory) -> bool {
        let newest = self.cosignatures.iter().map(|c| c.time).max().unwrap_or(0);
        self.witnessed(directory, Millis(newest.saturating_mul(1000))).is_ok()
    }

    /// The checkpoint, if enough witnesses co-signed it not long ago.
    ///
    /// # Errors
    /// LOG-05 to LOG-07.
    pub fn witnessed(&self, directory: &Directory, now: Millis) -> Result<Checkpoint, NoteRejected> {
        let round_ms = u64::from(directory.parameters().schedule.round_ms);
        // LOG-05: q of the roster's witnesses.
        if self.cosignatures.len() < self.quorum {
            return Err(NoteRejected::Unwitnessed);
        }
        let Some(last) = self.quorum.checked_sub(1) else { return Ok(self.checkpoint) };
        // LOG-07: those made at a time still to come do not count; one round of grace for clocks.
        let mut times: Vec<u64> = self.cosignatures.iter().map(|c| c.time).collect();
        times.retain(|time| time.saturating_mul(1000) <= now.plus(round_ms).0);
        // LOG-06: the q-th newest is less than three rounds old. It was made within the second that it names.
        times.sort_unstable_by(|a, b| b.cmp(a));
        let fresh =
            |time: u64| now.0 < (time + 1).saturating_mul(1000).saturating_add(FRESH_ROUNDS * round_ms);
        match times.get(last) {
            Some(&oldest) if fresh(oldest) => Ok(self.checkpoint),
            Some(_) => Err(NoteRejected::Frozen),
            // LOG-07: a clock with which one of them agrees is not behind; it is the others that lie.
            None if times.first().is_some_and(|&newest| fresh(newest)) => Err(NoteRejected::Unwitnessed),
            None => Err(NoteRejected::Future),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::directory::{Operator, Parameters, Role, Roster, UnverifiedDirectory};
    use crate::round::Schedule;
    use crate::sign::RootSecret;

    struct Town {
        directory: Directory,
        press: IdentitySecret,
        witnesses: Vec<IdentitySecret>,
        stranger: IdentitySecret,
        next_press: IdentitySecret,
        next_witness: IdentitySecret,
    }

    const T: u64 = 5_000;
    const NOW: Millis = Millis(1_000_000_000);
    const CHECKPOINT: Checkpoint = Checkpoint { size: 12, root: Digest([7; 32]) };

    /// The round of the newest head.
    const NEWEST: Round = Round(99);
    /// From then on another press signs, and there is a witness more.
    const LATER: Round = Round(100);

    /// Five witnesses, of which four must co-sign.
    fn town() -> Town {
        town_with(5)
    }

    /// The first of them are in force, and the others from [`LATER`] on.
    fn town_with(in_office: usize) -> Town {
        let mut rng = StdRng::seed_from_u64(1);
        let root = RootSecret::generate(&mut rng);
        let [press, edge, mix, stranger, next_press, next_witness] =
            [(); 6].map(|()| IdentitySecret::generate(&mut rng));
        let witnesses: Vec<_> = (0..5).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, who: &IdentitySecret, since| {
            let (name, since) = ("Name".into(), Round(since));
            Operator { role, name, key: who.public(), since }
        };
        let mut operators = vec![
            operator(Role::Press, &press, 0),
            operator(Role::Edge, &edge, 0),
            operator(Role::Mix(0), &mix, 0),
        ];
        let since = |n| if n < in_office { 0 } else { LATER.0 };
        operators.extend(witnesses.iter().enumerate().map(|(n, w)| operator(Role::Witness, w, since(n))));
        operators.push(operator(Role::Press, &next_press, LATER.0));
        operators.push(operator(Role::Witness, &next_witness, LATER.0));
        let parameters = Parameters {
            schedule: Schedule { genesis: Millis(0), round_ms: T as u32 },
            mixes: 1,
            n_min: 2,
            n_max: 9,
            desk_slots: 1,
            reader_slots: 2,
            hold: crate::hold::Hold::NONE,
            decoys: crate::decoy::Decoys::NONE,
            quorum: 4,
            desks: 3,
        };
        let (name, number, from, until) = ("Test".into(), 1, Round(0), Round(u32::MAX));
        let roster = Roster { name, demonstration: false, parameters, operators, number, from, until };
        let directory = UnverifiedDirectory::assemble(&root, &roster, vec![], vec![])
            .verify(&root.public().network())
            .unwrap();
        Town { directory, press, witnesses, stranger, next_press, next_witness }
    }

    impl Town {
        fn network(&self) -> NetworkId {
            self.directory.wire().network
        }

        fn note(&self, times: &[u64]) -> UnverifiedNote {
            let note = UnverifiedNote::from_bytes(&CHECKPOINT.sign(&self.network(), &self.press)).unwrap();
            self.witnesses.iter().zip(times).fold(note, |note, (witness, &ago)| {
                note.with(CHECKPOINT.cosign(&self.network(), witness, Millis(NOW.0 + T - ago)))
            })
        }

        fn witnessed(&self, note: &UnverifiedNote) -> Result<Checkpoint, NoteRejected> {
            note.verify(&self.directory, NEWEST)?.witnessed(&self.directory, NOW)
        }
    }

    /// Made this long before now.
    fn ago(ms: u64) -> u64 {
        T + ms
    }

    #[test]
    fn log_01_a_note_has_three_lines_and_signatures_below() {
        let t = town();
        let bytes = t.note(&[ago(0); 4]).to_bytes();
        assert_eq!(UnverifiedNote::from_bytes(&bytes).map(|n| n.to_bytes()), Ok(bytes.clone()));
        let text = String::from_utf8(bytes).unwrap();
        // The same bytes in two pieces, each with an end of its own.
        let in_two = |base64: &str| {
            let bytes = BASE64.decode(base64.as_bytes()).unwrap();
            let (one, other) = bytes.split_at(bytes.len() - 3);
            text.replacen(base64, &(BASE64.encode(one) + &BASE64.encode(other)), 1)
        };
        let root = text.lines().nth(2).unwrap();
        let signature = text.lines().last().and_then(|line| line.rsplit(' ').next()).unwrap();
        for (what, bent) in [
            ("an extension", text.replacen("\n\n", "\nmore\n\n", 1)),
            ("no root", text.replacen("BwcHB", "\nBwcHB", 1)),
            ("a zero before the size", text.replacen("\n12\n", "\n012\n", 1)),
            ("a sign before the size", text.replacen("\n12\n", "\n+12\n", 1)),
            ("no leaves", text.replacen("\n12\n", "\n0\n", 1)),
            ("more leaves than there can be", text.replacen("\n12\n", "\n1099511627777\n", 1)),
            ("a root too short", text.replacen("BwcHBwcH", "BwcH", 1)),
            ("no end", text.trim_end().to_owned()),
            ("no signature", text[..text.find("\n\n").unwrap() + 2].to_owned()),
            ("an empty line", format!("{text}\n")),
            ("another dash", text.replacen('—', "-", 1)),
            ("a carriage return", text.replacen('\n', "\r\n", 1)),
            ("a tab", text.replacen("firsthand", "first\thand", 1)),
            ("not base64", text.replacen("= \n", "*\n", 1) + "— a *\n"),
            ("an id and nothing else", text.clone() + "— a AAAAAA==\n"),
            ("a signature with padding before its end", in_two(signature)),
            ("a root with padding before its end", in_two(root)),
            ("a name with a plus", text.clone() + "— a+b AAAAAAAA\n"),
        ] {
            assert_eq!(UnverifiedNote::from_bytes(bent.as_bytes()), Err(Malformed), "{what}");
        }
        let long = text + &"— somebody AAAAAAAA\n".repeat(MAX_NOTE / 20);
        assert_eq!(UnverifiedNote::from_bytes(long.as_bytes()), Err(Malformed));
        assert_eq!(UnverifiedNote::from_bytes(&[0xff, b'\n', b'\n']), Err(Malformed));
    }

    #[test]
    fn log_02_another_networks_log_is_refused() {
        let t = town();
        let other = CHECKPOINT.sign(&NetworkId([9; 32]), &t.press);
        let other = UnverifiedNote::from_bytes(&other).unwrap();
        assert_eq!(other.verify(&t.directory, NEWEST), Err(NoteRejected::Origin));
    }

    #[test]
    fn log_03_a_checkpoint_is_signed_by_the_press() {
        let t = town();
        let by =
            |who: &IdentitySecret| UnverifiedNote::from_bytes(&CHECKPOINT.sign(&t.network(), who)).unwrap();
        assert_eq!(by(&t.press).verify(&t.directory, NEWEST).unwrap().checkpoint(), CHECKPOINT);
        assert_eq!(by(&t.stranger).verify(&t.directory, NEWEST), Err(NoteRejected::Press));
        assert_eq!(by(&t.witnesses[0]).verify(&t.directory, NEWEST), Err(NoteRejected::Press));
        let text = String::from_utf8(by(&t.press).to_bytes()).unwrap();
        let other = text.replacen("\n12\n", "\n13\n", 1);
        let other = UnverifiedNote::from_bytes(other.as_bytes()).unwrap();
        assert_eq!(other.verify(&t.directory, NEWEST), Err(NoteRejected::Press), "another size");
        let twice = format!("{text}{}", text.split("\n\n").nth(1).unwrap());
        let twice = UnverifiedNote::from_bytes(twice.as_bytes()).unwrap();
        assert_eq!(twice.verify(&t.directory, NEWEST), Err(NoteRejected::Press), "two lines under one name");
    }

    #[test]
    fn log_03_and_04_press_and_witnesses_are_those_of_the_newest_heads_round() {
        let t = town();
        let next = UnverifiedNote::from_bytes(&CHECKPOINT.sign(&t.network(), &t.next_press)).unwrap();
        let line = |by| CHECKPOINT.cosign(&t.network(), by, NOW);
        let next = next.with(line(&t.witnesses[0])).with(line(&t.next_witness));
        let by = |note: &UnverifiedNote, at| {
            note.verify(&t.directory, at)
                .map(|it| it.cosignatures().iter().map(|c| c.witness).collect::<Vec<_>>())
        };
        assert_eq!(by(&next, NEWEST), Err(NoteRejected::Press), "it signs from round 100 on");
        assert_eq!(by(&next, LATER), Ok(vec![t.witnesses[0].public(), t.next_witness.public()]));
        let now = t.note(&[ago(0)]).with(line(&t.next_witness));
        assert_eq!(by(&now, NEWEST), Ok(vec![t.witnesses[0].public()]), "not yet");
        assert_eq!(by(&now, LATER), Err(NoteRejected::Press), "it signs until round 99");
    }

    #[test]
    fn log_04_a_line_under_a_witnesss_name_is_that_witnesss() {
        let t = town();
        let good = t.note(&[ago(0)]);
        let line = |of: Checkpoint, by: &IdentitySecret| of.cosign(&t.network(), by, NOW);
        let other = Checkpoint { size: 13, ..CHECKPOINT };
        let wrong = good.clone().with(line(other, &t.witnesses[1]));
        assert_eq!(
            wrong.verify(&t.directory, NEWEST),
            Err(NoteRejected::Cosignature),
            "of another checkpoint"
        );
        let mut later = line(CHECKPOINT, &t.witnesses[1]);
        later.0.signature[7] ^= 1;
        assert_eq!(
            good.clone().with(later).verify(&t.directory, NEWEST),
            Err(NoteRejected::Cosignature),
            "another time"
        );
        let mut twice = good.clone();
        twice.lines.push(line(CHECKPOINT, &t.witnesses[0]).0);
        assert_eq!(twice.verify(&t.directory, NEWEST), Err(NoteRejected::Cosignature), "two lines");
        // A stranger's is passed over, whatever it is.
        let passed = good.with(line(other, &t.stranger)).verify(&t.directory, NEWEST).unwrap();
        let by: Vec<_> = passed.cosignatures().iter().map(|c| c.witness).collect();
        assert_eq!(by, [t.witnesses[0].public()]);
    }

    #[test]
    fn log_05_a_missing_cosignature_is_noticed() {
        let t = town();
        assert_eq!(t.witnessed(&t.note(&[ago(0); 5])), Ok(CHECKPOINT));
        assert_eq!(t.witnessed(&t.note(&[ago(0); 4])), Ok(CHECKPOINT), "four of five are enough");
        assert_eq!(t.witnessed(&t.note(&[ago(0); 3])), Err(NoteRejected::Unwitnessed));
        let strangers = t.note(&[ago(0); 3]).with(CHECKPOINT.cosign(&t.network(), &t.stranger, NOW));
        assert_eq!(t.witnessed(&strangers), Err(NoteRejected::Unwitnessed), "a stranger is no witness");
    }

    #[test]
    fn log_05_where_fewer_are_in_office_than_must_co_sign_all_of_them_must() {
        let enough = |in_office: usize, times: &[u64]| {
            let t = town_with(in_office);
            t.witnessed(&t.note(times)).is_ok()
        };
        // Of five and one to come four must, while there are four.
        for in_office in 1..=5 {
            let must = in_office.min(4);
            assert!(enough(in_office, &vec![ago(0); must]), "{in_office}");
            assert!(!enough(in_office, &vec![ago(0); must - 1]), "{in_office}");
            let old = ago(4 * T);
            assert!(
                !enough(in_office, &[vec![ago(0); must - 1], vec![old]].concat()),
                "{in_office}: one is old"
            );
        }
        assert!(!enough(0, &[ago(0); 5]), "none is in office, and none are enough");
    }

    #[test]
    fn log_06_a_frozen_log_is_noticed_after_three_rounds() {
        let t = town();
        let old = ago(3 * T + 1000);
        assert_eq!(t.witnessed(&t.note(&[ago(0), ago(0), ago(0), old])), Err(NoteRejected::Frozen));
        let enough = t.note(&[old, ago(0), ago(0), ago(0), ago(0)]);
        assert_eq!(t.witnessed(&enough), Ok(CHECKPOINT), "the fourth newest counts");
        assert_eq!(
            t.witnessed(&t.note(&[ago(3 * T); 4])),
            Ok(CHECKPOINT),
            "counted from the end of its second"
        );
        assert_eq!(
            t.witnessed(&t.note(&[ago(3 * T + 1); 4])),
            Err(NoteRejected::Frozen),
            "the second before"
        );
    }

    #[test]
    fn log_07_a_cosignature_of_a_time_to_come_does_not_count() {
        let t = town();
        assert_eq!(t.witnessed(&t.note(&[0; 4])), Ok(CHECKPOINT), "a round of grace");
        let ahead = UnverifiedNote::from_bytes(&CHECKPOINT.sign(&t.network(), &t.press)).unwrap();
        let signed = |times: &[u64]| {
            let times = times.iter().map(|ms| NOW.plus(*ms));
            t.witnesses.iter().zip(times).fold(ahead.clone(), |note, (witness, at)| {
                note.with(CHECKPOINT.cosign(&t.network(), witness, at))
            })
        };
        for far in [T + 1_000, 1 << 50, u64::MAX / 2] {
            let one = signed(&[0, 0, 0, far]);
            assert_eq!(t.witnessed(&one), Err(NoteRejected::Unwitnessed), "three agree with this clock");
            let three = signed(&[0, far, far, far]);
            assert_eq!(t.witnessed(&three), Err(NoteRejected::Unwitnessed), "one does");
            assert_eq!(t.witnessed(&signed(&[far; 4])), Err(NoteRejected::Future), "none does");
            assert_eq!(t.witnessed(&signed(&[far, 0, 0, 0, 0])), Ok(CHECKPOINT), "four of five are good");
            let old = t.note(&[ago(5 * T), 0, 0]).with(CHECKPOINT.cosign(
                &t.network(),
                &t.witnesses[3],
                NOW.plus(far),
            ));
            let clock = Millis(NOW.0 - T);
            assert_eq!(
                old.verify(&t.directory, NEWEST).unwrap().witnessed(&t.directory, clock),
                Err(NoteRejected::Future),
                "an old one says nothing of the clock"
            );
        }
        let never = Millis(u64::MAX);
        let line = |at: u64| {
            let text = CHECKPOINT.text(&t.network());
            let signature = t.witnesses[0].sign_foreign(&cosigned(at, &text));
            let bytes = [at.to_be_bytes().as_slice(), &signature].concat();
            let key = t.witnesses[0].public();
            CosignatureLine(Line::new(cosigner(&key), COSIGNATURE, &key, &bytes))
        };
        let note = t.note(&[]).with(line(u64::MAX));
        assert_eq!(
            note.verify(&t.directory, NEWEST),
            Err(NoteRejected::Cosignature),
            "C2SP: at most 2^63 - 1"
        );
        let signed = t.note(&[]).with(line(i64::MAX as u64)).verify(&t.directory, NEWEST).unwrap();
        assert_eq!(signed.witnessed(&t.directory, never), Err(NoteRejected::Unwitnessed), "no overflow");
    }

    #[test]
    fn a_newer_cosignature_takes_the_place_of_the_older() {
        let t = town();
        let note = t.note(&[ago(9_000)]).with(CHECKPOINT.cosign(&t.network(), &t.witnesses[0], NOW));
        let signed = note.verify(&t.directory, NEWEST).unwrap();
        assert_eq!(signed.cosignatures().iter().map(|c| c.time).collect::<Vec<_>>(), [NOW.0 / 1000]);
    }

    #[test]
    fn no_signature_of_the_log_is_one_of_ours() {
        let t = town();
        let text = CHECKPOINT.text(&t.network());
        assert!(!text.starts_with("firsthand/v1 ") && !cosigned(1, &text).starts_with(b"firsthand/"));
        let hex = text.as_bytes()["firsthand/".len()];
        assert!(hex.is_ascii_hexdigit() && !b'v'.is_ascii_hexdigit());
    }

    proptest! {
        #[test]
        fn any_text_is_a_note_or_not_but_never_panics(text in "(firsthand/[0-9a-f]{4}|[a-z\n—]{0,9})\n[0-9]{1,3}\n[A-Za-z0-9+/=]{0,48}\n\n(— [a-z]{0,3} [A-Za-z0-9+/=]{0,12}\n){0,3}") {
            if let Ok(note) = UnverifiedNote::from_bytes(text.as_bytes()) {
                prop_assert_eq!(note.to_bytes(), text.as_bytes());
            }
        }
    }
}
