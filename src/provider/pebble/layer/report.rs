//! What was found in a layer, and where everything in it stands.

use super::node::{Mark, Problem};
use crate::model::{Finding, Severity};
use std::collections::HashMap;

/// Where a value is in a document: the keys that lead to it.
pub(super) type Path = Vec<String>;

/// The path one key further down.
pub(super) fn below(path: &[String], key: impl Into<String>) -> Path {
    let mut path = path.to_vec();
    path.push(key.into());
    path
}

/// What was found so far, and where everything stands.
#[derive(Debug, Default)]
pub(super) struct Report {
    file: String,
    pub(super) marks: HashMap<Path, Mark>,
    /// Where each key stands.
    pub(super) keys: HashMap<Path, Mark>,
    findings: Vec<Finding>,
}

impl Report {
    /// An empty report on `file`.
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), ..Self::default() }
    }

    /// Adds something that the daemon refuses.
    pub(super) fn error(&mut self, path: &[String], message: impl Into<String>) -> &mut Finding {
        let mark = self.place(path);
        self.add(mark, Severity::Error, path, message.into())
    }

    /// Adds a key that the daemon refuses, at the key itself and not at its value.
    pub(super) fn error_in_key(&mut self, path: &[String], message: String) -> &mut Finding {
        let value = self.place(path);
        // An empty key has its mark wherever the scanner stood by then: a key stands before its value.
        let before = |key: &&Mark| (key.line, key.column) <= (value.line, value.column);
        let mark = self.keys.get(path).filter(before).copied().unwrap_or(value);
        self.add(mark, Severity::Error, path, message)
    }

    /// Adds something that the daemon accepts, and does not do.
    pub(super) fn warning(&mut self, path: &[String], message: impl Into<String>) -> &mut Finding {
        let mark = self.place(path);
        self.add(mark, Severity::Warning, path, message.into())
    }

    /// Adds something at a place of its own.
    pub(super) fn add(&mut self, mark: Mark, severity: Severity, path: &[String], message: String) -> &mut Finding {
        self.findings.push(Finding {
            file: self.file.clone(),
            line: mark.line.max(1),
            column: mark.column.max(1),
            severity,
            path: path.join("."),
            message,
            suggestion: None,
        });
        self.findings.last_mut().expect("one was just added")
    }

    /// Adds what kept the document from being read.
    pub(super) fn problem(&mut self, problem: Problem) {
        self.add(problem.mark, Severity::Error, &[], problem.message);
    }

    /// Whether the layer says anything at `path`.
    pub(super) fn has(&self, path: &[String]) -> bool {
        self.marks.contains_key(path)
    }

    /// Whether anything was refused at or below `path`.
    pub(super) fn has_error(&self, path: &[String]) -> bool {
        let path = path.join(".");
        self.findings.iter().any(|finding| finding.severity == Severity::Error && finding.path.starts_with(&path))
    }

    /// Everything found, in the order of the text, each once.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by(|a, b| (a.line, a.column, &a.message).cmp(&(b.line, b.column, &b.message)));
        self.findings.dedup_by(|a, b| (a.line, a.column, &a.message) == (b.line, b.column, &b.message));
        self.findings
    }

    /// Where `path` stands, or else the nearest thing around it.
    pub(super) fn place(&self, path: &[String]) -> Mark {
        (0..=path.len()).rev().find_map(|n| self.marks.get(&path[..n])).copied().unwrap_or_default()
    }
}
