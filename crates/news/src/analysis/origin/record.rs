//! What stands in a paper that is open to everybody.

use proto::analysis::OriginKind;

use super::part::{MEDIA, OPEN, PAPER, RECORD};
use super::{Line, Origins, Stated};
use crate::word::Class;

/// So many words from a paper to the verb that says what it tells, and from "in" to the paper.
const REACH: usize = 4;

/// Before "minutes" that are no time.
const MEETS: &[&str] = &["board", "cabinet", "committee", "council", "its", "meeting", "the", "their", "to"];

impl Line<'_, '_> {
    /// "filings", "court documents", "the land register"; no "five minutes", and no outlet that is called a register.
    pub(super) fn is_record(&self, at: usize) -> bool {
        let open = at > 0 && self.is(at - 1, OPEN);
        if self.says(at, "minutes") {
            return at > 0
                && (MEETS.iter().any(|it| self.says(at - 1, it)) || self.words[at - 1].is_possessive());
        }
        // "the gazette" is an outlet sooner than a register.
        let plain = self.words.get(at).is_some_and(|word| !word.is_capital()) && !self.is(at, MEDIA);
        self.is(at, RECORD) && (plain || open) || self.is(at, PAPER) && open
    }

    /// Where the name of a record begins: "the minutes" at the paper itself, "court filings" a word before.
    pub(super) fn record_begin(&self, at: usize) -> usize {
        at - usize::from(at > 0 && self.is(at - 1, OPEN))
    }
}

impl Origins<'_, '_> {
    /// "court records show", "in a filing"
    pub(super) fn record(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        const TELLS: &[&str] = &[
            "list", "lists", "reveal", "reveals", "said", "say", "says", "show", "showed", "shows", "state",
            "states",
        ];
        if !line.is_record(at) {
            return None;
        }
        let from = line.record_begin(at);
        let name = |bytes| Some(self.plain(line, OriginKind::Record, from..at + 1, bytes));
        let ends = |at: &usize| line.words.get(*at).is_some_and(|word| !word.is_sign());
        let tells = |at: &usize| TELLS.iter().any(|it| line.says(*at, it));
        if let Some(verb) = (at + 1..at + 1 + REACH).take_while(ends).find(tells) {
            return name(line.bytes(from..verb + 1));
        }
        // "in the last minutes", "in the tender" tell a time and a matter.
        let place = !["minutes", "tender", "tenders", "verdict"].iter().any(|it| line.says(at, it));
        let opens =
            (from.saturating_sub(REACH)..from).rev().find(|at| line.says(*at, "in")).filter(|_| place)?;
        let determined = (opens + 1..at).any(|at| line.class(at, Class::DETERMINER));
        // "in response to the filings" is about them.
        let about = (opens + 1..from).any(|at| line.class(at, Class::PREPOSITION) || line.says(at, "to"));
        if determined && !about && line.is_plain(opens + 1..from) {
            name(line.bytes(opens..at + 1))
        } else {
            None
        }
    }
}
