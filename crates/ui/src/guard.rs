//! The loopback guard: pages served on this machine answer to the browser that the program opened, and to nobody else.
//!
//! Any web page and any program on the machine can reach a loopback port. So: the launch link carries a token that
//! works once and leads to a session cookie; `Host` must be the exact name (another rebound to loopback is not);
//! nothing is shown to another site's page, and whatever changes something must come from our own, by `Origin` and
//! `Sec-Fetch-Site`.
//!
//! Names are drawn at every start: `1f0c....localhost`, which browsers take to this machine without asking anybody.
//! Cookies do not know ports: under a name that another user knows, that user's port would be sent ours. The link's name
//! stands in the browser's arguments, which everybody on the machine can read, so nothing is kept under it: there the link is
//! exchanged for one to a second name, which stands in no argument, and only that one has the cookie.
//! Assets pass without the cookie: they are the same on every install.
//!
//! A page outlives the program, and whoever takes the port then is asked in its place. So something is drawn at every start
//! that stands on every page: the module sends nothing to, and draws nothing of, whoever does not know it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Redirect, Response},
};
use maud::html;
use rand::CryptoRng;
use subtle::ConstantTimeEq;

use crate::{
    answers, assets,
    page::{Frame, page},
};

/// Where a page asks whether the program that made it still answers.
const RUN: &str = "/run";

/// The query key of a launch link.
const LAUNCH: &str = "launch";

/// The query key of what a launch link is exchanged for.
const ENTER: &str = "enter";

/// Decides which requests a loopback service answers.
pub struct Guard {
    /// The name in the launch link. Others may know it.
    link_host: String,
    /// The name of the pages.
    host: String,
    origin: String,
    cookie: String,
    session: Token,
    run: String,
    launch: Ticket,
    enter: Ticket,
    /// What a person runs to get a fresh link, e.g. "firsthand reader".
    command: &'static str,
}

/// 32 random bytes, written as 64 hex digits. No `Debug`, no `==`.
struct Token([u8; 32]);

/// A token that works once: for the first request that brings it.
struct Ticket {
    token: Token,
    spent: AtomicBool,
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    Host,
    Spent,
    NoSession,
    Stranger,
}

impl Guard {
    /// Makes the guard of a service listening at `address`, and the launch link that opens it, once.
    /// `command` is what the refusal page tells people to run.
    pub fn new(address: SocketAddr, command: &'static str, rng: &mut impl CryptoRng) -> (Arc<Guard>, String) {
        let [link_host, host] = [(); 2].map(|()| {
            let mut name = [0; 8];
            rng.fill_bytes(&mut name);
            format!("{}.localhost:{}", hex::encode(name), address.port())
        });
        let mut run = [0; 16];
        rng.fill_bytes(&mut run);
        let guard = Guard {
            link_host,
            origin: format!("http://{host}"),
            host,
            cookie: format!("firsthand-{}", address.port()),
            session: Token::random(rng),
            run: hex::encode(run),
            launch: Ticket::random(rng),
            enter: Ticket::random(rng),
            command,
        };
        let link = guard.launch.link(&guard.link_host, LAUNCH);
        (Arc::new(guard), link)
    }

    /// What was drawn at this start, for the frame of every page. Pages for strangers do not have it.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Puts the guard around every route of the router and its fallback.
    pub fn around<S: Clone + Send + Sync + 'static>(self: Arc<Self>, router: Router<S>) -> Router<S> {
        router.layer(from_fn(move |request: Request, next: Next| {
            let guard = Arc::clone(&self);
            async move {
                let mut answer = match guard.admit(request.method(), request.uri(), request.headers()) {
                    Ok(None) => next.run(request).await,
                    Ok(Some(answer)) => answer,
                    // What it brought stays with no page; the page that it leads to is refused again.
                    Err(_) if answers::is_form(request.method(), request.headers()) => {
                        ([(header::CACHE_CONTROL, "no-store")], Redirect::to("/")).into_response()
                    }
                    Err(refusal) => guard.refuse(refusal),
                };
                // Linux tells every user how much went over a connection in each direction since it began: over one that is
                // used again and again, how much somebody writes here.
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                answer
            }
        }))
    }

    /// `Ok(None)`: go on. `Ok(Some(..))`: the guard's own answer.
    fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Option<Response>, Refusal> {
        let host = single(headers, header::HOST);
        let is_link = host == Some(self.link_host.as_str());
        if !is_link && host != Some(self.host.as_str()) {
            return Err(Refusal::Host);
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if reads && uri.path().starts_with(assets::PREFIX) {
            return Ok(None);
        }
        if is_link {
            // Who was here before is not known under this name, and is not told the other.
            let token = token(uri, LAUNCH).filter(|_| *method == Method::GET).ok_or(Refusal::NoSession)?;
            return if self.launch.spend(token) { Ok(Some(self.lead_on())) } else { Err(Refusal::Spent) };
        }
        let known = self.has_session(headers);
        if let Some(token) = token(uri, ENTER).filter(|_| *method == Method::GET) {
            if !known && !self.enter.spend(token) {
                return Err(Refusal::Spent);
            }
            return Ok(Some(self.welcome()));
        }
        if !known {
            return Err(Refusal::NoSession);
        }
        let site = headers.get("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin" && site != "none")
            || (!reads && !self.is_ours(headers))
        {
            return Err(Refusal::Stranger);
        }
        if *method == Method::GET && uri.path() == RUN {
            return Ok(Some(([(header::CACHE_CONTROL, "no-store")], self.run.clone()).into_response()));
        }
        Ok(None)
    }

    fn has_session(&self, headers: &HeaderMap) -> bool {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && self.session.is(value))
    }

    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site").map(|site| site == "same-origin");
        single(headers, header::ORIGIN) == Some(self.origin.as_str()) && site != Some(false)
    }

    /// From the link's name to the pages'.
    fn lead_on(&self) -> Response {
        let to = self.enter.link(&self.host, ENTER);
        (StatusCode::SEE_OTHER, [(header::LOCATION, to), (header::CACHE_CONTROL, "no-store".to_owned())])
            .into_response()
    }

    /// Gives the cookie, on a page that goes on by itself. A redirect would not do: to some browsers what comes of one from
    /// another name is not ours all the way down, and they would not send the cookie along.
    fn welcome(&self) -> Response {
        let cookie =
            format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, hex::encode(self.session.0));
        let headers = [
            (header::SET_COOKIE, cookie),
            (header::REFRESH, "0; url=/".to_owned()),
            (header::CACHE_CONTROL, "no-store".to_owned()),
        ];
        let main = html! { h1 { "This link is yours" } p { a href="/" { "Go on" } } };
        (headers, page(Frame { title: "Opened", main, ..Frame::default() })).into_response()
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        let (what, todo) = match refusal {
            Refusal::Host => {
                ("This address is not the one the program gave out.", "Open the link that it printed.")
            }
            Refusal::Spent => (
                "This link was used before. Each link works once.",
                "Go back to the window it opened, or get a new link.",
            ),
            Refusal::NoSession => (
                "This page belongs to another browser window.",
                "Open the link that the program printed, or get a new one.",
            ),
            Refusal::Stranger => (
                "This request did not come from one of our own pages.",
                "Nothing was done. Go back and try again.",
            ),
        };
        let body = page(Frame {
            title: "Not opened",
            main: html! {
                div.note {
                    h1 { "This page stays closed" }
                    p { (what) }
                    p { (todo) }
                    p { "For a new link, stop the program and start it again: " code { (self.command) } }
                }
            },
            ..Frame::default()
        });
        (StatusCode::FORBIDDEN, [(header::CACHE_CONTROL, "no-store")], body).into_response()
    }
}

impl Token {
    fn random(rng: &mut impl CryptoRng) -> Token {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Token(bytes)
    }

    /// Compares in constant time with 64 hex digits.
    fn is(&self, digits: &str) -> bool {
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).is_ok() && bool::from(self.0.ct_eq(&bytes))
    }
}

impl Ticket {
    fn random(rng: &mut impl CryptoRng) -> Ticket {
        Ticket { token: Token::random(rng), spent: AtomicBool::new(false) }
    }

    fn spend(&self, digits: &str) -> bool {
        self.token.is(digits) && !self.spent.swap(true, Ordering::Relaxed)
    }

    /// The link that brings it.
    fn link(&self, host: &str, key: &str) -> String {
        format!("http://{host}/?{key}={}", hex::encode(self.token.0))
    }
}

fn token<'a>(uri: &'a Uri, key: &str) -> Option<&'a str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
}

/// A header that must be there exactly once.
fn single(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, routing::get};
    use rand::{SeedableRng, rngs::StdRng};
    use tower::ServiceExt as _;

    use super::*;

    fn service() -> (Router, String, String) {
        let (guard, link) = guard();
        let cookie = format!("{}={}", guard.cookie, hex::encode(guard.session.0));
        let router = Router::new().route("/", get(|| async { "page" }).post(|| async { "done" }));
        (guard.around(router.merge(assets::router())), link, cookie)
    }

    fn guard() -> (Arc<Guard>, String) {
        Guard::new("127.0.0.1:4321".parse().unwrap(), "firsthand reader", &mut StdRng::seed_from_u64(7))
    }

    fn host() -> String {
        guard().0.host.clone()
    }

    fn origin() -> String {
        format!("http://{}", host())
    }

    async fn ask(router: &Router, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut request = axum::http::Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", host());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    /// What a browser asks that follows this link, and what it is answered.
    async fn follow(router: &Router, link: &str, headers: &[(&str, &str)]) -> Response {
        let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
        let headers: Vec<_> = headers.iter().copied().chain([("host", host)]).collect();
        ask(router, "GET", &format!("/{path}"), &headers).await
    }

    fn location(answer: &Response) -> String {
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn launch_link_works_once() {
        let (router, link, _) = service();
        let answer = follow(&router, &link, &[]).await;
        assert_eq!(answer.status(), 303);
        let enter = location(&answer);
        assert!(enter.starts_with(&format!("{}/?", origin())), "{enter}");
        let answer = follow(&router, &enter, &[]).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["refresh"]),
            (200, &"0; url=/".parse().unwrap())
        );
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        assert_eq!(ask(&router, "GET", "/", &[("cookie", cookie)]).await.status(), 200);
        // Again both are refused, and the second is not where the window has the cookie.
        for link in [&link, &enter] {
            assert_eq!(follow(&router, link, &[]).await.status(), 403);
        }
        assert_eq!(follow(&router, &enter, &[("cookie", cookie)]).await.status(), 200);
    }

    /// Others know the name in the link, from the browser's arguments. What the browser has for that name it sends to every
    /// port there, theirs too.
    #[tokio::test]
    async fn whoever_listens_under_the_name_in_the_link_is_sent_no_cookie_and_led_nowhere() {
        let (router, link, cookie) = service();
        let answer = follow(&router, &link, &[]).await;
        assert!(!answer.headers().contains_key("set-cookie"), "there is a cookie under the link's name");
        let known = guard().0.link_host.clone();
        assert!(link.starts_with(&format!("http://{known}/")) && !link.contains(&host()));
        // Even a browser that has the cookie is answered nothing under it.
        for (method, path) in
            [("GET", "/"), ("GET", RUN), ("GET", "/?launch=0"), ("GET", "/?enter=0"), ("POST", "/")]
        {
            let own = format!("http://{known}");
            let headers = [("host", known.as_str()), ("cookie", cookie.as_str()), ("origin", own.as_str())];
            let answer = ask(&router, method, path, &headers).await;
            assert_eq!(answer.status(), 403, "{method} {path}");
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            assert!(!String::from_utf8(body.to_vec()).unwrap().contains(&host()), "{method} {path}");
        }
        let answer = follow(&router, &link, &[("cookie", &cookie)]).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("location")), (403, None));
        // And the second token is none under the first name, nor the first under the second.
        let token = |link: &str| link.rsplit_once('=').unwrap().1.to_owned();
        let (router, link, _) = service();
        assert_eq!(ask(&router, "GET", &format!("/?enter={}", token(&link)), &[]).await.status(), 403);
        assert_eq!(ask(&router, "GET", &format!("/?launch={}", token(&link)), &[]).await.status(), 403);
        let enter = location(&follow(&router, &link, &[]).await);
        for key in [LAUNCH, ENTER] {
            let path = format!("/?{key}={}", token(&enter));
            assert_eq!(ask(&router, "GET", &path, &[("host", &known)]).await.status(), 403);
        }
        assert_eq!(follow(&router, &enter, &[]).await.status(), 200);
    }

    #[test]
    fn every_start_has_names_of_its_own() {
        let mut rng = StdRng::seed_from_u64(8);
        let [a, b] = [(); 2].map(|()| Guard::new("127.0.0.1:4321".parse().unwrap(), "x", &mut rng).0);
        let mut names = [&a.host, &a.link_host, &b.host, &b.link_host];
        for name in names {
            assert!(
                name.ends_with(".localhost:4321") && name.len() == 16 + ".localhost:4321".len(),
                "{name}"
            );
        }
        names.sort();
        assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    }

    #[tokio::test]
    async fn wrong_token_does_not_spend_the_link() {
        let (router, link, _) = service();
        let known = guard().0.link_host.clone();
        for wrong in ["", "00", &"0".repeat(64), "%00"] {
            let path = format!("/?launch={wrong}");
            assert_eq!(ask(&router, "GET", &path, &[("host", &known)]).await.status(), 403);
            assert_eq!(ask(&router, "GET", &format!("/?enter={wrong}"), &[]).await.status(), 403);
        }
        let answer = follow(&router, &link, &[]).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(follow(&router, &location(&answer), &[]).await.status(), 200);
    }

    #[tokio::test]
    async fn refuses_without_session_and_from_strangers() {
        let (router, _, cookie) = service();
        let cookie = cookie.as_str();
        let own = origin();
        let own = own.as_str();
        for (method, headers, status) in [
            ("GET", &[][..], 403),
            ("GET", &[("cookie", "firsthand-4321=00")], 403),
            ("GET", &[("cookie", cookie)], 200),
            ("GET", &[("cookie", &format!("other=1; {cookie}"))], 200),
            ("GET", &[("cookie", cookie), ("sec-fetch-site", "none")], 200),
            ("GET", &[("cookie", cookie), ("sec-fetch-site", "same-site")], 403),
            ("GET", &[("cookie", cookie), ("sec-fetch-site", "cross-site")], 403),
            ("GET", &[("cookie", cookie), ("host", "localhost:4321")], 403),
            ("GET", &[("cookie", cookie), ("host", "127.0.0.1:4321")], 403),
            ("GET", &[("cookie", cookie), ("host", "evil.example:4321")], 403),
            ("GET", &[("cookie", cookie), ("host", "127.0.0.1")], 403),
            ("POST", &[("cookie", cookie)], 403),
            ("POST", &[("cookie", cookie), ("origin", own)], 200),
            ("POST", &[("origin", own)], 403),
            ("POST", &[("cookie", cookie), ("origin", "null")], 403),
            ("POST", &[("cookie", cookie), ("origin", "http://127.0.0.1:9999")], 403),
            ("POST", &[("cookie", cookie), ("origin", own), ("sec-fetch-site", "same-origin")], 200),
            ("POST", &[("cookie", cookie), ("origin", own), ("sec-fetch-site", "same-site")], 403),
            ("POST", &[("cookie", cookie), ("origin", own), ("sec-fetch-site", "none")], 403),
            ("DELETE", &[("cookie", cookie)], 403),
        ] {
            assert_eq!(ask(&router, method, "/", headers).await.status(), status, "{method} {headers:?}");
        }
    }

    #[tokio::test]
    async fn refusal_says_what_to_do() {
        let (router, ..) = service();
        let body =
            axum::body::to_bytes(ask(&router, "GET", "/", &[]).await.into_body(), 1 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(body.contains("Open the link that the program printed") && body.contains("firsthand reader"));
    }

    #[tokio::test]
    async fn assets_pass_without_session_but_not_for_other_hosts() {
        let (router, ..) = service();
        assert_eq!(ask(&router, "GET", assets::css(), &[]).await.status(), 200);
        let link_host = guard().0.link_host.clone();
        assert_eq!(ask(&router, "GET", assets::css(), &[("host", &link_host)]).await.status(), 200);
        assert_eq!(ask(&router, "GET", assets::css(), &[("host", "evil.example")]).await.status(), 403);
        assert_eq!(ask(&router, "POST", assets::css(), &[]).await.status(), 403);
    }

    #[tokio::test]
    async fn every_answer_ends_its_connection() {
        let (router, link, cookie) = service();
        let (host, own) = (host(), origin());
        let session = [("host", host.as_str()), ("cookie", &*cookie), ("origin", &*own)];
        for (method, path, headers) in [
            ("GET", "/", &session[..]),
            ("POST", "/", &session[..]),
            ("GET", RUN, &session[..]),
            ("GET", "/nowhere", &session[..]),
            ("GET", assets::css(), &session[..]),
            ("GET", "/", &[][..]),
            ("GET", "/", &[("host", "evil.example")][..]),
        ] {
            let answer = ask(&router, method, path, headers).await;
            let connection = answer.headers().get("connection");
            assert_eq!(connection.map(|c| c.as_bytes()), Some(&b"close"[..]), "{method} {path} {headers:?}");
        }
        assert_eq!(follow(&router, &link, &[]).await.headers()["connection"], "close");
    }

    #[tokio::test]
    async fn a_form_that_is_refused_leads_to_a_page_that_is() {
        let (router, _, cookie) = service();
        for headers in [&[][..], &[("host", "evil.example")], &[("cookie", &*cookie), ("origin", "null")]] {
            let form: Vec<_> = headers.iter().copied().chain([("sec-fetch-mode", "navigate")]).collect();
            let answer = ask(&router, "POST", "/", &form).await;
            assert_eq!((answer.status().as_u16(), &*location(&answer)), (303, "/"), "{headers:?}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
        }
        assert_eq!(ask(&router, "GET", "/", &[("sec-fetch-mode", "navigate")]).await.status(), 403);
    }

    #[tokio::test]
    async fn who_has_the_session_learns_which_start_this_is_and_nobody_else() {
        let (router, _, cookie) = service();
        let cookie = cookie.as_str();
        let run = guard().0.run.clone();
        for (headers, status) in [
            (&[][..], 403),
            (&[("cookie", cookie)], 200),
            (&[("cookie", cookie), ("sec-fetch-site", "same-origin")], 200),
            (&[("cookie", cookie), ("sec-fetch-site", "cross-site")], 403),
            (&[("cookie", cookie), ("host", "127.0.0.1:4321")], 403),
        ] {
            let answer = ask(&router, "GET", RUN, headers).await;
            assert_eq!(answer.status(), status, "{headers:?}");
            assert_eq!(answer.headers()["cache-control"], "no-store", "{headers:?}");
            let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let said = String::from_utf8(body.to_vec()).unwrap();
            assert_eq!((said == run, said.contains(&run)), (status == 200, status == 200), "{headers:?}");
        }
        let other = Guard::new("127.0.0.1:4321".parse().unwrap(), "x", &mut StdRng::seed_from_u64(8)).0;
        assert_ne!(other.run(), run);
        // The module asks there.
        assert!(include_str!("../assets/firsthand.js").contains(&format!("fetch({RUN:?})")));
    }
}
