//! Which sentences of a story tell the same.
//!
//! A sentence is a sparse vector: stems, names as the story resolves them, numbers; what many sentences of the story hold weighs
//! little. Alike is the cosine. Only sentences that share a word that is not everywhere are compared at all.

use std::borrow::Cow;
use std::ops::Range;

use foldhash::{HashMap, HashMapExt as _};
use rust_stemmers::{Algorithm, Stemmer};

use super::reading::Sentence;
use crate::group::{Vector, is_stop_word, product};
use crate::word::{Class, small};

/// A term that more sentences hold than this leads to none.
const EVERYWHERE: usize = 48;
/// How far sums of the same numbers in another order may differ, and more.
const ROUNDING: f32 = 1e-4;
/// How much more a number counts than a word.
const NUMBER: f32 = 1.3;
/// The mean likeness that two groups must keep when they become one, as a share of the threshold.
const LINKED: f32 = 0.6;

/// The terms of a story's sentences.
pub(super) struct Terms {
    /// Of each sentence: term, and where in the block it stands.
    tokens: Vec<Vec<(u32, usize)>>,
    weights: Vec<f32>,
    /// Of each sentence, all of it.
    pub(super) vectors: Vec<Vector>,
}

impl Terms {
    pub(super) fn of(sentences: &[Sentence<'_>]) -> Terms {
        // Of each term whether it is a number.
        let mut numbers = Vec::new();
        let mut next = |number: bool| {
            numbers.push(number);
            numbers.len() as u32 - 1
        };
        let mut names = HashMap::<usize, u32>::new();
        let all = sentences.iter().map(|sentence| sentence.words.len()).sum::<usize>();
        let mut stems = HashMap::<Cow<'_, str>, u32>::with_capacity(all / 2);
        // Words in small letters; those that tell nothing have no term.
        let mut words = HashMap::<Cow<'_, str>, Option<u32>>::with_capacity(all / 2);
        let stemmer = Stemmer::create(Algorithm::English);
        let mut tokens = Vec::with_capacity(sentences.len());
        for sentence in sentences {
            let mut own = Vec::with_capacity(sentence.words.len());
            let mut named = sentence.names.iter().peekable();
            let mut behind = 0;
            for word in sentence.words {
                while let Some((name, bytes)) = named.next_if(|(_, bytes)| bytes.start <= word.begin) {
                    own.push((*names.entry(*name).or_insert_with(|| next(false)), bytes.start));
                    behind = bytes.end;
                }
                if word.begin < behind || word.is_sign() || word.is_possessive() || word.is(Class::TIME) {
                    continue;
                }
                for part in word.text.split('-') {
                    let term = words.entry(small(part)).or_insert_with_key(|word| {
                        let number = word.starts_with(|c: char| c.is_ascii_digit());
                        let tells = number || word.chars().nth(1).is_some() && !is_stop_word(word);
                        let stem = || match word {
                            Cow::Borrowed(word) => stemmer.stem(word),
                            Cow::Owned(word) => stemmer.stem(word).into_owned().into(),
                        };
                        tells.then(|| *stems.entry(stem()).or_insert_with(|| next(number)))
                    });
                    own.extend(term.map(|term| (term, word.begin)));
                }
            }
            tokens.push(own);
        }
        // In how many sentences each term stands, and which was the last.
        let mut held = vec![(0_usize, None); numbers.len()];
        for (at, own) in tokens.iter().enumerate() {
            for (term, _) in own {
                let (held, last) = &mut held[*term as usize];
                *held += usize::from(last.replace(at) != Some(at));
            }
        }
        let all = sentences.len() as f32;
        let weights = held
            .iter()
            .zip(&numbers)
            .map(|(&(held, _), &number)| (1.0 + all / held as f32).ln() * if number { NUMBER } else { 1.0 })
            .collect();
        let mut terms = Terms { tokens, weights, vectors: Vec::new() };
        terms.vectors = (0..sentences.len()).map(|at| terms.within(at, 0..usize::MAX)).collect();
        terms
    }

    /// The vector of a part of a sentence.
    pub(super) fn within(&self, sentence: usize, bytes: Range<usize>) -> Vector {
        let tokens = &self.tokens[sentence];
        let mut vector = Vector::with_capacity(tokens.len());
        let held = tokens.iter().filter(|(_, at)| bytes.contains(at));
        vector.extend(held.map(|(term, _)| (*term, self.weights[*term as usize])));
        vector.sort_unstable_by_key(|(term, _)| *term);
        vector.dedup_by_key(|(term, _)| *term);
        let length = vector.iter().map(|(_, weight)| weight * weight).sum::<f32>().sqrt();
        vector.iter_mut().for_each(|(_, weight)| *weight /= length);
        vector
    }

    /// How many terms two sentences share.
    pub(super) fn shared(&self, a: usize, b: usize) -> usize {
        let held = |term: &u32| self.vectors[b].binary_search_by_key(term, |(other, _)| *other).is_ok();
        self.vectors[a].iter().filter(|(term, _)| held(term)).count()
    }

    /// Pairs of sentences of different articles that are at least so much alike, the most alike first.
    pub(super) fn pairs(&self, sentences: &[Sentence<'_>], least: f32) -> Vec<(f32, usize, usize)> {
        // The sentences that hold a term, of all terms in one row.
        let mut begins = vec![0; self.weights.len() + 1];
        let terms = || self.vectors.iter().flatten().map(|(term, _)| *term as usize);
        terms().for_each(|term| begins[term + 1] += 1);
        (1..begins.len()).for_each(|term| begins[term] += begins[term - 1]);
        let (mut ends, mut holders) = (begins.clone(), vec![(0, 0.0); terms().count()]);
        for (at, vector) in self.vectors.iter().enumerate() {
            for (term, weight) in vector {
                holders[ends[*term as usize]] = (at, *weight);
                ends[*term as usize] += 1;
            }
        }
        let held = |term: u32| &holders[begins[term as usize]..ends[term as usize]];
        let leads = |term: u32| held(term).len() <= EVERYWHERE;
        // What the terms that lead to none can add is bounded by their lengths: most pairs are not worth the whole product.
        let rest = |vector: &Vector| {
            vector
                .iter()
                .filter(|(term, _)| !leads(*term))
                .map(|(_, weight)| weight * weight)
                .sum::<f32>()
                .sqrt()
        };
        let rests: Vec<f32> = self.vectors.iter().map(rest).collect();
        let mut found = Vec::new();
        let (mut shared, mut met) = (vec![0.0; sentences.len()], Vec::new());
        for (at, vector) in self.vectors.iter().enumerate() {
            for (term, weight) in vector.iter().filter(|(term, _)| leads(*term)) {
                for (other, theirs) in held(*term).iter().take_while(|(other, _)| *other < at) {
                    if shared[*other] == 0.0 {
                        met.push(*other);
                    }
                    shared[*other] += weight * theirs;
                }
            }
            for other in met.drain(..) {
                let most = std::mem::take(&mut shared[other]) + rests[at] * rests[other] + ROUNDING;
                if most < least || sentences[other].article() == sentences[at].article() {
                    continue;
                }
                let alike = product(vector, &self.vectors[other]);
                if alike >= least {
                    found.push((alike, other, at));
                }
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        found
    }
}

/// Groups of `count` things, made of pairs that are alike, the most alike first: two groups become one if their members are alike
/// on the average. Groups of one are left out. `likeness` of two of them.
pub(super) fn groups(
    count: usize,
    pairs: &[(f32, usize, usize)],
    least: f32,
    likeness: impl Fn(usize, usize) -> f32,
) -> Vec<Vec<usize>> {
    /// A group of more is joined by its first members alone.
    const ASKED: usize = 12;
    let mut group: Vec<usize> = (0..count).collect();
    let mut members: Vec<Vec<usize>> = (0..count).map(|one| vec![one]).collect();
    for &(_, a, b) in pairs {
        let (a, b) = (group[a].min(group[b]), group[a].max(group[b]));
        if a == b {
            continue;
        }
        let (left, right) = (&members[a], &members[b]);
        let asked =
            || left.iter().take(ASKED).flat_map(|a| right.iter().take(ASKED).map(|b| likeness(*a, *b)));
        if asked().sum::<f32>() >= LINKED * least * asked().count() as f32 {
            let moved = std::mem::take(&mut members[b]);
            moved.iter().for_each(|one| group[*one] = a);
            members[a].extend(moved);
        }
    }
    let mut found: Vec<Vec<usize>> = members.into_iter().filter(|members| members.len() > 1).collect();
    found.iter_mut().for_each(|members| members.sort_unstable());
    found
}
