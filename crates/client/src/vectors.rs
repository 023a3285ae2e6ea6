//! The vectors that only this crate can run: what lies on a device, and what several messages or parts become. Exchanges
//! are run from outside, in `tests/device/vectors.rs`.

#[path = "../../proto/tests/vectors/fields.rs"]
#[allow(dead_code, reason = "shared with other crates, which use the rest")]
mod fields;
#[path = "../../proto/tests/vectors/make/ingredients.rs"]
mod ingredients;

use std::path::Path;

use proto::conversation::ReplyPart;
use proto::envelope::{Blob, Wire};
use proto::keys::KeyKind;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::{DeskId, Digest, Millis, NetworkId, Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};
use zeroize::Zeroizing;

use self::fields::{Fields, Outcome, SUCCESS, run_folder};
use self::ingredients::{Ingredients, Region};
use crate::conversations::{Content, Said};
use crate::device::DeskView;
use crate::kdf::Kdf;
use crate::mailbox::{HintKey, Mailbox, MailboxError, MailboxFile, QUEUE};
use crate::passphrase::{Passphrase, PassphraseError};
use crate::schedule::InstantSecret;
use crate::seal::StoreKey;
use crate::vault::{Outgoing, UnlockError, Vault, VaultContents};

fn rng() -> StdRng {
    StdRng::seed_from_u64(1)
}

fn why(error: impl core::fmt::Display) -> String {
    error.to_string()
}

/// MBX-01, MBX-02, MBX-03, MBX-06, MBX-09
#[test]
fn a_mailbox_has_the_outcome_of_its_vector() {
    run_folder("mailbox", 20, |f| if f.has("typed") { passphrase(f) } else { mailbox(f) });
}

fn passphrase(f: &Fields) -> Outcome {
    match Passphrase::parse(f.text("typed")?) {
        Err(PassphraseError::Count(_)) => Ok("count".into()),
        Err(PassphraseError::Unknown(_)) => Ok("unknown".into()),
        Ok(passphrase) => {
            let key = Kdf::desktop().derive(&passphrase, &f.array("salt")?).map_err(why)?;
            f.states("region-key", hex::encode(key.dangerously_as_bytes()))?;
            Ok(SUCCESS.into())
        }
    }
}

fn mailbox(f: &Fields) -> Outcome {
    let cascade = f.cascade()?;
    let optional = |name: &str| if f.has(name) { f.number(name).map(Some) } else { Ok(None) };
    let [filling] = f.array("filling")?;
    let region = if f.has("region-key") {
        Some(Region {
            key: f.array("region-key")?,
            nonce: f.array("region-nonce")?,
            length: f.number("content-length")?,
            content: f.bytes("content")?,
            flipped: optional("region-flipped")?,
        })
    } else {
        None
    };
    let file = ingredients::file(&Ingredients {
        blob: cascade.blob(),
        device_key: f.array("device-key")?,
        salt: f.array("salt")?,
        filling,
        region,
        flipped: optional("flipped")?,
        length: f.number("length")?,
    });
    f.states("sha256", Digest::of(&file))?;
    let folder = tempfile::tempdir().map_err(why)?;
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).map_err(why);
    write("mailbox", &file)?;
    write("device.key", &f.array::<33>("key-file")?)?;
    let wire = Wire { network: NetworkId([1; 32]), cascade };
    let opened = MailboxFile::lock(folder.path()).and_then(|file| Mailbox::open(file, wire, &mut rng()));
    let mailbox = match opened {
        Ok(mailbox) => mailbox,
        Err(MailboxError::Damaged(_)) => return Ok("no mailbox".into()),
        Err(e) => return Err(why(e)),
    };
    if mailbox.salt() != f.array("salt")? {
        return Err("the salt is another".into());
    }
    if !f.has("tried") {
        return Ok(SUCCESS.into());
    }
    match mailbox.open_region(&StoreKey::from_bytes(f.array("tried")?)) {
        None => Ok("not opened".into()),
        Some(content) => {
            f.states("found", Digest::of(&content))?;
            Ok(SUCCESS.into())
        }
    }
}

/// MBX-07, MBX-08, MBX-12
#[test]
fn a_queue_has_the_outcome_of_its_vector() {
    run_folder("queue", 6, queue);
}

fn queue(f: &Fields) -> Outcome {
    let wire = Wire { network: NetworkId([1; 32]), cascade: f.cascade()? };
    let blob = |of: u8| Blob::from_bytes(&wire, vec![of; wire.cascade.blob()]).expect("a blob's length");
    let named = |word: &str| word.parse::<u8>().map(blob).map_err(why);
    let mut mailbox = Mailbox::in_memory(wire, &mut rng());
    let mut places = 0..;
    let cover = |_, _: &mut StdRng| blob(places.next().expect("it has no end")).into();
    mailbox.fill(cover, &mut rng()).map_err(why)?;
    let key = HintKey::from_bytes(f.array("hint-key")?);
    let mut outcome = String::new();
    for step in f.steps()? {
        let came = match step.words()[..] {
            ["message", message] => match mailbox.place(&key, &named(message)?.into()) {
                Ok((place, hint)) => format!("place {place} | hint {}", hex::encode(hint)),
                Err(_) => "refused".into(),
            },
            ["take", cover, round] => {
                let round = Round(round.parse().map_err(why)?);
                mailbox.take(round, &named(cover)?.into(), &mut rng()).map_err(why)?.as_bytes()[0].to_string()
            }
            ["left", message] => match mailbox.left(&key.hint(&named(message)?)) {
                Some(round) => round.to_string(),
                None => "unknown".into(),
            },
            _ => return step.unknown(),
        };
        outcome = step.gave(came)?;
    }
    // Whatever it holds leaves in its order, and behind it comes what was put in its place.
    let blobs: Vec<_> = (0..=QUEUE)
        .map(|_| {
            mailbox.take(Round(0), &blob(255).into(), &mut rng()).map(|blob| blob.as_bytes()[0]).map_err(why)
        })
        .collect::<Result<_, _>>()?;
    if blobs[QUEUE] != 255 {
        return Err("it holds more than 48 blobs".into());
    }
    f.states("queue", blobs[..QUEUE].iter().map(u8::to_string).collect::<Vec<_>>().join(" "))?;
    Ok(outcome.split(" | ").next().unwrap_or_default().into())
}

/// VLT-01, VLT-02
#[test]
fn a_vault_has_the_outcome_of_its_vector() {
    run_folder("vault", 15, vault);
}

fn vault(f: &Fields) -> Outcome {
    let passphrase = Passphrase::parse(f.text("typed")?).map_err(why)?;
    match Vault::open(Path::new("vault"), &f.bytes("vault")?, &passphrase) {
        Ok((key, text)) => {
            f.states("key", hex::encode(key.dangerously_as_bytes()))?;
            f.states("text", hex::encode(&*text))?;
            Ok(SUCCESS.into())
        }
        Err(UnlockError::NotAVault(_)) => Ok("no vault".into()),
        Err(UnlockError::Wrong) => Ok("not opened".into()),
        Err(e) => Err(why(e)),
    }
}

/// EXC-01
#[test]
fn an_instant_is_the_one_of_its_vector() {
    run_folder("instant", 3, |f| {
        let secret = InstantSecret::from_bytes(f.array("secret")?);
        let schedule = Schedule { genesis: Millis(0), round_ms: f.number("round-ms")? };
        f.states("offset-ms", secret.offset_ms(&schedule, Round(f.number("round")?)))?;
        Ok(SUCCESS.into())
    });
}

/// CNV-07
#[test]
fn parts_of_replies_become_what_their_vector_says() {
    run_folder("reply", 8, reply);
}

fn reply(f: &Fields) -> Outcome {
    let desk = DeskView { id: DeskId([1; 16]), newsroom: "N".into(), name: "D".into(), about: String::new() };
    let mut content = Content::new(&mut rng());
    let source = content.with(&desk, &mut rng()).ok_or("no room for a conversation")?;
    let mut outcome = String::new();
    for step in f.steps()? {
        let ["part", number, part, parts, whole, text] = step.words()[..] else { return step.unknown() };
        let part = ReplyPart {
            number: number.parse().map_err(why)?,
            part: part.parse().map_err(why)?,
            parts: parts.parse().map_err(why)?,
            whole: fields::bytes(whole)?.try_into().map_err(|_| "eight bytes")?,
            text: Zeroizing::new(fields::bytes(text)?),
        };
        let is_new = source.take_part(&part, Round(9));
        let of = |line: &&Said| matches!(line, Said::Desk { number, .. } if *number == part.number);
        let came = match (is_new, source.lines.iter().rfind(of)) {
            (false, _) => "nothing new".into(),
            (true, Some(Said::Desk { text, .. })) => format!("reply | {}", hex::encode(&text.0)),
            (true, _) => return Err("a reply without its line".into()),
        };
        outcome = step.gave(came)?;
    }
    let received = source.received_before(Round(10));
    f.states("highest", received.highest)?;
    f.states("before", received.before)?;
    Ok(outcome.split(" | ").next().unwrap_or_default().into())
}

/// CNV-08, CNV-09
#[test]
fn boxes_become_what_their_vector_says() {
    run_folder("inbox", 8, inbox);
}

fn inbox(f: &Fields) -> Outcome {
    let folder = tempfile::tempdir().map_err(why)?;
    let contents = VaultContents {
        vault_key: IdentitySecret::generate(&mut rng()),
        intake: vec![(KeyKind::Intake.period(Round(0)), SealSecret::from_seed(&f.array("intake")?))],
    };
    let words = Passphrase::generate(&mut rng());
    let path = folder.path().join("vault");
    let mut vault = Vault::create(&path, &words, Kdf::cheap(), contents, &mut rng()).map_err(why)?;
    let mut outcome = String::new();
    for (edition, step) in (9..).zip(f.steps()?) {
        let came = match step.words()[..] {
            ["box", name] => {
                let boxed = f.bytes(&format!("box-{name}"))?;
                let opened = vault.open_message(&f.wire()?, Round(edition), &boxed);
                let (message, chain) = opened.ok_or("it does not open")?;
                let book = &mut vault.book;
                let before = book.waiting.len();
                let new = book.take(&message, chain, Round(edition));
                match (new, &book.waiting[before..]) {
                    (true, [Outgoing::Ack(tag)]) => format!("new | acknowledged {}", hex::encode(tag)),
                    (false, [Outgoing::Ack(tag)]) => format!("known | acknowledged {}", hex::encode(tag)),
                    (false, []) => "copy".into(),
                    _ => return Err("it is acknowledged in another way than can be".into()),
                }
            }
            ["write", conversation] => {
                let key: Vec<u8> = fields::bytes(conversation)?;
                let thread = vault.book.threads.iter_mut().find(|t| t.key.as_bytes()[..] == key[..]);
                match thread.and_then(|t| t.chain.as_mut()?.chain.next_link()) {
                    Some(link) => format!("link {}", hex::encode(link.tag())),
                    None => "no link".into(),
                }
            }
            _ => return step.unknown(),
        };
        outcome = step.gave(came)?;
    }
    f.states("messages", vault.book.threads.iter().map(|t| t.lines.len()).sum::<usize>())?;
    Ok(outcome.split(" | ").next().unwrap_or_default().into())
}
