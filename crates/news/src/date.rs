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
mod find;
mod inferred;
mod lexicon;
mod piece;
mod relative;
mod resolve;
mod word;

use std::ops::Range;

use jiff::civil::Weekday;

pub use inferred::{Inferred, published};
pub use lexicon::Holiday;
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
    Away { unit: Unit, by: i32, from: Anchor },
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
    Weekday(Weekday),
    Weekend,
    /// Month and day.
    Day(i8, i8),
    /// The week of a month and day.
    WeekOf(i8, i8),
    Month(i8),
    Season(Season),
    Quarter(u8),
    Half(u8),
    Holiday(Holiday),
}

/// Which of those that come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Not said: the clause tells.
    Bare,
    Last,
    Next,
    This,
    /// In the year so many years after that of publication: "July last year".
    Year(i16),
    /// In this year: "Christmas 1998".
    In(i16),
    /// After, before or nearest to the last day told of.
    Following,
    Preceding,
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
    Past,
    Present,
    Future,
}

/// When in the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hour {
    Part(Part),
    /// Hour and minute.
    Clock(i8, i8),
}

/// What makes an expression less sharp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hedge {
    /// about, around, nearly.
    About,
    MoreThan,
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
    Past,
    /// Is to come: "will", "is due to".
    Planned,
    /// May come or may have been: "could", "might".
    Uncertain,
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Piece(Piece),
    Reference(Reference),
    Length(Length),
    Every(Every),
    /// Needs the day of publication, or a day told of before.
    Unresolved,
}

/// The time expressions of one text, in order. They do not overlap.
pub fn times(text: &str) -> Vec<Time> {
    let mut words = Vec::new();
    let mut found = Vec::new();
    let mut sentences = sentences(text).into_iter().peekable();
    while let Some(mut sentence) = sentences.next() {
        // "5 p.m. EST" is cut behind "p.m.", for a sentence may end there.
        while text[sentence.clone()].ends_with("m.")
            && let Some(next) = sentences.next_if(|next| word::goes_on_a_clock(&text[next.clone()]))
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
            Meaning::Stated(_) | Meaning::Reference(_) | Meaning::Length(_) | Meaning::Every(_) => Anchor::Absolute,
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
