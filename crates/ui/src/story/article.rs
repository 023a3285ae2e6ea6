//! One outlet's article on its story's page.

use maud::{Markup, html};
use proto::story::{Article, ArticleId, Block, Picture};

use super::picture_path;
use crate::{
    text::{paragraph, run, tame},
    when::Zone,
};

/// An article's place on its story's page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
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
pub(super) fn article(a: &Article, zone: &Zone, role: Role, under: &Markup) -> Markup {
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

/// A picture, by its path; asked for `soon` or when it comes into view.
pub(super) fn image(id: ArticleId, picture: &Picture, soon: bool) -> Markup {
    html! {
        img src=(picture_path(id)) alt=(tame(&picture.alt)) width=(picture.width) height=(picture.height)
            loading=[(!soon).then_some("lazy")] decoding="async";
    }
}

/// An address as people read it. It is shown, not linked: opening it would tell the outlet that somebody read it.
fn printed_at(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
    Some(rest.trim_end_matches('/')).filter(|rest| !rest.is_empty())
}

/// By which links find an article on its story's page.
pub(super) fn anchor(article: &Article) -> String {
    format!("a-{}", hex::encode(&article.id.0[..6]))
}
