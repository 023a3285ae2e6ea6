//! What the edge tells everyone about a round: envelopes, whatever is in them, and what the mixes' manifests state.
//!
//! Cover and messages look alike here, so nobody can count tips; and nothing here differs between a day with tips and
//! one without.

use minicbor::{Decode, Encode};
use serde::Serialize;

/// The newest rounds that are over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The network's name.
    pub network: String,
    /// Whether this is no place for real tips.
    pub demonstration: bool,
    /// The round it is; absent before the first.
    pub round: Option<u32>,
    /// T in milliseconds.
    pub round_ms: u32,
    /// k.
    pub mixes: u8,
    /// Slots in the drops of every round.
    pub slots: Slots,
    /// The newest edition's round.
    pub edition: Option<u32>,
    /// The log.
    pub log: Log,
    /// The oldest first, at most 24.
    pub rounds: Vec<RoundStatus>,
}

/// Slots in the drops of every round, whatever is in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Slots {
    /// In a desk drop.
    pub desk: u16,
    /// In a reader drop.
    pub reader: u16,
}

/// The log, and who co-signs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Log {
    /// Witnesses in the roster.
    pub witnesses: u8,
    /// How many of them must co-sign.
    pub quorum: u8,
    /// The newest checkpoint that so many have co-signed.
    pub checkpoint: Option<Checkpoint>,
}

/// A checkpoint of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// The root, in hexadecimal.
    pub root: String,
    /// How many witnesses have co-signed it.
    pub cosigned: u8,
}

/// One round that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundStatus {
    /// Its number.
    pub round: u32,
    /// When it began, in milliseconds since 1970 UTC.
    pub began_ms: u64,
    /// Envelopes taken.
    pub envelopes: u64,
    /// Uploads not taken while it was the newest.
    pub refused: Refused,
    /// Batches by hop and part.
    pub batches: Vec<Batch>,
    /// Whether its drops stand in an edition.
    pub published: bool,
}

/// One batch as its mix's manifest states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Batch {
    /// Counted from 0; the last is the exit.
    pub hop: u8,
    /// Counted from 0.
    pub part: u16,
    /// Entries taken in.
    pub taken: u32,
    /// Entries passed on; for the exit, slots of both drops.
    pub passed: u32,
    /// Entries deleted since the mix's manifest before, because they waited too long.
    pub deleted: u32,
    /// Whether the mix misses its decoys in the drops: messages are being left out.
    pub alarm: bool,
}

/// Why an upload is not taken. Its sender is never told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Shorter than an envelope, or cut off.
    Short,
    /// Longer than an envelope.
    Long,
    /// For a round whose collecting has not begun.
    Early,
    /// For a round that is over.
    Late,
    /// For what is no round.
    NoRound,
    /// Shed: its address has sent as many as are taken of one.
    OverAddress,
    /// Shed: its relay has passed on as many as are taken through it.
    OverRelay,
    /// A connection closed unheard: its address has as many open as one may.
    OverConnections,
}

/// Uploads not taken, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Encode, Decode)]
pub struct Refused {
    /// Shorter than an envelope, or cut off.
    #[n(0)]
    pub short: u64,
    /// Longer than an envelope.
    #[n(1)]
    pub long: u64,
    /// For a round whose collecting had not begun.
    #[n(2)]
    pub early: u64,
    /// For a round that was over.
    #[n(3)]
    pub late: u64,
    /// For what is no round.
    #[n(4)]
    pub no_round: u64,
    /// Shed, over the ceiling of an address.
    #[n(5)]
    pub over_address: u64,
    /// Shed, over the ceiling of a relay.
    #[n(6)]
    pub over_relay: u64,
    /// Connections closed unheard, over the ceiling of an address.
    #[n(7)]
    pub over_connections: u64,
}

impl Refused {
    /// Counts one.
    pub fn count(&mut self, reason: Reason) {
        *match reason {
            Reason::Short => &mut self.short,
            Reason::Long => &mut self.long,
            Reason::Early => &mut self.early,
            Reason::Late => &mut self.late,
            Reason::NoRound => &mut self.no_round,
            Reason::OverAddress => &mut self.over_address,
            Reason::OverRelay => &mut self.over_relay,
            Reason::OverConnections => &mut self.over_connections,
        } += 1;
    }

    /// How much was shed, connections among it.
    pub fn shed(&self) -> u64 {
        self.over_address + self.over_relay + self.over_connections
    }
}

impl Status {
    /// As the status page shows it.
    pub fn shown(&self) -> ui::status::Status {
        ui::status::Status {
            path: "/status",
            network: self.network.clone(),
            round_ms: self.round_ms.into(),
            rounds: self.rounds.iter().map(shown_round).collect(),
            slots: (self.slots.desk, self.slots.reader),
            log: ui::status::Log {
                witnesses: self.log.witnesses,
                quorum: self.log.quorum,
                demonstration: self.demonstration,
                checkpoint: self.log.checkpoint.as_ref().map(|c| ui::status::Checkpoint {
                    size: c.size,
                    root: c.root.clone(),
                    cosigned: c.cosigned,
                }),
            },
        }
    }
}

fn shown_round(round: &RoundStatus) -> ui::status::Round {
    ui::status::Round {
        number: round.round,
        began_ms: round.began_ms,
        envelopes: round.envelopes,
        shed: round.refused.shed(),
        batches: round
            .batches
            .iter()
            .map(|b| ui::status::Batch {
                hop: b.hop + 1,
                part: b.part,
                taken: b.taken.into(),
                passed: b.passed.into(),
                deleted: b.deleted.into(),
                alarm: b.alarm,
            })
            .collect(),
        published: round.published,
    }
}
