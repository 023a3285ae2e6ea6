//! Parts of the edge's public pages: status and edition. Plain numbers in, tables and one chart out.
//!
//! Shown are sums that are the same with and without tips: envelopes, which are nearly all cover, and what went
//! through the mixes. Nothing here may differ between a day with tips and one without.

use maud::{Markup, html};
use proto::story::Story;

use crate::{
    text::run,
    when::{Zone, under},
};

/// What the status page shows.
pub struct Status {
    /// The path this page is served at; its numbers are asked for again there.
    pub path: &'static str,
    /// The network's name.
    pub network: String,
    /// Length of a round, in milliseconds.
    pub round_ms: u64,
    /// The newest rounds, the oldest first. The page shows all that it gets; 24 fill the chart well.
    pub rounds: Vec<Round>,
    /// How many slots every desk drop and every reader drop has, always.
    pub slots: (u16, u16),
    /// The log, and who co-signs it.
    pub log: Log,
}

/// The log of what everyone is shown.
pub struct Log {
    /// How many witnesses there are.
    pub witnesses: u8,
    /// How many of them must co-sign.
    pub quorum: u8,
    /// Whether one machine runs all of them.
    pub demonstration: bool,
    /// What they co-signed last.
    pub checkpoint: Option<Checkpoint>,
}

/// A checkpoint of the log.
pub struct Checkpoint {
    /// Leaves.
    pub size: u64,
    /// The root, in hex.
    pub root: String,
    /// How many witnesses co-signed it.
    pub cosigned: u8,
}

/// One round, as the edge counted it and the mixes' signed manifests state it.
pub struct Round {
    /// Its number.
    pub number: u32,
    /// When it began, in milliseconds since 1970 UTC.
    pub began_ms: u64,
    /// Envelopes the edge took, whatever was in them.
    pub envelopes: u64,
    /// Uploads shed because one address or relay sent more than its share, and connections closed for that.
    pub shed: u64,
    /// Batches that left a hop, in the order of hop and part.
    pub batches: Vec<Batch>,
    /// Whether its drops stand in an edition.
    pub published: bool,
}

/// One batch that left one hop.
pub struct Batch {
    /// 1 is the first mix, the last is the exit.
    pub hop: u8,
    /// Part of the round, from 0.
    pub part: u16,
    /// Entries taken in.
    pub taken: u64,
    /// Entries passed on; for the exit, the slots of both drops.
    pub passed: u64,
    /// Entries deleted because they waited too long for company.
    pub deleted: u64,
    /// Whether the mix misses its decoys in the drops: messages are being left out.
    pub alarm: bool,
}

/// What the edition page shows above the stories.
pub struct Edition {
    /// Its round.
    pub round: u32,
    /// When it was published, in milliseconds since 1970 UTC.
    pub published_ms: u64,
    /// The press that signed it.
    pub press: String,
    /// SHA-256 of its signed head, in hex.
    pub head: String,
    /// SHA-256 of the directory it names, in hex.
    pub directory: String,
    /// Size of its whole front page as it is downloaded, in bytes.
    pub bytes: u64,
}

/// The status page's `main`.
pub fn status(status: &Status, zone: &Zone) -> Markup {
    let seconds = status.round_ms < 60_000;
    html! {
        div.narrow {
            p.kicker { (run(&status.network)) }
            h1 { "Status" }
            p.lead {
                "Every reader sends one envelope in every round. Each has the same size. Nearly all are cover: "
                "there is nothing in them. This page counts envelopes, and nothing else about them."
            }
        }
        div #live data-live=(status.path) data-every=(status.round_ms.clamp(2_000, 60_000)) {
            @if status.rounds.is_empty() {
                p.empty { "No round is over yet. The first takes " (under(status.round_ms)) "." }
            } @else {
                (alarms(status))
                (tallies(status))
                (chart(&status.rounds))
                (rounds(status, zone, seconds))
            }
            (log(&status.log))
        }
    }
}

/// The edition page's `main`.
pub fn edition(edition: &Edition, stories: &[Story], zone: &Zone) -> Markup {
    let articles: usize = stories.iter().map(|s| s.articles.len()).sum();
    html! {
        div.narrow {
            p.kicker { (zone.day(edition.published_ms)) }
            h1 { "Edition " (edition.round) }
            p.lead { "Every reader downloads these same bytes, whatever they read." }
            dl.facts {
                dt { "Signed by" } dd { (run(&edition.press)) }
                dt { "Published" } dd { (zone.clock(edition.published_ms, true)) }
                dt { "Holds" } dd { (stories.len()) " stories, " (articles) " articles" }
                dt { "Size" } dd { (thousands(edition.bytes)) " bytes" }
                dt { "Head" } dd { code { (edition.head) } }
                dt { "Directory" } dd { code { (edition.directory) } }
            }
        }
        h2 { "Stories" }
        @if stories.is_empty() { p.empty { "No stories yet. The press has not published any." } }
        ol.contents {
            @for story in stories {
                li {
                    h3 { (run(&story.title)) }
                    p.outlets-line {
                        @for (place, outlet) in outlets(story).into_iter().enumerate() {
                            @if place > 0 { " · " }
                            (run(outlet))
                        }
                    }
                }
            }
        }
    }
}

/// Who says in the newest round with a batch of theirs that messages are being left out.
fn alarms(status: &Status) -> Markup {
    let hops = status.rounds.iter().flat_map(|r| &r.batches).map(|b| b.hop).max().unwrap_or(0);
    let newest = |hop| status.rounds.iter().rev().flat_map(|r| &r.batches).find(|b| b.hop == hop);
    html! {
        @for hop in (1..=hops).filter(|&hop| newest(hop).is_some_and(|b| b.alarm)) {
            p.note role="alert" {
                "Mix " (hop) " says that messages are being left out: it misses its own in the drops. "
                "What was written in the last days may not have arrived."
            }
        }
    }
}

fn tallies(status: &Status) -> Markup {
    let newest = status.rounds.last();
    html! {
        dl.tallies {
            div { dt { "Newest round" } dd { (newest.map_or(0, |r| r.number)) } }
            div { dt { "Envelopes in it" } dd { (thousands(newest.map_or(0, |r| r.envelopes))) } }
            div { dt { "Slots in a desk drop" } dd { (status.slots.0) } }
            div { dt { "Slots in a reader drop" } dd { (status.slots.1) } }
        }
    }
}

/// What readers compare, and how much that is worth here.
fn log(log: &Log) -> Markup {
    html! {
        div.narrow {
            h2 { "The same for everyone" }
            @if log.quorum == 0 {
                p { "This demonstration has no witness: nothing here shows that everyone is shown the same." }
            } @else {
                p {
                    "Heads of editions and directories stand in one log. Readers take an edition only if "
                    (log.quorum) " of " (log.witnesses) @if log.witnesses == 1 { " witness has" } @else { " witnesses have" }
                    " co-signed the log with it in it, and they work the root out for themselves."
                }
                @if log.witnesses == 0 {
                    p.note role="alert" { "None is in office now: readers keep the edition that they have until one takes office." }
                }
                @if log.demonstration {
                    p {
                        "In this demonstration the witness runs on the same machine as the press. "
                        "It shows how the log works, and protects nobody from whoever runs the machine."
                    }
                }
            }
            @if let Some(checkpoint) = &log.checkpoint {
                dl.facts {
                    dt { "Leaves" } dd { (thousands(checkpoint.size)) }
                    @if log.quorum > 0 { dt { "Co-signed by" } dd { (checkpoint.cosigned) } }
                    dt { "Root" } dd { code { (checkpoint.root) } }
                }
            } @else {
                p.empty { "No checkpoint is co-signed yet." }
            }
        }
    }
}

fn rounds(status: &Status, zone: &Zone, seconds: bool) -> Markup {
    // A column of noughts would only raise questions.
    let any_shed = status.rounds.iter().any(|r| r.shed > 0);
    let hops = status.rounds.iter().flat_map(|r| &r.batches).map(|b| b.hop).max().unwrap_or(0);
    html! {
        h2 { "Rounds" }
        div.scroll tabindex="0" role="region" aria-label="Rounds, table" {
            table {
                thead {
                    tr {
                        th scope="col" { "Round" }
                        th scope="col" { "Began" }
                        th.number scope="col" { "Envelopes" }
                        @if any_shed { th.number scope="col" { "Shed" } }
                        @for hop in 1..=hops {
                            th.number scope="col" { @if hop == hops { "Exit" } @else { "Mix " (hop) } }
                        }
                        th scope="col" { "Drops" }
                    }
                }
                tbody {
                    @for round in status.rounds.iter().rev() {
                        tr {
                            th scope="row" { (round.number) }
                            td { (zone.clock(round.began_ms, seconds)) }
                            td.number { (thousands(round.envelopes)) }
                            @if any_shed { td.number { (thousands(round.shed)) } }
                            @for hop in 1..=hops { td.number { (hop_cell(round, hop)) } }
                            td { @if round.published { "published" } @else { "on their way" } }
                        }
                    }
                }
            }
        }
        @if any_shed {
            p.note { "Shed: sent by one address or relay beyond what is taken of one, and lost." }
        }
    }
}

/// "40 → 40" for each batch of the hop, or a dash while it has none.
fn hop_cell(round: &Round, hop: u8) -> Markup {
    let mut batches = round.batches.iter().filter(|b| b.hop == hop).peekable();
    html! {
        @if batches.peek().is_none() { "–" }
        @for batch in batches {
            @if batch.part > 0 { br; }
            (thousands(batch.taken)) " → " (thousands(batch.passed))
            @if batch.deleted > 0 { br; (thousands(batch.deleted)) " deleted" }
        }
    }
}

/// Bars: rounds on x, envelopes on y. The table below says the same in numbers.
fn chart(rounds: &[Round]) -> Markup {
    const HEIGHT: u64 = 150;
    const LEFT: u64 = 48;
    let top = nice_top(rounds.iter().map(|r| r.envelopes).max().unwrap_or(0));
    let step = (672 / rounds.len().max(1) as u64).clamp(6, 56);
    let width = LEFT + step * rounds.len() as u64;
    let every = rounds.len().div_ceil(8).max(1);
    html! {
        figure.chart {
            svg viewBox={ "0 0 " (width.max(240)) " 190" } role="img" aria-labelledby="chart-title" {
                title #chart-title {
                    "Envelopes per round, rounds " (rounds[0].number) " to " (rounds[rounds.len() - 1].number)
                    ". The table below has the numbers."
                }
                @for (part, of) in [(0, 2), (1, 2), (2, 2)] {
                    @let y = 10 + HEIGHT - HEIGHT * part / of;
                    line.rule x1=(LEFT) x2=(width) y1=(y) y2=(y) {}
                    text.tick x=(LEFT - 8) y=(y + 4) text-anchor="end" { (thousands(top * part / of)) }
                }
                @for (place, round) in rounds.iter().enumerate() {
                    @let x = LEFT + step * place as u64;
                    @let height = HEIGHT * round.envelopes / top;
                    rect.bar.done[round.published] x=(x + step / 8) y=(10 + HEIGHT - height)
                        width=(step - step / 4) height=(height) {}
                    @if place % every == 0 {
                        text.tick x=(x + step / 2) y="180" text-anchor="middle" { (round.number) }
                    }
                }
            }
            figcaption {
                span.key.done-key {} " drops published " span.key {} " on their way. Envelopes per round."
            }
        }
    }
}

/// An even, round number at or above the largest count: the top of the axis.
fn nice_top(most: u64) -> u64 {
    let mut unit = 1;
    loop {
        for lead in [2, 4, 6, 8, 10] {
            if lead * unit >= most {
                return lead * unit;
            }
        }
        unit *= 10;
    }
}

fn outlets(story: &Story) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for article in &story.articles {
        if !names.contains(&article.outlet.as_str()) {
            names.push(&article.outlet);
        }
    }
    names
}

/// 1234567 as "1,234,567".
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_rounds(count: u32) -> Vec<Round> {
        (0..count)
            .map(|number| Round {
                number,
                began_ms: 1_795_000_000_000 + u64::from(number) * 5_000,
                envelopes: 40 + u64::from(number % 3),
                shed: 0,
                batches: vec![
                    Batch { hop: 1, part: 0, taken: 41, passed: 40, deleted: 3, alarm: false },
                    Batch { hop: 3, part: 0, taken: 40, passed: 32, deleted: 0, alarm: false },
                ],
                published: number + 2 < count,
            })
            .collect()
    }

    fn demonstrated() -> Log {
        let checkpoint = Checkpoint { size: 1_203, root: "5f1c".into(), cosigned: 1 };
        Log { witnesses: 1, quorum: 1, demonstration: true, checkpoint: Some(checkpoint) }
    }

    #[test]
    fn the_page_says_how_many_witnesses_there_are_and_what_they_are_worth() {
        let said = |log: Log| super::log(&log).into_string();
        let demo = said(demonstrated());
        assert!(demo.contains("1 of 1 witness has co-signed") && demo.contains("protects nobody"), "{demo}");
        assert!(demo.contains("1,203") && demo.contains("5f1c"));
        let real = said(Log { witnesses: 5, quorum: 4, demonstration: false, checkpoint: None });
        assert!(real.contains("4 of 5 witnesses have") && !real.contains("protects nobody"), "{real}");
        assert!(real.contains("No checkpoint") && !real.contains("in office"), "{real}");
        let to_come = said(Log { witnesses: 0, quorum: 2, ..demonstrated() });
        assert!(to_come.contains("None is in office now"), "{to_come}");
        let none = said(Log { witnesses: 0, quorum: 0, demonstration: true, checkpoint: None });
        assert!(none.contains("no witness") && !none.contains("Readers take"), "{none}");
    }

    #[test]
    fn a_mix_that_misses_its_decoys_is_said_until_it_finds_them_again() {
        let shown = |alarm: [bool; 2]| {
            let mut rounds = some_rounds(2);
            for (round, alarm) in rounds.iter_mut().zip(alarm) {
                round.batches[0].alarm = alarm;
            }
            let status = Status {
                path: "/",
                network: "Vale".into(),
                round_ms: 5_000,
                rounds,
                slots: (16, 16),
                log: demonstrated(),
            };
            super::status(&status, &Zone::utc()).into_string()
        };
        assert!(shown([false, true]).contains("Mix 1 says that messages are being left out"));
        for over in [[true, false], [false, false]] {
            assert!(!shown(over).contains("left out"));
        }
    }

    #[test]
    fn a_bar_and_a_row_for_each_round() {
        let shown = status(
            &Status {
                path: "/",
                network: "Vale".into(),
                round_ms: 5_000,
                rounds: some_rounds(24),
                slots: (16, 16),
                log: demonstrated(),
            },
            &Zone::utc(),
        )
        .into_string();
        assert_eq!(shown.matches("<rect").count(), 24);
        assert_eq!(shown.matches("scope=\"row\"").count(), 24);
        assert_eq!(shown.matches("on their way</td>").count(), 2);
        assert!(
            shown.contains("41 → 40")
                && shown.contains(">Exit<")
                && shown.contains("<td class=\"number\">–</td>")
        );
    }

    #[test]
    fn empty_network_has_a_page() {
        let shown = status(
            &Status {
                path: "/",
                network: "Vale".into(),
                round_ms: 5_000,
                rounds: vec![],
                slots: (16, 16),
                log: demonstrated(),
            },
            &Zone::utc(),
        );
        assert!(shown.into_string().contains("The first takes under 6 seconds."));
    }

    #[test]
    fn axis_reaches_the_most() {
        for (most, top) in [(0, 2), (3, 4), (41, 60), (100, 100), (100_001, 200_000)] {
            assert_eq!(nice_top(most), top);
        }
        let odd = Round {
            number: 1,
            began_ms: 0,
            envelopes: u64::MAX / 400,
            shed: 0,
            batches: vec![],
            published: false,
        };
        let _ = chart(&[odd]);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([thousands(7), thousands(1_000), thousands(1_234_567)], ["7", "1,000", "1,234,567"]);
    }
}
