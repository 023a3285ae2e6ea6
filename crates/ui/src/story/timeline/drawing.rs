//! The line of days. Downwards, so that it is as easy to read and to touch on a phone as beside the table.

use std::collections::BTreeMap;

use maud::{Markup, html};
use proto::analysis::{Grain, Status};

use super::{Row, told};
use crate::story::{
    axis::{Axis, LINE},
    days,
    evidence::count,
};

/// Width of the drawing, in its units: about a pixel each.
const WIDTH: u32 = 330;
/// Where the line stands; dates are on its left.
const AXIS: u32 = 100;
/// Room of a mark with its number.
const MARK: u32 = 44;
/// Room of a stretch of days.
const BAR: u32 = 30;
/// Stretches side by side; more are in the table only.
const BARS: usize = 4;
/// Events drawn; more are in the table only.
const EVENTS: usize = 120;
/// Free space above and below.
const EDGE: u32 = 18;

/// What is drawn of an event.
enum Shape {
    /// A day's mark: its place in the day, from 0.
    Mark(u32),
    /// A stretch in one of the lanes.
    Bar(u32),
}

/// The drawing, with what its marks mean.
pub(super) fn drawing(rows: &[Row<'_>]) -> Markup {
    let rows = &rows[..rows.len().min(EVENTS)];
    let one_day = |row: &&Row<'_>| row.event.first == row.event.last;
    let bars = lanes(rows);
    let left = AXIS + 14 + BAR * bars.values().max().map_or(0, |most| most + 1);
    let across = ((WIDTH - left) / MARK).max(1);
    let mut lines: BTreeMap<i32, u32> = BTreeMap::new();
    for row in rows {
        lines.entry(row.event.first).or_default();
        lines.entry(row.event.last).or_default();
    }
    let mut shapes = Vec::new();
    for row in rows {
        if one_day(&row) {
            let marks = lines.entry(row.event.first).or_default();
            shapes.push((row, Shape::Mark(*marks)));
            *marks += 1;
        } else if let Some(lane) = bars.get(&row.number) {
            shapes.push((row, Shape::Bar(*lane)));
        }
    }
    lines.values_mut().for_each(|marks| *marks = marks.div_ceil(across));
    let axis = Axis::new(&lines);
    let labels = labels(rows, &axis);
    html! {
        figure.timeline {
            svg viewBox={ "0 0 " (WIDTH) " " (axis.length + 2 * EDGE - LINE / 2) } role="group" aria-labelledby="line-title" {
                title #line-title { "A line of days. Each mark leads to its row in the table." }
                (line(&axis))
                @for (y, label) in &labels {
                    line.rule x1=(AXIS - 4) x2=(AXIS + 4) y1=(y) y2=(y) {}
                    text.tick x=(AXIS - 12) y=(y + 4) text-anchor="end" { (label) }
                }
                @for (row, shape) in &shapes {
                    @if let (Some(top), Some(end)) = (axis.at(row.event.first), axis.at(row.event.last)) {
                        // The table beside it has all of this: the keyboard need not walk it twice.
                        a href={ "#e-" (row.number) } tabindex="-1" aria-label=(name(row)) {
                            @match shape {
                                Shape::Mark(place) => {
                                    (mark(row, left + 10 + place % across * MARK, EDGE + top + place / across * LINE))
                                }
                                Shape::Bar(lane) => (bar(row, AXIS + 20 + lane * BAR, EDGE + top, EDGE + end)),
                            }
                        }
                    }
                }
            }
            figcaption {
                ul.keys {
                    @for status in [Status::Happened, Status::Planned, Status::Uncertain, Status::NotHappened] {
                        li {
                            svg.key viewBox="0 0 24 24" aria-hidden="true" { (sign(status, 12, 12)) }
                            (told(status))
                        }
                    }
                }
                p { "Numbers: how many outlets tell of it." }
                @if shapes.len() < rows.len() || rows.len() == EVENTS { p { "More is in the table." } }
            }
        }
    }
}

/// Stretches in lanes, the first lane that is free. By the row's number.
fn lanes(rows: &[Row<'_>]) -> BTreeMap<usize, u32> {
    let mut ends: Vec<i32> = Vec::new();
    let mut lanes = BTreeMap::new();
    let stretches = rows.iter().filter(|row| row.event.first < row.event.last);
    let mut stretches: Vec<_> = stretches.collect();
    stretches.sort_by_key(|row| (row.event.first, row.event.last));
    for row in stretches {
        let free = ends.iter().position(|end| *end < row.event.first).unwrap_or(ends.len());
        if free == BARS {
            continue;
        }
        ends.truncate(BARS);
        if free == ends.len() {
            ends.push(row.event.last);
        } else {
            ends[free] = row.event.last;
        }
        lanes.insert(row.number, u32::try_from(free).unwrap_or(0));
    }
    lanes
}

/// The line itself, broken where days are left out.
fn line(axis: &Axis) -> Markup {
    let mut from = 0;
    let mut parts = Vec::new();
    for (at, _) in &axis.breaks {
        parts.push((from, at.saturating_sub(LINE / 3)));
        from = at + LINE / 3;
    }
    parts.push((from, axis.length.saturating_sub(LINE / 2)));
    html! {
        @for (from, to) in parts { line.rule x1=(AXIS) x2=(AXIS) y1=(EDGE + from) y2=(EDGE + to) {} }
        @for (at, days) in &axis.breaks {
            @let y = EDGE + at;
            path.rule d={ "M" (AXIS - 6) " " (y - 3) "l12 -5M" (AXIS - 6) " " (y + 8) "l12 -5" } {}
            text.tick.gap x=(AXIS - 12) y=(y + 4) text-anchor="end" { (count(usize::try_from(*days).unwrap_or(0), "day")) }
        }
    }
}

/// What stands beside the line: days that are named, and months where no day is.
fn labels(rows: &[Row<'_>], axis: &Axis) -> Vec<(u32, String)> {
    let mut labels = Vec::new();
    let mut before = None;
    for (day, at) in axis.stops() {
        let fine = |row: &Row<'_>| row.event.grain >= Grain::Week;
        let named = rows.iter().any(|row| fine(row) && [row.event.first, row.event.last].contains(&day));
        let begins = rows.iter().any(|row| row.event.first == day);
        let label = match days::month(day) {
            Some(month) if begins && !named => month,
            _ if begins || named => days::short(day, days::year(day) != before),
            _ => continue,
        };
        labels.push((EDGE + at, label));
        before = days::year(day);
    }
    labels
}

/// What a mark is called: "Wednesday, 14 October 2026, told as past, 5 outlets".
fn name(row: &Row<'_>) -> String {
    let event = row.event;
    format!("{}, {}, {}", days::words(event), told(event.status), count(row.outlets.len(), "outlet"))
}

fn mark(row: &Row<'_>, x: u32, y: u32) -> Markup {
    html! {
        // as large as a finger needs
        rect.touch x=(x - 13) y=(y - 13) width="40" height="26" {}
        (sign(row.event.status, x, y))
        text.tick x=(x + 13) y=(y + 4) { (row.outlets.len()) }
    }
}

/// The sign of a status: filled, hollow, dashed, crossed.
fn sign(status: Status, x: u32, y: u32) -> Markup {
    html! {
        circle class=(class(status)) cx=(x) cy=(y) r="8" {}
        @if status == Status::NotHappened { (cross(x, y)) }
    }
}

fn bar(row: &Row<'_>, x: u32, top: u32, end: u32) -> Markup {
    let middle = top.midpoint(end);
    html! {
        rect class=(class(row.event.status)) x=(x - 5) y=(top.saturating_sub(6)) width="10" height=(end - top + 12) rx="5" {}
        @if row.event.status == Status::NotHappened { (cross(x, middle)) }
        text.tick x=(x + 8) y=(middle + 4) { (row.outlets.len()) }
    }
}

fn cross(x: u32, y: u32) -> Markup {
    html! { path.cross d={ "M" (x - 9) " " (y - 9) "l18 18m0 -18l-18 18" } {} }
}

fn class(status: Status) -> &'static str {
    match status {
        Status::Happened => "past",
        Status::Planned => "planned",
        Status::Uncertain => "uncertain",
        Status::NotHappened => "crossed",
    }
}
