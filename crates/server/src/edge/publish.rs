//! What is published: directories, bundles of stories, editions, drops, manifests. Checked as a client would check it
//! before it is served.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::TryStreamExt as _;
use proto::directory::{Directory, MAX_DIRECTORY};
use proto::edition::{MAX_HEAD, MAX_PACKED, UnverifiedHead};
use proto::{Digest, Round, codec};

use super::{Edge, No, access, name};
use crate::faults::{Side, Step};

/// What is named by its digest or its round never changes.
pub(super) const FOREVER: &str = "public, max-age=31536000, immutable";

/// `GET /v1/directories/{digest}`
pub(super) async fn directory(
    State(edge): State<Arc<Edge>>,
    Path(digest): Path<String>,
) -> Result<Response, No> {
    let digest = Digest::from_hex(&digest).ok_or(No::Missing)?;
    edge.serve(&name::directory(&digest)).await
}

/// `GET /v1/bundles/{digest}`
pub(super) async fn bundle(
    State(edge): State<Arc<Edge>>,
    Path(digest): Path<String>,
) -> Result<Response, No> {
    let digest = Digest::from_hex(&digest).ok_or(No::Missing)?;
    edge.serve(&name::bundle(&digest)).await
}

/// `GET /v1/editions/{e}`: the head.
pub(super) async fn edition(State(edge): State<Arc<Edge>>, Path(round): Path<u32>) -> Result<Response, No> {
    edge.serve(&name::edition(Round(round))).await
}

/// `GET /v1/drops/{r}/reader`
pub(super) async fn reader_drop(
    State(edge): State<Arc<Edge>>,
    Path(round): Path<u32>,
) -> Result<Response, No> {
    edge.serve(&name::drop(Round(round), "reader")).await
}

/// `GET /v1/drops/{r}/desk`: for desks that the directory lists, and for mixes.
pub(super) async fn desk_drop(
    State(edge): State<Arc<Edge>>,
    Path(round): Path<u32>,
    request: Request<Body>,
) -> Result<Response, No> {
    // EDG-08
    edge.signed(request, 0, access::desk_or_mix).await?;
    edge.serve(&name::drop(Round(round), "desk")).await
}

/// `GET /v1/manifests/{r}`: every manifest of round r so far, by hop and part, as a CBOR array.
pub(super) async fn manifests(State(edge): State<Arc<Edge>>, Path(round): Path<u32>) -> Response {
    let seen = edge.seen();
    let range = (Round(round), 0, 0)..=(Round(round), u8::MAX, u16::MAX);
    let signed: Vec<_> = seen.manifests.range(range).map(|(_, shown)| shown.signed.clone()).collect();
    ([(header::CACHE_CONTROL, "no-store")], codec::encode(&signed)).into_response()
}

/// `PUT /v1/directories/{digest}`, by the press.
pub(super) async fn put_directory(
    State(edge): State<Arc<Edge>>,
    Path(digest): Path<String>,
    request: Request<Body>,
) -> Result<(), No> {
    let digest = Digest::from_hex(&digest).ok_or(No::Missing)?;
    let bytes = edge.signed(request, MAX_DIRECTORY, access::press).await?;
    // EDG-06: it is what it is named.
    if Digest::of(&bytes) != digest {
        return Err(No::Rejected);
    }
    edge.put_directory(digest, bytes).await
}

/// `PUT /v1/bundles/{digest}`, by the press.
pub(super) async fn put_bundle(
    State(edge): State<Arc<Edge>>,
    Path(digest): Path<String>,
    request: Request<Body>,
) -> Result<(), No> {
    let digest = Digest::from_hex(&digest).ok_or(No::Missing)?;
    let bytes = edge.signed(request, MAX_PACKED, access::press).await?;
    // EDG-06
    if Digest::of(&bytes) != digest {
        return Err(No::Rejected);
    }
    let _one = edge.publishing.lock().await;
    edge.noted(edge.blobs.put(&name::bundle(&digest), bytes).await)?;
    edge.use_until(digest, edge.round());
    Ok(())
}

/// `PUT /v1/editions/{e}`, by the press: the head, last of all. One for each round, ever.
pub(super) async fn put_edition(
    State(edge): State<Arc<Edge>>,
    Path(round): Path<u32>,
    request: Request<Body>,
) -> Result<(), No> {
    let bytes = edge.signed(request, MAX_HEAD, access::press).await?;
    edge.put_edition(Round(round), bytes).await
}

impl Edge {
    /// A blob whose bytes never change.
    pub(super) async fn serve(self: &Arc<Self>, name: &str) -> Result<Response, No> {
        Ok(([(header::CACHE_CONTROL, FOREVER)], self.pass(name).await?).into_response())
    }

    /// A blob, piece by piece: who reads slowly holds little of it in memory.
    pub(super) async fn pass(self: &Arc<Self>, name: &str) -> Result<Response, No> {
        let (length, pieces) = self.noted(self.blobs.open(name).await)?.ok_or(No::Missing)?;
        let edge = Arc::clone(self);
        let pieces = pieces.inspect_err(move |e| drop(edge.noted(Err::<(), _>(e.clone()))));
        let length = (header::CONTENT_LENGTH, HeaderValue::from(length));
        let kind = (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        Ok(([length, kind], Body::from_stream(pieces)).into_response())
    }

    pub(super) async fn put_directory(&self, digest: Digest, bytes: Bytes) -> Result<(), No> {
        let network = self.network;
        let read = bytes.clone();
        let directory = tokio::task::spawn_blocking(move || Directory::read(&read, &network))
            .await
            .map_err(|_| No::Failing)?
            .map_err(|_| No::Rejected)?;
        let _one = self.publishing.lock().await;
        self.noted(self.blobs.put(&name::directory(&digest), bytes).await)?;
        self.seen_mut().directories.insert(digest, Arc::new(directory));
        self.use_until(digest, self.round());
        Ok(())
    }

    async fn put_edition(&self, round: Round, bytes: Bytes) -> Result<(), No> {
        let _one = self.publishing.lock().await;
        if let Some(there) = self.noted(self.blobs.get(&name::edition(round)).await)? {
            if there != bytes {
                return Err(No::Conflict);
            }
            // Put before: if this program was stopped between the disk and its memory, it learns of it now.
            if self.seen().newest.as_ref().is_some_and(|e| e.head().round >= round) {
                return Ok(());
            }
        }
        let unverified = UnverifiedHead::from_bytes(&bytes).map_err(|_| No::Rejected)?;
        let names = unverified.dangerously_directory().map_err(|_| No::Rejected)?;
        let (directory, newest) = {
            let seen = self.seen();
            (seen.directories.get(&names).cloned().ok_or(No::Rejected)?, seen.newest.clone())
        };
        // EDG-07: one chain of heads: never a round again, never one before the newest.
        if newest.as_ref().is_some_and(|e| e.head().round >= round) {
            return Err(No::Conflict);
        }
        let previous = newest.map(|e| e.digest());
        // DIR-13, DIR-14, DIR-16: of the first edition there is no directory before.
        let in_force = self.directory();
        if previous.is_some() && directory.follows(&in_force, round).is_err() {
            return Err(No::Rejected);
        }
        let now = self.round();
        let (edition, directory) = tokio::task::spawn_blocking(move || {
            (unverified.verify(&directory, round, now, previous.as_ref()), directory)
        })
        .await
        .map_err(|_| No::Failing)?;
        let edition = edition.map_err(|_| No::Rejected)?;
        // EDG-06: nobody is sent to look for what is not there.
        for bundle in [&edition.head().changes, &edition.head().front] {
            if !self.noted(self.blobs.has(&name::bundle(&bundle.digest)).await)? {
                return Err(No::Rejected);
            }
        }
        self.at(Step::EditionKept, Side::Before).await;
        self.noted(self.blobs.put(&name::edition(round), bytes.clone()).await)?;
        self.at(Step::EditionKept, Side::After).await;
        self.at(Step::LeavesKept, Side::Before).await;
        self.noted(self.log.grow(self.blobs.as_ref(), round, &directory.digest(), &bytes).await)?;
        self.at(Step::LeavesKept, Side::After).await;
        let mut seen = self.seen_mut();
        seen.directory = directory;
        seen.show_edition(edition);
        Ok(())
    }

    fn use_until(&self, digest: Digest, round: Round) {
        self.seen_mut().use_until(digest, round);
    }
}
