//! The loops around the services: sleep, step, and stop when told.

use std::time::Duration;

use proto::Schedule;

/// How long a service sleeps between two steps: T/20, within 50 ms and 5 s.
pub(crate) fn pause(schedule: Schedule) -> Duration {
    Duration::from_millis((u64::from(schedule.round_ms) / 20).clamp(50, 5_000))
}
