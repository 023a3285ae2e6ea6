//! What was found in a file so far, and what looking on may still cost. A file may be made to hold up who looks at it, or to hide
//! one name among a million.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, More, What};

/// How many findings of one kind are shown. So every kind is seen, however many there are of another.
pub(super) const SHOWN: usize = 10;
/// How many different ones of a kind are kept to be counted.
pub(super) const KEPT: usize = 1_000;
/// The most bytes that are walked in one file and in what is unpacked of it, each pass counted. No honest file comes near.
const WALKED: usize = 256 << 20;
/// How many texts that do not end are read again from within.
const ENDLESS: usize = 64;

pub(super) struct Search {
    found: BTreeMap<What, Kind>,
    left: usize,
    endless: usize,
}

/// What was found of one kind.
#[derive(Default)]
struct Kind {
    texts: BTreeSet<String>,
    is_full: bool,
}

impl Default for Search {
    fn default() -> Self {
        Self { found: BTreeMap::new(), left: WALKED, endless: 0 }
    }
}

impl Search {
    /// Something to tell, unless it is blank.
    pub(super) fn tell(&mut self, what: What, text: &str) {
        let finding = Finding::new(what, text);
        if !finding.text.is_empty() {
            self.take(finding);
        }
    }

    /// That it is there, with nothing to show of it.
    pub(super) fn mark(&mut self, what: What) {
        self.take(Finding::new(what, ""));
    }

    pub(super) fn take(&mut self, Finding { what, text }: Finding) {
        let kind = self.found.entry(what).or_default();
        if kind.texts.len() < KEPT {
            kind.texts.insert(text);
        } else {
            kind.is_full |= !kind.texts.contains(&text);
        }
    }

    /// Of these bytes those that may still be walked. They count as walked.
    pub(super) fn walk<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let bytes = &bytes[..bytes.len().min(self.left)];
        self.left -= bytes.len();
        bytes
    }

    /// A text did not end. `true`: so many did not that what one of them took is not walked again.
    pub(super) fn gives_up(&mut self) -> bool {
        self.endless += 1;
        self.endless > ENDLESS
    }

    #[cfg(test)]
    pub(super) fn walked(&self) -> usize {
        WALKED - self.left
    }

    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.found.values().map(|kind| kind.texts.len()).sum()
    }

    /// What a screen shows: of each kind the first, in order, and how many more there are.
    pub(super) fn end(self) -> (Vec<Finding>, Vec<More>) {
        let (mut found, mut more) = (Vec::new(), Vec::new());
        for (what, Kind { texts, is_full }) in self.found {
            if texts.len() > SHOWN {
                more.push(More { what, count: texts.len() - SHOWN, at_least: is_full });
            }
            found.extend(texts.into_iter().take(SHOWN).map(|text| Finding { what, text }));
        }
        (found, more)
    }
}
