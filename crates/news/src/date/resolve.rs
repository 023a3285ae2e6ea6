//! Meanings and the day of publication -> pieces of the calendar.

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::piece::{Length, Piece, Unit};
use super::{Anchor, Direction, Grain, Hour, Meaning, Name, Time, Value, Which};

/// Beyond so many days in the past, a day without a year in a past clause is taken for the next to come.
const LONG_AGO: i32 = 305;
/// A weekday of so many days ago is tomorrow's. Nobody calls the day six days ago by its bare name, but news is often read where it is
/// still the day before, or was written for the next morning.
const NEARLY_A_WEEK: i32 = 6;
/// For so many days behind its end, a quarter is what companies report on.
const REPORTED: i32 = 75;

/// Resolves the time expressions of one article, given in the order of its text, however many blocks it has.
///
/// Without a day of publication, what hangs on it stays [`Value::Unresolved`]; a later call with the day resolves it.
pub fn resolve<'a>(times: impl IntoIterator<Item = &'a mut Time>, published: Option<Date>) {
    let mut told = Told { published, last: Last::default(), past: Last::default(), quarter: None };
    for time in times {
        time.value = told.value(time);
        told.hear(time);
    }
}

/// The value of what needs no day, for a text that nobody has resolved yet.
pub(super) fn plain(meaning: Meaning, hour: Option<Hour>) -> Value {
    match meaning {
        Meaning::Stated(piece) => Value::Piece(at(piece, hour)),
        Meaning::Reference(reference) => Value::Reference(reference),
        Meaning::Length(length) => Value::Length(in_clock(length)),
        Meaning::Every(every) => Value::Every(every),
        Meaning::Named(name, Which::In(year)) => {
            in_year(name, year).map_or(Value::Unresolved, |piece| Value::Piece(at(piece, hour)))
        }
        Meaning::Named(..) | Meaning::Away { .. } | Meaning::YearEarlier(_) => Value::Unresolved,
    }
}

/// What the text has told so far.
struct Told {
    published: Option<Date>,
    /// The last piece that was told of, plans among them.
    last: Last,
    /// The last one that was no plan.
    past: Last,
    /// The last quarter, or part of a year like it, that figures were given for.
    quarter: Option<Piece>,
}

impl Told {
    fn value(&self, time: &Time) -> Value {
        let piece = match time.meaning {
            Meaning::Named(name, Which::Following) => {
                self.day(time.direction).and_then(|day| after(name, day))
            }
            Meaning::Named(name, Which::Preceding) => {
                self.day(time.direction).and_then(|day| before(name, day))
            }
            Meaning::Named(name, Which::That) => self.day(time.direction).and_then(|day| nearest(name, day)),
            Meaning::Named(name, which) if !matches!(which, Which::In(_)) => {
                self.published.and_then(|day| named(name, which, time.direction, day))
            }
            Meaning::Away { unit: Unit::Quarter, by: 0, from: Anchor::Narrative } => {
                self.quarter.or_else(|| self.published.and_then(|day| moved(Unit::Quarter, -1, day)))
            }
            Meaning::Away { unit, by, from: Anchor::Publication } => {
                self.published.and_then(|day| moved(unit, by, day))
            }
            Meaning::Away { unit, by, from: _ } => self.away(unit, by, time.direction),
            Meaning::YearEarlier(from) => self.year_earlier(from, time.direction),
            _ => return plain(time.meaning, time.hour),
        };
        piece.map_or(Value::Unresolved, |piece| Value::Piece(at(piece, time.hour)))
    }

    /// The last piece told of: a plan goes on with plans, the past with the past.
    fn last(&self, direction: Option<Direction>) -> Last {
        if is_ahead(direction) || self.past.piece.is_none() { self.last } else { self.past }
    }

    /// The last day told of. A text that has told of nothing yet tells of the day it was published; one that has told of a month
    /// alone leaves its "two days later" open.
    fn day(&self, direction: Option<Direction>) -> Option<Date> {
        let last = self.last(direction);
        last.day.or_else(|| self.published.filter(|_| last.piece.is_none()))
    }

    /// So many units from the last piece told of that is as fine as they are.
    fn away(&self, unit: Unit, by: i32, direction: Option<Direction>) -> Option<Piece> {
        let fine = match unit {
            Unit::Year | Unit::Decade | Unit::Century => Grain::Year,
            Unit::Month | Unit::Quarter => Grain::Month,
            _ => return moved(unit, by, self.day(direction)?),
        };
        let piece = self.last(direction).piece.filter(|piece| piece.grain() >= fine);
        moved(unit, by, piece.map(|piece| piece.days().0).or(self.published)?)
    }

    fn year_earlier(&self, from: Anchor, direction: Option<Direction>) -> Option<Piece> {
        match self.quarter {
            Some(quarter) => quarter.years_away(-1),
            None if from == Anchor::Publication => moved(Unit::Year, -1, self.published?),
            None => self.away(Unit::Year, -1, direction),
        }
    }

    /// What later expressions can hang on. The day of saying is not where the story goes on.
    fn hear(&mut self, time: &Time) {
        let months =
            matches!(time.value, Value::Length(Length { count: Some(6 | 9), unit: Unit::Month, .. }));
        let Value::Piece(piece) = time.value else {
            // Figures of so many months are compared with those of a year before, not of a quarter.
            self.quarter = self.quarter.filter(|_| !months);
            return;
        };
        if matches!(piece.grain(), Grain::Quarter | Grain::Half)
            && !matches!(time.meaning, Meaning::YearEarlier(_))
        {
            self.quarter = Some(piece);
        }
        if !time.saying || self.last.day.is_none() {
            self.last.hear(piece);
            // What was planned for the day of publication has begun.
            let begun = self.published.is_some_and(|day| piece.days() == (day, day));
            if begun || !is_ahead(time.direction) {
                self.past.hear(piece);
            }
        }
    }
}

/// The last piece that was told of, and the last that was as fine as a day.
#[derive(Clone, Copy, Default)]
struct Last {
    piece: Option<Piece>,
    day: Option<Date>,
}

impl Last {
    fn hear(&mut self, piece: Piece) {
        self.piece = Some(piece);
        if piece.grain() >= Grain::Day {
            self.day = Some(piece.days().0);
        }
    }
}

fn is_ahead(direction: Option<Direction>) -> bool {
    matches!(direction, Some(Direction::Planned | Direction::Uncertain))
}

/// A day with the hour that was named with it.
fn at(piece: Piece, hour: Option<Hour>) -> Piece {
    match (piece, hour) {
        (Piece::Day(day), Some(Hour::Part(part))) => Piece::Part(day, part),
        (Piece::Day(day), Some(Hour::Clock(hour, minute))) => Piece::Minute(day, hour, minute),
        _ => piece,
    }
}

/// TimeML counts decades of a length in tens of years.
fn in_clock(length: Length) -> Length {
    match (length.unit, length.count) {
        (Unit::Decade, count @ None) => Length { unit: Unit::Year, count, half: false },
        (Unit::Decade, Some(count)) => Length { unit: Unit::Year, count: count.checked_mul(10), half: false },
        _ => length,
    }
}

/// The piece so many units from the one around a day.
fn moved(unit: Unit, by: i32, day: Date) -> Option<Piece> {
    let span = match unit {
        Unit::Second | Unit::Minute => Span::new(),
        Unit::Hour => Span::new().try_days(by / 24).ok()?,
        Unit::Day => Span::new().try_days(by).ok()?,
        Unit::Weekend | Unit::Week => Span::new().try_weeks(by).ok()?,
        Unit::Month => Span::new().try_months(by).ok()?,
        Unit::Quarter => Span::new().try_months(by.checked_mul(3)?).ok()?,
        Unit::Year => Span::new().try_years(by).ok()?,
        Unit::Decade => Span::new().try_years(by.checked_mul(10)?).ok()?,
        Unit::Century => Span::new().try_years(by.checked_mul(100)?).ok()?,
    };
    Piece::around(unit, day.checked_add(span).ok()?)
}

/// The piece of a name that a clause means, seen from the day of publication.
fn named(name: Name, which: Which, direction: Option<Direction>, day: Date) -> Option<Piece> {
    let year = day.year();
    match which {
        Which::Year(by) => in_year(name, year.checked_add(by)?),
        // The month that is just over is called "last month"; "last May" in June is that of the year before.
        Which::Last if matches!(name, Name::Month(_)) => before(name, moved(Unit::Month, -1, day)?.days().0),
        Which::Last => before(name, day),
        Which::Next => after(name, day),
        Which::Week(by) => in_week(name, moved(Unit::Week, i32::from(by), day)?.days().0),
        Which::This if !is_weekly(name) => in_year(name, year),
        _ => by_clause(name, direction, day),
    }
}

/// The piece of a name that its clause tells of.
fn by_clause(name: Name, direction: Option<Direction>, day: Date) -> Option<Piece> {
    if matches!(name, Name::Quarter(_))
        && let over @ Some(_) = just_over(name, day)
    {
        return over;
    }
    let next = after_or_now(name, day)?;
    let ahead = (next.days().0 - day).get_days();
    match direction {
        // A month that is over and comes again in ten is told of in the past, whatever the verb.
        Some(Direction::Planned) if ahead > LONG_AGO => nearest(name, day),
        Some(Direction::Planned) => Some(next),
        Some(Direction::Uncertain) if is_weekly(name) => Some(next),
        Some(Direction::Uncertain) => nearest(name, day),
        None if !is_weekly(name) => nearest(name, day),
        Some(Direction::Past) | None => {
            let last = before_or_now(name, day)?;
            let ago = (day - last.days().1).get_days();
            if is_weekly(name) && ago == NEARLY_A_WEEK {
                return Some(next);
            }
            Some(if ago > LONG_AGO && ahead < ago { next } else { last })
        }
    }
}

/// Whether a name comes every week, and not every year.
fn is_weekly(name: Name) -> bool {
    matches!(name, Name::Weekday(_) | Name::Weekend)
}

/// A quarter that ended a short while ago: its figures are what is announced, even in a plan.
fn just_over(name: Name, day: Date) -> Option<Piece> {
    before(name, day).filter(|piece| (day - piece.days().1).get_days() <= REPORTED)
}

/// The piece of a name in one year.
fn in_year(name: Name, year: i16) -> Option<Piece> {
    if !(1..=9998).contains(&year) {
        return None;
    }
    Some(match name {
        Name::Weekday(_) | Name::Weekend => return None,
        // 29 February comes in leap years alone.
        Name::Day(month, day) => Piece::Day(Date::new(year, month, day).ok()?),
        Name::WeekOf(month, day) => Piece::around(Unit::Week, Date::new(year, month, day).ok()?)?,
        Name::Month(month) => Piece::Month(year, month),
        Name::Season(season) => Piece::Season(year, season),
        Name::Quarter(quarter) => Piece::Quarter(year, quarter),
        Name::Half(half) => Piece::Half(year, half),
        Name::Holiday(holiday) => Piece::Day(holiday.in_year(year)?),
    })
}

/// The piece of a name in the week that begins on a Monday.
fn in_week(name: Name, monday: Date) -> Option<Piece> {
    match name {
        Name::Weekday(weekday) => {
            monday.checked_add(i64::from(weekday.to_monday_zero_offset()).days()).ok().map(Piece::Day)
        }
        _ => Some(Piece::Weekend(monday)),
    }
}

/// The last one that is over on the day of the anchor; [`before_or_now`] takes one that has begun.
fn before(name: Name, day: Date) -> Option<Piece> {
    candidates(name, day).rev().find(|piece| piece.days().1 < day)
}

fn before_or_now(name: Name, day: Date) -> Option<Piece> {
    candidates(name, day).rev().find(|piece| piece.days().0 <= day)
}

/// The first one that begins behind the day of the anchor; [`after_or_now`] takes one that is not over.
fn after(name: Name, day: Date) -> Option<Piece> {
    candidates(name, day).find(|piece| piece.days().0 > day)
}

fn after_or_now(name: Name, day: Date) -> Option<Piece> {
    candidates(name, day).find(|piece| piece.days().1 >= day)
}

/// The one whose days are nearest to the anchor's.
fn nearest(name: Name, day: Date) -> Option<Piece> {
    candidates(name, day).min_by_key(|piece| {
        let (first, last) = piece.days();
        (day - last).get_days().max((first - day).get_days())
    })
}

/// All pieces of a name around a day, in order.
fn candidates(name: Name, day: Date) -> impl DoubleEndedIterator<Item = Piece> {
    let year = day.year();
    let weekly = is_weekly(name);
    (-8..=8).filter_map(move |by: i16| {
        if !weekly {
            return in_year(name, year.checked_add(by)?);
        }
        let monday = Piece::around(Unit::Week, day)?.days().0.checked_add(i64::from(by).weeks()).ok()?;
        in_week(name, monday)
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Weekday, date};

    use super::*;

    #[test]
    fn a_month_that_is_far_ahead_in_a_plan_and_just_over_is_the_one_that_is_over() {
        let day = date(2024, 1, 15);
        let december = |direction| named(Name::Month(12), Which::Bare, direction, day);
        assert_eq!(december(Some(Direction::Planned)), Some(Piece::Month(2023, 12)));
        assert_eq!(december(Some(Direction::Past)), Some(Piece::Month(2023, 12)));
        let february = named(Name::Day(2, 1), Which::Bare, Some(Direction::Past), day);
        assert_eq!(
            february,
            Some(Piece::Day(date(2024, 2, 1))),
            "nobody tells of last February's first in January"
        );
    }

    #[test]
    fn a_leap_day_is_that_of_a_leap_year() {
        let leap = named(Name::Day(2, 29), Which::Last, None, date(2023, 6, 1));
        assert_eq!(leap, Some(Piece::Day(date(2020, 2, 29))));
    }

    #[test]
    fn the_calendar_ends_without_a_panic() {
        assert_eq!(moved(Unit::Century, i32::MAX, date(2024, 1, 1)), None);
        assert_eq!(moved(Unit::Day, -1, Date::MIN), None);
        assert_eq!(named(Name::Weekday(Weekday::Friday), Which::Next, None, Date::MAX), None);
    }
}
