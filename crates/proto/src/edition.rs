//! Editions: a round's signed head, its stories, its drops. Spec: edition.md.
//!
//! The head names everything else by digest: whoever holds a verified head needs no other signature.

use minicbor::{Decode, Encode};

use crate::codec::{self, Malformed};
use crate::directory::Directory;
use crate::drops::{DeskDrop, ReaderDrop};
use crate::id::{Digest, NetworkId};
use crate::mix::Manifest;
use crate::round::{Millis, Round};
use crate::sign::{IdentitySecret, Purpose, Rejected, Unverified};
use crate::story::{Story, StoryId};

/// The most that a bundle of stories may unpack to, in bytes.
pub const MAX_BUNDLE: usize = 32 * 1024 * 1024;
/// The most that a bundle may weigh as served, in bytes.
pub const MAX_PACKED: usize = 8 * 1024 * 1024;
/// The most that a head may weigh, in bytes.
pub const MAX_HEAD: usize = 1024 * 1024;
/// The most that a picture may weigh, in bytes.
pub const MAX_PICTURE: usize = 20 * 1024;

/// Names a bundle of stories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct BundleRef {
    /// SHA-256 of the bytes as served.
    #[n(0)]
    pub digest: Digest,
    /// Their length.
    #[n(1)]
    pub len: u32,
}

/// An edition's signed summary.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The round it is published in.
    #[n(0)]
    pub round: Round,
    /// Digest of the head before it, as served; all zero for the first.
    #[n(1)]
    pub previous: Digest,
    /// When it was made.
    #[n(2)]
    pub made: Millis,
    /// Digest of the directory in force.
    #[n(3)]
    pub directory: Digest,
    /// Stories new or changed since the edition before.
    #[n(4)]
    pub changes: BundleRef,
    /// The whole front page, for who comes new or was away.
    #[n(5)]
    pub front: BundleRef,
    /// Every manifest since the edition before, as its mix signed it.
    #[n(6)]
    pub manifests: Vec<Unverified<Manifest>>,
}

impl Purpose for Head {
    const TAG: &'static str = "edition head";
}

/// Drops of one round, as the exit's manifest names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropRef {
    /// The round whose drops they are.
    pub round: Round,
    /// SHA-256 of the desk drop.
    pub desk: Digest,
    /// SHA-256 of the reader drop.
    pub reader: Digest,
}

/// A head as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnverifiedHead {
    signed: Unverified<Head>,
    digest: Digest,
}

/// Why an edition, or a part of one, is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EditionRejected {
    /// EDN-01
    #[error("the edition is not signed by this network's press")]
    Signature,
    /// EDN-02
    #[error("the edition is not of the round asked for")]
    Round,
    /// EDN-03
    #[error("the edition does not follow the one before it")]
    Previous,
    /// EDN-04
    #[error("the edition names another directory")]
    Directory,
    /// EDN-05
    #[error("a mix's manifest in the edition is not signed by that mix")]
    Manifest,
    /// EDN-06
    #[error("the stories are not those that the edition names")]
    Bundle,
    /// EDN-07
    #[error("a drop is not the one that the edition names")]
    Drop,
    /// EDN-08
    #[error("a story cannot be shown")]
    Story,
    /// EDN-09
    #[error("the edition was made in a round still to come")]
    Future,
    /// The bytes are not an edition.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

impl UnverifiedHead {
    /// Reads a head.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EditionRejected> {
        if bytes.len() > MAX_HEAD {
            return Err(Malformed.into());
        }
        Ok(Self { signed: codec::decode(bytes)?, digest: Digest::of(bytes) })
    }

    /// The directory it names, to fetch before verifying.
    pub fn dangerously_directory(&self) -> Result<Digest, EditionRejected> {
        Ok(self.signed.dangerously_peek()?.directory)
    }

    /// Checks it. `asked` is the round it was asked for as, `now` the round it is; `previous` the digest of the head before
    /// it, or `None` for a client that holds none.
    ///
    /// # Errors
    /// EDN-01 to EDN-05 and EDN-09.
    pub fn verify(
        &self,
        directory: &Directory,
        asked: Round,
        now: Round,
        previous: Option<&Digest>,
    ) -> Result<Edition, EditionRejected> {
        use EditionRejected as No;
        let network = directory.wire().network;
        // EDN-01: signed by the press that the roster names.
        let head = self.signed.verify(&network, &directory.roster().press()).map_err(|r| match r {
            Rejected::Signature(_) => No::Signature,
            Rejected::Malformed(m) => m.into(),
        })?;
        // EDN-02: it is the one asked for.
        if head.round != asked {
            return Err(No::Round);
        }
        // EDN-09: it is not of a round still to come; one round of grace for clocks.
        if head.round > now.next() {
            return Err(No::Future);
        }
        // EDN-03: it follows the one before.
        if previous.is_some_and(|p| *p != head.previous) {
            return Err(No::Previous);
        }
        // EDN-04: it names the directory it is verified with.
        if head.directory != directory.digest() {
            return Err(No::Directory);
        }
        let drops = check_manifests(&head.manifests, directory)?;
        Ok(Edition { head, digest: self.digest, drops })
    }
}

// EDN-05: every manifest is signed by the mix at its own hop; the exit's name one desk drop and one reader drop.
fn check_manifests(
    manifests: &[Unverified<Manifest>],
    directory: &Directory,
) -> Result<Vec<DropRef>, EditionRejected> {
    let network = directory.wire().network;
    let mut drops = Vec::new();
    for signed in manifests {
        let manifest = verify_manifest(signed, directory, &network)?;
        if manifest.hop == directory.wire().cascade.exit() {
            let [desk, reader] = manifest.outputs[..] else { return Err(EditionRejected::Manifest) };
            drops.push(DropRef { round: manifest.batch.round, desk, reader });
        }
    }
    Ok(drops)
}

fn verify_manifest(
    signed: &Unverified<Manifest>,
    directory: &Directory,
    network: &NetworkId,
) -> Result<Manifest, EditionRejected> {
    let hop = signed.dangerously_peek()?.hop;
    let mix = directory.roster().mix(hop).ok_or(EditionRejected::Manifest)?;
    signed.verify(network, &mix).map_err(|_| EditionRejected::Manifest)
}

/// A verified edition's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    head: Head,
    digest: Digest,
    drops: Vec<DropRef>,
}

impl Edition {
    /// The head.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// SHA-256 of the head as served: what the next head names as `previous`.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The drops it carries.
    pub fn drops(&self) -> &[DropRef] {
        &self.drops
    }

    /// The changes since the edition before.
    pub fn changes(&self, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
        open_bundle(&self.head.changes, bytes)
    }

    /// The whole front page.
    pub fn front(&self, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
        open_bundle(&self.head.front, bytes)
    }
}

impl DropRef {
    /// Takes the reader drop's bytes, if they are the ones named.
    pub fn reader_drop(&self, directory: &Directory, bytes: Vec<u8>) -> Result<ReaderDrop, EditionRejected> {
        // EDN-07: a drop is opened only if the head names its digest.
        if Digest::of(&bytes) != self.reader {
            return Err(EditionRejected::Drop);
        }
        ReaderDrop::from_bytes(directory.parameters().reader_slots, bytes).map_err(|_| EditionRejected::Drop)
    }

    /// Takes the desk drop's bytes, if they are the ones named.
    pub fn desk_drop(&self, directory: &Directory, bytes: Vec<u8>) -> Result<DeskDrop, EditionRejected> {
        // EDN-07
        if Digest::of(&bytes) != self.desk {
            return Err(EditionRejected::Drop);
        }
        DeskDrop::from_bytes(directory.wire().cascade, directory.parameters().desk_slots, bytes)
            .map_err(|_| EditionRejected::Drop)
    }
}

/// Signs a head; returns the bytes to serve.
pub fn sign_head(head: &Head, network: &NetworkId, press: &IdentitySecret) -> Vec<u8> {
    codec::encode(&Unverified::sign(head, network, press))
}

/// Stories that come, and stories that go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Bundle {
    /// New or changed, newest first.
    #[n(0)]
    pub stories: Vec<Story>,
    /// No longer on the front page.
    #[n(1)]
    pub gone: Vec<StoryId>,
}

impl Bundle {
    /// Packs it: zstd over its one encoding. The same stories give the same bytes.
    pub fn pack(&self) -> (Vec<u8>, BundleRef) {
        let bytes = zstd::bulk::compress(&codec::encode(self), 9).expect("memory is all it needs");
        let reference = BundleRef { digest: Digest::of(&bytes), len: bytes.len() as u32 };
        (bytes, reference)
    }

    /// Applies it to a front page: takes out what goes, replaces what changed, adds what is new, newest first.
    pub fn fold_into(self, front: &mut Vec<Story>) {
        front.retain(|s| !self.gone.contains(&s.id) && !self.stories.iter().any(|new| new.id == s.id));
        front.extend(self.stories);
        front.sort_by(|a, b| b.newest().cmp(&a.newest()).then(a.id.cmp(&b.id)));
    }
}

fn open_bundle(named: &BundleRef, bytes: &[u8]) -> Result<Bundle, EditionRejected> {
    // EDN-06: length and digest are those that the head names, and it unpacks within the limit.
    if bytes.len() > MAX_PACKED || bytes.len() != named.len as usize || Digest::of(bytes) != named.digest {
        return Err(EditionRejected::Bundle);
    }
    let plain = zstd::bulk::decompress(bytes, MAX_BUNDLE).map_err(|_| EditionRejected::Bundle)?;
    let bundle: Bundle = codec::decode(&plain)?;
    // EDN-08: a story has an article; pictures are small; addresses are of the web.
    for article in bundle.stories.iter().flat_map(|s| &s.articles) {
        let picture = article.picture.as_ref().is_some_and(|p| p.bytes.len() > MAX_PICTURE);
        let address =
            article.url.as_ref().is_some_and(|u| !u.starts_with("https://") && !u.starts_with("http://"));
        if picture || address {
            return Err(EditionRejected::Story);
        }
    }
    if bundle.stories.iter().any(|s| s.articles.is_empty()) {
        return Err(EditionRejected::Story);
    }
    Ok(bundle)
}

/// A manifest whose mix is known: for mixes, which take a batch only with the manifest before it, and for the press.
///
/// # Errors
/// EDN-05: not signed by the mix at its hop.
pub fn check_manifest(
    signed: &Unverified<Manifest>,
    directory: &Directory,
) -> Result<Manifest, EditionRejected> {
    verify_manifest(signed, directory, &directory.wire().network)
}
