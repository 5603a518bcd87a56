//! Live names for positionals, over simulators of several systems.

use crate::support::playground::Playground;
use std::fs;
use std::time::{Duration, Instant};

/// The candidates for the last word, as fish asks for them; nothing may be said on stderr.
fn candidates(world: &Playground, words: &[&str]) -> Vec<String> {
    let mut command = world.esker();
    let output = command.env("COMPLETE", "fish").arg("--").arg("esker").args(words).output().expect("esker runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

/// A busy machine may take longer than a completion waits; then the next one has it.
#[track_caller]
fn completes(world: &Playground, words: &[&str], wanted: &[&str]) {
    let deadline = Instant::now() + Duration::from_mins(1);
    loop {
        let found = candidates(world, words);
        if found == wanted {
            return;
        }
        assert!(Instant::now() < deadline, "{words:?}: {found:?}, not {wanted:?}");
    }
}

#[test]
fn paths_over_there_complete_directory_by_directory() {
    let world = Playground::sandbox(&[]);
    for path in ["/home/sprite/web/index.html", "/home/sprite/work.txt"] {
        let to = format!("sprites/box:{path}");
        world.esker().args(["files", "cp", "-p", "-", &to, "-q"]).write_stdin("x").assert().success();
    }
    completes(
        &world,
        &["files", "cat", "sprites/box:/home/sprite/w"],
        &["sprites/box:/home/sprite/web/", "sprites/box:/home/sprite/work.txt"],
    );
    completes(&world, &["files", "list", "/home/sprite/web/"], &["/home/sprite/web/index.html"]);
    completes(&world, &["files", "rm", ":/home/sprite/wo"], &[":/home/sprite/work.txt"]);
    completes(&world, &["files", "cat", "sprites/b"], &["sprites/box:/"]);
    // Of a copy one side is here.
    fs::write(crate::support::home().join("here.txt"), "").unwrap();
    completes(&world, &["files", "cp", "./he"], &["./here.txt"]);
    completes(
        &world,
        &["files", "cp", "./here.txt", "sprites/box:/home/sprite/wor"],
        &["sprites/box:/home/sprite/work.txt"],
    );
    assert!(candidates(&world, &["files", "cat", "sprites/gone:/"]).is_empty());
}

#[test]
fn checkpoints_and_runs_complete() {
    let world = Playground::sandbox(&[]);
    world.esker().args(["checkpoint", "create", "--comment", "before", "-q"]).assert().success();
    let output = world.esker().args(["checkpoint", "list", "-o", "name"]).output().unwrap();
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    let id = all.lines().next().expect("a checkpoint").to_owned();
    completes(&world, &["checkpoint", "restore", &id], &[&id]);
    let output = world.esker().args(["exec", "--detach", "--", "sleep", "1000"]).output().unwrap();
    let run = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    assert!(!run.is_empty(), "{output:?}");
    completes(&world, &["exec", "--kill", &run], &[&run]);
    let _ = world.esker().args(["exec", "--kill", &run, "-q"]).assert();
}

#[test]
fn rows_of_tables_complete() {
    let world = Playground::vergeos();
    completes(&world, &["vm", "network", "show", "--target", "vergeos", "Int"], &["Internal"]);
    completes(&world, &["vm", "resource", "vnets", "show", "--target", "vergeos", "Int"], &["Internal"]);
    let tables = candidates(&world, &["vm", "resource", "--target", "vergeos", "vnet_"]);
    assert!(tables.contains(&"vnet_rules".to_owned()), "{tables:?}");
}
