//! An edition: what every reader's device does once a round.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use news::Input;
use news::group::Grouper;
use news::sidecar::Sidecar;
use proto::directory::{Directory, MixKey, Operator, Parameters, Role, Roster, UnverifiedDirectory};
use proto::edition::{Bundle, Head, UnverifiedHead, sign_head};
use proto::mix::{BatchId, Manifest};
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{Digest, Millis, Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};

use crate::board::{Board, Unit};

const ROUND: Round = Round(9);
const MIXES: u8 = 3;

pub(crate) fn measure(board: &mut Board) -> Result<()> {
    let name = "edition: verify the head, open the front page";
    if !board.wants(name) {
        return Ok(());
    }
    let town = Town::new();
    let bundle = samples()?;
    let (front, named) = bundle.pack();
    let articles: usize = bundle.stories.iter().map(|story| story.articles.len()).sum();
    eprintln!(
        "the front page: {} stories, {articles} articles, {} KiB packed",
        bundle.stories.len(),
        front.len() / 1024
    );
    let head = Head {
        round: ROUND,
        previous: Digest([1; 32]),
        made: Millis(1_790_000_000_000),
        directory: town.directory.digest(),
        changes: named,
        front: named,
        manifests: town.manifests(),
    };
    let head = sign_head(&head, &town.directory.wire().network, &town.press);
    board.time(name, Unit::Millis, || {
        let head = UnverifiedHead::from_bytes(&head).expect("a head");
        let edition = head.verify(&town.directory, ROUND, ROUND, None).expect("signed by the press");
        edition.front(&front).expect("the bundle it names")
    });
    Ok(())
}

/// The stories of `samples/`, as the press makes them.
fn samples() -> Result<Bundle> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let sidecar = Sidecar::parse(&fs::read_to_string(folder.join("articles.toml"))?)?;
    let mut grouper = Grouper::new();
    for (file, entry) in &sidecar.entries {
        let bytes = fs::read(folder.join(file)).with_context(|| format!("samples/{file}"))?;
        let input = Input { name: file, ..Input::default() };
        for mut document in news::read(&bytes, input).with_context(|| format!("samples/{file}"))?.documents {
            entry.apply(&mut document);
            grouper.add(&document);
        }
    }
    let stories = grouper.stories();
    ensure!(stories.len() > 10, "the samples hold more stories than {}", stories.len());
    Ok(Bundle { stories, gone: Vec::new() })
}

/// A network's directory, and what signs an edition in it.
struct Town {
    directory: Directory,
    press: IdentitySecret,
    mixes: Vec<IdentitySecret>,
}

impl Town {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(2);
        let root = RootSecret::generate(&mut rng);
        let network = root.public().network();
        let press = IdentitySecret::generate(&mut rng);
        let edge = IdentitySecret::generate(&mut rng);
        let mixes: Vec<_> = (0..MIXES).map(|_| IdentitySecret::generate(&mut rng)).collect();
        let operator = |role, name: String, by: &IdentitySecret| Operator { role, name, key: by.public() };
        let mut operators =
            vec![operator(Role::Press, "Press".into(), &press), operator(Role::Edge, "Edge".into(), &edge)];
        operators
            .extend((0..).zip(&mixes).map(|(hop, by)| operator(Role::Mix(hop), format!("Mix {hop}"), by)));
        let roster = Roster {
            name: "Measured".into(),
            demonstration: true,
            parameters: Parameters {
                schedule: Schedule { genesis: Millis(1_700_000_000_000), round_ms: 3_600_000 },
                mixes: MIXES,
                n_min: 8,
                n_max: 100_000,
                desk_slots: 16,
                reader_slots: 16,
            },
            operators,
        };
        let mut mix_key = |(hop, by): (u8, &IdentitySecret)| {
            let key = SealSecret::generate(&mut rng).public().to_bytes().into();
            Unverified::sign(&MixKey { hop, key, from: Round(0), until: Round(99) }, &network, by)
        };
        let mix_keys = (0..).zip(&mixes).map(&mut mix_key).collect();
        let directory = UnverifiedDirectory::assemble(&root, &roster, mix_keys, Vec::new());
        let directory = directory.verify(&network).expect("put together by the rules");
        Self { directory, press, mixes }
    }

    /// One of each mix, as after a round of one part.
    fn manifests(&self) -> Vec<Unverified<Manifest>> {
        let network = self.directory.wire().network;
        let manifest = |(hop, by): (u8, &IdentitySecret)| {
            let outputs = if hop == MIXES - 1 { 2 } else { 1 };
            let manifest = Manifest {
                batch: BatchId { round: Round(7), part: 0 },
                hop,
                inputs: vec![Digest([hop; 32])],
                count_in: 40,
                count_out: 40,
                outputs: vec![Digest([hop + 1; 32]); outputs],
            };
            Unverified::sign(&manifest, &network, by)
        };
        (0..).zip(&self.mixes).map(manifest).collect()
    }
}
