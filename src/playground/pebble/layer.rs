//! A layer read from YAML, strictly, and looked at by itself (sections 6.1 to 6.4).

use super::accounts;
use super::go;
use super::plan::{Check, LogTarget, Named, Pairing, Plan, Service};
use super::words;
use serde::de::DeserializeOwned;
use serde_yaml::Value;

/// Reads a layer; the error is the daemon's, without what it puts before it.
///
/// Each section is written out and read again by itself, so lines count from the section's first one: the daemon's
/// numbers are off in the same way.
pub(super) fn parse(label: &str, text: &str) -> Result<Plan, String> {
    if label.starts_with("pebble-") {
        return Err("cannot use reserved label prefix \"pebble-\"".to_owned());
    }
    let layer = format!("cannot parse layer {}", go::quote(label));
    let sections: Option<Named<Value>> = read(text, "map[string]yaml.Node").map_err(|why| format!("{layer}: {why}"))?;
    let mut plan = Plan::default();
    for (name, mut value) in sections.unwrap_or_default() {
        if value.is_null() && is_bare(text, &name) {
            match name.as_str() {
                "pairing" => continue,
                "workloads" => return Err("cannot parse the \"workloads\" section: EOF".to_owned()),
                _ => return Err(format!("{layer} section {}: EOF", go::quote(&name))),
            }
        }
        if let Value::Mapping(objects) = &mut value {
            // What has no name is passed over.
            objects.retain(|name, _| !name.is_null());
        }
        let wrong = |why| format!("{layer} section {}: {why}", go::quote(&name));
        let text = serde_yaml::to_string(&value).map_err(|error| error.to_string())?;
        match name.as_str() {
            "summary" | "description" => {
                let _: super::scalars::Text = read(&text, "string").map_err(wrong)?;
            }
            "services" => {
                let objects = read(&text, "map[string]*plan.Service").map_err(wrong)?;
                plan.services = present(objects, "service")?;
            }
            "checks" => {
                let objects = read(&text, "map[string]*plan.Check").map_err(wrong)?;
                plan.checks = present(objects, "check")?;
            }
            "log-targets" => {
                let objects = read(&text, "map[string]*plan.LogTarget").map_err(wrong)?;
                plan.log_targets = present(objects, "log target")?;
            }
            "workloads" => {
                let objects = read(&text, "map[string]*workloads.Workload").map_err(wrong)?;
                plan.workloads = present(objects, "workload")?;
            }
            "pairing" => {
                let pairing: Option<Pairing> = read(&text, "pairingstate.PairingConfig").map_err(wrong)?;
                plan.pairing = pairing.unwrap_or_default();
            }
            _ => return Err(format!("{layer}: unknown section {}", go::quote(&name))),
        }
    }
    look_at(&plan)?;
    Ok(plan)
}

/// Whether a section has its name and nothing else. `null` or `~` would be something.
fn is_bare(text: &str, section: &str) -> bool {
    let after = |line: &str| line.strip_prefix(section)?.trim_start().strip_prefix(':').map(str::to_owned);
    let is_nothing = |rest: String| rest.trim_start().is_empty() || rest.trim_start().starts_with('#');
    text.lines().filter_map(after).any(is_nothing)
}

/// Null is no object.
fn present<T>(objects: Option<Named<Option<T>>>, what: &str) -> Result<Named<T>, String> {
    let objects = objects.unwrap_or_default().into_iter();
    let null = |name: &str| format!("{what} object cannot be null for {what} {}", go::quote(name));
    objects.map(|(name, object)| object.ok_or_else(|| null(&name)).map(|object| (name, object))).collect()
}

/// Reads YAML into what Go calls `target`; the error has Go's words.
fn read<T: DeserializeOwned>(text: &str, target: &str) -> Result<T, String> {
    serde_yaml::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        let whole = error.to_string();
        let message = whole.split(" at line ").next().unwrap_or_default();
        let unmarshal = |what: String| format!("yaml: unmarshal errors:\n  line {line}: {what}");
        let quoted = |rest: &str| rest.split(['`', '"']).nth(1).unwrap_or_default().to_owned();
        if let Some((_, rest)) = message.split_once("unknown field ") {
            return unmarshal(format!("field {} not found in type {}", quoted(rest), element(target)));
        }
        for duplicate in ["duplicate field ", "duplicate entry with key "] {
            if let Some((_, rest)) = message.split_once(duplicate) {
                let key = go::quote(&quoted(rest));
                return unmarshal(format!("mapping key {key} already defined at line {line}"));
            }
        }
        if let Some((_, rest)) = message.split_once("invalid type: ") {
            let (is, wanted) = rest.split_once(", expected ").unwrap_or((rest, "a value"));
            return unmarshal(format!("cannot unmarshal {} into {}", tag(is), wanted_type(wanted, target)));
        }
        match message.find("invalid duration").or_else(|| message.find("invalid floating-point number")) {
            Some(at) => message[at..].to_owned(),
            None => syntax(line, message),
        }
    })
}

/// What is no YAML at all. Go counts from 0 where the parser fails and from 1 where the scanner does, and does not
/// name line 0.
fn syntax(line: usize, message: &str) -> String {
    let message = message.split(", while ").next().unwrap_or_default();
    match line.saturating_sub(1) {
        0 => format!("yaml: {message}"),
        before if message.starts_with("did not find") => format!("yaml: line {before}: {message}"),
        _ => format!("yaml: line {line}: {message}"),
    }
}

/// What a map of Go's holds.
fn element(target: &str) -> &str {
    target.rsplit_once('*').map_or(target, |(_, element)| element)
}

/// What YAML calls the value that serde describes, with the value if it is a scalar.
fn tag(described: &str) -> String {
    let value = described.split(['`', '"']).nth(1).unwrap_or_default();
    match described.split(' ').next().unwrap_or_default() {
        "sequence" => "!!seq".to_owned(),
        "map" => "!!map".to_owned(),
        "integer" => format!("!!int `{value}`"),
        "floating" => format!("!!float `{value}`"),
        "boolean" => format!("!!bool `{value}`"),
        _ => format!("!!str `{value}`"),
    }
}

/// What Go calls the type that serde wants.
fn wanted_type<'a>(wanted: &'a str, target: &'a str) -> &'a str {
    match wanted {
        "a map" => target,
        "u32" | "i64" => "int",
        "a sequence" => "[]string",
        wanted => wanted.strip_prefix("struct ").map_or(wanted, |_| element(target)),
    }
}

/// What the daemon demands of a layer before it is combined with others.
fn look_at(plan: &Plan) -> Result<(), String> {
    for (name, service) in &plan.services {
        look_at_service(name, service)?;
    }
    for (name, check) in &plan.checks {
        look_at_check(name, check)?;
    }
    for (name, target) in &plan.log_targets {
        look_at_target(name, target)?;
    }
    if let Some(name) = plan.workloads.keys().find(|name| name.is_empty()) {
        return Err(format!("cannot use empty string as workload name {}", go::quote(name)));
    }
    match &*plan.pairing.mode {
        "" | "disabled" | "single" | "multiple" => Ok(()),
        mode => {
            Err(format!("invalid pairing mode {}: should be \"disabled\", \"single\" or \"multiple\"", go::quote(mode)))
        }
    }
}

fn look_at_service(name: &str, service: &Service) -> Result<(), String> {
    const ACTIONS: [&str; 6] = ["", "restart", "shutdown", "failure-shutdown", "ignore", "success-shutdown"];
    match name {
        "" => return Err("cannot use empty string as service name".to_owned()),
        "pebble" => return Err("cannot use reserved service name \"pebble\"".to_owned()),
        _ if name.starts_with('-') => {
            return Err(format!("cannot use service name {}: starting with \"-\" not allowed", go::quote(name)));
        }
        _ => {}
    }
    let of = format!("plan service {}", go::quote(name));
    words::service(&service.command)
        .map_err(|why| format!("{of} command invalid: cannot parse service {} command: {why}", go::quote(name)))?;
    // Each of the two has one word of the list that it does not know.
    let success = (&service.on_success, "on-success", "success-shutdown");
    let failure = (&service.on_failure, "on-failure", "failure-shutdown");
    let checks = service.on_check_failure.values().map(|action| (action, "on-check-failure", "failure-shutdown"));
    for (action, key, but) in [success, failure].into_iter().chain(checks) {
        if !ACTIONS.contains(&&**action) || &**action == but {
            return Err(format!("{of} {key} action {} invalid", go::quote(action)));
        }
    }
    match &service.backoff_factor {
        Some(factor) if factor.0 < 1.0 => Err(format!("{of} backoff-factor must be 1.0 or greater, not {}", factor.0)),
        _ => Ok(()),
    }
}

fn look_at_check(name: &str, check: &Check) -> Result<(), String> {
    let of = format!("plan check {}", go::quote(name));
    if !["", "alive", "ready"].contains(&&*check.level) {
        return Err(format!("{of} level must be \"alive\" or \"ready\""));
    }
    if !["", "enabled", "disabled"].contains(&&*check.startup) {
        return Err(format!("{of} startup must be \"enabled\" or \"disabled\""));
    }
    for (span, key) in [(&check.period, "period"), (&check.timeout, "timeout")] {
        if span.is_some_and(|span| span.0.is_zero()) {
            return Err(format!("{of} {key} must not be zero"));
        }
    }
    let Some(exec) = &check.exec else { return Ok(()) };
    words::split(&exec.command).map_err(|why| format!("{of} command invalid: {why}"))?;
    accounts::resolve(&accounts::Wish::of_check(exec))
        .map(|_| ())
        .map_err(|why| format!("{of} has invalid user/group: {why}"))
}

fn look_at_target(name: &str, target: &LogTarget) -> Result<(), String> {
    let of = format!("log target {}", go::quote(name));
    if !["", "loki", "opentelemetry", "syslog"].contains(&&*target.kind) {
        return Err(format!(
            "{of} has unsupported type {}, must be \"loki\", \"opentelemetry\" or \"syslog\"",
            go::quote(&target.kind)
        ));
    }
    match target.labels.keys().find(|label| label.starts_with("pebble_")) {
        Some(label) => Err(format!("{of}: label {} uses reserved prefix \"pebble_\"", go::quote(label))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_daemon_says_of_wrong_layers() {
        for (text, expected) in [
            (
                "foo",
                "cannot parse layer \"l\": yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `foo` into map[string]yaml.Node",
            ),
            (
                "[a]",
                "cannot parse layer \"l\": yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into map[string]yaml.Node",
            ),
            ("{a", "cannot parse layer \"l\": yaml: line 1: did not find expected ',' or '}'"),
            ("services:\n", "cannot parse layer \"l\" section \"services\": EOF"),
            ("service: {}", "cannot parse layer \"l\": unknown section \"service\""),
            ("services: {x: null}", "service object cannot be null for service \"x\""),
            (
                "services:\n  x:\n    override: replace\n    bogus: 1\n",
                "cannot parse layer \"l\" section \"services\": yaml: unmarshal errors:\n  line 3: field bogus not found in type plan.Service",
            ),
            (
                "services: {x: {backoff-delay: 5}}",
                "cannot parse layer \"l\" section \"services\": invalid duration \"5\"",
            ),
            (
                "services: {x: {backoff-factor: foo}}",
                "cannot parse layer \"l\" section \"services\": invalid floating-point number \"foo\"",
            ),
            (
                "services: {x: {backoff-factor: 0.5}}",
                "plan service \"x\" backoff-factor must be 1.0 or greater, not 0.5",
            ),
            ("services: {x: {on-success: foo}}", "plan service \"x\" on-success action \"foo\" invalid"),
            (
                "services: {x: {on-failure: failure-shutdown}}",
                "plan service \"x\" on-failure action \"failure-shutdown\" invalid",
            ),
            (
                "services: {x: {command: \"a 'b\"}}",
                "plan service \"x\" command invalid: cannot parse service \"x\" command: EOF found when expecting closing quote",
            ),
            ("services: {-x: {}}", "cannot use service name \"-x\": starting with \"-\" not allowed"),
            ("checks: {x: {level: foo}}", "plan check \"x\" level must be \"alive\" or \"ready\""),
            ("checks: {x: {period: 0s}}", "plan check \"x\" period must not be zero"),
            (
                "checks: {x: {exec: {command: a, user: surely-nobody}}}",
                "plan check \"x\" has invalid user/group: user: unknown user surely-nobody",
            ),
            (
                "pairing: {mode: foo}",
                "invalid pairing mode \"foo\": should be \"disabled\", \"single\" or \"multiple\"",
            ),
            (
                "log-targets: {x: {labels: {pebble_a: b}}}",
                "log target \"x\": label \"pebble_a\" uses reserved prefix \"pebble_\"",
            ),
        ] {
            assert_eq!(parse("l", text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn an_empty_layer_is_one() {
        for text in ["", "# nothing\n", "services: null\n", "pairing:\n", "services: {~: {override: x}}", "{}"] {
            assert_eq!(parse("l", text), Ok(Plan::default()), "{text:?}");
        }
    }

    #[test]
    fn any_scalar_is_text_and_keys_stay_text() {
        let plan = parse("l", "services: {off: {command: true, environment: {on: 1, no: 2.5}}}").unwrap();
        assert_eq!(&*plan.services["off"].command, "true");
        assert_eq!(&*plan.services["off"].environment["on"], "1");
        assert_eq!(&*plan.services["off"].environment["no"], "2.5");
    }
}
