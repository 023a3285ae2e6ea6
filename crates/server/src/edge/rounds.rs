//! Rounds: when they are over, and how the first mix takes their envelopes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, Request};
use axum::response::{IntoResponse as _, Response};
use bytes::BytesMut;
use proto::size::ENVELOPE;
use proto::{Millis, Round, codec};

use super::{Edge, No, access, name};
use crate::faults::{Killed, Side, Step};
use crate::http::{RUN, SEALED};
use crate::store::{PutError, StoreError};

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// Our store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A test stopped it.
    #[error(transparent)]
    Killed(#[from] Killed),
}

impl Edge {
    /// Does what is due at `now`: seals the rounds whose collecting is over, and deletes what is older than
    /// [`super::KEPT_ROUNDS`].
    pub async fn step(&self, now: Millis) -> Result<(), StepError> {
        let _one = self.stepping.lock().await;
        let schedule = self.schedule();
        // collects(r).end <= now, and no later round's
        let over =
            schedule.round_at(Millis(now.0.saturating_sub(schedule.guard_ms()))).and_then(|r| r.back(1));
        let Some(over) = over.filter(|&over| self.seen().sealed < Some(over)) else { return Ok(()) };
        let streams = self.noted(self.journal.streams(name::ENVELOPES).await)?;
        let mut rounds: Vec<Round> = streams
            .iter()
            .filter(|s| !s.sealed)
            .filter_map(|s| name::round_in(&s.name, 1))
            .filter(|&r| r < over)
            .collect();
        // The newest too, if it brought nothing: its seal is how a restart knows that it is over.
        rounds.push(over);
        for round in rounds {
            self.seal(round).await?;
        }
        self.seen_mut().sealed = Some(over);
        self.counter().forget(over);
        self.noted(self.delete_old(over).await)?;
        Ok(())
    }

    async fn seal(&self, round: Round) -> Result<(), StepError> {
        self.hook.at(Step::RoundSealed, Side::Before)?;
        // EDG-03: from here on its length is final.
        let taken = self.noted(self.journal.seal(&name::envelopes(round)).await)?;
        self.hook.at(Step::RoundSealed, Side::After)?;
        let refused = std::mem::take(&mut self.counts().refused);
        let record = codec::encode(&(taken, refused.clone()));
        match self.noted(self.blobs.put(&name::counts(round), record.into()).await) {
            // Counted before a crash: that count stands.
            Ok(()) | Err(PutError::Conflict) => {}
            Err(PutError::Store(e)) => return Err(e.into()),
        }
        self.counts().rounds.insert(round, (taken, refused));
        Ok(())
    }

    /// Whether the first mix may have begun `round`: all before it are over. So rounds are taken in order, though two are
    /// collected at once around their border.
    fn is_open_to_mix(&self, round: Round) -> bool {
        round.0 <= self.seen().sealed.map_or(0, |sealed| sealed.next().0)
    }
}

/// `GET /v1/rounds`: rounds with envelopes that the first mix does not have yet, one on each line.
pub(super) async fn list(State(edge): State<Arc<Edge>>, request: Request<Body>) -> Result<String, No> {
    let by = edge.asked(request, access::any_mix(0)).await?;
    let streams = edge.noted(edge.journal.streams(name::ENVELOPES).await)?;
    let rounds = streams.iter().filter(|s| !s.released).filter_map(|s| name::round_in(&s.name, 1));
    let directory = edge.directory();
    let theirs = rounds.filter(|&r| directory.roster().mix(0, r) == Some(by));
    Ok(theirs.filter(|&r| edge.is_open_to_mix(r)).map(|r| format!("{r}\n")).collect())
}

/// `GET /v1/rounds/{r}/envelopes/{from}`: up to [`RUN`] envelopes, one after the other. [`SEALED`] tells how many there
/// are, once there will be no more.
pub(super) async fn envelopes(
    State(edge): State<Arc<Edge>>,
    Path((round, from)): Path<(u32, u64)>,
    request: Request<Body>,
) -> Result<Response, No> {
    edge.signed(request, 0, access::mix(0, Round(round))).await?;
    let name = name::envelopes(Round(round));
    // Asked for before the records: a length read later could belong to fewer records than these.
    let stream = edge.noted(edge.journal.stream(&name).await)?;
    let stream = stream.filter(|s| !s.released && edge.is_open_to_mix(Round(round))).ok_or(No::Missing)?;
    let records = edge.noted(edge.journal.read(&name, from, RUN).await)?;
    let mut bytes = BytesMut::with_capacity(records.len() * ENVELOPE);
    records.iter().for_each(|r| bytes.extend_from_slice(r));
    let mut response = bytes.freeze().into_response();
    // Told once the edge is done with sealing it: a mix that hears it earlier would release it too early.
    if stream.sealed && edge.seen().sealed >= Some(Round(round)) {
        response.headers_mut().insert(HeaderName::from_static(SEALED), HeaderValue::from(stream.len));
    }
    Ok(response)
}

/// `DELETE /v1/rounds/{r}`: the first mix has them all.
pub(super) async fn release(
    State(edge): State<Arc<Edge>>,
    Path(round): Path<u32>,
    request: Request<Body>,
) -> Result<(), No> {
    edge.signed(request, 0, access::mix(0, Round(round))).await?;
    if edge.seen().sealed < Some(Round(round)) {
        return Err(No::Conflict);
    }
    edge.at(Step::RoundReleased, Side::Before).await;
    edge.noted(edge.journal.release(&name::envelopes(Round(round))).await)?;
    edge.at(Step::RoundReleased, Side::After).await;
    Ok(())
}
