//! Tiles: the tree's hashes in files that never change, for whoever audits the log. Spec: log.md §6; C2SP tlog-tiles.

use super::tree::{Frontier, node_hash};
use crate::id::Digest;

/// Hashes in a whole tile.
const WIDTH: usize = 256;
/// Levels that a tree of any size that there can be has. C2SP allows 64.
const LEVELS: u8 = 8;

/// Names a tile: `width` hashes of subtrees of `256^level` leaves, from the `256 index`-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 holds the hashes of leaves.
    pub level: u8,
    /// Counted from 0 within its level.
    pub index: u64,
    /// 1 to 256.
    pub width: u16,
}

impl Tile {
    /// Reads what stands behind `tile/` in its path: `0/x001/234` or, for one of 17 hashes, `0/x001/234.p/17`.
    pub fn parse(path: &str) -> Option<Self> {
        let (level, rest) = path.split_once('/')?;
        let (index, width) = match rest.split_once(".p/") {
            None => (rest, WIDTH as u64),
            Some((index, width)) => (index, decimal(width)?),
        };
        let whole = !rest.contains(".p/");
        if !whole && !(1..WIDTH as u64).contains(&width) {
            return None;
        }
        let mut parts = index.split('/').peekable();
        let mut number = 0u64;
        while let Some(part) = parts.next() {
            let digits = if parts.peek().is_some() { part.strip_prefix('x')? } else { part };
            if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            number = number.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let level = u8::try_from(decimal(level)?).ok().filter(|l| *l < LEVELS)?;
        let it = Self { level, index: number, width: width as u16 };
        // One path for each tile.
        (it.path() == path).then_some(it)
    }

    /// What stands behind `tile/` in its path.
    pub fn path(&self) -> String {
        let mut index = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            index = format!("x{:03}/{index}", rest % 1000);
            rest /= 1000;
        }
        let partial =
            if usize::from(self.width) == WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("{}/{index}{partial}", self.level)
    }
}

fn decimal(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && !text.starts_with('+'));
    if plain { text.parse().ok() } else { None }
}

/// All hashes of a tree that stand in tiles: 32 bytes for each leaf, and one two-hundred-and-fifty-fifth more.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    levels: Vec<Vec<Digest>>,
}

impl Hashes {
    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Adds a leaf's hash.
    pub fn push(&mut self, leaf: Digest) {
        let mut hash = leaf;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let here = &mut self.levels[level];
            here.push(hash);
            if !here.len().is_multiple_of(WIDTH) {
                return;
            }
            hash = subtree(&here[here.len() - WIDTH..]);
        }
    }

    /// The bytes of a tile: its hashes, one after the other. `None`: the tree has no such tile.
    pub fn tile(&self, tile: &Tile) -> Option<Vec<u8>> {
        let from = usize::try_from(tile.index).ok()?.checked_mul(WIDTH)?;
        let hashes = self.levels.get(usize::from(tile.level))?.get(from..from + usize::from(tile.width))?;
        Some(hashes.iter().flat_map(|hash| hash.0).collect())
    }

    /// The frontier of the tree when it had `size` leaves. `None`: it has not that many.
    pub fn frontier(&self, size: u64) -> Option<Frontier> {
        if size > self.size() {
            return None;
        }
        let mut hashes = Vec::new();
        let mut from = 0u64;
        for bit in (0..u64::BITS).rev().filter(|bit| size >> bit & 1 == 1) {
            // A subtree of 2^bit leaves is one of 2^(bit mod 8) hashes of the level at which that is less than a tile.
            let level = bit / 8;
            let at = (from >> (8 * level)) as usize;
            hashes.push(subtree(&self.levels[level as usize][at..at + (1 << (bit % 8))]));
            from += 1 << bit;
        }
        Some(Frontier::new(size, hashes))
    }
}

/// The hash over a whole subtree, given that many hashes of a level; their number is a power of two.
fn subtree(hashes: &[Digest]) -> Digest {
    match hashes {
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&subtree(left), &subtree(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::leaf_hash;

    #[test]
    fn a_frontier_of_any_earlier_size_is_found_again() {
        let (mut hashes, mut frontier) = (Hashes::default(), Frontier::empty());
        let mut all = vec![frontier.clone()];
        for n in 0u32..70_000 {
            let hash = leaf_hash(&n.to_be_bytes());
            hashes.push(hash);
            frontier.push_hash(hash);
            all.push(frontier.clone());
        }
        for size in (0..600).chain(65_000..66_200).chain([69_999, 70_000]) {
            assert_eq!(hashes.frontier(size as u64).as_ref(), Some(&all[size]), "size {size}");
        }
        assert_eq!(hashes.frontier(70_001), None);
        // The example of C2SP tlog-tiles: a tree of 70,000 leaves.
        let there = |path: &str| hashes.tile(&Tile::parse(path).expect(path)).map(|bytes| bytes.len() / 32);
        assert_eq!(there("0/272"), Some(256));
        assert_eq!(there("0/273.p/112"), Some(112));
        assert_eq!(there("0/273.p/113"), None);
        assert_eq!(there("1/000"), Some(256));
        assert_eq!(there("1/001.p/17"), Some(17));
        assert_eq!(there("2/000.p/1"), Some(1));
        assert_eq!(there("3/000.p/1"), None);
    }

    #[test]
    fn a_tile_has_one_path() {
        for (path, tile) in [
            ("0/000", Tile { level: 0, index: 0, width: 256 }),
            ("1/x001/x234/067", Tile { level: 1, index: 1_234_067, width: 256 }),
            ("0/x001/000.p/7", Tile { level: 0, index: 1000, width: 7 }),
        ] {
            assert_eq!(Tile::parse(path), Some(tile));
            assert_eq!(tile.path(), path);
        }
        for bad in [
            "",
            "0",
            "0/",
            "0/00",
            "0/0000",
            "0/x000/001",
            "00/001",
            "+0/001",
            "0/001.p/0",
            "0/001.p/256",
            "0/001.p/07",
            "0/001.p/",
            "0/x001",
            "8/000",
            "0/001/x002",
            "0/-01",
            "0/001.p/1.p/1",
            "0/x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(Tile::parse(bad), None, "{bad}");
        }
    }
}
