//! What was read at some word of a sentence.

use super::piece::{Piece, Unit};
use super::{Anchor, Hedge, Hour, Meaning, Name};

/// A phrase that was read: behind its last word, and what it says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Phrase {
    pub(super) end: usize,
    pub(super) meaning: Meaning,
    pub(super) hour: Option<Hour>,
    pub(super) hedge: Option<Hedge>,
}

impl Phrase {
    pub(super) fn new(end: usize, meaning: Meaning) -> Self {
        Self { end, meaning, hour: None, hedge: None }
    }

    pub(super) fn away(end: usize, unit: Unit, by: i32, from: Anchor) -> Self {
        Self::new(end, Meaning::Away { unit, by, from })
    }

    /// Whether it names days, and not a length or a habit.
    pub(super) fn is_date(&self) -> bool {
        !matches!(self.meaning, Meaning::Length(_) | Meaning::Every(_) | Meaning::Reference(_))
    }
}

/// Whether a meaning is one day, which can have hours.
pub(super) fn is_day(meaning: Meaning) -> bool {
    matches!(
        meaning,
        Meaning::Stated(Piece::Day(_))
            | Meaning::Named(Name::Weekday(_) | Name::Day(..) | Name::Holiday(_), _)
            | Meaning::Away { unit: Unit::Day, .. }
    )
}
