//! The log: a real edge and real witnesses over HTTP; and, for what no honest edge does, a table of answers in its place.
//! Spec: log.md.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::testing::{GENESIS, Hands, Town};
use proto::directory::{DirectoryRejected, Role};
use proto::edition::{Bundle, Head, page_digest, sign_head};
use proto::log::{Checkpoint, CosignatureLine, Frontier, LogRejected, NoteRejected, UnverifiedNote};
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::{Clock as _, Digest, Millis, Round, path, request};
use rand::{SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use server::audit::AuditError;
use server::edge::{self, Ceilings, Edge, OpenError, RunError};
use server::faults::{Hook, Killed, Side, Step};
use server::state::StateError;
use server::witness::{Config, Witness, WitnessError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const T: u64 = 3_000;

/// What a press holds.
#[derive(Clone)]
struct Press {
    tree: Frontier,
    directory: Option<Digest>,
    previous: Digest,
}

/// An edition as the press makes it, and its leaves in the log.
struct Made {
    head: Vec<u8>,
    bundle: Vec<u8>,
    /// The tree before the head.
    frontier: Frontier,
    note: Vec<u8>,
}

impl Press {
    fn new() -> Self {
        Self { tree: Frontier::empty(), directory: None, previous: Digest([0; 32]) }
    }

    fn publish(&mut self, town: &Town, round: u32, made: u64, directory: &[u8]) -> Made {
        let (bundle, nothing) = Bundle::default().pack();
        let named = Digest::of(directory);
        let head = Head {
            round: Round(round),
            previous: self.previous,
            made: GENESIS.plus(made),
            directory: named,
            changes: nothing,
            front: nothing,
            page: page_digest(&[]),
            manifests: vec![],
            round_keys: vec![],
        };
        let head = sign_head(&head, &town.network, &town.press);
        self.previous = Digest::of(&head);
        if self.directory.replace(named) != Some(named) {
            self.tree.push(directory);
        }
        let frontier = self.tree.clone();
        self.tree.push(&head);
        let note = self.tree.checkpoint().sign(&town.network, &town.press);
        Made { head, bundle, frontier, note }
    }
}

struct Net {
    town: Town,
    clock: Arc<Hands>,
    folder: tempfile::TempDir,
    http: reqwest::Client,
    base: String,
}

impl Net {
    fn new(seed: u64, base: String) -> Self {
        let town = Town::new(seed);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("directory"), &town.bytes).unwrap();
        for (n, witness) in town.witnesses.iter().enumerate() {
            server::seed::write(&folder.path().join(format!("witness{n}.key")), &witness.to_seed()).unwrap();
        }
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { town, clock: Hands::at(GENESIS.plus(10 * T)), folder, http, base }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn pass(&self, ms: u64) {
        self.clock.set(self.now().plus(ms));
    }

    fn config(&self, n: usize) -> Config {
        Config {
            edge: self.base.clone(),
            state: self.at(&format!("witness{n}")),
            identity: self.at(&format!("witness{n}.key")),
            network: self.town.network,
            directory: self.at("directory"),
        }
    }

    fn witness(&self, n: usize) -> Witness {
        self.stopped(n, Hook::none())
    }

    fn stopped(&self, n: usize, hook: Hook) -> Witness {
        Witness::open(&self.config(n), self.clock.clone(), hook).unwrap()
    }

    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        (answer.status(), answer.bytes().await.unwrap().to_vec())
    }

    async fn put(&self, by: &IdentitySecret, path: &str, body: &[u8]) -> StatusCode {
        let header = request::sign(&self.town.network, by, "PUT", path, body, self.now());
        let request = self.http.request(Method::PUT, format!("{}{path}", self.base));
        let sent = request.header(request::HEADER, header).body(body.to_vec()).send().await;
        sent.map_or(StatusCode::BAD_GATEWAY, |answer| answer.status())
    }

    /// Hands an edition to the edge, all but its checkpoint.
    async fn hand_in(&self, round: u32, made: &Made) {
        let press = &self.town.press;
        let bundle = path::bundle(&Digest::of(&made.bundle));
        assert_eq!(self.put(press, &bundle, &made.bundle).await, StatusCode::OK);
        assert_eq!(self.put(press, &path::edition(Round(round)), &made.head).await, StatusCode::OK);
    }

    async fn publish(&self, press: &mut Press, round: u32) {
        let made = press.publish(&self.town, round, 0, &self.town.bytes);
        self.hand_in(round, &made).await;
        assert_eq!(self.put(&self.town.press, path::PROPOSED, &made.note).await, StatusCode::OK);
    }

    /// The same, and two witnesses co-sign it: a quorum.
    async fn publish_witnessed(&self, press: &mut Press, round: u32) {
        self.publish(press, round).await;
        for n in 0..2 {
            self.witness(n).step(self.now()).await.unwrap();
        }
    }

    /// The checkpoint at this path, and how many witnesses have co-signed it.
    async fn shown(&self, path: &str) -> Option<(Checkpoint, usize)> {
        let (status, bytes) = self.get(path).await;
        if status == StatusCode::NOT_FOUND {
            return None;
        }
        let signed =
            UnverifiedNote::from_bytes(&bytes).unwrap().verify(&self.town.directory, Round(0)).unwrap();
        Some((signed.checkpoint(), signed.cosignatures().len()))
    }
}

/// A real edge.
struct Running {
    edge: Arc<Edge>,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<Result<(), RunError>>,
}

impl Running {
    async fn start(net: &mut Net, hook: Hook) -> Self {
        let config = edge::Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state: net.at("edge"),
            network: net.town.network,
            directory: net.at("directory"),
            max_journal_bytes: None,
            ceilings: Ceilings::default(),
        };
        let edge = Edge::open(&config, net.clock.clone(), &mut StdRng::seed_from_u64(1), hook).await.unwrap();
        let listening = Arc::clone(&edge).listen(config.listen).await.unwrap();
        net.base = format!("http://{}", listening.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(listening.run(async { drop(stopped.await) }));
        Self { edge, stop: Some(stop), done }
    }

    async fn end(mut self) {
        let _ = self.stop.take().unwrap().send(());
        let _ = self.done.await.unwrap();
    }
}

async fn real(seed: u64) -> (Net, Running) {
    let mut net = Net::new(seed, String::new());
    let edge = Running::start(&mut net, Hook::none()).await;
    (net, edge)
}

#[tokio::test]
async fn witnesses_co_sign_what_grows_and_clients_are_shown_it_once_there_are_enough() {
    let (net, edge) = real(1).await;
    let mut press = Press::new();
    let mut witnesses = [net.witness(0), net.witness(1), net.witness(2)];
    assert_eq!(witnesses[0].step(net.now()).await.unwrap(), Default::default(), "nothing is there yet");
    for round in 1..6 {
        net.publish(&mut press, round).await;
        let checkpoint = press.tree.checkpoint();
        assert_eq!(net.shown(path::PROPOSED).await, Some((checkpoint, 0)));
        let before = net.shown(path::CHECKPOINT).await;
        assert!(before.is_none_or(|(before, _)| before.size < checkpoint.size));
        for (n, witness) in witnesses.iter_mut().enumerate() {
            let done = witness.step(net.now()).await.unwrap();
            assert_eq!((done.grown, done.cosigned), (Some(checkpoint.size), true));
            // LOG-17: two of three must co-sign.
            let want = if n == 0 { before } else { Some((checkpoint, n + 1)) };
            assert_eq!(net.shown(path::CHECKPOINT).await, want, "round {round}, witness {n}");
        }
    }
    assert_eq!(press.tree.size(), 6, "one directory and five heads");
    // Nothing came: nothing is signed again before a round is over, and then it is.
    assert!(!witnesses[0].step(net.now()).await.unwrap().cosigned);
    net.pass(T);
    let again = witnesses[0].step(net.now()).await.unwrap();
    assert_eq!((again.grown, again.cosigned), (None, true));
    let note = UnverifiedNote::from_bytes(&net.get(path::CHECKPOINT).await.1).unwrap();
    let signed = note.verify(&net.town.directory, Round(0)).unwrap();
    let times: Vec<_> = signed.cosignatures().iter().map(|c| c.time).collect();
    assert_eq!(times.iter().filter(|t| **t == net.now().0 / 1000).count(), 1, "{times:?}");
    // A witness begun now has the same tree as those that were there from the start.
    assert_eq!(Frontier::from_bytes(&net.get(&path::frontier(6)).await.1).unwrap(), press.tree);
    let tile = net.get("/v1/log/tile/0/000.p/6").await;
    assert_eq!((tile.0, tile.1.len()), (StatusCode::OK, 6 * 32));
    for missing in ["/v1/log/tile/0/000.p/7", "/v1/log/tile/0/000", "/v1/log/tile/0/00", "/v1/log/frontier/7"]
    {
        assert_eq!(net.get(missing).await.0, StatusCode::NOT_FOUND, "{missing}");
    }
    edge.end().await;
}

#[tokio::test]
async fn a_witness_that_comes_later_goes_on_from_the_newest_edition() {
    let (net, edge) = real(2).await;
    let mut press = Press::new();
    for round in 1..4 {
        net.publish(&mut press, round).await;
    }
    // One that is published and not in a checkpoint yet.
    let ahead = press.publish(&net.town, 4, 0, &net.town.bytes);
    net.hand_in(4, &ahead).await;
    let mut late = net.witness(0);
    assert_eq!(late.step(net.now()).await.unwrap().grown, Some(4));
    drop(late);
    let mut late = net.witness(0);
    assert_eq!(late.size(), 4, "from its disk");
    assert_eq!(net.put(&net.town.press, path::PROPOSED, &ahead.note).await, StatusCode::OK);
    net.publish(&mut press, 5).await;
    assert_eq!(late.step(net.now()).await.unwrap().grown, Some(6));
    edge.end().await;
}

#[tokio::test]
async fn a_new_directory_is_a_leaf_before_the_head_that_names_it() {
    let (net, edge) = real(3).await;
    let mut press = Press::new();
    let mut witness = net.witness(0);
    net.publish(&mut press, 1).await;
    witness.step(net.now()).await.unwrap();
    let other = net.town.without_desk();
    let at = path::directory(&Digest::of(&other));
    assert_eq!(net.put(&net.town.press, &at, &other).await, StatusCode::OK);
    for round in [2, 3] {
        let made = press.publish(&net.town, round, 0, &other);
        net.hand_in(round, &made).await;
        assert_eq!(net.put(&net.town.press, path::PROPOSED, &made.note).await, StatusCode::OK);
        assert_eq!(witness.step(net.now()).await.unwrap().grown, Some(press.tree.size()));
    }
    assert_eq!(press.tree.size(), 3 + 2);
    drop(witness);
    // Started again, it gets the directory in force before it goes on.
    let mut witness = net.witness(0);
    let made = press.publish(&net.town, 4, 0, &other);
    net.hand_in(4, &made).await;
    assert_eq!(net.put(&net.town.press, path::PROPOSED, &made.note).await, StatusCode::OK);
    assert_eq!(witness.step(net.now()).await.unwrap().grown, Some(6));
    edge.end().await;
}

/// LOG-17: under another roster the witnesses of before are no quorum, and what they co-signed is shown all the same until there is one.
#[tokio::test]
async fn what_was_shown_before_the_witnesses_were_exchanged_is_shown_until_a_quorum_co_signs() {
    let (mut net, mut edge) = real(6).await;
    let mut press = Press::new();
    net.publish_witnessed(&mut press, 1).await;
    let before = net.shown(path::CHECKPOINT).await;
    assert_eq!(before, Some((press.tree.checkpoint(), 2)));
    // All are others, and to come.
    let other = net.town.later(|roster, _| {
        roster.number += 1;
        let witnesses = roster.operators.iter_mut().filter(|o| o.role == Role::Witness);
        for (n, witness) in (0..).zip(witnesses) {
            let new = IdentitySecret::generate(&mut StdRng::seed_from_u64(n));
            (witness.key, witness.since) = (new.public(), Round(400));
        }
    });
    let [first_directory, named] = [&net.town.bytes, &other].map(|bytes| path::directory(&Digest::of(bytes)));
    assert_eq!(net.put(&net.town.press, &named, &other).await, StatusCode::OK);
    for round in 2..4 {
        let made = press.publish(&net.town, round, 0, &other);
        net.hand_in(round, &made).await;
        assert_eq!(net.put(&net.town.press, path::PROPOSED, &made.note).await, StatusCode::OK);
        for _ in 0..2 {
            let (status, page) = net.get("/status").await;
            assert_eq!(status, StatusCode::OK);
            assert!(
                String::from_utf8(page).unwrap().contains("Co-signed by</dt><dd>2</dd>"),
                "also on the page"
            );
            assert_eq!(net.shown(path::CHECKPOINT).await, before, "round {round}");
            edge.end().await;
            edge = Running::start(&mut net, Hook::none()).await;
        }
    }
    // Also when all else of its time is deleted: somebody who comes new begins with the edition that is shown.
    for round in [16 + 337, 32 + 337] {
        net.clock.set(net.town.schedule().start(Round(round)).plus(200));
        edge.edge.step(net.now()).await.unwrap();
        edge.end().await;
        edge = Running::start(&mut net, Hook::none()).await;
    }
    assert_eq!(net.shown(path::CHECKPOINT).await, before);
    for kept in [path::edition(Round(1)), path::edition(Round(3)), first_directory, named] {
        assert_eq!(net.get(&kept).await.0, StatusCode::OK, "{kept}");
    }
    edge.end().await;
}

#[tokio::test]
async fn log_16_the_edge_takes_a_checkpoint_from_the_press_and_co_signatures_from_witnesses() {
    let (net, edge) = real(4).await;
    let (press_key, witness_key) = (&net.town.press, &net.town.witnesses[0]);
    let mut press = Press::new();
    let first = press.publish(&net.town, 1, 0, &net.town.bytes);
    let early = net.put(press_key, path::PROPOSED, &first.note).await;
    assert_eq!(early, StatusCode::CONFLICT, "before its edition");
    net.hand_in(1, &first).await;
    let checkpoint = press.tree.checkpoint();
    let other = Checkpoint { size: checkpoint.size, root: Digest([1; 32]) };
    let other = other.sign(&net.town.network, press_key);
    assert_eq!(net.put(press_key, path::PROPOSED, &other).await, StatusCode::CONFLICT, "of another tree");
    assert_eq!(net.put(witness_key, path::PROPOSED, &first.note).await, StatusCode::FORBIDDEN);
    assert_eq!(net.put(press_key, path::PROPOSED, b"note").await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(net.shown(path::PROPOSED).await, None);
    for _ in 0..2 {
        assert_eq!(net.put(press_key, path::PROPOSED, &first.note).await, StatusCode::OK, "also again");
    }

    let line = |by: &IdentitySecret, of: &Checkpoint, at: u64| {
        of.cosign(&net.town.network, by, GENESIS.plus(at)).to_bytes()
    };
    let at = path::cosignatures(checkpoint.size);
    let good = line(witness_key, &checkpoint, 25_000);
    assert_eq!(net.put(press_key, &at, &good).await, StatusCode::FORBIDDEN, "the press is no witness");
    let elsewhere = path::cosignatures(checkpoint.size + 1);
    assert_eq!(net.put(witness_key, &elsewhere, &good).await, StatusCode::CONFLICT, "another size");
    let wrong = Checkpoint { root: Digest([1; 32]), ..checkpoint };
    let wrong = line(witness_key, &wrong, 25_000);
    assert_eq!(net.put(witness_key, &at, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY, "another root");
    assert_eq!(net.put(witness_key, &at, &good).await, StatusCode::OK);
    assert_eq!(net.put(witness_key, &at, &good).await, StatusCode::OK, "the same again");
    let older = line(witness_key, &checkpoint, 24_000);
    assert_eq!(net.put(witness_key, &at, &older).await, StatusCode::CONFLICT, "older");
    assert_eq!(net.put(witness_key, &at, &line(press_key, &checkpoint, 26_000)).await, StatusCode::OK);
    assert_eq!(net.shown(path::PROPOSED).await, Some((checkpoint, 1)), "a stranger's line is not kept");
    edge.end().await;
}

/// Two of three make a quorum. One that signs with a time to come is refused, and one with a time long past does not count: with
/// one honest one there is none, and what was shown before stays.
#[tokio::test]
async fn log_17_a_witness_that_lies_about_the_time_makes_no_quorum() {
    let (mut net, edge) = real(14).await;
    let mut press = Press::new();
    net.publish_witnessed(&mut press, 1).await;
    let shown = net.shown(path::CHECKPOINT).await;
    assert_eq!(shown, Some((press.tree.checkpoint(), 2)));
    net.publish(&mut press, 2).await;
    let checkpoint = press.tree.checkpoint();
    let liar = &net.town.witnesses[2];
    let at = path::cosignatures(checkpoint.size);
    let line = |at: Millis| checkpoint.cosign(&net.town.network, liar, at).to_bytes();
    let now = Millis(net.now().0 / 1000 * 1000);
    for far in [T + 1_000, 1_000 * T, 1 << 60] {
        let refused = net.put(liar, &at, &line(now.plus(far))).await;
        assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{far} ms ahead");
    }
    // Each one that is taken is kept, and there are many times past.
    for far in [3 * T + 3_000, now.0] {
        let refused = net.put(liar, &at, &line(Millis(now.0 - far))).await;
        assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "{far} ms ago");
    }
    assert_eq!(net.put(liar, &at, &line(Millis(now.0 - 3 * T - 1_000))).await, StatusCode::OK);
    net.witness(0).step(net.now()).await.unwrap();
    assert_eq!(net.shown(path::PROPOSED).await, Some((checkpoint, 2)));
    assert_eq!(net.shown(path::CHECKPOINT).await, shown, "the old one does not count");
    edge.end().await;
    let edge = Running::start(&mut net, Hook::none()).await;
    assert_eq!(net.shown(path::CHECKPOINT).await, shown, "nor after a restart");
    let ahead = checkpoint.cosign(&net.town.network, &net.town.witnesses[2], now.plus(T)).to_bytes();
    assert_eq!(net.put(&net.town.witnesses[2], &at, &ahead).await, StatusCode::OK, "a round of grace");
    assert_eq!(net.shown(path::CHECKPOINT).await, Some((checkpoint, 2)));
    edge.end().await;
}

/// LOG-17, over a restart: what clients are shown stays, with its co-signatures.
#[tokio::test]
async fn an_edge_stopped_at_any_step_of_the_log_loses_nothing() {
    for step in [Step::EditionKept, Step::LeavesKept].into_iter().chain(Step::LOG) {
        for side in [Side::Before, Side::After] {
            let mut net = Net::new(5, String::new());
            let armed = Arc::new(AtomicBool::new(false));
            let hook = Hook::new({
                let armed = Arc::clone(&armed);
                move |s, at| (s, at) == (step, side) && armed.swap(false, Ordering::SeqCst)
            });
            let edge = Running::start(&mut net, hook.clone()).await;
            let mut press = Press::new();
            net.publish(&mut press, 1).await;
            for n in 0..2 {
                net.witness(n).step(net.now()).await.unwrap();
            }
            let before = net.shown(path::CHECKPOINT).await;
            assert_eq!(before, Some((press.tree.checkpoint(), 2)));
            armed.store(true, Ordering::SeqCst);
            let made = press.publish(&net.town, 2, 0, &net.town.bytes);
            let parts = [
                (path::bundle(&Digest::of(&made.bundle)), &made.bundle),
                (path::edition(Round(2)), &made.head),
                (path::PROPOSED.to_owned(), &made.note),
            ];
            for (at, body) in &parts {
                if net.put(&net.town.press, at, body).await != StatusCode::OK {
                    break;
                }
            }
            if step == Step::CosignatureKept {
                net.witness(0).step(net.now()).await.unwrap_err();
            }
            let killed = edge.done.await.unwrap();
            drop(edge.edge);
            assert!(matches!(killed, Err(RunError::Killed(Killed { step: s, .. })) if s == step));
            // Again from the disk: what was shown is shown, and the press and the witnesses repeat themselves.
            let edge = Running::start(&mut net, hook).await;
            assert_eq!(net.shown(path::CHECKPOINT).await, before, "{step:?} {side:?}");
            for (at, body) in &parts {
                assert_eq!(net.put(&net.town.press, at, body).await, StatusCode::OK, "{step:?} {side:?}");
            }
            for n in 0..2 {
                net.witness(n).step(net.now()).await.unwrap();
            }
            let shown = Some((press.tree.checkpoint(), 2));
            assert_eq!(net.shown(path::CHECKPOINT).await, shown, "{step:?} {side:?}");
            edge.end().await;
            let edge = Running::start(&mut net, Hook::none()).await;
            assert_eq!(net.shown(path::CHECKPOINT).await, shown, "once more from the disk");
            edge.end().await;
        }
    }
}

/// The size it was put under, and a co-signature.
type Line = (u64, Vec<u8>);

/// In the edge's place: answers from a table, and writes down the co-signatures that come.
#[derive(Clone, Default)]
struct Liar {
    files: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    lines: Arc<Mutex<Vec<Line>>>,
}

impl Liar {
    async fn start(seed: u64) -> (Net, Self) {
        let liar = Self::default();
        let table = liar.clone();
        let answer = move |request: axum::extract::Request| {
            let table = table.clone();
            async move {
                let path = request.uri().path().to_owned();
                if request.method() == Method::PUT {
                    let body = axum::body::to_bytes(request.into_body(), 4096).await.unwrap();
                    let size = path.rsplit('/').next().unwrap().parse().unwrap();
                    table.lines.lock().unwrap().push((size, body.to_vec()));
                    return Ok(Vec::new());
                }
                table.files.lock().unwrap().get(&path).cloned().ok_or(StatusCode::NOT_FOUND)
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
        let net = Net::new(seed, base);
        liar.set(&path::directory(&net.town.directory.digest()), &net.town.bytes);
        (net, liar)
    }

    fn set(&self, path: &str, bytes: &[u8]) {
        self.files.lock().unwrap().insert(path.to_owned(), bytes.to_vec());
    }

    fn remove(&self, path: &str) {
        self.files.lock().unwrap().remove(path);
    }

    /// Shows this edition as the newest.
    fn show(&self, round: u32, made: &Made) {
        self.set(&path::edition(Round(round)), &made.head);
        self.set(&path::frontier(made.frontier.size()), &made.frontier.to_bytes());
        self.set(path::PROPOSED, &made.note);
    }

    /// The roots that were co-signed, by size. Every line is asked whether it is one of the checkpoints offered.
    fn signed(&self, net: &Net, offered: &[&Made]) -> BTreeMap<u64, Vec<Digest>> {
        let mut roots = BTreeMap::<u64, Vec<Digest>>::new();
        for (size, line) in &*self.lines.lock().unwrap() {
            let line = CosignatureLine::from_bytes(line).unwrap();
            let of = offered.iter().find_map(|made| {
                let note = UnverifiedNote::from_bytes(&made.note).unwrap();
                let checkpoint = note.dangerously_checkpoint();
                let signed = note.with(line.clone()).verify(&net.town.directory, Round(0)).ok()?;
                (checkpoint.size == *size && !signed.cosignatures().is_empty()).then_some(checkpoint.root)
            });
            let of = of.expect("a line that belongs to nothing that was offered");
            let here = roots.entry(*size).or_default();
            if !here.contains(&of) {
                here.push(of);
            }
        }
        roots
    }
}

/// LOG-13
#[tokio::test]
async fn a_press_that_forks_gets_no_co_signature_for_the_second_tree() {
    let (net, liar) = Liar::start(6).await;
    let mut press = Press::new();
    let first = press.publish(&net.town, 1, 0, &net.town.bytes);
    let fork = press.clone();
    let honest = press.publish(&net.town, 2, 0, &net.town.bytes);
    let mut witness = net.witness(0);
    for (round, made) in [(1, &first), (2, &honest)] {
        liar.show(round, made);
        witness.step(net.now()).await.unwrap();
    }
    // Another edition of round 2: first alone, then with more behind it.
    let mut forked = fork.clone();
    let other = forked.publish(&net.town, 2, 1, &net.town.bytes);
    liar.show(2, &other);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Log(LogRejected::Fork)), "{refused}");
    let longer = forked.publish(&net.town, 3, 1, &net.town.bytes);
    liar.show(3, &longer);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Edition(_)), "{refused}");
    // The honest head beside the other checkpoint.
    let mut both = press.clone();
    let third = both.publish(&net.town, 3, 0, &net.town.bytes);
    liar.show(3, &third);
    liar.set(path::PROPOSED, &longer.note);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Log(LogRejected::Fork)), "{refused}");
    let root = |made: &Made| UnverifiedNote::from_bytes(&made.note).unwrap().dangerously_checkpoint().root;
    let signed = liar.signed(&net, &[&first, &honest, &other, &longer, &third]);
    assert_eq!(signed, [(2, vec![root(&first)]), (3, vec![root(&honest)])].into());
}

/// DIR-14, LOG-13
#[tokio::test]
async fn a_directory_that_may_not_follow_the_one_before_gets_no_co_signature() {
    let (net, liar) = Liar::start(10).await;
    let without = net.town.without_desk();
    liar.set(&path::directory(&Digest::of(&without)), &without);
    let mut press = Press::new();
    let (first, back) = (
        press.publish(&net.town, 1, 0, &without),
        // The desk is there again at once.
        press.publish(&net.town, 2, 0, &net.town.bytes),
    );
    let mut witness = net.witness(0);
    liar.show(1, &first);
    assert!(witness.step(net.now()).await.unwrap().cosigned);
    liar.show(2, &back);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Directory(DirectoryRejected::TooSoon)), "{refused}");
    assert_eq!(liar.lines.lock().unwrap().len(), 1);
}

/// DIR-14, LOG-13: a press that was silent for two days may not name a desk of which nobody heard in an edition of a round long ago.
#[tokio::test]
async fn dir_14_who_is_new_waits_for_two_days_by_the_witnesss_own_clock() {
    let (mut net, liar) = Liar::start(15).await;
    let (desk, intake) =
        (IdentitySecret::generate(&mut net.town.rng), SealSecret::generate(&mut net.town.rng));
    let with = |since| {
        let entry = net.town.listed("Sports", &desk, &intake, Round(since));
        let directory = net.town.later(|_, desks| desks.push(entry));
        liar.set(&path::directory(&Digest::of(&directory)), &directory);
        directory
    };
    let (early, still, enough) = (with(53), with(106), with(107));
    let start = |round: u64| GENESIS.plus(round * T);
    let mut press = Press::new();
    let fourth = press.publish(&net.town, 4, 0, &net.town.bytes);
    let fifth = press.publish(&net.town, 5, 0, &early);
    // In time, it is taken: two days from its round.
    let mut prompt = net.witness(2);
    let mut late = [net.witness(0), net.witness(1)];
    net.clock.set(start(4));
    liar.show(4, &fourth);
    for witness in late.iter_mut().chain([&mut prompt]) {
        assert!(witness.step(net.now()).await.unwrap().cosigned);
    }
    net.clock.set(start(6));
    liar.show(5, &fifth);
    assert!(prompt.step(net.now()).await.unwrap().cosigned);
    // In round 60 the desk is in force since 53.
    net.clock.set(start(60));
    let too_soon = |stepped: Result<_, WitnessError>| {
        assert!(matches!(stepped, Err(WitnessError::Directory(DirectoryRejected::TooSoon))), "{stepped:?}");
    };
    too_soon(late[0].step(net.now()).await);
    let lines = liar.lines.lock().unwrap().clone();
    let signed = |n: usize| {
        let checkpoint = UnverifiedNote::from_bytes(&fifth.note).unwrap().dangerously_checkpoint();
        checkpoint.cosign(&net.town.network, &net.town.witnesses[n], start(6))
    };
    let note = |by: &[usize]| {
        let note = UnverifiedNote::from_bytes(&fifth.note).unwrap();
        by.iter().fold(note, |note, n| note.with(signed(*n))).to_bytes()
    };
    liar.set(path::CHECKPOINT, &note(&[2]));
    too_soon(late[0].step(net.now()).await);
    // Two of three say that it was shown in time: this one was away.
    liar.set(path::CHECKPOINT, &note(&[1, 2]));
    assert!(late[0].step(net.now()).await.unwrap().cosigned);
    assert_eq!(liar.lines.lock().unwrap().len(), lines.len() + 1);
    // Without them the press has to give it more time, in one edition more.
    liar.remove(path::CHECKPOINT);
    let mut other = press.clone();
    liar.show(59, &other.publish(&net.town, 59, 0, &still));
    too_soon(late[1].step(net.now()).await);
    liar.show(59, &press.publish(&net.town, 59, 0, &enough));
    assert!(late[1].step(net.now()).await.unwrap().cosigned);
}

/// DIR-16, LOG-13
#[tokio::test]
async fn a_directory_that_leaves_out_a_key_of_a_desk_that_stays_gets_no_co_signature() {
    let (net, liar) = Liar::start(14).await;
    let thin = net.town.later(|_, desks| desks[0].keys.clear());
    liar.set(&path::directory(&Digest::of(&thin)), &thin);
    let mut press = Press::new();
    let (first, second) =
        (press.publish(&net.town, 1, 0, &net.town.bytes), press.publish(&net.town, 2, 0, &thin));
    let mut witness = net.witness(0);
    liar.show(1, &first);
    assert!(witness.step(net.now()).await.unwrap().cosigned);
    liar.show(2, &second);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Directory(DirectoryRejected::KeyLeftOut)), "{refused}");
    assert_eq!(liar.lines.lock().unwrap().len(), 1);
}

/// DIR-13: a witness that begins signs nothing under a roster older than the one its operator gave it.
#[tokio::test]
async fn dir_13_a_new_witness_does_not_go_back_behind_its_roster() {
    let (net, liar) = Liar::start(13).await;
    let first = Press::new().publish(&net.town, 1, 0, &net.town.bytes);
    liar.show(1, &first);
    std::fs::write(net.at("directory"), net.town.later(|roster, _| roster.number = 2)).unwrap();
    let refused = net.witness(0).step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Directory(DirectoryRejected::OldRoster)), "{refused}");
    std::fs::write(net.at("directory"), &net.town.bytes).unwrap();
    assert!(net.witness(0).step(net.now()).await.unwrap().cosigned, "with the same roster it does");
}

/// DIR-13, EDN-03, LOG-05, LOG-09: an audit speaks of nothing but what everybody was shown.
#[tokio::test]
async fn an_audit_reads_only_what_a_quorum_has_co_signed() {
    let (net, liar) = Liar::start(16).await;
    let renewed = net.town.later(|roster, _| roster.number = 2);
    liar.set(&path::directory(&Digest::of(&renewed)), &renewed);
    let mut press = Press::new();
    let fork = press.clone();
    let mut made: Vec<_> = (1..4).map(|r| press.publish(&net.town, r, 0, &net.town.bytes)).collect();
    let mut other = press.clone();
    made.push(press.publish(&net.town, 4, 0, &renewed));
    for (round, made) in (1..).zip(&made) {
        liar.show(round, made);
    }
    let note = |by: &[usize]| {
        let note = UnverifiedNote::from_bytes(&made[3].note).unwrap();
        let checkpoint = note.dangerously_checkpoint();
        let signed = |n: &usize| checkpoint.cosign(&net.town.network, &net.town.witnesses[*n], net.now());
        by.iter().fold(note, |note, n| note.with(signed(n))).to_bytes()
    };
    let config = server::audit::Config {
        edge: net.base.clone(),
        network: net.town.network,
        directory: net.at("directory"),
    };
    let audit = async || server::audit::run(&config, &*net.clock, |_, _| {}).await.map(|it| it.report);
    assert!(matches!(audit().await, Err(AuditError::Nothing)));
    liar.set(path::CHECKPOINT, &note(&[1]));
    assert!(matches!(audit().await, Err(AuditError::Note(NoteRejected::Unwitnessed))));
    liar.set(path::CHECKPOINT, &note(&[1, 2]));
    let report = audit().await.unwrap();
    assert_eq!((report.editions, report.rounds), (4, Some((Round(1), Round(4)))));
    // Whoever begins with the new roster reads the editions of the one before all the same, and not the other way round.
    std::fs::write(net.at("directory"), &renewed).unwrap();
    assert_eq!(audit().await.unwrap().editions, 4);
    std::fs::write(net.at("directory"), net.town.later(|roster, _| roster.number = 3)).unwrap();
    let refused = audit().await;
    let older = DirectoryRejected::OldRoster;
    assert!(
        matches!(refused, Err(AuditError::Directory { round: Round(4), why }) if why == older),
        "{refused:?}"
    );
    std::fs::write(net.at("directory"), &net.town.bytes).unwrap();
    // Another newest edition, another one before, and one that is held back.
    liar.set(&path::edition(Round(4)), &other.publish(&net.town, 4, 1, &renewed).head);
    assert!(matches!(audit().await, Err(AuditError::Log(LogRejected::Fork))));
    liar.set(&path::edition(Round(4)), &made[3].head);
    liar.set(&path::edition(Round(1)), &fork.clone().publish(&net.town, 1, 1, &net.town.bytes).head);
    assert!(matches!(audit().await, Err(AuditError::Edition { round: Round(2), .. })));
    liar.set(&path::edition(Round(1)), &made[0].head);
    liar.remove(&path::edition(Round(2)));
    assert!(matches!(audit().await, Err(AuditError::Edition { round: Round(3), .. })));
    liar.set(&path::edition(Round(2)), &made[1].head);
    liar.set(&path::directory(&Digest::of(&renewed)), &net.town.bytes);
    assert!(matches!(audit().await, Err(AuditError::NoDirectory(Round(4)))));
    liar.set(&path::directory(&Digest::of(&renewed)), &renewed);
    assert_eq!(audit().await.unwrap().editions, 4);
}

/// LOG-13
#[tokio::test]
async fn a_smaller_tree_and_heads_held_back_get_no_co_signature() {
    let (net, liar) = Liar::start(7).await;
    let mut press = Press::new();
    let made: Vec<_> = (1..5).map(|r| press.publish(&net.town, r, 0, &net.town.bytes)).collect();
    let mut witness = net.witness(0);
    for (round, made) in (1..3).zip(&made) {
        liar.show(round, made);
        witness.step(net.now()).await.unwrap();
    }
    let signed = liar.lines.lock().unwrap().len();
    liar.set(path::PROPOSED, &made[0].note);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Log(LogRejected::Rollback)), "{refused}");
    liar.show(4, &made[3]);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Edition(_)), "the third is held back: {refused}");
    liar.remove(&path::edition(Round(4)));
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Missing), "{refused}");
    // What came after it is so old that an honest edge has deleted it too.
    let away = |round: u64| GENESIS.plus(round * T);
    let kept = witness.step(away(2 + 352)).await.unwrap_err();
    assert!(matches!(kept, WitnessError::Missing), "{kept}");
    for (round, bytes) in [(4, None), (4, Some(&made[3].head))] {
        bytes.into_iter().for_each(|bytes| liar.set(&path::edition(Round(round)), bytes));
        let refused = witness.step(away(2 + 353)).await.unwrap_err();
        assert!(matches!(refused, WitnessError::Away { since: Round(2) }), "{refused}");
    }
    let stranger = net.town.mixes[0].to_seed();
    let forged = press.tree.checkpoint().sign(&net.town.network, &IdentitySecret::from_seed(&stranger));
    liar.show(3, &made[2]);
    liar.show(4, &made[3]);
    liar.set(path::PROPOSED, &forged);
    let refused = witness.step(net.now()).await.unwrap_err();
    assert!(matches!(refused, WitnessError::Note(_)), "not signed by the press: {refused}");
    assert_eq!(liar.lines.lock().unwrap().len(), signed, "nothing was signed meanwhile");
    liar.set(path::PROPOSED, &made[3].note);
    assert!(witness.step(net.now()).await.unwrap().cosigned, "and all is well again");
}

/// LOG-14
#[tokio::test]
async fn a_witness_killed_at_each_step_signs_one_root_for_a_size() {
    for step in Step::WITNESS {
        for side in [Side::Before, Side::After] {
            let (net, liar) = Liar::start(8).await;
            let mut press = Press::new();
            let first = press.publish(&net.town, 1, 0, &net.town.bytes);
            let mut fork = press.clone();
            let honest = press.publish(&net.town, 2, 0, &net.town.bytes);
            let other = fork.publish(&net.town, 2, 1, &net.town.bytes);
            liar.show(1, &first);
            net.witness(0).step(net.now()).await.unwrap();
            // Killed on the way through one edition, and shown the other one when it comes back.
            liar.show(2, &honest);
            let mut killed = net.stopped(0, Hook::new(move |s, at| (s, at) == (step, side)));
            let why = killed.step(net.now()).await.unwrap_err();
            assert!(matches!(why, WitnessError::Killed(Killed { step: s, .. }) if s == step), "{why}");
            drop(killed);
            liar.show(2, &other);
            let mut back = net.witness(0);
            let outcome = back.step(net.now()).await;
            // Before the tree was kept nothing was signed either: it may follow the other one. After, never.
            let free = (step, side) == (Step::TreeKept, Side::Before);
            assert_eq!(outcome.is_ok(), free, "{step:?} {side:?}");
            let signed = liar.signed(&net, &[&first, &honest, &other]);
            assert!(signed.values().all(|roots| roots.len() == 1), "{step:?} {side:?}: {signed:?}");
            if !free {
                liar.show(2, &honest);
                assert!(back.step(net.now()).await.unwrap().cosigned, "it goes on with what it kept");
                let signed = liar.signed(&net, &[&first, &honest, &other]);
                assert!(signed.values().all(|roots| roots.len() == 1), "{step:?} {side:?}: {signed:?}");
            }
        }
    }
}

/// LOG-14
#[tokio::test]
async fn a_witness_that_lost_its_memory_does_not_begin_anew() {
    let (net, liar) = Liar::start(9).await;
    let mut press = Press::new();
    liar.show(1, &press.publish(&net.town, 1, 0, &net.town.bytes));
    net.witness(0).step(net.now()).await.unwrap();
    let opened = |net: &Net| Witness::open(&net.config(0), net.clock.clone(), Hook::none()).map(|_| ());
    let file = net.at("witness0").join("seen.cbor");
    let kept = std::fs::read(&file).unwrap();
    for damage in [&kept[..kept.len() - 1], &[], &[0x81]] {
        std::fs::write(&file, damage).unwrap();
        assert!(matches!(opened(&net), Err(OpenError::MemoryLost { .. })), "{} bytes", damage.len());
    }
    std::fs::remove_file(&file).unwrap();
    assert!(matches!(opened(&net), Err(OpenError::MemoryLost { .. })));
    std::fs::write(&file, &kept).unwrap();
    assert!(opened(&net).is_ok());
    // Moved to another machine without the file that says whose the folder is: what is there is not written over.
    let mark = net.at("witness0").join("firsthand-state");
    let marked = std::fs::read(&mark).unwrap();
    std::fs::remove_file(&mark).unwrap();
    assert!(matches!(opened(&net), Err(OpenError::State(StateError::Unmarked { .. }))));
    assert_eq!(std::fs::read(&file).unwrap(), kept);
    std::fs::write(&mark, marked).unwrap();
    assert!(opened(&net).is_ok());
    let stranger = Config { identity: stranger(&net.at("stranger"), &net), ..net.config(1) };
    let refused = Witness::open(&stranger, net.clock.clone(), Hook::none()).map(|_| ());
    assert!(matches!(refused, Err(OpenError::NotAWitness)));
}

fn stranger(at: &Path, net: &Net) -> PathBuf {
    server::seed::write(at, &net.town.desk.to_seed()).unwrap();
    at.to_owned()
}
