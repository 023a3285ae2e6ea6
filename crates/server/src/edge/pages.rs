//! Pages for people, and health for operators.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Json, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use proto::Round;
use proto::edition::Edition;
use ui::{Frame, Link, Zone};

use super::{Edge, name};
use crate::status::{Batch, Log, RoundStatus, Slots, Status};

/// Rounds on the status page.
const SHOWN: usize = 24;

pub(super) fn router() -> Router<Arc<Edge>> {
    let pages = Router::new()
        .route("/", get(|| async { Redirect::to("/status") }))
        .route("/status", get(status_page))
        .route("/edition", get(edition_page))
        .merge(ui::assets::router());
    ui::headers::strict(pages)
        .route("/v1/status", get(|State(edge): State<Arc<Edge>>| async move { Json(edge.status()) }))
        .route("/healthz", get(|| async { StatusCode::OK }))
        .route("/readyz", get(ready))
}

/// Whether the store worked when it was last asked.
async fn ready(State(edge): State<Arc<Edge>>) -> StatusCode {
    if edge.ready.load(Ordering::Relaxed) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

impl Edge {
    /// What is counted, of the newest rounds that are over. Nothing of the round being collected: how its count grows
    /// would tell when somebody sends.
    pub fn status(&self) -> Status {
        let (seen, counts) = (self.seen(), self.counts());
        let parameters = seen.directory.parameters();
        let now = parameters.schedule.round_at(self.clock.now());
        let mut rounds: Vec<_> = counts
            .rounds
            .iter()
            .rev()
            .take(SHOWN)
            .map(|(&round, (taken, refused))| RoundStatus {
                round: round.0,
                began_ms: parameters.schedule.start(round).0,
                envelopes: *taken,
                refused: refused.clone(),
                batches: seen
                    .manifests
                    .range((round, 0, 0)..=(round, u8::MAX, u16::MAX))
                    .map(|(_, shown)| Batch {
                        hop: shown.manifest.hop,
                        part: shown.manifest.batch.part,
                        taken: shown.manifest.count_in,
                        passed: shown.manifest.count_out,
                        deleted: shown.manifest.deleted,
                        alarm: shown.manifest.alarm,
                    })
                    .collect(),
                published: seen.published.contains_key(&round),
            })
            .collect();
        rounds.reverse();
        Status {
            network: seen.directory.roster().name.clone(),
            demonstration: seen.directory.roster().demonstration,
            round: now.map(|r| r.0),
            round_ms: parameters.schedule.round_ms,
            mixes: parameters.mixes,
            slots: Slots { desk: parameters.desk_slots, reader: parameters.reader_slots },
            edition: seen.newest.as_ref().map(|e| e.head().round.0),
            log: Log {
                // DIR-03: at most 64.
                witnesses: u8::try_from(seen.directory.roster().witnesses(now.unwrap_or(Round(0))).count())
                    .unwrap_or(u8::MAX),
                quorum: u8::try_from(seen.directory.roster().quorum(now.unwrap_or(Round(0))))
                    .unwrap_or(u8::MAX),
                checkpoint: self.log.shown(),
            },
            rounds,
        }
    }
}

async fn status_page(State(edge): State<Arc<Edge>>) -> Response {
    let status = edge.status();
    let demonstration = status.demonstration;
    fresh(frame("Status", "/status", demonstration, ui::status::status(&status.shown(), &Zone::utc())))
}

async fn edition_page(State(edge): State<Arc<Edge>>) -> Response {
    let (newest, demonstration) = {
        let seen = edge.seen();
        (seen.newest.clone(), seen.directory.roster().demonstration)
    };
    let main = match newest {
        None => html! {
            div.narrow {
                h1 { "Edition" }
                p.empty { "No edition yet. The press publishes one in every round." }
            }
        },
        Some(newest) => match edge.edition_main(&newest).await {
            Some(main) => main,
            None => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        },
    };
    fresh(frame("Edition", "/edition", demonstration, main))
}

impl Edge {
    /// The page of an edition, made once for each however many ask for it at once; of one that no device opens a page that says so.
    /// `None`: our store fails.
    async fn edition_main(&self, edition: &Arc<Edition>) -> Option<Markup> {
        let mut kept = Arc::clone(&self.edition_page).lock_owned().await;
        let round = edition.head().round;
        if let Some((of, page)) = &*kept
            && *of == round
        {
            return Some(page.clone());
        }
        let named = edition.head().front;
        let bytes = self.noted(self.blobs.get(&name::bundle(&named.digest)).await).ok()?;
        let edition = Arc::clone(edition);
        let directory = self.directory();
        let press = directory.roster().press(round).and_then(|press| directory.roster().operator(&press));
        let press = press.map(|press| press.name.clone());
        let open = move || {
            let (press, bytes) = (press?, bytes?);
            let front = edition.front(&bytes).ok()?;
            let facts = ui::status::Edition {
                round: edition.head().round.0,
                published_ms: edition.head().made.0,
                press,
                head: edition.digest().to_string(),
                directory: edition.head().directory.to_string(),
                bytes: bytes.len() as u64,
            };
            Some(ui::status::edition(&facts, &front.stories, &Zone::utc()))
        };
        // The lock goes along: who hangs up meanwhile makes nobody begin once more.
        tokio::task::spawn_blocking(move || {
            let page = open().unwrap_or_else(|| unopened(round.0));
            *kept = Some((round, page.clone()));
            page
        })
        .await
        .ok()
    }
}

/// What is signed and cannot be opened is shown by nobody.
fn unopened(round: u32) -> Markup {
    html! {
        div.narrow {
            h1 { "Edition " (round) }
            p { "The press signed this edition, and it cannot be opened." }
            p { "No device shows it: each keeps the edition before. Tell whoever runs this network's press." }
        }
    }
}

fn frame(title: &str, here: &str, demonstration: bool, main: Markup) -> Markup {
    let nav = [
        Link::new("/status", "Status", here == "/status"),
        Link::new("/edition", "Edition", here == "/edition"),
    ];
    ui::page(Frame {
        title,
        place: "Network",
        nav: &nav,
        banner: demonstration.then_some(ui::page::DEMONSTRATION),
        again_s: (here == "/status").then_some(10),
        main,
        ..Frame::default()
    })
}

fn fresh(page: Markup) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], page).into_response()
}

/// The page of the newest edition, once somebody asked for it.
pub(super) type EditionPage = Option<(Round, Markup)>;
