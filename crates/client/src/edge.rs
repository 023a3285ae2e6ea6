//! The way to the edge. One request looks like every other of its kind: the same headers in the same order, each on a
//! connection of its own. Spec: exchange.md §4.

use core::convert::Infallible;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use proto::envelope::Envelope;
use proto::sign::IdentitySecret;
use proto::{Millis, NetworkId, path, request};
use reqwest::{Client, Response, StatusCode, Url};

/// The address given for the edge cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It is no address of the web.
    #[error("`{0}` is not an address such as https://edge.example")]
    NotAnAddress(String),
    /// It would travel in the clear.
    #[error("`{0}` must begin with https, because only this computer can be reached without")]
    InTheClear(String),
    /// The HTTP client could not be made.
    #[error("could not prepare for secure connections")]
    Client(#[source] reqwest::Error),
}

/// Why something was not got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotGot {
    /// The edge could not be reached, or could not answer.
    Unreachable,
    /// It answered with more than there can be.
    TooLong,
    /// It does not give this to whoever asks.
    Denied,
}

/// Why something that was handed in was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotPut {
    /// It did not get there, or was turned away before it was looked at: what the edge has is what it had.
    Unseen,
    /// It was looked at and refused: the edge does not have it.
    Refused,
    /// No answer came, or one that does not say: the edge may have it.
    Unanswered,
}

/// Asks one edge.
pub(crate) struct Edge {
    http: Client,
    base: String,
}

impl Edge {
    /// `timeout` is for each request, from connecting to the last byte.
    pub(crate) fn new(base: &str, timeout: Duration) -> Result<Self, AddressError> {
        let url = Url::parse(base).map_err(|_| AddressError::NotAnAddress(base.to_owned()))?;
        let this_computer = url.host_str().is_some_and(path::is_this_computer);
        match url.scheme() {
            "https" => {}
            "http" if this_computer => {}
            "http" => return Err(AddressError::InTheClear(base.to_owned())),
            _ => return Err(AddressError::NotAnAddress(base.to_owned())),
        }
        // EXC-06: nothing that differs between two devices, or between two requests of one kind.
        let http = Client::builder()
            // A blob seen twice would name its sender, so nothing is ever sent again by itself: see `Once` below.
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            // A proxy named in the environment would see all of it, and make this reader unlike the others.
            .no_proxy()
            .referer(false)
            .http1_only()
            // A connection for each request: whether a kept one is free again in time is a race, and would differ.
            .pool_max_idle_per_host(0)
            .tcp_nodelay(true)
            .timeout(timeout)
            .build()
            .map_err(AddressError::Client)?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned() })
    }

    /// Fetches what is public. `None`: it is not there. At most `limit` bytes.
    pub(crate) async fn get(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, NotGot> {
        let answer = self.http.get(self.url(path)).send().await.map_err(|_| NotGot::Unreachable)?;
        Self::read(answer, limit).await
    }

    /// Fetches what only a listed desk may have.
    pub(crate) async fn get_as(
        &self,
        desk: &IdentitySecret,
        network: &NetworkId,
        path: &str,
        limit: usize,
        now: Millis,
    ) -> Result<Option<Vec<u8>>, NotGot> {
        let signed = request::sign(network, desk, "GET", path, b"", now);
        let request = self.http.get(self.url(path)).header(request::HEADER, signed);
        let answer = request.send().await.map_err(|_| NotGot::Unreachable)?;
        // EXC-12
        if answer.status() == StatusCode::FORBIDDEN {
            return Err(NotGot::Denied);
        }
        Self::read(answer, limit).await
    }

    /// Hands in something signed by a desk. The same again is taken the same.
    pub(crate) async fn put_as(
        &self,
        desk: &IdentitySecret,
        network: &NetworkId,
        path: &str,
        body: Vec<u8>,
        now: Millis,
    ) -> Result<(), NotPut> {
        let signed = request::sign(network, desk, "PUT", path, &body, now);
        let request = self.http.put(self.url(path)).header(request::HEADER, signed).body(body);
        let answer = request
            .send()
            .await
            .map_err(|e| if e.is_connect() { NotPut::Unseen } else { NotPut::Unanswered })?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => Err(NotPut::Refused),
            status if status.is_client_error() => Err(NotPut::Unseen),
            _ => Err(NotPut::Unanswered),
        }
    }

    async fn read(mut answer: Response, limit: usize) -> Result<Option<Vec<u8>>, NotGot> {
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(NotGot::Unreachable),
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|_| NotGot::Unreachable)? {
            if body.len() + chunk.len() > limit {
                return Err(NotGot::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    /// Uploads an envelope, once. Whether it was answered is for the health line and for nothing else.
    pub(crate) async fn post(&self, path: &str, envelope: &Envelope) -> Result<(), NotGot> {
        let body = Once(Some(Bytes::copy_from_slice(envelope.as_bytes())));
        let request = self.http.post(self.url(path)).body(reqwest::Body::wrap(body));
        let mut answer = request.send().await.map_err(|_| NotGot::Unreachable)?;
        // The answer has no body, and is read to its end all the same: for everyone alike.
        while answer.chunk().await.map_err(|_| NotGot::Unreachable)?.is_some() {}
        if answer.status().is_success() { Ok(()) } else { Err(NotGot::Unreachable) }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// A body that gives its bytes once. It cannot be cloned, so no layer below can keep a copy to send again; and a request
/// that was tried on a connection found closed before its first byte, which HTTP clients try on another, either still
/// holds all of it or has nothing to give.
struct Once(Option<Bytes>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_none()
    }

    // Exact, so that the length is announced and the body is not chunked.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_reached_in_the_clear() {
        let new = |base| Edge::new(base, Duration::from_secs(1)).err();
        for good in ["http://127.0.0.1:4000", "http://localhost:1", "http://[::1]:9/", "https://edge.example"]
        {
            assert!(new(good).is_none(), "{good}");
        }
        assert!(matches!(new("http://edge.example"), Some(AddressError::InTheClear(_))));
        for bad in ["", "edge.example", "ftp://127.0.0.1", "file:///etc"] {
            assert!(matches!(new(bad), Some(AddressError::NotAnAddress(_))), "{bad}");
        }
    }
}
