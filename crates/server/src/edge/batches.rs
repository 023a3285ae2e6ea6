//! Batches between mixes, and the exit's drops.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::Request;
use proto::Round;
use proto::mix::{BatchId, Manifest};

use super::{Edge, No, Shown, access, name};
use crate::faults::{Side, Step};
use crate::handed::{self, Handed};

/// `GET /v1/batches/{hop}`: outputs of `hop` that the next mix does not have yet, "round part" on each line.
pub(super) async fn list(
    State(edge): State<Arc<Edge>>,
    Path(hop): Path<u8>,
    request: Request<Body>,
) -> Result<String, No> {
    edge.signed(request, 0, access::mix(hop.checked_add(1).ok_or(No::Missing)?)).await?;
    let names = edge.noted(edge.blobs.list(&format!("batches/{hop}")).await)?;
    let ids = names.iter().filter_map(|n| {
        let part = n.rsplit('/').next()?.parse().ok()?;
        Some(BatchId { round: name::round_in(n, 2)?, part })
    });
    let seen = edge.seen();
    // A batch without its manifest is still being put.
    let shown = ids.filter(|id| seen.manifests.contains_key(&(id.round, hop, id.part)));
    Ok(shown.map(|id| format!("{} {}\n", id.round, id.part)).collect())
}

/// `GET /v1/batches/{hop}/{round}/{part}`: a [`Handed`].
pub(super) async fn batch(
    State(edge): State<Arc<Edge>>,
    Path((hop, round, part)): Path<(u8, u32, u16)>,
    request: Request<Body>,
) -> Result<Bytes, No> {
    edge.signed(request, 0, access::mix(hop.checked_add(1).ok_or(No::Missing)?)).await?;
    let id = BatchId { round: Round(round), part };
    if !edge.seen().manifests.contains_key(&(id.round, hop, id.part)) {
        return Err(No::Missing);
    }
    edge.noted(edge.blobs.get(&name::batch(hop, id)).await)?.ok_or(No::Missing)
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
    let (handed, manifest) = edge.handed(request, hop, id).await?;
    let _one = edge.publishing.lock().await;
    if edge.is_shown(&handed, hop, id)? {
        return Ok(());
    }
    edge.at(Step::BatchKept, Side::Before).await;
    edge.noted(edge.blobs.put(&name::batch(hop, id), handed.body()).await)?;
    edge.at(Step::BatchKept, Side::After).await;
    edge.show(&handed, hop, id, manifest, Step::BatchShown).await
}

/// `DELETE /v1/batches/{hop}/{round}/{part}`: the mix at `hop` + 1 has it. Its manifest stays.
pub(super) async fn release(
    State(edge): State<Arc<Edge>>,
    Path((hop, round, part)): Path<(u8, u32, u16)>,
    request: Request<Body>,
) -> Result<(), No> {
    edge.signed(request, 0, access::mix(hop.checked_add(1).ok_or(No::Missing)?)).await?;
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
    let (handed, manifest) = edge.handed(request, exit, id).await?;
    let _one = edge.publishing.lock().await;
    if edge.is_shown(&handed, exit, id)? {
        return Ok(());
    }
    let mut desk = handed.payload();
    let reader = desk.split_off(handed::desk_drop_len(directory.wire().cascade, directory.parameters()));
    edge.at(Step::DropsKept, Side::Before).await;
    edge.noted(edge.blobs.put(&name::drop(id.round, "desk"), desk).await)?;
    edge.noted(edge.blobs.put(&name::drop(id.round, "reader"), reader).await)?;
    edge.at(Step::DropsKept, Side::After).await;
    edge.show(&handed, exit, id, manifest, Step::DropsShown).await
}

impl Edge {
    /// Reads and checks what the mix at `hop` hands over.
    async fn handed(&self, request: Request<Body>, hop: u8, id: BatchId) -> Result<(Handed, Manifest), No> {
        let directory = self.directory();
        let limit = handed::max_len(directory.wire().cascade, directory.parameters(), hop);
        let body = self.signed(request, limit, access::mix(hop)).await?;
        let handed = Handed::parse(body).map_err(|_| No::Rejected)?;
        let checked = handed.clone();
        let manifest = tokio::task::spawn_blocking(move || checked.check(&directory, hop, id))
            .await
            .map_err(|_| No::Failing)?
            .map_err(|_| No::Rejected)?;
        Ok((handed, manifest))
    }

    /// Whether this very output was put before. Refuses another one under the same name.
    fn is_shown(&self, handed: &Handed, hop: u8, id: BatchId) -> Result<bool, No> {
        let seen = self.seen();
        let Some(shown) = seen.manifests.get(&(id.round, hop, id.part)) else { return Ok(false) };
        // BAT-06: one output for each round, part and hop, ever.
        if Ok(&shown.signed) == handed.manifest().as_ref() { Ok(true) } else { Err(No::Conflict) }
    }

    /// Puts the manifest: from now on what it names is there for everyone who may have it.
    async fn show(
        &self,
        handed: &Handed,
        hop: u8,
        id: BatchId,
        manifest: Manifest,
        step: Step,
    ) -> Result<(), No> {
        let signed = handed.manifest().map_err(|_| No::Rejected)?;
        self.at(step, Side::Before).await;
        self.noted(self.blobs.put(&name::manifest(hop, id), handed.manifest_bytes()).await)?;
        self.at(step, Side::After).await;
        self.seen_mut().manifests.insert((id.round, hop, id.part), Shown { signed, manifest });
        Ok(())
    }
}
