//! Help as it is printed at 80 columns, pinned.

use crate::run::{Ended, Here};

pub(crate) async fn help(arguments: &[&str], expected: &str) {
    let Ended { code, out, err } = Here::new().run(arguments).await;
    assert_eq!((code, err.as_str()), (Some(0), ""));
    for line in out.lines() {
        assert!(line.chars().count() <= 80, "longer than 80 columns: {line}");
    }
    let plain = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(plain(&out), plain(expected), "help has changed; if that is meant, put it into the file");
}

#[tokio::test]
async fn help_is_what_it_was() {
    help(&["--help"], include_str!("help.txt")).await;
    help(&["demo", "--help"], include_str!("help-demo.txt")).await;
    help(&["edge", "--help"], include_str!("help-edge.txt")).await;
    help(&["audit", "--help"], include_str!("help-audit.txt")).await;
}

#[tokio::test]
async fn without_a_command_help_is_shown_and_the_exit_code_is_2() {
    let Ended { code, err, .. } = Here::new().run(&[]).await;
    assert_eq!(code, Some(2));
    assert!(err.contains("Usage: firsthand <COMMAND>") && err.contains("demo"), "{err}");
}
