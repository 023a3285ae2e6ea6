//! Quotes, on articles with every attribution annotated (brat: `text/NAME.txt`, `attributions/NAME.ann`).
//!
//! An item is an attribution whose content holds a double quotation mark. It is found if a quote's content shares 0.8 of the letters
//! that either of them has (`span_f1`), or all (`span_f1_exact`); blanks do not count. Of those found, the speaker is right if the
//! source overlaps the speaker's mention. An article that several people annotated is as many documents.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use news::name::Names;
use news::quote::{Kind, Quote, quotes_of_cut};
use news::{Cut, Span};
use proto::story::Block;

use crate::report::{Part, Report};
use crate::{Asked, text_of};

/// Shared letters that make two spans one.
const OVERLAP: f64 = 0.8;

pub(crate) fn score(asked: &Asked) -> Result<Report, String> {
    let mut parts = Vec::new();
    for (name, folder) in folders(&asked.folder)? {
        let documents = documents(&folder)?;
        let mut tally = Tally::default();
        for document in &documents {
            tally.add(document, asked.explain);
        }
        if asked.explain {
            println!("{name}: {:.0} articles/s", tally.documents as f64 / tally.seconds.max(1e-9));
        }
        parts.push((name, tally));
    }
    if parts.len() > 1 {
        let all = parts.iter().fold(Tally::default(), |sum, (_, tally)| sum.plus(tally));
        parts.push(("all".to_owned(), all));
    }
    Ok(Report::new(parts.into_iter().map(|(name, tally)| tally.part(name)).collect()))
}

/// The folder itself, or those in it, if they have texts.
fn folders(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>, String> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if folder.join("text").is_dir() {
        return Ok(vec![(name(folder), folder.to_owned())]);
    }
    let entries =
        std::fs::read_dir(folder).map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    let mut found: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.join("text").is_dir()).collect();
    if found.is_empty() {
        return Err(format!("{} has no folder `text`, nor do the folders in it", folder.display()));
    }
    // The part to tune on comes first.
    found.sort_by_key(|path| std::cmp::Reverse(name(path)));
    Ok(found.into_iter().map(|path| (name(&path), path)).collect())
}

/// An article as one person annotated it.
struct Document {
    name: String,
    text: String,
    truth: Vec<Truth>,
}

/// An attribution with marks, in bytes of the text.
struct Truth {
    content: Vec<(usize, usize)>,
    source: Vec<(usize, usize)>,
}

fn documents(folder: &Path) -> Result<Vec<Document>, String> {
    let attributions = folder.join("attributions");
    let entries = std::fs::read_dir(&attributions)
        .map_err(|error| format!("{} cannot be read: {error}", attributions.display()))?;
    let mut files: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "ann"))
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        // The annotator's sign may stand behind the text's name.
        let texts = [Some(name.as_str()), name.rsplit_once('_').map(|(name, _)| name)];
        let text = texts
            .into_iter()
            .flatten()
            .map(|name| folder.join("text").join(format!("{name}.txt")))
            .find(|path| path.is_file());
        let text = text_of(&text.ok_or_else(|| format!("{} has no text", file.display()))?)?;
        let truth = truth(&text, &text_of(&file)?);
        found.push(Document { name, text, truth });
    }
    Ok(found)
}

fn truth(text: &str, annotations: &str) -> Vec<Truth> {
    let bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let place = |pair: &str| {
        let (begin, end) = pair.trim().split_once(' ')?;
        let at = |number: &str| number.parse::<usize>().ok().and_then(|at| bytes.get(at).copied());
        Some((at(begin)?, at(end)?))
    };
    let mut spans = BTreeMap::new();
    for line in annotations.lines() {
        let mut fields = line.split('\t');
        if let (Some(id), Some(typed)) = (fields.next(), fields.next())
            && id.starts_with('T')
            && let Some((kind, pairs)) = typed.split_once(' ')
        {
            spans.insert(id, (kind, pairs.split(';').filter_map(place).collect::<Vec<_>>()));
        }
    }
    let mut found = Vec::new();
    for line in annotations.lines().filter(|line| line.starts_with('E')) {
        let mut truth = Truth { content: Vec::new(), source: Vec::new() };
        let ids =
            line.split('\t').nth(1).unwrap_or_default().split(' ').filter_map(|part| part.split_once(':'));
        for (kind, pairs) in ids.filter_map(|(_, id)| spans.get(id)) {
            match *kind {
                "Content" => truth.content.extend(pairs),
                "Source" => truth.source.extend(pairs),
                _ => {}
            }
        }
        truth.content.sort_unstable();
        if truth.content.iter().any(|&(begin, end)| text.get(begin..end).is_some_and(has_mark)) {
            found.push(truth);
        }
    }
    found
}

/// Whether the engine says whose words they are.
fn is_attributed(quote: &Quote) -> bool {
    quote.kind == Kind::Speech && (quote.cue.is_some() || quote.speaker.is_some())
}

fn has_mark(text: &str) -> bool {
    text.contains(['"', '“', '”', '«', '»']) || text.contains("''")
}

#[derive(Default)]
struct Tally {
    documents: usize,
    wanted: usize,
    given: usize,
    matched: usize,
    exact: usize,
    sourced: usize,
    right: usize,
    seconds: f64,
}

impl Tally {
    #[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
    fn add(&mut self, document: &Document, explain: bool) {
        let text = &document.text;
        let (blocks, begins) = blocks(text);
        let started = Instant::now();
        let cut = Cut::of(&blocks);
        let quotes = quotes_of_cut(&cut, &Names::of_cut(&cut));
        self.seconds += started.elapsed().as_secs_f64();
        let place =
            |span: &Span| (begins[span.block] + span.bytes.start, begins[span.block] + span.bytes.end);
        let given: Vec<(Vec<(usize, usize)>, &Quote)> = quotes
            .iter()
            .filter(|quote| is_attributed(quote))
            .map(|quote| (quote.content.iter().map(place).collect::<Vec<_>>(), quote))
            .collect();
        let given: Vec<_> = given
            .into_iter()
            .filter(|(content, _)| content.iter().any(|&(b, e)| has_mark(&text[b..e])))
            .collect();
        self.documents += 1;
        self.wanted += document.truth.len();
        self.given += given.len();
        let mut taken = vec![false; given.len()];
        for truth in &document.truth {
            let best = (0..given.len())
                .filter(|&at| !taken[at])
                .map(|at| (overlap(text, &truth.content, &given[at].0), at))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            let Some((share, at)) = best.filter(|(share, _)| *share >= OVERLAP) else {
                if explain {
                    let near = best.filter(|(share, _)| *share > 0.0);
                    let kind = if near.is_some() { "SPAN" } else { "MISSED" };
                    println!(
                        "{}\t{kind}\t{}\tin {}",
                        document.name,
                        said(text, &truth.content),
                        around(text, &truth.content)
                    );
                    if let Some((share, at)) = near {
                        println!("\t{share:.2} given\t{}", said(text, &given[at].0));
                    }
                }
                continue;
            };
            taken[at] = true;
            self.matched += 1;
            self.exact += usize::from(share >= 1.0);
            if !truth.source.is_empty() {
                let mention = given[at].1.speaker.as_ref().map(|speaker| place(&speaker.mention));
                let right = mention
                    .is_some_and(|(begin, end)| truth.source.iter().any(|&(b, e)| b < end && begin < e));
                self.sourced += 1;
                self.right += usize::from(right);
                if explain && !right {
                    let mention = mention.map_or("nobody", |(begin, end)| &text[begin..end]);
                    println!(
                        "{}\tSPEAKER\t{}\tgiven {mention}\tin {}",
                        document.name,
                        said(text, &truth.source),
                        around(text, &truth.content)
                    );
                }
            }
        }
        if explain {
            for (at, taken) in taken.iter().enumerate() {
                let cue =
                    given[at].1.cue.as_ref().map(place).map_or("none", |(begin, end)| &text[begin..end]);
                println!(
                    "{}\tCUE\t{}\t{}",
                    document.name,
                    cue.to_lowercase(),
                    if *taken { "right" } else { "wrong" }
                );
            }
            for (at, _) in taken.iter().enumerate().filter(|(_, taken)| !**taken) {
                let near =
                    document.truth.iter().any(|truth| overlap(text, &truth.content, &given[at].0) > 0.0);
                if !near {
                    println!(
                        "{}\tSPURIOUS\t{}\tin {}",
                        document.name,
                        said(text, &given[at].0),
                        around(text, &given[at].0)
                    );
                }
            }
        }
    }

    fn plus(&self, other: &Tally) -> Tally {
        Tally {
            documents: self.documents + other.documents,
            wanted: self.wanted + other.wanted,
            given: self.given + other.given,
            matched: self.matched + other.matched,
            exact: self.exact + other.exact,
            sourced: self.sourced + other.sourced,
            right: self.right + other.right,
            seconds: self.seconds + other.seconds,
        }
    }

    fn part(&self, name: String) -> Part {
        let share = |part: usize, all: usize| if all == 0 { 0.0 } else { part as f64 / all as f64 };
        let f1 = |matched: usize| share(2 * matched, self.wanted + self.given);
        Part {
            name,
            documents: self.documents,
            metrics: vec![
                ("span_f1", f1(self.matched)),
                ("span_precision", share(self.matched, self.given)),
                ("span_recall", share(self.matched, self.wanted)),
                ("span_f1_exact", f1(self.exact)),
                ("speaker_accuracy", share(self.right, self.sourced)),
            ],
        }
    }
}

/// The paragraphs of a text, and where each begins.
fn blocks(text: &str) -> (Vec<Block>, Vec<usize>) {
    let mut begin = 0;
    let mut found = (Vec::new(), Vec::new());
    for line in text.split('\n') {
        if !line.trim().is_empty() {
            found.0.push(Block::Paragraph(line.to_owned()));
            found.1.push(begin);
        }
        begin += line.len() + 1;
    }
    found
}

/// Letters that both have, of those that either has.
fn overlap(text: &str, one: &[(usize, usize)], other: &[(usize, usize)]) -> f64 {
    let length = |begin: usize, end: usize| {
        text.get(begin..end).unwrap_or_default().chars().filter(|c| !c.is_whitespace()).count()
    };
    let all = |spans: &[(usize, usize)]| spans.iter().map(|&(begin, end)| length(begin, end)).sum::<usize>();
    let mut shared = 0;
    for &(begin, end) in one {
        for &(b, e) in other {
            let (from, to) = (begin.max(b), end.min(e));
            if from < to {
                shared += length(from, to);
            }
        }
    }
    if shared == 0 { 0.0 } else { shared as f64 / (all(one) + all(other) - shared) as f64 }
}

fn said(text: &str, spans: &[(usize, usize)]) -> String {
    spans.iter().map(|&(begin, end)| text[begin..end].replace('\n', "¶")).collect::<Vec<_>>().join(" // ")
}

/// The words with those that stand beside them.
fn around(text: &str, spans: &[(usize, usize)]) -> String {
    const BESIDE: usize = 120;
    let (begin, end) = (spans[0].0, spans[spans.len() - 1].1);
    let from = text[..begin].char_indices().rev().nth(BESIDE).map_or(0, |(at, _)| at);
    let to = text[end..].char_indices().nth(BESIDE).map_or(text.len(), |(at, _)| end + at);
    text[from..to].replace('\n', "¶")
}
