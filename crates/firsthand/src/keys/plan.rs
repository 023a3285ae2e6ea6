//! The plan of a network, as people write it: a TOML file that becomes the roster.

use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use proto::decoy::Decoys;
use proto::directory::{MAX_DESKS, Operator, Parameters, Role, Roster};
use proto::hold::Hold;
use proto::sign::IdentityPublic;
use proto::{Millis, Round, Schedule};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::config::ConfigError;

/// An example with every key, to be filled in.
pub(super) const EXAMPLE: &str = include_str!("plan.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    name: String,
    demonstration: bool,
    number: u32,
    from: u32,
    until: u32,
    parameters: Numbers,
    operator: Vec<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbers {
    #[serde(deserialize_with = "moment")]
    genesis: Millis,
    /// In seconds.
    round: f64,
    mixes: u8,
    n_min: u32,
    n_max: u32,
    desk_slots: u16,
    reader_slots: u16,
    hold: u16,
    decoys: Noise,
    quorum: u8,
    desks: u16,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noise {
    mu: u16,
    b: u16,
}

/// One operator.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    role: Name,
    /// Of a mix, counted from 1.
    place: Option<u8>,
    name: String,
    #[serde(deserialize_with = "identity")]
    key: IdentityPublic,
    since: u32,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Name {
    Press,
    Edge,
    Mix,
    Newsroom,
    Witness,
}

fn moment<'de, D: Deserializer<'de>>(from: D) -> Result<Millis, D::Error> {
    let text = String::deserialize(from)?;
    let moment: Timestamp = text
        .parse()
        .map_err(|_| D::Error::custom("this is no moment. Give one like \"2027-01-01T00:00:00Z\""))?;
    u64::try_from(moment.as_millisecond()).map(Millis).map_err(|_| D::Error::custom("this is before 1970"))
}

fn identity<'de, D: Deserializer<'de>>(from: D) -> Result<IdentityPublic, D::Error> {
    let text = String::deserialize(from)?;
    super::identity(&text).map_err(D::Error::custom)
}

/// Reads a plan.
pub(super) fn read(file: &Path) -> anyhow::Result<Roster> {
    let name = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|cause| ConfigError::Read { file: name.clone(), cause })?;
    let plan: Plan =
        toml::from_str(&text).map_err(|cause| ConfigError::Parse { file: name.clone(), cause })?;
    roster(plan).with_context(|| name)
}

fn roster(plan: Plan) -> anyhow::Result<Roster> {
    let p = &plan.parameters;
    let round_ms = p.round * 1000.0;
    anyhow::ensure!(
        round_ms.fract() == 0.0 && (500.0..=86_400_000.0).contains(&round_ms),
        "`round` is {} s. A round lasts from half a second to a day.",
        p.round
    );
    // PAS-04: each desk at work fills a slot in every round, and an eighth is left to filler.
    let desks = u32::from(p.reader_slots) * 7 / 8;
    anyhow::ensure!(
        u32::from(p.desks) <= desks,
        "{} slots for readers are enough for {desks} desks, and `desks` is {}. Raise `reader_slots` to {} or more, or lower `desks`.",
        p.reader_slots,
        p.desks,
        (u32::from(p.desks) * 8).div_ceil(7)
    );
    let parameters = Parameters {
        schedule: Schedule { genesis: p.genesis, round_ms: round_ms as u32 },
        mixes: p.mixes,
        n_min: p.n_min,
        n_max: p.n_max,
        desk_slots: p.desk_slots,
        reader_slots: p.reader_slots,
        hold: Hold(p.hold),
        decoys: Decoys { mu: p.decoys.mu, b: p.decoys.b },
        quorum: p.quorum,
        desks: p.desks,
    };
    let operators: Vec<_> = plan.operator.into_iter().map(operator).collect::<anyhow::Result<_>>()?;
    usable(&parameters, &operators, plan.demonstration)?;
    anyhow::ensure!(
        plan.from <= plan.until,
        "`from` is round {}, and `until` the earlier round {}.",
        plan.from,
        plan.until
    );
    Ok(Roster {
        name: plan.name,
        demonstration: plan.demonstration,
        parameters,
        operators,
        number: plan.number,
        from: Round(plan.from),
        until: Round(plan.until),
    })
}

/// Says what is wrong where programs would say "cannot be used". Spec: DIR-03, DIR-04.
fn usable(p: &Parameters, operators: &[Operator], demonstration: bool) -> anyhow::Result<()> {
    use anyhow::ensure;
    let within = |name: &str, is: u32, most: u32| {
        ensure!((1..=most).contains(&is), "`{name}` is {is}. It can be 1 to {most}.");
        Ok(())
    };
    within("mixes", p.mixes.into(), 4)?;
    within("desk_slots", p.desk_slots.into(), 4_096)?;
    within("reader_slots", p.reader_slots.into(), 4_096)?;
    within("desks", p.desks.into(), MAX_DESKS.into())?;
    within("hold", p.hold.0.into(), 1_000)?;
    ensure!(p.n_min >= 2, "`n_min` is {}. In a batch of fewer than 2 nobody is hidden.", p.n_min);
    ensure!(p.n_max >= p.n_min, "`n_max` is {}, less than `n_min`, {}.", p.n_max, p.n_min);
    let decoys = p.decoys.onions() * u32::from(p.mixes - 1);
    ensure!(
        u32::from(p.desk_slots) >= decoys,
        "The mixes before the last make up to {decoys} decoys for a batch, and `desk_slots` is {}. Raise it to {decoys} or more, or lower `mu`.",
        p.desk_slots
    );
    let of = |role| operators.iter().filter(|o| o.role == role).count();
    let (witnesses, quorum) = (of(Role::Witness), usize::from(p.quorum));
    if witnesses == 0 {
        ensure!(
            quorum == 0 && demonstration,
            "The plan names no witness. Only a demonstration can do without, and then `quorum` is 0."
        );
    } else {
        ensure!(witnesses <= 64, "The plan names {witnesses} witnesses. There can be 64.");
        ensure!(
            quorum <= witnesses && 2 * quorum > witnesses,
            "`quorum` is {quorum} of {witnesses} witnesses. It has to be more than half of them, and no more than there are."
        );
    }
    let one = |who: String, role| {
        let named = of(role);
        ensure!(named > 0, "The plan names no {who}.");
        ensure!(
            named <= 2,
            "The plan names {named} for {who}. There is one, and one more that takes over later."
        );
        Ok(())
    };
    one("press".into(), Role::Press)?;
    one("edge".into(), Role::Edge)?;
    (0..p.mixes).try_for_each(|hop| one(format!("mix with `place` {}", hop + 1), Role::Mix(hop)))?;
    for (n, o) in operators.iter().enumerate() {
        if let Role::Mix(hop) = o.role {
            ensure!(hop < p.mixes, "{:?} has `place` {}, and there are {} mixes.", o.name, hop + 1, p.mixes);
        }
        if let Some(other) = operators[..n].iter().find(|other| other.key == o.key) {
            anyhow::bail!(
                "{:?} and {:?} have the same key. Make each an identity of its own.",
                other.name,
                o.name
            );
        }
    }
    Ok(())
}

fn operator(line: Line) -> anyhow::Result<Operator> {
    let role = match (line.role, line.place) {
        (Name::Mix, Some(place @ 1..=4)) => Role::Mix(place - 1),
        (Name::Mix, _) => anyhow::bail!("The mix {:?} needs its `place`, 1 to 4.", line.name),
        (_, Some(_)) => anyhow::bail!("{:?} is no mix, and has no `place`.", line.name),
        (Name::Press, None) => Role::Press,
        (Name::Edge, None) => Role::Edge,
        (Name::Newsroom, None) => Role::Newsroom,
        (Name::Witness, None) => Role::Witness,
    };
    Ok(Operator { role, name: line.name, key: line.key, since: Round(line.since) })
}
