//! What a developer types. `cargo xtask test` is everything, and `test unit|net|browser|lints` one part of it.
//!
//! Nothing here ships. The files read in this order: `test` says which parts there are and what they amount to,
//! `runner` runs tests, `browser` sees that the browser part can run, `house` and `licence` are checks of our own.
//! `mutants` shows that tests fail without what they test; `fuzz` stands by itself.

mod bench;
mod browser;
mod fuzz;
mod house;
mod licence;
mod mutants;
mod process;
mod runner;
mod score;
mod test;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test            everything: lints, unit, net, browser
cargo xtask test lints      format, clippy, the arrows between crates, licences, the list of mutants
cargo xtask test unit       every test but the whole network's and the browser's; examples in docs
cargo xtask test net        the whole network on loopback
cargo xtask test browser    the real pages in Chromium
cargo xtask bench           what things cost, in release mode; --json FILE, --only WORD
cargo xtask score TASK DIR  how well the news engine does on annotated data; --explain, --json FILE; score --help lists tasks
cargo xtask mutants         takes every defence of the threat model away and shows that its tests fail; WORD... chooses,
                            --new leaves out those recorded, --list only prints,
                            --record notes it in docs/mutants.md
cargo xtask fuzz [NAME...]  hostile bytes for every parser; --minutes N for each (1), --jobs N at once (1), --minimise,
                            --record adds it up in docs/fuzzing.md

exit code of fuzz: 0 nothing was found, 1 something was
exit code of test: 0 all passed, 1 something failed, 2 nothing failed but the browser part could not run";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["help" | "--help" | "-h"] | ["test" | "bench" | "mutants" | "fuzz", "help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        ["test", parts @ ..] => test::run(parts),
        ["bench", options @ ..] => bench::run(options),
        ["score", words @ ..] => score::run(words),
        ["mutants", arguments @ ..] => mutants::run(arguments),
        ["fuzz", words @ ..] => fuzz::run(words),
        _ => {
            eprintln!("{HELP}");
            Ok(ExitCode::FAILURE)
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error:#}");
        ExitCode::FAILURE
    })
}
