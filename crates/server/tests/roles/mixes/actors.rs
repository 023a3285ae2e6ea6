//! Mixes and strangers who do wrong, one test for each: a mix that drops, spares decoys, replaces, duplicates, tags, stalls or
//! lies, and what becomes of it. The test holds the keys of the one who does wrong and acts in its place; all others are real.

use super::*;
use proto::decoy::Decoys;
use proto::directory::{IntakeKey, MixKey};
use proto::drops::{empty_box, empty_slot};
use proto::envelope::{Found, dangerously_seal_exit_layer, open_exit, open_layer, wrap_for};
use proto::mix::chain;
use proto::seal::{Use, seal};
use proto::size::{ENVELOPE, EXIT_HEADER, READER_SLOT};
use server::handed::desk_drop_len;

pub(super) const DECOYS: Decoys = Decoys { mu: 2, b: 1 };

pub(super) fn town_with_decoys(seed: u64) -> Town {
    Town::bent(seed, 3, |p| (p.desk_slots, p.decoys) = (8, DECOYS))
}

impl Net {
    /// Stops the mix at `hop` for good: the test acts in its place. Makes and hands over its keys up to `until`, as it would.
    pub(super) fn play(&mut self, hop: u8, until: Round) {
        self.mixes[usize::from(hop)] = None;
        let kind = KeyKind::of_mix(hop, self.directory().wire().cascade);
        let mut period = kind.period(self.round());
        while period.from <= until {
            if self.kept(hop, period.from).is_none() {
                let secret = SealSecret::generate(&mut self.town.rng);
                let key = secret.public().to_bytes().into();
                let key = MixKey { hop, key, from: period.from, until: period.until };
                let by = &self.town.mixes[usize::from(hop)];
                let body = codec::encode(&Unverified::sign(&key, &self.town.network, by));
                let path = format!("/v1/keys/{hop}/{}", period.from);
                assert_eq!(self.signed(by, "PUT", &path, body).unwrap().0, 200, "{path}");
                let seed = secret.to_seed();
                let row = rusqlite::params![period.from.0, period.until.0, seed.as_slice()];
                let insert = "INSERT INTO keys (first, last, seed, handed) VALUES (?1, ?2, ?3, 1)";
                self.kept_by(hop).execute(insert, row).unwrap();
            }
            period = kind.period(period.until.next());
        }
    }

    fn kept_by(&self, hop: u8) -> rusqlite::Connection {
        rusqlite::Connection::open(self.folder.path().join(format!("mix{hop}")).join("mix.sqlite")).unwrap()
    }

    /// The key of the mix at `hop` whose rounds this is one of, if it still has it.
    fn kept(&self, hop: u8, round: Round) -> Option<SealSecret> {
        let query = "SELECT seed FROM keys WHERE ?1 BETWEEN first AND last";
        let seed = self.kept_by(hop).query_row(query, [round.0], |row| row.get::<_, [u8; 32]>(0));
        seed.ok().map(|seed| SealSecret::from_seed(&seed))
    }

    /// What the mix at `hop` opens things of `round` with.
    pub(super) fn secret_of(&self, hop: u8, round: Round) -> SealSecret {
        self.kept(hop, round).expect("it made one and has it")
    }

    /// What the mix at `hop` receives, in `round`, of tips with these texts, and of cover where a text is empty.
    pub(super) fn entries(&mut self, hop: u8, round: u32, texts: &[impl AsRef<str>]) -> Vec<Vec<u8>> {
        let wire = self.directory().wire();
        let keys: Vec<_> = (hop..wire.cascade.exit()).map(|hop| self.key_of(hop, Round(round))).collect();
        let exit = self.exit_key();
        let mut entry = |text: &str| {
            let blob = match text {
                "" => cover(&wire, &exit, &mut self.town.rng),
                text => self.message(text),
            };
            wrap_for(&wire, blob, hop, &keys, &mut self.town.rng)
        };
        texts.iter().map(|text| entry(text.as_ref())).collect()
    }

    /// What the mix at `hop` makes of `entries`, with a manifest of which `bend` makes what it likes.
    pub(super) fn made(
        &mut self,
        hop: u8,
        round: u32,
        entries: &[Vec<u8>],
        bend: impl FnOnce(&mut Manifest),
    ) -> Handed {
        let (wire, id) = (self.directory().wire(), BatchId { round: Round(round), part: 0 });
        let to = self.key_of(hop + 1, id.round);
        let mut payload = Vec::new();
        let mut sealing = BatchSeal::new(&wire, hop + 1, &to, &mut self.town.rng, &mut payload);
        entries.iter().for_each(|entry| sealing.entry(entry, &mut payload));
        sealing.finish(&mut payload);
        let count = entries.len() as u32;
        let mut manifest = Manifest {
            batch: id,
            hop,
            inputs: vec![],
            count_in: count,
            count_out: count,
            outputs: vec![Digest::of(&payload)],
            deleted: 0,
            alarm: false,
        };
        bend(&mut manifest);
        let by = &self.town.mixes[usize::from(hop)];
        Handed::new(&Unverified::sign(&manifest, &self.town.network, by), &payload)
    }

    /// Hands it over as the mix at `hop`.
    pub(super) fn hand(&self, hop: u8, round: u32, handed: &Handed) -> u16 {
        let by = &self.town.mixes[usize::from(hop)];
        self.signed(by, "PUT", &format!("/v1/batches/{hop}/{round}/0"), handed.body().to_vec()).unwrap().0
    }

    /// Hands over `entries` as the mix at `hop`, with a manifest that states `count` of them.
    pub(super) fn forge(&mut self, hop: u8, round: u32, entries: &[Vec<u8>], count: u32) -> u16 {
        let handed = self.made(hop, round, entries, |m| (m.count_in, m.count_out) = (count, count));
        self.hand(hop, round, &handed)
    }

    /// What all batches of these rounds brought and passed on at `hop`.
    pub(super) fn counts(&self, rounds: std::ops::RangeInclusive<u32>, hop: u8) -> Vec<(u32, u32)> {
        let manifests = rounds.flat_map(|r| self.manifests(r));
        manifests.filter(|m| m.hop == hop).map(|m| (m.count_in, m.count_out)).collect()
    }

    /// What the mix at `hop` was handed for this round, opened as it would.
    pub(super) fn taken(&mut self, hop: u8, round: u32) -> Vec<Vec<u8>> {
        let key = self.secret_of(hop, Round(round));
        self.opened(hop, round, &key).unwrap()
    }

    /// What the mix at `hop` was handed for this round, if it opens with this key.
    pub(super) fn opened(&self, hop: u8, round: u32, key: &SealSecret) -> Option<Vec<Vec<u8>>> {
        let path = format!("/v1/batches/{}/{round}/0", hop - 1);
        let mix = &self.town.mixes[usize::from(hop)];
        let (status, body) = self.signed(mix, "GET", &path, vec![]).unwrap();
        assert_eq!(status, 200, "{path}");
        let handed = Handed::parse(body.into()).unwrap();
        proto::batch::open(&self.directory().wire(), hop, key, &handed.payload()).ok()
    }

    /// Drops in which nothing stands, signed by the exit.
    pub(super) fn empty_drops(&mut self, round: u32) {
        let wire = self.directory().wire();
        let parameters = self.directory().parameters().clone();
        let mut desk: Vec<u8> =
            (0..parameters.desk_slots).flat_map(|_| empty_box(&wire, &mut self.town.rng)).collect();
        desk.resize(server::handed::desk_drop_len(wire.cascade, &parameters), 7);
        let reader: Vec<u8> =
            (0..parameters.reader_slots).flat_map(|_| empty_slot(&mut self.town.rng)).collect();
        let manifest = Manifest {
            batch: BatchId { round: Round(round), part: 0 },
            hop: 2,
            inputs: vec![],
            count_in: 4,
            count_out: 12,
            outputs: vec![Digest::of(&desk), Digest::of(&reader)],
            deleted: 0,
            alarm: false,
        };
        let by = &self.town.mixes[2];
        let payload = [desk, reader].concat();
        let handed = Handed::new(&Unverified::sign(&manifest, &self.town.network, by), &payload);
        let put = self.signed(by, "PUT", &format!("/v1/drops/{round}"), handed.body().to_vec());
        assert_eq!(put.unwrap().0, 200);
    }

    /// Whether the mix at `hop` raised the alarm in a long run, early and in the end.
    pub(super) fn alarms(&self, hop: u8) -> (bool, bool) {
        let alarm = |r| self.manifests(r).iter().any(|m| m.hop == hop && m.alarm);
        ((5..60).any(alarm), alarm(66))
    }

    /// Round after round with four covers each, until decoys that left in round 6 are judged. `wrong` acts in each once the
    /// first mix has passed its batch on. Returns whether the first mix raised the alarm, early and in the end.
    pub(super) fn long_run(&mut self, mut wrong: impl FnMut(&mut Self, u32)) -> (bool, bool) {
        let schedule = self.town.schedule();
        for r in 5..=67u32 {
            self.at(schedule.start(Round(r)).plus(200));
            for _ in 0..4 {
                let cover = self.cover();
                self.upload(Round(r), cover);
            }
            if r > 5 {
                wrong(self, r - 1);
                self.at(schedule.drops_due(Round(r - 1)));
            }
            self.publish_once();
        }
        self.alarms(0)
    }
}

/// MIX-08
#[test]
fn mix_08_each_mix_adds_the_same_number_of_onions_once_a_round_whatever_the_noise() {
    let mut net = Net::start(town_with_decoys(31), None);
    let sent = four_rounds(&mut net);
    check_delivered_once(&net, &sent);
    let counts = |r| net.manifests(r).iter().map(|m| (m.hop, m.count_in, m.count_out)).collect::<Vec<_>>();
    assert_eq!(counts(5)[..2], [(0, 10, 12), (1, 12, 16)], "eight, and four from each");
    for r in 6..=8 {
        assert_eq!(counts(r)[..2], [(0, 4, 8), (1, 8, 12)], "round {r}");
    }
    net.stop();
}

#[test]
fn mix_08_every_batch_gets_decoys_once_and_what_is_left_of_a_round_waits() {
    let mut net = Net::start(
        Town::bent(32, 3, |p| (p.n_min, p.n_max, p.desk_slots, p.decoys) = (4, 5, 8, DECOYS)),
        None,
    );
    let schedule = net.town.schedule();
    for (r, count) in [(5, 2), (6, 1), (7, 6), (8, 7)] {
        net.at(schedule.start(Round(r)).plus(200));
        for _ in 0..count {
            let cover = net.cover();
            net.upload(Round(r), cover);
        }
    }
    net.at(schedule.start(Round(9)).plus(200));
    let first = |r| {
        let of_first = net.manifests(r).into_iter().filter(|m| m.hop == 0);
        of_first.map(|m| (m.batch.part, m.count_in, m.count_out)).collect::<Vec<_>>()
    };
    assert_eq!(first(7), [(0, 5, 9)], "five and four onions; four are left");
    assert_eq!(first(8), [(0, 5, 9), (1, 5, 9)], "one is left");
    assert!((5..7).flat_map(|r| net.manifests(r)).all(|m| m.hop == 2), "the drops alone");
    net.stop();
}

/// Step Searched among what is stopped.
#[test]
fn mix_09_a_mix_that_is_stopped_while_it_looks_finds_its_decoys() {
    for (side, first) in [(Side::Before, 0), (Side::After, 0), (Side::After, 1)] {
        let victim = Victim { who: Who::Mix(0), step: Step::Searched, side, first };
        let mut net = Net::start(town_with_decoys(33), Some(victim));
        assert_eq!(net.long_run(|_, _| ()), (false, false), "{victim:?}");
        assert!(net.came.load(Ordering::SeqCst) > first, "never struck: {victim:?}");
        net.stop();
    }
}

/// What came while it was off is looked for before it is said to be missing.
#[test]
fn mix_09_a_mix_that_was_off_for_days_accuses_nobody() {
    let mut net = Net::start(town_with_decoys(85), None);
    let schedule = net.town.schedule();
    for r in 5..93u32 {
        // Its first step closes what waited for it.
        match r {
            30 => net.mixes[1] = None,
            92 => net.open_mix(1),
            _ => {}
        }
        net.at(schedule.start(Round(r)).plus(200));
        // It has keys until round 71.
        if r < 71 {
            for _ in 0..4 {
                let cover = net.cover();
                net.upload(Round(r), cover);
            }
        }
        net.at(schedule.drops_due(Round(r - 1)));
        net.publish_once();
    }
    let alarms = |rounds: core::ops::Range<u32>| {
        let manifests = rounds.flat_map(|r| net.manifests(r)).filter(|m| m.hop == 1);
        manifests.map(|m| m.alarm).collect::<Vec<_>>()
    };
    assert_eq!(alarms(5..29), [false; 24]);
    let late = alarms(29..93);
    assert!(late.len() > 5 && !late.contains(&true), "{late:?}");
    net.stop();
}

#[test]
fn an_exit_that_drops_messages_or_stalls_is_told_by_the_mixes_before_it() {
    for stalls in [false, true] {
        let mut net = Net::start(town_with_decoys(34), None);
        net.mixes[2] = None;
        let alarms = net.long_run(|net, r| {
            if !stalls {
                net.empty_drops(r);
            }
        });
        assert_eq!([alarms, net.alarms(1)], [(false, true); 2], "stalls: {stalls}");
        net.stop();
    }
}

/// It knows its own decoys, and nobody else's: those of the mix before it go with the messages it drops.
#[test]
fn a_middle_mix_that_spares_its_decoys_and_drops_the_rest_is_told_by_the_first() {
    let mut net = Net::start(town_with_decoys(35), None);
    net.play(1, Round(67));
    let alarms = net.long_run(|net, r| {
        let taken = net.taken(1, r).len() as u32;
        let (wire, exit) = (net.directory().wire(), net.exit_key());
        let own: Vec<_> = (0..taken)
            .map(|n| proto::envelope::decoy(&wire, n < 4, &exit, &mut net.town.rng).0.as_bytes().to_vec())
            .collect();
        assert_eq!(net.forge(1, r, &own, taken), 200);
    });
    assert_eq!(alarms, (false, true));
    net.stop();
}

#[test]
fn a_middle_mix_that_stalls_is_told_by_the_first() {
    let mut net = Net::start(town_with_decoys(46), None);
    net.play(1, Round(67));
    assert_eq!(net.long_run(|_, _| ()), (false, true));
    assert!(net.counts(5..=66, 1).is_empty());
    net.stop();
}

/// P8, where it ends: no mix stands before the first, so nobody's decoys go with what it leaves out. Its manifests state what
/// honest ones do, down to the digest of the round. The source alone sees that nothing is acknowledged.
#[test]
fn a_first_mix_that_drops_is_told_by_nobody_but_the_source() {
    let mut net = Net::start(town_with_decoys(47), None);
    net.play(0, Round(17));
    let tip = net.tip("left out");
    net.upload(Round(5), tip);
    net.long_run(|net, r| {
        let path = format!("/v1/rounds/{r}/envelopes/0");
        let envelopes = net.signed(&net.town.mixes[0], "GET", &path, vec![]).unwrap().1;
        let envelopes = envelopes.chunks_exact(ENVELOPE);
        let (taken, digest) = (envelopes.len(), chain(None, envelopes));
        // As many as an honest one passes on, all of them its own.
        let own = net.entries(1, r, &vec![""; taken + 4]);
        let handed = net.made(0, r, &own, |m| (m.inputs, m.count_in) = (vec![digest], taken as u32));
        assert_eq!(net.hand(0, r, &handed), 200);
        net.play(0, Round(r + 12));
    });
    assert!((5..=66).flat_map(|r| net.manifests(r)).all(|m| !m.alarm));
    assert_eq!(net.counts(5..=5, 0), [(5, 9)]);
    assert_eq!(net.counts(6..=66, 0), [(4, 8); 61]);
    assert_eq!(net.counts(6..=66, 1), [(8, 12); 61]);
    assert!(net.delivered(5..=66).is_empty());
    net.stop();
}

/// To the exit, and to a mix between, a decoy is what a message is.
#[test]
fn a_mix_cannot_tell_a_decoy_from_a_message() {
    let mut net = Net::start(town_with_decoys(36), None);
    net.mixes[1] = None;
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..4 {
        let tip = net.tip(&format!("{n}"));
        net.upload(Round(5), tip);
    }
    net.at(schedule.start(Round(6)).plus(200));
    let wire = net.directory().wire();
    let mut lengths = Vec::new();
    let mut to_desk = 0;
    let (middle, exit) = (net.secret_of(1, Round(5)), net.secret_of(2, Round(5)));
    for entry in net.taken(1, 5) {
        let (_, layer) = open_layer(&wire, 1, &middle, &entry).unwrap();
        lengths.push((entry.len(), layer.len()));
        match open_exit(&wire, &exit, &[], &layer).unwrap().1 {
            Found::ToDesk(boxed) => {
                assert_eq!(boxed.len(), wire.cascade.boxed());
                to_desk += 1;
            }
            Found::Cover => {}
            Found::ToReaders(_) => panic!("nobody sent any"),
        }
    }
    assert_eq!(lengths.len(), 8);
    lengths.dedup();
    assert_eq!(lengths.len(), 1);
    assert!((4..=8).contains(&to_desk));
    net.stop();
}

#[test]
fn a_mix_that_duplicates_or_tags_entries_has_the_copies_and_the_tagged_ones_dropped() {
    let mut net = Net::start(Town::new(37), None);
    net.mixes[0] = None;
    let (wire, schedule) = (net.directory().wire(), net.town.schedule());
    net.at(schedule.start(Round(6)).plus(200));
    let key = net.secret_of(0, Round(6));
    let mut entries: Vec<Vec<u8>> = ["one", "two", "three", "four", "five"]
        .map(|text| open_layer(&wire, 0, &key, &net.tip(text)).unwrap().1)
        .into();
    // One bit of the fifth, anywhere: it would be looked for behind the honest mix.
    entries[4][3_000] ^= 1;
    entries.push(entries[0].clone());
    assert_eq!(net.forge(0, 5, &entries, 6), 200);
    net.at(schedule.drops_due(Round(5)));
    let middle = &net.manifests(5)[1];
    assert_eq!((middle.hop, middle.count_in, middle.count_out), (1, 6, 4));
    let delivered = net.delivered(3..=5);
    assert_eq!(
        delivered.into_iter().collect::<Vec<_>>(),
        ["four", "one", "three", "two"].map(|t| (t.into(), 1))
    );
    net.stop();
}

/// The exit counts all that comes and says nothing of what opened (EXT-06): what is bent or came twice is gone, and the middle mix
/// sees in the exit's manifest what it would have seen without.
#[test]
fn a_middle_mix_that_tags_entries_has_them_dropped_and_learns_nothing_from_the_exit() {
    let said = [true, false].map(|tags| {
        let mut net = Net::start(Town::bent(48, 3, |p| p.desk_slots = 8), None);
        net.mixes[1] = None;
        let schedule = net.town.schedule();
        net.at(schedule.start(Round(6)).plus(200));
        let mut entries = net.entries(2, 5, &["one", "two", "three", "four", "five", ""]);
        if tags {
            entries[4][3_000] ^= 1;
            entries[5] = entries[0].clone();
        }
        assert_eq!(net.forge(1, 5, &entries, 6), 200);
        net.at(schedule.drops_due(Round(5)));
        let came: Vec<_> = net.delivered(5..=5).into_iter().collect();
        let all = ["five", "four", "one", "three", "two"].map(|text| (text.to_owned(), 1));
        assert_eq!(came, all[usize::from(tags)..]);
        let exit = net.manifests(5).into_iter().find(|m| m.hop == 2).unwrap();
        net.stop();
        assert_eq!((exit.inputs.len(), exit.outputs.len()), (1, 2));
        // The digests differ as any two do.
        Manifest { inputs: vec![], outputs: vec![], ..exit }
    });
    assert_eq!(said[0], said[1]);
}

/// What a manifest says besides the batch is its mix's own word. Whoever lies there gains nothing and stops nothing; what can be
/// compared shows it, and the rest nobody can check.
#[test]
fn a_mix_that_lies_in_its_manifest_changes_nothing_that_is_passed_on() {
    for hop in [0, 1] {
        let mut net = Net::start(Town::new(49), None);
        net.mixes[usize::from(hop)] = None;
        let schedule = net.town.schedule();
        for (r, texts) in [(5, ["a", "b", "c", "d"]), (6, ["e", "f", "g", "h"])] {
            net.at(schedule.start(Round(r + 1)).plus(200));
            if hop == 1 {
                let first = net.entries(1, r, &[""; 4]);
                net.mixes[0] = None;
                assert_eq!(net.forge(0, r, &first, 4), 200);
            }
            let entries = net.entries(hop + 1, r, &texts);
            let lying = net.made(hop, r, &entries, |m| {
                (m.inputs, m.count_in, m.deleted, m.alarm) = (vec![Digest([7; 32])], 999, 1_000, true);
            });
            assert_eq!(net.hand(hop, r, &lying), 200);
            net.at(schedule.drops_due(Round(r)));
            net.publish(Round(r + 1));
            let came: Vec<_> = net.delivered(r..=r).into_iter().collect();
            assert_eq!(came, texts.map(|text| (text.to_owned(), 1)), "hop {hop}");
        }
        // In the head as it was signed, for everybody.
        let head = UnverifiedHead::from_bytes(net.head.as_ref().unwrap()).unwrap();
        head.verify(net.directory(), Round(7), Round(7), None).unwrap();
        // The status page puts what came to the edge, and what one mix passed on, beside what the next says it took.
        let status = net.edge.as_ref().unwrap().edge.status();
        let round = status.rounds.iter().find(|round| round.round == 6).unwrap();
        let lied = round.batches.iter().find(|batch| batch.hop == hop).unwrap();
        assert_eq!((lied.taken, lied.passed, lied.deleted, lied.alarm), (999, 4, 1_000, true));
        let before = round.batches.iter().filter(|batch| batch.hop + 1 == hop).map(|batch| batch.passed);
        let before = if hop == 0 { round.envelopes.into() } else { before.map(u64::from).next() };
        assert_ne!(before, Some(999), "hop {hop}: that it lies about what it took is seen");
        // What the first mix says of a round's envelopes nobody can check; a later one's input is the output before.
        if hop == 1 {
            let manifests = net.manifests(6);
            assert_ne!(manifests[1].inputs, manifests[0].outputs);
        }
        net.stop();
    }
}

#[test]
fn a_mix_that_replaces_its_batch_is_refused_and_the_first_is_passed_on() {
    let mut net = Net::start(Town::new(38), None);
    net.mixes[0] = None;
    let (wire, schedule) = (net.directory().wire(), net.town.schedule());
    net.at(schedule.start(Round(6)).plus(200));
    let key = net.secret_of(0, Round(6));
    let mut entries = |text: &str| -> Vec<Vec<u8>> {
        (0..4)
            .map(|n| if n == 0 { net.tip(text) } else { net.cover() })
            .map(|envelope| open_layer(&wire, 0, &key, &envelope).unwrap().1)
            .collect()
    };
    let (first, second) = (entries("first"), entries("second"));
    assert_eq!(net.forge(0, 5, &first, 4), 200);
    assert_eq!(net.forge(0, 5, &second, 4), 409, "the edge holds the first");
    net.at(schedule.drops_due(Round(5)));
    assert_eq!(net.forge(0, 5, &second, 4), 409, "also once it was taken");
    assert_eq!(net.delivered(3..=5).into_iter().collect::<Vec<_>>(), [("first".to_owned(), 1)]);
    net.stop();
}

/// BAT-07. What it lies about is left at the edge; the honest mix says that it left it, and stops nothing else for it.
#[test]
fn a_mix_that_lies_about_how_many_it_passed_on_has_its_batch_left() {
    for stated in [3, 5] {
        let mut net = Net::start(Town::new(39), None);
        net.mixes[0] = None;
        let (wire, schedule) = (net.directory().wire(), net.town.schedule());
        net.at(schedule.start(Round(6)).plus(200));
        let key = net.secret_of(0, Round(6));
        let entries: Vec<_> = (0..4).map(|_| open_layer(&wire, 0, &key, &net.cover()).unwrap().1).collect();
        assert_eq!(net.forge(0, 5, &entries, stated), 200);
        net.at(schedule.drops_due(Round(5)));
        assert!(net.manifests(5).iter().all(|m| m.hop != 1), "stated {stated}");
        net.stop();
    }
}

/// ENV-03 and PAS-02: a desk's slots come through with a pass of today or of the three days before, and a stranger's never.
#[test]
fn pas_02_a_stranger_who_sends_class_2_fills_no_reader_drop_and_a_pass_ends_after_four_days() {
    let mut net = Net::start(Town::new(40), None);
    let schedule = net.town.schedule();
    net.at(schedule.drops_due(Round(5)));
    let first = net.pass(5).unwrap();
    let came = |net: &mut Net, r: u32, pass: &DeskPass| {
        net.at(schedule.start(Round(r)).plus(200));
        let (wire, exit) = (net.directory().wire(), net.exit_key());
        let blob = to_readers(&wire, &[slot()], pass, &exit, &mut net.town.rng);
        let body = net.wrap(blob);
        net.upload(Round(r), body);
        for _ in 0..4 {
            let cover = net.cover();
            net.upload(Round(r), cover);
        }
        net.at(schedule.drops_due(Round(r)));
        let exits: Vec<_> = net.manifests(r).into_iter().filter(|m| m.hop == 2).collect();
        assert_eq!((exits.len(), exits[0].count_in), (1, 5), "whatever came, nobody sees it in a count");
        net.delivered(r..=r).contains_key("reply")
    };
    let guess = DeskPass::from_bytes([0; 32]);
    assert!(!came(&mut net, 7, &guess));
    assert!(came(&mut net, 8, &first));
    // The same day, another exit process: the same pass.
    net.mixes[2] = None;
    net.open_mix(2);
    net.at(schedule.drops_due(Round(9)));
    assert_eq!(net.pass(9).unwrap().as_bytes(), first.as_bytes());
    assert!(came(&mut net, 12, &first));
    for day in 1..4u32 {
        net.at(schedule.drops_due(Round(24 * day)));
        assert_ne!(net.pass(24 * day).unwrap().as_bytes(), first.as_bytes(), "day {day}");
    }
    assert!(came(&mut net, 75, &first), "three days later");
    net.at(schedule.drops_due(Round(96)));
    assert!(!came(&mut net, 98, &first), "four days later");
    let fourth = net.pass(96).unwrap();
    assert!(came(&mut net, 100, &fourth));
    net.stop();
}

/// EXT-01: whoever fills the pools pushes things out at random; no drop grows, and nothing but the pool tells.
#[test]
fn full_pools_lose_random_items_and_drops_stay_as_long_as_they_are() {
    let mut net = Net::start(Town::bent(41, 3, |p| (p.n_max, p.desk_slots) = (300, 1)), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for n in 0..60 {
        let tip = net.tip(&format!("{n}"));
        net.upload(Round(5), tip);
    }
    for r in 5..=40 {
        net.at(schedule.drops_due(Round(r)));
    }
    let delivered = net.delivered(5..=40);
    assert_eq!(delivered.len(), 24, "one a round for as many rounds as a pool holds");
    assert!(delivered.values().all(|times| *times == 1));
    let late = delivered.keys().filter(|text| text.parse::<u32>().unwrap() >= 24).count();
    assert!(late > 0, "not only the first stay");
    let counts: std::collections::BTreeSet<_> =
        (5..=40).flat_map(|r| net.manifests(r)).filter(|m| m.hop == 2).map(|m| m.count_out).collect();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [5]);
    net.stop();
}

/// Its key of the week is too new for the directory that the exit started with, and stands in a later one. The desk finds the
/// pass under that key, and not under the old one.
#[test]
fn pas_02_a_pass_is_sealed_to_the_intake_key_of_its_day() {
    let mut net = Net::start(Town::new(42), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(150)).plus(200));
    let old = *net.pass(148).expect("the newest drops that are due").as_bytes();
    let week = KeyKind::Intake.period(Round(168));
    let next = SealSecret::generate(&mut net.town.rng);
    let key = IntakeKey { key: next.public().to_bytes().into(), from: week.from, until: week.until };
    let signed = Unverified::sign(&key, &net.town.network, &net.town.vault_key());
    let later = net.town.later(|_, desks| desks[0].keys.push(signed));
    net.publish_with(&later, Round(150));
    net.at(schedule.start(Round(151)).plus(200));
    net.at(schedule.drops_due(Round(167)));
    assert_eq!(net.pass(167).expect("still the old week, and day").as_bytes(), &old);
    net.at(schedule.drops_due(Round(168)));
    assert!(net.pass(168).is_none());
    net.town.intake = next;
    assert_ne!(net.pass(168).expect("the new week").as_bytes(), &old);
    assert!(net.pass(167).is_none());
    // No directory names a key for the week after: the table is as long, and has a place for nobody.
    net.at(schedule.drops_due(Round(336)));
    assert!(net.pass(336).is_none());
    net.stop();
}

/// Every desk knows for which directory the pass of a day is before the day begins: a key that is first named within the day finds
/// it on the next, though the exit has the later directory when it draws.
#[test]
fn pas_02_a_pass_is_for_the_directory_that_the_last_edition_before_its_day_names() {
    let mut net = Net::start(Town::new(48), None);
    let schedule = net.town.schedule();
    let week = KeyKind::Intake.period(Round(168));
    let next = SealSecret::generate(&mut net.town.rng);
    let key = IntakeKey { key: next.public().to_bytes().into(), from: week.from, until: week.until };
    let signed = Unverified::sign(&key, &net.town.network, &net.town.vault_key());
    net.at(schedule.start(Round(167)).plus(200));
    net.publish_once();
    net.at(schedule.start(Round(168)).plus(200));
    let later = net.town.later(|_, desks| desks[0].keys.push(signed));
    net.publish_with(&later, Round(168));
    // The exit takes the directory of the edition before, and then draws the day's pass.
    net.at(schedule.start(Round(169)).plus(200));
    net.at(schedule.drops_due(Round(168)));
    net.town.intake = next;
    assert!(net.pass(168).is_none());
    net.at(schedule.drops_due(Round(192)));
    assert!(net.pass(192).is_some());
    net.stop();
}

/// MIX-12, PAS-02: a desk that is listed while the exit runs finds a pass with the drops of the day on which it takes effect;
/// also if the exit is stopped as it takes the directory, and after it was started again with the first one.
#[test]
fn mix_12_a_desk_that_is_listed_later_gets_a_pass_from_an_exit_that_runs_on() {
    let kept = |side| Victim { who: Who::Mix(2), step: Step::DirectoryKept, side, first: 0 };
    for victim in [None, Some(kept(Side::Before)), Some(kept(Side::After))] {
        let mut net = Net::start(Town::new(43), victim);
        let schedule = net.town.schedule();
        let (desk, intake) =
            (IdentitySecret::generate(&mut net.town.rng), SealSecret::generate(&mut net.town.rng));
        let entry = net.town.listed("Sports", &desk, &intake, Round(60));
        let later = net.town.later(|_, desks| desks.push(entry));
        net.at(schedule.drops_due(Round(5)));
        net.publish_with(&later, Round(6));
        let first = std::mem::replace(&mut net.town.intake, intake);
        for r in [24, 48, 72] {
            // Nobody publishes in between: a mix asks for the edition of the round before, and finds one only at first.
            net.at(schedule.start(Round(7)).plus(200).max(net.clock.now()));
            net.at(schedule.drops_due(Round(r)));
            assert_eq!(net.pass(r).is_some(), r >= 48, "round {r}, {victim:?}");
            net.mixes[2] = None;
            net.open_mix(2);
        }
        let second = *net.pass(72).unwrap().as_bytes();
        net.town.intake = first;
        assert_eq!(net.pass(72).unwrap().as_bytes(), &second, "one pass for all desks");
        assert!(net.came.load(Ordering::SeqCst) > 0 || victim.is_none(), "never struck: {victim:?}");
        net.stop();
    }
}

/// P1, EXT-06: a middle mix sends the exit one entry too few with a copy of one, and its own message as a marker. Whether the
/// marker is in the drop says nothing of what the copied entry is.
#[test]
fn ext_06_a_copy_does_not_tell_the_mix_before_whether_an_entry_is_cover() {
    for is_cover in [true, false] {
        let mut net = Net::start(Town::new(44), None);
        net.mixes[1] = None;
        let (wire, schedule) = (net.directory().wire(), net.town.schedule());
        net.at(schedule.start(Round(6)).plus(200));
        let exit = net.exit_key();
        let noise = |net: &mut Net| proto::envelope::cover(&wire, &exit, &mut net.town.rng);
        let asked = if is_cover { noise(&mut net) } else { net.message("asked") };
        let (marker, other) = (net.message("marker"), noise(&mut net));
        let entries = [&asked, &asked, &marker, &other].map(|blob| blob.as_bytes().to_vec());
        assert_eq!(net.forge(1, 5, &entries, 4), 200);
        net.at(schedule.drops_due(Round(5)));
        let delivered = net.delivered(5..=5);
        assert_eq!(delivered.get("marker"), Some(&1), "asked of cover: {is_cover}");
        assert_eq!(delivered.get("asked").copied(), (!is_cover).then_some(1));
        net.stop();
    }
}

/// P1, MIX-13 and EDG-15: who names a round ahead of its time does not have it begun, or even put.
#[test]
fn mix_13_edg_15_a_round_named_ahead_waits_for_its_time_and_a_far_one_is_not_put() {
    let mut net = Net::start(Town::new(45), None);
    net.mixes[0] = None;
    let (wire, schedule) = (net.directory().wire(), net.town.schedule());
    net.at(schedule.start(Round(5)).plus(200));
    let key = net.secret_of(0, Round(5));
    let entries: Vec<_> = (0..4).map(|_| open_layer(&wire, 0, &key, &net.cover()).unwrap().1).collect();
    assert_eq!(net.forge(0, 7, &entries, 4), 422, "two rounds ahead");
    assert_eq!(net.forge(0, 6, &entries, 4), 200, "one of grace");
    net.at(schedule.start(Round(5)).plus(1_500));
    assert!(net.manifests(6).iter().all(|m| m.hop != 1), "not begun before its time");
    net.at(schedule.start(Round(6)).plus(200));
    assert!(net.manifests(6).iter().any(|m| m.hop == 1), "and then it is");
    net.clock.set(schedule.start(Round(344)));
    assert_eq!(net.forge(0, 8, &entries, 4), 200, "also from one that was off for long");
    net.clock.set(schedule.start(Round(346)));
    assert_eq!(net.forge(0, 9, &entries, 4), 422, "but not once it would be deleted");
    net.stop();
}

/// EDG-16: what was written and could not be handed over for two weeks is let go of. What comes after it goes on.
#[test]
fn edg_16_a_mix_that_was_off_for_two_weeks_with_an_output_goes_on() {
    let written = Victim { who: Who::Mix(1), step: Step::Pushed, side: Side::Before, first: 0 };
    let mut net = Net::start(Town::new(51), Some(written));
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(5)).plus(200));
    for _ in 0..4 {
        let cover = net.cover();
        net.upload(Round(5), cover);
    }
    net.clock.set(schedule.start(Round(6)).plus(200));
    assert!(!net.edge_step());
    net.mixes[0].as_mut().unwrap().step(net.clock.now()).unwrap();
    let stopped = net.mixes[1].as_mut().unwrap().step(net.clock.now());
    assert!(matches!(stopped, Err(MixError::Killed(_))), "with its output on the disk");
    (net.mixes[1], net.victim) = (None, None);
    net.open_mix(1);
    net.at(schedule.start(Round(400)).plus(200));
    let tip = net.tip("after");
    net.upload(Round(400), tip);
    for _ in 0..4 {
        let cover = net.cover();
        net.upload(Round(400), cover);
    }
    net.at(schedule.drops_due(Round(399)));
    net.at(schedule.start(Round(401)).plus(200));
    net.at(schedule.drops_due(Round(400)));
    assert_eq!(net.delivered(400..=400), BTreeMap::from([("after".to_owned(), 1)]));
    assert!(net.manifests(5).iter().all(|m| m.hop != 1), "what was in it is lost");
    net.stop();
}

/// P1: who seals random bytes for whichever hop is answered like everybody, and they end there: in no count after it, and before no
/// desk.
#[test]
fn garbage_at_each_layer_passes_nothing_and_is_answered_alike() {
    let mut net = Net::start(Town::new(50), None);
    let schedule = net.town.schedule();
    let mut answers = std::collections::BTreeSet::new();
    for (depth, passed) in [(0, [4, 4]), (1, [5, 4]), (2, [5, 5]), (3, [5, 5]), (4, [5, 5])] {
        let r = 5 + 3 * depth;
        net.at(schedule.start(Round(r)).plus(200));
        net.at(schedule.drops_due(Round(r - 1)));
        let garbage = net.garbage(depth);
        for body in std::iter::once(garbage).chain((0..4).map(|_| net.cover()).collect::<Vec<_>>()) {
            answers.insert(net.answer(Round(r), body));
        }
        net.at(schedule.start(Round(r + 1)).plus(200));
        let text = format!("after {depth}");
        let tip = net.tip(&text);
        for body in std::iter::once(tip).chain((0..3).map(|_| net.cover()).collect::<Vec<_>>()) {
            answers.insert(net.answer(Round(r + 1), body));
        }
        net.at(schedule.drops_due(Round(r)));
        let [first, middle] = passed;
        assert_eq!(net.counts(r..=r, 0), [(5, first)], "depth {depth}");
        assert_eq!(net.counts(r..=r, 1), [(first, middle)], "depth {depth}");
        assert_eq!(net.counts(r..=r, 2), [(middle, 8)], "depth {depth}");
        let length = |kind: &str| net.surely(&format!("/v1/drops/{r}/{kind}")).1.len();
        let desk = desk_drop_len(net.directory().wire().cascade, net.directory().parameters());
        assert_eq!((length("desk"), length("reader")), (desk, 4 * READER_SLOT), "depth {depth}");
        assert!(net.delivered(r..=r).is_empty(), "depth {depth}");
        net.at(schedule.drops_due(Round(r + 1)));
        assert_eq!(net.delivered(r + 1..=r + 1), BTreeMap::from([(text, 1)]));
    }
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 202);
    net.stop();
}

impl Net {
    /// Random bytes in the place of: the envelope, what the middle mix opens, what the exit opens, the box, the message.
    fn garbage(&mut self, depth: u32) -> Vec<u8> {
        let (wire, exit) = (self.directory().wire(), self.exit_key());
        let first = self.key_of(0, self.round());
        let rng = &mut self.town.rng;
        let mut random = |len: usize| {
            let mut bytes = vec![0; len];
            rng.fill_bytes(&mut bytes);
            bytes
        };
        let blob = match depth {
            0 => return random(ENVELOPE),
            1 => {
                let layer = random(wire.cascade.layer(1));
                return seal(Use::Layer(0), &wire.network, &first, &layer, &mut self.town.rng).0;
            }
            2 => random(wire.cascade.blob()),
            3 => {
                let boxed = random(wire.cascade.boxed());
                let mut header = [0; EXIT_HEADER];
                header[0] = 1;
                dangerously_seal_exit_layer(&wire, &header, &boxed, &exit, &mut self.town.rng)
            }
            _ => {
                let message = random(wire.cascade.message());
                let desk = self.town.intake.public();
                to_desk(&wire, desk, &message, &exit, &mut self.town.rng).0.as_bytes().to_vec()
            }
        };
        let blob = Blob::from_bytes(&wire, blob).unwrap();
        self.wrap(blob)
    }

    /// All that is answered to an upload, but for the date.
    fn answer(&self, round: Round, body: Vec<u8>) -> (u16, Vec<(String, String)>, Vec<u8>) {
        let url = format!("http://{}/v1/rounds/{round}/envelopes", self.address);
        self.runtime.block_on(async {
            let answer = self.http.post(url).body(body).send().await.unwrap();
            let headers = answer.headers().iter().filter(|(name, _)| *name != "date");
            let headers = headers.map(|(n, v)| (n.to_string(), v.to_str().unwrap().to_owned())).collect();
            (answer.status().as_u16(), headers, answer.bytes().await.unwrap().to_vec())
        })
    }
}
