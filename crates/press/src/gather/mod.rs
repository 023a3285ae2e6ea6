//! From folders and feeds to documents. What cannot be read is named and left out; the rest goes on.

mod abreast;
mod add;
mod feeds;
mod files;
mod found;
mod known;
mod links;
#[cfg(test)]
pub(crate) mod tests;
mod warc;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use news::Document;
use news::group::{Grouper, Prepared};
use news::sidecar::Entry;
use proto::Millis;
use proto::story::{ArticleId, Story};
use tracing::warn;

use crate::fetch::{Answer, FetchError, Fetcher, Manners, Memory, Want};
use crate::outlets::{self, Outlet, Outlets, Place, Rights};
use crate::rules::{Rules, RulesError};

pub use crate::fetch::MAX_INPUT;
pub use add::{AddError, Added, Listed, Terms};
pub use files::{MAX_SIDE, SIDECAR};
use known::{Carried, Known};

/// How far ahead of the clock a date may lie, in seconds: a clock may be wrong, and a day is named before it has begun
/// everywhere. What says that it comes from later counts as undated, or it would stand first until then.
const AHEAD: i64 = 24 * 60 * 60;

/// A date within a year of 1970 is a clock that was never set or a field that was left empty: it counts as none.
const UNSET: i64 = 366 * 24 * 60 * 60;

/// Inputs that were left out are named up to this many.
const MOST_NAMED: usize = 1_000;

/// How many hosts are asked at a time.
const AT_ONCE: usize = 8;

/// What a press reads, by its configuration. The outlets that were added to its list come on top.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Folders of articles.
    pub folders: Vec<PathBuf>,
    /// Addresses of feeds.
    pub feeds: Vec<String>,
    /// How addresses are asked.
    pub manners: Manners,
    /// A file of rules for outlets ([`crate::rules`]).
    pub rules: Option<PathBuf>,
}

/// Why nothing can be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// The folder is not there or cannot be listed.
    #[error("the folder {folder} cannot be read: {cause}. Name a folder that holds articles")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        cause: io::Error,
    },
    /// The sidecar is wrong: going on would put articles under the wrong outlet.
    #[error("{file}: {cause}. Mend that line")]
    Sidecar {
        /// Which.
        file: String,
        /// Why.
        cause: news::sidecar::SidecarError,
    },
    /// The rules are wrong: going on without would carry what they leave out.
    #[error("{file}: {cause}")]
    Rules {
        /// Which file.
        file: String,
        /// What is wrong.
        cause: RulesError,
    },
    /// The rules cannot be read.
    #[error(
        "the rules {file} cannot be read: {cause}. Put them there, or take them out of the configuration"
    )]
    NoRules {
        /// Which file.
        file: String,
        /// Why.
        cause: io::Error,
    },
    /// Our disk failed.
    #[error("the press's list of outlets cannot be read or written: {0}. Free some space or mend the folder")]
    Memory(#[from] rusqlite::Error),
}

/// Everything read so far, grouped.
pub struct Gather {
    inputs: Inputs,
    outlets: Outlets,
    fetcher: Arc<Fetcher>,
    rules: Rules,
    /// The rules as they were read.
    ruled: Option<String>,
    grouper: Grouper,
    /// How often the grouper had forgotten stories when that was last looked at.
    forgot: u64,
    known: Known,
    /// Feeds whose answers of earlier runs were read again.
    recalled: HashSet<String>,
    left_out: Vec<String>,
    /// The same, to be looked up.
    named: HashSet<String>,
    found: found::Found,
    /// What was said of outlets when they were last read: the list's entries and the folders' sidecars, by their places.
    terms: BTreeMap<String, String>,
    /// The latest date that is believed, in seconds since 1970.
    latest: i64,
    /// Lines that are not part of an article, for whoever asked to keep them.
    dropped: Option<Vec<Dropped>>,
    /// Told of what is done, for whoever waits.
    told: Box<dyn Fn(&str) + Send + Sync>,
}

/// A line of an input that is not part of an article.
pub struct Dropped {
    /// File name, or the address of a feed.
    pub input: String,
    /// Its line in the input; of pages and feeds, the number of the block.
    pub line: u32,
    /// Its words.
    pub text: String,
    /// Why it is not part of the article.
    pub reason: String,
}

/// One input and what is known of it.
#[derive(Clone, Copy)]
struct Piece<'a> {
    input: news::Input<'a>,
    outlet: &'a Outlet,
    /// What a sidecar says, and its folder.
    about: Option<(&'a Entry, &'a Path)>,
}

impl Gather {
    /// Starts with nothing read. What is remembered of outlets and files lies in `folder`; with `None` it ends with the program.
    /// Files that were read in earlier runs are read again in the first order within their folder, so that stories keep their ids.
    pub fn new(inputs: Inputs, folder: Option<&Path>) -> Result<Self, GatherError> {
        for folder in &inputs.folders {
            std::fs::read_dir(folder)
                .map_err(|cause| GatherError::Folder { folder: folder.display().to_string(), cause })?;
            files::read_sidecar(folder)?;
        }
        let file = folder.map(|folder| folder.join(outlets::FILE));
        let memory = Memory::open(file.as_deref())?;
        let fetcher = Fetcher::new(inputs.manners.clone(), memory);
        let mut gather = Self {
            outlets: Outlets::open(file.as_deref())?,
            fetcher: Arc::new(fetcher),
            inputs,
            grouper: Grouper::new(),
            forgot: 0,
            known: Known::open(file.as_deref())?,
            recalled: HashSet::new(),
            left_out: Vec::new(),
            named: HashSet::new(),
            found: found::Found::default(),
            terms: BTreeMap::new(),
            latest: i64::MAX,
            dropped: None,
            told: Box::new(|_| {}),
            rules: Rules::default(),
            ruled: None,
        };
        gather.read_rules()?;
        Ok(gather)
    }

    /// Has `told` called with a line for each outlet that is asked.
    pub fn on_progress(&mut self, told: impl Fn(&str) + Send + Sync + 'static) {
        self.told = Box::new(told);
    }

    /// Reads what is new at `now`.
    pub async fn refresh(&mut self, now: Millis) -> Result<(), GatherError> {
        let feeds = self.read_kept(now)?;
        let mut due = Vec::new();
        for outlet in &feeds {
            if self.fetcher.is_due(&outlet.place.address(), now)? {
                due.push(outlet.clone());
            }
        }
        // Of these the pages of articles are wanted too, and not all come in one round.
        let own = |outlet: &&Outlet| outlet.rights.allow_all();
        let own: Vec<Outlet> = feeds.iter().filter(own).cloned().collect();
        let (fetcher, all) = (Arc::clone(&self.fetcher), due.len());
        let ask = |outlet: Outlet| {
            let fetcher = Arc::clone(&fetcher);
            async move {
                let answer = fetcher.get(&outlet.place.address(), Want::Named, now).await;
                (outlet, answer)
            }
        };
        // In the order of the list, whoever answers first: the same answers make the same stories.
        let mut answers = futures_util::stream::iter(due.into_iter().map(ask)).buffered(AT_ONCE);
        let mut done = 0;
        while let Some((outlet, answer)) = answers.next().await {
            let address = outlet.place.address();
            done += 1;
            (self.told)(&format!("{done} of {all}: {address}"));
            match answer {
                Ok(Answer::New(kept)) => {
                    self.take_answer(&outlet, &kept, self.read(&address, &kept))?;
                }
                Ok(Answer::Same) => {}
                Err(FetchError::Memory(why)) => return Err(why.into()),
                Err(why) => self.name_once(&address, &said(&why)),
            }
        }
        for outlet in own {
            let address = outlet.place.address();
            let Some(kept) = self.fetcher.memory().kept(&address)? else { continue };
            let Ok(read) = self.read(&address, &kept) else { continue };
            if self.fetch_pages(&kept.at, &read.documents, now).await? {
                self.take_answer(&outlet, &kept, Ok(read))?;
            }
        }
        self.forget()
    }

    /// Reads folders and files, and what feeds answered in earlier runs; asks nobody.
    pub fn recall(&mut self, now: Millis) -> Result<(), GatherError> {
        self.read_kept(now)?;
        self.forget()
    }

    /// The same. Returns the feeds.
    fn read_kept(&mut self, now: Millis) -> Result<Vec<Outlet>, GatherError> {
        self.believe(now);
        if self.read_rules()? {
            // All is read again, as it was kept: pages of long ago too.
            self.known.read_again();
            self.recalled.clear();
        }
        let listed = self.outlets.all()?;
        self.see_terms(&listed)?;
        let mut feeds = Vec::new();
        for folder in self.inputs.folders.clone() {
            let outlet = Outlet::quoted(Place::Path(folder.clone()));
            self.read_folder(&folder, &outlet)?;
            self.note_files(&folder, now, Some(None))?;
        }
        feeds.extend(self.inputs.feeds.iter().cloned().map(|feed| Outlet::quoted(Place::Feed(feed))));
        for outlet in listed {
            match &outlet.place {
                // Who is on the list and in the configuration is one outlet; the list says more of it.
                Place::Feed(_) => {
                    feeds.retain(|other| other.place != outlet.place);
                    feeds.push(outlet);
                }
                Place::Path(path) => self.read_path(path, &outlet, now)?,
            }
        }
        for outlet in &feeds {
            let address = outlet.place.address();
            if self.recalled.insert(address.clone())
                && let Some(kept) = self.fetcher.memory().kept(&address)?
            {
                self.take_answer(outlet, &kept, self.read(&address, &kept))?;
            }
        }
        Ok(feeds)
    }

    /// Begins again if something else is said of an outlet that was read: what may be carried of an article, and whose it is, holds for
    /// what came before too.
    fn see_terms(&mut self, listed: &[Outlet]) -> Result<(), GatherError> {
        let paths = listed.iter().filter_map(|outlet| match &outlet.place {
            Place::Path(path) if path.is_dir() => Some(path),
            _ => None,
        });
        let mut terms = BTreeMap::new();
        for folder in self.inputs.folders.iter().chain(paths) {
            let file = folder.join(SIDECAR);
            // What is wrong with it is said where it is read.
            terms.insert(file.display().to_string(), std::fs::read_to_string(&file).unwrap_or_default());
        }
        for Outlet { place, name, rights } in listed {
            terms.insert(place.address(), format!("{rights} {name:?}"));
        }
        let other =
            |(place, now): (&String, &String)| self.terms.get(place).is_some_and(|before| before != now);
        if terms.iter().any(other) {
            self.grouper = Grouper::new();
            self.forgot = 0;
            self.known.begin_again();
            self.recalled.clear();
            self.found = found::Found::default();
        }
        self.terms = terms;
        Ok(())
    }

    /// Lets go of what belongs to stories that were forgotten.
    fn forget(&mut self) -> Result<(), GatherError> {
        if self.forgot != self.grouper.forgot() {
            self.forgot = self.grouper.forgot();
            self.known.forget(|article| self.grouper.knows(article))?;
        }
        Ok(())
    }

    /// Reads the rules if they have changed. Returns whether they have.
    fn read_rules(&mut self) -> Result<bool, GatherError> {
        let Some(path) = &self.inputs.rules else { return Ok(false) };
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|cause| GatherError::NoRules { file: file.clone(), cause })?;
        if self.ruled.as_ref() == Some(&text) {
            return Ok(false);
        }
        self.rules = Rules::parse(&text).map_err(|cause| GatherError::Rules { file, cause })?;
        self.ruled = Some(text);
        Ok(true)
    }

    /// Believes no date that lies far ahead of `now`.
    fn believe(&mut self, now: Millis) {
        self.latest = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX).saturating_add(AHEAD);
    }

    /// Reads a folder or file of the list. That it cannot be read is noted, and the rest goes on.
    fn read_path(&mut self, path: &Path, outlet: &Outlet, now: Millis) -> Result<(), GatherError> {
        let wrong = if path.is_dir() {
            match self.read_folder(path, outlet) {
                Err(GatherError::Memory(why)) => return Err(why.into()),
                read => Some(read.err().map(|why| why.to_string())),
            }
        } else {
            let (all, failures) = self.read_files(vec![path.to_owned()], outlet, &|_| None)?;
            (all > 0).then(|| failures.into_iter().next().map(|(_, why)| why))
        };
        if let Some(Some(why)) = &wrong {
            self.name_once(&path.display().to_string(), why);
        }
        self.note_files(path, now, wrong)
    }

    /// Notes how it went with a folder or file: `None` if there was nothing to read, inside what was wrong.
    fn note_files(&self, path: &Path, now: Millis, wrong: Option<Option<String>>) -> Result<(), GatherError> {
        let name = path.display().to_string();
        let mut health = self.fetcher.memory().health(&name)?;
        health.articles = self.known.articles(path)?;
        health.why = wrong.unwrap_or(health.why);
        health.succeeded = if health.why.is_none() { Some(now) } else { health.succeeded };
        Ok(self.fetcher.memory().set_health(&name, &health)?)
    }

    /// Keeps the lines that are not part of an article from now on.
    pub(crate) fn keep_dropped(&mut self) {
        self.dropped = Some(Vec::new());
    }

    /// The lines kept so far.
    pub(crate) fn take_dropped(&mut self) -> Vec<Dropped> {
        self.dropped.take().unwrap_or_default()
    }

    /// What was left out so far: each line names an input and says why.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The stories of everything read so far.
    pub fn stories(&self) -> Vec<Story> {
        self.grouper.stories()
    }

    /// On what terms an article may be carried.
    pub fn rights(&self, article: ArticleId) -> Rights {
        self.known.carried(article).rights
    }

    /// Reads inputs as they are to be read now.
    fn reader(&self) -> Reader<'_> {
        let (rules, grouper) = (&self.rules, &self.grouper);
        Reader { rules, grouper, latest: self.latest, keeps_dropped: self.dropped.is_some() }
    }

    /// Takes articles into stories. Returns how many they are.
    fn take(&mut self, ready: Ready, file: Option<i64>) -> Result<usize, GatherError> {
        for why in &ready.left_out {
            self.name_once(&ready.name, why);
        }
        if let Some(dropped) = &mut self.dropped {
            dropped.extend(ready.dropped);
        }
        let all = ready.articles.len();
        for Held { article, carried, prepared } in ready.articles {
            self.known.hold(article, carried, file);
            if let Some(prepared) = prepared {
                self.grouper.add_prepared(prepared);
            }
        }
        // A folder may hold more than is ever kept.
        self.forget()?;
        Ok(all)
    }

    /// Says what is left out and why; once, however often it is met.
    fn name_once(&mut self, name: &str, why: &str) {
        let line = match self.left_out.len().cmp(&MOST_NAMED) {
            Ordering::Less => format!("{name}: {why}"),
            Ordering::Equal => format!("more than these {MOST_NAMED} were left out"),
            Ordering::Greater => return warn!("left out: {name}: {why}"),
        };
        if self.named.insert(line.clone()) {
            warn!("left out: {line}");
            self.left_out.push(line);
        }
    }
}

/// Reads inputs: all that can be done with many of them at once.
struct Reader<'a> {
    rules: &'a Rules,
    /// Of articles that it knows there is no need for more than the name.
    grouper: &'a Grouper,
    latest: i64,
    keeps_dropped: bool,
}

/// The articles of one input, ready for their stories.
struct Ready {
    /// The input's.
    name: String,
    articles: Vec<Held>,
    /// Why parts of it were left out.
    left_out: Vec<String>,
    dropped: Vec<Dropped>,
}

/// An article of an input.
struct Held {
    article: ArticleId,
    carried: Carried,
    /// `None`: it is in a story already.
    prepared: Option<Prepared>,
}

impl Reader<'_> {
    /// What the bytes of an input hold, or why nothing, as a sentence.
    fn read(&self, bytes: &[u8], piece: Piece<'_>) -> Result<Ready, String> {
        let read = self.rules.read(bytes, piece.input).map_err(|why| why.to_string())?;
        self.ready(piece, read)
    }

    /// Makes the documents of an input ready.
    fn ready(&self, piece: Piece<'_>, read: news::Read) -> Result<Ready, String> {
        let Piece { input, outlet, about } = piece;
        let text = |document: &Document| document.source.format == news::Format::Text;
        if input.address.is_some() && read.documents.iter().any(text) {
            return Err("it is neither a feed nor a page".into());
        }
        let mut ready = Ready {
            name: input.name.to_owned(),
            articles: Vec::with_capacity(read.documents.len()),
            left_out: read.skipped,
            dropped: Vec::new(),
        };
        let is_alone = read.documents.len() == 1;
        for mut document in read.documents {
            match about {
                Some((entry, _)) if is_alone => entry.apply(&mut document),
                // What is said of a feed's file holds for its outlet, not for each item.
                Some((entry, _)) => document.outlet = entry.outlet.clone().or(document.outlet),
                None => document.outlet = outlet.name.clone().or(document.outlet),
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
            let stated = about.and_then(|(entry, _)| entry.rights.as_deref()?.parse().ok());
            let quoted = self.rules.quoted(input.address, &document);
            ready.articles.push(Held {
                article: article.id,
                carried: Carried { rights: stated.unwrap_or(outlet.rights), quoted },
                prepared: (!self.grouper.knows(article.id)).then(|| Prepared::of(article, &document)),
            });
        }
        Ok(ready)
    }
}

/// An error with its causes, as one sentence.
pub(crate) fn said(why: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(why.source(), |cause| cause.source());
    causes.fold(why.to_string(), |said, cause| format!("{said}: {cause}"))
}
