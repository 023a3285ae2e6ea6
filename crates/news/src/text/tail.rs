//! What follows an article: how to contact the outlet, who contributed.

use std::collections::HashSet;

use super::Role;
use super::join::Piece;
use super::lines::{count_words, words};
use crate::document::Reason;
use crate::word::small;

/// Marks contribution notes and panels that ask the reader for information.
pub(crate) fn mark(pieces: &mut [Piece]) {
    for piece in pieces.iter_mut().filter(|piece| is_text(piece)) {
        if is_contribution(&piece.text) {
            piece.role = Role::Out(Reason::Contribution);
        }
    }
    mark_tip_panel(pieces);
}

/// "... contributed to this report", "Additional reporting by ...".
fn is_contribution(text: &str) -> bool {
    if count_words(text, 41) > 40 {
        return false;
    }
    let lower = text.to_lowercase();
    let inside = [
        "contributed to this ",
        "contributed reporting",
        "contributed additional reporting",
        "contributed to the reporting",
    ];
    let begins = [
        "additional reporting by",
        "reporting by ",
        "with reporting by",
        "with additional reporting",
        "edited by ",
        "editing by ",
        "with files from",
        "this article was originally published",
        "this story was originally published",
        "this article first appeared",
        "this story first appeared",
        "this article has been amended",
        "this article was amended",
    ];
    let bare = lower.trim_start_matches(['(', '[', '—', '–', '-', '*', ' ']);
    inside.iter().any(|mark| lower.contains(mark)) || begins.iter().any(|mark| bare.starts_with(mark))
}

/// A panel begins where the reader is asked to get in touch in confidence, and goes on as long as it speaks to the
/// reader or of ways to write; it takes with it an opening about the outlet's own journalism.
fn mark_tip_panel(pieces: &mut [Piece]) {
    let kept: Vec<usize> = (0..pieces.len()).filter(|&at| is_text(&pieces[at])).collect();
    let Some(anchor) = kept.iter().position(|&at| asks_for_tips(&pieces[at].text)) else { return };
    if anchor * 3 < kept.len() {
        return; // an article about such panels begins with one
    }
    let subject = subject(kept[..anchor].iter().map(|&at| pieces[at].text.as_str()));
    let begin = kept[..anchor]
        .iter()
        .rposition(|&at| !(speaks_of_the_trade(&pieces[at].text) && shared(&subject, &pieces[at].text) == 0))
        .map_or(0, |last_of_article| last_of_article + 1);
    let end = kept[anchor + 1..]
        .iter()
        .position(|&at| {
            let text = pieces[at].text.as_str();
            !(speaks_to_the_reader(text) || speaks_for_the_outlet(text) || count_words(text, 13) <= 12)
                || shared(&subject, text) > 2
        })
        .map_or(kept.len(), |after| anchor + 1 + after);
    for &at in &kept[begin..end] {
        pieces[at].role = Role::Out(Reason::TipPanel);
    }
}

fn is_text(piece: &Piece) -> bool {
    matches!(piece.role, Role::Paragraph | Role::Heading)
}

fn asks_for_tips(text: &str) -> bool {
    if text.contains(['“', '"']) || count_words(text, 81) > 80 || !speaks_to_the_reader(text) {
        return false;
    }
    let lower = text.to_lowercase();
    let touch = [
        "contact us",
        "send us",
        "reach us",
        "reach our",
        "contact our",
        "contact the reporter",
        "tell us",
        "write to us",
        "get in touch",
        "share it with us",
        "share with us",
        "email us",
        "message us",
        "contact me",
        "reach me",
    ];
    let trust = [
        "confidential",
        "secure",
        "anonym",
        "encrypt",
        "tip",
        "whistleblow",
        "something to share",
        "information",
        "signal",
    ];
    touch.iter().any(|words| lower.contains(words)) && trust.iter().any(|words| lower.contains(words))
}

fn speaks_to_the_reader(text: &str) -> bool {
    words(text)
        .any(|word| ["you", "your", "you're", "you’re"].iter().any(|you| word.eq_ignore_ascii_case(you)))
}

/// "our", "us" in small letters: the outlet speaks of itself. ("US" is a country.)
fn speaks_for_the_outlet(text: &str) -> bool {
    words(text).any(|word| matches!(word, "our" | "Our" | "us"))
}

fn speaks_of_the_trade(text: &str) -> bool {
    const TRADE: &[&str] = &[
        "journalism",
        "journalist",
        "journalists",
        "reporter",
        "reporters",
        "reporting",
        "newsroom",
        "tip",
        "tips",
        "sources",
        "whistleblower",
        "whistleblowers",
        "first-hand",
        "firsthand",
    ];
    speaks_to_the_reader(text) || words(text).any(|word| TRADE.contains(&&*small(word)))
}

/// The capitalised words of the article: whom and what it is about.
fn subject<'a>(paragraphs: impl Iterator<Item = &'a str>) -> HashSet<&'a str> {
    paragraphs.flat_map(|text| words(text).skip(1)).filter(|word| is_name(word)).collect()
}

fn shared(subject: &HashSet<&str>, text: &str) -> usize {
    let names: HashSet<&str> =
        words(text).skip(1).filter(|word| is_name(word) && subject.contains(word)).collect();
    names.len()
}

fn is_name(word: &str) -> bool {
    word.len() > 3 && word.starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;
    use crate::document::{Format, Source};

    fn reasons(text: &str) -> (usize, Vec<Reason>) {
        let source = Source { name: "t".into(), format: Format::Text, charset: "UTF-8" };
        let document = read(text, source).expect("an article");
        (document.body.len(), document.dropped.into_iter().map(|dropped| dropped.reason).collect())
    }

    const ARTICLE: &str = "Ferry crew refuses to sail\n\n\
        The ferry to Skerry did not leave on Monday, and the harbour office said that Captain Gale had refused to sail.\n\n\
        The council of Skerry met in the evening and asked for a second boat, which the ministry in Tallow has promised before.\n\n\
        Captain Gale declined to comment on the measurements that two instruments had taken on the pier that morning.\n\n";

    #[test]
    fn a_panel_that_asks_for_tips_is_left_out_as_a_whole() {
        let panel = "Good journalism needs people who know.\n\nDo you know more? You can contact us in confidence and securely.\n\n\
                     Letters and telephone\n\nIf you prefer paper, our address is at the foot of the page; please do not use your office's post.\n\n\
                     Finally, our leaflet lists the ways to reach us, with what speaks for and against each of them.\n";
        let (body, reasons) = reasons(&format!("{ARTICLE}{panel}"));
        assert_eq!(body, 3);
        assert_eq!(reasons, [Reason::TipPanel; 5]);
    }

    #[test]
    fn the_article_goes_on_behind_a_panel_in_its_middle() {
        let text = format!(
            "{ARTICLE}Do you know more? Contact us securely.\n\nThe ministry of Tallow said late on Monday that Captain Gale \
             would be heard in Skerry before the end of the week, together with the crew."
        );
        let (body, reasons) = reasons(&text);
        assert_eq!((body, reasons), (4, vec![Reason::TipPanel]));
    }

    #[test]
    fn an_article_about_tip_lines_keeps_its_text() {
        let (body, reasons) = reasons(
            "How papers ask for secrets\n\nMany front pages now say that you can contact us securely, and most of them mean it, a survey \
             of ninety papers in six countries has found.\n\nThe survey took a year and counted every such sentence on every page \
             that its authors could find in print.\n\nIt was paid for by the union of printers, who have an interest in paper and in ink alike.",
        );
        assert_eq!((body, reasons.len()), (3, 0));
    }

    #[test]
    fn contribution_notes_are_left_out_with_their_reason() {
        let (body, reasons) = reasons(&format!("{ARTICLE}The Skerry Agency contributed to this story"));
        assert_eq!((body, reasons), (3, vec![Reason::Contribution]));
    }
}
