//! How many plain-text articles go through the engine in a second, and how much memory it keeps: a stream of made-up articles, several
//! to an event, read, grouped and looked through, on two threads as a press of two cores would.
//!
//! ```text
//! cargo run --release -p news --example scale -- 1000000 [--svg FILE]
//! cargo run --release -p news --example scale -- 20000 --write FOLDER
//! ```
//!
//! The second writes the articles to files, for `weigh` of the press.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, for people")]

use std::fmt::Write as _;
use std::time::Instant;

use news::analysis::analysis;
use news::group::{Grouper, Prepared};
use proto::story::{Grain, StoryId, When};

/// Articles that are read before their stories are looked through, as at the end of a round.
const ROUND: usize = 2_000;
/// A row is printed after so many.
const ROW: usize = 20_000;
/// Articles of an event, in the same round or the next.
const COVERAGE: usize = 5;
/// Words of an article, about.
const WORDS: usize = 600;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let all: usize = arguments.next().and_then(|number| number.parse().ok()).unwrap_or(100_000);
    let option = arguments.next().unwrap_or_default();
    let file = arguments.next();
    if let ("--write", Some(folder)) = (option.as_str(), &file) {
        for number in 0..all {
            let name = format!("{folder}/{number:07}.txt");
            std::fs::write(&name, text(number))
                .unwrap_or_else(|why| println!("{name} cannot be written: {why}"));
        }
        return;
    }
    let svg = file.filter(|_| option == "--svg");
    let mut grouper = Grouper::new();
    let mut rows = Vec::new();
    let (mut spent, mut last) = (Spent::default(), 0.0);
    println!("{:>9}  {:>10}  {:>7}  {:>7}", "articles", "articles/s", "MiB", "stories");
    for from in (0..all).step_by(ROUND) {
        let texts: Vec<String> = (from..from + ROUND).map(text).collect();
        round(&mut grouper, from, &texts, &mut spent);
        let done = from + ROUND;
        if done.is_multiple_of(ROW) {
            let speed = ROW as f64 / (spent.all() - last);
            last = spent.all();
            let memory = resident();
            println!("{done:>9}  {speed:>10.0}  {memory:>7.0}  {:>7}", grouper.stories().len());
            rows.push((done, speed, memory));
        }
    }
    println!("{:.0} articles/s over all, {} rows found", all as f64 / spent.all(), spent.rows);
    let share = |part: f64| 100.0 * part / spent.all();
    println!(
        "read {:.0} %, group {:.0} %, look through {:.0} %",
        share(spent.reading),
        share(spent.grouping),
        share(spent.looking)
    );
    if let Some(file) = svg {
        std::fs::write(&file, plot(&rows)).unwrap_or_else(|why| println!("{file} cannot be written: {why}"));
    }
}

/// Seconds, and what came of them.
#[derive(Default)]
struct Spent {
    reading: f64,
    grouping: f64,
    looking: f64,
    rows: usize,
}

impl Spent {
    fn all(&self) -> f64 {
        self.reading + self.grouping + self.looking
    }
}

/// Reads a round's texts, groups them and looks through the stories that changed.
fn round(grouper: &mut Grouper, from: usize, texts: &[String], spent: &mut Spent) {
    let half = texts.len() / 2;
    let read = |from: usize, texts: &[String]| -> Vec<Prepared> {
        let document = |(at, text): (usize, &String)| {
            let name = format!("{}.txt", from + at);
            let input = news::Input { name: &name, address: None, content_type: None };
            let mut document =
                news::read(text.as_bytes(), input).expect("it has a paragraph").documents.remove(0);
            document.outlet = Some(format!("Outlet {}", (from + at) % 97));
            document.published = Some(When { unix: day((from + at) / ROUND) * 86_400, grain: Grain::Day });
            Prepared::of(news::article(&document), &document)
        };
        texts.iter().enumerate().map(document).collect()
    };
    let begin = Instant::now();
    let documents = std::thread::scope(|scope| {
        let second = scope.spawn(|| read(from + half, &texts[half..]));
        let mut documents = read(from, &texts[..half]);
        documents.extend(second.join().expect("it does not panic"));
        documents
    });
    spent.reading += begin.elapsed().as_secs_f64();
    let (begin, before) = (Instant::now(), grouper.revision());
    for document in documents {
        let _: StoryId = grouper.add_prepared(document);
    }
    grouper.settle();
    let stories = grouper.changed_since(before);
    spent.grouping += begin.elapsed().as_secs_f64();
    let look = |stories: &[proto::story::Story]| -> usize {
        let rows = |story: &proto::story::Story| {
            let found = analysis(&story.articles);
            found.events.len() + found.utterances.len() + found.claims.len()
        };
        stories.iter().map(rows).sum()
    };
    let (one, other) = stories.split_at(stories.len() / 2);
    let begin = Instant::now();
    spent.rows += std::thread::scope(|scope| {
        let second = scope.spawn(|| look(other));
        look(one) + second.join().expect("it does not panic")
    });
    spent.looking += begin.elapsed().as_secs_f64();
}

/// A round a day, from 2031 on.
fn day(round: usize) -> i64 {
    22_280 + round as i64
}

/// A made-up article: its event gives it names, a day and words of its own, chance the rest.
fn text(number: usize) -> String {
    let event = number / COVERAGE;
    let mut chance = Chance(number as u64 * 0x9e37_79b9 + 7);
    let mut own = Chance(event as u64 * 0xc2b2_ae35 + 3);
    let person = format!("{} {}", name(&mut own), name(&mut own));
    let surname = person.split(' ').next_back().unwrap_or_default().to_owned();
    let place = name(&mut own);
    let topic: Vec<String> = (0..14).map(|_| word(own.below(200_000))).collect();
    let said = (0..9).map(|_| word(own.below(5_000))).collect::<Vec<_>>().join(" ");
    let mut text = format!("{} {} {} in {place}\n\n", capital(&topic[0]), topic[1], topic[2]);
    let mut words = 0;
    for sentence in 0.. {
        let filler = |chance: &mut Chance| -> String {
            let one =
                |_| if chance.below(4) == 0 { topic[chance.below(14)].clone() } else { word(chance.zipf()) };
            (0..14).map(one).collect::<Vec<_>>().join(" ")
        };
        let line = match sentence % 8 {
            0 => format!(
                "{person} of {place} told the {} on {} May that the {}.",
                topic[3],
                1 + event % 28,
                filler(&mut chance)
            ),
            2 => format!(
                "“The {said},” {surname} said, according to a recording obtained by the {place} Gazette."
            ),
            4 => format!(
                "Two days later {} of the {} people in {place} were {}.",
                2 + own.0 % 90,
                100 + event % 900,
                filler(&mut chance)
            ),
            _ => format!("The {} was {} in {place}.", filler(&mut chance), topic[chance.below(14)]),
        };
        words += line.split(' ').count();
        text.push_str(&line);
        text.push_str(if sentence % 3 == 2 { "\n\n" } else { " " });
        if words > WORDS {
            break;
        }
    }
    text
}

/// A generator of the kind that repeats itself everywhere.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, most: usize) -> usize {
        self.next() as usize % most
    }

    /// A few words often, many seldom.
    fn zipf(&mut self) -> usize {
        let most = 1 << (4 + self.below(13));
        self.below(most)
    }
}

const SYLLABLES: [&str; 16] = [
    "ba", "den", "fol", "gar", "hin", "jor", "kel", "lum", "mor", "nev", "pa", "rus", "sil", "tor", "vel",
    "wyn",
];

fn word(number: usize) -> String {
    let mut rest = number + 16;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(SYLLABLES[rest % 16]);
        rest /= 16;
    }
    word
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn name(chance: &mut Chance) -> String {
    capital(&word(chance.below(60_000)))
}

/// Memory that the process holds, in MiB; 0 where the system does not say.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}

/// Speed and memory over the articles read.
fn plot(rows: &[(usize, f64, f64)]) -> String {
    const WIDTH: f64 = 640.0;
    const HEIGHT: f64 = 160.0;
    let all = rows.last().map_or(1.0, |row| row.0 as f64);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 400\" font-family=\"sans-serif\" font-size=\"12\">\n",
    );
    for (top, title, value) in [(30.0, "articles a second", 1), (220.0, "memory, MiB", 2)] {
        let of = |row: &(usize, f64, f64)| if value == 1 { row.1 } else { row.2 };
        let most = rows.iter().map(of).fold(1.0, f64::max) * 1.1;
        let points: Vec<String> = rows
            .iter()
            .map(|row| {
                let x = 60.0 + row.0 as f64 / all * WIDTH;
                format!("{x:.1},{:.1}", top + HEIGHT - of(row) / most * HEIGHT)
            })
            .collect();
        let _ = writeln!(svg, "<text x=\"60\" y=\"{}\">{title}</text>", top - 8.0);
        let _ = writeln!(svg, "<path d=\"M60 {top}v{HEIGHT}h{WIDTH}\" fill=\"none\" stroke=\"#888\"/>");
        let _ = writeln!(svg, "<text x=\"52\" y=\"{}\" text-anchor=\"end\">0</text>", top + HEIGHT);
        let _ = writeln!(svg, "<text x=\"52\" y=\"{}\" text-anchor=\"end\">{most:.0}</text>", top + 10.0);
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"#1a5276\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        let _ = writeln!(
            svg,
            "<text x=\"700\" y=\"{}\" text-anchor=\"end\">{all:.0} articles</text>",
            top + HEIGHT + 16.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}
