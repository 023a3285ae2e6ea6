//! `firsthand demo --once`: one whole turn without a browser.

use std::path::PathBuf;
use std::sync::Arc;

use client::{Device, Inbox, Kdf, Passphrase, Place, Vault, Who};
use firsthand::ambient;
use firsthand::found::file;
use proto::NetworkId;
use proto::sign::IdentitySecret;
use server::seed;

use crate::founded::ARTICLE;
use crate::run::{Ended, Here};

const TIP: &str = "The pump at the west gate failed in May.\nNobody was told.\n";
const ONCE: [&str; 6] = ["demo", "--once", "--clock", "fast", "--readers", "8"];

/// Runs one turn with these arguments more.
async fn once(here: &Here, more: &[&str]) -> Ended {
    let tip = here.write("tip.txt", TIP);
    let mut arguments = ONCE.to_vec();
    arguments.extend(["--tip", &tip]);
    arguments.extend(more);
    here.run(&arguments).await
}

/// What is said at each hop, in its order.
fn tells_every_hop(ended: &Ended) {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut rest = ended.out.as_str();
    for words in [
        "edge, 3 mixes, press, witness and 8 simulated readers are up",
        "fetched and verified",
        "source wrote 58 bytes",
        "sent 8192 bytes in round",
        "mix 1: batch of round",
        "mix 2: batch of round",
        "exit: ",
        "desk: the tip arrived unchanged, 58 bytes",
        "desk: answered, 78 bytes",
        "the desk's acknowledgement came",
        "source: read the answer, 78 bytes, unchanged",
        "everything arrived unchanged",
    ] {
        let Some(at) = rest.find(words) else { panic!("no {words:?} in its place: {ended:?}") };
        rest = &rest[at + words.len()..];
    }
}

/// A folder with every file of the "Bad input", beside two that are good.
fn bad_articles(here: &Here) -> PathBuf {
    here.write("articles/quay.txt", ARTICLE);
    // Latin-1: not left out, but read as what it is.
    let latin = "Der Bürgermeister möchte nicht\n\nDer Bürgermeister möchte am Montag nicht über die Fähre sprechen, \
                 sagte er in Tübingen. Mehr wollte er dazu nicht sagen.\n";
    let latin: Vec<u8> = latin.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    here.write("articles/latin.txt", latin);
    here.write("articles/empty.txt", "");
    here.write("articles/binary.txt", (0..4096u32).map(|n| (n * 37 % 256) as u8).collect::<Vec<_>>());
    here.write("articles/deep.html", "<div>".repeat(100_000));
    here.write("articles/feed.rss", "This is no feed.");
    here.write("articles/huge.txt", "");
    let huge = std::fs::OpenOptions::new().write(true).open(here.path("articles/huge.txt")).unwrap();
    huge.set_len(200 << 20).unwrap();
    std::os::unix::fs::symlink("/nowhere/at/all", here.path("articles/gone.txt")).unwrap();
    here.path("articles")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_tells_every_hop_and_names_what_it_cannot_read() {
    let (bad, empty) = (Here::new(), Here::new());
    let articles = bad_articles(&bad).display().to_string();
    std::fs::create_dir(empty.path("articles")).unwrap();
    let no_articles = empty.arg("articles");
    let (articles, no_articles) = (["--articles", &articles], ["--articles", &no_articles]);
    let (bad_turn, empty_turn) = tokio::join!(once(&bad, &articles), once(&empty, &no_articles));

    tells_every_hop(&bad_turn);
    assert!(bad_turn.out.contains("verified: 2 stories"), "{bad_turn:?}");
    assert!(bad_turn.out.contains("1 outlet: Spring tide closes the lower quay"), "{bad_turn:?}");
    assert!(bad_turn.out.contains("1 outlet: Der Bürgermeister möchte nicht"), "{bad_turn:?}");
    let mut lines: Vec<_> = bad_turn.err.lines().map(str::trim).collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "press: left out: binary.txt: it is not text",
            "press: left out: deep.html: the page is not read: its tags nest deeper than 512",
            "press: left out: empty.txt: it is empty",
            "press: left out: feed.rss: it is not a feed: unable to parse feed: no root element",
            "press: left out: gone.txt: cannot be read: No such file or directory (os error 2)",
            "press: left out: huge.txt: is 200 MB; at most 8 are read",
        ]
    );
    assert_eq!(bad.left(), Vec::<String>::new());

    tells_every_hop(&empty_turn);
    assert!(empty_turn.out.contains("verified: 0 stories"), "{empty_turn:?}");
    assert!(
        empty_turn.err.contains("articles: holds no articles (.txt, .html, .xml, .json, .warc)"),
        "{empty_turn:?}"
    );
    assert_eq!(empty.left(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaked_call_is_one_story_of_five_outlets() {
    let corpus = std::env::var_os("FIRSTHAND_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus"),
        PathBuf::from,
    );
    let articles = corpus.join("leaked-call");
    if !articles.is_dir() {
        println!("skipped: no real coverage at {} (FIRSTHAND_CORPUS)", articles.display());
        return;
    }
    let here = Here::new();
    let turn = once(&here, &["--articles", &articles.display().to_string()]).await;
    tells_every_hop(&turn);
    assert!(turn.out.contains("fetched and verified: 1 story\n"), "{turn:?}");
    assert!(turn.out.contains("5 outlets: "), "{turn:?}");
    assert_eq!(turn.err, "");
}

/// The same folder twice: the same network, and at the desk both conversations, the first as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_resumed_with_its_network_and_its_conversations() {
    let here = Here::new();
    let articles = here.write("articles/quay.txt", ARTICLE).replace("/quay.txt", "");
    let kept = here.arg("kept");
    let more = ["--dir", &kept, "--articles", &articles];
    tells_every_hop(&once(&here, &more).await);
    let remembered = std::fs::read_to_string(here.path("kept/demo.toml")).unwrap();
    let first = conversations(&here, &remembered);
    assert_eq!(first.len(), 1);
    tells_every_hop(&once(&here, &more).await);
    assert_eq!(std::fs::read_to_string(here.path("kept/demo.toml")).unwrap(), remembered);
    let both = conversations(&here, &remembered);
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.contains(&first[0]), "{both:?}");
    assert_eq!(here.left(), Vec::<String>::new());
}

/// Every conversation at the desk in the folder `kept`, each as its id and its texts.
fn conversations(here: &Here, remembered: &str) -> Vec<(String, Vec<String>)> {
    let value = |key: &str| {
        let line = remembered.lines().find_map(|line| line.strip_prefix(key)?.trim().strip_prefix("= "));
        line.unwrap().trim_matches('"').to_owned()
    };
    let desk = here.path("kept/desk");
    let passphrase = Passphrase::parse(&value("passphrase")).unwrap();
    let vault = Vault::unlock(&desk.join(file::VAULT), &passphrase).unwrap();
    let config = client::Config {
        edge: "http://127.0.0.1:9".into(),
        network: NetworkId::from_hex(&value("network")).unwrap(),
        directory: std::fs::read(desk.join(file::DIRECTORY)).unwrap(),
        place: Place::Folder(desk.join("state")),
        kdf: Kdf::cheap(),
        desk: Some(IdentitySecret::from_seed(&seed::read(&desk.join(file::IDENTITY)).unwrap())),
    };
    let device = Device::open(config, ambient::clock(), ambient::rng().unwrap()).unwrap();
    let inbox = Inbox::new(Arc::new(device), vault);
    let told = |c: client::Conversation| {
        let texts: Vec<_> = c.lines.iter().map(|line| line.text.to_string()).collect();
        assert_eq!((texts.len(), texts[0].as_str(), c.lines[0].who), (2, TIP, Who::Source), "{texts:?}");
        (format!("{:?}", c.id), texts)
    };
    let mut all: Vec<_> = inbox.conversations().into_iter().map(told).collect();
    all.sort();
    all
}
