use std::fs;
use std::time::Duration;

use proto::story::Media;

use super::*;

mod again;
mod outlets;

const TIDE: &str = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide \
    rose above its wall, the harbour master said. It will open again once the water has gone.\n";

/// What has this in its name stops the program where it is read.
pub(super) const STOPS: &str = "unwinds";

/// 2026-11-26, half past nine.
const NOW: Millis = Millis(1_795_685_400_000);

fn folder(dir: &Path) -> Inputs {
    Inputs { folders: vec![dir.to_owned()], ..Inputs::default() }
}

/// For servers on this machine.
pub(crate) fn at_home() -> Manners {
    Manners { private: true, pause: Duration::ZERO, patience: Duration::from_secs(5), ..Manners::default() }
}

async fn gathered(dir: &Path) -> Gather {
    let inputs = folder(dir);
    let mut gather = Gather::new(inputs, None).unwrap();
    gather.refresh(NOW).await.unwrap();
    gather
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_the_rest_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::write(at("a-good.txt"), TIDE).unwrap();
    fs::write(at("b-empty.txt"), "").unwrap();
    fs::write(at("c-binary.txt"), [0, 1, 2, 3, 0xff, 0xfe, 0]).unwrap();
    fs::File::create(at("d-huge.txt")).unwrap().set_len(200 * 1024 * 1024).unwrap();
    fs::write(at("e-not-a-feed.rss"), "no feed").unwrap();
    fs::write(at("f-deep.html"), "<div>".repeat(100_000) + "deep").unwrap();
    fs::write(
        at("g-latin.txt"),
        b"Caf\xe9 in the old mill reopens\n\nThe caf\xe9 in the old mill reopens with new \
        ovens, its owner said, and the f\xeate with music begins at noon.\n",
    )
    .unwrap();
    std::os::unix::fs::symlink(at("nowhere"), at("h-gone.txt")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", at("i-endless.txt")).unwrap();
    fs::write(at("notes.md"), "somebody's own business").unwrap();
    let gather = gathered(dir.path()).await;
    let named: Vec<_> =
        gather.left_out().iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(
        named,
        [
            "b-empty.txt",
            "c-binary.txt",
            "d-huge.txt",
            "e-not-a-feed.rss",
            "f-deep.html",
            "h-gone.txt",
            "i-endless.txt",
        ],
        "{:#?}",
        gather.left_out()
    );
    let titles: Vec<_> = gather.stories().into_iter().map(|s| s.title).collect();
    assert!(titles.contains(&"Café in the old mill reopens".to_owned()), "{titles:?}");
    assert!(titles.contains(&"Spring tide closes the lower quay".to_owned()), "{titles:?}");
}

/// A panic in what reads an article, or looks through a story, is no outlet's way to stop a press.
#[tokio::test]
async fn what_the_program_fails_on_is_left_out_and_the_rest_goes_on() {
    let (dir, memory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let mill = |title: &str| {
        format!("{title}\n\nThe baker of the old mill has bought two ovens and a bell for it.\n")
    };
    write("quay.txt", TIDE);
    write("a.txt", &mill(&format!("It {STOPS} as a document")));
    write(&format!("it-{STOPS}.txt"), &mill("As a file"));
    write(
        "b.txt",
        "A fence for the gulls\n\nThe council of Tallow pays for a fence around the nests until the summer.\n",
    );
    write("c.txt", &mill("It came before").replace("baker", "miller"));
    // What a sidecar says comes after the document was read.
    let sidecar =
        format!("[\"b.txt\"]\ntitle = \"It {STOPS} as a story\"\n\n[\"c.txt\"]\noutlet = \"It {STOPS}\"\n");
    write(SIDECAR, &sidecar);
    let feed =
        format!("{}/{STOPS}", web(vec![(format!("/{STOPS}"), found("application/rss+xml", b"<rss/>"))]));
    let inputs = || Inputs { feeds: vec![feed.clone()], manners: at_home(), ..folder(dir.path()) };
    let open = || Gather::new(inputs(), Some(memory.path())).unwrap();
    let titles = |gather: &Gather| {
        let mut titles: Vec<_> = gather.newest(9).into_iter().map(|story| story.title).collect();
        titles.sort();
        titles
    };
    let mut first = open();
    first.refresh(NOW).await.unwrap();
    let as_a_story = format!("It {STOPS} as a story");
    let [came, tide] = ["It came before", "Spring tide closes the lower quay"];
    assert_eq!(titles(&first), [came, &as_a_story, tide], "{:#?}", first.left_out());
    let faults = first.left_out().iter().filter(|line| line.contains("a fault of its own"));
    let named: Vec<_> = faults.map(|line| line.split(": ").next().unwrap()).collect();
    assert_eq!(named, ["a.txt", &format!("it-{STOPS}.txt"), &feed]);
    drop(first);
    let mut again = open();
    again.refresh(NOW).await.unwrap();
    assert_eq!(titles(&again), [&as_a_story, tide], "what cannot be recalled");
}

/// What is in memory may be half of something: only what is kept counts.
#[tokio::test]
async fn after_work_was_broken_off_stories_are_put_together_anew_from_what_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("quay.txt"), TIDE).unwrap();
    let mut gather = gathered(dir.path()).await;
    let kept = gather.stories();
    let stray = "A fence for the gulls\n\nThe council of Tallow pays for a fence around the nests until the summer.\n";
    let read =
        news::read(stray.as_bytes(), news::Input { name: "stray.txt", ..news::Input::default() }).unwrap();
    gather.grouper.add(&read.documents[0]);
    assert_eq!(gather.stories().len(), 2);
    gather.broken_off();
    gather.recall(NOW).unwrap();
    assert_eq!(gather.stories(), kept);
}

#[tokio::test]
async fn a_folder_without_articles_and_a_folder_that_is_not_there_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let gather = gathered(dir.path()).await;
    assert_eq!(gather.left_out().len(), 1);
    assert!(gather.left_out()[0].contains("holds no articles"));
    let inputs = folder(&dir.path().join("none"));
    assert!(matches!(Gather::new(inputs, None), Err(GatherError::Folder { .. })));
}

#[tokio::test]
async fn a_wrong_sidecar_stops_everything_and_names_its_line() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), TIDE).unwrap();
    let inputs = || folder(dir.path());
    let mut running = Gather::new(inputs(), None).unwrap();
    fs::write(dir.path().join(SIDECAR), "[\"a.txt\"]\noutlet = \"The Quay\"\noulet = 1\n").unwrap();
    for why in [running.refresh(NOW).await.unwrap_err(), Gather::new(inputs(), None).err().unwrap()] {
        let why = why.to_string();
        assert!(why.contains("line 3") && why.contains("oulet"), "{why}");
    }
}

#[tokio::test]
async fn stories_keep_their_ids_when_inputs_are_read_again_in_their_first_order() {
    let (dir, memory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let open = || Gather::new(folder(dir.path()), Some(memory.path())).unwrap();
    fs::write(dir.path().join("m.txt"), TIDE).unwrap();
    let mut first = open();
    first.refresh(NOW).await.unwrap();
    // A file that sorts before the first and tells the same story in other words.
    let retold =
        TIDE.replace("The lower quay was closed on Monday", "Officials closed the lower quay on Monday");
    fs::write(dir.path().join("a.txt"), retold).unwrap();
    first.refresh(NOW).await.unwrap();
    let mut again = open();
    again.refresh(NOW).await.unwrap();
    for gather in [&first, &again] {
        let stories = gather.stories();
        assert_eq!((stories.len(), stories[0].articles.len()), (1, 2));
        assert_eq!(stories[0].id, first.stories()[0].id);
    }
    let alone = gathered(dir.path()).await.stories();
    assert_ne!(alone[0].id, first.stories()[0].id, "who knows nothing of an order begins with the other");
}

#[tokio::test]
async fn what_did_not_change_is_not_read_again_and_what_is_wrong_with_it_stays_said() {
    let dir = tempfile::tempdir().unwrap();
    let (good, bad) = (dir.path().join("good.txt"), dir.path().join("bad.txt"));
    fs::write(&good, TIDE).unwrap();
    fs::write(&bad, "").unwrap();
    let mut gather = Gather::new(Inputs::default(), None).unwrap();
    for path in [&good, &bad] {
        gather.outlets.add(&Outlet::quoted(Place::Path(path.clone()))).unwrap();
    }
    for _ in 0..2 {
        gather.recall(NOW).unwrap();
        let health = |path: &Path| gather.fetcher.memory().health(&path.display().to_string()).unwrap();
        assert_eq!((health(&good).articles, health(&good).why), (1, None));
        assert!(health(&bad).articles == 0 && health(&bad).why.is_some(), "{:?}", health(&bad));
        assert_eq!(gather.left_out().len(), 1);
    }
    let (all, _) = gather
        .read_files(dir.path(), vec![good, bad.clone()], &Outlet::quoted(Place::Path(bad.clone())), &|_| None)
        .unwrap();
    assert_eq!(all, 0);
    fs::write(&bad, TIDE.replace("tide", "flood")).unwrap();
    gather.recall(NOW).unwrap();
    assert_eq!(gather.fetcher.memory().health(&bad.display().to_string()).unwrap().why, None);
    assert_eq!(gather.stories().iter().map(|story| story.articles.len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn rights_that_are_taken_back_hold_for_what_was_read_before() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), TIDE).unwrap();
    let sidecar =
        |rights: &str| fs::write(dir.path().join(SIDECAR), format!("[\"a.txt\"]\n{rights}")).unwrap();
    sidecar("rights = \"own\"\n");
    let mut gather = gathered(dir.path()).await;
    let rights = |gather: &Gather| {
        gather.stories()[0].articles.iter().map(|it| gather.rights(it.id)).collect::<Vec<_>>()
    };
    let id = gather.stories()[0].id;
    assert_eq!(rights(&gather), [Rights::Own]);
    sidecar("");
    gather.refresh(NOW).await.unwrap();
    assert_eq!(rights(&gather), [Rights::Quoted]);

    let place = Place::Path(dir.path().join("b"));
    fs::create_dir(dir.path().join("b")).unwrap();
    fs::write(dir.path().join("b/b.txt"), TIDE.replace("quay", "wharf")).unwrap();
    for listed in [Rights::Own, Rights::Quoted, Rights::Licensed] {
        gather.outlets.add(&Outlet { rights: listed, ..Outlet::quoted(place.clone()) }).unwrap();
        gather.refresh(NOW).await.unwrap();
        let mut all: Vec<_> =
            gather.stories().iter().flat_map(|it| &it.articles).map(|it| gather.rights(it.id)).collect();
        all.retain(|rights| *rights != Rights::Quoted);
        assert_eq!(all, if listed == Rights::Quoted { vec![] } else { vec![listed] });
        assert!(gather.stories().iter().any(|story| story.id == id));
    }
}

/// Otherwise it would stand first for as long as it likes, and nobody who tells the truth would.
#[tokio::test]
async fn a_date_that_lies_more_than_a_day_ahead_counts_as_none() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), TIDE).unwrap();
    for (published, believed) in [
        ("2026-11-26T09:30:00Z", true),
        ("2026-11-27T09:30:00Z", true),
        ("2026-11-27T09:31:00Z", false),
        ("2026-11-27", true),
        ("2026-11-28", false),
        ("2199-01-01", false),
    ] {
        fs::write(dir.path().join(SIDECAR), format!("[\"a.txt\"]\npublished = \"{published}\"\n")).unwrap();
        let story = gathered(dir.path()).await.stories().remove(0);
        assert_eq!(story.articles[0].published.is_some(), believed, "{published}");
    }
}

#[tokio::test]
async fn a_picture_is_carried_for_own_outlets_and_left_out_for_others() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), TIDE).unwrap();
    // The smallest PNG header that names a size: signature, IHDR, 3 x 2.
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02".as_slice(), &[0; 16]].concat();
    fs::write(dir.path().join("p.png"), png).unwrap();
    for (rights, carried) in [("own", true), ("licensed", true), ("quoted", false)] {
        let sidecar = format!("[\"a.txt\"]\npicture = \"p.png\"\nalt = \"A quay\"\nrights = \"{rights}\"\n");
        fs::write(dir.path().join(SIDECAR), sidecar).unwrap();
        let gather = gathered(dir.path()).await;
        let picture = gather.stories()[0].articles[0].picture.clone();
        assert_eq!(picture.is_some(), carried, "{rights}: {:?}", gather.left_out());
        if let Some(picture) = picture {
            assert_eq!((picture.width, picture.height, picture.media), (3, 2, Media::Png));
        }
    }
}

#[tokio::test]
async fn a_picture_of_a_few_bytes_and_many_points_is_left_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.txt"), TIDE).unwrap();
    fs::write(
        dir.path().join(SIDECAR),
        "[\"a.txt\"]\npicture = \"p.png\"\nalt = \"A quay\"\nrights = \"own\"\n",
    )
    .unwrap();
    for (side, carried) in [(MAX_SIDE, true), (MAX_SIDE + 1, false), (16_383, false)] {
        let side = u32::from(side).to_be_bytes();
        let png = [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &side, &[0, 0, 0, 2], &[0; 16]].concat();
        fs::write(dir.path().join("p.png"), png).unwrap();
        let gather = gathered(dir.path()).await;
        let picture = gather.stories()[0].articles[0].picture.clone();
        assert_eq!(picture.is_some(), carried, "{:?}", gather.left_out());
    }
}

/// A web server that gives each path its answer, on a thread of its own. Returns its address.
pub(crate) fn web<P: AsRef<str> + Send + 'static>(answers: Vec<(P, Vec<u8>)>) -> String {
    serve(move |path| {
        answers.iter().find(|(p, _)| p.as_ref() == path).map_or(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
            |(_, answer)| answer.clone(),
        )
    })
}

/// A web server that makes an answer for each path; `HOST` in it becomes its own. Returns its address.
fn serve(answer: impl Fn(&str) -> Vec<u8> + Send + 'static) -> String {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let address = format!("http://{host}");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let mut bytes = answer(head.split(' ').nth(1).unwrap_or_default());
            if bytes.len() < 10_000
                && let Ok(text) = std::str::from_utf8(&bytes)
                && let Some((head, body)) = text.split_once("\r\n\r\n")
                && body.contains("HOST")
            {
                let kind = if head.contains("rss") { "application/rss+xml" } else { "text/html" };
                bytes = found(kind, body.replace("HOST", &host).as_bytes());
            }
            // A client that has read enough hangs up.
            let _ = stream.write_all(&bytes);
        }
    });
    address
}

/// An answer of that kind.
pub(crate) fn found(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn feeds_are_fetched_and_what_is_no_feed_is_named() {
    let item = "<item><title>Spring tide closes the lower quay</title><link>https://quay.example/1</link>\
                <description>The lower quay was closed on Monday after the spring tide rose above its wall, the \
                harbour master said. It will open again once the water has gone.</description></item>";
    let rss = format!("<rss version='2.0'><channel><title>The Quay</title>{item}</channel></rss>");
    let at = web(vec![
        ("/feed", found("application/rss+xml", rss.as_bytes())),
        ("/notes", found("application/rss+xml", b"no feed")),
        ("/flood", found("text/plain", &vec![b'a'; MAX_INPUT as usize + 1])),
        (
            "/round",
            b"HTTP/1.1 302 Found\r\nlocation: /round\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                .to_vec(),
        ),
    ]);
    let feeds = ["/feed", "/notes", "/flood", "/round", "/none"].map(|path| format!("{at}{path}")).to_vec();
    let mut gather = Gather::new(Inputs { feeds, manners: at_home(), ..Inputs::default() }, None).unwrap();
    gather.refresh(NOW).await.unwrap();
    let stories = gather.stories();
    assert_eq!(stories.len(), 1, "{:#?}", gather.left_out());
    assert_eq!(stories[0].articles[0].outlet, "The Quay");
    let named = gather.left_out();
    assert_eq!(named.len(), 4, "{named:#?}");
    for what in ["/notes", "/flood", "/round", "/none"] {
        assert!(named.iter().any(|line| line.contains(what)), "{what}: {named:#?}");
    }
}
