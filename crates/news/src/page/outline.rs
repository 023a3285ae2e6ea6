//! Elements -> lines of text, each with what the elements around it say of it. Walks without recursion, whatever the depth.

use std::ops::Range;

use dom_query::{NodeData, NodeRef};
use proto::story::Block;

use super::hint::{Hint, Named};
use super::walk::{Step, Walk};
use crate::depth::{DEEPEST, DepthError};

/// The text of a page and the elements it stands in.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// Elements that hold blocks, in the order of the text, a parent before its children. The first is the root.
    pub(super) elements: Vec<Element>,
    /// The text, in order.
    pub(super) lines: Vec<Line>,
}

/// An element that ends the line before it.
#[derive(Debug)]
pub(super) struct Element {
    /// Its number in [`Outline::elements`]; the root is its own parent.
    pub(super) parent: usize,
    pub(super) tag: Tag,
    pub(super) named: Named,
    /// Says by itself that it holds the article's text (`itemprop=articleBody`).
    pub(super) body: bool,
    /// Its class, for comparison with that of its neighbours.
    pub(super) class: String,
    /// Its lines.
    pub(super) lines: Range<usize>,
}

/// One block of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) block: Block,
    /// The innermost element it stands in.
    pub(super) element: usize,
    /// Letters and signs without blanks, and how many of them are links.
    pub(super) size: usize,
    pub(super) links: usize,
    /// What an inline element says that holds nearly all of it.
    pub(super) hint: Option<Hint>,
}

/// What matters of an element's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Paragraph,
    Article,
    Division,
    Quote,
    Cell,
    Item,
    List,
    Heading,
    Aside,
    Footer,
    Form,
    Figure,
    Root,
}

impl Outline {
    /// Reads what is below `root`, unless it is deeper than is read. The check before parsing counts tags; this one counts the
    /// tree that a forgiving parser made of them.
    pub(super) fn read(root: NodeRef<'_>) -> Result<Outline, DepthError> {
        /// A tree has elements that no tag stands for (rows of a table, say), four at most for one tag.
        const DEEPEST_TREE: usize = 4 * DEEPEST;
        let mut out = Out::new();
        let mut walk = Walk::new(root);
        let mut depth = 0usize;
        while let Some(step) = walk.next() {
            match step {
                Step::Enter(node) => {
                    depth += 1;
                    if depth > DEEPEST_TREE {
                        return Err(DepthError::TooDeep);
                    }
                    let left = node.query_or(false, |node| match &node.data {
                        NodeData::Text { contents } => {
                            out.text(contents);
                            false
                        }
                        NodeData::Element(element) => !out.enter(element),
                        _ => false,
                    });
                    if left {
                        walk.stay_above();
                    }
                }
                Step::Leave(node) => {
                    depth -= 1;
                    if node.is_element() {
                        out.leave();
                    }
                }
            }
        }
        Ok(out.finish())
    }

    /// The plain blocks, but for what belongs to a form.
    pub(super) fn blocks(self) -> Vec<Block> {
        let mut form = vec![false; self.elements.len()];
        for (at, element) in self.elements.iter().enumerate() {
            form[at] = element.tag == Tag::Form || form[element.parent];
        }
        self.lines.into_iter().filter(|line| !form[line.element]).map(|line| line.block).collect()
    }
}

/// What the attributes of an element say.
#[derive(Default)]
struct Attributes {
    named: Named,
    body: bool,
    class: String,
}

fn attributes(element: &dom_query::Element) -> Attributes {
    let mut said = Attributes::default();
    let mut hint = |hint: Hint| said.named.hint = Some(said.named.hint.map_or(hint, |known| known.min(hint)));
    for attribute in &element.attrs {
        let value: &str = &attribute.value;
        match &*attribute.name.local {
            "hidden" => hint(Hint::Chrome),
            "style" if value.contains("display:none") || value.contains("display: none") => {
                hint(Hint::Chrome);
            }
            "rel" if value.eq_ignore_ascii_case("author") => hint(Hint::Byline),
            _ => {}
        }
    }
    for attribute in &element.attrs {
        let value: &str = &attribute.value;
        match &*attribute.name.local {
            "class" => {
                said.named.add(value);
                said.class = value.to_owned();
            }
            "id" => said.named.add(value),
            "itemprop" => {
                said.named.add(value);
                said.body |= value.split(' ').any(|word| word == "articleBody");
            }
            _ => {}
        }
    }
    said
}

/// What an element does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its content is no text of an article.
    Left,
    /// Ends a line.
    Break,
    /// Its text is a block of its own.
    Block(Tag),
    /// A picture's caption.
    Caption,
    /// A link.
    Link,
    /// Part of the line it stands in.
    Inline,
}

fn kind(name: &str) -> Kind {
    match name {
        "script" | "style" | "template" | "noscript" | "iframe" | "object" | "embed" | "svg" | "math"
        | "canvas" | "audio" | "video" | "button" | "select" | "textarea" | "input" | "nav" | "head"
        | "title" | "noembed" | "noframes" => Kind::Left,
        "br" | "hr" => Kind::Break,
        "a" => Kind::Link,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Block(Tag::Heading),
        "figcaption" | "caption" => Kind::Caption,
        "p" => Kind::Block(Tag::Paragraph),
        "article" => Kind::Block(Tag::Article),
        "li" | "dt" | "dd" => Kind::Block(Tag::Item),
        "ul" | "ol" | "dl" | "menu" => Kind::Block(Tag::List),
        "blockquote" => Kind::Block(Tag::Quote),
        "pre" | "td" => Kind::Block(Tag::Cell),
        "aside" => Kind::Block(Tag::Aside),
        "footer" => Kind::Block(Tag::Footer),
        "form" => Kind::Block(Tag::Form),
        "figure" => Kind::Block(Tag::Figure),
        "body" | "html" => Kind::Block(Tag::Root),
        "div" | "section" | "main" | "header" | "table" | "thead" | "tbody" | "tfoot" | "tr" | "th"
        | "address" | "details" | "summary" | "center" | "fieldset" | "legend" => Kind::Block(Tag::Division),
        _ => Kind::Inline,
    }
}

/// What an open element will end.
enum Open {
    Block { heading: bool, caption: bool },
    Link,
    Hinted(Option<Hint>),
    Nothing,
}

/// Lines so far, and the one being written.
#[derive(Default)]
struct Out {
    outline: Outline,
    /// The elements that are open, and the blocks among them.
    open: Vec<Open>,
    blocks: Vec<usize>,
    line: String,
    /// A blank stands between the last word and the next.
    gap: bool,
    /// Line ends in a row: two make a paragraph, as people write them.
    breaks: usize,
    headings: usize,
    captions: usize,
    links: usize,
    /// What the innermost inline element says that says something.
    hint: Option<Hint>,
    /// Of the line: letters and signs, those in links, those in elements that say something, and what the last one said.
    size: usize,
    linked: usize,
    hinted: usize,
    said: Option<Hint>,
}

impl Out {
    fn new() -> Out {
        let mut out = Out::default();
        out.block(Tag::Root, Attributes::default());
        out
    }

    /// Says whether the element's content is of interest.
    fn enter(&mut self, element: &dom_query::Element) -> bool {
        let open = match kind(&element.name.local) {
            Kind::Left => {
                self.open.push(Open::Nothing);
                return false;
            }
            Kind::Break => {
                self.line_break();
                Open::Nothing
            }
            Kind::Block(tag) => {
                self.block(tag, attributes(element));
                self.headings += usize::from(tag == Tag::Heading);
                Open::Block { heading: tag == Tag::Heading, caption: false }
            }
            Kind::Caption => {
                self.block(Tag::Division, attributes(element));
                self.captions += 1;
                Open::Block { heading: false, caption: true }
            }
            Kind::Link => {
                self.links += 1;
                Open::Link
            }
            Kind::Inline => {
                let hint = if &*element.name.local == "time" {
                    Some(Hint::Dateline)
                } else {
                    attributes(element).named.hint
                };
                let before = self.hint;
                self.hint = hint.or(before);
                Open::Hinted(before)
            }
        };
        self.open.push(open);
        true
    }

    fn leave(&mut self) {
        match self.open.pop() {
            Some(Open::Block { heading, caption }) => {
                self.end_line();
                self.headings -= usize::from(heading);
                self.captions -= usize::from(caption);
                if let Some(element) = self.blocks.pop() {
                    self.outline.elements[element].lines.end = self.outline.lines.len();
                }
            }
            Some(Open::Link) => self.links -= 1,
            Some(Open::Hinted(before)) => self.hint = before,
            Some(Open::Nothing) | None => {}
        }
    }

    fn block(&mut self, tag: Tag, said: Attributes) {
        self.end_line();
        let at = self.outline.elements.len();
        let lines = self.outline.lines.len();
        self.outline.elements.push(Element {
            parent: self.blocks.last().copied().unwrap_or(0),
            tag,
            named: said.named,
            body: said.body,
            class: said.class,
            lines: lines..lines,
        });
        self.blocks.push(at);
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            if c.is_whitespace() || c.is_control() {
                self.gap = true;
            } else if !matches!(c, '\u{200b}' | '\u{feff}' | '\u{ad}') {
                if self.gap && !self.line.is_empty() {
                    self.line.push(' ');
                }
                self.gap = false;
                self.breaks = 0;
                self.line.push(c);
                self.size += 1;
                self.linked += usize::from(self.links > 0);
                if self.hint.is_some() {
                    self.hinted += 1;
                    self.said = self.hint;
                }
            }
        }
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        self.gap = true;
        if self.breaks > 1 {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        self.gap = false;
        self.breaks = 0;
        let text = std::mem::take(&mut self.line);
        let (size, links) = (std::mem::take(&mut self.size), std::mem::take(&mut self.linked));
        let (hinted, said) = (std::mem::take(&mut self.hinted), self.said.take());
        if text.is_empty() {
            return;
        }
        self.outline.lines.push(Line {
            block: if self.captions > 0 {
                Block::Caption(text)
            } else if self.headings > 0 {
                Block::Heading(text)
            } else {
                Block::Paragraph(text)
            },
            element: self.blocks.last().copied().unwrap_or(0),
            size,
            links,
            hint: said.filter(|_| hinted * 10 >= size * 9),
        });
    }

    fn finish(mut self) -> Outline {
        self.end_line();
        let lines = self.outline.lines.len();
        self.outline.elements[0].lines.end = lines;
        self.outline
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dom_query::Document;

    fn of(html: &str) -> Vec<Block> {
        Outline::read(Document::from(html).root()).expect("not deep").blocks()
    }

    #[test]
    fn elements_become_plain_blocks() {
        let got = of(
            "<h2>A <i>head</i>ing</h2><p>One\n <b>two</b>,<br>three<br><br>four</p><figure><figcaption>Cap</figcaption></figure>\
                      <ul><li>a<li>b</ul>loose<script>no</script><nav>no</nav><p>a&nbsp;b &lt;i&gt;</p>",
        );
        let want = [
            Block::Heading("A heading".into()),
            Block::Paragraph("One two, three".into()),
            Block::Paragraph("four".into()),
            Block::Caption("Cap".into()),
            Block::Paragraph("a".into()),
            Block::Paragraph("b".into()),
            Block::Paragraph("loose".into()),
            Block::Paragraph("a b <i>".into()),
        ];
        assert_eq!(got, want);
    }

    #[test]
    fn a_deep_tree_is_walked_and_refused() {
        let read = |html: &str| Outline::read(Document::from(html).root()).map(Outline::blocks);
        assert_eq!(read(&("<div>".repeat(3_000) + "x")), Err(DepthError::TooDeep));
        assert_eq!(read(&("<div>".repeat(300) + "x")), Ok(vec![Block::Paragraph("x".into())]));
    }
}
