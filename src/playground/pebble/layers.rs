//! The stack of layers: read from the daemon's directory at its start, added to by clients (sections 2.8 and 6.1).

use super::errors::{Refusal, Result};
use super::plan::Plan;
use super::{go, layer, merge, validate};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The layers and the plan that they make.
#[derive(Debug, Default)]
pub(super) struct Layers {
    stack: Vec<Layer>,
    plan: Plan,
}

#[derive(Clone, Debug)]
struct Layer {
    label: String,
    content: Plan,
}

/// How a client wants a layer added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Adding {
    /// Laid over the layer of the same label, if there is one.
    pub(super) combine: bool,
    /// May go between other layers.
    pub(super) inner: bool,
}

impl Layers {
    /// Reads the layers of a directory, which need not exist.
    ///
    /// # Errors
    ///
    /// A file that is no layer, two of one order or label, a plan that makes no sense.
    pub(super) fn read(dir: &Path) -> std::result::Result<Self, String> {
        let mut stack = Vec::new();
        for (label, path, is_dir) in entries(dir)? {
            if !is_dir {
                stack.push(read(&label, &path)?);
                continue;
            }
            for (inner, path, is_dir) in entries(&path)? {
                if !is_dir {
                    stack.push(read(&format!("{label}/{inner}"), &path)?);
                }
            }
        }
        let plan = plan_of(&stack).map_err(|refusal| refusal.message)?;
        Ok(Self { stack, plan })
    }

    /// The plan.
    pub(super) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Adds a layer; nothing changes if that fails.
    ///
    /// # Errors
    ///
    /// A layer that is none, a label that is taken, a plan that would make no sense.
    pub(super) fn add(&mut self, label: &str, text: &str, how: Adding) -> Result<()> {
        let content = layer::parse(label, text).map_err(|why| Refusal::cannot("parse layer YAML", why))?;
        let mut stack = self.stack.clone();
        match stack.iter_mut().find(|layer| layer.label == label) {
            Some(_) if !how.combine => {
                return Err(Refusal::bad(format!("layer {} already exists", go::quote(label))));
            }
            Some(old) => old.content = merge::combine([(label, &old.content), (label, &content)])?,
            None => {
                let at = place(&stack, label, how.inner)?;
                stack.insert(at, Layer { label: label.to_owned(), content });
            }
        }
        let plan = plan_of(&stack)?;
        if plan.workloads != self.plan.workloads {
            return Err(Refusal::bad("cannot change immutable section \"workloads\""));
        }
        *self = Self { stack, plan };
        Ok(())
    }
}

/// Where a new layer goes: at the end, or behind the others of its sub-directory.
fn place(stack: &[Layer], label: &str, inner: bool) -> Result<usize> {
    let Some((dir, _)) = label.split_once('/') else { return Ok(stack.len()) };
    let is_sibling = |layer: &Layer| layer.label.split_once('/').is_some_and(|(other, _)| other == dir);
    let at = stack.iter().rposition(is_sibling).map_or(stack.len(), |last| last + 1);
    if at < stack.len() && !inner {
        return Err(Refusal::internal("cannot insert sub-directory layer without 'inner' attribute set"));
    }
    Ok(at)
}

fn plan_of(stack: &[Layer]) -> Result<Plan> {
    let mut plan = merge::combine(stack.iter().map(|layer| (layer.label.as_str(), &layer.content)))?;
    validate::complete(&mut plan);
    validate::validate(&plan)?;
    Ok(plan)
}

fn read(label: &str, path: &Path) -> std::result::Result<Layer, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("cannot read layer file: {error}"))?;
    Ok(Layer { label: label.to_owned(), content: layer::parse(label, &text)? })
}

/// The layers of one directory in order: label, path, and whether it is a directory again.
fn entries(dir: &Path) -> std::result::Result<Vec<(String, std::path::PathBuf, bool)>, String> {
    let mut found: BTreeMap<u32, (String, std::path::PathBuf, bool)> = BTreeMap::new();
    let Ok(entries) = fs::read_dir(dir) else { return Ok(Vec::new()) };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()) {
        let (stem, is_dir) = match (name.strip_suffix(".yaml"), name.strip_suffix(".d")) {
            (Some(stem), _) => (stem, false),
            (_, Some(stem)) => (stem, true),
            _ => continue,
        };
        let Some((order, label)) = numbered(stem) else {
            return Err(format!(
                "invalid layer filename: {} (must look like \"123-some-label.yaml\")",
                go::quote(name)
            ));
        };
        if let Some((other, ..)) = found.get(&order) {
            return Err(format!(
                "invalid layer filename: {} not unique (have {} already)",
                go::quote(name),
                go::quote(other)
            ));
        }
        if found.values().any(|(other, ..)| other == label) {
            return Err(format!("invalid layer filename: {} not unique (label is taken)", go::quote(name)));
        }
        found.insert(order, (label.to_owned(), dir.join(name), is_dir));
    }
    Ok(found.into_values().collect())
}

/// `NNN-label`, where a label has three letters or digits at least and no two dashes in a row.
fn numbered(stem: &str) -> Option<(u32, &str)> {
    let (order, label) = stem.split_at_checked(3)?;
    let label = label.strip_prefix('-')?;
    let is_label = label.starts_with(|c: char| c.is_ascii_lowercase())
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !label.contains("--")
        && !label.ends_with('-')
        && label.bytes().filter(|b| *b != b'-').count() >= 3;
    (is_label && order.bytes().all(|b| b.is_ascii_digit())).then_some((order.parse().ok()?, label))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEITHER: Adding = Adding { combine: false, inner: false };

    fn labels(layers: &Layers) -> Vec<&str> {
        layers.stack.iter().map(|layer| layer.label.as_str()).collect()
    }

    #[test]
    fn files_are_layers_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("002-sub.d")).unwrap();
        for (name, text) in [
            ("003-last.yaml", "services: {a: {override: merge, command: z}}"),
            ("001-base.yaml", "services: {a: {override: replace, command: x}}"),
            ("002-sub.d/001-inner.yaml", "services: {a: {override: merge, summary: s}}"),
            ("README", "no layer"),
        ] {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let layers = Layers::read(dir.path()).unwrap();
        assert_eq!(labels(&layers), ["base", "sub/inner", "last"]);
        let service = &layers.plan().services["a"];
        assert_eq!((&*service.command, &*service.summary), ("z", "s"));
        fs::write(dir.path().join("001-other.yaml"), "").unwrap();
        assert!(Layers::read(dir.path()).is_err());
        assert!(Layers::read(&dir.path().join("absent")).is_ok());
    }

    #[test]
    fn names_of_files_are_told_apart() {
        for (stem, is) in [
            ("001-base", true),
            ("001-a-b2c", true),
            ("001-ab", false),
            ("1-base", false),
            ("001-Base", false),
            ("001-a--bc", false),
            ("001-1bc", false),
            ("001base", false),
            ("00x-base", false),
        ] {
            assert_eq!(numbered(stem).is_some(), is, "{stem}");
        }
    }

    #[test]
    fn a_refused_layer_changes_nothing() {
        let mut layers = Layers::default();
        layers.add("one", "services: {a: {override: replace, command: x}}", NEITHER).unwrap();
        let before = layers.plan().clone();
        assert_eq!(layers.add("one", "", NEITHER).unwrap_err().message, "layer \"one\" already exists");
        assert!(layers.add("two", "services: {b: {override: replace}}", NEITHER).is_err());
        assert!(layers.add("two", "workloads: {w: {override: replace}}", NEITHER).is_err());
        assert_eq!((layers.plan(), labels(&layers)), (&before, vec!["one"]));
    }

    #[test]
    fn a_layer_is_laid_over_the_one_of_its_label_where_it_stands() {
        let mut layers = Layers::default();
        let combine = Adding { combine: true, inner: false };
        layers.add("one", "services: {a: {override: replace, command: x}}", NEITHER).unwrap();
        layers.add("two", "services: {a: {override: merge, command: y}}", NEITHER).unwrap();
        layers.add("one", "services: {a: {override: merge, command: z, summary: s}}", combine).unwrap();
        let service = &layers.plan().services["a"];
        assert_eq!((&*service.command, &*service.summary), ("y", "s"));
        layers.add("new", "", combine).unwrap();
        assert_eq!(labels(&layers), ["one", "two", "new"]);
    }

    #[test]
    fn a_layer_of_a_group_goes_to_its_group() {
        let mut layers = Layers::default();
        for label in ["sub/one", "sub/two", "other"] {
            layers.add(label, "", NEITHER).unwrap();
        }
        assert_eq!(layers.add("sub/three", "", NEITHER).unwrap_err().status, 500);
        layers.add("sub/three", "", Adding { combine: false, inner: true }).unwrap();
        assert_eq!(labels(&layers), ["sub/one", "sub/two", "sub/three", "other"]);
    }
}
