//! An article's blocks -> the people and bodies it names, each with all its mentions.
//!
//! A name is a run of words with capitals. Which of them are one: a surname stands for the full name that ends with it, an acronym
//! for the body whose words begin with its letters, and spellings that differ as transcriptions do ("-y", "-yy", "-iy") are one.
//! Names are resolved within one article (or one story, if its blocks are given together), never by what they mean elsewhere.

mod mention;
mod same;

use proto::story::Block;

use crate::cut::Cut;
pub use crate::span::Span;
use mention::found;

/// All names of an article.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// In the order of their first mention.
    pub names: Vec<Name>,
    /// In the order of the text. No two overlap.
    pub mentions: Vec<Mention>,
}

/// One person or body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The fullest form that the article gives, without titles: "Ilsa Vane".
    pub full: String,
    /// What it names, as far as the article shows.
    pub sort: Sort,
    /// The first title it is given: "Senator", "Ms.".
    pub title: Option<String>,
    /// Which pronoun stands for it, if a title says so.
    pub pronoun: Option<Pronoun>,
}

/// What a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It has a title, speaks, or is called by its surname alone.
    Person,
    /// A ministry, a party, a company, a newspaper.
    Body,
    /// A place, a work, or nothing that the article says more of.
    Other,
}

/// The pronoun of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pronoun {
    /// "Mr.", "Sir".
    He,
    /// "Ms.", "Mrs.", "Dame".
    She,
}

/// Where a name stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The words of the name, with titles before it, without a possessive ending.
    pub span: Span,
    /// Which of [`Names::names`].
    pub name: usize,
}

impl Names {
    /// The names of an article's blocks.
    pub fn of(blocks: &[Block]) -> Names {
        Names::of_cut(&Cut::of(blocks))
    }

    /// The same, of blocks that are cut already.
    pub fn of_cut(cut: &Cut<'_>) -> Names {
        same::resolved(found(cut))
    }

    /// The mentions within a span, in order.
    pub fn within<'a>(&'a self, span: &'a Span) -> impl DoubleEndedIterator<Item = &'a Mention> {
        let place = |mention: &Mention| (mention.span.block, mention.span.bytes.start);
        let begin = self.mentions.partition_point(|mention| place(mention) < (span.block, span.bytes.start));
        let end = self.mentions.partition_point(|mention| place(mention) < (span.block, span.bytes.end));
        self.mentions[begin..end.max(begin)].iter().filter(move |mention| span.holds(&mention.span))
    }

    /// The mentions before a place, the nearest first.
    pub fn before(&self, block: usize, byte: usize) -> impl Iterator<Item = &Mention> {
        let end = self
            .mentions
            .partition_point(|mention| (mention.span.block, mention.span.bytes.start) < (block, byte));
        self.mentions[..end].iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(texts: &[&str]) -> Vec<Block> {
        texts.iter().map(|text| Block::Paragraph((*text).to_owned())).collect()
    }

    /// Each mention's words and the full name it stands for.
    fn read(texts: &[&str]) -> Vec<(String, String)> {
        let blocks = blocks(texts);
        let names = Names::of(&blocks);
        let words = |span: &Span| blocks[span.block].text()[span.bytes.clone()].to_owned();
        names
            .mentions
            .iter()
            .map(|mention| (words(&mention.span), names.names[mention.name].full.clone()))
            .collect()
    }

    fn full<'a>(read: &'a [(String, String)], words: &str) -> &'a str {
        read.iter().find(|(mention, _)| mention == words).map_or("", |(_, full)| full)
    }

    #[test]
    fn a_surname_stands_for_the_full_name() {
        let read = read(&[
            "Ms. Vane left early. The mayor, Ilsa Vane, said so.",
            "But Vane’s lawyer, Odd Tamm, did not.",
        ]);
        assert_eq!(full(&read, "Ms. Vane"), "Ilsa Vane");
        assert_eq!(full(&read, "Vane"), "Ilsa Vane");
        assert_eq!(full(&read, "Odd Tamm"), "Odd Tamm");
        assert_eq!(full(&read, "But"), "");
    }

    #[test]
    fn an_office_with_its_place_is_no_part_of_a_name() {
        let read = read(&["Orfordian President Ilsa Vane spoke. US Senator Tom Orr slept. Vane left."]);
        assert_eq!(full(&read, "Orfordian President Ilsa Vane"), "Ilsa Vane");
        assert_eq!(full(&read, "US Senator Tom Orr"), "Tom Orr");
        assert_eq!(full(&read, "Vane"), "Ilsa Vane");
    }

    #[test]
    fn spellings_of_one_name_are_one_person() {
        let read = read(&[
            "President Oleg Zarensky spoke. Zarenskyy did not wait, and Zarenskiy said why.",
            "Bergenov met Bergonov, and Vole met Vale.",
        ]);
        assert_eq!(full(&read, "Zarenskyy"), "Oleg Zarensky");
        assert_eq!(full(&read, "Zarenskiy"), "Oleg Zarensky");
        assert_eq!(full(&read, "Bergonov"), "Bergenov");
        assert_eq!(full(&read, "Vale"), "Vale");
    }

    #[test]
    fn two_people_with_one_surname_stay_two() {
        let read = read(&["Ilsa Vane met Tom Vane. Ilsa said nothing; Tom Vane left."]);
        assert_eq!(full(&read, "Tom Vane"), "Tom Vane");
        assert_eq!(full(&read, "Ilsa"), "Ilsa Vane");
    }

    #[test]
    fn bodies_people_and_places_are_told_apart() {
        let texts = [
            "Ilsa Vane, who runs the Harbour Safety Board (HSB), came from Port Orrin. The HSB said no. Mr. Vane nodded.",
        ];
        let names = Names::of(&blocks(&texts));
        let sort = |full: &str| {
            names.names.iter().find(|name| name.full == full).map(|name| (name.sort, name.pronoun))
        };
        assert_eq!(sort("Harbour Safety Board"), Some((Sort::Body, None)));
        assert_eq!(sort("Ilsa Vane"), Some((Sort::Person, Some(Pronoun::He))));
        assert_eq!(sort("Port Orrin").map(|(sort, _)| sort), Some(Sort::Other));
        assert_eq!(full(&read(&texts), "HSB"), "Harbour Safety Board");
    }

    #[test]
    fn who_is_told_something_is_not_shown_to_be_a_person() {
        let names = Names::of(&blocks(&["A baker told Quillfeed that Vane said no, and reminded Orr."]));
        let sorts: Vec<_> = names.names.iter().map(|name| (name.full.as_str(), name.sort)).collect();
        assert_eq!(sorts, [("Quillfeed", Sort::Other), ("Vane", Sort::Person), ("Orr", Sort::Other)]);
    }

    #[test]
    fn days_and_first_words_are_no_names() {
        let read = read(&["On Monday it rained. Nobody came. In March the harbour froze."]);
        assert!(read.is_empty(), "{read:?}");
    }

    proptest! {
        #[test]
        fn mentions_lie_in_order_on_letters(texts in proptest::collection::vec("([A-Z][a-z]{0,6}[ .,’s]{1,2}){0,9}|\\PC{0,40}", 0..4)) {
            let blocks: Vec<Block> = texts.into_iter().map(Block::Paragraph).collect();
            let names = Names::of(&blocks);
            let mut last = (0, 0);
            for mention in &names.mentions {
                let Span { block, bytes } = &mention.span;
                prop_assert!((*block, bytes.start) >= last && bytes.start < bytes.end);
                prop_assert!(blocks[*block].text().get(bytes.clone()).is_some());
                prop_assert!(mention.name < names.names.len());
                last = (*block, bytes.end);
            }
        }
    }
}
