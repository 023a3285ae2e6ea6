//! The one stylesheet, the one ES module and the icon, embedded in the program.
//!
//! Each path carries a hash of its content, so a browser may keep the file for good and a new build is never shown
//! with old styles. All pages use the same files, the private area too: what a browser keeps says nothing about
//! which pages were opened.

use std::sync::LazyLock;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

const CSS: &str = concat!(include_str!("../assets/firsthand.css"), include_str!("../assets/story.css"));
const JS: &str = include_str!("../assets/firsthand.js");
const ICON: &str = include_str!("../assets/firsthand.svg");

/// Where the files are served, and nothing else: the guard lets requests below this path pass without a session.
pub const PREFIX: &str = "/assets/";

static PATHS: LazyLock<[String; 3]> = LazyLock::new(|| {
    [
        format!("{PREFIX}firsthand-{:016x}.css", fnv(CSS.as_bytes())),
        format!("{PREFIX}firsthand-{:016x}.js", fnv(JS.as_bytes())),
        format!("{PREFIX}firsthand-{:016x}.svg", fnv(ICON.as_bytes())),
    ]
});

/// The stylesheet's path.
pub fn css() -> &'static str {
    &PATHS[0]
}

/// The module's path.
pub fn js() -> &'static str {
    &PATHS[1]
}

/// The icon's path.
pub fn icon() -> &'static str {
    &PATHS[2]
}

/// Serves the three files; merge it into every service that shows pages.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{name}", get(serve))
}

async fn serve(Path(name): Path<String>) -> Response {
    let files = [
        (css(), "text/css; charset=utf-8", CSS),
        (js(), "text/javascript; charset=utf-8", JS),
        (icon(), "image/svg+xml", ICON),
    ];
    for (path, media, content) in files {
        if path.strip_prefix(PREFIX) == Some(name.as_str()) {
            let kept = "public, max-age=31536000, immutable";
            return ([(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, kept)], content).into_response();
        }
    }
    StatusCode::NOT_FOUND.into_response()
}

/// FNV-1a, 64 bits. It names a version of our own file and guards nothing, so no cryptographic hash is needed.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;

    use super::*;

    #[test]
    fn module_stays_small_and_nothing_points_outside() {
        assert!(JS.len() < 10_000, "{} bytes", JS.len());
        for file in [CSS, JS] {
            assert!(!file.contains("http:") && !file.contains("https:") && !file.contains("@import"));
        }
        assert!(!ICON.replace("http://www.w3.org/2000/svg", "").contains("http"));
    }

    #[test]
    fn module_keeps_nothing() {
        for store in [
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "serviceWorker",
            "pushState",
            "replaceState",
            "eval(",
        ] {
            assert!(!JS.contains(store), "{store}");
        }
    }

    #[tokio::test]
    async fn served_by_content_hash_only() {
        for (path, status) in [(css(), 200), (js(), 200), (icon(), 200), ("/assets/firsthand.css", 404)] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let response = router::<()>().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
        }
    }
}
