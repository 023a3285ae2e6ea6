//! What waits in a desk's queue looks like what is new, and all desks have one pass, whatever press, exit and edge do. Spec: mix.md
//! §12, drop.md §1.

use std::collections::HashSet;
use std::sync::Arc;

use crate::town::{
    Borne, Edge, Listed, Pair, Town, inbox, intake_keys, intake_keys_of, pass_of, passphrase, table_for,
};
use client::{Inbox, LineState, Place, Session, Vault};
use proto::Round;
use proto::sign::IdentitySecret;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

impl Pair {
    /// A source's session, from which the desk has a message once round `until` begins.
    async fn with_a_tip(&mut self, until: u32) -> Session {
        let session = self.source.begin(&passphrase(1)).unwrap();
        session.write(self.town.desk, "a tip", self.now()).unwrap();
        self.rounds(until - self.r).await;
        session
    }

    /// An answer of so many parts.
    fn answer(&self, parts: usize) {
        let conversation = self.inbox.conversations().swap_remove(0).id;
        self.inbox.answer(conversation, &"x".repeat(parts * 944), self.now()).unwrap();
    }

    /// What the desk's envelopes bear up to round `until`: no slot twice.
    async fn all_borne(&mut self, until: u32, slots: &mut HashSet<[u8; 1024]>) -> Vec<(u32, Option<Borne>)> {
        let mut all = Vec::new();
        while self.r < until {
            let (round, borne) = (self.r, self.borne().await);
            let own = borne.iter().flat_map(|borne| &borne.slots);
            own.for_each(|slot| assert!(slots.insert(*slot), "a slot came twice, with round {round}"));
            all.push((round, borne));
        }
        all
    }

    /// A round in which the desk is off.
    async fn without_desk(&mut self) {
        self.town.round(self.r, &[&self.source]).await;
        self.r += 1;
    }
}

fn days(all: &[(u32, Option<Borne>)]) -> Vec<(u32, Option<u32>)> {
    all.iter().map(|(round, borne)| (*round, borne.as_ref().map(|borne| borne.day))).collect()
}

fn answers(session: &Session) -> Vec<usize> {
    session.refresh();
    session.conversations()[0].lines[1..].iter().map(|line| line.text.len() / 944).collect()
}

/// P1: an exit hands in the key of the next week when it begins. What was to leave in that week was sealed to the key before: an
/// open vault seals it again, the answer as much as the filler, or the exit would know which of its classes were answers.
#[tokio::test]
async fn pas_04_when_the_exits_next_key_comes_late_what_says_something_is_sealed_to_it_as_filler_is() {
    let mut town = Town::found(81).await;
    let late = town.without_exit_key(1);
    let full = std::mem::replace(&mut town.directory, late);
    let mut it = Pair::in_town(town, 81, 118).await;
    let session = it.with_a_tip(166).await;
    it.answer(16);
    let mut slots = HashSet::new();
    it.all_borne(168, &mut slots).await;
    it.town.directory = full;
    // What left with the edition that brings the key was sealed before, whatever it says.
    let all = it.all_borne(178, &mut slots).await;
    let weeks: Vec<_> = all.iter().map(|(round, borne)| (*round, borne.as_ref().unwrap().week)).collect();
    assert_eq!(weeks, (168..178).map(|round| (round, u32::from(round > 168))).collect::<Vec<_>>());
    assert_eq!(answers(&session), [16]);
}

/// P1, P3: an edge keeps one desk from exchanging as a day ends. What was to leave on that day leaves on the next, and bears that
/// day's pass, whether it says something or not.
#[tokio::test]
async fn pas_04_what_slips_over_midnight_bears_the_pass_of_what_is_new() {
    let mut it = Pair::new(82).await;
    let session = it.with_a_tip(46).await;
    it.answer(16);
    it.without_desk().await;
    it.without_desk().await;
    it.town.clock.set(it.town.start(48));
    it.inbox.collect();
    let all = it.all_borne(60, &mut HashSet::new()).await;
    assert_eq!(days(&all), (48..60).map(|round| (round, Some(1))).collect::<Vec<_>>());
    assert_eq!(answers(&session), [16]);
}

/// P1: the same when the vault cannot be written, so that what says something stays as it is: then what says nothing does too.
#[tokio::test]
async fn pas_04_on_a_full_disk_nothing_is_sealed_anew_whether_it_says_something_or_not() {
    let mut it = Pair::new(88).await;
    it.with_a_tip(46).await;
    it.answer(3);
    it.without_desk().await;
    it.without_desk().await;
    it.town.clock.set(it.town.start(48));
    // A folder where the new file should be: writing it fails.
    let in_the_way = it.folder.path().join("vault.next");
    std::fs::create_dir(&in_the_way).unwrap();
    it.inbox.collect();
    let mut slots = HashSet::new();
    assert_eq!(days(&it.all_borne(50, &mut slots).await), [(48, Some(0)), (49, Some(0))]);
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(days(&it.all_borne(52, &mut slots).await), [(50, Some(1)), (51, Some(1))]);
}

/// P1: the same into a day with more desks, of which each has fewer slots in an envelope. What has no room goes in further
/// envelopes.
#[tokio::test]
async fn pas_04_what_slips_into_a_day_of_smaller_envelopes_is_as_small_as_what_is_new() {
    let mut it = Pair::new(83).await;
    let ours = IdentitySecret::from_seed(&it.town.desk_identity);
    let other = IdentitySecret::generate(&mut StdRng::seed_from_u64(83));
    let directory = |town: &Town, keys: Vec<_>| {
        let listed = [(&ours, 0, intake_keys()), (&other, 1 + 48, keys)];
        town.directory_with(None, &listed.map(|(desk, since, intake)| Listed { desk, since, intake }))
    };
    it.town.directory = directory(&it.town, vec![]);
    let session = it.with_a_tip(47).await;
    it.town.directory = directory(&it.town, intake_keys_of(0xdf));
    it.rounds(70 - it.r).await;
    it.answer(6);
    it.without_desk().await;
    it.without_desk().await;
    it.town.clock.set(it.town.start(72));
    it.inbox.collect();
    let all = it.all_borne(90, &mut HashSet::new()).await;
    let carried: Vec<_> =
        all.into_iter().map(|(_, borne)| borne.map(|it| (it.day, it.slots.len()))).collect();
    assert_eq!(carried, vec![Some((2, 1)); 18]);
    assert_eq!(answers(&session), [6]);
}

/// P1: answers are queued on a Friday, the device is off until Monday, and the exit has deleted the pass under which they were
/// sealed.
#[tokio::test]
async fn pas_04_what_waited_over_days_off_is_sealed_to_passes_that_are_still_taken() {
    let mut it = Pair::in_town(Town::found(84).await, 84, 412).await;
    let session = it.with_a_tip(460).await;
    // One envelope, which leaves before anybody has opened the vault again, and two.
    it.answer(3);
    it.answer(6);
    let vault = it.folder.path().join("vault");
    while it.r < 550 {
        it.without_desk().await;
    }
    it.inbox = Inbox::new(Arc::clone(&it.desk), Vault::unlock(&vault, &passphrase(9)).unwrap());
    let all = it.all_borne(562, &mut HashSet::new()).await;
    let expected = (550..562).map(|round| (round, Some(if round == 550 { 18 } else { round / 24 - 1 })));
    assert_eq!(days(&all), expected.collect::<Vec<_>>());
    assert!(all[1..].iter().all(|(_, borne)| borne.as_ref().unwrap().week == 3));
    assert_eq!(answers(&session), [6]);
}

/// P3: an exit gives out a second pass within a day, and an edge keeps one desk an edition behind, within what freshness allows.
/// All desks go on with the first, so none is told by when it stopped to use it.
#[tokio::test]
async fn pas_03_of_two_passes_for_a_day_the_first_stays_and_who_is_behind_is_not_marked() {
    let mut town = Town::found(85).await;
    let folder = tempfile::tempdir().unwrap();
    let lagging = Edge::start().await;
    let told = town.open(town.desk_config(Place::Memory), 1);
    let mut behind = town.desk_config(Place::Memory);
    behind.edge.clone_from(&lagging.address);
    let behind = town.open(behind, 2);
    let inboxes = [(&told, "told"), (&behind, "behind")]
        .map(|(device, name)| inbox(device, town.desk_identity, intake_keys(), &folder.path().join(name)));
    for e in 0..54 {
        town.clock.set(town.start(e));
        town.edge.copy_to(&lagging);
        if e == 3 {
            town.passes = Some((0, table_for(&town.directory, 0, &pass_of(9))));
        }
        town.publish(e, vec![]);
        town.pass(e, &[&told, &behind]).await;
        inboxes.iter().for_each(|inbox| assert_eq!(inbox.collect(), 0));
    }
    let days = |edge: &Edge, from| -> Vec<_> {
        let uploads = edge.uploads().into_iter().filter(|(round, _)| round.0 >= from);
        uploads.map(|(round, envelope)| (round.0, town.borne(round, &envelope).map(|it| it.day))).collect()
    };
    // Edition 2 brings the first drop with the first pass.
    for (edge, from) in [(&town.edge, 3), (&lagging, 4)] {
        let expected = (from..54).map(|round: u32| (round, Some((round / 24).saturating_sub(1))));
        assert_eq!(days(edge, from), expected.collect::<Vec<_>>());
    }
}

/// P3: a desk's device begins anew late on a day, and the exit writes no more drops on it. On the day after, the others use the
/// pass of the day that it did not see: it uses none.
#[tokio::test]
async fn pas_04_a_device_that_begins_late_on_a_day_uses_no_other_pass_than_those_that_saw_it() {
    let mut town = Town::found(86).await;
    town.without_drops = 43..48;
    let mut it = Pair::in_town(town, 86, 45).await;
    let all = it.all_borne(76, &mut HashSet::new()).await;
    let expected = (46..76).map(|round| (round, (round >= 72).then_some(2)));
    assert_eq!(days(&all), expected.collect::<Vec<_>>());
}

/// P1: an exit withholds a day's drops, and hands one in when all use the pass of the day after. Nothing changes.
#[tokio::test]
async fn pas_03_an_earlier_days_table_that_comes_after_a_later_one_changes_nothing() {
    let mut town = Town::found(87).await;
    town.without_drops = 24..48;
    let mut it = Pair::in_town(town, 87, 0).await;
    it.rounds(54).await;
    it.town.late_drops = Some(47);
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    let all = it.all_borne(76, &mut HashSet::new()).await;
    assert_eq!(days(&all), (55..76).map(|round| (round, Some(2))).collect::<Vec<_>>());
    session.refresh();
    assert_eq!(session.conversations()[0].lines[0].state, LineState::Acknowledged);
    assert!(it.town.edge.file(&proto::path::desk_drop(Round(47))).is_some());
}
