//! What an outlet says it saw, heard or learned itself.

use std::ops::Range;

use proto::analysis::OriginKind;

use super::part::{LEARNED, MEDIA, REPORTER, SAW};
use super::{Line, Medium, Origins, Stated, bare};

/// So many words from who works for an outlet to what they saw.
const REACH: usize = 5;

impl Line<'_, '_> {
    /// "this newspaper", "our correspondent": the article's own outlet. The place behind it.
    pub(super) fn itself(&self, at: usize) -> Option<usize> {
        let ours = self.says(at, "this") && self.is(at + 1, MEDIA)
            || self.says(at, "our") && self.is(at + 1, MEDIA | REPORTER);
        ours.then_some(at + 2)
    }

    /// "has learned": the place behind it.
    fn learned(&self, at: usize) -> Option<usize> {
        let has = ["has", "have", "had"].iter().any(|it| self.says(at, it));
        if has && self.is(at + 1, LEARNED) {
            return Some(at + 2);
        }
        (self.says(at, "understands")).then_some(at + 1)
    }
}

impl Origins<'_, '_> {
    /// "the Orford Gazette has learned", "a reporter for the Gazette saw", "this newspaper has seen a memo", "we watched"
    pub(super) fn own(&self, line: &Line<'_, '_>, at: usize) -> Option<Stated> {
        let saw = |from: usize| {
            (from..from + REACH).take_while(|at| !line.says(*at, "that")).find(|at| line.is(*at, SAW))
        };
        if let Some(behind) = line.itself(at).or_else(|| line.says(at, "we").then_some(at + 1)) {
            let here = line.is(behind, SAW).then_some(behind + 1);
            // "our correspondent in Orford saw"
            let end = line.learned(behind).or(here);
            let end = end.or_else(|| saw(behind).filter(|_| line.says(at, "our")).map(|at| at + 1))?;
            return Some(self.learned_or_had(line, at..end, None));
        }
        if line.is(at, REPORTER) {
            let (name, behind) = self.employer(line, at)?;
            let end = saw(behind)? + 1;
            return Some(self.learned_or_had(line, at..end, name));
        }
        let (name, behind) = line.name(at)?;
        // An agency may be one of a state, which finds things out too.
        let hears = self.is_outlet(name) && !line.says(behind - 1, "agency");
        let end = line.learned(behind).filter(|_| hears)?;
        Some(self.learned_or_had(line, at..end, Some(name)))
    }

    /// Whom a reporter works for, and the place behind that: "a reporter for the Gazette", "a Gazette reporter", "the Gazette’s
    /// reporter".
    fn employer(&self, line: &Line<'_, '_>, at: usize) -> Option<(Option<usize>, usize)> {
        if ["for", "from", "of", "with"].iter().any(|it| line.says(at + 1, it)) {
            let the = usize::from(line.says(at + 2, "the"));
            if line.itself(at + 2).is_some() {
                return Some((None, at + 4));
            }
            let (name, end) = line.name(at + 2 + the).filter(|(name, _)| self.is_outlet(*name))?;
            return Some((Some(name), end));
        }
        let ends = |begin: &usize| {
            line.name(*begin).is_some_and(|(name, end)| {
                let owner = end + 1 == at && line.words[end].is_possessive();
                (end == at || owner) && self.is_outlet(name)
            })
        };
        let begin = (at.saturating_sub(REACH)..at).find(ends)?;
        Some((line.name(begin).map(|(name, _)| name), at + 1))
    }

    /// What the outlet has: a recording or a paper if the sentence goes on with one, or what it knows. `None`: the article's own.
    fn learned_or_had(&self, line: &Line<'_, '_>, range: Range<usize>, name: Option<usize>) -> Stated {
        let last = range.end - 1;
        let had = ["obtained", "reviewed", "seen", "heard", "verified", "viewed"]
            .iter()
            .any(|it| line.says(last, it));
        let behind = range.end..(range.end + REACH).min(line.words.len());
        let medium = behind.filter(|_| had).find_map(|at| line.medium(at));
        let kind = if medium.is_some() { OriginKind::Document } else { OriginKind::Own };
        let Some(name) = name else { return Stated { medium, ..self.of_its_own(line, kind, range) } };
        let full = &self.reading.names.names[name].full;
        let own = bare(full) == bare(self.outlet(line));
        // What another outlet says of itself is that outlet's report here.
        let kind = if kind == OriginKind::Own && !own { OriginKind::Report } else { kind };
        Stated { kind, name: full.clone(), medium, named: true, bytes: line.bytes(range) }
    }

    /// Something that the article's own outlet has.
    pub(super) fn of_its_own(&self, line: &Line<'_, '_>, kind: OriginKind, range: Range<usize>) -> Stated {
        let medium =
            (kind == OriginKind::Document).then(|| line.medium_before(range.start).unwrap_or(Medium::Paper));
        let name = self.outlet(line).to_owned();
        Stated { kind, name, medium, named: true, bytes: line.bytes(range) }
    }

    fn outlet(&self, line: &Line<'_, '_>) -> &str {
        &self.reading.articles[line.sentence.article()].outlet
    }
}
