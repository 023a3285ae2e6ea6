//! A press stopped at each of its uploads, before the edge has it and after with the answer lost, and opened again from its
//! disk. There is one head for a round, each names the one before, the changes of all of them are the front page, and the
//! log has each of them once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firsthand::ambient;
use firsthand::found::{self, Plan, file};
use press::gather::Inputs;
use press::{Press, PressError};
use proto::directory::{Operator, Role, UnverifiedDirectory};
use proto::edition::UnverifiedHead;
use proto::log::{Frontier, UnverifiedNote};
use proto::sign::IdentitySecret;
use proto::{Clock, Digest, Millis, Round, path};
use server::edge::{Ceilings, Edge};
use server::faults::Hook;
use server::seed;
use tokio::sync::oneshot;

use crate::proxy::{Cut, Proxy};

const ROUND_MS: u32 = 5_000;

/// A clock that stands until it is moved.
pub(crate) struct Hands(pub(crate) AtomicU64);

impl Clock for Hands {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// A freshly opened press uploads the checkpoint that the edge has already (the first: its directory), the directory in force once more,
/// two bundles, the head and its checkpoint.
const UPLOADS: usize = 6;

/// LOG-15
#[tokio::test(flavor = "multi_thread")]
async fn a_press_stopped_at_any_upload_publishes_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let genesis = ambient::clock().now();
    let plan = Plan { round_ms: ROUND_MS, genesis };
    let network = found::found(folder.path(), &plan, &mut ambient::rng().unwrap()).unwrap().id;
    let bytes = std::fs::read(at("press").join(file::DIRECTORY)).unwrap();
    let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&network).unwrap();
    let schedule = directory.parameters().schedule;
    let clock = Arc::new(Hands(AtomicU64::new(genesis.0)));

    let config = server::edge::Config {
        listen: ([127, 0, 0, 1], 0).into(),
        state: at("edge/state"),
        network,
        directory: at("edge").join(file::DIRECTORY),
        max_journal_bytes: None,
        ceilings: Ceilings::default(),
    };
    let edge = Edge::open(&config, clock.clone(), &mut ambient::rng().unwrap(), Hook::none()).await.unwrap();
    let listening = edge.listen(config.listen).await.unwrap();
    let url = format!("http://{}", listening.address());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listening.run(async { drop(stopped.await) }));

    let proxy = Proxy::start(&url, Cut::Never).await.unwrap();
    let articles = at("articles");
    std::fs::create_dir(&articles).unwrap();
    let open = || {
        let config = press::Config {
            edge: proxy.url.clone(),
            state: at("press/state"),
            inputs: Inputs { folders: vec![articles.clone()], ..Default::default() },
            directory: bytes.clone(),
            network,
            identity: IdentitySecret::from_seed(&seed::read(&at("press").join(file::IDENTITY)).unwrap()),
        };
        Press::open(config, clock.clone()).unwrap()
    };
    let mut round = 0;
    for cut in [Cut::BodyLost, Cut::AnswerLost] {
        for uploads in 0..=UPLOADS {
            round += 1;
            // No mix runs, so the first edition waits for keys until half of its round is over.
            let now = schedule.start(Round(round)).plus(u64::from(ROUND_MS) / 2);
            clock.0.store(now.0, Ordering::SeqCst);
            write_article(&articles, round);
            proxy.set_cut_after(uploads, cut);
            let mut press = open();
            let stepped = press.step(now).await;
            match uploads == UPLOADS {
                true => assert_eq!(stepped.unwrap(), Some(Round(round)), "nothing was cut"),
                false => assert!(matches!(stepped, Err(PressError::Edge(_))), "{cut:?} after {uploads}"),
            }
            drop(press);
            proxy.set_cut(Cut::Never);
            // Later in the same round.
            clock.0.store(now.0 + 500, Ordering::SeqCst);
            open().step(now.plus(500)).await.unwrap();
        }
    }

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: String| {
        let answer = http.get(format!("{url}{path}")).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap().to_vec()
    };
    let (mut previous, mut folded) = (None, Vec::new());
    let (mut tree, bytes_of_directory) = (Frontier::empty(), get(path::directory(&directory.digest())).await);
    for r in (1..=round).map(Round) {
        let bytes = get(path::edition(r)).await;
        let head = UnverifiedHead::from_bytes(&bytes).unwrap();
        let edition = head.verify(&directory, r, Round(round), previous.as_ref()).unwrap();
        let changes = get(path::bundle(&edition.head().changes.digest)).await;
        let changes = edition.changes(&changes).unwrap();
        assert_eq!(changes.stories.len(), 1, "round {r} brings its article, and that alone");
        folded = edition.page(folded, changes).unwrap();
        tree.push_edition((r == Round(1)).then_some(&*bytes_of_directory), &bytes);
        let front = get(path::bundle(&edition.head().front.digest)).await;
        assert_eq!(edition.front(&front).unwrap().stories, folded, "round {r}");
        previous = Some(Digest::of(&bytes));
    }
    assert_eq!(folded.len(), round as usize);
    // The checkpoint is of the log with just these in it.
    let note = UnverifiedNote::from_bytes(&get(path::PROPOSED.to_owned()).await).unwrap();
    assert_eq!(note.verify(&directory, Round(round)).unwrap().checkpoint(), tree.checkpoint());
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
}

/// A real edge and its town, under a clock moved by hand.
struct Place {
    town: lab::town::Town,
    clock: Arc<Hands>,
    folder: tempfile::TempDir,
    url: String,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Place {
    async fn start(town: lab::town::Town) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("directory");
        std::fs::write(&directory, &town.bytes).unwrap();
        let config = server::edge::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            state: folder.path().join("edge"),
            network: town.network,
            directory,
            max_journal_bytes: None,
            ceilings: Ceilings::default(),
        };
        let clock = Arc::new(Hands(AtomicU64::new(lab::town::GENESIS.0)));
        let rng = &mut ambient::rng().unwrap();
        let edge = Edge::open(&config, clock.clone(), rng, Hook::none()).await.unwrap();
        let listening = edge.listen(config.listen).await.unwrap();
        let url = format!("http://{}", listening.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let serving =
            tokio::spawn(async move { listening.run(async { drop(stopped.await) }).await.unwrap() });
        Self { town, clock, folder, url, stop, serving }
    }

    /// The press of `identity`, whose state folder is called `name`.
    fn press(&self, name: &str, edge: &str, identity: &IdentitySecret, inputs: Inputs) -> Press {
        Press::open(self.config(name, edge, identity, inputs), self.clock.clone()).unwrap()
    }

    fn config(&self, name: &str, edge: &str, identity: &IdentitySecret, inputs: Inputs) -> press::Config {
        press::Config {
            edge: edge.to_owned(),
            state: self.folder.path().join(name),
            inputs,
            directory: self.town.bytes.clone(),
            network: self.town.network,
            identity: IdentitySecret::from_seed(&identity.to_seed()),
        }
    }

    /// A little behind the middle of a round: nothing waits for keys any more.
    fn go_to(&self, round: Round) -> Millis {
        let schedule = self.town.directory.parameters().schedule;
        let now = schedule.start(round).plus(u64::from(schedule.round_ms) / 2 + 1_000);
        self.clock.0.store(now.0, Ordering::SeqCst);
        now
    }

    /// The checkpoint that is shown, if the press of `newest` signed it.
    async fn checkpoint(&self, newest: Round) -> u64 {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let note = http.get(format!("{}{}", self.url, path::PROPOSED)).send().await.unwrap();
        let note = UnverifiedNote::from_bytes(&note.bytes().await.unwrap()).unwrap();
        note.verify(&self.town.directory, newest).unwrap().checkpoint().size
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.await.unwrap();
    }
}

/// LOG-03: a press that takes over with the database of the one before goes on with its editions and its log, whether or not the last
/// checkpoint of that one has reached the edge.
#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_takes_over_goes_on_where_the_one_before_stopped() {
    for is_checkpoint_lost in [false, true] {
        let next = IdentitySecret::from_seed(&[9; 32]);
        let (name, since) = ("Next press".into(), Round(60));
        let more = vec![Operator { role: Role::Press, name, key: next.public(), since }];
        let place = Place::start(lab::town::Town::with(8, more)).await;
        let proxy = Proxy::start(&place.url, Cut::Never).await.unwrap();
        let mut before = place.press("before", &proxy.url, &place.town.press, Inputs::default());
        for round in [Round(58), Round(59)] {
            let now = place.go_to(round);
            if is_checkpoint_lost && round == Round(59) {
                // Behind the directory, both bundles and the head.
                proxy.set_cut_after(4, Cut::BodyLost);
            }
            let is_cut = is_checkpoint_lost && round == Round(59);
            assert_eq!(before.step(now).await.is_err(), is_cut, "round {round}");
        }
        let had = place.checkpoint(Round(if is_checkpoint_lost { 58 } else { 59 })).await;
        drop(before);
        std::fs::create_dir(place.folder.path().join("next")).unwrap();
        let file = |name: &str| place.folder.path().join(name).join("press.db");
        std::fs::copy(file("before"), file("next")).unwrap();

        let mut press = place.press("next", &place.url, &next, Inputs::default());
        assert_eq!(press.step(place.go_to(since)).await.unwrap(), Some(since));
        let grown = if is_checkpoint_lost { 2 } else { 1 };
        assert_eq!(place.checkpoint(since).await, had + grown);
        drop(press);
        let mut again = place.press("next", &place.url, &next, Inputs::default());
        assert_eq!(again.step(place.go_to(Round(61))).await.unwrap(), Some(Round(61)));
        place.stop().await;
    }
}

/// REQ-01: a press whose clock is ahead for a while signs no edition of that time. No other could follow that one until then.
#[tokio::test(flavor = "multi_thread")]
async fn a_press_whose_clock_was_ahead_goes_on_when_it_is_right_again() {
    let place = Place::start(lab::town::Town::new(8)).await;
    let clock = Arc::new(Hands(AtomicU64::new(0)));
    let config = place.config("press", &place.url, &place.town.press, Inputs::default());
    let mut press = Press::open(config, clock.clone()).unwrap();
    let now = place.go_to(Round(5));
    clock.0.store(now.0, Ordering::SeqCst);
    assert_eq!(press.step(now).await.unwrap(), Some(Round(5)));
    let later = place.go_to(Round(29));
    let now = place.go_to(Round(6));
    clock.0.store(later.0, Ordering::SeqCst);
    assert!(matches!(press.step(later).await, Err(PressError::Edge(_))));
    clock.0.store(now.0, Ordering::SeqCst);
    assert_eq!(press.step(now).await.unwrap(), Some(Round(6)));
    place.stop().await;
}

/// REQ-01: a press that reads for longer than a request is good for signs its requests when it sends them.
#[tokio::test(flavor = "multi_thread")]
async fn a_press_that_gathers_for_minutes_still_publishes() {
    let place = Place::start(lab::town::Town::new(8)).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let feed = format!("http://{}/feed", listener.local_addr().unwrap());
    let clock = Arc::clone(&place.clock);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            clock.0.fetch_add(10 * 60 * 1_000, Ordering::SeqCst);
            drop(stream);
        }
    });
    let manners = press::fetch::Manners { private: true, ..Default::default() };
    let inputs = Inputs { feeds: vec![feed], manners, ..Inputs::default() };
    let mut press = place.press("press", &place.url, &place.town.press, inputs);
    let now = place.go_to(Round(3));
    assert_eq!(press.step(now).await.unwrap(), Some(Round(3)));
    assert!(place.clock.now() >= now.plus(10 * 60 * 1_000), "the feed was asked");
    place.stop().await;
}

/// An article about something of its own.
fn write_article(folder: &std::path::Path, n: u32) {
    const ARTICLES: [&str; 14] = [
        "Harbour crane stands still\n\nA crane in the northern harbour stopped at dawn with a ship's anchor on its hook.",
        "School kitchen wins prize\n\nPupils cooked lentils for ninety judges, and every plate came back empty.",
        "Chess final drawn\n\nAfter seven hours both grandmasters offered a handshake over two bare kings.",
        "Glacier loses its name\n\nSurveyors measured so little ice on the summit that maps will call it a snowfield.",
        "Tram line extended\n\nPassengers may ride to the university hospital without changing from next spring.",
        "Orchard blight spreads\n\nGrowers burned pear trees along the river because a fungus had reached their bark.",
        "Opera opens without tenor\n\nAn understudy sang from the balcony while the star lay in bed with fever.",
        "Lighthouse sold\n\nA retired dentist bought the tower at auction and wants to keep bees inside the lantern.",
        "Marathon rerouted\n\nRunners will cross the old bridge twice, since diggers occupy the embankment until June.",
        "Ferry timetable shrinks\n\nThe island loses its last evening crossing because too few commuters boarded last winter.",
        "Potter revives glaze\n\nAn apprentice mixed ash and copper until the forgotten green returned to her bowls.",
        "Mine shaft flooded\n\nPumps failed overnight, so engineers sealed the lowest gallery behind a concrete plug.",
        "Weather balloon found\n\nA shepherd discovered instruments tangled among thistles and posted them to the institute.",
        "Library lends telescopes\n\nMembers can borrow one for a fortnight and must return the eyepieces unscratched.",
    ];
    std::fs::write(folder.join(format!("{n:02}.txt")), ARTICLES[n as usize - 1]).unwrap();
}
