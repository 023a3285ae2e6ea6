//! How each article comes to what it carries: an origin that it states, or one that is inferred.
//!
//! An article states an origin in the sentence itself, or says elsewhere that it has the matter from a recording or a paper. An origin
//! is inferred, and labelled so, from the same words in an article that states it, or from a recording that the article speaks of
//! without saying who has it. All else stays without an origin: what an outlet does not say is not guessed.

use std::collections::HashMap;

use proto::analysis::{Origin, OriginKind, Passage, Sourcing};

use super::alike::Terms;
use super::origin::{Medium, Origins, Stated};
use super::reading::{Reading, Sentence};
use crate::group::product;

/// So much alike is a sentence on a recording that speaks of the matter, and so many names it shares.
const ALIKE: f32 = 0.22;
const SHARED: usize = 2;
/// So many sentences before or behind, it does so with one name in common or this much alike; next to it in one paragraph, as it is.
const NEAR: usize = 2;
const A_LITTLE: f32 = 0.05;

/// All origins of a story, and how to find them.
pub(super) struct Sources<'r, 'a> {
    reading: &'r Reading<'a>,
    terms: &'r Terms,
    /// Of each sentence: what it states, the surest first.
    stated: Vec<Vec<(usize, Passage)>>,
    /// Of each sentence: the recording or paper that it speaks of.
    media: Vec<Option<Medium>>,
    pub(super) origins: Vec<Origin>,
    /// Of each origin, what lies at its bottom.
    bottoms: Vec<Option<Medium>>,
    /// Of each article, the agency that it is from: an origin, and where it says so.
    agencies: HashMap<u32, (usize, Passage)>,
}

impl<'r, 'a> Sources<'r, 'a> {
    pub(super) fn of(reading: &'r Reading<'a>, terms: &'r Terms) -> Self {
        let finder = Origins::of(reading);
        let read: Vec<Vec<Stated>> = reading.sentences.iter().map(|it| finder.stated(it)).collect();
        let media = reading.sentences.iter().map(|it| finder.medium(it)).collect();
        let mut sources = Sources {
            reading,
            terms,
            stated: Vec::new(),
            media,
            origins: Vec::new(),
            bottoms: Vec::new(),
            agencies: HashMap::new(),
        };
        // Named ones first: "a recording" is the one that somebody names, if there is but one.
        let mut known = HashMap::<(OriginKind, String), usize>::new();
        for one in read.iter().flatten().filter(|one| one.named) {
            let at = *known.entry((one.kind, one.name.to_lowercase())).or_insert_with(|| sources.add(one));
            if sources.bottoms[at].is_none() {
                sources.bottoms[at] = one.medium;
            }
        }
        for one in read.iter().flatten().filter(|one| !one.named) {
            let key = (one.kind, one.name.to_lowercase());
            let alone = one.medium.and_then(|medium| sources.only(medium));
            known.entry(key).or_insert_with(|| alone.unwrap_or_else(|| sources.add(one)));
        }
        for sentence in &reading.sentences {
            let Some(bytes) = &sentence.agency else { continue };
            let name =
                sentence.names.iter().find(|(_, name)| name.start <= bytes.start && bytes.end <= name.end);
            let passage = sentence.passage(bytes);
            let full =
                name.map_or(reading.text(&passage), |(name, _)| reading.names.names[*name].full.as_str());
            let key = (OriginKind::Agency, full.to_lowercase());
            let origin = *known.entry(key).or_insert_with(|| {
                sources.origins.push(Origin { kind: OriginKind::Agency, name: full.to_owned() });
                sources.bottoms.push(None);
                sources.origins.len() - 1
            });
            sources.agencies.insert(sentence.place.article, (origin, passage));
        }
        sources.stated = read
            .iter()
            .zip(&reading.sentences)
            .map(|(stated, sentence)| {
                let known = |one: &Stated| known[&(one.kind, one.name.to_lowercase())];
                stated.iter().map(|one| (known(one), sentence.passage(&one.bytes))).collect()
            })
            .collect();
        sources
    }

    fn add(&mut self, one: &Stated) -> usize {
        self.origins.push(Origin { kind: one.kind, name: one.name.clone() });
        self.bottoms.push(one.medium);
        self.origins.len() - 1
    }

    /// The one named origin of a medium, if there is but one.
    fn only(&self, medium: Medium) -> Option<usize> {
        let mut fitting = (0..self.origins.len()).filter(|at| self.bottoms[*at] == Some(medium));
        fitting.next().filter(|_| fitting.next().is_none())
    }

    /// How each article of some sentences that tell the same comes to it, by article. `same_words`: pairs of sentences that print
    /// the same quote.
    pub(super) fn sourcing(&self, sentences: &[usize], same_words: &SameWords) -> Vec<Sourcing> {
        let mut found: Vec<Sourcing> = Vec::new();
        let of = |at: usize| self.reading.sentences[at].place.article;
        let mut articles: Vec<u32> = sentences.iter().map(|at| of(*at)).collect();
        articles.sort_unstable();
        articles.dedup();
        for article in articles {
            let own: Vec<usize> = sentences.iter().copied().filter(|at| of(*at) == article).collect();
            let stated = own.iter().find_map(|at| self.stated[*at].first()).copied();
            let stated =
                stated.or_else(|| self.elsewhere(&own)).or_else(|| self.agencies.get(&article).copied());
            found.push(Sourcing {
                article,
                origin: stated.map(|(origin, _)| origin as u32),
                stated: stated.map(|(_, passage)| passage),
            });
        }
        for at in 0..found.len() {
            if found[at].origin.is_none() {
                let own = sentences.iter().copied().filter(|it| of(*it) == found[at].article);
                found[at].origin =
                    self.inferred(&own.collect::<Vec<_>>(), same_words, &found).map(|it| it as u32);
            }
        }
        found
    }

    /// A recording or paper that the article says elsewhere it has the matter from.
    fn elsewhere(&self, own: &[usize]) -> Option<(usize, Passage)> {
        self.about(own).find_map(|at| {
            let documents = |it: &&(usize, Passage)| self.origins[it.0].kind == OriginKind::Document;
            self.stated[at].iter().find(documents).copied()
        })
    }

    /// Sentences of the same article that speak of the matter of these.
    fn about<'s>(&'s self, own: &'s [usize]) -> impl Iterator<Item = usize> + 's {
        let sentences = &self.reading.sentences;
        let article = own.first().map(|at| sentences[*at].place.article);
        let from = sentences.partition_point(|it| Some(it.place.article) < article);
        let common = |a: &Sentence<'_>, b: &Sentence<'_>| {
            let held = |name: &usize| b.names.iter().any(|(other, _)| other == name);
            let mut common: Vec<usize> = a.names.iter().map(|(name, _)| *name).filter(held).collect();
            common.sort_unstable();
            common.dedup();
            common.len()
        };
        let speaks = move |at: usize, of: usize| {
            let names = common(&sentences[at], &sentences[of]);
            let likeness = || product(&self.terms.vectors[at], &self.terms.vectors[of]);
            let beside = sentences[at].place.block == sentences[of].place.block && at.abs_diff(of) <= 1;
            beside
                || (at.abs_diff(of) <= NEAR && (names > 0 || likeness() >= A_LITTLE))
                || (names >= SHARED && likeness() >= ALIKE)
        };
        (from..sentences.len())
            .take_while(move |at| Some(sentences[*at].place.article) == article)
            .filter(move |at| own.iter().any(|of| speaks(*at, *of)))
    }

    fn inferred(&self, own: &[usize], same_words: &SameWords, others: &[Sourcing]) -> Option<usize> {
        let named = |at: &usize| {
            let origin = self.stated[*at].first()?.0;
            (self.origins[origin].kind <= OriginKind::Report).then_some(origin)
        };
        let words = own.iter().flat_map(|at| same_words.get(at).into_iter().flatten()).find_map(named);
        words.or_else(|| {
            let medium = self.about(own).chain(own.iter().copied()).find_map(|at| self.media[at])?;
            let mut origins = others.iter().filter_map(|it| it.origin.map(|origin| origin as usize));
            origins.find(|origin| self.bottoms[*origin] == Some(medium) || self.only(medium) == Some(*origin))
        })
    }
}

/// Of a sentence, those that print the same quote in other articles.
pub(super) type SameWords = HashMap<usize, Vec<usize>>;
