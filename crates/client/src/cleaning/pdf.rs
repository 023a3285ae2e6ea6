//! PDF files: what stands in the usual places, as it is or packed. No reader of PDF: it looks for names and the texts behind
//! them, so a damaged file is looked at like any other, and what is hidden well is not found.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::exif;
use super::{Finding, What};

/// The most bytes that all packed streams together are unpacked to.
const UNPACKED: u64 = 24 << 20;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(1024)].windows(5).any(|at| at == b"%PDF-")
}

pub(super) fn found(bytes: &[u8]) -> Vec<Finding> {
    let mut found = of(bytes);
    let mut left = UNPACKED;
    for packed in streams(bytes) {
        let mut text = Vec::new();
        // What can be unpacked counts, also if it is damaged further on.
        let _damaged = ZlibDecoder::new(packed).take(left).read_to_end(&mut text);
        left = left.saturating_sub(text.len() as u64);
        found.extend(of(&text));
    }
    found.extend(exif::within(bytes));
    if has(bytes, b"/Encrypt") {
        found.push(Finding::new(What::Locked, ""));
    }
    if has(bytes, b"/JavaScript") {
        found.push(Finding::new(What::Macros, "JavaScript"));
    }
    found
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|at| at == what)
}

/// Where streams begin that could be packed.
fn streams(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    const MARK: &[u8] = b"stream";
    let at = bytes.windows(MARK.len()).enumerate().filter(|(_, at)| *at == MARK).map(|(at, _)| at);
    at.filter_map(move |at| {
        let rest = &bytes[at + MARK.len()..];
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
        // zlib says so in its first byte.
        (rest.first()? & 0x0f == 8).then_some(rest)
    })
}

fn of(bytes: &[u8]) -> Vec<Finding> {
    let mut found = Vec::new();
    for (what, name) in [
        (What::Person, &b"/Author"[..]),
        (What::Program, b"/Creator"),
        (What::Program, b"/Producer"),
        (What::Date, b"/CreationDate"),
        (What::Date, b"/ModDate"),
        (What::Title, b"/Title"),
        (What::Title, b"/Subject"),
        (What::Title, b"/Keywords"),
    ] {
        let at = bytes.windows(name.len()).enumerate().filter(|(_, at)| *at == name);
        for text in at.filter_map(|(at, _)| string(&bytes[at + name.len()..])).take(8) {
            found.push(Finding::new(what, &text));
        }
    }
    for (what, open, close) in [
        (What::Person, "<dc:creator>", "</dc:creator>"),
        (What::Program, "<xmp:CreatorTool>", "</xmp:CreatorTool>"),
        (What::Program, "<pdf:Producer>", "</pdf:Producer>"),
        (What::Date, "<xmp:CreateDate>", "</xmp:CreateDate>"),
        (What::Date, "<xmp:ModifyDate>", "</xmp:ModifyDate>"),
    ] {
        found.extend(between(bytes, open, close).map(|text| Finding::new(what, &text)));
    }
    if has(bytes, b"/Subtype/Text") || has(bytes, b"/Subtype /Text") {
        found.push(Finding::new(What::Comments, ""));
    }
    found.retain(|finding| !finding.text.is_empty() || finding.what == What::Comments);
    found
}

/// What stands between two tags, without tags of its own.
fn between(bytes: &[u8], open: &str, close: &str) -> Option<String> {
    let at = bytes.windows(open.len()).position(|at| at == open.as_bytes())? + open.len();
    let end = bytes[at..].windows(close.len()).position(|at| at == close.as_bytes())?;
    let text = String::from_utf8_lossy(&bytes[at..at + end.min(4_096)]).into_owned();
    let plain = text.split('<').map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text));
    Some(plain.collect::<Vec<_>>().join(" "))
}

/// The string that follows, as `(text)` or `<hex>`; UTF-16 if it says so.
fn string(rest: &[u8]) -> Option<String> {
    let at = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    let bytes = match rest[at..].first()? {
        b'(' => literal(&rest[at + 1..]),
        b'<' => {
            let end = rest[at..].iter().take(4_096).position(|&b| b == b'>')?;
            let digits: Vec<u8> =
                rest[at + 1..at + end].iter().copied().filter(u8::is_ascii_hexdigit).collect();
            hex::decode(&digits[..digits.len() / 2 * 2]).ok()?
        }
        _ => return None,
    };
    Some(match bytes.strip_prefix(b"\xfe\xff") {
        Some(wide) => {
            let units: Vec<u16> = wide.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        None => String::from_utf8_lossy(&bytes).into_owned(),
    })
}

fn literal(rest: &[u8]) -> Vec<u8> {
    let (mut text, mut depth, mut bytes) = (Vec::new(), 1, rest.iter().take(4_096));
    while let Some(&byte) = bytes.next() {
        match byte {
            b'\\' => match bytes.next() {
                Some(b'n' | b'r' | b't') => text.push(b' '),
                Some(&other) => text.push(other),
                None => break,
            },
            b'(' => {
                depth += 1;
                text.push(byte);
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
                text.push(byte);
            }
            _ => text.push(byte),
        }
    }
    text
}
