//! The reader's screens: the front page, a story, and the way to the newsroom, which is the same for everyone.
//!
//! Everything shown comes from the [`Device`]'s own copy of the edition; opening a page never touches the network.
//! The private area lives at one public path, `/contact`: opening it shows a public page, and each step after that is
//! a POST answered at the same path under the same title.

mod contact;
mod front;
mod words;

#[cfg(test)]
#[path = "../tests/town/mod.rs"]
mod town;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use client::{Device, Generator};
use maud::{Markup, html};
use proto::{Clock, Millis};
use rand::{CryptoRng, SeedableRng, rngs::StdRng};
use ui::{Frame, Guard, Link, Zone, answers, assets, headers, page};

use contact::Area;

/// Bytes of a form: 64 KiB of text with every byte percent-encoded, and some room for the rest.
const FORM: usize = 3 * 64 * 1024 + 8 * 1024;

/// What the reader's pages need: the device they show, the time, and the private area, of which there is one.
pub struct App {
    device: Arc<Device>,
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
    zone: Zone,
    area: Mutex<Area>,
    rng: Generator,
}

impl App {
    /// `guard` keeps strangers out; `zone` is the one clock times are shown in; `rng` draws field names and
    /// passphrases.
    pub fn new(
        device: Arc<Device>,
        guard: Arc<Guard>,
        clock: Arc<dyn Clock>,
        zone: Zone,
        rng: &mut impl CryptoRng,
    ) -> Arc<App> {
        let rng = Generator::new(StdRng::from_rng(rng));
        Arc::new(App { device, guard, clock, zone, area: Mutex::default(), rng })
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn area(&self) -> MutexGuard<'_, Area> {
        self.area.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_rng<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.rng.draw())
    }
}

/// The reader's pages for a listener at `address`, and the launch link that opens them, once.
pub fn pages(
    device: Arc<Device>,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    rng: &mut impl CryptoRng,
) -> (Router, String) {
    let (guard, link) = Guard::new(address, "firsthand reader", rng);
    (router(App::new(device, guard, clock, Zone::system(), rng)), link)
}

/// All the reader's pages, behind the guard, with strict headers. Nothing but assets may be kept by the browser: what
/// was read is nobody's business either.
pub fn router(app: Arc<App>) -> Router {
    let guard = Arc::clone(&app.guard);
    let pages = Router::new()
        .route("/", get(front::front))
        .route("/stories/{id}", get(front::story))
        .route("/pictures/{id}", get(front::picture))
        .route(contact::PATH, get(contact::public).post(contact::step))
        .fallback(missing)
        .layer(DefaultBodyLimit::max(FORM))
        .with_state(app);
    headers::strict(guard.around(headers::no_store(answers::apart(pages)).merge(assets::router())))
}

/// Which link of the masthead is marked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Here {
    Front,
    Contact,
    Elsewhere,
}

fn frame(app: &App, here: Here, title: &str, again_s: Option<u32>, main: Markup) -> Markup {
    let contact = Link { in_place: true, ..Link::new(contact::PATH, words::CONTACT, here == Here::Contact) };
    let nav = [Link::new("/", words::FRONT_PAGE, here == Here::Front), contact];
    let demonstration = app.device.status().network.is_some_and(|n| n.demonstration);
    page(Frame {
        title,
        nav: &nav,
        banner: demonstration.then_some(ui::page::DEMONSTRATION),
        run: Some(app.guard.run()),
        again_s,
        main,
        ..Frame::default()
    })
}

async fn missing(State(app): State<Arc<App>>, uri: Uri) -> Response {
    if uri.path() == "/favicon.ico" {
        return StatusCode::NOT_FOUND.into_response();
    }
    (StatusCode::NOT_FOUND, plain(&app, words::NOT_HERE)).into_response()
}

/// A page with one sentence and the way back.
fn plain(app: &App, sentence: &str) -> Markup {
    page(Frame {
        title: words::NOT_HERE_TITLE,
        run: Some(app.guard.run()),
        main: html! {
            div.note {
                h1 { (words::NOT_HERE_TITLE) }
                p { (sentence) }
                p { a href="/" { (words::FRONT_PAGE) } }
            }
        },
        ..Frame::default()
    })
}
