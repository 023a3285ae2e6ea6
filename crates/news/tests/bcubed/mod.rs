//! BCubed: for each item, how pure and how complete the group it was put into is; averaged over the items.
//!
//! Bagga and Baldwin, "Entity-based cross-document coreferencing using the vector space model" (1998).

use std::collections::BTreeMap;

/// Precision, recall and F1 of pairs of (true group, group it was put into).
pub(crate) fn bcubed(items: &[(String, [u8; 16])]) -> (f64, f64, f64) {
    let mut by_truth: BTreeMap<&str, f64> = BTreeMap::new();
    let mut by_story: BTreeMap<[u8; 16], f64> = BTreeMap::new();
    let mut by_both: BTreeMap<(&str, [u8; 16]), f64> = BTreeMap::new();
    for (truth, story) in items {
        *by_truth.entry(truth).or_default() += 1.0;
        *by_story.entry(*story).or_default() += 1.0;
        *by_both.entry((truth, *story)).or_default() += 1.0;
    }
    let (mut precision, mut recall) = (0.0, 0.0);
    for (truth, story) in items {
        let both = by_both[&(truth.as_str(), *story)];
        precision += both / by_story[story];
        recall += both / by_truth[truth.as_str()];
    }
    let n = items.len() as f64;
    let (precision, recall) = (precision / n, recall / n);
    (precision, recall, 2.0 * precision * recall / (precision + recall))
}
