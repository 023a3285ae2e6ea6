//! Which files were read, in which order, and which of them are past: all of their articles are forgotten. All that stays of
//! a file that is past is a row in the press's memory of outlets, and after a restart it is not read again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use proto::story::ArticleId;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::outlets::{self, Rights};
use crate::rules::QUOTED;

/// The files read, ever and in this run.
pub(super) struct Known {
    db: Mutex<Connection>,
    /// Files read in this run that are not past, by their numbers, and how many of their articles are held.
    read: HashMap<i64, u32>,
    /// The articles held: on what terms each may be carried, and the file that it stands in.
    held: HashMap<ArticleId, (Carried, Option<i64>)>,
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
#[derive(Clone, Copy, PartialEq, Eq)]
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
    /// Counts up in the order in which files were first read.
    pub(super) number: i64,
    stamp: Stamp,
    is_past: bool,
}

impl Known {
    /// Opens the memory in `file`; with `None` one that ends with the program.
    pub(super) fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = outlets::database(file)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE IF NOT EXISTS files (number INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, len INTEGER NOT NULL,
                 modified INTEGER NOT NULL, articles INTEGER NOT NULL, is_past INTEGER NOT NULL);",
        )?;
        Ok(Self { db: Mutex::new(db), read: HashMap::new(), held: HashMap::new() })
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of the file at `path`.
    pub(super) fn file(&self, path: &Path) -> rusqlite::Result<Option<File>> {
        let db = self.db();
        let mut query =
            db.prepare_cached("SELECT number, len, modified, is_past FROM files WHERE path = ?")?;
        let row = |row: &rusqlite::Row<'_>| {
            let stamp = Stamp { len: row.get(1)?, modified: row.get(2)? };
            Ok(File { number: row.get(0)?, stamp, is_past: row.get(3)? })
        };
        query.query_row([path.to_string_lossy()], row).optional()
    }

    /// Whether nothing is to be had from reading a file that looks like this.
    pub(super) fn is_read(&self, file: &File, stamp: Stamp) -> bool {
        file.stamp == stamp && (file.is_past || self.read.contains_key(&file.number))
    }

    /// Notes that a file was read. Returns its number.
    pub(super) fn note(&mut self, path: &Path, stamp: Stamp, articles: usize) -> rusqlite::Result<i64> {
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        let mut change = db.prepare_cached(
            "INSERT INTO files (path, len, modified, articles, is_past) VALUES (?, ?, ?, ?, 0) ON CONFLICT (path) DO UPDATE
             SET len = excluded.len, modified = excluded.modified, articles = excluded.articles, is_past = 0 RETURNING number",
        )?;
        let values = params![path.to_string_lossy(), stamp.len, stamp.modified, articles];
        let number = change.query_row(values, |row| row.get(0))?;
        self.read.entry(number).or_default();
        Ok(number)
    }

    /// The file is read again when it is its turn: it could not be read to its end, and that was not its fault.
    pub(super) fn not_read(&mut self, number: i64) {
        self.read.remove(&number);
    }

    /// How many articles there are in the file at `path`, or in the folder's files.
    pub(super) fn articles(&self, path: &Path) -> rusqlite::Result<u32> {
        let path = path.to_string_lossy();
        let inside = format!("{path}{}", std::path::MAIN_SEPARATOR);
        let sum = "SELECT COALESCE(SUM(articles), 0) FROM files WHERE path = ?1 OR substr(path, 1, length(?2)) = ?2";
        self.db().query_row(sum, [&path, inside.as_str()], |row| row.get(0))
    }

    /// All files are read again when it is their turn, but for those that are past.
    pub(super) fn read_again(&mut self) {
        self.read.clear();
        self.held.values_mut().for_each(|(_, file)| *file = None);
    }

    /// Nothing is read and nothing held, as after a restart.
    pub(super) fn begin_again(&mut self) {
        self.read.clear();
        self.held.clear();
    }

    /// Notes that an article is held.
    pub(super) fn hold(&mut self, article: ArticleId, carried: Carried, file: Option<i64>) {
        let before = self.held.insert(article, (carried, file));
        if before.is_none_or(|(_, before)| before != file) {
            self.count(before.and_then(|(_, file)| file), -1);
            self.count(file, 1);
        }
    }

    /// On what terms an article is carried.
    pub(super) fn carried(&self, article: ArticleId) -> Carried {
        self.held.get(&article).map(|(carried, _)| *carried).unwrap_or_default()
    }

    /// Forgets the articles that are no longer held. A file of which none is left is past.
    pub(super) fn forget(&mut self, is_held: impl Fn(ArticleId) -> bool) -> rusqlite::Result<()> {
        let gone: Vec<_> = self.held.extract_if(|article, _| !is_held(*article)).collect();
        for (_, (_, file)) in &gone {
            self.count(*file, -1);
        }
        let db = self.db.get_mut().unwrap_or_else(PoisonError::into_inner);
        let change = db.transaction()?;
        for number in gone.into_iter().filter_map(|(_, (_, file))| file) {
            if self.read.get(&number) == Some(&0) {
                self.read.remove(&number);
                change.execute("UPDATE files SET is_past = 1 WHERE number = ?", [number])?;
            }
        }
        change.commit()
    }

    fn count(&mut self, file: Option<i64>, more: i32) {
        if let Some(held) = file.and_then(|number| self.read.get_mut(&number)) {
            *held = held.saturating_add_signed(more);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: Carried = Carried { rights: Rights::Own, quoted: QUOTED };
    const STAMP: Stamp = Stamp { len: 7, modified: 1 };

    fn article(n: u8) -> ArticleId {
        ArticleId([n; 16])
    }

    fn is_read(known: &Known, path: &str, stamp: Stamp) -> bool {
        known.file(Path::new(path)).unwrap().is_some_and(|file| known.is_read(&file, stamp))
    }

    #[test]
    fn a_file_is_past_once_none_of_its_articles_is_held_and_stays_so_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("outlets.db");
        let mut known = Known::open(Some(&file)).unwrap();
        for (path, articles) in [("a", [1, 2]), ("b", [3, 4])] {
            let number = known.note(Path::new(path), STAMP, 2).unwrap();
            for n in articles {
                known.hold(article(n), OWN, Some(number));
            }
            assert!(is_read(&known, path, STAMP));
        }
        assert_eq!((known.carried(article(2)), known.carried(article(9))), (OWN, Carried::default()));
        assert_eq!((OWN.most(), Carried::default().most()), (None, Some(QUOTED)));
        known.forget(|it| it != article(1) && it != article(3) && it != article(4)).unwrap();
        assert_eq!(known.carried(article(1)), Carried::default());
        assert!(known.held.len() == 1 && known.read.len() == 1);
        drop(known);

        // As after a restart: what is past is not read again, the other is, and in its place in the order.
        let mut known = Known::open(Some(&file)).unwrap();
        assert!(!is_read(&known, "a", STAMP) && is_read(&known, "b", STAMP));
        assert!(!is_read(&known, "b", Stamp { len: 8, ..STAMP }), "it has changed");
        assert!(!is_read(&known, "b", Stamp { modified: 2, ..STAMP }), "it has changed");
        assert_eq!(known.note(Path::new("a"), STAMP, 2).unwrap(), 1);
        assert!(is_read(&known, "a", STAMP));
        assert_eq!(known.note(Path::new("b"), Stamp { len: 8, ..STAMP }, 1).unwrap(), 2);
        assert!(is_read(&known, "b", Stamp { len: 8, ..STAMP }));
        assert!(known.file(Path::new("c")).unwrap().is_none());
    }

    #[test]
    fn an_article_that_stands_in_two_files_is_held_by_the_later() {
        let mut known = Known::open(None).unwrap();
        let first = known.note(Path::new("a"), STAMP, 1).unwrap();
        known.hold(article(1), OWN, Some(first));
        let second = known.note(Path::new("b"), STAMP, 1).unwrap();
        known.hold(article(1), Carried::default(), Some(second));
        known.hold(article(1), Carried::default(), Some(second));
        assert_eq!((known.read[&first], known.read[&second]), (0, 1));
        known.read_again();
        assert!(!is_read(&known, "b", STAMP));
        assert_eq!(known.note(Path::new("b"), STAMP, 1).unwrap(), second);
        known.hold(article(1), Carried::default(), Some(second));
        assert_eq!(known.read[&second], 1);
    }

    #[test]
    fn the_articles_of_a_folder_are_those_of_its_files() {
        let mut known = Known::open(None).unwrap();
        for (path, articles) in [("/news/a", 1), ("/news/b", 20), ("/news-of-others/c", 300), ("/new", 4_000)]
        {
            known.note(Path::new(path), STAMP, articles).unwrap();
        }
        let of = |path: &str| known.articles(Path::new(path)).unwrap();
        assert_eq!((of("/news"), of("/news/b"), of("/news-of-others"), of("/none")), (21, 20, 300, 0));
    }
}
