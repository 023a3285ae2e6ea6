//! Every parser and every layer that reads bytes from somebody else, as functions of bytes that panic when a promise is broken.
//!
//! `fuzz/` beside the workspace is the program that libFuzzer drives. A test of this crate calls them with every input
//! that was kept, so that they hold in an ordinary build too. What each reads and what it promises stands in `docs/fuzzing.md`.

mod device;
mod envelopes;
mod input;
#[cfg(feature = "cheap-kdf")]
mod screens;
mod services;
mod signed;
mod stories;
mod world;

use std::sync::LazyLock;

use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A target.
#[derive(Clone, Copy)]
pub struct Target {
    /// What it and its corpus are called.
    pub name: &'static str,
    /// Panics if a promise is broken.
    pub run: fn(&[u8]),
    /// The longest input that makes sense, in bytes.
    pub max_len: usize,
}

const fn target(name: &'static str, max_len: usize, run: fn(&[u8])) -> Target {
    Target { name, run, max_len }
}

/// All of them. What reads from the network stands first.
pub const TARGETS: &[Target] = &[
    target("layers", 512, envelopes::layers),
    target("heads", 4_096, signed::heads),
    target("edge", 4_096, services::edge),
    target("directories", 4_096, signed::directories),
    target("messages", 8_192, envelopes::messages),
    target("notes", 4_096, signed::notes),
    target("bundles", 16_384, stories::bundles),
    target("records", 16_384, signed::records),
    target("handed", 4_096, signed::handed),
    target("batches", 512, envelopes::batches),
    target("drops", 512, envelopes::drops),
    target("replies", 2_048, envelopes::replies),
    target("requests", 1_024, signed::requests),
    target("trees", 2_048, signed::trees),
    target("desks", 4_096, device::desks),
    target("sources", 4_096, device::sources),
    target("documents", 2_048, device::documents),
    target("pages", 16_384, stories::pages),
    target("feeds", 16_384, stories::feeds),
    target("articles", 8_192, stories::articles),
    target("sayings", 4_096, stories::sayings),
    target("files", 16_384, device::files),
    target("sidecars", 4_096, stories::sidecars),
    target("lists", 4_096, stories::lists),
    #[cfg(feature = "cheap-kdf")]
    target("reader", 4_096, screens::reader),
    #[cfg(feature = "cheap-kdf")]
    target("desk", 2_048, screens::desk),
    target("configs", 2_048, services::configs),
    target("passphrases", 256, device::passphrases),
];

/// Runs the target of this name.
///
/// # Panics
/// There is none, or a promise is broken.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target of this name");
    (target.run)(bytes);
}

/// A folder in memory where the system has one, so that a fuzzer wears out no disk. It goes when the process ends well.
fn memory() -> TempDir {
    let shm = std::path::Path::new("/dev/shm");
    let folder = tempfile::Builder::new().prefix("fuzz-").tempdir_in(if shm.is_dir() {
        shm.into()
    } else {
        std::env::temp_dir()
    });
    folder.expect("a folder for the time of a run")
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    });
    RUNTIME.block_on(work)
}
