//! How much a folder's articles weigh in an edition, packed, and what of it weighs how much. With `--hours`, how much an edition weighs
//! of each hour of a day in which they came one after the other, for who has the one before.
//!
//! ```text
//! cargo run --release -p press --example weigh -- FOLDER [--hours]
//! ```

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, for people")]

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use press::gather::{Gather, Inputs};
use proto::analysis::Analysis;
use proto::edition::Bundle;
use proto::story::{Story, StoryId};
use proto::{Digest, Millis, codec};

/// Stories of a front page.
const FRONT_PAGE: usize = 200;
/// Far enough ahead that no date is of the future.
const NOW: Millis = Millis(4_000_000_000_000);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "samples".into()));
    if std::env::args().nth(2).is_some_and(|word| word == "--hours") {
        return hours(&folder);
    }
    let mut gather = Gather::new(Inputs { folders: vec![folder], ..Inputs::default() }, None)?;
    let begin = Instant::now();
    gather.recall(NOW)?;
    println!("read and grouped in {:.1} s", begin.elapsed().as_secs_f64());
    let begin = Instant::now();
    let stories = gather.newest(FRONT_PAGE);
    println!("the newest {} looked through in {:.1} s", stories.len(), begin.elapsed().as_secs_f64());
    let articles: usize = stories.iter().map(|story| story.articles.len()).sum();
    println!("{} stories, {articles} articles", stories.len());
    let whole = weight(&stories);
    let without = |change: fn(&mut Story)| {
        let mut stories = stories.clone();
        stories.iter_mut().for_each(change);
        whole - weight(&stories)
    };
    let found = without(|story| story.analysis = Analysis::default());
    let texts = without(|story| {
        story.analysis = Analysis::default();
        story.articles.iter_mut().for_each(|article| article.body.clear());
    });
    let pictures = without(|story| story.articles.iter_mut().for_each(|article| article.picture = None));
    println!("{whole} bytes packed, {:.0} an article", whole as f64 / articles as f64);
    println!("what was found {found}, texts {}, pictures {pictures}", texts - found);
    Ok(())
}

/// A day: each hour brings a part of the files, and an edition carries the stories that are new or have changed.
fn hours(folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let day = tempfile::tempdir()?;
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    files.retain(|file| file.is_file());
    // Names tell what belongs together: a story's articles do not come one right after the other.
    files.sort_by_key(|file| Digest::of(file.as_os_str().as_encoded_bytes()).0);
    let mut gather = Gather::new(Inputs { folders: vec![day.path().to_owned()], ..Inputs::default() }, None)?;
    let mut shown: HashMap<StoryId, Digest> = HashMap::new();
    println!(
        "{:>4}{:>10}{:>9}{:>9}{:>10}{:>10}",
        "hour", "articles", "stories", "changed", "changes", "front"
    );
    let mut heaviest = 0;
    for (hour, some) in files.chunks(files.len().div_ceil(24).max(1)).enumerate() {
        for file in some {
            fs::copy(file, day.path().join(file.file_name().unwrap_or_default()))?;
        }
        gather.recall(NOW)?;
        let stories = gather.newest(FRONT_PAGE);
        let now: HashMap<StoryId, Digest> =
            stories.iter().map(|story| (story.id, Digest::of(&codec::encode(story)))).collect();
        let changed: Vec<Story> =
            stories.iter().filter(|story| shown.get(&story.id) != now.get(&story.id)).cloned().collect();
        let articles: usize = stories.iter().map(|story| story.articles.len()).sum();
        let changes = weight(&changed);
        let (all, front) = (stories.len(), weight(&stories));
        println!("{:>4}{articles:>10}{all:>9}{:>9}{changes:>10}{front:>10}", hour + 1, changed.len());
        heaviest = heaviest.max(changes);
        shown = now;
    }
    println!("the heaviest hour: {heaviest} bytes");
    Ok(())
}

fn weight(stories: &[Story]) -> usize {
    Bundle { stories: stories.to_vec(), gone: vec![] }.pack().0.len()
}
