//! Which services an action takes in, and in which order (section 2.4).

use super::errors::{Refusal, Result};
use super::plan::Plan;
use std::collections::{BTreeMap, BTreeSet};

/// Services that start or stop one after the other; the first that fails ends the rest.
pub(super) type Lane = Vec<String>;

/// The lanes that start these services and all that they require.
pub(super) fn start_lanes(plan: &Plan, names: &[String]) -> Result<Vec<Lane>> {
    let all = closure(names, |name| {
        plan.services.get(name).into_iter().flat_map(|service| &service.requires).map(|name| name.0.clone()).collect()
    });
    lanes(plan, &all)
}

/// The lanes that stop these services and all that require them.
pub(super) fn stop_lanes(plan: &Plan, names: &[String]) -> Result<Vec<Lane>> {
    let all = closure(names, |name| {
        let requires = |other: &&String| plan.services[*other].requires.iter().any(|required| &**required == name);
        plan.services.keys().filter(requires).cloned().collect()
    });
    let mut lanes = lanes(plan, &all)?;
    lanes.iter_mut().for_each(|lane| lane.reverse());
    Ok(lanes)
}

/// The lanes of exactly these services, the last ones first.
pub(super) fn stop_only(plan: &Plan, names: &[String]) -> Result<Vec<Lane>> {
    let mut lanes = lanes(plan, &names.iter().cloned().collect())?;
    lanes.iter_mut().for_each(|lane| lane.reverse());
    Ok(lanes)
}

fn closure(names: &[String], next: impl Fn(&str) -> Vec<String>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut todo = names.to_vec();
    while let Some(name) = todo.pop() {
        if all.insert(name.clone()) {
            todo.extend(next(&name));
        }
    }
    all
}

/// Those related by `requires` share a lane.
fn lanes(plan: &Plan, names: &BTreeSet<String>) -> Result<Vec<Lane>> {
    // The lane of each service is named by one of its members.
    let mut lane_of: BTreeMap<&str, &str> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    for name in names {
        for required in plan.services.get(name).into_iter().flat_map(|service| &service.requires) {
            if let (Some(&one), Some(&other)) = (lane_of.get(name.as_str()), lane_of.get(&**required)) {
                lane_of.values_mut().filter(|lane| **lane == other).for_each(|lane| *lane = one);
            }
        }
    }
    let mut lanes: Vec<(&str, Lane)> = Vec::new();
    for name in names {
        let lane = lane_of[name.as_str()];
        match lanes.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, members)) => members.push(name.clone()),
            None => lanes.push((lane, vec![name.clone()])),
        }
    }
    lanes.into_iter().map(|(_, members)| start_order(plan, &members)).collect()
}

/// The order in which these services start, by `before` and `after` of all services.
///
/// # Errors
///
/// They go round in a circle.
pub(super) fn start_order(plan: &Plan, names: &[String]) -> Result<Vec<String>> {
    let mut earlier: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, service) in &plan.services {
        // One that wants to come after itself wants nothing.
        let known = |other: &&str| *other != name && plan.services.contains_key(*other);
        earlier.entry(name).or_default().extend(service.after.iter().map(|other| &**other).filter(known));
        for other in service.before.iter().map(|other| &**other).filter(known) {
            earlier.entry(other).or_default().insert(name);
        }
    }
    let mut walk = Walk { earlier: &earlier, done: Vec::new(), path: Vec::new() };
    for name in plan.services.keys() {
        walk.visit(name)?;
    }
    Ok(walk.done.into_iter().filter(|name| names.iter().any(|wanted| wanted == name)).map(str::to_owned).collect())
}

struct Walk<'a> {
    earlier: &'a BTreeMap<&'a str, BTreeSet<&'a str>>,
    done: Vec<&'a str>,
    path: Vec<&'a str>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, name: &'a str) -> Result<()> {
        if self.done.contains(&name) {
            return Ok(());
        }
        if let Some(at) = self.path.iter().position(|other| *other == name) {
            let mut circle = self.path[at..].to_vec();
            circle.sort_unstable();
            return Err(Refusal::bad(format!("services in before/after loop: {}", circle.join(", "))));
        }
        self.path.push(name);
        for other in self.earlier.get(name).into_iter().flatten() {
            self.visit(other)?;
        }
        self.path.pop();
        self.done.push(name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::layer;
    use super::*;

    const PLAN: &str = "
services:
  ok: {override: replace, command: x}
  quick: {override: replace, command: x}
  dep: {override: replace, command: x, requires: [base1], after: [base1]}
  base1: {override: replace, command: x}
  depq: {override: replace, command: x, requires: [quick], after: [quick]}
  pre: {override: replace, command: x, requires: [bad2, last], before: [bad2]}
  bad2: {override: replace, command: x}
  last: {override: replace, command: x, after: [bad2], requires: [bad2]}
";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// As a daemon of 1.32.1 does it.
    #[test]
    fn actions_take_in_what_they_must_in_order() {
        let plan = layer::parse("l", PLAN).unwrap();
        assert_eq!(start_lanes(&plan, &names(&["depq"])).unwrap(), [names(&["quick", "depq"])]);
        assert_eq!(start_lanes(&plan, &names(&["pre"])).unwrap(), [names(&["pre", "bad2", "last"])]);
        assert_eq!(start_lanes(&plan, &names(&["quick", "ok"])).unwrap(), [names(&["ok"]), names(&["quick"])]);
        assert_eq!(
            stop_lanes(&plan, &names(&["quick", "last"])).unwrap(),
            [names(&["depq", "quick"]), names(&["last", "pre"])]
        );
        assert_eq!(stop_only(&plan, &names(&["base1"])).unwrap(), [names(&["base1"])]);
    }
}
