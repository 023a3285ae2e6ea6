//! `handed/`: what a mix hands over, to the edge and to the next mix.

use proto::mix::Manifest;
use proto::sign::IdentitySecret;
use proto::{Digest, Round, codec};

use super::folded;
use super::net::{DESK_DROP, Net, READER_DROP, one_entry};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = between_two();
    cases.extend(took_over());
    cases
}

/// From round 10 on another is the first mix: each signs for its own rounds.
fn took_over() -> Vec<Case> {
    let next = IdentitySecret::from_seed(&[9; 32]);
    let net = Net::new().with_next(&next, Round(10));
    let payload = b"a sealed batch";
    let case = |path: &str, expect: &str, note: &str, round: u32, by: &IdentitySecret| {
        let manifest = net.manifest(0, (round, 0), 2, vec![Digest::of(payload)]);
        Case::new(&format!("handed/{path}"), expect, "BAT-03", note)
            .hex("network", net.network.0)
            .hex("directory", net.directory(true))
            .with("hop", 0)
            .with("round", round)
            .with("part", 0)
            .hex("handed", [net.signed(&manifest, by).as_slice(), payload].concat())
    };
    vec![
        case("took-over", "success", "the first batch of the mix that took over", 10, &next),
        case(
            "bat-03-gone",
            "manifest",
            "of the round in which another took over, by the mix before",
            10,
            &net.mixes[0],
        ),
        case("bat-03-early", "manifest", "of the round before, by the mix that takes over", 9, &next),
    ]
}

fn between_two() -> Vec<Case> {
    let net = Net::new();
    let case = |path: &str, expect: &str, check: &str, note: &str, hop: u8, id: (u32, u16), body: &str| {
        Case::new(&format!("handed/{path}"), expect, check, note)
            .hex("network", net.network.0)
            .hex("directory", net.directory(true))
            .with("hop", hop)
            .with("round", id.0)
            .with("part", id.1)
            .with("handed", body)
    };
    let id = (5, 1);
    let payload = b"a sealed batch";
    let signed = |manifest: &Manifest, by: usize| hex::encode(net.signed(manifest, &net.mixes[by]));
    let manifest = |hop: u8, outputs: &[&[u8]]| {
        net.manifest(hop, id, 2, outputs.iter().map(|bytes| Digest::of(bytes)).collect())
    };
    let after = |manifest: String, payload: &[u8]| format!("{manifest} {}", hex::encode(payload));
    let good = after(signed(&manifest(0, &[payload]), 0), payload);
    let mut bent = *payload;
    bent[3] ^= 1;
    let (desk, reader) = (vec![0xd1; DESK_DROP], vec![0xd2; READER_DROP]);
    let drops = |outputs: &[&[u8]], payload: &str| {
        let id = (5, 0);
        let manifest = net.manifest(1, id, 2, outputs.iter().map(|b| Digest::of(b)).collect());
        format!("{} {payload}", signed(&manifest, 1))
    };
    let exit = |path: &str, expect: &str, note: &str, body: &str| {
        case(path, expect, "BAT-05", note, 1, (5, 0), body)
    };
    let both = format!("{DESK_DROP}*d1 {READER_DROP}*d2");
    let batch = one_entry(&net);
    let counted = |path: &str, expect: &str, note: &str, count: u32| {
        let manifest = net.manifest(0, id, count, vec![Digest::of(&batch)]);
        case(path, expect, "BAT-07", note, 0, id, &after(signed(&manifest, 0), &batch))
            .hex("next-identity", *net.mixes[1].to_seed())
            .hex("next-key", *net.keys[1].to_seed())
    };
    let long_manifest = |path: &str, expect: &str, note: &str, inputs: usize| {
        let input = Digest([0x66; 32]);
        let manifest = Manifest { inputs: vec![input; inputs], ..manifest(0, &[payload]) };
        let body = [net.signed(&manifest, &net.mixes[0]).as_slice(), payload].concat();
        case(path, expect, "BAT-03", note, 0, id, &folded(&body, &codec::encode(&input)))
    };
    let cut = hex::encode(&net.signed(&manifest(0, &[payload]), &net.mixes[0])[..100]);
    vec![
        case("batch", "success", "BAT-05", "a batch of the first mix", 0, id, &good),
        case(
            "bat-03-signer",
            "manifest",
            "BAT-03",
            "signed by the exit",
            0,
            id,
            &after(signed(&manifest(0, &[payload]), 1), payload),
        ),
        case("bat-03-none", "malformed", "BAT-03", "no manifest", 0, id, "00000000"),
        case("bat-03-cut", "malformed", "BAT-03", "it ends inside the manifest", 0, id, &cut),
        case("bat-03-empty", "malformed", "BAT-03", "no bytes", 0, id, "-"),
        long_manifest("bat-03-long", "malformed", "a manifest of 64 KiB and some bytes", 1_925),
        long_manifest("long-manifest", "success", "a manifest of almost 64 KiB", 1_920),
        case(
            "bat-03-hop",
            "manifest",
            "BAT-03",
            "of a hop that is not there",
            1,
            id,
            &after(signed(&manifest(2, &[payload]), 1), payload),
        ),
        case("bat-04-round", "batch", "BAT-04", "it names round 5", 0, (6, 1), &good),
        case("bat-04-part", "batch", "BAT-04", "it names part 1", 0, (5, 0), &good),
        case("bat-04-hop", "batch", "BAT-04", "it names hop 0", 1, id, &good),
        case(
            "bat-05-bent",
            "payload",
            "BAT-05",
            "a bit of the batch flipped",
            0,
            id,
            &after(signed(&manifest(0, &[payload]), 0), &bent),
        ),
        case("bat-05-long", "payload", "BAT-05", "a byte left over", 0, id, &after(good.clone(), &[0])),
        case(
            "bat-05-two",
            "payload",
            "BAT-05",
            "a mix before the exit names two outputs",
            0,
            id,
            &after(signed(&manifest(0, &[payload, payload]), 0), payload),
        ),
        exit("drops", "success", "both drops of the exit", &drops(&[&desk, &reader], &both)),
        exit(
            "bat-05-turned-round",
            "payload",
            "the reader drop's digest first",
            &drops(&[&reader, &desk], &both),
        ),
        exit(
            "bat-05-drop-short",
            "payload",
            "the reader drop is a byte short, and so named",
            &drops(&[&desk, &reader[1..]], &format!("{DESK_DROP}*d1 {}*d2", READER_DROP - 1)),
        ),
        exit(
            "bat-05-drop-bent",
            "payload",
            "another desk drop than is named",
            &drops(&[&desk, &reader], &format!("{DESK_DROP}*d3 {READER_DROP}*d2")),
        ),
        exit(
            "bat-05-reader-bent",
            "payload",
            "another reader drop than is named",
            &drops(&[&desk, &reader], &format!("{DESK_DROP}*d1 {READER_DROP}*d3")),
        ),
        exit("bat-05-exchanged", "payload", "the reader drop first", &{
            drops(&[&desk, &reader], &format!("{READER_DROP}*d2 {DESK_DROP}*d1"))
        }),
        case(
            "bat-03-outputs",
            "manifest",
            "BAT-03",
            "the exit names one output",
            1,
            (5, 0),
            &drops(&[&desk], &both),
        ),
        case(
            "bat-03-exit-part",
            "manifest",
            "BAT-03",
            "a second part of the exit",
            1,
            id,
            &format!("{} {both}", signed(&manifest(1, &[&desk, &reader]), 1)),
        ),
        counted("counted", "success", "one entry, and the manifest says one", 1),
        counted("bat-07-more", "refused", "one entry, and the manifest says two", 2),
        counted("bat-07-none", "refused", "one entry, and the manifest says none", 0),
    ]
}
