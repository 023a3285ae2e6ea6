//! The list of outlets, as the commands change and show it: what an address or a file is, and what it holds.

use std::path::{Path, PathBuf};

use futures_util::StreamExt as _;
use news::Format;
use proto::Millis;
use url::Url;

use super::feeds::summarised;
use super::{AT_ONCE, Gather, GatherError, links, said};
use crate::fetch::{FetchError, Fetcher, Health, Kept, Want};
use crate::opml::{self, OpmlError};
use crate::outlets::{Outlet, Place, Rights};

/// How many headlines show what an outlet is.
const HEADLINES: usize = 5;

/// What the operator says of an outlet that is added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// The name to print in place of its own.
    pub name: Option<String>,
    /// On what terms its articles may be carried.
    pub rights: Rights,
}

/// An outlet that was added, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The outlet, as it stands in the list now.
    pub outlet: Outlet,
    /// Whether it was not there before.
    pub is_new: bool,
    /// Its name, by itself or as it was given.
    pub name: Option<String>,
    /// How many articles it holds.
    pub articles: usize,
    /// How many of them are summaries, whose articles stand on pages.
    pub summaries: usize,
    /// The first headlines.
    pub headlines: Vec<String>,
    /// Feeds that the page names besides.
    pub others: Vec<String>,
    /// Parts that were left out, each with the reason.
    pub skipped: Vec<String>,
}

/// An outlet of the list and how it goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The outlet.
    pub outlet: Outlet,
    /// Whether it stands in the configuration, where no command changes it.
    pub is_configured: bool,
    /// How it goes.
    pub health: Health,
}

/// Why an outlet is not added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// Neither an address nor a file.
    #[error("{0} is neither a file nor a folder here, nor an address: addresses begin with https://")]
    Nothing(String),
    /// The address gave nothing.
    #[error("{address}: {}", said(.cause))]
    Fetch {
        /// Which.
        address: String,
        /// Why.
        cause: FetchError,
    },
    /// The address gave something that holds no articles.
    #[error("{address}: {why}")]
    NoFeed {
        /// Which.
        address: String,
        /// What it is.
        why: String,
    },
    /// A page that leads to no feed.
    #[error(
        "{address} is a page that names no feed, and there is none in the usual places. Look for a link \
         called RSS or feed on it and add that address"
    )]
    FoundNone {
        /// Which.
        address: String,
    },
    /// A file that cannot be read.
    #[error("{}: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A list of feeds that cannot be read.
    #[error("{}: {cause}", .path.display())]
    Opml {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: OpmlError,
    },
    /// Our memory failed.
    #[error(transparent)]
    Gather(#[from] GatherError),
}

impl From<rusqlite::Error> for AddError {
    fn from(why: rusqlite::Error) -> Self {
        Self::Gather(why.into())
    }
}

impl Gather {
    /// Adds what `what` names: a feed, a page that names one, a folder, a file, or the feeds of an OPML list. Returns a result
    /// for each outlet; of a list those that give nothing are not added and the others are.
    ///
    /// # Errors
    /// Nothing was added.
    pub async fn add(
        &mut self,
        what: &str,
        terms: &Terms,
        now: Millis,
    ) -> Result<Vec<Result<Added, AddError>>, AddError> {
        let path = Path::new(what);
        if what.contains("://") {
            return Ok(vec![Ok(self.add_address(what, terms, now).await?)]);
        }
        let path = path.canonicalize().map_err(|_| AddError::Nothing(what.to_owned()))?;
        match read_list(&path)? {
            Some(entries) => self.add_list(entries, terms, now).await,
            None => Ok(vec![Ok(self.add_path(&path, terms, now)?)]),
        }
    }

    /// Takes an outlet off the list, by the address or path it is listed with. Returns whether it was there.
    pub fn remove(&mut self, what: &str) -> Result<bool, GatherError> {
        let path = Path::new(what).canonicalize().map(|path| path.display().to_string());
        let mut gone = false;
        for address in std::iter::once(what.to_owned()).chain(path.ok()) {
            if self.outlets.remove(&address)? {
                self.fetcher.memory().forget(&address)?;
                gone = true;
            }
        }
        Ok(gone)
    }

    /// All outlets, those of the configuration first.
    pub fn list(&self) -> Result<Vec<Listed>, GatherError> {
        let folders = self.inputs.folders.iter().cloned().map(Place::Path);
        let feeds = self.inputs.feeds.iter().cloned().map(Place::Feed);
        let configured = folders.chain(feeds).map(|place| (Outlet::quoted(place), true));
        let added = self.outlets.all()?.into_iter().map(|outlet| (outlet, false));
        let listed = |(outlet, is_configured): (Outlet, bool)| {
            let health = self.fetcher.memory().health(&outlet.place.address())?;
            Ok(Listed { outlet, is_configured, health })
        };
        configured.chain(added).map(listed).collect()
    }

    async fn add_address(&mut self, address: &str, terms: &Terms, now: Millis) -> Result<Added, AddError> {
        (self.told)(&format!("asking {address}"));
        let first = fetch(&self.fetcher, address, now).await?;
        if let Ok(articles) = self.feed(address, &first) {
            return self.keep(Place::Feed(address.to_owned()), articles, vec![], terms);
        }
        let no_feed = |why: &str| AddError::NoFeed { address: address.to_owned(), why: why.to_owned() };
        let decoded = news::decode::decode(&first.bytes, first.content_type.as_deref());
        let html = decoded.map_err(|why| no_feed(&why.to_string()))?.text.into_owned();
        if news::detect(address, &html) != Format::Html {
            let why = self.feed(address, &first).err().unwrap_or_default();
            return Err(no_feed(&format!("it is neither a feed nor a page ({why})")));
        }
        // The page was looked at once and is no outlet.
        self.fetcher.memory().forget(address)?;
        let at = Url::parse(&first.at).map_err(|_| no_feed("its address cannot be read"))?;
        let named = links::feeds(&html, &at);
        let usual = links::USUAL.iter().filter_map(|place| at.join(place).ok());
        let places: Vec<Url> = if named.is_empty() { usual.collect() } else { named };
        for (place, n) in places.iter().zip(1..) {
            (self.told)(&format!("asking {place}"));
            let place = place.to_string();
            let found = fetch(&self.fetcher, &place, now).await;
            match found.and_then(|kept| self.feed(&place, &kept).map_err(|why| no_feed(&why))) {
                Ok(articles) => {
                    let others = places[n..].iter().map(Url::to_string);
                    let others = if links::USUAL.iter().any(|usual| place.ends_with(usual)) && n > 1 {
                        vec![]
                    } else {
                        others.collect()
                    };
                    return self.keep(Place::Feed(place), articles, others, terms);
                }
                Err(AddError::Gather(why)) => return Err(why.into()),
                Err(_) => self.fetcher.memory().forget(&place)?,
            }
        }
        Err(AddError::FoundNone { address: address.to_owned() })
    }

    /// Adds the feeds of a list that are not known yet, several hosts at a time.
    async fn add_list(
        &mut self,
        entries: Vec<opml::Entry>,
        terms: &Terms,
        now: Millis,
    ) -> Result<Vec<Result<Added, AddError>>, AddError> {
        let known: Vec<Place> = self.outlets.all()?.into_iter().map(|outlet| outlet.place).collect();
        let is_new = |entry: &opml::Entry| !known.contains(&Place::Feed(entry.address.clone()));
        let new: Vec<_> = entries.into_iter().filter(is_new).collect();
        let all = new.len();
        let fetcher = std::sync::Arc::clone(&self.fetcher);
        let ask = |entry: opml::Entry| {
            let fetcher = std::sync::Arc::clone(&fetcher);
            async move {
                let came = fetch(&fetcher, &entry.address, now).await;
                (entry, came)
            }
        };
        let mut answers = futures_util::stream::iter(new.into_iter().map(ask)).buffered(AT_ONCE);
        let mut added = Vec::new();
        while let Some((entry, came)) = answers.next().await {
            let address = entry.address;
            (self.told)(&format!("{} of {all}: {address}", added.len() + 1));
            let articles = came.and_then(|kept| {
                self.feed(&address, &kept).map_err(|why| AddError::NoFeed { address: address.clone(), why })
            });
            added.push(match articles {
                Ok(articles) => self.keep(Place::Feed(address), articles, vec![], terms),
                Err(AddError::Gather(why)) => return Err(why.into()),
                Err(why) => {
                    self.fetcher.memory().forget(&address)?;
                    Err(why)
                }
            });
        }
        Ok(added)
    }

    fn add_path(&mut self, path: &Path, terms: &Terms, now: Millis) -> Result<Added, AddError> {
        let failed = |why: String| AddError::File { path: path.to_owned(), why };
        // Read by a gatherer of its own: what this one has read stays as it is.
        let mut alone = Gather::new(super::Inputs::default(), None)?;
        let outlet = Outlet {
            name: terms.name.clone(),
            rights: terms.rights,
            ..Outlet::quoted(Place::Path(path.to_owned()))
        };
        alone.believe(now);
        if path.is_dir() {
            alone.read_folder(path, &outlet)?;
        } else {
            let (_, failures) = alone.read_files(path, vec![path.to_owned()], &outlet, &|_| None)?;
            failures.into_iter().next().map_or(Ok(()), |(_, why)| Err(failed(why)))?;
        }
        let stories = alone.grouper.newest(HEADLINES);
        let articles: Vec<_> = stories.iter().flat_map(|story| &story.articles).collect();
        let is_new = self.outlets.add(&outlet)?;
        Ok(Added {
            outlet,
            is_new,
            name: articles.first().map(|article| article.outlet.clone()),
            articles: alone.known.articles(path)? as usize,
            summaries: 0,
            headlines: articles.iter().take(HEADLINES).map(|article| article.title.clone()).collect(),
            others: vec![],
            skipped: alone.left_out,
        })
    }

    /// The articles of a feed. An error says what is wrong with it.
    fn feed(&self, address: &str, kept: &Kept) -> Result<news::Read, String> {
        let read = self.read(address, kept)?;
        let is_feed =
            |document: &news::Document| matches!(document.source.format, Format::XmlFeed | Format::JsonFeed);
        match read.documents.first() {
            Some(first) if is_feed(first) => Ok(read),
            Some(_) => Err("it is no feed".into()),
            None => Err(format!("none of its items has a text ({} items)", read.skipped.len())),
        }
    }

    fn keep(
        &mut self,
        place: Place,
        read: news::Read,
        others: Vec<String>,
        terms: &Terms,
    ) -> Result<Added, AddError> {
        let outlet = Outlet { place, name: terms.name.clone(), rights: terms.rights };
        let is_new = self.outlets.add(&outlet)?;
        let documents = &read.documents;
        let address = outlet.place.address();
        let mut health = self.fetcher.memory().health(&address)?;
        health.articles = u32::try_from(documents.len()).unwrap_or(u32::MAX);
        health.name = documents.first().and_then(|first| first.outlet.clone());
        self.fetcher.memory().set_health(&address, &health)?;
        Ok(Added {
            is_new,
            name: terms.name.clone().or(health.name),
            articles: documents.len(),
            summaries: documents.iter().filter_map(summarised).count(),
            headlines: documents.iter().take(HEADLINES).map(news::Document::title_or_opening).collect(),
            outlet,
            others,
            skipped: read.skipped,
        })
    }
}

/// What an address answers, now or the last time.
async fn fetch(fetcher: &Fetcher, address: &str, now: Millis) -> Result<Kept, AddError> {
    let failed = |cause| AddError::Fetch { address: address.to_owned(), cause };
    fetcher.get(address, Want::Named, now).await.map_err(|why| match why {
        FetchError::Memory(why) => why.into(),
        why => failed(why),
    })?;
    // It has just been kept.
    fetcher.memory().kept(address)?.ok_or_else(|| failed(rusqlite::Error::QueryReturnedNoRows.into()))
}

/// The feeds of a file if it is an OPML list.
fn read_list(path: &Path) -> Result<Option<Vec<opml::Entry>>, AddError> {
    let failed = |why: &dyn std::fmt::Display| AddError::File {
        path: path.to_owned(),
        why: format!("cannot be read: {why}"),
    };
    if path.is_dir() {
        return Ok(None);
    }
    let len = path.metadata().map_err(|why| failed(&why))?.len();
    if len > super::MAX_INPUT {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|why| failed(&why))?;
    let Ok(decoded) = news::decode::decode(&bytes, None) else { return Ok(None) };
    if !opml::is_opml(&decoded.text) {
        return Ok(None);
    }
    opml::read(&decoded.text).map(Some).map_err(|cause| AddError::Opml { path: path.to_owned(), cause })
}
