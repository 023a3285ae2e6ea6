//! Who sends: as much of it as is counted. An address becomes a keyed hash where it is first seen, and goes no further.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{HeaderMap, HeaderName};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The header in which a relay shows its secret, 64 hexadecimal digits.
pub const RELAY: &str = "firsthand-relay";

/// How a relay is told from strangers.
#[derive(Clone, Debug)]
pub enum KnownBy {
    /// It sends from these addresses.
    Range(Range),
    /// It shows, in the header [`RELAY`], the secret of this seed file.
    Secret(PathBuf),
}

/// A range of addresses, as `203.0.113.0/24` or `2001:db8::/32`; one address alone is a range of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    first: IpAddr,
    bits: u8,
}

/// It is no range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range of addresses is written like 203.0.113.0/24 or 2001:db8::/32")]
pub struct NoRange;

impl FromStr for Range {
    type Err = NoRange;

    fn from_str(text: &str) -> Result<Self, NoRange> {
        let (first, bits) = text.split_once('/').map_or((text, None), |(first, bits)| (first, Some(bits)));
        let first: IpAddr = first.parse().map_err(|_| NoRange)?;
        let most = if first.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), str::parse).map_err(|_| NoRange)?;
        if bits > most {
            return Err(NoRange);
        }
        Ok(Self { first, bits })
    }
}

impl Range {
    fn holds(&self, address: IpAddr) -> bool {
        // The first bits agree; shifting by all of them leaves nothing to differ.
        match (self.first, address) {
            (IpAddr::V4(first), IpAddr::V4(address)) => {
                let differs = first.to_bits() ^ address.to_bits();
                differs.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(first), IpAddr::V6(address)) => {
                let differs = first.to_bits() ^ address.to_bits();
                differs.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }
}

/// An address under a key that this process alone has; of an IPv6 address its first 64 bits. It can be counted, and not
/// turned back into an address without the key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Source([u8; 16]);

/// Whose counts an envelope goes to: at least one of the two.
#[derive(Clone, Copy)]
pub(super) struct Sender {
    /// The relay's place in the configuration.
    pub(super) relay: Option<usize>,
    pub(super) address: Option<Source>,
}

/// The other end of a connection.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) source: Source,
    /// The relay that it is, if its address says so.
    pub(super) relay: Option<usize>,
}

/// What a request knows of its connection.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) peer: Peer,
    /// Whether it may stay for as long as it likes.
    stays: Arc<AtomicBool>,
}

impl Caller {
    pub(super) fn new(peer: Peer) -> Self {
        Self { peer, stays: Arc::new(AtomicBool::new(peer.relay.is_some())) }
    }

    /// A relay, or one who signed, is at its other end.
    pub(super) fn let_stay(&self) {
        self.stays.store(true, Ordering::Relaxed);
    }

    pub(super) fn may_stay(&self) -> bool {
        self.stays.load(Ordering::Relaxed)
    }
}

/// A relay with its secret read.
pub(super) struct KnownRelay {
    pub(super) known_by: Known,
    pub(super) tells_address_in: Option<HeaderName>,
}

pub(super) enum Known {
    Range(Range),
    Secret(Zeroizing<[u8; 32]>),
}

/// Tells who sends.
pub(super) struct Senders {
    key: Zeroizing<[u8; 32]>,
    relays: Vec<KnownRelay>,
}

impl Senders {
    /// `key` is drawn when the process starts, and lies nowhere else.
    pub(super) fn new(key: &[u8; 32], relays: Vec<KnownRelay>) -> Self {
        Self { key: Zeroizing::new(*key), relays }
    }

    /// The other end of a connection from this address.
    pub(super) fn peer(&self, address: IpAddr) -> Peer {
        let address = address.to_canonical();
        let is_it = |relay: &KnownRelay| match &relay.known_by {
            Known::Range(range) => range.holds(address),
            Known::Secret(_) => false,
        };
        Peer { source: self.source(address), relay: self.relays.iter().position(is_it) }
    }

    /// Who sends what comes over this peer's connection with these headers.
    pub(super) fn sender(&self, peer: &Peer, headers: &HeaderMap) -> Sender {
        // EDG-11: nobody but a relay is believed what it says of itself or of others.
        let Some(relay) = peer.relay.or_else(|| self.by_secret(headers)) else {
            return Sender { relay: None, address: Some(peer.source) };
        };
        let told = self.relays[relay].tells_address_in.as_ref().and_then(|name| last_address(headers, name));
        Sender { relay: Some(relay), address: told.map(|address| self.source(address)) }
    }

    fn by_secret(&self, headers: &HeaderMap) -> Option<usize> {
        let mut shown = Zeroizing::new([0; 32]);
        hex::decode_to_slice(headers.get(RELAY)?.as_bytes(), shown.as_mut_slice()).ok()?;
        self.relays.iter().position(|relay| match &relay.known_by {
            Known::Secret(secret) => secret.as_slice().ct_eq(shown.as_slice()).into(),
            Known::Range(_) => false,
        })
    }

    // source = first 16 bytes of HMAC(key, 4 | address 4), or of HMAC(key, 6 | the first 8 bytes of the address)
    fn source(&self, address: IpAddr) -> Source {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes any key");
        match address.to_canonical() {
            IpAddr::V4(address) => {
                mac.update(&[4]);
                mac.update(&address.octets());
            }
            // EDG-10: who has one IPv6 address has the 2^64 beside it.
            IpAddr::V6(address) => {
                mac.update(&[6]);
                mac.update(&first_half(address));
            }
        }
        Source(mac.finalize().into_bytes()[..16].try_into().expect("16 bytes"))
    }
}

fn first_half(address: Ipv6Addr) -> [u8; 8] {
    address.octets()[..8].try_into().expect("8 bytes")
}

/// The last address in the last header of this name: the one that the relay itself put there. With or without a port.
fn last_address(headers: &HeaderMap, name: &HeaderName) -> Option<IpAddr> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    let last = value.rsplit(',').next()?.trim();
    let port = || last.parse::<SocketAddr>().ok().map(|with_port| with_port.ip());
    last.parse().ok().or_else(port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_and_holds_its_own() {
        let range = |text: &str| text.parse::<Range>();
        let holds = |text: &str, address: &str| range(text).unwrap().holds(address.parse().unwrap());
        assert!(holds("203.0.113.0/24", "203.0.113.255") && !holds("203.0.113.0/24", "203.0.112.255"));
        assert!(holds("203.0.113.9", "203.0.113.9") && !holds("203.0.113.9", "203.0.113.8"));
        assert!(holds("0.0.0.0/0", "198.51.100.1") && !holds("0.0.0.0/0", "::1"));
        assert!(holds("2001:db8::/32", "2001:db8:ffff::1") && !holds("2001:db8::/32", "2001:db9::1"));
        assert!(holds("::/0", "2001:db8::1"));
        for bad in ["", "/8", "203.0.113.0/33", "203.0.113/24", "::/129", "a/b", "1.2.3.4/-1"] {
            assert_eq!(range(bad), Err(NoRange), "{bad}");
        }
    }

    #[test]
    fn the_last_address_is_taken_with_or_without_a_port() {
        let name = HeaderName::from_static("x-forwarded-for");
        let last = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(&name, value.parse().unwrap());
            }
            last_address(&headers, &name).map(|a| a.to_string())
        };
        for values in [
            ["192.0.2.9", "192.0.2.1"],
            ["", "192.0.2.9, 192.0.2.1"],
            ["", "192.0.2.1:4711"],
            ["", "::ffff:192.0.2.1"],
            ["", "what ever, 192.0.2.1 "],
        ] {
            assert_eq!(last(&values).as_deref(), Some("192.0.2.1"), "{values:?}");
        }
        assert_eq!(last(&["[2001:db8::1]:443"]).as_deref(), Some("2001:db8::1"));
        for none in [&[][..], &[""], &["192.0.2.1,"], &["unknown"], &["192.0.2.1", "_hidden"]] {
            assert_eq!(last(none), None, "{none:?}");
        }
    }

    #[test]
    fn another_process_has_other_hashes() {
        let source = |key| Senders::new(&[key; 32], vec![]).peer("192.0.2.1".parse().unwrap()).source;
        assert!(source(1) == source(1) && source(1) != source(2));
    }
}
