use proto::story::{Article, ArticleId, Block, Extent, Grain, StoryId, When};

use proto::directory::{IntakeKey, MixKey};
use proto::keys::Period;
use proto::mix::BatchId;
use proto::seal::{SealPublic, SealSecret};

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU16, AtomicUsize};

use super::*;
use crate::edge::tests::still;
use crate::fetch::Manners;
use crate::gather::tests::{at_home, found, web};
use crate::testing::{self, Town};

fn story(n: u8, text: &str) -> Story {
    let article = Article {
        id: ArticleId([n; 16]),
        outlet: "The Quay".into(),
        title: format!("Story {n}"),
        byline: None,
        published: Some(When { unix: i64::from(n) * 60, grain: Grain::Minute }),
        url: None,
        body: vec![Block::Paragraph(text.into())],
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    };
    Story {
        id: StoryId([n; 16]),
        title: article.title.clone(),
        articles: vec![article],
        analysis: Analysis::default(),
    }
}

fn digests(page: &Bundle) -> Vec<([u8; 16], Digest)> {
    page.stories.iter().map(|s| (s.id.0, Digest::of(&codec::encode(s)))).collect()
}

#[test]
fn changes_fold_the_last_front_page_into_the_new_one() {
    let before = front_page(vec![story(1, "a"), story(2, "b"), story(3, "c")]);
    let after = front_page(vec![story(1, "a"), story(3, "c, and more"), story(4, "d")]);
    let shown = digests(&before).into_iter().collect();
    let changes = changes(&after, &digests(&after), &shown);
    let ids: Vec<_> = changes.stories.iter().map(|s| s.id.0[0]).collect();
    assert_eq!(ids, [4, 3]);
    assert_eq!(changes.gone, [StoryId([2; 16])]);
    let mut page = before.stories;
    changes.fold_into(&mut page);
    assert_eq!(page, after.stories);
}

pub(super) fn press(town: &Town, directory: &[u8], folder: &std::path::Path) -> Press {
    press_at(town, directory, folder, "http://127.0.0.1:9".into())
}

fn press_at(town: &Town, directory: &[u8], folder: &std::path::Path, edge: String) -> Press {
    Press::open(config(town, directory, folder, edge), still()).unwrap()
}

fn config(town: &Town, directory: &[u8], folder: &std::path::Path, edge: String) -> Config {
    Config {
        edge,
        state: folder.join("state"),
        inputs: Inputs::default(),
        directory: directory.to_vec(),
        network: town.network,
        identity: IdentitySecret::from_seed(&town.press.to_seed()),
    }
}

/// The first mix's, of part 0 of a round.
fn manifest(town: &Town, round: u32, output: u8) -> Unverified<Manifest> {
    let manifest = Manifest {
        batch: BatchId { round: Round(round), part: 0 },
        hop: 0,
        inputs: vec![],
        count_in: 8,
        count_out: 8,
        outputs: vec![Digest([output; 32])],
        deleted: 0,
        alarm: false,
    };
    Unverified::sign(&manifest, &town.network, &town.mixes[0])
}

/// The same key for whichever mix and rounds.
fn key(town: &Town, hop: u8, period: Period) -> Unverified<MixKey> {
    key_of(town, hop, period, 7)
}

fn key_of(town: &Town, hop: u8, Period { from, until }: Period, seed: u8) -> Unverified<MixKey> {
    let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
    Unverified::sign(&MixKey { hop, key, from, until }, &town.network, &town.mixes[usize::from(hop)])
}

fn head(press: &Press, round: Round) -> Head {
    let (_, named) = Bundle::default().pack();
    Head {
        round,
        previous: Digest([0; 32]),
        made: testing::GENESIS,
        directory: press.directory.digest(),
        changes: named,
        front: named,
        page: page_digest(&[]),
        manifests: vec![],
        round_keys: vec![],
    }
}

/// Two manifests of one batch, or one key for two rounds: a head with them would be signed for good, and nobody would take
/// it or any that follows.
#[test]
fn what_a_mix_hands_in_to_spoil_a_head_is_left_out() {
    let town = Town::new(1);
    let folder = tempfile::tempdir().unwrap();
    let press = press(&town, &town.bytes, folder.path());
    let taken = |head: Head| {
        let bytes = press.signed(head, None).unwrap().0;
        let head = UnverifiedHead::from_bytes(&bytes).unwrap();
        let edition = head.verify(&press.directory, Round(5), Round(5), None).expect("clients take it");
        (edition.head().manifests.len(), edition.head().round_keys.len())
    };
    let good = head(&press, Round(5));
    assert_eq!(taken(good.clone()), (0, 0));

    let (one, two) = (manifest(&town, 4, 1), manifest(&town, 4, 2));
    assert_eq!(taken(Head { manifests: vec![one.clone()], ..good.clone() }), (1, 0));
    assert_eq!(taken(Head { manifests: vec![one, two], ..good.clone() }), (0, 0));
    let of = |r| key(&town, 0, Period { from: Round(r), until: Round(r) });
    assert_eq!(taken(Head { round_keys: vec![of(5)], ..good.clone() }), (0, 1));
    assert_eq!(taken(Head { round_keys: vec![of(5), of(6)], ..good }), (0, 0));
}

/// What a hostile edge and mixes together answer: two manifests of one batch, one of another round than was asked for, what is
/// none, one key for two mixes; another manifest for a batch that an edition carried; and, each time that the press was started
/// again, other keys than those it published, of mixes and a desk (EXC-08). Three editions are made, and clients take them all.
#[tokio::test]
async fn an_edge_and_mixes_that_answer_anything_do_not_stop_the_press() {
    let town = Town::new(4);
    let (one, two) = (manifest(&town, 4, 1), manifest(&town, 4, 2));
    let period = |hop| KeyKind::of_mix(hop, town.directory.wire().cascade).period(Round(5));
    let one_round = Period { from: Round(7), until: Round(7) };
    let mixes = |hop, period: Period, seed| {
        (path::mix_key(hop, period.from), codec::encode(&key_of(&town, hop, period, seed)))
    };
    let desk = &town.directory.desks()[0];
    let intake = |period: Period, seed| {
        let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
        let key = IntakeKey { key, from: period.from, until: period.until };
        let signed = Unverified::sign(&key, &town.network, &town.vault_key());
        (path::intake_key(&desk.id, period.from), codec::encode(&signed))
    };
    let weeks: Vec<_> = KeyKind::Intake.published(Round(5)).collect();
    let stray = codec::encode(&vec![manifest(&town, 1, 3)]);
    let answers = |manifests: Vec<Unverified<Manifest>>, seed| {
        let both = codec::encode(&manifests);
        let unreadable = (path::manifests(Round(2)), vec![0xff; 9]);
        let strays = (path::manifests(Round(3)), stray.clone());
        let mixes = [mixes(1, period(1), seed), mixes(2, period(2), 7), mixes(0, one_round, seed + 10)];
        // Of the first week the directory that the press began with has another; of the second nobody knows one yet.
        let desks = [intake(weeks[0], seed + 20), intake(weeks[1], seed + 30)];
        let all = [unreadable, strays, (path::manifests(Round(4)), both)];
        mixes.into_iter().chain(desks).chain(all).collect::<Vec<_>>()
    };
    let id = |seed| SealSecret::from_seed(&[seed; 32]).public().id();
    let folder = tempfile::tempdir().unwrap();
    let mut previous = None;
    let rounds = [
        (5, vec![two.clone(), one.clone()], 1, 7),
        (6, vec![one.clone(), two.clone()], 0, 8),
        (7, vec![one, two], 0, 9),
    ];
    for (round, manifests, carried, seed) in rounds {
        let answers =
            answers(manifests, seed).into_iter().map(|(path, body)| (path, found("application/cbor", &body)));
        let mut press = press_at(&town, &town.bytes, folder.path(), web(answers.collect()));
        let now = testing::GENESIS.plus(3_000 * u64::from(round));
        press.make(Round(round), now, previous, Bundle::default()).await.unwrap();
        let made = press.state.unsent().unwrap().pop().unwrap();
        let head = UnverifiedHead::from_bytes(&made.head).unwrap();
        let edition = head.verify(&press.directory, Round(round), Round(round), previous.as_ref());
        let edition = edition.expect("clients take it");
        assert_eq!(edition.head().manifests.len(), carried, "round {round}");
        let keys = (press.directory.mix_key(1, Round(5)), press.directory.mix_key(2, Round(5)));
        assert!(keys.1.is_none(), "whose the key was first has it");
        assert_eq!(keys.0.map(SealPublic::id), Some(id(7)), "the one that was published, round {round}");
        assert_eq!(edition.round_keys().get(Round(7)).map(SealPublic::id), Some(id(17)), "round {round}");
        let intake = |week: usize| press.directory.desks()[0].intake(weeks[week].from).map(SealPublic::id);
        assert_eq!(intake(0), Some(town.intake.public().id()), "round {round}");
        assert_eq!(intake(1), Some(id(37)), "round {round}");
        previous = Some(Digest::of(&made.head));
    }
}

/// P4, DIR-07 at the press: an edge that works with who copied a desk's identity file shows a key that the identity signed. It is left
/// out, and the week is free for the key that the vault signed. Also from the disk of a press that kept one.
#[tokio::test]
async fn the_press_leaves_out_an_intake_key_that_a_desks_identity_signed() {
    let town = Town::new(4);
    let desk = town.directory.desks()[0].id;
    let week = KeyKind::Intake.published(Round(5)).nth(1).unwrap();
    let answers = |by: &IdentitySecret, seed| {
        let key = SealSecret::from_seed(&[seed; 32]).public().to_bytes().into();
        let key = IntakeKey { key, from: week.from, until: week.until };
        let body = codec::encode(&Unverified::sign(&key, &town.network, by));
        [(path::intake_key(&desk, week.from), found("application/cbor", &body))].into_iter().collect()
    };
    let folder = tempfile::tempdir().unwrap();
    let mut previous = None;
    for (round, by, seed, published) in
        [(5, &town.desk, 1, None), (6, &town.desk, 1, None), (7, &town.vault_key(), 2, Some(2))]
    {
        let mut press = press_at(&town, &town.bytes, folder.path(), web(answers(by, seed)));
        let now = testing::GENESIS.plus(3_000 * u64::from(round));
        press.make(Round(round), now, previous, Bundle::default()).await.unwrap();
        let id = press.directory.desks()[0].intake(week.from).map(SealPublic::id);
        let published = published.map(|seed| SealSecret::from_seed(&[seed; 32]).public().id());
        let kept = press.state.keys().unwrap();
        if published.is_none() {
            assert!(kept.is_empty(), "round {round}");
            assert_eq!(id, None, "round {round}");
        } else {
            assert_eq!(kept.len(), 1, "round {round}");
        }
        let made = press.state.unsent().unwrap().pop().unwrap();
        previous = Some(Digest::of(&made.head));
    }
}

/// DIR-14 at the press: a directory that no client would take after the last one is not begun, and nothing is kept of it. One
/// that was begun when it was still in time, and was named by no edition that came out, is not named when it is too late.
#[tokio::test]
async fn a_directory_that_may_not_follow_is_refused_before_anything_is_signed() {
    let town = Town::new(2);
    let folder = tempfile::tempdir().unwrap();
    let (edge, told) = stern_edge();
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    let desk = IdentitySecret::from_seed(&[5; 32]);
    let intake = SealSecret::from_seed(&[6; 32]);
    let with = |since| {
        let entry = town.listed("Sports", &desk, &intake, Round(since));
        town.later(|_, desks| desks.push(entry))
    };
    let open = |directory: &[u8]| press_at(&town, directory, folder.path(), edge.clone());
    let too_soon = |made: Result<Option<Round>, PressError>| {
        assert!(matches!(made, Err(PressError::Follows(DirectoryRejected::TooSoon))), "{made:?}");
    };
    assert_eq!(open(&town.bytes).step(at(5)).await.unwrap(), Some(Round(5)));

    let mut hasty = open(&with(0));
    too_soon(hasty.step(at(6)).await);
    assert_eq!(hasty.state.unsent_directories().unwrap().len(), 0);
    drop(hasty);
    // In time, and the edge refuses the stories: the edition is taken back.
    told[0].store(422, Relaxed);
    let why = open(&with(54)).step(at(6)).await.unwrap_err();
    assert!(matches!(why, PressError::TakenBack { .. }), "{why}");
    told[0].store(200, Relaxed);
    too_soon(open(&with(54)).step(at(7)).await);
    too_soon(open(&with(54)).step(at(31)).await);
    let newest = open(&with(54)).state.newest().unwrap().unwrap();
    assert_eq!(newest.0, Round(5), "nothing was signed");
    // The operator gives it more time.
    assert_eq!(open(&with(80)).step(at(32)).await.unwrap(), Some(Round(32)));
    assert_eq!(open(&with(80)).step(at(60)).await.unwrap(), Some(Round(60)), "what is named already, stays");
}

/// DIR-14 at the press: an edition that could not be handed out for two days is not sent as it is, if it announces somebody.
#[tokio::test]
async fn an_edition_that_lay_here_until_it_announces_somebody_too_late_is_taken_back() {
    let town = Town::new(2);
    let folder = tempfile::tempdir().unwrap();
    let (edge, told) = stern_edge();
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    let (desk, intake) = (IdentitySecret::from_seed(&[5; 32]), SealSecret::from_seed(&[6; 32]));
    let with = |since| {
        let entry = town.listed("Sports", &desk, &intake, Round(since));
        town.later(|_, desks| desks.push(entry))
    };
    let open = |directory: &[u8]| press_at(&town, directory, folder.path(), edge.clone());
    let unsent = |press: &Press| press.state.unsent().unwrap().iter().map(|it| it.round).collect::<Vec<_>>();
    assert_eq!(open(&town.bytes).step(at(5)).await.unwrap(), Some(Round(5)));
    // Nothing new: it is sent as it is, however late.
    told[0].store(503, Relaxed);
    assert!(matches!(open(&town.bytes).step(at(6)).await, Err(PressError::Edge(_))));
    told[0].store(200, Relaxed);
    assert_eq!(open(&town.bytes).step(at(80)).await.unwrap(), Some(Round(80)));
    assert!(open(&town.bytes).state.unsent().unwrap().is_empty());
    // The desk is to be written to from round 140 on, which is two days from round 92.
    told[0].store(503, Relaxed);
    assert!(matches!(open(&with(140)).step(at(81)).await, Err(PressError::Edge(_))));
    assert!(matches!(open(&with(140)).step(at(93)).await, Err(PressError::Edge(_))));
    assert_eq!(unsent(&open(&with(140))), [Round(81)], "still in time, with a round for the way");
    told[0].store(200, Relaxed);
    let made = open(&with(140)).step(at(94)).await;
    assert!(matches!(made, Err(PressError::Follows(DirectoryRejected::TooSoon))), "{made:?}");
    assert!(unsent(&open(&with(140))).is_empty());
    assert_eq!(open(&with(140)).state.newest().unwrap().unwrap().0, Round(80), "taken back");
    assert_eq!(open(&with(160)).step(at(95)).await.unwrap(), Some(Round(95)));
}

/// DIR-16 at the press: a directory of its operator in which a desk stays without the key that was named is not begun.
#[tokio::test]
async fn dir_16_a_directory_that_leaves_out_a_desks_key_is_refused_before_anything_is_signed() {
    let town = Town::new(2);
    let folder = tempfile::tempdir().unwrap();
    let (edge, _) = stern_edge();
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    let open = |directory: &[u8]| press_at(&town, directory, folder.path(), edge.clone());
    assert_eq!(open(&town.bytes).step(at(5)).await.unwrap(), Some(Round(5)));
    let mut thin = open(&town.later(|_, desks| desks[0].keys.clear()));
    let made = thin.step(at(6)).await;
    assert!(matches!(made, Err(PressError::Follows(DirectoryRejected::KeyLeftOut))), "{made:?}");
    assert_eq!(thin.state.unsent_directories().unwrap().len(), 0);
    drop(thin);
    assert_eq!(
        open(&town.bytes).step(at(7)).await.unwrap(),
        Some(Round(7)),
        "with the one before it goes on"
    );
}

#[test]
fn one_mix_with_huge_manifests_cannot_stop_the_press() {
    use rand::{SeedableRng, rngs::StdRng};
    let mix = IdentitySecret::generate(&mut StdRng::seed_from_u64(1));
    let manifest = |round, inputs: usize| {
        let it = Manifest {
            batch: BatchId { round: Round(round), part: 0 },
            hop: 0,
            inputs: vec![Digest([1; 32]); inputs],
            count_in: 1,
            count_out: 1,
            outputs: vec![Digest([2; 32])],
            deleted: 0,
            alarm: false,
        };
        (Unverified::sign(&it, &proto::NetworkId([3; 32]), &mix), it)
    };
    let rounds = |fits: Vec<(Unverified<Manifest>, Manifest)>| {
        fits.into_iter().map(|(_, m)| m.batch.round.0).collect::<Vec<_>>()
    };
    let found = vec![manifest(1, 20_000), manifest(2, 1), manifest(3, 10), manifest(4, 1)];
    assert_eq!(rounds(within(found.clone(), MANIFEST_BYTES)), [2, 3, 4], "the first weighs 680 kB");
    assert_eq!(rounds(within(found, 700)), [2, 3], "what does not fit waits, in order");
}

/// Text that does not compress.
fn noise(seed: &mut u32, letters: usize) -> String {
    let mut letter = || {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + (*seed >> 24) as u8 % 90)
    };
    (0..letters).map(|_| letter()).collect()
}

/// A story with many articles of that text.
fn heavy(n: u8, text: impl FnMut() -> String, articles: usize) -> Story {
    let mut it = story(n, "");
    let one = it.articles.remove(0);
    let with = |text| Article { body: vec![Block::Paragraph(text)], ..one.clone() };
    it.articles = std::iter::repeat_with(text).take(articles).map(with).collect();
    it
}

/// The edition's bundles are what a client takes (EDN-06) and the edge too; they are what is kept and signed first.
fn opened(page: &Bundle) -> Bundle {
    let (front, named) = page.pack();
    assert!(front.len() <= FRONT_BYTES, "{} bytes", front.len());
    named.open(&front).expect("clients open it")
}

/// A feed of 31 items of 256 KiB, twice, all under one title: more than the edge takes, and it stands first.
#[test]
fn one_story_that_is_too_heavy_cannot_stop_the_press() {
    let mut seed = 1;
    let flood = heavy(9, || noise(&mut seed, 256 * 1024), 62);
    let (packed, _) = Bundle { stories: vec![flood.clone()], gone: vec![] }.pack();
    assert!(packed.len() > edition::MAX_PACKED, "no edge takes it: {} bytes", packed.len());
    let page = opened(&front_page(vec![story(1, "The tide rose."), flood]));
    let articles: Vec<_> = page.stories.iter().map(|story| story.articles.len()).collect();
    assert_eq!(articles, [3, 1], "cut, and the other story stays");
    // EDN-14: its place hangs on its newest article, which is too heavy alone.
    let mut late = heavy(8, || "brief".into(), 1);
    late.articles[0].published = Some(When { unix: 10, grain: Grain::Minute });
    let heaviest = heavy(8, || "x".repeat(HEAVIEST_STORY), 1).articles.remove(0);
    late.articles.push(heaviest);
    let page = opened(&front_page(vec![late, story(1, "The tide rose.")]));
    let mut ordered = vec![];
    Bundle { stories: page.stories.clone(), gone: vec![] }.fold_into(&mut ordered);
    assert_eq!(page.stories, ordered);
}

/// What weighs little on the way and more than a client unpacks.
#[test]
fn stories_that_unpack_beyond_the_limit_cannot_stop_the_press() {
    let stories: Vec<_> = (1..=60).map(|n| heavy(n, || "flood ".repeat(40 * 1024), 4)).collect();
    let all = Bundle { stories: stories.clone(), gone: vec![] };
    let (packed, named) = all.pack();
    assert!(packed.len() < FRONT_BYTES && named.open(&packed).is_err(), "{} bytes", packed.len());
    let page = opened(&front_page(stories));
    assert!(codec::encode(&page).len() <= FRONT_PLAIN + 1_000);
    assert!((10..20).contains(&page.stories.len()), "{}", page.stories.len());
    assert_eq!(page.stories[0].id, StoryId([60; 16]), "the newest stays");
}

#[test]
fn a_story_that_no_client_would_take_is_left_out() {
    let mut script = story(2, "b");
    script.articles[0].url = Some("javascript:alert(1)".into());
    let empty = Story { articles: vec![], ..story(3, "c") };
    assert_eq!(opened(&front_page(vec![story(1, "a"), script, empty])).stories, [story(1, "a")]);
}

/// An edge that answers what it is told to a PUT of a bundle and to one of an edition, takes all else, and has nothing.
/// Returns its address and where to tell it.
fn stern_edge() -> (String, Arc<[AtomicU16; 2]>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let told = Arc::new([AtomicU16::new(200), AtomicU16::new(200)]);
    let answers = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head, mut byte) = (stream.unwrap(), vec![], [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            stream.read_exact(&mut body).unwrap();
            let status = match head.as_str() {
                get if get.starts_with("get") => 404,
                put if put.starts_with("put /v1/bundles/") => answers[0].load(Relaxed),
                put if put.starts_with("put /v1/editions/") => answers[1].load(Relaxed),
                _ => 200,
            };
            let answer = format!("HTTP/1.1 {status} Said\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, told)
}

/// LOG-15, EDG-07: an edition of which nobody has the head is taken back if its stories are refused for good, also after a
/// restart, and its round gets no other; one that was handed out stays, whatever the edge says.
#[tokio::test]
async fn an_edition_that_is_refused_for_good_is_taken_back_unless_its_head_was_handed_out() {
    let town = Town::new(6);
    let folder = tempfile::tempdir().unwrap();
    let (edge, told) = stern_edge();
    let tell = |bundle, edition| {
        told[0].store(bundle, Relaxed);
        told[1].store(edition, Relaxed);
    };
    let open = || press_at(&town, &town.bytes, folder.path(), edge.clone());
    // No mix hands in a key, so the first edition waits until half of its round is over.
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    let made = |press: &Press| press.state.newest().unwrap().unwrap();
    let tree = |press: &Press| press.state.log().unwrap().unwrap().0.checkpoint();

    assert_eq!(open().step(at(5)).await.unwrap(), Some(Round(5)));
    let (first, before) = (made(&open()), tree(&open()));
    for status in [413, 422] {
        let round = Round(if status == 413 { 6 } else { 7 });
        tell(status, 200);
        let why = open().step(at(round.0.into())).await.unwrap_err();
        assert!(matches!(why, PressError::TakenBack { round: of, .. } if of == round), "{why}");
        let press = open();
        assert_eq!((made(&press), tree(&press)), (first, before), "as if it had not been");
        assert!(press.state.unsent().unwrap().is_empty());
        tell(200, 200);
        assert_eq!(open().step(at(round.0.into())).await.unwrap(), None, "the round gets no other");
    }
    assert_eq!(open().step(at(8)).await.unwrap(), Some(Round(8)));
    assert_eq!(tree(&open()).size, before.size + 1);

    // An edge that stumbles is no edge that refuses.
    tell(503, 200);
    assert!(matches!(open().step(at(9)).await, Err(PressError::Edge(_))));
    assert_eq!(made(&open()).0, Round(9));
    // The head left: it stays, and whatever is answered now.
    tell(200, 422);
    assert!(matches!(open().step(at(9)).await, Err(PressError::Refused { round: Round(9), .. })));
    tell(413, 200);
    assert!(matches!(open().step(at(10)).await, Err(PressError::Refused { round: Round(9), .. })));
    tell(200, 200);
    assert_eq!(open().step(at(10)).await.unwrap(), Some(Round(10)), "the edge takes it after all");
}

/// P8: messages wait for every edition. Neither a line that is wrong in the press's own files nor a fault of this program that something
/// it reads brings out keeps one back; the front page stays as it was, also after a restart, and is a new one when that is mended.
#[tokio::test]
async fn what_is_wrong_with_the_news_keeps_no_edition_back() {
    let town = Town::new(7);
    let (folder, news) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (edge, _) = stern_edge();
    let open = |feeds: &[&str]| {
        let inputs = Inputs {
            folders: vec![news.path().to_owned()],
            feeds: feeds.iter().map(|&feed| feed.into()).collect(),
            manners: at_home(),
            rules: None,
        };
        let config = Config { inputs, ..config(&town, &town.bytes, folder.path(), edge.clone()) };
        Press::open(config, still()).unwrap()
    };
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    let write = |name: &str, text: &str| std::fs::write(news.path().join(name), text).unwrap();
    let shown = |press: &Press| -> Vec<String> {
        let page = press.page_before().unwrap().unwrap();
        page.into_iter().map(|story| story.title).collect()
    };
    write(
        "quay.txt",
        "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the tide rose above its wall.\n",
    );
    let mut press = open(&[]);
    assert_eq!(press.step(at(5)).await.unwrap(), Some(Round(5)));
    let first = shown(&press);
    assert_eq!(first.len(), 1);

    write(
        "mill.txt",
        "The old mill reopens\n\nThe baker of the old mill has bought two ovens and a bell for the door.\n",
    );
    write("articles.toml", "[\"mill.txt\"]\noulet = 1\n");
    assert_eq!(press.step(at(6)).await.unwrap(), Some(Round(6)), "a wrong line");
    assert_eq!(shown(&press), first);
    press = open(&[]);
    assert_eq!(press.step(at(7)).await.unwrap(), Some(Round(7)), "a wrong line, after a restart");
    assert_eq!(shown(&press), first);
    std::fs::remove_file(news.path().join("articles.toml")).unwrap();
    press = open(&["http://127.0.0.1:9/1", "http://127.0.0.1:9/2"]);
    press.on_progress(|_| panic!("a fault"));
    for round in [8, 9] {
        assert_eq!(press.step(at(round)).await.unwrap(), Some(Round(round as u32)), "a fault");
        assert_eq!(shown(&press), first, "round {round}");
    }
    press.on_progress(|_| {});
    assert_eq!(press.step(at(10)).await.unwrap(), Some(Round(10)));
    assert_eq!(shown(&press).len(), 2, "{:?}", shown(&press));
}

#[tokio::test]
async fn a_roster_that_holds_later_does_not_take_the_place_of_the_one_that_holds() {
    let (town, folder) = (Town::new(9), tempfile::tempdir().unwrap());
    let (edge, _) = stern_edge();
    let open = |directory: &[u8]| Press::open(config(&town, directory, folder.path(), edge.clone()), still());
    let at = |round: u64| testing::GENESIS.plus(3_000 * round + 1_600);
    assert_eq!(open(&town.bytes).unwrap().step(at(5)).await.unwrap(), Some(Round(5)));
    let next = town.later(|roster, _| (roster.number, roster.from) = (2, Round(100)));
    let why = open(&next).err().expect("it is too soon");
    assert!(matches!(why, PressError::NotYet { from: Round(100), .. }), "{why}");
    assert_eq!(open(&town.bytes).unwrap().step(at(6)).await.unwrap(), Some(Round(6)));
}

#[test]
fn four_weeks_before_a_roster_ends_the_press_knows() {
    let (town, folder) = (Town::new(10), tempfile::tempdir().unwrap());
    let ends = town.later(|roster, _| roster.until = Round(1_000));
    let press = press(&town, &ends, folder.path());
    let left = [328, 329, 1_000].map(|round| press.rounds_left(Round(round)));
    assert_eq!(left, [None, Some(671), Some(0)]);
}

/// P8: messages wait for every edition.
#[tokio::test]
async fn outlets_are_asked_for_a_quarter_of_a_round() {
    let (town, folder) = (Town::new(8), tempfile::tempdir().unwrap());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&asked);
    std::thread::spawn(move || {
        let mut held = vec![];
        for stream in silent.incoming() {
            held.push(stream.unwrap());
            counts.fetch_add(1, Relaxed);
        }
    });
    let inputs = Inputs {
        feeds: (1..=4).map(|n| format!("http://{at}/{n}")).collect(),
        // A quarter of the round is 0.75 s, and a host is asked for one thing at a time.
        manners: Manners { patience: Duration::from_secs(1), ..at_home() },
        ..Inputs::default()
    };
    let (edge, _) = stern_edge();
    let mut press =
        Press::open(Config { inputs, ..config(&town, &town.bytes, folder.path(), edge) }, still()).unwrap();
    let at = testing::GENESIS.plus(3_000 * 5 + 1_600);
    assert_eq!(press.step(at).await.unwrap(), Some(Round(5)));
    assert_eq!(asked.load(Relaxed), 1);
}

#[test]
fn a_front_page_keeps_the_newest_stories_within_its_weight() {
    // 40 stories of 120 kB weigh more than a front page may.
    let mut seed = 1;
    let page = front_page((0..40).map(|n| story(n, &noise(&mut seed, 120_000))).collect());
    assert!(page.pack().0.len() <= FRONT_BYTES);
    assert!((10..40).contains(&page.stories.len()), "{}", page.stories.len());
    assert_eq!(page.stories[0].id, StoryId([39; 16]), "the newest stays");
    assert_eq!(front_page((0..=255).map(|n| story(n, "x")).collect()).stories.len(), FRONT_PAGE);
}
