//! Every case of the table, and that no text is too odd.

use super::cases::{CASES, PLAN};
use super::lint;
use crate::model::{Finding, Severity};
use proptest::prelude::*;
use std::fmt::Write as _;

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
            let _ = writeln!(wrong, "{name}");
            for line in found {
                let _ = writeln!(wrong, "    {line:?},");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The findings of `layer` without a plan, as lines.
fn alone(layer: &str) -> Vec<String> {
    lint("-", layer, None).iter().map(line_of).collect()
}

#[test]
fn without_a_plan_what_a_plan_could_hold_is_no_error() {
    for layer in [
        "services: {web: {override: merge, summary: x}}",
        "checks: {up: {override: merge, threshold: 5}}",
        "checks: {up: {override: merge, exec: {environment: {A: b}}}}",
        "log-targets: {logs: {override: merge, labels: {a: b}}}",
        "workloads: {job: {override: replace}}",
    ] {
        assert_eq!(alone(layer), [""; 0], "{layer}");
    }
    for (layer, expected) in [
        (
            "services: {web: {override: replace, command: x, requires: [db]}}",
            "W 1:60 services.web.requires.0: no service `db` in this layer",
        ),
        ("services: {web: {override: replace, summary: x}}", "E 1:12 services.web: service `web` has no `command`"),
        (
            "services: {a: {override: merge, after: [b]}, b: {override: merge, after: [a]}}",
            "E 1:40 services.a.after: these services wait for each other: `a`, `b`",
        ),
    ] {
        assert_eq!(alone(layer), [expected], "{layer}");
    }
}

#[test]
fn a_file_that_cannot_be_among_layers_is_noticed() {
    let found = |file| lint(file, "services: {}", None).len();
    assert_eq!((found("layers/001-base.yaml"), found("base.yaml"), found("-")), (0, 0, 0));
    assert_eq!((found("layers/01-base.yaml"), found("001-ab.yaml"), found("001-pebble-x.yaml")), (1, 1, 1));
}

#[test]
fn aliases_cannot_blow_a_layer_up() {
    let mut layer = String::from("services:\n  s0: &s0 {k0: 1, k1: 1}\n");
    for level in 1..40 {
        let previous = format!("*s{}", level - 1);
        let _ = writeln!(layer, "  s{level}: &s{level} {{<<: [{previous}, {previous}]}}");
    }
    assert!(alone(&layer).iter().any(|line| line.ends_with("too much is repeated by aliases")));
}

#[test]
fn a_bad_layer_is_not_merged() {
    let error = super::merge("{}\n", "services:\n  web: {comand: x}\n").expect_err("an unknown key");
    assert_eq!(error.kind(), crate::error::ErrorKind::Rejected);
    assert_eq!(error.to_string(), "cannot read the layer: line 2, column 9: unknown key `comand`");
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in "[ \\t\\na-d:{}\\[\\],?&*<!|>'\"%#~-]{0,60}") {
        lint("-", &text, None);
    }

    #[test]
    fn no_change_to_a_layer_is_too_odd(case in 0..CASES.len(), at: proptest::sample::Index, with in any::<char>()) {
        let mut chars: Vec<char> = CASES[case].1.chars().collect();
        if !chars.is_empty() {
            let at = at.index(chars.len());
            chars[at] = with;
        }
        let text: String = chars.into_iter().collect();
        for finding in lint("-", &text, Some(&plan())) {
            prop_assert!(finding.line >= 1 && finding.column >= 1);
            prop_assert!(finding.line <= text.matches(['\n', '\r']).count() + 1);
        }
        let _ = super::merge(PLAN, &text);
    }
}
