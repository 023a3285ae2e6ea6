//! "Where outlets agree and differ": claims that outlets differ on, that several carry, and that only one has.

use maud::{Markup, html};
use proto::analysis::{Claim, Passage};

use super::{
    evidence::{Line, View, count, folded, named, point},
    origins, quotes,
};

/// Claims before the fold.
const OPEN: usize = 8;

type Numbered<'a> = (usize, &'a Claim, Vec<u32>);

/// The section's text. Drawn only if there are claims.
pub(super) fn compare(view: &View<'_>) -> Markup {
    let carried = |claim: &Claim| {
        let sentences = claim.sentences.iter().map(|it| it.article);
        let all = sentences.chain(claim.sourcing.iter().map(|it| it.article));
        view.outlets(all.filter(|it| !view.is_opinion(*it)))
    };
    let all = view.claims.iter().enumerate().map(|(number, it)| (number, it, carried(it)));
    let (differ, rest): (Vec<Numbered<'_>>, Vec<_>) = all.partition(|(_, it, _)| !it.differences.is_empty());
    let (agreed, alone): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(_, _, outlets)| outlets.len() > 1);
    let disputed: Vec<_> =
        view.utterances.iter().enumerate().filter(|(_, it)| quotes::disputed(it)).collect();
    html! {
        @if !differ.is_empty() || !disputed.is_empty() {
            div.voice {
                h3 { "They differ" }
                div {
                    (list(view, &differ))
                    @if !disputed.is_empty() {
                        p.hint { "The same words, given to different people:" }
                        ul.links { @for (number, _) in disputed.iter().take(OPEN) { li { (quotes::link(view, *number)) } } }
                    }
                }
            }
        }
        @if !agreed.is_empty() { div.voice { h3 { "They agree" } (list(view, &agreed)) } }
        @if !alone.is_empty() {
            div.voice {
                h3 { "Only one outlet" }
                details.more {
                    summary { (count(alone.len(), "sentence")) " that one outlet alone has" }
                    (list(view, &alone))
                }
            }
        }
        (spellings(view))
    }
}

fn list(view: &View<'_>, claims: &[Numbered<'_>]) -> Markup {
    folded(claims, OPEN, |claims| {
        html! { ul.said { @for (number, claim, outlets) in claims { (one(view, *number, claim, outlets)) } } }
    })
}

fn one(view: &View<'_>, number: usize, claim: &Claim, outlets: &[u32]) -> Markup {
    let lines: Vec<_> = claim
        .sentences
        .iter()
        .map(|sentence| Line { sentence: *sentence, marks: stated(view, claim, sentence), note: html! {} })
        .collect();
    let fullest = claim.sentences.iter().max_by_key(|it| it.end.saturating_sub(it.start));
    html! {
        li #{ "c-" (number) } {
            @if claim.differences.is_empty() {
                @if let Some(fullest) = fullest { blockquote dir="auto" { (view.words(fullest, &[])) } }
                @if !outlets.is_empty() { p.from { (view.names(outlets)) } }
            }
            @for it in &claim.differences {
                p.conflict { (point(it.point)) }
                (view.difference(it, &claim.sentences))
            }
            (origins::note(view, &claim.sourcing))
            @if lines.len() > 1 { (view.lines(&count(lines.len(), "sentence"), &lines)) }
        }
    }
}

/// The words of a sentence that say where it comes from.
fn stated(view: &View<'_>, claim: &Claim, sentence: &Passage) -> Vec<Passage> {
    let said = claim.sourcing.iter().filter_map(|it| it.stated);
    said.filter(|it| sentence.holds(it) && it.text(view.articles).is_some()).collect()
}

/// Names that are spelled in several ways and taken for one.
fn spellings(view: &View<'_>) -> Markup {
    html! {
        @if !view.spellings.is_empty() {
            div.voice {
                h3 { "One name, several spellings" }
                (folded(view.spellings, OPEN, |all| html! {
                    ul.links {
                        @for forms in all {
                            li {
                                @for (place, form) in forms.iter().take(OPEN).enumerate() {
                                    @if place > 0 { ", " }
                                    (named(form))
                                }
                            }
                        }
                    }
                }))
            }
        }
    }
}
