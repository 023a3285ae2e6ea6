//! Answers to forms are pages of their own. A browser keeps what a form brought beside the page that answered it, to bring it
//! again when the page is loaded again, and writes both to its disk: six words and messages too, whatever the page forbids.
//! So a form is never answered by a page. What it led to waits here, in memory, and is shown at the form's own address to
//! the first who opens that: what the browser keeps then brings nothing.
//!
//! What the module asks with `fetch` is kept nowhere and is answered at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};

/// How long an answer waits for the browser, which comes for it at once.
const WAITS: Duration = Duration::from_secs(10);

/// What waits. There is one, as there is one session.
#[derive(Default)]
struct Waiting {
    answer: Option<(HeaderValue, Response)>,
    /// Grows with every form: what an earlier one led to is nobody's any more.
    forms: u64,
}

/// Has every form of the router answered by a page of its own. Goes inside the guard: what waits is shown to whoever asks.
pub fn apart<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    let waiting = Arc::new(Mutex::new(Waiting::default()));
    router.layer(from_fn(move |request: Request, next: Next| answer(Arc::clone(&waiting), request, next)))
}

async fn answer(waiting: Arc<Mutex<Waiting>>, request: Request, next: Next) -> Response {
    let place = place(request.uri());
    let opens = is_navigation(request.headers());
    match *request.method() {
        Method::GET if opens => {
            let waited = held(&waiting).answer.take().filter(|(at, _)| *at == place);
            match waited {
                Some((_, answer)) => answer,
                None => next.run(request).await,
            }
        }
        Method::POST => {
            let form = opens.then(|| held(&waiting).begin());
            let answer = next.run(request).await;
            // What leads elsewhere has nothing to show, and closes what was open: nothing of it may wait any longer.
            if answer.status().is_redirection() {
                held(&waiting).begin();
                return answer;
            }
            let Some(form) = form else { return answer };
            held(&waiting).keep(form, place.clone(), answer);
            tokio::spawn(async move {
                tokio::time::sleep(WAITS).await;
                held(&waiting).forget(form);
            });
            (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
        }
        _ => next.run(request).await,
    }
}

impl Waiting {
    fn begin(&mut self) -> u64 {
        self.answer = None;
        self.forms += 1;
        self.forms
    }

    fn keep(&mut self, form: u64, place: HeaderValue, answer: Response) {
        if self.forms == form {
            self.answer = Some((place, answer));
        }
    }

    fn forget(&mut self, form: u64) {
        if self.forms == form {
            self.answer = None;
        }
    }
}

fn held(waiting: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the answer becomes a page in the browser's window. A browser that does not say so is taken to open it.
fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// Whether this is a form that says so of itself: its answer becomes a page.
pub(crate) fn is_form(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::POST && headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
}

/// The form's own address. One such as `//host` would lead elsewhere when sent back as a location.
fn place(uri: &Uri) -> HeaderValue {
    HeaderValue::try_from(format!("/{}", uri.path().trim_start_matches(['/', '\\'])))
        .unwrap_or(HeaderValue::from_static("/"))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, response::Redirect, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    fn service() -> Router {
        let answered = |body: String| async move {
            match body.as_str() {
                "leave" => Redirect::to("/elsewhere").into_response(),
                "long" => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
                _ => format!("wrong: {body}").into_response(),
            }
        };
        apart(
            Router::new()
                .route("/", get(|| async { "page" }))
                .route("/door", get(|| async { "door" }).post(answered)),
        )
    }

    async fn ask(
        router: &Router,
        method: &str,
        path: &str,
        mode: Option<&str>,
        body: &'static str,
    ) -> (u16, String, String) {
        let mut request = axum::http::Request::builder().method(method).uri(path);
        if let Some(mode) = mode {
            request = request.header("sec-fetch-mode", mode);
        }
        let answer = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (head, body) = answer.into_parts();
        let location = head.headers.get("location").map_or("", |to| to.to_str().unwrap()).to_owned();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        (head.status.as_u16(), location, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn post(router: &Router, body: &'static str) {
        let led = ask(router, "POST", "/door", Some("navigate"), body).await;
        assert_eq!(led, (303, "/door".into(), String::new()), "a form is answered by a page");
    }

    async fn opens(router: &Router, path: &str) -> String {
        ask(router, "GET", path, Some("navigate"), "").await.2
    }

    #[tokio::test]
    async fn a_form_is_never_answered_by_a_page_and_what_it_led_to_is_shown_once() {
        let router = service();
        post(&router, "abacus").await;
        assert_eq!(opens(&router, "/door").await, "wrong: abacus");
        assert_eq!(opens(&router, "/door").await, "door");
        // Whatever went wrong; and in a browser that does not say what it is about to do.
        post(&router, "long").await;
        assert_eq!(ask(&router, "GET", "/door", None, "").await.0, 413);
        assert_eq!(ask(&router, "POST", "/door", None, "x").await.0, 303);
        assert_eq!(ask(&router, "GET", "/door", None, "").await.2, "wrong: x");
        assert_eq!(ask(&router, "POST", "//evil.example/x", None, "x").await.1, "/evil.example/x");
    }

    #[tokio::test]
    async fn what_the_module_asks_is_answered_at_once_and_takes_nothing() {
        let router = service();
        post(&router, "abacus").await;
        let asked = ask(&router, "POST", "/door", Some("cors"), "look").await;
        assert_eq!(asked, (200, String::new(), "wrong: look".into()));
        assert_eq!(ask(&router, "GET", "/door", Some("cors"), "").await.2, "door");
        assert_eq!(opens(&router, "/door").await, "wrong: abacus");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_is_gone_once_anything_else_is_done_and_after_a_moment() {
        let router = service();
        // Somebody left, by the page or by the module.
        for mode in ["navigate", "cors"] {
            post(&router, "abacus").await;
            assert_eq!(ask(&router, "POST", "/door", Some(mode), "leave").await.1, "/elsewhere");
            assert_eq!(opens(&router, "/door").await, "door", "{mode}");
        }
        post(&router, "abacus").await;
        assert_eq!(opens(&router, "/").await, "page");
        assert_eq!(opens(&router, "/door").await, "door");
        post(&router, "abacus").await;
        post(&router, "abbey").await;
        assert_eq!(opens(&router, "/door").await, "wrong: abbey");
        post(&router, "abacus").await;
        tokio::time::sleep(WAITS + Duration::from_secs(1)).await;
        assert_eq!(opens(&router, "/door").await, "door");
    }
}
