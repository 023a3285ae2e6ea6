//! The list of outlets: what `firsthand press add` puts in and a running press reads before each edition.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

/// The name of the file in the press's folder that holds the list and what is remembered of each outlet. Unlike `press.db` it
/// may be lost: then outlets are added anew and asked anew.
pub const FILE: &str = "outlets.db";

/// One outlet, or a folder of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Where its articles come from.
    pub place: Place,
    /// The name to print in place of the one that its feed or pages give.
    pub name: Option<String>,
    /// On what terms its articles may be carried.
    pub rights: Rights,
}

/// Where articles come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The address of a feed.
    Feed(String),
    /// A folder or a file.
    Path(PathBuf),
}

/// On what terms an outlet's articles may be carried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rights {
    /// They are somebody else's: they may be pointed to and quoted from.
    #[default]
    Quoted,
    /// Their owner lets this press carry them whole.
    Licensed,
    /// They are this press's own.
    Own,
}

impl Rights {
    /// Whether text and pictures may be carried whole.
    pub fn allow_all(self) -> bool {
        self != Self::Quoted
    }

    /// What that means, as a sentence.
    pub fn note(self) -> &'static str {
        match self {
            Self::Quoted => "not own: only title, link, quotes and evidence are carried",
            Self::Licensed => "licensed: the full text is carried",
            Self::Own => "own: the full text is carried",
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quoted => "quoted",
            Self::Licensed => "licensed",
            Self::Own => "own",
        })
    }
}

impl FromStr for Rights {
    type Err = UnknownRights;

    fn from_str(text: &str) -> Result<Self, UnknownRights> {
        [Self::Quoted, Self::Licensed, Self::Own]
            .into_iter()
            .find(|rights| rights.to_string() == text)
            .ok_or(UnknownRights)
    }
}

/// Rights that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rights are own, licensed or quoted")]
pub struct UnknownRights;

impl Outlet {
    /// An outlet of others, by its place.
    pub fn quoted(place: Place) -> Self {
        Self { place, name: None, rights: Rights::Quoted }
    }
}

impl Place {
    /// Its address, or its path as text: what it is called in the list.
    pub fn address(&self) -> String {
        match self {
            Self::Feed(address) => address.clone(),
            Self::Path(path) => path.display().to_string(),
        }
    }
}

/// Opens the database in `file`, which several programs may use at once; with `None` one that ends with the program.
pub(crate) fn database(file: Option<&Path>) -> rusqlite::Result<Connection> {
    let db = match file {
        Some(file) => Connection::open(file)?,
        None => Connection::open_in_memory()?,
    };
    db.busy_timeout(Duration::from_secs(10))?;
    Ok(db)
}

/// The list. Each method is one transaction, durable when it returns; several programs may use it at once.
pub struct Outlets(Mutex<Connection>);

impl Outlets {
    /// Opens the list in `file`; with `None` an empty one that ends with the program.
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = database(file)?;
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE IF NOT EXISTS outlets (seq INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, is_feed INTEGER NOT NULL,
                 name TEXT, rights TEXT NOT NULL);",
        )?;
        Ok(Self(Mutex::new(db)))
    }

    fn db(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an outlet, or changes name and rights of one that is there. Returns whether it is new.
    pub fn add(&self, outlet: &Outlet) -> rusqlite::Result<bool> {
        let (address, is_feed) = (outlet.place.address(), matches!(outlet.place, Place::Feed(_)));
        let mut db = self.db();
        let change = db.transaction()?;
        let known = change
            .query_row("SELECT 1 FROM outlets WHERE address = ?", [&address], |_| Ok(()))
            .optional()?
            .is_some();
        change.execute(
            "INSERT INTO outlets (address, is_feed, name, rights) VALUES (?, ?, ?, ?)
             ON CONFLICT (address) DO UPDATE SET name = excluded.name, rights = excluded.rights",
            params![address, is_feed, outlet.name, outlet.rights.to_string()],
        )?;
        change.commit()?;
        Ok(!known)
    }

    /// Takes an outlet off the list. Returns whether it was there.
    pub fn remove(&self, address: &str) -> rusqlite::Result<bool> {
        self.db().execute("DELETE FROM outlets WHERE address = ?", [address]).map(|gone| gone > 0)
    }

    /// All outlets, in the order in which they were added.
    pub fn all(&self) -> rusqlite::Result<Vec<Outlet>> {
        let db = self.db();
        let mut query = db.prepare("SELECT address, is_feed, name, rights FROM outlets ORDER BY seq")?;
        let rows = query.query_map([], |row| {
            let (address, rights): (String, String) = (row.get(0)?, row.get(3)?);
            let place = if row.get(1)? { Place::Feed(address) } else { Place::Path(address.into()) };
            let rights = rights
                .parse()
                .map_err(|why: UnknownRights| rusqlite::Error::ToSqlConversionFailure(why.into()))?;
            Ok(Outlet { place, name: row.get(2)?, rights })
        })?;
        rows.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_stays_when_it_is_opened_again_and_is_seen_by_who_has_it_open() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        let (running, command) = (Outlets::open(Some(&file)).unwrap(), Outlets::open(Some(&file)).unwrap());
        let feed = Outlet::quoted(Place::Feed("https://quay.example/feed".into()));
        let own = Outlet { rights: Rights::Own, ..Outlet::quoted(Place::Path("/news".into())) };
        assert!(command.add(&feed).unwrap() && command.add(&own).unwrap());
        assert_eq!(running.all().unwrap(), [feed.clone(), own.clone()]);
        let named = Outlet { name: Some("The Quay".into()), rights: Rights::Licensed, ..feed };
        assert!(!command.add(&named).unwrap());
        assert_eq!(running.all().unwrap(), [named, own]);
        assert!(command.remove("https://quay.example/feed").unwrap());
        assert!(!command.remove("https://quay.example/feed").unwrap());
        drop((running, command));
        assert_eq!(Outlets::open(Some(&file)).unwrap().all().unwrap().len(), 1);
    }
}
