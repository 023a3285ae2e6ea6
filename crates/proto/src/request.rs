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
fn signed(method: &str, path: &str, time: Millis, body: &Digest) -> Vec<u8> {
    format!("{method} {path}\n{}\n{body}", time.0).into_bytes()
}

/// Signs a request. Returns the value of [`HEADER`]: identity, time, the body's digest and the signature, hexadecimal and
/// decimal, with dots.
pub fn sign(
    network: &NetworkId,
    by: &IdentitySecret,
    method: &str,
    path: &str,
    body: &[u8],
    now: Millis,
) -> String {
    sign_digest(network, by, method, path, &Digest::of(body), now)
}

/// As [`sign`], of a body that is nowhere as a whole.
pub fn sign_digest(
    network: &NetworkId,
    by: &IdentitySecret,
    method: &str,
    path: &str,
    body: &Digest,
    now: Millis,
) -> String {
    let signature = by.sign::<Request>(network, &signed(method, path, now, body));
    format!("{}.{}.{body}.{}", hex::encode(by.public().0), now.0, hex::encode(signature.to_bytes()))
}

/// A signed request whose signature has not been looked at.
pub struct UnverifiedRequest {
    by: IdentityPublic,
    time: Millis,
    body: Digest,
    signature: Signature<Request>,
}

/// A request whose signature is right, and whose body has not been looked at.
pub struct SignedRequest {
    by: IdentityPublic,
    body: Digest,
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
        let (by, time, body, signature) = (next()?, next()?, next()?, next()?);
        if fields.next().is_some() {
            return Err(Refused);
        }
        let mut key = [0; 32];
        let mut bytes = [0; 64];
        hex::decode_to_slice(by, &mut key).map_err(|_| Refused)?;
        hex::decode_to_slice(signature, &mut bytes).map_err(|_| Refused)?;
        let time = Millis(time.parse().map_err(|_| Refused)?);
        let mut digest = [0; 32];
        hex::decode_to_slice(body, &mut digest).map_err(|_| Refused)?;
        let signature = Signature::from_bytes(bytes);
        Ok(Self { by: IdentityPublic(key), time, body: Digest(digest), signature })
    }

    /// Who says to have signed it; ask whether they may before verifying.
    pub fn dangerously_by(&self) -> IdentityPublic {
        self.by
    }

    /// Checks the signature, and that it is of now. It covers the body by the digest in the header, so that nothing of a
    /// body is read for a request that nobody signed; [`SignedRequest::check_body`] compares it afterwards.
    pub fn verify(
        self,
        network: &NetworkId,
        method: &str,
        path: &str,
        now: Millis,
    ) -> Result<SignedRequest, Refused> {
        // REQ-01: signed within two minutes of the edge's clock.
        if self.time.0.abs_diff(now.0) > WINDOW_MS {
            return Err(Refused);
        }
        // REQ-02: the signature covers method, path, time and the body's digest.
        self.by
            .verify(network, &signed(method, path, self.time, &self.body), &self.signature)
            .map_err(|_| Refused)?;
        Ok(SignedRequest { by: self.by, body: self.body })
    }
}

impl SignedRequest {
    /// Who signed.
    pub fn by(&self) -> IdentityPublic {
        self.by
    }

    /// Checks that `body` is the one that was signed.
    pub fn check_body(&self, body: &[u8]) -> Result<(), Refused> {
        self.check_digest(&Digest::of(body))
    }

    /// As [`Self::check_body`], of a body that was hashed as it came.
    pub fn check_digest(&self, body: &Digest) -> Result<(), Refused> {
        // REQ-03: the body has the digest that was signed.
        if *body == self.body { Ok(()) } else { Err(Refused) }
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
        let signed = UnverifiedRequest::parse(header)?.verify(&NET, method, path, Millis(now))?;
        signed.check_body(body).map(|()| signed.by())
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
    fn req_02_another_method_path_or_digest_is_refused() {
        let me = IdentitySecret::generate(&mut StdRng::seed_from_u64(2));
        let header = sign(&NET, &me, "PUT", "/a", b"body", NOW);
        assert_eq!(check(&header, "PUT", "/a", b"body", NOW.0), Ok(me.public()));
        assert_eq!(check(&header, "GET", "/a", b"body", NOW.0), Err(Refused));
        assert_eq!(check(&header, "PUT", "/b", b"body", NOW.0), Err(Refused));
        // Another body, its digest put into the header.
        let digest = |body: &[u8]| Digest::of(body).to_string();
        let swapped = header.replace(&digest(b"body"), &digest(b"bodY"));
        assert_ne!(swapped, header);
        assert_eq!(check(&swapped, "PUT", "/a", b"bodY", NOW.0), Err(Refused));
        for bad in ["", "a.b.c", "..", "...", &header[1..], &format!("{header}.00")] {
            assert!(UnverifiedRequest::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn req_03_another_body_than_the_one_signed_is_refused() {
        let me = IdentitySecret::generate(&mut StdRng::seed_from_u64(3));
        let header = sign(&NET, &me, "PUT", "/a", b"body", NOW);
        let signed = UnverifiedRequest::parse(&header).unwrap().verify(&NET, "PUT", "/a", NOW).unwrap();
        assert_eq!(signed.check_body(b"body"), Ok(()));
        assert_eq!(signed.check_body(b"bodY"), Err(Refused));
        assert_eq!(signed.check_body(b""), Err(Refused));
    }
}
