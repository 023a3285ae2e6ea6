//! A document -> the edition's article, with its name.

use proto::story::{Article, ArticleId, Block, Extent, MAX_BLOCKS};
use sha2::{Digest, Sha256};

use crate::document::{Document, Reason, web_address};
use crate::opinion::opinion;

/// Longest text of an article in an edition, in bytes; the rest is cut at a block's end. The longest magazine pieces
/// stay below a third of it, and everybody downloads it.
pub const LONGEST_BODY: usize = 256 * 1024;

/// Longest title, byline, outlet, in characters.
const LONGEST_LABEL: usize = 300;

/// Makes the edition's article. The picture, which lies in a file of its own, is added by the press.
pub fn article(document: &Document) -> Article {
    let outlet = label(&document.outlet_or_unknown());
    let url = document.url.as_deref().and_then(web_address);
    let mut room = LONGEST_BODY;
    let mut body = Vec::with_capacity(document.body.len());
    for block in document.body.iter().take(MAX_BLOCKS) {
        let Some(left) = room.checked_sub(block.text().len()) else {
            let mut end = room;
            while !block.text().is_char_boundary(end) {
                end -= 1;
            }
            // A single block longer than all there is room for is cut; otherwise the text ends with a whole block.
            if body.is_empty() {
                body.push(with_text(block, &block.text()[..end]));
            }
            break;
        };
        room = left;
        body.push(block.clone());
    }
    Article {
        id: id(&outlet, url.as_deref(), &body),
        outlet,
        title: label(&document.title_or_opening()),
        byline: document.byline.as_deref().map(label).filter(|byline| !byline.is_empty()),
        published: document.published,
        url,
        body,
        picture: None,
        credit: credit(document),
        extent: Extent::Whole,
        opinion: opinion(document).as_deref().map(label).filter(|words| !words.is_empty()),
    }
}

/// The same article under another outlet's name.
pub fn renamed(mut article: Article, outlet: &str) -> Article {
    article.outlet = label(outlet);
    article.id = id(&article.outlet, article.url.as_deref(), &article.body);
    article
}

/// Who else contributed: a line that was left out of the text for saying so.
fn credit(document: &Document) -> Option<String> {
    let line = document.dropped.iter().find(|line| line.reason == Reason::Contribution)?;
    Some(label(&line.text)).filter(|credit| !credit.is_empty())
}

/// First 16 bytes of SHA-256 over outlet, address and the blocks' text, each preceded by its length in bytes (8, big
/// endian) so that no two different articles have the same input.
fn id(outlet: &str, url: Option<&str>, body: &[Block]) -> ArticleId {
    let mut hash = Sha256::new();
    let mut field = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    field(outlet);
    field(url.unwrap_or_default());
    for block in body {
        field(block.text());
    }
    let mut name = [0; 16];
    name.copy_from_slice(&hash.finalize()[..16]);
    ArticleId(name)
}

fn label(text: &str) -> String {
    let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    one_line.chars().filter(|c| !c.is_control()).take(LONGEST_LABEL).collect()
}

fn with_text(block: &Block, text: &str) -> Block {
    match block {
        Block::Paragraph(_) => Block::Paragraph(text.to_owned()),
        Block::Heading(_) => Block::Heading(text.to_owned()),
        Block::Caption(_) => Block::Caption(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, Place, Source};

    fn document(outlet: &str, text: &str) -> Document {
        let mut document =
            Document::empty(Source { name: "a.txt".into(), format: Format::Text, charset: "UTF-8" });
        document.outlet = Some(outlet.into());
        document.push(Block::Paragraph(text.into()), Place::default());
        document
    }

    #[test]
    fn the_name_depends_on_outlet_address_and_text_alone() {
        let one = document("A", "text");
        let mut other = one.clone();
        other.source.name = "b.txt".into();
        other.title = Some("Another headline".into());
        assert_eq!(article(&one).id, article(&other).id);
        other.url = Some("https://a.example/1".into());
        assert_ne!(article(&one).id, article(&other).id);
        assert_ne!(article(&one).id, article(&document("B", "text")).id);
        assert_ne!(article(&document("A", "bc")).id, article(&document("Ab", "c")).id);
    }

    #[test]
    fn an_article_under_another_name_is_the_one_that_its_outlet_would_have_made() {
        assert_eq!(renamed(article(&document("A", "text")), "B"), article(&document("B", "text")));
    }

    #[test]
    fn endless_text_is_cut_between_letters() {
        let got = article(&document("A", &"é".repeat(LONGEST_BODY)));
        assert_eq!(got.body[0].text().len(), LONGEST_BODY);
        let mut long = document("A", "first");
        long.push(Block::Paragraph("x".repeat(LONGEST_BODY)), Place::default());
        assert_eq!(article(&long).body.len(), 1);
    }

    #[test]
    fn an_article_has_so_many_blocks_and_no_empty_ones() {
        let mut many = document("A", "first");
        (0..MAX_BLOCKS).for_each(|_| many.push(Block::Paragraph("x".into()), Place::default()));
        assert_eq!((many.body.len(), article(&many).body.len()), (MAX_BLOCKS + 1, MAX_BLOCKS));
        assert!(article(&many).body.iter().all(|block| !block.text().is_empty()));
    }

    #[test]
    fn only_web_addresses_reach_the_edition() {
        let mut hostile = document("A", "text");
        hostile.url = Some("javascript:alert(1)".into());
        assert_eq!(article(&hostile).url, None);
    }
}
