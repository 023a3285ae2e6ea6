//! What the browser part needs: Chromium, its driver, and Node for the accessibility rules in `tests/browser`.
//!
//! Where we may, we install what is missing; where not, one command is named for the developer to type.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::process;

/// Whether the browser part can run.
pub(crate) enum Ready {
    Yes,
    No {
        /// What to type to mend that.
        command: String,
    },
}

/// Sees to it that the browser part can run, installing what is missing where this is allowed without asking:
/// on a system with `apt-get`, as root or with password-less `sudo`.
pub(crate) fn prepare() -> Result<Ready> {
    let missing = missing();
    if !missing.is_empty() && !install(&missing)? {
        return Ok(Ready::No { command: command(&missing) });
    }
    let folder = process::root().join("tests/browser");
    if !modules_are_current(&folder) {
        println!("fetching what tests/browser/package-lock.json names");
        let fetched = process::passes(npm_ci().current_dir(&folder)).unwrap_or(false);
        if !fetched {
            return Ok(Ready::No { command: "npm ci --prefix tests/browser".into() });
        }
    }
    Ok(Ready::Yes)
}

/// A thing needed: programs any of which will do, and its name as a package of Debian, Fedora, Arch and Homebrew.
#[derive(PartialEq, Eq)]
struct Need {
    programs: &'static [&'static str],
    packages: [&'static str; 4],
}

const NEEDS: &[Need] = &[
    Need {
        programs: &["chromium", "chromium-browser", "google-chrome"],
        packages: ["chromium", "chromium", "chromium", "chromium"],
    },
    Need {
        programs: &["chromedriver"],
        packages: ["chromium-driver", "chromedriver", "chromium", "chromedriver"],
    },
    Need { programs: &["node"], packages: ["nodejs", "nodejs", "nodejs", "node"] },
    Need { programs: &["npm"], packages: ["npm", "npm", "npm", "node"] },
];

/// Without any font Chromium draws empty boxes, and screenshots show nothing.
const FONTS: Need =
    Need { programs: &[], packages: ["fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu", "font-dejavu"] };

/// Package managers in the order of `Need::packages`.
const MANAGERS: [(&str, &str); 4] = [
    ("apt-get", "sudo apt-get update && sudo apt-get install -y --no-install-recommends"),
    ("dnf", "sudo dnf install -y"),
    ("pacman", "sudo pacman -S --needed"),
    ("brew", "brew install"),
];

fn missing() -> Vec<&'static Need> {
    let found = |need: &&Need| need.programs.iter().any(|program| process::find(program).is_some());
    let mut missing: Vec<_> = NEEDS.iter().filter(|need| !found(need)).collect();
    if cfg!(target_os = "linux") && !has_font(Path::new("/usr/share/fonts")) {
        missing.push(&FONTS);
    }
    missing
}

fn has_font(folder: &Path) -> bool {
    let Ok(entries) = folder.read_dir() else { return false };
    entries.flatten().map(|entry| entry.path()).any(|path| {
        let font =
            path.extension().is_some_and(|end| ["ttf", "otf", "ttc", "pfb", "t1"].iter().any(|e| end == *e));
        font || (path.is_dir() && has_font(&path))
    })
}

fn install(missing: &[&Need]) -> Result<bool> {
    if process::find("apt-get").is_none() {
        return Ok(false);
    }
    let root = process::output(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let apt = || {
        let mut command = if root { Command::new("env") } else { Command::new("sudo") };
        if !root {
            command.args(["-n", "env"]);
        }
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command.stdin(Stdio::null());
        command
    };
    let allowed =
        root || process::output(Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null())).is_some();
    if !allowed {
        return Ok(false);
    }
    let packages = packages(missing, 0);
    println!("installing {}", packages.join(" "));
    let installed = process::passes(apt().args(["-qq", "update"]))?
        && process::passes(apt().args(["-qq", "install", "-y", "--no-install-recommends"]).args(&packages))?;
    Ok(installed && self::missing().is_empty())
}

fn packages(missing: &[&Need], manager: usize) -> Vec<&'static str> {
    let mut packages: Vec<_> = missing.iter().map(|need| need.packages[manager]).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}

fn command(missing: &[&Need]) -> String {
    let manager = MANAGERS.iter().position(|(program, _)| process::find(program).is_some()).unwrap_or(0);
    format!("{} {}", MANAGERS[manager].1, packages(missing, manager).join(" "))
}

/// npm leaves a copy of the lock file's content inside what it installed, written last.
fn modules_are_current(folder: &Path) -> bool {
    let written = |path: &str| folder.join(path).metadata().and_then(|data| data.modified()).ok();
    match (written("package-lock.json"), written("node_modules/.package-lock.json")) {
        (Some(lock), Some(installed)) => installed >= lock,
        _ => false,
    }
}

fn npm_ci() -> Command {
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel", "error"]).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_package_is_named_once() {
        let all: Vec<_> = NEEDS.iter().collect();
        assert_eq!(packages(&all, 0), ["chromium", "chromium-driver", "nodejs", "npm"]);
        assert_eq!(packages(&all, 2), ["chromium", "nodejs", "npm"]);
    }

    #[test]
    fn modules_without_a_lock_or_older_than_it_are_fetched() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!modules_are_current(folder.path()));
        std::fs::write(folder.path().join("package-lock.json"), "{}").unwrap();
        assert!(!modules_are_current(folder.path()));
        std::fs::create_dir(folder.path().join("node_modules")).unwrap();
        std::fs::write(folder.path().join("node_modules/.package-lock.json"), "{}").unwrap();
        assert!(modules_are_current(folder.path()));
    }

    #[test]
    fn fonts_are_looked_for_in_every_folder() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!has_font(folder.path()));
        std::fs::create_dir_all(folder.path().join("truetype/some")).unwrap();
        assert!(!has_font(folder.path()));
        std::fs::write(folder.path().join("truetype/some/some.ttf"), "").unwrap();
        assert!(has_font(folder.path()));
    }
}
