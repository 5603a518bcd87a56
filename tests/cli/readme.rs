//! The README does not lie: its layer is given to a real daemon, its commands are run, and what they print is compared.

use crate::support::daemon::Daemon;
use crate::support::{home, peers};
use std::path::{Path, PathBuf};
use std::process::Command;

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("there is a README")
}

/// The blocks of a language, without their fences.
fn blocks<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    readme.split(&fence).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default()).collect()
}

/// Commands in the blocks of a language, and what the README says they print.
fn examples(readme: &str, language: &str) -> Vec<(String, String)> {
    let mut examples: Vec<(String, String)> = Vec::new();
    for line in blocks(readme, language).into_iter().flat_map(str::lines) {
        match (line.strip_prefix("$ "), examples.last_mut()) {
            (Some(command), _) => examples.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.extend([line, "\n"]),
            (None, None) => panic!("a console block begins with `{line}`"),
        }
    }
    examples
}

/// The text with every time replaced by one of the same width.
fn normal(text: &str) -> String {
    const SHAPE: &str = "0000-00-00T00:00:00Z";
    let is_time = |at: usize| {
        text.get(at..at + SHAPE.len()).is_some_and(|part| {
            part.chars()
                .zip(SHAPE.chars())
                .all(|(is, wanted)| if wanted == '0' { is.is_ascii_digit() } else { is == wanted })
        })
    };
    let mut normal = text.to_owned();
    for at in 0..text.len() {
        if is_time(at) {
            normal.replace_range(at..at + SHAPE.len(), SHAPE);
        }
    }
    normal
}

/// A program with nothing of the caller's around it, and esker in its path.
fn bare(program: &str) -> Command {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_esker"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs = binary.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
    let mut command = Command::new(program);
    command.env_clear().env("PATH", std::env::join_paths(dirs).expect("a path")).env("HOME", home());
    command
}

#[test]
fn every_example_of_the_playground_prints_what_it_says() {
    const MARK: &str = "-- next --";
    let examples = examples(&readme(), "console playground");
    assert!(examples.len() >= 5, "{examples:?}");
    let mut script = String::from("exec 2>&1\n");
    for (command, _) in &examples {
        script.extend([command, "\necho '", MARK, "'\n"]);
    }
    let output = bare("esker").args(["playground", "--", "sh", "-c", &script]).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let said: Vec<&str> = said.split(&format!("{MARK}\n")).collect();
    assert_eq!(said.len(), examples.len() + 1, "{said:?} {output:?}");
    for ((command, wanted), said) in examples.iter().zip(said) {
        assert_eq!(normal(said), normal(wanted), "$ {command}");
    }
}

#[test]
fn every_example_prints_what_it_says() {
    let readme = readme();
    let examples = examples(&readme, "console");
    assert!(examples.len() >= 6, "{examples:?}");
    if peers::pebble().is_none() {
        return;
    }
    let start = blocks(&readme, "sh").into_iter().find(|block| block.contains("pebble run")).expect("a quick start");
    let (_, layer) = start.split_once("<<'EOF'\n").expect("a layer in the quick start");
    let (layer, _) = layer.split_once("\nEOF").expect("the layer has an end");
    let daemon = Daemon::options().layers(&[("base", layer)]).autostart().start();
    let shell = |command: &str| {
        let output = bare("sh").args(["-c", &format!("exec 2>&1; {command}")]).env("PEBBLE", daemon.dir()).output();
        String::from_utf8_lossy(&output.expect("sh runs").stdout).into_owned()
    };
    // `pebble run` answers before its services run.
    assert_eq!(shell("esker svc wait web worker --for active --timeout 1m"), "");
    for (command, wanted) in examples {
        assert_eq!(normal(&shell(&command)), normal(&wanted), "$ {command}");
    }
}

#[test]
fn the_readme_names_the_daemon_that_the_tests_install() {
    let module =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/pebble/go.mod")).unwrap();
    let version = module.lines().find_map(|line| {
        line.trim()
            .strip_prefix("github.com/canonical/pebble ")
            .or_else(|| line.trim().strip_prefix("require github.com/canonical/pebble "))
    });
    let version = version.and_then(|rest| rest.split_whitespace().next()).expect("a pinned version");
    assert!(readme().contains(&format!("github.com/canonical/pebble/cmd/pebble@{version}")), "{version}");
}
