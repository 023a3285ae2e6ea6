//! Sentences of different outlets that are one text: who prints what another has printed is no second origin.

use foldhash::{HashMap, HashMapExt as _};

use proto::analysis::CopyKind;

use super::{Families, PASSAGE, Pair, Text, first_printed};
use crate::analysis::reading::Reading;

/// So many of a sentence's words are the other's too, in a hundred, if it is the same sentence.
const SAME: usize = 80;
/// Outlets that a text without a first one is named after.
const NAMED: usize = 3;

/// Which sentences are one text.
#[derive(Default)]
pub(in crate::analysis) struct Texts {
    /// Of each sentence: its text.
    of: HashMap<usize, usize>,
    /// Sentences of each.
    sentences: Vec<Vec<usize>>,
    /// Who had it: the outlet that printed it first, or all that print it.
    names: Vec<String>,
}

impl Texts {
    pub(super) fn of(reading: &Reading<'_>, texts: &[Text], pairs: &[Pair]) -> Texts {
        let mut joined = Families::new(reading.sentences.len());
        let mut counts = vec![0; reading.sentences.len()];
        texts.iter().flat_map(|text| &text.words).for_each(|word| counts[word.sentence] += 1);
        let mut linked = Vec::new();
        for pair in pairs.iter().filter(|pair| pair.kind != CopyKind::Quotes) {
            let (one, other) = (&texts[pair.one.article as usize], &texts[pair.other.article as usize]);
            let mut same = HashMap::<(usize, usize), usize>::new();
            for run in &pair.runs {
                let plain =
                    |at: &usize| !one.words[run.one + at].quoted && !other.words[run.other + at].quoted;
                // A quote beside a passage may be anybody's: only what the passage goes on into is of it.
                if pair.kind == CopyKind::Passage && (0..run.words).filter(plain).count() < PASSAGE {
                    continue;
                }
                for piece in run.pieces(one, other) {
                    let sentences = (one.words[piece.one].sentence, other.words[piece.other].sentence);
                    *same.entry(sentences).or_default() += piece.words;
                }
            }
            let whole = |sentence: usize, same: usize| same * 100 >= counts[sentence] * SAME;
            // Both: one that goes on where the other ends would make all that it holds one text.
            linked.extend(
                same.into_iter().filter(|((a, b), same)| whole(*a, *same) && whole(*b, *same)).map(|it| it.0),
            );
        }
        linked.iter().for_each(|(a, b)| joined.join(*a, *b));
        let mut found = Texts::default();
        let mut all: Vec<usize> = linked.into_iter().flat_map(|(a, b)| [a, b]).collect();
        all.sort_unstable();
        all.dedup();
        let mut numbers = HashMap::new();
        for sentence in all {
            let next = numbers.len();
            let text = *numbers.entry(joined.of(sentence)).or_insert(next);
            if text == found.sentences.len() {
                found.sentences.push(Vec::new());
            }
            found.sentences[text].push(sentence);
            found.of.insert(sentence, text);
        }
        found.names = found.sentences.iter().map(|sentences| name(reading, sentences)).collect();
        found
    }

    /// The text that a sentence is one print of.
    pub(in crate::analysis) fn text(&self, sentence: usize) -> Option<usize> {
        self.of.get(&sentence).copied()
    }

    /// All sentences that are a print of it.
    pub(in crate::analysis) fn sentences(&self, text: usize) -> &[usize] {
        &self.sentences[text]
    }

    /// Who had each.
    pub(in crate::analysis) fn names(&self) -> &[String] {
        &self.names
    }
}

fn name(reading: &Reading<'_>, sentences: &[usize]) -> String {
    let mut articles: Vec<usize> = sentences.iter().map(|at| reading.sentences[*at].article()).collect();
    articles.dedup();
    let outlet = |at: &usize| reading.articles[*at].outlet.as_str();
    if let Some(first) = first_printed(reading.articles, &articles) {
        return outlet(&first).to_owned();
    }
    let mut outlets: Vec<&str> = Vec::new();
    for outlet in articles.iter().map(outlet) {
        if !outlets.contains(&outlet) {
            outlets.push(outlet);
        }
    }
    outlets.truncate(NAMED);
    outlets.join(", ")
}
