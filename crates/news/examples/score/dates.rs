//! Time expressions, on TimeML: articles with every expression marked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::civil::Date;
use news::date::{self, Time};

use crate::report::{Part, Report};
use crate::{Asked, text_of};

/// An article, its day, and what people marked in it.
struct Article {
    name: String,
    text: String,
    published: Option<Date>,
    gold: Vec<Gold>,
}

/// One marked expression.
struct Gold {
    begin: usize,
    end: usize,
    kind: String,
    value: String,
}

/// What was right, of how many.
#[derive(Default, Clone, Copy)]
struct Counts {
    documents: usize,
    gold: usize,
    found: usize,
    overlap: usize,
    strict: usize,
    value: usize,
    days: usize,
    days_right: usize,
    days_hit: usize,
}

/// The folder holds `.tml` files, or folders of them. Within a folder, files with odd numbers, counted from 0 in the order of their
/// names, are for tuning.
#[expect(clippy::disallowed_methods, reason = "a measurement: how many articles a second")]
pub(crate) fn score(asked: &Asked) -> Result<Report, String> {
    let mut parts = BTreeMap::<String, [Counts; 2]>::new();
    let (mut spent, mut read) = (0.0, 0);
    for folder in folders(&asked.folder)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (at, file) in files(&folder)?.iter().enumerate() {
            let article = article(file)?;
            let begun = Instant::now();
            let mut times = date::times(&article.text);
            date::resolve(&mut times, article.published);
            spent += begun.elapsed().as_secs_f64();
            read += 1;
            let side = usize::from(at % 2 == 0);
            let counts =
                count(&article, &times, asked.explain.then_some(if side == 0 { "tune" } else { "report" }));
            parts.entry(name.clone()).or_default()[side].add(counts);
        }
    }
    if asked.explain {
        println!("{:.0} articles/s", f64::from(read) / spent);
    }
    let mut rows = Vec::new();
    let mut sums = [Counts::default(); 2];
    for (name, [tune, report]) in &parts {
        rows.push(tune.part(&format!("{name}, odd files, to tune on")));
        rows.push(report.part(&format!("{name}, even files, to report")));
        rows.push(tune.plus(*report).part(&format!("{name}, all")));
        sums = [sums[0].plus(*tune), sums[1].plus(*report)];
    }
    if parts.len() > 1 {
        rows.push(sums[0].part("odd files, to tune on"));
        rows.push(sums[1].part("even files, to report"));
    }
    rows.push(sums[0].plus(sums[1]).part("all"));
    Ok(Report::new(rows))
}

impl Counts {
    fn add(&mut self, other: Counts) {
        *self = self.plus(other);
    }

    fn plus(self, other: Counts) -> Counts {
        Counts {
            documents: self.documents + other.documents,
            gold: self.gold + other.gold,
            found: self.found + other.found,
            overlap: self.overlap + other.overlap,
            strict: self.strict + other.strict,
            value: self.value + other.value,
            days: self.days + other.days,
            days_right: self.days_right + other.days_right,
            days_hit: self.days_hit + other.days_hit,
        }
    }

    fn part(&self, name: &str) -> Part {
        let share = |right: usize, of: usize| if of == 0 { 0.0 } else { right as f64 / of as f64 };
        let f1 = |right: usize| share(2 * right, self.gold + self.found);
        Part {
            name: name.to_owned(),
            documents: self.documents,
            metrics: vec![
                ("value_accuracy", share(self.days_right, self.days)),
                ("day_accuracy", share(self.days_hit, self.days)),
                ("span_f1", f1(self.overlap)),
                ("span_precision", share(self.overlap, self.found)),
                ("span_recall", share(self.overlap, self.gold)),
                ("span_f1_exact", f1(self.strict)),
                ("value_f1", f1(self.value)),
            ],
        }
    }
}

/// Each marked expression is matched with at most one of ours, the first that overlaps.
fn count(article: &Article, times: &[Time], explain: Option<&str>) -> Counts {
    let mut counts =
        Counts { documents: 1, gold: article.gold.len(), found: times.len(), ..Counts::default() };
    let mut taken = vec![false; times.len()];
    for gold in &article.gold {
        let overlaps = |time: &Time| time.span.start < gold.end && gold.begin < time.span.end;
        let exact = |time: &Time| time.span == (gold.begin..gold.end);
        let free = |at: usize| !taken[at];
        let ours = (0..times.len())
            .find(|&at| free(at) && exact(&times[at]))
            .or_else(|| (0..times.len()).find(|&at| free(at) && overlaps(&times[at])));
        let value = ours.and_then(|at| times[at].timeml()).unwrap_or_default();
        let right = value == gold.value;
        if let Some(at) = ours {
            taken[at] = true;
            counts.overlap += 1;
            counts.strict += usize::from(exact(&times[at]));
            counts.value += usize::from(right);
        }
        let day = gold.kind == "DATE" && gold.value.parse::<Date>().is_ok() && gold.value.len() == 10;
        counts.days += usize::from(day);
        // What is asked for is the value of the words that are marked: of our "Tuesday night" where "Tuesday" is, the day. Two
        // marked spans may lie in one of ours.
        let of_span = (0..times.len())
            .find(|&at| exact(&times[at]))
            .or_else(|| (0..times.len()).find(|&at| overlaps(&times[at])));
        if let Some(at) = of_span.filter(|_| day) {
            let value = times[at].timeml().unwrap_or_default();
            let wider = times[at].span.start < gold.begin || gold.end < times[at].span.end;
            let hit =
                value.strip_prefix(&gold.value).is_some_and(|rest| rest.is_empty() || rest.starts_with('T'));
            counts.days_hit += usize::from(hit);
            counts.days_right += usize::from(value == gold.value || hit && wider);
        }
        if let Some(part) = explain
            && !right
        {
            let kind = if ours.is_none() {
                "missed"
            } else if day {
                "day"
            } else {
                "value"
            };
            let phrase = ours.map_or("", |at| &article.text[times[at].span.clone()]);
            say(
                article,
                part,
                kind,
                gold.begin..gold.end,
                &format!("{} {} <> {value} {phrase:?}", gold.kind, gold.value),
            );
        }
    }
    if let Some(part) = explain {
        for (time, _) in times.iter().zip(&taken).filter(|(_, taken)| !**taken) {
            let value = time.timeml().unwrap_or_default();
            say(article, part, "spurious", time.span.clone(), &format!("{} {value}", time.timeml_type()));
        }
    }
    counts
}

/// One line about one expression, with some words around it.
fn say(article: &Article, part: &str, kind: &str, span: std::ops::Range<usize>, what: &str) {
    const AROUND: usize = 90;
    let text = &article.text;
    let begin = (0..=span.start.saturating_sub(AROUND))
        .rev()
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or_default();
    let end = ((span.end + AROUND).min(text.len())..=text.len())
        .find(|&at| text.is_char_boundary(at))
        .unwrap_or(text.len());
    let around = format!("{}[{}]{}", &text[begin..span.start], &text[span.clone()], &text[span.end..end]);
    let day = article.published.map(|day| day.to_string()).unwrap_or_default();
    println!("{part}\t{kind}\t{what}\t{day}\t{}\t{}", around.replace('\n', " "), article.name);
}

/// The folder itself, or the folders in it, if they hold files of this format.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, String> {
    if !files(folder)?.is_empty() {
        return Ok(vec![folder.to_owned()]);
    }
    let mut inner: Vec<PathBuf> = entries(folder)?.into_iter().filter(|entry| entry.is_dir()).collect();
    inner.sort();
    if inner.is_empty() { Err(format!("{} holds no .tml files", folder.display())) } else { Ok(inner) }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files: Vec<PathBuf> = entries(folder)?
        .into_iter()
        .filter(|file| file.extension().is_some_and(|ending| ending == "tml"))
        .collect();
    files.sort();
    Ok(files)
}

pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    Ok(entries.filter_map(Result::ok).map(|entry| entry.path()).collect())
}

/// Takes the marks out of a file's text and keeps where they stood.
fn article(file: &Path) -> Result<Article, String> {
    let markup = text_of(file)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wrong = |what: &str| format!("{name}: {what}");
    let published = markup
        .split_once("<DCT>")
        .and_then(|(_, rest)| rest.split_once("</DCT>"))
        .and_then(|(dct, _)| attribute(dct, "value"))
        .and_then(|value| value.get(..10)?.parse().ok());
    let body = markup
        .split_once("<TEXT>")
        .and_then(|(_, rest)| rest.split_once("</TEXT>"))
        .ok_or_else(|| wrong("there is no TEXT"))?
        .0;
    let (mut text, mut gold, mut open) = (String::new(), Vec::new(), None);
    let mut rest = body;
    while let Some(at) = rest.find('<') {
        text.push_str(&plain(&rest[..at]));
        let close = rest[at..].find('>').ok_or_else(|| wrong("a mark does not end"))? + at;
        let mark = &rest[at + 1..close];
        if mark.starts_with("TIMEX3 ") {
            open = Some((
                text.len(),
                attribute(mark, "type").unwrap_or_default(),
                attribute(mark, "value").unwrap_or_default(),
            ));
        } else if mark == "/TIMEX3"
            && let Some((begin, kind, value)) = open.take()
            && !text[begin..].trim().is_empty()
        {
            gold.push(Gold { begin, end: text.len(), kind: kind.to_owned(), value: value.to_owned() });
        }
        rest = &rest[close + 1..];
    }
    text.push_str(&plain(rest));
    Ok(Article { name, text: joined(&text), published, gold })
}

/// Entities of XML as their signs.
pub(crate) fn plain(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

/// Lines of a paragraph joined by blanks: a line's end is none of a sentence there, an empty line is.
fn joined(text: &str) -> String {
    let bytes = text.as_bytes();
    let blank =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_none_or(|byte| byte.is_ascii_whitespace());
    text.char_indices()
        .map(
            |(at, letter)| {
                if letter == '\n' && !blank(at.checked_sub(1)) && !blank(Some(at + 1)) { ' ' } else { letter }
            },
        )
        .collect()
}

/// The value of one attribute of a mark.
pub(crate) fn attribute<'a>(mark: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = mark.split_once(&format!(" {name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
