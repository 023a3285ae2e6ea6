//! Makes every vector. Nothing here opens or verifies: outcomes are stated, and `run` finds out whether they are true.

mod analysis;
mod conversation;
mod device;
mod directory;
mod document;
mod edge;
mod edition;
mod envelope;
mod exchange;
mod followed;
mod handed;
mod inbox;
mod ingredients;
mod log;
mod manifests;
mod mix;
mod net;
mod pages;
mod rosters;
mod signature;

use core::convert::Infallible;
use std::collections::BTreeMap;

use proto::NetworkId;
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256};

/// Every file under `vectors/` that this crate makes: path and text.
pub(crate) fn files() -> BTreeMap<String, String> {
    let shared: Vec<(String, String)> = [
        net::shared(),
        exchange::shared(),
        directory::shared(),
        document::shared(),
        edition::shared(),
        inbox::shared(),
        mix::shared(),
    ]
    .into_iter()
    .flatten()
    .map(|(name, bytes)| (format!("shared/{name}.hex"), hex::encode(bytes)))
    .collect();
    let cases = [
        envelope::cases(),
        mix::cases(),
        conversation::cases(),
        signature::cases(),
        directory::cases(),
        rosters::cases(),
        document::cases(),
        edition::cases(),
        exchange::cases(),
        followed::cases(),
        handed::cases(),
        device::cases(),
        edge::cases(),
        inbox::cases(),
        log::cases(),
    ];
    // Long bytes that stand in many vectors stand in a file of their own, or all of it would weigh megabytes.
    let refer = |text: String| {
        let line = |line: &str| {
            let mut referring = line.to_owned();
            for (path, long) in &shared {
                referring = referring.replace(long.as_str(), &format!(" @{path} "));
            }
            let is_other = referring != line;
            let tidy = || referring.split_whitespace().collect::<Vec<_>>().join(" ");
            (if is_other { tidy() } else { line.to_owned() }) + "\n"
        };
        text.lines().map(line).collect()
    };
    let cases = cases.into_iter().flatten().map(|case| (case.path.clone(), refer(case.to_text())));
    cases.chain(shared.iter().map(|(path, long)| (path.clone(), format!("{long}\n")))).collect()
}

/// The network of all vectors that do not bring a root of their own.
pub(crate) const NETWORK: NetworkId = NetworkId([0x11; 32]);

/// Bytes as a vector states them, in which a piece stands many times one behind the other: `31000*5820...`.
pub(crate) fn folded(bytes: &[u8], piece: &[u8]) -> String {
    let at = bytes.windows(piece.len()).position(|there| there == piece).expect("it stands there");
    let times = bytes[at..].chunks(piece.len()).take_while(|there| *there == piece).count();
    let rest = &bytes[at + times * piece.len()..];
    format!("{} {times}*{} {}", hex::encode(&bytes[..at]), hex::encode(piece), hex::encode(rest))
}

/// A generator anybody can write again: SHA-256 over a label and a counter, byte after byte. For vectors only.
pub(crate) struct Draw {
    label: String,
    counter: u64,
    left: Vec<u8>,
}

impl Draw {
    /// Starts from a label.
    pub(crate) fn new(label: &str) -> Self {
        Self { label: label.into(), counter: 0, left: Vec::new() }
    }

    /// The next 32 bytes.
    pub(crate) fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        bytes
    }

    fn fill(&mut self, to: &mut [u8]) {
        for byte in to {
            if self.left.is_empty() {
                let block = Sha256::new().chain_update(&self.label).chain_update(self.counter.to_be_bytes());
                self.left = block.finalize().into_iter().rev().collect();
                self.counter += 1;
            }
            *byte = self.left.pop().expect("filled just now");
        }
    }
}

impl TryRng for Draw {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        self.fill(to);
        Ok(())
    }
}

impl TryCryptoRng for Draw {}
