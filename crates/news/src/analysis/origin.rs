//! Where a sentence says that it has something from.
//!
//! ```text
//! "according to ..."                         a paper or recording, a body, people without names
//! "obtained by ...", "a report by ..."       a paper or recording and who has it, an outlet's own work
//! "told ...", "in an interview with ..."     one outlet was told
//! "court records show", "in a filing"        a paper that is open to everybody
//! "a reporter for ... saw", "... has learned" an outlet's own eyes and ears
//! "in a post on ...", "in a statement"       it was published
//! "officials said"                           people without names
//! ```
//!
//! A name counts as that of an outlet if another article of the story is that outlet's, if a word in it says so, or if the story
//! never tells of anything in it: a place or a parliament can be told something too.

mod own;
mod part;
mod record;

use std::collections::HashSet;
use std::ops::Range;

use proto::analysis::OriginKind;

use super::reading::{Reading, Sentence};
use crate::name::{Name, Sort};
use crate::word::{Class, Word, words};
use part::{BY, HAD, HEARD, INSIDE, MEDIA, PAPER, POST, PUBLISHED, Part, RECORDING, REPORT, TO_ALL, part};

/// So many words behind "according to" are read, and before "obtained by".
const FAR: usize = 14;

/// An origin that a sentence states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stated {
    pub(super) kind: OriginKind,
    /// As the article prints it, or the fullest name of the story.
    pub(super) name: String,
    /// What lies at its bottom, if it is a paper or a recording.
    pub(super) medium: Option<Medium>,
    /// Whether `name` names who has it, and is no word for the thing itself.
    pub(super) named: bool,
    /// The words that state it, in the block.
    pub(super) bytes: Range<usize>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Medium {
    Recording,
    Paper,
}

/// Reads origins, knowing which names are those of outlets.
pub(super) struct Origins<'r, 'a> {
    reading: &'r Reading<'a>,
    /// Of each name of the story: whether it is that of an outlet, as far as the story shows.
    outlets: Vec<bool>,
    /// Names that the story tells of something in.
    places: HashSet<usize>,
}

/// A sentence that is read, each word with its part.
struct Line<'s, 'a> {
    sentence: &'s Sentence<'a>,
    words: &'s [Word<'a>],
    parts: Vec<Part>,
}

impl Line<'_, '_> {
    fn is(&self, at: usize, part: Part) -> bool {
        self.parts.get(at).is_some_and(|own| own & part != 0)
    }

    fn medium(&self, at: usize) -> Option<Medium> {
        if self.is(at, RECORDING) {
            Some(Medium::Recording)
        } else {
            self.is(at, PAPER).then_some(Medium::Paper)
        }
    }

    /// The nearest recording or paper before a word.
    fn medium_before(&self, at: usize) -> Option<Medium> {
        (at.saturating_sub(FAR)..=at).rev().find_map(|at| self.medium(at))
    }

    /// The name that begins with a word, and the place behind it.
    fn name(&self, at: usize) -> Option<(usize, usize)> {
        let word = self.words.get(at)?;
        let (name, bytes) = self.sentence.names.iter().find(|(_, bytes)| bytes.start == word.begin)?;
        Some((*name, self.words.partition_point(|word| word.begin < bytes.end)))
    }

    fn says(&self, at: usize, word: &str) -> bool {
        self.words.get(at).is_some_and(|it| it.says(word))
    }

    fn class(&self, at: usize, class: Class) -> bool {
        self.words.get(at).is_some_and(|it| it.is(class))
    }

    /// Whether no name begins within these words.
    fn is_plain(&self, mut range: Range<usize>) -> bool {
        range.all(|at| self.name(at).is_none())
    }

    fn bytes(&self, range: Range<usize>) -> Range<usize> {
        self.words[range.start].begin..self.words[range.end - 1].bytes().end
    }
}

impl<'r, 'a> Origins<'r, 'a> {
    pub(super) fn of(reading: &'r Reading<'a>) -> Origins<'r, 'a> {
        let outlets: HashSet<String> = reading.articles.iter().map(|article| bare(&article.outlet)).collect();
        let is_outlet = |name: &Name| {
            let small = bare(&name.full);
            outlets.contains(&small) || words(&small).last().is_some_and(|last| part(last) & MEDIA != 0)
        };
        let outlets = reading.names.names.iter().map(is_outlet).collect();
        let mut places = HashSet::new();
        for sentence in &reading.sentences {
            for (name, bytes) in &sentence.names {
                let at = sentence.words.partition_point(|word| word.begin < bytes.start);
                let mut before = sentence.words[..at].iter().rev();
                let near = before.next().filter(|word| !word.says("the")).or_else(|| before.next());
                if near.is_some_and(|word| part(word) & INSIDE != 0) {
                    places.insert(*name);
                }
            }
        }
        Origins { reading, outlets, places }
    }

    /// All origins that a sentence states, the surest first, and whether it speaks of a recording, whoever has it: papers are of many
    /// kinds, "the document" may be any. What stands within marks states none: it is what was said.
    pub(super) fn read(&self, sentence: &Sentence<'_>) -> (Vec<Stated>, Option<Medium>) {
        let parts = sentence.words.iter().map(part).collect();
        let line = &Line { sentence, words: sentence.words, parts };
        let (mut found, mut medium) = (Vec::new(), None);
        for at in (0..line.words.len()).filter(|at| !sentence.is_quoted(line.words[*at].begin)) {
            medium = medium.or(line.is(at, RECORDING).then_some(Medium::Recording));
            let one = self
                .according_to(line, at)
                .or_else(|| self.had_by(line, at))
                .or_else(|| self.own(line, at))
                .or_else(|| self.told(line, at))
                .or_else(|| self.posted(line, at))
                .or_else(|| self.published(line, at))
                .or_else(|| self.record(line, at))
                .or_else(|| self.unnamed(line, at));
            found.extend(one);
        }
        found.sort_by_key(|one| (one.kind, !one.named, one.bytes.start));
        (found, medium)
    }

    /// "according to a transcript by the Orford Gazette"
    fn according_to(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        if !(line.says(at, "according") && line.says(at + 1, "to")) {
            return None;
        }
        let ends = |word: &&Word<'_>| !(word.is(Class::SAY) || word.is_sign() && word.text != "-");
        let end = at + 2 + line.words[at + 2..].iter().take(FAR).take_while(ends).count();
        if end == at + 2 {
            return None;
        }
        let (phrase, bytes) = (at + 2..end, line.bytes(at..end));
        if let Some(document) = self.document(line, phrase.clone(), bytes.clone()) {
            return Some(document);
        }
        let the = usize::from(line.says(phrase.start, "the"));
        if let Some((name, _)) = line.name(phrase.start + the) {
            let of = &self.reading.names.names[name];
            let kind = if self.is_outlet(name) { OriginKind::Report } else { OriginKind::Public };
            // A person speaks for himself; who it is, the quote says.
            let counts = of.sort != Sort::Person || kind == OriginKind::Report;
            return counts.then(|| Stated { kind, name: of.full.clone(), medium: None, named: true, bytes });
        }
        let holds = |class: Class| phrase.clone().any(|at| line.class(at, class));
        let kind = if holds(Class::PEOPLE) { OriginKind::Unnamed } else { OriginKind::Public };
        let counts = kind == OriginKind::Unnamed || (line.is_plain(phrase.clone()) && holds(Class::DOCUMENT));
        counts.then(|| self.plain(line, kind, phrase, bytes))
    }

    /// A paper or a recording in a phrase, and who has it.
    fn document(&self, line: &Line<'_, '_>, phrase: Range<usize>, bytes: Range<usize>) -> Option<Stated> {
        let at = phrase.clone().find(|at| line.medium(*at).is_some() || line.is_record(*at))?;
        let medium = line.medium(at).unwrap_or(Medium::Paper);
        let by = |at: usize| line.is(at, BY) && !line.says(at, "in");
        let has = |begin: usize, end: usize| {
            let before = begin.checked_sub(1);
            let the = before.filter(|at| line.says(*at, "the")).and_then(|at| at.checked_sub(1));
            let owner = end < at && line.words[end].is_possessive();
            before.is_some_and(by) || the.is_some_and(by) || owner
        };
        let person = |name: usize| self.reading.names.names[name].sort == Sort::Person;
        let holder = phrase
            .filter_map(|begin| line.name(begin).map(|(name, end)| (name, begin, end)))
            .find(|(name, begin, end)| !person(*name) && has(*begin, *end))
            .map(|(name, ..)| self.reading.names.names[name].full.clone());
        if holder.is_none() && line.is_record(at) {
            return Some(self.plain(line, OriginKind::Record, line.record_begin(at)..at + 1, bytes));
        }
        let named = holder.is_some();
        let name = holder.unwrap_or_else(|| line.words[at].text.to_lowercase());
        Some(Stated { kind: OriginKind::Document, name, medium: Some(medium), named, bytes })
    }

    /// "a memo seen by the Orford Gazette", "leaked to the Gazette", "an investigation by the Gazette"
    fn had_by(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        // "a report by the Gazette", but "a letter to the Gazette".
        let made = line.is(at, REPORT | RECORDING | PAPER) && line.says(at + 1, "by");
        if !(made || line.is(at, HAD) && line.is(at + 1, BY)) {
            return None;
        }
        if let Some(end) = line.itself(at + 2) {
            let kind = if line.medium_before(at).is_some() { OriginKind::Document } else { OriginKind::Own };
            return Some(self.of_its_own(line, kind, at..end));
        }
        let the = usize::from(line.class(at + 2, Class::DETERMINER));
        let (name, end) = line.name(at + 2 + the)?;
        let of = &self.reading.names.names[name];
        if of.sort == Sort::Person || (self.places.contains(&name) && !self.is_outlet(name)) {
            return None;
        }
        let medium = line.medium_before(at);
        let kind = match medium {
            None if line.is(at, REPORT | HEARD) => OriginKind::Report,
            _ => OriginKind::Document,
        };
        Some(Stated { kind, name: of.full.clone(), medium, named: true, bytes: line.bytes(at..end) })
    }

    /// "told the Orford Gazette", "in an interview with the Gazette", "told state radio", "told reporters"
    fn told(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        const REACH: usize = 5;
        let interview = line.says(at, "interview") && (line.is(at + 1, BY) || line.says(at + 1, "on"));
        let tells = ["told", "tells", "telling"].iter().any(|it| line.says(at, it));
        if !(tells || interview) {
            return None;
        }
        let from = at + 1 + usize::from(interview);
        if line.is(from, TO_ALL) {
            return Some(self.plain(line, OriginKind::Public, from..from + 1, line.bytes(at..from + 1)));
        }
        if let Some(end) = line.itself(from) {
            return Some(self.of_its_own(line, OriginKind::Interview, at..end));
        }
        let the = usize::from(line.class(from, Class::DETERMINER));
        let ends = |word: &&Word<'_>| !word.is_sign() && !word.is(Class::SUBORDINATOR);
        let reach = line.words.get(from + the..)?.iter().take(REACH).take_while(ends).count();
        if let Some(last) = (from + the..from + the + reach).rev().find(|at| line.is(*at, MEDIA)) {
            let plain =
                self.plain(line, OriginKind::Interview, from + the..last + 1, line.bytes(at..last + 1));
            return Some(Stated { named: true, ..plain });
        }
        let (name, end) = line.name(from + the)?;
        let of = &self.reading.names.names[name];
        let hears = interview || self.is_outlet(name) || !self.places.contains(&name);
        // "told the Orford mayor": the name is that of nobody who was told.
        let opens = Class::SUBORDINATOR
            | Class::PREPOSITION
            | Class::TIME
            | Class::AND
            | Class::PRONOUN
            | Class::DETERMINER;
        // "Vane told Orr." says nothing of what was told.
        let said = || line.words[..at].iter().any(Word::is_sign);
        let ends = |next: &Word<'_>| next.text == "." && !interview && !said();
        let goes_on = line.words.get(end).is_none_or(|next| {
            (next.is_sign() && !ends(next))
                || next.is(opens)
                || ["that", "last", "earlier", "how", "why"].iter().any(|it| next.says(it))
        });
        // "told the council to wait" is an order.
        (of.sort != Sort::Person && hears && goes_on && !line.says(end, "to")).then(|| Stated {
            kind: OriginKind::Interview,
            name: of.full.clone(),
            medium: None,
            named: true,
            bytes: line.bytes(at..end),
        })
    }

    /// "wrote on Quill", "in a post on social media", "in a Quill post"
    fn posted(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        const REACH: usize = 4;
        if !line.is(at, POST) {
            return None;
        }
        let public = |name: usize, bytes: Range<usize>| {
            let name = self.reading.names.names[name].full.clone();
            Some(Stated { kind: OriginKind::Public, name, medium: None, named: true, bytes })
        };
        if let Some(on) = (at + 1..at + 1 + REACH).find(|at| line.says(*at, "on")) {
            if line.says(on + 1, "social") && line.says(on + 2, "media") {
                return Some(self.plain(line, OriginKind::Public, on + 1..on + 3, line.bytes(at..on + 3)));
            }
            if let Some((name, end)) = line.name(on + 1)
                && self.reading.names.names[name].sort != Sort::Person
            {
                return public(name, line.bytes(at..end));
            }
        }
        let begins = |begin: &usize| line.name(*begin).is_some_and(|(_, end)| end == at);
        let begin = (at.saturating_sub(REACH)..at).find(begins)?;
        let (name, _) = line.name(begin)?;
        let a = begin.checked_sub(1).is_some_and(|at| line.class(at, Class::DETERMINER));
        if a && line.says(at, "post") { public(name, line.bytes(begin..at + 1)) } else { None }
    }

    /// "in a statement", "at a news conference"
    fn published(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        const REACH: usize = 3;
        if !line.is(at, PUBLISHED) {
            return None;
        }
        let opens = |at: &usize| ["in", "at", "during"].iter().any(|it| line.says(*at, it));
        let opens = (at.saturating_sub(REACH)..at).find(opens)?;
        let determined = (opens + 1..at).any(|at| line.class(at, Class::DETERMINER));
        (determined && line.is_plain(opens..at))
            .then(|| self.plain(line, OriginKind::Public, opens + 1..at + 1, line.bytes(opens..at + 1)))
    }

    /// "officials said", "a person familiar with the talks told": people, a few words, a verb of saying, and no name.
    fn unnamed(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        const NEAR: usize = 4;
        if !line.class(at, Class::PEOPLE) || (line.words[at].is_capital() && at > 0) {
            return None;
        }
        let ends = |at: &usize| !line.words[*at].is_sign() && !line.class(*at, Class::AND);
        let mut behind = (at + 1..line.words.len()).take(NEAR).take_while(ends);
        let says = behind.find(|at| line.class(*at, Class::SAY | Class::TELL))?;
        let opens =
            Class::CUE | Class::PREPOSITION | Class::AND | Class::SUBORDINATOR | Class::PRONOUN | Class::AUX;
        let goes_back = |at: &usize| {
            let word = &line.words[*at];
            !word.is_sign() && !word.is(opens) && !word.says("that")
        };
        let from = (0..at).rev().take_while(goes_back).last().unwrap_or(at);
        Some(self.plain(line, OriginKind::Unnamed, from..at + 1, line.bytes(from..says + 1)))
    }

    /// An origin that is named by words of the language.
    fn plain(
        &self,
        line: &Line<'_, '_>,
        kind: OriginKind,
        range: Range<usize>,
        bytes: Range<usize>,
    ) -> Stated {
        let skip = usize::from(line.class(range.start, Class::DETERMINER) && range.len() > 1);
        let words = line.sentence.passage(&line.bytes(range.start + skip..range.end));
        Stated { kind, name: self.reading.text(&words).to_owned(), medium: None, named: false, bytes }
    }

    /// Whether a name is that of an outlet, as far as the story shows.
    fn is_outlet(&self, name: usize) -> bool {
        self.outlets[name]
    }
}

/// A name in small letters, without "the".
pub(super) fn bare(name: &str) -> String {
    let small = name.to_lowercase();
    small.strip_prefix("the ").unwrap_or(&small).to_owned()
}
