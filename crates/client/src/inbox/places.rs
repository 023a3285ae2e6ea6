//! The first places of a desk's queue: all that leaves within a day is of class 2 while the vault is open. Spec: mix.md §12.

use proto::Round;
use proto::pass::PLACES;
use rand::rngs::StdRng;

use super::Inbox;
use crate::book::Readers;
use crate::device::{ExitKeys, Held};
use crate::mailbox::{Hint, Waiting, random};
use crate::passes::Passes;
use crate::vault::{Cover, SealedBy, Vault};

/// What takes the place of an envelope in the queue that was sealed by another pass, or to another key, than one that is new.
struct Anew {
    /// The mark of what lies there.
    was: Hint,
    anew: Waiting,
    sealed_by: SealedBy,
    what: What,
}

enum What {
    /// Says nothing, and said nothing.
    Cover,
    /// The same slots in another envelope: which of [`crate::vault::Book::placed`], and its hint.
    Same(usize, Hint),
    /// Says nothing: what was there has more slots than an envelope of now. It waits for a place again, under other links.
    Less(usize),
}

impl Inbox {
    /// Puts what waits into envelopes, and those into the queue. What finds no place there waits on.
    pub(super) fn flush(&self, vault: &mut Vault, rng: &mut StdRng) {
        let Some(round) = self.inner().schedule.round_at(self.inner().clock.now()) else { return };
        vault.book.settle(&self.inner().held().mailbox, round);
        self.fit(vault, rng);
        while !vault.book.waiting.is_empty() {
            let (exits, place) = {
                let held = self.inner().held();
                let place = held.mailbox.next_place(&vault.hints, &[]).ok().filter(|place| *place < PLACES);
                let exits = self.inner().exit_keys(&held, self.inner().clock.now());
                let (true, Some(place), Some(exits)) = (held.mailbox.is_filled(), place, exits) else {
                    break;
                };
                (exits, place)
            };
            // Without a pass the exit would drop them: they wait for the next edition.
            let Some(readers) = self.readers(&vault.book.passes, &exits, place) else { break };
            if !self.place_one(vault, &readers, round, rng) {
                break;
            }
        }
    }

    fn readers<'a>(&'a self, passes: &Passes, exits: &'a ExitKeys, place: usize) -> Option<Readers<'a>> {
        let reader_slots = self.inner().shown().directory.parameters().reader_slots;
        Readers::of(passes, reader_slots, &self.inner().wire, exits, place)
    }

    // PAS-04
    /// Sees to it that all that leaves within a day is of class 2, by the pass and to the exit's key of the round in which it
    /// leaves, whether or not it says anything. Both go one way: if what says something stayed as it was sealed once, the exit
    /// would see by its pass or its key that a desk had something to say.
    fn fit(&self, vault: &mut Vault, rng: &mut StdRng) {
        let all = {
            let held = self.inner().held();
            vault.covers.retain(|cover| held.mailbox.find(&cover.mark).is_some());
            self.misfits(vault, &held, rng)
        };
        let same: Vec<(usize, Hint)> = all
            .iter()
            .filter_map(|anew| match anew.what {
                What::Same(at, hint) => Some((at, hint)),
                _ => None,
            })
            .collect();
        // In the vault before it is in the queue: whichever of the two is on the disk when the program is stopped, it is found
        // there, and its slots go out in no other envelope.
        vault.book.sealed_anew(&same);
        if !same.is_empty() && !self.kept(vault, rng) {
            vault.book.not_sealed(&same);
            return;
        }
        let mut less = Vec::new();
        let mut held = self.inner().held();
        for Anew { was, anew, sealed_by, what } in all {
            let mark = if let What::Same(_, hint) = what { hint } else { random(rng) };
            // Otherwise it has left meanwhile, and is gone.
            if !held.mailbox.replace(&was, &anew, mark) {
                continue;
            }
            if let What::Same(at, _) = what {
                vault.book.placed[at].sealed_by = Some(sealed_by);
                continue;
            }
            vault.covers.retain(|cover| cover.mark != was);
            vault.covers.push(Cover { mark, sealed_by });
            if let What::Less(at) = what {
                less.append(&mut vault.book.placed[at].items);
            }
        }
        vault.book.waiting.splice(0..0, less);
    }

    /// What is to lie in the first places of the queue in place of what does.
    fn misfits(&self, vault: &Vault, held: &Held, rng: &mut StdRng) -> Vec<Anew> {
        let mailbox = &held.mailbox;
        let exits = self.inner().exit_keys(held, self.inner().clock.now());
        let Some(exits) = exits.filter(|_| mailbox.is_filled()) else { return Vec::new() };
        let mut all = Vec::new();
        for place in 0..PLACES {
            let Some(readers) = self.readers(&vault.book.passes, &exits, place) else { continue };
            let was = *mailbox.mark(place);
            let is_here = |hint: &Hint| mailbox.find(hint) == Some(place);
            let placed = vault.book.placed.iter().position(|placed| placed.hints().any(is_here));
            let (slots, sealed_by) = match placed.map(|at| &vault.book.placed[at]) {
                Some(placed) => (&placed.slots[..], placed.sealed_by),
                None => {
                    let cover = vault.covers.iter().find(|cover| is_here(&cover.mark));
                    (&[][..], cover.map(|cover| cover.sealed_by))
                }
            };
            // What an older version of the program sealed cannot be sealed again.
            let is_older = slots.is_empty() && mailbox.is_message(&vault.hints, place);
            if is_older || sealed_by == Some(readers.sealed_by()) {
                continue;
            }
            let fits = slots.len() <= readers.slots;
            let blob = readers.envelope(if fits { slots } else { &[] }, rng);
            let what = match placed {
                None => What::Cover,
                Some(at) if fits => What::Same(at, vault.hints.hint(&blob)),
                Some(at) => What::Less(at),
            };
            let anew = Waiting { blob, week: readers.week };
            all.push(Anew { was, anew, sealed_by: readers.sealed_by(), what });
        }
        all
    }

    /// One envelope, sealed and in the queue.
    fn place_one(&self, vault: &mut Vault, readers: &Readers<'_>, now: Round, rng: &mut StdRng) -> bool {
        let Some(blob) = vault.book.envelope(readers, now, &vault.hints, rng) else { return false };
        // The links are spent on the disk before anything sealed under them can be seen.
        let saved = self.kept(vault, rng);
        let mut held = self.inner().held();
        let message = Waiting { blob, week: readers.week };
        if saved && held.mailbox.place(&vault.hints, &message).is_ok() {
            return true;
        }
        let placed = vault.book.placed.pop().expect("pushed above");
        vault.book.waiting.splice(0..0, placed.items);
        false
    }
}
