//! Runs one vector: reads its fields, asks the public API, compares.

use proto::conversation::{self, Body, Link, Message};
use proto::directory::{Directory, DirectoryRejected, Roster, UnverifiedDirectory};
use proto::document::{Joining, Part, Taken};
use proto::drops::{DeskDrop, ReaderDrop};
use proto::edition::{EditionRejected, UnverifiedHead};
use proto::envelope::{self, Found};
use proto::exit::Pool;
use proto::id::KeyId;
use proto::log::{Checkpoint, Frontier, NoteRejected, UnverifiedNote};
use proto::mix::{BatchId, Gathering, Input, Inputs, Manifest, Offered, Rule};
use proto::pass::{self, DeskPass};
use proto::request::UnverifiedRequest;
use proto::seal::{SealPublic, SealSecret};
use proto::sign::{IdentityPublic, RootPublic, RootSignature, Unverified};
use proto::story::Story;
use proto::{Digest, Millis, Round, batch, codec};

use crate::fields::{self, Fields, Outcome, SUCCESS, word};
use crate::make::Draw;

/// Says what is wrong with the vector, if anything is.
pub(crate) fn check(path: &str, text: &str) -> Result<(), String> {
    let (kind, _) = path.split_once('/').ok_or("it lies in no folder")?;
    fields::check(text, |f| match kind {
        "envelope" => layer(f),
        "drop" => a_drop(f),
        "pass" => a_pass(f),
        "mix" => rule(f),
        "exit" => exit(f),
        "batch" => a_batch(f),
        "conversation" if f.has("plain") => message(f),
        "conversation" if f.has("box") => boxed(f),
        "conversation" => reply(f),
        "document" if f.has("plain") => part(f),
        "document" => joined(f),
        "signature" if f.has("root") => root(f),
        "signature" => record(f),
        "directory" => directory(f),
        "edition" => edition(f),
        "request" => request(f),
        "log" if f.has("checkpoint") => checkpoint(f),
        "log" => tree(f),
        _ => Err("nobody runs this kind".into()),
    })
}

fn layer(f: &Fields) -> Outcome {
    let (wire, hop, key, bytes) = (f.wire()?, f.number::<u8>("hop")?, f.key("key")?, f.bytes("layer")?);
    let replay = |tag: [u8; 16]| if f.has("replay") { f.states("replay", hex::encode(tag)) } else { Ok(()) };
    if hop < wire.cascade.exit() {
        let (tag, next) = match envelope::open_layer(&wire, hop, &key, &bytes) {
            Ok(opened) => opened,
            Err(e) => return Ok(word(e)),
        };
        f.states("sha256", Digest::of(&next))?;
        replay(tag)?;
        return Ok(SUCCESS.into());
    }
    let passes = if f.has("pass") { vec![DeskPass::from_bytes(f.array("pass")?)] } else { vec![] };
    let (tag, found) = match envelope::open_exit(&wire, &key, &passes, &bytes) {
        Ok(opened) => opened,
        Err(e) => return Ok(word(e)),
    };
    replay(tag)?;
    match found {
        Found::Cover => f.states("found", "cover")?,
        Found::ToDesk(boxed) => {
            f.states("found", "to a desk")?;
            f.states("sha256", Digest::of(&boxed))?;
        }
        Found::ToReaders(slots) => {
            f.states("found", "to readers")?;
            f.states("slots", slots.len())?;
            f.states("sha256", Digest::of(slots.as_flattened()))?;
        }
    }
    Ok(SUCCESS.into())
}

fn a_pass(f: &Fields) -> Outcome {
    let (network, table) = (f.network()?, f.bytes("table")?);
    let (seeds, places) = (f.bytes("desks")?, f.number("places")?);
    let desks: Vec<_> = seeds.as_chunks().0.iter().map(SealSecret::from_seed).collect();
    let listed = || desks.iter().map(SealSecret::public);
    match pass::find(&network, &f.key("intake")?, &table) {
        Some(found) if pass::table(&network, &found, listed(), places) == table => {
            f.states("pass", hex::encode(found.as_bytes()))?;
            f.states("proof", hex::encode(found.proof(&f.bytes("box")?)))?;
            Ok(SUCCESS.into())
        }
        _ => Ok("no pass".into()),
    }
}

fn a_drop(f: &Fields) -> Outcome {
    let (cascade, slots) = (f.cascade()?, f.number("slots")?);
    let read = if f.has("desk-drop") {
        DeskDrop::from_bytes(cascade, slots, f.number("desks")?, f.bytes("desk-drop")?)
            .map(|drop| drop.boxes().len())
    } else {
        ReaderDrop::from_bytes(slots, f.bytes("reader-drop")?).map(|drop| drop.slots().len())
    };
    Ok(match read {
        Ok(n) if n == usize::from(slots) => SUCCESS.into(),
        Ok(n) => format!("{n} slots"),
        Err(e) => word(e),
    })
}

fn rule(f: &Fields) -> Outcome {
    let rule = Rule { n_min: f.number("n-min")?, n_max: f.number("n-max")? };
    let mut gathering = Gathering::resume(rule, [], vec![], Inputs::default());
    let (mut outcome, mut closed, mut now) = (String::new(), None, Round(0));
    for (n, step) in (0u32..).zip(f.every("step")) {
        outcome = match step.split(' ').collect::<Vec<_>>()[..] {
            ["input", entries] => {
                let entries = entries.parse().map_err(|_| "entries")?;
                let source = BatchId { round: Round(n), part: 0 };
                gathering.input(Input { source, at: now, digest: Digest::of(step.as_bytes()), entries });
                "taken".into()
            }
            ["round", round] => {
                now = Round(round.parse().map_err(|_| "a round")?);
                gathering.ripen(now);
                "ripe".into()
            }
            ["delete"] => format!("{} deleted", gathering.expire(now).len()),
            ["offer", tag, item, ..] => {
                let mut bytes = [0; 16];
                hex::decode_to_slice(tag, &mut bytes).map_err(|_| "a tag is 16 bytes")?;
                let release = step.split(' ').nth(3).unwrap_or("0").parse().map_err(|_| "a round")?;
                let item = item.parse().map_err(|_| "an item is a number")?;
                match gathering.offer(bytes, item, Round(release)) {
                    Offered::New => "new".into(),
                    Offered::Replay => "replay".into(),
                }
            }
            ["close", over] => match gathering.close(over == "yes", &mut Draw::new("any order")) {
                None => "waits".into(),
                Some(batch) => {
                    closed = Some(batch);
                    "closed".into()
                }
            },
            _ => return Err(format!("no such step: {step}")),
        };
    }
    if outcome == "closed" {
        let mut batch = closed.ok_or("nothing closed")?;
        batch.order.sort_unstable();
        let items: Vec<String> = batch.order.iter().map(ToString::to_string).collect();
        if f.has("items") {
            f.states("items", items.join(" "))?;
        } else {
            // Which of them leave is drawn.
            f.states("leave", items.len())?;
        }
        f.states("count-in", batch.count_in)?;
        f.states("inputs", batch.inputs.len())?;
    }
    Ok(outcome)
}

fn exit(f: &Fields) -> Outcome {
    let (slots, added) = (f.number::<u16>("slots")?, f.number::<i64>("added")?);
    let mut draw = Draw::new("any item");
    let mut pool = Pool::resume(slots, vec![]);
    let held = if f.has("held") { f.number("held")? } else { 0 };
    let release = |item| if item < held { Round(1) } else { Round(0) };
    let gone = (0..added).filter(|&item| pool.add(item, release(item), &mut draw).is_some()).count();
    if f.has("gone") {
        f.states("gone", gone)?;
        f.states("waiting", pool.waiting())?;
    } else {
        let places = pool.emit(&mut draw);
        let filled = places.iter().flatten().count();
        f.states("filled", filled)?;
        f.states("filler", places.len() - filled)?;
        f.states("left", pool.waiting())?;
    }
    Ok(SUCCESS.into())
}

fn a_batch(f: &Fields) -> Outcome {
    match batch::open(&f.wire()?, f.number("hop")?, &f.key("key")?, &f.bytes("batch")?) {
        Ok(entries) => {
            f.states("entries", entries.len())?;
            f.states("sha256", Digest::of(&entries.concat()))?;
            Ok(SUCCESS.into())
        }
        Err(e) => Ok(word(e)),
    }
}

fn message(f: &Fields) -> Outcome {
    let message = match Message::unpack(f.cascade()?, &f.bytes("plain")?) {
        Ok(message) => message,
        Err(e) => return Ok(word(e)),
    };
    f.states("conversation", hex::encode(message.conversation.as_bytes()))?;
    f.states("sequence", message.sequence)?;
    f.states("highest", message.received.highest)?;
    f.states("before", message.received.before)?;
    f.states("text", message.body.text().unwrap_or_default())?;
    Ok(SUCCESS.into())
}

fn unpacked_part(f: &Fields, name: &str) -> Result<Option<(u32, Part)>, String> {
    match Message::unpack(f.cascade()?, &f.bytes(name)?).map(|message| (message.sequence, message.body)) {
        Ok((sequence, Body::Part(part))) => Ok(Some((sequence, part))),
        Ok((_, Body::Text(_))) => Err("a text".into()),
        Err(_) => Ok(None),
    }
}

fn part(f: &Fields) -> Outcome {
    let Some((sequence, part)) = unpacked_part(f, "plain")? else { return Ok("bad message".into()) };
    f.states("sequence", sequence)?;
    f.states("part", part.part)?;
    f.states("parts", part.parts)?;
    if let Some(head) = part.head() {
        f.states("format", head.format.ending())?;
        f.states("name", head.name)?;
        f.states("length", head.length)?;
        f.states("sha256", hex::encode(head.sha256))?;
    }
    Ok(SUCCESS.into())
}

fn joined(f: &Fields) -> Outcome {
    let (mut joining, mut outcome) = (None, String::new());
    for step in f.steps()? {
        let came = match step.words()[..] {
            ["part", name] => {
                let part = unpacked_part(f, &format!("part-{name}"))?.ok_or("bad message")?.1;
                match joining.get_or_insert_with(|| Joining::new(part.parts)).take(&part) {
                    Taken::New => "new".into(),
                    Taken::Known => "known".into(),
                    Taken::Disagrees => "disagrees".into(),
                }
            }
            ["join"] => match joining.as_ref().and_then(Joining::join) {
                None => "waits".into(),
                Some(Err(_)) => "damaged".into(),
                Some(Ok(whole)) => format!("whole | {}", Digest::of(&whole.content)),
            },
            _ => return step.unknown(),
        };
        outcome = step.gave(came)?;
    }
    Ok(outcome.split(" | ").next().unwrap_or_default().into())
}

fn boxed(f: &Fields) -> Outcome {
    match conversation::open_message(&f.wire()?, &f.key("intake")?, &f.bytes("box")?) {
        Ok((message, chain)) => {
            f.states("text", message.body.text().unwrap_or_default())?;
            f.states("ack", hex::encode(chain.ack()))?;
            f.states("first-tag", hex::encode(chain.links()[0].tag()))?;
            f.states("last-tag", hex::encode(chain.links()[63].tag()))?;
            Ok(SUCCESS.into())
        }
        Err(e) => Ok(word(e)),
    }
}

fn reply(f: &Fields) -> Outcome {
    let link = link(f.array("link-tag")?, f.array("link-secret")?);
    match conversation::open_reply(&link, &f.array("slot")?) {
        Ok(part) => {
            f.states("number", part.number)?;
            f.states("part", part.part)?;
            f.states("parts", part.parts)?;
            f.states("whole", hex::encode(part.whole))?;
            f.states("text", String::from_utf8_lossy(&part.text))?;
            Ok(SUCCESS.into())
        }
        Err(e) => Ok(word(e)),
    }
}

fn record(f: &Fields) -> Outcome {
    let signed: Unverified<Manifest> = f.record("signed-manifest")?;
    Ok(signed
        .verify(&f.network()?, &IdentityPublic(f.array("signer")?))
        .map_or_else(word, |_| SUCCESS.into()))
}

fn root(f: &Fields) -> Outcome {
    let (root, signature) = (f.record::<RootPublic>("root")?, f.record::<RootSignature>("root-signature")?);
    Ok(root.verify::<Roster>(&f.bytes("body")?, &signature).map_or_else(word, |()| SUCCESS.into()))
}

fn verified(f: &Fields, name: &str) -> Result<Result<Directory, DirectoryRejected>, String> {
    let network = f.network()?;
    let read = UnverifiedDirectory::from_bytes(&f.bytes(name)?).map_err(DirectoryRejected::from);
    Ok(read.and_then(|directory| directory.verify(&network)))
}

fn directory(f: &Fields) -> Outcome {
    let directory = match verified(f, "directory")? {
        Ok(directory) => directory,
        Err(e) => return Ok(word(e)),
    };
    if f.has("before") {
        let before = verified(f, "before")?.map_err(|e| format!("the directory before: {e}"))?;
        let follows = directory.follows(&before, Round(f.number("at")?));
        return Ok(follows.map_or_else(word, |()| SUCCESS.into()));
    }
    if f.has("round") {
        let key = directory.mix_key(f.number("hop")?, Round(f.number("round")?));
        let Some(id) = key.map(SealPublic::id) else { return Ok("no key".into()) };
        let want = KeyId(f.array("key-id")?);
        return if id == want { Ok(SUCCESS.into()) } else { Err(format!("key {id} is in use")) };
    }
    f.states("digest", directory.digest())?;
    if let Some(desk) = directory.desks().first() {
        f.states("desk", desk.id)?;
    }
    Ok(SUCCESS.into())
}

fn edition(f: &Fields) -> Outcome {
    let directory = verified(f, "directory")?.map_err(|e| format!("the directory: {e}"))?;
    let (asked, now) = (Round(f.number("asked")?), Round(f.number("now")?));
    let previous = Digest(f.array("previous")?);
    let opened = |f: &Fields| -> Result<Result<(), EditionRejected>, String> {
        let head = f.bytes("head")?;
        let edition = match UnverifiedHead::from_bytes(&head)
            .and_then(|head| head.verify(&directory, asked, now, Some(&previous)))
        {
            Ok(edition) => edition,
            Err(e) => return Ok(Err(e)),
        };
        if f.has("digest") {
            f.states("digest", edition.digest())?;
        }
        if f.has("front") {
            let bundle = match edition.front(&f.bytes("front")?) {
                Ok(bundle) => bundle,
                Err(e) => return Ok(Err(e)),
            };
            f.states("gone", bundle.gone.len())?;
            match edition.page(vec![], bundle) {
                Ok(page) => f.states("stories", page.len())?,
                Err(e) => return Ok(Err(e)),
            }
        }
        if f.has("changes") {
            let held: Vec<Story> =
                codec::decode(&f.bytes("held")?).map_err(|e| format!("the page held: {e}"))?;
            match edition.changes(&f.bytes("changes")?).and_then(|changes| edition.page(held, changes)) {
                Ok(page) => f.states("stories", page.len())?,
                Err(e) => return Ok(Err(e)),
            }
        }
        // EDN-07: what no manifest of the exit names is not the edition's.
        let named = || edition.drops().first().ok_or(EditionRejected::Drop);
        if f.has("reader-drop") {
            let bytes = f.bytes("reader-drop")?;
            return Ok(named().and_then(|drop| drop.reader_drop(&directory, bytes).map(|_| ())));
        }
        if f.has("desk-drop") {
            let bytes = f.bytes("desk-drop")?;
            return Ok(named().and_then(|drop| drop.desk_drop(&directory, bytes).map(|_| ())));
        }
        Ok(Ok(()))
    };
    Ok(opened(f)?.map_or_else(word, |()| SUCCESS.into()))
}

fn request(f: &Fields) -> Outcome {
    let (method, path, body) = (f.text("method")?, f.text("path")?, f.bytes("body")?);
    let (network, now) = (f.network()?, Millis(f.number("now")?));
    let by = UnverifiedRequest::parse(f.text("header")?)
        .and_then(|request| request.verify(&network, method, path, now))
        .and_then(|signed| signed.check_body(&body).map(|()| signed.by()));
    match by {
        Ok(by) => {
            f.states("by", hex::encode(by.0))?;
            Ok(SUCCESS.into())
        }
        Err(e) => Ok(word(e)),
    }
}

fn checkpoint(f: &Fields) -> Outcome {
    let directory = verified(f, "directory")?.map_err(|e| format!("the directory: {e}"))?;
    let (now, newest) = (Millis(f.number("now")?), Round(f.number("newest")?));
    let checkpoint = UnverifiedNote::from_bytes(&f.bytes("checkpoint")?)
        .map_err(NoteRejected::from)
        .and_then(|note| note.verify(&directory, newest))
        .and_then(|signed| signed.witnessed(&directory, now));
    match checkpoint {
        Ok(checkpoint) => {
            f.states("size", checkpoint.size)?;
            f.states("root", checkpoint.root)?;
            Ok(SUCCESS.into())
        }
        Err(e) => Ok(word(e)),
    }
}

fn tree(f: &Fields) -> Outcome {
    let checkpoint = Checkpoint { size: f.number("size")?, root: Digest(f.array("root")?) };
    let leaves: Result<Vec<_>, _> = f.every("leaf").iter().map(hex::decode).collect();
    let leaves = leaves.map_err(|e| format!("leaf: {e}"))?;
    let head = f.has("head").then(|| f.bytes("head")).transpose()?;
    let mut tree = match Frontier::from_bytes(&f.bytes("frontier")?) {
        Ok(tree) => tree,
        Err(e) => return Ok(word(e)),
    };
    let outcome = match head {
        Some(head) => tree.begin(&head, &checkpoint).map(|_| ()),
        None => {
            leaves.iter().for_each(|leaf| tree.push(leaf));
            tree.check(&checkpoint)
        }
    };
    Ok(outcome.map_or_else(word, |()| SUCCESS.into()))
}

/// The link that a vector gives by tag and secret.
fn link(tag: [u8; 16], secret: [u8; 32]) -> Link {
    let bytes = [&[0x82, 0x50][..], &tag, &[0x58, 0x20], &secret].concat();
    proto::codec::decode(&bytes).expect("a link is its tag and its secret")
}
