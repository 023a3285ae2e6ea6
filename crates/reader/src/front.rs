//! What everyone reads: the front page, a story, its pictures.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use client::{Health, Status};
use maud::{Markup, html};
use proto::story::{ArticleId, StoryId};
use ui::{
    story as parts,
    text::{fill, run},
    when,
};

use crate::{App, Here, contact, frame, plain, words};

/// Shorter rounds show clock times with their seconds.
pub(crate) const SECONDS_BELOW_MS: u64 = 60_000;

/// `GET /`
pub(crate) async fn front(State(app): State<Arc<App>>) -> Markup {
    let status = app.device.status();
    let every_ms = status.round_ms.clamp(2_000, 60_000);
    if status.edition.is_none() {
        let again_s = u32::try_from(every_ms.div_ceil(1_000)).unwrap_or(60);
        return frame(&app, Here::Front, words::FRONT_PAGE, Some(again_s), waiting(&app, &status));
    }
    let stories = app.device.stories();
    let main = html! {
        h1.page-title { (words::FRONT_PAGE) }
        div #edition data-live="/" data-swap="edition stories" data-every=(every_ms) {
            (edition_line(&app, &status))
        }
        div #stories {
            (parts::front(&stories, &app.zone))
            @if stories.is_empty() { p.empty { (words::FIRST_NONE_STORIES) } }
        }
    };
    frame(&app, Here::Front, words::FRONT_PAGE, None, main)
}

/// `GET /stories/{id}`
pub(crate) async fn story(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let Some(story) = parts::parse_id(&id).and_then(|id| app.device.story(StoryId(id))) else {
        return (StatusCode::NOT_FOUND, plain(&app, words::NO_STORY)).into_response();
    };
    let under = html! { p { a href=(contact::PATH) data-in-place { (words::CONTACT) } } };
    // What a tab is called stands in the browser's history, and may leave the machine: it does not say what is read.
    frame(&app, Here::Elsewhere, words::STORY, None, parts::story(&story, &app.zone, &under)).into_response()
}

/// `GET /pictures/{id}`
pub(crate) async fn picture(State(app): State<Arc<App>>, Path(id): Path<String>) -> Response {
    let Some(picture) = parts::parse_id(&id).and_then(|id| app.device.picture(ArticleId(id))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    ([(header::CONTENT_TYPE, parts::media_type(picture.media))], picture.bytes).into_response()
}

/// Date, network, "verified", round; and a sentence if something is wrong.
fn edition_line(app: &App, status: &Status) -> Markup {
    let network = status.network.as_ref().map_or("", |n| n.name.as_str());
    html! {
        @if let Some(edition) = &status.edition {
            p.dateline {
                span { (app.zone.day(edition.published.0)) }
                @if !network.is_empty() { span { (run(network)) } }
                @if !thrown_away(status.health) { span.good { (words::VERIFIED) } }
                span {
                    "Edition of " (app.zone.clock(edition.published.0, status.round_ms < SECONDS_BELOW_MS))
                    ", round " (edition.round)
                }
            }
        }
        @if status.started_over { p.note role="status" { (words::STARTED_OVER) } }
        (trouble(status.health))
    }
}

/// Whether what came last was thrown away.
fn thrown_away(health: Health) -> bool {
    matches!(health, Health::Unverified | Health::Forked | Health::TwoPages | Health::Unwitnessed)
}

/// Before the first edition.
fn waiting(app: &App, status: &Status) -> Markup {
    let left = app.now().until(status.next_exchange).as_millis();
    let left = when::until(u64::try_from(left).unwrap_or(u64::MAX));
    html! {
        // Here a front page is asked for often; it comes without this part as soon as there is an edition.
        div.note #first data-live="/" data-every="1000" {
            h1 { (words::FIRST_TITLE) }
            p { (fill(words::FIRST_WHEN, &[html! { (left) }])) }
            p { (words::FIRST_WHY) }
            (trouble(status.health))
        }
    }
}

pub(crate) fn trouble(health: Health) -> Markup {
    let sentence = match health {
        Health::Offline => words::OFFLINE,
        Health::Unverified => words::UNVERIFIED,
        Health::Forked => words::FORKED,
        Health::TwoPages => words::TWO_PAGES,
        Health::Frozen => words::FROZEN,
        Health::Unwitnessed => words::UNWITNESSED,
        Health::Stale => words::STALE,
        Health::Clock => words::WRONG_CLOCK,
        Health::Disk => words::FULL_DISK,
        // Of desks alone.
        Health::Starting | Health::Good | Health::Unlisted | Health::Denied => return html! {},
    };
    html! { p.problem role="status" { (sentence) } }
}
