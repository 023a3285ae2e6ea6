//! Prints what is read from files: block by block, then what was left out and why.
//!
//! `cargo run -p news --example look FILE...`

use news::{Document, Input};
use proto::story::Block;

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        println!("=== {path}");
        match news::read(&bytes, Input { name: &path, ..Input::default() }) {
            Ok(read) => {
                read.documents.iter().for_each(print);
                read.skipped.iter().for_each(|reason| println!("skipped {reason}"));
            }
            Err(error) => println!("{error}"),
        }
    }
    Ok(())
}

fn print(document: &Document) {
    println!(
        "outlet    {:?}\nsection   {:?}\ntitle     {:?}",
        document.outlet, document.section, document.title
    );
    println!(
        "byline    {:?}\npublished {:?}\nurl       {:?}",
        document.byline, document.published, document.url
    );
    for (block, place) in document.body.iter().zip(&document.places) {
        let kind = match block {
            Block::Paragraph(_) => ' ',
            Block::Heading(_) => '#',
            Block::Caption(_) => '~',
        };
        println!("{:>4} {kind} {}", place.line, block.text());
    }
    for dropped in &document.dropped {
        println!("{:>4} - [{}] {}", dropped.place.line, dropped.reason, dropped.text);
    }
}
