//! What belongs to an attribution: where its content begins and where it ends.
//!
//! Behind a verb the content is its clause: from "that", or from the words behind whom, where and when, up to the next verb of saying,
//! an aside, or the end of the sentence. Behind a verb of naming it is what is named, with the name.

use std::ops::Range;

use super::attribute::is_whole;
use super::line::{Item, ends_sentence};
use super::phrase::{Phrase, ends_with_comma, is_lower_past, is_past, is_verb, phrase_at, subject_before};
use super::tag::{Object, ends_open, tag_at, told, verb_behind};
use crate::word::Class;

/// Where the words before a tag begin: with the sentence, without a sign or what another attribution left.
pub(super) fn content_begin(items: &[Item<'_>], from: usize, mark: usize) -> usize {
    let mut begin = from;
    while begin < mark && !items[begin].is_word() && items[begin].marked.is_none() {
        begin += 1;
    }
    if from > 0 && items[begin].is(Class::AND) {
        begin += 1;
    }
    // What a colon, a dash or a bracket parts from the marks is no part of what was said.
    if mark > begin
        && (items[mark - 1].is_sign(":") || items[mark - 1].is_sign("(") || items[mark - 1].is_dash())
    {
        return mark;
    }
    begin.min(mark)
}

/// Where the content behind a verb begins, and who was told. Behind the marked item if the verb has nothing to do with it.
pub(super) fn content_behind(items: &[Item<'_>], verb: usize, mark: usize) -> (Option<Phrase>, usize) {
    let (addressee, told) = told(items, verb);
    // "put it".
    let at = told + usize::from(items[verb].says_any(&["put", "puts"]) && told < mark);
    let begin = match items[verb].is(Class::SAY) {
        true => behind_saying(items, verb, at, mark),
        false => behind_naming(items, verb, at, mark),
    };
    (addressee, begin)
}

fn behind_naming(items: &[Item<'_>], verb: usize, at: usize, mark: usize) -> usize {
    let name = items[verb].is(Class::NAME);
    let next = &items[at];
    // "called over her shoulder, “No”".
    if name
        && mark > at
        && next.is(Class::PREPOSITION)
        && items[mark - 1].is_sign(",")
        && !next.says_any(&["for", "on"])
    {
        return mark;
    }
    // "called for", "railed against", "referred to": the preposition is the verb's.
    let belongs = match name {
        true => next.says_any(&["for", "on"]),
        false => {
            next.is(Class::PREPOSITION)
                && !next.says("as")
                && (!next.says("to") || items[verb].word.text.starts_with("refer"))
        }
    };
    at + usize::from(belongs)
}

/// Behind occasion and time: "said in a letter on Friday that".
fn behind_saying(items: &[Item<'_>], verb: usize, from: usize, mark: usize) -> usize {
    let mut at = from;
    if let Some(that) = that_behind(items, verb, at, mark) {
        return that;
    }
    if is_whole(items, mark) && is_circumstance(items, from..mark) {
        return mark;
    }
    // What is spoken about is no occasion; no clause follows it.
    let mut topic = false;
    while at < mark {
        let item = &items[at];
        if item.says_any(CLAUSES) || is_there(items, at) {
            break;
        }
        if item.is_sign(":") || item.is_sign(",") || item.is_sign("—") {
            // What follows a colon is the content, and what follows a comma if it is marked.
            at += 1;
            if item.is_sign(":") || at == mark {
                break;
            }
        } else if item.is(Class::TIME | Class::ADVERB) && !item.is(Class::DETERMINER) {
            at += 1;
        } else if item.is(Class::PREPOSITION) && !item.says_any(&["of", "like"]) {
            match phrase_at(items, at + 1) {
                // "spoke about the “dead” plan": the phrase goes on in marks.
                Some(phrase)
                    if phrase.end == mark
                        && (items[mark - 1].is(Class::DETERMINER)
                            || items[mark - 1].word.is_possessive()) =>
                {
                    at = phrase.start;
                    break;
                }
                Some(phrase) if phrase.end <= mark => {
                    topic |= item.says_any(&["about", "for", "against", "to"]);
                    at = phrase.end;
                }
                _ => break,
            }
        } else {
            break;
        }
    }
    // "The plan, Vane said, was “dead.”"
    let between = || {
        subject_before(items, 0, verb)
            .is_some_and(|source| source.start > 1 && items[source.start - 1].is_sign(","))
    };
    let inside = at < mark && !items[at].says("that");
    let loose =
        inside && at > verb + 1 && items[at - 1].is_sign(",") && !items[at].says_any(CLAUSES) && !between();
    if loose || (topic && inside && items[at].is_word()) { mark + 1 } else { at }
}

/// Whether words between a verb and whole sentences say of what, when or to whom, and are no part of what was said: "said of the
/// plan,", "told them a day earlier,".
fn is_circumstance(items: &[Item<'_>], mut between: Range<usize>) -> bool {
    const MOST: usize = 8;
    (2..=MOST).contains(&between.len())
        && between.all(|at| {
            let item = &items[at];
            item.marked.is_none() && !item.is(Class::AUX) && !is_verb(items, at) && !item.says_any(CLAUSES)
        })
}

/// Whether "there" is no place, but begins a clause: "said there was".
fn is_there(items: &[Item<'_>], at: usize) -> bool {
    items[at].says("there") && items.get(at + 1).is_some_and(|next| next.is(Class::AUX))
}

/// What begins a clause that was said.
const CLAUSES: &[&str] = &["that", "if", "whether"];

/// The "that" which a verb of saying governs, with no other verb between.
fn that_behind(items: &[Item<'_>], verb: usize, from: usize, mark: usize) -> Option<usize> {
    let that = (from..mark).find(|&at| items[at].says("that"))?;
    let tells = items[verb].is(Class::TELL);
    let occasion = items[from].is(Class::PREPOSITION | Class::TIME | Class::ADVERB);
    // "said on Monday in Orford, the port, that": commas part where and when it was said, and nothing else.
    let parted = occasion && items[that - 1].is_sign(",");
    let comma = |at: usize| items[at].is_sign(",") && !tells && !parted;
    let free = (from..that).all(|at| !items[at].is(Class::AUX) && !is_verb(items, at) && !comma(at));
    // "the plan that was": a relative clause. Behind "said" so is every "that" with words before it: they begin the clause.
    let says = items[verb].says_any(&["said", "says", "say", "saying"]);
    let inside =
        says && that > from && !occasion && phrase_at(items, from).is_none_or(|phrase| phrase.end != that);
    let relative = inside || items.get(that + 1).is_some_and(|next| next.is(Class::AUX));
    (free && (parted || items[that - 1].is_word()) && !relative).then_some(that)
}

/// Where content that begins at `begin` and may hold the marked item ends: behind its last item.
pub(super) fn content_end(items: &[Item<'_>], verb: usize, begin: usize, mark: usize) -> usize {
    let calls_for = items.get(verb + 1).is_some_and(|next| next.says_any(&["for", "on"]));
    let parted = items[begin..mark].iter().any(|item| item.is_sign(";") || item.is_sign(":"));
    if items[verb].is(Class::NAME) && !calls_for && !parted {
        return name_end(items, mark);
    }
    // "When Vane called it “dead,” nobody laughed."
    let introduced = begin > 0 && is_introduced(items, verb);
    let mut end = begin;
    while end < items.len() {
        let item = &items[end];
        let comma = item.is_sign(",") || ends_with_comma(item);
        if comma && ends_at_comma(items, end, mark, introduced) {
            end += usize::from(item.marked.is_some());
            break;
        }
        let and = item.is(Class::AND) && end > begin;
        let other = and && (starts_verb(items, end + 1) || (end > mark && starts_clause(items, end + 1)));
        if item.is_sign(";") || other || (end > mark && ends_behind(items, end, begin, verb)) {
            break;
        }
        end += 1;
    }
    // A bracket that was opened before the content is not closed by it.
    let bracket = items[begin..end].iter().any(|item| item.is_sign("("));
    while end > begin
        && items[end - 1].marked.is_none()
        && !items[end - 1].is_word()
        && !(bracket && items[end - 1].is_sign(")"))
    {
        end -= 1;
    }
    end
}

/// Whether a clause depends on the one that follows it: what stands before its verb has no comma and begins so.
fn is_introduced(items: &[Item<'_>], verb: usize) -> bool {
    let and = usize::from(items[0].is(Class::AND) && verb > 0);
    let first = &items[and];
    let opens = first.is(Class::ING)
        || (first.is(Class::SUBORDINATOR) && !first.is(Class::DETERMINER))
        || first.says("in")
        || (verb == and && is_past(first));
    opens && !items[..verb].iter().any(|item| item.is_sign(","))
}

/// Whether content ends at a comma: another attribution, or behind the marked words an aside.
fn ends_at_comma(items: &[Item<'_>], comma: usize, mark: usize, introduced: bool) -> bool {
    if starts_other(items, comma + 1) {
        return true;
    }
    let main = || phrase_at(items, comma + 1).is_some_and(|phrase| verb_behind(items, phrase.end).is_some());
    if introduced && main() {
        return true;
    }
    let Some(next) = items.get(comma + 1).filter(|_| comma >= mark) else { return false };
    let last = || items[comma..].iter().all(|item| item.marked.is_none());
    let but = || {
        items.get(comma + 2).is_some_and(|next| next.says_any(&["did", "does", "had"]) || is_lower_past(next))
            || starts_clause(items, comma + 2)
    };
    introduced
        || (next.is_word() && next.word.text.ends_with("ing"))
        || next.says_any(&["while", "though", "although", "whereas", "which", "who"])
        || (next.says("but") && but())
        || (next.is(Class::DETERMINER) && last())
}

/// Whether content ends at an item behind its marked words, where no comma stands.
fn ends_behind(items: &[Item<'_>], at: usize, begin: usize, verb: usize) -> bool {
    let item = &items[at];
    let next = items.get(at + 1).filter(|next| next.is_word());
    let marked = items[begin].marked.is_some();
    // "called for “calm” and left".
    let another = item.is(Class::AND)
        && (marked || !items[verb].is(Class::SAY))
        && next.is_some_and(|next| next.word.text.ends_with("ed") || next.says_any(PAST));
    // "“calm” before leaving".
    let meanwhile = item.says_any(&["before", "after", "while"])
        && next.is_some_and(|next| next.word.text.ends_with("ing"));
    let aside = item.is_dash() && items[at..].iter().all(|item| item.marked.is_none());
    // "said “no” on Friday": where and when stand behind marked words alone.
    let occasion = marked && at == begin + 1 && item.is_word() && {
        let whole = ends_open(&items[begin]) || ends_sentence(items[begin].word.text);
        let belongs = item.is(Class::PREPOSITION | Class::TIME | Class::SUBORDINATOR);
        belongs && (whole || item.is(Class::TIME) || item.says_any(OCCASIONS))
    };
    another || meanwhile || aside || occasion || item.says("according") || is_scene(items, at)
}

/// Whether where something was said begins here: "in an interview", "in a post on Monday".
fn is_scene(items: &[Item<'_>], at: usize) -> bool {
    if !items[at].says_any(&["in", "during"]) {
        return false;
    }
    let article = items.get(at + 1).is_some_and(|item| item.says_any(&["a", "an"]));
    article && phrase_at(items, at + 1).is_some_and(|mut phrase| phrase.any(|at| items[at].says_any(SCENES)))
}

/// What people say something in.
pub(super) const SCENES: &[&str] = &[
    "interview",
    "statement",
    "speech",
    "letter",
    "email",
    "tweet",
    "post",
    "memo",
    "message",
    "video",
    "filing",
    "call",
    "conference",
];

/// What most often stands between marked words and where or when they were said.
const OCCASIONS: &[&str] =
    &["in", "on", "at", "during", "to", "when", "as", "while", "after", "before", "via"];
/// The past of verbs that have no -ed and say nothing.
const PAST: &[&str] =
    &["made", "set", "cast", "took", "got", "went", "gave", "left", "began", "led", "ran", "did"];

/// Where what is named ends: before a time, a place, another verb; words that belong to the marked ones stay ("“free” of ice").
fn name_end(items: &[Item<'_>], mark: usize) -> usize {
    const ASIDES: &[&str] = &[
        "in", "on", "at", "during", "after", "before", "by", "from", "over", "amid", "when", "while",
        "since", "until",
    ];
    let joins =
        |item: &Item<'_>| item.is_sign(",") || item.is_sign("(") || item.is(Class::AND | Class::DETERMINER);
    let listed =
        |at: usize| items[at..].iter().find(|item| !joins(item)).is_some_and(|item| item.marked.is_some());
    let mut end = mark + 1;
    while let Some(item) = items.get(end) {
        let parted =
            item.is_sign(",") || item.is_sign("(") || item.is(Class::AND) || ends_with_comma(&items[end - 1]);
        let sign = item.marked.is_none()
            && !item.is_word()
            && ![",", "(", ")"].iter().any(|sign| item.is_sign(sign));
        let aside = item.is(Class::TIME | Class::ADVERB) || item.says_any(ASIDES);
        if sign || aside || (parted && !listed(end)) {
            break;
        }
        end += 1;
    }
    while end > mark + 1 && items[end - 1].is(Class::PREPOSITION | Class::AND | Class::DETERMINER) {
        end -= 1;
    }
    end
}

/// Whether another attribution begins behind a comma: "adding that", "and said", "he said".
fn starts_other(items: &[Item<'_>], at: usize) -> bool {
    let opens = |item: &Item<'_>| {
        item.is(Class::ADVERB | Class::AND) || item.says_any(&["while", "although", "though"])
    };
    let mut verb = at;
    while items.get(verb).is_some_and(opens) {
        verb += 1;
    }
    let Some(item) = items.get(verb) else { return false };
    // "to which Vane replied", "with Vane calling it".
    let which = at + 1 + usize::from(items.get(at + 1).is_some_and(|item| item.says("which")));
    (items[at].says_any(&["to", "with"]) && starts_clause(items, which))
        || (verb > at && (starts_clause(items, verb) || starts_verb(items, verb)))
        || (item.is(Class::ING) && item.is(Class::CUE))
        || (item.is(Class::SAY) && is_past(item))
        || tag_at(items, verb).is_some_and(|tag| tag.object != Object::Clause)
}

/// Whether somebody else says something from here on: "and Vane said", "Vane calling it".
fn starts_clause(items: &[Item<'_>], at: usize) -> bool {
    const SHORT: usize = 8;
    let Some(phrase) = phrase_at(items, at) else { return false };
    let calling = items.get(phrase.end).is_some_and(|item| item.is(Class::ING) && item.is(Class::CUE));
    let says = || {
        verb_behind(items, phrase.end)
            .is_some_and(|verb| items[verb].is(Class::SAY) && is_third_or_past(&items[verb]))
    };
    calling || (phrase.len() <= SHORT && says())
}

/// Whether a verb of saying begins here ("and called it").
fn starts_verb(items: &[Item<'_>], at: usize) -> bool {
    let mut verb = at;
    while items.get(verb).is_some_and(|item| item.is_word() && item.is(Class::ADVERB | Class::AUX)) {
        verb += 1;
    }
    let Some(item) = items.get(verb).filter(|item| !item.is_capital()) else { return false };
    is_verb(items, verb) && (is_third_or_past(item) || item.is(Class::ING))
}

fn is_third_or_past(item: &Item<'_>) -> bool {
    is_past(item) || item.word.text.ends_with('s')
}
