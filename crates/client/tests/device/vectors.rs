//! Runs `vectors/exchange`: a device before an edge that answers from a table.

use std::path::Path;
use std::sync::Arc;

use crate::fields::{Fields, Outcome, run_folder};
use crate::town::{Edge, Hand};
use client::{Config, Device, Exchanged, Kdf, Place};
use proto::directory::UnverifiedDirectory;
use proto::{Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};

/// EXC-02, EXC-04, EXC-05, EXC-08
#[test]
fn exchanges_bring_and_send_what_their_vector_says() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    run_folder("exchange", 20, |f| runtime.block_on(exchange(f)));
}

/// The device's folder, and what it is opened with.
struct Installed<'a> {
    f: &'a Fields,
    edge: &'a Edge,
    clock: Arc<Hand>,
    folder: &'a Path,
}

impl Installed<'_> {
    fn open(&self) -> Result<Device, String> {
        let config = Config {
            edge: self.edge.address.clone(),
            network: self.f.network()?,
            directory: self.f.bytes("directory")?,
            place: Place::Folder(self.folder.to_owned()),
            kdf: Kdf::cheap(),
            desk: None,
        };
        Device::open(config, self.clock.clone(), StdRng::seed_from_u64(1)).map_err(|e| e.to_string())
    }

    /// Gives the device the vector's secret in place of the one that it drew.
    fn know(&self, secret: [u8; 32]) -> Result<(), String> {
        drop(self.open()?);
        let db = rusqlite::Connection::open(self.folder.join("library.sqlite")).unwrap();
        let set = db.execute("UPDATE kept SET value = ?1 WHERE name = 'instants'", [secret]).unwrap();
        if set == 1 { Ok(()) } else { Err("no secret to replace".into()) }
    }
}

async fn exchange(f: &Fields) -> Outcome {
    let (edge, folder) = (Edge::start().await, tempfile::tempdir().unwrap());
    let schedule = schedule(f)?;
    let clock = Arc::new(Hand::at(schedule.genesis));
    let installed = Installed { f, edge: &edge, clock: Arc::clone(&clock), folder: folder.path() };
    installed.know(f.array("secret")?)?;
    let mut device = installed.open()?;
    let mut outcome = String::new();
    for step in f.steps()? {
        match step.words()[..] {
            ["edge", path, ref body @ ..] => edge.put(path.into(), crate::fields::bytes(&body.join(" "))?),
            ["at", round, ms] => {
                let start = schedule.start(Round(round.parse().map_err(|_| "a round")?));
                let now = start.plus(ms.parse().map_err(|_| "ms after its start")?);
                clock.set(now);
                edge.forget();
                let came = device.step(now).await.exchange;
                outcome = step.gave(said(&device, &edge, came.as_ref())?)?;
            }
            ["restart"] => {
                drop(device);
                device = installed.open()?;
                outcome = step.gave(shows(&device))?;
            }
            _ => return step.unknown(),
        }
    }
    Ok(outcome)
}

fn schedule(f: &Fields) -> Result<Schedule, String> {
    let unverified = UnverifiedDirectory::from_bytes(&f.bytes("directory")?).map_err(|e| e.to_string())?;
    let directory = unverified.verify(&f.network()?).map_err(|e| e.to_string())?;
    Ok(directory.parameters().schedule)
}

fn shows(device: &Device) -> String {
    device.status().edition.map_or("shows nothing".into(), |edition| format!("shows {}", edition.round))
}

/// What the device did, as the edge saw it.
fn said(device: &Device, edge: &Edge, came: Option<&Exchanged>) -> Outcome {
    let Some(came) = came else {
        let asked = edge.requests().len();
        return if asked == 0 { Ok("no exchange".into()) } else { Err(format!("{asked} requests")) };
    };
    let sends = match edge.uploads()[..] {
        [] => "sends nothing",
        [(round, ref envelope)] if round == came.round && envelope.len() == 8192 => "sends",
        _ => return Err("it sends something else than one envelope of its round".into()),
    };
    Ok(format!("takes {}, {}, {sends}", came.editions, shows(device)))
}
