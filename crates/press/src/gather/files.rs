//! Folders and files: which are read, and what a folder's sidecar says of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use news::sidecar::{Entry, Sidecar};
use proto::edition::MAX_PICTURE;
use proto::story::{Media, Picture};

use super::{Gather, GatherError, Piece, Stamp};
use crate::fetch::MAX_INPUT;
use crate::outlets::Outlet;

/// The longest side of a picture, in points.
pub const MAX_SIDE: u16 = 2_000;

/// The sidecar's name: what a folder's files do not say themselves.
pub const SIDECAR: &str = "articles.toml";

/// Endings of files that are read. Everything else in a folder is somebody's own business.
const READ: [&str; 8] = ["txt", "text", "html", "htm", "xml", "rss", "atom", "json"];

impl Gather {
    /// Reads what is new in a folder.
    pub(super) fn read_folder(
        &mut self,
        folder: &Path,
        outlet: &Outlet,
        fresh: &mut Vec<String>,
    ) -> Result<(), GatherError> {
        let sidecar = read_sidecar(folder)?;
        let failed = |cause| GatherError::Folder { folder: folder.display().to_string(), cause };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_read(&path) && !path.is_dir() {
                files.push(path);
            }
        }
        let place = |path: &PathBuf| {
            let name = name_of(path);
            (self.order.iter().position(|known| *known == name).unwrap_or(usize::MAX), name)
        };
        files.sort_by_key(place);
        if files.is_empty() {
            self.name_once(&folder.display().to_string(), "holds no articles (.txt, .html, .xml, .json)");
        }
        for path in files {
            let name = name_of(&path);
            let about = sidecar.entry(&name).map(|entry| (entry, folder));
            if let Err(why) = self.read_file(&path, outlet, about, fresh) {
                self.name_once(&name, &why);
            }
        }
        Ok(())
    }

    /// Reads a file if it changed since it was last read. An error is a sentence.
    pub(super) fn read_file(
        &mut self,
        path: &Path,
        outlet: &Outlet,
        about: Option<(&Entry, &Path)>,
        fresh: &mut Vec<String>,
    ) -> Result<(), String> {
        let failed = |why: io::Error| format!("cannot be read: {why}");
        let info = fs::metadata(path).map_err(failed)?;
        let (len, modified) = (info.len(), info.modified().ok());
        if self.stamps.get(path).is_some_and(|stamp| (stamp.len, stamp.modified) == (len, modified)) {
            return Ok(());
        }
        if len > MAX_INPUT {
            return Err(format!("is {} MB; at most {} are read", len >> 20, MAX_INPUT >> 20));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let name = name_of(path);
        let input = news::Input { name: &name, ..news::Input::default() };
        let read = news::read(&bytes, input).map_err(|why| why.to_string());
        let taken = read.and_then(|read| self.take(Piece { input, outlet, about }, read, fresh));
        let articles = *taken.as_ref().unwrap_or(&0);
        self.stamps.insert(path.to_owned(), Stamp { len, modified, articles });
        taken.map(|_| ())
    }
}

fn is_read(path: &Path) -> bool {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    READ.contains(&ending.as_str())
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

pub(super) fn read_sidecar(folder: &Path) -> Result<Sidecar, GatherError> {
    let file = folder.join(SIDECAR);
    match fs::read_to_string(&file) {
        Ok(text) => Sidecar::parse(&text)
            .map_err(|cause| GatherError::Sidecar { file: file.display().to_string(), cause }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Sidecar::default()),
        Err(cause) => Err(GatherError::Folder { folder: file.display().to_string(), cause }),
    }
}

/// The picture that an entry names, for own and licensed outlets.
pub(super) fn read_picture(entry: &Entry, folder: &Path) -> Result<Option<Picture>, String> {
    let Some(name) = &entry.picture else { return Ok(None) };
    if !matches!(entry.rights.as_deref(), Some("own" | "licensed")) {
        return Err(format!("its picture {name} is left out: rights are neither own nor licensed"));
    }
    let inside = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!("its picture {name} is not inside the folder"));
    }
    let bytes = fs::read(folder.join(name)).map_err(|why| format!("its picture {name}: {why}"))?;
    if bytes.len() > MAX_PICTURE {
        return Err(format!("its picture {name} is {} KB; at most {}", bytes.len() >> 10, MAX_PICTURE >> 10));
    }
    let size = imagesize::blob_size(&bytes).map_err(|_| format!("{name} is not a picture"))?;
    let media = match imagesize::image_type(&bytes) {
        Ok(imagesize::ImageType::Png) => Media::Png,
        Ok(imagesize::ImageType::Jpeg) => Media::Jpeg,
        Ok(imagesize::ImageType::Webp) => Media::Webp,
        _ => return Err(format!("{name} is not a PNG, JPEG or WebP picture")),
    };
    // A few bytes can hold a picture that no browser has the memory for.
    let side = |n: usize| {
        u16::try_from(n)
            .ok()
            .filter(|side| *side <= MAX_SIDE)
            .ok_or_else(|| format!("its picture {name} is {n} points wide or high; at most {MAX_SIDE}"))
    };
    Ok(Some(Picture {
        media,
        width: side(size.width)?,
        height: side(size.height)?,
        alt: entry.alt.clone().unwrap_or_default(),
        credit: entry.credit.clone(),
        bytes,
    }))
}
