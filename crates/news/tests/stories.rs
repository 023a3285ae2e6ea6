//! Grouping measured on ECB+ (annotated sentences of news on 43 topics, two similar events each), where the data lies.
//!
//! `cargo nextest run -p news --test stories --no-capture` prints the figures. Without the data it says so.

mod bcubed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use bcubed::bcubed;

use news::group::Grouper;
use news::{Format, Source, text};

/// Document id -> its text.
fn ecb(folder: &std::path::Path) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for file in ["ecb_Train.txt", "ecb_Dev.txt"] {
        let rows = std::fs::read_to_string(folder.join(file)).expect("a data file");
        for row in rows.lines() {
            let mut fields = row.split('\t');
            let (Some(id), Some(_), Some(_), Some(token)) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                continue;
            };
            let text = texts.entry(id.to_owned()).or_default();
            text.push(' ');
            text.push_str(token);
        }
    }
    texts
}

/// Topic and half of it: `2_11ecb` -> `2 ecb`.
fn truth(id: &str) -> String {
    let topic = id.split('_').next().expect("a topic");
    format!("{topic} {}", if id.ends_with("ecbplus") { "ecbplus" } else { "ecb" })
}

fn score(documents: &[(&String, &String)]) -> (f64, f64, f64) {
    let mut grouper = Grouper::new();
    let mut items = Vec::new();
    for (id, words) in documents {
        let source = Source { name: (*id).clone(), format: Format::Text, charset: "UTF-8" };
        let document = text::read(&format!("{words} ."), source).expect("an article");
        items.push((truth(id), grouper.add(&document).0));
    }
    bcubed(&items)
}

#[test]
fn ecb_plus() {
    let root = std::env::var_os("FIRSTHAND_BENCH")
        .map(PathBuf::from)
        .unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/bench"));
    let folder = root.join("stories");
    if !folder.is_dir() {
        println!("skipped: no data at {} (set FIRSTHAND_BENCH)", folder.display());
        return;
    }
    let texts = ecb(&folder);
    let topic = |id: &str| id.split('_').next().and_then(|t| t.parse::<u32>().ok()).expect("a topic");
    for name in ["odd", "even", "all"] {
        let wanted = |topic: u32| match name {
            "odd" => topic % 2 == 1,
            "even" => topic.is_multiple_of(2),
            _ => true,
        };
        let documents: Vec<_> = texts.iter().filter(|(id, _)| wanted(topic(id))).collect();
        let (mut total, mut lowest) = (0.0, 1.0f64);
        // Stories come mixed, never one after the other: several orders, fixed.
        let strides = [1usize, 7, 31, 97, 211];
        for stride in strides {
            let n = documents.len();
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by_key(|&at| (at * stride % 1009, at));
            let shuffled: Vec<_> = order.iter().map(|&at| documents[at]).collect();
            let (p, r, f1) = score(&shuffled);
            println!("{name} {stride}: P {p:.3} R {r:.3} F1 {f1:.3}");
            total += f1;
            lowest = lowest.min(f1);
        }
        println!(
            "{name}: {} articles, F1 {:.3}, lowest {lowest:.3}",
            documents.len(),
            total / strides.len() as f64
        );
        assert!(name != "all" || lowest > 0.8);
    }
}
