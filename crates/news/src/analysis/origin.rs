//! Where a sentence says that it has something from.
//!
//! ```text
//! "according to ..."     a paper or recording, a body, people without names
//! "obtained by ..."      a paper or recording, and who has it
//! "told ...", "in an interview with ..."     one outlet was told
//! "in a post on ...", "in a statement"       it was published
//! "officials said"       people without names
//! ```
//!
//! A name counts as that of an outlet if another article of the story is that outlet's, if a word in it says so, or if the story
//! never tells of anything in it: a place or a parliament can be told something too.

use std::collections::HashSet;
use std::ops::Range;

use proto::analysis::OriginKind;

use super::reading::{Reading, Sentence};
use crate::name::Sort;
use crate::word::{Class, Word};

/// What is recorded or written down as it was said.
const RECORDINGS: &[&str] = &[
    "audio",
    "footage",
    "recording",
    "recordings",
    "tape",
    "tapes",
    "transcript",
    "transcripts",
    "video",
    "videos",
];
/// What is written.
const PAPERS: &[&str] = &[
    "communique",
    "contract",
    "contracts",
    "cable",
    "cables",
    "data",
    "document",
    "documents",
    "dossier",
    "draft",
    "drafts",
    "e-mail",
    "e-mails",
    "email",
    "emails",
    "filing",
    "filings",
    "file",
    "files",
    "letter",
    "letters",
    "memo",
    "memos",
    "memorandum",
    "minutes",
    "paper",
    "papers",
    "records",
    "spreadsheet",
    "spreadsheets",
    "text",
    "texts",
];
/// An outlet's own work.
const REPORTS: &[&str] = &[
    "expose",
    "exposé",
    "investigation",
    "investigations",
    "report",
    "reports",
    "scoop",
    "story",
    "analysis",
];
/// How somebody comes to have it, before "by", "to" or "with".
const HAD: &[&str] = &[
    "aired",
    "broadcast",
    "given",
    "handed",
    "leaked",
    "obtained",
    "provided",
    "published",
    "released",
    "reported",
    "revealed",
    "reviewed",
    "seen",
    "sent",
    "shared",
    "shown",
    "verified",
    "viewed",
];
/// What is said to all.
const TO_ALL: &[&str] = &["journalists", "reporters"];
/// Said or written for all.
const PUBLISHED: &[&str] = &[
    "address",
    "briefing",
    "broadcast",
    "conference",
    "hearing",
    "parliament",
    "release",
    "sermon",
    "speech",
    "statement",
    "testimony",
];
/// Words that end the name of an outlet, or stand for one.
const MEDIA: &[&str] = &[
    "agency",
    "broadcaster",
    "chronicle",
    "daily",
    "gazette",
    "herald",
    "journal",
    "magazine",
    "media",
    "news",
    "newspaper",
    "observer",
    "outlet",
    "paper",
    "post",
    "press",
    "radio",
    "telegraph",
    "television",
    "times",
    "tribune",
    "tv",
    "website",
    "weekly",
];
/// So many words behind "according to" are read.
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
    /// Outlets of the story, in small letters.
    outlets: HashSet<String>,
    /// Names that the story tells of something in.
    places: HashSet<usize>,
}

impl<'r, 'a> Origins<'r, 'a> {
    pub(super) fn of(reading: &'r Reading<'a>) -> Origins<'r, 'a> {
        let outlets = reading.articles.iter().map(|article| bare(&article.outlet)).collect();
        let inside = ["in", "into", "across", "inside", "near", "throughout", "against", "between"];
        let mut places = HashSet::new();
        for sentence in &reading.sentences {
            for (name, bytes) in &sentence.names {
                let at = sentence.words.partition_point(|word| word.begin < bytes.start);
                let mut before = sentence.words[..at].iter().rev();
                let near = before.next().filter(|word| !word.says("the")).or_else(|| before.next());
                if near.is_some_and(|word| inside.iter().any(|it| word.says(it))) {
                    places.insert(*name);
                }
            }
        }
        Origins { reading, outlets, places }
    }

    /// All origins that a sentence states, the surest first. What stands within marks states none: it is what was said.
    pub(super) fn stated(&self, sentence: &Sentence<'_>) -> Vec<Stated> {
        let mut found = Vec::new();
        for at in 0..sentence.words.len() {
            if sentence.is_quoted(sentence.words[at].begin) {
                continue;
            }
            let one = self
                .according_to(sentence, at)
                .or_else(|| self.had_by(sentence, at))
                .or_else(|| self.told(sentence, at))
                .or_else(|| self.published(sentence, at))
                .or_else(|| unnamed(sentence, at));
            found.extend(one);
        }
        found.sort_by_key(|one| (one.kind, !one.named, one.bytes.start));
        found
    }

    /// "according to a transcript by the Orford Gazette"
    fn according_to(&self, sentence: &Sentence<'_>, at: usize) -> Option<Stated> {
        let words = &sentence.words;
        if !(words[at].says("according") && words.get(at + 1)?.says("to")) {
            return None;
        }
        let far = words[at + 2..].iter().take(FAR);
        let end = at
            + 2
            + far.take_while(|word| !(word.is_sign() && !word.says("-")) && !word.is(Class::SAY)).count();
        if end == at + 2 {
            return None;
        }
        let bytes = words[at].begin..words[end - 1].bytes().end;
        let phrase = at + 2..end;
        if let Some(document) = self.document(sentence, phrase.clone(), bytes.clone()) {
            return Some(document);
        }
        let first = words.get(phrase.start)?;
        if let Some(name) = self.name_at(sentence, phrase.start) {
            let of = &self.reading.names.names[name];
            let kind = if self.is_outlet(name) { OriginKind::Report } else { OriginKind::Public };
            // A person speaks for himself; who it is, the quote says.
            return (of.sort != Sort::Person || kind == OriginKind::Report).then(|| Stated {
                kind,
                name: of.full.clone(),
                medium: None,
                named: true,
                bytes,
            });
        }
        let people = words[phrase.clone()].iter().any(|word| word.is(Class::PEOPLE));
        let plain = sentence.names.iter().all(|(_, name)| !(first.begin..bytes.end).contains(&name.start));
        let kind = if people { OriginKind::Unnamed } else { OriginKind::Public };
        (people || plain && words[phrase.clone()].iter().any(|word| word.is(Class::DOCUMENT))).then(|| {
            let name = self.words(sentence, phrase);
            Stated { kind, name, medium: None, named: false, bytes }
        })
    }

    /// A paper or a recording in a phrase, and who has it.
    fn document(&self, sentence: &Sentence<'_>, phrase: Range<usize>, bytes: Range<usize>) -> Option<Stated> {
        let words = &sentence.words;
        let (at, medium) = phrase.clone().find_map(|at| Some((at, medium(&words[at])?)))?;
        let by = |at: usize| at > 0 && ["by", "from", "to", "with"].iter().any(|it| words[at - 1].says(it));
        let holder = phrase
            .clone()
            .filter_map(|at| Some((at, self.name_at(sentence, at)?)))
            .filter(|(_, name)| self.reading.names.names[*name].sort != Sort::Person)
            .find(|(name_at, name)| {
                let behind =
                    words.partition_point(|word| word.begin < self.name_end(sentence, *name_at, *name));
                by(*name_at)
                    || by(name_at.saturating_sub(1)) && words[name_at - 1].says("the")
                    || (behind < at && words[behind].is_possessive())
            })
            .map(|(_, name)| self.reading.names.names[name].full.clone());
        let named = holder.is_some();
        let name = holder.unwrap_or_else(|| words[at].text.to_lowercase());
        Some(Stated { kind: OriginKind::Document, name, medium: Some(medium), named, bytes })
    }

    /// "a memo seen by the Orford Gazette", "leaked to the Gazette", "an investigation by the Gazette"
    fn had_by(&self, sentence: &Sentence<'_>, at: usize) -> Option<Stated> {
        const BACK: usize = 14;
        let words = &sentence.words;
        let word = &words[at];
        let had = HAD.iter().any(|it| word.says(it));
        let work = REPORTS.iter().any(|it| word.says(it));
        let recorded = medium(word).is_some();
        if !(had || work || recorded) {
            return None;
        }
        let by =
            words.get(at + 1).filter(|next| ["by", "to", "with", "in"].iter().any(|it| next.says(it)))?;
        let of_work = (work || recorded) && !by.says("by");
        if of_work {
            return None;
        }
        let the = usize::from(words.get(at + 2).is_some_and(|word| word.is(Class::DETERMINER)));
        let name = self.name_at(sentence, at + 2 + the)?;
        if self.reading.names.names[name].sort == Sort::Person
            || self.places.contains(&name) && !self.is_outlet(name)
        {
            return None;
        }
        let end = self.name_end(sentence, at + 2 + the, name);
        let before = words[at.saturating_sub(BACK)..=at].iter().rev().find_map(medium);
        let heard = ["reported", "revealed", "published", "released", "aired", "broadcast"];
        let kind = match before {
            Some(_) => OriginKind::Document,
            None if work || heard.iter().any(|it| word.says(it)) => OriginKind::Report,
            None => OriginKind::Document,
        };
        let name = self.reading.names.names[name].full.clone();
        Some(Stated { kind, name, medium: before, named: true, bytes: word.begin..end })
    }

    /// "told the Orford Gazette", "in an interview with the Gazette"
    fn told(&self, sentence: &Sentence<'_>, at: usize) -> Option<Stated> {
        let words = &sentence.words;
        let word = &words[at];
        let interview = word.says("interview")
            && words.get(at + 1).is_some_and(|it| it.says("with") || it.says("on") || it.says("to"));
        if !(word.is(Class::TELL) || interview) {
            return None;
        }
        let from = at + 1 + usize::from(interview);
        let first = words.get(from)?;
        if TO_ALL.iter().any(|it| first.says(it)) {
            let name = first.text.to_lowercase();
            let bytes = word.begin..first.bytes().end;
            return Some(Stated { kind: OriginKind::Public, name, medium: None, named: false, bytes });
        }
        let the = usize::from(first.is(Class::DETERMINER));
        // "Russian state TV", "a local radio station": small words up to one that says what it is.
        let phrase =
            words[from..].iter().take(5).take_while(|word| !word.is_sign() && !word.is(Class::SUBORDINATOR));
        let kinds: Vec<&Word<'_>> = phrase.collect();
        let media = kinds.iter().rposition(|word| MEDIA.iter().any(|it| word.says(it)));
        if let Some(last) = media {
            let name = self.words(sentence, from + the..from + last + 1);
            let bytes = word.begin..kinds[last].bytes().end;
            return Some(Stated { kind: OriginKind::Interview, name, medium: None, named: true, bytes });
        }
        let name = self.name_at(sentence, from + the)?;
        let of = &self.reading.names.names[name];
        if of.sort == Sort::Person || !(self.is_outlet(name) || interview || !self.places.contains(&name)) {
            return None;
        }
        let end = self.name_end(sentence, from + the, name);
        // "told the Orford mayor": the name is that of nobody who was told.
        let next = words.get(words.partition_point(|word| word.begin < end));
        let opens = Class::SUBORDINATOR
            | Class::PREPOSITION
            | Class::TIME
            | Class::AND
            | Class::PRONOUN
            | Class::DETERMINER;
        let ends = |next: &Word<'_>| {
            next.is_sign()
                || next.is(opens)
                || ["that", "last", "earlier", "this", "how", "why"].iter().any(|it| next.says(it))
        };
        if !next.is_none_or(ends) {
            return None;
        }
        let bytes = word.begin..end;
        Some(Stated { kind: OriginKind::Interview, name: of.full.clone(), medium: None, named: true, bytes })
    }

    /// "in a post on Quill", "wrote on Quill", "in a Quill post", "in a statement"
    fn published(&self, sentence: &Sentence<'_>, at: usize) -> Option<Stated> {
        let words = &sentence.words;
        let word = &words[at];
        let post = ["post", "posted", "wrote", "tweeted", "posting"].iter().any(|it| word.says(it));
        let stated = |name: String, named: bool, bytes: Range<usize>| {
            Some(Stated { kind: OriginKind::Public, name, medium: None, named, bytes })
        };
        if post {
            let on = words.iter().skip(at + 1).take(4).position(|it| it.says("on")).map(|on| at + 1 + on);
            if let Some(on) = on
                && let Some(name) = self.name_at(sentence, on + 1)
                && self.reading.names.names[name].sort != Sort::Person
            {
                let bytes = word.begin..self.name_end(sentence, on + 1, name);
                return stated(self.reading.names.names[name].full.clone(), true, bytes);
            }
            if let Some(on) = on
                && words.get(on + 1).is_some_and(|it| it.says("social"))
                && words.get(on + 2).is_some_and(|it| it.says("media"))
            {
                return stated("social media".to_owned(), false, word.begin..words[on + 2].bytes().end);
            }
        }
        let a = at.checked_sub(1).map(|before| &words[before]);
        if word.says("post") {
            let name = sentence
                .names
                .iter()
                .find(|(_, bytes)| bytes.end < word.begin && word.begin - bytes.end <= 1)?;
            let before = words.partition_point(|word| word.begin < name.1.start);
            let a = before.checked_sub(1).map(|at| &words[at])?;
            return a
                .is(Class::DETERMINER)
                .then(|| self.reading.names.names[name.0].full.clone())
                .and_then(|full| stated(full, true, name.1.start..word.bytes().end));
        }
        if PUBLISHED.iter().any(|it| word.says(it)) {
            // "in a statement", "at a news conference"
            let from = at.saturating_sub(3);
            let opens = (from..at).find(|at| ["in", "at", "during"].iter().any(|it| words[*at].says(it)))?;
            let determined = words[opens + 1..=at].iter().any(|word| word.is(Class::DETERMINER));
            let plain = sentence
                .names
                .iter()
                .all(|(_, bytes)| !(words[opens].begin..word.begin).contains(&bytes.start));
            return (determined && plain && a.is_some())
                .then(|| self.words(sentence, opens + 1..at + 1))
                .and_then(|name| stated(name, false, words[opens].begin..word.bytes().end));
        }
        None
    }

    /// The name that begins with a word.
    fn name_at(&self, sentence: &Sentence<'_>, at: usize) -> Option<usize> {
        let word = sentence.words.get(at)?;
        sentence.names.iter().find(|(_, bytes)| bytes.start == word.begin).map(|(name, _)| *name)
    }

    fn name_end(&self, sentence: &Sentence<'_>, at: usize, name: usize) -> usize {
        let begin = sentence.words[at].begin;
        let own = sentence.names.iter().find(|(it, bytes)| *it == name && bytes.start == begin);
        own.map_or(begin, |(_, bytes)| bytes.end)
    }

    /// Whether a name is that of an outlet, as far as the story shows.
    fn is_outlet(&self, name: usize) -> bool {
        let full = &self.reading.names.names[name].full;
        let small = bare(full);
        self.outlets.contains(&small)
            || small.split(' ').next_back().is_some_and(|last| MEDIA.contains(&last))
    }

    /// Words as printed, without a determiner before them.
    fn words(&self, sentence: &Sentence<'_>, range: Range<usize>) -> String {
        let skip = usize::from(sentence.words[range.start].is(Class::DETERMINER) && range.len() > 1);
        let bytes = sentence.words[range.start + skip].begin..sentence.words[range.end - 1].bytes().end;
        self.reading.text(&sentence.passage(&bytes)).to_owned()
    }

    /// Whether a sentence speaks of a recording or a paper, whoever has it.
    pub(super) fn medium(&self, sentence: &Sentence<'_>) -> Option<Medium> {
        let plain = sentence.words.iter().filter(|word| !sentence.is_quoted(word.begin));
        plain.filter(|word| RECORDINGS.iter().any(|it| word.says(it))).find_map(medium)
    }
}

/// "officials said", "a person familiar with the talks told": people, a few words, a verb of saying, and no name.
fn unnamed(sentence: &Sentence<'_>, at: usize) -> Option<Stated> {
    const NEAR: usize = 4;
    let words = &sentence.words;
    let people = &words[at];
    if !people.is(Class::PEOPLE) || people.is_capital() && at > 0 {
        return None;
    }
    let behind = words[at + 1..].iter().take(NEAR).take_while(|word| !word.is_sign());
    let says = behind
        .take_while(|word| !word.is(Class::AND))
        .find(|word| word.is(Class::SAY) || word.is(Class::TELL))?;
    let from = (0..at).rev().take_while(|at| {
        let word = &words[*at];
        let opens =
            Class::CUE | Class::PREPOSITION | Class::AND | Class::SUBORDINATOR | Class::PRONOUN | Class::AUX;
        !word.is_sign() && !word.is(opens) && !word.says("that")
    });
    let from = from.last().unwrap_or(at);
    let skip = usize::from(from < at && words[from].is(Class::DETERMINER));
    let name = words[from + skip..=at].iter().map(|word| word.text).collect::<Vec<_>>().join(" ");
    let bytes = words[from].begin..says.bytes().end;
    Some(Stated { kind: OriginKind::Unnamed, name, medium: None, named: false, bytes })
}

fn medium(word: &Word<'_>) -> Option<Medium> {
    if RECORDINGS.iter().any(|it| word.says(it)) {
        Some(Medium::Recording)
    } else {
        PAPERS.iter().any(|it| word.says(it)).then_some(Medium::Paper)
    }
}

/// A name in small letters, without "the".
fn bare(name: &str) -> String {
    let small = name.to_lowercase();
    small.strip_prefix("the ").unwrap_or(&small).to_owned()
}
