//! Stories, put together from the articles that are kept, and what happens to both when other things are said of an outlet.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use news::group::{Grouper, Prepared};
use proto::codec::{self, Malformed};
use proto::story::{Article, ArticleId};

use super::files::SIDECAR;
use super::known::{Carried, Change, FEED, Kept};
use super::names::Names;
use super::reader::Ready;
use super::{Gather, GatherError, abreast, caught, trip};
use crate::outlets::{Outlet, Place};

/// Kept articles that are put into stories at a time.
const KEPT_AT_ONCE: usize = 1_000;

/// What stands beside the places in the memory of terms: these are no paths or addresses.
const RULES: &str = "(rules)";
const PROGRAM: &str = "(program)";

impl Gather {
    /// Sees what is said otherwise than when it was read: of an outlet, of all by the rules, or by another version of this program.
    /// What may be carried of an article, and whose it is, holds for what came before too.
    pub(super) fn see_terms(&mut self, outlets: &[(Outlet, bool)]) -> Result<(), GatherError> {
        let mut terms = BTreeMap::new();
        terms.insert(RULES.to_owned(), self.ruled.clone().unwrap_or_default());
        terms.insert(PROGRAM.to_owned(), env!("CARGO_PKG_VERSION").to_owned());
        for (Outlet { place, name, rights }, _) in outlets {
            let beside = match place {
                // What is wrong with it is said where it is read.
                Place::Path(path) => std::fs::read_to_string(path.join(SIDECAR)).unwrap_or_default(),
                Place::Feed(_) => String::new(),
            };
            let said: &mut String = terms.entry(place.address()).or_default();
            *said += &format!("{rights} {name:?} {beside}");
        }
        let before = self.known.terms()?;
        for (of, then) in &before {
            match terms.get(of) {
                Some(now) if now == then => continue,
                Some(_) if of == RULES || of == PROGRAM => {
                    self.known.read_all_again()?;
                    self.recalled.clear();
                }
                Some(_) => {
                    self.known.read_again(Path::new(of))?;
                    self.recalled.remove(of);
                }
                None => self.known.leave(of)?,
            }
            self.is_stale = true;
        }
        // Who gets a name now may not be the first to use it.
        let named = outlets.iter().filter(|(outlet, _)| outlet.name.is_some());
        self.is_stale |= named.map(|(outlet, _)| outlet.place.address()).any(|of| !before.contains_key(&of));
        if terms != before {
            self.known.set_terms(&terms)?;
        }
        Ok(())
    }

    /// Puts stories together from what is kept, if something in it has changed.
    pub(super) fn put_together(&mut self, outlets: &[(Outlet, bool)]) -> Result<(), GatherError> {
        if !self.is_stale {
            return Ok(());
        }
        // What is new in this round finds its place first.
        self.settle()?;
        (self.grouper, self.forgot, self.names) = (Grouper::new(), 0, Names::default());
        self.known.begin_again();
        let by_place: HashMap<String, &Outlet> =
            outlets.iter().map(|(outlet, _)| (outlet.place.address(), outlet)).collect();
        for (outlet, _) in outlets {
            let at = if let Place::Feed(address) = &outlet.place { address } else { "" };
            if let Some(name) = &outlet.name {
                self.names.claim(name, at);
            }
        }
        for (name, at) in self.known.names()? {
            self.names.claim_folded(name, at);
        }
        let mut seq = 0;
        loop {
            let some = self.known.after(seq, KEPT_AT_ONCE)?;
            let Some(last) = some.last() else { break };
            seq = last.seq;
            let named: Vec<(Kept, Option<String>)> = some
                .into_iter()
                .map(|kept| {
                    let name = kept.is_of_feed.then(|| {
                        let given = by_place.get(&kept.place).and_then(|outlet| outlet.name.clone());
                        given.unwrap_or_else(|| self.names.of_feed(&kept.called, &kept.place))
                    });
                    (kept, name)
                })
                .collect();
            let again =
                abreast::map(&named, |(kept, name)| caught(&kept.called, || again(kept, name.as_deref())));
            let mut change = self.known.change()?;
            let mut held = Vec::with_capacity(named.len());
            for ((kept, _), again) in named.iter().zip(again) {
                // What this program fails on, a later one may read.
                let Some(again) = again else { continue };
                let Ok(Again { id, url, outlet, renamed, prepared }) = again else {
                    change.discard(kept.seq)?;
                    continue;
                };
                if let Some(article) = renamed {
                    change.rename(kept.seq, &article)?;
                }
                let place = by_place.get(&kept.place);
                let rights = kept.stated.or(place.map(|outlet| outlet.rights)).unwrap_or_default();
                let quoted = self.rules.quoted(kept.at.as_deref(), url.as_deref(), Some(&outlet));
                held.push((id, Carried { rights, quoted }));
                self.grouper.add_prepared(prepared);
            }
            change.commit()?;
            held.into_iter().for_each(|(id, carried)| self.known.hold(id, carried));
            self.forget()?;
        }
        self.grouper.leave_settled();
        // Not before all of it is there: after an error it is done again.
        self.is_stale = false;
        Ok(())
    }

    /// Lets stories settle, at the end of a round.
    pub(super) fn settle(&mut self) -> Result<(), GatherError> {
        let moved = self.grouper.settle();
        self.known.move_all(&moved)?;
        self.forget()
    }

    /// Lets go of what belongs to stories that were forgotten.
    pub(super) fn forget(&mut self) -> Result<(), GatherError> {
        if self.forgot != self.grouper.forgot() {
            self.forgot = self.grouper.forgot();
            self.known.forget(|article| self.grouper.knows(article))?;
        }
        Ok(())
    }
}

/// An article that was kept, ready for its story.
struct Again {
    id: ArticleId,
    url: Option<String>,
    outlet: String,
    /// If it got another name.
    renamed: Option<Article>,
    prepared: Prepared,
}

/// Makes an article that was kept ready, under the name that is to be printed now.
fn again(kept: &Kept, name: Option<&str>) -> Result<Again, Malformed> {
    trip(&kept.called);
    let article = kept.article()?;
    let named = name.map(|name| news::renamed(article.clone(), name)).filter(|named| named.id != article.id);
    let (article, is_renamed) = named.map_or((article, false), |named| (named, true));
    Ok(Again {
        id: article.id,
        url: article.url.clone(),
        outlet: article.outlet.clone(),
        renamed: is_renamed.then(|| article.clone()),
        prepared: Prepared::again(article, kept.language.as_deref(), kept.is_titled, kept.story),
    })
}

/// Takes the articles of an input into stories, and keeps them.
pub(super) fn enter(
    grouper: &mut Grouper,
    names: &mut Names,
    change: &mut Change<'_>,
    (place, file): (&str, i64),
    articles: Vec<Ready>,
) -> Result<(), GatherError> {
    for Ready { mut entry, mut name, names_itself, mut prepared } in articles {
        let is_known = prepared.is_none();
        // Of the pages that were read together, one may have got the name that another has as well.
        if names_itself
            && let Some(at) = &entry.at
            && let Some(ready) = prepared.take()
        {
            let printed = names.of_feed(&name, at);
            prepared = Some(if printed == name { ready } else { ready.renamed(&printed) });
            name = printed;
        }
        if let Some(article) =
            prepared.as_ref().map(Prepared::article).filter(|article| article.id != entry.id)
        {
            (entry.id, entry.bytes) = (article.id, codec::encode(article));
            entry.called.clone_from(&article.outlet);
        }
        let story = match prepared {
            Some(prepared) => grouper.add_prepared(prepared),
            None => match grouper.story_of(entry.id) {
                Some(story) => story,
                // It was forgotten meanwhile.
                None => continue,
            },
        };
        let feed = (file == FEED).then_some(place);
        let at = feed.or(entry.at.as_deref()).or(entry.url.as_deref()).unwrap_or_default();
        if let Some(name) = names.claim(&name, at) {
            change.claim(&name, at, place)?;
        }
        if change.keep(place, file, &entry, story)? && is_known {
            // The same words, and other things said of them: a headline, a date.
            codec::decode(&entry.bytes).into_iter().for_each(|article| grouper.correct(article));
        }
    }
    Ok(())
}
