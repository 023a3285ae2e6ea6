//! What is deleted, and when: whatever belongs to rounds more than 14 days of hours ago.

use proto::{Digest, Round};

use super::{Edge, KEPT_ROUNDS, LOOKED_THROUGH, name};
use crate::store::StoreError;

/// Folders of blobs, and where in their names the round stands.
const BY_ROUND: [(&str, usize); 8] = [
    ("editions", 1),
    ("drops", 1),
    ("manifests", 1),
    ("checkpoints", 1),
    ("counts", 1),
    ("batches", 2),
    ("keys", 1),
    ("intake", 1),
];
/// Folders of blobs named by digest.
const BY_DIGEST: [&str; 2] = ["bundles", "directories"];

impl Edge {
    /// Deletes what no client asks for any more. `over` is the newest round that is over.
    pub(super) async fn delete_old(&self, over: Round) -> Result<(), StoreError> {
        let Some(oldest) = over.back(KEPT_ROUNDS).filter(|r| r.0.is_multiple_of(LOOKED_THROUGH)) else {
            return Ok(());
        };
        for stream in self.journal.streams(name::ENVELOPES).await? {
            if name::round_in(&stream.name, 1).is_some_and(|r| r < oldest) {
                self.journal.forget(&stream.name).await?;
            }
        }
        // The network hangs on the newest edition and on the newest that is shown, however old they are.
        let newest = self.seen().newest.as_ref().map(|edition| edition.head().round);
        let spared = newest.into_iter().chain(self.log.newest_shown());
        let oldest_edition = spared.fold(oldest, Round::min);
        for (folder, at) in BY_ROUND {
            let oldest = match folder {
                "editions" | "checkpoints" => oldest_edition,
                _ => oldest,
            };
            for blob in self.blobs.list(folder).await? {
                if name::round_in(&blob, at).is_some_and(|r| r < oldest) {
                    self.blobs.delete(&blob).await?;
                }
            }
        }
        // Bundles and directories go with the last edition that names them. Nothing is put meanwhile: a press could put
        // again, for the next edition, what is being deleted.
        let _one = self.publishing.lock().await;
        let in_force = self.directory().digest();
        for folder in BY_DIGEST {
            for blob in self.blobs.list(folder).await? {
                let digest = blob.rsplit('/').next().and_then(Digest::from_hex);
                let Some(digest) = digest.filter(|d| *d != in_force) else { continue };
                if self.seen().used.get(&digest).is_none_or(|&r| r < oldest_edition) {
                    self.blobs.delete(&blob).await?;
                    let mut seen = self.seen_mut();
                    seen.used.remove(&digest);
                    seen.directories.remove(&digest);
                }
            }
        }
        let mut seen = self.seen_mut();
        seen.manifests.retain(|(r, _, _), _| *r >= oldest);
        seen.keys.retain(|_, name| name::round_in(name, 1).is_none_or(|r| r >= oldest));
        seen.published.retain(|r, _| *r >= oldest);
        drop(seen);
        self.counts().rounds.retain(|r, _| *r >= oldest);
        Ok(())
    }
}
