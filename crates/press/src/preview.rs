//! Pages of what an edition made now would show, for the operator's browser on this machine alone.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use proto::story::{Article, Story};
use rand::CryptoRng;
use ui::{Frame, Guard, Link, Zone, assets, headers, page, story, text};

use crate::gather::Gather;
use crate::outlets::Rights;
use crate::publish::{FRONT_PAGE, front_page};

/// Above every page.
const BANNER: &str = "Preview: what an edition made now would show. Nothing of it is published.";

struct Shown {
    stories: Vec<Story>,
    /// Of each story, its outlets with what may be carried of them.
    rights: Vec<Vec<(String, Rights)>>,
    left_out: Vec<String>,
    guard: Arc<Guard>,
    zone: Zone,
}

/// The pages of what was gathered, behind the guard, and the link that opens them, once.
pub fn pages(gather: &Gather, address: SocketAddr, rng: &mut impl CryptoRng) -> (Router, String) {
    let (guard, link) = Guard::new(address, "firsthand press preview", rng);
    let stories = front_page(gather.newest(FRONT_PAGE)).stories;
    let of = |article: &Article| (article.outlet.clone(), gather.rights(article.id));
    let rights = stories.iter().map(|story| story.articles.iter().map(of).collect()).collect();
    let left_out = gather.left_out().to_vec();
    let shown = Shown { stories, rights, left_out, guard: Arc::clone(&guard), zone: Zone::system() };
    let pages = Router::new()
        .route("/", get(front))
        .route("/left-out", get(left))
        .route("/stories/{id}", get(one))
        .route("/pictures/{id}", get(picture))
        .fallback(missing)
        .with_state(Arc::new(shown));
    (headers::strict(guard.around(headers::no_store(pages).merge(assets::router()))), link)
}

fn frame(shown: &Shown, here: &str, title: &str, main: Markup) -> Markup {
    let nav =
        [Link::new("/", "Front page", here == "/"), Link::new("/left-out", "Left out", here == "/left-out")];
    let run = Some(shown.guard.run());
    page(Frame { title, place: "Preview", nav: &nav, banner: Some(BANNER), run, main, ..Frame::default() })
}

async fn front(State(shown): State<Arc<Shown>>) -> Markup {
    let articles: usize = shown.stories.iter().map(|story| story.articles.len()).sum();
    let main = html! {
        h1.page-title { "Front page" }
        p.dateline { span { (shown.stories.len()) " stories" } span { (articles) " articles" } }
        @if shown.stories.is_empty() {
            p.empty { "Nothing was gathered yet. Add outlets with " code { "firsthand press add" } ", or start this with " code { "--fetch" } "." }
        }
        (story::front(&shown.stories, &shown.zone))
    };
    frame(&shown, "/", "Front page", main)
}

async fn left(State(shown): State<Arc<Shown>>) -> Markup {
    let main = html! {
        h1.page-title { "Left out" }
        @if shown.left_out.is_empty() { p { "Nothing was left out." } }
        @else { ul { @for line in &shown.left_out { li { (text::run(line)) } } } }
    };
    frame(&shown, "/left-out", "Left out", main)
}

async fn one(State(shown): State<Arc<Shown>>, Path(id): Path<String>) -> Response {
    let id = story::parse_id(&id);
    let Some(at) = shown.stories.iter().position(|story| Some(story.id.0) == id) else {
        return missing(State(shown)).await.into_response();
    };
    let it = &shown.stories[at];
    let main = html! {
        (story::story(it, &shown.zone, &html! {}))
        section aria-label="What may be carried" {
            h2 { "What may be carried" }
            ul { @for (outlet, rights) in &shown.rights[at] { li { (text::run(outlet)) ": " (rights.note()) "." } } }
        }
    };
    frame(&shown, "", &it.title, main).into_response()
}

async fn picture(State(shown): State<Arc<Shown>>, Path(id): Path<String>) -> Response {
    let id = story::parse_id(&id);
    let mut articles = shown.stories.iter().flat_map(|story| &story.articles);
    match articles.find(|article| Some(article.id.0) == id).and_then(|article| article.picture.as_ref()) {
        Some(picture) => ([(header::CONTENT_TYPE, story::media_type(picture.media))], picture.bytes.clone())
            .into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn missing(State(shown): State<Arc<Shown>>) -> (StatusCode, Markup) {
    let main = html! {
        h1 { "There is no such page" }
        p { "The story may have changed since. Go back to the " a href="/" { "front page" } "." }
    };
    (StatusCode::NOT_FOUND, frame(&shown, "", "No such page", main))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use tower::ServiceExt as _;

    use super::*;
    use crate::gather::Inputs;

    /// 2026-11-26, half past nine.
    const NOW: proto::Millis = proto::Millis(1_795_685_400_000);

    #[tokio::test]
    async fn front_page_and_stories_are_shown_as_text_and_to_the_operator_alone() {
        let dir = tempfile::tempdir().unwrap();
        let text = "Spring tide closes <b>the lower quay</b>\n\nThe lower quay was closed on Monday <script>alert(1)</script> after the spring \
                    tide rose above its wall, the harbour master said. It will open again.\n";
        std::fs::write(dir.path().join("a.txt"), text).unwrap();
        std::fs::write(dir.path().join("b.txt"), "").unwrap();
        let inputs = Inputs { folders: vec![dir.path().to_owned()], ..Inputs::default() };
        let mut gather = Gather::new(inputs, None).unwrap();
        gather.recall(NOW).unwrap();
        let address: SocketAddr = ([127, 0, 0, 1], 4000).into();
        let (pages, link) = pages(&gather, address, &mut StdRng::seed_from_u64(7));
        let follow = async |link: &str| {
            let (host, path) = link.strip_prefix("http://").unwrap().split_once('/').unwrap();
            let request = Request::get(format!("/{path}")).header("host", host);
            pages.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
        };
        let on = follow(&link).await.headers()["location"].to_str().unwrap().to_owned();
        let host = on.strip_prefix("http://").unwrap().split_once('/').unwrap().0;
        let ask = async |path: &str, cookie: &str| {
            let request = Request::get(path).header("host", host).header("cookie", cookie);
            let answer = pages.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let (head, body) = answer.into_parts();
            let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            (head, String::from_utf8(bytes.to_vec()).unwrap())
        };
        assert_eq!(ask("/", "").await.0.status, StatusCode::FORBIDDEN);
        let welcome = follow(&on).await;
        let cookie = welcome.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let (head, front) = ask("/", &cookie).await;
        assert_eq!(head.headers["content-security-policy"], headers::CSP);
        assert!(front.contains(BANNER) && front.contains("<span>1 articles</span>"), "{front}");
        let story = format!("/stories/{}", hex::encode(gather.stories()[0].id.0));
        assert!(front.contains(&story));
        let (_, story) = ask(&story, &cookie).await;
        assert!(story.contains("&lt;script&gt;") && !story.contains("<script>alert"));
        assert!(story.contains(Rights::Quoted.note()) && story.matches("<h1").count() == 1);
        let (_, left_out) = ask("/left-out", &cookie).await;
        assert!(left_out.contains("b.txt: it is empty"), "{left_out}");
        for none in ["/stories/00", "/nowhere"] {
            assert_eq!(ask(none, &cookie).await.0.status, StatusCode::NOT_FOUND, "{none}");
        }
    }
}
