//! What is signed and served to everybody: directories, heads, manifests, requests, the log.

use std::sync::LazyLock;

use proto::codec::{self, Record};
use proto::directory::{
    DeskCard, DeskEntry, Directory, IntakeKey, MAX_DIRECTORY, MixKey, Operator, Parameters, Roster,
    RoundKeys, UnverifiedDirectory,
};
use proto::edition::{Bundle, BundleRef, Head, MAX_HEAD, UnverifiedHead, sign_head};
use proto::keys::KeyKind;
use proto::log::{Checkpoint, CosignatureLine, Frontier, Hashes, MAX_NOTE, Tile, UnverifiedNote};
use proto::mix::{BatchId, Manifest};
use proto::request::{self, UnverifiedRequest};
use proto::sign::{RootPublic, RootSignature, Unverified};
use proto::story::{Article, Story};
use proto::{Digest, Millis, NetworkId, Round};
use server::handed::{Handed, MAX_MANIFEST};
use server::handing::{Incoming, IncomingRejected};
use tempfile::TempDir;

use crate::input::{Input, bend};
use crate::memory;
use crate::world::{NOW, Standing, WORLD, World, mix_key};
use proto::Clock as _;

/// Everything that has one encoding, by the first byte.
pub(crate) fn records(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let (which, bytes) = (input.byte(), input.rest());
    match which % 22 {
        0 => one::<Roster>(bytes),
        1 => one::<Parameters>(bytes),
        2 => one::<Operator>(bytes),
        3 => one::<MixKey>(bytes),
        4 => one::<DeskCard>(bytes),
        5 => one::<IntakeKey>(bytes),
        6 => one::<DeskEntry>(bytes),
        7 => one::<UnverifiedDirectory>(bytes),
        8 => one::<Head>(bytes),
        9 => one::<BundleRef>(bytes),
        10 => one::<Bundle>(bytes),
        11 => one::<Story>(bytes),
        12 => one::<Article>(bytes),
        13 => one::<Manifest>(bytes),
        14 => one::<BatchId>(bytes),
        15 => one::<Frontier>(bytes),
        16 => one::<RootPublic>(bytes),
        17 => one::<RootSignature>(bytes),
        18 => one::<Vec<Unverified<Manifest>>>(bytes),
        19 => one::<Unverified<Roster>>(bytes),
        20 => one::<Unverified<Head>>(bytes),
        _ => one::<Vec<(Round, Digest)>>(bytes),
    }
}

fn one<T: Record + PartialEq>(bytes: &[u8]) {
    if let Ok(value) = codec::decode::<T>(bytes) {
        assert_eq!(codec::encode(&value), bytes, "there is one encoding");
        assert!(codec::decode::<T>(bytes).is_ok_and(|again| again == value));
    }
}

/// Directories: as they come, and with a roster, cards and keys that the root and the others did sign.
pub(crate) fn directories(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    if input.byte().is_multiple_of(8) {
        let bytes = input.rest();
        let Ok(read) = UnverifiedDirectory::from_bytes(bytes) else { return };
        assert!(bytes.len() <= MAX_DIRECTORY && read.to_bytes() == bytes, "DIR-12");
        verified(read, world);
        return;
    }
    let roster = match input.byte() % 2 {
        0 => codec::decode::<Roster>(input.piece()).unwrap_or_else(|_| world.roster.clone()),
        // The world's own, with what the input makes of its numbers.
        _ => {
            let mut roster = world.roster.clone();
            bend_roster(&mut input, &mut roster);
            roster
        }
    };
    let mut mix_keys = Vec::new();
    let mut desks = Vec::new();
    while !input.is_over() && mix_keys.len() + desks.len() < 8 {
        let by = world.identity(input.byte());
        match input.byte() % 4 {
            0 => {
                let hop = input.byte() % 5;
                let key = world.layers[input.below(3)].public();
                let mut period = KeyKind::of_mix(hop, world.wire.cascade).period(Round(input.word().into()));
                period.until.0 = period.until.0.wrapping_add(input.byte().into());
                mix_keys.push(mix_key(&world.network, hop, key, period, by));
            }
            1 => {
                let key = codec::decode::<MixKey>(input.piece());
                mix_keys.extend(key.ok().map(|key| Unverified::sign(&key, &world.network, by)));
            }
            _ => desks.push(desk(&mut input, world)),
        }
    }
    // The root's signatures take long: those of the world's own roster are there.
    let read = if roster == world.roster {
        let read =
            UnverifiedDirectory::from_bytes(&world.directory_bytes).expect("the world's own directory");
        let read = read.with_desks(desks);
        read.with_keys(mix_keys, |_, keys| keys.to_vec()).expect("cards that were made just now")
    } else {
        UnverifiedDirectory::assemble(&world.root, &roster, mix_keys, desks)
    };
    verified(read, world);
}

fn bend_roster(input: &mut Input<'_>, roster: &mut Roster) {
    let p = &mut roster.parameters;
    for _ in 0..input.below(4) {
        match input.byte() % 14 {
            0 => p.schedule.round_ms = input.long(),
            1 => p.schedule.genesis = Millis(u64::from(input.long()) << (input.byte() % 33)),
            2 => p.mixes = input.byte(),
            3 => (p.n_min, p.n_max) = (input.long(), input.long()),
            4 => p.desk_slots = input.word(),
            5 => p.reader_slots = input.word(),
            6 => p.hold.0 = input.word(),
            7 => (p.decoys.mu, p.decoys.b) = (input.word(), input.word()),
            8 => p.quorum = input.byte(),
            9 => p.desks = input.word(),
            10 => (roster.from, roster.until) = (Round(input.long()), Round(input.long())),
            11 => roster.name = String::from_utf8_lossy(input.piece()).into_owned(),
            12 => {
                let at = input.below(roster.operators.len().max(1));
                let since = Round(input.long());
                roster.operators.iter_mut().skip(at).take(1).for_each(|o| o.since = since);
            }
            _ => {
                let at = input.below(roster.operators.len().max(1));
                if at < roster.operators.len() {
                    drop(roster.operators.remove(at));
                }
            }
        }
    }
}

fn desk(input: &mut Input<'_>, world: &World) -> DeskEntry {
    let (newsroom, signer) = (world.identity(2 + input.byte() % 2), world.identity(2 + input.byte() % 3));
    let desk = world.identity(3 + input.byte() % 3);
    let vault_key =
        if input.byte().is_multiple_of(4) { world.identity(input.byte()) } else { &world.vault_key };
    let card = DeskCard {
        desk: desk.public(),
        vault_key: vault_key.public(),
        name: String::from_utf8_lossy(input.piece()).into_owned(),
        about: String::from_utf8_lossy(input.piece()).into_owned(),
        since: Round(input.long()),
    };
    let keys = (0..input.below(3)).map(|_| {
        let period = KeyKind::Intake.period(Round(input.word().into()));
        let key =
            if input.byte().is_multiple_of(2) { world.intake.public() } else { world.layers[0].public() };
        let key = IntakeKey { key: key.to_bytes().into(), from: period.from, until: period.until };
        Unverified::sign(&key, &world.network, if input.byte() == 1 { desk } else { vault_key })
    });
    let keys = keys.collect();
    DeskEntry { newsroom: newsroom.public(), card: Unverified::sign(&card, &world.network, signer), keys }
}

fn verified(read: UnverifiedDirectory, world: &World) {
    let bytes = read.to_bytes();
    let Ok(directory) = read.verify(&world.network) else { return };
    assert_eq!(directory.digest(), Digest::of(&bytes));
    let p = directory.parameters();
    // DIR-03, written a second time.
    assert!((1..=4).contains(&p.mixes) && p.n_min >= 2 && p.n_min <= p.n_max);
    assert!((500..=86_400_000).contains(&p.schedule.round_ms));
    assert!((1..=4096).contains(&p.desk_slots) && (1..=4096).contains(&p.reader_slots));
    assert!(directory.desks().len() <= usize::from(p.desks) && (1..=1024).contains(&p.desks));
    let cascade = directory.wire().cascade;
    for round in [0, 1, NOW.0, directory.roster().from.0, u32::MAX - 1, u32::MAX].map(Round) {
        for hop in 0..=cascade.mixes() {
            let _ = (directory.roster().mix(hop, round), directory.mix_key(hop, round).is_some());
        }
        let _ = (directory.exit_key(round).is_some(), directory.has_keys(round));
        let _ = (
            directory.layer_keys(&RoundKeys::default(), round).is_some(),
            directory.newest_exit_key().is_some(),
        );
        assert!(directory.roster().witnesses(round).count() <= 64);
        directory
            .desks()
            .iter()
            .for_each(|desk| assert!(desk.intake(round).is_none_or(|_| desk.keys().count() > 0)));
        let schedule = p.schedule;
        let _ =
            (schedule.start(round), schedule.end(round), schedule.collects(round), schedule.drops_due(round));
        assert!(schedule.round_at(schedule.start(round)).is_none_or(|at| at == round));
    }
    // DIR-04, DIR-08, DIR-09: no signing key is two people's, or one's twice.
    let desks = directory.desks().iter().flat_map(|desk| [desk.identity, desk.vault_key]);
    let mut signers: Vec<_> = directory.roster().operators.iter().map(|o| o.key).chain(desks).collect();
    let all = signers.len();
    signers.sort_unstable();
    signers.dedup();
    assert_eq!(signers.len(), all);
    for desk in directory.desks() {
        assert!((1..=80).contains(&desk.name.len()) && desk.about.len() <= 500);
        assert!(![&desk.name, &desk.about].iter().any(|text| text.chars().any(char::is_control)));
        assert!(directory.desk(&desk.id).is_some());
    }
    for other in [&world.directory, &world.later] {
        let _ =
            (directory.follows_roster(other), directory.follows(other, NOW), other.follows(&directory, NOW));
    }
}

/// Heads of editions: as they come, and with what a press and mixes did sign; verified with the directory that each names, of
/// which one is not in force yet.
pub(crate) fn heads(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    if input.byte().is_multiple_of(4) {
        let bytes = input.rest();
        let Ok(read) = UnverifiedHead::from_bytes(bytes) else { return };
        assert!(bytes.len() <= MAX_HEAD, "EDN-11");
        if let Ok(named) = read.dangerously_directory() {
            let directory = if named == world.later.digest() { &world.later } else { &world.directory };
            assert!(read.verify(directory, NOW, NOW, None).is_err(), "nobody signed it");
        }
        return;
    }
    let by = world.identity(input.byte());
    let directory = if input.byte().is_multiple_of(2) { &world.directory } else { &world.later };
    let asked = Round(NOW.0.wrapping_add(input.byte().into()).wrapping_sub(input.byte().into()));
    let head = match input.byte() % 4 {
        0 => match codec::decode::<Head>(input.rest()) {
            Ok(head) => head,
            Err(_) => return,
        },
        _ => head(&mut input, world, directory),
    };
    let signed = sign_head(&head, &world.network, by);
    let Ok(read) = UnverifiedHead::from_bytes(&signed) else {
        assert!(signed.len() > MAX_HEAD);
        return;
    };
    let previous = Digest([1; 32]);
    let Ok(edition) = read.verify(directory, asked, NOW, Some(&previous)) else { return };
    let press = directory.roster().operators.iter().find(|o| o.key == by.public());
    assert!(press.is_some_and(|o| o.since <= asked), "EDN-01");
    assert!(
        head.round == asked && asked <= NOW.next() && head.previous == previous,
        "EDN-02, EDN-03, EDN-09"
    );
    assert!(head.directory == directory.digest() && directory.roster().holds(asked), "EDN-04, EDN-13");
    assert_eq!((edition.digest(), edition.head()), (Digest::of(&signed), &head));
    assert!(
        edition.round_keys().iter().all(|(round, _)| (asked.0..=asked.0 + 12).contains(&round.0)),
        "EDN-12"
    );
    assert!(edition.drops().len() <= head.manifests.len());
}

fn head(input: &mut Input<'_>, world: &World, directory: &Directory) -> Head {
    let round = Round(NOW.0.wrapping_add(input.byte().into()).wrapping_sub(input.byte().into()));
    let reference = |input: &mut Input<'_>| BundleRef { digest: Digest(input.bytes()), len: input.long() };
    let mut head = Head {
        round,
        previous: if input.byte() == 1 { Digest([2; 32]) } else { Digest([1; 32]) },
        made: Millis(input.long().into()),
        directory: if input.byte() == 1 { Digest([3; 32]) } else { directory.digest() },
        changes: reference(input),
        front: reference(input),
        page: Digest(input.bytes()),
        manifests: Vec::new(),
        round_keys: Vec::new(),
    };
    while !input.is_over() && head.manifests.len() + head.round_keys.len() < 16 {
        match input.byte() % 2 {
            0 => {
                let hop = input.byte() % 4;
                let outputs = (0..input.below(4)).map(|n| Digest([n as u8; 32])).collect();
                let manifest = manifest(input, hop, outputs);
                let by = if input.byte() == 1 { world.identity(7) } else { world.identity(4 + hop) };
                head.manifests.push(Unverified::sign(&manifest, &world.network, by));
            }
            _ => {
                let hop = input.byte() % 2;
                let period = KeyKind::of_mix(hop, world.wire.cascade)
                    .period(Round(head.round.0.wrapping_add(input.byte().into())));
                let key = world.layers[input.below(3)].public();
                let by = if input.byte() == 1 { world.identity(7) } else { world.identity(4 + hop) };
                head.round_keys.push(mix_key(&world.network, hop, key, period, by));
            }
        }
    }
    head
}

fn manifest(input: &mut Input<'_>, hop: u8, outputs: Vec<Digest>) -> Manifest {
    Manifest {
        batch: BatchId { round: Round(input.word().into()), part: u16::from(input.byte() % 2) },
        hop,
        inputs: (0..input.below(3)).map(|_| Digest(input.bytes())).collect(),
        count_in: input.long(),
        count_out: input.long(),
        outputs,
        deleted: input.word().into(),
        alarm: input.byte() == 1,
    }
}

/// What one mix hands the next: a manifest and what it names.
pub(crate) fn handed(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    let (mode, hop, by) = (input.byte() % 3, input.byte() % 4, world.identity(4 + input.byte() % 4));
    if mode == 0 {
        let bytes = input.rest();
        let id = BatchId { round: Round(3), part: 0 };
        assert!(!batch_fits(bytes, hop % 3, id), "nobody signed it");
        let Ok(read) = Handed::parse(bytes.to_vec().into()) else { return };
        assert_eq!(read.body(), bytes);
        assert!(read.manifest_bytes().len() <= MAX_MANIFEST);
        assert_eq!(4 + read.manifest_bytes().len() + read.payload().len(), bytes.len());
        assert!(read.check_drops(&world.directory, id.round).is_err(), "nobody signed it");
        return;
    }
    let exit = mode == 2;
    let mut manifest = manifest(&mut input, hop, Vec::new());
    let mut payload = input.rest().to_vec();
    let p = world.directory.parameters();
    let desk = server::handed::desk_drop_len(world.wire.cascade, p);
    if exit {
        payload.resize(desk + server::handed::reader_drop_len(p), 0);
        manifest.outputs = vec![Digest::of(&payload[..desk]), Digest::of(&payload[desk..])];
    } else {
        manifest.outputs = vec![Digest::of(&payload)];
    }
    let handed = Handed::new(&Unverified::sign(&manifest, &world.network, by), &payload);
    let read = Handed::parse(handed.body()).expect("made just now");
    assert_eq!((read.payload(), read.body()), (payload.into(), handed.body()));
    let is_mixes = world.mixes.get(usize::from(hop)).is_some_and(|mix| mix.public() == by.public());
    let id = manifest.batch;
    let drops_fit = |round| read.check_drops(&world.directory, round).is_ok();
    assert_eq!(drops_fit(id.round), exit && is_mixes && hop == 2 && id.part == 0, "BAT-03 to BAT-05");
    assert!(!drops_fit(id.round.next()), "BAT-04");
    let other = BatchId { part: id.part + 1, ..id };
    assert_eq!(batch_fits(&read.body(), hop, id), !exit && is_mixes && hop < 2, "BAT-03 to BAT-05");
    assert!(!batch_fits(&read.body(), hop, other), "BAT-04");
}

/// Whether this is taken for a batch by edge and mixes, which read it from a file.
fn batch_fits(bytes: &[u8], hop: u8, id: BatchId) -> bool {
    static FOLDER: LazyLock<TempDir> = LazyLock::new(memory);
    let file = FOLDER.path().join(format!("{:?}", std::thread::current().id()));
    std::fs::write(&file, bytes).expect("there is room");
    match Incoming::open(&file).and_then(|batch| batch.check(&WORLD.directory, hop, id)) {
        Ok((_, manifest)) => {
            assert_eq!((manifest.hop, manifest.batch), (hop, id));
            true
        }
        Err(IncomingRejected::Handed(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

/// Checkpoints with their co-signatures: as they come, and with lines that the press and witnesses did sign.
pub(crate) fn notes(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    match input.byte() % 4 {
        0 => note(input.rest(), world),
        1 => {
            let bytes = input.rest();
            if let Ok(line) = CosignatureLine::from_bytes(bytes) {
                assert_eq!(line.to_bytes(), bytes, "one way to write a line");
            }
        }
        _ => {
            let checkpoint = Checkpoint {
                size: u64::from(input.long()) << (input.byte() % 33),
                root: Digest(input.bytes()),
            };
            let other = Checkpoint { size: checkpoint.size ^ 1, ..checkpoint };
            let by = if input.byte() == 1 { &world.stranger } else { &world.press };
            let mut bytes = checkpoint.sign(&world.network, by);
            for _ in 0..input.below(6) {
                let witness = &world.witnesses[input.below(3)];
                let time = Millis(
                    Standing.now().0.wrapping_add(input.long().into()).wrapping_sub(input.long().into()),
                );
                match input.byte() % 6 {
                    0 => bytes.extend(other.cosign(&world.network, witness, time).to_bytes()),
                    1 => bytes.extend(checkpoint.cosign(&NetworkId([9; 32]), witness, time).to_bytes()),
                    2 => bytes.extend(input.piece()),
                    _ => bytes.extend(checkpoint.cosign(&world.network, witness, time).to_bytes()),
                }
            }
            bend(&mut input, &mut bytes);
            note(&bytes, world);
        }
    }
}

fn note(bytes: &[u8], world: &World) {
    let Ok(note) = UnverifiedNote::from_bytes(bytes) else { return };
    assert!(bytes.len() <= MAX_NOTE, "LOG-01");
    assert_eq!(note.to_bytes(), bytes, "one way to write a note");
    let checkpoint = note.dangerously_checkpoint();
    assert!(checkpoint.size >= 1);
    let more = checkpoint.cosign(&world.network, &world.witnesses[0], Standing.now());
    let with = note.clone().with(more.clone()).with(more);
    if with.to_bytes().len() <= MAX_NOTE {
        assert!(UnverifiedNote::from_bytes(&with.to_bytes()).is_ok_and(|again| again == with));
    }
    // With the roster in force, and with one that is not yet.
    for (directory, round) in [(&world.directory, NOW), (&world.later, NOW), (&world.later, Round(320))] {
        for note in [&note, &with] {
            let Ok(signed) = note.verify(directory, round) else { continue };
            assert_eq!(signed.checkpoint(), checkpoint);
            let mut who: Vec<_> = signed.cosignatures().iter().map(|c| c.witness).collect();
            who.sort_unstable();
            who.dedup();
            assert_eq!(who.len(), signed.cosignatures().len(), "LOG-04: one line each");
            let now = Standing.now();
            if signed.witnessed(directory, now).is_ok() {
                let latest = now.0 + 5_000;
                let counted = signed.cosignatures().iter().filter(|c| {
                    c.time.saturating_mul(1000) <= latest && now.0 < (c.time + 1) * 1000 + 3 * 5_000
                });
                assert!(counted.count() >= 2, "LOG-05 to LOG-07");
            }
        }
    }
}

/// The log's tree: frontiers as they come, tiles by their paths, and that both grow to the same root.
pub(crate) fn trees(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    match input.byte() % 3 {
        0 => {
            let bytes = input.rest();
            let Ok(mut tree) = Frontier::from_bytes(bytes) else { return };
            assert!(tree.to_bytes() == bytes && bytes.len() <= 2_048, "LOG-08");
            let before = (tree.size(), tree.clone());
            tree.push(b"leaf");
            assert_eq!(tree.size(), before.0 + 1);
            assert!(before.1.clone().begin(b"leaf", &tree.checkpoint()).is_ok_and(|begun| begun == tree));
            assert!(
                before.1.check(&tree.checkpoint()).is_err() && tree.check(&before.1.checkpoint()).is_err()
            );
            assert!(tree.check(&tree.checkpoint()).is_ok());
        }
        1 => {
            let Ok(path) = core::str::from_utf8(input.rest()) else { return };
            let Some(tile) = Tile::parse(path) else { return };
            assert_eq!(tile.path(), path, "one path for each tile");
            let _ = Hashes::default().tile(&tile);
        }
        _ => {
            let (mut tree, mut hashes) = (Frontier::empty(), Hashes::default());
            let (many, seed) = (usize::from(input.word()) % 600, input.byte());
            for n in 0..many {
                let leaf = [seed, n as u8, (n >> 8) as u8];
                tree.push(&leaf);
                hashes.push(proto::log::leaf_hash(&leaf));
            }
            assert_eq!(hashes.frontier(many as u64), Some(tree));
            let tile =
                Tile { level: input.byte() % 3, index: input.word().into(), width: 1 + input.word() % 256 };
            if let Some(bytes) = hashes.tile(&tile) {
                assert_eq!(bytes.len(), usize::from(tile.width) * 32);
            }
        }
    }
}

/// Signed requests: the header, and that a signature is good for one request.
pub(crate) fn requests(bytes: &[u8]) {
    let (mut input, world) = (Input::new(bytes), &*WORLD);
    let now = Standing.now();
    if input.byte().is_multiple_of(2) {
        let Ok(header) = core::str::from_utf8(input.rest()) else { return };
        if let Ok(read) = UnverifiedRequest::parse(header) {
            assert!(read.verify(&world.network, "GET", "/v1/rounds", now).is_err(), "nobody signed it");
        }
        return;
    }
    let method = if input.byte().is_multiple_of(2) { "GET" } else { "PUT" };
    let time = Millis(now.0.wrapping_add(input.long().into()).wrapping_sub(input.long().into()));
    let asked = String::from_utf8_lossy(input.piece()).into_owned();
    let path = String::from_utf8_lossy(input.piece()).into_owned();
    let by = world.identity(input.byte());
    let body = input.piece();
    let header = request::sign(&world.network, by, method, &path, body, time);
    let mut bytes = header.into_bytes();
    let bent = bend(&mut input, &mut bytes);
    let Ok(header) = String::from_utf8(bytes) else { return };
    let Ok(read) = UnverifiedRequest::parse(&header) else {
        assert!(bent);
        return;
    };
    let within = time.0.abs_diff(now.0) <= request::WINDOW_MS;
    match read.verify(&world.network, method, &asked, now) {
        // A digit written large names the same.
        Ok(signed) => {
            assert!(within && asked == path && signed.by() == by.public() && signed.check_body(body).is_ok());
            assert!(signed.check_body(b"another body").is_err() || body == b"another body");
        }
        Err(_) => assert!(bent || !within || asked != path),
    }
}
