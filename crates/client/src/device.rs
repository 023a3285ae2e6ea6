//! What runs on every reader's and every desk's machine, whether anybody looks at it or not.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use proto::conversation;
use proto::directory::{Desk, Directory, DirectoryRejected, RoundKeys};
use proto::envelope::{self, Wire};
use proto::keys::KeyKind;
use proto::seal::SealPublic;
use proto::sign::IdentitySecret;
use proto::story::{ArticleId, Picture, Story, StoryId};
use proto::{Clock, DeskId, Millis, NetworkId, Round, Schedule};
use rand::CryptoRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

use crate::conversations::Content;
use crate::edge::{AddressError, Edge};
use crate::exchange::{self, Ahead, Exchanged};
use crate::generator::Generator;
use crate::kdf::{Kdf, OutOfMemory};
use crate::library::{Front, Library, LibraryError};
use crate::mailbox::{HintKey, Mailbox, MailboxError, MailboxFile, QUEUE, Waiting};
use crate::passphrase::Passphrase;
use crate::schedule::InstantSecret;
use crate::seal::StoreKey;
use crate::session::Session;

/// What a device is opened with.
pub struct Config {
    /// The edge's address: `https://edge.example`, or on this computer `http://127.0.0.1:4000`.
    pub edge: String,
    /// The network, pinned in the app.
    pub network: NetworkId,
    /// The directory that came with the app, as it is served. Rounds are counted from it; newer ones are fetched.
    pub directory: Vec<u8>,
    /// Where the device keeps what it keeps.
    pub place: Place,
    /// What a guess of a passphrase costs.
    pub kdf: Kdf,
    /// On a desk's machine, the desk's identity: its exchange fetches desk drops too. It lies outside the vault, because
    /// collecting goes on while the vault is locked; whoever has it can fetch drops as the desk, and opens none and signs no key to
    /// seal to.
    pub desk: Option<IdentitySecret>,
}

/// Where a device keeps what it keeps.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this folder, made if need be, and held under a lock.
    Folder(PathBuf),
    /// In memory, for readers that are simulated.
    Memory,
}

/// Why a device does not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory that came with the app is not this network's.
    #[error("the directory that came with the app cannot be used")]
    Directory(#[source] DirectoryRejected),
    /// The edge's address is no good.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The mailbox cannot be used.
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    /// The library cannot be used.
    #[error(transparent)]
    Library(#[from] LibraryError),
}

/// Why a mailbox could not be begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError {
    /// Deriving the key takes more memory than there is.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
}

/// How the exchange is getting on. The same with and without mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// No edition yet.
    Starting,
    /// The last exchange went well.
    Good,
    /// The edge was reached, and the newest edition it has is more than 3 rounds old.
    Stale,
    /// The edge was not reached.
    Offline,
    /// What came could not be verified; the last good edition stays.
    Unverified,
    /// The edge shows a log that does not continue what this device was shown, or is shorter. The last good edition stays.
    Forked,
    /// The stories that came do not make the front page that the press signed for everyone. The last good edition stays.
    TwoPages,
    /// Witnesses have not co-signed the log for more than 3 rounds. The last good edition stays.
    Frozen,
    /// Fewer witnesses have co-signed the log than must. The last good edition stays.
    Unwitnessed,
    /// The newest edition does not list the desk of this device. Editions are taken again when one does.
    Unlisted,
    /// The edge gives this desk nothing, though an edition lists it. Its clock may be minutes off, or a newer edition leave it out.
    Denied,
    /// This device's clock cannot be right.
    Clock,
    /// This device's disk cannot be written: it is full, or it fails. Nothing is sent, and nothing new is sure to be kept.
    Disk,
}

/// What the screens say about the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The network, as its roster names it.
    pub network: Option<NetworkView>,
    /// The edition shown.
    pub edition: Option<EditionView>,
    /// How the exchange is getting on.
    pub health: Health,
    /// Whether, since the program was started, the device came back after more rounds away than editions are kept, and
    /// began anew with the newest one: that it follows from the one before could not be checked, and answers that came
    /// meanwhile are lost to it. The same with and without mail.
    pub started_over: bool,
    /// When the next exchange is.
    pub next_exchange: Millis,
    /// T.
    pub round_ms: u64,
}

/// The network, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkView {
    /// Its name.
    pub name: String,
    /// Whether every screen must say that this is no place for real tips.
    pub demonstration: bool,
}

/// An edition, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EditionView {
    /// The round it was published in.
    pub round: Round,
    /// When it was made.
    pub published: Millis,
}

/// A desk, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskView {
    /// Its name in the protocol.
    pub id: DeskId,
    /// Its newsroom.
    pub newsroom: String,
    /// Its own name.
    pub name: String,
    /// Who reads it and what for.
    pub about: String,
}

impl From<&Desk> for DeskView {
    fn from(desk: &Desk) -> Self {
        Self {
            id: desk.id,
            newsroom: desk.newsroom.clone(),
            name: desk.name.clone(),
            about: desk.about.clone(),
        }
    }
}

/// How much of one message a text takes, in bytes once compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it takes.
    pub used: usize,
    /// What there is.
    pub total: usize,
}

/// When a message leaves, if the device goes on as always. Rounded outwards to whole rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaves {
    /// How many leave before it.
    pub place: usize,
    /// Not before.
    pub from: Millis,
    /// Not after, unless the device is off or the edge out of reach meanwhile.
    pub until: Millis,
    /// From then on it is on the disk, and the program may be closed in any way; if the disk fails, [`Session::is_unkept`] says so.
    pub durable_by: Millis,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stepped {
    /// The exchange, if one was due.
    pub exchange: Option<Exchanged>,
    /// Whether the mailbox was rewritten because its minute was over.
    pub rewritten: bool,
    /// When the next step is due.
    pub next: Millis,
}

/// One installation. Cheap to share behind an `Arc`; reading from it never touches the network.
pub struct Device {
    inner: Arc<Inner>,
}

/// The longest time between two rewritings of the mailbox.
const REWRITE_MS: u64 = 60_000;
/// How long a rewriting may take before a screen's "safe to close" would be wrong.
const REWRITE_SLACK_MS: u64 = 2_000;
/// An exchange this late is skipped, if a guard is shorter: a device that slept does not tell when it woke.
const LATE_MS: u64 = 500;
/// How many rounds in which an exchange was begun are remembered: at one an hour, three weeks.
const BEGUN: usize = 512;
/// The longest sleep: the clock may be set, and a device that was suspended does not count the time.
const NAP: Duration = Duration::from_secs(20);

impl Device {
    /// Opens what is in the place, or makes it. Sends nothing, now or on behalf of having been opened.
    pub fn open(config: Config, clock: Arc<dyn Clock>, mut rng: StdRng) -> Result<Self, OpenError> {
        let installed = Directory::read(&config.directory, &config.network).map_err(OpenError::Directory)?;
        let wire = installed.wire();
        let schedule = installed.parameters().schedule;
        let round_ms = u64::from(schedule.round_ms);
        let timeout = Duration::from_millis(round_ms.clamp(3_000, 30_000));
        let edge = Edge::new(&config.edge, timeout)?;
        // The lock first: it covers the library too.
        let (library, mailbox) = match &config.place {
            Place::Folder(folder) => {
                let file = MailboxFile::lock(folder)?;
                let library = Library::open(Some(folder), config.network)?;
                (library, Mailbox::open(file, wire, &mut rng)?)
            }
            Place::Memory => (Library::open(None, config.network)?, Mailbox::in_memory(wire, &mut rng)),
        };
        // On a full disk it is not kept, and is at hand all the same.
        if let Err(cause) = library.keep_directory(&installed.digest(), &config.directory) {
            tracing::warn!(%cause, "could not write to this device's folder; is the disk full?");
        }
        let instants = library.instants(&mut rng)?;
        let front = library.front()?;
        let installed = Arc::new(installed);
        let directory = library.current_directory()?.map_or_else(|| Arc::clone(&installed), Arc::new);
        let round_keys = library.round_keys()?;
        let health = match (&front.edition, front.damaged) {
            (_, true) => Health::Unverified,
            (None, _) => Health::Starting,
            (Some(_), _) => Health::Good,
        };
        let begun = library.begun()?;
        let now = clock.now();
        let rewrite_ms = REWRITE_MS.min(round_ms);
        let due = Due { exchange: Round(0), begun, rewrite: now.plus(rewrite_ms) };
        let inner = Inner {
            installed,
            wire,
            schedule,
            rewrite_ms,
            kdf: config.kdf,
            desk: config.desk,
            clock,
            edge,
            instants,
            rng: Generator::new(rng),
            held: Mutex::new(Held { mailbox, taken: None, open: None, opened: 0 }),
            library: Mutex::new(library),
            shown: RwLock::new(Shown {
                directory,
                round_keys,
                front,
                health,
                unwritten: false,
                started_over: false,
                exchanged: false,
            }),
            due: Mutex::new(due),
            stepping: tokio::sync::Mutex::default(),
            sending: watch::Sender::new(false),
        };
        inner.draw_next(now);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Does what is due until `shutdown` comes, then rewrites the mailbox once more. An envelope on its way is finished
    /// first, which takes no longer than the time a request is given.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) -> Result<(), MailboxError> {
        let inner = &self.inner;
        let sleep_until = async |due: Millis| {
            tokio::time::sleep(inner.clock.now().until(due).min(NAP)).await;
        };
        let exchanges = async {
            loop {
                self.exchange(inner.clock.now()).await;
                sleep_until(inner.exchange_due()).await;
            }
        };
        // Beside the exchange, which takes as long as the edge pleases: what a screen says of when a message is kept holds
        // however slow the edge is.
        let rewritings = async {
            loop {
                self.rewrite(inner.clock.now()).await;
                sleep_until(inner.rewrite_due()).await;
            }
        };
        let mut exchanges = std::pin::pin!(exchanges);
        tokio::select! {
            () = &mut exchanges => {}
            () = rewritings => {}
            () = shutdown => {}
        }
        // A blob that was taken has left the mailbox for good: to stop now would lose it.
        tokio::select! {
            biased;
            () = inner.sent() => {}
            () = exchanges => {}
        }
        inner.rewrite().await
    }

    /// Does what is due at `now`: the exchange, then a rewriting.
    pub async fn step(&self, now: Millis) -> Stepped {
        let exchange = self.exchange(now).await;
        let rewritten = self.rewrite(now).await;
        let next = self.inner.exchange_due().min(self.inner.rewrite_due());
        Stepped { exchange, rewritten, next }
    }

    /// Makes the exchange if it is due. Never two at once.
    async fn exchange(&self, now: Millis) -> Option<Exchanged> {
        let inner = &self.inner;
        let mut ahead = inner.stepping.lock().await;
        inner.if_set_back(now);
        let round = lock(&inner.due).exchange;
        let instant = inner.exchange_due();
        if now < instant {
            return None;
        }
        // Skipped, never made up, if its time is over: after a sleep, or with the clock set.
        let late = now.0 - instant.0 > inner.schedule.guard_ms().max(LATE_MS);
        let mut exchange = None;
        if !late && inner.schedule.round_at(now) == Some(round) {
            lock(&inner.due).begin(round);
            exchange = Some(exchange::run(inner, round, &mut ahead).await);
        }
        inner.draw_next(now);
        exchange
    }

    /// Rewrites the mailbox if that is due.
    async fn rewrite(&self, now: Millis) -> bool {
        let inner = &self.inner;
        {
            let mut due = lock(&inner.due);
            // With the clock set back.
            due.rewrite = due.rewrite.min(now.plus(inner.rewrite_ms));
            if now < due.rewrite {
                return false;
            }
            while due.rewrite <= now {
                due.rewrite = due.rewrite.plus(inner.rewrite_ms);
            }
        }
        // What is wrong was said.
        let _: Result<(), MailboxError> = inner.rewrite().await;
        true
    }

    /// What the screens say about the device.
    pub fn status(&self) -> Status {
        let shown = self.inner.shown();
        let roster = shown.directory.roster();
        Status {
            network: Some(NetworkView { name: roster.name.clone(), demonstration: roster.demonstration }),
            edition: shown.front.edition.map(|f| EditionView { round: f.round, published: f.made }),
            health: shown.health(),
            started_over: shown.started_over,
            next_exchange: self.inner.exchange_due(),
            round_ms: u64::from(self.inner.schedule.round_ms),
        }
    }

    /// The front page, newest first.
    pub fn stories(&self) -> Arc<Vec<Story>> {
        Arc::clone(&self.inner.shown().front.stories)
    }

    /// One story of it.
    pub fn story(&self, id: StoryId) -> Option<Story> {
        self.stories().iter().find(|s| s.id == id).cloned()
    }

    /// An article's picture.
    pub fn picture(&self, id: ArticleId) -> Option<Picture> {
        let stories = self.stories();
        stories.iter().flat_map(|s| &s.articles).find(|a| a.id == id)?.picture.clone()
    }

    /// The desks that can be written to now.
    pub fn desks(&self) -> Vec<DeskView> {
        let now = self.inner.schedule.round_at(self.inner.clock.now()).unwrap_or(Round(0));
        let shown = self.inner.shown();
        shown.directory.desks().iter().filter(|d| d.since <= now).map(DeskView::from).collect()
    }

    /// The desks that were announced and cannot be written to yet, each with when it can be, the earliest first. Two days are there
    /// to look at them. Spec: DIR-14.
    pub fn desks_to_come(&self) -> Vec<(Millis, DeskView)> {
        let now = self.inner.schedule.round_at(self.inner.clock.now()).unwrap_or(Round(0));
        let shown = self.inner.shown();
        let mut to_come: Vec<_> = shown.directory.desks().iter().filter(|d| d.since > now).collect();
        to_come.sort_by_key(|d| d.since);
        to_come.into_iter().map(|d| (self.inner.schedule.start(d.since), d.into())).collect()
    }

    /// How much of one message `text` takes.
    pub fn room(&self, text: &str) -> Room {
        let total = self.inner.wire.cascade.data();
        let used = conversation::packed_len(text);
        // A text that packs well can still be too long unpacked.
        Room { used: if text.len() > conversation::MAX_TEXT { used.max(total + 1) } else { used }, total }
    }

    /// Begins a mailbox under this passphrase. An earlier one is erased. Slow: derive where blocking is fine.
    pub fn begin(&self, passphrase: &Passphrase) -> Result<Session, BeginError> {
        let inner = &self.inner;
        let mut rng = inner.rng();
        let mut salt = [0; 32];
        rand::Rng::fill_bytes(&mut rng, &mut salt);
        // The mailbox is not held while the key is derived: the exchange never waits for it.
        let key = inner.kdf.derive(passphrase, &salt)?;
        let content = Content::new(&mut rng);
        let mut held = inner.held();
        held.mailbox.begin(salt, &key, &content.to_bytes(), &mut rng).expect("an empty mailbox fits");
        Ok(Session::new(inner, &mut held, key, content))
    }

    /// Opens the mailbox. `None`: another passphrase, or never used; both take the same way and time. Messages that were not
    /// acknowledged for five days are sealed anew. Slow: derive where blocking is fine.
    ///
    /// # Errors
    /// Deriving the key takes more memory than there is. That is found out before the region is looked at, so it says
    /// nothing about whether there is a mailbox.
    pub fn unlock(&self, passphrase: &Passphrase) -> Result<Option<Session>, OutOfMemory> {
        // MBX-03: one way for a wrong passphrase and for a mailbox never used. EXC-07: no request.
        let inner = &self.inner;
        let salt = inner.held().mailbox.salt();
        let key = inner.kdf.derive(passphrase, &salt)?;
        let opened = {
            let mut held = inner.held();
            let content = held.mailbox.open_region(&key).and_then(|bytes| Content::from_bytes(&bytes));
            content.map(|content| Session::new(inner, &mut held, key, content))
        };
        if let Some(session) = &opened {
            session.mend(inner.clock.now());
        }
        Ok(opened)
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

/// What a device is made of. Locks are taken in the order of the fields, and never held while anything is awaited.
pub(crate) struct Inner {
    /// The directory that came with the app.
    pub(crate) installed: Arc<Directory>,
    pub(crate) wire: Wire,
    pub(crate) schedule: Schedule,
    rewrite_ms: u64,
    kdf: Kdf,
    pub(crate) desk: Option<IdentitySecret>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) edge: Edge,
    instants: InstantSecret,
    /// One exchange at a time, and what the last one could not finish.
    stepping: tokio::sync::Mutex<Ahead>,
    /// Whether an exchange is between taking a blob and the end of its upload.
    sending: watch::Sender<bool>,
    held: Mutex<Held>,
    library: Mutex<Library>,
    shown: RwLock<Shown>,
    due: Mutex<Due>,
    rng: Generator,
}

/// The mailbox, and who has it open.
pub(crate) struct Held {
    pub(crate) mailbox: Mailbox,
    /// The newest round whose exchange took a blob.
    pub(crate) taken: Option<Round>,
    pub(crate) open: Option<Open>,
    /// Counts openings: a later one takes over.
    pub(crate) opened: u64,
}

/// An unlocked region.
pub(crate) struct Open {
    pub(crate) key: StoreKey,
    pub(crate) hints: HintKey,
    pub(crate) content: Content,
}

/// What the screens show.
pub(crate) struct Shown {
    pub(crate) directory: Arc<Directory>,
    /// The first mix's keys.
    pub(crate) round_keys: RoundKeys,
    pub(crate) front: Front,
    /// How the last exchange went.
    pub(crate) health: Health,
    /// Whether the last rewriting of the mailbox failed. Every device rewrites as often, and as much.
    pub(crate) unwritten: bool,
    pub(crate) started_over: bool,
    /// Whether an exchange has ended since the program was started, however it ended.
    pub(crate) exchanged: bool,
}

impl Shown {
    /// A disk that cannot be written goes before all else: as long as it is so, nothing else gets better.
    pub(crate) fn health(&self) -> Health {
        if self.unwritten { Health::Disk } else { self.health }
    }
}

/// What is due next.
struct Due {
    exchange: Round,
    /// The last rounds in which an exchange was begun, in the order in which they were.
    begun: Vec<Round>,
    rewrite: Millis,
}

impl Due {
    fn begin(&mut self, r: Round) {
        self.begun.push(r);
        self.begun.drain(..self.begun.len().saturating_sub(BEGUN));
    }
}

impl Inner {
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        lock(&self.held)
    }

    pub(crate) fn library(&self) -> MutexGuard<'_, Library> {
        lock(&self.library)
    }

    pub(crate) fn shown(&self) -> std::sync::RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn show(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// The keys an envelope of `round` needs: those of the mixes before the exit in order, and the exit's for what its blob
    /// makes room for.
    pub(crate) fn envelope_keys(&self, round: Round) -> Option<(Vec<SealPublic>, ExitKeys)> {
        let shown = self.shown();
        Some((shown.directory.layer_keys(&shown.round_keys, round)?, ExitKeys::of(&shown.directory, round)?))
    }

    /// A generator of its own for one piece of work, so that none waits for another's.
    pub(crate) fn rng(&self) -> StdRng {
        self.rng.draw()
    }

    /// Draws the round of the next exchange: the first whose instant is still to come, and in which none was begun.
    fn draw_next(&self, now: Millis) {
        let mut due = lock(&self.due);
        let mut next = self.schedule.round_at(now).unwrap_or(Round(0));
        // EXC-04
        while self.instants.instant(&self.schedule, next) <= now || due.begun.contains(&next) {
            next = next.next();
        }
        due.exchange = next;
    }

    /// A clock that was ahead and is no more keeps nobody waiting until the date that it showed.
    fn if_set_back(&self, now: Millis) {
        let current = self.schedule.round_at(now).unwrap_or(Round(0));
        if lock(&self.due).exchange > current.next() {
            self.draw_next(now);
        }
    }

    /// The last rounds in which an exchange was begun.
    pub(crate) fn begun(&self) -> Vec<Round> {
        lock(&self.due).begun.clone()
    }

    /// The instant of the next exchange.
    fn exchange_due(&self) -> Millis {
        let round = lock(&self.due).exchange;
        self.instants.instant(&self.schedule, round)
    }

    fn rewrite_due(&self) -> Millis {
        lock(&self.due).rewrite
    }

    /// Says that a blob is about to be taken, until what is returned is dropped.
    pub(crate) fn sending(&self) -> Sending<'_> {
        self.sending.send_replace(true);
        Sending(&self.sending)
    }

    /// Returns once no blob is on its way.
    async fn sent(&self) {
        // The sender lives as long as `self`, so this ends for one reason only.
        let _ = self.sending.subscribe().wait_for(|sending| !sending).await;
    }

    async fn rewrite(self: &Arc<Self>) -> Result<(), MailboxError> {
        self.blocking(|inner| {
            let mut rng = inner.rng();
            let rewritten = inner.held().mailbox.rewrite(&mut rng);
            inner.library().touch(inner.clock.now());
            inner.said(rewritten)
        })
        .await
    }

    /// Says whether the mailbox could be written, on every screen and in the log. The same with and without mail.
    pub(crate) fn said<T>(&self, written: Result<T, MailboxError>) -> Result<T, MailboxError> {
        self.show(|shown| shown.unwritten = written.is_err());
        written.inspect_err(|cause| {
            tracing::warn!(%cause, "could not write to this device's folder; is the disk full?");
        })
    }

    /// Runs what waits for the disk or computes for long, beside everything else.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Arc<Inner>) -> T + Send + 'static,
    ) -> T {
        let inner = Arc::clone(self);
        match tokio::task::spawn_blocking(move || work(&inner)).await {
            Ok(done) => done,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }

    /// When the blob at `place` of the queue leaves. Everything is rounded to whole rounds, so that no screen shows the
    /// instants that this device draws.
    pub(crate) fn leaves(&self, held: &Held, place: usize, now: Millis) -> Leaves {
        let (first, surely) = self.next_taken(held, now);
        let after = |r: Round| Round(r.0.saturating_add(place as u32));
        Leaves {
            place,
            from: self.schedule.start(after(first)).max(now),
            until: self.schedule.end(after(surely)),
            durable_by: self.durable_by(),
        }
    }

    /// Whether it does leave then, as far as that is known now.
    pub(crate) fn can_leave(&self, held: &Held, place: usize, now: Millis) -> bool {
        let (first, surely) = self.next_taken(held, now);
        let health = self.shown().health();
        let round = match health {
            Health::Starting | Health::Offline | Health::Clock | Health::Disk => return false,
            // With each edition come the keys of another round.
            Health::Good => first,
            // It sends for as long as it knows keys.
            _ => Round(surely.0.saturating_add(place as u32)),
        };
        self.envelope_keys(round).is_some()
    }

    /// From when on what is changed in the mailbox now is on the disk, unless that fails.
    pub(crate) fn durable_by(&self) -> Millis {
        self.rewrite_due().plus(REWRITE_SLACK_MS)
    }

    /// The rounds in which the queue's first blob leaves: at the earliest, and at the latest.
    fn next_taken(&self, held: &Held, now: Millis) -> (Round, Round) {
        self.if_set_back(now);
        let current = self.schedule.round_at(now).unwrap_or(Round(0));
        let due = lock(&self.due).exchange;
        if held.taken == Some(current) || due > current {
            let next = due.max(current.next());
            (next, next)
        } else if now < self.instants.instant(&self.schedule, current) {
            (current, current)
        } else {
            // This round's exchange is under way: it may still take a blob, or have been skipped.
            (current, current.next())
        }
    }

    /// The exit's keys for what enters the queue now. None while something in it waits for the next exchange to make it cover anew: what
    /// came beside it before would be the only thing of its week.
    pub(crate) fn exit_keys(&self, held: &Held, now: Millis) -> Option<ExitKeys> {
        let exits = ExitKeys::of(&self.shown().directory, self.next_taken(held, now).0)?;
        // MBX-15
        (!held.mailbox.is_filled() || (0..QUEUE).all(|place| !exits.is_lost(place, held.mailbox.week(place))))
            .then_some(exits)
    }
}

/// The most rounds between an upload and the last mix: one for each mix on the way, and the choice of 24 that one has who holds it.
const ON_ITS_WAY: u32 = 26;

/// The exit's keys for blobs by their places in the queue.
pub(crate) struct ExitKeys {
    directory: Arc<Directory>,
    /// When the queue's first blob leaves, at the earliest.
    first: Round,
}

impl ExitKeys {
    /// `None` if the exit's key of the round in which the first leaves is not known.
    pub(crate) fn of(directory: &Arc<Directory>, first: Round) -> Option<Self> {
        directory.exit_key(first)?;
        Some(Self { directory: Arc::clone(directory), first })
    }

    /// The key for a blob that is new at `place`, and the first round of the key's week.
    pub(crate) fn at(&self, place: usize) -> (&SealPublic, Round) {
        // MBX-15: of the round in which it leaves, so that what waited long is sealed like what is new; never of a later one,
        // whose key the exit would not have begun to use.
        let known = [self.leaves(place), self.first].into_iter().find_map(|round| {
            let key = self.directory.exit_key(round)?;
            Some((key, KeyKind::Week.period(round).from))
        });
        known.expect("there was one when this was made")
    }

    /// The key for what comes to `place` instead of a blob that is sealed to the key of `week`.
    pub(crate) fn instead(&self, place: usize, week: Round) -> (&SealPublic, Round) {
        // MBX-15: the same one. The exit sees to which key a blob is sealed, and who saw when this device was on knows which one cover
        // has that has waited since.
        // Lost it is not: before that is cover anew nothing comes.
        let same = self.directory.exit_key(week);
        same.map_or_else(|| self.at(place), |key| (key, week))
    }

    /// Whether what is sealed to the key of `week` would come to the exit from `place` when that key is gone.
    pub(crate) fn is_lost(&self, place: usize, week: Round) -> bool {
        let comes = Round(self.leaves(place).0.saturating_add(ON_ITS_WAY));
        KeyKind::Week.is_over(KeyKind::Week.period(week), comes)
    }

    /// Whether one exit has both rounds.
    pub(crate) fn is_one(&self, round: Round, other: Round) -> bool {
        let of = |round| self.directory.roster().mix(self.directory.wire().cascade.exit(), round);
        of(round) == of(other)
    }

    /// Cover that is new at `place`.
    pub(crate) fn cover(&self, wire: &Wire, place: usize, rng: &mut impl CryptoRng) -> Waiting {
        let (exit, week) = self.at(place);
        Waiting { blob: envelope::cover(wire, exit, rng), week }
    }

    /// The round in which the blob at `place` leaves, at the earliest.
    pub(crate) fn leaves(&self, place: usize) -> Round {
        Round(self.first.0.saturating_add(place as u32))
    }
}

/// An exchange between taking a blob and the end of its upload.
pub(crate) struct Sending<'a>(&'a watch::Sender<bool>);

impl Drop for Sending<'_> {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

/// A lock is held for moments, and what it guards is whole even if a thread died holding it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
