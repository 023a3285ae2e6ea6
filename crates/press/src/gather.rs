//! From a folder or feeds to documents. What cannot be read is named and left out; the rest goes on.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use news::group::Grouper;
use news::sidecar::{Entry, Sidecar};
use proto::Millis;
use proto::edition::MAX_PICTURE;
use proto::story::{Media, Picture, Story};
use tracing::warn;

/// The largest file or answer that is read, in bytes. An article is a few thousand.
pub const MAX_INPUT: u64 = 8 * 1024 * 1024;

/// How far ahead of the clock a date may lie, in seconds: a clock may be wrong, and a day is named before it has begun
/// everywhere. What says that it comes from later counts as undated, or it would stand first until then.
const AHEAD: i64 = 24 * 60 * 60;

/// The longest side of a picture, in points.
pub const MAX_SIDE: u16 = 2_000;

/// The sidecar's name: what a folder's files do not say themselves.
pub const SIDECAR: &str = "articles.toml";

/// Endings of files that are read. Everything else in a folder is somebody's own business.
const READ: [&str; 8] = ["txt", "text", "html", "htm", "xml", "rss", "atom", "json"];

/// What a press reads.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Folders of articles.
    pub folders: Vec<PathBuf>,
    /// Addresses of feeds.
    pub feeds: Vec<String>,
}

/// Why nothing can be gathered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GatherError {
    /// The folder is not there or cannot be listed.
    #[error("the folder {folder} cannot be read: {cause}. Name a folder that holds articles")]
    Folder {
        /// Which.
        folder: String,
        /// Why.
        cause: io::Error,
    },
    /// The sidecar is wrong: going on would put articles under the wrong outlet.
    #[error("{file}: {cause}. Mend that line")]
    Sidecar {
        /// Which.
        file: String,
        /// Why.
        cause: news::sidecar::SidecarError,
    },
    /// No HTTP client could be made.
    #[error("feeds cannot be fetched: {0}")]
    Client(#[source] reqwest::Error),
}

/// Everything read so far, grouped.
pub struct Gather {
    inputs: Inputs,
    grouper: Grouper,
    known: HashSet<String>,
    left_out: Vec<String>,
    stamps: HashMap<String, (u64, Option<SystemTime>)>,
    order: Vec<String>,
    /// The latest date that is believed, in seconds since 1970.
    latest: i64,
    client: Option<reqwest::Client>,
}

impl Gather {
    /// Starts with nothing read. `order` names inputs read in earlier runs, first to last: read in that order again, stories
    /// keep their ids.
    pub fn new(inputs: Inputs, order: Vec<String>) -> Result<Self, GatherError> {
        let client = (!inputs.feeds.is_empty())
            .then(|| {
                reqwest::Client::builder()
                    .timeout(Duration::from_secs(20))
                    .redirect(reqwest::redirect::Policy::limited(5))
                    .user_agent("Firsthand/0.1 (news reader)")
                    .build()
                    .map_err(GatherError::Client)
            })
            .transpose()?;
        for folder in &inputs.folders {
            fs::read_dir(folder)
                .map_err(|cause| GatherError::Folder { folder: folder.display().to_string(), cause })?;
            read_sidecar(folder)?;
        }
        Ok(Self {
            inputs,
            grouper: Grouper::new(),
            known: HashSet::new(),
            left_out: Vec::new(),
            stamps: HashMap::new(),
            order,
            latest: i64::MAX,
            client,
        })
    }

    /// Reads what is new at `now`. Returns the names of inputs read for the first time in this run.
    pub async fn refresh(&mut self, now: Millis) -> Result<Vec<String>, GatherError> {
        self.latest = i64::try_from(now.0 / 1_000).unwrap_or(i64::MAX).saturating_add(AHEAD);
        let mut fresh = Vec::new();
        for folder in self.inputs.folders.clone() {
            self.read_folder(&folder, &mut fresh)?;
        }
        for feed in self.inputs.feeds.clone() {
            if let Some((bytes, content_type)) = self.fetch(&feed).await {
                let input =
                    news::Input { name: &feed, address: Some(&feed), content_type: content_type.as_deref() };
                self.take(input, &bytes, None, &mut fresh);
            }
        }
        Ok(fresh)
    }

    /// What was left out so far: each line names an input and says why.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The stories of everything read so far.
    pub fn stories(&self) -> Vec<Story> {
        self.grouper.stories()
    }

    fn read_folder(&mut self, folder: &Path, fresh: &mut Vec<String>) -> Result<(), GatherError> {
        let sidecar = read_sidecar(folder)?;
        let failed = |cause| GatherError::Folder { folder: folder.display().to_string(), cause };
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
            if READ.contains(&ending.as_str()) && !path.is_dir() {
                files.push(path);
            }
        }
        let place = |path: &PathBuf| {
            let name = name_of(path);
            (self.order.iter().position(|known| *known == name).unwrap_or(usize::MAX), name)
        };
        files.sort_by_key(place);
        if files.is_empty() {
            self.name_once(&folder.display().to_string(), "holds no articles (.txt, .html, .xml, .json)");
        }
        for path in files {
            let name = name_of(&path);
            let Some(bytes) = self.read_file(&path, &name) else { continue };
            let input = news::Input { name: &name, ..news::Input::default() };
            self.take(input, &bytes, sidecar.entry(&name).map(|entry| (entry, folder)), fresh);
        }
        Ok(())
    }

    /// The file's bytes if it changed since it was last read and can be read.
    fn read_file(&mut self, path: &Path, name: &str) -> Option<Vec<u8>> {
        let info = match fs::metadata(path) {
            Ok(info) => info,
            Err(why) => {
                self.name_once(name, &format!("cannot be read: {why}"));
                return None;
            }
        };
        let stamp = (info.len(), info.modified().ok());
        if self.stamps.get(name) == Some(&stamp) {
            return None;
        }
        if info.len() > MAX_INPUT {
            self.name_once(
                name,
                &format!("is {} MB; at most {} are read", info.len() >> 20, MAX_INPUT >> 20),
            );
            return None;
        }
        match fs::read(path) {
            Ok(bytes) => {
                self.stamps.insert(name.to_owned(), stamp);
                Some(bytes)
            }
            Err(why) => {
                self.name_once(name, &format!("cannot be read: {why}"));
                None
            }
        }
    }

    fn take(
        &mut self,
        input: news::Input<'_>,
        bytes: &[u8],
        about: Option<(&Entry, &Path)>,
        fresh: &mut Vec<String>,
    ) {
        let name = input.name;
        let read = match news::read(bytes, input) {
            Ok(read) => read,
            Err(why) => return self.name_once(name, &why.to_string()),
        };
        for why in &read.skipped {
            self.name_once(name, why);
        }
        let text = |document: &news::Document| document.source.format == news::Format::Text;
        if input.address.is_some() && read.documents.iter().any(text) {
            return self.name_once(name, "it is neither a feed nor a page");
        }
        let many = read.documents.len() > 1;
        for mut document in read.documents {
            match about {
                // What is said of a feed's file holds for its outlet, not for each item.
                Some((entry, _)) if many => document.outlet = entry.outlet.clone().or(document.outlet),
                Some((entry, _)) => entry.apply(&mut document),
                None => {}
            }
            document.published = document.published.filter(|when| when.unix <= self.latest);
            let mut article = news::article(&document);
            match about.map(|(entry, folder)| read_picture(entry, folder)) {
                Some(Ok(picture)) => article.picture = picture,
                Some(Err(why)) => self.name_once(name, &why),
                None => {}
            }
            self.grouper.add_article(article, &document);
        }
        if self.known.insert(name.to_owned()) {
            fresh.push(name.to_owned());
        }
    }

    async fn fetch(&mut self, url: &str) -> Option<Fetched> {
        match get(self.client.as_ref()?, url).await {
            Ok(fetched) => Some(fetched),
            Err(why) => {
                self.name_once(url, &why);
                None
            }
        }
    }

    /// Says what is left out and why; once, however often it is met.
    fn name_once(&mut self, name: &str, why: &str) {
        let line = format!("{name}: {why}");
        if !self.left_out.contains(&line) {
            warn!("left out: {line}");
            self.left_out.push(line);
        }
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read_sidecar(folder: &Path) -> Result<Sidecar, GatherError> {
    let file = folder.join(SIDECAR);
    match fs::read_to_string(&file) {
        Ok(text) => Sidecar::parse(&text)
            .map_err(|cause| GatherError::Sidecar { file: file.display().to_string(), cause }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(Sidecar::default()),
        Err(cause) => Err(GatherError::Folder { folder: file.display().to_string(), cause }),
    }
}

/// The picture that an entry names, for own and licensed outlets.
fn read_picture(entry: &Entry, folder: &Path) -> Result<Option<Picture>, String> {
    let Some(name) = &entry.picture else { return Ok(None) };
    if !matches!(entry.rights.as_deref(), Some("own" | "licensed")) {
        return Err(format!("its picture {name} is left out: rights are neither own nor licensed"));
    }
    let inside = Path::new(name).components().all(|c| matches!(c, std::path::Component::Normal(_)));
    if !inside {
        return Err(format!("its picture {name} is not inside the folder"));
    }
    let bytes = fs::read(folder.join(name)).map_err(|why| format!("its picture {name}: {why}"))?;
    if bytes.len() > MAX_PICTURE {
        return Err(format!("its picture {name} is {} KB; at most {}", bytes.len() >> 10, MAX_PICTURE >> 10));
    }
    let size = imagesize::blob_size(&bytes).map_err(|_| format!("{name} is not a picture"))?;
    let media = match imagesize::image_type(&bytes) {
        Ok(imagesize::ImageType::Png) => Media::Png,
        Ok(imagesize::ImageType::Jpeg) => Media::Jpeg,
        Ok(imagesize::ImageType::Webp) => Media::Webp,
        _ => return Err(format!("{name} is not a PNG, JPEG or WebP picture")),
    };
    // A few bytes can hold a picture that no browser has the memory for.
    let side = |n: usize| {
        u16::try_from(n)
            .ok()
            .filter(|side| *side <= MAX_SIDE)
            .ok_or_else(|| format!("its picture {name} is {n} points wide or high; at most {MAX_SIDE}"))
    };
    Ok(Some(Picture {
        media,
        width: side(size.width)?,
        height: side(size.height)?,
        alt: entry.alt.clone().unwrap_or_default(),
        credit: entry.credit.clone(),
        bytes,
    }))
}

/// An answer's bytes, and its `Content-Type`.
type Fetched = (Vec<u8>, Option<String>);

/// Fetches an address, reading no further than [`MAX_INPUT`].
async fn get(client: &reqwest::Client, url: &str) -> Result<Fetched, String> {
    let mut answer = client.get(url).send().await.map_err(|why| why.without_url().to_string())?;
    if !answer.status().is_success() {
        return Err(format!("it answered {}", answer.status()));
    }
    let content_type = answer.headers().get("content-type").and_then(|t| t.to_str().ok()).map(str::to_owned);
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|why| why.without_url().to_string())? {
        if (bytes.len() + chunk.len()) as u64 > MAX_INPUT {
            return Err(format!("it is larger than {} MB", MAX_INPUT >> 20));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, content_type))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const TIDE: &str = "Spring tide closes the lower quay\n\nThe lower quay was closed on Monday after the spring tide \
        rose above its wall, the harbour master said. It will open again once the water has gone.\n";

    /// 2026-11-26, half past nine.
    const NOW: Millis = Millis(1_795_685_400_000);

    async fn gathered(dir: &Path) -> Gather {
        let inputs = Inputs { folders: vec![dir.to_owned()], feeds: vec![] };
        let mut gather = Gather::new(inputs, vec![]).unwrap();
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
        fs::write(at("notes.md"), "somebody's own business").unwrap();
        let gather = gathered(dir.path()).await;
        let named: Vec<_> =
            gather.left_out().iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        assert_eq!(
            named,
            ["b-empty.txt", "c-binary.txt", "d-huge.txt", "e-not-a-feed.rss", "f-deep.html", "h-gone.txt"],
            "{:#?}",
            gather.left_out()
        );
        let titles: Vec<_> = gather.stories().into_iter().map(|s| s.title).collect();
        assert!(titles.contains(&"Café in the old mill reopens".to_owned()), "{titles:?}");
        assert!(titles.contains(&"Spring tide closes the lower quay".to_owned()), "{titles:?}");
    }

    #[tokio::test]
    async fn a_folder_without_articles_and_a_folder_that_is_not_there_are_said() {
        let dir = tempfile::tempdir().unwrap();
        let gather = gathered(dir.path()).await;
        assert_eq!(gather.left_out().len(), 1);
        assert!(gather.left_out()[0].contains("holds no articles"));
        let inputs = Inputs { folders: vec![dir.path().join("none")], feeds: vec![] };
        assert!(matches!(Gather::new(inputs, vec![]), Err(GatherError::Folder { .. })));
    }

    #[tokio::test]
    async fn a_wrong_sidecar_stops_everything_and_names_its_line() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a.txt"), TIDE).unwrap();
        let inputs = || Inputs { folders: vec![dir.path().to_owned()], feeds: vec![] };
        let mut running = Gather::new(inputs(), vec![]).unwrap();
        fs::write(dir.path().join(SIDECAR), "[\"a.txt\"]\noutlet = \"The Quay\"\noulet = 1\n").unwrap();
        for why in [running.refresh(NOW).await.unwrap_err(), Gather::new(inputs(), vec![]).err().unwrap()] {
            let why = why.to_string();
            assert!(why.contains("line 3") && why.contains("oulet"), "{why}");
        }
    }

    #[tokio::test]
    async fn stories_keep_their_ids_when_inputs_are_read_again_in_their_first_order() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("m.txt"), TIDE).unwrap();
        let first = gathered(dir.path()).await.stories();
        // A file that sorts before the first and tells the same story in other words.
        let retold =
            TIDE.replace("The lower quay was closed on Monday", "Officials closed the lower quay on Monday");
        fs::write(dir.path().join("a.txt"), retold).unwrap();
        let inputs = Inputs { folders: vec![dir.path().to_owned()], feeds: vec![] };
        let mut again = Gather::new(inputs, vec!["m.txt".into()]).unwrap();
        assert_eq!(again.refresh(NOW).await.unwrap(), ["m.txt", "a.txt"]);
        assert_eq!(again.stories().len(), 1);
        assert_eq!(again.stories()[0].id, first[0].id);
        assert!(again.refresh(NOW).await.unwrap().is_empty(), "nothing changed, nothing is read again");
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
            fs::write(dir.path().join(SIDECAR), format!("[\"a.txt\"]\npublished = \"{published}\"\n"))
                .unwrap();
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
            let sidecar =
                format!("[\"a.txt\"]\npicture = \"p.png\"\nalt = \"A quay\"\nrights = \"{rights}\"\n");
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
            let png =
                [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &side, &[0, 0, 0, 2], &[0; 16]].concat();
            fs::write(dir.path().join("p.png"), png).unwrap();
            let gather = gathered(dir.path()).await;
            let picture = gather.stories()[0].articles[0].picture.clone();
            assert_eq!(picture.is_some(), carried, "{:?}", gather.left_out());
        }
    }

    /// A web server that gives each path its answer, on a thread of its own. Returns its address.
    pub(crate) fn web<P: AsRef<str> + Send + 'static>(answers: Vec<(P, Vec<u8>)>) -> String {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
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
                let path = head.split(' ').nth(1).unwrap_or_default();
                let answer = answers.iter().find(|(p, _)| p.as_ref() == path).map_or(
                    b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_vec(),
                    |(_, answer)| answer.clone(),
                );
                // A client that has read enough hangs up.
                let _ = stream.write_all(&answer);
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
        let feeds =
            ["/feed", "/notes", "/flood", "/round", "/none"].map(|path| format!("{at}{path}")).to_vec();
        let mut gather = Gather::new(Inputs { folders: vec![], feeds }, vec![]).unwrap();
        gather.refresh(NOW).await.unwrap();
        let stories = gather.stories();
        assert_eq!(stories.len(), 1, "{:#?}", gather.left_out());
        assert_eq!(stories[0].articles[0].outlet, "The Quay");
        let named = gather.left_out();
        assert_eq!(named.len(), 4, "{named:#?}");
        for (line, what) in named.iter().zip(["/notes", "/flood", "/round", "/none"]) {
            assert!(line.contains(what), "{line}");
        }
    }
}
