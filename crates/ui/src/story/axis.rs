//! Days on a line, downwards: neighbours keep their distance, long stretches without anything are left out and say so.

use std::collections::BTreeMap;

/// A line of the drawing, in its units.
pub(super) const LINE: u32 = 30;
/// Days without anything that are still drawn as days.
const DRAWN: i64 = 2;

/// Where days stand. Made once of all days that something begins or ends on.
pub(super) struct Axis {
    /// Each day's place, from the top.
    stops: BTreeMap<i32, u32>,
    /// What is left out: where, and how many days.
    pub(super) breaks: Vec<(u32, i64)>,
    /// How long the line is.
    pub(super) length: u32,
}

impl Axis {
    /// `days` with the lines that each needs, at least one.
    pub(super) fn new(days: &BTreeMap<i32, u32>) -> Axis {
        let mut axis = Axis { stops: BTreeMap::new(), breaks: Vec::new(), length: 0 };
        let mut before: Option<i32> = None;
        for (&day, &lines) in days {
            let empty = before.map_or(0, |before| i64::from(day) - i64::from(before) - 1);
            if empty > DRAWN {
                axis.breaks.push((axis.length, empty));
                axis.length += LINE;
            } else {
                axis.length += LINE * u32::try_from(empty).unwrap_or(0);
            }
            axis.stops.insert(day, axis.length);
            axis.length += LINE * lines.max(1);
            before = Some(day);
        }
        axis
    }

    /// A day's place. `None` if nothing begins or ends on it.
    pub(super) fn at(&self, day: i32) -> Option<u32> {
        self.stops.get(&day).copied()
    }

    /// The days that have a place, from the top.
    pub(super) fn stops(&self) -> impl Iterator<Item = (i32, u32)> {
        self.stops.iter().map(|(day, at)| (*day, *at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_days_keep_their_distance_and_far_ones_break_the_line() {
        let axis = Axis::new(&BTreeMap::from([(10, 1), (11, 2), (14, 1), (40, 1)]));
        let places: Vec<_> = axis.stops().map(|(_, at)| at / LINE).collect();
        assert_eq!(places, [0, 1, 5, 7], "a day of two lines is longer; two empty days are drawn");
        assert_eq!((axis.breaks.as_slice(), axis.length), ([(6 * LINE, 25)].as_slice(), 8 * LINE));
        assert_eq!((axis.at(14), axis.at(15)), (Some(5 * LINE), None));
    }

    #[test]
    fn all_of_time_fits() {
        let axis = Axis::new(&BTreeMap::from([(i32::MIN, 1), (i32::MAX, 1)]));
        assert_eq!(axis.breaks, [(LINE, i64::from(u32::MAX) - 1)]);
        assert_eq!(Axis::new(&BTreeMap::new()).length, 0);
    }
}
