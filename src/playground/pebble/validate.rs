//! What the daemon demands of the plan, once its layers are combined (section 6).

use super::accounts::Wish;
use super::errors::{Refusal, Result};
use super::go::quote;
use super::order;
use super::plan::{Check, LogTarget, Plan};
use super::scalars::Span;

/// How often a check may fail before it is down, if it does not say.
const THRESHOLD: i64 = 3;

/// Sets what the plan leaves open and the daemon shows.
pub(super) fn complete(plan: &mut Plan) {
    for check in plan.checks.values_mut() {
        if check.threshold == 0 {
            check.threshold = THRESHOLD;
        }
        let timeout = check.timeout();
        check.timeout = check.timeout.map(|_| Span(timeout));
    }
}

/// Whether the plan makes sense; the first thing that does not is the error.
pub(super) fn validate(plan: &Plan) -> Result<()> {
    for (name, service) in &plan.services {
        if service.command.is_empty() {
            return Err(Refusal::bad(format!("plan must define \"command\" for service {}", quote(name))));
        }
    }
    for (name, check) in &plan.checks {
        validate_check(plan, name, check)?;
    }
    for (name, target) in &plan.log_targets {
        validate_target(plan, name, target)?;
    }
    for (name, service) in &plan.services {
        if let Some(missing) = service.requires.iter().find(|required| !plan.services.contains_key(&***required)) {
            return Err(Refusal::bad(format!("service {} does not exist", quote(missing))));
        }
        if !service.workload.is_empty() && !Wish::of_service(service).is_empty() {
            let both = "cannot have user information and a workload at the same time";
            return Err(Refusal::bad(format!("plan service {} {both}", quote(name))));
        }
        if !service.workload.is_empty() && !plan.workloads.contains_key(&*service.workload) {
            let workload = quote(&service.workload);
            return Err(Refusal::bad(format!("workload {workload}: not defined for service {}", quote(name))));
        }
    }
    order::start_order(plan, &plan.services.keys().cloned().collect::<Vec<_>>()).map(|_| ())
}

fn validate_check(plan: &Plan, name: &str, check: &Check) -> Result<()> {
    let bad = |message: String| Err(Refusal::bad(message));
    let parts = [check.http.is_some(), check.tcp.is_some(), check.exec.is_some()];
    if parts.into_iter().filter(|is_there| *is_there).count() != 1 {
        return bad(format!("plan must specify one of \"http\", \"tcp\", or \"exec\" for check {}", quote(name)));
    }
    let unset = |key: &str, kind: &str| bad(format!("plan must set \"{key}\" for {kind} check {}", quote(name)));
    match (&check.http, &check.tcp, &check.exec) {
        (Some(http), ..) if http.url.is_empty() => unset("url", "http"),
        (_, Some(tcp), _) if tcp.port == 0 => unset("port", "tcp"),
        (.., Some(exec)) if exec.command.is_empty() => unset("command", "exec"),
        (.., Some(exec)) if !exec.service_context.is_empty() && !plan.services.contains_key(&*exec.service_context) => {
            let (name, context) = (quote(name), quote(&exec.service_context));
            bad(format!("plan check {name} service context specifies non-existent service {context}"))
        }
        _ => Ok(()),
    }
}

fn validate_target(plan: &Plan, name: &str, target: &LogTarget) -> Result<()> {
    let name = quote(name);
    if target.kind.is_empty() {
        let kinds = "(\"loki\", \"opentelemetry\" or \"syslog\")";
        return Err(Refusal::bad(format!("plan must define \"type\" {kinds} for log target {name}")));
    }
    if target.location.is_empty() {
        return Err(Refusal::bad(format!("plan must define \"location\" for log target {name}")));
    }
    for service in &target.services {
        let service = service.strip_prefix('-').unwrap_or(service);
        if service != "all" && !plan.services.contains_key(service) {
            return Err(Refusal::bad(format!("log target {name} specifies unknown service {}", quote(service))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{layer, merge};
    use super::*;

    #[test]
    fn what_the_daemon_says_of_wrong_plans() {
        for (text, expected) in [
            ("services: {x: {override: replace}}", "plan must define \"command\" for service \"x\""),
            ("services: {x: {override: replace, command: a, requires: [no]}}", "service \"no\" does not exist"),
            (
                "services: {x: {override: replace, command: a, after: [y]}, y: {override: replace, command: b, after: [x]}}",
                "services in before/after loop: x, y",
            ),
            (
                "services: {x: {override: replace, command: a, workload: w}}",
                "workload \"w\": not defined for service \"x\"",
            ),
            (
                "services: {x: {override: replace, command: a, workload: w, user: root}}",
                "plan service \"x\" cannot have user information and a workload at the same time",
            ),
            (
                "checks: {x: {override: replace, exec: {command: a}, tcp: {port: 5}}}",
                "plan must specify one of \"http\", \"tcp\", or \"exec\" for check \"x\"",
            ),
            ("checks: {x: {override: replace, http: {}}}", "plan must set \"url\" for http check \"x\""),
            (
                "checks: {x: {override: replace, exec: {command: a, service-context: z}}}",
                "plan check \"x\" service context specifies non-existent service \"z\"",
            ),
            ("log-targets: {x: {override: replace, type: loki}}", "plan must define \"location\" for log target \"x\""),
            (
                "log-targets: {x: {override: replace, type: loki, location: u, services: [all, -zz]}}",
                "log target \"x\" specifies unknown service \"zz\"",
            ),
        ] {
            let layer = layer::parse("l", text).unwrap();
            let plan = merge::combine([("l", &layer)]).unwrap();
            assert_eq!(validate(&plan).unwrap_err().message, expected, "{text}");
        }
    }

    #[test]
    fn unknown_neighbours_are_no_matter() {
        let layer =
            layer::parse("l", "services: {x: {override: replace, command: a, after: [no], before: [no]}}").unwrap();
        assert_eq!(validate(&layer), Ok(()));
    }
}
