//! What answers over HTTP, called in its own process, and configurations. A service is made anew after some thousand inputs, so
//! that nothing grows without end; it lies in memory, and leaves nothing behind.

use std::cell::RefCell;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use firsthand::config::{self, Config};
use proto::codec;
use proto::edition::{Bundle, BundleRef, Head, page_digest, sign_head};
use proto::keys::KeyKind;
use proto::log::Checkpoint;
use proto::mix::{BatchId, Manifest};
use proto::request;
use proto::sign::Unverified;
use proto::{Clock as _, DeskId, Digest, Millis, Round};
use server::edge::{Ceilings, Edge};
use server::faults::Hook;
use server::handed::Handed;
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::input::{Input, bend, fill};
use crate::world::{NOW, Standing, WORLD, mix_key, rng};
use crate::{block_on, memory};

/// So many inputs one service takes.
const INPUTS: u32 = 2_000;

struct Served {
    router: Router,
    left: u32,
    _folder: TempDir,
}

impl Served {
    fn new() -> Self {
        let (world, folder) = (&*WORLD, memory());
        let directory = folder.path().join("directory");
        std::fs::write(&directory, &world.directory_bytes).expect("a folder in memory takes it");
        let config = server::edge::Config {
            listen: "127.0.0.1:0".parse().expect("an address"),
            state: folder.path().join("edge"),
            network: world.network,
            directory,
            max_journal_bytes: Some(64 << 20),
            ceilings: Ceilings { address: u32::MAX, ..Ceilings::default() },
        };
        let edge = block_on(Edge::open(&config, Arc::new(Standing), &mut rng(), Hook::none()));
        let router = edge
            .expect("an edge over its own directory")
            .router_for("192.0.2.1".parse().expect("an address"));
        Self { router, left: INPUTS, _folder: folder }
    }
}

/// The edge's paths and bodies, signed by whom they may be, or not.
pub(crate) fn edge(bytes: &[u8]) {
    thread_local! {
        static SERVED: RefCell<Option<Served>> = const { RefCell::new(None) };
    }
    SERVED.with_borrow_mut(|held| {
        if held.as_ref().is_none_or(|served| served.left == 0) {
            // The old one lets go of its folder first.
            *held = None;
        }
        let served = held.get_or_insert_with(Served::new);
        served.left -= 1;
        let mut input = Input::new(bytes);
        for _ in 0..4 {
            if !input.is_over() {
                ask(&served.router, &mut input);
            }
        }
    });
}

fn ask(router: &Router, input: &mut Input<'_>) {
    let world = &*WORLD;
    let (round, part, hop) =
        (Round(NOW.0 + u32::from(input.byte() % 8) - 4), u16::from(input.byte() % 3), input.byte() % 4);
    let by = world.identity(input.byte());
    let body = body(input, round, part, hop);
    let digest = if input.byte().is_multiple_of(8) { Digest([0; 32]) } else { Digest::of(&body) };
    let desk = if input.byte().is_multiple_of(8) { DeskId([0; 16]) } else { world.directory.desks()[0].id };
    let path = match input.byte() % 26 {
        0 | 1 => format!("/v1/rounds/{}/envelopes", round.0),
        2 => format!("/v1/rounds/{}/envelopes/{}", round.0, input.word()),
        3 => format!("/v1/rounds/{}", round.0),
        4 => "/v1/rounds".into(),
        5 => format!("/v1/batches/{hop}"),
        6 | 7 => format!("/v1/batches/{hop}/{}/{part}", round.0),
        8 => format!("/v1/drops/{}", round.0),
        9 => format!("/v1/drops/{}/{}", round.0, ["desk", "reader"][input.below(2)]),
        10 => format!("/v1/manifests/{}", round.0),
        11 => format!("/v1/keys/{hop}/{}", round.0),
        12 => format!("/v1/intake/{desk}/{}", round.0),
        13 => format!("/v1/directories/{digest}"),
        14 | 15 => format!("/v1/bundles/{digest}"),
        16 | 17 => format!("/v1/editions/{}", round.0),
        18 => "/v1/log/checkpoint".into(),
        19 => "/v1/log/proposed".into(),
        20 => format!("/v1/log/cosignatures/{}", input.word()),
        21 => format!("/v1/log/frontier/{}", input.word()),
        22 => format!("/v1/log/tile/{}", String::from_utf8_lossy(input.piece())),
        23 => ["/", "/status", "/edition", "/v1/status", "/healthz", "/readyz"][input.below(6)].into(),
        _ => format!("/{}", String::from_utf8_lossy(input.piece())),
    };
    let method =
        [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::HEAD][input.below(5)].clone();
    let mut header = request::sign(&world.network, by, method.as_str(), &path, &body, Standing.now());
    if input.byte().is_multiple_of(4) {
        header = String::from_utf8_lossy(input.piece()).into_owned();
    }
    let length = input.byte() % 40;
    let forwarded = String::from_utf8_lossy(input.up_to(length.into())).into_owned();
    let asked = Request::builder().method(method.clone()).uri(&path).header(request::HEADER, header);
    let asked = asked.header("x-forwarded-for", forwarded).body(Body::from(body.clone()));
    // What no client could even write down.
    let Ok(asked) = asked else { return };
    let (status, answer) = block_on(async {
        let answer = router.clone().oneshot(asked).await.expect("a router always answers");
        let status = answer.status();
        (status, axum::body::to_bytes(answer.into_body(), 64 << 20).await.expect("an answer has an end"))
    });
    assert!(!status.is_server_error(), "the edge fails: {method} {path} of {} bytes: {status}", body.len());
    if method == Method::POST && path.ends_with("/envelopes") && path.matches('/').count() == 4 {
        assert!(
            status == StatusCode::ACCEPTED && answer.is_empty(),
            "EDG-05: every upload is answered alike"
        );
    }
    if path.starts_with("/v1/") && !status.is_success() && status != StatusCode::BAD_REQUEST {
        assert!(answer.is_empty(), "a refusal tells nothing but its status: {status} {path}");
    }
    if method == Method::PUT && status == StatusCode::OK && path.starts_with("/v1/bundles/") {
        let again = Request::get(&path).body(Body::empty()).expect("the same path");
        let again = block_on(async {
            let answer = router.clone().oneshot(again).await.expect("a router always answers");
            axum::body::to_bytes(answer.into_body(), 64 << 20).await.expect("an answer has an end")
        });
        assert_eq!(again, body, "what was taken is served as it came");
    }
}

fn body(input: &mut Input<'_>, round: Round, part: u16, hop: u8) -> Vec<u8> {
    let world = &*WORLD;
    match input.byte() % 10 {
        0 => fill(input.piece(), 8_192 + usize::from(input.byte() % 8 == 1)),
        1 => Bundle::default().pack().0,
        2 => {
            let (_, named) = Bundle::default().pack();
            let head = Head {
                round,
                previous: Digest([0; 32]),
                made: Millis(0),
                directory: world.directory.digest(),
                changes: named,
                front: if input.byte() == 1 { BundleRef { len: 0, ..named } } else { named },
                page: page_digest(&[]),
                manifests: Vec::new(),
                round_keys: Vec::new(),
            };
            let mut signed = sign_head(&head, &world.network, &world.press);
            bend(input, &mut signed);
            signed
        }
        3 => {
            let period = KeyKind::of_mix(hop % 3, world.wire.cascade).period(round);
            let by = &world.mixes[usize::from(hop % 3)];
            let key = world.layers[usize::from(hop % 3)].public();
            codec::encode(&mix_key(&world.network, hop % 3, key, period, by))
        }
        4 => {
            let payload = input.piece();
            let manifest = Manifest {
                batch: BatchId { round, part },
                hop,
                inputs: Vec::new(),
                count_in: 9,
                count_out: 9,
                outputs: vec![Digest::of(payload)],
                deleted: 0,
                alarm: false,
            };
            let signed = Unverified::sign(&manifest, &world.network, world.identity(4 + hop % 3));
            Handed::new(&signed, payload).body().to_vec()
        }
        5 => {
            let checkpoint = Checkpoint { size: u64::from(input.word()), root: Digest(input.bytes()) };
            checkpoint.sign(&world.network, &world.press)
        }
        6 => {
            let checkpoint = Checkpoint { size: u64::from(input.word()), root: Digest(input.bytes()) };
            checkpoint.cosign(&world.network, &world.witnesses[0], Standing.now()).to_bytes()
        }
        7 => world.directory_bytes.clone(),
        8 => Vec::new(),
        _ => input.piece().to_vec(),
    }
}

/// Configurations of all roles, by the first byte.
pub(crate) fn configs(bytes: &[u8]) {
    let folder = memory();
    std::fs::write(folder.path().join("there"), b"").expect("a folder in memory takes it");
    let mut input = Input::new(bytes);
    let (role, text) = (input.byte(), input.rest());
    let file = folder.path().join("config.toml");
    std::fs::write(&file, text).expect("a folder in memory takes it");
    match role % 7 {
        0 => {
            if let Some(edge) = read::<config::Edge>(&file) {
                let _ = edge.ceilings();
            }
        }
        1 => drop(read::<config::Mix>(&file)),
        2 => drop(read::<config::Press>(&file)),
        3 => drop(read::<config::Witness>(&file)),
        4 => drop(read::<config::Reader>(&file)),
        5 => drop(read::<config::Desk>(&file)),
        _ => drop(read::<config::Crowd>(&file)),
    }
}

fn read<C: Config>(file: &std::path::Path) -> Option<C> {
    match config::read::<C>(file) {
        Ok(config) => {
            assert!(config.needs().iter().all(|(_, path)| path.is_file()), "what it needs is there");
            Some(config)
        }
        Err(why) => {
            assert!(!why.to_string().is_empty(), "it says why");
            None
        }
    }
}
