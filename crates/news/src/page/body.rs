//! Which lines of a page are its article, and which of those between are not.
//!
//! Readability's idea: a paragraph speaks for the elements around it, for the nearest most. The element most spoken for holds the
//! article, together with neighbours that look like it.

use std::ops::Range;

use proto::story::Block;

use super::hint::Hint;
use super::outline::{Element, Line, Outline, Tag};

/// The lines of the article, and for each element what it says against its own lines.
#[derive(Debug)]
pub(super) struct Body {
    /// In order, apart from each other.
    pub(super) ranges: Vec<Range<usize>>,
    /// For each element of the outline.
    pub(super) hints: Vec<Option<Hint>>,
}

impl Body {
    /// All lines, and nothing said against any.
    pub(super) fn all(outline: &Outline) -> Body {
        let lines = 0..outline.lines.len();
        Body { ranges: vec![lines], hints: vec![None; outline.elements.len()] }
    }
}

/// Finds the article; `None` if no paragraph speaks for any element.
pub(super) fn find(outline: &Outline) -> Option<Body> {
    let sums = Sums::of(outline);
    let everywhere = sums.hints(outline, &(0..outline.lines.len()), SHARE_OF_PAGE);
    let ranges = ranges(outline, &scores(outline, &everywhere, &sums), &everywhere, &sums)?;
    let span = ranges.first()?.start..ranges.last()?.end;
    let hints = sums.hints(outline, &span, SHARE_OF_ARTICLE);
    Some(Body { ranges, hints })
}

/// An element's name is not believed where it holds more of the prose than this, in hundredths: whole pages are called
/// `with-sidebar`.
const SHARE_OF_PAGE: usize = 75;
const SHARE_OF_ARTICLE: usize = 50;

/// How much stands before each line.
struct Sums(Vec<Sum>);

/// Letters and signs of some lines.
#[derive(Clone, Copy, Default)]
struct Sum {
    /// Of paragraphs, without links.
    prose: usize,
    size: usize,
    links: usize,
}

impl Sums {
    fn of(outline: &Outline) -> Sums {
        let mut before = vec![Sum::default()];
        let mut sum = Sum::default();
        for line in &outline.lines {
            sum.prose += if is_prose(line) { line.size - line.links } else { 0 };
            sum.size += line.size;
            sum.links += line.links;
            before.push(sum);
        }
        Sums(before)
    }

    fn prose(&self, lines: &Range<usize>) -> usize {
        self.0[lines.end].prose - self.0[lines.start].prose
    }

    /// Which share of these lines is links.
    fn links(&self, lines: &Range<usize>) -> f32 {
        let (from, to) = (self.0[lines.start], self.0[lines.end]);
        (to.links - from.links) as f32 / (to.size - from.size).max(1) as f32
    }

    /// What each element says against its lines, or else the elements around it.
    fn hints(&self, outline: &Outline, among: &Range<usize>, share: usize) -> Vec<Option<Hint>> {
        let all = self.prose(among);
        let mut hints: Vec<Option<Hint>> = vec![None; outline.elements.len()];
        for (at, element) in outline.elements.iter().enumerate() {
            let mine = self.prose(&element.lines);
            let own = hint(element).filter(|hint| match hint {
                Hint::Promotion | Hint::Chrome => mine * 100 <= all * share,
                Hint::Byline | Hint::Dateline | Hint::Caption => mine * 100 <= all * share / 2,
                // A picture has few words; what has many is an article with a picture in it.
                Hint::Picture => mine * 100 <= all * share / 4 && element.lines.len() <= 4 && mine <= 500,
            });
            hints[at] = hints[element.parent].or(own);
        }
        hints
    }
}

/// A paragraph long enough to be read.
fn is_prose(line: &Line) -> bool {
    matches!(line.block, Block::Paragraph(_)) && line.size >= 60 && line.links * 2 < line.size
}

/// What an element says by its name.
fn hint(element: &Element) -> Option<Hint> {
    let by_tag = match element.tag {
        Tag::Aside | Tag::Footer | Tag::Form => Some(Hint::Chrome),
        Tag::Figure => Some(Hint::Picture),
        _ => None,
    };
    by_tag.or(element.named.hint)
}

/// How much each element is spoken for.
fn scores(outline: &Outline, hints: &[Option<Hint>], sums: &Sums) -> Vec<f32> {
    /// How far a paragraph is heard.
    const LEVELS: usize = 5;
    let mut scores = vec![0.0f32; outline.elements.len()];
    let mut heard = vec![false; outline.elements.len()];
    for line in &outline.lines {
        let counted =
            matches!(line.block, Block::Paragraph(_)) && line.size >= 25 && line.links * 2 < line.size;
        if !counted || line.hint.is_some() || hints[line.element].is_some() {
            continue;
        }
        let commas = line.block.text().matches([',', '،', '、', '，']).count();
        let said = 1.0 + commas as f32 + f32::min((line.size / 100) as f32, 3.0);
        let mut at = line.element;
        if matches!(outline.elements[at].tag, Tag::Paragraph | Tag::Item) {
            at = outline.elements[at].parent;
        }
        for level in 0..LEVELS {
            if !heard[at] {
                heard[at] = true;
                scores[at] += first(&outline.elements[at]);
            }
            scores[at] += match level {
                0 => said,
                1 => said / 2.0,
                _ => said / (level as f32 * 3.0),
            };
            if at == 0 {
                break;
            }
            at = outline.elements[at].parent;
        }
    }
    for (score, element) in scores.iter_mut().zip(&outline.elements) {
        *score *= 1.0 - sums.links(&element.lines);
    }
    scores
}

/// What an element has before any paragraph speaks for it.
fn first(element: &Element) -> f32 {
    let tag = match element.tag {
        Tag::Article => 10.0,
        Tag::Division => 5.0,
        Tag::Quote | Tag::Cell => 3.0,
        Tag::List | Tag::Item | Tag::Form | Tag::Aside | Tag::Footer => -3.0,
        Tag::Heading => -5.0,
        Tag::Paragraph | Tag::Figure | Tag::Root => 0.0,
    };
    let named = if element.named.content { 25.0 } else { 0.0 };
    let against = if matches!(element.named.hint, Some(Hint::Promotion | Hint::Chrome)) { 25.0 } else { 0.0 };
    let body = if element.body { 50.0 } else { 0.0 };
    tag + named - against + body
}

/// The lines of the element most spoken for, and of its neighbours that belong to it.
fn ranges(
    outline: &Outline,
    scores: &[f32],
    hints: &[Option<Hint>],
    sums: &Sums,
) -> Option<Vec<Range<usize>>> {
    let elements = &outline.elements;
    let best = (1..elements.len())
        .filter(|&at| scores[at] > 0.0)
        .max_by(|&a, &b| scores[a].total_cmp(&scores[b]))?;
    let best = risen(outline, scores, best);
    let parent = elements[best].parent;
    let enough = f32::max(10.0, scores[best] * 0.2);
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (at, element) in elements.iter().enumerate().skip(1) {
        let neighbour = element.parent == parent && parent != best && hints[at].is_none();
        let belongs = at == best
            || (neighbour
                && (scores[at] + alike(element, &elements[best], scores[best]) >= enough
                    || (element.tag == Tag::Paragraph && sums.prose(&element.lines) > 60)));
        if belongs && !element.lines.is_empty() {
            match ranges.last_mut() {
                Some(last) if element.lines.start <= last.end => last.end = last.end.max(element.lines.end),
                _ => ranges.push(element.lines.clone()),
            }
        }
    }
    Some(ranges)
}

/// An element with the same class is likely to be of the same kind.
fn alike(element: &Element, best: &Element, score: f32) -> f32 {
    if !best.class.is_empty() && element.class == best.class { score * 0.2 } else { 0.0 }
}

/// An article in several parts is spoken for in each part: the element around them holds it.
fn risen(outline: &Outline, scores: &[f32], best: usize) -> usize {
    let elements = &outline.elements;
    let parent = |at: usize| elements[at].parent;
    // Others that are spoken for nearly as much: what holds three of them holds the article.
    let mut others: Vec<usize> =
        (1..elements.len()).filter(|&at| at != best && scores[at] >= scores[best] * 0.75).collect();
    others.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    others.truncate(4);
    let mut at = parent(best);
    let mut top = best;
    while at != 0 && elements[at].tag != Tag::Root {
        let holds = |inner: usize| inner > at && contains(&elements[at].lines, &elements[inner].lines);
        if others.iter().filter(|&&other| holds(other)).count() >= 3 {
            top = at;
            break;
        }
        at = parent(at);
    }
    let (mut last, least) = (scores[top], scores[top] / 3.0);
    let mut at = parent(top);
    while at != 0 && elements[at].tag != Tag::Root {
        if scores[at] > 0.0 {
            if scores[at] < least {
                break;
            }
            if scores[at] > last {
                top = at;
                break;
            }
            last = scores[at];
        }
        at = parent(at);
    }
    // What stands alone in its element is that element.
    while parent(top) != 0
        && elements[parent(top)].tag != Tag::Root
        && elements[parent(top)].lines == elements[top].lines
    {
        top = parent(top);
    }
    top
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use dom_query::Document;

    const PARAGRAPH: &str = "<p>The ferry to the outer islands did not leave on Monday, and the harbour office said that the crew had refused.</p>";

    /// The opening words of the lines that are found.
    fn found(html: &str) -> Vec<String> {
        let outline = Outline::read(Document::from(html).root()).expect("not deep");
        let ranges = find(&outline).map(|body| body.ranges).unwrap_or_default();
        let lines = ranges.into_iter().flat_map(|range| outline.lines[range].to_vec());
        lines.map(|line| line.block.text().chars().take(9).collect()).collect()
    }

    #[test]
    fn the_element_most_spoken_for_is_the_article() {
        let page = format!(
            "<div class=top><p>Harbour Post, the paper of the islands, since the year in which the pier was built.</p></div>\
             <div class=story>{}<h2>Later</h2>{PARAGRAPH}</div><div><ul><li><a href=/1>Other, news, of, the, day, in full</a></ul></div>",
            PARAGRAPH.repeat(4)
        );
        assert_eq!(found(&page), ["The ferry", "The ferry", "The ferry", "The ferry", "Later", "The ferry"]);
    }

    #[test]
    fn comments_are_not_the_article_although_they_are_longer() {
        let page = format!(
            "<div><div class=entry>{}</div><div class=comments>{}</div></div>",
            PARAGRAPH.repeat(3),
            PARAGRAPH.replace("The ferry", "I think the ferry").repeat(6)
        );
        assert_eq!(found(&page), ["The ferry"; 3]);
    }

    #[test]
    fn a_page_named_for_its_sidebar_is_read() {
        let page = format!("<div class='page with-sidebar'><div>{}</div></div>", PARAGRAPH.repeat(5));
        assert_eq!(found(&page).len(), 5);
        assert_eq!(found("<ul><li><a href=/>Home</a></ul>"), [""; 0]);
        assert_eq!(found(""), [""; 0]);
    }

    #[test]
    fn an_article_in_parts_is_found_whole() {
        let part = format!("<section>{}</section>", PARAGRAPH.repeat(2));
        let page = format!(
            "<header><p>Harbour Post, paper of the islands.</p></header><main>{}</main>",
            part.repeat(5)
        );
        assert_eq!(found(&page).len(), 10);
    }
}
