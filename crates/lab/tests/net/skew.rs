//! Readers whose clocks are off. An envelope is taken within a guard on either side of its round, and instants end a guard
//! before its end: so a clock that is off by no more than a guard loses nothing. What a device sends that is further ahead is not
//! taken, and nobody tells it; one that is further behind has the next edition already, knows no key of its round any more, and
//! sends nothing (EXC-04). Either does the same with and without mail.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use client::Place;
use proto::Round;
use rand::{SeedableRng as _, rngs::StdRng};

use crate::chain::Hands;
use crate::proxy::{Cut, Proxy};
use crate::turn::{arrived, begin, one_article};
use crate::whole::{ROUND_MS, Whole};
use crate::wire::exchanges;

/// g.
const GUARD: i64 = ROUND_MS as i64 / 30;
/// The round in which instants are chosen.
const AT: u32 = 4;
/// The last round.
const LAST: u32 = 6;
/// Instants so early that a device that is ahead by a guard is in the round before, and by two guards is too early.
const EARLY: Range<i64> = 0..GUARD;
/// Instants so late that for a device that is behind by three guards the round is over, and the next edition there.
const LATE: Range<i64> = ROUND_MS as i64 - 2 * GUARD..ROUND_MS as i64 - GUARD;

/// The first seed from `from` on of a device whose instant in round [`AT`] is in this part of it.
fn seed(whole: &Whole, from: u64, part: Range<i64>) -> u64 {
    let start = whole.schedule.start(Round(AT)).0;
    let instant = |seed| {
        let clock = Arc::new(Hands(AtomicU64::new(start - 1)));
        let device = whole.device(Place::Memory, &whole.url(), None, clock, StdRng::seed_from_u64(seed));
        device.status().next_exchange.0.cast_signed() - start.cast_signed()
    };
    (from..).find(|seed| part.contains(&instant(*seed))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_is_off_by_a_guard_loses_nothing() {
    let articles = one_article();
    let mut whole = Whole::found(5, articles.path(), []).await;
    let edge = whole.url();
    let (early, late) = (seed(&whole, 0, EARLY), seed(&whole, 0, LATE));
    let first = whole.crowd.len();
    let off = [(-GUARD, late), (-1, 10_001), (0, 10_002), (1, 10_003), (GUARD, early)];
    for (ahead, seed) in off {
        whole.reader(&edge, seed, ahead);
    }
    whole.round(1).await;
    let texts: Vec<String> =
        off.iter().map(|(ahead, _)| format!("From one who is {ahead} ms ahead.")).collect();
    let sessions: Vec<_> = whole.crowd[first..].iter().map(|reader| begin(&reader.device)).collect();
    for (session, text) in sessions.iter().zip(&texts) {
        session.write(whole.desk_id, text, proto::Clock::now(&*whole.clock)).unwrap();
    }
    for r in 2..=LAST + 1 {
        whole.round(r).await;
    }
    let devices = whole.sources.len() + 1 + whole.crowd.len();
    for round in whole.status().rounds.iter().filter(|round| (2..=LAST).contains(&round.round)) {
        assert_eq!(round.envelopes, devices as u64, "one of each in round {}", round.round);
        assert_eq!(round.refused, Default::default(), "in round {}", round.round);
    }
    let mut came = arrived(whole.inbox.as_ref().unwrap());
    came.sort();
    let mut sent = texts;
    sent.sort();
    assert_eq!(came, sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_whose_clock_is_further_off_does_the_same_with_and_without_mail() {
    let articles = one_article();
    let mut whole = Whole::found(6, articles.path(), []).await;
    let edge = whole.url();
    let off = [(2 * GUARD, seed(&whole, 0, EARLY)), (-3 * GUARD, seed(&whole, 0, LATE))];
    let first = whole.crowd.len();
    let mut proxies = vec![];
    for (ahead, seed) in off {
        // Two of one seed, so of the same instants.
        for _ in 0..2 {
            let proxy = Proxy::start(&edge, Cut::Never).await.unwrap();
            whole.reader(&proxy.url, seed, ahead);
            proxies.push(proxy);
        }
    }
    for r in 1..AT - 1 {
        whole.round(r).await;
    }
    let mut sessions = vec![];
    for pair in whole.crowd[first..].chunks(2) {
        let session = begin(&pair[0].device);
        for n in 0..LAST {
            let text = format!("Message {n} of one whose clock is off.");
            session.write(whole.desk_id, &text, proto::Clock::now(&*whole.clock)).unwrap();
        }
        sessions.push(session);
    }
    for r in AT - 1..=LAST + 1 {
        whole.round(r).await;
        for pair in whole.crowd[first..].chunks(2) {
            assert_eq!(pair[0].device.status(), pair[1].device.status(), "in round {r}");
        }
    }
    for pair in proxies.chunks(2) {
        let [with, without] = [0, 1].map(|n: usize| exchanges(&pair[n]));
        assert!(with.len() >= LAST as usize - 1, "{} exchanges", with.len());
        assert_eq!(with, without);
    }
    // What came too early is counted, and no more is known of it; what would have come too late was not sent.
    assert!(!exchanges(&proxies[2]).contains_key(&AT), "a round whose keys are not known is skipped");
    let refused: Vec<_> = whole.status().rounds.into_iter().map(|round| round.refused).collect();
    let [early, late] = [refused.iter().map(|r| r.early).sum(), refused.iter().map(|r| r.late).sum::<u64>()];
    assert!(early >= 2 && early % 2 == 0 && late == 0, "{early} too early, {late} too late");
}
