//! The log with every real part: a witness that stops and comes back.

use client::{Health, Place};
use proto::edition::UnverifiedHead;
use proto::log::{Frontier, UnverifiedNote};
use proto::{Round, path};
use tokio::sync::watch;

use crate::town::{Town, With};
use crate::turn::one_article;

/// The newest checkpoint that clients are shown.
async fn checkpoint(edge: &str) -> Option<UnverifiedNote> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = http.get(format!("{edge}{}", path::CHECKPOINT)).send().await.unwrap();
    if !answer.status().is_success() {
        return None;
    }
    Some(UnverifiedNote::from_bytes(&answer.bytes().await.unwrap()).unwrap())
}

/// Without a witness nothing new is shown to anybody and everybody is told; once it is back, all that was missed comes.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_whose_witness_stops_stands_still_says_so_and_goes_on_once_it_is_back() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 8, witness: false };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let device = town.device(Place::Memory, &edge, None).unwrap();
    town.run(device.clone());
    town.wait("three rounds", 8, || (town.round() >= Round(3)).then_some(())).await.unwrap();
    assert!(device.status().edition.is_none(), "the press alone convinces nobody");

    let (stop, stopped) = watch::channel(false);
    town.start_witness(stopped);
    let first = town.wait("the first edition", 6, || device.status().edition).await.unwrap();
    town.wait("a newer one", 6, || device.status().edition.filter(|e| e.round > first.round)).await.unwrap();
    assert_eq!(device.status().health, Health::Good);

    stop.send_replace(true);
    town.wait("it is said", 9, || (device.status().health == Health::Frozen).then_some(())).await.unwrap();
    let stood = device.status().edition.unwrap().round;
    let now = town.round();
    town.wait("two rounds more", 4, || (town.round().0 >= now.0 + 2).then_some(())).await.unwrap();
    assert_eq!(device.status().edition.unwrap().round, stood);

    let (stop, stopped) = watch::channel(false);
    town.start_witness(stopped);
    let back = town
        .wait("all that was missed", 8, || {
            let status = device.status();
            status.edition.filter(|e| e.round > now && status.health == Health::Good)
        })
        .await
        .unwrap();
    assert!(back.round > now);

    // What everybody is shown is the tree of all heads there are, made again here.
    let signed = checkpoint(&edge).await.unwrap().verify(&town.directory, Round(0)).unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: String| {
        let answer = http.get(format!("{edge}{path}")).send().await.unwrap();
        answer.status().is_success().then_some(answer)
    };
    let (mut tree, mut directory) = (Frontier::empty(), None);
    for e in 0..=town.round().0 {
        if tree.size() == signed.checkpoint().size {
            break;
        }
        let Some(head) = get(path::edition(Round(e))).await else { continue };
        let head = head.bytes().await.unwrap();
        let named = UnverifiedHead::from_bytes(&head).unwrap().dangerously_directory().unwrap();
        let new = directory.replace(named) != Some(named);
        let leaf =
            if new { Some(get(path::directory(&named)).await.unwrap().bytes().await.unwrap()) } else { None };
        tree.push_edition(leaf.as_deref(), &head);
    }
    assert_eq!(tree.checkpoint(), signed.checkpoint());
    stop.send_replace(true);
    town.end().await.unwrap();
}
