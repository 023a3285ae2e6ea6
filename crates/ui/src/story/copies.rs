//! "Who repeats whom": articles of two outlets that print the same words, and those words side by side.

use maud::{Markup, html};
use proto::analysis::{CopyKind, NearCopy, Passage, Side};
use proto::story::Extent;

use super::evidence::{View, count, folded};

/// Rows of a kind before the fold.
const OPEN: usize = 8;
/// The same of shared quotes, which "Who said what" has too.
const OPEN_QUOTES: usize = 3;
/// Pairs of blocks before the fold.
const PAIRS: usize = 12;

/// The section's text. Drawn only if there are copies.
pub(super) fn copies(view: &View<'_>) -> Markup {
    let cut =
        |it: &Side| view.articles.get(it.article as usize).is_some_and(|it| it.extent == Extent::Excerpt);
    let any_cut = view.copies.iter().any(|it| cut(&it.one) || cut(&it.other));
    html! {
        @for (kind, title) in [
            (CopyKind::Verbatim, "Verbatim copies"),
            (CopyKind::Passage, "Shared passages"),
            (CopyKind::Quotes, "Shared quotes only"),
        ] {
            @let open = if kind == CopyKind::Quotes { OPEN_QUOTES } else { OPEN };
            @let rows: Vec<_> = view.copies.iter().filter(|it| it.kind == kind).collect();
            @if !rows.is_empty() {
                div.voice {
                    h3 { (title) }
                    div {
                        (folded(&rows, open, |rows| html! {
                            ul.said { @for it in rows { li { (one(view, it)) } } }
                        }))
                    }
                }
            }
        }
        @if any_cut { p.hint { "The press counts words in the whole texts, of which this page has excerpts." } }
    }
}

fn one(view: &View<'_>, copy: &NearCopy) -> Markup {
    let mut pairs = pairs(&copy.spans);
    // What was printed first stands first.
    if copy.first(view.articles) == Some(copy.other.article) {
        pairs.iter_mut().for_each(|(one, other)| std::mem::swap(one, other));
    }
    html! {
        p { (said(view, copy)) }
        @if !pairs.is_empty() {
            details.evidence {
                summary { (count(copy.spans.len(), "stretch")) " side by side" }
                (folded(&pairs, PAIRS, |pairs| html! {
                    ul.pairs { @for (one, other) in pairs { li { (view.column(one)) (view.column(other)) } } }
                }))
            }
        }
    }
}

/// Who prints how much of whom, and who was first, if both times are told.
fn said(view: &View<'_>, copy: &NearCopy) -> Markup {
    let (one, other) = (&copy.one, &copy.other);
    let name = |side: &Side| view.name(side.article);
    let (shorter, longer) = if other.words < one.words { (other, one) } else { (one, other) };
    let first = copy.first(view.articles);
    let (first, later) = match first {
        Some(article) if article == one.article => (Some(one), other),
        Some(_) => (Some(other), one),
        None => (None, shorter),
    };
    let unknown = html! { " Nothing tells which was first." };
    html! {
        @match (copy.kind, first) {
            (CopyKind::Verbatim, Some(first)) if std::ptr::eq(first, shorter) => {
                (name(later)) " prints " (percent(first)) " of what " (name(first)) " printed first."
            }
            (CopyKind::Verbatim, Some(first)) => {
                (name(first)) " printed " (percent(later)) " of " (name(later)) "’s text first."
            }
            (CopyKind::Verbatim, None) => {
                (percent(shorter)) " of what " (name(shorter)) " prints stands in " (name(longer)) " too." (unknown)
            }
            (CopyKind::Passage, Some(first)) => {
                (name(later)) " prints " (words(later)) " that " (name(first)) " printed first: "
                (percent(later)) " of its text."
            }
            (CopyKind::Passage, None) => {
                (name(shorter)) " and " (name(longer)) " share " (words(shorter)) ": " (percent(shorter)) " of the shorter text."
                (unknown)
            }
            // Who quotes the same need not have it from one another.
            (CopyKind::Quotes, _) => {
                (name(one)) " and " (name(other)) " quote the same " (words(shorter)) "."
            }
        }
    }
}

fn words(side: &Side) -> String {
    count(side.shared as usize, "word")
}

/// "92 %", never more than it is.
fn percent(side: &Side) -> String {
    match side.percent() {
        0 => "less than 1\u{a0}%".into(),
        percent => format!("{percent}\u{a0}%"),
    }
}

/// Marked words of one block, and of another that they stand beside.
type Marked = Vec<Passage>;

/// Spans by the two blocks that they stand in, so that no block is shown for each of its spans.
fn pairs(spans: &[(Passage, Passage)]) -> Vec<(Marked, Marked)> {
    let mut pairs: Vec<(Marked, Marked)> = Vec::new();
    let block = |it: &Passage| (it.article, it.block);
    for (one, other) in spans {
        let known = pairs.last_mut().filter(|(a, b)| {
            a.first().map(block) == Some(block(one)) && b.first().map(block) == Some(block(other))
        });
        match known {
            Some((a, b)) => {
                a.push(*one);
                b.push(*other);
            }
            None => pairs.push((vec![*one], vec![*other])),
        }
    }
    pairs
}

impl View<'_> {
    /// A block with its marked words, under its outlet.
    fn column(&self, marks: &[Passage]) -> Markup {
        html! {
            div {
                @if let Some(first) = marks.first() {
                    p.from { (self.place(first)) }
                    blockquote dir="auto" { (self.words(&self.around(first, []), marks)) }
                }
            }
        }
    }
}
