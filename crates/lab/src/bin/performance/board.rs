//! Runs, and the rows that come of them.

use std::fmt;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use x25519_dalek::{PublicKey, StaticSecret};

/// How long one run of a short operation is made to last, by repeating it: long against the clock's grain and a
/// scheduler's slice, short enough for many runs.
const RUN: Duration = Duration::from_millis(60);
/// Runs of a short operation.
const RUNS: usize = 15;

/// Measures, and collects the rows.
pub(crate) struct Board {
    only: Option<String>,
    rows: Vec<Row>,
    yardstick: Yardstick,
}

impl Board {
    pub(crate) fn new(only: Option<String>) -> Self {
        Self { only, rows: Vec::new(), yardstick: Yardstick::new() }
    }

    /// Whether this row is asked for: to skip what prepares it.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|word| name.contains(word.as_str()))
    }

    /// An operation that takes from a microsecond to a second. It is run once to warm up and to see how often it fits
    /// one run; a run's value is its mean.
    pub(crate) fn time<T>(&mut self, name: &'static str, unit: Unit, mut operation: impl FnMut() -> T) {
        if !self.wants(name) {
            return;
        }
        self.yardstick.run();
        let repeat = (RUN.as_secs_f64() / seconds(&mut operation)).clamp(1.0, 1e6) as u32;
        let mut values = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let run = seconds(|| (0..repeat).for_each(|_| drop(black_box(operation()))));
            values.push(unit.of(run / f64::from(repeat)));
        }
        self.push(Row { name, unit, values });
    }

    /// A long operation, or one that uses up what it works on: each run is prepared anew and its result looked at, both
    /// outside the measured part.
    pub(crate) fn time_prepared<P, T>(
        &mut self,
        plan: &Plan,
        mut prepare: impl FnMut() -> Result<P>,
        mut operation: impl FnMut(P) -> Result<T>,
        mut check: impl FnMut(T) -> Result<()>,
    ) -> Result<()> {
        let &Plan { name, unit, runs, count } = plan;
        if !self.wants(name) {
            return Ok(());
        }
        let mut values = Vec::with_capacity(runs);
        for _ in 0..runs {
            let prepared = prepare()?;
            self.yardstick.run();
            let mut result = None;
            let run = seconds(|| result = Some(operation(prepared)));
            check(result.expect("it ran")?)?;
            values.push(unit.of(run / f64::from(count)));
        }
        self.push(Row { name, unit, values });
        Ok(())
    }

    /// All rows, the yardstick first.
    pub(crate) fn rows(self) -> Rows {
        let yardstick = Row { name: "X25519 exchange", unit: Unit::Micros, values: self.yardstick.values };
        Rows([vec![yardstick], self.rows].concat())
    }

    /// The median of one row in that of another, if both were measured.
    pub(crate) fn ratio(&self, one: &str, other: &str) -> Option<f64> {
        let median = |name: &str| self.rows.iter().find(|row| row.name == name).map(Row::median);
        Some(median(one)? / median(other)?)
    }

    fn push(&mut self, row: Row) {
        eprintln!("{}: {:.1} {}", row.name, row.median(), row.unit.name());
        self.rows.push(row);
    }
}

/// A row whose runs are prepared.
pub(crate) struct Plan {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) runs: usize,
    /// How often one run does what the row names.
    pub(crate) count: u32,
}

/// What a row's values are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Micros,
    Millis,
    Seconds,
    PerSecond,
}

impl Unit {
    /// The value of something that takes this long.
    fn of(self, seconds: f64) -> f64 {
        match self {
            Self::Micros => seconds * 1e6,
            Self::Millis => seconds * 1e3,
            Self::Seconds => seconds,
            Self::PerSecond => 1.0 / seconds,
        }
    }

    /// How long something with this value takes.
    fn seconds(self, value: f64) -> f64 {
        match self {
            Self::Micros => value / 1e6,
            Self::Millis => value / 1e3,
            Self::Seconds => value,
            Self::PerSecond => 1.0 / value,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Micros => "us",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::PerSecond => "1/s",
        }
    }
}

#[derive(Clone)]
struct Row {
    name: &'static str,
    unit: Unit,
    /// One of each run; never empty.
    values: Vec<f64>,
}

impl Row {
    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn min(&self) -> f64 {
        self.sorted()[0]
    }

    fn max(&self) -> f64 {
        self.sorted()[self.values.len() - 1]
    }

    fn median(&self) -> f64 {
        let sorted = self.sorted();
        let middle = sorted.len() / 2;
        if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
    }
}

/// The rows as people and programs read them. The yardstick is the first.
pub(crate) struct Rows(Vec<Row>);

impl Rows {
    /// A list of {name, unit, median, min, max, runs}.
    pub(crate) fn to_json(&self) -> String {
        let rows = self.0.iter().map(|row| {
            json!({
                "name": row.name, "unit": row.unit.name(),
                "median": row.median(), "min": row.min(), "max": row.max(), "runs": row.values.len(),
            })
        });
        let text = serde_json::to_string_pretty(&rows.collect::<Vec<_>>()).expect("numbers and strings");
        text + "\n"
    }
}

/// A table in Markdown, as it stands in `docs/performance.md`.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yardstick = &self.0[0];
        let exchange = yardstick.unit.seconds(yardstick.median());
        writeln!(f, "| what | unit | median | min | max | runs | in X25519 exchanges |")?;
        writeln!(f, "| --- | --- | ---: | ---: | ---: | ---: | ---: |")?;
        for row in &self.0 {
            let (name, unit, runs) = (row.name, row.unit.name(), row.values.len());
            let [median, min, max] = [row.median(), row.min(), row.max()].map(three_digits);
            let ratio = three_digits(row.unit.seconds(row.median()) / exchange);
            writeln!(f, "| {name} | {unit} | {median} | {min} | {max} | {runs} | {ratio} |")?;
        }
        Ok(())
    }
}

/// With three digits that mean something.
fn three_digits(value: f64) -> String {
    let decimals = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.decimals$}")
}

/// One X25519 exchange: one's own secret and another's public key give the shared secret.
struct Yardstick {
    ours: StaticSecret,
    theirs: PublicKey,
    values: Vec<f64>,
}

impl Yardstick {
    fn new() -> Self {
        let mut rng = StdRng::seed_from_u64(25519);
        let mut secret = || {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            StaticSecret::from(bytes)
        };
        let mut yardstick = Self { ours: secret(), theirs: PublicKey::from(&secret()), values: Vec::new() };
        yardstick.run();
        yardstick.values.clear();
        yardstick
    }

    fn run(&mut self) {
        const EXCHANGES: u32 = 400;
        for _ in 0..3 {
            let run = seconds(|| {
                for _ in 0..EXCHANGES {
                    black_box(black_box(&self.ours).diffie_hellman(black_box(&self.theirs)));
                }
            });
            self.values.push(Unit::Micros.of(run / f64::from(EXCHANGES)));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
fn seconds<T>(operation: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(operation());
    start.elapsed().as_secs_f64()
}
