//! What lies on a device's disk; and a disk that cannot be written: said to everybody alike, and to who waits for it.

use std::path::Path;

use crate::town::{Town, passphrase};
use client::{Exchanged, Health, Place};
use proto::{Clock as _, Round};

/// A copy of the library of a device that runs, as whoever takes its disk reads it: the device lets nobody else into its own.
pub(crate) fn library(folder: &Path) -> (tempfile::TempDir, rusqlite::Connection) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["library.sqlite", "library.sqlite-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
    }
    let db = rusqlite::Connection::open(copy.path().join("library.sqlite")).unwrap();
    (copy, db)
}

/// What a device says and does while its disk cannot be written, and after.
async fn through(seed: u64, writes: bool) -> (Vec<Health>, Vec<Exchanged>) {
    let mut town = Town::found(seed).await;
    let folder = tempfile::tempdir().unwrap();
    let device = town.open(town.config(Place::Folder(folder.path().to_owned())), seed);
    town.round(0, &[&device]).await;
    let mut said = vec![device.status().health];
    let in_the_way = folder.path().join("mailbox.next");
    std::fs::create_dir(&in_the_way).unwrap();
    let session = writes.then(|| device.begin(&passphrase(1)).unwrap());
    let mut durable_by = town.clock.now();
    if let Some(session) = &session {
        durable_by = session.write(town.desk, "a tip", town.clock.now()).unwrap().durable_by;
        assert!(!session.is_kept() && !session.is_unkept(town.clock.now()), "it has its time");
    }
    // A rewriting, and an exchange.
    let mut exchanged = vec![];
    for r in 1..3 {
        town.clock.set(town.start(r).max(town.clock.now()));
        town.publish(r, vec![]);
        exchanged.push(town.next(&device).await);
        town.clock.set(town.start(r + 1));
        device.step(town.clock.now()).await;
        said.push(device.status().health);
    }
    if let Some(session) = &session {
        assert!(town.clock.now() > durable_by && !session.is_kept() && session.is_unkept(town.clock.now()));
    }
    std::fs::remove_dir(&in_the_way).unwrap();
    town.publish(3, vec![]);
    exchanged.push(town.next(&device).await);
    town.clock.set(town.start(4));
    device.step(town.clock.now()).await;
    said.push(device.status().health);
    if let Some(session) = &session {
        assert!(session.is_kept() && !session.is_unkept(town.clock.now()));
        // What is deleted is to be on the disk too.
        std::fs::create_dir(&in_the_way).unwrap();
        session.delete_conversation(session.conversations()[0].id, town.clock.now());
        town.clock.set(town.start(6));
        device.step(town.clock.now()).await;
        assert!(session.is_unkept(town.clock.now()));
    }
    (said, exchanged)
}

#[tokio::test]
async fn a_disk_that_cannot_be_written_is_said_to_who_writes_and_to_who_only_reads_alike() {
    let (said, exchanged) = through(180, true).await;
    assert_eq!(said, [Health::Good, Health::Disk, Health::Disk, Health::Good]);
    let failed = |r| Exchanged { round: Round(r), editions: 1, posted: false, health: Health::Disk };
    assert_eq!(exchanged[..2], [failed(1), failed(2)], "nothing is sent that was not taken out for good");
    assert!(exchanged[2].posted && exchanged[2].health == Health::Good);
    assert_eq!((said, exchanged), through(180, false).await);
}
