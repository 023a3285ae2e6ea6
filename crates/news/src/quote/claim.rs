//! Nouns that introduce words, where no verb does: "Vane’s claim that the boats “rot”".

use super::attribute::{Found, plain};
use super::line::Item;

/// Nouns behind which "that" says what somebody says.
const CLAIMS: &[&str] = &[
    "accusation",
    "accusations",
    "admission",
    "allegation",
    "allegations",
    "argument",
    "assertion",
    "assertions",
    "assurance",
    "assurances",
    "belief",
    "charge",
    "claim",
    "claims",
    "comment",
    "comments",
    "complaint",
    "complaints",
    "concern",
    "concerns",
    "conclusion",
    "contention",
    "criticism",
    "declaration",
    "fear",
    "fears",
    "hope",
    "insistence",
    "notion",
    "pledge",
    "prediction",
    "predictions",
    "promise",
    "remark",
    "remarks",
    "statement",
    "statements",
    "suggestion",
    "suggestions",
    "suspicion",
    "vow",
    "warning",
    "warnings",
];

/// Pronouns that stand for an owner.
pub(super) const OWNERS: &[&str] = &["his", "her", "their", "its"];

/// The attribution by a noun: "Vane’s claim that the boats “rot”".
pub(super) fn claimed(items: &[Item<'_>], from: usize, mark: usize) -> Option<Found> {
    let claim = (from..mark.saturating_sub(1))
        .rev()
        .find(|&at| items[at].says_any(CLAIMS) && items[at + 1].says("that"))?;
    let owner = claim.checked_sub(2).filter(|at| *at >= from && items[at + 1].word.is_possessive());
    let his = claim.checked_sub(1).filter(|at| *at >= from && items[*at].says_any(OWNERS));
    let source = match (owner, his) {
        (Some(owner), _) => {
            let begin = (from..=owner).rev().take_while(|at| items[*at].is_capital()).last().unwrap_or(owner);
            Some(begin..owner + 1)
        }
        (_, Some(his)) => Some(his..his + 1),
        _ => None,
    };
    Some(plain(items, claim..claim + 1, source, claim + 1, mark)).filter(|(_, end)| *end > mark)
}
