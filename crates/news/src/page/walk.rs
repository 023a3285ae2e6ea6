//! A tree of elements, step by step and without recursion.

use dom_query::NodeRef;

/// One step of a walk through a tree, in the order of the text.
pub(super) enum Step<'a> {
    Enter(NodeRef<'a>),
    Leave(NodeRef<'a>),
}

pub(super) struct Walk<'a> {
    root: NodeRef<'a>,
    at: Option<NodeRef<'a>>,
    /// The last step entered `at`.
    below: bool,
    /// Its children are not wanted.
    above: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: NodeRef<'a>) -> Walk<'a> {
        Walk { root, at: None, below: false, above: false }
    }

    /// Does not go below the node just entered.
    pub(super) fn stay_above(&mut self) {
        self.above = true;
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
            let unwanted = std::mem::take(&mut self.above);
            if let Some(child) = at.first_child().filter(|_| !unwanted) {
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
