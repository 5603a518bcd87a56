//! Which services wait for each other in a circle.

use super::document::Object;
use std::collections::{BTreeMap, BTreeSet};

/// The groups of services that `after` and `before` put in a circle, each sorted. A service that names only itself
/// is no circle to the daemon, and names that do not exist count for nothing.
pub(super) fn cycles<'a>(services: impl Iterator<Item = (&'a String, &'a Object)>) -> Vec<Vec<String>> {
    let services: BTreeMap<&String, &Object> = services.collect();
    let mut waits: BTreeMap<&String, BTreeSet<&String>> =
        services.keys().map(|name| (*name, BTreeSet::new())).collect();
    for (name, service) in &services {
        for other in service.texts("after") {
            if services.contains_key(other) {
                waits.entry(name).or_default().insert(other);
            }
        }
        for other in service.texts("before") {
            if let Some(waits) = waits.get_mut(other) {
                waits.insert(name);
            }
        }
    }
    // Only services in a circle, or between two of them, survive taking away all that wait for nobody, or for which
    // nobody waits; those of one circle reach each other.
    let mut groups: Vec<Vec<String>> = Vec::new();
    let mut left = trim(&waits);
    while let Some(start) = left.keys().next().copied() {
        let reached = reach(&left, start);
        let group: BTreeSet<&String> =
            reached.iter().copied().filter(|other| *other == start || reach(&left, other).contains(start)).collect();
        if group.len() > 1 {
            groups.push(group.iter().map(|name| (*name).clone()).collect());
        }
        left.retain(|name, _| !group.contains(name));
        for targets in left.values_mut() {
            targets.retain(|name| !group.contains(name));
        }
    }
    groups
}

type Graph<'a> = BTreeMap<&'a String, BTreeSet<&'a String>>;

/// The graph without the services that cannot be part of a circle: most of them, in linear time.
fn trim<'a>(graph: &Graph<'a>) -> Graph<'a> {
    let mut waited_by: Graph<'a> = BTreeMap::new();
    for (name, targets) in graph {
        for target in targets {
            waited_by.entry(target).or_default().insert(name);
        }
    }
    let mut left = graph.clone();
    let mut free: Vec<&String> = left.iter().filter(|(_, targets)| targets.is_empty()).map(|(name, _)| *name).collect();
    while let Some(name) = free.pop() {
        left.remove(name);
        for waiting in waited_by.get(name).into_iter().flatten() {
            if let Some(targets) = left.get_mut(waiting) {
                targets.remove(name);
                if targets.is_empty() {
                    free.push(waiting);
                }
            }
        }
    }
    left
}

/// Everything that `start` waits for, directly or not.
fn reach<'a>(graph: &Graph<'a>, start: &'a String) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut next = vec![start];
    while let Some(name) = next.pop() {
        for target in graph.get(name).into_iter().flatten() {
            if reached.insert(*target) {
                next.push(target);
            }
        }
    }
    reached.insert(start);
    reached
}

#[cfg(test)]
mod tests {
    use super::cycles;
    use crate::provider::pebble::layer::document::{Object, Value};
    use std::collections::BTreeMap;

    fn found(edges: &[(&str, &str, &[&str])]) -> Vec<Vec<String>> {
        let mut services: BTreeMap<String, Object> = BTreeMap::new();
        for (name, key, others) in edges {
            let key = if *key == "after" { "after" } else { "before" };
            let others = others.iter().map(|other| (*other).to_owned()).collect();
            services.entry((*name).to_owned()).or_default().0.insert(key, Value::Texts(others));
        }
        cycles(services.iter())
    }

    #[test]
    fn circles_are_found_and_nothing_else() {
        assert!(found(&[("a", "after", &["b", "nobody"]), ("b", "after", &["c"]), ("c", "after", &[])]).is_empty());
        assert!(found(&[("a", "after", &["a"])]).is_empty());
        assert_eq!(found(&[("a", "after", &["b"]), ("b", "after", &["a"])]), [["a", "b"]]);
        assert_eq!(found(&[("a", "before", &["b"]), ("b", "before", &["a"])]), [["a", "b"]]);
        assert!(found(&[("a", "after", &["b"]), ("b", "before", &["a"])]).is_empty());
    }

    #[test]
    fn two_circles_with_a_bridge_are_two() {
        let edges: &[(&str, &str, &[&str])] = &[
            ("a", "after", &["b"]),
            ("b", "after", &["a", "bridge"]),
            ("bridge", "after", &["c"]),
            ("c", "after", &["d"]),
            ("d", "after", &["c", "end"]),
            ("end", "after", &[]),
        ];
        assert_eq!(found(edges), [["a", "b"], ["c", "d"]]);
    }
}
