//! A round of 100,000 envelopes through one mix, from disk to disk.

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result, ensure};
use proto::directory::{IntakeKey, MixKey};
use proto::keys::{KeyKind, Period};
use proto::mix::{BatchId, Manifest};
use proto::seal::{SealSecret, Use, seal};
use proto::sign::{IdentitySecret, Unverified};
use proto::size::ENVELOPE;
use proto::{DeskId, Digest, NetworkId, Round};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use server::faults::Hook;
use server::handed::Handed;
use server::handing::Outgoing;
use server::http::RUN;
use server::mix::{Mix, Run, Setup, Upstream, UpstreamError};
use tempfile::TempDir;

use crate::board::{Board, Plan, Unit};
use crate::town::{GENESIS, Town};

const ENVELOPES: u32 = 100_000;
const OUTPUT: &str = "output";
/// What the mix draws from.
const SEED: u64 = 4;
const ROUND: BatchId = BatchId { round: Round(0), part: 0 };

/// The first mix's work: read the round, open every layer, keep items and replay tags, shuffle, seal the batch to the next
/// mix, hand it over. Everything it keeps is durable, as in production; the network between is left out.
pub(crate) fn measure(board: &mut Board) -> Result<()> {
    let name = "a round of 100,000 envelopes through one mix, disk to disk";
    let plan = Plan { name, unit: Unit::Seconds, runs: 3, count: 1 };
    if !board.wants(plan.name) {
        return Ok(());
    }
    let town = Town::new(ENVELOPES);
    let disk = crate::folder()?;
    let input = disk.path().join("round");
    eprintln!("sealing {ENVELOPES} envelopes to begin with");
    write_round(&town, &input)?;
    let prepare = || Prepared::new(&town, &input);
    let pass = |mut prepared: Prepared| {
        while prepared.mix.step(GENESIS)?.pushed == 0 {}
        Ok(prepared)
    };
    board.time_prepared(&plan, prepare, pass, |prepared| {
        let handed = Handed::parse(fs::read(prepared.folder.path().join(OUTPUT))?.into())?;
        let manifest = handed.check(&town.directory, 0, ROUND)?;
        ensure!(manifest.count_out == ENVELOPES, "{} of {ENVELOPES} were passed on", manifest.count_out);
        Ok(())
    })
}

/// A mix on an empty state folder, before a round that is over.
struct Prepared {
    mix: Mix<Folder>,
    folder: TempDir,
}

impl Prepared {
    fn new(town: &Town, input: &Path) -> Result<Self> {
        let folder = crate::folder()?;
        let next = SealSecret::generate(&mut StdRng::seed_from_u64(5));
        let Period { from, until } = KeyKind::Day.period(ROUND.round);
        let key = MixKey { hop: 1, key: next.public().to_bytes().into(), from, until };
        let upstream = Folder {
            input: Some(File::open(input)?),
            output: folder.path().join(OUTPUT),
            next: Unverified::sign(&key, &town.network, &town.mixes[1]),
        };
        let setup = Setup {
            hop: 0,
            state: folder.path().join("state"),
            directory: Arc::clone(&town.directory),
            identity: Arc::new(IdentitySecret::from_seed(&town.mixes[0].to_seed())),
        };
        let mix = Mix::open(setup, upstream, StdRng::seed_from_u64(SEED), Hook::none())?;
        Ok(Self { mix, folder })
    }
}

/// Envelopes whose first layer is real, since no more than that is looked at; what is inside is random.
fn write_round(town: &Town, path: &Path) -> Result<()> {
    // The first that the mix draws is the key of the first round.
    let key = SealSecret::generate(&mut StdRng::seed_from_u64(SEED));
    let key = key.public();
    let inner = town.directory.wire().cascade.layer(1);
    let workers = u32::try_from(thread::available_parallelism()?.get())?;
    let seal_some = |network: &NetworkId, worker: u32| {
        let mut rng = StdRng::seed_from_u64(u64::from(worker));
        let mut plain = vec![0; inner];
        let mut sealed = Vec::new();
        for _ in (worker..ENVELOPES).step_by(workers as usize) {
            rng.fill_bytes(&mut plain);
            sealed.extend_from_slice(&seal(Use::Layer(0), network, key, &plain, &mut rng).0);
        }
        sealed
    };
    let mut file = BufWriter::new(File::create(path)?);
    thread::scope(|scope| {
        let seal_some = &seal_some;
        let work: Vec<_> =
            (0..workers).map(|worker| scope.spawn(move || seal_some(&town.network, worker))).collect();
        work.into_iter().try_for_each(|work| file.write_all(&work.join().expect("a worker ends by itself")))
    })?;
    let file = file.into_inner()?;
    file.sync_all()?;
    ensure!(file.metadata()?.len() == u64::from(ENVELOPES) * ENVELOPE as u64, "the round is whole");
    Ok(())
}

/// A round in a file, and a file for the output, in the edge's place.
struct Folder {
    /// Until it is released.
    input: Option<File>,
    output: PathBuf,
    /// The next mix's key.
    next: Unverified<MixKey>,
}

impl Folder {
    fn read(&mut self, from: u64) -> Result<Option<Run>> {
        let Some(input) = &mut self.input else { return Ok(None) };
        let count = (u64::from(ENVELOPES) - from).min(RUN as u64);
        let mut bytes = vec![0; usize::try_from(count)? * ENVELOPE];
        input.seek(SeekFrom::Start(from * ENVELOPE as u64))?;
        input.read_exact(&mut bytes)?;
        Ok(Some(Run { bytes: bytes.into(), sealed: Some(ENVELOPES.into()) }))
    }

    fn write(&self, output: &Outgoing) -> Result<()> {
        let mut file = File::create(&self.output)?;
        output.write_to(&mut file)?;
        file.sync_all().context("syncing the output")
    }
}

impl Upstream for Folder {
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
        Ok(self.input.iter().map(|_| ROUND).collect())
    }

    fn envelopes(&mut self, _: Round, from: u64) -> Result<Option<Run>, UpstreamError> {
        self.read(from).map_err(|e| UpstreamError::Other(e.into()))
    }

    fn batch(&mut self, _: BatchId, _: usize, _: &Path) -> Result<bool, UpstreamError> {
        Ok(false)
    }

    fn push(&mut self, _: BatchId, output: &Outgoing) -> Result<(), UpstreamError> {
        self.write(output).map_err(|e| UpstreamError::Other(e.into()))
    }

    fn release(&mut self, _: BatchId) -> Result<(), UpstreamError> {
        self.input = None;
        Ok(())
    }

    fn hand_key(&mut self, _: u8, _: Round, _: &Unverified<MixKey>) -> Result<(), UpstreamError> {
        Ok(())
    }

    fn key(&mut self, _: u8, _: Round) -> Result<Option<Unverified<MixKey>>, UpstreamError> {
        Ok(Some(self.next.clone()))
    }

    fn intake(&mut self, _: &DeskId, _: Round) -> Result<Option<Unverified<IntakeKey>>, UpstreamError> {
        Ok(None)
    }

    fn edition(&mut self, _: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }

    fn directory(&mut self, _: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }

    fn manifests(&mut self, _: Round) -> Result<Vec<Unverified<Manifest>>, UpstreamError> {
        Ok(vec![])
    }

    fn desk_drop(&mut self, _: Round, _: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
        Ok(None)
    }
}
