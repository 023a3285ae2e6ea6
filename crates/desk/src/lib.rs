//! The journalist's screens: the vault, the inbox, one conversation.
//!
//! The vault is opened by a passphrase. From then on the desk's machine collects what the drops bring, whether or not
//! the screen is locked; locking hides, it does not stop. A tip is shown as text and as nothing else. The window's
//! title carries no count: who looks over a shoulder, or at a shared screen, learns nothing from it.

mod document;
mod inbox;
mod vault;
mod words;

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State as Shared},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use client::{Device, Generator, Inbox, Kdf, VaultContents};
use maud::{Markup, html};
use proto::{Clock, Digest, Millis};
use rand::{CryptoRng, Rng as _, SeedableRng, rngs::StdRng};
use ui::{Frame, Guard, Link, Zone, answers, assets, headers, page};
use zeroize::Zeroizing;

use vault::Vaulted;

/// Without a step for this long the screen locks. Longer than a source's: a newsroom is a room of its own.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// Bytes of a form: 64 KiB of text with every byte percent-encoded, and some room for the rest.
const FORM: usize = 3 * 64 * 1024 + 8 * 1024;

/// What the desk's pages need.
pub struct App {
    device: Arc<Device>,
    /// Where the vault's file is, or will be.
    vault: PathBuf,
    guard: Arc<Guard>,
    clock: Arc<dyn Clock>,
    zone: Zone,
    state: Mutex<State>,
    rng: Generator,
    /// What a vault made on these pages will hold.
    offer: Mutex<Option<vault::Offer>>,
    /// The numbers of forms whose answer was sent, and what that was. Held while one is sent, so that a second press waits for the first.
    answered: Mutex<HashMap<String, Digest>>,
}

/// What the screens wait for, and what runs behind them.
#[derive(Default)]
struct State {
    vaulted: Vaulted,
    /// Unlocked once; collects from then on.
    inbox: Option<Arc<Inbox>>,
    /// Whether the screen shows it.
    shown: bool,
    /// Grows with every step.
    touched: u64,
    /// When the last one was made.
    at: Option<Millis>,
    /// The conversation that was on the screen, by its path: unlocking leads back to it.
    place: Option<String>,
    /// Answers being written, by conversation. In memory only.
    drafts: HashMap<String, Zeroizing<String>>,
}

impl App {
    /// `vault` is the file of the vault; `guard` keeps strangers out; `zone` is the one clock times are shown in; `rng`
    /// draws passphrases.
    pub fn new(
        device: Arc<Device>,
        vault: PathBuf,
        guard: Arc<Guard>,
        clock: Arc<dyn Clock>,
        zone: Zone,
        rng: &mut impl CryptoRng,
    ) -> Arc<App> {
        let rng = Generator::new(StdRng::from_rng(rng));
        Arc::new(App {
            device,
            vault,
            guard,
            clock,
            zone,
            state: Mutex::default(),
            rng,
            offer: Mutex::default(),
            answered: Mutex::default(),
        })
    }

    /// Hands over the secrets of a desk that has no vault yet, whose public halves stand in the directory. The pages
    /// then make the vault, under a passphrase drawn on the page, at the cost of `kdf` for each guess. Without an offer
    /// and without a file they say that the desk is not set up.
    pub fn offer(&self, contents: VaultContents, kdf: Kdf) {
        *self.offer.lock().unwrap_or_else(PoisonError::into_inner) = Some(vault::Offer::new(contents, kdf));
    }

    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self) -> MutexGuard<'_, HashMap<String, Digest>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a form in which an answer is written.
    fn draw_number(&self) -> String {
        let mut number = [0; 16];
        self.with_rng(|rng| rng.fill_bytes(&mut number));
        hex::encode(number)
    }

    fn with_rng<T>(&self, draw: impl FnOnce(&mut StdRng) -> T) -> T {
        draw(&mut self.rng.draw())
    }

    /// The inbox, if the screen is unlocked.
    fn inbox(&self) -> Option<Arc<Inbox>> {
        let mut state = self.state();
        state.doze(self.now());
        state.inbox.clone().filter(|_| state.shown)
    }
}

/// The desk's pages for a listener at `address`, and the launch link that opens them, once.
pub fn pages(
    device: Arc<Device>,
    vault: PathBuf,
    address: SocketAddr,
    clock: Arc<dyn Clock>,
    rng: &mut impl CryptoRng,
) -> (Router, String) {
    let (guard, link) = Guard::new(address, "firsthand desk", rng);
    (router(App::new(device, vault, guard, clock, Zone::system(), rng)), link)
}

/// All the desk's pages, behind the guard, with strict headers; the browser keeps none of them.
pub fn router(app: Arc<App>) -> Router {
    let guard = Arc::clone(&app.guard);
    let pages = Router::new()
        .route("/", get(inbox::list))
        .route("/next", get(inbox::next))
        .route("/vault", get(vault::door).post(vault::step))
        .route("/conversations/{id}", get(inbox::conversation).post(inbox::answer))
        .route("/conversations/{id}/draft", post(inbox::draft))
        .route("/conversations/{id}/documents/{first}", get(document::save))
        .route("/conversations/{id}/documents/{first}/picture", get(document::picture))
        .route("/lock", post(vault::lock))
        .fallback(|Shared(app): Shared<Arc<App>>| async move {
            (StatusCode::NOT_FOUND, plain(&app, words::NOT_HERE))
        })
        .layer(DefaultBodyLimit::max(FORM))
        .with_state(app);
    headers::strict(guard.around(headers::no_store(answers::apart(pages)).merge(assets::router())))
}

/// Collects for as long as the program runs: opens what new desk drops bring and acknowledges it, also while the
/// screen is locked.
async fn keep_collecting(app: Weak<App>, inbox: Arc<Inbox>) {
    while let Some(app) = app.upgrade() {
        let pause = app.device.status().round_ms.clamp(1_000, 60_000) / 2;
        drop(app);
        let collecting = Arc::clone(&inbox);
        blocking(move || collecting.collect()).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

/// A step was made: the time until the screen locks begins anew.
fn keep_awake(app: &Arc<App>) {
    let touched = {
        let (now, mut state) = (app.now(), app.state());
        state.doze(now);
        (state.touched, state.at) = (state.touched + 1, Some(now));
        state.touched
    };
    let app: Weak<App> = Arc::downgrade(app);
    tokio::spawn(async move {
        tokio::time::sleep(IDLE).await;
        if let Some(app) = app.upgrade() {
            let mut state = app.state();
            if state.touched == touched {
                state.lock();
            }
        }
    });
}

impl State {
    /// Locks if the last step was too long ago by the clock: a timer does not count the time for which a computer sleeps.
    fn doze(&mut self, now: Millis) {
        if self.at.is_some_and(|at| u128::from(now.0.saturating_sub(at.0)) >= IDLE.as_millis()) {
            self.lock();
        }
    }

    fn lock(&mut self) {
        self.shown = false;
        self.vaulted = Vaulted::default();
    }
}

/// Runs work that takes the processor for long, such as deriving a key, beside the other pages.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

fn frame(app: &App, title: &str, open: bool, main: &Markup) -> Markup {
    let nav = [Link::new("/", words::INBOX, title == words::INBOX)];
    let demonstration = app.device.status().network.is_some_and(|n| n.demonstration);
    page(Frame {
        title,
        place: words::DESK,
        nav: if open { &nav } else { &[] },
        banner: demonstration.then_some(ui::page::DEMONSTRATION),
        run: Some(app.guard.run()),
        main: html! {
            @if open {
                form.leave method="post" action="/lock" { button.quiet title=(words::LOCK_HINT) { (words::LOCK) } }
            }
            (main)
        },
        ..Frame::default()
    })
}

/// A page with one sentence and the way back.
fn plain(app: &App, sentence: &str) -> Markup {
    page(Frame {
        title: words::NOT_HERE_TITLE,
        place: words::DESK,
        run: Some(app.guard.run()),
        main: html! {
            div.note { h1 { (words::NOT_HERE_TITLE) } p { (sentence) } p { a href="/" { (words::INBOX) } } }
        },
        ..Frame::default()
    })
}

fn not_here(app: &App) -> Response {
    (StatusCode::NOT_FOUND, plain(app, words::NO_CONVERSATION)).into_response()
}
