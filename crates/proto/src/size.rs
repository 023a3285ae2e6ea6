//! Sizes in bytes, as arithmetic the compiler checks. Spec: envelope.md §2.

/// What travels: every envelope, real or cover, is this long.
pub const ENVELOPE: usize = 8192;
/// An X-Wing encapsulation: an ML-KEM-768 ciphertext and an X25519 public key.
pub const ENC: usize = 1088 + 32;
/// A Poly1305 tag.
pub const TAG: usize = 16;
/// What one seal adds.
pub const SEAL: usize = ENC + TAG;
/// A desk pass, sealed: one entry of a table of passes.
pub const PASS: usize = SEAL + 32;
/// class 1, slots 1, proof 32, zero 14.
pub const EXIT_HEADER: usize = 1 + 1 + 32 + 14;
/// version 1, kind 1, flags 2, conversation key 32, sequence 4, length 2, received 6.
pub const MESSAGE_HEADER: usize = 1 + 1 + 2 + 32 + 4 + 2 + 6;
/// part 2, parts 2: what a part of a document begins with.
pub const PART_HEADER: usize = 2 + 2;
/// One place in a reader drop: tag 16, salt 16, ciphertext 976, tag 16.
pub const READER_SLOT: usize = 16 + 16 + REPLY + TAG;
/// What one reader slot holds once opened: header 32, text 944.
pub const REPLY: usize = REPLY_HEADER + REPLY_TEXT;
/// version 1, kind 1, reply number 4, part 1, parts 1, length 2, whole 8, zero 14.
pub const REPLY_HEADER: usize = 1 + 1 + 4 + 1 + 1 + 2 + 8 + 14;
/// Text in one part of a reply.
pub const REPLY_TEXT: usize = 944;

/// How many mixes an envelope passes: 1 to 4. Every length follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cascade(u8);

impl Cascade {
    /// The fewest mixes.
    pub const MIN: u8 = 1;
    /// The most mixes whose layers leave room for a message.
    pub const MAX: u8 = 4;

    /// A cascade of `k` mixes, if 1 <= k <= 4.
    pub const fn new(k: u8) -> Option<Self> {
        if k >= Self::MIN && k <= Self::MAX { Some(Self(k)) } else { None }
    }

    /// k, the number of mixes.
    pub const fn mixes(self) -> u8 {
        self.0
    }

    /// The exit's hop; hops count from 0.
    pub const fn exit(self) -> u8 {
        self.0 - 1
    }

    /// Length of what hop `hop` receives. Hop 0 receives the envelope itself.
    pub const fn layer(self, hop: u8) -> usize {
        assert!(hop < self.0, "the cascade has no such hop");
        ENVELOPE - hop as usize * SEAL
    }

    /// Length of what the queue keeps: the layer sealed to the exit.
    pub const fn blob(self) -> usize {
        self.layer(self.exit())
    }

    /// X: what the exit sees, exit header and box.
    pub const fn inner(self) -> usize {
        self.blob() - SEAL
    }

    /// The end-to-end sealed part; also one slot of a desk drop.
    pub const fn boxed(self) -> usize {
        self.inner() - EXIT_HEADER
    }

    /// P: what a desk sees, message header and data.
    pub const fn message(self) -> usize {
        self.boxed() - SEAL
    }

    /// The data of one message.
    pub const fn data(self) -> usize {
        self.message() - MESSAGE_HEADER
    }

    /// The piece of a document in one message.
    pub const fn part(self) -> usize {
        self.data() - PART_HEADER
    }

    /// The most reader slots that one envelope of a desk carries.
    pub const fn slots(self) -> usize {
        self.boxed() / READER_SLOT
    }
}

const _: () = {
    assert!(SEAL == 1136 && EXIT_HEADER == 48 && MESSAGE_HEADER == 48);
    assert!(REPLY == 976 && READER_SLOT == 1024);
    let boxed = [7008, 5872, 4736, 3600];
    let data = [5824, 4688, 3552, 2416];
    let slots = [6, 5, 4, 3];
    let mut k = Cascade::MIN;
    while k <= Cascade::MAX {
        let c = Cascade(k);
        let i = k as usize - 1;
        assert!(c.layer(0) == ENVELOPE);
        assert!(c.boxed() == 8144 - 1136 * k as usize && c.boxed() == boxed[i]);
        assert!(c.data() == 6960 - 1136 * k as usize && c.data() == data[i]);
        assert!(c.slots() == slots[i]);
        k += 1;
    }
    let three = Cascade(3);
    assert!(
        three.layer(1) == 7056 && three.blob() == 5920 && three.inner() == 4784 && three.message() == 3600
    );
};
