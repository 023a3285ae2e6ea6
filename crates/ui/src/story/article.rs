//! One outlet's article on its story's page.

use maud::{Markup, html};
use proto::story::{Article, ArticleId, Block, Extent, Picture};

use super::picture_path;
use crate::{
    text::{run, tame},
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
                    @if let Some(credit) = credit(a) { " · with " (run(credit)) }
                }
                @if let Some(label) = opinion(a) {
                    p.caption { "Opinion: its outlet marks it “" (run(label)) "”. It does not count as carrying a claim." }
                }
                @if a.extent == Extent::Excerpt {
                    p.caption { "Excerpts: the sentences that this page rests on. The outlet has the whole text." }
                }
            }
            @if let Some(picture) = &a.picture {
                figure {
                    (image(a.id, picture, role != Role::Other))
                    @if let Some(credit) = &picture.credit { figcaption { "Picture: " (run(credit)) } }
                }
            }
            div.body { (body(a, role.titled())) }
            footer {
                @if let Some(address) = a.url.as_deref().and_then(printed_at) {
                    p.printed { "Printed at " span.address { (run(address)) } }
                }
                (under)
            }
        }
    }
}

/// An article's text, each block with a name of its own, by which sentences of it are found. `nested`: its title was an
/// `h2`, so headings inside it are `h3`.
fn body(a: &Article, nested: bool) -> Markup {
    let anchor = anchor(a);
    html! {
        @for (place, block) in a.body.iter().enumerate() {
            @let id = format_args!("{anchor}-{place}");
            @match block {
                Block::Paragraph(words) => p #(id) dir="auto" { (tame(words)) },
                Block::Heading(words) if nested => h3 #(id) dir="auto" { (tame(words)) },
                Block::Heading(words) => h2 #(id) dir="auto" { (tame(words)) },
                Block::Caption(words) => p.caption #(id) dir="auto" { (tame(words)) },
            }
        }
        @if a.body.is_empty() { p.caption { "This outlet sent a headline only." } }
    }
}

/// Who else contributed, if it says so.
pub(super) fn credit(a: &Article) -> Option<&str> {
    a.credit.as_deref().filter(|credit| !credit.trim().is_empty())
}

/// The words by which its outlet marks it as opinion, if it does.
pub(super) fn opinion(a: &Article) -> Option<&str> {
    a.opinion.as_deref().filter(|label| !label.trim().is_empty())
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
