//! Phrases counted from another day: "yesterday", "two weeks ago", "the next day".

use jiff::Span;
use jiff::civil::Date;

use super::calendar::calendar;
use super::length::count;
use super::lexicon::Lex;
use super::phrase::Phrase;
use super::piece::{Length, Part, Piece, Unit};
use super::verb::Verb;
use super::word::{Gap, Word, before, gap, lex, verb};
use super::{Anchor, Hour, Meaning, Name, Which};

/// A year without a leap day.
const COMMON_YEAR: i16 = 2001;
/// In days.
const HALF_A_QUARTER: i32 = 45;

/// A phrase that is counted from the day of publication or from the last day told of.
pub(super) fn away(words: &[Word], at: usize) -> Option<Phrase> {
    named_day(words, at)
        .or_else(|| unit_away(words, at))
        .or_else(|| year_earlier(words, at))
        .or_else(|| counted(words, at))
}

/// "today", "yesterday morning", "tonight", "overnight".
fn named_day(words: &[Word], at: usize) -> Option<Phrase> {
    let day = |by| Phrase::away(at + 1, Unit::Day, by, Anchor::Publication);
    let night = Some(Hour::Part(Part::Night));
    let mut phrase = match lex(words, at) {
        Lex::Today => day(0),
        Lex::Yesterday => day(-1),
        Lex::Tomorrow => day(1),
        Lex::Tonight => Phrase { hour: night, ..day(0) },
        Lex::Overnight => Phrase { hour: night, ..day(-1) },
        _ => return None,
    };
    if let Lex::Part(part) = lex(words, phrase.end) {
        phrase = Phrase { end: phrase.end + 1, hour: Some(Hour::Part(part)), ..phrase };
    }
    Some(phrase)
}

/// "last month", "this week", "last night", "the following day", "that evening", "the weekend", "the quarter".
fn unit_away(words: &[Word], at: usize) -> Option<Phrase> {
    let Some((by, anchor, unit_at)) = relation(words, at) else {
        let fiscal = usize::from(lex(words, at + 1) == Lex::Fiscal);
        return (lex(words, at) == Lex::The).then(|| bare_unit(words, at + 1 + fiscal)).flatten();
    };
    let unit_at = unit_at + usize::from(lex(words, unit_at) == Lex::Fiscal);
    match lex(words, unit_at) {
        Lex::Unit(Unit::Weekend) => {
            let which = match by {
                -1 => Which::Last,
                1 => Which::Next,
                _ if anchor == Anchor::Narrative => Which::That,
                _ => Which::This,
            };
            Some(Phrase::new(unit_at + 1, Meaning::Named(Name::Weekend, which)))
        }
        Lex::Unit(Unit::Hour | Unit::Minute | Unit::Second) => None,
        Lex::Unit(unit) => Some(Phrase::away(unit_at + 1, unit, by, anchor)),
        Lex::Part(part) => {
            Some(Phrase { hour: Some(Hour::Part(part)), ..Phrase::away(unit_at + 1, Unit::Day, by, anchor) })
        }
        _ => None,
    }
}

/// How many pieces away the words before a unit say it is, what from, and where the unit stands.
fn relation(words: &[Word], at: usize) -> Option<(i32, Anchor, usize)> {
    let the = usize::from(lex(words, at) == Lex::The);
    let from = at + the;
    Some(match (lex(words, from), lex(words, from + 1)) {
        (Lex::This, Lex::Past) => (-1, Anchor::Publication, from + 2),
        (Lex::This, Lex::Coming) => (1, Anchor::Publication, from + 2),
        (Lex::That, Lex::Same) => (0, Anchor::Narrative, from + 2),
        // "The last day of September".
        (Lex::Last | Lex::Next, Lex::Unit(_))
            if (the == 1 || before(words, at) == Lex::The) && lex(words, from + 2) == Lex::Of =>
        {
            return None;
        }
        (Lex::Last | Lex::Latest, _) => (-1, Anchor::Publication, from + 1),
        (Lex::Next, _) if the == 0 => (1, Anchor::Publication, from + 1),
        (Lex::Next | Lex::Following, _) => (1, Anchor::Narrative, from + 1),
        (Lex::Coming, _) => (1, Anchor::Publication, from + 1),
        (Lex::Previous, _) => (-1, Anchor::Narrative, from + 1),
        (Lex::This | Lex::Current, _) => (0, Anchor::Publication, from + 1),
        (Lex::That, _) if the == 0 => (0, Anchor::Narrative, from + 1),
        // "The same day as the fire" hangs on the fire.
        (Lex::Same, _) if verb(words, from + 2) == Verb::Clause => return None,
        (Lex::Same, _) => (0, Anchor::Narrative, from + 1),
        _ => return None,
    })
}

/// A unit behind a mere article: "the weekend", "the quarter", "the day before", "later in the day", "in the morning".
fn bare_unit(words: &[Word], unit_at: usize) -> Option<Phrase> {
    let end = unit_at + 1;
    if gap(words, end) == Gap::Hyphen {
        return None;
    }
    let before_the = unit_at.checked_sub(2).map_or(Lex::Other, |at| words[at].lex);
    let part = |part, day| Phrase { hour: Some(Hour::Part(part)), ..day };
    let told_day = Phrase::away(end, Unit::Day, 0, Anchor::Narrative);
    match lex(words, unit_at) {
        Lex::Unit(Unit::Weekend) => Some(Phrase::new(end, Meaning::Named(Name::Weekend, Which::Bare))),
        Lex::Unit(Unit::Quarter) => {
            let ended = (verb(words, end) == Verb::Ended).then(|| quarter_to(words, end + 1)).flatten();
            let told = Meaning::Away { unit: Unit::Quarter, by: 0, from: Anchor::Narrative };
            Some(Phrase::new(end, ended.unwrap_or(told)))
        }
        // "The year ended March 31" is one of twelve months, and none of the calendar.
        Lex::Unit(unit @ Unit::Year) if verb(words, end).tells() => {
            Some(Phrase::new(end, Meaning::Length(Length { count: Some(1), half: false, unit })))
        }
        Lex::Unit(Unit::Day)
            if before_the == Lex::In && unit_at > 2 && is_comparing(words[unit_at - 3].lex) =>
        {
            Some(told_day)
        }
        Lex::Unit(unit @ (Unit::Week | Unit::Month | Unit::Year))
            if !matches!(lex(words, end), Lex::Before | Lex::After) =>
        {
            (lex(words, end) != Lex::Of).then(|| Phrase::away(end, unit, 0, Anchor::Publication))
        }
        // "The week before last".
        Lex::Unit(unit) if lex(words, end) == Lex::Before && is_last(words, end + 1) => {
            Some(Phrase::away(end + 2, unit, -2, Anchor::Publication))
        }
        Lex::Part(part_of) if lex(words, end) == Lex::Before && is_last(words, end + 1) => {
            Some(part(part_of, Phrase::away(end + 2, Unit::Day, -2, Anchor::Publication)))
        }
        Lex::Unit(_) => day_before(words, unit_at),
        Lex::Part(of_day) if before_the == Lex::In => Some(part(of_day, told_day)),
        Lex::Part(of_day) => day_before(words, unit_at).map(|day| part(of_day, day)),
        _ => None,
    }
}

/// Whether "last" stands alone: "the week before last", but not "the week before last month's vote".
fn is_last(words: &[Word], at: usize) -> bool {
    lex(words, at) == Lex::Last
        && (gap(words, at + 1) != Gap::Blank
            || verb(words, at + 1) != Verb::None
            || matches!(lex(words, at + 1), Lex::The | Lex::In | Lex::At | Lex::On | Lex::And))
}

/// The quarter that ended on the day that begins at this word, by the calendar: the one that its middle lies in.
fn quarter_to(words: &[Word], at: usize) -> Option<Meaning> {
    let middle = |day: Date| day.checked_sub(Span::new().try_days(HALF_A_QUARTER).ok()?).ok();
    match calendar(words, at)?.meaning {
        Meaning::Named(Name::Day(month, day), Which::Last) => {
            let Some(Piece::Quarter(_, quarter)) =
                Piece::around(Unit::Quarter, middle(Date::new(COMMON_YEAR, month, day).ok()?)?)
            else {
                return None;
            };
            Some(Meaning::Named(Name::Quarter(quarter), Which::Last))
        }
        Meaning::Stated(Piece::Day(day)) => Piece::around(Unit::Quarter, middle(day)?).map(Meaning::Stated),
        _ => None,
    }
}

fn is_comparing(lex: Lex) -> bool {
    matches!(lex, Lex::Earlier | Lex::Later | Lex::Early | Lex::Late)
}

/// "the day before", "the night after" where nothing follows that it could be before or after of.
fn day_before(words: &[Word], day: usize) -> Option<Phrase> {
    let unit = match lex(words, day) {
        Lex::Unit(unit) => unit,
        _ => Unit::Day,
    };
    let by = match lex(words, day + 1) {
        Lex::Before => -1,
        Lex::After => 1,
        _ => return None,
    };
    match unit {
        Unit::Second | Unit::Minute | Unit::Hour => None,
        Unit::Day if let beside @ Some(_) = beside(words, day + 2, by) => beside,
        _ => (!event_follows(words, day + 1)).then(|| Phrase::away(day + 2, unit, by, Anchor::Narrative)),
    }
}

/// The day before or after another that begins at this word: "the day before yesterday", "the night after last Tuesday's vote".
fn beside(words: &[Word], at: usize, by: i32) -> Option<Phrase> {
    let day = calendar(words, at).or_else(|| named_day(words, at)).filter(|day| day.hour.is_none())?;
    let moved = |of: Date| of.checked_add(Span::new().try_days(by).ok()?).ok();
    let meaning = match day.meaning {
        Meaning::Stated(Piece::Day(of)) => Meaning::Stated(Piece::Day(moved(of)?)),
        // In a year of its own, for the day after 28 February is not the same in all.
        Meaning::Named(Name::Day(month, of), which) if month != 2 && (month, of) != (3, 1) => {
            let next = moved(Date::new(COMMON_YEAR, month, of).ok()?)?;
            (next.year() == COMMON_YEAR).then_some(())?;
            Meaning::Named(Name::Day(next.month(), next.day()), which)
        }
        Meaning::Named(Name::Weekday(of), which) => Meaning::Named(Name::Weekday(of.wrapping_add(by)), which),
        Meaning::Away { unit: Unit::Day, by: away, from } => {
            Meaning::Away { unit: Unit::Day, by: away.checked_add(by)?, from }
        }
        _ => return None,
    };
    Some(Phrase { meaning, ..day })
}

/// Whether "before" or "after" at this word goes on to say before or after what.
fn event_follows(words: &[Word], at: usize) -> bool {
    matches!(lex(words, at), Lex::Before | Lex::After)
        && matches!(gap(words, at + 1), Gap::Blank | Gap::Amount)
        && words.get(at + 1).is_some_and(|word| !matches!(word.verb, Verb::Clause))
        && !matches!(lex(words, at + 1), Lex::And | Lex::In | Lex::At | Lex::On | Lex::To)
}

/// "the year-earlier quarter", "year-ago", "the comparable year-earlier period".
fn year_earlier(words: &[Word], at: usize) -> Option<Phrase> {
    let from = at + usize::from(lex(words, at) == Lex::The);
    let (Lex::Unit(Unit::Year), Lex::Earlier | Lex::Ago) = (lex(words, from), lex(words, from + 1)) else {
        return None;
    };
    if gap(words, from + 1) != Gap::Hyphen {
        return None;
    }
    Some(match (lex(words, from + 2), lex(words, from + 3)) {
        (Lex::Number(_), Lex::Units(_)) => return None,
        (Lex::Unit(_) | Lex::Period, _) => Phrase::new(from + 3, Meaning::YearEarlier(Anchor::Narrative)),
        (Lex::Ordinal(_) | Lex::First, Lex::Unit(Unit::Quarter)) => {
            Phrase::new(from + 4, Meaning::YearEarlier(Anchor::Narrative))
        }
        _ => Phrase::new(from + 2, Meaning::YearEarlier(Anchor::Narrative)),
    })
}

/// "two weeks ago", "three days later", "a year earlier", "a week from now".
fn counted(words: &[Word], at: usize) -> Option<Phrase> {
    if let (Lex::Units(unit), Lex::Ago) = (lex(words, at), lex(words, at + 1)) {
        return Some(Phrase::new(at + 2, Meaning::Length(Length { count: None, half: false, unit })));
    }
    let (end, length) = count(words, at)?;
    let (sign, end, anchor) = match (lex(words, end), lex(words, end + 1)) {
        (Lex::Ago, _) => (-1, end + 1, Anchor::Publication),
        (Lex::Or, Lex::Other) if lex(words, end + 2) == Lex::Ago => (-1, end + 3, Anchor::Publication),
        (Lex::Earlier, _) => (-1, end + 1, Anchor::Narrative),
        (Lex::Later, _) => (1, end + 1, Anchor::Narrative),
        (Lex::Before, _) if !event_follows(words, end) => (-1, end + 1, Anchor::Narrative),
        (Lex::After, _) if !event_follows(words, end) => (1, end + 1, Anchor::Narrative),
        (Lex::From, Lex::Now | Lex::Today) => (1, end + 2, Anchor::Publication),
        _ => return None,
    };
    let Some(number) = length.count.filter(|_| length.unit >= Unit::Day || anchor == Anchor::Publication)
    else {
        // "Several weeks ago" and "an hour later" lead to no day.
        return Some(Phrase::new(end, Meaning::Length(length)));
    };
    if length.unit == Unit::Year && number == 1 && sign == -1 && !length.half {
        return Some(Phrase::new(end, Meaning::YearEarlier(anchor)));
    }
    let by = sign * i32::try_from(number).ok()?;
    Some(match length.unit {
        // "A decade ago" is told of a year.
        Unit::Decade => Phrase::away(end, Unit::Year, by.checked_mul(10)?, anchor),
        unit => Phrase::away(end, unit, by, anchor),
    })
}

#[cfg(test)]
mod tests {
    use crate::date::tests::check;

    #[test]
    fn what_hangs_on_the_publication() {
        check(&[
            ("The mill burned yesterday morning.", &["yesterday morning = 2024-10-15TMO"]),
            ("The mill burned last night.", &["last night = 2024-10-15TNI"]),
            ("The mill reopens tonight.", &["tonight = 2024-10-16TNI"]),
            ("The mill burned the day before yesterday.", &["the day before yesterday = 2024-10-14"]),
            ("It burned the day before last Tuesday's vote.", &["the day before last Tuesday = 2024-10-14"]),
            ("It burned the night before Sept. 1.", &["the night before Sept. 1 = 2024-08-31TNI"]),
            ("It burned the day after June 2, 2019.", &["the day after June 2, 2019 = 2019-06-03"]),
            ("The mill burned last month.", &["last month = 2024-09"]),
            ("The mill burned earlier this week.", &["earlier this week = 2024-W42"]),
            ("The mill burned over the weekend.", &["the weekend = 2024-W41-WE"]),
            ("The mill will reopen at the weekend.", &["the weekend = 2024-W42-WE"]),
            ("The mill burned six weeks ago.", &["six weeks ago = 2024-W36"]),
            ("The mill burned the week before last.", &["the week before last = 2024-W40"]),
            ("The mill burned the night before last.", &["the night before last = 2024-10-14TNI"]),
            ("It burned on the last day of September.", &["September = 2024-09"]),
            ("The mill burned a year ago.", &["a year ago = 2023"]),
            ("The mill burned four decades ago.", &["four decades ago = 1984"]),
            ("The mill will reopen two months from now.", &["two months from now = 2024-12"]),
        ]);
    }

    #[test]
    fn what_hangs_on_the_last_day_told_of() {
        check(&[
            (
                "The mill burned on Oct. 3. The following day it rained.",
                &["Oct. 3 = 2024-10-03", "The following day = 2024-10-04"],
            ),
            (
                "The mill burned on Oct. 3. Two days later it rained.",
                &["Oct. 3 = 2024-10-03", "Two days later = 2024-10-05"],
            ),
            (
                "The mill burned on Oct. 3. It had rained the day before.",
                &["Oct. 3 = 2024-10-03", "the day before = 2024-10-02"],
            ),
            (
                "The mill burned on Oct. 3. That night it rained.",
                &["Oct. 3 = 2024-10-03", "That night = 2024-10-03TNI"],
            ),
            (
                "The mill burned on Oct. 3. It rained earlier that week.",
                &["Oct. 3 = 2024-10-03", "earlier that week = 2024-W40"],
            ),
            (
                "The mill burned on Oct. 3. The previous Friday it rained.",
                &["Oct. 3 = 2024-10-03", "The previous Friday = 2024-09-27"],
            ),
            (
                "The mill burned in 1998. A year earlier it was sold.",
                &["1998 = 1998", "A year earlier = 1997"],
            ),
        ]);
    }

    #[test]
    fn the_day_of_saying_and_a_plan_are_not_where_the_story_goes_on() {
        check(&[
            (
                "The mill burned on Oct. 3, she said on Monday. Two days later it rained.",
                &["Oct. 3 = 2024-10-03", "Monday = 2024-10-14", "Two days later = 2024-10-05"],
            ),
            (
                "The mill burned on Oct. 3. It will reopen on Dec. 1. The next day the owner had left.",
                &["Oct. 3 = 2024-10-03", "Dec. 1 = 2024-12-01", "The next day = 2024-10-04"],
            ),
            (
                "The mill burned on Oct. 3. It will reopen today. Later in the day the owner spoke.",
                &["Oct. 3 = 2024-10-03", "today = 2024-10-16", "the day = 2024-10-16"],
            ),
        ]);
    }

    #[test]
    fn what_hangs_on_a_day_nobody_told_of_stays_open() {
        check(&[
            (
                "The mill burned in mid-May. Two days later it rained.",
                &["mid-May = 2024-05", "Two days later = ?"],
            ),
            ("The mill burned on the same day as the barn.", &[]),
        ]);
    }

    #[test]
    fn a_day_before_something_is_no_date() {
        check(&[("She left the day before the fire.", &[]), ("She left the week after he came.", &[])]);
    }

    #[test]
    fn figures_are_compared_with_those_of_a_year_before() {
        check(&[
            (
                "Sales rose in the third quarter. They had been low in the year-earlier period.",
                &["the third quarter = 2024-Q3", "the year-earlier period = 2023-Q3"],
            ),
            (
                "Sales rose in the third quarter from a year ago.",
                &["the third quarter = 2024-Q3", "a year ago = 2023-Q3"],
            ),
            (
                "Sales for the quarter ended Jan. 31 rose from a year earlier.",
                &["the quarter = 2023-Q4", "Jan. 31 = 2024-01-31", "a year earlier = 2022-Q4"],
            ),
            (
                "Sales for the quarter ended Sept. 30, 2019, rose.",
                &["the quarter = 2019-Q3", "Sept. 30, 2019 = 2019-09-30"],
            ),
            ("Sales will fall in the fiscal year.", &["the fiscal year = 2024"]),
        ]);
    }
}
