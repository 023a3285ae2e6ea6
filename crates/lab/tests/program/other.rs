//! State folders that are somebody else's.

use crate::founded::{Founded, ROLES};
use crate::run::{Ended, Here};

/// Each role starts once, so that its state is made; then the other network's role is pointed at it.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_folder_of_another_network_is_refused_and_left_as_it_was() {
    let here = Here::new();
    let (ours, theirs) = (Founded::new(&here, "ours", 5_000), Founded::new(&here, "theirs", 5_000));
    for (role, name) in ROLES {
        let state = here.arg(&format!("state-of-{name}"));
        let file = theirs.configure(name, &state, "http://127.0.0.1:9");
        let mut first = here.start(&[role, "--config", &file]);
        first.says("ready ").await;

        // While it runs, nobody else may have it. The press has no lock: its store has, for as long as it writes.
        if role != "press" {
            let Ended { code, out, err } = here.run(&[role, "--config", &file]).await;
            assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
            let words = "is in use by another program. Stop that one first.";
            assert_eq!(err, format!("firsthand: The state folder {state} {words}\n"));
        }
        first.signal("TERM").await;
        assert_eq!(first.ended().await.code, Some(0));

        let file = ours.configure(name, &state, "http://127.0.0.1:9");
        let Ended { code, out, err } = here.run(&[role, "--config", &file]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        let expected = match role {
            "press" => format!(
                "firsthand: the folder {state} holds the state of another network. Give this press a folder of its own\n"
            ),
            "reader" | "desk" => {
                format!(
                    "firsthand: The state folder {state} belongs to another network. Give another folder.\n"
                )
            }
            _ => format!(
                "firsthand: The state folder {state} belongs to another network. Give another folder, or empty this one \
                 if it is no longer needed.\n"
            ),
        };
        assert_eq!(err, expected);

        // Whose it is may go on with it.
        let file = theirs.configure(name, &state, "http://127.0.0.1:9");
        let mut again = here.start(&[role, "--config", &file]);
        again.says("ready ").await;
        again.signal("INT").await;
        assert_eq!(again.ended().await.code, Some(0), "{}", again.err());
    }
    assert_eq!(here.left(), Vec::<String>::new());
}

#[tokio::test]
async fn a_folder_with_other_things_is_not_filled() {
    let here = Here::new();
    here.write("letters/one.txt", "Dear Ada,");
    let folder = here.arg("letters");
    let Ended { code, out, err } = here.run(&["demo", "--no-open", "--dir", &folder]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    let words = "holds other things than a demonstration. Name an empty or new folder with --dir";
    assert_eq!(err, format!("firsthand: {folder} {words}\n"));
    assert_eq!(std::fs::read_dir(here.path("letters")).unwrap().count(), 1);

    let folder = here.arg("kept");
    for text in [
        "version = 1\nnetwork = \"00\"\n",
        "nonsense",
        "version = 9\nnetwork = \"\"\ndesk = \"\"\npassphrase = \"\"\nround_ms = 1\n",
    ] {
        here.write("kept/demo.toml", text);
        let Ended { code, out, err } = here.run(&["demo", "--no-open", "--dir", &folder]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains("demo.toml") && err.contains("Name another folder with --dir"), "{err}");
    }
}
