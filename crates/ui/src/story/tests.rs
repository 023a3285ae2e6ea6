//! Story pages: structure, and what harm their words can do.

use std::collections::{BTreeSet, HashSet};

use proto::analysis::{
    self, Analysis, Anchor, Claim, Difference, Event, Mention, Origin, OriginKind, Passage, Point, Sourcing,
    Speaker, Status, Utterance, Variant,
};
use proto::story::{Article, Block, Extent, Grain, Picture, When};

use super::*;

#[path = "../../examples/gallery/bridge.rs"]
mod bridge;

/// Letters that would do something if they were more than letters.
const EVIL: &str =
    "<script>fetch('//evil.example')</script><img src='//evil.example/p.png' onerror=x>\u{202E}txt";

fn an_article(number: u8, outlet: &str, words: &str) -> Article {
    Article {
        id: ArticleId([number; 16]),
        outlet: outlet.into(),
        title: format!("{outlet} on the quay"),
        byline: Some("Ines Vall".into()),
        published: Some(When { unix: 1_794_642_000, grain: Grain::Minute }),
        url: Some("https://harbour.example/quay".into()),
        body: vec![Block::Heading("The quay".into()), Block::Paragraph(words.into())],
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    }
}

fn a_story(articles: Vec<Article>) -> Story {
    Story {
        id: StoryId([9; 16]),
        title: "The quay is closed".into(),
        articles,
        analysis: Analysis::default(),
    }
}

#[test]
fn card_says_who_when_and_what() {
    let story =
        a_story(vec![an_article(1, "Harbour Post", "It rained."), an_article(2, "Vale Radio", "Rain.")]);
    let shown = card(&story, &Zone::utc(), false).into_string();
    assert!(
        shown.contains("<b>2 outlets</b>")
            && shown.contains("The quay is closed")
            && shown.contains("It rained.")
    );
    assert!(shown.contains("14 Nov 2026, 07:40 UTC") && shown.contains(&path(story.id)));
    let alone = card(&a_story(vec![an_article(1, "Harbour Post", "x")]), &Zone::utc(), false).into_string();
    assert!(alone.contains("Harbour Post") && !alone.contains("1 outlets"));
}

#[test]
fn hostile_article_shows_letters() {
    let evil = EVIL;
    let mut hostile = an_article(1, evil, evil);
    hostile.byline = Some(evil.into());
    hostile.url = Some("javascript:alert(1)".into());
    hostile.picture = Some(Picture {
        media: Media::Png,
        width: 1,
        height: 1,
        alt: "\" onerror=\"alert(1)".into(),
        credit: Some(evil.into()),
        bytes: vec![],
    });
    let mut story = a_story(vec![hostile, an_article(2, "Vale Radio", "Rain.")]);
    story.title = evil.into();
    for shown in [card(&story, &Zone::utc(), true), super::story(&story, &Zone::utc(), &html! {})] {
        let shown = shown.into_string();
        assert!(!shown.contains("<script") && !shown.contains("javascript:") && !shown.contains('\u{202E}'));
        assert!(!shown.contains("\" onerror=\"") && shown.contains("&lt;script&gt;"));
        // the only picture asked for is ours
        assert!(
            shown.match_indices("<img src=\"").all(|(at, m)| shown[at + m.len()..].starts_with("/pictures/"))
        );
    }
}

#[test]
fn headings_stay_in_order() {
    let alone = super::story(&a_story(vec![an_article(1, "Harbour Post", "x")]), &Zone::utc(), &html! {});
    let alone = alone.into_string();
    assert!(
        alone.contains("<h1>") && alone.contains(" dir=\"auto\">The quay</h2>") && !alone.contains("<h3")
    );
    let two = a_story(vec![an_article(1, "Harbour Post", "x"), an_article(2, "Vale Radio", "y")]);
    let two = super::story(&two, &Zone::utc(), &html! {}).into_string();
    assert_eq!(
        (two.matches("<h1").count(), two.matches("<h2").count(), two.matches("<h3").count()),
        (1, 2, 2)
    );
    let mut same = a_story(vec![an_article(1, "Harbour Post", "x"), an_article(2, "Vale Radio", "y")]);
    same.title.clone_from(&same.articles[0].title);
    let same = super::story(&same, &Zone::utc(), &html! {}).into_string();
    assert_eq!(same.matches("Harbour Post on the quay").count(), 1, "the page's title is not said twice");
    assert_eq!((same.matches("<h2").count(), same.matches("<h3").count()), (2, 1));
}

#[test]
fn ids_are_exactly_32_digits() {
    assert_eq!(parse_id(&hex::encode([7; 16])), Some([7; 16]));
    for wrong in ["", "07", "../x", &"g".repeat(32), &"0".repeat(33)] {
        assert_eq!(parse_id(wrong), None);
    }
}

fn shown(story: &Story) -> String {
    super::story(story, &Zone::utc(), &html! {}).into_string()
}

/// The values of an attribute, in the order of the page.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let before = format!(" {attribute}=\"");
    page.split(&before).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)).collect()
}

/// What holds for every story page, whatever is in it.
fn well_made(page: &str) {
    let ids = values(page, "id");
    let known: HashSet<_> = ids.iter().collect();
    assert_eq!(known.len(), ids.len(), "an id stands once");
    for href in values(page, "href") {
        let target = href.strip_prefix('#').unwrap_or_else(|| panic!("{href} leads out of the page"));
        assert!(known.contains(&target), "nothing is at {href}");
    }
    for label in values(page, "aria-labelledby") {
        assert!(known.contains(&label), "{label} names nothing");
    }
    let mut level = 0;
    for rest in page.split("<h").skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        let now = usize::from(rest.as_bytes()[0] - b'0');
        assert!(now <= level + 1, "a heading of level {now} under one of level {level}");
        level = now;
    }
    for table in page.split("<table").skip(1) {
        let table = table.split("</table>").next().unwrap_or_default();
        assert!(table.contains("<caption") && table.contains("<thead>"));
        assert_eq!(
            table.matches("<th ").count(),
            table.matches(" scope=").count(),
            "every head says of what"
        );
    }
    assert_eq!(page.matches("<details").count(), page.matches("<summary").count());
    assert!(!page.contains("<script") && !page.contains(" style=") && !page.contains('\u{202E}'));
    assert!(!page.contains("<img") && !page.contains("http:"), "nothing is asked for");
}

#[test]
fn everything_found_has_its_section_and_leads_to_its_sentences() {
    let page = shown(&bridge::story());
    well_made(&page);
    let titles: Vec<_> =
        page.split("-title\">").skip(1).filter_map(|rest| Some(rest.split_once("</h2>")?.0)).collect();
    assert_eq!(
        titles,
        [
            "What happened when",
            "Who said what",
            "Who had it first",
            "Who repeats whom",
            "Where outlets agree and differ"
        ]
    );
    for words in [
        // outlets
        "excerpts · with <bdi>Northline Agency</bdi>",
        "whole text",
        // timeline
        "<time datetime=\"2026-11-03\">Tuesday, 3 November 2026</time><span class=\"told\">told as past",
        "aria-label=\"Friday, 6 November 2026, told as not happened, 2 outlets\"",
        "; <mark>two days later</mark> the ministers",
        "The marked words are counted from the day told of before.",
        ">581 days</text>",
        // quotes
        "3 outlets give these words to different people.",
        "<mark>treasurer Piet Sandmark says</mark> in the recording.",
        "nineteen months<span class=\"aloud\"> left out: </span><del>, and we will be patient until the vote,</del>",
        "Similar words by <bdi>Orla Vennick</bdi>: <a href=\"#u-3\">",
        "<h3><bdi>a diver who did not want to be named</bdi><span class=\"told\">no name given</span></h3>",
        "“Payment follows acceptance”",
        "occasion: <bdi>at the quay</bdi>",
        // origins
        "<b>4 outlets, 1 origin</b>: <a href=\"#o-0\">",
        "Inferred for <a",
        "<i>inferred from its words</i>",
        "<mark>according to a recording of the call</mark>",
        "class=\"edge inferred\"",
        "<span class=\"told\">one text that several outlets print</span>",
        "2 outlets, 1 origin</b>: <a href=\"#o-5\">the text of <bdi>Northline Agency</bdi>",
        // copies
        "<bdi>Upper Hallen Gazette</bdi></a>’s text first.",
        "6 stretches side by side",
        "<mark>The two ministers met again on 5 November</mark>. <mark>A meeting with",
        "quote the same 18 words.",
        "The press counts words in the whole texts, of which this page has excerpts.",
        // opinion
        "Opinion: its outlet marks it “<bdi>Comment</bdi>”. It does not count as carrying a claim.",
        "As opinion, which does not count: <a",
        // differences
        "They give different numbers.",
        "<mark>14 million crowns</mark>",
        "<bdi>Orla Vennick</bdi>, <bdi>Venick</bdi>",
        "2 sentences that one outlet alone has",
    ] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn what_was_not_found_is_not_spoken_of() {
    let whole = bridge::story();
    let nothing = Story { analysis: Analysis::default(), ..whole.clone() };
    let page = shown(&nothing);
    well_made(&page);
    assert!(!page.contains("<section") && !page.contains("Parts of this page"));
    let events = whole.analysis.events.clone();
    let page = shown(&Story { analysis: Analysis { events, ..Analysis::default() }, ..whole.clone() });
    well_made(&page);
    assert!(!page.contains("They give different days."));
    let mut events = whole.analysis.events.clone();
    let sides = events.iter().take(2).map(|event| vec![event.mentions[0].phrase]).collect();
    events[1].differences = vec![Difference { point: Point::Date, sides }];
    let differ = shown(&Story { analysis: Analysis { events, ..Analysis::default() }, ..whole.clone() });
    well_made(&differ);
    assert!(differ.contains("They give different days."));
    assert_eq!(page.matches("<section").count(), 1);
    // one outlet agrees with nobody
    let mut alone = whole;
    alone.articles.iter_mut().for_each(|it| it.outlet = "Vale Radio".into());
    let page = shown(&alone);
    well_made(&page);
    assert!(!page.contains("Where outlets agree") && !page.contains("1 outlets"));
}

#[test]
fn who_repeats_whom_is_said_as_exactly_as_it_is_known() {
    let text = "The quay is closed and nobody knows why.";
    let said = |kind, one: (u32, u32), other: (u32, u32), published: [Option<i64>; 2]| {
        let articles =
            ["Harbour Post", "Vale Radio"].iter().zip(1..).zip(published).map(|((outlet, n), unix)| {
                Article {
                    published: unix.map(|unix| When { unix, grain: Grain::Minute }),
                    url: None,
                    ..an_article(n, outlet, text)
                }
            });
        let passage = |article| Passage { article, block: 1, start: 0, end: 22 };
        let side = |article, (words, shared)| analysis::Side { article, words, shared };
        let copies = vec![analysis::NearCopy {
            kind,
            one: side(0, one),
            other: side(1, other),
            spans: vec![(passage(0), passage(1))],
        }];
        let story =
            Story { analysis: Analysis { copies, ..Analysis::default() }, ..a_story(articles.collect()) };
        assert!(story.analysis.fits(&story.articles));
        let page = shown(&story);
        well_made(&page);
        let row = page.split("<ul class=\"said\"><li><p>").nth(1).unwrap().split("</p>").next().unwrap();
        row.split('<')
            .filter_map(|piece| {
                Some(piece.split_once('>').map_or(piece, |it| it.1)).filter(|it| !it.is_empty())
            })
            .collect::<String>()
    };
    use analysis::CopyKind::{Passage as Shared, Quotes, Verbatim};
    let (short, long) = ((100, 92), (300, 92));
    for (kind, one, other, published, expected) in [
        (
            Verbatim,
            short,
            long,
            [Some(5), Some(9)],
            "Vale Radio prints 92\u{a0}% of what Harbour Post printed first.",
        ),
        (
            Verbatim,
            short,
            long,
            [Some(9), Some(5)],
            "Vale Radio printed 92\u{a0}% of Harbour Post’s text first.",
        ),
        (
            Verbatim,
            long,
            short,
            [Some(9), Some(5)],
            "Harbour Post prints 92\u{a0}% of what Vale Radio printed first.",
        ),
        (
            Verbatim,
            short,
            long,
            [None, Some(5)],
            "92\u{a0}% of what Harbour Post prints stands in Vale Radio too. Nothing tells which was first.",
        ),
        (
            Shared,
            short,
            long,
            [Some(5), Some(9)],
            "Vale Radio prints 92 words that Harbour Post printed first: 30\u{a0}% of its text.",
        ),
        (Quotes, short, long, [Some(5), Some(9)], "Harbour Post and Vale Radio quote the same 92 words."),
        (
            Shared,
            (900, 8),
            (1_000, 9),
            [Some(5), Some(5)],
            "Harbour Post and Vale Radio share 8 words: less than 1\u{a0}% of the shorter text. Nothing tells which was first.",
        ),
    ] {
        assert_eq!(said(kind, one, other, published), expected);
    }
}

#[test]
fn one_origin_is_said_where_it_holds() {
    let sentence = "1 origin.</b> All that they say where they have it from";
    let mut story = bridge::story();
    story.analysis.utterances.truncate(2);
    story.analysis.claims.truncate(1);
    assert!(shown(&story).contains(&format!("<b>4 outlets, {sentence}")));
    story.analysis.claims[0].sourcing.push(Sourcing { article: 3, origin: None, stated: None });
    assert!(!shown(&story).contains(sentence), "one of them does not tell");
    assert!(!shown(&bridge::story()).contains(sentence), "there are six origins");
}

/// Analyses that no honest press makes.
fn hostile(rows: u32) -> Analysis {
    let beyond = |n: u32| match n % 5 {
        0 => Passage { article: 0, block: 1, start: 0, end: 700 },
        1 => Passage { article: n, block: n, start: 0, end: 5 },
        2 => Passage { article: 0, block: 1, start: 9, end: 3 },
        3 => Passage { article: 1, block: 1, start: 1, end: 2 },
        _ => Passage { article: u32::MAX, block: u32::MAX, start: u32::MAX, end: u32::MAX },
    };
    let names = || EVIL.repeat(40);
    let sourcing = |n: u32| Sourcing { article: n % 7, origin: Some(n % 50), stated: Some(beyond(n)) };
    let difference = |n: u32| Difference {
        point: Point::Speaker,
        sides: vec![vec![beyond(n)], vec![], vec![beyond(n + 1)]],
    };
    let statuses = [Status::Happened, Status::Planned, Status::Uncertain, Status::NotHappened];
    Analysis {
        events: (0..rows)
            .map(|n| Event {
                first: if n % 9 == 0 { i32::MIN } else { n as i32 * 3 },
                last: if n % 7 == 0 { i32::MAX } else { n as i32 * 2 },
                grain: analysis::Grain::Day,
                status: statuses[n as usize % 4],
                mentions: vec![Mention {
                    sentence: beyond(n),
                    phrase: beyond(n + 1),
                    anchor: Anchor::Stated,
                }],
                sourcing: vec![],
                differences: vec![],
            })
            .collect(),
        utterances: (0..rows)
            .map(|n| Utterance {
                variants: (0..n % 3)
                    .map(|v| Variant {
                        words: vec![beyond(n), beyond(v)],
                        sentence: beyond(n + v),
                        speaker: Speaker::Role(names()),
                        addressee: Some(beyond(n)),
                        occasion: Some(beyond(v)),
                        kept: vec![(n, 9), (3, n), (0, u32::MAX)],
                    })
                    .collect(),
                fullest: n,
                alike: vec![n + 1, u32::MAX],
                sourcing: vec![sourcing(n)],
                differences: vec![difference(n)],
            })
            .collect(),
        claims: (0..rows)
            .map(|n| Claim {
                sentences: vec![beyond(n)],
                sourcing: vec![sourcing(n)],
                differences: if n % 2 == 0 { vec![] } else { vec![difference(n)] },
            })
            .collect(),
        origins: (0..40).map(|_| Origin { kind: OriginKind::Public, name: names() }).collect(),
        spellings: (0..rows).map(|_| vec![names(); 20]).collect(),
        copies: (0..rows)
            .map(|n| analysis::NearCopy {
                kind: [analysis::CopyKind::Verbatim, analysis::CopyKind::Passage, analysis::CopyKind::Quotes]
                    [n as usize % 3],
                one: analysis::Side { article: n % 3, words: n, shared: u32::MAX },
                other: analysis::Side { article: n % 5, words: 0, shared: n },
                spans: (0..n % 40).map(|s| (beyond(n + s), beyond(s))).collect(),
            })
            .collect(),
    }
}

#[test]
fn hostile_analyses_show_letters() {
    let mut articles: Vec<_> = ["Harbour Post", "Vale Radio"]
        .iter()
        .zip(1..)
        .map(|(outlet, n)| an_article(n, outlet, &"é".repeat(400)))
        .collect();
    articles.iter_mut().for_each(|it| it.url = None);
    for rows in [1, 30, 1_000] {
        let page = shown(&Story { analysis: hostile(rows), ..a_story(articles.clone()) });
        well_made(&page);
        assert!(page.contains("&lt;script&gt;fetch"), "it can be read");
        assert!(page.len() < 4_000_000, "{rows} rows: {} bytes", page.len());
    }
    let page = shown(&Story { articles: vec![], analysis: hostile(20), ..a_story(vec![]) });
    well_made(&page);
}

/// A story as large as an edition carries: a hundred outlets, and 64 KiB of analysis.
#[test]
fn the_largest_story_stays_bounded() {
    let text =
        "It rained on the quay for a day and nobody saw who closed the gate of the basin there. ".repeat(40);
    let articles: Vec<_> = (0..100).map(|n| an_article(n, &format!("Outlet number {n}"), &text)).collect();
    let passage = |article, n: u32| Passage { article, block: 1, start: n % 9 * 87, end: n % 9 * 87 + 86 };
    let claims = (0..40).map(|n| Claim {
        sentences: (0..100).map(|article| passage(article, n)).collect(),
        sourcing: vec![],
        differences: vec![],
    });
    let whole = Passage { article: 0, block: 1, start: 0, end: text.len() as u32 - 1 };
    let event = |n: i32| Event {
        first: n * 3,
        last: n * 3 + n % 2,
        grain: analysis::Grain::Day,
        status: Status::Happened,
        mentions: vec![Mention { sentence: whole, phrase: whole, anchor: Anchor::Stated }; 7],
        sourcing: vec![],
        differences: vec![],
    };
    let analysis =
        Analysis { claims: claims.collect(), events: (0..150).map(event).collect(), ..Analysis::default() };
    let without = shown(&a_story(articles.clone())).len();
    let story = Story { analysis, ..a_story(articles) };
    assert!(story.analysis.fits(&story.articles));
    let page = shown(&story);
    let outlets: BTreeSet<_> = story.articles.iter().map(|it| &it.outlet).collect();
    assert!(outlets.iter().all(|outlet| page.contains(*outlet)));
    assert!(
        page.len() - without < 3_500_000,
        "{} bytes beside the articles' {without}",
        page.len() - without
    );
    println!("{without} bytes of articles, {} with what was found", page.len());
}
