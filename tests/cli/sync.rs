//! `files cp` and `files sync` between any two places: this machine, a daemon, a sandbox, a container.

use crate::support::home;
use crate::support::playground::Playground;
use crate::support::running::Running;
use serde_json::Value;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;

/// Three systems at once, with a sandbox and a container.
struct World(Playground);

impl World {
    fn start() -> Self {
        let variables = ["PEBBLE", "SPRITES_ENDPOINT", "SPRITES_TOKEN", "REXEC_URL", "REXEC_TOKEN"];
        let world = Self(Playground::start("pebble,sprites,rexec", &variables));
        world.ok(&["vm", "create", "sprites/box", "-q"]);
        world.ok(&["vm", "create", "rexec/box", "--image", "debian-12", "-q"]);
        world
    }

    fn run(&self, args: &[&str]) -> Output {
        self.0.esker().args(args).output().expect("esker runs")
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    #[track_caller]
    fn fails(&self, args: &[&str], code: i32, says: &str) {
        let output = self.run(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(says), "{said}");
    }

    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.ok(args)).expect("JSON")
    }

    /// A fresh directory at a place, named as `files` takes it.
    fn room(place: &str, name: &str) -> String {
        let path = match place {
            "local" => return near(name).display().to_string(),
            // The daemon has the files of this machine.
            "pebble" => near("far").join(name).display().to_string(),
            "sprites/box" => format!("/home/sprite/{name}"),
            _ => format!("/tmp/{name}"),
        };
        format!("{place}:{path}")
    }

    /// What is in a directory at a place: fetched by `cp`, which has tests of its own.
    fn tree(&self, at: &str, scratch: &str) -> Vec<(PathBuf, u32, Vec<u8>)> {
        if at.starts_with('/') {
            return tree(Path::new(at));
        }
        let to = near(scratch);
        self.ok(&["files", "cp", "-r", "-p", at, &to.display().to_string(), "-q"]);
        tree(&to)
    }
}

fn near(name: &str) -> PathBuf {
    home().join("sync").join(name)
}

/// Every file below `dir`: its path, its mode and its content; directories have none.
fn tree(dir: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("a directory") {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let relative = path.strip_prefix(dir).unwrap().to_owned();
            if metadata.is_dir() {
                found.push((relative, 0, b"/".to_vec()));
                waiting.push(path);
            } else {
                found.push((relative, metadata.permissions().mode() & 0o777, fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn grow(dir: &Path) {
    fs::create_dir_all(dir.join("sub/deep er")).unwrap();
    fs::create_dir(dir.join("empty")).unwrap();
    fs::write(dir.join("large"), (0..300_000_u32).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    for i in 0..20 {
        fs::write(dir.join(format!("sub/small{i}")), format!("content {i}")).unwrap();
    }
    fs::write(dir.join("sub/deep er/ünïcode \"$x"), "x").unwrap();
    fs::write(dir.join("program"), "#!").unwrap();
    fs::set_permissions(dir.join("program"), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(dir.join("large"), Permissions::from_mode(0o640)).unwrap();
}

const PLACES: [&str; 4] = ["local", "pebble", "sprites/box", "rexec/box"];

/// Has a tree go from one place to every other, itself included, by both verbs in turns. Each place has a server of its
/// own: one counts the terminals that are opened.
fn a_tree_goes(from: &str) {
    let world = World::start();
    fs::create_dir_all(near("far")).unwrap();
    let called = from.split('/').next().unwrap();
    let origin = near(&format!("origin-{called}"));
    grow(&origin);
    let wanted = tree(&origin);
    let mut source = origin.display().to_string();
    if from != "local" {
        let room = World::room(from, &format!("from-{called}"));
        world.ok(&["files", "cp", "-r", "-p", &source, &room, "-q"]);
        source = room;
    }
    for (number, to) in PLACES.iter().filter(|to| (from, **to) != ("local", "local")).enumerate() {
        let dest = World::room(to, &format!("from-{called}-{number}"));
        // A second sync compares modes and checksums.
        if number % 2 == 0 {
            world.ok(&["files", "cp", "-r", "-p", &source, &dest, "-q"]);
        } else {
            world.ok(&["files", "sync", &source, &dest, "-q"]);
        }
        let again = world.json(&["files", "sync", &source, &dest, "-o", "json"]);
        let did = |key: &str| again[key].as_u64().unwrap();
        assert_eq!((did("files"), did("unchanged"), did("modes")), (0, 23, 0), "{source} {dest}: {again}");
        let arrived = if *to == "local" {
            tree(&near(&format!("from-{called}-{number}")))
        } else {
            world.tree(&dest, &format!("back-{called}-{number}"))
        };
        let names: Vec<_> = arrived.iter().map(|(path, mode, _)| (path, mode)).collect();
        assert!(arrived == wanted, "{source} {dest}: {names:?}");
    }
}

#[test]
fn a_tree_goes_from_here_to_any_place_and_a_second_sync_finds_nothing_to_do() {
    a_tree_goes("local");
}

#[test]
fn a_tree_goes_from_pebble_to_any_place() {
    a_tree_goes("pebble");
}

#[test]
fn a_tree_goes_from_sprites_to_any_place() {
    a_tree_goes("sprites/box");
}

#[test]
fn a_tree_goes_from_rexec_to_any_place() {
    a_tree_goes("rexec/box");
}

#[test]
fn what_differs_is_told_first_and_then_done() {
    let world = World::start();
    let from = near("from");
    grow(&from);
    let source = from.display().to_string();
    for place in ["pebble", "sprites/box", "rexec/box"] {
        fs::create_dir_all(near("far")).unwrap();
        let dest = World::room(place, "to");
        world.ok(&["files", "sync", &source, &dest, "-q"]);
        // The same size, so that only a checksum tells; and no clock does.
        fs::write(from.join("sub/small3"), "CONTENT 3").unwrap();
        fs::write(from.join("new"), "new").unwrap();
        fs::remove_dir_all(from.join("empty")).unwrap();
        fs::remove_file(from.join("sub/small4")).unwrap();
        let (path_of, root) = dest.split_once(':').unwrap();
        world.ok(&["files", "mkdir", &format!("{path_of}:{root}/extra"), "-q"]);
        let plan =
            world.json(&["files", "sync", &source, &dest, "--dry-run", "--delete", "--exclude", "extra", "-o", "json"]);
        let told: Vec<String> = plan
            .as_array()
            .unwrap()
            .iter()
            .map(|c| format!("{} {}", c["change"].as_str().unwrap(), c["path"].as_str().unwrap()))
            .collect();
        assert_eq!(told, ["delete empty", "delete sub/small4", "create new", "update sub/small3"], "{place}");
        assert!(
            world
                .tree(&dest, &format!("dry-{}", place.replace('/', "-")))
                .iter()
                .any(|(path, ..)| path == Path::new("sub/small4"))
        );

        // What deletes asks, and has nobody to ask here.
        world.fails(&["files", "sync", &source, &dest, "--delete"], 2, "--yes");
        let done =
            world.json(&["files", "sync", &source, &dest, "--delete", "--yes", "--exclude", "extra", "-o", "json"]);
        assert_eq!(
            (&done["files"], &done["deleted"], &done["failed"]),
            (&2.into(), &2.into(), &0.into()),
            "{place}: {done}"
        );
        let mut there = world.tree(&dest, &format!("after-{}", place.replace('/', "-")));
        there.retain(|(path, ..)| path != Path::new("extra"));
        assert!(there == tree(&from), "{place}");
        fs::remove_dir_all(&from).unwrap();
        grow(&from);
    }
}

#[test]
fn a_sync_that_makes_no_sense_is_refused() {
    let world = World::start();
    let from = near("from");
    grow(&from);
    let source = from.display().to_string();
    world.fails(&["files", "sync", &source, &near("to").display().to_string()], 2, "neither directory is over there");
    world.fails(&["files", "sync", &source, "sprites/box:/", "--delete", "--yes"], 2, "it is everything");
    world.fails(
        &["files", "sync", &from.join("program").display().to_string(), "sprites/box:/tmp/x"],
        2,
        "is no directory",
    );
    world.fails(&["files", "sync", "sprites/box:/tmp", "sprites/box:/tmp/in"], 2, "one inside the other");
    world.fails(&["files", "sync", &near("nowhere").display().to_string(), "sprites/box:/tmp/x"], 6, "nowhere");
    world.fails(&["files", "sync", &source, "sprites/box:/tmp/x", "--exclude", "/"], 2, "--exclude");
}

#[test]
fn what_changes_is_brought_over_while_it_is_watched() {
    let world = World::start();
    let from = near("from");
    grow(&from);
    let source = from.display().to_string();
    let mut command = world.0.esker_process();
    command.args([
        "files",
        "sync",
        &source,
        "sprites/box:/home/sprite/w",
        "--watch=50ms",
        "--delete",
        "--yes",
        "-o",
        "jsonl",
    ]);
    let mut watching = Running::start(&mut command);
    watching.notes("watching");
    fs::write(from.join("program"), "another").unwrap();
    let line = watching.says("update");
    assert!(
        line.starts_with(
            r#"{"type":"change","provider":"sprites","target":"sprites/box","change":"update","path":"program""#
        ),
        "{line}"
    );
    assert_eq!(world.ok(&["files", "cat", "sprites/box:/home/sprite/w/program"]), "another");
    fs::create_dir(from.join("late")).unwrap();
    fs::write(from.join("late/file"), "late").unwrap();
    watching.says("late/file");
    assert_eq!(world.ok(&["files", "cat", "sprites/box:/home/sprite/w/late/file"]), "late");
    fs::remove_dir_all(from.join("late")).unwrap();
    watching.says(r#""change":"delete","path":"late""#);
    world.fails(&["files", "show", "sprites/box:/home/sprite/w/late"], 6, "late");
    watching.signal(rustix::process::Signal::INT);
    let output = watching.end();
    assert!(!output.status.success());
}
