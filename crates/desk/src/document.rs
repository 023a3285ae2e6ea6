//! Documents: how many of their parts have come, what a picture shows, and the file to save.
//!
//! What a source sent is never opened here and never put into a page. A picture is decoded, within limits, and what is shown
//! is written anew from its points; the document itself leaves as a file that the browser is told to save and not to guess at.

use std::sync::Arc;

use axum::{
    extract::{Path, State as Shared},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use client::{DocumentView, LineState, cleaning::preview};
use maud::{Markup, html};
use proto::document::{Document, Format};
use tokio::sync::Semaphore;
use ui::{text::fill, when};

use crate::{App, blocking, inbox::path, keep_awake, not_here, words};

/// How long the stem of a file's name may be, in characters.
const STEM: usize = 60;

/// `GET /conversations/{id}/documents/{first}`: the document as it came, to save.
pub(crate) async fn save(Shared(app): Shared<Arc<App>>, Path((id, first)): Path<(String, u32)>) -> Response {
    keep_awake(&app);
    let found = match find(&app, id, first).await {
        Ok(found) => found,
        Err(other) => return other,
    };
    let headers = [
        // Not its own type: nothing is to open it by itself.
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file_name(&found))),
    ];
    (headers, found.content.clone()).into_response()
}

static DRAWING: Semaphore = Semaphore::const_new(1);

/// `GET /conversations/{id}/documents/{first}/picture`: what our own decoder made of a picture.
pub(crate) async fn picture(
    Shared(app): Shared<Arc<App>>,
    Path((id, first)): Path<(String, u32)>,
) -> Response {
    let found = match find(&app, id, first).await {
        Ok(found) => found,
        Err(other) => return other,
    };
    if found.format != Format::Picture {
        return StatusCode::NOT_FOUND.into_response();
    }
    // One at a time: a stranger's picture of a few bytes may take hundreds of megabytes to draw, and a page may ask for many.
    let Ok(_one) = DRAWING.acquire().await else { return StatusCode::NOT_FOUND.into_response() };
    match blocking(move || preview(&found.content)).await {
        Ok(drawn) => ([(header::CONTENT_TYPE, "image/jpeg")], drawn).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn find(app: &Arc<App>, id: String, first: u32) -> Result<Document, Response> {
    let Some(inbox) = app.inbox() else { return Err(Redirect::to("/vault").into_response()) };
    let found = blocking(move || {
        let mut conversation = [0; 8];
        hex::decode_to_slice(&id, &mut conversation).ok()?;
        inbox.document(conversation, first)
    });
    found.await.ok_or_else(|| not_here(app))
}

/// A name that every system takes and no header misreads: letters and digits of the sender's, and the ending of the format.
fn file_name(document: &Document) -> String {
    let stem = document.name.rsplit_once('.').map_or(&*document.name, |(stem, _)| stem);
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = stem.chars().map(plain).take(STEM).collect();
    let stem = stem.trim_matches('-');
    let stem = if stem.is_empty() { "document" } else { stem };
    format!("{stem}.{}", document.format.ending())
}

/// A document in a conversation.
pub(crate) fn shown(app: &App, conversation: &str, state: LineState, view: &DocumentView) -> Markup {
    let place = format!("{}/documents/{}", path(conversation), view.first);
    html! {
        p.state {
            (words::DOCUMENT)
            @if let Some(format) = view.format { " · " (format.ending()) }
            @if let Some(length) = view.length { " · " (length.div_ceil(1_000)) " kB" }
        }
        @match state {
            LineState::UnderWay { least } => {
                @let rest_ms = least.0.saturating_sub(app.clock.now().0);
                p.state {
                    (fill(words::PARTS, &[
                        html! { (view.arrived) },
                        html! { (view.parts) },
                        html! { (when::least(rest_ms)) },
                    ]))
                }
            },
            LineState::Damaged => p.problem { (words::DAMAGED) },
            LineState::Received => {
                @if view.format == Some(Format::Picture) {
                    img src={ (place) "/picture" } alt=(words::NO_PREVIEW) loading="lazy";
                    p.hint { (words::PREVIEW) }
                }
                p { a href=(place) download { (words::SAVE) } }
                p.hint { (words::SAVE_WHAT) }
                @if let Some(sha256) = view.sha256 {
                    p.hint { (fill(words::HASH, &[html! { code { (hex::encode(sha256)) } }])) }
                }
            },
            _ => {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_saved_under_a_name_that_can_do_nothing() {
        let named = |name: &str, format| file_name(&Document { name: name.into(), format, content: vec![1] });
        assert_eq!(named("Minutes of 3 November.exe", Format::Pdf), "Minutes-of-3-November.pdf");
        assert_eq!(named("a\"; filename=\"b.html", Format::Text), "a---filename--b.txt");
        assert_eq!(named("Größe\r\nSet-Cookie: x", Format::Odt), "Gr--e--Set-Cookie--x.odt");
        assert_eq!(named("…", Format::Picture), "document.jpg");
        assert!(named(&"x".repeat(100), Format::Docx).len() < 70);
    }
}
