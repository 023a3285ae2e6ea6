//! Those who send too much, hold on too long, or say who they are not, against a real edge on loopback.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::testing::{GENESIS, Hands, Town};
use proto::{Round, request};
use rand::{SeedableRng as _, rngs::StdRng};
use reqwest::Client;
use server::edge::{Ceilings, Config, Edge, KnownBy, Relay};
use server::faults::{Hook, Side, Step};
use server::status::Refused;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;

const FIRST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// Another address of this computer. Only Linux has all of 127.0.0.0/8 without being told.
#[cfg(target_os = "linux")]
const SECOND: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// An edge a quarter into round 5.
struct Running {
    town: Town,
    clock: Arc<Hands>,
    edge: Arc<Edge>,
    address: SocketAddr,
    /// How often an envelope was about to be stored, and was.
    stored: Arc<[AtomicUsize; 2]>,
    _stop: oneshot::Sender<()>,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start(ceilings: Ceilings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(1);
        let directory = folder.path().join("directory");
        std::fs::write(&directory, &town.bytes).unwrap();
        let config = Config {
            listen: (FIRST, 0).into(),
            state: folder.path().join("edge"),
            network: town.network,
            directory,
            max_journal_bytes: None,
            ceilings,
        };
        let clock = Hands::at(GENESIS.plus(5 * 3_000 + 750));
        let stored = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let count = Arc::clone(&stored);
        let hook = Hook::new(move |step, side| {
            if step == Step::EnvelopeKept {
                count[usize::from(side == Side::After)].fetch_add(1, Ordering::SeqCst);
            }
            false
        });
        let mut rng = StdRng::seed_from_u64(1);
        let edge = Edge::open(&config, clock.clone(), &mut rng, hook).await.unwrap();
        let listening = edge.clone().listen(config.listen).await.unwrap();
        let address = listening.address();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move { listening.run(async { drop(stopped.await) }).await.unwrap() });
        edge.step(proto::Clock::now(&*clock)).await.unwrap();
        Self { town, clock, edge, address, stored, _stop: stop, folder }
    }

    /// Sends an envelope of these bytes for round 5, as a reader's device does: on a connection of its own. Returns all
    /// that is answered, but for the date.
    async fn upload(&self, from: &Client, byte: u8, headers: &[(&str, &str)]) -> Answer {
        let mut request = from.post(format!("http://{}/v1/rounds/5/envelopes", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(vec![byte; 8192]).send().await.unwrap();
        let mut headers: Vec<_> =
            answer.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        headers.retain(|(name, _)| name != "date");
        (answer.status().as_u16(), headers, answer.bytes().await.unwrap().to_vec())
    }

    /// What the first mix gets of round 5: the first byte of each envelope.
    async fn delivered(&self) -> Vec<u8> {
        let path = "/v1/rounds/5/envelopes/0";
        let now = proto::Clock::now(&*self.clock);
        let signed = request::sign(&self.town.network, &self.town.mixes[0], "GET", path, b"", now);
        let url = format!("http://{}{path}", self.address);
        let answer = sender(FIRST).get(url).header(request::HEADER, signed).send().await.unwrap();
        answer.bytes().await.unwrap().chunks_exact(8192).map(|envelope| envelope[0]).collect()
    }

    /// Ends round 5, and returns what was counted of it.
    async fn counted(&self) -> (u64, Refused) {
        self.clock.set(self.town.schedule().start(Round(6)).plus(100));
        self.edge.step(proto::Clock::now(&*self.clock)).await.unwrap();
        let status = self.edge.status();
        let round = status.rounds.iter().find(|r| r.round == 5).unwrap();
        (round.envelopes, round.refused.clone())
    }

    async fn connect(&self, from: IpAddr) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((from, 0).into()).unwrap();
        socket.connect(self.address).await.unwrap()
    }
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

fn sender(from: IpAddr) -> Client {
    Client::builder().no_proxy().pool_max_idle_per_host(0).local_address(from).build().unwrap()
}

/// Whether the edge closes the connection within this time without a word.
async fn closes(stream: &mut TcpStream, within_ms: u64) -> bool {
    let mut byte = [0];
    match tokio::time::timeout(Duration::from_millis(within_ms), stream.read(&mut byte)).await {
        Err(_) => false,
        Ok(read) => read.unwrap_or(0) == 0,
    }
}

// EDG-10, EDG-12: a reader who floods.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn edg_10_a_reader_who_floods_is_shed_without_being_told_and_drowns_nobody() {
    let edge = Running::start(Ceilings { address: 50, ..Ceilings::default() }).await;
    let (flooder, reader) = (sender(FIRST), sender(SECOND));
    let mut answers = HashSet::new();
    for _ in 0..4 {
        let flood = (0..50).map(|_| edge.upload(&flooder, 0xff, &[]));
        answers.extend(futures_util::future::join_all(flood).await);
    }
    for n in 0..41 {
        answers.insert(edge.upload(&reader, n, &[]).await);
    }
    let answer = answers.iter().next().unwrap();
    assert_eq!(
        (answers.len(), answer.0, answer.2.len()),
        (1, 202, 0),
        "taken or shed, one answer: {answers:?}"
    );
    let delivered = edge.delivered().await;
    assert_eq!(delivered.iter().filter(|&&byte| byte == 0xff).count(), 50);
    assert!((0..41).all(|n| delivered.contains(&n)), "every reader's envelope is there");
    // The shed went to the store and back like the others.
    let stored = [0, 1].map(|side| edge.stored[side].load(Ordering::SeqCst));
    assert_eq!(stored, [241, 241]);
    let (taken, refused) = edge.counted().await;
    assert_eq!((taken, refused.over_address, refused.shed()), (91, 150, 150));
}

// EDG-10: 41 readers on one address, and more than that.
#[tokio::test]
async fn edg_10_41_readers_on_one_address_are_all_delivered() {
    let edge = Running::start(Ceilings::default()).await;
    let nat = sender(FIRST);
    let uploads = (0..41).map(|n| edge.upload(&nat, n, &[]));
    assert!(futures_util::future::join_all(uploads).await.iter().all(|answer| answer.0 == 202));
    let mut delivered = edge.delivered().await;
    delivered.sort_unstable();
    assert!(delivered.iter().copied().eq(0..41), "{delivered:?}");
    let (taken, refused) = edge.counted().await;
    assert_eq!((taken, refused.shed()), (41, 0));
}

// EDG-11
#[tokio::test]
async fn edg_11_a_relay_has_its_own_ceiling_and_is_known_by_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("relay.key");
    server::seed::write(&secret, &[0x11; 32]).unwrap();
    let relay = Relay {
        known_by: KnownBy::Secret(secret),
        ceiling: 5,
        tells_address_in: Some("X-Forwarded-For".into()),
    };
    let edge = Running::start(Ceilings { address: 2, relays: vec![relay], ..Ceilings::default() }).await;
    let http = sender(FIRST);
    let shown = "11".repeat(32);
    let through = [("firsthand-relay", shown.as_str())];
    // Two for one of its clients and one shed, three more for others, then the relay's own ceiling.
    for client in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"]
    {
        let told = [through[0], ("x-forwarded-for", client)];
        assert_eq!(edge.upload(&http, 1, &told).await.0, 202);
    }
    // Without the secret the same words mean nothing.
    for client in ["192.0.2.7", "192.0.2.8", "192.0.2.9"] {
        edge.upload(&http, 2, &[("x-forwarded-for", client)]).await;
    }
    let (taken, refused) = edge.counted().await;
    assert_eq!((taken, refused.over_address, refused.over_relay), (5 + 2, 1 + 1, 1));
}

// EDG-13
#[tokio::test]
async fn edg_13_no_address_is_written_anywhere() {
    let relay = Relay {
        known_by: KnownBy::Range("127.0.0.0/8".parse().unwrap()),
        ceiling: 100,
        tells_address_in: Some("x-forwarded-for".into()),
    };
    let edge = Running::start(Ceilings { address: 3, relays: vec![relay], ..Ceilings::default() }).await;
    let http = sender(FIRST);
    for n in 0..9 {
        edge.upload(&http, n, &[("x-forwarded-for", "203.0.113.77")]).await;
    }
    let (_, refused) = edge.counted().await;
    assert_eq!(refused.over_address, 6);
    let status = serde_json::to_vec(&edge.edge.status()).unwrap();
    let mut files = vec![("status".to_owned(), status)];
    let mut folders = vec![edge.folder.path().join("edge")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push((path.display().to_string(), std::fs::read(path).unwrap()));
            }
        }
    }
    assert!(files.len() > 4);
    for (name, bytes) in files {
        for mark in [&b"203.0.113.77"[..], &[203, 0, 113, 77], b"127.0.0.1"] {
            assert!(!bytes.windows(mark.len()).any(|window| window == mark), "{name}");
        }
    }
}

// EDG-14: one who opens connections and says nothing.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn edg_14_one_who_holds_connections_open_keeps_nobody_else_out() {
    let ceilings =
        Ceilings { connections_per_address: 3, head: Duration::from_millis(900), ..Ceilings::default() };
    let edge = Running::start(ceilings).await;
    let mut held = vec![];
    for _ in 0..3 {
        let mut stream = edge.connect(FIRST).await;
        stream.write_all(b"POST /v1/rounds/5/envelopes HTTP/1.1\r\nHos").await.unwrap();
        held.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(closes(&mut edge.connect(FIRST).await, 500).await, "a fourth is closed unheard");
    assert_eq!(edge.upload(&sender(SECOND), 1, &[]).await.0, 202, "another address is served");
    for stream in &mut held {
        // hyper says that the request came to no end before it hangs up.
        let mut rest = vec![];
        let ended = tokio::time::timeout(Duration::from_secs(3), stream.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a head that does not come is not waited for");
    }
    assert_eq!(edge.upload(&sender(FIRST), 2, &[]).await.0, 202, "and there is room again");
    let (taken, refused) = edge.counted().await;
    assert_eq!((taken, refused.over_connections), (2, 1));
}

#[tokio::test]
async fn edg_14_when_every_place_is_taken_others_wait_and_are_served() {
    let ceilings = Ceilings { connections: 2, life: Duration::from_millis(400), ..Ceilings::default() };
    let edge = Running::start(ceilings).await;
    // Two that send their envelopes a byte at a time.
    let mut slow = vec![];
    for _ in 0..2 {
        let mut stream = edge.connect(FIRST).await;
        let head = b"POST /v1/rounds/5/envelopes HTTP/1.1\r\nHost: edge\r\nContent-Length: 8192\r\n\r\n";
        stream.write_all(head).await.unwrap();
        slow.push(tokio::spawn(async move {
            while stream.write_all(&[7]).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }));
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let upload = sender(FIRST);
    let waits = edge.upload(&upload, 3, &[]);
    assert_eq!(tokio::time::timeout(Duration::from_secs(5), waits).await.unwrap().0, 202);
    for slow in slow {
        tokio::time::timeout(Duration::from_secs(5), slow).await.unwrap().unwrap();
    }
    assert_eq!(edge.delivered().await, [3]);
}

#[tokio::test]
async fn edg_14_a_connection_ends_unless_one_who_signs_is_at_its_other_end() {
    let ceilings = Ceilings { life: Duration::from_millis(300), ..Ceilings::default() };
    let edge = Running::start(ceilings).await;
    let now = proto::Clock::now(&*edge.clock);
    let by = &edge.town.mixes[0];
    let signed = request::sign(&edge.town.network, by, "GET", "/v1/rounds", b"", now);
    for (header, stays) in [(format!("{}: {signed}\r\n", request::HEADER), true), (String::new(), false)] {
        let mut stream = edge.connect(FIRST).await;
        let ask = format!("GET /v1/rounds HTTP/1.1\r\nHost: edge\r\n{header}\r\n");
        stream.write_all(ask.as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        assert!(stream.read(&mut answer).await.unwrap() > 12);
        assert_eq!(closes(&mut stream, 1_000).await, !stays);
        if stays {
            stream.write_all(ask.as_bytes()).await.unwrap();
            stream.read_exact(&mut answer[..12]).await.unwrap();
            assert_eq!(&answer[..12], b"HTTP/1.1 200");
        }
    }
}

#[tokio::test]
async fn edg_14_a_head_without_end_is_not_kept_in_memory() {
    let edge = Running::start(Ceilings::default()).await;
    let mut stream = edge.connect(FIRST).await;
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: edge\r\nX: ").await.unwrap();
    let mut sent = 0;
    // What is in the sockets' own buffers comes on top of what the edge holds.
    while sent < 64 << 20 && stream.write_all(&[b'x'; 65_536]).await.is_ok() {
        sent += 65_536;
    }
    assert!(sent < 32 << 20, "{sent} bytes of one head were taken");
}
