//! PDF files: what stands in the usual places, as it is or packed. No reader of PDF: it looks for names and the texts behind
//! them, so a damaged file is looked at like any other, and what is hidden well is not found.

use std::io::Read as _;

use flate2::read::ZlibDecoder;

use super::search::Search;
use super::xml::{self, Says};
use super::{What, exif};

/// The most bytes that all packed streams together are unpacked to, and the most streams: each costs, however short it is.
const UNPACKED: u64 = 24 << 20;
const STREAMS: usize = 10_000;
/// The longest name, and the longest text that is read. What is shown is shorter.
const NAME: usize = 127;
const TEXT: usize = 4_096;
/// How deep dictionaries stand in each other at most.
const DEEP: usize = 64;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    bytes[..bytes.len().min(1024)].windows(5).any(|at| at == b"%PDF-")
}

pub(super) fn found(bytes: &[u8], search: &mut Search) {
    let bytes = search.walk(bytes);
    let (mut outside, mut inside, mut left) = (0, None, Left { bytes: UNPACKED, streams: STREAMS });
    for mark in marks(bytes) {
        match (mark, inside) {
            (Mark::End(at), Some(from)) => {
                stream(&bytes[from..at], &mut left, search);
                (outside, inside) = (at, None);
            }
            (Mark::Begin(at, from), None) => {
                of(&bytes[outside..at], search);
                inside = Some(from);
            }
            // One that does not end hides none that follows. None is read twice, so that many of them cost no more than one.
            (Mark::Begin(at, from), Some(before)) if is_packed(&bytes[from..]) => {
                stream(&bytes[before..at], &mut left, search);
                inside = Some(from);
            }
            _ => {}
        }
    }
    match inside {
        Some(from) => stream(&bytes[from..], &mut left, search),
        None => of(&bytes[outside..], search),
    }
    exif::within(bytes).into_iter().for_each(|finding| search.take(finding));
}

/// Where a stream begins (its word, its first byte), and where one ends.
#[derive(Clone, Copy)]
enum Mark {
    Begin(usize, usize),
    End(usize),
}

fn marks(bytes: &[u8]) -> impl Iterator<Item = Mark> {
    const WORD: &[u8] = b"stream";
    let at = bytes.windows(WORD.len()).enumerate().filter(|(_, at)| *at == WORD).map(|(at, _)| at);
    at.filter_map(move |at| {
        if bytes[..at].ends_with(b"end") {
            return Some(Mark::End(at - 3));
        }
        let rest = &bytes[at + WORD.len()..];
        let rest = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n"))?;
        Some(Mark::Begin(at, bytes.len() - rest.len()))
    })
}

/// zlib says so in its first byte.
fn is_packed(stream: &[u8]) -> bool {
    stream.first().is_some_and(|first| first & 0x0f == 8)
}

/// What may still be unpacked.
struct Left {
    bytes: u64,
    streams: usize,
}

/// What a stream holds, unpacked if it is packed.
fn stream(bytes: &[u8], left: &mut Left, search: &mut Search) {
    let (mut text, mut is_whole) = (Vec::new(), false);
    if is_packed(bytes) && left.streams > 0 {
        // What can be unpacked counts, also if it is damaged further on.
        is_whole = ZlibDecoder::new(search.walk(bytes)).take(left.bytes).read_to_end(&mut text).is_ok();
        left.streams -= 1;
        left.bytes -= text.len() as u64;
        of(&text, search);
    }
    if !is_whole {
        of(bytes, search);
    }
}

/// What a dictionary says that means something only beside what else it says.
#[derive(Default)]
struct Dictionary {
    /// It is a mark on a page that somebody made.
    is_remark: bool,
    /// It stands for a file inside this one.
    is_file: bool,
    /// `T`: who made the mark, or the name of a field.
    who: Option<String>,
    file: Option<String>,
}

impl Dictionary {
    fn tell(self, search: &mut Search) {
        if self.is_remark {
            search.mark(What::Comments);
            self.who.iter().for_each(|who| search.tell(What::Person, who));
        }
        if self.is_file {
            self.file.iter().for_each(|file| search.tell(What::File, file));
        }
    }
}

/// Names and the texts behind them, in one pass.
fn of(bytes: &[u8], search: &mut Search) {
    let bytes = search.walk(bytes);
    let (mut at, mut around) = (0, vec![Dictionary::default()]);
    let mut is_kind = false;
    while let Some(next) = bytes[at..].iter().position(|byte| matches!(byte, b'/' | b'<' | b'>')) {
        let is_next = bytes[at..at + next].iter().all(u8::is_ascii_whitespace);
        at += next;
        let rest = &bytes[at..];
        if rest[0] == b'/' {
            let (name, length) = name(&rest[1..]);
            at += 1 + length;
            let (is_of_kind, mut dictionary) = (is_kind && is_next, around.pop().unwrap_or_default());
            is_kind = name == b"Subtype";
            if is_of_kind {
                dictionary.is_remark |= is_remark(&name);
            } else {
                at += meet(&name, &bytes[at..], &mut dictionary, search);
            }
            around.push(dictionary);
        } else if rest.starts_with(b"<<") {
            // So deep nothing usual stands.
            if around.len() == DEEP {
                around.clear();
            }
            around.push(Dictionary::default());
            at += 2;
        } else if rest.starts_with(b">>") {
            around.pop().unwrap_or_default().tell(search);
            at += 2;
        } else if rest.starts_with(b"<rdf:RDF") {
            const END: &[u8] = b"</rdf:RDF>";
            let length = rest.windows(END.len()).position(|at| at == END).unwrap_or(rest.len());
            xml::read(&rest[..length], search, |tag, search| {
                for (name, value) in tag.attributes() {
                    of_xmp(name).iter().for_each(|what| search.tell(*what, &value));
                }
                of_xmp(tag.name()).map(Says::what)
            });
            at += length;
        } else {
            at += 1;
        }
    }
    around.into_iter().for_each(|dictionary| dictionary.tell(search));
}

/// A name was met: tells the text behind it, or keeps it until all of the dictionary was seen. How much of what follows need
/// not be looked at again.
fn meet(name: &[u8], rest: &[u8], dictionary: &mut Dictionary, search: &mut Search) -> usize {
    let what = match name {
        b"Author" => What::Person,
        b"Company" => What::Company,
        b"Creator" | b"Producer" => What::Program,
        b"CreationDate" | b"ModDate" => What::Date,
        b"Title" | b"Subject" | b"Keywords" => What::Title,
        b"T" | b"F" | b"UF" => {
            let Some((text, length)) = string(rest, search) else { return 0 };
            let to = if name == b"T" { &mut dictionary.who } else { &mut dictionary.file };
            *to = Some(text);
            return length;
        }
        _ => {
            match name {
                b"EF" => dictionary.is_file = true,
                b"EmbeddedFile" => search.mark(What::File),
                b"JavaScript" => search.tell(What::Macros, "JavaScript"),
                b"Encrypt" => search.mark(What::Locked),
                _ => {}
            }
            return 0;
        }
    };
    let Some((text, length)) = string(rest, search) else { return 0 };
    search.tell(what, &text);
    length
}

/// Marks on a page that bear a name. Fields and links do not.
fn is_remark(kind: &[u8]) -> bool {
    const KINDS: [&[u8]; 15] = [
        b"Text",
        b"FreeText",
        b"Highlight",
        b"Underline",
        b"StrikeOut",
        b"Squiggly",
        b"Caret",
        b"Ink",
        b"Stamp",
        b"Line",
        b"Square",
        b"Circle",
        b"Polygon",
        b"PolyLine",
        b"FileAttachment",
    ];
    KINDS.contains(&kind)
}

/// Names of XMP, as elements and as attributes.
fn of_xmp(name: &str) -> Option<What> {
    Some(match name {
        "creator" | "Author" | "author" => What::Person,
        "Company" => What::Company,
        "CreatorTool" | "Producer" | "softwareAgent" => What::Program,
        "CreateDate" | "ModifyDate" | "MetadataDate" | "when" => What::Date,
        "title" | "subject" | "description" | "Keywords" | "Headline" => What::Title,
        "filePath" => What::Path,
        _ => return None,
    })
}

/// A name, and how many bytes it takes. `#41` in it is a letter.
fn name(rest: &[u8]) -> (Vec<u8>, usize) {
    let is_over = |byte: &u8| byte.is_ascii_whitespace() || b"()<>[]{}/%\0".contains(byte);
    let length = rest.iter().take(NAME).position(is_over).unwrap_or(rest.len().min(NAME));
    let (mut name, mut bytes) = (Vec::new(), &rest[..length]);
    while let Some((&first, next)) = bytes.split_first() {
        let code = next.get(..2).filter(|_| first == b'#').and_then(|digits| hex::decode(digits).ok());
        bytes = if code.is_some() { &next[2..] } else { next };
        name.push(code.map_or(first, |code| code[0]));
    }
    (name, length)
}

/// The string that follows, as `(text)` or `<hex>`, and how many bytes need not be looked at again.
fn string(rest: &[u8], search: &mut Search) -> Option<(String, usize)> {
    let at = rest.iter().position(|b| !b.is_ascii_whitespace())?;
    let (bytes, length) = match rest[at] {
        b'(' => {
            let (text, length, ends) = literal(&rest[at + 1..]);
            search.walk(&rest[..at + 1 + length]);
            (text, if ends || search.gives_up() { at + 1 + length } else { 0 })
        }
        b'<' => {
            let is_digit = |byte: &u8| byte.is_ascii_hexdigit() || byte.is_ascii_whitespace();
            let digits = rest[at + 1..].iter().take(TEXT).take_while(|byte| is_digit(byte)).count();
            search.walk(&rest[..at + 1 + digits]);
            let end = at + 1 + digits;
            if rest.get(end) != Some(&b'>') {
                return None;
            }
            let digits: Vec<u8> = rest[at + 1..end].iter().copied().filter(u8::is_ascii_hexdigit).collect();
            (hex::decode(&digits[..digits.len() / 2 * 2]).ok()?, end + 1)
        }
        _ => return None,
    };
    Some((decoded(&bytes), length))
}

/// UTF-16 if it says so.
fn decoded(bytes: &[u8]) -> String {
    match bytes.strip_prefix(b"\xfe\xff") {
        Some(wide) => {
            let units: Vec<u16> = wide.as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        None => String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).into_owned(),
    }
}

/// What stands up to the closing bracket, how many bytes that takes, and whether there is one.
fn literal(rest: &[u8]) -> (Vec<u8>, usize, bool) {
    let (mut text, mut depth, mut at) = (Vec::new(), 1, 0);
    while let Some(&byte) = rest[..rest.len().min(TEXT)].get(at) {
        at += 1;
        match byte {
            b'\\' => {
                let digits = rest[at..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
                let code =
                    rest[at..at + digits].iter().fold(0, |code: u32, b| code * 8 + u32::from(b - b'0'));
                match rest.get(at) {
                    Some(_) if digits > 0 => text.push(code as u8),
                    Some(b'n' | b'r' | b't') => text.push(b' '),
                    Some(&other) => text.push(other),
                    None => break,
                }
                at += digits.max(1);
            }
            b')' if depth == 1 => return (text, at, true),
            _ => {
                depth += match byte {
                    b'(' => 1,
                    b')' => -1,
                    _ => 0,
                };
                text.push(byte);
            }
        }
    }
    (text, at.min(rest.len()), false)
}
