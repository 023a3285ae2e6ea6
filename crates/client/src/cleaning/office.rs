//! Office files, which are zip archives: their notes on author, program and dates, comments, changes, macros, and what
//! pictures in them carry.

use std::io::{Cursor, Read as _};

use proto::document::Format;
use zip::ZipArchive;
use zip::result::ZipError;

use super::exif;
use super::search::Search;
use super::xml::{self, Says, Tag};
use super::{NotTaken, What};

/// The most files an archive may have, and the most bytes that are unpacked of all of them together.
const FILES: usize = 10_000;
const UNPACKED: u64 = 64 << 20;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

pub(super) fn found(bytes: &[u8], search: &mut Search) -> Result<Format, NotTaken> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NotTaken::Damaged)?;
    if archive.len() > FILES {
        return Err(NotTaken::Bomb);
    }
    let names: Result<Vec<String>, _> = archive.file_names().map(|name| Ok(name?.into_owned())).collect();
    let names = names.map_err(|_: ZipError| NotTaken::Damaged)?;
    // What is packed counts too: nothing may come of much, and names may share what they hold.
    let (mut packed, mut unpacked) = (bytes.len() as u64, UNPACKED);
    let mut read = |name: &str, search: &mut Search| -> Result<Vec<u8>, NotTaken> {
        let file = match archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::UnsupportedArchive(_)) => return Ok(Vec::new()),
            Err(_) => return Err(NotTaken::Damaged),
        };
        packed = packed.checked_sub(file.compressed_size()).ok_or(NotTaken::Bomb)?;
        let mut text = Vec::new();
        file.take(unpacked + 1).read_to_end(&mut text).map_err(|_| NotTaken::Damaged)?;
        unpacked = unpacked.checked_sub(text.len() as u64).ok_or(NotTaken::Bomb)?;
        search.walk(&text);
        Ok(text)
    };
    let format = format(&names, &mut |name| read(name, search))?;
    for name in &names {
        let path = name.to_lowercase();
        if path.ends_with("vbaproject.bin") || path.starts_with("basic/") {
            search.mark(What::Macros);
        }
        if path.contains("/embeddings/") {
            search.tell(What::File, path.rsplit('/').next().unwrap_or_default());
        }
        if let Some(part) = Part::of(&path) {
            if part == Part::Remarks {
                search.mark(What::Comments);
            }
            let text = read(name, search)?;
            xml::read(&text, search, |tag, search| part.tell(tag, search));
        } else if path.contains("media/") || path.starts_with("pictures/") {
            let picture = read(name, search)?;
            exif::of_picture(&picture).into_iter().for_each(|finding| search.take(finding));
        }
    }
    Ok(format)
}

fn format(
    names: &[String],
    read: &mut impl FnMut(&str) -> Result<Vec<u8>, NotTaken>,
) -> Result<Format, NotTaken> {
    let has = |name: &str| names.iter().any(|n| n == name);
    for (part, format) in [
        ("word/document.xml", Format::Docx),
        ("xl/workbook.xml", Format::Xlsx),
        ("ppt/presentation.xml", Format::Pptx),
    ] {
        if has("[Content_Types].xml") && has(part) {
            return Ok(format);
        }
    }
    if !has("mimetype") {
        return Err(NotTaken::Kind);
    }
    match read("mimetype")?.as_slice() {
        b"application/vnd.oasis.opendocument.text" => Ok(Format::Odt),
        b"application/vnd.oasis.opendocument.spreadsheet" => Ok(Format::Ods),
        b"application/vnd.oasis.opendocument.presentation" => Ok(Format::Odp),
        _ => Err(NotTaken::Kind),
    }
}

/// A file in the archive that is read. Sheets and slides are not: they show what they hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Notes on the whole: who, with what, when.
    Notes,
    /// Comments, or a list of changes.
    Remarks,
    /// Those who wrote them.
    People,
    /// Text, in which changes may stand.
    Text,
    /// What lies elsewhere.
    Links,
}

impl Part {
    /// By its path, in lower case.
    fn of(path: &str) -> Option<Self> {
        let has = |words: &[&str]| words.iter().any(|word| path.contains(word));
        Some(match path {
            _ if path.ends_with(".rels") => Self::Links,
            _ if !path.ends_with(".xml") => return None,
            "meta.xml" => Self::Notes,
            _ if path.starts_with("docprops/") || path.starts_with("docmetadata/") => Self::Notes,
            _ if has(&["authors", "people", "persons"]) => Self::People,
            _ if has(&["comment", "revisions/"]) => Self::Remarks,
            "content.xml" | "styles.xml" | "xl/workbook.xml" => Self::Text,
            _ if path.starts_with("word/") || has(&["pivotcachedefinition"]) => Self::Text,
            _ => return None,
        })
    }

    /// Tells what stands in the beginning of an element, and what the text in it is.
    fn tell(self, tag: &Tag<'_>, search: &mut Search) -> Option<Says> {
        let name = tag.name();
        match self {
            Self::Links => {
                let (kind, target) = (tag.attribute("Type"), tag.attribute("Target").unwrap_or_default());
                if kind.is_some_and(|kind| kind.ends_with("/attachedTemplate")) || is_on_a_disk(&target) {
                    search.tell(What::Path, &target);
                }
                None
            }
            Self::Notes => notes(tag, search),
            Self::Remarks | Self::People | Self::Text => {
                let is_person = matches!(name, "author" | "cmAuthor" | "person");
                let (mut has_author, mut date) = (false, None);
                for (attribute, value) in tag.attributes() {
                    match attribute {
                        "author" | "userName" | "displayName" | "userId" | "refreshedBy" => {
                            search.tell(What::Person, &value);
                            has_author = true;
                        }
                        "name" if is_person => search.tell(What::Person, &value),
                        "date" => date = Some(value),
                        "url" if name == "absPath" => search.tell(What::Path, &value),
                        _ => {}
                    }
                }
                date.iter().filter(|_| has_author).for_each(|date| search.tell(What::Date, date));
                let is_change = name.ends_with("Change")
                    || matches!(name, "ins" | "del" | "moveFrom" | "moveTo" | "cellIns" | "cellDel")
                    || matches!(name, "tracked-changes" | "annotation");
                if is_change {
                    search.mark(What::Comments);
                }
                match tag.full_name() {
                    "dc:creator" => Some(Says::what(What::Person)),
                    "dc:date" => Some(Says::what(What::Date)),
                    _ if name == "author" => Some(Says::what(What::Person)),
                    _ => None,
                }
            }
        }
    }
}

/// Whether a link leads to a folder of a computer, or of a network without the web.
fn is_on_a_disk(target: &str) -> bool {
    let drive = target.as_bytes().get(1..3).is_some_and(|next| next == b":\\" || next == b":/");
    drive || target.starts_with("\\\\") || target.get(..5).is_some_and(|is| is.eq_ignore_ascii_case("file:"))
}

/// The texts of elements that say who, with what and when.
fn notes(tag: &Tag<'_>, search: &mut Search) -> Option<Says> {
    Some(Says::what(match tag.name() {
        "creator" | "lastModifiedBy" | "initial-creator" | "printed-by" | "Manager" => What::Person,
        "Company" => What::Company,
        "Application" | "AppVersion" | "generator" => What::Program,
        "created" | "modified" | "lastPrinted" | "creation-date" | "date" | "print-date" => What::Date,
        "title" | "subject" | "keywords" | "keyword" | "description" | "category" => What::Title,
        "Template" | "HyperlinkBase" => What::Path,
        // Those that a person, or the rules of a company, gave it.
        "property" | "user-defined" => {
            return Some(Says::named(What::Property, &tag.attribute("name").unwrap_or_default()));
        }
        "template" => {
            search.tell(What::Path, &tag.attribute("href").unwrap_or_default());
            return None;
        }
        // A label of secrecy names the company that gave it by a number.
        "label" => {
            search.tell(What::Company, &tag.attribute("siteId").unwrap_or_default());
            search.tell(What::Property, &tag.attribute("id").unwrap_or_default());
            return None;
        }
        _ => return None,
    }))
}
