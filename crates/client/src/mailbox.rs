//! The mailbox: a file of 4 MiB on every install, the same for those who write and those who never do. Spec: mailbox.md.
//!
//! ```text
//! file   4,194,304 = sealed under a fresh device key (plain 4,194,288 | tag 16)
//! plain            = salt 32 | queue 48 x blob | weeks 48 x 4 | hints 48 x 20 | trail 120 x 20 | region, which fills the rest
//! region           = nonce 24 | text, zero padded | tag 16
//! text             = length 4 | content | zero
//! ```
//! There is no magic and no version, and nothing says whether the region was ever used. Queue, weeks, hints and trail need no
//! passphrase: what sends in the background has no branch on real or cover.

mod file;
mod marks;

use proto::Round;
use proto::envelope::{Blob, Wire};
use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::seal::{self, StoreKey};
use marks::{MARKS, Marks};

pub use file::MailboxError;
pub(crate) use file::MailboxFile;
pub(crate) use marks::{Hint, HintKey, TRAIL, random};

/// Length of the file.
pub(crate) const FILE: usize = 4 * 1024 * 1024;
/// Blobs in the queue: two days at one an hour.
pub const QUEUE: usize = 48;
/// Length of what the file's seal covers.
const PLAIN: usize = FILE - seal::TAG;
/// Length of the queue's weeks.
const WEEKS: usize = QUEUE * 4;
/// Length of the salt.
const SALT: usize = 32;
/// Where the content's length stands in the region's text.
const LENGTH: usize = 4;

/// Every place of the queue holds a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// The content is longer than the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RegionFull;

/// What waits in a place of the queue.
pub(crate) struct Waiting {
    pub(crate) blob: Blob,
    /// The first round of the week whose key of the exit it is sealed to.
    pub(crate) week: Round,
}

/// Where the mailbox is kept between two starts.
pub(crate) enum Kept {
    /// In a folder.
    File(MailboxFile),
    /// Nowhere, for readers that are simulated and end with their process: the same but for the writing.
    Memory,
}

/// A mailbox in memory, as it is in the file.
pub(crate) struct Mailbox {
    wire: Wire,
    salt: [u8; SALT],
    queue: Vec<Vec<u8>>,
    weeks: Vec<Round>,
    marks: Marks,
    region: Vec<u8>,
    kept: Kept,
    filled: bool,
    changes: u64,
    written: u64,
}

impl Mailbox {
    /// Opens the mailbox of the folder, or makes the first one.
    pub(crate) fn open(
        mut file: MailboxFile,
        wire: Wire,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, MailboxError> {
        if let Some(plain) = file.read()? {
            let filled = file.is_filled();
            return Ok(Self { filled, ..Self::from_plain(&plain, wire, Kept::File(file)) });
        }
        let mut new = Self::new(wire, Kept::File(file), rng);
        new.rewrite(rng)?;
        Ok(new)
    }

    /// A mailbox that is not kept.
    pub(crate) fn in_memory(wire: Wire, rng: &mut impl CryptoRng) -> Self {
        Self::new(wire, Kept::Memory, rng)
    }

    // At first start salt, hints, trail and region are random, and the queue too until it is filled with cover.
    fn new(wire: Wire, kept: Kept, rng: &mut impl CryptoRng) -> Self {
        let mut plain = Zeroizing::new(vec![0; PLAIN]);
        rng.fill_bytes(&mut plain);
        Self::from_plain(&plain, wire, kept)
    }

    fn from_plain(plain: &[u8], wire: Wire, kept: Kept) -> Self {
        let (salt, rest) = plain.split_at(SALT);
        let (queue, rest) = rest.split_at(QUEUE * wire.cascade.blob());
        let (weeks, rest) = rest.split_at(WEEKS);
        let (marks, region) = rest.split_at(MARKS);
        Self {
            wire,
            salt: salt.try_into().expect("32 bytes"),
            queue: queue.chunks_exact(wire.cascade.blob()).map(<[u8]>::to_vec).collect(),
            weeks: weeks.as_chunks().0.iter().map(|week| Round(u32::from_be_bytes(*week))).collect(),
            marks: Marks::from_bytes(marks),
            region: region.to_vec(),
            kept,
            filled: false,
            changes: 0,
            written: 0,
        }
    }

    fn to_plain(&self) -> Vec<u8> {
        let mut plain = Vec::with_capacity(FILE);
        plain.extend_from_slice(&self.salt);
        self.queue.iter().for_each(|blob| plain.extend_from_slice(blob));
        self.weeks.iter().for_each(|week| plain.extend_from_slice(&week.0.to_be_bytes()));
        self.marks.iter().for_each(|hint| plain.extend_from_slice(hint));
        plain.extend_from_slice(&self.region);
        debug_assert_eq!(plain.len(), PLAIN);
        plain
    }

    /// Writes the whole mailbox anew, under a fresh key, changed or not. Returns once it is on the disk.
    pub(crate) fn rewrite(&mut self, rng: &mut impl CryptoRng) -> Result<(), MailboxError> {
        let plain = matches!(self.kept, Kept::File(_)).then(|| self.to_plain());
        if let (Kept::File(file), Some(plain)) = (&mut self.kept, plain) {
            file.write(plain, rng, |_| Ok(()))?;
        }
        self.written = self.changes;
        Ok(())
    }

    /// How many changes [`Self::place`] and the region have seen.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// Up to which change the mailbox is on the disk.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Whether the queue holds blobs. Before that nothing is sent and nothing can be written.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled
    }

    /// Fills the queue with what `cover` makes for each place and the hints with chance, and rewrites. Cut short, it comes again at the
    /// next opening, which loses nothing: nothing could be written before.
    pub(crate) fn fill<R: CryptoRng>(
        &mut self,
        mut cover: impl FnMut(usize, &mut R) -> Waiting,
        rng: &mut R,
    ) -> Result<(), MailboxError> {
        for place in 0..QUEUE {
            let cover = cover(place, rng);
            self.put(place, &cover.blob, cover.week, marks::random(rng));
        }
        self.rewrite(rng)?;
        if let Kept::File(file) = &mut self.kept {
            file.set_filled(true)?;
        }
        self.filled = true;
        Ok(())
    }

    /// Takes out the first blob in round `r`, durably: `cover` takes the last place, everything moves up, the trail has one
    /// more, and the mailbox is rewritten. Only then is the blob handed out, and the first byte may go. If the rewriting
    /// fails, all is as it was.
    pub(crate) fn take(
        &mut self,
        r: Round,
        cover: &Waiting,
        rng: &mut impl CryptoRng,
    ) -> Result<Blob, MailboxError> {
        // MBX-07: one goes, one comes. MBX-12: whatever goes leaves its round under its veil.
        let (marks, weeks) = (self.marks.clone(), self.weeks.clone());
        self.marks.take(r, rng);
        let first = self.queue.remove(0);
        self.queue.push(cover.blob.as_bytes().to_vec());
        self.weeks.remove(0);
        self.weeks.push(cover.week);
        if let Err(e) = self.rewrite(rng) {
            self.queue.pop();
            self.queue.insert(0, first);
            (self.marks, self.weeks) = (marks, weeks);
            return Err(e);
        }
        Ok(Blob::from_bytes(&self.wire, first).expect("every place holds a blob"))
    }

    /// Puts cover in these places, whatever was there. `cover` is given a place and the week of what lies there.
    pub(crate) fn renew<R: CryptoRng>(
        &mut self,
        places: &[usize],
        mut cover: impl FnMut(usize, Round, &mut R) -> Waiting,
        rng: &mut R,
    ) {
        for &place in places {
            let cover = cover(place, self.week(place), rng);
            self.put(place, &cover.blob, cover.week, marks::random(rng));
            self.changes += 1;
        }
    }

    fn put(&mut self, place: usize, blob: &Blob, week: Round, mark: Hint) {
        self.queue[place] = blob.as_bytes().to_vec();
        self.weeks[place] = week;
        self.marks.set(place, mark);
    }

    /// The first round of the week whose key of the exit what lies in a place is sealed to.
    pub(crate) fn week(&self, place: usize) -> Round {
        self.weeks[place]
    }

    /// Puts a message in the first place that holds cover, and returns that place, counted from 0, and its hint.
    pub(crate) fn place(&mut self, key: &HintKey, message: &Waiting) -> Result<(usize, Hint), QueueFull> {
        self.place_before(key, message, &[])
    }

    /// Puts a message in front of these others, if any of them waits before the first cover: they move back by one, and if
    /// there is no cover under the same key, the last of them falls out, which is the one that [`Self::falls`] named.
    pub(crate) fn place_before(
        &mut self,
        key: &HintKey,
        message: &Waiting,
        others: &[Hint],
    ) -> Result<(usize, Hint), QueueFull> {
        // MBX-08: the first cover, and the place of no message but these. DOC-06
        let places = self.places_before(key, others);
        let first = *places.first().ok_or(QueueFull)?;
        for pair in places.windows(2).rev() {
            self.queue.swap(pair[0], pair[1]);
            let (one, other) = (*self.marks.place(pair[0]), *self.marks.place(pair[1]));
            self.marks.set(pair[0], other);
            self.marks.set(pair[1], one);
        }
        let hint = key.hint(&message.blob);
        self.put(first, &message.blob, message.week, hint);
        self.changes += 1;
        Ok((first, hint))
    }

    /// Which of these others falls out when a message is put in front of them: none, if there is cover under the same key.
    pub(crate) fn falls(&self, key: &HintKey, others: &[Hint]) -> Result<Option<Hint>, QueueFull> {
        let last = *self.places_before(key, others).last().ok_or(QueueFull)?;
        Ok(self.is_message(key, last).then(|| *self.marks.place(last)))
    }

    /// The places of these others before the first cover, in order, and that of the first cover; of all these, those that are
    /// sealed to the same key as the first.
    fn places_before(&self, key: &HintKey, others: &[Hint]) -> Vec<usize> {
        let cover = (0..QUEUE).find(|&p| !self.is_message(key, p));
        let mut places: Vec<_> = others.iter().filter_map(|hint| self.marks.find(hint)).collect();
        places.retain(|&place| cover.is_none_or(|cover| place < cover));
        places.sort_unstable();
        places.extend(cover);
        // MBX-15: every place keeps the key that what lies there is sealed to.
        if let Some(first) = places.first().map(|place| self.week(*place)) {
            places.retain(|place| self.week(*place) == first);
        }
        places
    }

    /// The place that [`Self::place_before`] would put a message in.
    pub(crate) fn next_place(&self, key: &HintKey, others: &[Hint]) -> Result<usize, QueueFull> {
        self.places_before(key, others).first().copied().ok_or(QueueFull)
    }

    /// Puts a blob that was sealed anew in the place that bears the mark `was`, under another mark. `false`: what was there has
    /// left.
    pub(crate) fn replace(&mut self, was: &Hint, anew: &Waiting, mark: Hint) -> bool {
        let Some(place) = self.marks.find(was) else { return false };
        self.put(place, &anew.blob, anew.week, mark);
        self.changes += 1;
        true
    }

    /// The mark of a place.
    pub(crate) fn mark(&self, place: usize) -> &Hint {
        self.marks.place(place)
    }

    /// The places that hold cover, in order.
    pub(crate) fn covers(&self, key: &HintKey) -> Vec<usize> {
        (0..QUEUE).filter(|&p| !self.is_message(key, p)).collect()
    }

    /// The place of a message that still waits.
    pub(crate) fn find(&self, hint: &Hint) -> Option<usize> {
        self.marks.find(hint)
    }

    /// The round in which a message left, if it is among the last 120 blobs that did.
    pub(crate) fn left(&self, hint: &Hint) -> Option<Round> {
        self.marks.left(hint)
    }

    /// Takes messages back that wait: `cover` takes their places. To who has no passphrase nothing has changed.
    pub(crate) fn take_back<R: CryptoRng>(
        &mut self,
        hints: &[Hint],
        cover: impl FnMut(usize, Round, &mut R) -> Waiting,
        rng: &mut R,
    ) {
        let places: Vec<_> = hints.iter().filter_map(|hint| self.marks.find(hint)).collect();
        self.renew(&places, cover, rng);
    }

    /// Whether a place holds a message.
    pub(crate) fn is_message(&self, key: &HintKey, place: usize) -> bool {
        key.over(&self.queue[place]).ct_eq(self.marks.place(place)).into()
    }

    /// What a passphrase is mixed with.
    pub(crate) fn salt(&self) -> [u8; SALT] {
        self.salt
    }

    /// The region's content, if `key` is the one it is sealed under. A region never used does not open under any.
    pub(crate) fn open_region(&self, key: &StoreKey) -> Option<Zeroizing<Vec<u8>>> {
        let mut region = Zeroizing::new(self.region.clone());
        // MBX-06: it opens, and the length lies within it.
        let text = key.open(&mut region).ok()?;
        let length = u32::from_be_bytes(text[..LENGTH].try_into().expect("four bytes")) as usize;
        Some(Zeroizing::new(text[LENGTH..].get(..length)?.to_vec()))
    }

    /// How many bytes of content the region holds.
    pub(crate) fn room(&self) -> usize {
        self.region.len() - seal::OVERHEAD - LENGTH
    }

    /// Seals the region anew. Takes the same time whatever the content.
    pub(crate) fn seal_region(
        &mut self,
        key: &StoreKey,
        content: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(), RegionFull> {
        if content.len() > self.room() {
            return Err(RegionFull);
        }
        // The text lies between nonce and tag; it is built in its place and sealed there, so no copy of it stays.
        let text = self.region.len() - seal::OVERHEAD;
        let start = self.region.len() - seal::TAG - text;
        let region = &mut self.region[start..start + text];
        region.fill(0);
        region[..LENGTH].copy_from_slice(&(content.len() as u32).to_be_bytes());
        region[LENGTH..LENGTH + content.len()].copy_from_slice(content);
        key.seal(&mut self.region, rng);
        self.changes += 1;
        Ok(())
    }

    /// Starts over under another passphrase: what the region held is gone. The queue goes on as it is; messages in it
    /// are cover to whoever comes after.
    pub(crate) fn begin(
        &mut self,
        salt: [u8; SALT],
        key: &StoreKey,
        content: &[u8],
        rng: &mut impl CryptoRng,
    ) -> Result<(), RegionFull> {
        self.seal_region(key, content, rng)?;
        self.salt = salt;
        Ok(())
    }

    /// As on the first day: a new salt, and a region that opens under no key. The queue goes on as it is.
    pub(crate) fn erase(&mut self, rng: &mut impl CryptoRng) {
        rng.fill_bytes(&mut self.salt);
        rng.fill_bytes(&mut self.region);
        self.changes += 1;
    }
}

/// Of the first week.
#[cfg(test)]
impl From<Blob> for Waiting {
    fn from(blob: Blob) -> Self {
        Self { blob, week: Round(0) }
    }
}

#[cfg(test)]
mod thief;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proto::NetworkId;
    use proto::size::Cascade;
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    fn wire() -> Wire {
        Wire { network: NetworkId([1; 32]), cascade: Cascade::new(3).unwrap() }
    }

    /// Blobs that are only told apart: what they hold is proto's matter.
    fn blob(n: u64) -> Blob {
        let mut bytes = vec![0; wire().cascade.blob()];
        StdRng::seed_from_u64(n).fill_bytes(&mut bytes);
        Blob::from_bytes(&wire(), bytes).unwrap()
    }

    fn filled(rng: &mut StdRng) -> Mailbox {
        let mut mailbox = Mailbox::in_memory(wire(), rng);
        let mut n = 1_000;
        let cover = |_, _: &mut StdRng| {
            n += 1;
            blob(n).into()
        };
        mailbox.fill(cover, rng).unwrap();
        mailbox
    }

    #[test]
    fn every_cascade_leaves_the_file_its_one_length() {
        for k in 1..=4 {
            let wire = Wire { network: NetworkId([1; 32]), cascade: Cascade::new(k).unwrap() };
            let mailbox = Mailbox::in_memory(wire, &mut StdRng::seed_from_u64(1));
            assert_eq!(mailbox.to_plain().len(), 4_194_304 - 16, "k = {k}");
        }
    }

    // MBX-07, MBX-08
    #[test]
    fn messages_go_to_the_first_places_of_cover_and_leave_in_order() {
        let mut rng = StdRng::seed_from_u64(2);
        let mut mailbox = filled(&mut rng);
        let key = HintKey::generate(&mut rng);
        for n in 0..3 {
            let (place, hint) = mailbox.place(&key, &blob(n).into()).unwrap();
            assert_eq!(place, n as usize);
            assert_eq!(mailbox.find(&hint), Some(place));
        }
        assert_eq!(
            mailbox.take(Round(1), &blob(50).into(), &mut rng).unwrap().as_bytes(),
            blob(0).as_bytes()
        );
        assert_eq!(mailbox.place(&key, &blob(3).into()).unwrap().0, 2, "behind the two that wait");
        for n in 1..4 {
            assert_eq!(
                mailbox.take(Round(1), &blob(50 + n).into(), &mut rng).unwrap().as_bytes(),
                blob(n).as_bytes()
            );
        }
        assert_eq!(
            mailbox.take(Round(1), &blob(60).into(), &mut rng).unwrap().as_bytes(),
            blob(1_005).as_bytes(),
            "then cover"
        );
    }

    #[test]
    fn a_queue_full_of_messages_takes_no_more_until_one_has_left() {
        let mut rng = StdRng::seed_from_u64(3);
        let mut mailbox = filled(&mut rng);
        let key = HintKey::generate(&mut rng);
        for n in 0..QUEUE as u64 {
            mailbox.place(&key, &blob(n).into()).unwrap();
        }
        assert_eq!(mailbox.place(&key, &blob(99).into()), Err(QueueFull));
        mailbox.take(Round(1), &blob(100).into(), &mut rng).unwrap();
        assert_eq!(mailbox.place(&key, &blob(99).into()).unwrap().0, QUEUE - 1);
        let other = HintKey::generate(&mut rng);
        assert_eq!(
            mailbox.place(&other, &blob(98).into()).unwrap().0,
            0,
            "to another passphrase all is cover"
        );
    }

    /// MBX-15: a part that moved over the end of a week would leave under the key of the week before.
    #[test]
    fn a_part_that_would_move_into_another_week_falls_out() {
        let mut rng = StdRng::seed_from_u64(10);
        let mut mailbox = filled(&mut rng);
        let key = HintKey::generate(&mut rng);
        // The week ends behind the second place.
        mailbox.weeks[2..].fill(Round(168));
        let sealed = |n: u64| Waiting { blob: blob(n), week: Round(if n < 3 { 0 } else { 168 }) };
        let parts: Vec<_> = (1..5).map(|n| mailbox.place(&key, &sealed(n)).unwrap().1).collect();
        assert_eq!(mailbox.falls(&key, &parts), Ok(Some(parts[1])));
        mailbox.place_before(&key, &blob(9).into(), &parts).unwrap();
        let waiting = mailbox.queue[..5].to_vec();
        let wanted = [9, 1, 3, 4].map(|n| blob(n).as_bytes().to_vec());
        assert_eq!((&waiting[..4], mailbox.find(&parts[1])), (&wanted[..], None));
    }

    #[test]
    fn doc_06_a_message_goes_before_parts_and_the_last_part_falls_out_of_a_full_queue() {
        let mut rng = StdRng::seed_from_u64(9);
        let mut mailbox = filled(&mut rng);
        let key = HintKey::generate(&mut rng);
        let first = |mailbox: &Mailbox, n: usize| mailbox.queue[..n].iter().map(|b| b[0]).collect::<Vec<_>>();
        let bytes = |all: &[u64]| all.iter().map(|&n| blob(n).as_bytes()[0]).collect::<Vec<_>>();
        mailbox.place(&key, &blob(0).into()).unwrap();
        let parts: Vec<_> = (1..4).map(|n| mailbox.place(&key, &blob(n).into()).unwrap().1).collect();
        mailbox.place(&key, &blob(4).into()).unwrap();
        assert_eq!(mailbox.falls(&key, &parts), Ok(None));
        let (place, hint) = mailbox.place_before(&key, &blob(5).into(), &parts).unwrap();
        assert_eq!((place, mailbox.find(&hint)), (1, Some(1)));
        // The message behind the parts keeps its place.
        assert_eq!(first(&mailbox, 6), bytes(&[0, 5, 1, 2, 4, 3]));
        assert_eq!(parts.iter().map(|hint| mailbox.find(hint)).collect::<Vec<_>>(), [2, 3, 5].map(Some));
        for n in 10..10 + 42 {
            mailbox.place(&key, &blob(n).into()).unwrap();
        }
        assert_eq!(mailbox.falls(&key, &[]), Err(QueueFull));
        assert_eq!(mailbox.falls(&key, &parts), Ok(Some(parts[2])));
        mailbox.place_before(&key, &blob(6).into(), &parts).unwrap();
        assert_eq!(first(&mailbox, 6), bytes(&[0, 5, 6, 1, 4, 2]));
        assert_eq!((mailbox.find(&parts[2]), mailbox.covers(&key)), (None, vec![]));
    }

    // EXC-03
    #[test]
    fn a_blob_that_cannot_leave_durably_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut rng = StdRng::seed_from_u64(8);
        let file = MailboxFile::lock(folder.path()).unwrap();
        let mut mailbox = Mailbox::open(file, wire(), &mut rng).unwrap();
        assert!(!mailbox.is_filled());
        mailbox.fill(|_, _| blob(1).into(), &mut rng).unwrap();
        mailbox.place(&HintKey::from_bytes([1; 32]), &blob(2).into()).unwrap();
        // A folder where the new file should be: writing it fails.
        std::fs::create_dir(folder.path().join("mailbox.next")).unwrap();
        assert!(mailbox.take(Round(1), &blob(3).into(), &mut rng).is_err());
        std::fs::remove_dir(folder.path().join("mailbox.next")).unwrap();
        assert_eq!(mailbox.take(Round(1), &blob(3).into(), &mut rng).unwrap().as_bytes(), blob(2).as_bytes());
        drop(mailbox);
        let file = MailboxFile::lock(folder.path()).unwrap();
        let mut mailbox = Mailbox::open(file, wire(), &mut rng).unwrap();
        assert!(mailbox.is_filled());
        assert_eq!(mailbox.take(Round(1), &blob(4).into(), &mut rng).unwrap().as_bytes(), blob(1).as_bytes());
    }

    // MBX-03, MBX-06
    #[test]
    fn a_region_opens_under_its_key_only_and_one_never_used_under_none() {
        let mut rng = StdRng::seed_from_u64(4);
        let mut mailbox = filled(&mut rng);
        let [ours, theirs] = [1, 2].map(|n| StoreKey::from_bytes([n; 32]));
        assert!(mailbox.open_region(&ours).is_none());
        let length = mailbox.region.len();
        mailbox.begin([9; 32], &ours, b"hello", &mut rng).unwrap();
        assert_eq!(*mailbox.open_region(&ours).unwrap(), b"hello");
        assert!(mailbox.open_region(&theirs).is_none());
        assert_eq!((mailbox.region.len(), mailbox.salt()), (length, [9; 32]));
        let before = mailbox.region.clone();
        mailbox.seal_region(&ours, b"hello", &mut rng).unwrap();
        let same = before.iter().zip(&mailbox.region).filter(|(a, b)| a == b).count();
        assert!(same < length / 200, "{same} bytes of {length} stayed");
        mailbox.begin([8; 32], &theirs, b"", &mut rng).unwrap();
        assert!(mailbox.open_region(&ours).is_none());
    }

    #[test]
    fn the_region_holds_what_fits_and_not_a_byte_more() {
        let mut rng = StdRng::seed_from_u64(5);
        let mut mailbox = filled(&mut rng);
        let key = StoreKey::from_bytes([1; 32]);
        let room = mailbox.region.len() - 44;
        assert_eq!(room, 3_906_500);
        assert_eq!(mailbox.seal_region(&key, &vec![7; room + 1], &mut rng), Err(RegionFull));
        mailbox.seal_region(&key, &vec![7; room], &mut rng).unwrap();
        assert_eq!(mailbox.open_region(&key).unwrap().len(), room);
    }

    #[test]
    fn the_queue_looks_the_same_to_who_has_no_passphrase() {
        // Hints of messages and of cover are both 20 bytes without a pattern: as many ones as zeros.
        let mut rng = StdRng::seed_from_u64(6);
        let mut mailbox = filled(&mut rng);
        let key = HintKey::generate(&mut rng);
        for n in 0..24 {
            mailbox.place(&key, &blob(n).into()).unwrap();
        }
        let ones = |from: usize| -> u32 {
            (from..from + 24).flat_map(|place| mailbox.marks.place(place)).map(|b| b.count_ones()).sum()
        };
        // 3,840 bits each: 1,920 expected, standard deviation 31.
        for from in [0, 24] {
            assert!((1_765..2_075).contains(&ones(from)), "{}", ones(from));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is placed and taken: the queue has its 48, messages leave in the order they came, each once.
        #[test]
        fn messages_leave_once_and_in_order(acts in proptest::collection::vec(any::<bool>(), 1..200)) {
            let mut rng = StdRng::seed_from_u64(7);
            let mut mailbox = filled(&mut rng);
            let key = HintKey::generate(&mut rng);
            let (mut placed, mut left) = (0, vec![]);
            for (n, place) in (10_000..).zip(acts) {
                if place {
                    if mailbox.place(&key, &blob(placed).into()).is_ok() {
                        placed += 1;
                    }
                } else {
                    let sent = mailbox.take(Round(1), &blob(n).into(), &mut rng).unwrap();
                    left.extend((0..placed).find(|&m| blob(m).as_bytes() == sent.as_bytes()));
                }
                prop_assert_eq!(mailbox.queue.len(), QUEUE);
                prop_assert_eq!(mailbox.marks.iter().count(), QUEUE + TRAIL);
            }
            prop_assert!(left.iter().copied().eq(0..left.len() as u64), "{left:?}");
        }
    }
}
