//! Blocks one after the other -> quotes: what goes on from sentence to sentence and from paragraph to paragraph.

use std::ops::Range;

use proto::story::Block;

use super::attribute::{Attribution, announcing, attributions};
use super::line::{Item, Line, ends_sentence};
use super::speaker::Speakers;
use super::tag::begins_with_tag;
use super::{Kind, Quote, Speaker, kind, marks};
use crate::name::Names;
use crate::span::Span;

/// All quotes of an article.
pub(super) fn read(blocks: &[Block], names: &Names) -> Vec<Quote> {
    let mut reader = Reader {
        drafts: Vec::new(),
        announced: None,
        follows: false,
        since: 0,
        single: false,
        speakers: Speakers::of(names),
    };
    for (at, block) in blocks.iter().enumerate() {
        let next_opens = blocks.get(at + 1).is_some_and(|next| marks::opens(next.text()));
        let line = Line::of(block.text(), next_opens);
        match block {
            Block::Paragraph(_) => reader.block(at, &line),
            // Neither goes on with what was said, and a caption does not stop it either.
            Block::Heading(_) => {
                reader.follows = false;
                reader.block(at, &line);
                reader.follows = false;
            }
            Block::Caption(_) => {
                let before = (reader.follows, reader.since, reader.announced.take());
                reader.follows = false;
                reader.block(at, &line);
                (reader.follows, reader.since, reader.announced) = before;
            }
        }
    }
    let mut quotes: Vec<Quote> =
        reader.drafts.into_iter().map(|draft| draft.quote).filter(|quote| !quote.words.is_empty()).collect();
    quotes.sort_by_key(|quote| (quote.content[0].block, quote.content[0].bytes.start));
    quotes
}

struct Reader<'n> {
    drafts: Vec<Draft>,
    /// The sentence before ended with a colon: its verb and source.
    announced: Option<(Option<Span>, Option<Speaker>)>,
    /// Whether a marked sentence of its own belongs to the quote before it.
    follows: bool,
    /// The first draft of the last sentence that had any.
    since: usize,
    /// Whether the last quote was in single marks.
    single: bool,
    speakers: Speakers<'n>,
}

struct Draft {
    quote: Quote,
    /// It begins with marks, so that whole marked sentences may follow.
    whole: bool,
}

impl Reader<'_> {
    fn block(&mut self, block: usize, line: &Line<'_>) {
        for stretch in &line.asides {
            self.aside(
                stretch.kind,
                Span { block, bytes: stretch.marked.inner.clone() },
                Span { block, bytes: stretch.marked.outer.clone() },
            );
        }
        for sentence in sentences(line) {
            self.sentence(&Sentence { block, line, items: sentence.clone() });
        }
    }

    fn sentence(&mut self, sentence: &Sentence<'_, '_>) {
        let items = sentence.items();
        let has_marks = items.iter().any(|item| item.marked.is_some());
        self.speakers.begin(sentence.block, sentence.line, sentence.items.clone());
        if has_marks && items.iter().all(|item| !item.is_word()) {
            return self.marked_alone(sentence);
        }
        self.announced = None;
        let followed = self.follows;
        self.follows &= has_marks;
        if has_marks {
            let found = attributions(items);
            if followed && found.is_empty() && sentence.goes_on() && self.goes_on_in(sentence) {
                return;
            }
            self.follows = !found.is_empty();
            if self.follows {
                self.since = self.drafts.len();
            }
            let mut loose: Vec<usize> = (0..items.len()).filter(|&at| items[at].marked.is_some()).collect();
            for attribution in found {
                loose.retain(|at| !attribution.content.iter().any(|part| part.contains(at)));
                self.attributed(sentence, attribution);
            }
            for at in loose {
                self.loose(sentence, at);
            }
        }
        if items.last().is_some_and(|last| last.is_sign(":")) {
            let (cue, source) = announcing(items);
            let speaker = source.and_then(|source| self.speakers.resolve(items, source));
            self.announced = Some((cue.map(|cue| sentence.place(cue)), speaker));
        }
    }

    /// A sentence of marked words and nothing else.
    fn marked_alone(&mut self, sentence: &Sentence<'_, '_>) {
        let items = sentence.items();
        // A line in single marks behind a quote in double ones is a heading.
        self.follows &= !(sentence.items.start == 0 && sentence.is_single() && !self.single);
        let begin = items.iter().position(|item| item.marked.is_some()).unwrap_or(0);
        let end = items.iter().rposition(|item| item.marked.is_some()).map_or(items.len(), |last| last + 1);
        let (content, words) = (sentence.place(begin..end), sentence.words(begin..end));
        if let Some((cue, speaker)) = self.announced.take() {
            self.since = self.drafts.len();
            self.follows = true;
            self.single = sentence.is_single();
            let quote = Quote { cue, speaker, ..speech(words, vec![content]) };
            self.drafts.push(Draft { quote, whole: true });
        } else if self.follows
            && let Some(draft) = self.followed()
        {
            draft.quote.content.push(content);
            draft.quote.words.extend(words);
        } else {
            (begin..end).filter(|&at| items[at].marked.is_some()).for_each(|at| self.loose(sentence, at));
        }
    }

    /// Adds a sentence of marked and other words to the quote before it in the same block, if that is whole.
    fn goes_on_in(&mut self, sentence: &Sentence<'_, '_>) -> bool {
        let near = self
            .drafts
            .last()
            .and_then(|draft| draft.quote.content.last())
            .is_some_and(|content| content.block == sentence.block);
        let Some(draft) = self.followed().filter(|draft| near && draft.whole) else { return false };
        let items = sentence.items();
        let end = items
            .iter()
            .rposition(|item| item.is_word() || item.marked.is_some())
            .map_or(items.len(), |last| last + 1);
        draft.quote.content.push(sentence.place(0..end));
        draft.quote.words.extend(sentence.words(0..end));
        true
    }

    /// The draft that a marked sentence goes on with: the one that began with marks, rather than a fragment behind it.
    fn followed(&mut self) -> Option<&mut Draft> {
        let at = (self.since..self.drafts.len()).rev().find(|&at| self.drafts[at].whole);
        match at {
            Some(at) => self.drafts.get_mut(at),
            None => self.drafts.get_mut(self.since),
        }
    }

    fn attributed(&mut self, sentence: &Sentence<'_, '_>, attribution: Attribution) {
        let items = sentence.items();
        self.single = sentence.is_single();
        let Attribution { cue, source, content, addressee, occasion } = attribution;
        let speaker = source.and_then(|source| self.speakers.resolve(items, source));
        let quote = Quote {
            cue: Some(sentence.place(cue)),
            speaker,
            addressee: addressee.map(|part| sentence.place(part)),
            occasion: occasion.map(|part| sentence.place(part)),
            ..speech(
                content.iter().flat_map(|part| sentence.words(part.clone())).collect(),
                content.iter().map(|part| sentence.place(part.clone())).collect(),
            )
        };
        self.drafts.push(Draft { quote, whole: items[content[0].start].marked.is_some() });
    }

    /// A marked stretch that nothing ties to a source.
    fn loose(&mut self, sentence: &Sentence<'_, '_>, at: usize) {
        let kind = kind::of_loose(sentence.items(), at, &sentence.line.text[sentence.inner(at)]);
        let words = Span { block: sentence.block, bytes: sentence.inner(at) };
        self.aside(kind, words, sentence.place(at..at + 1));
    }

    fn aside(&mut self, kind: Kind, words: Span, content: Span) {
        let quote = Quote { kind, ..speech(vec![words], vec![content]) };
        self.drafts.push(Draft { quote, whole: false });
    }
}

fn speech(words: Vec<Span>, content: Vec<Span>) -> Quote {
    Quote { kind: Kind::Speech, words, content, cue: None, speaker: None, addressee: None, occasion: None }
}

/// A sentence in its place.
struct Sentence<'l, 't> {
    block: usize,
    line: &'l Line<'t>,
    items: Range<usize>,
}

impl<'t> Sentence<'_, 't> {
    fn items(&self) -> &[Item<'t>] {
        &self.line.items[self.items.clone()]
    }

    fn place(&self, part: Range<usize>) -> Span {
        Span {
            block: self.block,
            bytes: self.line.bytes(self.items.start + part.start..self.items.start + part.end),
        }
    }

    /// Whether its first marks are single ones.
    fn is_single(&self) -> bool {
        let first = self.items().iter().find(|item| item.marked.is_some());
        first.is_some_and(|item| item.word.text.starts_with(['‘', '\'']) && !item.word.text.starts_with("''"))
    }

    /// The words between the marks of an item.
    fn inner(&self, at: usize) -> Range<usize> {
        let item = &self.items()[at];
        item.marked.map_or(item.word.bytes(), |place| self.line.marked[place].inner.clone())
    }

    /// Whether a sentence without a verb of saying goes on with what was said: it begins with marked words, or holds many.
    fn goes_on(&self) -> bool {
        const FEW: usize = 3;
        const MANY: usize = 6;
        let items = self.items();
        let first = items.iter().position(|item| item.marked.is_some());
        let words = |at: usize| self.line.text[self.inner(at)].split_whitespace().count();
        match first {
            Some(0) => words(0) >= FEW,
            Some(at) => words(at) >= MANY,
            None => false,
        }
    }

    fn words(&self, part: Range<usize>) -> Vec<Span> {
        let marked = part.filter(|&at| self.items()[at].marked.is_some());
        marked.map(|at| Span { block: self.block, bytes: self.inner(at) }).collect()
    }
}

/// The sentences of a line, where a question in marks and the verb of asking behind it are one.
fn sentences(line: &Line<'_>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(line.sentences.len());
    for sentence in &line.sentences {
        match joined.last_mut() {
            // "Vane Jr. (of Orford)" is not two sentences.
            Some(last)
                if line.items[sentence.start].is_sign("(") && line.items[last.end - 1].marked.is_none() =>
            {
                last.end = sentence.end;
            }
            Some(last) if is_before_tag(line, last.end - 1, &line.items[sentence.clone()]) => {
                last.end = sentence.end;
            }
            _ => joined.push(sentence.clone()),
        }
    }
    joined
}

/// Whether the verb of saying for the marked words at `at` begins the next sentence.
fn is_before_tag(line: &Line<'_>, at: usize, next: &[Item<'_>]) -> bool {
    let Some(place) = line.items[at].marked else { return false };
    let words = line.text[line.marked[place].inner.clone()].trim_end();
    ends_sentence(words) && begins_with_tag(next, words.ends_with('.'))
}
