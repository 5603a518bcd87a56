//! Layers and plans of Pebble as documents: what is wrong in a layer, and what adding it would make of a plan.
//!
//! No I/O. The rule that all of this keeps, and that tests check against the real daemon: a layer that the daemon
//! accepts has no error here, and one that it refuses has at least one. The exception is what only the daemon's host
//! knows, which users and groups exist.

pub mod duration;
pub mod words;

mod combined;
mod decode;
mod document;
mod label;
mod node;
mod order;
mod print;
mod report;
mod rules;
mod scalar;
mod schema;

pub use label::check_label;

use crate::error::{Error, Result};
use crate::model::{Finding, Severity};
use combined::Combined;
use decode::decode;
use document::Document;
use node::Node;
use report::Report;

/// Everything wrong in the layer `text`, in its order. `file` names it in the findings.
///
/// With `plan`, the document of `GET /v1/plan`, the layer is judged as if it were added to that; without, what only
/// a plan could tell (does `requires` name a service?) is at most a warning.
pub fn lint(file: &str, text: &str, plan: Option<&serde_json::Value>) -> Vec<Finding> {
    let mut report = Report::new(file);
    label::check_file_name(file, &mut report);
    let parsed = node::parse(text);
    for problem in parsed.errors {
        report.problem(problem);
    }
    if let Some(mark) = parsed.more {
        let message = "only the first document is read; what follows here is ignored";
        report.add(mark, Severity::Warning, &[], message.to_owned());
    }
    let Some(root) = parsed.root else {
        if !report.has_error(&[]) {
            report.warning(&[], "the layer is empty");
        }
        return report.finish();
    };
    if root.is_null() {
        report.warning(&[], "the layer is empty");
    }
    let layer = decode(&root, &mut report);
    rules::check(&layer, &mut report);
    let plan = plan.map(|plan| decode(&Node::from_json(plan), &mut Report::new("")));
    Combined::new(&layer, plan.as_ref()).check(&mut report);
    report.finish()
}

/// The plan that adding the layer on top of the others leads to, in the server's form.
///
/// # Errors
/// `Rejected` if the layer has errors, and if `plan` is not what the server prints.
pub fn merge(plan: &str, layer: &str) -> Result<String> {
    let plan = read(plan).map_err(|finding| Error::rejected(format!("cannot read the plan: {}", finding.message)))?;
    let layer = read(layer).map_err(|finding| {
        let Finding { line, column, message, .. } = *finding;
        Error::rejected(format!("cannot read the layer: line {line}, column {column}: {message}"))
    })?;
    Ok(print::print(&plan.with(&layer)))
}

fn read(text: &str) -> Result<Document, Box<Finding>> {
    let mut report = Report::new("");
    let parsed = node::parse(text);
    for problem in parsed.errors {
        report.problem(problem);
    }
    let document = parsed.root.map(|root| decode(&root, &mut report)).unwrap_or_default();
    match report.finish().into_iter().find(|finding| finding.severity == Severity::Error) {
        Some(finding) => Err(Box::new(finding)),
        None => Ok(document),
    }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
