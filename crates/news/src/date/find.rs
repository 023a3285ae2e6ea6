//! A sentence's words -> its time expressions.
//!
//! At each word every kind of phrase is tried, and the longest is taken; what stands before it ("early", "about", "the end of") is added.

use super::calendar::calendar;
use super::clause;
use super::length::length;
use super::lexicon::Lex;
use super::phrase::{Phrase, is_day};
use super::piece::{Every, Length, Unit};
use super::relative::away;
use super::resolve::plain;
use super::verb::Verb;
use super::word::{Gap, Word, before, before_verb, gap, lex, verb};
use super::{Anchor, Direction, Hedge, Hour, Meaning, Reference, Time, Which};

/// Adds the time expressions of one sentence.
pub(super) fn times(words: &[Word], found: &mut Vec<Time>) {
    let mut at = 0;
    while at < words.len() {
        if words[at].lex == Lex::Other {
            at += 1;
            continue;
        }
        let Some(phrase) = phrase(words, at) else {
            at += 1;
            continue;
        };
        let (said, saying) = clause::direction(words, at, phrase.end);
        found.push(Time {
            span: words[at].at..words[phrase.end - 1].end,
            meaning: phrase.meaning,
            hour: phrase.hour,
            hedge: phrase.hedge,
            direction: inherent(&phrase, said).or(said),
            saying,
            value: plain(phrase.meaning, phrase.hour),
        });
        at = phrase.end;
    }
}

/// What the words themselves say of past and future, whatever the clause: "ago", "tomorrow".
fn inherent(phrase: &Phrase, said: Option<Direction>) -> Option<Direction> {
    let ahead = if said == Some(Direction::Uncertain) { Direction::Uncertain } else { Direction::Planned };
    match phrase.meaning {
        Meaning::Away { by, from: Anchor::Publication, .. } if by < 0 => Some(Direction::Past),
        Meaning::Away { by, from: Anchor::Publication, .. } if by > 0 => Some(ahead),
        Meaning::Named(_, Which::Last) | Meaning::YearEarlier(_) => Some(Direction::Past),
        Meaning::Named(_, Which::Next) => Some(ahead),
        Meaning::Named(_, Which::Week(by)) if by < 0 => Some(Direction::Past),
        Meaning::Named(_, Which::Week(by)) if by > 0 => Some(ahead),
        _ => None,
    }
}

/// The longest phrase that begins at a word.
fn phrase(words: &[Word], at: usize) -> Option<Phrase> {
    let (hedged, sharp) = (hedged(words, at), sharp(words, at));
    if hedged.map(|phrase| phrase.end) >= sharp.map(|phrase| phrase.end) { hedged } else { sharp }
}

/// The longest phrase without a hedge.
fn sharp(words: &[Word], at: usize) -> Option<Phrase> {
    let kinds = [calendar, away, reference, length, clock, every];
    // The first of equally long ones: the kinds are in the order of trust.
    kinds.iter().filter_map(|kind| kind(words, at)).rev().max_by_key(|phrase| phrase.end)
}

/// "early next week", "mid-October", "the end of the year", "about two weeks ago".
fn hedged(words: &[Word], at: usize) -> Option<Phrase> {
    let the = usize::from(lex(words, at) == Lex::The);
    let first = at + the;
    let (hedge, from, dates) = match lex(words, first) {
        Lex::Early | Lex::Earlier => (Hedge::Early, first + 1, true),
        Lex::Late | Lex::Later => (Hedge::Late, first + 1, true),
        Lex::Mid => (Hedge::Mid, first + 1, true),
        Lex::Begin if lex(words, first + 1) == Lex::Of => (Hedge::Early, first + 2, true),
        Lex::Middle if lex(words, first + 1) == Lex::Of => (Hedge::Mid, first + 2, true),
        Lex::End if lex(words, first + 1) == Lex::Of => (Hedge::Late, first + 2, true),
        Lex::About | Lex::Nearly if the == 0 => (Hedge::About, first + 1, false),
        Lex::Over if the == 0 => (Hedge::MoreThan, first + 1, false),
        Lex::More if lex(words, first + 1) == Lex::Than => (Hedge::MoreThan, first + 2, false),
        Lex::Less if lex(words, first + 1) == Lex::Than => (Hedge::LessThan, first + 2, false),
        Lex::At if lex(words, first + 1) == Lex::Least => (Hedge::MoreThan, first + 2, false),
        _ => return None,
    };
    if let (Hedge::Mid | Hedge::Early | Hedge::Late, Lex::Part(part), true) =
        (hedge, lex(words, from), from == first + 1)
    {
        let day = Phrase::away(from + 1, Unit::Day, 0, Anchor::Narrative);
        return Some(Phrase { hour: Some(Hour::Part(part)), hedge: Some(hedge), ..day });
    }
    let inner = sharp(words, from)?;
    let fits = if dates {
        inner.is_date() && (from == first + 2 || lex(words, from) != Lex::The)
    } else {
        matches!(inner.meaning, Meaning::Length(_))
            || inner.hour.is_some()
            || lex(words, inner.end - 1) == Lex::Ago
    };
    fits.then_some(Phrase { hedge: Some(hedge), ..inner })
}

/// "9:30 a.m. EST", "noon Saturday", "4 in the morning".
fn clock(words: &[Word], at: usize) -> Option<Phrase> {
    let (hour, minute, mut end) = match lex(words, at) {
        Lex::Clock(hour, minute) => (hour, minute, at + 1),
        Lex::Number(hour @ 1..=12) => (hour as i8, 0, at + 1),
        Lex::Noon(hour) => (hour, 0, at + 1),
        _ => return None,
    };
    let mut hour = hour;
    let morning = |part| matches!(part, Lex::Part(super::Part::Morning));
    match lex(words, end) {
        Lex::HalfDay(late) if hour <= 12 && gap(words, end) == Gap::Blank => {
            hour = hour % 12 + if late { 12 } else { 0 };
            end += 1;
        }
        Lex::In
            if lex(words, end + 1) == Lex::The
                && matches!(lex(words, end + 2), Lex::Part(_))
                && hour <= 12 =>
        {
            hour = hour % 12 + if morning(lex(words, end + 2)) { 0 } else { 12 };
            end += 3;
        }
        Lex::Zone => {}
        _ if matches!(lex(words, at), Lex::Noon(_)) => {}
        _ if matches!(lex(words, at), Lex::Clock(..))
            && matches!(before(words, at), Lex::At | Lex::By | Lex::About) => {}
        _ => return None,
    }
    if lex(words, end) == Lex::Zone {
        end += 1;
    }
    let on = end + usize::from(lex(words, end) == Lex::On);
    let hour = Some(Hour::Clock(hour, minute));
    let day =
        if gap(words, on) == Gap::Other { None } else { calendar(words, on).or_else(|| away(words, on)) };
    Some(match day.filter(|day| day.hour.is_none() && is_day(day.meaning)) {
        Some(day) => Phrase { hour, ..day },
        None => Phrase { hour, ..Phrase::away(end, Unit::Day, 0, Anchor::Narrative) },
    })
}

/// "every two weeks", "each Thursday", "daily", "Tuesday nights".
fn every(words: &[Word], at: usize) -> Option<Phrase> {
    let length = |count, unit| Every::Length(Length { count: Some(count), half: false, unit });
    let (end, every) = match (lex(words, at), lex(words, at + 1), lex(words, at + 2)) {
        (Lex::Each, Lex::Weekday(day), Lex::Part(part)) => (at + 3, Every::Weekday(day, Some(part))),
        (Lex::Each, Lex::Weekday(day), _) => (at + 2, Every::Weekday(day, None)),
        (Lex::Each, Lex::Part(_), _) => (at + 2, length(1, Unit::Day)),
        (Lex::Each, Lex::Unit(unit), _) => (at + 2, length(1, unit)),
        (Lex::Each, Lex::Number(count), Lex::Units(unit)) => (at + 3, length(count, unit)),
        (Lex::Weekdays(day), Lex::Parts(part), _) | (Lex::Weekday(day), Lex::Parts(part), _) => {
            (at + 2, Every::Weekday(day, Some(part)))
        }
        (Lex::Weekdays(day), ..) => (at + 1, Every::Weekday(day, None)),
        (Lex::Often(unit), ..) => (at + 1, length(1, unit)),
        _ => return None,
    };
    Some(Phrase::new(end, Meaning::Every(every)))
}

/// "now", "recently", "in the past", "the near future", "coming months".
fn reference(words: &[Word], at: usize) -> Option<Phrase> {
    let past = |end| Some(Phrase::new(end, Meaning::Reference(Reference::Past)));
    let present = |end| Some(Phrase::new(end, Meaning::Reference(Reference::Present)));
    let future = |end| Some(Phrase::new(end, Meaning::Reference(Reference::Future)));
    let the = usize::from(lex(words, at) == Lex::The);
    let next = at + the;
    match (lex(words, next), lex(words, next + 1)) {
        (Lex::Now, _) if the == 0 => present(next + 1),
        (Lex::These, Lex::Units(Unit::Day)) => present(next + 2),
        (Lex::Current, Lex::Unit(_)) => None,
        (Lex::Current, _) if the == 0 => present(next + 1),
        (Lex::Recently, _) => past(next + 1),
        (Lex::Recent, Lex::Units(_)) => past(next + 2),
        // "As soon as", "soon after" and "was soon released" hang on something else.
        (Lex::Soon, Lex::After) => None,
        (Lex::Soon, _)
            if before_verb(words, at) != Verb::Clause
                && !matches!(verb(words, next + 1), Verb::Past | Verb::Ended) =>
        {
            future(next + 1)
        }
        (Lex::Near, Lex::Future | Lex::Term) if gap(words, next + 1) == Gap::Blank => future(next + 2),
        (Lex::Future, Lex::Units(_)) => future(next + 2),
        // "Future earnings" are no time.
        (Lex::Future, Lex::Of) => None,
        (Lex::Future, _) if the == 1 || before(words, at) == Lex::In => future(next + 1),
        (Lex::Coming, Lex::Units(_)) => future(next + 2),
        (Lex::Past | Lex::Last, Lex::Few | Lex::Several) => match lex(words, next + 2) {
            Lex::Units(_) => past(next + 3),
            _ => None,
        },
        (Lex::Past, _) if the == 1 && before(words, at) == Lex::In => past(next + 1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::date::tests::check;

    #[test]
    fn references_to_past_present_and_future() {
        check(&[
            ("The mill is now closed.", &["now = PRESENT_REF"]),
            ("The mill was recently closed.", &["recently = PAST_REF"]),
            ("The mill lost money in recent years.", &["recent years = PAST_REF"]),
            ("The mill will soon open.", &["soon = FUTURE_REF"]),
            ("Nobody knows the future.", &["the future = FUTURE_REF"]),
            ("It was like that in the past.", &["the past = PAST_REF"]),
            ("He left as soon as he could, for future earnings.", &[]),
        ]);
    }

    #[test]
    fn what_comes_again() {
        check(&[
            ("It opens every two weeks.", &["every two weeks = P2W"]),
            ("It opens each Thursday.", &["each Thursday = XXXX-WXX-4"]),
            ("It opens on Tuesday nights.", &["Tuesday nights = XXXX-WXX-2TNI"]),
            ("It opens daily.", &["daily = P1D"]),
        ]);
    }

    #[test]
    fn times_on_the_clock() {
        check(&[
            ("It left at 4 in the morning on Monday.", &["4 in the morning on Monday = 2024-10-14T04:00"]),
            ("It left at noon Monday.", &["noon Monday = 2024-10-14T12:00"]),
            ("It left at 12:15 a.m. on Monday.", &["12:15 a.m. on Monday = 2024-10-14T00:15"]),
            ("They won 12:15 in the end.", &[]),
        ]);
    }

    #[test]
    fn the_longest_phrase_is_taken() {
        check(&[
            ("It will close at the end of next week.", &["the end of next week = 2024-W43"]),
            ("It closed in the late 1990s.", &["the late 1990s = 199"]),
        ]);
    }
}
