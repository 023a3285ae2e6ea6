//! What a release build cannot be made to do.

use std::path::Path;
use std::process::Command;

const REFUSAL: &str = "a release build never derives keys cheaply";

/// What the compiler says of this crate's first file, with these settings. Nothing is linked and no dependency is found, so it
/// always says something; what is forbidden it says first.
fn compiled(settings: &[&str]) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
    let folder = tempfile::tempdir().unwrap();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"]).args(settings);
    let said = rustc.arg("--out-dir").arg(folder.path()).arg(file).output().unwrap();
    assert!(!said.status.success(), "without its dependencies it cannot be compiled");
    String::from_utf8(said.stderr).unwrap()
}

/// MBX-11
#[test]
fn mbx_11_a_release_build_cannot_have_the_cheap_derivation() {
    let cheap = ["--cfg", "feature=\"cheap-kdf\""];
    let released = ["-C", "opt-level=3", "-C", "debug-assertions=off"];
    let tested = ["-C", "debug-assertions=on"];
    let said = |settings: &[&[&str]]| compiled(&settings.concat());
    assert!(said(&[&cheap, &released]).contains(REFUSAL));
    assert!(!said(&[&cheap, &tested]).contains(REFUSAL), "tests may");
    assert!(!said(&[&released]).contains(REFUSAL), "and what ships compiles");
}

/// MBX-11: nobody asks for the feature but tests.
#[test]
fn mbx_11_no_crate_asks_for_the_cheap_derivation_but_for_its_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let manifests = crates.chain([root.join("xtask"), root.clone()]).map(|folder| folder.join("Cargo.toml"));
    let mut asked = 0;
    for manifest in manifests {
        let text = std::fs::read_to_string(&manifest).unwrap();
        let mut section = "";
        for line in text.lines() {
            if line.starts_with('[') {
                section = line;
            } else if line.contains("cheap-kdf") && !line.starts_with('#') {
                // A feature of this name may pass it on; who asks for that is looked at in the same way.
                let passed_on = section == "[features]" && line.starts_with("cheap-kdf = ");
                let allowed = section == "[dev-dependencies]" || passed_on;
                assert!(allowed, "{}: {line}", manifest.display());
                asked += 1;
            }
        }
    }
    assert!(asked >= 3, "{asked} crates: it looked at nothing");
}
