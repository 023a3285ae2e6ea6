//! A folder, read as a press reads it and looked through: `firsthand press read`. Nothing is stored, nothing is left out for room.

use std::path::Path;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use news::analysis::analysis;
use proto::Millis;
use proto::analysis::{
    Analysis, Anchor, Claim, CopyKind, Difference, Event, Grain, Mention, NearCopy, OriginKind, Passage,
    Point, Side, Sourcing, Speaker, Status, Utterance, Variant,
};
use proto::story::{Article, Block, Story};
use serde_json::{Value, json};

use crate::gather::{Dropped, Gather, GatherError, Inputs};
use crate::trial;

/// The version of the form that [`Reading::to_json`] writes, counted up when a field changes its meaning or goes.
pub const VERSION: u32 = 2;

/// What a folder holds.
pub struct Reading {
    /// The stories, the one with the newest article first, each with all that was found in it.
    pub stories: Vec<Story>,
    /// Lines of its files that are not part of an article.
    pub dropped: Vec<Dropped>,
    /// Inputs that were left out, each as a sentence that says which and why.
    pub left_out: Vec<String>,
}

impl Reading {
    /// Reads a folder at `now`.
    ///
    /// # Errors
    /// The folder cannot be read, or its sidecar is wrong.
    pub fn of(folder: &Path, now: Millis) -> Result<Reading, GatherError> {
        let inputs = Inputs { folders: vec![folder.to_owned()], ..Inputs::default() };
        let mut gather = Gather::new(inputs, None)?;
        gather.keep_dropped();
        gather.recall(now)?;
        let mut stories = gather.stories();
        for story in &mut stories {
            story.analysis = analysis(&story.articles);
        }
        let left_out = gather.left_out().to_vec();
        Ok(Reading { stories, dropped: gather.take_dropped(), left_out })
    }

    /// All of it. Articles are named by their place in their story, counted from 0; `start` and `end` are bytes of a block of its
    /// text.
    pub fn to_json(&self) -> Value {
        json!({
            "version": VERSION,
            "stories": self.stories.iter().map(story).collect::<Vec<_>>(),
            "dropped": self.dropped.iter().map(|it| json!({
                "input": it.input, "line": it.line, "text": it.text, "reason": it.reason,
            })).collect::<Vec<_>>(),
            "left_out": self.left_out,
        })
    }
}

fn story(story: &Story) -> Value {
    let told = Told { articles: &story.articles, found: &story.analysis };
    let found = &story.analysis;
    json!({
        "id": hex::encode(story.id.0),
        "title": story.title,
        "outlets": story.outlets(),
        "articles": story.articles.iter().map(article).collect::<Vec<_>>(),
        "timeline": found.events.iter().map(|it| told.event(it)).collect::<Vec<_>>(),
        "utterances": found.utterances.iter().map(|it| told.utterance(it)).collect::<Vec<_>>(),
        "claims": found.claims.iter().map(|it| told.claim(it)).collect::<Vec<_>>(),
        "origins": found.origins.iter().map(|it| json!({"kind": kind(it.kind), "name": it.name})).collect::<Vec<_>>(),
        "conflicts": told.conflicts(),
        "spellings": found.spellings,
        "copies": found.copies.iter().map(|it| told.copy(it)).collect::<Vec<_>>(),
    })
}

fn article(article: &Article) -> Value {
    let block = |block: &Block| json!({"kind": trial::kind(block), "text": block.text()});
    json!({
        "outlet": article.outlet,
        "title": article.title,
        "byline": article.byline,
        "published": article.published.and_then(trial::stated),
        "url": article.url,
        "credit": article.credit,
        "opinion": article.opinion,
        "body": article.body.iter().map(block).collect::<Vec<_>>(),
    })
}

/// A day as counted from 1970-01-01.
pub fn day(since_1970: i32) -> Date {
    date(1970, 1, 1).saturating_add(since_1970.days())
}

/// Rows of one story.
struct Told<'a> {
    articles: &'a [Article],
    found: &'a Analysis,
}

impl Told<'_> {
    fn passage(&self, passage: &Passage) -> Value {
        json!({
            "article": passage.article,
            "block": passage.block,
            "start": passage.start,
            "end": passage.end,
            "text": passage.text(self.articles),
        })
    }

    fn passages(&self, passages: &[Passage]) -> Vec<Value> {
        passages.iter().map(|it| self.passage(it)).collect()
    }

    fn event(&self, event: &Event) -> Value {
        let mention = |it: &Mention| {
            json!({
                "sentence": self.passage(&it.sentence),
                "phrase": it.phrase.text(self.articles),
                "anchor": match it.anchor {
                    Anchor::Stated => "stated",
                    Anchor::Publication => "publication",
                    Anchor::Narrative => "narrative",
                },
            })
        };
        json!({
            "first": day(event.first).to_string(),
            "last": day(event.last).to_string(),
            "grain": match event.grain {
                Grain::Year => "year",
                Grain::Season => "season",
                Grain::Month => "month",
                Grain::Week => "week",
                Grain::Day => "day",
            },
            "status": match event.status {
                Status::Happened => "happened",
                Status::Planned => "planned",
                Status::Uncertain => "uncertain",
                Status::NotHappened => "did not happen",
            },
            "mentions": event.mentions.iter().map(mention).collect::<Vec<_>>(),
            "sourcing": self.sourcing(&event.sourcing),
            "differences": self.differences(&event.differences),
        })
    }

    fn utterance(&self, utterance: &Utterance) -> Value {
        let variant = |it: &Variant| {
            json!({
                "words": it.text(self.articles),
                "pieces": self.passages(&it.words),
                "sentence": self.passage(&it.sentence),
                "speaker": speaker(&it.speaker),
                "addressee": it.addressee.and_then(|it| it.text(self.articles)),
                "occasion": it.occasion.and_then(|it| it.text(self.articles)),
                "kept": it.kept,
            })
        };
        json!({
            "fullest": utterance.fullest,
            "variants": utterance.variants.iter().map(variant).collect::<Vec<_>>(),
            "alike": utterance.alike,
            "sourcing": self.sourcing(&utterance.sourcing),
            "differences": self.differences(&utterance.differences),
        })
    }

    fn claim(&self, claim: &Claim) -> Value {
        json!({
            "sentences": self.passages(&claim.sentences),
            "sourcing": self.sourcing(&claim.sourcing),
            "differences": self.differences(&claim.differences),
        })
    }

    fn sourcing(&self, sourcing: &[Sourcing]) -> Vec<Value> {
        let one = |it: &Sourcing| {
            json!({
                "article": it.article,
                "origin": it.origin,
                "basis": it.origin.map(|origin| self.basis(it, origin)),
                "stated": it.stated.map(|it| self.passage(&it)),
            })
        };
        sourcing.iter().map(one).collect()
    }

    /// By what an origin is known.
    fn basis(&self, sourcing: &Sourcing, origin: u32) -> &'static str {
        let kind = self.found.origins.get(origin as usize).map(|it| it.kind);
        match (sourcing.stated, kind) {
            (Some(_), _) => "stated",
            (None, Some(OriginKind::Opinion)) => "marked",
            (None, _) => "inferred",
        }
    }

    fn copy(&self, copy: &NearCopy) -> Value {
        let side = |it: &Side| json!({"article": it.article, "words": it.words, "shared": it.shared, "percent": it.percent()});
        let spans = copy.spans.iter().map(|(one, other)| json!([self.passage(one), self.passage(other)]));
        json!({
            "kind": match copy.kind {
                CopyKind::Verbatim => "verbatim copy",
                CopyKind::Passage => "shared passage",
                CopyKind::Quotes => "shared quotes only",
            },
            "articles": [side(&copy.one), side(&copy.other)],
            "first": copy.first(self.articles),
            "spans": spans.collect::<Vec<_>>(),
        })
    }

    fn differences(&self, differences: &[Difference]) -> Vec<Value> {
        let one = |it: &Difference| {
            let sides: Vec<_> = it.sides.iter().map(|side| self.passages(side)).collect();
            json!({"point": point(it.point), "sides": sides})
        };
        differences.iter().map(one).collect()
    }

    /// All differences of the story, each with the list and the row that it belongs to.
    fn conflicts(&self) -> Vec<Value> {
        let events =
            self.found.events.iter().map(|it| &it.differences).enumerate().map(|row| ("timeline", row));
        let utterances =
            self.found.utterances.iter().map(|it| &it.differences).enumerate().map(|row| ("utterances", row));
        let claims =
            self.found.claims.iter().map(|it| &it.differences).enumerate().map(|row| ("claims", row));
        let rows = events.chain(utterances).chain(claims);
        rows.flat_map(|(list, (row, all))| {
            all.iter().map(move |it| json!({"in": list, "row": row, "point": point(it.point)}))
        })
        .collect()
    }
}

fn speaker(speaker: &Speaker) -> Value {
    match speaker {
        Speaker::Unknown => Value::Null,
        Speaker::Named(name) => json!({"kind": "named", "name": name}),
        Speaker::Role(words) => json!({"kind": "role", "name": words}),
        Speaker::Unnamed(words) => json!({"kind": "unnamed", "name": words}),
        Speaker::Document(words) => json!({"kind": "document", "name": words}),
    }
}

fn kind(kind: OriginKind) -> &'static str {
    match kind {
        OriginKind::Document => "document",
        OriginKind::Interview => "interview",
        OriginKind::Record => "record",
        OriginKind::Public => "public",
        OriginKind::Own => "own",
        OriginKind::Report => "report",
        OriginKind::Agency => "agency",
        OriginKind::Unnamed => "unnamed",
        OriginKind::Text => "text",
        OriginKind::Opinion => "opinion",
    }
}

fn point(point: Point) -> &'static str {
    match point {
        Point::Speaker => "speaker",
        Point::Number => "number",
        Point::Date => "date",
        Point::Status => "status",
        Point::Certainty => "certainty",
        Point::Scope => "scope",
        Point::Role => "role",
        Point::Wording => "wording",
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const COURIER: &str = "Harbour board met in secret\n\nThe harbour board of Tallow met in secret on 3 May 2031, according to a \
        recording obtained by the Tallow Ledger. \u{201c}Nobody is to hear of the crane,\u{201d} chairwoman Ilsa Vane said.\n\n\
        The crane has stood idle since the winter, and nobody has said why, the crews of Tallow say.\n\n\
        Also read: Ten walks by the sea\n";
    const RADIO: &str = "Secret meeting of the harbour board\n\nA recording of a meeting of the harbour board of Tallow on 3 May 2031 was \
        leaked to the Tallow Ledger. \u{201c}Nobody is to hear of the crane,\u{201d} Tom Orr said.\n\n\
        The crane has stood idle since the winter, and the crews of Tallow ask why the board met in secret.\n";

    const FIRST: &str = "Tide mill stops\n\nThe keeper of the tide mill at Orrin found its great wheel stopped on Wednesday morning, three \
        of its oak arms broken.\n\nNobody in the village had heard it stop, and the millers of the coast have begun to grind their barley \
        by hand.\n";
    const OPINION: &str = "Comment: Mend the mill\n\nNobody in the village had heard it stop, and the millers of the coast have begun to \
        grind their barley by hand. The tide mill of Orrin has a keeper and no smith, and its great wheel will never turn.\n";

    #[test]
    fn copies_and_opinion_are_written_as_json() {
        let dir = tempfile::tempdir().unwrap();
        let files = [
            ("a.txt", "The Courier", FIRST, 9),
            ("b.txt", "Vale Radio", FIRST, 8),
            ("c.txt", "Notes", OPINION, 7),
        ];
        let mut sidecar = String::new();
        for (file, outlet, text, hour) in files {
            fs::write(dir.path().join(file), text).unwrap();
            sidecar +=
                &format!("[\"{file}\"]\noutlet = \"{outlet}\"\npublished = \"2031-03-20T0{hour}:00:00Z\"\n");
        }
        fs::write(dir.path().join("articles.toml"), sidecar).unwrap();
        let read = Reading::of(dir.path(), Millis(1_940_000_000_000)).unwrap().to_json();
        assert_eq!(read["stories"].as_array().unwrap().len(), 1);
        let story = &read["stories"][0];
        let at = |outlet: &str| {
            let all = story["articles"].as_array().unwrap();
            all.iter().position(|it| it["outlet"] == outlet).unwrap()
        };
        assert_eq!(story["articles"][at("Notes")]["opinion"], "Comment");
        assert_eq!(story["articles"][at("The Courier")]["opinion"], Value::Null);
        let copies = story["copies"].as_array().unwrap();
        assert_eq!(
            copies.iter().map(|it| &it["kind"]).collect::<Vec<_>>(),
            ["verbatim copy", "shared passage"]
        );
        assert_eq!(copies[0]["first"], at("Vale Radio"));
        assert_eq!(
            (&copies[0]["articles"][0]["percent"], &copies[0]["articles"][1]["percent"]),
            (&json!(100), &json!(100))
        );
        for spans in copies.iter().flat_map(|it| it["spans"].as_array().unwrap()) {
            assert_eq!(spans[0]["text"], spans[1]["text"]);
        }
        let claim = &story["claims"][0];
        let of = |outlet: &str| {
            let one =
                claim["sourcing"].as_array().unwrap().iter().find(|it| it["article"] == at(outlet)).unwrap();
            (one["basis"].clone(), story["origins"][one["origin"].as_u64().unwrap() as usize].clone())
        };
        let text = (json!("inferred"), json!({"kind": "text", "name": "Notes"}));
        assert_eq!((of("The Courier"), of("Vale Radio")), (text.clone(), text));
        assert_eq!(of("Notes"), (json!("marked"), json!({"kind": "opinion", "name": "Notes"})));
    }

    #[test]
    fn a_folder_is_looked_through_and_written_as_json() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), COURIER).unwrap();
        fs::write(dir.path().join("b.txt"), RADIO).unwrap();
        let sidecar = "[\"a.txt\"]\noutlet = \"The Courier\"\n[\"b.txt\"]\noutlet = \"Vale Radio\"\n";
        fs::write(dir.path().join("articles.toml"), sidecar).unwrap();
        let read = Reading::of(dir.path(), Millis(1_940_000_000_000)).unwrap().to_json();
        assert_eq!((&read["version"], read["stories"].as_array().unwrap().len()), (&json!(2), 1));
        let story = &read["stories"][0];
        let event = &story["timeline"][0];
        assert_eq!(
            (&event["first"], &event["grain"], &event["status"]),
            (&json!("2031-05-03"), &json!("day"), &json!("happened"))
        );
        assert_eq!(event["mentions"][0]["phrase"], "3 May 2031");
        assert_eq!(story["origins"], json!([{"kind": "document", "name": "Tallow Ledger"}]));
        let bases: Vec<_> =
            event["sourcing"].as_array().unwrap().iter().map(|it| it["basis"].clone()).collect();
        assert_eq!(bases, ["stated", "stated"]);
        let said = &story["utterances"][0];
        assert_eq!(said["variants"].as_array().unwrap().len(), 2);
        assert_eq!(said["variants"][0]["speaker"], json!({"kind": "named", "name": "Ilsa Vane"}));
        assert_eq!(story["conflicts"], json!([{"in": "utterances", "row": 0, "point": "speaker"}]));
        let passage = &said["variants"][0]["pieces"][0];
        let block = &story["articles"][0]["body"][passage["block"].as_u64().unwrap() as usize]["text"];
        let bytes = passage["start"].as_u64().unwrap() as usize..passage["end"].as_u64().unwrap() as usize;
        assert_eq!(&block.as_str().unwrap()[bytes], passage["text"]);
        let dropped = read["dropped"].as_array().unwrap();
        assert!(
            dropped
                .iter()
                .any(|it| it["input"] == "a.txt" && it["text"] == "Also read: Ten walks by the sea"),
            "{dropped:?}"
        );
    }
}
