//! Folders and files: which are read, and what a folder's sidecar says of them.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use news::sidecar::{Entry, Sidecar};
use proto::edition::MAX_PICTURE;
use proto::story::{Media, Picture};

use super::known::{Change, Stamp};
use super::reader::{Input, Piece, Reader};
use super::stories::enter;
use super::warc::{self, Page, Pages};
use super::{Gather, GatherError, MOST_NAMED, abreast};
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
    /// The same as text.
    place: String,
    name: String,
    /// What it is called where something is said of it.
    shown: String,
    stamp: Result<Stamp, String>,
}

/// What a file is.
enum Content {
    Articles(Input),
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
        self.forget_gone(folder, &files)?;
        let about = |name: &str| sidecar.entry(name).map(|entry| (entry, folder));
        let (_, failures) = self.read_files(folder, files, outlet, &about)?;
        for (name, why) in failures {
            self.name_once(&name, &why);
        }
        Ok(())
    }

    /// Forgets the files of a folder that are no longer there; or that folder or file, if it is gone itself.
    pub(super) fn forget_gone(&mut self, folder: &Path, files: &[PathBuf]) -> Result<(), GatherError> {
        let mut known = self.known.files(folder)?;
        for path in files.iter().filter_map(|path| path.to_str()) {
            known.remove(path);
        }
        if known.is_empty() {
            return Ok(());
        }
        let mut change = self.known.change()?;
        for file in known.into_values() {
            self.is_stale |= change.gone(file.number)?;
        }
        Ok(change.commit()?)
    }

    /// Reads those of the files at `place`, a folder or one of them, that changed since they were last read. Returns how many these
    /// are, and the names of those of which nothing came, each with the reason.
    pub(super) fn read_files(
        &mut self,
        place: &Path,
        files: Vec<PathBuf>,
        outlet: &Outlet,
        about: &About<'_>,
    ) -> Result<(usize, Vec<(String, String)>), GatherError> {
        let known = self.known.files(place)?;
        let (mut due, mut failures) = (Vec::new(), Vec::new());
        for path in files {
            let name = name_of(&path);
            let shown = if path == place { path.display().to_string() } else { name.clone() };
            let Some(at) = path.to_str().map(str::to_owned) else {
                failures.push((shown, "its name is no text in UTF-8. Give it another".to_owned()));
                continue;
            };
            let stamp = fs::metadata(&path).map(|info| Stamp::of(&info)).map_err(cannot);
            match (known.get(&at), &stamp) {
                // What was wrong with it is wrong still, and is said once, if so much can be said at all.
                (Some(file), Ok(stamp)) if file.stamp == Some(*stamp) => {
                    let lines = file.left_out.lines().take_while(|_| self.left_out.len() <= MOST_NAMED);
                    lines.collect::<Vec<_>>().into_iter().for_each(|why| self.name_once(&shown, why));
                }
                _ => due.push(Due { path, place: at, name, shown, stamp }),
            }
        }
        due.sort_by(|a, b| a.name.cmp(&b.name));
        let all = due.len();
        for (nth, some) in due.chunks(AT_ONCE).enumerate() {
            let done = nth * AT_ONCE;
            if done > 0 && done.is_multiple_of(16 * AT_ONCE) {
                (self.told)(&format!("{done} of {all} files"));
            }
            let reader = self.reader();
            let contents = abreast::map(some, |due| due.read(&reader, outlet, about));
            self.take_files(some, contents, outlet, &mut failures)?;
        }
        Ok((all, failures))
    }

    /// Takes what files hold, all of them together but for archives.
    fn take_files(
        &mut self,
        due: &[Due],
        contents: Vec<Result<Content, Failed>>,
        outlet: &Outlet,
        failures: &mut Vec<(String, String)>,
    ) -> Result<(), GatherError> {
        let place = outlet.place.address();
        let mut archives = Vec::new();
        let mut said = Vec::new();
        let mut change = self.known.change()?;
        for (due, content) in due.iter().zip(contents) {
            let (stamp, input) = match (&due.stamp, content) {
                (Ok(stamp), Ok(Content::Articles(input))) => (*stamp, input),
                (Ok(stamp), Ok(Content::Archive)) => {
                    archives.push((due, *stamp));
                    continue;
                }
                (Ok(stamp), Err(Failed::AsItIs(why))) => {
                    failures.push((due.shown.clone(), why.clone()));
                    (*stamp, Input { articles: vec![], left_out: vec![why], dropped: vec![] })
                }
                (_, Err(Failed::Now(why) | Failed::AsItIs(why))) => {
                    failures.push((due.shown.clone(), why));
                    continue;
                }
                // Without a stamp nothing is read.
                (Err(_), Ok(_)) => continue,
            };
            let Input { articles, left_out, dropped } = input;
            let (number, all) = (change.begin(&due.place)?, articles.len());
            enter(&mut self.grouper, &mut self.names, &mut change, (&place, number), articles)?;
            self.is_stale |= change.end(number, stamp, all, &lines(&left_out))?;
            // Of which nothing came is said with the failures.
            let parts =
                if failures.last().is_some_and(|(name, _)| *name == due.shown) { vec![] } else { left_out };
            said.push((&due.shown, parts, dropped));
        }
        change.commit()?;
        for (name, left_out, dropped) in said {
            self.say(name, &left_out, dropped);
        }
        for (due, stamp) in archives {
            if let Err(why) = self.read_archive(due, stamp, outlet)? {
                failures.push((due.shown.clone(), why));
            }
        }
        // A folder may hold more than is ever kept.
        self.forget()
    }

    /// Reads the pages of an archive. Inside, an error is a sentence, and what came before it stays.
    fn read_archive(
        &mut self,
        due: &Due,
        stamp: Stamp,
        outlet: &Outlet,
    ) -> Result<Result<(), String>, GatherError> {
        let place = outlet.place.address();
        let failed = |why: io::Error| format!("cannot be read to its end: {why}");
        let (mut articles, mut left_out, mut read) = (0, Vec::new(), Ok(()));
        let file = match File::open(&due.path) {
            Ok(file) => BufReader::new(file),
            // That may be otherwise the next time: what was read of it stays.
            Err(why) => return Ok(Err(failed(why))),
        };
        let number = self.changed(|change| change.begin(&due.place))?;
        let mut is_as_it_is = true;
        match Pages::new(file) {
            Err(why) => read = Err(failed(why)),
            Ok(mut pages) => loop {
                let some: Vec<io::Result<Page>> = pages.by_ref().take(AT_ONCE).collect();
                if some.is_empty() || read.is_err() {
                    break;
                }
                let reader = self.reader();
                let inputs = abreast::map(&some, |page| reader.page(page, outlet));
                let (before, mut said) = (articles / 1_000, Vec::new());
                let mut change = self.known.change()?;
                for (page, input) in some.into_iter().zip(inputs) {
                    let page = match page {
                        Ok(page) => page,
                        Err(why) => {
                            is_as_it_is =
                                matches!(why.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof);
                            read = Err(failed(why));
                            break;
                        }
                    };
                    match input {
                        Ok(Input { articles: own, left_out, dropped }) => {
                            articles += own.len();
                            enter(&mut self.grouper, &mut self.names, &mut change, (&place, number), own)?;
                            said.push((page.address, left_out, dropped));
                        }
                        Err(why) => said.push((page.address, vec![why], vec![])),
                    }
                }
                change.commit()?;
                for (address, why, dropped) in said {
                    left_out.extend(why.iter().map(|why| format!("{address}: {why}")));
                    left_out.truncate(MOST_NAMED);
                    self.say(&address, &why, dropped);
                }
                if articles / 1_000 > before {
                    (self.told)(&format!("{}: {articles} articles", due.path.display()));
                }
                self.forget()?;
            },
        }
        if !is_as_it_is {
            return Ok(read);
        }
        left_out.extend(read.as_ref().err().cloned());
        self.is_stale |= self.changed(|change| change.end(number, stamp, articles, &lines(&left_out)))?;
        Ok(read)
    }

    /// Makes one change of what is kept.
    fn changed<T>(
        &mut self,
        make: impl FnOnce(&mut Change<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let mut change = self.known.change()?;
        let made = make(&mut change)?;
        change.commit().map(|()| made)
    }
}

/// One line each.
fn lines(left_out: &[String]) -> String {
    let one = |line: &String| line.replace(['\n', '\r'], " ");
    left_out.iter().map(one).collect::<Vec<_>>().join("\n")
}

impl Reader<'_> {
    /// What a page of an archive holds, or why nothing, as a sentence.
    fn page(&self, page: &io::Result<Page>, outlet: &Outlet) -> Result<Input, String> {
        // Why it cannot be had is said where the pages are counted.
        let page = page.as_ref().map_err(ToString::to_string)?;
        let bytes = page.bytes.as_ref().map_err(Clone::clone)?;
        let input = news::Input {
            name: &page.address,
            address: Some(&page.address),
            content_type: page.content_type.as_deref(),
        };
        self.read(bytes, Piece { input, outlet, about: None })
    }
}

impl Due {
    fn read(&self, reader: &Reader<'_>, outlet: &Outlet, about: &About<'_>) -> Result<Content, Failed> {
        let now = |why| Failed::Now(cannot(why));
        let stamp = self.stamp.as_ref().map_err(|why| Failed::Now(why.clone()))?;
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
