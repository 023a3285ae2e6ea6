//! One edition a round: what is new since the last, the whole front page, every manifest that came; and the checkpoint of
//! the log that ends with it.
//!
//! An edition is kept before it is sent, and sent until the edge has it; so there is one head for a round, ever, and
//! each names the one before. One that the edge refuses for good before anybody was shown its head is taken back, and the
//! next round has one again.

mod draft;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

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
/// How many rounds back manifests are asked for: an envelope that waited longer is dead.
const MANIFEST_ROUNDS: u32 = 26;

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
    /// Its inputs cannot be read at all.
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
    /// Opens the press's memory and checks that it belongs here.
    pub fn open(config: Config) -> Result<Self, PressError> {
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
                let kept = UnverifiedDirectory::from_bytes(&bytes).map_err(DirectoryRejected::from)?;
                let kept = kept.verify(&network)?;
                if from == begun.digest() {
                    (kept, Some(made))
                } else {
                    before = Some(kept);
                    (begun, None)
                }
            }
            None => (begun, None),
        };
        let mut keys = Keys::kept(state.keys().map_err(failed)?, &directory);
        before.iter().chain([&directory]).for_each(|listed| keys.know(listed));
        let edge = Edge::new(&config.edge, network)?;
        let gather = Gather::new(config.inputs.clone(), Some(&config.state))?;
        Ok(Self { config, edge, state, gather, keys, base, directory, made, checkpoint_sent: None })
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
        self.gather.refresh(now).await.map_err(|why| match why {
            GatherError::Memory(cause) => self.failed(cause),
            why => why.into(),
        })?;
        self.make(round, now, newest.map(|(_, digest)| digest)).await?;
        self.send(now).await?;
        Ok(Some(round))
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
        // Looked at as a client will: what is signed once is signed for good.
        let next = match next.verify(&self.config.network) {
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
        let named = UnverifiedDirectory::from_bytes(&named).map_err(DirectoryRejected::from)?;
        let named = named.verify(&self.config.network)?;
        next.follows(&named, round).map_err(PressError::Follows)
    }

    async fn make(&mut self, round: Round, now: Millis, previous: Option<Digest>) -> Result<(), PressError> {
        self.collect(round).await?;
        self.renew(round)?;
        self.may_follow(&self.directory, round)?;
        let manifests = self.new_manifests(round).await?;
        let shown: HashMap<_, _> =
            self.state.shown().map_err(|cause| self.failed(cause))?.into_iter().collect();
        let page = front_page(self.gather.newest(FRONT_PAGE));
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
        for r in round.0.saturating_sub(MANIFEST_ROUNDS)..round.0 {
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
            self.edge.put(&path::directory(&Digest::of(&bytes)), bytes, by, now).await?;
            self.state.mark_directory_sent(seq).map_err(|cause| self.failed(cause))?;
        }
        for it in self.state.unsent().map_err(|cause| self.failed(cause))? {
            let (round, handed_out) = (it.round, it.handed_out);
            for bundle in [it.changes, it.front] {
                let put = self.edge.put(&path::bundle(&Digest::of(&bundle)), bundle, by, now).await;
                put.or_else(|why| self.refused(round, handed_out, why))?;
            }
            self.state.mark_handed_out(round).map_err(|cause| self.failed(cause))?;
            // The head goes last: once it is there, everything that it names is.
            let put = self.edge.put(&path::edition(round), it.head, by, now).await;
            put.or_else(|why| self.refused(round, true, why))?;
            self.state.mark_sent(it.round).map_err(|cause| self.failed(cause))?;
        }
        let log = self.state.log().map_err(|cause| self.failed(cause))?;
        let tree = log.map(|(tree, _)| tree).filter(|tree| self.checkpoint_sent != Some(tree.size()));
        if let Some(tree) = tree {
            let note = tree.checkpoint().sign(&self.config.network, by);
            self.edge.put(path::PROPOSED, note, by, now).await?;
            self.checkpoint_sent = Some(tree.size());
        }
        Ok(())
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
    let mut page = Bundle::default();
    Bundle { stories, gone: vec![] }.fold_into(&mut page.stories);
    page.stories.truncate(FRONT_PAGE);
    let mut room = FRONT_PLAIN;
    let mut fits =
        |story: &Story| room.checked_sub(codec::encode(story).len()).inspect(|rest| room = *rest).is_some();
    let stories = page.stories.into_iter().filter_map(within_weight);
    page.stories = stories.take_while(|story| fits(story)).collect();
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
pub async fn run(
    mut press: Press,
    clock: Arc<dyn Clock>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), PressError> {
    let schedule = press.directory.parameters().schedule;
    let pause = (u64::from(schedule.round_ms) / 20).clamp(50, 5_000);
    let mut said = String::new();
    while !*stop.borrow() {
        match press.step(clock.now()).await {
            Ok(made) => {
                if !std::mem::take(&mut said).is_empty() {
                    info!("the edge is back");
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
                    warn!("{why}; trying again");
                    said = why;
                }
            }
            Err(why) => return Err(why),
        }
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_millis(pause)) => {}
            _ = stop.changed() => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proto::story::{Article, ArticleId, Block, Extent, Grain, StoryId, When};

    use proto::directory::{IntakeKey, MixKey};
    use proto::keys::Period;
    use proto::mix::BatchId;
    use proto::seal::{SealPublic, SealSecret};

    use std::sync::atomic::AtomicU16;
    use std::sync::atomic::Ordering::Relaxed;

    use super::*;
    use crate::gather::tests::{found, web};
    use crate::testing::{self, Town};

    fn story(n: u8, text: &str) -> Story {
        let article = Article {
            id: ArticleId([n; 16]),
            outlet: "The Quay".into(),
            title: format!("Story {n}"),
            byline: None,
            published: Some(When { unix: i64::from(n) * 60, grain: Grain::Minute }),
            url: None,
            body: vec![Block::Paragraph(text.into())],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        };
        Story {
            id: StoryId([n; 16]),
            title: article.title.clone(),
            articles: vec![article],
            analysis: Analysis::default(),
        }
    }

    fn digests(page: &Bundle) -> Vec<([u8; 16], Digest)> {
        page.stories.iter().map(|s| (s.id.0, Digest::of(&codec::encode(s)))).collect()
    }

    #[test]
    fn changes_fold_the_last_front_page_into_the_new_one() {
        let before = front_page(vec![story(1, "a"), story(2, "b"), story(3, "c")]);
        let after = front_page(vec![story(1, "a"), story(3, "c, and more"), story(4, "d")]);
        let shown = digests(&before).into_iter().collect();
        let changes = changes(&after, &digests(&after), &shown);
        let ids: Vec<_> = changes.stories.iter().map(|s| s.id.0[0]).collect();
        assert_eq!(ids, [4, 3]);
        assert_eq!(changes.gone, [StoryId([2; 16])]);
        let mut page = before.stories;
        changes.fold_into(&mut page);
        assert_eq!(page, after.stories);
    }

    pub(super) fn press(town: &Town, directory: &[u8], folder: &std::path::Path) -> Press {
        press_at(town, directory, folder, "http://127.0.0.1:9".into())
    }

    fn press_at(town: &Town, directory: &[u8], folder: &std::path::Path, edge: String) -> Press {
        let config = Config {
            edge,
            state: folder.join("state"),
            inputs: Inputs::default(),
            directory: directory.to_vec(),
            network: town.network,
            identity: IdentitySecret::from_seed(&town.press.to_seed()),
        };
        Press::open(config).unwrap()
    }

    /// The first mix's, of part 0 of a round.
    fn manifest(town: &Town, round: u32, output: u8) -> Unverified<Manifest> {
        let manifest = Manifest {
            batch: BatchId { round: Round(round), part: 0 },
            hop: 0,
            inputs: vec![],
            count_in: 8,
            count_out: 8,
            outputs: vec![Digest([output; 32])],
            deleted: 0,
            alarm: false,
        };
        Unverified::sign(&manifest, &town.network, &town.mixes[0])
    }

    /// The same key for whichever mix and rounds.
    fn key(town: &Town, hop: u8, period: Period) -> Unverified<MixKey> {
        key_of(town, hop, period, 7)
    }

    fn key_of(town: &Town, hop: u8, Period { from, until }: Period, seed: u8) -> Unverified<MixKey> {
        let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
        Unverified::sign(&MixKey { hop, key, from, until }, &town.network, &town.mixes[usize::from(hop)])
    }

    fn head(press: &Press, round: Round) -> Head {
        let (_, named) = Bundle::default().pack();
        Head {
            round,
            previous: Digest([0; 32]),
            made: testing::GENESIS,
            directory: press.directory.digest(),
            changes: named,
            front: named,
            page: page_digest(&[]),
            manifests: vec![],
            round_keys: vec![],
        }
    }

    /// Two manifests of one batch, or one key for two rounds: a head with them would be signed for good, and nobody would take
    /// it or any that follows.
    #[test]
    fn what_a_mix_hands_in_to_spoil_a_head_is_left_out() {
        let town = Town::new(1);
        let folder = tempfile::tempdir().unwrap();
        let press = press(&town, &town.bytes, folder.path());
        let taken = |head: Head| {
            let bytes = press.signed(head, None).unwrap().0;
            let head = UnverifiedHead::from_bytes(&bytes).unwrap();
            let edition = head.verify(&press.directory, Round(5), Round(5), None).expect("clients take it");
            (edition.head().manifests.len(), edition.head().round_keys.len())
        };
        let good = head(&press, Round(5));
        assert_eq!(taken(good.clone()), (0, 0));

        let (one, two) = (manifest(&town, 4, 1), manifest(&town, 4, 2));
        assert_eq!(taken(Head { manifests: vec![one.clone()], ..good.clone() }), (1, 0));
        assert_eq!(taken(Head { manifests: vec![one, two], ..good.clone() }), (0, 0));
        let of = |r| key(&town, 0, Period { from: Round(r), until: Round(r) });
        assert_eq!(taken(Head { round_keys: vec![of(5)], ..good.clone() }), (0, 1));
        assert_eq!(taken(Head { round_keys: vec![of(5), of(6)], ..good }), (0, 0));
    }

    /// What a hostile edge and mixes together answer: two manifests of one batch, one of another round than was asked for, what is
    /// none, one key for two mixes; another manifest for a batch that an edition carried; and, each time that the press was started
    /// again, other keys than those it published, of mixes and a desk (EXC-08). Three editions are made, and clients take them all.
    #[tokio::test]
    async fn an_edge_and_mixes_that_answer_anything_do_not_stop_the_press() {
        let town = Town::new(4);
        let (one, two) = (manifest(&town, 4, 1), manifest(&town, 4, 2));
        let period = |hop| KeyKind::of_mix(hop, town.directory.wire().cascade).period(Round(5));
        let one_round = Period { from: Round(7), until: Round(7) };
        let mixes = |hop, period: Period, seed| {
            (path::mix_key(hop, period.from), codec::encode(&key_of(&town, hop, period, seed)))
        };
        let desk = &town.directory.desks()[0];
        let intake = |period: Period, seed| {
            let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
            let key = IntakeKey { key, from: period.from, until: period.until };
            let signed = Unverified::sign(&key, &town.network, &town.desk);
            (path::intake_key(&desk.id, period.from), codec::encode(&signed))
        };
        let weeks: Vec<_> = KeyKind::Intake.published(Round(5)).collect();
        let stray = codec::encode(&vec![manifest(&town, 1, 3)]);
        let answers = |manifests: Vec<Unverified<Manifest>>, seed| {
            let both = codec::encode(&manifests);
            let unreadable = (path::manifests(Round(2)), vec![0xff; 9]);
            let strays = (path::manifests(Round(3)), stray.clone());
            let mixes = [mixes(1, period(1), seed), mixes(2, period(2), 7), mixes(0, one_round, seed + 10)];
            // Of the first week the directory that the press began with has another; of the second nobody knows one yet.
            let desks = [intake(weeks[0], seed + 20), intake(weeks[1], seed + 30)];
            let all = [unreadable, strays, (path::manifests(Round(4)), both)];
            mixes.into_iter().chain(desks).chain(all).collect::<Vec<_>>()
        };
        let id = |seed| SealSecret::from_seed(&[seed; 32]).public().id();
        let folder = tempfile::tempdir().unwrap();
        let mut previous = None;
        let rounds = [
            (5, vec![two.clone(), one.clone()], 1, 7),
            (6, vec![one.clone(), two.clone()], 0, 8),
            (7, vec![one, two], 0, 9),
        ];
        for (round, manifests, carried, seed) in rounds {
            let answers = answers(manifests, seed)
                .into_iter()
                .map(|(path, body)| (path, found("application/cbor", &body)));
            let mut press = press_at(&town, &town.bytes, folder.path(), web(answers.collect()));
            let now = testing::GENESIS.plus(3_000 * u64::from(round));
            press.make(Round(round), now, previous).await.unwrap();
            let made = press.state.unsent().unwrap().pop().unwrap();
            let head = UnverifiedHead::from_bytes(&made.head).unwrap();
            let edition = head.verify(&press.directory, Round(round), Round(round), previous.as_ref());
            let edition = edition.expect("clients take it");
            assert_eq!(edition.head().manifests.len(), carried, "round {round}");
            let keys = (press.directory.mix_key(1, Round(5)), press.directory.mix_key(2, Round(5)));
            assert!(keys.1.is_none(), "whose the key was first has it");
            assert_eq!(keys.0.map(SealPublic::id), Some(id(7)), "the one that was published, round {round}");
            assert_eq!(edition.round_keys().get(Round(7)).map(SealPublic::id), Some(id(17)), "round {round}");
            let intake =
                |week: usize| press.directory.desks()[0].intake(weeks[week].from).map(SealPublic::id);
            assert_eq!(intake(0), Some(town.intake.public().id()), "round {round}");
            assert_eq!(intake(1), Some(id(37)), "round {round}");
            previous = Some(Digest::of(&made.head));
        }
    }

    /// DIR-14 at the press: a directory that no client would take after the last one is not begun, and nothing is kept of it. One
    /// that was begun when it was still in time, and was named by no edition that came out, is not named when it is too late.
    #[tokio::test]
    async fn a_directory_that_may_not_follow_is_refused_before_anything_is_signed() {
        let town = Town::new(2);
        let folder = tempfile::tempdir().unwrap();
        let (edge, told) = stern_edge();
        let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
        let desk = IdentitySecret::from_seed(&[5; 32]);
        let intake = SealSecret::from_seed(&[6; 32]);
        let with = |since| {
            let entry = town.listed("Sports", &desk, &intake, Round(since));
            town.later(|_, desks| desks.push(entry))
        };
        let open = |directory: &[u8]| press_at(&town, directory, folder.path(), edge.clone());
        let too_soon = |made: Result<Option<Round>, PressError>| {
            assert!(matches!(made, Err(PressError::Follows(DirectoryRejected::TooSoon))), "{made:?}");
        };
        assert_eq!(open(&town.bytes).step(at(5)).await.unwrap(), Some(Round(5)));

        let mut hasty = open(&with(0));
        too_soon(hasty.step(at(6)).await);
        assert_eq!(hasty.state.unsent_directories().unwrap().len(), 0);
        drop(hasty);
        // In time, and the edge refuses the stories: the edition is taken back.
        told[0].store(422, Relaxed);
        let why = open(&with(54)).step(at(6)).await.unwrap_err();
        assert!(matches!(why, PressError::TakenBack { .. }), "{why}");
        told[0].store(200, Relaxed);
        too_soon(open(&with(54)).step(at(7)).await);
        too_soon(open(&with(54)).step(at(31)).await);
        let newest = open(&with(54)).state.newest().unwrap().unwrap();
        assert_eq!(newest.0, Round(5), "nothing was signed");
        // The operator gives it more time.
        assert_eq!(open(&with(80)).step(at(32)).await.unwrap(), Some(Round(32)));
        assert_eq!(
            open(&with(80)).step(at(60)).await.unwrap(),
            Some(Round(60)),
            "what is named already, stays"
        );
    }

    /// DIR-16 at the press: a directory of its operator in which a desk stays without the key that was named is not begun.
    #[tokio::test]
    async fn dir_16_a_directory_that_leaves_out_a_desks_key_is_refused_before_anything_is_signed() {
        let town = Town::new(2);
        let folder = tempfile::tempdir().unwrap();
        let (edge, _) = stern_edge();
        let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
        let open = |directory: &[u8]| press_at(&town, directory, folder.path(), edge.clone());
        assert_eq!(open(&town.bytes).step(at(5)).await.unwrap(), Some(Round(5)));
        let mut thin = open(&town.later(|_, desks| desks[0].keys.clear()));
        let made = thin.step(at(6)).await;
        assert!(matches!(made, Err(PressError::Follows(DirectoryRejected::KeyLeftOut))), "{made:?}");
        assert_eq!(thin.state.unsent_directories().unwrap().len(), 0);
        drop(thin);
        assert_eq!(
            open(&town.bytes).step(at(7)).await.unwrap(),
            Some(Round(7)),
            "with the one before it goes on"
        );
    }

    #[test]
    fn one_mix_with_huge_manifests_cannot_stop_the_press() {
        use rand::{SeedableRng, rngs::StdRng};
        let mix = IdentitySecret::generate(&mut StdRng::seed_from_u64(1));
        let manifest = |round, inputs: usize| {
            let it = Manifest {
                batch: BatchId { round: Round(round), part: 0 },
                hop: 0,
                inputs: vec![Digest([1; 32]); inputs],
                count_in: 1,
                count_out: 1,
                outputs: vec![Digest([2; 32])],
                deleted: 0,
                alarm: false,
            };
            (Unverified::sign(&it, &proto::NetworkId([3; 32]), &mix), it)
        };
        let rounds = |fits: Vec<(Unverified<Manifest>, Manifest)>| {
            fits.into_iter().map(|(_, m)| m.batch.round.0).collect::<Vec<_>>()
        };
        let found = vec![manifest(1, 20_000), manifest(2, 1), manifest(3, 10), manifest(4, 1)];
        assert_eq!(rounds(within(found.clone(), MANIFEST_BYTES)), [2, 3, 4], "the first weighs 680 kB");
        assert_eq!(rounds(within(found, 700)), [2, 3], "what does not fit waits, in order");
    }

    /// Text that does not compress.
    fn noise(seed: &mut u32, letters: usize) -> String {
        let mut letter = || {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b'!' + (*seed >> 24) as u8 % 90)
        };
        (0..letters).map(|_| letter()).collect()
    }

    /// A story with many articles of that text.
    fn heavy(n: u8, text: impl FnMut() -> String, articles: usize) -> Story {
        let mut it = story(n, "");
        let one = it.articles.remove(0);
        let with = |text| Article { body: vec![Block::Paragraph(text)], ..one.clone() };
        it.articles = std::iter::repeat_with(text).take(articles).map(with).collect();
        it
    }

    /// The edition's bundles are what a client takes (EDN-06) and the edge too; they are what is kept and signed first.
    fn opened(page: &Bundle) -> Bundle {
        let (front, named) = page.pack();
        assert!(front.len() <= FRONT_BYTES, "{} bytes", front.len());
        named.open(&front).expect("clients open it")
    }

    /// A feed of 31 items of 256 KiB, twice, all under one title: more than the edge takes, and it stands first.
    #[test]
    fn one_story_that_is_too_heavy_cannot_stop_the_press() {
        let mut seed = 1;
        let flood = heavy(9, || noise(&mut seed, 256 * 1024), 62);
        let (packed, _) = Bundle { stories: vec![flood.clone()], gone: vec![] }.pack();
        assert!(packed.len() > edition::MAX_PACKED, "no edge takes it: {} bytes", packed.len());
        let page = opened(&front_page(vec![story(1, "The tide rose."), flood]));
        let articles: Vec<_> = page.stories.iter().map(|story| story.articles.len()).collect();
        assert_eq!(articles, [3, 1], "cut, and the other story stays");
    }

    /// What weighs little on the way and more than a client unpacks.
    #[test]
    fn stories_that_unpack_beyond_the_limit_cannot_stop_the_press() {
        let stories: Vec<_> = (1..=60).map(|n| heavy(n, || "flood ".repeat(40 * 1024), 4)).collect();
        let all = Bundle { stories: stories.clone(), gone: vec![] };
        let (packed, named) = all.pack();
        assert!(packed.len() < FRONT_BYTES && named.open(&packed).is_err(), "{} bytes", packed.len());
        let page = opened(&front_page(stories));
        assert!(codec::encode(&page).len() <= FRONT_PLAIN + 1_000);
        assert!((10..20).contains(&page.stories.len()), "{}", page.stories.len());
        assert_eq!(page.stories[0].id, StoryId([60; 16]), "the newest stays");
    }

    #[test]
    fn a_story_that_no_client_would_take_is_left_out() {
        let mut script = story(2, "b");
        script.articles[0].url = Some("javascript:alert(1)".into());
        let empty = Story { articles: vec![], ..story(3, "c") };
        assert_eq!(opened(&front_page(vec![story(1, "a"), script, empty])).stories, [story(1, "a")]);
    }

    /// An edge that answers what it is told to a PUT of a bundle and to one of an edition, takes all else, and has nothing.
    /// Returns its address and where to tell it.
    fn stern_edge() -> (String, Arc<[AtomicU16; 2]>) {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let told = Arc::new([AtomicU16::new(200), AtomicU16::new(200)]);
        let answers = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut head, mut byte) = (stream.unwrap(), vec![], [0]);
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                stream.read_exact(&mut body).unwrap();
                let status = match head.as_str() {
                    get if get.starts_with("get") => 404,
                    put if put.starts_with("put /v1/bundles/") => answers[0].load(Relaxed),
                    put if put.starts_with("put /v1/editions/") => answers[1].load(Relaxed),
                    _ => 200,
                };
                let answer =
                    format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        (address, told)
    }

    /// LOG-15, EDG-07: an edition of which nobody has the head is taken back if its stories are refused for good, also after a
    /// restart, and its round gets no other; one that was handed out stays, whatever the edge says.
    #[tokio::test]
    async fn an_edition_that_is_refused_for_good_is_taken_back_unless_its_head_was_handed_out() {
        let town = Town::new(6);
        let folder = tempfile::tempdir().unwrap();
        let (edge, told) = stern_edge();
        let tell = |bundle, edition| {
            told[0].store(bundle, Relaxed);
            told[1].store(edition, Relaxed);
        };
        let open = || press_at(&town, &town.bytes, folder.path(), edge.clone());
        // No mix hands in a key, so the first edition waits until half of its round is over.
        let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
        let made = |press: &Press| press.state.newest().unwrap().unwrap();
        let tree = |press: &Press| press.state.log().unwrap().unwrap().0.checkpoint();

        assert_eq!(open().step(at(5)).await.unwrap(), Some(Round(5)));
        let (first, before) = (made(&open()), tree(&open()));
        for status in [413, 422] {
            let round = Round(if status == 413 { 6 } else { 7 });
            tell(status, 200);
            let why = open().step(at(round.0.into())).await.unwrap_err();
            assert!(matches!(why, PressError::TakenBack { round: of, .. } if of == round), "{why}");
            let press = open();
            assert_eq!((made(&press), tree(&press)), (first, before), "as if it had not been");
            assert!(press.state.unsent().unwrap().is_empty());
            tell(200, 200);
            assert_eq!(open().step(at(round.0.into())).await.unwrap(), None, "the round gets no other");
        }
        assert_eq!(open().step(at(8)).await.unwrap(), Some(Round(8)));
        assert_eq!(tree(&open()).size, before.size + 1);

        // An edge that stumbles is no edge that refuses.
        tell(503, 200);
        assert!(matches!(open().step(at(9)).await, Err(PressError::Edge(_))));
        assert_eq!(made(&open()).0, Round(9));
        // The head left: it stays, and whatever is answered now.
        tell(200, 422);
        assert!(matches!(open().step(at(9)).await, Err(PressError::Refused { round: Round(9), .. })));
        tell(413, 200);
        assert!(matches!(open().step(at(10)).await, Err(PressError::Refused { round: Round(9), .. })));
        tell(200, 200);
        assert_eq!(open().step(at(10)).await.unwrap(), Some(Round(10)), "the edge takes it after all");
    }

    #[test]
    fn a_front_page_keeps_the_newest_stories_within_its_weight() {
        // 40 stories of 120 kB weigh more than a front page may.
        let mut seed = 1;
        let page = front_page((0..40).map(|n| story(n, &noise(&mut seed, 120_000))).collect());
        assert!(page.pack().0.len() <= FRONT_BYTES);
        assert!((10..40).contains(&page.stories.len()), "{}", page.stories.len());
        assert_eq!(page.stories[0].id, StoryId([39; 16]), "the newest stays");
        assert_eq!(front_page((0..=255).map(|n| story(n, "x")).collect()).stories.len(), FRONT_PAGE);
    }
}
