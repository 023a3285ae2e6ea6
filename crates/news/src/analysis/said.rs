//! Quotes of a story -> its utterances, in the edition's form.

use std::collections::HashMap;

use proto::analysis::{Difference, Passage, Point, Speaker, Utterance, Variant};

use super::reading::{Reading, Said};
use super::sourcing::{SameWords, Sources};
use crate::group::is_stop_word;
use crate::quote::Who;
use crate::span::Span;
use crate::utterance::{self, Line, utterances};
use crate::word::{Class, small, words};

/// The story's utterances, before anybody asks where they come from.
pub(super) struct Heard {
    lines: Vec<String>,
    found: Vec<utterance::Utterance>,
    /// Sentences that print the same quote, for each of them.
    pub(super) same_words: SameWords,
}

impl Heard {
    pub(super) fn of(reading: &Reading<'_>) -> Heard {
        let text = |said: &Said, span: &Span| {
            let block = &reading.articles[said.article].body[span.block];
            block.text()[span.bytes.clone()].trim().to_owned()
        };
        let lines: Vec<String> = reading
            .said
            .iter()
            .map(|said| said.quote.words.iter().map(|span| text(said, span)).collect::<Vec<_>>().join(" "))
            .collect();
        let spoken: Vec<Line<'_>> = reading
            .said
            .iter()
            .zip(&lines)
            .map(|(said, words)| Line { article: said.article, words, speaker: named(said) })
            .collect();
        let found = utterances(&spoken);
        let sentences = |one: &utterance::Utterance| {
            one.variants.iter().map(|it| reading.said[it.line].sentence).collect()
        };
        let same_words = SameWords::of(found.iter().map(sentences).collect());
        Heard { lines, found, same_words }
    }

    /// In the edition's form, with their origins.
    pub(super) fn utterances(&self, reading: &Reading<'_>, sources: &Sources<'_, '_>) -> Vec<Utterance> {
        self.found.iter().map(|one| self.utterance(one, reading, sources)).collect()
    }

    fn utterance(
        &self,
        one: &utterance::Utterance,
        reading: &Reading<'_>,
        sources: &Sources<'_, '_>,
    ) -> Utterance {
        let sentences: Vec<usize> = one.variants.iter().map(|it| reading.said[it.line].sentence).collect();
        let fullest = one.variants.iter().position(|it| it.line == one.fullest).unwrap_or_default();
        let fits = |kept: &std::ops::Range<usize>| (kept.start as u32, kept.end as u32);
        let variants = one.variants.iter().map(|it| {
            let said = &reading.said[it.line];
            let place = |span: &Span| passage(said.article, span);
            Variant {
                words: said.quote.words.iter().filter_map(|span| trimmed(reading, place(span))).collect(),
                sentence: reading.sentences[said.sentence].place,
                speaker: speaker(said),
                addressee: said.quote.addressee.as_ref().map(place),
                occasion: said.quote.occasion.as_ref().map(place),
                kept: it.kept.iter().map(fits).collect(),
            }
        });
        Utterance {
            variants: variants.collect(),
            fullest: fullest as u32,
            alike: one.alike.iter().map(|other| *other as u32).collect(),
            sourcing: sources.sourcing(&sentences, &self.same_words),
            differences: self.differences(one, reading),
        }
    }

    fn differences(&self, one: &utterance::Utterance, reading: &Reading<'_>) -> Vec<Difference> {
        let mut found = Vec::new();
        let first = |lines: &[usize]| {
            let mut by_article = HashMap::<usize, Passage>::new();
            for said in lines.iter().map(|line| &reading.said[*line]) {
                by_article.entry(said.article).or_insert(reading.sentences[said.sentence].place);
            }
            let mut passages: Vec<Passage> = by_article.into_values().collect();
            passages.sort_unstable();
            passages
        };
        if one.speakers.len() > 1 {
            let sides = one.speakers.iter().map(|it| first(&it.lines)).collect();
            found.push(Difference { point: Point::Speaker, sides });
        }
        // Words of its own that say something.
        let own = one.variants.iter().filter(|it| {
            it.own.iter().any(|own| {
                words(&self.lines[it.line][own.clone()])
                    .iter()
                    .any(|word| !word.is_sign() && !is_stop_word(&small(word.text)))
            })
        });
        let other: Vec<usize> = own.map(|it| it.line).collect();
        if !other.is_empty() {
            found.push(Difference {
                point: Point::Wording,
                sides: vec![first(&[one.fullest]), first(&other)],
            });
        }
        found
    }
}

/// The name of who says it, if the article gives one.
fn named(said: &Said) -> Option<&str> {
    match said.quote.speaker.as_ref().map(|speaker| &speaker.who) {
        Some(Who::Named(name)) => Some(name),
        _ => None,
    }
}

fn speaker(said: &Said) -> Speaker {
    match said.quote.speaker.as_ref().map(|speaker| &speaker.who) {
        None => Speaker::Unknown,
        Some(Who::Named(name)) => Speaker::Named(name.clone()),
        // "he" of whom the article does not say more.
        Some(Who::Role(office)) if words(office).iter().all(|word| word.is(Class::PRONOUN)) => {
            Speaker::Unknown
        }
        Some(Who::Role(office)) => Speaker::Role(office.clone()),
        Some(Who::Unnamed(people)) => Speaker::Unnamed(people.clone()),
        Some(Who::Document(paper)) => Speaker::Document(paper.clone()),
    }
}

pub(super) fn passage(article: usize, span: &Span) -> Passage {
    Passage {
        article: article as u32,
        block: span.block as u32,
        start: span.bytes.start as u32,
        end: span.bytes.end as u32,
    }
}

/// Without the blanks at its ends.
fn trimmed(reading: &Reading<'_>, passage: Passage) -> Option<Passage> {
    let text = reading.text(&passage);
    let start = passage.start + (text.len() - text.trim_start().len()) as u32;
    let end = start + text.trim().len() as u32;
    (start < end).then_some(Passage { start, end, ..passage })
}
