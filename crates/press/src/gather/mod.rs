//! From folders and feeds to documents. What cannot be read is named and left out; the rest goes on.

mod abreast;
mod add;
mod feeds;
mod files;
mod found;
mod known;
mod links;
mod names;
#[cfg(test)]
pub(crate) mod tests;
mod warc;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt as _;
use news::Document;
use news::group::{Grouper, Prepared};
use news::sidecar;
use proto::Millis;
use proto::codec::{self, Malformed};
use proto::story::{ArticleId, Story};
use tracing::warn;

use crate::fetch::{Answer, FetchError, Fetcher, Manners, Memory, Want};
use crate::outlets::{self, Outlet, Outlets, Place, Rights};
use crate::rules::{Rules, RulesError};

pub use crate::fetch::MAX_INPUT;
pub use add::{AddError, Added, Listed, Terms};
pub use files::{MAX_SIDE, SIDECAR};
use known::{Carried, Change, Entry, FEED, Kept, Known};
use names::Names;

/// How far ahead of the clock a date may lie, in seconds: a clock may be wrong, and a day is named before it has begun
/// everywhere. What says that it comes from later counts as undated, or it would stand first until then.
const AHEAD: i64 = 24 * 60 * 60;

/// A date within a year of 1970 is a clock that was never set or a field that was left empty: it counts as none.
const UNSET: i64 = 366 * 24 * 60 * 60;

/// Inputs that were left out are named up to this many.
const MOST_NAMED: usize = 1_000;

/// How many hosts are asked at a time.
const AT_ONCE: usize = 8;

/// Kept articles that are put into stories at a time.
const KEPT_AT_ONCE: usize = 1_000;

/// How it is said that a feed calls itself as another outlet is called.
const OTHERS_NAME: &str = "it has another outlet's name";

/// What stands beside the places in the memory of terms: these are no paths or addresses.
const RULES: &str = "(rules)";
const PROGRAM: &str = "(program)";

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

/// One input and what is known of it.
#[derive(Clone, Copy)]
struct Piece<'a> {
    input: news::Input<'a>,
    outlet: &'a Outlet,
    /// What a sidecar says, and its folder.
    about: Option<(&'a sidecar::Entry, &'a Path)>,
}

impl Gather {
    /// Goes on from what is remembered in `folder` of outlets, files and articles; with `None` from nothing, and it ends with the
    /// program.
    pub fn new(mut inputs: Inputs, folder: Option<&Path>) -> Result<Self, GatherError> {
        // One way to write each: "news/" and "news" are one folder.
        inputs.folders.iter_mut().for_each(|folder| *folder = folder.components().collect());
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
            is_stale: true,
            is_beside: false,
            forgot: 0,
            known: Known::open(file.as_deref())?,
            names: Names::default(),
            recalled: HashMap::new(),
            left_out: Vec::new(),
            named: HashSet::new(),
            found: found::Found::default(),
            latest: i64::MAX,
            dropped: None,
            told: Box::new(|_| {}),
            rules: Rules::default(),
            ruled: None,
        };
        gather.read_rules()?;
        Ok(gather)
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
        // The press that runs would take those pages for read.
        let own = if self.is_beside { vec![] } else { own };
        for outlet in own {
            let address = outlet.place.address();
            let Some(kept) = self.fetcher.memory().kept(&address)? else { continue };
            let Ok(read) = self.read(&address, &kept) else { continue };
            if self.fetch_pages(&kept.at, &read.documents, now).await? {
                self.take_answer(&outlet, &kept, Ok(read))?;
            }
        }
        self.settle()
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
        for outlet in &feeds {
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
        Ok(feeds)
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

    /// Sees what is said otherwise than when it was read: of an outlet, of all by the rules, or by another version of this program.
    /// What may be carried of an article, and whose it is, holds for what came before too.
    fn see_terms(&mut self, outlets: &[(Outlet, bool)]) -> Result<(), GatherError> {
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
    fn put_together(&mut self, outlets: &[(Outlet, bool)]) -> Result<(), GatherError> {
        if !self.is_stale {
            return Ok(());
        }
        // What is new in this round finds its place first.
        self.settle()?;
        self.is_stale = false;
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
            let again = abreast::map(&named, |(kept, name)| again(kept, name.as_deref()));
            let mut change = self.known.change()?;
            let mut held = Vec::with_capacity(named.len());
            for ((kept, _), again) in named.iter().zip(again) {
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
        Ok(())
    }

    /// Lets stories settle, at the end of a round.
    fn settle(&mut self) -> Result<(), GatherError> {
        let moved = self.grouper.settle();
        self.known.move_all(&moved)?;
        self.forget()
    }

    /// Lets go of what belongs to stories that were forgotten.
    fn forget(&mut self) -> Result<(), GatherError> {
        if self.forgot != self.grouper.forgot() {
            self.forgot = self.grouper.forgot();
            self.known.forget(|article| self.grouper.knows(article))?;
        }
        Ok(())
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

    /// Reads inputs as they are to be read now.
    fn reader(&self) -> Reader<'_> {
        let (rules, known, names) = (&self.rules, &self.known, &self.names);
        Reader { rules, known, names, latest: self.latest, keeps_dropped: self.dropped.is_some() }
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

/// An article that was kept, ready for its story.
struct Again {
    id: ArticleId,
    url: Option<String>,
    outlet: String,
    /// If it got another name.
    renamed: Option<proto::story::Article>,
    prepared: Prepared,
}

/// Makes an article that was kept ready, under the name that is to be printed now.
fn again(kept: &Kept, name: Option<&str>) -> Result<Again, Malformed> {
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
fn enter(
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

/// Reads inputs: all that can be done with many of them at once.
struct Reader<'a> {
    rules: &'a Rules,
    /// Of articles that it holds there is no need to make them ready for a story.
    known: &'a Known,
    names: &'a Names,
    latest: i64,
    keeps_dropped: bool,
}

/// What an input holds.
struct Input {
    articles: Vec<Ready>,
    /// Why parts of it were left out.
    left_out: Vec<String>,
    dropped: Vec<Dropped>,
}

/// An article of an input.
struct Ready {
    entry: Entry,
    /// Its outlet's, as it is printed.
    name: String,
    /// Whether it is a page of an archive that says itself whose it is.
    names_itself: bool,
    /// `None`: it is in a story already.
    prepared: Option<Prepared>,
}

impl Reader<'_> {
    /// What the bytes of an input hold, or why nothing, as a sentence.
    fn read(&self, bytes: &[u8], piece: Piece<'_>) -> Result<Input, String> {
        let read = self.rules.read(bytes, piece.input).map_err(|why| why.to_string())?;
        self.ready(piece, read)
    }

    /// Makes the documents of an input ready.
    fn ready(&self, piece: Piece<'_>, read: news::Read) -> Result<Input, String> {
        let Piece { input, outlet, about } = piece;
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
        for mut document in read.documents {
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
            let names_itself =
                about.is_none() && outlet.name.is_none() && matches!(outlet.place, Place::Path(_));
            ready.articles.push(Ready { entry, name, names_itself, prepared });
        }
        Ok(ready)
    }
}

/// An error with its causes, as one sentence.
pub(crate) fn said(why: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(why.source(), |cause| cause.source());
    causes.fold(why.to_string(), |said, cause| format!("{said}: {cause}"))
}
