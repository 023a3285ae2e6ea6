//! What lies on a device: `mailbox/`, `queue/`, `vault/`, and `instant/`.

use hmac::{Hmac, KeyInit as _, Mac as _};
use proto::Digest;
use sha2::Sha256;

use super::envelope::wire;
use super::inbox::{sequence, with_steps};
use super::ingredients::{self, FILE, Ingredients, Region, room};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = passphrases();
    cases.extend(files());
    cases.extend(queues());
    cases.extend(vaults());
    cases.extend(instants());
    cases
}

const WORDS: &str = "abandon boggle crevasse lupine skit zucchini";

/// Computed once by another program (Python's `cryptography`), so that these agree with the specification and not only with us:
/// Argon2id of the words with 32 bytes 0x99, 256 MiB and 3 passes.
const REGION_KEY: &str = "3d18bd316147603e2ee5641a2c71a40cf84d1f0c22c77cadb4860541f99719e2";
/// Likewise, with 32 bytes 0x98, 64 KiB and 1 pass.
const VAULT_KEY: &str = "d7f0fcf91f6e90be4c3571aceda46c8889e01eddbfbeef999fd6dd0e01a8d9ff";

/// Likewise, with 64 KiB and 16 passes.
const COSTLY_KEY: &str = "2c14a3df65a8328d07b42639d96915f42f270786ea0630291e9d7a643140787a";

fn passphrases() -> Vec<Case> {
    let case = |path: &str, expect: &str, note: &str, typed: &str| {
        Case::new(&format!("mailbox/{path}"), expect, "MBX-09", note).with("typed", typed)
    };
    let keyed = |case: Case| case.hex("salt", [0x99; 32]).with("region-key", REGION_KEY);
    vec![
        keyed(case("passphrase", "success", "six words, and the region key they give with a salt", WORDS)),
        keyed(case(
            "mbx-09-typed",
            "success",
            "the same six words as a person may type them",
            "ABANDON-boggle, Crevasse. lupine  skit zucchini",
        )),
        case("mbx-09-five", "count", "five words", "abandon boggle crevasse lupine skit"),
        case("mbx-09-seven", "count", "seven words", &format!("{WORDS} abandon")),
        case(
            "mbx-09-unknown",
            "unknown",
            "the third word is not on the list",
            "abandon boggle qqqq lupine skit zucchini",
        ),
    ]
}

const DEVICE_KEY: [u8; 32] = [0x71; 32];
const REGION: [u8; 32] = [0x72; 32];
const CONTENT: &[u8] = b"what a source keeps";

/// A mailbox of a network of three mixes, never used.
fn unused() -> Ingredients {
    Ingredients {
        blob: wire(3).cascade.blob(),
        device_key: DEVICE_KEY,
        salt: [0x73; 32],
        filling: 0x5a,
        region: None,
        flipped: None,
        length: FILE,
    }
}

/// The same with a content.
fn used(bend: impl FnOnce(&mut Region)) -> Ingredients {
    let (length, content) = (CONTENT.len() as u32, CONTENT.to_vec());
    let mut region = Region { key: REGION, nonce: [0x74; 24], length, content, flipped: None };
    bend(&mut region);
    Ingredients { region: Some(region), ..unused() }
}

fn mailbox(path: &str, expect: &str, check: &str, note: &str, it: &Ingredients, key: u8) -> Case {
    let mut case = Case::new(&format!("mailbox/{path}"), expect, check, note)
        .with("mixes", 3)
        .hex("device-key", it.device_key)
        .hex("salt", it.salt)
        .hex("filling", [it.filling]);
    if let Some(region) = &it.region {
        case = case
            .hex("region-key", region.key)
            .hex("region-nonce", region.nonce)
            .with("content-length", region.length)
            .hex("content", &region.content);
        if let Some(at) = region.flipped {
            case = case.with("region-flipped", at);
        }
    }
    if let Some(at) = it.flipped {
        case = case.with("flipped", at);
    }
    case.with("length", it.length)
        .with("sha256", Digest::of(&ingredients::file(it)))
        .hex("key-file", [[key; 32].as_slice(), &[0]].concat())
}

fn files() -> Vec<Case> {
    let ours = DEVICE_KEY[0];
    let case = |path: &str, expect: &str, check: &str, note: &str, it: &Ingredients| {
        mailbox(path, expect, check, note, it, ours)
    };
    let none =
        |path: &str, check: &str, note: &str, it: &Ingredients| case(path, "no mailbox", check, note, it);
    let tried = |path: &str, check: &str, note: &str, it: &Ingredients, key: [u8; 32]| {
        case(path, "not opened", check, note, it).hex("tried", key)
    };
    let read = |path: &str, note: &str, it: &Ingredients, content: &[u8]| {
        case(path, "success", "MBX-06", note, it).hex("tried", REGION).with("found", Digest::of(content))
    };
    let room = room(unused().blob);
    let whole = vec![0; room];
    vec![
        case("file", "success", "MBX-02", "a mailbox never used", &unused()),
        none("mbx-01-short", "MBX-01", "a byte short", &Ingredients { length: FILE - 1, ..unused() }),
        none("mbx-01-long", "MBX-01", "a byte left over", &Ingredients { length: FILE + 1, ..unused() }),
        none("mbx-01-empty", "MBX-01", "no bytes", &Ingredients { length: 0, ..unused() }),
        mailbox("mbx-02-key", "no mailbox", "MBX-02", "another device key", &unused(), 0x11),
        none(
            "mbx-02-first",
            "MBX-02",
            "a bit of the first byte flipped",
            &Ingredients { flipped: Some(0), ..unused() },
        ),
        none(
            "mbx-02-region",
            "MBX-02",
            "a bit inside the region flipped",
            &Ingredients { flipped: Some(2_000_000), ..used(|_| ()) },
        ),
        none(
            "mbx-02-tag",
            "MBX-02",
            "a bit of the last byte flipped",
            &Ingredients { flipped: Some(FILE - 1), ..unused() },
        ),
        tried("mbx-03-wrong", "MBX-03", "another region key than the region's", &used(|_| ()), [0x75; 32]),
        tried("mbx-03-never", "MBX-03", "a region never used", &unused(), REGION),
        read("region", "a region and its content", &used(|_| ()), CONTENT),
        read("mbx-06-none", "a content of no bytes", &used(|r| (r.length, r.content) = (0, vec![])), b""),
        read(
            "mbx-06-full",
            "the longest content there can be: all zero",
            &used(|r| (r.length, r.content) = (room as u32, vec![])),
            &whole,
        ),
        tried(
            "mbx-06-length",
            "MBX-06",
            "a length one byte beyond the region",
            &used(|r| r.length = room as u32 + 1),
            REGION,
        ),
        tried("mbx-06-far", "MBX-06", "the greatest length", &used(|r| r.length = u32::MAX), REGION),
        tried("mbx-06-nonce", "MBX-06", "a bit of the nonce flipped", &used(|r| r.flipped = Some(0)), REGION),
        tried("mbx-06-text", "MBX-06", "a bit of the text flipped", &used(|r| r.flipped = Some(30)), REGION),
    ]
}

const HINT_KEY: [u8; 32] = [0x76; 32];

/// The hint of a message whose blob is all this byte.
fn hint(key: &[u8; 32], blob: u8) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(&vec![blob; wire(3).cascade.blob()]);
    hex::encode(&mac.finalize().into_bytes()[..20])
}

/// A queue in which place i holds cover, a blob of bytes i. The steps are `message BLOB`,
/// `take COVER ROUND`, and `left BLOB`: in which round did it leave?
fn queue(path: &str, check: &str, note: &str, steps: &[String], queue: impl IntoIterator<Item = u8>) -> Case {
    let case =
        sequence(&format!("queue/{path}"), check, note, steps).with("mixes", 3).hex("hint-key", HINT_KEY);
    let blobs: Vec<_> = queue.into_iter().map(|blob| blob.to_string()).collect();
    with_steps(case, steps).with("queue", blobs.join(" "))
}

fn queues() -> Vec<Case> {
    let message =
        |blob: u8, place: u8| format!("message {blob} -> place {place} | hint {}", hint(&HINT_KEY, blob));
    let refused = |blob: u8| format!("message {blob} -> refused");
    let take = |cover: u8, leaves: u8| format!("take {cover} {} -> {leaves}", 1_000 + u32::from(cover));
    let left = |blob: u8, round: &str| format!("left {blob} -> {round}");
    let full: Vec<_> = (0..48).map(|n| message(100 + n, n)).collect();
    let with = |more: &[String]| [full.as_slice(), more].concat();
    vec![
        queue("cover", "MBX-07", "nobody writes", &[take(60, 0), take(61, 1)], (2..48).chain([60, 61])),
        queue(
            "mbx-08-in-order",
            "MBX-08",
            "the first cover, then the next",
            &[message(100, 0), message(101, 1), message(102, 2)],
            [100, 101, 102].into_iter().chain(3..48),
        ),
        queue(
            "mbx-08-behind",
            "MBX-08",
            "one has left: the first cover is behind the one that waits",
            &[message(100, 0), message(101, 1), take(60, 100), message(102, 1), take(61, 101)],
            [102].into_iter().chain(3..48).chain([60, 61]),
        ),
        queue("mbx-08-full", "MBX-08", "48 messages, and one more", &with(&[refused(150)]), 100..148),
        queue(
            "mbx-08-room",
            "MBX-08",
            "48 messages, of which one leaves, and one more",
            &with(&[take(60, 100), message(150, 47)]),
            (101..148).chain([150]),
        ),
        queue(
            "mbx-07-round",
            "MBX-07",
            "one goes and one comes, more often than there are places",
            &(0..50).map(|n| take(100 + n, if n < 48 { n } else { 100 + n - 48 })).collect::<Vec<_>>(),
            102..150,
        ),
        queue(
            "mbx-12-left",
            "MBX-12",
            "two messages leave among cover, one waits, one never was",
            &[
                message(100, 0),
                message(101, 1),
                message(102, 2),
                left(100, "unknown"),
                take(60, 100),
                take(61, 101),
                left(102, "unknown"),
                left(103, "unknown"),
                left(101, "1061"),
                left(100, "1060"),
            ],
            [102].into_iter().chain(3..48).chain([60, 61]),
        ),
        queue(
            "mbx-12-trail",
            "MBX-12",
            "120 blobs left after the first message, 119 after the second",
            &[message(200, 0), message(201, 1)]
                .into_iter()
                .chain((0..2).map(|n| take(n, 200 + n)))
                .chain((2..121).map(|n| take(n, if n < 48 { n } else { n - 48 })))
                .chain([left(200, "unknown"), left(201, "1001")])
                .collect::<Vec<_>>(),
            73..121,
        ),
    ]
}

fn vaults() -> Vec<Case> {
    let keyed = |key: &str| <[u8; 32]>::try_from(hex::decode(key).expect("hexadecimal")).expect("32 bytes");
    let key = keyed(VAULT_KEY);
    let text = b"what a desk keeps";
    let nonce = [0x77; 24];
    let header = [&[2][..], &64u32.to_be_bytes(), &1u32.to_be_bytes(), &[0x98; 32]].concat();
    let good = [header.as_slice(), &nonce, &ingredients::seal(&key, &nonce, text)].concat();
    let case = |path: &str, expect: &str, check: &str, note: &str, typed: &str, file: &[u8]| {
        Case::new(&format!("vault/{path}"), expect, check, note).with("typed", typed).hex("vault", file)
    };
    let bent = |at: usize, to: &[u8]| {
        let mut file = good.clone();
        file[at..at + to.len()].copy_from_slice(to);
        file
    };
    let none = |path: &str, note: &str, file: &[u8]| case(path, "no vault", "VLT-01", note, WORDS, file);
    let shut = |path: &str, note: &str, file: &[u8]| case(path, "not opened", "VLT-02", note, WORDS, file);
    let opens = |path: &str, check: &str, note: &str, typed: &str| {
        case(path, "success", check, note, typed, &good).with("key", VAULT_KEY).hex("text", text)
    };
    let costly = bent(5, &16u32.to_be_bytes())[..41].to_vec();
    let costly = [costly.as_slice(), &nonce, &ingredients::seal(&keyed(COSTLY_KEY), &nonce, text)].concat();
    vec![
        case("most-passes", "success", "VLT-01", "sixteen passes", WORDS, &costly)
            .with("key", COSTLY_KEY)
            .hex("text", text),
        opens("vault", "VLT-02", "64 KiB and one pass: for this file only, a vault costs more", WORDS),
        opens("vlt-02-typed", "VLT-02", "the words as a person may type them", &WORDS.to_uppercase()),
        opens(
            "vlt-02-between",
            "VLT-02",
            "between the words what is neither letter nor digit",
            "(abandon) boggle/crevasse_lupine\u{2014}skit; \u{201c}zucchini\u{201d}!",
        ),
        none("vlt-01-version", "version 1", &bent(0, &[1])),
        none("vlt-01-less-memory", "63 KiB", &bent(1, &63u32.to_be_bytes())),
        none("vlt-01-memory", "4 GiB and 1 KiB", &bent(1, &(4 * 1024 * 1024u32 + 1).to_be_bytes())),
        none("vlt-01-no-pass", "no pass", &bent(5, &0u32.to_be_bytes())),
        none("vlt-01-passes", "seventeen passes", &bent(5, &17u32.to_be_bytes())),
        none("vlt-01-short", "a header that is a byte short", &good[..40]),
        none("vlt-01-empty", "no bytes", &[]),
        case(
            "vlt-02-words",
            "not opened",
            "VLT-02",
            "another word",
            &WORDS.replace("zucchini", "abandon"),
            &good,
        ),
        shut("vlt-02-cost", "the header names two passes: another key", &bent(5, &2u32.to_be_bytes())),
        shut("vlt-02-salt", "a bit of the salt flipped", &bent(9, &[0x99])),
        shut("vlt-02-nonce", "a bit of the nonce flipped", &bent(41, &[0x76])),
        shut("vlt-02-text", "a bit of the ciphertext flipped", &bent(65, &[good[65] ^ 1])),
        shut("vlt-02-short", "a byte short", &good[..good.len() - 1]),
        shut("vlt-02-long", "a byte left over", &[good.as_slice(), &[0]].concat()),
        shut("vlt-02-header", "nothing behind the header", &good[..41]),
    ]
}

/// Offsets computed once by another program (Python's `hmac`).
fn instants() -> Vec<Case> {
    let case = |path: &str, note: &str, round: u32, round_ms: u32, offset_ms: u32| {
        Case::new(&format!("instant/exc-01-{path}"), "success", "EXC-01", note)
            .hex("secret", [0xaa; 32])
            .with("round", round)
            .with("round-ms", round_ms)
            .with("offset-ms", offset_ms)
    };
    vec![
        case("demo", "a round of five seconds", 300, 5_000, 3_330),
        case("hour", "a round of an hour", 300, 3_600_000, 10_142),
        case("last", "the last round there can be", u32::MAX, 3_600_000, 1_512_171),
    ]
}
