//! Ceilings: how many envelopes of one address, or through one relay, are taken for a round. Spec: mix.md §2.
//!
//! What comes beyond is shed: answered as if it were taken, and lost. An address is known here by a keyed hash alone
//! ([`Source`]), in memory alone, and only until its round is sealed.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use proto::Round;

use super::sender::{KnownBy, Sender, Source};
use crate::status::Reason;

/// What an edge bears, of each and of all. The defaults are for a public edge with nothing before it.
#[derive(Clone, Debug)]
pub struct Ceilings {
    /// Envelopes of one address that are taken for a round. Readers behind one address share it, and an honest reader
    /// sends one: 2,000 leaves room for an office, a provider's shared address or a Tor exit, and is a tenth of the
    /// smallest batch of a network in production.
    pub address: u32,
    /// Connections served at once. More wait in the system's queue.
    pub connections: u32,
    /// Connections of one address that are served at once. One more is closed unheard.
    pub connections_per_address: u32,
    /// Who may send for others.
    pub relays: Vec<Relay>,
    /// How long a connection may take to say what it wants, and how long it may be idle. Relays that are known by their
    /// address keep connections for two minutes.
    pub head: Duration,
    /// How long a connection is served, if neither a relay nor one who signs is at its other end: a reader's device gives
    /// each request half as long, and a connection of its own.
    pub life: Duration,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self {
            address: 2_000,
            connections: 4_096,
            connections_per_address: 512,
            relays: vec![],
            head: Duration::from_secs(10),
            life: Duration::from_secs(60),
        }
    }
}

/// Another organisation, or a CDN, that passes uploads on.
#[derive(Clone, Debug)]
pub struct Relay {
    /// How it is told from strangers.
    pub known_by: KnownBy,
    /// Envelopes through it that are taken for a round.
    pub ceiling: u32,
    /// The header in which it tells the client's address, if it does: then that address counts too. The last address in
    /// it is the one that the relay wrote; earlier ones are whatever the client pleased.
    pub tells_address_in: Option<String>,
}

/// Counts envelopes of the rounds being collected.
pub(super) struct Counter {
    address: u32,
    relays: Vec<u32>,
    rounds: BTreeMap<Round, Counted>,
}

/// What one round brought. An entry comes into being with an envelope that is taken, so the memory is a small part of what
/// the journal weighs.
#[derive(Default)]
struct Counted {
    addresses: HashMap<Source, u32>,
    relays: HashMap<usize, u32>,
}

impl Counter {
    pub(super) fn new(ceilings: &Ceilings) -> Self {
        let relays = ceilings.relays.iter().map(|relay| relay.ceiling).collect();
        Self { address: ceilings.address, relays, rounds: BTreeMap::new() }
    }

    // mix.md §2:  count(relay) < its ceiling, and count(address) < the address ceiling: take, and count both
    /// Takes one envelope for `round`, or says why it is shed. One that is shed counts for nobody.
    pub(super) fn take(&mut self, round: Round, sender: &Sender) -> Result<(), Reason> {
        let counted = self.rounds.entry(round).or_default();
        // EDG-11: a relay's own ceiling, beside that of whoever it speaks for.
        if let Some(relay) = sender.relay
            && counted.relays.get(&relay).is_some_and(|&n| n >= self.relays[relay])
        {
            return Err(Reason::OverRelay);
        }
        // EDG-10: each address its ceiling.
        if let Some(address) = &sender.address
            && counted.addresses.get(address).is_some_and(|&n| n >= self.address)
        {
            return Err(Reason::OverAddress);
        }
        if let Some(relay) = sender.relay {
            *counted.relays.entry(relay).or_default() += 1;
        }
        if let Some(address) = sender.address {
            *counted.addresses.entry(address).or_default() += 1;
        }
        Ok(())
    }

    /// Forgets every round up to this one: it takes no more.
    pub(super) fn forget(&mut self, sealed: Round) {
        // EDG-13: a count lives as long as its round is collected.
        self.rounds = self.rounds.split_off(&sealed.next());
    }

    /// How many addresses it holds a count of.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.rounds.values().map(|counted| counted.addresses.len()).sum()
    }
}

/// Connections being served, by address.
#[derive(Default)]
pub(super) struct Open(HashMap<Source, u32>);

impl Open {
    /// Takes a connection of this address if it has fewer than `most`.
    pub(super) fn enter(&mut self, source: Source, most: u32) -> bool {
        // EDG-14: one address does not take every place.
        let open = self.0.entry(source).or_default();
        if *open >= most {
            return false;
        }
        *open += 1;
        true
    }

    /// A connection of it has ended.
    pub(super) fn leave(&mut self, source: Source) {
        if let Some(open) = self.0.get_mut(&source) {
            *open -= 1;
            if *open == 0 {
                self.0.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::sender::Senders;

    fn from(senders: &Senders, address: &str) -> Sender {
        senders.sender(&senders.peer(address.parse().unwrap()), &axum::http::HeaderMap::new())
    }

    // EDG-13
    #[test]
    fn counts_are_gone_once_their_round_is_sealed() {
        let senders = Senders::new(&[7; 32], vec![]);
        let mut counter = Counter::new(&Ceilings { address: 1, ..Ceilings::default() });
        let (one, two) = (from(&senders, "192.0.2.1"), from(&senders, "192.0.2.2"));
        counter.take(Round(5), &one).unwrap();
        counter.take(Round(6), &one).unwrap();
        counter.take(Round(6), &two).unwrap();
        assert_eq!(counter.take(Round(5), &one), Err(Reason::OverAddress));
        assert_eq!(counter.len(), 3);
        counter.forget(Round(5));
        assert_eq!(counter.len(), 2);
        assert_eq!(counter.take(Round(6), &one), Err(Reason::OverAddress), "round 6 is still collected");
        counter.forget(Round(6));
        assert_eq!(counter.len(), 0);
    }

    #[test]
    fn an_address_that_hangs_up_leaves_nothing_behind() {
        let senders = Senders::new(&[7; 32], vec![]);
        let [one, two] = ["192.0.2.1", "192.0.2.2"].map(|a| senders.peer(a.parse().unwrap()).source);
        let mut open = Open::default();
        assert!(open.enter(one, 2) && open.enter(one, 2) && !open.enter(one, 2));
        assert!(open.enter(two, 2));
        open.leave(one);
        assert!(open.enter(one, 2));
        for source in [one, one, two] {
            open.leave(source);
        }
        assert!(open.0.is_empty());
    }
}
