//! The front page: stories as cards.

use maud::{Markup, html};
use proto::story::{Article, Block, Story};

use super::{article::image, path};
use crate::{
    text::{beginning, run},
    when::Zone,
};

/// How much of the lead a card shows, in characters: three to five lines.
const LEAD: usize = 190;
/// The same for the first card, which has more room.
const FIRST_LEAD: usize = 320;

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

/// The first paragraph: what a card shows.
fn opening(article: &Article) -> Option<&str> {
    article.body.iter().find_map(|block| match block {
        Block::Paragraph(words) => Some(words.as_str()),
        _ => None,
    })
}

/// "5 outlets", or who alone carries the story.
pub(super) fn outlet_count(story: &Story) -> Markup {
    let count = story.outlets();
    html! {
        @match (count, story.articles.first()) {
            (1, Some(only)) => (run(&only.outlet)),
            _ => b { (count) " outlets" },
        }
    }
}
