//! Phrases with a name in them: months, days, weekdays, seasons, feasts.

use jiff::civil::{Date, Weekday};

use super::lexicon::Lex;
use super::phrase::{Phrase, is_day};
use super::piece::{Piece, Season, Unit};
use super::verb::Verb;
use super::word::{Gap, Word, before, before_verb, gap, lex};
use super::year::{a_year, in_year, quarter, year_end};
use super::{Holiday, Hour, Meaning, Name, Which};

/// A phrase with a name, with the part of the day behind it.
pub(super) fn calendar(words: &[Word], at: usize) -> Option<Phrase> {
    let mut phrase = named(words, at)
        .or_else(|| quarter(words, at))
        .or_else(|| a_year(words, at))
        .or_else(|| night_of(words, at))
        .or_else(|| year_end(words, at))?;
    if phrase.hour.is_none() && is_day(phrase.meaning) {
        let late = usize::from(matches!(lex(words, phrase.end), Lex::Early | Lex::Late));
        let hour = match lex(words, phrase.end + late) {
            Lex::Part(part) => Some(Hour::Part(part)),
            Lex::Noon(hour) if late == 0 => Some(Hour::Clock(hour, 0)),
            _ => None,
        };
        if hour.is_some() {
            phrase = Phrase { hour, end: phrase.end + late + 1, ..phrase };
        }
    }
    Some(phrase)
}

/// "last Tuesday", "this coming Sunday, March 8", "next October", "the following Friday".
fn named(words: &[Word], at: usize) -> Option<Phrase> {
    let the = usize::from(lex(words, at) == Lex::The);
    let (which, from) = match (lex(words, at + the), lex(words, at + the + 1)) {
        (Lex::This, Lex::Past) => (Which::Last, at + the + 2),
        (Lex::This, Lex::Coming) => (Which::Next, at + the + 2),
        (Lex::Last | Lex::Past, _) => (Which::Last, at + the + 1),
        (Lex::Next | Lex::Coming, _) if the == 0 => (Which::Next, at + 1),
        (Lex::Next, _) => (Which::Following, at + 2),
        (Lex::This, _) => (Which::This, at + the + 1),
        (Lex::That, _) => (Which::That, at + the + 1),
        (Lex::Previous, _) => (Which::Preceding, at + the + 1),
        (Lex::Following, _) => (Which::Following, at + the + 1),
        _ => (Which::Bare, at + the),
    };
    // "May Day" is no month.
    let alone = the == 0 || matches!(lex(words, from), Lex::Number(_) | Lex::Ordinal(_));
    if which == Which::Bare
        && alone
        && holiday(words, from).is_none()
        && let Some(day) = day_of_month(words, from)
    {
        return Some(day);
    }
    let (name, end) = match lex(words, from) {
        Lex::Weekday(weekday) => {
            // "Monday, Oct. 14"
            let near = matches!(gap(words, from + 1), Gap::Blank | Gap::Comma | Gap::Stop);
            let day = day_of_month(words, from + 1).filter(|day| near && is_day(day.meaning));
            if day.is_some() {
                return day;
            }
            // "The first Tuesday in November", "a third Sunday in a row".
            if which == Which::Bare && matches!(before(words, at), Lex::First | Lex::Ordinal(_)) {
                return None;
            }
            if let Some((week, end)) = week_of(words, from + 1).filter(|_| which == Which::Bare) {
                return Some(Phrase::new(end, Meaning::Named(Name::Weekday(weekday), week)));
            }
            (Name::Weekday(weekday), from + 1)
        }
        Lex::Month(month) if which != Which::Bare && is_month(words, from) => {
            match day_number(words, from + 1).filter(|&(day, _)| is_day_of(month, day)) {
                Some((day, end)) => return Some(in_year(words, end, Name::Day(month, day), which)),
                None => (Name::Month(month), from + 1),
            }
        }
        Lex::Season(season) => return season_of(words, at, from, season, which),
        _ => {
            let (holiday, end) = holiday(words, from)?;
            return Some(in_year(words, end, Name::Holiday(holiday), which));
        }
    };
    // The article of "the Friday deadline" stays out of the phrase.
    (which != Which::Bare || the == 0).then(|| Phrase::new(end, Meaning::Named(name, which)))
}

/// The week behind a weekday, and its end: "Monday of last week", "Monday next week".
fn week_of(words: &[Word], at: usize) -> Option<(Which, usize)> {
    let from = at + usize::from(lex(words, at) == Lex::Of);
    let by = match lex(words, from) {
        Lex::Last => -1,
        Lex::This => 0,
        Lex::Next => 1,
        _ => return None,
    };
    let whole = gap(words, at) == Gap::Blank && lex(words, from + 1) == Lex::Unit(Unit::Week);
    (whole && lex(words, from + 2) != Lex::S).then_some((Which::Week(by), from + 2))
}

/// A feast and behind it: "Christmas Eve", "Labor Day", "New Year's Day".
fn holiday(words: &[Word], at: usize) -> Option<(Holiday, usize)> {
    Some(match (lex(words, at), lex(words, at + 1), lex(words, at + 2), lex(words, at + 3)) {
        (Lex::Holiday(Holiday::Christmas), Lex::Eve, ..) => (Holiday::ChristmasEve, at + 2),
        (Lex::Holiday(holiday) | Lex::DayOf(holiday), Lex::Unit(Unit::Day), ..) => (holiday, at + 2),
        (Lex::DayOf(holiday), Lex::S, Lex::Unit(Unit::Day), _) => (holiday, at + 3),
        (Lex::Holiday(holiday), ..) => (holiday, at + 1),
        (Lex::Month(5), Lex::Unit(Unit::Day), ..) => (Holiday::MayDay, at + 2),
        (Lex::Good, Lex::Weekday(Weekday::Friday), ..) => (Holiday::GoodFriday, at + 2),
        (Lex::New, Lex::Unit(Unit::Year), Lex::S, Lex::Unit(Unit::Day)) => (Holiday::NewYearsDay, at + 4),
        (Lex::New, Lex::Unit(Unit::Year), Lex::S, Lex::Eve) => (Holiday::NewYearsEve, at + 4),
        (Lex::New, Lex::Unit(Unit::Year), Lex::S, _) => (Holiday::NewYearsDay, at + 3),
        _ => return None,
    })
}

/// "Oct. 14, 2019", "14 October", "the 14th of October", "October 2019", "2019-10-14", "October last year".
fn day_of_month(words: &[Word], at: usize) -> Option<Phrase> {
    match lex(words, at) {
        Lex::Date(day) => Some(Phrase::new(at + 1, Meaning::Stated(Piece::Day(day)))),
        Lex::Month(month) if is_month(words, at) => {
            if let Some((day, end)) = day_number(words, at + 1) {
                let which = if ends_a_period(words, at) { Which::Last } else { Which::Bare };
                return is_day_of(month, day).then(|| in_year(words, end, Name::Day(month, day), which));
            }
            Some(in_year(words, at + 1, Name::Month(month), Which::Bare))
        }
        Lex::Number(day @ 1..=31) | Lex::Ordinal(day @ 1..=31) => {
            let of = at + 1 + usize::from(lex(words, at + 1) == Lex::Of);
            match lex(words, of) {
                Lex::Month(month) if gap(words, of) == Gap::Blank && is_day_of(month, day as i8) => {
                    Some(in_year(words, of + 1, Name::Day(month, day as i8), Which::Bare))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether a period of figures ended on the day at this word, and so is over: "the quarter ended Sept. 30".
fn ends_a_period(words: &[Word], at: usize) -> bool {
    before_verb(words, at) == Verb::Ended
        && at
            .checked_sub(2)
            .is_some_and(|at| matches!(words[at].lex, Lex::Unit(_) | Lex::Units(_) | Lex::Period))
}

/// "May" at a sentence's beginning is a verb, unless a number or a year follows.
fn is_month(words: &[Word], at: usize) -> bool {
    let word = &words[at];
    let short = word.end - word.at == 3;
    let number = matches!(lex(words, at + 1), Lex::Number(_) | Lex::Year(_) | Lex::Ordinal(_));
    // "Jan" and "Mar" are names of people too: a full stop or a number makes them months.
    if short && word.lex != Lex::Month(5) && !number && gap(words, at + 1) != Gap::Stop {
        return false;
    }
    // "The March of the Bakers".
    if (lex(words, at + 1), lex(words, at + 2)) == (Lex::Of, Lex::The) {
        return false;
    }
    !(at == 0 && short && word.lex == Lex::Month(5)) || number
}

fn day_number(words: &[Word], at: usize) -> Option<(i8, usize)> {
    if !matches!(gap(words, at), Gap::Blank | Gap::Stop) {
        return None;
    }
    // "March twenty-first"
    if let (Lex::Number(tens @ (20 | 30)), Gap::Hyphen) = (lex(words, at), gap(words, at + 1)) {
        match lex(words, at + 1) {
            Lex::First => return Some((tens as i8 + 1, at + 2)),
            Lex::Ordinal(ones @ 2..=9) => return Some(((tens + ones) as i8, at + 2)),
            _ => {}
        }
    }
    match lex(words, at) {
        Lex::Number(day @ 1..=31) | Lex::Ordinal(day @ 1..=31) => {
            // "In March 12 people died" and "May 5 percent" are about other things.
            Some((day as i8, at + 1)).filter(|_| !matches!(lex(words, at + 1), Lex::Units(_)))
        }
        Lex::First => Some((1, at + 1)),
        _ => None,
    }
}

fn is_day_of(month: i8, day: i8) -> bool {
    day >= 1 && Date::new(2000, month, day).is_ok()
}

/// "summer" is a season where something says so: a word before it, or a year behind it. "Fall" and "spring" are verbs too.
fn season_of(words: &[Word], at: usize, from: usize, season: Season, which: Which) -> Option<Phrase> {
    let phrase = in_year(words, from + 1, Name::Season(season), which);
    let told = match which {
        Which::Bare if at < from => {
            let prep = matches!(
                before(words, at),
                Lex::In
                    | Lex::During
                    | Lex::Over
                    | Lex::By
                    | Lex::Since
                    | Lex::Until
                    | Lex::Of
                    | Lex::Early
                    | Lex::Late
            );
            prep && !matches!(lex(words, from + 1), Lex::Of)
                || !matches!(phrase.meaning, Meaning::Named(_, Which::Bare))
        }
        Which::Bare => {
            let told = matches!(
                before(words, at),
                Lex::In | Lex::Early | Lex::Late | Lex::Mid | Lex::By | Lex::Since | Lex::Until
            );
            told || !matches!(phrase.meaning, Meaning::Named(_, Which::Bare))
        }
        _ => true,
    };
    told.then_some(phrase)
}

/// "the night of Oct. 14", "the week of March 6".
fn night_of(words: &[Word], at: usize) -> Option<Phrase> {
    let from = at + usize::from(lex(words, at) == Lex::The);
    if lex(words, from + 1) != Lex::Of {
        return None;
    }
    let day =
        day_of_month(words, from + 2).or_else(|| named(words, from + 2)).filter(|day| is_day(day.meaning))?;
    let week = match day.meaning {
        Meaning::Named(Name::Day(month, day), which) => Some(Meaning::Named(Name::WeekOf(month, day), which)),
        Meaning::Stated(Piece::Day(day)) => Piece::around(Unit::Week, day).map(Meaning::Stated),
        _ => None,
    };
    match lex(words, from) {
        Lex::Part(part) => Some(Phrase { hour: Some(Hour::Part(part)), ..day }),
        Lex::Unit(Unit::Week) => Some(Phrase { meaning: week?, ..day }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::date::tests::check;

    #[test]
    fn days_are_read_in_american_and_british_english() {
        check(&[
            ("The pier fell on Oct. 14, 2019.", &["Oct. 14, 2019 = 2019-10-14"]),
            ("The pier fell on 14 October 2019.", &["14 October 2019 = 2019-10-14"]),
            ("The pier fell on the 14th of October 2019.", &["the 14th of October 2019 = 2019-10-14"]),
            ("The pier fell on Monday, Oct. 14.", &["Monday, Oct. 14 = 2024-10-14"]),
            ("The pier fell on March twenty-first.", &["March twenty-first = 2024-03-21"]),
            ("The pier fell on 2019-10-14.", &["2019-10-14 = 2019-10-14"]),
            ("The pier fell on 10/14/2019.", &["10/14/2019 = 2019-10-14"]),
            ("The pier fell on 14/10/2019.", &["14/10/2019 = 2019-10-14"]),
            ("The pier fell on Feb. 30.", &[]),
        ]);
    }

    #[test]
    fn a_name_without_a_year_is_found_by_the_clause() {
        check(&[
            ("The pier fell on Tuesday.", &["Tuesday = 2024-10-15"]),
            ("The pier will reopen on Tuesday.", &["Tuesday = 2024-10-22"]),
            ("The pier fell on Wednesday.", &["Wednesday = 2024-10-16"]),
            ("The pier fell in May.", &["May = 2024-05"]),
            ("The pier will reopen in May.", &["May = 2025-05"]),
            ("The pier fell in December.", &["December = 2023-12"]),
            ("The pier will reopen on Feb. 1.", &["Feb. 1 = 2025-02-01"]),
            ("The pier fell last Wednesday.", &["last Wednesday = 2024-10-09"]),
            ("The pier fell on Monday of last week.", &["Monday of last week = 2024-10-07"]),
            ("The pier will reopen on Monday next week.", &["Monday next week = 2024-10-21"]),
            ("The pier fell last Dec. 3.", &["last Dec. 3 = 2023-12-03"]),
            ("The pier will reopen on the upcoming Dec. 3.", &["upcoming Dec. 3 = 2024-12-03"]),
            ("They met on the first Monday of the season.", &[]),
            ("The accounts are for the year ended Oct. 31.", &["the year = P1Y", "Oct. 31 = 2023-10-31"]),
            ("The pier fell last May.", &["last May = 2024-05"]),
            ("The pier fell last September.", &["last September = 2023-09"]),
            ("The pier fell on Thursday.", &["Thursday = 2024-10-17"]),
            ("The pier reopens next Thursday.", &["next Thursday = 2024-10-17"]),
            ("The pier fell this past Sunday.", &["this past Sunday = 2024-10-13"]),
            ("The pier fell in July last year.", &["July last year = 2023-07"]),
        ]);
    }

    #[test]
    fn numbers_and_names_are_no_dates() {
        check(&[
            ("They paid $1998 for 2000 bricks.", &[]),
            ("Jan Orr may march in the fall of the wall.", &[]),
            ("She drives an Orion 1980 to work.", &[]),
            ("May she rest. He said 12.5 of 1,998 agreed.", &[]),
        ]);
    }

    #[test]
    fn parts_of_a_day_stay_with_their_day() {
        check(&[
            ("The pier fell on Tuesday night.", &["Tuesday night = 2024-10-15TNI"]),
            ("The pier fell on the night of Oct. 3.", &["the night of Oct. 3 = 2024-10-03TNI"]),
            ("The pier will close in the week of Nov. 6.", &["the week of Nov. 6 = 2024-W45"]),
        ]);
    }
}
