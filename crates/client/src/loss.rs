//! Both ends of a conversation over a network that loses, doubles, delays and reorders what it is given, round by round. The ends
//! are the real ones, with their queues, boxes and chains; what lies between them is chance.
//!
//! Not a failure: a message or an answer that never arrives, if its writer is told; an answer of which the desk never hears
//! that it arrived.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use proto::conversation::ReplyPart;
use proto::document::{Document, Format};
use proto::envelope::{self, Blob, Found, Wire};
use proto::keys::KeyKind;
use proto::pass::DeskPass;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::size::{Cascade, READER_SLOT};
use proto::{DeskId, NetworkId, Round};
use rand::{SeedableRng as _, rngs::StdRng};

use crate::book::{COPIES, Readers, is_due};
use crate::conversations::{Content, Keys, PATIENCE, SEALINGS, Said};
use crate::device::DeskView;
use crate::kdf::Kdf;
use crate::listen::{Brought, Expected};
use crate::mailbox::Mailbox;
use crate::passphrase::Passphrase;
use crate::vault::{Outgoing, Spoken, Vault, VaultContents};

/// What the network does.
#[derive(Clone, Copy, Debug)]
struct Weather {
    /// Of a hundred envelopes, how many are lost, and how many come twice.
    lost: u32,
    twice: u32,
    /// Up to how many rounds each takes; another number for each, so that they pass each other.
    delay: u32,
    /// The source unlocks every so many rounds.
    unlocks: u32,
}

fn weather(lost: impl Strategy<Value = u32>) -> impl Strategy<Value = Weather> {
    (lost, 0u32..50, 0u32..60, 1u32..40).prop_map(|(lost, twice, delay, unlocks)| Weather {
        lost,
        twice,
        delay,
        unlocks,
    })
}

/// Writing and answering stop here.
const BUSY: u32 = 150;
/// From then on nothing is under way any more: three times the patience, the delays, the queues and the unlockings.
const END: u32 = 900;

/// When a slot arrives, the slot, and which part of which reply it carries, if it does.
type OnItsWay = (u32, [u8; READER_SLOT], Option<(u32, u8)>);

struct World {
    wire: Wire,
    exit: SealSecret,
    weather: Weather,
    rng: StdRng,
    now: Round,
    content: Content,
    source: Mailbox,
    vault: Vault,
    intake: SealSecret,
    desk: Mailbox,
    to_desk: Vec<(u32, Vec<u8>)>,
    to_source: Vec<OnItsWay>,
    /// Parts of each reply that the source's device has seen in time.
    arrived: BTreeMap<u32, HashSet<u8>>,
    answers: Vec<(u32, String)>,
    /// What the source sends beside its messages.
    document: Document,
    _folder: tempfile::TempDir,
}

fn pass() -> DeskPass {
    DeskPass::from_bytes([8; 32])
}

impl World {
    fn new(weather: Weather, seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() };
        let folder = tempfile::tempdir().unwrap();
        let intake = SealSecret::generate(&mut rng);
        let contents = VaultContents {
            vault_key: IdentitySecret::generate(&mut rng),
            intake: vec![(KeyKind::Intake.period(Round(0)), copy(&intake))],
        };
        let words = Passphrase::generate(&mut rng);
        let vault =
            Vault::create(&folder.path().join("vault"), &words, Kdf::cheap(), contents, &mut rng).unwrap();
        let [source, desk] = [(); 2].map(|()| {
            let mut mailbox = Mailbox::in_memory(wire, &mut rng);
            mailbox.fill(|_, _| cover(&wire).into(), &mut rng).unwrap();
            mailbox
        });
        Self {
            wire,
            exit: SealSecret::generate(&mut rng),
            weather,
            now: Round(0),
            content: Content::new(&mut rng),
            source,
            vault,
            intake,
            desk,
            to_desk: vec![],
            to_source: vec![],
            arrived: BTreeMap::new(),
            answers: vec![],
            document: document(&mut rng),
            rng,
            _folder: folder,
        }
    }

    fn run(&mut self) {
        for round in 0..END {
            self.now = Round(round);
            self.send();
            self.at_the_desk();
            if round % self.weather.unlocks == 0 {
                self.at_the_source();
            }
        }
        self.at_the_source();
    }

    /// Both devices take a blob, and the network does as it pleases with it.
    fn send(&mut self) {
        let cover = cover(&self.wire).into();
        let blob = self.source.take(self.now, &cover, &mut self.rng).unwrap();
        if let Some(Found::ToDesk(boxed)) = self.opened(&blob) {
            for at in self.fate() {
                self.to_desk.push((at, boxed.clone()));
            }
        }
        let blob = self.desk.take(self.now, &cover, &mut self.rng).unwrap();
        let hint = self.vault.hints.hint(&blob);
        if let Some(Found::ToReaders(slots)) = self.opened(&blob) {
            let placed = self.vault.book.placed.iter().find(|placed| placed.hint == hint).unwrap();
            let parts = placed.items.iter().filter_map(|item| match item {
                Outgoing::Part { number, part, .. } => Some((*number, *part)),
                Outgoing::Ack(_) => None,
            });
            // Acknowledgements have the first slot if there are any, and what the parts leave.
            let acks = placed.items.iter().any(|item| matches!(item, Outgoing::Ack(_)));
            let carried: Vec<_> = acks.then_some(None).into_iter().chain(parts.map(Some)).collect();
            let carried = carried.into_iter().chain(std::iter::repeat(None));
            for (slot, part) in slots.into_iter().zip(carried) {
                for at in self.fate() {
                    self.to_source.push((at, slot, part));
                }
            }
        }
    }

    fn opened(&self, blob: &Blob) -> Option<Found> {
        if blob.as_bytes() == cover(&self.wire).as_bytes() {
            return None;
        }
        Some(envelope::open_exit(&self.wire, &self.exit, &[pass()], blob.as_bytes()).unwrap().1)
    }

    /// When copies of something arrive.
    fn fate(&mut self) -> Vec<u32> {
        let (weather, now) = (self.weather, self.now.0);
        let copies = match self.rng.random_range(0..100u32) {
            n if n < weather.lost => 0,
            n if n < weather.lost + weather.twice => 2,
            _ => 1,
        };
        (0..copies).map(|_| now + 2 + self.rng.random_range(0..=weather.delay)).collect()
    }

    /// What a desk's program does in every round; and now and then somebody answers.
    fn at_the_desk(&mut self) {
        let now = self.now;
        let mut arriving: Vec<_> = self.to_desk.extract_if(.., |(at, _)| *at <= now.0).collect();
        rand::seq::SliceRandom::shuffle(arriving.as_mut_slice(), &mut self.rng);
        for (_, boxed) in arriving {
            let (message, chain) = self.vault.open_message(&self.wire, now, &boxed).unwrap();
            self.vault.book.take(&message, chain, now);
        }
        let book = &mut self.vault.book;
        book.looked = Some(now);
        if !book.threads.is_empty()
            && now.0 < BUSY
            && self.answers.len() < 4
            && self.rng.random_range(0..20) == 0
        {
            let number = book.threads[0].replies + 1;
            let text = format!("answer {number} ").repeat(self.rng.random_range(1..=1_500));
            let parts = ReplyPart::cut(number, &text).unwrap();
            if parts.len() <= book.links(&book.threads[0], now) {
                book.say(0, &text, parts, now);
                self.answers.push((number, text));
            }
        }
        book.note_left(&self.desk, now);
        book.repeat(now, now);
        let exit = self.exit.public();
        let slots = self.wire.cascade.slots();
        let readers = Readers { wire: &self.wire, exit, week: Round(0), pass: pass(), day: 0, slots };
        while let Some(blob) = book.envelope(&readers, now, &self.vault.hints, &mut self.rng) {
            self.desk.place(&self.vault.hints, &blob.into()).unwrap();
        }
    }

    /// What an unlocking does; and now and then something is written.
    fn at_the_source(&mut self) {
        let now = self.now;
        let arriving: Vec<_> = self.to_source.extract_if(.., |(at, ..)| *at <= now.0).collect();
        let expected = Expected::of(&self.content);
        let brought: Vec<Brought> = arriving.iter().map(|(_, slot, _)| (now, *slot)).collect();
        for (number, part) in arriving.into_iter().filter_map(|(.., part)| part) {
            self.arrived.entry(number).or_default().insert(part);
        }
        expected.take(&brought, &mut self.content);
        self.content.looked = Some(now);
        self.content.settle(now);
        self.content.note_left(&self.source);
        let overdue = self.content.conversations.iter().flat_map(|c| c.overdue(now)).collect::<Vec<_>>();
        for sequence in overdue {
            self.seal(sequence);
        }
        if now.0 > BUSY / 3
            && let Some(conversation) = self.content.conversations.first_mut()
            && conversation.documents().count() == 0
        {
            conversation.attach(&self.document, self.wire.cascade, now).unwrap();
        }
        self.fill();
        if now.0 < BUSY && self.rng.random_range(0..2) == 0 && self.content_len() < 6 {
            let desk = DeskView {
                id: DeskId([1; 16]),
                newsroom: "N".into(),
                name: "D".into(),
                about: String::new(),
            };
            let conversation = self.content.with(&desk, &mut self.rng).unwrap();
            let sequence = conversation.say(&format!("message {}", conversation.next), now);
            self.seal(sequence);
        }
    }

    /// Parts go where there is cover.
    fn fill(&mut self) {
        let hints = self.content.hint_key();
        let (wire, intake, exit) = (&self.wire, self.intake.public(), self.exit.public());
        let places = self.source.covers(&hints);
        let keys = |_: &_, _| Some((Keys { wire, intake, exit }, Round(0)));
        let looked = Some(self.now);
        for part in self.content.seal_parts(&places, looked, keys, &hints, &mut self.rng) {
            self.source.place(&hints, &part).unwrap();
        }
    }

    fn content_len(&self) -> usize {
        let lines = self.content.conversations.iter().flat_map(|c| &c.lines);
        lines.filter(|line| matches!(line, Said::Source { .. })).count()
    }

    /// Whether the desk has the document whole, whether all of it was acknowledged, and whether its sender is told that some of
    /// it may be lost.
    fn documents(&self) -> Option<(bool, bool, bool)> {
        let conversation = self.content.conversations.first()?;
        let ours = conversation.documents().next()?;
        let lines = self.vault.book.threads.iter().flat_map(|t| &t.lines);
        let mut whole = lines.filter_map(|line| match line {
            Spoken::Document { parts, .. } => Some(parts.join()?.unwrap() == self.document),
            _ => None,
        });
        let acknowledged = ours.fates.iter().all(|fate| fate.acknowledged);
        let told = ours.open(SEALINGS..u8::MAX).any(|number| conversation.is_overdue(number, self.now));
        Some((whole.next() == Some(true), acknowledged, told))
    }

    fn seal(&mut self, sequence: u32) {
        let hints = self.content.hint_key();
        let to = Keys { wire: &self.wire, intake: self.intake.public(), exit: self.exit.public() };
        let conversation = &mut self.content.conversations[0];
        let blob = conversation.seal(sequence, &to, &hints, &mut self.rng).unwrap();
        self.source.place(&hints, &blob.into()).unwrap();
    }

    /// Every message: how often the desk has it, whether it was acknowledged, and whether its writer is told that it may be
    /// lost.
    fn messages(&self) -> Vec<(usize, bool, bool)> {
        let Some(conversation) = self.content.conversations.first() else { return vec![] };
        let at_desk = |number: u32| {
            let lines = self.vault.book.threads.iter().flat_map(|t| &t.lines);
            lines.filter(|l| matches!(l, Spoken::Source { sequence, .. } if *sequence == number)).count()
        };
        let mine = conversation.lines.iter().filter_map(|line| match line {
            Said::Source { sequence, times, acknowledged, .. } => {
                let left = conversation.newest_box(*sequence).and_then(|b| b.left);
                let told = !acknowledged
                    && *times == SEALINGS
                    && left.is_some_and(|left| left.0 + PATIENCE <= self.now.0);
                Some((at_desk(*sequence), *acknowledged, told))
            }
            Said::Desk { .. } | Said::Document(_) => None,
        });
        mine.collect()
    }

    /// How often the source sees an answer.
    fn seen(&self, answer: &str) -> usize {
        let lines = self.content.conversations.iter().flat_map(|c| &c.lines);
        lines.filter(|line| matches!(line, Said::Desk { text, .. } if *text.shown() == answer)).count()
    }
}

/// A document of up to 20 parts.
fn document(rng: &mut StdRng) -> Document {
    let mut content = vec![0; rng.random_range(1..70_000)];
    rand::Rng::fill_bytes(rng, &mut content);
    Document { name: "a".into(), format: Format::Pdf, content }
}

/// The key once more.
fn copy(key: &SealSecret) -> SealSecret {
    SealSecret::from_seed(&key.to_seed())
}

/// A blob that nobody opens.
fn cover(wire: &Wire) -> Blob {
    Blob::from_bytes(wire, vec![0; wire.cascade.blob()]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_message_arrives_once_or_its_source_is_told(weather in weather(0u32..90), seed: u64) {
        let mut world = World::new(weather, seed);
        world.run();
        for (at_desk, acknowledged, told) in world.messages() {
            prop_assert!(at_desk <= 1, "twice");
            prop_assert!(!acknowledged || at_desk == 1, "acknowledged and not there");
            prop_assert!(acknowledged || told, "neither acknowledged nor told");
        }
    }

    #[test]
    fn every_document_arrives_whole_or_its_source_is_told(weather in weather(0u32..60), seed: u64) {
        let mut world = World::new(weather, seed);
        world.run();
        if let Some((whole, acknowledged, told)) = world.documents() {
            prop_assert!(!acknowledged || whole, "acknowledged and not there");
            prop_assert!(acknowledged || told, "neither acknowledged nor told");
        }
    }

    #[test]
    fn every_answer_is_shown_once_or_the_desk_does_not_know(weather in weather(0u32..90), seed: u64) {
        let mut world = World::new(weather, seed);
        world.run();
        for (n, answer) in &world.answers {
            let parts = ReplyPart::cut(*n, answer).unwrap().len();
            let whole = world.arrived.get(n).is_some_and(|seen| seen.len() == parts);
            prop_assert_eq!(world.seen(answer), usize::from(whole), "shown once if every part came, else not");
        }
        for line in world.vault.book.threads.iter().flat_map(|t| &t.lines) {
            let Spoken::Desk { text, left, times, received, .. } = line else { continue };
            prop_assert!(!received || world.seen(&text.shown()) == 1, "received and not shown");
            prop_assert!(left.is_some(), "nothing waits for ever");
            prop_assert!(*received || *times == COPIES || is_due(line, world.now), "it was given up too early");
        }
    }

    #[test]
    fn where_nothing_is_lost_everything_arrives_once_in_any_order(weather in weather(Just(0)), seed: u64) {
        let mut world = World::new(weather, seed);
        world.run();
        for (at_desk, acknowledged, _) in world.messages() {
            prop_assert_eq!((at_desk, acknowledged), (1, true));
        }
        prop_assert_eq!(world.documents(), world.documents().map(|_| (true, true, false)));
        for (_, answer) in &world.answers {
            prop_assert_eq!(world.seen(answer), 1);
        }
    }
}
