//! Folders and files: which are read, and what a folder's sidecar says of them.

use std::fs::{self, File};
use std::io::{self, BufReader, Read as _};
use std::path::{Path, PathBuf};

use news::sidecar::{Entry, Sidecar};
use proto::edition::MAX_PICTURE;
use proto::story::{Media, Picture};

use super::known::Stamp;
use super::warc::{self, Page, Pages};
use super::{Gather, GatherError, Piece, Reader, Ready, abreast};
use crate::fetch::MAX_INPUT;
use crate::outlets::Outlet;

/// The longest side of a picture, in points.
pub const MAX_SIDE: u16 = 2_000;

/// The sidecar's name: what a folder's files do not say themselves.
pub const SIDECAR: &str = "articles.toml";

/// Endings of files that are read. Everything else in a folder is somebody's own business.
const READ: [&str; 8] = ["txt", "text", "html", "htm", "xml", "rss", "atom", "json"];

/// Files that are read at once, before their articles go into stories one after the other.
const AT_ONCE: usize = 64;

/// A file of a folder, or one alone.
struct Due {
    path: PathBuf,
    name: String,
    /// Its place among the files that were read before; those that were not come behind, by their names.
    number: i64,
    stamp: Result<Stamp, String>,
}

/// What a file is.
enum Content {
    Articles(Ready),
    Archive,
}

/// Why nothing came of a file, as a sentence.
enum Failed {
    /// It cannot be read now.
    Now(String),
    /// It cannot be read as it is.
    AsItIs(String),
}

/// What a sidecar says of the file of that name, and its folder.
type About<'a> = dyn Fn(&str) -> Option<(&'a Entry, &'a Path)> + Sync + 'a;

impl Gather {
    /// Reads what is new in a folder.
    pub(super) fn read_folder(&mut self, folder: &Path, outlet: &Outlet) -> Result<(), GatherError> {
        let sidecar = read_sidecar(folder)?;
        let failed = |cause| GatherError::Folder { folder: folder.display().to_string(), cause };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if is_read(&path) && !path.is_dir() {
                files.push(path);
            }
        }
        if files.is_empty() {
            self.name_once(
                &folder.display().to_string(),
                "holds no articles (.txt, .html, .xml, .json, .warc)",
            );
        }
        let about = |name: &str| sidecar.entry(name).map(|entry| (entry, folder));
        let (_, failures) = self.read_files(files, outlet, &about)?;
        for (name, why) in failures {
            self.name_once(&name, &why);
        }
        Ok(())
    }

    /// Reads those of the files that changed since they were last read. Returns how many these are, and the names of those of which
    /// nothing came, each with the reason.
    pub(super) fn read_files(
        &mut self,
        files: Vec<PathBuf>,
        outlet: &Outlet,
        about: &About<'_>,
    ) -> Result<(usize, Vec<(String, String)>), GatherError> {
        let mut due = Vec::new();
        for path in files {
            let stamp = fs::metadata(&path).map(|info| Stamp::of(&info)).map_err(cannot);
            let known = self.known.file(&path)?;
            if let (Some(known), Ok(stamp)) = (&known, &stamp)
                && self.known.is_read(known, *stamp)
            {
                continue;
            }
            let number = known.map_or(i64::MAX, |known| known.number);
            due.push(Due { name: name_of(&path), path, number, stamp });
        }
        due.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
        let (all, mut failures) = (due.len(), Vec::new());
        for (nth, some) in due.chunks(AT_ONCE).enumerate() {
            let done = nth * AT_ONCE;
            if done > 0 && done.is_multiple_of(16 * AT_ONCE) {
                (self.told)(&format!("{done} of {all} files"));
            }
            let reader = self.reader();
            let contents = abreast::map(some, |due| due.read(&reader, outlet, about));
            for (due, content) in some.iter().zip(contents) {
                if let Err(why) = self.take_file(due, content, outlet)? {
                    failures.push((due.name.clone(), why));
                }
            }
        }
        Ok((all, failures))
    }

    /// Takes what a file holds. Inside, an error is a sentence.
    fn take_file(
        &mut self,
        due: &Due,
        content: Result<Content, Failed>,
        outlet: &Outlet,
    ) -> Result<Result<(), String>, GatherError> {
        let stamp = match &due.stamp {
            Ok(stamp) => *stamp,
            Err(why) => return Ok(Err(why.clone())),
        };
        let articles = match &content {
            Err(Failed::Now(why)) => return Ok(Err(why.clone())),
            Ok(Content::Articles(ready)) => ready.articles.len(),
            Ok(Content::Archive) | Err(Failed::AsItIs(_)) => 0,
        };
        let number = self.known.note(&due.path, stamp, articles)?;
        match content {
            Ok(Content::Articles(ready)) => {
                self.take(ready, Some(number))?;
                Ok(Ok(()))
            }
            Ok(Content::Archive) => {
                let mut articles = 0;
                let read = self.read_archive(&due.path, outlet, number, &mut articles);
                let read = read.inspect_err(|_| self.known.not_read(number))?;
                self.known.note(&due.path, stamp, articles)?;
                Ok(read)
            }
            Err(Failed::Now(why) | Failed::AsItIs(why)) => Ok(Err(why)),
        }
    }

    /// Reads the pages of an archive. Inside, an error is a sentence, and what came before it stays.
    fn read_archive(
        &mut self,
        path: &Path,
        outlet: &Outlet,
        number: i64,
        articles: &mut usize,
    ) -> Result<Result<(), String>, GatherError> {
        let failed = |why: io::Error| format!("cannot be read to its end: {why}");
        let mut pages = match File::open(path).and_then(|file| Pages::new(BufReader::new(file))) {
            Ok(pages) => pages,
            Err(why) => return Ok(Err(failed(why))),
        };
        loop {
            let some: Vec<io::Result<Page>> = pages.by_ref().take(AT_ONCE).collect();
            if some.is_empty() {
                return Ok(Ok(()));
            }
            let reader = self.reader();
            let ready = abreast::map(&some, |page| {
                let page = page.as_ref().ok()?;
                Some(page.bytes.as_ref().map_err(Clone::clone).and_then(|bytes| {
                    let input = news::Input {
                        name: &page.address,
                        address: Some(&page.address),
                        content_type: page.content_type.as_deref(),
                    };
                    reader.read(bytes, Piece { input, outlet, about: None })
                }))
            });
            for (page, ready) in some.into_iter().zip(ready) {
                let page = match page {
                    Ok(page) => page,
                    Err(why) => return Ok(Err(failed(why))),
                };
                match ready {
                    Some(Ok(ready)) => {
                        let before = *articles / 1_000;
                        *articles += self.take(ready, Some(number))?;
                        if *articles / 1_000 > before {
                            (self.told)(&format!("{}: {articles} articles", path.display()));
                        }
                    }
                    Some(Err(why)) => self.name_once(&page.address, &why),
                    None => {}
                }
            }
        }
    }
}

impl Due {
    fn read(&self, reader: &Reader<'_>, outlet: &Outlet, about: &About<'_>) -> Result<Content, Failed> {
        let now = |why| Failed::Now(cannot(why));
        let Ok(stamp) = &self.stamp else { return Err(Failed::Now(String::new())) };
        // A pipe would keep us waiting, a device never ends.
        if !fs::metadata(&self.path).map_err(now)?.is_file() {
            return Err(Failed::AsItIs("is no ordinary file".into()));
        }
        if is_archive(&self.path).map_err(now)? {
            return Ok(Content::Archive);
        }
        let mut bytes = Vec::new();
        if stamp.len <= MAX_INPUT {
            // It may have grown meanwhile.
            File::open(&self.path)
                .and_then(|file| file.take(MAX_INPUT + 1).read_to_end(&mut bytes))
                .map_err(now)?;
        }
        let len = stamp.len.max(bytes.len() as u64);
        if len > MAX_INPUT {
            let most = MAX_INPUT >> 20;
            return Err(Failed::AsItIs(format!("is {} MB; at most {most} are read", len >> 20)));
        }
        let input = news::Input { name: &self.name, ..news::Input::default() };
        let piece = Piece { input, outlet, about: about(&self.name) };
        reader.read(&bytes, piece).map(Content::Articles).map_err(Failed::AsItIs)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn cannot(why: io::Error) -> String {
    format!("cannot be read: {why}")
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
