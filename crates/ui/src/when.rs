//! Moments on the page: `<time>` with the exact value for machines and a short one for people.

use jiff::{Timestamp, tz::TimeZone};
use maud::{Markup, html};
use proto::story::{Grain, When};

/// The time zone in which a page states clock times: the reader's own on loopback pages, UTC on public ones.
#[derive(Clone, Debug)]
pub struct Zone {
    zone: TimeZone,
    /// Said after a clock time where readers may sit in any zone.
    suffix: &'static str,
}

impl Zone {
    /// UTC, named after each clock time.
    pub fn utc() -> Zone {
        Zone { zone: TimeZone::UTC, suffix: " UTC" }
    }

    /// This machine's zone, for pages that nobody else sees. Read once at the program's start.
    pub fn system() -> Zone {
        Zone { zone: TimeZone::system(), suffix: "" }
    }

    /// When an article was published, as exactly as it was stated. "date not given" if nobody said.
    pub fn published(&self, when: Option<When>) -> Markup {
        let Some((when, at)) = when.and_then(|w| Some((w, Timestamp::from_second(w.unix).ok()?))) else {
            return html! { span.undated { "date not given" } };
        };
        match when.grain {
            // A day was stated as a day: it is never moved into another zone.
            Grain::Day => {
                let day = at.to_zoned(TimeZone::UTC);
                html! { time datetime=(day.strftime("%Y-%m-%d")) { (day.strftime("%-d %b %Y")) } }
            }
            Grain::Minute => {
                let local = at.to_zoned(self.zone.clone());
                html! {
                    time datetime=(at.strftime("%Y-%m-%dT%H:%MZ")) {
                        (local.strftime("%-d %b %Y, %H:%M")) (self.suffix)
                    }
                }
            }
        }
    }

    /// A day, long: "Sunday, 22 November 2026". `unix_ms` counts milliseconds since 1970 in UTC.
    pub fn day(&self, unix_ms: u64) -> Markup {
        let Some(at) = timestamp(unix_ms) else { return html! {} };
        let local = at.to_zoned(self.zone.clone());
        html! { time datetime=(local.strftime("%Y-%m-%d")) { (local.strftime("%A, %-d %B %Y")) } }
    }

    /// A clock time. Its seconds are shown only when rounds are so short that minutes would say nothing.
    pub fn clock(&self, unix_ms: u64, seconds: bool) -> Markup {
        let Some(at) = timestamp(unix_ms) else { return html! {} };
        let local = at.to_zoned(self.zone.clone());
        let shown = local.strftime(if seconds { "%H:%M:%S" } else { "%H:%M" });
        html! { time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (shown) (self.suffix) } }
    }

    /// A clock time, with its day if that is not the day of `now_ms`.
    pub fn moment(&self, unix_ms: u64, now_ms: u64, seconds: bool) -> Markup {
        let (Some(at), Some(now)) = (timestamp(unix_ms), timestamp(now_ms)) else { return html! {} };
        let (local, today) = (at.to_zoned(self.zone.clone()), now.to_zoned(self.zone.clone()));
        if local.date() == today.date() {
            return self.clock(unix_ms, seconds);
        }
        html! {
            time datetime=(at.strftime("%Y-%m-%dT%H:%M:%SZ")) { (local.strftime("%-d %b, %H:%M")) (self.suffix) }
        }
    }
}

/// A length of time, rounded outwards: "under 40 seconds", "under 5 hours".
pub fn under(ms: u64) -> String {
    let (unit_ms, unit) = match ms {
        0..=99_999 => (1_000, "second"),
        100_000..=5_999_999 => (60_000, "minute"),
        6_000_000..=172_799_999 => (3_600_000, "hour"),
        _ => (86_400_000, "day"),
    };
    // the next whole number: "under" must stay true at the edge
    let mut count = ms / unit_ms + 1;
    if unit == "second" && count > 10 {
        count = count.next_multiple_of(5);
    }
    format!("under {count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// The least time that something takes, rounded down: "about 4 hours".
pub fn least(ms: u64) -> String {
    let (unit_ms, unit) = match ms {
        0..=99_999 => (1_000, "second"),
        100_000..=5_999_999 => (60_000, "minute"),
        6_000_000..=172_799_999 => (3_600_000, "hour"),
        _ => (86_400_000, "day"),
    };
    let count = (ms / unit_ms).max(1);
    format!("about {count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// How long until something comes: "4 s" when it is near, "under 55 minutes" when it is not.
pub fn until(ms: u64) -> String {
    if ms < 100_000 { format!("{} s", ms.div_ceil(1_000).max(1)) } else { under(ms) }
}

fn timestamp(unix_ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(unix_ms).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOV_14: i64 = 1_794_642_000; // 2026-11-14T07:40:00Z

    #[test]
    fn as_exact_as_stated() {
        let zone = Zone { zone: TimeZone::fixed(jiff::tz::offset(-8)), suffix: "" };
        let minute = zone.published(Some(When { unix: NOV_14, grain: Grain::Minute })).into_string();
        assert_eq!(minute, "<time datetime=\"2026-11-14T07:40Z\">13 Nov 2026, 23:40</time>");
        let day =
            zone.published(Some(When { unix: NOV_14 - 7 * 3600 - 40 * 60, grain: Grain::Day })).into_string();
        assert_eq!(day, "<time datetime=\"2026-11-14\">14 Nov 2026</time>");
        assert!(zone.published(None).into_string().contains("date not given"));
        assert!(
            zone.published(Some(When { unix: i64::MAX, grain: Grain::Day }))
                .into_string()
                .contains("not given")
        );
    }

    #[test]
    fn another_day_is_named() {
        let now = NOV_14 as u64 * 1000;
        assert!(Zone::utc().moment(now + 60_000, now, false).into_string().contains(">07:41 UTC<"));
        assert!(
            Zone::utc().moment(now + 86_400_000, now, false).into_string().contains(">15 Nov, 07:40 UTC<")
        );
        assert_eq!(Zone::utc().clock(u64::MAX, false).into_string(), "");
    }

    #[test]
    fn the_least_is_rounded_down() {
        assert_eq!(least(0), "about 1 second");
        assert_eq!(least(4 * 3_600_000 + 59 * 60_000), "about 4 hours");
        assert_eq!(least(49 * 3_600_000), "about 2 days");
    }

    #[test]
    fn lengths_are_rounded_outwards() {
        assert_eq!(under(4_100), "under 5 seconds");
        assert_eq!(under(31_000), "under 35 seconds");
        assert_eq!(under(4 * 3_600_000 + 12 * 60_000), "under 5 hours");
        assert_eq!(under(3 * 86_400_000), "under 4 days");
        assert_eq!(under(500), "under 1 second");
        assert_eq!([until(3_200), until(0), until(3_200_000)], ["4 s", "1 s", "under 54 minutes"]);
    }
}
