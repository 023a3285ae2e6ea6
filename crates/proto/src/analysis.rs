//! What a press found in a story's articles: what happened when, who said what, who had it first, where outlets differ.
//!
//! Rows and the passages that they rest on; no judgement, and no words but those of the articles and the names in them.
//! Made by the press, checked by everybody who opens an edition (EDN-15), shown by the reader.

use minicbor::{Decode, Encode};

use crate::story::Article;

/// The most that a story's analysis may weigh, in bytes of its encoding.
pub const MAX_ANALYSIS: usize = 64 * 1024;

/// The most bytes of text that all its passages hold together, those that stand in several counted as often. A page shows each
/// with its row: without a bound, a few bytes that name a long text over and over would be more than a device has memory for.
pub const MAX_REACH: u64 = 8 * 1024 * 1024;

/// All that was found in one story. Empty for a story of which nothing was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Analysis {
    /// The timeline, by first day; of one day in the order of the articles.
    #[n(0)]
    pub events: Vec<Event>,
    /// What was said, in the order of the articles.
    #[n(1)]
    pub utterances: Vec<Utterance>,
    /// What outlets assert, the most carried first: agreed on, differed on, or only in one.
    #[n(2)]
    pub claims: Vec<Claim>,
    /// Where claims and utterances come from.
    #[n(3)]
    pub origins: Vec<Origin>,
    /// Names that the articles spell in more than one way, each with its spellings, the fullest first.
    #[n(4)]
    pub spellings: Vec<Vec<String>>,
    /// Who prints whose words, the most of them first.
    #[n(5)]
    pub copies: Vec<NearCopy>,
}

/// Some words of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Passage {
    /// Which of the story's articles.
    #[n(0)]
    pub article: u32,
    /// Which block of its body.
    #[n(1)]
    pub block: u32,
    /// The first byte of the block's text.
    #[n(2)]
    pub start: u32,
    /// The byte behind the last one.
    #[n(3)]
    pub end: u32,
}

impl Passage {
    /// Its words. `None` if it does not lie in the articles, between letters.
    pub fn text<'a>(&self, articles: &'a [Article]) -> Option<&'a str> {
        let text = articles.get(self.article as usize)?.body.get(self.block as usize)?.text();
        text.get(self.start as usize..self.end as usize).filter(|words| !words.is_empty())
    }

    /// Whether `other` lies within it.
    pub fn holds(&self, other: &Passage) -> bool {
        (self.article, self.block) == (other.article, other.block)
            && self.start <= other.start
            && other.end <= self.end
    }
}

/// Something that happened, is planned or may happen, on a day or in a stretch of days.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Event {
    /// Its first day, counted from 1970-01-01.
    #[n(0)]
    pub first: i32,
    /// Its last day; the same for an event of one day.
    #[n(1)]
    pub last: i32,
    /// How fine the articles name it at best.
    #[n(2)]
    pub grain: Grain,
    /// Whether it is told as past.
    #[n(3)]
    pub status: Status,
    /// The sentences that tell of it, the fullest first.
    #[n(4)]
    pub mentions: Vec<Mention>,
    /// How each article that carries it comes to it.
    #[n(5)]
    pub sourcing: Vec<Sourcing>,
    /// What its carriers do not agree on.
    #[n(6)]
    pub differences: Vec<Difference>,
}

/// A sentence that tells of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Mention {
    /// The sentence.
    #[n(0)]
    pub sentence: Passage,
    /// The words in it that name the time.
    #[n(1)]
    pub phrase: Passage,
    /// What the words hang on.
    #[n(2)]
    pub anchor: Anchor,
}

/// How fine a time is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Grain {
    /// A year, or more than one.
    #[n(0)]
    Year,
    /// Some months: a half, a quarter, a season.
    #[n(1)]
    Season,
    /// A month.
    #[n(2)]
    Month,
    /// A week or a weekend.
    #[n(3)]
    Week,
    /// A day or a part of it.
    #[n(4)]
    Day,
}

/// How something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Status {
    /// It was.
    #[n(0)]
    Happened,
    /// It is to come.
    #[n(1)]
    Planned,
    /// It may come, or may have been.
    #[n(2)]
    Uncertain,
    /// It was planned and did not come, or has not yet.
    #[n(3)]
    NotHappened,
}

/// What the words of a time hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Anchor {
    /// Nothing: they name the day.
    #[n(0)]
    Stated,
    /// The day of publication: "on Tuesday".
    #[n(1)]
    Publication,
    /// The day told of before: "two days later".
    #[n(2)]
    Narrative,
}

/// What was said once, in the forms in which outlets print it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Utterance {
    /// Its forms in the order of the articles. Never empty.
    #[n(0)]
    pub variants: Vec<Variant>,
    /// Which of them is the longest.
    #[n(1)]
    pub fullest: u32,
    /// Utterances of like words, by their place in the list: by others, or said in another way.
    #[n(2)]
    pub alike: Vec<u32>,
    /// How each article that carries it comes to it.
    #[n(3)]
    pub sourcing: Vec<Sourcing>,
    /// What its carriers do not agree on: who said it, or in which words.
    #[n(4)]
    pub differences: Vec<Difference>,
}

/// An outlet's form of an utterance.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Variant {
    /// The exact words between marks, piece by piece. Never empty.
    #[n(0)]
    pub words: Vec<Passage>,
    /// The sentence that they stand in, with the words that say who spoke.
    #[n(1)]
    pub sentence: Passage,
    /// Who said it.
    #[n(2)]
    pub speaker: Speaker,
    /// Who was told.
    #[n(3)]
    pub addressee: Option<Passage>,
    /// Where or when it was said.
    #[n(4)]
    pub occasion: Option<Passage>,
    /// What of the longest form it keeps: stretches of that form's words, joined by blanks, as bytes, start and end.
    #[n(5)]
    pub kept: Vec<(u32, u32)>,
}

/// Who said something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Speaker {
    /// The article does not say.
    #[n(0)]
    Unknown,
    /// A person or body, by the fullest name that the story gives.
    #[n(1)]
    Named(#[n(0)] String),
    /// Somebody known by an office alone, as printed.
    #[n(2)]
    Role(#[n(0)] String),
    /// People without names, as printed.
    #[n(3)]
    Unnamed(#[n(0)] String),
    /// A paper, a statement, a medium.
    #[n(4)]
    Document(#[n(0)] String),
}

/// How one article comes to what it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Sourcing {
    /// Which of the story's articles.
    #[n(0)]
    pub article: u32,
    /// Where it comes from, by its place among the origins; absent where neither the article nor its words tell.
    #[n(1)]
    pub origin: Option<u32>,
    /// The words that say so. Absent where the origin is inferred: the words are those of another article that names it.
    #[n(2)]
    pub stated: Option<Passage>,
}

/// Two articles of different outlets that print the same words.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct NearCopy {
    /// How much they share.
    #[n(0)]
    pub kind: CopyKind,
    /// The article that stands first in the story. Which was printed first, their times tell or nothing does.
    #[n(1)]
    pub one: Side,
    /// The other.
    #[n(2)]
    pub other: Side,
    /// The longest stretches of the same words, in the order of `one`: where they stand there, and where in `other`. Never empty.
    #[n(3)]
    pub spans: Vec<(Passage, Passage)>,
}

/// How much two articles share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum CopyKind {
    /// Nearly the whole of the shorter text stands in the other.
    #[n(0)]
    Verbatim,
    /// A run of sentences or of many words, which are not only quotes.
    #[n(1)]
    Passage,
    /// Words within quotation marks, and nothing else that is long.
    #[n(2)]
    Quotes,
}

/// One of two articles that print the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Side {
    /// Which of the story's articles.
    #[n(0)]
    pub article: u32,
    /// How many words its text has, before it was cut to what an edition carries.
    #[n(1)]
    pub words: u32,
    /// How many of them stand in the other one too; of shared quotes those within marks.
    #[n(2)]
    pub shared: u32,
}

impl Side {
    /// The shared words in a hundred, rounded down: all of them alone are 100.
    pub fn percent(&self) -> u32 {
        let percent = (u64::from(self.shared) * 100).checked_div(u64::from(self.words));
        percent.unwrap_or_default().min(100) as u32
    }
}

/// Where claims first came from.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Origin {
    /// What kind of origin.
    #[n(0)]
    pub kind: OriginKind,
    /// Its name, as the articles print it: an outlet, an agency, a platform, an office.
    #[n(1)]
    pub name: String,
}

/// Kinds of origins, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum OriginKind {
    /// A recording, a transcript, a paper that somebody obtained.
    #[n(0)]
    Document,
    /// What somebody told one outlet.
    #[n(1)]
    Interview,
    /// A paper that is open to everybody: a court's filings, a register, minutes, a tender.
    #[n(2)]
    Record,
    /// What somebody published: a post, a statement, a broadcast, a speech.
    #[n(3)]
    Public,
    /// What an outlet says it saw, heard or learned itself.
    #[n(4)]
    Own,
    /// An outlet's own report, that others name.
    #[n(5)]
    Report,
    /// A news agency.
    #[n(6)]
    Agency,
    /// People whom no outlet names.
    #[n(7)]
    Unnamed,
    /// One text that several outlets print and that says of no other origin. Its name is the outlet that printed it first, if their
    /// times tell, or else those that print it.
    #[n(8)]
    Text,
    /// What its writer thinks: it stands in an article that its outlet marks as opinion.
    #[n(9)]
    Opinion,
}

/// Something that outlets assert.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Claim {
    /// The sentences that assert it, in the order of the articles. Never empty.
    #[n(0)]
    pub sentences: Vec<Passage>,
    /// How each article that carries it comes to it.
    #[n(1)]
    pub sourcing: Vec<Sourcing>,
    /// What its carriers do not agree on.
    #[n(2)]
    pub differences: Vec<Difference>,
}

/// A point on which carriers of a claim, or forms of an utterance, differ.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Difference {
    /// In what they differ.
    #[n(0)]
    pub point: Point,
    /// The sides: on each the words that take it, one passage for each article. At least two.
    #[n(1)]
    pub sides: Vec<Vec<Passage>>,
}

/// In what outlets differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum Point {
    /// The same words are given to two speakers.
    #[n(0)]
    Speaker,
    /// A number of the same thing.
    #[n(1)]
    Number,
    /// The day of the same event.
    #[n(2)]
    Date,
    /// Planned, happened, never happened.
    #[n(3)]
    Status,
    /// One says it flatly, another with a hedge.
    #[n(4)]
    Certainty,
    /// All of it, or a part.
    #[n(5)]
    Scope,
    /// The office of the same person.
    #[n(6)]
    Role,
    /// The words of what was said.
    #[n(7)]
    Wording,
}

impl Analysis {
    // EDN-15: every passage lies in the articles, between letters; every place in a list is in the list.
    /// Whether all its passages lie in these articles and all its numbers name something.
    pub fn fits(&self, articles: &[Article]) -> bool {
        // First, since all that follows takes as long as they are.
        if self.reach() > MAX_REACH {
            return false;
        }
        let lies = |passage: &Passage| passage.text(articles).is_some();
        let differ = |differences: &[Difference]| {
            differences.iter().all(|it| it.sides.len() > 1 && it.sides.iter().flatten().all(lies))
        };
        let sourced = |sourcing: &Vec<Sourcing>| {
            sourcing.iter().all(|one| {
                (one.article as usize) < articles.len()
                    && one.origin.is_none_or(|origin| (origin as usize) < self.origins.len())
                    && one.stated.as_ref().is_none_or(lies)
            })
        };
        self.events.iter().all(|event| {
            event.first <= event.last
                && !event.mentions.is_empty()
                && event.mentions.iter().all(|it| lies(&it.sentence) && lies(&it.phrase))
                && sourced(&event.sourcing)
                && differ(&event.differences)
        }) && self.utterances.iter().all(|utterance| {
            let Some(fullest) = utterance.variants.get(utterance.fullest as usize) else { return false };
            let words = fullest.text(articles);
            let kept = |&(start, end): &(u32, u32)| words.get(start as usize..end as usize).is_some();
            utterance.alike.iter().all(|other| (*other as usize) < self.utterances.len())
                && sourced(&utterance.sourcing)
                && differ(&utterance.differences)
                && utterance.variants.iter().all(|it| it.fits(&lies) && it.kept.iter().all(kept))
        }) && self.claims.iter().all(|claim| {
            !claim.sentences.is_empty()
                && claim.sentences.iter().all(lies)
                && sourced(&claim.sourcing)
                && differ(&claim.differences)
        }) && self.spellings.iter().all(|forms| forms.len() > 1)
            && self.copies.iter().all(|copy| copy.fits(articles))
    }
}

impl Analysis {
    /// How many bytes all its passages have together: what a page of it may hold. Of those that no article holds too.
    pub fn reach(&self) -> u64 {
        fn sourced(all: &[Sourcing]) -> impl Iterator<Item = &Passage> {
            all.iter().filter_map(|it| it.stated.as_ref())
        }
        fn differ(all: &[Difference]) -> impl Iterator<Item = &Passage> {
            all.iter().flat_map(|it| it.sides.iter().flatten())
        }
        let events = self.events.iter().flat_map(|it| {
            let mentions = it.mentions.iter().flat_map(|it| [&it.sentence, &it.phrase]);
            mentions.chain(sourced(&it.sourcing)).chain(differ(&it.differences))
        });
        let variants = self.utterances.iter().flat_map(|it| &it.variants);
        let variants = variants
            .flat_map(|it| it.words.iter().chain([&it.sentence]).chain(&it.addressee).chain(&it.occasion));
        let said = self.utterances.iter().flat_map(|it| sourced(&it.sourcing).chain(differ(&it.differences)));
        let claims = self
            .claims
            .iter()
            .flat_map(|it| it.sentences.iter().chain(sourced(&it.sourcing)).chain(differ(&it.differences)));
        let copies = self.copies.iter().flat_map(|it| it.spans.iter().flat_map(|(one, other)| [one, other]));
        let all = events.chain(variants).chain(said).chain(claims).chain(copies);
        all.map(|it| u64::from(it.end.saturating_sub(it.start))).sum()
    }
}

impl NearCopy {
    /// Which of the two articles was printed first, if both say when and their times tell.
    pub fn first(&self, articles: &[Article]) -> Option<u32> {
        let when = |side: &Side| articles.get(side.article as usize)?.published;
        let (one, other) = (when(&self.one)?, when(&self.other)?);
        match (one.is_before(&other), other.is_before(&one)) {
            (true, _) => Some(self.one.article),
            (_, true) => Some(self.other.article),
            _ => None,
        }
    }

    fn fits(&self, articles: &[Article]) -> bool {
        let counts = |side: &Side| (side.article as usize) < articles.len() && side.shared <= side.words;
        let lies = |passage: &Passage, side: &Side| {
            passage.article == side.article && passage.text(articles).is_some()
        };
        [self.one, self.other].iter().all(counts)
            && self.one.article < self.other.article
            && !self.spans.is_empty()
            && self.spans.iter().all(|(one, other)| lies(one, &self.one) && lies(other, &self.other))
    }
}

impl Variant {
    fn fits(&self, lies: &impl Fn(&Passage) -> bool) -> bool {
        !self.words.is_empty()
            && self.words.iter().chain([&self.sentence]).all(lies)
            && self.addressee.iter().chain(&self.occasion).all(lies)
    }

    /// Its words, the pieces of a split quote joined by blanks.
    pub fn text(&self, articles: &[Article]) -> String {
        self.words.iter().filter_map(|piece| piece.text(articles)).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{ArticleId, Block, Extent};

    /// EDN-15: refused by what it names, before anything as long as that is made of it.
    #[test]
    fn an_analysis_that_names_a_long_text_over_and_over_is_refused_at_once() {
        const LENGTH: u32 = 1024 * 1024;
        let article = Article {
            id: ArticleId([1; 16]),
            outlet: "The Quay".into(),
            title: String::new(),
            byline: None,
            published: None,
            url: None,
            body: vec![Block::Paragraph("a".repeat(LENGTH as usize))],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        };
        let of = |times: usize| {
            let words = vec![Passage { article: 0, block: 0, start: 0, end: LENGTH }; times];
            let sentence = Passage { end: 1, ..words[0] };
            let variant = Variant {
                words,
                sentence,
                speaker: Speaker::Unknown,
                addressee: None,
                occasion: None,
                kept: vec![],
            };
            let said = Utterance {
                variants: vec![variant],
                fullest: 0,
                alike: vec![],
                sourcing: vec![],
                differences: vec![],
            };
            Analysis { utterances: vec![said], ..Analysis::default() }
        };
        let articles = [article];
        assert!(of(7).fits(&articles));
        assert_eq!(of(8).reach(), MAX_REACH + 1);
        assert!(!of(8).fits(&articles) && !of(7_000).fits(&articles));
    }
}
