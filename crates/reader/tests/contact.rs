//! The reader's pages over a real device that never reached its edge: the guard, the headers, and the whole way to
//! the newsroom up to the message.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use client::{Config, Device, Kdf, Place};
use proto::{
    Clock, Millis, NetworkId, Round, Schedule,
    directory::{
        DeskCard, DeskEntry, IntakeKey, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory,
    },
    seal::SealSecret,
    sign::{IdentitySecret, RootSecret, Unverified},
};
use rand::{SeedableRng, rngs::StdRng};
use tower::ServiceExt as _;
use ui::{Guard, Zone};

const HOST: &str = "127.0.0.1:4321";
const ORIGIN: &str = "http://127.0.0.1:4321";
const STORY: &str = "http://127.0.0.1:4321/stories/00000000000000000000000000000000";

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        Millis(1_795_334_400_000)
    }
}

/// A signed directory with one desk, as it comes with the app.
fn directory(rng: &mut StdRng) -> (NetworkId, Vec<u8>) {
    let root = RootSecret::generate(rng);
    let network = root.public().network();
    let [press, edge, newsroom, desk] = [(); 4].map(|()| IdentitySecret::generate(rng));
    let mixes: Vec<_> =
        (0..3u8).map(|hop| (hop, IdentitySecret::generate(rng), SealSecret::generate(rng))).collect();
    let operator =
        |role, name: &str, key: &IdentitySecret| Operator { role, name: name.into(), key: key.public() };
    let mut operators = vec![
        operator(Role::Press, "Press", &press),
        operator(Role::Edge, "Edge", &edge),
        operator(Role::Newsroom, "The Wendral Post", &newsroom),
    ];
    operators.extend(mixes.iter().map(|(hop, key, _)| operator(Role::Mix(*hop), &format!("Mix {hop}"), key)));
    let schedule = Schedule { genesis: Millis(1_795_334_000_000), round_ms: 5_000 };
    let parameters =
        Parameters { schedule, mixes: 3, n_min: 8, n_max: 100, desk_slots: 16, reader_slots: 16 };
    let roster = Roster { name: "Wendral".into(), demonstration: true, parameters, operators };
    let (from, until) = (Round(0), Round(u32::MAX));
    let mix_keys = mixes.iter().map(|(hop, identity, key)| {
        let key = MixKey { hop: *hop, key: key.public().to_bytes().into(), from, until };
        Unverified::sign(&key, &network, identity)
    });
    let card = DeskCard {
        desk: desk.public(),
        name: "Investigations".into(),
        about: "Two people read here.".into(),
    };
    let intake = IntakeKey { key: SealSecret::generate(rng).public().to_bytes().into(), from, until };
    let entry = DeskEntry {
        newsroom: newsroom.public(),
        card: Unverified::sign(&card, &network, &newsroom),
        keys: vec![Unverified::sign(&intake, &network, &desk)],
    };
    let served = UnverifiedDirectory::assemble(&root, &roster, mix_keys.collect(), vec![entry]);
    (network, served.to_bytes())
}

/// A browser's window on the reader's pages.
struct Window {
    router: Router,
    cookie: String,
    /// The page shown.
    page: String,
}

impl Window {
    async fn open(seed: u64) -> Window {
        let mut rng = StdRng::seed_from_u64(seed);
        let (network, directory) = directory(&mut rng);
        let config = Config {
            edge: "http://127.0.0.1:9".into(),
            network,
            directory,
            place: Place::Memory,
            kdf: Kdf::cheap(),
            desk: None,
        };
        let device = Device::open(config, Arc::new(Standing), StdRng::from_rng(&mut rng)).unwrap();
        let (guard, link) = Guard::new(HOST.parse().unwrap(), "firsthand reader", &mut rng);
        let app = reader::App::new(Arc::new(device), guard, Arc::new(Standing), Zone::utc(), &mut rng);
        let router = reader::router(app);
        let launch = Request::get(link.strip_prefix(ORIGIN).unwrap()).header("host", HOST);
        let answer = router.clone().oneshot(launch.body(Body::empty()).unwrap()).await.unwrap();
        let cookie =
            answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        Window { router, cookie, page: String::new() }
    }

    /// A second window of the same browser.
    fn beside(&self) -> Window {
        Window { router: self.router.clone(), cookie: self.cookie.clone(), page: String::new() }
    }

    async fn get(&mut self, path: &str) -> Response<()> {
        let request = Request::get(path).header("referer", STORY);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Presses the first button whose words begin with `label`: sends its form's fields as they are, `typed` put into
    /// those that a person fills in.
    async fn press(&mut self, label: &str, typed: &[&str]) -> Response<()> {
        let body = pressed(&self.page, label, typed)
            .unwrap_or_else(|| panic!("no button {label:?} in {}", self.page));
        self.post(body).await
    }

    async fn post(&mut self, body: String) -> Response<()> {
        let request = Request::post("/contact")
            .header("origin", ORIGIN)
            .header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Response<()> {
        request.headers_mut().insert("host", HOST.parse().unwrap());
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        self.page = String::from_utf8(bytes.to_vec()).unwrap();
        Response::from_parts(parts, ())
    }

    fn heading(&self) -> &str {
        between(&self.page, "<h1>", "</h1>")
    }

    fn says(&self, sentence: &str) -> bool {
        self.page.contains(sentence)
    }

    /// From the public page to the six words shown.
    async fn draw_words(&mut self) -> Vec<String> {
        self.get("/contact").await;
        for button in
            ["Start", "Yes, it is mine", "Yes, or many people use it", "No, nobody", "Show my six words"]
        {
            self.press(button, &[]).await;
        }
        let list = between(&self.page, "<ol class=\"six shown\">", "</ol>");
        list.split("<b>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    }

    /// A new mailbox, open.
    async fn begin(&mut self) -> Vec<String> {
        let six = self.draw_words().await;
        self.press("I have them", &[]).await;
        self.press("Open my mailbox", &six.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(self.heading(), "Choose a desk", "{}", self.page);
        six
    }
}

/// What a browser would send when the first button that begins with `label` is pressed, in the order of the page.
fn pressed(page: &str, label: &str, typed: &[&str]) -> Option<String> {
    page.split("<form ").skip(1).find_map(|form| {
        let form = form.split("</form>").next()?;
        let mut typed = typed.iter();
        let (mut body, mut found) = (String::new(), false);
        for (at, _) in form.match_indices('<') {
            let tag = &form[at + 1..];
            let attributes = tag.split('>').next()?;
            let name = between(attributes, " name=\"", "\"");
            let value = between(attributes, " value=\"", "\"").replace("&quot;", "\"").replace("&amp;", "&");
            if attributes.contains(" type=\"text\"") || tag.starts_with("textarea") {
                body += &format!("{name}={}&", encode(typed.next().unwrap_or(&"")));
            } else if attributes.contains(" type=\"hidden\"") {
                body += &format!("{name}={}&", encode(&value));
            } else if tag.starts_with("button")
                && !found
                && words_of(tag.split("</button>").next()?).starts_with(label)
            {
                found = true;
                body += &format!("{name}={}&", encode(&value));
            }
        }
        found.then_some(body)
    })
}

/// What a piece of a page says, without its tags. It begins inside one.
fn words_of(piece: &str) -> String {
    piece.split('<').map(|part| part.split_once('>').map_or("", |(_, words)| words)).collect()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The page without what is drawn for each load: names of fields and the window's key.
fn settled(page: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    for c in page.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            run.push(c);
            continue;
        }
        // 16 digits of a load and its mark, which may be one of a to f itself
        shown += if run.len() >= 16 { "…" } else { &run };
        run.clear();
        shown.push(c);
    }
    shown
}

#[tokio::test]
async fn every_answer_is_strict_and_kept_nowhere() {
    let mut window = Window::open(1).await;
    for path in ["/", "/contact", "/stories/00", "/pictures/00", "/nowhere"] {
        let answer = window.get(path).await;
        assert_eq!(answer.headers()["content-security-policy"], ui::headers::CSP, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
        if !window.page.is_empty() {
            assert_eq!(window.page.matches("<h1").count(), 1, "{path}");
        }
    }
    let stranger = Request::get("/").header("host", HOST).body(Body::empty()).unwrap();
    let answer = window.router.clone().oneshot(stranger).await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-security-policy"], ui::headers::CSP);
}

#[tokio::test]
async fn front_page_is_useful_before_the_first_edition() {
    let mut window = Window::open(2).await;
    window.get("/").await;
    assert_eq!(window.heading(), "The first edition is on its way");
    assert!(window.says("The next exchange is in ") && window.says(ui::page::DEMONSTRATION));
}

#[tokio::test]
async fn every_step_has_the_same_title_and_new_field_names() {
    let mut window = Window::open(3).await;
    window.get("/contact").await;
    assert!(window.says("Investigations"));
    let mut names = Vec::new();
    for button in
        ["Start", "No, or I am not sure", "Go on all the same", "Yes, or many people use it", "No, nobody"]
    {
        assert_eq!(between(&window.page, "<title>", "</title>"), "Contact the newsroom · Firsthand");
        names.push(pressed(&window.page, button, &[]).unwrap().rsplit_once('=').unwrap().0.to_owned());
        window.press(button, &[]).await;
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 5);
    window.press("Show my six words", &[]).await;
    window.press("I have them", &[]).await;
    assert_eq!(between(&window.page, "<title>", "</title>"), "Contact the newsroom · Firsthand");
    assert!(!window.says("type=\"password\""));
    for form in window.page.split("<form ").skip(1).filter(|form| form.contains("type=\"text\"")) {
        assert!(form.split('>').next().unwrap().contains("autocomplete=\"off\""));
    }
}

#[tokio::test]
async fn a_word_typed_wrong_is_named() {
    let mut window = Window::open(4).await;
    let six = window.draw_words().await;
    window.press("I have them", &[]).await;
    let mut typed: Vec<&str> = six.iter().map(String::as_str).collect();
    typed[2] = "nonsense";
    window.press("Open my mailbox", &typed).await;
    assert!(window.says("Word 3 is different."));
    // the same words are shown again, not others
    window.press("Show the words again", &[]).await;
    assert!(six.iter().all(|word| window.says(&format!("<b>{word}</b>"))));
}

#[tokio::test]
async fn wrong_words_and_no_mailbox_show_the_same_page() {
    let typed = ["abandon", "abbey", "abide", "ability", "able", "abacus"];
    assert!(typed.iter().all(|word| client::is_listed(word)));
    let mut pages = Vec::new();
    for has_mailbox in [false, true] {
        let mut window = Window::open(5).await;
        if has_mailbox {
            window.begin().await;
            window.press("Leave at once", &[]).await;
        }
        window.get("/contact").await;
        window.press("I have six words", &[]).await;
        window.press("Open", &typed).await;
        assert!(window.says("These words open nothing here."), "{}", window.page);
        pages.push(settled(&window.page));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn leaving_locks_and_leads_back() {
    let mut window = Window::open(6).await;
    let six = window.begin().await;
    let inside = window.page.clone();
    let answer = window.press("Leave at once", &[]).await;
    // the story is not in the edition, so the front page it is
    assert_eq!((answer.status().as_u16(), &answer.headers()["location"]), (303, &"/".parse().unwrap()));
    window.page = inside;
    window.press("Investigations", &[]).await;
    assert_eq!(window.heading(), "Type your six words");
    // the words open it again
    window.press("Open", &six.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(window.heading(), "Choose a desk");
}

#[tokio::test]
async fn another_window_finds_the_public_page_and_takes_over() {
    let mut first = Window::open(7).await;
    let six = first.begin().await;
    let mut second = first.beside();
    second.get("/contact").await;
    assert_eq!(second.heading(), "Contact the newsroom");
    second.press("I have six words", &[]).await;
    second.press("Open", &six.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(second.heading(), "Choose a desk");
    first.press("Investigations", &[]).await;
    assert!(first.says("The mailbox is closed in this window."));
}

#[tokio::test]
async fn message_is_looked_over_before_it_is_sealed() {
    let mut window = Window::open(8).await;
    let six = window.begin().await;
    window.press("Investigations", &[]).await;
    assert_eq!(window.heading(), "Write to <bdi>Investigations</bdi>");
    for (text, answer) in [
        ("  ", "The message is empty."),
        (&*format!("my words: {} {}", six[1], six[2]), "Your message holds words of your passphrase."),
        ("write to ana@harbour.example", "Your message holds an e-mail address."),
    ] {
        let before = window.page.clone();
        window.press("Send", &[text]).await;
        assert!(window.says(answer), "{answer}: {}", window.page);
        window.page = before;
    }
    window.press("Check length", &["<b>\"forty\"</b> words"]).await;
    assert!(
        window.says("Room for about ")
            && window.says("&lt;b&gt;&quot;forty&quot;&lt;/b&gt; words</textarea>")
    );
    // before the first edition nothing can be sealed: nothing is lost, and the text stays
    window.press("Send", &["The quay is weak."]).await;
    assert!(window.says("Nothing was sent.") && window.says("The quay is weak."), "{}", window.page);
}

#[tokio::test(start_paused = true)]
async fn five_minutes_lock_it_and_looking_does_not_keep_it_open() {
    let mut window = Window::open(9).await;
    window.begin().await;
    let inside = window.page.clone();
    tokio::time::sleep(std::time::Duration::from_secs(4 * 60)).await;
    let look = pressed(&window.page, "Leave at once", &[]).unwrap().replace("=leave", "=look");
    window.post(look).await;
    assert_eq!(window.heading(), "Choose a desk");
    tokio::time::sleep(std::time::Duration::from_secs(61)).await;
    window.page = inside;
    window.press("Investigations", &[]).await;
    assert!(window.says("The mailbox is closed in this window."));
}
