//! `files list` and `files show`.

use super::{Bench, Ended};
use crate::support::daemon::Daemon;
use crate::support::peers;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;

#[test]
fn a_directory_a_file_a_link_and_a_pattern() {
    let Some(bench) = Bench::new() else { return };
    for name in ["a.conf", "b.conf", "c"] {
        fs::write(bench.far(name), name).unwrap();
    }
    fs::create_dir_all(bench.far("sub/deep")).unwrap();
    fs::write(bench.far("sub/deep/x"), "").unwrap();
    symlink("sub", bench.far("link")).unwrap();
    let list = |args: &[&str]| {
        let ended = bench.run(&[&["ls", "-o", "json"], args].concat()).ok();
        let rows = ended.json();
        let names = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap());
        names.collect::<Vec<_>>().join(" ")
    };
    let far = |name: &str| bench.far(name).display().to_string();
    assert_eq!(list(&[&far("")]), "a.conf b.conf c link sub");
    assert_eq!(list(&[&far("c")]), "c");
    assert_eq!(list(&["-d", &far("sub")]), "sub");
    assert_eq!(list(&[&far("*.conf")]), "a.conf b.conf");
    assert_eq!(list(&[&far("[!a]*")]), "b.conf c link sub");
    assert_eq!(list(&["-R", &far("")]), "a.conf b.conf c link sub deep x");
    assert_eq!(list(&["--sort", "name:desc", "--limit", "2", &far("")]), "sub link");
    assert_eq!(list(&[&far("sub"), &format!(":{}", far("c"))]), "deep c");
    assert_eq!(list(&[&far("sub/deep/x"), "--sort", "size_bytes"]), "x");
    bench.run(&["ls", &far("*.nope")]).fails(6, "nothing matches");
    bench.run(&["ls", "relative"]).fails(2, "is relative");
    bench.run(&["ls", &far("c"), &far("nope")]).fails(12, "no such file or directory");

    // A name that exists means itself, also if it looks like a pattern.
    fs::write(bench.far("*.conf"), "star").unwrap();
    assert_eq!(list(&[&far("*.conf")]), "*.conf");

    let show = |args: &[&str]| bench.run(&[&["show", "-o", "json"], args].concat()).ok().json();
    assert_eq!(show(&[&far("link")])["type"], "symlink");
    assert_eq!(show(&["-L", &far("link")])["type"], "directory");
    assert_eq!(show(&[&far("*.conf")])["size_bytes"], 4);
    assert_eq!(show(&["/"])["type"], "directory");
    bench.run(&["show", &far("nope")]).fails(6, "no such file or directory");
}

#[test]
fn a_table_shows_what_ls_shows() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("a"), [0; 1536]).unwrap();
    fs::set_permissions(bench.far("a"), Permissions::from_mode(0o640)).unwrap();
    let table = bench.run(&["ls", &bench.far("").display().to_string()]).ok().text();
    let (head, row) = table.split_once('\n').unwrap();
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["MODE", "USER", "GROUP", "SIZE", "MODIFIED", "NAME"]);
    assert!(row.starts_with("-rw-r-----  ") && row.contains("  1.5 KiB  ") && row.ends_with("Z  a\n"), "{row}");
    let empty = bench.near("");
    let empty = bench.run(&["ls", &empty.display().to_string(), "-o", "json"]).ok();
    assert_eq!((empty.text().as_str(), empty.err.as_str()), ("[]\n", "no files\n"));
}

#[test]
fn compat_is_what_the_official_client_prints() {
    let Some(bench) = Bench::new() else { return };
    for name in ["a", "<b>&", "ü", "c d"] {
        fs::write(bench.far(name), name).unwrap();
    }
    symlink("a", bench.far("link")).unwrap();
    for path in [bench.far(""), bench.far("a"), bench.far("[ac]*"), "/".into()] {
        let path = path.display().to_string();
        let mut official = Command::new(peers::pebble().unwrap());
        official.args(["ls", &path, "--format", "json"]).env("PEBBLE", bench.daemon.dir());
        let official = official.env("HOME", bench.near("")).output().unwrap();
        assert!(official.status.success());
        let ours = bench.run(&["ls", "--compat", &path]).ok();
        assert_eq!(ours.text(), String::from_utf8_lossy(&official.stdout));
    }
    let raw = bench.run(&["ls", "--raw", "-d", &bench.far("").display().to_string()]).ok().json();
    assert_eq!((raw["type"].as_str(), raw["result"][0]["name"].as_str()), (Some("sync"), Some("far")));
}

#[test]
fn several_targets_are_told_apart() {
    let Some(bench) = Bench::new() else { return };
    let other = Daemon::start(&[]);
    fs::write(bench.far("a"), "").unwrap();
    let sockets = [bench.daemon.socket(), other.socket()].map(|socket| format!("unix:{}", socket.display()));
    let far = bench.far("").display().to_string();
    let rows = bench.run(&["ls", &far, "--target", &sockets[0], "--target", &sockets[1], "-o", "json"]).ok().json();
    let targets: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["target"].as_str().unwrap()).collect();
    assert_eq!(targets, sockets.each_ref().map(String::as_str));
}

#[test]
fn a_hundred_thousand_entries_are_a_list() {
    let Some(bench) = Bench::new() else { return };
    for i in 0..100_000 {
        File::create(bench.far(&format!("{i:05}"))).unwrap();
    }
    let ended = bench.run(&["ls", "-o", "name", &bench.far("").display().to_string()]).ok();
    assert_eq!(ended.text().lines().count(), 100_000);
    assert!(ended.text().ends_with("/99999\n"));
}

#[test]
fn who_may_not_look_is_told() {
    let Some(mut bench) = Bench::new() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    fs::create_dir(bench.far("closed")).unwrap();
    fs::set_permissions(bench.far("closed"), Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(bench.dir.path(), Permissions::from_mode(0o755)).unwrap();
    bench.daemon = Daemon::options().unprivileged().start();
    let far = bench.far("closed").display().to_string();
    Ended::of(&mut bench.files(&["ls", &far])).fails(5, "permission denied");
    let all = bench.run(&["ls", "-R", &bench.far("").display().to_string()]).fails(12, "permission denied");
    assert!(all.text().contains("closed"));
}
