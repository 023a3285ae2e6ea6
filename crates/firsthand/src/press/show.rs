//! What the press's commands print. Words from outside lose their control characters: a headline must not move the cursor or
//! colour the operator's screen.

use std::fmt::Write as _;

use ::press::Draft;
use ::press::gather::{Added, Listed};
use ::press::outlets::Rights;
use ::press::reading::{Reading, day};
use ::press::trial::Trial;
use jiff::Timestamp;
use proto::analysis::{
    Analysis, CopyKind, Event, Grain, NearCopy, OriginKind, Passage, Side, Sourcing, Speaker, Status,
    Utterance,
};
use proto::story::{Article, Story};
use proto::{Millis, Round};
use serde_json::json;

/// The most others of a page's feeds that are named.
const MOST_OTHERS: usize = 5;

/// A line of text without anything that a terminal obeys.
pub(super) fn plain(text: &str) -> String {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
}

/// What a folder holds.
pub(super) fn reading(reading: &Reading) -> String {
    let mut text = String::new();
    for story in &reading.stories {
        read_story(story, &mut text);
    }
    if reading.stories.is_empty() {
        text.push_str("No articles. Name a folder that holds pages, feeds or texts.\n");
    }
    let _ =
        writeln!(text, "{} left out of articles; --json lists them.", counted(reading.dropped.len(), "line"));
    for line in &reading.left_out {
        let _ = writeln!(text, "Left out: {}", plain(line));
    }
    text
}

fn read_story(story: &Story, text: &mut String) {
    let (articles, found) = (&story.articles, &story.analysis);
    let _ = writeln!(text, "{}", plain(&story.title));
    for (at, article) in articles.iter().enumerate() {
        let day = article
            .published
            .map(|when| moment(Millis(u64::try_from(when.unix).unwrap_or_default() * 1_000)));
        let day = day.as_deref().and_then(|day| day.get(..10)).unwrap_or("needs a date");
        let opinion = article
            .opinion
            .as_deref()
            .map(|label| format!(", opinion: marked \u{201c}{}\u{201d}", plain(label)));
        let _ = writeln!(text, "  [{at}] {}, {day}{}", plain(&article.outlet), opinion.unwrap_or_default());
    }
    copies(&found.copies, articles, text);
    if !found.events.is_empty() {
        text.push_str("  What happened when\n");
    }
    for event in &found.events {
        let sentence = event.mentions.first().and_then(|it| it.sentence.text(articles)).unwrap_or_default();
        let _ = writeln!(text, "    {}{} {}", days(event), status(event.status), plain(sentence));
        carried(&event.sourcing, found, text);
    }
    if !found.utterances.is_empty() {
        text.push_str("  Who said what\n");
    }
    for utterance in &found.utterances {
        said(utterance, articles, text);
        carried(&utterance.sourcing, found, text);
    }
    let differences = found
        .claims
        .iter()
        .flat_map(|it| &it.differences)
        .chain(found.events.iter().flat_map(|it| &it.differences));
    for difference in differences {
        let _ = writeln!(text, "  Outlets differ on {}", format!("{:?}", difference.point).to_lowercase());
        for side in &difference.sides {
            let of =
                |it: &Passage| format!("[{}] {}", it.article, plain(it.text(articles).unwrap_or_default()));
            let _ = writeln!(text, "    {}", side.iter().map(of).collect::<Vec<_>>().join(" | "));
        }
    }
    text.push('\n');
}

/// Who prints whose words, each with the longest stretch of them.
fn copies(copies: &[NearCopy], articles: &[Article], text: &mut String) {
    if !copies.is_empty() {
        text.push_str("  Who prints whose words\n");
    }
    for copy in copies {
        let _ = writeln!(text, "    {}", shared(copy, articles));
        let longest = copy.spans.iter().max_by_key(|(one, _)| one.end - one.start);
        if let Some(words) = longest.and_then(|(one, _)| one.text(articles)) {
            let _ = writeln!(text, "      {}", plain(words));
        }
    }
}

fn shared(copy: &NearCopy, articles: &[Article]) -> String {
    let named = |side: &Side| {
        let outlet = articles.get(side.article as usize).map_or("", |it| it.outlet.as_str());
        format!("[{}] {}", side.article, plain(outlet))
    };
    let (one, other) = (&copy.one, &copy.other);
    let kind = match copy.kind {
        CopyKind::Verbatim => "verbatim copy",
        CopyKind::Passage => "shared passage",
        CopyKind::Quotes => "shared quotes only",
    };
    let (shorter, longer) = if other.words < one.words { (other, one) } else { (one, other) };
    let words = shorter.shared;
    if copy.kind == CopyKind::Quotes {
        return format!("{kind}: {} and {} quote the same {words} words", named(one), named(other));
    }
    let percent = shorter.percent();
    let first = copy.first(articles);
    let how = if first == Some(shorter.article) {
        format!("{} prints {percent} % of what {} printed first", named(longer), named(shorter))
    } else if first == Some(longer.article) {
        format!("{} printed {percent} % of the text of {} first", named(longer), named(shorter))
    } else {
        format!("{percent} % of what {} prints stands in {} too", named(shorter), named(longer))
    };
    format!("{kind}: {how} ({words} words)")
}

fn days(event: &Event) -> String {
    let (first, last) = (day(event.first), day(event.last));
    match event.grain {
        Grain::Day => first.to_string(),
        Grain::Month => first.strftime("%Y-%m").to_string(),
        Grain::Year if first.year() == last.year() => first.year().to_string(),
        Grain::Week | Grain::Season | Grain::Year => format!("{first} to {last}"),
    }
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Happened => "",
        Status::Planned => " (planned)",
        Status::Uncertain => " (uncertain)",
        Status::NotHappened => " (did not happen)",
    }
}

fn said(utterance: &Utterance, articles: &[Article], text: &mut String) {
    let mut speakers: Vec<&str> = Vec::new();
    for variant in &utterance.variants {
        let speaker = match &variant.speaker {
            Speaker::Unknown => "nobody named",
            Speaker::Named(name) | Speaker::Role(name) | Speaker::Unnamed(name) | Speaker::Document(name) => {
                name
            }
        };
        if !speakers.contains(&speaker) {
            speakers.push(speaker);
        }
    }
    let words =
        utterance.variants.get(utterance.fullest as usize).map(|it| it.text(articles)).unwrap_or_default();
    let _ = writeln!(text, "    {}: \u{201c}{}\u{201d}", plain(&speakers.join(" or ")), plain(&words));
}

/// Who carries a row, and how many origins they have.
fn carried(sourcing: &[Sourcing], found: &Analysis, text: &mut String) {
    let of = |it: &Sourcing| {
        let origin = it.origin.and_then(|at| found.origins.get(at as usize));
        let how = if it.stated.is_some() { "" } else { ", inferred" };
        match origin {
            None => format!("[{}]", it.article),
            Some(origin) if origin.kind == OriginKind::Opinion => format!("[{}] as opinion", it.article),
            Some(origin) => format!("[{}] from {}{how}", it.article, plain(&origin.name)),
        }
    };
    let _ = writeln!(text, "      {}", sourcing.iter().map(of).collect::<Vec<_>>().join("; "));
}

/// A moment, to the minute.
pub(super) fn moment(at: Millis) -> String {
    let at = i64::try_from(at.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    at.map_or_else(|| "never".into(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

/// An outlet that was added; at length if it is the only one.
pub(super) fn added(added: &Added, alone: bool) -> String {
    let mut text = String::new();
    let address = added.outlet.place.address();
    let name = added.name.as_deref().unwrap_or(&address);
    let what = if added.is_new { "Added" } else { "Changed" };
    let _ = writeln!(text, "{what} {}: {}", plain(name), counted(added.articles, "article"));
    let _ = writeln!(text, "  {}", plain(&address));
    if !alone {
        return text;
    }
    for headline in &added.headlines {
        let _ = writeln!(text, "    {}", plain(headline));
    }
    let _ = writeln!(text, "  Licence: {}.", added.outlet.rights.note());
    match added.outlet.rights {
        Rights::Quoted => {
            let _ = writeln!(
                text,
                "  If it is yours, or its owner lets you: add it again with --own or --licensed."
            );
        }
        _ if added.summaries > 0 => {
            let _ = writeln!(
                text,
                "  {} of them are summaries: their pages are fetched for the full text, as robots.txt allows.",
                added.summaries
            );
        }
        _ => {}
    }
    if !added.others.is_empty() {
        let _ = writeln!(text, "  The page names other feeds. Add those that you want too:");
        for other in added.others.iter().take(MOST_OTHERS) {
            let _ = writeln!(text, "    {}", plain(other));
        }
    }
    if let Some(first) = added.skipped.first() {
        let _ = writeln!(text, "  Left out: {} ({} in all).", plain(first), added.skipped.len());
    }
    text
}

/// The list of outlets.
pub(super) fn listed(listed: &[Listed]) -> String {
    if listed.is_empty() {
        return "No outlets yet. Add one: firsthand press add URL --config FILE\n".into();
    }
    let mut text = String::new();
    for Listed { outlet, is_configured, health } in listed {
        let name = outlet.name.as_ref().or(health.name.as_ref());
        let name = name.map(|name| format!("{}  ", plain(name))).unwrap_or_default();
        let _ = writeln!(text, "{name}{}", plain(&outlet.place.address()));
        let from = if *is_configured { ", from the configuration" } else { "" };
        let last = health.succeeded.map_or_else(|| "never".into(), moment);
        let _ = writeln!(
            text,
            "  {}, {}{from}; last read {last}",
            outlet.rights,
            counted(health.articles as usize, "article")
        );
        if let Some(why) = &health.why {
            let _ = writeln!(text, "  wrong: {}", plain(why));
        }
        if health.failures > 0
            && let Some(next) = health.next
        {
            let failed =
                if health.failures == 1 { "once".into() } else { format!("{} times", health.failures) };
            let _ = writeln!(text, "  failed {failed}; asked again from {}", moment(next));
        }
    }
    text
}

/// The list of outlets for programs: times are milliseconds since 1970.
pub(super) fn listed_json(listed: &[Listed]) -> serde_json::Result<String> {
    let outlet = |Listed { outlet, is_configured, health }: &Listed| {
        json!({
            "address": outlet.place.address(),
            "name": outlet.name.as_ref().or(health.name.as_ref()),
            "rights": outlet.rights.to_string(),
            "configured": is_configured,
            "articles": health.articles,
            "last_success": health.succeeded.map(|at| at.0),
            "next_try": health.next.map(|at| at.0),
            "failures": health.failures,
            "error": health.why,
        })
    };
    let all: Vec<_> = listed.iter().map(outlet).collect();
    serde_json::to_string_pretty(&json!({ "version": 1, "outlets": all }))
}

/// What was kept of an input and what was dropped.
pub(super) fn trial(trial: &Trial) -> String {
    let mut text = String::new();
    for looked in &trial.documents {
        let _ = writeln!(text, "{}", plain(looked.title.as_deref().unwrap_or("(no title)")));
        let needs = |value: &Option<String>, what: &str| value.as_deref().map_or(format!("({what})"), plain);
        let byline = looked.byline.as_ref().map(|byline| format!(" · {}", plain(byline))).unwrap_or_default();
        let _ = writeln!(
            text,
            "  {}{byline} · {} · {}",
            needs(&looked.outlet, "outlet unknown"),
            needs(&looked.published, "needs a date"),
            needs(&looked.url, "no address")
        );
        let language = looked.language.as_deref().map(|tag| format!(", {}", plain(tag))).unwrap_or_default();
        let _ = writeln!(text, "  {}, {}{language}", looked.format, looked.charset);
        let _ = writeln!(text, "\n  Kept: {}", counted(looked.kept.len(), "block"));
        for line in &looked.kept {
            let kind = if line.kind == "paragraph" { String::new() } else { format!("[{}] ", line.kind) };
            let _ = writeln!(text, "  {:>5}  {kind}{}", line.line, plain(&line.text));
        }
        let _ = writeln!(text, "\n  Dropped: {}", counted(looked.dropped.len(), "line"));
        for line in &looked.dropped {
            let _ = writeln!(text, "  {:>5}  {}", line.line, plain(&line.text));
            let _ = writeln!(text, "         because: {}", line.reason);
        }
        text.push('\n');
    }
    for why in &trial.skipped {
        let _ = writeln!(text, "Left out: {}", plain(why));
    }
    text
}

/// What an edition would hold.
pub(super) fn draft(draft: &Draft, now: Millis) -> String {
    let mut text = format!("Edition {} would hold {}\n", draft.round, held(draft));
    let _ = writeln!(
        text,
        "  new or changed since the last edition: {}, {}",
        stories(draft.changed),
        size(draft.changes_bytes)
    );
    if !draft.left_out.is_empty() {
        let _ = writeln!(text, "  left out: {}; `firsthand press preview` shows why", draft.left_out.len());
    }
    let _ = match draft.begins > now {
        true => writeln!(
            text,
            "This round has its edition. A press that runs makes the next at {}.",
            moment(draft.begins)
        ),
        false => writeln!(
            text,
            "A press that runs makes it by itself; where none runs: firsthand press publish --now"
        ),
    };
    text
}

/// An edition that was made.
pub(super) fn published(round: Round, made: &Draft, signer: &str) -> String {
    format!("Edition {round} is published: {}\n  signed by {signer}\n", held(made))
}

fn held(draft: &Draft) -> String {
    format!(
        "{} of {} by {}, {}",
        stories(draft.stories),
        counted(draft.articles, "article"),
        counted(draft.outlets, "outlet"),
        size(draft.front_bytes)
    )
}

fn stories(count: usize) -> String {
    if count == 1 { "1 story".into() } else { format!("{count} stories") }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn size(bytes: usize) -> String {
    format!("{} KB", bytes.div_ceil(1024))
}

#[cfg(test)]
mod tests {
    use ::press::fetch::Health;
    use ::press::outlets::{Outlet, Place};
    use proto::story::{ArticleId, Extent, When};

    use super::*;

    #[test]
    fn words_from_outside_do_not_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\u{202e}c\n"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }

    #[test]
    fn who_prints_how_much_of_whom_is_said() {
        let article = |outlet: &str, unix| Article {
            id: ArticleId([0; 16]),
            outlet: outlet.into(),
            title: String::new(),
            byline: None,
            published: Some(When { unix, grain: proto::story::Grain::Minute }),
            url: None,
            body: vec![],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        };
        let articles = [article("Post", 60), article("Radio", 0)];
        let side = |article, words| Side { article, words, shared: 46 };
        let said = |kind, one, other| {
            shared(&NearCopy { kind, one: side(0, one), other: side(1, other), spans: vec![] }, &articles)
        };
        assert_eq!(
            said(CopyKind::Verbatim, 90, 50),
            "verbatim copy: [0] Post prints 92 % of what [1] Radio printed first (46 words)"
        );
        assert_eq!(
            said(CopyKind::Passage, 90, 500),
            "shared passage: [1] Radio printed 51 % of the text of [0] Post first (46 words)"
        );
        assert_eq!(
            said(CopyKind::Quotes, 90, 500),
            "shared quotes only: [0] Post and [1] Radio quote the same 46 words"
        );
    }

    #[test]
    fn a_list_says_what_is_wrong_and_when_it_is_tried_again() {
        let outlet = Outlet::quoted(Place::Feed("https://quay.example/feed".into()));
        let health = Health {
            next: Some(Millis(1_795_685_400_000)),
            failures: 2,
            why: Some("it answered 404 Not Found".into()),
            name: Some("The Quay".into()),
            ..Health::default()
        };
        let listed = [Listed { outlet, is_configured: true, health }];
        let expected = "The Quay  https://quay.example/feed\n  quoted, 0 articles, from the configuration; last read never\n  \
                        wrong: it answered 404 Not Found\n  failed 2 times; asked again from 2026-11-26 09:30 UTC\n";
        assert_eq!(super::listed(&listed), expected);
        let json: serde_json::Value = serde_json::from_str(&listed_json(&listed).unwrap()).unwrap();
        assert_eq!(json["outlets"][0]["next_try"], 1_795_685_400_000_u64);
        assert!(super::listed(&[]).starts_with("No outlets yet"));
    }
}
