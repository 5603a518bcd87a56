//! How layers become a plan (section 6.5): `replace` drops what was there, `merge` lays one over the other.

#![allow(clippy::ref_option)] // the parts of a plan are handed in as they are kept

use super::errors::{Refusal, Result};
use super::go;
use super::plan::{Check, ExecCheck, HttpCheck, LogTarget, Named, Plan, Service, TcpCheck, Workload};
use super::scalars::Text;

/// The plan that these layers make, each later one laid over the earlier ones.
///
/// # Errors
///
/// An object without `override`, or with one that means nothing.
pub(super) fn combine<'a>(layers: impl IntoIterator<Item = (&'a str, &'a Plan)>) -> Result<Plan> {
    let mut plan = Plan::default();
    for (label, layer) in layers {
        lay("service", label, &mut plan.services, &layer.services)?;
        lay("check", label, &mut plan.checks, &layer.checks)?;
        lay("log target", label, &mut plan.log_targets, &layer.log_targets)?;
        lay("workload", label, &mut plan.workloads, &layer.workloads)?;
        text(&mut plan.pairing.mode, &layer.pairing.mode);
    }
    Ok(plan)
}

/// An object of a layer.
trait Object: Clone {
    /// Its `override`.
    fn how(&self) -> &Text;

    /// Lays `other` over it.
    fn merge(&mut self, other: &Self);
}

fn lay<T: Object>(what: &str, label: &str, below: &mut Named<T>, above: &Named<T>) -> Result<()> {
    for (name, object) in above {
        let of = |verdict: String| {
            Refusal::bad(format!("layer {} {verdict} for {what} {}", go::quote(label), go::quote(name)))
        };
        match (&**object.how(), below.get_mut(name)) {
            ("merge", Some(old)) => old.merge(object),
            ("merge" | "replace", _) => {
                below.insert(name.clone(), object.clone());
            }
            ("", _) => return Err(of("must define \"override\"".to_owned())),
            _ => return Err(of("has invalid \"override\" value".to_owned())),
        }
    }
    Ok(())
}

fn text(below: &mut Text, above: &Text) {
    if !above.is_empty() {
        below.clone_from(above);
    }
}

fn value<T: Clone>(below: &mut Option<T>, above: &Option<T>) {
    if above.is_some() {
        below.clone_from(above);
    }
}

fn number(below: &mut i64, above: i64) {
    if above != 0 {
        *below = above;
    }
}

fn map(below: &mut Named<Text>, above: &Named<Text>) {
    below.extend(above.iter().map(|(key, value)| (key.clone(), value.clone())));
}

/// Lays a part of an object over what is there of it.
fn part<T: Clone>(below: &mut Option<T>, above: &Option<T>, merge: impl Fn(&mut T, &T)) {
    match (below, above) {
        (Some(below), Some(above)) => merge(below, above),
        (below, Some(above)) => *below = Some(above.clone()),
        (_, None) => {}
    }
}

impl Object for Service {
    fn how(&self) -> &Text {
        &self.r#override
    }

    fn merge(&mut self, other: &Self) {
        text(&mut self.summary, &other.summary);
        text(&mut self.description, &other.description);
        text(&mut self.startup, &other.startup);
        text(&mut self.command, &other.command);
        self.after.extend_from_slice(&other.after);
        self.before.extend_from_slice(&other.before);
        self.requires.extend_from_slice(&other.requires);
        text(&mut self.workload, &other.workload);
        map(&mut self.environment, &other.environment);
        value(&mut self.user_id, &other.user_id);
        text(&mut self.user, &other.user);
        value(&mut self.group_id, &other.group_id);
        text(&mut self.group, &other.group);
        text(&mut self.working_dir, &other.working_dir);
        text(&mut self.on_success, &other.on_success);
        text(&mut self.on_failure, &other.on_failure);
        map(&mut self.on_check_failure, &other.on_check_failure);
        value(&mut self.backoff_delay, &other.backoff_delay);
        value(&mut self.backoff_factor, &other.backoff_factor);
        value(&mut self.backoff_limit, &other.backoff_limit);
        value(&mut self.kill_delay, &other.kill_delay);
    }
}

impl Object for Check {
    fn how(&self) -> &Text {
        &self.r#override
    }

    fn merge(&mut self, other: &Self) {
        text(&mut self.level, &other.level);
        text(&mut self.startup, &other.startup);
        value(&mut self.period, &other.period);
        value(&mut self.timeout, &other.timeout);
        number(&mut self.threshold, other.threshold);
        part(&mut self.http, &other.http, |below: &mut HttpCheck, above| {
            text(&mut below.url, &above.url);
            map(&mut below.headers, &above.headers);
        });
        part(&mut self.tcp, &other.tcp, |below: &mut TcpCheck, above| {
            number(&mut below.port, above.port);
            text(&mut below.host, &above.host);
        });
        part(&mut self.exec, &other.exec, |below: &mut ExecCheck, above| {
            text(&mut below.command, &above.command);
            text(&mut below.service_context, &above.service_context);
            map(&mut below.environment, &above.environment);
            value(&mut below.user_id, &above.user_id);
            text(&mut below.user, &above.user);
            value(&mut below.group_id, &above.group_id);
            text(&mut below.group, &above.group);
            text(&mut below.working_dir, &above.working_dir);
        });
    }
}

impl Object for LogTarget {
    fn how(&self) -> &Text {
        &self.r#override
    }

    fn merge(&mut self, other: &Self) {
        text(&mut self.kind, &other.kind);
        text(&mut self.location, &other.location);
        self.services.extend_from_slice(&other.services);
        map(&mut self.labels, &other.labels);
    }
}

impl Object for Workload {
    fn how(&self) -> &Text {
        &self.r#override
    }

    fn merge(&mut self, other: &Self) {
        map(&mut self.environment, &other.environment);
        value(&mut self.user_id, &other.user_id);
        text(&mut self.user, &other.user);
        value(&mut self.group_id, &other.group_id);
        text(&mut self.group, &other.group);
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer;
    use super::*;

    fn plan(layers: &[&str]) -> Result<Plan> {
        let layers: Vec<Plan> = layers.iter().map(|text| layer::parse("label", text).unwrap()).collect();
        combine(layers.iter().map(|layer| ("label", layer)))
    }

    #[test]
    fn merging_appends_lists_and_merges_maps() {
        let plan = plan(&[
            "services: {a: {override: replace, command: x, after: [b], environment: {A: '1', B: '2'}}}",
            "services: {a: {override: merge, summary: s, after: [c], environment: {B: '3'}}}",
        ])
        .unwrap();
        let service = &plan.services["a"];
        assert_eq!((&*service.command, &*service.summary), ("x", "s"));
        assert_eq!(service.after, [Text::from("b"), Text::from("c")]);
        let environment: Vec<(&str, &str)> =
            service.environment.iter().map(|(key, value)| (key.as_str(), &**value)).collect();
        assert_eq!(environment, [("A", "1"), ("B", "3")]);
    }

    #[test]
    fn replacing_drops_what_was_there() {
        let plan = plan(&[
            "checks: {a: {override: replace, period: 1s, exec: {command: x}}}",
            "checks: {a: {override: replace, tcp: {port: 5}}}",
        ])
        .unwrap();
        assert!(plan.checks["a"].exec.is_none() && plan.checks["a"].period.is_none());
    }

    #[test]
    fn every_object_says_how_it_meets_an_earlier_one() {
        let error = |text: &str| plan(&[text]).unwrap_err().message;
        assert_eq!(error("services: {x: {command: a}}"), "layer \"label\" must define \"override\" for service \"x\"");
        assert_eq!(
            error("checks: {x: {override: bar, exec: {command: a}}}"),
            "layer \"label\" has invalid \"override\" value for check \"x\""
        );
    }
}
