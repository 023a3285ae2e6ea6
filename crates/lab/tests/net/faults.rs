//! Seeded rounds of the whole network, with a fault at every step of every role: before the step takes effect, and after it,
//! with the answer lost. Servers, press, witness, devices and a desk are the real ones, over HTTP on loopback, with their state
//! on the disk; only the clock is moved by hand. In the end every message has arrived once, or its sender was told.
//!
//! `FIRSTHAND_ROUNDS=1000` and `FIRSTHAND_SEED=7` ask for more rounds, and for others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::{Device, Inbox, Kdf, LineState, Passphrase, Place, Session, Vault, VaultContents, Who};
use firsthand::found::{self, Plan, file};
use press::Press;
use press::gather::Inputs;
use proto::sign::IdentitySecret;
use proto::{Clock, DeskId, Millis, NetworkId, Round, Schedule};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use server::edge::{Ceilings, Edge, RunError};
use server::faults::{Hook, Side, Step};
use server::http::EdgeClient;
use server::mix::{HttpUpstream, Mix, MixError, Setup};
use server::seed;
use server::witness::{Witness, WitnessError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, block_in_place};

use crate::chain::Hands;
use crate::proxy::{Cut, Proxy};
use crate::turn::one_article;

const GENESIS: Millis = Millis(1_800_000_000_000);
/// T.
const ROUND_MS: u32 = 60_000;
/// Faults that are added in each round.
const A_ROUND: usize = 2;
/// Sources that write, beside readers who do not.
const SOURCES: usize = 2;
const CROWD: usize = 7;
/// A source writes no more: its mailbox has an end.
const MOST: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn with_a_fault_at_every_step_of_every_role_every_message_arrives_once_or_its_sender_is_told() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let rounds = asked("FIRSTHAND_ROUNDS").unwrap_or(100) as u32;
    let seed = asked("FIRSTHAND_SEED").unwrap_or(1);
    let articles = one_article();
    let mut whole = Whole::found(seed, articles.path()).await;
    let mut deck = Vec::new();
    for r in 1..=rounds {
        for _ in 0..A_ROUND {
            if deck.is_empty() {
                deck = Fault::all();
                deck.shuffle(&mut whole.chance);
            }
            whole.arm(deck.pop().expect("it was filled"));
        }
        whole.write();
        whole.round(r).await;
        whole.answer();
    }
    whole.faults.disarm();
    let struck = whole.faults.struck();
    let never: Vec<_> = Strike::all().into_iter().filter(|strike| !struck.contains_key(strike)).collect();
    // What is on its way arrives.
    for r in rounds + 1..=rounds + 12 {
        whole.round(r).await;
    }
    // Nobody was on for five days. Then what was lost is sealed anew, and answers are repeated.
    let back = rounds + 12 + 121;
    for r in back..back + 12 {
        whole.round(r).await;
        whole.unlock_all();
    }
    let count = whole.check();
    println!(
        "seed {seed}: {rounds} rounds, {} stops at {} of {} places, {} other faults, {count}; never stopped at: {never:?}",
        struck.values().sum::<u32>(),
        struck.len(),
        Strike::all().len(),
        whole.others,
    );
    if rounds >= 100 {
        assert!(never.iter().all(Strike::is_rare), "never struck in {rounds} rounds: {never:?}");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Server {
    Edge,
    Mix(u8),
    Witness,
}

/// A server is stopped at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Strike {
    who: Server,
    step: Step,
    after: bool,
}

impl Strike {
    fn all() -> Vec<Self> {
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
    fn is_rare(&self) -> bool {
        let keys = [Step::KeyMade, Step::KeyHanded, Step::KeyNoted, Step::KeyForgotten];
        self.who == Server::Mix(2) && keys.contains(&self.step)
    }
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Strike(Strike),
    /// One of the press's next requests, or its answer, is lost.
    Press(Cut, usize),
    PressKilled,
    /// The next upload of a source, or its answer, is lost.
    Source(usize, Cut),
    SourceKilled(usize),
    Desk(Cut),
    DeskKilled,
}

impl Fault {
    fn all() -> Vec<Self> {
        let cuts = [Cut::BodyLost, Cut::AnswerLost];
        let mut all: Vec<_> = Strike::all().into_iter().map(Self::Strike).collect();
        all.extend((0..5).flat_map(|n| cuts.map(|cut| Self::Press(cut, n))));
        all.extend((0..SOURCES).flat_map(|n| cuts.map(|cut| Self::Source(n, cut))));
        all.extend((0..SOURCES).map(Self::SourceKilled));
        all.extend(cuts.map(Self::Desk));
        all.extend([Self::PressKilled, Self::DeskKilled]);
        all
    }
}

/// Where servers are to be stopped next, and where they were.
#[derive(Default)]
struct Faults {
    armed: Mutex<BTreeSet<Strike>>,
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

    fn disarm(&self) {
        self.armed.lock().unwrap().clear();
    }

    fn struck(&self) -> BTreeMap<Strike, u32> {
        self.struck.lock().unwrap().clone()
    }
}

struct RunningEdge {
    edge: Arc<Edge>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), RunError>>,
}

/// A device that writes, with its own way to the edge.
struct Writer {
    place: PathBuf,
    wire: Proxy,
    device: Option<Arc<Device>>,
    passphrase: Passphrase,
    /// It is killed after its next exchange.
    killed: bool,
    /// What it wrote, each text once, and from when on it is promised to last. `None`: it was killed before.
    written: Vec<(String, Option<Millis>)>,
}

impl Writer {
    fn device(&self) -> &Arc<Device> {
        self.device.as_ref().expect("it is running")
    }

    fn unlock(&self) -> Session {
        self.device().unlock(&self.passphrase).unwrap().expect("the mailbox is there")
    }
}

/// A folder in memory, where the system has one: what is stopped here are programs, not the computer, so nothing has to wait
/// until a disk has written.
fn in_memory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir()).unwrap()
}

/// Every part of the network.
struct Whole {
    folder: tempfile::TempDir,
    network: NetworkId,
    desk_id: DeskId,
    schedule: Schedule,
    articles: PathBuf,
    clock: Arc<Hands>,
    chance: StdRng,
    faults: Arc<Faults>,
    /// Faults other than strikes that were made ready.
    others: u32,
    address: SocketAddr,
    edge: Option<RunningEdge>,
    mixes: Vec<Option<Mix<HttpUpstream>>>,
    witness: Option<Witness>,
    press: Option<Press>,
    press_wire: Option<Proxy>,
    sources: Vec<Writer>,
    desk: Option<Writer>,
    inbox: Option<Inbox>,
    crowd: Vec<Arc<Device>>,
}

impl Whole {
    /// Everything is founded and started, and every device has the first edition.
    async fn found(seed: u64, articles: &Path) -> Self {
        let folder = in_memory();
        let mut chance = StdRng::seed_from_u64(seed);
        let plan = Plan { round_ms: ROUND_MS, genesis: GENESIS };
        let founded = found::found(folder.path(), &plan, &mut chance).unwrap();
        let passphrase = Passphrase::generate(&mut chance);
        let at = folder.path().join(file::DESK);
        let identity = IdentitySecret::from_seed(&seed::read(&at.join(file::IDENTITY)).unwrap());
        let contents = VaultContents { identity, intake: founded.intake };
        Vault::create(&at.join(file::VAULT), &passphrase, Kdf::cheap(), contents, &mut chance).unwrap();
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
        let edge = format!("http://{}", whole.address);
        whole.press_wire = Some(Proxy::start(&edge, Cut::Never).await.unwrap());
        // The exit makes keys for weeks: these steps come now or hardly ever.
        for strike in Strike::all().into_iter().filter(Strike::is_rare) {
            whole.arm(Fault::Strike(strike));
        }
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
            let reader = whole.device(Place::Memory, &edge, None);
            whole.crowd.push(reader);
        }
        whole.round(0).await;
        for source in &whole.sources {
            drop(source.device().begin(&source.passphrase).unwrap());
        }
        whole
    }

    fn at(&self, role: &str) -> PathBuf {
        self.folder.path().join(role)
    }

    /// Moves the clock on, and never back.
    fn set_clock(&self, to: Millis) {
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

    fn open_press(&mut self) {
        self.press = None;
        let at = self.at("press");
        let config = press::Config {
            edge: self.press_wire.as_ref().expect("it was started").url.clone(),
            state: at.join("state"),
            inputs: Inputs { folders: vec![self.articles.clone()], feeds: vec![] },
            directory: std::fs::read(at.join(file::DIRECTORY)).unwrap(),
            network: self.network,
            identity: IdentitySecret::from_seed(&seed::read(&at.join(file::IDENTITY)).unwrap()),
        };
        self.press = Some(Press::open(config).unwrap());
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

    fn device(&mut self, place: Place, edge: &str, desk: Option<IdentitySecret>) -> Arc<Device> {
        let config = client::Config {
            edge: edge.to_owned(),
            network: self.network,
            directory: std::fs::read(self.at("reader").join(file::DIRECTORY)).unwrap(),
            place,
            kdf: Kdf::cheap(),
            desk,
        };
        Arc::new(Device::open(config, self.clock.clone(), self.seeded()).unwrap())
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
        writer.device = Some(self.device(place, &writer.wire.url.clone(), identity));
    }

    fn open_inbox(&mut self) {
        let desk = self.desk.as_ref().expect("it is there");
        let vault = Vault::unlock(&self.at(file::DESK).join(file::VAULT), &desk.passphrase).unwrap();
        self.inbox = Some(Inbox::new(Arc::clone(desk.device()), vault));
    }

    // ---- faults ----

    fn arm(&mut self, fault: Fault) {
        match fault {
            Fault::Strike(strike) => {
                self.faults.armed.lock().unwrap().insert(strike);
                return;
            }
            Fault::Press(cut, after) => self.press_wire.as_ref().unwrap().set_cut_after(after, cut),
            Fault::PressKilled => self.open_press(),
            Fault::Source(n, cut) => self.sources[n].wire.set_cut(cut),
            Fault::SourceKilled(n) => self.sources[n].killed = true,
            Fault::Desk(cut) => self.desk.as_ref().unwrap().wire.set_cut(cut),
            Fault::DeskKilled => self.desk.as_mut().unwrap().killed = true,
        }
        self.others += 1;
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
            Err(MixError::Upstream(_) | MixError::NoKey) => {
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
    async fn round(&mut self, r: u32) {
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

    /// Exchanges due before `until`, each at its own moment.
    async fn exchanges(&mut self, until: Millis) {
        let mut due: Vec<(Millis, usize)> = Vec::new();
        let writers = self.sources.iter().chain(&self.desk).map(|writer| writer.device());
        for (n, device) in writers.chain(&self.crowd).enumerate() {
            // One that was off looks up first.
            if device.status().next_exchange < self.clock.now() {
                device.step(self.clock.now()).await;
            }
            let next = device.status().next_exchange;
            if next < until {
                due.push((next, n));
            }
        }
        due.sort_unstable();
        for (moment, n) in due {
            self.set_clock(moment);
            if let Some(reader) = n.checked_sub(SOURCES + 1) {
                self.crowd[reader].step(self.clock.now()).await;
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

    /// Now and then a source writes.
    fn write(&mut self) {
        let now = self.clock.now();
        for (n, source) in self.sources.iter_mut().enumerate() {
            if source.written.len() >= MOST || !self.chance.random_bool(0.25) {
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
    fn answer(&mut self) {
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

    /// Every source looks at its mailbox: what was lost is sealed anew.
    fn unlock_all(&self) {
        for source in &self.sources {
            drop(source.unlock());
        }
        self.inbox.as_ref().unwrap().collect();
    }

    /// Every message arrived once, or its sender was told; and so did every answer. Says how many there were.
    fn check(&self) -> String {
        let inbox = self.inbox.as_ref().unwrap();
        inbox.collect();
        let at_desk: Vec<_> = inbox.conversations().into_iter().flat_map(|c| c.lines).collect();
        let sessions: Vec<_> = self.sources.iter().map(Writer::unlock).collect();
        let at_sources: Vec<_> =
            sessions.iter().flat_map(Session::conversations).flat_map(|c| c.lines).collect();
        let (mut arrived, mut told, mut again) = (0_usize, 0, 0);
        let mut one =
            |text: &str, promised: bool, sent: &[client::Line], came: &[client::Line], is_answer: bool| {
                let theirs = |line: &&client::Line| *line.text == *text && line.who == Who::You;
                let came = came.iter().filter(|line| *line.text == *text && line.who != Who::You).count();
                assert!(came <= 1, "{text} came {came} times");
                let Some(line) = sent.iter().find(theirs) else {
                    assert!(!promised, "{text} was promised to last, and is gone");
                    return;
                };
                again += u32::from(line.times.saturating_sub(1));
                match line.state {
                    LineState::Acknowledged => assert_eq!(came, 1, "{text} was acknowledged"),
                    LineState::Unknown { .. } => told += 1,
                    // That an answer came, the desk learns with the source's next message.
                    other => assert!(is_answer && came == 1, "{text}: {other:?}, and came {came} times"),
                }
                arrived += came;
            };
        for (text, promised) in self.sources.iter().flat_map(|source| &source.written) {
            one(text, promised.is_some(), &at_sources, &at_desk, false);
        }
        for (text, promised) in &self.desk.as_ref().unwrap().written {
            one(text, promised.is_some(), &at_desk, &at_sources, true);
        }
        assert!(arrived >= 20, "only {arrived} arrived");
        format!(
            "{arrived} messages and answers arrived, {again} of them sealed anew, {told} told to be unknown"
        )
    }
}
