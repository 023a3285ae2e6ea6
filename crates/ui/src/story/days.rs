//! Days as the articles name them: a day, a week, some months, a year.

use jiff::{
    Span,
    civil::{Date, Weekday, date},
};
use maud::{Markup, html};
use proto::analysis::{Event, Grain};

/// When an event was, no finer than the articles say it.
pub(super) fn when(event: &Event) -> Markup {
    html! {
        @match of(event.first) {
            Some(day) if event.first == event.last => time datetime=(day.strftime("%Y-%m-%d")) { (words(event)) },
            _ => (words(event)),
        }
    }
}

/// The same as plain words.
pub(super) fn words(event: &Event) -> String {
    let (Some(first), Some(last)) = (of(event.first), of(event.last)) else {
        return "a day beyond the calendar".into();
    };
    if first == last {
        return first.strftime("%A, %-d %B %Y").to_string();
    }
    let months = first.day() == 1 && last == last.last_of_month();
    let length = event.last.saturating_sub(event.first);
    match event.grain {
        Grain::Year if months && first.month() == 1 && last.month() == 12 => {
            stretch("to", [first, last].map(|day| day.strftime("%Y").to_string()))
        }
        Grain::Year | Grain::Season | Grain::Month if months && first.year() == last.year() => {
            let [from, to] = [first, last].map(|day| day.strftime("%B").to_string());
            format!("{} {}", stretch("to", [from, to]), last.strftime("%Y"))
        }
        Grain::Year | Grain::Season | Grain::Month if months => {
            stretch("to", [first, last].map(|day| day.strftime("%B %Y").to_string()))
        }
        Grain::Week if length == 6 => format!("the week of {}", first.strftime("%-d %B %Y")),
        Grain::Week if length == 1 && first.weekday() == Weekday::Saturday => {
            format!("the weekend of {}", span("and", first, last))
        }
        Grain::Day => span("to", first, last),
        _ => format!("between {}", span("and", first, last)),
    }
}

/// A day beside a line: "Tue 14 Oct", or with its year.
pub(super) fn short(day: i32, with_year: bool) -> String {
    let format = if with_year { "%-d %b %Y" } else { "%a %-d %b" };
    of(day).map_or_else(String::new, |day| day.strftime(format).to_string())
}

/// The year a day is in.
pub(super) fn year(day: i32) -> Option<i16> {
    of(day).map(Date::year)
}

/// "Oct 2025", for the first day of a month.
pub(super) fn month(day: i32) -> Option<String> {
    of(day).filter(|day| day.day() == 1).map(|day| day.strftime("%b %Y").to_string())
}

/// `None` beyond the years that a calendar has.
fn of(day: i32) -> Option<Date> {
    date(1970, 1, 1).checked_add(Span::new().try_days(day).ok()?).ok()
}

/// Two days, what they share said once: "14 to 17 October 2025".
fn span(between: &str, first: Date, last: Date) -> String {
    let format = if first.year() != last.year() {
        "%-d %B %Y"
    } else if first.month() != last.month() {
        "%-d %B"
    } else {
        "%-d"
    };
    stretch(between, [first.strftime(format).to_string(), last.strftime("%-d %B %Y").to_string()])
}

fn stretch(between: &str, [from, to]: [String; 2]) -> String {
    if from == to { to } else { format!("{from} {between} {to}") }
}

#[cfg(test)]
mod tests {
    use proto::analysis::Status;

    use super::*;

    fn said(first: Date, last: Date, grain: Grain) -> String {
        let [first, last] = [first, last].map(|day| day.since(date(1970, 1, 1)).expect("days").get_days());
        words(&Event {
            first,
            last,
            grain,
            status: Status::Happened,
            mentions: vec![],
            sourcing: vec![],
            differences: vec![],
        })
    }

    #[test]
    fn no_finer_than_named() {
        let day = date(2026, 10, 14);
        for (first, last, grain, expected) in [
            (day, day, Grain::Day, "Wednesday, 14 October 2026"),
            (day, date(2026, 10, 17), Grain::Day, "14 to 17 October 2026"),
            (day, date(2026, 11, 2), Grain::Day, "14 October to 2 November 2026"),
            (date(2026, 12, 30), date(2027, 1, 2), Grain::Day, "30 December 2026 to 2 January 2027"),
            (date(2026, 10, 12), date(2026, 10, 18), Grain::Week, "the week of 12 October 2026"),
            (date(2026, 10, 17), date(2026, 10, 18), Grain::Week, "the weekend of 17 and 18 October 2026"),
            (day, date(2026, 10, 24), Grain::Week, "between 14 and 24 October 2026"),
            (date(2026, 10, 1), date(2026, 10, 31), Grain::Month, "October 2026"),
            (date(2026, 7, 1), date(2026, 9, 30), Grain::Season, "July to September 2026"),
            (date(2026, 12, 1), date(2027, 2, 28), Grain::Season, "December 2026 to February 2027"),
            (date(2026, 1, 1), date(2026, 12, 31), Grain::Year, "2026"),
            (date(2024, 1, 1), date(2026, 12, 31), Grain::Year, "2024 to 2026"),
            (day, date(2026, 12, 31), Grain::Year, "between 14 October and 31 December 2026"),
        ] {
            assert_eq!(said(first, last, grain), expected);
        }
    }

    #[test]
    fn days_beyond_the_calendar_are_no_panic() {
        for (first, last) in [(i32::MIN, i32::MAX), (i32::MAX, i32::MAX), (0, i32::MAX)] {
            let event = Event {
                first,
                last,
                grain: Grain::Day,
                status: Status::Happened,
                mentions: vec![],
                sourcing: vec![],
                differences: vec![],
            };
            assert_eq!(words(&event), "a day beyond the calendar");
            assert_eq!((short(i32::MAX, true), month(i32::MIN)), (String::new(), None));
        }
    }
}
