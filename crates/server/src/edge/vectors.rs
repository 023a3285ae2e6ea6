//! The vectors that only this crate can run: `vectors/ceiling`, written by hand from mix.md §2.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::{HeaderMap, HeaderName};
use proto::Round;
use zeroize::Zeroizing;

use super::ceiling::{Ceilings, Counter, Relay};
use super::sender::{Known, KnownBy, KnownRelay, RELAY, Senders};
use crate::status::{Reason, Refused};

const TELLS: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A vector's edge: who is a relay, and what was counted.
struct Case {
    senders: Senders,
    counter: Counter,
    taken: u64,
    refused: Refused,
}

impl Case {
    fn new(lines: &[(&str, &str)]) -> Self {
        let all = |name: &'static str| lines.iter().filter(move |(n, _)| *n == name).map(|(_, value)| *value);
        let (mut known, mut relays) = (vec![], vec![]);
        for relay in all("relay") {
            let words: Vec<_> = relay.split(' ').collect();
            let (known_by, given) = match words[0] {
                "from" => {
                    let range = words[1].parse().unwrap();
                    (Known::Range(range), KnownBy::Range(range))
                }
                "secret" => {
                    let secret: [u8; 32] = hex::decode(words[1]).unwrap().try_into().unwrap();
                    (Known::Secret(Zeroizing::new(secret)), KnownBy::Secret("unread".into()))
                }
                other => panic!("{other}"),
            };
            let telling = words.get(3).is_some_and(|word| *word == "telling");
            known.push(KnownRelay { known_by, tells_address_in: telling.then_some(TELLS) });
            relays.push(Relay {
                known_by: given,
                ceiling: words[2].parse().unwrap(),
                tells_address_in: None,
            });
        }
        let address = all("address-ceiling").next().unwrap().parse().unwrap();
        let ceilings = Ceilings { address, relays, ..Ceilings::default() };
        Self {
            senders: Senders::new(&[1; 32], known),
            counter: Counter::new(&ceilings),
            taken: 0,
            refused: Refused::default(),
        }
    }

    /// Returns the outcome of an upload.
    fn step(&mut self, step: &str) -> Option<&'static str> {
        let mut words = step.splitn(5, ' ');
        let what = words.next().unwrap();
        let round = Round(words.next().unwrap().parse().unwrap());
        if what == "seal" {
            self.counter.forget(round);
            return None;
        }
        assert_eq!(what, "upload");
        let peer = self.senders.peer(words.next().unwrap().parse().unwrap());
        let mut headers = HeaderMap::new();
        match (words.next(), words.next()) {
            (None, None) => {}
            (Some("told"), Some(told)) => drop(headers.insert(TELLS, told.parse().unwrap())),
            (Some("shows"), Some(secret)) => drop(headers.insert(RELAY, secret.parse().unwrap())),
            other => panic!("{other:?}"),
        }
        Some(match self.counter.take(round, &self.senders.sender(&peer, &headers)) {
            Ok(()) => {
                self.taken += 1;
                "taken"
            }
            Err(reason) => {
                self.refused.count(reason);
                match reason {
                    Reason::OverAddress => "over address",
                    Reason::OverRelay => "over relay",
                    other => panic!("{other:?}"),
                }
            }
        })
    }
}

// EDG-10, EDG-11
#[test]
fn ceilings_hold_as_their_vectors_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/ceiling");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> =
            text.lines().map(|line| line.split_once(':').map(|(n, v)| (n, v.trim())).unwrap()).collect();
        let fields: BTreeMap<_, _> = lines.iter().copied().collect();
        let mut case = Case::new(&lines);
        let mut outcome = None;
        for (_, step) in lines.iter().filter(|(name, _)| *name == "step") {
            outcome = case.step(step).or(outcome);
        }
        let number = |name: &str| fields.get(name).map_or(0, |value| value.parse().unwrap());
        assert_eq!(outcome, Some(fields["expect"]), "{}", path.display());
        assert_eq!(
            (case.taken, case.refused.over_address, case.refused.over_relay),
            (number("taken"), number("over-address"), number("over-relay")),
            "{}",
            path.display()
        );
        for (name, _) in &lines {
            assert!(
                ["expect", "check", "note", "address-ceiling", "relay", "step", "taken"].contains(name)
                    || ["over-address", "over-relay"].contains(name),
                "{}: {name}",
                path.display()
            );
        }
        count += 1;
    }
    assert!(count >= 13, "only {count} vectors");
}
