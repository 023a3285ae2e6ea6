//! The reader's and the desk's screens, behind their guards, with forms as a browser sends them and as none does. Keys are derived
//! cheaply, or each opening would take a second.

use std::cell::RefCell;
use std::sync::Arc;
use std::thread::LocalKey;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use client::{Config, Device, Kdf, Place, VaultContents};
use proto::keys::KeyKind;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;
use ui::{Guard, Zone};

use crate::input::Input;
use crate::memory;
use crate::world::{NOW, Standing, WORLD, rng};

/// So many inputs one window takes.
const INPUTS: u32 = 500;

/// A browser's window on pages that run here.
struct Window {
    router: Router,
    host: String,
    cookie: String,
    page: String,
    /// The words of a passphrase that was shown.
    six: Vec<String>,
    left: u32,
    // What waits in it ends with it.
    runtime: Runtime,
    _folder: TempDir,
}

impl Window {
    fn open(runtime: Runtime, router: Router, link: &str, folder: TempDir) -> Self {
        let mut window = Self {
            router,
            host: String::new(),
            cookie: String::new(),
            page: String::new(),
            six: Vec::new(),
            left: INPUTS,
            runtime,
            _folder: folder,
        };
        let answer = window.follow(link);
        let answer = window.follow(answer[header::LOCATION].to_str().expect("text"));
        let cookie = answer[header::SET_COOKIE].to_str().expect("text");
        window.cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        window
    }

    /// One link of the way in, and the headers of its answer.
    fn follow(&mut self, link: &str) -> HeaderMap {
        let (host, path) = link.strip_prefix("http://").and_then(|l| l.split_once('/')).expect("a link");
        host.clone_into(&mut self.host);
        let launch = Request::get(format!("/{path}")).header(header::HOST, host);
        let launch = launch.body(Body::empty()).expect("a request");
        let answer = self.runtime.block_on(self.router.clone().oneshot(launch)).expect("it answers");
        answer.into_parts().0.headers
    }

    /// Sends it, and opens where it leads.
    fn send(&mut self, request: axum::http::request::Builder, body: Vec<u8>) {
        if let Some(to) = self.send_one(request, body) {
            self.send_one(Request::get(to), Vec::new());
        }
    }

    fn send_one(&mut self, request: axum::http::request::Builder, body: Vec<u8>) -> Option<String> {
        let request = request
            .header(header::HOST, &self.host)
            .header(header::COOKIE, &self.cookie)
            .header(header::ORIGIN, format!("http://{}", self.host))
            .body(Body::from(body));
        let request = request.ok()?;
        let is_form = request.method() == Method::POST;
        let is_asset = request.uri().path().starts_with(ui::assets::PREFIX);
        let router = self.router.clone();
        let (parts, body) = self.runtime.block_on(async {
            let (parts, body) = router.oneshot(request).await.expect("it answers").into_parts();
            (parts, axum::body::to_bytes(body, 8 << 20).await.expect("an answer has an end"))
        });
        assert!(!parts.status.is_server_error(), "the screen fails: {}", parts.status);
        assert!(!is_form || parts.status.is_redirection(), "a form is answered by a page: {}", parts.status);
        assert_eq!(parts.headers[header::CONTENT_SECURITY_POLICY], ui::headers::CSP);
        let kept = parts.headers.get(header::CACHE_CONTROL).is_none_or(|kept| kept != "no-store");
        assert!(!kept || is_asset && parts.status.is_success(), "the browser keeps nothing but assets");
        let is_page =
            parts.headers.get(header::CONTENT_TYPE).is_some_and(|t| t.as_bytes().starts_with(b"text/html"));
        if let Some(page) = String::from_utf8(body.to_vec()).ok().filter(|_| is_page) {
            letters(&page);
            self.page = page;
            let list = between(&self.page, "<ol class=\"six shown\">", "</ol>");
            let six: Vec<_> = list
                .split("<b>")
                .skip(1)
                .map(|rest| rest.split('<').next().unwrap_or_default().to_owned())
                .collect();
            if six.len() == 6 {
                self.six = six;
            }
        }
        Some(parts.headers.get(header::LOCATION)?.to_str().expect("text").to_owned())
    }

    /// The hidden field of the page whose name ends so.
    fn hidden(&self, mark: char) -> String {
        let fields = self.page.split(" type=\"hidden\"").skip(1);
        let field = fields.map(|field| (between(field, "name=\"", "\""), between(field, "value=\"", "\"")));
        field
            .filter(|(name, _)| name.ends_with(mark))
            .map(|(_, value)| value.to_owned())
            .next()
            .unwrap_or_default()
    }
}

/// Nothing runs on a page but our own module, and nothing that was typed became an element.
fn letters(page: &str) {
    for tag in page.split('<').skip(1).map(|tag| tag.split('>').next().unwrap_or_default()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        let ours = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'!');
        assert!(ours && !matches!(name, "iframe" | "object" | "embed" | "base" | "zzz"), "not ours: {name}");
        assert!(
            name != "script" || tag.starts_with('/') || tag.contains("src=\"/"),
            "a script that is not ours"
        );
        let runs = |name: &str| name.starts_with("on") || name == "style";
        assert!(!attributes(tag).any(runs), "it runs: {tag}");
    }
}

/// The names of a tag's attributes. What stands in their values is text, whatever it looks like.
fn attributes(tag: &str) -> impl Iterator<Item = &str> {
    let mut rest = tag.split_once(' ').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = match after.strip_prefix("=\"") {
            Some(value) => value.split_once('"').map_or("", |(_, rest)| rest),
            None => after.trim_start_matches('='),
        };
        (!name.is_empty()).then_some(name)
    })
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).map_or("", |(found, _)| found)
}

fn encode(text: &[u8]) -> String {
    text.iter()
        .map(|&b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn device() -> Arc<Device> {
    let world = &*WORLD;
    let config = Config {
        edge: "http://127.0.0.1:9".into(),
        network: world.network,
        directory: world.directory_bytes.clone(),
        place: Place::Memory,
        kdf: Kdf::cheap(),
        desk: None,
    };
    Arc::new(Device::open(config, Arc::new(Standing), rng()).expect("a device in memory"))
}

/// Lets a window be used, of which there is one for each thread: it goes with its folder when the thread ends.
fn with(
    held: &'static LocalKey<RefCell<Option<Window>>>,
    make: fn() -> Window,
    act: impl FnOnce(&mut Window),
) {
    held.with_borrow_mut(|held| {
        if held.as_ref().is_none_or(|window| window.left == 0) {
            *held = None;
        }
        let window = held.get_or_insert_with(make);
        window.left -= 1;
        act(window);
    });
}

const STEPS: [&str; 28] = [
    "leave", "q0", "q1", "q2", "q3", "a0", "a1", "a2", "show", "retype", "begin", "words", "unlock", "home",
    "look", "choose", "compose", "measure", "send", "anyway", "attach", "lookover", "senddoc", "takeback",
    "delete", "deleted", "erase", "erased",
];

/// The reader's private area, step by step in any order.
pub(crate) fn reader(bytes: &[u8]) {
    thread_local! {
        static WINDOW: RefCell<Option<Window>> = const { RefCell::new(None) };
    }
    with(&WINDOW, readers_window, |window| contact(window, bytes));
}

fn readers_window() -> Window {
    let (runtime, mut rng) = (runtime(), rng());
    let inside = runtime.enter();
    let address = "127.0.0.1:4321".parse().expect("an address");
    let (guard, link) = Guard::new(address, "firsthand reader", &mut rng);
    let app = reader::App::new(device(), guard, Arc::new(Standing), Zone::utc(), &mut rng);
    let router = reader::router(app);
    drop(inside);
    Window::open(runtime, router, &link, memory())
}

fn contact(window: &mut Window, bytes: &[u8]) {
    window.send(Request::get("/contact"), Vec::new());
    let mut input = Input::new(bytes);
    for _ in 0..16 {
        if input.is_over() {
            return;
        }
        let act = input.byte();
        if act % 16 == 15 {
            let path = format!("/{}", encode(input.piece()).replace("%2F", "/"));
            window.send(Request::get(path), Vec::new());
            continue;
        }
        let step = match input.byte() {
            n @ 0..0xf0 => STEPS[usize::from(n) % STEPS.len()].as_bytes(),
            _ => input.piece(),
        };
        let desk = WORLD.directory.desks()[0].id.to_string();
        let mut fields: Vec<(char, Vec<u8>)> = vec![
            ('a', if act & 0x10 == 0 { window.hidden('a').into_bytes() } else { input.piece().to_vec() }),
            ('b', step.to_vec()),
            ('d', if act & 0x20 == 0 { desk.into_bytes() } else { input.piece().to_vec() }),
        ];
        if act & 0x40 != 0 {
            fields.push(('c', input.piece().to_vec()));
            fields.push(('y', input.piece().to_vec()));
            fields.push(('e', input.up_to(32).to_vec()));
        }
        for n in 0..6u8 {
            let word = window.six.get(usize::from(n)).map(|word| word.clone().into_bytes());
            let word = if act & 0x80 == 0 { word.unwrap_or_default() } else { input.up_to(9).to_vec() };
            fields.push((char::from(b'f' + n), word));
        }
        if act % 16 == 14 {
            let (name, file) = (input.up_to(12), input.piece());
            let mut body = Vec::new();
            for (mark, value) in &fields {
                body.extend(
                    format!("--edge\r\nContent-Disposition: form-data; name=\"{mark}\"\r\n\r\n").bytes(),
                );
                body.extend(value);
                body.extend(b"\r\n");
            }
            body.extend(b"--edge\r\nContent-Disposition: form-data; name=\"x\"; filename=\"");
            body.extend(name);
            body.extend(b"\"\r\n\r\n");
            body.extend(file);
            body.extend(b"\r\n--edge--\r\n");
            let request =
                Request::post("/contact").header(header::CONTENT_TYPE, "multipart/form-data; boundary=edge");
            window.send(request, body);
        } else {
            let body: Vec<_> =
                fields.iter().map(|(mark, value)| format!("{mark}={}", encode(value))).collect();
            window.send(form("/contact"), body.join("&").into_bytes());
        }
    }
}

fn form(path: &str) -> axum::http::request::Builder {
    Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
}

/// The desk's screens, with a vault that is made on them.
pub(crate) fn desk(bytes: &[u8]) {
    thread_local! {
        static WINDOW: RefCell<Option<Window>> = const { RefCell::new(None) };
    }
    with(&WINDOW, desks_window, |window| inbox(window, bytes));
}

fn desks_window() -> Window {
    let (runtime, mut rng, folder) = (runtime(), rng(), memory());
    let inside = runtime.enter();
    let address = "127.0.0.1:4322".parse().expect("an address");
    let (guard, link) = Guard::new(address, "firsthand desk", &mut rng);
    let vault = folder.path().join("vault");
    let app = desk::App::new(device(), vault, guard, Arc::new(Standing), Zone::utc(), &mut rng);
    let intake = (KeyKind::Intake.period(NOW), SealSecret::generate(&mut rng));
    let contents = VaultContents { vault_key: IdentitySecret::generate(&mut rng), intake: vec![intake] };
    app.offer(contents, Kdf::cheap());
    let router = desk::router(app);
    drop(inside);
    Window::open(runtime, router, &link, folder)
}

fn inbox(window: &mut Window, bytes: &[u8]) {
    let mut input = Input::new(bytes);
    for _ in 0..16 {
        if input.is_over() {
            return;
        }
        let act = input.byte();
        match act % 8 {
            0 => window.send(Request::get("/"), Vec::new()),
            1 => window.send(form("/lock"), input.piece().to_vec()),
            2 => window.send(Request::get("/vault"), Vec::new()),
            3 => {
                let path = format!("/conversations/{}", encode(input.piece()).replace("%2F", "/"));
                let text = format!("text={}", encode(input.piece()));
                if act & 8 == 0 {
                    window.send(Request::get(path), Vec::new());
                } else {
                    window.send(form(&path), text.into_bytes());
                }
            }
            4 => window.send(form("/vault"), input.piece().to_vec()),
            _ => {
                let step = ["show", "retype", "make", "open"][input.below(4)];
                let word = |n: usize| window.six.get(n).map_or(Vec::new(), |word| word.clone().into_bytes());
                let words = (0..6).map(|n| if act & 0x80 == 0 { word(n) } else { input.up_to(9).to_vec() });
                let words: String = (1..).zip(words).map(|(n, w)| format!("&w{n}={}", encode(&w))).collect();
                window.send(form("/vault"), format!("step={step}{words}").into_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_value_is_no_attribute() {
        let of = |tag: &'static str| attributes(tag).collect::<Vec<_>>();
        assert_eq!(of("input type=\"hidden\" value=\"on=\" required"), ["type", "value", "required"]);
        assert_eq!(of("p class=\"a onload\"  onclick=\"x\""), ["class", "onclick"]);
        assert!(of("p onclick=x").contains(&"onclick") && of("br").is_empty() && of("/p").is_empty());
    }

    #[test]
    #[should_panic = "it runs"]
    fn what_runs_is_found() {
        letters("<p>x</p><img src=\"/a\" onerror=\"b\">");
    }
}
