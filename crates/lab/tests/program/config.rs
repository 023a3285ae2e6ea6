//! Configurations that cannot be used: exit code 78, with file, line and key.

use crate::founded::{Founded, ROLES};
use crate::run::{Ended, Here};

/// `EX_CONFIG` of sysexits.h.
const CONFIG: Option<i32> = Some(78);

#[tokio::test]
async fn what_is_wrong_in_a_configuration_is_named_with_file_line_and_key() {
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    let id = town.network.to_string();
    for (role, name) in ROLES {
        let file = town.configure(name, "state", "http://127.0.0.1:9");
        let good = std::fs::read_to_string(&file).unwrap();
        let mut faults = vec![
            (id.as_str(), "a5a5", 1, "a network's id is 64 hexadecimal digits"),
            ("\"state\"", "7", 2, "state"),
            ("\"directory.cbor\"", "\"none\"", 3, "`directory` names"),
            ("state = ", "stat = ", 2, "unknown field `stat`, expected one of `network`"),
            ("state = ", "edge = = ", 2, "edge"),
        ];
        faults.push(match role {
            "edge" => ("127.0.0.1:0", "here", 4, "`here` is not an address and port, like 127.0.0.1:8080"),
            _ => ("http://127.0.0.1:9", "edge.example:80", 4, "is not the address of an edge, like http://"),
        });
        match role {
            "mix" => {
                faults.push(("place = 1", "place = 0", 5, "mixes are counted from 1"));
                faults.push(("\"identity.key\"", "\"none\"", 6, "`identity` names"));
            }
            "desk" => faults.push(("\"vault\"", "\"none\"", 6, "`vault` names")),
            "press" | "witness" => faults.push(("\"identity.key\"", "\"none\"", 5, "`identity` names")),
            _ => {}
        }
        for (from, to, line, words) in faults {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            std::fs::write(&file, bad).unwrap();
            let Ended { code, out, err } = here.run(&[role, "--config", &file]).await;
            assert_eq!((code, out.as_str()), (CONFIG, ""), "{role} {to}: {err}");
            assert!(err.starts_with(&format!("firsthand: {file}")), "{err}");
            assert!(err.contains(&format!("line {line}")) && err.contains(words), "{role} {to}: {err}");
        }
        let without = good.replacen("state = \"state\"\n", "", 1);
        std::fs::write(&file, without).unwrap();
        let Ended { code, err, .. } = here.run(&[role, "--config", &file]).await;
        assert_eq!(code, CONFIG);
        assert!(err.contains("missing field `state`"), "{err}");
    }
    let none = here.arg("none.toml");
    let Ended { code, err, .. } = here.run(&["edge", "--config", &none]).await;
    assert_eq!(code, CONFIG);
    let words = "No such file or directory (os error 2). Name a file that is there and that you may read";
    assert_eq!(err, format!("firsthand: cannot read {none}: {words}\n"));
}

#[tokio::test]
async fn a_key_or_a_place_that_is_not_ones_own_is_refused() {
    let here = Here::new();
    let town = Founded::new(&here, "town", 5_000);
    let file = town.configure("mix1", "state", "http://127.0.0.1:9");
    let good = std::fs::read_to_string(&file).unwrap();
    for (from, to, words) in [
        (
            "place = 1",
            "place = 2",
            "The identity is not that of mix 2 in the directory. Give the right key file, or the right place.",
        ),
        ("identity.key", "mix.toml", "does not hold 64 hexadecimal digits. Restore it from your backup."),
        ("directory.cbor", "mix.toml", "Get the one of your network."),
    ] {
        std::fs::write(&file, good.replacen(from, to, 1)).unwrap();
        let Ended { code, out, err } = here.run(&["mix", "--config", &file]).await;
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.starts_with("firsthand: The ") && err.trim_end().ends_with(words), "{err}");
    }
    let file = town.configure("press", "state", "http://127.0.0.1:9");
    std::fs::copy(town.at("mix1/identity.key"), town.at("press/identity.key")).unwrap();
    let Ended { code, out, err } = here.run(&["press", "--config", &file]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("Give the press the key it was listed with"), "{err}");
    let file = town.configure("witness", "state", "http://127.0.0.1:9");
    std::fs::copy(town.at("mix1/identity.key"), town.at("witness/identity.key")).unwrap();
    let Ended { code, out, err } = here.run(&["witness", "--config", &file]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("not that of a witness in the directory"), "{err}");
}
