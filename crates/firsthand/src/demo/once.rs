//! One whole turn without a browser: a simulated source sends a text, the desk answers, the source reads the answer. The
//! same client code as the screens, over the same network as the demonstration.

use std::collections::HashSet;
use std::fs::File;
use std::future::Future;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use client::{Inbox, Line, LineState, Passphrase, Session, Who};
use proto::directory::Directory;
use proto::mix::Manifest;
use proto::sign::Unverified;
use proto::size::ENVELOPE;
use proto::{Clock as _, Millis, Round, Schedule, codec, edition, path};
use zeroize::Zeroizing;

use super::state::State;
use super::{Args, Articles, Town, a_moment};
use crate::{ambient, config, found, roles};

/// What the desk answers.
const ANSWER: &str = "Thank you. We have read this, and we have questions. Can you say how you know?";

/// The largest tip file that is read, in bytes; what does not fit a message is refused before anything starts.
const LARGEST: u64 = 64 * 1024;

/// Reads the tip, and makes sure that it can be sent unchanged.
pub(super) fn read_tip(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let name = file.display();
    let mut bytes = Zeroizing::new(Vec::new());
    File::open(file)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .with_context(|| format!("The tip {name} cannot be read. Name a text file with --tip."))?;
    if bytes.len() as u64 > LARGEST {
        bail!("The tip {name} is larger than {LARGEST} bytes. Shorten it.");
    }
    let Ok(text) = std::str::from_utf8(&bytes) else {
        bail!("The tip {name} is not UTF-8 text. Save it as such, without formatting.");
    };
    if text.trim().is_empty() {
        bail!("The tip {name} is empty. Write a sentence into it.");
    }
    let room = proto::size::Cascade::new(found::MIXES).context("the demonstration's cascade")?.data();
    let needed = proto::conversation::packed_len(text);
    if needed > room {
        bail!("The tip {name} takes {needed} bytes packed, and one message holds {room}. Shorten it.");
    }
    Ok(Zeroizing::new(text.to_owned()))
}

/// Runs the turn. An error says which hop failed.
pub(super) async fn run(
    town: &mut Town,
    args: &Args,
    articles: Articles,
    state: &State,
    tip: &str,
) -> anyhow::Result<()> {
    let hops = Hops::new(state)?;
    let turn = Turn::new(hops.directory.parameters().schedule);
    let edge = town.found(args, articles, state).await.context("hop: starting the network")?;
    turn.say(&format!(
        "edge, {} mixes, press, witness and {} simulated readers are up",
        found::MIXES,
        args.readers
    ));

    let network = state.network;
    let reader = config::Reader {
        network,
        edge: edge.clone(),
        directory: found::file::DIRECTORY.into(),
        // Not the reader's own: a mailbox begun there on a screen stays as it is.
        state: "source".into(),
        port: 0,
    };
    let reader = roles::reader_device(&settled(reader, &state.dir.join("reader")))?;
    let desk = config::Desk {
        network,
        edge: edge.clone(),
        directory: found::file::DIRECTORY.into(),
        state: "state".into(),
        identity: found::file::IDENTITY.into(),
        vault: found::file::VAULT.into(),
        port: 0,
    };
    let desk = settled(desk, &state.dir.join("desk"));
    let desk_device = roles::desk_device(&desk)?;
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    for device in [&reader, &desk_device] {
        let (device, mut stop) = (Arc::clone(device), stopped.clone());
        tokio::spawn(async move {
            device
                .run(async move {
                    let _ = stop.wait_for(|stop| *stop).await;
                })
                .await
        });
    }
    let inbox = Arc::new(roles::unlock_inbox(&desk, &desk_device, &state.passphrase).await?);

    // What a folder that is resumed holds already is not this turn's.
    let earlier: HashSet<_> = inbox.conversations().iter().map(|c| c.id).collect();

    let shown = turn.wait("edition", 6, || async { Ok(reader.status().edition) }).await?;
    let stories = reader.stories();
    turn.say(&format!(
        "edition {} fetched and verified: {}",
        shown.round,
        counted(stories.len(), "story", "stories")
    ));
    for story in stories.iter().take(3) {
        turn.note(&format!("{}: {}", counted(story.outlets(), "outlet", "outlets"), story.title));
    }

    let passphrase = Passphrase::generate(&mut ambient::rng()?);
    let device = Arc::clone(&reader);
    let session = tokio::task::spawn_blocking(move || device.begin(&passphrase)).await??;
    let leaves = session.write(state.desk, tip, turn.now()).context("hop: writing the tip")?;
    turn.say(&format!(
        "source wrote {} bytes; in the queue at place {}, leaves with its normal reading within {} s",
        tip.len(),
        leaves.place,
        leaves.until.0.saturating_sub(turn.now().0).div_ceil(1000),
    ));

    turn.wait("leaving the source's device", 4, || async { Ok(has_left(&session).then_some(())) }).await?;
    let sent = turn.round();
    turn.say(&format!("source's device sent {ENVELOPE} bytes in round {sent}, like every other reader"));
    for hop in 0..found::MIXES {
        let what = if hop + 1 == found::MIXES { "exit".to_owned() } else { format!("mix {}", hop + 1) };
        let manifest = turn.wait(&what, 6, || hops.manifest(&edge, hop, sent)).await?;
        turn.say(&match hop + 1 == found::MIXES {
            true => format!(
                "exit: {} in; desk drop and reader drop of round {} written, {} slots",
                manifest.count_in, manifest.batch.round, manifest.count_out,
            ),
            false => format!(
                "{what}: batch of round {}, {} in, {} out, {} bytes each, shuffled",
                manifest.batch.round,
                manifest.count_in,
                manifest.count_out,
                hops.directory.wire().cascade.layer(hop + 1),
            ),
        });
    }

    let conversation = turn.wait("desk", 8, || async { arrived(&inbox, &earlier, tip).await }).await?;
    turn.say(&format!("desk: the tip arrived unchanged, {} bytes; acknowledged by itself", tip.len()));
    inbox.answer(conversation, ANSWER, turn.now()).context("hop: the desk's answer")?;
    turn.say(&format!("desk: answered, {} bytes", ANSWER.len()));

    turn.wait("acknowledgement", 10, || async {
        session.refresh();
        Ok(is_acknowledged(&session).then_some(()))
    })
    .await?;
    turn.say("source: the desk's acknowledgement came with an edition");
    let answer = turn
        .wait("answer", 10, || async {
            session.refresh();
            Ok(answer(&session))
        })
        .await?;
    if *answer != ANSWER {
        bail!("hop: answer. The source read another text than the desk wrote");
    }
    turn.say(&format!("source: read the answer, {} bytes, unchanged", answer.len()));
    turn.say("the turn is over: everything arrived unchanged");
    Ok(())
}

fn settled<C: config::Config>(mut config: C, folder: &Path) -> C {
    config.settle(folder);
    config
}

fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// The new conversation in which the tip arrived as it was written.
async fn arrived(
    inbox: &Arc<Inbox>,
    earlier: &HashSet<[u8; 8]>,
    tip: &str,
) -> anyhow::Result<Option<[u8; 8]>> {
    let collecting = Arc::clone(inbox);
    tokio::task::spawn_blocking(move || collecting.collect()).await?;
    let conversations = inbox.conversations().into_iter();
    let mut new = conversations.filter(|conversation| !earlier.contains(&conversation.id));
    let unchanged = |line: &Line| line.who == Who::Source && *line.text == *tip;
    Ok(new.find(|conversation| conversation.lines.iter().any(unchanged)).map(|conversation| conversation.id))
}

fn has_left(session: &Session) -> bool {
    own_states(session).any(|state| !matches!(state, LineState::Waiting { .. }))
}

fn is_acknowledged(session: &Session) -> bool {
    own_states(session).any(|state| matches!(state, LineState::Acknowledged))
}

fn own_states(session: &Session) -> impl Iterator<Item = LineState> {
    let conversations = session.conversations().into_iter();
    conversations.flat_map(|c| c.lines).filter(|line| line.who == Who::You).map(|line| line.state)
}

fn answer(session: &Session) -> Option<Zeroizing<String>> {
    let conversations = session.conversations().into_iter();
    conversations
        .flat_map(|c| c.lines)
        .find(|line| line.who == Who::Desk)
        .map(|line| Zeroizing::new(line.text.to_string()))
}

/// Clock and voice of the turn.
struct Turn {
    began: Millis,
    schedule: Schedule,
}

impl Turn {
    fn new(schedule: Schedule) -> Self {
        Self { began: ambient::SystemClock.now(), schedule }
    }

    fn round(&self) -> Round {
        self.schedule.round_at(self.now()).unwrap_or(Round(0))
    }

    fn now(&self) -> Millis {
        ambient::SystemClock.now()
    }

    fn say(&self, what: &str) {
        let since = self.now().0.saturating_sub(self.began.0);
        println!("{:>6}.{} s  {what}", since / 1000, since % 1000 / 100);
    }

    fn note(&self, what: &str) {
        println!("            {what}");
    }

    /// Looks until `look` finds something, for at most `rounds` rounds and 15 seconds.
    async fn wait<T, F, Fut>(&self, hop: &str, rounds: u64, mut look: F) -> anyhow::Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = anyhow::Result<Option<T>>>,
    {
        let limit =
            Duration::from_millis(rounds * u64::from(self.schedule.round_ms)) + Duration::from_secs(15);
        let found = async {
            loop {
                if let Some(found) = look().await.with_context(|| format!("hop: {hop}"))? {
                    return Ok(found);
                }
                a_moment().await;
            }
        };
        match tokio::time::timeout(limit, found).await {
            Ok(result) => result,
            Err(_) => bail!("hop: {hop}. Nothing came within {} s", limit.as_secs()),
        }
    }
}

/// What the mixes say in public of their batches.
struct Hops {
    directory: Directory,
    client: reqwest::Client,
}

impl Hops {
    fn new(state: &State) -> anyhow::Result<Self> {
        let file = state.dir.join("edge").join(found::file::DIRECTORY);
        let (directory, _) = config::directory(&file, &state.network)?;
        Ok(Self { directory, client: reqwest::Client::builder().no_proxy().build()? })
    }

    /// The first batch of round `from` or later at `hop`, as its mix signed it.
    async fn manifest(&self, edge: &str, hop: u8, from: Round) -> anyhow::Result<Option<Manifest>> {
        for r in from.0..from.0 + 8 {
            let answer = self.client.get(format!("{edge}{}", path::manifests(Round(r)))).send().await?;
            if !answer.status().is_success() {
                continue;
            }
            let signed: Vec<Unverified<Manifest>> = codec::decode(&answer.bytes().await?)?;
            for signed in &signed {
                let manifest = edition::check_manifest(signed, &self.directory)?;
                if manifest.hop == hop {
                    return Ok(Some(manifest));
                }
            }
        }
        Ok(None)
    }
}
