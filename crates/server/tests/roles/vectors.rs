//! Runs `vectors/edge` and `vectors/handed` before a real edge and a real mix.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::fields::{Fields, Outcome, SUCCESS, Step, run_folder, word};
use crate::testing::Hands;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use proto::directory::{Directory, MixKey, UnverifiedDirectory};
use proto::keys::KeyKind;
use proto::mix::BatchId;
use proto::sign::Unverified;
use proto::{Clock as _, Digest, Millis, Round, request};
use rand::{SeedableRng as _, rngs::StdRng};
use server::edge::{Ceilings, Config, Edge};
use server::faults::Hook;
use server::handed::{Handed, HandedRejected};
use server::handing::Outgoing;
use server::handing::{Incoming, IncomingRejected};
use server::http::SEALED;
use server::mix::{Mix, Run, Setup, Upstream, UpstreamError};
use tower::ServiceExt as _;

/// EDG-01, EDG-02, EDG-03, EDG-06, EDG-07, EDG-08, EDG-09, BAT-04, BAT-06
#[test]
fn an_edge_answers_as_its_vector_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    run_folder("edge", 40, |f| runtime.block_on(edge(f)));
}

fn directory(f: &Fields) -> Result<Directory, String> {
    let unverified = UnverifiedDirectory::from_bytes(&f.bytes("directory")?).map_err(|e| e.to_string())?;
    unverified.verify(&f.network()?).map_err(|e| e.to_string())
}

async fn edge(f: &Fields) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        state: folder.path().join("edge"),
        network: f.network()?,
        directory: folder.path().join("directory"),
        max_journal_bytes: None,
        ceilings: Ceilings::default(),
    };
    std::fs::write(&config.directory, f.bytes("directory")?).unwrap();
    let schedule = directory(f)?.parameters().schedule;
    let clock = Hands::at(schedule.genesis);
    let mut open = None;
    let mut alike: Option<HeaderMap> = None;
    let mut outcome = String::new();
    for step in f.steps()? {
        if step.does == "restart" {
            drop(open.take());
            outcome = step.gave("open")?;
            continue;
        }
        let words = step.words();
        let &[round, after, method, path, by, ref body @ ..] = words.as_slice() else {
            return step.unknown();
        };
        let start = schedule.start(Round(round.parse().map_err(|_| "a round")?));
        let after: i64 = after.parse().map_err(|_| "ms after its start")?;
        clock.set(Millis(start.0.checked_add_signed(after).ok_or("a time")?));
        let edge = match &open {
            Some(edge) => Arc::clone(edge),
            None => {
                let mut rng = StdRng::seed_from_u64(1);
                Edge::open(&config, clock.clone(), &mut rng, Hook::none()).await.map_err(|e| e.to_string())?
            }
        };
        open = Some(Arc::clone(&edge));
        edge.step(clock.now()).await.map_err(|e| e.to_string())?;
        let body = crate::fields::bytes(&body.join(" "))?;
        let mut request = Request::builder().method(method).uri(path);
        if by != "-" {
            let signed = request::sign(&config.network, &f.identity(by)?, method, path, &body, clock.now());
            request = request.header(request::HEADER, signed);
        }
        let request = request.body(Body::from(body)).map_err(|e| e.to_string())?;
        let answer = edge.router_for([127, 0, 0, 1].into()).oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|e| e.to_string())?;
        if head.status == StatusCode::ACCEPTED {
            // Whatever was sent: not a header differs.
            let first = alike.get_or_insert_with(|| head.headers.clone());
            if *first != head.headers {
                return Err("two uploads are answered differently".into());
            }
        }
        compare(&step, head.status, &head.headers, &body)?;
        outcome = head.status.as_u16().to_string();
    }
    Ok(outcome)
}

/// `STATUS | BODY | HEADER: VALUE ...`; without a body it is empty.
fn compare(step: &Step<'_>, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let wrong = |what: &str, got: String| Err(format!("\"{:.60}\" gives {what} {got:.120}", step.does));
    let mut stated = step.stated.split(" | ");
    if stated.next() != Some(status.as_str()) {
        return wrong("status", status.as_u16().to_string());
    }
    if crate::fields::bytes(stated.next().unwrap_or("-"))? != body {
        return wrong("the body", hex::encode(body));
    }
    let value = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let mut sealed = None;
    for (name, want) in stated.map(|part| part.split_once(": ").unwrap_or((part, ""))) {
        match name {
            SEALED => sealed = Some(want),
            name if name == header::CACHE_CONTROL.as_str() => {
                if value(name) != Some(want) {
                    return wrong(name, format!("{:?}", value(name)));
                }
            }
            _ => return Err(format!("no such header: {name}")),
        }
    }
    if value(SEALED) == sealed { Ok(()) } else { wrong(SEALED, format!("{:?}", value(SEALED))) }
}

/// BAT-03, BAT-04, BAT-05, BAT-07
#[test]
fn what_is_handed_over_has_the_outcome_of_its_vector() {
    run_folder("handed", 15, handed);
}

fn handed(f: &Fields) -> Outcome {
    let (hop, directory) = (f.number("hop")?, directory(f)?);
    let id = BatchId { round: Round(f.number("round")?), part: f.number("part")? };
    let bytes = f.bytes("handed")?;
    if hop == directory.wire().cascade.exit() {
        let checked = Handed::parse(bytes.into())
            .map_err(HandedRejected::from)
            .and_then(|handed| handed.check_drops(&directory, id.round));
        return Ok(checked.map_or_else(word, |_| SUCCESS.into()));
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch");
    std::fs::write(&file, &bytes).unwrap();
    let checked = Incoming::open(&file).and_then(|batch| batch.check(&directory, hop, id));
    if !f.has("next-key") {
        return Ok(match checked {
            Ok(_) => SUCCESS.into(),
            Err(IncomingRejected::Handed(why)) => word(why),
            Err(other) => word(other),
        });
    }
    checked.map_err(|e| e.to_string())?;
    next_mix(f, folder.path(), directory, hop + 1, Waiting { id, bytes, released: Arc::default() })
}

/// The next mix takes it and lets go of it, or leaves it.
fn next_mix(f: &Fields, state: &Path, directory: Directory, hop: u8, waiting: Waiting) -> Outcome {
    let now = directory.parameters().schedule.start(waiting.id.round.next());
    let identity = Arc::new(f.identity("next-identity")?);
    let directory = Arc::new(directory);
    let key = f.key("next-key")?;
    let (released, id) = (Arc::clone(&waiting.released), waiting.id);
    let period = KeyKind::of_mix(hop, directory.wire().cascade).period(id.round);
    let open = |waiting: Waiting| {
        let (directory, identity) = (Arc::clone(&directory), Arc::clone(&identity));
        let setup = Setup { hop, state: state.to_owned(), identity, directory };
        Mix::open(setup, waiting, StdRng::seed_from_u64(1), Hook::none()).map_err(|e| e.to_string())
    };
    // Gives the mix the vector's key in place of the one that it would make.
    drop(open(waiting.clone())?);
    let store = rusqlite::Connection::open(state.join("mix.sqlite")).unwrap();
    let seed = key.to_seed();
    let row = rusqlite::params![period.from.0, period.until.0, seed.as_slice()];
    store.execute("INSERT INTO keys (first, last, seed) VALUES (?1, ?2, ?3)", row).unwrap();
    drop(store);
    let mut mix = open(waiting)?;
    for _ in 0..3 {
        mix.step(now).map_err(|e| e.to_string())?;
    }
    Ok(if released.load(Ordering::SeqCst) { SUCCESS } else { "refused" }.into())
}

/// What waits for a mix: one batch. Of editions it knows nothing, and that holds up no batch.
#[derive(Clone)]
struct Waiting {
    id: BatchId,
    bytes: Vec<u8>,
    released: Arc<AtomicBool>,
}

impl Upstream for Waiting {
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
        Ok(if self.released.load(Ordering::SeqCst) { vec![] } else { vec![self.id] })
    }

    fn envelopes(&mut self, _: Round, _: u64) -> Result<Option<Run>, UpstreamError> {
        Ok(None)
    }

    fn batch(&mut self, id: BatchId, _: usize, file: &Path) -> Result<bool, UpstreamError> {
        std::fs::write(file, &self.bytes).map_err(|e| UpstreamError::Other(e.into()))?;
        Ok(id == self.id)
    }

    fn push(&mut self, _: BatchId, _: &Outgoing) -> Result<(), UpstreamError> {
        Ok(())
    }

    fn release(&mut self, id: BatchId) -> Result<(), UpstreamError> {
        self.released.store(id == self.id, Ordering::SeqCst);
        Ok(())
    }

    fn hand_key(&mut self, _: u8, _: Round, _: &Unverified<MixKey>) -> Result<(), UpstreamError> {
        Ok(())
    }

    fn edition(&mut self, _: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
        Err(UpstreamError::Nonsense)
    }

    fn directory(&mut self, _: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }

    fn desk_drop(&mut self, _: Round, _: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }
}
