//! One input: its bytes, and its articles ready to be kept and put into stories.

use std::path::Path;

use news::Document;
use news::group::Prepared;
use news::sidecar;
use proto::codec;

use super::known::{Carried, Entry, Known};
use super::names::Names;
use super::{Dropped, Gather, caught, feeds, files, trip};
use crate::outlets::{Outlet, Place};
use crate::rules::Rules;

/// A date within a year of 1970 is a clock that was never set or a field that was left empty: it counts as none.
const UNSET: i64 = 366 * 24 * 60 * 60;

/// How it is said that a feed calls itself as another outlet is called.
const OTHERS_NAME: &str = "it has another outlet's name";

/// How it is said that what stopped this program is left out.
pub(super) const FAULT: &str = "this program fails on it, which is a fault of its own. It is left out. Report the fault, with this file or address";

/// One input and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) input: news::Input<'a>,
    pub(super) outlet: &'a Outlet,
    /// What a sidecar says, and its folder.
    pub(super) about: Option<(&'a sidecar::Entry, &'a Path)>,
}

impl Gather {
    /// Reads inputs as they are to be read now.
    pub(super) fn reader(&self) -> Reader<'_> {
        let (rules, known, names) = (&self.rules, &self.known, &self.names);
        Reader { rules, known, names, latest: self.latest, keeps_dropped: self.dropped.is_some() }
    }
}

/// Reads inputs: all that can be done with many of them at once.
pub(super) struct Reader<'a> {
    pub(super) rules: &'a Rules,
    /// Of articles that it holds there is no need to make them ready for a story.
    pub(super) known: &'a Known,
    pub(super) names: &'a Names,
    pub(super) latest: i64,
    pub(super) keeps_dropped: bool,
}

/// What an input holds.
pub(super) struct Input {
    pub(super) articles: Vec<Ready>,
    /// Why parts of it were left out.
    pub(super) left_out: Vec<String>,
    pub(super) dropped: Vec<Dropped>,
}

/// An article of an input.
pub(super) struct Ready {
    pub(super) entry: Entry,
    /// Its outlet's, as it is printed.
    pub(super) name: String,
    /// Whether it is a page of an archive that says itself whose it is.
    pub(super) names_itself: bool,
    /// `None`: it is in a story already.
    pub(super) prepared: Option<Prepared>,
}

impl Reader<'_> {
    /// What the bytes of an input hold, or why nothing, as a sentence.
    pub(super) fn read(&self, bytes: &[u8], piece: Piece<'_>) -> Result<Input, String> {
        let name = piece.input.name;
        let read = caught(name, || {
            trip(name);
            self.rules.read(bytes, piece.input)
        });
        let read = read.ok_or(FAULT)?;
        self.ready(piece, read.map_err(|why| why.to_string())?)
    }

    /// Makes the documents of an input ready.
    pub(super) fn ready(&self, piece: Piece<'_>, read: news::Read) -> Result<Input, String> {
        let input = piece.input;
        let text = |document: &Document| document.source.format == news::Format::Text;
        if input.address.is_some() && read.documents.iter().any(text) {
            return Err("it is neither a feed nor a page".into());
        }
        let mut ready = Input {
            articles: Vec::with_capacity(read.documents.len()),
            left_out: read.skipped,
            dropped: Vec::new(),
        };
        let is_alone = read.documents.len() == 1;
        for document in read.documents {
            let title = document.title.clone().unwrap_or_else(|| input.name.to_owned());
            match caught(&title, || self.article(piece, document, is_alone, &mut ready)) {
                Some(article) => ready.articles.push(article),
                None => ready.left_out.push(format!("“{title}”: {FAULT}")),
            }
        }
        Ok(ready)
    }

    /// Makes one of them ready.
    fn article(&self, piece: Piece<'_>, mut document: Document, is_alone: bool, ready: &mut Input) -> Ready {
        let Piece { input, outlet, about } = piece;
        trip(document.title.as_deref().unwrap_or_default());
        let called = document.outlet.clone();
        match (about, &outlet.place) {
            (Some((entry, _)), _) if is_alone => entry.apply(&mut document),
            // What is said of a feed's file holds for its outlet, not for each item.
            (Some((entry, _)), _) => document.outlet = entry.outlet.clone().or(document.outlet),
            (None, _) if outlet.name.is_some() => document.outlet.clone_from(&outlet.name),
            (None, Place::Feed(feed)) => {
                document.outlet = called.as_deref().map(|called| self.names.of_feed(called, feed));
                if let (Some(called), Some(name)) = (&called, &document.outlet)
                    && called != name
                    && !ready.left_out.iter().any(|line| line.starts_with(OTHERS_NAME))
                {
                    ready.left_out.push(format!(
                        "{OTHERS_NAME}, “{called}”: “{name}” is printed. If both are one outlet, say so: firsthand press add {feed} \
                         --name \"{called}\""
                    ));
                }
            }
            // A page of an archive is what its address says, and not what it says itself.
            (None, Place::Path(_)) => {
                if let Some(page) = input.address {
                    let is_own = |url: &String| feeds::is_of(url, page);
                    document.url = document.url.filter(is_own).or_else(|| Some(page.to_owned()));
                    document.outlet = called.as_deref().map(|called| self.names.of_feed(called, page));
                }
            }
        }
        document.published =
            document.published.filter(|when| when.unix <= self.latest && when.unix.abs() >= UNSET);
        if self.keeps_dropped {
            ready.dropped.extend(document.dropped.iter().map(|line| Dropped {
                input: input.name.to_owned(),
                line: line.place.line,
                text: line.text.clone(),
                reason: line.reason.to_string(),
            }));
        }
        let mut article = news::article(&document);
        match about.map(|(entry, folder)| files::read_picture(entry, folder)) {
            Some(Ok(picture)) => article.picture = picture,
            Some(Err(why)) => ready.left_out.push(why),
            None => {}
        }
        let name = article.outlet.clone();
        let called = match &outlet.place {
            Place::Feed(_) => called.unwrap_or_else(|| name.clone()),
            Place::Path(_) => name.clone(),
        };
        let stated = about.and_then(|(entry, _)| entry.rights.as_deref()?.parse().ok());
        let quoted = self.rules.quoted(input.address, article.url.as_deref(), Some(&name));
        let entry = Entry {
            id: article.id,
            carried: Carried { rights: stated.unwrap_or(outlet.rights), quoted },
            called,
            at: input.address.map(str::to_owned),
            url: article.url.clone(),
            stated,
            language: document.language.clone(),
            is_titled: document.title.is_some(),
            bytes: codec::encode(&article),
        };
        let is_new = !self.known.holds(article.id);
        let prepared = is_new.then(|| Prepared::of(article, &document));
        let names_itself = about.is_none() && outlet.name.is_none() && matches!(outlet.place, Place::Path(_));
        Ready { entry, name, names_itself, prepared }
    }
}
