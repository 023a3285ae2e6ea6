//! The edge, as the press uses it: hands in what is signed, asks for manifests.

use std::sync::Arc;
use std::time::Duration;

use proto::edition::MAX_HEAD;
use proto::mix::Manifest;
use proto::sign::{IdentitySecret, Unverified};
use proto::{Clock, NetworkId, Round, codec, path, request};
use reqwest::{Client, Method, StatusCode};

/// Manifests of one round, in bytes. Many more than a head carries: one mix with huge ones must not keep those of the others from
/// being read.
const MANIFESTS: usize = 64 << 20;

/// The edge at one address.
pub(crate) struct Edge {
    client: Client,
    url: String,
    network: NetworkId,
    clock: Arc<dyn Clock>,
}

/// Why the edge did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum EdgeError {
    /// It would be asked in the clear.
    #[error(
        "the edge's address {0:?} must begin with https, because only this computer can be reached without"
    )]
    InTheClear(String),
    /// It was not reached. Tried again at the next step.
    #[error("the edge at {url} cannot be reached")]
    Unreachable {
        /// Where.
        url: String,
        /// Why.
        #[source]
        cause: reqwest::Error,
    },
    /// It was reached and said no.
    #[error("the edge answered {status} to {what}")]
    Refused {
        /// Method and path.
        what: String,
        /// Its answer.
        status: StatusCode,
    },
    /// It answered with bytes that mean nothing.
    #[error("the edge's answer cannot be read. Check that edge and press are of the same version")]
    Malformed,
}

impl EdgeError {
    /// Whether the same bytes will never be taken: too long, or not what they have to be.
    pub(crate) fn is_for_good(&self) -> bool {
        let for_good = [StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNPROCESSABLE_ENTITY];
        matches!(self, Self::Refused { status, .. } if for_good.contains(status))
    }
}

impl Edge {
    pub(crate) fn new(url: &str, network: NetworkId, clock: Arc<dyn Clock>) -> Result<Self, EdgeError> {
        let is_clear =
            |url: reqwest::Url| url.scheme() == "http" && !url.host_str().is_some_and(path::is_this_computer);
        if url.parse().is_ok_and(is_clear) {
            return Err(EdgeError::InTheClear(url.to_owned()));
        }
        let url = url.trim_end_matches('/').to_owned();
        let client = Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Shorter than an edge lets a connection be idle, so that no request goes into one that is being closed.
            .pool_idle_timeout(Duration::from_secs(8))
            .build()
            .map_err(|cause| EdgeError::Unreachable { url: url.clone(), cause })?;
        Ok(Self { client, url, network, clock })
    }

    /// Hands in `body` at `path`, signed. Handing in the same bytes again is answered the same.
    pub(crate) async fn put(&self, path: &str, body: Vec<u8>, by: &IdentitySecret) -> Result<(), EdgeError> {
        // REQ-01: of the moment when it is sent, however long the step took until then.
        let signed = request::sign(&self.network, by, "PUT", path, &body, self.clock.now());
        let request = self
            .client
            .request(Method::PUT, format!("{}{path}", self.url))
            .header(request::HEADER, signed)
            .body(body);
        let answer = request.send().await.map_err(|cause| self.unreachable(cause))?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(EdgeError::Refused { what: format!("PUT {path}"), status }),
        }
    }

    /// Manifests whose batch is of round `r`.
    pub(crate) async fn manifests(&self, r: Round) -> Result<Vec<Unverified<Manifest>>, EdgeError> {
        Ok(self.answer(&path::manifests(r), MANIFESTS).await?.unwrap_or_default())
    }

    /// What stands at `path` in the one encoding. `None`: nothing. All of it goes into a head, so what is longer than one is
    /// not read to its end.
    pub(crate) async fn record<T: codec::Record>(&self, path: &str) -> Result<Option<T>, EdgeError> {
        self.answer(path, MAX_HEAD).await
    }

    async fn answer<T: codec::Record>(&self, path: &str, most: usize) -> Result<Option<T>, EdgeError> {
        let mut answer = self
            .client
            .get(format!("{}{path}", self.url))
            .send()
            .await
            .map_err(|cause| self.unreachable(cause))?;
        match answer.status() {
            StatusCode::OK => {
                let mut bytes = Vec::new();
                while let Some(piece) = answer.chunk().await.map_err(|cause| self.unreachable(cause))? {
                    bytes.extend_from_slice(&piece);
                    if bytes.len() > most {
                        return Err(EdgeError::Malformed);
                    }
                }
                codec::decode(&bytes).map(Some).map_err(|_| EdgeError::Malformed)
            }
            StatusCode::NOT_FOUND => Ok(None),
            status => Err(EdgeError::Refused { what: format!("GET {path}"), status }),
        }
    }

    fn unreachable(&self, cause: reqwest::Error) -> EdgeError {
        EdgeError::Unreachable { url: self.url.clone(), cause: cause.without_url() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::testing::GENESIS;

    /// A clock for edges that do not look at the time.
    pub(crate) fn still() -> Arc<dyn Clock> {
        struct Still;
        impl Clock for Still {
            fn now(&self) -> proto::Millis {
                GENESIS
            }
        }
        Arc::new(Still)
    }

    /// An edge that never stops answering does not fill the press's memory.
    #[tokio::test]
    async fn an_answer_that_never_ends_is_not_read_to_its_end() {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let edge =
            Edge::new(&format!("http://{}", listener.local_addr().unwrap()), NetworkId([1; 32]), still())
                .unwrap();
        let endless = tokio::spawn(async move {
            let (mut to, _) = listener.accept().await.unwrap();
            to.read_buf(&mut Vec::new()).await.unwrap();
            to.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
            let piece = [&b"10000\r\n"[..], &[0; 0x10000], b"\r\n"].concat();
            while to.write_all(&piece).await.is_ok() {}
        });
        assert!(matches!(edge.record::<Unverified<Manifest>>("/x").await, Err(EdgeError::Malformed)));
        endless.await.unwrap();
    }

    #[test]
    fn only_this_computer_is_reached_in_the_clear() {
        let new = |url| Edge::new(url, NetworkId([1; 32]), still()).err();
        for good in ["http://127.0.0.1:4000", "http://[::1]:9/", "https://edge.example"] {
            assert!(new(good).is_none(), "{good}");
        }
        assert!(matches!(new("http://edge.example"), Some(EdgeError::InTheClear(_))));
    }
}
