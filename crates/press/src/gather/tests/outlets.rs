//! Feeds and what else is added to the list of outlets.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;

use super::*;

/// A long text, of which a feed would print the beginning.
fn long(about: &str) -> String {
    (1..=12)
        .map(|n| {
            format!("<p>{about}, part {n}: the harbour master said that the water was high that day.</p>")
        })
        .collect()
}

fn item(n: usize, body: &str, more: &str) -> String {
    let body = body.replace('<', "&lt;");
    format!(
        "<item><title>Story {n} of the quay</title><link>https://quay.example/{n}</link>{more}<description>{body}</description></item>"
    )
}

/// One whose page is on the server that gives the feed.
fn item_here(n: usize, body: &str) -> String {
    item(n, body, "").replace(&format!("https://quay.example/{n}"), &format!("http://HOST/{n}"))
}

fn page(about: &str) -> Vec<u8> {
    let body = long(about);
    let page = format!("<!doctype html><title>Page</title><article><h1>Page</h1>{body}</article>");
    found("text/html", page.as_bytes())
}

fn rss(items: &str) -> Vec<u8> {
    format!("<rss version='2.0'><channel><title>The Quay</title>{items}</channel></rss>").into_bytes()
}

fn feed_of(at: &str) -> Inputs {
    Inputs { feeds: vec![format!("{at}/feed")], manners: at_home(), ..Inputs::default() }
}

/// Long enough that an outlet may be asked again.
fn later(rounds: u64) -> Millis {
    NOW.plus(rounds * 60 * 60 * 1_000)
}

#[tokio::test]
async fn after_a_restart_all_is_there_without_asking() {
    let dir = tempfile::tempdir().unwrap();
    let at = web(vec![("/feed", found("application/rss+xml", &rss(&item(1, &long("The quay"), ""))))]);
    let mut first = Gather::new(feed_of(&at), Some(dir.path())).unwrap();
    first.refresh(NOW).await.unwrap();
    let mut again = Gather::new(feed_of(&at), Some(dir.path())).unwrap();
    again.recall(NOW).unwrap();
    assert_eq!(again.stories(), first.stories());
    assert_eq!(again.stories().len(), 1);
    let listed = again.list().unwrap();
    assert_eq!((listed[0].health.articles, listed[0].health.succeeded), (1, Some(NOW)));
}

#[tokio::test]
async fn a_feed_of_100_000_items_is_read_so_far_and_the_rest_is_named() {
    let items = |count| rss(&(0..count).map(|n| item(n, "x", "")).collect::<String>());
    let small = rss(&"<item><title>x</title></item>".repeat(100_000));
    let feeds: Vec<_> = [("/20", items(20_000)), ("/100", items(100_000)), ("/small", small)]
        .into_iter()
        .map(|(path, bytes)| (path, found("application/rss+xml", &bytes)))
        .collect();
    let at = web(feeds);
    let feeds = ["/20", "/100", "/small"].map(|path| format!("{at}{path}")).to_vec();
    let mut gather = Gather::new(Inputs { feeds, ..feed_of(&at) }, None).unwrap();
    gather.refresh(NOW).await.unwrap();
    for named in [
        "/20: items after the first 5000",
        "/100: it is larger than 8 MB unpacked, and no more is read",
        "/small: the feed is not read: it has more tags than the 300000 that are read",
    ] {
        let left_out = gather.left_out();
        assert!(left_out.iter().any(|line| line.ends_with(named)), "{named}: {left_out:?}");
    }
    assert!(!gather.stories().is_empty());
}

#[tokio::test]
async fn a_feed_that_changes_its_ids_and_order_brings_no_article_twice() {
    let (one, two) = (long("The quay"), long("The mill"));
    let first = item(1, &one, "<guid>a</guid>") + &item(2, &two, "<guid>b</guid>");
    let second = item(2, &two, "<guid>c</guid>") + &item(1, &one, "<guid>d</guid>");
    let turn = std::sync::atomic::AtomicUsize::new(0);
    let at = serve(move |_| match turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
        0 => found("application/rss+xml", &rss(&first)),
        _ => found("application/rss+xml", &rss(&second)),
    });
    let mut gather = Gather::new(feed_of(&at), None).unwrap();
    gather.refresh(NOW).await.unwrap();
    let before = gather.stories();
    gather.refresh(later(1)).await.unwrap();
    assert_eq!(gather.stories(), before);
    assert_eq!(before.iter().map(|story| story.articles.len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn dates_of_the_future_and_of_1970_count_as_none() {
    let at = serve(|_| {
        let dated =
            |n: usize, about: &str, date: &str| item(n, &long(about), &format!("<pubDate>{date}</pubDate>"));
        let items = dated(1, "The old quay wall", "Thu, 01 Jan 1970 00:00:00 GMT")
            + &dated(2, "A mill for corn and rye", "Fri, 26 Nov 2100 09:30:00 GMT")
            + &dated(3, "Forty sheep upon a hill", "Tue, 03 Nov 2026 09:30:00 GMT");
        found("application/rss+xml", &rss(&items))
    });
    let mut gather = Gather::new(feed_of(&at), None).unwrap();
    gather.refresh(NOW).await.unwrap();
    let stories = gather.stories();
    let articles = stories.iter().flat_map(|story| &story.articles);
    let dated: Vec<_> =
        articles.filter(|article| article.published.is_some()).map(|a| a.title.clone()).collect();
    assert_eq!(dated, ["Story 3 of the quay"]);
}

#[tokio::test]
async fn what_it_is_decides_and_not_what_it_is_called() {
    let at = web(vec![
        ("/feed", found("image/png", &rss(&item(1, &long("The quay"), "")))),
        ("/picture", found("application/rss+xml", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01")),
        ("/empty", found("application/rss+xml", b"")),
    ]);
    let feeds = ["/feed", "/picture", "/empty"].map(|path| format!("{at}{path}")).to_vec();
    let mut gather = Gather::new(Inputs { feeds, ..feed_of(&at) }, None).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(gather.stories().len(), 1);
    let left_out = gather.left_out();
    assert!(
        left_out[0].ends_with("/picture: it is not text") && left_out[1].ends_with("/empty: it is empty"),
        "{left_out:?}"
    );
}

#[tokio::test]
async fn summaries_of_own_outlets_are_completed_from_their_pages_and_of_no_others() {
    let pages = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let asked = std::sync::Arc::clone(&pages);
    let at = serve(move |path| match path {
        "/feed" => {
            let items = [1, 2].map(|n| item_here(n, "The water was high at the quay that day."));
            found("application/rss+xml", &rss(&items.concat()))
        }
        "/robots.txt" => found("text/plain", b"User-agent: *\nDisallow: /2\n"),
        _ => {
            asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            page("The quay")
        }
    });
    for (rights, complete) in [(Rights::Quoted, 0), (Rights::Own, 1)] {
        let inputs = Inputs { manners: at_home(), ..Inputs::default() };
        let dir = tempfile::tempdir().unwrap();
        let mut gather = Gather::new(inputs.clone(), Some(dir.path())).unwrap();
        let terms = Terms { rights, ..Terms::default() };
        let added = gather.add(&format!("{at}/feed"), &terms, NOW).await.unwrap().remove(0).unwrap();
        assert_eq!((added.articles, added.summaries, added.is_new), (2, 2, true));
        let mut looks = Gather::new(inputs.clone(), Some(dir.path())).unwrap().beside().unwrap();
        looks.refresh(NOW).await.unwrap();
        assert_eq!(
            pages.load(std::sync::atomic::Ordering::SeqCst),
            0,
            "who only looks leaves them to the press"
        );
        gather.refresh(NOW).await.unwrap();
        gather.refresh(later(1)).await.unwrap();
        assert_eq!(pages.load(std::sync::atomic::Ordering::SeqCst), complete, "each page once");
        let mut again = Gather::new(inputs, Some(dir.path())).unwrap();
        again.recall(later(1)).unwrap();
        for gather in [&gather, &again] {
            let stories = gather.stories();
            let articles: Vec<_> = stories.iter().flat_map(|story| &story.articles).collect();
            let whole = articles.iter().filter(|article| article.body.len() == 12).count();
            assert_eq!(whole, complete, "{articles:#?} {:?}", gather.left_out());
            assert!(articles.iter().all(|article| article.title.starts_with("Story")));
            assert_eq!(gather.rights(articles[0].id), rights);
        }
        let kept_back = gather.left_out().iter().any(|line| line.contains("/2: the site's robots.txt"));
        assert_eq!(kept_back, complete == 1, "{:?}", gather.left_out());
    }
}

/// Messages wait for an edition, so outlets are not asked for as long as they like; and one that takes all of the time does not take that of
/// the next edition too.
#[tokio::test]
async fn who_is_slow_keeps_nobody_out_of_the_news_for_good() {
    const GULLS: &str = "The council of Tallow pays for a fence around the nests of the gulls until the summer. The mayor \
        had been bitten twice on her way to the town hall, and the baker once.";
    let limit = Some(Duration::from_millis(800));
    let at = serve(|path| match path {
        "/slow" => {
            std::thread::sleep(Duration::from_secs(1));
            found("application/rss+xml", &rss(&item(1, &long("The quay"), "")))
        }
        _ => found("application/rss+xml", &rss(&item(2, GULLS, ""))),
    });
    // A host is asked for one thing at a time.
    let feeds = ["slow", "prompt"].map(|path| format!("{at}/{path}")).to_vec();
    let mut gather = Gather::new(Inputs { feeds, manners: at_home(), ..Inputs::default() }, None).unwrap();
    let titles = |gather: &Gather| {
        let mut titles: Vec<_> = gather.stories().into_iter().map(|story| story.title).collect();
        titles.sort();
        titles
    };
    gather.refresh_within(NOW, limit).await.unwrap();
    assert_eq!(titles(&gather), ["Story 1 of the quay"], "who was asked is not hung up on");
    assert!(gather.left_out().is_empty(), "nobody has failed: {:?}", gather.left_out());
    gather.refresh_within(later(1), limit).await.unwrap();
    assert_eq!(titles(&gather), ["Story 1 of the quay", "Story 2 of the quay"]);
}

#[tokio::test]
async fn pages_for_which_there_was_no_time_come_with_a_later_edition() {
    let is_slow = Arc::new(AtomicBool::new(true));
    let waits = Arc::clone(&is_slow);
    let about = |n: usize| ["The quay", "A fence for gulls", "The mill's oven"][n - 1];
    let at = serve(move |path| {
        let summary =
            |n| item_here(n, &format!("{} is what this is about, and more of it is on its page.", about(n)));
        match path {
            "/feed" => found("application/rss+xml", &rss(&[1, 2, 3].map(summary).concat())),
            "/robots.txt" => found("text/plain", b""),
            path => {
                if path == "/1" && waits.load(SeqCst) {
                    std::thread::sleep(Duration::from_millis(3_500));
                }
                page(about(path[1..].parse().unwrap()))
            }
        }
    });
    let mut gather = Gather::new(Inputs { manners: at_home(), ..Inputs::default() }, None).unwrap();
    let terms = Terms { rights: Rights::Own, ..Terms::default() };
    gather.add(&format!("{at}/feed"), &terms, NOW).await.unwrap().remove(0).unwrap();
    let whole = |gather: &Gather| {
        let stories = gather.stories();
        stories.iter().flat_map(|story| &story.articles).filter(|article| article.body.len() == 12).count()
    };
    gather.refresh_within(NOW, Some(Duration::from_secs(3))).await.unwrap();
    assert_eq!(whole(&gather), 1, "{:?}", gather.left_out());
    is_slow.store(false, SeqCst);
    gather.refresh(later(1)).await.unwrap();
    assert_eq!(whole(&gather), 3, "{:?}", gather.left_out());
}

#[tokio::test]
async fn pages_of_one_outlet_keep_those_of_another_out_no_longer_than_an_edition() {
    let site = |name: &'static str, is_slow: bool| {
        serve(move |path| {
            let summary = |n| item_here(n, &format!("{name} and the water, {n}"));
            match path {
                "/feed" => found("application/rss+xml", &rss(&[1, 2, 3].map(summary).concat())),
                "/robots.txt" => found("text/plain", b""),
                path => {
                    if is_slow {
                        std::thread::sleep(Duration::from_millis(3_500));
                    }
                    page(&format!("{name} {path}"))
                }
            }
        })
    };
    let mut gather = Gather::new(Inputs { manners: at_home(), ..Inputs::default() }, None).unwrap();
    let terms = Terms { rights: Rights::Own, ..Terms::default() };
    let [slow, prompt] = [site("The quay", true), site("The mill", false)];
    for at in [slow, prompt] {
        gather.add(&format!("{at}/feed"), &terms, NOW).await.unwrap().remove(0).unwrap();
    }
    let whole = |gather: &Gather| {
        let stories = gather.stories();
        let articles = stories.iter().flat_map(|story| &story.articles).filter(|it| it.body.len() == 12);
        articles.map(|it| format!("{:?}", it.body[0])).filter(|first| first.contains("The mill")).count()
    };
    let limit = Some(Duration::from_secs(3));
    gather.refresh_within(NOW, limit).await.unwrap();
    assert_eq!(whole(&gather), 0, "there was no time for it");
    gather.refresh_within(later(1), limit).await.unwrap();
    assert!(whole(&gather) > 0, "{:?}", gather.left_out());
}

#[tokio::test]
async fn a_page_s_feed_is_found_where_it_says_or_in_the_usual_places() {
    let feed = rss(&item(1, &long("The quay"), ""));
    let named = "<!doctype html><link rel=alternate type=application/rss+xml href=/broken>\
                 <link rel=alternate type=application/rss+xml href=/news><link rel=alternate type=application/rss+xml href=/sport>";
    let at = web(vec![
        ("/", found("text/html", named.as_bytes())),
        ("/broken", found("text/html", b"no feed")),
        ("/news", found("application/rss+xml", &feed)),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let inputs = Inputs { manners: at_home(), ..Inputs::default() };
    let mut gather = Gather::new(inputs.clone(), Some(dir.path())).unwrap();
    let added = gather.add(&format!("{at}/"), &Terms::default(), NOW).await.unwrap().remove(0).unwrap();
    assert_eq!(added.outlet.place, Place::Feed(format!("{at}/news")));
    assert_eq!((added.name.as_deref(), added.headlines.len()), (Some("The Quay"), 1));
    assert_eq!(added.others, [format!("{at}/sport")]);
    let unnamed = web(vec![
        ("/about", found("text/html", b"<!doctype html><p>Hello")),
        ("/atom.xml", found("text/xml", &feed)),
    ]);
    let added =
        gather.add(&format!("{unnamed}/about"), &Terms::default(), NOW).await.unwrap().remove(0).unwrap();
    assert_eq!((added.outlet.place, added.others), (Place::Feed(format!("{unnamed}/atom.xml")), vec![]));
    let none = web(vec![("/", found("text/html", b"<!doctype html><p>Hello"))]);
    let why = gather.add(&format!("{none}/"), &Terms::default(), NOW).await.unwrap_err().to_string();
    assert!(why.contains("names no feed"), "{why}");
    assert!(matches!(gather.add("no such file", &Terms::default(), NOW).await, Err(AddError::Nothing(_))));
    let listed = gather.list().unwrap();
    assert_eq!(listed.len(), 2);
    // What was added is there for a preview without being asked again, and a press that runs sees the list.
    let mut running = Gather::new(inputs, Some(dir.path())).unwrap();
    running.recall(NOW).unwrap();
    assert_eq!(running.stories().len(), 1);
    assert!(gather.remove(&format!("{at}/news")).unwrap() && !gather.remove(&format!("{at}/news")).unwrap());
    assert_eq!(running.list().unwrap().len(), 1);
}

#[tokio::test]
async fn a_list_s_feeds_are_added_and_those_that_give_nothing_are_named() {
    let feed = rss(&item(1, &long("The quay"), ""));
    let at = web(vec![
        ("/one", found("application/rss+xml", &feed)),
        ("/two", found("application/rss+xml", &feed)),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let list = dir.path().join("mine.opml");
    let outline = |path: &str| format!("<outline type='rss' text='x' xmlUrl='{at}{path}'/>");
    let text = ["/one", "/none", "/two"].map(outline).concat();
    fs::write(&list, format!("<opml version='2.0'><body>{text}</body></opml>")).unwrap();
    let mut gather = Gather::new(Inputs { manners: at_home(), ..Inputs::default() }, None).unwrap();
    let list = list.display().to_string();
    let got = gather.add(&list, &Terms::default(), NOW).await.unwrap();
    assert_eq!(got.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
    assert!(got[1].as_ref().unwrap_err().to_string().contains("/none: it answered 404"));
    // The second time only what is missing is asked.
    assert_eq!(gather.add(&list, &Terms::default(), NOW).await.unwrap().len(), 1);
    assert_eq!(gather.list().unwrap().len(), 2);
}

#[tokio::test]
async fn files_and_folders_are_added_and_what_is_wrong_with_one_stops_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir(at("news")).unwrap();
    fs::write(at("news/quay.txt"), TIDE).unwrap();
    let page = |n: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<!doctype html><title>Page {n}</title>{}",
            long(["The mill", "Sheep upon a hill"][n % 2])
        )
    };
    let archive = [
        warc::tests::packed(&warc::tests::record("response", "https://mill.example/0", page(0).as_bytes())),
        warc::tests::packed(&warc::tests::record("response", "https://hill.example/1", page(1).as_bytes())),
        warc::tests::packed(&warc::tests::record(
            "response",
            "https://hill.example/2",
            b"HTTP/1.1 200 OK\r\n\r\n ",
        )),
    ];
    fs::write(at("crawl.warc.gz"), archive.concat()).unwrap();
    fs::write(at("binary.txt"), [0, 1, 2, 3, 0xff]).unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut gather = Gather::new(Inputs::default(), Some(state.path())).unwrap();
    let terms = Terms { name: None, rights: Rights::Licensed };
    let folder = gather.add(&at("news"), &terms, NOW).await.unwrap().remove(0).unwrap();
    assert_eq!((folder.articles, folder.headlines[0].as_str()), (1, "Spring tide closes the lower quay"));
    let crawl = gather
        .add(&at("crawl.warc.gz"), &Terms { name: Some("Mill and Hill".into()), ..terms.clone() }, NOW)
        .await
        .unwrap();
    let crawl = crawl.into_iter().next().unwrap().unwrap();
    assert_eq!((crawl.articles, crawl.skipped.len()), (2, 1), "{crawl:?}");
    assert!(
        gather
            .add(&at("binary.txt"), &terms, NOW)
            .await
            .unwrap_err()
            .to_string()
            .ends_with("binary.txt: it is not text")
    );
    gather.refresh(NOW).await.unwrap();
    let stories = gather.stories();
    let outlets: Vec<_> =
        stories.iter().flat_map(|story| &story.articles).map(|article| article.outlet.as_str()).collect();
    assert_eq!((outlets.len(), outlets.contains(&"Mill and Hill")), (3, true), "{outlets:?}");
    fs::remove_dir_all(at("news")).unwrap();
    gather.refresh(later(1)).await.unwrap();
    let listed = gather.list().unwrap();
    assert_eq!(listed.iter().map(|listed| listed.health.why.is_none()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(listed[1].health.articles, 2);
    assert!(gather.remove(&at("crawl.warc.gz")).unwrap());
}

#[tokio::test]
async fn new_rules_hold_for_what_was_read_before() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.toml");
    fs::write(&file, "").unwrap();
    let host = |at: &str| at.trim_start_matches("http://").split(':').next().unwrap().to_owned();
    let body =
        long("The quay") + "<p>Tell a friend: the quay has a new song, and everybody is singing it.</p>";
    let at = web(vec![("/feed", found("application/rss+xml", &rss(&item(1, &body, ""))))]);
    let inputs = Inputs { rules: Some(file.clone()), ..feed_of(&at) };
    let mut gather = Gather::new(inputs.clone(), None).unwrap();
    gather.refresh(NOW).await.unwrap();
    let sung = |gather: &Gather| {
        gather.stories()[0].articles[0].body.iter().any(|block| block.text().starts_with("Tell a friend"))
    };
    assert!(sung(&gather));
    fs::write(&file, format!("[\"{}\"]\ndrop_lines = [\"Tell a friend\"]\n", host(&at))).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert!(!sung(&gather));
    fs::write(&file, "[\"x\"]\ndorp = []\n").unwrap();
    for why in [gather.refresh(NOW).await.unwrap_err(), Gather::new(inputs, None).err().unwrap()] {
        assert!(why.to_string().contains("rules.toml") && why.to_string().contains("dorp"), "{why}");
    }
}
