//! `edition/`: an analysis with everything that one can have, and the same with one thing wrong (EDN-15).

use proto::analysis::{
    Analysis, Anchor, Claim, CopyKind, Difference, Event, Grain, MAX_ANALYSIS, Mention, NearCopy, Origin,
    OriginKind, Passage, Point, Side, Sourcing, Speaker, Status, Utterance, Variant,
};
use proto::codec;
use proto::story::{Article, ArticleId, Block, Story, StoryId};

use super::edition::{Press, story};
use crate::case::Case;

/// The one paragraph of both articles.
const TEXT: &str = "\u{201c}It opens on Monday,\u{201d} the mayor said at the caf\u{e9}. It did.";

/// Some of its words, in this article.
fn words(article: u32, words: &str) -> Passage {
    let start = TEXT.find(words).expect("they stand in it") as u32;
    Passage { article, block: 0, start, end: start + words.len() as u32 }
}

fn sides(point: Point) -> Difference {
    Difference { point, sides: vec![vec![words(0, "Monday")], vec![words(1, "Monday"), words(1, "It did.")]] }
}

fn sourcing() -> Vec<Sourcing> {
    vec![
        Sourcing { article: 0, origin: Some(0), stated: Some(words(0, "the mayor said")) },
        Sourcing { article: 1, origin: None, stated: None },
        Sourcing { article: 1, origin: Some(9), stated: None },
    ]
}

fn event(first: i32, last: i32, grain: Grain, status: Status, anchor: Anchor) -> Event {
    let mention = Mention { sentence: words(0, "It did."), phrase: words(1, "on Monday"), anchor };
    let differences = vec![sides(Point::Date), sides(Point::Number)];
    Event { first, last, grain, status, mentions: vec![mention], sourcing: sourcing(), differences }
}

fn variant(article: u32, speaker: Speaker) -> Variant {
    Variant {
        words: vec![words(article, "It opens on Monday,"), words(article, "the caf\u{e9}")],
        sentence: words(article, TEXT),
        speaker,
        addressee: None,
        occasion: None,
        kept: vec![],
    }
}

/// Every kind of row, with everything that may be absent once there and once not.
fn analysis() -> Analysis {
    let longest = Variant {
        addressee: Some(words(0, "the mayor")),
        occasion: Some(words(0, "at the caf\u{e9}")),
        ..variant(0, Speaker::Named("Ann Lee".into()))
    };
    // Of "It opens on Monday, the café" the first four words, nothing, and the last two.
    let shorter =
        Variant { kept: vec![(0, 19), (19, 19), (20, 29)], ..variant(1, Speaker::Role("mayor".into())) };
    let unnamed = variant(1, Speaker::Unnamed("an official".into()));
    let said = |variants: Vec<Variant>, alike| Utterance {
        variants,
        fullest: 0,
        alike: vec![alike],
        sourcing: sourcing(),
        differences: vec![sides(Point::Wording), sides(Point::Speaker)],
    };
    let kinds = [
        OriginKind::Document,
        OriginKind::Interview,
        OriginKind::Record,
        OriginKind::Public,
        OriginKind::Own,
        OriginKind::Report,
        OriginKind::Agency,
        OriginKind::Unnamed,
        OriginKind::Text,
        OriginKind::Opinion,
    ];
    let copy = |kind, shared| NearCopy {
        kind,
        one: Side { article: 0, words: 11, shared: 11 },
        other: Side { article: 1, words: 11, shared },
        spans: vec![(words(0, "It did."), words(1, "It did.")), (words(0, "Monday"), words(1, "Monday"))],
    };
    Analysis {
        events: vec![
            event(20_729, 20_730, Grain::Day, Status::Planned, Anchor::Publication),
            event(-3_650, -1, Grain::Year, Status::Happened, Anchor::Stated),
            event(0, 0, Grain::Season, Status::Uncertain, Anchor::Narrative),
            event(31, 58, Grain::Month, Status::NotHappened, Anchor::Stated),
            event(60, 66, Grain::Week, Status::Happened, Anchor::Stated),
        ],
        utterances: vec![
            said(vec![longest, shorter, unnamed], 1),
            said(vec![variant(0, Speaker::Unknown), variant(1, Speaker::Document("the minutes".into()))], 0),
        ],
        claims: vec![Claim {
            sentences: vec![words(0, "It did."), words(1, "It did.")],
            sourcing: sourcing(),
            differences: vec![
                sides(Point::Status),
                sides(Point::Certainty),
                sides(Point::Scope),
                sides(Point::Role),
            ],
        }],
        origins: kinds.map(|kind| Origin { kind, name: "The minutes".into() }).into(),
        spellings: vec![vec!["Ann Lee".into(), "Anne Lee".into()]],
        copies: vec![copy(CopyKind::Verbatim, 11), copy(CopyKind::Passage, 9), copy(CopyKind::Quotes, 4)],
    }
}

fn told(analysis: Analysis) -> Story {
    let mut story = story();
    story.articles[0].body = vec![Block::Paragraph(TEXT.into())];
    let second =
        Article { id: ArticleId([0xa2; 16]), outlet: "The Echo".into(), ..story.articles[0].clone() };
    story.articles.push(second);
    Story { analysis, ..story }
}

/// An analysis of so many bytes.
fn weighing(bytes: usize) -> Analysis {
    let of =
        |length| Analysis { spellings: vec![vec!["a".repeat(length), "b".into()]], ..Analysis::default() };
    let more = bytes - codec::encode(&of(1_000)).len();
    of(1_000 + more)
}

/// A fault: its name, what it is, and how it is made.
type Bend = (&'static str, &'static str, fn(&mut Analysis));

const FAULTS: [Bend; 27] = [
    ("article", "a passage in an article that is not there", |a| a.claims[0].sentences[0].article = 2),
    ("block", "a passage in a block that is not there", |a| a.claims[0].sentences[0].block = 1),
    ("empty", "a passage without a byte", |a| a.claims[0].sentences[0].end = a.claims[0].sentences[0].start),
    ("backwards", "a passage that ends before it begins", |a| a.claims[0].sentences[0].end = 1),
    ("beyond", "a passage that ends behind its block", |a| {
        a.claims[0].sentences[0].end = TEXT.len() as u32 + 1;
    }),
    ("mention-sentence", "a mention's sentence beyond its block", |a| {
        a.events[0].mentions[0].sentence.end = 1_000;
    }),
    ("mention-words", "the words of a time beyond their block", |a| {
        a.events[0].mentions[0].phrase.end = 1_000;
    }),
    ("words", "exact words beyond their block", |a| a.utterances[0].variants[0].words[1].end = 1_000),
    ("variant-sentence", "a variant's sentence beyond its block", |a| {
        a.utterances[0].variants[0].sentence.end = 1_000;
    }),
    ("told", "who was told, beyond the block", |a| {
        a.utterances[0].variants[1].addressee = Some(words(2, "the mayor"));
    }),
    ("occasion", "an occasion beyond the block", |a| {
        a.utterances[0].variants[1].occasion = Some(words(2, "Monday"));
    }),
    ("stated", "an origin stated in an article that is not there", |a| {
        a.claims[0].sourcing[1].stated = Some(words(2, "Monday"));
    }),
    ("side", "a side of a difference in an article that is not there", |a| {
        a.claims[0].differences[0].sides[1][0].article = 2;
    }),
    ("sourcing-article", "a sourcing of an article that is not there", |a| {
        a.events[0].sourcing[1].article = 2;
    }),
    ("origin", "an origin that is not there", |a| a.utterances[0].sourcing[0].origin = Some(10)),
    ("longest", "the longest of three variants is the fourth", |a| a.utterances[0].fullest = 3),
    ("alike", "an utterance that is like the third of two", |a| a.utterances[0].alike = vec![2]),
    ("kept", "a variant keeps what is behind the longest's words", |a| {
        a.utterances[0].variants[1].kept[0] = (0, 31);
    }),
    ("kept-letter", "a variant keeps half a letter of the longest's words", |a| {
        a.utterances[0].variants[1].kept[2].1 = 28;
    }),
    ("days", "an event whose last day is before its first", |a| a.events[0].last = 20_728),
    ("no-mention", "an event without a mention", |a| a.events[0].mentions.clear()),
    ("no-words", "a variant without exact words", |a| a.utterances[0].variants[1].words.clear()),
    ("no-sentence", "a claim without a sentence", |a| a.claims[0].sentences.clear()),
    ("one-side", "a difference with one side", |a| drop(a.claims[0].differences[0].sides.pop())),
    ("one-spelling", "a name in one spelling", |a| drop(a.spellings[0].pop())),
    ("copy-articles", "a near copy of an article and itself", |a| {
        a.copies[0].other.article = 0;
        a.copies[0].spans = vec![(words(0, "Monday"), words(0, "It did."))];
    }),
    ("copy-order", "a near copy whose second article comes first", |a| {
        let copy = &mut a.copies[0];
        std::mem::swap(&mut copy.one, &mut copy.other);
        copy.spans.iter_mut().for_each(|(one, other)| std::mem::swap(one, other));
    }),
];

const COPIES: [Bend; 4] = [
    ("copy-article", "a near copy with an article that is not there", |a| a.copies[0].other.article = 2),
    ("copy-span", "a span of a near copy in the wrong one of its articles", |a| {
        a.copies[0].spans[1].1.article = 0;
    }),
    ("copy-span-beyond", "a span of a near copy beyond its block", |a| a.copies[0].spans[1].0.end = 1_000),
    ("no-span", "a near copy without a span", |a| a.copies[0].spans.clear()),
];

pub(super) fn cases(p: &Press) -> Vec<Case> {
    let good = |path: &str, note: &str, stories: Vec<Story>| {
        let count = stories.len();
        p.stories(path, "success", "EDN-15", note, stories).with("stories", count).with("gone", 1)
    };
    let bad = |path: &str, note: &str, stories| {
        p.stories(&format!("edn-15-{path}"), "story", "EDN-15", note, stories)
    };
    let heavy = |n: u8| Story { id: StoryId([n; 16]), ..told(weighing(MAX_ANALYSIS)) };
    let many = |n: u8| (0..n).map(heavy).collect::<Vec<_>>();
    let mut cases = vec![
        good("everything", "an analysis with every kind of row", vec![told(analysis())]),
        good("heavy", "64 analyses of 65,536 bytes, 4 MiB in all", many(64)),
        bad("heavy", "an analysis of 65,537 bytes", vec![told(weighing(MAX_ANALYSIS + 1))]),
        bad("heavy-all", "64 analyses of 65,536 bytes, and one of 7", [many(64), vec![story()]].concat()),
    ];
    for (path, note, bend) in FAULTS.iter().chain(&COPIES) {
        let mut analysis = analysis();
        bend(&mut analysis);
        cases.push(bad(path, note, vec![told(analysis)]));
    }
    cases
}
