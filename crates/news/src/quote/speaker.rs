//! A source as it stands beside the verb -> who it is: by the names of the article, the titles it gives, and what was said before.

use std::collections::VecDeque;
use std::ops::Range;

use super::claim::OWNERS;
use super::line::{Item, Line};
use super::phrase::{Phrase, is_lower_past};
use super::{Speaker, Who};
use crate::name::{Name, Names, Pronoun, Sort};
use crate::span::Span;
use crate::word::Class;

/// How many sentences back a pronoun may point.
const BACK: usize = 6;
/// Words in the names of those who publish.
pub(crate) const MEDIA: &[&str] = &[
    "broadcaster",
    "chronicle",
    "daily",
    "gazette",
    "herald",
    "journal",
    "magazine",
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
    "weekly",
];

/// Somebody a sentence names.
#[derive(Clone, Copy, Debug)]
struct Person {
    name: usize,
    /// Pronouns stand before the name, and so are somebody else's: "his call with Orr".
    after: Pronouns,
    /// Only what is theirs is told of: "Vane’s lawyer" is about the lawyer.
    owns: bool,
}

/// Which pronouns a sentence has had so far.
#[derive(Clone, Copy, Debug, Default)]
struct Pronouns {
    he: bool,
    she: bool,
}

impl Pronouns {
    fn have(self, pronoun: Pronoun) -> bool {
        match pronoun {
            Pronoun::He => self.he,
            Pronoun::She => self.she,
        }
    }
}

/// Resolves sources in the order of the text.
pub(super) struct Speakers<'n> {
    names: &'n Names,
    /// The people that a sentence names outside of marks, who speaks first; the latest sentence last.
    recent: VecDeque<Vec<Person>>,
    /// Who spoke last, and how many sentences ago.
    last: Option<(Who, usize)>,
    block: usize,
    /// Bytes of the sentence that is read.
    sentence: Range<usize>,
}

impl<'n> Speakers<'n> {
    pub(super) fn of(names: &'n Names) -> Self {
        Speakers { names, recent: VecDeque::new(), last: None, block: 0, sentence: 0..0 }
    }

    /// A sentence begins: its items in a line.
    pub(super) fn begin(&mut self, block: usize, line: &Line<'_>, items: Range<usize>) {
        let bytes = line.bytes(items.clone());
        let span = Span { block, bytes: bytes.clone() };
        let first = line.marked.partition_point(|marked| marked.outer.end <= bytes.start);
        let mut marked = line.marked[first..].iter().peekable();
        let mut people = Vec::new();
        let mut words = line.items[items].iter().peekable();
        let mut after = Pronouns::default();
        for mention in self.names.within(&span) {
            while marked.next_if(|marked| marked.outer.end <= mention.span.bytes.start).is_some() {}
            let said = marked.peek().is_some_and(|marked| marked.outer.start <= mention.span.bytes.start);
            let next = line.items.partition_point(|item| item.word.begin < mention.span.bytes.end);
            let owns = line.items.get(next).is_some_and(|item| item.word.is_possessive());
            let name = &self.names.names[mention.name];
            // What begins a sentence is its subject, and two words are rather a person than a place.
            let subject = mention.span.bytes.start == bytes.start && name.full.contains(' ');
            while let Some(word) = words.next_if(|word| word.word.begin < mention.span.bytes.start) {
                if word.is(Class::PRONOUN | Class::DETERMINER) {
                    after.he |= word.says_any(&["he", "his", "him"]);
                    after.she |= word.says_any(&["she", "her"]);
                }
            }
            if !said && (name.sort == Sort::Person || (subject && name.sort == Sort::Other)) {
                people.push(Person { name: mention.name, after, owns });
            }
        }
        self.recent.push_back(people);
        if self.recent.len() > BACK {
            self.recent.pop_front();
        }
        self.last = self.last.take().map(|(who, ago)| (who, ago + 1)).filter(|(_, ago)| *ago <= BACK);
        (self.block, self.sentence) = (block, bytes);
    }

    /// Who the phrase of a sentence's items is, of whom it is told that he said `said`.
    pub(super) fn resolve(&mut self, items: &[Item<'_>], phrase: Phrase, said: &[Span]) -> Option<Speaker> {
        let part = items.get(phrase.clone()).filter(|part| !part.is_empty())?;
        let bytes = part[0].word.begin..part[part.len() - 1].word.bytes().end;
        let mention = Span { block: self.block, bytes };
        let who = match part {
            [word] if (word.is(Class::PRONOUN) || word.says_any(OWNERS)) && !word.is_capital_name() => {
                self.pronoun(items, &phrase, &mention, said)
            }
            _ => self.noun(items, &phrase, &mention),
        };
        if let Some(name) = self.index_of(&who)
            && let Some(people) = self.recent.back_mut()
        {
            // Who speaks is who a pronoun of the next sentence means.
            people.retain(|known| known.name != name);
            people.insert(0, Person { name, after: Pronouns::default(), owns: false });
        }
        self.last = Some((who.clone(), 0));
        Some(Speaker { who, mention })
    }

    fn index_of(&self, who: &Who) -> Option<usize> {
        let Who::Named(full) = who else { return None };
        self.names.names.iter().position(|name| name.full == *full)
    }

    fn pronoun(&self, items: &[Item<'_>], phrase: &Phrase, mention: &Span, said: &[Span]) -> Who {
        let word = &items[phrase.start];
        let printed = || word.word.text.to_owned();
        if word.says("who") || word.says("which") {
            return match self.before(mention) {
                Some(name) => self.named(name),
                None => Who::Unnamed(printed()),
            };
        }
        let she = word.says("she") || word.says("her");
        if she || word.says_any(&["he", "him", "his"]) {
            let pronoun = if she { Pronoun::She } else { Pronoun::He };
            if let Some(name) = self.meant(pronoun, mention, said) {
                return self.named(&self.names.names[name]);
            }
            if let Some((who @ (Who::Role(_) | Who::Unnamed(_)), _)) = &self.last {
                return who.clone();
            }
            return Who::Role(printed());
        }
        let (they, it) = (word.says_any(&["they", "their"]), word.says_any(&["it", "its"]));
        match &self.last {
            Some((who @ (Who::Unnamed(_) | Who::Document(_)), ago)) if they || it => {
                if *ago <= 2 {
                    who.clone()
                } else {
                    Who::Unnamed(printed())
                }
            }
            Some((who, _))
                if it && self.index_of(who).is_some_and(|at| self.names.names[at].sort == Sort::Body) =>
            {
                who.clone()
            }
            _ if they => Who::Unnamed(printed()),
            _ => Who::Role(printed()),
        }
    }

    /// Whom "he" or "she" means that stands at `mention` and says `said`.
    ///
    /// Nobody who is named in what he says: "Vane was late, he said" is not Vane's. Nobody before whose name the pronoun stands
    /// in his sentence: that sentence goes on about somebody else, if only as "Vane’s". If nobody else is left, one of those it is.
    fn meant(&self, pronoun: Pronoun, mention: &Span, said: &[Span]) -> Option<usize> {
        let fits = |name: usize| self.names.names[name].pronoun.is_none_or(|known| known == pronoun);
        let told_of =
            |name: usize| said.iter().any(|part| self.names.within(part).any(|known| known.name == name));
        // Within the sentence only who is named before the pronoun.
        let here = |person: &Person| fits(person.name) && self.is_before(person.name, mention);
        let earlier = |person: &Person| fits(person.name) && !self.is_behind(person.name, mention);
        let sentences = || self.recent.iter().rev().enumerate();
        let people = sentences().flat_map(|(ago, people)| people.iter().map(move |person| (ago, person)));
        let mut may = people.filter(|(ago, person)| match ago {
            0 => here(person),
            _ => earlier(person),
        });
        let other = |person: &Person| !person.after.have(pronoun) && !told_of(person.name);
        if let Some((_, person)) = may.clone().find(|(_, person)| !person.owns && other(person)) {
            return Some(person.name);
        }
        let mut named = may.clone().filter(|(_, person)| !person.owns);
        let second = named.clone().find(|(_, person)| !told_of(person.name)).or_else(|| named.next())?;
        let owner = may.find(|(_, person)| person.owns && person.name != second.1.name && other(person));
        Some(owner.unwrap_or(second).1.name)
    }

    /// Whether a name stands in the sentence before the mention, or spoke in it already.
    fn is_before(&self, name: usize, mention: &Span) -> bool {
        let span = Span {
            block: self.block,
            bytes: self.sentence.start..mention.bytes.start.max(self.sentence.start),
        };
        self.names.within(&span).any(|known| known.name == name)
    }

    /// Whether a name stands in the sentence behind a mention: "he told Vane" is not about what Vane said.
    fn is_behind(&self, name: usize, mention: &Span) -> bool {
        let span =
            Span { block: self.block, bytes: mention.bytes.end..self.sentence.end.max(mention.bytes.end) };
        self.names.within(&span).any(|known| known.name == name)
    }

    /// The last name of the sentence before a mention.
    fn before(&self, mention: &Span) -> Option<&'n Name> {
        let span = Span {
            block: self.block,
            bytes: self.sentence.start..mention.bytes.start.max(self.sentence.start),
        };
        let names = self.names;
        names.within(&span).next_back().map(|known| &names.names[known.name])
    }

    fn noun(&self, items: &[Item<'_>], phrase: &Phrase, mention: &Span) -> Who {
        // "a notice that said"
        let relative = phrase.len() > 1 && items[phrase.end - 1].says_any(&["that", "which"]);
        let phrase = &(phrase.start..phrase.end - usize::from(relative));
        let part = &items[phrase.clone()];
        let end = |at: usize| items[at].word.bytes().end;
        let names = self.names;
        let possessive = items.get(phrase.end).is_some_and(|next| next.word.is_possessive());
        // The head of the phrase is its last noun before "of", "for", "in"; or a name that ends it.
        let stop = phrase.clone().skip(1).find(|&at| items[at].is(Class::PREPOSITION)).unwrap_or(phrase.end);
        let heads = |head_end: usize| names.within(mention).rfind(|known| known.span.bytes.end == head_end);
        if let Some(known) = heads(end(stop - 1)).filter(|_| !(possessive && stop == phrase.end)) {
            return self.named(&names.names[known.name]);
        }
        // "his lawyer, Odd Tamm,"
        if items.get(phrase.end).is_some_and(|next| next.is_sign(","))
            && let Some(next) = items.get(phrase.end + 1)
            && let Some(known) = names
                .before(self.block, next.word.begin + 1)
                .next()
                .filter(|known| known.span.bytes.start == next.word.begin)
            && known.span.block == self.block
            && names.names[known.name].sort != Sort::Body
        {
            return self.named(&names.names[known.name]);
        }
        let head = &items[stop - 1];
        let office =
            head.is(Class::TITLE | Class::PEOPLE | Class::DOCUMENT) || head.word.text.starts_with("spokes");
        // A name, and the verb that nothing told from a noun: "Ilsa Vane left".
        if let Some(known) =
            names.within(mention).next().filter(|known| known.span.bytes.start == mention.bytes.start)
            && !office
            && names.names[known.name].sort != Sort::Body
            && names.names[known.name].full.contains(' ')
            && !part.iter().any(|item| item.word.is_possessive())
        {
            return self.named(&names.names[known.name]);
        }
        let words = part
            .iter()
            .map(|item| item.word.text)
            .collect::<Vec<_>>()
            .join(" ")
            .replace(" ’s", "’s")
            .replace(" 's", "'s");
        let first = &part[0];
        let one_of_many = ["a", "an", "one", "another"].iter().any(|word| first.says(word));
        if head.word.text.to_lowercase().starts_with("spokes") {
            return Who::Role(words);
        }
        // "The president": the one person with that title.
        if first.says("the") || head.is(Class::TITLE) && !one_of_many {
            let title = items[phrase.start + usize::from(first.says("the"))..stop]
                .iter()
                .map(|item| item.word.text)
                .collect::<Vec<_>>()
                .join(" ");
            let mut titled = names
                .names
                .iter()
                .filter(|name| name.title.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(&title)));
            if let (Some(name), None) = (titled.next(), titled.next()) {
                return self.named(name);
            }
        }
        // "the paper made public on Friday"
        let participle =
            |item: &Item<'_>| is_lower_past(item) || item.says_any(&["made", "seen", "sent", "written"]);
        let paper = stop > phrase.start + 2
            && items[phrase.start + 1].is(Class::DOCUMENT)
            && participle(&items[phrase.start + 2]);
        if paper
            || head.is(Class::DOCUMENT) && !head.is(Class::PEOPLE)
            || MEDIA.iter().any(|word| head.says(word))
        {
            Who::Document(words)
        } else if one_of_many || head.is(Class::PEOPLE) {
            Who::Unnamed(words)
        } else {
            Who::Role(words)
        }
    }

    fn named(&self, name: &Name) -> Who {
        let media = name.sort != Sort::Person
            && name.full.split(' ').any(|word| MEDIA.iter().any(|known| word.eq_ignore_ascii_case(known)));
        if media { Who::Document(name.full.clone()) } else { Who::Named(name.full.clone()) }
    }
}
