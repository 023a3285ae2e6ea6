//! Whether an outlet marks an article as opinion, and by which words.
//!
//! Only what the outlet says counts: the section, a label before or behind the headline, the byline, a part of the address. Nobody's tone
//! is judged. "Analysis" is no opinion.

use crate::document::Document;

/// Sections and labels, in small letters.
const LABELS: &[&str] = &[
    "column",
    "columnist",
    "columnists",
    "columns",
    "comment",
    "commentary",
    "editorial",
    "editorials",
    "guest column",
    "guest essay",
    "kolumne",
    "kommentar",
    "leading article",
    "leitartikel",
    "letters to the editor",
    "meinung",
    "op ed",
    "op-ed",
    "op-eds",
    "opinion",
    "opinions",
    "opinião",
    "opinión",
    "opinioni",
    "the editorial board",
    "editorial board",
    "viewpoint",
    "éditorial",
    "мнение",
];
/// Parts of an address that are nothing else. A comment may be one of a reader, an editorial anything of the editors.
const ADDRESSES: &[&str] = &["columnists", "meinung", "op-ed", "opinion", "opinions"];
/// What stands between a label and a headline.
const BREAKS: &[char] = &[':', '|', '–', '—', '·', '»'];

/// The words by which its outlet marks it as opinion, as printed.
pub(crate) fn opinion(document: &Document) -> Option<String> {
    let section = document.section.as_deref().and_then(|section| {
        // "News / Opinion"
        section.split(['/', '>', '|']).map(str::trim).find(|part| is_label(part))
    });
    let title = document.title.as_deref().and_then(labelled);
    let byline = document.byline.as_deref().and_then(signed);
    let found = section.or(title).or(byline).or_else(|| document.url.as_deref().and_then(addressed));
    found.map(str::to_owned)
}

/// Whether it is a label of opinion and nothing else.
pub(crate) fn is_label(words: &str) -> bool {
    LABELS.contains(&words.to_lowercase().as_str())
}

/// "Opinion: The pier must go", "The pier must go | Opinion"
fn labelled(title: &str) -> Option<&str> {
    let first = title.split_once(BREAKS).map(|it| it.0.trim());
    let last = title.rsplit_once(['|', '–', '—']).map(|it| it.1.trim());
    [first, last].into_iter().flatten().find(|words| is_label(words))
}

/// "Ilsa Vane, columnist", "Opinion by Ilsa Vane", "The Editorial Board"
fn signed(byline: &str) -> Option<&str> {
    let part = byline.split([',', '|', '·', ';']).map(str::trim).find(|part| is_label(part));
    part.or_else(|| {
        let (label, name) = byline.split_once(" by ").or_else(|| byline.split_once(" By "))?;
        (is_label(label.trim()) && !name.trim().is_empty()).then(|| label.trim())
    })
    .or_else(|| {
        byline.split(|c: char| !c.is_alphanumeric()).find(|word| word.eq_ignore_ascii_case("columnist"))
    })
}

/// A part of an address's path.
fn addressed(url: &str) -> Option<&str> {
    let path = url.split_once("://")?.1.split(['?', '#']).next()?;
    // The last part names the article.
    let mut parts: Vec<&str> = path.trim_end_matches('/').split('/').skip(1).collect();
    parts.pop();
    parts.into_iter().find(|part| ADDRESSES.contains(&part.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Format, Source};

    fn marked(bend: impl Fn(&mut Document)) -> Option<String> {
        let mut document =
            Document::empty(Source { name: "a.txt".into(), format: Format::Text, charset: "UTF-8" });
        bend(&mut document);
        opinion(&document)
    }

    #[test]
    fn sections_labels_bylines_and_addresses_mark_opinion() {
        let title = |it: &str| marked(|document| document.title = Some(it.into()));
        assert_eq!(title("Opinion: The pier must go").as_deref(), Some("Opinion"));
        assert_eq!(title("EDITORIAL | Who pays for the pier?").as_deref(), Some("EDITORIAL"));
        assert_eq!(title("The pier must go – Comment").as_deref(), Some("Comment"));
        let section = |it: &str| marked(|document| document.section = Some(it.into()));
        assert_eq!(section("News / Op-Ed").as_deref(), Some("Op-Ed"));
        let byline = |it: &str| marked(|document| document.byline = Some(it.into()));
        assert_eq!(byline("Ilsa Vane, columnist").as_deref(), Some("columnist"));
        assert_eq!(byline("Harbour columnist Ilsa Vane").as_deref(), Some("columnist"));
        assert_eq!(byline("Opinion by Ilsa Vane").as_deref(), Some("Opinion"));
        assert_eq!(byline("The Editorial Board").as_deref(), Some("The Editorial Board"));
        let url = |it: &str| marked(|document| document.url = Some(it.into()));
        assert_eq!(url("https://quay.example/opinion/2031/pier").as_deref(), Some("opinion"));
    }

    #[test]
    fn words_of_a_headline_mark_nothing() {
        for title in [
            "No comment: harbour master silent",
            "Opinion polls: the pier is loved",
            "Court gives its opinion on the pier",
            "Analysis: what the pier cost",
            "A column of smoke | Vale Radio",
        ] {
            assert_eq!(marked(|document| document.title = Some(title.into())), None, "{title}");
        }
        for url in [
            "https://quay.example/news/opinion",
            "https://opinion.example/a/b",
            "opinion/x",
            "https://quay.example/comment/7",
        ] {
            assert_eq!(marked(|document| document.url = Some(url.into())), None, "{url}");
        }
        assert_eq!(
            marked(|document| document.byline = Some("Ilsa Vane, harbour correspondent".into())),
            None
        );
        assert_eq!(marked(|document| document.section = Some("World".into())), None);
    }
}
