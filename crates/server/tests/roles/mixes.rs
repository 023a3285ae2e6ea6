//! A real edge and real mixes on loopback, their clock moved by hand; and each of them stopped at each of its steps.

mod actors;
mod hold;
mod keys;
mod lying;
mod orders;
mod published;
mod successor;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::testing::{GENESIS, Hands, Town};
use proto::batch::BatchSeal;
use proto::conversation::{Body, ConversationKey, Message, Received, open_message};
use proto::directory::{Directory, UnverifiedDirectory, check_mix_key};
use proto::drops::{DeskDrop, ReaderDrop};
use proto::edition::{Bundle, Head, UnverifiedHead, page_digest, sign_head};
use proto::envelope::{Blob, cover, to_desk, to_readers, wrap};
use proto::keys::KeyKind;
use proto::mix::{BatchId, Manifest};
use proto::pass::DeskPass;
use proto::seal::{SealPublic, SealSecret};
use proto::sign::{IdentitySecret, Unverified};
use proto::{Clock, Digest, Millis, Round, codec, request};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use server::edge::{Ceilings, Config, Edge, RunError};
use server::faults::{Hook, Side, Step};
use server::handed::Handed;
use server::http::EdgeClient;
use server::mix::{HttpUpstream, Mix, MixError, Setup};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

struct RunningEdge {
    edge: Arc<Edge>,
    stop: oneshot::Sender<()>,
    done: JoinHandle<Result<(), RunError>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Edge,
    Mix(u8),
}

/// Who is stopped, where, and when: every other time it comes to the step, from the first or from the second on. So on the
/// side before, what was stopped succeeds the next time, and is stopped again at the next of its kind.
#[derive(Clone, Copy, Debug)]
struct Victim {
    who: Who,
    step: Step,
    side: Side,
    first: u32,
}

struct Net {
    runtime: Runtime,
    town: Town,
    /// The directory that the mixes are started with.
    given: Arc<Directory>,
    clock: Arc<Hands>,
    folder: tempfile::TempDir,
    address: SocketAddr,
    edge: Option<RunningEdge>,
    mixes: Vec<Option<Mix<HttpUpstream>>>,
    /// One that takes over from one of them.
    next: Option<Mix<HttpUpstream>>,
    http: reqwest::Client,
    ceilings: Ceilings,
    victim: Option<Victim>,
    came: Arc<AtomicU32>,
    /// The press's last head, and the manifests that stand in heads.
    head: Option<Vec<u8>>,
    /// Of which round it is.
    newest: Option<Round>,
    published: Vec<Vec<u8>>,
    /// The directory that it names, and since which round.
    named: Option<(Round, Vec<u8>)>,
    /// It leaves out the exit's keys from this round on.
    exits_until: Round,
    seed: u64,
}

impl Net {
    fn start(town: Town, victim: Option<Victim>) -> Self {
        Self::bearing(Ceilings::default(), town, victim)
    }

    /// With an edge that bears as much as this.
    fn bearing(ceilings: Ceilings, town: Town, victim: Option<Victim>) -> Self {
        Self::new(ceilings, town, victim).begun()
    }

    /// With a press whose directories name no key of the exit's from this round on.
    fn without_exit(town: Town, exits_until: Round) -> Self {
        Self { exits_until, ..Self::new(Ceilings::default(), town, None) }.begun()
    }

    fn new(ceilings: Ceilings, mut town: Town, victim: Option<Victim>) -> Self {
        let seed = rand::RngExt::random_range(&mut town.rng, 0..1 << 32);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("directory"), &town.bytes).unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let mixes = (0..town.mixes.len()).map(|_| None).collect();
        Self {
            runtime,
            given: Arc::clone(&town.directory),
            town,
            clock: Hands::at(GENESIS.plus(4 * 3_000)),
            folder,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            edge: None,
            mixes,
            next: None,
            http,
            ceilings,
            victim,
            came: Arc::default(),
            head: None,
            newest: None,
            named: None,
            exits_until: Round(u32::MAX),
            published: vec![],
            seed,
        }
    }

    /// Edge and mixes are started. The mixes make their keys and hand them over, and the press publishes them.
    fn begun(mut self) -> Self {
        self.open_edge();
        for hop in 0..self.mixes.len() {
            self.open_mix(hop as u8);
        }
        self.settle();
        self.name_keys();
        self.at(GENESIS.plus(5 * 3_000));
        self
    }

    fn hook(&self, me: Who) -> Hook {
        let Some(victim) = self.victim.filter(|v| v.who == me) else { return Hook::none() };
        let came = Arc::clone(&self.came);
        Hook::new(move |step, side| {
            step == victim.step
                && side == victim.side
                && came.fetch_add(1, Ordering::SeqCst) % 2 == victim.first
        })
    }

    fn open_edge(&mut self) {
        let config = Config {
            listen: self.address,
            state: self.folder.path().join("edge"),
            network: self.town.network,
            directory: self.folder.path().join("directory"),
            max_journal_bytes: None,
            ceilings: self.ceilings.clone(),
        };
        let (clock, hook) = (self.clock.clone(), self.hook(Who::Edge));
        let (edge, listening) = self.runtime.block_on(async {
            let edge = Edge::open(&config, clock, &mut StdRng::seed_from_u64(1), hook).await.unwrap();
            (edge.clone(), edge.listen(config.listen).await.unwrap())
        });
        self.address = listening.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let done = self.runtime.spawn(listening.run(async { drop(stopped.await) }));
        self.edge = Some(RunningEdge { edge, stop, done });
    }

    fn setup(&self, hop: u8) -> Setup {
        let identity = &self.town.mixes[usize::from(hop)];
        Setup {
            hop,
            state: self.folder.path().join(format!("mix{hop}")),
            directory: Arc::clone(&self.given),
            identity: Arc::new(IdentitySecret::from_seed(&identity.to_seed())),
        }
    }

    /// The edge, as the mix at `hop` asks it.
    fn upstream(&self, hop: u8) -> HttpUpstream {
        self.upstream_of(hop, self.setup(hop).identity)
    }

    fn upstream_of(&self, hop: u8, identity: Arc<IdentitySecret>) -> HttpUpstream {
        let base = format!("http://{}", self.address);
        let client = EdgeClient::new(&base, self.town.network, identity, self.clock.clone()).unwrap();
        let exit = self.town.mixes.len() as u8 - 1;
        HttpUpstream::new(client, self.runtime.handle().clone(), hop, exit)
    }

    fn open_mix(&mut self, hop: u8) {
        let upstream = self.upstream(hop);
        // Another seed each time: what is repeated must not depend on the generator.
        self.seed += 1;
        let rng = StdRng::seed_from_u64(self.seed);
        let mix = Mix::open(self.setup(hop), upstream, rng, self.hook(Who::Mix(hop))).unwrap();
        self.mixes[usize::from(hop)] = Some(mix);
    }

    /// Starts the edge again if it was stopped. Returns whether it was.
    fn revive_edge(&mut self) -> bool {
        let running = self.edge.as_ref().unwrap();
        if !running.done.is_finished() {
            return false;
        }
        let RunningEdge { edge, done, .. } = self.edge.take().unwrap();
        assert!(matches!(self.runtime.block_on(done).unwrap(), Err(RunError::Killed(_))));
        drop(edge);
        self.open_edge();
        true
    }

    /// Stops the edge as its own step would.
    fn edge_step(&mut self) -> bool {
        let edge = Arc::clone(&self.edge.as_ref().unwrap().edge);
        let now = self.clock.now();
        let killed = self.runtime.block_on(edge.step(now)).is_err();
        drop(edge);
        if killed {
            let RunningEdge { edge, stop, done } = self.edge.take().unwrap();
            let _ = stop.send(());
            drop(edge);
            let _ = self.runtime.block_on(done);
            self.open_edge();
        }
        killed || self.revive_edge()
    }

    /// Everybody steps until nobody has anything more to do.
    fn settle(&mut self) {
        for _ in 0..60 {
            let mut busy = self.edge_step();
            for hop in 0..self.mixes.len() {
                let now = self.clock.now();
                // In the place of one that is not there, the test acts itself.
                let Some(mix) = self.mixes[hop].as_mut() else { continue };
                let outcome = mix.step(now);
                busy |= match outcome {
                    Ok(done) => done.taken > 0 || done.closed > 0 || done.pushed > 0 || done.more,
                    Err(MixError::Killed(_)) => {
                        self.mixes[hop] = None;
                        self.open_mix(hop as u8);
                        true
                    }
                    // It waits for a later edition.
                    Err(MixError::NoKey) => false,
                    Err(MixError::Upstream(_)) => {
                        std::thread::sleep(std::time::Duration::from_millis(5));
                        true
                    }
                    Err(e) => panic!("{e}"),
                };
            }
            busy |= self.next.as_mut().is_some_and(|next| {
                let done = next.step(self.clock.now()).unwrap();
                done.taken > 0 || done.closed > 0 || done.pushed > 0 || done.more
            });
            busy |= self.revive_edge();
            if !busy {
                return;
            }
        }
        panic!("they never come to rest");
    }

    fn at(&mut self, moment: Millis) {
        self.clock.set(moment);
        self.settle();
    }

    /// Uploads; true if it was answered.
    fn upload(&mut self, round: Round, body: Vec<u8>) -> bool {
        self.name_keys();
        let url = format!("http://{}/v1/rounds/{round}/envelopes", self.address);
        let sent = self.runtime.block_on(self.http.post(url).body(body).send());
        let answered = sent.is_ok_and(|r| r.status() == 202);
        if !answered {
            // The edge was stopped while it took this.
            while !self.revive_edge() {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
        }
        answered
    }

    fn signed(&self, by: &IdentitySecret, method: &str, path: &str, body: Vec<u8>) -> Option<(u16, Vec<u8>)> {
        let header = request::sign(&self.town.network, by, method, path, &body, self.clock.now());
        let request = self
            .http
            .request(method.parse().unwrap(), format!("http://{}{path}", self.address))
            .header(request::HEADER, header)
            .body(body);
        self.runtime.block_on(async {
            let response = request.send().await.ok()?;
            Some((response.status().as_u16(), response.bytes().await.ok()?.to_vec()))
        })
    }

    fn manifests(&self, round: u32) -> Vec<Manifest> {
        let path = format!("/v1/manifests/{round}");
        let (_, bytes) = self.signed(&self.town.press, "GET", &path, vec![]).unwrap();
        let signed: Vec<Unverified<Manifest>> = codec::decode(&bytes).unwrap();
        signed.iter().map(|m| proto::edition::check_manifest(m, &self.town.directory).unwrap()).collect()
    }

    /// The press publishes an edition with every manifest not in one yet. Put again until it is answered.
    fn publish(&mut self, round: Round) {
        let mut fresh = vec![];
        for r in round.0.saturating_sub(8)..=round.0 {
            let (_, bytes) =
                self.signed(&self.town.press, "GET", &format!("/v1/manifests/{r}"), vec![]).unwrap();
            for signed in codec::decode::<Vec<Unverified<Manifest>>>(&bytes).unwrap() {
                let bytes = codec::encode(&signed);
                if !self.published.contains(&bytes) {
                    self.published.push(bytes);
                    fresh.push(signed);
                }
            }
        }
        let (bundle, named) = Bundle::default().pack();
        let head = Head {
            round,
            previous: self.head.as_ref().map_or(Digest([0; 32]), |h| Digest::of(h)),
            made: self.clock.now(),
            directory: self.town.directory.digest(),
            changes: named,
            front: named,
            page: page_digest(&[]),
            manifests: fresh,
            round_keys: vec![],
        };
        let head = sign_head(&head, &self.town.network, &self.town.press);
        self.surely_put(&format!("/v1/bundles/{}", Digest::of(&bundle)), &bundle);
        self.surely_put(&format!("/v1/editions/{round}"), &head);
        (self.head, self.newest) = (Some(head), Some(round));
    }

    /// The press publishes the edition of the round that it is, if it has not.
    fn publish_once(&mut self) {
        let round = self.round();
        if self.newest != Some(round) {
            self.publish(round);
        }
    }

    /// Puts as the press until it is answered.
    fn surely_put(&mut self, path: &str, body: &[u8]) {
        for attempt in 0.. {
            assert!(attempt < 200, "{path} is never taken");
            match self.signed(&self.town.press, "PUT", path, body.to_vec()) {
                Some((200, _)) => break,
                Some((status, _)) => panic!("{path}: {status}"),
                None => {
                    self.revive_edge();
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
            }
        }
    }

    /// The press's next edition, of `round`, names this directory.
    fn publish_with(&mut self, directory: &[u8], round: Round) {
        self.surely_put(&format!("/v1/directories/{}", Digest::of(directory)), directory);
        let verified =
            UnverifiedDirectory::from_bytes(directory).unwrap().verify(&self.town.network).unwrap();
        self.town.directory = Arc::new(verified);
        self.named = Some((round, directory.to_vec()));
        self.publish(round);
    }

    /// As a press does: where the directory that it names is of another day, or lacks a key that is needed, it names the keys that
    /// are at the edge. Not in a round whose edition is out.
    fn name_keys(&mut self) {
        let (round, day) = (self.round(), |r| KeyKind::Day.period(r));
        let (made, bytes) = self.named.clone().unwrap_or_else(|| (Round(0), self.town.bytes.clone()));
        let cascade = self.directory().wire().cascade;
        let named = |hop, from| hop != cascade.exit() || from < self.exits_until;
        let lacks = |hop: u8| named(hop, round) && self.directory().mix_key(hop, round).is_none();
        let later = 1..cascade.mixes();
        if self.newest == Some(round) || (day(made) == day(round) && !later.clone().any(lacks)) {
            return;
        }
        let periods = |hop| {
            let kind = KeyKind::of_mix(hop, cascade);
            // DIR-16
            let before = kind.live_on(round).filter(move |_| kind == KeyKind::Week);
            let periods = before.chain(kind.published(round)).filter(move |period| named(hop, period.from));
            periods.map(move |period| (hop, period))
        };
        let keys = later.flat_map(periods).filter_map(|(hop, period)| {
            let (status, bytes) = self.surely(&format!("/v1/keys/{hop}/{}", period.from));
            (status == 200).then(|| codec::decode(&bytes).unwrap())
        });
        self.town.mix_keys = keys.collect();
        let before = UnverifiedDirectory::from_bytes(&bytes).unwrap();
        let later = before.with_keys(self.town.mix_keys.clone(), |_, listed| listed.to_vec()).unwrap();
        self.publish_with(&later.to_bytes(), round);
    }

    fn directory(&self) -> &Directory {
        &self.town.directory
    }

    /// The round it is.
    fn round(&self) -> Round {
        self.town.schedule().round_at(self.clock.now()).unwrap()
    }

    /// The key that the mix at `hop` handed over for `round`.
    fn key_of(&self, hop: u8, round: Round) -> SealPublic {
        let cascade = self.directory().wire().cascade;
        let period = KeyKind::of_mix(hop, cascade).period(round);
        let (status, bytes) = self.surely(&format!("/v1/keys/{hop}/{}", period.from));
        assert_eq!(status, 200, "the key of mix {hop} for round {round}");
        let signed = codec::decode(&bytes).unwrap();
        check_mix_key(&signed, self.directory().roster(), cascade, &self.town.network).unwrap().1
    }

    /// The exit's key.
    fn exit_key(&self) -> SealPublic {
        self.key_of(self.town.mixes.len() as u8 - 1, self.round())
    }

    fn wrap(&mut self, blob: Blob) -> Vec<u8> {
        let wire = self.town.directory.wire();
        let keys: Vec<_> = (0..wire.cascade.exit()).map(|hop| self.key_of(hop, self.round())).collect();
        wrap(&wire, blob, &keys, &mut self.town.rng).as_bytes().to_vec()
    }

    fn cover(&mut self) -> Vec<u8> {
        let wire = self.town.directory.wire();
        let exit = self.exit_key();
        let blob = cover(&wire, &exit, &mut self.town.rng);
        self.wrap(blob)
    }

    fn tip(&mut self, text: &str) -> Vec<u8> {
        let blob = self.message(text);
        self.wrap(blob)
    }

    /// What the exit opens of a tip.
    fn message(&mut self, text: &str) -> Blob {
        let wire = self.town.directory.wire();
        let exit = self.exit_key();
        let message = Message {
            conversation: ConversationKey::generate(&mut self.town.rng),
            sequence: 0,
            received: Received::default(),
            body: Body::Text(Zeroizing::new(text.to_owned())),
        };
        let packed = message.pack(wire.cascade).unwrap();
        to_desk(&wire, self.town.intake.public(), &packed, &exit, &mut self.town.rng).0
    }

    /// The pass in the desk drop of round `r`.
    fn pass(&self, r: u32) -> Option<DeskPass> {
        let (status, bytes) = self.surely(&format!("/v1/drops/{r}/desk"));
        let (wire, p) = (self.directory().wire(), self.directory().parameters());
        let drop = (status == 200)
            .then(|| DeskDrop::from_bytes(wire.cascade, p.desk_slots, p.desks, bytes).unwrap())?;
        proto::pass::find(&wire.network, &self.town.intake, drop.passes())
    }

    fn reply(&mut self, slot: [u8; 1024]) -> Vec<u8> {
        let wire = self.town.directory.wire();
        let exit = self.exit_key();
        let pass = self.pass(3).expect("the first drops brought one");
        let blob = to_readers(&wire, &[slot], &pass, &exit, &mut self.town.rng);
        self.wrap(blob)
    }

    /// Asks as the desk until there is an answer: on a busy machine a connection may fail, and that says nothing of a drop.
    fn surely(&self, path: &str) -> (u16, Vec<u8>) {
        (0..20)
            .find_map(|_| {
                let answer = self.signed(&self.town.desk, "GET", path, vec![]);
                if answer.is_none() {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                answer
            })
            .expect("the edge answers")
    }

    /// How often each text and each slot beginning with "reply" stands in the drops of these rounds.
    fn delivered(&self, rounds: std::ops::RangeInclusive<u32>) -> BTreeMap<String, u32> {
        let (wire, parameters) = (self.directory().wire(), self.directory().parameters());
        let mut found = BTreeMap::new();
        for r in rounds {
            let path = format!("/v1/drops/{r}/desk");
            let (status, bytes) = self.surely(&path);
            if status == 404 {
                continue;
            }
            assert_eq!(status, 200, "{path}");
            let drop =
                DeskDrop::from_bytes(wire.cascade, parameters.desk_slots, parameters.desks, bytes).unwrap();
            for boxed in drop.boxes() {
                if let Ok((message, _)) = open_message(&wire, &self.town.intake, boxed) {
                    *found.entry(message.body.text().unwrap_or_default().to_owned()).or_default() += 1;
                }
            }
            let path = format!("/v1/drops/{r}/reader");
            let (_, bytes) = self.surely(&path);
            for slot in ReaderDrop::from_bytes(parameters.reader_slots, bytes).unwrap().slots() {
                if slot.starts_with(b"reply") {
                    *found.entry("reply".to_owned()).or_default() += 1;
                }
            }
        }
        found
    }

    fn stop(mut self) {
        self.mixes.clear();
        self.next = None;
        if let Some(RunningEdge { edge, stop, done }) = self.edge.take() {
            drop(edge);
            let _ = stop.send(());
            let _ = self.runtime.block_on(done);
        }
    }
}

fn slot() -> [u8; 1024] {
    let mut slot = [0x55; 1024];
    slot[..5].copy_from_slice(b"reply");
    slot
}

/// Four rounds with three tips, one reply, cover, garbage and a repeated envelope. Returns what was answered.
fn four_rounds(net: &mut Net) -> Vec<(&'static str, bool)> {
    let schedule = net.town.schedule();
    let mut sent = vec![];
    for r in 5..=8u32 {
        let (round, start) = (Round(r), schedule.start(Round(r)));
        net.at(start.plus(200));
        if r == 5 {
            for text in ["first", "second", "third"] {
                let tip = net.tip(text);
                sent.push((text, net.upload(round, tip)));
            }
            let reply = net.reply(slot());
            net.upload(round, reply.clone());
            net.upload(round, reply);
            net.upload(round, vec![7; 8192]);
        }
        for _ in 0..4 {
            let cover = net.cover();
            net.upload(round, cover);
        }
        net.at(start.plus(1_500));
        // The drops of the round before.
        net.at(schedule.drops_due(Round(r - 1)));
        net.publish(round);
    }
    net.at(schedule.start(Round(9)).plus(200));
    net.at(schedule.drops_due(Round(8)));
    net.publish(Round(9));
    sent
}

/// Every entry that is new passes every hop once: 8 in the first round and 4 in each other, and what is not new, one
/// repeat and one piece of garbage, is taken and does not pass.
fn check_counts(net: &Net) {
    let mut sums = BTreeMap::<u8, (u32, u32)>::new();
    for manifest in (3..=9).flat_map(|r| net.manifests(r)) {
        let (taken, passed) = sums.entry(manifest.hop).or_default();
        *taken += manifest.count_in;
        *passed += manifest.count_out;
    }
    assert_eq!((sums[&0], sums[&1], sums[&2].0), ((22, 20), (20, 20), 20), "{:?}", net.victim);
}

fn check_delivered_once(net: &Net, sent: &[(&'static str, bool)]) {
    let delivered = net.delivered(3..=9);
    for (text, answered) in sent {
        let times = delivered.get(*text).copied().unwrap_or(0);
        // An upload that was not answered may have been taken or not; never twice.
        let good = if *answered { times == 1 } else { times <= 1 };
        assert!(good, "{text:?}, answered: {answered}, delivered {times} times; {:?}", net.victim);
    }
    assert!(delivered.get("reply").copied().unwrap_or(0) <= 1, "{:?}", net.victim);
    // Every drop served stands in an edition.
    for r in 4..=8 {
        let exit = net.directory().wire().cascade.exit();
        let manifests = net.manifests(r);
        assert_eq!(manifests.iter().filter(|m| m.hop == exit).count(), 1, "round {r}; {:?}", net.victim);
    }
    let head = UnverifiedHead::from_bytes(net.head.as_ref().unwrap()).unwrap();
    assert!(head.verify(net.directory(), Round(9), Round(9), None).is_ok());
    let Some(victim) = net.victim else { return };
    assert!(net.came.load(Ordering::SeqCst) > victim.first, "never struck: {victim:?}");
}

#[test]
fn a_quiet_run_delivers_everything_once_and_says_what_it_counted() {
    let mut net = Net::start(Town::new(1), None);
    let sent = four_rounds(&mut net);
    assert!(sent.iter().all(|(_, answered)| *answered));
    check_delivered_once(&net, &sent);
    check_counts(&net);
    assert_eq!(net.delivered(3..=9).get("reply"), Some(&1));
    // Round 5: ten uploads, one of them garbage and one a repeat.
    let five = net.manifests(5);
    let counts: Vec<_> = five.iter().map(|m| (m.hop, m.count_in, m.count_out)).collect();
    assert_eq!(counts[..2], [(0, 10, 8), (1, 8, 8)]);
    assert_eq!(
        (five[2].hop, five[2].count_out),
        (2, 8),
        "four desk slots and four reader slots, whatever is in them"
    );
    assert_eq!(five[1].inputs, five[0].outputs);
    assert_eq!(five[2].inputs, five[1].outputs);
    // Nothing is left at the edge: batches and rounds were released.
    for (hop, by) in [(0u8, 1), (1, 2)] {
        let path = format!("/v1/batches/{hop}");
        assert_eq!(net.signed(&net.town.mixes[by], "GET", &path, vec![]).unwrap().1, b"");
    }
    net.stop();
}

#[test]
fn one_to_four_mixes_deliver() {
    for k in 1..=4 {
        let mut net = Net::start(Town::with(u64::from(k) + 10, k, 4, 100), None);
        let sent = four_rounds(&mut net);
        check_delivered_once(&net, &sent);
        assert_eq!(net.delivered(3..=9).len(), 4, "k = {k}");
        net.stop();
    }
}

fn strike(victim: Victim, seed: u64) {
    let mut net = Net::start(Town::new(seed), Some(victim));
    let sent = four_rounds(&mut net);
    check_delivered_once(&net, &sent);
    if victim.step != Step::EnvelopeKept {
        check_counts(&net);
    }
    net.stop();
}

fn strike_everywhere(who: Who, steps: &[Step]) {
    for (n, &step) in steps.iter().enumerate() {
        for (side, first) in [(Side::Before, 0), (Side::After, 0), (Side::After, 1)] {
            strike(Victim { who, step, side, first }, 100 + n as u64);
        }
    }
}

fn steps_without(left_out: &[Step]) -> Vec<Step> {
    Step::MIX.into_iter().filter(|step| !left_out.contains(step)).collect()
}

/// EDG-04 among them.
#[test]
fn an_edge_stopped_at_any_step_loses_and_doubles_nothing() {
    strike_everywhere(Who::Edge, &Step::EDGE);
}

/// MIX-05 and MIX-06 among them.
#[test]
fn the_first_mix_stopped_at_any_step_loses_and_doubles_nothing() {
    strike_everywhere(
        Who::Mix(0),
        &steps_without(&[Step::Admitted, Step::PassKept, Step::Deleted, Step::Searched, Step::DirectoryKept]),
    );
}

#[test]
fn a_middle_mix_stopped_at_any_step_loses_and_doubles_nothing() {
    // Its keys live for days: none is forgotten in four rounds.
    let no = [
        Step::Admitted,
        Step::PassKept,
        Step::Deleted,
        Step::Searched,
        Step::KeyForgotten,
        Step::DirectoryKept,
    ];
    strike_everywhere(Who::Mix(1), &steps_without(&no));
}

#[test]
fn an_exit_stopped_at_any_step_loses_and_doubles_nothing() {
    let no = [Step::PassKept, Step::Deleted, Step::Searched, Step::KeyForgotten, Step::DirectoryKept];
    strike_everywhere(Who::Mix(2), &steps_without(&no));
    // Drawn once in all these rounds.
    for side in [Side::Before, Side::After] {
        strike(Victim { who: Who::Mix(2), step: Step::PassKept, side, first: 0 }, 120);
    }
}

#[test]
fn mix_01_a_repeat_is_dropped_after_a_restart_too() {
    let mut net = Net::start(Town::new(26), None);
    let schedule = net.town.schedule();
    let tip = net.tip("once");
    for r in 5..=6 {
        net.at(schedule.start(Round(r)).plus(200));
        net.upload(Round(r), tip.clone());
        for _ in 0..4 {
            let cover = net.cover();
            net.upload(Round(r), cover);
        }
        net.at(schedule.start(Round(r + 1)).plus(200));
        for hop in 0..3 {
            net.mixes[hop] = None;
            net.open_mix(hop as u8);
        }
    }
    let first = |net: &Net, r| net.manifests(r).iter().map(|m| (m.count_in, m.count_out)).next();
    assert_eq!((first(&net, 5), first(&net, 6)), (Some((5, 5)), Some((5, 4))));
    net.stop();
}

#[test]
fn mix_01_an_envelope_sent_again_in_its_round_counts_once_and_in_the_next_not_at_all() {
    let mut net = Net::start(Town::new(28), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    let tip = net.tip("once");
    for (r, copies) in [(5u32, 2), (6, 1)] {
        net.at(schedule.start(Round(r)).plus(200));
        for _ in 0..copies {
            net.upload(Round(r), tip.clone());
            net.mixes[0] = None;
            net.open_mix(0);
            net.settle();
        }
        for _ in 0..4 {
            let cover = net.cover();
            net.upload(Round(r), cover);
        }
        net.at(schedule.start(Round(r + 1)).plus(200));
    }
    let first = |r| net.manifests(r).iter().map(|m| (m.count_in, m.count_out)).next();
    assert_eq!((first(5), first(6)), (Some((6, 5)), Some((5, 4))));
    net.stop();
}

#[test]
fn mix_01_the_exit_drops_a_repeated_tip_after_a_restart_too() {
    let mut net = Net::start(Town::new(27), None);
    let (wire, schedule) = (net.town.directory.wire(), net.town.schedule());
    let exit = net.exit_key();
    let message = Message {
        conversation: ConversationKey::generate(&mut net.town.rng),
        sequence: 0,
        received: Received::default(),
        body: Body::Text(Zeroizing::new("once".to_owned())),
    };
    let packed = message.pack(wire.cascade).unwrap();
    let tip = to_desk(&wire, net.town.intake.public(), &packed, &exit, &mut net.town.rng).0;
    // The middle mix hands the same entry over in two rounds, twice in the second.
    for (r, copies) in [(5u32, 1), (6, 2)] {
        let mut payload = Vec::new();
        let mut sealing = BatchSeal::new(&wire, 2, &exit, &mut net.town.rng, &mut payload);
        for _ in 0..copies {
            sealing.entry(tip.as_bytes(), &mut payload);
        }
        for _ in 0..4 {
            sealing.entry(cover(&wire, &exit, &mut net.town.rng).as_bytes(), &mut payload);
        }
        sealing.finish(&mut payload);
        let manifest = Manifest {
            batch: BatchId { round: Round(r), part: 0 },
            hop: 1,
            inputs: vec![],
            count_in: 4 + copies,
            count_out: 4 + copies,
            outputs: vec![Digest::of(&payload)],
            deleted: 0,
            alarm: false,
        };
        let by = &net.town.mixes[1];
        let handed = Handed::new(&Unverified::sign(&manifest, &net.town.network, by), &payload);
        let put = net.signed(by, "PUT", &format!("/v1/batches/1/{r}/0"), handed.body().to_vec());
        assert_eq!(put.unwrap().0, 200);
        net.at(schedule.drops_due(Round(r)));
        net.mixes[2] = None;
        net.open_mix(2);
    }
    assert_eq!(net.delivered(3..=6), BTreeMap::from([("once".to_owned(), 1)]));
    net.stop();
}

#[test]
fn mix_02_a_short_round_waits_for_the_next_at_every_hop() {
    let mut net = Net::start(Town::with(20, 3, 4, 100), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for text in ["a", "b", "c"] {
        let tip = net.tip(text);
        net.upload(Round(5), tip);
    }
    net.at(schedule.start(Round(6)).plus(200));
    assert!(net.manifests(5).is_empty(), "three are fewer than four");
    net.at(schedule.drops_due(Round(5)));
    assert_eq!(net.manifests(5).len(), 1, "the drops of a round come whatever it brought");
    assert!(net.delivered(3..=5).is_empty());
    let one = net.cover();
    net.upload(Round(6), one);
    net.at(schedule.start(Round(7)).plus(200));
    let six = net.manifests(6);
    assert_eq!(
        six.iter().map(|m| (m.hop, m.count_in, m.count_out)).collect::<Vec<_>>(),
        [(0, 4, 4), (1, 4, 4)]
    );
    assert_eq!(six[0].inputs.len(), 2, "one run of each round");
    net.at(schedule.drops_due(Round(6)));
    assert_eq!(net.delivered(3..=6).len(), 3);
    net.stop();
}

/// A mix that stalls, and a network with too few readers, look alike here: nothing comes that would make a batch large enough.
#[test]
fn mix_10_what_waits_24_rounds_is_deleted_and_the_next_manifest_says_so_wherever_the_mix_is_stopped() {
    let strikes = [None, Some((Side::Before, 0)), Some((Side::After, 0))];
    for strike in strikes {
        let victim =
            strike.map(|(side, first)| Victim { who: Who::Mix(0), step: Step::Deleted, side, first });
        let mut net = Net::start(Town::new(29), victim);
        let schedule = net.town.schedule();
        net.at(schedule.start(Round(5)).plus(200));
        for text in ["a", "b", "c"] {
            let tip = net.tip(text);
            net.upload(Round(5), tip);
        }
        net.settle();
        net.at(schedule.start(Round(28)).plus(200));
        // One comes a round too late for them, and three with it.
        net.at(schedule.start(Round(29)).plus(200));
        for n in 0..4 {
            let body = if n == 0 { net.tip("late") } else { net.cover() };
            net.upload(Round(29), body);
        }
        net.at(schedule.start(Round(30)).plus(200));
        let first: Vec<_> = net.manifests(29).iter().map(|m| (m.hop, m.count_out, m.deleted)).collect();
        assert_eq!(first, [(0, 4, 3), (1, 4, 0)], "{strike:?}");
        net.at(schedule.drops_due(Round(29)));
        assert_eq!(net.delivered(3..=29), BTreeMap::from([("late".to_owned(), 1)]));
        if let Some(victim) = net.victim {
            assert!(net.came.load(Ordering::SeqCst) > victim.first, "never struck");
        }
        net.stop();
    }
}

#[test]
fn mix_07_a_held_item_leaves_in_a_later_round_whatever_the_mix_before_calls_it() {
    let mut net = Net::start(Town::holding(30, 250), None);
    let schedule = net.town.schedule();
    let mut passed = BTreeMap::<u32, u32>::new();
    for r in 5..=40u32 {
        net.at(schedule.start(Round(r)).plus(200));
        let count = if r <= 16 { 10 } else { 4 };
        for n in 0..count {
            let body = if r <= 16 && n == 0 { net.tip(&format!("tip {r}")) } else { net.cover() };
            net.upload(Round(r), body);
        }
        // Restarted in the middle of everything: what was drawn stays drawn.
        if r % 5 == 0 {
            for hop in 0..3 {
                net.mixes[hop] = None;
                net.open_mix(hop as u8);
            }
        }
        net.at(schedule.drops_due(Round(r - 1)));
    }
    for m in (5..40).flat_map(|r| net.manifests(r)).filter(|m| m.hop == 1) {
        *passed.entry(m.batch.round.0).or_default() += m.count_out;
    }
    // Of ten in the first round a quarter leaves at once, on average; the chance that eight or more do is 1 in 2,400.
    assert!(passed.get(&5).copied().unwrap_or(0) < 8, "{passed:?}");
    assert!(passed.values().all(|n| *n >= 4), "never a batch below n_min: {passed:?}");
    let delivered = net.delivered(3..=40);
    assert!(delivered.values().all(|times| *times == 1), "{delivered:?}");
    assert!(delivered.len() >= 9, "{delivered:?}");
    // Not all in the order in which they came.
    let at = |text: &str| (5..=40).find(|r| net.delivered(*r..=*r).contains_key(text));
    let rounds: Vec<_> = (5..=16).filter_map(|r| at(&format!("tip {r}"))).collect();
    assert!(!rounds.is_sorted() || rounds.iter().zip(5..).any(|(at, sent)| *at > sent + 2), "{rounds:?}");
    net.stop();
}

#[test]
fn mix_03_a_crowded_round_is_cut_into_parts_that_are_never_above_n_max() {
    let mut net = Net::start(Town::with(21, 3, 3, 4), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..10 {
        let body = if n == 7 { net.tip("crowded") } else { net.cover() };
        net.upload(Round(5), body);
    }
    net.settle();
    let parts = |net: &Net, r| {
        net.manifests(r).iter().map(|m| (m.hop, m.batch.part, m.count_out)).collect::<Vec<_>>()
    };
    assert_eq!(parts(&net, 5), [(0, 0, 4), (0, 1, 4), (1, 0, 4), (1, 1, 4)], "before the round is over");
    let two = [net.cover(), net.tip("late")];
    for body in two {
        net.upload(Round(5), body);
    }
    net.at(schedule.start(Round(6)).plus(200));
    assert_eq!(parts(&net, 5).len(), 6);
    assert_eq!(parts(&net, 5)[2], (0, 2, 4), "two left over and two more");
    net.at(schedule.drops_due(Round(5)));
    assert_eq!(net.delivered(3..=5).into_values().collect::<Vec<_>>(), [1, 1]);
    net.stop();
}

#[test]
fn ext_04_drops_come_once_a_round_and_missed_rounds_are_skipped() {
    let mut net = Net::start(Town::new(22), None);
    let schedule = net.town.schedule();
    let exits = |net: &Net, r| net.manifests(r).iter().filter(|m| m.hop == 2).count();
    net.at(Millis(schedule.drops_due(Round(5)).0 - 1));
    assert_eq!(exits(&net, 5), 0);
    for _ in 0..3 {
        net.at(schedule.drops_due(Round(5)));
    }
    assert_eq!(exits(&net, 5), 1);
    let first = net.signed(&net.town.desk, "GET", "/v1/drops/5/desk", vec![]).unwrap().1;
    net.at(schedule.drops_due(Round(8)));
    assert_eq!([5, 6, 7, 8].map(|r| exits(&net, r)), [1, 0, 0, 1]);
    // A clock that goes back writes nothing again.
    net.at(schedule.drops_due(Round(6)));
    assert_eq!([5, 6, 7, 8].map(|r| exits(&net, r)), [1, 0, 0, 1]);
    assert_eq!(net.signed(&net.town.desk, "GET", "/v1/drops/5/desk", vec![]).unwrap().1, first);
    net.stop();
}

// REQ-01
/// Drops of a time to come would keep those of now back until then.
#[test]
fn an_exit_whose_clock_was_ahead_writes_drops_again_when_it_is_right() {
    let mut net = Net::start(Town::new(26), None);
    let schedule = net.town.schedule();
    let exits = |net: &Net, r| net.manifests(r).iter().filter(|m| m.hop == 2).count();
    net.at(schedule.drops_due(Round(5)));
    net.mixes[2] = None;
    // The edge refuses what it asks; or is not there, as in a machine's first minute, when no clock is set either.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (base, round) in [(net.address.to_string(), 55), (nobody.to_string(), 8)] {
        let ahead = Hands::at(schedule.drops_due(Round(round)));
        let base = format!("http://{base}");
        let client = EdgeClient::new(&base, net.town.network, net.setup(2).identity, ahead.clone()).unwrap();
        let upstream = HttpUpstream::new(client, net.runtime.handle().clone(), 2, 2);
        let mut exit = Mix::open(net.setup(2), upstream, StdRng::seed_from_u64(9), Hook::none()).unwrap();
        let refused = exit.step(ahead.now()).unwrap_err();
        assert!(matches!(refused, MixError::Upstream(_)), "{refused}");
    }
    net.open_mix(2);
    net.at(schedule.drops_due(Round(6)));
    assert_eq!(exits(&net, 6), 1);
    net.stop();
}

// BAT-07
#[test]
fn a_batch_that_is_not_what_its_manifest_says_is_left_and_the_next_is_taken() {
    let mut net = Net::start(Town::new(23), None);
    let schedule = net.town.schedule();
    // The first mix signs for a batch with fewer entries than it says, and for one that the next cannot open.
    let mut fewer = Vec::new();
    let wire = net.town.directory.wire();
    let next = net.key_of(1, Round(3));
    let mut batch = BatchSeal::new(&wire, 1, &next, &mut net.town.rng, &mut fewer);
    (0..3).for_each(|_| batch.entry(&vec![7; wire.cascade.layer(1)], &mut fewer));
    batch.finish(&mut fewer);
    let mut garbage = vec![0; 30_000];
    net.town.rng.fill_bytes(&mut garbage);
    for (round, payload) in [(3, fewer), (4, garbage)] {
        let manifest = Manifest {
            batch: BatchId { round: Round(round), part: 0 },
            hop: 0,
            inputs: vec![],
            count_in: 4,
            count_out: 4,
            outputs: vec![Digest::of(&payload)],
            deleted: 0,
            alarm: false,
        };
        let by = &net.town.mixes[0];
        let body = Handed::new(&Unverified::sign(&manifest, &net.town.network, by), &payload);
        let put = net.signed(by, "PUT", &format!("/v1/batches/0/{round}/0"), body.body().to_vec());
        assert_eq!(put.unwrap().0, 200);
    }
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..4 {
        let body = if n == 2 { net.tip("after") } else { net.cover() };
        net.upload(Round(5), body);
    }
    net.at(schedule.drops_due(Round(5)));
    assert_eq!(net.delivered(3..=5), BTreeMap::from([("after".to_owned(), 1)]));
    let left = net.signed(&net.town.mixes[1], "GET", "/v1/batches/0", vec![]).unwrap().1;
    assert_eq!(left, b"3 0\n4 0\n");
    net.stop();
}

#[test]
fn a_mix_with_the_wrong_identity_or_folder_does_not_start() {
    let net = Net::start(Town::new(24), None);
    let base = format!("http://{}", net.address);
    let upstream = |identity: &Arc<IdentitySecret>, hop: u8| {
        let client =
            EdgeClient::new(&base, net.town.network, Arc::clone(identity), net.clock.clone()).unwrap();
        HttpUpstream::new(client, net.runtime.handle().clone(), hop, 2)
    };
    let open = |setup: Setup| {
        let upstream = upstream(&setup.identity, setup.hop);
        Mix::open(setup, upstream, StdRng::seed_from_u64(1), Hook::none())
    };
    let refused = |setup: Setup| match open(setup) {
        Ok(_) => panic!("it started"),
        Err(e) => e.to_string(),
    };
    let elsewhere = |name: &str| -> PathBuf { net.folder.path().join(name) };
    assert!(refused(Setup { hop: 1, state: elsewhere("a"), ..net.setup(0) }).contains("not that of mix 2"));
    assert!(refused(net.setup(0)).contains("in use"));
    assert!(refused(Setup { state: elsewhere("edge"), ..net.setup(0) }).contains("in use"));
    net.stop();
}

#[test]
fn the_loops_carry_a_tip_by_themselves() {
    struct Wall(std::time::Instant);
    impl Clock for Wall {
        fn now(&self) -> Millis {
            GENESIS.plus(5 * 3_000 + self.0.elapsed().as_millis() as u64)
        }
    }
    let mut net = Net::start(Town::new(25), None);
    let bodies: Vec<_> = (0..5).map(|n| if n == 3 { net.tip("by itself") } else { net.cover() }).collect();
    let keys: Vec<_> = (0..3).map(|hop| net.setup(hop)).collect();
    net.mixes.clear();
    let RunningEdge { edge, stop, done } = net.edge.take().unwrap();
    drop(edge);
    stop.send(()).unwrap();
    net.runtime.block_on(done).unwrap().unwrap();

    #[expect(clippy::disallowed_methods, reason = "this test runs in real time")]
    let clock: Arc<dyn Clock> = Arc::new(Wall(std::time::Instant::now()));
    let folder = net.folder.path().to_owned();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let shutdown = || {
        let mut stopped = stopped.clone();
        async move { drop(stopped.wait_for(|stop| *stop).await) }
    };
    let (told, address) = oneshot::channel();
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        state: folder.join("edge"),
        network: net.town.network,
        directory: folder.join("directory"),
        max_journal_bytes: None,
        ceilings: Ceilings::default(),
    };
    let mut services = vec![];
    let ready = move |address| {
        let _ = told.send(address);
    };
    let running = server::run::run_edge(
        config,
        clock.clone(),
        StdRng::seed_from_u64(1),
        Hook::none(),
        ready,
        shutdown(),
    );
    services.push(net.runtime.spawn(running));
    net.address = net.runtime.block_on(address).unwrap();
    for setup in keys {
        let hop = setup.hop;
        let identity = folder.join(format!("identity{hop}"));
        server::seed::write(&identity, &setup.identity.to_seed()).unwrap();
        let config = server::mix::Config {
            hop,
            edge: format!("http://{}/", net.address),
            state: setup.state,
            identity,
            network: net.town.network,
            directory: folder.join("directory"),
        };
        let rng = StdRng::seed_from_u64(hop.into());
        services.push(net.runtime.spawn(server::run::run_mix(
            config,
            clock.clone(),
            rng,
            Hook::none(),
            || (),
            shutdown(),
        )));
    }
    for body in bodies {
        assert!(net.upload(Round(5), body));
    }
    // Two rounds and a half of 3 s, with room for a slow machine.
    let mut delivered = BTreeMap::new();
    for _ in 0..150 {
        net.clock.set(clock.now());
        delivered = net.delivered(3..=9);
        if !delivered.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(delivered, BTreeMap::from([("by itself".to_owned(), 1)]));
    stop.send(true).unwrap();
    for service in services {
        net.runtime.block_on(service).unwrap().unwrap();
    }
}
