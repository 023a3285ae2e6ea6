//! Rounds, the only clock. Times are milliseconds since 1970 in UTC.

use core::fmt;
use core::ops::Range;

use minicbor::{Decode, Encode};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Millis(#[n(0)] pub u64);

impl Millis {
    /// This moment and `ms` milliseconds more.
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// How long from this moment until `later`; zero if it is past.
    pub fn until(self, later: Millis) -> core::time::Duration {
        core::time::Duration::from_millis(later.0.saturating_sub(self.0))
    }
}

/// The number of a round, counted from the network's first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Round(#[n(0)] pub u32);

impl Round {
    /// The round after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// `n` rounds earlier; the first round has none before it.
    pub fn back(self, n: u32) -> Option<Self> {
        self.0.checked_sub(n).map(Self)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Tells the time. Made once, where the program starts; everything else is given one, or is given `now`.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Millis;
}

/// When rounds begin and end. The same for everyone: it stands in the signed roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Schedule {
    /// When round 0 begins.
    #[n(0)]
    pub genesis: Millis,
    /// T, the length of a round in milliseconds.
    #[n(1)]
    pub round_ms: u32,
}

impl Schedule {
    /// g = T/30: how far clocks may differ, and how long before a round's end a client no longer starts.
    pub fn guard_ms(&self) -> u64 {
        u64::from(self.round_ms) / 30
    }

    /// When round `r` begins.
    pub fn start(&self, r: Round) -> Millis {
        Millis(self.genesis.0 + u64::from(r.0) * u64::from(self.round_ms))
    }

    /// When round `r` ends, which is when the next begins.
    pub fn end(&self, r: Round) -> Millis {
        self.start(r.next())
    }

    /// The round that `now` lies in; `None` before the first.
    pub fn round_at(&self, now: Millis) -> Option<Round> {
        let since = now.0.checked_sub(self.genesis.0)?;
        u32::try_from(since / u64::from(self.round_ms)).ok().map(Round)
    }

    /// From when until when the edge takes envelopes of round `r`: a guard before it begins until a guard after it ends.
    pub fn collects(&self, r: Round) -> Range<Millis> {
        Millis(self.start(r).0.saturating_sub(self.guard_ms()))..self.end(r).plus(self.guard_ms())
    }

    /// When the exit writes the drops of round `r`: three quarters through the round in which `r` is mixed, which leaves
    /// the last quarter to publish them.
    pub fn drops_due(&self, r: Round) -> Millis {
        self.end(r).plus(u64::from(self.round_ms) * 3 / 4)
    }

    /// The newest round whose drops are due at `now`.
    pub fn newest_drops_due(&self, now: Millis) -> Option<Round> {
        let mixing = self.round_at(now)?;
        let newest = mixing.back(1)?;
        if now >= self.drops_due(newest) { Some(newest) } else { newest.back(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Schedule = Schedule { genesis: Millis(1_000_000), round_ms: 3_000 };

    #[test]
    fn a_round_is_half_open() {
        assert_eq!(S.round_at(Millis(999_999)), None);
        assert_eq!(S.round_at(Millis(1_000_000)), Some(Round(0)));
        assert_eq!(S.round_at(Millis(1_002_999)), Some(Round(0)));
        assert_eq!(S.round_at(Millis(1_003_000)), Some(Round(1)));
    }

    #[test]
    fn envelopes_are_taken_a_guard_early_and_a_guard_late() {
        assert_eq!(S.guard_ms(), 100);
        assert_eq!(S.collects(Round(1)), Millis(1_002_900)..Millis(1_006_100));
    }

    #[test]
    fn drops_are_due_three_quarters_through_the_next_round() {
        assert_eq!(S.drops_due(Round(0)), Millis(1_005_250));
        assert_eq!(S.newest_drops_due(Millis(1_005_249)), None);
        assert_eq!(S.newest_drops_due(Millis(1_005_250)), Some(Round(0)));
        assert_eq!(S.newest_drops_due(Millis(1_008_249)), Some(Round(0)));
        assert_eq!(S.newest_drops_due(Millis(1_008_250)), Some(Round(1)));
    }
}
