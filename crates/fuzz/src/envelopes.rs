//! What travels sealed: layers, batches, boxes, slots. The harness seals what an input chooses, so that a fuzzer gets behind the
//! seal, and bends what is sealed, which then must not open.

use proto::batch::{self, BatchOpen, BatchSeal, SEALED_CHUNK};
use proto::conversation::{
    Body, Chain, Link, MAX_PARTS, MAX_TEXT, Message, ack_slot, ack_tags, open_message, open_reply,
    seal_reply, slot_tag,
};
use proto::drops::{DeskDrop, ReaderDrop};
use proto::envelope::{self, Found, dangerously_seal_exit_layer, open_exit, open_layer};
use proto::pass::{self, DeskPass};
use proto::seal::{self, Use};
use proto::size::{Cascade, ENC, EXIT_HEADER, PASS, READER_SLOT, REPLY, REPLY_TEXT};

use crate::input::{Input, bend, fill};
use crate::world::{WORLD, rng};

/// Layers of envelopes: what a hop receives from anybody.
pub(crate) fn layers(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    match input.byte() % 4 {
        0 => before_the_exit(&mut input),
        1 | 2 => at_the_exit(&mut input),
        // Whatever has the right length, or another.
        _ => {
            let hop = input.below(3);
            let length = world.wire.cascade.layer(hop as u8) + input.below(2);
            let layer = fill(input.rest(), length);
            if hop == 2 {
                assert!(open_exit(&world.wire, world.exit(), &[], &layer).is_err());
            } else {
                assert!(open_layer(&world.wire, hop as u8, &world.layers[hop], &layer).is_err());
            }
        }
    }
}

fn before_the_exit(input: &mut Input<'_>) {
    let (world, mut rng) = (&*WORLD, rng());
    let (hop, sealed_for, key) = (input.below(2) as u8, input.byte() % 3, input.below(2));
    let mut plain_len = world.wire.cascade.layer(hop + 1);
    if input.byte() == 1 {
        plain_len = usize::from(input.word()) % 9_000;
    }
    let bends = &mut Input::new(input.piece());
    let plain = fill(input.rest(), plain_len);
    let (mut layer, exporter) =
        seal::seal(Use::Layer(sealed_for), &world.network, world.layers[key].public(), &plain, &mut rng);
    let bent = bend(bends, &mut layer);
    let opened = open_layer(&world.wire, hop, &world.layers[usize::from(hop)], &layer);
    let good =
        !bent && hop == sealed_for && key == usize::from(hop) && layer.len() == world.wire.cascade.layer(hop);
    match opened {
        Ok((tag, next)) => {
            assert!(good && next == plain && tag == exporter.replay_tag());
            assert_eq!(next.len(), world.wire.cascade.layer(hop + 1), "the next hop's one length");
        }
        Err(_) => assert!(!good),
    }
}

// envelope.md §6, written a second time: what the exit takes of a header.
fn at_the_exit(input: &mut Input<'_>) {
    let (world, mut rng) = (&*WORLD, rng());
    let passes = [DeskPass::from_bytes([1; 32]), DeskPass::from_bytes([2; 32])];
    let mut header: [u8; EXIT_HEADER] = input.bytes();
    let (proven, bends) = (input.byte(), &mut Input::new(input.piece()));
    let boxed = fill(input.rest(), world.wire.cascade.boxed());
    match proven {
        1 => header[2..34].copy_from_slice(&passes[0].proof(&boxed)),
        2 => header[2..34].copy_from_slice(&passes[1].proof(&boxed)),
        3 => header[2..34].copy_from_slice(&DeskPass::from_bytes([3; 32]).proof(&boxed)),
        4 => header[2..34].fill(0),
        _ => {}
    }
    let mut layer =
        dangerously_seal_exit_layer(&world.wire, &header, &boxed, world.exit().public(), &mut rng);
    let bent = bend(bends, &mut layer);
    let zero = |bytes: &[u8]| bytes.iter().all(|&b| b == 0);
    let is_desks = passes.iter().any(|pass| pass.proof(&boxed) == header[2..34]);
    let slots = usize::from(header[1]);
    let expected = match header[0] {
        _ if bent || !zero(&header[34..]) => None,
        0 if slots == 0 && zero(&header[2..34]) => Some(Found::Cover),
        1 if slots == 0 && zero(&header[2..34]) => Some(Found::ToDesk(boxed)),
        2 if is_desks && (1..=world.wire.cascade.slots()).contains(&slots) => {
            Some(Found::ToReaders(boxed.as_chunks().0[..slots].to_vec()))
        }
        _ => None,
    };
    let found = open_exit(&world.wire, world.exit(), &passes, &layer).ok().map(|(_, found)| found);
    assert!(found == expected, "the exit takes something else than the specification says");
}

/// Batches between two mixes, whole and chunk by chunk.
pub(crate) fn batches(bytes: &[u8]) {
    let (mut input, world, mut rng) = (Input::new(bytes), &*WORLD, rng());
    let (hop, key) = (1 + input.below(2) as u8, &world.layers[1]);
    let entry_len = world.wire.cascade.layer(hop);
    let (mode, many) = (input.byte(), input.below(12));
    let bends = &mut Input::new(input.piece());
    let cut = usize::from(input.word());
    let content = input.rest();
    let mut sealed = Vec::new();
    let mut plain = Vec::new();
    let mut seal = BatchSeal::new(&world.wire, hop, key.public(), &mut rng, &mut sealed);
    let enc = sealed.clone();
    for n in 0..many {
        let mut entry = fill(content, entry_len);
        entry[0] ^= n as u8;
        // An entry of another length, which no mix writes.
        if mode == 1 {
            entry.truncate(cut);
        }
        seal.entry(&entry, &mut sealed);
        plain.extend(entry);
    }
    seal.finish(&mut sealed);
    let mut bent = bend(bends, &mut sealed);
    if mode == 2 && cut < sealed.len() {
        sealed.truncate(cut);
        bent = true;
    }
    let whole = batch::open(&world.wire, hop, key, &sealed);
    match &whole {
        Ok(entries) => {
            assert!(!bent && plain.len().is_multiple_of(entry_len), "a batch that was bent opened");
            assert!(entries.iter().all(|entry| entry.len() == entry_len));
            assert_eq!(entries.concat(), plain);
        }
        Err(_) => assert!(bent || !plain.len().is_multiple_of(entry_len), "a good batch did not open"),
    }
    // As a mix takes it, which never holds all of it.
    let streamed = || {
        let mut open = BatchOpen::new(&world.wire, hop, key, sealed.get(..ENC)?).ok()?;
        let (mut entries, mut chunks) = (Vec::new(), sealed[ENC..].chunks(SEALED_CHUNK).peekable());
        chunks.peek()?;
        while let Some(chunk) = chunks.next() {
            open.chunk(chunk, chunks.peek().is_none(), &mut entries).ok()?;
        }
        open.finish().ok().map(|()| entries)
    };
    assert_eq!(whole.ok(), streamed(), "whole and chunk by chunk are the same");
    if mode != 3 {
        return;
    }
    // Bytes that were never sealed, behind a good beginning.
    let foreign = [enc.as_slice(), content].concat();
    assert!(batch::open(&world.wire, hop, key, &foreign).is_err());
}

/// Desk and reader drops, the table of passes in the one and the slots of the other.
pub(crate) fn drops(bytes: &[u8]) {
    let (mut input, world, mut rng) = (Input::new(bytes), &*WORLD, rng());
    let cascade = Cascade::new(1 + input.below(4) as u8).expect("1 to 4");
    match input.byte() % 4 {
        0 => {
            let (slots, desks, more) = (input.byte() % 4, input.byte() % 4, input.byte() % 3);
            let length = DeskDrop::len(cascade, slots.into(), desks.into());
            let bytes = fill(input.rest(), (length + usize::from(more)).saturating_sub(1));
            match DeskDrop::from_bytes(cascade, slots.into(), desks.into(), bytes.clone()) {
                Ok(drop) => {
                    assert_eq!((drop.as_bytes(), drop.boxes().len()), (bytes.as_slice(), slots.into()));
                    assert!(drop.boxes().all(|boxed| boxed.len() == cascade.boxed()));
                    assert_eq!(drop.passes().len(), usize::from(desks) * PASS);
                }
                Err(_) => assert_ne!(bytes.len(), length),
            }
        }
        1 => {
            let (slots, more) = (u16::from(input.byte() % 8), input.byte() % 3);
            let length = (usize::from(slots) * READER_SLOT + usize::from(more)).saturating_sub(1);
            let bytes = fill(input.rest(), length);
            match ReaderDrop::from_bytes(slots, bytes.clone()) {
                Ok(drop) => {
                    assert_eq!((drop.as_bytes(), drop.slots().len()), (bytes.as_slice(), slots.into()));
                    for slot in drop.slots() {
                        assert_eq!((ack_tags(slot).len(), slot_tag(slot)), (64, ack_tags(slot)[0]));
                    }
                }
                Err(_) => assert_ne!(bytes.len(), usize::from(slots) * READER_SLOT),
            }
        }
        // A table with one entry for the desk, or none, or one that holds another length.
        2 => {
            let (good, length) = (input.byte().is_multiple_of(2), if input.byte() == 1 { 31 } else { 32 });
            let other = fill(&input.bytes::<8>(), PASS);
            let secret = fill(input.up_to(32), length);
            let mut entry = seal::seal(Use::Pass, &world.network, world.intake.public(), &secret, &mut rng).0;
            let bent = bend(&mut input, &mut entry);
            let table = [if good { entry } else { other.clone() }, other].concat();
            let found = pass::find(&world.network, &world.intake, &table);
            assert!(found.is_none_or(|pass| good && !bent && pass.as_bytes().as_slice() == secret));
        }
        _ => {
            let tags: Vec<[u8; 16]> = (0..input.below(65)).map(|_| input.bytes()).collect();
            let slot = ack_slot(&tags, &mut rng);
            assert_eq!(&ack_tags(&slot)[..tags.len()], tags);
        }
    }
}

/// A message to a desk, as it stands in a box: what a source wrote, or somebody who says so.
pub(crate) fn messages(bytes: &[u8]) {
    let (mut input, world, mut rng) = (Input::new(bytes), &*WORLD, rng());
    let (mode, k) = (input.byte(), 1 + input.below(4) as u8);
    let cascade = Cascade::new(k).expect("1 to 4");
    let text = mode % 4 == 1;
    let mut plain = input.up_to(48).to_vec();
    let mut data = input.rest().to_vec();
    if text {
        // Behind the compression: what is chosen is the text.
        data = zstd::bulk::compress(&data, 1).expect("memory is all it needs");
        if let Some(header) = plain.first_chunk_mut::<48>() {
            header[..4].copy_from_slice(&[1, 1, 0, 0]);
            header[40..42].copy_from_slice(&(data.len() as u16).to_be_bytes());
        }
    }
    plain.extend(data);
    if mode % 8 < 6 {
        plain.resize(cascade.message(), 0);
    }
    let read = Message::unpack(cascade, &plain);
    if let Ok(message) = &read {
        check(cascade, message, &plain);
    }
    // The whole way of a box, in which nothing else comes out.
    if mode & 0x80 != 0 && k == 3 {
        let (boxed, exporter) = seal::seal(Use::Box, &world.network, world.intake.public(), &plain, &mut rng);
        let opened = open_message(&world.wire, &world.intake, &boxed);
        assert_eq!(opened.is_ok(), read.is_ok());
        if let (Ok((message, mut theirs)), Ok(same)) = (opened, read) {
            let ours = Chain::of(&same.conversation, &exporter, &same.body);
            assert_eq!(theirs.ack(), ours.ack());
            assert_eq!(theirs.links().is_empty(), !message.body.starts_chain());
            answered(&mut theirs, ours);
        }
        let exit = world.exit().public();
        if plain.len() == cascade.message() {
            let (blob, _) = envelope::to_desk(&world.wire, world.intake.public(), &plain, exit, &mut rng);
            assert_eq!(blob.as_bytes().len(), cascade.blob());
        }
    }
}

fn check(cascade: Cascade, message: &Message, plain: &[u8]) {
    match &message.body {
        Body::Text(text) => {
            assert!(text.len() <= MAX_TEXT);
            // zstd has more than one way to write a text; read again it is the same. What another packer made fit need not fit.
            if let Ok(packed) = message.pack(cascade) {
                let again = Message::unpack(cascade, &packed).expect("packed just now");
                assert_eq!(again.body.text(), Some(text.as_str()));
                assert_eq!((again.sequence, again.received), (message.sequence, message.received));
            }
        }
        Body::Part(part) => {
            assert!(part.part < part.parts && part.rest.len() <= cascade.part());
            assert!(u32::from(part.part) <= message.sequence);
            assert_eq!(*message.pack(cascade).expect("it came in one message"), plain, "one encoding");
        }
    }
}

/// The desk writes on a chain, and the source opens what it wrote.
fn answered(theirs: &mut Chain, mut ours: Chain) {
    let mut rng = rng();
    let Some(link) = theirs.next_link() else { return };
    let part = proto::conversation::ReplyPart::cut(1, "An answer.").expect("short").remove(0);
    let slot = seal_reply(&link, &part, &mut rng);
    assert!(open_reply(&ours.links()[0], &slot).is_ok_and(|opened| opened == part));
    ours.delete(link.tag());
    assert!(open_reply(&ours.links()[0], &slot).is_err());
}

/// A reader slot under a link that the input does not know: what a desk wrote, or somebody who has its keys.
pub(crate) fn replies(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let link: Link = link([5; 16], [6; 32]);
    let header: [u8; 32] = input.bytes();
    let salt: [u8; 16] = input.bytes();
    let bends = &mut Input::new(input.piece());
    let text = input.rest();
    let mut plain = header.to_vec();
    plain.extend(text.iter().take(REPLY_TEXT));
    plain.resize(REPLY, 0);
    let mut slot = sealed_under([5; 16], [6; 32], salt, &plain);
    let bent = bend(bends, &mut slot);
    match open_reply(&link, &slot) {
        Ok(part) => {
            assert!(!bent && part.number > 0 && part.part < part.parts && part.parts <= MAX_PARTS);
            assert!(part.text.len() <= REPLY_TEXT);
            let mut again = vec![1, 1];
            again.extend(part.number.to_be_bytes());
            again.extend([part.part, part.parts]);
            again.extend((part.text.len() as u16).to_be_bytes());
            again.extend(part.whole);
            again.resize(32, 0);
            again.extend_from_slice(&part.text);
            again.resize(REPLY, 0);
            assert_eq!(again, plain, "one encoding");
        }
        Err(_) => assert!(bent || header[..2] != [1, 1] || !is_good(&plain)),
    }
}

// CNV-06, written a second time.
fn is_good(plain: &[u8]) -> bool {
    let length = usize::from(u16::from_be_bytes([plain[8], plain[9]]));
    plain[2..6] != [0; 4]
        && plain[6] < plain[7]
        && plain[7] <= MAX_PARTS
        && length <= REPLY_TEXT
        && plain[18..32].iter().chain(&plain[32 + length..]).all(|&b| b == 0)
}

fn link(tag: [u8; 16], secret: [u8; 32]) -> Link {
    let mut bytes = vec![0x82, 0x50];
    bytes.extend(tag);
    bytes.extend([0x58, 0x20]);
    bytes.extend(secret);
    minicbor::decode(&bytes).expect("a tag and a secret are a link")
}

// conversation.md §3, written a second time: HKDF(salt, secret) -> key 32, nonce 12
fn sealed_under(tag: [u8; 16], secret: [u8; 32], salt: [u8; 16], plain: &[u8]) -> [u8; READER_SLOT] {
    use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
    use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};

    let mut out = [0; 44];
    hkdf::Hkdf::<sha2::Sha256>::new(Some(&salt), &secret)
        .expand(b"firsthand/v1 slot", &mut out)
        .expect("44 bytes are within HKDF's limit");
    let cipher = ChaCha20Poly1305::new(&Key::try_from(&out[..32]).expect("32 bytes"));
    let nonce = Nonce::try_from(&out[32..]).expect("12 bytes");
    let head = [tag, salt].concat();
    let sealed = cipher.encrypt(&nonce, Payload { msg: plain, aad: &head }).expect("a reply is short");
    [head, sealed].concat().try_into().expect("a slot has one length")
}
