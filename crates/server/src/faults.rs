//! The named steps of a round, and the hook by which a test stops a service at any of them.
//!
//! Each step is one effect that outlives the process. A service stopped before or after it, and started again from what
//! is on the disk, loses nothing and doubles nothing.

use std::sync::Arc;

/// A step of a round. Spec: README.md §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// Edge: an envelope stands in the journal; then it is answered.
    EnvelopeKept,
    /// Edge: a round's stream is sealed.
    RoundSealed,
    /// Edge: the first mix has a round's envelopes; they go.
    RoundReleased,
    /// Edge: a batch stands among the blobs; its manifest does not yet, so nobody is shown it.
    BatchKept,
    /// Edge: its manifest stands beside it.
    BatchShown,
    /// Edge: the next mix has a batch; it goes.
    BatchReleased,
    /// Edge: a round's two drops stand among the blobs.
    DropsKept,
    /// Edge: the exit's manifest stands beside them.
    DropsShown,
    /// Edge: an edition's head stands, and with it the edition.
    EditionKept,
    /// Edge: a key that a mix or a desk handed in stands among the blobs.
    KeyKept,
    /// Mix: a new key's secret is stored; nobody has heard of it.
    KeyMade,
    /// Mix: the edge has a key's public half.
    KeyHanded,
    /// Mix: that the edge has it is recorded.
    KeyNoted,
    /// Mix: keys whose time is over are gone with the replay tags seen under them, in one transaction.
    KeyForgotten,
    /// Edge: an edition's leaves stand in the log.
    LeavesKept,
    /// Edge: a checkpoint stands among the blobs; it is what witnesses are shown.
    CheckpointKept,
    /// Edge: a co-signature stands in its journal; with the last that is needed, clients are shown the checkpoint.
    CosignatureKept,
    /// Mix: a run of entries is opened; items, replay tags and progress are stored, in one transaction.
    Stored,
    /// Mix: what waited too long is deleted, and how much it was is noted for the next manifest, in one transaction.
    Deleted,
    /// Mix before the exit: a desk drop was looked through for its decoys, and which it found is recorded, in one transaction.
    Searched,
    /// Exit: a batch is large enough; its items go into the pools.
    Admitted,
    /// Mix: a later directory is kept, and with the next start it is the one in force.
    DirectoryKept,
    /// Exit: a day's desk pass and its table are kept, in one transaction.
    PassKept,
    /// Mix: a shuffled, sealed batch (for the exit: two drops) stands in a file that nothing points to yet.
    Written,
    /// Mix: the output and its manifest are recorded, and its items are gone, in one transaction.
    Closed,
    /// Mix: the edge has the output.
    Pushed,
    /// Mix: that the edge has it is recorded.
    PushNoted,
    /// Mix: the edge was told to let go of an input.
    Released,
    /// Witness: the tree with what came stands on its disk; nothing over it is signed yet.
    TreeKept,
    /// Witness: the edge has its co-signature.
    Cosigned,
}

impl Step {
    /// The steps of an edge.
    pub const EDGE: [Step; 11] = [
        Step::EnvelopeKept,
        Step::RoundSealed,
        Step::RoundReleased,
        Step::BatchKept,
        Step::BatchShown,
        Step::BatchReleased,
        Step::DropsKept,
        Step::DropsShown,
        Step::EditionKept,
        Step::KeyKept,
        Step::LeavesKept,
    ];

    /// The steps of an edge with a press and witnesses that keep a log.
    pub const LOG: [Step; 2] = [Step::CheckpointKept, Step::CosignatureKept];

    /// The steps of a mix. `Admitted` and `PassKept` are the exit's only, `Searched` that of those before it, `Deleted` comes
    /// only when rounds are short for a day, and `DirectoryKept` with a new directory.
    pub const MIX: [Step; 15] = [
        Step::Stored,
        Step::Deleted,
        Step::Admitted,
        Step::PassKept,
        Step::Written,
        Step::Closed,
        Step::Pushed,
        Step::PushNoted,
        Step::Released,
        Step::Searched,
        Step::KeyMade,
        Step::KeyHanded,
        Step::KeyNoted,
        Step::KeyForgotten,
        Step::DirectoryKept,
    ];

    /// The steps of a witness.
    pub const WITNESS: [Step; 2] = [Step::TreeKept, Step::Cosigned];
}

/// Which side of a step's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Nothing has happened yet.
    Before,
    /// It has happened, and nobody was told.
    After,
}

/// The hook said stop. Drop the service and open it again from the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("stopped by a test, {side:?} {step:?}")]
pub struct Killed {
    /// At this step.
    pub step: Step,
    /// On this side of it.
    pub side: Side,
}

type Ask = dyn Fn(Step, Side) -> bool + Send + Sync;

/// Asked before and after every step; without one, nothing is asked. Production has none.
#[derive(Clone, Default)]
pub struct Hook(Option<Arc<Ask>>);

impl Hook {
    /// A hook that stops the service wherever `stop` answers true.
    pub fn new(stop: impl Fn(Step, Side) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(stop)))
    }

    /// No hook.
    pub fn none() -> Self {
        Self(None)
    }

    pub(crate) fn at(&self, step: Step, side: Side) -> Result<(), Killed> {
        match &self.0 {
            Some(stop) if stop(step, side) => Err(Killed { step, side }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_stops_where_it_says_and_none_stops_nowhere() {
        let hook = Hook::new(|step, side| step == Step::Closed && side == Side::After);
        assert_eq!(hook.at(Step::Closed, Side::Before), Ok(()));
        assert_eq!(hook.at(Step::Closed, Side::After), Err(Killed { step: Step::Closed, side: Side::After }));
        assert!(
            Step::MIX
                .iter()
                .chain(&Step::EDGE)
                .chain(&Step::LOG)
                .chain(&Step::WITNESS)
                .all(|&s| Hook::none().at(s, Side::After).is_ok())
        );
    }
}
