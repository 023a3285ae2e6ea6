//! Documents: choosing a file, what it carries and how long it takes before anything starts, and taking it back.

use std::sync::Arc;

use axum::response::Response;
use client::cleaning::{Finding, Looked, More, NotTaken, What, look};
use client::{DeskView, DocumentView, LineState, Plan, WriteError};
use maud::{Markup, html};
use proto::DeskId;
use proto::document::{Document, Format};
use ui::{
    text::{self, fill},
    when,
};
use zeroize::Zeroizing;

use super::area::{Attached, Open};
use super::form::{Field, Step};
use super::screens::{self, Screen};
use super::{Load, blocking, home, inside, locked};
use crate::{App, words};

/// What can be sent of a file, with what each takes.
pub(super) struct Ways {
    found: Vec<Finding>,
    more: Vec<More>,
    cleaned: bool,
    ways: Vec<Way>,
}

struct Way {
    name: String,
    bytes: usize,
    plan: Plan,
}

/// The file that came is looked at, and kept in memory until it is sent.
pub(super) async fn look_over(
    load: Load<'_>,
    open: Arc<Open>,
    desk: &DeskView,
    file: Option<(String, Zeroizing<Vec<u8>>)>,
    is_huge: bool,
) -> Response {
    let refuse = |sentence| load.show(&Screen::Attach { desk, problem: Some(sentence) });
    if is_huge {
        return refuse(words::FILE_HUGE);
    }
    let Some((name, bytes)) = file else { return refuse(words::NO_FILE) };
    let sizes = open.session.sizes(&name);
    let looked = look_apart(&load, open, desk.id, move || look(&name, &bytes, sizes)).await;
    match looked {
        None => locked(&load, None),
        Some(Ok(ways)) => load.show(&Screen::Looked { desk, ways: &ways, problem: None }),
        Some(Err(NotTaken::Huge)) => refuse(words::FILE_HUGE),
        Some(Err(NotTaken::Kind)) => refuse(words::FILE_KIND),
        Some(Err(NotTaken::Damaged)) => refuse(words::FILE_DAMAGED),
        Some(Err(NotTaken::Bomb)) => refuse(words::FILE_BOMB),
        Some(Err(_)) => refuse(words::FILE_LONG),
    }
}

/// Lets go of the area while a file is looked at, which may take long: who leaves meanwhile, or is away for five minutes, has
/// locked it. `None`: so it was, and what was found is thrown away.
async fn look_apart(
    load: &Load<'_>,
    open: Arc<Open>,
    desk: DeskId,
    look: impl FnOnce() -> Result<Looked, NotTaken> + Send + 'static,
) -> Option<Result<Ways, NotTaken>> {
    drop(open);
    let looked = blocking(look).await;
    let open = load.app.area().open(&load.page).filter(|open| open.session.is_open())?;
    let looked = match looked {
        Ok(looked) => looked,
        Err(why) => return Some(Err(why)),
    };
    let kept = blocking(move || {
        let ways = Ways::of(&open, &looked);
        *open.attached() = Some(Attached { desk, looked });
        ways
    });
    Some(Ok(kept.await))
}

/// Puts the chosen size of the file on its way. If it is refused, the file stays looked at, to be sent once there is room.
pub(super) async fn send(
    app: &Arc<App>,
    load: Load<'_>,
    open: Arc<Open>,
    desk: &DeskView,
    which: u32,
) -> Response {
    let (id, now, sends) = (desk.id, app.now(), Arc::clone(&open));
    let sent = blocking(move || {
        let attached = sends.attached().take().filter(|attached| attached.desk == id)?;
        let document = attached.looked.documents.get(which as usize)?;
        let sent = sends.session.attach(id, document, now).map_err(|refused| {
            let ways = Ways::of(&sends, &attached.looked);
            (refused, ways)
        });
        if sent.is_err() {
            *sends.attached() = Some(attached);
        }
        Some(sent)
    });
    let (refused, ways) = match sent.await {
        None => return load.show(&Screen::Attach { desk, problem: Some(words::NO_FILE) }),
        Some(Ok(kept_by)) => {
            let inside = inside(app, open, false, Some((words::IN_LINE, kept_by))).await;
            return load.show(&Screen::Home { inside: &inside });
        }
        Some(Err(refused)) => refused,
    };
    let refuse = |sentence| load.show(&Screen::Looked { desk, ways: &ways, problem: Some(sentence) });
    match refused {
        WriteError::Locked => locked(&load, None),
        WriteError::NoDesk => refuse(words::DESK_CLOSED),
        WriteError::MailboxFull => refuse(words::MAILBOX_FULL),
        WriteError::TooMany => refuse(words::TOO_MANY_DOCUMENTS),
        _ => refuse(words::TOO_EARLY),
    }
}

/// Takes a document back.
pub(super) async fn take_back(
    app: &Arc<App>,
    load: Load<'_>,
    open: Arc<Open>,
    desk: Option<DeskId>,
    first: u32,
) -> Response {
    let (now, takes) = (app.now(), Arc::clone(&open));
    blocking(move || {
        let conversations = takes.session.conversations();
        if let Some(conversation) = conversations.iter().find(|c| Some(c.desk.id) == desk) {
            takes.session.take_back_document(conversation.id, first, now);
        }
    })
    .await;
    home(app, &load, open, false).await
}

impl Ways {
    fn of(open: &Open, looked: &Looked) -> Ways {
        let way = |document: &Document| Way {
            name: document.name.clone(),
            bytes: document.content.len(),
            plan: open.session.plan(&document.name, document.content.len()),
        };
        Ways {
            found: looked.found.clone(),
            more: looked.more.clone(),
            cleaned: looked.cleaned,
            ways: looked.documents.iter().map(way).collect(),
        }
    }
}

// ---- the pages ----

/// Where a file is chosen.
pub(super) fn choose(load: &Load<'_>, desk: &DeskView, problem: Option<&str>) -> Markup {
    let file = load.names.of(Field::File);
    html! {
        h1 { (fill(words::ATTACH_TO, &[text::run(&desk.name)])) }
        @if let Some(sentence) = problem { p.problem #problem role="alert" { (sentence) } }
        p { (words::ATTACH_WHAT) }
        p { (words::ATTACH_NOTHING) }
        form method="post" action=(super::PATH) enctype="multipart/form-data" data-step autocomplete="off" {
            (screens::hidden(load))
            input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
            div.flow {
                div {
                    label for=(file) { (words::FILE) }
                    p.hint #hint { (words::FILE_KINDS) }
                    input #(file) type="file" name=(file) data-focus aria-describedby="hint";
                }
                div.actions { (screens::button(load, Step::LookOver, words::LOOK_OVER, false)) }
            }
        }
        (back(load, desk))
    }
}

fn back(load: &Load<'_>, desk: &DeskView) -> Markup {
    screens::form(
        load,
        &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
            div.actions { (screens::button(load, Step::Compose, words::BACK, true)) }
        },
    )
}

/// What the file carries, and what sending it takes: all of it before anything starts.
pub(super) fn looked(load: &Load<'_>, desk: &DeskView, looked: &Ways, problem: Option<&str>) -> Markup {
    let open_again = looked.ways.iter().any(|way| way.plan.openings > 1);
    html! {
        h1 { (words::LOOKED) }
        @if let Some(sentence) = problem { p.problem #problem role="alert" { (sentence) } }
        p { (if looked.cleaned { words::CLEANED } else { words::NOT_CLEANED }) }
        @if looked.found.is_empty() {
            p { (if looked.cleaned { words::FOUND_NOTHING_PICTURE } else { words::FOUND_NOTHING }) }
        } @else {
            h2 { (if looked.cleaned { words::TAKEN_OUT } else { words::GOES_ALONG }) }
            ul.points {
                @for of_one_kind in looked.found.chunk_by(|a, b| a.what == b.what) {
                    @for finding in of_one_kind { li { (found(finding)) } }
                    @for more in looked.more.iter().filter(|more| more.what == of_one_kind[0].what) {
                        li { (kind_of(more.what)) ": " (fill(and_more(more), &[html! { (more.count) }])) }
                    }
                }
            }
        }
        @if !looked.cleaned {
            p { (words::MAY_BE_MORE) }
            p.problem { (words::CLEAN_IT_YOURSELF) }
        }
        p { (words::STAYS_VISIBLE) }
        h2 { (words::TAKES) }
        p { (words::COSTS) }
        p { (words::COSTS_FEWER) }
        @for (n, way) in looked.ways.iter().enumerate() {
            (screens::form(load, &html! {
                div.note {
                    p { b { (text::tame(&way.name)) } " · " (size(way.bytes)) " · " (parts(way.plan.parts)) }
                    p { (fill(words::TAKES_ALWAYS, &[html! { (when::under(way.plan.always_ms)) }])) }
                    p { (fill(words::TAKES_30, &[html! { (when::under(way.plan.at_30_ms)) }])) }
                    @if way.plan.openings > 1 {
                        p { (fill(words::OPENINGS, &[html! { (way.plan.openings) }])) }
                    }
                    input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
                    input type="hidden" name=(load.names.of(Field::Which)) value=(n);
                    div.actions { (screens::button(load, Step::SendDocument, words::SEND_DOCUMENT, false)) }
                }
            }))
        }
        @if open_again { p { (words::OPEN_AGAIN) } }
        (screens::form(load, &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
            div.actions { (screens::button(load, Step::Attach, words::OTHER_FILE, true)) }
        }))
        (back(load, desk))
    }
}

fn found(finding: &Finding) -> Markup {
    html! { (kind_of(finding.what)) @if !finding.text.is_empty() { ": " (text::run(&finding.text)) } }
}

fn kind_of(what: What) -> &'static str {
    match what {
        What::Place => words::HAS_PLACE,
        What::Person => words::HAS_PERSON,
        What::Company => words::HAS_COMPANY,
        What::Device => words::HAS_DEVICE,
        What::Path => words::HAS_PATH,
        What::Program => words::HAS_PROGRAM,
        What::Date => words::HAS_DATE,
        What::Title => words::HAS_TITLE,
        What::Property => words::HAS_PROPERTY,
        What::Comments => words::HAS_COMMENTS,
        What::Macros => words::HAS_MACROS,
        What::File => words::HAS_FILE,
        What::Locked => words::HAS_LOCKED,
    }
}

fn and_more(more: &More) -> &'static str {
    if more.at_least { words::MORE_THAN } else { words::MORE }
}

/// A document in a conversation: how far it is, and the way to take it back.
pub(super) fn progress(load: &Load<'_>, desk: &DeskView, state: LineState, view: &DocumentView) -> Markup {
    let of = |n: u16| html! { (n) " of " (view.parts) };
    let round_ms = load.app.device.status().round_ms;
    let take_back = screens::form(
        load,
        &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
            input type="hidden" name=(load.names.of(Field::Which)) value=(view.first);
            div.actions { (screens::button(load, Step::TakeBack, words::TAKE_BACK, true)) }
        },
    );
    html! {
        p.state {
            (kind(view.format)) @if let Some(length) = view.length { " · " (size(length as usize)) }
        }
        @match state {
            LineState::UnderWay { least } => {
                p.state { (fill(words::PARTS_LEFT, &[of(view.left)])) " " (fill(words::PARTS_ARRIVED, &[of(view.arrived)])) }
                @let left_ms = least.0.saturating_sub(load.app.now().0);
                @if left_ms > 0 { p.state { (fill(words::PARTS_LEAST, &[html! { (when::least(left_ms)) }])) } }
                @if view.left + view.queued < view.parts {
                    @let until_ms = u64::from(view.queued) * round_ms;
                    p.state { (fill(words::OPEN_WITHIN, &[html! { (when::under(until_ms)) }])) }
                }
                (take_back)
            },
            LineState::TakenBack => p.state { (fill(words::TAKEN_BACK, &[of(view.left), of(view.arrived)])) },
            LineState::Unknown { .. } => {
                p.state { (fill(words::PARTS_UNKNOWN, &[of(view.arrived)])) }
                (take_back)
            },
            _ => p.state { (fill(words::ACKNOWLEDGED, &[text::run(&desk.name)])) },
        }
    }
}

fn kind(format: Option<Format>) -> &'static str {
    match format {
        Some(Format::Text) => words::KIND_TEXT,
        Some(Format::Picture) => words::KIND_PICTURE,
        Some(Format::Pdf) => words::KIND_PDF,
        _ => words::KIND_OFFICE,
    }
}

fn parts(n: u16) -> String {
    if n == 1 { "1 part".into() } else { format!("{n} parts") }
}

/// Rounded up.
fn size(bytes: usize) -> String {
    format!("{} kB", bytes.div_ceil(1_000))
}

#[cfg(test)]
mod tests {
    use client::Passphrase;
    use rand::{SeedableRng as _, rngs::StdRng};
    use ui::{Guard, Zone};

    use super::super::area::PageKey;
    use super::*;
    use crate::town::{ADDRESS, Standing, device};

    /// An area that is open in a window, the window's key, and a desk.
    fn opened(seed: u64) -> (Arc<App>, String, DeskView) {
        let mut rng = StdRng::seed_from_u64(seed);
        let device = device(&mut rng);
        let desk = device.desks().remove(0);
        let passphrase = Arc::new(Passphrase::generate(&mut rng));
        let open = Open::new(device.begin(&passphrase).unwrap(), passphrase);
        let (guard, _) = Guard::new(ADDRESS.parse().unwrap(), "firsthand reader", &mut rng);
        let app = App::new(device, guard, Arc::new(Standing), Zone::utc(), &mut rng);
        let page = PageKey::draw(&mut rng);
        let key = page.as_str().to_owned();
        let opening = app.area().opening();
        assert!(app.area().opened(opening, page, open));
        (app, key, desk)
    }

    #[tokio::test]
    async fn an_area_that_is_closed_while_a_file_is_looked_at_is_gone_at_once() {
        for closes in [false, true] {
            let (app, page, desk) = opened(1);
            let load = Load::new(&app, &page, None);
            let open = app.area().open(&page).unwrap();
            let (held, sizes, closing) = (Arc::downgrade(&open), open.session.sizes("a"), Arc::clone(&app));
            let looking = move || {
                if closes {
                    closing.area().close();
                    assert!(held.upgrade().is_none(), "nothing holds the keys while it is looked at");
                }
                look("a.txt", b"hello", sizes)
            };
            let looked = look_apart(&load, open, desk.id, looking).await;
            assert_eq!(looked.is_some(), !closes);
            let open = app.area().open(&page);
            assert_eq!(
                open.is_some_and(|open| open.attached().is_some()),
                !closes,
                "what was found is kept only there"
            );
        }
    }

    /// A document of three parts, of which two left and one arrived.
    fn half_way(queued: u16) -> DocumentView {
        DocumentView {
            first: 0,
            name: None,
            format: None,
            length: Some(900),
            sha256: None,
            parts: 3,
            left: 2,
            arrived: 1,
            queued,
        }
    }

    /// DOC-07: what is sent on is sent until it is taken back, so there is a way to do that for as long as it is sent.
    #[tokio::test]
    async fn a_document_can_be_taken_back_until_it_arrived() {
        let (app, page, desk) = opened(3);
        let load = Load::new(&app, &page, None);
        let view = half_way(1);
        let offers = |state| progress(&load, &desk, state, &view).into_string().contains(words::TAKE_BACK);
        assert!(
            offers(LineState::UnderWay { least: app.now() }) && offers(LineState::Unknown { before: None })
        );
        assert!(!offers(LineState::TakenBack) && !offers(LineState::Acknowledged));
    }

    /// P8: of what left nobody knows whether it arrived.
    #[tokio::test]
    async fn of_a_document_that_was_taken_back_no_more_is_said_to_be_with_the_desk_than_it_acknowledged() {
        let (app, page, desk) = opened(4);
        let load = Load::new(&app, &page, None);
        let view = half_way(0);
        let shown = progress(&load, &desk, LineState::TakenBack, &view).into_string();
        assert!(shown.contains("2 of 3 parts had left before."), "{shown}");
        assert!(shown.contains("It has 1 of 3 at least."), "{shown}");
        assert!(!shown.contains("they stay with the desk"), "{shown}");
    }

    #[tokio::test]
    async fn who_left_while_a_file_was_refused_is_shown_the_closed_area() {
        let (app, page, desk) = opened(2);
        let load = Load::new(&app, &page, None);
        let open = app.area().open(&page).unwrap();
        let closing = Arc::clone(&app);
        let looking = move || {
            closing.area().close();
            Err(NotTaken::Damaged)
        };
        assert!(look_apart(&load, open, desk.id, looking).await.is_none());
    }
}
