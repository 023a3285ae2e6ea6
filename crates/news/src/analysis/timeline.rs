//! Dated sentences of a story -> its events.
//!
//! Sentences of one day that tell of like things are one event; so is one that names a longer stretch ("mid-October") and is much
//! like a single event in it. A sentence with several times is cut at the commas between them.

use std::ops::Range;

use jiff::ToSpan as _;
use jiff::civil::Date;
use proto::analysis::{Anchor, Difference, Event, Grain, Mention, Point, Status};

use super::alike::{Terms, groups};
use super::reading::{Reading, Sentence, day, needs_only_the_year};
use super::sourcing::{SameWords, Sources};
use crate::date::{self, Direction, Time};
use crate::group::{Vector, product};
use crate::word::{Class, Word};

/// Alike enough to be one event, of the same day.
const SAME_DAY: f32 = 0.16;
/// The same, where one names a stretch and the other a day in it.
const IN_STRETCH: f32 = 0.3;

/// One time in one sentence.
struct Dated {
    sentence: usize,
    anchor: Anchor,
    /// The words that name it, in the block.
    phrase: Range<usize>,
    /// Whether it is the day of saying.
    saying: bool,
    days: (Date, Date),
    grain: Grain,
    status: Status,
    vector: Vector,
}

pub(super) fn events(
    reading: &Reading<'_>,
    terms: &Terms,
    sources: &Sources<'_, '_>,
    same: &SameWords,
) -> Vec<Event> {
    let mut dated = Vec::new();
    for at in 0..reading.sentences.len() {
        read(reading, terms, at, &mut dated);
        beside(reading, terms, at, &mut dated);
    }
    dated.sort_by_key(|one| (one.days.0, one.days.1, one.sentence));
    let mut events: Vec<Vec<usize>> = Vec::new();
    let stretches = dated.chunk_by(|a, b| a.days == b.days);
    let mut from = 0;
    for stretch in stretches {
        let likeness = |a: usize, b: usize| product(&stretch[a].vector, &stretch[b].vector);
        let pairs = alike(stretch.len(), likeness);
        let mut found = groups(stretch.len(), &pairs, SAME_DAY, likeness);
        let grouped: Vec<usize> = found.iter().flatten().copied().collect();
        found.extend((0..stretch.len()).filter(|at| !grouped.contains(at)).map(|at| vec![at]));
        found.sort_unstable();
        events.extend(found.into_iter().map(|group| group.iter().map(|at| at + from).collect()));
        from += stretch.len();
    }
    absorb(&mut events, &dated);
    let mut made: Vec<Event> =
        events.iter().map(|event| made(event, &dated, reading, sources, same)).collect();
    for (event, other) in other_days(&events, &dated, reading) {
        let side = |at: usize| {
            let mut passages: Vec<_> = made[at].mentions.iter().map(|it| it.phrase).collect();
            passages.sort_unstable();
            passages.dedup_by_key(|passage| passage.article);
            passages
        };
        let sides = vec![side(event), side(other)];
        made[event].differences.push(Difference { point: Point::Date, sides });
    }
    made.sort_by_key(|event| (event.first, event.last));
    made
}

/// Events that are told of two days close to each other, by outlets of which none tells of both: the one that more outlets tell of,
/// and the other.
fn other_days(events: &[Vec<usize>], dated: &[Dated], reading: &Reading<'_>) -> Vec<(usize, usize)> {
    /// Days apart.
    const CLOSE: i32 = 3;
    /// So much alike, without their days.
    const ALIKE: f32 = 0.34;
    let day = |at: usize| {
        let one = &dated[events[at][0]];
        (one.days.0 == one.days.1).then_some(one.days.0)
    };
    let article = |one: &Dated| reading.sentences[one.sentence].place.article;
    let tells = |event: usize, day: Date| {
        // What is dated is in order.
        let from = dated.partition_point(|one| one.days < (day, day));
        let mut of_day = dated[from..].iter().take_while(|one| one.days == (day, day));
        of_day.any(|one| events[event].iter().any(|at| article(&dated[*at]) == article(one)))
    };
    let mut found = Vec::new();
    for a in 0..events.len() {
        for b in 0..a {
            let (Some(first), Some(second)) = (day(a), day(b)) else { continue };
            if first == second
                || (first - second).get_days().abs() > CLOSE
                || tells(a, second)
                || tells(b, first)
            {
                continue;
            }
            let pairs = events[a].iter().flat_map(|a| events[b].iter().map(|b| (&dated[*a], &dated[*b])));
            let happened = |one: &Dated| one.status == Status::Happened && !one.saying;
            let alike = pairs
                .filter(|(a, b)| happened(a) && happened(b))
                .any(|(a, b)| product(&a.vector, &b.vector) >= ALIKE);
            if alike {
                found.push(if events[a].len() >= events[b].len() { (a, b) } else { (b, a) });
            }
        }
    }
    found
}

/// Pairs of one stretch that are alike, the most alike first.
fn alike(count: usize, likeness: impl Fn(usize, usize) -> f32) -> Vec<(f32, usize, usize)> {
    /// A day of more sentences is read so far: the square of it is looked at.
    const MOST: usize = 300;
    let mut pairs = Vec::new();
    for a in 0..count.min(MOST) {
        pairs.extend(
            (a + 1..count.min(MOST)).map(|b| (likeness(a, b), a, b)).filter(|(alike, ..)| *alike >= SAME_DAY),
        );
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs
}

/// What tells of a longer stretch joins the event in it that it is most like.
fn absorb(events: &mut Vec<Vec<usize>>, dated: &[Dated]) {
    let mut at = 0;
    while at < events.len() {
        let own = dated[events[at][0]].days;
        if own.0 == own.1 {
            at += 1;
            continue;
        }
        let inside = |other: &(Date, Date)| *other != own && own.0 <= other.0 && other.1 <= own.1;
        let like = |event: &[usize]| {
            let pairs = event.iter().flat_map(|a| events[at].iter().map(|b| (*a, *b)));
            pairs.map(|(a, b)| product(&dated[a].vector, &dated[b].vector)).fold(0.0, f32::max)
        };
        let best = events
            .iter()
            .enumerate()
            .filter(|(_, event)| inside(&dated[event[0]].days))
            .map(|(other, event)| (like(event), other))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        match best.filter(|(alike, _)| *alike >= IN_STRETCH) {
            Some((_, other)) => {
                let moved = std::mem::take(&mut events[at]);
                events[other].extend(moved);
                events.remove(at);
            }
            None => at += 1,
        }
    }
}

fn read(reading: &Reading<'_>, terms: &Terms, at: usize, dated: &mut Vec<Dated>) {
    let sentence = &reading.sentences[at];
    let pieces: Vec<(&Time, date::Piece)> =
        sentence.times.iter().filter_map(|time| Some((time, time.piece()?))).collect();
    for (place, (time, piece)) in pieces.iter().enumerate() {
        let Some(grain) = grain(*piece) else { continue };
        let before = place.checked_sub(1).map(|before| pieces[before].0.span.end..time.span.start);
        let behind = pieces.get(place + 1).map(|next| time.span.end..next.0.span.start);
        let from = before.map_or(0, |gap| cut(sentence, &gap));
        let to = behind.map_or(usize::MAX, |gap| cut(sentence, &gap));
        let anchor = match time.anchor() {
            date::Anchor::Absolute => Anchor::Stated,
            date::Anchor::Publication if needs_only_the_year(time.meaning) => Anchor::Stated,
            date::Anchor::Publication => Anchor::Publication,
            date::Anchor::Narrative => Anchor::Narrative,
        };
        dated.push(Dated {
            sentence: at,
            anchor,
            phrase: time.span.clone(),
            saying: time.saying,
            days: piece.days(),
            grain,
            status: status(reading, sentence, time, piece.days(), from..to),
            vector: terms.within(at, from..to),
        });
    }
}

/// "It took place the day after the council had met": the council met on the day before the one told of.
fn beside(reading: &Reading<'_>, terms: &Terms, at: usize, dated: &mut Vec<Dated>) {
    let sentence = &reading.sentences[at];
    let words = sentence.words;
    if !sentence.times.is_empty() {
        return;
    }
    let names = |from: usize| {
        let after = words.get(from + 2).is_some_and(|word| word.says("after"));
        let day = words[from].says("the") && words.get(from + 1).is_some_and(|word| word.says("day"));
        (day && (after || words.get(from + 2).is_some_and(|word| word.says("before"))))
            .then_some((from, after))
    };
    let Some((from, after)) = (0..words.len()).find_map(names) else { return };
    let Some(next) = words.get(from + 3).filter(|next| !next.is_sign()) else { return };
    let happened = |one: &&Dated| one.grain == Grain::Day && one.status == Status::Happened;
    let own = |one: &&Dated| reading.sentences[one.sentence].article() == sentence.article();
    let Some(told) = dated.iter().rev().take_while(own).find(happened) else { return };
    let Ok(day) = told.days.0.checked_add(if after { -1 } else { 1 }.days()) else { return };
    dated.push(Dated {
        sentence: at,
        anchor: Anchor::Narrative,
        phrase: words[from].begin..words[from + 2].bytes().end,
        saying: false,
        days: (day, day),
        grain: Grain::Day,
        status: Status::Happened,
        vector: terms.within(at, next.begin..usize::MAX),
    });
}

/// Where a sentence is cut between two times: at a comma or "and" between them, else behind the first.
fn cut(sentence: &Sentence<'_>, gap: &Range<usize>) -> usize {
    let words = sentence.words.iter().filter(|word| gap.contains(&word.begin));
    let cuts = words.filter(|word| word.is(Class::AND) || matches!(word.text, "," | ";" | "—" | "–" | ":"));
    cuts.map(|word| word.begin).next_back().unwrap_or(gap.start)
}

fn grain(piece: date::Piece) -> Option<Grain> {
    Some(match piece.grain() {
        date::Grain::Century | date::Grain::Decade => return None,
        date::Grain::Year => Grain::Year,
        date::Grain::Half | date::Grain::Season | date::Grain::Quarter => Grain::Season,
        date::Grain::Month => Grain::Month,
        date::Grain::Week | date::Grain::Weekend => Grain::Week,
        date::Grain::Day | date::Grain::Part | date::Grain::Minute => Grain::Day,
    })
}

fn status(
    reading: &Reading<'_>,
    sentence: &Sentence<'_>,
    time: &Time,
    days: (Date, Date),
    bytes: Range<usize>,
) -> Status {
    if did_not_happen(sentence, bytes) {
        return Status::NotHappened;
    }
    let published = reading.articles[sentence.article()].published.and_then(|when| day(when.unix));
    match time.direction {
        Some(Direction::Past) => Status::Happened,
        Some(Direction::Planned) => Status::Planned,
        Some(Direction::Uncertain) => Status::Uncertain,
        None if published.is_some_and(|published| days.0 > published) => Status::Planned,
        None => Status::Happened,
    }
}

/// "didn't", in any letters.
fn ends_in_not(word: &str) -> bool {
    let ending = word.len().checked_sub(3).and_then(|from| word.get(from..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case("n't"))
}

/// "never happened", "has not yet taken place", "was called off".
pub(super) fn did_not_happen(sentence: &Sentence<'_>, bytes: Range<usize>) -> bool {
    const HAPPEN: &[&str] = &[
        "happen",
        "happened",
        "occur",
        "occurred",
        "materialise",
        "materialised",
        "materialize",
        "materialized",
        "place",
    ];
    const OFF: &[&str] = &["cancelled", "canceled", "postponed", "scrapped", "shelved"];
    /// Words between "not" and what did not happen: "not yet taken place".
    const NEAR: usize = 4;
    let mut words = Vec::with_capacity(sentence.words.len());
    let own = |word: &&Word<'_>| bytes.contains(&word.begin) && !sentence.is_quoted(word.begin);
    words.extend(sentence.words.iter().filter(own));
    let says = |list: &[&str], at: usize| list.iter().any(|it| words[at].says(it));
    (0..words.len()).any(|at| {
        let not = says(&["not", "never"], at) || ends_in_not(words[at].text);
        let called_off = words[at].says("called") && words.get(at + 1).is_some_and(|next| next.says("off"));
        called_off
            || says(OFF, at)
            || not && (at + 1..words.len().min(at + 1 + NEAR)).any(|near| says(HAPPEN, near))
    })
}

fn made(
    event: &[usize],
    dated: &[Dated],
    reading: &Reading<'_>,
    sources: &Sources<'_, '_>,
    same: &SameWords,
) -> Event {
    let finest = event.iter().map(|at| &dated[*at]).max_by_key(|one| one.grain).expect("an event is told of");
    let (days, grain) = (finest.days, finest.grain);
    let of = |at: &usize| &reading.sentences[dated[*at].sentence];
    // The one that is most like the others tells it best; of two alike ones the first.
    let like = |at: &usize| -> f32 {
        event.iter().map(|other| product(&dated[*at].vector, &dated[*other].vector)).sum()
    };
    let mut order = event.to_vec();
    let fullest =
        *event.iter().rev().max_by(|a, b| like(a).total_cmp(&like(b))).expect("an event is told of");
    order.sort_by_key(|at| (*at != fullest, dated[*at].sentence));
    let mentions = order.iter().map(|at| Mention {
        sentence: of(at).place,
        phrase: of(at).passage(&dated[*at].phrase),
        anchor: dated[*at].anchor,
    });
    let sentences: Vec<usize> = event.iter().map(|at| dated[*at].sentence).collect();
    Event {
        first: since_1970(days.0),
        last: since_1970(days.1),
        grain,
        status: most_told(event, dated),
        mentions: mentions.collect(),
        sourcing: sources.sourcing(&sentences, same),
        differences: status_difference(event, dated, reading).into_iter().collect(),
    }
}

/// What most sentences say of it; of as many, what is surer.
fn most_told(event: &[usize], dated: &[Dated]) -> Status {
    let told = |status: Status| event.iter().filter(|at| dated[**at].status == status).count();
    let all = [Status::Happened, Status::NotHappened, Status::Planned, Status::Uncertain];
    all.into_iter().rev().max_by_key(|status| told(*status)).unwrap_or(Status::Happened)
}

/// One says that it came to pass, another that it did not.
fn status_difference(event: &[usize], dated: &[Dated], reading: &Reading<'_>) -> Option<Difference> {
    let side = |status: Status| {
        let told = event.iter().map(|at| &dated[*at]).filter(|one| one.status == status);
        let mut passages: Vec<_> = told.map(|one| reading.sentences[one.sentence].place).collect();
        passages.sort_unstable();
        passages.dedup_by_key(|passage| passage.article);
        passages
    };
    let sides = [side(Status::Happened), side(Status::NotHappened)];
    let of_two = sides[0].iter().any(|a| sides[1].iter().all(|b| a.article != b.article));
    (sides.iter().all(|side| !side.is_empty()) && of_two)
        .then(|| Difference { point: Point::Status, sides: sides.into() })
}

fn since_1970(day: Date) -> i32 {
    (day - jiff::civil::date(1970, 1, 1)).get_days()
}
