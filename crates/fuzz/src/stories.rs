//! What becomes a story: coverage from outside on its way into the press, and bundles on their way into a reader. In the end both
//! stand on a page, where they are letters and nothing else.

use jiff::civil::Date;
use news::group::Grouper;
use news::name::Names;
use news::quote::{Who, quotes};
use news::utterance::{Line, utterances};
use news::{Document, LONGEST_BODY, Span, date, sidecar::Sidecar};
use press::fetch::{self, Robots};
use press::gather::{Gather, Inputs, MAX_SIDE, SIDECAR};
use press::opml;
use press::rules::Rules;
use proto::analysis::{Analysis, MAX_ANALYSIS};
use proto::codec;
use proto::edition::{
    Bundle, BundleRef, Head, MAX_BUNDLE, MAX_BUNDLE_BLOCKS, MAX_PACKED, MAX_PICTURE, MAX_STORIES,
    UnverifiedHead, page_digest, sign_head,
};
use proto::story::{
    Article, ArticleId, Block, Extent, Grain, MAX_ARTICLES, MAX_BLOCKS, Story, StoryId, When,
};
use proto::{Digest, Millis};

use crate::input::Input;
use crate::memory;
use crate::world::{NOW, WORLD};

/// Bundles of stories: packed by anybody, and the press signed that they are the ones.
pub(crate) fn bundles(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let packed = match input.byte() % 2 {
        0 => input.rest().to_vec(),
        // Behind the compression.
        _ => zstd::bulk::compress(input.rest(), 1).expect("memory is all it needs"),
    };
    let edition = {
        let world = &*WORLD;
        let named = BundleRef { digest: Digest::of(&packed), len: packed.len() as u32 };
        let head = Head {
            round: NOW,
            previous: Digest([0; 32]),
            made: Millis(0),
            directory: world.directory.digest(),
            changes: named,
            front: BundleRef { digest: Digest([1; 32]), ..named },
            page: page_digest(&[]),
            manifests: Vec::new(),
            round_keys: Vec::new(),
        };
        let signed = sign_head(&head, &world.network, &world.press);
        let read = UnverifiedHead::from_bytes(&signed).expect("signed just now");
        read.verify(&world.directory, NOW, NOW, None).expect("the press signed it")
    };
    assert!(edition.front(&packed).is_err(), "EDN-06: other bytes than those named");
    let Ok(bundle) = edition.changes(&packed) else { return };
    assert!(packed.len() <= MAX_PACKED && codec::encode(&bundle).len() <= MAX_BUNDLE, "EDN-06");
    assert!(bundle.stories.len() <= MAX_STORIES && bundle.gone.len() <= MAX_STORIES, "EDN-08");
    assert!(bundle.stories.iter().all(|story| story.articles.len() <= MAX_ARTICLES), "EDN-08");
    let blocks = bundle.stories.iter().flat_map(|story| &story.articles).map(|article| article.body.len());
    assert!(blocks.clone().all(|blocks| blocks <= MAX_BLOCKS), "EDN-08");
    assert!(blocks.sum::<usize>() <= MAX_BUNDLE_BLOCKS, "EDN-08");
    for article in bundle.stories.iter().flat_map(|story| &story.articles) {
        assert!(article.picture.as_ref().is_none_or(|p| p.bytes.len() <= MAX_PICTURE), "EDN-08");
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        assert!(article.url.as_ref().is_none_or(web), "EDN-08");
    }
    assert!(bundle.stories.iter().all(|story| !story.articles.is_empty()), "EDN-08");
    assert!(bundle.stories.iter().all(|story| story.analysis.fits(&story.articles)), "EDN-15");
    let (again, reference) = bundle.pack();
    assert_eq!((again.len(), Digest::of(&again)), (reference.len as usize, reference.digest));

    // Folded into a front page that has one of them already, and one that it does not name.
    let mut front = bundle.stories.iter().take(1).cloned().collect::<Vec<_>>();
    front.push(Story { id: StoryId([0xee; 16]), ..other() });
    let (gone, came) = (bundle.gone.clone(), bundle.stories.clone());
    assert_eq!(
        edition.page(front.clone(), bundle.clone()).is_ok(),
        came.is_empty() && gone.contains(&StoryId([0xee; 16])),
        "EDN-14"
    );
    bundle.fold_into(&mut front);
    assert!(front.is_sorted_by(|a, b| (b.newest(), a.id) <= (a.newest(), b.id)), "newest first");
    assert!(came.iter().all(|story| front.contains(story)));
    assert!(front.iter().all(|story| came.contains(story) || !gone.contains(&story.id)));
    // EDN-08: what is shown under an id is one story.
    let mut ids: Vec<_> = front.iter().map(|story| story.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), front.len(), "one story under one id");
    shown(&front);
}

fn other() -> Story {
    Story {
        id: StoryId([0; 16]),
        title: "Another".into(),
        articles: Vec::new(),
        analysis: Analysis::default(),
    }
}

/// Coverage in whatever form: the first byte says under which name it came.
pub(crate) fn articles(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let names = ["a.txt", "a.html", "a.xml", "a.json", "a", "https://outlet.example/1", "a.rss", "a.htm"];
    let types =
        [None, Some("text/html"), Some("text/plain; charset=iso-8859-1"), Some("application/rss+xml")];
    let (name, address) = (names[input.below(8)], [None, Some("https://outlet.example/a/b")][input.below(2)]);
    let content_type = types[input.below(4)];
    read(input.rest(), news::Input { name, address, content_type });
}

/// What an article says: its time expressions, names, quotes; the utterances that two articles share; and what is first-hand in them,
/// whole and as excerpts.
pub(crate) fn sayings(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let published = Date::new(2000 + i16::from(input.byte() % 100), 1 + (input.byte() % 12) as i8, 28).ok();
    let text = String::from_utf8_lossy(input.rest());
    let blocks: Vec<_> = text.lines().map(|line| Block::Paragraph(line.to_owned())).collect();
    let (one, other) = blocks.split_at(blocks.len() / 2);
    let mut said = Vec::new();
    for (article, blocks) in [one, other].into_iter().enumerate() {
        times(blocks, published);
        let names = Names::of(blocks);
        assert!(
            names
                .mentions
                .iter()
                .all(|mention| words(blocks, &mention.span).is_some_and(|words| !words.is_empty()))
        );
        let place = |span: &Span| (span.block, span.bytes.start, span.bytes.end);
        assert!(
            names.mentions.windows(2).all(|pair| {
                let (first, second) = (place(&pair[0].span), place(&pair[1].span));
                first.0 < second.0 || first.2 <= second.1
            }),
            "in order, and none overlaps"
        );
        for quote in quotes(blocks, &names) {
            let others = [&quote.cue, &quote.addressee, &quote.occasion];
            let others =
                others.into_iter().flatten().chain(quote.speaker.as_ref().map(|speaker| &speaker.mention));
            assert!(quote.content.iter().chain(others).all(|span| words(blocks, span).is_some()));
            let exact: Option<Vec<_>> = quote.words.iter().map(|span| words(blocks, span)).collect();
            let exact = exact.expect("its words lie on letters").join(" ");
            assert!(!exact.is_empty());
            let speaker = quote.speaker.and_then(|speaker| match speaker.who {
                Who::Named(name) => Some(name),
                _ => None,
            });
            said.push((article, exact, speaker));
        }
    }
    let lines: Vec<_> = said
        .iter()
        .map(|(article, words, speaker)| Line { article: *article, words, speaker: speaker.as_deref() })
        .collect();
    let found = utterances(&lines);
    let mut all: Vec<_> =
        found.iter().flat_map(|one| one.variants.iter().map(|variant| variant.line)).collect();
    all.sort_unstable();
    assert_eq!(all, Vec::from_iter(0..lines.len()), "each quote is a form of one utterance");
    for (one, variant) in found.iter().flat_map(|one| one.variants.iter().map(move |variant| (one, variant)))
    {
        assert!(variant.kept.iter().all(|range| lines[one.fullest].words.get(range.clone()).is_some()));
        assert!(variant.own.iter().all(|range| lines[variant.line].words.get(range.clone()).is_some()));
    }
    first_hand([one, other], published, text.len() % 400);
}

/// What is found in two articles rests on them, and on their excerpts; it is shown as letters.
fn first_hand(bodies: [&[Block]; 2], published: Option<Date>, room: usize) {
    let published = published.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    let published = published.map(|at| When { unix: at.timestamp().as_second(), grain: Grain::Day });
    let article = |(n, body): (u8, &[Block])| Article {
        id: ArticleId([n; 16]),
        outlet: format!("Outlet {n}"),
        title: "Of two".into(),
        byline: None,
        published,
        url: None,
        body: body.to_vec(),
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    };
    let articles: Vec<Article> = (0..).zip(bodies).map(article).collect();
    let analysis = news::analysis::analysis(&articles);
    assert!(analysis.fits(&articles) && codec::encode(&analysis).len() <= MAX_ANALYSIS, "EDN-15");
    let mut story = Story { analysis, articles, ..other() };
    news::excerpt::excerpt(&mut story, |article| (article.id.0[0] == 0).then_some(room));
    assert!(story.analysis.fits(&story.articles), "EDN-15");
    shown(&[story]);
}

fn words<'a>(blocks: &'a [Block], span: &Span) -> Option<&'a str> {
    blocks.get(span.block)?.text().get(span.bytes.clone())
}

fn times(blocks: &[Block], published: Option<Date>) {
    let mut all = Vec::new();
    for block in blocks {
        let found = date::times(block.text());
        assert!(
            found
                .iter()
                .all(|time| block.text().get(time.span.clone()).is_some_and(|phrase| !phrase.is_empty()))
        );
        assert!(
            found.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start),
            "in order, and none overlaps"
        );
        all.extend(found);
    }
    let mut without = all.clone();
    date::resolve(&mut without, None);
    let _ = date::published(&without);
    date::resolve(&mut all, published);
    date::resolve(&mut without, published);
    assert_eq!(all, without, "a day that comes later is as good");
}

/// Pages.
pub(crate) fn pages(bytes: &[u8]) {
    let address = Some("https://outlet.example/2026/story.html");
    read(bytes, news::Input { name: "page.html", address, content_type: Some("text/html; charset=utf-8") });
    if let Ok(text) = core::str::from_utf8(bytes) {
        let _ = news::page::fragment(text);
    }
}

/// Feeds: RSS, Atom, JSON.
pub(crate) fn feeds(bytes: &[u8]) {
    let name = if bytes.first() == Some(&b'{') { "feed.json" } else { "feed.xml" };
    read(bytes, news::Input { name, address: Some("https://outlet.example/feed"), content_type: None });
}

fn read(bytes: &[u8], input: news::Input<'_>) {
    let Ok(read) = news::read(bytes, input) else { return };
    let mut grouper = Grouper::new();
    for document in read.documents.iter().take(32) {
        document_holds(document);
        let article = news::article(document);
        let body: usize = article.body.iter().map(|block| block.text().len()).sum();
        assert!(body <= LONGEST_BODY, "an article is at most {LONGEST_BODY} bytes");
        assert!(article.body.len() <= MAX_BLOCKS, "EDN-08: blocks of an article");
        grouper.add_article(article, document);
    }
    let stories = grouper.stories();
    assert_eq!(
        stories.iter().map(|story| story.articles.len()).sum::<usize>(),
        grouper.articles(),
        "no article in two stories"
    );
    // What the press makes the reader takes.
    let bundle = Bundle { stories: stories.clone(), gone: Vec::new() };
    let again = codec::decode::<Bundle>(&codec::encode(&bundle));
    assert!(again.is_ok_and(|again| again == bundle));
    for article in stories.iter().flat_map(|story| &story.articles) {
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        assert!(article.url.as_ref().is_none_or(web), "an address of the web");
    }
    assert!(stories.iter().all(|story| !story.articles.is_empty()));
    let mut ids: Vec<_> = stories.iter().map(|story| story.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), stories.len(), "EDN-08: one story under one id");
    shown(&stories);
}

fn document_holds(document: &Document) {
    let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
    assert!(document.url.as_ref().is_none_or(web), "an address of the web");
    assert_eq!(document.places.len(), document.body.len(), "every block has its place");
    assert!(document.body.iter().all(|block| !block.text().trim().is_empty()), "no block is empty");
    let _ = (document.title_or_opening(), document.outlet_or_unknown(), document.paragraphs().count());
}

/// A folder's articles.toml, and the picture it names. A gathering reads them as it would read an outlet's.
pub(crate) fn sidecars(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mode = input.byte();
    if mode.is_multiple_of(2) {
        let Ok(text) = core::str::from_utf8(input.rest()) else { return };
        if let Ok(sidecar) = Sidecar::parse(text) {
            for file in ["a.txt", "A.TXT", "."] {
                let _ = sidecar.entry(file);
            }
            let text = "The ferry did not leave\n\nThe ferry to the outer islands did not leave on Monday, it is said.";
            let plain = news::Input { name: "a.txt", ..news::Input::default() };
            let read = news::read(text.as_bytes(), plain).expect("a text");
            for entry in sidecar.entries.values() {
                let mut document = read.documents[0].clone();
                entry.apply(&mut document);
                let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
                assert!(document.url.as_ref().is_none_or(web), "an address of the web");
                let _ = news::article(&document);
            }
        }
        return;
    }
    const TEXT: &str = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide \
        rose above its wall, the harbour master said. It will open again once the water has gone.\n";
    const ENTRY: &str =
        "[\"a.txt\"]\noutlet = \"Post\"\npicture = \"p\"\nalt = \"A quay\"\nrights = \"own\"\n";
    let folder = memory();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("a folder in memory takes it");
    };
    write("a.txt", TEXT.as_bytes());
    write(SIDECAR, ENTRY.as_bytes());
    write("p", input.rest());
    let inputs = Inputs { folders: vec![folder.path().to_owned()], ..Inputs::default() };
    let mut gather = Gather::new(inputs, None).expect("the entry is a good one");
    crate::block_on(gather.refresh(Millis(0))).expect("the entry is a good one");
    let stories = gather.stories();
    assert_eq!(stories.len(), 1, "the article is there with and without its picture");
    let picture = stories[0].articles[0].picture.as_ref();
    assert!(picture.is_some() != (gather.left_out().len() == 1), "it is named why it is left out");
    if let Some(picture) = picture {
        assert!(
            picture.bytes.len() <= MAX_PICTURE && picture.width <= MAX_SIDE && picture.height <= MAX_SIDE
        );
    }
    shown(&stories);
}

/// What else a press reads: lists of feeds, what a site lets programs fetch, rules for outlets, web archives.
pub(crate) fn lists(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mode = input.byte() % 4;
    if mode == 3 {
        let folder = memory();
        std::fs::write(folder.path().join("a.warc"), input.rest()).expect("a folder in memory takes it");
        let inputs = Inputs { folders: vec![folder.path().to_owned()], ..Inputs::default() };
        let mut gather = Gather::new(inputs, None).expect("a folder");
        crate::block_on(gather.refresh(Millis(0))).expect("what is wrong with a file stops nothing");
        return shown(&gather.stories());
    }
    let Ok(text) = core::str::from_utf8(input.rest()) else { return };
    match mode {
        0 => {
            for entry in opml::read(text).unwrap_or_default() {
                assert!(!entry.address.is_empty(), "an entry has an address");
            }
        }
        1 => {
            let robots = Robots::read(text, fetch::TOKEN);
            let _ = ["/", "/a/b?c", text].map(|path| robots.allows(path));
            assert!(robots.allows("/robots.txt"));
        }
        _ => {
            const PAGE: &str = "<!doctype html><title>x</title><article><h1>Quay</h1><p>The lower quay was closed on Monday \
                after the tide rose above its wall, it is said.</p><p>It opens again soon.</p></article>";
            let Ok(rules) = Rules::parse(text) else { return };
            let page =
                news::Input { name: "a.html", address: Some("https://quay.example/1"), content_type: None };
            if let Ok(read) = rules.read(PAGE.as_bytes(), page) {
                read.documents.iter().for_each(document_holds);
            }
        }
    }
}

/// Stands on the front page and on its own. Whatever the text is, the page has no elements but those that we write.
fn shown(stories: &[Story]) {
    let zone = ui::Zone::utc();
    letters(&ui::story::front(stories, &zone).into_string());
    for story in stories.iter().take(4) {
        letters(&ui::story::story(story, &zone, &maud::html! {}).into_string());
    }
}

fn letters(page: &str) {
    const OURS: &[&str] = &[
        "a",
        "article",
        "b",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "figcaption",
        "figure",
        "footer",
        "h1",
        "h2",
        "h3",
        "header",
        "img",
        "li",
        "ol",
        "p",
        "section",
        "small",
        "span",
        "time",
        "ul",
        "bdi",
        "details",
        "summary",
        "cite",
        "em",
        "strong",
        "nav",
        "main",
        "aside",
        "hr",
        "i",
        "del",
        "mark",
        "caption",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "svg",
        "title",
        "circle",
        "line",
        "path",
        "rect",
        "text",
        "tspan",
    ];
    for tag in page.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("every element ends");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        assert!(OURS.contains(&name), "an element that is not ours: {name}");
        // Attributes: ours alone, none that runs, and addresses of the web or our own paths.
        let mut rest = tag;
        while let Some((before, value)) = rest.split_once("=\"") {
            let attribute = before.rsplit(' ').next().unwrap_or_default();
            assert!(
                !attribute.starts_with("on") && attribute != "style",
                "an attribute that runs: {attribute}"
            );
            let (value, after) = value.split_once('"').expect("every value ends");
            if matches!(attribute, "href" | "src") {
                let good = ["https://", "http://", "/", "#"].iter().any(|start| value.starts_with(start));
                assert!(good, "an address that is not of the web");
            }
            rest = after;
        }
    }
}
