//! The verb of saying with its subject, behind the words it is about: "..., she said".

use std::ops::Range;

use super::line::Item;
use super::phrase::{Phrase, ends_with_comma, is_lower_past, is_past, is_verb, phrase_at};
use crate::word::Class;

/// A verb with its subject, behind the words it is about.
pub(super) struct Tag {
    pub(super) cue: Range<usize>,
    pub(super) source: Phrase,
    pub(super) addressee: Option<Phrase>,
    pub(super) object: Object,
    /// Behind verb, subject and addressee.
    pub(super) end: usize,
}

/// What a tag's verb has behind it. With words of its own it is a tag only if those before it cannot stand alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    None,
    Marked,
    Clause,
}

/// The tag directly behind marked words that end like half a sentence.
pub(super) fn tag_behind(items: &[Item<'_>], mark: usize) -> Option<Tag> {
    let parted = items.get(mark + 1).is_some_and(|item| item.is_sign(",") || item.is_dash());
    let at = mark + 1 + usize::from(parted);
    // "as she told Orr"
    let like = items.get(at).is_some_and(|item| item.says("as"));
    let at = at + usize::from(like);
    let comma = ends_with_comma(&items[mark]);
    let alone = !items[..mark].iter().any(Item::is_word);
    let tag =
        tag_at(items, at).or_else(|| if comma && alone && !like { loose_tag(items, at) } else { None })?;
    let half = parted || ends_open(&items[mark]) || items[tag.cue.start].is(Class::SAY);
    let stands = match tag.object {
        Object::None => true,
        Object::Marked => comma,
        // Nothing but the marks before it.
        Object::Clause => comma && (mark == 0 || (mark == 1 && items[0].is(Class::AND))),
    };
    // "the “dull” plan says": marked words before a bare noun belong to it.
    let source = &items[tag.source.start];
    let named = source.is_capital() || source.is(Class::PRONOUN | Class::DETERMINER);
    let bare = !named && !parted && !ends_open(&items[mark]) && tag.source.start == mark + 1;
    (half && stands && !bare).then_some(tag)
}

/// A tag behind a later comma, with unmarked words between: "“dead” and gone, Vane said".
///
/// Also where the words before it end.
pub(super) fn late_tag(items: &[Item<'_>], mark: usize) -> Option<(usize, Tag)> {
    for at in mark + 1..items.len() {
        let item = &items[at];
        if item.says("according") && items.get(at + 1).is_some_and(|next| next.says("to")) {
            // "Besides “peace,” the boats, according to Vane, “rot”": it is about what follows.
            if ends_with_comma(&items[mark]) && items[at..].iter().any(|item| item.marked.is_some()) {
                return None;
            }
            let end = at - usize::from(items[at - 1].is_sign(","));
            return Some((end, tag_at(items, at)?));
        }
        if (item.is_sign(",") || ends_with_comma(item))
            && !items.get(at + 1).is_some_and(|next| next.says("according"))
            && let Some(tag) =
                tag_at(items, at + 1).filter(|tag| tag.object == Object::None && ends_at(items, tag.end))
        {
            return Some((at + usize::from(item.marked.is_some()), tag));
        }
    }
    None
}

/// Whether a sentence begins with the verb of saying for the marked words that end the one before: "“Why?” Vane asked." Behind a
/// full stop nothing else may follow.
pub(super) fn begins_with_tag(items: &[Item<'_>], stops: bool) -> bool {
    tag_at(items, 0).is_some_and(|tag| {
        let rest = &items[tag.end..];
        let over = rest.iter().all(|item| item.is_sign("."));
        tag.object == Object::None
            && items[tag.cue.start].is(Class::SAY)
            && (over || (!stops && ends_at(items, tag.end)))
    })
}

/// The tag behind a comma within the marks, where something must say who speaks, by any verb or behind an apposition that no comma
/// ends: "“We wait,” beamed Vane", "“We wait,” Vane, a baker who came early said".
fn loose_tag(items: &[Item<'_>], at: usize) -> Option<Tag> {
    let tag = |verb: usize, source: Phrase, end: usize| {
        Some(Tag { cue: verb..verb + 1, source, addressee: None, object: Object::None, end })
    };
    let past = |at: usize| items.get(at).is_some_and(|item| is_lower_past(item));
    if past(at) && items.get(at + 1).is_some_and(Item::is_capital) {
        let source = phrase_at(items, at + 1)?;
        let end = source.end;
        return tag(at, source, end);
    }
    let source = phrase_at(items, at)?;
    if past(source.end) && ends_at(items, source.end + 1) {
        let end = source.end + 1;
        return tag(source.end, source, end);
    }
    // "the paper in the hall states": what may be a noun is a verb where nothing else is.
    let mut behind = source.end;
    while items.get(behind).is_some_and(|item| item.is(Class::PREPOSITION))
        && let Some(attached) = phrase_at(items, behind + 1)
    {
        behind = attached.end;
    }
    let last = behind - 1;
    if last > at && items[last].is(Class::SAY) && is_third(&items[last]) && ends_at(items, behind) {
        return tag(last, source.start..source.end.min(last), behind);
    }
    let verb = (source.end..items.len())
        .take_while(|at| items[*at].marked.is_none())
        .find(|&at| items[at].is(Class::SAY) && is_past(&items[at]) && is_verb(items, at))?;
    let (addressee, end) = told(items, verb);
    Some(Tag { cue: verb..verb + 1, source, addressee, object: Object::None, end })
}

/// The tag that begins at `at`: "she said", "said Vane", "according to Vane", "Vane, a baker, told a friend".
pub(super) fn tag_at(items: &[Item<'_>], at: usize) -> Option<Tag> {
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
        // "said he would": a clause, whose subject is not who said it.
        let clause = items
            .get(source.end)
            .is_some_and(|next| next.is(Class::AUX) || (is_verb(items, source.end) && !next.is(Class::ING)));
        let named = !items[source.start].is(Class::TIME) && !clause;
        return named.then(|| Tag {
            cue: verb..verb + 1,
            end: source.end,
            source,
            addressee: None,
            object: Object::None,
        });
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
        comma = (comma..items.len())
            .find(|&at| items[at].is_sign(",") || items[at].is_sign(")") || items[at].marked.is_some())?;
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
            && !item
                .says_any(&["when", "as", "while", "after", "before", "because", "if", "though", "although"])
    });
    // "continues to battle", not "said to her".
    let does = behind.is_some_and(|item| item.says("to"))
        && items.get(end + 1).is_some_and(|item| {
            item.is_word()
                && !item.is_capital()
                && !item.is(Class::DETERMINER | Class::PRONOUN | Class::PEOPLE | Class::ADVERB)
        });
    let object = if behind.is_some_and(|item| item.marked.is_some()) {
        Object::Marked
    } else if (goes_on && addressee.is_none())
        || (does && addressee.is_none())
        || behind.is_some_and(|item| item.says("that"))
    {
        Object::Clause
    } else {
        Object::None
    };
    Some(Tag { cue: verb..verb + 1, source, addressee, object, end })
}

/// The verb of saying whose group begins at `at`.
pub(super) fn verb_behind(items: &[Item<'_>], at: usize) -> Option<usize> {
    let mut verb = at;
    while items.get(verb).is_some_and(|item| {
        item.is_word() && item.is(Class::AUX | Class::ADVERB | Class::TIME) || item.says("to")
    }) {
        verb += 1;
    }
    let item = items.get(verb)?;
    // "went on", not "went home".
    let half = item.says_any(&["went", "goes", "put", "puts", "shot"]) && !is_verb(items, verb);
    let finite = verb > at || !item.is(Class::ING);
    (item.is(Class::CUE) && !half && finite && !item.is_capital()).then_some(verb)
}

/// Who was told, behind a verb of telling, and where the phrase ends.
pub(super) fn told(items: &[Item<'_>], verb: usize) -> (Option<Phrase>, usize) {
    if !items[verb].is(Class::TELL) {
        return (None, verb + 1);
    }
    let phrase = phrase_at(items, verb + 1).filter(|phrase| !items[phrase.start].says("that"));
    let end = phrase.as_ref().map_or(verb + 1, |phrase| phrase.end);
    (phrase, end)
}

/// A form in -s, which a plural has too.
fn is_third(item: &Item<'_>) -> bool {
    item.is(Class::NOUN) && item.word.text.ends_with('s') && !item.is_capital()
}

fn is_finite(item: &Item<'_>) -> bool {
    !item.is(Class::ING)
        && (is_past(item) || item.word.text.ends_with('s') || item.says("say") || item.says("write"))
}

/// Whether marked words end so that a verb of saying must follow.
pub(super) fn ends_open(item: &Item<'_>) -> bool {
    let words = item.word.text.trim_end_matches(['"', '”', '\'', '’', '»']).trim_end();
    words.ends_with([',', '?', '!', '—', '–', '-', '…'])
}

/// Whether a sentence, or the clause with the tag, is over at `at`: what follows is an occasion at most.
fn ends_at(items: &[Item<'_>], at: usize) -> bool {
    items.get(at).is_none_or(|item| {
        item.is_sign(".")
            || item.is_sign(",")
            || item.is_sign(";")
            || item.is(Class::PREPOSITION | Class::TIME | Class::ADVERB)
    })
}
