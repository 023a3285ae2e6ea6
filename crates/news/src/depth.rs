//! How deep markup nests, told before a tree is built of it.
//!
//! Building a tree costs time that grows with its depth at every tag, and what walks trees later may do so by
//! recursion: 100,000 nested tags would stop the program. One pass of the tokenizer, which keeps no tree, is cheap.

use std::cell::RefCell;
use std::collections::HashMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::{Rawtext, Rcdata, ScriptData};
use html5ever::tokenizer::{
    BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::{LocalName, TokenizerResult};

/// Deepest nesting read. Browsers stop at 512, and no page is written deeper.
pub const DEEPEST: usize = 512;
/// Most tags read, start and end. The longest live pages have a tenth.
pub const MOST_TAGS: usize = 300_000;
/// Tags left open although others were closed around them. Careless pages have hundreds.
const MOST_LEFT_OPEN: usize = 10_000;
/// Elements that a tree gets on top, because open emphasis is opened anew in each block.
const MOST_REOPENED: usize = 1_000_000;

/// Why markup is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DepthError {
    /// Deeper than [`DEEPEST`].
    #[error("its tags nest deeper than {DEEPEST}")]
    TooDeep,
    /// More than [`MOST_TAGS`], or built to become as many.
    #[error("it has more tags than the {MOST_TAGS} that are read")]
    TooManyTags,
}

/// Which rules of nesting hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Markup {
    Html,
    Xml,
}

/// Checks `text` before it is parsed.
pub(crate) fn check(text: &str, markup: Markup) -> Result<(), DepthError> {
    let count = Count { markup, open: RefCell::new(Open::default()) };
    let opts = TokenizerOpts { profile: false, exact_errors: false, ..TokenizerOpts::default() };
    let tokenizer = Tokenizer::new(count, opts);
    let input = BufferQueue::default();
    // In pieces, so that a refused text is not read to its end.
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = rest.len().min(64 * 1024);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        input.push_back(StrTendril::from_slice(&rest[..end]));
        rest = &rest[end..];
        // A script that ends interrupts the tokenizer: go on until the piece is used up.
        while let TokenizerResult::Script(()) = tokenizer.feed(&input) {}
        if let Some(error) = tokenizer.sink.open.borrow().error {
            return Err(error);
        }
    }
    tokenizer.end();
    tokenizer.sink.open.borrow().error.map_or(Ok(()), Err)
}

/// Sees the tags go by.
struct Count {
    markup: Markup,
    open: RefCell<Open>,
}

#[derive(Default)]
struct Open {
    /// Open elements as a forgiving parser sees them: an end tag closes what is open inside.
    stack: Vec<LocalName>,
    /// How many of each name are on it.
    names: HashMap<LocalName, usize>,
    /// Open elements as an unforgiving parser sees them: an end tag closes its own element alone, if that is last.
    strict: Vec<LocalName>,
    tags: usize,
    formatting: usize,
    reopened: usize,
    error: Option<DepthError>,
}

impl TokenSink for Count {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        let open = &mut *self.open.borrow_mut();
        if open.error.is_some() {
            return TokenSinkResult::Plaintext; // nothing further is of interest
        }
        open.tags += 1;
        let html = self.markup == Markup::Html;
        let name: &str = &tag.name;
        match tag.kind {
            TagKind::StartTag if html && (is_void(name) || closes_itself(name)) => {}
            TagKind::StartTag if !html && tag.self_closing => {}
            TagKind::StartTag => open.start(&tag.name),
            TagKind::EndTag => open.end(&tag.name),
        }
        if tag.kind == TagKind::StartTag && !is_formatting(name) {
            open.reopened += open.formatting;
        }
        if open.stack.len() > DEEPEST || open.strict.len() > MOST_LEFT_OPEN {
            open.error = Some(DepthError::TooDeep);
        } else if open.tags > MOST_TAGS || open.reopened > MOST_REOPENED {
            open.error = Some(DepthError::TooManyTags);
        }
        match name {
            _ if !html || tag.kind == TagKind::EndTag => TokenSinkResult::Continue,
            "script" => TokenSinkResult::RawData(ScriptData),
            "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(Rawtext),
            "textarea" | "title" => TokenSinkResult::RawData(Rcdata),
            "plaintext" => TokenSinkResult::Plaintext,
            _ => TokenSinkResult::Continue,
        }
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.markup == Markup::Xml // CDATA sections are text, not tags
    }
}

impl Open {
    fn start(&mut self, name: &LocalName) {
        self.stack.push(name.clone());
        self.strict.push(name.clone());
        *self.names.entry(name.clone()).or_default() += 1;
        self.formatting += usize::from(is_formatting(name));
    }

    fn end(&mut self, name: &LocalName) {
        if self.strict.last() == Some(name) {
            self.strict.pop();
        }
        if self.names.get(name).is_none_or(|&count| count == 0) {
            return;
        }
        while let Some(last) = self.stack.pop() {
            if let Some(count) = self.names.get_mut(&last) {
                *count -= 1;
            }
            if last == *name {
                // Emphasis closed by another element's end stays "open" for the next block: only its own end counts.
                self.formatting -= usize::from(is_formatting(name)).min(self.formatting);
                break;
            }
        }
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

/// Elements whose end tag is often left out, since the next one closes them: they hardly nest without a list or a
/// table between, which is counted.
fn closes_itself(name: &str) -> bool {
    matches!(
        name,
        "p" | "li"
            | "dt"
            | "dd"
            | "td"
            | "th"
            | "tr"
            | "thead"
            | "tbody"
            | "tfoot"
            | "colgroup"
            | "option"
            | "optgroup"
            | "rt"
            | "rp"
            | "html"
            | "head"
            | "body"
    )
}

/// Emphasis that html5ever opens anew in every block until its end tag comes.
fn is_formatting(name: &str) -> bool {
    matches!(
        name,
        "b" | "big"
            | "code"
            | "em"
            | "font"
            | "i"
            | "nobr"
            | "s"
            | "small"
            | "strike"
            | "strong"
            | "tt"
            | "u"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(text: &str) -> Result<(), DepthError> {
        check(text, Markup::Html)
    }

    #[test]
    fn deep_nesting_is_told_in_every_guise() {
        assert_eq!(html(&"<div>".repeat(100_000)), Err(DepthError::TooDeep));
        assert_eq!(html(&"<div></x>".repeat(100_000)), Err(DepthError::TooDeep));
        assert_eq!(html(&"<div><table></div>".repeat(100_000)), Err(DepthError::TooDeep));
        assert_eq!(html(&"<ul><li>".repeat(100_000)), Err(DepthError::TooDeep));
        assert_eq!(check(&"<a>".repeat(600), Markup::Xml), Err(DepthError::TooDeep));
        assert_eq!(html(&"<br>".repeat(MOST_TAGS + 1)), Err(DepthError::TooManyTags));
        let fonts: String = (0..500).map(|n| format!("<font size={n}>")).collect();
        assert_eq!(html(&(fonts + &"<p>".repeat(100_000))), Err(DepthError::TooManyTags));
    }

    #[test]
    fn careless_pages_are_read() {
        assert_eq!(html(&"<p>words<br><li>more<td>".repeat(5_000)), Ok(()));
        assert_eq!(html(&"<div><span>left open</div>".repeat(5_000)), Ok(()));
        assert_eq!(html(&"<i><p>words</p></i>".repeat(5_000)), Ok(()));
        let script =
            format!("<script>{}</script><style>{}</style>", "'<div>'".repeat(2_000), "<b>".repeat(2_000));
        assert_eq!(html(&script), Ok(()));
        assert_eq!(check(&format!("<a><![CDATA[{}]]></a>", "<b>".repeat(2_000)), Markup::Xml), Ok(()));
    }
}
