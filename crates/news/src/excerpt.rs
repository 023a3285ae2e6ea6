//! A story with its analysis -> the same with no more of each article's text than may be carried.
//!
//! Of outlets that a press neither owns nor has licensed, an edition carries the sentence that an article opens with, quotes, and the
//! sentences that rows rest on, up to so many bytes. Rows are served in turn, a row of each list at a time, so that no list takes all the
//! room: the sentences of a quote, then of an event, then of a claim, then the longest words that two articles share. Of each list those
//! in which outlets differ come first, then those of the most outlets; and of each row one sentence of each outlet, before any has
//! two. A row that finds no room for its sentence goes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use proto::analysis::{Analysis, Difference, Passage, Sourcing};
use proto::story::{Article, Block, Extent, Story};

use crate::analysis::leave_unused;
use crate::sentence::sentences;

/// Stands for what was left out between two sentences of a paragraph.
const GAP: &str = " … ";

/// Cuts the articles of a story to what its analysis rests on. `room` gives for each the bytes of text that may be carried; `None` for
/// one that may be carried whole.
pub fn excerpt(story: &mut Story, room: impl Fn(&Article) -> Option<usize>) {
    let mut left: Vec<Option<usize>> = story.articles.iter().map(room).collect();
    if left.iter().all(Option::is_none) {
        return;
    }
    let mut kept = Kept::default();
    let openings = story.articles.iter().enumerate().filter_map(|(at, article)| opening(at as u32, article));
    for sentence in openings.chain(evidence(&story.articles, &story.analysis)) {
        let at = sentence.article as usize;
        let Some(Some(room)) = left.get_mut(at) else { continue };
        let cost = kept.cost(&sentence);
        if cost <= *room {
            *room -= cost;
            kept.add(&sentence);
        }
    }
    let whole: Vec<bool> = left.iter().map(Option::is_none).collect();
    let mut moved = Moved { whole, places: BTreeMap::new() };
    for (at, article) in story.articles.iter_mut().enumerate().filter(|(at, _)| left[*at].is_some()) {
        article.body = cut(at as u32, &article.body, &kept, &mut moved);
        article.extent = Extent::Excerpt;
    }
    let articles = &story.articles;
    moved.analysis(&mut story.analysis);
    // Nor does it say where rows came from that are not carried.
    leave_unused(&mut story.analysis, |_| false);
    debug_assert!(story.analysis.fits(articles));
}

/// The first sentence of an article's text.
fn opening(article: u32, of: &Article) -> Option<Passage> {
    let is_text = |block: &&Block| matches!(block, Block::Paragraph(_));
    let block = of.body.iter().position(|block| is_text(&block))?;
    let first = sentences(of.body[block].text()).into_iter().next()?;
    Some(Passage { article, block: block as u32, start: first.start as u32, end: first.end as u32 })
}

/// The sentence that some of its words are given of.
fn whole(articles: &[Article], words: &Passage) -> Passage {
    let text = articles[words.article as usize].body[words.block as usize].text();
    let held = |it: &Range<usize>| it.start <= words.start as usize && words.end as usize <= it.end;
    let sentence = sentences(text).into_iter().find(held);
    sentence.map_or(*words, |it| Passage { start: it.start as u32, end: it.end as u32, ..*words })
}

/// What a row rests on: one piece of evidence of each article, and the rest.
#[derive(Default)]
struct Row {
    differs: bool,
    articles: BTreeSet<u32>,
    first: Vec<Passage>,
    rest: Vec<Passage>,
}

impl Row {
    /// `pieces`: passages of one article each that belong together.
    fn of(differences: &[Difference], pieces: impl Iterator<Item = Vec<Passage>>) -> Row {
        let mut row = Row { differs: !differences.is_empty(), ..Row::default() };
        for piece in pieces {
            let is_first = piece.first().is_some_and(|passage| row.articles.insert(passage.article));
            if is_first { &mut row.first } else { &mut row.rest }.extend(piece);
        }
        row
    }
}

/// The sentences that rows rest on, in the order in which they are given room.
fn evidence(articles: &[Article], analysis: &Analysis) -> Vec<Passage> {
    let quotes = analysis.utterances.iter().map(|it| {
        // A quote may go over the end of its sentence.
        let pieces = it
            .variants
            .iter()
            .map(|it| std::iter::once(it.sentence).chain(it.words.iter().copied()).collect());
        Row::of(&it.differences, pieces)
    });
    let events = analysis
        .events
        .iter()
        .map(|it| Row::of(&it.differences, it.mentions.iter().map(|mention| vec![mention.sentence])));
    let claims =
        analysis.claims.iter().map(|it| Row::of(&it.differences, it.sentences.iter().map(|it| vec![*it])));
    let copies = analysis.copies.iter().map(|it| {
        let longest = it.spans.iter().max_by_key(|(one, _)| one.end - one.start);
        let sides = longest.into_iter().flat_map(|(one, other)| [one, other]);
        Row::of(&[], sides.map(|it| vec![whole(articles, it)]))
    });
    let in_order = |mut rows: Vec<Row>| {
        rows.sort_by_key(|row| Reverse((row.differs, row.articles.len())));
        rows
    };
    let lists = [
        in_order(quotes.collect()),
        in_order(events.collect()),
        in_order(claims.collect()),
        copies.collect(),
    ];
    let sourcing = analysis
        .utterances
        .iter()
        .map(|it| &it.sourcing)
        .chain(analysis.events.iter().map(|it| &it.sourcing));
    let stated =
        sourcing.chain(analysis.claims.iter().map(|it| &it.sourcing)).flatten().filter_map(|it| it.stated);
    let longest = lists.iter().map(Vec::len).max().unwrap_or_default();
    let in_turn = |of: fn(&Row) -> &Vec<Passage>| {
        let lists = &lists;
        (0..longest)
            .flat_map(move |at| lists.iter().filter_map(move |list| list.get(at)).flat_map(of))
            .copied()
    };
    in_turn(|row| &row.first).chain(stated).chain(in_turn(|row| &row.rest)).collect()
}

/// What is kept of each block: ranges in order that neither touch nor overlap.
#[derive(Default)]
struct Kept(BTreeMap<(u32, u32), Vec<Range<u32>>>);

impl Kept {
    /// How many bytes more are carried with it.
    fn cost(&self, passage: &Passage) -> usize {
        let ranges = self.0.get(&(passage.article, passage.block)).map_or(&[][..], Vec::as_slice);
        let held: u32 = ranges
            .iter()
            .map(|range| range.end.min(passage.end).saturating_sub(range.start.max(passage.start)))
            .sum();
        (passage.end - passage.start - held) as usize
    }

    fn add(&mut self, passage: &Passage) {
        let ranges = self.0.entry((passage.article, passage.block)).or_default();
        let mut new = passage.start..passage.end;
        ranges.retain(|range| {
            // A blank between two sentences is no gap.
            let meets = range.start <= new.end + 1 && new.start <= range.end + 1;
            if meets {
                new = new.start.min(range.start)..new.end.max(range.end);
            }
            !meets
        });
        let at = ranges.partition_point(|range| range.start < new.start);
        ranges.insert(at, new);
    }
}

/// What is kept of an article's blocks, and where it is now.
fn cut(article: u32, body: &[Block], kept: &Kept, moved: &mut Moved) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (block, old) in body.iter().enumerate() {
        let Some(ranges) = kept.0.get(&(article, block as u32)) else { continue };
        let mut text = String::new();
        for range in ranges {
            if !text.is_empty() || range.start > 0 {
                text.push_str(if text.is_empty() { GAP.trim_start() } else { GAP });
            }
            let begin = text.len() as u32;
            text.push_str(&old.text()[range.start as usize..range.end as usize]);
            let places = moved.places.entry((article, block as u32)).or_default();
            places.push((range.clone(), blocks.len() as u32, begin));
        }
        if ranges.last().is_some_and(|last| (last.end as usize) < old.text().trim_end().len()) {
            text.push_str(GAP.trim_end());
        }
        blocks.push(match old {
            Block::Paragraph(_) => Block::Paragraph(text),
            Block::Heading(_) => Block::Heading(text),
            Block::Caption(_) => Block::Caption(text),
        });
    }
    blocks
}

/// Where passages are now.
struct Moved {
    /// Articles in which all is where it was.
    whole: Vec<bool>,
    /// By old article and block.
    places: BTreeMap<(u32, u32), Vec<Moving>>,
}

/// Old bytes, the new block, the new first byte.
type Moving = (Range<u32>, u32, u32);

impl Moved {
    /// `None`: it is not carried.
    fn passage(&self, old: &Passage) -> Option<Passage> {
        if self.whole.get(old.article as usize).copied().unwrap_or_default() {
            return Some(*old);
        }
        let places = self.places.get(&(old.article, old.block))?;
        let (range, block, begin) =
            places.iter().find(|(range, ..)| range.start <= old.start && old.end <= range.end)?;
        let start = begin + (old.start - range.start);
        Some(Passage { article: old.article, block: *block, start, end: start + (old.end - old.start) })
    }

    /// Moves them all, or says that one is not carried.
    fn all(&self, passages: &mut [Passage]) -> bool {
        passages.iter_mut().all(|passage| self.passage(passage).map(|new| *passage = new).is_some())
    }

    fn optional(&self, passage: &mut Option<Passage>) {
        *passage = passage.and_then(|old| self.passage(&old));
    }

    fn analysis(&self, analysis: &mut Analysis) {
        analysis.events.retain_mut(|event| {
            event.mentions.retain_mut(|mention| {
                let (sentence, phrase) = (self.passage(&mention.sentence), self.passage(&mention.phrase));
                if let (Some(sentence), Some(phrase)) = (sentence, phrase) {
                    (mention.sentence, mention.phrase) = (sentence, phrase);
                }
                sentence.is_some() && phrase.is_some()
            });
            self.sourcing(&mut event.sourcing, event.mentions.iter().map(|it| it.sentence.article));
            self.differences(&mut event.differences);
            !event.mentions.is_empty()
        });
        analysis.claims.retain_mut(|claim| {
            claim.sentences.retain_mut(|old| self.passage(old).map(|new| *old = new).is_some());
            self.sourcing(&mut claim.sourcing, claim.sentences.iter().map(|it| it.article));
            self.differences(&mut claim.differences);
            !claim.sentences.is_empty()
        });
        analysis.copies.retain_mut(|copy| {
            copy.spans.retain_mut(|(one, other)| {
                let moved = self.passage(one).zip(self.passage(other));
                moved.map(|new| (*one, *other) = new).is_some()
            });
            !copy.spans.is_empty()
        });
        self.utterances(analysis);
    }

    fn utterances(&self, analysis: &mut Analysis) {
        let mut now = Vec::with_capacity(analysis.utterances.len());
        let mut next = 0;
        analysis.utterances.retain_mut(|utterance| {
            let mut fullest = None;
            let old = utterance.fullest as usize;
            let mut at = 0;
            let mut left = 0;
            utterance.variants.retain_mut(|variant| {
                let stays =
                    self.all(&mut variant.words) && self.all(std::slice::from_mut(&mut variant.sentence));
                self.optional(&mut variant.addressee);
                self.optional(&mut variant.occasion);
                if stays && at == old {
                    fullest = Some(left);
                }
                left += u32::from(stays);
                at += 1;
                stays
            });
            self.sourcing(&mut utterance.sourcing, utterance.variants.iter().map(|it| it.sentence.article));
            self.differences(&mut utterance.differences);
            // What the others keep is told of the longest form's words.
            now.push(fullest.map(|_| next));
            next += u32::from(fullest.is_some());
            utterance.fullest = fullest.unwrap_or_default();
            fullest.is_some()
        });
        for utterance in &mut analysis.utterances {
            utterance.alike = utterance.alike.iter().filter_map(|old| now[*old as usize]).collect();
        }
    }

    /// Of articles that still carry it.
    fn sourcing(&self, sourcing: &mut Vec<Sourcing>, carriers: impl Iterator<Item = u32>) {
        let carriers: Vec<u32> = carriers.collect();
        sourcing.retain(|it| carriers.contains(&it.article));
        sourcing.iter_mut().for_each(|it| self.optional(&mut it.stated));
    }

    fn differences(&self, differences: &mut Vec<Difference>) {
        differences.retain_mut(|difference| {
            for side in &mut difference.sides {
                side.retain_mut(|old| self.passage(old).map(|new| *old = new).is_some());
            }
            difference.sides.retain(|side| !side.is_empty());
            difference.sides.len() > 1
        });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::story::{ArticleId, StoryId};

    use super::*;
    use crate::analysis::analysis;

    fn story(articles: &[&[&str]]) -> Story {
        let article = |(n, paragraphs): (usize, &&[&str])| Article {
            id: ArticleId([n as u8; 16]),
            outlet: format!("Outlet {n}"),
            title: "The pier".into(),
            byline: None,
            published: None,
            url: None,
            body: paragraphs.iter().map(|text| Block::Paragraph((*text).into())).collect(),
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        };
        let articles: Vec<Article> = articles.iter().enumerate().map(article).collect();
        Story { id: StoryId([0; 16]), title: "The pier".into(), analysis: analysis(&articles), articles }
    }

    const LONG: &[&str] = &[
        "It rained all night. On 3 May 2031 the old pier of Tallow fell into the sea. Nobody was near. “It was only wood,” Ilsa Vane said. \
         She left.",
        "The tide was high. Gulls cried over the harbour all day long.",
    ];
    const SHORT: &[&str] = &[
        "The old pier of Tallow fell into the sea on 3 May 2031. “It was only wood and rope,” Ilsa Vane said.",
    ];

    #[test]
    fn of_others_only_evidence_is_carried() {
        let mut cut = story(&[LONG, SHORT]);
        let before = cut.analysis.clone();
        excerpt(&mut cut, |article| (article.outlet == "Outlet 0").then_some(1_000));
        let body: Vec<&str> = cut.articles[0].body.iter().map(Block::text).collect();
        assert_eq!(
            body,
            [
                "It rained all night. On 3 May 2031 the old pier of Tallow fell into the sea. … “It was only wood,” Ilsa Vane said. …"
            ]
        );
        assert_eq!((cut.articles[0].extent, cut.articles[1].extent), (Extent::Excerpt, Extent::Whole));
        assert!(cut.analysis.fits(&cut.articles));
        assert_eq!(cut.analysis.events.len(), before.events.len());
        assert_eq!(cut.analysis.utterances[0].variants.len(), 2);
        let sentence = cut.analysis.utterances[0].variants[0].sentence.text(&cut.articles);
        assert_eq!(sentence, Some("“It was only wood,” Ilsa Vane said."));
    }

    /// What only one outlet prints is cut before what several print, and that before what they print differently.
    #[test]
    fn rows_in_which_outlets_differ_find_room_first() {
        let alone = "“The tide mill has stood here for two hundred years,” Ilsa Vane said.";
        let both = "“Nobody asked the village before the sluice was shut,” Ilsa Vane said.";
        let conflict = |who: &str| format!("“We will not pay for a wheel that others broke,” {who} said.");
        let (one, other) = (conflict("Ilsa Vane"), conflict("Ron Gale"));
        let opening = "Ilsa Vane and Ron Gale spoke.";
        let [first, second] =
            [format!("{opening} {alone} {both} {one}"), format!("{opening} {both} {other}")];
        let whole = story(&[&[&first], &[&second]]);
        assert_eq!(whole.analysis.utterances.len(), 3, "{:#?}", whole.analysis.utterances);
        for (room, kept) in [
            (opening.len() + one.len() + 2, vec![true]),
            (opening.len() + both.len() + one.len() + 2, vec![false, true]),
        ] {
            let mut cut = whole.clone();
            excerpt(&mut cut, |_| Some(room));
            let differ: Vec<bool> =
                cut.analysis.utterances.iter().map(|it| !it.differences.is_empty()).collect();
            assert_eq!(differ, kept, "{:#?}", cut.analysis.utterances);
            assert!(cut.analysis.utterances.iter().all(|it| it.variants.len() == 2));
        }
    }

    #[test]
    fn of_a_copy_the_shared_words_that_find_room_are_carried() {
        let first = "The keeper of the tide mill found the great wheel stopped, its oak teeth broken and its water gone.";
        let longest = "Nobody in the village has heard the wheel for two nights, and the millers of the coast have begun to \
                       grind their barley by hand.";
        let text = format!("{first} {longest} It will be so until the spring.");
        let mut cut = story(&[&["Old wood.", &text], &[&text]]);
        assert_eq!(cut.analysis.copies[0].spans.len(), 3);
        let others = |room: usize| move |article: &Article| (article.outlet == "Outlet 0").then_some(room);
        excerpt(&mut cut, others(first.len() + longest.len() + 20));
        let copy = &cut.analysis.copies[0];
        let words = |it: &Passage| it.text(&cut.articles).unwrap();
        let spans: Vec<_> = copy.spans.iter().map(|(one, other)| (words(one), words(other))).collect();
        let whole = [first, longest].map(|it| it.trim_end_matches('.')).map(|it| (it, it));
        assert_eq!(spans, whole, "{:?}", cut.articles[0].body);
        assert_eq!(copy.one.words, copy.other.words + 2, "they are counted before the cut");
        excerpt(&mut cut, others(20));
        assert_eq!(cut.analysis.copies, []);
    }

    #[test]
    fn what_finds_no_room_goes_with_its_rows() {
        let mut cut = story(&[LONG, SHORT]);
        excerpt(&mut cut, |_| Some(60));
        assert!(cut.analysis.fits(&cut.articles));
        assert!(cut.articles.iter().all(|article| {
            let gaps = |text: &str| text.matches('…').count() * GAP.len();
            article.body.iter().map(|block| block.text().len() - gaps(block.text())).sum::<usize>() <= 60
        }));
        excerpt(&mut cut, |_| Some(0));
        assert_eq!(cut.analysis.events, []);
        assert!(cut.articles.iter().all(|article| article.body.is_empty()));
    }

    proptest! {
        #[test]
        fn what_is_left_rests_on_what_is_left(
            texts in prop::collection::vec(
                "(“No, |it was |never,” |Ilsa Vane |said |on 3 May 2031 |\\. |12 crowns |the pier |fell |é ){1,30}",
                1..4,
            ),
            room in prop::collection::vec(prop::option::of(0usize..300), 4),
        ) {
            let articles: Vec<[&str; 1]> = texts.iter().map(|text| [text.as_str()]).collect();
            let articles: Vec<&[&str]> = articles.iter().map(|it| &it[..]).collect();
            let mut cut = story(&articles);
            excerpt(&mut cut, |article| room[article.id.0[0] as usize]);
            prop_assert!(cut.analysis.fits(&cut.articles));
        }
    }
}
