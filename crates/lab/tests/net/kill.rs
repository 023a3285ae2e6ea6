//! Servers as processes of their own, killed outright again and again while sources write. What an upload was answered for
//! arrives exactly once; what was lost on its way to a dead edge is lost by design, since no upload is made twice.
//!
//! Not a failure: an edition or a pair of drops of a round that is missing or late. The kills at each single step, with
//! the reply lost too, are in `server`'s own tests (`mixes.rs`); here it is the operating system that kills, at any moment.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use client::{Device, Inbox, Kdf, LineState, Passphrase, Place, Session, Vault};
use firsthand::ambient;
use firsthand::found::{self, Plan, file};
use proto::conversation::open_message;
use proto::directory::{Directory, UnverifiedDirectory};
use proto::drops::DeskDrop;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::{Clock as _, DeskId, Millis, NetworkId, Round, path, request};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use server::seed;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::proxy::{Cut, Proxy};
use crate::turn::one_article;

/// T.
const ROUND_MS: u32 = 1_500;
/// Rounds in which servers are killed, twice in each.
const ROUNDS: u32 = 22;
/// Rounds after that in which what waits must have arrived.
const QUIET: u32 = 10;
/// How long a server may take to be back.
const BACK: Duration = Duration::from_secs(20);

/// The servers in the order in which they are killed: the edge before each other one, and every other time with an upload
/// in its hands.
const VICTIMS: [&str; 10] =
    ["edge", "mix1", "edge", "mix2", "edge", "mix3", "edge", "press", "edge", "witness"];

#[tokio::test(flavor = "multi_thread")]
async fn servers_killed_at_any_moment_deliver_what_was_answered_exactly_once() {
    let articles = one_article();
    let town = Town::found();
    let mut servers = Servers::start(&town, articles.path()).await;
    let edge = servers.edge.clone();
    let (stop, stopped) = watch::channel(false);
    let mut devices = JoinSet::new();
    for _ in 0..12 {
        let device = town.device(&edge, None);
        let stopped = stopped.clone();
        devices.spawn(async move { device.run(told(stopped)).await.unwrap() });
    }
    let desk = town.device(&edge, Some(town.identity("desk")));
    let vault = Vault::unlock(&town.at("desk").join(file::VAULT), &town.passphrase).unwrap();
    let inbox = Inbox::new(Arc::clone(&desk), vault);
    let desk_stopped = stopped.clone();
    devices.spawn(async move { desk.run(told(desk_stopped)).await.unwrap() });

    // Everybody has an edition and a filled queue before the first kill.
    let (quiet, ended) = watch::channel(false);
    let mut sources = JoinSet::new();
    let mut proxies = Vec::new();
    for n in 0..2 {
        let proxy = Arc::new(Proxy::start(&edge, Cut::Never).await.unwrap());
        proxies.push(Arc::clone(&proxy));
        let device = town.device(&proxy.url, None);
        first_upload(&town, &device).await;
        sources.spawn(source(town.names(), n, device, proxy, ended.clone()));
    }

    let mut chance = StdRng::seed_from_u64(8);
    let from = town.round().0 + 1;
    for n in 0..ROUNDS * 2 {
        let moment =
            town.start(from).plus(u64::from(ROUND_MS / 2) * u64::from(n) + chance.random_range(0..600));
        tokio::time::sleep(ambient::SystemClock.now().until(moment)).await;
        if n % 4 == 2 {
            upload_in_hand(&proxies, moment.plus(u64::from(ROUND_MS))).await;
        }
        servers.kill(VICTIMS[n as usize % VICTIMS.len()]).await;
    }
    quiet.send_replace(true);
    let mut tips = Vec::new();
    while let Some(of_one) = sources.join_next().await {
        tips.extend(of_one.unwrap());
    }
    let until = town.start(town.round().0 + QUIET);
    let due: Vec<_> = tips.iter().filter(|tip| tip.answered).collect();
    let mut delivered = town.delivered(&edge).await;
    while due.iter().any(|tip| !delivered.contains_key(&tip.text)) && ambient::SystemClock.now() < until {
        tokio::time::sleep(Duration::from_millis(500)).await;
        delivered = town.delivered(&edge).await;
    }
    // Two rounds more, in which nothing may come again.
    tokio::time::sleep(Duration::from_millis(2 * u64::from(ROUND_MS))).await;
    let delivered = town.delivered(&edge).await;
    inbox.collect();
    let read: Vec<_> =
        inbox.conversations().into_iter().flat_map(|c| c.lines).map(|line| line.text.to_string()).collect();
    println!(
        "{} tips, {} answered, {} in drops, {} read",
        tips.len(),
        due.len(),
        delivered.len(),
        read.len()
    );

    assert!(due.len() >= 8, "only {} of {} tips were answered", due.len(), tips.len());
    for tip in &tips {
        let times = delivered.get(&tip.text).copied().unwrap_or(0);
        assert!(times == 1 || (times == 0 && !tip.answered), "{tip:?} came {times} times");
        assert_eq!(read.iter().filter(|text| **text == tip.text).count(), times, "{tip:?} at the desk");
    }
    assert_eq!(delivered.keys().collect::<HashSet<_>>().len(), read.len(), "nothing else came");
    stop.send_replace(true);
    while let Some(device) = devices.join_next().await {
        device.unwrap();
    }
}

async fn told(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Until then nothing can be written: on a busy machine the first edition may come too late in its round for an upload.
async fn first_upload(town: &Town, device: &Device) {
    let until = town.start(town.round().0 + 10);
    loop {
        assert!(ambient::SystemClock.now() < until, "no upload within ten rounds");
        let stepped = device.step(ambient::SystemClock.now()).await;
        tokio::time::sleep(ambient::SystemClock.now().until(stepped.next)).await;
        if stepped.exchange.is_some_and(|exchange| exchange.posted) {
            return;
        }
    }
}

/// Waits until a source's upload is on its way and not yet answered, but not beyond `until`.
async fn upload_in_hand(proxies: &[Arc<Proxy>], until: Millis) {
    let unanswered =
        |proxy: &Arc<Proxy>| proxy.seen().iter().filter(|s| s.method == "POST" && s.status.is_none()).count();
    let before: usize = proxies.iter().map(unanswered).sum();
    while proxies.iter().map(unanswered).sum::<usize>() <= before && ambient::SystemClock.now() < until {
        tokio::time::sleep(Duration::from_micros(200)).await;
    }
}

/// A tip that left its device.
#[derive(Debug)]
struct Tip {
    text: String,
    /// Whether the edge said that it has it, and while it still took envelopes of that round.
    answered: bool,
}

/// Writes a tip before each exchange, until it is quiet. Returns those that left the device.
async fn source(
    town: Names,
    n: usize,
    device: Arc<Device>,
    proxy: Arc<Proxy>,
    quiet: watch::Receiver<bool>,
) -> Vec<Tip> {
    let session = device.begin(&Passphrase::generate(&mut ambient::rng().unwrap())).unwrap();
    let mut tips = Vec::new();
    let mut written = 0;
    loop {
        let waiting = waiting(&session);
        if waiting.is_empty() {
            if *quiet.borrow() {
                return tips;
            }
            let text = format!("Tip {written} of source {n}.");
            session.write(town.desk, &text, ambient::SystemClock.now()).unwrap();
            written += 1;
            continue;
        }
        let stepped = device.step(ambient::SystemClock.now()).await;
        let now = ambient::SystemClock.now();
        if let Some(exchange) = stepped.exchange.filter(|exchange| exchange.posted) {
            let still = self::waiting(&session);
            let path = path::envelopes(exchange.round);
            let uploads: Vec<_> = proxy.seen().into_iter().filter(|seen| seen.path == path).collect();
            assert!(uploads.len() <= 1, "an upload is made once");
            let taken = uploads.iter().any(|upload| upload.status == Some(202));
            let in_time = now < town.schedule.collects(exchange.round).end;
            let left = waiting.into_iter().filter(|text| !still.contains(text));
            tips.extend(left.map(|text| Tip { text, answered: taken && in_time }));
        }
        tokio::time::sleep(ambient::SystemClock.now().until(stepped.next)).await;
    }
}

/// Texts that have not left the device.
fn waiting(session: &Session) -> Vec<String> {
    session.refresh();
    let lines = session.conversations().into_iter().flat_map(|c| c.lines);
    lines
        .filter(|line| matches!(line.state, LineState::Waiting { .. }))
        .map(|line| line.text.to_string())
        .collect()
}

/// What a source knows of the network.
#[derive(Clone, Copy)]
struct Names {
    desk: DeskId,
    schedule: proto::Schedule,
}

/// A founded network in a folder, and what the test reads of it.
struct Town {
    folder: tempfile::TempDir,
    network: NetworkId,
    desk: DeskId,
    directory: Directory,
    /// The first week's key: the test takes less.
    intake: SealSecret,
    passphrase: Passphrase,
}

impl Town {
    fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = ambient::rng().unwrap();
        let plan = Plan { round_ms: ROUND_MS, genesis: ambient::SystemClock.now() };
        let founded = found::found(folder.path(), &plan, &mut rng).unwrap();
        let intake = SealSecret::from_seed(&founded.vault.intake[0].1.to_seed());
        let passphrase = Passphrase::generate(&mut rng);
        let desk = folder.path().join("desk");
        Vault::create(&desk.join(file::VAULT), &passphrase, Kdf::cheap(), founded.vault, &mut rng).unwrap();
        let bytes = std::fs::read(folder.path().join("edge").join(file::DIRECTORY)).unwrap();
        let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&founded.id).unwrap();
        Self { folder, network: founded.id, desk: founded.desk, directory, intake, passphrase }
    }

    fn at(&self, role: &str) -> PathBuf {
        self.folder.path().join(role)
    }

    fn names(&self) -> Names {
        Names { desk: self.desk, schedule: self.directory.parameters().schedule }
    }

    fn identity(&self, role: &str) -> IdentitySecret {
        IdentitySecret::from_seed(&seed::read(&self.at(role).join(file::IDENTITY)).unwrap())
    }

    fn round(&self) -> Round {
        self.names().schedule.round_at(ambient::SystemClock.now()).unwrap()
    }

    fn start(&self, round: u32) -> Millis {
        self.names().schedule.start(Round(round))
    }

    fn device(&self, edge: &str, desk: Option<IdentitySecret>) -> Arc<Device> {
        let config = client::Config {
            edge: edge.to_owned(),
            network: self.network,
            directory: std::fs::read(self.at("reader").join(file::DIRECTORY)).unwrap(),
            place: Place::Memory,
            kdf: Kdf::cheap(),
            desk,
        };
        Arc::new(Device::open(config, ambient::clock(), ambient::rng().unwrap()).unwrap())
    }

    /// How often each text stands in the desk drops: all of them, opened as the desk would, and counted before its inbox
    /// could forget that something came twice.
    async fn delivered(&self, edge: &str) -> BTreeMap<String, usize> {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let (by, wire) = (self.identity("desk"), self.directory.wire());
        let mut texts = BTreeMap::new();
        for r in 0..=self.round().0 {
            let path = path::desk_drop(Round(r));
            let signed = request::sign(&self.network, &by, "GET", &path, b"", ambient::SystemClock.now());
            let answer =
                http.get(format!("{edge}{path}")).header(request::HEADER, signed).send().await.unwrap();
            match answer.status().as_u16() {
                200 => {}
                404 => continue,
                other => panic!("the desk is answered {other}"),
            }
            let bytes = answer.bytes().await.unwrap().to_vec();
            let p = self.directory.parameters();
            let drop = DeskDrop::from_bytes(wire.cascade, p.desk_slots, p.desks, bytes).unwrap();
            for boxed in drop.boxes() {
                if let Ok((message, _)) = open_message(&wire, &self.intake, boxed) {
                    *texts.entry(message.body.text().unwrap_or_default().to_owned()).or_default() += 1;
                }
            }
        }
        texts
    }
}

/// The servers' processes. Dropping them kills them.
struct Servers {
    edge: String,
    /// Role, configuration and process of each, by its folder's name.
    running: HashMap<&'static str, (&'static str, PathBuf, Child)>,
}

impl Servers {
    async fn start(town: &Town, articles: &Path) -> Self {
        // The edge comes back at the same address each time.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let edge = format!("http://127.0.0.1:{port}");
        let mut servers = Self { edge: edge.clone(), running: HashMap::new() };
        for (name, role) in [
            ("edge", "edge"),
            ("mix1", "mix"),
            ("mix2", "mix"),
            ("mix3", "mix"),
            ("press", "press"),
            ("witness", "witness"),
        ] {
            let common = format!(
                "network = \"{}\"\nstate = \"state\"\ndirectory = \"{}\"\n",
                town.network,
                file::DIRECTORY
            );
            let own = match role {
                "edge" => format!("listen = \"127.0.0.1:{port}\"\n"),
                "mix" => {
                    format!("edge = \"{edge}\"\nplace = {}\nidentity = \"{}\"\n", &name[3..], file::IDENTITY)
                }
                "witness" => format!("edge = \"{edge}\"\nidentity = \"{}\"\n", file::IDENTITY),
                _ => format!(
                    "edge = \"{edge}\"\nidentity = \"{}\"\nfolders = [\"{}\"]\n",
                    file::IDENTITY,
                    articles.display()
                ),
            };
            let config = town.at(name).join(format!("{role}.toml"));
            std::fs::write(&config, common + &own).unwrap();
            let process = start(role, &config).await;
            servers.running.insert(name, (role, config, process));
        }
        servers
    }

    /// Kills one, which must have been running until then, and starts it again.
    async fn kill(&mut self, name: &str) {
        let (role, config, process) = self.running.get_mut(name).unwrap();
        assert!(process.try_wait().unwrap().is_none(), "the {name} ended by itself");
        process.kill().await.unwrap();
        *process = start(role, config).await;
    }
}

/// Starts a role and waits until it is ready.
async fn start(role: &str, config: &Path) -> Child {
    let program = std::env::var_os("FIRSTHAND_BIN")
        .expect("FIRSTHAND_BIN names the program; `cargo xtask test` sets it");
    let mut process = Command::new(program)
        .args([role, "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = tokio::time::timeout(BACK, lines.next_line()).await.expect("it hangs").unwrap();
    assert!(ready.is_some_and(|line| line.starts_with("ready")), "the {role} did not start again");
    process
}
