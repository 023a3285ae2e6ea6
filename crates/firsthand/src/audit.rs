//! `firsthand audit`: what the mixes of a network state, compared.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use proto::NetworkId;
use proto::audit::{Finding, Report, Sum};
use server::audit::{Audited, Config};

use crate::ambient;

/// Where to read.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The edge's address, such as https://edge.example
    #[arg(long, value_name = "ADDRESS")]
    edge: String,
    /// The network's id: 64 hexadecimal digits
    #[arg(long, value_name = "ID", value_parser = crate::keys::network)]
    network: NetworkId,
    /// The directory that programs of this network start with
    #[arg(long, value_name = "FILE")]
    directory: PathBuf,
}

pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    let Args { edge, network, directory } = args;
    let config = Config { edge, network, directory };
    // For a person who waits; a program that reads the answer gets nothing else.
    let shown = std::io::stderr().is_terminal();
    let progress = |done: u32, all: u32| {
        if shown {
            eprint!("\rReading editions: round {done} of {all}");
        }
    };
    let clock = ambient::clock();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let audited = runtime.block_on(server::audit::run(&config, &*clock, progress));
    if shown {
        eprint!("\r{:50}\r", "");
    }
    let Audited { network, report } = audited?;
    let mut out = std::io::stdout().lock();
    out.write_all(told(&network, &report).as_bytes())?;
    Ok(if report.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// As people read it.
fn told(network: &str, report: &Report) -> String {
    let (from, until) = report.rounds.map_or((0, 0), |(from, until)| (from.0, until.0));
    let editions = report.editions;
    let mut text = format!(
        "{network}: {editions} editions, of rounds {from} to {until}, as the witnesses co-signed them.\n\n\
         {:<8}{:>9}{:>12}{:>12}{:>12}{:>12}\n",
        "", "batches", "taken", "passed on", "of decoys", "deleted"
    );
    let exit = report.sums.len().saturating_sub(1);
    for (hop, &Sum { batches, taken, passed, decoys, deleted }) in report.sums.iter().enumerate() {
        let name = format!("mix {}", hop + 1);
        if hop == exit {
            text += &format!("{name:<8}{batches:>9}{taken:>12}{passed:>12}{:>12}{deleted:>12}\n", "");
        } else {
            text += &format!("{name:<8}{batches:>9}{taken:>12}{passed:>12}{decoys:>12}{deleted:>12}\n");
        }
    }
    text += "\nThe last mix passes on slots of drops: as many in every round, whatever came.\n";
    let (untrue, other): (Vec<_>, Vec<_>) = report.findings.iter().partition(|found| found.what.is_untrue());
    list(&mut text, "Somebody stated what is not so:", &untrue);
    list(&mut text, "Lost, late, left out or hiding too little, by a failure or on purpose:", &other);
    if report.findings.is_empty() {
        text += "\nEverything fits.\n";
    }
    text
}

fn list(text: &mut String, title: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    *text += &format!("\n{title}\n");
    for Finding { round, what } in findings {
        *text += &format!("  round {}: {what}\n", round.0);
    }
}
