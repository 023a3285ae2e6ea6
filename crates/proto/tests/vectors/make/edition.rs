//! `edition/`: heads, bundles and drops, with the directory they are verified with.

use proto::analysis::{Analysis, Claim, CopyKind, NearCopy, Passage, Side};
use proto::directory::Role;
use proto::edition::{Bundle, BundleRef, Head, MAX_PICTURE, MAX_STORIES, page_digest, sign_head};
use proto::mix::{BatchId, Manifest};
use proto::sign::{IdentitySecret, Unverified};
use proto::size::PASS;
use proto::story::{
    Article, ArticleId, Block, Extent, Grain, MAX_ARTICLES, MAX_BLOCKS, Media, Picture, Story, StoryId, When,
};
use proto::{Digest, Millis, Round, codec};

use super::directory::Town;
use super::folded;
use crate::case::Case;

/// Asked for as edition 300, in round 300, by somebody who holds the head before.
const ROUND: Round = Round(300);
const PREVIOUS: Digest = Digest([0x88; 32]);

/// One article, published in round 277.
pub(super) fn story() -> Story {
    let article = Article {
        id: ArticleId([0xa1; 16]),
        outlet: "The Herald".into(),
        title: "Bridge opens a year late".into(),
        byline: None,
        published: Some(When { unix: 1_791_000_000, grain: Grain::Minute }),
        url: Some("https://herald.example/bridge".into()),
        body: vec![Block::Heading("A year late".into()), Block::Paragraph("It opened on Monday.".into())],
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    };
    Story {
        id: StoryId([0xa2; 16]),
        title: "Bridge opens a year late".into(),
        articles: vec![article],
        analysis: Analysis::default(),
    }
}

pub(super) fn exits(outputs: Vec<Digest>) -> Manifest {
    Manifest {
        batch: BatchId { round: Round(298), part: 0 },
        hop: 0,
        inputs: vec![Digest([0x66; 32])],
        count_in: 40,
        count_out: 2,
        outputs,
        deleted: 0,
        alarm: false,
    }
}

pub(super) struct Press {
    pub(super) town: Town,
}

impl Press {
    pub(super) fn head(&self) -> Head {
        let nothing = Bundle::default().pack().1;
        Head {
            round: ROUND,
            previous: PREVIOUS,
            made: Millis(1_791_080_000_000),
            directory: Digest::of(&self.town.bare()),
            changes: nothing,
            front: nothing,
            page: page_digest(&[]),
            manifests: vec![],
            round_keys: vec![],
        }
    }

    pub(super) fn manifest(&self, manifest: &Manifest, by: &IdentitySecret) -> Unverified<Manifest> {
        Unverified::sign(manifest, &self.town.network(), by)
    }

    pub(super) fn with_drops(&self, desk: &[u8], reader: &[u8]) -> Head {
        let manifest = exits(vec![Digest::of(desk), Digest::of(reader)]);
        Head { manifests: vec![self.manifest(&manifest, &self.town.mix)], ..self.head() }
    }

    pub(super) fn served(&self, head: &Head) -> Vec<u8> {
        sign_head(head, &self.town.network(), &self.town.press)
    }

    fn bytes(&self, path: &str, expect: &str, check: &str, note: &str, head: &[u8]) -> Case {
        self.of(path, expect, check, note, head, ROUND)
    }

    fn of(&self, path: &str, expect: &str, check: &str, note: &str, head: &[u8], now: Round) -> Case {
        self.stated(path, expect, check, note, &hex::encode(head), now)
    }

    fn stated(&self, path: &str, expect: &str, check: &str, note: &str, head: &str, now: Round) -> Case {
        Case::new(&format!("edition/{path}"), expect, check, note)
            .hex("network", self.town.network().0)
            .hex("directory", self.town.bare())
            .with("asked", ROUND)
            .with("now", now)
            .with("previous", PREVIOUS)
            .with("head", head)
    }

    /// A head in the first round after the roster's last.
    fn over(&self, path: &str, note: &str) -> Case {
        let round = Round(8_761);
        let head = self.served(&Head { round, ..self.head() });
        Case::new(&format!("edition/{path}"), "roster over", "EDN-13", note)
            .hex("network", self.town.network().0)
            .hex("directory", self.town.bare())
            .with("asked", round)
            .with("now", round)
            .with("previous", PREVIOUS)
            .hex("head", head)
    }

    /// A head that names a directory whose roster, its press with it, begins with the next round.
    fn not_begun(&self, path: &str, note: &str) -> Case {
        let mut town = Town::new();
        let next = Round(ROUND.0 + 1);
        town.roster.from = next;
        town.roster.operators.iter_mut().filter(|o| o.role == Role::Press).for_each(|o| o.since = next);
        let later = Self { town };
        later.case(path, "signature", "EDN-01", note, &later.head())
    }

    pub(super) fn case(&self, path: &str, expect: &str, check: &str, note: &str, head: &Head) -> Case {
        self.bytes(path, expect, check, note, &self.served(head))
    }

    pub(super) fn bundle(&self, path: &str, expect: &str, check: &str, note: &str, story: Story) -> Case {
        self.stories(path, expect, check, note, vec![story])
    }

    pub(super) fn stories(
        &self,
        path: &str,
        expect: &str,
        check: &str,
        note: &str,
        stories: Vec<Story>,
    ) -> Case {
        let page = page_digest(&stories);
        let (bytes, front) = Bundle { stories, gone: vec![StoryId([0xa3; 16])] }.pack();
        self.case(path, expect, check, note, &Head { front, page, ..self.head() }).hex("front", bytes)
    }
}

/// The desk drop.
pub(super) fn shared() -> Vec<(&'static str, Vec<u8>)> {
    vec![("desk-drop", vec![0x55; 7_008 + 2 * PASS])]
}

pub(super) fn cases() -> Vec<Case> {
    let p = Press { town: Town::new() };
    let mut cases = heads(&p);
    cases.extend(bundles(&p));
    cases.extend(numbers(&p));
    cases.extend(pages(&p));
    cases.extend(super::manifests::cases(&p));
    cases.extend(super::analysis::cases(&p));
    cases.extend(super::pages::cases(&p));
    cases
}

fn heads(p: &Press) -> Vec<Case> {
    let good = p.served(&p.head());
    let mut bent = good.clone();
    bent[60] ^= 1;
    let by_mix = sign_head(&p.head(), &p.town.network(), &p.town.mix);
    let longer = [good.as_slice(), &[0]].concat();
    vec![
        p.case("head", "success", "EDN-01", "nothing new", &p.head()).with("digest", Digest::of(&good)),
        p.bytes("edn-01-signer", "signature", "EDN-01", "signed by a mix", &by_mix),
        p.bytes("edn-01-bit", "signature", "EDN-01", "one bit flipped", &bent),
        p.not_begun("edn-01-not-begun", "a roster whose press begins with the next round"),
        p.case(
            "edn-02-round",
            "round",
            "EDN-02",
            "the head of another round",
            &Head { round: Round(299), ..p.head() },
        ),
        p.case(
            "edn-03-previous",
            "previous",
            "EDN-03",
            "it follows another head",
            &Head { previous: Digest([0x89; 32]), ..p.head() },
        ),
        p.case(
            "edn-04-directory",
            "directory",
            "EDN-04",
            "it names another directory",
            &Head { directory: Digest([0x89; 32]), ..p.head() },
        ),
        p.over("edn-13-over", "a roster whose last round was the one before"),
        to_come().case(
            "edn-13-not-begun",
            "roster over",
            "EDN-13",
            "a roster that begins with the next round",
            &to_come().head(),
        ),
        long_head(p),
        p.of("edn-09-grace", "success", "EDN-09", "one round ahead of the clock", &good, Round(299))
            .with("digest", Digest::of(&good)),
        p.of("edn-09-future", "future", "EDN-09", "two rounds ahead of the clock", &good, Round(298)),
        p.bytes("edn-11-longer", "malformed", "EDN-11", "a byte left over", &longer),
        p.bytes("edn-11-shorter", "malformed", "EDN-11", "a byte short", &good[..good.len() - 1]),
    ]
}

/// A roster that begins with the next round, though its press is there already.
fn to_come() -> Press {
    let mut town = Town::new();
    town.roster.from = Round(ROUND.0 + 1);
    Press { town }
}

/// A head of more than 1 MiB: one manifest with many inputs, each of them the same.
fn long_head(p: &Press) -> Case {
    let input = Digest([0x66; 32]);
    let manifest = Manifest { inputs: vec![input; 31_000], ..exits(vec![Digest([1; 32]), Digest([2; 32])]) };
    let head = p.served(&Head { manifests: vec![p.manifest(&manifest, &p.town.mix)], ..p.head() });
    let (note, head) =
        ("a head of more than 1 MiB: 31,000 inputs of a batch", folded(&head, &codec::encode(&input)));
    p.stated("edn-11-long", "malformed", "EDN-11", note, &head, ROUND)
}

/// A story whose analysis names a paragraph of 8 KiB so often.
fn reaching(often: usize) -> Story {
    let mut story = story();
    story.articles[0].body = vec![Block::Paragraph("The bridge opened. ".repeat(432)[..8_192].into())];
    let mut analysis = claim(8_192);
    analysis.claims[0].sentences = vec![analysis.claims[0].sentences[0]; often];
    Story { analysis, ..story }
}

fn bundles(p: &Press) -> Vec<Case> {
    let (bytes, front) = Bundle { stories: vec![story()], gone: vec![] }.pack();
    let named = Head { front, ..p.head() };
    let mut bent = bytes.clone();
    bent[12] ^= 1;
    let odd = zstd::bulk::compress(&[0x82, 0x80, 0x80, 0x00], 9).expect("memory is all it needs");
    let odd_ref = BundleRef { digest: Digest::of(&odd), len: odd.len() as u32 };
    let not_zstd = b"stories".to_vec();
    let not_ref = BundleRef { digest: Digest::of(&not_zstd), len: 7 };
    let picture = Picture {
        media: Media::Png,
        width: 8,
        height: 8,
        alt: "A bridge".into(),
        credit: None,
        bytes: vec![0; MAX_PICTURE + 1],
    };
    let with = |bend: &dyn Fn(&mut Article)| {
        let mut story = story();
        bend(&mut story.articles[0]);
        story
    };
    vec![
        p.bundle("front", "success", "EDN-06", "one story", story()).with("stories", 1).with("gone", 1),
        p.case("edn-06-bit", "bundle", "EDN-06", "one bit flipped", &named).hex("front", bent),
        p.case("edn-06-short", "bundle", "EDN-06", "one byte short", &named)
            .hex("front", &bytes[..bytes.len() - 1]),
        p.case(
            "edn-06-not-zstd",
            "bundle",
            "EDN-06",
            "named, but not packed",
            &Head { front: not_ref, ..p.head() },
        )
        .hex("front", not_zstd),
        p.case(
            "edn-11-bundle",
            "malformed",
            "EDN-11",
            "named, but a byte is left over",
            &Head { front: odd_ref, ..p.head() },
        )
        .hex("front", odd),
        p.bundle(
            "edn-08-no-article",
            "story",
            "EDN-08",
            "a story without an article",
            Story { articles: vec![], ..story() },
        ),
        p.bundle(
            "edn-08-address",
            "story",
            "EDN-08",
            "an address that is a script",
            with(&|a| a.url = Some("javascript:alert(1)".into())),
        ),
        p.bundle(
            "edn-08-picture",
            "story",
            "EDN-08",
            "a picture of 20,481 bytes",
            with(&|a| a.picture = Some(picture.clone())),
        ),
        p.bundle(
            "edn-15-passage",
            "story",
            "EDN-15",
            "an analysis with a passage that ends within a letter",
            Story { analysis: claim(11), ..accented() },
        ),
        p.bundle(
            "analysis",
            "success",
            "EDN-15",
            "the same that ends behind it",
            Story { analysis: claim(12), ..accented() },
        )
        .with("stories", 1)
        .with("gone", 1),
        p.bundle("copies", "success", "EDN-15", "two articles that share three words", copied(3))
            .with("stories", 1)
            .with("gone", 1),
        p.bundle(
            "edn-15-shared",
            "story",
            "EDN-15",
            "an article that shares four of its three words",
            copied(4),
        ),
        p.bundle("reach", "success", "EDN-15", "passages of 8 MiB in all", reaching(1_024))
            .with("stories", 1)
            .with("gone", 1),
        p.bundle("edn-15-reach", "story", "EDN-15", "passages of 8 MiB and 8 KiB in all", reaching(1_025)),
        p.stories(
            "edn-08-twice",
            "story",
            "EDN-08",
            "two stories under one id",
            vec![story(), with(&|a| a.title = "Bridge opens".into())],
        ),
    ]
}

/// A story whose text ends with a letter of two bytes, and an analysis with one claim, whose words are the first `end` bytes.
fn accented() -> Story {
    let mut story = story();
    story.articles[0].body = vec![Block::Paragraph("At the café".into())];
    story
}

fn claim(end: u32) -> Analysis {
    let words = Passage { article: 0, block: 0, start: 0, end };
    let claim = Claim { sentences: vec![words], sourcing: vec![], differences: vec![] };
    Analysis { claims: vec![claim], ..Analysis::default() }
}

/// A story whose two articles are one text, of which the first is said to share so many words.
fn copied(shared: u32) -> Story {
    let mut story = accented();
    story.articles.push(Article {
        id: ArticleId([0xa2; 16]),
        outlet: "The Echo".into(),
        opinion: Some("Comment".into()),
        ..story.articles[0].clone()
    });
    let [one, other] = [0, 1].map(|article| Passage { article, block: 0, start: 0, end: 12 });
    let copy = NearCopy {
        kind: CopyKind::Verbatim,
        one: Side { article: 0, words: 3, shared },
        other: Side { article: 1, words: 3, shared: 3 },
        spans: vec![(one, other)],
    };
    story.analysis = Analysis { copies: vec![copy], ..Analysis::default() };
    story
}

/// How much a bundle may be made of: numbers that weigh nothing on the way.
fn numbers(p: &Press) -> Vec<Case> {
    let of = |id: u16, articles: usize, blocks: usize| {
        let mut it = story();
        it.id.0[..2].copy_from_slice(&id.to_be_bytes());
        it.articles[0].body = vec![Block::Paragraph(String::new()); blocks];
        it.articles = vec![it.articles[0].clone(); articles];
        it
    };
    let case = |path: &str, note: &str, stories| p.stories(path, "story", "EDN-08", note, stories);
    let most = vec![of(0, MAX_ARTICLES, MAX_BLOCKS)];
    let gone =
        (0..=MAX_STORIES as u64).map(|n| StoryId([n.to_be_bytes(); 2].concat().try_into().expect("16")));
    let gone: Vec<_> = gone.collect();
    let ids = 0..MAX_STORIES as u16;
    let all = Bundle { stories: ids.map(|id| of(id, 1, 1)).collect(), gone: gone[1..].to_vec() };
    let page = page_digest(&all.stories);
    let (most_bytes, most_front) = all.pack();
    let (bytes, front) = Bundle { stories: vec![], gone }.pack();
    vec![
        p.case(
            "most-stories",
            "success",
            "EDN-08",
            "1,000 stories that come, and 1,000 that go",
            &Head { front: most_front, page, ..p.head() },
        )
        .hex("front", most_bytes)
        .with("stories", MAX_STORIES)
        .with("gone", MAX_STORIES),
        p.stories("most-blocks", "success", "EDN-08", "100 articles of 2,000 blocks each", most.clone())
            .with("stories", 1)
            .with("gone", 1),
        case("edn-08-blocks", "an article of 2,001 blocks", vec![of(0, 1, MAX_BLOCKS + 1)]),
        case("edn-08-all-blocks", "200,001 blocks in all", [most, vec![of(1, 1, 1)]].concat()),
        case("edn-08-articles", "a story of 101 articles", vec![of(0, MAX_ARTICLES + 1, 1)]),
        case("edn-08-stories", "1,001 stories", (0..=MAX_STORIES as u16).map(|id| of(id, 1, 1)).collect()),
        p.case("edn-08-gone", "story", "EDN-08", "1,001 stories that go", &Head { front, ..p.head() })
            .hex("front", bytes),
    ]
}

/// One front page, from the whole of it or from the one held and its changes.
fn pages(p: &Press) -> Vec<Case> {
    let held = vec![story()];
    let mut newer = Story { id: StoryId([0xa4; 16]), ..story() };
    newer.articles[0].published = Some(When { unix: 1_791_000_060, grain: Grain::Minute });
    let page = [newer.clone(), story()];
    let (changes_bytes, changes) = Bundle { stories: vec![newer.clone()], gone: vec![] }.pack();
    let (front_bytes, front) = Bundle { stories: vec![newer], gone: vec![] }.pack();
    let case = |path: &str, expect: &str, note: &str, page: &[Story]| {
        let head = Head { changes, front, page: page_digest(page), ..p.head() };
        p.case(path, expect, "EDN-14", note, &head)
    };
    let follows = |case: Case| case.hex("held", codec::encode(&held)).hex("changes", &changes_bytes);
    vec![
        follows(case("changes", "success", "a story added to the one held", &page)).with("stories", 2),
        follows(case(
            "edn-14-changes",
            "page",
            "changes that make another page than the named one, which is the whole one's",
            &page[..1],
        )),
        case(
            "edn-14-front",
            "page",
            "a whole page that is another than the named one, which is what the changes make",
            &page,
        )
        .hex("front", front_bytes)
        .with("gone", 0),
    ]
}
