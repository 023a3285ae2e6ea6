//! A computer that is short of memory says so, in the same words whether or not there is a mailbox. The allocation really fails:
//! the test runs itself again under a limit of the system.

#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;

use crate::town::Town;
use client::{Config, Device, Kdf, OutOfMemory, Passphrase, Place};
use rand::{SeedableRng, rngs::StdRng};

/// Where the limited run finds the two devices' folders.
const FOLDERS: &str = "FIRSTHAND_TEST_SHORT_OF_MEMORY";

fn passphrase() -> Passphrase {
    Passphrase::generate(&mut StdRng::seed_from_u64(1))
}

async fn device(folder: &Path) -> std::sync::Arc<Device> {
    // The same town in both runs.
    let town = Town::found(33).await;
    let config = Config { kdf: Kdf::desktop(), ..town.config(Place::Folder(folder.to_owned())) };
    town.open(config, 1)
}

#[tokio::test]
async fn too_little_memory_is_said_and_says_nothing_else() {
    let (used, unused) = ("used", "unused");
    if let Some(folders) = std::env::var_os(FOLDERS) {
        for name in [used, unused] {
            let device = device(&Path::new(&folders).join(name)).await;
            assert_eq!(device.unlock(&passphrase()).err(), Some(OutOfMemory), "{name}");
        }
        println!("both said so");
        return;
    }
    let folders = tempfile::tempdir().unwrap();
    let with = device(&folders.path().join(used)).await;
    drop(with.begin(&passphrase()).unwrap());
    with.run(std::future::ready(())).await.unwrap();
    drop(with);
    drop(device(&folders.path().join(unused)).await);
    // 256 MiB of addresses in all, and the derivation alone needs as many.
    let limited = Command::new("sh")
        .args(["-c", "ulimit -v 262144; exec \"$0\" --exact --nocapture --test-threads=1 \"$1\""])
        .arg(std::env::current_exe().unwrap())
        .arg("memory::too_little_memory_is_said_and_says_nothing_else")
        .env(FOLDERS, folders.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&limited.stdout).into_owned();
    assert!(
        limited.status.success() && said.contains("both said so"),
        "{said}\n{}",
        String::from_utf8_lossy(&limited.stderr)
    );
    // With memory enough the one opens and the other does not.
    assert!(device(&folders.path().join(used)).await.unlock(&passphrase()).unwrap().is_some());
    assert!(device(&folders.path().join(unused)).await.unlock(&passphrase()).unwrap().is_none());
}
