//! Somebody else on the machine. One read the link in the browser's arguments and listens under its name at a port of theirs.
//! Then the program stops and its pages stay open: whoever takes its port is asked in its place, and must neither be shown nor
//! told anything.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use crate::chromium::Driver;
use crate::person::Person;
use crate::program::Demo;

/// What people have typed and not sent when the program stops.
const WORDS: [&str; 6] = ["abacus", "abandon", "abbey", "abide", "ability", "able"];
const ANSWER: &str = "The program does not answer. Nothing was sent.";

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_the_port_of_a_stopped_program_is_neither_shown_nor_told_anything() -> anyhow::Result<()> {
    let demo = Demo::start(&["--clock", "fast", "--readers", "8"]).await?;
    let driver = Driver::start()?;
    let source = Person::new(&driver, "stopped-source", &demo.reader).await?;
    source.sees("verified").await?;
    who_read_the_link_is_sent_no_cookie(&source, &demo.reader).await?;
    let reader = source.elsewhere(&driver, "stopped-reader", true).await?;
    let desk = Person::new(&driver, "stopped-desk", &demo.desk).await?;
    let words = WORDS.map(str::to_owned);
    source.press("Contact the newsroom").await?;
    source.press("I have six words").await?;
    source.type_words(&words).await?;
    desk.type_words(&words).await?;
    for person in [&source, &desk] {
        ensure!(Stranger::at(port(person)?).is_err(), "a browser could ask somebody else");
    }
    let before = reader.browser.client.current_url().await?;

    demo.interrupt().await?;
    let strangers = [Stranger::at(port(&source)?)?, Stranger::at(port(&desk)?)?];
    for (person, button) in [(&source, "Open"), (&desk, "Open"), (&reader, "Contact the newsroom")] {
        person.press(button).await?;
        person.sees(ANSWER).await?;
    }
    // What pages ask by themselves has had its time.
    tokio::time::sleep(Duration::from_secs(3)).await;
    for person in [&source, &desk, &reader] {
        ensure!(!person.text().await?.contains("Somebody else"), "a stranger's page is drawn");
    }
    ensure!(reader.browser.client.current_url().await? == before, "the browser was led to a stranger's page");
    for stranger in &strangers {
        let heard = stranger.heard.lock().expect("no holder panics").clone();
        ensure!(heard.contains("GET /run "), "nobody asked the stranger:\n{heard}");
        ensure!(!heard.contains("POST ") && !heard.contains(WORDS[0]), "a stranger was told:\n{heard}");
    }
    Ok(())
}

/// They know the name in the link. Any page of theirs could lead the browser there.
async fn who_read_the_link_is_sent_no_cookie(person: &Person, link: &str) -> anyhow::Result<()> {
    let name = |address: &str| url::Url::parse(address).ok().and_then(|url| Some(url.host_str()?.to_owned()));
    let (known, pages) = (name(link).context("no name")?, name(&person.home()).context("no name")?);
    ensure!(known != pages, "the link tells the name of the pages");
    for (name, cookies) in [(known, false), (pages, true)] {
        let free = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let stranger = Stranger::at(free)?;
        person.browser.client.goto(&format!("http://{name}:{free}/")).await?;
        person.sees("Somebody else").await?;
        // From their own page it is the same site.
        person.run("location.reload()").await?;
        let heard = || stranger.heard.lock().expect("no holder panics").clone();
        for _ in 0..50 {
            if heard().matches("GET / ").count() >= 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let heard = heard();
        ensure!(heard.matches("GET / ").count() >= 2, "it was not loaded again:\n{heard}");
        // Where the name is known the cookie comes, so that this test would see it.
        ensure!(heard.contains("firsthand-") == cookies, "under {name}:\n{heard}");
    }
    person.browser.client.goto(&person.home()).await?;
    person.sees("verified").await
}

fn port(person: &Person) -> anyhow::Result<u16> {
    url::Url::parse(&person.home())?.port().context("no port")
}

/// Somebody else at the program's port, who answers everything with a page that asks for six words.
struct Stranger {
    /// What browsers said.
    heard: Arc<Mutex<String>>,
}

impl Stranger {
    /// Takes the port wherever it can be had. An error if it cannot be had at any address.
    fn at(port: u16) -> anyhow::Result<Self> {
        let heard = Arc::new(Mutex::new(String::new()));
        let taken = ["[::1]", "127.0.0.1"].map(|address| TcpListener::bind(format!("{address}:{port}")));
        ensure!(taken.iter().any(Result::is_ok), "port {port} is not to be had: {taken:?}");
        for listener in taken.into_iter().flatten() {
            let heard = Arc::clone(&heard);
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let heard = Arc::clone(&heard);
                    std::thread::spawn(move || answer(stream, &heard));
                }
            });
        }
        Ok(Self { heard })
    }
}

fn answer(mut stream: std::net::TcpStream, heard: &Mutex<String>) -> std::io::Result<()> {
    const PAGE: &str = "<!DOCTYPE html><html><title>Firsthand</title><main><h1>Somebody else</h1>\
                        <p id=edition>Type your six words</p></main></html>";
    // A form comes in pieces: whatever is said within a moment.
    stream.set_read_timeout(Some(Duration::from_millis(300)))?;
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        heard.lock().expect("no holder panics").push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{PAGE}", PAGE.len())
}
