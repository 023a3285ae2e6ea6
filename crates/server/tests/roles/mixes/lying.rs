//! An edge that lies to the middle mix about the batches that wait for it and about what was published, or to the first about
//! envelopes: what it hides, delays,
//! repeats or changes. Between the real edge and the real mix stands the lie; all others are asked and answered as ever.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use super::actors::{DECOYS, town_with_decoys};
use super::*;
use bytes::Bytes;
use proto::directory::MixKey;
use proto::size::ENVELOPE;
use server::handing::Outgoing;
use server::http::RequestError;
use server::mix::{Run, Upstream, UpstreamError};

/// What is given in the place of what there is.
type Instead = Box<dyn FnOnce(Vec<u8>) -> Vec<u8> + Send>;

/// What is made of all envelopes of a round.
type Bent = Box<dyn Fn(&mut Vec<Bytes>) + Send>;

#[derive(Default)]
pub(super) struct Lie {
    /// Not shown.
    hidden: BTreeSet<BatchId>,
    /// Not shown any more once they were given.
    lost: BTreeSet<BatchId>,
    /// Shown, whether they are there or not.
    shown: BTreeSet<BatchId>,
    /// Given once, and what there is after that.
    instead: BTreeMap<BatchId, Instead>,
    /// What was given last under each name.
    given: BTreeMap<BatchId, Vec<u8>>,
    /// Shown in the place of what there is, as long as they stand here: heads, directories and desk drops.
    pub(super) editions: BTreeMap<Round, Vec<u8>>,
    pub(super) directories: BTreeMap<[u8; 32], Vec<u8>>,
    pub(super) drops: BTreeMap<Round, Vec<u8>>,
    /// Given of these rounds, once they are sealed.
    rounds: BTreeMap<Round, Bent>,
    /// Whether the list of what waits makes no sense.
    nonsense: bool,
}

struct Lying {
    inner: HttpUpstream,
    lie: Arc<Mutex<Lie>>,
}

impl Upstream for Lying {
    fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
        let mut ids: BTreeSet<_> = self.inner.waiting()?.into_iter().collect();
        let lie = self.lie.lock().unwrap();
        if lie.nonsense {
            return Err(UpstreamError::Nonsense);
        }
        ids.extend(&lie.shown);
        Ok(ids.difference(&lie.hidden).copied().collect())
    }

    fn batch(&mut self, id: BatchId, limit: usize, file: &Path) -> Result<bool, UpstreamError> {
        let mut is_there = self.inner.batch(id, limit, file)?;
        let mut lie = self.lie.lock().unwrap();
        if let Some(instead) = lie.instead.remove(&id) {
            let there = if is_there { std::fs::read(file).unwrap() } else { vec![] };
            let given = instead(there);
            if given.len() > limit {
                return Err(RequestError::TooLong.into());
            }
            std::fs::write(file, given).unwrap();
            is_there = true;
        }
        if is_there {
            lie.given.insert(id, std::fs::read(file).unwrap());
        }
        if lie.lost.contains(&id) {
            lie.hidden.insert(id);
        }
        Ok(is_there)
    }

    fn envelopes(&mut self, round: Round, from: u64) -> Result<Option<Run>, UpstreamError> {
        let lie = self.lie.lock().unwrap();
        let Some(bent) = lie.rounds.get(&round) else { return self.inner.envelopes(round, from) };
        let Some(all) = self.inner.envelopes(round, 0)? else { return Ok(None) };
        let mut envelopes: Vec<_> = all.bytes.chunks(ENVELOPE).map(Bytes::copy_from_slice).collect();
        bent(&mut envelopes);
        let after = if all.sealed.is_some() { &envelopes[from as usize..] } else { &[] };
        Ok(Some(Run { bytes: after.concat().into(), sealed: all.sealed.map(|_| envelopes.len() as u64) }))
    }

    fn push(&mut self, id: BatchId, output: &Outgoing) -> Result<(), UpstreamError> {
        self.inner.push(id, output)
    }

    fn release(&mut self, id: BatchId) -> Result<(), UpstreamError> {
        self.inner.release(id)
    }

    fn hand_key(&mut self, hop: u8, from: Round, key: &Unverified<MixKey>) -> Result<(), UpstreamError> {
        self.inner.hand_key(hop, from, key)
    }

    fn edition(&mut self, round: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
        let other = self.lie.lock().unwrap().editions.get(&round).cloned();
        other.map_or_else(|| self.inner.edition(round), |other| Ok(Some(other)))
    }

    fn directory(&mut self, digest: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
        let other = self.lie.lock().unwrap().directories.get(&digest.0).cloned();
        other.map_or_else(|| self.inner.directory(digest), |other| Ok(Some(other)))
    }

    fn desk_drop(&mut self, round: Round, limit: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
        let other = self.lie.lock().unwrap().drops.get(&round).cloned();
        other.map_or_else(|| self.inner.desk_drop(round, limit), |other| Ok(Some(other)))
    }
}

/// The mix that is lied to, the middle one or the first.
pub(super) struct Middle {
    hop: u8,
    mix: Mix<Lying>,
    clock: Arc<Hands>,
    lie: Arc<Mutex<Lie>>,
}

impl Middle {
    fn open(net: &mut Net, hop: u8, lie: &Arc<Mutex<Lie>>) -> Self {
        net.mixes[usize::from(hop)] = None;
        net.seed += 1;
        let upstream = Lying { inner: net.upstream(hop), lie: Arc::clone(lie) };
        let mix = Mix::open(net.setup(hop), upstream, StdRng::seed_from_u64(net.seed), Hook::none()).unwrap();
        Self { hop, mix, clock: Arc::clone(&net.clock), lie: Arc::clone(lie) }
    }

    /// Steps until it has nothing more to do.
    pub(super) fn work(&mut self) {
        for _ in 0..60 {
            match self.mix.step(self.clock.now()) {
                Ok(done) if done.taken > 0 || done.closed > 0 || done.pushed > 0 || done.more => {}
                Ok(_) | Err(MixError::NoKey) => return,
                Err(MixError::Upstream(_)) => {
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                Err(e) => panic!("{e}"),
            }
        }
        panic!("it never comes to rest");
    }

    pub(super) fn lie(&self) -> MutexGuard<'_, Lie> {
        self.lie.lock().unwrap()
    }
}

/// A network and the mix in it that is lied to.
pub(super) struct Deceived {
    pub(super) net: Net,
    pub(super) middle: Middle,
}

impl Deceived {
    pub(super) fn start(town: Town) -> Self {
        Self::at_hop(1, town)
    }

    /// The middle mix has passed on rounds six and seven, of four envelopes and the first mix's four decoys, and is shown round five
    /// from here on.
    fn behind(town: Town) -> Self {
        let mut it = Self::start(town);
        it.middle.lie().hidden.insert(id(5));
        (5..=7).for_each(|r| it.send(r));
        it.enter(8);
        assert_eq!(it.net.counts(7..=7, 1), [(8, 12)], "seven is passed on");
        it.middle.lie().hidden.clear();
        it
    }

    fn at_hop(hop: u8, town: Town) -> Self {
        Self::between(hop, Net::start(town, None))
    }

    /// In a network whose press names no key of the exit's from this round on.
    pub(super) fn without_exit(town: Town, from: Round) -> Self {
        Self::between(1, Net::without_exit(town, from))
    }

    fn between(hop: u8, mut net: Net) -> Self {
        let middle = Middle::open(&mut net, hop, &Arc::default());
        Self { net, middle }
    }

    /// Starts the middle mix again.
    pub(super) fn restart(self) -> Self {
        let Self { mut net, middle } = self;
        let (hop, lie) = (middle.hop, Arc::clone(&middle.lie));
        drop(middle);
        Self { middle: Middle::open(&mut net, hop, &lie), net }
    }

    pub(super) fn at(&mut self, moment: Millis) {
        self.net.clock.set(moment);
        for _ in 0..2 {
            self.middle.work();
            self.net.settle();
        }
    }

    /// A little into round `r`.
    pub(super) fn enter(&mut self, r: u32) {
        self.at(self.net.town.schedule().start(Round(r)).plus(200));
    }

    /// In round `r`, a tip that is its number, and three covers.
    fn send(&mut self, r: u32) {
        self.enter(r);
        let tip = self.net.tip(&r.to_string());
        let covers: Vec<_> = (0..3).map(|_| self.net.cover()).collect();
        for body in std::iter::once(tip).chain(covers) {
            assert!(self.net.upload(Round(r), body));
        }
    }

    /// What stands in drops once those of round `r` are due.
    fn delivered(&mut self, r: u32) -> BTreeMap<String, u32> {
        self.at(self.net.town.schedule().drops_due(Round(r)));
        self.net.delivered(3..=r)
    }

    /// How many batches the middle mix made of these rounds. No two have one name, and none of them counts a batch of the first mix
    /// that another counts, or one that the first mix did not make.
    fn passed(&self, rounds: std::ops::RangeInclusive<u32>) -> usize {
        let all: Vec<_> = rounds.flat_map(|r| self.net.manifests(r)).collect();
        let of = |hop: u8| all.iter().filter(move |m| m.hop == hop);
        let made: BTreeSet<_> = of(0).flat_map(|m| m.outputs.iter().map(|d| d.0)).collect();
        let taken: Vec<_> = of(1).flat_map(|m| m.inputs.iter().map(|d| d.0)).collect();
        let once: BTreeSet<_> = taken.iter().copied().collect();
        assert_eq!(once.len(), taken.len());
        assert!(once.is_subset(&made));
        let names: BTreeSet<_> = of(1).map(|m| m.batch).collect();
        assert_eq!(names.len(), of(1).count());
        names.len()
    }

    pub(super) fn stop(self) {
        drop(self.middle);
        self.net.stop();
    }
}

fn id(round: u32) -> BatchId {
    BatchId { round: Round(round), part: 0 }
}

fn once<T: ToString>(texts: impl IntoIterator<Item = T>) -> BTreeMap<String, u32> {
    texts.into_iter().map(|text| (text.to_string(), 1)).collect()
}

/// P8, MIX-01: of one round an envelope stands there three times, of the next one is left out, and with the third come all of the
/// first again. What was left out comes through nowhere, and only its source can miss it.
#[test]
fn an_edge_that_drops_duplicates_or_replays_envelopes_has_each_delivered_once_at_most() {
    let mut it = Deceived::at_hop(0, Town::new(58));
    let kept: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let first = Arc::clone(&kept);
    let bends: [Bent; 3] = [
        Box::new(move |all| {
            *first.lock().unwrap() = all.clone();
            let twice = [all[0].clone(), all[0].clone()];
            all.splice(2..2, twice);
        }),
        Box::new(|all| drop(all.remove(0))),
        Box::new(move |all| all.splice(1..1, kept.lock().unwrap().iter().cloned()).for_each(drop)),
    ];
    for (r, bent) in (5..).zip(bends) {
        it.middle.lie().rounds.insert(Round(r), bent);
        it.send(r);
        let cover = it.net.cover();
        assert!(it.net.upload(Round(r), cover));
    }
    it.enter(8);
    assert_eq!(it.delivered(7), once([5, 7]));
    // How many came, and how many went on.
    assert_eq!(it.net.counts(5..=7, 0), [(7, 5), (4, 4), (10, 5)]);
    it.stop();
}

/// P8
#[test]
fn an_edge_that_drops_a_batch_holds_up_no_other_and_the_first_mix_tells_of_it() {
    let Deceived { mut net, mut middle } = Deceived::start(town_with_decoys(51));
    middle.lie().hidden.insert(id(5));
    let tip = net.tip("5");
    net.upload(Round(5), tip);
    let alarms = net.long_run(|net, before| {
        let r = before + 1;
        if r <= 8 {
            let tip = net.tip(&r.to_string());
            net.upload(Round(r), tip);
        }
        middle.work();
    });
    assert_eq!(alarms, (false, true));
    assert_eq!(net.delivered(3..=66), once([6, 7, 8]));
    assert!(net.counts(5..=5, 1).is_empty());
    assert_eq!(net.counts(6..=66, 1).len(), 61);
    Deceived { net, middle }.stop();
}

#[test]
fn an_edge_that_delays_or_reorders_batches_loses_and_doubles_nothing() {
    let mut it = Deceived::behind(town_with_decoys(52));
    it.send(8);
    // What comes late is no further part of a round that has left: that would be as short as the edge likes.
    assert_eq!(it.net.counts(7..=7, 1), [(8, 12)]);
    it.enter(9);
    assert_eq!(it.net.counts(8..=8, 1), [(16, 20)], "it leaves with the next");
    // Decoys stand in the drops too, so one of the tips may wait for the next.
    (7..=9).for_each(|r| drop(it.delivered(r)));
    assert_eq!(it.delivered(10), once([5, 6, 7, 8]));
    assert_eq!(it.passed(5..=9), 3);
    assert!(it.net.counts(5..=5, 1).is_empty());
    it.stop();
}

/// MIX-08: a full batch that comes late leaves at once, as a further part of a newer round, and gets decoys like every other.
#[test]
fn a_full_batch_that_an_edge_keeps_back_gets_decoys_too() {
    let town = Town::bent(59, 3, |p| (p.n_max, p.desk_slots, p.decoys) = (8, 8, DECOYS));
    let mut it = Deceived::behind(town);
    it.enter(8);
    assert_eq!(it.net.counts(7..=7, 1), [(8, 12), (8, 12)]);
    assert!(it.net.counts(5..=5, 1).is_empty());
    (7..=8).for_each(|r| drop(it.delivered(r)));
    assert_eq!(it.delivered(9), once([5, 6, 7]));
    it.stop();
}

/// MIX-02, MIX-15: where another mix takes over there is no next round that could take along what is late.
#[test]
fn what_an_edge_keeps_from_a_mix_that_goes_leaves_all_the_same() {
    let mut it = Deceived::start(Town::new(66));
    it.net.replace(1, 72);
    it.enter(7);
    it.middle.lie().hidden.insert(id(70));
    (70..=71).for_each(|r| it.send(r));
    it.enter(72);
    assert_eq!(it.net.counts(71..=71, 1), [(4, 4)], "the last is passed on");
    it.middle.lie().hidden.clear();
    it.enter(72);
    assert_eq!(it.net.counts(70..=71, 1), [(4, 4), (4, 4)]);
    for r in [71, 72] {
        it.at(it.net.town.schedule().drops_due(Round(r)));
    }
    assert_eq!(it.net.delivered(69..=72), once([70, 71]));
    it.stop();
}

/// P8: what is in the exit's pools leaves in its time.
#[test]
fn an_edge_that_lists_nonsense_to_the_exit_keeps_no_drop_from_being_written() {
    let mut it = Deceived::at_hop(2, Town::new(67));
    it.send(5);
    it.enter(6);
    it.middle.lie().nonsense = true;
    // The edge takes its time for right all the same.
    it = it.restart();
    it.net.clock.set(it.net.town.schedule().drops_due(Round(5)));
    assert!(matches!(
        it.middle.mix.step(it.net.clock.now()),
        Err(MixError::Upstream(UpstreamError::Nonsense))
    ));
    it.net.settle();
    assert_eq!(it.net.delivered(5..=5), once([5]));
    it.stop();
}

/// BAT-04
#[test]
fn an_edge_that_replays_or_duplicates_a_batch_has_it_counted_and_delivered_once() {
    let mut it = Deceived::start(Town::new(53));
    it.send(5);
    it.send(6);
    assert_eq!(it.passed(5..=5), 1);
    {
        let mut lie = it.middle.lie();
        let five = lie.given[&id(5)].clone();
        lie.shown.extend([id(5), id(6)]);
        for r in [5, 6] {
            let five = five.clone();
            lie.instead.insert(id(r), Box::new(move |_| five));
        }
    }
    it.enter(7);
    assert!(!it.middle.lie().instead.contains_key(&id(6)), "it was given the fifth as the sixth");
    assert!(it.middle.lie().instead.contains_key(&id(5)), "and asked for the fifth no more");
    assert_eq!(it.passed(5..=7), 1);
    // The true one comes a round later.
    it.enter(8);
    assert_eq!(it.delivered(7), once([5, 6]));
    assert_eq!(it.passed(5..=8), 2);
    assert_eq!(it.net.counts(5..=8, 1), [(4, 4), (4, 4)]);
    it.stop();
}

/// BAT-05: of a batch that is not what was signed nothing counts, and one that the edge got wrong once is not lost.
#[test]
fn an_edge_that_serves_two_versions_of_a_batch_has_the_signed_one_taken_in_the_next_round() {
    let mut it = Deceived::start(Town::new(54));
    let bends: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |mut bytes| {
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        },
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |_| vec![],
        |bytes| bytes.repeat(1_000),
    ];
    for (r, bend) in (5..).zip(bends) {
        it.send(r);
        it.middle.lie().instead.insert(id(r), Box::new(bend));
        it.enter(r + 1);
        assert!(it.middle.lie().instead.is_empty(), "it was given");
        assert!(it.net.counts(r..=r, 1).is_empty(), "round {r}");
    }
    it.enter(10);
    assert_eq!(it.delivered(9), once([5, 6, 7, 8]));
    assert_eq!(it.net.counts(5..=9, 1), [(4, 4); 4]);
    assert_eq!(it.passed(5..=9), 4);
    it.stop();
}

/// A batch of three runs, in the name of round 5, of which the first is taken and the rest is hidden.
fn begun(seed: u64) -> Deceived {
    let mut it = Deceived::start(Town::bent(seed, 3, |p| (p.n_min, p.n_max, p.desk_slots) = (4, 4, 20)));
    it.net.mixes[0] = None;
    it.enter(6);
    let texts: Vec<_> = (0..12).map(|n| n.to_string()).collect();
    let entries = it.net.entries(1, 5, &texts);
    assert_eq!(it.net.forge(0, 5, &entries, 12), 200);
    it.middle.lie().lost.insert(id(5));
    it.enter(6);
    assert_eq!(it.net.counts(5..=5, 1), [(4, 4)]);
    it
}

/// MIX-14: the first mix signs two batches under one name, and the edge shows the second to a mix that began the first.
#[test]
fn mix_14_a_batch_that_was_begun_goes_on_only_as_the_same_also_after_a_restart() {
    let mut it = begun(55);
    let others = it.net.entries(1, 5, &["another"; 12]);
    let other = it.net.made(0, 5, &others, |_| ()).body().to_vec();
    for r in [6, 7] {
        it = it.restart();
        let other = other.clone();
        it.middle.lie().hidden.clear();
        it.middle.lie().instead.insert(id(5), Box::new(move |_| other));
        it.enter(r);
        assert!(it.middle.lie().instead.is_empty(), "it was given");
        assert_eq!(it.net.counts(5..=7, 1), [(4, 4)], "round {r}");
    }
    // A round later the first is shown again.
    it.middle.lie().lost.clear();
    it.middle.lie().hidden.clear();
    it.enter(8);
    assert_eq!(it.net.counts(5..=8, 1), [(4, 4); 3]);
    assert_eq!(it.delivered(8), once(0..12));
    it.stop();
}

/// mix.md §11
#[test]
fn a_batch_that_is_lost_half_taken_is_given_up_after_22_rounds_and_what_came_of_it_leaves_once() {
    let mut it = begun(56);
    // A batch waits once its round is over.
    for r in [26, 27] {
        it.enter(r + 1);
        let texts = [0, 1, 2, 3].map(|n| format!("{r} {n}"));
        let entries = it.net.entries(1, r, &texts);
        assert_eq!(it.net.forge(0, r, &entries, 4), 200);
        it.enter(r + 1);
        assert_eq!(it.net.counts(26..=27, 1).len(), if r == 26 { 0 } else { 2 }, "round {r}");
    }
    let later = [26, 27].iter().flat_map(|r| (0..4).map(move |n| format!("{r} {n}")));
    let all: BTreeMap<_, _> = once(0..4).into_iter().chain(once(later)).collect();
    assert_eq!(it.delivered(28), all);
    // It comes back too late.
    it.middle.lie().lost.clear();
    it.middle.lie().hidden.clear();
    it.enter(31);
    assert_eq!(it.delivered(30), all);
    assert_eq!(it.net.counts(3..=31, 1), [(4, 4); 3]);
    it.stop();
}

/// The first mix signs two batches under one name, and the edge shows the middle mix one and everybody the manifest of the other.
/// They could have made the second openly, so it gains them nothing; and whoever compares sees it for good.
#[test]
fn an_edge_and_a_first_mix_that_show_two_batches_gain_nothing_and_can_be_seen() {
    let mut it = Deceived::start(Town::new(57));
    it.net.mixes[0] = None;
    it.enter(6);
    let (told, hidden) = (it.net.entries(1, 5, &[""; 4]), it.net.entries(1, 5, &["a", "b", "c", "d"]));
    assert_eq!(it.net.forge(0, 5, &told, 4), 200);
    let hidden = it.net.made(0, 5, &hidden, |_| ());
    let body = hidden.body().to_vec();
    it.middle.lie().instead.insert(id(5), Box::new(move |_| body));
    assert_eq!(it.delivered(5), once(["a", "b", "c", "d"]));
    // Nobody compares today: the edition is taken.
    it.net.publish(Round(6));
    let head = UnverifiedHead::from_bytes(it.net.head.as_ref().unwrap()).unwrap();
    head.verify(it.net.directory(), Round(6), Round(6), None).unwrap();
    let manifests = it.net.manifests(5);
    assert_eq!(manifests[1].inputs, [Digest::of(&hidden.payload())]);
    assert_ne!(manifests[1].inputs, manifests[0].outputs, "for everybody who compares");
    it.stop();
}
