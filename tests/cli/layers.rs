//! Layers as esker judges them, against the daemon's own judgement.

#[path = "../../src/provider/pebble/layer/cases.rs"]
mod cases;

use crate::support::daemon::{Daemon, is_simulated};
use crate::support::{http, peers};
use cases::{CASES, PLAN};
use esker::model::Severity;
use esker::output::diff;
use esker::provider::pebble::layer::{lint, merge};
use serde_json::json;
use std::fmt::Write as _;

/// Adds `layer` to a daemon that has `PLAN`; returns its refusal.
fn add(daemon: &Daemon, label: &str, layer: &str) -> Option<String> {
    let body = json!({"action": "add", "label": label, "format": "yaml", "layer": layer});
    let answer = http::post(&daemon.socket(), "/v1/layers", &body);
    (answer.status != 200).then(|| answer.body["result"]["message"].to_string())
}

fn plan_of(daemon: &Daemon) -> String {
    let answer = http::get(&daemon.socket(), "/v1/plan?format=yaml");
    answer.body["result"].as_str().expect("a plan").to_owned()
}

#[test]
fn the_daemon_refuses_exactly_the_layers_with_errors() {
    // What is judged here, over a hundred cases of it, is the daemon's YAML library: how it takes odd scalars, anchors,
    // tags and directives, and which quotes it writes. The simulator has another one; layers as people write them, their
    // merging and what is refused of them are held by its own tests and by all others here.
    if is_simulated() || peers::pebble().is_none() {
        return;
    }
    let mut daemon = Daemon::start(&[("base", PLAN)]);
    let before = plan_of(&daemon);
    let plan: serde_json::Value = serde_yaml::from_str(&before).expect("the plan is YAML");
    let mut wrong = String::new();
    for (index, (name, layer, _)) in CASES.iter().enumerate() {
        let errors: Vec<String> = lint("-", layer, Some(&plan))
            .into_iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| format!("{}:{} {}", finding.line, finding.column, finding.message))
            .collect();
        match add(&daemon, &format!("case-{index}"), layer) {
            Some(refusal) if errors.is_empty() => drop(writeln!(wrong, "{name}: refused, no error: {refusal}")),
            None if !errors.is_empty() => drop(writeln!(wrong, "{name}: accepted, but {errors:?}")),
            _ => {}
        }
        let after = plan_of(&daemon);
        if errors.is_empty() {
            let ours = merge(&before, layer).unwrap_or_else(|error| error.to_string());
            if ours != after {
                let _ = write!(wrong, "{name}: the plans differ:\n{}", diff(&after, &ours));
            }
        }
        if after != before {
            daemon.restart();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
