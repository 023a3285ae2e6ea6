//! What an answer's bytes unpack to, as far as they are read.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use super::FetchError;

/// Takes an answer's pieces as they come, unpacks them if they are packed, and stops at a limit: a few bytes can unpack to more
/// than a machine holds.
pub(super) enum Body {
    Plain(Room),
    Gzip(Box<MultiGzDecoder<Room>>),
}

/// Bytes, and how many there may be.
pub(super) struct Room {
    bytes: Vec<u8>,
    most: usize,
}

impl Write for Room {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + piece.len() > self.most {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// For an answer whose `Content-Encoding` is this, of at most `most` bytes unpacked.
    pub(super) fn new(encoding: Option<&str>, most: usize) -> Result<Self, FetchError> {
        let room = Room { bytes: Vec::new(), most };
        match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => Ok(Self::Plain(room)),
            Some("gzip" | "x-gzip") => Ok(Self::Gzip(Box::new(MultiGzDecoder::new(room)))),
            Some(other) => Err(FetchError::Packed { how: other.chars().take(40).collect() }),
        }
    }

    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        let (pushed, most) = match self {
            Self::Plain(room) => (room.write_all(piece), room.most),
            Self::Gzip(packed) => (packed.write_all(piece), packed.get_ref().most),
        };
        pushed.map_err(|why| failed(&why, most))
    }

    /// All bytes, once no piece comes any more.
    pub(super) fn finish(self) -> Result<Vec<u8>, FetchError> {
        match self {
            Self::Plain(room) => Ok(room.bytes),
            Self::Gzip(packed) => {
                let most = packed.get_ref().most;
                packed.finish().map(|room| room.bytes).map_err(|why| failed(&why, most))
            }
        }
    }
}

fn failed(why: &io::Error, most: usize) -> FetchError {
    match why.kind() {
        io::ErrorKind::FileTooLarge => FetchError::TooLarge { most },
        _ => FetchError::Damaged,
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut gz = GzEncoder::new(Vec::new(), Compression::best());
        gz.write_all(bytes).unwrap();
        gz.finish().unwrap()
    }

    fn unpacked(encoding: Option<&str>, bytes: &[u8], most: usize) -> Result<Vec<u8>, FetchError> {
        let mut body = Body::new(encoding, most)?;
        bytes.chunks(7).try_for_each(|piece| body.push(piece))?;
        body.finish()
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        let text = b"The ferry did not leave. ".repeat(20);
        assert_eq!(unpacked(None, &text, 500).unwrap(), text);
        assert_eq!(unpacked(Some(" GZIP "), &packed(&text), 500).unwrap(), text);
        let twice = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(unpacked(Some("gzip"), &twice, 500).unwrap(), b"one two");
    }

    #[test]
    fn a_bomb_is_given_up_at_the_limit() {
        let bomb = packed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000);
        let mut body = Body::new(Some("gzip"), 1 << 20).unwrap();
        assert!(matches!(body.push(&bomb), Err(FetchError::TooLarge { most: 1_048_576 })));
        let Body::Gzip(room) = body else { panic!("packed") };
        assert!(room.get_ref().bytes.len() <= 1 << 20);
    }

    #[test]
    fn what_is_cut_off_or_no_gzip_or_of_another_kind_is_said() {
        let whole = packed(b"The ferry did not leave.");
        assert!(matches!(unpacked(Some("gzip"), &whole[..whole.len() - 4], 500), Err(FetchError::Damaged)));
        assert!(matches!(unpacked(Some("gzip"), b"plain words, no gzip", 500), Err(FetchError::Damaged)));
        assert!(matches!(unpacked(Some("br"), b"x", 500), Err(FetchError::Packed { .. })));
        assert!(unpacked(None, &[0; 501], 500).is_err());
    }
}
