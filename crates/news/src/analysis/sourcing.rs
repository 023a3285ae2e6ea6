//! How each article comes to what it carries: an origin that it states, or one that is inferred.
//!
//! An article states an origin in the sentence itself, or says elsewhere that it has the matter from a recording or a paper. An origin
//! is inferred, and labelled so: from the same sentence or the same quote in an article that states it, or from a recording that the
//! article speaks of without saying who has it. Of a text that several outlets print and none of them says where it is from, that text is
//! the origin: one, however many print it. All else stays without an origin: what an outlet does not say is not guessed.
//!
//! What stands in an article that its outlet marks as opinion has an origin of its own, unless the sentence states another.

use std::collections::{HashMap, HashSet};

use proto::analysis::{Origin, OriginKind, Passage, Sourcing};

use super::alike::Terms;
use super::copies::Texts;
use super::origin::{Medium, Origins, Stated, bare};
use super::reading::{Reading, Sentence};
use crate::group::product;

/// So much alike is a sentence on a recording that speaks of the matter, and so many names it shares.
const ALIKE: f32 = 0.22;
const SHARED: usize = 2;
/// So many sentences before or behind, it does so with one name in common or this much alike; next to it in one paragraph, as it is.
const NEAR: usize = 2;
const A_LITTLE: f32 = 0.05;
/// Of an article that has more such sentences, no more are looked at from afar: no article has, and one may be made of them.
const ASKED: usize = 300;

/// All origins of a story, and how to find them.
pub(super) struct Sources<'r, 'a> {
    reading: &'r Reading<'a>,
    terms: &'r Terms,
    texts: &'r Texts,
    /// Of each sentence: what it states, the surest first.
    stated: Vec<Vec<(usize, Passage)>>,
    /// The sentences that state a paper or a recording, in order.
    of_documents: Vec<usize>,
    /// Of each sentence: the recording or paper that it speaks of.
    media: Vec<Option<Medium>>,
    /// The sentences that speak of any, in order.
    of_media: Vec<usize>,
    /// Of each sentence: its names, each once, in order.
    names: Vec<Vec<usize>>,
    pub(super) origins: Vec<Origin>,
    /// Of each origin, what lies at its bottom.
    bottoms: Vec<Option<Medium>>,
    /// Of each article, the agency that it is from: an origin, and where it says so.
    agencies: HashMap<u32, (usize, Passage)>,
    /// Of each text that several outlets print, that text.
    printed: Vec<usize>,
    /// Of each article that its outlet marks as opinion, that opinion.
    opinions: HashMap<u32, usize>,
}

impl<'r, 'a> Sources<'r, 'a> {
    pub(super) fn of(reading: &'r Reading<'a>, terms: &'r Terms, texts: &'r Texts) -> Self {
        let finder = Origins::of(reading);
        let (read, media): (Vec<Vec<Stated>>, Vec<Option<Medium>>) =
            reading.sentences.iter().map(|it| finder.read(it)).unzip();
        let mut sources = Sources {
            reading,
            terms,
            texts,
            stated: Vec::new(),
            of_documents: Vec::new(),
            of_media: (0..media.len()).filter(|at| media[*at].is_some()).collect(),
            media,
            names: reading.sentences.iter().map(names).collect(),
            origins: Vec::new(),
            bottoms: Vec::new(),
            agencies: HashMap::new(),
            printed: Vec::new(),
            opinions: HashMap::new(),
        };
        // Named ones first: "a recording" is the one that somebody names, if there is but one.
        let mut known = HashMap::<(OriginKind, String), usize>::new();
        let owns = read.iter().flatten().filter(|one| one.kind == OriginKind::Own);
        let owns: HashSet<String> = owns.map(|one| bare(&one.name)).collect();
        // An outlet's own report is one origin, whether it tells of it or others do.
        let key = |one: &Stated| {
            let name = bare(&one.name);
            let own = one.kind == OriginKind::Report && owns.contains(&name);
            (if own { OriginKind::Own } else { one.kind }, name)
        };
        for one in read.iter().flatten().filter(|one| one.named) {
            let (kind, name) = key(one);
            let at = *known.entry((kind, name)).or_insert_with(|| sources.add(kind, &one.name, one.medium));
            if sources.bottoms[at].is_none() {
                sources.bottoms[at] = one.medium;
            }
        }
        for one in read.iter().flatten().filter(|one| !one.named) {
            let alone = one.medium.and_then(|medium| sources.only(medium));
            let add = || alone.unwrap_or_else(|| sources.add(one.kind, &one.name, one.medium));
            known.entry(key(one)).or_insert_with(add);
        }
        for sentence in &reading.sentences {
            let Some(bytes) = &sentence.agency else { continue };
            let name =
                sentence.names.iter().find(|(_, name)| name.start <= bytes.start && bytes.end <= name.end);
            let passage = sentence.passage(bytes);
            let full =
                name.map_or(reading.text(&passage), |(name, _)| reading.names.names[*name].full.as_str());
            let agency = (OriginKind::Agency, bare(full));
            let origin = *known.entry(agency).or_insert_with(|| sources.add(OriginKind::Agency, full, None));
            sources.agencies.insert(sentence.place.article, (origin, passage));
        }
        sources.stated = read
            .iter()
            .zip(&reading.sentences)
            .map(|(stated, sentence)| {
                stated.iter().map(|one| (known[&key(one)], sentence.passage(&one.bytes))).collect()
            })
            .collect();
        let states = |at: &usize| {
            sources.stated[*at].iter().any(|it| sources.origins[it.0].kind == OriginKind::Document)
        };
        sources.of_documents = (0..sources.stated.len()).filter(states).collect();
        for (at, article) in reading.articles.iter().enumerate().filter(|(_, it)| it.opinion.is_some()) {
            let opinion = (OriginKind::Opinion, bare(&article.outlet));
            let add = || sources.add(OriginKind::Opinion, &article.outlet, None);
            let origin = *known.entry(opinion).or_insert_with(add);
            sources.opinions.insert(at as u32, origin);
        }
        for name in texts.names() {
            let text = (OriginKind::Text, bare(name));
            let origin = *known.entry(text).or_insert_with(|| sources.add(OriginKind::Text, name, None));
            sources.printed.push(origin);
        }
        sources
    }

    fn add(&mut self, kind: OriginKind, name: &str, bottom: Option<Medium>) -> usize {
        self.origins.push(Origin { kind, name: name.to_owned() });
        self.bottoms.push(bottom);
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
        let of = |at: &usize| self.reading.sentences[*at].place.article;
        let mut by_article = sentences.to_vec();
        by_article.sort_by_key(of);
        let each = || by_article.chunk_by(|a, b| of(a) == of(b));
        for own in each() {
            let article = of(&own[0]);
            let stated = own.iter().find_map(|at| self.stated[*at].first()).copied();
            let opinion = self.opinions.get(&article).copied();
            let stated = match opinion {
                Some(_) => stated,
                None => {
                    stated.or_else(|| self.elsewhere(own)).or_else(|| self.agencies.get(&article).copied())
                }
            };
            found.push(Sourcing {
                article,
                origin: stated.map(|(origin, _)| origin).or(opinion).map(|origin| origin as u32),
                stated: stated.map(|(_, passage)| passage),
            });
        }
        for (at, own) in each().enumerate() {
            if found[at].origin.is_none() {
                let inferred = self.printed_elsewhere(own, &found);
                let inferred = inferred.or_else(|| self.inferred(own, same_words, &found));
                found[at].origin = inferred.or_else(|| self.one_text(own)).map(|it| it as u32);
            }
        }
        found
    }

    /// A recording or paper that the article says elsewhere it has the matter from.
    fn elsewhere(&self, own: &[usize]) -> Option<(usize, Passage)> {
        let document = |it: &&(usize, Passage)| self.origins[it.0].kind == OriginKind::Document;
        let about = &mut self.about(own, &self.of_documents);
        about.find_map(|at| self.stated[at].iter().find(document).copied())
    }

    /// Those of some sentences that are of the same article and speak of the matter of these.
    fn about<'s>(&'s self, own: &'s [usize], some: &'s [usize]) -> impl Iterator<Item = usize> + 's {
        let place = |at: usize| &self.reading.sentences[at].place;
        let article = |at: &usize| place(*at).article;
        let first = own.first().map(article);
        let from = some.partition_point(|at| Some(article(at)) < first);
        let to = some.partition_point(|at| Some(article(at)) <= first);
        let near = move |at: usize, of: usize| {
            let beside = at.abs_diff(of) <= 1 && place(at).block == place(of).block;
            beside || self.common(at, of) > 0 || self.likeness(at, of) >= A_LITTLE
        };
        let like = |at: usize, of: usize| self.common(at, of) >= SHARED && self.likeness(at, of) >= ALIKE;
        let speaks = move |(nth, at): &(usize, usize)| {
            own.iter().any(|of| at.abs_diff(*of) <= NEAR && near(*at, *of))
                || *nth < ASKED && own.iter().any(|of| like(*at, *of))
        };
        some[from..to].iter().copied().enumerate().filter(speaks).map(|(_, at)| at)
    }

    /// How many names two sentences have in common.
    fn common(&self, a: usize, b: usize) -> usize {
        in_common(&self.names[a], &self.names[b])
    }

    fn likeness(&self, a: usize, b: usize) -> f32 {
        product(&self.terms.vectors[a], &self.terms.vectors[b])
    }

    /// The origin that another print of the same sentence states, or that the article has in which it stands. Not one that was
    /// printed later: who copies a sentence and puts a source behind it does not say where the first had it.
    fn printed_elsewhere(&self, own: &[usize], others: &[Sourcing]) -> Option<usize> {
        let article = |at: usize| self.reading.sentences[at].place.article;
        let when = |at: usize| self.reading.articles[article(at) as usize].published;
        let is_later = |at: usize, own: usize| {
            article(at) != article(own) && when(own).zip(when(at)).is_some_and(|(own, it)| own.is_before(&it))
        };
        let prints = || {
            let texts = own.iter().filter_map(|at| Some((*at, self.texts.text(*at)?)));
            let all =
                texts.flat_map(|(own, text)| self.texts.sentences(text).iter().map(move |at| (*at, own)));
            all.filter(|(at, own)| !is_later(*at, *own)).map(|(at, _)| at)
        };
        let stated = prints().find_map(|at| self.stated[at].first()).map(|it| it.0);
        let found = || {
            let of = |at: usize| others.iter().find(|it| it.article == article(at) && it.stated.is_some());
            prints().filter_map(of).find_map(|it| it.origin).map(|origin| origin as usize)
        };
        stated
            .or_else(found)
            .or_else(|| prints().find_map(|at| self.agencies.get(&article(at))).map(|it| it.0))
    }

    /// The text that a sentence is one print of.
    fn one_text(&self, own: &[usize]) -> Option<usize> {
        own.iter().find_map(|at| self.texts.text(*at)).map(|text| self.printed[text])
    }

    fn inferred(&self, own: &[usize], same_words: &SameWords, others: &[Sourcing]) -> Option<usize> {
        let named = |at: usize| {
            let origin = self.stated[at].first()?.0;
            (self.origins[origin].kind <= OriginKind::Report).then_some(origin)
        };
        let article = |at: usize| self.reading.sentences[at].place.article;
        let elsewhere =
            |at: &usize| same_words.beside(*at).filter(|other| article(*other) != article(own[0]));
        let words = own.iter().flat_map(elsewhere).find_map(named);
        words.or_else(|| {
            let mut about = self.about(own, &self.of_media).chain(own.iter().copied());
            let medium = about.find_map(|at| self.media[at])?;
            let mut origins = others.iter().filter_map(|it| it.origin.map(|origin| origin as usize));
            origins.find(|origin| self.bottoms[*origin] == Some(medium) || self.only(medium) == Some(*origin))
        })
    }
}

/// Which sentences print the same quote.
pub(super) struct SameWords {
    /// The sentences of each quote.
    quotes: Vec<Vec<usize>>,
    /// Each sentence with a quote that it prints, in order.
    printed: Vec<(usize, usize)>,
}

impl SameWords {
    /// The sentences of each quote.
    pub(super) fn of(quotes: Vec<Vec<usize>>) -> SameWords {
        let each = quotes.iter().enumerate();
        let mut printed: Vec<(usize, usize)> =
            each.flat_map(|(quote, sentences)| sentences.iter().map(move |at| (*at, quote))).collect();
        printed.sort_unstable();
        printed.dedup();
        SameWords { quotes, printed }
    }

    /// All sentences that print a quote of this one, itself among them.
    fn beside(&self, sentence: usize) -> impl Iterator<Item = usize> {
        let from = self.printed.partition_point(|(at, _)| *at < sentence);
        let own = self.printed[from..].iter().take_while(move |(at, _)| *at == sentence);
        own.flat_map(|(_, quote)| self.quotes[*quote].iter().copied())
    }
}

/// The names of a sentence, each once, in order.
fn names(sentence: &Sentence<'_>) -> Vec<usize> {
    let mut names: Vec<usize> = sentence.names.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// How many numbers two lists have in common, both in order and each number but once.
fn in_common(one: &[usize], other: &[usize]) -> usize {
    let (mut i, mut j, mut found) = (0, 0, 0);
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        found += usize::from(a == b);
        i += usize::from(a <= b);
        j += usize::from(b <= a);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_that_many_print_are_kept_once_for_each_sentence() {
        // A chant that one article prints a thousand times, another too, and a sentence with two quotes.
        let chant: Vec<usize> = (0..2_000).chain([7]).collect();
        let same = SameWords::of(vec![chant, vec![7, 2_001]]);
        assert_eq!(same.printed.len(), 2_002);
        assert_eq!(same.beside(2_001).collect::<Vec<_>>(), [7, 2_001]);
        assert_eq!(same.beside(7).count(), 2_001 + 2);
        assert_eq!(same.beside(9_999).count(), 0);
    }

    #[test]
    fn names_in_common_are_counted() {
        assert_eq!(in_common(&[1, 3, 5, 9], &[2, 3, 9, 11]), 2);
        assert_eq!(in_common(&[], &[2]), 0);
    }
}
