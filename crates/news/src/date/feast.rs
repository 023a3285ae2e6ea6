//! Feasts and their days.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday, date};

/// Feasts that are kept on a day that can be reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holiday {
    /// 1 January.
    NewYearsDay,
    /// 31 December.
    NewYearsEve,
    /// 14 February.
    ValentinesDay,
    /// Easter Sunday of the western churches.
    Easter,
    /// The Friday before Easter.
    GoodFriday,
    /// 1 May.
    MayDay,
    /// The last Monday of May.
    MemorialDay,
    /// 4 July, as in the United States.
    IndependenceDay,
    /// The first Monday of September.
    LaborDay,
    /// 31 October.
    Halloween,
    /// 11 November.
    VeteransDay,
    /// The fourth Thursday of November.
    Thanksgiving,
    /// 24 December.
    ChristmasEve,
    /// 25 December.
    Christmas,
    /// 26 December.
    BoxingDay,
}

impl Holiday {
    /// Its day in a year.
    pub(super) fn in_year(self, year: i16) -> Option<Date> {
        let nth = |month, nth, weekday| date(year, month, 1).nth_weekday_of_month(nth, weekday).ok();
        let fixed = |month, day| Some(date(year, month, day));
        match self {
            Holiday::NewYearsDay => fixed(1, 1),
            Holiday::NewYearsEve => fixed(12, 31),
            Holiday::ValentinesDay => fixed(2, 14),
            Holiday::MayDay => fixed(5, 1),
            Holiday::IndependenceDay => fixed(7, 4),
            Holiday::Halloween => fixed(10, 31),
            Holiday::VeteransDay => fixed(11, 11),
            Holiday::ChristmasEve => fixed(12, 24),
            Holiday::Christmas => fixed(12, 25),
            Holiday::BoxingDay => fixed(12, 26),
            Holiday::MemorialDay => nth(5, -1, Weekday::Monday),
            Holiday::LaborDay => nth(9, 1, Weekday::Monday),
            Holiday::Thanksgiving => nth(11, 4, Weekday::Thursday),
            Holiday::Easter => easter(year),
            Holiday::GoodFriday => easter(year)?.checked_sub(2.days()).ok(),
        }
    }
}

/// Easter Sunday of the Gregorian calendar, by the rule of Butcher and Meeus.
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let days = h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
    Date::new(year as i16, (days / 31) as i8, (days % 31 + 1) as i8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feasts_fall_on_their_days() {
        for (holiday, year, wanted) in [
            (Holiday::Easter, 2024, date(2024, 3, 31)),
            (Holiday::Easter, 2000, date(2000, 4, 23)),
            (Holiday::GoodFriday, 2019, date(2019, 4, 19)),
            (Holiday::Thanksgiving, 2024, date(2024, 11, 28)),
            (Holiday::LaborDay, 2024, date(2024, 9, 2)),
            (Holiday::MemorialDay, 2024, date(2024, 5, 27)),
        ] {
            assert_eq!(holiday.in_year(year), Some(wanted));
        }
    }
}
