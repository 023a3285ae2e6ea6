//! The parts of a front page and of a story page. The reader and the press's preview show the same.

mod article;
mod card;
#[cfg(test)]
mod tests;

use maud::{Markup, html};
use proto::story::{ArticleId, Media, Story, StoryId};

use self::{
    article::{Role, anchor, article},
    card::outlet_count,
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
