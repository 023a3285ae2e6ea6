//! Other people's words on our pages: letters, never behaviour.
//!
//! `maud` escapes markup. What is left is what letters themselves can do: bidi controls turn the order of the text
//! around them, tag and control characters hide text, stacks of combining marks paint over their neighbours.

use std::borrow::Cow;

use maud::{Markup, html};

/// More combining marks than this on one letter are dropped. Vietnamese needs two, Hebrew with cantillation four.
const MARKS: usize = 4;

/// A run of other people's text inside a line of ours, isolated so that its direction stays its own.
pub fn run(text: &str) -> Markup {
    html! { bdi { (tame(text)) } }
}

/// The text with every character taken out that does something other than be read.
pub fn tame(text: &str) -> Cow<'_, str> {
    if text.chars().all(reader()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(
        text.chars()
            .filter({
                let mut keep = reader();
                move |c| keep(*c)
            })
            .collect(),
    )
}

/// A sentence of ours with each `{}` filled in, in order.
pub fn fill(sentence: &str, parts: &[Markup]) -> Markup {
    html! {
        @for (place, piece) in sentence.split("{}").enumerate() {
            @if let Some(part) = place.checked_sub(1).and_then(|n| parts.get(n)) { (part) }
            (piece)
        }
    }
}

/// The beginning of a text, cut at a word, with an ellipsis if anything is missing. `limit` counts characters.
pub fn beginning(text: &str, limit: usize) -> String {
    let text = tame(text);
    let Some((end, _)) = text.char_indices().nth(limit) else { return text.trim().to_owned() };
    let whole = text[end..].starts_with(char::is_whitespace);
    let cut = text[..end].rfind(char::is_whitespace).filter(|at| !whole && *at > end / 2).unwrap_or(end);
    let shown = text[..cut].trim_end_matches(|c: char| c.is_whitespace() || ",;:–—-".contains(c));
    // A whole sentence needs no ellipsis.
    let ends = shown.trim_end_matches(['”', '"', '’', ')']).ends_with(['.', '!', '?']);
    if ends { shown.to_owned() } else { format!("{shown}…") }
}

/// Goes through a text and says of each character whether it stays.
fn reader() -> impl FnMut(char) -> bool {
    let mut marks = 0;
    move |c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks <= MARKS && !acts(c)
    }
}

fn acts(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // embeddings and overrides, isolates: an unclosed one reorders what follows
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{206A}'..='\u{206F}' => true,
        // invisible: byte order mark, annotations, tags, fillers
        '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}'
        | '\u{E0000}'..='\u{E007F}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{3164}' => true,
        // line and paragraph separators act like line breaks in some browsers and not in others
        '\u{2028}' | '\u{2029}' => true,
        other => other.is_control(),
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5BD}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_becomes_letters() {
        let shown = run("<script>alert(1)</script><img src=x onerror=y> & \"quoted\"").into_string();
        assert_eq!(
            shown,
            "<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=y&gt; &amp; \
             &quot;quoted&quot;</bdi>"
        );
    }

    #[test]
    fn overrides_and_hidden_text_are_taken_out() {
        assert_eq!(tame("exe.\u{202E}gpj\u{202C} \u{2066}x\u{2069}"), "exe.gpj x");
        assert_eq!(tame("a\u{E0041}\u{E007F}b\u{7}c\u{FEFF}"), "abc");
        let stacked = format!("z{}a", "\u{301}".repeat(60));
        assert_eq!(tame(&stacked).chars().count(), 2 + MARKS);
    }

    #[test]
    fn languages_stay_whole() {
        for text in
            ["Đặng Thị Huệ", "שָׁלוֹם", "سلام دنیا", "می\u{200c}خواهم", "👩\u{200d}👧 café", "naïve\u{200f}"]
        {
            assert!(matches!(tame(text), Cow::Borrowed(_)), "{text}");
        }
    }

    #[test]
    fn filled_in_order_and_escaped() {
        let shown = fill("between {} and {}.", &[html! { "<a>" }, html! { b { "c" } }]).into_string();
        assert_eq!(shown, "between &lt;a&gt; and <b>c</b>.");
        assert_eq!(fill("all of {}", &[]).into_string(), "all of ");
    }

    #[test]
    fn beginning_is_cut_at_a_word() {
        assert_eq!(beginning("Ferries stay in harbour, storm or not", 24), "Ferries stay in harbour…");
        assert_eq!(beginning("short", 24), "short");
        assert_eq!(beginning("It rained. Then it snowed on the hills.", 12), "It rained.");
        assert_eq!(beginning(&"x".repeat(30), 10).chars().count(), 11);
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in "\\PC*|.*") {
            let tamed = tame(&text).into_owned();
            prop_assert!(!tamed.chars().any(acts));
            prop_assert_eq!(tame(&tamed).into_owned(), tamed);
            let _ = beginning(&text, 5);
        }
    }
}
