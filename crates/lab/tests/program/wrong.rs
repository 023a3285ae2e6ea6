//! What a person may give that cannot be used: one sentence what, one what to do, exit code not 0, and nothing started.

use crate::founded::ARTICLE;
use crate::run::{Ended, Here};

/// Runs a demonstration that must refuse to start, and returns what it complained.
async fn refused(here: &Here, arguments: &[&str]) -> String {
    let mut all = vec!["demo", "--no-open", "--clock", "fast", "--readers", "8"];
    all.extend(arguments);
    let Ended { code, out, err } = here.run(&all).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{arguments:?}: {err}");
    assert_eq!(here.left(), Vec::<String>::new());
    err
}

#[tokio::test]
async fn a_tip_that_cannot_be_sent_starts_nothing() {
    let here = Here::new();
    // What does not pack: 12 kB of digits drawn by a small generator.
    let mut seed = 1u32;
    let long: String = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + (seed >> 24) as u8 % 90)
    })
    .take(12_000)
    .collect();
    let tips = [
        (
            here.arg("none.txt"),
            "cannot be read. Name a text file with --tip. (No such file or directory (os error 2))",
        ),
        (here.arg(""), "cannot be read. Name a text file with --tip. (Is a directory (os error 21))"),
        (here.write("empty.txt", ""), "is empty. Write a sentence into it."),
        (here.write("blank.txt", " \n\n"), "is empty. Write a sentence into it."),
        (here.write("latin.txt", b"M\xfcller"), "is not UTF-8 text. Save it as such, without formatting."),
        (here.write("large.txt", "a".repeat(65_537)), "is larger than 65536 bytes. Shorten it."),
    ];
    for (tip, words) in tips {
        let err = refused(&here, &["--once", "--tip", &tip]).await;
        assert_eq!(err, format!("firsthand: The tip {tip} {words}\n"));
    }
    let long = here.write("long.txt", long);
    let err = refused(&here, &["--once", "--tip", &long]).await;
    assert!(err.starts_with(&format!("firsthand: The tip {long} takes ")), "{err}");
    assert!(err.ends_with(" bytes packed, and one message holds 3552. Shorten it.\n"), "{err}");
}

#[tokio::test]
async fn articles_that_are_no_folder_start_nothing() {
    let here = Here::new();
    for articles in [here.arg("none"), here.write("file.txt", ARTICLE)] {
        let err = refused(&here, &["--articles", &articles]).await;
        let words = "is not a folder. Name one that holds articles, or the address of a feed.";
        assert_eq!(err, format!("firsthand: {articles} {words}\n"));
    }
}

#[tokio::test]
async fn a_wrong_sidecar_stops_the_demonstration_with_file_and_line() {
    let here = Here::new();
    here.write("articles/quay.txt", ARTICLE);
    let file = here.write(
        "articles/articles.toml",
        "[\"quay.txt\"]\noutlet = \"The Quay\"\npublisht = \"2026-11-03\"\n",
    );
    let articles = here.arg("articles");
    let Ended { code, err, .. } =
        here.run(&["demo", "--no-open", "--readers", "8", "--articles", &articles]).await;
    assert_eq!(code, Some(1), "{err}");
    let start = format!(
        "firsthand: The press did not start: {file}: line 3: unknown key `publisht` for \"quay.txt\""
    );
    assert!(err.starts_with(&start), "{err}");
    assert!(err.ends_with("Mend that line\n"), "{err}");
    assert_eq!(here.left(), Vec::<String>::new());
}

#[tokio::test]
async fn arguments_that_make_no_sense_exit_with_2() {
    let here = Here::new();
    for arguments in [
        &["demo", "--once"][..],
        &["demo", "--tip", "tip.txt"],
        &["demo", "--readers", "7"],
        &["demo", "--port", "0"],
        // The next two ports are for reader and desk.
        &["demo", "--port", "65534"],
        &["demo", "--clock", "slow"],
        &["mix"],
        &["nonsense"],
    ] {
        let Ended { code, out, err } = here.run(arguments).await;
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(err.starts_with("error: ") && err.contains("--help"), "{err}");
    }
    assert_eq!(here.left(), Vec::<String>::new());
}
