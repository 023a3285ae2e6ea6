//! Phrases with a name in them: months, days, weekdays, years, quarters, seasons, feasts.

use jiff::civil::{Date, Weekday};

use super::find::{Phrase, before, gap, is_day, lex};
use super::lexicon::Lex;
use super::piece::{Piece, Season, Unit, year};
use super::word::{Gap, Word};
use super::{Holiday, Hour, Meaning, Name, Which};

/// A phrase with a name, with the part of the day behind it.
pub(super) fn calendar(words: &[Word], at: usize) -> Option<Phrase> {
    let mut phrase = named(words, at)
        .or_else(|| quarter(words, at))
        .or_else(|| a_year(words, at))
        .or_else(|| night_of(words, at))
        .or_else(|| year_end(words, at))?;
    if phrase.hour.is_none() && is_day(phrase.meaning) {
        match lex(words, phrase.end) {
            Lex::Part(part) => {
                phrase.hour = Some(Hour::Part(part));
                phrase.end += 1;
            }
            Lex::Noon(hour) => {
                phrase.hour = Some(Hour::Clock(hour, 0));
                phrase.end += 1;
            }
            Lex::Early | Lex::Late if matches!(lex(words, phrase.end + 1), Lex::Part(_)) => {
                if let Lex::Part(part) = lex(words, phrase.end + 1) {
                    phrase.hour = Some(Hour::Part(part));
                    phrase.end += 2;
                }
            }
            _ => {}
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
    if which == Which::Bare
        && holiday(words, from).is_none()
        && let Some(day) = day_of_month(words, from)
    {
        return Some(day);
    }
    let (name, end) = match lex(words, from) {
        Lex::Weekday(weekday) => {
            let comma = from + 1;
            if let Some(day) = matches!(gap(words, comma), Gap::Blank | Gap::Comma | Gap::Stop)
                .then(|| day_of_month(words, comma))
                .flatten()
                .filter(|day| {
                    !matches!(
                        day.meaning,
                        Meaning::Named(Name::Month(_), _) | Meaning::Stated(Piece::Month(..))
                    )
                })
            {
                return Some(day);
            }
            (Name::Weekday(weekday), from + 1)
        }
        Lex::Month(month) if which != Which::Bare && is_month(words, from) => (Name::Month(month), from + 1),
        Lex::Season(season) => return season_of(words, at, from, season, which),
        _ => {
            let (holiday, end) = holiday(words, from)?;
            return Some(in_year(words, end, Name::Holiday(holiday), which));
        }
    };
    // The article of "the Friday deadline" stays out of the phrase.
    (which != Which::Bare || the == 0).then(|| Phrase::new(end, Meaning::Named(name, which)))
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
        _ => return None,
    })
}

/// "Oct. 14, 2019", "14 October", "the 14th of October", "October 2019", "2019-10-14", "October last year".
fn day_of_month(words: &[Word], at: usize) -> Option<Phrase> {
    match lex(words, at) {
        Lex::Date(day) => Some(Phrase::new(at + 1, Meaning::Stated(Piece::Day(day)))),
        Lex::Month(month) if is_month(words, at) => {
            if let Some((day, end)) = day_number(words, at + 1) {
                return is_day_of(month, day)
                    .then(|| in_year(words, end, Name::Day(month, day), Which::Bare));
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

/// Adds the year behind a name: ", 2019", "of 2019", "last year", "of this year".
fn in_year(words: &[Word], end: usize, name: Name, which: Which) -> Phrase {
    let of = end + usize::from(matches!(lex(words, end), Lex::Of | Lex::In));
    let near = matches!(gap(words, end), Gap::Blank | Gap::Comma | Gap::Stop);
    let stated = |year, end| {
        let piece = match name {
            Name::Month(month) => Some(Piece::Month(year, month)),
            Name::Day(month, day) => Date::new(year, month, day).ok().map(Piece::Day),
            Name::Season(season) => Some(Piece::Season(year, season)),
            Name::Quarter(quarter) => Some(Piece::Quarter(year, quarter)),
            Name::Half(half) => Some(Piece::Half(year, half)),
            Name::WeekOf(month, day) => {
                Date::new(year, month, day).ok().and_then(|day| Piece::around(Unit::Week, day))
            }
            Name::Weekday(_) | Name::Weekend | Name::Holiday(_) => None,
        };
        Phrase::new(end, piece.map_or(Meaning::Named(name, Which::In(year)), Meaning::Stated))
    };
    if near {
        let fiscal = of + usize::from(lex(words, of) == Lex::Fiscal);
        match (lex(words, fiscal), lex(words, of + 1)) {
            (Lex::Year(number), _) | (Lex::ShortYear(number), _) => {
                if let Some(year) = year(number).filter(|year| (1000..=2999).contains(year)) {
                    return stated(year, fiscal + 1);
                }
            }
            (Lex::Last, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(-1)));
            }
            (Lex::This, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(0)));
            }
            (Lex::Next, Lex::Unit(Unit::Year)) => {
                return Phrase::new(of + 2, Meaning::Named(name, Which::Year(1)));
            }
            _ => {}
        }
        if let Some((year, end)) = spoken_year(words, of) {
            return stated(year, end);
        }
    }
    Phrase::new(end, Meaning::Named(name, which))
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

/// "the third quarter of 2018", "third-quarter", "last year's second half", "the 2018 first quarter".
fn quarter(words: &[Word], at: usize) -> Option<Phrase> {
    let mut from = at + usize::from(lex(words, at) == Lex::The);
    let mut which = Which::Bare;
    let mut stated = None;
    match (lex(words, from), lex(words, from + 1), lex(words, from + 2)) {
        (relation @ (Lex::This | Lex::Last | Lex::Next), Lex::Unit(Unit::Year), Lex::S) => {
            which = Which::Year(if relation == Lex::This {
                0
            } else if relation == Lex::Last {
                -1
            } else {
                1
            });
            from += 3;
        }
        (Lex::Year(number), ..) if from == at + 1 || lex(words, from + 1) == Lex::S => {
            stated = year(number);
            from += 1 + usize::from(lex(words, from + 1) == Lex::S);
        }
        _ => {}
    }
    if lex(words, from) == Lex::Fiscal {
        from += 1;
        if let Lex::Year(number) = lex(words, from) {
            stated = year(number);
            from += 1;
        }
    }
    if which == Which::Bare && stated.is_none() {
        match lex(words, from) {
            Lex::Last => (which, from) = (Which::Last, from + 1),
            Lex::Next => (which, from) = (Which::Next, from + 1),
            _ => {}
        }
    }
    let ordinal = match lex(words, from) {
        Lex::First => 1,
        Lex::Ordinal(ordinal @ 2..=4) => ordinal as u8,
        Lex::Last if lex(words, from + 1) == Lex::Half => 2,
        _ if which == Which::Last && lex(words, from) == Lex::Half => {
            return half_of(words, from + 1, 2, Which::Bare, stated);
        }
        _ => return None,
    };
    match lex(words, from + 1) {
        Lex::Unit(Unit::Quarter) => {
            let name = Name::Quarter(ordinal);
            Some(match stated {
                Some(year) => Phrase::new(from + 2, Meaning::Stated(Piece::Quarter(year, ordinal))),
                None => in_year(words, from + 2, name, which),
            })
        }
        Lex::Half if ordinal <= 2 => half_of(words, from + 2, ordinal, which, stated),
        _ => None,
    }
}

fn half_of(words: &[Word], end: usize, half: u8, which: Which, stated: Option<i16>) -> Option<Phrase> {
    let phrase = match stated {
        Some(year) => Phrase::new(end, Meaning::Stated(Piece::Half(year, half))),
        None => in_year(words, end, Name::Half(half), which),
    };
    // "The first half" alone may be that of a match.
    let dated = !matches!(phrase.meaning, Meaning::Named(_, Which::Bare));
    if !dated
        && lex(words, end) == Lex::Of
        && lex(words, end + 1) == Lex::The
        && lex(words, end + 2) == Lex::Unit(Unit::Year)
    {
        return Some(Phrase { end: end + 3, ..phrase });
    }
    dated.then_some(phrase)
}

/// "1998", "fiscal 1998", "the year 2000", "the 1990s", "nineteen ninety-four", "the 11th century".
fn a_year(words: &[Word], at: usize) -> Option<Phrase> {
    let the = usize::from(lex(words, at) == Lex::The);
    let mut from = at + the;
    if lex(words, from) == Lex::Fiscal {
        from += 1;
    }
    if lex(words, from) == Lex::Unit(Unit::Year) {
        from += 1;
    }
    let told = from > at + the;
    match lex(words, from) {
        Lex::Decade(number) => {
            let decade = Piece::Decade(year(number)? / 10);
            Some(Phrase::new(from + 1, Meaning::Stated(decade)))
        }
        Lex::Year(number) => {
            let told = told
                || matches!(
                    before(words, at),
                    Lex::In | Lex::Since | Lex::Until | Lex::From | Lex::During | Lex::By
                );
            let likely = if told { 1000..=2999 } else { 1900..=2040 };
            let year = year(number).filter(|year| likely.contains(year))?;
            // "Orion 1980" is a name.
            let name = at == from
                && at > 1
                && words[at - 1].capital
                && before(words, at) == Lex::Other
                && gap(words, at) == Gap::Blank;
            let counted = name
                || matches!(lex(words, from + 1), Lex::Units(_) | Lex::Unit(_) | Lex::HalfDay(_))
                || (year % 100 == 0 && !told);
            let fits = !counted && !matches!(gap(words, from), Gap::Amount) && (the == 0 || told);
            fits.then(|| Phrase::new(from + 1, Meaning::Stated(Piece::Year(year))))
        }
        Lex::ShortYear(number) => Some(Phrase::new(from + 1, Meaning::Stated(Piece::Year(year(number)?)))),
        Lex::Ordinal(number @ 2..=30) if lex(words, from + 1) == Lex::Unit(Unit::Century) => {
            Some(Phrase::new(from + 2, Meaning::Stated(Piece::Century(number as i16 - 1))))
        }
        _ => {
            let (year, end) = spoken_year(words, from)?;
            (the == 0 || told).then(|| Phrase::new(end, Meaning::Stated(Piece::Year(year))))
        }
    }
}

/// "nineteen ninety-four"; "two thousand" and what follows it only behind "year".
fn spoken_year(words: &[Word], at: usize) -> Option<(i16, usize)> {
    match (lex(words, at), lex(words, at + 1)) {
        (Lex::Number(19), Lex::Number(tens @ 10..=90)) if tens < 20 || tens % 10 == 0 => {
            let spelled = words[at].end - words[at].at > 2 && words[at + 1].end - words[at + 1].at > 2;
            let (ones, end) = match lex(words, at + 2) {
                Lex::Number(ones @ 1..=9) if tens >= 20 && gap(words, at + 2) == Gap::Hyphen => {
                    (ones, at + 3)
                }
                Lex::One if tens >= 20 && gap(words, at + 2) == Gap::Hyphen => (1, at + 3),
                _ => (0, at + 2),
            };
            spelled.then_some((1900 + (tens + ones) as i16, end))
        }
        (Lex::Number(2), Lex::Number(1000)) if before(words, at) == Lex::Unit(Unit::Year) => {
            Some(match lex(words, at + 2) {
                Lex::Number(ones @ 2..=19) => (2000 + ones as i16, at + 3),
                _ => (2000, at + 2),
            })
        }
        _ => None,
    }
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

/// "year-end": its last day.
fn year_end(words: &[Word], at: usize) -> Option<Phrase> {
    let end = (lex(words, at), lex(words, at + 1)) == (Lex::Unit(Unit::Year), Lex::End);
    end.then(|| Phrase::new(at + 2, Meaning::Named(Name::Day(12, 31), Which::Bare)))
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
            ("The pier fell last May.", &["last May = 2024-05"]),
            ("The pier reopens next Thursday.", &["next Thursday = 2024-10-17"]),
            ("The pier fell this past Sunday.", &["this past Sunday = 2024-10-13"]),
            ("The pier fell in July last year.", &["July last year = 2023-07"]),
        ]);
    }

    #[test]
    fn years_decades_seasons_quarters_and_feasts() {
        check(&[
            ("It was built in 1998 and closed in '99.", &["1998 = 1998", "99 = 1999"]),
            ("It was built in the 1990s.", &["the 1990s = 199"]),
            ("It was built in the early '80s.", &["the early '80s = 198"]),
            ("It was built in the 11th century.", &["the 11th century = 10"]),
            ("It was built in nineteen ninety-four.", &["nineteen ninety-four = 1994"]),
            ("It closed in the summer of 2019.", &["the summer of 2019 = 2019-SU"]),
            ("It closed last winter.", &["last winter = 2023-WI"]),
            ("They fall in spring.", &["spring = 2025-SP"]),
            ("Sales rose in the third quarter.", &["the third quarter = 2024-Q3"]),
            ("Sales rose in the first quarter of 2019.", &["the first quarter of 2019 = 2019-Q1"]),
            ("Sales rose in last year's second half.", &["last year's second half = 2023-H2"]),
            ("It closed on Christmas Eve 2019.", &["Christmas Eve 2019 = 2019-12-24"]),
            ("It closed on Good Friday.", &["Good Friday = 2024-03-29"]),
            ("It closed on New Year's Day.", &["New Year's Day = 2024-01-01"]),
            ("It will close by year-end.", &["year-end = 2024-12-31"]),
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
