//! In tests: counts what takes time when a mailbox is unlocked, so that two ways can be compared step by step and not by
//! the clock.

use std::cell::RefCell;

/// One piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// A key was derived at this cost.
    Derived { memory_kib: u32, passes: u32 },
    /// So many bytes were tried with a key, and did not open.
    Refused(usize),
    /// So many bytes were opened.
    Opened(usize),
}

thread_local! {
    static DONE: RefCell<Vec<Work>> = const { RefCell::new(Vec::new()) };
}

/// Notes a piece of work of this thread.
pub(crate) fn done(work: Work) {
    DONE.with_borrow_mut(|done| done.push(work));
}

/// What `way` does, and all the work it takes.
pub(crate) fn counted<T>(way: impl FnOnce() -> T) -> (T, Vec<Work>) {
    DONE.take();
    let outcome = way();
    (outcome, DONE.take())
}
