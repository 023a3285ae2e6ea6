//! A proxy between a device and the edge that writes down what it sees, and can cut the connection where it hurts.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Where a proxy cuts the connection of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Nowhere.
    Never,
    /// The edge has the whole body; its answer never comes back.
    AnswerLost,
    /// The proxy has the whole body; the edge never sees it.
    BodyLost,
}

/// A request as it went over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Which connection, counted from 0 for this proxy.
    pub connection: usize,
    /// Which request of that connection.
    pub nth: usize,
    /// `GET` or `POST`.
    pub method: String,
    /// The path.
    pub path: String,
    /// Header lines, in order.
    pub headers: Vec<(String, String)>,
    /// Bytes of the head, with its last empty line.
    pub head_len: usize,
    /// The answer's status; `None` if the connection was cut before it.
    pub(crate) status: Option<u16>,
    /// Bytes of the answer's body.
    pub(crate) answered: Option<usize>,
    /// The body.
    pub body: Vec<u8>,
}

/// A proxy at work. Dropping it ends every connection.
pub(crate) struct Proxy {
    /// Its address, for the device.
    pub url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    cut: watch::Sender<(Cut, usize)>,
    _task: AbortOnDrop,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Proxy {
    /// Starts a proxy to `edge`, `http://address:port`.
    pub(crate) async fn start(edge: &str, cut: Cut) -> anyhow::Result<Self> {
        let edge: SocketAddr = edge
            .strip_prefix("http://")
            .context("the edge's address")?
            .parse()
            .context("the edge's address")?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (cut, cuts) = watch::channel((cut, 0));
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            let mut count = 0;
            while let Ok((device, _)) = listener.accept().await {
                let (log, cuts) = (Arc::clone(&log), cuts.clone());
                let number = count;
                count += 1;
                connections.spawn(async move {
                    // A connection that ends is what this proxy is for.
                    let _ = relay(device, edge, number, &log, &cuts).await;
                });
            }
        });
        Ok(Self { url, seen, cut, _task: AbortOnDrop(task) })
    }

    /// From now on cuts here.
    pub(crate) fn set_cut(&self, cut: Cut) {
        self.cut.send_replace((cut, 0));
    }

    /// Lets so many uploads more pass, and from then on cuts here.
    pub(crate) fn set_cut_after(&self, uploads: usize, cut: Cut) {
        let before = self.seen().iter().filter(|seen| seen.method != "GET").count();
        self.cut.send_replace((cut, before + uploads));
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no holder panics").clone()
    }
}

/// Passes requests on one at a time, as HTTP/1.1 without pipelining does.
async fn relay(
    mut device: TcpStream,
    edge: SocketAddr,
    connection: usize,
    log: &Mutex<Vec<Seen>>,
    cuts: &watch::Receiver<(Cut, usize)>,
) -> anyhow::Result<()> {
    let mut edge = TcpStream::connect(edge).await?;
    // Head and body are written one after the other, and nobody waits for the other's acknowledgement in between.
    device.set_nodelay(true)?;
    edge.set_nodelay(true)?;
    let mut pending = Vec::new();
    for nth in 0.. {
        let head = read_head(&mut device, &mut pending).await?;
        let text = String::from_utf8(head.clone())?;
        let mut lines = text.trim_end().split("\r\n");
        let mut first = lines.next().context("a request line")?.split(' ');
        let method = first.next().context("a method")?.to_owned();
        let path = first.next().context("a path")?.to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = read_body(&mut device, &mut pending, length(&headers)).await?;
        let cut = {
            let mut log = log.lock().expect("no holder panics");
            let (cut, from) = *cuts.borrow();
            let uploads = log.iter().filter(|seen| seen.method != "GET").count();
            let cut = if method != "GET" && uploads >= from { cut } else { Cut::Never };
            log.push(Seen {
                connection,
                nth,
                method,
                path,
                head_len: head.len(),
                headers,
                status: None,
                answered: None,
                body: body.clone(),
            });
            cut
        };
        if cut == Cut::BodyLost {
            return Ok(());
        }
        edge.write_all(&head).await?;
        edge.write_all(&body).await?;
        // The answer, whole, so that the edge has done what it does before the cut.
        let mut pending = Vec::new();
        let head = read_head(&mut edge, &mut pending).await?;
        let text = String::from_utf8(head.clone())?;
        let headers: Vec<(String, String)> = text
            .split("\r\n")
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let body = read_body(&mut edge, &mut pending, length(&headers)).await?;
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        if let Some(seen) = log
            .lock()
            .expect("no holder panics")
            .iter_mut()
            .find(|seen| (seen.connection, seen.nth) == (connection, nth))
        {
            seen.status = status;
            seen.answered = Some(body.len());
        }
        if cut == Cut::AnswerLost {
            return Ok(());
        }
        device.write_all(&head).await?;
        device.write_all(&body).await?;
    }
    Ok(())
}

fn length(headers: &[(String, String)]) -> usize {
    let find = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    find.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)
}

async fn read_head(from: &mut TcpStream, pending: &mut Vec<u8>) -> anyhow::Result<Vec<u8>> {
    loop {
        if let Some(end) = pending.windows(4).position(|w| w == b"\r\n\r\n") {
            return Ok(pending.drain(..end + 4).collect());
        }
        more(from, pending).await?;
    }
}

async fn read_body(from: &mut TcpStream, pending: &mut Vec<u8>, len: usize) -> anyhow::Result<Vec<u8>> {
    while pending.len() < len {
        more(from, pending).await?;
    }
    Ok(pending.drain(..len).collect())
}

async fn more(from: &mut TcpStream, pending: &mut Vec<u8>) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    let n = from.read(&mut buffer).await?;
    anyhow::ensure!(n > 0, "the connection ended");
    pending.extend_from_slice(&buffer[..n]);
    Ok(())
}
