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

/// The fields that the spellings of another client's commands name are fields of their tables.
#[test]
fn translated_flags_name_fields_that_there_are() {
    let mut wrong = Vec::new();
    for command in crate::provider::vergeos::VRG.commands() {
        let ours = command.ours.unwrap_or_default();
        let words: Vec<&str> = ours.split(' ').collect();
        let (def, verb) = match words.as_slice() {
            ["vm", "resource", name, verb, ..] => (table(name), *verb),
            ["vm", noun, verb, ..] => (all().find(|def| def.table.noun == *noun), *verb),
            _ => continue,
        };
        let Some(def) = def else {
            if words.get(1) == Some(&"resource") {
                wrong.push(format!("{}: no table", command.theirs));
            }
            continue;
        };
        let action = def.table.action(verb);
        let is_known = |name: &str| match (verb, action) {
            ("create" | "update", _) => def.columns().any(|column| column == name),
            (_, Some(action)) => action.params == "*" || action.params.split(' ').any(|param| param == name),
            _ => true,
        };
        if !["list", "show", "create", "update", "delete"].contains(&verb) && action.is_none() {
            wrong.push(format!("{}: no action `{verb}`", command.theirs));
        }
        let texts = command.flags.iter().map(|(_, meaning)| *meaning).chain([ours]);
        for text in texts.filter(|text| text.starts_with("--") || text.starts_with("vm ")) {
            for set in text.split(' ').skip_while(|word| !word.starts_with("--set")).filter(|word| word.contains('=')) {
                let name = set.split('=').next().unwrap_or_default().trim_matches('\'');
                if !name.starts_with('-') && !is_known(name) && text.starts_with("--") {
                    wrong.push(format!("{}: {text}", command.theirs));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
