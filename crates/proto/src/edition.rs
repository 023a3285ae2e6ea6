//! Editions: a round's signed head, its stories, its drops. Spec: edition.md.
//!
//! The head names everything else by digest: whoever holds a verified head needs no other signature.

use std::collections::HashSet;

use minicbor::{Decode, Decoder, Encode};

use crate::analysis::MAX_ANALYSIS;
use crate::codec::{self, Malformed};
use crate::directory::{self, Directory, MixKey, RoundKeys};
use crate::drops::{DeskDrop, ReaderDrop};
use crate::envelope::Wire;
use crate::id::{Digest, NetworkId};
use crate::keys::KeyKind;
use crate::mix::Manifest;
use crate::round::{Millis, Round};
use crate::seal::SealPublic;
use crate::sign::{IdentitySecret, Purpose, Rejected, Unverified};
use crate::story::{MAX_ARTICLES, MAX_BLOCKS, Story, StoryId};

/// The most that a bundle of stories may unpack to, in bytes.
pub const MAX_BUNDLE: usize = 32 * 1024 * 1024;
/// The most that a bundle may weigh as served, in bytes.
pub const MAX_PACKED: usize = 8 * 1024 * 1024;
/// How many rounds before its head a manifest may be of.
pub const MANIFEST_ROUNDS: u32 = 96;
/// The most that a head may weigh, in bytes.
pub const MAX_HEAD: usize = 1024 * 1024;
/// The most that a picture may weigh, in bytes.
pub const MAX_PICTURE: usize = 20 * 1024;

/// The most stories that a bundle may bring, and the most that it may take away.
pub const MAX_STORIES: usize = 1_000;
/// The most blocks of text that all articles of a bundle may have.
pub const MAX_BUNDLE_BLOCKS: usize = 200_000;
/// The most that the analyses of all stories of a bundle may weigh, in bytes of their encoding.
pub const MAX_BUNDLE_ANALYSES: usize = 4 * 1024 * 1024;

/// Names a bundle of stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BundleRef {
    /// SHA-256 of the bytes as served.
    #[n(0)]
    pub digest: Digest,
    /// Their length.
    #[n(1)]
    pub len: u32,
}

impl BundleRef {
    /// Opens the bundle that it names.
    ///
    /// # Errors
    /// EDN-06, EDN-08, EDN-11: other bytes, too many, or stories that cannot be shown.
    pub fn open(&self, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
        // EDN-06: length and digest are those that the head names, and it unpacks within the limit.
        if bytes.len() > MAX_PACKED || bytes.len() != self.len as usize || Digest::of(bytes) != self.digest {
            return Err(EditionRejected::Bundle);
        }
        let plain = zstd::bulk::decompress(bytes, MAX_BUNDLE).map_err(|_| EditionRejected::Bundle)?;
        count(&plain)?;
        let bundle: Bundle = codec::decode(&plain)?;
        // EDN-08: a story has an article and an id of its own; pictures are small; addresses are of the web.
        for article in bundle.stories.iter().flat_map(|s| &s.articles) {
            let picture = article.picture.as_ref().is_some_and(|p| p.bytes.len() > MAX_PICTURE);
            let address =
                article.url.as_ref().is_some_and(|u| !u.starts_with("https://") && !u.starts_with("http://"));
            if picture || address {
                return Err(EditionRejected::Story);
            }
        }
        if !bundle.stories.iter().all(|story| story.analysis.fits(&story.articles)) {
            return Err(EditionRejected::Story);
        }
        let ids: HashSet<StoryId> = bundle.stories.iter().map(|s| s.id).collect();
        if ids.len() != bundle.stories.len() || bundle.stories.iter().any(|s| s.articles.is_empty()) {
            return Err(EditionRejected::Story);
        }
        Ok(bundle)
    }
}

// EDN-08, EDN-15: so many stories, articles and blocks, and so large analyses. They are counted before anything is made of them, because a few kilobytes can
// name millions, each of which takes a hundred bytes of memory and more.
fn count(bundle: &[u8]) -> Result<(), EditionRejected> {
    let from = &mut Decoder::new(bundle);
    record(from, 0)?;
    count_stories(from)?;
    array(from, MAX_STORIES).map(drop)
}

fn count_stories(from: &mut Decoder<'_>) -> Result<(), EditionRejected> {
    let (mut blocks, mut analyses) = (0, 0);
    for _ in 0..array(from, MAX_STORIES)? {
        let behind = record(from, 2)?;
        for _ in 0..array(from, MAX_ARTICLES)? {
            let behind = record(from, 6)?;
            let here = array(from, MAX_BLOCKS)?;
            blocks += here;
            if blocks > MAX_BUNDLE_BLOCKS as u64 {
                return Err(EditionRejected::Story);
            }
            skip(from, here.saturating_add(behind))?;
        }
        let before = from.position();
        skip(from, behind)?;
        let analysis = from.position() - before;
        analyses += analysis;
        if analysis > MAX_ANALYSIS || analyses > MAX_BUNDLE_ANALYSES {
            return Err(EditionRejected::Story);
        }
    }
    Ok(())
}

/// The length of an array of at most so many.
fn array(from: &mut Decoder<'_>, most: usize) -> Result<u64, EditionRejected> {
    let len = from.array().ok().flatten().ok_or(Malformed)?;
    if len > most as u64 { Err(EditionRejected::Story) } else { Ok(len) }
}

/// Goes into a record, over so many fields; returns how many are behind the next.
fn record(from: &mut Decoder<'_>, before: u64) -> Result<u64, Malformed> {
    let fields = from.array().ok().flatten().ok_or(Malformed)?;
    skip(from, before)?;
    fields.checked_sub(before + 1).ok_or(Malformed)
}

fn skip(from: &mut Decoder<'_>, values: u64) -> Result<(), Malformed> {
    (0..values).try_for_each(|_| from.skip()).map_err(|_| Malformed)
}

/// An edition's signed summary.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The round it is published in.
    #[n(0)]
    pub round: Round,
    /// Digest of the head before it, as served; all zero for the first.
    #[n(1)]
    pub previous: Digest,
    /// When it was made.
    #[n(2)]
    pub made: Millis,
    /// Digest of the directory in force.
    #[n(3)]
    pub directory: Digest,
    /// Stories new or changed since the edition before.
    #[n(4)]
    pub changes: BundleRef,
    /// The whole front page, for who comes new or was away.
    #[n(5)]
    pub front: BundleRef,
    /// Digest of the front page that either of them makes: [`page_digest`].
    #[n(6)]
    pub page: Digest,
    /// Every manifest since the edition before, as its mix signed it.
    #[n(7)]
    pub manifests: Vec<Unverified<Manifest>>,
    /// The first mix's keys of this round and the next, in order, as it signed them. None where the first mix is the exit.
    #[n(8)]
    pub round_keys: Vec<Unverified<MixKey>>,
}

impl Purpose for Head {
    const TAG: &'static str = "edition head";
}

/// Drops of one round, as the exit's manifest names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropRef {
    /// The round whose drops they are.
    pub round: Round,
    /// SHA-256 of the desk drop.
    pub desk: Digest,
    /// SHA-256 of the reader drop.
    pub reader: Digest,
}

/// A head as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedHead {
    signed: Unverified<Head>,
    digest: Digest,
}

/// Why an edition, or a part of one, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditionRejected {
    /// EDN-01
    #[error("the edition is not signed by this network's press")]
    Signature,
    /// EDN-02
    #[error("the edition is not of the round asked for")]
    Round,
    /// EDN-03
    #[error("the edition does not follow the one before it")]
    Previous,
    /// EDN-04
    #[error("the edition names another directory")]
    Directory,
    /// EDN-05
    #[error("a mix's manifest in the edition is not signed by that mix")]
    Manifest,
    /// EDN-06
    #[error("the stories are not those that the edition names")]
    Bundle,
    /// EDN-07
    #[error("a drop is not the one that the edition names")]
    Drop,
    /// EDN-08
    #[error("a story cannot be shown")]
    Story,
    /// EDN-09
    #[error("the edition was made in a round still to come")]
    Future,
    /// EDN-10
    #[error("a mix states two outputs for one batch")]
    ManifestTwice,
    /// EDN-11
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// EDN-12
    #[error("a key in the edition is not one of the first mix for a round to come")]
    RoundKey,
    /// EDN-13
    #[error("the roster is not in force in the edition's round")]
    RosterOver,
    /// EDN-16
    #[error("a mix's manifest in the edition is of a round too long ago, or still to come")]
    ManifestRound,
    /// EDN-14
    #[error("the stories do not make the front page that the edition names")]
    Page,
}

impl UnverifiedHead {
    /// Reads a head.
    ///
    /// # Errors
    /// EDN-11: the bytes are too many, or not the one encoding of a head.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EditionRejected> {
        // EDN-11: at most 1 MiB, in the one encoding. The head inside and the stories are held to the same.
        if bytes.len() > MAX_HEAD {
            return Err(Malformed.into());
        }
        Ok(Self { signed: codec::decode(bytes)?, digest: Digest::of(bytes) })
    }

    /// The directory it names, to fetch before verifying.
    pub fn dangerously_directory(&self) -> Result<Digest, EditionRejected> {
        Ok(self.signed.dangerously_peek()?.directory)
    }

    /// Checks it. `asked` is the round it was asked for as, `now` the round it is; `previous` the digest of the head before
    /// it, or `None` for a client that holds none.
    ///
    /// # Errors
    /// EDN-01 to EDN-05, EDN-09 to EDN-13 and EDN-16.
    pub fn verify(
        &self,
        directory: &Directory,
        asked: Round,
        now: Round,
        previous: Option<&Digest>,
    ) -> Result<Edition, EditionRejected> {
        use EditionRejected as No;
        let network = directory.wire().network;
        // EDN-01: signed by the press that the roster names for the round. Whoever serves a head chooses the directory it names:
        // its roster may name nobody for that round.
        let press = directory.roster().press(asked).ok_or(No::Signature)?;
        let head = self.signed.verify(&network, &press).map_err(|r| match r {
            Rejected::Signature(_) => No::Signature,
            Rejected::Malformed(m) => m.into(),
        })?;
        // EDN-02: it is the one asked for.
        if head.round != asked {
            return Err(No::Round);
        }
        // EDN-09: it is not of a round still to come; one round of grace for clocks.
        if head.round > now.next() {
            return Err(No::Future);
        }
        // EDN-03: it follows the one before.
        if previous.is_some_and(|p| *p != head.previous) {
            return Err(No::Previous);
        }
        // EDN-04: it names the directory it is verified with.
        if head.directory != directory.digest() {
            return Err(No::Directory);
        }
        // EDN-13: a roster that is over, or not begun, names nobody.
        if !directory.roster().holds(head.round) {
            return Err(No::RosterOver);
        }
        let drops = check_manifests(&head, directory)?;
        let round_keys = check_round_keys(&head, directory)?;
        Ok(Edition { head, digest: self.digest, drops, round_keys })
    }
}

// EDN-05: every manifest is signed by the mix at its own hop; the exit's name one desk drop and one reader drop.
fn check_manifests(head: &Head, directory: &Directory) -> Result<Vec<DropRef>, EditionRejected> {
    let network = directory.wire().network;
    let mut drops = Vec::new();
    let mut seen = HashSet::new();
    for signed in &head.manifests {
        let manifest = verify_manifest(signed, directory, &network)?;
        // EDN-16: how old a drop is decides whether a device goes on without it, and is the exit's word.
        let age = head.round.0.checked_sub(manifest.batch.round.0);
        if !age.is_some_and(|age| (1..=MANIFEST_ROUNDS).contains(&age)) {
            return Err(EditionRejected::ManifestRound);
        }
        // EDN-10: one output per round, part and hop.
        if !seen.insert((manifest.batch, manifest.hop)) {
            return Err(EditionRejected::ManifestTwice);
        }
        if let [desk, reader] = manifest.outputs[..]
            && manifest.hop == directory.wire().cascade.exit()
        {
            drops.push(DropRef { round: manifest.batch.round, desk, reader });
        }
    }
    Ok(drops)
}

// EDN-12: the first mix's own keys, each of one round, from this round on as far as they are published, in rising order.
fn check_round_keys(head: &Head, directory: &Directory) -> Result<RoundKeys, EditionRejected> {
    let Wire { cascade, network } = directory.wire();
    let mut keys: Vec<(Round, SealPublic)> = Vec::new();
    for signed in &head.round_keys {
        let (it, key) = directory::check_mix_key(signed, directory.roster(), cascade, &network)
            .map_err(|_| EditionRejected::RoundKey)?;
        let rises = keys.last().is_none_or(|(before, _)| *before < it.from);
        let published = KeyKind::Round.published(head.round).any(|period| period == it.period());
        let twice = keys.iter().any(|(_, k)| k.id() == key.id());
        if it.hop != 0 || KeyKind::of_mix(0, cascade) != KeyKind::Round || !rises || !published || twice {
            return Err(EditionRejected::RoundKey);
        }
        keys.push((it.from, key));
    }
    Ok(keys.into_iter().collect())
}

fn verify_manifest(
    signed: &Unverified<Manifest>,
    directory: &Directory,
    network: &NetworkId,
) -> Result<Manifest, EditionRejected> {
    let peeked = signed.dangerously_peek()?;
    let mix = directory.roster().mix(peeked.hop, peeked.batch.round).ok_or(EditionRejected::Manifest)?;
    let manifest = signed.verify(network, &mix).map_err(|_| EditionRejected::Manifest)?;
    let is_exits = manifest.hop == directory.wire().cascade.exit();
    // Two drops, and those once in a round.
    let fits = manifest.outputs.len() == 2 && manifest.batch.part == 0;
    if fits || !is_exits { Ok(manifest) } else { Err(EditionRejected::Manifest) }
}

/// A verified edition's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    head: Head,
    digest: Digest,
    drops: Vec<DropRef>,
    round_keys: RoundKeys,
}

impl Edition {
    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// SHA-256 of the head as served: what the next head names as `previous`.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The drops it carries.
    pub fn drops(&self) -> &[DropRef] {
        &self.drops
    }

    /// The first mix's keys that it brings.
    pub fn round_keys(&self) -> &RoundKeys {
        &self.round_keys
    }

    /// The changes since the edition before.
    pub fn changes(&self, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
        self.head.changes.open(bytes)
    }

    /// The whole front page.
    pub fn front(&self, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
        self.head.front.open(bytes)
    }

    /// The front page that one of its bundles makes of the one held: `changes` of the page before, `front` of none.
    ///
    /// # Errors
    /// EDN-14: it is not the one that the head names, or larger than a bundle may be.
    pub fn page(&self, mut held: Vec<Story>, bundle: Bundle) -> Result<Vec<Story>, EditionRejected> {
        bundle.fold_into(&mut held);
        // EDN-14: one page under one head, whichever bundle it was made from.
        let page = codec::encode(&held);
        // No more than `front` may bring, however many changes it is folded from.
        if Digest::of(&page) != self.head.page || page.len() > MAX_BUNDLE {
            return Err(EditionRejected::Page);
        }
        count_stories(&mut Decoder::new(&page))?;
        Ok(held)
    }
}

impl DropRef {
    /// Takes the reader drop's bytes, if they are the ones named.
    pub fn reader_drop(&self, directory: &Directory, bytes: Vec<u8>) -> Result<ReaderDrop, EditionRejected> {
        // EDN-07: a drop is opened only if the head names its digest.
        if Digest::of(&bytes) != self.reader {
            return Err(EditionRejected::Drop);
        }
        ReaderDrop::from_bytes(directory.parameters().reader_slots, bytes).map_err(|_| EditionRejected::Drop)
    }

    /// Takes the desk drop's bytes, if they are the ones named.
    pub fn desk_drop(&self, directory: &Directory, bytes: Vec<u8>) -> Result<DeskDrop, EditionRejected> {
        // EDN-07
        if Digest::of(&bytes) != self.desk {
            return Err(EditionRejected::Drop);
        }
        let p = directory.parameters();
        DeskDrop::from_bytes(directory.wire().cascade, p.desk_slots, p.desks, bytes)
            .map_err(|_| EditionRejected::Drop)
    }
}

/// What a head names a front page by: SHA-256 over the one encoding of its stories, newest first.
pub fn page_digest(stories: &[Story]) -> Digest {
    Digest::of(&codec::encode(&stories))
}

/// Signs a head; returns the bytes to serve.
pub fn sign_head(head: &Head, network: &NetworkId, press: &IdentitySecret) -> Vec<u8> {
    codec::encode(&Unverified::sign(head, network, press))
}

/// Stories that come, and stories that go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Bundle {
    /// New or changed, newest first.
    #[n(0)]
    pub stories: Vec<Story>,
    /// No longer on the front page.
    #[n(1)]
    pub gone: Vec<StoryId>,
}

impl Bundle {
    /// Packs it: zstd over its one encoding. The same stories give the same bytes.
    pub fn pack(&self) -> (Vec<u8>, BundleRef) {
        let bytes = zstd::bulk::compress(&codec::encode(self), 9).expect("memory is all it needs");
        let reference = BundleRef { digest: Digest::of(&bytes), len: bytes.len() as u32 };
        (bytes, reference)
    }

    /// Applies it to a front page: takes out what goes, replaces what changed, adds what is new, newest first.
    pub fn fold_into(self, front: &mut Vec<Story>) {
        // A bundle of 32 MiB names two million stories: none is looked for one by one.
        let out: HashSet<StoryId> =
            self.gone.iter().copied().chain(self.stories.iter().map(|s| s.id)).collect();
        front.retain(|s| !out.contains(&s.id));
        front.extend(self.stories);
        front.sort_by(|a, b| b.newest().cmp(&a.newest()).then(a.id.cmp(&b.id)));
    }
}

/// A manifest whose mix is known: for mixes, which take a batch only with the manifest before it, and for the press.
///
/// # Errors
/// EDN-05: not signed by the mix at its hop, or the exit's without two drops.
pub fn check_manifest(
    signed: &Unverified<Manifest>,
    directory: &Directory,
) -> Result<Manifest, EditionRejected> {
    verify_manifest(signed, directory, &directory.wire().network)
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::analysis::{
        self, Analysis, Anchor, Claim, CopyKind, Difference, Event, Mention, NearCopy, Origin, OriginKind,
        Passage, Point, Side, Sourcing, Speaker, Status, Utterance, Variant,
    };
    use crate::decoy::Decoys;
    use crate::directory::{Operator, Parameters, Role, Roster, UnverifiedDirectory};
    use crate::hold::Hold;
    use crate::mix::BatchId;
    use crate::round::Schedule;
    use crate::seal::SealSecret;
    use crate::sign::RootSecret;
    use crate::size::READER_SLOT;
    use crate::story::{Article, ArticleId, Block, Extent, Grain, Media, Picture, When};

    struct Town {
        directory: Directory,
        root: RootSecret,
        press: IdentitySecret,
        mixes: Vec<IdentitySecret>,
        rng: StdRng,
    }

    const NOW: Round = Round(7);

    fn town() -> Town {
        let mut rng = StdRng::seed_from_u64(1);
        let root = RootSecret::generate(&mut rng);
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let mixes: Vec<_> = (0..2).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, who: &IdentitySecret| Operator {
            role,
            name: "Name".into(),
            key: who.public(),
            since: Round(0),
        };
        let roster = Roster {
            number: 1,
            from: Round(0),
            until: Round(99),
            name: "Test".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(0), round_ms: 5_000 },
                mixes: 2,
                n_min: 2,
                n_max: 9,
                desk_slots: 1,
                reader_slots: 2,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum: 0,
                desks: 1,
            },
            operators: vec![
                operator(Role::Press, &press),
                operator(Role::Edge, &edge),
                operator(Role::Mix(0), &mixes[0]),
                operator(Role::Mix(1), &mixes[1]),
            ],
        };
        let directory = UnverifiedDirectory::assemble(&root, &roster, vec![], vec![])
            .verify(&root.public().network())
            .unwrap();
        Town { directory, root, press, mixes, rng }
    }

    fn manifest(hop: u8, outputs: Vec<Digest>) -> Manifest {
        let batch = BatchId { round: Round(5), part: 0 };
        Manifest {
            batch,
            hop,
            inputs: vec![Digest([1; 32])],
            count_in: 9,
            count_out: 9,
            outputs,
            deleted: 0,
            alarm: false,
        }
    }

    impl Town {
        fn head(&self) -> Head {
            let nothing = Bundle::default().pack().1;
            Head {
                round: NOW,
                previous: Digest([2; 32]),
                made: Millis(35_000),
                directory: self.directory.digest(),
                changes: nothing,
                front: nothing,
                page: page_digest(&[]),
                manifests: vec![],
                round_keys: vec![],
            }
        }

        fn round_key(&mut self, from: u32, until: u32) -> MixKey {
            let key = SealSecret::generate(&mut self.rng).public().to_bytes().into();
            MixKey { hop: 0, key, from: Round(from), until: Round(until) }
        }

        fn manifest(&self, m: &Manifest, by: usize) -> Unverified<Manifest> {
            Unverified::sign(m, &self.directory.wire().network, &self.mixes[by])
        }

        fn verify(&self, head: &Head) -> Result<Edition, EditionRejected> {
            let bytes = sign_head(head, &self.directory.wire().network, &self.press);
            UnverifiedHead::from_bytes(&bytes)?.verify(&self.directory, NOW, NOW, Some(&Digest([2; 32])))
        }
    }

    fn story(id: u8, day: i64) -> Story {
        let article = Article {
            id: ArticleId([id; 16]),
            outlet: "The Herald".into(),
            title: "A bridge opens".into(),
            byline: None,
            published: Some(When { unix: day * 86_400, grain: Grain::Day }),
            url: Some("https://herald.example/bridge".into()),
            body: vec![Block::Paragraph("It opened.".into())],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        };
        Story {
            id: StoryId([id; 16]),
            title: "A bridge opens".into(),
            articles: vec![article],
            analysis: Analysis::default(),
        }
    }

    #[test]
    fn a_head_survives_being_served() {
        let t = town();
        let head = t.head();
        let bytes = sign_head(&head, &t.directory.wire().network, &t.press);
        let served = UnverifiedHead::from_bytes(&bytes).unwrap();
        assert_eq!(served.dangerously_directory(), Ok(t.directory.digest()));
        let edition = served.verify(&t.directory, NOW, NOW, None).unwrap();
        assert_eq!((edition.head(), edition.digest()), (&head, Digest::of(&bytes)));
    }

    #[test]
    fn edn_01_a_head_is_signed_by_the_press() {
        let mut t = town();
        t.press = IdentitySecret::generate(&mut t.rng);
        assert_eq!(t.verify(&t.head()), Err(EditionRejected::Signature));
    }

    #[test]
    fn edn_01_a_roster_that_names_no_press_for_the_round_verifies_nothing() {
        let t = town();
        let mut roster = t.directory.roster().clone();
        roster.from = NOW.next();
        roster.operators.iter_mut().filter(|o| o.role == Role::Press).for_each(|o| o.since = NOW.next());
        let later = UnverifiedDirectory::assemble(&t.root, &roster, vec![], vec![]);
        let later = later.verify(&t.directory.wire().network).unwrap();
        let head = Head { directory: later.digest(), ..t.head() };
        let served =
            UnverifiedHead::from_bytes(&sign_head(&head, &t.directory.wire().network, &t.press)).unwrap();
        assert_eq!(served.verify(&later, NOW, NOW, None), Err(EditionRejected::Signature));
    }

    #[test]
    fn edn_01_a_head_altered_by_one_bit_is_refused() {
        let t = town();
        let good = sign_head(&t.head(), &t.directory.wire().network, &t.press);
        for byte in 0..good.len() {
            let mut bent = good.clone();
            bent[byte] ^= 1;
            let outcome = UnverifiedHead::from_bytes(&bent)
                .and_then(|head| head.verify(&t.directory, NOW, NOW, Some(&Digest([2; 32]))));
            assert!(outcome.is_err(), "byte {byte}");
        }
    }

    #[test]
    fn edn_02_a_head_of_another_round_is_refused() {
        let t = town();
        for round in [Round(6), Round(8)] {
            assert_eq!(t.verify(&Head { round, ..t.head() }), Err(EditionRejected::Round));
        }
    }

    #[test]
    fn edn_03_a_head_follows_the_one_before() {
        let t = town();
        let other = Head { previous: Digest([3; 32]), ..t.head() };
        assert_eq!(t.verify(&other), Err(EditionRejected::Previous));
        let bytes = sign_head(&other, &t.directory.wire().network, &t.press);
        let first = UnverifiedHead::from_bytes(&bytes).unwrap().verify(&t.directory, NOW, NOW, None);
        assert!(first.is_ok(), "who holds none asks for none");
    }

    #[test]
    fn edn_04_a_head_names_the_directory_it_is_verified_with() {
        let t = town();
        let other = Head { directory: Digest([3; 32]), ..t.head() };
        assert_eq!(t.verify(&other), Err(EditionRejected::Directory));
    }

    #[test]
    fn edn_05_a_manifest_is_signed_by_the_mix_at_its_hop() {
        let t = town();
        let (desk, reader) = (Digest([4; 32]), Digest([5; 32]));
        let first = manifest(0, vec![Digest([3; 32])]);
        let last = manifest(1, vec![desk, reader]);
        let verify =
            |m: &Manifest, by: usize| t.verify(&Head { manifests: vec![t.manifest(m, by)], ..t.head() });
        assert_eq!(verify(&first, 0).unwrap().drops(), []);
        assert_eq!(verify(&last, 1).unwrap().drops(), [DropRef { round: Round(5), desk, reader }]);
        assert_eq!(verify(&first, 1), Err(EditionRejected::Manifest), "another mix");
        assert_eq!(
            verify(&Manifest { hop: 2, ..last.clone() }, 1),
            Err(EditionRejected::Manifest),
            "no such hop"
        );
        let one = Manifest { outputs: vec![desk], ..last };
        assert_eq!(verify(&one, 1), Err(EditionRejected::Manifest), "the exit writes two drops");
        assert_eq!(check_manifest(&t.manifest(&first, 0), &t.directory), Ok(first.clone()));
        let wrong = check_manifest(&t.manifest(&first, 1), &t.directory);
        assert_eq!(wrong, Err(EditionRejected::Manifest));
    }

    #[test]
    fn edn_06_a_bundle_is_the_one_the_head_names() {
        let t = town();
        let (bytes, changes) = Bundle { stories: vec![story(1, 2)], gone: vec![] }.pack();
        let edition = t.verify(&Head { changes, ..t.head() }).unwrap();
        assert_eq!(edition.changes(&bytes).unwrap().stories.len(), 1);
        assert_eq!(edition.front(&bytes), Err(EditionRejected::Bundle), "the other bundle");
        let mut bent = bytes.clone();
        bent[9] ^= 1;
        assert_eq!(edition.changes(&bent), Err(EditionRejected::Bundle), "one bit");
        assert_eq!(edition.changes(&bytes[1..]), Err(EditionRejected::Bundle), "one byte less");
    }

    #[test]
    fn edn_06_a_bundle_that_unpacks_beyond_the_limit_is_refused() {
        let t = town();
        let bomb = zstd::bulk::compress(&vec![0; MAX_BUNDLE + 1], 3).unwrap();
        let changes = BundleRef { digest: Digest::of(&bomb), len: bomb.len() as u32 };
        let edition = t.verify(&Head { changes, ..t.head() }).unwrap();
        assert_eq!(edition.changes(&bomb), Err(EditionRejected::Bundle));
    }

    #[test]
    fn edn_07_a_drop_is_the_one_the_head_names() {
        let t = town();
        let desk = vec![1; t.directory.wire().cascade.boxed() + crate::size::PASS];
        let reader = vec![2; 2 * READER_SLOT];
        let named = |desk: &[u8], reader: &[u8]| {
            let m = manifest(1, vec![Digest::of(desk), Digest::of(reader)]);
            t.verify(&Head { manifests: vec![t.manifest(&m, 1)], ..t.head() }).unwrap().drops()[0]
        };
        let good = named(&desk, &reader);
        assert!(good.desk_drop(&t.directory, desk.clone()).is_ok());
        assert!(good.reader_drop(&t.directory, reader.clone()).is_ok());
        let no = EditionRejected::Drop;
        assert_eq!(good.desk_drop(&t.directory, reader.clone()).err(), Some(no), "the other drop");
        assert_eq!(good.reader_drop(&t.directory, vec![3; 2 * READER_SLOT]).err(), Some(no), "other bytes");
        let short = named(&desk[1..], &reader[1..]);
        assert_eq!(short.desk_drop(&t.directory, desk[1..].to_vec()).err(), Some(no), "named, but too short");
        assert_eq!(short.reader_drop(&t.directory, reader[1..].to_vec()).err(), Some(no));
    }

    #[test]
    fn edn_08_a_story_that_cannot_be_shown_is_refused() {
        let t = town();
        let open = |bend: fn(&mut Story)| {
            let mut one = story(1, 2);
            bend(&mut one);
            let (bytes, front) = Bundle { stories: vec![one], gone: vec![] }.pack();
            t.verify(&Head { front, ..t.head() }).unwrap().front(&bytes).map(|_| ())
        };
        let picture = |len: usize| {
            let bytes = vec![0; len];
            Some(Picture {
                media: Media::Png,
                width: 8,
                height: 8,
                alt: "A bridge".into(),
                credit: None,
                bytes,
            })
        };
        assert_eq!(open(|_| ()), Ok(()));
        let no = Err(EditionRejected::Story);
        assert_eq!(open(|s| s.articles.clear()), no, "no article");
        let (bytes, front) = Bundle { stories: vec![story(1, 2), story(1, 3)], gone: vec![] }.pack();
        let twice = t.verify(&Head { front, ..t.head() }).unwrap().front(&bytes);
        assert_eq!(twice.map(|_| ()), no, "two stories under one id");
        assert_eq!(open(|s| s.articles[0].url = Some("javascript:alert(1)".into())), no);
        let mut large = story(1, 2);
        for (len, good) in [(MAX_PICTURE, true), (MAX_PICTURE + 1, false)] {
            large.articles[0].picture = picture(len);
            let (bytes, front) = Bundle { stories: vec![large.clone()], gone: vec![] }.pack();
            let edition = t.verify(&Head { front, ..t.head() }).unwrap();
            assert_eq!(edition.front(&bytes).is_ok(), good, "{len} bytes");
        }
    }

    /// An analysis with one passage, a stated origin and a form of an utterance.
    fn analysis() -> Analysis {
        let words = Passage { article: 0, block: 0, start: 0, end: 3 };
        let sourcing = vec![Sourcing { article: 0, origin: Some(0), stated: Some(words) }];
        let variant = Variant {
            words: vec![words],
            sentence: words,
            speaker: Speaker::Named("Ada Moor".into()),
            addressee: None,
            occasion: Some(words),
            kept: vec![(0, 3)],
        };
        let mention = Mention { sentence: words, phrase: words, anchor: Anchor::Stated };
        let sides = vec![vec![words], vec![words]];
        let differences = vec![Difference { point: Point::Wording, sides }];
        Analysis {
            events: vec![Event {
                first: 9,
                last: 9,
                grain: analysis::Grain::Day,
                status: Status::Planned,
                mentions: vec![mention],
                sourcing: sourcing.clone(),
                differences: differences.clone(),
            }],
            utterances: vec![Utterance {
                variants: vec![variant],
                fullest: 0,
                alike: vec![0],
                sourcing: sourcing.clone(),
                differences: differences.clone(),
            }],
            claims: vec![Claim { sentences: vec![words], sourcing, differences }],
            origins: vec![Origin { kind: OriginKind::Public, name: "the council".into() }],
            spellings: vec![vec!["Moor".into(), "More".into()]],
            copies: vec![NearCopy {
                kind: CopyKind::Verbatim,
                one: Side { article: 0, words: 4, shared: 4 },
                other: Side { article: 1, words: 5, shared: 4 },
                spans: vec![(words, Passage { article: 1, ..words })],
            }],
        }
    }

    #[test]
    fn edn_15_an_analysis_rests_on_its_articles() {
        let t = town();
        let open = |bend: &dyn Fn(&mut Analysis)| {
            let mut one = Story { analysis: analysis(), ..story(1, 2) };
            one.articles[0].body = vec![Block::Paragraph("Épées, all of them.".into())];
            one.articles.push(one.articles[0].clone());
            bend(&mut one.analysis);
            let (bytes, front) = Bundle { stories: vec![one], gone: vec![] }.pack();
            t.verify(&Head { front, ..t.head() }).unwrap().front(&bytes).map(|_| ())
        };
        let no = Err(EditionRejected::Story);
        assert_eq!(open(&|_| ()), Ok(()));
        let bends: &[&dyn Fn(&mut Analysis)] = &[
            &|a| a.events[0].mentions[0].sentence.end = 99,
            &|a| a.events[0].mentions[0].phrase.start = 1,
            &|a| a.events[0].mentions.clear(),
            &|a| a.events[0].first = 10,
            &|a| a.events[0].sourcing[0].article = 2,
            &|a| a.events[0].differences[0].sides.clear(),
            &|a| a.utterances[0].fullest = 1,
            &|a| a.utterances[0].alike = vec![1],
            &|a| a.utterances[0].variants[0].words.clear(),
            &|a| a.utterances[0].variants[0].words[0].article = 2,
            &|a| a.utterances[0].variants[0].sentence.block = 1,
            &|a| {
                a.utterances[0].variants[0].occasion =
                    Some(Passage { article: 0, block: 0, start: 3, end: 3 });
            },
            &|a| a.utterances[0].variants[0].kept = vec![(0, 1)],
            &|a| a.utterances[0].sourcing[0].article = 2,
            &|a| a.utterances[0].differences[0].sides[1][0].block = 1,
            &|a| a.claims[0].sourcing[0].origin = Some(1),
            &|a| a.claims[0].sourcing[0].stated.as_mut().unwrap().start = 1,
            &|a| a.claims[0].sentences.clear(),
            &|a| a.claims[0].differences[0].sides.truncate(1),
            &|a| a.spellings[0].truncate(1),
            &|a| a.copies[0].one.article = 1,
            &|a| a.copies[0].other.article = 2,
            &|a| a.copies[0].one.shared = 5,
            &|a| a.copies[0].spans.clear(),
            &|a| a.copies[0].spans[0].0.article = 1,
            &|a| a.copies[0].spans[0].1.start = 1,
        ];
        for (n, bend) in bends.iter().enumerate() {
            assert_eq!(open(bend), no, "bend {n}");
        }
    }

    #[test]
    fn edn_15_an_analysis_is_measured_before_it_is_made() {
        let t = town();
        let open = |stories: Vec<Story>| {
            let (bytes, front) = Bundle { stories, gone: vec![] }.pack();
            t.verify(&Head { front, ..t.head() }).unwrap().front(&bytes).map(|_| ())
        };
        let of = |id: u8, len: usize| {
            let spellings = vec![vec!["M".repeat(len), "Moor".into()]];
            Story { analysis: Analysis { spellings, ..Analysis::default() }, ..story(id, 2) }
        };
        let rest = codec::encode(&of(1, 60_000).analysis).len() - 60_000;
        let no = Err(EditionRejected::Story);
        assert_eq!(
            (open(vec![of(1, MAX_ANALYSIS - rest)]), open(vec![of(1, MAX_ANALYSIS - rest + 1)])),
            (Ok(()), no)
        );
        let full = |n: u8| (0..n).map(|id| of(id, MAX_ANALYSIS - rest)).collect::<Vec<_>>();
        assert_eq!((open(full(64)), open(full(65))), (Ok(()), no), "those of a bundle together");
    }

    /// Six million empty paragraphs are 6 KB on the way.
    #[test]
    fn edn_08_more_than_a_page_is_made_of_is_refused_before_anything_is_made_of_it() {
        let t = town();
        let open = |stories: Vec<Story>, gone: usize| {
            let gone =
                (0..gone).map(|n| StoryId([&[0; 8][..], &n.to_be_bytes()].concat().try_into().unwrap()));
            let (bytes, front) = Bundle { stories, gone: gone.collect() }.pack();
            t.verify(&Head { front, ..t.head() }).unwrap().front(&bytes).map(|_| ())
        };
        let of = |id: u16, articles: usize, blocks: usize| {
            let mut it = story(1, 2);
            it.id.0[..2].copy_from_slice(&id.to_be_bytes());
            it.articles[0].body = vec![Block::Paragraph(String::new()); blocks];
            it.articles = vec![it.articles[0].clone(); articles];
            it
        };
        let no = Err(EditionRejected::Story);
        let stories = |n: u16| (0..n).map(|id| of(id, 1, 1)).collect::<Vec<_>>();
        assert_eq!((open(stories(1_000), 0), open(stories(1_001), 0)), (Ok(()), no));
        assert_eq!((open(vec![], 1_000), open(vec![], 1_001)), (Ok(()), no));
        assert_eq!((open(vec![of(1, 100, 1)], 0), open(vec![of(1, 101, 1)], 0)), (Ok(()), no));
        assert_eq!((open(vec![of(1, 1, 2_000)], 0), open(vec![of(1, 1, 2_001)], 0)), (Ok(()), no));
        let all = of(1, 100, 2_000);
        assert_eq!((open(vec![all.clone()], 0), open(vec![all.clone(), of(2, 1, 1)], 0)), (Ok(()), no));

        // The same of a page that one bundle does not make alone.
        let (bytes, changes) = Bundle { stories: vec![of(2, 1, 1)], gone: vec![] }.pack();
        let page = page_digest(&[all.clone(), of(2, 1, 1)]);
        let edition = t.verify(&Head { changes, page, ..t.head() }).unwrap();
        let page = edition.page(vec![all], edition.changes(&bytes).unwrap());
        assert_eq!(page.map(|_| ()), no);
    }

    #[test]
    fn edn_09_a_head_of_a_round_still_to_come_is_refused() {
        let t = town();
        for (now, want) in [(7, None), (6, None), (5, Some(EditionRejected::Future))] {
            let bytes = sign_head(&t.head(), &t.directory.wire().network, &t.press);
            let head = UnverifiedHead::from_bytes(&bytes).unwrap();
            assert_eq!(head.verify(&t.directory, NOW, Round(now), None).err(), want, "in round {now}");
        }
    }

    #[test]
    fn edn_10_two_manifests_for_one_batch_are_refused() {
        let t = town();
        let (one, other) = (manifest(0, vec![Digest([3; 32])]), manifest(0, vec![Digest([4; 32])]));
        let twice = |a: &Manifest, b: &Manifest| {
            let manifests = vec![t.manifest(a, 0), t.manifest(b, 0)];
            t.verify(&Head { manifests, ..t.head() }).map(|_| ())
        };
        assert_eq!(twice(&one, &other), Err(EditionRejected::ManifestTwice));
        assert_eq!(twice(&one, &one), Err(EditionRejected::ManifestTwice));
        let next = Manifest { batch: BatchId { round: Round(5), part: 1 }, ..other };
        assert_eq!(twice(&one, &next), Ok(()), "another part");
    }

    #[test]
    fn edn_11_a_head_in_another_form_is_refused() {
        let t = town();
        let good = sign_head(&t.head(), &t.directory.wire().network, &t.press);
        let no = Some(EditionRejected::Malformed(Malformed));
        assert_eq!(UnverifiedHead::from_bytes(&[good.as_slice(), &[0]].concat()).err(), no, "one byte more");
        assert_eq!(UnverifiedHead::from_bytes(&good[..good.len() - 1]).err(), no, "one byte less");
        let many = vec![t.manifest(&manifest(0, vec![Digest([3; 32]); 1_000]), 0); 40];
        let long = sign_head(&Head { manifests: many, ..t.head() }, &t.directory.wire().network, &t.press);
        assert!(long.len() > MAX_HEAD);
        assert_eq!(UnverifiedHead::from_bytes(&long).err(), no, "too long");
    }

    #[test]
    fn edn_12_round_keys_are_the_first_mixs_of_rounds_to_come() {
        let mut t = town();
        let network = t.directory.wire().network;
        let keys: Vec<_> = (7..=20).map(|r| t.round_key(r, r)).collect();
        let signed = |keys: &[&MixKey], by: usize| {
            keys.iter().map(|key| Unverified::sign(*key, &network, &t.mixes[by])).collect::<Vec<_>>()
        };
        let verify = |round_keys| t.verify(&Head { round_keys, ..t.head() });
        let good = verify(signed(&[&keys[0], &keys[1], &keys[12]], 0)).unwrap();
        let rounds: Vec<_> = good.round_keys().iter().map(|(round, _)| round.0).collect();
        assert_eq!(rounds, [7, 8, 19]);
        assert_eq!(good.round_keys().get(Round(8)).unwrap().to_bytes(), keys[1].key.to_vec());
        let no = Some(EditionRejected::RoundKey);
        assert_eq!(verify(signed(&[&keys[0]], 1)).err(), no, "signed by another mix");
        assert_eq!(verify(signed(&[&keys[13]], 0)).err(), no, "further ahead than keys are published");
        assert_eq!(verify(signed(&[&keys[1], &keys[0]], 0)).err(), no, "backwards");
        assert_eq!(verify(signed(&[&keys[0], &keys[0]], 0)).err(), no, "twice");
        let other = MixKey { from: Round(8), until: Round(8), ..keys[0].clone() };
        assert_eq!(verify(signed(&[&keys[0], &other], 0)).err(), no, "one key for two rounds");
        let long = MixKey { until: Round(8), ..keys[0].clone() };
        assert_eq!(verify(signed(&[&long], 0)).err(), no, "for two rounds");
        let past = MixKey { from: Round(6), until: Round(6), ..keys[0].clone() };
        assert_eq!(verify(signed(&[&past], 0)).err(), no, "a round that is over");
        let exit = MixKey { hop: 1, from: Round(0), until: Round(167), ..keys[0].clone() };
        assert_eq!(verify(signed(&[&exit], 1)).err(), no, "the exit's");
    }

    #[test]
    fn edn_13_a_roster_is_used_in_its_own_rounds() {
        let t = town();
        let round = Round(100);
        let head = Head { round, ..t.head() };
        let bytes = sign_head(&head, &t.directory.wire().network, &t.press);
        let over = UnverifiedHead::from_bytes(&bytes).unwrap().verify(&t.directory, round, round, None);
        assert_eq!(over.err(), Some(EditionRejected::RosterOver));
    }

    /// One head with two pages, one for who follows and one for who begins: whichever of them it names, nobody is shown the
    /// other.
    #[test]
    fn edn_14_both_bundles_make_the_page_that_the_head_names() {
        let t = town();
        let held = vec![story(1, 3), story(2, 2)];
        let (changes_bytes, changes) =
            Bundle { stories: vec![story(3, 5)], gone: vec![StoryId([1; 16])] }.pack();
        let pages = |whole: Vec<Story>, page: Digest| {
            let (front_bytes, front) = Bundle { stories: whole, gone: vec![] }.pack();
            let edition = t.verify(&Head { changes, front, page, ..t.head() }).unwrap();
            let follows = edition.page(held.clone(), edition.changes(&changes_bytes).unwrap());
            (follows, edition.page(vec![], edition.front(&front_bytes).unwrap()))
        };
        let page = vec![story(3, 5), story(2, 2)];
        let named = page_digest(&page);
        assert_eq!(pages(page.clone(), named), (Ok(page.clone()), Ok(page.clone())));
        let backwards = page.iter().rev().cloned().collect();
        assert_eq!(pages(backwards, named).1, Ok(page.clone()), "the order is the page's, not the bundle's");
        let no = Err(EditionRejected::Page);
        let other = vec![story(3, 5), Story { title: "A bridge falls".into(), ..story(2, 2) }];
        for other in [other, vec![story(3, 5)], vec![story(3, 5), story(2, 2), story(4, 1)]] {
            assert_eq!(pages(other.clone(), named), (Ok(page.clone()), no.clone()));
            assert_eq!(pages(other.clone(), page_digest(&other)), (no.clone(), Ok(other)));
        }
    }

    #[test]
    fn changes_fold_into_the_front_page() {
        let mut front = vec![story(1, 3), story(2, 2)];
        let changed = Story { title: "The bridge closes".into(), ..story(2, 9) };
        let changes = Bundle { stories: vec![changed.clone(), story(3, 5)], gone: vec![StoryId([1; 16])] };
        changes.fold_into(&mut front);
        assert_eq!(front, [changed, story(3, 5)]);
    }
}
