//! What stands between the lines of an article and is not its text.
//!
//! ```text
//! lines -> names of their elements -> words of single lines -> head -> tail -> blocks, each kept or with the reason why not
//! ```

use std::ops::Range;

use proto::story::Block;

use super::body::Body;
use super::furniture::{self, Announced};
use super::hint::Hint;
use super::outline::{Line, Outline, Tag};
use crate::document::Reason;
use crate::text::{count_words, ends_sentence, is_prose};

/// A block and, if it is not the article's, why.
pub(super) type Judged = (Block, Option<Reason>);

/// Letters of a line that is no label: scripts without blanks have few words.
const LABEL: usize = 90;

/// Judges the lines of the article. `title` and `byline` are what the page states about itself.
pub(super) fn judge(
    outline: &Outline,
    body: &Body,
    title: Option<&str>,
    byline: Option<&str>,
) -> Vec<Judged> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for range in &body.ranges {
        pieces.extend(range.clone().map(|at| Piece::of(outline, body, at)));
    }
    mark_announced(outline, &mut pieces);
    mark_link_lists(&mut pieces);
    mark_repeated(&mut pieces);
    for piece in pieces.iter_mut().filter(|piece| piece.is_kept()) {
        piece.caption = furniture::is_credit(piece.text());
        piece.out = furniture::judge(piece.text(), piece.line.links * 2 > piece.line.size);
    }
    mark_head(&mut pieces, title, byline);
    mark_tail(outline, &mut pieces, byline);
    pieces.into_iter().map(Piece::judged).collect()
}

struct Piece<'a> {
    line: &'a Line,
    /// Its number in the outline, and its element's.
    at: usize,
    element: usize,
    tag: Tag,
    caption: bool,
    out: Option<Reason>,
}

impl<'a> Piece<'a> {
    fn of(outline: &'a Outline, body: &Body, at: usize) -> Piece<'a> {
        /// A longer line in a picture's element is text beside a picture.
        const LONGEST_CAPTION: usize = 500;
        let line = &outline.lines[at];
        let hint = body.hints[line.element].or(line.hint);
        let caption = matches!(hint, Some(Hint::Caption))
            || (hint == Some(Hint::Picture) && line.size <= LONGEST_CAPTION);
        let out = match hint {
            Some(Hint::Promotion) => Some(Reason::Promotion),
            Some(Hint::Chrome) => Some(Reason::Chrome),
            Some(Hint::Byline) => Some(Reason::Byline),
            Some(Hint::Dateline) if !is_prose(line.block.text()) => Some(Reason::Dateline),
            _ => None,
        };
        let tag = outline.elements[line.element].tag;
        Piece { line, at, element: line.element, tag, caption: caption && out.is_none(), out }
    }

    fn text(&self) -> &'a str {
        self.line.block.text()
    }

    fn is_kept(&self) -> bool {
        self.out.is_none() && !self.caption && !matches!(self.line.block, Block::Caption(_))
    }

    fn is_heading(&self) -> bool {
        matches!(self.line.block, Block::Heading(_))
    }

    fn is_prose(&self) -> bool {
        self.is_kept()
            && !self.is_heading()
            && self.line.links * 2 < self.line.size
            && (is_prose(self.text()) || self.is_unspaced())
    }

    /// A line in a script without blanks between its words.
    fn is_unspaced(&self) -> bool {
        const LONG: usize = 40;
        self.line.size >= LONG && count_words(self.text(), LONG) * 16 < self.line.size
    }

    /// All of it is one link or several.
    fn is_link(&self) -> bool {
        self.line.links * 10 >= self.line.size * 9
    }

    fn judged(self) -> Judged {
        let block = match (&self.line.block, self.caption) {
            (Block::Paragraph(text) | Block::Heading(text), true) => Block::Caption(text.clone()),
            (block, _) => block.clone(),
        };
        (block, self.out)
    }
}

/// Lines that are links and nothing else lead away from the article.
fn mark_link_lists(pieces: &mut [Piece<'_>]) {
    /// Longer ones are paragraphs that somebody made a link.
    const HEADLINE: usize = 40;
    for piece in pieces.iter_mut().filter(|piece| piece.is_kept() && !piece.is_heading()) {
        if piece.is_link() && count_words(piece.text(), HEADLINE + 1) <= HEADLINE {
            piece.out = Some(Reason::Promotion);
        }
    }
}

/// What was just said, word by word, are a picture's words once more.
fn mark_repeated(pieces: &mut [Piece<'_>]) {
    /// Pictures have their words as title, description and caption.
    const NEAR: usize = 3;
    for at in 1..pieces.len() {
        let text = pieces[at].text();
        let before = &pieces[at.saturating_sub(NEAR)..at];
        if count_words(text, 6) > 5 && before.iter().any(|piece| piece.text() == text) && pieces[at].is_kept()
        {
            pieces[at].out = Some(Reason::Chrome);
        }
    }
}

/// What stands before the first paragraph: headline, author, date, what a visitor can do.
fn mark_head(pieces: &mut [Piece<'_>], title: Option<&str>, byline: Option<&str>) {
    let first = pieces.iter().position(Piece::is_prose).unwrap_or(0);
    let is_title = |text: &str| title.is_some_and(|title| furniture::same(title, text));
    for piece in pieces[..first].iter_mut().filter(|piece| piece.is_kept()) {
        let text = piece.text();
        piece.out = if byline.is_some_and(|name| furniture::same(name, text)) || furniture::is_byline(text) {
            Some(Reason::Byline)
        } else if furniture::is_dateline(text) || (!ends_sentence(text) && furniture::is_dated(text)) {
            Some(Reason::Dateline)
        } else if is_title(text)
            || (!piece.is_heading()
                && !ends_sentence(text)
                && count_words(text, 10) < 10
                && piece.line.size < LABEL)
        {
            Some(Reason::Chrome)
        } else {
            None
        };
    }
}

/// A label that announces other things leaves out what it heads: the element that begins with it, or else all that follows.
fn mark_announced(outline: &Outline, pieces: &mut [Piece<'_>]) {
    let mut before = vec![0];
    for (at, piece) in pieces.iter().enumerate() {
        before.push(before[at] + if piece.is_prose() { piece.line.size } else { 0 });
    }
    let all = before[pieces.len()];
    for at in 0..pieces.len() {
        if !pieces[at].is_kept() {
            continue;
        }
        let Some(announced) = furniture::announces(pieces[at].text()) else { continue };
        // An article has more to say than what a label in it heads.
        let little =
            |lines: Range<usize>, parts: usize| (before[lines.end] - before[lines.start]) * parts < all;
        let headed = headed(outline, &pieces[at]);
        let end = at + pieces[at..].iter().take_while(|piece| piece.at < headed.end).count();
        if end > at + 1 && end < pieces.len() && little(at..end, 5) {
            leave(&mut pieces[at..end], Reason::Promotion);
        } else if little(at..pieces.len(), if announced == Announced::Ending { 5 } else { 15 }) {
            leave(&mut pieces[at..], Reason::Promotion);
        }
    }
}

/// The lines of the largest element that begins with this piece.
fn headed(outline: &Outline, piece: &Piece<'_>) -> Range<usize> {
    let mut lines = piece.at..piece.at + 1;
    let mut element = piece.element;
    while outline.elements[element].lines.start == piece.at {
        lines.end = outline.elements[element].lines.end;
        if element == 0 {
            break;
        }
        element = outline.elements[element].parent;
    }
    lines
}

/// What follows the last paragraph: who wrote it, what else there is to read, comments.
fn mark_tail(outline: &Outline, pieces: &mut [Piece<'_>], byline: Option<&str>) {
    /// Short lines side by side that are no links are a list, and the article's.
    const LIST: usize = 3;
    /// Authors who are told of.
    const AUTHORS: usize = 4;
    for _ in 0..AUTHORS {
        let Some(last) = pieces.iter().rposition(Piece::is_prose) else { return };
        let parent = |piece: &Piece<'_>| outline.elements[piece.element].parent;
        let beside = parent(&pieces[last]);
        let is_entry = |piece: &Piece<'_>| {
            let listed = piece.tag == Tag::Item || parent(piece) == beside;
            listed && !piece.is_heading() && piece.line.links * 2 < piece.line.size
        };
        let list =
            pieces[last + 1..].iter().filter(|piece| piece.is_kept() && is_entry(piece)).count() >= LIST;
        let mut followed = false;
        for piece in pieces[last + 1..].iter_mut().rev().filter(|piece| piece.is_kept()) {
            let text = piece.text();
            let label = !ends_sentence(text) && count_words(text, 12) < 12 && piece.line.size < LABEL;
            let quoted = piece.tag == Tag::Quote; // who is quoted, below the words
            let listed = quoted || (list && is_entry(piece)) || (piece.is_heading() && followed);
            if (label && !listed) || furniture::is_about_author(text, byline) {
                piece.out = Some(Reason::Chrome);
            } else {
                followed = true;
            }
        }
        if !furniture::is_about_author(pieces[last].text(), byline) || last == 0 {
            return;
        }
        pieces[last].out = Some(Reason::Byline);
    }
}

fn leave(pieces: &mut [Piece<'_>], reason: Reason) {
    for piece in pieces.iter_mut().filter(|piece| piece.is_kept()) {
        piece.out = Some(reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dom_query::Document;

    fn paragraphs(numbers: Range<usize>) -> String {
        let one = |number| {
            format!(
                "<p>The ferry number {number} did not leave on Monday, and the harbour office said that the crew had refused.</p>"
            )
        };
        numbers.map(one).collect()
    }

    /// What is left out of an article, and why; captions are marked.
    fn left_out(html: &str) -> Vec<(String, Option<Reason>)> {
        let outline = Outline::read(Document::from(html).root()).expect("not deep");
        let body = super::super::body::find(&outline).expect("an article");
        let judged = judge(&outline, &body, Some("Ferry crew refuses to sail"), Some("Ada Moor"));
        let others =
            judged.into_iter().filter(|(block, out)| out.is_some() || matches!(block, Block::Caption(_)));
        others.map(|(block, out)| (block.text().to_owned(), out)).collect()
    }

    fn article(head: &str, middle: &str, tail: &str) -> Vec<(String, Option<Reason>)> {
        let (first, second) = (paragraphs(0..4), paragraphs(4..8));
        left_out(&format!("<div class=story>{head}{first}{middle}{second}{tail}</div>"))
    }

    #[test]
    fn the_head_is_left_out_line_by_line() {
        let got = article(
            "<h1>Ferry crew refuses to sail</h1><div>Ada Moor</div><div>By Ada Moor and Ben Light</div><span>3 November 2026, 10:15</span>\
             <div>Sea</div><h2>The second time this year</h2>",
            "",
            "",
        );
        let want = [
            ("Ferry crew refuses to sail", Reason::Chrome),
            ("Ada Moor", Reason::Byline),
            ("By Ada Moor and Ben Light", Reason::Byline),
            ("3 November 2026, 10:15", Reason::Dateline),
            ("Sea", Reason::Chrome),
        ];
        assert_eq!(got, want.map(|(text, reason)| (text.to_owned(), Some(reason))));
    }

    #[test]
    fn boxes_in_the_middle_end_where_their_element_ends() {
        let links = "<ul><li>Harbour bridge closes for a week<li>Ten maps of the coast</ul>";
        let got = article(
            "",
            &format!("<div><h3>More from the islands</h3>{links}</div>"),
            "<p>“Not in this wind,” the captain said.</p>",
        );
        assert_eq!(got.len(), 3);
        assert!(got.iter().all(|(_, reason)| *reason == Some(Reason::Promotion)));
        let link = "<p><a href=/1>HARBOUR BRIDGE CLOSES FOR A WEEK</a></p>";
        assert_eq!(article("", link, "").len(), 1);
        assert_eq!(article("", "<p>The <a href=/1>bridge</a> is closed.</p>", ""), []);
    }

    #[test]
    fn names_of_elements_are_believed_where_they_hold_little() {
        let named = |class: &str| {
            let got = article(
                "",
                &format!("<div class='{class}'><p>Three times a week in your language.</p></div>"),
                "",
            );
            got.into_iter().map(|(_, reason)| reason).next()
        };
        assert_eq!(named("newsletter-box"), Some(Some(Reason::Promotion)));
        assert_eq!(named("social"), Some(Some(Reason::Chrome)));
        assert_eq!(named("photo-text"), Some(None), "a caption");
        assert_eq!(named("indent"), None);
        assert_eq!(left_out(&format!("<div class='story newsletter'>{}</div>", paragraphs(0..5))), []);
    }

    #[test]
    fn the_tail_is_left_out_and_a_list_in_it_is_not() {
        let got = article(
            "",
            "",
            "<p>Ada Moor is a reporter at the harbour desk.</p><div>ferry, islands, wind</div><h3>Comments</h3><p>I was there and it was not windy at all, I say.</p>",
        );
        assert_eq!(got.len(), 4, "{got:?}");
        let list =
            "<h3>The crews</h3><p>Skerry: 12 sailors</p><p>Tallow: 9 sailors</p><p>Gale: 3 sailors</p>";
        assert_eq!(article("", "", list), []);
        let quote = "<blockquote><p>The wind is what it is, and the ferry is what it is not today.</p>— Captain Gale</blockquote>";
        assert_eq!(article("", "", quote), []);
    }

    #[test]
    fn what_is_said_twice_is_kept_once() {
        let twice = "<p>A ferry on the pier of the islands</p>".repeat(2);
        assert_eq!(article("", &twice, "").len(), 1);
    }
}
