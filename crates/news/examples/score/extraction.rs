//! Extraction, on pages with hand-made article bodies: shingles of four words, as the article-extraction-benchmark counts them.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use news::{Document, Input, read};
use proto::story::Block;
use serde_json::Value;

use crate::report::{Part, Report};
use crate::{Asked, text_of};

/// Words of a shingle.
const SHINGLE: usize = 4;

/// The machine may do other things: the fastest round is the one nearest to the truth.
const ROUNDS: usize = 3;

/// What was found on a page, against what people found.
struct Page {
    id: String,
    precision: f64,
    recall: f64,
    seconds: f64,
    missing: Vec<String>,
    too_much: Vec<String>,
    /// What was left out, with the reason.
    dropped: Vec<String>,
}

/// Pages with odd numbers, counted from 0 in the order of their ids, are for tuning.
pub(crate) fn score(asked: &Asked) -> Result<Report, String> {
    let pages = pages(&asked.folder)?;
    if asked.explain {
        explain(&pages);
    }
    Ok(Report::new(vec![
        part("odd pages, to tune on", pages.iter().skip(1).step_by(2)),
        part("even pages, to report", pages.iter().step_by(2)),
        part("all", pages.iter()),
    ]))
}

fn part<'a>(name: &str, pages: impl Iterator<Item = &'a Page>) -> Part {
    let (mut precision, mut recall, mut seconds, mut documents) = (0.0, 0.0, 0.0, 0);
    for page in pages {
        precision += page.precision;
        recall += page.recall;
        seconds += page.seconds;
        documents += 1;
    }
    let mean = |sum: f64| sum / f64::max(f64::from(documents), 1.0);
    let (precision, recall) = (mean(precision), mean(recall));
    Part {
        name: name.to_owned(),
        documents: documents as usize,
        metrics: vec![
            ("f1", 2.0 * precision * recall / f64::max(precision + recall, f64::MIN_POSITIVE)),
            ("precision", precision),
            ("recall", recall),
            ("pages_per_second", f64::from(documents) / f64::max(seconds, f64::MIN_POSITIVE)),
        ],
    }
}

/// Worst first.
fn explain(pages: &[Page]) {
    let f1 = |page: &Page| 2.0 * page.precision * page.recall / (page.precision + page.recall).max(0.001);
    let mut order: Vec<usize> = (0..pages.len()).collect();
    order.sort_by(|&a, &b| f1(&pages[a]).total_cmp(&f1(&pages[b])));
    for at in order {
        let page = &pages[at];
        let side = if at % 2 == 1 { "tune" } else { "report" };
        println!("{side} {} precision {:.3} recall {:.3}", page.id, page.precision, page.recall);
        page.missing.iter().for_each(|text| println!("{side} {:.6}   - {text}", page.id));
        page.too_much.iter().for_each(|text| println!("{side} {:.6}   + {text}", page.id));
        page.dropped.iter().for_each(|text| println!("{side} {:.6}   left out: {text}", page.id));
    }
}

fn pages(folder: &Path) -> Result<Vec<Page>, String> {
    let truth: BTreeMap<String, Value> =
        serde_json::from_str(&text_of(&folder.join("ground-truth.json"))?)
            .map_err(|error| format!("ground-truth.json is not read: {error}"))?;
    let said = |page: &Value, name: &str| page[name].as_str().unwrap_or_default().to_owned();
    let mut inputs = Vec::new();
    for (id, page) in &truth {
        inputs.push((unpacked(&folder.join("html").join(format!("{id}.html.gz")))?, said(page, "url")));
    }
    let rounds =
        (0..ROUNDS).map(|_| inputs.iter().map(|(html, url)| extracted(html, url)).collect::<Vec<_>>());
    let spent = |round: &Vec<(_, f64)>| round.iter().map(|(_, seconds)| seconds).sum::<f64>();
    let best = rounds.min_by(|a, b| spent(a).total_cmp(&spent(b))).unwrap_or_default();
    let compared = truth.into_iter().zip(best).map(|((id, page), (document, seconds))| {
        compare(id, &said(&page, "articleBody"), document.as_ref(), seconds)
    });
    Ok(compared.collect())
}

fn unpacked(file: &Path) -> Result<Vec<u8>, String> {
    let failed = |error| format!("{} cannot be read: {error}", file.display());
    let mut bytes = Vec::new();
    let packed = std::fs::File::open(file).map_err(failed)?;
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The document, and the seconds that reading it took.
fn extracted(html: &[u8], address: &str) -> (Option<Document>, f64) {
    let input = Input { name: "page.html", address: Some(address), content_type: None };
    let begun = seconds();
    let got = read(html, input);
    let spent = seconds() - begun;
    (got.ok().and_then(|got| got.documents.into_iter().next()), spent)
}

/// The text of the article, without captions, which are told apart.
fn body(document: &Document) -> String {
    let text = document.body.iter().filter(|block| !matches!(block, Block::Caption(_)));
    text.map(Block::text).collect::<Vec<_>>().join("\n")
}

/// Seconds that this thread has run, which the system may count in steps longer than one page takes; where it does not tell,
/// those of the clock.
#[expect(clippy::disallowed_methods, reason = "a measurement: how many pages a second")]
fn seconds() -> f64 {
    static BEGIN: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.as_deref().and_then(|spent| spent.split(' ').next()?.parse::<f64>().ok());
    match nanoseconds {
        Some(nanoseconds) => nanoseconds / 1e9,
        None => BEGIN.get_or_init(Instant::now).elapsed().as_secs_f64(),
    }
}

/// Which shingles of `these` are among `those`, each of which is hit once.
fn hits<'a>(these: &[Vec<&'a str>], those: &[Vec<&'a str>]) -> Vec<bool> {
    let mut left: HashMap<&[&str], usize> = HashMap::new();
    those.iter().for_each(|shingle| *left.entry(shingle).or_default() += 1);
    let hit = |shingle: &Vec<&'a str>| match left.get_mut(shingle.as_slice()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    these.iter().map(hit).collect()
}

fn compare(id: String, truth: &str, document: Option<&Document>, seconds: f64) -> Page {
    let found = &document.map(body).unwrap_or_default();
    let dropped = document.map(|document| document.dropped.as_slice()).unwrap_or_default();
    let (truth_words, found_words) = (words(truth), words(found));
    let (truth_shingles, found_shingles) = (shingles(truth, &truth_words), shingles(found, &found_words));
    let (recalled, precise) =
        (hits(&truth_shingles, &found_shingles), hits(&found_shingles, &truth_shingles));
    let share = |hits: &[bool]| hits.iter().filter(|hit| **hit).count() as f64 / hits.len() as f64;
    Page {
        id,
        precision: share(&precise),
        recall: share(&recalled),
        seconds,
        missing: runs(truth, &truth_words, &recalled),
        too_much: runs(found, &found_words, &precise),
        dropped: dropped.iter().map(|dropped| format!("({}) {}", dropped.reason, dropped.text)).collect(),
    }
}

/// Where the words of a text stand: runs of letters, digits and underscores.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (begin, c.is_alphanumeric() || c == '_') {
            (None, true) => begin = Some(at),
            (Some(from), false) => {
                words.push(from..at);
                begin = None;
            }
            _ => {}
        }
    }
    words
}

/// A text of fewer words is one shingle.
fn shingles<'a>(text: &'a str, words: &[Range<usize>]) -> Vec<Vec<&'a str>> {
    let of = |words: &[Range<usize>]| words.iter().map(|word| &text[word.clone()]).collect();
    if words.len() < SHINGLE { vec![of(words)] } else { words.windows(SHINGLE).map(of).collect() }
}

/// The passages in which no shingle was hit.
fn runs(text: &str, words: &[Range<usize>], hits: &[bool]) -> Vec<String> {
    let mut covered = vec![false; words.len()];
    for (at, _) in hits.iter().enumerate().filter(|(_, hit)| **hit) {
        covered.iter_mut().skip(at).take(SHINGLE).for_each(|word| *word = true);
    }
    let mut runs = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let end = (at..words.len()).find(|&next| covered[next] != covered[at]).unwrap_or(words.len());
        if !covered[at] {
            runs.push(text[words[at].start..words[end - 1].end].replace('\n', " ¶ "));
        }
        at = end;
    }
    runs
}
