//! A directory in plain words, for people who compare it with what they were told.

use std::fmt::Write as _;

use jiff::Timestamp;
use proto::directory::Directory;
use proto::{Round, Schedule};

/// What a directory that verified holds.
pub(super) fn directory(it: &Directory) -> anyhow::Result<String> {
    let (roster, p) = (it.roster(), it.parameters());
    let mut text = String::new();
    let what = if roster.demonstration { "a demonstration: not for real tips" } else { "for real tips" };
    writeln!(text, "{} ({what})", roster.name)?;
    writeln!(text, "Network {}", it.wire().network)?;
    writeln!(
        text,
        "Roster {}, rounds {} to {}: from {} on",
        roster.number,
        roster.from,
        roster.until,
        when(&p.schedule, roster.from)
    )?;
    writeln!(
        text,
        "Rounds of {} s; batches of {} to {} envelopes; {} slots in desk drops, {} in reader drops",
        f64::from(p.schedule.round_ms) / 1000.0,
        p.n_min,
        p.n_max,
        p.desk_slots,
        p.reader_slots
    )?;
    match p.hold.0 {
        1000 => writeln!(text, "Mixes hold nothing")?,
        hold => writeln!(text, "Mixes hold an item {:.1} rounds on average", 1000.0 / f64::from(hold) - 1.0)?,
    }
    match p.decoys.mu {
        0 => writeln!(text, "No decoys")?,
        mu => writeln!(
            text,
            "Each mix before the last adds {} decoys, {mu} of them like real messages on average",
            2 * u32::from(mu)
        )?,
    }
    let mut operators: Vec<_> = roster.operators.iter().collect();
    operators.sort_by_key(|o| (super::role(o.role), o.since));
    for o in operators {
        let since =
            if o.since > roster.from { format!(", from round {} on", o.since) } else { String::new() };
        writeln!(text, "  {:<9} {}  {}{since}", super::role(o.role), hex::encode(o.key.0), o.name)?;
    }
    let witnesses = roster.witnesses(roster.until).count();
    match p.quorum {
        0 => writeln!(text, "No witnesses: nobody can tell whether everyone is shown the same")?,
        q => writeln!(text, "{q} of {witnesses} witnesses must co-sign what everyone is shown")?,
    }
    match it.desks().len() {
        0 => writeln!(text, "No desks")?,
        1 => writeln!(text, "1 desk of at most {}", p.desks)?,
        n => writeln!(text, "{n} desks of at most {}", p.desks)?,
    }
    for desk in it.desks() {
        writeln!(text, "  {}  {}, {}", hex::encode(desk.identity.0), desk.name, desk.newsroom)?;
        writeln!(text, "  {}  its vault key", hex::encode(desk.vault_key.0))?;
    }
    Ok(text)
}

/// When a round begins, to the second and in UTC.
fn when(schedule: &Schedule, round: Round) -> String {
    let seconds = i64::try_from(schedule.start(round).0 / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).map_or_else(|_| "a time beyond the calendar".into(), |t| t.to_string())
}
