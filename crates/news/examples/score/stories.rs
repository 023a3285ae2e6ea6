//! Grouping, on ECB+: annotated sentences of news on 43 topics, two similar events each.

use std::collections::BTreeMap;
use std::path::Path;

use news::group::Grouper;
use news::{Format, Source, text};

use crate::bcubed::bcubed;
use crate::report::{Part, Report};
use crate::{Asked, text_of};

/// Stories come mixed, never one after the other: several orders, fixed.
const STRIDES: [usize; 5] = [1, 7, 31, 97, 211];

/// Figures are averages over the orders.
pub(crate) fn score(asked: &Asked) -> Result<Report, String> {
    let texts = texts(&asked.folder)?;
    let topic =
        |id: &str| id.split('_').next().and_then(|topic| topic.parse::<u32>().ok()).unwrap_or_default();
    let part = |name: &str, wanted: &dyn Fn(u32) -> bool| {
        let documents: Vec<_> = texts.iter().filter(|(id, _)| wanted(topic(id))).collect();
        let (mut precision, mut recall, mut f1) = (0.0, 0.0, 0.0);
        for stride in STRIDES {
            let grouped = grouped(&documents, stride);
            let (p, r, f) =
                bcubed(&grouped.iter().map(|(id, story)| (truth(id), *story)).collect::<Vec<_>>());
            (precision, recall, f1) = (precision + p, recall + r, f1 + f);
        }
        let mean = |sum: f64| sum / STRIDES.len() as f64;
        Part {
            name: name.to_owned(),
            documents: documents.len(),
            metrics: vec![
                ("bcubed_f1", mean(f1)),
                ("bcubed_precision", mean(precision)),
                ("bcubed_recall", mean(recall)),
            ],
        }
    };
    if asked.explain {
        explain(&grouped(&texts.iter().collect::<Vec<_>>(), STRIDES[0]));
    }
    Ok(Report::new(vec![
        part("odd topics, to tune on", &|topic| topic % 2 == 1),
        part("even topics, to report", &|topic| topic.is_multiple_of(2)),
        part("all", &|_| true),
    ]))
}

/// Documents of a round, at whose end stories settle.
const ROUND: usize = 50;

/// Each document and the story it was put into.
fn grouped<'a>(documents: &[(&'a String, &String)], stride: usize) -> Vec<(&'a str, [u8; 16])> {
    let mut order: Vec<usize> = (0..documents.len()).collect();
    order.sort_by_key(|&at| (at * stride % 1009, at));
    let mut grouper = Grouper::new();
    let mut put = Vec::new();
    for (nth, at) in order.into_iter().enumerate() {
        let (id, words) = documents[at];
        let source = Source { name: id.clone(), format: Format::Text, charset: "UTF-8" };
        if let Ok(document) = text::read(&format!("{words} ."), source) {
            let article = news::article(&document).id;
            grouper.add(&document);
            put.push((id.as_str(), article));
        }
        if nth % ROUND == ROUND - 1 {
            grouper.settle();
        }
    }
    grouper.settle();
    put.into_iter().filter_map(|(id, article)| Some((id, grouper.story_of(article)?.0))).collect()
}

/// Stories with articles of several events, and events told in several stories.
fn explain(grouped: &[(&str, [u8; 16])]) {
    let mut by_story = BTreeMap::<[u8; 16], BTreeMap<String, Vec<&str>>>::new();
    let mut by_truth = BTreeMap::<String, BTreeMap<[u8; 16], Vec<&str>>>::new();
    for (id, story) in grouped {
        by_story.entry(*story).or_default().entry(truth(id)).or_default().push(id);
        by_truth.entry(truth(id)).or_default().entry(*story).or_default().push(id);
    }
    for events in by_story.values().filter(|events| events.len() > 1) {
        println!("one story of {events:?}");
    }
    for (event, stories) in by_truth.iter().filter(|(_, stories)| stories.len() > 1) {
        println!("{event} in {} stories: {:?}", stories.len(), stories.values().collect::<Vec<_>>());
    }
}

/// Document id -> its text.
fn texts(folder: &Path) -> Result<BTreeMap<String, String>, String> {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    for file in ["ecb_Train.txt", "ecb_Dev.txt"] {
        let rows = text_of(&folder.join(file))?;
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
    Ok(texts)
}

/// Topic and half of it: `2_11ecb` -> `2 ecb`.
fn truth(id: &str) -> String {
    let topic = id.split('_').next().unwrap_or_default();
    format!("{topic} {}", if id.ends_with("ecbplus") { "ecbplus" } else { "ecb" })
}
