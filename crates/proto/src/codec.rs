//! One encoding per value: CBOR (RFC 8949) by field index, nothing left over, nothing written another way.

use minicbor::{Decode, Encode};

/// The bytes are not the one encoding of a value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes do not have the form they should")]
pub struct Malformed;

/// What has one encoding.
pub trait Record: Encode<()> + for<'b> Decode<'b, ()> {}

impl<T: Encode<()> + for<'b> Decode<'b, ()>> Record for T {}

/// The one encoding of `value`.
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    minicbor::to_vec(value).expect("writing to a vector cannot fail")
}

/// Reads `bytes`, and refuses what [`encode`] would not have written.
pub fn decode<T: Record>(bytes: &[u8]) -> Result<T, Malformed> {
    let value: T = minicbor::decode(bytes).map_err(|_| Malformed)?;
    if encode(&value) == bytes { Ok(value) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::round::Round;

    #[test]
    fn leftover_and_longer_forms_are_refused() {
        assert_eq!(decode::<Round>(&[5]), Ok(Round(5)));
        assert_eq!(decode::<Round>(&[5, 0]), Err(Malformed));
        assert_eq!(decode::<Round>(&[0x18, 5]), Err(Malformed), "five written in two bytes");
        assert_eq!(decode::<Round>(&[]), Err(Malformed));
    }
}
