//! One who cuts connections after the body of an upload, for every client: no blob may ever come a second time, since the
//! second would name its sender.

use std::collections::HashSet;
use std::sync::Arc;

use client::Place;
use proto::mix::BatchId;
use proto::sign::IdentitySecret;
use proto::{Round, batch, path, request};
use server::handed::Handed;
use server::seed;

use crate::proxy::{Cut, Proxy};
use crate::town::{Town, With};
use crate::turn::{begin, desk, one_article};

/// P1, P2, P8: readers that send, readers that do not, and a desk, every upload of which is cut after its body, half of
/// them before the edge has it and half after. What leaves the middle mix is read in the exit's place.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_upload_is_never_sent_again() {
    let articles = one_article();
    // Two mixes run; the test stands where the exit would.
    let with = With { round_ms: 1_500, mixes: 2, readers: 6, witness: true };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let mut proxies = Vec::new();
    let mut sessions = Vec::new();
    let mut posted = 0;
    for n in 0..6 {
        let proxy = Proxy::start(&edge, Cut::Never).await.unwrap();
        if n == 5 {
            let _inbox = desk(&mut town, &proxy.url);
        } else {
            let device = town.device(Place::Memory, &proxy.url, None).unwrap();
            town.run(Arc::clone(&device));
            town.wait("first edition", 8, || device.status().edition).await.unwrap();
            if n < 3 {
                sessions.push(begin(&device));
            }
        }
        proxies.push(proxy);
    }
    for session in &sessions {
        for n in 0..4 {
            session.write(town.network.desk, &format!("Message {n}."), town.now()).unwrap();
        }
    }
    for (n, proxy) in proxies.iter().enumerate() {
        proxy.set_cut(if n % 2 == 0 { Cut::AnswerLost } else { Cut::BodyLost });
    }
    let from = town.round();
    town.wait("six rounds of cut uploads", 9, || (town.round().0 >= from.0 + 6).then_some(())).await.unwrap();
    for proxy in &proxies {
        proxy.set_cut(Cut::Never);
        posted += proxy.seen().iter().filter(|s| s.method == "POST").count();
    }
    assert!(posted >= 30, "only {posted} uploads were made");
    let until = town.round().0 + 3;
    town.wait("three rounds more", 6, || (town.round().0 > until).then_some(())).await.unwrap();

    for proxy in &proxies {
        let posts: Vec<_> = proxy.seen().into_iter().filter(|s| s.method == "POST").collect();
        let rounds: HashSet<_> = posts.iter().map(|s| s.path.clone()).collect();
        assert_eq!(rounds.len(), posts.len(), "one upload a round, cut or not");
        let bodies: HashSet<_> = posts.iter().map(|s| s.body.clone()).collect();
        assert_eq!(bodies.len(), posts.len(), "no envelope is sent again");
    }
    let blobs = behind_the_middle_mix(&town).await;
    assert!(blobs.len() >= 60, "only {} blobs came through", blobs.len());
    let distinct: HashSet<_> = blobs.iter().collect();
    assert_eq!(distinct.len(), blobs.len(), "a blob came twice behind the middle mix");
    town.end().await.unwrap();
}

/// Every blob that the middle mix has passed on: its batches, pulled and opened as the exit would.
async fn behind_the_middle_mix(town: &Town) -> Vec<Vec<u8>> {
    let at = town.folder("mix3");
    let identity = IdentitySecret::from_seed(&seed::read(&at.join("identity.key")).unwrap());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: String| {
        let signed = request::sign(&town.network.id, &identity, "GET", &path, b"", town.now());
        let url = format!("{}{path}", town.edge);
        let answer = http.get(url).header(request::HEADER, signed).send().await.unwrap();
        answer.error_for_status().unwrap().bytes().await.unwrap()
    };
    let list = String::from_utf8(get(path::batches(1)).await.to_vec()).unwrap();
    let mut blobs = Vec::new();
    for line in list.lines() {
        let (round, part) = line.split_once(' ').unwrap();
        let id = BatchId { round: Round(round.parse().unwrap()), part: part.parse().unwrap() };
        let handed = Handed::parse(get(path::batch(1, id)).await).unwrap();
        blobs.extend(batch::open(&town.directory.wire(), 2, town.key(2), &handed.payload()).unwrap());
    }
    blobs
}
