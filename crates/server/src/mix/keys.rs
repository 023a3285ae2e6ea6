//! A mix's keys: made ahead, handed to the edge, and deleted when their time is over. Spec: keys.md.
//!
//! The secrets stand in the mix's own store beside the replay tags seen under them, and go with them in one transaction.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto::Round;
use proto::directory::MixKey;
use proto::id::KeyId;
use proto::keys::{KeyKind, Period};
use proto::mix::BatchId;
use proto::seal::{NotOpened, SealPublic, SealSecret};
use proto::sign::Unverified;
use rand::rngs::StdRng;

use super::directory::last_before;
use super::store::{KeptKey, Store};
use super::upstream::{Upstream, UpstreamError};
use super::{Me, MixError};
use crate::faults::{Side, Step};
use crate::http::RequestError;

/// How many rounds before its week the exit begins to open with a key.
const AHEAD: u32 = 12;

/// The keys that a mix holds.
pub(super) struct Keys {
    kind: KeyKind,
    held: Vec<Held>,
    /// Keys of the mixes after this one that the directory in force does not name any more, or not yet, by their hop and first
    /// round.
    later: BTreeMap<(u8, Round), SealPublic>,
    /// In which round each of these was looked for in vain.
    sought: BTreeMap<(u8, Round), Round>,
    /// The first rounds of keys that the edge refused: each is said once.
    refused: BTreeSet<Round>,
}

struct Held {
    period: Period,
    secret: Arc<SealSecret>,
    /// Whether the edge is known to have its public half.
    handed: bool,
}

impl Keys {
    pub(super) fn new(kind: KeyKind) -> Self {
        Self {
            kind,
            held: Vec::new(),
            later: BTreeMap::new(),
            sought: BTreeMap::new(),
            refused: BTreeSet::new(),
        }
    }

    /// Takes in what the store holds.
    pub(super) fn reload(&mut self, kept: Vec<KeptKey>) {
        let hold = |KeptKey { period, secret, handed }| Held { period, secret: Arc::new(secret), handed };
        self.held = kept.into_iter().map(hold).collect();
    }

    /// Makes the keys that are to be public in round `now` and the one after, and deletes those whose time is over.
    /// Returns whether any were deleted: their replay tags are gone too.
    pub(super) fn turn(
        &mut self,
        me: &Me,
        now: Round,
        store: &mut Store,
        rng: &mut StdRng,
    ) -> Result<bool, MixError> {
        // One round early, so that the press has them when that round's edition is made.
        let wanted: BTreeSet<_> = self.kind.published(now).chain(self.kind.published(now.next())).collect();
        for period in wanted {
            // MIX-15: of another mix's rounds the edge would take none, and nobody use any.
            if !me.has(period.from) {
                continue;
            }
            // A round that is taken whole needs no key any more, and must not get a second one.
            if self.held.iter().any(|h| h.period == period) || self.is_over(period, now, store)? {
                continue;
            }
            let secret = SealSecret::generate(rng);
            me.hook.at(Step::KeyMade, Side::Before)?;
            // KEY-02: kept before anybody hears of it, so that there is one key for a period, ever.
            store.keep_key(period, &secret)?;
            me.hook.at(Step::KeyMade, Side::After)?;
            self.held.push(Held { period, secret: Arc::new(secret), handed: false });
        }
        self.held.sort_by_key(|h| core::cmp::Reverse(h.period));
        let mut gone = Vec::new();
        for held in &self.held {
            if self.is_over(held.period, now, store)? {
                gone.push((held.period, held.secret.public().id()));
            }
        }
        if gone.is_empty() {
            return Ok(false);
        }
        me.hook.at(Step::KeyForgotten, Side::Before)?;
        store.forget_keys(&gone)?;
        me.hook.at(Step::KeyForgotten, Side::After)?;
        self.held.retain(|h| !gone.iter().any(|(period, _)| *period == h.period));
        self.refused.retain(|from| self.held.iter().any(|h| h.period.from == *from));
        Ok(true)
    }

    // KEY-03: the first mix's key goes once its round is taken whole; every other when the table says.
    fn is_over(&self, period: Period, now: Round, store: &Store) -> Result<bool, MixError> {
        let taken = self.kind == KeyKind::Round && store.is_taken(BatchId { round: period.from, part: 0 })?;
        Ok(taken || self.kind.is_over(period, now))
    }

    /// Hands the edge the public halves that it does not have yet. One that it refuses keeps nothing else from being done, and
    /// is handed over again at the next step.
    pub(super) fn hand_over(
        &mut self,
        me: &Me,
        store: &mut Store,
        upstream: &mut impl Upstream,
    ) -> Result<(), MixError> {
        for held in self.held.iter_mut().rev().filter(|h| !h.handed && me.has(h.period.from)) {
            let Period { from, until } = held.period;
            let key = held.secret.public().to_bytes().into();
            let signed =
                Unverified::sign(&MixKey { hop: me.hop, key, from, until }, &me.wire.network, &me.identity);
            me.hook.at(Step::KeyHanded, Side::Before)?;
            match upstream.hand_key(me.hop, from, &signed) {
                Err(UpstreamError::Edge(why @ (RequestError::Refused(_) | RequestError::Conflict))) => {
                    if self.refused.insert(from) {
                        tracing::error!("This mix's key for the rounds from {from} on is not taken: {why}");
                    }
                    continue;
                }
                handed => handed?,
            }
            me.hook.at(Step::KeyHanded, Side::After)?;
            me.hook.at(Step::KeyNoted, Side::Before)?;
            store.note_key_handed(held.period)?;
            me.hook.at(Step::KeyNoted, Side::After)?;
            held.handed = true;
        }
        Ok(())
    }

    /// Opens something sealed for `round`: the key of that round is tried first, then the others that still live. The
    /// first mix's round says which key it is, so it tries one.
    pub(super) fn open<T>(
        &self,
        round: Round,
        open: impl Fn(&SealSecret) -> Result<T, NotOpened>,
    ) -> Result<(KeyId, T), NotOpened> {
        let try_one = |secret: &SealSecret| Some((secret.public().id(), open(secret).ok()?));
        self.tried(round).find_map(try_one).ok_or(NotOpened)
    }

    /// The keys to try on something sealed for `round`, in this order.
    pub(super) fn tried(&self, round: Round) -> impl Iterator<Item = &SealSecret> {
        let (of_round, others): (Vec<_>, Vec<_>) = self.held.iter().partition(|h| h.period.holds(round));
        // What waits in a queue is sealed to the key of the round in which it was to leave. A device whose clock was ahead has
        // sent as many of them too early, and the rest leaves before its time: at most by as much as it knows round keys.
        let begins_by = Round(round.0.saturating_add(if self.kind == KeyKind::Week { AHEAD } else { 0 }));
        let others =
            others.into_iter().filter(move |h| self.kind != KeyKind::Round && h.period.from <= begins_by);
        of_round.into_iter().chain(others).map(|h| &*h.secret)
    }

    // MIX-16: a key that merely lies at the edge may be one that its owner signed for the mixes alone: what is sealed to it would
    // be told from what readers send.
    /// The key of a later mix, at `hop`, that what belongs to a batch of `round` is sealed to: the one that readers know. It is
    /// `now`.
    pub(super) fn of(
        &mut self,
        me: &Me,
        hop: u8,
        (round, now): (Round, Round),
        upstream: &mut impl Upstream,
    ) -> Result<SealPublic, MixError> {
        let period = KeyKind::of_mix(hop, me.wire.cascade).period(round);
        let at = (hop, period.from);
        if let Some(key) = me.directory.mix_key(hop, round).or_else(|| self.later.get(&at)) {
            return Ok(key.clone());
        }
        // Once a round: until there is an edition that names it, the batch waits.
        if self.sought.get(&at) == Some(&now) {
            return Err(MixError::NoKey);
        }
        // Of a period that is over, the last edition in it names what there is; those after it name its key no more.
        let border = period.until.next().min(now);
        let named = last_before(me, upstream, border, now)?;
        self.sought.retain(|_, sought| *sought == now);
        self.sought.insert(at, now);
        let key =
            named.and_then(|directory| directory.mix_key(hop, round).cloned()).ok_or(MixError::NoKey)?;
        self.later.retain(|(_, from), _| from.0.saturating_add(proto::keys::WEEK) >= period.from.0);
        self.later.insert(at, key.clone());
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a device whose clock was ahead sends too early is sealed to the key of the week to come; nobody else's keys begin
    /// before their time.
    #[test]
    fn the_exit_alone_opens_with_a_key_some_rounds_before_it_begins() {
        let held = |kind: KeyKind, first: u32| {
            let mut keys = Keys::new(kind);
            let kept = |(n, from): (u8, u32)| {
                let (period, secret) = (kind.period(Round(from)), SealSecret::from_seed(&[n; 32]));
                KeptKey { period, secret, handed: true }
            };
            keys.reload([(1, 0), (2, first)].map(kept).into());
            keys
        };
        let exit = held(KeyKind::Week, 168);
        assert_eq!([155, 156, 168].map(|r| exit.tried(Round(r)).count()), [1, 2, 2]);
        let middle = held(KeyKind::Day, 24);
        assert_eq!([23, 24].map(|r| middle.tried(Round(r)).count()), [1, 2]);
    }
}
