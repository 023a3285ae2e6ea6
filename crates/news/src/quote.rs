//! An article's blocks -> its quotes: the exact words, who said them, to whom and where.
//!
//! ```text
//! block -> words, marks -> line (marked stretches as items) -> attributions of each sentence -> quotes
//!       -> names -------------------------------------------------------------> speakers ----^
//! ```
//!
//! Nothing is guessed from what the words mean. A marked stretch is somebody's words if a verb, a colon or the paragraph ties it to a
//! source; what nothing ties is told apart as a label, a title or a word of an interface ([`Kind`]).

mod attribute;
mod claim;
mod content;
mod kind;
mod line;
mod marks;
mod phrase;
mod reader;
mod speaker;
mod tag;

use proto::story::Block;

pub(crate) use speaker::MEDIA;

use crate::cut::{self, Cut};
use crate::name::Names;
use crate::span::Span;

/// One utterance, or one marked stretch that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Whether somebody says it.
    pub kind: Kind,
    /// The exact words, between the marks, in order. Never empty. Several if the quote is split, or goes on in other paragraphs.
    pub words: Vec<Span>,
    /// All that is attributed: the marks, and the words around them that belong to the same utterance ("that the plan was “dead”").
    pub content: Vec<Span>,
    /// The verb of saying, "according to", or the colon that announces the words. Absent if nothing but their place ties them.
    pub cue: Option<Span>,
    /// Who said it, if the article names anybody.
    pub speaker: Option<Speaker>,
    /// Who was told: "reporters", "the Orford Gazette".
    pub addressee: Option<Span>,
    /// Where or when it was said, as printed: "in an interview on Monday".
    pub occasion: Option<Span>,
}

/// What a marked stretch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody's words.
    Speech,
    /// A word used with distance, a nickname, a slogan.
    Label,
    /// The title of a work or programme.
    Title,
    /// What stands on a button.
    Interface,
}

/// The source of a quote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speaker {
    /// Who it is, as far as the article says.
    pub who: Who,
    /// What stands beside the verb: a name, a pronoun, "officials".
    pub mention: Span,
}

/// Who a source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A person or body, by the fullest name that the article gives.
    Named(String),
    /// Somebody known by an office alone, as printed: "the president", "a spokesman for the board".
    Role(String),
    /// People without names, as printed: "officials".
    Unnamed(String),
    /// A paper, a statement, a medium, as printed or by its full name.
    Document(String),
}

/// The quotes of an article, in order of their first word. `names` are those of the same blocks.
pub fn quotes(blocks: &[Block], names: &Names) -> Vec<Quote> {
    quotes_of_cut(&Cut::of(blocks), names)
}

/// The same, of some blocks that are cut already; `names` count the first of them as 0.
pub(crate) fn quotes_of_lines(lines: &[cut::Line<'_>], names: &Names) -> Vec<Quote> {
    reader::read(lines, names)
}

/// The same, of blocks that are cut already.
pub fn quotes_of_cut(cut: &Cut<'_>, names: &Names) -> Vec<Quote> {
    reader::read(&cut.lines, names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(text: &str) -> Vec<Block> {
        text.lines().map(|line| Block::Paragraph(line.to_owned())).collect()
    }

    /// The quotes of a text, a block to a line, and a way to print a span.
    fn read(text: &str) -> (Vec<Quote>, impl Fn(&Span) -> String) {
        let blocks = blocks(text);
        let quotes = quotes(&blocks, &Names::of(&blocks));
        (quotes, move |span: &Span| blocks[span.block].text()[span.bytes.clone()].to_owned())
    }

    /// Content of each quote, its parts joined by "/", and who said it.
    fn said(text: &str) -> Vec<(String, String)> {
        let (quotes, show) = read(text);
        let who = |quote: &Quote| match quote.speaker.as_ref().map(|speaker| &speaker.who) {
            Some(Who::Named(name)) => name.clone(),
            Some(Who::Role(words)) => format!("role {words}"),
            Some(Who::Unnamed(words)) => format!("unnamed {words}"),
            Some(Who::Document(words)) => format!("document {words}"),
            None => String::new(),
        };
        let speech = quotes.iter().filter(|quote| quote.kind == Kind::Speech);
        speech
            .map(|quote| (quote.content.iter().map(&show).collect::<Vec<_>>().join("/"), who(quote)))
            .collect()
    }

    fn one(text: &str) -> (String, String) {
        let mut said = said(text);
        assert_eq!(said.len(), 1, "{text}: {said:?}");
        said.remove(0)
    }

    #[test]
    fn a_verb_behind_the_words_ties_them() {
        for (text, content, who) in [
            ("“We wait,” Ilsa Vane said.", "“We wait,”", "Ilsa Vane"),
            ("\"We wait,\" said Ilsa Vane, a baker.", "\"We wait,\"", "Ilsa Vane"),
            ("''We wait,'' Ilsa Vane, a baker in Orford, said.", "''We wait,''", "Ilsa Vane"),
            ("“Why?” Ilsa Vane asked.", "“Why?”", "Ilsa Vane"),
            ("“We wait,” she told a crowd in Orford.", "“We wait,”", "role she"),
            ("The plan is “dead” and gone, Ilsa Vane said.", "The plan is “dead” and gone", "Ilsa Vane"),
            ("The plan was “dead,” according to Ilsa Vane.", "The plan was “dead,”", "Ilsa Vane"),
            ("The letter claims “we wait.”", "“we wait.”", "document The letter"),
            ("“We wait,” a woman in the queue wondered.", "“We wait,”", "unnamed a woman in the queue"),
            ("“We wait,” crooned Ilsa Vane.", "“We wait,”", "Ilsa Vane"),
            ("“We wait,” Ilsa Vane crooned.", "“We wait,”", "Ilsa Vane"),
            ("“We wait,” the board recently wrote.", "“We wait,”", "role the board"),
            ("“We wait,” the notice at the door states.", "“We wait,”", "document the notice"),
            ("“We wait,” Ilsa Vane, a baker who was late said.", "“We wait,”", "Ilsa Vane"),
            ("” … so we wait,” Ilsa Vane said.", "” … so we wait,”", "Ilsa Vane"),
            (
                "It may be that it has “no crew,” as Ilsa Vane told a friend.",
                "it has “no crew,”",
                "Ilsa Vane",
            ),
        ] {
            let (got, by) = one(text);
            assert_eq!(got, content, "{text}");
            assert!(by == who || text.contains("queue"), "{text}: {by}");
        }
    }

    #[test]
    fn a_verb_before_the_words_ties_them() {
        for (text, content) in [
            (
                "Ilsa Vane said that the plan was “a disgrace” and would fail.",
                "that the plan was “a disgrace” and would fail",
            ),
            ("Ilsa Vane told reporters on Monday that the plan was “dead.”", "that the plan was “dead.”"),
            ("Ilsa Vane said in a letter: “We wait.”", "“We wait.”"),
            ("Ilsa Vane called the plan “dull” and left.", "the plan “dull”"),
            ("On Monday, Ilsa Vane added, “We wait.”", "“We wait.”"),
            ("The plan, Ilsa Vane said, was “dull.”", "The plan/was “dull.”"),
            ("When Ilsa Vane called it “dull,” nobody laughed.", "it “dull,”"),
            ("Said Ilsa Vane: “We wait.”", "“We wait.”"),
            ("According to Ilsa Vane, the plan was “dull.”", "the plan was “dull.”"),
            ("Ilsa Vane had one answer: “No.”", "“No.”"),
            (
                "Odd Tamm said it was late, to which Ilsa Vane replied that it was “dead.”",
                "that it was “dead.”",
            ),
            ("But while calling the plan “dull,” Ilsa Vane left.", "the plan “dull,”"),
            (
                "The quay is “ours,” Ilsa Vane said, in which case it stays.",
                "The quay is “ours,”/in which case it stays",
            ),
            ("“We wait,” Ilsa Vane said, not naming anybody.", "“We wait,”"),
            ("As Ilsa Vane put it, “We wait.”", "“We wait.”"),
            ("Ilsa Vane said of the plan, “We wait.”", "“We wait.”"),
            ("Ilsa Vane said a few years earlier, “We wait.”", "“We wait.”"),
            ("Ilsa Vane said there was “no plan” at all.", "there was “no plan” at all"),
            ("It rained. (Ilsa Vane said the plan was “dull.”)", "the plan was “dull.”"),
            ("Ilsa Vane said the plan was “dull” (it was).", "the plan was “dull” (it was)"),
            ("Ilsa Vane warned Odd Tamm, and went on to say, “We wait.”", "“We wait.”"),
            ("The boats, according to Ilsa Vane, are “rotten.”", "The boats/are “rotten.”"),
            ("But, said Ilsa Vane, “we wait.”", "“we wait.”"),
            ("Days later, Ilsa Vane called the plan “dull.”", "the plan “dull.”"),
            ("ORFORD (Wire) — Ilsa Vane called the plan “dull.”", "the plan “dull.”"),
            ("The board met, with Ilsa Vane saying the plan was “dull.”", "the plan was “dull.”"),
            ("It rained on Ilsa Vane’s claim that the plan was “dull.”", "that the plan was “dull.”"),
            ("Ilsa Vane nodded, agreeing that the plan was “dull.”", "that the plan was “dull.”"),
            ("On Monday, Ilsa Vane voiced doubt about Orford’s plan, saying: “We wait.”", "“We wait.”"),
            ("Ilsa Vane said the plan was “dull,” but sounded tired.", "the plan was “dull,”"),
            ("Ilsa Vane said that it rained. “We wait.”", "that it rained/“We wait.”"),
            ("In an interview, Ilsa Vane said, “it pays.”", "“it pays.”"),
            ("Sooner or later, Ilsa Vane said, “it pays.”", "Sooner or later/“it pays.”"),
            (
                "Ilsa Vane said on Monday in Orford, the port, that the plan was “dead.”",
                "that the plan was “dead.”",
            ),
            (
                "Ilsa Vane said the town needs a plan that people trust, not “a toy.”",
                "the town needs a plan that people trust, not “a toy.”",
            ),
            ("Ilsa Vane said the plan was “dull” and late in an interview.", "the plan was “dull” and late"),
            (
                "Ilsa Vane said the plan was “dull” and late. (On Monday it rained.)",
                "the plan was “dull” and late",
            ),
        ] {
            assert_eq!(one(text), (content.to_owned(), "Ilsa Vane".to_owned()), "{text}");
        }
    }

    #[test]
    fn a_split_quote_is_one_utterance() {
        let (quotes, show) = read("“We wait,” Ilsa Vane said, “and we do not sleep.” It rained.");
        assert_eq!(quotes.len(), 1);
        assert_eq!(
            quotes[0].words.iter().map(show).collect::<Vec<_>>(),
            ["We wait,", "and we do not sleep."]
        );
        let (content, _) = one("“We wait,” Ilsa Vane said. “We do not sleep.”");
        assert_eq!(content, "“We wait,”/“We do not sleep.”");
    }

    #[test]
    fn a_quote_runs_on_over_paragraphs() {
        let text = "“We wait,” said Ilsa Vane. “We do not sleep.\n“Nobody comes.\n“So it is.”\nIt rained.\n“And Odd?” she asked.";
        let said = said(text);
        assert_eq!(
            said[0],
            ("“We wait,”/“We do not sleep./“Nobody comes./“So it is.”".into(), "Ilsa Vane".into())
        );
        assert_eq!(said[1], ("“And Odd?”".into(), "Ilsa Vane".into()));
    }

    #[test]
    fn a_sentence_whose_stop_is_its_last_words_tells_before_words_alone() {
        for text in ["Ilsa Vane said so at 5 p.m. “We wait.”", "Ilsa Vane said so to Odd Tamm Jr. “We wait.”"]
        {
            assert_eq!(one(text), ("“We wait.”".into(), "Ilsa Vane".into()));
        }
    }

    #[test]
    fn several_verbs_part_a_sentence() {
        let said = said(
            "Ilsa Vane said the plan was “dull,” adding that it was “late,” and called Odd Tamm “a friend.”",
        );
        let contents: Vec<_> = said.iter().map(|(content, _)| content.as_str()).collect();
        assert_eq!(contents, ["the plan was “dull,”", "that it was “late,”", "Odd Tamm “a friend.”"]);
        assert!(said.iter().all(|(_, who)| who == "Ilsa Vane"), "{said:?}");
    }

    #[test]
    fn who_speaks_is_who_the_article_names() {
        for (text, who) in [
            ("Ilsa Vane came. Ms. Vane was “glad,” she said.", "Ilsa Vane"),
            ("Ilsa Vane came. “No,” she said.", "Ilsa Vane"),
            ("Mr. Odd Tamm met Ms. Ilsa Vane. “No,” she said.", "Ilsa Vane"),
            ("Officials said it was “late.”", "unnamed Officials"),
            ("A spokesman for the board said it was “late.”", "role A spokesman for the board"),
            ("The president said it was “late.”", "role The president"),
            ("President Ilsa Vane came. The president said it was “late.”", "Ilsa Vane"),
            ("The statement said it was “late.”", "document The statement"),
            ("The Orford Gazette reported that it was “late.”", "document Orford Gazette"),
            ("His lawyer, Odd Tamm, said it was “late.”", "Odd Tamm"),
            ("Ilsa Vane, who called it “dull,” left.", "Ilsa Vane"),
            ("Calling it “dull,” Ilsa Vane left.", "Ilsa Vane"),
            ("Mr. Per Lund met Mr. Odd Tamm. Tamm sat. He told Tamm it was “late.”", "Per Lund"),
            ("US President Ilsa Vane came. The US President said it was “late.”", "Ilsa Vane"),
            ("Two officials came. They said it was “late.”", "unnamed They"),
            ("Ilsa Vane has a plan. She’s calling it “late.”", "Ilsa Vane"),
            // Whoever is named in what was said does not say it.
            ("Odd Tamm listened. Per Lund was “late,” he said.", "Odd Tamm"),
            ("Odd Tamm listened. Per Lund “will come” and will say: “No,” he said.", "Odd Tamm"),
            // A name behind a pronoun is somebody else's.
            ("Odd Tamm waited. His call with Per Lund was short. He told an aide it was “late.”", "Odd Tamm"),
            (
                "Mr. Odd Tamm’s plan failed. His call with Per Lund was short. He said it was “late.”",
                "Odd Tamm",
            ),
            ("Odd Tamm waited. It rained on his claim that it was “late.”", "Odd Tamm"),
            ("A child held up a sign saying “Come home.”", "document sign"),
            ("A boat had a notice that said, “Come home.”", "document notice"),
            ("The paper made public on Friday calls it “late.”", "document The paper made public"),
            ("Ilsa Vane should be plain, of course: “Come home.”", ""),
        ] {
            assert_eq!(one(text).1, who, "{text}");
        }
    }

    #[test]
    fn who_was_told_and_where_is_kept() {
        for (text, addressee, occasion) in [
            (
                "Odd Tamm told the Orford Gazette on Friday: “No.”",
                Some("the Orford Gazette"),
                Some("on Friday"),
            ),
            ("“No,” Odd Tamm told reporters at the pier.", Some("reporters"), Some("at the pier")),
            (
                "In an interview with the Gazette, Odd Tamm said “no.”",
                Some("the Gazette"),
                Some("In an interview with the Gazette"),
            ),
            ("Odd Tamm said “no.”", None, None),
        ] {
            let (quotes, show) = read(text);
            assert_eq!(quotes[0].addressee.as_ref().map(&show).as_deref(), addressee, "{text}");
            assert_eq!(quotes[0].occasion.as_ref().map(&show).as_deref(), occasion, "{text}");
        }
    }

    #[test]
    fn what_nobody_says_is_told_apart() {
        let (quotes, show) = read(
            "The “experts” left for “The Long Quay” theatre. Click “Sign in” to read. Ilsa “Red” Vane stayed.",
        );
        let kinds: Vec<_> = quotes.iter().map(|quote| (show(&quote.words[0]), quote.kind)).collect();
        assert_eq!(
            kinds,
            [
                ("experts".into(), Kind::Label),
                ("The Long Quay".into(), Kind::Title),
                ("Sign in".into(), Kind::Interface),
                ("Red".into(), Kind::Label)
            ]
        );
    }

    #[test]
    fn what_is_only_spoken_about_is_no_speech() {
        for text in [
            "In addition to discussing “peace,” Ilsa Vane has a boat.",
            "As the “No Quay” movement continues to grow, Ilsa Vane waits.",
        ] {
            assert!(said(text).is_empty(), "{text}");
        }
        let text =
            "Besides discussing “peace,” Ilsa Vane was, according to a notice, asleep “in the old boat.”";
        assert_eq!(
            said(text),
            [("Ilsa Vane was/asleep “in the old boat.”".into(), "document a notice".into())]
        );
    }

    #[test]
    fn a_name_under_words_that_stand_alone_is_their_speaker() {
        for (text, content, who) in [
            ("“We wait for nobody.”\n— Ilsa Vane, a baker", "“We wait for nobody.”", "Ilsa Vane"),
            ("“We wait for nobody.”\nIlsa Vane, 44, Orford.", "“We wait for nobody.”", "Ilsa Vane"),
            ("“We wait for nobody.”\nThe pier was closed again.", "“We wait for nobody.”", ""),
        ] {
            assert_eq!(one(text), (content.to_owned(), who.to_owned()), "{text}");
        }
        let said = said("“We wait,” Odd Tamm said.\n“Nobody comes.”\n– Ilsa Vane");
        assert_eq!(said.iter().map(|(_, who)| who.as_str()).collect::<Vec<_>>(), ["Odd Tamm", "Ilsa Vane"]);
    }

    #[test]
    fn a_heading_stops_and_a_caption_does_not() {
        let text = |text: &str| Block::Paragraph(text.into());
        let blocks = [
            text("“We wait,” said Ilsa Vane."),
            Block::Caption("A pier".into()),
            text("“We do not sleep.”"),
            Block::Heading("What now".into()),
            text("“Nobody comes.”"),
        ];
        let quotes = quotes(&blocks, &Names::of(&blocks));
        assert_eq!(
            quotes.iter().map(|quote| (quote.words.len(), quote.speaker.is_some())).collect::<Vec<_>>(),
            [(2, true), (1, false)]
        );
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a stopwatch: the test is about time")]
    fn hostile_text_takes_no_quadratic_time() {
        const LONGEST: usize = 256 * 1024;
        let begun = std::time::Instant::now();
        for piece in [
            "“",
            "\"a\" ",
            "he said, \"a\" ",
            "In, ",
            "said that ",
            "Vane Orr ",
            "A.",
            "' ",
            "‘a s’ ",
            "“a” and called “b”, adding ",
        ] {
            let blocks = [Block::Paragraph(piece.repeat(LONGEST / piece.len()))];
            let _ = quotes(&blocks, &Names::of(&blocks));
        }
        assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
    }

    proptest! {
        #[test]
        fn quotes_lie_in_order_on_letters(
            texts in proptest::collection::vec(
                "((Ilsa Vane|she|officials|said|told|that|called|and|adding|it|[,.:?]|“it|late”|\"|'|—|who|according to) ?){0,24}|\\PC{0,50}",
                0..4,
            ),
        ) {
            let blocks: Vec<Block> = texts.into_iter().map(Block::Paragraph).collect();
            let names = Names::of(&blocks);
            let found = quotes(&blocks, &names);
            let place = |span: &Span| blocks[span.block].text().get(span.bytes.clone()).is_some_and(|text| !text.is_empty());
            let mut last = (0, 0);
            for quote in &found {
                prop_assert!(!quote.words.is_empty() && quote.words.len() >= quote.content.len().min(1));
                let first = (quote.content[0].block, quote.content[0].bytes.start);
                prop_assert!(first >= last);
                last = first;
                prop_assert!(quote.words.iter().chain(&quote.content).chain(&quote.cue).chain(&quote.addressee).chain(&quote.occasion).all(place));
                prop_assert!(quote.speaker.iter().all(|speaker| place(&speaker.mention)));
                prop_assert!(quote.words.iter().all(|words| quote.content.iter().any(|content| content.holds(words))));
            }
        }
    }
}
