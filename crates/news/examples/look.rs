//! Prints what is read from files, block by block, and what was left out and why.
//!
//! `cargo run -p news --example look FILE...`

use news::{Document, Format, Source};
use proto::story::Block;

fn main() {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path).expect("a readable file");
        println!("=== {path}");
        let text = String::from_utf8(bytes).expect("utf8");
        match news::text::read(&text, Source { name: path.clone(), format: Format::Text, charset: "UTF-8" }) {
            Ok(document) => print(&document),
            Err(error) => println!("{error}"),
        }
    }
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
