//! The private area's pages. All have the same title and the same frame as every other reading page.

use client::{ConversationView, DeskView, Health, Line, LineState, Who};
use maud::{Markup, html};
use proto::Millis;
use ui::{
    passphrase,
    text::{self, fill},
    when,
};

use super::{
    Carried, Load, PATH,
    attach::{self, Ways},
    form::{Field, Step},
    look::{Identifies, words_left},
};
use crate::{
    Here, frame,
    front::{SECONDS_BELOW_MS, trouble},
    words,
};

/// From the round an envelope leaves in, a desk has its message this many rounds later: collected, mixed, published,
/// fetched.
const ROUNDS_TO_DESK: u64 = 4;

/// A page of the area.
pub(super) enum Screen<'a> {
    Public { desks: &'a [DeskView], to_come: &'a [(Millis, DeskView)] },
    Question(u8),
    Advice(u8),
    Before,
    Shown { six: &'a [&'a str] },
    Retype { typed: &'a [String; 6], wrong: &'a [usize] },
    Unlock { typed: &'a [String; 6], problem: Option<String>, carried: Option<Carried<'a>> },
    Home { inside: &'a Inside },
    Choose { desks: &'a [DeskView], inside: &'a Inside },
    Delete { desk: &'a DeskView },
    Erase,
    Compose { writing: Writing<'a>, problem: Option<String> },
    Ask { writing: Writing<'a>, what: Identifies },
    Attach { desk: &'a DeskView, problem: Option<&'static str> },
    Looked { desk: &'a DeskView, ways: &'a Ways, problem: Option<&'static str> },
    Sorry(&'static str),
}

/// What an open mailbox shows.
pub(super) struct Inside {
    pub(super) conversations: Vec<ConversationView>,
    /// To whom something was being written.
    pub(super) drafts: Vec<DeskView>,
    pub(super) full: bool,
    /// What was done here should be on the disk, and is not.
    pub(super) unkept: bool,
    /// What was done just now, and from when on it is kept.
    pub(super) sealed: Option<(&'static str, Millis)>,
}

/// The form in which a message is written: the way out takes what is in it along.
const WRITING: &str = "writing";

/// A message being written, and to whom.
pub(super) struct Writing<'a> {
    desk: &'a DeskView,
    text: &'a str,
}

impl<'a> Writing<'a> {
    pub(super) fn new(desk: &'a DeskView, text: &'a str) -> Writing<'a> {
        Writing { desk, text }
    }
}

/// A whole page of the area, the way out first.
pub(super) fn page(load: &Load<'_>, screen: &Screen<'_>) -> Markup {
    let writing = matches!(screen, Screen::Compose { .. } | Screen::Ask { .. }).then_some(WRITING);
    let main = html! {
        form.leave method="post" action=(PATH) data-leave {
            (hidden(load))
            button.quiet form=[writing] name=(load.names.of(Field::Step)) value=(Step::Leave)
                title=(words::LEAVE_HINT) accesskey="l" {
                (words::LEAVE)
            }
            // the module sends the form without a button
            input type="hidden" name=(load.names.of(Field::Step)) value=(Step::Leave);
        }
        div.area translate="no" { (content(load, screen)) }
    };
    frame(load.app, Here::Contact, words::CONTACT, None, main)
}

fn content(load: &Load<'_>, screen: &Screen<'_>) -> Markup {
    match screen {
        Screen::Public { desks, to_come } => public(load, desks, to_come),
        Screen::Question(n) => question(load, *n),
        Screen::Advice(n) => advice(load, *n),
        Screen::Before => before(load),
        Screen::Shown { six } => shown(load, six),
        Screen::Retype { typed, wrong } => retype(load, typed, wrong),
        Screen::Unlock { typed, problem, carried } => unlock(load, typed, problem.as_deref(), *carried),
        Screen::Home { inside } => home(load, inside),
        Screen::Choose { desks, inside } => choose(load, desks, inside),
        Screen::Delete { desk } => delete(load, desk),
        Screen::Erase => erase(load),
        Screen::Compose { writing, problem } => compose(load, writing, problem.as_deref()),
        Screen::Ask { writing, what } => ask(load, writing, *what),
        Screen::Attach { desk, problem } => attach::choose(load, desk, *problem),
        Screen::Looked { desk, ways, problem } => attach::looked(load, desk, ways, *problem),
        Screen::Sorry(sentence) => html! {
            h1 { (words::CONTACT) }
            p.problem role="alert" { (sentence) }
            (form(load, &html! { div.actions { (button(load, Step::Home, words::BACK, true)) } }))
        },
    }
}

// ---- before the mailbox ----

fn public(load: &Load<'_>, desks: &[DeskView], to_come: &[(Millis, DeskView)]) -> Markup {
    html! {
        h1 { (words::CONTACT) }
        p.lead { (words::PUBLIC_LEAD) }
        ul.points {
            li { (words::PUBLIC_SAME) }
            li { (words::PUBLIC_MIXES) }
            li { (words::PUBLIC_ANSWER) }
            li { (words::PUBLIC_NO_NAME) }
            li { (words::PUBLIC_OPENING) }
        }
        (form(load, &html! {
            div.actions {
                (button(load, Step::Question(0), words::START, false))
                (button(load, Step::Words, words::HAVE_WORDS, true))
            }
        }))
        h2 { (words::WHO_READS) }
        @if desks.is_empty() { p { (words::NO_DESKS) } }
        @for (newsroom, desks) in by_newsroom(desks) {
            h3 { (text::run(newsroom)) }
            ul.flow { @for desk in desks { li { (choice(desk)) } } }
        }
        @if !to_come.is_empty() {
            h2 { (words::TO_COME) }
            p { (words::TO_COME_WHY) }
            ul.flow {
                @for (from, desk) in to_come {
                    li {
                        b { (text::run(&desk_name(desk))) } " " span { (fill(words::TO_COME_FROM, &[moment(load, from.0)])) }
                        @if !desk.about.is_empty() { " " span { (text::run(&desk.about)) } }
                    }
                }
            }
        }
    }
}

fn question(load: &Load<'_>, n: u8) -> Markup {
    let (title, why, yes, no) = match n {
        0 => (words::Q_DEVICE, words::Q_DEVICE_WHY, words::Q_DEVICE_YES, words::Q_DEVICE_NO),
        1 => (words::Q_NETWORK, words::Q_NETWORK_WHY, words::Q_NETWORK_YES, words::Q_NETWORK_NO),
        _ => (words::Q_TOLD, words::Q_TOLD_WHY, words::Q_TOLD_YES, words::Q_TOLD_NO),
    };
    html! {
        p.kicker { (n + 1) " of 3" }
        h1 { (title) }
        p { (why) }
        (form(load, &html! {
            div.actions {
                (button(load, Step::Question(n + 1), yes, false))
                (button(load, Step::Advice(n), no, true))
            }
        }))
    }
}

fn advice(load: &Load<'_>, n: u8) -> Markup {
    let (title, why) = match n {
        0 => (words::A_DEVICE, words::A_DEVICE_WHY),
        1 => (words::A_NETWORK, words::A_NETWORK_WHY),
        _ => (words::A_TOLD, words::A_TOLD_WHY),
    };
    html! {
        h1 { (title) }
        p { (why) }
        (form(load, &html! {
            div.actions {
                (button(load, Step::Leave, words::LEAVE, false))
                (button(load, Step::Question(n.min(2) + 1), words::GO_ON, true))
            }
        }))
    }
}

fn before(load: &Load<'_>) -> Markup {
    html! {
        h1 { (words::BEFORE) }
        ul.points {
            li { (words::BEFORE_WHAT) }
            li { (words::BEFORE_ERASE) }
            li { (words::BEFORE_LOST) }
        }
        h2 { (words::CANNOT) }
        ul.points {
            li { (words::CANNOT_DEVICE) }
            li { (words::CANNOT_SCREEN) }
            li { (words::CANNOT_ONLY) }
        }
        (form(load, &html! { div.actions { (button(load, Step::ShowWords, words::SHOW_WORDS, false)) } }))
    }
}

fn shown(load: &Load<'_>, six: &[&str]) -> Markup {
    html! {
        h1 { (words::SHOWN) }
        p { (words::SHOWN_WHAT) }
        (passphrase::shown(six, words::HIDE))
        (form(load, &html! { div.actions { (button(load, Step::Retype, words::HAVE_THEM, false)) } }))
    }
}

fn retype(load: &Load<'_>, typed: &[String; 6], wrong: &[usize]) -> Markup {
    let places = passphrase::places(wrong);
    html! {
        h1 { (words::RETYPE) }
        @if !wrong.is_empty() {
            p.problem #problem role="alert" {
                (fill(if wrong.len() == 1 { words::ONE_DIFFERS } else { words::SOME_DIFFER }, &[html! { (places) }]))
            }
        }
        p { (words::RETYPE_WHY) }
        (form(load, &html! {
            (boxes(load, typed, wrong))
            div.actions {
                (button(load, Step::Begin, words::OPEN_NEW, false))
                (button(load, Step::ShowWords, words::SHOW_AGAIN, true))
            }
        }))
    }
}

fn unlock(
    load: &Load<'_>,
    typed: &[String; 6],
    problem: Option<&str>,
    carried: Option<Carried<'_>>,
) -> Markup {
    html! {
        h1 { (words::UNLOCK) }
        (trouble_with_the_disk(load))
        @if let Some(sentence) = problem { p.problem #problem role="alert" { (sentence) } }
        p { (words::UNLOCK_WHAT) }
        @if carried.is_some() { p { (words::CARRIED) } }
        (form(load, &html! {
            @if let Some(Carried { desk, text }) = carried {
                input type="hidden" name=(load.names.of(Field::Desk)) value=(desk);
                input type="hidden" name=(load.names.of(Field::Text)) value=(text);
            }
            (boxes(load, typed, &[]))
            div.actions { (button(load, Step::Unlock, words::OPEN, false)) }
        }))
    }
}

// ---- inside ----

fn home(load: &Load<'_>, inside: &Inside) -> Markup {
    let every_ms = load.app.device.status().round_ms.clamp(2_000, 60_000);
    let conversations = &inside.conversations;
    html! {
        h1 { (words::CONVERSATIONS) }
        @if let Some((done, kept_by)) = &inside.sealed {
            // Only what stays true while the message goes its way; where it is stands with the message.
            div.note role="status" {
                p { (done) }
                @if !inside.unkept { p { (fill(words::SEALED_KEPT, &[moment(load, kept_by.0)])) } }
            }
        }
        @if inside.full { p.problem { (words::FULL) } }
        (drafts(load, inside))
        div #lines aria-live="polite" {
            (unkept(inside))
            @for conversation in conversations {
                section aria-label=(text::tame(&desk_name(&conversation.desk))) {
                    h2 { (text::run(&conversation.desk.name)) ", " (text::run(&conversation.desk.newsroom)) }
                    ol.lines { @for line in &conversation.lines { (line_item(load, &conversation.desk, line)) } }
                }
            }
        }
        // The module asks with the form's own step, which does not count as being here; a press of the button does.
        form method="post" action=(PATH) data-step data-every=(every_ms) data-swap="lines" autocomplete="off" {
            (hidden(load))
            input type="hidden" name=(load.names.of(Field::Step)) value=(Step::Look);
            p.hint.live { (words::LOOKS_ITSELF) }
            div.actions { (button(load, Step::Home, words::LOOK_AGAIN, true)) }
        }
        div.flow {
            @for conversation in conversations {
                (form(load, &html! {
                    input type="hidden" name=(load.names.of(Field::Desk)) value=(conversation.desk.id);
                    div.actions {
                        button name=(load.names.of(Field::Step)) value=(Step::Compose) {
                            (words::WRITE_MORE) " · " (text::run(&desk_name(&conversation.desk)))
                        }
                        button.quiet name=(load.names.of(Field::Step)) value=(Step::Delete) {
                            (words::DELETE) " · " (text::run(&desk_name(&conversation.desk)))
                        }
                    }
                }))
            }
            (form(load, &html! {
                div.actions {
                    (button(load, Step::Choose, words::WRITE_OTHER, true))
                    (button(load, Step::Erase, words::ERASE, true))
                }
            }))
        }
    }
}

/// What was done here is not on the disk, though it should be. It stands with what the module asks for again and again.
fn unkept(inside: &Inside) -> Markup {
    html! { @if inside.unkept { p.problem { (words::NOT_KEPT) } } }
}

/// What was being written, each with the way back to it.
fn drafts(load: &Load<'_>, inside: &Inside) -> Markup {
    html! {
        @for desk in &inside.drafts {
            (form(load, &html! {
                div.note {
                    p { (fill(words::DRAFT, &[text::run(&desk_name(desk))])) }
                    input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
                    div.actions { (button(load, Step::Compose, words::GO_ON_WRITING, false)) }
                }
            }))
        }
    }
}

fn delete(load: &Load<'_>, desk: &DeskView) -> Markup {
    html! {
        h1 { (fill(words::DELETE_TITLE, &[text::run(&desk_name(desk))])) }
        ul.points {
            li { (words::DELETE_WHAT) }
            li { (words::DELETE_WAITING) }
            li { (words::DELETE_GONE) }
            li { (words::DELETE_ANSWERS) }
        }
        (form(load, &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(desk.id);
            div.actions { (button(load, Step::DeleteNow, words::DELETE, false)) }
        }))
        (form(load, &html! { div.actions { (button(load, Step::Home, words::BACK, true)) } }))
    }
}

fn erase(load: &Load<'_>) -> Markup {
    html! {
        h1 { (words::ERASE) }
        h2 { (words::ERASE_DOES) }
        ul.points {
            li { (words::ERASE_WHAT) }
            li { (words::DELETE_WAITING) }
            li { (words::ERASE_WORDS) }
        }
        h2 { (words::ERASE_DOES_NOT) }
        ul.points {
            li { (words::DELETE_GONE) }
            li { (words::DELETE_ANSWERS) }
            li { (words::ERASE_DISK) }
        }
        (trouble_with_the_disk(load))
        p { (words::ERASE_WHEN) }
        p { (words::ERASE_FAILS) }
        (form(load, &html! {
            div.actions {
                (button(load, Step::EraseNow, words::ERASE_NOW, false))
                (button(load, Step::Home, words::BACK, true))
            }
        }))
    }
}

fn line_item(load: &Load<'_>, desk: &DeskView, line: &Line) -> Markup {
    let theirs = line.who == Who::Desk;
    html! {
        li.theirs[theirs] {
            p.who { @if theirs { (text::run(&desk_name(desk))) } @else { (words::YOU) } }
            p.said dir="auto" { (text::tame(&line.text)) }
            @if let Some(view) = &line.document { (attach::progress(load, desk, line.state, view)) }
            @match line.state {
                _ if line.document.is_some() => {},
                LineState::Waiting { from, until } => {
                    (way(0))
                    (anew(line))
                    p.state { (leaves(load, from.0, until.0)) }
                    p.state { (words::WAITING_CLOSE) }
                },
                LineState::Left { before } => {
                    (way(1))
                    (anew(line))
                    p.state { (fill(words::LEFT, &[moment(load, before.0)])) }
                    @let usually = when::under(ROUNDS_TO_DESK * load.app.device.status().round_ms);
                    p.state { (fill(words::LEFT_USUALLY, &[html! { (usually) }])) }
                },
                LineState::Overdue { before } => {
                    (way(1))
                    p.state { (fill(words::LEFT, &[moment(load, before.0)])) }
                    @let is_listed = load.app.device.desks().iter().any(|listed| listed.id == desk.id);
                    p.state { (if is_listed { words::OVERDUE } else { words::OVERDUE_GONE }) }
                },
                LineState::Unknown { before } => {
                    (way(1))
                    @if let Some(before) = before {
                        p.state { (fill(words::LEFT, &[moment(load, before.0)])) }
                    }
                    p.state { (words::UNKNOWN) }
                },
                LineState::Acknowledged => {
                    (way(2))
                    p.state { (fill(words::ACKNOWLEDGED, &[text::run(&desk.name)])) }
                },
                _ => {},
            }
        }
    }
}

/// Said of a message that was sealed more than once.
fn anew(line: &Line) -> Markup {
    html! { @if line.times > 1 { p.state { (fill(words::ANEW, &[html! { (line.times) }])) } } }
}

/// When a waiting message leaves.
fn leaves(load: &Load<'_>, from_ms: u64, until_ms: u64) -> Markup {
    let (from, until) = (moment(load, from_ms), moment(load, until_ms));
    if from.0 == until.0 { fill(words::WAITING_AT, &[until]) } else { fill(words::WAITING, &[from, until]) }
}

/// Where a message can be by now: on this device, on its way or at the desk unseen, or surely at the desk.
fn way(stage: u8) -> Markup {
    let classes = match stage {
        0 => ["here", "", ""],
        1 => ["past", "maybe", "maybe"],
        _ => ["past", "past", "here"],
    };
    html! {
        ol.way aria-label=(words::WAY) {
            @for (name, class) in [words::WAY_DEVICE, words::WAY_MIXES, words::WAY_DESK].iter().zip(classes) {
                li class=(class) aria-current=[(class == "here").then_some("step")] {
                    @if class == "maybe" { "perhaps " } (name)
                }
            }
        }
    }
}

fn choose(load: &Load<'_>, desks: &[DeskView], inside: &Inside) -> Markup {
    html! {
        h1 { (words::CHOOSE) }
        (unkept(inside))
        (drafts(load, inside))
        p { (words::CHOOSE_WHAT) }
        @if desks.is_empty() { p.problem { (words::NO_DESKS) } }
        (form(load, &html! {
            input type="hidden" name=(load.names.of(Field::Step)) value=(Step::Compose);
            @for (newsroom, desks) in by_newsroom(desks) {
                h2 { (text::run(newsroom)) }
                div.choices {
                    @for desk in desks {
                        button.choice name=(load.names.of(Field::Desk)) value=(desk.id) { (choice(desk)) }
                    }
                }
            }
        }))
        @if inside.conversations.is_empty() { (form(load, &button(load, Step::Erase, words::ERASE, true))) }
    }
}

fn compose(load: &Load<'_>, writing: &Writing<'_>, problem: Option<&str>) -> Markup {
    let area = load.names.of(Field::Text);
    html! {
        h1 { (fill(words::WRITE_TO, &[text::run(&writing.desk.name)])) }
        p.hint {
            (text::run(&writing.desk.newsroom))
            @if !writing.desk.about.is_empty() { " · " (text::run(&writing.desk.about)) }
        }
        @if let Some(sentence) = problem { p.problem #problem role="alert" { (sentence) } }
        (writing_form(load, &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(writing.desk.id);
            div.flow {
                div {
                    label for=(area) { (words::YOUR_MESSAGE) }
                    p.hint #hint { (words::WRITE_HINT) }
                    // a line break right after the tag belongs to the markup, so one is given away
                    textarea #(area) name=(area) rows="12" data-focus aria-describedby="hint meter" autocomplete="off"
                        autocorrect="off" spellcheck="false" translate="no" writingsuggestions="false" {
                        "\n" (writing.text)
                    }
                }
                div #meter { (meter(load, writing.text)) }
                div.actions {
                    (button(load, Step::Send, words::SEND, false))
                    button.quiet name=(load.names.of(Field::Step)) value=(Step::Measure) data-measure {
                        (words::CHECK_LENGTH)
                    }
                    (button(load, Step::Attach, words::ATTACH, true))
                    (button(load, Step::Home, words::BACK, true))
                }
            }
        }))
    }
}

/// How full the message is.
fn meter(load: &Load<'_>, written: &str) -> Markup {
    let room = load.app.device.room(written);
    html! {
        meter min="0" max=(room.total) value=(room.used.min(room.total)) high=(room.total * 9 / 10)
            aria-label=(words::CHECK_LENGTH) {}
        p.hint {
            @match words_left(written, room.used, room.total) {
                Ok(0) => (words::ROOM_FEW),
                Ok(left) => (fill(words::ROOM, &[html! { (left) }])),
                Err(many) => (fill(words::TOO_LONG, &[html! { (many) }])),
            }
        }
    }
}

fn ask(load: &Load<'_>, writing: &Writing<'_>, what: Identifies) -> Markup {
    html! {
        h1 { (words::COULD_IDENTIFY) }
        p { (match what { Identifies::Email => words::HOLDS_EMAIL, Identifies::Url => words::HOLDS_URL }) }
        p { (words::IDENTIFY_WHY) }
        div.note { p.said dir="auto" { (text::tame(writing.text)) } }
        (writing_form(load, &html! {
            input type="hidden" name=(load.names.of(Field::Desk)) value=(writing.desk.id);
            input type="hidden" name=(load.names.of(Field::Text)) value=(writing.text);
            div.actions {
                (button(load, Step::Compose, words::CHANGE_IT, false))
                (button(load, Step::SendAnyway, words::SEND_ANYWAY, true))
            }
        }))
    }
}

// ---- pieces ----

/// The front page's sentence about the disk, where something waits for it. The same with and without a mailbox.
fn trouble_with_the_disk(load: &Load<'_>) -> Markup {
    html! { @if load.app.device.status().health == Health::Disk { (trouble(Health::Disk)) } }
}

pub(super) fn form(load: &Load<'_>, inside: &Markup) -> Markup {
    html! {
        form method="post" action=(PATH) data-step autocomplete="off" { (hidden(load)) (inside) }
    }
}

/// The form with what is being written: the module sends it along with the way out, which keeps it.
fn writing_form(load: &Load<'_>, inside: &Markup) -> Markup {
    html! {
        form #(WRITING) method="post" action=(PATH) data-step autocomplete="off" { (hidden(load)) (inside) }
    }
}

pub(super) fn hidden(load: &Load<'_>) -> Markup {
    html! {
        @if !load.page.is_empty() { input type="hidden" name=(load.names.of(Field::Page)) value=(load.page); }
        @if let Some(story) = load.from {
            input type="hidden" name=(load.names.of(Field::From)) value=(hex::encode(story.0));
        }
    }
}

pub(super) fn button(load: &Load<'_>, step: Step, label: &str, quiet: bool) -> Markup {
    html! { button.quiet[quiet] name=(load.names.of(Field::Step)) value=(step) { (label) } }
}

fn boxes(load: &Load<'_>, typed: &[String; 6], wrong: &[usize]) -> Markup {
    let names = std::array::from_fn(|n| load.names.of(Field::Word(n as u8)));
    passphrase::boxes(&names, typed, wrong, words::HIDE)
}

/// Desks under their newsrooms, both in the directory's order: the same for every reader.
fn by_newsroom(desks: &[DeskView]) -> Vec<(&str, Vec<&DeskView>)> {
    let mut newsrooms: Vec<(&str, Vec<&DeskView>)> = Vec::new();
    for desk in desks {
        match newsrooms.iter_mut().find(|(newsroom, _)| *newsroom == desk.newsroom) {
            Some((_, theirs)) => theirs.push(desk),
            None => newsrooms.push((&desk.newsroom, vec![desk])),
        }
    }
    newsrooms
}

/// A desk under its newsroom's name.
fn choice(desk: &DeskView) -> Markup {
    html! {
        b { (text::run(&desk.name)) }
        @if !desk.about.is_empty() { " " span { (text::run(&desk.about)) } }
    }
}

fn desk_name(desk: &DeskView) -> String {
    format!("{}, {}", desk.name, desk.newsroom)
}

fn moment(load: &Load<'_>, at_ms: u64) -> Markup {
    let seconds = load.app.device.status().round_ms < SECONDS_BELOW_MS;
    load.app.zone.moment(at_ms, load.app.now().0, seconds)
}
