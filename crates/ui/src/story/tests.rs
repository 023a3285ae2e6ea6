//! Story pages: structure, and what harm their words can do.

use proto::analysis::Analysis;
use proto::story::{Article, Block, Extent, Grain, Picture, When};

use super::*;

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
    let evil = "<script>fetch('//evil.example')</script><img src='//evil.example/p.png'>\u{202E}txt";
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
        alone.contains("<h1>") && alone.contains("<h2 dir=\"auto\">The quay</h2>") && !alone.contains("<h3")
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
