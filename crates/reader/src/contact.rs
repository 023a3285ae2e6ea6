//! "Contact the newsroom": the same door for every reader, under every article and in the masthead.
//!
//! `GET` shows the public page, whatever is open. Each step after it is a POST answered at the same path, under the
//! same title, so that no address, history entry or title ever tells a reader from a source. With script the module
//! draws the answers over the article and even the address stays the article's.

mod area;
mod attach;
mod form;
mod look;
mod screens;

use std::sync::Arc;

use axum::{
    Form as Posted,
    extract::{DefaultBodyLimit, FromRequest as _, Multipart, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use client::{
    DeskView, MAX_CONVERSATIONS, OutOfMemory, Passphrase, PassphraseError, WriteError, cleaning::MAX_FILE,
};
use proto::{DeskId, Digest, Millis, story::StoryId};
use ui::passphrase::differing;
use zeroize::Zeroizing;

use crate::{App, words};

pub(crate) use area::Area;
use area::{Open, PageKey, Sent, keep_awake};
use form::{Form, Names, Step};
use screens::{Inside, Screen, Writing};

/// The one public path.
pub(crate) const PATH: &str = "/contact";

/// `GET /contact`: the public page.
pub(crate) async fn public(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let from = story_before(&headers).filter(|id| app.device.story(*id).is_some());
    Load::new(&app, "", from).show_public()
}

/// Bytes of a form with a file: twice the longest file that is looked at. Of one that is too long the rest of the form is
/// still read, and answered in the window it came from; one beyond this is cut off.
const UPLOAD: usize = 2 * MAX_FILE;

/// `POST /contact`: every step.
pub(crate) async fn step(State(app): State<Arc<App>>, request: Request) -> Response {
    let form = match read(request).await {
        Ok(form) => form,
        Err(StatusCode::PAYLOAD_TOO_LARGE) => {
            return Load::new(&app, "", None).show(&Screen::Sorry(words::FILE_HUGE));
        }
        Err(status) => return status.into_response(),
    };
    let step = form.step;
    if step == Some(Step::Leave) {
        // Closed first. Who still holds the area keeps what was being written, and lets go.
        let open = app.area().open(&form.page);
        app.area().close();
        if let (Some(open), Some(desk)) = (open, form.desk) {
            blocking(move || open.session.keep_draft(desk, &form.text)).await;
        }
        return leave(form.from);
    }
    let now = app.now();
    app.area().doze(now);
    if step != Some(Step::Look) {
        keep_awake(&app);
    }
    let load = Load::new(&app, &form.page, form.from);
    match step {
        Some(Step::Question(n @ 0..=2)) => load.show(&Screen::Question(n)),
        Some(Step::Advice(n)) => load.show(&Screen::Advice(n)),
        Some(Step::Question(_)) => load.show(&Screen::Before),
        Some(Step::ShowWords) => show_words(&app, load, &form),
        Some(Step::Retype) => match app.area().shown(&form.page) {
            Some(_) => load.show(&Screen::Retype { typed: &form.words, wrong: &[] }),
            None => load.show(&Screen::Before),
        },
        Some(Step::Begin) => begin(&app, load, &form).await,
        Some(Step::Words) => load.show(&Screen::Unlock { typed: &form.words, problem: None, carried: None }),
        Some(Step::Unlock) => unlock(&app, load, &form).await,
        None | Some(Step::Leave) => load.show_public(),
        Some(inside) => {
            let open = app.area().open(&form.page).filter(|open| open.session.is_open());
            match open {
                Some(open) => inside_step(&app, load, open, inside, form).await,
                None => locked(&load, Carried::of(&form)),
            }
        }
    }
}

/// What was being written when the mailbox was found closed. It is in nobody's hands but the browser's: it goes along with the
/// six words, and comes back once they open the mailbox.
#[derive(Clone, Copy)]
struct Carried<'a> {
    desk: DeskId,
    text: &'a str,
}

impl<'a> Carried<'a> {
    fn of(form: &'a Form) -> Option<Carried<'a>> {
        let desk = form.desk.filter(|_| !form.text.is_empty())?;
        Some(Carried { desk, text: &form.text })
    }
}

/// Reads a form. Only one with a file may be as long as a file.
async fn read(mut request: Request) -> Result<Form, StatusCode> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("multipart/form-data")) {
        let posted = Posted::from_request(request, &()).await;
        return posted.map(|Posted(pairs)| Form::read(pairs)).map_err(|e| e.status());
    }
    DefaultBodyLimit::max(UPLOAD).apply(&mut request);
    let parts = Multipart::from_request(request, &()).await.map_err(|e| e.status())?;
    Form::read_with_file(parts).await.map_err(|e| e.status())
}

/// One answer being made: the names of its fields, the window it belongs to, the story to which one leaves.
struct Load<'a> {
    app: &'a Arc<App>,
    names: Names,
    page: String,
    from: Option<StoryId>,
}

impl<'a> Load<'a> {
    fn new(app: &'a Arc<App>, page: &str, from: Option<StoryId>) -> Load<'a> {
        Load { app, names: app.with_rng(Names::draw), page: page.to_owned(), from }
    }

    fn show(&self, screen: &Screen<'_>) -> Response {
        screens::page(self, screen).into_response()
    }

    fn show_public(&self) -> Response {
        let device = &self.app.device;
        self.show(&Screen::Public { desks: &device.desks(), to_come: &device.desks_to_come() })
    }
}

/// The story whose page led here, so that leaving leads back to it. The browser tells it to nobody but us.
fn story_before(headers: &HeaderMap) -> Option<StoryId> {
    let referer = headers.get(header::REFERER)?.to_str().ok()?;
    let (_, digits) = referer.rsplit_once("/stories/")?;
    ui::story::parse_id(digits).map(StoryId)
}

fn leave(from: Option<StoryId>) -> Response {
    Redirect::to(&from.map_or("/".to_owned(), ui::story::path)).into_response()
}

/// Words are drawn once per start; "show them again" shows the same.
fn show_words(app: &App, mut load: Load<'_>, form: &Form) -> Response {
    let shown = app.area().shown(&form.page);
    let passphrase = match shown {
        Some(passphrase) => passphrase,
        None => {
            let (page, passphrase) =
                app.with_rng(|rng| (PageKey::draw(rng), Arc::new(Passphrase::generate(rng))));
            page.as_str().clone_into(&mut load.page);
            app.area().show(page, Arc::clone(&passphrase));
            passphrase
        }
    };
    let six: Vec<&str> = passphrase.words().collect();
    load.show(&Screen::Shown { six: &six })
}

/// The words typed back: if they are the ones shown, the mailbox is made and stands open.
async fn begin(app: &Arc<App>, load: Load<'_>, form: &Form) -> Response {
    let Some(passphrase) = app.area().shown(&form.page) else {
        return load.show(&Screen::Before);
    };
    let wrong = differing(passphrase.words(), &form.words);
    if !wrong.is_empty() {
        return load.show(&Screen::Retype { typed: &form.words, wrong: &wrong });
    }
    let opening = app.area().opening();
    let (device, words) = (Arc::clone(&app.device), Arc::clone(&passphrase));
    match blocking(move || device.begin(&words)).await {
        Ok(session) => opened(app, load, opening, Open::new(session, passphrase), None).await,
        Err(_) => load.show(&Screen::Sorry(words::BEGIN_FAILED)),
    }
}

/// Wrong words and no mailbox at all: the same work, the same sentence, the same page. Too little memory is found out before
/// either.
async fn unlock(app: &Arc<App>, load: Load<'_>, form: &Form) -> Response {
    let carried = Carried::of(form);
    let problem =
        |sentence| load.show(&Screen::Unlock { typed: &form.words, problem: Some(sentence), carried });
    let passphrase = match Passphrase::parse(&form.words.join(" ")) {
        Ok(passphrase) => Arc::new(passphrase),
        Err(PassphraseError::Unknown(place)) if form.words.iter().all(|word| !word.is_empty()) => {
            return problem(words::NOT_A_WORD.replace("{}", &place.to_string()));
        }
        Err(_) => return problem(words::SIX_NEEDED.into()),
    };
    let opening = app.area().opening();
    let (device, words) = (Arc::clone(&app.device), Arc::clone(&passphrase));
    match blocking(move || device.unlock(&words)).await {
        Ok(Some(session)) => opened(app, load, opening, Open::new(session, passphrase), carried).await,
        Ok(None) => problem(words::WRONG.into()),
        Err(OutOfMemory) => problem(words::NO_MEMORY.into()),
    }
}

async fn opened(
    app: &Arc<App>,
    mut load: Load<'_>,
    opening: u64,
    open: Open,
    carried: Option<Carried<'_>>,
) -> Response {
    let page = app.with_rng(PageKey::draw);
    page.as_str().clone_into(&mut load.page);
    let ours = page.as_str().to_owned();
    let open = if app.area().opened(opening, page, open) { app.area().open(&ours) } else { None };
    let Some(open) = open else { return locked(&load, carried) };
    let Some(Carried { desk, text }) = carried else { return home(app, &load, open, false).await };
    let (keeps, kept) = (Arc::clone(&open), Zeroizing::new(text.to_owned()));
    blocking(move || keeps.session.keep_draft(desk, &kept)).await;
    match app.device.desks().iter().find(|listed| listed.id == desk) {
        Some(desk) => load.show(&Screen::Compose { writing: Writing::new(desk, text), problem: None }),
        None => home(app, &load, open, false).await,
    }
}

/// The words are asked for again. An area locked long ago and one open in another window look the same.
fn locked(load: &Load<'_>, carried: Option<Carried<'_>>) -> Response {
    load.show(&Screen::Unlock { typed: &Default::default(), problem: Some(words::LOCKED.into()), carried })
}

/// What the mailbox holds. `look`: after looking through what the exchanges brought.
async fn home(app: &Arc<App>, load: &Load<'_>, open: Arc<Open>, look: bool) -> Response {
    let inside = inside(app, open, look, None).await;
    if inside.conversations.is_empty() {
        return load.show(&Screen::Choose { desks: &app.device.desks(), inside: &inside });
    }
    load.show(&Screen::Home { inside: &inside })
}

async fn inside(
    app: &Arc<App>,
    open: Arc<Open>,
    look: bool,
    sealed: Option<(&'static str, Millis)>,
) -> Inside {
    let (device, now) = (Arc::clone(&app.device), app.now());
    blocking(move || {
        if look {
            open.session.refresh();
        }
        let listed = device.desks();
        let desk = |id| listed.iter().find(|desk| desk.id == id).cloned();
        Inside {
            conversations: open.session.conversations(),
            drafts: open.session.drafts().into_iter().filter_map(desk).collect(),
            full: open.session.is_full(),
            unkept: open.session.is_unkept(now),
            sealed,
        }
    })
    .await
}

/// A step inside the unlocked area.
async fn inside_step(app: &Arc<App>, load: Load<'_>, open: Arc<Open>, step: Step, form: Form) -> Response {
    let desk = form.desk.and_then(|id| app.device.desks().into_iter().find(|desk| desk.id == id));
    match (step, desk) {
        (Step::Choose, _) => {
            let inside = inside(app, open, false, None).await;
            load.show(&Screen::Choose { desks: &app.device.desks(), inside: &inside })
        }
        (Step::Compose | Step::Measure, Some(desk)) => {
            let text = drafted(open, step, desk.id, form.text).await;
            load.show(&Screen::Compose { writing: Writing::new(&desk, &text), problem: None })
        }
        (Step::Send | Step::SendAnyway, Some(desk)) => send(app, load, open, step, &desk, form).await,
        (
            Step::Compose
            | Step::Measure
            | Step::Send
            | Step::SendAnyway
            | Step::Attach
            | Step::LookOver
            | Step::SendDocument,
            None,
        ) => {
            // It comes back if the desk does.
            if let Some(desk) = form.desk.filter(|_| !form.text.is_empty()) {
                blocking(move || open.session.keep_draft(desk, &form.text)).await;
            }
            load.show(&Screen::Sorry(words::DESK_GONE))
        }
        (Step::Attach, Some(desk)) => {
            // "Attach" comes with what was written.
            let id = desk.id;
            blocking(move || open.session.keep_draft(id, &form.text)).await;
            load.show(&Screen::Attach { desk: &desk, problem: None })
        }
        (Step::LookOver, Some(desk)) => attach::look_over(load, open, &desk, form.file, form.is_huge).await,
        (Step::SendDocument, Some(desk)) => attach::send(app, load, open, &desk, form.which).await,
        (Step::TakeBack, _) => attach::take_back(app, load, open, form.desk, form.which).await,
        (Step::Delete | Step::DeleteNow | Step::Erase | Step::EraseNow, _) => {
            delete(app, load, open, step, form.desk).await
        }
        (step, _) => {
            // "Back" comes with what was written.
            if let (Step::Home, Some(desk)) = (step, form.desk) {
                let open = Arc::clone(&open);
                blocking(move || open.session.keep_draft(desk, &form.text)).await;
            }
            home(app, &load, open, true).await
        }
    }
}

/// Keeps what is being written, so that no way of closing the mailbox loses it. A page that opens shows what was kept.
async fn drafted(open: Arc<Open>, step: Step, desk: DeskId, text: String) -> Zeroizing<String> {
    blocking(move || {
        if step == Step::Compose && text.is_empty() {
            return open.session.draft(desk).unwrap_or_default();
        }
        open.session.keep_draft(desk, &text);
        Zeroizing::new(text)
    })
    .await
}

/// Deletes a conversation, or all of the mailbox: asked once, with what it does and does not undo.
async fn delete(
    app: &Arc<App>,
    mut load: Load<'_>,
    open: Arc<Open>,
    step: Step,
    desk: Option<DeskId>,
) -> Response {
    let now = app.now();
    if step == Step::Erase {
        return load.show(&Screen::Erase);
    }
    if step == Step::EraseNow {
        blocking(move || open.session.delete_mailbox(now)).await;
        app.area().close();
        // The window's key is nobody's any more: the page that follows is the one that everybody sees.
        load.page.clear();
        return load.show(&Screen::Unlock { typed: &Default::default(), problem: None, carried: None });
    }
    let inside = inside(app, Arc::clone(&open), false, None).await;
    let Some(conversation) = inside.conversations.iter().find(|c| Some(c.desk.id) == desk) else {
        return home(app, &load, open, false).await;
    };
    if step == Step::Delete {
        return load.show(&Screen::Delete { desk: &conversation.desk });
    }
    let (id, session) = (conversation.id, Arc::clone(&open));
    blocking(move || session.session.delete_conversation(id, now)).await;
    home(app, &load, open, false).await
}

/// Looks the message over, seals it and puts it in line.
async fn send(
    app: &Arc<App>,
    load: Load<'_>,
    open: Arc<Open>,
    step: Step,
    desk: &DeskView,
    form: Form,
) -> Response {
    let text = form.text;
    let refuse = |sentence: String| {
        load.show(&Screen::Compose { writing: Writing::new(desk, &text), problem: Some(sentence) })
    };
    if text.trim().is_empty() {
        return refuse(words::EMPTY.into());
    }
    if look::holds_passphrase(&text, open.passphrase.words()) {
        return refuse(words::HOLDS_PASSPHRASE.into());
    }
    let room = app.device.room(&text);
    if let Err(many) = look::words_left(&text, room.used, room.total) {
        return refuse(words::TOO_LONG.replace("{}", &many.to_string()));
    }
    if step == Step::Send
        && let Some(what) = look::identifies(&text)
    {
        return load.show(&Screen::Ask { writing: Writing::new(desk, &text), what });
    }
    let (id, now, letter) = (desk.id, app.now(), text.clone());
    let writes = Arc::clone(&open);
    let written = blocking(move || {
        let mut sent = writes.sent();
        let text = Digest::of(letter.as_bytes());
        if let Some(before) = sent.as_ref().filter(|before| before.load == form.load) {
            return Ok((before.text == text).then_some(before.kept_by));
        }
        let kept_by = writes.session.write(id, &letter, now)?.durable_by;
        *sent = Some(Sent { load: form.load, text, kept_by });
        Ok(Some(kept_by))
    });
    match written.await {
        Ok(None) => refuse(words::SENT_BEFORE.into()),
        Ok(Some(kept_by)) => load
            .show(&Screen::Home { inside: &inside(app, open, false, Some((words::SEALED, kept_by))).await }),
        Err(WriteError::Locked) => locked(&load, Some(Carried { desk: desk.id, text: &text })),
        // It is listed, and has no key now: it is kept as every draft is.
        Err(WriteError::NoDesk) => {
            let kept = text.clone();
            blocking(move || open.session.keep_draft(id, &kept)).await;
            refuse(words::DESK_CLOSED.into())
        }
        Err(WriteError::QueueFull) => refuse(words::LINE_FULL.into()),
        Err(WriteError::MailboxFull) => refuse(words::MAILBOX_FULL.into()),
        Err(WriteError::TooMany) => refuse(words::TOO_MANY.replace("{}", &MAX_CONVERSATIONS.to_string())),
        // what is too long was refused above
        Err(_) => refuse(words::TOO_EARLY.into()),
    }
}

/// Runs work that takes the processor for long, such as deriving a key, beside the other pages.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}
