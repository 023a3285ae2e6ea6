//! Desks whose edge and exit lie to one of them, or count what they send. Spec: drop.md §1, §3, mix.md §12.

use crate::town::{
    Edge, Listed, Pair, Town, Upload, borne, inbox, intake_keys, intake_keys_of, pass_of, passphrase,
    table_for,
};
use client::{CutOff, Health, Inbox, Kdf, LineState, Place, Stays, Unwritten, Vault, VaultContents};
use proto::conversation::{Body, ConversationKey, Message, Received, open_message};
use proto::directory::{Directory, IntakeKey, check_intake_key};
use proto::envelope::{self, Found};
use proto::keys::WEEK;
use proto::seal::{SealPublic, SealSecret};
use proto::sign::{IdentitySecret, Unverified};
use proto::{Round, codec, pass, path};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

/// P3, EDN-07: exit and edge want to know whose a box is. They show it to one desk alone, in a drop of its own, and wait for
/// an acknowledgement. The desk opens no drop but the one that stands in the head, which everybody has, so nothing comes.
#[tokio::test]
async fn exit_and_edge_that_show_a_box_to_one_desk_only_learn_nothing() {
    let mut town = Town::found(41).await;
    let folder = tempfile::tempdir().unwrap();
    let lying = Edge::start().await;
    let source = town.reader(1);
    let honest = town.open(town.desk_config(Place::Memory), 2);
    let mut lied_to = town.desk_config(Place::Memory);
    lied_to.edge.clone_from(&lying.address);
    let lied_to = town.open(lied_to, 3);
    let inbox_of =
        |device, name: &str| inbox(device, town.desk_identity, intake_keys(), &folder.path().join(name));
    let told = inbox_of(&honest, "told");
    let fooled = inbox_of(&lied_to, "fooled");

    town.clock.set(town.start(0));
    town.publish(0, vec![]);
    town.edge.copy_to(&lying);
    town.pass(0, &[&source, &honest, &lied_to]).await;
    let session = source.begin(&passphrase(1)).unwrap();
    session.write(town.desk, "Whose is this?", proto::Clock::now(&*town.clock)).unwrap();
    // The message leaves in round 1 and stands in the drop that edition 2 names.
    for e in 1..=2 {
        town.clock.set(town.start(e));
        town.publish(e, vec![]);
        town.edge.copy_to(&lying);
        if e == 1 {
            town.pass(e, &[&source, &honest, &lied_to]).await;
        }
    }
    let real = path::desk_drop(Round(0));
    let drop = lying.remove(&real).unwrap();
    let wire = town.directory.wire();
    let intake = crate::town::intake_keys().swap_remove(0).1;
    let length = wire.cascade.boxed();
    let of_the_desk = |boxed: &[u8]| open_message(&wire, &intake, boxed).is_ok();
    let at = drop.chunks_exact(length).position(of_the_desk).unwrap();
    // Where its box stood stands filler, and the box stands in another slot: to anybody else that is as good a drop.
    let mut shown = drop.clone();
    let other = (at + 1) % (drop.len() / length);
    let (theirs, filler) = (at * length..(at + 1) * length, other * length..(other + 1) * length);
    shown[filler.clone()].copy_from_slice(&drop[theirs.clone()]);
    shown[theirs].copy_from_slice(&drop[filler]);
    assert_eq!(shown.chunks_exact(length).filter(|boxed| of_the_desk(boxed)).count(), 1);
    lying.put(real.clone(), shown);
    town.pass(2, &[&source, &honest, &lied_to]).await;

    assert_eq!((honest.status().health, lied_to.status().health), (Health::Good, Health::Unverified));
    told.collect();
    fooled.collect();
    assert_eq!(told.conversations().len(), 1);
    assert!(fooled.conversations().is_empty(), "a drop that does not stand in the head is not opened");
    // It goes on sending what it always sends, and nothing that it was shown has left a trace in it.
    let before = lying.uploads().len();
    for e in 3..7 {
        town.clock.set(town.start(e));
        town.publish(e, vec![]);
        let lie = lying.remove(&real).unwrap();
        town.edge.copy_to(&lying);
        lying.put(real.clone(), lie);
        town.pass(e, &[&source, &honest, &lied_to]).await;
        fooled.collect();
    }
    let sent = lying.uploads();
    assert_eq!(sent.len(), before + 4, "one envelope in every round, as before");
    let own: Vec<_> =
        sent.into_iter().flat_map(|(round, envelope)| town.class_of(round, &[envelope])).collect();
    assert!(own.iter().all(|class| *class == "cover"), "no acknowledgement is among them: {own:?}");
    // The desk that was shown what everybody was shown has acknowledged by now.
    session.refresh();
    assert_eq!(session.conversations()[0].lines[0].state, client::LineState::Acknowledged);
}

/// P1: an exit that counts slots for readers counts desks whose vaults were open within a day. Neither how many slots there are, nor
/// whose day's pass they come through with, nor what comes after the vault was locked hangs on what the desk had to say.
#[tokio::test]
async fn pas_04_a_desk_sends_the_same_number_of_slots_in_every_round_whatever_it_has_to_say() {
    let mut it = Pair::new(71).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let wire = it.town.directory.wire();
    let mut counted = Vec::new();
    let answer = |it: &Pair, parts: usize| {
        let conversation = it.inbox.conversations()[0].id;
        it.inbox.answer(conversation, &"x".repeat(parts * 944), it.now()).unwrap();
    };
    let locked = 69;
    for round in 1..locked + 40 {
        // Answers of more parts than fit one envelope: within a day, over the day's change, and as the vault is locked.
        match round {
            10 => drop(session.write(it.town.desk, "a tip", it.now()).unwrap()),
            20 => answer(&it, 5),
            45 => answer(&it, 16),
            67 => answer(&it, 16),
            _ => {}
        }
        let before = it.town.blobs.len();
        if round < locked {
            it.rounds(1).await;
        } else {
            it.town.round(it.r, &[&it.source, &it.desk]).await;
            it.r += 1;
        }
        it.town.mix();
        let borne =
            |blob: &Vec<u8>| borne(&wire, Round(round), blob).map(|borne| (borne.slots.len(), borne.day));
        counted.push((round, it.town.blobs[before..].iter().filter_map(borne).collect::<Vec<_>>()));
    }
    session.refresh();
    let lines = session.conversations().swap_remove(0).lines;
    assert_eq!((lines.len(), lines[0].state), (4, LineState::Acknowledged), "it was all carried");
    for (round, borne) in counted {
        // The first drops came with edition 2, and with them the pass; so the first that bears it leaves in round 3. Seven eighths of the four slots of a drop, and one desk listed.
        let expected = (3..locked + 24).contains(&round).then(|| (3, (round / 24).saturating_sub(1)));
        assert_eq!(borne, Vec::from_iter(expected), "round {round}");
    }
}

/// P3: an exit gives another desk another pass, or none, and so knows which of the two an acknowledgement is from.
#[tokio::test]
async fn pas_03_a_desk_uses_no_pass_that_another_does_not_have() {
    let mut it = Pair::new(72).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let (network, places) = (it.town.directory.wire().network, it.town.directory.parameters().desks);
    // All that opens in it is this desk's; nothing in it is wrong but that it is not what the pass makes for all that are listed.
    let stranger = SealSecret::generate(&mut it.town.rng);
    let listed = it.town.directory.intake_keys(pass::last_round(0)).chain([stranger.public()]);
    let table = pass::table(&network, &pass_of(0), listed, places);
    it.town.passes = Some((0, table));
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.rounds(20).await;
    assert_eq!(it.inbox.conversations().len(), 1, "it reads what comes");
    session.refresh();
    assert!(matches!(session.conversations()[0].lines[0].state, LineState::Left { .. }), "and says nothing");
    let conversation = it.inbox.conversations().swap_remove(0).id;
    it.inbox.answer(conversation, "an answer", it.now()).unwrap();
    let answer = it.inbox.conversations().swap_remove(0).lines.swap_remove(1).state;
    assert_eq!(answer, LineState::Stays(Stays::NoPass), "whoever wrote it is told");
    // The next day's is as it should be, and is used on the day after that.
    it.rounds(34).await;
    session.refresh();
    assert_eq!(session.conversations()[0].lines[0].state, LineState::Acknowledged);
}

/// P3: a press names another desk's keys late, and the exit gives out a pass made for the directories before. Whoever uses that is
/// the one desk that has it. No desk does: a day's pass is for the desks that the last edition before the day names.
#[tokio::test]
async fn pas_03_a_pass_for_the_desks_of_another_directory_is_not_used() {
    let mut it = Pair::new(74).await;
    let [ours, other] = [
        IdentitySecret::from_seed(&it.town.desk_identity),
        IdentitySecret::generate(&mut StdRng::seed_from_u64(74)),
    ];
    let directory = |town: &Town, keys: Vec<_>| {
        let listed = [(&ours, 0, intake_keys()), (&other, 1 + 48, keys)];
        town.directory_with(None, &listed.map(|(desk, since, intake)| Listed { desk, since, intake }))
    };
    let full = |town: &Town| directory(town, intake_keys_of(0xdf));
    let thin = |town: &Town| directory(town, vec![]);
    let keys = |directory: Directory| directory.intake_keys(pass::last_round(2)).count();
    assert_eq!((keys(full(&it.town)), keys(thin(&it.town))), (2, 1));
    let session = it.source.begin(&passphrase(1)).unwrap();
    while it.r < 72 {
        // The last edition before day 2 is the first that names all keys. The table of day 2 is made for those before, and that of
        // day 3 is as it should be.
        it.town.directory = if it.r < 47 { thin(&it.town) } else { full(&it.town) };
        // Edition 50 brings the first drop of day 2.
        if it.r == 50 {
            it.town.passes = Some((2, table_for(&thin(&it.town), 2, &pass_of(2))));
        }
        it.rounds(1).await;
    }
    // Day 3, when the pass of day 2 would be used.
    it.rounds(4).await;
    session.write(it.town.desk, "a tip", it.now()).unwrap();
    it.rounds(18).await;
    session.refresh();
    let state = |session: &client::Session| session.conversations()[0].lines[0].state;
    assert!(matches!(state(&session), LineState::Left { .. }), "it says nothing: {:?}", state(&session));
    it.rounds(12).await;
    session.refresh();
    assert_eq!(state(&session), LineState::Acknowledged, "on day 4, with the pass of day 3");
}

/// P8, KEY-02: nothing goes out that a cut would take from the disk, and whoever looks is told.
#[tokio::test]
async fn a_vault_that_cannot_be_written_hands_in_and_acknowledges_nothing_and_says_so() {
    let mut it = Pair::new(250).await;
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().unwritten, None);
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "The quay is weak.", it.now()).unwrap();
    let in_the_way = it.folder.path().join("vault.next");
    std::fs::create_dir(&in_the_way).unwrap();
    it.rounds(8).await;
    assert_eq!(it.inbox.conversations().len(), 1, "it came, and is in memory");
    assert_eq!(it.inbox.trouble().unwritten, Some(Unwritten::Disk));
    let state = |session: &client::Session| session.conversations()[0].lines[0].state;
    session.refresh();
    assert_ne!(state(&session), LineState::Acknowledged);
    std::fs::remove_dir(&in_the_way).unwrap();
    it.rounds(8).await;
    assert_eq!(it.inbox.trouble().unwritten, None);
    session.refresh();
    assert_eq!(state(&session), LineState::Acknowledged);
}

/// KEY-02: a key that was made and could not be kept is handed in once it is, and not before.
#[tokio::test]
async fn an_intake_key_is_handed_in_once_it_is_on_the_disk() {
    // The directory has keys for eight weeks, and from the fifth on the desk makes more.
    let mut it = Pair::in_town(Town::found(260).await, 260, 6 * proto::keys::WEEK).await;
    let handed_in = |it: &Pair| -> Vec<String> {
        let requests = it.town.edge.requests().into_iter().map(|request| request.path);
        requests.filter(|path| path.starts_with("/v1/intake/")).collect()
    };
    let in_the_way = it.folder.path().join("vault.next");
    std::fs::create_dir(&in_the_way).unwrap();
    for _ in 0..3 {
        it.inbox.collect();
        it.rounds(1).await;
    }
    assert_eq!(handed_in(&it), [""; 0]);
    std::fs::remove_dir(&in_the_way).unwrap();
    it.rounds(2).await;
    let key = |week| proto::path::intake_key(&it.town.desk, proto::Round(week * proto::keys::WEEK));
    assert_eq!(handed_in(&it), [key(8), key(9)], "those of which the directory has none");
}

/// A desk for which the directory has keys of the first weeks, as many as this, and whose vault has as many, after the edition of
/// round `first`.
async fn with_keys(seed: u64, first: u32, listed: usize, kept: usize) -> Pair {
    let mut town = Town::found(seed).await;
    let own = IdentitySecret::from_seed(&town.desk_identity);
    let keys = |n: usize| intake_keys().into_iter().take(n).collect::<Vec<_>>();
    town.directory = town.directory_with(None, &[Listed { desk: &own, since: 0, intake: vec![] }]);
    town.directory_bytes = town.edge.file(&path::directory(&town.directory.digest())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let source = town.reader(seed + 1);
    let desk = town.open(town.desk_config(Place::Memory), seed + 2);
    let inbox = inbox(&desk, town.desk_identity, keys(kept), &folder.path().join("vault"));
    town.clock.set(town.start(first));
    // What its vault has that the directory which came with the program does not name is handed in, and no more is made.
    if kept != listed {
        inbox.collect();
    }
    town.directory = town.directory_with(None, &[Listed { desk: &own, since: 0, intake: keys(listed) }]);
    town.round(first, &[&source, &desk]).await;
    inbox.collect();
    Pair { town, source, desk, inbox, r: first + 1, folder }
}

impl Pair {
    /// The keys that were handed in, by the week, with how often.
    fn handed_in(&self) -> Vec<(u32, SealPublic)> {
        let put = self.town.edge.requests().into_iter().filter(|request| request.method == "PUT");
        put.map(|request| {
            let signed: Unverified<IntakeKey> = codec::decode(&request.body).unwrap();
            let key = signed.dangerously_peek().unwrap();
            (key.from.0 / WEEK, SealPublic::from_bytes(&key.key).unwrap())
        })
        .collect()
    }

    fn weeks_handed_in(&self) -> Vec<u32> {
        let mut weeks: Vec<_> = self.handed_in().into_iter().map(|(week, _)| week).collect();
        weeks.dedup();
        weeks
    }

    /// Another file is put in the vault's place while the desk's program is stopped.
    fn put_back(&mut self, file: &[u8]) {
        let vault = self.folder.path().join("vault");
        std::fs::write(&vault, file).unwrap();
        self.inbox =
            Inbox::new(std::sync::Arc::clone(&self.desk), Vault::unlock(&vault, &passphrase(9)).unwrap());
    }

    /// A tip in a box to this key.
    fn boxed(&mut self, key: &SealPublic) -> Vec<u8> {
        let wire = self.town.directory.wire();
        let message = Message {
            conversation: ConversationKey::generate(&mut self.town.rng),
            sequence: 0,
            received: Received::default(),
            body: Body::Text("The quay is weak.".to_owned().into()),
        };
        let packed = message.pack(wire.cascade).unwrap();
        let exit = SealSecret::generate(&mut self.town.rng);
        let (blob, _) = envelope::to_desk(&wire, key, &packed, exit.public(), &mut self.town.rng);
        let Found::ToDesk(boxed) = envelope::open_exit(&wire, &exit, &[], blob.as_bytes()).unwrap().1 else {
            panic!("a message to a desk")
        };
        boxed
    }

    /// Whether the desk reads, in the week of it, what is sealed to the key that was handed in last for this week.
    async fn reads(&mut self, week: u32) -> bool {
        let key = self.handed_in().into_iter().rev().find(|(of, _)| *of == week).unwrap().1;
        let boxed = self.boxed(&key);
        self.r = week * WEEK + 2;
        self.town.clock.set(self.town.start(self.r));
        self.town.boxes.push(boxed);
        self.rounds(2).await;
        !self.inbox.conversations().is_empty()
    }
}

/// P8, KEY-02: the edge is out of reach, or refuses, on the first day of a week; then the vault of the day before is put back. The
/// key that it lacks is in nobody's hands, and it makes another.
#[tokio::test]
async fn a_key_that_is_not_in_the_vault_any_more_is_not_handed_in() {
    for refusal in [404, 422] {
        let mut it = with_keys(270, 164, 4, 4).await;
        let vault = it.folder.path().join("vault");
        let earlier = std::fs::read(&vault).unwrap();
        it.town.edge.answer_put(refusal);
        it.rounds(5).await;
        assert_eq!(it.weeks_handed_in(), [4], "one round before it is to be published");
        it.put_back(&earlier);
        it.town.edge.answer_put(200);
        it.inbox.collect();
        it.rounds(2).await;
        assert!(it.reads(4).await, "{refusal}");
    }
}

/// P8, KEY-02: whoever was not answered does not know whether the key was taken, and makes no second one.
#[tokio::test]
async fn a_key_that_the_edge_may_have_gets_no_second_one() {
    let mut it = with_keys(271, 164, 4, 4).await;
    let earlier = std::fs::read(it.folder.path().join("vault")).unwrap();
    it.town.edge.answer_put(503);
    it.rounds(5).await;
    let tried = it.handed_in().remove(0).1.id();
    it.put_back(&earlier);
    it.town.edge.answer_put(200);
    // Before the next exchange, which hands it in again.
    it.inbox.collect();
    it.rounds(2).await;
    assert!(it.handed_in().iter().all(|(week, key)| (*week, key.id()) == (4, tried)));
}

/// P8, KEY-02: a desk whose vault was lost is named anew, and its computer goes on with the folder that it has. What the lost vault's
/// keys were handed in for are its own weeks.
#[tokio::test]
async fn a_new_desk_on_an_old_folder_makes_its_own_keys() {
    let mut it = with_keys(274, 0, 0, 4).await;
    it.rounds(2).await;
    assert_eq!(it.weeks_handed_in(), [0, 1, 2, 3], "the old vault's");
    let old = std::fs::read(it.folder.path().join("vault")).unwrap();
    let vault_key = IdentitySecret::generate(&mut it.town.rng);
    assert_eq!(it.inbox.trouble().cut_off, Some(CutOff::Keyless));
    it.town.directory = it.town.directory_by(&vault_key, it.r + 50);
    it.rounds(1).await;
    assert_eq!(it.inbox.trouble().cut_off, Some(CutOff::Foreign), "the old vault is another desk's now");
    it.town.edge.forget();
    it.rounds(2).await;
    assert_eq!(it.weeks_handed_in(), [0; 0], "and hands in nothing");

    let path = it.folder.path().join("new");
    let contents = VaultContents { vault_key, intake: vec![] };
    let vault = Vault::create(&path, &passphrase(9), Kdf::cheap(), contents, &mut it.town.rng).unwrap();
    it.inbox = Inbox::new(std::sync::Arc::clone(&it.desk), vault);
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().cut_off, None, "nobody may write to it yet");
    it.rounds(1).await;
    assert_eq!(it.weeks_handed_in(), [0, 1, 2, 3], "its own");
    let signed = it.town.edge.requests().into_iter().filter(|request| request.method == "PUT");
    for request in signed {
        let key: Unverified<IntakeKey> = codec::decode(&request.body).unwrap();
        let listed = &it.town.directory.desks()[0];
        let (key, _) = check_intake_key(&key, &listed.vault_key, &it.town.directory.wire().network).unwrap();
        assert_eq!(request.path, path::intake_key(&listed.id, key.from));
    }
    // The old file in the new one's place, by mistake, changes nothing of that.
    std::fs::write(&path, old).unwrap();
    it.inbox = Inbox::new(std::sync::Arc::clone(&it.desk), Vault::unlock(&path, &passphrase(9)).unwrap());
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().cut_off, Some(CutOff::Foreign));
}

/// P8, EXC-11: a press leaves a desk out, to which the edge then gives no desk drop. What came meanwhile is read when it is listed again.
#[tokio::test]
async fn exc_11_a_desk_that_is_left_out_says_so_and_has_all_that_came_when_it_is_back() {
    let mut it = Pair::new(276).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "The quay is weak.", it.now()).unwrap();
    it.rounds(1).await;
    assert_eq!(it.desk.status().health, Health::Good);
    it.town.directory = it.town.directory_with(None, &[]);
    let sent = it.town.edge.uploads().len();
    it.rounds(1).await;
    assert_eq!(it.town.edge.uploads().len(), sent + 2, "it sends as the source does");
    it.rounds(5).await;
    assert_eq!(it.desk.status().health, Health::Unlisted);
    assert!(it.inbox.conversations().is_empty());
    let own = IdentitySecret::from_seed(&it.town.desk_identity);
    let listed = Listed { desk: &own, since: it.r + 50, intake: intake_keys() };
    it.town.directory = it.town.directory_with(None, &[listed]);
    it.rounds(1).await;
    assert_eq!(it.desk.status().health, Health::Good);
    assert_eq!(it.inbox.conversations().len(), 1, "what was on its way");
}

/// P8, EXC-12: the edge gives a desk nothing whose requests are signed minutes ago. It sends like everybody, and reads what came
/// meanwhile once a clock was set.
#[tokio::test]
async fn exc_12_a_desk_that_the_edge_denies_says_so_sends_and_has_all_that_came_afterwards() {
    let mut it = Pair::new(278).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "The quay is weak.", it.now()).unwrap();
    it.town.edge.set_ahead(121_000);
    let sent = it.town.edge.uploads().len();
    it.rounds(6).await;
    assert_eq!(it.town.edge.uploads().len(), sent + 12, "it sends as the source does");
    assert_eq!(it.desk.status().health, Health::Denied);
    assert_eq!(it.source.status().health, Health::Good);
    assert!(it.inbox.conversations().is_empty());
    it.rounds(12).await;
    let sent = it.town.edge.uploads().len();
    it.rounds(1).await;
    assert_eq!(it.town.edge.uploads().len(), sent + 1, "the source alone: the desk knows no keys any more");
    it.town.edge.set_ahead(119_000);
    it.rounds(1).await;
    assert_eq!(it.desk.status().health, Health::Good);
    assert_eq!(it.inbox.conversations().len(), 1, "what was on its way");
}

/// P8: a desk on a new machine, with its old vault, does not have the drops of the time between, and one whose vault was closed for
/// longer than drops are kept does not have the first of them. Both say between when.
#[tokio::test]
async fn a_vault_says_what_was_not_looked_through() {
    let mut it = Pair::new(279).await;
    it.rounds(2).await;
    let (path, passphrase) = (it.folder.path().join("vault"), passphrase(9));
    let reopened =
        |it: &Pair| Inbox::new(std::sync::Arc::clone(&it.desk), Vault::unlock(&path, &passphrase).unwrap());
    assert_eq!(it.inbox.trouble().missed, None);
    for _ in 0..5 {
        it.town.round(it.r, &[&it.source]).await;
        it.r += 1;
    }
    it.desk = it.town.open(it.town.desk_config(Place::Memory), 5);
    it.inbox = reopened(&it);
    it.rounds(1).await;
    // The new one begins with the edition of round 8; that of round 2 was looked through.
    let rounds = |it: &Pair, from, until: u32| (it.town.start(from), it.town.start(until + 1));
    assert_eq!(it.inbox.trouble().missed, Some(rounds(&it, 3, 7)));
    it.rounds(1).await;
    assert_eq!(it.inbox.trouble().missed, Some(rounds(&it, 3, 7)), "also afterwards");
    for _ in 0..340 {
        it.town.quiet(it.r, &[&it.desk], |_| ()).await;
        it.r += 1;
    }
    it.inbox = reopened(&it);
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().missed, Some(rounds(&it, 10, 13)));
    // Off for more than two weeks, it begins anew. What it still has from before goes with that edition and those after.
    let newest = it.r - 1;
    it.town.quiet(it.r, &[], |_| ()).await;
    it.r += 400;
    for _ in 0..3 {
        it.town.quiet(it.r, &[&it.desk], |_| ()).await;
        it.r += 1;
    }
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().missed, Some(rounds(&it, newest + 1, it.r - 4)));
}

/// P8: a drop that the edge lost is waited for until it is too old, and then it is said that it never came.
#[tokio::test]
async fn a_vault_says_that_a_drop_was_given_up() {
    let mut it = Pair::new(281).await;
    it.rounds(3).await;
    let lost = it.r;
    it.town.quiet(lost, &[], |_| ()).await;
    it.town.edge.remove(&path::desk_drop(Round(lost - 2))).unwrap();
    for (r, editions) in [(lost + 1, 0), (lost + 326, 3)] {
        it.town.quiet(r, &[&it.source], |_| ()).await;
        assert_eq!(it.town.next(&it.desk).await.editions, editions, "in round {r}");
        it.inbox.collect();
        let given_up = (it.town.start(lost), it.town.start(lost + 1));
        assert_eq!(it.inbox.trouble().missed, (editions > 0).then_some(given_up), "in round {r}");
    }
}

/// P8, KEY-02: the file is put back under a program that runs and knows nothing else to write.
#[tokio::test]
async fn a_key_is_not_handed_in_once_another_file_lies_in_the_vaults_place() {
    let mut it = with_keys(275, 164, 4, 4).await;
    let vault = it.folder.path().join("vault");
    let earlier = std::fs::read(&vault).unwrap();
    it.town.edge.answer_put(404);
    it.rounds(3).await;
    std::fs::write(&vault, earlier).unwrap();
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().unwritten, Some(Unwritten::Replaced));
    it.town.edge.answer_put(200);
    it.rounds(2).await;
    assert_eq!(it.weeks_handed_in(), [0; 0]);
}

/// P8: a file that went by mistake under a program that runs is there again before anything is handed in.
#[tokio::test]
async fn a_vault_that_is_gone_under_a_program_that_runs_is_written_anew() {
    let mut it = with_keys(277, 3, 4, 4).await;
    let vault = it.folder.path().join("vault");
    it.rounds(1).await;
    std::fs::remove_file(&vault).unwrap();
    it.inbox.collect();
    assert_eq!(it.inbox.trouble().unwritten, None);
    let there = Vault::unlock(&vault, &passphrase(9)).unwrap();
    assert!(it.inbox.is_of(&there));
}

/// P8, KEY-02: a clock that is weeks ahead makes no keys, since no edition is that new, and hands in none.
#[tokio::test]
async fn a_clock_that_was_weeks_ahead_leaves_no_keys_behind() {
    let mut it = with_keys(272, 1, 4, 4).await;
    let newest = std::fs::read(it.folder.path().join("vault")).unwrap();
    it.town.edge.answer_put(422);
    it.town.clock.set(it.town.start(5 * WEEK + 1));
    it.inbox.collect();
    it.town.next(&it.desk).await;
    it.inbox.collect();
    assert_eq!(it.weeks_handed_in(), [0; 0]);
    it.town.clock.set(it.town.start(2 * WEEK + 1));
    for device in [&it.source, &it.desk] {
        device.step(it.now()).await;
    }
    it.put_back(&newest);
    it.town.edge.answer_put(200);
    it.r = 2 * WEEK + 2;
    it.rounds(2).await;
    assert_eq!(it.weeks_handed_in(), [4, 5]);
    assert!(it.reads(5).await);
}

/// KEY-02: whoever has not seen an edition does not know which keys there are.
#[tokio::test]
async fn a_new_folder_and_an_old_vault_make_no_second_key_before_the_first_exchange() {
    let mut it = with_keys(273, 0, 4, 1).await;
    it.rounds(2).await;
    assert_eq!(it.weeks_handed_in(), [0], "its own, and none of the weeks that it lacks");
    let weeks = (it.town.start(WEEK), it.town.start(4 * WEEK));
    assert_eq!(it.inbox.trouble().lacks, Some(weeks));
    // The first keys of a desk that never had any.
    let mut new = with_keys(274, 0, 0, 0).await;
    new.rounds(2).await;
    assert_eq!(new.weeks_handed_in(), [0, 1, 2, 3]);
}

/// P8, KEY-03: what lies on the device when its time is over is read once more, and then the key is gone.
#[tokio::test]
async fn key_03_drops_that_are_there_are_opened_before_their_key_is_deleted() {
    let mut it = Pair::in_town(Town::found(279).await, 279, WEEK - 3).await;
    let key = intake_keys().swap_remove(0).1;
    let boxed = it.boxed(key.public());
    it.town.boxes.push(boxed);
    // The vault stays closed, and the device goes on for a round.
    it.town.round(it.r, &[&it.source, &it.desk]).await;
    it.town.round(it.r + 1, &[&it.source, &it.desk]).await;
    it.town.clock.set(it.town.start(3 * WEEK));
    it.inbox.collect();
    assert_eq!(it.inbox.conversations().len(), 1);
    let boxed = it.boxed(key.public());
    it.town.boxes.push(boxed);
    it.r = 3 * WEEK + 1;
    it.rounds(2).await;
    assert_eq!(it.inbox.conversations().len(), 1, "nothing more is opened with it");
}

/// P8: no time is named where nothing leaves, nor for what has no place yet.
#[tokio::test]
async fn an_answer_of_which_nobody_knows_when_it_leaves_is_told_no_time() {
    let mut it = Pair::new(280).await;
    let session = it.source.begin(&passphrase(1)).unwrap();
    let answer = |it: &Pair| {
        let conversation = it.inbox.conversations()[0].id;
        it.inbox.answer(conversation, &"x".repeat(16 * 944), it.now()).unwrap();
    };
    // How each answer stands: whether it has left, or waits until some time, or why nobody knows until when.
    let stand = |it: &Pair| -> Vec<_> {
        let lines = it.inbox.conversations().swap_remove(0).lines;
        let own = lines.iter().filter(|line| line.who == client::Who::You);
        own.map(|line| match line.state {
            LineState::Left { .. } => "left",
            LineState::Waiting { .. } => "waits",
            LineState::Stays(Stays::NoPlace) => "no place",
            LineState::Stays(Stays::Halted) => "halted",
            state => panic!("{state:?}"),
        })
        .collect()
    };
    // 64 parts, of which three leave in a round; and 32 more, for which the 24 places of a day are not enough.
    session.write(it.town.desk, "The quay is weak.", it.now()).unwrap();
    it.rounds(4).await;
    for _ in 0..4 {
        answer(&it);
    }
    assert_eq!(stand(&it), ["waits"; 4]);
    session.write(it.town.desk, "Look at it.", it.now()).unwrap();
    it.rounds(3).await;
    answer(&it);
    answer(&it);
    assert_eq!(stand(&it), ["waits", "waits", "waits", "waits", "no place", "no place"]);
    // The edge denies it its drops, and with them the keys of rounds to come: it sends for twelve rounds.
    it.town.edge.set_ahead(121_000);
    it.rounds(1).await;
    assert_eq!(it.desk.status().health, Health::Denied);
    assert_eq!(stand(&it), ["waits", "waits", "halted", "halted", "no place", "no place"]);
    it.rounds(12).await;
    assert_eq!(stand(&it), ["left", "left", "halted", "halted", "halted", "halted"]);
    it.town.edge.set_ahead(0);
    it.rounds(1).await;
    assert_eq!(stand(&it)[2..], ["waits"; 4]);
    // Where its envelopes are not taken, as long as that is so.
    it.town.edge.set_upload(Upload::Busy);
    it.rounds(1).await;
    assert_eq!(it.desk.status().health, Health::Offline);
    assert_eq!(stand(&it)[2..], ["halted"; 4]);
}

/// P8: whoever puts the newest copy back while the program runs may have no second one.
#[tokio::test]
async fn another_file_in_the_vaults_place_is_not_written_over() {
    let mut it = Pair::new(275).await;
    let vault = it.folder.path().join("vault");
    let old = std::fs::read(&vault).unwrap();
    let session = it.source.begin(&passphrase(1)).unwrap();
    session.write(it.town.desk, "The quay is weak.", it.now()).unwrap();
    it.rounds(4).await;
    assert_eq!(it.inbox.conversations().len(), 1);
    let newest = std::fs::read(&vault).unwrap();
    it.put_back(&old);
    std::fs::write(&vault, &newest).unwrap();
    assert_eq!(it.inbox.trouble().unwritten, None);
    it.rounds(1).await;
    assert_eq!(it.inbox.trouble().unwritten, Some(Unwritten::Replaced));
    assert!(std::fs::read(&vault).unwrap() == newest && !it.folder.path().join("vault.next").exists());
    it.put_back(&newest);
    assert_eq!(it.inbox.conversations().len(), 1);
    it.rounds(1).await;
    assert_eq!(it.inbox.trouble().unwritten, None);
}
