//! From folders and feeds to documents. What cannot be read is named and left out; the rest goes on.

mod abreast;
mod add;
mod feeds;
mod files;
mod found;
mod known;
mod links;
mod names;
mod reader;
mod stories;
#[cfg(test)]
pub(crate) mod tests;
mod warc;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use news::group::Grouper;
use proto::Millis;
use proto::story::{ArticleId, Story};
use tokio::time::Instant;
use tracing::{error, warn};

use crate::fetch::{Answer, FetchError, Fetcher, Manners, Memory, Moment, Want};
use crate::outlets::{self, Outlet, Outlets, Place, Rights};
use crate::rules::{Rules, RulesError};

pub use crate::fetch::MAX_INPUT;
pub use add::{AddError, Added, Listed, Terms};
pub use files::{MAX_SIDE, SIDECAR};
use known::Known;
use names::Names;

/// How far ahead of the clock a date may lie, in seconds: a clock may be wrong, and a day is named before it has begun
/// everywhere. What says that it comes from later counts as undated, or it would stand first until then.
const AHEAD: i64 = 24 * 60 * 60;

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
    /// Whether stories have to be put together anew: at the start, and after something was taken out or got another name.
    is_stale: bool,
    /// Whether a press may be running to whom fetched pages would be lost.
    is_beside: bool,
    /// How often the grouper had forgotten stories when that was last looked at.
    forgot: u64,
    known: Known,
    names: Names,
    /// Of each feed, when the answer came that was last read.
    recalled: HashMap<String, Millis>,
    /// Of the outlets that are carried whole, the one whose pages are asked for first.
    pages_from: usize,
    left_out: Vec<String>,
    /// The same, to be looked up.
    named: HashSet<String>,
    found: found::Found,
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

impl Gather {
    /// Goes on from what is remembered in `folder` of outlets, files and articles; with `None` from nothing, and it ends with the
    /// program.
    ///
    /// # Errors
    /// What is read cannot be read as a whole: a folder is not there, a line of a sidecar or of the rules is wrong.
    pub fn new(inputs: Inputs, folder: Option<&Path>) -> Result<Self, GatherError> {
        let mut gather = Self::unchecked(inputs, folder)?;
        for folder in &gather.inputs.folders {
            std::fs::read_dir(folder)
                .map_err(|cause| GatherError::Folder { folder: folder.display().to_string(), cause })?;
            files::read_sidecar(folder)?;
        }
        gather.read_rules()?;
        Ok(gather)
    }

    /// The same, and what is wrong is said by [`Gather::refresh`].
    pub(crate) fn unchecked(mut inputs: Inputs, folder: Option<&Path>) -> Result<Self, GatherError> {
        // One way to write each: "news/" and "news" are one folder.
        inputs.folders.iter_mut().for_each(|folder| *folder = folder.components().collect());
        let file = folder.map(|folder| folder.join(outlets::FILE));
        let memory = Memory::open(file.as_deref())?;
        let fetcher = Fetcher::new(inputs.manners.clone(), memory);
        Ok(Self {
            outlets: Outlets::open(file.as_deref())?,
            fetcher: Arc::new(fetcher),
            inputs,
            grouper: Grouper::new(),
            is_stale: true,
            is_beside: false,
            forgot: 0,
            known: Known::open(file.as_deref())?,
            names: Names::default(),
            recalled: HashMap::new(),
            pages_from: 0,
            left_out: Vec::new(),
            named: HashSet::new(),
            found: found::Found::default(),
            latest: i64::MAX,
            dropped: None,
            told: Box::new(|_| {}),
            rules: Rules::default(),
            ruled: None,
        })
    }

    /// The same for who only looks, beside a press that may be running: what is read is not kept.
    pub fn beside(self) -> Result<Self, GatherError> {
        Ok(Self { known: self.known.copied()?, is_beside: true, ..self })
    }

    /// Has `told` called with a line for each outlet that is asked.
    pub fn on_progress(&mut self, told: impl Fn(&str) + Send + Sync + 'static) {
        self.told = Box::new(told);
    }

    /// Reads what is new at `now`.
    pub async fn refresh(&mut self, now: Millis) -> Result<(), GatherError> {
        self.refresh_within(now, None).await
    }

    /// The same, and nobody is asked any more after `limit`. Who was not asked is among the first the next time.
    pub(crate) async fn refresh_within(
        &mut self,
        now: Millis,
        limit: Option<Duration>,
    ) -> Result<(), GatherError> {
        let feeds = self.read_kept(now)?;
        let after = |time: Duration| Instant::now().checked_add(time);
        // A quarter of the time is for pages.
        let (for_feeds, for_all) = (limit.and_then(|limit| after(limit / 4 * 3)), limit.and_then(after));
        self.ask(&feeds, now, for_feeds).await?;
        self.read_answers(&feeds)?;
        self.ask_for_pages(&feeds, now, for_all).await?;
        self.settle()
    }

    /// Asks the feeds that are due, up to `until`. What they answer is kept.
    async fn ask(
        &mut self,
        feeds: &[Outlet],
        now: Millis,
        until: Option<Instant>,
    ) -> Result<(), GatherError> {
        let mut due = Vec::new();
        for address in feeds.iter().map(|outlet| outlet.place.address()) {
            if self.fetcher.is_due(&address, now)? {
                let since = self.fetcher.memory().health(&address)?.next;
                // One of a clock that was wrong says nothing.
                due.push((since.filter(|since| *since <= now), address));
            }
        }
        // Who has waited longest is first: where time is short, everybody's turn comes.
        due.sort_by_key(|(since, _)| *since);
        let (fetcher, all) = (Arc::clone(&self.fetcher), due.len());
        let ask = |(_, address): (_, String)| {
            let fetcher = Arc::clone(&fetcher);
            async move {
                let answer = fetcher.get(&address, Want::Named, Moment { now, until }).await;
                (address, answer)
            }
        };
        let mut answers = futures_util::stream::iter(due.into_iter().map(ask)).buffer_unordered(AT_ONCE);
        let (mut done, mut not_asked, mut failed) = (0, 0, HashMap::new());
        while let Some((address, answer)) = answers.next().await {
            done += 1;
            (self.told)(&format!("{done} of {all}: {address}"));
            match answer {
                Ok(Answer::New(_)) => _ = self.recalled.remove(&address),
                Ok(Answer::Same) => {}
                Err(FetchError::Memory(why)) => return Err(why.into()),
                Err(FetchError::NoTime) => not_asked += 1,
                Err(why) => _ = failed.insert(address, why),
            }
        }
        for address in feeds.iter().map(|outlet| outlet.place.address()) {
            if let Some(why) = failed.remove(&address) {
                self.name_once(&address, &said(&why));
            }
        }
        if not_asked > 0 {
            warn!(
                "{not_asked} feeds could not be asked in time; they are the first ones for the next edition"
            );
        }
        Ok(())
    }

    /// Fetches pages of articles that feeds only summarise, of outlets that are carried whole, up to `until`. Not all come in one round.
    async fn ask_for_pages(
        &mut self,
        feeds: &[Outlet],
        now: Millis,
        until: Option<Instant>,
    ) -> Result<(), GatherError> {
        // The press that runs would take those pages for read.
        let feeds = if self.is_beside { &[] } else { feeds };
        let own: Vec<_> = feeds.iter().filter(|outlet| outlet.rights.allow_all()).collect();
        // Behind the one that was the last for which there was time.
        let from = std::mem::take(&mut self.pages_from);
        for at in (0..own.len()).map(|n| (from + n) % own.len()) {
            let outlet = own[at];
            if until.is_some_and(|until| Instant::now() >= until) {
                self.pages_from = at;
                break;
            }
            let address = outlet.place.address();
            let Some(kept) = self.fetcher.memory().kept(&address)? else { continue };
            let Ok(read) = self.read(&address, &kept) else { continue };
            if self.fetch_pages(&kept.at, &read.documents, now, until).await? {
                self.take_answer(outlet, &kept, Ok(read))?;
            }
        }
        Ok(())
    }

    /// After work on it was broken off: what is in memory may be half of something, and is made again from what is kept.
    pub fn broken_off(&mut self) {
        self.is_stale = true;
        // Or the stories would be settled once more before they are let go.
        (self.grouper, self.forgot) = (Grouper::new(), 0);
    }

    /// Reads folders and files, and what feeds answered in earlier runs; asks nobody.
    pub fn recall(&mut self, now: Millis) -> Result<(), GatherError> {
        self.read_kept(now)?;
        self.settle()
    }

    /// The same. Returns the feeds.
    fn read_kept(&mut self, now: Millis) -> Result<Vec<Outlet>, GatherError> {
        self.believe(now);
        self.read_rules()?;
        let outlets = self.outlets()?;
        self.see_terms(&outlets)?;
        self.put_together(&outlets)?;
        let mut feeds = Vec::new();
        for (outlet, is_configured) in &outlets {
            match &outlet.place {
                Place::Feed(_) => feeds.push(outlet.clone()),
                // One that stands in the configuration has to be there.
                Place::Path(folder) if *is_configured => {
                    self.read_folder(folder, outlet)?;
                    self.note_files(folder, now, Some(None))?;
                }
                Place::Path(path) => self.read_path(path, outlet, now)?,
            }
        }
        self.put_together(&outlets)?;
        self.read_answers(&feeds)?;
        Ok(feeds)
    }

    /// Reads what feeds answered and was not read yet, in the order of the list, whoever answered first: the same answers make the same
    /// stories.
    fn read_answers(&mut self, feeds: &[Outlet]) -> Result<(), GatherError> {
        for outlet in feeds {
            let address = outlet.place.address();
            let came = self.fetcher.memory().came(&address)?;
            // Another program may have asked since, and then this one is told that there is nothing new.
            if came.is_some()
                && self.recalled.get(&address).copied() != came
                && let Some(kept) = self.fetcher.memory().kept(&address)?
            {
                self.take_answer(outlet, &kept, self.read(&address, &kept))?;
            }
        }
        Ok(())
    }

    /// All outlets, those of the configuration first, and whether they stand there. Who is on the list and in the configuration is one
    /// outlet; the list says more of it.
    fn outlets(&self) -> Result<Vec<(Outlet, bool)>, GatherError> {
        let listed = self.outlets.all()?;
        let folders = self.inputs.folders.iter().cloned().map(Place::Path);
        let feeds = self.inputs.feeds.iter().cloned().map(Place::Feed);
        let mut all: Vec<_> = folders.chain(feeds).map(|place| (Outlet::quoted(place), true)).collect();
        all.retain(|(outlet, _)| {
            matches!(outlet.place, Place::Path(_)) || !listed.iter().any(|other| other.place == outlet.place)
        });
        all.extend(listed.into_iter().map(|outlet| (outlet, false)));
        Ok(all)
    }

    /// Reads the rules if they have changed.
    fn read_rules(&mut self) -> Result<(), GatherError> {
        let Some(path) = &self.inputs.rules else { return Ok(()) };
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|cause| GatherError::NoRules { file: file.clone(), cause })?;
        if self.ruled.as_ref() == Some(&text) {
            return Ok(());
        }
        self.rules = Rules::parse(&text).map_err(|cause| GatherError::Rules { file, cause })?;
        self.ruled = Some(text);
        Ok(())
    }

    /// Believes no date that lies far ahead of `now`.
    fn believe(&mut self, now: Millis) {
        self.latest = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX).saturating_add(AHEAD);
    }

    /// Reads a folder or file of the list. That it cannot be read is noted, and the rest goes on.
    fn read_path(&mut self, path: &Path, outlet: &Outlet, now: Millis) -> Result<(), GatherError> {
        if let Ok(false) = path.try_exists() {
            self.forget_gone(path, &[])?;
        }
        let wrong = if path.is_dir() {
            match self.read_folder(path, outlet) {
                Err(GatherError::Memory(why)) => return Err(why.into()),
                read => Some(read.err().map(|why| why.to_string())),
            }
        } else {
            let (all, failures) = self.read_files(path, vec![path.to_owned()], outlet, &|_| None)?;
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

    /// Says what was left out of an input, and keeps the lines that are not part of an article.
    fn say(&mut self, name: &str, left_out: &[String], dropped: Vec<Dropped>) {
        for why in left_out {
            self.name_once(name, why);
        }
        if let Some(all) = &mut self.dropped {
            all.extend(dropped);
        }
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

/// What `work` makes. `None`: it panicked, and why has been said. What one outlet writes must not stop a press.
fn caught<T>(what: &str, work: impl FnOnce() -> T) -> Option<T> {
    let tried = catch_unwind(AssertUnwindSafe(work));
    tried
        .inspect_err(|_| error!("this program fails on “{what}”, which is a fault of its own: report it"))
        .ok()
}

/// In tests, what has [`tests::STOPS`] in its name stops the program here.
#[cfg(test)]
fn trip(what: &str) {
    assert!(!what.contains(tests::STOPS), "it stops the program");
}

#[cfg(not(test))]
fn trip(_: &str) {}

/// An error with its causes, as one sentence.
pub(crate) fn said(why: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(why.source(), |cause| cause.source());
    causes.fold(why.to_string(), |said, cause| format!("{said}: {cause}"))
}
