//! Office files, which are zip archives: their notes on author, program and dates, comments, changes, macros, and what
//! pictures in them carry.

use std::io::{Cursor, Read as _};

use proto::document::Format;
use quick_xml::Reader;
use quick_xml::events::Event;
use zip::ZipArchive;
use zip::result::ZipError;

use super::exif;
use super::{Finding, NotTaken, What};

/// The most files an archive may have, and the most bytes that are unpacked of all of them together.
const FILES: usize = 10_000;
const UNPACKED: u64 = 64 << 20;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

pub(super) fn found(bytes: &[u8]) -> Result<(Format, Vec<Finding>), NotTaken> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| NotTaken::Damaged)?;
    if archive.len() > FILES {
        return Err(NotTaken::Bomb);
    }
    let names: Result<Vec<String>, _> = archive.file_names().map(|name| Ok(name?.into_owned())).collect();
    let names = names.map_err(|_: ZipError| NotTaken::Damaged)?;
    let mut left = UNPACKED;
    let mut read = |name: &str| -> Result<Vec<u8>, NotTaken> {
        let file = match archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::UnsupportedArchive(_)) => return Ok(Vec::new()),
            Err(_) => return Err(NotTaken::Damaged),
        };
        let mut text = Vec::new();
        file.take(left + 1).read_to_end(&mut text).map_err(|_| NotTaken::Damaged)?;
        left = left.checked_sub(text.len() as u64).ok_or(NotTaken::Bomb)?;
        Ok(text)
    };
    let format = format(&names, &mut read)?;
    let mut found = Vec::new();
    for name in &names {
        let end = name.rsplit('/').next().unwrap_or_default();
        if matches!(
            name.as_str(),
            "docProps/core.xml" | "docProps/app.xml" | "docProps/custom.xml" | "meta.xml"
        ) {
            found.extend(notes(&read(name)?));
        } else if end == "vbaProject.bin" || name.starts_with("Basic/") {
            found.push(Finding::new(What::Macros, ""));
        } else if end.contains("comments") && end.ends_with(".xml") {
            found.push(Finding::new(What::Comments, ""));
        } else if matches!(name.as_str(), "word/document.xml" | "content.xml") {
            let text = read(name)?;
            let marks: [&[u8]; 4] = [b"<w:ins ", b"<w:del ", b"<text:tracked-changes", b"<office:annotation"];
            if marks.iter().any(|mark| text.windows(mark.len()).any(|at| at == *mark)) {
                found.push(Finding::new(What::Comments, ""));
            }
        } else if name.contains("media/") || name.starts_with("Pictures/") {
            let picture = read(name)?;
            found.extend(exif::of_picture(&picture));
        }
    }
    Ok((format, found))
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

/// The texts of elements that say who, with what and when.
fn notes(xml: &[u8]) -> Vec<Finding> {
    let (mut reader, mut found, mut within) = (Reader::from_reader(xml), Vec::new(), None);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => within = of_element(start.local_name().as_ref()),
            Ok(Event::Text(text)) => {
                let text: &str = &text;
                if let Some(what) = within.filter(|_| !text.trim().is_empty()) {
                    found.push(Finding::new(what, text));
                }
            }
            Ok(Event::End(_)) => within = None,
            Ok(Event::Eof) | Err(_) => return found,
            Ok(_) => {}
        }
    }
}

fn of_element(name: &str) -> Option<What> {
    Some(match name {
        "creator" | "lastModifiedBy" | "initial-creator" | "printed-by" | "Manager" => What::Person,
        "Company" => What::Company,
        "Application" | "AppVersion" | "generator" => What::Program,
        "created" | "modified" | "lastPrinted" | "creation-date" | "date" | "print-date" => What::Date,
        "title" | "subject" | "keywords" | "keyword" | "description" | "category" => What::Title,
        _ => return None,
    })
}
