//! Documents: cut into parts that travel as messages, and joined again. Spec: document.md.

use minicbor::{Decode, Encode};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::size::{Cascade, PART_HEADER};

/// The longest content, in bytes.
pub const MAX_CONTENT: usize = 1 << 20;
/// The longest name, in bytes.
pub const MAX_NAME: usize = 100;
/// Every so many parts there is one that starts a chain.
pub const CHAIN_EVERY: u16 = 64;

/// format 1, name length 1, length 4, SHA-256 32.
const HEAD: usize = 1 + 1 + 4 + 32;

/// What a document is, by the word of who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Format {
    /// UTF-8 text.
    #[n(1)]
    Text,
    /// A picture, as JPEG.
    #[n(2)]
    Picture,
    /// PDF.
    #[n(3)]
    Pdf,
    /// Word.
    #[n(4)]
    Docx,
    /// Excel.
    #[n(5)]
    Xlsx,
    /// PowerPoint.
    #[n(6)]
    Pptx,
    /// OpenDocument text.
    #[n(7)]
    Odt,
    /// OpenDocument spreadsheet.
    #[n(8)]
    Ods,
    /// OpenDocument presentation.
    #[n(9)]
    Odp,
}

impl Format {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Text, "txt"),
        (Self::Picture, "jpg"),
        (Self::Pdf, "pdf"),
        (Self::Docx, "docx"),
        (Self::Xlsx, "xlsx"),
        (Self::Pptx, "pptx"),
        (Self::Odt, "odt"),
        (Self::Ods, "ods"),
        (Self::Odp, "odp"),
    ];

    fn code(self) -> u8 {
        Self::ALL.iter().zip(1..).find(|((format, _), _)| *format == self).map_or(0, |(_, code)| code)
    }

    fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code).checked_sub(1)?).map(|(format, _)| *format)
    }

    /// How names of such files end, without the full stop.
    pub fn ending(self) -> &'static str {
        Self::ALL[usize::from(self.code()) - 1].1
    }
}

/// A document, whole.
#[derive(PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Document {
    /// What it is called.
    pub name: String,
    /// What it is.
    #[zeroize(skip)]
    pub format: Format,
    /// Its bytes, 1 to [`MAX_CONTENT`].
    pub content: Vec<u8>,
}

/// A document that cannot travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is nothing in it.
    #[error("the document is empty")]
    Empty,
    /// It is too long.
    #[error("the document has {0} bytes, and at most {MAX_CONTENT} can be sent")]
    TooLong(usize),
    /// Its name is empty, too long, or holds what a name must not hold.
    #[error("the document cannot be sent under this name")]
    Name,
}

impl Document {
    // format 1 | name length 1 | length 4 | SHA-256 32 | name | content
    /// The document as one stream of bytes, of which the parts are cut.
    pub fn to_stream(&self) -> Result<Zeroizing<Vec<u8>>, Unfit> {
        match self.content.len() {
            0 => return Err(Unfit::Empty),
            1..=MAX_CONTENT => {}
            long => return Err(Unfit::TooLong(long)),
        }
        if !is_name(&self.name) {
            return Err(Unfit::Name);
        }
        let mut stream = Zeroizing::new(Vec::with_capacity(HEAD + self.name.len() + self.content.len()));
        stream.extend_from_slice(&[self.format.code(), self.name.len() as u8]);
        stream.extend_from_slice(&(self.content.len() as u32).to_be_bytes());
        stream.extend_from_slice(&Sha256::digest(&self.content));
        stream.extend_from_slice(self.name.as_bytes());
        stream.extend_from_slice(&self.content);
        Ok(stream)
    }
}

/// How many parts a stream of this length has.
pub fn parts(cascade: Cascade, stream: usize) -> u16 {
    u16::try_from(stream.div_ceil(cascade.part())).unwrap_or(u16::MAX)
}

/// How long the stream of a document with this name and so many bytes of content is.
pub fn stream_len(name: &str, content: usize) -> usize {
    HEAD + name.len() + content
}

/// The longest content whose stream takes at most so many parts.
pub fn fits(cascade: Cascade, name: &str, parts: u16) -> usize {
    (usize::from(parts) * cascade.part()).saturating_sub(HEAD + name.len()).min(MAX_CONTENT)
}

/// Whether a document may be called this.
pub fn is_name(name: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (1..=MAX_NAME).contains(&name.len())
        && !name.starts_with('.')
        && !name.chars().any(|c| c.is_control() || turns(c) || matches!(c, '/' | '\\' | ':'))
}

/// What part 0 begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// What it is, says its sender.
    pub format: Format,
    /// What it is called.
    pub name: String,
    /// How long its content is.
    pub length: u32,
    /// Of the content.
    pub sha256: [u8; 32],
}

impl Head {
    // DOC-02: bounds, and a name that is a name.
    fn read(stream: &[u8]) -> Option<Self> {
        let (head, rest) = stream.split_at_checked(HEAD)?;
        let name = core::str::from_utf8(rest.get(..usize::from(head[1]))?).ok()?;
        let length = u32::from_be_bytes(head[2..6].try_into().expect("four bytes"));
        let content = length as usize;
        let good = is_name(name) && (1..=MAX_CONTENT).contains(&content);
        let format = Format::from_code(head[0])?;
        let sha256 = head[6..].try_into().expect("32 bytes");
        good.then(|| Self { format, name: name.to_owned(), length, sha256 })
    }
}

/// One part of a document: the data of one message.
#[derive(PartialEq, Eq)]
pub struct Part {
    /// Counted from 0.
    pub part: u16,
    /// How many there are.
    pub parts: u16,
    /// Its piece of the stream.
    pub rest: Zeroizing<Vec<u8>>,
}

impl Part {
    /// Part `part` of a stream, which has to have it.
    pub fn of(cascade: Cascade, stream: &[u8], part: u16) -> Self {
        let rest = stream.chunks(cascade.part()).nth(usize::from(part)).expect("the stream has this part");
        Self { part, parts: parts(cascade, stream.len()), rest: Zeroizing::new(rest.to_vec()) }
    }

    /// Whether its box starts a chain with links, and not just an acknowledgement tag.
    pub fn starts_chain(&self) -> bool {
        self.part.is_multiple_of(CHAIN_EVERY)
    }

    /// What part 0 says of the document. `None`: it is another part, or says nothing good.
    pub fn head(&self) -> Option<Head> {
        if self.part == 0 { Head::read(&self.rest) } else { None }
    }

    // part 2 | parts 2 | rest
    pub(crate) fn to_data(&self) -> Zeroizing<Vec<u8>> {
        let mut data = Zeroizing::new(Vec::with_capacity(PART_HEADER + self.rest.len()));
        data.extend_from_slice(&self.part.to_be_bytes());
        data.extend_from_slice(&self.parts.to_be_bytes());
        data.extend_from_slice(&self.rest);
        data
    }

    /// Reads the data of the message with this sequence number.
    pub(crate) fn from_data(cascade: Cascade, sequence: u32, data: &[u8]) -> Option<Self> {
        let (header, rest) = data.split_at_checked(PART_HEADER)?;
        let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let part = Self { part: word(0), parts: word(2), rest: Zeroizing::new(rest.to_vec()) };
        // DOC-01: it exists, the document began at some number, there are not too many, and only the last may be short.
        let is_last = part.parts.checked_sub(1) == Some(part.part);
        let good = part.part < part.parts
            && u32::from(part.part) <= sequence
            && part.parts <= parts(cascade, HEAD + MAX_NAME + MAX_CONTENT)
            && if is_last { !rest.is_empty() } else { rest.len() == cascade.part() };
        // DOC-02: and so many parts is what it takes.
        let is_of = |head: Head| parts(cascade, stream_len(&head.name, head.length as usize)) == part.parts;
        (good && (part.part > 0 || part.head().is_some_and(is_of))).then_some(part)
    }
}

/// What a part was to the parts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was not there.
    New,
    /// It was there already.
    Known,
    /// It does not agree with the others and was left out.
    Disagrees,
}

/// What the parts join to is not what the head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the document is damaged")]
pub struct Damaged;

/// The parts of one document as they come, in any order.
#[derive(Encode, Decode)]
pub struct Joining {
    #[n(0)]
    parts: u16,
    #[n(1)]
    pieces: Vec<Piece>,
}

#[derive(Zeroize, ZeroizeOnDrop, Encode, Decode)]
struct Piece {
    #[n(0)]
    part: u16,
    #[cbor(n(1), with = "minicbor::bytes")]
    rest: Vec<u8>,
}

impl Joining {
    /// Begins with the first part to come.
    pub fn new(parts: u16) -> Self {
        Self { parts, pieces: Vec::new() }
    }

    /// How many there are to be.
    pub fn parts(&self) -> u16 {
        self.parts
    }

    /// How many have come.
    pub fn have(&self) -> u16 {
        self.pieces.len() as u16
    }

    /// What the head says, once it is there.
    pub fn head(&self) -> Option<Head> {
        Head::read(&self.pieces.first().filter(|piece| piece.part == 0)?.rest)
    }

    /// Takes a part.
    pub fn take(&mut self, part: &Part) -> Taken {
        // DOC-03
        if part.parts != self.parts {
            return Taken::Disagrees;
        }
        match self.pieces.binary_search_by_key(&part.part, |piece| piece.part) {
            Ok(_) => Taken::Known,
            Err(at) => {
                self.pieces.insert(at, Piece { part: part.part, rest: part.rest.to_vec() });
                Taken::New
            }
        }
    }

    /// The document, once every part has come. `None`: some are missing.
    pub fn join(&self) -> Option<Result<Document, Damaged>> {
        if self.have() < self.parts {
            return None;
        }
        let Some(head) = self.head() else { return Some(Err(Damaged)) };
        let all = self.pieces.iter().map(|piece| piece.rest.len()).sum();
        let mut content = Vec::with_capacity(all);
        let mut skip = stream_len(&head.name, 0);
        for piece in &self.pieces {
            let from = skip.min(piece.rest.len());
            content.extend_from_slice(&piece.rest[from..]);
            skip -= from;
        }
        let document = Document { name: head.name, format: head.format, content };
        // DOC-04: as long as the head says, and with its hash.
        let good = document.content.len() == head.length as usize
            && <[u8; 32]>::from(Sha256::digest(&document.content)) == head.sha256;
        Some(if good { Ok(document) } else { Err(Damaged) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::seq::SliceRandom as _;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn three() -> Cascade {
        Cascade::new(3).unwrap()
    }

    fn document(length: usize) -> Document {
        let content = (0..length).map(|i| (i * 7 % 251) as u8).collect();
        Document { name: "Minutes of 3 November.pdf".into(), format: Format::Pdf, content }
    }

    fn cut(document: &Document, cascade: Cascade) -> Vec<Part> {
        let stream = document.to_stream().unwrap();
        (0..parts(cascade, stream.len())).map(|n| Part::of(cascade, &stream, n)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn what_is_cut_joins_in_any_order(length in 1usize..40_000, k in 1u8..=4, seed: u64) {
            let (k, document) = (Cascade::new(k).unwrap(), document(length));
            let mut pieces = cut(&document, k);
            pieces.shuffle(&mut StdRng::seed_from_u64(seed));
            let mut joining = Joining::new(pieces[0].parts);
            for part in &pieces {
                prop_assert!(joining.join().is_none());
                let data = part.to_data();
                let read = Part::from_data(k, u32::from(part.part) + 4, &data);
                prop_assert!(read.as_ref() == Some(part));
                prop_assert_eq!(joining.take(part), Taken::New);
                prop_assert_eq!(joining.take(part), Taken::Known);
            }
            let again: Joining = crate::codec::decode(&crate::codec::encode(&joining)).unwrap();
            prop_assert!(again.join() == Some(Ok(document)));
        }

        #[test]
        fn any_data_is_a_part_or_not_but_never_panics(data in proptest::collection::vec(any::<u8>(), 0..200), sequence: u32) {
            let _ = Part::from_data(three(), sequence, &data);
        }
    }

    #[test]
    fn the_longest_document_has_296_parts_behind_three_mixes() {
        let mut longest = document(MAX_CONTENT);
        longest.name = "x".repeat(MAX_NAME);
        let pieces = cut(&longest, three());
        assert_eq!(pieces.len(), 296);
        for part in &pieces {
            assert!(Part::from_data(three(), 400, &part.to_data()).is_some(), "part {}", part.part);
        }
        let chains: Vec<_> = pieces.iter().filter(|part| part.starts_chain()).map(|part| part.part).collect();
        assert_eq!(chains, [0, 64, 128, 192, 256]);
        for k in 1..=4 {
            let k = Cascade::new(k).unwrap();
            for n in [1, 2, 100] {
                let most = fits(k, "a.jpg", n);
                assert_eq!(parts(k, stream_len("a.jpg", most)), n);
                assert_eq!(parts(k, stream_len("a.jpg", most + 1)), n + 1);
            }
            assert_eq!(fits(k, "a.jpg", 1_000), MAX_CONTENT);
        }
    }

    #[test]
    fn what_cannot_travel_is_refused_before_it_is_cut() {
        let with = |name: &str, length| {
            let mut document = document(length);
            name.clone_into(&mut document.name);
            document.to_stream().err()
        };
        assert_eq!(with("a", 0), Some(Unfit::Empty));
        assert_eq!(with("a", MAX_CONTENT), None);
        assert_eq!(with("a", MAX_CONTENT + 1), Some(Unfit::TooLong(MAX_CONTENT + 1)));
        assert_eq!(with("../a", 1), Some(Unfit::Name));
    }

    #[test]
    fn doc_01_a_part_that_no_source_cuts_is_refused() {
        let pieces = cut(&document(10_000), three());
        let read = |sequence, data: &[u8]| Part::from_data(three(), sequence, data).is_some();
        let (middle, last) = (pieces[1].to_data(), pieces[2].to_data());
        assert!(read(1, &middle) && read(2, &last));
        assert!(!read(0, &middle), "its document would begin before the first message");
        let with = |data: &[u8], part: u16, parts: u16| {
            let mut bent = data.to_vec();
            bent[..2].copy_from_slice(&part.to_be_bytes());
            bent[2..4].copy_from_slice(&parts.to_be_bytes());
            read(500, &bent)
        };
        assert!(!with(&middle, 3, 3) && !with(&middle, 0xffff, 0xffff));
        assert!(with(&middle, 1, 296) && !with(&middle, 1, 297));
        assert!(!with(&last, 1, 3), "a part in the middle that is short");
        assert!(!read(2, &last[..4]), "a last part without a byte");
        assert!(!read(2, &last[..3]));
    }

    #[test]
    fn doc_02_a_head_that_says_nothing_good_is_refused() {
        let first = &cut(&document(10_000), three())[0];
        let read = |at: usize, to: u8| {
            let mut data = first.to_data().to_vec();
            data[PART_HEADER + at] = to;
            Part::from_data(three(), 0, &data).is_some()
        };
        assert!(read(0, 9));
        for (at, to, what) in [
            (0, 0, "format 0"),
            (0, 10, "format 10"),
            (1, 0, "no name"),
            (1, 101, "a name of 101"),
            (2, 1, "16 MiB"),
            (4, 0, "fewer parts would do"),
            (HEAD, b'.', "a hidden file"),
            (HEAD + 1, b'/', "a path"),
            (HEAD + 1, 7, "a control character"),
            (HEAD + 1, 0xff, "not text"),
        ] {
            assert!(!read(at, to), "{what}");
        }
        for bad in ["", "a\\b", "c:d", "a\nb", "gpj\u{202e}.exe", ".bashrc", &"x".repeat(101)] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_name("Protokoll vom 3. März – geändert.pdf"));
    }

    #[test]
    fn doc_03_a_part_that_disagrees_is_left_out() {
        let (one, other) = (cut(&document(10_000), three()), cut(&document(5_000), three()));
        let mut joining = Joining::new(3);
        assert_eq!(joining.take(&one[1]), Taken::New);
        assert_eq!(joining.take(&other[0]), Taken::Disagrees);
        assert!(joining.head().is_none());
        assert_eq!(joining.take(&one[0]), Taken::New);
        assert_eq!(joining.head().unwrap().name, "Minutes of 3 November.pdf");
        assert_eq!((joining.have(), joining.parts()), (2, 3));
    }

    #[test]
    fn doc_04_what_does_not_join_to_what_the_head_says_is_damaged() {
        let pieces = cut(&document(10_000), three());
        let joined = |bend: fn(&mut Vec<u8>)| {
            let mut joining = Joining::new(3);
            for part in &pieces {
                let mut rest = part.rest.to_vec();
                if part.part == 2 {
                    bend(&mut rest);
                }
                joining.take(&Part { part: part.part, parts: 3, rest: Zeroizing::new(rest) });
            }
            joining.join().unwrap().is_ok()
        };
        assert!(joined(|_| ()));
        assert!(!joined(|rest| rest[5] ^= 1));
        assert!(!joined(|rest| rest.truncate(rest.len() - 1)));
        assert!(!joined(|rest| rest.push(0)));
    }
}
