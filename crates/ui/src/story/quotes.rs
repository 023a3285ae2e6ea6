//! "Who said what": by speaker, the longest form of each utterance, and every outlet's form behind it.

use maud::{Markup, html};
use proto::analysis::{Passage, Point, Speaker, Utterance, Variant};

use super::{
    evidence::{Line, View, count, folded, named, point},
    origins,
};
use crate::text::{beginning, run, tame};

/// Speakers, and quotes of a speaker, before the fold.
const SPEAKERS: usize = 12;
const QUOTES: usize = 6;
/// Longer utterances are not set against each other, in bytes: nobody compares pages by eye.
const COMPARED: usize = 2_000;
/// How much of another utterance a link to it says, in characters.
const OPENING: usize = 70;
/// Links to like utterances.
const ALIKE: usize = 4;

type Numbered<'a> = (usize, &'a Utterance);

/// The section's text. Drawn only if something was said.
pub(super) fn quotes(view: &View<'_>) -> Markup {
    let all = view.utterances.iter().enumerate();
    let (disputed, rest): (Vec<_>, Vec<_>) = all.partition(|(_, it)| disputed(it));
    let mut speakers: Vec<(&Speaker, Vec<Numbered<'_>>)> = Vec::new();
    for (number, utterance) in rest {
        let speaker = speaker(utterance);
        match speakers.iter_mut().find(|(known, _)| *known == speaker) {
            Some((_, said)) => said.push((number, utterance)),
            None => speakers.push((speaker, vec![(number, utterance)])),
        }
    }
    html! {
        @if !disputed.is_empty() {
            div.voice.disputed {
                h3 { "Given to different people" }
                (list(view, &disputed))
            }
        }
        (folded(&speakers, SPEAKERS, |speakers| html! {
            @for (speaker, said) in speakers {
                div.voice {
                    h3 { (heading(speaker)) }
                    (list(view, said))
                }
            }
        }))
    }
}

/// Whether outlets give its words to different people.
pub(super) fn disputed(utterance: &Utterance) -> bool {
    !utterance.variants.is_empty() && utterance.differences.iter().any(|it| it.point == Point::Speaker)
}

/// An utterance's first words, a link to where it is shown.
pub(super) fn link(view: &View<'_>, number: usize) -> Markup {
    let longest = view.utterances.get(number).and_then(longest);
    html! {
        @if let Some(longest) = longest {
            a href={ "#u-" (number) } { "“" (run(&beginning(bare(&longest.text(view.articles)), OPENING))) "”" }
        }
    }
}

fn list(view: &View<'_>, said: &[Numbered<'_>]) -> Markup {
    folded(said, QUOTES, |said| {
        html! { ul.said { @for (number, utterance) in said { (one(view, *number, utterance)) } } }
    })
}

fn one(view: &View<'_>, number: usize, utterance: &Utterance) -> Markup {
    let Some(longest) = longest(utterance) else { return html! {} };
    let sentences: Vec<Passage> = utterance.variants.iter().map(|it| it.sentence).collect();
    let outlets = view.outlets(sentences.iter().map(|it| it.article));
    let told = |of: fn(&Variant) -> Option<Passage>| {
        [longest].into_iter().chain(&utterance.variants).find_map(|it| of(it)?.text(view.articles))
    };
    let (addressee, occasion) = (told(|it| it.addressee), told(|it| it.occasion));
    html! {
        li #{ "u-" (number) } {
            blockquote.words dir="auto" { p { "“" (pieces(view, longest)) "”" } }
            @for it in utterance.differences.iter().filter(|it| it.point == Point::Speaker) {
                @let parties = view.outlets(it.sides.iter().flatten().map(|words| words.article)).len();
                p.conflict {
                    @match parties {
                        1 => "One outlet gives",
                        2 => "Two outlets give",
                        many => { (many) " outlets give" },
                    }
                    " these words to different people."
                }
                (view.difference(it, &sentences))
            }
            p.from {
                (view.names(&outlets))
                @if let Some(whom) = addressee { " · to: " (named(whom)) }
                @if let Some(when) = occasion { " · occasion: " (named(when)) }
            }
            (origins::note(view, &utterance.sourcing))
            (alike(view, utterance))
            (forms(view, utterance, longest))
            @for it in utterance.differences.iter().filter(|it| it.point != Point::Speaker) {
                details.evidence {
                    summary { (point(it.point)) }
                    (view.difference(it, &sentences))
                }
            }
        }
    }
}

/// Every outlet's form: its sentence with the words marked, and what it leaves out.
fn forms(view: &View<'_>, utterance: &Utterance, longest: &Variant) -> Markup {
    let whole = longest.text(view.articles);
    let lines: Vec<_> = utterance
        .variants
        .iter()
        .map(|it| Line {
            sentence: it.sentence,
            marks: it.words.clone(),
            note: html! {
                @if it.speaker != longest.speaker { p.hint { "Speaker here: " (who(&it.speaker)) } }
                @if utterance.variants.len() > 1 { (compared(it, longest, &whole)) }
            },
        })
        .collect();
    view.lines(&count(lines.len(), if lines.len() > 1 { "form" } else { "sentence" }), &lines)
}

/// A form set against the longest one.
fn compared(form: &Variant, longest: &Variant, whole: &str) -> Markup {
    let pieces = left_out(whole, &form.kept);
    html! {
        @if std::ptr::eq(form, longest) {
            p.hint { "The longest form." }
        } @else if pieces.iter().all(|(_, kept)| *kept) {
            p.hint { "All words of the longest form." }
        } @else if pieces.iter().all(|(_, kept)| !*kept) {
            p.hint { "Other words than the longest form." }
        } @else if whole.len() > COMPARED {
            p.hint { "Leaves out words of the longest form, which is too long to set beside it." }
        } @else {
            p.hint.kept dir="auto" {
                "Against the longest form: "
                @for (piece, kept) in pieces {
                    @if kept { (tame(piece)) } @else {
                        // Few screen readers say that words are struck out.
                        span.aloud { " left out: " }
                        del { (tame(piece)) }
                        span.aloud { " end of what is left out. " }
                    }
                }
            }
        }
    }
}

/// The longest form cut into what is kept and what is not. Blanks and marks between words are nobody's loss.
fn left_out<'t>(whole: &'t str, kept: &[(u32, u32)]) -> Vec<(&'t str, bool)> {
    let mut kept: Vec<_> = kept.iter().map(|(start, end)| (*start as usize, *end as usize)).collect();
    kept.sort_unstable();
    let mut pieces = Vec::new();
    let mut at = 0;
    for (start, end) in kept {
        let start = start.max(at);
        if let (Some(gap), Some(stretch)) = (whole.get(at..start), whole.get(start..end)) {
            pieces.extend([(gap, !gap.contains(char::is_alphanumeric)), (stretch, true)]);
            at = end;
        }
    }
    let rest = &whole[at..];
    pieces.push((rest, !rest.contains(char::is_alphanumeric)));
    pieces.retain(|(piece, _)| !piece.is_empty());
    pieces
}

fn alike(view: &View<'_>, utterance: &Utterance) -> Markup {
    let other = |it: &u32| Some((*it as usize, view.utterances.get(*it as usize)?));
    let others = utterance.alike.iter().filter_map(other).filter(|(_, it)| !it.variants.is_empty());
    html! {
        @for (number, other) in others.take(ALIKE) {
            p.hint {
                @if speaker(other) == speaker(utterance) { "In other words: " } @else {
                    "Similar words by " (who(speaker(other))) ": "
                }
                (link(view, number))
            }
        }
    }
}

/// The words, with a gap where the sentence says who spoke. A comma at the end belongs to that sentence.
fn pieces(view: &View<'_>, variant: &Variant) -> Markup {
    let comma =
        |piece: &Passage| piece.text(view.articles).is_some_and(|text| text.len() > 1 && text.ends_with(','));
    let last = variant.words.len().saturating_sub(1);
    html! {
        @for (place, piece) in variant.words.iter().enumerate() {
            @if place > 0 { " … " }
            (view.words(&Passage { end: piece.end - u32::from(place == last && comma(piece)), ..*piece }, &[]))
        }
    }
}

fn longest(utterance: &Utterance) -> Option<&Variant> {
    utterance.variants.get(utterance.fullest as usize).or(utterance.variants.first())
}

/// Who said it by the longest form, or by the first form that tells.
fn speaker(utterance: &Utterance) -> &Speaker {
    let forms = || longest(utterance).into_iter().chain(&utterance.variants).map(|it| &it.speaker);
    forms().find(|it| **it != Speaker::Unknown).unwrap_or(&Speaker::Unknown)
}

/// A speaker over what they said, with what kind of speaker it is.
fn heading(speaker: &Speaker) -> Markup {
    let kind = match speaker {
        Speaker::Unknown | Speaker::Named(_) => None,
        Speaker::Role(_) | Speaker::Unnamed(_) => Some("no name given"),
        Speaker::Document(_) => Some("a text, not a person"),
    };
    html! { (who(speaker)) @if let Some(kind) = kind { span.told { (kind) } } }
}

/// A speaker in a line.
fn who(speaker: &Speaker) -> Markup {
    match speaker {
        Speaker::Unknown => html! { "somebody who is not told" },
        Speaker::Named(name) | Speaker::Role(name) | Speaker::Unnamed(name) | Speaker::Document(name) => {
            named(name)
        }
    }
}

/// Words without the marks that a page already has around them.
fn bare(words: &str) -> &str {
    words.trim_matches(['“', '”', '"', '«', '»', '„'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_lies_between_what_is_kept() {
        let whole = "We should have met, we should have talked, and we did not.";
        assert_eq!(
            left_out(whole, &[(20, 41), (0, 18)]),
            [
                ("We should have met", true),
                (", ", true),
                ("we should have talked", true),
                (", and we did not.", false)
            ]
        );
        assert_eq!(left_out(whole, &[(0, 57)]).len(), 2, "the full stop is nobody's loss");
        assert_eq!(left_out(whole, &[]), [(whole, false)]);
    }

    #[test]
    fn stretches_that_do_not_fit_are_no_panic() {
        for kept in [(0, 900), (900, 901), (5, 2), (1, 2)] {
            let pieces = left_out("é ja", &[kept, (3, 5)]);
            assert_eq!(pieces.iter().map(|(piece, _)| *piece).collect::<String>(), "é ja");
        }
    }
}
