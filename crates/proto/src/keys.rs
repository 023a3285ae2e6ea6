//! How long keys live. Spec: keys.md.
//!
//! Every key belongs to one period, and periods of one kind follow each other without a gap from round 0 on. Its public
//! half is published some rounds before the period begins; its secret half is deleted some rounds after it ends.

use crate::round::Round;
use crate::size::Cascade;

/// Rounds in a day. In the demonstration a day is as many rounds, only shorter ones.
pub const DAY: u32 = 24;
/// Rounds in a week.
pub const WEEK: u32 = 7 * DAY;
/// Rounds that a new identity waits before it takes effect.
pub const NEW_IDENTITY_WAITS: u32 = 2 * DAY;

/// What a key is for, which says how long it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The first mix's key for the layers of one round's envelopes.
    Round,
    /// The key of a mix between the first and the exit, for a day.
    Day,
    /// The exit's key, for a week: blobs wait in queues for days.
    Week,
    /// A desk's key for boxes, for a week.
    Intake,
}

/// The rounds of one key, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The first.
    pub from: Round,
    /// The last.
    pub until: Round,
}

impl Period {
    /// Whether `r` is one of its rounds.
    pub fn holds(&self, r: Round) -> bool {
        (self.from..=self.until).contains(&r)
    }
}

impl KeyKind {
    /// What the mix at `hop` has. The exit is the exit, also when it is the first.
    pub fn of_mix(hop: u8, cascade: Cascade) -> Self {
        if hop == cascade.exit() {
            Self::Week
        } else if hop == 0 {
            Self::Round
        } else {
            Self::Day
        }
    }

    /// How many rounds it is used.
    pub fn rounds(self) -> u32 {
        match self {
            Self::Round => 1,
            Self::Day => DAY,
            Self::Week | Self::Intake => WEEK,
        }
    }

    /// How many rounds before its first it is published.
    pub fn ahead(self) -> u32 {
        match self {
            Self::Round => 12,
            Self::Day => DAY,
            Self::Week => WEEK,
            Self::Intake => 3 * WEEK,
        }
    }

    /// How many rounds a new owner waits before it takes effect: longer than the one before it hands in keys ahead.
    pub fn new_owner_waits(self) -> u32 {
        // Handed in one round before it is published, and that in the round of the edition that names the new owner.
        NEW_IDENTITY_WAITS.max(self.ahead() + 2)
    }

    /// How many rounds after its last the secret is deleted at the latest. The first mix deletes it as soon as all of the
    /// round's envelopes are opened.
    pub fn after(self) -> u32 {
        match self {
            Self::Round => 25,
            Self::Day => 26,
            Self::Week => 10 * DAY,
            Self::Intake => 14 * DAY,
        }
    }

    /// The period that `r` lies in.
    pub fn period(self, r: Round) -> Period {
        let from = r.0 - r.0 % self.rounds();
        Period { from: Round(from), until: Round(from.saturating_add(self.rounds() - 1)) }
    }

    // KEY-01
    /// Whether these rounds are a whole period.
    pub fn is_period(self, it: Period) -> bool {
        self.period(it.from) == it
    }

    /// The periods whose keys are to be public in round `now`, the one `now` lies in first.
    pub fn published(self, now: Round) -> impl Iterator<Item = Period> {
        let last = now.0.saturating_add(self.ahead());
        let first = self.period(now);
        core::iter::successors(Some(first), move |before| {
            let next = before.until.0.checked_add(1)?;
            (next <= last).then(|| self.period(Round(next)))
        })
    }

    /// The periods before the one that `now` lies in whose secret halves are not gone yet, the newest first.
    pub fn live_on(self, now: Round) -> impl Iterator<Item = Period> {
        let before = move |it: &Period| Some(self.period(Round(it.from.0.checked_sub(1)?)));
        core::iter::successors(before(&self.period(now)), before)
            .take_while(move |it| !self.is_over(*it, now))
    }

    // KEY-03
    /// Whether in round `now` the secret half is to be gone.
    pub fn is_over(self, it: Period, now: Round) -> bool {
        now.0 > it.until.0.saturating_add(self.after())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [KeyKind; 4] = [KeyKind::Round, KeyKind::Day, KeyKind::Week, KeyKind::Intake];

    #[test]
    fn each_hop_has_its_kind() {
        let kinds = |k: u8| {
            let cascade = Cascade::new(k).unwrap();
            (0..k).map(|hop| KeyKind::of_mix(hop, cascade)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(1), [KeyKind::Week]);
        assert_eq!(kinds(2), [KeyKind::Round, KeyKind::Week]);
        assert_eq!(kinds(4), [KeyKind::Round, KeyKind::Day, KeyKind::Day, KeyKind::Week]);
    }

    #[test]
    fn key_01_periods_follow_each_other_without_a_gap() {
        for kind in ALL {
            let mut before = kind.period(Round(0));
            assert_eq!(before.from, Round(0));
            for r in 1..1_000 {
                let it = kind.period(Round(r));
                assert!(it.holds(Round(r)) && kind.is_period(it), "{kind:?} {r}");
                assert!(it == before || it.from == before.until.next(), "{kind:?} {r}");
                assert_eq!(it.until.0 - it.from.0 + 1, kind.rounds());
                before = it;
            }
            let last = kind.period(Round(u32::MAX));
            assert!(last.holds(Round(u32::MAX)), "no overflow at the end of time");
        }
        let bent = Period { from: Round(1), until: Round(24) };
        assert!(!KeyKind::Day.is_period(bent), "a day that begins late");
        assert!(!KeyKind::Day.is_period(Period { from: Round(24), until: Round(48) }), "a long day");
        assert!(!KeyKind::Round.is_period(Period { from: Round(4), until: Round(5) }), "two rounds");
    }

    #[test]
    fn keys_are_published_as_far_ahead_as_the_table_says() {
        let from = |kind: KeyKind, now| kind.published(Round(now)).map(|p| p.from.0).collect::<Vec<_>>();
        assert_eq!(from(KeyKind::Round, 5), (5..=17).collect::<Vec<_>>());
        assert_eq!(from(KeyKind::Day, 23), [0, 24]);
        assert_eq!(from(KeyKind::Day, 24), [24, 48]);
        assert_eq!(from(KeyKind::Week, 0), [0, 168]);
        assert_eq!(from(KeyKind::Intake, 167), [0, 168, 336, 504]);
        assert!(KeyKind::Week.published(Round(u32::MAX)).count() == 1, "no overflow at the end of time");
    }

    #[test]
    fn keys_that_are_used_no_more_live_on_as_long_as_the_table_says() {
        let from = |now| KeyKind::Week.live_on(Round(now)).map(|p| p.from.0).collect::<Vec<_>>();
        for (now, want) in [
            (0, vec![]),
            (167, vec![]),
            (168, vec![0]),
            (167 + 240, vec![168, 0]),
            (168 + 240, vec![168]),
            (504, vec![336, 168]),
        ] {
            assert_eq!(from(now), want, "{now}");
        }
    }

    #[test]
    fn a_new_owner_takes_effect_once_no_key_of_the_one_before_is_handed_in() {
        assert_eq!(ALL.map(KeyKind::new_owner_waits)[..3], [48, 48, 170]);
        for kind in ALL {
            // The last moment at which the one before hands in keys: in the round of the edition that names the new one.
            let handed = kind.published(Round(9).next()).last().unwrap();
            assert!(handed.from < Round(9 + kind.new_owner_waits()), "{kind:?}");
        }
    }

    #[test]
    fn key_03_a_secret_is_over_when_the_table_says() {
        for (kind, from, last) in [
            (KeyKind::Round, 7, 7 + 25),
            (KeyKind::Day, 24, 47 + 26),
            (KeyKind::Week, 168, 335 + 240),
            (KeyKind::Intake, 168, 335 + 336),
        ] {
            let it = kind.period(Round(from));
            assert!(!kind.is_over(it, Round(last)), "{kind:?}");
            assert!(kind.is_over(it, Round(last + 1)), "{kind:?}");
        }
    }
}
