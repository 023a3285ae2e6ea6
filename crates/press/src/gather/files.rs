//! Folders and files: which are read, and what a folder's sidecar says of them.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use news::sidecar::{Entry, Sidecar};
use proto::edition::MAX_PICTURE;
use proto::story::{Media, Picture};

use super::warc::{self, Page, Pages};
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
            self.name_once(
                &folder.display().to_string(),
                "holds no articles (.txt, .html, .xml, .json, .warc)",
            );
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
        let name = name_of(path);
        if is_archive(path).map_err(failed)? {
            let articles = self.read_archive(path, outlet)?;
            self.note_read(&name, fresh);
            self.stamps.insert(path.to_owned(), Stamp { len, modified, articles });
            return Ok(());
        }
        if len > MAX_INPUT {
            return Err(format!("is {} MB; at most {} are read", len >> 20, MAX_INPUT >> 20));
        }
        let bytes = fs::read(path).map_err(failed)?;
        let input = news::Input { name: &name, ..news::Input::default() };
        let read = self.rules.read(&bytes, input).map_err(|why| why.to_string());
        let taken = read.and_then(|read| self.take(Piece { input, outlet, about }, read));
        if taken.is_ok() {
            self.note_read(&name, fresh);
        }
        let articles = *taken.as_ref().unwrap_or(&0);
        self.stamps.insert(path.to_owned(), Stamp { len, modified, articles });
        taken.map(|_| ())
    }

    /// Reads the pages of an archive. Returns how many articles they hold.
    fn read_archive(&mut self, path: &Path, outlet: &Outlet) -> Result<usize, String> {
        let failed = |why: io::Error| format!("cannot be read to its end: {why}");
        let mut articles = 0;
        for page in Pages::new(BufReader::new(File::open(path).map_err(failed)?)).map_err(failed)? {
            let Page { address, content_type, bytes } = page.map_err(failed)?;
            let input = news::Input {
                name: &address,
                address: Some(&address),
                content_type: content_type.as_deref(),
            };
            let read = bytes.and_then(|bytes| self.rules.read(&bytes, input).map_err(|why| why.to_string()));
            match read.and_then(|read| self.take(Piece { input, outlet, about: None }, read)) {
                Ok(more) => articles += more,
                Err(why) => self.name_once(&address, &why),
            }
            if articles > 0 && articles % 1_000 == 0 {
                (self.told)(&format!("{}: {articles} articles", path.display()));
            }
        }
        Ok(articles)
    }
}

/// Whether a file is a web archive, by its name and its first bytes.
fn is_archive(path: &Path) -> io::Result<bool> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some(ending) if ending.eq_ignore_ascii_case("warc") || ending.eq_ignore_ascii_case("gz") => {
            warc::is_warc(&mut BufReader::new(File::open(path)?))
        }
        _ => Ok(false),
    }
}

fn is_read(path: &Path) -> bool {
    let name = name_of(path).to_ascii_lowercase();
    if name.ends_with(".warc") || name.ends_with(".warc.gz") {
        return true;
    }
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
