//! A story's articles -> what is first-hand in it: what happened when, who said what, who had it first, where outlets differ.
//!
//! ```text
//! articles -> reading (names of the whole story, sentences, times, quotes)
//!          -> alike (which sentences tell the same)
//!          -> copies (which articles print the same text)
//!          -> origin -> sourcing (who states an origin; whose can be inferred)
//!          -> said | timeline | claim -> compare
//! ```
//!
//! Every row names the sentences it rests on. Nothing is judged, summed up or put into other words.

mod alike;
mod claim;
mod compare;
mod copies;
mod origin;
mod reading;
mod said;
mod sourcing;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::BTreeMap;

use proto::analysis::{Analysis, Event, MAX_ANALYSIS, MAX_REACH, OriginKind, Sourcing};
use proto::codec;
use proto::story::Article;

use crate::cut::Cut;
use crate::name::Sort;
use alike::Terms;
use copies::Copies;
use reading::Reading;
use said::Heard;
use sourcing::Sources;

/// What is first-hand in the articles of one story. At most [`MAX_ANALYSIS`] bytes of it.
pub fn analysis(articles: &[Article]) -> Analysis {
    let cut = Cut::of(articles.iter().flat_map(|article| &article.body));
    let reading = Reading::of(articles, &cut);
    let terms = Terms::of(&reading.sentences);
    let heard = Heard::of(&reading);
    let copies = Copies::of(&reading);
    let sources = Sources::of(&reading, &terms, &copies.texts);
    let mut found = Analysis {
        events: timeline::events(&reading, &terms, &sources, &heard.same_words),
        utterances: heard.utterances(&reading, &sources),
        claims: claim::claims(&reading, &terms, &sources, &heard.same_words),
        origins: Vec::new(),
        spellings: spellings(&reading),
        copies: copies.rows,
    };
    found.origins = sources.origins;
    leave_unused(&mut found, |kind| !matches!(kind, OriginKind::Text | OriginKind::Opinion));
    fit(&mut found);
    found
}

/// Names that the articles spell in more than one way: their last words, the name's own form first.
fn spellings(reading: &Reading<'_>) -> Vec<Vec<String>> {
    /// Shorter ones are initials and acronyms.
    const LETTERS: usize = 4;
    let names = &reading.names.names;
    let mut forms = BTreeMap::<usize, Vec<&str>>::new();
    // Of bodies and places, forms are words of their own: "Orford", "Orforders".
    let person = |name: usize| names[name].sort == Sort::Person;
    for mention in reading.names.mentions.iter().filter(|mention| person(mention.name)) {
        let form = last_word(reading.printed(mention));
        let known = forms.entry(mention.name).or_insert_with(|| vec![last_word(&names[mention.name].full)]);
        let same = |other: &&str| *other == form || other.to_lowercase() == form.to_lowercase();
        // Of a full name its first word may stand alone: that is no spelling of the last.
        let begins = |other: &str| other.chars().take(3).eq(form.chars().take(3));
        if form.chars().count() >= LETTERS && begins(known[0]) && !known.iter().any(same) {
            known.push(form);
        }
    }
    let several = forms.into_values().filter(|forms| forms.len() > 1);
    several.map(|forms| forms.into_iter().map(str::to_owned).collect()).collect()
}

fn last_word(name: &str) -> &str {
    name.rsplit(' ').next().unwrap_or_default()
}

/// Takes out origins that nothing comes from and that need not stay for that.
pub(crate) fn leave_unused(found: &mut Analysis, stays: impl Fn(OriginKind) -> bool) {
    let events = found.events.iter_mut().map(|it| &mut it.sourcing);
    let utterances = found.utterances.iter_mut().map(|it| &mut it.sourcing);
    let claims = found.claims.iter_mut().map(|it| &mut it.sourcing);
    let mut all: Vec<&mut Sourcing> = events.chain(utterances).chain(claims).flatten().collect();
    let mut kept: Vec<bool> = found.origins.iter().map(|origin| stays(origin.kind)).collect();
    all.iter().filter_map(|it| it.origin).for_each(|origin| kept[origin as usize] = true);
    let mut next = 0;
    let mut now = Vec::with_capacity(kept.len());
    for kept in &kept {
        now.push(next);
        next += u32::from(*kept);
    }
    all.iter_mut().for_each(|it| it.origin = it.origin.map(|origin| now[origin as usize]));
    let mut kept = kept.into_iter();
    found.origins.retain(|_| kept.next().unwrap_or_default());
}

/// Takes out what an edition has no room for: the claims and events of the fewest sentences first, then the last utterances, and what
/// they came from. Near copies have bounds of their own and stay, unless they name too long a text.
fn fit(found: &mut Analysis) {
    let too_large = |found: &Analysis| codec::encode(found).len() > MAX_ANALYSIS || found.reach() > MAX_REACH;
    while too_large(found) {
        let keep = |len: usize| len * 3 / 4;
        found.claims.truncate(keep(found.claims.len()));
        fewer_events(&mut found.events);
        let most = keep(found.utterances.len());
        found.utterances.truncate(most);
        found.utterances.iter_mut().for_each(|one| one.alike.retain(|other| (*other as usize) < most));
        found.spellings.truncate(keep(found.spellings.len()));
        if found.reach() > MAX_REACH {
            found.copies.truncate(keep(found.copies.len()));
        }
        leave_unused(found, |_| false);
    }
}

/// Three quarters of the events, those of the most sentences; of a few events three quarters of their sentences.
fn fewer_events(events: &mut Vec<Event>) {
    /// So many stay as long as they have sentences to spare.
    const FEW: usize = 8;
    let keep = |len: usize| len * 3 / 4;
    if events.len() <= FEW && events.iter().any(|event| event.mentions.len() > 1) {
        for event in events {
            event.mentions.truncate(keep(event.mentions.len()).max(1));
            let mentions = &event.mentions;
            event.sourcing.retain(|it| mentions.iter().any(|mention| mention.sentence.article == it.article));
        }
        return;
    }
    let mut by_weight: Vec<usize> = events.iter().map(|event| event.mentions.len()).collect();
    by_weight.sort_unstable_by(|a, b| b.cmp(a));
    let mut room = keep(by_weight.len());
    let least = room.checked_sub(1).map_or(usize::MAX, |last| by_weight[last]);
    events.retain(|event| {
        let stays = event.mentions.len() >= least && room > 0;
        room -= usize::from(stays);
        stays
    });
}
