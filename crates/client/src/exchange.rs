//! The exchange: what a device does once a round, the same whether or not it has mail. Spec: exchange.md §2.
//!
//! ```text
//! 1 fetch    the log's checkpoint, and every edition missed that it covers: head, reader drop (a desk: desk drop too), and
//!            the newest one's stories
//! 2 verify   each, and that witnesses co-signed the log that ends with the newest, before anything of it is kept
//! 3 take     the queue's first blob out of the mailbox, durably
//! 4 wrap     it in the layers of this round's mixes
//! 5 post     it, once
//! ```
//! Nothing here knows the passphrase, and nothing branches on real or cover. The edge's answer to the post changes the
//! health line and nothing else.

use std::collections::VecDeque;
use std::sync::Arc;

use proto::directory::{Directory, DirectoryRejected, MAX_DIRECTORY};
use proto::drops::DeskDrop;
use proto::edition::{DropRef, Edition, EditionRejected, MAX_HEAD, MAX_PACKED, UnverifiedHead};
use proto::envelope::{self, Envelope};
use proto::log::{Checkpoint, Frontier, MAX_FRONTIER, MAX_NOTE, NEWEST, NoteRejected, UnverifiedNote};
use proto::size::READER_SLOT;
use proto::{Digest, Round, path};
use rand::rngs::StdRng;

use crate::device::{ExitKeys, Health, Inner};
use crate::edge::{NotGot, NotPut};
use crate::known::Known;
use crate::library::{Drops, Front, KEPT_ROUNDS, Kind, LibraryError, Taken};
use crate::log::{self, NotTheLog, Place};
use crate::mailbox::{Mailbox, MailboxError, QUEUE};

/// Drops this close to the end of what the edge keeps may already be gone when they are asked for.
const RETENTION_SLACK: u32 = 8;

/// An edition may come some rounds late. One older than this is worth a word.
const STALE_ROUNDS: u32 = 3;

/// What came of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// Its round.
    pub round: Round,
    /// How many editions it brought.
    pub editions: u32,
    /// Whether an envelope went out. Nothing is said about whether it arrived.
    pub posted: bool,
    /// The health line afterwards.
    pub health: Health,
}

/// Makes the exchange of round `r`, now.
pub(crate) async fn run(inner: &Arc<Inner>, r: Round, ahead: &mut Ahead) -> Exchanged {
    // On the disk before anything goes out: never two exchanges in one round, even if the clock is set back.
    let begun = inner.library().keep_begun(&inner.begun());
    let mut fetch = Fetch { inner, r, ahead, editions: 0 };
    let fetched = match begun {
        Ok(()) => fetch.run().await,
        Err(e) => Err(Failed::Disk(e)),
    };
    let editions = fetch.editions;
    // An edge that is not reached is handed nothing, so that nobody has to ask whether it was.
    if !matches!(fetched, Err(Failed::Edge)) {
        hand_in_keys(inner).await;
    }
    let mut health = match &fetched {
        Ok(()) if inner.shown().front.edition.is_none() => Health::Starting,
        Ok(()) if inner.is_stale(r) => Health::Stale,
        Ok(()) => Health::Good,
        Err(failed) => failed.health(),
    };
    // EXC-02: until the first edition is verified nothing is sent. An edge that cannot be reached is not sent to; an edition that
    // does not verify changes nothing about this round's keys, which were verified before.
    let ready =
        inner.shown().front.edition.is_some() && fetched.as_ref().map_or_else(Failed::may_post, |()| true);
    let mut posted = false;
    // The same with cover: a stop takes as long for everyone.
    let sending = ready.then(|| inner.sending());
    if ready && let Some(envelope) = take(inner, r).await {
        posted = true;
        if inner.edge.post(&path::envelopes(r), &envelope).await.is_err() {
            health = Health::Offline;
        }
    }
    inner.show(|shown| (shown.health, shown.exchanged) = (health, true));
    drop(sending);
    Exchanged { round: r, editions, posted, health: inner.shown().health() }
}

/// On a desk's machine: hands in the public halves of its new intake keys, some weeks before they are used.
async fn hand_in_keys(inner: &Arc<Inner>) {
    let Some(identity) = &inner.desk else { return };
    // Who is not listed may hand in nothing, and what another vault key signed is not this desk's.
    let directory = Arc::clone(&inner.shown().directory);
    let Some(desk) = directory.desk_of(&identity.public()) else { return };
    let keys = inner.library().unhanded_intake_keys(&desk.vault_key).unwrap_or_default();
    let failed = |cause| tracing::warn!(%cause, "could not write to this device's folder; is the disk full?");
    for (from, key) in keys {
        let (path, network) = (path::intake_key(&desk.id, from), &inner.wire.network);
        // KEY-02: on the disk before the edge may have it, whatever becomes of the answer.
        let before = inner.library().try_intake_key(from, &key);
        let may_have = match before {
            Ok(Some(may_have)) => may_have,
            Ok(None) => continue,
            Err(cause) => {
                failed(cause);
                continue;
            }
        };
        let is_taken = match inner.edge.put_as(identity, network, &path, key, inner.clock.now()).await {
            Ok(()) => true,
            Err(NotPut::Unseen) if !may_have => false,
            Err(NotPut::Refused) => false,
            Err(NotPut::Unseen | NotPut::Unanswered) => continue,
        };
        let noted = inner.library().intake_key_tried(from, is_taken);
        if let Err(cause) = noted {
            failed(cause);
        }
    }
}

/// Takes the first blob, durably, and wraps it. `None`: it is too late in the round, a key of this round is not known, or
/// the disk failed; the round is skipped.
async fn take(inner: &Arc<Inner>, r: Round) -> Option<Envelope> {
    let (mixes, exits) = inner.envelope_keys(r)?;
    // EXC-04: not in the round's last guard.
    let now = inner.clock.now();
    let closes = inner.schedule.end(r).0 - inner.schedule.guard_ms();
    if inner.schedule.round_at(now) != Some(r) || now.0 >= closes {
        return None;
    }
    inner
        .blocking(move |inner| {
            let mut rng = inner.rng();
            let mut held = inner.held();
            // EXC-03: `take` returns once the mailbox without the blob is on the disk.
            let blob = fill(inner, &mut held.mailbox, &exits).and_then(|()| {
                renew(inner, &mut held.mailbox, &exits, &mut rng);
                held.mailbox.take(r, &exits.cover(&inner.wire, QUEUE, &mut rng), &mut rng)
            });
            let blob = inner.said(blob).ok()?;
            held.taken = Some(r);
            drop(held);
            Some(envelope::wrap(&inner.wire, blob, &mixes, &mut rng))
        })
        .await
}

/// Fills a queue that never was with cover, for the rounds in which its blobs leave.
fn fill(inner: &Inner, mailbox: &mut Mailbox, exits: &ExitKeys) -> Result<(), MailboxError> {
    if mailbox.is_filled() {
        return Ok(());
    }
    mailbox.fill(|place, rng| exits.cover(&inner.wire, place, rng), &mut inner.rng())
}

// MBX-15
/// On a device that was off for more than a week: what nobody could open any more is cover anew, whatever it was. What stayed would
/// mark the device, and what comes instead is sealed as what is written now.
fn renew(inner: &Inner, mailbox: &mut Mailbox, exits: &ExitKeys, rng: &mut StdRng) {
    let lost: Vec<_> = (0..QUEUE).filter(|&place| exits.is_lost(place, mailbox.week(place))).collect();
    mailbox.renew(&lost, |place, _, rng| exits.cover(&inner.wire, place, rng), rng);
}

impl Inner {
    /// Whether the edition held is older than one is that comes late.
    pub(crate) fn is_stale(&self, r: Round) -> bool {
        self.shown().front.edition.is_some_and(|f| f.round.0.saturating_add(STALE_ROUNDS) < r.0)
    }
}

/// Why fetching stopped.
enum Failed {
    Edge,
    Rejected,
    Log(NotTheLog),
    Clock,
    Unlisted,
    Denied,
    Disk(LibraryError),
}

impl Failed {
    fn may_post(&self) -> bool {
        matches!(self, Failed::Rejected | Failed::Log(_) | Failed::Unlisted | Failed::Denied)
    }

    fn health(&self) -> Health {
        match self {
            Failed::Edge => Health::Offline,
            Failed::Rejected => Health::Unverified,
            Failed::Log(NotTheLog(health)) => *health,
            Failed::Clock => Health::Clock,
            Failed::Unlisted => Health::Unlisted,
            Failed::Denied => Health::Denied,
            Failed::Disk(cause) => {
                tracing::warn!(%cause, "could not keep what was fetched; is the disk full?");
                Health::Disk
            }
        }
    }
}

impl From<NotGot> for Failed {
    fn from(e: NotGot) -> Self {
        match e {
            NotGot::Unreachable => Failed::Edge,
            NotGot::TooLong => Failed::Rejected,
            NotGot::Denied => Failed::Denied,
        }
    }
}

impl From<EditionRejected> for Failed {
    fn from(why: EditionRejected) -> Self {
        match why {
            // EDN-03: signed by the press, and not what comes next.
            EditionRejected::Previous => Failed::Log(NotTheLog(Health::Forked)),
            // EDN-14: the press signed it, and others may have been shown what it names.
            EditionRejected::Page => Failed::Log(NotTheLog(Health::TwoPages)),
            _ => Failed::Rejected,
        }
    }
}

impl From<NotTheLog> for Failed {
    fn from(why: NotTheLog) -> Self {
        match why {
            NotTheLog(Health::Clock) => Failed::Clock,
            why => Failed::Log(why),
        }
    }
}

impl From<NoteRejected> for Failed {
    fn from(why: NoteRejected) -> Self {
        NotTheLog::from(why).into()
    }
}

impl From<DirectoryRejected> for Failed {
    fn from(_: DirectoryRejected) -> Self {
        Failed::Rejected
    }
}

impl From<LibraryError> for Failed {
    fn from(e: LibraryError) -> Self {
        Failed::Disk(e)
    }
}

/// Heads that verified and that a checkpoint covers, in their order, after the last edition that was taken: what they name has not
/// come yet. None of them is asked for twice while the program runs, however long one drop keeps them waiting.
pub(crate) type Ahead = VecDeque<Head>;

/// A head that verified, and the directory it did so with.
pub(crate) struct Head {
    edition: Edition,
    bytes: Vec<u8>,
    directory: Arc<Directory>,
    /// The log's tree up to it.
    log: Place,
}

impl Head {
    fn round(&self) -> Round {
        self.edition.head().round
    }
}

struct Fetch<'a> {
    inner: &'a Arc<Inner>,
    r: Round,
    ahead: &'a mut Ahead,
    editions: u32,
}

impl Fetch<'_> {
    async fn run(&mut self) -> Result<(), Failed> {
        let last = self.inner.library().last()?;
        // Rounds have gone backwards since.
        if last.is_some_and(|(last, _)| last > self.r.next()) {
            return Err(Failed::Clock);
        }
        let note = self.inner.edge.get(path::CHECKPOINT, MAX_NOTE).await?;
        let Some(note) = note else {
            // The network's first moments; later it is a log that has stopped.
            return if last.is_none() { Ok(()) } else { Err(NotTheLog(Health::Frozen).into()) };
        };
        let note = UnverifiedNote::from_bytes(&note).map_err(NoteRejected::from)?;
        let place = self.inner.library().log()?;
        // With the clock set back they are of rounds to come.
        self.ahead.retain(|head| head.round() <= self.r.next());
        let size = self.ahead.back().map(|head| &head.log).or(place.as_ref()).map_or(0, |it| it.tree.size());
        // Where nothing came since, there is nothing to begin anew with, however long ago that was.
        let grew = place.is_none() || size != note.dangerously_checkpoint().size;
        // Nor is there anything to go on from where the log cannot be read.
        let is_long_ago = |last: Round| self.r.0.saturating_sub(last.0) > KEPT_ROUNDS;
        let starts_over = last.is_some_and(|(last, _)| place.is_none() || (grew && is_long_ago(last)));
        let heads = match (last, &place) {
            (Some((last, digest)), Some(place)) if !starts_over => {
                self.missed(last, digest, place, &note.dangerously_checkpoint()).await
            }
            // LOG-10: also for who was away.
            _ if note.dangerously_checkpoint().size < size => {
                return Err(NotTheLog(Health::Forked).into());
            }
            // The first day, or away for more than 14 days: the newest edition that the checkpoint covers.
            _ => {
                self.ahead.clear();
                self.first(&note.dangerously_checkpoint()).await
            }
        };
        let heads = self.covered(&note, heads, place.as_ref())?;
        self.ahead.extend(heads);
        // EXC-11: the edge gives the desks' drops to who is listed. Those of now are fetched when this desk is listed again.
        if let (Some(desk), Some(newest)) = (&self.inner.desk, self.ahead.back())
            && newest.directory.desk_of(&desk.public()).is_none()
        {
            return Err(Failed::Unlisted);
        }
        let mut known = self.known()?;
        while let Some(head) = self.ahead.front() {
            // They agreed when they came. What was known with each is made again: a copy beside each would be a hundred megabytes
            // after weeks off.
            known.agrees(&head.directory, &head.edition);
            self.take(head, &known, self.ahead.len() == 1).await?;
            self.ahead.pop_front();
            self.editions += 1;
            if starts_over {
                self.inner.show(|shown| shown.started_over = true);
            }
        }
        Ok(())
    }

    /// The heads, if the checkpoint is good and they are the log up to it; else why not.
    fn covered(
        &self,
        note: &UnverifiedNote,
        heads: Result<Vec<Head>, Failed>,
        held: Option<&Place>,
    ) -> Result<Vec<Head>, Failed> {
        let now = self.inner.clock.now();
        let directory_of = |head: Option<&Head>| {
            head.map_or_else(|| Arc::clone(&self.inner.shown().directory), |head| Arc::clone(&head.directory))
        };
        let heads = match heads {
            Ok(heads) => heads,
            // That nobody co-signed it says more than that it does not fit.
            Err(why @ (Failed::Rejected | Failed::Log(_))) => {
                let directory = directory_of(self.ahead.back());
                note.verify(&directory, self.r)?.witnessed(&directory, now)?;
                return Err(why);
            }
            Err(why) => return Err(why),
        };
        // LOG-12: nothing of a head is used before a checkpoint covers it.
        let newest = heads.last().or(self.ahead.back());
        let directory = directory_of(newest);
        let place = newest.map(|head| &head.log).or(held).ok_or(Failed::Rejected)?;
        log::check(note, &directory, place, now)?;
        Ok(heads)
    }

    /// Heads after `last` and those that are ahead, in their order, each following the one before, as far as the checkpoint goes.
    /// A round without an edition is passed over.
    async fn missed(
        &self,
        last: Round,
        digest: Digest,
        from: &Place,
        to: &Checkpoint,
    ) -> Result<Vec<Head>, Failed> {
        let mut heads: Vec<Head> = Vec::new();
        let mut known = self.known()?;
        for head in &*self.ahead {
            known.agrees(&head.directory, &head.edition);
        }
        let (last, mut previous, mut log) = match self.ahead.back() {
            Some(head) => (head.round(), head.edition.digest(), head.log.clone()),
            None => (last, digest, from.clone()),
        };
        // An edition may be of a round that begins a little later by this clock (EDN-09).
        for e in last.0 + 1..=self.r.next().0 {
            if log.tree.size() >= to.size {
                break;
            }
            let before = heads.last().or(self.ahead.back());
            let Some((edition, bytes, directory)) =
                self.head(Round(e), Some(&previous), before, &mut known).await?
            else {
                continue;
            };
            let named = directory.digest();
            let new =
                (named != log.directory).then(|| self.inner.library().directory_bytes(&named)).transpose()?;
            log.tree.push_edition(new.flatten().as_deref(), &bytes);
            (log.directory, log.round) = (named, Round(e));
            previous = edition.digest();
            heads.push(Head { edition, bytes, directory, log: log.clone() });
        }
        Ok(heads)
    }

    /// The edition whose head is the newest leaf of the checkpoint's tree, with the frontier before it as the edge has it.
    async fn first(&self, at: &Checkpoint) -> Result<Vec<Head>, Failed> {
        let path = path::frontier(at.size.saturating_sub(1));
        let before = self.inner.edge.get(&path, MAX_FRONTIER).await?.ok_or(Failed::Rejected)?;
        let before = Frontier::from_bytes(&before).map_err(NoteRejected::from)?;
        let mut found = 0;
        for back in 0..KEPT_ROUNDS {
            let Some(e) = self.r.next().back(back) else { break };
            let mut known = self.known()?;
            let Some((edition, bytes, directory)) = self.head(e, None, None, &mut known).await? else {
                continue;
            };
            // LOG-09
            if let Ok(tree) = before.clone().begin(&bytes, at) {
                let log = Place { tree, directory: directory.digest(), round: e };
                return Ok(vec![Head { edition, bytes, directory, log }]);
            }
            found += 1;
            if found == NEWEST {
                break;
            }
        }
        // There are editions, and none of them ends the tree that was co-signed.
        Err(if found > 0 { NotTheLog(Health::Forked).into() } else { Failed::Rejected })
    }

    async fn head(
        &self,
        e: Round,
        previous: Option<&Digest>,
        before: Option<&Head>,
        known: &mut Known,
    ) -> Result<Option<(Edition, Vec<u8>, Arc<Directory>)>, Failed> {
        let Some(bytes) = self.inner.edge.get(&path::edition(e), MAX_HEAD).await? else { return Ok(None) };
        let unverified = UnverifiedHead::from_bytes(&bytes)?;
        let named = unverified.dangerously_directory()?;
        let held =
            before.map_or_else(|| Arc::clone(&self.inner.shown().directory), |h| Arc::clone(&h.directory));
        let (directory, fetched) =
            if held.digest() == named { (Arc::clone(&held), None) } else { self.directory(&named).await? };
        // EXC-05: what does not verify goes no further.
        let edition = unverified.verify(&directory, e, self.r, previous)?;
        // DIR-13, DIR-14, DIR-16: from one directory to the next. On the first day nobody knows when the next was announced.
        match previous {
            Some(_) if directory.digest() == held.digest() => {}
            Some(_) => directory.follows(&held, e)?,
            // The app came with one, and an earlier day with another: nobody goes back to a roster before either.
            None => {
                [&held, &self.inner.installed].into_iter().try_for_each(|it| directory.follows_roster(it))?;
            }
        }
        // Only now: a directory needs no press, so whoever answers could make any number of them.
        if let Some(bytes) = fetched {
            self.inner.library().keep_directory(&named, &bytes)?;
        }
        // EXC-08: a head that everyone has and a head made for one reader look the same; a key that is known does not change
        // with either.
        if !known.agrees(&directory, &edition) {
            return Err(Failed::Rejected);
        }
        Ok(Some((edition, bytes, directory)))
    }

    /// The keys known with the last edition that was taken: on the first day those of the directory that came with the app.
    fn known(&self) -> Result<Known, Failed> {
        let kept = self.inner.library().known()?;
        Ok(kept.unwrap_or_else(|| Known::of(&self.inner.shown().directory)))
    }

    /// A directory that was kept, or as the edge has it, with its bytes.
    async fn directory(&self, named: &Digest) -> Result<(Arc<Directory>, Option<Vec<u8>>), Failed> {
        if let Some(kept) = self.inner.library().directory(named)? {
            return Ok((Arc::new(kept), None));
        }
        let bytes =
            self.inner.edge.get(&path::directory(named), MAX_DIRECTORY).await?.ok_or(Failed::Rejected)?;
        let directory = Directory::read(&bytes, &self.inner.wire.network)?;
        // Rounds and lengths are what this device was installed with; others need an app that knows them.
        let same = directory.digest() == *named
            && directory.wire() == self.inner.wire
            && directory.parameters().schedule == self.inner.schedule;
        if !same {
            return Err(Failed::Rejected);
        }
        Ok((Arc::new(directory), Some(bytes)))
    }

    /// Fetches what a head names, verifies it, and keeps all of it or nothing.
    async fn take(&self, head: &Head, known: &Known, newest: bool) -> Result<(), Failed> {
        let mut drops = Vec::new();
        for named in head.edition.drops() {
            drops.extend(self.drops(named, &head.directory).await?);
        }
        let mut front: Option<(Front, Kind, Vec<u8>)> = None;
        if newest {
            let mut next = self.inner.shown().front.clone();
            let kind = next.wants(&head.edition);
            let named = match kind {
                Kind::Front => head.edition.head().front,
                Kind::Changes => head.edition.head().changes,
            };
            let limit = MAX_PACKED.min(named.len as usize);
            let bundle =
                self.inner.edge.get(&path::bundle(&named.digest), limit).await?.ok_or(Failed::Rejected)?;
            next.take(&head.edition, kind, &bundle)?;
            next.damaged = false;
            front = Some((next, kind, bundle));
        }
        {
            let mut library = self.inner.library();
            let stories = front.as_ref().map(|(_, kind, bundle)| (*kind, bundle.as_slice()));
            library.take(&Taken {
                edition: &head.edition,
                head: &head.bytes,
                known,
                log: &head.log,
                drops,
                stories,
            })?;
        }
        if front.is_some() {
            self.fill(&head.directory).await;
        }
        self.inner.show(|shown| {
            shown.directory = Arc::clone(&head.directory);
            shown.round_keys = head.edition.round_keys().clone();
            if let Some((front, ..)) = front {
                shown.front = front;
            }
        });
        Ok(())
    }

    /// EXC-02: fills the queue before the first edition is shown, so that whoever sees one can write, even if it came too late in
    /// its round for an upload.
    async fn fill(&self, directory: &Arc<Directory>) {
        let Some(exits) = ExitKeys::of(directory, self.r) else { return };
        // What is wrong was said; the queue is filled with a later edition.
        let _: Result<(), MailboxError> = self
            .inner
            .blocking(move |inner| {
                let filled = fill(inner, &mut inner.held().mailbox, &exits);
                inner.said(filled)
            })
            .await;
    }

    /// The drops of one round. `None`: they are so old that the edge may have deleted them.
    async fn drops(&self, named: &DropRef, directory: &Directory) -> Result<Option<Drops>, Failed> {
        let edge = &self.inner.edge;
        let parameters = directory.parameters();
        let old = named.round.0.saturating_add(KEPT_ROUNDS) < self.r.0 + RETENTION_SLACK;
        // EXC-09: what one device could go on without, and others have, would mark it.
        let gone = |()| if old { Ok(None) } else { Err(Failed::Rejected) };
        // EXC-10: who began in between has this one, and who follows another.
        let is_other = |(reader, desk): (Digest, Option<Digest>)| {
            reader != named.reader || desk.is_some_and(|desk| desk != named.desk)
        };
        if self.inner.library().drops_of(named.round)?.is_some_and(is_other) {
            return Err(NotTheLog(Health::Forked).into());
        }
        let length = usize::from(parameters.reader_slots) * READER_SLOT;
        let Some(reader) = edge.get(&path::reader_drop(named.round), length).await? else { return gone(()) };
        let reader = named.reader_drop(directory, reader)?;
        let mut desk = None;
        if let Some(identity) = &self.inner.desk {
            let length = DeskDrop::len(directory.wire().cascade, parameters.desk_slots, parameters.desks);
            let path = path::desk_drop(named.round);
            let network = &self.inner.wire.network;
            let got = edge.get_as(identity, network, &path, length, self.inner.clock.now()).await?;
            let Some(bytes) = got else { return gone(()) };
            desk = Some(named.desk_drop(directory, bytes)?.as_bytes().to_vec());
        }
        Ok(Some(Drops { round: named.round, reader: reader.as_bytes().to_vec(), desk }))
    }
}
