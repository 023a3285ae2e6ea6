//! The loops around the services: sleep, step, and stop when told.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use proto::{Clock, Schedule};
use rand::rngs::StdRng;
use tokio::runtime::Handle;

use crate::edge::{self, Edge, OpenError};
use crate::faults::{Hook, Killed};
use crate::http::EdgeClient;
use crate::mix::{self, HttpUpstream, Mix, MixError, Setup};
use crate::witness::{self, Witness, WitnessError};

/// The longest a mix waits between two attempts while the edge does not answer.
const LONGEST: Duration = Duration::from_secs(15);

/// Why a service ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// It did not start.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A test stopped it.
    #[error(transparent)]
    Killed(#[from] Killed),
    /// A part of it panicked, and the rest with it.
    #[error("The service broke off. Start it again; nothing that was answered is lost.")]
    Broken,
}

/// Runs an edge until `shutdown` is done. `rng` draws the key under which addresses are counted. `ready` is told its
/// address once it listens.
pub async fn run_edge(
    config: edge::Config,
    clock: Arc<dyn Clock>,
    mut rng: StdRng,
    hook: Hook,
    ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServiceError> {
    let edge = Edge::open(&config, clock, &mut rng, hook).await?;
    let listening = edge.listen(config.listen).await?;
    ready(listening.address());
    match listening.run(shutdown).await {
        Ok(()) => Ok(()),
        Err(edge::RunError::Killed(killed)) => Err(killed.into()),
    }
}

/// Runs a mix until `shutdown` is done. `rng` draws its shuffles. `ready` is told once its state is open; whether the edge
/// answers is another matter, and is waited for.
pub async fn run_mix(
    config: mix::Config,
    clock: Arc<dyn Clock>,
    rng: StdRng,
    hook: Hook,
    ready: impl FnOnce(),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServiceError> {
    let setup = Setup::read(&config)?;
    let schedule = setup.directory.parameters().schedule;
    let exit = setup.directory.wire().cascade.exit();
    let identity = Arc::clone(&setup.identity);
    let client = EdgeClient::new(&config.edge, config.network, identity, Arc::clone(&clock))
        .map_err(OpenError::from)?;
    let upstream = HttpUpstream::new(client, Handle::current(), config.hop, exit);
    let mut mix = blocking(move || Mix::open(setup, upstream, rng, hook)).await??;
    ready();

    let mut shutdown = pin!(shutdown);
    let mut trouble = Trouble::new(pause(schedule));
    loop {
        let now = clock.now();
        let (back, outcome) = blocking(move || {
            let outcome = mix.step(now);
            (mix, outcome)
        })
        .await?;
        mix = back;
        let wait = match outcome {
            Err(MixError::Killed(killed)) => return Err(killed.into()),
            Err(e) => trouble.begins(&e),
            Ok(done) => {
                if done.closed > 0 {
                    tracing::debug!(outputs = done.closed, "written");
                }
                trouble.ends();
                if done.more { Duration::ZERO } else { pause(schedule) }
            }
        };
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Runs a witness until `shutdown` is done. `ready` is told once its state is open; whether the edge answers is another
/// matter, and is waited for.
pub async fn run_witness(
    config: witness::Config,
    clock: Arc<dyn Clock>,
    hook: Hook,
    ready: impl FnOnce(),
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServiceError> {
    let mut witness = Witness::open(&config, Arc::clone(&clock), hook)?;
    ready();
    let pause = witness_pause(witness.schedule());
    let mut shutdown = pin!(shutdown);
    let mut trouble = Trouble::new(pause);
    loop {
        // LOG-14: it may be stopped anywhere.
        let stepped = tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            stepped = witness.step(clock.now()) => stepped,
        };
        let wait = match stepped {
            Err(WitnessError::Killed(killed)) => return Err(killed.into()),
            Err(e) => trouble.begins(&e),
            Ok(_) => {
                trouble.ends();
                pause
            }
        };
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ServiceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| ServiceError::Broken)
}

/// How long a service sleeps between two steps: T/20, within 50 ms and 5 s.
pub(crate) fn pause(schedule: Schedule) -> Duration {
    Duration::from_millis((u64::from(schedule.round_ms) / 20).clamp(50, 5_000))
}

/// How long a witness sleeps between two looks: T/100, within 20 ms and 5 s. Readers wait for it.
fn witness_pause(schedule: Schedule) -> Duration {
    Duration::from_millis((u64::from(schedule.round_ms) / 100).clamp(20, 5_000))
}

/// Says once what is wrong and once that it is right again, and waits longer each time in between.
struct Trouble {
    shortest: Duration,
    wait: Option<Duration>,
    said: String,
}

impl Trouble {
    fn new(shortest: Duration) -> Self {
        Self { shortest, wait: None, said: String::new() }
    }

    fn begins(&mut self, why: &dyn std::error::Error) -> Duration {
        let why = why.to_string();
        // P6: that an edge was out of reach before hides no fork.
        if self.wait.is_none() || self.said != why {
            tracing::warn!("{why}");
            self.said = why;
        }
        let wait = self.wait.map_or(self.shortest, |before| (2 * before).min(LONGEST));
        *self.wait.insert(wait)
    }

    fn ends(&mut self) {
        if self.wait.take().is_some() {
            tracing::info!("It works again.");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_waits_longer_each_time_up_to_a_limit_and_begins_anew() {
        let mut trouble = Trouble::new(Duration::from_millis(50));
        let why = MixError::NoKey;
        let waits: Vec<_> = (0..12).map(|_| trouble.begins(&why).as_millis()).collect();
        assert_eq!(waits[..4], [50, 100, 200, 400]);
        assert_eq!(waits[11], LONGEST.as_millis());
        trouble.ends();
        assert_eq!(trouble.begins(&why).as_millis(), 50);
    }

    #[test]
    fn another_trouble_is_said_before_the_first_has_ended() {
        let mut trouble = Trouble::new(Duration::from_millis(50));
        let fork = crate::witness::WitnessError::Log(proto::log::LogRejected::Fork);
        trouble.begins(&MixError::NoKey);
        trouble.begins(&fork);
        assert_eq!(trouble.said, fork.to_string());
    }

    #[test]
    fn a_service_looks_up_twenty_times_a_round_within_reason() {
        let pause = |round_ms| pause(Schedule { genesis: proto::Millis(0), round_ms }).as_millis();
        assert_eq!([pause(1_000), pause(5_000), pause(3_600_000)], [50, 250, 5_000]);
    }
}
