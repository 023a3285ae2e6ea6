//! The commands of who runs a press: outlets added, listed and removed, an input tried, the next edition looked at.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::founded::Founded;
use crate::help::help;
use crate::run::{Ended, Here};

const PAGE: &str =
    "<!doctype html><title>The Mill</title><link rel=alternate type=application/rss+xml href=/news>";

const FEED: &str = "<rss version='2.0'><channel><title>The Mill</title><item><title>Old mill\u{1b}[2J grinds again</title>\
    <link>https://mill.example/1</link><pubDate>Tue, 03 Nov 2026 09:30:00 GMT</pubDate><description>The old mill grinds \
    rye again after forty years, its new miller said, and the first loaves were sold on Tuesday.</description></item></channel></rss>";

/// A site with a page that names its feed.
async fn site() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let len = stream.read(&mut head).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&head[..len]).into_owned();
            let (status, body) = match head.split(' ').nth(1) {
                Some("/") => ("200 OK", PAGE),
                Some("/news") => ("200 OK", FEED),
                _ => ("404 Not Found", ""),
            };
            let len = body.len();
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n{body}");
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

async fn good(here: &Here, arguments: &[&str]) -> String {
    let Ended { code, out, err } = here.run(arguments).await;
    assert_eq!(code, Some(0), "{arguments:?}: {err}");
    out
}

async fn bad(here: &Here, arguments: &[&str]) -> String {
    let Ended { code, out, err } = here.run(arguments).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {err}");
    err
}

/// Without a configuration, and with nothing left behind.
#[tokio::test]
async fn a_folder_is_read_for_people_and_for_programs() {
    let here = Here::new();
    let text = |who: &str| {
        format!(
            "Old mill grinds again\n\nThe old mill of Tallow grinds rye again since 3 November 2026, its miller said. “The first loaf was \
             sold before noon,” {who} said.\n"
        )
    };
    here.write("coverage/a.txt", text("Ada Moor"));
    here.write("coverage/b.txt", text("Ben Orr").replace("grinds rye again", "has begun to grind rye"));
    let folder = here.arg("coverage");
    let shown = good(&here, &["press", "read", &folder]).await;
    for line in
        ["What happened when", "2026-11-03", "Ada Moor or Ben Orr: “The first loaf was sold before noon,”"]
    {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&good(&here, &["press", "read", &folder, "--json"]).await).unwrap();
    assert_eq!((&json["version"], &json["stories"][0]["outlets"]), (&2.into(), &2.into()));
    assert_eq!(json["stories"][0]["conflicts"][0]["point"], "speaker");
    let why = bad(&here, &["press", "read", "nowhere"]).await;
    assert!(why.contains("nowhere cannot be read"), "{why}");
}

#[tokio::test]
async fn help_is_what_it_was() {
    help(&["press", "--help"], include_str!("help-press.txt")).await;
    help(&["press", "add", "--help"], include_str!("help-press-add.txt")).await;
    help(&["press", "try", "--help"], include_str!("help-press-try.txt")).await;
    help(&["press", "publish", "--help"], include_str!("help-press-publish.txt")).await;
    help(&["press", "read", "--help"], include_str!("help-press-read.txt")).await;
    for command in ["list", "remove", "preview"] {
        let Ended { code, out, .. } = Here::new().run(&["press", command, "--help"]).await;
        assert!(code == Some(0) && out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
}

#[tokio::test]
async fn an_outlet_is_added_by_its_page_previewed_listed_and_removed() {
    let (here, site) = (Here::new(), site().await);
    let town = Founded::new(&here, "town", 60_000);
    let config = town.configure("press", "state", "http://127.0.0.1:9");
    let add = ["press", "add", &site, "--config", &config];
    let err = bad(&here, &add).await;
    assert!(err.contains("private network") && err.contains("private_addresses = true"), "{err}");
    let text = std::fs::read_to_string(&config).unwrap() + "private_addresses = true\n";
    std::fs::write(&config, text).unwrap();
    let out = good(&here, &add).await;
    let feed = format!("{site}/news");
    for words in
        ["Added The Mill: 1 article\n", &feed, "not own: only title, link, quotes", "firsthand press preview"]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    // What an outlet writes does not reach the terminal as more than words.
    assert!(out.contains("    Old mill") && !out.contains('\u{1b}'), "{out}");
    assert!(good(&here, &add).await.starts_with("Changed The Mill"));

    let out = good(&here, &["press", "publish", "--config", &config]).await;
    assert!(out.contains(" would hold 2 stories of 2 articles by 2 outlets, "), "{out}");
    let out = good(&here, &["press", "list", "--config", &config]).await;
    assert!(out.contains(&format!("The Mill  {feed}\n  quoted, 1 article; last read 20")), "{out}");
    let out = good(&here, &["press", "list", "--json", "--config", &config]).await;
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(listed["outlets"][1]["address"], feed);

    let mut preview = here.start(&["press", "preview", "--config", &config]);
    assert!(preview.says("Open ").await.contains(".localhost:"));
    drop(preview);

    assert!(good(&here, &["press", "remove", &feed, "--config", &config]).await.starts_with("Removed"));
    assert!(
        bad(&here, &["press", "remove", &feed, "--config", &config])
            .await
            .contains("is no outlet of this press")
    );
    let folder = town.at("press/articles").display().to_string();
    assert!(
        bad(&here, &["press", "remove", &folder, "--config", &config]).await.contains("Take it out there")
    );
}

#[tokio::test]
async fn nothing_is_published_by_hand_while_a_press_runs() {
    let here = Here::new();
    let town = Founded::new(&here, "town", 60_000);
    let config = town.configure("press", "state", "http://127.0.0.1:9");
    let mut running = here.start(&["press", "--config", &config]);
    running.says("ready ").await;
    let err = bad(&here, &["press", "publish", "--now", "--config", &config]).await;
    assert!(err.contains("Stop it first"), "{err}");
    // To look does no harm.
    good(&here, &["press", "publish", "--config", &config]).await;
}

#[tokio::test]
async fn an_input_is_tried_without_a_configuration() {
    let here = Here::new();
    let page = format!(
        "<!doctype html><title>x</title><article><h1>Old mill grinds again</h1><p>{}</p><p>{}</p></article>",
        "The old mill grinds rye again after forty years, its new miller said on Tuesday to all who came.",
        "Sign up and never miss a loaf: our letter tells you every morning what is fresh at the mill today."
    );
    let page = here.write("mill.html", page);
    let out = good(&here, &["press", "try", &page, "--json"]).await;
    let tried: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&tried["version"], &tried["documents"][0]["format"]), (&1.into(), &"page".into()));
    let rules = here.write("rules.toml", "[\"mill.example\"]\ndrop_lines = [\"Sign up\"]\n");
    good(&here, &["press", "try", &page, "--rules", &rules]).await;
    let wrong = here.write("wrong.toml", "[\"mill.example\"]\ndrop_line = [\"Sign up\"]\n");
    let err = bad(&here, &["press", "try", &page, "--rules", &wrong]).await;
    assert!(err.contains("wrong.toml") && err.contains("line 2") && err.contains("drop_line"), "{err}");
    assert!(bad(&here, &["press", "try", "none.html"]).await.contains("none.html: cannot be read"));
    let Ended { code, err, .. } = here.run(&["press", "list"]).await;
    assert!(code == Some(2) && err.contains("give it with --config <FILE>"), "{err}");
}
