//! What must hold once a layer has been added to a plan. Without a plan only what no plan could mend is an error.

use super::document::{Document, Object};
use super::order;
use super::report::{Report, below};
use super::schema::{Section, suggest};
use crate::model::Finding;

/// A layer, and what it makes of the plan it is added to.
pub(super) struct Combined<'a> {
    layer: &'a Document,
    plan: Option<&'a Document>,
    all: Document,
}

/// Whether the layer has `key`, but nothing that can be used: that was reported, and is not missing.
fn is_wrong(path: &[String], key: &str, report: &Report) -> bool {
    let path = below(path, key);
    report.has(&path) && report.has_error(&path)
}

impl<'a> Combined<'a> {
    /// The outcome of adding `layer` to `plan`, or to one that is not known.
    pub(super) fn new(layer: &'a Document, plan: Option<&'a Document>) -> Self {
        let all = plan.unwrap_or(&Document::default()).with(layer);
        Self { layer, plan, all }
    }

    /// Checks everything that the layer names, and the plan as a whole.
    pub(super) fn check(&self, report: &mut Report) {
        for (name, service) in self.layer.section(Section::Services) {
            self.check_service(name, service, report);
        }
        for (name, check) in self.layer.section(Section::Checks) {
            self.check_check(name, check, report);
        }
        for (name, target) in self.layer.section(Section::LogTargets) {
            self.check_log_target(name, target, report);
        }
        self.check_order(report);
        self.check_workloads(report);
    }

    /// Whether something missing from this object may be in a plan that nobody has shown us.
    fn may_be_elsewhere(&self, object: &Object) -> bool {
        self.plan.is_none() && object.text("override") == "merge"
    }

    /// Refers to an object that does not exist: an error if the daemon would refuse it and the plan is known.
    fn unknown<'r>(
        &self,
        section: Section,
        name: &str,
        refused: bool,
        path: &[String],
        report: &'r mut Report,
    ) -> Option<&'r mut Finding> {
        if self.all.get(section, name).is_some() {
            return None;
        }
        let noun = section.noun();
        let finding = match (self.plan.is_some(), refused) {
            (true, true) => report.error(path, format!("no {noun} `{name}`")),
            (true, false) => report.warning(path, format!("no {noun} `{name}`: the daemon ignores this")),
            (false, _) => report.warning(path, format!("no {noun} `{name}` in this layer")),
        };
        finding.suggestion = suggest(name, self.all.section(section).map(|(name, _)| name.as_str()));
        Some(finding)
    }

    fn check_service(&self, name: &str, service: &Object, report: &mut Report) {
        let path = vec![Section::Services.name().to_owned(), name.to_owned()];
        let Some(merged) = self.all.get(Section::Services, name) else { return };
        if merged.text("command").is_empty() && !self.may_be_elsewhere(service) && !is_wrong(&path, "command", report) {
            report.error(&path, format!("service `{name}` has no `command`"));
        }
        for (key, refused) in [("after", false), ("before", false), ("requires", true)] {
            for (index, other) in service.texts(key).iter().enumerate() {
                let path = below(&below(&path, key), index.to_string());
                if other == name {
                    report.warning(&path, "a service that names itself: the daemon ignores this");
                }
                self.unknown(Section::Services, other, refused, &path, report);
            }
        }
        for (check, _) in service.map("on-check-failure") {
            let path = below(&below(&path, "on-check-failure"), check);
            self.unknown(Section::Checks, check, false, &path, report);
        }
        let workload = merged.text("workload");
        if workload.is_empty() {
            return;
        }
        let key = below(&path, "workload");
        self.unknown(Section::Workloads, workload, true, &key, report);
        if merged.has_any(&["user", "user-id", "group", "group-id"]) {
            report.error(&key, "a service that has a workload can have neither a user nor a group of its own");
        }
    }

    fn check_check(&self, name: &str, check: &Object, report: &mut Report) {
        let path = vec![Section::Checks.name().to_owned(), name.to_owned()];
        let Some(merged) = self.all.get(Section::Checks, name) else { return };
        let kinds: Vec<&str> = ["http", "tcp", "exec"].into_iter().filter(|kind| merged.has_any(&[kind])).collect();
        match kinds.as_slice() {
            [_] => {}
            [] if self.may_be_elsewhere(check) => {}
            [] if ["http", "tcp", "exec"].iter().any(|kind| is_wrong(&path, kind, report)) => {}
            [] => {
                report.error(&path, format!("check `{name}` needs one of `http`, `tcp` and `exec`"));
            }
            several => {
                let message = format!("check `{name}` can have only one of {}", several.join(", "));
                report.error(&path, message);
            }
        }
        for (kind, key) in [("http", "url"), ("tcp", "port"), ("exec", "command")] {
            let lacks = merged.object(kind).is_some_and(|object| !object.has_any(&[key]));
            if lacks && !self.may_be_elsewhere(check) && !is_wrong(&below(&path, kind), key, report) {
                report.error(&below(&path, kind), format!("{kind} check `{name}` has no `{key}`"));
            }
        }
        let context = merged.object("exec").map(|exec| exec.text("service-context")).unwrap_or_default();
        if !context.is_empty() {
            let path = below(&below(&path, "exec"), "service-context");
            self.unknown(Section::Services, context, true, &path, report);
        }
    }

    fn check_log_target(&self, name: &str, target: &Object, report: &mut Report) {
        let path = vec![Section::LogTargets.name().to_owned(), name.to_owned()];
        let Some(merged) = self.all.get(Section::LogTargets, name) else { return };
        for key in ["type", "location"] {
            if merged.text(key).is_empty() && !self.may_be_elsewhere(target) && !is_wrong(&path, key, report) {
                report.error(&path, format!("log target `{name}` has no `{key}`"));
            }
        }
        for (index, service) in target.texts("services").iter().enumerate() {
            // `-name` takes a service out again.
            let service = service.strip_prefix('-').unwrap_or(service);
            if service != "all" {
                let path = below(&below(&path, "services"), index.to_string());
                self.unknown(Section::Services, service, true, &path, report);
            }
        }
    }

    fn check_order(&self, report: &mut Report) {
        for members in order::cycles(self.all.section(Section::Services)) {
            // Reported where the layer takes part in it.
            let key = members.iter().find(|name| self.layer.get(Section::Services, name).is_some());
            let path = match key {
                Some(name) => vec![Section::Services.name().to_owned(), name.clone()],
                None => Vec::new(),
            };
            let path = ["after", "before"]
                .map(|key| below(&path, key))
                .into_iter()
                .find(|key| report.has(key))
                .unwrap_or(path);
            let names = members.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            report.error(&path, format!("these services wait for each other: {names}"));
        }
    }

    /// Workloads are fixed when the daemon starts.
    fn check_workloads(&self, report: &mut Report) {
        let Some(plan) = self.plan else { return };
        for (name, _) in self.layer.section(Section::Workloads) {
            let path = vec![Section::Workloads.name().to_owned(), name.clone()];
            let changed = plan.get(Section::Workloads, name) != self.all.get(Section::Workloads, name);
            if changed && !report.has_error(&path) {
                report.error(&path, "workloads cannot change while the daemon runs");
            }
        }
    }
}
