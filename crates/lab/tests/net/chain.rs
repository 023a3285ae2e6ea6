//! A press stopped at each of its uploads, before the edge has it and after with the answer lost, and opened again from its
//! disk. There is one head for a round, each names the one before, the changes of all of them are the front page, and the
//! log has each of them once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use firsthand::ambient;
use firsthand::found::{self, Plan, file};
use press::{Press, PressError};
use proto::directory::UnverifiedDirectory;
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

/// A freshly opened press uploads the checkpoint that the edge has already (the first: its directory), two bundles, the head and
/// its checkpoint.
const UPLOADS: usize = 5;

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
        Press::open(press::Config {
            edge: proxy.url.clone(),
            state: at("press/state"),
            inputs: press::gather::Inputs { folders: vec![articles.clone()], ..Default::default() },
            directory: bytes.clone(),
            network,
            identity: IdentitySecret::from_seed(&seed::read(&at("press").join(file::IDENTITY)).unwrap()),
        })
        .unwrap()
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
