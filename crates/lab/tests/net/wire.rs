//! What a device puts on the wire, with and without mail.

use std::sync::Arc;

use client::Place;

use crate::proxy::{Cut, Proxy, Seen};
use crate::town::{Town, With};
use crate::turn::{begin, desk, one_article};

/// The shape of a request: everything but the 8192 bytes, with the numbers of rounds and digests of things that are the
/// same for everybody left as they are.
fn shape(seen: &Seen) -> (String, String, Vec<(String, String)>, usize, usize) {
    let headers = seen.headers.iter().map(|(name, value)| {
        // Each device has a proxy of its own, on a port of its own.
        (name.clone(), if name == "host" { "proxy".to_owned() } else { value.clone() })
    });
    (seen.method.clone(), seen.path.clone(), headers.collect(), seen.body.len(), seen.nth)
}

/// Method, path, header names, length of the head without the host, length of the body, which connection of the exchange,
/// the answer's status.
type Request = (String, String, Vec<String>, usize, usize, usize, Option<u16>);

/// P1: a reader that sends a message in every round, and two that never send, make the same requests in the same order
/// with the same headers, lengths and use of connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_sending_and_a_silent_reader_look_the_same_on_the_wire() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 10, witness: true };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let inbox = desk(&mut town, &edge);

    let mut proxies = Vec::new();
    let mut devices = Vec::new();
    for _ in 0..3 {
        let proxy = Proxy::start(&edge, Cut::Never).await.unwrap();
        let device = town.device(Place::Memory, &proxy.url, None).unwrap();
        town.run(Arc::clone(&device));
        proxies.push(proxy);
        devices.push(device);
    }
    for device in &devices {
        town.wait("first edition", 8, || device.status().edition).await.unwrap();
    }
    let session = begin(&devices[0]);
    let from = town.round().next();
    for n in 0..10 {
        session.write(town.network.desk, &format!("Message number {n}."), town.now()).unwrap();
    }
    town.wait("ten rounds", 14, || (town.round().0 >= from.0 + 10).then_some(())).await.unwrap();
    town.wait("the messages at the desk", 8, || {
        inbox.collect();
        let arrived = inbox.conversations().first().map_or(0, |c| c.lines.len());
        (arrived >= 6).then_some(())
    })
    .await
    .unwrap();

    let until = from.0 + 10;
    let posts = |proxy: &Proxy| {
        let rounds = proxy.seen().into_iter().filter(|s| s.method == "POST");
        rounds
            .filter(|s| (from.0..until).any(|r| s.path == proto::path::envelopes(proto::Round(r))))
            .collect::<Vec<_>>()
    };
    let shapes: Vec<Vec<_>> = proxies.iter().map(|p| posts(p).iter().map(shape).collect()).collect();
    assert!(shapes[0].len() >= 8, "{} uploads of the sending reader", shapes[0].len());
    for silent in &shapes[1..] {
        // A slot may be skipped by any of them, for a reason of this machine's; what both sent is the same.
        for (method, path, headers, len, _) in silent {
            let same = shapes[0].iter().find(|other| other.1 == *path);
            let Some(same) = same else { continue };
            assert_eq!((&same.0, &same.2, same.3), (method, headers, *len), "{path}");
        }
    }
    // Requests between two uploads: paths in order, header names and order, lengths, and which connection carries them.
    let exchanges = |proxy: &Proxy| {
        let mut exchanges = std::collections::BTreeMap::<u32, Vec<Request>>::new();
        let mut requests = Vec::new();
        for seen in proxy.seen() {
            let is_post = seen.method == "POST";
            requests.push((
                seen.method.clone(),
                seen.path.clone(),
                seen.headers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(),
                seen.head_len - seen.headers.iter().find(|h| h.0 == "host").map_or(0, |h| h.1.len()),
                seen.body.len(),
                seen.connection,
                seen.status,
            ));
            if is_post {
                let round = seen.path.split('/').nth(3).unwrap().parse().unwrap();
                let first = requests[0].5;
                let mut requests = std::mem::take(&mut requests);
                requests.iter_mut().for_each(|r| r.5 -= first);
                exchanges.insert(round, requests);
            }
        }
        exchanges
    };
    let all: Vec<_> = proxies.iter().map(exchanges).collect();
    // Which editions a device asks for, and whether they are out yet, depends on its instants, which are drawn by chance
    // and before anything is written. So exchanges are compared where both found the same ones, in this round and the one
    // before.
    let editions = |requests: &[Request]| {
        let asked = requests.iter().filter(|r| r.1.contains("editions"));
        asked.map(|r| (r.1.clone(), r.6)).collect::<Vec<_>>()
    };
    let mut compared = 0;
    for round in from.0 + 1..until {
        for silent in &all[1..] {
            let [Some(ours), Some(theirs), Some(before), Some(theirs_before)] =
                [all[0].get(&round), silent.get(&round), all[0].get(&(round - 1)), silent.get(&(round - 1))]
            else {
                continue;
            };
            if editions(ours) == editions(theirs) && editions(before) == editions(theirs_before) {
                assert_eq!(ours, theirs, "round {round}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "only {compared} exchanges could be compared");
    let sent: std::collections::HashSet<_> = proxies.iter().flat_map(&posts).map(|s| s.body).collect();
    assert!(proxies.iter().flat_map(&posts).all(|s| s.body.len() == 8192));
    assert_eq!(
        sent.len(),
        proxies.iter().map(|p| posts(p).len()).sum::<usize>(),
        "no envelope is like another"
    );
    town.end().await.unwrap();
}
