//! "Who had it first": where claims and quotes come from, and who carries them. No verdict, and no count of voices.

mod graph;

use maud::{Markup, html};
use proto::analysis::{Origin, OriginKind, Passage, Sourcing};

use super::evidence::{Line, View, count, folded, named};

/// Origins before the fold.
const OPEN: usize = 12;
/// Origins named in a line.
const NAMED: usize = 3;

/// An origin with who carries something of it.
struct Row<'a> {
    number: usize,
    origin: &'a Origin,
    carriers: Vec<Carrier>,
}

/// An outlet that carries something of an origin.
#[derive(Default)]
struct Carrier {
    /// One of its articles.
    article: u32,
    claims: usize,
    quotes: usize,
    /// The words that say so, with the sentence they stand in. None if all is inferred.
    stated: Vec<(Passage, Passage)>,
}

/// The section's text. Drawn only if there are origins that something comes from.
pub(super) fn origins(view: &View<'_>) -> Markup {
    let rows = rows(view);
    html! {
        (summary(view, &rows))
        div.beside {
            (graph::graph(view, &rows))
            div {
                (folded(&rows, OPEN, |rows| html! {
                    table.rows {
                        caption.hint { "Where it comes from, and what each outlet carries of it." }
                        thead { tr { th scope="col" { "Origin" } th scope="col" { "Outlets that carry it" } } }
                        tbody { @for row in rows { (row.draw(view)) } }
                    }
                }))
                (opinions(view))
            }
        }
    }
}

/// Who prints opinion in this story.
fn opinions(view: &View<'_>) -> Markup {
    let opinions = view.outlets((0..view.articles.len() as u32).filter(|it| view.is_opinion(*it)));
    html! {
        @if !opinions.is_empty() {
            p.hint { "Opinion by " (view.names(&opinions)) " is left out here: it does not count as carrying a claim." }
        }
    }
}

/// Whether anything comes from any origin.
pub(super) fn any(view: &View<'_>) -> bool {
    !rows(view).is_empty()
}

/// Under a claim or a quote: "4 outlets, 1 origin: ...", what of it is inferred, who does not tell, and who prints it as opinion.
pub(super) fn note(view: &View<'_>, sourcing: &[Sourcing]) -> Markup {
    let known = |it: &&Sourcing| it.origin.is_some_and(|origin| (origin as usize) < view.origins.len());
    let sourcing = sourcing.iter().filter(|it| view.first(it.article).is_some());
    let (opinions, sourcing): (Vec<_>, Vec<_>) = sourcing.partition(|it| view.is_opinion(it.article));
    let (told, silent): (Vec<&Sourcing>, Vec<_>) = sourcing.into_iter().partition(known);
    let mut origins: Vec<u32> = told.iter().filter_map(|it| it.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    let outlets = |of: &[&Sourcing]| view.outlets(of.iter().map(|it| it.article));
    let inferred: Vec<_> = told.iter().copied().filter(|it| it.stated.is_none()).collect();
    let (carriers, inferred, silent) = (outlets(&told), outlets(&inferred), outlets(&silent));
    let opinions = outlets(&opinions);
    html! {
        @if !origins.is_empty() {
            p.origin {
                @if carriers.len() > 1 {
                    b { (count(carriers.len(), "outlet")) ", " (count(origins.len(), "origin")) } ": "
                } @else { "From: " }
                @for (place, number) in origins.iter().take(NAMED).enumerate() {
                    @if place > 0 { ", " }
                    @if let Some(origin) = view.origins.get(*number as usize) {
                        a href={ "#o-" (number) } { (called(origin)) }
                    }
                }
                @if origins.len() > NAMED { " and " (origins.len() - NAMED) " more" }
                "."
                @if !inferred.is_empty() { " Inferred for " (view.names(&inferred)) "." }
                @if !silent.is_empty() { " Not told by " (view.names(&silent)) "." }
            }
        }
        @if !opinions.is_empty() { p.origin { "As opinion, which does not count: " (view.names(&opinions)) "." } }
    }
}

/// Origins that something comes from, in their order.
fn rows<'a>(view: &View<'a>) -> Vec<Row<'a>> {
    let row = |(number, origin)| Row { number, origin, carriers: Vec::new() };
    let mut rows: Vec<_> = view.origins.iter().enumerate().map(row).collect();
    for claim in view.claims {
        carry(view, &mut rows, &claim.sourcing, &claim.sentences, |it| &mut it.claims);
    }
    for utterance in view.utterances {
        let sentences: Vec<_> = utterance.variants.iter().map(|it| it.sentence).collect();
        carry(view, &mut rows, &utterance.sourcing, &sentences, |it| &mut it.quotes);
    }
    rows.retain(|row| !row.carriers.is_empty());
    rows
}

/// Counts a claim or a quote for those who carry it.
fn carry(
    view: &View<'_>,
    rows: &mut [Row<'_>],
    sourcing: &[Sourcing],
    sentences: &[Passage],
    tally: fn(&mut Carrier) -> &mut usize,
) {
    for one in sourcing.iter().filter(|it| !view.is_opinion(it.article)) {
        let row = one.origin.and_then(|it| rows.get_mut(it as usize));
        let (Some(row), Some(article)) = (row, view.first(one.article)) else { continue };
        let carrier = row.carrier(article);
        *tally(carrier) += 1;
        if let Some(words) = one.stated.filter(|it| it.text(view.articles).is_some()) {
            let evidence = (view.around(&words, sentences), words);
            if !carrier.stated.contains(&evidence) {
                carrier.stated.push(evidence);
            }
        }
    }
}

/// "5 outlets, 1 origin", where it holds.
fn summary(view: &View<'_>, rows: &[Row<'_>]) -> Markup {
    let claims = view.claims.iter().map(|it| &it.sourcing);
    let all = claims.chain(view.utterances.iter().map(|it| &it.sourcing));
    let silent = all.flatten().any(|it| it.origin.is_none() && !view.is_opinion(it.article));
    html! {
        @if let [only] = rows {
            @if only.carriers.len() > 1 && !silent {
                p.verdictless {
                    b { (count(only.carriers.len(), "outlet")) ", 1 origin." }
                    " All that they say where they have it from comes from " (called(only.origin)) "."
                }
            }
        }
    }
}

impl Row<'_> {
    fn carrier(&mut self, article: u32) -> &mut Carrier {
        let known = self.carriers.iter().position(|it| it.article == article);
        let place = known.unwrap_or_else(|| {
            self.carriers.push(Carrier { article, ..Carrier::default() });
            self.carriers.len() - 1
        });
        &mut self.carriers[place]
    }

    fn draw(&self, view: &View<'_>) -> Markup {
        let lines: Vec<_> = self
            .carriers
            .iter()
            .flat_map(|it| &it.stated)
            .map(|(sentence, words)| Line { sentence: *sentence, marks: vec![*words], note: html! {} })
            .collect();
        html! {
            tr #{ "o-" (self.number) } {
                th scope="row" { (named(&self.origin.name)) span.told { (kind(self.origin.kind)) } }
                td {
                    @if self.carriers.len() > 1 { p.shared { (count(self.carriers.len(), "outlet")) ", 1 origin" } }
                    ul.carriers { @for it in &self.carriers { li { (it.draw(view)) } } }
                    (view.lines("The words that say so", &lines))
                }
            }
        }
    }
}

impl Carrier {
    fn draw(&self, view: &View<'_>) -> Markup {
        html! {
            (view.name(self.article)) ": "
            @if self.quotes > 0 { (count(self.quotes, "quote")) }
            @if self.quotes > 0 && self.claims > 0 { ", " }
            @if self.claims > 0 { (count(self.claims, "claim")) }
            @if self.stated.is_empty() { " · " i { "inferred from its words" } } @else { " · it says so" }
        }
    }
}

/// An origin in a line. A text is called after who prints it, who is another thing.
fn called(origin: &Origin) -> Markup {
    html! { @if origin.kind == OriginKind::Text { "the text of " } (named(&origin.name)) }
}

fn kind(kind: OriginKind) -> &'static str {
    match kind {
        OriginKind::Document => "a recording or a paper",
        OriginKind::Interview => "told to one outlet",
        OriginKind::Record => "a paper that is open to everybody",
        OriginKind::Public => "said in public",
        OriginKind::Own => "seen or learned by the outlet itself",
        OriginKind::Report => "an outlet's own report",
        OriginKind::Agency => "a news agency",
        OriginKind::Unnamed => "people whom no outlet names",
        OriginKind::Text => "one text that several outlets print",
        OriginKind::Opinion => "an opinion",
    }
}
