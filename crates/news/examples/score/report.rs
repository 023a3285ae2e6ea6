//! Figures: a table for people, JSON for programs.

use std::fmt;

use serde_json::{Map, Value, json};

/// What a task measured, on each part of the data and on all of it.
pub(crate) struct Report {
    parts: Vec<Part>,
}

/// Figures of some documents.
pub(crate) struct Part {
    /// What it is and what it is for: "odd topics, to tune on".
    pub(crate) name: String,
    pub(crate) documents: usize,
    pub(crate) metrics: Vec<(&'static str, f64)>,
}

impl Report {
    /// The last part is all the data, the one that programs are told.
    pub(crate) fn new(parts: Vec<Part>) -> Self {
        assert!(!parts.is_empty(), "a report says something");
        Self { parts }
    }

    pub(crate) fn json(&self, task: &str) -> String {
        let all = &self.parts[self.parts.len() - 1];
        let metrics: Map<_, _> =
            all.metrics.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect();
        json!({ "task": task, "documents": all.documents, "metrics": metrics }).to_string() + "\n"
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            writeln!(f, "{}, {} documents", part.name, part.documents)?;
            for (name, value) in &part.metrics {
                // Rates are numbers of things, the others shares.
                let decimals = if *value > 1.0 { 1 } else { 4 };
                writeln!(f, "  {name:<20} {value:.decimals$}")?;
            }
        }
        Ok(())
    }
}
