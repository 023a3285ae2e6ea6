//! One input as a row of choices: what a fuzzer mutates, read from the front. What is missing reads as zero, so that every
//! input is one.

/// An input, read from the front.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    pub(crate) fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    pub(crate) fn long(&mut self) -> u32 {
        u32::from(self.word()) | u32::from(self.word()) << 16
    }

    /// A number below `most`, which is not zero.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::from(self.byte()) % most
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        core::array::from_fn(|_| self.byte())
    }

    /// As many bytes as there are, and no more than `most`.
    pub(crate) fn up_to(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    /// A piece with its length before it, in two bytes.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(self.word());
        self.up_to(length)
    }

    /// What is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.up_to(usize::MAX)
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bends up to seven bytes of what travels, each by one choice of place and one of change. `true`: it is another now.
pub(crate) fn bend(input: &mut Input<'_>, bytes: &mut [u8]) -> bool {
    let before = bytes.to_vec();
    for _ in 0..input.below(8) {
        let (at, by) = (usize::from(input.word()), input.byte());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= by;
        }
    }
    before != bytes
}

/// `length` bytes: those of the piece, over and over; zero if it is empty.
pub(crate) fn fill(piece: &[u8], length: usize) -> Vec<u8> {
    if piece.is_empty() { vec![0; length] } else { piece.iter().copied().cycle().take(length).collect() }
}
