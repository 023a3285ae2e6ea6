//! A vector as it is read: fields, steps, and what came out beside what is stated. Every crate that runs vectors includes
//! this file.

use core::cell::RefCell;
use core::fmt::{Debug, Display};
use core::str::FromStr;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use proto::envelope::Wire;
use proto::seal::SealSecret;
use proto::sign::IdentitySecret;
use proto::size::Cascade;
use proto::{NetworkId, codec};

/// What came out: the word that `expect` states, or why the vector itself cannot be used or does not hold.
pub(crate) type Outcome = Result<String, String>;

/// When all went well.
pub(crate) const SUCCESS: &str = "success";

/// `vectors/` at the top of the repository.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

/// Runs every vector of a folder, of which there are at least so many, and compares outcomes. A file of another kind is a
/// fault: nobody would run it.
pub(crate) fn run_folder(kind: &str, least: usize, run: impl Fn(&Fields) -> Outcome) {
    let entries = std::fs::read_dir(folder().join(kind)).expect("the folder is there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    assert!(paths.len() >= least, "only {} vectors in {kind}", paths.len());
    let outcome = |path: &PathBuf| {
        if path.extension().is_none_or(|e| e != "txt") {
            return Err("it is no vector".into());
        }
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        check(&text, &run)
    };
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| outcome(path).err().map(|why| format!("{}: {why}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Says what is wrong with the vector, if anything is.
pub(crate) fn check(text: &str, run: impl FnOnce(&Fields) -> Outcome) -> Result<(), String> {
    let fields = Fields::parse(text)?;
    let (got, want) = (run(&fields)?, fields.text("expect")?);
    if got != want {
        return Err(format!("the outcome is {got:?}, and {want:?} is stated"));
    }
    fields.nothing_left()
}

/// An error by its name: `NotOpened` is "not opened", `Malformed(..)` is "malformed".
pub(crate) fn word(error: impl Debug) -> String {
    let name = format!("{error:?}");
    let name = name.split(['(', ' ']).next().unwrap_or_default();
    let mut word = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !word.is_empty() {
            word.push(' ');
        }
        word.push(c.to_ascii_lowercase());
    }
    word
}

/// Bytes in several parts with spaces between: hexadecimal, `@FILE` for the bytes in that file, `8192*05` for so many
/// bytes of this value, `-` for none.
pub(crate) fn bytes(parts: &str) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for part in parts.split(' ') {
        let hex = |hex: &str| hex::decode(hex).map_err(|e| format!("{hex:.20}: {e}"));
        if let Some(path) = part.strip_prefix('@') {
            let text = std::fs::read_to_string(folder().join(path)).map_err(|e| format!("{path}: {e}"))?;
            all.extend(hex(text.trim_end())?);
        } else if let Some((count, value)) = part.split_once('*') {
            let count: usize = count.parse().map_err(|_| format!("{part}: no number"))?;
            all.extend(hex(value)?.repeat(count));
        } else if part != "-" {
            all.extend(hex(part)?);
        }
    }
    Ok(all)
}

/// A vector's fields. What nobody asks for is a fault.
pub(crate) struct Fields {
    all: BTreeMap<String, Vec<String>>,
    used: RefCell<BTreeSet<String>>,
}

/// One step of a sequence: `what is done -> what comes of it`.
pub(crate) struct Step<'a> {
    /// What is done.
    pub(crate) does: &'a str,
    /// What is stated to come of it; empty if nothing is.
    pub(crate) stated: &'a str,
}

impl Step<'_> {
    /// The words of what is done.
    pub(crate) fn words(&self) -> Vec<&str> {
        self.does.split(' ').collect()
    }

    /// Compares what came of it with what is stated, and gives it back.
    pub(crate) fn gave(&self, got: impl Display) -> Outcome {
        let got = got.to_string();
        if got == self.stated {
            return Ok(got);
        }
        Err(format!("\"{:.60}\" gives {got:?}, and {:?} is stated", self.does, self.stated))
    }

    /// Nobody knows this step.
    pub(crate) fn unknown<T>(&self) -> Result<T, String> {
        Err(format!("no such step: {:.60}", self.does))
    }
}

impl Fields {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for line in text.lines() {
            let (name, value) = line.split_once(':').ok_or_else(|| format!("no field: {line:.40}"))?;
            all.entry(name.into()).or_default().push(value.trim().into());
        }
        let used = ["expect", "check", "note"].map(String::from).into();
        Ok(Self { all, used: RefCell::new(used) })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.contains_key(name)
    }

    pub(crate) fn every(&self, name: &str) -> &[String] {
        self.used.borrow_mut().insert(name.into());
        self.all.get(name).map_or(&[], Vec::as_slice)
    }

    /// The steps of a sequence, in order; at least one.
    pub(crate) fn steps(&self) -> Result<Vec<Step<'_>>, String> {
        let lines = self.every("step");
        let split = |line: &'_ String| line.split_once(" -> ").map(|(a, b)| (a.len(), line.len() - b.len()));
        let steps = lines.iter().map(|line| match split(line) {
            Some((end, from)) => Step { does: &line[..end], stated: &line[from..] },
            None => Step { does: line, stated: "" },
        });
        if lines.is_empty() { Err("no step".into()) } else { Ok(steps.collect()) }
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, String> {
        match self.every(name) {
            [one] => Ok(one),
            [] => Err(format!("no field {name}")),
            _ => Err(format!("two fields {name}")),
        }
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T, String> {
        self.text(name)?.parse().map_err(|_| format!("{name} is no number of its kind"))
    }

    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, String> {
        bytes(self.text(name)?).map_err(|e| format!("{name}: {e}"))
    }

    pub(crate) fn array<const N: usize>(&self, name: &str) -> Result<[u8; N], String> {
        self.bytes(name)?.try_into().map_err(|_| format!("{name} is not {N} bytes"))
    }

    pub(crate) fn record<T>(&self, name: &str) -> Result<T, String>
    where
        T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()>,
    {
        codec::decode(&self.bytes(name)?).map_err(|e| format!("{name}: {e}"))
    }

    /// Compares what came out with what the field states.
    pub(crate) fn states(&self, name: &str, got: impl Display) -> Result<(), String> {
        let (want, got) = (self.text(name)?, got.to_string());
        if got == want { Ok(()) } else { Err(format!("{name} is {got}, and {want} is stated")) }
    }

    fn nothing_left(&self) -> Result<(), String> {
        let used = self.used.borrow();
        match self.all.keys().find(|name| !used.contains(*name)) {
            None => Ok(()),
            Some(name) => Err(format!("nothing looks at the field {name}")),
        }
    }

    pub(crate) fn network(&self) -> Result<NetworkId, String> {
        Ok(NetworkId(self.array("network")?))
    }

    pub(crate) fn cascade(&self) -> Result<Cascade, String> {
        Cascade::new(self.number("mixes")?).ok_or_else(|| "no such cascade".into())
    }

    pub(crate) fn wire(&self) -> Result<Wire, String> {
        Ok(Wire { network: self.network()?, cascade: self.cascade()? })
    }

    pub(crate) fn key(&self, name: &str) -> Result<SealSecret, String> {
        Ok(SealSecret::from_seed(&self.array(name)?))
    }

    pub(crate) fn identity(&self, name: &str) -> Result<IdentitySecret, String> {
        Ok(IdentitySecret::from_seed(&self.array(name)?))
    }
}
