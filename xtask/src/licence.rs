//! What others' code may be in ours: licences, bans and sources, from the one list in `deny.toml`.
//!
//! `cargo deny check` reads the same file and checks more (advisories); this needs no tool and no network.

use anyhow::{Context as _, Result};
use cargo_metadata::{Metadata, Package};
use semver::VersionReq;
use serde::Deserialize;
use spdx::expression::ExpressionReq;
use spdx::{Expression, ParseMode};

/// A sentence for each package in the tree, ours included, that the list does not let in.
pub(crate) fn faults(metadata: &Metadata) -> Result<Vec<String>> {
    let path = metadata.workspace_root.join("deny.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("could not read {path}"))?;
    let rules: Rules = toml::from_str(&text).with_context(|| format!("could not understand {path}"))?;
    let mut faults = Vec::new();
    for package in &metadata.packages {
        faults.extend(rules.judge(package)?);
    }
    Ok(faults)
}

#[derive(Deserialize)]
struct Rules {
    licenses: Licences,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licences {
    /// SPDX names, good in any package.
    allow: Vec<String>,
    /// More of them, each good in one package only.
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    package: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    /// `name`, or `name@REQ` for some versions.
    #[serde(rename = "crate")]
    package: String,
    reason: String,
}

impl Rules {
    fn judge(&self, package: &Package) -> Result<Vec<String>> {
        let name = format!("{} {}", package.name, package.version);
        let mut faults = Vec::new();
        if let Err(fault) = self.licence(&package.name, package.license.as_deref()) {
            faults.push(format!("{name}: {fault}"));
        }
        for ban in &self.bans.deny {
            if ban.hits(package)? {
                faults.push(format!("{name}: banned, {}", ban.reason));
            }
        }
        if package.source.as_ref().is_some_and(|source| !source.is_crates_io()) {
            faults.push(format!("{name}: comes from elsewhere than the public registry"));
        }
        Ok(faults)
    }

    fn licence(&self, package: &str, licence: Option<&str>) -> Result<(), String> {
        let licence = licence.ok_or("says nothing about its licence")?;
        let expression = Expression::parse_mode(licence, ParseMode::LAX)
            .map_err(|error| format!("`{licence}` is not understood ({})", error.reason))?;
        let allowed = |name: &str| {
            let exceptions = self.licenses.exceptions.iter().filter(|exception| exception.package == package);
            self.licenses
                .allow
                .iter()
                .chain(exceptions.flat_map(|more| &more.allow))
                .any(|known| known == name)
        };
        if expression.evaluate(|wanted| allowed(&wanted.to_string())) {
            return Ok(());
        }
        let wanted = expression.requirements().map(|ExpressionReq { req, .. }| req.to_string());
        let unknown: Vec<_> = wanted.filter(|name| !allowed(name)).collect();
        Err(format!("`{licence}` asks for what is not on the list: {}", unknown.join(", ")))
    }
}

impl Ban {
    fn hits(&self, package: &Package) -> Result<bool> {
        let (name, versions) = match self.package.split_once('@') {
            Some((name, versions)) => (name, VersionReq::parse(versions)?),
            None => (self.package.as_str(), VersionReq::STAR),
        };
        Ok(name == package.name.as_str() && versions.matches(&package.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{house, process};

    #[test]
    fn everything_we_use_is_let_in() {
        let metadata = house::metadata(process::root()).unwrap();
        assert_eq!(faults(&metadata).unwrap(), Vec::<String>::new());
    }

    fn rules() -> Rules {
        let text = r#"
            [licenses]
            allow = ["MIT", "BSD-3-Clause"]
            exceptions = [{ crate = "young", allow = ["BlueOak-1.0.0"] }]
            [bans]
            deny = [{ crate = "proto", reason = "a test" }, { crate = "news@>=900", reason = "a test" }]
        "#;
        toml::from_str(text).unwrap()
    }

    #[test]
    fn one_allowed_alternative_is_enough_and_every_part_of_a_sum_is_needed() {
        for good in ["MIT", "MIT OR GPL-3.0-only", "GPL-3.0-only/MIT", "MIT AND BSD-3-Clause"] {
            assert_eq!(rules().licence("some", Some(good)), Ok(()), "{good}");
        }
        for bad in [
            "GPL-3.0-only",
            "MIT AND GPL-3.0-only",
            "Apache-2.0 WITH LLVM-exception",
            "nonsense",
            "BlueOak-1.0.0",
        ] {
            assert!(rules().licence("some", Some(bad)).is_err(), "{bad}");
        }
        assert!(rules().licence("some", None).is_err());
    }

    #[test]
    fn an_exception_holds_for_its_package_only() {
        assert_eq!(rules().licence("young", Some("BlueOak-1.0.0")), Ok(()));
        assert!(rules().licence("other", Some("BlueOak-1.0.0")).is_err());
    }

    #[test]
    fn a_ban_hits_its_versions_only() {
        let metadata = house::metadata(process::root()).unwrap();
        let package =
            |name: &str| metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap();
        let [any, young] = rules().bans.deny.try_into().ok().unwrap();
        assert!(any.hits(package("proto")).unwrap());
        assert!(!any.hits(package("news")).unwrap());
        assert!(!young.hits(package("news")).unwrap());
    }
}
