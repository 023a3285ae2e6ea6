//! A witness: follows the log as a client does, and co-signs what continues what it has seen. It has no inbound port.
//! Spec: log.md §5.
//!
//! ```text
//! checkpoint of the press -> heads and directories up to it, verified -> own tree -> TreeKept -> co-signature -> Cosigned
//! ```
//!
//! Why a crash makes it sign no two trees: it signs only what its own tree hashes to, the tree only grows by what was
//! verified, and it is on the disk before the signature is made. What it signs after a crash is that tree or a larger one.

mod memory;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use proto::directory::{Directory, DirectoryRejected, MAX_DIRECTORY, Role};
use proto::edition::{EditionRejected, MAX_HEAD, UnverifiedHead};
use proto::log::{
    Checkpoint, Frontier, LogRejected, MAX_FRONTIER, MAX_NOTE, NEWEST, NoteRejected, UnverifiedNote,
};
use proto::sign::IdentitySecret;
use proto::{Clock, Digest, Millis, NetworkId, Round, path};

use self::memory::{Memory, Seen};
use crate::edge::{KEPT_ROUNDS, LOOKED_THROUGH, OpenError, read_directory};
use crate::faults::{Hook, Killed, Side, Step};
use crate::http::{EdgeClient, RequestError};
use crate::store::StoreError;

/// After so many rounds an edge has deleted what came.
const AWAY: u32 = KEPT_ROUNDS + LOOKED_THROUGH;

/// What a witness is told when it starts.
#[derive(Clone, Debug)]
pub struct Config {
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

/// Why a step failed. The next one goes on from the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// The edge was not reached, or refused.
    #[error(transparent)]
    Edge(#[from] RequestError),
    /// The checkpoint is not the press's.
    #[error("The edge shows a checkpoint that cannot be co-signed: {0}.")]
    Note(#[from] NoteRejected),
    /// LOG-13: it contradicts what was seen before. This is what witnesses are for.
    #[error(
        "The press signed a log that does not continue what this witness has seen: {0}. Nothing is co-signed. Tell the other operators, and keep the state folder as it is."
    )]
    Log(#[from] LogRejected),
    /// An edition in it is refused.
    #[error("An edition in the log is refused: {0}. Nothing is co-signed.")]
    Edition(#[from] EditionRejected),
    /// A directory in it is refused.
    #[error("A directory in the log is refused: {0}. Nothing is co-signed.")]
    Directory(#[from] DirectoryRejected),
    /// The edge serves less than its checkpoint covers.
    #[error("The edge does not have all that its checkpoint covers. Nothing is co-signed until it does.")]
    Missing,
    /// The same, and it was so long ago that an honest edge has deleted it.
    #[error(
        "This witness last saw the log at round {since}. What came after is no longer kept, so it cannot see that the log only grew. Nothing is co-signed. If it was off for so long, it begins anew with another identity, which the next roster has to name. If it was not, tell the other operators, and keep the state folder as it is."
    )]
    Away {
        /// The newest head that it saw.
        since: Round,
    },
    /// Our disk failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A test stopped it.
    #[error(transparent)]
    Killed(#[from] Killed),
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stepped {
    /// The size of the tree, if it grew.
    pub grown: Option<u64>,
    /// Whether the edge took a co-signature.
    pub cosigned: bool,
}

/// A witness.
pub struct Witness {
    network: NetworkId,
    identity: Arc<IdentitySecret>,
    edge: EdgeClient,
    memory: Memory,
    /// The directory that the newest head names; until there is one, that of the file.
    directory: Arc<Directory>,
    /// What the edge took last, and when it was signed.
    signed: Option<(Checkpoint, Millis)>,
    hook: Hook,
}

/// The tree with what came, not yet kept.
#[derive(Clone)]
struct Next {
    seen: Seen,
    directory: Arc<Directory>,
}

impl Witness {
    /// Opens a witness on its state folder.
    pub fn open(config: &Config, clock: Arc<dyn Clock>, hook: Hook) -> Result<Self, OpenError> {
        let (_, directory) = read_directory(&config.directory, &config.network)?;
        let identity = Arc::new(IdentitySecret::from_seed(&*crate::seed::read(&config.identity)?));
        let listed = directory.roster().operator(&identity.public());
        if listed.is_none_or(|o| o.role != Role::Witness) {
            return Err(OpenError::NotAWitness);
        }
        let memory = Memory::open(&config.state, &config.network)?;
        let edge = EdgeClient::new(&config.edge, config.network, Arc::clone(&identity), clock)?;
        let directory = Arc::new(directory);
        Ok(Self { network: config.network, identity, edge, memory, directory, signed: None, hook })
    }

    /// How many leaves its tree has.
    pub fn size(&self) -> u64 {
        self.memory.seen().map_or(0, |seen| seen.tree.size())
    }

    /// How long rounds are, for the loop.
    pub(crate) fn schedule(&self) -> proto::Schedule {
        self.directory.parameters().schedule
    }

    /// Takes in what was published, and co-signs the newest checkpoint if it continues what was seen and is new, or was
    /// co-signed a round ago.
    pub async fn step(&mut self, now: Millis) -> Result<Stepped, WitnessError> {
        let since = self.memory.seen().map(|seen| seen.round);
        let old = since.filter(|since| since.0.saturating_add(AWAY) < self.round(now).0);
        let stepped = self.look(now).await;
        match (stepped, old) {
            // Editions and directories that are not there any more, and then the first that is there follows none that was seen.
            (Err(WitnessError::Missing | WitnessError::Edition(EditionRejected::Previous)), Some(since)) => {
                Err(WitnessError::Away { since })
            }
            (stepped, _) => stepped,
        }
    }

    async fn look(&mut self, now: Millis) -> Result<Stepped, WitnessError> {
        let mut done = Stepped::default();
        let Some(bytes) = self.edge.get_public(path::PROPOSED, MAX_NOTE).await? else { return Ok(done) };
        let note = UnverifiedNote::from_bytes(&bytes).map_err(NoteRejected::from)?;
        let checkpoint = note.dangerously_checkpoint();
        self.recall().await?;
        let next = match self.memory.seen() {
            None => Some(self.begin(&checkpoint, now).await?),
            Some(seen) if seen.tree.size() < checkpoint.size => {
                Some(self.follow(seen, &checkpoint, now).await?)
            }
            Some(_) => None,
        };
        // The press is the one that the newest directory names.
        let directory = next.as_ref().map_or(&self.directory, |next| &next.directory);
        let seen = next.as_ref().map(|next| &next.seen).or(self.memory.seen()).ok_or(LogRejected::Missing)?;
        note.verify(directory, seen.round)?;
        // LOG-13: size and root are those of our own tree.
        seen.tree.check(&checkpoint)?;
        if let Some(Next { seen, directory }) = next {
            self.hook.at(Step::TreeKept, Side::Before)?;
            // LOG-14: on the disk before anything is signed.
            self.memory.keep(seen).await?;
            self.hook.at(Step::TreeKept, Side::After)?;
            self.directory = directory;
            done.grown = Some(checkpoint.size);
        }
        let round_ms = u64::from(self.schedule().round_ms);
        let is_due = |(of, at): (Checkpoint, Millis)| of != checkpoint || now >= at.plus(round_ms);
        if self.signed.is_none_or(is_due) {
            done.cosigned = self.cosign(&checkpoint, now).await?;
        }
        Ok(done)
    }

    async fn cosign(&mut self, checkpoint: &Checkpoint, now: Millis) -> Result<bool, WitnessError> {
        let line = checkpoint.cosign(&self.network, &self.identity, now);
        self.hook.at(Step::Cosigned, Side::Before)?;
        let taken = match self.edge.put(&path::cosignatures(checkpoint.size), line.to_bytes().into()).await {
            Ok(()) => true,
            // A newer checkpoint came meanwhile, or a clock was set back: the next steps see.
            Err(RequestError::Conflict) => false,
            Err(e) => return Err(e.into()),
        };
        self.hook.at(Step::Cosigned, Side::After)?;
        self.signed = Some((*checkpoint, now));
        Ok(taken)
    }

    /// After a start: gets the directory that the newest head seen names, if it is not the one of the file.
    async fn recall(&mut self) -> Result<(), WitnessError> {
        let Some(named) = self.memory.seen().map(|seen| seen.directory) else { return Ok(()) };
        if self.directory.digest() != named {
            self.directory = self.fetch_directory(&named).await?.0;
        }
        Ok(())
    }

    /// The heads that came since, each following the one before.
    async fn follow(&self, from: &Seen, to: &Checkpoint, now: Millis) -> Result<Next, WitnessError> {
        let mut next = Next { seen: from.clone(), directory: Arc::clone(&self.directory) };
        let mut passed = Vec::new();
        let newest = self.round(now).next();
        let mut e = from.round.next();
        while next.seen.tree.size() < to.size && e <= newest {
            if let Some(bytes) = self.edge.get_public(&path::edition(e), MAX_HEAD).await? {
                let head = UnverifiedHead::from_bytes(&bytes)?;
                let named = head.dangerously_directory()?;
                let new = if named == next.seen.directory {
                    None
                } else {
                    Some(self.fetch_directory(&named).await?)
                };
                let directory = new.as_ref().map_or(&next.directory, |(directory, _)| directory);
                let edition = head.verify(directory, e, self.round(now), Some(&next.seen.head))?;
                directory.follows(&next.directory, e)?;
                next.seen.tree.push_edition(new.as_ref().map(|(_, bytes)| &**bytes), &bytes);
                next.seen.round = e;
                next.seen.head = edition.digest();
                next.seen.directory = named;
                if let Some((directory, _)) = new {
                    next.directory = directory;
                }
                passed.push(next.clone());
            }
            e = e.next();
        }
        if next.seen.tree.size() < to.size {
            return Err(WitnessError::Missing);
        }
        self.announced_in_time(&next, &passed, now).await?;
        Ok(next)
    }

    // DIR-14
    /// Checks by this witness's own clock that who is new in the newest directory takes effect late enough. An edition's number says
    /// in which round it was made, and not when anybody was shown it: nobody is before a quorum has co-signed.
    async fn announced_in_time(&self, next: &Next, passed: &[Next], now: Millis) -> Result<(), WitnessError> {
        // A round of grace: what was published at the end of one is looked at in the next.
        let at = self.round(now).back(1).unwrap_or(Round(0));
        let Err(why) = next.directory.waits(&self.directory, at) else { return Ok(()) };
        // Who was away itself cannot tell. What a quorum has co-signed meanwhile everybody has been shown, and it was in time.
        let Some(bytes) = self.edge.get_public(path::CHECKPOINT, MAX_NOTE).await? else {
            return Err(why.into());
        };
        let note = UnverifiedNote::from_bytes(&bytes).map_err(NoteRejected::from)?;
        let shown = note.dangerously_checkpoint();
        let is_shown = |it: &&Next| {
            it.seen.tree.check(&shown).is_ok()
                && note
                    .verify(&it.directory, it.seen.round)
                    .is_ok_and(|signed| signed.has_quorum(&it.directory))
        };
        let before = passed.iter().find(is_shown).ok_or(why)?;
        Ok(next.directory.waits(&before.directory, at)?)
    }

    /// The first day: the tree before the checkpoint's newest leaf as the edge has it, and the head that is this leaf.
    async fn begin(&self, at: &Checkpoint, now: Millis) -> Result<Next, WitnessError> {
        let before = at.size.saturating_sub(1);
        let bytes = self
            .edge
            .get_public(&path::frontier(before), MAX_FRONTIER)
            .await?
            .ok_or(WitnessError::Missing)?;
        let before = Frontier::from_bytes(&bytes).map_err(NoteRejected::from)?;
        let newest = self.round(now);
        let mut found = 0;
        for back in 0..KEPT_ROUNDS {
            let Some(e) = newest.next().back(back) else { break };
            let Some(bytes) = self.edge.get_public(&path::edition(e), MAX_HEAD).await? else { continue };
            if let Ok(tree) = before.clone().begin(&bytes, at) {
                let head = UnverifiedHead::from_bytes(&bytes)?;
                let named = head.dangerously_directory()?;
                let directory = self.fetch_directory(&named).await?.0;
                // DIR-13: it does not go back behind the roster that its operator gave it.
                directory.follows_roster(&self.directory)?;
                let edition = head.verify(&directory, e, newest, None)?;
                let seen = Seen { tree, round: e, head: edition.digest(), directory: named };
                return Ok(Next { seen, directory });
            }
            found += 1;
            if found == NEWEST {
                break;
            }
        }
        Err(if found > 0 { LogRejected::Fork.into() } else { WitnessError::Missing })
    }

    async fn fetch_directory(&self, named: &Digest) -> Result<(Arc<Directory>, Bytes), WitnessError> {
        let path = path::directory(named);
        let bytes = self.edge.get_public(&path, MAX_DIRECTORY).await?.ok_or(WitnessError::Missing)?;
        let directory = Directory::read(&bytes, &self.network)?;
        if directory.digest() != *named {
            return Err(WitnessError::Missing);
        }
        Ok((Arc::new(directory), bytes))
    }

    fn round(&self, now: Millis) -> Round {
        self.schedule().round_at(now).unwrap_or(Round(0))
    }
}
