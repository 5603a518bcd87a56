//! `top`: frames, keys, and the terminal as it was afterwards.

use crate::support::playground::Playground;
use crate::support::terminal::Pty;
use rustix::process::Signal;
use serde_json::Value;
use std::process::Command;

/// A daemon with its services, and a sandbox.
fn world() -> Playground {
    let world = Playground::start("pebble,sprites", &["PEBBLE", "SPRITES_ENDPOINT", "SPRITES_TOKEN"]);
    world.esker().args(["vm", "create", "sprites/box", "-q"]).assert().success();
    let layer = "services:\n  web: {override: replace, command: sleep 1000}\n  worker: {override: replace, command: sleep 1000}\n";
    let mut add = world.esker();
    add.args(["svc", "layer", "add", "base", "-", "--target", "pebble"]).write_stdin(layer).assert().success();
    world.esker().args(["svc", "start", "web", "--target", "pebble", "-q"]).assert().success();
    world
}

fn top(world: &Playground) -> Command {
    let mut command = world.esker_process();
    command.env("TERM", "xterm").env("LANG", "C.UTF-8").args(["top", "--every", "100ms"]);
    command
}

#[test]
fn one_frame_is_printed_or_its_rows() {
    let world = world();
    let frame = world.esker().args(["top", "--once"]).output().unwrap();
    let text = String::from_utf8_lossy(&frame.stdout).into_owned();
    assert!(frame.status.success() && !text.contains('\x1b'), "{frame:?}");
    let row = text.lines().find(|line| line.contains(" web ")).expect("a row");
    assert!(
        row.starts_with("svc ") && row.contains("pebble") && row.contains("active") && row.contains("1 restarts"),
        "{row}"
    );
    assert!(text.lines().any(|line| line.starts_with("vm ") && line.contains("sprites/box")), "{text}");

    let rows = world.esker().args(["top", "pebble", "--once", "-o", "json"]).output().unwrap();
    let rows: Vec<Value> = serde_json::from_slice(&rows.stdout).unwrap();
    let names: Vec<_> = rows.iter().map(|row| (row["kind"].as_str().unwrap(), row["name"].as_str().unwrap())).collect();
    assert_eq!(names, [("svc", "web"), ("svc", "worker")]);
    assert_eq!(
        (&rows[0]["state"], &rows[0]["value"], &rows[1]["state"]),
        (&"active".into(), &1.0.into(), &"inactive".into())
    );

    world.esker().args(["top"]).assert().code(2);
    world.esker().args(["top", "pebble", "nobody", "--once"]).assert().code(6);
}

#[test]
fn it_lives_on_a_terminal_and_leaves_it_as_it_was() {
    let world = world();
    let mut pty = Pty::new(90, 20);
    let mut running = pty.start(top(&world));
    let begun = pty.until("\x1b[?25l");
    assert!(begun.contains("\x1b[?1049h"), "{begun:?}");
    pty.until("worker");
    assert!(!pty.is_cooked());
    // A change over there is seen without a key.
    world.esker().args(["svc", "start", "worker", "--target", "pebble", "-q"]).assert().success();
    pty.until("svc 2");
    pty.send("f");
    pty.until("f svc");
    pty.send("fff");
    pty.until("f run");
    pty.send(" ");
    pty.until("stopped");
    pty.send("q");
    pty.until("\x1b[?25h\x1b[?1049l");
    assert_eq!(running.wait().0, 0);
    assert!(pty.is_cooked());
}

#[test]
fn a_signal_leaves_the_terminal_clean_too() {
    let world = world();
    let mut pty = Pty::new(60, 5);
    let mut running = pty.start(top(&world));
    pty.until("esker top");
    running.signal(Signal::TERM);
    pty.until("\x1b[?25h\x1b[?1049l");
    assert_eq!(running.wait().0, 143);
    assert!(pty.is_cooked());
}
