//! A network founded by hand with `firsthand keys`, and run.

use std::time::Duration;

use firsthand::ambient;
use jiff::Timestamp;

use crate::founded::ARTICLE;
use crate::help::help;
use crate::run::{Ended, Here, PATIENCE};

/// What stands behind `label` on its line.
fn read_out(said: &str, label: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix(label)).unwrap().to_owned()
}

async fn step(here: &Here, arguments: &[&str]) -> String {
    let ended = here.run(&[&["keys"], arguments].concat()).await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
    ended.out
}

/// Everybody's keys, a plan filled in, cards, a directory: and the servers that are started with it co-sign an edition.
#[tokio::test]
async fn a_network_founded_step_by_step_runs() {
    let here = Here::new();
    let root = step(&here, &["root", "--to", &here.arg("root")]).await;
    let network = read_out(&root, "The network's id: ");
    let now = Timestamp::from_millisecond(i64::try_from(ambient::clock().now().0).unwrap()).unwrap();
    let mut plan = step(&here, &["plan"]).await;
    for (from, to) in [
        ("demonstration = false", "demonstration = true".to_owned()),
        ("2027-01-01T00:00:00Z", now.to_string()),
        ("round = 3600", "round = 2".to_owned()),
        ("n_min = 5000", "n_min = 2".to_owned()),
    ] {
        assert!(plan.contains(from), "{from}");
        plan = plan.replace(from, &to);
    }
    let names = ["press", "edge", "mix1", "mix2", "mix3", "witness1", "witness2", "witness3", "newsroom"];
    for name in names {
        let key = read_out(&step(&here, &["identity", "--to", &here.arg(name)]).await, "Public key: ");
        plan = plan.replacen(&".".repeat(64), &key, 1);
    }
    let plan = here.write("network.toml", plan);
    let roster = here.arg("roster");
    step(&here, &["roster", "--root", &here.arg("root"), "--plan", &plan, "--to", &roster]).await;
    let said = step(&here, &["desk", "--to", &here.arg("desk")]).await;
    let [desk, vault_key] = ["Public key: ", "Vault key: "].map(|label| read_out(&said, label));
    let card = here.arg("card");
    let (newsroom, about) = (here.arg("newsroom"), "Two people read here.");
    let signed = ["card", "--network", &network, "--newsroom", &newsroom];
    let keys = ["--desk", &desk, "--vault-key", &vault_key];
    let texts = ["--name", "Harbour", "--about", about, "--to", &card];
    step(&here, &[&signed[..], &keys, &texts].concat()).await;
    let directory = here.arg("directory.cbor");
    let put = ["directory", "--network", &network, "--roster", &roster, "--card", &card, "--to", &directory];
    let said = step(&here, &put).await;
    assert!(
        said.contains(&format!("{desk}  Harbour, The newsroom's name\n  {vault_key}  its vault key\n")),
        "{said}"
    );

    here.write("articles/quay.txt", ARTICLE);
    let role = |name: &str, more: &str| {
        let text = format!(
            "network = \"{network}\"\nstate = \"{name}/state\"\ndirectory = \"directory.cbor\"\n{more}"
        );
        here.write(&format!("{name}.toml"), text)
    };
    let mut edge = here.start(&["edge", "--config", &role("edge", "listen = \"127.0.0.1:0\"\n")]);
    let address = edge.says("ready ").await;
    let with = |name: &str| format!("edge = \"{address}\"\nidentity = \"{name}/identity.key\"\n");
    let mut running = vec![];
    for n in 1..=3 {
        let name = format!("mix{n}");
        let file = role(&name, &format!("{}place = {n}\n", with(&name)));
        running.push(here.start(&["mix", "--config", &file]));
    }
    let press = role("press", &format!("{}folders = [\"articles\"]\n", with("press")));
    running.push(here.start(&["press", "--config", &press]));
    // Two of three are enough.
    for name in ["witness1", "witness3"] {
        running.push(here.start(&["witness", "--config", &role(name, &with(name))]));
    }
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let signed = async {
        loop {
            let answer = http.get(format!("{address}{}", proto::path::CHECKPOINT)).send().await.unwrap();
            if answer.status().is_success() {
                return answer.text().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let note = tokio::time::timeout(PATIENCE, signed).await.expect("a co-signed edition");
    assert!(note.contains(&network), "{note}");
    let of = |id: &str| {
        ["audit", "--edge", &address, "--network", id, "--directory", &directory].map(str::to_owned)
    };
    let ours = of(&network);
    let Ended { code, out, err } = here.run(&ours.each_ref().map(String::as_str)).await;
    assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
    assert!(out.contains("as the witnesses co-signed them") && out.contains("Everything fits."), "{out}");
    let other = of(&"5".repeat(64));
    let Ended { code, out, err } = here.run(&other.each_ref().map(String::as_str)).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("another network"), "{err}");
    for mut it in running.into_iter().chain([edge]) {
        it.ctrl_c().await;
        assert_eq!(it.ended().await.code, Some(0));
    }
}

#[tokio::test]
async fn its_help_teaches_the_steps() {
    help(&["keys", "--help"], include_str!("help-keys.txt")).await;
}
