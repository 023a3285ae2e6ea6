//! Publication stamps: the date forms that pages, feeds, sidecars and date lines use -> [`When`].
//!
//! A stamp without a zone gives the day alone: the hour of an unknown place is not known. Nothing is guessed.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use proto::story::{Grain, When};

/// Years a publication date can lie in; others are typing errors or attacks on arithmetic.
const YEARS: std::ops::RangeInclusive<i16> = 1600..=2200;

/// Understands RFC 3339, RFC 2822, ISO days and English dates ("26 November 2025", "Nov. 26, 2025").
pub fn parse(text: &str) -> Option<When> {
    let text = text.trim();
    if text.len() > 64 || !text.is_char_boundary(text.len().min(10)) {
        return None;
    }
    exact(text)
        .or_else(|| {
            // "2025-11-26T10:00:00" has no zone; its day is still said.
            let iso = text.get(..10).filter(|_| !text[10..].starts_with(|c: char| c.is_ascii_digit()))?;
            day(iso.parse().ok()?)
        })
        .or_else(|| english(text))
}

/// A line that is a date and nothing else, labels as "Published" and the hour aside.
pub(crate) fn line(text: &str) -> Option<When> {
    const LABELS: &[&str] = &[
        "first published",
        "published on",
        "published",
        "updated on",
        "updated",
        "last updated",
        "posted on",
        "posted",
        "date",
    ];
    let text = text.trim();
    let lower = text.to_lowercase();
    let label =
        LABELS.iter().filter(|label| lower.starts_with(*label)).map(|label| label.len()).max().unwrap_or(0);
    let rest = text.get(label..)?.trim_start_matches([':', ' ', '-', '–', '|']);
    let words = rest.split_whitespace().count();
    if words > 8 || !rest.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    parse(rest)
}

/// The moment `unix` seconds after 1970 began, known to the minute.
pub(crate) fn minute(unix: i64) -> Option<When> {
    let year = jiff::Timestamp::from_second(unix).ok()?.to_zoned(TimeZone::UTC).year();
    YEARS.contains(&year).then_some(When { unix, grain: Grain::Minute })
}

fn exact(text: &str) -> Option<When> {
    let moment = text
        .parse::<jiff::Timestamp>()
        .ok()
        .or_else(|| with_colon(text)?.parse().ok())
        .or_else(|| jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp()))?;
    minute(moment.as_second())
}

/// "+0000", as many systems write it, is "+00:00".
fn with_colon(text: &str) -> Option<String> {
    let at = text.len().checked_sub(5).filter(|&at| text.is_char_boundary(at))?;
    let (moment, offset) = text.split_at(at);
    let plain = offset.starts_with(['+', '-']) && offset[1..].bytes().all(|byte| byte.is_ascii_digit());
    (plain && moment.contains(':')).then(|| format!("{moment}{}:{}", &offset[..3], &offset[3..]))
}

fn day(date: Date) -> Option<When> {
    if !YEARS.contains(&date.year()) {
        return None;
    }
    let midnight = date.to_zoned(TimeZone::UTC).ok()?;
    Some(When { unix: midnight.timestamp().as_second(), grain: Grain::Day })
}

/// Day, month by name and year in either order, a weekday before and an hour behind allowed.
fn english(text: &str) -> Option<When> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const LONG: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let (mut month, mut of_month, mut year) = (None, None, None);
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        let word = word.trim_end_matches('.').to_lowercase();
        let ordinal = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(&word);
        if let Some(at) =
            (0..12).find(|&at| word == LONG[at] || word == MONTHS[at] || (at == 8 && word == "sept"))
        {
            month.get_or_insert(at as i8 + 1);
        } else if let Ok(number) = ordinal.parse::<i16>() {
            match number {
                1..=31 if of_month.is_none() => of_month = i8::try_from(number).ok(),
                1000..=9999 if year.is_none() => year = Some(number),
                _ => {}
            }
        } else if !is_weekday_or_hour(&word) {
            return None;
        }
        if let (Some(year), Some(month), Some(of_month)) = (year, month, of_month) {
            return day(Date::new(year, month, of_month).ok()?);
        }
    }
    None
}

fn is_weekday_or_hour(word: &str) -> bool {
    const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let weekday =
        WEEKDAYS.iter().any(|day| word.starts_with(day)) && (word.len() == 3 || word.ends_with("day"));
    weekday
        || word.starts_with(|c: char| c.is_ascii_digit())
        || matches!(word, "at" | "on" | "am" | "pm" | "|" | "-" | "–")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: When = When { unix: 1_764_115_200, grain: Grain::Day }; // 2025-11-26

    #[test]
    fn days_are_understood_in_the_usual_forms() {
        for text in [
            "2025-11-26",
            "26 November 2025",
            "November 26, 2025",
            "Nov. 26, 2025",
            "Wed 26 Nov 2025 10.04",
            "26th November, 2025",
            "2025-11-26T10:00:00",
        ] {
            assert_eq!(parse(text), Some(DAY), "{text}");
        }
        assert_eq!(line("Published: Wednesday, November 26, 2025 at 10:30 am"), Some(DAY));
    }

    #[test]
    fn a_zone_makes_it_exact() {
        let minute = When { unix: DAY.unix + 36_000, grain: Grain::Minute };
        assert_eq!(parse("2025-11-26T10:00:00Z"), Some(minute));
        assert_eq!(parse("2025-11-26T11:00:00+01:00"), Some(minute));
        assert_eq!(parse("2025-11-26T11:00:00+0100"), Some(minute));
        assert_eq!(parse("Wed, 26 Nov 2025 10:00:00 GMT"), Some(minute));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "November",
            "31 February 2025",
            "2025-13-01",
            "26 November",
            "in 2025 the 26 men of November",
            "9999-99-99",
            "ééééééééééé",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(line("The 26 November 2025 agreement between two towns and three villages"), None);
    }
}
