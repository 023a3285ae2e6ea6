//! Bytes -> text: which charset it is, and how we know.
//!
//! In this order: a byte-order mark; text that is valid UTF-8 with letters beyond ASCII (no other charset looks like
//! that by accident, whatever a page claims); what HTTP, the XML declaration or the page declares, if the bytes bear
//! it out; a guess from the bytes. "ISO-8859-1" means windows-1252, as on the web.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Largest input read as one article or feed, in bytes. Articles stay below 1 MiB, feeds with full texts below 8.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// A text and where its letters came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text, without a byte-order mark.
    pub text: Cow<'a, str>,
    /// The charset's WHATWG name.
    pub charset: &'static str,
    /// How it was found.
    pub how: How,
}

/// How a charset was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// A byte-order mark.
    Mark,
    /// The bytes are valid in it, and hardly in another.
    Evident,
    /// HTTP, XML declaration or page said so, and the bytes bear it out.
    Declared,
    /// From the frequencies of the bytes.
    Guessed,
}

/// Why bytes are not a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Nothing.
    #[error("it is empty")]
    Empty,
    /// More than an article or a feed has.
    #[error("it has {bytes} bytes; at most {LARGEST} are read")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// A picture, a program, noise.
    #[error("it is not text")]
    NotText,
}

/// Decodes `bytes`; `content_type` is the HTTP header's value, where there was one.
pub fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Result<Decoded<'a>, DecodeError> {
    if bytes.is_empty() {
        return Err(DecodeError::Empty);
    }
    if bytes.len() > LARGEST {
        return Err(DecodeError::TooLarge { bytes: bytes.len() });
    }
    let (encoding, how) = charset(bytes, content_type);
    let (text, _) = encoding.decode_with_bom_removal(bytes);
    if !is_text(&text) {
        return Err(DecodeError::NotText);
    }
    Ok(Decoded { text, charset: encoding.name(), how })
}

fn charset(bytes: &[u8], content_type: Option<&str>) -> (&'static Encoding, How) {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return (encoding, How::Mark);
    }
    if let Some(encoding) = utf_16_without_mark(bytes) {
        return (encoding, How::Evident);
    }
    let ascii = Encoding::ascii_valid_up_to(bytes) == bytes.len();
    if !ascii && std::str::from_utf8(bytes).is_ok() {
        return (UTF_8, How::Evident);
    }
    let label = content_type.and_then(parameter).or_else(|| declared(bytes));
    if let Some(encoding) = label.and_then(|label| Encoding::for_label(label.as_bytes())) {
        // A page that says UTF-8 and is not lies; so does one that says UTF-16 in letters one can read.
        let lies =
            encoding == UTF_16LE || encoding == UTF_16BE || encoding.decode_without_bom_handling(bytes).1;
        if !lies {
            return (encoding, How::Declared);
        }
    }
    if ascii {
        return (UTF_8, How::Evident);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    (detector.guess(None, Utf8Detection::Allow), How::Guessed)
}

/// Every other byte is zero: letters of the Latin script in two bytes each.
fn utf_16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    const LOOKED_AT: usize = 1024;
    let head = &bytes[..bytes.len().min(LOOKED_AT) & !1];
    if head.len() < 16 {
        return None;
    }
    let zeros = |odd: usize| head.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd, half) = (zeros(0), zeros(1), head.len() / 2);
    if odd * 10 >= half * 8 && even * 10 <= half {
        Some(UTF_16LE)
    } else if even * 10 >= half * 8 && odd * 10 <= half {
        Some(UTF_16BE)
    } else {
        None
    }
}

/// `charset=...` of a content type.
fn parameter(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches(['"', '\'']))
    })
}

/// What an XML declaration or an HTML page says about itself near its beginning.
fn declared(bytes: &[u8]) -> Option<&str> {
    /// Browsers look no further than 1024; some pages are late.
    const LOOKED_AT: usize = 4096;
    let head = &bytes[..bytes.len().min(LOOKED_AT)];
    let trimmed = head.trim_ascii_start();
    let (within, key): (&[u8], &[u8]) = if trimmed.starts_with(b"<?xml") {
        (&trimmed[..find(trimmed, b"?>")?], b"encoding")
    } else {
        let meta = find(head, b"<meta")?;
        (&head[meta..], b"charset")
    };
    let after = &within[find(within, key)? + key.len()..];
    let value = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let end =
        value.iter().position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':' | b'.')))?;
    std::str::from_utf8(&value[..end]).ok().filter(|label| !label.is_empty())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window.eq_ignore_ascii_case(needle))
}

/// Text has next to no control characters, and its letters are letters.
fn is_text(text: &str) -> bool {
    // Byte by byte, since pages are long: letters begin with a byte that continues none; of the control characters those
    // beyond ASCII are two bytes.
    let bytes = text.as_bytes();
    let all = bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count();
    let is_control =
        |byte: u8| (byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c)) || byte == 0x7f;
    let ascii = bytes.iter().filter(|&&byte| is_control(byte)).count();
    let control = ascii + bytes.windows(2).filter(|pair| pair[0] == 0xc2 && pair[1] < 0xa0).count();
    let broken = text.matches('\u{fffd}').count();
    control * 100 <= all && broken * 10 <= all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], content_type: Option<&str>) -> (String, &'static str, How) {
        let got = decode(bytes, content_type).expect("text");
        (got.text.into_owned(), got.charset, got.how)
    }

    #[test]
    fn latin_1_is_read_whether_declared_or_not() {
        let bytes = b"<html><head><meta charset=iso-8859-1></head><p>Der B\xfcrgermeister m\xf6chte \x84so\x93 nicht.";
        let (text, charset, how) = decoded(bytes, None);
        assert!(text.contains("Bürgermeister möchte „so“"));
        assert_eq!((charset, how), ("windows-1252", How::Declared));
        let plain = b"Le pr\xe9sident a \xe9t\xe9 \xe9lu apr\xe8s une journ\xe9e tr\xe8s agit\xe9e \xe0 l'Assembl\xe9e.";
        let (text, charset, how) = decoded(plain, None);
        assert!(text.contains("président a été élu après"));
        assert_eq!((charset, how), ("windows-1252", How::Guessed));
    }

    #[test]
    fn a_lying_charset_is_not_believed() {
        let utf8 = "<meta charset=iso-8859-1>é".as_bytes();
        assert_eq!(decoded(utf8, Some("text/html; charset=windows-1252")).1, "UTF-8");
        let latin = b"<?xml version='1.0' encoding='utf-8'?><p>Der B\xfcrgermeister m\xf6chte nicht gr\xfc\xdfen.</p>";
        assert_eq!(decoded(latin, Some("text/html; charset=utf-8")).1, "windows-1252");
        assert_eq!(decoded(b"<meta charset=utf-16>plain", None).0, "<meta charset=utf-16>plain");
        assert_eq!(decoded(b"plain", Some("text/plain; charset=nonsense")).2, How::Evident);
    }

    #[test]
    fn marks_and_utf_16_are_understood() {
        assert_eq!(decoded(b"\xef\xbb\xbfx", None), ("x".into(), "UTF-8", How::Mark));
        let wide: Vec<u8> = "A plain line of text.".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&wide, None), ("A plain line of text.".into(), "UTF-16LE", How::Evident));
    }

    #[test]
    fn what_is_no_text_is_named() {
        assert_eq!(decode(b"", None), Err(DecodeError::Empty));
        assert_eq!(
            decode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01", None),
            Err(DecodeError::NotText)
        );
        let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert_eq!(decode(&noise, None), Err(DecodeError::NotText));
        let big = vec![b'a'; LARGEST + 1];
        assert_eq!(decode(&big, None), Err(DecodeError::TooLarge { bytes: LARGEST + 1 }));
    }
}
