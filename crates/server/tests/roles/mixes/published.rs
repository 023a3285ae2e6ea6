//! A mix takes keys and drops from editions, as readers do: what edge and exit together show the mixes alone is nothing to them.

use super::actors::town_with_decoys;
use super::lying::Deceived;
use super::*;
use proto::directory::MixKey;
use proto::drops::empty_box;
use proto::envelope::{Found, open_exit};
use proto::seal::{Use, seal};
use server::handed::desk_drop_len;

impl Net {
    /// A key of the exit's for this week besides the one at the edge, as it signs it for whom it likes.
    fn second_key(&mut self) -> (SealSecret, Unverified<MixKey>) {
        let secret = SealSecret::generate(&mut self.town.rng);
        let period = KeyKind::Week.period(self.round());
        let key = secret.public().to_bytes().into();
        let key = MixKey { hop: 2, key, from: period.from, until: period.until };
        (secret, Unverified::sign(&key, &self.town.network, &self.town.mixes[2]))
    }

    /// The exit's key for the week of a round, as it lies at the edge.
    fn handed_in(&self, round: Round) -> Unverified<MixKey> {
        let (status, bytes) = self.surely(&format!("/v1/keys/2/{}", KeyKind::Week.period(round).from));
        assert_eq!(status, 200);
        codec::decode(&bytes).unwrap()
    }

    /// The directory in force, with these keys of the exit's and no other.
    fn naming<const N: usize>(&self, exits: [Unverified<MixKey>; N]) -> Vec<u8> {
        let of_others = |key: &&Unverified<MixKey>| key.dangerously_peek().unwrap().hop != 2;
        let keys = self.town.mix_keys.iter().filter(of_others).cloned().chain(exits).collect();
        let bytes = &self.named.as_ref().unwrap().1;
        let directory = UnverifiedDirectory::from_bytes(bytes).unwrap();
        directory.with_keys(keys, |_, listed| listed.to_vec()).unwrap().to_bytes()
    }
}

/// P1, P8, MIX-16: the exit signs two keys for one week, one for the press and one for the edge to give to mixes. If decoys were
/// sealed to the second, it would know every one of them, count what is left, and drop that without an alarm.
#[test]
fn mix_16_an_exit_that_signs_two_keys_finds_decoys_under_the_one_that_readers_use() {
    let mut net = Net::without_exit(town_with_decoys(80), Round(0));
    let (schedule, wire) = (net.town.schedule(), net.directory().wire());
    let (readers, key) = net.second_key();
    let at_the_edge = net.secret_of(2, Round(5));
    assert!(net.key_of(2, Round(5)) == *at_the_edge.public() && readers.public() != at_the_edge.public());
    net.mixes[2] = None;
    let directory = net.naming([key]);
    net.publish_with(&directory, Round(5));
    net.at(schedule.start(Round(5)).plus(200));
    for _ in 0..4 {
        let blob = cover(&wire, readers.public(), &mut net.town.rng);
        let body = net.wrap(blob);
        net.upload(Round(5), body);
    }
    net.at(schedule.start(Round(6)).plus(200));
    assert!(net.opened(2, 5, &at_the_edge).is_none(), "the batch");
    let batch = net.opened(2, 5, &readers).expect("sealed to the key that the directory names");
    assert_eq!(batch.len(), 12, "four covers, and four decoys of each mix");
    assert!(batch.iter().all(|entry| open_exit(&wire, &readers, &[], entry).is_ok()));
    assert!(batch.iter().all(|entry| open_exit(&wire, &at_the_edge, &[], entry).is_err()));
    net.stop();
}

/// MIX-16: while no edition names the exit's key the batch waits, whatever lies at the edge and whatever directory it makes of that;
/// nor is anything lost meanwhile.
#[test]
fn mix_16_a_batch_waits_until_an_edition_of_the_press_names_the_key() {
    let Deceived { mut net, mut middle } = Deceived::without_exit(town_with_decoys(81), Round(0));
    let schedule = net.town.schedule();
    net.mixes[0] = None;
    let with_edges_key = net.naming([net.handed_in(Round(5))]);
    net.publish(Round(5));
    net.at(schedule.start(Round(6)).plus(200));
    middle.work();
    let entries = net.entries(1, 5, &["waits", "", "", ""]);
    assert_eq!(net.forge(0, 5, &entries, 4), 200);
    middle.work();
    assert!(net.counts(5..=6, 1).is_empty());
    // A directory that names the key at the edge, in an edition that the exit signs in the press's place.
    let (_, nothing) = Bundle::default().pack();
    let head = Head {
        round: Round(6),
        previous: Digest::of(net.head.as_ref().unwrap()),
        made: net.clock.now(),
        directory: Digest::of(&with_edges_key),
        changes: nothing,
        front: nothing,
        page: page_digest(&[]),
        manifests: vec![],
        round_keys: vec![],
    };
    let forged = sign_head(&head, &net.town.network, &net.town.mixes[2]);
    middle.lie().editions.insert(Round(6), forged);
    middle.lie().directories.insert(Digest::of(&with_edges_key).0, with_edges_key);
    net.at(schedule.start(Round(7)).plus(200));
    middle.work();
    assert!(net.counts(5..=7, 1).is_empty(), "the press did not sign it");
    let (readers, key) = net.second_key();
    let directory = net.naming([key]);
    net.publish_with(&directory, Round(7));
    middle.work();
    assert!(net.counts(5..=7, 1).is_empty(), "it looks once a round");
    net.at(schedule.start(Round(8)).plus(200));
    middle.work();
    assert_eq!(net.counts(5..=8, 1), [(4, 8)]);
    assert_eq!(net.opened(2, 5, &readers).map(|batch| batch.len()), Some(8));
    Deceived { net, middle }.stop();
}

/// The middle mix has passed on the last round of a week, and what it has of the next one waits for the exit's key, which no directory
/// names yet. The directory with that key.
fn waiting(seed: u64) -> (Deceived, Vec<u8>) {
    let week = KeyKind::Week.period(Round(168)).from;
    let mut it = Deceived::without_exit(town_with_decoys(seed), week);
    it.net.mixes[0] = None;
    it.enter(167);
    it.enter(168);
    bring(&mut it, 167, &["passed on", "", "", ""]);
    it.enter(169);
    bring(&mut it, 168, &["waits", "", "", ""]);
    assert_eq!(it.net.counts(167..=169, 1), [(4, 8)]);
    let with = it.net.naming([it.net.handed_in(Round(0)), it.net.handed_in(week)]);
    (it, with)
}

/// In the first mix's place.
fn bring(it: &mut Deceived, round: u32, texts: &[&str]) {
    let entries = it.net.entries(1, round, texts);
    assert_eq!(it.net.forge(0, round, &entries, texts.len() as u32), 200);
    it.middle.work();
}

/// P8, MIX-02: a batch that waits for the exit's key is not held up longer by what comes late meanwhile, which ends no round; also
/// over a restart.
#[test]
fn what_is_due_stays_due_while_it_waits_for_a_later_mixs_key() {
    let (mut it, with) = waiting(86);
    bring(&mut it, 166, &["late", ""]);
    it = it.restart();
    it.middle.work();
    assert_eq!(it.net.counts(166..=169, 1), [(4, 8)], "no key");
    it.net.publish_with(&with, Round(169));
    it.enter(170);
    assert_eq!(it.net.counts(166..=170, 1), [(4, 8), (6, 10)], "both leave when the key is there");
    it.stop();
}

/// P2, MIX-02: when what waited for the exit's key was deleted, an edge gets no batch closed by what it kept back of an earlier round.
#[test]
fn what_was_deleted_while_it_waited_for_a_key_makes_nothing_due() {
    let (mut it, with) = waiting(87);
    it.enter(193);
    it.net.publish_with(&with, Round(193));
    // The day's key that it is sealed to lives on until the round is over.
    bring(&mut it, 166, &["late", "", "", ""]);
    it.enter(194);
    assert_eq!(it.net.counts(166..=194, 1), [(4, 8)]);
    bring(&mut it, 193, &["in time", ""]);
    assert_eq!(it.net.counts(166..=194, 1), [(4, 8), (10, 10)], "six of ten leave");
    it.stop();
}

/// MIX-16: where the first mix was off over the border of a day, the directory in force names keys of later days alone.
#[test]
fn mix_16_a_batch_of_a_day_that_is_over_is_sealed_to_the_key_of_that_day() {
    let mut net = Net::start(Town::new(82), None);
    let schedule = net.town.schedule();
    net.at(schedule.start(Round(23)).plus(200));
    let mut bodies = vec![net.tip("late")];
    bodies.extend((0..3).map(|_| net.cover()));
    for body in bodies {
        net.upload(Round(23), body);
    }
    net.publish_once();
    net.mixes[0] = None;
    for r in [24, 25] {
        net.at(schedule.start(Round(r)).plus(200));
        net.name_keys();
        net.publish_once();
    }
    assert!(net.directory().mix_key(1, Round(23)).is_none());
    net.clock.set(schedule.start(Round(26)).plus(200));
    net.open_mix(0);
    net.settle();
    assert_eq!((net.counts(23..=23, 0), net.counts(23..=23, 1)), (vec![(4, 4)], vec![(4, 4)]));
    net.at(schedule.drops_due(Round(26)));
    assert_eq!(net.delivered(23..=26), BTreeMap::from([("late".to_owned(), 1)]));
    net.stop();
}

/// MIX-16, P8: of a day on which the middle mix was off there is no key of it, ever. What a stranger sends for that day, whole under
/// the first mix's key alone, does not stop the first mix for good.
#[test]
fn mix_16_a_batch_whose_key_never_comes_leaves_with_a_later_one() {
    let mut net = Net::start(Town::new(85), None);
    let schedule = net.town.schedule();
    net.mixes[1] = None;
    for r in [24, 48, 50] {
        net.at(schedule.start(Round(r)).plus(200));
        net.name_keys();
        net.publish_once();
    }
    assert!(net.directory().mix_key(1, Round(50)).is_none());
    let (wire, key) = (net.directory().wire(), net.key_of(0, Round(50)));
    for _ in 0..4 {
        let rubbish = vec![7; wire.cascade.layer(1)];
        let body = seal(Use::Layer(0), &wire.network, &key, &rubbish, &mut net.town.rng).0;
        assert!(net.upload(Round(50), body));
    }
    for r in [51, 52, 72] {
        if r == 72 {
            net.open_mix(1);
        }
        net.at(schedule.start(Round(r)).plus(200));
        assert!(net.counts(50..=r, 0).is_empty(), "in round {r}");
        net.name_keys();
        net.publish_once();
    }
    let mut bodies = vec![net.tip("later")];
    bodies.extend((0..3).map(|_| net.cover()));
    for body in bodies {
        net.upload(Round(72), body);
    }
    net.at(schedule.start(Round(73)).plus(200));
    assert_eq!((net.counts(50..=73, 0), net.counts(50..=73, 1)), (vec![(8, 8)], vec![(8, 4)]));
    net.at(schedule.drops_due(Round(73)));
    assert_eq!(net.delivered(50..=73), BTreeMap::from([("later".to_owned(), 1)]));
    net.stop();
}

/// P8, MIX-09: edge and exit show a mix a drop with all its decoys in it, and everybody else one in which nothing stands. What
/// heads name counts.
#[test]
fn mix_09_a_drop_that_only_mixes_are_shown_is_no_drop() {
    let Deceived { mut net, mut middle } = Deceived::start(town_with_decoys(83));
    net.mixes[2] = None;
    let (wire, length) =
        (net.directory().wire(), desk_drop_len(net.directory().wire().cascade, net.directory().parameters()));
    let slots = usize::from(net.directory().parameters().desk_slots);
    net.long_run(|net, r| {
        middle.work();
        let key = net.secret_of(2, Round(r));
        let found = net.taken(2, r).into_iter().map(|entry| open_exit(&wire, &key, &[], &entry).unwrap().1);
        let mut boxes: Vec<Vec<u8>> =
            found.filter_map(|found| if let Found::ToDesk(it) = found { Some(it) } else { None }).collect();
        boxes.resize_with(slots, || empty_box(&wire, &mut net.town.rng));
        let mut drop = boxes.concat();
        drop.resize(length, 7);
        middle.lie().drops.insert(Round(r), drop);
        net.empty_drops(r);
        middle.work();
    });
    assert_eq!(net.alarms(1), (false, true));
    Deceived { net, middle }.stop();
}

/// MIX-09: what an edition names that comes late is looked for when it comes.
#[test]
fn mix_09_an_edition_that_comes_late_is_looked_through_after_all() {
    let Deceived { mut net, mut middle } = Deceived::start(town_with_decoys(84));
    net.long_run(|_, r| {
        // Those that name the drops in which the decoys stand that are judged in the end.
        if (6..12).contains(&r) {
            middle.lie().editions.insert(Round(r), vec![]);
        } else if r == 30 {
            middle.lie().editions.clear();
        }
        middle.work();
    });
    assert_eq!(net.alarms(1), (false, false));
    assert!(!net.counts(60..=66, 1).is_empty());
    Deceived { net, middle }.stop();
}
