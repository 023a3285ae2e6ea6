//! A tip through three mixes to the desk, and the answer back.

use std::path::Path;
use std::sync::Arc;

use client::{Inbox, LineState, Passphrase, Place, Session, Vault, Who};
use firsthand::ambient;
use firsthand::found::file;

use crate::town::{Town, With};

/// A folder with one article.
pub(crate) fn one_article() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let text = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide rose \
                above its wall, the harbour master said. It will open again once the water has gone.\n";
    std::fs::write(dir.path().join("quay.txt"), text).unwrap();
    dir
}

/// The desk's inbox on a device of its own, running.
pub(crate) fn desk(town: &mut Town, edge: &str) -> Inbox {
    let identity = town.desk_identity().unwrap();
    let device = town.device(Place::Memory, edge, Some(identity)).unwrap();
    town.run(Arc::clone(&device));
    let vault = Vault::unlock(&town.folder("desk").join(file::VAULT), town.passphrase()).unwrap();
    Inbox::new(device, vault)
}

/// A mailbox begun on a running device.
pub(crate) fn begin(device: &client::Device) -> Session {
    device.begin(&Passphrase::generate(&mut ambient::rng().unwrap())).unwrap()
}

/// The texts that the desk has from sources.
pub(crate) fn arrived(inbox: &Inbox) -> Vec<String> {
    inbox.collect();
    let lines = inbox.conversations().into_iter().flat_map(|c| c.lines);
    lines.filter(|l| l.who == Who::Source).map(|l| l.text.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tip_arrives_once_and_the_answer_comes_back() {
    let articles = one_article();
    let mut town = start(articles.path()).await;
    let edge = town.edge.clone();
    let inbox = desk(&mut town, &edge);
    let reader = town.device(Place::Memory, &edge, None).unwrap();
    town.run(Arc::clone(&reader));
    town.wait("first edition", 8, || reader.status().edition).await.unwrap();
    let session = begin(&reader);
    session.write(town.network.desk, "The pump at the west gate failed in May.", town.now()).unwrap();

    town.wait("the tip at the desk", 12, || (!arrived(&inbox).is_empty()).then_some(())).await.unwrap();
    let conversation = inbox.conversations()[0].id;
    inbox.answer(conversation, "How do you know?", town.now()).unwrap();
    let answer = town
        .wait("the answer", 12, || {
            session.refresh();
            let lines = session.conversations().into_iter().flat_map(|c| c.lines);
            lines.filter(|l| l.who == Who::Desk).map(|l| l.text.to_string()).next()
        })
        .await
        .unwrap();
    assert_eq!(answer, "How do you know?");
    let states: Vec<_> = session.conversations().into_iter().flat_map(|c| c.lines).map(|l| l.state).collect();
    assert_eq!(states, [LineState::Acknowledged, LineState::Received]);

    // A few rounds later it is still there once.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(arrived(&inbox), ["The pump at the west gate failed in May."]);
    town.end().await.unwrap();
}

async fn start(articles: &Path) -> Town {
    Town::start(With { round_ms: 1_500, mixes: 3, readers: 12, witness: true }, articles).await.unwrap()
}
