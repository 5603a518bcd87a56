//! What must be true of every table.

use super::*;
use std::collections::BTreeSet;

#[test]
fn names_are_unique_and_references_lead_somewhere() {
    let mut names = BTreeSet::new();
    let mut nouns = BTreeSet::new();
    for def in all() {
        let name = def.name();
        assert!(names.insert(name), "{name} is there twice");
        assert!(def.table.noun.is_empty() || nouns.insert(def.table.noun), "noun of {name}");
        assert_eq!(def.table.actions.len(), def.how.len(), "{name}");
        assert!(def.table.parent.is_empty() || table(def.table.parent).is_some(), "parent of {name}");
        assert_eq!(def.table.parent.is_empty(), def.holder.is_none(), "{name}");
        for word in def.set.split_whitespace() {
            let kind = word.split_once(':').map_or("", |(_, kind)| kind);
            let is_kind = ["", "number", "bool", "bytes", "mb", "time", "json"].contains(&kind);
            assert!(is_kind || table(kind).is_some(), "{name}.{word}");
        }
    }
    assert!(names.len() > 140, "{}", names.len());
}

#[test]
fn what_is_shown_is_asked_for() {
    for def in all().filter(|def| !def.fields.is_empty() && !def.fields.starts_with("all")) {
        let aliases: Vec<&str> =
            def.projected().map(|entry| entry.rsplit_once(" as ").map_or(entry, |(_, alias)| alias)).collect();
        for heading in def.table.headings() {
            assert!(aliases.contains(&heading.key.as_str()), "{}: {}", def.name(), heading.key);
        }
        assert!(def.table.label.is_empty() || aliases.contains(&def.table.label), "{}", def.name());
        assert!(aliases.contains(&"$key"), "{}", def.name());
    }
}

#[test]
fn projections_are_split_outside_of_brackets() {
    let triggers: Vec<_> = table("task_schedule_triggers").unwrap().projected().collect();
    assert!(
        triggers.iter().any(|entry| entry.starts_with("flatten(schedule[") && entry.ends_with("])")),
        "{triggers:?}"
    );
    assert!(table("storage_tiers").unwrap().projected().any(|entry| entry.starts_with("stats[reads,")));
}

#[test]
fn actions_have_distinct_names() {
    for def in all() {
        let names: BTreeSet<_> = def.table.actions.iter().map(|action| action.name).collect();
        assert_eq!(names.len(), def.table.actions.len(), "{}", def.name());
    }
}
