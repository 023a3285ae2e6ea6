//! Signed requests: how the edge knows a mix, the press or a desk. Bytes are made and checked here; each shell sends
//! them with its own HTTP client. Spec: directory.md §6.

use crate::id::{Digest, NetworkId};
use crate::round::Millis;
use crate::sign::{IdentityPublic, IdentitySecret, Purpose, Signature};

/// The HTTP header that carries the signature.
pub const HEADER: &str = "firsthand-request";

/// How far a request's time may differ from the edge's clock, in milliseconds.
pub const WINDOW_MS: u64 = 120_000;

struct Request;

impl Purpose for Request {
    const TAG: &'static str = "request";
}

// method " " path "\n" time in decimal "\n" SHA-256(body) in hexadecimal
fn signed(method: &str, path: &str, time: Millis, body: &[u8]) -> Vec<u8> {
    format!("{method} {path}\n{}\n{}", time.0, Digest::of(body)).into_bytes()
}

/// Signs a request. Returns the value of [`HEADER`]: identity, time and signature, hexadecimal and decimal, with dots.
pub fn sign(
    network: &NetworkId,
    by: &IdentitySecret,
    method: &str,
    path: &str,
    body: &[u8],
    now: Millis,
) -> String {
    let signature = by.sign::<Request>(network, &signed(method, path, now, body));
    format!("{}.{}.{}", hex::encode(by.public().0), now.0, hex::encode(signature.to_bytes()))
}

/// A signed request whose signature has not been looked at.
pub struct UnverifiedRequest {
    by: IdentityPublic,
    time: Millis,
    signature: Signature<Request>,
}

/// The request is not signed, or not well enough. What is missing is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is not signed by someone who may make it")]
pub struct Refused;

impl UnverifiedRequest {
    /// Reads the header's value.
    pub fn parse(header: &str) -> Result<Self, Refused> {
        let mut fields = header.split('.');
        let mut next = || fields.next().ok_or(Refused);
        let (by, time, signature) = (next()?, next()?, next()?);
        if fields.next().is_some() {
            return Err(Refused);
        }
        let mut key = [0; 32];
        let mut bytes = [0; 64];
        hex::decode_to_slice(by, &mut key).map_err(|_| Refused)?;
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| Refused)?;
        let time = Millis(time.parse().map_err(|_| Refused)?);
        Ok(Self { by: IdentityPublic(key), time, signature: Signature::from_bytes(bytes) })
    }

    /// Who says to have signed it; ask whether they may before verifying.
    pub fn dangerously_by(&self) -> IdentityPublic {
        self.by
    }

    /// Checks the signature, and that it is of now. Returns who signed.
    pub fn verify(
        self,
        network: &NetworkId,
        method: &str,
        path: &str,
        body: &[u8],
        now: Millis,
    ) -> Result<IdentityPublic, Refused> {
        // REQ-01: signed within two minutes of the edge's clock.
        if self.time.0.abs_diff(now.0) > WINDOW_MS {
            return Err(Refused);
        }
        // REQ-02: the signature covers method, path, time and body.
        self.by
            .verify(network, &signed(method, path, self.time, body), &self.signature)
            .map_err(|_| Refused)?;
        Ok(self.by)
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    const NET: NetworkId = NetworkId([1; 32]);
    const NOW: Millis = Millis(1_000_000_000);

    fn check(
        header: &str,
        method: &str,
        path: &str,
        body: &[u8],
        now: u64,
    ) -> Result<IdentityPublic, Refused> {
        UnverifiedRequest::parse(header)?.verify(&NET, method, path, body, Millis(now))
    }

    #[test]
    fn req_01_a_request_signed_long_ago_or_ahead_is_refused() {
        let me = IdentitySecret::generate(&mut StdRng::seed_from_u64(1));
        let header = sign(&NET, &me, "GET", "/a", b"", NOW);
        assert_eq!(check(&header, "GET", "/a", b"", NOW.0), Ok(me.public()));
        assert_eq!(check(&header, "GET", "/a", b"", NOW.0 + WINDOW_MS), Ok(me.public()));
        assert_eq!(check(&header, "GET", "/a", b"", NOW.0 + WINDOW_MS + 1), Err(Refused));
        assert_eq!(check(&header, "GET", "/a", b"", NOW.0 - WINDOW_MS - 1), Err(Refused));
    }

    #[test]
    fn req_02_another_method_path_or_body_is_refused() {
        let me = IdentitySecret::generate(&mut StdRng::seed_from_u64(2));
        let header = sign(&NET, &me, "PUT", "/a", b"body", NOW);
        assert_eq!(check(&header, "PUT", "/a", b"body", NOW.0), Ok(me.public()));
        assert_eq!(check(&header, "GET", "/a", b"body", NOW.0), Err(Refused));
        assert_eq!(check(&header, "PUT", "/b", b"body", NOW.0), Err(Refused));
        assert_eq!(check(&header, "PUT", "/a", b"bodY", NOW.0), Err(Refused));
        for bad in ["", "a.b.c", "..", &header[1..], &format!("{header}.00")] {
            assert!(UnverifiedRequest::parse(bad).is_err(), "{bad}");
        }
    }
}
