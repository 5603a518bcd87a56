//! A test that holds the directions between the rooms of this crate: who may use whom.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Everybody may use these; they use only each other.
const GROUND: &[&str] = &["error", "model", "stream", "notes", "cleanups", "operation", "scratch", "suggest", "glob"];

/// What each room may use beside the ground. A room that is not here is a mistake.
const MAY_USE: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("host", &["provider"]),
    ("transport", &[]),
    ("output", &["config", "tty"]),
    ("report", &["output"]),
    ("provider", &["config", "host", "transport"]),
    ("playground", &["config", "host", "provider", "transport"]),
    ("settings", &["config"]),
    ("resolve", &["config", "provider", "settings"]),
    ("agent", &["provider"]),
    ("supervisor", &["agent", "config", "provider"]),
    ("fanout", &["config", "resolve"]),
    ("transfer", &["provider", "host", "config"]),
    ("forward", &["provider"]),
    ("signal", &["provider", "host", "tty"]),
    ("tty", &["provider", "host"]),
    ("context", &["config", "output", "provider", "resolve", "settings", "signal", "transport"]),
    ("startup", &["cli", "config", "context", "host", "output", "report", "settings", "tty"]),
    (
        "cli",
        &[
            "agent",
            "config",
            "context",
            "fanout",
            "forward",
            "host",
            "output",
            "playground",
            "provider",
            "report",
            "resolve",
            "settings",
            "signal",
            "startup",
            "supervisor",
            "transfer",
            "tty",
        ],
    ),
];

/// Every source file with the room it is in.
fn files() -> Vec<(String, PathBuf)> {
    fn walk(dir: &Path, all: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).expect("the sources are there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, all);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                all.push(path);
            }
        }
    }
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    walk(&src, &mut all);
    let room = |path: &Path| {
        let first = path.strip_prefix(&src).ok()?.components().next()?.as_os_str().to_str()?;
        Some(first.strip_suffix(".rs").unwrap_or(first).to_owned())
    };
    all.into_iter()
        .filter_map(|path| Some((room(&path)?, path)))
        .filter(|(r, _)| !["build", "lib", "main", "rooms"].contains(&r.as_str()))
        .collect()
}

/// The paths that a file uses, `crate::` cut off; its unit tests do not count.
fn uses(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a source file is text");
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
        for (at, _) in line.match_indices("crate::") {
            // `$crate::` in a macro is this crate too.
            let rest = &line[at + "crate::".len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
    }
    found
}

fn is_test(path: &Path) -> bool {
    let path = path.to_string_lossy();
    ["tests.rs", "/tests/", "conformance.rs", "fake.rs", "cases.rs"].iter().any(|part| path.contains(part))
}

#[test]
fn rooms_are_used_in_one_direction() {
    let mut wrong = BTreeSet::new();
    for (room, path) in files() {
        if is_test(&path) {
            continue;
        }
        let ground = GROUND.contains(&room.as_str());
        let allowed = MAY_USE.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        assert!(ground || allowed.is_some(), "the room `{room}` is not in the table");
        for used in uses(&path) {
            let other = used.split("::").next().unwrap_or_default();
            let fine =
                other == room || GROUND.contains(&other) || allowed.is_some_and(|allowed| allowed.contains(&other));
            if !fine {
                wrong.insert(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn commands_know_no_provider_and_providers_know_no_sibling() {
    let providers = ["pebble", "sprites", "rexec", "vergeos", "pi"];
    let mut wrong = Vec::new();
    for (room, path) in files().into_iter().filter(|(_, path)| !is_test(path)) {
        let text = path.to_string_lossy().into_owned();
        let own = providers.iter().find(|name| text.contains(&format!("provider/{name}/")));
        for used in uses(&path) {
            let Some(rest) = used.strip_prefix("provider::") else { continue };
            // A simulator shares the plain data of its provider's wire, and nothing else.
            let shared = providers.iter().find(|name| rest.starts_with(&format!("{name}::api")));
            if shared.is_some_and(|name| text.contains(&format!("playground/{name}/"))) {
                continue;
            }
            let named = providers.iter().find(|name| rest.split("::").next() == Some(**name));
            if named.is_some() && named != own {
                wrong.push(format!("{text} ({room}) uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_output_writes_to_the_standard_streams() {
    let mut wrong = Vec::new();
    for (room, path) in files().into_iter().filter(|(room, path)| room != "output" && !is_test(path)) {
        let text = fs::read_to_string(&path).expect("a source file is text");
        let text = text.split("\nmod tests {").next().unwrap_or_default().to_owned();
        for word in ["println!", "eprintln!", "print!(", "io::stdout()", "io::stderr()", "process::exit"] {
            let exempt = room == "host" && word == "process::exit";
            if text.contains(word) && !exempt {
                wrong.push(format!("{} has {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
