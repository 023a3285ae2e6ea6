//! The vectors that only this crate can run: `vectors/mailbox` and `vectors/exchange`. Their values were computed once
//! by another program (Python's `hmac` and `cryptography`), so they agree with the specification and not only with us.

use std::collections::BTreeMap;
use std::path::Path;

use proto::{Millis, Round, Schedule};

use crate::kdf::Kdf;
use crate::passphrase::{Passphrase, PassphraseError};
use crate::schedule::InstantSecret;

/// Every vector of one folder: its name and its fields.
fn vectors(kind: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors").join(kind);
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("it is text");
            let field = |line: &str| {
                let (name, value) = line.split_once(':').expect("name: value");
                (name.to_owned(), value.trim().to_owned())
            };
            (path.display().to_string(), text.lines().map(field).collect())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn mbx_09_a_passphrase_is_read_and_gives_the_key_of_its_vector() {
    let vectors = vectors("mailbox");
    assert!(vectors.len() >= 5);
    for (path, fields) in vectors {
        let outcome = match Passphrase::parse(&fields["typed"]) {
            Err(PassphraseError::Count(_)) => "count",
            Err(PassphraseError::Unknown(_)) => "unknown",
            Ok(passphrase) => {
                let salt = hex::decode(&fields["salt"]).unwrap().try_into().unwrap();
                let key = Kdf::desktop().derive(&passphrase, &salt).unwrap();
                assert_eq!(hex::encode(key.dangerously_as_bytes()), fields["region-key"], "{path}");
                "success"
            }
        };
        assert_eq!(outcome, fields["expect"], "{path}");
    }
}

#[test]
fn exc_01_the_instant_is_the_one_of_its_vector() {
    let vectors = vectors("exchange");
    assert!(vectors.len() >= 3);
    for (path, fields) in vectors {
        let secret = InstantSecret::from_bytes(hex::decode(&fields["secret"]).unwrap().try_into().unwrap());
        let schedule = Schedule { genesis: Millis(0), round_ms: fields["round-ms"].parse().unwrap() };
        let offset = secret.offset_ms(&schedule, Round(fields["round"].parse().unwrap()));
        assert_eq!(offset.to_string(), fields["offset-ms"], "{path}");
    }
}
