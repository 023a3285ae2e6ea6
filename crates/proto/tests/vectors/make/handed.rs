//! `handed/`: what a mix hands over, to the edge and to the next mix.

use proto::Digest;
use proto::mix::Manifest;

use super::net::{DESK_DROP, Net, READER_DROP, one_entry};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
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
        counted("counted", "success", "one entry, and the manifest says one", 1),
        counted("bat-07-more", "refused", "one entry, and the manifest says two", 2),
        counted("bat-07-none", "refused", "one entry, and the manifest says none", 0),
    ]
}
