//! Keys that mixes and desks hand in, for the press to publish. Spec: keys.md §3.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Request, header};
use axum::response::{IntoResponse as _, Response};
use proto::directory::{IntakeKey, MixKey, check_intake_key, check_mix_key};
use proto::id::KeyId;
use proto::keys::{KeyKind, Period};
use proto::sign::Unverified;
use proto::{DeskId, Round, codec};

use super::{Edge, No, access, name};
use crate::faults::{Side, Step};

/// More than a signed key weighs, in bytes.
const KEY: usize = 2 * 1024;

/// `GET /v1/keys/{hop}/{from}`
pub(super) async fn mix_key(
    State(edge): State<Arc<Edge>>,
    Path((hop, from)): Path<(u8, u32)>,
) -> Result<Response, No> {
    // KEY-04: it may make way for another's, so nobody keeps it.
    let key = edge.pass(&name::mix_key(hop, Round(from))).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], key).into_response())
}

/// `GET /v1/intake/{desk}/{from}`
pub(super) async fn intake_key(
    State(edge): State<Arc<Edge>>,
    Path((desk, from)): Path<(String, u32)>,
) -> Result<Response, No> {
    let desk = DeskId::from_hex(&desk).ok_or(No::Missing)?;
    edge.serve(&name::intake_key(&desk, Round(from))).await
}

/// `PUT /v1/keys/{hop}/{from}`, by the mix at this hop.
pub(super) async fn put_mix_key(
    State(edge): State<Arc<Edge>>,
    Path((hop, from)): Path<(u8, u32)>,
    request: Request<Body>,
) -> Result<(), No> {
    let bytes = edge.signed(request, KEY, access::any_mix(hop)).await?;
    let signed: Unverified<MixKey> = codec::decode(&bytes).map_err(|_| No::Rejected)?;
    let directory = edge.directory();
    let wire = directory.wire();
    // KEY-04: what is handed in is what a client would take.
    let (it, key) =
        check_mix_key(&signed, directory.roster(), wire.cascade, &wire.network).map_err(|_| No::Rejected)?;
    if (it.hop, it.from) != (hop, Round(from)) {
        return Err(No::Rejected);
    }
    let given = Given {
        kind: KeyKind::of_mix(hop, wire.cascade),
        period: it.period(),
        name: name::mix_key(hop, it.from),
        id: key.id(),
        bytes,
    };
    // KEY-04: the key of a mix whose round it is not any more makes way.
    let stands = |there: &[u8]| {
        codec::decode(there)
            .is_ok_and(|there| check_mix_key(&there, directory.roster(), wire.cascade, &wire.network).is_ok())
    };
    edge.keep_key(given, stands).await
}

/// `PUT /v1/intake/{desk}/{from}`, by the desk, of what its vault key signed.
pub(super) async fn put_intake_key(
    State(edge): State<Arc<Edge>>,
    Path((desk, from)): Path<(String, u32)>,
    request: Request<Body>,
) -> Result<(), No> {
    let desk = DeskId::from_hex(&desk).ok_or(No::Missing)?;
    let bytes = edge.signed(request, KEY, access::this_desk(desk)).await?;
    let signed: Unverified<IntakeKey> = codec::decode(&bytes).map_err(|_| No::Rejected)?;
    let directory = edge.directory();
    let vault_key = directory.desk(&desk).ok_or(No::Forbidden)?.vault_key;
    // KEY-04, DIR-07: who asks has the desk's identity, and that alone makes no key.
    let (it, key) =
        check_intake_key(&signed, &vault_key, &directory.wire().network).map_err(|_| No::Rejected)?;
    if it.from != Round(from) {
        return Err(No::Rejected);
    }
    let name = name::intake_key(&desk, it.from);
    let given = Given { kind: KeyKind::Intake, period: it.period(), name, id: key.id(), bytes };
    edge.keep_key(given, |_| true).await
}

/// A key that was handed in, and checked.
struct Given {
    kind: KeyKind,
    period: Period,
    name: String,
    id: KeyId,
    bytes: Bytes,
}

impl Edge {
    /// Keeps a key. `stands` says of what is there already whether it goes before.
    async fn keep_key(&self, given: Given, stands: impl FnOnce(&[u8]) -> bool) -> Result<(), No> {
        let Given { kind, period, name, id, bytes } = given;
        // KEY-04: no further ahead than keys are made, and not of a time that is over, so that nobody fills the disk.
        let now = self.round();
        let far = now.0.saturating_add(kind.ahead()).saturating_add(2 * kind.rounds());
        if kind.is_over(period, now) || period.from.0 > far {
            return Err(No::Rejected);
        }
        let _one = self.publishing.lock().await;
        // KEY-05: whoever copies it can only come second.
        if self.seen().keys.get(&id).is_some_and(|at| *at != name) {
            return Err(No::Conflict);
        }
        let there = self.noted(self.blobs.get(&name).await)?;
        self.at(Step::KeyKept, Side::Before).await;
        if there.is_some_and(|there| !stands(&there)) {
            self.noted(self.blobs.delete(&name).await)?;
            self.seen_mut().keys.retain(|_, at| *at != name);
        }
        // KEY-02: one key for a period, ever: the same bytes again are taken, others are refused.
        self.noted(self.blobs.put(&name, bytes).await)?;
        self.seen_mut().keys.insert(id, name);
        self.at(Step::KeyKept, Side::After).await;
        Ok(())
    }
}
