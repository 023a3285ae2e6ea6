//! The layered graph: origins on the left, outlets on the right, ordered so that few lines cross.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::Row;
use crate::{
    story::{article::anchor, evidence::View},
    text::beginning,
};

/// Units of the drawing, about a pixel each: its width, where lines begin and end, the height of a name.
const WIDTH: u32 = 360;
const LEFT: u32 = 138;
const RIGHT: u32 = 232;
const HEIGHT: u32 = 40;
/// How many characters of a name fit into a line; there are two.
const LINE: usize = 19;
/// Origins and outlets drawn; more are in the table only.
const NODES: usize = 40;
/// Rounds of ordering. Small graphs settle in two or three.
const ROUNDS: usize = 4;
/// Up to so many lines it is worth to begin the ordering anew; among more nobody follows one by eye.
const FOLLOWED: usize = 120;

/// A line of the graph, from a place on the left to one on the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edge {
    left: usize,
    right: usize,
    stated: bool,
}

/// The drawing. The table beside it says the same.
pub(super) fn graph(view: &View<'_>, rows: &[Row<'_>]) -> Markup {
    let rows = &rows[..rows.len().min(NODES)];
    let mut outlets: Vec<u32> = rows.iter().flat_map(|row| &row.carriers).map(|it| it.article).collect();
    outlets.sort_unstable();
    outlets.dedup();
    let whole = rows.len() < NODES && outlets.len() <= NODES;
    outlets.truncate(NODES);
    let place: BTreeMap<u32, usize> = outlets.iter().enumerate().map(|(place, it)| (*it, place)).collect();
    let edges: Vec<Edge> = rows
        .iter()
        .enumerate()
        .flat_map(|(left, row)| row.carriers.iter().map(move |it| (left, it)))
        .filter_map(|(left, it)| {
            Some(Edge { left, right: *place.get(&it.article)?, stated: !it.stated.is_empty() })
        })
        .collect();
    let (lefts, rights) = order(rows.len(), outlets.len(), &edges);
    let height = HEIGHT * units(rows.len().max(outlets.len()));
    let y = |place: usize, of: usize| height * (2 * units(place) + 1) / (2 * units(of));
    html! {
        figure.graph {
            svg viewBox={ "0 0 " (WIDTH) " " (height) } role="group" aria-labelledby="graph-title" {
                title #graph-title { "Origins on the left, the outlets that carry them on the right. The table has the same." }
                @for edge in &edges {
                    @let (from, to) = (y(lefts[edge.left], rows.len()), y(rights[edge.right], outlets.len()));
                    @let middle = LEFT.midpoint(RIGHT);
                    path.edge.inferred[!edge.stated]
                        d={ "M" (LEFT) " " (from) "C" (middle) " " (from) " " (middle) " " (to) " " (RIGHT) " " (to) } {}
                }
                @for (place, row) in in_order(&lefts, rows).into_iter().enumerate() {
                    @let y = y(place, rows.len());
                    // The table beneath has all of this: the keyboard need not walk it twice.
                    a href={ "#o-" (row.number) } tabindex="-1" { (node(&row.origin.name, LEFT, y, true)) }
                }
                @for (place, outlet) in in_order(&rights, &outlets).into_iter().enumerate() {
                    @if let Some(article) = view.articles.get(*outlet as usize) {
                        a href={ "#" (anchor(article)) } tabindex="-1" {
                            (node(&article.outlet, RIGHT, y(place, outlets.len()), false))
                        }
                    }
                }
            }
            figcaption {
                ul.keys {
                    @for (inferred, words) in [(false, "the outlet says so"), (true, "inferred from its words")] {
                        li {
                            svg.key viewBox="0 0 24 24" aria-hidden="true" { path.edge.inferred[inferred] d="M0 12h24" {} }
                            (words)
                        }
                    }
                }
                @if !whole { p { "More is in the table." } }
            }
        }
    }
}

fn node(name: &str, x: u32, y: u32, left: bool) -> Markup {
    let lines = lines(name);
    let (text, side) = if left { (x - 10, "end") } else { (x + 10, "start") };
    let top = if lines.len() > 1 { y - 4 } else { y + 4 };
    html! {
        rect.touch x=(if left { 0 } else { x - 6 }) y=(y - 14) width=(LEFT.max(WIDTH - RIGHT) - 2) height="28" {}
        circle.node cx=(x) cy=(y) r="4" {}
        text.tick y=(top) text-anchor=(side) {
            @for (n, line) in lines.iter().enumerate() {
                // a blank between lines, for those who hear them, at the end that is not aligned
                @if n > 0 && !left { " " }
                tspan x=(text) dy=(15 * n.min(1)) { @if n > 0 && left { " " } (line) }
            }
        }
    }
}

/// A name in at most two lines.
fn lines(name: &str) -> Vec<String> {
    let name = beginning(name, 2 * LINE);
    if name.chars().count() <= LINE {
        return vec![name];
    }
    let end = name.char_indices().nth(LINE + 1).map_or(name.len(), |(at, _)| at);
    let cut = name[..end].rfind(' ').unwrap_or(end);
    let (first, rest) = name.split_at(cut);
    vec![beginning(first, LINE), beginning(rest.trim_start(), LINE)]
}

/// Where each node stands on its side. Both sides in turn go to the middle of their neighbours, from several beginnings; the
/// order with the fewest crossings is kept.
fn order(lefts: usize, rights: usize, edges: &[Edge]) -> (Vec<usize>, Vec<usize>) {
    let (left, right): (Vec<_>, Vec<_>) = ((0..lefts).collect(), (0..rights).collect());
    let mut best = (crossings(&left, &right, edges), left, right);
    let beginnings = if edges.len() <= FOLLOWED { lefts } else { lefts.min(1) };
    for turned in 0..beginnings {
        let mut left: Vec<_> = (0..lefts).map(|node| (node + turned) % lefts).collect();
        let mut right = best.2.clone();
        for _ in 0..ROUNDS {
            right = settle(&right, edges.iter().map(|it| (it.right, left[it.left])));
            left = settle(&left, edges.iter().map(|it| (it.left, right[it.right])));
            let now = crossings(&left, &right, edges);
            if now < best.0 {
                best = (now, left.clone(), right.clone());
            }
        }
    }
    (best.1, best.2)
}

/// The places of one side's nodes by the mean place of their neighbours; of two with the same mean, as before.
fn settle(places: &[usize], neighbours: impl Iterator<Item = (usize, usize)>) -> Vec<usize> {
    let mut sums = vec![(0, 0); places.len()];
    for (node, place) in neighbours {
        sums[node].0 += place;
        sums[node].1 += 1;
    }
    let mut nodes: Vec<usize> = (0..places.len()).collect();
    // a/b < c/d as ad < cb, exact; a node without neighbours counts as at 0
    nodes.sort_by(|&one, &other| {
        let ((a, b), (c, d)) = (sums[one], sums[other]);
        (a * d.max(1)).cmp(&(c * b.max(1))).then(places[one].cmp(&places[other]))
    });
    let mut settled = vec![0; places.len()];
    for (place, node) in nodes.into_iter().enumerate() {
        settled[node] = place;
    }
    settled
}

/// How many pairs of lines cross.
fn crossings(left: &[usize], right: &[usize], edges: &[Edge]) -> usize {
    let at = |edge: &Edge| (left[edge.left], right[edge.right]);
    let crosses = |(a, b): (usize, usize), (c, d): (usize, usize)| (a < c && b > d) || (a > c && b < d);
    let pairs = edges.iter().enumerate();
    pairs.map(|(n, one)| edges[n + 1..].iter().filter(|other| crosses(at(one), at(other))).count()).sum()
}

/// Things in the order of their places, so that the keyboard goes down the page.
fn in_order<'t, T>(places: &[usize], things: &'t [T]) -> Vec<&'t T> {
    let mut placed: Vec<_> = places.iter().zip(things).collect();
    placed.sort_by_key(|(place, _)| **place);
    placed.into_iter().map(|(_, thing)| thing).collect()
}

fn units(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs.iter().map(|&(left, right)| Edge { left, right, stated: true }).collect()
    }

    #[test]
    fn lines_that_need_not_cross_do_not() {
        let edges = edges(&[(0, 2), (1, 0), (1, 1), (2, 1), (2, 3), (0, 3)]);
        let same: Vec<_> = (0..4).collect();
        assert!(crossings(&same[..3], &same, &edges) > 0);
        let (left, right) = order(3, 4, &edges);
        assert_eq!(crossings(&left, &right, &edges), 0, "{left:?} {right:?}");
    }

    #[test]
    fn crossings_that_must_be_stay_few() {
        let all = edges(&[(0, 0), (0, 1), (1, 0), (1, 1)]);
        let (left, right) = order(2, 2, &all);
        assert_eq!((crossings(&left, &right, &all), left, right), (1, vec![0, 1], vec![0, 1]));
        assert_eq!(order(0, 0, &[]), (vec![], vec![]));
    }

    #[test]
    fn names_take_two_lines_at_most() {
        assert_eq!(lines("Vale Radio"), ["Vale Radio"]);
        assert_eq!(lines("The harbour office's own log"), ["The harbour", "office's own log"]);
        for name in
            ["", &"x".repeat(300), &"a ".repeat(200), "龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍龍"]
        {
            let lines = lines(name);
            assert!(
                lines.len() <= 2 && lines.iter().all(|line| line.chars().count() <= LINE + 1),
                "{lines:?}"
            );
        }
    }
}
