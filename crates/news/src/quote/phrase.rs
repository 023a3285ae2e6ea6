//! Who stands where: the noun phrase before a verb, behind it, or at the head of a sentence.
//!
//! Without a table of all words of the language a phrase is found by its edges: small words, signs, verbs of saying.

use std::ops::Range;

use super::line::Item;
use crate::word::Class;

/// Items of a sentence that name somebody, without what stands between commas behind them.
pub(super) type Phrase = Range<usize>;

/// The phrase that begins at `at`: a pronoun, a name, a noun with what belongs to it ("a spokesman for the harbour board").
pub(super) fn phrase_at(items: &[Item<'_>], at: usize) -> Option<Phrase> {
    let first = items.get(at).filter(|item| item.is_word())?;
    if first.is(Class::PRONOUN) && !first.is(Class::DETERMINER) {
        return Some(at..at + 1);
    }
    if first.is(Class::AUX | Class::PREPOSITION | Class::SUBORDINATOR | Class::AND)
        && !first.is(Class::DETERMINER)
        && !first.is_capital()
    {
        return None;
    }
    let mut end = at;
    while let Some(item) = items.get(end) {
        if ends_phrase(items, at, end, item) {
            break;
        }
        end += 1;
    }
    // No phrase ends with a small word.
    while end > at
        && items[end - 1].is(Class::PREPOSITION | Class::AND | Class::ADVERB)
        && !items[end - 1].is_capital()
    {
        end -= 1;
    }
    (end > at).then_some(at..end)
}

fn ends_phrase(items: &[Item<'_>], begin: usize, at: usize, item: &Item<'_>) -> bool {
    if item.word.is_possessive() {
        return false;
    }
    if !item.is_word() {
        return !item.is_sign("&");
    }
    if at == begin {
        return false;
    }
    let before = &items[at - 1];
    let next = items.get(at + 1);
    if item.is(Class::PREPOSITION) {
        // What belongs to a noun ("of", "for", "with" and a name or an article); a time or an occasion does not.
        let belongs = item.says_any(&["of", "for", "from", "with", "in", "at", "to"]);
        let goes_on = next.is_some_and(|next| {
            next.is_word()
                && !next.is(Class::TIME | Class::PRONOUN | Class::CUE | Class::AUX)
                && !next.word.text.starts_with(char::is_numeric)
        });
        let narrow = item.says_any(&["in", "at", "to", "with"]);
        return !belongs || !goes_on || (narrow && !next.is_some_and(Item::is_capital));
    }
    if item.is(Class::AND) {
        let pair = next
            .is_some_and(|next| next.is_capital() || next.is(Class::DETERMINER) || next.is(Class::PEOPLE));
        return !(pair && before.is_word());
    }
    if item.is(Class::AUX) && !item.is_capital() {
        return true;
    }
    if item.is(Class::TIME)
        && !(before.is(Class::DETERMINER) || before.is(Class::PREPOSITION))
        && !item.says("may")
    {
        return true;
    }
    if item.is(Class::PRONOUN | Class::SUBORDINATOR) && !item.is(Class::DETERMINER) {
        return true;
    }
    if item.is(Class::DETERMINER)
        && !item.is_capital()
        && !before.is(Class::PREPOSITION | Class::DETERMINER | Class::AND)
    {
        return true;
    }
    // "Vane leaned": behind a name a past is a verb.
    is_verb(items, at) || (before.is_capital() && is_lower_past(item))
}

/// Whether a word that no list of verbs holds has the form of a past.
pub(super) fn is_lower_past(item: &Item<'_>) -> bool {
    const SHORTEST: usize = 5;
    let word = item.word.text;
    item.is_word()
        && word.len() >= SHORTEST
        && word.ends_with("ed")
        && !word.ends_with("eed")
        && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Whether a cue word is used as a verb: not as a noun behind an article, not as a name.
pub(super) fn is_verb(items: &[Item<'_>], at: usize) -> bool {
    let item = &items[at];
    if !item.is_word() || !item.is(Class::CUE) || (item.is_capital() && at > 0 && !item.is(Class::ING)) {
        return false;
    }
    // Verbs that say something with a small word behind them only: "shot back", "put it", "went on".
    for (verb, word) in
        [("shot", "back"), ("shoots", "back"), ("put", "it"), ("puts", "it"), ("went", "on"), ("goes", "on")]
    {
        if item.says(verb) {
            return items.get(at + 1).is_some_and(|next| next.says(word));
        }
    }
    if item.says_any(&["shoot", "shooting", "putting", "go", "going"]) {
        return false;
    }
    if item.is(Class::NOUN) && !noun_is_verb(items, at) {
        return false;
    }
    let Some(before) = at.checked_sub(1).map(|before| &items[before]) else {
        return item.is(Class::ING) || is_past(item);
    };
    let noun = is_past(item) || item.is(Class::NOUN | Class::ING);
    // "he's predicting" is no possessive.
    let owned =
        before.word.is_possessive() && !at.checked_sub(2).is_some_and(|at| items[at].is(Class::PRONOUN));
    if owned
        || (noun
            && before.is(Class::DETERMINER)
            && !before.is(Class::PRONOUN)
            && !before.says("all")
            && !before.says("that"))
    {
        return false;
    }
    // "in reports", "of concern": a plain form behind a preposition is a noun.
    let plain = !is_past(item) && !item.is(Class::ING);
    !(plain && before.is(Class::PREPOSITION) && !before.says("to"))
}

/// Whether a form that may be a noun is a verb: behind "to", an auxiliary or a pronoun, or between a name and what it takes.
fn noun_is_verb(items: &[Item<'_>], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| &items[before]) else { return false };
    if before.says("to")
        || before.is(Class::AUX)
        || (before.is(Class::PRONOUN) && !before.is(Class::DETERMINER))
    {
        return true;
    }
    let takes = items.get(at + 1).is_some_and(|next| {
        next.marked.is_some()
            || next.is_sign(":")
            || next.says("to")
            || next.says("that")
            || (next.is(Class::DETERMINER | Class::PRONOUN) && !next.is(Class::PREPOSITION))
    });
    let finite = item_is_third(&items[at]);
    let ends = finite
        && before.is_capital()
        && items.get(at + 1).is_none_or(|next| next.is_sign(".") || next.is_sign(","));
    ends || takes
        && ((before.is(Class::AND) && finite)
            || before.is_capital()
            || before.is(Class::ADVERB | Class::PEOPLE)
            || (before.is(Class::DOCUMENT) && finite)
            || before.is_sign(","))
}

/// Whether it has the -s of the third person, which a plural has too.
fn item_is_third(item: &Item<'_>) -> bool {
    item.word.text.ends_with('s')
}

/// Whether it is a form in -ed or an irregular past.
pub(super) fn is_past(item: &Item<'_>) -> bool {
    item.word.text.ends_with("ed")
        || item.says_any(&[
            "said",
            "told",
            "wrote",
            "written",
            "thought",
            "spoke",
            "began",
            "sang",
            "swore",
            "sought",
            "read",
            "shot",
            "put",
            "understood",
            "foresaw",
        ])
}

/// Passes over "had", "also", "later" before a verb: the first item of the verb's group.
pub(super) fn verb_group(items: &[Item<'_>], verb: usize) -> usize {
    let mut at = verb;
    while at > 0 {
        let item = &items[at - 1];
        let small = item.is(Class::AUX | Class::ADVERB | Class::TIME) || item.says("to");
        if !item.is_word()
            || !small
            || (item.is_capital() && at > 1 && !item.is(Class::TIME))
            || item.is(Class::PRONOUN)
        {
            break;
        }
        at -= 1;
    }
    at
}

/// The subject of the verb at `verb`, looking no further back than `from`.
pub(super) fn subject_before(items: &[Item<'_>], from: usize, verb: usize) -> Option<Phrase> {
    let group = verb_group(items, verb).max(from);
    let before = group.checked_sub(1).filter(|at| *at >= from)?;
    // "Vane on Tuesday said"
    let on = before > from && items[before].is(Class::PREPOSITION) && items[group].is(Class::TIME);
    let before = before - usize::from(on);
    let item = &items[before];
    if item.is_sign(",")
        || item.is_sign(")")
        || item.is_sign("—")
        || item.is_sign("-")
        || item.is_sign("–")
        || item.marked.is_some()
    {
        // Something stands between: "Vane, a baker, said". The phrase is the first of the clause.
        return main_subject(items, from, before);
    }
    if !item.is_word() || item.is(Class::AND) {
        return main_subject(items, from, before);
    }
    if item.is(Class::PRONOUN) {
        return Some(before..before + 1);
    }
    // "a message that said"
    let paper = before.checked_sub(1).filter(|at| *at >= from && items[*at].is(Class::DOCUMENT));
    if let Some(paper) = paper.filter(|_| item.says("that") || item.says("which")) {
        return Some(paper..before + 1);
    }
    if item.says("that") || item.is(Class::SUBORDINATOR) {
        return main_subject(items, from, before);
    }
    let mut begin = before;
    while begin > from && belongs_before(items, begin) {
        begin -= 1;
    }
    phrase_at(items, begin)
        .or_else(|| main_subject(items, from, before))
        .map(|phrase| phrase.start..phrase.end.max(before + 1))
}

/// Whether the phrase that contains the item at `at` begins before it.
fn belongs_before(items: &[Item<'_>], at: usize) -> bool {
    let before = &items[at - 1];
    let item = &items[at];
    if before.word.is_possessive() {
        return true;
    }
    if !before.is_word() {
        return before.is_sign("&");
    }
    if before.is(Class::PREPOSITION) && !before.is(Class::DETERMINER) {
        return before.says_any(&["of", "for", "from", "with", "in", "at"])
            && at >= 2
            && items[at - 2].is_word();
    }
    if before.is(Class::AUX | Class::SUBORDINATOR) && !before.is(Class::DETERMINER) && !before.is_capital() {
        return false;
    }
    if before.is(Class::AND) {
        return at >= 2
            && items[at - 2].is_word()
            && (item.is_capital() == items[at - 2].is_capital())
            && !items[at - 2].is(Class::TIME);
    }
    if item.is(Class::DETERMINER) && !item.is_capital() {
        return before.is(Class::PREPOSITION | Class::DETERMINER);
    }
    if before.is(Class::PRONOUN) && !before.is(Class::DETERMINER) {
        return false;
    }
    if before.is(Class::TIME) && !before.says("may") {
        return false;
    }
    !is_verb(items, at - 1)
}

/// The first phrase of a clause, behind what introduces it ("On Monday, ...", "When asked, ...").
pub(super) fn main_subject(items: &[Item<'_>], from: usize, to: usize) -> Option<Phrase> {
    let mut at = dateline_end(items, from, to);
    while at < to && !items[at].is_word() && items[at].marked.is_none() {
        at += 1;
    }
    let first = items[at..to].first()?;
    let small = !first.is(Class::DETERMINER) || first.says("that");
    let introduces =
        first.is(Class::PREPOSITION | Class::SUBORDINATOR | Class::ING) && small || first.marked.is_some();
    if introduces
        || (first.is(Class::ADVERB | Class::TIME)
            && items.get(at + 1).is_some_and(|next| next.is_sign(",") || next.is(Class::PREPOSITION)))
        || is_participle(first)
        || is_moment(&items[at..to])
    {
        // Behind the first comma, or behind marks that end with one.
        if let Some(comma) = (at..to).find(|&at| items[at].is_sign(",") || ends_with_comma(&items[at]))
            && let Some(phrase) = main_subject(items, comma + 1, to)
        {
            return Some(phrase);
        }
    }
    while at < to
        && (items[at].is(Class::AND | Class::ADVERB | Class::PREPOSITION | Class::SUBORDINATOR)
            && !items[at].is(Class::DETERMINER))
    {
        at += 1;
    }
    phrase_at(items, at).filter(|phrase| phrase.start < to).map(|phrase| phrase.start..phrase.end.min(to))
}

/// Behind the place in capitals and the dash before an agency's first sentence: "ORFORD (WIRE) — Vane said".
fn dateline_end(items: &[Item<'_>], from: usize, to: usize) -> usize {
    const LONGEST: usize = 12;
    let place = |item: &&Item<'_>| {
        let word = item.word.text;
        item.is_word() && word.len() > 2 && !word.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    let dash = || (from..to).take(LONGEST).find(|&at| items[at].is_dash() || items[at].marked.is_some());
    let placed = items.get(from).filter(place).and_then(|_| dash()).filter(|&at| items[at].is_dash());
    placed.map_or(from, |dash| dash + 1)
}

/// Whether a clause begins with a length or a time before its subject: "Hours later, Vane", "The day before, Vane".
pub(super) fn is_moment(items: &[Item<'_>]) -> bool {
    const LONGEST: usize = 6;
    let comma = items.iter().take(LONGEST).position(|item| item.is_sign(","));
    comma.and_then(|comma| comma.checked_sub(1)).is_some_and(|last| {
        let ends = ["later", "earlier", "ago", "before", "after", "afterwards", "afterward"];
        items[last].says_any(&ends) && !items[..last].iter().any(|item| item.is(Class::AND))
    })
}

fn is_participle(item: &Item<'_>) -> bool {
    item.is_word() && item.word.text.len() > 5 && item.word.text.ends_with("ing")
}

/// Whether marked words end with a comma, so that the sentence goes on behind them.
pub(super) fn ends_with_comma(item: &Item<'_>) -> bool {
    item.marked.is_some()
        && item.word.text.trim_end_matches(['"', '”', '\'', '’', '»']).trim_end().ends_with(',')
}
