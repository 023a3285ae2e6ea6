//! Every part of a page with made-up data, to look at while changing styles:
//! `cargo run -p ui --example gallery -- 127.0.0.1:4400`, then `/`, `/found`, `/story`, `/alone`, `/status`, `/edition`.

mod bridge;

use axum::{Router, http::header, response::IntoResponse, routing::get};
use maud::{Markup, html};
use proto::analysis::Analysis;
use proto::story::{Article, ArticleId, Block, Extent, Grain, Media, Picture, Story, StoryId, When};
use ui::{Frame, Link, Zone, assets, headers, page, status, story};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:4400".into());
    let router = Router::new()
        .route("/", get(|| async { frame("Front page", "", front()) }))
        .route(
            "/found",
            get(|| async { frame("Story", "", story::story(&bridge::story(), &Zone::utc(), &under())) }),
        )
        .route(
            "/story",
            get(|| async { frame("Story", "", story::story(&stories()[0], &Zone::utc(), &under())) }),
        )
        .route(
            "/alone",
            get(|| async { frame("Story", "", story::story(&stories()[3], &Zone::utc(), &under())) }),
        )
        .route(
            "/status",
            get(|| async { frame("Status", "Status", status::status(&rounds(24), &Zone::utc())) }),
        )
        .route("/edition", get(|| async { frame("Edition", "Edition", edition()) }))
        .route("/pictures/{id}", get(picture))
        .merge(assets::router());
    let listener = tokio::net::TcpListener::bind(&address).await?;
    println!("http://{address}/");
    axum::serve(listener, headers::strict(router)).await
}

fn frame(title: &str, place: &str, main: Markup) -> Markup {
    let nav = [Link::new("/", "Front page", true), Link::new("/story", "Contact the newsroom", false)];
    page(Frame { title, place, nav: &nav, banner: Some(ui::page::DEMONSTRATION), main, ..Frame::default() })
}

fn front() -> Markup {
    html! {
        h1.page-title { "Front page" }
        p.dateline {
            span { (Zone::utc().day(1_795_334_400_000)) }
            span { "Valeport Network" }
            span.good { "verified" }
            span { "Edition of 06:00, round 412" }
        }
        (story::front(&stories(), &Zone::utc()))
    }
}

fn under() -> Markup {
    html! { p { a href="/forms" { "Contact the newsroom" } } }
}

fn stories() -> Vec<Story> {
    const TITLES: [&str; 8] = [
        "Ferries stay in harbour as the north quay is closed for a third day",
        "Council votes to keep night trams until spring",
        "Reservoir at Upper Hallen falls below a third",
        "Rovers hold on in the rain to win by four runs",
        "School roof survey finds eleven more halls with the same beams",
        "A recording, two ministers and an unpaid bridge",
        "Orchard growers ask for an earlier frost line",
        "Solar field at Marrow Flats passes its first winter test",
    ];
    TITLES
        .iter()
        .enumerate()
        .map(|(number, title)| Story {
            id: StoryId([number as u8; 16]),
            title: (*title).into(),
            articles: (0..[9, 4, 2, 1, 6, 3, 1, 2][number])
                .map(|part| article(number as u8, part, title))
                .collect(),
            analysis: Analysis::default(),
        })
        .collect()
}

fn article(story: u8, part: u8, title: &str) -> Article {
    const OUTLETS: [&str; 9] = [
        "Northline Agency",
        "The Harbour Courier",
        "Vale Radio",
        "Hallen Evening Post",
        "Marrow Broadcasting",
        "The Ledger Weekly",
        "Coast and County",
        "Quayside Notes",
        "Upper Hallen Gazette",
    ];
    let words = "The harbour office said on Thursday that the north quay would stay closed until divers had looked at \
         every pile below the water line. Two of the forty piles moved in the storm of last week. Nobody was hurt, and \
         the crossing to the islands goes from the coal pier, with one sailing in three.";
    let heading = Block::Heading("What is known".into());
    let quote = Block::Paragraph("“We would rather be slow than sorry,” the harbour master said.".into());
    let grain = if part == 5 { Grain::Day } else { Grain::Minute };
    let picture = Picture {
        media: Media::Png,
        width: 640,
        height: 360,
        alt: "The north quay".into(),
        credit: Some("Coast and County".into()),
        bytes: vec![],
    };
    Article {
        id: ArticleId([story * 16 + part; 16]),
        outlet: OUTLETS[usize::from(part)].into(),
        title: if part == 0 { title.into() } else { format!("{title}, says the harbour office") },
        byline: (part % 3 != 1).then(|| "Ines Vall and Tom Arkwright".into()),
        published: (part != 4).then_some(When { unix: 1_795_330_000 - i64::from(part) * 3_700, grain }),
        url: Some(
            "https://harbour-courier.example/2026/11/north-quay-closed-for-a-third-day-divers-to-look".into(),
        ),
        body: (0..2 + part % 4)
            .flat_map(|n| {
                [Block::Paragraph(words.into()), if n == 1 { heading.clone() } else { quote.clone() }]
            })
            .collect(),
        picture: (part == 0 && story.is_multiple_of(3)).then_some(picture),
        credit: None,
        extent: Extent::Whole,
        opinion: None,
    }
}

fn rounds(count: u32) -> status::Status {
    let rounds = (0..count)
        .map(|n| status::Round {
            shed: 0,
            number: 388 + n,
            began_ms: 1_795_334_400_000 + u64::from(n) * 5_000,
            envelopes: 41 + u64::from(n * 7 % 5),
            batches: (1..=3)
                .filter(|hop| n + u32::from(*hop) <= count)
                .map(|hop| status::Batch {
                    hop,
                    part: 0,
                    taken: 42,
                    passed: if hop == 3 { 32 } else { 42 },
                    deleted: 0,
                    alarm: false,
                })
                .collect(),
            published: n + 3 < count,
        })
        .collect();
    status::Status {
        path: "/status",
        network: "Valeport Network".into(),
        round_ms: 5_000,
        rounds,
        slots: (16, 16),
        log: status::Log {
            witnesses: 5,
            quorum: 4,
            demonstration: false,
            checkpoint: Some(status::Checkpoint { size: 431, root: "5f".repeat(32), cosigned: 5 }),
        },
    }
}

fn edition() -> Markup {
    let facts = status::Edition {
        round: 412,
        published_ms: 1_795_334_400_000,
        press: "Valeport Press".into(),
        head: "6f".repeat(32),
        directory: "a0".repeat(32),
        bytes: 48_213,
    };
    status::edition(&facts, &stories(), &Zone::utc())
}

async fn picture() -> impl IntoResponse {
    let drawn = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 360'>\
        <rect width='640' height='360' fill='#a9c8cf'/>\
        <path d='M0 250h640v110H0z' fill='#2d6370'/>\
        <path d='M180 250l30-60h230l50 60z' fill='#e8e2d2'/>\
        <circle cx='520' cy='80' r='34' fill='#f3d9a4'/></svg>";
    ([(header::CONTENT_TYPE, "image/svg+xml")], drawn)
}
