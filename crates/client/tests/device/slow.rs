//! A device that runs by itself against an edge that takes its time.

use std::sync::Arc;
use std::time::Duration;

use crate::town::{T, Town, until};
use client::{Device, MailboxError, Passphrase, Place, WriteError};
use proto::Millis;
use rand::{SeedableRng, rngs::StdRng};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

fn running(device: &Arc<Device>) -> (oneshot::Sender<()>, JoinHandle<Result<(), MailboxError>>) {
    let (stop, stopped) = oneshot::channel();
    let device = Arc::clone(device);
    let run = async move {
        let shutdown = async {
            let _ = stopped.await;
        };
        device.run(shutdown).await
    };
    (stop, tokio::spawn(run))
}

async fn ended(run: JoinHandle<Result<(), MailboxError>>) {
    tokio::time::timeout(Duration::from_secs(2), run).await.expect("at once").unwrap().unwrap();
}

/// A reader that has its first edition, opened such that its next rewriting is this long after its next exchange.
async fn reader(town: &mut Town, folder: &std::path::Path, after_ms: u64) -> (Arc<Device>, Millis) {
    let place = || Place::Folder(folder.to_owned());
    let first = town.open(town.config(place()), 1);
    town.round(0, &[&first]).await;
    let instant = first.status().next_exchange;
    drop(first);
    town.clock.set(Millis(instant.0 + after_ms - u64::from(T)));
    let reader = town.open(town.config(place()), 2);
    assert_eq!(reader.status().next_exchange, instant);
    town.edge.forget();
    (reader, instant)
}

#[tokio::test]
async fn what_was_written_is_kept_in_time_however_slow_the_edge_is() {
    let mut town = Town::found(20).await;
    let folder = tempfile::tempdir().unwrap();
    let (reader, instant) = reader(&mut town, folder.path(), 300).await;
    let passphrase = Passphrase::generate(&mut StdRng::seed_from_u64(1));
    let session = reader.begin(&passphrase).unwrap();
    let leaves = session.write(town.desk, "kept", proto::Clock::now(&*town.clock)).unwrap();
    assert_eq!(leaves.durable_by, instant.plus(300 + 2_000));
    town.edge.hold(Some("GET"));
    town.clock.set(instant);
    let (stop, run) = running(&reader);
    town.edge.asked("GET").await;
    assert!(!session.is_kept());
    town.clock.set(instant.plus(300));
    until(|| session.is_kept()).await;
    session.write(town.desk, "and this is not", proto::Clock::now(&*town.clock)).unwrap();
    assert!(!session.is_kept());
    assert!(town.edge.uploads().is_empty(), "the exchange still waits for the edge");
    // Nothing was taken, so there is nothing to wait for.
    stop.send(()).unwrap();
    ended(run).await;
    assert!(session.is_kept(), "written at the stop");
    drop((session, reader));
    let reader = town.open(town.config(Place::Folder(folder.path().to_owned())), 3);
    assert_eq!(reader.unlock(&passphrase).unwrap().unwrap().conversations()[0].lines.len(), 2);
}

#[tokio::test]
async fn an_envelope_on_its_way_is_finished_before_a_stop() {
    let mut town = Town::found(21).await;
    let folder = tempfile::tempdir().unwrap();
    let (reader, instant) = reader(&mut town, folder.path(), 30_000).await;
    town.edge.hold(Some("POST"));
    town.clock.set(instant);
    let (stop, run) = running(&reader);
    town.edge.asked("POST").await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!run.is_finished(), "the upload was cut");
    town.edge.hold(None);
    ended(run).await;
    assert_eq!(town.edge.uploads().len(), 1);
}

/// EXC-02: the queue is filled with the first edition, also when that comes too late in its round for an upload.
#[tokio::test]
async fn who_sees_an_edition_can_write_even_if_it_came_too_late_for_an_upload() {
    let mut town = Town::found(22).await;
    let reader = town.reader(1);
    let passphrase = Passphrase::generate(&mut StdRng::seed_from_u64(1));
    let session = reader.begin(&passphrase).unwrap();
    town.publish(0, vec![]);
    let instant = reader.status().next_exchange;
    town.clock.set(instant);
    town.edge.hold(Some("GET"));
    let stepping = Arc::clone(&reader);
    let step = tokio::spawn(async move { stepping.step(instant).await });
    town.edge.asked("GET").await;
    assert_eq!(session.write(town.desk, "early", instant), Err(WriteError::TooEarly));
    let late = Millis(town.start(1).0 - 1);
    town.clock.set(late);
    town.edge.hold(None);
    let exchange = step.await.unwrap().exchange.expect("it was due");
    assert!(exchange.editions == 1 && !exchange.posted && town.edge.uploads().is_empty());
    assert!(reader.status().edition.is_some());
    session.write(town.desk, "now", late).unwrap();
}
