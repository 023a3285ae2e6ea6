//! The house rules that cargo can tell us about: who may know whom, and what every crate of ours declares.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result};
use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, PackageId};
use serde::Deserialize;

/// Who may know whom, as `ARCHITECTURE.md` draws it. An arrow is any dependency: normal, for building or for tests.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("news", &["proto"]),
    ("ui", &["proto"]),
    ("client", &["proto"]),
    ("server", &["proto", "ui"]),
    ("press", &["news", "proto", "ui"]),
    ("reader", &["client", "ui", "proto"]),
    ("desk", &["client", "ui", "proto"]),
    ("firsthand", &["reader", "desk", "server", "press", "client", "proto"]),
    ("fuzz", EVERYTHING),
    ("lab", EVERYTHING),
    ("xtask", EVERYTHING),
];

const EVERYTHING: &[&str] =
    &["proto", "news", "ui", "client", "server", "press", "reader", "desk", "firsthand", "fuzz", "lab"];

/// What would bring IO, a clock or a runtime into `proto`, however far down.
const NOT_IN_PROTO: &[&str] = &[
    "tokio",
    "async-std",
    "async-executor",
    "async-global-executor",
    "async-io",
    "smol",
    "futures-executor",
    "mio",
    "hyper",
    "reqwest",
    "axum",
    "rusqlite",
    "socket2",
];

const LICENCE: &str = "Apache-2.0 OR MIT";

/// The workspace in this folder and everything it depends on, as cargo resolves it.
pub(crate) fn metadata(root: &Path) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root.join("Cargo.toml")).current_dir(root);
    command.exec().with_context(|| format!("cargo could not tell about {}", root.display()))
}

/// A sentence for each dependency between our crates that is not drawn, and for each crate the drawing does not show.
pub(crate) fn arrows(metadata: &Metadata) -> Vec<String> {
    let ours: BTreeSet<&str> =
        metadata.workspace_packages().iter().map(|package| package.name.as_str()).collect();
    let mut faults = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(room, _)| *room == name) else {
            faults.push(format!("{name}: a crate which the house does not have; draw it first"));
            continue;
        };
        for dependency in &package.dependencies {
            let known = dependency.name.as_str();
            // A crate's own tests may name the crate, to turn on one of its features.
            if dependency.path.is_none() || !ours.contains(known) || known == name {
                continue;
            }
            if !allowed.contains(&known) {
                let kind = kind(dependency.kind);
                faults.push(format!("{name} -> {known} ({kind}): an arrow which is not drawn"));
            }
        }
    }
    faults
}

/// A sentence for each crate of ours that leaves the common rules, and for what must not stand behind `proto`.
pub(crate) fn crates(metadata: &Metadata) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let workspace: Manifest = read(metadata.workspace_root.join("Cargo.toml").as_std_path())?;
    let unsafe_code = workspace.workspace.and_then(|workspace| workspace.lints.rust.unsafe_code);
    if unsafe_code.as_deref() != Some("forbid") {
        faults.push("workspace: the lint table must say unsafe_code = \"forbid\"".into());
    }
    for package in metadata.workspace_packages() {
        let name = &package.name;
        let manifest: Manifest = read(package.manifest_path.as_std_path())?;
        if !manifest.lints.is_some_and(|lints| lints.workspace) {
            faults.push(format!("{name}: its manifest must say [lints] workspace = true"));
        }
        if package.license.as_deref() != Some(LICENCE) {
            faults.push(format!("{name}: its licence must be {LICENCE}"));
        }
        if package.description.as_deref().unwrap_or_default().trim().is_empty() {
            faults.push(format!("{name}: its manifest must describe it in a sentence"));
        }
    }
    faults.extend(behind_proto(metadata)?);
    Ok(faults)
}

fn behind_proto(metadata: &Metadata) -> Result<Vec<String>> {
    let packages = metadata.workspace_packages();
    let Some(proto) = packages.iter().find(|package| package.name.as_str() == "proto") else {
        return Ok(vec!["proto: not in the workspace".into()]);
    };
    let behind = behind(metadata, &proto.id)?;
    let banned = behind.iter().filter(|package| NOT_IN_PROTO.contains(&package.name.as_str()));
    Ok(banned
        .map(|package| format!("proto: {} {} stands behind it", package.name, package.version))
        .collect())
}

/// All packages that a package needs to be built and run, however far down; those for its tests are not among them.
fn behind<'a>(metadata: &'a Metadata, from: &PackageId) -> Result<Vec<&'a Package>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolved nothing")?;
    let nodes: HashMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![from.clone()];
    while let Some(id) = open.pop() {
        let node = nodes.get(&id).context("a package that cargo did not resolve")?;
        for dependency in &node.deps {
            let used = dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if used && seen.insert(dependency.pkg.clone()) {
                open.push(dependency.pkg.clone());
            }
        }
    }
    Ok(seen.iter().map(|id| &metadata[id]).collect())
}

fn kind(kind: DependencyKind) -> &'static str {
    match kind {
        DependencyKind::Development => "for tests",
        DependencyKind::Build => "for building",
        _ => "normal",
    }
}

/// What we read of a manifest ourselves, since cargo does not tell it.
#[derive(Deserialize)]
struct Manifest {
    workspace: Option<Workspace>,
    lints: Option<Inherited>,
}

#[derive(Deserialize)]
struct Workspace {
    #[serde(default)]
    lints: Lints,
}

#[derive(Deserialize, Default)]
struct Lints {
    #[serde(default)]
    rust: RustLints,
}

#[derive(Deserialize, Default)]
struct RustLints {
    unsafe_code: Option<String>,
}

#[derive(Deserialize)]
struct Inherited {
    #[serde(default)]
    workspace: bool,
}

fn read(path: &Path) -> Result<Manifest> {
    let text = std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("could not understand {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::process;

    #[test]
    fn our_own_house_keeps_its_rules() {
        let metadata = metadata(process::root()).unwrap();
        assert_eq!(arrows(&metadata), Vec::<String>::new());
        assert_eq!(crates(&metadata).unwrap(), Vec::<String>::new());
    }

    /// What is not named is optimised like a dependency, which costs minutes and speeds up no test.
    #[test]
    fn every_room_says_how_much_it_is_optimised_in_tests() {
        let manifest = std::fs::read_to_string(process::root().join("Cargo.toml")).unwrap();
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        let named = manifest["profile"]["dev"]["package"].as_table().unwrap();
        for package in metadata(process::root()).unwrap().workspace_packages() {
            assert!(named.contains_key(package.name.as_str()), "{} is not named", package.name);
        }
    }

    #[test]
    fn the_drawing_names_only_rooms_it_has_and_no_circle() {
        let mut done = Vec::new();
        for (room, known) in MAY_KNOW.iter().filter(|(_, known)| *known != EVERYTHING) {
            assert!(known.iter().all(|known| done.contains(known)), "{room} knows a room drawn after it");
            done.push(*room);
        }
    }

    #[test]
    fn an_arrow_not_drawn_is_named_whatever_its_kind() {
        for (table, kind) in [
            ("dependencies", "normal"),
            ("dev-dependencies", "for tests"),
            ("build-dependencies", "for building"),
        ] {
            let house =
                MadeUp::house(&[("proto", ""), ("news", &format!("[{table}]\nclient.path = \"../client\""))]);
            house.room("client", "[dependencies]\nproto.path = \"../proto\"");
            assert_eq!(
                arrows(&house.metadata()),
                [format!("news -> client ({kind}): an arrow which is not drawn")]
            );
        }
    }

    #[test]
    fn a_renamed_or_optional_or_conditional_arrow_is_named_too() {
        for table in [
            "[dependencies]\nnice = { path = \"../client\", package = \"client\" }",
            "[dependencies]\nclient = { path = \"../client\", optional = true }",
            "[target.'cfg(windows)'.dependencies]\nclient.path = \"../client\"",
        ] {
            let house = MadeUp::house(&[("proto", ""), ("client", ""), ("server", table)]);
            assert_eq!(arrows(&house.metadata()), ["server -> client (normal): an arrow which is not drawn"]);
        }
    }

    #[test]
    fn a_crate_may_know_itself_in_its_tests() {
        let itself =
            "[dev-dependencies]\nclient = { path = \".\", features = [\"cheap\"] }\n[features]\ncheap = []";
        let house = MadeUp::house(&[("proto", ""), ("client", itself)]);
        assert_eq!(arrows(&house.metadata()), Vec::<String>::new());
    }

    #[test]
    fn a_room_not_drawn_is_named() {
        let house = MadeUp::house(&[("proto", ""), ("common", "")]);
        assert_eq!(
            arrows(&house.metadata()),
            ["common: a crate which the house does not have; draw it first"]
        );
    }

    #[test]
    fn a_runtime_behind_proto_is_named_unless_only_its_tests_use_it() {
        let house = MadeUp::house(&[("proto", "[dependencies]\nmiddle.path = \"../../elsewhere/middle\"")]);
        house.stranger("middle", "[dependencies]\ntokio.path = \"../tokio\"");
        house.stranger("tokio", "");
        assert_eq!(crates(&house.metadata()).unwrap(), ["proto: tokio 1.2.3 stands behind it"]);

        let house = MadeUp::house(&[("proto", "[dev-dependencies]\ntokio.path = \"../../elsewhere/tokio\"")]);
        house.stranger("tokio", "");
        assert_eq!(crates(&house.metadata()).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_crate_without_the_lint_table_a_licence_or_a_description_is_named() {
        let house = MadeUp::house(&[("proto", "")]);
        house.write(
            "crates/proto/Cargo.toml",
            "[package]\nname = \"proto\"\nedition = \"2024\"\nlicense = \"MIT\"",
        );
        let expected = [
            "proto: its manifest must say [lints] workspace = true",
            "proto: its licence must be Apache-2.0 OR MIT",
            "proto: its manifest must describe it in a sentence",
        ];
        assert_eq!(crates(&house.metadata()).unwrap(), expected);
    }

    #[test]
    fn a_workspace_that_allows_unsafe_code_is_named() {
        let house = MadeUp::house(&[("proto", "")]);
        house.write("Cargo.toml", &WORKSPACE.replace("forbid", "deny"));
        let expected = ["workspace: the lint table must say unsafe_code = \"forbid\""];
        assert_eq!(crates(&house.metadata()).unwrap(), expected);
    }

    const WORKSPACE: &str = "\
        [workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\nexclude = [\"elsewhere\"]\n\
        [workspace.lints.rust]\nunsafe_code = \"forbid\"\n";

    /// A workspace made for one test; it needs nothing from any registry.
    struct MadeUp(TempDir);

    impl MadeUp {
        fn house(rooms: &[(&str, &str)]) -> Self {
            let house = Self(tempfile::tempdir().unwrap());
            house.write("Cargo.toml", WORKSPACE);
            for (name, rest) in rooms {
                house.room(name, rest);
            }
            house
        }

        fn room(&self, name: &str, rest: &str) {
            self.package(
                &format!("crates/{name}"),
                name,
                &format!(
                    "description = \"Made up\"\nlicense = \"{LICENCE}\"\n[lints]\nworkspace = true\n{rest}"
                ),
            );
        }

        /// A package that is not ours.
        fn stranger(&self, name: &str, rest: &str) {
            self.package(&format!("elsewhere/{name}"), name, rest);
        }

        fn package(&self, folder: &str, name: &str, rest: &str) {
            let head = format!("[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n");
            self.write(&format!("{folder}/Cargo.toml"), &(head + rest));
            self.write(&format!("{folder}/build.rs"), "fn main() {}");
            self.write(&format!("{folder}/src/lib.rs"), "");
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn metadata(&self) -> Metadata {
            metadata(self.0.path()).unwrap()
        }
    }
}
