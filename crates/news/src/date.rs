//! A text and the day it was published -> its time expressions, each with the piece of the calendar it means.
//!
//! ```text
//! text -> sentences -> words -> phrases (Meaning, Direction) -> resolve with a publication day -> Value
//! ```
//!
//! [`times`] reads what the words say and needs no day. [`resolve`] turns that into days: "on Tuesday" hangs on the day of publication,
//! "two days later" on the last day that the text told of. Without a publication day the first kind stays unresolved, and can be resolved
//! by a second call once somebody has said it; [`published`] infers in which days it must lie.

mod calendar;
mod clause;
mod feast;
mod find;
mod inferred;
mod length;
mod lexicon;
mod phrase;
mod piece;
mod relative;
mod resolve;
mod verb;
mod word;
mod year;

use std::ops::Range;

use jiff::civil::Weekday;

pub use feast::Holiday;
pub use inferred::{Inferred, published};
pub use piece::{Every, Grain, Length, Part, Piece, Season, Unit};
pub use resolve::resolve;

use crate::sentence::sentences;

/// One time expression of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Time {
    /// Its phrase, as bytes of the text: "Tuesday night", without "on".
    pub span: Range<usize>,
    /// What the phrase says by itself.
    pub meaning: Meaning,
    /// The part of the day or the time on the clock that it names too.
    pub hour: Option<Hour>,
    /// What makes it less sharp: "about", "mid-".
    pub hedge: Option<Hedge>,
    /// Whether its clause tells what was, what is to come, or what may be. `None` where the clause does not say.
    pub direction: Option<Direction>,
    /// Whether it is the day of saying ("said on Monday"), and not of what is told.
    pub saying: bool,
    /// What it comes to, after [`resolve`]; before, only what is stated in full.
    pub value: Value,
}

/// What a phrase says before anyone knows the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A piece of the calendar, in full.
    Stated(Piece),
    /// What comes every week or every year, and which one.
    Named(Name, Which),
    /// The piece of this size, so many of them away: "last month", "two days later".
    Away {
        /// The size of the pieces.
        unit: Unit,
        /// How many of them; negative before the anchor.
        by: i32,
        /// What is counted from.
        from: Anchor,
    },
    /// The piece that figures were given for, a year before: "the year-earlier quarter", and "a year ago" behind a quarter.
    YearEarlier(Anchor),
    /// No day at all.
    Reference(Reference),
    /// How long.
    Length(Length),
    /// How often.
    Every(Every),
}

/// What comes every week or every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A day of the week.
    Weekday(Weekday),
    /// Saturday and Sunday.
    Weekend,
    /// Month and day.
    Day(i8, i8),
    /// The week of a month and day.
    WeekOf(i8, i8),
    /// 1 to 12.
    Month(i8),
    /// A season.
    Season(Season),
    /// 1 to 4.
    Quarter(u8),
    /// 1 or 2.
    Half(u8),
    /// A feast.
    Holiday(Holiday),
}

/// Which of those that come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Not said: the clause tells.
    Bare,
    /// The last one that is over.
    Last,
    /// The next one to begin.
    Next,
    /// That of this week or year.
    This,
    /// In the year so many years after that of publication: "July last year".
    Year(i16),
    /// In the week so many weeks after that of publication: "Monday of last week".
    Week(i8),
    /// In this year: "Christmas 1998".
    In(i16),
    /// The first one after the last day told of.
    Following,
    /// The last one before it.
    Preceding,
    /// The one nearest to it.
    That,
}

/// What an expression hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Anchor {
    /// Nothing: it is stated in full, or is no date.
    Absolute,
    /// The day of publication.
    Publication,
    /// The last day that the text told of.
    Narrative,
}

/// No day, but past, present or future.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// recently, in the past.
    Past,
    /// now, currently.
    Present,
    /// soon, in the future.
    Future,
}

/// When in the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hour {
    /// A part of the day.
    Part(Part),
    /// Hour and minute.
    Clock(i8, i8),
}

/// What makes an expression less sharp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hedge {
    /// about, around, nearly.
    About,
    /// more than, over, at least.
    MoreThan,
    /// less than.
    LessThan,
    /// early, earlier, the beginning of.
    Early,
    /// mid, the middle of.
    Mid,
    /// late, later, the end of.
    Late,
}

/// What a clause says of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Was.
    Past,
    /// Is to come: "will", "is due to".
    Planned,
    /// May come or may have been: "could", "might".
    Uncertain,
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A piece of the calendar.
    Piece(Piece),
    /// Past, present or future.
    Reference(Reference),
    /// How long.
    Length(Length),
    /// How often.
    Every(Every),
    /// Needs the day of publication, or a day told of before.
    Unresolved,
}

/// The time expressions of one text, in order. They do not overlap.
pub fn times(text: &str) -> Vec<Time> {
    times_of_sentences(text, &sentences(text))
}

/// The same, of a text that is cut into its sentences already.
pub(crate) fn times_of_sentences(text: &str, sentences: &[Range<usize>]) -> Vec<Time> {
    let mut words = Vec::new();
    let mut found = Vec::new();
    let mut sentences = sentences.iter().peekable();
    while let Some(sentence) = sentences.next() {
        let mut sentence = sentence.clone();
        // "5 p.m. EST" is cut behind "p.m.", for a sentence may end there.
        while text[sentence.clone()].ends_with("m.")
            && let Some(next) = sentences.next_if(|next| word::goes_on_a_clock(&text[(*next).clone()]))
        {
            sentence.end = next.end;
        }
        word::read(text, sentence.start, sentence.end, &mut words);
        find::times(&words, &mut found);
    }
    found
}

impl Time {
    /// What it hangs on.
    pub fn anchor(&self) -> Anchor {
        match self.meaning {
            Meaning::Stated(_) | Meaning::Reference(_) | Meaning::Length(_) | Meaning::Every(_) => {
                Anchor::Absolute
            }
            Meaning::Named(_, Which::In(_)) => Anchor::Absolute,
            Meaning::Named(_, Which::Following | Which::Preceding | Which::That) => Anchor::Narrative,
            Meaning::Named(..) => Anchor::Publication,
            Meaning::Away { from, .. } | Meaning::YearEarlier(from) => from,
        }
    }

    /// The piece of the calendar it means, if it is one and is known.
    pub fn piece(&self) -> Option<Piece> {
        match self.value {
            Value::Piece(piece) => Some(piece),
            _ => None,
        }
    }

    /// TimeML's `type`: DATE, TIME, DURATION or SET.
    pub fn timeml_type(&self) -> &'static str {
        match self.meaning {
            Meaning::Length(_) => "DURATION",
            Meaning::Every(_) => "SET",
            _ if self.hour.is_some() => "TIME",
            _ => "DATE",
        }
    }

    /// TimeML's `value`: 2013-W12, 1998-Q2, PAST_REF, P3D, 1999-10-14TNI. `None` for what is unresolved.
    pub fn timeml(&self) -> Option<String> {
        Some(match self.value {
            Value::Piece(piece) => piece.to_string(),
            Value::Reference(Reference::Past) => "PAST_REF".to_owned(),
            Value::Reference(Reference::Present) => "PRESENT_REF".to_owned(),
            Value::Reference(Reference::Future) => "FUTURE_REF".to_owned(),
            Value::Length(length) => length.to_string(),
            Value::Every(every) => every.to_string(),
            Value::Unresolved => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// The expressions of a text of Wednesday, 16 October 2024, with their values; "?" for what stays unresolved.
    pub(super) fn values(text: &str) -> Vec<(&str, String)> {
        let mut times = times(text);
        resolve(&mut times, Some(date(2024, 10, 16)));
        times
            .iter()
            .map(|time| (&text[time.span.clone()], time.timeml().unwrap_or_else(|| "?".to_owned())))
            .collect()
    }

    /// Checks the expressions of each text: "phrase = value" for each, in order.
    pub(super) fn check(cases: &[(&str, &[&str])]) {
        for (text, wanted) in cases {
            let found: Vec<String> =
                values(text).iter().map(|(phrase, value)| format!("{phrase} = {value}")).collect();
            assert_eq!(found, *wanted, "{text}");
        }
    }

    #[test]
    fn publication_and_narrative_anchors_are_told_apart() {
        let text = "On 3 May 2019 the pier fell. Two days later it rained. The mayor came on Tuesday.";
        let mut times = times(text);
        resolve(&mut times, None);
        let anchors: Vec<Anchor> = times.iter().map(Time::anchor).collect();
        assert_eq!(anchors, [Anchor::Absolute, Anchor::Narrative, Anchor::Publication]);
        assert_eq!(times[1].piece(), Some(Piece::Day(date(2019, 5, 5))));
        assert_eq!(times[2].value, Value::Unresolved);
        // Somebody says the day later.
        resolve(&mut times, Some(date(2019, 5, 9)));
        assert_eq!(times[2].piece(), Some(Piece::Day(date(2019, 5, 7))));
    }

    #[test]
    fn the_kinds_of_timeml_are_told_apart() {
        let text =
            "The choir sang on Monday night for two hours, as it does every week, and will sing on Friday.";
        let kinds: Vec<&str> = times(text).iter().map(Time::timeml_type).collect();
        assert_eq!(kinds, ["TIME", "DURATION", "SET", "DATE"]);
    }

    #[test]
    fn hedges_are_kept() {
        for (text, hedge) in [
            ("It closed in mid-October.", Some(Hedge::Mid)),
            ("It closed about two weeks ago.", Some(Hedge::About)),
            ("It closed in late 2019.", Some(Hedge::Late)),
            ("It closed at the end of May.", Some(Hedge::Late)),
            ("It closed for more than three weeks.", Some(Hedge::MoreThan)),
            ("It closed for less than a day.", Some(Hedge::LessThan)),
            ("It closed earlier this month.", Some(Hedge::Early)),
            ("It closed in May.", None),
        ] {
            let times = times(text);
            assert_eq!(times.len(), 1, "{text}");
            assert_eq!(times[0].hedge, hedge, "{text}");
        }
    }

    #[test]
    fn a_clock_goes_on_behind_its_full_stop() {
        check(&[
            ("The train leaves at 5 p.m. Friday.", &["5 p.m. Friday = 2024-10-18T17:00"]),
            ("It left at 9:05 a.m. EST Monday.", &["9:05 a.m. EST Monday = 2024-10-14T09:05"]),
            ("It left at 9 a.m. Nobody saw it.", &["9 a.m. = 2024-10-16T09:00"]),
        ]);
    }

    #[test]
    fn long_chains_neither_overflow_the_stack_nor_take_the_square_of_their_length() {
        const LONGEST: usize = 256 << 10;
        for chain in [
            "early ",
            "two or ",
            "the end of ",
            "at 5 a.m. ",
            "1,234,",
            "1:1",
            "about the last ",
            "Monday a.m. ",
            "could not Friday ",
            "the quarter ended May 3 ",
            "9",
            "'",
        ] {
            let mut times = times(&chain.repeat(LONGEST / chain.len()));
            resolve(&mut times, Some(date(2024, 10, 16)));
        }
    }

    proptest! {
        #[test]
        fn nothing_panics_and_spans_lie_on_letters(text in "\\PC{0,60}") {
            let mut times = times(&text);
            resolve(&mut times, Some(date(2024, 10, 16)));
            for time in &times {
                prop_assert!(text.get(time.span.clone()).is_some_and(|phrase| !phrase.is_empty()));
            }
        }

        #[test]
        fn order_is_kept_and_nothing_overlaps(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "last", "next", "the", "May", "Oct.", "14", "2019", "9999", "4294967295", "Friday", "week", "weeks", "ago", "a",
                    "half", "1/2", "and", "of", "year", "-", "earlier", "before", "night", "5", "p.m.", "10:30", "quarter", "third",
                    "in", "this", "day", "later", "on", "29", "February", "century", "decades", "fiscal", "will", "said", ",", "1", "s",
                ]),
                0..30,
            ),
            joined in prop::sample::select(vec![" ", "-", ". ", ""]),
            published in prop::option::of((1i16..=9999, 1i8..=12, 1i8..=28)),
        ) {
            let text = words.join(joined);
            let mut times = times(&text);
            resolve(&mut times, published.map(|(year, month, day)| date(year, month, day)));
            prop_assert!(times.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start));
            for time in &times {
                prop_assert!(time.span.end <= text.len());
                if let Some(piece) = time.piece() {
                    let (first, last) = piece.days();
                    prop_assert!(first <= last);
                }
                time.timeml();
            }
            super::published(&times);
        }
    }
}
