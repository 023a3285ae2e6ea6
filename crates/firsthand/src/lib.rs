//! Firsthand: a news reader that keeps its readers' secrets, and the newsroom behind it.

pub mod ambient;
mod audit;
pub mod config;
mod crowd;
mod demo;
pub mod found;
mod keys;
mod press;
pub mod roles;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A news reader that keeps its readers' secrets, and the newsroom behind it.
///
/// Start with `firsthand demo`: it runs the whole system on this machine, with invented news.
#[derive(Parser)]
#[command(version, max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole system on this machine: edge, three mixes, press, witness, desk, reader and 40 simulated readers
    Demo(demo::Args),
    /// Make the keys of a network, step by step, on machines that are never
    /// connected
    ///
    /// Several people found a network, each on a machine of their own:
    ///
    /// 1. identity, by each operator and newsroom; desk, by each desk
    /// 2. root and plan, then roster, by whoever founds the network
    /// 3. card, by each newsroom for each of its desks
    /// 4. directory, by anybody: what every program starts with
    ///
    /// Nothing is ever written over a file that is there. Carry what is not
    /// secret on a medium that holds nothing else, and read public keys to
    /// each other over another way: who can swap one is that operator.
    #[command(verbatim_doc_comment)]
    Keys(keys::Args),
    /// Run the edge: takes envelopes, serves editions
    Edge(Role),
    /// Run a mix
    Mix(Role),
    /// Run the press: gathers coverage, publishes an edition every round. Its
    /// commands add outlets and show the next edition
    Press(press::Args),
    /// Run a witness: co-signs the log, so that everyone is shown the same
    Witness(Role),
    /// Compare what the mixes state that they took and made, as anybody can
    ///
    /// Reads the editions of the last two weeks, as every reader is shown them,
    /// and the manifests in them. What one mix says it made, the next says it
    /// took; what came out of a mix came in before; no batch is smaller than the
    /// roster allows. Where two statements differ, one of them is not so.
    ///
    /// It needs no identity, asks for nothing that is not public, and tells
    /// nobody. What a mix says of itself alone it cannot see: how much of what
    /// came did not open, and whether decoys are missing.
    ///
    /// Exit code: 0 everything fits; 1 something was found, or nothing could be
    /// read.
    #[command(verbatim_doc_comment)]
    Audit(audit::Args),
    /// Run a newsroom's desk
    Desk(Role),
    /// Run the reader
    Reader(Role),
    /// Run simulated readers, for demonstrations
    #[command(hide = true)]
    Crowd(Role),
}

/// Arguments of every role.
#[derive(clap::Args)]
struct Role {
    /// The role's configuration, a TOML file. Paths in it are relative to its folder
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Stop when standard input ends: for whoever starts this role as a child
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
}

/// A configuration that cannot be used (sysexits.h EX_CONFIG).
const EXIT_CONFIG: u8 = 78;

/// The program: reads its arguments and runs what they name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    ambient::close_memory();
    let result = match cli.command {
        Command::Demo(args) => {
            ambient::quiet_log();
            demo::run(&args)
        }
        Command::Keys(args) => keys::run(&args),
        Command::Edge(role) => start(&role, roles::edge),
        Command::Mix(role) => start(&role, roles::mix),
        Command::Press(args) => press::run(args),
        Command::Witness(role) => start(&role, roles::witness),
        Command::Audit(args) => match audit::run(args) {
            Ok(code) => return code,
            Err(why) => Err(why),
        },
        Command::Desk(role) => start(&role, roles::desk),
        Command::Reader(role) => start(&role, roles::reader),
        Command::Crowd(role) => start(&role, crowd::run),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("firsthand: {}", sentence(&why));
            if why.downcast_ref::<config::ConfigError>().is_some() {
                ExitCode::from(EXIT_CONFIG)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// An error and its causes on one line; a cause that comes after a whole sentence stands in brackets.
fn sentence(why: &anyhow::Error) -> String {
    let mut text = String::new();
    for part in why.chain().map(ToString::to_string) {
        match text.chars().last() {
            None => text = part,
            Some('.') => text.push_str(&format!(" ({part})")),
            Some(_) => text.push_str(&format!(": {part}")),
        }
    }
    text
}

fn start<C, F, Fut>(role: &Role, run: F) -> anyhow::Result<()>
where
    C: config::Config,
    F: FnOnce(C, ambient::Stop) -> Fut,
    Fut: Future<Output = anyhow::Result<()>>,
{
    ambient::log();
    ambient::allow_files();
    let config = config::read::<C>(&role.config)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let stop = ambient::stop(role.until_stdin_ends)?;
        run(config, stop).await
    })
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn an_error_is_a_sentence_and_its_causes_follow() {
        let why = anyhow!("no such file").context("cannot read a").context("hop: writing");
        assert_eq!(sentence(&why), "hop: writing: cannot read a: no such file");
        let why = anyhow!("no such file").context("It cannot be read. Check its name.");
        assert_eq!(sentence(&why), "It cannot be read. Check its name. (no such file)");
    }
}
