//! A mix: pulls its input from the edge, opens it, shuffles, and pushes the output sealed to the next mix. It has no
//! inbound port.
//!
//! ```text
//! pull -> open (in parallel) -> Stored -> ... round over -> Written -> Closed -> Pushed -> PushNoted
//!                                  \-> Released
//! ```
//!
//! Why a crash loses and doubles nothing: each step's effect is one transaction, or is idempotent. Entries become items
//! together with their replay tags and the progress through the input, so an entry is taken exactly once. A batch is
//! shuffled into a file that nothing points to; then one transaction records the output and removes its items, so an
//! item is in exactly one output; a crash before it leaves a file that nobody has seen, and the next shuffle is the first.
//! What was recorded is pushed until the edge has it, always the same bytes.
//!
//! An input is released once its last entries are stored: from then on the items and tags here are all that is left to do
//! with it, and they are durable. (The output that will contain them is not written yet, and need not be.)

mod decoys;
mod directory;
mod exit;
mod keys;
mod outputs;
mod pass;
mod passes;
mod pull;
pub(crate) mod store;
mod upstream;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use proto::directory::Directory;
use proto::envelope::Wire;
use proto::hold::WAIT_ROUNDS;
use proto::id::KeyId;
use proto::keys::KeyKind;
use proto::mix::{self, BatchId, Input, Inputs, ItemId, Manifest};
use proto::pass as desk_pass;
use proto::sign::{IdentitySecret, Unverified};
use proto::size::ENVELOPE;
use proto::{Digest, Millis, NetworkId, Round};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::directory::Follow;
use self::exit::Exit;
use self::keys::Keys;
use self::outputs::Outputs;
use self::pass::{Closing, Pass};
use self::pull::{Begun, Pull};
use self::store::{Closes, Item, Place, Progress, Run as StoredRun, Store};
use crate::edge::{OpenError, is_too_old};
use crate::faults::{Hook, Killed, Side, Step};
use crate::http::{RUN, RequestError};
use crate::state::StateFolder;
use crate::store::StoreError;

pub use upstream::{HttpUpstream, Run, Upstream, UpstreamError};

/// What a mix is told when it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its hop, counted from 0; the last is the exit.
    pub hop: u8,
    /// The edge's address, "http://host:port".
    pub edge: String,
    /// Its state folder.
    pub state: PathBuf,
    /// The seed file of its identity.
    pub identity: PathBuf,
    /// The network it belongs to.
    pub network: NetworkId,
    /// The file that holds the directory.
    pub directory: PathBuf,
}

/// What a mix is made of, once its files are read.
pub struct Setup {
    /// Its hop, counted from 0.
    pub hop: u8,
    /// Its state folder.
    pub state: PathBuf,
    /// The directory.
    pub directory: Arc<Directory>,
    /// Signs its manifests, keys and requests.
    pub identity: Arc<IdentitySecret>,
}

impl Setup {
    /// Reads the files that `config` names.
    pub fn read(config: &Config) -> Result<Self, OpenError> {
        let (_, directory) = crate::edge::read_directory(&config.directory, &config.network)?;
        Ok(Self {
            hop: config.hop,
            state: config.state.clone(),
            directory: Arc::new(directory),
            identity: Arc::new(IdentitySecret::from_seed(&*crate::seed::read(&config.identity)?)),
        })
    }
}

/// Why a step failed. Whatever it is, the next step goes on from the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MixError {
    /// Nothing could be pulled, pushed or released.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// Our store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No edition names the key of a mix after this one for a round.
    #[error(
        "No edition names a later mix's key that is needed yet. If this goes on, ask whether that mix and the press run."
    )]
    NoKey,
    /// A test stopped it.
    #[error(transparent)]
    Killed(#[from] Killed),
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// Entries taken.
    pub taken: u64,
    /// Outputs written.
    pub closed: u32,
    /// Outputs pushed.
    pub pushed: u32,
    /// Whether there may be more to do at once.
    pub more: bool,
}

/// Runs of entries in one step, so that a loop looks up between steps.
const RUNS: u32 = 32;

/// Rounds after which an input begun and no longer there is given up: before what came of it is deleted, a round later than it
/// is seen that one so much newer waits. Spec: mix.md §11.
const GIVE_UP: u32 = WAIT_ROUNDS - 2;

/// A mix.
pub struct Mix<U> {
    me: Me,
    keys: Keys,
    store: Store,
    outputs: Outputs,
    upstream: U,
    rng: StdRng,
    work: Work,
    /// The input being taken.
    progress: Option<Progress>,
    /// Whether an input ended with enough gathered: the batch is to be closed.
    due: bool,
    /// The round it is by our own clock. Hold is counted in these: the number of a batch is another's word.
    now: Round,
    /// Where the search for our decoys stands.
    search: decoys::Search,
    /// Where looking for a later directory stands.
    follow: Follow,
    /// The batch being taken, by a later mix.
    pull: Pull,
    /// Whether the edge has taken a request since the program was started, and with it the time by our own clock.
    heard: bool,
    /// Memory may be ahead of the disk, and is read anew.
    stale: bool,
    /// Inputs that are not what they should be: said when they are found, and left until this round.
    refused: HashMap<BatchId, Round>,
    // Last, so that it is let go of after the store is closed.
    _folder: StateFolder,
}

/// Who this mix is. Only the directory changes while it runs.
struct Me {
    hop: u8,
    wire: Wire,
    directory: Arc<Directory>,
    identity: Arc<IdentitySecret>,
    hook: Hook,
}

/// An edge that withholds editions or drops keeps no batch from being passed on: what is looked for there is asked for again.
fn not_needed(looked: Result<(), MixError>) -> Result<(), MixError> {
    match looked {
        Err(MixError::Upstream(_)) => Ok(()),
        other => other,
    }
}

enum Work {
    Pass(Pass),
    Exit(Exit),
}

impl<U: Upstream> Mix<U> {
    /// Opens a mix on its state folder. `rng` draws the shuffles and must be seeded from the system; only tests give
    /// another.
    pub fn open(setup: Setup, upstream: U, rng: StdRng, hook: Hook) -> Result<Self, OpenError> {
        let Setup { hop, state, directory, identity } = setup;
        let wire = directory.wire();
        if !directory::lists(&directory, hop, &identity) {
            return Err(OpenError::NotThisMix { hop });
        }
        let folder = StateFolder::open(&state, &format!("mix at place {}", hop + 1), &wire.network)?;
        let store = Store::open(&folder.path().join("mix.sqlite"))?;
        let unpushed = store.unpushed()?;
        let outputs = Outputs::open(folder.path().join("outputs"), unpushed.iter().map(|o| o.id))?;
        let pull = Pull::open(folder.path())?;
        let directories = folder.path().join("directories");
        let (follow, directory) = Follow::resume(directory, &directories, &wire.network)?;
        let me = Me { hop, wire, directory, identity, hook };
        let work = me.work(store::Kept::nothing());
        let mut mix = Self {
            keys: Keys::new(KeyKind::of_mix(hop, wire.cascade)),
            me,
            store,
            outputs,
            upstream,
            rng,
            work,
            progress: None,
            due: false,
            now: Round(0),
            search: decoys::Search::default(),
            follow,
            pull,
            heard: false,
            stale: true,
            refused: HashMap::new(),
            _folder: folder,
        };
        mix.reload()?;
        Ok(mix)
    }

    /// Does what there is to do at `now`: takes what came, closes what is due, pushes, releases. May block; never call it
    /// from a thread that runs an async runtime's tasks.
    pub fn step(&mut self, now: Millis) -> Result<Stepped, MixError> {
        if self.stale {
            self.reload()?;
        }
        self.now = self.me.directory.parameters().schedule.round_at(now).unwrap_or(Round(0));
        // First, since a batch may wait for what the directory names.
        let followed = self.follow.step(&mut self.me, &mut self.upstream, self.now);
        let outcome = not_needed(followed).and_then(|()| self.turn_keys()).and_then(|()| self.work(now));
        // KEY-06: with each step, so that its keys and orders are not to be had from what the memory holds later.
        self.rng = StdRng::from_rng(&mut self.rng);
        // Pulling, pushing, releasing and waiting for a key change nothing in memory; everything else may have.
        self.stale = outcome.as_ref().is_err_and(|e| !matches!(e, MixError::Upstream(_) | MixError::NoKey));
        outcome
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        let mut kept = self.store.kept()?;
        (self.progress, self.due) = (kept.progress, kept.due);
        self.keys.reload(core::mem::take(&mut kept.keys));
        self.work = self.me.work(kept);
        self.stale = false;
        Ok(())
    }

    /// Makes keys ahead, lets the edge have them, and deletes those whose time is over.
    fn turn_keys(&mut self) -> Result<(), MixError> {
        if self.keys.turn(&self.me, self.now, &mut self.store, &mut self.rng)? {
            // The tags seen under them are gone too.
            self.reload()?;
        }
        self.keys.hand_over(&self.me, &mut self.store, &mut self.upstream)
    }

    fn work(&mut self, now: Millis) -> Result<Stepped, MixError> {
        match &mut self.work {
            Work::Pass(pass) => pass.ripen(self.now),
            Work::Exit(exit) => exit.ripen(self.now),
        }
        if matches!(self.work, Work::Pass(_)) {
            // Before anything is closed: what stands in drops that came while this mix was off is not missing.
            not_needed(self.search.step(&self.me, &mut self.store, &mut self.upstream, self.now))?;
        }
        let mut done = Stepped::default();
        // What was due when this mix was stopped leaves, however old it is by now.
        self.close_or_wait(&mut done)?;
        self.delete_old()?;
        let passed = self.pass_on(&mut done);
        // What is in the pools leaves in its time, also while the edge gives no input, or nonsense.
        let goes_on = match &passed {
            // REQ-01: it may be right about the clock, and drops of a time to come would keep all others back until then.
            Err(MixError::Upstream(UpstreamError::Edge(RequestError::Refused(403)))) => false,
            // The same where nobody has answered since this was started: its clock may not be set yet.
            Ok(_) | Err(MixError::Upstream(_)) => self.heard,
            Err(_) => false,
        };
        if matches!(self.work, Work::Exit(_)) && goes_on {
            // What was stored before taking failed.
            self.close_or_wait(&mut done)?;
            self.emit(now, &mut done)?;
            self.push(&mut done)?;
        }
        if passed? { Err(MixError::NoKey) } else { Ok(done) }
    }

    /// Takes, closes and pushes, run by run. `true`: what is due waits for a later mix's key.
    fn pass_on(&mut self, done: &mut Stepped) -> Result<bool, MixError> {
        for _ in 0..RUNS {
            let waits = self.close_or_wait(done)?;
            self.push(done)?;
            if !self.take(done)? {
                return Ok(waits);
            }
        }
        let waits = self.close_or_wait(done)?;
        self.push(done)?;
        done.more = true;
        Ok(waits)
    }

    /// Closes what is due. `true`: it waits for a later mix's key. There may never be one for its round, if that mix was off for
    /// long; then what is gathered leaves with a later round, or is deleted in its time.
    fn close_or_wait(&mut self, done: &mut Stepped) -> Result<bool, MixError> {
        match self.close_if_due(done) {
            Err(MixError::NoKey) => Ok(true),
            outcome => outcome.map(|()| false),
        }
    }

    /// Takes the next run of entries, if there is one.
    fn take(&mut self, done: &mut Stepped) -> Result<bool, MixError> {
        let waiting = self.upstream.waiting();
        // Also by an answer that is of no use.
        let useless = |e: &UpstreamError| {
            matches!(e, UpstreamError::Nonsense | UpstreamError::Edge(RequestError::TooLong))
        };
        self.heard |= waiting.as_ref().map_or_else(useless, |_| true);
        let mut waiting = waiting?;
        waiting.sort_unstable();
        // MIX-15: what is another's stays for the other, whatever the edge lists.
        waiting.retain(|id| self.me.has(id.round));
        let mut fresh = Vec::new();
        for id in waiting {
            // Everything of it is stored here: it may go. Also when it was released before and the edge lost that.
            if self.store.is_taken(id)? {
                self.release(id)?;
            // MIX-13: what a batch is called is another's word, and no round is begun before its time.
            } else if self.refused.get(&id).is_none_or(|until| *until <= self.now) && id.round <= self.now {
                fresh.push(id);
            }
        }
        if let Some(begun) = self.progress {
            return if fresh.contains(&begun.source) {
                Ok(self.take_from(begun.source, Some(begun), done)? == Taken::Some)
            } else {
                self.give_up(begun, &fresh)
            };
        }
        for id in fresh {
            match self.take_from(id, None, done)? {
                Taken::Some => return Ok(true),
                // Only the oldest round is taken from; those after it wait until it is over.
                Taken::NothingYet => return Ok(false),
                Taken::Refused => {}
            }
        }
        Ok(false)
    }

    fn release(&mut self, id: BatchId) -> Result<(), MixError> {
        self.me.hook.at(Step::Released, Side::Before)?;
        self.upstream.release(id)?;
        self.me.hook.at(Step::Released, Side::After)?;
        Ok(())
    }

    /// The input begun is not there any more, which an honest edge never does: the rest of it is lost. Not at once, since
    /// it may come back with the edge's disk.
    fn give_up(&mut self, begun: Progress, fresh: &[BatchId]) -> Result<bool, MixError> {
        let newest = fresh.last().map_or(0, |id| id.round.0);
        if newest < begun.source.round.0.saturating_add(GIVE_UP) {
            return Ok(false);
        }
        tracing::error!("The edge lost an input that was not taken whole. Ask its operator.");
        self.store_run(begun, true, None, Opened::default())?;
        Ok(true)
    }

    /// Takes entries of one input, after those taken before if it was `begun`.
    fn take_from(
        &mut self,
        id: BatchId,
        begun: Option<Progress>,
        done: &mut Stepped,
    ) -> Result<Taken, MixError> {
        let room = match &self.work {
            // MIX-03: a batch closes at n_max, so no run brings more than fit.
            Work::Pass(pass) => pass.room(),
            Work::Exit(_) => usize::MAX,
        };
        if self.me.hop == 0 {
            let next = begun.map_or(0, |begun| begun.next);
            let Some(run) = self.upstream.envelopes(id.round, next)? else { return Ok(Taken::NothingYet) };
            if !run.bytes.len().is_multiple_of(ENVELOPE) {
                return Err(UpstreamError::Nonsense.into());
            }
            let entries: Vec<&[u8]> = run.bytes.chunks_exact(ENVELOPE).take(room).collect();
            let next = next + entries.len() as u64;
            let ended = run.sealed.is_some_and(|len| next >= len);
            if entries.is_empty() && !ended {
                return Ok(Taken::NothingYet);
            }
            let before = self.work.inputs().digest(id);
            let digest = mix::chain(before, entries.iter().copied());
            self.take_entries(Progress { source: id, next, digest }, ended, &entries, done)?;
        } else {
            match self.pull.begin(&self.me, &self.keys, &mut self.upstream, id, begun)? {
                Begun::Here => {}
                Begun::NothingYet => return Ok(Taken::NothingYet),
                Begun::Refused => {
                    tracing::error!(
                        "A batch is not what its manifest says, and is left at the edge. Ask the mix before."
                    );
                    self.refused.insert(id, Round(u32::MAX));
                    return Ok(Taken::Refused);
                }
                Begun::Another => {
                    tracing::error!(
                        "The edge gives another batch than it should, or one that is too large for the directory of this mix. It is asked again next round. Ask its operator. If the roster has changed, restart this mix with the newest directory."
                    );
                    self.refused.insert(id, self.now.next());
                    return Ok(Taken::Refused);
                }
            }
            let run = self.pull.next(room.min(RUN), RUN)?;
            let entries: Vec<&[u8]> = run.entries.iter().map(Vec::as_slice).collect();
            let progress = Progress { source: id, next: run.taken, digest: run.digest };
            self.take_entries(progress, run.ended, &entries, done)?;
            if run.ended {
                self.pull.end();
            }
        }
        Ok(Taken::Some)
    }

    fn take_entries(
        &mut self,
        progress: Progress,
        ended: bool,
        entries: &[&[u8]],
        done: &mut Stepped,
    ) -> Result<(), MixError> {
        let Progress { source, digest, .. } = progress;
        let opened = match &self.work {
            Work::Pass(pass) => pass.open(&self.me, &self.keys, source.round, entries),
            Work::Exit(exit) => exit.open(&self.me, &self.keys, source.round, entries),
        };
        let entries_len = entries.len() as u32;
        let input = Input { source, at: self.now, digest, entries: entries_len };
        let input = (entries_len > 0).then_some(input);
        self.store_run(progress, ended, input, opened)?;
        done.taken += entries.len() as u64;
        Ok(())
    }

    /// Stores a run, and only then takes it into memory.
    fn store_run(
        &mut self,
        progress: Progress,
        ended: bool,
        input: Option<Input>,
        opened: Opened,
    ) -> Result<(), MixError> {
        // MIX-07, EXT-05: drawn once, and stored with the item.
        let items: Vec<_> =
            opened.items.into_iter().map(|it| self.me.held(it, self.now, &mut self.rng)).collect();
        let count = match &self.work {
            Work::Pass(pass) => {
                pass.count() + items.iter().filter(|it| it.release <= self.now).count() as u32
            }
            Work::Exit(exit) => exit.opened() + opened.count,
        };
        // The end of an input is the end of a round here. A batch that is short then waits for the next one's end. MIX-02: so does
        // what is left of a round, or comes behind it, once a batch of it or of a newer one has left; but where another mix takes
        // over there is no next one.
        let n_min = self.me.directory.parameters().n_min;
        let (was_due, ends_round) = match &self.work {
            Work::Pass(pass) => (
                // It waits for a later mix's key. What was deleted meanwhile is not due any more.
                self.due && pass.count() >= n_min,
                self.store
                    .newest_output()?
                    .is_none_or(|newest| newest < progress.source.round || !self.me.has(newest.next())),
            ),
            Work::Exit(_) => (self.due, true),
        };
        let due = was_due || (ended && ends_round && count >= n_min);
        let run = StoredRun {
            progress,
            ended,
            due,
            input,
            tags: opened.tags,
            items,
            opened: if matches!(self.work, Work::Exit(_)) { count } else { 0 },
            now: self.now,
        };
        self.me.hook.at(Step::Stored, Side::Before)?;
        let ids = self.store.keep(&run)?;
        self.me.hook.at(Step::Stored, Side::After)?;
        self.progress = (!ended).then_some(progress);
        self.due = due;
        match &mut self.work {
            Work::Pass(pass) => pass.take(&run, &ids),
            Work::Exit(exit) => exit.take(&run, &ids),
        }
        // MIX-06: everything it brought is durable here.
        if ended {
            self.release(progress.source)?;
        }
        Ok(())
    }

    fn close_if_due(&mut self, done: &mut Stepped) -> Result<(), MixError> {
        match &mut self.work {
            Work::Pass(pass) => {
                if !pass.is_due(self.due) {
                    return Ok(());
                }
                let id = self.store.next_output()?;
                let key =
                    self.keys.of(&self.me, self.me.hop + 1, (id.round, self.now), &mut self.upstream)?;
                let decoys = decoys::make(
                    &self.me,
                    (id, self.now),
                    &mut self.keys,
                    &mut self.upstream,
                    &mut self.rng,
                )?;
                let closing = Closing { id, key, decoys, now: self.now };
                pass.close(&self.me, &closing, &mut self.store, &self.outputs, &mut self.rng)?;
                done.closed += 1;
            }
            Work::Exit(exit) => {
                if !self.due {
                    return Ok(());
                }
                let gone = exit.admit(&mut self.rng);
                self.me.hook.at(Step::Admitted, Side::Before)?;
                self.store.admit(&gone)?;
                self.me.hook.at(Step::Admitted, Side::After)?;
            }
        }
        self.due = false;
        Ok(())
    }

    /// Deletes what might have left for 24 rounds and had no company.
    fn delete_old(&mut self) -> Result<(), MixError> {
        let (gone, said) = match &mut self.work {
            Work::Pass(pass) => pass.expire(self.now),
            Work::Exit(exit) => exit.expire(self.now),
        };
        if said == 0 {
            return Ok(());
        }
        self.me.hook.at(Step::Deleted, Side::Before)?;
        self.store.delete(&gone, said)?;
        self.me.hook.at(Step::Deleted, Side::After)?;
        Ok(())
    }

    /// The exit writes the drops of the newest round whose drops are due. Missed rounds are skipped: what would have stood
    /// in their drops stays pooled. While an older pair of drops is not at the edge, no new one is written either.
    fn emit(&mut self, now: Millis, done: &mut Stepped) -> Result<(), MixError> {
        let Work::Exit(exit) = &mut self.work else { return Ok(()) };
        let Some(due) = self.me.directory.parameters().schedule.newest_drops_due(now) else { return Ok(()) };
        // MIX-15
        if !self.me.has(due) {
            return Ok(());
        }
        // EXT-04: one pair of drops for each round, ever.
        if self.store.newest_output()? >= Some(due) || !self.store.unpushed()?.is_empty() {
            return Ok(());
        }
        let day = desk_pass::day(due);
        if exit.passes().lacks(day) {
            let directory = directory::of_day(&self.me, &mut self.upstream, day, self.now)?;
            exit.passes().draw(&self.me, (day, &directory), &mut self.store, &mut self.rng)?;
        }
        exit.emit(&self.me, due, &mut self.store, &self.outputs, &mut self.rng)?;
        done.closed += 1;
        Ok(())
    }

    /// Pushes what the edge does not have yet.
    fn push(&mut self, done: &mut Stepped) -> Result<(), MixError> {
        // MIX-05: always the same bytes, which were written once.
        for output in self.store.unpushed()? {
            // EDG-16: it would be refused, and nothing after it ever pushed.
            if is_too_old(output.id.round, self.now) {
                tracing::error!(
                    "An output was not handed over for two weeks and is let go of: what was in it is lost."
                );
                self.store.note_pushed(output.id)?;
                self.outputs.delete(output.id);
                continue;
            }
            let outgoing = self.outputs.outgoing(output.id, &output.manifest)?;
            self.me.hook.at(Step::Pushed, Side::Before)?;
            self.upstream.push(output.id, &outgoing)?;
            self.me.hook.at(Step::Pushed, Side::After)?;
            self.me.hook.at(Step::PushNoted, Side::Before)?;
            self.store.note_pushed(output.id)?;
            self.me.hook.at(Step::PushNoted, Side::After)?;
            self.outputs.delete(output.id);
            done.pushed += 1;
        }
        Ok(())
    }
}

impl Work {
    fn inputs(&self) -> &Inputs {
        match self {
            Work::Pass(pass) => pass.inputs(),
            Work::Exit(exit) => exit.inputs(),
        }
    }
}

impl Me {
    fn work(&self, kept: store::Kept) -> Work {
        if self.hop == self.wire.cascade.exit() {
            Work::Exit(Exit::resume(self.directory.parameters(), kept))
        } else {
            Work::Pass(Pass::resume(self.directory.parameters().rule(), kept))
        }
    }

    /// An item with the round from which it may leave.
    fn held(&self, (place, bytes): (Place, Vec<u8>), now: Round, rng: &mut StdRng) -> Item {
        let holds = match place {
            // The first mix holds nothing: it knows addresses, and what waits there waits under a key of its round.
            Place::Gathered => self.hop > 0,
            Place::DeskWaiting | Place::DeskPool => true,
            Place::ReaderWaiting | Place::ReaderPool => false,
        };
        let held = if holds { self.directory.parameters().hold.draw(rng) } else { 0 };
        // What waits for longer than this mix gets inputs would never leave: the last one ends in the round of who takes over. Nor
        // would what waits for longer than the next hop's mix has its rounds be opened, by whoever takes over there.
        let roster = self.directory.roster();
        let next = roster.mix(self.hop + 1, Round(now.0.saturating_sub(1)));
        let ends = [Some(self.identity.public()), next].into_iter().flatten();
        let ends = ends.filter_map(|key| roster.ends(&key)).min();
        let held = ends.map_or(held, |ends| held.min(ends.0.saturating_sub(now.0)));
        Item { place, release: Round(now.0.saturating_add(held)), bytes }
    }

    // MIX-15: what the roster in force gives to this identity, whatever round it is meanwhile.
    /// Whether `round` is one of this mix's own.
    fn has(&self, round: Round) -> bool {
        self.directory.roster().mix(self.hop, round) == Some(self.identity.public())
    }

    fn sign(&self, manifest: &Manifest) -> Unverified<Manifest> {
        Unverified::sign(manifest, &self.wire.network, &self.identity)
    }

    /// Records an output whose bytes stand in its file.
    fn record(
        &self,
        store: &mut Store,
        manifest: &Manifest,
        gone: &[ItemId],
        closes: Closes<'_>,
    ) -> Result<(), MixError> {
        let signed = self.sign(manifest);
        self.hook.at(Step::Closed, Side::Before)?;
        store.close(manifest.batch, &signed, gone, closes)?;
        self.hook.at(Step::Closed, Side::After)?;
        Ok(())
    }
}

/// Entries of a run that opened and are new.
#[derive(Default)]
struct Opened {
    /// How many.
    count: u32,
    tags: Vec<(KeyId, proto::envelope::ReplayTag)>,
    items: Vec<(store::Place, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Some,
    NothingYet,
    Refused,
}

/// What an output is named and signed with, besides its bytes.
struct Totals {
    batch: BatchId,
    inputs: Vec<Digest>,
    count_in: u32,
    deleted: u32,
    alarm: bool,
}

impl Totals {
    fn manifest(self, hop: u8, count_out: u32, outputs: Vec<Digest>) -> Manifest {
        let Self { batch, inputs, count_in, deleted, alarm } = self;
        Manifest { batch, hop, inputs, count_in, count_out, outputs, deleted, alarm }
    }
}

#[cfg(test)]
mod tests {

    use std::path::Path;

    use proto::directory::MixKey;
    use proto::seal::SealSecret;
    use rand::Rng as _;

    use super::*;
    use crate::handing::Outgoing;
    use crate::testing::Town;

    /// An edge with nothing to take, which keeps the keys that it is given.
    #[derive(Clone, Default)]
    struct Quiet(Arc<std::sync::Mutex<Vec<Unverified<MixKey>>>>);

    impl Upstream for Quiet {
        fn waiting(&mut self) -> Result<Vec<BatchId>, UpstreamError> {
            Ok(vec![])
        }

        fn envelopes(&mut self, _: Round, _: u64) -> Result<Option<Run>, UpstreamError> {
            Ok(None)
        }

        fn batch(&mut self, _: BatchId, _: usize, _: &Path) -> Result<bool, UpstreamError> {
            Ok(false)
        }

        fn push(&mut self, _: BatchId, _: &Outgoing) -> Result<(), UpstreamError> {
            Ok(())
        }

        fn release(&mut self, _: BatchId) -> Result<(), UpstreamError> {
            Ok(())
        }

        fn hand_key(&mut self, _: u8, _: Round, key: &Unverified<MixKey>) -> Result<(), UpstreamError> {
            self.0.lock().unwrap().push(key.clone());
            Ok(())
        }

        fn edition(&mut self, _: Round) -> Result<Option<Vec<u8>>, UpstreamError> {
            Ok(None)
        }

        fn directory(&mut self, _: &Digest) -> Result<Option<Vec<u8>>, UpstreamError> {
            Ok(None)
        }

        fn desk_drop(&mut self, _: Round, _: usize) -> Result<Option<Vec<u8>>, UpstreamError> {
            Ok(None)
        }
    }

    /// KEY-06. A generator holds what it began with, and runs from there: from the memory of one that is never replaced, all
    /// keys that it ever gave can be had, those whose time is over too.
    #[test]
    fn key_06_what_a_mixs_generator_began_with_gives_none_of_its_later_keys() {
        let (town, folder, edge) = (Town::new(1), tempfile::tempdir().unwrap(), Quiet::default());
        let setup = Setup {
            hop: 0,
            state: folder.path().join("state"),
            directory: Arc::clone(&town.directory),
            identity: Arc::new(IdentitySecret::from_seed(&town.mixes[0].to_seed())),
        };
        let began = || StdRng::seed_from_u64(5);
        let mut mix = Mix::open(setup, edge.clone(), began(), Hook::none()).unwrap();
        let mut of_steps = Vec::new();
        for round in 0..3 {
            mix.step(town.directory.parameters().schedule.start(Round(round))).unwrap();
            let handed = std::mem::take(&mut *edge.0.lock().unwrap());
            let key = handed.last().unwrap().verify(&town.network, &town.mixes[0].public()).unwrap();
            of_steps.push(key.key.to_vec());
        }
        // Wherever in its stream a key was drawn.
        let gives = |key: &Vec<u8>| {
            (0..1_000).any(|n| {
                let mut from = began();
                for _ in 0..n {
                    from.next_u32();
                }
                SealSecret::generate(&mut from).public().to_bytes() == key[..]
            })
        };
        assert_eq!(of_steps.iter().map(gives).collect::<Vec<_>>(), [true, false, false]);
    }
}
