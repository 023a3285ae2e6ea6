//! One invented event whose text several invented outlets print.

use proptest::prelude::*;
use proto::analysis::{Analysis, CopyKind, NearCopy, Origin, OriginKind, Passage, Sourcing};
use proto::story::{Article, Grain, When};

use crate::analysis::analysis;
use crate::analysis::tests::{THURSDAY, article, found};

/// Sentences of one text, no two alike.
const TEXT: [&str; 5] = [
    "The keeper of the tide mill at Orrin found its great wheel stopped on Wednesday morning, three of its oak arms broken.",
    "Nobody in the village had heard it stop, and the millers of the coast have begun to grind their barley by hand.",
    "“We will have no bread by Sunday if the smith does not come,” Ada Brandt told a meeting in the chapel.",
    "The smith lives across the strait, where the ferry has not landed since the storm took the northern jetty.",
    "A wheel of this size was last mended in the year of the comet, when forty men carried the timber from the hills.",
];

fn at(mut article: Article, minute: i64) -> Article {
    article.published = Some(When { unix: THURSDAY + minute * 60, grain: Grain::Minute });
    article
}

fn copies(articles: &[Article]) -> Vec<NearCopy> {
    found(articles).copies
}

fn named<'a>(articles: &'a [Article], copy: &NearCopy) -> (CopyKind, &'a str, &'a str) {
    let outlet = |at: u32| articles[at as usize].outlet.as_str();
    (copy.kind, outlet(copy.one.article), outlet(copy.other.article))
}

fn origins(found: &Analysis, sourcing: &[Sourcing]) -> Vec<Option<(Origin, bool)>> {
    let one = |it: &Sourcing| Some((found.origins[it.origin? as usize].clone(), it.stated.is_some()));
    sourcing.iter().map(one).collect()
}

#[test]
fn nearly_the_whole_text_is_a_verbatim_copy() {
    let whole = TEXT.join(" ");
    let shortened = format!("{} {}", TEXT[..4].join("\n"), "It rained.");
    let articles = [article("A", None, &[&whole]), article("B", None, &[&shortened])];
    let copies = copies(&articles);
    assert_eq!(copies.len(), 1);
    assert_eq!(named(&articles, &copies[0]), (CopyKind::Verbatim, "A", "B"));
    let (one, other) = (copies[0].one, copies[0].other);
    assert_eq!((one.words, other.words, one.shared, other.shared), (107, 86, 84, 84));
    assert_eq!((one.percent(), other.percent()), (78, 97));
    assert_eq!(copies[0].first(&articles), None, "neither says when it was printed");
}

#[test]
fn spans_lie_within_sentences_and_hold_the_same_words() {
    let changed = TEXT[0].replace("three of its", "four of its");
    let articles = [article("A", None, &TEXT), article("B", None, &[&changed, &TEXT[1..].join(" ")])];
    let copies = copies(&articles);
    let words = |it: &Passage| it.text(&articles).unwrap();
    let spans: Vec<_> = copies[0].spans.iter().map(|(one, other)| (words(one), words(other))).collect();
    assert!(spans.iter().all(|(one, other)| one == other), "{spans:#?}");
    assert_eq!(spans.len(), 6);
    assert!(spans[0].0.ends_with("Wednesday morning"));
    assert_eq!(spans[1].0, "of its oak arms broken");
    assert_eq!(spans[2].0, TEXT[1].trim_end_matches('.'));
}

#[test]
fn a_few_sentences_are_a_passage_and_quotes_alone_are_quotes() {
    let own = "Bakers of Vale have bought flour from the islands for as long as anybody there can say, and pay in salt fish. \
               They will buy it elsewhere now, their guild wrote on Monday. Some of them have closed their shops already.";
    let with = |text: &str| article("B", None, &[own, text]);
    let kind = |text: &str| {
        let articles = [article("A", None, &TEXT), with(text)];
        copies(&articles).first().map(|it| it.kind)
    };
    assert_eq!(kind(TEXT[1]), Some(CopyKind::Passage));
    assert_eq!(
        kind("“We will have no bread by Sunday if the smith does not come,” Brandt said."),
        Some(CopyKind::Quotes)
    );
    assert_eq!(kind("“We will have no bread by Sunday,” Brandt said."), None, "six words are said by many");
    assert_eq!(kind("The keeper of the tide mill was asleep."), None);
}

#[test]
fn an_outlet_does_not_copy_itself() {
    let articles = [article("A", None, &TEXT), article("A", None, &TEXT)];
    assert_eq!(copies(&articles), []);
}

#[test]
fn copies_of_one_text_are_a_tree_grown_from_what_was_printed_first() {
    let print = |outlet: &str, minute: i64| at(article(outlet, None, &TEXT), minute);
    let articles = [print("A", 30), print("B", 10), print("C", 20), print("D", 40)];
    let copies = copies(&articles);
    assert_eq!(copies.len(), 3);
    for copy in &copies {
        assert_eq!(copy.first(&articles), Some(1), "each is set against the first");
    }
}

#[test]
fn a_verbatim_copy_is_one_origin_with_what_it_copies() {
    let articles = [
        at(article("The Orrin Courier", None, &TEXT), 0),
        at(article("Vale Radio", None, &[&TEXT.join(" ")]), 5),
    ];
    let found = found(&articles);
    let text = Origin { kind: OriginKind::Text, name: "The Orrin Courier".into() };
    let claim = found.claims.iter().find(|it| it.sentences.len() == 2).unwrap();
    let one = Some((text.clone(), false));
    assert_eq!(origins(&found, &claim.sourcing), [one.clone(), one], "inferred for both");
    assert_eq!(found.origins.iter().filter(|it| it.kind == OriginKind::Text).count(), 1);
    // Without times nobody was first.
    let articles = articles.map(|it| Article { published: None, ..it });
    let found = super::tests::found(&articles);
    assert!(found.origins.contains(&Origin { name: "The Orrin Courier, Vale Radio".into(), ..text }));
}

#[test]
fn a_copy_has_what_it_copies_from_the_same_origin() {
    let dated = format!("ORRIN, 19 March (TNA) - {}", TEXT.join(" "));
    let articles = [article("The Orrin Courier", None, &[&dated]), article("Vale Radio", None, &TEXT)];
    let found = found(&articles);
    let claim = found.claims.iter().find(|it| it.sentences.len() == 2).unwrap();
    let agency = |stated| Some((Origin { kind: OriginKind::Agency, name: "TNA".into() }, stated));
    assert_eq!(origins(&found, &claim.sourcing), [agency(true), agency(false)]);
}

#[test]
fn what_a_copier_adds_is_its_own() {
    let added = "Ada Brandt owns 12 mills between Orrin and Vale, more than anybody on the coast.";
    let copy = [TEXT.as_slice(), &[added]].concat();
    let third = ["Ada Brandt owns 12 mills between Orrin and Vale, more than anybody on the coast has."];
    let articles = [
        article("The Orrin Courier", None, &TEXT),
        article("Vale Radio", None, &copy),
        article("C", None, &third),
    ];
    let found = found(&articles);
    let claim = found.claims.iter().find(|it| it.sentences[0].text(&articles) == Some(added)).unwrap();
    assert_eq!(origins(&found, &claim.sourcing), [None, None]);
}

/// Of each article, the origins of its rows.
fn of_article(found: &Analysis, article: u32) -> Vec<&Origin> {
    let rows = found
        .claims
        .iter()
        .flat_map(|it| &it.sourcing)
        .chain(found.events.iter().flat_map(|it| &it.sourcing));
    rows.filter(|it| it.article == article).filter_map(|it| found.origins.get(it.origin? as usize)).collect()
}

#[test]
fn who_copies_later_does_not_say_where_the_first_had_it() {
    let sourced = TEXT[4].replace("hills.", "hills, according to the Vale Gazette.");
    let copy = [&TEXT[..4], &[sourced.as_str()]].concat();
    for (minutes, inferred) in [((0, 90), false), ((90, 0), true)] {
        let articles = [at(article("A", None, &TEXT), minutes.0), at(article("B", None, &copy), minutes.1)];
        let found = found(&articles);
        let gazette = |article: u32| of_article(&found, article).iter().any(|it| it.name.contains("Gazette"));
        assert!(gazette(1), "{found:#?}");
        assert_eq!(gazette(0), inferred, "{found:#?}");
    }
}

#[test]
fn a_sentence_that_holds_all_of_an_article_does_not_make_it_one_text() {
    let own = "The council has no money for a new wheel this year or the next, court filings show.";
    let honest = [&TEXT[..2], &[own], &TEXT[3..]].concat();
    let glued = honest.iter().map(|it| it.trim_end_matches('.')).collect::<Vec<_>>().join(", ") + ".";
    let articles = [at(article("A", None, &honest), 0), at(article("B", None, &[&glued]), 90)];
    let found = found(&articles);
    let rows = found.claims.iter().filter(|claim| {
        let words = |it: &Passage| {
            it.article == 0 && it.text(&articles).is_some_and(|text| !text.contains("filings"))
        };
        claim.sentences.iter().any(words)
    });
    let mut sourced =
        rows.flat_map(|claim| &claim.sourcing).filter(|it| it.article == 0).filter_map(|it| it.origin);
    assert!(sourced.all(|origin| found.origins[origin as usize].kind != OriginKind::Record), "{found:#?}");
}

#[test]
fn a_hundred_copies_are_ninety_nine_rows() {
    let articles: Vec<Article> = (0..100)
        .map(|n| {
            at(
                article(&format!("Outlet {n}"), None, &[&TEXT.join(" "), &format!("It rained {n} times.")]),
                100 - n,
            )
        })
        .collect();
    let copies = copies(&articles);
    assert_eq!(copies.len(), 99);
    assert!(copies.iter().all(|copy| copy.other.article == 99 && !copy.spans.is_empty()));
}

proptest! {
    #[test]
    fn spans_hold_the_same_words_whatever_is_printed(
        texts in prop::collection::vec(prop::collection::vec("(the |old |pier |fell |“|” |\\. |Vane’s |É ){10,80}", 1..4), 2..5),
    ) {
        let articles: Vec<Article> = texts
            .iter()
            .enumerate()
            .map(|(n, texts)| article(&format!("Outlet {n}"), None, &texts.iter().map(String::as_str).collect::<Vec<_>>()))
            .collect();
        let found = analysis(&articles);
        prop_assert!(found.fits(&articles));
        let words = |it: &Passage| -> Vec<String> {
            let text = it.text(&articles).unwrap_or_default();
            crate::word::words(text)
                .iter()
                .filter(|word| !word.is_sign() && !word.is_possessive())
                .map(|word| word.text.to_lowercase())
                .collect()
        };
        for copy in &found.copies {
            for (one, other) in &copy.spans {
                prop_assert_eq!(words(one), words(other));
            }
        }
    }
}
