//! Pieces of the calendar, lengths of time, and how TimeML writes them.

use std::fmt;

use jiff::civil::{Date, Weekday, date};
use jiff::{Span, ToSpan};

/// A stretch of the calendar, as coarse or as fine as the words name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Its first two digits: 19 is 1900 to 1999.
    Century(i16),
    /// Its first three digits: 199 is 1990 to 1999.
    Decade(i16),
    /// A calendar year.
    Year(i16),
    /// 1 or 2.
    Half(i16, u8),
    /// Winter is that of the year's end: December to February.
    Season(i16, Season),
    /// 1 to 4, of the calendar's year.
    Quarter(i16, u8),
    /// Year and month, 1 to 12.
    Month(i16, i8),
    /// From its Monday on.
    Week(Date),
    /// The Saturday and the Sunday of the week that begins on this Monday.
    Weekend(Date),
    /// One day.
    Day(Date),
    /// A part of a day; the night belongs to the day that it begins on.
    Part(Date, Part),
    /// Hour and minute on the clock of the place that is told of.
    Minute(Date, i8, i8),
}

/// How fine a piece is, from coarse to fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grain {
    /// A hundred years.
    Century,
    /// Ten years.
    Decade,
    /// A year.
    Year,
    /// Six months.
    Half,
    /// Three months by the weather.
    Season,
    /// Three months by the calendar.
    Quarter,
    /// A month.
    Month,
    /// A week.
    Week,
    /// Saturday and Sunday.
    Weekend,
    /// A day.
    Day,
    /// A part of a day.
    Part,
    /// A time on the clock.
    Minute,
}

/// Seasons of the northern half of the earth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Season {
    /// March to May.
    Spring,
    /// June to August.
    Summer,
    /// September to November.
    Autumn,
    /// December to February.
    Winter,
}

/// Parts of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Before noon.
    Morning,
    /// About noon.
    Midday,
    /// Behind noon.
    Afternoon,
    /// The end of the day.
    Evening,
    /// From the evening on.
    Night,
}

/// What lengths are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// A day of the calendar.
    Day,
    /// A Saturday and a Sunday.
    Weekend,
    /// Seven days; as a piece, from a Monday on.
    Week,
    /// A month of the calendar.
    Month,
    /// Three months, from January, April, July or October on.
    Quarter,
    /// A year of the calendar.
    Year,
    /// Ten years, from one that ends in 0 on.
    Decade,
    /// A hundred years, from one that ends in 00 on.
    Century,
}

/// So many units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Length {
    /// Absent where the words only say that they are several: "a few weeks".
    pub count: Option<u32>,
    /// Whether half a unit comes on top: "two and a half years".
    pub half: bool,
    /// What is counted.
    pub unit: Unit,
}

/// What comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Every {
    /// "every two weeks", "monthly".
    Length(Length),
    /// "each Thursday", "Tuesday nights".
    Weekday(Weekday, Option<Part>),
}

impl Piece {
    /// How fine it is.
    pub fn grain(self) -> Grain {
        match self {
            Piece::Century(_) => Grain::Century,
            Piece::Decade(_) => Grain::Decade,
            Piece::Year(_) => Grain::Year,
            Piece::Half(..) => Grain::Half,
            Piece::Season(..) => Grain::Season,
            Piece::Quarter(..) => Grain::Quarter,
            Piece::Month(..) => Grain::Month,
            Piece::Week(_) => Grain::Week,
            Piece::Weekend(_) => Grain::Weekend,
            Piece::Day(_) => Grain::Day,
            Piece::Part(..) => Grain::Part,
            Piece::Minute(..) => Grain::Minute,
        }
    }

    /// Its first day and its last.
    pub fn days(self) -> (Date, Date) {
        let years = |first: i16, last: i16| (date(first, 1, 1), date(last, 12, 31));
        match self {
            Piece::Century(century) => years(century * 100, century * 100 + 99),
            Piece::Decade(decade) => years(decade * 10, decade * 10 + 9),
            Piece::Year(year) => years(year, year),
            Piece::Half(year, half) => months(year, half as i8 * 6 - 5, 6),
            Piece::Season(year, season) => months(year, season as i8 * 3 + 3, 3),
            Piece::Quarter(year, quarter) => months(year, quarter as i8 * 3 - 2, 3),
            Piece::Month(year, month) => months(year, month, 1),
            Piece::Week(monday) => (monday, monday.saturating_add(6.days())),
            Piece::Weekend(monday) => (monday.saturating_add(5.days()), monday.saturating_add(6.days())),
            Piece::Day(day) | Piece::Part(day, _) | Piece::Minute(day, ..) => (day, day),
        }
    }

    /// The piece of this size that a day lies in. `None` beyond the years 0 to 9999.
    pub(super) fn around(unit: Unit, day: Date) -> Option<Piece> {
        let year = day.year();
        Some(match unit {
            Unit::Century => Piece::Century(year / 100),
            Unit::Decade => Piece::Decade(year / 10),
            Unit::Year => Piece::Year(year),
            Unit::Quarter => Piece::Quarter(year, (day.month() as u8).div_ceil(3)),
            Unit::Month => Piece::Month(year, day.month()),
            Unit::Week => Piece::Week(monday(day)?),
            Unit::Weekend => Piece::Weekend(monday(day)?),
            Unit::Day | Unit::Hour | Unit::Minute | Unit::Second => Piece::Day(day),
        })
        .filter(|_| year >= 0)
    }

    /// The same piece so many years away. Weeks keep their number's day.
    pub(super) fn years_away(self, by: i16) -> Option<Piece> {
        let day = |day: Date| day.checked_add(Span::new().years(by)).ok();
        let year = |year: i16| year.checked_add(by).filter(|year| (0..=9999).contains(year));
        Some(match self {
            Piece::Century(_) | Piece::Decade(_) => return None,
            Piece::Year(of) => Piece::Year(year(of)?),
            Piece::Half(of, half) => Piece::Half(year(of)?, half),
            Piece::Season(of, season) => Piece::Season(year(of)?, season),
            Piece::Quarter(of, quarter) => Piece::Quarter(year(of)?, quarter),
            Piece::Month(of, month) => Piece::Month(year(of)?, month),
            Piece::Week(of) => Piece::Week(monday(day(of)?)?),
            Piece::Weekend(of) => Piece::Weekend(monday(day(of)?)?),
            Piece::Day(of) | Piece::Part(of, _) | Piece::Minute(of, ..) => Piece::Day(day(of)?),
        })
    }
}

/// A year that the calendar here can hold.
pub(super) fn year(number: u32) -> Option<i16> {
    i16::try_from(number).ok().filter(|year| (1..=9999).contains(year))
}

/// The Monday of a day's week.
fn monday(day: Date) -> Option<Date> {
    day.checked_sub(i64::from(day.weekday().to_monday_zero_offset()).days()).ok()
}

/// First and last day of so many months.
fn months(year: i16, month: i8, count: i32) -> (Date, Date) {
    let first = date(year, month, 1);
    (first, first.saturating_add(count.months()).saturating_sub(1.day()))
}

/// As TimeML's `value`: 1998-W09, 1998-Q2, 199 for a decade.
impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Piece::Century(century) => write!(f, "{century:02}"),
            Piece::Decade(decade) => write!(f, "{decade:03}"),
            Piece::Year(year) => write!(f, "{year:04}"),
            Piece::Half(year, half) => write!(f, "{year:04}-H{half}"),
            Piece::Season(year, season) => write!(f, "{year:04}-{season}"),
            Piece::Quarter(year, quarter) => write!(f, "{year:04}-Q{quarter}"),
            Piece::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Piece::Week(monday) => {
                let week = monday.iso_week_date();
                write!(f, "{:04}-W{:02}", week.year(), week.week())
            }
            Piece::Weekend(monday) => write!(f, "{}-WE", Piece::Week(monday)),
            Piece::Day(day) => write!(f, "{day}"),
            Piece::Part(day, part) => write!(f, "{day}T{part}"),
            Piece::Minute(day, hour, minute) => write!(f, "{day}T{hour:02}:{minute:02}"),
        }
    }
}

impl fmt::Display for Season {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Season::Spring => "SP",
            Season::Summer => "SU",
            Season::Autumn => "FA",
            Season::Winter => "WI",
        })
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Morning => "MO",
            Part::Midday => "MI",
            Part::Afternoon => "AF",
            Part::Evening => "EV",
            Part::Night => "NI",
        })
    }
}

/// P3D, PXW, PT5H30M.
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (clock, letter, halves) = match self.unit {
            Unit::Second => ("T", "S", None),
            Unit::Minute => ("T", "M", Some("30S")),
            Unit::Hour => ("T", "H", Some("30M")),
            Unit::Day => ("", "D", Some("T12H")),
            Unit::Weekend => ("", "WE", None),
            Unit::Week => ("", "W", None),
            Unit::Month => ("", "M", None),
            Unit::Quarter => ("", "Q", None),
            Unit::Year => ("", "Y", Some("6M")),
            Unit::Decade => ("", "E", Some("5Y")),
            Unit::Century => ("", "C", None),
        };
        match (self.count, halves.filter(|_| self.half)) {
            (None, _) => write!(f, "P{clock}X{letter}"),
            (Some(0), Some(half)) => write!(f, "P{clock}{half}"),
            (Some(count), half) => write!(f, "P{clock}{count}{letter}{}", half.unwrap_or_default()),
        }
    }
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Every::Length(length) => write!(f, "{length}"),
            Every::Weekday(day, part) => {
                write!(f, "XXXX-WXX-{}", day.to_monday_one_offset())?;
                part.map_or(Ok(()), |part| write!(f, "T{part}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_written_as_timeml_writes_them() {
        let monday = date(2019, 12, 30);
        for (piece, wanted) in [
            (Piece::Century(19), "19"),
            (Piece::Decade(199), "199"),
            (Piece::Half(2019, 2), "2019-H2"),
            (Piece::Season(2019, Season::Winter), "2019-WI"),
            (Piece::Quarter(2019, 4), "2019-Q4"),
            (Piece::Week(monday), "2020-W01"),
            (Piece::Weekend(monday), "2020-W01-WE"),
            (Piece::Part(monday, Part::Night), "2019-12-30TNI"),
            (Piece::Minute(monday, 9, 5), "2019-12-30T09:05"),
        ] {
            assert_eq!(piece.to_string(), wanted);
        }
    }

    #[test]
    fn lengths_are_written_as_timeml_writes_them() {
        let length = |count, half, unit| Length { count, half, unit }.to_string();
        assert_eq!(length(Some(2), true, Unit::Year), "P2Y6M");
        assert_eq!(length(Some(0), true, Unit::Hour), "PT30M");
        assert_eq!(length(None, false, Unit::Week), "PXW");
        assert_eq!(length(Some(3), true, Unit::Month), "P3M");
    }

    #[test]
    fn a_piece_knows_its_days() {
        assert_eq!(Piece::Season(2019, Season::Winter).days(), (date(2019, 12, 1), date(2020, 2, 29)));
        assert_eq!(Piece::Half(2019, 2).days(), (date(2019, 7, 1), date(2019, 12, 31)));
        assert_eq!(Piece::Decade(201).days(), (date(2010, 1, 1), date(2019, 12, 31)));
        assert_eq!(Piece::around(Unit::Weekend, date(2020, 1, 5)), Some(Piece::Weekend(date(2019, 12, 30))));
        assert_eq!(Piece::Day(date(2020, 2, 29)).years_away(-1), Some(Piece::Day(date(2019, 2, 28))));
    }
}
