//! A device that never reached its edge, and a browser's window on the pages over it. Shared by the tests of the
//! reader's and the desk's screens.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(dead_code, unreachable_pub, reason = "each test uses its part")]

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, header},
};
use client::{Config, Device, Kdf, Place};
use proto::{
    Clock, Millis, NetworkId, Round, Schedule,
    decoy::Decoys,
    directory::{
        DeskCard, DeskEntry, IntakeKey, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory,
    },
    hold::Hold,
    keys::{KeyKind, Period},
    seal::SealSecret,
    sign::{IdentitySecret, RootSecret, Unverified},
    size::Cascade,
};
use rand::{SeedableRng, rngs::StdRng};
use tower::ServiceExt as _;

/// Where a test's pages would listen.
pub const ADDRESS: &str = "127.0.0.1:4321";

/// The round that it is.
const NOW: Round = Round(80);

/// From this round on the second desk can be written to.
const TO_COME: Round = Round(140);

pub struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        Millis(1_795_334_400_000)
    }
}

/// A clock that goes when it is told to.
pub struct Hand(pub AtomicU64);

impl Clock for Hand {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

/// The vault key of a desk: here it hangs on the identity.
fn vault_key(desk: &IdentitySecret) -> IdentitySecret {
    IdentitySecret::from_seed(&desk.to_seed().map(|byte| !byte))
}

/// A signed directory with one desk and another to come, as it comes with the app.
pub fn directory(rng: &mut StdRng) -> (NetworkId, Vec<u8>) {
    let root = RootSecret::generate(rng);
    let network = root.public().network();
    let [press, edge, newsroom, desk, announced] = [(); 5].map(|()| IdentitySecret::generate(rng));
    let mixes: Vec<_> =
        (0..3u8).map(|hop| (hop, IdentitySecret::generate(rng), SealSecret::generate(rng))).collect();
    let operator = |role, name: &str, key: &IdentitySecret| Operator {
        role,
        name: name.into(),
        key: key.public(),
        since: Round(0),
    };
    let mut operators = vec![
        operator(Role::Press, "Press", &press),
        operator(Role::Edge, "Edge", &edge),
        operator(Role::Newsroom, "The Wendral Post", &newsroom),
    ];
    operators.extend(mixes.iter().map(|(hop, key, _)| operator(Role::Mix(*hop), &format!("Mix {hop}"), key)));
    let schedule = Schedule { genesis: Millis(1_795_334_000_000), round_ms: 5_000 };
    let parameters = Parameters {
        schedule,
        mixes: 3,
        n_min: 8,
        n_max: 100,
        desk_slots: 16,
        reader_slots: 16,
        hold: Hold::NONE,
        decoys: Decoys::NONE,
        quorum: 0,
        desks: 3,
    };
    let roster = Roster {
        name: "Wendral".into(),
        demonstration: true,
        parameters,
        operators,
        number: 1,
        from: Round(0),
        until: Round(u32::MAX),
    };
    let mix_keys = mixes.iter().skip(1).map(|(hop, identity, key)| {
        let Period { from, until } = KeyKind::of_mix(*hop, Cascade::new(3).unwrap()).period(NOW);
        let key = MixKey { hop: *hop, key: key.public().to_bytes().into(), from, until };
        Unverified::sign(&key, &network, identity)
    });
    let card = |desk: &IdentitySecret, name: &str, since| {
        let about = "Two people read here.".into();
        let vault_key = vault_key(desk).public();
        let card = DeskCard { desk: desk.public(), vault_key, name: name.into(), about, since };
        Unverified::sign(&card, &network, &newsroom)
    };
    let Period { from, until } = KeyKind::Intake.period(NOW);
    let intake = IntakeKey { key: SealSecret::generate(rng).public().to_bytes().into(), from, until };
    let intake = Unverified::sign(&intake, &network, &vault_key(&desk));
    let newsroom = newsroom.public();
    let listed = DeskEntry { newsroom, card: card(&desk, "Investigations", Round(0)), keys: vec![intake] };
    let to_come = DeskEntry { newsroom, card: card(&announced, "Letters", TO_COME), keys: vec![] };
    let desks = vec![listed, to_come];
    let served = UnverifiedDirectory::assemble(&root, &roster, mix_keys.collect(), desks);
    (network, served.to_bytes())
}

/// A device in memory that knows the directory and no edition.
pub fn device(rng: &mut StdRng) -> Arc<Device> {
    device_in(Place::Memory, Arc::new(Standing), rng)
}

/// The same in another place, under another clock.
pub fn device_in(place: Place, clock: Arc<dyn Clock>, rng: &mut StdRng) -> Arc<Device> {
    let (network, directory) = directory(rng);
    let edge = "http://127.0.0.1:9".into();
    let config = Config { edge, network, directory, place, kdf: Kdf::cheap(), desk: None };
    Arc::new(Device::open(config, clock, StdRng::from_rng(rng)).unwrap())
}

/// A browser's window on the pages.
pub struct Window {
    pub router: Router,
    pub host: String,
    pub cookie: String,
    /// The page shown.
    pub page: String,
    /// Where the last answer led to, if it did.
    pub location: Option<String>,
}

impl Window {
    /// Opens the launch link, which leads to another name.
    pub async fn open(router: Router, link: &str) -> Window {
        let follow = async |link: &str| {
            let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
            let launch = Request::get(format!("/{path}")).header("host", host);
            let answer = router.clone().oneshot(launch.body(Body::empty()).unwrap()).await.unwrap();
            (host.to_owned(), answer)
        };
        let (_, answer) = follow(link).await;
        let (host, answer) = follow(answer.headers()[header::LOCATION].to_str().unwrap()).await;
        let cookie =
            answer.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
        Window { router, host, cookie, page: String::new(), location: None }
    }

    /// A second window of the same browser.
    pub fn beside(&self) -> Window {
        Window {
            router: self.router.clone(),
            host: self.host.clone(),
            cookie: self.cookie.clone(),
            page: String::new(),
            location: None,
        }
    }

    pub async fn get(&mut self, path: &str) -> Response<()> {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Presses the first button whose words begin with `label`: sends its form's fields as they are, `typed` put into
    /// those that a person fills in.
    pub async fn press(&mut self, label: &str, typed: &[&str]) -> Response<()> {
        let (action, body) = pressed(&self.page, label, typed)
            .unwrap_or_else(|| panic!("no button {label:?} in {}", self.page));
        self.post(&action, body).await
    }

    pub async fn post(&mut self, path: &str, body: String) -> Response<()> {
        let request = Request::post(path)
            .header("origin", format!("http://{}", self.host))
            .header("content-type", "application/x-www-form-urlencoded");
        self.send_form(path, request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a form, and opens the page that it leads to if that is at its own address.
    async fn send_form(&mut self, path: &str, request: Request<Body>) -> Response<()> {
        let answer = self.send(request).await;
        if answer.status() == 403 {
            return answer;
        }
        assert_eq!((answer.status().as_u16(), &*self.page), (303, ""), "a form is answered by a page");
        match &self.location {
            Some(to) if to == path => self.get(path).await,
            _ => answer,
        }
    }

    /// Presses a button whose form holds a file: sends it as a browser does.
    pub async fn upload(&mut self, label: &str, file: &str, bytes: &[u8]) -> Response<()> {
        let (action, fields) =
            pressed(&self.page, label, &[]).unwrap_or_else(|| panic!("no button {label:?} in {}", self.page));
        let mut body = Vec::new();
        for (name, value) in fields.split('&').filter_map(|field| field.split_once('=')) {
            body.extend(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
                    .bytes(),
            );
        }
        let name = between(&self.page, " type=\"file\" name=\"", "\"");
        let head = format!("name=\"{name}\"; filename=\"{file}\"\r\nContent-Type: image/png");
        body.extend(format!("--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(b"\r\n--edge--\r\n");
        let request = Request::post(&action)
            .header("origin", format!("http://{}", self.host))
            .header("content-type", "multipart/form-data; boundary=edge");
        self.send_form(&action, request.body(Body::from(body)).unwrap()).await
    }

    async fn send(&mut self, mut request: Request<Body>) -> Response<()> {
        request.headers_mut().insert("host", self.host.parse().unwrap());
        request.headers_mut().insert("cookie", self.cookie.parse().unwrap());
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        self.page = String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(remembered(&self.page), Vec::<&str>::new(), "a browser may remember what is typed there");
        self.location = parts.headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        Response::from_parts(parts, ())
    }

    pub fn heading(&self) -> &str {
        between(&self.page, "<h1>", "</h1>")
    }

    pub fn says(&self, sentence: &str) -> bool {
        self.page.contains(sentence)
    }

    /// The six words shown.
    pub fn six(&self) -> Vec<String> {
        let list = between(&self.page, "<ol class=\"six shown\">", "</ol>");
        list.split("<b>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
    }
}

/// From the public page to the six words shown.
pub async fn draw_words(window: &mut Window) -> Vec<String> {
    window.get("/contact").await;
    for button in
        ["Start", "Yes, it is mine", "Yes, or many people use it", "No, nobody", "Show my six words"]
    {
        window.press(button, &[]).await;
    }
    window.six()
}

/// A new mailbox, open.
pub async fn begin(window: &mut Window) -> Vec<String> {
    let six = draw_words(window).await;
    window.press("I have them", &[]).await;
    window.press("Open my mailbox", &strs(&six)).await;
    assert_eq!(window.heading(), "Choose a desk", "{}", window.page);
    six
}

pub fn strs(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
}

/// Makes the desk's vault on its pages. Its words.
pub async fn make_vault(window: &mut Window) -> Vec<String> {
    window.get("/vault").await;
    window.press("Show the six words", &[]).await;
    let six = window.six();
    window.press("I have them", &[]).await;
    window.press("Make the vault", &strs(&six)).await;
    assert_eq!(window.location.as_deref(), Some("/"), "{}", window.page);
    six
}

/// Where and what a browser would send when the first button that begins with `label` is pressed, in the order of the page.
pub fn pressed(page: &str, label: &str, typed: &[&str]) -> Option<(String, String)> {
    page.split("<form ").skip(1).find_map(|form| {
        let form = form.split("</form>").next()?;
        let mut typed = typed.iter();
        let (mut body, mut found) = (String::new(), false);
        for (at, _) in form.match_indices('<') {
            let tag = &form[at + 1..];
            let attributes = tag.split('>').next()?;
            let name = between(attributes, " name=\"", "\"");
            let value = between(attributes, " value=\"", "\"");
            let value = [("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
                .iter()
                .fold(value.to_owned(), |value, (from, to)| value.replace(from, to));
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
        found.then(|| (between(form, " action=\"", "\"").to_owned(), body))
    })
}

/// The boxes of a page into which people type and which do not themselves ask the browser to remember nothing: one looks at
/// the form, another at the box alone.
pub fn remembered(page: &str) -> Vec<&str> {
    let boxes = page.match_indices('<').map(|(at, _)| page[at..].split('>').next().unwrap());
    let typed = boxes.filter(|tag| tag.starts_with("<textarea") || tag.contains(" type=\"text\""));
    typed.filter(|tag| !tag.contains(" autocomplete=\"off\"")).collect()
}

/// What a piece of a page says, without its tags. It begins inside one.
fn words_of(piece: &str) -> String {
    piece.split('<').map(|part| part.split_once('>').map_or("", |(_, words)| words)).collect()
}

pub fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}
