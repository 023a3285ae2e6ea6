//! Elements -> plain blocks. Walks without recursion, whatever the depth.

use dom_query::{Document, NodeRef};
use proto::story::Block;

use crate::depth::{DEEPEST, DepthError};

/// Says whether a tree is deeper than is read. The check before parsing counts tags; this one counts the tree that a
/// forgiving parser made of them.
pub(super) fn check_depth(tree: &Document) -> Result<(), DepthError> {
    /// A tree has elements that no tag stands for (rows of a table, say), four at most for one tag.
    const DEEPEST_TREE: usize = 4 * DEEPEST;
    let mut depth = 0;
    for step in Walk::new(tree.root()) {
        match step {
            Step::Enter(_) => depth += 1,
            Step::Leave(_) => depth -= 1,
        }
        if depth > DEEPEST_TREE {
            return Err(DepthError::TooDeep);
        }
    }
    Ok(())
}

/// The text below `root`, block by block.
pub(super) fn blocks(root: NodeRef<'_>) -> Vec<Block> {
    let mut out = Out::default();
    let mut walk = Walk::new(root);
    while let Some(step) = walk.next() {
        match step {
            Step::Enter(node) => {
                if node.is_text() {
                    out.text(&node.text());
                    continue;
                }
                let Some(name) = node.node_name() else { continue };
                match kind(&name) {
                    Kind::Left => walk.stay_above(),
                    Kind::Break => out.line_break(),
                    Kind::Block => out.end_block(),
                    Kind::Heading => {
                        out.end_block();
                        out.heading += 1;
                    }
                    Kind::Caption => {
                        out.end_block();
                        out.caption += 1;
                    }
                    Kind::Inline => {}
                }
            }
            Step::Leave(node) => {
                let Some(name) = node.node_name() else { continue };
                match kind(&name) {
                    Kind::Block => out.end_block(),
                    Kind::Heading => {
                        out.end_block();
                        out.heading = out.heading.saturating_sub(1);
                    }
                    Kind::Caption => {
                        out.end_block();
                        out.caption = out.caption.saturating_sub(1);
                    }
                    Kind::Left | Kind::Break | Kind::Inline => {}
                }
            }
        }
    }
    out.end_block();
    out.blocks
}

/// What an element does to the text around it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its content is no text of an article.
    Left,
    /// Ends a line.
    Break,
    /// Its text is a block of its own.
    Block,
    /// A heading.
    Heading,
    /// A picture's caption.
    Caption,
    /// Part of the line it stands in.
    Inline,
}

fn kind(name: &str) -> Kind {
    match name {
        "script" | "style" | "template" | "noscript" | "iframe" | "object" | "embed" | "svg" | "math"
        | "canvas" | "audio" | "video" | "form" | "button" | "select" | "textarea" | "input" | "nav"
        | "head" | "title" | "noembed" | "noframes" => Kind::Left,
        "br" | "hr" => Kind::Break,
        "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => Kind::Heading,
        "figcaption" | "caption" => Kind::Caption,
        "p" | "div" | "section" | "article" | "main" | "header" | "footer" | "aside" | "blockquote"
        | "pre" | "ul" | "ol" | "li" | "dl" | "dt" | "dd" | "table" | "thead" | "tbody" | "tfoot" | "tr"
        | "figure" | "address" | "details" | "summary" | "center" | "fieldset" | "legend" | "menu"
        | "body" | "html" => Kind::Block,
        _ => Kind::Inline,
    }
}

/// Blocks so far, and the one being written.
#[derive(Default)]
struct Out {
    blocks: Vec<Block>,
    line: String,
    /// A blank stands between the last word and the next.
    gap: bool,
    /// Line ends in a row: two make a paragraph, as people write them.
    breaks: usize,
    heading: usize,
    caption: usize,
}

impl Out {
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
            }
        }
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        self.gap = true;
        if self.breaks > 1 {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        self.gap = false;
        self.breaks = 0;
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return;
        }
        self.blocks.push(if self.caption > 0 {
            Block::Caption(line)
        } else if self.heading > 0 {
            Block::Heading(line)
        } else {
            Block::Paragraph(line)
        });
    }
}

/// One step of a walk through a tree, in the order of the text.
enum Step<'a> {
    Enter(NodeRef<'a>),
    Leave(NodeRef<'a>),
}

struct Walk<'a> {
    root: NodeRef<'a>,
    at: Option<NodeRef<'a>>,
    /// The last step entered `at`, and its children are wanted.
    below: bool,
}

impl<'a> Walk<'a> {
    fn new(root: NodeRef<'a>) -> Walk<'a> {
        Walk { root, at: None, below: false }
    }

    /// Does not go below the node just entered.
    fn stay_above(&mut self) {
        self.below = false;
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let Some(at) = self.at else {
            self.at = Some(self.root);
            self.below = true;
            return Some(Step::Enter(self.root));
        };
        if self.below {
            if let Some(child) = at.first_child() {
                self.at = Some(child);
                return Some(Step::Enter(child));
            }
            self.below = false;
            return Some(Step::Leave(at));
        }
        if at.id == self.root.id {
            return None;
        }
        if let Some(sibling) = at.next_sibling() {
            self.at = Some(sibling);
            self.below = true;
            return Some(Step::Enter(sibling));
        }
        let parent = at.parent()?;
        self.at = Some(parent);
        Some(Step::Leave(parent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(html: &str) -> Vec<Block> {
        blocks(Document::from(html).root())
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
        let deep = Document::from("<div>".repeat(3_000) + "x");
        assert_eq!(check_depth(&deep), Err(DepthError::TooDeep));
        assert_eq!(blocks(deep.root()), [Block::Paragraph("x".into())]);
        assert_eq!(check_depth(&Document::from("<p>x")), Ok(()));
    }
}
