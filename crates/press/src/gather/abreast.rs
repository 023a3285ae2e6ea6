//! Work on many things that do not depend on each other, on all processors.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// What `work` makes of each of `items`, in their order.
pub(super) fn map<T: Sync, U: Send>(items: &[T], work: impl Fn(&T) -> U + Sync) -> Vec<U> {
    let hands = thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    if hands <= 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let some = || {
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return done };
            done.push((at, work(item)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others: Vec<_> = (1..hands).map(|_| scope.spawn(some)).collect();
        let mut done = some();
        for other in others {
            done.extend(other.join().unwrap_or_else(|panicked| std::panic::resume_unwind(panicked)));
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_done_once_and_all_are_in_their_order() {
        for all in [0, 1, 2, 1_000] {
            let items: Vec<usize> = (0..all).collect();
            assert_eq!(map(&items, |n| n * 3), (0..all).map(|n| n * 3).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "the seventh")]
    fn a_panic_is_not_lost() {
        map(&(0..100).collect::<Vec<_>>(), |n| assert_ne!(*n, 7, "the seventh"));
    }
}
