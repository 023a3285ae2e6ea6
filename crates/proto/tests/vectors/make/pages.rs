//! `edition/`: bundles as they are packed and written, and the page that one makes (EDN-06, EDN-08, EDN-11, EDN-14).

use proto::edition::{Bundle, BundleRef, Head, MAX_BUNDLE, MAX_PACKED, MAX_PICTURE, page_digest};
use proto::story::{Article, Block, Grain, Media, Picture, Story, StoryId, When};
use proto::{Digest, codec};

use super::edition::{Press, story};
use crate::case::Case;

pub(super) fn cases(p: &Press) -> Vec<Case> {
    let mut cases = orders(p);
    cases.extend(changes(p));
    cases.extend(packing(p));
    cases.extend(encoding(p));
    cases
}

/// A story with an article for each of these times.
fn at(id: u8, times: &[Option<When>]) -> Story {
    let one = &story().articles[0];
    let articles = times.iter().map(|at| Article { published: *at, ..one.clone() }).collect();
    Story { id: StoryId([id; 16]), articles, ..story() }
}

fn minute(unix: i64) -> Option<When> {
    Some(When { unix, grain: Grain::Minute })
}

/// Whole pages whose stories come in another order than they are shown in.
fn orders(p: &Press) -> Vec<Case> {
    let case = |path: &str, note: &str, first: Story, second: Story| {
        let page = page_digest(&[first.clone(), second.clone()]);
        let (bytes, front) = Bundle { stories: vec![second, first], gone: vec![] }.pack();
        p.case(&format!("order-{path}"), "success", "EDN-14", note, &Head { front, page, ..p.head() })
            .hex("front", bytes)
            .with("stories", 2)
            .with("gone", 0)
    };
    let day = Some(When { unix: 86_400, grain: Grain::Day });
    vec![
        case(
            "newest",
            "a story is as new as the newest of its articles, which stands between two others",
            at(2, &[minute(60), minute(240), minute(120)]),
            at(1, &[minute(180), minute(180)]),
        ),
        case("id", "two of one minute: the lower id first", at(1, &[minute(60)]), at(2, &[minute(60)])),
        case(
            "grain",
            "of a minute and a day that begins with it the minute",
            at(2, &[minute(86_400)]),
            at(1, &[day]),
        ),
        case(
            "before-1970",
            "a time before 1970, and one long before",
            at(2, &[minute(-60)]),
            at(1, &[minute(-120)]),
        ),
        case("no-time", "a story without a time comes last", at(2, &[minute(-60), None]), at(1, &[None])),
    ]
}

/// What changes make of the page held.
fn changes(p: &Press) -> Vec<Case> {
    let [one, two] = [at(1, &[minute(60)]), at(2, &[minute(120)])];
    let renamed = Story { title: "A bridge opened".into(), ..one.clone() };
    let case = |path: &str, note: &str, stories: &[&Story], gone: &[&Story], page: &[&Story]| {
        let all = |stories: &[&Story]| stories.iter().copied().cloned().collect::<Vec<_>>();
        let gone = gone.iter().map(|story| story.id).collect();
        let (bytes, changes) = Bundle { stories: all(stories), gone }.pack();
        let head = Head { changes, page: page_digest(&all(page)), ..p.head() };
        p.case(&format!("changes-{path}"), "success", "EDN-14", note, &head)
            .hex("held", codec::encode(&vec![two.clone(), one.clone()]))
            .hex("changes", bytes)
            .with("stories", page.len())
    };
    let unknown = at(3, &[None]);
    vec![
        case("gone", "a story goes", &[], &[&two], &[&one]),
        case(
            "replaced",
            "a story under an id that is held: it takes the other's place",
            &[&renamed],
            &[],
            &[&two, &renamed],
        ),
        case("back", "a story goes, and comes under its id", &[&renamed], &[&one], &[&two, &renamed]),
        case("gone-unknown", "a story goes that is not held", &[], &[&unknown], &[&two, &one]),
    ]
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 9).expect("memory is all it needs")
}

/// A frame that says nothing. RFC 8878 §3.1.2.
fn skippable(length: u32) -> Vec<u8> {
    [0x184d_2a50u32.to_le_bytes(), length.to_le_bytes()].concat()
}

fn packing(p: &Press) -> Vec<Case> {
    let stories = vec![story()];
    let plain = codec::encode(&Bundle { stories: stories.clone(), gone: vec![] });
    let (one, other) = plain.split_at(plain.len() / 2);
    let page = page_digest(&stories);
    let named = |bytes: &[u8], len: usize| BundleRef { digest: Digest::of(bytes), len: len as u32 };
    let case = |path: &str, expect: &str, note: &str, bytes: &[u8]| {
        let head = Head { front: named(bytes, bytes.len()), page, ..p.head() };
        p.case(path, expect, "EDN-06", note, &head)
    };
    let good = |path: &str, note: &str, bytes: &[u8]| {
        case(path, "success", note, bytes).hex("front", bytes).with("stories", 1).with("gone", 0)
    };
    let bad = |path: &str, note: &str, bytes: &[u8]| case(path, "bundle", note, bytes).hex("front", bytes);
    let packed = zstd(&plain);
    let with = |bytes: &[u8]| [packed.as_slice(), bytes].concat();
    let padded = |length: usize| {
        let (front, rest) = (with(&skippable(length as u32)), length);
        let text = format!("{} {rest}*00", hex::encode(&front));
        (([front, vec![0; rest]]).concat(), text)
    };
    let room = MAX_PACKED - packed.len() - 8;
    let (most, most_text) = padded(room);
    let (more, more_text) = padded(room + 1);
    let longer = Head { front: named(&packed, packed.len() + 1), page, ..p.head() };
    let mut long = story();
    long.articles[0].body = vec![Block::Paragraph("a".repeat(MAX_BUNDLE))];
    let picture = Picture {
        media: Media::Webp,
        width: 640,
        height: 65_535,
        alt: "A bridge".into(),
        credit: Some("Ann Lee".into()),
        bytes: vec![0; MAX_PICTURE],
    };
    let mut full = story();
    full.articles[0] = Article {
        byline: Some("Ann Lee".into()),
        url: Some("http://herald.example".into()),
        picture: Some(picture),
        credit: Some("Wire".into()),
        opinion: Some("Comment".into()),
        ..full.articles[0].clone()
    };
    vec![
        good("two-frames", "packed in two frames", &[zstd(one), zstd(other)].concat()),
        good("skippable", "with a frame that says nothing before it and behind it", &{
            let nothing = [skippable(3), vec![9; 3]].concat();
            [nothing.as_slice(), &packed, &nothing].concat()
        }),
        bad("edn-06-behind", "a byte behind the frame", &with(&[0])),
        bad("edn-06-cut-frame", "the beginning of a frame behind the frame", &with(&packed[..9])),
        case("most-packed", "success", "8 MiB, most of them in a frame that says nothing", &most)
            .with("front", most_text)
            .with("stories", 1)
            .with("gone", 0),
        case("edn-06-packed", "bundle", "8 MiB and a byte", &more).with("front", more_text),
        p.case("edn-06-length", "bundle", "EDN-06", "of the digest named, and a byte shorter than named", &longer)
            .hex("front", &packed),
        p.stories("edn-06-unpacked", "bundle", "EDN-06", "it unpacks to more than 32 MiB", vec![long]),
        p.bundle(
            "full",
            "success",
            "EDN-08",
            "an article with everything that may be absent, its address without TLS, its picture of 20,480 bytes",
            full,
        )
        .with("stories", 1)
        .with("gone", 1),
    ]
}

/// Bundles in another form than the one encoding.
fn encoding(p: &Press) -> Vec<Case> {
    let mut odd = story();
    odd.articles[0].body = vec![Block::Caption("A bridge".into())];
    let plain = codec::encode(&Bundle { stories: vec![odd], gone: vec![] });
    let named = |path: &str, note: &str, bent: &[u8]| {
        let bytes = zstd(bent);
        let front = BundleRef { digest: Digest::of(&bytes), len: bytes.len() as u32 };
        let head = Head { front, ..p.head() };
        p.case(&format!("edn-11-{path}"), "malformed", "EDN-11", note, &head).hex("front", bytes)
    };
    let find =
        |bytes: &[u8]| plain.windows(bytes.len()).position(|there| there == bytes).expect("it stands there");
    let case = |path: &str, note: &str, from: &[u8], to: &[u8]| {
        let at = find(from);
        named(path, note, &[&plain[..at], to, &plain[at + from.len()..]].concat())
    };
    // The end of the article, whose last field, what marks opinion, is absent; behind it comes the analysis.
    let end = [0xf6, 0xf6, 0x00, 0x86];
    // The article: a record of ten fields, of which the first is its id. One more says that nothing is there.
    let (begin, extent) = (find(&[0x8a, 0x81, 0x50]), find(&end) + 3);
    let null = [&plain[..begin], &[0x8b], &plain[begin + 1..extent], &[0xf6], &plain[extent..]].concat();
    let id = |length: u8| [vec![0x40 + length], vec![0xa2; usize::from(length)]].concat();
    vec![
        named("null", "an absent field at the end is written", &null),
        named("indefinite", "an array without a length", &[&[0x9f], &plain[1..], &[0xff]].concat()),
        case("choice", "a block of kind 3", &[0x82, 0x02, 0x81, 0x68], &[0x82, 0x03, 0x81, 0x68]),
        case("kind", "an extent of 2", &end, &[0xf6, 0xf6, 0x02, 0x86]),
        case("id", "a story's id of 15 bytes", &id(16), &id(15)),
        case("text", "a text that is not UTF-8", b"A bridge", b"A bridg\xff"),
    ]
}
