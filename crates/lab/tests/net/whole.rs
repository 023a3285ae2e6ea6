//! Every part of the network in one process, as a person would start them: servers, press, witness, devices and a desk are the
//! real ones, over HTTP on loopback, with their state on the disk. Only the clock is moved by hand, and every server can be
//! stopped at every step.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::{Device, Inbox, Kdf, Passphrase, Place, Session, Vault};
use firsthand::found::{self, Plan, file};
use press::Press;
use press::gather::Inputs;
use proto::audit::Report;
use proto::sign::IdentitySecret;
use proto::{Clock, DeskId, Millis, NetworkId, Round, Schedule};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use server::edge::{Ceilings, Edge, RunError};
use server::faults::{Hook, Side, Step};
use server::http::EdgeClient;
use server::mix::{HttpUpstream, Mix, MixError, Setup};
use server::seed;
use server::status::Status;
use server::witness::{Witness, WitnessError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, block_in_place};

use crate::chain::Hands;
use crate::proxy::{Cut, Proxy};

const GENESIS: Millis = Millis(1_800_000_000_000);
/// T.
pub(crate) const ROUND_MS: u32 = 60_000;
/// Sources that write, beside readers who do not.
pub(crate) const SOURCES: usize = 2;
const CROWD: usize = 7;
/// A source writes no more: its mailbox has an end.
const MOST: usize = 30;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Server {
    Edge,
    Mix(u8),
    Witness,
}

/// A server is stopped at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Strike {
    who: Server,
    step: Step,
    after: bool,
}

impl Strike {
    pub(crate) fn all() -> Vec<Self> {
        let mix = |hop: u8| {
            let no: &[Step] = match hop {
                2 => &[Step::Searched],
                _ => &[Step::Admitted, Step::PassKept],
            };
            let steps = Step::MIX.into_iter().filter(|step| !no.contains(step) && *step != Step::Deleted);
            steps.map(move |step| (Server::Mix(hop), step))
        };
        let edge = Step::EDGE.into_iter().chain(Step::LOG).map(|step| (Server::Edge, step));
        let witness = Step::WITNESS.into_iter().map(|step| (Server::Witness, step));
        let all = edge.chain(witness).chain((0..3).flat_map(mix));
        all.flat_map(|(who, step)| [false, true].map(|after| Self { who, step, after })).collect()
    }

    /// What comes once in some days, so that it may not have come while it was waited for.
    pub(crate) fn is_rare(&self) -> bool {
        let keys = [Step::KeyMade, Step::KeyHanded, Step::KeyNoted, Step::KeyForgotten];
        self.who == Server::Mix(2) && keys.contains(&self.step)
    }
}

/// Where servers are to be stopped next, and where they were.
#[derive(Default)]
pub(crate) struct Faults {
    pub(crate) armed: Mutex<BTreeSet<Strike>>,
    struck: Mutex<BTreeMap<Strike, u32>>,
    /// Whether the edge is to be started again.
    edge: AtomicBool,
}

impl Faults {
    fn hook(self: &Arc<Self>, who: Server) -> Hook {
        let faults = Arc::clone(self);
        Hook::new(move |step, side| {
            let strike = Strike { who, step, after: side == Side::After };
            let strikes = faults.armed.lock().unwrap().remove(&strike);
            if strikes {
                *faults.struck.lock().unwrap().entry(strike).or_default() += 1;
                faults.edge.fetch_or(who == Server::Edge, Ordering::SeqCst);
            }
            strikes
        })
    }

    pub(crate) fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    pub(crate) fn struck(&self) -> BTreeMap<Strike, u32> {
        self.struck.lock().unwrap().clone()
    }
}

struct RunningEdge {
    edge: Arc<Edge>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), RunError>>,
}

/// A device that writes, with its own way to the edge.
pub(crate) struct Writer {
    place: PathBuf,
    pub(crate) wire: Proxy,
    device: Option<Arc<Device>>,
    passphrase: Passphrase,
    /// It is killed after its next exchange.
    pub(crate) killed: bool,
    /// What it wrote, each text once, and from when on it is promised to last. `None`: it was killed before.
    pub(crate) written: Vec<(String, Option<Millis>)>,
}

impl Writer {
    pub(crate) fn device(&self) -> &Arc<Device> {
        self.device.as_ref().expect("it is running")
    }

    pub(crate) fn unlock(&self) -> Session {
        self.device().unlock(&self.passphrase).unwrap().expect("the mailbox is there")
    }
}

/// A clock that is so many milliseconds ahead of another.
pub(crate) struct Ahead {
    of: Arc<Hands>,
    by: i64,
}

impl Clock for Ahead {
    fn now(&self) -> Millis {
        Millis(self.of.now().0.saturating_add_signed(self.by))
    }
}

/// A device that only reads, with a clock of its own.
pub(crate) struct Reader {
    pub(crate) device: Arc<Device>,
    clock: Arc<Ahead>,
}

impl Reader {
    /// When its next exchange is, by everybody else's clock.
    fn due(&self) -> Millis {
        Millis(self.device.status().next_exchange.0.saturating_add_signed(-self.clock.by))
    }

    async fn step(&self) {
        self.device.step(self.clock.now()).await;
    }
}

/// A folder in memory, where the system has one: what is stopped here are programs, not the computer, so nothing has to wait
/// until a disk has written.
fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// Every part of the network.
pub(crate) struct Whole {
    folder: tempfile::TempDir,
    network: NetworkId,
    pub(crate) desk_id: DeskId,
    pub(crate) schedule: Schedule,
    articles: PathBuf,
    pub(crate) clock: Arc<Hands>,
    pub(crate) chance: StdRng,
    pub(crate) faults: Arc<Faults>,
    /// Faults other than strikes that were made ready.
    pub(crate) others: u32,
    address: SocketAddr,
    edge: Option<RunningEdge>,
    mixes: Vec<Option<Mix<HttpUpstream>>>,
    witness: Option<Witness>,
    press: Option<Press>,
    pub(crate) press_wire: Option<Proxy>,
    pub(crate) sources: Vec<Writer>,
    pub(crate) desk: Option<Writer>,
    pub(crate) inbox: Option<Inbox>,
    pub(crate) crowd: Vec<Reader>,
}

impl Whole {
    /// Everything is founded and started, struck where it is said, and every device has the first edition.
    pub(crate) async fn found(seed: u64, articles: &Path, struck: impl IntoIterator<Item = Strike>) -> Self {
        let folder = in_memory();
        let mut chance = StdRng::seed_from_u64(seed);
        let plan = Plan { round_ms: ROUND_MS, genesis: GENESIS };
        let founded = found::found(folder.path(), &plan, &mut chance).unwrap();
        let passphrase = Passphrase::generate(&mut chance);
        let at = folder.path().join(file::DESK);
        Vault::create(&at.join(file::VAULT), &passphrase, Kdf::cheap(), founded.vault, &mut chance).unwrap();
        let mut whole = Self {
            folder,
            network: founded.id,
            desk_id: founded.desk,
            schedule: Schedule { genesis: GENESIS, round_ms: ROUND_MS },
            articles: articles.to_owned(),
            clock: Arc::new(Hands(AtomicU64::new(GENESIS.0 + 1))),
            chance,
            faults: Arc::default(),
            others: 0,
            address: ([127, 0, 0, 1], 0).into(),
            edge: None,
            mixes: vec![None, None, None],
            witness: None,
            press: None,
            press_wire: None,
            sources: vec![],
            desk: None,
            inbox: None,
            crowd: vec![],
        };
        whole.open_edge().await;
        let edge = whole.url();
        whole.press_wire = Some(Proxy::start(&edge, Cut::Never).await.unwrap());
        whole.faults.armed.lock().unwrap().extend(struck);
        for hop in 0..3 {
            whole.open_mix(hop);
        }
        whole.open_press();
        whole.open_witness();
        for n in 0..SOURCES {
            let passphrase = Passphrase::generate(&mut whole.chance);
            let writer = whole.writer(&format!("source{n}"), passphrase, false).await;
            whole.sources.push(writer);
        }
        let desk = whole.writer("device", passphrase, true).await;
        whole.desk = Some(desk);
        whole.open_inbox();
        for _ in 0..CROWD {
            let seed = whole.chance.random();
            whole.reader(&edge, seed, 0);
        }
        whole.round(0).await;
        for source in &whole.sources {
            drop(source.device().begin(&source.passphrase).unwrap());
        }
        whole
    }

    /// Where a role keeps what it keeps.
    pub(crate) fn at(&self, role: &str) -> PathBuf {
        self.folder.path().join(role)
    }

    /// The edge's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the edge tells everyone.
    pub(crate) fn status(&self) -> Status {
        self.edge.as_ref().expect("it is running").edge.status()
    }

    /// What anybody finds who compares what the mixes state.
    pub(crate) async fn audit(&self) -> Report {
        let directory = self.at("edge").join(file::DIRECTORY);
        let config = server::audit::Config { edge: self.url(), network: self.network, directory };
        server::audit::run(&config, &*self.clock, |_, _| {}).await.unwrap().report
    }

    /// Moves the clock on, and never back.
    pub(crate) fn set_clock(&self, to: Millis) {
        self.clock.0.fetch_max(to.0, Ordering::SeqCst);
    }

    fn seeded(&mut self) -> StdRng {
        StdRng::seed_from_u64(self.chance.random())
    }

    // ---- starting, and starting again from what is on the disk ----

    async fn open_edge(&mut self) {
        let at = self.at("edge");
        let config = server::edge::Config {
            listen: self.address,
            state: at.join("state"),
            network: self.network,
            directory: at.join(file::DIRECTORY),
            max_journal_bytes: None,
            ceilings: Ceilings::default(),
        };
        let (clock, hook) = (self.clock.clone(), self.faults.hook(Server::Edge));
        let edge = Edge::open(&config, clock, &mut self.seeded(), hook).await.unwrap();
        let listening = Arc::clone(&edge).listen(self.address).await.unwrap();
        self.address = listening.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(listening.run(async { drop(stopped.await) }));
        self.edge = Some(RunningEdge { edge, stop, done });
    }

    fn open_mix(&mut self, hop: u8) {
        let at = self.at(&format!("mix{}", hop + 1));
        let edge = format!("http://{}", self.address);
        let config = server::mix::Config {
            hop,
            edge: edge.clone(),
            state: at.join("state"),
            identity: at.join(file::IDENTITY),
            network: self.network,
            directory: at.join(file::DIRECTORY),
        };
        let setup = Setup::read(&config).unwrap();
        let identity = Arc::clone(&setup.identity);
        let client = EdgeClient::new(&edge, self.network, identity, self.clock.clone()).unwrap();
        let upstream = HttpUpstream::new(client, Handle::current(), hop, 2);
        let hook = self.faults.hook(Server::Mix(hop));
        let mix = Mix::open(setup, upstream, self.seeded(), hook).unwrap();
        self.mixes[usize::from(hop)] = Some(mix);
    }

    pub(crate) fn open_press(&mut self) {
        self.press = None;
        let at = self.at("press");
        let config = press::Config {
            edge: self.press_wire.as_ref().expect("it was started").url.clone(),
            state: at.join("state"),
            inputs: Inputs { folders: vec![self.articles.clone()], ..Default::default() },
            directory: std::fs::read(at.join(file::DIRECTORY)).unwrap(),
            network: self.network,
            identity: IdentitySecret::from_seed(&seed::read(&at.join(file::IDENTITY)).unwrap()),
        };
        self.press = Some(Press::open(config, self.clock.clone()).unwrap());
    }

    fn open_witness(&mut self) {
        self.witness = None;
        let at = self.at("witness");
        let config = server::witness::Config {
            edge: format!("http://{}", self.address),
            state: at.join("state"),
            identity: at.join(file::IDENTITY),
            network: self.network,
            directory: at.join(file::DIRECTORY),
        };
        let hook = self.faults.hook(Server::Witness);
        self.witness = Some(Witness::open(&config, self.clock.clone(), hook).unwrap());
    }

    /// Another reader, whose clock is so many milliseconds ahead.
    pub(crate) fn reader(&mut self, edge: &str, seed: u64, ahead: i64) {
        let clock = Arc::new(Ahead { of: self.clock.clone(), by: ahead });
        let rng = StdRng::seed_from_u64(seed);
        let device = self.device(Place::Memory, edge, None, clock.clone(), rng);
        self.crowd.push(Reader { device, clock });
    }

    pub(crate) fn device(
        &self,
        place: Place,
        edge: &str,
        desk: Option<IdentitySecret>,
        clock: Arc<dyn Clock>,
        rng: StdRng,
    ) -> Arc<Device> {
        let config = client::Config {
            edge: edge.to_owned(),
            network: self.network,
            directory: std::fs::read(self.at("reader").join(file::DIRECTORY)).unwrap(),
            place,
            kdf: Kdf::cheap(),
            desk,
        };
        Arc::new(Device::open(config, clock, rng).unwrap())
    }

    async fn writer(&mut self, name: &str, passphrase: Passphrase, desk: bool) -> Writer {
        let place = self.at(name);
        let wire = Proxy::start(&format!("http://{}", self.address), Cut::Never).await.unwrap();
        let mut writer = Writer { place, wire, device: None, passphrase, killed: false, written: vec![] };
        self.open_writer(&mut writer, desk);
        writer
    }

    fn open_writer(&mut self, writer: &mut Writer, desk: bool) {
        writer.device = None;
        let identity = self.at(file::DESK).join(file::IDENTITY);
        let identity = desk.then(|| IdentitySecret::from_seed(&seed::read(&identity).unwrap()));
        let place = Place::Folder(writer.place.clone());
        let (clock, rng) = (self.clock.clone(), self.seeded());
        writer.device = Some(self.device(place, &writer.wire.url, identity, clock, rng));
    }

    fn open_inbox(&mut self) {
        let desk = self.desk.as_ref().expect("it is there");
        let vault = Vault::unlock(&self.at(file::DESK).join(file::VAULT), &desk.passphrase).unwrap();
        self.inbox = Some(Inbox::new(Arc::clone(desk.device()), vault));
    }

    /// Starts the edge again if it was stopped. Returns whether it was.
    async fn revive_edge(&mut self) -> bool {
        if !self.faults.edge.swap(false, Ordering::SeqCst) {
            return false;
        }
        let RunningEdge { edge, stop, done } = self.edge.take().expect("it was running");
        let _ = stop.send(());
        drop(edge);
        let _ = done.await.unwrap();
        self.open_edge().await;
        true
    }

    // ---- rounds ----

    /// Everybody steps until nobody has anything more to do.
    async fn settle(&mut self) {
        for _ in 0..100 {
            let mut busy = self.step_edge().await;
            for hop in 0..3 {
                busy |= self.step_mix(hop).await;
            }
            busy |= self.step_press().await;
            busy |= self.step_witness().await;
            busy |= self.revive_edge().await;
            if !busy {
                return;
            }
        }
        panic!("they never come to rest in round {:?}", self.schedule.round_at(self.clock.now()));
    }

    async fn step_edge(&mut self) -> bool {
        let edge = Arc::clone(&self.edge.as_ref().expect("it is running").edge);
        let _ = edge.step(self.clock.now()).await;
        drop(edge);
        self.revive_edge().await
    }

    async fn step_mix(&mut self, hop: u8) -> bool {
        let now = self.clock.now();
        let mix = self.mixes[usize::from(hop)].as_mut().expect("it is running");
        match block_in_place(|| mix.step(now)) {
            Ok(done) => done.taken > 0 || done.closed > 0 || done.pushed > 0 || done.more,
            Err(MixError::Killed(_)) => {
                self.mixes[usize::from(hop)] = None;
                self.open_mix(hop);
                true
            }
            // It waits for a later edition.
            Err(MixError::NoKey) => false,
            Err(MixError::Upstream(_)) => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                true
            }
            Err(e) => panic!("mix {hop}: {e}"),
        }
    }

    async fn step_press(&mut self) -> bool {
        let now = self.clock.now();
        match self.press.as_mut().expect("it is running").step(now).await {
            Ok(made) => made.is_some(),
            Err(press::PressError::Edge(_)) => {
                self.press_wire.as_ref().unwrap().set_cut(Cut::Never);
                true
            }
            Err(e) => panic!("press: {e}"),
        }
    }

    async fn step_witness(&mut self) -> bool {
        let now = self.clock.now();
        match self.witness.as_mut().expect("it is running").step(now).await {
            Ok(done) => done.grown.is_some() || done.cosigned,
            Err(WitnessError::Killed(_)) => {
                self.open_witness();
                true
            }
            Err(WitnessError::Edge(_) | WitnessError::Missing) => true,
            Err(e) => panic!("witness: {e}"),
        }
    }

    /// Round r: an edition, exchanges, and the drops of the round before.
    pub(crate) async fn round(&mut self, r: u32) {
        let start = self.schedule.start(Round(r));
        self.set_clock(start.plus(1));
        self.settle().await;
        let drops = start.plus(u64::from(ROUND_MS) * 3 / 4);
        self.exchanges(drops).await;
        self.set_clock(drops);
        self.settle().await;
        self.exchanges(self.schedule.start(Round(r + 1))).await;
        // A screen looks at the inbox now and then.
        self.inbox.as_ref().unwrap().collect();
    }

    /// When each device's next exchange is: sources, desk, readers.
    fn due(&self) -> impl Iterator<Item = (Millis, usize)> {
        let writers =
            self.sources.iter().chain(&self.desk).map(|writer| writer.device().status().next_exchange);
        writers.chain(self.crowd.iter().map(Reader::due)).zip(0..)
    }

    /// Exchanges due before `until`, each at its own moment.
    async fn exchanges(&mut self, until: Millis) {
        // One that was off looks up first.
        let late: Vec<_> = self.due().filter(|(due, _)| *due < self.clock.now()).collect();
        for (_, n) in late {
            match n.checked_sub(SOURCES + 1) {
                Some(reader) => self.crowd[reader].step().await,
                None => {
                    let writer = self.sources.iter().chain(&self.desk).nth(n).expect("it is there");
                    writer.device().step(self.clock.now()).await;
                }
            }
        }
        while let Some((moment, n)) = self.due().filter(|(due, _)| *due < until).min() {
            self.set_clock(moment);
            if let Some(reader) = n.checked_sub(SOURCES + 1) {
                self.crowd[reader].step().await;
            } else if n == SOURCES {
                let mut desk = self.desk.take().expect("it is there");
                self.exchange(&mut desk, true).await;
                self.desk = Some(desk);
                if self.inbox.is_none() {
                    self.open_inbox();
                }
            } else {
                let mut source = self.sources.remove(n);
                self.exchange(&mut source, false).await;
                self.sources.insert(n, source);
            }
            self.revive_edge().await;
        }
    }

    async fn exchange(&mut self, writer: &mut Writer, desk: bool) {
        let now = self.clock.now();
        writer.device().step(now).await;
        writer.wire.set_cut(Cut::Never);
        if std::mem::take(&mut writer.killed) {
            for (_, promised) in &mut writer.written {
                *promised = promised.filter(|from| *from <= now);
            }
            if desk {
                self.inbox = None;
            }
            self.open_writer(writer, desk);
        }
    }

    // ---- people ----

    /// Each source writes with this probability.
    pub(crate) fn write(&mut self, chance: f64) {
        let now = self.clock.now();
        for (n, source) in self.sources.iter_mut().enumerate() {
            if source.written.len() >= MOST || !self.chance.random_bool(chance) {
                continue;
            }
            let text = format!("Message {} of source {n}.", source.written.len());
            match source.unlock().write(self.desk_id, &text, now) {
                Ok(leaves) => source.written.push((text, Some(leaves.durable_by))),
                Err(why) => println!("source {n} cannot write: {why}"),
            }
        }
    }

    /// Now and then the desk answers.
    pub(crate) fn answer(&mut self) {
        let inbox = self.inbox.as_ref().expect("it is open");
        inbox.collect();
        let desk = self.desk.as_mut().expect("it is there");
        for conversation in inbox.conversations() {
            if conversation.unanswered && self.chance.random_bool(0.3) {
                let text = format!("Answer {}.", desk.written.len());
                if inbox.answer(conversation.id, &text, self.clock.now()).is_ok() {
                    desk.written.push((text, Some(self.clock.now())));
                }
            }
        }
    }
}
