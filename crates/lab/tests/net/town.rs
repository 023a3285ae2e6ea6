//! A town: one network in this process, over real HTTP on loopback, with real stores in a temporary folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use client::{Device, Inbox, Kdf, Passphrase, Place, Vault, VaultContents};
use firsthand::ambient::{self, Stop};
use firsthand::found::{self, Plan, file};
use proto::directory::{Directory, MixKey, UnverifiedDirectory};
use proto::keys::{KeyKind, Period};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, Unverified};
use proto::{Clock as _, DeskId, Millis, NetworkId, Round, codec, path};
use rand::CryptoRng;
use server::edge::Ceilings;
use server::faults::Hook;
use server::http::EdgeClient;
use server::seed;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A town at work. Dropping it ends everything and removes its folder.
pub(crate) struct Town {
    /// The founded network.
    pub network: Names,
    /// Its directory.
    pub directory: Directory,
    /// The edge's address.
    pub edge: String,
    /// Its desks, the first one first.
    pub desks: Vec<TownDesk>,
    /// Keys of mixes that do not run, by hop.
    keys: Vec<SealSecret>,
    folder: tempfile::TempDir,
    stop: watch::Sender<bool>,
    tasks: JoinSet<anyhow::Result<()>>,
}

/// What a network is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    /// The network.
    pub id: NetworkId,
    /// Its desk.
    pub desk: DeskId,
}

/// A desk of a town.
pub(crate) struct TownDesk {
    /// Its id.
    pub id: DeskId,
    /// The folder of its role.
    pub folder: &'static str,
    /// What a test that stands in its place opens boxes of the first week with.
    pub intake: SealSecret,
    passphrase: Passphrase,
}

impl TownDesk {
    fn make(
        town: &Path,
        (folder, id, contents): (&'static str, DeskId, VaultContents),
        rng: &mut impl CryptoRng,
    ) -> anyhow::Result<Self> {
        let at = town.join(folder);
        let passphrase = Passphrase::generate(rng);
        let first = SealSecret::from_seed(&contents.intake[0].1.to_seed());
        Vault::create(&at.join(file::VAULT), &passphrase, Kdf::cheap(), contents, rng)?;
        Ok(Self { id, folder, intake: first, passphrase })
    }
}

/// What runs in a town.
#[derive(Clone, Copy, Debug)]
pub(crate) struct With {
    /// T in milliseconds.
    pub round_ms: u32,
    /// How many mixes run, from the first on. Fewer than there are: a test stands where the next would.
    pub mixes: u8,
    /// Readers that send nothing but cover.
    pub readers: usize,
    /// Whether the witness runs.
    pub witness: bool,
}

impl Town {
    /// Founds and starts a town whose press reads `articles`.
    pub(crate) async fn start(with: With, articles: &Path) -> anyhow::Result<Self> {
        Self::start_under(with, Ceilings::default(), articles).await
    }

    /// The same with an edge under these ceilings.
    pub(crate) async fn start_under(with: With, ceilings: Ceilings, articles: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let now = ambient::SystemClock.now();
        let plan = Plan { round_ms: with.round_ms, genesis: now };
        let mut rng = ambient::rng()?;
        let founded = found::found(folder.path(), &plan, &mut rng)?;
        let network = Names { id: founded.id, desk: founded.desk };
        let first = (file::DESK, founded.desk, founded.vault);
        let others = founded.others.into_iter().map(|other| (other.folder, other.desk, other.vault));
        let desks = std::iter::once(first).chain(others);
        let desks =
            desks.map(|desk| TownDesk::make(folder.path(), desk, &mut rng)).collect::<Result<_, _>>()?;
        let bytes = std::fs::read(folder.path().join("edge").join(file::DIRECTORY))?;
        let directory = UnverifiedDirectory::from_bytes(&bytes)?.verify(&network.id)?;
        let (stop, stopped) = watch::channel(false);
        let keys = (0..found::MIXES).map(|_| SealSecret::generate(&mut rng)).collect();
        let mut town = Self {
            network,
            directory,
            edge: String::new(),
            desks,
            keys,
            folder,
            stop,
            tasks: JoinSet::new(),
        };
        town.start_edge(ceilings, stopped.clone()).await?;
        for hop in with.mixes..found::MIXES {
            town.hand_key(hop).await?;
        }
        for hop in 0..with.mixes {
            town.start_mix(hop, stopped.clone())?;
        }
        town.start_press(articles, stopped.clone())?;
        if with.witness {
            town.start_witness(stopped);
        }
        for _ in 0..with.readers {
            let reader = town.device(Place::Memory, &town.edge, None)?;
            town.run(reader);
        }
        Ok(town)
    }

    /// Opens the first desk's vault.
    pub(crate) fn passphrase(&self) -> &Passphrase {
        &self.desks[0].passphrase
    }

    /// The inbox of the nth desk, on a device of its own that runs and asks the edge at `edge`.
    pub(crate) fn inbox(&mut self, nth: usize, edge: &str) -> anyhow::Result<Inbox> {
        let identity = self.identity(self.desks[nth].folder)?;
        let device = self.device(Place::Memory, edge, Some(identity))?;
        self.run(Arc::clone(&device));
        let desk = &self.desks[nth];
        let vault = Vault::unlock(&self.folder(desk.folder).join(file::VAULT), &desk.passphrase)?;
        Ok(Inbox::new(device, vault))
    }

    /// The folder of a role.
    pub(crate) fn folder(&self, role: &str) -> PathBuf {
        self.folder.path().join(role)
    }

    /// The key for the first period of a mix that does not run.
    pub(crate) fn key(&self, hop: u8) -> &SealSecret {
        &self.keys[usize::from(hop)]
    }

    /// Hands in the key of a mix that does not run, in its name.
    async fn hand_key(&self, hop: u8) -> anyhow::Result<()> {
        let at = self.folder(&format!("mix{}", hop + 1));
        let identity = Arc::new(IdentitySecret::from_seed(&*seed::read(&at.join(file::IDENTITY))?));
        let Period { from, until } = KeyKind::of_mix(hop, self.directory.wire().cascade).period(Round(0));
        let key = MixKey { hop, key: self.key(hop).public().to_bytes().into(), from, until };
        let signed = codec::encode(&Unverified::sign(&key, &self.network.id, &identity));
        let edge = EdgeClient::new(&self.edge, self.network.id, identity, ambient::clock())?;
        Ok(edge.put(&path::mix_key(hop, from), signed.into()).await?)
    }

    async fn start_edge(&mut self, ceilings: Ceilings, stop: Stop) -> anyhow::Result<()> {
        let at = self.folder("edge");
        let config = server::edge::Config {
            listen: ([127, 0, 0, 1], 0).into(),
            state: at.join("state"),
            network: self.network.id,
            directory: at.join(file::DIRECTORY),
            max_journal_bytes: None,
            ceilings,
        };
        let listen = config.listen;
        let edge =
            server::edge::Edge::open(&config, ambient::clock(), &mut ambient::rng()?, Hook::none()).await?;
        let listening = edge.listen(listen).await?;
        self.edge = format!("http://{}", listening.address());
        self.tasks.spawn(async move { Ok(listening.run(told(stop)).await?) });
        Ok(())
    }

    fn start_mix(&mut self, hop: u8, stop: Stop) -> anyhow::Result<()> {
        let at = self.folder(&format!("mix{}", hop + 1));
        let config = server::mix::Config {
            hop,
            edge: self.edge.clone(),
            state: at.join("state"),
            identity: at.join(file::IDENTITY),
            network: self.network.id,
            directory: at.join(file::DIRECTORY),
        };
        let rng = ambient::rng()?;
        self.tasks.spawn(async move {
            Ok(server::run::run_mix(config, ambient::clock(), rng, Hook::none(), || (), told(stop)).await?)
        });
        Ok(())
    }

    /// Starts the witness, which runs until `stop` says so or the town ends.
    pub(crate) fn start_witness(&mut self, stop: Stop) {
        let at = self.folder("witness");
        let config = server::witness::Config {
            edge: self.edge.clone(),
            state: at.join("state"),
            identity: at.join(file::IDENTITY),
            network: self.network.id,
            directory: at.join(file::DIRECTORY),
        };
        let run = server::run::run_witness(config, ambient::clock(), Hook::none(), || (), told(stop));
        self.tasks.spawn(async move { Ok(run.await?) });
    }

    fn start_press(&mut self, articles: &Path, stop: Stop) -> anyhow::Result<()> {
        let at = self.folder("press");
        let (_, directory) = firsthand::config::directory(&at.join(file::DIRECTORY), &self.network.id)?;
        let config = press::Config {
            edge: self.edge.clone(),
            state: at.join("state"),
            inputs: press::gather::Inputs { folders: vec![articles.to_owned()], ..Default::default() },
            directory,
            network: self.network.id,
            identity: IdentitySecret::from_seed(&*seed::read(&at.join(file::IDENTITY))?),
        };
        let press = press::Press::open(config, ambient::clock())?;
        self.tasks.spawn(async move { Ok(press::run(press, stop).await?) });
        Ok(())
    }

    /// A device that talks to the edge at `edge`, which may be a proxy. Not yet running.
    pub(crate) fn device(
        &self,
        place: Place,
        edge: &str,
        desk: Option<IdentitySecret>,
    ) -> anyhow::Result<Arc<Device>> {
        let config = client::Config {
            edge: edge.to_owned(),
            network: self.network.id,
            directory: std::fs::read(self.folder("reader").join(file::DIRECTORY))?,
            place,
            kdf: Kdf::cheap(),
            desk,
        };
        Ok(Arc::new(Device::open(config, ambient::clock(), ambient::rng()?)?))
    }

    /// The first desk's identity.
    pub(crate) fn desk_identity(&self) -> anyhow::Result<IdentitySecret> {
        self.identity(file::DESK)
    }

    fn identity(&self, role: &str) -> anyhow::Result<IdentitySecret> {
        Ok(IdentitySecret::from_seed(&*seed::read(&self.folder(role).join(file::IDENTITY))?))
    }

    /// Runs a device until the town ends.
    pub(crate) fn run(&mut self, device: Arc<Device>) {
        let stop = self.stop.subscribe();
        self.tasks.spawn(async move { Ok(device.run(told(stop)).await?) });
    }

    /// The round it is.
    pub(crate) fn round(&self) -> Round {
        self.directory.parameters().schedule.round_at(self.now()).unwrap_or(Round(0))
    }

    /// The time it is.
    pub(crate) fn now(&self) -> Millis {
        ambient::SystemClock.now()
    }

    /// Looks until `look` finds something; fails after `rounds` rounds.
    pub(crate) async fn wait<T>(
        &self,
        what: &str,
        rounds: u32,
        mut look: impl FnMut() -> Option<T>,
    ) -> anyhow::Result<T> {
        let round = u64::from(self.directory.parameters().schedule.round_ms);
        let limit = std::time::Duration::from_millis(round * u64::from(rounds));
        tokio::time::timeout(limit, async {
            loop {
                if let Some(found) = look() {
                    return found;
                }
                tokio::time::sleep(std::time::Duration::from_millis(round / 20)).await;
            }
        })
        .await
        .with_context(|| format!("{what}: not within {rounds} rounds"))
    }

    /// Stops everything, and says what failed meanwhile.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        self.stop().await
    }

    /// The same, and what the services left in their folders stays to be looked at.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn told(mut stop: Stop) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Every file in a folder and in those below it.
pub(crate) fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}
