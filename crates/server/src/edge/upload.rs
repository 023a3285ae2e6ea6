//! Taking envelopes. Every upload is answered alike; what was wrong with one is counted, and told nobody.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use proto::Round;
use proto::size::ENVELOPE;

use super::sender::Caller;
use super::{Edge, access, name};
use crate::faults::{Side, Step};
use crate::status::Reason;
use crate::store::AppendError;

/// A body that takes longer is cut off: one per round leaves time, and who holds connections open leaves none.
const PATIENCE: Duration = Duration::from_secs(30);

/// `POST /v1/rounds/{r}/envelopes`: 202 and nothing else to whatever is sent; 503 if our store fails.
pub(super) async fn envelope(
    State(edge): State<Arc<Edge>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    match edge.take(&caller, &uri, &headers, body).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(Untaken::Refused(reason)) => {
            // EDG-05: a number for each reason, and nothing else.
            edge.counts().refused.count(reason);
            StatusCode::ACCEPTED
        }
        Err(Untaken::Failing) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

enum Untaken {
    Refused(Reason),
    Failing,
}

impl Edge {
    async fn take(&self, caller: &Caller, uri: &Uri, headers: &HeaderMap, body: Body) -> Result<(), Untaken> {
        use Untaken::Refused;
        let sender = self.senders.sender(&caller.peer, headers);
        if sender.relay.is_some() {
            caller.let_stay();
        }
        // EDG-01: exactly an envelope.
        let envelope = tokio::time::timeout(PATIENCE, read(body))
            .await
            .unwrap_or(Err(Reason::Short))
            .map_err(Refused)?;
        let round = round_of(uri).ok_or(Refused(Reason::NoRound))?;
        // EDG-02: within the round and a guard on either side.
        let collects = self.schedule().collects(round);
        let now = self.clock.now();
        if now < collects.start {
            return Err(Refused(Reason::Early));
        }
        // EDG-03: a round once over stays over, whatever the clock does.
        if now >= collects.end || self.seen().sealed.is_some_and(|sealed| round <= sealed) {
            return Err(Refused(Reason::Late));
        }
        let within = self.counter().take(round, &sender);
        self.at(Step::EnvelopeKept, Side::Before).await;
        let name = name::envelopes(round);
        // EDG-04: `append` returns once the envelope is durable. EDG-12: `shed` does the same work and returns no sooner.
        let kept = match within {
            Ok(()) => self.journal.append(&name, envelope).await.map(drop),
            Err(_) => self.journal.shed(&name, envelope).await,
        };
        let kept = self.noted(kept);
        self.at(Step::EnvelopeKept, Side::After).await;
        match kept {
            Ok(()) => within.map_err(Refused),
            Err(AppendError::Sealed) => Err(Refused(Reason::Late)),
            Err(AppendError::Store(_)) => Err(Untaken::Failing),
        }
    }
}

/// Reads exactly an envelope, and no further than one byte beyond.
async fn read(body: Body) -> Result<Bytes, Reason> {
    if access::http_body_len(&body) > ENVELOPE as u64 {
        return Err(Reason::Long);
    }
    let mut bytes = BytesMut::with_capacity(ENVELOPE);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.map_err(|_| Reason::Short)?);
        if bytes.len() > ENVELOPE {
            return Err(Reason::Long);
        }
    }
    if bytes.len() == ENVELOPE { Ok(bytes.freeze()) } else { Err(Reason::Short) }
}

fn round_of(uri: &Uri) -> Option<Round> {
    uri.path().split('/').nth(3)?.parse().ok().map(Round)
}
