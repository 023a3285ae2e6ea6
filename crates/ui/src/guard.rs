//! The loopback guard: pages served on this machine answer to the browser that the program opened, and to nobody else.
//!
//! Any web page and any program on the machine can reach a loopback port. So: the launch link carries a token that
//! works once and is exchanged for a session cookie; `Host` must be the exact name (another rebound to loopback is not);
//! nothing is shown to another site's page, and whatever changes something must come from our own, by `Origin` and
//! `Sec-Fetch-Site`.
//!
//! The name is drawn at every start: `1f0c....localhost`, which browsers take to this machine without asking anybody.
//! Cookies do not know ports: under 127.0.0.1 any other program's port on the machine would be sent ours.
//! Assets pass without the cookie: they are the same on every install.
//!
//! A page outlives the program, and whoever takes the port then is asked in its place. So something is drawn at every start
//! that stands on every page: the module sends nothing to, and draws nothing of, whoever does not know it.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use maud::html;
use rand::CryptoRng;
use subtle::ConstantTimeEq;

use crate::{
    assets,
    page::{Frame, page},
};

/// Where a page asks whether the program that made it still answers.
const RUN: &str = "/run";

/// The query key of a launch link.
const LAUNCH: &str = "launch";

/// Decides which requests a loopback service answers.
pub struct Guard {
    host: String,
    origin: String,
    cookie: String,
    session: Token,
    run: String,
    /// Taken by the first request that brings it.
    launch: Mutex<Option<Token>>,
    /// What a person runs to get a fresh link, e.g. "firsthand reader".
    command: &'static str,
}

/// 32 random bytes, written as 64 hex digits. No `Debug`, no `==`.
struct Token([u8; 32]);

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
        let (session, launch) = (Token::random(rng), Token::random(rng));
        let (mut name, mut run) = ([0; 8], [0; 16]);
        rng.fill_bytes(&mut name);
        rng.fill_bytes(&mut run);
        let host = format!("{}.localhost:{}", hex::encode(name), address.port());
        let link = format!("http://{host}/?{LAUNCH}={}", hex::encode(launch.0));
        let guard = Guard {
            origin: format!("http://{host}"),
            host,
            cookie: format!("firsthand-{}", address.port()),
            session,
            run: hex::encode(run),
            launch: Mutex::new(Some(launch)),
            command,
        };
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
                match guard.admit(request.method(), request.uri(), request.headers()) {
                    Ok(None) => next.run(request).await,
                    Ok(Some(answer)) => answer,
                    Err(refusal) => guard.refuse(refusal),
                }
            }
        }))
    }

    /// `Ok(None)`: go on. `Ok(Some(..))`: the guard's own answer to a launch link.
    fn admit(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Option<Response>, Refusal> {
        if single(headers, header::HOST) != Some(self.host.as_str()) {
            return Err(Refusal::Host);
        }
        let reads = matches!(*method, Method::GET | Method::HEAD);
        if reads && uri.path().starts_with(assets::PREFIX) {
            return Ok(None);
        }
        let known = self.has_session(headers);
        if let Some(token) = launch_token(uri).filter(|_| *method == Method::GET) {
            if !known && !self.spend(token) {
                return Err(Refusal::Spent);
            }
            return Ok(Some(self.welcome(uri.path())));
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

    fn spend(&self, token: &str) -> bool {
        let mut launch = self.launch.lock().unwrap_or_else(PoisonError::into_inner);
        launch.take_if(|expected| expected.is(token)).is_some()
    }

    fn is_ours(&self, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site").map(|site| site == "same-origin");
        single(headers, header::ORIGIN) == Some(self.origin.as_str()) && site != Some(false)
    }

    fn welcome(&self, path: &str) -> Response {
        let cookie =
            format!("{}={}; Path=/; HttpOnly; SameSite=Strict", self.cookie, hex::encode(self.session.0));
        // A path such as `//host` would lead elsewhere when sent back as a location.
        let path = format!("/{}", path.trim_start_matches(['/', '\\']));
        (
            StatusCode::SEE_OTHER,
            [
                (header::SET_COOKIE, cookie),
                (header::LOCATION, path),
                (header::CACHE_CONTROL, "no-store".to_owned()),
            ],
        )
            .into_response()
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

fn launch_token(uri: &Uri) -> Option<&str> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix(LAUNCH)?.strip_prefix('='))
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

    #[tokio::test]
    async fn launch_link_works_once() {
        let (router, link, _) = service();
        let path = link.strip_prefix(&origin()).unwrap();
        let answer = ask(&router, "GET", path, &[]).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], "/");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap();
        assert_eq!(ask(&router, "GET", "/", &[("cookie", cookie)]).await.status(), 200);
        // again without the cookie: refused; in the window that has it: led to the page
        assert_eq!(ask(&router, "GET", path, &[]).await.status(), 403);
        assert_eq!(ask(&router, "GET", path, &[("cookie", cookie)]).await.status(), 303);
    }

    #[test]
    fn every_start_has_a_name_of_its_own() {
        let mut rng = StdRng::seed_from_u64(8);
        let [a, b] =
            [(); 2].map(|()| Guard::new("127.0.0.1:4321".parse().unwrap(), "x", &mut rng).0.host.clone());
        assert_ne!(a, b);
        assert!(a.ends_with(".localhost:4321") && a.len() == 16 + ".localhost:4321".len(), "{a}");
    }

    #[tokio::test]
    async fn wrong_token_does_not_spend_the_link() {
        let (router, link, _) = service();
        for wrong in ["", "00", &"0".repeat(64), "%00"] {
            assert_eq!(ask(&router, "GET", &format!("/?launch={wrong}"), &[]).await.status(), 403);
        }
        assert_eq!(ask(&router, "GET", &link[origin().len()..], &[]).await.status(), 303);
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
        assert_eq!(ask(&router, "GET", assets::css(), &[("host", "evil.example")]).await.status(), 403);
        assert_eq!(ask(&router, "POST", assets::css(), &[]).await.status(), 403);
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

    #[tokio::test]
    async fn launch_never_leads_away() {
        let (router, _, cookie) = service();
        let answer = ask(&router, "GET", "//evil.example/x?launch=1", &[("cookie", &cookie)]).await;
        assert_eq!(answer.headers()["location"], "/evil.example/x");
    }
}
