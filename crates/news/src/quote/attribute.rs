//! A sentence with marked words -> who said them by which verb, and what all is attributed.
//!
//! Two forms. A tag stands behind the words or between them: "..., she said". A lead stands before them: "she said that ...".

use std::ops::Range;

use super::line::Item;
use super::phrase::{Phrase, ends_with_comma, is_past, is_verb, main_subject, phrase_at, subject_before, verb_group};
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

/// A verb with its subject, behind the words it is about.
struct Tag {
    cue: Range<usize>,
    source: Phrase,
    addressee: Option<Phrase>,
    object: Object,
    /// Behind verb, subject and addressee.
    end: usize,
}

/// What a tag's verb has behind it. With words of its own it is a tag only if those before it cannot stand alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    None,
    Marked,
    Clause,
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

fn interviewer(items: &[Item<'_>], occasion: &Range<usize>) -> Option<Phrase> {
    let interview = occasion.clone().find(|&at| items[at].says("interview") || items[at].says("conversation"))?;
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
        } else if ["in", "on", "at", "during", "from", "outside", "inside", "with", "after", "before"].iter().any(|word| item.says(word))
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

/// The attributions, as the grammar finds them.
fn raw(items: &[Item<'_>]) -> Vec<Attribution> {
    let mut found: Vec<Attribution> = Vec::new();
    // Where what is not yet attributed begins.
    let mut from = 0;
    while let Some(mark) = (from..items.len()).find(|&at| items[at].marked.is_some()) {
        let participle = items[from].is(Class::ING) && is_verb(items, from);
        let direct = tag_behind(items, mark).filter(|_| !participle).and_then(|tag| with_tag(items, from, mark, mark + 1, tag));
        let outer = || late_tag(items, from, mark).filter(|(_, end)| items[*end..].iter().all(|item| item.is_sign(".")));
        let (attribution, end) = match direct.or_else(outer).or_else(|| lead(items, from, mark, found.last())).or_else(|| late_tag(items, from, mark)) {
            Some(attribution) => attribution,
            None => {
                from = mark + 1;
                continue;
            }
        };
        from = end.max(mark + 1);
        found.push(attribution);
    }
    found
}

/// The verb of a sentence that announces what comes behind it ("Vane added:"), and its subject.
pub(super) fn announcing(items: &[Item<'_>]) -> (Option<Range<usize>>, Option<Phrase>) {
    let verb = (0..items.len()).rev().find(|&at| items[at].is(Class::CUE) && is_verb(items, at));
    let source = verb.and_then(|verb| subject(items, 0, verb, None)).or_else(|| main_subject(items, 0, items.len()));
    (verb.map(|verb| verb..verb + 1), source)
}

/// An attribution, and the item behind all of it.
type Found = (Attribution, usize);

/// The tag directly behind marked words that end like half a sentence.
fn tag_behind(items: &[Item<'_>], mark: usize) -> Option<Tag> {
    let parted = items.get(mark + 1).is_some_and(|item| item.is_sign(",") || item.is_sign("—") || item.is_sign("–"));
    let tag = tag_at(items, mark + 1 + usize::from(parted))?;
    let half = parted || ends_open(&items[mark]) || items[tag.cue.start].is(Class::SAY);
    let stands = match tag.object {
        Object::None => true,
        Object::Marked => ends_with_comma(&items[mark]),
        // Nothing but the marks before it.
        Object::Clause => ends_with_comma(&items[mark]) && (mark == 0 || (mark == 1 && items[0].is(Class::AND))),
    };
    (half && stands).then_some(tag)
}

/// Whether marked words end so that a verb of saying must follow.
fn ends_open(item: &Item<'_>) -> bool {
    let words = item.word.text.trim_end_matches(['"', '”', '\'', '’', '»']).trim_end();
    words.ends_with([',', '?', '!', '—', '–', '-', '…'])
}

/// A tag behind a later comma, with unmarked words between: "“dead” and gone, Vane said".
fn late_tag(items: &[Item<'_>], from: usize, mark: usize) -> Option<Found> {
    for at in mark + 1..items.len() {
        let item = &items[at];
        if item.says("according") && items.get(at + 1).is_some_and(|next| next.says("to")) {
            let end = at - usize::from(items[at - 1].is_sign(","));
            return with_tag(items, from, mark, end, tag_at(items, at)?);
        }
        if (item.is_sign(",") || ends_with_comma(item))
            && let Some(tag) = tag_at(items, at + 1).filter(|tag| tag.object == Object::None && ends_at(items, tag.end))
        {
            return with_tag(items, from, mark, at + usize::from(item.marked.is_some()), tag);
        }
    }
    None
}

/// The words up to `end` and those behind the tag that go on.
fn with_tag(items: &[Item<'_>], from: usize, mark: usize, end: usize, tag: Tag) -> Option<Found> {
    let mut content = vec![content_begin(items, from, mark)..end];
    let mut next = tag.end;
    if let Some((more, behind)) = continued(items, &tag) {
        content.push(more);
        next = behind;
    }
    let occasion = occasion(items, tag.end, items.len());
    Some((Attribution { cue: tag.cue, source: Some(tag.source), content, addressee: tag.addressee, occasion }, next))
}

/// What goes on behind a tag in the same sentence: ", “and that is all.”", or unmarked words behind a comma.
fn continued(items: &[Item<'_>], tag: &Tag) -> Option<(Range<usize>, usize)> {
    if let Some(begin) = goes_on_unmarked(items, tag) {
        let end = content_end(items, tag.cue.start, begin, begin);
        return Some((begin..end, end));
    }
    let mark = (tag.end..items.len()).find(|&at| items[at].marked.is_some())?;
    let verbs = (tag.end..mark).any(|at| is_verb(items, at) && (items[at].is(Class::ING | Class::SAY)));
    let before = &items[mark - 1];
    let parted = mark == tag.end || before.is_sign(",") || before.is_sign(":") || before.is_sign("—") || before.is_sign(";") || before.is_sign("–") || before.is_sign("-") || before.is_sign("…");
    let stopped = before.word.text.ends_with('.');
    if verbs || !(parted || stopped || before.is(Class::AND)) {
        return None;
    }
    let end = content_end(items, tag.cue.start, mark, mark);
    Some((mark..end, end))
}

/// Where unmarked words go on behind a tag between commas: "“We wait,” he said, until it rains."
fn goes_on_unmarked(items: &[Item<'_>], tag: &Tag) -> Option<usize> {
    let next = items.get(tag.end + 1).filter(|_| items[tag.end].is_sign(","))?;
    let clause = next.is(Class::AUX) || next.says("that") || next.says("rather") || next.says("because");
    clause.then_some(tag.end + 1)
}

/// Where the words before a tag begin: with the sentence, without a sign or what another attribution left.
fn content_begin(items: &[Item<'_>], from: usize, mark: usize) -> usize {
    let mut begin = from;
    while begin < mark && !items[begin].is_word() && items[begin].marked.is_none() {
        begin += 1;
    }
    if from > 0 && items[begin].is(Class::AND) {
        begin += 1;
    }
    if mark > begin && ((items[mark - 1].is_sign("(")) || items[mark - 1].is_sign(":") || ((items[mark - 1].is_sign("-") || items[mark - 1].is_sign("–") || items[mark - 1].is_sign("—")))) {
        return mark;
    }
    begin.min(mark)
}

/// The tag that begins at `at`: "she said", "said Vane", "according to Vane", "Vane, a baker, told a friend".
fn tag_at(items: &[Item<'_>], at: usize) -> Option<Tag> {
    let first = items.get(at)?;
    if first.says("according") && items.get(at + 1).is_some_and(|next| next.says("to")) {
        let source = phrase_at(items, at + 2)?;
        return Some(Tag { cue: at..at + 2, end: source.end, source, addressee: None, object: Object::None });
    }
    let mut verb = at;
    while items.get(verb).is_some_and(|item| item.is(Class::ADVERB)) {
        verb += 1;
    }
    if items.get(verb)?.is(Class::SAY) && is_finite(&items[verb]) && !items[verb].is_capital() {
        let source = phrase_at(items, verb + 1)?;
        if !items[source.start].is(Class::TIME) && !items.get(source.end).is_some_and(|next| next.is(Class::AUX) || (is_verb(items, source.end) && !next.is(Class::ING))) {
            return Some(Tag { cue: verb..verb + 1, end: source.end, source, addressee: None, object: Object::None });
        }
        return None;
    }
    let source = phrase_at(items, at)?;
    // Nearest first; then behind each comma that follows, for what stands in apposition.
    let mut behind = source.end;
    while items.get(behind).is_some_and(|item| item.is(Class::PREPOSITION))
        && let Some(attached) = phrase_at(items, behind + 1)
    {
        behind = attached.end;
    }
    let mut verb = verb_behind(items, behind);
    let mut comma = behind;
    while verb.is_none() {
        comma = (comma..items.len()).find(|&at| items[at].is_sign(",") || items[at].is_sign(")") || items[at].marked.is_some())?;
        if items[comma].marked.is_some() {
            return None;
        }
        comma += 1;
        verb = verb_behind(items, comma);
    }
    let verb = verb?;
    let (addressee, end) = told(items, verb);
    let behind = items.get(end);
    // A clause behind the verb is what was said: then it is no tag.
    let goes_on = behind.is_some_and(|item| {
        item.is_word()
            && !item.is(Class::PREPOSITION | Class::TIME | Class::ADVERB | Class::ING | Class::AND)
            && !["when", "as", "while", "after", "before", "because", "if", "though", "although"].iter().any(|word| item.says(word))
    });
    let object = if behind.is_some_and(|item| item.marked.is_some()) {
        Object::Marked
    } else if (goes_on && addressee.is_none()) || behind.is_some_and(|item| item.says("that")) {
        Object::Clause
    } else {
        Object::None
    };
    Some(Tag { cue: verb..verb + 1, source, addressee, object, end })
}

/// The verb of saying whose group begins at `at`.
fn verb_behind(items: &[Item<'_>], at: usize) -> Option<usize> {
    let mut verb = at;
    while items.get(verb).is_some_and(|item| item.is_word() && item.is(Class::AUX | Class::ADVERB) || item.says("to")) {
        verb += 1;
    }
    let item = items.get(verb)?;
    let small = item.says("went") || item.says("goes") || item.says("put") || item.says("puts") || item.says("shot");
    (!(small && !is_verb(items, verb)) && item.is(Class::SAY | Class::HOLD | Class::NAME) && !item.is_capital() && (verb > at || !item.is(Class::ING))).then_some(verb)
}

fn is_finite(item: &Item<'_>) -> bool {
    !item.is(Class::ING) && (is_past(item) || item.word.text.ends_with('s') || item.says("say") || item.says("write"))
}

/// Whether a sentence, or the clause with the tag, is over at `at`: what follows is an occasion at most.
fn ends_at(items: &[Item<'_>], at: usize) -> bool {
    items.get(at).is_none_or(|item| {
        item.is_sign(".") || item.is_sign(",") || item.is_sign(";") || item.is(Class::PREPOSITION | Class::TIME | Class::ADVERB)
    })
}

/// Who was told, behind a verb of telling, and where the phrase ends.
fn told(items: &[Item<'_>], verb: usize) -> (Option<Phrase>, usize) {
    if !items[verb].is(Class::TELL) {
        return (None, verb + 1);
    }
    let phrase = phrase_at(items, verb + 1).filter(|phrase| !items[phrase.start].says("that"));
    let end = phrase.as_ref().map_or(verb + 1, |phrase| phrase.end);
    (phrase, end)
}

/// The attribution whose verb stands before the marked item, with content that holds it.
fn lead(items: &[Item<'_>], from: usize, mark: usize, last: Option<&Attribution>) -> Option<Found> {
    if from == 0
        && ["said", "says", "wrote", "added"].iter().any(|verb| items[0].says(verb))
        && let Some(source) = phrase_at(items, 1)
    {
        // "Said Vane, a baker: “No.”"
        let end = content_end(items, 0, mark, mark);
        return Some((Attribution { cue: 0..1, source: Some(source), content: vec![mark..end], addressee: None, occasion: None }, end));
    }
    if items[from].says("according") && items.get(from + 1).is_some_and(|next| next.says("to")) {
        return according(items, from, mark);
    }
    let mut best: Option<(u8, usize, Option<Phrase>, Range<usize>)> = None;
    for verb in from..mark {
        if !is_verb(items, verb) {
            continue;
        }
        let (addressee, begin) = content_behind(items, verb, mark);
        if begin > mark {
            continue;
        }
        let end = content_end(items, verb, begin, mark);
        if end <= mark {
            continue;
        }
        let rank = rank(items, verb, begin, mark);
        if best.as_ref().is_none_or(|(known, ..)| rank >= *known) {
            best = Some((rank, verb, addressee, begin..end));
        }
        if rank == RULES {
            break;
        }
    }
    if let Some((_, verb, addressee, content)) = best {
        let source = subject(items, from, verb, last);
        let end = content.end;
        let mut parts = vec![content];
        if items[verb].is(Class::NAME) && let Some(at) = source.as_ref().and_then(|source| source.start.checked_sub(1)) && at >= from && (items[at].says("which") || items[at].says("whom") || items[at].says("what") || items[at].says("who")) {
            parts.insert(0, at..at + 1);
        } else if let Some(before) = source.as_ref().and_then(|source| clause_before(items, from, source, verb, parts[0].start)) {
            parts.insert(0, before);
        }
        let told = addressee.as_ref().map_or(verb + 1, |phrase| phrase.end);
        let occasion = occasion(items, told, parts[parts.len() - 1].start).or_else(|| opening_occasion(items, from, source.as_ref()));
        return Some((Attribution { cue: verb..verb + 1, source, content: parts, addressee, occasion }, end));
    }
    // "Vane said in May, when it rained, “No.”"
    if mark > from
        && items[mark - 1].is_sign(",")
        && let Some(verb) = (from..mark).rev().find(|&at| items[at].is(Class::SAY) && is_verb(items, at))
    {
        let source = subject(items, from, verb, last);
        let end = content_end(items, verb, mark, mark);
        return Some((Attribution { cue: verb..verb + 1, source, content: vec![mark..end], addressee: None, occasion: None }, end));
    }
    // "Vane had an answer: “No.”"
    if mark > from && items[mark - 1].is_sign(":") {
        let source = main_subject(items, from, mark);
        let end = content_end(items, mark - 1, mark, mark);
        return Some((Attribution { cue: mark - 1..mark, source, content: vec![mark..end], addressee: None, occasion: None }, end));
    }
    None
}

/// The half of the content before a tag in its middle: "The boat, Vane said, was “dead.”"
fn clause_before(items: &[Item<'_>], from: usize, source: &Phrase, verb: usize, begin: usize) -> Option<Range<usize>> {
    let comma = source.start.checked_sub(1).filter(|at| *at > from + 1 && items[*at].is_sign(","))?;
    let first = &items[from];
    // What such a clause says is said too, unlike "When asked".
    let concedes = ["while", "although", "though", "if", "because"].iter().any(|word| first.says(word)) || (first.says("in") && items[from + 1].says("other"));
    let whole = concedes || first.is_word() && (!first.is(Class::PREPOSITION | Class::SUBORDINATOR | Class::ADVERB | Class::TIME | Class::AND | Class::ING) || first.is(Class::DETERMINER));
    let parted = begin > verb + 1 && (items[begin - 1].is_sign(",") || items[begin - 1].is_sign(":"));
    let clause = items[begin].marked.is_none()
        || concedes;
    (whole && parted && clause && items[verb].is(Class::SAY)).then_some(from..comma)
}

/// A verb whose clause holds everything behind it.
const RULES: u8 = 3;

/// How much a verb has to say about marked words that stand behind it.
fn rank(items: &[Item<'_>], verb: usize, begin: usize, mark: usize) -> u8 {
    let that = items[begin].says("that");
    match items[verb].is(Class::SAY) {
        true if that || begin == mark || items[begin].is(Class::PRONOUN | Class::DETERMINER) || items[begin].is_capital() => RULES,
        true if items[begin].is_word() && !items[begin].is(Class::PREPOSITION | Class::AUX | Class::ING) => RULES,
        true => 2,
        false if items[verb].is(Class::NAME) || that || begin == mark => 2,
        false => 1,
    }
}

/// "According to Vane, the boat was “dead.”"
fn according(items: &[Item<'_>], at: usize, mark: usize) -> Option<Found> {
    let source = phrase_at(items, at + 2)?;
    let comma = (source.end..mark).find(|&at| items[at].is_sign(","))?;
    let end = content_end(items, at, comma + 1, mark);
    let content = vec![comma + 1..end];
    (end > mark).then(|| (Attribution { cue: at..at + 2, source: Some(source), content, addressee: None, occasion: None }, end))
}

/// The subject of a verb that leads: its own, that of the sentence, or that of the attribution before it.
fn subject(items: &[Item<'_>], from: usize, verb: usize, last: Option<&Attribution>) -> Option<Phrase> {
    let earlier = || last.and_then(|last| last.source.clone());
    let group = verb_group(items, verb);
    let coordinated = group == 0 || items[group - 1].is(Class::AND) || items[group - 1].is_sign(",");
    if items[verb].is(Class::ING) || coordinated {
        if group == 0 || (group == from && last.is_none()) {
            // "Calling it “a joke,” Vane left."
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

/// Where the content behind a verb begins, and who was told.
fn content_behind(items: &[Item<'_>], verb: usize, mark: usize) -> (Option<Phrase>, usize) {
    let mut addressee = None;
    let mut at = verb + 1;
    if items[verb].is(Class::TELL) {
        (addressee, at) = told(items, verb);
    }
    if items[verb].is(Class::NAME) && (items[at].says("for") || items[at].says("on")) {
        return (addressee, at + 1);
    }
    if items[verb].is(Class::NAME) && mark > at && items[at].is(Class::PREPOSITION) && items[mark - 1].is_sign(",") {
        return (addressee, mark);
    }
    if items[at].says("to") && items[verb].word.text.starts_with("refer") {
        return (addressee, at + 1);
    }
    if !items[verb].is(Class::SAY) {
        // "railed against": the preposition is the verb's.
        let skips = items[verb].is(Class::HOLD) && items[at].is(Class::PREPOSITION) && !items[at].says("as") && !items[at].says("to");
        return (addressee, at + usize::from(skips));
    }
    if let Some(that) = (at..mark).find(|&at| items[at].says("that"))
        && !(at..that).any(|at| items[at].is(Class::AUX) || is_verb(items, at) || (items[at].is_sign(",") && !items[verb].is(Class::TELL)))
        && items[that - 1].is_word()
        && !items.get(that + 1).is_some_and(|next| next.is(Class::AUX))
    {
        return (addressee, that);
    }
    // Occasion and time may stand between: "said in a letter on Friday that".
    // What is spoken about is no occasion; no clause follows it.
    let mut topic = false;
    while at < mark {
        let item = &items[at];
        if item.says("that") || item.says("if") || item.says("whether") {
            break;
        }
        if item.is_sign(":") || item.is_sign(",") || item.is_sign("—") {
            // What follows a colon is the content, and what follows a comma if it is marked.
            if item.is_sign(":") || at + 1 == mark {
                at += 1;
                break;
            }
            at += 1;
        } else if item.is(Class::TIME | Class::ADVERB) && !item.is(Class::DETERMINER) {
            at += 1;
        } else if item.is(Class::PREPOSITION) && !item.says("of") && !item.says("like") {
            match phrase_at(items, at + 1) {
                Some(phrase) if phrase.end == mark && (items[mark - 1].is(Class::DETERMINER) || items[mark - 1].word.is_possessive()) => {
                    at = phrase.start;
                    break;
                }
                Some(phrase) if phrase.end <= mark => {
                    topic |= item.says("about") || item.says("for") || item.says("against") || item.says("to");
                    at = phrase.end;
                }
                _ => break,
            }
        } else {
            break;
        }
    }
    let loose = at > verb + 1 && at < mark && items[at - 1].is_sign(",") && !["that", "if", "whether"].iter().any(|word| items[at].says(word));
    // "The plan, Vane said, was “dead.”"
    let between = || subject_before(items, 0, verb).is_some_and(|source| source.start > 1 && items[source.start - 1].is_sign(","));
    let loose = loose && !between();
    (addressee, if loose || (topic && at < mark && items[at].is_word() && !items[at].says("that")) { mark + 1 } else { at })
}

/// Where content that begins at `begin` and may hold the marked item ends: behind its last item.
fn content_end(items: &[Item<'_>], verb: usize, begin: usize, mark: usize) -> usize {
    let mut at = begin;
    // "When Vane called it “dead,” nobody laughed."
    let introduced = begin > 0
        && !items[..verb].iter().any(|item| item.is_sign(","))
        && (items[0].is(Class::ING) || (items[0].is(Class::SUBORDINATOR) && !items[0].is(Class::DETERMINER)) || items[0].says("in"));
    let calls_for = items[verb + 1].says("for") || items[verb + 1].says("on");
    if items[verb].is(Class::NAME) && !calls_for && !(begin..mark).any(|at| stops_name(&items[at])) {
        return name_end(items, mark);
    }
    while at < items.len() {
        let item = &items[at];
        let comma = item.is_sign(",") || ends_with_comma(item);
        let aside = at >= mark && items.get(at + 1).is_some_and(|next| {
            introduced || (next.is_word() && next.word.text.ends_with("ing")) || ["while", "though", "although", "whereas"].iter().any(|word| next.says(word))
                || ((next.says("but") && (items.get(at + 2).is_some_and(|next| next.says("did") || next.says("does")) || starts_clause(items, at + 2))))
                || ((next.says("which") || next.says("who")))
                || (next.is(Class::DETERMINER) && !items[at..].iter().any(|i| i.marked.is_some()))
        });
        if at > mark && item.is(Class::AND) && (items[begin].marked.is_some() || !items[verb].is(Class::SAY)) && items.get(at + 1).is_some_and(|next| next.is_word() && (next.word.text.ends_with("ed") || ["made", "set", "cast", "took", "got", "went", "gave", "left", "began", "led", "ran", "did"].iter().any(|word| next.says(word)))) {
            break;
        }
        if at > mark && ["before", "after", "while"].iter().any(|word| item.says(word)) && items.get(at + 1).is_some_and(|next| next.is_word() && next.word.text.ends_with("ing")) {
            break;
        }
        let dash = |item: &Item<'_>| item.is_sign("—") || item.is_sign("–") || item.is_sign("-");
        if at > mark && dash(item) && !items[at..].iter().any(|i| i.marked.is_some()) {
            break;
        }
        let main = introduced && comma && phrase_at(items, at + 1).is_some_and(|phrase| verb_behind(items, phrase.end).is_some());
        if comma && (aside || main || starts_other(items, at + 1)) {
            at += usize::from(item.marked.is_some());
            break;
        }
        if item.is_sign(";") || (item.is(Class::AND) && at > begin && (starts_verb(items, at + 1) || (at > mark && starts_clause(items, at + 1)))) {
            break;
        }
        if item.says("according") && at > mark {
            break;
        }
        if at > mark && item.is_word() && items[at - 1].marked.is_some() && begin + 1 == at && item.is(Class::PREPOSITION | Class::TIME | Class::SUBORDINATOR) {
            let whole = ends_open(&items[at - 1]) || super::line::ends_sentence(items[at - 1].word.text);
            let aside = item.is(Class::TIME) || ["in", "on", "at", "during", "to", "when", "as", "while", "after", "before", "via"].iter().any(|word| item.says(word));
            if whole || aside {
                break;
            }
        }
        at += 1;
    }
    while at > begin && items[at - 1].marked.is_none() && !items[at - 1].is_word() && !items[at - 1].is_sign(")") {
        at -= 1;
    }
    at
}

/// Whether another attribution begins behind a comma: "adding that", "and said", "he said".
fn starts_other(items: &[Item<'_>], at: usize) -> bool {
    let mut verb = at;
    while items.get(verb).is_some_and(|item| item.is(Class::ADVERB | Class::AND) || ((item.says("while") || item.says("although") || item.says("though")))) {
        verb += 1;
    }
    let Some(item) = items.get(verb) else { return false };
    if verb > at && starts_clause(items, verb) {
        return true;
    }
    (item.is(Class::ING) && item.is(Class::CUE)) || (item.is(Class::SAY) && is_past(item)) || (verb > at && starts_verb(items, verb)) || tag_at(items, verb).is_some_and(|tag| tag.object != Object::Clause)
}

/// Whether somebody else says something from here on: "and Vane said".
fn starts_clause(items: &[Item<'_>], at: usize) -> bool {
    const SHORT: usize = 8;
    let Some(phrase) = phrase_at(items, at) else { return false };
    let verb = verb_behind(items, phrase.end);
    if items.get(phrase.end).is_some_and(|item| item.is(Class::ING) && item.is(Class::CUE)) {
        return true;
    }
    phrase.len() <= SHORT && verb.is_some_and(|verb| items[verb].is(Class::SAY) && (is_past(&items[verb]) || items[verb].word.text.ends_with('s')))
}

/// Whether a finite verb of saying begins here ("and called it").
fn starts_verb(items: &[Item<'_>], at: usize) -> bool {
    let mut verb = at;
    while items.get(verb).is_some_and(|item| item.is_word() && item.is(Class::ADVERB | Class::AUX)) {
        verb += 1;
    }
    items.get(verb).is_some_and(|item| is_verb(items, verb) && (is_past(item) || item.is(Class::ING) || item.word.text.ends_with('s')) && !item.is_capital())
}

/// Where what is named ends: before a time, a place, another verb; words that belong to the marked ones stay ("“free” of ice").
fn name_end(items: &[Item<'_>], mark: usize) -> usize {
    let mut end = mark + 1;
    while let Some(item) = items.get(end) {
        let listed = |at: usize| {
            (at..items.len()).find(|&at| !(items[at].is_sign(",") || items[at].is_sign("(") || items[at].is(Class::AND | Class::DETERMINER))).is_some_and(|at| items[at].marked.is_some())
        };
        let parted = item.is_sign(",") || item.is(Class::AND) || ends_with_comma(&items[end - 1]);
        let aside = item.is(Class::TIME | Class::ADVERB)
            || ["in", "on", "at", "during", "after", "before", "by", "from", "over", "amid", "when", "while", "since", "until"]
                .iter()
                .any(|word| item.says(word));
        if ((parted || item.is_sign("(")) && !listed(end)) || (item.marked.is_none() && !item.is_word() && !item.is_sign(",") && !item.is_sign("(") && !item.is_sign(")")) || (aside && !item.says("that")) {
            break;
        }
        end += 1;
    }
    while end > mark + 1 && items[end - 1].is(Class::PREPOSITION | Class::AND | Class::DETERMINER) {
        end -= 1;
    }
    end
}

fn stops_name(item: &Item<'_>) -> bool {
    item.is_sign(";") || item.is_sign(":")
}

/// Whether a sentence begins with the verb of saying for the marked words that end the one before: "“Why?” Vane asked." Behind a
/// full stop nothing else may follow.
pub(super) fn begins_with_tag(items: &[Item<'_>], stops: bool) -> bool {
    tag_at(items, 0).is_some_and(|tag| {
        let rest = &items[tag.end..];
        let over = rest.iter().all(|item| item.is_sign("."));
        tag.object == Object::None && items[tag.cue.start].is(Class::SAY) && (over || (!stops && ends_at(items, tag.end)))
    })
}
