//! One mix takes over from another, at each hop; and keys that the edge refuses.

use super::*;
use proto::directory::{MixKey, Operator, Role};
use proto::hold::Hold;

impl Net {
    /// The edition of round 6 names a roster in which another mix takes over at `hop`. It is started at once.
    pub(super) fn replace(&mut self, hop: u8, since: u32) {
        let schedule = self.town.schedule();
        let next = IdentitySecret::generate(&mut self.town.rng);
        let (role, name, key) = (Role::Mix(hop), "Next".into(), next.public());
        let operator = Operator { role, name, key, since: Round(since) };
        let later = self.town.later(|roster, _| {
            roster.number = 2;
            roster.operators.push(operator);
        });
        self.at(schedule.drops_due(Round(5)));
        self.publish_with(&later, Round(6));
        let (state, directory) = (self.folder.path().join("next"), Arc::clone(&self.town.directory));
        let setup = Setup { hop, state, directory, identity: Arc::new(next) };
        let upstream = self.upstream_of(hop, Arc::clone(&setup.identity));
        self.next = Some(Mix::open(setup, upstream, StdRng::seed_from_u64(9), Hook::none()).unwrap());
        self.at(schedule.start(Round(7)).plus(200));
    }

    /// As the mix of the town at `hop`: hands in a key of which it has no secret.
    fn hand_in(&mut self, hop: u8, from: u32) -> u16 {
        let period = KeyKind::of_mix(hop, self.directory().wire().cascade).period(Round(from));
        let key = SealSecret::generate(&mut self.town.rng).public().to_bytes().into();
        let key = MixKey { hop, key, from: period.from, until: period.until };
        let by = &self.town.mixes[usize::from(hop)];
        let body = codec::encode(&Unverified::sign(&key, &self.town.network, by));
        self.signed(by, "PUT", &format!("/v1/keys/{hop}/{from}"), body).unwrap().0
    }

    /// A tip that says which round it is, and four covers.
    fn five(&mut self, r: u32) {
        self.at(self.town.schedule().start(Round(r)).plus(200));
        let tip = self.tip(&r.to_string());
        self.upload(Round(r), tip);
        for _ in 0..4 {
            let cover = self.cover();
            self.upload(Round(r), cover);
        }
        self.at(self.town.schedule().drops_due(Round(r - 1)));
    }
}

/// MIX-15, EDG-09: the old one passes on the batch of its last round when the new one has begun. Nor does it keep the new one from
/// its rounds by a key that it handed in for them before it was known that they are not its own (KEY-04).
#[test]
fn mix_15_one_mix_takes_over_from_another_at_each_hop_and_nothing_is_lost_or_doubled() {
    for (hop, since, ahead) in [(0, 60, 422), (1, 72, 200), (2, 336, 200)] {
        let mut net = Net::start(Town::new(60 + u64::from(hop)), None);
        assert_eq!(net.hand_in(hop, since), ahead, "hop {hop}: no further ahead than two periods");
        net.replace(hop, since);
        let rounds = since - 2..=since + 1;
        rounds.clone().for_each(|r| net.five(r));
        net.at(net.town.schedule().start(Round(since + 2)).plus(200));
        net.at(net.town.schedule().drops_due(Round(since + 1)));
        let came = net.delivered(since - 4..=since + 1);
        assert_eq!(came, rounds.clone().map(|r| (r.to_string(), 1)).collect::<BTreeMap<_, _>>(), "hop {hop}");
        for r in rounds {
            // Each signed by the one whose round it is, or they would not be read.
            let passed: Vec<_> = net.manifests(r).iter().map(|m| (m.hop, m.batch.part, m.count_in)).collect();
            assert_eq!(passed, [(0, 0, 5), (1, 0, 5), (2, 0, 5)], "hop {hop}, round {r}");
        }
        assert_eq!(net.hand_in(hop, since), 422, "hop {hop}: the old one, of the new one's rounds");
        net.stop();
    }
}

/// MIX-15: nothing is drawn beyond the round in which the last input ends, so nothing stays behind; nor does what is sealed to the exit
/// before come to the one that takes over from it.
#[test]
fn mix_15_what_a_mix_holds_leaves_with_the_last_batch_of_its_own_or_of_the_next() {
    for (hop, since) in [(1, 72), (2, 336)] {
        // Whatever the exit holds fits into its last drop.
        let town = Town::bent(64, 3, |p| (p.hold, p.desk_slots) = (Hold(100), 16));
        let mut net = Net::start(town, None);
        net.replace(hop, since);
        (since - 10..=since + 5).for_each(|r| net.five(r));
        let passed = |net: &Net, rounds: std::ops::RangeInclusive<u32>| {
            let manifests = rounds.flat_map(|r| net.manifests(r)).filter(|m| m.hop == 1);
            manifests.fold((0, 0), |(came, left), m| (came + m.count_in, left + m.count_out))
        };
        let (came, left) = passed(&net, since - 10..=since - 2);
        assert!(left < came, "hop {hop} holds: {left} of {came}");
        assert_eq!(passed(&net, since - 10..=since - 1), (50, 50), "hop {hop}");
        if hop == 2 {
            let came = net.delivered(since - 10..=since - 1);
            let sent = (since - 10..since).map(|r| (r.to_string(), 1));
            assert_eq!(came, sent.collect::<BTreeMap<_, _>>(), "nothing is sealed to the exit before");
        }
        let (came, left) = passed(&net, since..=since + 3);
        assert!(left < came, "hop {hop} holds again: {left} of {came}");
        net.stop();
    }
}

/// Whatever the edge has against one key, batches go on.
#[test]
fn a_key_that_the_edge_refuses_does_not_keep_a_mix_from_its_work() {
    let mut net = Net::start(Town::new(65), None);
    assert_eq!(net.hand_in(1, 48), 200, "its day to come, under a key of which the mix knows nothing");
    net.five(30);
    net.at(net.town.schedule().start(Round(31)).plus(200));
    net.at(net.town.schedule().drops_due(Round(30)));
    assert_eq!(net.delivered(30..=30), BTreeMap::from([("30".to_owned(), 1)]));
    net.stop();
}
