//! A sentence with marked words -> who said them by which verb, and what all is attributed.
//!
//! Two forms. A tag stands behind the words or between them: "..., she said". A lead stands before them: "she said that ...".

use std::ops::Range;

use super::claim::claimed;
use super::content::{SCENES, content_begin, content_behind, content_end};
use super::line::Item;
use super::phrase::{
    Phrase, ends_with_comma, is_moment, is_verb, main_subject, phrase_at, subject_before, verb_group,
};
use super::tag::{Object, Tag, late_tag, tag_at, tag_behind};
use crate::word::Class;

/// One attribution within a sentence, in items of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribution {
    /// The verb, or "according to".
    pub(super) cue: Range<usize>,
    pub(super) source: Option<Phrase>,
    /// What is attributed, in order.
    pub(super) content: Vec<Range<usize>>,
    /// Who was told, for verbs of telling.
    pub(super) addressee: Option<Phrase>,
    /// Where or when.
    pub(super) occasion: Option<Range<usize>>,
}

/// All attributions of a sentence that hold marked words, in order of their content.
pub(super) fn attributions(items: &[Item<'_>]) -> Vec<Attribution> {
    let mut found = raw(items);
    for attribution in &mut found {
        // "in an interview with the Gazette": who asked was told.
        if let (None, Some(occasion)) = (&attribution.addressee, &attribution.occasion) {
            attribution.addressee = interviewer(items, occasion);
        }
    }
    found
}

/// The verb of a sentence that announces what comes behind it ("Vane added:"), and its subject.
pub(super) fn announcing(items: &[Item<'_>]) -> (Option<Range<usize>>, Option<Phrase>) {
    let verb = (0..items.len()).rev().find(|&at| items[at].is(Class::CUE) && is_verb(items, at));
    let source =
        verb.and_then(|verb| subject(items, 0, verb, None)).or_else(|| main_subject(items, 0, items.len()));
    (verb.map(|verb| verb..verb + 1), source)
}

/// What a sentence without marks tells of somebody's words ("Vane said that it rained"), which marked words behind it may go on with.
pub(super) fn telling(items: &[Item<'_>]) -> Option<Attribution> {
    let says = |at: &usize| items[*at].is(Class::SAY) && !items[*at].is(Class::ING) && is_verb(items, *at);
    let verb = (1..items.len()).find(says)?;
    let source = subject(items, 0, verb, None)?;
    let end = items.iter().rposition(Item::is_word).map_or(verb + 1, |last| last + 1);
    let (addressee, begin) = content_behind(items, verb, end);
    let content = (begin < end).then_some(begin..end).into_iter().collect();
    Some(Attribution { cue: verb..verb + 1, source: Some(source), content, addressee, occasion: None })
}

/// An attribution, and the item behind all of it.
pub(super) type Found = (Attribution, usize);

/// The attributions, as the grammar finds them.
fn raw(items: &[Item<'_>]) -> Vec<Attribution> {
    let mut found: Vec<Attribution> = Vec::new();
    // Where what is not yet attributed begins.
    let mut from = 0;
    while let Some(mark) = (from..items.len()).find(|&at| items[at].marked.is_some()) {
        let participle = items[from].is(Class::ING) && is_verb(items, from);
        let direct = tag_behind(items, mark)
            .filter(|_| !participle)
            .and_then(|tag| with_tag(items, from, mark, mark + 1, tag));
        let late = || late_tag(items, mark).and_then(|(end, tag)| with_tag(items, from, mark, end, tag));
        // A tag that ends the sentence is about all of it.
        let outer = || late().filter(|(_, end)| items[*end..].iter().all(|item| item.is_sign(".")));
        let next = direct.or_else(outer).or_else(|| lead(items, from, mark, found.last())).or_else(late);
        from = mark + 1;
        if let Some((attribution, end)) = next {
            from = from.max(end);
            found.push(attribution);
        }
    }
    found
}

/// The words up to `end` and those behind the tag that go on.
fn with_tag(items: &[Item<'_>], from: usize, mark: usize, end: usize, tag: Tag) -> Option<Found> {
    // "As Vane, who wrote “The Quay,” put it, “No.”": the words come behind.
    if items[from].says("as") && items[mark + 1..].iter().any(|item| item.marked.is_some()) {
        return None;
    }
    let like =
        items[mark + 1..tag.cue.start].iter().find(|item| item.is_word()).is_some_and(|item| item.says("as"));
    let begin = if like { clause_begin(items, from, mark) } else { content_begin(items, from, mark) };
    let first = begin..end;
    let mut content = Vec::from([first]);
    let mut next = tag.end;
    if let Some((more, behind)) = continued(items, &tag) {
        content.push(more);
        next = behind;
    }
    let occasion = occasion(items, tag.end, items.len());
    Some((
        Attribution { cue: tag.cue, source: Some(tag.source), content, addressee: tag.addressee, occasion },
        next,
    ))
}

/// Where the clause of the marked words begins: "It may be that he has “no wish,” as Vane told Orr" says no more of Vane.
fn clause_begin(items: &[Item<'_>], from: usize, mark: usize) -> usize {
    let opens = |item: &Item<'_>| {
        !item.is_word()
            || (item.is(Class::SUBORDINATOR | Class::AND) && !item.is(Class::DETERMINER))
            || item.says("that")
    };
    (from..mark).rev().find(|&at| opens(&items[at])).map_or(from, |at| at + 1)
}

/// What goes on behind a tag in the same sentence: ", “and that is all.”", or unmarked words behind a comma.
fn continued(items: &[Item<'_>], tag: &Tag) -> Option<(Range<usize>, usize)> {
    if let Some(begin) = goes_on_unmarked(items, tag) {
        let end = content_end(items, tag.cue.start, begin, begin);
        return Some((begin..end, end));
    }
    let mark = (tag.end..items.len()).find(|&at| items[at].marked.is_some())?;
    let verbs = (tag.end..mark).any(|at| is_verb(items, at) && items[at].is(Class::ING | Class::SAY));
    let before = &items[mark - 1];
    let signs = [",", ":", ";", "…"].iter().any(|sign| before.is_sign(sign)) || before.is_dash();
    // A stop may be an abbreviation's: "in Orford, N.Y. “We wait.”"
    let parted = mark == tag.end || signs || before.word.text.ends_with('.') || before.is(Class::AND);
    if verbs || !parted {
        return None;
    }
    let end = content_end(items, tag.cue.start, mark, mark);
    Some((mark..end, end))
}

/// Where unmarked words go on behind a tag between commas: "“We wait,” he said, because it rains."
fn goes_on_unmarked(items: &[Item<'_>], tag: &Tag) -> Option<usize> {
    let next = items.get(tag.end + 1).filter(|_| items[tag.end].is_sign(","))?;
    let behind = |says: &str| items.get(tag.end + 2).is_some_and(|item| item.says(says));
    // "“We wait,” he said, not naming anybody": that is what he did.
    let aside =
        || items[tag.end + 1..].iter().take(3).any(|item| item.is_word() && item.word.text.ends_with("ing"));
    let clause = (next.is(Class::AUX) && !(next.says("not") && aside()))
        || next.says_any(&["that", "rather", "because"])
        || (next.says("in") && behind("which"));
    clause.then_some(tag.end + 1)
}

/// The attribution whose verb stands before the marked item, with content that holds it.
fn lead(items: &[Item<'_>], from: usize, mark: usize, last: Option<&Attribution>) -> Option<Found> {
    let first = &items[from];
    // "Said Vane, a baker: “No.”"
    if from == 0
        && first.says_any(&["said", "says", "wrote", "added"])
        && let Some(source) = phrase_at(items, 1)
    {
        return Some(plain(items, 0..1, Some(source), mark, mark));
    }
    if first.says("according") && items.get(from + 1).is_some_and(|next| next.says("to")) {
        let source = phrase_at(items, from + 2)?;
        let comma = (source.end..mark).find(|&at| items[at].is_sign(","))?;
        return Some(plain(items, from..from + 2, Some(source), comma + 1, mark))
            .filter(|(_, end)| *end > mark);
    }
    if let Some(found) = parenthesis(items, from, mark) {
        return Some(found);
    }
    let verb = governed(items, from, mark, last);
    // "blamed the paper for Vane’s claim that": the noun is nearer, and says whose the words are.
    let prefers = |noun: &Attribution, verb: &Attribution| {
        noun.source.is_some() && noun.cue.start > verb.cue.start && !items[verb.cue.start].is(Class::SAY)
    };
    let said = match (verb, claimed(items, from, mark)) {
        (Some(verb), Some(noun)) if prefers(&noun.0, &verb.0) => Some(noun),
        (verb, noun) => verb.or(noun),
    };
    if said.is_some() {
        return said;
    }
    let before = &items[from..mark].last()?;
    // "Vane said in May, when it rained, “No.”"
    if before.is_sign(",")
        && let Some(verb) = (from..mark).rev().find(|&at| items[at].is(Class::SAY) && is_verb(items, at))
    {
        return Some(plain(items, verb..verb + 1, subject(items, from, verb, last), mark, mark));
    }
    // "Vane had an answer: “No.”" But in "Vane should be plain: “No”" others say so.
    let speaks = |source: &Phrase| {
        !items
            .get(source.end)
            .is_some_and(|item| item.says_any(&["should", "must", "could", "might", "may", "would"]))
    };
    before
        .is_sign(":")
        .then(|| plain(items, mark - 1..mark, main_subject(items, from, mark).filter(speaks), mark, mark))
}

/// The attribution by a tag between commas before the marked words: "The boats, according to Vane, “rot.”", "But, said Vane, “we wait.”"
fn parenthesis(items: &[Item<'_>], from: usize, mark: usize) -> Option<Found> {
    let opens = |at: &usize| {
        items[*at].is_sign(",") && (items[at + 1].says("according") || items[at + 1].is(Class::SAY))
    };
    let comma = (from..mark.saturating_sub(2)).rev().find(opens)?;
    let tag = tag_at(items, comma + 1).filter(|tag| tag.object == Object::None && tag.end < mark)?;
    // What stands in apposition to the source is no part of what was said.
    let close = (tag.end..mark).find(|&at| items[at].is_sign(","))?;
    let named =
        tag.cue.len() > 1 || (tag.source.start > tag.cue.start && items[tag.source.start].is_capital());
    if !named || items[close + 1..mark].iter().any(|item| item.is(Class::CUE)) {
        return None;
    }
    let (begin, end) =
        (content_begin(items, from, comma), content_end(items, tag.cue.start, close + 1, mark));
    let content = [begin..comma, close + 1..end].into_iter();
    let said = content.filter(|part| items[part.clone()].iter().any(|item| !item.is(Class::AND))).collect();
    let (cue, source) = (tag.cue, Some(tag.source));
    Some((Attribution { cue, source, content: said, addressee: None, occasion: None }, end))
        .filter(|(_, end)| *end > mark)
}

/// An attribution that says nothing of who was told, or where.
pub(super) fn plain(
    items: &[Item<'_>],
    cue: Range<usize>,
    source: Option<Phrase>,
    begin: usize,
    mark: usize,
) -> Found {
    let end = content_end(items, cue.start, begin, mark);
    let content = std::iter::once(begin..end).collect();
    (Attribution { cue, source, content, addressee: None, occasion: None }, end)
}

/// The attribution by the verb that has most to say about the marked item: the first whose clause holds it, else the nearest.
fn governed(items: &[Item<'_>], from: usize, mark: usize, last: Option<&Attribution>) -> Option<Found> {
    let mut best: Option<(u8, usize, Option<Phrase>, Range<usize>)> = None;
    let whole = is_whole(items, mark);
    for verb in (from..mark).filter(|&at| is_verb(items, at)) {
        let (addressee, begin) = content_behind(items, verb, mark);
        if begin > mark || is_topic(items, verb, mark) {
            continue;
        }
        let end = content_end(items, verb, begin, mark);
        let rank = match rank(items, verb, begin, mark) {
            RULES if whole && begin == mark => ANNOUNCES,
            rank => rank,
        };
        let later =
            best.as_ref().is_none_or(|(known, ..)| rank >= *known && (*known < RULES || rank > *known));
        if end > mark && later {
            best = Some((rank, verb, addressee, begin..end));
            if rank == RULES && (!whole || items[begin].says("that")) {
                break;
            }
        }
    }
    let (_, verb, addressee, content) = best?;
    let source = subject(items, from, verb, last);
    let (begin, end) = (content.start, content.end);
    let told = addressee.as_ref().map_or(verb + 1, |phrase| phrase.end);
    let occasion = occasion(items, told, begin).or_else(|| opening_occasion(items, from, source.as_ref()));
    let before = source.as_ref().and_then(|source| content_before(items, from, source, verb, begin));
    let content = before.into_iter().chain([content]).collect();
    Some((Attribution { cue: verb..verb + 1, source, content, addressee, occasion }, end))
}

/// The half of the content before subject and verb: "The boat, Vane said, was “dead.”", "a boat which Vane called “dead”".
fn content_before(
    items: &[Item<'_>],
    from: usize,
    source: &Phrase,
    verb: usize,
    begin: usize,
) -> Option<Range<usize>> {
    let before = source.start.checked_sub(1).filter(|at| *at >= from)?;
    if items[verb].is(Class::NAME) && items[before].says_any(&["which", "whom", "what", "who"]) {
        return Some(before..before + 1);
    }
    let first = &items[from];
    // What such a clause says is said too, unlike "When asked".
    let concedes = first.says_any(&["if", "because"]) || (first.says("in") && items[from + 1].says("other"));
    let opens =
        Class::PREPOSITION | Class::SUBORDINATOR | Class::ADVERB | Class::TIME | Class::AND | Class::ING;
    let whole =
        first.is_word() && (!first.is(opens) || first.is(Class::DETERMINER)) && items[begin].marked.is_none();
    let parted = begin > verb + 1 && (items[begin - 1].is_sign(",") || items[begin - 1].is_sign(":"));
    let clause = items[before].is_sign(",") && before > from + 1 && parted && items[verb].is(Class::SAY);
    (clause && (concedes || whole || runs_on(items, from..before, begin))).then_some(from..before)
}

/// Whether marked words go on with what stands before subject and verb: "The plan, Vane said, “is dead.”" It may begin with anything
/// but where or when it was said.
fn runs_on(items: &[Item<'_>], before: Range<usize>, begin: usize) -> bool {
    let first = &items[before.start];
    let words = items[begin].word.text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let small = items[begin].marked.is_some() && words.starts_with(char::is_lowercase);
    let scene = is_moment(&items[before.start..=before.end])
        || (first.is(Class::PREPOSITION | Class::TIME)
            && items[before]
                .iter()
                .any(|item| item.is(Class::TIME | Class::DOCUMENT) || item.says_any(SCENES)));
    small && items[begin - 1].is_sign(",") && first.is_word() && !first.is(Class::AND) && !scene
}

/// Whether the marked word is only what is spoken about: "besides discussing “peace,” Vane left".
fn is_topic(items: &[Item<'_>], verb: usize, mark: usize) -> bool {
    const FEW: usize = 2;
    let gerund = items[verb].is(Class::ING) && !items[verb].is(Class::SAY | Class::NAME) && verb + 1 == mark;
    let governed = verb > 0 && items[verb - 1].is(Class::PREPOSITION);
    gerund && governed && items[mark].word.text.split_whitespace().count() <= FEW
}

/// Whether marked words are sentences of their own behind a comma or a colon: "it went on to say, “We wait.”" Not where
/// the sentence ends before any.
pub(super) fn is_whole(items: &[Item<'_>], mark: usize) -> bool {
    let parted = mark > 0 && (items[mark - 1].is_sign(",") || items[mark - 1].is_sign(":"));
    let Some(marked) = items.get(mark) else { return false };
    let words = marked.word.text.trim_start_matches(|c: char| !c.is_alphanumeric());
    parted && words.starts_with(char::is_uppercase)
}

/// A verb whose clause holds everything behind it.
const RULES: u8 = 3;
/// A verb of saying directly before whole sentences.
const ANNOUNCES: u8 = 4;

/// How much a verb has to say about marked words that stand behind it.
fn rank(items: &[Item<'_>], verb: usize, begin: usize, mark: usize) -> u8 {
    let first = &items[begin];
    let direct = first.says("that") || begin == mark;
    // Any word can begin a clause but one that belongs to the verb before it.
    let clause = first.is(Class::PRONOUN | Class::DETERMINER)
        || first.is_capital()
        || (first.is_word() && !first.is(Class::PREPOSITION | Class::AUX | Class::ING));
    match items[verb].is(Class::SAY) {
        true if direct || clause => RULES,
        true => 2,
        false if direct || items[verb].is(Class::NAME) => 2,
        false => 1,
    }
}

/// The subject of a verb that leads: its own, that of the sentence, or that of the attribution before it.
fn subject(items: &[Item<'_>], from: usize, verb: usize, last: Option<&Attribution>) -> Option<Phrase> {
    let earlier = || last.and_then(|last| last.source.clone());
    let group = verb_group(items, verb);
    if let Some(source) = participle_subject(items, from, verb) {
        return Some(source);
    }
    let coordinated = group == 0 || items[group - 1].is(Class::AND) || items[group - 1].is_sign(",");
    if items[verb].is(Class::ING) || coordinated {
        let opens = items[..group].iter().all(|item| item.is(Class::AND | Class::SUBORDINATOR));
        if opens || (group == from && last.is_none()) {
            // "Calling it “a joke,” Vane left", "While calling it “a joke,” Vane left".
            let comma = (verb..items.len()).find(|&at| items[at].is_sign(",") || ends_with_comma(&items[at]));
            return comma.and_then(|comma| main_subject(items, comma + 1, items.len()));
        }
        if let Some(source) = earlier() {
            return Some(source);
        }
        if items[verb].is(Class::ING) {
            return main_subject(items, 0, verb);
        }
    }
    subject_before(items, from.min(group), verb).or_else(earlier).or_else(|| main_subject(items, 0, verb))
}

/// The subject directly before a verb in -ing: "with Vane saying", "a sign reading".
fn participle_subject(items: &[Item<'_>], from: usize, verb: usize) -> Option<Phrase> {
    const LONGEST: usize = 6;
    let group = verb_group(items, verb);
    let last = group.checked_sub(1).filter(|last| *last >= from && items[verb].is(Class::ING))?;
    // Of a statement it is who gave it out.
    if items[last]
        .says_any(&["sign", "signs", "banner", "banners", "placard", "placards", "poster", "posters"])
    {
        return Some(last..group);
    }
    let begin =
        (from..last).rev().take(LONGEST).find(|&at| items[at].says("with") || items[at].is_dash())? + 1;
    let named = items[begin..group].iter().all(|item| item.is_word() && !item.is(Class::CUE));
    (named && items[last].is_capital()).then_some(begin..group)
}

fn interviewer(items: &[Item<'_>], occasion: &Range<usize>) -> Option<Phrase> {
    let interview =
        occasion.clone().find(|&at| items[at].says("interview") || items[at].says("conversation"))?;
    let with = (interview + 1..occasion.end).find(|&at| items[at].says("with") || items[at].says("to"))?;
    phrase_at(items, with + 1).filter(|phrase| phrase.end <= occasion.end)
}

/// The occasions from `at` on, up to `limit`: "in a letter on Friday".
fn occasion(items: &[Item<'_>], at: usize, limit: usize) -> Option<Range<usize>> {
    let mut end = at;
    while end < limit {
        let item = &items[end];
        if item.is(Class::TIME) {
            end += 1;
        } else if item
            .says_any(&["in", "on", "at", "during", "from", "outside", "inside", "with", "after", "before"])
            && let Some(phrase) = phrase_at(items, end + 1)
            && phrase.end <= limit
        {
            end = phrase.end;
        } else {
            break;
        }
    }
    (end > at).then_some(at..end)
}

/// "In a letter on Friday, Vane said ...".
fn opening_occasion(items: &[Item<'_>], from: usize, source: Option<&Phrase>) -> Option<Range<usize>> {
    let comma = source?.start.checked_sub(1).filter(|at| *at > from && items[*at].is_sign(","))?;
    occasion(items, from, comma).filter(|found| found.end == comma)
}
