//! The edge's paths, for those who ask; the edge's routes have the same in the form of patterns. Spec: edition.md §6, mix.md §8, log.md §6.

use core::net::IpAddr;

use crate::id::{DeskId, Digest};
use crate::mix::BatchId;
use crate::round::Round;

/// Whether `host`, as it stands in an address ("127.0.0.1", "[::1]", "localhost"), is this computer. Only this computer may
/// be asked with http; everybody else with https.
pub fn is_this_computer(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// POST: one envelope of round `r`.
pub fn envelopes(r: Round) -> String {
    format!("/v1/rounds/{r}/envelopes")
}

/// GET, by mix 1: envelopes of round `r` from this index on.
pub fn envelopes_from(r: Round, index: u64) -> String {
    format!("/v1/rounds/{r}/envelopes/{index}")
}

/// GET, by mix 1: rounds whose envelopes are not yet released.
pub const ROUNDS: &str = "/v1/rounds";

/// DELETE, by mix 1: releases the envelopes of round `r`.
pub fn round(r: Round) -> String {
    format!("/v1/rounds/{r}")
}

/// GET and PUT: the head of the edition of round `e`.
pub fn edition(e: Round) -> String {
    format!("/v1/editions/{e}")
}

/// GET and PUT: a bundle of stories.
pub fn bundle(digest: &Digest) -> String {
    format!("/v1/bundles/{digest}")
}

/// GET and PUT: a directory.
pub fn directory(digest: &Digest) -> String {
    format!("/v1/directories/{digest}")
}

/// PUT by the mix at `hop`, GET by anybody: its signed key whose first round is `from`.
pub fn mix_key(hop: u8, from: Round) -> String {
    format!("/v1/keys/{hop}/{from}")
}

/// PUT by the desk, GET by anybody: its signed intake key whose first round is `from`.
pub fn intake_key(desk: &DeskId, from: Round) -> String {
    format!("/v1/intake/{desk}/{from}")
}

/// GET: manifests of round `r`.
pub fn manifests(r: Round) -> String {
    format!("/v1/manifests/{r}")
}

/// PUT, by the exit: both drops of round `r` with their manifest.
pub fn drops(r: Round) -> String {
    format!("/v1/drops/{r}")
}

/// GET: the reader drop of round `r`.
pub fn reader_drop(r: Round) -> String {
    format!("/v1/drops/{r}/reader")
}

/// GET, by a listed desk or a mix: the desk drop of round `r`.
pub fn desk_drop(r: Round) -> String {
    format!("/v1/drops/{r}/desk")
}

/// GET, by the next hop: batches that the mix at `hop` made and that are not yet released.
pub fn batches(hop: u8) -> String {
    format!("/v1/batches/{hop}")
}

/// PUT by the mix at `hop`, GET and DELETE by the next: one batch.
pub fn batch(hop: u8, id: BatchId) -> String {
    format!("/v1/batches/{hop}/{}/{}", id.round, id.part)
}

/// GET: the newest checkpoint that enough witnesses have co-signed.
pub const CHECKPOINT: &str = "/v1/log/checkpoint";

/// GET, by anybody, and PUT by the press: the newest checkpoint, however many have co-signed it.
pub const PROPOSED: &str = "/v1/log/proposed";

/// PUT, by a witness: its co-signature of the newest checkpoint, which is of a tree of `size` leaves.
pub fn cosignatures(size: u64) -> String {
    format!("/v1/log/cosignatures/{size}")
}

/// GET: the frontier of the log's tree when it had `size` leaves.
pub fn frontier(size: u64) -> String {
    format!("/v1/log/frontier/{size}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_this_computer() {
        for this in ["127.0.0.1", "127.1.2.3", "[::1]", "localhost"] {
            assert!(is_this_computer(this), "{this}");
        }
        for other in
            ["", "0.0.0.0", "10.0.0.1", "[::]", "[fe80::1]", "localhost.example", "127.0.0.1.example"]
        {
            assert!(!is_this_computer(other), "{other}");
        }
    }
}
