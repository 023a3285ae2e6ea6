//! The inbox and one conversation.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State as Shared},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use client::{AnswerError, Conversation, CutOff, Health, Line, LineState, Stays, Unwritten, Who};
use maud::{Markup, html};
use proto::{Digest, Millis, conversation, size};
use serde::Deserialize;
use ui::{
    text::{beginning, fill, tame},
    when,
};

use zeroize::Zeroizing;

use crate::{App, blocking, document, frame, keep_awake, not_here, words};

/// How much of the newest line a row shows, in characters.
const EXCERPT: usize = 110;

/// Bytes of the longest answer.
const LONGEST: usize = conversation::MAX_PARTS as usize * size::REPLY_TEXT;

/// Shorter rounds show clock times with their seconds.
const SECONDS_BELOW_MS: u64 = 60_000;

/// An answer as it was posted. No `Debug`.
#[derive(Deserialize)]
pub(crate) struct Posted {
    #[serde(default)]
    text: String,
    /// Drawn with the form.
    #[serde(default)]
    number: String,
}

/// `GET /`
pub(crate) async fn list(Shared(app): Shared<Arc<App>>, headers: HeaderMap) -> Response {
    mind(&app, &headers, None);
    let Some(inbox) = app.inbox() else { return Redirect::to("/vault").into_response() };
    let conversations = blocking(move || inbox.conversations()).await;
    let main = html! {
        h1 { (words::INBOX) }
        // before "nothing has come yet", of which it may be the reason
        div #trouble data-live="/" data-every=(every_ms(&app)) aria-live="polite" { (trouble(&app)) }
        div #inbox data-live="/" data-every=(every_ms(&app)) aria-live="polite" {
            @if conversations.is_empty() {
                p.empty { (words::EMPTY) }
            } @else {
                ul.inbox { @for conversation in &conversations { (row(conversation)) } }
            }
        }
        (clock(&app))
    };
    frame(&app, words::INBOX, true, &main).into_response()
}

/// `GET /next`: when the next collection is, asked for once a second, for which nothing of the vault is read.
pub(crate) async fn next(Shared(app): Shared<Arc<App>>) -> Response {
    if app.inbox().is_none() {
        return Redirect::to("/vault").into_response();
    }
    frame(&app, words::INBOX, true, &clock(&app)).into_response()
}

/// Apart from the inbox: a counting clock is not to be read out.
fn clock(app: &App) -> Markup {
    html! { p.hint #next data-live="/next" data-every="1000" { (until_next(app)) } }
}

/// What keeps this desk from collecting, if anything does.
fn trouble(app: &App) -> Markup {
    let status = app.device.status();
    let sentence = match status.health {
        Health::Offline => Some(words::OFFLINE),
        Health::Unverified => Some(words::UNVERIFIED),
        Health::Stale => Some(words::STALE),
        Health::Clock => Some(words::WRONG_CLOCK),
        Health::Disk => Some(words::FULL_DISK),
        Health::Forked => Some(words::FORKED),
        Health::TwoPages => Some(words::TWO_PAGES),
        Health::Frozen => Some(words::FROZEN),
        Health::Unwitnessed => Some(words::UNWITNESSED),
        Health::Unlisted => Some(words::UNLISTED),
        Health::Denied => Some(words::DENIED),
        Health::Starting | Health::Good => None,
    };
    let vault = app.state().inbox.as_ref().map(|inbox| inbox.trouble()).unwrap_or_default();
    let cut_off = vault.cut_off.map(|why| match why {
        CutOff::Foreign => words::FOREIGN,
        CutOff::Keyless => words::KEYLESS,
    });
    let unwritten = vault.unwritten.map(|why| match why {
        Unwritten::Replaced => words::REPLACED,
        Unwritten::Disk => words::UNWRITTEN,
    });
    let moment = |at: Millis| app.zone.moment(at.0, app.now().0, status.round_ms < SECONDS_BELOW_MS);
    html! {
        @if status.started_over { p.note { (words::STARTED_OVER) } }
        @if let Some(sentence) = sentence { p.problem { (sentence) } }
        @if let Some(sentence) = cut_off { p.problem { (sentence) } }
        @if let Some(sentence) = unwritten { p.problem { (sentence) } }
        @if let Some((from, until)) = vault.lacks {
            p.problem { (fill(words::LACKS, &[moment(from), moment(until)])) }
        }
        @if let Some((from, until)) = vault.missed {
            p.problem { (fill(words::MISSED, &[moment(from), moment(until)])) }
        }
    }
}

/// `GET /conversations/{id}`
pub(crate) async fn conversation(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    mind(&app, &headers, Some(&id));
    let draft = app.state().drafts.get(&id).cloned().unwrap_or_default();
    show(&app, &id, &draft, None).await
}

/// `POST /conversations/{id}/draft`: what was written so far, which the module sends while a person types. It waits in
/// memory until it is sent, also while the screen is locked: the words on their way when somebody presses "Lock" too.
pub(crate) async fn draft(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<String>,
    Form(posted): Form<Posted>,
) -> StatusCode {
    if !keep_draft(&app, id, posted.text.replace("\r\n", "\n")).await {
        return StatusCode::NOT_FOUND;
    }
    keep_awake(&app);
    StatusCode::NO_CONTENT
}

/// Keeps what was written to a conversation of this desk.
async fn keep_draft(app: &App, id: String, text: String) -> bool {
    let Some(inbox) = app.state().inbox.clone() else { return false };
    let Some(wanted) = named(&id) else { return false };
    let known = blocking(move || inbox.conversation(wanted).is_some()).await;
    if known {
        app.state().drafts.insert(id, Zeroizing::new(text));
    }
    known
}

/// An answer that came while the screen was locked: it waits in its box, and unlocking leads there.
async fn keep_until_unlocked(app: &App, id: String, text: String) {
    let place = path(&id);
    if !text.trim().is_empty() && keep_draft(app, id, text).await {
        app.state().place = Some(place);
    }
}

/// `POST /conversations/{id}`
pub(crate) async fn answer(
    Shared(app): Shared<Arc<App>>,
    Path(id): Path<String>,
    Form(posted): Form<Posted>,
) -> Response {
    keep_awake(&app);
    let text = posted.text.replace("\r\n", "\n");
    let Some(inbox) = app.inbox() else {
        // One that was sent before the screen was locked is no draft.
        let is_sent = app.answered().get(&posted.number) == Some(&Digest::of(text.as_bytes()));
        if !is_sent {
            keep_until_unlocked(&app, id, text).await;
        }
        return Redirect::to("/vault").into_response();
    };
    if text.trim().is_empty() {
        return show(&app, &id, "", Some(words::EMPTY_ANSWER.into())).await;
    }
    let (sends, letter, wanted) = (Arc::clone(&app), text.clone(), id.clone());
    // All of it beside the browser, which may have gone on to the next press of the same button.
    let sent = blocking(move || {
        let conversation = inbox.conversation(named(&wanted)?)?;
        let mut answered = sends.answered();
        let said = Digest::of(letter.as_bytes());
        if let Some(before) = answered.get(&posted.number) {
            return Some(if *before == said { Ok(()) } else { Err(None) });
        }
        let sent = inbox.answer(conversation.id, &letter, sends.now()).map(drop);
        if sent.is_ok() {
            answered.insert(posted.number, said);
            sends.state().drafts.remove(&wanted);
        }
        Some(sent.map_err(Some))
    })
    .await;
    match sent {
        None => not_here(&app),
        Some(Ok(())) => Redirect::to(&path(&id)).into_response(),
        Some(Err(None)) => show(&app, &id, &text, Some(words::SENT_BEFORE.into())).await,
        Some(Err(Some(error))) => {
            let sentence = match error {
                AnswerError::NoConversation => return not_here(&app),
                AnswerError::TooOld => words::TOO_OLD.into(),
                AnswerError::NoLinks { room: 0 } => words::NO_LINKS.into(),
                AnswerError::NoLinks { room } => words::FEW_LINKS.replace("{}", &room.to_string()),
                AnswerError::TooLong(_) => words::TOO_LONG.into(),
                AnswerError::Disk => words::DISK.into(),
                _ => words::TOO_EARLY.into(),
            };
            show(&app, &id, &text, Some(sentence)).await
        }
    }
}

/// A person opening a page is a step, and the screen unlocks to it; the module looking for news is not.
fn mind(app: &Arc<App>, headers: &HeaderMap, conversation: Option<&str>) {
    if headers.get("sec-fetch-mode").is_none_or(|mode| mode == "navigate") {
        keep_awake(app);
        let mut state = app.state();
        if state.shown {
            // Anything may stand in an address, and not everything in the header that leads back to it.
            state.place = conversation.filter(|id| named(id).is_some()).map(path);
        }
    }
}

async fn show(app: &Arc<App>, id: &str, draft: &str, problem: Option<String>) -> Response {
    let Some(inbox) = app.inbox() else { return Redirect::to("/vault").into_response() };
    let Some(wanted) = named(id) else { return not_here(app) };
    let found = blocking(move || inbox.conversation(wanted)).await;
    let Some(conversation) = found else { return not_here(app) };
    let main = html! {
        div.area {
            h1 { (tame(&conversation.name)) }
            p.hint { (words::TEXT_ONLY) }
            div #trouble data-live=(path(id)) data-every=(every_ms(app)) aria-live="polite" { (trouble(app)) }
            div #lines data-live=(path(id)) data-every=(every_ms(app)) aria-live="polite" {
                ol.lines {
                    @for (i, line) in conversation.lines.iter().enumerate() {
                        (line_item(app, id, line, conversation.gaps.contains(&i)))
                    }
                }
            }
            (answering(id, &app.draw_number(), draft, conversation.room, problem.as_deref()))
        }
    };
    frame(app, words::CONVERSATION, true, &main).into_response()
}

/// The form in which an answer is written. Firefox asks the box itself and not its form whether what stands in it may be put
/// down on the disk, to be there again after a crash.
fn answering(id: &str, number: &str, draft: &str, links: usize, problem: Option<&str>) -> Markup {
    html! {
        form method="post" action=(path(id)) data-keep={ (path(id)) "/draft" } autocomplete="off" {
            // However often the form is sent, what is in it is one answer.
            input type="hidden" name="number" value=(number);
            @if let Some(sentence) = problem { p.problem role="alert" { (sentence) } }
            label for="text" { (words::ANSWER) }
            p.hint #hint { (words::ANSWER_HINT) " " (room(links)) }
            textarea #text name="text" rows="7" aria-describedby="hint" autocomplete="off" autocorrect="off"
                spellcheck="false" writingsuggestions="false" { "\n" (draft) }
            div.actions { button { (words::SEND) } }
        }
    }
}

fn row(conversation: &Conversation) -> Markup {
    let newest = conversation.lines.iter().max_by_key(|line| line.at);
    let answer = conversation.lines.iter().rfind(|line| line.who == Who::You);
    let tag = match answer.map(|line| line.state) {
        Some(LineState::Waiting { .. } | LineState::Stays(_)) => words::ANSWER_WAITS,
        Some(LineState::Unknown { .. }) => words::ANSWER_UNKNOWN,
        _ => words::ANSWERED,
    };
    html! {
        li {
            h2 { a href=(path(&hex::encode(conversation.id))) { (tame(&conversation.name)) } }
            p.excerpt dir="auto" { @if let Some(line) = newest { (beginning(&line.text, EXCERPT)) } }
            p.state {
                @if conversation.unanswered { span.tag { (words::NEW) } } @else { (tag) }
                " · " (fill(words::ROUND, &[html! { (conversation.newest) }]))
            }
        }
    }
}

fn line_item(app: &App, conversation: &str, line: &Line, is_after_gap: bool) -> Markup {
    let theirs = line.who == Who::Source;
    html! {
        li.theirs[theirs] {
            @if is_after_gap { p.state { (words::GAP) } }
            p.who {
                (if theirs { words::SOURCE } else { words::THIS_DESK }) " "
                span.state { (fill(words::ROUND, &[html! { (line.at) }])) }
            }
            p.said dir="auto" { (tame(&line.text)) }
            @if let Some(view) = &line.document { (document::shown(app, conversation, line.state, view)) }
            @match line.state {
                LineState::Waiting { from, until } => {
                    (copy(line))
                    p.state { (leaves(app, from.0, until.0)) }
                },
                LineState::Stays(Stays::NoPass) => p.problem { (words::STAYS_NO_PASS) },
                LineState::Stays(Stays::NoLinks) => p.problem { (words::STAYS_NO_LINKS) },
                LineState::Stays(Stays::NoPlace) => p.state { (words::STAYS_NO_PLACE) },
                LineState::Stays(Stays::Halted) => p.problem { (words::STAYS_HALTED) },
                LineState::Left { before } => {
                    (copy(line))
                    p.state { (fill(words::LEFT, &[moment(app, before.0)])) }
                },
                LineState::Unknown { .. } => {
                    p.state { (fill(words::UNKNOWN, &[html! { (line.times) }])) }
                },
                LineState::Acknowledged => p.state { (words::RECEIVED_BY_SOURCE) },
                _ => {},
            }
        }
    }
}

/// Said of an answer that went out more than once.
fn copy(line: &Line) -> Markup {
    html! { @if line.times > 1 { p.state { (fill(words::COPY, &[html! { (line.times) }])) } } }
}

/// How much can be answered, once that is less than the longest answer.
fn room(bytes: usize) -> Markup {
    html! {
        @if bytes == 0 {
            (words::ROOM_NONE)
        } @else if bytes < LONGEST {
            (fill(words::ROOM, &[html! { (bytes) }]))
        }
    }
}

/// When a waiting answer leaves.
fn leaves(app: &App, from_ms: u64, until_ms: u64) -> Markup {
    let (from, until) = (moment(app, from_ms), moment(app, until_ms));
    if from.0 == until.0 { fill(words::WAITING_AT, &[until]) } else { fill(words::WAITING, &[from, until]) }
}

/// When the next collection is.
fn until_next(app: &App) -> Markup {
    let status = app.device.status();
    if status.edition.is_none() {
        return html! { (words::NO_EDITION) };
    }
    let left = u64::try_from(app.now().until(status.next_exchange).as_millis()).unwrap_or(u64::MAX);
    html! {
        (fill(words::NEXT, &[html! { (when::until(left)) }])) " "
        span.live { (words::NEXT_APPEARS) }
    }
}

fn moment(app: &App, at_ms: u64) -> Markup {
    app.zone.moment(at_ms, app.now().0, app.device.status().round_ms < SECONDS_BELOW_MS)
}

fn every_ms(app: &App) -> u64 {
    app.device.status().round_ms.clamp(2_000, 60_000) / 2
}

/// The conversation that an address names.
fn named(id: &str) -> Option<[u8; 8]> {
    let mut name = [0; 8];
    hex::decode_to_slice(id, &mut name).ok().map(|()| name)
}

pub(crate) fn path(id: &str) -> String {
    format!("/conversations/{id}")
}

#[cfg(test)]
mod tests {
    use proto::Round;

    use super::*;

    /// P8: an answer that has not left, or may be lost, is not called one.
    #[test]
    fn a_row_shows_what_came_last_and_where_the_newest_answer_is() {
        let line = |who, text: &str, at, state| {
            let (text, at) = (Zeroizing::new(text.to_owned()), Round(at));
            Line { who, text, document: None, state, times: 1, at }
        };
        let at = Millis(0);
        for (unanswered, state, tag) in [
            (true, LineState::Acknowledged, words::NEW),
            (false, LineState::Waiting { from: at, until: at }, words::ANSWER_WAITS),
            (false, LineState::Stays(Stays::NoPass), words::ANSWER_WAITS),
            (false, LineState::Unknown { before: None }, words::ANSWER_UNKNOWN),
            (false, LineState::Left { before: at }, words::ANSWERED),
            (false, LineState::Acknowledged, words::ANSWERED),
        ] {
            let lines = vec![
                line(Who::Source, "a long document", 9, LineState::Received),
                line(Who::You, "Thank you.", 5, state),
                line(Who::Source, "a word meanwhile", 4, LineState::Received),
            ];
            let (id, name, newest) = ([0; 8], "a name".into(), Round(9));
            let shown = row(&Conversation { id, name, lines, gaps: vec![], unanswered, newest, room: 0 })
                .into_string();
            let (_, said) = shown.split_once("class=\"state\"").unwrap();
            assert!(shown.contains("a long document") && said.contains("round 9"), "{shown}");
            let all = [words::NEW, words::ANSWER_WAITS, words::ANSWER_UNKNOWN, words::ANSWERED];
            assert_eq!(all.into_iter().filter(|tag| said.contains(tag)).collect::<Vec<_>>(), [tag]);
        }
    }

    #[test]
    fn the_box_of_an_answer_itself_asks_the_browser_to_remember_nothing() {
        let shown = answering("00", "1", "Since when?", LONGEST, None).into_string();
        let boxes: Vec<_> = shown.split('<').filter(|tag| tag.starts_with("textarea")).collect();
        assert_eq!(boxes.len(), 1);
        assert!(boxes[0].contains(" autocomplete=\"off\"") && boxes[0].ends_with("Since when?"), "{shown}");
    }
}
