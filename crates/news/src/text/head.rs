//! The top of a scraped text: outlet, section, headline, byline, date, captions; then headings in the body.

use std::borrow::Cow;
use std::cell::LazyCell;

use foldhash::HashSet;
use proto::story::When;

use super::Role;
use super::join::Piece;
use super::lines::{count_words, ends_sentence, is_prose, starts_upper, words};
use super::patterns::is_summary_label;
use crate::document::Reason;
use crate::stamp;
use crate::word::small;

/// What the top of a text says about it.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) outlet: Option<String>,
    pub(crate) section: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) byline: Option<String>,
    pub(crate) published: Option<When>,
}

/// Reads the top, decides what each of its pieces is, and marks captions and headings everywhere.
pub(crate) fn read(pieces: &mut [Piece]) -> Head {
    mark_captions(pieces);
    mark_summary_points(pieces);
    let end = pieces.iter().position(is_text).unwrap_or(pieces.len());
    let (head, body) = pieces.split_at_mut(end);

    let mut found = Head { outlet: outlet(head), ..Head::default() };
    found.section = section(head);
    found.published = date(head);
    found.byline = byline(head, body);
    let alone =
        end == pieces.len() && pieces.iter().filter(|piece| piece.role == Role::Paragraph).count() < 2;
    // A single short line is all there is to read: it is the text.
    found.title = if alone { None } else { title(&mut pieces[..end]) };
    settle_rest(pieces, end, found.title.as_deref());
    mark_headings(&mut pieces[end..]);
    found
}

fn is_text(piece: &Piece) -> bool {
    piece.role == Role::Paragraph && is_prose(&piece.text)
}

fn without_genitive(word: &str) -> Cow<'_, str> {
    small(word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word))
}

/// Captions and credits say so: "Photograph: A. Name", "(Image: ...)", "(left)", "pictured".
pub(crate) fn mark_captions(pieces: &mut [Piece]) {
    for piece in pieces.iter_mut().filter(|piece| piece.role == Role::Paragraph) {
        if is_caption(&piece.text) {
            piece.role = Role::Caption;
        }
    }
    // What stands directly above a caption, without a full stop, describes the same picture for those who do not see it.
    for at in 1..pieces.len() {
        let (above, here) = (&pieces[at - 1], &pieces[at]);
        let described = here.role == Role::Caption && !here.after_blank && above.role == Role::Paragraph;
        if described && !ends_sentence(&above.text) && count_words(&above.text, 26) <= 25 {
            pieces[at - 1].role = Role::Caption;
        }
    }
}

fn is_caption(text: &str) -> bool {
    /// Longer than any caption, so a paragraph that mentions a photograph stays one.
    const LONGEST: usize = 60;
    let lower = text.to_lowercase();
    let credit = [
        "photograph:",
        "photo:",
        "photos:",
        "image:",
        "images:",
        "picture:",
        "photo by ",
        "photograph by ",
        "image credit",
        "photo credit",
        "picture credit",
        "illustration:",
        "credit:",
        "(photo",
        "file photo",
        "handout photo",
        "courtesy of ",
        "©",
        "photo courtesy",
        "image courtesy",
    ];
    let posed = [
        "(left)",
        "(right)",
        "(centre)",
        "(center)",
        "(pictured)",
        ", pictured ",
        ", left,",
        ", right,",
        "(l)",
        "(r)",
    ];
    let begins_as_credit = || credit.iter().any(|mark| lower.starts_with(mark));
    let ends_as_credit = |mark: &&str| {
        lower.find(mark).is_some_and(|at| {
            // The credit is the last thing said: a name or two, an agency.
            count_words(&lower[at..], 13) <= 12 && (at == 0 || !lower[..at].ends_with(char::is_alphanumeric))
        })
    };
    // Most paragraphs end as sentences do, and are searched for nothing.
    let says_so = begins_as_credit()
        || (!lower.trim_end().ends_with('.') && credit.iter().any(ends_as_credit))
        || (!ends_sentence(text) && posed.iter().any(|mark| lower.contains(mark)));
    says_so && count_words(text, LONGEST + 1) <= LONGEST
}

/// A summary label and the points below it, before the text begins.
fn mark_summary_points(pieces: &mut [Piece]) {
    let begin = pieces.iter().position(is_text).unwrap_or(pieces.len());
    let Some(label) =
        pieces[..begin].iter().position(|p| p.role == Role::Paragraph && is_summary_label(&p.text))
    else {
        return;
    };
    pieces[label].role = Role::Out(Reason::Summary);
    for piece in pieces[label + 1..].iter_mut() {
        match piece.role {
            Role::Paragraph if is_point(&piece.text) => piece.role = Role::Out(Reason::Summary),
            Role::Out(_) => {}
            _ => break,
        }
    }
}

fn is_point(text: &str) -> bool {
    text.starts_with(['•', '‣', '◦', '▪', '●', '·', '*', '–', '-', '—', '→', '✓'])
}

/// Behind a site's own words at the very top its page names the outlet: the same short line twice, as picture and as
/// words.
fn outlet(head: &mut [Piece]) -> Option<String> {
    let chrome = head.iter().take(12).position(|piece| piece.role == Role::Out(Reason::Chrome))?;
    let short = |piece: &Piece| piece.role == Role::Paragraph && count_words(&piece.text, 8) <= 7;
    let at = (chrome..head.len().saturating_sub(1))
        .find(|&at| short(&head[at]) && short(&head[at + 1]) && head[at].text == head[at + 1].text)?;
    head[at].role = Role::Out(Reason::OutletName);
    head[at + 1].role = Role::Out(Reason::OutletName);
    Some(without_edition(&head[at].text).to_owned())
}

/// "Harbour Post - UK" is the UK edition of the Harbour Post.
fn without_edition(name: &str) -> &str {
    const EDITIONS: &[&str] = &[
        "us",
        "usa",
        "uk",
        "au",
        "ca",
        "eu",
        "in",
        "ie",
        "nz",
        "za",
        "international",
        "global",
        "world",
        "europe",
        "asia",
        "africa",
        "australia",
        "canada",
        "india",
        "america",
    ];
    match name.rsplit_once(['-', '–', '|']) {
        Some((outlet, edition)) if EDITIONS.contains(&edition.trim().to_lowercase().as_str()) => {
            outlet.trim()
        }
        _ => name,
    }
}

fn section(head: &mut [Piece]) -> Option<String> {
    const SECTIONS: &[&str] = &[
        "africa",
        "americas",
        "analysis",
        "arts",
        "asia",
        "books",
        "business",
        "climate",
        "comment",
        "companies",
        "crime",
        "culture",
        "economy",
        "education",
        "elections",
        "entertainment",
        "environment",
        "europe",
        "explainer",
        "finance",
        "food",
        "health",
        "home",
        "ideas",
        "international",
        "investigations",
        "law",
        "lifestyle",
        "local",
        "local news",
        "markets",
        "media",
        "middle east",
        "money",
        "national",
        "nation",
        "news",
        "opinion",
        "politics",
        "science",
        "society",
        "sport",
        "sports",
        "tech",
        "technology",
        "travel",
        "uk",
        "uk news",
        "us",
        "us news",
        "video",
        "weather",
        "world",
        "world news",
        "breaking news",
        "top stories",
        "latest",
    ];
    let piece = head.iter_mut().find(|piece| {
        piece.role == Role::Paragraph && SECTIONS.contains(&piece.text.to_lowercase().trim_end_matches(':'))
    })?;
    piece.role = Role::Out(Reason::SectionName);
    Some(piece.text.clone())
}

fn date(head: &mut [Piece]) -> Option<When> {
    for piece in head.iter_mut().filter(|piece| piece.role == Role::Paragraph && piece.text.len() <= 80) {
        if let Some(when) = stamp::line(&piece.text) {
            piece.role = Role::Out(Reason::Dateline);
            return Some(when);
        }
    }
    None
}

/// "By A. Name", or names alone ("A. Name and B. Name in Town") that the text does not speak of.
fn byline(head: &mut [Piece], body: &[Piece]) -> Option<String> {
    // Few articles have a line that asks for them.
    let body_words = LazyCell::new(|| -> HashSet<Cow<'_, str>> {
        let paragraphs = body.iter().filter(|piece| piece.role == Role::Paragraph);
        paragraphs.flat_map(|piece| words(&piece.text).map(without_genitive)).collect()
    });
    let candidates = head.iter().filter(|p| p.role == Role::Paragraph).count();
    for piece in head.iter_mut().filter(|piece| piece.role == Role::Paragraph && piece.text.len() <= 160) {
        let text = piece.text.as_str();
        let by =
            ["By ", "by ", "BY ", "Written by ", "Words by "].iter().find_map(|by| text.strip_prefix(by));
        let named =
            by.is_some_and(|rest| starts_upper(rest) && count_words(rest, 21) <= 20 && !ends_sentence(rest));
        let strangers = candidates > 1
            && by.is_none()
            && surnames(text)
                .is_some_and(|names| names.iter().all(|name| !body_words.contains(&*small(name))));
        if named || strangers {
            piece.role = Role::Out(Reason::Byline);
            return Some(by.unwrap_or(text).trim().to_owned());
        }
    }
    None
}

/// The surnames of a line made of nothing but names of two or three words, joined by commas and "and", perhaps
/// followed by "in" and a place.
fn surnames(line: &str) -> Option<Vec<&str>> {
    let (names, place) = line.split_once(" in ").map_or((line, None), |(names, place)| (names, Some(place)));
    let capital = |word: &str| word.starts_with(char::is_uppercase);
    let lower_after_first = |word: &str| word.chars().skip(1).any(char::is_lowercase);
    if place.is_some_and(|place| !place.split_whitespace().all(capital) || count_words(place, 5) > 4) {
        return None;
    }
    let mut found = Vec::new();
    for name in names.split(", ").flat_map(|part| part.split(" and ")).filter(|name| !name.is_empty()) {
        let parts: Vec<&str> = name.split_whitespace().collect();
        let plausible = (2..=4).contains(&parts.len())
            && parts.iter().all(|p| capital(p) && !p.chars().any(char::is_numeric));
        if !plausible || !parts.last().is_some_and(|last| lower_after_first(last)) {
            return None;
        }
        found.extend(parts.last());
    }
    (!found.is_empty()).then_some(found)
}

/// The first line that can be a headline.
fn title(head: &mut [Piece]) -> Option<String> {
    let fits = |piece: &Piece, fewest: usize| {
        piece.role == Role::Paragraph
            && (fewest..=32).contains(&count_words(&piece.text, 33))
            && piece.text.len() <= 300
            && !is_point(&piece.text)
            && !piece.text.ends_with([':', ','])
    };
    let at = head
        .iter()
        .position(|piece| fits(piece, 4) && !piece.text.ends_with('.'))
        .or_else(|| head.iter().position(|piece| fits(piece, 2) && !piece.text.ends_with('.')))
        .or_else(|| head.iter().position(|piece| fits(piece, 3)))?;
    head[at].role = Role::Title;
    Some(head[at].text.trim_start_matches('#').trim().to_owned())
}

/// What is left above the text: a standfirst ends as a sentence; a short label that names what the text is about
/// belonged to a picture.
fn settle_rest(pieces: &mut [Piece], end: usize, title: Option<&str>) {
    let (head, body) = pieces.split_at_mut(end);
    let Some(first) = body.first() else { return };
    let known: HashSet<Cow<'_, str>> =
        words(&first.text).chain(words(title.unwrap_or_default())).map(without_genitive).collect();
    for piece in head.iter_mut().filter(|piece| piece.role == Role::Paragraph) {
        if title.is_some_and(|title| title == piece.text) {
            piece.role = Role::Title;
        } else if !ends_sentence(&piece.text) {
            let picture = count_words(&piece.text, 7) <= 6
                && words(&piece.text).all(|w| known.contains(&without_genitive(w)));
            piece.role = if picture { Role::Caption } else { Role::Heading };
        }
    }
}

/// Inside the text: a short line with prose below it, that does not end as a sentence.
fn mark_headings(body: &mut [Piece]) {
    for at in 0..body.len() {
        let piece = &body[at];
        let short = piece.role == Role::Paragraph
            && !piece.mended
            && count_words(&piece.text, 15) <= 14
            && piece.text.len() <= 140
            && starts_upper(&piece.text)
            && !piece.text.ends_with([',', ':', ';', '—', '–', '.', '!', '…', '”', '"'])
            && !piece.text.starts_with(['“', '"', '‘'])
            && !is_point(&piece.text);
        let below = body[at + 1..].iter().find(|next| !matches!(next.role, Role::Out(_)));
        if short && below.is_some_and(is_text) {
            body[at].role = Role::Heading;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::read as read_text;
    use super::*;
    use crate::document::{Document, Format, Source};
    use proto::story::Block;

    const PROSE: &str = "The ferry to the outer islands did not leave on Monday, and the harbour office said the crew had \
                         refused to sail in a wind that two instruments measured differently.";

    fn document(text: &str) -> Document {
        read_text(text, Source { name: "t".into(), format: Format::Text, charset: "UTF-8" })
            .expect("an article")
    }

    #[test]
    fn an_aggregators_page_names_outlet_section_byline_and_title() {
        let text = format!(
            "All our news for members.\nOne login.\nHarbour Post - UK\nHarbour Post - UK\nWorld\nAda Moor and Ben Tallow in Skerry\n\n\
             Ferry crew refuses to sail\n\nA boat at a pier\nThe ferry in March. Photograph: C. Light/XY\n\n{PROSE}\n"
        );
        let got = document(&text);
        assert_eq!(got.outlet.as_deref(), Some("Harbour Post"));
        assert_eq!(got.section.as_deref(), Some("World"));
        assert_eq!(got.byline.as_deref(), Some("Ada Moor and Ben Tallow in Skerry"));
        assert_eq!(got.title.as_deref(), Some("Ferry crew refuses to sail"));
        assert!(
            matches!(&got.body[..], [Block::Caption(_), Block::Caption(_), Block::Paragraph(p)] if p == PROSE)
        );
    }

    #[test]
    fn a_person_the_text_speaks_of_is_no_author() {
        let text = format!(
            "The captain speaks\n\nRon Gale\n\n{PROSE} Ron Gale spoke for the crew and for no one else."
        );
        let got = document(&text);
        assert_eq!(got.byline, None);
        assert_eq!(got.body[0], Block::Caption("Ron Gale".into()));
    }

    #[test]
    fn dates_and_bylines_above_the_text_are_taken_over() {
        let text = format!("Ferry crew refuses to sail\nBy Ada Moor\nPublished: 3 November 2026\n\n{PROSE}");
        let got = document(&text);
        assert_eq!(got.byline.as_deref(), Some("Ada Moor"));
        assert_eq!(got.published.map(|when| when.unix), Some(1_793_664_000));
        assert_eq!(got.body.len(), 1);
    }

    #[test]
    fn a_text_without_a_headline_has_none() {
        let got = document(PROSE);
        assert_eq!((got.title, got.body.len()), (None, 1));
    }

    #[test]
    fn a_single_sentence_is_a_text() {
        let got = document("The ferry was late again.");
        assert_eq!((got.title.as_deref(), got.body.len()), (None, 1));
        let got = document("Late again\nThe ferry was late.");
        assert_eq!((got.title.as_deref(), got.body.len()), (Some("Late again"), 1));
    }

    #[test]
    fn headings_stand_between_paragraphs() {
        let got = document(&format!("{PROSE}\nWhat the crew says\n{PROSE}"));
        assert_eq!(got.body[1], Block::Heading("What the crew says".into()));
    }

    #[test]
    fn summary_points_are_left_out() {
        let got = document(&format!(
            "Ferry stays put\n\nKey points\n• A ferry stayed. {PROSE}\n• Wind.\n\n{PROSE}"
        ));
        assert_eq!(got.body.len(), 1);
        assert_eq!(got.dropped.iter().filter(|d| d.reason == Reason::Summary).count(), 3);
    }
}
