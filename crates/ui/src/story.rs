//! The parts of a front page and of a story page. The reader and the press's preview show the same.

use maud::{Markup, html};
use proto::story::{Article, ArticleId, Block, Media, Picture, Story, StoryId};

use crate::{
    text::{beginning, paragraph, run, tame},
    when::Zone,
};

/// How much of the lead a card shows, in characters: three to five lines.
const LEAD: usize = 190;
/// The same for the first card, which has more room.
const FIRST_LEAD: usize = 320;

/// A story's path: `/stories/` and 32 hex digits.
pub fn path(id: StoryId) -> String {
    format!("/stories/{}", hex::encode(id.0))
}

/// A picture's path, named by its article: `/pictures/` and 32 hex digits.
pub fn picture_path(id: ArticleId) -> String {
    format!("/pictures/{}", hex::encode(id.0))
}

/// Reads the id in a path of ours back. `None` unless it is exactly 32 hex digits.
pub fn parse_id(digits: &str) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    hex::decode_to_slice(digits, &mut id).ok()?;
    Some(id)
}

/// The media type a picture is served with.
pub fn media_type(media: Media) -> &'static str {
    match media {
        Media::Png => "image/png",
        Media::Jpeg => "image/jpeg",
        Media::Webp => "image/webp",
    }
}

/// The front page's stories, the first one large, the others in columns. Headings are `h2`.
pub fn front(stories: &[Story], zone: &Zone) -> Markup {
    html! {
        @if let Some((first, rest)) = stories.split_first() {
            (card(first, zone, true))
            @if !rest.is_empty() {
                div.columns { @for story in rest { (card(story, zone, false)) } }
            }
        }
    }
}

/// One story of the front page: title, how many outlets, newest time, beginning of the lead, picture.
pub fn card(story: &Story, zone: &Zone, first: bool) -> Markup {
    let lead = story.articles.first();
    let pictured = story.articles.iter().find_map(|a| Some((a.id, a.picture.as_ref()?)));
    html! {
        article.card.first[first] {
            @if let Some((id, picture)) = pictured { (image(id, picture, first)) }
            div.card-text {
                p.kicker { (outlet_count(story)) }
                h2 { a href=(path(story.id)) { (run(&story.title)) } }
                @if let Some(words) = lead.and_then(opening) {
                    p.lead dir="auto" { (beginning(words, if first { FIRST_LEAD } else { LEAD })) }
                }
                p.when { (zone.published(story.newest())) }
            }
        }
    }
}

/// A story: its title, who covers it, and the articles side by side, the lead first.
/// `under` is put under every article; the reader puts the way to the newsroom there.
pub fn story(story: &Story, zone: &Zone, under: &Markup) -> Markup {
    let many = story.articles.len() > 1;
    html! {
        header.story-head {
            @if many { p.kicker { (outlet_count(story)) } }
            h1 { (run(&story.title)) }
            @if many {
                nav aria-label="Articles of this story" {
                    ol.outlets {
                        @for a in &story.articles {
                            li {
                                a href={ "#" (anchor(a)) } { (run(&a.outlet)) }
                                " " span.when { (zone.published(a.published)) }
                            }
                        }
                    }
                }
            }
        }
        div.articles.many[many] {
            @for (place, a) in story.articles.iter().enumerate() {
                @let role = match (many, place) {
                    (false, _) => Role::Alone,
                    (true, 0) => Role::Lead { titled: a.title != story.title },
                    (true, _) => Role::Other,
                };
                (article(a, zone, role, under))
            }
        }
    }
}

/// An article's place on its story's page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The only one. Its title is the page's.
    Alone,
    /// The first of several. Without a title of its own if that is the page's.
    Lead {
        titled: bool,
    },
    Other,
}

impl Role {
    fn leads(self) -> bool {
        matches!(self, Role::Lead { .. })
    }

    /// Whether the article shows its own title, under which its headings then stand.
    fn titled(self) -> bool {
        matches!(self, Role::Lead { titled: true } | Role::Other)
    }
}

/// One outlet's article.
fn article(a: &Article, zone: &Zone, role: Role, under: &Markup) -> Markup {
    html! {
        article.article.lead[role.leads()] #(anchor(a)) aria-label=(tame(&a.outlet)) {
            header {
                p.outlet { (run(&a.outlet)) }
                @if role.titled() { h2 { (run(&a.title)) } }
                p.byline {
                    @if let Some(name) = a.byline.as_deref().filter(|b| !b.trim().is_empty()) { (run(name)) " · " }
                    (zone.published(a.published))
                }
            }
            @if let Some(picture) = &a.picture {
                figure {
                    (image(a.id, picture, role != Role::Other))
                    @if let Some(credit) = &picture.credit { figcaption { "Picture: " (run(credit)) } }
                }
            }
            div.body { (body(&a.body, role.titled())) }
            footer {
                @if let Some(address) = a.url.as_deref().and_then(printed_at) {
                    p.printed { "Printed at " span.address { (run(address)) } }
                }
                (under)
            }
        }
    }
}

/// An article's text. `nested`: its title was an `h2`, so headings inside it are `h3`.
fn body(blocks: &[Block], nested: bool) -> Markup {
    html! {
        @for block in blocks {
            @match block {
                Block::Paragraph(words) => (paragraph(words)),
                Block::Heading(words) if nested => h3 dir="auto" { (tame(words)) },
                Block::Heading(words) => h2 dir="auto" { (tame(words)) },
                Block::Caption(words) => p.caption dir="auto" { (tame(words)) },
            }
        }
        @if blocks.is_empty() { p.caption { "This outlet sent a headline only." } }
    }
}

fn image(id: ArticleId, picture: &Picture, soon: bool) -> Markup {
    html! {
        img src=(picture_path(id)) alt=(tame(&picture.alt)) width=(picture.width) height=(picture.height)
            loading=[(!soon).then_some("lazy")] decoding="async";
    }
}

/// The first paragraph: what a card shows.
fn opening(article: &Article) -> Option<&str> {
    article.body.iter().find_map(|block| match block {
        Block::Paragraph(words) => Some(words.as_str()),
        _ => None,
    })
}

fn outlet_count(story: &Story) -> Markup {
    let count = story.outlets();
    html! {
        @match (count, story.articles.first()) {
            (1, Some(only)) => (run(&only.outlet)),
            _ => b { (count) " outlets" },
        }
    }
}

/// An address as people read it. It is shown, not linked: opening it would tell the outlet that somebody read it.
fn printed_at(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    Some(rest.trim_end_matches('/')).filter(|rest| !rest.is_empty())
}

fn anchor(article: &Article) -> String {
    format!("a-{}", hex::encode(&article.id.0[..6]))
}

#[cfg(test)]
mod tests {
    use proto::analysis::Analysis;
    use proto::story::{Extent, Grain, When};

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
        let alone =
            card(&a_story(vec![an_article(1, "Harbour Post", "x")]), &Zone::utc(), false).into_string();
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
            assert!(
                !shown.contains("<script") && !shown.contains("javascript:") && !shown.contains('\u{202E}')
            );
            assert!(!shown.contains("\" onerror=\"") && shown.contains("&lt;script&gt;"));
            // the only picture asked for is ours
            assert!(
                shown
                    .match_indices("<img src=\"")
                    .all(|(at, m)| shown[at + m.len()..].starts_with("/pictures/"))
            );
        }
    }

    #[test]
    fn headings_stay_in_order() {
        let alone = super::story(&a_story(vec![an_article(1, "Harbour Post", "x")]), &Zone::utc(), &html! {});
        let alone = alone.into_string();
        assert!(
            alone.contains("<h1>")
                && alone.contains("<h2 dir=\"auto\">The quay</h2>")
                && !alone.contains("<h3")
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
}
