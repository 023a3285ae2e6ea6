//! Timelines, on SemEval-2015 Task 4 (track B): what happened when to one entity, over some articles with their events marked.
//!
//! The engine knows no entities and marks no events: it dates sentences. So of an entity's sentences, those that print its name or
//! the name's last word, each marked event is given the day of the nearest time of its sentence that the engine takes for an event's,
//! or of the day of publication: the data places most of what is told without a time there.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use news::analysis::analysis;
use proto::story::{Article, ArticleId, Block, Extent, Grain, When};

use crate::dates::{attribute, plain};
use crate::report::{Part, Report};
use crate::{Asked, text_of};

/// An article: its sentences, each with where its marked events stand.
struct Document {
    sentences: Vec<Sentence>,
    /// Days of the engine's events by sentence: first and last, and where the words for them stand.
    dated: HashMap<usize, Vec<(usize, Days)>>,
    /// The day of publication, counted as the events' days are.
    published: i32,
}

/// Its text, and its marked events with where they stand.
type Sentence = (String, Vec<(String, usize)>);

/// The first day and the last, counted from 1970-01-01.
type Days = (i32, i32);

/// A marked event: article, sentence, and its word with an underscore for each blank.
type Event = (String, usize, String);

/// The place of events in a timeline: equal ones are of one time.
type Order = BTreeMap<Event, Days>;

/// The folder holds `TimeLines_Gold_Standard` and `corpus_trackB_TimeML`. There is too little to hold a part back: all is reported, and
/// nothing was tuned on it.
pub(crate) fn score(asked: &Asked) -> Result<Report, String> {
    let mut documents = BTreeMap::new();
    for file in files(&asked.folder.join("corpus_trackB_TimeML"))? {
        let (id, document) = document(&file)?;
        documents.insert(id, document);
    }
    let (mut found, mut found_right, mut gold, mut gold_right) = (0, 0, 0, 0);
    let (mut events, mut shared) = (0, 0);
    for file in files(&asked.folder.join("TimeLines_Gold_Standard"))? {
        let text = text_of(&file)?;
        let (entity, rows) = text.split_once('\n').ok_or_else(|| format!("{} is empty", file.display()))?;
        let theirs = stated(rows, &documents)?;
        let ours = timeline(entity.trim(), &documents);
        let (own, other) = (relations(&ours), relations(&theirs));
        found += own.len();
        found_right += own.iter().filter(|pair| holds(pair, &theirs)).count();
        gold += other.len();
        gold_right += other.iter().filter(|pair| holds(pair, &ours)).count();
        events += theirs.len();
        shared += theirs.keys().filter(|event| ours.contains_key(*event)).count();
        if asked.explain {
            explain(entity.trim(), &ours, &theirs);
        }
    }
    let share = |part: usize, all: usize| if all == 0 { 0.0 } else { part as f64 / all as f64 };
    let (precision, recall) = (share(found_right, found), share(gold_right, gold));
    let f1 = if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    Ok(Report::new(vec![Part {
        name: "all".into(),
        documents: documents.len(),
        metrics: vec![
            ("micro_f1", f1),
            ("micro_precision", precision),
            ("micro_recall", recall),
            ("events_dated", share(shared, events)),
        ],
    }]))
}

/// What is said of a pair of events: the first is before the second, or they are of one time.
type Relation<'a> = (&'a Event, &'a Event, bool);

/// The fewest that say all: each event with the first of its time, and each time with the next.
fn relations(order: &Order) -> Vec<Relation<'_>> {
    let mut times = BTreeMap::<_, Vec<&Event>>::new();
    order.iter().for_each(|(event, time)| times.entry(time).or_default().push(event));
    let firsts: Vec<&Event> = times.values().map(|events| events[0]).collect();
    let mut said: Vec<Relation<'_>> = firsts.windows(2).map(|pair| (pair[0], pair[1], true)).collect();
    said.extend(times.values().flat_map(|all| all[1..].iter().map(|event| (all[0], *event, false))));
    said
}

/// Whether a timeline says so too, by itself or by what follows from it.
fn holds((first, second, before): &Relation<'_>, order: &Order) -> bool {
    match (order.get(*first), order.get(*second)) {
        (Some(a), Some(b)) => {
            if *before {
                a < b
            } else {
                a == b
            }
        }
        _ => false,
    }
}

/// A timeline as it is stated: order, date, and events of one time. An event is called by more words there ("test_flight") than are
/// marked in its article.
fn stated(rows: &str, documents: &BTreeMap<String, Document>) -> Result<Order, String> {
    let mut order = Order::new();
    for row in rows.lines().filter(|row| !row.trim().is_empty()) {
        let mut cells = row.split('\t');
        let place = cells.next().and_then(|cell| cell.trim().parse().ok());
        let place: i32 = place.ok_or_else(|| format!("no order: {row}"))?;
        for cell in cells.skip(1).map(str::trim).filter(|cell| place > 0 && !cell.is_empty()) {
            let mut parts = cell.splitn(3, '-');
            let mut event = || Some((parts.next()?, parts.next()?.parse::<usize>().ok()?, parts.next()?));
            let (id, sentence, name) = event().ok_or_else(|| format!("no event: {cell}"))?;
            let marked = documents.get(id).and_then(|document| document.sentences.get(sentence));
            let is_it = |(word, _): &&(String, usize)| {
                word.split('_').any(|word| name.split('_').any(|it| it == word))
            };
            let word =
                marked.and_then(|(_, events)| events.iter().find(is_it)).map_or(name, |(word, _)| word);
            order.insert((id.to_owned(), sentence, word.to_owned()), (place, place));
        }
    }
    Ok(order)
}

/// The engine's timeline of an entity.
fn timeline(entity: &str, documents: &BTreeMap<String, Document>) -> Order {
    let last = entity.rsplit(' ').next().unwrap_or(entity);
    let mut order = Order::new();
    for (id, document) in documents {
        for (at, (text, events)) in document.sentences.iter().enumerate() {
            let named = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == last);
            let times = document.dated.get(&at).map(Vec::as_slice).unwrap_or_default();
            for (event, place) in events.iter().filter(|_| named) {
                let nearest = times.iter().min_by_key(|(phrase, _)| phrase.abs_diff(*place));
                let days = nearest.map_or((document.published, document.published), |(_, days)| *days);
                order.insert((id.clone(), at, event.clone()), days);
            }
        }
    }
    order
}

fn explain(entity: &str, ours: &Order, theirs: &Order) {
    let mut all: Vec<&Event> = ours.keys().chain(theirs.keys()).collect();
    all.sort();
    all.dedup();
    for event in all {
        let days = ours.get(event).map(|days| format!("{days:?}")).unwrap_or_else(|| "undated".into());
        let place = theirs.get(event).map_or_else(|| "none".into(), |(place, _)| place.to_string());
        println!("{entity}\t{place}\t{days}\t{}-{}-{}", event.0, event.1, event.2);
    }
}

fn document(file: &Path) -> Result<(String, Document), String> {
    let markup = text_of(file)?;
    let wrong = |what: &str| format!("{}: {what}", file.display());
    let between = |from: &str, to: &str| Some(markup.split_once(from)?.1.split_once(to)?.0);
    let id = between("<DOCID>", "</DOCID>").ok_or_else(|| wrong("there is no DOCID"))?.trim().to_owned();
    let published = between("<DCT>", "</DCT>").and_then(|dct| attribute(dct, "value")?.parse().ok());
    let published: jiff::civil::Date = published.ok_or_else(|| wrong("there is no day"))?;
    let unix = published.to_zoned(jiff::tz::TimeZone::UTC).map_err(|why| wrong(&why.to_string()))?;
    let mut sentences = Vec::new();
    for part in markup.split("<s id=").skip(1) {
        let (_, part) = part.split_once('>').ok_or_else(|| wrong("a mark does not end"))?;
        sentences.push(sentence(part.split_once("</s>").ok_or_else(|| wrong("a sentence does not end"))?.0));
    }
    let article = Article {
        id: ArticleId([1; 16]),
        outlet: "one".into(),
        title: String::new(),
        byline: None,
        published: Some(When { unix: unix.timestamp().as_second(), grain: Grain::Day }),
        url: None,
        body: sentences.iter().map(|(text, _)| Block::Paragraph(text.clone())).collect(),
        picture: None,
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    };
    let mut dated = HashMap::<usize, Vec<_>>::new();
    for event in analysis(&[article]).events {
        for mention in event.mentions {
            let times = dated.entry(mention.sentence.block as usize).or_default();
            times.push((mention.phrase.start as usize, (event.first, event.last)));
        }
    }
    let published = (unix.timestamp().as_second() / 86_400) as i32;
    Ok((id, Document { sentences, dated, published }))
}

/// A sentence's words as they were printed, and its marked events.
fn sentence(markup: &str) -> Sentence {
    let (mut text, mut events) = (String::new(), Vec::new());
    let mut parts = markup.split("<EVENT ");
    printed(&mut text, parts.next().unwrap_or_default());
    for part in parts {
        let inner = part.split_once('>').map_or(part, |(_, inner)| inner);
        let (event, rest) = inner.split_once("</EVENT>").unwrap_or((inner, ""));
        events.push((event.trim().replace(' ', "_"), text.len()));
        printed(&mut text, event);
        printed(&mut text, rest);
    }
    (text, events)
}

/// Puts words that stand apart together: signs to what they belong to, marks as they are typed.
fn printed(text: &mut String, words: &str) {
    for word in plain(words).split_whitespace() {
        let closes =
            matches!(word, "," | "." | ";" | ":" | "?" | "!" | ")" | "''" | "%") || word.starts_with('\'');
        if !closes && !text.is_empty() && !text.ends_with(['(', '“', '$']) {
            text.push(' ');
        }
        text.push_str(match word {
            "``" => "“",
            "''" => "”",
            word => word,
        });
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = crate::dates::entries(folder)?;
    files.sort();
    Ok(files)
}
