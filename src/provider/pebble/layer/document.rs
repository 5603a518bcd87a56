//! A layer or plan as typed data, empty values left out: what the daemon's decoder would make of the text.

use super::schema::{Key, Kind, Section};
use std::collections::BTreeMap;

/// A value of a key. Empty text, lists and maps, and unset numbers, have none.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text, or one of a few words.
    Text(String),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
    /// Nanoseconds.
    Duration(i64),
    /// A list of text.
    Texts(Vec<String>),
    /// Text by name.
    Map(BTreeMap<String, String>),
    /// Keys of its own; present even if there are none.
    Object(Object),
}

/// The values of an object by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Object(pub BTreeMap<&'static str, Value>);

impl Object {
    /// The text of `key`, empty if it is unset.
    pub(super) fn text(&self, key: &str) -> &str {
        match self.0.get(key) {
            Some(Value::Text(text)) => text,
            _ => "",
        }
    }

    /// The list of `key`.
    pub(super) fn texts(&self, key: &str) -> &[String] {
        match self.0.get(key) {
            Some(Value::Texts(items)) => items,
            _ => &[],
        }
    }

    /// The map of `key`.
    pub(super) fn map(&self, key: &str) -> impl Iterator<Item = (&String, &String)> {
        match self.0.get(key) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        }
        .into_iter()
        .flatten()
    }

    /// The object of `key`.
    pub(super) fn object(&self, key: &str) -> Option<&Self> {
        match self.0.get(key) {
            Some(Value::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// The duration of `key`, in nanoseconds.
    pub(super) fn duration(&self, key: &str) -> Option<i64> {
        match self.0.get(key) {
            Some(Value::Duration(nanoseconds)) => Some(*nanoseconds),
            _ => None,
        }
    }

    /// Whether any of `keys` is set.
    pub(super) fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.0.contains_key(key))
    }

    /// Merges `other` over this one: lists grow, maps and objects merge by key, anything else is replaced. What
    /// `other` leaves empty stays.
    fn merge(&mut self, other: &Self, keys: &[Key]) {
        for key in keys {
            let Some(new) = other.0.get(key.name) else { continue };
            match (self.0.get_mut(key.name), new, &key.kind) {
                (Some(Value::Texts(old)), Value::Texts(new), _) => old.extend(new.iter().cloned()),
                (Some(Value::Map(old)), Value::Map(new), _) => old.extend(new.clone()),
                (Some(Value::Object(old)), Value::Object(new), Kind::Object(keys)) => old.merge(new, keys),
                // The first layer that names an object says how it came about.
                (Some(_), _, _) if key.name == "override" => {}
                _ => {
                    self.0.insert(key.name, new.clone());
                }
            }
        }
    }
}

/// How often a check runs that does not say so: every ten seconds.
pub(super) const DEFAULT_PERIOD: i64 = 10_000_000_000;

/// A layer, or the plan that layers add up to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Document {
    sections: BTreeMap<Section, BTreeMap<String, Object>>,
    /// The section `pairing`.
    pub pairing: Object,
}

impl Document {
    /// The objects of a section.
    pub(super) fn section(&self, section: Section) -> impl Iterator<Item = (&String, &Object)> {
        self.sections.get(&section).into_iter().flatten()
    }

    /// The objects of a section, to be changed.
    pub(super) fn section_mut(&mut self, section: Section) -> &mut BTreeMap<String, Object> {
        self.sections.entry(section).or_default()
    }

    /// An object of a section.
    pub(super) fn get(&self, section: Section, name: &str) -> Option<&Object> {
        self.sections.get(&section)?.get(name)
    }

    /// The plan that adding `layer` on top of this one leads to, with the defaults that the server spells out.
    pub(super) fn with(&self, layer: &Self) -> Self {
        let mut plan = self.clone();
        for section in Section::ALL {
            for (name, object) in layer.section(section) {
                let objects = plan.section_mut(section);
                match objects.get_mut(name) {
                    Some(old) if object.text("override") == "merge" => old.merge(object, section.keys()),
                    _ => {
                        objects.insert(name.clone(), object.clone());
                    }
                }
            }
        }
        for check in plan.section_mut(Section::Checks).values_mut() {
            check.0.entry("threshold").or_insert(Value::Int(3));
            let period = check.duration("period").unwrap_or(DEFAULT_PERIOD);
            if check.duration("timeout").is_some_and(|timeout| timeout > period) {
                check.0.insert("timeout", Value::Duration(period));
            }
        }
        plan.sections.retain(|_, objects| !objects.is_empty());
        plan.pairing.0.extend(layer.pairing.0.clone());
        plan
    }
}
