//! The vault's door: make it once, open it with its passphrase, lock the screen.

use std::sync::{Arc, MutexGuard, PoisonError};

use axum::{
    Form,
    extract::State as Shared,
    response::{IntoResponse, Redirect, Response},
};
use client::{
    Inbox, Kdf, Passphrase, PassphraseError, UnlockError, Unwritten, Vault, VaultContents, VaultError,
};
use maud::{Markup, html};
use rand::{SeedableRng, rngs::StdRng};
use serde::Deserialize;
use ui::{passphrase, text::fill};

use crate::{App, State, blocking, frame, keep_awake, keep_collecting, words};

/// What the door waits for while a vault is being made.
#[derive(Default)]
pub(crate) enum Vaulted {
    #[default]
    ExpectStart,
    /// Six words are shown; nothing is written until they are typed back.
    ExpectRetyping(Arc<Passphrase>),
}

/// A step at the door. No `Debug`: it holds a passphrase.
#[derive(Deserialize)]
pub(crate) struct Posted {
    step: Step,
    #[serde(flatten)]
    words: Words,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    Show,
    Retype,
    Make,
    Open,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Words {
    w1: String,
    w2: String,
    w3: String,
    w4: String,
    w5: String,
    w6: String,
}

/// The secrets of a desk that has no vault yet.
pub(crate) struct Offer {
    contents: VaultContents,
    kdf: Kdf,
}

impl Offer {
    pub(crate) fn new(contents: VaultContents, kdf: Kdf) -> Offer {
        Offer { contents, kdf }
    }

    /// Making a vault takes the secrets; if it fails, they are still here.
    fn copy(&self) -> (VaultContents, Kdf) {
        (self.contents.copy(), self.kdf)
    }
}

type Six = [String; passphrase::WORDS];

/// `GET /vault`: whatever the door shows first.
pub(crate) async fn door(Shared(app): Shared<Arc<App>>) -> Response {
    if app.inbox().is_some() {
        return Redirect::to("/").into_response();
    }
    if app.vault.exists() { opening(&app, &Six::default(), None) } else { making(&app) }
}

/// `POST /vault`
pub(crate) async fn step(Shared(app): Shared<Arc<App>>, Form(posted): Form<Posted>) -> Response {
    keep_awake(&app);
    let w = posted.words;
    let typed = passphrase::spread([w.w1, w.w2, w.w3, w.w4, w.w5, w.w6]);
    match (posted.step, app.vault.exists()) {
        (Step::Open, true) => open(&app, &typed).await,
        // A vault that is there is never made anew
        (_, true) => opening(&app, &Six::default(), None),
        (Step::Show, false) => show(&app),
        (Step::Retype, false) => retyping(&app, &Six::default(), &[]),
        (Step::Make, false) => make(&app, &typed).await,
        (Step::Open, false) => making(&app),
    }
}

/// `POST /lock`: hides everything at once. Collecting goes on.
pub(crate) async fn lock(Shared(app): Shared<Arc<App>>) -> Redirect {
    app.state().lock();
    Redirect::to("/vault")
}

async fn open(app: &Arc<App>, typed: &Six) -> Response {
    let problem = |sentence: &str| opening(app, typed, Some(sentence));
    let passphrase = match Passphrase::parse(&typed.join(" ")) {
        Ok(passphrase) => passphrase,
        Err(PassphraseError::Unknown(place)) if typed.iter().all(|word| !word.is_empty()) => {
            return problem(&words::NOT_A_WORD.replace("{}", &place.to_string()));
        }
        Err(_) => return problem(words::SIX_NEEDED),
    };
    let path = app.vault.clone();
    match blocking(move || Vault::unlock(&path, &passphrase)).await {
        Ok(vault) => match enter(app, vault).await {
            Some(answer) => answer,
            None => problem(words::WRONG),
        },
        Err(UnlockError::Wrong) => problem(words::WRONG),
        Err(UnlockError::Memory(_)) => problem(words::NO_MEMORY),
        Err(_) => problem(words::BROKEN),
    }
}

async fn make(app: &Arc<App>, typed: &Six) -> Response {
    let Some(passphrase) = drawn(app) else { return making(app) };
    let wrong = passphrase::differing(passphrase.words(), typed);
    if !wrong.is_empty() {
        return retyping(app, typed, &wrong);
    }
    let maker = Arc::clone(app);
    let made = blocking(move || {
        let (contents, kdf) = offered(&maker).as_ref()?.copy();
        // a generator of its own: deriving the key takes long, and nobody else waits for it
        let mut rng = maker.with_rng(StdRng::from_rng);
        Some(Vault::create(&maker.vault, &passphrase, kdf, contents, &mut rng))
    })
    .await;
    match made {
        None => making(app),
        Some(Ok(vault)) => {
            *offered(app) = None;
            enter(app, vault).await.unwrap_or_else(|| failed(app, words::BROKEN))
        }
        Some(Err(VaultError::Exists(_))) => opening(app, &Six::default(), None),
        Some(Err(VaultError::Memory(_))) => failed(app, words::NO_MEMORY),
        Some(Err(_)) => failed(app, words::MAKE_FAILED),
    }
}

/// The first opening starts collecting; a later one only shows what is there, where it was left. `None`: another vault's file was
/// put in the place of this desk's, and its words do not open what this one holds.
async fn enter(app: &Arc<App>, vault: Vault) -> Option<Response> {
    let running = {
        let mut state = app.state();
        match &state.inbox {
            Some(inbox) => Arc::clone(inbox),
            None => {
                let inbox = Arc::new(Inbox::new(Arc::clone(&app.device), vault));
                tokio::spawn(keep_collecting(Arc::downgrade(app), Arc::clone(&inbox)));
                state.inbox = Some(inbox);
                return Some(shown(&mut state));
            }
        }
    };
    let is_same = blocking(move || running.is_of(&vault)).await;
    is_same.then(|| shown(&mut app.state()))
}

/// Shows what was on the screen before it was locked.
fn shown(state: &mut State) -> Response {
    (state.vaulted, state.shown) = (Vaulted::ExpectStart, true);
    Redirect::to(state.place.as_deref().unwrap_or("/")).into_response()
}

fn offered(app: &App) -> MutexGuard<'_, Option<Offer>> {
    app.offer.lock().unwrap_or_else(PoisonError::into_inner)
}

fn drawn(app: &App) -> Option<Arc<Passphrase>> {
    match &app.state().vaulted {
        Vaulted::ExpectRetyping(passphrase) => Some(Arc::clone(passphrase)),
        Vaulted::ExpectStart => None,
    }
}

// ---- pages ----

fn opening(app: &App, typed: &Six, problem: Option<&str>) -> Response {
    door_page(
        app,
        &html! {
            h1 { (words::OPEN_TITLE) }
            @if app.state().inbox.as_ref().is_some_and(|inbox| inbox.trouble().unwritten == Some(Unwritten::Replaced)) {
                p.problem { (words::REPLACED) }
            }
            @if let Some(sentence) = problem { p.problem #problem role="alert" { (sentence) } }
            p { (words::OPEN_WHAT) }
            (form(&html! {
                (boxes(typed, &[]))
                div.actions { (button("open", words::OPEN, false)) }
            }))
        },
    )
}

fn making(app: &App) -> Response {
    if offered(app).is_none() {
        return failed(app, words::NOT_SET_UP);
    }
    door_page(
        app,
        &html! {
            h1 { (words::MAKE_TITLE) }
            ul.points { li { (words::MAKE_WHAT) } li { (words::MAKE_WORDS) } li { (words::MAKE_LOST) } }
            (form(&html! { div.actions { (button("show", words::SHOW_WORDS, false)) } }))
        },
    )
}

fn failed(app: &App, sentence: &str) -> Response {
    door_page(app, &html! { h1 { (words::MAKE_TITLE) } p.problem role="alert" { (sentence) } })
}

/// Words are drawn once; "show them again" shows the same.
fn show(app: &App) -> Response {
    let passphrase = drawn(app).unwrap_or_else(|| {
        let passphrase = Arc::new(app.with_rng(Passphrase::generate));
        app.state().vaulted = Vaulted::ExpectRetyping(Arc::clone(&passphrase));
        passphrase
    });
    let six: Vec<&str> = passphrase.words().collect();
    door_page(
        app,
        &html! {
            h1 { (words::SHOWN) }
            p { (words::SHOWN_WHAT) }
            (passphrase::shown(&six, words::HIDE))
            (form(&html! { div.actions { (button("retype", words::HAVE_THEM, false)) } }))
        },
    )
}

fn retyping(app: &App, typed: &Six, wrong: &[usize]) -> Response {
    let sentence = if wrong.len() == 1 { words::ONE_DIFFERS } else { words::SOME_DIFFER };
    door_page(
        app,
        &html! {
            h1 { (words::RETYPE) }
            @if !wrong.is_empty() {
                p.problem #problem role="alert" { (fill(sentence, &[html! { (passphrase::places(wrong)) }])) }
            }
            p { (words::RETYPE_WHY) }
            (form(&html! {
                (boxes(typed, wrong))
                div.actions {
                    (button("make", words::MAKE, false))
                    (button("show", words::SHOW_AGAIN, true))
                }
            }))
        },
    )
}

fn door_page(app: &App, main: &Markup) -> Response {
    frame(app, words::VAULT, false, &html! { div.area { (main) } }).into_response()
}

fn form(inside: &Markup) -> Markup {
    html! { form method="post" action="/vault" autocomplete="off" { (inside) } }
}

fn button(step: &str, label: &str, quiet: bool) -> Markup {
    html! { button.quiet[quiet] name="step" value=(step) { (label) } }
}

fn boxes(typed: &Six, wrong: &[usize]) -> Markup {
    let names = std::array::from_fn(|n| format!("w{}", n + 1));
    passphrase::boxes(&names, typed, wrong, words::HIDE)
}
