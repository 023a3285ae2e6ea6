//! Blobs as files in a folder, each written beside, synced, and linked into place.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path as Folder, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};

use super::{Blobs, Pieces, PutError, StoreError};

/// Blobs below one folder of this machine.
#[derive(Clone)]
pub struct LocalBlobs {
    files: Arc<LocalFileSystem>,
    folder: PathBuf,
}

impl LocalBlobs {
    /// Opens the folder, making it if it is not there.
    pub fn open(folder: &Folder) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|e| StoreError::because("making the folder of blobs", e))?;
        let files = LocalFileSystem::new_with_prefix(folder)
            .map_err(|e| StoreError::because("opening the folder of blobs", e))?;
        // Files and the folders that name them are synced before `put` returns.
        Ok(Self { files: Arc::new(files.with_fsync(true)), folder: folder.to_owned() })
    }
}

impl Blobs for LocalBlobs {
    fn put(&self, name: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), PutError>> {
        let name = name.to_owned();
        async move {
            let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
            match self.files.put_opts(&Path::from(name.as_str()), bytes.clone().into(), options).await {
                Ok(_) => Ok(()),
                Err(Error::AlreadyExists { .. }) => match self.get(&name).await? {
                    Some(there) if there == bytes => {
                        // Whoever put it before may have been stopped before the folder that names it was synced.
                        let (to, folder) = (self.folder.join(&name), self.folder.clone());
                        let synced = tokio::task::spawn_blocking(move || sync_above(&to, &folder)).await;
                        let synced = synced.map_err(|_| StoreError::Stopped)?;
                        synced.map_err(|e| StoreError::because("writing a blob", e).into())
                    }
                    _ => Err(PutError::Conflict),
                },
                Err(e) => Err(StoreError::because("writing a blob", e).into()),
            }
        }
        .boxed()
    }

    fn put_file(&self, name: &str, file: &Folder) -> BoxFuture<'_, Result<(), PutError>> {
        let (file, to, folder) = (file.to_owned(), self.folder.join(name), self.folder.clone());
        async move {
            let linked = tokio::task::spawn_blocking(move || link(&file, &to, &folder)).await;
            match linked.map_err(|_| StoreError::Stopped)? {
                Ok(true) => Ok(()),
                Ok(false) => Err(PutError::Conflict),
                Err(e) => Err(StoreError::because("writing a blob", e).into()),
            }
        }
        .boxed()
    }

    fn open(&self, name: &str) -> BoxFuture<'_, Result<Option<(u64, Pieces)>, StoreError>> {
        let path = Path::from(name);
        let failed = |e| StoreError::because("reading a blob", e);
        async move {
            match self.files.get(&path).await {
                Ok(found) => Ok(Some((found.meta.size, found.into_stream().map_err(failed).boxed()))),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(e) => Err(failed(e)),
            }
        }
        .boxed()
    }

    fn get(&self, name: &str) -> BoxFuture<'_, Result<Option<Bytes>, StoreError>> {
        let path = Path::from(name);
        async move {
            let found = match self.files.get(&path).await {
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
            match self.files.head(&path).await {
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
                self.files.list(Some(&path)).map_ok(|meta| String::from(meta.location)).try_collect().await;
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
            match self.files.delete(&path).await {
                Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                Err(e) => Err(StoreError::because("deleting a blob", e)),
            }
        }
        .boxed()
    }
}

/// Gives a file a second name below `folder`; durable on return. `false`: other bytes have that name.
fn link(file: &Folder, to: &Folder, folder: &Folder) -> io::Result<bool> {
    File::open(file)?.sync_all()?;
    let parent = to.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent)?;
    match std::fs::hard_link(file, to) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            if !is_same(file, to)? {
                return Ok(false);
            }
        }
        Err(e) => return Err(e),
    }
    // Also where it had that name: whoever gave it may have been stopped just here.
    sync_above(to, folder)?;
    Ok(true)
}

/// Syncs the folders on the way from `folder` to a file, which may be new too.
fn sync_above(file: &Folder, folder: &Folder) -> io::Result<()> {
    let above = file.ancestors().skip(1).take_while(|above| above.starts_with(folder));
    above.into_iter().try_for_each(|above| File::open(above)?.sync_all())
}

fn is_same(one: &Folder, other: &Folder) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    if one.metadata()?.len() != other.metadata()?.len() {
        return Ok(false);
    }
    let (mut a, mut b) = (Vec::new(), Vec::new());
    loop {
        a.clear();
        b.clear();
        (&mut one).take(1 << 18).read_to_end(&mut a)?;
        (&mut other).take(1 << 18).read_to_end(&mut b)?;
        if a != b || a.is_empty() {
            return Ok(a == b);
        }
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
