//! Batches between mixes, and the exit's drops.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::Request;
use axum::response::Response;
use proto::Round;
use proto::mix::{BatchId, Manifest};
use proto::sign::Unverified;

use super::{Edge, MAX_MANIFESTS, No, Shown, access, is_too_old, name};
use crate::faults::{Side, Step};
use crate::handed::{self, Handed};
use crate::handing::{Incoming, IncomingRejected};

/// `GET /v1/batches/{hop}`: outputs of `hop` that the next mix does not have yet, "round part" on each line.
pub(super) async fn list(
    State(edge): State<Arc<Edge>>,
    Path(hop): Path<u8>,
    request: Request<Body>,
) -> Result<String, No> {
    let next = hop.checked_add(1).ok_or(No::Missing)?;
    let by = edge.asked(request, access::any_mix(next)).await?;
    let names = edge.noted(edge.blobs.list(&format!("batches/{hop}")).await)?;
    let ids = names.iter().filter_map(|n| {
        let part = n.rsplit('/').next()?.parse().ok()?;
        Some(BatchId { round: name::round_in(n, 2)?, part })
    });
    let seen = edge.seen();
    let ids = ids.filter(|id| seen.directory.roster().mix(next, id.round) == Some(by));
    // A batch without its manifest is still being put.
    let shown = ids.filter(|id| seen.manifests.contains_key(&(id.round, hop, id.part)));
    Ok(shown.map(|id| format!("{} {}\n", id.round, id.part)).collect())
}

/// `GET /v1/batches/{hop}/{round}/{part}`: a [`Handed`].
pub(super) async fn batch(
    State(edge): State<Arc<Edge>>,
    Path((hop, round, part)): Path<(u8, u32, u16)>,
    request: Request<Body>,
) -> Result<Response, No> {
    edge.signed(request, 0, access::mix(hop.checked_add(1).ok_or(No::Missing)?, Round(round))).await?;
    let id = BatchId { round: Round(round), part };
    if !edge.seen().manifests.contains_key(&(id.round, hop, id.part)) {
        return Err(No::Missing);
    }
    edge.pass(&name::batch(hop, id)).await
}

/// `PUT /v1/batches/{hop}/{round}/{part}`: a [`Handed`] from the mix at `hop`. One for each name, ever.
pub(super) async fn put_batch(
    State(edge): State<Arc<Edge>>,
    Path((hop, round, part)): Path<(u8, u32, u16)>,
    request: Request<Body>,
) -> Result<(), No> {
    let directory = edge.directory();
    let cascade = directory.wire().cascade;
    if hop >= cascade.exit() {
        return Err(No::Missing);
    }
    let id = BatchId { round: Round(round), part };
    edge.in_time(id.round)?;
    let limit = handed::max_len(cascade, directory.parameters(), hop);
    let spooled = edge.signed_file(request, limit, access::mix(hop, id.round)).await?;
    let path = spooled.path().to_owned();
    let (signed, bytes, manifest) = tokio::task::spawn_blocking(move || {
        let incoming = Incoming::open(&path)?;
        let (signed, manifest) = incoming.check(&directory, hop, id)?;
        Ok((signed, Bytes::copy_from_slice(incoming.manifest_bytes()), manifest))
    })
    .await
    .map_err(|_| No::Failing)?
    .map_err(
        |e: IncomingRejected| if matches!(e, IncomingRejected::Disk(_)) { No::Failing } else { No::Rejected },
    )?;
    let _one = edge.publishing.lock().await;
    if edge.is_shown(&signed, hop, id)? {
        return Ok(());
    }
    edge.has_room(bytes.len(), hop, id.round)?;
    edge.at(Step::BatchKept, Side::Before).await;
    edge.noted(edge.blobs.put_file(&name::batch(hop, id), spooled.path()).await)?;
    edge.at(Step::BatchKept, Side::After).await;
    let shown = Shown { signed, manifest, bytes: bytes.len() };
    edge.show(shown, bytes, hop, id, Step::BatchShown).await
}

/// `DELETE /v1/batches/{hop}/{round}/{part}`: the mix at `hop` + 1 has it. Its manifest stays.
pub(super) async fn release(
    State(edge): State<Arc<Edge>>,
    Path((hop, round, part)): Path<(u8, u32, u16)>,
    request: Request<Body>,
) -> Result<(), No> {
    edge.signed(request, 0, access::mix(hop.checked_add(1).ok_or(No::Missing)?, Round(round))).await?;
    let id = BatchId { round: Round(round), part };
    edge.at(Step::BatchReleased, Side::Before).await;
    edge.noted(edge.blobs.delete(&name::batch(hop, id)).await)?;
    edge.at(Step::BatchReleased, Side::After).await;
    Ok(())
}

/// `PUT /v1/drops/{round}`: a [`Handed`] from the exit. One for each round, ever.
pub(super) async fn put_drops(
    State(edge): State<Arc<Edge>>,
    Path(round): Path<u32>,
    request: Request<Body>,
) -> Result<(), No> {
    let directory = edge.directory();
    let exit = directory.wire().cascade.exit();
    let id = BatchId { round: Round(round), part: 0 };
    edge.in_time(id.round)?;
    let (handed, signed, manifest) = edge.drops(request, id.round).await?;
    let _one = edge.publishing.lock().await;
    if edge.is_shown(&signed, exit, id)? {
        return Ok(());
    }
    let mut desk = handed.payload();
    let reader = desk.split_off(handed::desk_drop_len(directory.wire().cascade, directory.parameters()));
    edge.at(Step::DropsKept, Side::Before).await;
    edge.noted(edge.blobs.put(&name::drop(id.round, "desk"), desk).await)?;
    edge.noted(edge.blobs.put(&name::drop(id.round, "reader"), reader).await)?;
    edge.at(Step::DropsKept, Side::After).await;
    let bytes = handed.manifest_bytes();
    let shown = Shown { signed, manifest, bytes: bytes.len() };
    edge.show(shown, bytes, exit, id, Step::DropsShown).await
}

impl Edge {
    /// Refuses what is of a round still to come, with one of grace for clocks: files are deleted by their age, and these would
    /// have none. Refuses also what would be deleted at once.
    fn in_time(&self, round: Round) -> Result<(), No> {
        // EDG-15
        let is_to_come = round > self.round().next();
        // EDG-16
        if is_to_come || is_too_old(round, self.round()) { Err(No::Rejected) } else { Ok(()) }
    }

    /// Refuses more manifests of a mix for a round than are kept. Asked while nothing else is put.
    fn has_room(&self, bytes: usize, hop: u8, round: Round) -> Result<(), No> {
        let range = (round, hop, 0)..=(round, hop, u16::MAX);
        let there: usize = self.seen().manifests.range(range).map(|(_, shown)| shown.bytes).sum();
        // EDG-16
        if there + bytes > MAX_MANIFESTS { Err(No::Rejected) } else { Ok(()) }
    }

    /// Reads and checks the exit's drops, which are small.
    async fn drops(
        &self,
        request: Request<Body>,
        round: Round,
    ) -> Result<(Handed, Unverified<Manifest>, Manifest), No> {
        let directory = self.directory();
        let cascade = directory.wire().cascade;
        let limit = handed::max_len(cascade, directory.parameters(), cascade.exit());
        let body = self.signed(request, limit, access::mix(cascade.exit(), round)).await?;
        let handed = Handed::parse(body).map_err(|_| No::Rejected)?;
        let checked = handed.clone();
        let (signed, manifest) = tokio::task::spawn_blocking(move || checked.check_drops(&directory, round))
            .await
            .map_err(|_| No::Failing)?
            .map_err(|_| No::Rejected)?;
        Ok((handed, signed, manifest))
    }

    /// Whether this very output was put before. Refuses another one under the same name.
    fn is_shown(&self, signed: &Unverified<Manifest>, hop: u8, id: BatchId) -> Result<bool, No> {
        let seen = self.seen();
        let Some(shown) = seen.manifests.get(&(id.round, hop, id.part)) else { return Ok(false) };
        // BAT-06: one output for each round, part and hop, ever.
        if shown.signed == *signed { Ok(true) } else { Err(No::Conflict) }
    }

    /// Puts the manifest: from now on what it names is there for everyone who may have it.
    async fn show(&self, shown: Shown, bytes: Bytes, hop: u8, id: BatchId, step: Step) -> Result<(), No> {
        self.at(step, Side::Before).await;
        self.noted(self.blobs.put(&name::manifest(hop, id), bytes).await)?;
        self.at(step, Side::After).await;
        self.seen_mut().manifests.insert((id.round, hop, id.part), shown);
        Ok(())
    }
}
