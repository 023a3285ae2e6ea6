//! Blobs as files in a folder, each written beside, synced, and linked into place.

use std::path::Path as Folder;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};

use super::{Blobs, PutError, StoreError};

/// Blobs below one folder of this machine.
#[derive(Clone)]
pub struct LocalBlobs(Arc<LocalFileSystem>);

impl LocalBlobs {
    /// Opens the folder, making it if it is not there.
    pub fn open(folder: &Folder) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::because("making the folder of blobs", e))?;
        let files = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| StoreError::because("opening the folder of blobs", e))?;
        // Files and the folders that name them are synced before `put` returns.
        Ok(Self(Arc::new(files.with_fsync(true))))
    }
}

impl Blobs for LocalBlobs {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), PutError>> {
        let name = name.to_owned();
        async move {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.0.put_opts(&Path::from(name.as_str()), bytes.clone().into(), options).await {
                Ok(_) => Ok(()),
                Err(Error::AlreadyExists { .. }) => match self.get(&name).await? {
                    Some(there) if there == bytes => Ok(()),
                    _ => Err(PutError::Conflict),
                },
                Err(e) => Err(StoreError::because("writing a blob", e).into()),
            }
        }
        .boxed()
    }

    fn get(&self, name: &str) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        let path = Path::from(name);
        async move {
            let found = match self.0.get(&path).await {
                Ok(found) => found.bytes().await,
                Err(e) => Err(e),
            };
            match found {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(e) => Err(StoreError::because("reading a blob", e)),
            }
        }
        .boxed()
    }

    fn has(&self, name: &str) -> BoxFuture<'_, Result<bool, StoreError>> {
        let path = Path::from(name);
        async move {
            match self.0.head(&path).await {
                Ok(_) => Ok(true),
                Err(Error::NotFound { .. }) => Ok(false),
                Err(e) => Err(StoreError::because("looking for a blob", e)),
            }
        }
        .boxed()
    }

    fn list(&self, prefix: &str) -> BoxFuture<'_, Result<Vec<String>, StoreError>> {
        let path = Path::from(prefix);
        async move {
            let found: Result<Vec<_>, _> =
                self.0.list(Some(&path)).map_ok(|meta| String::from(meta.location)).try_collect().await;
            let mut names = match found {
                Ok(names) => names,
                Err(Error::NotFound { .. }) => vec![],
                Err(e) => return Err(StoreError::because("listing blobs", e)),
            };
            names.sort_unstable();
            Ok(names)
        }
        .boxed()
    }

    fn delete(&self, name: &str) -> BoxFuture<'_, Result<(), StoreError>> {
        let path = Path::from(name);
        async move {
            match self.0.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(e) => Err(StoreError::because("deleting a blob", e)),
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::suite;

    #[tokio::test]
    async fn they_are_blobs() {
        suite::blobs(|folder| LocalBlobs::open(&folder.join("blobs")).unwrap()).await;
    }
}
