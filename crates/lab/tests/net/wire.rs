//! What a device puts on the wire, with and without mail.

use std::collections::BTreeMap;
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
/// the answer's status and length.
pub(crate) type Request = (String, String, Vec<String>, usize, usize, usize, Option<u16>, Option<usize>);

/// Requests between two uploads, by the round of the second: paths in order, header names and order, lengths, and which
/// connection carries them.
pub(crate) fn exchanges(proxy: &Proxy) -> BTreeMap<u32, Vec<Request>> {
    let mut exchanges = BTreeMap::<u32, Vec<Request>>::new();
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
            seen.answered,
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
}

/// Which editions an exchange asked for, and whether they were out yet. That depends on a device's instants, which are drawn
/// by chance and before anything is written. So exchanges are compared where both found the same ones, in this round and
/// the one before.
pub(crate) fn editions(requests: &[Request]) -> Vec<(String, Option<u16>)> {
    let asked = requests.iter().filter(|r| r.1.contains("editions"));
    asked.map(|r| (r.1.clone(), r.6)).collect()
}

/// Compares exchanges of these pairs of devices in the rounds from `from` on, until `enough` of them found the same editions. How many
/// do hangs on the instants that the devices drew, so it takes as many rounds as it takes.
pub(crate) async fn compare(
    town: &Town,
    proxies: &[Proxy],
    pairs: &[(usize, usize)],
    from: u32,
    enough: usize,
) {
    town.wait("exchanges that can be compared", 30, || {
        let all: Vec<_> = proxies.iter().map(exchanges).collect();
        // The last round's uploads may still be on their way.
        let over = from..town.round().0.saturating_sub(1);
        let compared: usize = pairs.iter().map(|(a, b)| compare_two(&all[*a], &all[*b], over.clone())).sum();
        (compared >= enough).then_some(())
    })
    .await
    .unwrap();
}

/// Returns how many could be compared.
fn compare_two(
    ours: &BTreeMap<u32, Vec<Request>>,
    theirs: &BTreeMap<u32, Vec<Request>>,
    rounds: impl Iterator<Item = u32>,
) -> usize {
    let mut compared = 0;
    for round in rounds {
        let [Some(our), Some(their), Some(before), Some(their_before)] =
            [ours.get(&round), theirs.get(&round), ours.get(&(round - 1)), theirs.get(&(round - 1))]
        else {
            continue;
        };
        if editions(our) == editions(their) && editions(before) == editions(their_before) {
            assert_eq!(our, their, "round {round}");
            compared += 1;
        }
    }
    compared
}

/// P1: a reader that sends a message in every round, and two that never send, make the same requests in the same order
/// with the same headers, lengths and use of connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_network_observer_cannot_tell_a_sending_reader_from_a_silent_one() {
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
    // One for each round that the comparison below may take.
    for n in 0..40 {
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
    compare(&town, &proxies, &[(0, 1), (0, 2)], from.0 + 1, 8).await;
    let sent: std::collections::HashSet<_> = proxies.iter().flat_map(&posts).map(|s| s.body).collect();
    assert!(proxies.iter().flat_map(&posts).all(|s| s.body.len() == 8192));
    assert_eq!(
        sent.len(),
        proxies.iter().map(|p| posts(p).len()).sum::<usize>(),
        "no envelope is like another"
    );
    town.end().await.unwrap();
}
