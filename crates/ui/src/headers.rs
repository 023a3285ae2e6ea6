//! Security headers, the same on every answer.

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    middleware::map_response,
    response::Response,
};

/// What a page may load: our own stylesheet, module and pictures. Inline styles and scripts never run, so an article
/// that slipped through escaping would still show letters.
pub const CSP: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `same-origin` and not `no-referrer`: under the latter a browser sends `Origin: null` with our own forms, and the
/// guard could no longer tell them from a stranger's. Either way no other host is told anything.
const STRICT: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, CSP),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), clipboard-read=(), display-capture=(), payment=(), usb=(), \
         browsing-topics=()",
    ),
];

/// Adds the strict headers to every answer of the router, its errors and fallback included. An answer that does not say how long it
/// may be kept is not kept.
pub fn strict<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(map_response(add_strict))
}

/// Forbids keeping any answer of the router, in caches and for the back button. Goes around whatever is private;
/// assets stay outside.
pub fn no_store<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router.layer(map_response(add_no_store))
}

async fn add_strict(mut response: Response) -> Response {
    for (name, value) in STRICT {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    // An asset that is not there, too: which path was asked for is nobody's to find later.
    let kept = response.headers_mut().entry(header::CACHE_CONTROL);
    kept.or_insert(HeaderValue::from_static("no-store"));
    response
}

async fn add_no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn on_every_answer_also_errors() {
        let router = strict(no_store(Router::<()>::new().route("/", get(|| async { "hello" }))));
        for path in ["/", "/missing"] {
            let response =
                router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            let headers = response.headers();
            assert_eq!(headers["content-security-policy"], CSP, "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["cross-origin-opener-policy"], "same-origin");
            assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
            assert_eq!(headers["cache-control"], "no-store");
        }
    }

    #[tokio::test]
    async fn only_what_says_so_is_kept() {
        let router = strict(crate::assets::router::<()>());
        for (path, status, kept) in [
            (crate::assets::css(), 200, "public, max-age=31536000, immutable"),
            ("/assets/missing", 404, "no-store"),
            ("/assets/%FF", 400, "no-store"),
            ("/missing", 404, "no-store"),
        ] {
            let answer =
                router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert_eq!(answer.headers()["cache-control"], kept, "{path}");
        }
    }

    #[test]
    fn policy_allows_nothing_inline_and_no_other_host() {
        assert!(
            !CSP.contains("unsafe") && !CSP.contains("http") && !CSP.contains('*') && !CSP.contains("data:")
        );
        assert!(!CSP.contains("  "));
    }
}
