//! What an audit finds, and how it is said.

use core::fmt;

use crate::mix::BatchId;
use crate::round::Round;

/// Something that does not fit, or that hides less than it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The round from which on anybody could see it.
    pub round: Round,
    /// What it is.
    pub what: What,
}

/// A batch that a mix passed on; of the exit, the drops of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Made {
    /// The mix's hop, counted from 0.
    pub hop: u8,
    /// Which.
    pub batch: BatchId,
}

/// As its desks and its newsroom are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The newsroom's name.
    pub newsroom: String,
    /// The desk's.
    pub name: String,
}

/// What was found. Numbers are entries, or as it says; a lone `u8` is a hop, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Two different statements on one batch.
    TwoManifests(Made),
    /// The same bytes passed on under another name before.
    SameOutput(Made),
    /// A mix says that it took what no head says the mix before made.
    Unmade(Made),
    /// A mix says that it took so many entries more than there were in its inputs.
    TookMore(Made, u64),
    /// So many more came out of a mix than heads say had come in, its decoys left aside.
    MadeMore(Made, u64),
    /// A batch of so many, smaller than n_min, its decoys left aside.
    Small(Made, u32),
    /// A batch of so many, larger than n_max, its decoys left aside.
    Large(Made, u32),
    /// A mix says that it took so many entries fewer than there were in its inputs.
    TookLess(Made, u64),
    /// A batch of so many that the next mix never said it took.
    Untaken(Made, u32),
    /// A further batch of a round with so many entries, which is not full.
    Cut(Made, u32),
    /// Of a mix between the first and the exit the heads from this one to that one name nothing, [`QUIET`] of them at least.
    Silent(u8, Round, Round),
    /// Of a mix before the exit no batch bears the name of the rounds from this one to that one, more than [`QUIET`] of them: what they
    /// brought, if anything, was passed on together.
    Merged(u8, Round, Round),
    /// A batch that stands in a head only so many rounds after its own, though it could have stood in [`QUIET`] before.
    Late(Made, u32),
    /// A mix names its inputs in so many batches that they cannot be compared.
    Tangled(u8),
    /// There are editions before the first that the edge shows, of rounds from this one on.
    Unread(Round),
    /// So many entries waited too long and were deleted.
    Deleted(Made, u32),
    /// A mix misses its decoys in the drops.
    Alarm(u8),
    /// A mix's key from this round on is not in the directory, and its time is near.
    KeyLate(u8, Round),
    /// A desk's key from this round on is not in the directory, and its time is near.
    DeskKeyLate(Desk, Round),
    /// A desk that was listed is not any more.
    DeskGone(Desk),
}

impl What {
    /// Whether somebody stated what is not so. All else can also come of machines and networks that failed, or of manifests that edge
    /// or press kept out of the heads.
    pub fn is_untrue(&self) -> bool {
        match self {
            Self::TwoManifests(_) | Self::SameOutput(_) | Self::TookMore(..) => true,
            Self::Unmade(_)
            | Self::Small(..)
            | Self::Large(..)
            | Self::Late(..)
            | Self::Tangled(_)
            | Self::Unread(_)
            | Self::MadeMore(..)
            | Self::TookLess(..)
            | Self::Untaken(..)
            | Self::Cut(..)
            | Self::Silent(..)
            | Self::Merged(..)
            | Self::Deleted(..)
            | Self::Alarm(_)
            | Self::KeyLate(..)
            | Self::DeskKeyLate(..)
            | Self::DeskGone(_) => false,
        }
    }
}

/// As people count: mix 1 is the first.
struct Mix(u8);

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mix {}", u32::from(self.0) + 1)
    }
}

impl Made {
    fn mix(self) -> Mix {
        Mix(self.hop)
    }

    fn mix_before(self) -> Mix {
        Mix(self.hop.saturating_sub(1))
    }
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BatchId { round, part } = self.batch;
        write!(f, "{} of round {}", if part == 0 { "the batch" } else { "a further batch" }, round.0)
    }
}

impl fmt::Display for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the desk {} of {}", self.name, self.newsroom)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TwoManifests(it) => write!(f, "{} signed two different statements on {it}", it.mix()),
            Self::SameOutput(it) => {
                write!(f, "{} passed on {it}, which are the bytes of another batch", it.mix())
            }
            Self::Unmade(it) => {
                write!(f, "{} took into {it} what no head says {} made", it.mix(), it.mix_before())
            }
            Self::TookMore(it, n) => {
                write!(
                    f,
                    "{} took {n} entries more into {it} than {} had passed on",
                    it.mix(),
                    it.mix_before()
                )
            }
            Self::MadeMore(it, n) => {
                write!(f, "{} passed on {n} entries more with {it} than heads say had come in", it.mix())
            }
            Self::Small(it, n) => write!(f, "{} passed on {it} with {n} entries: too few", it.mix()),
            Self::Large(it, n) => write!(f, "{} passed on {it} with {n} entries: too many", it.mix()),
            Self::TookLess(it, n) => {
                write!(
                    f,
                    "{} took {n} entries fewer into {it} than {} had passed on",
                    it.mix(),
                    it.mix_before()
                )
            }
            Self::Untaken(it, n) => {
                write!(f, "{it} by {}, {n} entries, was never taken by {}", it.mix(), Mix(it.hop + 1))
            }
            Self::Cut(it, n) => {
                write!(f, "{} passed on {it} with {n} entries: a further batch of a round is full", it.mix())
            }
            Self::Silent(hop, since, until) => {
                write!(
                    f,
                    "{} passed on nothing that the heads of rounds {} to {} name",
                    Mix(*hop),
                    since.0,
                    until.0
                )
            }
            Self::Merged(hop, since, until) => {
                write!(f, "{} passed on no batch of the rounds {} to {}", Mix(*hop), since.0, until.0)
            }
            Self::Late(it, n) => {
                write!(f, "{it} by {} stands in no head for {n} rounds", it.mix())
            }
            Self::Tangled(hop) => {
                write!(f, "{} names its inputs in too many batches to compare them", Mix(*hop))
            }
            Self::Unread(from) => {
                write!(
                    f,
                    "the edge shows no edition of round {} and on before this one: it keeps them back, or the press made none",
                    from.0
                )
            }
            Self::Deleted(it, n) => {
                write!(f, "{} deleted {n} entries that had waited too long, before {it}", it.mix())
            }
            Self::Alarm(hop) => write!(f, "{} misses its decoys: messages are left out behind it", Mix(*hop)),
            Self::KeyLate(hop, from) => write!(f, "{} has no key yet for round {} and on", Mix(*hop), from.0),
            Self::DeskKeyLate(desk, from) => write!(f, "{desk} has no key yet for round {} and on", from.0),
            Self::DeskGone(desk) => write!(f, "{desk} is not listed any more"),
        }
    }
}
