//! An edition: what every reader's device does once a round.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use lab::town::{MIXES, Town};
use news::Input;
use news::group::Grouper;
use news::sidecar::Sidecar;
use proto::edition::{Bundle, Head, UnverifiedHead, page_digest, sign_head};
use proto::mix::{BatchId, Manifest};
use proto::sign::{IdentitySecret, Unverified};
use proto::{Digest, Millis, Round};

use crate::board::{Board, Unit};

const ROUND: Round = Round(9);

pub(crate) fn measure(board: &mut Board) -> Result<()> {
    let name = "edition: verify the head, open the front page";
    if !board.wants(name) {
        return Ok(());
    }
    let town = Town::new(100_000);
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
        page: page_digest(&bundle.stories),
        manifests: manifests(&town),
        round_keys: vec![],
    };
    let head = sign_head(&head, &town.network, &town.press);
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

/// One manifest of each mix, as after a round of one part.
fn manifests(town: &Town) -> Vec<Unverified<Manifest>> {
    let manifest = |(hop, mix): (u8, &IdentitySecret)| {
        let outputs = if hop == MIXES - 1 { 2 } else { 1 };
        let manifest = Manifest {
            batch: BatchId { round: Round(7), part: 0 },
            hop,
            inputs: vec![Digest([hop; 32])],
            count_in: 40,
            count_out: 40,
            outputs: vec![Digest([hop + 1; 32]); outputs],
            deleted: 0,
            alarm: false,
        };
        Unverified::sign(&manifest, &town.network, mix)
    };
    (0..).zip(&town.mixes).map(manifest).collect()
}
