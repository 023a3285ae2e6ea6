//! The mailbox in the hands of a thief who has the device and not the passphrase.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proto::decoy::Decoys;
use proto::directory::{Operator, Parameters, Role, Roster, UnverifiedDirectory};
use proto::hold::Hold;
use proto::seal::SealSecret;
use proto::sign::{IdentitySecret, RootSecret};
use proto::size::Cascade;
use proto::{Clock, Millis, NetworkId, Round, Schedule, envelope};
use rand::{Rng as _, SeedableRng, rngs::StdRng};

use super::file::Step;
use super::*;
use crate::work::{Work, counted};
use crate::{Config, Device, Kdf, Passphrase, Place};

fn wire() -> Wire {
    Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() }
}

/// What a thief has after taking the folder: every file, and the state that the key beside it opens.
struct Loot {
    files: BTreeMap<String, Vec<u8>>,
    plain: Option<(String, Vec<u8>)>,
}

impl Loot {
    fn take(folder: &Path) -> Self {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
        let files: BTreeMap<_, _> =
            entries.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap())).collect();
        let key = files["device.key"].get(..StoreKey::LEN).map(|key| key.try_into().unwrap());
        let mut opened = files.iter().filter_map(|(name, bytes)| {
            let mut bytes = bytes.clone();
            let opens = bytes.len() == FILE && StoreKey::from_bytes(key?).open_once(&mut bytes).is_ok();
            opens.then(|| (name.clone(), bytes[..PLAIN].to_vec()))
        });
        let plain = opened.next();
        assert!(opened.next().is_none(), "two states can be read, and so compared");
        drop(opened);
        Self { files, plain }
    }

    /// All that a thief can say without a key to the region: names, lengths, what opens, and how even its bytes are.
    fn told(&self) -> (Vec<(String, usize)>, Option<String>) {
        let lengths = self.files.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect();
        if let Some((_, plain)) = &self.plain {
            let (salt, rest) = plain.split_at(SALT);
            let rest = &rest[QUEUE * wire().cascade.blob() + WEEKS..];
            let (marks, region) = rest.split_at(MARKS);
            let marks = [salt, marks].concat();
            for (part, what) in [(region, "region"), (&marks[..], "marks")] {
                let mut counts = [0_u64; 256];
                part.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
                let mean = part.len() as f64 / 256.0;
                let chi: f64 = counts.iter().map(|n| (*n as f64 - mean).powi(2) / mean).sum();
                // 255 expected, standard deviation 22.6; the seeds are fixed.
                assert!((150.0..360.0).contains(&chi), "{what}: chi-squared {chi}");
            }
        }
        (lengths, self.plain.as_ref().map(|(name, _)| name.clone()))
    }
}

/// Rewrites the mailbox, and takes the folder after every step, as a thief would.
fn rewritten(mailbox: &mut Mailbox, folder: &Path, rng: &mut StdRng) -> Vec<(Step, Loot)> {
    let mut taken = vec![];
    let plain = mailbox.to_plain();
    let Kept::File(file) = &mut mailbox.kept else { panic!("it lies in a folder") };
    let thief = |step| {
        taken.push((step, Loot::take(folder)));
        Ok(())
    };
    file.write(plain, rng, thief).unwrap();
    taken
}

/// P7: one device of a reader, one of a source, and a thief who takes either at any moment, also within a rewriting that brings
/// a new mailbox or a message to the disk.
#[test]
fn a_thief_who_takes_the_folder_at_any_moment_can_tell_nothing() {
    let folders = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let mut rngs = [0, 1].map(|_| StdRng::seed_from_u64(61));
    let exit = SealSecret::generate(&mut StdRng::seed_from_u64(62));
    let mut cover_rng = StdRng::seed_from_u64(63);
    let mut cover = || envelope::cover(&wire(), exit.public(), &mut cover_rng);
    let mut mailboxes = [0, 1].map(|i: usize| {
        let file = MailboxFile::lock(folders[i].path()).unwrap();
        Mailbox::open(file, wire(), &mut rngs[i]).unwrap()
    });
    let mut told: [Vec<_>; 2] = [vec![], vec![]];
    let (region, hints) = (StoreKey::from_bytes([5; 32]), HintKey::from_bytes([6; 32]));
    for round in 0..6 {
        for i in [0, 1] {
            let (mailbox, rng, folder) = (&mut mailboxes[i], &mut rngs[i], folders[i].path());
            told[i].push(Loot::take(folder).told());
            if round == 0 {
                mailbox.fill(|_, _: &mut StdRng| cover().into(), rng).unwrap();
            }
            let writes = i == 1;
            if writes && round == 1 {
                let mut salt = [0; SALT];
                rng.fill_bytes(&mut salt);
                mailbox.begin(salt, &region, b"a new mailbox", rng).unwrap();
            }
            if writes && round >= 2 {
                // To a desk: what a message is made of is the same code as cover, sealed to another key.
                mailbox.place(&hints, &cover().into()).unwrap();
                mailbox.seal_region(&region, &vec![b'x'; 1_000 * round], rng).unwrap();
            }
            for (step, loot) in rewritten(mailbox, folder, rng) {
                let opens = loot.plain.as_ref().map(|(name, _)| name.as_str());
                let wanted = if step == Step::KeyChanged { "mailbox.next" } else { "mailbox" };
                assert_eq!(opens, Some(wanted), "{step:?}");
                told[i].push(loot.told());
            }
            mailbox.take(Round(round as u32), &cover().into(), rng).unwrap();
        }
    }
    assert_eq!(told[0].len(), 6 * 5);
    assert_eq!(told[0], told[1]);
    assert!(mailboxes[1].open_region(&region).is_some() && mailboxes[0].open_region(&region).is_none());
}

/// MBX-03: the same steps with the same lengths, whether the words are wrong or there was never a mailbox. The words on the
/// screen are the reader's to test.
#[test]
fn wrong_words_and_a_mailbox_never_used_take_the_same_steps() {
    let never = device(71);
    let used = device(71);
    let [right, wrong] = [1, 2].map(|seed| Passphrase::generate(&mut StdRng::seed_from_u64(seed)));
    drop(used.begin(&right).unwrap());
    let way = |device: &Device| counted(|| device.unlock(&wrong).is_ok_and(|it| it.is_some()));
    let (ours, theirs) = (way(&never), way(&used));
    assert_eq!(ours, theirs);
    let Work::Derived { memory_kib: 64, passes: 1 } = ours.1[0] else { panic!("{ours:?}") };
    let text = PLAIN - SALT - QUEUE * wire().cascade.blob() - WEEKS - MARKS - seal::OVERHEAD;
    assert_eq!(ours.1[1..], [Work::Refused(text)]);
    let (opened, steps) = counted(|| used.unlock(&right).is_ok_and(|it| it.is_some()));
    assert!(opened && steps.ends_with(&[Work::Opened(text)]), "{steps:?}");
    // A damaged region is a wrong passphrase, too.
    used.inner().held().mailbox.region[100] ^= 1;
    assert_eq!(counted(|| used.unlock(&right).is_ok_and(|it| it.is_some())), ours);
}

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        Millis(1_000_000)
    }
}

/// A device in memory that never reaches its edge.
fn device(seed: u64) -> Device {
    let mut rng = StdRng::seed_from_u64(seed);
    let root = RootSecret::generate(&mut rng);
    let network = root.public().network();
    let [press, edge] = [(); 2].map(|()| IdentitySecret::generate(&mut rng));
    let mixes: Vec<_> = (0..3_u8).map(|hop| (hop, IdentitySecret::generate(&mut rng))).collect();
    let operator = |role, name: &str, by: &IdentitySecret| Operator {
        role,
        name: name.into(),
        key: by.public(),
        since: Round(0),
    };
    let mut operators = vec![operator(Role::Press, "Press", &press), operator(Role::Edge, "Edge", &edge)];
    operators.extend(mixes.iter().map(|(hop, by)| operator(Role::Mix(*hop), &format!("Mix {hop}"), by)));
    let schedule = Schedule { genesis: Millis(0), round_ms: 60_000 };
    let parameters = Parameters {
        schedule,
        mixes: 3,
        n_min: 2,
        n_max: 100,
        desk_slots: 4,
        reader_slots: 4,
        hold: Hold::NONE,
        decoys: Decoys::NONE,
        quorum: 0,
        desks: 3,
    };
    let roster = Roster {
        name: "Testing".into(),
        demonstration: true,
        parameters,
        operators,
        number: 1,
        from: Round(0),
        until: Round(u32::MAX),
    };
    // Nothing is sent, so no keys are needed.
    let directory = UnverifiedDirectory::assemble(&root, &roster, vec![], vec![]).to_bytes();
    let config = Config {
        edge: "http://127.0.0.1:9".into(),
        network,
        directory,
        place: Place::Memory,
        kdf: Kdf::cheap(),
        desk: None,
    };
    Device::open(config, Arc::new(Standing), rng).unwrap()
}
