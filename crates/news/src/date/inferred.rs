//! When an article without a date must have been published.

use jiff::civil::Date;

use super::{Direction, Grain, Time};

/// The days that the publication must lie in: reckoned from the text, never stated by anyone, and to be labelled so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inferred {
    /// The last thing that the text tells of as past had begun by then.
    pub first: Date,
    /// The first thing that it tells of as planned was not over. Absent where no plan has a day.
    pub last: Option<Date>,
}

/// Infers the days of publication from the times of an article that were resolved without one. `None`: it needs a date.
///
/// Whole years tell too little, and are left out. Where past and planned contradict each other, the past is believed: plans are
/// misread more often.
pub fn published<'a>(times: impl IntoIterator<Item = &'a Time>) -> Option<Inferred> {
    let (mut first, mut last) = (None::<Date>, None::<Date>);
    for time in times {
        let Some(piece) = time.piece().filter(|piece| piece.grain() >= Grain::Half) else { continue };
        let (begin, end) = piece.days();
        match time.direction {
            Some(Direction::Past) => first = first.max(Some(begin)),
            Some(Direction::Planned) => last = Some(last.map_or(end, |last| last.min(end))),
            Some(Direction::Uncertain) | None => {}
        }
    }
    let first = first?;
    Some(Inferred { first, last: last.filter(|last| *last >= first) })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::date::{resolve, times};

    fn inferred(text: &str) -> Option<Inferred> {
        let mut times = times(text);
        resolve(&mut times, None);
        published(&times)
    }

    #[test]
    fn a_text_tells_when_it_was_published_at_the_earliest_and_at_the_latest() {
        let both = inferred(
            "The mill burned on 3 March 2019. A week later the owner left. It will reopen on 1 May 2019.",
        );
        assert_eq!(both, Some(Inferred { first: date(2019, 3, 4), last: Some(date(2019, 5, 1)) }));
        let open = inferred("The mill burned in March 2019.");
        assert_eq!(open, Some(Inferred { first: date(2019, 3, 1), last: None }));
    }

    #[test]
    fn a_text_that_tells_of_no_day_needs_a_date() {
        assert_eq!(inferred("The mill burned on Tuesday and will reopen next year."), None);
        assert_eq!(inferred("The mill was built in 1920."), None);
        assert_eq!(inferred("It may reopen on 1 May 2019."), None);
    }
}
