//! What is kept from one run to the next, and what has to go.

use std::fs::File;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

/// In milliseconds.
const HOUR: u64 = 60 * 60 * 1_000;

fn dirs() -> (TempDir, TempDir) {
    (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap())
}

/// Writes a file that looks from outside as if it were of yesterday.
fn write(dir: &TempDir, name: &str, text: &str) {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    let yesterday = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.0 - 24 * HOUR);
    File::options().write(true).open(path).unwrap().set_modified(yesterday).unwrap();
}

fn open(inputs: &Inputs, memory: &TempDir) -> Gather {
    Gather::new(inputs.clone(), Some(memory.path())).unwrap()
}

/// Each story's id with its articles' outlet and headline.
fn told(gather: &Gather) -> Vec<(String, Vec<String>)> {
    let article = |it: &proto::story::Article| format!("{}: {}", it.outlet, it.title);
    let mut told: Vec<_> = gather
        .stories()
        .iter()
        .map(|story| (hex::encode(story.id.0), story.articles.iter().map(article).collect()))
        .collect();
    told.sort();
    told
}

fn articles(gather: &Gather) -> Vec<String> {
    let mut all: Vec<_> = told(gather).into_iter().flat_map(|(_, articles)| articles).collect();
    all.sort();
    all
}

/// The story of the tide, in the words of an outlet: a feed with that item.
fn feed(title: &str, items: &[(&str, &str, &str)]) -> Vec<u8> {
    let items = items.iter().map(|(link, headline, text)| {
        format!("<item><title>{headline}</title><link>{link}</link><description>{text}</description></item>")
    });
    let items: String = items.collect();
    let rss = format!("<rss version='2.0'><channel><title>{title}</title>{items}</channel></rss>");
    found("application/rss+xml", rss.as_bytes())
}

const CLOSED: &str =
    "The lower quay was closed on Monday after the spring tide rose above its wall, the harbour master said.";
const BAKER: &str =
    "A baker in Tallow was fined on Friday for selling bread that weighed less than its label promised.";

/// A server whose answer can be changed. Returns its address and the answer.
fn changing(answer: Vec<u8>) -> (String, Arc<Mutex<Vec<u8>>>) {
    let answer = Arc::new(Mutex::new(answer));
    let now = Arc::clone(&answer);
    (
        serve(move |path| {
            if path == "/feed" {
                now.lock().unwrap().clone()
            } else {
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec()
            }
        }),
        answer,
    )
}

fn feeds(feeds: &[&str]) -> Inputs {
    let feeds = feeds.iter().map(|feed| (*feed).to_owned()).collect();
    Inputs { feeds, manners: at_home(), ..Inputs::default() }
}

#[tokio::test]
async fn a_restart_reads_no_file_again_that_looks_as_it_did_and_says_again_what_was_wrong() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    write(&dir, "b.txt", "");
    let inputs = folder(dir.path());
    let mut first = open(&inputs, &memory);
    first.refresh(NOW).await.unwrap();
    write(&dir, "a.txt", &TIDE.replace("lower", "upper"));
    let mut again = open(&inputs, &memory);
    again.refresh(NOW).await.unwrap();
    assert_eq!(again.stories(), first.stories());
    assert_eq!(again.left_out(), first.left_out());
    assert_eq!(again.left_out().len(), 1);
    let rights = |gather: &Gather| gather.known.carried(gather.stories()[0].articles[0].id);
    assert_eq!(rights(&again), rights(&first));
    // Looked at otherwise, it is read.
    fs::write(dir.path().join("a.txt"), TIDE.replace("lower", "upper")).unwrap();
    again.refresh(NOW).await.unwrap();
    assert_eq!(articles(&again).len(), 1);
    assert!(articles(&again)[0].contains("upper"));
}

#[tokio::test]
async fn what_a_feed_no_longer_carries_stays_over_a_restart_and_all_keep_their_ids() {
    let (dir, memory) = dirs();
    let (at, answer) = changing(feed(
        "The Quay",
        &[("https://quay.example/1", "Spring tide closes the lower quay", CLOSED)],
    ));
    let address = format!("{at}/feed");
    let inputs = Inputs { folders: vec![dir.path().to_owned()], ..feeds(&[&address]) };
    let mut first = open(&inputs, &memory);
    first.refresh(NOW).await.unwrap();
    // The folder is read before the feed, but its article came later: the story is the feed's.
    write(&dir, "a.txt", TIDE);
    *answer.lock().unwrap() = feed("The Quay", &[("https://quay.example/2", "Baker fined", BAKER)]);
    first.refresh(NOW.plus(HOUR)).await.unwrap();
    let mut again = open(&inputs, &memory);
    again.recall(NOW.plus(HOUR)).unwrap();
    assert_eq!(told(&again), told(&first));
    assert_eq!(
        told(&again).iter().map(|(_, articles)| articles.len()).collect::<Vec<_>>().iter().sum::<usize>(),
        3
    );
    assert_eq!(told(&again).len(), 2);
}

#[tokio::test]
async fn what_is_gone_or_written_anew_leaves_its_story_which_keeps_its_id() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    write(&dir, "b.txt", &TIDE.replace("The lower quay was closed", "Officials closed the lower quay"));
    fs::write(
        dir.path().join(SIDECAR),
        "[\"a.txt\"]\noutlet = \"Quay\"\n[\"b.txt\"]\noutlet = \"Courier\"\n",
    )
    .unwrap();
    let inputs = folder(dir.path());
    let mut gather = open(&inputs, &memory);
    gather.refresh(NOW).await.unwrap();
    let before = told(&gather);
    assert_eq!((before.len(), before[0].1.len()), (1, 2));
    // The story began with this file.
    fs::remove_file(dir.path().join("a.txt")).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(told(&gather), [(before[0].0.clone(), vec![before[0].1[1].clone()])]);
    // Nearly the same words: what a grouper takes for a copy of what it has.
    fs::write(
        dir.path().join("b.txt"),
        TIDE.replace("The lower quay was closed", "Officers closed the lower quay"),
    )
    .unwrap();
    gather.refresh(NOW).await.unwrap();
    let text = gather.stories()[0].articles[0].body[0].text().to_owned();
    assert!(text.contains("Officers"), "{text}");
    assert_eq!(told(&gather)[0].0, before[0].0);
    assert_eq!(told(&open(&inputs, &memory)), vec![]);
    let mut again = open(&inputs, &memory);
    again.refresh(NOW).await.unwrap();
    assert_eq!(told(&again), told(&gather));
}

#[tokio::test]
async fn an_outlet_that_is_taken_off_the_list_takes_its_articles_with_it() {
    let (dir, memory) = dirs();
    let (at, _) = changing(feed("The Quay", &[("https://quay.example/1", "Spring tide", CLOSED)]));
    let address = format!("{at}/feed");
    write(&dir, "a.txt", BAKER);
    let mut gather = open(&Inputs { manners: at_home(), ..folder(dir.path()) }, &memory);
    gather.outlets.add(&Outlet::quoted(Place::Feed(address.clone()))).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(articles(&gather).len(), 2);
    gather.remove(&address).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(articles(&gather).len(), 1, "{:?}", told(&gather));
}

#[tokio::test]
async fn what_a_sidecar_says_while_the_press_stands_still_holds_when_it_starts() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    let sidecar = |text: &str| fs::write(dir.path().join(SIDECAR), format!("[\"a.txt\"]\n{text}")).unwrap();
    sidecar("rights = \"own\"\npublished = \"2026-11-24\"\n");
    let inputs = folder(dir.path());
    let mut first = open(&inputs, &memory);
    first.refresh(NOW).await.unwrap();
    let seen = |gather: &Gather| {
        let article = gather.stories()[0].articles[0].clone();
        (gather.rights(article.id), article.published.map(|when| when.unix / 86_400))
    };
    let day = 20_781;
    assert_eq!(seen(&first), (Rights::Own, Some(day)));
    let id = first.stories()[0].id;
    drop(first);
    sidecar("published = \"2026-11-25\"\n");
    let mut again = open(&inputs, &memory);
    again.refresh(NOW).await.unwrap();
    assert_eq!(seen(&again), (Rights::Quoted, Some(day + 1)));
    assert_eq!(again.stories()[0].id, id);
    assert_eq!(again.newest(1)[0].articles[0].published, again.stories()[0].articles[0].published);
}

#[tokio::test]
async fn rules_that_come_while_the_press_stands_still_hold_for_what_was_read_before() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    let rules = memory.path().join("rules.toml");
    fs::write(&rules, "").unwrap();
    let inputs = Inputs { rules: Some(rules.clone()), ..folder(dir.path()) };
    let mut first = open(&inputs, &memory);
    first.refresh(NOW).await.unwrap();
    let article = first.stories()[0].articles[0].clone();
    assert_eq!(first.known.carried(article.id).quoted, crate::rules::QUOTED);
    drop(first);
    fs::write(&rules, format!("[\"{}\"]\nquoted = 100\n", article.outlet)).unwrap();
    let mut again = open(&inputs, &memory);
    again.refresh(NOW).await.unwrap();
    assert_eq!(again.known.carried(article.id).quoted, 100);
}

#[tokio::test]
async fn a_feed_may_change_a_headline_and_the_same_words_stay_one_article() {
    let memory = tempfile::tempdir().unwrap();
    let item = |headline| feed("The Quay", &[("https://quay.example/1", headline, CLOSED)]);
    let (at, answer) = changing(item("Spring tide closes the lower quay"));
    let inputs = feeds(&[&format!("{at}/feed")]);
    let mut gather = open(&inputs, &memory);
    gather.refresh(NOW).await.unwrap();
    let _ = gather.newest(10);
    *answer.lock().unwrap() = item("Lower quay closed");
    gather.refresh(NOW.plus(HOUR)).await.unwrap();
    assert_eq!(articles(&gather), ["The Quay: Lower quay closed"]);
    assert_eq!(gather.newest(10)[0].title, "Lower quay closed");
    let mut again = open(&inputs, &memory);
    again.recall(NOW.plus(HOUR)).unwrap();
    assert_eq!(told(&again), told(&gather));
}

#[tokio::test]
async fn who_only_looks_changes_nothing_for_the_press_that_runs() {
    let (dir, memory) = dirs();
    let (at, answer) = changing(feed("The Quay", &[("https://quay.example/1", "Spring tide", CLOSED)]));
    let inputs = Inputs { folders: vec![dir.path().to_owned()], ..feeds(&[&format!("{at}/feed")]) };
    write(&dir, "a.txt", TIDE);
    let mut running = open(&inputs, &memory);
    running.refresh(NOW).await.unwrap();
    fs::write(dir.path().join("a.txt"), TIDE.replace("lower", "upper")).unwrap();
    fs::write(dir.path().join("b.txt"), BAKER).unwrap();
    let answered = [(
        "https://quay.example/2",
        "Ferry",
        "The ferry to Skerry did not leave on Tuesday since its crew refused to sail.",
    )];
    *answer.lock().unwrap() = feed("The Quay", &answered);
    let mut looks = open(&inputs, &memory).beside().unwrap();
    looks.refresh(NOW.plus(HOUR)).await.unwrap();
    assert_eq!(articles(&looks).len(), 4, "{:?}", told(&looks));
    // Nothing of it was kept, but for the feed's answer; and the running press is not told again what it was.
    let mut other = open(&inputs, &memory).beside().unwrap();
    other.put_together(&other.outlets().unwrap()).unwrap();
    assert_eq!(told(&other), told(&running));
    running.refresh(NOW.plus(HOUR).plus(1)).await.unwrap();
    assert_eq!(articles(&running), articles(&looks));
}

#[tokio::test]
async fn a_feed_does_not_speak_under_anothers_name() {
    let memory = tempfile::tempdir().unwrap();
    let link = "https://quay.example/1";
    let (at, _) = changing(feed("The Quay", &[(link, "Spring tide closes the lower quay", CLOSED)]));
    let lie = "The lower quay was never closed on Monday after the spring tide rose above its wall, the harbour master lied.";
    let (evil, _) = changing(feed("the  QUAY", &[(link, "Spring tide closes the lower quay", lie)]));
    let (true_one, evil) = (format!("{at}/feed"), format!("{evil}/feed"));
    let inputs = feeds(&[&true_one, &evil]);
    let mut gather = open(&inputs, &memory);
    gather.refresh(NOW).await.unwrap();
    let both = articles(&gather);
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both[0].starts_with("The Quay: ") && both[1].starts_with("the QUAY (127.0.0.1): "), "{both:?}");
    assert!(gather.left_out().iter().any(|line| line.starts_with(&evil) && line.contains("--name")));
    let listed = gather.list().unwrap();
    assert_eq!(listed[1].health.name.as_deref(), Some("the QUAY (127.0.0.1)"));
    let mut again = open(&inputs, &memory);
    again.recall(NOW).unwrap();
    assert_eq!(told(&again), told(&gather));
    // The operator says who is who: it is so at once, for what came before too.
    for (feed, name) in [(&evil, Some("The Quay")), (&true_one, None)] {
        gather
            .outlets
            .add(&Outlet { name: name.map(str::to_owned), ..Outlet::quoted(Place::Feed(feed.clone())) })
            .unwrap();
    }
    gather.refresh(NOW.plus(1)).await.unwrap();
    let named = gather.stories().into_iter().flat_map(|story| story.articles).map(|article| article.outlet);
    let mut named: Vec<_> = named.collect();
    named.sort();
    assert_eq!(named, ["The Quay", "The Quay (127.0.0.1)"]);
}

#[tokio::test]
async fn an_article_that_stands_in_two_files_stays_as_long_as_one_of_them() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    fs::write(dir.path().join(SIDECAR), "[\"a.txt\"]\noutlet = \"Quay\"\n[\"b.txt\"]\noutlet = \"Quay\"\n")
        .unwrap();
    let mut gather = open(&folder(dir.path()), &memory);
    gather.refresh(NOW).await.unwrap();
    write(&dir, "b.txt", TIDE);
    gather.refresh(NOW).await.unwrap();
    for gone in ["a.txt", "b.txt"] {
        assert_eq!(articles(&gather).len(), 1, "before {gone} is gone");
        fs::remove_file(dir.path().join(gone)).unwrap();
        gather.refresh(NOW).await.unwrap();
    }
    assert!(articles(&gather).is_empty());
}

#[cfg(unix)]
#[tokio::test]
async fn a_name_that_is_no_text_is_named_and_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let (dir, memory) = dirs();
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"tide\xff.txt")), TIDE).unwrap();
    write(&dir, "a.txt", BAKER);
    let mut gather = open(&folder(dir.path()), &memory);
    gather.refresh(NOW).await.unwrap();
    assert_eq!(articles(&gather).len(), 1);
    assert!(gather.left_out()[0].contains("UTF-8"), "{:?}", gather.left_out());
}

#[tokio::test]
async fn a_folder_with_a_slash_behind_its_name_is_the_same_folder() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    write(&dir, "b.txt", BAKER);
    let slash = PathBuf::from(format!("{}/", dir.path().display()));
    let mut gather = open(&folder(&slash), &memory);
    gather.refresh(NOW).await.unwrap();
    fs::remove_file(dir.path().join("a.txt")).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(articles(&gather).len(), 1);
    assert_eq!(gather.list().unwrap()[0].health.articles, 1);
    let mut again = open(&folder(dir.path()), &memory);
    again.refresh(NOW).await.unwrap();
    assert_eq!(told(&again), told(&gather));
}

#[tokio::test]
async fn a_file_that_is_listed_alone_takes_its_article_with_it_when_it_is_gone() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    let file = dir.path().join("a.txt");
    let mut gather = open(&Inputs::default(), &memory);
    gather.outlets.add(&Outlet::quoted(Place::Path(file.clone()))).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert_eq!(articles(&gather).len(), 1);
    fs::remove_file(&file).unwrap();
    gather.refresh(NOW).await.unwrap();
    assert!(articles(&gather).is_empty());
    assert!(gather.left_out()[0].contains("cannot be read"), "{:?}", gather.left_out());
}

#[tokio::test]
async fn a_place_that_leaves_takes_its_articles_whoever_else_reads_them_anew() {
    let (dir, memory) = dirs();
    write(&dir, "a.txt", TIDE);
    let file = dir.path().join("a.txt");
    let mut gather = open(&Inputs::default(), &memory);
    for (place, rights) in [(dir.path(), Rights::Own), (&file, Rights::Quoted)] {
        gather.outlets.add(&Outlet { rights, ..Outlet::quoted(Place::Path(place.to_owned())) }).unwrap();
    }
    gather.refresh(NOW).await.unwrap();
    gather.outlets.remove(&dir.path().display().to_string()).unwrap();
    gather.refresh(NOW).await.unwrap();
    let article = gather.stories()[0].articles[0].clone();
    assert_eq!((articles(&gather).len(), gather.rights(article.id)), (1, Rights::Quoted));
}

/// A page of a crawl says whose it is; its address knows better.
#[tokio::test]
async fn a_page_of_an_archive_is_its_addresss_and_not_what_it_says_of_itself() {
    let (dir, memory) = dirs();
    let page = format!(
        "<html><head><title>Quay closed</title><meta property='og:site_name' content='The Quay'><link rel='canonical' \
         href='https://quay.example/1'></head><body><article><h1>Quay closed</h1><p>{CLOSED} {CLOSED}</p></article></body></html>"
    );
    let http = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n{page}");
    let record = |address: &str| {
        format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {address}\r\nContent-Type: application/http\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
            http.len()
        )
    };
    write(&dir, "a.warc", &(record("https://quay.example/1") + &record("https://evil.test/1")));
    let mut gather = open(&folder(dir.path()), &memory);
    gather.refresh(NOW).await.unwrap();
    let mut all: Vec<_> = gather
        .stories()
        .into_iter()
        .flat_map(|story| story.articles)
        .map(|article| (article.outlet, article.url.unwrap_or_default()))
        .collect();
    all.sort();
    assert_eq!(
        all,
        [
            ("The Quay".to_owned(), "https://quay.example/1".to_owned()),
            ("The Quay (evil.test)".to_owned(), "https://evil.test/1".to_owned())
        ],
        "{:?}",
        gather.left_out()
    );
}

/// Whoever was first keeps a name, also when its first articles are forgotten.
#[tokio::test]
async fn a_name_stays_its_owners_when_others_have_the_older_articles() {
    let memory = tempfile::tempdir().unwrap();
    let (at, _) = changing(feed("The Quay", &[("https://quay.example/1", "Spring tide", CLOSED)]));
    let (evil, _) = changing(feed("The Quay", &[("https://evil.test/1", "Baker", BAKER)]));
    let inputs = feeds(&[&format!("{at}/feed"), &format!("{evil}/feed")]);
    let mut gather = open(&inputs, &memory);
    gather.refresh(NOW).await.unwrap();
    let quay = gather.stories().iter().find(|story| story.title == "Spring tide").unwrap().articles[0].id;
    gather.known.forget(|article| article != quay).unwrap();
    drop(gather);
    let mut again = open(&inputs, &memory);
    again.is_stale = true;
    again.put_together(&again.outlets().unwrap()).unwrap();
    assert_eq!(articles(&again), ["The Quay (127.0.0.1): Baker"]);
}
