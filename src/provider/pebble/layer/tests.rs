//! Every case of the table, and that no text is too odd.

use super::cases::{CASES, PLAN};
use super::lint;
use crate::model::{Finding, Severity};
use proptest::prelude::*;

fn plan() -> serde_json::Value {
    serde_yaml::from_str(PLAN).expect("the plan is YAML")
}

fn line_of(finding: &Finding) -> String {
    let grave = if finding.severity == Severity::Error { 'E' } else { 'W' };
    let meant = finding.suggestion.as_ref().map(|meant| format!(" -> {meant}")).unwrap_or_default();
    format!("{grave} {}:{} {}: {}{meant}", finding.line, finding.column, finding.path, finding.message)
}

#[test]
fn every_case_has_its_findings() {
    let mut wrong = String::new();
    for (name, layer, expected) in CASES {
        let found: Vec<String> = lint("-", layer, Some(&plan())).iter().map(line_of).collect();
        if found != *expected {
            wrong.push_str(&format!("{name}\n"));
            found.iter().for_each(|line| wrong.push_str(&format!("    {line:?},\n")));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
