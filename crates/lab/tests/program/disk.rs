//! A full disk: a service says so in one sentence with one what to do, loses nothing that it answered, and goes on once
//! there is room.
//!
//! The disk is a small one of its own, in a name space of its own that ends with the test; where this machine does not
//! let us make one, the tests say so and pass.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use firsthand::ambient;
use proto::sign::IdentitySecret;
use proto::{Round, path, request};
use server::seed;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::founded::{Founded, ROLES};
use crate::run::{Ended, Here, PATIENCE, Running, program};

/// A disk of a few megabytes. Only programs started in it see it.
struct SmallDisk {
    at: PathBuf,
    // Holds the name space open; its standard input ends with us, and it with that.
    keeper: Child,
}

impl SmallDisk {
    /// Makes a disk of so many megabytes at `at`.
    async fn new(at: PathBuf, megabytes: u32) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let script = format!("mount -t tmpfs -o size={megabytes}m tmpfs \"$0\" && echo made && read end");
        let keeper = Command::new("unshare")
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
            .arg(&at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        let made = match keeper {
            Ok(mut keeper) => {
                let said = BufReader::new(keeper.stdout.take().unwrap()).lines().next_line().await;
                said.ok().flatten().map(|_| Self { at, keeper })
            }
            Err(_) => None,
        };
        if made.is_none() {
            println!("skipped: this machine does not let us make a small disk (unshare, mount)");
        }
        made
    }

    /// The program, started where it sees the disk.
    fn start(&self, here: &Here, role: &str, file: &str) -> Running {
        let id = self.keeper.id().unwrap().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &id, "--user", "--preserve-credentials", "--mount", "--"]);
        command.arg(program()).args([role, "--config", file]);
        here.start_as(command)
    }

    /// Where the disk is seen from outside.
    fn outside(&self) -> PathBuf {
        let inside = self.at.strip_prefix("/").unwrap();
        Path::new("/proc").join(self.keeper.id().unwrap().to_string()).join("root").join(inside)
    }

    /// Fills the disk to the last byte.
    fn fill(&self) {
        let mut filler = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.outside().join("filler"))
            .unwrap();
        for size in [64 * 1024, 4096, 512, 1] {
            while filler.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Makes room again.
    fn free(&self) {
        std::fs::remove_file(self.outside().join("filler")).unwrap();
    }
}

const WORDS: &str = "Free some space";

#[tokio::test(flavor = "multi_thread")]
async fn no_role_starts_on_a_full_disk_and_each_starts_once_there_is_room() {
    let here = Here::new();
    let Some(disk) = SmallDisk::new(here.path("disk"), 16).await else { return };
    let town = Founded::new(&here, "town", 5_000);
    disk.fill();
    for (role, name) in ROLES {
        let state = here.arg(&format!("disk/{name}"));
        let file = town.configure(name, &state, "http://127.0.0.1:9");
        let Ended { code, out, err } = disk.start(&here, role, &file).ended().await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{role}: {err}");
        match role {
            "edge" | "mix" | "witness" => assert_eq!(
                err,
                format!(
                    "firsthand: The disk that holds the state folder {state} is full. Free some space, then start again.\n"
                )
            ),
            "press" => assert!(err.contains(&state) && err.contains("is full. Free some space"), "{err}"),
            _ => {
                let words =
                    "cannot be used. Check that there is room on its disk and that you may write to it.";
                assert!(err.starts_with(&format!("firsthand: The state folder {state} {words} (")), "{err}");
            }
        }
    }
    disk.free();
    for (role, name) in ROLES {
        let mut running =
            disk.start(&here, role, &town.at(name).join(format!("{role}.toml")).display().to_string());
        running.says("ready ").await;
        running.signal("TERM").await;
        assert_eq!(running.ended().await.code, Some(0), "{role}: {}", running.err());
    }
}

/// An envelope's length of nonsense, each different.
fn nonsense(n: u32) -> Vec<u8> {
    n.to_be_bytes().repeat(2048)
}

async fn post(http: &reqwest::Client, edge: &str, round: Round, body: Vec<u8>) -> u16 {
    let sent = http.post(format!("{edge}{}", path::envelopes(round))).body(body).send().await;
    sent.unwrap().status().as_u16()
}

async fn get(http: &reqwest::Client, town: &Founded, edge: &str, by: &IdentitySecret, path: &str) -> Vec<u8> {
    let signed = request::sign(&town.network, by, "GET", path, b"", ambient::clock().now());
    let answer = http.get(format!("{edge}{path}")).header(request::HEADER, signed).send().await.unwrap();
    answer.error_for_status().unwrap().bytes().await.unwrap().to_vec()
}

fn identity(town: &Founded, name: &str) -> IdentitySecret {
    IdentitySecret::from_seed(&seed::read(&town.at(name).join("identity.key")).unwrap())
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edge_without_room_answers_503_and_keeps_what_it_answered() {
    let here = Here::new();
    let Some(disk) = SmallDisk::new(here.path("disk"), 2).await else { return };
    // One long round, so that all of it stays where it is.
    let town = Founded::new(&here, "town", 600_000);
    let file = town.configure("edge", &here.arg("disk/edge"), "");
    let mut running = disk.start(&here, "edge", &file);
    let edge = running.says("ready ").await;
    let (http, round) = (client(), town.round());
    let mut taken = Vec::new();
    let mut refused = 0;
    for n in 0..600 {
        let body = nonsense(n);
        match post(&http, &edge, round, body.clone()).await {
            202 => taken.push(body),
            503 => refused += 1,
            other => panic!("{other}"),
        }
        if refused == 3 {
            break;
        }
    }
    assert!(taken.len() > 20 && refused == 3, "{} taken, {refused} refused", taken.len());
    running.complains(WORDS).await;
    assert_eq!(running.err().matches(WORDS).count(), 1, "said once: {}", running.err());
    let ready = http.get(format!("{edge}/readyz")).send().await.unwrap().status().as_u16();
    assert_eq!(ready, 503);

    // It is killed just then, and started again while the disk is still full of envelopes; then there is room.
    disk.fill();
    running.signal("KILL").await;
    running.ended().await;
    let mut running = disk.start(&here, "edge", &file);
    if running.says_or_ends("ready ").await.is_none() {
        let Ended { code, err, .. } = running.ended().await;
        assert_eq!(code, Some(1), "{err}");
        assert!(err.starts_with("firsthand: ") && err.contains(WORDS), "{err}");
    }
    drop(running);
    disk.free();
    let grown = Command::new("nsenter")
        .args([
            "--target",
            &disk.keeper.id().unwrap().to_string(),
            "--user",
            "--preserve-credentials",
            "--mount",
        ])
        .args(["--", "mount", "-o", "remount,size=16m"])
        .arg(&disk.at)
        .status()
        .await
        .unwrap();
    assert!(grown.success());
    let mut running = disk.start(&here, "edge", &file);
    let edge = running.says("ready ").await;
    for n in 1_000..1_010 {
        assert_eq!(post(&http, &edge, round, nonsense(n)).await, 202);
        taken.push(nonsense(n));
    }
    let by = identity(&town, "mix1");
    let kept = get(&http, &town, &edge, &by, &path::envelopes_from(round, 0)).await;
    let kept: Vec<_> = kept.chunks(8192).collect();
    for body in &taken {
        assert_eq!(kept.iter().filter(|kept| **kept == body.as_slice()).count(), 1);
    }
    assert!(kept.len() <= taken.len() + refused, "{} kept, {} answered", kept.len(), taken.len());
    running.signal("TERM").await;
    assert_eq!(running.ended().await.code, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mix_and_a_press_without_room_say_so_and_go_on_once_there_is_some() {
    let here = Here::new();
    let Some(disk) = SmallDisk::new(here.path("disk"), 2).await else { return };
    let town = Founded::new(&here, "town", 1_500);
    let mut edge_running = here.start(&["edge", "--config", &town.configure("edge", "state", "")]);
    let edge = edge_running.says("ready ").await;
    let http = client();
    let published = async |after: Round| {
        let published = async {
            loop {
                for r in after.0..=town.round().0 {
                    let head = http.get(format!("{edge}{}", path::edition(Round(r)))).send().await.unwrap();
                    if head.status().is_success() {
                        return Round(r);
                    }
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(PATIENCE, published).await.expect("an edition")
    };
    let mix_file = town.configure("mix1", &here.arg("disk/mix1"), &edge);
    let press_file = town.configure("press", &here.arg("disk/press"), &edge);
    let mut mix = disk.start(&here, "mix", &mix_file);
    let mut press = disk.start(&here, "press", &press_file);
    mix.says("ready ").await;
    let first = published(Round(0)).await;

    disk.fill();
    for n in 0..8 {
        assert_eq!(post(&http, &edge, town.round(), nonsense(n)).await, 202);
    }
    // The press ends, the mix tries again.
    let Ended { code, err, .. } = press.ended().await;
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(&here.arg("disk/press")) && err.contains("is full. Free some space"), "{err}");
    mix.complains(WORDS).await;
    disk.free();
    let mut press = disk.start(&here, "press", &press_file);
    press.says("ready ").await;
    let next = published(Round(town.round().0.max(first.0 + 1))).await;
    assert!(next > first);

    // The mix takes what waited, and lets the edge forget it.
    let by = identity(&town, "mix1");
    let released = async {
        while !get(&http, &town, &edge, &by, path::ROUNDS).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, released).await.expect("every round released");
    for mut running in [mix, press, edge_running] {
        running.signal("TERM").await;
        assert_eq!(running.ended().await.code, Some(0), "{}", running.err());
    }
}
