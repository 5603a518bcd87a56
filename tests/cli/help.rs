//! Help: every command explains itself, and none needs the network or a valid configuration for it.

use crate::support::{esker, home};
use clap::Command;
use esker::cli::{self, Kind, Node};
use std::fmt::Write as _;

/// The whole tree, built, with the path of each command.
fn commands() -> Vec<(String, Command)> {
    fn add(command: &Command, path: &str, all: &mut Vec<(String, Command)>) {
        for child in command.get_subcommands().filter(|child| child.get_name() != "help") {
            let path = format!("{path} {}", child.get_name());
            all.push((path.trim().to_owned(), child.clone()));
            add(child, &path, all);
        }
    }
    let mut root = cli::command();
    root.build();
    let mut all = Vec::new();
    add(&root, "", &mut all);
    all
}

fn leaves(nodes: &'static [Node], path: &str, all: &mut Vec<String>) {
    for node in nodes {
        let path = format!("{path} {}", node.name).trim().to_owned();
        match &node.kind {
            Kind::Leaf { .. } => all.push(path),
            Kind::Group { children, .. } => leaves(children, &path, all),
        }
    }
}

#[test]
fn the_tree_is_sound() {
    let mut root = cli::command();
    root.build();
    root.debug_assert();
    // Every command of the tree is one of clap's.
    let mut names = Vec::new();
    leaves(cli::TREE, "", &mut names);
    let known: Vec<String> = commands().into_iter().map(|(path, _)| path).collect();
    for name in names {
        assert!(known.contains(&name), "{name}");
    }
}

#[test]
fn every_command_has_one_line_and_two_examples() {
    let mut wrong = String::new();
    for (path, command) in commands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        if about.is_empty() || about.contains('\n') || about.ends_with('.') || about.chars().count() > 72 {
            let _ = writeln!(wrong, "{path}: about is `{about}`");
        }
        if command.has_subcommands() {
            continue;
        }
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = after.split_once("Examples:\n").map_or("", |(_, examples)| examples);
        if examples.lines().filter(|line| line.contains("esker ") || line.contains("esker(")).count() < 2 {
            let _ = writeln!(wrong, "{path}: fewer than two examples");
        }
        if let Some(long) = after.lines().find(|line| line.chars().count() > 100) {
            let _ = writeln!(wrong, "{path}: a line is too long: {long}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_flag_has_one_line_of_help() {
    let mut wrong = String::new();
    for (path, command) in commands() {
        for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            let starts_low = help.chars().next().is_some_and(char::is_lowercase);
            if help.is_empty() || help.contains('\n') || help.ends_with('.') || starts_low {
                let _ = writeln!(wrong, "{path} {}: `{help}`", arg.get_id());
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_overview_names_every_command_once_and_its_examples_can_be_read() {
    let overview = cli::overview();
    for node in cli::TREE.iter().filter(|node| !node.hidden) {
        let lines = overview.lines().filter(|line| line.split_whitespace().next() == Some(node.name));
        assert_eq!(lines.count(), 1, "{}", node.name);
    }
    let (_, examples) = overview.split_once("Examples:\n").expect("the overview has examples");
    let examples = examples.lines().take_while(|line| !line.is_empty()).map(|line| line.split("  ").nth(1).unwrap());
    for example in examples {
        let command = cli::command();
        if let Err(error) = command.try_get_matches_from(example.split_whitespace()) {
            panic!("`{example}`: {error}");
        }
    }
}

#[test]
fn the_examples_of_every_command_can_be_read() {
    let mut wrong = String::new();
    for (path, command) in commands() {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let examples = after.split_once("Examples:\n").map_or("", |(_, examples)| examples).replace("\\\n", " ");
        for line in examples.lines() {
            for part in line.split(['|', ';', '(', ')', '#', '>', '&']).map(str::trim) {
                // What a shell does with quotes and variables is not ours to repeat.
                let Some(at) = part.find("esker ").filter(|_| !part.contains(['\'', '"', '$', '<'])) else { continue };
                let words = part[at..].split_whitespace();
                if let Err(error) = cli::command().try_get_matches_from(words) {
                    let _ = writeln!(wrong, "{path}: `{part}`: {error}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn help_goes_to_stdout_and_needs_nothing() {
    // A configuration that cannot be read is in nobody's way.
    std::fs::create_dir_all(home().join("config/esker")).unwrap();
    std::fs::write(home().join("config/esker/config.yaml"), "nonsense: [").unwrap();
    for args in
        [&[][..], &["-h"], &["--help"], &["help"], &["svc", "list", "-h"], &["target", "--help"], &["--version"]]
    {
        let output = esker().args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}");
        assert!(output.stderr.is_empty() && !output.stdout.is_empty(), "{args:?}");
    }
    for args in [&["completion", "bash"][..], &["man"], &["version"], &["schema", "error"], &["providers"]] {
        let output = esker().args(args).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}: {output:?}");
    }
}

#[test]
fn a_bare_noun_prints_its_help_to_stderr() {
    let output = esker().arg("target").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: esker target"), "{output:?}");
}

#[test]
fn near_misses_are_named() {
    for (args, near) in
        [(&["svc", "lst"][..], "list"), (&["targt"], "target"), (&["svc", "list", "--stat", "x"], "state")]
    {
        let output = esker().args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(near), "{args:?}: {output:?}");
    }
}
