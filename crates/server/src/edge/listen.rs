//! Listening: one task for each connection, and all of them end with the edge.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::rounds::StepError;
use super::{Edge, OpenError};
use crate::faults::Killed;

/// Connections at once. More wait in the system's queue.
const CONNECTIONS: usize = 4096;
/// How long a connection may take to say what it wants, and how long an idle one stays open: longer than clients keep
/// theirs, so that no upload goes into a connection that is being closed.
const HEADER: Duration = Duration::from_secs(120);
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
            let places = Arc::new(Semaphore::new(CONNECTIONS));
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
                        Ok((stream, _)) => {
                            let serving = serve(stream, router.clone(), stopped.clone());
                            connections.spawn(async move { serving.await; drop(place) });
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

async fn serve(stream: TcpStream, router: axum::Router, mut stopped: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // How a connection ends is its peer's affair: nothing of it is logged.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = async { drop(stopped.wait_for(|stop| *stop).await) } => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
