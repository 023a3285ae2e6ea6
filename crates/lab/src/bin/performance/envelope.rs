//! Envelopes and drops: what a reader, a mix and a desk compute.

use proto::NetworkId;
use proto::conversation::{Body, ConversationKey, Message, Received, open_message};
use proto::drops::{DeskDrop, empty_box};
use proto::envelope::{self, Found, Wire};
use proto::seal::{SealPublic, SealSecret};
use proto::size::Cascade;
use rand::{SeedableRng as _, rngs::StdRng};

use crate::board::{Board, Unit};

/// Slots of a desk drop in production (the demo has 16).
const SLOTS: u16 = 512;

pub(crate) fn measure(board: &mut Board) {
    let mut rng = StdRng::seed_from_u64(1);
    let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).expect("three mixes") };
    let mixes: Vec<_> = (0..3).map(|_| SealSecret::generate(&mut rng)).collect();
    let keys: Vec<SealPublic> = mixes.iter().map(|mix| mix.public().clone()).collect();
    let (exit, before) = keys.split_last().expect("three keys");
    let desk = SealSecret::generate(&mut rng);
    let message = message().pack(wire.cascade).expect("a short text fits");

    board.time("build one envelope, cover", Unit::Micros, || {
        let blob = envelope::cover(&wire, exit, &mut rng);
        envelope::wrap(&wire, blob, before, &mut rng)
    });
    board.time("build one envelope, message", Unit::Micros, || {
        let (blob, chain) = envelope::to_desk(&wire, desk.public(), &message, exit, &mut rng);
        (envelope::wrap(&wire, blob, before, &mut rng), chain)
    });

    let blob = envelope::cover(&wire, exit, &mut rng);
    let sealed = envelope::wrap(&wire, blob, before, &mut rng);
    board.time("peel one layer", Unit::Micros, || {
        envelope::open_layer(&wire, 0, &mixes[0], sealed.as_bytes()).expect("sealed to this mix")
    });

    let name = "desk trial of a full drop, 512 slots";
    if board.wants(name) {
        let (blob, _) = envelope::to_desk(&wire, desk.public(), &message, exit, &mut rng);
        let opened = envelope::open_exit(&wire, &mixes[2], &[], blob.as_bytes()).expect("sealed to the exit");
        let Found::ToDesk(boxed) = opened.1 else { unreachable!("a message to a desk") };
        let mut slots: Vec<_> = (1..SLOTS).map(|_| empty_box(&wire, &mut rng)).collect();
        slots.push(boxed);
        let drop = DeskDrop::from_bytes(wire.cascade, SLOTS, 0, slots.concat()).expect("its one length");
        board.time(name, Unit::Millis, || {
            let found = drop.boxes().filter(|boxed| open_message(&wire, &desk, boxed).is_ok()).count();
            assert_eq!(found, 1);
        });
    }
}

fn message() -> Message {
    Message {
        conversation: ConversationKey::from_bytes([7; 32]),
        sequence: 0,
        received: Received::default(),
        body: Body::Text("The gate was reported in March. I have the report.".to_owned().into()),
    }
}
