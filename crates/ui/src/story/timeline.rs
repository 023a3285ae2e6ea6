//! "What happened when": a line of days with a mark for every event, and the table that the marks lead into.

mod drawing;

use maud::{Markup, html};
use proto::analysis::{Anchor, Event, Grain, Passage, Status};

use super::{
    days,
    evidence::{Line, View, count, folded, point},
    origins,
};

/// Rows before the fold.
const OPEN: usize = 16;

/// The section's text. Drawn only if there are events.
pub(super) fn timeline(view: &View<'_>) -> Markup {
    let rows: Vec<_> = view.events.iter().enumerate().map(|(n, event)| Row::new(view, n, event)).collect();
    html! {
        div.beside {
            (drawing::drawing(&rows))
            div {
                (folded(&rows, OPEN, |rows| html! {
                    table.rows {
                        caption.hint { "Each event with its sentences. Times are no finer than the articles name them." }
                        thead { tr { th scope="col" { "When" } th scope="col" { "What the articles say" } } }
                        tbody { @for row in rows { (row.draw(view)) } }
                    }
                }))
            }
        }
    }
}

/// An event with what both drawing and table need.
struct Row<'a> {
    number: usize,
    event: &'a Event,
    /// An article of each outlet that tells of it.
    outlets: Vec<u32>,
}

impl<'a> Row<'a> {
    fn new(view: &View<'_>, number: usize, event: &'a Event) -> Row<'a> {
        Row { number, event, outlets: view.outlets(event.mentions.iter().map(|it| it.sentence.article)) }
    }

    fn draw(&self, view: &View<'_>) -> Markup {
        let Row { number, event, outlets } = self;
        let lines: Vec<_> = event
            .mentions
            .iter()
            .map(|it| Line {
                sentence: it.sentence,
                marks: vec![it.phrase],
                note: html! { p.hint { "The marked words " (anchor(it.anchor, event.grain)) "." } },
            })
            .collect();
        html! {
            tr #{ "e-" (number) } {
                th scope="row" {
                    (days::when(event))
                    span.told { (told(event.status)) }
                }
                td {
                    @if let Some(fullest) = event.mentions.first() { p dir="auto" { (view.words(&fullest.sentence, &[])) } }
                    p.from { (view.names(outlets)) }
                    @for it in &event.differences {
                        p.conflict { (point(it.point)) }
                        (view.difference(it, &sentences(view)))
                    }
                    (origins::note(view, &event.sourcing))
                    (view.lines(&count(lines.len(), "sentence"), &lines))
                }
            }
        }
    }
}

/// All sentences of the timeline: what outlets put on another day stands in another row.
fn sentences(view: &View<'_>) -> Vec<Passage> {
    view.events.iter().flat_map(|event| event.mentions.iter().map(|it| it.sentence)).collect()
}

/// How the articles tell it; never whether it is so.
fn told(status: Status) -> &'static str {
    match status {
        Status::Happened => "told as past",
        Status::Planned => "told as planned",
        Status::Uncertain => "told as uncertain",
        Status::NotHappened => "told as not happened",
    }
}

fn anchor(anchor: Anchor, grain: Grain) -> &'static str {
    match anchor {
        Anchor::Stated if grain == Grain::Day => "name the day",
        Anchor::Stated => "name the time",
        Anchor::Publication => "are counted from the day it was published",
        Anchor::Narrative => "are counted from the day told of before",
    }
}
