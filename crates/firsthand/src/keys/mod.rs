//! `firsthand keys`: the identities of a network, made step by step on machines that are never connected. Every step writes new
//! files, says what they are for, and says what comes next.

mod plan;
mod show;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use client::{Kdf, Passphrase, Vault, VaultContents};
use proto::directory::{Desk, DeskCard, DeskEntry, Directory, Role, Roster, UnverifiedDirectory};
use proto::sign::{IdentityPublic, IdentitySecret, RootSecret, Unverified};
use proto::{NetworkId, Round, codec};
use rand::CryptoRng;
use server::seed;

use crate::ambient;
use crate::found::file;

/// The root's two secret halves.
const ED25519: &str = "root-ed25519.key";
const ML_DSA: &str = "root-ml-dsa.key";

/// A step.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(clap::Subcommand)]
enum Step {
    /// Make an identity: of a press, an edge, a mix, a witness or a newsroom
    Identity {
        /// Folder to put the secret into
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Make a desk: its identity, and a vault under six words
    Desk {
        /// Folder to put them into
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Make the network's root: two secrets, both of which sign, and the network's id
    Root {
        /// Folder to put the secrets into
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
    /// Print the plan of a network, to be filled in
    Plan,
    /// Sign a plan with the root
    Roster {
        /// Folder with the root's secrets
        #[arg(long, value_name = "FOLDER")]
        root: PathBuf,
        /// The plan, filled in
        #[arg(long, value_name = "FILE")]
        plan: PathBuf,
        /// The roster before this one, if there is one: what may not follow it is refused
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
        /// File to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Sign a desk's card, as its newsroom
    Card {
        /// The network's id
        #[arg(long, value_name = "ID", value_parser = network)]
        network: NetworkId,
        /// Folder with the newsroom's secret
        #[arg(long, value_name = "FOLDER")]
        newsroom: PathBuf,
        /// The desk's public key, as `desk` printed it
        #[arg(long, value_name = "KEY", value_parser = identity)]
        desk: IdentityPublic,
        /// The desk's vault key, as `desk` printed it
        #[arg(long, value_name = "KEY", value_parser = identity)]
        vault_key: IdentityPublic,
        /// The desk's name, for sources
        #[arg(long)]
        name: String,
        /// Who reads there, and how soon it answers
        #[arg(long)]
        about: String,
        /// The first round in which it can be written to: 0 on the day on which the network is founded; later, 48 after
        /// the round in which it is first listed, at the earliest, or nobody takes the directory
        #[arg(long, value_name = "ROUND", default_value_t = 0)]
        since: u32,
        /// File to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Put a roster and cards together: the directory
    Directory {
        /// The network's id
        #[arg(long, value_name = "ID", value_parser = network)]
        network: NetworkId,
        /// The signed roster
        #[arg(long, value_name = "FILE")]
        roster: PathBuf,
        /// A desk's card; give it once for each
        #[arg(long, value_name = "FILE")]
        card: Vec<PathBuf>,
        /// The directory before this one, if there is one: which of its desks are left out is said
        #[arg(long, value_name = "FILE")]
        before: Option<PathBuf>,
        /// File to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Check a roster or a directory, and say in plain words what it holds
    Show {
        /// The network's id
        #[arg(long, value_name = "ID", value_parser = network)]
        network: NetworkId,
        /// The roster or directory
        file: PathBuf,
    },
}

/// Takes one step.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let said = take(&args.step, &mut ambient::rng()?)?;
    print!("{said}");
    Ok(())
}

fn take(step: &Step, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    match step {
        Step::Identity { to } => new_identity(to, rng),
        Step::Desk { to } => new_desk(to, rng),
        Step::Root { to } => new_root(to, rng),
        Step::Plan => Ok(plan::EXAMPLE.to_owned()),
        Step::Roster { root, plan, before, to } => sign_roster(root, plan, before.as_deref(), to),
        Step::Card { network, newsroom, desk, vault_key, name, about, since, to } => {
            let (name, about) = (name.clone(), about.clone());
            let card = DeskCard { desk: *desk, vault_key: *vault_key, name, about, since: Round(*since) };
            sign_card(network, newsroom, &card, to)
        }
        Step::Directory { network, roster, card, before, to } => {
            assemble(network, roster, card, before.as_deref(), to)
        }
        Step::Show { network, file } => show::directory(&read(file)?.verify(network)?),
    }
}

fn new_identity(to: &Path, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    let secret = IdentitySecret::generate(rng);
    let path = write_seed(to, file::IDENTITY, &secret.to_seed())?;
    Ok(format!(
        "Secret, on this machine alone: {}
Public key: {}

Next: read the public key to whoever founds the network, and have it read back.
",
        path.display(),
        hex::encode(secret.public().0),
    ))
}

fn new_desk(to: &Path, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    let identity = IdentitySecret::generate(rng);
    // Only into the vault: who copies the other file makes no key that sources seal to.
    let vault_key = IdentitySecret::generate(rng);
    let public = [&identity, &vault_key].map(|secret| hex::encode(secret.public().0));
    let passphrase = Passphrase::generate(rng);
    let secret = write_seed(to, file::IDENTITY, &identity.to_seed())?;
    let vault = to.join(file::VAULT);
    // Its intake keys it makes itself, when it is opened and knows which week it is.
    let contents = VaultContents { vault_key, intake: vec![] };
    Vault::create(&vault, &passphrase, Kdf::desktop(), contents, rng)?;
    Ok(format!(
        "Secret, on the desk's machine alone: {} and {}
The vault opens under these words, which are shown now and never again. Write them down:

    {}

Public key: {}
Vault key: {}

Next: read both keys to your newsroom, and have them read back. Nobody can write to the desk before its vault was opened once
while the network runs.
",
        secret.display(),
        vault.display(),
        passphrase.words().collect::<Vec<_>>().join(" "),
        public[0],
        public[1],
    ))
}

fn new_root(to: &Path, rng: &mut impl CryptoRng) -> anyhow::Result<String> {
    let root = RootSecret::generate(rng);
    let [ed25519, ml_dsa] = root.to_seeds();
    let ed25519 = write_seed(to, ED25519, &ed25519)?;
    let ml_dsa = write_seed(to, ML_DSA, &ml_dsa)?;
    Ok(format!(
        "Secret: {} and {}
Both must sign. Whoever has both can name every operator, so keep them apart, on machines that are never connected, and keep a copy
of each on paper.

The network's id: {}

Next: firsthand keys plan > network.toml
",
        ed25519.display(),
        ml_dsa.display(),
        root.public().network(),
    ))
}

fn sign_roster(root: &Path, plan: &Path, before: Option<&Path>, to: &Path) -> anyhow::Result<String> {
    let roster = plan::read(plan)?;
    let seeds = [ED25519, ML_DSA].map(|name| seed::read(&root.join(name)));
    let [ed25519, ml_dsa] = seeds;
    let root = RootSecret::from_seeds(&*ed25519?, &*ml_dsa?);
    let network = root.public().network();
    let unverified = UnverifiedDirectory::assemble(&root, &roster, vec![], vec![]);
    let bytes = unverified.to_bytes();
    // What nobody would take is not written.
    let directory = unverified.verify(&network).with_context(|| plan.display().to_string())?;
    if let Some(before) = before {
        let before = read(before)?.verify(&network)?;
        ensure!(
            roster.number > before.roster().number,
            "The number is not higher than that of the roster before. Count it up."
        );
        // It has no keys yet, whatever the one before has.
        let follows = directory.follows_roster(&before).and_then(|()| directory.waits(&before, roster.from));
        follows.with_context(|| plan.display().to_string())?;
    }
    write_new(to, &bytes)?;
    let few = few_witnesses(&roster).map(|(count, until)| match count {
        0 => format!(
            "\nWARNING: until round {until} none of its witnesses is in force. From the first edition under this roster on until then no \
             edition is taken, and after 12 rounds nobody can write.\n"
        ),
        _ => format!(
            "\nWARNING: until round {until} only {count} of its witnesses {} in force, and what {} is enough. If that is too few, leave \
             those that go in the roster until then.\n",
            if count == 1 { "is" } else { "are" },
            if count == 1 { "that one co-signs" } else { "they co-sign" },
        ),
    });
    Ok(format!(
        "{}{}
Written: {}. It holds nothing secret.

Next: give it and the network's id to every newsroom and operator. Then: firsthand keys card
",
        show::directory(&directory)?,
        few.unwrap_or_default(),
        to.display(),
    ))
}

/// How many witnesses are in force in the roster's first round if those are fewer than must co-sign (DIR-03 counts those to come as well);
/// and the round in which they are enough, or there is one.
fn few_witnesses(roster: &Roster) -> Option<(usize, Round)> {
    let (count, quorum) = (roster.witnesses(roster.from).count(), usize::from(roster.parameters.quorum));
    let mut since: Vec<_> =
        roster.operators.iter().filter(|o| o.role == Role::Witness).map(|o| o.since).collect();
    since.sort_unstable();
    let enough = if count == 0 { 1 } else { quorum };
    let last = enough.checked_sub(1).filter(|_| count < quorum)?;
    since.get(last).map(|until| (count, *until))
}

fn sign_card(network: &NetworkId, newsroom: &Path, card: &DeskCard, to: &Path) -> anyhow::Result<String> {
    let by = IdentitySecret::from_seed(&*seed::read(&newsroom.join(file::IDENTITY))?);
    ensure!(
        ![card.desk, card.vault_key].contains(&by.public()),
        "This is the newsroom's own key. Give the desk's."
    );
    ensure!(
        card.desk != card.vault_key,
        "The desk's public key and its vault key are two. Give both as it read them."
    );
    let entry = DeskEntry { newsroom: by.public(), card: Unverified::sign(card, network, &by), keys: vec![] };
    write_new(to, &codec::encode(&entry))?;
    Ok(format!("Written: {}. It holds nothing secret.\n\nNext: firsthand keys directory\n", to.display()))
}

fn assemble(
    network: &NetworkId,
    roster: &Path,
    cards: &[PathBuf],
    before: Option<&Path>,
    to: &Path,
) -> anyhow::Result<String> {
    let entries = cards
        .iter()
        .map(|file| {
            let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
            codec::decode::<DeskEntry>(&bytes).map_err(|_| {
                anyhow::anyhow!("{} is no card. Give what `firsthand keys card` wrote.", file.display())
            })
        })
        .collect::<anyhow::Result<_>>()?;
    let unverified = read(roster)?.with_desks(entries);
    let bytes = unverified.to_bytes();
    let directory = unverified.verify(network)?;
    let left_out =
        before.map(|before| left_out(&directory, before, network)).transpose()?.unwrap_or_default();
    write_new(to, &bytes)?;
    Ok(format!(
        "{}{left_out}
Written: {}. It holds nothing secret.

Next: give it to everyone who runs a part, with the network's id. Programs are pointed at it by `directory` in their configuration
(docs/operating.md).
",
        show::directory(&directory)?,
        to.display(),
    ))
}

/// The desks of the directory before that are not in this one. A card that was forgotten looks like one that was left out on purpose.
fn left_out(directory: &Directory, before: &Path, network: &NetworkId) -> anyhow::Result<String> {
    let before = read(before)?.verify(network)?;
    directory.follows_roster(&before)?;
    let desks = before.desks().iter().filter(|desk| directory.desk(&desk.id).is_none());
    let sentence = |desk: &Desk| {
        format!(
            "\nWARNING: {}, {} is left out. From the first edition with this directory on nobody can write to it, and it is given \
             nothing. Listed again it waits for 48 rounds. If that is not meant, give its card too.\n",
            desk.name, desk.newsroom
        )
    };
    Ok(desks.map(sentence).collect())
}

fn read(file: &Path) -> anyhow::Result<UnverifiedDirectory> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    UnverifiedDirectory::from_bytes(&bytes)
        .map_err(|_| anyhow::anyhow!("{} is neither a roster nor a directory.", file.display()))
}

/// A public key as it is read and typed.
fn identity(text: &str) -> Result<IdentityPublic, String> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key)
        .map(|()| IdentityPublic(key))
        .map_err(|_| format!("{text:?} is no public key: 64 hexadecimal digits"))
}

pub(crate) fn network(text: &str) -> Result<NetworkId, String> {
    NetworkId::from_hex(text).ok_or_else(|| format!("{text:?} is no network's id: 64 hexadecimal digits"))
}

/// Writes a secret into a folder, which is made if it is not there.
fn write_seed(folder: &Path, name: &str, seed: &[u8; 32]) -> anyhow::Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let path = folder.join(name);
    refuse_what_is_there(&path)?;
    seed::write(&path, seed)?;
    Ok(path)
}

fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    refuse_what_is_there(path)?;
    fs::File::create_new(path)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn refuse_what_is_there(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        bail!("{} is there already, and is left as it is. Give another name.", path.display());
    }
    Ok(())
}

/// What an operator does, in words.
fn role(role: Role) -> String {
    match role {
        Role::Press => "press".into(),
        Role::Edge => "edge".into(),
        Role::Mix(hop) => format!("mix {}", hop + 1),
        Role::Newsroom => "newsroom".into(),
        Role::Witness => "witness".into(),
    }
}

#[cfg(test)]
mod tests;
