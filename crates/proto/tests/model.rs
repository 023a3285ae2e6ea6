//! A mix with crashes and restarts, every order of its steps tried by a model checker: never a batch below n_min, never an item
//! twice, never a second output under one name, never an open with a key that is deleted, never an input let go of before it is
//! stored. The rule is `proto`'s own: the batch is gathered and closed by [`Gathering`], resumed from the disk as after a restart.
//!
//! A model that cannot fail says nothing, so each property is also tried on a mix that does one thing wrong.
//!
//! Not modelled: hostile input (tests of their own), the exit, and a disk that loses what it said it kept.

use std::collections::{BTreeMap, BTreeSet};

use proto::Round;
use proto::mix::{Gathering, Inputs, Rule};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use stateright::{Checker as _, HasDiscoveries, Model, Property};

/// What is wrong with a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Writes a batch whatever its size.
    PassesOnSmall,
    /// Keeps replay tags in memory alone.
    ForgetsTags,
    /// Hands over what is written and not yet recorded.
    PushesUnrecorded,
    /// Lets go of an input that it is still taking.
    ReleasesEarly,
    /// Opens with a key whose time is over.
    OpensLate,
}

/// A mix, the rounds that come, as tags of their envelopes, and how often it is stopped.
struct Mix {
    fault: Fault,
    rounds: &'static [&'static [u8]],
    crashes: u8,
}

const RULE: Rule = Rule { n_min: 2, n_max: 3 };
/// Time passes so far.
const CLOCK: u8 = 2;

/// An item: its tag, and the round from which it may leave.
type Item = (u8, u8);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct State {
    clock: u8,
    crashes: u8,
    // at the edge
    waiting: BTreeSet<u8>,
    shown: BTreeMap<u8, Vec<u8>>,
    // on the mix's disk
    tags: BTreeSet<u8>,
    items: Vec<Item>,
    progress: (u8, u8),
    due: bool,
    recorded: BTreeMap<u8, (Vec<u8>, bool)>,
    deleted_keys: BTreeSet<u8>,
    // written, with nothing that points to it
    file: Option<Vec<u8>>,
    // what must never be
    second_output: bool,
    opened_late: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Step {
    /// Stores the next entry with its tag, held for a round or not.
    Take {
        held: bool,
    },
    Release(u8),
    Write,
    Record,
    Push,
    NotePushed,
    DeleteKey(u8),
    Tick,
    Crash,
}

impl Mix {
    /// What of the disk a mix starts from, as the rule.
    fn gathering(&self, state: &State) -> Gathering {
        let tag = |tag: u8| [tag; 16];
        let items = state.items.iter().map(|&(tag, release)| (Round(release.into()), tag.into())).collect();
        let rule = if self.fault == Fault::PassesOnSmall { Rule { n_min: 1, ..RULE } } else { RULE };
        let tags = state.tags.iter().copied().map(tag);
        let mut gathering = Gathering::resume(rule, tags, items, Inputs::default());
        gathering.ripen(Round(state.clock.into()));
        gathering
    }

    fn is_taken(&self, state: &State, round: u8) -> bool {
        state.progress.0 > round
    }

    fn take(&self, state: &mut State, held: bool) {
        let (round, next) = state.progress;
        let entries = self.rounds[usize::from(round)];
        if let Some(&tag) = entries.get(usize::from(next)) {
            let has_key = !state.deleted_keys.contains(&round);
            if has_key || self.fault == Fault::OpensLate {
                state.opened_late |= !has_key;
                if self.gathering(state).is_new(&[tag; 16]) {
                    state.tags.insert(tag);
                    state.items.push((tag, state.clock + u8::from(held)));
                }
            }
        }
        let next = next + 1;
        let ended = usize::from(next) >= entries.len();
        state.progress = if ended { (round + 1, 0) } else { (round, next) };
        state.due = self.gathering(state).is_due(ended);
    }

    fn write(&self, state: &mut State) {
        // Another order each time: what was not recorded is drawn again.
        let mut rng = StdRng::seed_from_u64(state.crashes.into());
        let closed = self.gathering(state).close(state.due, &mut rng);
        state.file = closed.map(|closed| closed.order.into_iter().map(|item| item as u8).collect());
    }

    fn push(&self, state: &mut State) {
        let next = state.recorded.len() as u8;
        let unpushed = state.recorded.iter().find(|(_, (_, pushed))| !pushed);
        let recorded = unpushed.map(|(&id, (output, _))| (id, output.clone()));
        let early = state.file.clone().filter(|_| self.fault == Fault::PushesUnrecorded);
        let Some((id, output)) = recorded.or(early.map(|output| (next, output))) else { return };
        // The edge keeps the first, and tells.
        state.second_output |= *state.shown.entry(id).or_insert_with(|| output.clone()) != output;
    }
}

impl Model for Mix {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State { waiting: (0..self.rounds.len() as u8).collect(), ..State::default() }]
    }

    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        let unpushed = state.recorded.iter().find(|(_, (_, pushed))| !pushed);
        // One thing after another, as the service does: what is due is closed before more is taken.
        let due = self.gathering(state).is_due(state.due);
        if due && state.file.is_none() {
            steps.push(Step::Write);
        }
        if !due
            && usize::from(state.progress.0) < self.rounds.len()
            && state.waiting.contains(&state.progress.0)
        {
            steps.extend([Step::Take { held: false }, Step::Take { held: true }]);
        }
        if state.file.is_some() {
            steps.push(Step::Record);
        }
        if unpushed.is_some() || (state.file.is_some() && self.fault == Fault::PushesUnrecorded) {
            steps.push(Step::Push);
        }
        if unpushed.is_some_and(|(id, _)| state.shown.contains_key(id)) {
            steps.push(Step::NotePushed);
        }
        for round in 0..self.rounds.len() as u8 {
            let early = self.fault == Fault::ReleasesEarly && state.progress.0 == round;
            if state.waiting.contains(&round) && (self.is_taken(state, round) || early) {
                steps.push(Step::Release(round));
            }
            // Once all of it is opened, or when its time is over.
            let over = self.is_taken(state, round) || state.clock == CLOCK;
            if over && !state.deleted_keys.contains(&round) {
                steps.push(Step::DeleteKey(round));
            }
        }
        if state.clock < CLOCK {
            steps.push(Step::Tick);
        }
        if state.crashes < self.crashes {
            steps.push(Step::Crash);
        }
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        match step {
            Step::Take { held } => self.take(&mut next, held),
            Step::Release(round) => drop(next.waiting.remove(&round)),
            Step::Write => self.write(&mut next),
            Step::Record => {
                let output = next.file.take()?;
                next.items.retain(|(tag, _)| !output.contains(tag));
                next.due = false;
                next.recorded.insert(state.recorded.len() as u8, (output, false));
            }
            Step::Push => self.push(&mut next),
            Step::NotePushed => next.recorded.values_mut().find(|(_, pushed)| !*pushed)?.1 = true,
            Step::DeleteKey(round) => drop(next.deleted_keys.insert(round)),
            Step::Tick => next.clock += 1,
            Step::Crash => {
                next.crashes += 1;
                // A file that nothing points to goes when the mix starts.
                next.file = None;
                if self.fault == Fault::ForgetsTags {
                    next.tags.clear();
                }
            }
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("no small batch", |_, state: &State| {
                state
                    .shown
                    .values()
                    .all(|output| (RULE.n_min as usize..=RULE.n_max as usize).contains(&output.len()))
            }),
            Property::always("no item twice", |_, state: &State| {
                let mut all: Vec<u8> = state.shown.values().flatten().copied().collect();
                all.sort_unstable();
                all.windows(2).all(|two| two[0] != two[1])
            }),
            Property::always("one output for a name", |_, state: &State| !state.second_output),
            Property::always("no open with a deleted key", |_, state: &State| !state.opened_late),
            Property::always("what is let go of is stored", |mix: &Mix, state: &State| {
                let gone = (0..mix.rounds.len() as u8).filter(|round| !state.waiting.contains(round));
                gone.into_iter().all(|round| mix.is_taken(state, round))
            }),
            Property::always("what is taken waits or has left, once", |_, state: &State| {
                let left = state.recorded.values().flat_map(|(output, _)| output.iter().copied());
                let mut all: Vec<u8> = state.items.iter().map(|(tag, _)| *tag).chain(left).collect();
                all.sort_unstable();
                all.windows(2).all(|two| two[0] != two[1]) && state.tags.iter().all(|tag| all.contains(tag))
            }),
            Property::sometimes("all of it arrives", |mix: &Mix, state: &State| {
                let all: BTreeSet<u8> = mix.rounds.concat().into_iter().collect();
                let arrived: BTreeSet<u8> = state.shown.values().flatten().copied().collect();
                arrived == all && state.waiting.is_empty() && state.crashes == mix.crashes
            }),
        ]
    }
}

/// Three rounds: one with a repeat, a short one, and one with a repeat of the first.
const ROUNDS: &[&[u8]] = &[&[1, 2, 1], &[3], &[2, 4]];

#[test]
fn a_mix_that_is_stopped_anywhere_twice_keeps_every_promise() {
    let mix = Mix { fault: Fault::None, rounds: ROUNDS, crashes: 2 };
    let checked = mix.checker().spawn_bfs().join();
    assert!(checked.unique_state_count() > 5_000, "only {} states", checked.unique_state_count());
    checked.assert_properties();
}

#[test]
fn each_fault_is_found() {
    for (fault, broken) in [
        (Fault::PassesOnSmall, "no small batch"),
        (Fault::ForgetsTags, "no item twice"),
        (Fault::PushesUnrecorded, "one output for a name"),
        (Fault::OpensLate, "no open with a deleted key"),
        (Fault::ReleasesEarly, "what is let go of is stored"),
    ] {
        let found = HasDiscoveries::AnyOf([broken].into());
        let mix = Mix { fault, rounds: ROUNDS, crashes: 1 };
        let checked = mix.checker().finish_when(found).spawn_bfs().join();
        assert!(checked.discovery(broken).is_some(), "{fault:?} is not noticed");
    }
}
