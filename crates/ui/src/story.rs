//! The parts of a front page and of a story page. The reader and the press's preview show the same.

mod article;
mod axis;
mod card;
mod compare;
mod copies;
mod days;
mod evidence;
mod origins;
mod quotes;
#[cfg(test)]
mod tests;
mod timeline;

use maud::{Markup, html};
use proto::story::{Article, ArticleId, Extent, Media, Story, StoryId};

use self::{
    article::{Role, anchor, article, credit, opinion},
    card::outlet_count,
    evidence::View,
};
use crate::{text::run, when::Zone};

pub use self::card::{card, front};

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

/// A story: its title, who covers it, what the press found in it, and the articles side by side, the lead first.
/// `under` is put under every article; the reader puts the way to the newsroom there.
pub fn story(story: &Story, zone: &Zone, under: &Markup) -> Markup {
    let many = story.articles.len() > 1;
    let view = View::new(story);
    let sections = sections(&view);
    html! {
        header.story-head {
            @if many { p.kicker { (outlet_count(story)) } }
            h1 { (run(&story.title)) }
            @if many {
                nav aria-label="Articles of this story" {
                    ol.outlets { @for a in &story.articles { li { (listed(a, zone)) } } }
                }
            }
            @if !sections.is_empty() {
                nav.parts aria-label="Parts of this page" {
                    ul {
                        @for it in &sections { li { a href={ "#" (it.id) } { (it.title) } } }
                        li { a href="#articles" { (if many { "The articles" } else { "The article" }) } }
                    }
                }
            }
        }
        @for it in &sections {
            section.found #(it.id) aria-labelledby={ (it.id) "-title" } {
                h2 #{ (it.id) "-title" } { (it.title) }
                p.explained { (it.explained) }
                (it.main)
            }
        }
        @if view.left_out > 0 {
            p.hint { (view.left_out) " further rows of what was found are not shown: they are more than a page holds." }
        }
        div.articles.many[many] #articles {
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

/// A part of the page between its head and the articles.
struct Section {
    id: &'static str,
    title: &'static str,
    /// What it is, in one sentence.
    explained: &'static str,
    main: Markup,
}

/// What was found, in the order of the page. What is empty is left out.
fn sections(view: &View<'_>) -> Vec<Section> {
    let several = view.outlets(0..view.articles.len() as u32).len() > 1;
    let all = [
        (!view.events.is_empty()).then(|| Section {
            id: "when",
            title: "What happened when",
            explained: "Each day and stretch of days as the articles tell it, past or to come.",
            main: timeline::timeline(view),
        }),
        (!view.utterances.is_empty()).then(|| Section {
            id: "who",
            title: "Who said what",
            explained: "The exact words between quotation marks, each in the longest form that an outlet prints.",
            main: quotes::quotes(view),
        }),
        origins::any(view).then(|| Section {
            id: "first",
            title: "Who had it first",
            explained: "Where the outlets have it from: outlets that share an origin do not confirm one another.",
            main: origins::origins(view),
        }),
        (several && !view.copies.is_empty()).then(|| Section {
            id: "repeats",
            title: "Who repeats whom",
            explained: "Articles that print the same words. A copy is not a second source.",
            main: copies::copies(view),
        }),
        (several && !view.claims.is_empty()).then(|| Section {
            id: "differ",
            title: "Where outlets agree and differ",
            explained: "What outlets write of the same thing; how many write it does not make it true.",
            main: compare::compare(view),
        }),
    ];
    all.into_iter().flatten().collect()
}

/// An article in the list of who covers the story: outlet, time, how much of it is here, who contributed.
fn listed(a: &Article, zone: &Zone) -> Markup {
    html! {
        a href={ "#" (anchor(a)) } { (run(&a.outlet)) }
        " " span.when { (zone.published(a.published)) }
        " " span.extent {
            (match a.extent { Extent::Whole => "whole text", Extent::Excerpt => "excerpts" })
            @if opinion(a).is_some() { " · opinion" }
            @if let Some(credit) = credit(a) { " · with " (run(credit)) }
        }
    }
}
