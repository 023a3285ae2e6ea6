//! Several newsrooms and desks in one network, with one crowd: what each can see, and who joins whom to see more.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use client::{Health, Inbox, Place};
use firsthand::found::{self, Plan, file};
use proto::Millis;
use proto::conversation::{Body, ConversationKey, Message, Received, open_message};
use proto::directory::{Directory, UnverifiedDirectory};
use proto::drops::empty_box;
use proto::envelope::{self, Found};
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use rand::{SeedableRng as _, rngs::StdRng};
use zeroize::Zeroizing;

use crate::proxy::{Cut, Proxy};
use crate::town::{Town, TownDesk, With, files_in};
use crate::turn::{arrived, begin, one_article};
use crate::wire::{compare, exchanges};

/// EXC-11, P8: the edge refuses the desks' drops to a desk that is not listed, which is no reason to say that the network was not reached.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_that_is_not_listed_is_told_so_and_not_that_it_is_offline() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 8, witness: true };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let stranger = IdentitySecret::generate(&mut StdRng::seed_from_u64(5));
    let desks = [stranger, town.desk_identity().unwrap()].map(|identity| {
        let device = town.device(Place::Memory, &town.edge, Some(identity)).unwrap();
        town.run(Arc::clone(&device));
        device
    });
    let drops = Some(town.round().next().next().next().next());
    let has_drops = || desks[1].status().edition.map(|edition| edition.round) >= drops;
    town.wait("an edition that names drops", 12, || has_drops().then_some(())).await.unwrap();
    let told = || (desks[0].status().health == Health::Unlisted).then_some(());
    town.wait("it is said", 3, told).await.unwrap();
    assert!(desks[0].status().edition.is_none());
    town.end().await.unwrap();
}

/// P3: one source writes to one desk of three in two newsrooms, and then to the others too. Each reads its own, all ask for the
/// same in the same way, whether they have mail or never had, and no store of a server holds a word of whom anything was for.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_with_mail_and_one_without_look_the_same_on_the_wire_and_to_every_server() {
    let articles = one_article();
    let with = With { round_ms: 1_500, mixes: 3, readers: 8, witness: true };
    let mut town = Town::start(with, articles.path()).await.unwrap();
    let edge = town.edge.clone();
    let (mut proxies, mut inboxes) = (Vec::new(), Vec::new());
    for nth in 0..3 {
        let proxy = Proxy::start(&edge, Cut::Never).await.unwrap();
        inboxes.push(town.inbox(nth, &proxy.url).unwrap());
        proxies.push(proxy);
    }
    let source = town.device(Place::Memory, &edge, None).unwrap();
    town.run(Arc::clone(&source));
    town.wait("first edition", 8, || source.status().edition).await.unwrap();
    let newsrooms: HashSet<_> = source.desks().into_iter().map(|desk| desk.newsroom).collect();
    assert_eq!((source.desks().len(), newsrooms.len()), (3, 2));

    let session = begin(&source);
    let from = town.round().next();
    let texts = ["To the first.", "To the second desk, and longer.", "To the third."];
    let write = async |nth: usize| {
        // The queue is filled in the exchange that brought the edition, and a little later.
        let desk = town.desks[nth].id;
        town.wait("a place in the queue", 4, || session.write(desk, texts[nth], town.now()).ok())
            .await
            .unwrap();
    };
    write(0).await;
    town.wait("the first", 16, || (!arrived(&inboxes[0]).is_empty()).then_some(())).await.unwrap();
    town.wait("eight rounds", 16, || (town.round().0 > from.0 + 8).then_some(())).await.unwrap();
    assert!(inboxes[1..].iter().all(|inbox| arrived(inbox).is_empty()), "nothing for the others");
    // On the wire: one has mail and acknowledged it, the others never had any.
    compare(&town, &proxies, &[(0, 1), (0, 2)], from.0 + 1, 3).await;

    write(1).await;
    write(2).await;
    town.wait("all three", 16, || inboxes.iter().all(|inbox| !arrived(inbox).is_empty()).then_some(()))
        .await
        .unwrap();
    // The second answers, and its answer reaches its own conversation.
    let conversation = inboxes[1].conversations()[0].id;
    inboxes[1].answer(conversation, "We are on it.", town.now()).unwrap();
    town.wait("the answer", 12, || {
        session.refresh();
        let answered = |c: &client::ConversationView| c.lines.iter().any(|l| l.who == client::Who::Desk);
        let with_answers: Vec<_> = session.conversations().into_iter().filter(answered).collect();
        (with_answers.len() == 1).then(|| assert_eq!(with_answers[0].desk.id, town.desks[1].id))
    })
    .await
    .unwrap();
    let enough = from.0 + 18;
    town.wait("some rounds more", 16, || (town.round().0 > enough).then_some(())).await.unwrap();
    let texts_of = |inbox: &Inbox| arrived(inbox);
    assert!(inboxes.iter().map(texts_of).eq(texts.map(|text| vec![text.to_owned()])), "each its own, once");
    // A source's conversations share nothing that two desks could put side by side.
    let ids: HashSet<_> = inboxes.iter().map(|inbox| inbox.conversations()[0].id).collect();
    assert_eq!(ids.len(), 3);

    // On the wire: one got an answer to send, the others acknowledgements alone; all are the same.
    let all: Vec<_> = proxies.iter().map(exchanges).collect();
    let asked = all[0].values().flatten().any(|request| request.1.ends_with("/desk"));
    assert!(asked, "desks ask for desk drops");
    compare(&town, &proxies, &[(0, 1), (0, 2), (1, 2)], from.0 + 1, 6).await;

    town.stop().await.unwrap();
    for role in ["edge", "mix1", "mix2", "mix3"] {
        let counts =
            town.desks.iter().map(|desk| mentions(&town.folder(role).join("state"), &town.directory, desk));
        let counts: Vec<_> = counts.collect();
        assert!(counts.iter().all(|count| *count == counts[0]), "{role}: {counts:?}");
        // The directory names them, for everybody, and edge and mixes keep it; nothing else does.
        assert_eq!(counts[0].elsewhere, 0, "{role}");
        assert!(counts[0].in_directories > 0, "{role}");
    }
}

/// How often a desk is named in a server's files.
#[derive(Debug, PartialEq, Eq)]
struct Mentions {
    in_directories: usize,
    elsewhere: usize,
}

/// Looks for the desk's id, its identity, its vault key and its intake key, as bytes and as text.
fn mentions(state: &Path, directory: &Directory, desk: &TownDesk) -> Mentions {
    let listed = directory.desk(&desk.id).unwrap();
    let intake = desk.intake.public().to_bytes();
    let marks = [&desk.id.0[..], &listed.identity.0[..], &listed.vault_key.0[..], &intake[..]];
    let mut heads = HashMap::new();
    for mark in marks {
        heads.insert(mark[..8].to_vec(), mark[8..16].to_vec());
        let text = hex::encode(&mark[..16]).into_bytes();
        heads.insert(text[..8].to_vec(), text[8..].to_vec());
    }
    let mut found = Mentions { in_directories: 0, elsewhere: 0 };
    let files = files_in(state);
    for path in &files {
        let bytes = std::fs::read(path).unwrap();
        let hits = bytes
            .windows(8)
            .enumerate()
            .filter(|(at, window)| heads.get(*window).is_some_and(|rest| bytes[at + 8..].starts_with(rest)));
        let count = hits.count();
        match path.components().any(|part| part.as_os_str() == "directories") {
            true => found.in_directories += count,
            false => found.elsewhere += count,
        }
    }
    assert!(files.len() > 1, "{} holds nothing to look at", state.display());
    found
}

/// A founded network of which somebody took several parts' keys.
struct Taken {
    directory: Directory,
    exit: SealSecret,
    intakes: Vec<SealSecret>,
    rng: StdRng,
}

impl Taken {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let founded =
            found::found(folder.path(), &Plan { round_ms: 5_000, genesis: Millis(0) }, &mut rng).unwrap();
        let bytes = std::fs::read(folder.path().join("edge").join(file::DIRECTORY)).unwrap();
        let directory = UnverifiedDirectory::from_bytes(&bytes).unwrap().verify(&founded.id).unwrap();
        let exit = SealSecret::generate(&mut rng);
        let intakes = std::iter::once(founded.vault).chain(founded.others.into_iter().map(|o| o.vault));
        let intakes = intakes.map(|mut vault| vault.intake.swap_remove(0).1);
        Self { directory, exit, intakes: intakes.collect(), rng }
    }

    /// A source's message to the nth desk, as the exit puts it into a slot.
    fn boxed(&mut self, nth: usize) -> Vec<u8> {
        let wire = self.directory.wire();
        let message = Message {
            conversation: ConversationKey::generate(&mut self.rng),
            sequence: 0,
            received: Received::default(),
            body: Body::Text(Zeroizing::new("What they knew in March.".to_owned())),
        };
        let packed = message.pack(wire.cascade).unwrap();
        let intake = self.intakes[nth].public();
        let (blob, _) = envelope::to_desk(&wire, intake, &packed, self.exit.public(), &mut self.rng);
        match envelope::open_exit(&wire, &self.exit, &[], blob.as_bytes()).unwrap().1 {
            Found::ToDesk(boxed) => boxed,
            _ => panic!("a message to a desk"),
        }
    }

    /// What whoever holds these keys can open of a box.
    fn opens(&self, keys: &[&SealSecret], boxed: &[u8]) -> bool {
        keys.iter().any(|key| open_message(&self.directory.wire(), key, boxed).is_ok())
    }
}

/// How many of some slots are told right by whoever learned, from as many others, how often each bit is set in either kind.
/// To learn costs an attacker nothing: everybody can seal boxes to every desk.
fn told_right(learn: [&[Vec<u8>]; 2], judge: [&[Vec<u8>]; 2]) -> f64 {
    let bits =
        |slot: &[u8]| slot.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).collect::<Vec<_>>();
    let frequency = |slots: &[Vec<u8>]| {
        let mut sum = vec![0_i64; slots[0].len() * 8];
        for slot in slots {
            sum.iter_mut().zip(bits(slot)).for_each(|(sum, bit)| *sum += i64::from(bit));
        }
        sum
    };
    let (first, second) = (frequency(learn[0]), frequency(learn[1]));
    let leans: Vec<i64> = first.iter().zip(&second).map(|(a, b)| a - b).collect();
    let middle: i64 = first.iter().zip(&second).map(|(a, b)| (a - b) * (a + b)).sum();
    let samples = learn[0].len() as i64;
    // Nearer to the first kind's mean than to the second's.
    let is_first = |slot: &Vec<u8>| {
        let score: i64 = bits(slot).iter().zip(&leans).map(|(bit, lean)| i64::from(*bit) * lean).sum();
        2 * samples * score > middle
    };
    let right = judge[0].iter().filter(|slot| is_first(slot)).count()
        + judge[1].iter().filter(|slot| !is_first(slot)).count();
    right as f64 / (judge[0].len() + judge[1].len()) as f64
}

const MANY: usize = 160;

fn nobody_tells(taken: &Taken, keys: &[&SealSecret], one: &[Vec<u8>], other: &[Vec<u8>]) {
    assert!(one.iter().chain(other).all(|slot| slot.len() == taken.directory.wire().cascade.boxed()));
    assert!(!one.iter().chain(other).any(|slot| taken.opens(keys, slot)));
    let half = MANY / 2;
    let right = told_right([&one[..half], &other[..half]], [&one[half..], &other[half..]]);
    // 160 judged: half of them by chance, with a standard deviation of 4 %.
    assert!((0.34..0.66).contains(&right), "told right: {right}");
}

/// P3: two desks together. What is in the slots that neither opens, a message to the third or nothing, they cannot tell.
#[test]
fn two_desks_together_cannot_tell_a_third_ones_messages_from_filler() {
    let mut taken = Taken::new(31);
    let wire = taken.directory.wire();
    let thirds: Vec<_> = (0..MANY).map(|_| taken.boxed(2)).collect();
    let filler: Vec<_> = (0..MANY).map(|_| empty_box(&wire, &mut taken.rng)).collect();
    let own = taken.boxed(1);
    let keys = [&taken.intakes[0], &taken.intakes[1]];
    assert!(taken.opens(&keys, &own), "their own they open");
    nobody_tells(&taken, &keys, &thirds, &filler);
}

/// P3: the exit and a desk together. The exit knows which slots it filled itself, so they learn how many messages other desks
/// got. They do not learn which desk got one.
#[test]
fn an_exit_and_a_desk_together_cannot_tell_which_other_desk_a_message_is_for() {
    let mut taken = Taken::new(32);
    let seconds: Vec<_> = (0..MANY).map(|_| taken.boxed(1)).collect();
    let thirds: Vec<_> = (0..MANY).map(|_| taken.boxed(2)).collect();
    let keys = [&taken.exit, &taken.intakes[0]];
    nobody_tells(&taken, &keys, &seconds, &thirds);
}

/// The judge of the two tests above finds a mark where there is one: a single byte that leans.
#[test]
fn a_mark_of_the_recipient_would_be_noticed() {
    let mut taken = Taken::new(33);
    let mut marked = |nth: usize| {
        (0..MANY)
            .map(|_| {
                let mut boxed = taken.boxed(nth);
                boxed[100..108].fill(nth as u8 * 0x55);
                boxed
            })
            .collect::<Vec<_>>()
    };
    let (one, other) = (marked(1), marked(2));
    let half = MANY / 2;
    assert!(told_right([&one[..half], &other[..half]], [&one[half..], &other[half..]]) > 0.9);
}
