//! One edition a round: what is new since the last, the whole front page, every manifest that came; and the checkpoint of
//! the log that ends with it.
//!
//! An edition is kept before it is sent, and sent until the edge has it; so there is one head for a round, ever, and
//! each names the one before. One that the edge refuses for good before anybody was shown its head is taken back, and the
//! next round has one again.

mod draft;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use news::group::HEAVIEST_STORY;
use proto::analysis::Analysis;
use proto::directory::{Directory, DirectoryRejected, Role, UnverifiedDirectory};
use proto::edition::{self, Bundle, BundleRef, Edition, EditionRejected, Head, UnverifiedHead, page_digest};
use proto::keys::KeyKind;
use proto::log::Frontier;
use proto::mix::Manifest;
use proto::sign::{IdentitySecret, Unverified};
use proto::story::Story;
use proto::{Clock, Digest, Millis, NetworkId, Round, codec, path};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::edge::{Edge, EdgeError};
use crate::gather::{Gather, GatherError, Inputs};
use crate::keys::Keys;
use crate::state::{Signed, State};

pub use draft::Draft;

/// The most stories that a front page shows.
pub(crate) const FRONT_PAGE: usize = 200;
/// The most that a front page may weigh packed, in bytes. The oldest stories give way.
const FRONT_BYTES: usize = 3 * 1024 * 1024;
/// The most that it may weigh unpacked, in bytes: half of what a client opens, and five times what is usual at that weight.
const FRONT_PLAIN: usize = edition::MAX_BUNDLE / 2;
/// The most that the manifests of one head may weigh, in bytes; the rest stands in the next. Half of what a head may.
const MANIFEST_BYTES: usize = edition::MAX_HEAD / 2;
/// So many rounds before the end of a roster it is said that it ends.
const LAST_ROUNDS: u32 = 28 * 24;

/// What a press is started with.
pub struct Config {
    /// The edge's address, `http://host:port`.
    pub edge: String,
    /// Where it keeps its memory.
    pub state: PathBuf,
    /// What it reads.
    pub inputs: Inputs,
    /// The directory to begin from, as it is served: root, roster and desks are taken from it, keys as they are handed in.
    pub directory: Vec<u8>,
    /// The network it belongs to.
    pub network: NetworkId,
    /// Signs the heads.
    pub identity: IdentitySecret,
}

/// Why a press cannot start or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PressError {
    /// The directory that it is given holds later, and the one before would be given up for it.
    #[error(
        "the roster of the directory holds from round {from} on, and it is round {now}. Nothing would be published until then. Start this press with the directory that it had, and with this one when that round has come"
    )]
    NotYet {
        /// The first round of the roster.
        from: Round,
        /// The present one.
        now: Round,
    },
    /// Its inputs cannot be read at all, said before anything is published.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// The edge did not take what it was given. Tried again at the next step.
    #[error(transparent)]
    Edge(#[from] EdgeError),
    /// Our disk failed.
    #[error(
        "the press's memory in {folder} cannot be read or written: {cause}. Free some space or mend the folder, then start again"
    )]
    State {
        /// Where.
        folder: String,
        /// Why.
        cause: rusqlite::Error,
    },
    /// The folder is another network's.
    #[error("the folder {folder} holds the state of another network. Give this press a folder of its own")]
    OtherNetwork {
        /// Which.
        folder: String,
    },
    /// The directory to begin from cannot be used.
    #[error("the directory given is refused: {0}. Get the one of your network")]
    Directory(#[from] DirectoryRejected),
    /// No client would take the edition, so none is made.
    #[error("no edition can be made: {0}. Readers keep the last one")]
    Edition(#[from] EditionRejected),
    /// The edge will not take the stories, and nobody was shown the edition.
    #[error(
        "the edge refuses the stories of edition {round} for good: {cause}. Nobody was shown that edition, so it is taken back, \
         and the next round has one again. If that goes on, check that edge and press are of one version"
    )]
    TakenBack {
        /// Whose.
        round: Round,
        /// What it answered.
        cause: EdgeError,
    },
    /// The edge will not take an edition that somebody may hold already.
    #[error(
        "the edge refuses edition {round} for good: {cause}. Its head was handed out and stands in the log, so nothing may take \
         its place, and nothing new is published until the edge takes it. Check that edge and press are of one version and \
         began with one directory, and that both clocks are right"
    )]
    Refused {
        /// Which.
        round: Round,
        /// What it answered.
        cause: EdgeError,
    },
    /// The directory given may not follow the one that the last edition named.
    #[error(
        "no edition can be made, because the directory may not follow the last edition's: {0}. Give the press one that may"
    )]
    Follows(#[source] DirectoryRejected),
    /// The identity is not the one in the roster.
    #[error("the roster names another key for the press. Give the press the key it was listed with")]
    NotThePress,
}

/// A press at work.
pub struct Press {
    config: Config,
    clock: Arc<dyn Clock>,
    edge: Edge,
    state: State,
    gather: Gather,
    keys: Keys,
    /// What directories are made from.
    base: UnverifiedDirectory,
    /// The directory in force.
    directory: Directory,
    /// The round it was made in. `None`: it is the one that this press began with.
    made: Option<Round>,
    /// The size of the log's tree whose checkpoint the edge has.
    checkpoint_sent: Option<u64>,
}

impl Press {
    /// For who only looks at the next edition ([`Press::draft`]), beside a press that may be running: what is read is not kept.
    pub fn beside(self) -> Result<Self, PressError> {
        Ok(Self { gather: self.gather.beside()?, ..self })
    }

    /// Opens the press's memory and checks that it belongs here. `clock` tells when a request is sent.
    pub fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, PressError> {
        let network = config.network;
        let base = UnverifiedDirectory::from_bytes(&config.directory).map_err(DirectoryRejected::from)?;
        let begun = base.clone().verify(&network)?;
        let ours = config.identity.public();
        if begun.roster().operator(&ours).is_none_or(|o| o.role != Role::Press) {
            return Err(PressError::NotThePress);
        }
        let folder = config.state.display().to_string();
        let failed = |cause| PressError::State { folder: folder.clone(), cause };
        std::fs::create_dir_all(&config.state)
            .map_err(|e| failed(rusqlite::Error::ToSqlConversionFailure(Box::new(e))))?;
        let state = State::open(&config.state.join("press.db")).map_err(failed)?;
        if !state.network(&network).map_err(failed)? {
            return Err(PressError::OtherNetwork { folder });
        }
        // A directory made before goes on, unless there is a newer one to begin from.
        let mut before = None;
        let (directory, made) = match state.directory().map_err(failed)? {
            Some((made, from, bytes)) => {
                let kept = Directory::read(&bytes, &network)?;
                if from == begun.digest() {
                    (kept, Some(made))
                } else {
                    before = Some(kept);
                    (begun, None)
                }
            }
            None => (begun, None),
        };
        if let Some(kept) = &before {
            let now = kept.parameters().schedule.round_at(clock.now()).unwrap_or(Round(0));
            let from = directory.roster().from;
            if now < from {
                return Err(PressError::NotYet { from, now });
            }
        }
        let mut keys = Keys::kept(state.keys().map_err(failed)?, &directory);
        before.iter().chain([&directory]).for_each(|listed| keys.know(listed));
        let edge = Edge::new(&config.edge, network, Arc::clone(&clock))?;
        // What is wrong with the news keeps no edition back, but for the first: then nobody waits for messages yet.
        let begins = state.newest().map_err(failed)?.is_none();
        let read = if begins { Gather::new } else { Gather::unchecked };
        let gather = read(config.inputs.clone(), Some(&config.state))?;
        Ok(Self { config, clock, edge, state, gather, keys, base, directory, made, checkpoint_sent: None })
    }

    /// Does what is due at `now`: sends what the edge does not have yet, and makes the edition of this round if there is
    /// none. Returns the round of the edition made, if one was.
    ///
    /// # Errors
    /// The edge or the disk failed. Nothing is lost: the next step goes on from there.
    pub async fn step(&mut self, now: Millis) -> Result<Option<Round>, PressError> {
        let Some(round) = self.directory.parameters().schedule.round_at(now) else { return Ok(None) };
        self.send(now).await?;
        if self.state.last_round().map_err(|cause| self.failed(cause))?.is_some_and(|made| made >= round) {
            return Ok(None);
        }
        let newest = self.state.newest().map_err(|cause| self.failed(cause))?;
        if newest.is_none() && self.waits_for_keys(round, now).await? {
            return Ok(None);
        }
        if let Some(rounds) = self.rounds_left(round).filter(|_| round.0.is_multiple_of(24)) {
            warn!(
                "the roster ends in {rounds} rounds, and then nothing is published any more. Have the root sign the next one, and give this press \
                 a directory with it before"
            );
        }
        let page = self.page(round, now).await?;
        self.try_edge().await?;
        self.make(round, now, newest.map(|(_, digest)| digest), page).await?;
        self.send(now).await?;
        Ok(Some(round))
    }

    /// Asks the edge to take what it has already. What is signed is signed for good: an edge refuses a press whose clock is ahead (REQ-01), and
    /// an edition of a time to come would keep all others back until then.
    async fn try_edge(&self) -> Result<(), PressError> {
        let known = self.directory_bytes().map_err(|cause| self.failed(cause))?;
        Ok(self.edge.put(&path::directory(&Digest::of(&known)), known, &self.config.identity).await?)
    }

    /// How many rounds the roster has left, if these are few.
    fn rounds_left(&self, round: Round) -> Option<u32> {
        let left = self.directory.roster().until.0.saturating_sub(round.0);
        (left < LAST_ROUNDS).then_some(left)
    }

    /// The front page of `round`. Messages wait for every edition, so nothing that is wrong with the news keeps one back: then the
    /// front page stays as it was. Outlets are asked for a quarter of a round: who is slow delays it by no more.
    async fn page(&mut self, round: Round, now: Millis) -> Result<Bundle, PressError> {
        let whole = Duration::from_millis(self.directory.parameters().schedule.round_ms.into());
        let (gather, limit) = (&mut self.gather, whole / 4);
        let gathered = async {
            gather.refresh_within(now, Some(limit)).await?;
            Ok::<_, GatherError>(front_page(gather.newest(FRONT_PAGE)))
        };
        let why = match AssertUnwindSafe(gathered).catch_unwind().await {
            Ok(Ok(page)) => return Ok(page),
            Ok(Err(why)) => {
                if matches!(why, GatherError::Memory(_)) {
                    self.gather.broken_off();
                }
                why.to_string()
            }
            Err(_) => {
                self.gather.broken_off();
                "This program fails on them, which is a fault of its own: report it".to_owned()
            }
        };
        warn!("the stories of edition {round} stay as they were, and messages go on. {why}");
        Ok(Bundle { stories: self.page_before()?.unwrap_or_default(), gone: vec![] })
    }

    /// Whether the first edition of all waits: until the mixes have handed in the keys of its round, since nobody can write
    /// without them, and at most for half of the round.
    async fn waits_for_keys(&mut self, round: Round, now: Millis) -> Result<bool, PressError> {
        let schedule = self.directory.parameters().schedule;
        if now >= schedule.start(round).plus(u64::from(schedule.round_ms) / 2) {
            return Ok(false);
        }
        self.collect(round).await?;
        Ok(!self.keys.has_all_mixes(&self.directory, round))
    }

    /// Fetches the keys of `round`, and keeps what is new of them before any of it is published.
    async fn collect(&mut self, round: Round) -> Result<(), PressError> {
        let collected = self.keys.collect(&self.edge, &self.directory, round).await;
        self.state.add_keys(self.keys.unsaved()).map_err(|cause| self.failed(cause))?;
        self.keys.saved();
        Ok(collected?)
    }

    /// Makes the next directory if the day has come for it, or if the one in force lacks a key that is needed now.
    fn renew(&mut self, round: Round) -> Result<(), PressError> {
        let day = |r| KeyKind::Day.period(r);
        if self.made.is_some_and(|made| day(made) == day(round)) && self.directory.has_keys(round) {
            return Ok(());
        }
        let mixes = self.keys.of_mixes(&self.directory, round);
        let next = self
            .base
            .with_keys(mixes, |desk, listed| self.keys.of_desk(desk, listed, round))
            .map_err(DirectoryRejected::from)?;
        let bytes = next.to_bytes();
        if self.made.is_some() && Digest::of(&bytes) == self.directory.digest() {
            return Ok(());
        }
        // Looked at as a client will, from its bytes on: what is signed once is signed for good.
        let next = match Directory::read(&bytes, &self.config.network) {
            Err(why) if self.made.is_some() => {
                warn!("the next directory is left out, and the one before stays: {why}");
                return Ok(());
            }
            next => next?,
        };
        self.may_follow(&next, round)?;
        let base = Digest::of(&self.config.directory);
        self.state.add_directory(round, &base, &bytes).map_err(|cause| self.failed(cause))?;
        (self.directory, self.made) = (next, Some(round));
        Ok(())
    }

    // DIR-14, DIR-16
    /// Refuses a directory that no client would take in the edition of `round`, after the one that the newest edition names. A
    /// directory that was made and not named waits for an edition, and what is new in it may come into force too soon meanwhile.
    fn may_follow(&self, next: &Directory, round: Round) -> Result<(), PressError> {
        let Some(named) = self.state.named_directory().map_err(|cause| self.failed(cause))? else {
            return Ok(());
        };
        if Digest::of(&named) == next.digest() {
            return Ok(());
        }
        let named = Directory::read(&named, &self.config.network)?;
        next.follows(&named, round).map_err(PressError::Follows)
    }

    async fn make(
        &mut self,
        round: Round,
        now: Millis,
        previous: Option<Digest>,
        page: Bundle,
    ) -> Result<(), PressError> {
        self.collect(round).await?;
        self.renew(round)?;
        self.may_follow(&self.directory, round)?;
        let manifests = self.new_manifests(round).await?;
        let shown: HashMap<_, _> =
            self.state.shown().map_err(|cause| self.failed(cause))?.into_iter().collect();
        let digests: Vec<_> = page.stories.iter().map(|s| (s.id.0, Digest::of(&codec::encode(s)))).collect();
        let changes = changes(&page, &digests, &shown);
        let (front, front_ref) = page.pack();
        let (changes, changes_ref) = changes.pack();
        let head = Head {
            round,
            previous: previous.unwrap_or(Digest([0; 32])),
            made: now,
            directory: self.directory.digest(),
            changes: changes_ref,
            front: front_ref,
            page: page_digest(&page.stories),
            manifests: manifests.iter().map(|(signed, _)| signed.clone()).collect(),
            round_keys: self.keys.of_rounds(&self.directory, round),
        };
        let (head, edition) = self.signed(head, previous.as_ref())?;
        // EDN-06, EDN-08, EDN-14: opened as clients will, those who begin and those who follow.
        edition.page(vec![], edition.front(&front)?)?;
        let opened = edition.changes(&changes)?;
        if let Some(before) = self.page_before()? {
            edition.page(before, opened)?;
        }
        // All of them, or none.
        let carried = manifests.iter().take(edition.head().manifests.len());
        let carried: Vec<_> = carried.map(|(_, manifest)| (manifest.batch, manifest.hop)).collect();
        let (tree, directory) = self.grown(&head)?;
        self.state
            .add_edition(
                &Signed { round, head, changes, front, handed_out: false },
                (&tree, directory),
                &digests,
                &carried,
            )
            .map_err(|cause| self.failed(cause))
    }

    /// The front page of the newest edition; `None` if it cannot be opened any more.
    fn page_before(&self) -> Result<Option<Vec<Story>>, PressError> {
        let Some(front) = self.state.front().map_err(|cause| self.failed(cause))? else {
            return Ok(Some(vec![]));
        };
        let named = BundleRef { digest: Digest::of(&front), len: front.len() as u32 };
        Ok(named.open(&front).ok().map(|bundle| bundle.stories))
    }

    /// A head that clients will take: it is looked at as they will before anything of it is kept, because what is signed once
    /// is signed for good. If what mixes handed in would spoil it, it goes without: the news does not wait for that.
    fn signed(
        &self,
        mut head: Head,
        previous: Option<&Digest>,
    ) -> Result<(Vec<u8>, Edition), EditionRejected> {
        let sign = |head: &Head| {
            let bytes = edition::sign_head(head, &self.config.network, &self.config.identity);
            let unverified = UnverifiedHead::from_bytes(&bytes)?;
            let edition = unverified.verify(&self.directory, head.round, head.round, previous)?;
            Ok((bytes, edition))
        };
        let why: EditionRejected = match sign(&head) {
            Err(why) => why,
            signed => return signed,
        };
        warn!(
            "the edition goes without what mixes handed in, because no client would take it with that: {why}"
        );
        head.manifests.clear();
        sign(&head).or_else(|_| {
            head.round_keys.clear();
            sign(&head)
        })
    }

    /// The log's tree with an edition that names the directory in force, and that directory.
    fn grown(&self, head: &[u8]) -> Result<(Frontier, Digest), PressError> {
        let failed = |cause| self.failed(cause);
        let directory = self.directory.digest();
        let log = self.state.log().map_err(failed)?;
        let (mut tree, before) = log.map_or((Frontier::empty(), None), |(tree, before)| (tree, Some(before)));
        let new =
            if before == Some(directory) { None } else { Some(self.directory_bytes().map_err(failed)?) };
        tree.push_edition(new.as_deref(), head);
        Ok((tree, directory))
    }

    /// The directory in force, as it is a leaf of the log.
    fn directory_bytes(&self) -> rusqlite::Result<Vec<u8>> {
        let kept = if self.made.is_some() { self.state.directory()? } else { None };
        Ok(kept.map_or_else(|| self.config.directory.clone(), |(_, _, bytes)| bytes))
    }

    /// Manifests that no edition carries yet, in the order of rounds and hops.
    async fn new_manifests(&self, round: Round) -> Result<Vec<(Unverified<Manifest>, Manifest)>, PressError> {
        let (mut found, mut named) = (Vec::new(), HashSet::new());
        for r in round.0.saturating_sub(edition::MANIFEST_ROUNDS)..round.0 {
            let manifests = match self.edge.manifests(Round(r)).await {
                // The news does not wait for what mixes handed in.
                Err(EdgeError::Malformed) => {
                    warn!("left the manifests of round {r} out: they are too long, or cannot be read");
                    continue;
                }
                answer => answer?,
            };
            for signed in manifests {
                match edition::check_manifest(&signed, &self.directory) {
                    Ok(manifest) if manifest.batch.round != Round(r) => {
                        warn!("left a manifest out: it is of another round than was asked for");
                    }
                    Ok(manifest) => {
                        let (batch, hop) = (manifest.batch, manifest.hop);
                        let carried =
                            self.state.has_manifest(batch, hop).map_err(|cause| self.failed(cause))?;
                        // One output for each round, part and hop, ever: the first that came.
                        if carried || !named.insert((batch, hop)) {
                            continue;
                        }
                        if manifest.alarm {
                            warn!("mix {} misses its decoys: messages are being left out", manifest.hop + 1);
                        }
                        found.push((signed, manifest));
                    }
                    Err(why) => warn!("left a manifest out: {why}"),
                }
            }
        }
        found.sort_by_key(|(_, m)| (m.batch, m.hop));
        Ok(within(found, MANIFEST_BYTES))
    }

    async fn send(&mut self, now: Millis) -> Result<(), PressError> {
        let by = &self.config.identity;
        for (seq, bytes) in self.state.unsent_directories().map_err(|cause| self.failed(cause))? {
            self.edge.put(&path::directory(&Digest::of(&bytes)), bytes, by).await?;
            self.state.mark_directory_sent(seq).map_err(|cause| self.failed(cause))?;
        }
        for it in self.state.unsent().map_err(|cause| self.failed(cause))? {
            let (round, handed_out) = (it.round, it.handed_out);
            if !handed_out && self.announces_too_late(round, now)? {
                warn!(
                    "edition {round} could not be handed out for so long that who is new in its directory would take effect too \
                     soon; it is taken back"
                );
                self.state.take_back(round).map_err(|cause| self.failed(cause))?;
                continue;
            }
            for bundle in [it.changes, it.front] {
                let put = self.edge.put(&path::bundle(&Digest::of(&bundle)), bundle, by).await;
                put.or_else(|why| self.refused(round, handed_out, why))?;
            }
            self.state.mark_handed_out(round).map_err(|cause| self.failed(cause))?;
            // The head goes last: once it is there, everything that it names is.
            let put = self.edge.put(&path::edition(round), it.head, by).await;
            put.or_else(|why| self.refused(round, true, why))?;
            self.state.mark_sent(it.round).map_err(|cause| self.failed(cause))?;
        }
        let log = self.state.log().map_err(|cause| self.failed(cause))?;
        let tree = log.map(|(tree, _)| tree).filter(|tree| self.checkpoint_sent != Some(tree.size()));
        // LOG-03: the checkpoint is the press's of its newest edition. Who takes over signs that of its own first one.
        let newest = self.state.newest().map_err(|cause| self.failed(cause))?;
        let is_ours = newest.is_some_and(|(at, _)| self.directory.roster().press(at) == Some(by.public()));
        if let Some(tree) = tree.filter(|_| is_ours) {
            let note = tree.checkpoint().sign(&self.config.network, by);
            self.edge.put(path::PROPOSED, note, by).await?;
            self.checkpoint_sent = Some(tree.size());
        }
        Ok(())
    }

    // DIR-14
    /// Whether the newest edition, of `round`, has lain here so long that who is new in its directory would take effect too soon
    /// after somebody is shown it. As at a witness, one round is allowed for the way.
    fn announces_too_late(&self, round: Round, now: Millis) -> Result<bool, PressError> {
        let failed = |cause| self.failed(cause);
        let schedule = self.directory.parameters().schedule;
        let at = schedule.round_at(now).and_then(|now| now.back(1)).filter(|at| *at > round);
        let Some(at) = at else { return Ok(false) };
        let (before, named) =
            (self.state.named_before().map_err(failed)?, self.state.named_directory().map_err(failed)?);
        let (Some(before), Some(named)) = (before, named) else { return Ok(false) };
        let read = |bytes: &[u8]| Directory::read(bytes, &self.config.network);
        Ok(read(&named)?.waits(&read(&before)?, at).is_err())
    }

    /// What becomes of an edition that the edge did not take.
    fn refused(&self, round: Round, handed_out: bool, cause: EdgeError) -> Result<(), PressError> {
        if !cause.is_for_good() {
            return Err(cause.into());
        }
        // Whoever answers here may lie. What left this machine may be shown to somebody, and a second head for its round, or a
        // tree without it, would be a fork; what did not leave it is known to nobody.
        if !handed_out && self.state.take_back(round).map_err(|cause| self.failed(cause))? {
            return Err(PressError::TakenBack { round, cause });
        }
        Err(PressError::Refused { round, cause })
    }

    fn failed(&self, cause: rusqlite::Error) -> PressError {
        PressError::State { folder: self.config.state.display().to_string(), cause }
    }
}

/// The first manifests that fit. One that fits no head at all is left out for good, so that one mix cannot stop the press.
fn within(
    found: Vec<(Unverified<Manifest>, Manifest)>,
    bytes: usize,
) -> Vec<(Unverified<Manifest>, Manifest)> {
    let mut room = bytes;
    let mut fits = Vec::new();
    for (signed, manifest) in found {
        let len = codec::encode(&signed).len();
        if len > bytes {
            warn!("left a manifest out: it is larger than an edition may carry");
            continue;
        }
        let Some(rest) = room.checked_sub(len) else { break };
        room = rest;
        fits.push((signed, manifest));
    }
    fits
}

/// The newest stories, as many as fit, as far as a client would open them.
pub(crate) fn front_page(stories: Vec<Story>) -> Bundle {
    let ordered = |stories| {
        let mut page = Bundle::default();
        Bundle { stories, gone: vec![] }.fold_into(&mut page.stories);
        page
    };
    let mut page = ordered(stories);
    page.stories.truncate(FRONT_PAGE);
    // Where a story stands hangs on its newest article, which may be one that is left out.
    page = ordered(page.stories.into_iter().filter_map(within_weight).collect());
    let mut room = FRONT_PLAIN;
    let mut fits =
        |story: &Story| room.checked_sub(codec::encode(story).len()).inspect(|rest| room = *rest).is_some();
    let within = page.stories.iter().take_while(|story| fits(story)).count();
    page.stories.truncate(within);
    while !page.stories.is_empty() {
        let (front, named) = page.pack();
        let before = page.stories.len();
        if front.len() <= FRONT_BYTES {
            match named.open(&front) {
                Ok(_) => break,
                // No client would open it, however little it weighs: because of one story, or of all together.
                Err(why) => page.stories.retain(|story| can_be_opened(story, why)),
            }
        }
        if page.stories.len() == before {
            page.stories.truncate(before * 9 / 10);
        }
    }
    page
}

/// A story without the articles that are more than one may weigh. `None`: nothing is left of it. What [`news`] makes is
/// within that weight; one outlet's story must not stop the press whoever makes it.
fn within_weight(mut story: Story) -> Option<Story> {
    let mut room = HEAVIEST_STORY;
    let before = story.articles.len();
    story.articles.retain(|article| {
        room.checked_sub(codec::encode(article).len()).inspect(|rest| room = *rest).is_some()
    });
    if story.articles.len() < before {
        // What was found names articles by their place.
        story.analysis = Analysis::default();
        warn!("left articles out of a story: it is larger than one may be");
    }
    (!story.articles.is_empty()).then_some(story)
}

fn can_be_opened(story: &Story, why: EditionRejected) -> bool {
    let (alone, named) = Bundle { stories: vec![story.clone()], gone: vec![] }.pack();
    let can = named.open(&alone).is_ok();
    if !can {
        warn!("left a story out: {why}");
    }
    can
}

fn changes(page: &Bundle, digests: &[([u8; 16], Digest)], shown: &HashMap<[u8; 16], Digest>) -> Bundle {
    let changed = |(story, (id, digest)): (&Story, &([u8; 16], Digest))| {
        (shown.get(id) != Some(digest)).then(|| story.clone())
    };
    let here: std::collections::HashSet<_> = digests.iter().map(|(id, _)| *id).collect();
    let mut gone: Vec<_> =
        shown.keys().filter(|id| !here.contains(*id)).map(|id| proto::story::StoryId(*id)).collect();
    gone.sort_unstable();
    Bundle { stories: page.stories.iter().zip(digests).filter_map(changed).collect(), gone }
}

/// Runs a press until `stop` says so. A failing edge is tried again at every step, and each
/// reason said once.
pub async fn run(mut press: Press, mut stop: watch::Receiver<bool>) -> Result<(), PressError> {
    let clock = Arc::clone(&press.clock);
    let schedule = press.directory.parameters().schedule;
    let pause = (u64::from(schedule.round_ms) / 20).clamp(50, 5_000);
    let mut said = String::new();
    while !*stop.borrow() {
        match press.step(clock.now()).await {
            Ok(made) => {
                if !std::mem::take(&mut said).is_empty() {
                    info!("publishing works again");
                }
                if let Some(round) = made {
                    tracing::debug!("edition {round} is published");
                }
            }
            Err(
                why @ (PressError::Edge(_)
                | PressError::Gather(_)
                | PressError::Edition(_)
                | PressError::TakenBack { .. }
                | PressError::Refused { .. }
                | PressError::Follows(_)),
            ) => {
                let why = why.to_string();
                if said != why {
                    warn!("{why} (trying again)");
                    said = why;
                }
            }
            Err(why) => return Err(why),
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}
