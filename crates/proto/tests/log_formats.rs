//! The log's formats, compared with implementations that are not ours: `signed_note` and `tlog_tiles`.

#![allow(clippy::unwrap_used, reason = "a test")]

use proto::directory::{Operator, Parameters, Role, Roster, UnverifiedDirectory};
use proto::log::{Checkpoint, Frontier, Hashes, Tile, UnverifiedNote, cosigner, leaf_hash, origin};
use proto::sign::{IdentitySecret, RootSecret};
use proto::{Digest, Millis, NetworkId, Round, Schedule};
use rand::{SeedableRng as _, rngs::StdRng};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList, key_id};
use tlog_tiles::tile::Tile as TheirTile;
use tlog_tiles::tlog::{self, Hash, HashReader};

const NETWORK: NetworkId = NetworkId([0xab; 32]);

/// C2SP tlog-cosignature, written a second time over another Ed25519.
struct Witness {
    name: String,
    key: [u8; 32],
}

impl Verifier for Witness {
    fn name(&self) -> &str {
        &self.name
    }

    fn key_id(&self) -> u32 {
        key_id(&self.name, &[&[4][..], &self.key].concat())
    }

    fn verify(&self, msg: &[u8], sig: &[u8]) -> bool {
        let (time, signature) = sig.split_at(8);
        let time = u64::from_be_bytes(time.try_into().unwrap());
        let signed = [format!("cosignature/v1\ntime {time}\n").as_bytes(), msg].concat();
        let key = ed25519_dalek::VerifyingKey::from_bytes(&self.key).unwrap();
        let signature = ed25519_dalek::Signature::from_slice(signature).unwrap();
        key.verify_strict(&signed, &signature).is_ok()
    }
}

/// The verifier key of C2SP signed-note, as an operator would hand it to somebody's tool.
fn vkey(name: &str, key: &[u8; 32]) -> StandardVerifier {
    let key = [&[1][..], key].concat();
    let base64 = data_encoding::BASE64.encode(&key);
    StandardVerifier::new(&format!("{name}+{:08x}+{base64}", key_id(name, &key))).unwrap()
}

#[test]
fn others_read_and_verify_our_checkpoints_and_cosignatures() {
    let mut rng = StdRng::seed_from_u64(1);
    let [press, witness, other] = [(); 3].map(|()| IdentitySecret::generate(&mut rng));
    let checkpoint = Checkpoint { size: 20_852_163, root: Digest::of(b"root") };
    let ours = UnverifiedNote::from_bytes(&checkpoint.sign(&NETWORK, &press)).unwrap();
    let ours = ours.with(checkpoint.cosign(&NETWORK, &witness, Millis(1_679_315_147_000)));
    let note = Note::from_bytes(&ours.to_bytes()).unwrap();
    let of = |who: &IdentitySecret| {
        let key = who.public();
        Box::new(Witness { name: cosigner(&key), key: key.0 })
    };
    let name = origin(&NETWORK);
    let known = VerifierList::new(vec![Box::new(vkey(&name, &press.public().0)), of(&witness), of(&other)]);
    let (verified, unknown) = note.verify(&known).unwrap();
    assert_eq!((verified.len(), unknown.len()), (2, 0));
    let wrong = VerifierList::new(vec![Box::new(vkey(&name, &other.public().0))]);
    assert!(note.verify(&wrong).is_err());

    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!((read.origin(), read.size()), (name.as_str(), 20_852_163));
    assert_eq!(read.hash().0, checkpoint.root.0);
    assert_eq!(read.extension(), "");
}

#[test]
fn we_read_and_verify_the_notes_of_others() {
    let mut rng = StdRng::seed_from_u64(2);
    let root = RootSecret::generate(&mut rng);
    let [press, edge, mix] = [(); 3].map(|()| IdentitySecret::generate(&mut rng));
    let operator =
        |role, by: &IdentitySecret| Operator { role, name: "Name".into(), key: by.public(), since: Round(0) };
    let roster = Roster {
        name: "Network".into(),
        demonstration: true,
        parameters: Parameters {
            schedule: Schedule { genesis: Millis(0), round_ms: 5_000 },
            mixes: 1,
            n_min: 2,
            n_max: 3,
            desk_slots: 1,
            reader_slots: 1,
            hold: proto::hold::Hold::NONE,
            decoys: proto::decoy::Decoys::NONE,
            quorum: 0,
            desks: 3,
        },
        operators: vec![
            operator(Role::Press, &press),
            operator(Role::Edge, &edge),
            operator(Role::Mix(0), &mix),
        ],
        number: 1,
        from: Round(0),
        until: Round(9),
    };
    let network = root.public().network();
    let directory = UnverifiedDirectory::assemble(&root, &roster, vec![], vec![]).verify(&network).unwrap();
    let name = origin(&network);
    let theirs = tlog_tiles::Checkpoint::new(&name, 7, Hash([9; 32]), "").unwrap();
    // An encoded signer key of theirs: name, id and seed.
    let id = key_id(&name, &[&[1][..], &press.public().0].concat());
    let seed = data_encoding::BASE64.encode(&[&[1][..], press.to_seed().as_slice()].concat());
    let signer = signed_note::StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id:08x}+{seed}")).unwrap();
    let mut note = Note::new(&theirs.to_bytes(), &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let signed = UnverifiedNote::from_bytes(&note.to_bytes()).unwrap().verify(&directory, Round(0)).unwrap();
    assert_eq!(signed.checkpoint(), Checkpoint { size: 7, root: Digest([9; 32]) });
    assert_eq!(note.to_bytes(), signed.checkpoint().sign(&network, &press), "byte for byte");
}

/// Their store of hashes.
#[derive(Default)]
struct Stored(Vec<Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog::Error> {
        Ok(indexes.iter().map(|&i| self.0[i as usize]).collect())
    }
}

#[test]
fn roots_and_tiles_are_those_of_others() {
    let (mut stored, mut frontier, mut hashes) = (Stored::default(), Frontier::empty(), Hashes::default());
    for n in 0u64..1_300 {
        let leaf = n.to_be_bytes();
        let new = tlog::stored_hashes(n, &leaf, &stored).unwrap();
        stored.0.extend(new);
        frontier.push(&leaf);
        hashes.push(leaf_hash(&leaf));
        assert_eq!(tlog::tree_hash(n + 1, &stored).unwrap().0, frontier.root().0, "size {}", n + 1);
    }
    for theirs in TheirTile::new_tiles(8, 0, 1_300) {
        let path = theirs.path();
        let ours = Tile::parse(path.strip_prefix("tile/8/").or(path.strip_prefix("tile/")).unwrap()).unwrap();
        assert_eq!(hashes.tile(&ours).unwrap(), theirs.read_data(&stored).unwrap(), "{path}");
    }
    // A consistency proof that a monitor makes from them holds for our roots.
    let proof = tlog::prove_tree(1_300, 777, &stored).unwrap();
    let [new, old] = [1_300, 777].map(|size| Hash(hashes.frontier(size).unwrap().root().0));
    assert!(tlog::check_tree(&proof, 1_300, new, 777, old).is_ok());
}
