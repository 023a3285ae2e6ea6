//! The list of mutants, and whether it still fits the sources and the threat model.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::record;

const LIST: &str = "tests/mutants.toml";
const THREAT_MODEL: &str = "docs/threat-model.md";

/// Who is built again when one of them changes: each may know those after it. What is changed is undone with the next
/// mutant, so the last to be changed are those on which the most hangs.
const ROOMS: &[&str] =
    &["lab", "firsthand", "reader", "desk", "press", "server", "client", "ui", "news", "proto"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct List {
    #[serde(rename = "mutant")]
    pub(super) mutants: Vec<Mutant>,
    /// Tests that the threat model names and that no change of the source can make fail.
    #[serde(default)]
    unchangeable: Vec<Unchangeable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchangeable {
    test: String,
    why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mutant {
    pub(super) promise: Vec<String>,
    pub(super) check: Option<String>,
    pub(super) defence: String,
    file: String,
    find: String,
    replace: String,
    /// The other place of a defence that stands twice.
    #[serde(default)]
    also: Vec<Change>,
    pub(super) tests: Vec<String>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Change {
    pub(super) file: String,
    pub(super) find: String,
    pub(super) replace: String,
}

/// Where a test is built: a package's library, or one of its test programs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Home {
    pub(super) package: String,
    pub(super) target: Option<String>,
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.package, self.target.as_deref().unwrap_or("library"))
    }
}

/// A sentence for everything in which the list does not fit the sources or the threat model.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>> {
    let list = List::read(root)?;
    let mut faults = list.faults(root)?;
    faults.extend(record::fault(root, &list)?);
    Ok(faults)
}

impl List {
    pub(super) fn read(root: &Path) -> Result<Self> {
        toml::from_str(&read(&root.join(LIST))?).with_context(|| format!("could not understand {LIST}"))
    }

    pub(super) fn faults(&self, root: &Path) -> Result<Vec<String>> {
        let homes = homes(root)?;
        let spec: String =
            files(&root.join("docs/spec"), "md")?.iter().map(|path| read(path)).collect::<Result<_>>()?;
        let named = named(&read(&root.join(THREAT_MODEL))?);
        let promises: BTreeSet<&String> = named.values().flatten().collect();
        let mut faults = Vec::new();
        let mut defences = BTreeSet::new();
        for mutant in &self.mutants {
            let Mutant { defence, tests, promise, check, .. } = mutant;
            let mut fault = |what: String| faults.push(format!("{LIST}: \"{defence}\": {what}"));
            if defence.contains('|') || !defences.insert(defence) {
                fault("a defence stands once, without a bar".into());
            }
            if promise.is_empty() || tests.is_empty() {
                fault("a mutant has a promise and a test".into());
            }
            for promise in promise.iter().filter(|promise| !promises.contains(promise)) {
                fault(format!("the threat model has no promise {promise}"));
            }
            for check in check.iter().filter(|check| !spec.contains(&format!("**{check}**"))) {
                fault(format!("the specification has no check {check}"));
            }
            for test in tests.iter().filter(|test| !homes.contains_key(*test)) {
                fault(format!("there is no one test {test}"));
            }
            mutant.places(root, &mut fault);
        }
        let killers: BTreeSet<&String> = self.mutants.iter().flat_map(|m| &m.tests).collect();
        for Unchangeable { test, why } in &self.unchangeable {
            if killers.contains(test) || !named.contains_key(test) || why.trim().is_empty() {
                faults.push(format!(
                    "{LIST}: {test} is named, kills nothing, and has a reason, or does not stand there"
                ));
            }
        }
        let excused: BTreeSet<&String> = self.unchangeable.iter().map(|it| &it.test).collect();
        for (test, promises) in &named {
            if !killers.contains(test) && !excused.contains(test) {
                faults.push(format!(
                    "{THREAT_MODEL}: {test} ({}) kills no mutant of {LIST}",
                    promises.join(", ")
                ));
            }
        }
        Ok(faults)
    }
}

impl Mutant {
    /// Whether each of these is its promise, its check, or stands in its file's name, its defence or a test's name.
    pub(super) fn fits(&self, words: &[&str]) -> bool {
        let names = self.tests.iter().chain([&self.file, &self.defence]);
        let exact: Vec<&String> = self.promise.iter().chain(&self.check).collect();
        let names: Vec<&String> = names.collect();
        words.iter().all(|word| {
            exact.iter().any(|it| it.as_str() == *word) || names.iter().any(|name| name.contains(word))
        })
    }

    /// Its changes in order.
    pub(super) fn changes(&self) -> impl Iterator<Item = Change> {
        let Self { file, find, replace, .. } = self;
        let first = Change { file: file.clone(), find: find.clone(), replace: replace.clone() };
        std::iter::once(first).chain(self.also.iter().cloned())
    }

    /// When it is its turn, so that as little as can be is built again.
    pub(super) fn when(&self, homes: &BTreeMap<String, Home>) -> (Option<usize>, Option<usize>, String) {
        let room = |name: &str| ROOMS.iter().position(|room| *room == name);
        let changed = self.changes().filter_map(|it| room(it.file.split('/').nth(1)?)).max();
        let built = self.tests.iter().filter_map(|test| room(&homes.get(test)?.package)).min();
        (changed, built, self.file.clone())
    }

    fn places(&self, root: &Path, fault: &mut impl FnMut(String)) {
        let mut texts = BTreeMap::<String, String>::new();
        for Change { file, find, replace } in self.changes() {
            let path = root.join(&file);
            let text = texts.entry(file.clone()).or_insert_with(|| read(&path).unwrap_or_default());
            let times = text.matches(&find).count();
            if times != 1 {
                fault(format!("what is to be found stands {times} times in {file}"));
            }
            *text = text.replacen(&find, &replace, 1);
        }
    }
}

/// The tests that the threat model names, each with its promises.
fn named(threat_model: &str) -> BTreeMap<String, Vec<String>> {
    let mut named = BTreeMap::<String, Vec<String>>::new();
    // **P1. A real envelope ...** ... Tests: `one`, `two`.
    for promise in threat_model.split("\n**P").skip(1) {
        let Some((number, rest)) = promise.split_once('.') else { continue };
        let Some((_, tests)) = rest.split_once("\nTests: ") else { continue };
        let tests = tests.split("\n\n").next().unwrap_or_default();
        for test in tests.split('`').skip(1).step_by(2) {
            named.entry(test.to_owned()).or_default().push(format!("P{number}"));
        }
    }
    named
}

/// Every test of our crates whose name no other has, by its name.
pub(super) fn homes(root: &Path) -> Result<BTreeMap<String, Home>> {
    let mut homes = BTreeMap::<String, Vec<Home>>::new();
    let crates = root.join("crates");
    for path in files(&crates, "rs")? {
        let Some(home) = home(path.strip_prefix(&crates)?) else { continue };
        for test in tests(&read(&path)?) {
            homes.entry(test).or_default().push(home.clone());
        }
    }
    let one =
        |(name, mut homes): (String, Vec<Home>)| Some((name, homes.pop().filter(|_| homes.is_empty())?));
    Ok(homes.into_iter().filter_map(one).collect())
}

// proto/src/mix.rs; proto/tests/model.rs; server/tests/roles/mixes/actors.rs
fn home(path: &Path) -> Option<Home> {
    let parts: Vec<&str> = path.iter().map(|part| part.to_str()).collect::<Option<_>>()?;
    let (package, target) = match parts[..] {
        [package, "src", ..] => (package, None),
        [package, "tests", target, ..] => (package, Some(target.trim_end_matches(".rs").to_owned())),
        _ => return None,
    };
    Some(Home { package: package.to_owned(), target })
}

/// Names of functions behind an attribute that ends in `test]`.
fn tests(source: &str) -> Vec<String> {
    let mut tests = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        let code = line.trim_start_matches("async ");
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(rest) = code.strip_prefix("fn ")
            && std::mem::take(&mut is_test)
        {
            tests.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
        }
    }
    tests
}

fn files(folder: &Path, kind: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("could not read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, kind)?);
        } else if path.extension().is_some_and(|extension| extension == kind) {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process;

    #[test]
    fn our_own_list_fits() {
        assert_eq!(faults(process::root()).unwrap(), Vec::<String>::new());
    }

    fn house(list: &str) -> Vec<String> {
        let house = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = house.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            THREAT_MODEL,
            "\n**P1. It holds.**\nTests: `one`,\n`two`.\n\n**P2. It too.**\nTests: `two`.\n\n## 3",
        );
        write("docs/spec/a.md", "- **ABC-01** A check.");
        write("crates/a/src/lib.rs", "fn a() { b(); b(); c() }\n#[test]\nfn one() {}\n");
        write(
            "crates/a/tests/b/main.rs",
            "#[tokio::test(flavor = \"x\")]\nasync fn two() {}\nfn three() {}\n",
        );
        write(LIST, list);
        List::read(house.path()).unwrap().faults(house.path()).unwrap()
    }

    const GOOD: &str = "[[mutant]]\npromise = ['P1', 'P2']\ncheck = 'ABC-01'\ndefence = 'It is so.'\n\
        file = 'crates/a/src/lib.rs'\nfind = 'c()'\nreplace = ''\ntests = ['one', 'two']\n";

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(house(GOOD), Vec::<String>::new());
        for (bent, to, part) in [
            ("'c()'", "'b()'", "stands 2 times"),
            ("'c()'", "'d()'", "stands 0 times"),
            ("lib.rs", "gone.rs", "stands 0 times"),
            ("'P2'", "'P3'", "no promise P3"),
            ("ABC-01", "ABC-02", "no check ABC-02"),
            ("'two'", "'three'", "no one test three"),
            (", 'two'", "", "two (P1, P2) kills no mutant"),
        ] {
            let faults = house(&GOOD.replace(bent, to));
            assert!(faults.iter().any(|fault| fault.contains(part)), "{part}: {faults:?}");
        }
        let excused = GOOD.replace(", 'two'", "")
            + "[[unchangeable]]\ntest = 'two'\nwhy = 'It looks at nothing of ours.'\n";
        assert_eq!(house(&excused), Vec::<String>::new());
        assert_eq!(house(&(GOOD.to_owned() + "[[unchangeable]]\ntest = 'two'\nwhy = 'So.'\n")).len(), 1);
        assert_eq!(house(&(GOOD.to_owned() + GOOD)).len(), 1, "one defence twice");
    }

    #[test]
    fn a_defence_that_stands_twice_is_changed_in_both_places() {
        let also = "[[mutant.also]]\nfile = 'crates/a/src/lib.rs'\nfind = 'b(); b()'\nreplace = 'c()'\n";
        assert_eq!(house(&(GOOD.to_owned() + also)), Vec::<String>::new());
        let again = also.replace("b(); b()", "c()");
        assert_eq!(house(&(GOOD.to_owned() + &again)).len(), 1, "the first change took it away");
    }

    #[test]
    fn a_test_is_at_home_in_the_library_or_in_a_program() {
        let at = |path: &str| home(Path::new(path)).map(|home| home.to_string());
        assert_eq!(at("proto/src/log/note.rs").as_deref(), Some("proto library"));
        assert_eq!(at("proto/tests/model.rs").as_deref(), Some("proto model"));
        assert_eq!(at("server/tests/roles/mixes/actors.rs").as_deref(), Some("server roles"));
        assert_eq!(at("ui/examples/gallery.rs"), None);
    }
}
