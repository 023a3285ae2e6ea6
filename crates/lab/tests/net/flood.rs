//! More envelopes than the edge takes of one address.

use std::collections::HashSet;
use std::sync::Arc;

use client::Place;
use server::edge::Ceilings;

use crate::proxy::{Cut, Proxy};
use crate::town::{Town, With};
use crate::turn::one_article;

/// EDG-12: a shed envelope is lost. Its sender is answered like everybody, and comes back at its next slot and not before.
#[tokio::test(flavor = "multi_thread")]
async fn edg_12_whose_envelope_is_shed_does_not_know_and_comes_back_at_its_next_slot_only() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 6, witness: true };
    // Ten readers send from this computer; eight envelopes of it are taken.
    let ceilings = Ceilings { address: 8, ..Ceilings::default() };
    let mut town = Town::start_under(with, ceilings, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let mut proxies = Vec::new();
    for _ in 0..4 {
        let proxy = Proxy::start(&edge, Cut::Never).await.unwrap();
        let device = town.device(Place::Memory, &proxy.url, None).unwrap();
        town.run(Arc::clone(&device));
        proxies.push((proxy, device));
    }
    for (_, device) in &proxies {
        town.wait("first edition", 8, || device.status().edition).await.unwrap();
    }
    let from = town.round().next();
    town.wait("eight rounds", 12, || (town.round().0 > from.0 + 8).then_some(())).await.unwrap();

    let mut bodies = HashSet::new();
    let mut posts = 0;
    for (proxy, device) in &proxies {
        let sent: Vec<_> = proxy.seen().into_iter().filter(|seen| seen.method == "POST").collect();
        assert!(sent.iter().all(|seen| seen.status == Some(202)), "taken or shed, one answer");
        let rounds: HashSet<_> = sent.iter().map(|seen| seen.path.clone()).collect();
        assert_eq!(rounds.len(), sent.len(), "once in a round, whatever became of it");
        posts += sent.len();
        bodies.extend(sent.into_iter().map(|seen| seen.body));
        assert_eq!(device.status().health, client::Health::Good);
    }
    assert_eq!(bodies.len(), posts, "nothing is sent a second time");
    let status = reqwest::get(format!("{edge}/v1/status")).await.unwrap().bytes().await.unwrap();
    let status: serde_json::Value = serde_json::from_slice(&status).unwrap();
    let rounds = status["rounds"].as_array().unwrap();
    let sum = |of: fn(&serde_json::Value) -> &serde_json::Value| {
        rounds.iter().map(|round| of(round).as_u64().unwrap()).sum::<u64>()
    };
    assert!(rounds.iter().all(|round| round["envelopes"].as_u64().unwrap() <= 8));
    let shed = sum(|round| &round["refused"]["over_address"]);
    assert!(shed >= 8, "{shed} were shed in eight rounds and more");
    town.end().await.unwrap();
}
