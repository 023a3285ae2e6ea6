//! A story's articles, read once: names, sentences, times, quotes.

use std::ops::Range;

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use proto::analysis::Passage;
use proto::story::{Article, Block};

use crate::cut::{Cut, Line};
use crate::date::{Anchor, Meaning, Name as Called, Time, resolve, times_of_sentences};
use crate::name::{Mention, Names};
use crate::quote::{Kind, Quote, quotes_of_lines};
use crate::span::Span;
use crate::word::Word;

/// The articles of one story and all that the steps need of them.
pub(super) struct Reading<'a> {
    pub(super) articles: &'a [Article],
    /// Names of the whole story. Blocks are counted through all articles.
    pub(super) names: Names,
    /// The number of each article's first block, and the count of all.
    first_block: Vec<usize>,
    /// Sentences of paragraphs, in order.
    pub(super) sentences: Vec<Sentence<'a>>,
    /// What is said, in order.
    pub(super) said: Vec<Said>,
}

/// A sentence of a paragraph.
pub(super) struct Sentence<'a> {
    pub(super) place: Passage,
    /// Words and signs; their bytes are those of the block.
    pub(super) words: &'a [Word<'a>],
    /// Names in it: which, and where in the block.
    pub(super) names: Vec<(usize, Range<usize>)>,
    /// Time expressions in it.
    pub(super) times: Vec<Time>,
    /// Where marks enclose somebody's words, in the block: in order, none touching the next.
    pub(super) quoted: Vec<Range<usize>>,
    /// The name of the agency that its article begins with: "ORFORD, 3 May (ONA) - ". Only on an article's first sentence.
    pub(super) agency: Option<Range<usize>>,
}

impl Sentence<'_> {
    /// Some of its bytes.
    pub(super) fn passage(&self, bytes: &Range<usize>) -> Passage {
        Passage { start: bytes.start as u32, end: bytes.end as u32, ..self.place }
    }

    pub(super) fn article(&self) -> usize {
        self.place.article as usize
    }

    /// Whether it is asserted by the article itself: no question, and not for the most part somebody's words.
    pub(super) fn is_asserted(&self) -> bool {
        let plain = self.words.iter().filter(|word| !word.is_sign());
        let quoted = plain.clone().filter(|word| self.is_quoted(word.begin)).count();
        let asks = self
            .words
            .iter()
            .rev()
            .find(|word| !matches!(word.text, "”" | "\"" | "’"))
            .is_some_and(|it| it.text == "?");
        !asks && quoted * 2 < plain.count()
    }

    /// Whether a byte of the block stands within marks.
    pub(super) fn is_quoted(&self, at: usize) -> bool {
        let next = self.quoted.partition_point(|quote| quote.end <= at);
        self.quoted.get(next).is_some_and(|quote| quote.start <= at)
    }
}

/// A quote, and which article prints it.
pub(super) struct Said {
    pub(super) article: usize,
    pub(super) quote: Quote,
    /// Which sentence its first words stand in.
    pub(super) sentence: usize,
}

impl<'a> Reading<'a> {
    /// `cut`: the blocks of all articles, in order.
    pub(super) fn of(articles: &'a [Article], cut: &'a Cut<'a>) -> Reading<'a> {
        let mut first_block = vec![0];
        for article in articles {
            first_block.push(first_block[first_block.len() - 1] + article.body.len());
        }
        let names = Names::of_cut(cut);
        let mut reading = Reading { articles, names, first_block, sentences: Vec::new(), said: Vec::new() };
        // What an undated article calls "14 October" is that of the others.
        let assumed =
            articles.iter().filter_map(|article| article.published).max().and_then(|it| day(it.unix));
        // The names are lent to each article, with that article's mentions.
        let mut own = Names { names: std::mem::take(&mut reading.names.names), mentions: Vec::new() };
        for at in 0..articles.len() {
            own.mentions = reading.mentions_of(at);
            let lines = &cut.lines[reading.first_block[at]..reading.first_block[at + 1]];
            reading.read(at, lines, &own, assumed);
        }
        reading.names.names = own.names;
        reading
    }

    /// Reads an article: its lines, and the story's names as mentioned in them.
    fn read(&mut self, at: usize, lines: &'a [Line<'a>], names: &Names, assumed: Option<Date>) {
        let mut told = told(&self.articles[at], lines, assumed).into_iter().peekable();
        let from = self.sentences.len();
        for (block, line) in lines.iter().enumerate() {
            let Block::Paragraph(text) = line.block else { continue };
            while told.next_if(|(other, _)| *other < block).is_some() {}
            let mut rest = line.words.as_slice();
            for bytes in &line.sentences {
                let words;
                (words, rest) = rest.split_at(rest.partition_point(|word| word.begin < bytes.end));
                let span = Span { block, bytes: bytes.clone() };
                let agency = if self.sentences.len() == from { dateline(text) } else { None };
                let mut before = |end: usize| told.next_if(|it| it.0 == block && it.1.span.start < end);
                if let Some(agency) = &agency {
                    while before(agency.end + 1).is_some() {}
                }
                let times = std::iter::from_fn(|| before(bytes.end)).map(|(_, time)| time).collect();
                self.sentences.push(Sentence {
                    place: Passage {
                        article: at as u32,
                        block: block as u32,
                        start: bytes.start as u32,
                        end: bytes.end as u32,
                    },
                    words,
                    names: names.within(&span).map(|it| (it.name, it.span.bytes.clone())).collect(),
                    times,
                    quoted: Vec::new(),
                    agency,
                });
            }
        }
        let quotes = quotes_of_lines(lines, names);
        for quote in quotes.into_iter().filter(|quote| quote.kind == Kind::Speech) {
            let Some(first) = quote.words.first() else { continue };
            let place = (first.block as u32, first.bytes.start as u32);
            let own = &mut self.sentences[from..];
            let behind = own.partition_point(|it| (it.place.block, it.place.start) <= place);
            // A quote in a heading or a caption has no sentence.
            let Some(sentence) = behind.checked_sub(1).filter(|it| {
                let found = &own[*it].place;
                found.block == place.0 && place.1 < found.end
            }) else {
                continue;
            };
            for span in &quote.words {
                let block = span.block as u32;
                let first = own.partition_point(|it| it.place.block < block).max(sentence);
                let touched = own[first..]
                    .iter_mut()
                    .take_while(|it| it.place.block == block && it.place.start as usize <= span.bytes.end);
                touched.for_each(|it| it.quoted.push(span.bytes.clone()));
            }
            self.said.push(Said { article: at, quote, sentence: from + sentence });
        }
        self.sentences[from..].iter_mut().for_each(|sentence| join(&mut sentence.quoted));
    }

    /// The mentions of the story's names in one article, by that article's own blocks.
    fn mentions_of(&self, article: usize) -> Vec<Mention> {
        let blocks = self.first_block[article]..self.first_block[article + 1];
        let place = |block: usize| self.names.mentions.partition_point(|mention| mention.span.block < block);
        let own = |mention: &Mention| {
            let Span { block, bytes } = &mention.span;
            Mention { span: Span { block: block - blocks.start, bytes: bytes.clone() }, name: mention.name }
        };
        self.names.mentions[place(blocks.start)..place(blocks.end)].iter().map(own).collect()
    }

    /// The words of a mention as an article prints it.
    pub(super) fn printed(&self, mention: &Mention) -> &'a str {
        let article = self.first_block.partition_point(|first| *first <= mention.span.block) - 1;
        let block = &self.articles[article].body[mention.span.block - self.first_block[article]];
        &block.text()[mention.span.bytes.clone()]
    }

    /// Whether its outlet marks an article as opinion.
    pub(super) fn is_opinion(&self, article: usize) -> bool {
        self.articles[article].opinion.is_some()
    }

    pub(super) fn text(&self, passage: &Passage) -> &'a str {
        passage.text(self.articles).unwrap_or_default()
    }
}

/// The times of an article's paragraphs, each with its block, in order.
fn told(article: &Article, lines: &[Line<'_>], assumed: Option<Date>) -> Vec<(usize, Time)> {
    let published = article.published.and_then(|when| day(when.unix));
    let mut told: Vec<(usize, Time)> = Vec::new();
    for (block, line) in lines.iter().enumerate() {
        if let Block::Paragraph(text) = line.block {
            let times = times_of_sentences(text, &line.sentences);
            told.extend(times.into_iter().map(|time| (block, time)));
        }
    }
    if published.is_none() {
        // Nobody said when it was published. What needs the very day of that is left open, and what is counted from it too.
        let mut open = false;
        told.retain(|(_, time)| {
            open = match time.anchor() {
                Anchor::Publication => !needs_only_the_year(time.meaning),
                Anchor::Absolute if matches!(time.meaning, Meaning::Stated(_) | Meaning::Named(..)) => false,
                Anchor::Absolute => return true,
                Anchor::Narrative => open,
            };
            !open
        });
    }
    resolve(told.iter_mut().map(|(_, time)| time), published.or(assumed));
    told
}

/// Puts ranges in order, those that touch or overlap into one.
fn join(ranges: &mut Vec<Range<usize>>) {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let touches = next.start <= range.end;
        if touches {
            range.end = range.end.max(next.end);
        }
        touches
    });
}

/// Whether a phrase names its piece of the calendar but for the year, which some days more or less do not change.
pub(super) fn needs_only_the_year(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Named(
            Called::Day(..) | Called::WeekOf(..) | Called::Month(_) | Called::Holiday(_) | Called::Season(_),
            _
        )
    )
}

/// The agency in brackets that an article begins with, between its place and a dash.
fn dateline(text: &str) -> Option<Range<usize>> {
    /// Bytes before the brackets: a place and a day.
    const LONGEST: usize = 60;
    let open = text.find('(').filter(|open| *open <= LONGEST && text.starts_with(char::is_uppercase))?;
    let close = open + text[open..].find(')')?;
    let name = text[open + 1..close].trim();
    let dash = text[close + 1..].trim_start().starts_with(['-', '–', '—']);
    let words = name.split_whitespace().count();
    let plain =
        text[..open].chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | ',' | '.' | '\'' | '’' | '-'));
    (dash && plain && (1..=3).contains(&words) && name.starts_with(char::is_uppercase))
        .then_some(open + 1..close)
}

/// The day of a moment, in UTC.
pub(super) fn day(unix: i64) -> Option<Date> {
    Timestamp::from_second(unix).ok().map(|moment| moment.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_touch_are_one() {
        let mut ranges = vec![8..9, 0..3, 2..5, 5..6, 4..5];
        join(&mut ranges);
        assert_eq!(ranges, [0..6, 8..9]);
    }
}
