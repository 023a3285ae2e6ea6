//! `firsthand press`: the role, and the commands of who runs it: outlets added and removed, an input tried, the next edition
//! looked at before anybody else sees it.

mod show;

use std::path::{Path, PathBuf};

use ::press::fetch::Manners;
use ::press::gather::{Gather, Terms};
use ::press::outlets::Rights;
use ::press::reading::Reading;
use ::press::rules::Rules;
use ::press::trial::Trial;
use ::press::{Press, preview};
use anyhow::{Context as _, bail};
use clap::CommandFactory as _;
use clap::error::ErrorKind;

use crate::roles::{self, Loopback, stopped};
use crate::{Cli, Role, ambient, config};

/// Arguments of the press and of its commands.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The press's configuration, a TOML file. Paths in it are relative to its
    /// folder
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// Stop when standard input ends: for whoever starts this role as a child
    #[arg(long, hide = true)]
    until_stdin_ends: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Add an outlet: a feed, a site, a file, a folder, or a list of feeds
    ///
    /// Of a page the feed is found that it names, or that stands in one of the
    /// usual places. An OPML list adds each of its feeds. Files may be feeds,
    /// saved pages, texts and WARC archives; folders hold such files, and
    /// `articles.toml` may say what they do not. A press that runs reads what is
    /// added before its next edition. Adding an outlet again changes its name and
    /// what may be carried of it.
    #[command(verbatim_doc_comment)]
    Add {
        /// Address of a feed or page, a file, a folder, or an OPML list
        #[arg(value_name = "URL|FILE|FOLDER|OPML")]
        what: String,
        /// Print this name in place of the outlet's own
        #[arg(long)]
        name: Option<String>,
        /// It is your own: its full texts are carried
        #[arg(long, conflicts_with = "licensed")]
        own: bool,
        /// Its owner lets you carry full texts
        #[arg(long)]
        licensed: bool,
    },
    /// List the outlets: when each was last read, is next asked, and what is wrong
    List {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove an outlet, by the address or path that `list` shows
    Remove {
        /// Address or path
        #[arg(value_name = "URL|PATH")]
        what: String,
    },
    /// Show what is kept of an input, what is dropped, and why
    ///
    /// Needs no configuration, and stores nothing. With rules, shows what they
    /// would do: a TOML file with a table for each outlet.
    ///
    ///   ["quay.example"]             # a host, or an outlet's name
    ///   keep = ["article .text"]     # read only these elements of a page
    ///   drop = [".newsletter"]       # and never these
    ///   drop_lines = ["Read more:"]  # nor lines that begin so
    ///   title = "h1"                 # where title, byline and date stand
    ///   byline = ".author"
    ///   date = "time"
    ///   outlet = "The Quay"          # the name to print
    ///   quoted = 800                 # bytes carried of an article of others
    ///
    /// A press uses them once its configuration names the file: `rules = "..."`.
    #[command(verbatim_doc_comment)]
    Try {
        /// Address of a feed or page, or a file
        #[arg(value_name = "URL|FILE")]
        what: String,
        /// Rules to try, in place of those of the configuration
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Read a folder and print what is first-hand in it
    ///
    /// Stories, their timeline, who said what in which words, where claims come
    /// from, and where outlets differ; each row with the sentences it rests on.
    /// Needs no configuration, stores nothing and asks nobody. --json prints all
    /// of it in a versioned form, dropped lines too (docs/press.md).
    #[command(verbatim_doc_comment)]
    Read {
        /// Folder of articles; `articles.toml` in it says what files do not
        #[arg(value_name = "FOLDER")]
        folder: PathBuf,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show in a browser what an edition made now would show
    ///
    /// The pages are for this computer alone. Nothing is published, and outlets are
    /// asked only with --fetch: without, what came the last time is shown.
    #[command(verbatim_doc_comment)]
    Preview {
        /// Ask the outlets first for what is new
        #[arg(long)]
        fetch: bool,
        /// Port of the pages on 127.0.0.1 and ::1; 0 takes a free one
        #[arg(long, default_value_t = 0)]
        port: u16,
    },
    /// Say what the next edition holds: number, size, stories. With --now, make it
    ///
    /// Each round has one edition, and a press that runs makes it when the round
    /// begins: there is nothing to publish by hand. --now makes the edition of this
    /// round where no press runs, as a press does that is started for one step; it
    /// is refused while one runs, and if the round has its edition already.
    #[command(verbatim_doc_comment)]
    Publish {
        /// Make, sign and send the edition of this round
        #[arg(long)]
        now: bool,
        /// Ask the outlets first for what is new; --now always does
        #[arg(long)]
        fetch: bool,
    },
}

/// Runs the press, or one of its commands.
pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let Some(command) = args.command else {
        let role = Role { config: needed(args.config), until_stdin_ends: args.until_stdin_ends };
        return crate::start(&role, roles::press);
    };
    ambient::log();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Read { folder, json } => read(&folder, json),
            Command::Try { what, rules, json } => attempt(args.config.as_deref(), &what, rules, json).await,
            command => {
                let file = needed(args.config);
                let config: config::Press = config::read(&file)?;
                match command {
                    Command::Add { what, name, own, licensed } => {
                        let rights = match (own, licensed) {
                            (true, _) => Rights::Own,
                            (_, true) => Rights::Licensed,
                            _ => Rights::Quoted,
                        };
                        add(&config, &what, &Terms { name, rights }, &file).await
                    }
                    Command::List { json } => list(&config, json),
                    Command::Remove { what } => remove(&config, &what),
                    Command::Preview { fetch, port } => look(&config, fetch, port).await,
                    Command::Publish { now, fetch } => publish(config, now, fetch).await,
                    Command::Try { .. } | Command::Read { .. } => unreachable!("it is done above"),
                }
            }
        }
    })
}

/// The configuration, without which only `try` and `read` can do anything.
fn needed(config: Option<PathBuf>) -> PathBuf {
    let missing = "the press's configuration is missing: give it with --config <FILE>";
    config.unwrap_or_else(|| Cli::command().error(ErrorKind::MissingRequiredArgument, missing).exit())
}

/// A gatherer over the press's memory of outlets; it says on standard error what it asks.
fn gather(config: &config::Press) -> anyhow::Result<Gather> {
    roles::make_folder(&config.state)?;
    let mut gather = Gather::new(config.inputs(), Some(&config.state))?;
    gather.on_progress(|line| eprintln!("{}", show::plain(line)));
    Ok(gather)
}

async fn add(config: &config::Press, what: &str, terms: &Terms, file: &Path) -> anyhow::Result<()> {
    let results = gather(config)?.add(what, terms, ambient::clock().now()).await?;
    let (all, mut added) = (results.len(), 0);
    for result in results {
        match result {
            Ok(outlet) => {
                added += 1;
                print!("{}", show::added(&outlet, all == 1));
            }
            Err(why) if all > 1 => eprintln!("Not added: {}", show::plain(&why.to_string())),
            Err(why) => return Err(why.into()),
        }
    }
    match (all, added) {
        (0, _) => println!("Every feed of that list is known already."),
        (1, _) => println!("Next: firsthand press preview --config {}", file.display()),
        (_, 0) => {
            bail!("None of the {all} feeds of that list was added. What is wrong with each is said above.")
        }
        _ => println!("{added} of {all} added."),
    }
    Ok(())
}

fn list(config: &config::Press, json: bool) -> anyhow::Result<()> {
    let listed = gather(config)?.list()?;
    match json {
        true => println!("{}", show::listed_json(&listed)?),
        false => print!("{}", show::listed(&listed)),
    }
    Ok(())
}

fn remove(config: &config::Press, what: &str) -> anyhow::Result<()> {
    if gather(config)?.remove(what)? {
        println!("Removed. Its articles leave the front page with the next edition.");
        return Ok(());
    }
    let path = Path::new(what).canonicalize().ok();
    let is_here = |folder: &PathBuf| path.is_some() && folder.canonicalize().ok() == path;
    let configured = config.feeds.iter().any(|feed| feed == what) || config.folders.iter().any(is_here);
    if configured {
        bail!("{what} stands in the press's configuration. Take it out there.");
    }
    bail!("{what} is no outlet of this press. `firsthand press list` shows the addresses of those that are.")
}

async fn attempt(
    config: Option<&Path>,
    what: &str,
    rules: Option<PathBuf>,
    json: bool,
) -> anyhow::Result<()> {
    let inputs = config.map(config::read::<config::Press>).transpose()?.map(|config| config.inputs());
    let (manners, configured) = match inputs {
        Some(inputs) => (inputs.manners, inputs.rules),
        // Who names an address here asks for it, also if it is on this computer.
        None => (Manners { private: true, ..Manners::default() }, None),
    };
    let rules = match rules.or(configured) {
        Some(file) => {
            let name = file.display();
            let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {name}"))?;
            Rules::parse(&text).with_context(|| name.to_string())?
        }
        None => Rules::default(),
    };
    let trial = Trial::of(what, &rules, manners, ambient::clock().now()).await?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&trial)?),
        false => print!("{}", show::trial(&trial)),
    }
    Ok(())
}

fn read(folder: &Path, json: bool) -> anyhow::Result<()> {
    let reading = Reading::of(folder, ambient::clock().now())?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&reading.to_json())?),
        false => print!("{}", show::reading(&reading)),
    }
    Ok(())
}

async fn look(config: &config::Press, fetch: bool, port: u16) -> anyhow::Result<()> {
    let mut gather = gather(config)?.beside()?;
    let now = ambient::clock().now();
    match fetch {
        true => gather.refresh(now).await?,
        false => gather.recall(now)?,
    }
    let stop = ambient::stop(false)?;
    let loopback = Loopback::take(port).await?;
    let (pages, link) = preview::pages(&gather, loopback.address()?, &mut ambient::rng()?);
    println!("Open {link}");
    println!("The link works once. Ctrl-C ends the preview.");
    let mut served = tokio::task::JoinSet::new();
    for listener in loopback.listeners() {
        let pages = pages.clone();
        served.spawn(async move { axum::serve(listener, pages).await });
    }
    stopped(stop).await;
    Ok(())
}

async fn publish(config: config::Press, now: bool, fetch: bool) -> anyhow::Result<()> {
    let clock = ambient::clock();
    let _alone = match now {
        true => Some(roles::alone(&config.state)?),
        false => None,
    };
    let mut press = Press::open(roles::press_config(config)?, clock.clone())?;
    if !now {
        press = press.beside()?;
    }
    press.on_progress(|line| eprintln!("{}", show::plain(line)));
    let draft = press.draft(clock.now(), fetch && !now).await?;
    if !now {
        print!("{}", show::draft(&draft, clock.now()));
        return Ok(());
    }
    if draft.begins > clock.now() {
        bail!(
            "This round has its edition already, and each has one. The next, {}, can be made from {} on.",
            draft.round,
            show::moment(draft.begins)
        );
    }
    match press.step(clock.now()).await? {
        Some(round) => {
            let made = press.draft(clock.now(), false).await?;
            print!("{}", show::published(round, &made, &press.signer()));
            Ok(())
        }
        None => bail!(
            "Nothing was published: the first edition waits until the mixes have handed in their keys, for half a round at \
             most. Start them, or try again later."
        ),
    }
}
