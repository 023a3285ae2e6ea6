//! A story's quotes -> its utterances: the same words, as one outlet or another printed them.
//!
//! Outlets cut what was said: one prints two sentences, another half of the first, a third three words. What shares enough words in
//! order is one utterance; the longest form is shown, and of each other form which of its words it keeps. Who said it does not decide
//! whether words are the same, or else a mistake could never be seen: the same words under two names are one utterance with a
//! conflict. A few words that anybody might say are one only under one name, and words that are only alike under two names stay two
//! utterances, linked.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::group::is_stop_word;

/// A quote as one article prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Which article of the story.
    pub article: usize,
    /// The exact words; the pieces of a split quote with a blank between them.
    pub words: &'a str,
    /// Who says it: a name that is the same in all articles of the story. `None`: nobody is named, or an office alone.
    pub speaker: Option<&'a str>,
}

/// What was said once, as the lines tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Utterance {
    /// The longest form: which line.
    pub fullest: usize,
    /// All forms, in the order of the lines, the longest among them.
    pub variants: Vec<Variant>,
    /// Whom the lines name as its speaker, in the order of their first line. More than one: a conflict.
    pub speakers: Vec<Attribution>,
    /// Utterances of like words by others, by their place in the list.
    pub alike: Vec<usize>,
}

/// One form of an utterance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Which line.
    pub line: usize,
    /// What it shares with the longest form, as bytes of that, in order: what lies between is left out here.
    pub kept: Vec<Range<usize>>,
    /// Words of its own, as bytes of this line: another wording, or what the longest form left out.
    pub own: Vec<Range<usize>>,
}

/// A name that is given for an utterance, and the lines that give it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The name.
    pub speaker: String,
    /// Which lines.
    pub lines: Vec<usize>,
}

/// So many words in a row of two quotes lead to a comparison.
const RUN: usize = 3;
/// So many shared words make one utterance of two lines under two names.
const SURE: usize = 6;
/// So many make one of two lines of which one names nobody.
const LIKELY: usize = 4;
/// Or fewer of which so many say something themselves: nobody else says "he is a borrowed lamp".
const TELLING: usize = 2;
/// The share of the shorter line that must be in the longer one, in hundredths, for one utterance.
const SAME: usize = 80;
/// The same for two that are linked.
const ALIKE: usize = 60;
/// A run of words that stands in more lines than this tells none apart.
const COMMON: usize = 64;
/// What is compared of a line, in words. Nobody is quoted at such length, and the comparison is quadratic.
const LONGEST: usize = 400;

/// The utterances of a story, in the order of their first line.
pub fn utterances(lines: &[Line<'_>]) -> Vec<Utterance> {
    let mut known = Known::new();
    let words: Vec<Vec<Word>> = lines.iter().map(|line| split(line.words, &mut known)).collect();
    let mut groups = Groups((0..lines.len()).collect());
    let mut alike = Vec::new();
    for (a, b) in candidates(lines, &words) {
        let (short, long) = if words[a].len() <= words[b].len() { (a, b) } else { (b, a) };
        match relation(&lines[short], &lines[long], &words[short], &words[long]) {
            Relation::Same => groups.join(a, b),
            Relation::Alike => alike.push((a, b)),
            Relation::None => {}
        }
    }
    let mut members = BTreeMap::<usize, Vec<usize>>::new();
    for line in 0..lines.len() {
        members.entry(groups.of(line)).or_default().push(line);
    }
    let places: HashMap<usize, usize> =
        members.keys().enumerate().map(|(place, group)| (*group, place)).collect();
    let mut found: Vec<_> = members.values().map(|members| utterance(lines, &words, members)).collect();
    for (a, b) in alike {
        let (a, b) = (places[&groups.of(a)], places[&groups.of(b)]);
        if a != b && !found[a].alike.contains(&b) {
            found[a].alike.push(b);
            found[b].alike.push(a);
        }
    }
    for one in &mut found {
        one.alike.sort_unstable();
    }
    found
}

fn utterance(lines: &[Line<'_>], words: &[Vec<Word>], members: &[usize]) -> Utterance {
    // Of equally long ones the first.
    let fullest =
        members.iter().copied().rev().max_by_key(|line| words[*line].len()).expect("a group has a line");
    let variant = |&line: &usize| {
        let pairs = shared(&words[line], &words[fullest]);
        let kept = runs(pairs.iter().map(|(_, theirs)| *theirs), &words[fullest]);
        let ours: HashSet<usize> = pairs.iter().map(|(ours, _)| *ours).collect();
        let own = runs((0..words[line].len()).filter(|at| !ours.contains(at)), &words[line]);
        Variant { line, kept, own }
    };
    let mut speakers = Vec::<Attribution>::new();
    for &line in members {
        let Some(speaker) = lines[line].speaker else { continue };
        match speakers.iter_mut().find(|known| known.speaker == speaker) {
            Some(known) => known.lines.push(line),
            None => speakers.push(Attribution { speaker: speaker.to_owned(), lines: vec![line] }),
        }
    }
    Utterance { fullest, variants: members.iter().map(variant).collect(), speakers, alike: Vec::new() }
}

/// A word as it is compared, and where it stands.
struct Word {
    /// Which word it is.
    id: u32,
    /// Whether it says something itself.
    tells: bool,
    bytes: Range<usize>,
}

/// The words of all lines, and whether they say something.
type Known<'a> = HashMap<Cow<'a, str>, (u32, bool)>;

/// Words in small letters, without apostrophes: outlets print marks in different ways.
fn split<'a>(text: &'a str, known: &mut Known<'a>) -> Vec<Word> {
    let mut words = Vec::new();
    let mut begin = None;
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’');
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (inner(letter), begin) {
            (true, None) => begin = Some(at),
            (false, Some(from)) => {
                let bytes: Range<usize> = from..at;
                let word = &text[bytes.clone()];
                let plain = word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
                let text: Cow<'_, str> = if plain {
                    word.into()
                } else {
                    let letters = word.chars().filter(|c| !matches!(c, '\'' | '’'));
                    letters.flat_map(char::to_lowercase).collect::<String>().into()
                };
                if !text.is_empty() && words.len() < LONGEST {
                    let next = known.len() as u32;
                    let word = known.entry(text).or_insert_with_key(|word| (next, !is_stop_word(word)));
                    words.push(Word { id: word.0, tells: word.1, bytes });
                }
                begin = None;
            }
            _ => {}
        }
    }
    words
}

/// Pairs of lines worth a comparison: they have a run of words in common or, if one of them has fewer words than that, a speaker and
/// its words.
fn candidates(lines: &[Line<'_>], words: &[Vec<Word>]) -> Vec<(usize, usize)> {
    let mut leads = HashMap::<[u32; RUN], Vec<usize>>::new();
    for (line, words) in words.iter().enumerate() {
        for run in words.windows(RUN) {
            let at = leads.entry(std::array::from_fn(|at| run[at].id)).or_default();
            if at.last() != Some(&line) {
                at.push(line);
            }
        }
    }
    let mut pairs = HashSet::new();
    for lines in leads.values().filter(|lines| (2..=COMMON).contains(&lines.len())) {
        for (n, a) in lines.iter().enumerate() {
            pairs.extend(lines[n + 1..].iter().map(|b| (*a, *b)));
        }
    }
    let mut by_speaker = HashMap::<&str, Vec<usize>>::new();
    for (line, speaker) in lines.iter().enumerate().filter_map(|(at, line)| Some((at, line.speaker?))) {
        by_speaker.entry(speaker).or_default().push(line);
    }
    for lines in by_speaker.values().filter(|lines| lines.len() <= COMMON * 4) {
        for &short in lines.iter().filter(|line| (1..RUN).contains(&words[**line].len())) {
            let long = lines.iter().filter(|line| **line != short && contains(&words[**line], &words[short]));
            pairs.extend(long.map(|long| (short.min(*long), short.max(*long))));
        }
    }
    let mut whole = HashMap::<Vec<u32>, Vec<usize>>::new();
    for (line, words) in words.iter().enumerate().filter(|(_, words)| (2..RUN).contains(&words.len())) {
        whole.entry(words.iter().map(|word| word.id).collect()).or_default().push(line);
    }
    for lines in whole.values().filter(|lines| lines.len() <= COMMON) {
        pairs.extend(lines.iter().enumerate().flat_map(|(n, a)| lines[n + 1..].iter().map(|b| (*a, *b))));
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs
}

/// Whether these words stand in those, one after the other.
fn contains(long: &[Word], short: &[Word]) -> bool {
    long.windows(short.len()).any(|run| run.iter().zip(short).all(|(a, b)| a.id == b.id))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    Same,
    Alike,
    None,
}

fn relation(short: &Line<'_>, long: &Line<'_>, ours: &[Word], theirs: &[Word]) -> Relation {
    let in_common = shared(ours, theirs).len();
    let share = in_common * 100 / ours.len().max(1);
    // Under one name a fragment is enough; a speaker who says the same thing twice in one article said it twice.
    let same = match (short.speaker, long.speaker) {
        (Some(a), Some(b)) if a == b => {
            share >= SAME && (short.article != long.article || in_common >= LIKELY)
        }
        (Some(_), Some(_)) => {
            let telling = share == 100 && in_common >= LIKELY && telling(ours) >= TELLING;
            telling || (share >= SAME && in_common >= SURE)
        }
        // All that one of them prints of it.
        _ if share == 100 && ours.len() == theirs.len() => telling(ours) > 0 && ours.len() > 1,
        _ => share >= SAME && in_common >= LIKELY,
    };
    if same {
        Relation::Same
    } else if share >= ALIKE && in_common >= SURE {
        Relation::Alike
    } else {
        Relation::None
    }
}

/// How many words say something themselves.
fn telling(words: &[Word]) -> usize {
    words.iter().filter(|word| word.tells).count()
}

/// The longest row of words that both have in this order: places in the one and in the other.
fn shared(ours: &[Word], theirs: &[Word]) -> Vec<(usize, usize)> {
    // What both begin with is shared as it stands: mostly that is all.
    let begin = ours.iter().zip(theirs).take_while(|(a, b)| a.id == b.id).count();
    let mut pairs: Vec<(usize, usize)> = (0..begin).map(|at| (at, at)).collect();
    let (ours, theirs) = (&ours[begin..], &theirs[begin..]);
    let (rows, columns) = (ours.len(), theirs.len());
    if rows == 0 || columns == 0 {
        return pairs;
    }
    // best[i][j]: of what follows word i of ours and j of theirs.
    let mut best = vec![0_u16; (rows + 1) * (columns + 1)];
    let at = |i: usize, j: usize| i * (columns + 1) + j;
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            best[at(i, j)] = if ours[i].id == theirs[j].id {
                best[at(i + 1, j + 1)] + 1
            } else {
                best[at(i + 1, j)].max(best[at(i, j + 1)])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < rows && j < columns {
        if ours[i].id == theirs[j].id {
            pairs.push((begin + i, begin + j));
            (i, j) = (i + 1, j + 1);
        } else if best[at(i + 1, j)] >= best[at(i, j + 1)] {
            i += 1;
        } else {
            j += 1;
        }
    }
    pairs
}

/// Bytes of words that follow one another, as few ranges as there are gaps.
fn runs(places: impl Iterator<Item = usize>, words: &[Word]) -> Vec<Range<usize>> {
    let mut ranges = Vec::<Range<usize>>::new();
    let mut last = None;
    for place in places {
        let bytes = words[place].bytes.clone();
        match ranges.last_mut() {
            Some(range) if last == place.checked_sub(1) => range.end = bytes.end,
            _ => ranges.push(bytes),
        }
        last = Some(place);
    }
    ranges
}

/// Lines that are one utterance: each names one of its group, the first names itself.
struct Groups(Vec<usize>);

impl Groups {
    fn of(&self, line: usize) -> usize {
        let mut at = line;
        while self.0[at] != at {
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.of(a), self.of(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines<'a>(rows: &[(usize, &'a str, Option<&'a str>)]) -> Vec<Line<'a>> {
        rows.iter().map(|&(article, words, speaker)| Line { article, words, speaker }).collect()
    }

    const VANE: Option<&str> = Some("Ilsa Vane");
    const ORR: Option<&str> = Some("Jan Orr");
    const LONG: &str =
        "The gate was shut when I came down. I did not ask who had shut it, and nobody told me.";

    #[test]
    fn what_outlets_cut_out_of_one_utterance_is_one_and_the_longest_is_shown() {
        let lines = lines(&[
            (0, "I did not ask who had shut it", VANE),
            (1, LONG, VANE),
            (2, "The gate was shut … and nobody told me", VANE),
            (3, "shut it", VANE),
            (3, "The tram was late.", VANE),
        ]);
        let found = utterances(&lines);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].fullest, found[0].variants.len()), (1, 4));
        let kept: Vec<_> = found[0].variants[2].kept.iter().map(|range| &LONG[range.clone()]).collect();
        assert_eq!(kept, ["The gate was shut", "and nobody told me"]);
        assert!(found[0].variants.iter().all(|variant| variant.own.is_empty()));
        assert_eq!(found[0].speakers, [Attribution { speaker: "Ilsa Vane".into(), lines: vec![0, 1, 2, 3] }]);
    }

    #[test]
    fn another_wording_is_shown_as_its_own() {
        let lines = lines(&[(0, LONG, VANE), (1, "I didn’t ask who had shut it, and nobody told me.", VANE)]);
        let found = utterances(&lines);
        assert_eq!(found.len(), 1);
        let own: Vec<_> =
            found[0].variants[1].own.iter().map(|range| &lines[1].words[range.clone()]).collect();
        assert_eq!(own, ["didn’t"]);
    }

    #[test]
    fn the_same_words_under_two_names_are_one_utterance_with_a_conflict() {
        let found = utterances(&lines(&[
            (0, "I did not ask who had shut it", VANE),
            (1, "I did not ask who had shut it, and nobody told me", ORR),
            (2, "I did not ask who had shut it", None),
        ]));
        assert_eq!(found.len(), 1);
        let speakers: Vec<_> =
            found[0].speakers.iter().map(|it| (it.speaker.as_str(), it.lines.as_slice())).collect();
        assert_eq!(speakers, [("Ilsa Vane", &[0][..]), ("Jan Orr", &[1])]);
    }

    #[test]
    fn few_words_under_two_names_are_two_and_like_words_are_linked() {
        let few = utterances(&lines(&[(0, "I do not know", VANE), (1, "I do not know", ORR)]));
        assert_eq!(few.len(), 2);
        assert!(few.iter().all(|one| one.alike.is_empty()));
        let like = utterances(&lines(&[
            (0, "We have to open the gate before the snow melts in the valley", VANE),
            (1, "We have to open the gate before the rain comes to the hills", ORR),
        ]));
        assert_eq!(like.iter().map(|one| one.alike.as_slice()).collect::<Vec<_>>(), [&[1][..], &[0]]);
    }

    #[test]
    fn who_repeats_a_word_in_one_article_said_it_twice() {
        assert_eq!(utterances(&lines(&[(0, "Nonsense", VANE), (0, "Nonsense", VANE)])).len(), 2);
    }

    proptest! {
        #[test]
        fn every_line_stands_in_one_utterance_and_ranges_lie_on_letters(
            rows in proptest::collection::vec((0_usize..3, "[a-dé’ .…]{0,24}", proptest::option::of("[AB]")), 0..12)
        ) {
            let lines: Vec<_> = rows
                .iter()
                .map(|(article, words, speaker)| Line { article: *article, words, speaker: speaker.as_deref() })
                .collect();
            let found = utterances(&lines);
            let mut all: Vec<_> = found.iter().flat_map(|one| one.variants.iter().map(|variant| variant.line)).collect();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lines.len()).collect::<Vec<_>>());
            for one in &found {
                for variant in &one.variants {
                    for range in &variant.kept {
                        prop_assert!(lines[one.fullest].words.get(range.clone()).is_some());
                    }
                    for range in &variant.own {
                        prop_assert!(lines[variant.line].words.get(range.clone()).is_some());
                    }
                }
                prop_assert!(one.alike.iter().all(|other| *other < found.len()));
            }
        }
    }
}
