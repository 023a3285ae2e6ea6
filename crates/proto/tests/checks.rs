//! The numbered checks stand in four places: the specification, the code beside the check, a test, and a vector. Kept by
//! hand, four lists drift apart; this compares them. It also follows every "file.md §4" in the code to its heading.
//!
//! - The specification defines a number by a line `- **ENV-01** ...`; `(no vector: reason)` in that item excuses it from
//!   having a vector.
//! - Code marks a check by a plain comment (`// ENV-01 ...`) outside its tests.
//! - A test bears the number in its name (`env_01_...`) or in the comment above it.
//! - A vector bears it in its line `check:`. That every vector is run, and none is left that nobody made, is the matter of the
//!   tests `vectors`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

type Numbers = BTreeSet<String>;

/// The four lists, and every number that is mentioned anywhere, with the file that mentions it.
#[derive(Default)]
struct Lists {
    spec: Numbers,
    excused: Numbers,
    code: Numbers,
    tests: Numbers,
    vectors: Numbers,
    mentions: BTreeMap<String, String>,
}

#[test]
fn every_check_has_its_place_its_test_and_its_vector() {
    let lists = read(&root());
    assert!(lists.spec.len() > 50, "only {} checks in the specification", lists.spec.len());
    let faults = compare(&lists);
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_section_that_is_cited_is_there() {
    let faults = sections(&root());
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// The threat model names the tests that would fail.
#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let text = fs::read_to_string(root().join("docs/threat-model.md")).expect("it is there");
    let code: String = sources(&root()).into_iter().map(|(_, text)| text).collect();
    let named: Vec<&str> = text
        .split("\nTests: ")
        .skip(1)
        .flat_map(|rest| rest.split("\n\n").next().unwrap_or_default().split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    let gone: Vec<_> = named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(gone.is_empty(), "not there: {gone:?}");
}

/// The table of README.md §4 and the steps at which tests stop a server.
#[test]
fn the_steps_of_a_round_have_the_same_names_in_code_and_specification() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("it is there");
    let faults = read("crates/server/src/faults.rs");
    let body =
        faults.split("pub enum Step {").nth(1).and_then(|rest| rest.split('}').next()).expect("the steps");
    let code: BTreeSet<&str> = body.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    let readme = read("docs/spec/README.md");
    let table = readme.split("## 4 ").nth(1).expect("the table");
    let spec: BTreeSet<&str> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    assert!(code.len() > 10 && code == spec, "code {code:?}\nspec {spec:?}");
}

#[test]
fn a_list_that_lacks_a_number_or_has_one_more_is_noticed() {
    let set = |numbers: &[&str]| numbers.iter().map(ToString::to_string).collect::<Numbers>();
    let whole = || Lists {
        spec: set(&["ENV-01", "MIX-04"]),
        excused: set(&["MIX-04"]),
        code: set(&["ENV-01", "MIX-04"]),
        tests: set(&["ENV-01", "MIX-04"]),
        vectors: set(&["ENV-01"]),
        mentions: [("ENV-01".into(), "a.rs".into())].into(),
    };
    assert!(compare(&whole()).is_empty());
    let bent: [fn(&mut Lists); 6] = [
        |l| {
            l.code.remove("ENV-01");
        },
        |l| {
            l.tests.remove("MIX-04");
        },
        |l| {
            l.vectors.remove("ENV-01");
        },
        |l| {
            l.vectors.insert("MIX-04".into());
        },
        |l| {
            l.tests.insert("ENV-02".into());
        },
        |l| {
            l.mentions.insert("ENV-09".into(), "b.md".into());
        },
    ];
    for (i, bend) in bent.into_iter().enumerate() {
        let mut lists = whole();
        bend(&mut lists);
        assert_eq!(compare(&lists).len(), 1, "case {i}");
    }
}

#[test]
fn numbers_are_found_where_they_stand_and_nowhere_else() {
    let found = |text: &str| numbers(text).into_iter().collect::<Vec<_>>();
    assert_eq!(found("DIR-01 to DIR-10, and (EDN-05)"), ["DIR-01", "DIR-10", "EDN-05"]);
    assert!(found("ML-DSA-65, SHA-256, XENV-01, ENV-011, env-01").is_empty());
    let source = "// ENV-01: here\n/// ENV-02\nlet x; // ENV-03\n#[cfg(test)]\nmod tests {\n  // ENV-04\n  #[test]\n  \
                  fn env_05_and_env_06() {\n  // ENV-07\n fn env_08() {";
    let mut lists = Lists::default();
    source_file(source, false, &mut lists);
    assert_eq!(lists.code.into_iter().collect::<Vec<_>>(), ["ENV-01", "ENV-03"]);
    assert_eq!(lists.tests.into_iter().collect::<Vec<_>>(), ["ENV-04", "ENV-05", "ENV-06"]);
}

#[test]
fn a_mark_excuses_the_check_in_whose_item_it_stands() {
    let mut lists = Lists::default();
    let text = "- **ENV-01** It is. (no\n  vector: an order is random)\n- **ENV-02** It is not. (no vector:\n  it takes two \
                processes)\n- **ENV-03** It is.\n\n(no vector: of no check at all)";
    specification(text, &mut lists);
    assert_eq!(lists.spec.into_iter().collect::<Vec<_>>(), ["ENV-01", "ENV-02", "ENV-03"]);
    assert_eq!(lists.excused.into_iter().collect::<Vec<_>>(), ["ENV-01", "ENV-02"]);
    let silent = || specification("- **ENV-01** It is. (no vector: )", &mut Lists::default());
    assert!(std::panic::catch_unwind(silent).is_err(), "a mark without a reason");
}

fn compare(lists: &Lists) -> Vec<String> {
    let mut faults = Vec::new();
    let mut missing = |from: &Numbers, to: &Numbers, what: &str| {
        faults.extend(from.difference(to).map(|number| format!("{number} {what}")));
    };
    missing(&lists.spec, &lists.code, "has no place in the code");
    missing(&lists.spec, &lists.tests, "has no test");
    let wanted = lists.spec.difference(&lists.excused).cloned().collect();
    missing(&wanted, &lists.vectors, "has no vector");
    let excused = lists.excused.intersection(&lists.vectors);
    faults.extend(excused.map(|number| format!("{number} has a vector and is said to have none")));
    for (list, what) in [(&lists.code, "code"), (&lists.tests, "a test"), (&lists.vectors, "a vector")] {
        let unknown = list.difference(&lists.spec);
        faults
            .extend(unknown.map(|number| format!("{number} stands in {what} and not in the specification")));
    }
    let unknown = lists.mentions.iter().filter(|(number, _)| !lists.spec.contains(*number));
    faults.extend(unknown.map(|(number, file)| format!("{number} is mentioned in {file} and not specified")));
    faults
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(root: &Path) -> Lists {
    let mut lists = Lists::default();
    for (_, text) in files(&root.join("docs/spec"), "md") {
        specification(&text, &mut lists);
    }
    let mention = |path: &Path, text: &str, lists: &mut Lists| {
        for number in numbers(text) {
            lists.mentions.entry(number).or_insert_with(|| path.display().to_string());
        }
    };
    for (path, text) in files(&root.join("docs"), "md") {
        mention(&path, &text, &mut lists);
    }
    for (path, text) in sources(root) {
        // Integration tests, and files that only tests include.
        let all_test = path.components().any(|part| part.as_os_str() == "tests")
            || path.file_name().is_some_and(|name| name == "vectors.rs" || name == "tests.rs");
        source_file(&text, all_test, &mut lists);
        mention(&path, &text, &mut lists);
    }
    for (_, text) in files(&root.join("vectors"), "txt") {
        let checks = text.lines().filter_map(|line| line.strip_prefix("check:"));
        lists.vectors.extend(checks.flat_map(numbers));
    }
    lists
}

/// Items of the form `- **ENV-01** text`, over as many lines as are indented below it.
fn specification(text: &str, lists: &mut Lists) {
    let mut items: Vec<(String, String)> = Vec::new();
    let mut within = false;
    for line in text.lines() {
        if let Some(item) = line.strip_prefix("- **") {
            let number = numbers(item.split("**").next().unwrap_or_default()).pop_first();
            within = number.is_some();
            items.extend(number.map(|number| (number, line.to_owned())));
        } else if within && line.starts_with("  ") {
            let (_, item) = items.last_mut().expect("a line of it came before");
            item.push(' ');
            item.push_str(line.trim());
        } else {
            within = false;
        }
    }
    for (number, item) in items {
        if let Some((_, reason)) = item.split_once("(no vector:") {
            // "no vector" alone is no reason.
            let reason = reason.split(')').next().unwrap_or_default();
            assert!(reason.split_whitespace().count() > 2, "{number} says why in {reason:?}");
            lists.excused.insert(number.clone());
        }
        assert!(lists.spec.insert(number.clone()), "{number} is specified twice");
    }
}

fn source_file(text: &str, all_test: bool, lists: &mut Lists) {
    let mut in_tests = all_test;
    // What stands directly above the line: comments and attributes.
    let mut above: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim) {
        in_tests |= line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test");
        if line.starts_with("//") || line.starts_with("#[") {
            above.push(line);
        }
        if in_tests {
            if above.iter().any(|l| l.starts_with("#[test]") || l.starts_with("#[tokio::test"))
                && let Some(name) = function(line)
            {
                lists.tests.extend(in_name(name));
                let comments = above.iter().filter(|l| l.starts_with("//"));
                lists.tests.extend(comments.flat_map(|l| numbers(l)));
            }
        } else if let Some((_, comment)) = line.split_once("//")
            && !comment.starts_with(['/', '!'])
            && !line.contains("http://")
            && !line.contains("https://")
        {
            lists.code.extend(numbers(comment));
        }
        if !line.starts_with("//") && !line.starts_with("#[") {
            above.clear();
        }
    }
}

/// The name of the function that the line begins, if it does.
fn function(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
    rest.split(['(', '<']).next()
}

/// The prefixes in use. Others, like UTF-16, are no numbers of ours.
const PREFIXES: [&str; 18] = [
    "ENV", "MIX", "BAT", "EXT", "DRP", "PAS", "CNV", "DOC", "KEY", "SIG", "DIR", "EDN", "LOG", "REQ", "MBX",
    "EXC", "EDG", "VLT",
];

/// Every number in a text: a prefix, a hyphen, two digits, and nothing that goes on before or behind.
fn numbers(text: &str) -> Numbers {
    let bytes = text.as_bytes();
    let goes_on = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (0..bytes.len().saturating_sub(5))
        .filter(|&i| {
            text.get(i..i + 3).is_some_and(|prefix| PREFIXES.contains(&prefix)) && bytes[i + 3] == b'-'
        })
        .filter(|&i| bytes[i + 4..i + 6].iter().all(u8::is_ascii_digit))
        .filter(|&i| i == 0 || !goes_on(bytes[i - 1]))
        .filter(|&i| bytes.get(i + 6).is_none_or(|&b| !b.is_ascii_alphanumeric()))
        .map(|i| text[i..i + 6].to_owned())
        .collect()
}

/// The numbers in a function's name: `env_05_and_env_06`.
fn in_name(name: &str) -> Numbers {
    let parts: Vec<&str> = name.split('_').collect();
    let pairs = parts.windows(2).filter(|two| two[1].len() == 2);
    numbers(&pairs.map(|two| format!("{}-{} ", two[0].to_uppercase(), two[1])).collect::<String>())
}

/// Every "file.md §4" or "file.md §4-6" in the code that has no such heading.
fn sections(root: &Path) -> Vec<String> {
    let spec: BTreeMap<String, String> = files(&root.join("docs/spec"), "md")
        .into_iter()
        .map(|(path, text)| (path.file_name().expect("a file").to_string_lossy().into_owned(), text))
        .collect();
    let mut faults = Vec::new();
    for (path, text) in sources(root).into_iter().chain(files(&root.join("docs/spec"), "md")) {
        for (at, _) in text.match_indices(".md §") {
            let name = text[..at]
                .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .next()
                .unwrap_or_default();
            let name = format!("{name}.md");
            let cited = &text[at + ".md §".len()..];
            let range = cited.split(|c: char| !c.is_ascii_digit() && c != '-').next().unwrap_or_default();
            for section in range.split('-').filter(|s| !s.is_empty()) {
                let heading = format!("\n## {section} ");
                if !spec.get(&name).is_some_and(|text| text.contains(&heading)) {
                    faults.push(format!("{} cites {name} §{section}, which is not there", path.display()));
                }
            }
        }
        for (at, _) in text.match_indices("Spec: ") {
            let cited = &text[at + "Spec: ".len()..];
            let name = cited.split(".md").next().unwrap_or_default();
            if cited[name.len()..].starts_with(".md") && !spec.contains_key(&format!("{name}.md")) {
                faults.push(format!("{} cites {name}.md, which is not there", path.display()));
            }
        }
    }
    faults
}

/// Every source file of ours but this one, whose examples are not checks.
fn sources(root: &Path) -> Vec<(PathBuf, String)> {
    let mut found = files(&root.join("crates"), "rs");
    found.retain(|(path, _)| !path.ends_with("proto/tests/checks.rs"));
    found
}

/// Every file below `folder` with this ending, and its text.
fn files(folder: &Path, ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.map(|entry| entry.expect("it can be listed").path()) {
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|e| e == ending) {
            let text = fs::read_to_string(&path).expect("it is text");
            found.push((path, text));
        }
    }
    found.sort();
    found
}
