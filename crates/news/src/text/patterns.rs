//! Which single lines are not the article: pointers to other articles, a site's own words, addresses, labels.

use super::Role;
use super::lines::{Line, count_words, ends_sentence, is_prose, words};
use crate::document::Reason;
use crate::word::small;

/// Marks every line that can be judged by itself or by its neighbours' shape.
pub(crate) fn mark(lines: &mut [Line<'_>]) {
    let first_prose = lines.iter().position(|line| is_prose(line.text)).unwrap_or(lines.len());
    let last_prose = lines.iter().rposition(|line| is_prose(line.text)).unwrap_or(0);
    let mut previous: Option<usize> = None; // the last line with words, for broken sentences
    for at in 0..lines.len() {
        let text = lines[at].text;
        if text.is_empty() {
            previous = None;
            continue;
        }
        // Inside a sentence broken at a link no short line is judged by its words: it may be any words.
        let inside = previous.is_some_and(|p| !ends_sentence(lines[p].text) && !starts_as_line(text));
        let outside_text = at < first_prose || at > last_prose;
        if lines[at].role.is_none() && !inside {
            lines[at].role = judge(text, outside_text).map(Role::Out);
        }
        previous = Some(at);
    }
    mark_bracketed(lines);
    mark_contents(lines);
    mark_tail(lines);
}

fn starts_as_line(text: &str) -> bool {
    text.starts_with(|c: char| {
        c.is_uppercase() || c.is_numeric() || matches!(c, '[' | '(' | '"' | '“' | '•' | '-' | '©')
    }) || is_bare_address(text)
}

/// Why this line alone is not part of an article; `None` if it may be. `outside_text`: no prose stands before it, or
/// none after it.
pub(crate) fn judge(text: &str, outside_text: bool) -> Option<Reason> {
    if is_bare_address(text) {
        Some(Reason::BareAddress)
    } else if is_not_prose(text) {
        Some(Reason::NotProse)
    } else if is_promotion(text) {
        Some(Reason::Promotion)
    } else if is_rights_notice(text) {
        Some(Reason::Rights)
    } else if is_contents_label(text) {
        Some(Reason::Contents)
    } else if is_chrome(text, outside_text) {
        Some(Reason::Chrome)
    } else {
        None
    }
}

/// An address and nothing else.
pub(crate) fn is_bare_address(text: &str) -> bool {
    let text = text.trim_matches(['<', '>', '(', ')', '[', ']']);
    let has_scheme = text.starts_with("http://") || text.starts_with("https://") || text.starts_with("www.");
    has_scheme && !text.contains(char::is_whitespace)
}

/// Signs without letters or digits, or a "word" no language has.
fn is_not_prose(text: &str) -> bool {
    /// The longest words of German and Finnish officialdom stay below.
    const LONGEST_WORD: usize = 200;
    // Scripts without blanks between words (Chinese, Thai) have punctuation, and no such runs of ASCII.
    let mut words = text.as_bytes().split(|byte| !byte.is_ascii_graphic());
    let signs_only = !text.contains(char::is_alphanumeric);
    words.any(|word| word.len() > LONGEST_WORD) || signs_only && text != "[" && text != "]"
}

/// "Also read: ...", "Related: ...", "More: ...": a lead word, a colon, and a headline.
pub(crate) fn is_promotion(text: &str) -> bool {
    /// A headline is no longer; a paragraph that begins "Read: ..." is.
    const HEADLINE_WORDS: usize = 30;
    /// A longer lead is none, in bytes.
    const LEAD: usize = 40;
    let text = text.trim_start_matches(|c: char| !c.is_alphanumeric());
    let mut leading = text.char_indices().take_while(|(at, _)| *at <= LEAD);
    let Some((at, sign)) = leading.find(|(_, c)| matches!(c, ':' | '|' | '»' | '>' | '→')) else {
        return false;
    };
    let rest = &text[at + sign.len_utf8()..];
    let lead = text[..at].trim().to_lowercase();
    let strong = [
        "also read",
        "read also",
        "read more",
        "read next",
        "read this",
        "see also",
        "also see",
        "more on this",
        "must read",
        "don't miss",
        "don’t miss",
        "related",
        "related story",
        "related stories",
        "related article",
        "related articles",
        "related news",
        "related coverage",
        "recommended",
        "you may also like",
        "you might also like",
        "also watch",
        "watch also",
        "watch now",
        "watch more",
        "listen now",
        "in case you missed it",
        "icymi",
        "more from this section",
        "further reading",
        "click here",
        "also in the news",
        "trending",
    ];
    // One plain verb before a colon also begins honest sentences ("Listen: it was raining."), which end as such.
    let weak = [
        "read",
        "watch",
        "listen",
        "more",
        "explained",
        "explainer",
        "gallery",
        "in pictures",
        "video",
        "podcast",
    ];
    let count = count_words(rest, HEADLINE_WORDS + 1);
    let headline = (2..=HEADLINE_WORDS).contains(&count);
    headline
        && (strong.contains(&lead.as_str())
            || (weak.contains(&lead.as_str()) && !rest.trim_end().ends_with('.')))
}

/// "All rights reserved", or the sign with a year; the sign with a name alone is a picture's credit.
fn is_rights_notice(text: &str) -> bool {
    if text.len() > 400 {
        return false;
    }
    let lower = text.to_lowercase();
    let year = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let signed = lower.starts_with('©') || lower.starts_with("(c)");
    let dated = (signed && words(text).take(4).any(year))
        || (lower.starts_with("copyright") && words(text).skip(1).take(2).any(year));
    dated || lower.contains("all rights reserved")
}

/// The label of a table of contents.
fn is_contents_label(text: &str) -> bool {
    let label = label(text);
    ["table of contents", "contents", "in this article", "on this page", "jump to section", "toc"]
        .iter()
        .any(|known| near(&label, known))
}

/// The label of a summary in points.
pub(crate) fn is_summary_label(text: &str) -> bool {
    let label = label(text);
    let known = [
        "summary",
        "in summary",
        "quick summary",
        "article summary",
        "ai summary",
        "key points",
        "key takeaways",
        "takeaways",
        "highlights",
        "at a glance",
        "in brief",
        "tl;dr",
        "tldr",
        "the gist",
        "quick read",
    ];
    known.iter().any(|known| near(&label, known))
}

fn label(text: &str) -> String {
    if text.len() > 40 {
        return String::new();
    }
    text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase()
}

/// Equal, or one letter off in a word long enough that this is a slip.
fn near(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (length, wanted) = (a.chars().count(), b.chars().count());
    if wanted < 7 || length.abs_diff(wanted) > 1 {
        return false;
    }
    let front = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
    let back = a.chars().rev().zip(b.chars().rev()).take_while(|(x, y)| x == y).count();
    front + back + 1 >= length.max(wanted)
}

/// A site's own words: short, addressed to a visitor, made of the words such lines are made of.
pub(crate) fn is_chrome(text: &str, outside_text: bool) -> bool {
    /// Longer lines are sentences with something to say.
    const LONGEST: usize = 18;
    if text.len() > 200 || text.contains(['"', '“', '”']) {
        return false;
    }
    let (mut all, mut usual, mut telling) = (0, 0, 0);
    for word in words(text) {
        all += 1;
        let word = small(word);
        let word = word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(&word);
        if TELLING.contains(&word) {
            telling += 1;
        } else if USUAL.contains(&word) || word.chars().all(|c| c.is_numeric()) {
            usual += 1;
        }
    }
    let known = (telling + usual) * 100 >= all * 80;
    let enough = if outside_text { 1 } else { 2 };
    // In the middle of a text a heading may be made of such words ("The app"); a line that asks for something is longer.
    (1..=LONGEST).contains(&all) && known && telling >= enough && (outside_text || all >= 3)
}

/// Words that a page says about itself and its visitor, and an article's line hardly ever consists of.
#[rustfmt::skip]
const TELLING: &[&str] = &[
    "account", "advertisement", "app", "apps", "bookmark", "cookies", "comments", "download", "downloaded",
    "follow", "login", "logout", "member", "members", "membership", "menu", "newsletter", "newsletters",
    "paywall", "picks", "premium", "read", "reading", "register", "related", "search", "share", "sign",
    "signup", "skip", "sponsored", "stories", "subscribe", "subscriber", "subscribers", "subscription",
    "subscriptions", "titles", "trial", "trusted", "unlimited", "unlock", "unsubscribe", "free", "news",
    "curated", "trending", "recommended",
];

/// Words that surround them, the plainest words of the language among them.
#[rustfmt::skip]
const USUAL: &[&str] = &[
    "a", "about", "access", "ad", "add", "ago", "all", "alerts", "already", "an", "and", "android", "any",
    "anytime", "article", "articles", "at", "back", "best", "browse", "by", "can", "cancel", "click",
    "comment", "content", "continue", "copy", "create", "daily", "day", "days", "editor", "editors",
    "email", "enjoy", "enter", "every", "everything", "facebook", "feed", "first", "five", "for",
    "fourteen", "from", "full", "get", "gives", "global", "go", "google", "have", "here", "home", "hour",
    "hours", "hundreds", "i", "in", "inbox", "instagram", "into", "ios", "is", "it", "join", "journalism",
    "keep", "later", "latest", "left", "link", "linkedin", "list", "load", "local", "log", "main", "min",
    "mins", "minute", "minutes", "mode", "month", "months", "more", "most", "my", "need", "new", "next",
    "no", "not", "now", "of", "off", "on", "one", "only", "open", "or", "our", "out", "page", "pages",
    "pay", "per", "picked", "place", "play", "popular", "post", "preferred", "previous", "print", "privacy",
    "publisher", "publishers", "quality", "reader", "right", "save", "see", "send", "seven", "site",
    "sites", "source", "sources", "specifically", "start", "story", "support", "tap", "ten", "that", "the",
    "thirty", "this", "thousands", "times", "to", "today", "top", "topic", "topics", "try", "twitter", "up",
    "us", "use", "view", "want", "watch", "we", "week", "weeks", "whatsapp", "with", "world", "x", "year",
    "years", "you", "your", "youtube",
];

/// `[`, a link's words, `]`, each on its own line or all on one.
fn mark_bracketed(lines: &mut [Line<'_>]) {
    /// A link's words, perhaps broken once or twice.
    const INSIDE: usize = 4;
    for at in 0..lines.len() {
        let text = lines[at].text;
        let one_line =
            text.starts_with('[') && text.ends_with(']') && text.contains(':') && count_words(text, 31) <= 30;
        if one_line {
            lines[at].role = Some(Role::Out(Reason::Promotion));
        }
        if text != "[" {
            continue;
        }
        if lines[at].role.is_none() {
            lines[at].role = Some(Role::Out(Reason::NotProse)); // unless something closes it
        }
        let inside = &lines[at + 1..lines.len().min(at + 2 + INSIDE)];
        if let Some(close) = inside.iter().position(|line| line.text == "]") {
            for line in &mut lines[at..=at + 1 + close] {
                line.role = Some(Role::Out(Reason::Promotion));
            }
        }
    }
}

/// The entries below a contents label: short lines that return as headings further down.
fn mark_contents(lines: &mut [Line<'_>]) {
    let Some(label) = lines.iter().position(|line| line.role == Some(Role::Out(Reason::Contents))) else {
        return;
    };
    let end = lines[label..].iter().position(|line| is_prose(line.text)).map_or(lines.len(), |p| label + p);
    let mut later = std::collections::HashSet::new();
    for line in &lines[end..] {
        later.insert(line.text);
    }
    for line in &mut lines[label + 1..end] {
        let entry = line.text.trim_start_matches(|c: char| !c.is_alphabetic());
        if line.role.is_none() && !entry.is_empty() && later.contains(entry) {
            line.role = Some(Role::Out(Reason::Contents));
        }
    }
}

/// Behind the last prose, lists of other stories follow a site's own words: once those began, short lines are theirs.
fn mark_tail(lines: &mut [Line<'_>]) {
    let Some(last_prose) = lines.iter().rposition(|line| is_prose(line.text) && line.role.is_none()) else {
        return;
    };
    let mut began = false;
    for line in &mut lines[last_prose + 1..] {
        if line.role == Some(Role::Out(Reason::Chrome)) {
            began = true;
        } else if began && line.role.is_none() && !line.text.is_empty() {
            line.role = Some(Role::Out(Reason::Chrome));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_to_other_articles_are_told_from_sentences() {
        for promo in [
            "Also Read: Harbour Bridge To Close For A Week",
            "Read : Minister says ferries are safe",
            "RELATED: Ten storms that changed the coast",
            "• Watch: The night the lights went out",
            "Don’t miss | What the mayor knew",
        ] {
            assert_eq!(judge(promo, false), Some(Reason::Promotion), "{promo}");
        }
        for prose in [
            "Read: it was the only word on the slip of paper that the clerk had left behind.",
            "More: Thomas More was a lawyer.",
            "The related costs: nine million, according to the council's own figures.",
            "Related",
        ] {
            assert_ne!(judge(prose, false), Some(Reason::Promotion), "{prose}");
        }
    }

    #[test]
    fn a_sites_own_words_are_told_from_an_articles() {
        for chrome in [
            "Sign up for our newsletter",
            "Subscribe now for unlimited access",
            "Already a subscriber? Log in",
            "Get the app",
            "Seven days free",
        ] {
            assert!(is_chrome(chrome, true), "{chrome}");
        }
        for article in [
            "The ministry signed the contract on Monday.",
            "Free at last, the miners waved",
            "“Sign here,” he said",
            "Storm closes harbour",
            "Subscription prices rise for ferry commuters across the county",
        ] {
            assert!(!is_chrome(article, true), "{article}");
        }
        assert!(!is_chrome("The app", false), "a heading in the middle");
    }

    #[test]
    fn labels_are_found_with_a_slip_of_the_pen() {
        assert!(is_summary_label("Summery"));
        assert!(is_summary_label("KEY POINTS:"));
        assert!(!is_summary_label("Summit"));
        assert_eq!(judge("Table of Contents", true), Some(Reason::Contents));
        assert_eq!(judge("Contentment", true), None);
    }

    #[test]
    fn signs_and_endless_words_are_not_prose() {
        assert_eq!(judge("* * *", false), Some(Reason::NotProse));
        assert_eq!(judge(&"QUJD".repeat(100), false), Some(Reason::NotProse));
        assert_eq!(judge("https://a.example/x", false), Some(Reason::BareAddress));
        assert_eq!(judge("© 2026 The Harbour Post", false), Some(Reason::Rights));
    }
}
