//! `signature/`: signed records and the root. `request/`: signed requests.

use proto::directory::Roster;
use proto::mix::{BatchId, Manifest};
use proto::request;
use proto::sign::{IdentitySecret, RootSecret, Unverified};
use proto::{Digest, Millis, NetworkId, Round, codec};

use super::{Draw, NETWORK};
use crate::case::Case;

pub(super) fn cases() -> Vec<Case> {
    let mut cases = records();
    cases.extend(roots());
    cases.extend(requests());
    cases
}

fn manifest() -> Manifest {
    Manifest {
        batch: BatchId { round: Round(300), part: 0 },
        hop: 1,
        inputs: vec![Digest([0x66; 32])],
        count_in: 40,
        count_out: 38,
        outputs: vec![Digest([0x77; 32])],
        deleted: 0,
        alarm: false,
    }
}

fn records() -> Vec<Case> {
    let mut draw = Draw::new("signature");
    let me = IdentitySecret::from_seed(&draw.bytes32());
    let other = IdentitySecret::from_seed(&draw.bytes32());
    let good = codec::encode(&Unverified::sign(&manifest(), &NETWORK, &me));
    let body = codec::encode(&manifest());
    // [body, signature], by hand: a signed record whose body is not what its signer's program would write
    let by_hand = |body: &[u8]| {
        let signature = me.sign::<Manifest>(&NETWORK, body).to_bytes();
        [&[0x82, 0x58, u8::try_from(body.len()).expect("short")][..], body, &[0x58, 64], &signature].concat()
    };
    assert_eq!(by_hand(&body), good, "the form that §2 gives");
    let case = |path: &str, expect: &str, check: &str, note: &str, signer: &IdentitySecret, signed: &[u8]| {
        Case::new(&format!("signature/{path}"), expect, check, note)
            .hex("network", NETWORK.0)
            .hex("signer", signer.public().0)
            .hex("signed-manifest", signed)
    };
    let no = "signature";
    let bent = |at: usize| {
        let mut bent = good.clone();
        bent[at] ^= 1;
        bent
    };
    let elsewhere = codec::encode(&Unverified::sign(&manifest(), &NetworkId([0x12; 32]), &me));
    let relabelled = me.sign::<Roster>(&NETWORK, &body).to_bytes();
    let relabelled = [&good[..good.len() - 64], &relabelled].concat();
    let mut longer = body.clone();
    // The count in, 40, in one byte more than it needs.
    let at = longer.windows(2).position(|two| two == [0x18, 40]).expect("it is there");
    longer.splice(at..at + 2, [0x19, 0, 40]);
    let further = [&[0x87][..], &body[1..], &[0]].concat();
    vec![
        case("record", "success", "SIG-01", "a manifest", &me, &good),
        case("sig-01-signer", no, "SIG-01", "another signer", &other, &good),
        case("sig-01-body", no, "SIG-01", "a bit of the body flipped", &me, &bent(9)),
        case("sig-01-signature", no, "SIG-01", "a bit of the signature flipped", &me, &bent(good.len() - 40)),
        case("sig-01-network", no, "SIG-01", "signed for another network", &me, &elsewhere),
        case("sig-01-purpose", no, "SIG-01", "signed for another purpose", &me, &relabelled),
        small_order(&body),
        case(
            "sig-02-longer",
            "malformed",
            "SIG-02",
            "a number in a longer form, signed",
            &me,
            &by_hand(&longer),
        ),
        case("sig-02-field", "malformed", "SIG-02", "a field too many, signed", &me, &by_hand(&further)),
        case(
            "sig-02-left-over",
            "malformed",
            "SIG-02",
            "a byte left over, signed",
            &me,
            &by_hand(&[body.as_slice(), &[0]].concat()),
        ),
    ]
}

/// The neutral point as key and as R, and S zero: by the equation alone a signature of everything.
fn small_order(body: &[u8]) -> Case {
    let neutral = [[1].as_slice(), &[0; 31]].concat();
    let length = u8::try_from(body.len()).expect("short");
    let signed = [&[0x82, 0x58, length][..], body, &[0x58, 64], &neutral, &[0; 32]].concat();
    Case::new("signature/sig-01-small-order", "signature", "SIG-01", "a key and a point of small order")
        .hex("network", NETWORK.0)
        .hex("signer", neutral)
        .hex("signed-manifest", signed)
}

fn roots() -> Vec<Case> {
    let mut draw = Draw::new("signature root");
    let root = RootSecret::generate(&mut draw);
    let good = root.sign::<Roster>(b"body");
    let mut ed25519 = good.clone();
    ed25519.ed25519[40] ^= 1;
    let mut ml_dsa = good.clone();
    ml_dsa.ml_dsa[1_000] ^= 1;
    let mut none = good.clone();
    none.ml_dsa = Vec::new().into();
    let case = |path: &str, expect: &str, check: &str, note: &str, signature: &_| {
        Case::new(&format!("signature/{path}"), expect, check, note)
            .hex("root", codec::encode(&root.public()))
            .hex("body", b"body")
            .hex("root-signature", codec::encode(signature))
    };
    let no = "bad signature";
    vec![
        case("root", "success", "SIG-03", "signed for the purpose roster", &good),
        case("sig-03-bent", no, "SIG-03", "a bit of the Ed25519 signature flipped", &ed25519),
        case("sig-04-bent", no, "SIG-04", "a bit of the ML-DSA signature flipped", &ml_dsa),
        case("sig-04-none", no, "SIG-04", "no ML-DSA signature", &none),
    ]
}

fn requests() -> Vec<Case> {
    let mut draw = Draw::new("request");
    let me = IdentitySecret::from_seed(&draw.bytes32());
    let time = Millis(1_795_000_000_000);
    let path = "/v1/batches/0/300/0";
    let header = request::sign(&NETWORK, &me, "PUT", path, b"body", time);
    let at = |ms: i64| Millis(time.0.checked_add_signed(ms).expect("far from both ends"));
    let case =
        |name: &str, expect: &str, check: &str, note: &str, header: &str, asked: [&str; 3], now: Millis| {
            Case::new(&format!("request/{name}"), expect, check, note)
                .hex("network", NETWORK.0)
                .with("header", header)
                .with("method", asked[0])
                .with("path", asked[1])
                .hex("body", asked[2])
                .with("now", now.0)
        };
    let good = ["PUT", path, "body"];
    let late = format!("{}.{}.{}", &header[..64], time.0 + 1, &header[64 + 1 + 13 + 1..]);
    let digest = |body: &[u8]| Digest::of(body).to_string();
    let swapped = header.replace(&digest(b"body"), &digest(b"bodY"));
    let elsewhere = request::sign(&NetworkId([0x12; 32]), &me, "PUT", path, b"body", time);
    let no = "refused";
    vec![
        case("put", "success", "REQ-02", "signed now", &header, good, time).hex("by", me.public().0),
        case("late", "success", "REQ-01", "two minutes ago", &header, good, at(120_000))
            .hex("by", me.public().0),
        case("early", "success", "REQ-01", "in two minutes", &header, good, at(-120_000))
            .hex("by", me.public().0),
        case("req-01-late", no, "REQ-01", "two minutes and a millisecond ago", &header, good, at(120_001)),
        case(
            "req-01-early",
            no,
            "REQ-01",
            "two minutes and a millisecond ahead",
            &header,
            good,
            at(-120_001),
        ),
        case("req-02-method", no, "REQ-02", "another method", &header, ["GET", path, "body"], time),
        case(
            "req-02-path",
            no,
            "REQ-02",
            "another path",
            &header,
            ["PUT", "/v1/batches/0/300/1", "body"],
            time,
        ),
        case("req-02-digest", no, "REQ-02", "another digest", &swapped, ["PUT", path, "bodY"], time),
        case("req-02-time", no, "REQ-02", "another time", &late, good, time),
        case("req-02-network", no, "REQ-02", "signed for another network", &elsewhere, good, time),
        case("req-02-form", no, "REQ-02", "a field too many", &format!("{header}.00"), good, time),
        case("req-03-body", no, "REQ-03", "another body", &header, ["PUT", path, "bodY"], time),
    ]
}
