//! How a demonstration begins and ends.

use std::time::Duration;

use tokio::time::Instant;

use crate::founded::ARTICLE;
use crate::run::{Ended, Here, Running, http};

/// How soon the links are there. Within 10 s for a person, with an optimised program on a machine of their own.
const LINKS: Duration = Duration::from_secs(30);

/// What a demonstration prints.
struct Shown {
    reader: String,
    desk: String,
    passphrase: String,
    status: String,
    edition: String,
}

async fn start(here: &Here, more: &[&str]) -> (Running, Shown) {
    here.write("articles/quay.txt", ARTICLE);
    let articles = here.arg("articles");
    let mut arguments =
        vec!["demo", "--no-open", "--clock", "fast", "--readers", "8", "--articles", &articles];
    arguments.extend(more);
    let began = Instant::now();
    let mut demo = here.start(&arguments);
    demo.says("Stop with Ctrl-C.").await;
    assert!(began.elapsed() < LINKS, "the links took {:?}", began.elapsed());
    let shown = Shown {
        reader: demo.says("Reader ").await,
        desk: demo.says("Desk ").await,
        passphrase: demo.says("passphrase:").await,
        status: demo.says("Status ").await,
        edition: demo.says("Edition ").await,
    };
    (demo, shown)
}

/// Eleven roles: edge, three mixes, press, witness, crowd, three desks, reader.
const ROLES: usize = 11;

fn roles(here: &Here) -> usize {
    here.processes().iter().filter(|process| process.line.contains("--config")).count()
}

/// Waits until no role of a demonstration is left. They are told by the end of their standard input.
async fn no_roles(here: &Here) {
    let gone = async {
        while roles(here) > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let gone = tokio::time::timeout(Duration::from_secs(10), gone).await;
    assert!(gone.is_ok(), "left: {:?}", here.processes());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_links_work_and_ctrl_c_or_sigterm_leaves_nothing() {
    let [typed, told] = [Here::new(), Here::new()];
    let ((mut first, shown), (mut second, _)) = tokio::join!(start(&typed, &[]), start(&told, &[]));
    assert_eq!((roles(&typed), roles(&told)), (ROLES, ROLES));
    for process in typed.processes() {
        // What words are in its memory goes into no core file.
        if let Ok(limits) = std::fs::read_to_string(format!("/proc/{}/limits", process.id)) {
            let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
            let limit: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
            assert_eq!(limit, ["0", "0"], "{}", process.line);
        }
    }

    let get = async |url: &str| {
        let answer = http(url).get(url).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, page) = get(&shown.status).await;
    assert_eq!(status, 200);
    assert!(page.contains("not for real tips"), "{page}");
    assert_eq!(get(&shown.edition).await.0, 200);
    let words: Vec<_> = shown.passphrase.split(' ').collect();
    assert!(words.len() == 6 && words.iter().all(|word| client::is_listed(word)), "{words:?}");
    // A link opens for the one who has it, and for nobody without.
    for link in [&shown.reader, &shown.desk] {
        let (bare, _) = link.split_once("?launch=").expect("a launch token");
        assert_eq!(get(bare).await.0, 403, "{bare}");
        let opened = http(link).get(link).send().await.unwrap();
        assert!(opened.status().is_redirection(), "{opened:?}");
        let on = opened.headers()["location"].to_str().unwrap();
        assert_eq!(get(on).await.0, 200, "{on}");
    }

    let began = Instant::now();
    first.ctrl_c().await;
    second.signal("TERM").await;
    for (demo, here) in [(&mut first, &typed), (&mut second, &told)] {
        let Ended { code, out, err } = demo.ended().await;
        assert_eq!((code, err.as_str()), (Some(0), ""), "{out}");
        assert!(out.ends_with("Stopping ...\n"), "{out}");
        assert_eq!(here.left(), Vec::<String>::new());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "stopping took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_demonstration_waits_its_turn_and_a_killed_one_takes_its_roles_along() {
    let here = Here::new();
    let kept = here.arg("kept");
    let (mut demo, shown) = start(&here, &["--dir", &kept]).await;
    let Ended { code, out, err } = here.run(&["demo", "--no-open", "--dir", &kept]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    let words = "Stop it first, or name another folder with --dir";
    assert_eq!(err, format!("firsthand: a demonstration already runs in {kept}. {words}\n"));
    assert_eq!(roles(&here), ROLES, "the first goes on");

    demo.signal("KILL").await;
    assert_eq!(demo.ended().await.code, None);
    no_roles(&here).await;

    // Nothing of it is lost.
    let (mut demo, again) = start(&here, &["--dir", &kept]).await;
    assert_eq!(again.passphrase, shown.passphrase);
    demo.signal("INT").await;
    assert_eq!(demo.ended().await.code, Some(0), "{}", demo.err());
    assert_eq!(here.left(), Vec::<String>::new());
}

/// One role ends: the demonstration says which and stops the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_ends_by_itself_ends_the_demonstration() {
    let here = Here::new();
    let (mut demo, _) = start(&here, &[]).await;
    let mix = here.processes().into_iter().find(|process| process.line.contains("/mix2/")).unwrap();
    let killed = tokio::process::Command::new("kill").args(["-KILL", &mix.id]).status().await.unwrap();
    assert!(killed.success());
    let Ended { code, err, .. } = demo.ended().await;
    assert_eq!(code, Some(1));
    assert!(err.contains("the mix2 ended (signal: 9"), "{err}");
    assert_eq!(here.left(), Vec::<String>::new());
}
