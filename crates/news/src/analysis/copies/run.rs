//! Runs of the same words in two texts.

use foldhash::HashMap;

use super::Text;

/// Words of a shingle: fewer are shared by all who write of one thing.
const SHINGLE: usize = 6;
/// Places of one shingle that are tried: a text that says the same over and over has many.
const TRIED: usize = 8;

/// The shingles of a text: which, and at which word it begins; in the order of their numbers.
pub(super) struct Shingles(Vec<(u32, u32)>);

impl Shingles {
    /// `known`: the shingles of all texts so far.
    pub(super) fn of(words: &[u32], known: &mut HashMap<[u32; SHINGLE], u32>) -> Shingles {
        let mut own = Vec::with_capacity(words.len());
        for (at, shingle) in words.windows(SHINGLE).enumerate() {
            let Ok(shingle) = <[u32; SHINGLE]>::try_from(shingle) else { continue };
            let next = known.len() as u32;
            own.push((*known.entry(shingle).or_insert(next), at as u32));
        }
        own.sort_unstable();
        Shingles(own)
    }

    /// Each of them once.
    pub(super) fn each(&self) -> impl Iterator<Item = u32> {
        self.0.chunk_by(|a, b| a.0 == b.0).map(|all| all[0].0)
    }

    /// The first places of one.
    fn places(&self, shingle: u32) -> impl Iterator<Item = usize> {
        let from = self.0.partition_point(|(other, _)| *other < shingle);
        self.0[from..]
            .iter()
            .take_while(move |(other, _)| *other == shingle)
            .take(TRIED)
            .map(|it| it.1 as usize)
    }

    /// By the word that each begins at.
    fn in_order(&self) -> Vec<u32> {
        let mut by_place = vec![0; self.0.len()];
        self.0.iter().for_each(|(shingle, at)| by_place[*at as usize] = *shingle);
        by_place
    }
}

/// The same words in two texts: where they begin in each, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) one: usize,
    pub(super) other: usize,
    pub(super) words: usize,
}

impl Run {
    /// Cut where a sentence ends in one of the texts.
    pub(super) fn pieces(self, one: &Text, other: &Text) -> Vec<Run> {
        let mut pieces: Vec<Run> = Vec::new();
        let mut before = None;
        for at in 0..self.words {
            let sentences = Some((one.words[self.one + at].sentence, other.words[self.other + at].sentence));
            match pieces.last_mut().filter(|_| sentences == before) {
                Some(piece) => piece.words += 1,
                None => pieces.push(Run { one: self.one + at, other: self.other + at, words: 1 }),
            }
            before = sentences;
        }
        pieces
    }
}

/// The runs of a text's words that stand in another one too, from its beginning to its end: at each word the longest.
pub(super) fn runs(one: &Text, other: &Text) -> Vec<Run> {
    let shingles = one.shingles.in_order();
    let mut found: Vec<Run> = Vec::new();
    let mut at = 0;
    while let Some(shingle) = shingles.get(at) {
        let expected = found.last().map(|run| run.other + run.words);
        let longest = other
            .shingles
            .places(*shingle)
            .map(|there| Run { one: at, other: there, words: same(one, at, other, there) })
            // Of equally long ones that which goes on from the run before.
            .max_by_key(|run| {
                (run.words, expected.is_some_and(|next| next <= run.other), std::cmp::Reverse(run.other))
            });
        match longest {
            Some(run) => {
                at += run.words;
                found.push(run);
            }
            None => at += 1,
        }
    }
    found
}

/// How many words are the same from here and from there on.
fn same(one: &Text, here: usize, other: &Text, there: usize) -> usize {
    one.words[here..].iter().zip(&other.words[there..]).take_while(|(a, b)| a.id == b.id).count()
}
