//! Who may ask for what, and how much of a body is read, for how long.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::BytesMut;
use futures_util::StreamExt as _;
use proto::directory::{Directory, Role};
use proto::request::{HEADER, SignedRequest, UnverifiedRequest};
use proto::sign::IdentityPublic;
use proto::{DeskId, Digest, Round};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::sender::Caller;
use super::{Edge, No};

/// Bodies longer than this are hashed away from the threads that serve.
const LONG: usize = 256 * 1024;
/// How long a body may take, beyond a second for each MiB that it may have.
const PATIENCE: Duration = Duration::from_secs(30);

impl Edge {
    /// Reads a signed request's body, of at most `limit` bytes. Whether the one who says to have signed may do so, and
    /// whether it was them, is asked before a byte of it is read; that it is the body they signed, after.
    pub(super) async fn signed(
        &self,
        request: Request<Body>,
        limit: usize,
        may: impl May,
    ) -> Result<Bytes, No> {
        let (parts, body) = request.into_parts();
        let signed = self.authorise(&parts, may)?;
        let patience = patience(limit);
        let body =
            tokio::time::timeout(patience, read(body, limit)).await.ok().flatten().ok_or(No::TooLong)?;
        let bytes = body.clone();
        let check = move || signed.check_body(&bytes).is_ok();
        let is_theirs = if body.len() > LONG {
            tokio::task::spawn_blocking(check).await.unwrap_or(false)
        } else {
            check()
        };
        if is_theirs { Ok(body) } else { Err(No::Forbidden) }
    }

    /// As [`Self::signed`], of a request without a body whose answer depends on who asks.
    pub(super) async fn asked(&self, request: Request<Body>, may: impl May) -> Result<IdentityPublic, No> {
        let mut by = None;
        self.signed(request, 0, |directory: &Directory, now, signer: &IdentityPublic| {
            by = Some(*signer);
            may(directory, now, signer)
        })
        .await?;
        by.ok_or(No::Forbidden)
    }

    /// As [`Self::signed`], of a body that may be larger than memory: it goes into a file.
    pub(super) async fn signed_file(
        &self,
        request: Request<Body>,
        limit: usize,
        may: impl May,
    ) -> Result<Spooled, No> {
        let (parts, body) = request.into_parts();
        let signed = self.authorise(&parts, may)?;
        let spooled = self.spool();
        let written = write(body, limit as u64, &spooled.0);
        let digest = tokio::time::timeout(patience(limit), written).await.map_err(|_| No::TooLong)??;
        if signed.check_digest(&digest).is_ok() { Ok(spooled) } else { Err(No::Forbidden) }
    }

    fn authorise(&self, parts: &Parts, may: impl May) -> Result<SignedRequest, No> {
        let header = parts.headers.get(HEADER).and_then(|v| v.to_str().ok()).ok_or(No::Forbidden)?;
        let unverified = UnverifiedRequest::parse(header).map_err(|_| No::Forbidden)?;
        let by = unverified.dangerously_by();
        // EDG-09: the one concerned, and nobody else.
        if !may(&self.directory(), self.round(), &by) {
            return Err(No::Forbidden);
        }
        let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
        let signed = unverified
            .verify(&self.network, parts.method.as_str(), path, self.clock.now())
            .map_err(|_| No::Forbidden)?;
        if let Some(caller) = parts.extensions.get::<Caller>() {
            caller.let_stay();
        }
        Ok(signed)
    }

    /// A file of its own for something that comes.
    fn spool(&self) -> Spooled {
        let n = self.spooled.fetch_add(1, Ordering::Relaxed);
        Spooled(self.incoming.join(n.to_string()))
    }
}

/// A file that goes when this is dropped.
pub(super) struct Spooled(PathBuf);

impl Spooled {
    /// Where it lies.
    pub(super) fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl Drop for Spooled {
    fn drop(&mut self) {
        // What cannot be deleted goes at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn patience(limit: usize) -> Duration {
    PATIENCE + Duration::from_secs(limit as u64 >> 20)
}

/// Writes a body of at most `limit` bytes into a file, and gives its digest.
async fn write(body: Body, limit: u64, to: &std::path::Path) -> Result<Digest, No> {
    if http_body_len(&body) > limit {
        return Err(No::TooLong);
    }
    let mut file = tokio::fs::File::create(to).await.map_err(|_| No::Failing)?;
    let (mut hash, mut left) = (Sha256::new(), limit);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| No::TooLong)?;
        left = left.checked_sub(chunk.len() as u64).ok_or(No::TooLong)?;
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(|_| No::Failing)?;
    }
    file.flush().await.map_err(|_| No::Failing)?;
    Ok(Digest(hash.finalize().into()))
}

/// Says that the answer to a signed request is for the one who signed: a cache on the way would hand it to whoever asks
/// next, and asks nobody for a signature.
pub(super) async fn keep_from_caches(request: Request<Body>, next: Next) -> Response {
    let signed = request.headers().contains_key(HEADER);
    let mut response = next.run(request).await;
    if signed {
        // EDG-08
        let private = HeaderValue::from_static("private, no-store");
        response.headers_mut().insert(header::CACHE_CONTROL, private);
    }
    response
}

/// Reads a body of at most `limit` bytes; `None` if it is longer or breaks off.
pub(super) async fn read(body: Body, limit: usize) -> Option<Bytes> {
    let announced = http_body_len(&body);
    if announced > limit as u64 {
        return None;
    }
    let mut chunks = body.into_data_stream();
    let mut bytes = BytesMut::with_capacity(announced as usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.ok()?;
        if bytes.len() + chunk.len() > limit {
            return None;
        }
        bytes.extend_from_slice(&chunk);
    }
    Some(bytes.freeze())
}

/// The least number of bytes that a body says it has.
pub(super) fn http_body_len(body: &Body) -> u64 {
    axum::body::HttpBody::size_hint(body).lower()
}

/// Asked of a directory, and of the round it is: whether somebody may.
pub(super) trait May: FnOnce(&Directory, Round, &IdentityPublic) -> bool {}
impl<F: FnOnce(&Directory, Round, &IdentityPublic) -> bool> May for F {}

/// The mix whose round this is at `hop`, and nobody else: it passes on the batch of its last round when another has begun.
pub(super) fn mix(hop: u8, round: Round) -> impl May {
    move |directory, _, by| directory.roster().mix(hop, round) == Some(*by)
}

/// The mix at `hop`, the one that is to take over from it, or the one before.
pub(super) fn any_mix(hop: u8) -> impl May {
    move |directory, _, by| directory.roster().operator(by).is_some_and(|o| o.role == Role::Mix(hop))
}

/// The press.
pub(super) fn press(directory: &Directory, now: Round, by: &IdentityPublic) -> bool {
    directory.roster().press(now) == Some(*by)
}

/// A witness, also one that is to become one: whether its co-signature counts is the note's to say.
pub(super) fn witness(directory: &Directory, _: Round, by: &IdentityPublic) -> bool {
    directory.roster().operator(by).is_some_and(|o| o.role == Role::Witness)
}

/// A listed desk, or a mix, which looks for its decoys.
pub(super) fn desk_or_mix(directory: &Directory, now: Round, by: &IdentityPublic) -> bool {
    let roster = directory.roster();
    directory.desk_of(by).is_some()
        || (0..directory.wire().cascade.mixes()).any(|hop| roster.mix(hop, now) == Some(*by))
}

/// This desk, if it is listed.
pub(super) fn this_desk(id: DeskId) -> impl May {
    move |directory, _, by| directory.desk(&id).is_some_and(|d| d.identity == *by)
}
