//! What marked words are if nobody says them: labels, titles, words of an interface.

use super::Kind;
use super::line::{Item, ends_sentence};

/// Works that are named in marks.
const WORKS: &[&str] = &[
    "album",
    "ballad",
    "book",
    "documentary",
    "drama",
    "essay",
    "film",
    "magazine",
    "memoir",
    "movie",
    "musical",
    "novel",
    "opera",
    "painting",
    "play",
    "podcast",
    "program",
    "programme",
    "sculpture",
    "series",
    "show",
    "single",
    "sitcom",
    "song",
];
/// What one does with a button, and what stands behind its name.
const PRESSES: &[&str] = &[
    "click",
    "clicking",
    "clicks",
    "hit",
    "press",
    "pressing",
    "select",
    "selecting",
    "tap",
    "tapping",
    "type",
    "typing",
];
const CONTROLS: &[&str] = &["button", "buttons", "checkbox", "icon", "key", "link", "menu", "tab"];
/// Words that a title writes small.
const SMALL: &[&str] =
    &["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to", "with"];
/// Longer ones are sentences in capitals.
const LONGEST_TITLE: usize = 9;
/// Fewer words are no utterance unless somebody says them.
const SHORTEST_SPEECH: usize = 6;

/// The kind of marked words whose surroundings say that they are no speech: looked at before anything is attributed.
pub(super) fn of_named(items: &[Item<'_>], at: usize, words: &str) -> Option<Kind> {
    let before = items[..at].last();
    let after = items.get(at + 1);
    let is = |item: Option<&Item<'_>>, list: &[&str]| {
        item.is_some_and(|item| list.iter().any(|word| item.says(word)))
    };
    // "click on “Sign in”"
    let second = at.checked_sub(2).map(|at| &items[at]);
    if is(before, PRESSES) || (is(before, &["on", "the"]) && is(second, PRESSES)) || is(after, CONTROLS) {
        return Some(Kind::Interface);
    }
    let placed = before.is_some_and(|before| before.word.is_possessive())
        || is(before, &["on", "in", "at", "from", "with", "told"])
        || is(before, WORKS);
    (placed && is_title(words)).then_some(Kind::Title)
}

/// The kind of marked words that no attribution holds.
pub(super) fn of_loose(items: &[Item<'_>], at: usize, words: &str) -> Kind {
    let count = words.split_whitespace().count();
    let alone = items.iter().all(|item| !item.is_word());
    if alone && (count >= SHORTEST_SPEECH || ends_sentence(words)) {
        return Kind::Speech;
    }
    let named = at.checked_sub(1).is_some_and(|at| {
        ["called", "titled", "entitled", "named", "dubbed"]
            .iter()
            .chain(WORKS)
            .any(|word| items[at].says(word))
    });
    if is_title(words) && (count > 1 || named) {
        Kind::Title
    } else if count >= SHORTEST_SPEECH
        && words.starts_with(char::is_uppercase)
        && (ends_sentence(words) || words.ends_with(','))
    {
        Kind::Speech
    } else {
        Kind::Label
    }
}

/// Whether all words but small ones begin with a capital, and nothing but a stop or a comma ends them.
fn is_title(words: &str) -> bool {
    let words = words.trim_end_matches([',', '.', ' ']);
    let capital = |word: &str| !word.starts_with(char::is_lowercase) || SMALL.contains(&word);
    words.starts_with(|c: char| c.is_uppercase() || c.is_numeric())
        && words.split_whitespace().all(capital)
        && words.split_whitespace().count() <= LONGEST_TITLE
}

#[cfg(test)]
mod tests {
    use proto::story::Block;

    use super::*;
    use crate::cut::Cut;
    use crate::quote::line::Line;

    fn named(text: &str) -> Option<Kind> {
        let blocks = [Block::Paragraph(text.to_owned())];
        let line = Line::of(&Cut::of(&blocks).lines[0], false);
        line.asides.first().map(|aside| aside.kind)
    }

    fn loose(text: &str) -> Kind {
        let blocks = [Block::Paragraph(text.to_owned())];
        let line = Line::of(&Cut::of(&blocks).lines[0], false);
        let at = line.items.iter().position(|item| item.marked.is_some()).expect("marked words");
        let words = line.items[at]
            .marked
            .map(|place| &line.text[line.marked[place].inner.clone()])
            .expect("marked words");
        of_loose(&line.items, at, words)
    }

    #[test]
    fn titles_and_buttons_are_no_speech() {
        assert_eq!(named("He sang on “Good Evening, Orford” last week."), Some(Kind::Title));
        assert_eq!(named("Vane’s “The Long Quay” sold well."), Some(Kind::Title));
        assert_eq!(named("Tap “Sign in” to go on."), Some(Kind::Interface));
        assert_eq!(named("Then the “Next” button went dark."), Some(Kind::Interface));
        assert_eq!(named("He spoke of “a long quay” last week."), None);
    }

    #[test]
    fn what_is_left_is_told_apart() {
        assert_eq!(loose("The so-called “experts” left."), Kind::Label);
        assert_eq!(loose("A group called “Friends of the Quay” met."), Kind::Title);
        assert_eq!(loose("“No.”"), Kind::Speech);
        assert_eq!(loose("Then came “We will not wait for another winter,” and silence."), Kind::Speech);
    }
}
