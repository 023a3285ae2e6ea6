use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::*;

/// 2026-11-26, half past nine.
const NOW: Millis = Millis(1_795_685_400_000);

/// A web server on this machine that answers each request by its head, each on a thread of its own. It notes the heads.
struct Site {
    at: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Site {
    fn new(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let (heads, answer) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(answer));
        let noted = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, heads, answer) = (stream.unwrap(), Arc::clone(&noted), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut head = Vec::new();
                    let mut byte = [0];
                    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                        head.push(byte[0]);
                    }
                    let head = String::from_utf8_lossy(&head).into_owned();
                    heads.lock().unwrap().push(head.clone());
                    // A client that has read enough hangs up.
                    let _ = stream.write_all(&answer(&head));
                });
            }
        });
        Self { at, heads }
    }

    fn paths(&self) -> Vec<String> {
        let heads = self.heads.lock().unwrap();
        heads.iter().map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned()).collect()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.at)
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn manners() -> Manners {
    Manners { private: true, pause: Duration::ZERO, patience: Duration::from_secs(5), ..Manners::default() }
}

fn fetcher() -> Fetcher {
    Fetcher::new(manners(), Memory::open(None).unwrap())
}

async fn refused(site: &Site, path: &str, want: Want) -> String {
    let fetcher = fetcher();
    let why = fetcher.get(&site.url(path), want, NOW).await.unwrap_err().to_string();
    assert_eq!(fetcher.memory().health(&site.url(path)).unwrap().why, Some(why.clone()));
    why
}

#[tokio::test]
async fn what_is_known_is_not_fetched_again_also_after_a_restart() {
    let site = Site::new(|head| match head.contains("if-none-match: \"one\"") {
        true => answer("304 Not Modified", "", b""),
        false => {
            answer("200 OK", "etag: \"one\"\r\nlast-modified: Tue, 03 Nov 2026 09:30:00 GMT\r\n", b"words")
        }
    });
    let dir = tempfile::tempdir().unwrap();
    let start = || Fetcher::new(manners(), Memory::open(Some(&dir.path().join("o.db"))).unwrap());
    let (url, first) = (site.url("/feed"), start());
    let Answer::New(kept) = first.get(&url, Want::Named, NOW).await.unwrap() else { panic!("new") };
    assert_eq!((kept.bytes.as_slice(), kept.at.as_str()), (b"words".as_slice(), url.as_str()));
    drop(first);
    let again = start();
    assert!(!again.is_due(&url, NOW).unwrap() && again.is_due(&url, NOW.plus(6 * MINUTE)).unwrap());
    assert_eq!(again.get(&url, Want::Named, NOW.plus(6 * MINUTE)).await.unwrap(), Answer::Same);
    assert_eq!(again.memory().kept(&url).unwrap().unwrap(), kept);
    let heads = site.heads.lock().unwrap();
    assert!(heads[1].contains("if-modified-since: Tue, 03 Nov 2026 09:30:00 GMT"), "{}", heads[1]);
    assert!(heads[0].contains("user-agent: Firsthand/") && heads[0].contains("accept-encoding: gzip\r\n"));
}

#[tokio::test]
async fn the_same_from_a_server_that_knows_no_conditions_is_the_same() {
    let site = Site::new(|_| answer("200 OK", "", b"words"));
    let fetcher = fetcher();
    assert!(matches!(fetcher.get(&site.url("/"), Want::Named, NOW).await.unwrap(), Answer::New(_)));
    assert_eq!(fetcher.get(&site.url("/"), Want::Named, NOW.plus(DAY)).await.unwrap(), Answer::Same);
    assert_eq!(fetcher.memory().came(&site.url("/")).unwrap(), Some(NOW), "what is the same came then");
}

#[tokio::test]
async fn a_new_etag_of_the_same_words_is_given_back_the_next_time() {
    let asked = Arc::new(AtomicUsize::new(0));
    let site = Site::new(move |_| {
        answer("200 OK", &format!("etag: \"{}\"\r\n", asked.fetch_add(1, SeqCst)), b"words")
    });
    let fetcher = fetcher();
    for _ in 0..3 {
        fetcher.get(&site.url("/"), Want::Named, NOW).await.unwrap();
    }
    let heads = site.heads.lock().unwrap();
    assert!(heads[1].contains("if-none-match: \"0\"") && heads[2].contains("if-none-match: \"1\""));
}

#[tokio::test]
async fn redirects_are_followed_and_those_for_good_remembered() {
    let site = Site::new(|head| match path(head) {
        "/old" => answer("301 Moved Permanently", "location: /new\r\n", b""),
        "/new" => answer("308 Permanent Redirect", "location: /newest#top\r\n", b""),
        "/today" => answer("302 Found", "location: /newest\r\n", b""),
        "/lost" => answer("302 Found", "", b""),
        "/file" => answer("302 Found", "location: file:///etc/passwd\r\n", b""),
        "/round" => answer("302 Found", "location: /round\r\n", b""),
        _ => answer("200 OK", "", b"words"),
    });
    let fetcher = fetcher();
    for round in 0..2 {
        for from in ["/old", "/today"] {
            let got = fetcher.get(&site.url(from), Want::Named, NOW).await.unwrap();
            assert_eq!(matches!(got, Answer::New(_)), round == 0, "{from}");
        }
    }
    assert_eq!(
        site.paths(),
        ["/old", "/new", "/newest", "/today", "/newest", "/newest", "/today", "/newest"]
    );
    assert_eq!(refused(&site, "/lost", Want::Named).await, "it leads elsewhere and does not say where");
    assert!(
        refused(&site, "/file", Want::Named)
            .await
            .starts_with("it leads elsewhere, and from there nothing is fetched")
    );
    assert!(refused(&site, "/round", Want::Named).await.contains("after 5 redirects it was given up"));
}

#[tokio::test]
async fn a_place_that_was_moved_to_and_fails_is_forgotten() {
    let moved = Arc::new(AtomicUsize::new(0));
    let step = Arc::clone(&moved);
    let site = Site::new(move |head| match (path(head), step.load(SeqCst)) {
        ("/old", 0) => answer("301 Moved Permanently", "location: /new\r\n", b""),
        ("/new", 1) => answer("404 Not Found", "", b""),
        _ => answer("200 OK", "", b"words"),
    });
    let (fetcher, url) = (fetcher(), site.url("/old"));
    fetcher.get(&url, Want::Named, NOW).await.unwrap();
    moved.store(1, SeqCst);
    assert!(fetcher.get(&url, Want::Named, NOW).await.is_err());
    fetcher.get(&url, Want::Named, NOW).await.unwrap();
    assert_eq!(site.paths(), ["/old", "/new", "/new", "/old"]);
}

#[tokio::test]
async fn nothing_inside_is_asked_not_even_by_a_redirect() {
    let site = Site::new(|_| answer("200 OK", "", b"secret"));
    let careful = Fetcher::new(Manners::default(), Memory::open(None).unwrap());
    for inside in
        [site.url("/"), site.at.replace("127.0.0.1", "localhost"), site.at.replace("127.0.0.1", "[::1]")]
    {
        let why = careful.get(&inside, Want::Named, NOW).await.unwrap_err();
        assert!(matches!(why, FetchError::Address(AddressRefused::Private(_))), "{why}");
        // It was not asked, so it may be as soon as the configuration says so.
        assert!(careful.is_due(&inside, NOW).unwrap());
        // Others had waited longer: what leads here after a while cannot be the first in every round.
        assert_eq!(careful.memory().health(&inside).unwrap().next, Some(NOW));
    }
    assert_eq!(site.paths().len(), 0);
    let url = Url::parse("http://169.254.169.254/latest").unwrap();
    let refused = address::check_url(&url, false).map_err(FetchError::Redirect).unwrap_err().to_string();
    assert!(refused.contains("169.254.169.254") && refused.contains("private_addresses = true"), "{refused}");
}

#[tokio::test]
async fn what_is_too_large_packed_or_not_is_given_up() {
    let site = Site::new(|head| match path(head) {
        "/said" => b"HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n".to_vec(),
        "/endless" => {
            let piece = [b"100000\r\n".as_slice(), &vec![b'a'; 1 << 20], b"\r\n"].concat();
            [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec(), piece.repeat(50)].concat()
        }
        "/bomb" => {
            let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            gz.write_all(&vec![0; 64 << 20]).unwrap();
            answer("200 OK", "content-encoding: gzip\r\n", &gz.finish().unwrap())
        }
        "/brotli" => answer("200 OK", "content-encoding: br\r\n", b"x"),
        _ => answer("200 OK", "content-encoding: gzip\r\n", b"no gzip at all"),
    });
    for large in ["/said", "/endless", "/bomb"] {
        assert_eq!(
            refused(&site, large, Want::Named).await,
            "it is larger than 8 MB unpacked, and no more is read"
        );
    }
    assert!(refused(&site, "/brotli", Want::Named).await.contains("packed as \"br\""));
    assert!(refused(&site, "/damaged", Want::Named).await.contains("damaged"));
}

#[tokio::test]
async fn who_does_not_answer_or_drips_is_given_up() {
    let silent = Site::new(|_| {
        std::thread::sleep(Duration::from_secs(3));
        vec![]
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let drips = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".as_slice();
        let mut bytes = head.iter().chain(std::iter::repeat(&b'a'));
        while bytes.by_ref().next().is_some_and(|byte| stream.write_all(&[*byte]).is_ok()) {
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let patience = Duration::from_millis(400);
    let hasty = Fetcher::new(Manners { patience, ..manners() }, Memory::open(None).unwrap());
    for url in [silent.url("/"), drips] {
        let why = hasty.get(&url, Want::Named, NOW).await.unwrap_err();
        assert!(matches!(why, FetchError::TimedOut(_)), "{why}");
    }
    let nobody = hasty.get("http://127.0.0.1:1/", Want::Named, NOW).await.unwrap_err();
    assert!(matches!(nobody, FetchError::Unreachable(_)), "{nobody}");
}

#[tokio::test]
async fn when_the_time_is_over_nobody_is_asked_and_who_led_on_has_failed() {
    let site = Site::new(|head| match path(head) {
        leads if leads.starts_with("/leads") => {
            std::thread::sleep(Duration::from_millis(2_200));
            answer("302 Found", "location: /there\r\n", b"")
        }
        _ => answer("200 OK", "", b"words"),
    });
    let fetcher = fetcher();
    for want in [Want::Named, Want::Page] {
        let over = Moment { now: NOW, until: Some(Instant::now()) };
        let why = fetcher.get(&site.url("/feed"), want, over).await.unwrap_err();
        assert!(matches!(why, FetchError::NoTime), "{why}");
    }
    assert!(site.paths().is_empty());
    assert_eq!(fetcher.memory().health(&site.url("/feed")).unwrap(), Health::default());
    assert!(
        fetcher.get(&site.url("/feed"), Want::Page, NOW).await.is_ok(),
        "nothing is noted of the site's rules"
    );

    for (path, want) in [("/leads?1", Want::Named), ("/leads?2", Want::Page)] {
        let soon = Moment { now: NOW, until: Some(Instant::now() + Duration::from_secs(2)) };
        let why = fetcher.get(&site.url(path), want, soon).await.unwrap_err();
        assert!(matches!(why, FetchError::Late), "{why}");
        assert!(!fetcher.is_due(&site.url(path), NOW).unwrap());
    }
    assert_eq!(site.paths(), ["/robots.txt", "/feed", "/leads?1", "/leads?2"]);
}

#[tokio::test]
async fn pages_that_a_site_keeps_back_are_not_fetched() {
    let site = Site::new(|head| match path(head) {
        "/robots.txt" => answer("200 OK", "", b"User-agent: firsthand\nDisallow: /private\n"),
        "/led" => answer("302 Found", "location: /private/2\r\n", b""),
        _ => answer("200 OK", "", b"words"),
    });
    let fetcher = fetcher();
    for (path, may) in [("/open", true), ("/private/1", false), ("/led", false)] {
        let got = fetcher.get(&site.url(path), Want::Page, NOW).await;
        assert_eq!(got.is_ok(), may, "{path}");
        assert!(may || matches!(got, Err(FetchError::Robots)));
    }
    assert!(
        fetcher.get(&site.url("/private/feed"), Want::Named, NOW).await.is_ok(),
        "feeds are for programs"
    );
    assert_eq!(site.paths(), ["/robots.txt", "/open", "/led", "/private/feed"]);
    // Asked once a day.
    fetcher.get(&site.url("/open"), Want::Page, NOW.plus(DAY)).await.unwrap();
    assert_eq!(site.paths()[4..], ["/robots.txt", "/open"]);
}

#[tokio::test]
async fn a_site_that_cannot_say_its_rules_is_left_alone_and_one_without_is_open() {
    let broken = Site::new(|head| match path(head) {
        "/robots.txt" => answer("500 Internal Server Error", "", b""),
        _ => answer("200 OK", "", b"words"),
    });
    assert!(refused(&broken, "/page", Want::Page).await.contains("robots.txt"));
    let without = Site::new(|head| match path(head) {
        "/robots.txt" => answer("404 Not Found", "", b""),
        _ => answer("200 OK", "", b"words"),
    });
    assert!(fetcher().get(&without.url("/page"), Want::Page, NOW).await.is_ok());
}

#[tokio::test]
async fn who_fails_is_asked_less_and_less_and_who_says_when_is_asked_then() {
    let site = Site::new(|head| match path(head) {
        "/busy" => answer("429 Too Many Requests", "retry-after: 7200\r\n", b""),
        "/moment" => answer("503 Service Unavailable", "retry-after: Thu, 26 Nov 2026 12:30:00 GMT\r\n", b""),
        "/years" => answer("503 Service Unavailable", "retry-after: 999999999999\r\n", b""),
        "/gone" => answer("410 Gone", "", b""),
        _ => answer("404 Not Found", "", b""),
    });
    let fetcher = fetcher();
    let mut now = NOW;
    let mut waits = Vec::new();
    for _ in 0..11 {
        fetcher.get(&site.url("/none"), Want::Named, now).await.unwrap_err();
        let health = fetcher.memory().health(&site.url("/none")).unwrap();
        waits.push((health.next.unwrap().0 - now.0) / MINUTE);
        now = health.next.unwrap();
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]);
    for (path, hours) in [("/busy", 2), ("/moment", 3), ("/years", 7 * 24), ("/gone", 24)] {
        fetcher.get(&site.url(path), Want::Named, NOW).await.unwrap_err();
        let next = fetcher.memory().health(&site.url(path)).unwrap().next;
        assert_eq!(next, Some(NOW.plus(hours * 60 * MINUTE)), "{path}");
    }
    // A clock that was years ahead for a moment.
    assert!(fetcher.is_due(&site.url("/busy"), Millis(NOW.0 - 400 * DAY)).unwrap());
}

#[tokio::test]
async fn a_host_is_asked_for_one_thing_at_a_time_with_a_pause() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (at_once, seen) = (Arc::clone(&now), Arc::clone(&most));
    let site = Site::new(move |_| {
        seen.fetch_max(at_once.fetch_add(1, SeqCst) + 1, SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        at_once.fetch_sub(1, SeqCst);
        answer("200 OK", "", b"words")
    });
    let pause = Duration::from_millis(100);
    let fetcher = Fetcher::new(Manners { pause, ..manners() }, Memory::open(None).unwrap());
    let urls = ["/1", "/2", "/3"].map(|path| site.url(path));
    let begun = tokio::time::Instant::now();
    let all = urls.iter().map(|url| fetcher.get(url, Want::Named, NOW));
    assert!(futures_util::future::join_all(all).await.iter().all(Result::is_ok));
    assert_eq!(most.load(SeqCst), 1);
    assert!(begun.elapsed() >= 2 * pause);
}

#[tokio::test]
async fn what_it_says_of_itself_is_who_it_is() {
    let site = Site::new(|_| answer("200 OK", "", b"words"));
    let contact = Some("https://quay.example/about".to_owned());
    let fetcher = Fetcher::new(Manners { contact, ..manners() }, Memory::open(None).unwrap());
    fetcher.get(&site.url("/"), Want::Named, NOW).await.unwrap();
    let heads = site.heads.lock().unwrap();
    assert!(heads[0].contains("(news reader; +https://quay.example/about)"), "{}", heads[0]);
    assert!(!heads[0].contains("cookie") && !heads[0].contains("referer"));
}
