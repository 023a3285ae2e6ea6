//! Blocks one after the other -> quotes: what goes on from sentence to sentence and from paragraph to paragraph.

use std::ops::Range;

use proto::story::Block;

use super::attribute::{Attribution, announcing, attributions, telling};
use super::line::{Item, Line, ends_sentence};
use super::phrase::{is_verb, phrase_at};
use super::speaker::Speakers;
use super::tag::begins_with_tag;
use super::{Kind, Quote, Speaker, kind, marks};
use crate::cut;
use crate::name::Names;
use crate::span::Span;
use crate::word::Class;

/// All quotes of an article.
pub(super) fn read(lines: &[cut::Line<'_>], names: &Names) -> Vec<Quote> {
    let mut reader = Reader {
        drafts: Vec::new(),
        announced: None,
        told: None,
        follows: false,
        since: 0,
        single: false,
        alone: None,
        speakers: Speakers::of(names),
    };
    for (at, cut_line) in lines.iter().enumerate() {
        let next_opens = lines.get(at + 1).is_some_and(|next| marks::opens(next.block.text()));
        let line = Line::of(cut_line, next_opens);
        match cut_line.block {
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
    /// The sentence before, of the same block, told in other words what somebody said: a quote without words yet.
    told: Option<Quote>,
    /// Whether a marked sentence of its own belongs to the quote before it.
    follows: bool,
    /// The first draft of the last sentence that had any.
    since: usize,
    /// Whether the last quote was in single marks.
    single: bool,
    /// The last block was marked words and nothing else.
    alone: Option<Alone>,
    speakers: Speakers<'n>,
}

struct Draft {
    quote: Quote,
    /// It begins with marks, so that whole marked sentences may follow.
    whole: bool,
}

/// A block of marked words, and the draft they went to.
struct Alone {
    block: usize,
    draft: usize,
    /// They go on with words of other blocks.
    joined: bool,
    /// How many stretches they are.
    words: usize,
}

impl Reader<'_> {
    fn block(&mut self, block: usize, line: &Line<'_>) {
        if let Some(alone) = self.alone.take().filter(|alone| alone.block + 1 == block)
            && self.signed(block, line, &alone)
        {
            return;
        }
        for stretch in &line.asides {
            self.aside(
                stretch.kind,
                Span { block, bytes: stretch.marked.inner.clone() },
                Span { block, bytes: stretch.marked.outer.clone() },
            );
        }
        let mut sentences = sentences(line).into_iter().peekable();
        while let Some(items) = sentences.next() {
            let announces = sentences.peek().is_some_and(|next| is_marked(&line.items[next.clone()]));
            self.sentence(&Sentence { block, line, items }, announces);
        }
    }

    /// Whether a block is nothing but the name under words that stand alone ("— Ilsa Vane, a baker"), which are then that person's.
    fn signed(&mut self, block: usize, line: &Line<'_>, alone: &Alone) -> bool {
        const LONGEST: usize = 14;
        let items = &line.items;
        let dashes = items.iter().take_while(|item| item.is_dash()).count();
        let Some(first) = items.get(dashes).filter(|first| first.is_capital() && items.len() <= LONGEST)
        else {
            return false;
        };
        // Without a dash it must look like a name with an age or an office, or be two or three words with capitals.
        let (rest, end) = (&items[dashes..], items.len() - usize::from(items[items.len() - 1].is_sign(".")));
        let verb = rest
            .iter()
            .enumerate()
            .any(|(at, item)| item.marked.is_some() || item.is(Class::AUX) || is_verb(rest, at));
        let capitals = rest.iter().take_while(|item| item.is_capital()).count();
        let name = (2..=4).contains(&capitals)
            && (dashes + capitals == end || items[dashes + capitals].is_sign(","));
        let small = first.is(Class::DETERMINER
            | Class::PREPOSITION
            | Class::AND
            | Class::SUBORDINATOR
            | Class::ADVERB
            | Class::PRONOUN);
        if verb || small || !(dashes > 0 || (name && !alone.joined)) {
            return false;
        }
        self.speakers.begin(block, line, 0..items.len());
        let speaker = phrase_at(items, dashes).and_then(|phrase| self.speakers.resolve(items, phrase, &[]));
        let cue = (dashes > 0).then(|| Span { block, bytes: line.bytes(0..dashes) });
        let draft = &mut self.drafts[alone.draft];
        if alone.joined {
            let content = draft.quote.content.pop().into_iter().collect();
            let words = draft.quote.words.split_off(draft.quote.words.len() - alone.words);
            self.drafts.push(Draft { quote: Quote { cue, speaker, ..speech(words, content) }, whole: true });
        } else {
            (draft.quote.cue, draft.quote.speaker) = (cue, speaker);
        }
        self.follows = false;
        true
    }

    /// Reads a sentence, and of one before marked words alone what it tells of somebody's words.
    fn sentence(&mut self, sentence: &Sentence<'_, '_>, announces: bool) {
        let items = sentence.items();
        let has_marks = items.iter().any(|item| item.marked.is_some());
        self.speakers.begin(sentence.block, sentence.line, sentence.items.clone());
        if is_marked(items) {
            return self.marked_alone(sentence);
        }
        self.announced = None;
        self.told = None;
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
        if announces
            && !has_marks
            && let Some(attribution) = telling(items)
        {
            let Attribution { cue, source, content, .. } = attribution;
            let content = content.into_iter().map(|part| sentence.place(part)).collect();
            let speaker = source.and_then(|source| self.speakers.resolve(items, source, &[]));
            let cue = Some(sentence.place(cue));
            self.told = Some(Quote { cue, speaker, ..speech(Vec::new(), content) });
        }
        if items.last().is_some_and(|last| last.is_sign(":")) {
            let (cue, source) = announcing(items);
            let speaker = source.and_then(|source| self.speakers.resolve(items, source, &[]));
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
            self.alone = sentence.is_block().then_some(Alone {
                block: sentence.block,
                draft,
                joined: true,
                words: words.len(),
            });
            self.drafts[draft].quote.content.push(content);
            self.drafts[draft].quote.words.extend(words);
        } else if let Some(mut quote) = self.told.take() {
            self.since = self.drafts.len();
            self.follows = true;
            self.single = sentence.is_single();
            quote.content.push(content);
            quote.words = words;
            self.drafts.push(Draft { quote, whole: true });
        } else {
            let (block, draft) = (sentence.block, self.drafts.len());
            self.alone =
                sentence.is_block().then_some(Alone { block, draft, joined: false, words: words.len() });
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
        let Some(draft) = self.followed().filter(|&at| near && self.drafts[at].whole) else { return false };
        let draft = &mut self.drafts[draft];
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
    fn followed(&self) -> Option<usize> {
        let whole = (self.since..self.drafts.len()).rev().find(|&at| self.drafts[at].whole);
        whole.or((self.since < self.drafts.len()).then_some(self.since))
    }

    fn attributed(&mut self, sentence: &Sentence<'_, '_>, attribution: Attribution) {
        let items = sentence.items();
        self.single = sentence.is_single();
        let Attribution { cue, source, content, addressee, occasion } = attribution;
        let words = content.iter().flat_map(|part| sentence.words(part.clone())).collect();
        let said: Vec<Span> = content.iter().map(|part| sentence.place(part.clone())).collect();
        let speaker = source.and_then(|source| self.speakers.resolve(items, source, &said));
        let quote = Quote {
            cue: Some(sentence.place(cue)),
            speaker,
            addressee: addressee.map(|part| sentence.place(part)),
            occasion: occasion.map(|part| sentence.place(part)),
            ..speech(words, said)
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

    fn is_block(&self) -> bool {
        self.items == (0..self.line.items.len())
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

/// Whether a sentence is marked words and nothing else.
fn is_marked(items: &[Item<'_>]) -> bool {
    items.iter().any(|item| item.marked.is_some()) && items.iter().all(|item| !item.is_word())
}

/// The sentences of a line, where a question in marks and the verb of asking behind it are one.
fn sentences(line: &Line<'_>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(line.sentences.len());
    for sentence in &line.sentences {
        match joined.last_mut() {
            // "Vane Jr. (of Orford)" is not two sentences.
            Some(last) if line.items[sentence.start].is_sign("(") && line.items[last.end - 1].is_word() => {
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
