//! How much a folder's articles weigh in an edition, packed, and what of it weighs how much.
//!
//! ```text
//! cargo run --release -p press --example weigh -- FOLDER
//! ```

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, for people")]

use std::path::PathBuf;
use std::time::Instant;

use press::gather::{Gather, GatherError, Inputs};
use proto::Millis;
use proto::analysis::Analysis;
use proto::edition::Bundle;
use proto::story::Story;

/// Stories of a front page.
const FRONT_PAGE: usize = 200;
/// Far enough ahead that no date is of the future.
const NOW: Millis = Millis(4_000_000_000_000);

fn main() -> Result<(), GatherError> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "samples".into()));
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

fn weight(stories: &[Story]) -> usize {
    Bundle { stories: stories.to_vec(), gone: vec![] }.pack().0.len()
}
