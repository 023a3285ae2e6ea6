//! WARC: the archives that crawlers write, pages with the answers they came in.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::fetch::{self, MAX_INPUT};

/// The longest head of a record or an answer, in bytes.
const LONGEST_HEAD: u64 = 64 * 1024;

/// Records looked at in one archive, pages or not.
const MOST_RECORDS: usize = 1_000_000;

/// The most that is unpacked of one archive, in bytes: crawlers begin a new one at a tenth.
const MOST_BYTES: u64 = 16 << 30;

/// What a page is, unpacked. An error is a sentence that says why it is left out.
type Unpacked = Result<Vec<u8>, String>;

/// A page of an archive.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Where it was fetched.
    pub(super) address: String,
    pub(super) content_type: Option<String>,
    pub(super) bytes: Unpacked,
}

/// Whether a file's first bytes are those of an archive, packed or not.
pub(super) fn is_warc(file: &mut dyn BufRead) -> io::Result<bool> {
    let head = file.fill_buf()?;
    if !head.starts_with(&[0x1f, 0x8b]) {
        return Ok(head.starts_with(b"WARC/"));
    }
    let mut first = [0; 5];
    let is_gzip = MultiGzDecoder::new(head).read_exact(&mut first).is_ok();
    Ok(is_gzip && first == *b"WARC/")
}

/// The pages of an archive, one after the other: it holds no more than one. Who reads them takes some at a time.
pub(super) struct Pages<'a> {
    from: Box<dyn BufRead + 'a>,
    left: usize,
}

impl<'a> Pages<'a> {
    pub(super) fn new(mut file: impl BufRead + 'a) -> io::Result<Self> {
        let is_packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let from: Box<dyn BufRead> =
            if is_packed { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        let from = Box::new(from.take(MOST_BYTES));
        Ok(Self { from, left: MOST_RECORDS })
    }

    /// The next record: `None` at the end, inside `None` if it is no page.
    fn record(&mut self) -> io::Result<Option<Option<Page>>> {
        let Some(head) = read_head(&mut self.from)? else { return Ok(None) };
        let broken = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        if !head.first.starts_with("WARC/") {
            return Err(broken("a record does not begin where the one before ends"));
        }
        let len: u64 = head
            .get("content-length")
            .and_then(|len| len.parse().ok())
            .ok_or_else(|| broken("a record has no length"))?;
        let mut block = (&mut self.from).take(len);
        let page = match (head.get("warc-type"), head.get("warc-target-uri")) {
            (Some("response"), Some(address)) => {
                response(&mut block)?.map(|(content_type, bytes)| (address, content_type, bytes))
            }
            (Some("resource"), Some(address)) => {
                Some((address, head.get("content-type").map(str::to_owned), whole(&mut block)?))
            }
            _ => None,
        };
        let page = page.map(|(address, content_type, bytes)| Page {
            address: address.trim_matches(['<', '>']).to_owned(),
            content_type,
            bytes,
        });
        io::copy(&mut block, &mut io::sink())?;
        if block.limit() > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(Some(page))
    }
}

impl Iterator for Pages<'_> {
    type Item = io::Result<Page>;

    fn next(&mut self) -> Option<io::Result<Page>> {
        while self.left > 0 {
            self.left -= 1;
            match self.record() {
                Ok(Some(None)) => {}
                Ok(Some(Some(page))) => return Some(Ok(page)),
                Ok(None) => self.left = 0,
                Err(why) => {
                    self.left = 0;
                    return Some(Err(why));
                }
            }
        }
        None
    }
}

/// The answer of a server, as it went over the wire: its type, and its bytes if it is what was asked for.
fn response(block: &mut impl BufRead) -> io::Result<Option<(Option<String>, Unpacked)>> {
    let Some(head) = read_head(block)? else { return Ok(None) };
    if head.first.split(' ').nth(1) != Some("200") {
        return Ok(None);
    }
    let content_type = head.get("content-type").map(str::to_owned);
    let is_page = content_type.as_deref().is_none_or(|kind| {
        let kind = kind.to_ascii_lowercase();
        kind.starts_with("text/html") || kind.starts_with("application/xhtml")
    });
    if !is_page {
        return Ok(None);
    }
    let bytes = whole(block)?.and_then(|bytes| {
        // Some archives hold the pieces as they came, others one piece under the same head.
        let is_chunked = head.get("transfer-encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"));
        let bytes = is_chunked.then(|| joined(&bytes)).flatten().unwrap_or(bytes);
        let packed = head.get("content-encoding").filter(|_| bytes.starts_with(&[0x1f, 0x8b]));
        fetch::unpack(packed, &bytes).map_err(|why| why.to_string())
    });
    Ok(Some((content_type, bytes)))
}

fn whole(block: &mut impl Read) -> io::Result<Unpacked> {
    let mut bytes = Vec::new();
    block.take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
    Ok(match bytes.len() as u64 > MAX_INPUT {
        true => Err(format!("it is larger than the {} MB that are read", MAX_INPUT >> 20)),
        false => Ok(bytes),
    })
}

/// The pieces of a chunked answer as one. `None`: it is not chunked.
fn joined(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.iter().take(64).position(|byte| *byte == b'\n')?;
        let size = std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

/// The first line and the fields below it.
struct Head {
    first: String,
    fields: Vec<(String, String)>,
}

impl Head {
    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Reads up to the blank line behind a head. `None`: nothing follows.
fn read_head(from: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut from = from.take(LONGEST_HEAD);
    let mut lines: Vec<String> = Vec::new();
    loop {
        let mut line = Vec::new();
        if from.read_until(b'\n', &mut line)? == 0 {
            return match (lines.is_empty(), from.limit()) {
                (true, 1..) => Ok(None),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        match (line.is_empty(), lines.is_empty()) {
            // Records end with blank lines, and some writers leave more.
            (true, true) => {}
            (true, false) => break,
            (false, _) => lines.push(line),
        }
    }
    let first = lines.remove(0);
    let field = |line: String| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    };
    Ok(Some(Head { first, fields: lines.into_iter().filter_map(field).collect() }))
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    type Got = Result<(String, Unpacked), io::ErrorKind>;

    pub(in crate::gather) fn record(kind: &str, address: &str, block: &[u8]) -> Vec<u8> {
        let head = format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {address}\r\nContent-Length: {}\r\n\r\n",
            block.len()
        );
        [head.as_bytes(), block, b"\r\n\r\n"].concat()
    }

    pub(in crate::gather) fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn pages(bytes: &[u8]) -> Vec<Got> {
        let pages = Pages::new(bytes).unwrap();
        pages.map(|page| page.map(|page| (page.address, page.bytes)).map_err(|why| why.kind())).collect()
    }

    fn page(address: &str, text: &str) -> Got {
        Ok((address.into(), Ok(text.into())))
    }

    #[test]
    fn pages_are_found_among_other_records_packed_or_not() {
        let html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n";
        let records = [
            record("warcinfo", "x", b"software: none\r\n"),
            record("request", "https://quay.example/1", b"GET /1 HTTP/1.1\r\n\r\n"),
            record("response", "<https://quay.example/1>", format!("{html}\r\n<p>one").as_bytes()),
            record("response", "https://quay.example/2", b"HTTP/1.1 404 Not Found\r\n\r\n<p>none"),
            record(
                "response",
                "https://quay.example/3",
                b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n\x89PNG",
            ),
            record(
                "response",
                "https://quay.example/4",
                &[
                    format!("{html}Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n")
                        .into_bytes(),
                    format!("{:x}\r\n", packed(b"<p>four").len()).into_bytes(),
                    packed(b"<p>four"),
                    b"\r\n0\r\n\r\n".to_vec(),
                ]
                .concat(),
            ),
            record(
                "response",
                "https://quay.example/5",
                format!("{html}Transfer-Encoding: chunked\r\n\r\n<p>five").as_bytes(),
            ),
            record("resource", "https://quay.example/6", b"<p>six"),
        ];
        let expected = [
            page("https://quay.example/1", "<p>one"),
            page("https://quay.example/4", "<p>four"),
            page("https://quay.example/5", "<p>five"),
            page("https://quay.example/6", "<p>six"),
        ];
        assert_eq!(pages(&records.concat()), expected);
        // As crawlers pack them: each record for itself.
        let each = records.map(|record| packed(&record)).concat();
        assert_eq!(pages(&each), expected);
        assert!(is_warc(&mut each.as_slice()).unwrap() && is_warc(&mut &records_head()[..]).unwrap());
        assert!(
            !is_warc(&mut b"plain".as_slice()).unwrap()
                && !is_warc(&mut packed(b"plain").as_slice()).unwrap()
        );
    }

    fn records_head() -> Vec<u8> {
        record("warcinfo", "x", b"")
    }

    #[test]
    fn what_is_cut_off_or_too_large_is_said_and_what_came_before_stays() {
        let good = record("resource", "https://quay.example/1", b"<p>one");
        let cut = record("resource", "https://quay.example/2", b"<p>two");
        let got = pages(&[good.as_slice(), &cut[..cut.len() - 6]].concat());
        assert_eq!(got, [page("https://quay.example/1", "<p>one"), Err(io::ErrorKind::UnexpectedEof)]);
        let large = record("resource", "https://quay.example/2", &vec![b'a'; MAX_INPUT as usize + 1]);
        let got = pages(&[large.as_slice(), &good].concat());
        assert!(matches!(&got[0], Ok((_, Err(why))) if why.contains("8 MB")));
        assert_eq!(got[1], page("https://quay.example/1", "<p>one"));
        let bomb =
            [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec(), packed(&vec![0; 64 << 20])]
                .concat();
        let got = pages(&record("response", "https://quay.example/3", &bomb));
        assert!(matches!(&got[0], Ok((_, Err(why))) if why.contains("8 MB")), "{got:?}");
        assert_eq!(pages(b"WARC/1.0\r\nContent-Length: many\r\n\r\n"), [Err(io::ErrorKind::InvalidData)]);
        assert_eq!(pages(&vec![b'a'; 200_000]), [Err(io::ErrorKind::UnexpectedEof)]);
    }

    proptest! {
        #[test]
        fn nothing_breaks_it(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = pages(&bytes);
            let _ = pages(&record("response", "x", &[b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", bytes.as_slice()].concat()));
        }
    }
}
