//! One invented event in the words of some invented outlets.

use proptest::prelude::*;
use proto::analysis::{Anchor, Grain, MAX_ANALYSIS, Origin, OriginKind, Point, Speaker, Status};
use proto::codec;
use proto::story::{Article, ArticleId, Block, Extent, Grain as Exact, When};

use super::*;

/// 20 March 2031 is a Thursday.
pub(super) const THURSDAY: i64 = 1_931_731_200;

pub(super) fn article(outlet: &str, published: Option<i64>, paragraphs: &[&str]) -> Article {
    Article {
        id: ArticleId([outlet.len() as u8; 16]),
        outlet: outlet.into(),
        title: format!("{outlet} on the ferry"),
        byline: None,
        published: published.map(|unix| When { unix, grain: Exact::Day }),
        url: None,
        body: paragraphs.iter().map(|text| Block::Paragraph((*text).into())).collect(),
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    }
}

pub(super) fn found(articles: &[Article]) -> Analysis {
    let found = analysis(articles);
    assert!(found.fits(articles), "{found:#?}");
    found
}

/// What several outlets make of one meeting.
fn ferry() -> Vec<Article> {
    vec![
        article(
            "The Skerry Courier",
            Some(THURSDAY),
            &[
                "Harbour master Ilsa Vane told the ferry owner Tom Orr on 11 March that the north pier was unsafe, according to a \
                 recording obtained by the Tallow Ledger.",
                "“The pier will not hold another winter,” Vane told Orr, according to the Ledger’s transcript. “Keep the boats away from \
                 it, whatever the council says.”",
                "Orr is due to meet the council on Friday. The repair would cost 40 million crowns, the council said in a statement.",
            ],
        ),
        article(
            "Vale Radio",
            Some(THURSDAY),
            &[
                "In a meeting on 11 March the harbour master, Ilsa Vane, warned ferry owner Tom Orr that the north pier was unsafe.",
                "A recording of the meeting has been leaked to the Tallow Ledger. “The pier will not hold another winter,” Vane said.",
                "Two days later Orr stopped all sailings. The repair would cost 55 million crowns.",
            ],
        ),
        article(
            "Quayside Notes",
            None,
            &[
                "In mid-March the harbour master Ilsa Vane warned Tom Orr, the ferry owner, that the north pier was unsafe. It can be heard in \
                 the recording of the meeting.",
                "“The pier will not hold another winter,” Orr said. On Monday divers came.",
            ],
        ),
    ]
}

/// Days since 1970 of a day of March 2031.
fn march(day: i32) -> i32 {
    (THURSDAY / 86_400) as i32 - 20 + day
}

fn outlets(articles: &[Article], passages: impl IntoIterator<Item = u32>) -> Vec<&str> {
    let mut outlets: Vec<&str> =
        passages.into_iter().map(|at| articles[at as usize].outlet.as_str()).collect();
    outlets.sort_unstable();
    outlets.dedup();
    outlets
}

#[test]
fn a_meeting_is_one_event_of_three_outlets_and_one_origin() {
    let articles = ferry();
    let found = found(&articles);
    let event = found.events.iter().find(|event| event.first == march(11)).unwrap();
    assert_eq!((event.last, event.grain, event.status), (march(11), Grain::Day, Status::Happened));
    assert_eq!(
        outlets(&articles, event.mentions.iter().map(|it| it.sentence.article)).len(),
        3,
        "{event:#?}"
    );
    let origins: Vec<_> =
        event.sourcing.iter().map(|it| it.origin.map(|at| &found.origins[at as usize])).collect();
    let ledger = Origin { kind: OriginKind::Document, name: "Tallow Ledger".into() };
    assert_eq!(origins, [Some(&ledger); 3]);
    let stated: Vec<bool> = event.sourcing.iter().map(|it| it.stated.is_some()).collect();
    assert_eq!(stated, [true, true, false], "the third names nobody who has the recording");
}

#[test]
fn days_hang_on_what_was_told_or_on_the_day_of_publication() {
    let articles = ferry();
    let found = found(&articles);
    let event = |day| found.events.iter().find(|event| event.first == march(day)).unwrap();
    assert_eq!(event(13).mentions[0].anchor, Anchor::Narrative);
    assert_eq!(event(13).mentions[0].phrase.text(&articles), Some("Two days later"));
    assert_eq!((event(21).status, event(21).mentions[0].anchor), (Status::Planned, Anchor::Publication));
    // Nobody said when that article was published: which Monday, it does not tell.
    assert!(
        found
            .events
            .iter()
            .all(|it| it.mentions.iter().all(|it| it.phrase.text(&articles) != Some("Monday")))
    );
}

#[test]
fn the_day_after_something_is_a_day_for_it_too() {
    let text = "The pier fell on 12 March. It fell the day after the divers had left Tallow.";
    let articles = [article("A", Some(THURSDAY), &[text])];
    let found = found(&articles);
    let days: Vec<_> = found.events.iter().map(|it| (it.first, it.mentions[0].anchor)).collect();
    assert_eq!(days, [(march(11), Anchor::Narrative), (march(12), Anchor::Stated)]);
}

#[test]
fn the_same_words_under_two_names_are_one_utterance_with_a_conflict() {
    let articles = ferry();
    let found = found(&articles);
    let said = found.utterances.iter().find(|it| it.variants.len() == 3).unwrap();
    let named = |name: &str| Speaker::Named(name.into());
    let speakers: Vec<_> = said.variants.iter().map(|it| it.speaker.clone()).collect();
    assert_eq!(speakers, [named("Ilsa Vane"), named("Ilsa Vane"), named("Tom Orr")]);
    assert_eq!(said.differences.len(), 1);
    assert_eq!((said.differences[0].point, said.differences[0].sides.len()), (Point::Speaker, 2));
    let full = said.variants[said.fullest as usize].text(&articles);
    assert!(
        full.starts_with("The pier will not hold") && full.ends_with("whatever the council says."),
        "{full}"
    );
    let kept: Vec<&str> =
        said.variants[1].kept.iter().map(|&(start, end)| &full[start as usize..end as usize]).collect();
    assert_eq!(kept, ["The pier will not hold another winter"]);
    // The second has the words of the first, which names where they are from.
    assert!(said.sourcing[1].origin.is_some());
}

#[test]
fn two_costs_of_one_repair_are_a_difference() {
    let articles = ferry();
    let found = found(&articles);
    let differences: Vec<_> = found.claims.iter().flat_map(|claim| &claim.differences).collect();
    let cost = differences.iter().find(|it| it.point == Point::Number).unwrap();
    let mut sides: Vec<_> = cost.sides.iter().map(|side| side[0].text(&articles).unwrap()).collect();
    sides.sort_unstable();
    assert_eq!(sides, ["40 million crowns", "55 million crowns"]);
}

#[test]
fn who_prints_both_numbers_contradicts_nobody() {
    let mut articles = ferry();
    articles[1].body.push(Block::Paragraph("An earlier estimate was 40 million crowns.".into()));
    let found = found(&articles);
    assert!(found.claims.iter().flat_map(|it| &it.differences).all(|it| it.point != Point::Number));
}

#[test]
fn what_grew_since_is_no_difference() {
    let of = |outlet: &str, day: i64, cost: &str| {
        article(
            outlet,
            Some(THURSDAY + day * 86_400),
            &[&format!("The repair of the north pier cost {cost} crowns so far, Vane said.")],
        )
    };
    let differences = |days: i64| {
        let found = found(&[of("A", 0, "300"), of("B", days, "400")]);
        found.claims.iter().flat_map(|it| &it.differences).count()
    };
    assert_eq!((differences(0), differences(4)), (1, 0));
}

#[test]
fn an_agency_is_the_origin_of_what_its_text_says() {
    let text = "TALLOW, 19 March (TNA) - The harbour office of Tallow closed the north pier on Wednesday.";
    let articles = [article("A", Some(THURSDAY), &[text]), article("B", Some(THURSDAY), &[text])];
    let found = found(&articles);
    assert_eq!(found.origins, [Origin { kind: OriginKind::Agency, name: "TNA".into() }]);
    let claim = &found.claims[0];
    let stated: Vec<_> =
        claim.sourcing.iter().map(|it| it.stated.unwrap().text(&articles).unwrap()).collect();
    assert_eq!(stated, ["TNA", "TNA"]);
    let phrases: Vec<_> = found
        .events
        .iter()
        .flat_map(|it| &it.mentions)
        .map(|it| it.phrase.text(&articles).unwrap())
        .collect();
    assert_eq!(phrases, ["Wednesday", "Wednesday"], "the day of the dateline is that of writing");
}

#[test]
fn two_days_of_one_meeting_are_a_difference() {
    let of = |outlet: &str, day: &str| {
        article(
            outlet,
            Some(THURSDAY),
            &[&format!(
                "The secret meeting of the harbour board in Tallow took place on {day} March. It rained."
            )],
        )
    };
    let mut articles = vec![of("A", "11"), of("B", "11"), of("C", "12")];
    let points = |articles: &[Article]| -> Vec<Point> {
        found(articles).events.iter().flat_map(|it| &it.differences).map(|it| it.point).collect()
    };
    assert_eq!(points(&articles), [Point::Date]);
    articles[2].body.push(Block::Paragraph("The board met on 11 March too.".into()));
    assert_eq!(points(&articles), []);
}

#[test]
fn planned_for_one_and_never_held_for_another() {
    let articles = [
        article(
            "A",
            Some(THURSDAY),
            &["Ilsa Vane announced a public hearing on the north pier in Tallow. It rained."],
        ),
        article(
            "B",
            Some(THURSDAY),
            &["Ilsa Vane announced a public hearing on the north pier in Tallow, but it never took place."],
        ),
    ];
    let found = found(&articles);
    let differences: Vec<Point> =
        found.claims.iter().flat_map(|it| &it.differences).map(|it| it.point).collect();
    assert_eq!(differences, [Point::Status]);
}

#[test]
fn hedged_and_whole_against_flat_and_in_part() {
    let articles = [
        article(
            "A",
            None,
            &["Parts of the old harbour wall in Tallow apparently fell into the sea, Ilsa Vane found."],
        ),
        article("B", None, &["The entire old harbour wall in Tallow fell into the sea, Ilsa Vane found."]),
    ];
    let found = found(&articles);
    let points: Vec<Point> = found.claims.iter().flat_map(|it| &it.differences).map(|it| it.point).collect();
    assert_eq!(points, [Point::Certainty, Point::Scope]);
}

#[test]
fn origins_are_told_by_kind() {
    let texts = [
        ("Vane told the Tallow Ledger that the pier was unsafe.", OriginKind::Interview, "Tallow Ledger"),
        ("“It is unsafe,” one engineer told Quillfeed last month.", OriginKind::Interview, "Quillfeed"),
        ("Vane said so in an interview with Quillfeed.", OriginKind::Interview, "Quillfeed"),
        ("“It is unsafe,” Vane wrote on Quill.", OriginKind::Public, "Quill"),
        ("The pier is unsafe, the council said in a statement.", OriginKind::Public, "statement"),
        ("“It is unsafe,” Vane told reporters.", OriginKind::Public, "reporters"),
        (
            "The pier is unsafe, according to an investigation by the Tallow Ledger.",
            OriginKind::Report,
            "Tallow Ledger",
        ),
        ("The Tallow Ledger has learned that the pier is unsafe.", OriginKind::Report, "Tallow Ledger"),
        ("A reporter for the Tallow Ledger saw the pier sway.", OriginKind::Report, "Tallow Ledger"),
        ("Vale Radio has learned that the pier is unsafe.", OriginKind::Own, "Vale Radio"),
        ("Our correspondent in Tallow watched the pier sway.", OriginKind::Own, "Vale Radio"),
        ("“It is unsafe,” Vane told this newspaper.", OriginKind::Interview, "Vale Radio"),
        ("The pier is unsafe, says a memo seen by this newspaper.", OriginKind::Document, "Vale Radio"),
        ("The Tallow Ledger has seen a memo on the pier.", OriginKind::Document, "Tallow Ledger"),
        ("The pier was sold in May, according to court filings.", OriginKind::Record, "court filings"),
        ("The pier was sold in May, according to the minutes of the council.", OriginKind::Record, "minutes"),
        ("Land records show that the pier was sold in May.", OriginKind::Record, "Land records"),
        (
            "The council said in a regulatory filing that the pier was sold.",
            OriginKind::Record,
            "regulatory filing",
        ),
        (
            "The pier was sold, according to filings obtained by the Tallow Ledger.",
            OriginKind::Document,
            "Tallow Ledger",
        ),
        ("Two harbour officials said the pier was unsafe.", OriginKind::Unnamed, "harbour officials"),
        (
            "The pier is unsafe, according to a memo seen by the Tallow Ledger.",
            OriginKind::Document,
            "Tallow Ledger",
        ),
    ];
    for (text, kind, name) in texts {
        let articles =
            [article("Vale Radio", None, &[text]), article("Tallow Ledger", None, &["It rained."])];
        let found = found(&articles);
        assert!(found.origins.contains(&Origin { kind, name: name.into() }), "{text}: {:?}", found.origins);
    }
    for text in [
        "Vane told the Tallow council that the pier was unsafe.",
        "Vane told Orr. In Orford it rained.",
        "Orr read a report.",
        "The Orford Agency has found that the pier is unsafe.",
        "Orr waited in the last minutes and saw the pier sway.",
        "In response to the filings Orr sold the pier.",
        "Five minutes show what the pier is worth.",
        "A reporter saw the pier sway.",
    ] {
        let found = found(&[article("A", None, &[text])]);
        assert_eq!(found.origins, [], "{text}");
    }
}

#[test]
fn an_outlets_own_report_is_one_origin_for_it_and_for_others() {
    let articles = [
        article(
            "Tallow Ledger",
            None,
            &["The Tallow Ledger has learned that the pier of Orford was sold to Ilsa Vane."],
        ),
        article(
            "A",
            None,
            &[
                "The pier of Orford was sold to Ilsa Vane, according to an investigation by the Tallow Ledger. In Orford it rained.",
            ],
        ),
    ];
    let found = found(&articles);
    assert_eq!(found.origins, [Origin { kind: OriginKind::Own, name: "Tallow Ledger".into() }]);
    let stated: Vec<_> = found.claims[0].sourcing.iter().map(|it| (it.origin, it.stated.is_some())).collect();
    assert_eq!(stated, [(Some(0), true), (Some(0), true)]);
}

#[test]
fn opinion_carries_nothing_and_asserts_nothing_alone() {
    let text = "Ilsa Vane sold the north pier of Tallow for 12 million crowns.";
    let opinion = |it| Article { opinion: Some("Comment".into()), ..it };
    let of = |outlet: &str| article(outlet, Some(THURSDAY), &[text]);
    let both = found(&[of("A"), opinion(of("B"))]);
    let claim = &both.claims[0];
    assert_eq!(claim.sourcing.len(), 2, "it is in the row");
    assert_eq!(claim.sourcing[0].origin, None);
    let origin = &both.origins[claim.sourcing[1].origin.unwrap() as usize];
    assert_eq!(origin, &Origin { kind: OriginKind::Opinion, name: "B".into() });
    assert_eq!(found(&[opinion(of("A")), opinion(of("B"))]).claims, []);
    let other = article("A", Some(THURSDAY), &["It rained on the coast."]);
    assert_eq!(found(&[other, opinion(of("B"))]).claims, []);
}

#[test]
fn spellings_of_one_surname_are_listed() {
    let articles = [
        article("A", None, &["Oleg Zarensky came. Zarensky spoke."]),
        article("B", None, &["Oleg Zarenskyy came. Zarenskiy spoke."]),
    ];
    assert_eq!(found(&articles).spellings, [["Zarensky", "Zarenskyy", "Zarenskiy"]]);
}

#[test]
fn one_article_has_a_timeline_and_quotes_and_no_claims() {
    let found = found(&ferry()[..1]);
    assert!(!found.events.is_empty() && !found.utterances.is_empty());
    assert!(found.claims.is_empty());
}

#[test]
fn a_large_story_keeps_within_its_room() {
    let words =
        ["pier", "winter", "ferry", "council", "divers", "harbour", "timber", "storm", "crowns", "ledger"];
    let articles: Vec<Article> = (0..100)
        .map(|n: usize| {
            let text: Vec<String> = (0..40)
                .map(|s: usize| {
                    let word = |k: usize| words[(n * 7 + s * 3 + k * k) % words.len()];
                    format!(
                        "“The {} and the {} are {} years old,” Ilsa Vane said on {} March 2031 of the {} {n}.",
                        word(1), word(2), s + 2, s % 28 + 1, word(3)
                    )
                })
                .collect();
            article(&format!("Outlet {n}"), Some(THURSDAY), &text.iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect();
    let found = found(&articles);
    assert!(codec::encode(&found).len() <= MAX_ANALYSIS);
    assert!(!found.events.is_empty() && !found.utterances.is_empty());
}

#[test]
fn however_much_is_found_it_is_made_to_fit() {
    let articles = ferry();
    let mut many = found(&articles);
    let passage = many.events[0].mentions[0];
    many.events.truncate(1);
    many.events[0].mentions = vec![passage; 6_000];
    let origin = |n: usize| Origin { kind: OriginKind::Unnamed, name: format!("people number {n}") };
    let before = many.origins.len();
    many.origins.extend((0..6_000).map(origin));
    many.claims[0].sourcing[0].origin = Some(before as u32 + 5_999);
    fit(&mut many);
    assert!(codec::encode(&many).len() <= MAX_ANALYSIS && many.fits(&articles));
    assert!(!many.events[0].mentions.is_empty());
}

proptest! {
    #[test]
    fn whatever_is_printed_rests_on_the_articles(
        texts in prop::collection::vec(
            prop::collection::vec(
                prop_oneof![
                    "\\PC{0,80}",
                    "(“|”|\"|Vane |said |told |the Ledger |on 3 May |not |never |a memo |seen by |, |\\. |12 crowns |according to ){1,14}",
                ],
                0..4,
            ),
            0..4,
        ),
    ) {
        let articles: Vec<Article> = texts
            .iter()
            .map(|texts| article("A", Some(THURSDAY), &texts.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        let found = analysis(&articles);
        prop_assert!(found.fits(&articles));
        prop_assert_eq!(analysis(&articles), found);
    }
}
