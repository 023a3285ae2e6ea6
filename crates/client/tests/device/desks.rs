//! Desks whose edge and exit lie to one of them. Spec: drop.md §3.

use crate::town::{Edge, Town, inbox, intake_keys, passphrase};
use client::{Health, Place};
use proto::conversation::open_message;
use proto::{Round, path};

/// P3, EDN-07: exit and edge want to know whose a box is. They show it to one desk alone, in a drop of its own, and wait for
/// an acknowledgement. The desk opens no drop but the one that stands in the head, which everybody has, so nothing comes.
#[tokio::test]
async fn exit_and_edge_that_show_a_box_to_one_desk_only_learn_nothing() {
    let mut town = Town::found(41).await;
    let folder = tempfile::tempdir().unwrap();
    let lying = Edge::start().await;
    let source = town.reader(1);
    let honest = town.open(town.desk_config(Place::Memory), 2);
    let mut lied_to = town.desk_config(Place::Memory);
    lied_to.edge.clone_from(&lying.address);
    let lied_to = town.open(lied_to, 3);
    let inbox_of =
        |device, name: &str| inbox(device, town.desk_identity, intake_keys(), &folder.path().join(name));
    let told = inbox_of(&honest, "told");
    let fooled = inbox_of(&lied_to, "fooled");

    town.clock.set(town.start(0));
    town.publish(0, vec![]);
    town.edge.copy_to(&lying);
    town.pass(0, &[&source, &honest, &lied_to]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "Whose is this?", proto::Clock::now(&*town.clock)).unwrap();
    // The message leaves in round 1 and stands in the drop that edition 2 names.
    for e in 1..=2 {
        town.clock.set(town.start(e));
        town.publish(e, vec![]);
        town.edge.copy_to(&lying);
        if e == 1 {
            town.pass(e, &[&source, &honest, &lied_to]).await;
        }
    }
    let real = path::desk_drop(Round(0));
    let drop = lying.remove(&real).unwrap();
    let wire = town.directory.wire();
    let intake = crate::town::intake_keys().swap_remove(0).1;
    let length = wire.cascade.boxed();
    let of_the_desk = |boxed: &[u8]| open_message(&wire, &intake, boxed).is_ok();
    let at = drop.chunks_exact(length).position(of_the_desk).unwrap();
    // Where its box stood stands filler, and the box stands in another slot: to anybody else that is as good a drop.
    let mut shown = drop.clone();
    let other = (at + 1) % (drop.len() / length);
    let (theirs, filler) = (at * length..(at + 1) * length, other * length..(other + 1) * length);
    shown[filler.clone()].copy_from_slice(&drop[theirs.clone()]);
    shown[theirs].copy_from_slice(&drop[filler]);
    assert_eq!(shown.chunks_exact(length).filter(|boxed| of_the_desk(boxed)).count(), 1);
    lying.put(real.clone(), shown);
    town.pass(2, &[&source, &honest, &lied_to]).await;

    assert_eq!((honest.status().health, lied_to.status().health), (Health::Good, Health::Unverified));
    told.collect();
    fooled.collect();
    assert_eq!(told.conversations().len(), 1);
    assert!(fooled.conversations().is_empty(), "a drop that does not stand in the head is not opened");
    // It goes on sending what it always sends, and nothing that it was shown has left a trace in it.
    let before = lying.uploads().len();
    for e in 3..7 {
        town.clock.set(town.start(e));
        town.publish(e, vec![]);
        let lie = lying.remove(&real).unwrap();
        town.edge.copy_to(&lying);
        lying.put(real.clone(), lie);
        town.pass(e, &[&source, &honest, &lied_to]).await;
        fooled.collect();
    }
    let sent = lying.uploads();
    assert_eq!(sent.len(), before + 4, "one envelope in every round, as before");
    let own: Vec<_> =
        sent.into_iter().flat_map(|(round, envelope)| town.class_of(round, &[envelope])).collect();
    assert!(own.iter().all(|class| *class == "cover"), "no acknowledgement is among them: {own:?}");
    // The desk that was shown what everybody was shown has acknowledged by now.
    session.refresh();
    assert_eq!(session.conversations()[0].lines[0].state, client::LineState::Acknowledged);
}
