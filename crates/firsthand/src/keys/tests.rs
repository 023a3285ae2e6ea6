use proto::directory::MixKey;
use proto::seal::SealSecret;
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use super::*;

/// Everybody's folders, and what they read to each other.
struct Founding {
    folder: tempfile::TempDir,
    rng: StdRng,
    network: NetworkId,
}

impl Founding {
    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn take(&mut self, step: &Step) -> anyhow::Result<String> {
        take(step, &mut self.rng)
    }

    fn identity(&mut self, name: &str) -> String {
        let to = self.at(name);
        read_out(&self.take(&Step::Identity { to }).unwrap(), "Public key: ")
    }

    /// With a root, and the example of a plan filled in with keys of everybody.
    fn begin() -> (Self, String) {
        let folder = tempfile::tempdir().unwrap();
        let mut it = Self { folder, rng: StdRng::seed_from_u64(1), network: NetworkId([0; 32]) };
        let root = it.take(&Step::Root { to: it.at("root") }).unwrap();
        it.network = network(&read_out(&root, "The network's id: ")).unwrap();
        let mut plan = it.take(&Step::Plan).unwrap();
        for name in ["press", "edge", "mix1", "mix2", "mix3", "w1", "w2", "w3", "newsroom"] {
            let key = it.identity(name);
            plan = plan.replacen(&".".repeat(64), &key, 1);
        }
        assert!(!plan.contains("....."), "the example has a place for each of them");
        (it, plan)
    }

    fn roster(&mut self, plan: &str, before: Option<&str>, to: &str) -> anyhow::Result<String> {
        fs::write(self.at("network.toml"), plan).unwrap();
        let before = before.map(|name| self.at(name));
        let (root, plan, to) = (self.at("root"), self.at("network.toml"), self.at(to));
        self.take(&Step::Roster { root, plan, before, to })
    }
}

/// What stands behind `label` on its line.
fn read_out(said: &str, label: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix(label)).unwrap().to_owned()
}

#[test]
fn a_network_is_founded_step_by_step() {
    let (mut it, plan) = Founding::begin();
    let said = it.roster(&plan, None, "roster").unwrap();
    assert!(said.contains("Roster 1, rounds 0 to 8759: from 2027-01-01T00:00:00Z on"), "{said}");
    assert!(said.contains("2 of 3 witnesses must co-sign"), "{said}");
    let said = it.take(&Step::Desk { to: it.at("desk") }).unwrap();
    let words = Passphrase::parse(said.lines().find(|line| line.starts_with("    ")).unwrap()).unwrap();
    let [key, vault_key] = ["Public key: ", "Vault key: "].map(|label| read_out(&said, label));
    let card = Step::Card {
        network: it.network,
        newsroom: it.at("newsroom"),
        desk: identity(&key).unwrap(),
        vault_key: identity(&vault_key).unwrap(),
        name: "Investigations".into(),
        about: "Two people read here.".into(),
        since: 0,
        to: it.at("card"),
    };
    it.take(&card).unwrap();
    let directory = Step::Directory {
        network: it.network,
        roster: it.at("roster"),
        card: vec![it.at("card")],
        before: None,
        to: it.at("directory"),
    };
    let said = it.take(&directory).unwrap();
    let desk = format!("  {key}  Investigations, The newsroom's name\n  {vault_key}  its vault key\n");
    assert!(said.contains(&format!("1 desk of at most 64\n{desk}")), "{said}");
    assert_eq!(
        it.take(&Step::Show { network: it.network, file: it.at("directory") }).unwrap().lines().count(),
        said.lines().take_while(|line| !line.is_empty()).count()
    );
    // A card that is forgotten later throws its desk out.
    let out = "WARNING: Investigations, The newsroom's name is left out.";
    for (card, to, is_out) in [(vec![], "none", true), (vec![it.at("card")], "same", false)] {
        let (roster, before, to) = (it.at("roster"), Some(it.at("directory")), it.at(to));
        let said = it.take(&Step::Directory { network: it.network, roster, card, before, to }).unwrap();
        assert_eq!(said.contains(out), is_out, "{said}");
    }
    // What was made is what programs read.
    let desk = Vault::unlock(&it.at("desk").join(file::VAULT), &words).unwrap();
    assert_eq!(hex::encode(desk.vault_key().0), vault_key);
    // P4: the file beside the vault is the other key, and what is in the vault is not in it.
    let outside = IdentitySecret::from_seed(&seed::read(&it.at("desk").join(file::IDENTITY)).unwrap());
    assert_eq!(hex::encode(outside.public().0), key);
    assert_ne!(key, vault_key);
    let verified = read(&it.at("directory")).unwrap().verify(&it.network).unwrap();
    let mix = IdentitySecret::from_seed(&seed::read(&it.at("mix2").join(file::IDENTITY)).unwrap());
    assert_eq!(verified.roster().mix(1, Round(0)), Some(mix.public()));
}

#[test]
fn what_is_there_is_never_written_over() {
    let (mut it, plan) = Founding::begin();
    it.roster(&plan, None, "roster").unwrap();
    let files = ["root/root-ed25519.key", "root/root-ml-dsa.key", "press/identity.key", "roster"];
    let before = files.map(|name| fs::read(it.at(name)).unwrap());
    for step in [
        Step::Root { to: it.at("root") },
        Step::Identity { to: it.at("press") },
        Step::Desk { to: it.at("press") },
    ] {
        let said = it.take(&step).unwrap_err().to_string();
        assert!(said.ends_with("is there already, and is left as it is. Give another name."), "{said}");
    }
    assert!(it.roster(&plan, None, "roster").is_err());
    assert_eq!(before, files.map(|name| fs::read(it.at(name)).unwrap()));
}

/// DIR-02, DIR-03, DIR-04, DIR-13, DIR-14
#[test]
fn what_nobody_would_take_is_not_written() {
    let (mut it, plan) = Founding::begin();
    it.roster(&plan, None, "roster").unwrap();
    let press = it.identity("press2");
    let mut keys = plan.lines().filter(|line| line.starts_with("key = "));
    let (old, other) = (keys.next().unwrap(), keys.next().unwrap());
    let other_press = |from: u32, since: u32| {
        plan.replacen(old, &format!("key = \"{press}\""), 1)
            .replace("number = 1", "number = 2")
            .replacen("from = 0", &format!("from = {from}"), 1)
            .replacen("since = 0", &format!("since = {since}"), 1)
    };
    let later = plan.replace("number = 1", "number = 2");
    let with = |role: &str, since: u32| {
        let key = format!("name = \"Next\"\nkey = \"{press}\"\nsince = {since}\n");
        format!("{later}\n[[operator]]\nrole = {role}\n{key}")
    };
    for (plan, before, why) in [
        (plan.replace("n_min = 5000", "n_min = 1"), None, "nobody is hidden"),
        (plan.replace("n_max = 500000", "n_max = 4999"), None, "less than `n_min`, 5000"),
        (plan.replace("quorum = 2", "quorum = 1"), None, "more than half of them"),
        (plan.replace("mixes = 3", "mixes = 5"), None, "`mixes` is 5. It can be 1 to 4."),
        (
            plan.replace("mixes = 3", "mixes = 4").replace("desk_slots = 384", "desk_slots = 400"),
            None,
            "no mix with `place` 4",
        ),
        (plan.replace("mixes = 3", "mixes = 2"), None, "has `place` 3, and there are 2 mixes"),
        (plan.replace("desk_slots = 384", "desk_slots = 10"), None, "Raise it to"),
        (plan.replacen("from = 0", "from = 4000000000", 1), None, "the earlier round"),
        (plan.replace("role = \"edge\"", "role = \"newsroom\""), None, "names no edge"),
        (plan.replacen(other, old, 1), None, "have the same key"),
        (plan.replace("round = 3600", "round = 0.2"), None, "half a second"),
        (plan.replace("reader_slots = 74", "reader_slots = 73"), None, "Raise `reader_slots` to 74 or more"),
        (plan.replace("place = 2", "place = 1"), None, "no mix with `place` 2"),
        (plan.replace("place = 2", "place = 9"), None, "place"),
        (plan.replace("quorum", "quorums"), None, "quorums"),
        (plan.replace("2027-01-01T00:00:00Z", "tomorrow"), None, "no moment"),
        (plan.replacen(old, "key = \"12\"", 1), None, "no public key"),
        (plan.clone(), Some("roster"), "Count it up"),
        (other_press(0, 0), Some("roster"), "without waiting"),
        (other_press(100, 100), Some("roster"), "without waiting"),
        (with("\"mix\"\nplace = 2", 60), Some("roster"), "first round of a key"),
        (with("\"mix\"\nplace = 3", 168), Some("roster"), "without waiting"),
        (later.replace("desk_slots = 384", "desk_slots = 385"), Some("roster"), "other sizes"),
        (later.replace("n_max = 500000", "n_max = 400000"), Some("roster"), "other sizes"),
    ] {
        let said = format!("{:#}", it.roster(&plan, before, "next").unwrap_err());
        assert!(said.contains(why), "{why}: {said}");
        assert!(!it.at("next").exists());
    }
    for (n, (role, since)) in
        [("\"press\"", 48), ("\"mix\"\nplace = 2", 48), ("\"mix\"\nplace = 3", 336)].into_iter().enumerate()
    {
        it.roster(&with(role, since), Some("roster"), &format!("next{n}")).unwrap();
    }
    // The one before may be as it is served, with keys that a roster has none of.
    let before = read(&it.at("roster")).unwrap();
    let mix = IdentitySecret::from_seed(&seed::read(&it.at("mix3").join(file::IDENTITY)).unwrap());
    let key = SealSecret::generate(&mut it.rng).public().to_bytes().into();
    let key = MixKey { hop: 2, key, from: Round(0), until: Round(167) };
    let keys = vec![Unverified::sign(&key, &it.network, &mix)];
    let served = before.with_keys(keys, |_, listed| listed.to_vec()).unwrap().to_bytes();
    fs::write(it.at("served"), served).unwrap();
    it.roster(&later, Some("served"), "after").unwrap();
    // One more witness changes nothing for the two that must co-sign; where it is one of those that must, the others do until then.
    let said = format!("{:#}", it.roster(&with("\"witness\"", 48), Some("roster"), "witness").unwrap_err());
    assert!(said.contains("more than half"), "{said}");
    let more = with("\"witness\"", 48).replace("quorum = 2", "quorum = 3");
    let said = it.roster(&more, Some("roster"), "witness").unwrap();
    assert!(!said.contains("WARNING"), "three are in force: {said}");
    let all = with("\"witness\"", 48).replace("quorum = 2", "quorum = 4");
    let said = it.roster(&all, Some("roster"), "witnesses").unwrap();
    assert!(said.contains("WARNING: until round 48 only 3 of its witnesses are in force"), "{said}");
    let blocks = plan.split("[[operator]]").map(|block| match block.contains("\"witness\"") {
        true => block.replace("since = 0", "since = 48"),
        false => block.to_owned(),
    });
    let none = blocks.collect::<Vec<_>>().join("[[operator]]");
    let said = it.roster(&none, None, "none").unwrap();
    assert!(said.contains("WARNING: until round 48 none of its witnesses is in force"), "{said}");
    // Half of the root signs nothing.
    fs::remove_file(it.at("root").join(ML_DSA)).unwrap();
    assert!(it.roster(&plan, None, "half").is_err());
    assert!(!it.at("half").exists());
}

#[test]
fn a_card_of_a_stranger_makes_no_directory() {
    let (mut it, plan) = Founding::begin();
    it.roster(&plan, None, "roster").unwrap();
    let stranger = it.identity("stranger");
    let vault = it.identity("vault");
    let mut card = |newsroom: &str, keys: [&str; 2], to: &str| {
        let (newsroom, to, network) = (it.at(newsroom), it.at(to), NetworkId([0; 32]));
        let [desk, vault_key] = keys.map(|key| identity(key).unwrap());
        let (name, about) = ("Desk".to_owned(), String::new());
        it.take(&Step::Card { network, newsroom, desk, vault_key, name, about, since: 0, to })
    };
    card("newsroom", [&stranger, &vault], "other").unwrap();
    assert!(card("stranger", [&stranger, &vault], "own").is_err(), "a desk is not its own newsroom");
    assert!(card("stranger", [&vault, &stranger], "own").is_err(), "nor is its vault key");
    assert!(card("newsroom", [&stranger, &stranger], "own").is_err(), "its vault key is another");
    for (file, why) in
        [("other", "not named by a newsroom"), ("roster", "no card"), ("nowhere", "cannot read")]
    {
        let step = Step::Directory {
            network: it.network,
            roster: it.at("roster"),
            card: vec![it.at(file)],
            before: None,
            to: it.at("directory"),
        };
        let said = format!("{:#}", it.take(&step).unwrap_err());
        assert!(said.contains(why), "{why}: {said}");
    }
    assert!(!it.at("directory").exists());
    assert!(it.take(&Step::Show { network: NetworkId([1; 32]), file: it.at("roster") }).is_err());
}
