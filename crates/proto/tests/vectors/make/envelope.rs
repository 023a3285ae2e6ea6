//! `envelope/`: one layer, opened by one mix. `drop/`: a drop's length.

use proto::Digest;
use proto::drops;
use proto::envelope::{Wire, dangerously_seal_exit_layer};
use proto::pass::{self, DeskPass};
use proto::seal::{self, SealSecret, Use};
use proto::size::{Cascade, EXIT_HEADER, PASS, READER_SLOT};

use super::{Draw, NETWORK};
use crate::case::Case;

pub(super) fn wire(mixes: u8) -> Wire {
    Wire { network: NETWORK, cascade: Cascade::new(mixes).expect("1 to 4") }
}

/// What a mix is given to open.
struct Layer {
    mixes: u8,
    hop: u8,
    key: SealSecret,
    bytes: Vec<u8>,
}

impl Layer {
    fn case(&self, path: &str, expect: &str, check: &str, note: &str) -> Case {
        Case::new(&format!("envelope/{path}"), expect, check, note)
            .hex("network", NETWORK.0)
            .with("mixes", self.mixes)
            .with("hop", self.hop)
            .hex("key", *self.key.to_seed())
            .hex("layer", &self.bytes)
    }

    fn refused(&self, path: &str, check: &str, note: &str) -> Case {
        self.case(path, "not opened", check, note)
    }
}

/// The exit's layer with this header, in a cascade of four: the shortest there is.
fn exit_layer(label: &str, header: &[u8], boxed: Option<&[u8]>) -> Layer {
    let (mut draw, wire) = (Draw::new(label), wire(4));
    let key = SealSecret::from_seed(&draw.bytes32());
    let mut full = [0; EXIT_HEADER];
    full[..header.len()].copy_from_slice(header);
    let boxed = boxed.map_or_else(|| drops::empty_box(&wire, &mut draw), <[u8]>::to_vec);
    let bytes = dangerously_seal_exit_layer(&wire, &full, &boxed, key.public(), &mut draw);
    Layer { mixes: 4, hop: 3, key, bytes }
}

fn good() -> Layer {
    exit_layer("envelope good", &[0], None)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = through_three();
    cases.push(good().case("cover-of-four", "success", "", "cover, four mixes").with("found", "cover"));
    cases.extend(bent());
    cases.extend(headers());
    cases.extend(drop_lengths());
    cases.extend(passes());
    cases
}

/// A message on its way: what each of three mixes receives, and what the exit finds.
fn through_three() -> Vec<Case> {
    let (mut draw, wire) = (Draw::new("envelope three"), wire(3));
    let keys: Vec<_> = (0..3).map(|_| SealSecret::from_seed(&draw.bytes32())).collect();
    let boxed = drops::empty_box(&wire, &mut draw);
    let mut header = [0; EXIT_HEADER];
    header[0] = 1;
    let mut inner = [header.as_slice(), &boxed].concat();
    let mut cases = Vec::new();
    for (hop, key) in (0u8..3).zip(keys).rev() {
        let next = Digest::of(&inner);
        let (bytes, exporter) = seal::seal(Use::Layer(hop), &wire.network, key.public(), &inner, &mut draw);
        let layer = Layer { mixes: 3, hop, key, bytes: bytes.clone() };
        let case = layer
            .case(
                &format!("message-at-hop-{hop}"),
                "success",
                "",
                "one message, as this hop of three receives it",
            )
            .hex("replay", exporter.replay_tag());
        cases.push(if hop == 2 {
            case.with("found", "to a desk").with("sha256", Digest::of(&boxed))
        } else {
            case.with("sha256", next)
        });
        inner = bytes;
    }
    cases
}

fn bent() -> Vec<Case> {
    let mut short = good();
    short.bytes.pop();
    let mut long = good();
    long.bytes.push(0);
    let empty = Layer { bytes: Vec::new(), ..good() };
    let mut cases = vec![
        short.refused("env-01-short", "ENV-01", "one byte short"),
        long.refused("env-01-long", "ENV-01", "one byte long"),
        empty.refused("env-01-empty", "ENV-01", "no bytes"),
    ];
    let last = good().bytes.len() - 1;
    for (name, at, note) in [
        ("kem", 5, "a bit of the ML-KEM ciphertext flipped"),
        ("x25519", 1100, "a bit of the X25519 key flipped"),
        ("text", 1500, "a bit of the ciphertext flipped"),
        ("tag", last, "a bit of the tag flipped"),
    ] {
        let mut layer = good();
        layer.bytes[at] ^= 1;
        cases.push(layer.refused(&format!("env-02-{name}"), "ENV-02", note));
    }
    let mut draw = Draw::new("envelope other");
    let other = Layer { key: SealSecret::from_seed(&draw.bytes32()), ..good() };
    cases.push(other.refused("env-02-key", "ENV-02", "sealed to another key"));
    // Sealed right, but for something else.
    let wire = wire(4);
    let inner = [[0; EXIT_HEADER].as_slice(), &drops::empty_box(&wire, &mut draw)].concat();
    for (name, usage, network, note) in [
        ("hop", Use::Layer(2), NETWORK, "sealed for another hop"),
        ("use", Use::Batch(3), NETWORK, "sealed as a batch"),
        ("network", Use::Layer(3), proto::NetworkId([0x12; 32]), "sealed for another network"),
    ] {
        let key = SealSecret::from_seed(&draw.bytes32());
        let (bytes, _) = seal::seal(usage, &network, key.public(), &inner, &mut draw);
        let layer = Layer { mixes: 4, hop: 3, key, bytes };
        cases.push(layer.refused(&format!("env-02-{name}"), "ENV-02", note));
    }
    cases
}

fn headers() -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, name, note) in [
        (2, "proof", "a proof"),
        (33, "proof-end", "a proof"),
        (34, "zero", "dirty padding"),
        (47, "zero-end", "dirty padding"),
    ] {
        let mut header = [0; EXIT_HEADER];
        header[at] = 1;
        let note = format!("{note}: byte {at} of the exit header is 1");
        cases.push(exit_layer("envelope 03", &header, None).refused(
            &format!("env-03-{name}"),
            "ENV-03",
            &note,
        ));
    }
    for (class, slots, name, note) in [
        (3, 0, "class", "class 3"),
        (0, 1, "cover-slots", "cover that counts a slot"),
        (1, 1, "message-slots", "a message that counts a slot"),
    ] {
        let layer = exit_layer("envelope 04", &[class, slots], None);
        cases.push(layer.refused(&format!("env-04-{name}"), "ENV-04", note));
    }
    let mut draw = Draw::new("envelope slots");
    let boxed = drops::empty_box(&wire(4), &mut draw);
    let pass = DeskPass::from_bytes(draw.bytes32());
    let of_a_desk = |slots: u8| [[2, slots].as_slice(), &pass.proof(&boxed)].concat();
    let hex = *pass.as_bytes();
    for (slots, name, note) in
        [(0, "none", "class 2 without a slot"), (4, "four", "four slots where three fit")]
    {
        let layer = exit_layer("envelope 05", &of_a_desk(slots), Some(&boxed));
        cases.push(layer.refused(&format!("env-05-{name}"), "ENV-05", note).hex("pass", hex));
    }
    let mut bent = of_a_desk(3);
    bent[33] ^= 1;
    let dirty = [of_a_desk(3).as_slice(), &[1]].concat();
    for (name, note, header) in [
        ("stranger", "class 2 without a proof", vec![2, 3]),
        ("bent", "one bit of a proof flipped", bent),
        ("desk-zero", "a proof, and dirty padding", dirty),
    ] {
        let layer = exit_layer("envelope 03", &header, Some(&boxed));
        cases.push(layer.refused(&format!("env-03-{name}"), "ENV-03", note).hex("pass", hex));
    }
    let old = exit_layer("envelope 03", &of_a_desk(3), Some(&boxed));
    let note = "a proof under a pass that the exit does not take";
    cases.push(old.refused("env-03-other-pass", "ENV-03", note).hex("pass", [0x33; 32]));
    let slots = Digest::of(&boxed[..3 * READER_SLOT]);
    cases.push(
        exit_layer("envelope 05", &of_a_desk(3), Some(&boxed))
            .case("slots-of-a-desk", "success", "ENV-05", "class 2 with as many slots as fit")
            .with("found", "to readers")
            .with("slots", 3)
            .with("sha256", slots)
            .hex("pass", hex),
    );
    cases
}

/// A table of two places, one of them a desk's.
fn passes() -> Vec<Case> {
    let mut draw = Draw::new("pass");
    let [desk, second, other] = [(); 3].map(|()| SealSecret::from_seed(&draw.bytes32()));
    let pass = DeskPass::from_bytes(draw.bytes32());
    let listed = [&desk, &second];
    let made = |pass: &DeskPass, desks: &[&SealSecret]| {
        pass::table(&NETWORK, pass, desks.iter().map(|desk| desk.public()), 3)
    };
    let table = made(&pass, &listed);
    let case = |path: &str, expect: &str, check: &str, note: &str, desk: &SealSecret, table: &[u8]| {
        let case = Case::new(&format!("pass/{path}"), expect, check, note)
            .hex("network", NETWORK.0)
            .hex("intake", *desk.to_seed())
            .with("places", 3);
        case.hex("desks", listed.map(|desk| *desk.to_seed()).concat()).hex("table", table)
    };
    // Whichever place is the desk's.
    let bent: Vec<u8> =
        (0..).zip(&table).map(|(n, b)| if n % PASS == PASS - 1 { b ^ 1 } else { *b }).collect();
    // Entries of the first desk and of the second, each in its own table.
    let entry = |table: &[u8], desk: &SealSecret| {
        let opens = |entry: &&[u8]| pass::find(&NETWORK, desk, entry).is_some();
        table.chunks_exact(PASS).find(opens).expect("it is in it").to_vec()
    };
    let another = DeskPass::from_bytes(draw.bytes32());
    let nobodys = {
        let ours = listed.map(|desk| entry(&table, desk));
        let left = |entry: &&[u8]| !ours.iter().any(|ours| ours == entry);
        table.chunks_exact(PASS).find(left).expect("three places").to_vec()
    };
    let mut two = [entry(&table, &desk), entry(&made(&another, &listed), &second), nobodys];
    two.sort_unstable();
    let mut turned: Vec<_> = table.chunks_exact(PASS).collect();
    turned.reverse();
    vec![
        case("found", "success", "", "a desk finds its pass", &desk, &table)
            .hex("pass", pass.as_bytes())
            .hex("box", b"a box")
            .hex("proof", pass.proof(b"a box")),
        case("pas-01-other", "no pass", "PAS-01", "a desk that is not listed", &other, &table),
        case("pas-01-bent", "no pass", "PAS-01", "one bit of each entry flipped", &desk, &bent),
        case("pas-03-two", "no pass", "PAS-03", "the other desk has another pass", &desk, &two.concat()),
        case(
            "pas-03-alone",
            "no pass",
            "PAS-03",
            "the other desk has none",
            &desk,
            &made(&pass, &listed[..1]),
        ),
        case("pas-03-order", "no pass", "PAS-03", "the entries in another order", &desk, &turned.concat()),
    ]
}

fn drop_lengths() -> Vec<Case> {
    let case = |path: &str, expect: &str, check: &str, note: &str, len: usize| {
        let case = Case::new(&format!("drop/{path}"), expect, check, note).with("mixes", 4).with("slots", 1);
        let case = if check == "DRP-01" { case.with("desks", 1) } else { case };
        case.hex(if check == "DRP-01" { "desk-drop" } else { "reader-drop" }, vec![0x55; len])
    };
    let (boxed, slot) = (wire(4).cascade.boxed() + PASS, READER_SLOT);
    vec![
        case("desk", "success", "DRP-01", "one slot and one pass", boxed),
        case("drp-01-no-pass", "wrong length", "DRP-01", "one slot and no pass", boxed - PASS),
        case("drp-01-short", "wrong length", "DRP-01", "one byte short", boxed - 1),
        case("drp-01-long", "wrong length", "DRP-01", "one byte long", boxed + 1),
        case("drp-01-none", "wrong length", "DRP-01", "no slot where there is one", 0),
        case("reader", "success", "DRP-02", "one slot", slot),
        case("drp-02-short", "wrong length", "DRP-02", "one byte short", slot - 1),
        case("drp-02-two", "wrong length", "DRP-02", "two slots where there is one", 2 * slot),
    ]
}
