//! Files of sandboxes and checkpoints end to end: the binary against the simulator, which keeps real files and runs
//! real programs.

use crate::support::playground::Playground;
use crate::support::{error_of, home};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

/// A simulator with one sandbox, `dev`.
fn sandbox() -> Playground {
    let playground = Playground::sprites();
    make(&playground, "dev");
    playground
}

fn make(playground: &Playground, name: &str) {
    let mut command = playground.esker();
    let command = command.args(["api", "POST", "/v1/sprites", "--body", "-", "--target", "sprites"]);
    let made = command.write_stdin(format!(r#"{{"name":"{name}"}}"#)).output().unwrap();
    assert!(made.status.success(), "{made:?}");
}

fn run(playground: &Playground, arguments: &[&str]) -> Output {
    playground.esker().args(arguments).env("ESKER_TARGET", "sprites/dev").output().unwrap()
}

/// What a command printed that must succeed.
fn said(playground: &Playground, arguments: &[&str]) -> String {
    let output = run(playground, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn sh(playground: &Playground, script: &str) -> String {
    said(playground, &["exec", "-I", "--", "sh", "-c", script])
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Directories, many small files and a large one.
fn grow(root: &Path, files: usize) {
    for i in 0..files {
        let dir = root.join(format!("d{}/deep", i % 7));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join(format!("f{i}")), format!("{i}").repeat(i % 50)).unwrap();
    }
    fs::write(root.join("large"), (0..5_000_000_u32).map(|i| i.to_le_bytes()[1]).collect::<Vec<_>>()).unwrap();
    fs::set_permissions(root.join("large"), fs::Permissions::from_mode(0o750)).unwrap();
    fs::create_dir(root.join("empty")).unwrap();
    for name in ["-dash", "new\nline", "back\\slash", "ü"] {
        fs::write(root.join(name), name).unwrap();
    }
    fs::set_permissions(root.join("ü"), fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_tree_goes_there_and_back_unchanged() {
    let playground = sandbox();
    let (from, back) = (home().join("from"), home().join("back"));
    fs::create_dir(&from).unwrap();
    grow(&from, 500);
    let local = |path: &Path| path.to_str().unwrap().to_owned();
    said(&playground, &["files", "cp", "-r", &local(&from), ":/home/sprite/tree"]);
    assert_eq!(
        sh(&playground, "cd tree && find . -name '.*' ! -name . | wc -l; find . -type f -printf x | wc -c"),
        "0\n505\n"
    );
    said(&playground, &["files", "cp", "-r", ":/home/sprite/tree", &local(&back)]);
    let same = std::process::Command::new("diff").arg("-r").arg(&from).arg(&back).output().unwrap();
    assert!(same.status.success(), "{same:?}");
    assert!(back.join("empty").is_dir());
    assert_eq!((mode(&back.join("large")), mode(&back.join("ü"))), (0o750, 0o600));
    // And from there to there: another sandbox, through this machine.
    make(&playground, "two");
    said(&playground, &["files", "cp", "-r", "sprites/dev:/home/sprite/tree", "sprites/two:/home/sprite/tree"]);
    let sums = "cd tree && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum";
    let other = said(&playground, &["exec", "sprites/two", "-I", "--", "sh", "-c", sums]);
    assert_eq!(sh(&playground, sums), other);
}

#[test]
fn a_name_that_is_not_utf8_arrives_with_others_and_is_refused_alone() {
    let playground = sandbox();
    let from = home().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join(std::ffi::OsStr::from_bytes(b"\xff")), "odd").unwrap();
    fs::write(from.join("plain"), "plain").unwrap();
    said(&playground, &["files", "cp", "-r", from.to_str().unwrap(), ":/home/sprite/odd"]);
    assert_eq!(sh(&playground, "cat odd/\"$(printf '\\377')\""), "odd");
    let output = playground
        .esker()
        .args(["files", "cat"])
        .arg(std::ffi::OsStr::from_bytes(b"sprites/dev:/home/sprite/odd/\xff"))
        .args(["-o", "json"])
        .output()
        .unwrap();
    assert_eq!(error_of(&output)["kind"], "unsupported");
}

#[test]
fn what_is_there_is_told_as_it_is() {
    let playground = sandbox();
    sh(&playground, "mkdir -p d/d e; echo hello >d/x; ln -s d/x link; ln -s loop loop; chmod 640 d/x");
    let shown = |path: &str| -> serde_json::Value {
        serde_json::from_str(&said(&playground, &["files", "show", path, "-o", "json"])).unwrap()
    };
    assert_eq!(shown("/home/sprite/d")["type"], "directory");
    assert_eq!(shown("/home/sprite/e")["name"], "e");
    assert_eq!(shown("/")["type"], "directory");
    let file = shown("/home/sprite/d/x");
    assert_eq!((&file["size_bytes"], &file["mode"]), (&serde_json::json!(6), &serde_json::json!("640")));
    let link = shown("/home/sprite/link");
    assert_eq!((&link["type"], &link["link_target"]), (&serde_json::json!("symlink"), &serde_json::json!("d/x")));
    assert_eq!(
        said(&playground, &["files", "list", "/home/sprite/d", "-o", "name"]),
        "/home/sprite/d/d\n/home/sprite/d/x\n"
    );
    assert_eq!(said(&playground, &["files", "cat", "/home/sprite/link"]), "hello\n");
    for (path, status) in [("/home/sprite/none", 6), ("/home/sprite/d/x/y", 7)] {
        assert_eq!(run(&playground, &["files", "show", path]).status.code(), Some(status), "{path}");
    }
    assert_eq!(run(&playground, &["files", "show", "-L", "/home/sprite/loop"]).status.code(), Some(7));
    assert_eq!(run(&playground, &["files", "cat", "/home/sprite/d"]).status.code(), Some(7));
}

#[test]
fn files_are_moved_changed_and_removed() {
    let playground = sandbox();
    said(&playground, &["files", "mkdir", "-p", "/home/sprite/a/b", "--mode", "750"]);
    assert_eq!(sh(&playground, "ls -A a/b; stat -c %a a/b"), "750\n");
    assert_eq!(run(&playground, &["files", "mkdir", "/home/sprite/a"]).status.code(), Some(7));
    sh(&playground, "echo one >one; echo two >two");
    said(&playground, &["files", "mv", "/home/sprite/one", "/home/sprite/a/uno"]);
    said(&playground, &["files", "mv", "/home/sprite/two", "/home/sprite/a/"]);
    said(&playground, &["files", "chmod", "600", "/home/sprite/a/two", "/home/sprite/a/uno"]);
    assert_eq!(sh(&playground, "cat a/uno a/two; stat -c %a a/uno a/two"), "one\ntwo\n600\n600\n");
    assert_eq!(run(&playground, &["files", "mv", "/home/sprite/none", "/home/sprite/x"]).status.code(), Some(6));
    // 59.
    let output = run(&playground, &["files", "rm", "/home/sprite/a", "-o", "json"]);
    assert_eq!((output.status.code(), &error_of(&output)["provider_kind"]), (Some(7), &"ENOTEMPTY".into()));
    said(&playground, &["files", "rm", "-r", "--yes", "/home/sprite/a"]);
    assert_eq!(sh(&playground, "ls -A"), "");
}

#[test]
fn an_upload_needs_its_directory_and_keeps_its_mode() {
    // 57.
    let playground = sandbox();
    let file = home().join("run.sh");
    fs::write(&file, "#!/bin/sh\necho ran\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let local = file.to_str().unwrap();
    let output = run(&playground, &["files", "cp", local, ":/home/sprite/none/run.sh"]);
    assert_eq!(output.status.code(), Some(6), "{output:?}");
    said(&playground, &["files", "cp", "-p", local, ":/home/sprite/none/run.sh"]);
    assert_eq!(sh(&playground, "./none/run.sh; stat -c %a none/run.sh; ls -A none"), "ran\n755\nrun.sh\n");
    let edited = playground
        .esker()
        .args(["files", "edit", "/home/sprite/none/run.sh", "--target", "sprites/dev"])
        .env("EDITOR", "sed -i s/ran/edited/")
        .output()
        .unwrap();
    assert!(edited.status.success(), "{edited:?}");
    assert_eq!(sh(&playground, "./none/run.sh; stat -c %a none/run.sh"), "edited\n755\n");
}

#[test]
fn a_link_in_a_tree_is_named_or_followed() {
    let playground = sandbox();
    let from = home().join("from");
    fs::create_dir(&from).unwrap();
    fs::write(from.join("file"), "x").unwrap();
    symlink("file", from.join("link")).unwrap();
    let local = from.to_str().unwrap();
    let output = run(&playground, &["files", "cp", "-r", local, ":/home/sprite/skipped"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("a symbolic link"), "{output:?}");
    said(&playground, &["files", "cp", "-rL", local, ":/home/sprite/followed"]);
    assert_eq!(sh(&playground, "ls skipped; cat followed/link"), "file\nx");
}

#[test]
fn a_state_is_kept_and_gone_back_to() {
    let playground = sandbox();
    sh(&playground, "echo before >state");
    let id = said(&playground, &["checkpoint", "create", "--comment", "a \"comment\"\nin two lines", "-o", "name"]);
    let id = id.trim();
    sh(&playground, "echo after >state");
    let shown: serde_json::Value =
        serde_json::from_str(&said(&playground, &["checkpoint", "show", id, "-o", "json"])).unwrap();
    assert_eq!(shown["comment"], "a \"comment\"\nin two lines");
    said(&playground, &["checkpoint", "restore", id, "--confirm", "sprites/dev"]);
    assert_eq!(sh(&playground, "cat state"), "before\n");
    let second = said(&playground, &["checkpoint", "create", "-o", "name"]);
    let history = said(&playground, &["checkpoint", "list", "--history", id, "-o", "name"]);
    assert_eq!(history, second);
    assert_eq!(run(&playground, &["checkpoint", "restore", "v99", "--confirm", "sprites/dev"]).status.code(), Some(6));
    said(&playground, &["checkpoint", "delete", id, "--yes"]);
    assert_eq!(run(&playground, &["checkpoint", "show", id]).status.code(), Some(6));
}
