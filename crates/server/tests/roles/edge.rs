//! A real edge on loopback, asked over HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::testing::{GENESIS, Hands, Town};
use proto::directory::{Directory, DirectoryRejected, IntakeKey, MixKey};
use proto::edition::{Bundle, BundleRef, Head, page_digest, sign_head};
use proto::mix::{BatchId, Manifest};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, Unverified};
use proto::{Digest, Millis, NetworkId, Round, codec, request};
use rand::{SeedableRng as _, rngs::StdRng};
use reqwest::{Method, StatusCode};
use server::edge::{Ceilings, Config, Edge, OpenError};
use server::faults::Hook;
use server::handed::Handed;
use server::http::SEALED;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Four boxes and a table of three passes.
const DESK_DROP: usize = 4 * 4736 + 3 * 1168;

struct Running {
    town: Town,
    clock: Arc<Hands>,
    config: Config,
    edge: Arc<Edge>,
    base: String,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Running {
    async fn start(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::with(Town::new(seed), folder, None).await
    }

    async fn with(town: Town, folder: tempfile::TempDir, max_journal_bytes: Option<u64>) -> Self {
        let directory = folder.path().join("directory");
        std::fs::write(&directory, &town.bytes).unwrap();
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            state: folder.path().join("edge"),
            network: town.network,
            directory,
            max_journal_bytes,
            ceilings: Ceilings::default(),
        };
        // A quarter into round 5.
        let clock = Hands::at(GENESIS.plus(5 * 3_000 + 750));
        let edge = Edge::open(&config, clock.clone(), &mut rng(), Hook::none()).await.unwrap();
        let listening = edge.clone().listen(config.listen).await.unwrap();
        let base = format!("http://{}", listening.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let done = tokio::spawn(async move {
            listening.run(async { drop(stopped.await) }).await.unwrap();
        });
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        edge.step(proto::Clock::now(&*clock)).await.unwrap();
        Self { town, clock, config, edge, base, http, stop: Some(stop), done, folder }
    }

    async fn restart(mut self) -> Self {
        let max = self.config.max_journal_bytes;
        self.stop.take().unwrap().send(()).unwrap();
        self.done.await.unwrap();
        drop(self.edge);
        let now = proto::Clock::now(&*self.clock);
        let again = Self::with(self.town, self.folder, max).await;
        again.clock.set(now);
        again
    }

    async fn ask(&self, method: Method, path: &str, body: Vec<u8>) -> (StatusCode, Vec<u8>) {
        let response =
            self.http.request(method, format!("{}{path}", self.base)).body(body).send().await.unwrap();
        (response.status(), response.bytes().await.unwrap().to_vec())
    }

    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        self.ask(Method::GET, path, vec![]).await
    }

    async fn signed(
        &self,
        by: &IdentitySecret,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> reqwest::Response {
        let now = proto::Clock::now(&*self.clock);
        let header = request::sign(&self.town.network, by, method.as_str(), path, &body, now);
        self.http
            .request(method, format!("{}{path}", self.base))
            .header(request::HEADER, header)
            .body(body)
            .send()
            .await
            .unwrap()
    }

    async fn put(&self, by: &IdentitySecret, path: &str, body: Vec<u8>) -> StatusCode {
        self.signed(by, Method::PUT, path, body).await.status()
    }

    async fn upload(&self, round: &str, body: Vec<u8>) -> StatusCode {
        self.ask(Method::POST, &format!("/v1/rounds/{round}/envelopes"), body).await.0
    }

    /// Everything the first mix can see of a round: envelopes and final length.
    async fn envelopes(&self, round: u32, from: u64) -> Option<(Vec<u8>, Option<u64>)> {
        let path = format!("/v1/rounds/{round}/envelopes/{from}");
        let answer = self.signed(&self.town.mixes[0], Method::GET, &path, vec![]).await;
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK);
        let sealed = answer.headers().get(SEALED).map(|v| v.to_str().unwrap().parse().unwrap());
        Some((answer.bytes().await.unwrap().to_vec(), sealed))
    }

    async fn go_to(&self, round: u32, after: u64) {
        self.clock.set(self.town.schedule().start(Round(round)).plus(after));
        self.edge.step(proto::Clock::now(&*self.clock)).await.unwrap();
    }

    fn head(&self, round: u32, previous: Digest, manifests: Vec<Unverified<Manifest>>) -> (Vec<u8>, Vec<u8>) {
        self.head_under(self.town.directory.digest(), round, previous, manifests)
    }

    fn head_under(
        &self,
        directory: Digest,
        round: u32,
        previous: Digest,
        manifests: Vec<Unverified<Manifest>>,
    ) -> (Vec<u8>, Vec<u8>) {
        self.head_with(&Bundle::default(), directory, round, previous, manifests)
    }

    fn head_with(
        &self,
        bundle: &Bundle,
        directory: Digest,
        round: u32,
        previous: Digest,
        manifests: Vec<Unverified<Manifest>>,
    ) -> (Vec<u8>, Vec<u8>) {
        let (bundle, named) = bundle.pack();
        let head = Head {
            round: Round(round),
            previous,
            made: Millis(1),
            directory,
            changes: named,
            front: named,
            page: page_digest(&[]),
            manifests,
            round_keys: vec![],
        };
        (sign_head(&head, &self.town.network, &self.town.press), bundle)
    }

    fn batch(&self, hop: u8, id: BatchId, payload: &[u8]) -> Vec<u8> {
        let outputs = if usize::from(hop) == self.town.mixes.len() - 1 {
            vec![Digest::of(&payload[..DESK_DROP]), Digest::of(&payload[DESK_DROP..])]
        } else {
            vec![Digest::of(payload)]
        };
        let manifest = Manifest {
            batch: id,
            hop,
            inputs: vec![],
            count_in: 9,
            count_out: 8,
            outputs,
            deleted: 0,
            alarm: false,
        };
        let by = &self.town.mixes[usize::from(hop)];
        Handed::new(&Unverified::sign(&manifest, &self.town.network, by), payload).body().to_vec()
    }
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn id(round: u32, part: u16) -> BatchId {
    BatchId { round: Round(round), part }
}

/// EDG-01, EDG-05
#[tokio::test]
async fn edg_01_whatever_is_uploaded_is_answered_alike_and_only_envelopes_of_the_round_are_kept() {
    let edge = Running::start(1).await;
    let url = |round: &str| format!("{}/v1/rounds/{round}/envelopes", edge.base);
    let mut answers = vec![];
    for (round, body) in [
        ("5", vec![1; 8192]),
        ("5", vec![1; 8192]),
        ("5", vec![0; 8191]),
        ("5", vec![]),
        ("4", vec![2; 8192]),
        ("6", vec![2; 8192]),
        ("4294967295", vec![2; 8192]),
        ("4294967296", vec![2; 8192]),
        ("-1", vec![2; 8192]),
        ("%ff", vec![2; 8192]),
    ] {
        let response = edge.http.post(url(round)).body(body).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{round}");
        let mut headers: Vec<_> =
            response.headers().iter().map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
        headers.retain(|(n, _)| n != "date");
        answers.push((headers, response.bytes().await.unwrap()));
    }
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
    assert!(answers[0].1.is_empty());
    let (kept, sealed) = edge.envelopes(5, 0).await.unwrap();
    assert_eq!((kept, sealed), (vec![1; 2 * 8192], None));

    // Counted inside, once the round is over.
    edge.go_to(6, 100).await;
    let status = edge.edge.status();
    let round = status.rounds.last().unwrap();
    assert_eq!((round.round, round.envelopes), (5, 2));
    let r = &round.refused;
    assert_eq!((r.short, r.long, r.early, r.late, r.no_round), (2, 0, 2, 1, 3));
}

#[tokio::test]
async fn edg_01_a_long_upload_is_read_no_further_than_it_must_be() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let edge = Running::start(2).await;
    let address = edge.base.strip_prefix("http://").unwrap().to_owned();
    // Announced long: answered before a byte of it is sent. Chunked and long: answered though it never ends.
    for (head, body) in [
        ("Content-Length: 8193", vec![]),
        ("Transfer-Encoding: chunked", [b"2001\r\n".to_vec(), vec![7; 0x2001], b"\r\n".to_vec()].concat()),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!("POST /v1/rounds/5/envelopes HTTP/1.1\r\nHost: edge\r\n{head}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &body].concat()).await.unwrap();
        let mut answer = vec![0; 12];
        tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, b"HTTP/1.1 202");
    }
    assert!(edge.envelopes(5, 0).await.is_none());
    edge.go_to(6, 100).await;
    assert_eq!(edge.edge.status().rounds.last().unwrap().refused.long, 2);
}

/// EDG-02, EDG-03
#[tokio::test]
async fn edg_02_rounds_are_collected_with_a_guard_sealed_in_order_and_stay_sealed() {
    let edge = Running::start(3).await;
    let start = edge.town.schedule().start(Round(6)).0;
    // T = 3 s, g = 100 ms: round 6 is collected from 100 ms before it.
    edge.clock.set(Millis(start - 101));
    edge.upload("6", vec![6; 8192]).await;
    assert!(edge.envelopes(6, 0).await.is_none());
    edge.clock.set(Millis(start - 100));
    edge.upload("6", vec![6; 8192]).await;
    edge.upload("5", vec![5; 8192]).await;
    // Two rounds are collected at once, and the first mix is shown the older only.
    assert!(edge.envelopes(6, 0).await.is_none());
    let mix = &edge.town.mixes[0];
    let rounds = async || edge.signed(mix, Method::GET, "/v1/rounds", vec![]).await.text().await.unwrap();
    assert_eq!(rounds().await, "4\n5\n", "round 4 was sealed empty at the start");
    edge.go_to(6, 99).await;
    edge.upload("5", vec![5; 8192]).await;
    assert_eq!(edge.envelopes(5, 0).await.unwrap(), (vec![5; 2 * 8192], None));
    assert_eq!(edge.signed(mix, Method::DELETE, "/v1/rounds/5", vec![]).await.status(), StatusCode::CONFLICT);
    edge.go_to(6, 100).await;
    edge.upload("5", vec![5; 8192]).await;
    assert_eq!(edge.envelopes(5, 0).await.unwrap(), (vec![5; 2 * 8192], Some(2)));
    assert_eq!(edge.envelopes(5, 1).await.unwrap(), (vec![5; 8192], Some(2)));
    assert_eq!(edge.envelopes(6, 0).await.unwrap(), (vec![6; 8192], None));
    // A clock that goes back opens nothing again.
    edge.clock.set(Millis(start));
    edge.upload("5", vec![5; 8192]).await;
    assert_eq!(edge.envelopes(5, 2).await.unwrap(), (vec![], Some(2)));

    let edge = edge.restart().await;
    edge.upload("5", vec![5; 8192]).await;
    assert_eq!(edge.envelopes(5, 0).await.unwrap(), (vec![5; 2 * 8192], Some(2)));
    let mix = &edge.town.mixes[0];
    for _ in 0..2 {
        assert_eq!(edge.signed(mix, Method::DELETE, "/v1/rounds/5", vec![]).await.status(), StatusCode::OK);
    }
    assert!(edge.envelopes(5, 0).await.is_none());
    let rounds = edge.signed(mix, Method::GET, "/v1/rounds", vec![]).await.text().await.unwrap();
    assert_eq!(rounds, "4\n6\n");
    assert_eq!(edge.edge.status().rounds.last().unwrap().envelopes, 2, "counts outlive a restart");
}

/// Of such a round the journal holds nothing that could be sealed.
#[tokio::test]
async fn edg_03_a_round_in_which_nothing_came_stays_over_whatever_the_clock_does() {
    let edge = Running::start(15).await;
    let back = edge.town.schedule().start(Round(6)).plus(200);
    edge.go_to(9, 100).await;
    edge.clock.set(back);
    assert_eq!(edge.upload("6", vec![6; 8192]).await, StatusCode::ACCEPTED);
    assert!(edge.envelopes(6, 0).await.is_none());
    let edge = edge.restart().await;
    assert_eq!(edge.upload("6", vec![6; 8192]).await, StatusCode::ACCEPTED);
    assert!(edge.envelopes(6, 0).await.is_none(), "after a restart too");
    edge.go_to(10, 100).await;
    let rounds = edge.signed(&edge.town.mixes[0], Method::GET, "/v1/rounds", vec![]).await;
    assert_eq!(rounds.text().await.unwrap(), "4\n8\n9\n", "those that were the newest as they ended");
}

#[tokio::test]
async fn a_run_is_at_most_1024_envelopes() {
    let edge = Running::start(4).await;
    for batch in 0..5 {
        let uploads = (0..220).map(|_| edge.upload("5", vec![batch; 8192]));
        let done = futures_util::future::join_all(uploads).await;
        assert!(done.iter().all(|s| *s == StatusCode::ACCEPTED));
    }
    assert_eq!(edge.envelopes(5, 0).await.unwrap().0.len(), 1024 * 8192);
    assert_eq!(edge.envelopes(5, 1024).await.unwrap().0.len(), 76 * 8192);
}

#[tokio::test]
async fn edg_04_a_full_store_is_said_and_health_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let edge = Running::with(Town::new(5), folder, Some(256 * 1024)).await;
    assert_eq!(edge.get("/readyz").await.0, StatusCode::OK);
    let mut kept = 0;
    let refused = loop {
        match edge.upload("5", vec![1; 8192]).await {
            StatusCode::ACCEPTED => kept += 1,
            other => break other,
        }
        assert!(kept < 100, "more than there is room for");
    };
    assert_eq!(refused, StatusCode::SERVICE_UNAVAILABLE);
    assert!(kept > 5);
    assert_eq!(edge.envelopes(5, 0).await.unwrap().0.len(), kept * 8192);
    assert_eq!(edge.get("/healthz").await.0, StatusCode::OK);
    // What does not need the full store still works: the publishing side.
    let (_, bundle) = edge.head(5, Digest([0; 32]), vec![]);
    let path = format!("/v1/bundles/{}", Digest::of(&bundle));
    assert_eq!(edge.upload("5", vec![1; 8192]).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(edge.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(edge.put(&edge.town.press, &path, bundle).await, StatusCode::OK);
    // Once the first mix has the round, there is room again.
    edge.go_to(6, 100).await;
    let mix = &edge.town.mixes[0];
    assert_eq!(edge.envelopes(5, 0).await.unwrap().1, Some(kept as u64));
    assert_eq!(edge.signed(mix, Method::DELETE, "/v1/rounds/5", vec![]).await.status(), StatusCode::OK);
    let mut answers = vec![];
    for _ in 0..50 {
        answers.push(edge.upload("6", vec![1; 8192]).await);
        if answers.ends_with(&[StatusCode::ACCEPTED]) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(answers.last(), Some(&StatusCode::ACCEPTED), "{answers:?}");
    assert_eq!(edge.get("/readyz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn edg_09_only_the_one_concerned_may_ask() {
    let edge = Running::start(6).await;
    let town = &edge.town;
    let stranger = IdentitySecret::from_seed(&[9; 32]);
    let who = [
        ("press", &town.press),
        ("mix 0", &town.mixes[0]),
        ("mix 1", &town.mixes[1]),
        ("mix 2", &town.mixes[2]),
        ("desk", &town.desk),
        ("stranger", &stranger),
    ];
    edge.upload("5", vec![1; 8192]).await;
    let digest = Digest::of(b"").to_string();
    for (method, path, allowed) in [
        (Method::GET, "/v1/rounds".to_owned(), Some("mix 0")),
        (Method::GET, "/v1/rounds/5/envelopes/0".to_owned(), Some("mix 0")),
        (Method::DELETE, "/v1/rounds/5".to_owned(), Some("mix 0")),
        (Method::GET, "/v1/batches/0".to_owned(), Some("mix 1")),
        (Method::GET, "/v1/batches/1".to_owned(), Some("mix 2")),
        (Method::GET, "/v1/batches/2".to_owned(), None),
        (Method::GET, "/v1/batches/0/5/0".to_owned(), Some("mix 1")),
        (Method::DELETE, "/v1/batches/0/5/0".to_owned(), Some("mix 1")),
        (Method::PUT, "/v1/batches/0/5/0".to_owned(), Some("mix 0")),
        (Method::PUT, "/v1/batches/1/5/0".to_owned(), Some("mix 1")),
        (Method::PUT, "/v1/drops/5".to_owned(), Some("mix 2")),
        (Method::GET, "/v1/drops/5/desk".to_owned(), Some("desk")),
        (Method::PUT, format!("/v1/directories/{digest}"), Some("press")),
        (Method::PUT, format!("/v1/bundles/{digest}"), Some("press")),
        (Method::PUT, "/v1/editions/5".to_owned(), Some("press")),
    ] {
        assert_eq!(edge.ask(method.clone(), &path, vec![]).await.0, StatusCode::FORBIDDEN, "unsigned {path}");
        for (name, by) in who {
            let status = edge.signed(by, method.clone(), &path, vec![]).await.status();
            let forbidden = status == StatusCode::FORBIDDEN;
            // Mixes look for their decoys.
            let may = allowed == Some(name) || (path.ends_with("/desk") && name.starts_with("mix"));
            assert_eq!(!forbidden, may, "{name} {method} {path}: {status}");
        }
    }
    // A signature for another path, another network, another time.
    let by = &town.mixes[0];
    let now = proto::Clock::now(&*edge.clock);
    for header in [
        request::sign(&town.network, by, "GET", "/v1/rounds/5", b"", now),
        request::sign(&NetworkId([0; 32]), by, "GET", "/v1/rounds", b"", now),
        request::sign(&town.network, by, "GET", "/v1/rounds", b"", Millis(now.0 - 120_001)),
        "nonsense".to_owned(),
    ] {
        let url = format!("{}/v1/rounds", edge.base);
        let answer = edge.http.get(url).header(request::HEADER, header).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        assert!(answer.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn req_02_nothing_is_read_before_the_signature_is_known_to_be_right() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let edge = Running::start(14).await;
    let address = edge.base.strip_prefix("http://").unwrap().to_owned();
    let path = format!("/v1/bundles/{}", Digest::of(b"body"));
    let now = proto::Clock::now(&*edge.clock);
    let by = &edge.town.press;
    let sign = |network: &NetworkId, now| request::sign(network, by, "PUT", &path, b"body", now);
    // Announced, and never sent: who is answered was not waited for.
    for header in [
        sign(&NetworkId([0; 32]), now),
        sign(&edge.town.network, Millis(now.0 - 120_001)),
        request::sign(&edge.town.network, by, "PUT", "/v1/bundles/other", b"body", now),
    ] {
        let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
        let head = format!(
            "PUT {path} HTTP/1.1\r\nHost: edge\r\n{}: {header}\r\nContent-Length: 4\r\n\r\n",
            request::HEADER
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = vec![0; 12];
        tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!(answer, b"HTTP/1.1 403");
    }
    // REQ-03: signed for one body, sent with another of the same length.
    let send = async |body: &'static [u8]| {
        let request = edge.http.put(format!("{}{path}", edge.base)).body(body);
        request.header(request::HEADER, sign(&edge.town.network, now)).send().await.unwrap().status()
    };
    assert_eq!(send(b"bodY").await, StatusCode::FORBIDDEN);
    assert_eq!(send(b"body").await, StatusCode::OK);
}

#[tokio::test]
async fn bat_06_a_batch_is_put_once_shown_with_its_manifest_and_never_comes_back() {
    let edge = Running::start(7).await;
    let (one, two) = (&edge.town.mixes[0], &edge.town.mixes[1]);
    let body = edge.batch(0, id(5, 0), b"sealed");
    let put = async |path: &str, body: &[u8]| edge.put(one, path, body.to_vec()).await;
    // Wrong name, wrong bytes, no manifest.
    assert_eq!(put("/v1/batches/0/5/1", &body).await, StatusCode::UNPROCESSABLE_ENTITY);
    let mut bent = body.clone();
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(put("/v1/batches/0/5/0", &bent).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(put("/v1/batches/0/5/0", b"").await, StatusCode::UNPROCESSABLE_ENTITY);
    let list = async || edge.signed(two, Method::GET, "/v1/batches/0", vec![]).await.text().await.unwrap();
    assert_eq!(list().await, "");

    assert_eq!(put("/v1/batches/0/5/0", &body).await, StatusCode::OK);
    assert_eq!(put("/v1/batches/0/5/0", &body).await, StatusCode::OK);
    let other = edge.batch(0, id(5, 0), b"another");
    assert_eq!(put("/v1/batches/0/5/0", &other).await, StatusCode::CONFLICT);
    assert_eq!(put("/v1/batches/0/5/2", &edge.batch(0, id(5, 2), b"more")).await, StatusCode::OK);
    assert_eq!(list().await, "5 0\n5 2\n");
    let edge = edge.restart().await;
    let (one, two) = (&edge.town.mixes[0], &edge.town.mixes[1]);
    let path = "/v1/batches/0/5/0";
    let got = edge.signed(two, Method::GET, path, vec![]).await.bytes().await.unwrap();
    assert_eq!(got, body);
    for _ in 0..2 {
        assert_eq!(edge.signed(two, Method::DELETE, path, vec![]).await.status(), StatusCode::OK);
    }
    // A late retry of the same succeeds and brings nothing back.
    assert_eq!(edge.put(one, path, body).await, StatusCode::OK);
    assert_eq!(edge.put(one, path, other).await, StatusCode::CONFLICT);
    let list = edge.signed(two, Method::GET, "/v1/batches/0", vec![]).await.text().await.unwrap();
    assert_eq!(list, "5 2\n");
    assert_eq!(edge.signed(two, Method::GET, path, vec![]).await.status(), StatusCode::NOT_FOUND);
    let manifests: Vec<Unverified<Manifest>> = codec::decode(&edge.get("/v1/manifests/5").await.1).unwrap();
    let parts: Vec<_> = manifests.iter().map(|m| m.dangerously_peek().unwrap().batch.part).collect();
    assert_eq!(parts, [0, 2]);
    assert_eq!(codec::decode::<Vec<Unverified<Manifest>>>(&edge.get("/v1/manifests/6").await.1), Ok(vec![]));
}

/// Whatever one mix hands in, what the edge keeps of it for a round, reads at its start and gives to everybody has an end.
#[tokio::test]
async fn edg_16_manifests_of_a_mix_for_a_round_have_a_ceiling() {
    let edge = Running::start(13).await;
    let with = |part: u16, inputs: usize| {
        let manifest = Manifest {
            batch: id(5, part),
            hop: 0,
            inputs: vec![Digest([7; 32]); inputs],
            count_in: 0,
            count_out: 0,
            outputs: vec![Digest::of(b"x")],
            deleted: 0,
            alarm: false,
        };
        let signed = Unverified::sign(&manifest, &edge.town.network, &edge.town.mixes[0]);
        (codec::encode(&signed).len(), Handed::new(&signed, b"x").body().to_vec())
    };
    let (mut weight, mut refused) = (0, 0);
    for part in 0..8 {
        let (bytes, body) = with(part, 900);
        let status = edge.put(&edge.town.mixes[0], &format!("/v1/batches/0/5/{part}"), body).await;
        let fits = weight + bytes <= server::edge::MAX_MANIFESTS;
        assert_eq!(status, if fits { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY });
        if fits {
            weight += bytes;
        } else {
            refused += 1;
        }
    }
    assert!(refused > 0 && edge.get("/v1/manifests/5").await.1.len() <= 128 * 1024 + 8);
    let first = with(0, 900).1;
    assert_eq!(
        edge.put(&edge.town.mixes[0], "/v1/batches/0/5/0", first).await,
        StatusCode::OK,
        "the same again"
    );
    assert_eq!(
        edge.put(&edge.town.mixes[0], "/v1/batches/0/4/0", edge.batch(0, id(4, 0), b"x")).await,
        StatusCode::OK
    );
    let drops = vec![0; DESK_DROP + 4 * 1024];
    let exit = edge.batch(2, id(5, 0), &drops);
    assert_eq!(
        edge.put(&edge.town.mixes[2], "/v1/drops/5", exit).await,
        StatusCode::OK,
        "others have their own"
    );
    let edge = edge.restart().await;
    let more = edge.batch(0, id(5, 9), b"x");
    let small = edge.put(&edge.town.mixes[0], "/v1/batches/0/5/9", more).await;
    assert_eq!(small, StatusCode::OK, "what fits is taken, also after a restart");
}

#[tokio::test]
async fn edg_08_drops_are_put_once_and_the_desk_drop_is_for_desks() {
    let edge = Running::start(8).await;
    let exit = &edge.town.mixes[2];
    let both = [vec![1; DESK_DROP], vec![2; 4 * 1024]].concat();
    let body = edge.batch(2, id(3, 0), &both);
    let long = [body.clone(), vec![0; 1024 * 1024]].concat();
    assert_eq!(edge.put(exit, "/v1/drops/3", long).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(edge.put(exit, "/v1/drops/4", body.clone()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(edge.put(exit, "/v1/batches/2/3/0", body.clone()).await, StatusCode::NOT_FOUND);
    for _ in 0..2 {
        assert_eq!(edge.put(exit, "/v1/drops/3", body.clone()).await, StatusCode::OK);
    }
    let other = edge.batch(2, id(3, 0), &[vec![9; DESK_DROP], vec![2; 4 * 1024]].concat());
    assert_eq!(edge.put(exit, "/v1/drops/3", other).await, StatusCode::CONFLICT);
    assert_eq!(edge.get("/v1/drops/3/reader").await, (StatusCode::OK, vec![2; 4 * 1024]));
    assert_eq!(edge.get("/v1/drops/3/desk").await.0, StatusCode::FORBIDDEN);
    let desk = edge.signed(&edge.town.desk, Method::GET, "/v1/drops/3/desk", vec![]).await;
    // Whoever is not asked for a signature, a cache on the way among them, must have no copy to give.
    assert_eq!(desk.headers()["cache-control"], "private, no-store");
    assert_eq!(desk.bytes().await.unwrap(), vec![1; DESK_DROP]);
    let mix = &edge.town.mixes[0];
    edge.upload("5", vec![1; 8192]).await;
    edge.put(mix, "/v1/batches/0/5/0", edge.batch(0, id(5, 0), b"x")).await;
    for (by, path) in [
        (mix, "/v1/rounds"),
        (mix, "/v1/rounds/5/envelopes/0"),
        (&edge.town.mixes[1], "/v1/batches/0"),
        (&edge.town.mixes[1], "/v1/batches/0/5/0"),
    ] {
        let answer = edge.signed(by, Method::GET, path, vec![]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["cache-control"], "private, no-store", "{path}");
    }
    assert_eq!(edge.get("/v1/drops/4/reader").await.0, StatusCode::NOT_FOUND);
}

/// EDG-06, EDG-07
#[tokio::test]
async fn key_04_the_edge_takes_keys_that_a_client_would_take_and_one_for_a_period() {
    const TAKEN: StatusCode = StatusCode::OK;
    const REFUSED: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;
    let edge = Running::start(9).await;
    let (network, mixes) = (edge.town.network, &edge.town.mixes);
    let seal_key = |n: u8| SealSecret::from_seed(&[n; 32]).public().to_bytes().into();
    let key = |by: &IdentitySecret, hop: u8, n: u8, from: u32, until: u32| {
        let key = MixKey { hop, key: seal_key(n), from: Round(from), until: Round(until) };
        codec::encode(&Unverified::sign(&key, &network, by))
    };
    let put = async |from: u32, body: Vec<u8>| edge.put(&mixes[1], &format!("/v1/keys/1/{from}"), body).await;
    // The second mix has keys of days, which are public a day before; two more days ahead is as far as it goes.
    edge.go_to(50, 1_000).await;
    let good = key(&mixes[1], 1, 1, 72, 95);
    for _ in 0..2 {
        assert_eq!(put(72, good.clone()).await, TAKEN);
    }
    assert_eq!(edge.get("/v1/keys/1/72").await, (StatusCode::OK, good.clone()));
    assert_eq!(put(72, key(&mixes[1], 1, 2, 72, 95)).await, StatusCode::CONFLICT, "another for the same day");
    assert_eq!(edge.get("/v1/keys/1/72").await.1, good);
    assert_eq!(
        edge.put(&mixes[2], "/v1/keys/1/96", key(&mixes[1], 1, 3, 96, 119)).await,
        StatusCode::FORBIDDEN
    );
    for (what, body) in [
        ("another mix's signature", key(&mixes[2], 1, 3, 96, 119)),
        ("another hop's key", key(&mixes[1], 0, 3, 96, 96)),
        ("another day's", key(&mixes[1], 1, 3, 120, 143)),
        ("not a day", key(&mixes[1], 1, 3, 96, 120)),
        ("no key at all", b"key".to_vec()),
        ("a key that is none", {
            let key = MixKey { hop: 1, key: vec![0xff; 1216].into(), from: Round(96), until: Round(119) };
            codec::encode(&Unverified::sign(&key, &network, &mixes[1]))
        }),
    ] {
        assert_eq!(put(96, body).await, REFUSED, "{what}");
    }
    assert_eq!(put(120, key(&mixes[1], 1, 4, 120, 143)).await, TAKEN, "within three days");
    assert_eq!(put(144, key(&mixes[1], 1, 5, 144, 167)).await, REFUSED, "further ahead");
    assert_eq!(put(0, key(&mixes[1], 1, 6, 0, 23)).await, REFUSED, "26 rounds after its day it is over");
    edge.go_to(49, 1_000).await;
    assert_eq!(put(0, key(&mixes[1], 1, 6, 0, 23)).await, TAKEN);

    // The same for a desk and its weeks.
    let desk = edge.town.directory.desks()[0].id;
    let week = |by: &IdentitySecret, n: u8, from: u32| {
        let key = IntakeKey { key: seal_key(n), from: Round(from), until: Round(from + 167) };
        codec::encode(&Unverified::sign(&key, &network, by))
    };
    let at = |from: u32| format!("/v1/intake/{desk}/{from}");
    let vault_key = &edge.town.vault_key();
    assert_eq!(edge.put(&edge.town.desk, &at(168), week(vault_key, 7, 168)).await, TAKEN);
    assert_eq!(edge.put(&edge.town.desk, &at(168), week(vault_key, 8, 168)).await, StatusCode::CONFLICT);
    assert_eq!(edge.put(&mixes[1], &at(336), week(vault_key, 9, 336)).await, StatusCode::FORBIDDEN);
    assert_eq!(
        edge.put(&edge.town.desk, &at(336), week(&mixes[1], 9, 336)).await,
        REFUSED,
        "not by the desk's vault key"
    );
    assert_eq!(edge.put(&edge.town.desk, &at(336), week(vault_key, 9, 504)).await, REFUSED);
    assert_eq!(edge.put(&edge.town.desk, &at(840), week(vault_key, 9, 840)).await, TAKEN);
    assert_eq!(edge.put(&edge.town.desk, &at(1008), week(vault_key, 10, 1008)).await, REFUSED);
}

/// P4, DIR-07: the file with a desk's identity lies beside its vault, for the machine that asks while nobody is there. Who copies it
/// asks as the desk, before the desk itself hands in anything, and hands in no key of their own: not one that the identity signs, nor
/// one that the thief's own key signs. The desk's key is taken after that.
#[tokio::test]
async fn who_takes_a_desks_identity_file_makes_no_key_that_is_published() {
    let edge = Running::start(13).await;
    let desk = edge.town.directory.desks()[0].id;
    let at = format!("/v1/intake/{desk}/168");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity.key");
    server::seed::write(&file, &edge.town.desk.to_seed()).unwrap();
    let copied = IdentitySecret::from_seed(&server::seed::read(&file).unwrap());
    let of_week = |n: u8| {
        let key = SealSecret::from_seed(&[n; 32]).public().to_bytes().into();
        IntakeKey { key, from: Round(168), until: Round(335) }
    };
    let signed = |by: &IdentitySecret, n: u8| {
        let key = of_week(n);
        codec::encode(&Unverified::sign(&key, &edge.town.network, by))
    };
    let own = IdentitySecret::from_seed(&[7; 32]);
    for (by, what) in [(&copied, "the desk's identity"), (&own, "a key of the thief's")] {
        let answer = edge.put(&copied, &at, signed(by, 1)).await;
        assert_eq!(answer, StatusCode::UNPROCESSABLE_ENTITY, "signed by {what}");
        assert_eq!(edge.get(&at).await.0, StatusCode::NOT_FOUND);
    }
    // DIR-07 where directories are verified: a press that the thief has on their side makes none that anybody takes.
    let with_key = edge.town.later(|_, desks| {
        desks[0].keys.push(Unverified::sign(&of_week(1), &edge.town.network, &copied));
    });
    let why = Directory::read(&with_key, &edge.town.network).err();
    assert_eq!(why, Some(DirectoryRejected::IntakeKey));
    // What the vault signed, the desk's machine hands in while the vault is locked.
    assert_eq!(edge.put(&copied, &at, signed(&edge.town.vault_key(), 2)).await, StatusCode::OK);
}

/// A key is public once it is handed in: whoever signs another's as their own would have one of the two left out of the directory.
#[tokio::test]
async fn key_05_a_key_that_stands_at_the_edge_is_taken_under_no_other_name() {
    let edge = Running::start(12).await;
    let desk = edge.town.directory.desks()[0].id;
    let as_mix = async |edge: &Running, hop: u8, n: u8, from: u32, until: u32| {
        let key = SealSecret::from_seed(&[n; 32]).public().to_bytes().into();
        let (key, by) = (MixKey { hop, key, from: Round(from), until: Round(until) }, &edge.town.mixes);
        let by = &by[usize::from(hop)];
        let body = codec::encode(&Unverified::sign(&key, &edge.town.network, by));
        edge.put(by, &format!("/v1/keys/{hop}/{from}"), body).await
    };
    let as_desk = async |edge: &Running, n: u8, from: u32| {
        let key = SealSecret::from_seed(&[n; 32]).public().to_bytes().into();
        let key = IntakeKey { key, from: Round(from), until: Round(from + 167) };
        let body = codec::encode(&Unverified::sign(&key, &edge.town.network, &edge.town.vault_key()));
        edge.put(&edge.town.desk, &format!("/v1/intake/{desk}/{from}"), body).await
    };
    assert_eq!(as_mix(&edge, 1, 1, 24, 47).await, StatusCode::OK);
    assert_eq!(as_desk(&edge, 2, 168).await, StatusCode::OK);
    let edge = edge.restart().await;
    for _ in 0..2 {
        assert_eq!(as_desk(&edge, 1, 336).await, StatusCode::CONFLICT, "a mix's");
        assert_eq!(as_mix(&edge, 1, 2, 48, 71).await, StatusCode::CONFLICT, "a desk's");
        assert_eq!(as_mix(&edge, 2, 1, 168, 335).await, StatusCode::CONFLICT, "another mix's");
        assert_eq!(as_mix(&edge, 1, 1, 48, 71).await, StatusCode::CONFLICT, "its own of another day");
        assert_eq!(as_desk(&edge, 2, 336).await, StatusCode::CONFLICT, "its own of another week");
        // The same again is no other name.
        assert_eq!(as_mix(&edge, 1, 1, 24, 47).await, StatusCode::OK);
        assert_eq!(as_desk(&edge, 2, 168).await, StatusCode::OK);
    }
    assert_eq!(as_desk(&edge, 3, 336).await, StatusCode::OK);
}

#[tokio::test]
async fn edg_06_editions_are_checked_chained_and_put_once() {
    let edge = Running::start(9).await;
    let press = &edge.town.press;
    let (first, bundle) = edge.head(4, Digest([0; 32]), vec![]);
    let put = async |round: u32, head: &[u8]| {
        edge.put(press, &format!("/v1/editions/{round}"), head.to_vec()).await
    };
    assert_eq!(put(4, &first).await, StatusCode::UNPROCESSABLE_ENTITY, "its bundle is not there");
    let path = format!("/v1/bundles/{}", Digest::of(&bundle));
    assert_eq!(edge.put(press, &path, b"other".to_vec()).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(edge.put(press, &path, bundle.clone()).await, StatusCode::OK);
    assert_eq!(put(5, &first).await, StatusCode::UNPROCESSABLE_ENTITY, "of another round");
    let mut bent = first.clone();
    *bent.last_mut().unwrap() ^= 1;
    assert_eq!(put(4, &bent).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(edge.get("/v1/editions/4").await.0, StatusCode::NOT_FOUND);
    assert_eq!(put(4, &first).await, StatusCode::OK);
    assert_eq!(put(4, &first).await, StatusCode::OK);
    let second = edge.head(4, Digest([1; 32]), vec![]).0;
    assert_eq!(put(4, &second).await, StatusCode::CONFLICT);
    let skipping = edge.head(5, Digest([1; 32]), vec![]).0;
    assert_eq!(put(5, &skipping).await, StatusCode::UNPROCESSABLE_ENTITY, "it does not follow");
    let future = edge.head(7, Digest::of(&first), vec![]).0;
    assert_eq!(put(7, &future).await, StatusCode::UNPROCESSABLE_ENTITY, "of a round to come");
    assert_eq!(put(5, &edge.head(5, Digest::of(&first), vec![]).0).await, StatusCode::OK);

    let edge = edge.restart().await;
    let press = &edge.town.press;
    let earlier = edge.head(3, Digest([0; 32]), vec![]).0;
    assert_eq!(edge.put(press, "/v1/editions/3", earlier).await, StatusCode::CONFLICT);
    let response = edge.http.get(format!("{}/v1/editions/4", edge.base)).send().await.unwrap();
    assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(response.bytes().await.unwrap(), first);
    assert_eq!(edge.get(&path).await, (StatusCode::OK, bundle));
    let directory = format!("/v1/directories/{}", edge.town.directory.digest());
    assert_eq!(edge.get(&directory).await, (StatusCode::OK, edge.town.bytes.clone()));
    let missing = edge.http.get(format!("{}/v1/editions/6", edge.base)).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(missing.headers()["cache-control"], "no-store", "it may come");
    assert!(missing.bytes().await.unwrap().is_empty());
}

/// EDG-06, EDG-08: a directory is in force from the edition on that names it, and so it stays over a restart.
#[tokio::test]
async fn edg_06_a_new_directory_is_checked_and_comes_into_force_with_an_edition() {
    let edge = Running::start(13).await;
    let press = &edge.town.press;
    let new = edge.town.without_desk();
    let digest = Digest::of(&new);
    let path = format!("/v1/directories/{digest}");
    let both = [vec![1; DESK_DROP], vec![2; 4 * 1024]].concat();
    edge.put(&edge.town.mixes[2], "/v1/drops/3", edge.batch(2, id(3, 0), &both)).await;
    let desk = async |edge: &Running| {
        edge.signed(&edge.town.desk, Method::GET, "/v1/drops/3/desk", vec![]).await.status()
    };

    let (bundle_head, bundle) = edge.head_under(digest, 5, Digest([0; 32]), vec![]);
    edge.put(press, &format!("/v1/bundles/{}", Digest::of(&bundle)), bundle).await;
    let refused = edge.put(press, "/v1/editions/5", bundle_head.clone()).await;
    assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY, "its directory is not there");
    for (name, body) in [
        (Digest::of(b"x"), new.clone()),
        (Digest::of(b"nonsense"), b"nonsense".to_vec()),
        (Digest::of(&Town::new(77).bytes), Town::new(77).bytes),
    ] {
        let refused = edge.put(press, &format!("/v1/directories/{name}"), body).await;
        assert_eq!(refused, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(edge.get(&path).await.0, StatusCode::NOT_FOUND);
    assert_eq!(edge.put(press, &path, new.clone()).await, StatusCode::OK);
    assert_eq!(edge.get(&path).await, (StatusCode::OK, new));
    assert_eq!(desk(&edge).await, StatusCode::OK, "not in force yet");
    assert_eq!(edge.put(press, "/v1/editions/5", bundle_head.clone()).await, StatusCode::OK);
    assert_eq!(desk(&edge).await, StatusCode::FORBIDDEN);
    let edge = edge.restart().await;
    assert_eq!(desk(&edge).await, StatusCode::FORBIDDEN, "the file's directory is older than the edition's");

    // Also when no edition names the file's directory, or ever did, and all else of that time is deleted.
    edge.go_to(350, 200).await;
    let (head, bundle) = edge.head_under(digest, 350, Digest::of(&bundle_head), vec![]);
    edge.put(&edge.town.press, &format!("/v1/bundles/{}", Digest::of(&bundle)), bundle).await;
    assert_eq!(edge.put(&edge.town.press, "/v1/editions/350", head).await, StatusCode::OK);
    edge.go_to(16 + 337, 200).await;
    assert_eq!(edge.get("/v1/editions/5").await.0, StatusCode::NOT_FOUND);
    let edge = edge.restart().await;
    assert_eq!(desk(&edge).await, StatusCode::FORBIDDEN, "the file's directory is still the older one");
}

#[tokio::test]
async fn pages_show_rounds_edition_and_banner() {
    let edge = Running::start(10).await;
    let text = async |path: &str| {
        let (status, body) = edge.get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        String::from_utf8(body).unwrap()
    };
    assert!(text("/edition").await.contains("No edition yet"));
    edge.upload("5", vec![1; 8192]).await;
    let both = [vec![1; DESK_DROP], vec![2; 4 * 1024]].concat();
    let body = edge.batch(2, id(5, 0), &both);
    let manifest = Handed::parse(body.clone().into()).unwrap().manifest().unwrap();
    edge.put(&edge.town.mixes[2], "/v1/drops/5", body).await;
    edge.go_to(7, 200).await;
    assert!(!edge.edge.status().rounds.iter().any(|r| r.published));
    let (head, bundle) = edge.head(7, Digest([0; 32]), vec![manifest]);
    edge.put(&edge.town.press, &format!("/v1/bundles/{}", Digest::of(&bundle)), bundle).await;
    assert_eq!(edge.put(&edge.town.press, "/v1/editions/7", head.clone()).await, StatusCode::OK);

    let status: serde_json::Value = serde_json::from_str(&text("/v1/status").await).unwrap();
    assert_eq!(status["demonstration"], true);
    assert_eq!(status["edition"], 7);
    let five = status["rounds"].as_array().unwrap().iter().find(|r| r["round"] == 5).unwrap();
    assert_eq!((&five["envelopes"], &five["published"]), (&1.into(), &true.into()));
    assert_eq!(five["batches"][0]["passed"], 8);
    for path in ["/status", "/edition"] {
        let page = text(path).await;
        assert!(page.contains(ui::page::DEMONSTRATION), "{path}");
        assert_eq!(page.matches("<h1").count(), 1);
    }
    assert!(text("/edition").await.contains(&Digest::of(&head).to_string()));
    let root = edge.http.get(&edge.base).send().await.unwrap();
    assert_eq!(
        (root.status(), root.headers()["location"].to_str().unwrap()),
        (StatusCode::SEE_OTHER, "/status")
    );
    let page = edge.http.get(format!("{}/status", edge.base)).send().await.unwrap();
    assert_eq!(page.headers()["content-security-policy"], ui::headers::CSP);
}

#[tokio::test]
async fn of_an_edition_that_cannot_be_opened_the_page_says_so() {
    let edge = Running::start(10).await;
    let body = b"no bundle".to_vec();
    let named = BundleRef { digest: Digest::of(&body), len: body.len() as u32 };
    let head = Head {
        round: Round(5),
        previous: Digest([0; 32]),
        made: Millis(1),
        directory: edge.town.directory.digest(),
        changes: named,
        front: named,
        page: page_digest(&[]),
        manifests: vec![],
        round_keys: vec![],
    };
    let press = &edge.town.press;
    edge.put(press, &format!("/v1/bundles/{}", named.digest), body).await;
    let head = sign_head(&head, &edge.town.network, press);
    assert_eq!(edge.put(press, "/v1/editions/5", head).await, StatusCode::OK);
    for _ in 0..2 {
        let (status, page) = edge.get("/edition").await;
        let page = String::from_utf8(page).unwrap();
        assert!(status == StatusCode::OK && page.contains("cannot be opened"), "{status}: {page}");
    }
    assert_eq!(edge.get("/readyz").await.0, StatusCode::OK, "the store works");
}

#[tokio::test]
async fn what_is_older_than_fourteen_days_of_rounds_is_deleted() {
    let edge = Running::start(11).await;
    let other = Bundle { gone: vec![proto::story::StoryId([1; 16])], ..Bundle::default() };
    let (head, bundle) = edge.head_with(&other, edge.town.directory.digest(), 5, Digest([0; 32]), vec![]);
    let previous = Digest::of(&head);
    let bundle_path = format!("/v1/bundles/{}", Digest::of(&bundle));
    edge.put(&edge.town.press, &bundle_path, bundle).await;
    assert_eq!(edge.put(&edge.town.press, "/v1/editions/5", head).await, StatusCode::OK);
    edge.put(&edge.town.mixes[0], "/v1/batches/0/5/0", edge.batch(0, id(5, 0), b"x")).await;
    let both = [vec![1; DESK_DROP], vec![2; 4 * 1024]].concat();
    edge.put(&edge.town.mixes[2], "/v1/drops/5", edge.batch(2, id(5, 0), &both)).await;
    edge.upload("5", vec![1; 8192]).await;
    let paths = ["/v1/editions/5", "/v1/drops/5/reader", bundle_path.as_str()];
    edge.go_to(300, 200).await;
    let (head, bundle) = edge.head(300, previous, vec![]);
    let newest = ["/v1/editions/300".to_owned(), format!("/v1/bundles/{}", Digest::of(&bundle))];
    edge.put(&edge.town.press, &newest[1], bundle).await;
    assert_eq!(edge.put(&edge.town.press, &newest[0], head).await, StatusCode::OK);
    // A start in between keeps nothing for longer.
    let edge = edge.restart().await;
    edge.go_to(5 + 336, 200).await;
    for path in paths {
        assert_eq!(edge.get(path).await.0, StatusCode::OK, "{path}");
    }
    edge.go_to(16 + 337, 200).await;
    for path in paths {
        assert_eq!(edge.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(edge.envelopes(5, 0).await.is_none());
    assert_eq!(codec::decode::<Vec<Unverified<Manifest>>>(&edge.get("/v1/manifests/5").await.1), Ok(vec![]));
    let directory = format!("/v1/directories/{}", edge.town.directory.digest());
    assert_eq!(edge.get(&directory).await.0, StatusCode::OK, "the directory in force stays");
    assert!(edge.edge.status().rounds.iter().all(|r| r.round > 5));
    // The network hangs on the newest edition, however long none comes after it.
    edge.go_to(320 + 337, 200).await;
    let edge = edge.restart().await;
    for path in &newest {
        assert_eq!(edge.get(path).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn what_keeps_an_edge_from_starting_is_said_in_a_sentence() {
    let edge = Running::start(12).await;
    let clock = edge.clock.clone();
    let open = async |config: &Config| match Edge::open(config, clock.clone(), &mut rng(), Hook::none()).await
    {
        Ok(_) => panic!("it started"),
        Err(e) => e,
    };
    let in_use = open(&edge.config).await;
    assert!(in_use.to_string().contains("in use by another program"), "{in_use}");
    let fresh = |state: &str| Config { state: edge.folder.path().join(state), ..edge.config.clone() };
    let second = Edge::open(&fresh("other"), clock.clone(), &mut rng(), Hook::none()).await.unwrap();
    let address = edge.base.strip_prefix("http://").unwrap().parse().unwrap();
    let Err(taken) = second.listen(address).await else { panic!("it listens") };
    assert!(
        matches!(taken, OpenError::AddressInUse { .. }) && taken.to_string().contains("another one"),
        "{taken}"
    );
    let town = Town::new(99);
    let elsewhere = edge.folder.path().join("elsewhere");
    std::fs::write(&elsewhere, &town.bytes).unwrap();
    let refused = open(&Config { directory: elsewhere.clone(), ..fresh("third") }).await;
    assert!(refused.to_string().contains("belongs to another network"), "{refused}");
    // The same folder for another network, once nobody holds it.
    let config = edge.config.clone();
    let mut edge = edge;
    edge.stop.take().unwrap().send(()).unwrap();
    edge.done.await.unwrap();
    drop(edge.edge);
    let other = Config { network: town.network, directory: elsewhere, ..config };
    let refused = open(&other).await;
    assert!(refused.to_string().contains("belongs to another network"), "{refused}");
}
