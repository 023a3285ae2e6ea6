//! Sentences of a story -> its claims: what several outlets assert, and what one alone does.

use std::collections::HashMap;

use proto::analysis::{Claim, Passage};

use super::alike::{Terms, groups};
use super::compare::differences;
use super::reading::{Reading, Sentence};
use super::sourcing::{SameWords, Sources};
use crate::group::product;
use crate::word::Class;

/// So much alike are two sentences that assert the same.
const SAME: f32 = 0.36;
/// Beyond this, another outlet says something like it.
const UNLIKE: f32 = 0.22;
/// So many terms they share at least.
const SHARED: usize = 3;
/// Of what one outlet alone says, so many sentences are shown.
const ALONE: usize = 12;

/// The claims, the most carried first.
pub(super) fn claims(
    reading: &Reading<'_>,
    terms: &Terms,
    sources: &Sources<'_, '_>,
    same: &SameWords,
) -> Vec<Claim> {
    // One article alone asserts nothing that another does, or does not.
    if reading.articles.len() < 2 {
        return Vec::new();
    }
    let sentences = &reading.sentences;
    let alike = terms.pairs(sentences, UNLIKE);
    let asserted: Vec<bool> = sentences.iter().map(Sentence::is_asserted).collect();
    let same_matter = |(likeness, a, b): &(f32, usize, usize)| {
        *likeness >= SAME && asserted[*a] && asserted[*b] && terms.shared(*a, *b) >= SHARED
    };
    let pairs: Vec<(f32, usize, usize)> = alike.iter().copied().filter(same_matter).collect();
    let likeness = |a: usize, b: usize| product(&terms.vectors[a], &terms.vectors[b]);
    let mut found = groups(sentences.len(), &pairs, SAME, likeness);
    found.retain(|group| group.iter().any(|at| sentences[*at].article() != sentences[group[0]].article()));
    // Opinion asserts nothing by itself.
    found.retain(|group| group.iter().any(|at| !reading.is_opinion(sentences[*at].article())));
    let mut told = vec![false; sentences.len()];
    found.iter().flatten().for_each(|at| told[*at] = true);
    alike.iter().for_each(|(_, a, b)| (told[*a], told[*b]) = (true, true));
    let mut made: Vec<(usize, Claim)> = found
        .iter()
        .map(|group| {
            let claim = Claim {
                sentences: group.iter().map(|at| sentences[*at].place).collect(),
                sourcing: sources.sourcing(group, same),
                differences: differences(reading, group),
            };
            (outlets(reading, &claim.sentences), claim)
        })
        .collect();
    made.sort_by_key(|(outlets, claim)| (std::cmp::Reverse(*outlets), claim.sentences[0]));
    let mut claims: Vec<Claim> = made.into_iter().map(|(_, claim)| claim).collect();
    claims.extend(alone(reading, &asserted, &told).into_iter().map(|at| Claim {
        sentences: vec![sentences[at].place],
        sourcing: sources.sourcing(&[at], same),
        differences: Vec::new(),
    }));
    claims
}

/// What only one outlet says: of each article the sentences that hold most that can be checked, but for those that another outlet
/// says something like.
fn alone(reading: &Reading<'_>, asserted: &[bool], told: &[bool]) -> Vec<usize> {
    let sentences = &reading.sentences;
    let mut outlets: Vec<&str> = reading.articles.iter().map(|article| article.outlet.as_str()).collect();
    outlets.sort_unstable();
    outlets.dedup();
    if outlets.len() < 2 {
        return Vec::new();
    }
    let each = (ALONE / reading.articles.len()).max(1);
    let mut by_article = HashMap::<usize, Vec<(usize, usize)>>::new();
    for (at, sentence) in sentences.iter().enumerate() {
        if told[at] || !asserted[at] || reading.is_opinion(sentence.article()) {
            continue;
        }
        let numbers =
            sentence.words.iter().filter(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
        let names: std::collections::HashSet<usize> = sentence.names.iter().map(|(name, _)| *name).collect();
        let facts = names.len() + numbers.count() + sentence.times.len();
        let tells = sentence.words.iter().any(|word| word.is(Class::CUE) || word.is(Class::AUX));
        if facts >= 3 && tells {
            by_article.entry(sentence.article()).or_default().push((facts, at));
        }
    }
    let mut chosen = Vec::new();
    for (_, mut found) in by_article {
        found.sort_by_key(|(facts, at)| (std::cmp::Reverse(*facts), *at));
        chosen.extend(found.into_iter().take(each).map(|(_, at)| at));
    }
    chosen.sort_unstable();
    chosen
}

/// How many outlets report it.
fn outlets(reading: &Reading<'_>, sentences: &[Passage]) -> usize {
    let reports = sentences.iter().map(|it| it.article as usize).filter(|it| !reading.is_opinion(*it));
    let mut outlets: Vec<&str> = reports.map(|it| reading.articles[it].outlet.as_str()).collect();
    outlets.sort_unstable();
    outlets.dedup();
    outlets.len()
}
