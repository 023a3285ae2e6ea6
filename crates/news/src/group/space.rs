//! The space articles are compared in: term numbers, how many articles use each term, and what a term is worth.

use foldhash::HashMap;

use super::terms::Terms;

/// Weights by term number, in rising order of the number.
pub(crate) type Vector = Vec<(u32, f32)>;

/// Articles an imagined earlier collection had. With few articles seen, their own counts say little: five articles on
/// one event would make that event's names the least telling words of all. The imagined ones steady the first days of a
/// press and fade as real ones come.
const PRIOR_ARTICLES: f32 = 400.0;
/// In how many of the imagined articles a term stood.
const PRIOR_USES: f32 = 3.0;

/// Term numbers and counts.
#[derive(Debug, Default)]
pub(super) struct Space {
    numbers: HashMap<String, u32>,
    uses: Vec<u32>,
    articles: u32,
}

impl Space {
    /// Takes one more article's terms into the counts.
    pub(super) fn learn(&mut self, terms: &Terms) -> Vector {
        self.articles = self.articles.saturating_add(1);
        let mut vector: Vector = terms
            .iter()
            .map(|(term, weight)| {
                let number = self.numbers.get(term).copied().unwrap_or_else(|| {
                    let next = self.uses.len() as u32;
                    self.numbers.insert(term.to_owned(), next);
                    self.uses.push(0);
                    next
                });
                self.uses[number as usize] += 1;
                (number, weight)
            })
            .collect();
        vector.sort_unstable_by_key(|&(number, _)| number);
        vector
    }

    /// Forgets the terms that few articles used, but for `needed`. Returns the new number of each that stays, in the same order.
    pub(super) fn forget(&mut self, needed: impl Iterator<Item = u32>) -> HashMap<u32, u32> {
        /// Of so many articles one must have used a term that stays by itself; and more than one in all.
        const RARE: u32 = 20_000;
        let mut stays: Vec<bool> =
            self.uses.iter().map(|&uses| uses > 1 && uses.saturating_mul(RARE) >= self.articles).collect();
        needed.for_each(|number| stays[number as usize] = true);
        let kept = (0..).zip(&stays).filter(|(_, stays)| **stays).map(|(number, _)| number);
        let numbers: HashMap<u32, u32> = kept.zip(0..).collect();
        self.numbers.retain(|_, number| numbers.get(number).map(|new| *number = *new).is_some());
        let mut at = 0;
        self.uses.retain(|_| {
            at += 1;
            stays[at - 1]
        });
        numbers
    }

    /// How many terms are known.
    #[cfg(test)]
    pub(super) fn terms(&self) -> usize {
        self.numbers.len()
    }

    /// What a term is worth: the rarer, the more. Never negative.
    pub(super) fn worth(&self, number: u32) -> f32 {
        let uses = self.uses[number as usize] as f32;
        ((self.articles as f32 + PRIOR_ARTICLES) / (uses + PRIOR_USES)).ln().max(0.0)
    }

    /// Each weight times its term's worth, the whole scaled to length 1. Empty for a vector without worth.
    pub(super) fn unit(&self, vector: &[(u32, f32)]) -> Vector {
        let valued: Vector = vector.iter().map(|&(n, weight)| (n, weight * self.worth(n))).collect();
        let length = valued.iter().map(|(_, w)| w * w).sum::<f32>().sqrt();
        if length <= f32::EPSILON {
            return Vector::new();
        }
        valued.into_iter().map(|(n, w)| (n, w / length)).collect()
    }
}

/// The product of two vectors: for two of length 1, how alike they are, 0 to 1.
pub(crate) fn product(a: &[(u32, f32)], b: &[(u32, f32)]) -> f32 {
    let (mut i, mut j, mut sum) = (0, 0, 0.0);
    // Which of the two goes on is by chance: no branch, which could not be foretold.
    while let (Some(left), Some(right)) = (a.get(i), b.get(j)) {
        if left.0 == right.0 {
            sum += left.1 * right.1;
        }
        i += usize::from(left.0 <= right.0);
        j += usize::from(right.0 <= left.0);
    }
    sum
}

/// The square of the length of what `a` has in the terms of `b`.
pub(super) fn shared(a: &[(u32, f32)], b: &[(u32, f32)]) -> f32 {
    let (mut j, mut sum) = (0, 0.0);
    for (term, weight) in a {
        j += b[j..].partition_point(|(other, _)| other < term);
        if b.get(j).is_some_and(|(other, _)| other == term) {
            sum += weight * weight;
        }
    }
    sum
}

/// Adds `b` to `a`.
pub(super) fn add(a: &mut Vector, b: &[(u32, f32)]) {
    let mut sum = Vector::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let left = a.get(i).map_or(u32::MAX, |e| e.0);
        let right = b.get(j).map_or(u32::MAX, |e| e.0);
        match left.cmp(&right) {
            std::cmp::Ordering::Less => {
                sum.push(a[i]);
                i += 1;
            }
            std::cmp::Ordering::Greater => {
                sum.push(b[j]);
                j += 1;
            }
            std::cmp::Ordering::Equal => {
                sum.push((left, a[i].1 + b[j].1));
                i += 1;
                j += 1;
            }
        }
    }
    *a = sum;
}
