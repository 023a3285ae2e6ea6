//! What cameras and programs write beside a picture's points. For telling only: nothing of it goes on.

use std::io::Cursor;

use exif::{Exif, In, Reader, Tag, Value};

use super::{Finding, What};

/// Of a picture file: JPEG, PNG or WebP.
pub(super) fn of_picture(bytes: &[u8]) -> Vec<Finding> {
    let read = Reader::new().read_from_container(&mut Cursor::new(bytes));
    let mut found = read.map(|exif| of(&exif)).unwrap_or_default();
    if bytes.windows(11).any(|at| at == b"<x:xmpmeta " || at == b"<x:xapmeta ") {
        found.push(Finding::new(What::Program, "XMP"));
    }
    found
}

/// Of pictures inside another file, wherever they begin.
pub(super) fn within(bytes: &[u8]) -> Vec<Finding> {
    const MARK: &[u8] = b"Exif\0\0";
    let starts = bytes.windows(MARK.len()).enumerate().filter(|(_, at)| *at == MARK).map(|(at, _)| at);
    // A segment of a JPEG is at most 64 KiB.
    let segment = |at: usize| bytes[at + MARK.len()..].iter().take(1 << 16).copied().collect::<Vec<_>>();
    let read = |at| Reader::new().read_raw(segment(at)).ok();
    starts.take(64).filter_map(read).flat_map(|exif| of(&exif)).collect()
}

fn of(exif: &Exif) -> Vec<Finding> {
    let mut found = Vec::new();
    if exif.get_field(Tag::GPSLatitude, In::PRIMARY).is_some() {
        found.push(Finding::new(What::Place, &place(exif).unwrap_or_default()));
    }
    for (what, tags) in [
        (What::Person, &[Tag::Artist, Tag::Copyright, Tag::CameraOwnerName][..]),
        (What::Device, &[Tag::Make, Tag::Model, Tag::LensModel, Tag::BodySerialNumber]),
        (What::Program, &[Tag::Software]),
        (What::Date, &[Tag::DateTimeOriginal, Tag::DateTime]),
        (What::Comments, &[Tag::ImageDescription, Tag::UserComment]),
    ] {
        for field in tags.iter().filter_map(|tag| exif.get_field(*tag, In::PRIMARY)) {
            let text = match &field.value {
                Value::Ascii(texts) => {
                    texts.iter().map(|t| String::from_utf8_lossy(t)).collect::<Vec<_>>().join(" ")
                }
                _ => field.display_value().to_string(),
            };
            if !text.trim_matches(['\0', ' ']).is_empty() {
                found.push(Finding::new(what, &text));
            }
        }
    }
    found
}

fn place(exif: &Exif) -> Option<String> {
    let degrees = |at: Tag, side: Tag| {
        let Value::Rational(parts) = &exif.get_field(at, In::PRIMARY)?.value else { return None };
        let [d, m, s] = parts[..] else { return None };
        let side = exif.get_field(side, In::PRIMARY)?.display_value().to_string();
        Some(format!("{:.4} {side}", d.to_f64() + m.to_f64() / 60.0 + s.to_f64() / 3600.0))
    };
    let north = degrees(Tag::GPSLatitude, Tag::GPSLatitudeRef)?;
    Some(format!("{north}, {}", degrees(Tag::GPSLongitude, Tag::GPSLongitudeRef)?))
}
