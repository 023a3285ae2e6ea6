//! One vector: a text file of `name: value` lines, the outcome first.

/// A vector.
pub(crate) struct Case {
    /// Where it lies under `vectors/`; the first part of it says what kind it is.
    pub(crate) path: String,
    fields: Vec<(String, String)>,
}

impl Case {
    /// A vector with its outcome, the checks it is about (may be none), and what is special about it.
    pub(crate) fn new(path: &str, expect: &str, check: &str, note: &str) -> Self {
        let mut case = Self { path: format!("{path}.txt"), fields: Vec::new() };
        case.push("expect", expect);
        if !check.is_empty() {
            case.push("check", check);
        }
        case.push("note", note);
        case
    }

    /// Adds a field of plain text.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        self.push(name, &value.to_string());
        self
    }

    /// Adds a field of bytes.
    pub(crate) fn hex(self, name: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.with(name, hex::encode(bytes))
    }

    fn push(&mut self, name: &str, value: &str) {
        assert!(!name.contains([':', '\n']) && !value.contains('\n'), "one line each");
        self.fields.push((name.into(), value.into()));
    }

    /// The file.
    pub(crate) fn to_text(&self) -> String {
        let line = |(name, value): &(String, String)| format!("{name}: {value}").trim_end().to_owned() + "\n";
        self.fields.iter().map(line).collect()
    }
}
