//! Listening: one task for each connection, and all of them end with the edge. How many there are, for how long and with
//! how much memory is bounded. Spec: mix.md §2.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::rounds::StepError;
use super::sender::{Caller, Source};
use super::{Edge, OpenError};
use crate::faults::Killed;
use crate::status::Reason;

/// How long a relay's idle connection stays open: longer than proxies keep theirs, so that no upload goes into a connection
/// that is being closed.
const RELAY_HEAD: Duration = Duration::from_secs(120);
/// How long what is under way may take once a connection's life is over.
const LAST_ANSWER: Duration = Duration::from_secs(30);
/// What is read of a connection before it is dealt with, and written before it is taken: the memory of one.
const BUFFER: usize = 64 * 1024;
/// Lines of a head. A reader's device sends four.
const HEAD_LINES: usize = 64;
/// How long answers under way may take when the edge stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why a running edge stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A test stopped it.
    #[error(transparent)]
    Killed(#[from] Killed),
}

/// An edge that has its address.
pub struct Listening {
    edge: Arc<Edge>,
    listener: TcpListener,
    address: SocketAddr,
}

impl Edge {
    /// Takes the address; port 0 takes any.
    pub async fn listen(self: Arc<Self>, address: SocketAddr) -> Result<Listening, OpenError> {
        let failed = |cause: std::io::Error| match cause.kind() {
            std::io::ErrorKind::AddrInUse => OpenError::AddressInUse { address },
            _ => OpenError::Address { address, cause },
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Listening { edge: self, listener, address })
    }
}

impl Listening {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The edge.
    pub fn edge(&self) -> &Arc<Edge> {
        &self.edge
    }

    /// Serves and steps until `shutdown` is done. When this returns, nothing of the edge runs any more, and its state
    /// folder may be opened again.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), RunError> {
        let Self { edge, listener, .. } = self;
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let outcome = {
            let places = Arc::new(Semaphore::new(edge.ceilings.connections as usize));
            let mut killed = edge.killed.subscribe();
            let mut shutdown = pin!(shutdown);
            let mut stepping = pin!(step_forever(&edge));
            let router = edge.router();
            loop {
                let next = async {
                    let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
                    (listener.accept().await, place)
                };
                tokio::select! {
                    biased;
                    Some(now) = async { killed.wait_for(Option::is_some).await.ok().and_then(|now| *now) } => {
                        break Err(now.into());
                    }
                    () = &mut shutdown => break Ok(()),
                    killed = &mut stepping => break Err(killed.into()),
                    Some(_) = connections.join_next(), if !connections.is_empty() => {}
                    (accepted, place) = next => match accepted {
                        Ok((stream, address)) => {
                            let caller = Caller::new(edge.senders.peer(address.ip()));
                            let Some(entered) = Entered::new(&edge, &caller) else { continue };
                            let serving = edge.serve_connection(stream, caller, router.clone(), stopped.clone());
                            connections.spawn(async move { serving.await; drop((place, entered)) });
                        }
                        // Out of descriptors, or gone before it was taken: others may still come.
                        Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                    },
                }
            }
        };
        drop(listener);
        if outcome.is_ok() {
            stop.send_replace(true);
            let _ =
                tokio::time::timeout(FAREWELL, async { while connections.join_next().await.is_some() {} })
                    .await;
        }
        connections.shutdown().await;
        outcome
    }
}

async fn step_forever(edge: &Edge) -> Killed {
    loop {
        // A failing store was logged where it failed, and may work again by the next time.
        if let Err(StepError::Killed(killed)) = edge.step(edge.clock.now()).await {
            return killed;
        }
        tokio::time::sleep(crate::run::pause(edge.schedule())).await;
    }
}

/// One of an address's connections, until it is dropped.
struct Entered {
    edge: Arc<Edge>,
    source: Option<Source>,
}

impl Entered {
    /// `None`: the address has as many as one may. A relay may have as many as there are.
    fn new(edge: &Arc<Edge>, caller: &Caller) -> Option<Self> {
        let source = caller.peer.relay.is_none().then_some(caller.peer.source);
        if source.is_some_and(|s| !edge.open_connections().enter(s, edge.ceilings.connections_per_address)) {
            edge.counts().refused.count(Reason::OverConnections);
            return None;
        }
        Some(Self { edge: Arc::clone(edge), source })
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(source) = self.source {
            self.edge.open_connections().leave(source);
        }
    }
}

impl Edge {
    fn serve_connection(
        &self,
        stream: TcpStream,
        caller: Caller,
        router: axum::Router,
        mut stopped: watch::Receiver<bool>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let is_relay = caller.peer.relay.is_some();
        let head = if is_relay { RELAY_HEAD } else { self.ceilings.head };
        let life = self.ceilings.life;
        async move {
            let _ = stream.set_nodelay(true);
            let router = TowerToHyperService::new(router);
            let about = caller.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(about.clone());
                router.call(request)
            });
            // EDG-14: memory and time of a connection.
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(head)
                .max_buf_size(BUFFER)
                .max_headers(HEAD_LINES)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(connection);
            let outlived = async {
                tokio::time::sleep(life).await;
                if caller.may_stay() {
                    std::future::pending::<()>().await;
                }
            };
            // How a connection ends is its peer's affair: nothing of it is logged.
            tokio::select! {
                _ = connection.as_mut() => {}
                () = async { drop(stopped.wait_for(|stop| *stop).await) } => {
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                }
                () = outlived => {
                    connection.as_mut().graceful_shutdown();
                    let _ = tokio::time::timeout(LAST_ANSWER.min(life), connection).await;
                }
            }
        }
    }
}
