//! A town for tests: everything but the servers. Editions, drops and directory are made by `proto` as the services make
//! them; the edge is a listener that answers from a table and writes down every byte it is sent.

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use client::{Config, Device, Exchanged, Inbox, Kdf, Passphrase, Place, Vault, VaultContents};
use proto::analysis::Analysis;
use proto::decoy::Decoys;
use proto::directory::{
    DeskCard, DeskEntry, Directory, IntakeKey, MixKey, Operator, Parameters, Role, Roster,
    UnverifiedDirectory,
};
use proto::drops::{empty_box, empty_slot};
use proto::edition::{Bundle, Head, page_digest, sign_head};
use proto::envelope::{self, Found, Wire};
use proto::hold::Hold;
use proto::keys::{KeyKind, Period};
use proto::log::{Checkpoint, Frontier, UnverifiedNote};
use proto::mix::{BatchId, Manifest};
use proto::pass::{self, DeskPass};
use proto::request::{self, UnverifiedRequest};
use proto::seal::SealSecret;
use proto::sign::{IdentityPublic, IdentitySecret, RootSecret, Unverified};
use proto::story::{Article, ArticleId, Block, Extent, Grain, Story, StoryId, When};
use proto::{Clock, DeskId, Digest, Millis, NetworkId, Round, Schedule, path};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(crate) const T: u32 = 60_000;
pub(crate) const GENESIS: u64 = 1_000_000_000;
pub(crate) const SLOTS: u16 = 4;
const MIXES: u8 = 3;

/// A clock that stands until it is set.
pub(crate) struct Hand(AtomicU64);

impl Hand {
    pub(crate) fn at(at: Millis) -> Self {
        Self(AtomicU64::new(at.0))
    }

    pub(crate) fn set(&self, to: Millis) {
        self.0.store(to.0, Ordering::SeqCst);
    }
}

impl Clock for Hand {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// One request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Which connection, counted from 0.
    pub connection: usize,
    pub method: String,
    pub path: String,
    /// Names and values as written, in order.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// What the edge does with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Upload {
    Answer,
    /// Reads it to its end, then cuts the connection without an answer.
    CutAfterBody,
    /// Cuts the connection in the middle of it.
    CutWithin,
    /// Answers that it is busy.
    Busy,
}

struct Table {
    files: HashMap<String, Vec<u8>>,
    requests: Vec<Request>,
    upload: Upload,
    close_after_answer: bool,
    /// What is answered to what is handed in.
    put: u16,
    /// The desks that the newest edition lists: to others no desk drop is given.
    desks: Vec<IdentityPublic>,
    /// Whose requests are looked at, and by which clock: how many milliseconds it is ahead of everybody's.
    network: Option<(NetworkId, Arc<Hand>)>,
    ahead: u64,
    /// Requests of this method are not answered for now.
    holds: Option<&'static str>,
    at_first_byte: Option<Box<dyn FnOnce() + Send>>,
}

/// The edge: a table of answers.
pub(crate) struct Edge {
    pub address: String,
    table: Arc<Mutex<Table>>,
    connections: Arc<AtomicUsize>,
}

impl Edge {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let table = Arc::new(Mutex::new(Table {
            files: HashMap::new(),
            requests: vec![],
            upload: Upload::Answer,
            close_after_answer: false,
            put: 200,
            desks: vec![],
            network: None,
            ahead: 0,
            holds: None,
            at_first_byte: None,
        }));
        let connections = Arc::new(AtomicUsize::new(0));
        let (shared, count) = (Arc::clone(&table), Arc::clone(&connections));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let n = count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, n, Arc::clone(&shared)));
            }
        });
        Self { address, table, connections }
    }

    /// How many connections came, whether anything was asked on them or not.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.table.lock().unwrap().requests.clone()
    }

    pub(crate) fn forget(&self) {
        self.table.lock().unwrap().requests.clear();
    }

    pub(crate) fn uploads(&self) -> Vec<(Round, Vec<u8>)> {
        let round = |path: &str| Round(path.split('/').nth(3).unwrap().parse().unwrap());
        let posts = self.requests().into_iter().filter(|r| r.method == "POST");
        posts.map(|r| (round(&r.path), r.body)).collect()
    }

    pub(crate) fn put(&self, path: String, bytes: Vec<u8>) {
        self.table.lock().unwrap().files.insert(path, bytes);
    }

    pub(crate) fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.table.lock().unwrap().files.get(path).cloned()
    }

    pub(crate) fn remove(&self, path: &str) -> Option<Vec<u8>> {
        self.table.lock().unwrap().files.remove(path)
    }

    pub(crate) fn bend(&self, path: &str, at: usize) {
        self.table.lock().unwrap().files.get_mut(path).unwrap()[at] ^= 1;
    }

    pub(crate) fn set_upload(&self, upload: Upload) {
        self.table.lock().unwrap().upload = upload;
    }

    /// Sets the edge's clock, so many milliseconds ahead of everybody's.
    pub(crate) fn set_ahead(&self, ahead: u64) {
        self.table.lock().unwrap().ahead = ahead;
    }

    fn judge(&self, network: NetworkId, clock: Arc<Hand>) {
        self.table.lock().unwrap().network = Some((network, clock));
    }

    fn list(&self, desks: Vec<IdentityPublic>) {
        self.table.lock().unwrap().desks = desks;
    }

    /// Answers this to what is handed in.
    pub(crate) fn answer_put(&self, status: u16) {
        self.table.lock().unwrap().put = status;
    }

    /// Leaves requests of this method without an answer, until told otherwise.
    pub(crate) fn hold(&self, method: Option<&'static str>) {
        self.table.lock().unwrap().holds = method;
    }

    /// Waits until a request of this method has come since the last [`Self::forget`].
    pub(crate) async fn asked(&self, method: &str) {
        until(|| self.requests().iter().any(|r| r.method == method)).await;
    }

    /// Does this when the first byte of the next upload has come.
    pub(crate) fn at_first_byte(&self, then: impl FnOnce() + Send + 'static) {
        self.table.lock().unwrap().at_first_byte = Some(Box::new(then));
    }

    /// Says keep-alive and closes all the same: what a client finds when it comes back to an idle connection.
    pub(crate) fn close_after_answer(&self) {
        self.table.lock().unwrap().close_after_answer = true;
    }

    /// Everything there is, for another edge of the same network.
    pub(crate) fn copy_to(&self, other: &Edge) {
        let (files, desks, network) = {
            let table = self.table.lock().unwrap();
            (table.files.clone(), table.desks.clone(), table.network.clone())
        };
        let mut others = other.table.lock().unwrap();
        (others.files, others.desks, others.network) = (files, desks, network);
    }
}

async fn serve(mut stream: TcpStream, connection: usize, table: Arc<Mutex<Table>>) {
    let mut read = Vec::new();
    loop {
        let head = loop {
            if let Some(end) = read.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            if more(&mut stream, &mut read).await == 0 {
                return;
            }
            if read.starts_with(b"P") {
                let then = table.lock().unwrap().at_first_byte.take();
                then.into_iter().for_each(|then| then());
            }
        };
        let text = String::from_utf8(read[..head].to_vec()).unwrap();
        let mut lines = text.trim_end().split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let (method, path) = (first.next().unwrap().to_owned(), first.next().unwrap().to_owned());
        let headers: Vec<(String, String)> =
            lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.into(), v.into())).collect();
        let length =
            headers.iter().find(|(n, _)| n == "content-length").map_or(0, |(_, v)| v.parse().unwrap());
        let upload = table.lock().unwrap().upload;
        let wanted = if upload == Upload::CutWithin && method == "POST" { length / 2 } else { length };
        while read.len() < head + wanted {
            if more(&mut stream, &mut read).await == 0 {
                break;
            }
        }
        let body = read[head..read.len().min(head + length)].to_vec();
        read.drain(..(head + length).min(read.len()));
        let (post, put) = (method == "POST", method == "PUT");
        let (answer, close) = {
            let mut table = table.lock().unwrap();
            let signed = headers.iter().find(|(name, _)| name == request::HEADER);
            let by = signed.and_then(|(_, value)| {
                let ((network, clock), asked) =
                    (table.network.as_ref()?, UnverifiedRequest::parse(value).ok()?);
                let now = clock.now().plus(table.ahead);
                asked.verify(network, &method, &path, now).ok()
            });
            let is_listed = by.is_some_and(|by| table.desks.contains(&by.by()));
            let is_refused = path.starts_with("/v1/drops/") && path.ends_with("/desk") && !is_listed;
            let file = table.files.get(&path).cloned();
            table.requests.push(Request { connection, method, path, headers, body });
            let answer = match (post, file) {
                (true, _) if upload == Upload::Answer => {
                    b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n".to_vec()
                }
                (true, _) if upload == Upload::Busy => {
                    b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n".to_vec()
                }
                (true, _) => return,
                (false, _) if put => {
                    format!("HTTP/1.1 {} Answer\r\ncontent-length: 0\r\n\r\n", table.put).into_bytes()
                }
                (false, _) if is_refused => b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n".to_vec(),
                (false, Some(file)) => {
                    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", file.len()).as_bytes(), &file]
                        .concat()
                }
                (false, None) => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
            };
            (answer, table.close_after_answer)
        };
        let held =
            |table: &Mutex<Table>| table.lock().unwrap().holds == Some(if post { "POST" } else { "GET" });
        while held(&table) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if stream.write_all(&answer).await.is_err() || close {
            return;
        }
    }
}

/// Waits until it is so, for some seconds at most.
pub(crate) async fn until(so: impl Fn() -> bool) {
    let wait = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> usize {
    stream.read_buf(read).await.unwrap_or(0)
}

/// The log as the press keeps it, and the directory that its newest head names.
#[derive(Clone)]
pub(crate) struct Log {
    tree: Frontier,
    directory: Option<Digest>,
}

pub(crate) type Snapshot = (Digest, Vec<Story>, Log);

/// The network behind the edge.
pub(crate) struct Town {
    pub edge: Edge,
    pub clock: Arc<Hand>,
    pub directory: Directory,
    pub directory_bytes: Vec<u8>,
    pub desk: DeskId,
    pub desk_identity: [u8; 32],
    root: RootSecret,
    roster: Roster,
    newsroom: IdentitySecret,
    press: IdentitySecret,
    mixes: Vec<IdentitySecret>,
    /// The first mix hands this key to the next edition's readers in place of its own for the round.
    pub other_round_key: Option<SealSecret>,
    pub witnesses: Vec<IdentitySecret>,
    /// Whether they co-sign before every exchange.
    pub awake: AtomicBool,
    log: Log,
    previous: Digest,
    front: Vec<Story>,
    /// The next edition's whole front page is this one in place of what its changes make, and whether its head names that.
    pub other_front: Option<(Vec<Story>, bool)>,
    /// Where the newest whole front page and the newest changes are.
    pub front_path: String,
    pub changes_path: String,
    /// Uploads taken so far, and what of them waits for a slot.
    taken: usize,
    pub boxes: Vec<Vec<u8>>,
    pub slots: Vec<[u8; 1024]>,
    /// How many messages to desks came to the exit.
    pub messages: usize,
    /// Every L3 blob that came to the exit.
    pub blobs: Vec<Vec<u8>>,
    pub rng: StdRng,
    /// The table of passes in the desk drops of a day, and which day.
    pub passes: Option<(u32, Vec<u8>)>,
    /// Which directory each edition named.
    named: Vec<(u32, Digest)>,
    /// Rounds of which the exit writes no drops.
    pub without_drops: Range<u32>,
    /// A round whose drops come with the next edition, beside those that are due.
    pub late_drops: Option<u32>,
    /// Of a round that had one, the readers' drop is the same again.
    pub same_readers: bool,
}

impl Town {
    /// With three witnesses, of which two must co-sign.
    pub(crate) async fn found(seed: u64) -> Self {
        Self::with_witnesses(seed, 3, 2).await
    }

    pub(crate) async fn with_witnesses(seed: u64, witnesses: usize, quorum: u8) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let root = RootSecret::generate(&mut rng);
        let network = root.public().network();
        let [press, edge, newsroom, desk] = [(); 4].map(|()| IdentitySecret::generate(&mut rng));
        let mixes: Vec<_> = (0..MIXES).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, name: &str, by: &IdentitySecret| Operator {
            role,
            name: name.into(),
            key: by.public(),
            since: Round(0),
        };
        let mut operators = vec![
            operator(Role::Press, "Press", &press),
            operator(Role::Edge, "Edge", &edge),
            operator(Role::Newsroom, "The Harbour Light", &newsroom),
        ];
        operators
            .extend((0..).zip(&mixes).map(|(hop, by)| operator(Role::Mix(hop), &format!("Mix {hop}"), by)));
        let witnesses: Vec<_> = (0..witnesses).map(|_| IdentitySecret::generate(&mut rng)).collect();
        operators.extend(witnesses.iter().map(|by| operator(Role::Witness, "Witness", by)));
        let roster = Roster {
            name: "Testing".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(GENESIS), round_ms: T },
                mixes: MIXES,
                n_min: 2,
                n_max: 100,
                desk_slots: SLOTS,
                reader_slots: SLOTS,
                hold: Hold::NONE,
                decoys: Decoys::NONE,
                quorum,
                desks: 3,
            },
            operators,
            number: 1,
            from: Round(0),
            until: Round(u32::MAX),
        };
        let listed = Listed { desk: &desk, since: 0, intake: intake_keys() };
        let unverified = assemble(&root, &roster, &newsroom, &mixes, None, &[listed]);
        let directory_bytes = unverified.to_bytes();
        let directory = unverified.verify(&network).unwrap();
        let town = Self {
            edge: Edge::start().await,
            clock: Arc::new(Hand::at(Millis(GENESIS))),
            desk: directory.desks()[0].id,
            desk_identity: *desk.to_seed(),
            directory,
            directory_bytes,
            root,
            roster,
            newsroom,
            press,
            mixes,
            other_round_key: None,
            witnesses,
            awake: AtomicBool::new(true),
            log: Log { tree: Frontier::empty(), directory: None },
            previous: Digest([0; 32]),
            front: vec![],
            other_front: None,
            front_path: String::new(),
            changes_path: String::new(),
            taken: 0,
            boxes: vec![],
            slots: vec![],
            messages: 0,
            passes: None,
            named: vec![],
            without_drops: 0..0,
            late_drops: None,
            same_readers: false,
            blobs: vec![],
            rng,
        };
        town.edge.judge(network, Arc::clone(&town.clock));
        town.edge.put(path::directory(&town.directory.digest()), town.directory_bytes.clone());
        town
    }

    /// A directory of the same network in which one mix may have another key in the first period, with these desks.
    pub(crate) fn directory_with(&self, mix: Option<(u8, &SealSecret)>, desks: &[Listed<'_>]) -> Directory {
        self.served(assemble(&self.root, &self.roster, &self.newsroom, &self.mixes, mix, desks))
    }

    /// A directory that lists this town's desk without keys, as another: with this vault key, from round `since` on.
    pub(crate) fn directory_by(&self, vault_key: &IdentitySecret, since: u32) -> Directory {
        let network = self.directory.wire().network;
        let own = IdentitySecret::from_seed(&self.desk_identity);
        let listed = Listed { desk: &own, since, intake: vec![] };
        let desk = entry_by(&network, &self.newsroom, "Desk", &listed, vault_key);
        let mix_keys = mix_keys(&network, &self.mixes, None);
        self.served(UnverifiedDirectory::assemble(&self.root, &self.roster, mix_keys, vec![desk]))
    }

    /// A directory of the same network with two newsrooms of one desk each: this town's, and another with its desk. Both go by
    /// these names, of newsroom and desk, from round `since` on.
    pub(crate) fn two_newsrooms(
        &self,
        number: u32,
        names: [(&str, &str); 2],
        since: u32,
        other: [&IdentitySecret; 2],
    ) -> Directory {
        let network = self.directory.wire().network;
        let own = IdentitySecret::from_seed(&self.desk_identity);
        let all = [(&self.newsroom, &own, intake_keys()), (other[0], other[1], intake_keys_of(0xdf))];
        let mut roster = Roster { number, ..self.roster.clone() };
        roster.operators.retain(|operator| operator.role != Role::Newsroom);
        let mut desks = vec![];
        for ((newsroom, name), (by, desk, intake)) in names.into_iter().zip(all) {
            let (role, key) = (Role::Newsroom, by.public());
            roster.operators.push(Operator { role, name: newsroom.into(), key, since: Round(since) });
            desks.push(entry(&network, by, name, &Listed { desk, since, intake }));
        }
        let mix_keys = mix_keys(&network, &self.mixes, None);
        self.served(UnverifiedDirectory::assemble(&self.root, &roster, mix_keys, desks))
    }

    /// Verified, and to be had from the edge.
    fn served(&self, unverified: UnverifiedDirectory) -> Directory {
        let bytes = unverified.to_bytes();
        let directory = unverified.verify(&self.directory.wire().network).unwrap();
        self.edge.put(path::directory(&directory.digest()), bytes);
        directory
    }

    /// A directory that an app may come with: this network's, and what `bend` makes of its roster.
    pub(crate) fn installed(&self, bend: impl FnOnce(&mut Roster)) -> Vec<u8> {
        let mut roster = self.roster.clone();
        bend(&mut roster);
        assemble(&self.root, &roster, &self.newsroom, &self.mixes, None, &[]).to_bytes()
    }

    /// The first mix's keys that the head of round `e` carries.
    fn round_keys(&mut self, e: u32) -> Vec<Unverified<MixKey>> {
        let other = self.other_round_key.take();
        let network = self.directory.wire().network;
        KeyKind::Round
            .published(Round(e))
            .map(|Period { from, until }| {
                let own = secret(0, from);
                let key = other.as_ref().filter(|_| from == Round(e)).unwrap_or(&own);
                let key = key.public().to_bytes().into();
                Unverified::sign(&MixKey { hop: 0, key, from, until }, &network, &self.mixes[0])
            })
            .collect()
    }

    /// The exchange of round `e` with an edition that names this directory. If it is not taken, it is as if the edition
    /// had never been.
    pub(crate) async fn offer(&mut self, e: u32, directory: Directory, device: &Device) -> Exchanged {
        let log = self.log.clone();
        let before = (self.previous, std::mem::replace(&mut self.directory, directory));
        self.clock.set(self.start(e).max(self.clock.now()));
        self.publish(e, vec![]);
        let exchanged = self.next(device).await;
        if exchanged.editions == 0 {
            self.edge.remove(&path::edition(Round(e)));
            (self.previous, self.directory) = before;
            self.log = log;
        }
        exchanged
    }

    pub(crate) fn config(&self, place: Place) -> Config {
        Config {
            edge: self.edge.address.clone(),
            network: self.directory.wire().network,
            directory: self.directory_bytes.clone(),
            place,
            kdf: Kdf::cheap(),
            desk: None,
        }
    }

    pub(crate) fn desk_config(&self, place: Place) -> Config {
        Config { desk: Some(IdentitySecret::from_seed(&self.desk_identity)), ..self.config(place) }
    }

    pub(crate) fn open(&self, config: Config, seed: u64) -> Arc<Device> {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Arc::new(Device::open(config, clock, StdRng::seed_from_u64(seed)).unwrap())
    }

    pub(crate) fn reader(&self, seed: u64) -> Arc<Device> {
        self.open(self.config(Place::Memory), seed)
    }

    pub(crate) fn schedule(&self) -> Schedule {
        self.directory.parameters().schedule
    }

    pub(crate) fn start(&self, r: u32) -> Millis {
        self.schedule().start(Round(r))
    }

    /// Publishes the edition of round `e` with these stories new or changed, and the drops of round `e - 2`.
    pub(crate) fn publish(&mut self, e: u32, changed: Vec<Story>) {
        let wire = self.directory.wire();
        self.named.push((e, self.directory.digest()));
        self.edge.list(self.directory.desks().iter().map(|desk| desk.identity).collect());
        let changes = Bundle { stories: changed, gone: vec![] };
        changes.clone().fold_into(&mut self.front);
        let due = Round(e).back(2).filter(|r| !self.without_drops.contains(&r.0));
        let rounds = due.into_iter().chain(self.late_drops.take().map(Round));
        let manifests = rounds.collect::<Vec<_>>().into_iter().map(|r| self.drops(r)).collect();
        let (changes_bytes, changes) = changes.pack();
        let (stories, is_named) = self.other_front.take().unwrap_or_else(|| (self.front.clone(), true));
        let page = page_digest(if is_named { &stories } else { &self.front });
        let (front_bytes, front) = Bundle { stories, gone: vec![] }.pack();
        let head = Head {
            round: Round(e),
            previous: self.previous,
            made: self.start(e),
            directory: self.directory.digest(),
            changes,
            front,
            page,
            manifests,
            round_keys: self.round_keys(e),
        };
        let bytes = sign_head(&head, &wire.network, &self.press);
        self.previous = Digest::of(&bytes);
        self.grow(&bytes);
        self.edge.put(path::edition(Round(e)), bytes);
        (self.changes_path, self.front_path) = (path::bundle(&changes.digest), path::bundle(&front.digest));
        self.edge.put(self.changes_path.clone(), changes_bytes);
        self.edge.put(self.front_path.clone(), front_bytes);
    }

    /// The drops of a round, and the exit's manifest of them.
    fn drops(&mut self, r: Round) -> Unverified<Manifest> {
        let wire = self.directory.wire();
        self.mix();
        let mut boxes: Vec<_> = self.take_boxes();
        boxes.resize_with(usize::from(SLOTS), || empty_box(&wire, &mut self.rng));
        boxes.shuffle(&mut self.rng);
        let mut slots: Vec<_> = self.take_slots();
        slots.resize_with(usize::from(SLOTS), || empty_slot(&mut self.rng));
        slots.shuffle(&mut self.rng);
        let mut desk = boxes.concat();
        desk.extend(self.passes(r));
        let before = self.edge.file(&path::reader_drop(r)).filter(|_| self.same_readers);
        let reader = before.unwrap_or_else(|| slots.concat());
        let manifest = Manifest {
            batch: BatchId { round: r, part: 0 },
            hop: MIXES - 1,
            inputs: vec![],
            count_in: 0,
            count_out: u32::from(SLOTS),
            outputs: vec![Digest::of(&desk), Digest::of(&reader)],
            deleted: 0,
            alarm: false,
        };
        self.edge.put(path::desk_drop(r), desk);
        self.edge.put(path::reader_drop(r), reader);
        Unverified::sign(&manifest, &wire.network, self.mixes.last().unwrap())
    }

    /// Adds an edition to the log, and has it co-signed.
    fn grow(&mut self, head: &[u8]) {
        let named = self.directory.digest();
        if self.log.directory.replace(named) != Some(named) {
            self.log.tree.push(&self.edge.file(&path::directory(&named)).unwrap());
        }
        self.edge.put(path::frontier(self.log.tree.size()), self.log.tree.to_bytes());
        self.log.tree.push(head);
        self.cosign();
    }

    /// What the press has to go back to, to publish something else in the place of what comes next.
    pub(crate) fn snapshot(&self) -> Snapshot {
        (self.previous, self.front.clone(), self.log.clone())
    }

    pub(crate) fn go_back(&mut self, (previous, front, log): Snapshot) {
        (self.previous, self.front, self.log) = (previous, front, log);
    }

    /// The log's newest checkpoint.
    pub(crate) fn checkpoint(&self) -> Checkpoint {
        self.log.tree.checkpoint()
    }

    /// Serves the newest checkpoint, co-signed just now, if the witnesses are awake and there is one.
    pub(crate) fn cosign(&self) {
        if self.awake.load(Ordering::SeqCst) && self.log.tree.size() > 0 {
            let quorum = usize::from(self.directory.parameters().quorum);
            self.serve(self.checkpoint(), &(0..quorum).collect::<Vec<_>>(), self.clock.now());
        }
    }

    /// Serves a checkpoint that these witnesses co-signed at this time.
    pub(crate) fn serve(&self, checkpoint: Checkpoint, by: &[usize], at: Millis) {
        self.edge.put(path::CHECKPOINT.to_owned(), self.note(checkpoint, by, at));
    }

    /// A checkpoint that these witnesses co-signed at this time.
    pub(crate) fn note(&self, checkpoint: Checkpoint, by: &[usize], at: Millis) -> Vec<u8> {
        let network = self.directory.wire().network;
        let note = UnverifiedNote::from_bytes(&checkpoint.sign(&network, &self.press)).unwrap();
        let cosigned =
            |note: UnverifiedNote, w: &usize| note.with(checkpoint.cosign(&network, &self.witnesses[*w], at));
        by.iter().fold(note, cosigned).to_bytes()
    }

    fn take_boxes(&mut self) -> Vec<Vec<u8>> {
        let n = self.boxes.len().min(usize::from(SLOTS));
        self.boxes.drain(..n).collect()
    }

    fn take_slots(&mut self) -> Vec<[u8; 1024]> {
        let n = self.slots.len().min(usize::from(SLOTS));
        self.slots.drain(..n).collect()
    }

    // As an exit does: drawn with the first drops of the day, for the desks of the directory that the last edition before it named.
    fn passes(&mut self, round: Round) -> Vec<u8> {
        let today = pass::day(round);
        if let Some((_, table)) = self.passes.as_ref().filter(|(day, _)| *day == today) {
            return table.clone();
        }
        let network = self.directory.wire().network;
        let before = self.named.iter().rev().find(|(e, _)| *e < today * proto::keys::DAY);
        let of_day = before.map(|(_, digest)| {
            let bytes = self.edge.file(&path::directory(digest)).unwrap();
            UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&network).unwrap()
        });
        let directory = of_day.as_ref().unwrap_or(&self.directory);
        let table = table_for(directory, today, &pass_of(today));
        self.passes.insert((today, table)).1.clone()
    }

    /// Opens every envelope that came, layer by layer, as the mixes do.
    pub(crate) fn mix(&mut self) {
        let uploads = self.edge.uploads();
        self.take_uploads(&uploads[self.taken.min(uploads.len())..]);
        self.taken = uploads.len();
    }

    fn take_uploads(&mut self, uploads: &[(Round, Vec<u8>)]) {
        let wire = self.directory.wire();
        for (round, envelope) in uploads {
            let mut layer = envelope.clone();
            for hop in 0..MIXES - 1 {
                let key = self.mix_key(hop, *round);
                let Ok((_, next)) = envelope::open_layer(&wire, hop, &key, &layer) else {
                    break;
                };
                layer = next;
            }
            if layer.len() != wire.cascade.blob() {
                continue;
            }
            self.blobs.push(layer.clone());
            let Some(found) = opened_by_exit(&wire, *round, &layer) else {
                assert!(round.0 >= EXIT_OPENS, "sealed to the exit");
                continue;
            };
            match found {
                Found::Cover => {}
                Found::ToDesk(boxed) => {
                    self.messages += 1;
                    self.boxes.push(boxed);
                }
                Found::ToReaders(slots) => self.slots.extend(slots),
            }
        }
    }

    /// What the mix at `hop` opens its layer of an envelope of this round with.
    pub(crate) fn mix_key(&self, hop: u8, round: Round) -> SealSecret {
        secret(hop, KeyKind::of_mix(hop, self.directory.wire().cascade).period(round).from)
    }

    /// What the exit finds in each envelope of this round: who holds every mix's key can tell.
    pub(crate) fn class_of(&self, round: Round, envelopes: &[Vec<u8>]) -> Vec<&'static str> {
        let wire = self.directory.wire();
        let class = |envelope: &Vec<u8>| {
            let mut layer = envelope.clone();
            for hop in 0..MIXES - 1 {
                let key = self.mix_key(hop, round);
                layer = envelope::open_layer(&wire, hop, &key, &layer).unwrap().1;
            }
            match opened_by_exit(&wire, round, &layer).expect("sealed to the exit") {
                Found::Cover => "cover",
                Found::ToDesk(_) => "to a desk",
                Found::ToReaders(_) => "to readers",
            }
        };
        envelopes.iter().map(class).collect()
    }

    /// The week to whose key the exit's layer of an envelope of this round is sealed.
    pub(crate) fn week_of(&self, round: Round, envelope: &[u8]) -> u32 {
        let wire = self.directory.wire();
        let mut layer = envelope.to_vec();
        for hop in 0..MIXES - 1 {
            layer = envelope::open_layer(&wire, hop, &self.mix_key(hop, round), &layer).unwrap().1;
        }
        let opens = |from: Round| envelope::open_exit(&wire, &secret(MIXES - 1, from), &[], &layer).is_ok();
        weeks().position(|week| opens(week.from)).expect("sealed to the exit") as u32
    }

    /// What the exit finds for readers in an envelope of this round.
    pub(crate) fn borne(&self, round: Round, envelope: &[u8]) -> Option<Borne> {
        let wire = self.directory.wire();
        let mut layer = envelope.to_vec();
        for hop in 0..MIXES - 1 {
            layer = envelope::open_layer(&wire, hop, &self.mix_key(hop, round), &layer).unwrap().1;
        }
        borne(&wire, round, &layer)
    }

    /// A directory without this one, which is the exit's key of a week.
    pub(crate) fn without_exit_key(&self, week: u32) -> Directory {
        let network = self.directory.wire().network;
        let mut keys = mix_keys(&network, &self.mixes, None);
        keys.retain(|signed| {
            let key = signed.dangerously_peek().unwrap();
            (key.hop, key.from) != (MIXES - 1, Round(week * proto::keys::WEEK))
        });
        let own = IdentitySecret::from_seed(&self.desk_identity);
        let name = format!("Desk {}", self.desk);
        let listed = Listed { desk: &own, since: 0, intake: intake_keys() };
        let desks = vec![entry(&network, &self.newsroom, &name, &listed)];
        self.served(UnverifiedDirectory::assemble(&self.root, &self.roster, keys, desks))
    }

    /// Goes through round `r` without news: `late` may do as it pleases with what came to the exit, before the drops are made.
    pub(crate) async fn quiet(&mut self, r: u32, devices: &[&Device], late: impl FnOnce(&mut Self)) {
        self.clock.set(self.start(r).max(self.clock.now()));
        self.mix();
        self.edge.forget();
        self.taken = 0;
        late(self);
        self.publish(r, vec![]);
        self.pass(r, devices).await;
    }

    /// What came to the exit is lost.
    pub(crate) fn lose(&mut self) {
        self.boxes.clear();
        self.slots.clear();
    }

    /// Goes to the next exchange of the device, doing on the way what is due.
    pub(crate) async fn next(&self, device: &Device) -> Exchanged {
        loop {
            self.cosign();
            let next = device.step(self.clock.now()).await;
            if let Some(exchange) = next.exchange {
                return exchange;
            }
            self.clock.set(next.next.max(self.clock.now()));
        }
    }

    /// Goes through round `r`: publishes its edition, then every device makes its exchange at its own instant.
    pub(crate) async fn round(&mut self, r: u32, devices: &[&Device]) {
        self.clock.set(self.start(r).max(self.clock.now()));
        self.publish(r, vec![story(r)]);
        self.pass(r, devices).await;
    }

    /// The exchanges of round `r`, in the order of their instants. A device that was off skips what it missed.
    pub(crate) async fn pass(&self, r: u32, devices: &[&Device]) {
        for device in devices {
            if device.status().next_exchange < self.start(r) {
                device.step(self.clock.now()).await;
            }
        }
        let mut order = devices.to_vec();
        order.sort_by_key(|d| d.status().next_exchange);
        for device in order {
            assert_eq!(self.next(device).await.round, Round(r));
        }
    }
}

/// The vault key of a test's desk: it hangs on the identity, so that who makes one needs no second secret.
pub(crate) fn vault_key(desk: &IdentitySecret) -> IdentitySecret {
    IdentitySecret::from_seed(&desk.to_seed().map(|byte| !byte))
}

/// A desk in a directory, the round from which it can be written to, and its keys.
pub(crate) struct Listed<'a> {
    pub desk: &'a IdentitySecret,
    pub since: u32,
    pub intake: Vec<(Period, SealSecret)>,
}

/// The key of the mix at `hop` whose first round is `from`: the same in every town.
fn secret(hop: u8, from: Round) -> SealSecret {
    let mut seed = [hop; 32];
    seed[..4].copy_from_slice(&from.0.to_be_bytes());
    SealSecret::from_seed(&seed)
}

pub(crate) fn pass_of(day: u32) -> DeskPass {
    DeskPass::from_bytes([day as u8; 32])
}

/// The table of a day with this pass, for the desks of this directory.
pub(crate) fn table_for(directory: &Directory, day: u32, pass: &DeskPass) -> Vec<u8> {
    let desks = directory.intake_keys(pass::last_round(day));
    pass::table(&directory.wire().network, pass, desks, directory.parameters().desks)
}

/// How many rounds after its week began the exit still opens with its key.
const EXIT_OPENS: u32 = proto::keys::WEEK + 240;

/// What the exit finds in a blob that came in this round, if the key it is sealed to is still there.
pub(crate) fn opened_by_exit(wire: &Wire, round: Round, blob: &[u8]) -> Option<Found> {
    let week = KeyKind::Week.period(round).from;
    let weeks = [0, 1, 2].map(|back| week.back(back * proto::keys::WEEK));
    let passes: Vec<_> = passes_of(round).map(pass_of).collect();
    let open = |from: Round| {
        let lives = round.0 < from.0 + EXIT_OPENS;
        lives.then(|| envelope::open_exit(wire, &secret(MIXES - 1, from), &passes, blob).ok())?
    };
    weeks.into_iter().flatten().find_map(open).map(|(_, found)| found)
}

/// The days whose passes an exit takes.
fn passes_of(round: Round) -> impl Iterator<Item = u32> {
    let today = pass::day(round);
    today.saturating_sub(pass::ACCEPTED_DAYS - 1)..=today
}

/// A blob of class 2 as the exit opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Borne {
    /// The week to whose key it is sealed.
    pub week: u32,
    /// By which day's pass it came through.
    pub day: u32,
    pub slots: Vec<[u8; 1024]>,
}

/// What an exit that keeps all passes and keys finds in a blob for readers that left in this round.
pub(crate) fn borne(wire: &Wire, round: Round, blob: &[u8]) -> Option<Borne> {
    (0..=KeyKind::Week.period(round).from.0 / proto::keys::WEEK).rev().find_map(|week| {
        let exit = secret(MIXES - 1, Round(week * proto::keys::WEEK));
        (0..=pass::day(round)).rev().find_map(|day| {
            match envelope::open_exit(wire, &exit, &[pass_of(day)], blob).ok()?.1 {
                Found::ToReaders(slots) => Some(Borne { week, day, slots }),
                _ => None,
            }
        })
    })
}

/// The desk's keys of the first weeks: the same in every town.
pub(crate) fn passphrase(seed: u64) -> Passphrase {
    Passphrase::generate(&mut StdRng::seed_from_u64(seed))
}

/// The inbox of a desk with this identity and these keys, in a new vault.
pub(crate) fn inbox(
    desk: &Arc<Device>,
    identity: [u8; 32],
    intake: Vec<(Period, SealSecret)>,
    vault: &Path,
) -> Inbox {
    let contents = VaultContents { vault_key: vault_key(&IdentitySecret::from_seed(&identity)), intake };
    let mut rng = StdRng::seed_from_u64(9);
    let vault = Vault::create(vault, &passphrase(9), Kdf::cheap(), contents, &mut rng).unwrap();
    Inbox::new(Arc::clone(desk), vault)
}

/// A town with one source and one desk, after the first edition.
pub(crate) struct Pair {
    pub town: Town,
    pub source: Arc<Device>,
    pub desk: Arc<Device>,
    pub inbox: Inbox,
    pub r: u32,
    pub folder: tempfile::TempDir,
}

impl Pair {
    pub(crate) async fn new(seed: u64) -> Self {
        Self::in_town(Town::found(seed).await, seed, 0).await
    }

    /// After the edition of round `first`, which is this town's first.
    pub(crate) async fn in_town(mut town: Town, seed: u64, first: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let source = town.reader(seed + 1);
        let desk = town.open(town.desk_config(Place::Memory), seed + 2);
        let inbox = inbox(&desk, town.desk_identity, intake_keys(), &folder.path().join("vault"));
        town.round(first, &[&source, &desk]).await;
        Self { town, source, desk, inbox, r: first + 1, folder }
    }

    pub(crate) fn now(&self) -> Millis {
        self.town.clock.now()
    }

    /// Rounds in which both are on.
    pub(crate) async fn rounds(&mut self, n: u32) {
        for _ in 0..n {
            self.town.round(self.r, &[&self.source, &self.desk]).await;
            self.inbox.collect();
            self.r += 1;
        }
    }

    /// A round, and what the desk's envelope of it bears if it is of class 2.
    pub(crate) async fn borne(&mut self) -> Option<Borne> {
        let (round, before) = (Round(self.r), self.town.edge.uploads().len());
        self.rounds(1).await;
        let sent: Vec<_> = self.town.edge.uploads().drain(before..).collect();
        sent.iter().find_map(|(_, envelope)| self.town.borne(round, envelope))
    }
}

pub(crate) fn intake_keys() -> Vec<(Period, SealSecret)> {
    intake_keys_of(0xde)
}

/// The same for another desk: no key is anybody else's, nor a mix's of these hops.
pub(crate) fn intake_keys_of(desk: u8) -> Vec<(Period, SealSecret)> {
    weeks().map(|week| (week, secret(desk, week.from))).collect()
}

fn weeks() -> impl Iterator<Item = Period> {
    (0..WEEKS).map(|week| KeyKind::Week.period(Round(week * proto::keys::WEEK)))
}

/// How many weeks a town's keys last, so that its directory is the same all the time.
const WEEKS: u32 = 8;

fn assemble(
    root: &RootSecret,
    roster: &Roster,
    newsroom: &IdentitySecret,
    mixes: &[IdentitySecret],
    other: Option<(u8, &SealSecret)>,
    desks: &[Listed<'_>],
) -> UnverifiedDirectory {
    let network = root.public().network();
    let id = |desk: &IdentitySecret| proto::directory::desk_id(&desk.public(), &vault_key(desk).public());
    let name = |desk: &IdentitySecret| format!("Desk {}", id(desk));
    let entries = desks.iter().map(|listed| entry(&network, newsroom, &name(listed.desk), listed));
    UnverifiedDirectory::assemble(root, roster, mix_keys(&network, mixes, other), entries.collect())
}

/// The keys of mixes that stand in directories; one mix may have another in the first period.
fn mix_keys(
    network: &NetworkId,
    mixes: &[IdentitySecret],
    other: Option<(u8, &SealSecret)>,
) -> Vec<Unverified<MixKey>> {
    let days = (0..WEEKS * 7).map(|day| KeyKind::Day.period(Round(day * proto::keys::DAY)));
    let of_hop = |hop: u8| -> Vec<Period> {
        if hop == MIXES - 1 { weeks().collect() } else { days.clone().collect() }
    };
    (1..MIXES)
        .flat_map(|hop| of_hop(hop).into_iter().map(move |period| (hop, period)))
        .map(|(hop, Period { from, until })| {
            let own = secret(hop, from);
            let key = other.filter(|(at, _)| (*at, Round(0)) == (hop, from)).map_or(&own, |(_, key)| key);
            let key = key.public().to_bytes().into();
            Unverified::sign(&MixKey { hop, key, from, until }, network, &mixes[usize::from(hop)])
        })
        .collect()
}

fn entry(network: &NetworkId, newsroom: &IdentitySecret, name: &str, listed: &Listed<'_>) -> DeskEntry {
    entry_by(network, newsroom, name, listed, &vault_key(listed.desk))
}

fn entry_by(
    network: &NetworkId,
    newsroom: &IdentitySecret,
    name: &str,
    listed: &Listed<'_>,
    vault_key: &IdentitySecret,
) -> DeskEntry {
    let card = DeskCard {
        name: name.into(),
        desk: listed.desk.public(),
        vault_key: vault_key.public(),
        about: "Reads everything.".into(),
        since: Round(listed.since),
    };
    let sign = |(Period { from, until }, secret): &(Period, SealSecret)| {
        let key = secret.public().to_bytes().into();
        Unverified::sign(&IntakeKey { key, from: *from, until: *until }, network, vault_key)
    };
    DeskEntry {
        newsroom: newsroom.public(),
        card: Unverified::sign(&card, network, newsroom),
        keys: listed.intake.iter().map(sign).collect(),
    }
}

/// A story of its own for each number.
pub(crate) fn story(n: u32) -> Story {
    let mut rng = StdRng::seed_from_u64(u64::from(n));
    let words: Vec<String> = (0..60).map(|_| format!("{:x}", rng.random_range(0u32..99_999))).collect();
    Story {
        id: StoryId([n as u8; 16]),
        title: format!("Story {n}"),
        articles: vec![Article {
            id: ArticleId([n as u8; 16]),
            outlet: "The Harbour Light".into(),
            title: format!("Story {n}"),
            byline: None,
            published: Some(When { unix: i64::from(n), grain: Grain::Minute }),
            url: None,
            body: vec![Block::Paragraph(words.join(" "))],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        }],
        analysis: Analysis::default(),
    }
}
