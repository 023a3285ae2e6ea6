//! The press's memory of coverage: each file with what it looked like when it was read, and each article of a story that is not
//! forgotten, in the order in which they came. Stories are put together from it at every start, and whenever something in it has
//! to go. So a restart reads no file again that did not change, and loses nothing that feeds no longer carry.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use proto::codec::{self, Malformed};
use proto::story::{Article, ArticleId, StoryId};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use crate::outlets::{self, Rights};
use crate::rules::QUOTED;

/// `len` of a file that is to be read is null. `file` of an article from a feed is 0.
const TABLES: [(&str, &str); 4] = [
    (
        "inputs",
        "number INTEGER PRIMARY KEY AUTOINCREMENT, path TEXT NOT NULL UNIQUE, len INTEGER, modified INTEGER, articles INTEGER NOT NULL,
         left_out TEXT NOT NULL",
    ),
    (
        "articles",
        "seq INTEGER PRIMARY KEY, id BLOB NOT NULL, place TEXT NOT NULL, file INTEGER NOT NULL, story BLOB NOT NULL,
         called TEXT NOT NULL, at TEXT, url TEXT, stated TEXT, language TEXT, is_titled INTEGER NOT NULL,
         leaves INTEGER NOT NULL, article BLOB NOT NULL, UNIQUE (id, place, file)",
    ),
    ("terms", "of TEXT PRIMARY KEY, text TEXT NOT NULL"),
    ("names", "name TEXT PRIMARY KEY, at TEXT NOT NULL, place TEXT NOT NULL"),
];

/// The memory.
pub(super) struct Known {
    db: Mutex<Connection>,
    /// The articles in stories, and on what terms each may be carried.
    held: HashMap<ArticleId, Carried>,
}

/// On what terms an article is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    pub(super) rights: Rights,
    /// If it is somebody else's, so many bytes at most.
    pub(super) quoted: usize,
}

impl Carried {
    /// So many bytes at most; `None`: all of it.
    pub(super) fn most(self) -> Option<usize> {
        (!self.rights.allow_all()).then_some(self.quoted)
    }
}

/// Of what is not known no more than a quotation of the usual length.
impl Default for Carried {
    fn default() -> Self {
        Self { rights: Rights::default(), quoted: QUOTED }
    }
}

/// What a file looks like from outside. One that looks as it did is not read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) len: u64,
    /// In nanoseconds since 1970; 0 where the system does not say.
    pub(super) modified: i64,
}

impl Stamp {
    pub(super) fn of(info: &std::fs::Metadata) -> Stamp {
        let since = info.modified().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        let modified = since.and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0);
        Stamp { len: info.len(), modified }
    }
}

/// What is known of a file.
pub(super) struct File {
    pub(super) number: i64,
    /// `None`: it is to be read.
    pub(super) stamp: Option<Stamp>,
    /// What was left out of it, a line each.
    pub(super) left_out: String,
}

/// An article to be kept, with what the grouper needs beside it.
pub(super) struct Entry {
    pub(super) id: ArticleId,
    pub(super) carried: Carried,
    /// What its input calls the outlet.
    pub(super) called: String,
    /// Where it was fetched from, if it was.
    pub(super) at: Option<String>,
    /// Its own address.
    pub(super) url: Option<String>,
    /// The terms that a sidecar states for it.
    pub(super) stated: Option<Rights>,
    pub(super) language: Option<String>,
    pub(super) is_titled: bool,
    /// The article, encoded.
    pub(super) bytes: Vec<u8>,
}

/// An article that was kept.
pub(super) struct Kept {
    /// Counts up in the order in which articles came.
    pub(super) seq: i64,
    pub(super) place: String,
    /// Whether it came from a feed, not a file.
    pub(super) is_of_feed: bool,
    pub(super) story: StoryId,
    pub(super) called: String,
    pub(super) at: Option<String>,
    pub(super) stated: Option<Rights>,
    pub(super) language: Option<String>,
    pub(super) is_titled: bool,
    bytes: Vec<u8>,
}

impl Kept {
    pub(super) fn article(&self) -> Result<Article, Malformed> {
        codec::decode(&self.bytes)
    }

    fn of(row: &Row<'_>) -> rusqlite::Result<Kept> {
        let stated: Option<String> = row.get(6)?;
        Ok(Kept {
            seq: row.get(0)?,
            place: row.get(1)?,
            is_of_feed: row.get::<_, i64>(2)? == FEED,
            story: StoryId(row.get(3)?),
            called: row.get(4)?,
            at: row.get(5)?,
            // What nobody can read allows nothing.
            stated: stated.map(|rights| rights.parse().unwrap_or_default()),
            language: row.get(7)?,
            is_titled: row.get(8)?,
            bytes: row.get(9)?,
        })
    }
}

/// The number that stands for "no file".
pub(super) const FEED: i64 = 0;

impl Known {
    /// Opens the memory in `file`; with `None` one that ends with the program.
    pub(super) fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = outlets::database(file)?;
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")?;
        for (name, columns) in TABLES {
            db.execute_batch(&format!("CREATE TABLE IF NOT EXISTS {name} ({columns});"))?;
        }
        db.execute_batch(
            "CREATE INDEX IF NOT EXISTS articles_by_file ON articles (file);
             CREATE INDEX IF NOT EXISTS articles_by_url ON articles (url);",
        )?;
        Ok(Self { db: Mutex::new(db), held: HashMap::new() })
    }

    /// Goes on from here on a copy, which ends with the program: who only looks changes nothing for a press that runs.
    pub(super) fn copied(self) -> rusqlite::Result<Self> {
        let mut db = self.db();
        let change = db.transaction()?;
        for (name, columns) in TABLES {
            // Unless it is said which is meant, the copy is.
            change.execute_batch(&format!(
                "CREATE TEMP TABLE {name} ({columns}); INSERT INTO temp.{name} SELECT * FROM main.{name};"
            ))?;
        }
        change.execute_batch(
            "CREATE INDEX temp.articles_of_file ON articles (file); CREATE INDEX temp.articles_of_url ON articles (url);",
        )?;
        change.commit()?;
        drop(db);
        Ok(self)
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the file at `path`, or of the files of that folder.
    pub(super) fn files(&self, path: &Path) -> rusqlite::Result<HashMap<String, File>> {
        let db = self.db();
        let select = format!("SELECT path, number, len, modified, left_out FROM inputs WHERE {UNDER}");
        let mut query = db.prepare_cached(&select)?;
        let rows = query.query_map(under(path), |row| {
            let stamp = row.get(2).ok().zip(row.get(3).ok()).map(|(len, modified)| Stamp { len, modified });
            Ok((row.get(0)?, File { number: row.get(1)?, stamp, left_out: row.get(4)? }))
        })?;
        rows.collect()
    }

    /// How many articles there are in the file at `path`, or in the files of that folder.
    pub(super) fn articles(&self, path: &Path) -> rusqlite::Result<u32> {
        let sum = format!("SELECT COALESCE(SUM(articles), 0) FROM inputs WHERE {UNDER}");
        self.db().query_row(&sum, under(path), |row| row.get(0))
    }

    /// The file at `path`, or the files of that folder, are read again when it is their turn.
    pub(super) fn read_again(&mut self, path: &Path) -> rusqlite::Result<()> {
        let change = format!("UPDATE inputs SET len = NULL WHERE {UNDER}");
        self.db().execute(&change, under(path)).map(|_| ())
    }

    /// All files are read again when it is their turn, but for those of which nothing is held any more.
    pub(super) fn read_all_again(&mut self) -> rusqlite::Result<()> {
        let held = "UPDATE inputs SET len = NULL WHERE articles = 0 OR number IN (SELECT file FROM articles)";
        self.db().execute(held, []).map(|_| ())
    }

    /// Takes out what came from a place that is no longer read.
    pub(super) fn leave(&mut self, place: &str) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute("DELETE FROM articles WHERE place = ?", [place])?;
        change.execute("DELETE FROM names WHERE place = ?", [place])?;
        // Some may be another place's too: that one reads them anew.
        let files = format!("DELETE FROM articles WHERE file IN (SELECT number FROM inputs WHERE {UNDER})");
        change.execute(&files, under(Path::new(place)))?;
        change.execute(&format!("DELETE FROM inputs WHERE {UNDER}"), under(Path::new(place)))?;
        change.commit()
    }

    /// Whose each name is: the name, folded, and an address of who had it first.
    pub(super) fn names(&self) -> rusqlite::Result<Vec<(String, String)>> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT name, at FROM names")?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// What was said of each place when it was last read.
    pub(super) fn terms(&self) -> rusqlite::Result<BTreeMap<String, String>> {
        let db = self.db();
        let mut query = db.prepare_cached("SELECT of, text FROM terms")?;
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }

    /// Notes what is said of each place.
    pub(super) fn set_terms(&mut self, terms: &BTreeMap<String, String>) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        change.execute("DELETE FROM terms", [])?;
        for (of, text) in terms {
            change.execute("INSERT INTO terms VALUES (?, ?)", [of, text])?;
        }
        change.commit()
    }

    /// Some of the articles behind `seq`, in the order in which they came.
    pub(super) fn after(&self, seq: i64, most: usize) -> rusqlite::Result<Vec<Kept>> {
        let db = self.db();
        let mut query = db.prepare_cached(
            "SELECT seq, place, file, story, called, at, stated, language, is_titled, article FROM articles WHERE seq > ?
             ORDER BY seq LIMIT ?",
        )?;
        query.query_map(params![seq, most], Kept::of)?.collect()
    }

    /// Nothing is held.
    pub(super) fn begin_again(&mut self) {
        self.held.clear();
    }

    /// Notes that an article is in a story.
    pub(super) fn hold(&mut self, article: ArticleId, carried: Carried) {
        self.held.insert(article, carried);
    }

    /// Whether an article is in a story.
    pub(super) fn holds(&self, article: ArticleId) -> bool {
        self.held.contains_key(&article)
    }

    /// On what terms an article is carried.
    pub(super) fn carried(&self, article: ArticleId) -> Carried {
        self.held.get(&article).copied().unwrap_or_default()
    }

    /// Notes that articles are in other stories now.
    pub(super) fn move_all(&mut self, moved: &[(ArticleId, StoryId)]) -> rusqlite::Result<()> {
        let mut db = self.db();
        let change = db.transaction()?;
        for (article, story) in moved {
            change
                .prepare_cached("UPDATE articles SET story = ? WHERE id = ?")?
                .execute([story.0, article.0])?;
        }
        change.commit()
    }

    /// Forgets the articles that are no longer held.
    pub(super) fn forget(&mut self, is_held: impl Fn(ArticleId) -> bool) -> rusqlite::Result<()> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        let change = db.transaction()?;
        let mut delete = change.prepare_cached("DELETE FROM articles WHERE id = ?")?;
        for (article, _) in self.held.extract_if(|article, _| !is_held(*article)) {
            delete.execute([article.0])?;
        }
        drop(delete);
        change.commit()
    }

    /// Begins a change: all of it is kept, or nothing.
    pub(super) fn change(&mut self) -> rusqlite::Result<Change<'_>> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        Ok(Change { change: db.transaction()?, held: &mut self.held, taken: Vec::new() })
    }
}

/// What is kept together, until [`Change::commit`].
pub(super) struct Change<'a> {
    change: Transaction<'a>,
    held: &'a mut HashMap<ArticleId, Carried>,
    taken: Vec<(ArticleId, Carried)>,
}

impl Change<'_> {
    /// Begins with a file. Returns its number. Its articles leave that are not kept again before its end ([`Change::end`]).
    pub(super) fn begin(&mut self, path: &str) -> rusqlite::Result<i64> {
        let mut input = self.change.prepare_cached(
            "INSERT INTO inputs (path, articles, left_out) VALUES (?, 0, '') ON CONFLICT (path) DO UPDATE SET len = NULL
             RETURNING number",
        )?;
        let number = input.query_row([path], |row| row.get(0))?;
        self.change.prepare_cached("UPDATE articles SET leaves = 1 WHERE file = ?")?.execute([number])?;
        Ok(number)
    }

    /// Notes that a name is somebody's at that address, unless it is another's.
    pub(super) fn claim(&mut self, name: &str, at: &str, place: &str) -> rusqlite::Result<()> {
        let claim = "INSERT OR IGNORE INTO names VALUES (?, ?, ?)";
        self.change.prepare_cached(claim)?.execute([name, at, place]).map(|_| ())
    }

    /// Keeps an article. Returns whether it is new at its place or differs from what was kept there.
    pub(super) fn keep(
        &mut self,
        place: &str,
        file: i64,
        entry: &Entry,
        story: StoryId,
    ) -> rusqlite::Result<bool> {
        self.taken.push((entry.id, entry.carried));
        let Entry { id, called, at, url, language, is_titled, bytes, .. } = entry;
        let stated = entry.stated.map(|rights| rights.to_string());
        let mut same = self.change.prepare_cached(
            "UPDATE articles SET leaves = 0, stated = ?, language = ?, is_titled = ?, called = ?
             WHERE id = ? AND place = ? AND file = ? AND article = ?",
        )?;
        if same.execute(params![stated, language, is_titled, called, id.0, place, file, bytes])? == 1 {
            return Ok(false);
        }
        if let (FEED, Some(url)) = (file, url) {
            // The version before stands for nothing any more; of a page that changes all day there would be hundreds.
            let before =
                "DELETE FROM articles WHERE url = ? AND place = ? AND file = ? AND id <> ? AND story = ?";
            self.change.prepare_cached(before)?.execute(params![url, place, file, id.0, story.0])?;
        }
        let mut put = self.change.prepare_cached(
            "INSERT INTO articles (id, place, file, story, called, at, url, stated, language, is_titled, leaves, article)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?) ON CONFLICT (id, place, file) DO UPDATE SET leaves = 0, called = excluded.called,
             stated = excluded.stated, language = excluded.language, is_titled = excluded.is_titled, article = excluded.article",
        )?;
        put.execute(params![
            id.0, place, file, story.0, called, at, url, stated, language, is_titled, bytes
        ])?;
        Ok(true)
    }

    /// Ends with a file that looks like that and holds so many articles. Returns whether articles of it left.
    pub(super) fn end(
        &mut self,
        number: i64,
        stamp: Stamp,
        articles: usize,
        left_out: &str,
    ) -> rusqlite::Result<bool> {
        let note = "UPDATE inputs SET len = ?, modified = ?, articles = ?, left_out = ? WHERE number = ?";
        let values = params![stamp.len, stamp.modified, articles, left_out, number];
        self.change.prepare_cached(note)?.execute(values)?;
        let mut leave = self.change.prepare_cached("DELETE FROM articles WHERE file = ? AND leaves")?;
        leave.execute([number]).map(|left| left > 0)
    }

    /// Forgets a file that is gone. Returns whether articles of it left.
    pub(super) fn gone(&mut self, number: i64) -> rusqlite::Result<bool> {
        self.change.execute("DELETE FROM inputs WHERE number = ?", [number])?;
        self.change.execute("DELETE FROM articles WHERE file = ?", [number]).map(|left| left > 0)
    }

    /// Puts an article under another name in the place of one.
    pub(super) fn rename(&mut self, seq: i64, article: &Article) -> rusqlite::Result<()> {
        let change = "UPDATE OR REPLACE articles SET id = ?, article = ? WHERE seq = ?";
        self.change.execute(change, params![article.id.0, codec::encode(article), seq]).map(|_| ())
    }

    /// Takes out an article that cannot be read any more. Its file is read again.
    pub(super) fn discard(&mut self, seq: i64) -> rusqlite::Result<()> {
        let file = "SELECT file FROM articles WHERE seq = ?";
        let file: Option<i64> = self.change.query_row(file, [seq], |row| row.get(0)).optional()?;
        self.change.execute("UPDATE inputs SET len = NULL WHERE number = ?", [file])?;
        self.change.execute("DELETE FROM articles WHERE seq = ?", [seq]).map(|_| ())
    }

    /// Keeps all of it.
    pub(super) fn commit(self) -> rusqlite::Result<()> {
        self.change.commit()?;
        self.held.extend(self.taken);
        Ok(())
    }
}

/// A file, or one that lies right in a folder: its path as it is, and with the separator and what sorts just behind that.
const UNDER: &str = "(path = ?1 OR path > ?2 AND path < ?3 AND instr(substr(path, length(?2) + 1), ?4) = 0)";

fn under(path: &Path) -> [String; 4] {
    const SEPARATOR: char = std::path::MAIN_SEPARATOR;
    let behind = char::from_u32(SEPARATOR as u32 + 1).unwrap_or(char::MAX);
    let path = path.display().to_string();
    [path.clone(), format!("{path}{SEPARATOR}"), format!("{path}{behind}"), SEPARATOR.to_string()]
}

#[cfg(test)]
mod tests {
    use proto::story::{Block, Extent};

    use super::*;

    const OWN: Carried = Carried { rights: Rights::Own, quoted: QUOTED };
    const STAMP: Stamp = Stamp { len: 7, modified: 1 };

    fn article(n: u8) -> Article {
        Article {
            id: ArticleId([n; 16]),
            outlet: "Quay".into(),
            title: "Tide".into(),
            byline: None,
            published: None,
            url: None,
            body: vec![Block::Paragraph("The quay was closed.".into())],
            picture: None,
            credit: None,
            extent: Extent::Whole,
            opinion: None,
        }
    }

    fn entry(article: &Article) -> Entry {
        Entry {
            id: article.id,
            carried: OWN,
            called: article.outlet.clone(),
            at: None,
            url: article.url.clone(),
            stated: Some(Rights::Own),
            language: Some("en".into()),
            is_titled: true,
            bytes: codec::encode(article),
        }
    }

    /// Keeps articles as those of a file. Returns whether others of it left.
    fn keep(known: &mut Known, path: &str, articles: &[u8]) -> bool {
        let mut change = known.change().unwrap();
        let number = change.begin(path).unwrap();
        for n in articles {
            change.keep("/news", number, &entry(&article(*n)), StoryId([9; 16])).unwrap();
        }
        let left = change.end(number, STAMP, articles.len(), "").unwrap();
        change.commit().unwrap();
        left
    }

    fn ids(known: &Known) -> Vec<u8> {
        known.after(0, 100).unwrap().iter().map(|kept| kept.article().unwrap().id.0[0]).collect()
    }

    fn is_read(known: &Known, path: &str) -> bool {
        known.files(Path::new(path)).unwrap().get(path).is_some_and(|file| file.stamp == Some(STAMP))
    }

    #[test]
    fn what_is_kept_is_there_again_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outlets.db");
        let mut known = Known::open(Some(&file)).unwrap();
        keep(&mut known, "/news/b", &[3, 1]);
        keep(&mut known, "/news/a", &[2]);
        assert_eq!(
            (known.carried(ArticleId([2; 16])), known.carried(ArticleId([7; 16]))),
            (OWN, Carried::default())
        );
        assert_eq!((OWN.most(), Carried::default().most()), (None, Some(QUOTED)));
        drop(known);
        let known = Known::open(Some(&file)).unwrap();
        assert_eq!(ids(&known), [3, 1, 2]);
        let kept = known.after(1, 1).unwrap().remove(0);
        assert_eq!((kept.seq, kept.article().unwrap(), kept.story), (2, article(1), StoryId([9; 16])));
        assert_eq!((kept.place.as_str(), kept.is_of_feed, kept.called.as_str()), ("/news", false, "Quay"));
        assert_eq!(
            (kept.stated, kept.language.as_deref(), kept.is_titled),
            (Some(Rights::Own), Some("en"), true)
        );
        assert!(is_read(&known, "/news/a") && !known.holds(ArticleId([2; 16])), "no story has it yet");
    }

    #[test]
    fn of_a_file_that_is_read_again_only_what_it_still_holds_stays_and_in_its_place() {
        let mut known = Known::open(None).unwrap();
        assert!(!keep(&mut known, "/news/a", &[1, 2]));
        assert!(!keep(&mut known, "/news/b", &[2, 3]));
        assert!(!keep(&mut known, "/news/a", &[2, 1, 4]));
        assert_eq!(ids(&known), [1, 2, 2, 3, 4]);
        assert!(keep(&mut known, "/news/a", &[1]));
        assert_eq!(ids(&known), [1, 2, 3], "the other file's stays");
        known.forget(|article| article != ArticleId([1; 16])).unwrap();
        assert_eq!(ids(&known), [2, 3]);
        assert!(is_read(&known, "/news/a"), "nothing is held of it, and nothing is to be had from it");
        known.read_all_again().unwrap();
        assert!(is_read(&known, "/news/a") && !is_read(&known, "/news/b"));
    }

    #[test]
    fn a_change_is_kept_whole_or_not_at_all() {
        let mut known = Known::open(None).unwrap();
        keep(&mut known, "/news/a", &[1]);
        let mut change = known.change().unwrap();
        let number = change.begin("/news/a").unwrap();
        change.keep("/news", number, &entry(&article(2)), StoryId([9; 16])).unwrap();
        assert!(change.end(number, STAMP, 1, "").unwrap());
        drop(change);
        assert_eq!(ids(&known), [1]);
        assert!(known.holds(ArticleId([1; 16])) && !known.holds(ArticleId([2; 16])));
        // Begun and not ended: it is read again.
        let mut change = known.change().unwrap();
        change.begin("/news/a").unwrap();
        change.commit().unwrap();
        assert!(!is_read(&known, "/news/a"));
        assert_eq!(ids(&known), [1]);
    }

    #[test]
    fn the_files_of_a_folder_are_those_that_lie_right_in_it() {
        let mut known = Known::open(None).unwrap();
        for (path, articles) in [
            ("/news/a", 1),
            ("/news/b", 2),
            ("/news/own/c", 3),
            ("/news-of-others/d", 4),
            ("/new", 5),
            ("/news0", 6),
        ] {
            keep(&mut known, path, &(0..articles).collect::<Vec<_>>());
        }
        let of = |path: &str| known.articles(Path::new(path)).unwrap();
        assert_eq!(
            (of("/news"), of("/news/b"), of("/news-of-others"), of("/none"), of("/news/own")),
            (3, 2, 4, 0, 3)
        );
        known.read_again(Path::new("/news")).unwrap();
        assert!(!is_read(&known, "/news/a") && is_read(&known, "/news/own/c"));
        known.leave("/news").unwrap();
        assert!(ids(&known).is_empty());
        assert!(known.files(Path::new("/news")).unwrap().is_empty() && is_read(&known, "/new"));
    }

    #[test]
    fn what_cannot_be_read_any_more_is_taken_out_and_its_file_read_again() {
        let mut known = Known::open(None).unwrap();
        keep(&mut known, "/news/a", &[1, 2]);
        known.db().execute("UPDATE articles SET article = x'00' WHERE seq = 1", []).unwrap();
        assert!(known.after(0, 1).unwrap()[0].article().is_err());
        let mut change = known.change().unwrap();
        change.discard(1).unwrap();
        change.rename(2, &article(5)).unwrap();
        change.commit().unwrap();
        assert_eq!(ids(&known), [5]);
        assert!(!is_read(&known, "/news/a"));
    }

    #[test]
    fn of_a_feeds_page_the_last_version_alone_is_kept() {
        let mut known = Known::open(None).unwrap();
        let version = |n: u8, url: &str| Article { url: Some(url.into()), ..article(n) };
        let keep = |known: &mut Known, article: &Article, story: u8| {
            let mut change = known.change().unwrap();
            assert!(
                change
                    .keep("https://quay.example/feed", FEED, &entry(article), StoryId([story; 16]))
                    .unwrap()
            );
            change.commit().unwrap();
        };
        for (n, url, story) in [
            (1, "https://quay.example/1", 1),
            (2, "https://quay.example/2", 1),
            (3, "https://quay.example/1", 1),
            (4, "https://quay.example/2", 2),
        ] {
            keep(&mut known, &version(n, url), story);
        }
        assert_eq!(ids(&known), [2, 3, 4], "of another story it is another article");
    }

    #[test]
    fn whose_a_name_is_stays_known_until_its_place_leaves() {
        let mut known = Known::open(None).unwrap();
        for (name, at, place) in [("quay", "a", "a"), ("quay", "b", "b"), ("courier", "b", "b")] {
            let mut change = known.change().unwrap();
            change.claim(name, at, place).unwrap();
            change.commit().unwrap();
        }
        let names = |known: &Known| {
            known.names().unwrap().into_iter().map(|(name, at)| name + " " + &at).collect::<Vec<_>>()
        };
        assert_eq!(names(&known), ["quay a", "courier b"]);
        known.leave("a").unwrap();
        assert_eq!(names(&known), ["courier b"]);
    }

    #[test]
    fn what_moves_to_another_story_is_there_after_a_restart() {
        let mut known = Known::open(None).unwrap();
        keep(&mut known, "/news/a", &[1, 2]);
        keep(&mut known, "/news/b", &[2]);
        known
            .move_all(&[(ArticleId([2; 16]), StoryId([5; 16])), (ArticleId([7; 16]), StoryId([5; 16]))])
            .unwrap();
        let stories: Vec<u8> = known.after(0, 10).unwrap().iter().map(|kept| kept.story.0[0]).collect();
        assert_eq!(stories, [9, 5, 5]);
    }

    #[test]
    fn what_is_done_on_a_copy_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outlets.db");
        let mut known = Known::open(Some(&file)).unwrap();
        keep(&mut known, "/news/a", &[1]);
        let mut copy = Known::open(Some(&file)).unwrap().copied().unwrap();
        assert_eq!(ids(&copy), [1]);
        keep(&mut copy, "/news/a", &[2]);
        keep(&mut copy, "/news/b", &[3]);
        copy.set_terms(&BTreeMap::from([("/news".into(), "own".into())])).unwrap();
        assert_eq!((ids(&copy), copy.terms().unwrap().len()), (vec![2, 3], 1));
        assert_eq!((ids(&known), known.terms().unwrap().len()), (vec![1], 0));
    }
}
