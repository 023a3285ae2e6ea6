//! A mix between two files, in the edge's place: what it does from disk to disk, without a network.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use proto::directory::{MixKey, UnverifiedDirectory};
use proto::envelope;
use proto::keys::{KeyKind, Period};
use proto::mix::BatchId;
use proto::seal::{SealSecret, Use, seal};
use proto::sign::{IdentitySecret, Unverified};
use proto::size::ENVELOPE;
use proto::{Digest, Round};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use server::faults::Hook;
use server::handing::{Incoming, Outgoing};
use server::http::RUN;
use server::mix::{Mix, Run, Setup, Upstream, UpstreamError};

use crate::town::{GENESIS, Town};

/// The one batch that there is.
pub const ROUND: BatchId = BatchId { round: Round(0), part: 0 };
const OUTPUT: &str = "output";

/// What the mix at `hop` draws from.
fn draws(hop: u8) -> StdRng {
    StdRng::seed_from_u64(4 + u64::from(hop))
}

/// The first that a mix draws is the key of the first round.
fn key(hop: u8) -> SealSecret {
    SealSecret::generate(&mut draws(hop))
}

/// Writes a round of envelopes, one after the other. The first `layers` layers are real, as many as will be opened; what is
/// inside is random.
pub fn write_round(town: &Town, envelopes: u32, layers: u8, path: &Path) -> Result<()> {
    let inner = town.directory.wire().cascade.layer(layers);
    let random = |_, rng: &mut StdRng| {
        let mut layer = vec![0; inner];
        rng.fill_bytes(&mut layer);
        layer
    };
    write_layers(town, envelopes, layers, &random, path)
}

/// Writes a round of envelopes of which the first `messages` are messages to a desk and all others cover, real in every layer.
pub fn write_classes(town: &Town, envelopes: u32, messages: u32, path: &Path) -> Result<()> {
    let wire = town.directory.wire();
    let last = wire.cascade.exit();
    let exit = key(last).public().clone();
    let desk = SealSecret::generate(&mut StdRng::seed_from_u64(7));
    let message = vec![0; wire.cascade.message()];
    let blob = |n, rng: &mut StdRng| {
        let blob = if n < messages {
            envelope::to_desk(&wire, desk.public(), &message, &exit, rng).0
        } else {
            envelope::cover(&wire, &exit, rng)
        };
        blob.as_bytes().to_vec()
    };
    write_layers(town, envelopes, last, &blob, path)
}

/// Seals what `inside` makes for each envelope to the first `layers` mixes.
fn write_layers(
    town: &Town,
    envelopes: u32,
    layers: u8,
    inside: &(impl Fn(u32, &mut StdRng) -> Vec<u8> + Sync),
    path: &Path,
) -> Result<()> {
    let keys: Vec<_> = (0..layers).map(|hop| (hop, key(hop).public().clone())).collect();
    let workers = u32::try_from(thread::available_parallelism()?.get())?;
    // Each seals every so many of a piece, into memory of its own.
    let seal_some = |piece: u32, worker: u32| {
        let mut rng = StdRng::seed_from_u64(u64::from(piece) << 32 | u64::from(worker));
        let mut sealed = Vec::new();
        for n in (piece + worker..envelopes.min(piece + PIECE)).step_by(workers as usize) {
            let mut layer = inside(n, &mut rng);
            for (hop, key) in keys.iter().rev() {
                layer = seal(Use::Layer(*hop), &town.network, key, &layer, &mut rng).0;
            }
            sealed.extend_from_slice(&layer);
        }
        sealed
    };
    let mut file = BufWriter::new(File::create(path)?);
    for piece in (0..envelopes).step_by(PIECE as usize) {
        thread::scope(|scope| {
            let seal_some = &seal_some;
            let work: Vec<_> =
                (0..workers).map(|worker| scope.spawn(move || seal_some(piece, worker))).collect();
            work.into_iter()
                .try_for_each(|work| file.write_all(&work.join().expect("a worker ends by itself")))
        })?;
    }
    let file = file.into_inner()?;
    file.sync_all()?;
    ensure!(file.metadata()?.len() == u64::from(envelopes) * ENVELOPE as u64, "the round is whole");
    Ok(())
}

/// Envelopes sealed before they are written.
const PIECE: u32 = 256;

/// A mix on an empty state folder, before an input that is over.
pub struct Prepared {
    mix: Mix<Folder>,
}

impl Prepared {
    /// The mix at `hop`. `input` is a round of envelopes for the first, and what the mix before handed over for a later one.
    /// `folder` is empty.
    pub fn new(town: &Town, hop: u8, input: &Path, folder: &Path) -> Result<Self> {
        let cascade = town.directory.wire().cascade;
        let signed = |hop: u8| {
            let Period { from, until } = KeyKind::of_mix(hop, cascade).period(ROUND.round);
            let key = MixKey { hop, key: key(hop).public().to_bytes().into(), from, until };
            Unverified::sign(&key, &town.network, &town.mixes[usize::from(hop)])
        };
        // What the press would publish: it names the keys of the mixes after this one.
        let keys = (hop + 1..cascade.mixes()).map(signed).collect();
        let directory = UnverifiedDirectory::from_bytes(&town.bytes)?.with_keys(keys, |_, _| vec![])?;
        let upstream = Folder { input: Some(input.to_owned()), output: folder.join(OUTPUT) };
        let setup = Setup {
            hop,
            state: folder.join("state"),
            directory: Arc::new(directory.verify(&town.network)?),
            identity: Arc::new(IdentitySecret::from_seed(&town.mixes[usize::from(hop)].to_seed())),
        };
        Ok(Self { mix: Mix::open(setup, upstream, draws(hop), Hook::none())? })
    }

    /// Takes the input, closes the batch and hands it over. Everything the mix keeps is durable, as in production.
    pub fn pass(&mut self) -> Result<()> {
        while self.mix.step(GENESIS)?.pushed == 0 {}
        Ok(())
    }
}

/// An exit's work in two: what it does when a batch comes, and when the drops of that round are due.
impl Prepared {
    /// Takes the whole input.
    pub fn take(&mut self) -> Result<u64> {
        let mut taken = 0;
        loop {
            let done = self.mix.step(GENESIS)?;
            taken += done.taken;
            if !done.more {
                return Ok(taken);
            }
        }
    }

    /// Writes the drops of the round and hands them over.
    pub fn write_drops(&mut self, town: &Town) -> Result<()> {
        let due = town.directory.parameters().schedule.drops_due(ROUND.round);
        while self.mix.step(due)?.pushed == 0 {}
        Ok(())
    }
}

/// The file in `folder` that the mix at `hop` handed over, once it is seen to be what that mix signed for, of so many entries.
pub fn check(town: &Town, hop: u8, entries: u32, folder: &Path) -> Result<PathBuf> {
    let output = folder.join(OUTPUT);
    let (_, manifest) = Incoming::open(&output)?.check(&town.directory, hop, ROUND)?;
    ensure!(manifest.count_out == entries, "{} of {entries} were passed on", manifest.count_out);
    Ok(output)
}

/// An input in a file, and a file for the output.
struct Folder {
    /// Until it is released.
    input: Option<PathBuf>,
    output: PathBuf,
}

impl Folder {
    fn read(&self, from: u64) -> Result<Option<Run>> {
        let Some(input) = &self.input else { return Ok(None) };
        let mut input = File::open(input)?;
        let all = input.metadata()?.len() / ENVELOPE as u64;
        let mut bytes = vec![0; usize::try_from((all - from).min(RUN as u64))? * ENVELOPE];
        input.seek(SeekFrom::Start(from * ENVELOPE as u64))?;
        input.read_exact(&mut bytes)?;
        Ok(Some(Run { bytes: bytes.into(), sealed: Some(all) }))
    }

    fn write(&self, output: &Outgoing) -> Result<()> {
        let mut file = File::create(&self.output)?;
        output.write_to(&mut file)?;
        file.sync_all().context("syncing the output")
    }
}

fn other(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> UpstreamError {
    UpstreamError::Other(cause.into())
}

impl Upstream for Folder {
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
        Ok(self.input.iter().map(|_| ROUND).collect())
    }

    fn envelopes(&mut self, _: Round, from: u64) -> Result<Option<Run>, UpstreamError> {
        self.read(from).map_err(other)
    }

    fn batch(&mut self, _: BatchId, _: usize, file: &Path) -> Result<bool, UpstreamError> {
        let Some(input) = &self.input else { return Ok(false) };
        fs::copy(input, file).map(|_| true).map_err(other)
    }

    fn push(&mut self, _: BatchId, output: &Outgoing) -> Result<(), UpstreamError> {
        self.write(output).map_err(other)
    }

    fn release(&mut self, _: BatchId) -> Result<(), UpstreamError> {
        self.input = None;
        Ok(())
    }

    fn hand_key(&mut self, _: u8, _: Round, _: &Unverified<MixKey>) -> Result<(), UpstreamError> {
        Ok(())
    }

    fn edition(&mut self, _: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }

    fn directory(&mut self, _: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }

    fn desk_drop(&mut self, _: Round, _: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

    use std::env;
    use std::process::Command;

    use super::*;

    const FEW: u32 = 2_048;
    const MANY: u32 = 5_120;
    /// Tells a second process which mix to run: "HOP INPUT FOLDER".
    const ALONE: &str = "FIRSTHAND_MIX_ALONE";

    /// The most memory that this process has held, in bytes (proc(5)).
    fn peak() -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib * 1024
    }

    /// mix.md §7: a batch may be larger than memory, and a mix holds a run of entries, never a batch.
    #[test]
    fn a_batch_more_than_twice_as_large_takes_no_more_memory_at_the_first_and_at_a_middle_mix() {
        let town = Town::new(MANY);
        if let Ok(told) = env::var(ALONE) {
            let [hop, input, folder] = told.split(' ').collect::<Vec<_>>()[..] else { panic!("three words") };
            Prepared::new(&town, hop.parse().unwrap(), Path::new(input), Path::new(folder))
                .unwrap()
                .pass()
                .unwrap();
            println!("peak {}", peak());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut peaks = [[0; 2]; 2];
        for (n, envelopes) in [FEW, MANY].into_iter().enumerate() {
            let mut input = folder.path().join("round");
            write_round(&town, envelopes, 2, &input).unwrap();
            for hop in 0..2 {
                let own = folder.path().join(format!("{envelopes}-{hop}"));
                fs::create_dir(&own).unwrap();
                peaks[usize::from(hop)][n] = alone(hop, &input, &own);
                input = check(&town, hop, envelopes, &own).unwrap();
            }
        }
        for (hop, [few, many]) in peaks.into_iter().enumerate() {
            println!("mix {hop}: {FEW} entries {few} bytes, {MANY} entries {many} bytes");
            let entry = many.saturating_sub(few) / u64::from(MANY - FEW);
            // What it may hold of each is its name and its replay tag; the rest is what an allocator and a database keep.
            assert!(entry < ENVELOPE as u64 / 8, "mix {hop} holds {entry} bytes of each entry");
        }
    }

    /// Runs a mix in a process of its own, where nobody else has used memory: this test again, with other words.
    fn alone(hop: u8, input: &Path, folder: &Path) -> u64 {
        let name = "disk::tests::a_batch_more_than_twice_as_large_takes_no_more_memory_at_the_first_and_at_a_middle_mix";
        let ran = Command::new(env::current_exe().unwrap())
            .args(["--exact", "--nocapture", "--test-threads=2", name])
            .env(ALONE, format!("{hop} {} {}", input.display(), folder.display()))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ran.stdout);
        let peak = told.lines().find_map(|line| line.strip_prefix("peak ")).map(str::parse);
        peak.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&ran.stderr))).unwrap()
    }
}
