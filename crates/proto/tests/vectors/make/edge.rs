//! `edge/`: requests in their order, and how the edge answers each.

use proto::edition::Bundle;
use proto::sign::IdentitySecret;
use proto::{Digest, Round, path};

use super::inbox::{sequence, with_steps};
use super::net::{DESK_DROP, Net, READER_DROP};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let net = Net::new();
    let mut cases = collecting(&net);
    cases.extend(publishing(&net));
    cases.extend(desk_drops(&net));
    cases.push(who_may(&net));
    cases.push(took_over());
    cases.extend(outputs(&net));
    cases
}

impl Net {
    /// A sequence before an edge that began with the directory, with the seeds of everybody who asks in it.
    fn case(&self, path: &str, check: &str, note: &str, steps: &[String]) -> Case {
        let mut case = sequence(&format!("edge/{path}"), check, note, steps)
            .hex("network", self.network.0)
            .hex("directory", self.directory(true));
        let stranger = IdentitySecret::from_seed(&[9; 32]);
        let everybody = [
            ("press", &self.press),
            ("mix-0", &self.mixes[0]),
            ("mix-1", &self.mixes[1]),
            ("desk", &self.desk),
            ("stranger", &stranger),
        ];
        for (name, who) in everybody {
            if steps.iter().any(|step| step.split(' ').nth(4) == Some(name)) {
                case = case.hex(name, *who.to_seed());
            }
        }
        with_steps(case, steps)
    }
}

/// `ROUND MS METHOD PATH BY BODY -> STATUS ...`: the edge's clock stands so many ms after the start of the round.
fn step(at: (u32, i64), asks: &str, body: &str, outcome: &str) -> String {
    format!("{} {} {asks} {body} -> {outcome}", at.0, at.1)
}

fn restart() -> String {
    "restart -> open".into()
}

const G: i64 = 120_000;
const PRIVATE: &str = "cache-control: private, no-store";

fn collecting(net: &Net) -> Vec<Case> {
    let post =
        |at, round: u32, body: &str| step(at, &format!("POST /v1/rounds/{round}/envelopes -"), body, "202");
    let get = |at, round: u32, outcome: &str| {
        step(at, &format!("GET /v1/rounds/{round}/envelopes/0 mix-0"), "-", outcome)
    };
    let release = |at, outcome: &str| step(at, "DELETE /v1/rounds/5 mix-0", "-", outcome);
    let within = (5, 1_000_000);
    let one = "8192*01";
    let kept_one = format!("200 | {one}");
    let sealed_one = format!("200 | {one} | firsthand-sealed: 1");
    let length = |path: &str, note: &str, body: &str| {
        let steps = [post(within, 5, one), post(within, 5, body), get(within, 5, &kept_one)];
        net.case(path, "EDG-01", note, &steps)
    };
    let named = |path: &str, note: &str, round: &str| {
        let asks = format!("POST /v1/rounds/{round}/envelopes -");
        let steps = [post(within, 5, one), step(within, &asks, one, "202"), get(within, 5, &kept_one)];
        net.case(path, "EDG-02", note, &steps)
    };
    vec![
        net.case(
            "collected",
            "EDG-01",
            "two envelopes that are alike: both are taken",
            &[post(within, 5, one), post(within, 5, one), get(within, 5, "200 | 16384*01")],
        ),
        length("edg-01-short", "a byte short", "8191*02"),
        length("edg-01-long", "a byte too many", "8193*02"),
        length("edg-01-two", "two envelopes in one", "16384*02"),
        length("edg-01-empty", "no byte", "-"),
        named("edg-02-no-round", "a round that is none", "4294967296"),
        named("edg-02-no-number", "a round that is no number", "five"),
        net.case(
            "edg-02-early",
            "EDG-02",
            "a ms before the guard before the round, and in the guard",
            &[post((5, -G - 1), 5, "8192*02"), post((5, -G), 5, one), get((5, G), 5, &kept_one)],
        ),
        net.case(
            "edg-02-late",
            "EDG-02",
            "the last ms of the guard behind the round, and the next",
            &[post((6, G - 1), 5, one), post((6, G), 5, "8192*02"), get((6, G), 5, &sealed_one)],
        ),
        net.case(
            "edg-02-both",
            "EDG-02",
            "around their border two rounds are collected",
            &[
                post((6, -G), 6, "8192*06"),
                post((6, G - 1), 5, "8192*05"),
                get((6, G), 5, "200 | 8192*05 | firsthand-sealed: 1"),
                get((6, G), 6, "200 | 8192*06"),
            ],
        ),
        net.case(
            "edg-03-not-before",
            "EDG-03",
            "not sealed before its time is over, and not released",
            &[
                post(within, 5, one),
                get((6, G - 1), 5, &kept_one),
                release((6, G - 1), "409"),
                get((6, G), 5, &sealed_one),
            ],
        ),
        net.case(
            "edg-03-clock",
            "EDG-03",
            "the clock is set back once the round is sealed",
            &[
                post(within, 5, one),
                get((6, G), 5, &sealed_one),
                post(within, 5, "8192*02"),
                get(within, 5, &sealed_one),
            ],
        ),
        net.case(
            "edg-03-restart",
            "EDG-03",
            "started again with the clock set back",
            &[
                post(within, 5, one),
                get((6, G), 5, &sealed_one),
                restart(),
                post(within, 5, "8192*02"),
                get(within, 5, &sealed_one),
            ],
        ),
        net.case(
            "edg-03-released",
            "EDG-03",
            "released, and the clock set back",
            &[
                post(within, 5, one),
                release((6, G), "200"),
                release((6, G), "200"),
                post(within, 5, "8192*02"),
                get(within, 5, "404"),
            ],
        ),
    ]
}

/// Requests of the press and what everybody then gets.
fn publishing(net: &Net) -> Vec<Case> {
    let now = (5, 1_000);
    let put = |path: &str, body: &[u8], outcome: &str| {
        step(now, &format!("PUT {path} press"), &hex::encode(body), outcome)
    };
    let get = |path: &str, outcome: &str| step(now, &format!("GET {path} -"), "-", outcome);
    let has = |path: &str, body: &[u8]| get(path, &format!("200 | {}", hex::encode(body)));
    let bundle = Bundle::default().pack().0;
    let bundle_path = path::bundle(&Digest::of(&bundle));
    let put_bundle = || put(&bundle_path, &bundle, "200");
    let directory = net.directory(true);
    let head = |round, previous| net.head(round, previous, &directory, &net.press);
    let first = head(5, Digest([0; 32]));
    let edition = path::edition(Round(5));
    let (longer, other) = (net.directory(false), Digest([0x77; 32]));
    let longer_path = path::directory(&Digest::of(&longer));
    let mut bent = first.clone();
    bent[60] ^= 1;
    let refused = |path: &str, check: &str, note: &str, at: &str, body: &[u8], before: &[String]| {
        let steps = [before, &[put(at, body, "422"), get(at, "404")]].concat();
        net.case(path, check, note, &steps)
    };
    let elsewhere = b"no directory";
    let one_missing = |changes: bool| net.head_without(5, &directory, changes);
    let unknown = net.head(5, Digest([0; 32]), &longer, &net.press);
    vec![
        net.case(
            "edition",
            "EDG-06",
            "a bundle, a directory, and a head that names both",
            &[
                put_bundle(),
                put(&longer_path, &longer, "200"),
                put(&edition, &unknown, "200"),
                has(&bundle_path, &bundle),
                has(&longer_path, &longer),
                has(&edition, &unknown),
            ],
        ),
        refused("edg-06-bundle", "EDG-06", "a bundle of another digest", &path::bundle(&other), &bundle, &[]),
        refused(
            "edg-06-directory",
            "EDG-06",
            "a directory of another digest",
            &path::directory(&other),
            &longer,
            &[],
        ),
        refused(
            "edg-06-no-directory",
            "EDG-06",
            "the digest is right, and it is no directory",
            &path::directory(&Digest::of(elsewhere)),
            elsewhere,
            &[],
        ),
        refused("edg-06-no-bundle", "EDG-06", "a head before its bundles", &edition, &first, &[]),
        refused(
            "edg-06-unknown-directory",
            "EDG-06",
            "a head before its directory",
            &edition,
            &unknown,
            &[put_bundle()],
        ),
        refused(
            "edg-06-round",
            "EDG-06",
            "a head on the path of another round",
            &path::edition(Round(4)),
            &first,
            &[put_bundle()],
        ),
        refused(
            "edg-06-no-changes",
            "EDG-06",
            "a head whose changes are not there, and whose whole page is",
            &edition,
            &one_missing(true),
            &[put_bundle()],
        ),
        refused(
            "edg-06-no-front",
            "EDG-06",
            "a head whose whole page is not there, and whose changes are",
            &edition,
            &one_missing(false),
            &[put_bundle()],
        ),
        refused(
            "edg-06-future",
            "EDG-06",
            "a head of the round after the next",
            &path::edition(Round(7)),
            &head(7, Digest([0; 32])),
            &[put_bundle()],
        ),
        net.case(
            "edg-06-previous",
            "EDG-06",
            "a head that follows another than the newest",
            &[
                put_bundle(),
                put(&edition, &first, "200"),
                put(&path::edition(Round(6)), &head(6, other), "422"),
                get(&path::edition(Round(6)), "404"),
            ],
        ),
        net.case(
            "edg-06-follows",
            "EDG-06",
            "a second edition whose directory lists a desk that does not wait (DIR-14)",
            &[
                put_bundle(),
                put(&longer_path, &longer, "200"),
                put(&edition, &unknown, "200"),
                put(&path::edition(Round(6)), &head(6, Digest::of(&unknown)), "422"),
            ],
        ),
        refused("edg-06-bent", "EDG-06", "a bit of a head flipped", &edition, &bent, &[put_bundle()]),
        refused(
            "edg-06-signer",
            "EDG-06",
            "a head that a mix signed, put by the press",
            &edition,
            &net.head(5, Digest([0; 32]), &directory, &net.mixes[0]),
            &[put_bundle()],
        ),
        net.case(
            "edg-07-again",
            "EDG-07",
            "the same head again, and after a restart",
            &[
                put_bundle(),
                put(&edition, &first, "200"),
                put(&edition, &first, "200"),
                restart(),
                put(&edition, &first, "200"),
            ],
        ),
        net.case(
            "edg-07-other",
            "EDG-07",
            "another head for the same round",
            &[
                put_bundle(),
                put(&edition, &first, "200"),
                put(&edition, &head(5, other), "409"),
                has(&edition, &first),
            ],
        ),
        net.case(
            "edg-07-before",
            "EDG-07",
            "a head for a round before the newest",
            &[
                put_bundle(),
                put(&edition, &first, "200"),
                put(&path::edition(Round(4)), &head(4, Digest([0; 32])), "409"),
                get(&path::edition(Round(4)), "404"),
            ],
        ),
        net.case(
            "edg-07-next",
            "EDG-07",
            "the next, and the first once more: it was put before",
            &[
                put_bundle(),
                put(&edition, &first, "200"),
                put(&path::edition(Round(6)), &head(6, Digest::of(&first)), "200"),
                put(&edition, &first, "200"),
                put(&edition, &head(5, other), "409"),
            ],
        ),
    ]
}

fn desk_drops(net: &Net) -> Vec<Case> {
    let now = (5, 1_000);
    let drops = || step(now, "PUT /v1/drops/3 mix-1", &net.drops(3, 0xd1, 0xd2), "200");
    let asks = |by: &str, outcome: &str| step(now, &format!("GET /v1/drops/3/desk {by}"), "-", outcome);
    let mine = format!("200 | {DESK_DROP}*d1 | {PRIVATE}");
    let reader = step(now, "GET /v1/drops/3/reader -", "-", &format!("200 | {READER_DROP}*d2"));
    let without = net.directory(false);
    let bundle = Bundle::default().pack().0;
    let press = |path: &str, body: &[u8]| step(now, &format!("PUT {path} press"), &hex::encode(body), "200");
    let other = |path: &str, note: &str, by: &str, outcome: &str| {
        net.case(path, "EDG-08", note, &[drops(), asks(by, outcome)])
    };
    vec![
        net.case(
            "edg-08-desk",
            "EDG-08",
            "the desk has its drop, for itself; everybody has the reader drop",
            &[drops(), reader, asks("desk", &mine)],
        ),
        other("edg-08-unsigned", "nobody signed", "-", "403"),
        other("edg-08-stranger", "a stranger", "stranger", &format!("403 | - | {PRIVATE}")),
        other("edg-08-press", "the press, which is no desk", "press", &format!("403 | - | {PRIVATE}")),
        other("edg-08-first-mix", "a mix, which looks for its decoys", "mix-0", &mine),
        other("edg-08-exit", "the exit, which made it", "mix-1", &mine),
        net.case(
            "edg-08-not-listed",
            "EDG-08",
            "a directory without the desk: in force once an edition names it",
            &[
                drops(),
                press(&path::directory(&Digest::of(&without)), &without),
                press(&path::bundle(&Digest::of(&bundle)), &bundle),
                asks("desk", &mine),
                press(&path::edition(Round(5)), &net.head(5, Digest([0; 32]), &without, &net.press)),
                asks("desk", &format!("403 | - | {PRIVATE}")),
                restart(),
                asks("desk", &format!("403 | - | {PRIVATE}")),
            ],
        ),
    ]
}

/// From round 5 on a stranger is the first mix.
fn took_over() -> Case {
    let net = Net::new().with_next(&IdentitySecret::from_seed(&[9; 32]), Round(5));
    let asks = |round: u32, by: &str, outcome: &str| {
        step((round, 1_000), &format!("GET /v1/drops/3/desk {by}"), "-", outcome)
    };
    let (mine, no) = (format!("200 | {DESK_DROP}*d1 | {PRIVATE}"), format!("403 | - | {PRIVATE}"));
    let steps = [
        step((4, 1_000), "PUT /v1/drops/3 mix-1", &net.drops(3, 0xd1, 0xd2), "200"),
        asks(4, "mix-0", &mine),
        asks(4, "stranger", &no),
        asks(5, "stranger", &mine),
        asks(5, "mix-0", &no),
    ];
    net.case("edg-08-took-over", "EDG-08", "drops of a round before another took over from a mix", &steps)
}

/// Every signed path, asked by everybody.
fn who_may(net: &Net) -> Case {
    let now = (0, 1_000);
    let nowhere = Digest([0; 32]);
    let mut steps = vec![step(now, "POST /v1/rounds/0/envelopes -", "8192*01", "202")];
    for (asks, who, outcome) in [
        ("GET /v1/rounds".to_owned(), "mix-0", "200 | 300a"),
        ("GET /v1/rounds/0/envelopes/0".to_owned(), "mix-0", "200 | 8192*01"),
        ("DELETE /v1/rounds/0".to_owned(), "mix-0", "409"),
        ("GET /v1/batches/0".to_owned(), "mix-1", "200"),
        ("GET /v1/batches/0/0/0".to_owned(), "mix-1", "404"),
        ("PUT /v1/batches/0/0/0".to_owned(), "mix-0", "422"),
        ("DELETE /v1/batches/0/0/0".to_owned(), "mix-1", "200"),
        ("PUT /v1/drops/0".to_owned(), "mix-1", "422"),
        ("GET /v1/drops/0/desk".to_owned(), "desk", "404"),
        (format!("PUT {}", path::directory(&nowhere)), "press", "422"),
        (format!("PUT {}", path::bundle(&nowhere)), "press", "422"),
        ("PUT /v1/editions/0".to_owned(), "press", "422"),
    ] {
        for by in ["-", "press", "mix-0", "mix-1", "desk", "stranger"] {
            // Mixes look for their decoys.
            let may = by == who || (asks.ends_with("/desk") && by.starts_with("mix-"));
            let outcome = if may { outcome } else { "403" };
            steps.push(step(now, &format!("{asks} {by}"), "-", outcome));
        }
    }
    net.case("edg-09-who-may", "EDG-09", "every signed path, asked by nobody and by everybody", &steps)
}

/// One output for each name.
fn outputs(net: &Net) -> Vec<Case> {
    let now = (6, 1_000);
    let path = "/v1/batches/0/5/0";
    let put = |body: &str, outcome: &str| step(now, &format!("PUT {path} mix-0"), body, outcome);
    let get = |outcome: &str| step(now, &format!("GET {path} mix-1"), "-", outcome);
    let (one, other) = (net.batch((5, 0), b"sealed"), net.batch((5, 0), b"sealed anew"));
    let has = format!("200 | {one}");
    let drops = |body: &str, outcome: &str| step(now, "PUT /v1/drops/4 mix-1", body, outcome);
    let reader = step(now, "GET /v1/drops/4/reader -", "-", &format!("200 | {READER_DROP}*02"));
    vec![
        net.case(
            "bat-06-again",
            "BAT-06",
            "the same batch again, and after a restart",
            &[put(&one, "200"), put(&one, "200"), restart(), put(&one, "200"), get(&has)],
        ),
        net.case(
            "bat-06-other",
            "BAT-06",
            "the same entries sealed anew",
            &[put(&one, "200"), put(&other, "409"), get(&has)],
        ),
        net.case(
            "bat-06-part",
            "BAT-06",
            "another part of the same round",
            &[
                put(&one, "200"),
                step(now, "PUT /v1/batches/0/5/1 mix-0", &net.batch((5, 1), b"more"), "200"),
                step(now, "GET /v1/batches/0 mix-1", "-", &format!("200 | {}", hex::encode("5 0\n5 1\n"))),
            ],
        ),
        net.case(
            "bat-06-released",
            "BAT-06",
            "once released it does not come back, and no other comes",
            &[
                put(&one, "200"),
                step(now, &format!("DELETE {path} mix-1"), "-", "200"),
                put(&one, "200"),
                put(&other, "409"),
                get("404"),
            ],
        ),
        net.case(
            "bat-06-drops",
            "BAT-06",
            "other drops for the same round",
            &[
                drops(&net.drops(4, 1, 2), "200"),
                drops(&net.drops(4, 1, 2), "200"),
                drops(&net.drops(4, 1, 3), "409"),
                reader,
            ],
        ),
        net.case(
            "bat-04-path",
            "BAT-04",
            "a batch on the path of another part",
            &[
                step(now, "PUT /v1/batches/0/5/1 mix-0", &one, "422"),
                step(now, "GET /v1/batches/0 mix-1", "-", "200"),
            ],
        ),
    ]
}
