//! Taking envelopes. Every upload is answered alike; what was wrong with one is counted, and told nobody.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use bytes::BytesMut;
use futures_util::StreamExt as _;
use proto::Round;
use proto::size::ENVELOPE;

use super::{Edge, access, name};
use crate::faults::{Side, Step};
use crate::status::Reason;
use crate::store::AppendError;

/// A body that takes longer is cut off: one per round leaves time, and who holds connections open leaves none.
const PATIENCE: Duration = Duration::from_secs(30);

/// `POST /v1/rounds/{r}/envelopes`: 202 and nothing else to whatever is sent; 503 if our store fails.
pub(super) async fn envelope(State(edge): State<Arc<Edge>>, uri: Uri, body: Body) -> StatusCode {
    match edge.take(&uri, body).await {
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
    async fn take(&self, uri: &Uri, body: Body) -> Result<(), Untaken> {
        use Untaken::Refused;
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
        self.at(Step::EnvelopeKept, Side::Before).await;
        // EDG-04: `append` returns once the envelope is durable.
        let kept = self.noted(self.journal.append(&name::envelopes(round), envelope).await);
        self.at(Step::EnvelopeKept, Side::After).await;
        match kept {
            Ok(_) => Ok(()),
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
