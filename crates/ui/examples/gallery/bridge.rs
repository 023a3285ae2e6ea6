//! A made-up story of seven outlets with all that a press can find in one: the gallery shows it, the tests take it apart.

use jiff::civil::{Date, date};
use proto::{
    analysis::{
        Analysis, Anchor, Claim, CopyKind, Difference, Event, Grain, Mention, NearCopy, Origin, OriginKind,
        Passage, Point, Side, Sourcing, Speaker, Status, Utterance, Variant,
    },
    story::{self, Article, ArticleId, Block, Extent, Story, StoryId, When},
};

const TEXTS: [(&str, &[&str]); 7] = [
    (
        "Northline Agency",
        &[
            "Works minister Orla Vennick asked the treasurer on 3 November to hold back the last payment for the Hallen \
             bridge, according to a recording of the call that Northline Agency has heard.",
            "“Do not send the money before I have seen the piles myself, and do not tell the builders why,” Vennick says \
             to the treasurer, Piet Sandmark.",
            "“I would need that in writing, Orla,” he answers.",
            "The bridge was finished in March 2025. Its builders, Marrow Works, have waited for 12 million crowns since then.",
            "The two ministers met again on 5 November. A meeting with the builders planned for that Friday did not take place.",
            "Parliament votes on Tuesday on a bill for such payments. The builders may go to court before the end of the year.",
        ],
    ),
    (
        "The Harbour Courier",
        &[
            "Vennick told the treasurer: “Do not send the money before I have seen the piles myself,” a recording heard by \
             Northline Agency shows.",
            "The call was on 3 November; two days later the ministers met at the Works Office.",
            "Marrow Works is owed 12 million crowns. “We have been patient for nineteen months,” its head, Lotte Brandvik, \
             told the Courier.",
            "The vote is set for 24 November.",
        ],
    ),
    (
        "Vale Radio",
        &[
            "In the call of 3 November, first reported by Northline Agency, the treasurer is heard to say: “I would need \
             that in writing.”",
            "“Do not send the money,” treasurer Piet Sandmark says in the recording.",
            "The builders are owed 14 million crowns, two people at the treasury said.",
            "Divers looked at the piles from 17 to 19 November.",
        ],
    ),
    (
        "Hallen Evening Post",
        &[
            "The minister of works said on Thursday evening that she had “asked for nothing but patience”.",
            "“We have been patient for nineteen months, and we will be patient until the vote,” said Lotte Brandvik, who \
             heads Marrow Works, at the quay.",
            "The bridge was finished in the spring of 2025. The money was sent on Monday, a clerk told the Post.",
            "“Nobody from the ministry has been down here,” said a diver who did not want to be named.",
        ],
    ),
    (
        "The Ledger Weekly",
        &[
            "“Do not send the money before I have seen the piles myself, and do not tell the builders why,” the minister \
             says in the call.",
            "Ms Venick has since written on the notice board of parliament that she “asked for nothing but patience with a \
             young bridge”.",
            "The money has not been sent. A meeting with Marrow Works was called off on 6 November.",
            "Marrow Works could sue before the end of 2026. “Payment follows acceptance,” says the contract of the bridge.",
        ],
    ),
    (
        "Upper Hallen Gazette",
        &[
            "Works minister Orla Vennick asked the treasurer on 3 November to hold back the last payment for the Hallen \
             bridge, according to a recording of the call.",
            "The bridge was finished in March 2025. Its builders, Marrow Works, have waited for 12 million crowns since then.",
            "The two ministers met again on 5 November. A meeting with the builders planned for that Friday did not take place.",
            "Parliament votes on Tuesday on a bill for such payments.",
        ],
    ),
    (
        "Quayside Notes",
        &["A meeting with the builders did not take place, of course: who would look a creditor in the eye?"],
    ),
];

/// The story.
pub(crate) fn story() -> Story {
    let articles: Vec<Article> = (0..).zip(TEXTS).map(article).collect();
    let analysis = analysis(&Finder(&articles));
    assert!(analysis.fits(&articles), "the gallery shows an analysis that an edition could carry");
    let title = "A recording, two ministers and an unpaid bridge".into();
    Story { id: StoryId([5; 16]), title, articles, analysis }
}

fn article((number, (outlet, texts)): (u8, (&str, &[&str]))) -> Article {
    Article {
        id: ArticleId([0xB0 + number; 16]),
        outlet: outlet.into(),
        title: [
            "A recording, two ministers and an unpaid bridge",
            "Minister wanted bridge money held back, recording shows",
            "Treasurer: I need that in writing",
            "“We have been patient for nineteen months”",
            "What a minister says about piles",
            "Minister asked treasurer to hold back bridge money",
            "Comment: Pay for the bridge",
        ][usize::from(number)]
        .into(),
        byline: (number % 2 == 0).then(|| "Ines Vall".into()),
        published: Some(When {
            // The copy came out after all others.
            unix: if number == 5 { 1_795_333_700 } else { 1_795_330_000 - i64::from(number) * 3_700 },
            grain: if number == 4 { story::Grain::Day } else { story::Grain::Minute },
        }),
        url: Some("https://harbour-courier.example/2026/11/bridge".into()),
        body: texts.iter().map(|text| Block::Paragraph((*text).into())).collect(),
        picture: None,
        credit: (number == 1).then(|| "Northline Agency".into()),
        extent: if matches!(number, 0 | 3) { Extent::Whole } else { Extent::Excerpt },
        opinion: (number == 6).then(|| "Comment".into()),
    }
}

/// Finds words in the articles.
struct Finder<'a>(&'a [Article]);

impl Finder<'_> {
    /// The first place of these words in an article.
    fn words(&self, article: u32, words: &str) -> Passage {
        let blocks = &self.0[article as usize].body;
        let (block, start) = (0..)
            .zip(blocks)
            .find_map(|(n, block)| Some((n, block.text().find(words)?)))
            .unwrap_or_else(|| panic!("{words:?} stands in article {article}"));
        Passage { article, block, start: start as u32, end: (start + words.len()) as u32 }
    }

    /// The sentence that begins and ends like this.
    fn sentence(&self, article: u32, from: &str, to: &str) -> Passage {
        let (first, last) = (self.words(article, from), self.words(article, to));
        Passage { end: last.end, ..first }
    }

    fn mention(&self, (article, from, to): Sentence, phrase: &str, anchor: Anchor) -> Mention {
        Mention { sentence: self.sentence(article, from, to), phrase: self.words(article, phrase), anchor }
    }

    fn variant(
        &self,
        (article, from, to): Sentence,
        words: &str,
        speaker: &Speaker,
        kept: (u32, u32),
    ) -> Variant {
        Variant {
            words: vec![self.words(article, words)],
            sentence: self.sentence(article, from, to),
            speaker: speaker.clone(),
            addressee: None,
            occasion: None,
            kept: vec![kept],
        }
    }

    fn from(&self, article: u32, origin: u32, stated: Option<&str>) -> Sourcing {
        Sourcing { article, origin: Some(origin), stated: stated.map(|words| self.words(article, words)) }
    }
}

type Sentence = (u32, &'static str, &'static str);

const RECORDING: u32 = 0;
const COURIER: u32 = 1;
const BOARD: u32 = 2;
const TREASURY: u32 = 3;
const CONTRACT: u32 = 4;
const TEXT: u32 = 5;
const OPINION: u32 = 6;

fn analysis(find: &Finder<'_>) -> Analysis {
    let origin = |kind, name: &str| Origin { kind, name: name.into() };
    Analysis {
        events: events(find),
        utterances: utterances(find),
        claims: claims(find),
        origins: vec![
            origin(OriginKind::Document, "A recording heard by Northline Agency"),
            origin(OriginKind::Interview, "Lotte Brandvik to The Harbour Courier"),
            origin(OriginKind::Public, "The notice board of parliament"),
            origin(OriginKind::Unnamed, "Two people at the treasury"),
            origin(OriginKind::Document, "The contract of the bridge"),
            origin(OriginKind::Text, "Northline Agency"),
            origin(OriginKind::Opinion, "Quayside Notes"),
        ],
        spellings: vec![vec!["Orla Vennick".into(), "Venick".into()]],
        copies: copies(find),
    }
}

fn copies(find: &Finder<'_>) -> Vec<NearCopy> {
    let side = |article, words, shared| Side { article, words, shared };
    let both = |one, other, words: &str| (find.words(one, words), find.words(other, words));
    vec![
        NearCopy {
            kind: CopyKind::Verbatim,
            one: side(0, 129, 77),
            other: side(5, 77, 77),
            spans: vec![
                both(
                    0,
                    5,
                    "Works minister Orla Vennick asked the treasurer on 3 November to hold back the last payment for the Hallen \
                     bridge, according to a recording of the call",
                ),
                both(0, 5, "The bridge was finished in March 2025"),
                both(0, 5, "Its builders, Marrow Works, have waited for 12 million crowns since then"),
                both(0, 5, "The two ministers met again on 5 November"),
                both(0, 5, "A meeting with the builders planned for that Friday did not take place"),
                both(0, 5, "Parliament votes on Tuesday on a bill for such payments"),
            ],
        },
        NearCopy {
            kind: CopyKind::Quotes,
            one: side(0, 129, 18),
            other: side(4, 82, 18),
            spans: vec![both(
                0,
                4,
                "Do not send the money before I have seen the piles myself, and do not tell the builders why",
            )],
        },
    ]
}

fn events(find: &Finder<'_>) -> Vec<Event> {
    let day = |day: Date| day.since(date(1970, 1, 1)).map_or(0, |span| span.get_days());
    let event = |first: Date, last: Date, grain, status, mentions| Event {
        first: day(first),
        last: day(last),
        grain,
        status,
        mentions,
        sourcing: vec![],
        differences: vec![],
    };
    let one = |month, at| date(2026, month, at);
    let call = vec![
        find.mention((0, "Works minister", "has heard."), "on 3 November", Anchor::Stated),
        find.mention((1, "The call was", "Works Office."), "on 3 November", Anchor::Stated),
        find.mention((2, "In the call", "writing.”"), "3 November", Anchor::Stated),
    ];
    let met = vec![
        find.mention((0, "The two ministers", "5 November."), "on 5 November", Anchor::Stated),
        find.mention((1, "The call was", "Works Office."), "two days later", Anchor::Narrative),
    ];
    let called_off = vec![
        find.mention((0, "A meeting with", "take place."), "that Friday", Anchor::Narrative),
        find.mention((4, "A meeting with", "6 November."), "on 6 November", Anchor::Stated),
    ];
    let vote = vec![
        find.mention((0, "Parliament votes", "payments."), "on Tuesday", Anchor::Publication),
        find.mention((1, "The vote", "24 November."), "24 November", Anchor::Stated),
    ];
    let court = vec![
        find.mention(
            (0, "The builders may", "of the year."),
            "before the end of the year",
            Anchor::Publication,
        ),
        find.mention((4, "Marrow Works could", "of 2026."), "before the end of 2026", Anchor::Stated),
    ];
    let finished = vec![
        find.mention((0, "The bridge was", "2025."), "in March 2025", Anchor::Stated),
        find.mention((3, "The bridge was", "2025."), "in the spring of 2025", Anchor::Stated),
    ];
    let divers = vec![find.mention((2, "Divers", "November."), "from 17 to 19 November", Anchor::Stated)];
    let sent = vec![find.mention((3, "The money was", "Post."), "on Monday", Anchor::Publication)];
    let denied =
        vec![find.mention((3, "The minister", "patience”."), "on Thursday evening", Anchor::Publication)];
    vec![
        event(date(2025, 3, 1), date(2025, 3, 31), Grain::Month, Status::Happened, finished),
        event(one(11, 3), one(11, 3), Grain::Day, Status::Happened, call),
        event(one(11, 5), one(11, 5), Grain::Day, Status::Happened, met),
        event(one(11, 6), one(11, 6), Grain::Day, Status::NotHappened, called_off),
        event(one(11, 16), one(11, 16), Grain::Day, Status::Uncertain, sent),
        event(one(11, 17), one(11, 19), Grain::Day, Status::Happened, divers),
        event(one(11, 19), one(11, 19), Grain::Day, Status::Happened, denied),
        event(one(11, 22), one(12, 31), Grain::Year, Status::Uncertain, court),
        event(one(11, 24), one(11, 24), Grain::Day, Status::Planned, vote),
    ]
}

fn utterances(find: &Finder<'_>) -> Vec<Utterance> {
    const WHOLE: &str =
        "Do not send the money before I have seen the piles myself, and do not tell the builders why";
    let [vennick, sandmark, brandvik] =
        ["Orla Vennick", "Piet Sandmark", "Lotte Brandvik"].map(|name| Speaker::Named(name.into()));
    let call = |stated: [Option<&str>; 5], articles: &[u32]| -> Vec<Sourcing> {
        articles.iter().map(|it| find.from(*it, RECORDING, stated[*it as usize])).collect()
    };
    let stated = [
        Some("according to a recording of the call"),
        Some("a recording heard by Northline Agency shows"),
        Some("first reported by Northline Agency"),
        None,
        None,
    ];
    let money = Utterance {
        variants: vec![
            Variant {
                addressee: Some(find.words(0, "the treasurer, Piet Sandmark")),
                occasion: Some(find.words(0, "the call")),
                ..find.variant((0, "“Do not send", "Sandmark."), WHOLE, &vennick, (0, 91))
            },
            find.variant((1, "Vennick told", "shows."), &WHOLE[..57], &vennick, (0, 57)),
            find.variant((2, "“Do not send", "recording."), &WHOLE[..21], &sandmark, (0, 21)),
            find.variant(
                (4, "“Do not send", "the call."),
                WHOLE,
                &Speaker::Role("the minister".into()),
                (0, 91),
            ),
        ],
        fullest: 0,
        alike: vec![],
        sourcing: call(stated, &[0, 1, 2, 4]),
        differences: vec![Difference {
            point: Point::Speaker,
            sides: vec![
                vec![find.words(0, "Vennick says"), find.words(1, "Vennick told")],
                vec![find.words(2, "treasurer Piet Sandmark says")],
            ],
        }],
    };
    let writing = Utterance {
        variants: vec![
            find.variant(
                (0, "“I would", "answers."),
                "I would need that in writing, Orla,",
                &sandmark,
                (0, 35),
            ),
            find.variant(
                (2, "In the call", "writing.”"),
                "I would need that in writing.",
                &sandmark,
                (0, 28),
            ),
        ],
        fullest: 0,
        alike: vec![],
        sourcing: call(stated, &[0, 2]),
        differences: vec![],
    };
    let patient = Utterance {
        variants: vec![
            find.variant(
                (1, "“We have", "Courier."),
                "We have been patient for nineteen months,",
                &brandvik,
                (0, 40),
            ),
            Variant {
                occasion: Some(find.words(3, "at the quay")),
                ..find.variant(
                    (3, "“We have", "at the quay."),
                    "We have been patient for nineteen months, and we will be patient until the vote,",
                    &brandvik,
                    (0, 80),
                )
            },
        ],
        fullest: 1,
        alike: vec![3],
        sourcing: vec![find.from(1, COURIER, Some("told the Courier")), find.from(3, COURIER, None)],
        differences: vec![],
    };
    let nothing = Utterance {
        variants: vec![
            find.variant(
                (3, "The minister", "patience”."),
                "asked for nothing but patience",
                &vennick,
                (0, 30),
            ),
            find.variant(
                (4, "Ms Venick", "bridge”."),
                "asked for nothing but patience with a young bridge",
                &vennick,
                (0, 50),
            ),
        ],
        fullest: 1,
        alike: vec![2],
        sourcing: vec![
            Sourcing { article: 3, origin: None, stated: None },
            find.from(4, BOARD, Some("on the notice board of parliament")),
        ],
        differences: vec![],
    };
    let alone = |variant: Variant, sourcing: Vec<Sourcing>| Utterance {
        variants: vec![variant],
        fullest: 0,
        alike: vec![],
        sourcing,
        differences: vec![],
    };
    let diver = Speaker::Unnamed("a diver who did not want to be named".into());
    let contract = Speaker::Document("the contract of the bridge".into());
    vec![
        money,
        writing,
        patient,
        nothing,
        alone(
            find.variant(
                (3, "“Nobody from", "be named."),
                "Nobody from the ministry has been down here,",
                &diver,
                (0, 43),
            ),
            vec![Sourcing { article: 3, origin: None, stated: None }],
        ),
        alone(
            find.variant(
                (4, "“Payment", "of the bridge."),
                "Payment follows acceptance,",
                &contract,
                (0, 26),
            ),
            vec![find.from(4, CONTRACT, Some("says the contract of the bridge"))],
        ),
    ]
}

fn claims(find: &Finder<'_>) -> Vec<Claim> {
    let owed = Claim {
        sentences: vec![
            find.sentence(0, "Its builders", "since then."),
            find.sentence(1, "Marrow Works is", "crowns."),
            find.sentence(2, "The builders are", "said."),
        ],
        sourcing: vec![
            Sourcing { article: 0, origin: None, stated: None },
            find.from(2, TREASURY, Some("two people at the treasury said")),
        ],
        differences: vec![Difference {
            point: Point::Number,
            sides: vec![
                vec![find.words(0, "12 million crowns"), find.words(1, "12 million crowns")],
                vec![find.words(2, "14 million crowns")],
            ],
        }],
    };
    let sent = Claim {
        sentences: vec![
            find.sentence(3, "The money was", "Post."),
            find.sentence(4, "The money has", "sent."),
        ],
        sourcing: vec![],
        differences: vec![Difference {
            point: Point::Status,
            sides: vec![vec![find.words(3, "was sent on Monday")], vec![find.words(4, "has not been sent")]],
        }],
    };
    let call = Claim {
        sentences: vec![
            find.sentence(0, "Works minister", "has heard."),
            find.sentence(1, "The call was", "Works Office."),
            find.sentence(2, "In the call", "writing.”"),
        ],
        sourcing: vec![
            find.from(0, RECORDING, Some("according to a recording of the call")),
            find.from(1, RECORDING, None),
            find.from(2, RECORDING, Some("first reported by Northline Agency")),
        ],
        differences: vec![],
    };
    let agreed = |sentences: Vec<Passage>| Claim { sentences, sourcing: vec![], differences: vec![] };
    vec![
        call,
        owed,
        sent,
        agreed(vec![find.sentence(0, "Parliament", "payments."), find.sentence(1, "The vote", "November.")]),
        agreed(vec![
            find.sentence(0, "The bridge was", "2025."),
            find.sentence(3, "The bridge was", "2025."),
        ]),
        Claim {
            sentences: vec![
                find.sentence(0, "A meeting", "take place."),
                find.sentence(5, "A meeting", "take place."),
                find.sentence(6, "A meeting", "in the eye?"),
            ],
            sourcing: vec![find.from(0, TEXT, None), find.from(5, TEXT, None), find.from(6, OPINION, None)],
            differences: vec![],
        },
        agreed(vec![find.sentence(2, "Divers", "November.")]),
        agreed(vec![find.sentence(0, "The two ministers", "5 November.")]),
    ]
}
