//! Which articles of a story print the same words, and which words.
//!
//! ```text
//! words of each article -> shingles -> pairs of articles that share some -> runs of the same words in both
//!                       -> kind of each pair -> rows, and sentences that are one text
//! ```
//!
//! Only words count: marks, signs and capitals do not. A pair is looked at in one pass over one of its articles, and only if both hold a
//! shingle and no other pair tells the same; articles of one outlet are no pair, for an outlet does not copy itself.

mod run;
#[cfg(test)]
mod tests;
mod texts;

use std::borrow::Cow;
use std::cmp::Reverse;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use proto::analysis::{CopyKind, NearCopy, Passage, Side};
use proto::story::Article;

use super::reading::Reading;
use crate::word::small;
use run::{Run, Shingles, runs};
pub(super) use texts::Texts;

/// So much of the shorter text's words stand in the other one, in a hundred, if that is nearly the whole of it.
const NEARLY_ALL: usize = 80;
/// A text of fewer words is a passage.
const SHORTEST_TEXT: usize = 30;
/// So many words in a run that stand outside of marks are a passage.
const PASSAGE: usize = 20;
/// So many words within marks are a quote worth a row.
const QUOTE: usize = 8;
/// Pairs that share so many of the shorter text's shingles, in a hundred, may be copies: a word that differs spoils six of them.
const MOST: usize = 50;
/// Pairs that are looked at word by word: far more than rows, and few enough for the largest story.
const LOOKED_AT: usize = 1_000;
/// The most rows of a story. A story has 100 articles; of those that are copies of one there are 99 rows.
const ROWS: usize = 100;
/// The most spans of a row, of all rows, and of each of many.
const SPANS: usize = 12;
const ALL_SPANS: usize = 600;
const LEAST_SPANS: usize = 2;
/// Shorter pieces of a run stand at the end of a sentence of which the rest differs: they show nothing.
const SHORTEST_SPAN: usize = 4;

/// What the articles of a story have in common, word for word.
pub(super) struct Copies {
    /// The rows, in the edition's form.
    pub(super) rows: Vec<NearCopy>,
    /// Which sentences are one text.
    pub(super) texts: Texts,
}

/// An article's paragraphs as words.
pub(super) struct Text {
    article: usize,
    words: Vec<Printed>,
    shingles: Shingles,
}

/// A word as an article prints it.
struct Printed {
    /// Which word it is.
    id: u32,
    sentence: usize,
    start: u32,
    end: u32,
    quoted: bool,
}

/// Two articles with the runs that both print.
struct Pair {
    kind: CopyKind,
    one: Side,
    other: Side,
    runs: Vec<Run>,
}

impl Copies {
    pub(super) fn of(reading: &Reading<'_>) -> Copies {
        // An outlet alone copies nobody.
        if reading.articles.windows(2).all(|two| two[0].outlet == two[1].outlet) {
            return Copies { rows: Vec::new(), texts: Texts::default() };
        }
        let read = texts(reading);
        let pairs = pairs(reading.articles, &read);
        let shown = &pairs[..pairs.len().min(ROWS)];
        let spans = (ALL_SPANS / shown.len().max(1)).clamp(LEAST_SPANS, SPANS);
        let row = |pair: &Pair| NearCopy {
            kind: pair.kind,
            one: pair.one,
            other: pair.other,
            spans: pair.spans(reading, &read, spans),
        };
        let rows = shown.iter().map(row).filter(|row| !row.spans.is_empty()).collect();
        Copies { rows, texts: Texts::of(reading, &read, &pairs) }
    }
}

/// The words of each article.
fn texts(reading: &Reading<'_>) -> Vec<Text> {
    let all = reading.sentences.iter().map(|sentence| sentence.words.len()).sum::<usize>();
    let mut ids = HashMap::<Cow<'_, str>, u32>::with_capacity(all / 2);
    let mut words: Vec<Vec<Printed>> = reading.articles.iter().map(|_| Vec::new()).collect();
    for (at, sentence) in reading.sentences.iter().enumerate() {
        // An ending is no word: "the council’s" and "the council" differ in grammar alone.
        for word in sentence.words.iter().filter(|word| !word.is_sign() && !word.is_possessive()) {
            let text = match word.text.contains('’') {
                true => Cow::Owned(small(word.text).replace('’', "'")),
                false => small(word.text),
            };
            let next = ids.len() as u32;
            let id = *ids.entry(text).or_insert(next);
            let bytes = word.bytes();
            words[sentence.article()].push(Printed {
                id,
                sentence: at,
                start: bytes.start as u32,
                end: bytes.end as u32,
                quoted: sentence.is_quoted(word.begin),
            });
        }
    }
    let mut shingles = HashMap::with_capacity(all);
    let text = |(article, words): (usize, Vec<Printed>)| {
        let ids: Vec<u32> = words.iter().map(|word| word.id).collect();
        Text { article, shingles: Shingles::of(&ids, &mut shingles), words }
    };
    words.into_iter().enumerate().map(text).collect()
}

/// Two articles of different outlets that hold the same shingles.
struct Sharing {
    one: usize,
    other: usize,
    /// How many.
    shingles: u32,
    /// Whether they are most of those that the shorter one has.
    most: bool,
}

/// Pairs that share any.
fn sharing(articles: &[Article], texts: &[Text]) -> Vec<Sharing> {
    let own = |text: &Text| text.shingles.each().map(|shingle| (shingle, text.article)).collect::<Vec<_>>();
    let mut holders: Vec<(u32, usize)> = texts.iter().flat_map(own).collect();
    holders.sort_unstable();
    let mut shared = vec![0; articles.len() * articles.len()];
    for held in holders.chunk_by(|a, b| a.0 == b.0) {
        for (at, (_, one)) in held.iter().enumerate() {
            held[at + 1..].iter().for_each(|(_, other)| shared[one * articles.len() + other] += 1);
        }
    }
    let counts: Vec<usize> = texts.iter().map(|text| text.shingles.each().count()).collect();
    let pair = |(place, shingles): (usize, u32)| {
        let (one, other) = (place / articles.len(), place % articles.len());
        let most = shingles as usize * 100 >= counts[one].min(counts[other]) * MOST;
        (shingles > 0 && articles[one].outlet != articles[other].outlet).then_some(Sharing {
            one,
            other,
            shingles,
            most,
        })
    };
    shared.into_iter().enumerate().filter_map(pair).collect()
}

/// The pairs that are looked at word by word, with what they share: of articles that are copies of one another each is set against one
/// other, if it can be against what was printed first; of two such families the two articles that share most.
fn pairs(articles: &[Article], texts: &[Text]) -> Vec<Pair> {
    let mut sharing = sharing(articles, texts);
    let mut likely = Families::new(articles.len());
    sharing.iter().filter(|it| it.most).for_each(|it| likely.join(it.one, it.other));
    let mut members = HashMap::<usize, Vec<usize>>::new();
    for article in 0..articles.len() {
        members.entry(likely.of(article)).or_default().push(article);
    }
    let first = |all: &Vec<usize>| first_printed(articles, all).unwrap_or(all[0]);
    let roots: HashSet<usize> = members.values().map(first).collect();
    sharing.sort_by_key(|it| {
        let of_root = roots.contains(&it.one) || roots.contains(&it.other);
        (!it.most, !(it.most && of_root), Reverse(it.shingles), it.one, it.other)
    });
    let mut copies = Families::new(articles.len());
    let mut found = Vec::new();
    let mut rest = Vec::new();
    let mut room = LOOKED_AT;
    for it in &sharing {
        if room == 0 || copies.of(it.one) == copies.of(it.other) {
            continue;
        }
        if !it.most {
            rest.push(it);
            continue;
        }
        room -= 1;
        match Pair::of(&texts[it.one], &texts[it.other]) {
            Some(pair) if pair.kind == CopyKind::Verbatim => {
                copies.join(it.one, it.other);
                found.push(pair);
            }
            _ => rest.push(it),
        }
    }
    let mut known = HashSet::new();
    rest.retain(|it| {
        let (a, b) = (copies.of(it.one), copies.of(it.other));
        a != b && known.insert((a.min(b), a.max(b)))
    });
    found.extend(rest.iter().take(room).filter_map(|it| Pair::of(&texts[it.one], &texts[it.other])));
    found.sort_by_key(|pair| (pair.kind, Reverse(pair.shared()), pair.one.article, pair.other.article));
    found
}

impl Pair {
    fn of(one: &Text, other: &Text) -> Option<Pair> {
        let runs = runs(one, other);
        let (mut here, mut there) = (vec![false; one.words.len()], vec![false; other.words.len()]);
        let (mut marked_here, mut marked_there) = (here.clone(), there.clone());
        let (mut plain, mut longest) = (0, 0);
        for run in &runs {
            let mut own = 0;
            for at in 0..run.words {
                let quoted = one.words[run.one + at].quoted || other.words[run.other + at].quoted;
                own += usize::from(!quoted && !there[run.other + at]);
                (here[run.one + at], there[run.other + at]) = (true, true);
                if quoted {
                    (marked_here[run.one + at], marked_there[run.other + at]) = (true, true);
                }
            }
            plain += own;
            longest = longest.max(own);
        }
        let side = |text: &Text, held: &[bool]| Side {
            article: text.article as u32,
            words: text.words.len() as u32,
            shared: held.iter().filter(|held| **held).count() as u32,
        };
        let quotes = (side(one, &marked_here), side(other, &marked_there));
        let (one, other) = (side(one, &here), side(other, &there));
        let shorter = if other.words < one.words { other } else { one };
        let nearly_all = shorter.shared as usize * 100 >= shorter.words as usize * NEARLY_ALL;
        let least = |(one, other): (Side, Side)| one.shared.min(other.shared) as usize;
        let kind = if nearly_all && shorter.words as usize >= SHORTEST_TEXT && plain >= PASSAGE {
            CopyKind::Verbatim
        } else if longest >= PASSAGE {
            CopyKind::Passage
        } else if least(quotes) >= QUOTE {
            CopyKind::Quotes
        } else {
            return None;
        };
        // What stands around quotes by chance is no part of what is shared.
        let (one, other) = if kind == CopyKind::Quotes { quotes } else { (one, other) };
        Some(Pair { kind, one, other, runs })
    }

    fn shared(&self) -> u32 {
        self.one.shared.min(self.other.shared)
    }

    /// Its longest spans, each within a sentence of both articles, in the order of the first.
    fn spans(&self, reading: &Reading<'_>, texts: &[Text], most: usize) -> Vec<(Passage, Passage)> {
        let (one, other) = (&texts[self.one.article as usize], &texts[self.other.article as usize]);
        let mut pieces: Vec<Run> = self.runs.iter().flat_map(|run| run.pieces(one, other)).collect();
        pieces.retain(|piece| piece.words >= SHORTEST_SPAN);
        // Of pairs that share quotes only, what stands around them by chance is none of it.
        if self.kind == CopyKind::Quotes {
            pieces.retain(|piece| one.words[piece.one].quoted || other.words[piece.other].quoted);
        }
        pieces.sort_by_key(|piece| Reverse(piece.words));
        pieces.truncate(most);
        pieces.sort_by_key(|piece| piece.one);
        let passage = |text: &Text, from: usize, words: usize| {
            let (first, last) = (&text.words[from], &text.words[from + words - 1]);
            Passage { start: first.start, end: last.end, ..reading.sentences[first.sentence].place }
        };
        let span = |it: &Run| (passage(one, it.one, it.words), passage(other, it.other, it.words));
        pieces.iter().map(span).collect()
    }
}

/// The one of some articles that was printed before all others, as far as their times tell.
pub(super) fn first_printed(articles: &[Article], some: &[usize]) -> Option<usize> {
    let when = |at: usize| articles[at].published;
    let first = some.iter().copied().min_by_key(|at| when(*at).map_or(i64::MAX, |when| when.unix))?;
    let before = |other: usize| when(first).zip(when(other)).is_some_and(|(a, b)| a.is_before(&b));
    some.iter().all(|other| *other == first || before(*other)).then_some(first)
}

/// Things that belong together, each by the smallest number of those it belongs to.
pub(super) struct Families(Vec<usize>);

impl Families {
    fn new(count: usize) -> Families {
        Families((0..count).collect())
    }

    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}
