//! The client by which mixes, witnesses and the audit ask the edge; mixes and witnesses as a rule with signed requests.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use proto::sign::IdentitySecret;
use proto::{Clock, Digest, NetworkId, path, request};
use reqwest::{Method, Response, StatusCode};

use crate::handing::Outgoing;

/// The header in which the edge says that a round's stream has its final length.
pub const SEALED: &str = "firsthand-sealed";

/// The most envelopes in one answer: 8 MiB.
pub const RUN: usize = 1024;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The edge cannot be reached, or broke off.
    #[error("The edge does not answer. Check that it runs and that its address is right.")]
    Unreachable(#[source] reqwest::Error),
    /// The edge's store fails.
    #[error("The edge cannot store or read at the moment. It says more itself.")]
    Failing,
    /// The edge refuses.
    #[error("The edge refuses ({0}). Check that both hold the same directory and that the clocks agree.")]
    Refused(u16),
    /// Other bytes stand there already: this output was made twice.
    #[error(
        "The edge holds something else under this name. Never run two programs with one identity, nor one from an old copy of its state."
    )]
    Conflict,
    /// The edge answers more than there can be.
    #[error(
        "The edge answers more than there can be. It goes on with what is in order. Ask its operator, and of a list of batches that of the mix before."
    )]
    TooLong,
    /// Our disk fails.
    #[error(
        "What travels to and from the edge cannot be kept on this disk. Look at its space and its permissions."
    )]
    Disk(#[source] std::io::Error),
    /// The edge's address cannot be used.
    #[error("The edge's address {0:?} cannot be used. Write it as https://host:port.")]
    Address(String),
    /// It would be asked in the clear: batches and who asks for them could be read on the way.
    #[error(
        "The edge's address {0:?} must begin with https, because only this computer can be reached without."
    )]
    InTheClear(String),
}

/// What the edge answered.
pub struct Answer {
    /// The body.
    pub bytes: Bytes,
    /// The round's final length, if it is sealed.
    pub sealed: Option<u64>,
}

/// Asks the edge as anybody does, without saying who asks.
pub struct PublicClient {
    base: String,
    http: reqwest::Client,
}

impl PublicClient {
    /// Asks the edge at `base` ("http://127.0.0.1:7000").
    pub fn new(base: &str) -> Result<Self, RequestError> {
        let address = || RequestError::Address(base.to_owned());
        let url = reqwest::Url::parse(base).map_err(|_| address())?;
        if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() {
            return Err(address());
        }
        if url.scheme() == "http" && !url.host_str().is_some_and(path::is_this_computer) {
            return Err(RequestError::InTheClear(base.to_owned()));
        }
        // An edge never redirects, and no proxy of the surroundings is asked: the address given is the address used.
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // Shorter than an edge lets a connection be idle, so that no request goes into one that is being closed.
            .pool_idle_timeout(Duration::from_secs(8))
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(60))
            .build()
            .map_err(|e| RequestError::Unreachable(e.without_url()))?;
        Ok(Self { base: base.trim_end_matches('/').to_owned(), http })
    }

    /// GET. `None` if there is nothing there. Reads at most `limit` bytes.
    pub async fn get(&self, path: &str, limit: usize) -> Result<Option<Bytes>, RequestError> {
        let request = self.http.get(self.url(path));
        let response = request.send().await.map_err(|e| RequestError::Unreachable(e.without_url()))?;
        Ok(read(response, limit).await?.map(|answer| answer.bytes))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// Asks the edge in the name of one identity.
pub struct EdgeClient {
    public: PublicClient,
    network: NetworkId,
    identity: Arc<IdentitySecret>,
    clock: Arc<dyn Clock>,
}

impl EdgeClient {
    /// Asks the edge at `base` ("http://127.0.0.1:7000").
    pub fn new(
        base: &str,
        network: NetworkId,
        identity: Arc<IdentitySecret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RequestError> {
        Ok(Self { public: PublicClient::new(base)?, network, identity, clock })
    }

    /// GET. `None` if there is nothing there. Reads at most `limit` bytes.
    pub async fn get(&self, path: &str, limit: usize) -> Result<Option<Answer>, RequestError> {
        read(self.send(Method::GET, path, Bytes::new()).await?, limit).await
    }

    /// GET as anybody does it, without saying who asks. `None` if there is nothing there. Reads at most `limit` bytes.
    pub async fn get_public(&self, path: &str, limit: usize) -> Result<Option<Bytes>, RequestError> {
        self.public.get(path, limit).await
    }

    /// GET, into a file that is made anew. `false` if there is nothing there. Reads at most `limit` bytes.
    pub async fn get_file(&self, path: &str, limit: u64, file: &Path) -> Result<bool, RequestError> {
        let mut response = self.send(Method::GET, path, Bytes::new()).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(false);
        }
        accept(response.status())?;
        let mut file = File::create(file).map_err(RequestError::Disk)?;
        let mut left = limit;
        while let Some(chunk) =
            response.chunk().await.map_err(|e| RequestError::Unreachable(e.without_url()))?
        {
            left = left.checked_sub(chunk.len() as u64).ok_or(RequestError::TooLong)?;
            file.write_all(&chunk).map_err(RequestError::Disk)?;
        }
        Ok(true)
    }

    /// PUT. Returns once the edge has stored it.
    pub async fn put(&self, path: &str, body: Bytes) -> Result<(), RequestError> {
        accept(self.send(Method::PUT, path, body).await?.status())
    }

    /// PUT, of an output that lies in a file.
    pub async fn put_file(&self, path: &str, output: &Outgoing) -> Result<(), RequestError> {
        let body = reqwest::Body::wrap(output.body().map_err(RequestError::Disk)?);
        accept(self.send_signed(Method::PUT, path, &output.digest(), body).await?.status())
    }

    /// DELETE. What is not there any more is no error.
    pub async fn delete(&self, path: &str) -> Result<(), RequestError> {
        match self.send(Method::DELETE, path, Bytes::new()).await?.status() {
            StatusCode::NOT_FOUND => Ok(()),
            status => accept(status),
        }
    }

    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Response, RequestError> {
        let digest = Digest::of(&body);
        self.send_signed(method, path, &digest, body.into()).await
    }

    async fn send_signed(
        &self,
        method: Method,
        path: &str,
        digest: &Digest,
        body: reqwest::Body,
    ) -> Result<Response, RequestError> {
        let now = self.clock.now();
        let signed = request::sign_digest(&self.network, &self.identity, method.as_str(), path, digest, now);
        let request = self
            .public
            .http
            .request(method, self.public.url(path))
            .header(request::HEADER, signed)
            .body(body);
        request.send().await.map_err(|e| RequestError::Unreachable(e.without_url()))
    }
}

async fn read(mut response: Response, limit: usize) -> Result<Option<Answer>, RequestError> {
    if response.status() == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    accept(response.status())?;
    let sealed = response.headers().get(SEALED).and_then(|v| v.to_str().ok()?.parse().ok());
    let expected = response.content_length().unwrap_or(0).min(limit as u64) as usize;
    let mut bytes = BytesMut::with_capacity(expected);
    while let Some(chunk) = response.chunk().await.map_err(|e| RequestError::Unreachable(e.without_url()))? {
        if bytes.len() + chunk.len() > limit {
            return Err(RequestError::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(Answer { bytes: bytes.freeze(), sealed }))
}

fn accept(status: StatusCode) -> Result<(), RequestError> {
    match status {
        s if s.is_success() => Ok(()),
        StatusCode::CONFLICT => Err(RequestError::Conflict),
        s if s.is_server_error() => Err(RequestError::Failing),
        s => Err(RequestError::Refused(s.as_u16())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_reached_in_the_clear() {
        let clock = crate::testing::Hands::at(proto::Millis(0));
        let identity = Arc::new(IdentitySecret::from_seed(&[1; 32]));
        let new = |base| EdgeClient::new(base, NetworkId([1; 32]), identity.clone(), clock.clone()).err();
        for good in ["http://127.0.0.1:4000", "http://localhost:1/", "http://[::1]:9", "https://edge.example"]
        {
            assert!(new(good).is_none(), "{good}");
        }
        for clear in ["http://edge.example", "http://10.0.0.1:80", "http://localhost.example"] {
            let why = new(clear).expect(clear);
            assert!(matches!(why, RequestError::InTheClear(_)), "{clear}");
            assert!(why.to_string().contains("https"), "{why}");
        }
        for bad in ["", "edge.example", "ftp://127.0.0.1", "http://127.0.0.1/path"] {
            assert!(matches!(new(bad), Some(RequestError::Address(_))), "{bad}");
        }
    }
}
