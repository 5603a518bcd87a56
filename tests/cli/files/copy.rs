//! Copies that succeed: content, modes, and where things go.

use super::{Bench, Ended, names, tree};
use crate::support::daemon::Daemon;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Files of every awkward size and content, in directories of several modes.
fn grow(dir: &Path) {
    let pattern = |len: usize| (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<u8>>();
    fs::create_dir_all(dir.join("sub/deep")).unwrap();
    fs::create_dir(dir.join("empty directory")).unwrap();
    for len in [0, 1, 2, 65_535, 65_536, 65_537, 262_143, 262_144, 262_145, 3_000_001] {
        fs::write(dir.join(format!("sub/{len}")), pattern(len)).unwrap();
    }
    for (i, content) in ["\r\n--", "\r\n--B\r\n", "--", "\r", "\n\n", "\r\n--\r\n--\r\n"].iter().enumerate() {
        fs::write(dir.join(format!("sub/deep/boundary{i}")), content).unwrap();
    }
    fs::write(dir.join("private"), "x").unwrap();
    fs::write(dir.join("program"), "#!").unwrap();
    fs::write(dir.join("read only"), "r").unwrap();
    for (name, mode) in [("private", 0o600), ("program", 0o755), ("read only", 0o444), ("sub/deep", 0o700)] {
        fs::set_permissions(dir.join(name), Permissions::from_mode(mode)).unwrap();
    }
    for i in 0..150 {
        fs::write(dir.join(format!("sub/small{i}")), format!("content {i}")).unwrap();
    }
}

#[test]
fn a_tree_goes_there_and_comes_back_unchanged() {
    let Some(bench) = Bench::new() else { return };
    grow(&bench.near("tree"));
    let there = bench.run(&["cp", "-r", "tree", &bench.there("new")]).ok();
    assert!(there.err.starts_with("copied 169 files, "), "{}", there.err);
    assert_eq!(tree(&bench.far("new")), tree(&bench.near("tree")));

    bench.run(&["cp", "-r", &bench.there("new"), "back"]).ok();
    assert_eq!(tree(&bench.near("back")), tree(&bench.near("tree")));
    // Once more, over what is there.
    fs::write(bench.near("back/private"), "changed").unwrap();
    bench.run(&["cp", "-r", &bench.there("new/."), "back"]).ok();
    assert_eq!(tree(&bench.near("back")), tree(&bench.near("tree")));
}

#[test]
fn a_directory_that_nobody_may_write_is_filled_all_the_same() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir(bench.far("closed")).unwrap();
    fs::write(bench.far("closed/a"), "a").unwrap();
    fs::set_permissions(bench.far("closed"), Permissions::from_mode(0o555)).unwrap();
    bench.run(&["cp", "-r", &bench.there("closed"), "."]).ok();
    assert_eq!(tree(&bench.near("")), tree(&bench.far("")));
    for dir in [bench.far("closed"), bench.near("closed")] {
        fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn sources_go_where_cp_would_put_them() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.near("a"), "a").unwrap();
    fs::write(bench.near("b"), "b").unwrap();
    fs::create_dir(bench.near("d")).unwrap();
    fs::write(bench.near("d/inner"), "d").unwrap();
    fs::create_dir(bench.far("dir")).unwrap();
    let at = |name: &str| fs::read_to_string(bench.far(name)).unwrap();

    bench.run(&["cp", "a", &bench.there("name")]).ok();
    bench.run(&["cp", "a", &bench.there("dir")]).ok();
    bench.run(&["cp", "a", "b", &bench.there("dir/")]).ok();
    assert_eq!((at("name"), at("dir/a"), at("dir/b")), ("a".into(), "a".into(), "b".into()));
    bench.run(&["cp", "-r", "d", &bench.there("dir")]).ok();
    bench.run(&["cp", "-r", "d", &bench.there("fresh/")]).ok();
    bench.run(&["cp", "-r", "./d/.", &bench.there("dir")]).ok();
    assert_eq!((at("dir/d/inner"), at("fresh/inner"), at("dir/inner")), ("d".into(), "d".into(), "d".into()));
    bench.run(&["cp", "-p", "a", &bench.there("x/y/z")]).ok();
    bench.run(&["cp", "-p", "a", &bench.there("p/q/")]).ok();
    assert_eq!((at("x/y/z"), at("p/q/a")), ("a".into(), "a".into()));

    bench.run(&["cp", "a", &bench.there("none/")]).fails(6, "no directory");
    bench.run(&["cp", "a", "b", &bench.there("none")]).fails(6, "no directory");
    bench.run(&["cp", "a", "b", &bench.there("name")]).fails(7, "not a directory");
    bench.run(&["cp", "a", &bench.there("name/")]).fails(7, "not a directory");
    bench.run(&["cp", "a/", &bench.there("dir")]).fails(7, "not a directory");
    bench.run(&["cp", "d", &bench.there("dir")]).fails(2, "hint: pass -r");
    bench.run(&["cp", "-r", "d", &bench.there("name")]).fails(7, "cannot copy a directory over");
    bench.run(&["cp", "a", &bench.there("u/v")]).fails(6, "hint: --parents makes missing directories");
    bench.run(&["cp", "-r", &bench.there("dir"), &bench.there("dir/d")]).fails(2, "into itself");
    bench.run(&["cp", "a", "b"]).fails(2, "nothing to copy here is over there");
    let partial = bench.run(&["cp", "a", "nope", &bench.there("dir")]).fails(12, "cannot find");
    assert!(partial.err.contains("1 of 2 files failed"), "{}", partial.err);
    assert_eq!(names(&bench.far("")), ["dir", "fresh", "name", "p", "x"]);
}

#[test]
fn a_file_here_is_replaced_and_keeps_what_it_was_to_others() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("new"), "new").unwrap();
    fs::set_permissions(bench.far("new"), Permissions::from_mode(0o640)).unwrap();
    fs::write(bench.near("old"), "old").unwrap();
    fs::hard_link(bench.near("old"), bench.near("twin")).unwrap();
    symlink("old", bench.near("link")).unwrap();
    // The link was named by the user, who means what it leads to.
    bench.run(&["cp", &bench.there("new"), "link"]).ok();
    assert!(bench.near("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(bench.near("old")).unwrap(), "new");
    assert_eq!(fs::read_to_string(bench.near("twin")).unwrap(), "old");
    assert_eq!(bench.near("old").metadata().unwrap().permissions().mode() & 0o777, 0o640);

    symlink("nowhere", bench.near("dangling")).unwrap();
    bench.run(&["cp", &bench.there("new"), "dangling"]).fails(7, "leads nowhere");
    bench.run(&["cp", &bench.there("new"), "/dev/null"]).ok();
    assert!(!Path::new("/dev/null").metadata().unwrap().is_file());
}

#[test]
fn modes_are_kept_or_set() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.near("a"), "a").unwrap();
    fs::set_permissions(bench.near("a"), Permissions::from_mode(0o4751)).unwrap();
    let mode = |name: &str| bench.far(name).metadata().unwrap().permissions().mode() & 0o7777;
    bench.run(&["cp", "a", &bench.there("kept")]).ok();
    bench.run(&["cp", "--mode", "0o604", "a", &bench.there("set")]).ok();
    bench.run(&["cp", "--mode", "0", "a", &bench.there("none")]).ok();
    assert_eq!((mode("kept"), mode("set"), mode("none")), (0o751, 0o604, 0));
    bench.run(&["cp", "--mode", "4755", "a", &bench.there("setuid")]).fails(11, "setuid");
    bench.run(&["cp", "--mode", "9", "a", &bench.there("x")]).fails(2, "octal");
    assert_eq!(names(&bench.far("")), ["kept", "none", "set"]);
}

#[test]
fn stdin_and_stdout_are_files_too() {
    let Some(bench) = Bench::new() else { return };
    let content: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let there = bench.there("piped");
    let mut push = bench.files(&["cp", "--mode", "600", "-", &there]);
    Ended::of(push.write_stdin(content.clone())).ok();
    assert_eq!(fs::read(bench.far("piped")).unwrap(), content);
    let pull = bench.run(&["cp", &there, "-", "-o", "json"]).ok();
    assert!(pull.out == content, "stdout holds the file and nothing else");
    assert_eq!(bench.run(&["cat", &there]).ok().out, content);

    Ended::of(bench.files(&["cp", "-", &bench.there("nothing")]).write_stdin("")).ok();
    assert_eq!(fs::read(bench.far("nothing")).unwrap(), b"");
    bench.run(&["cp", "-", &bench.there("")]).fails(2, "stdin has no name");
    bench.run(&["cp", "-", "-"]).fails(2, "over there");
    bench.run(&["cp", &there, &there, "-"]).fails(2, "`-` stands for one file");
}

#[test]
fn bytes_go_from_one_target_to_another() {
    let Some(bench) = Bench::new() else { return };
    let other = Daemon::start(&[]);
    grow(&bench.far("tree"));
    let (from, to) = (bench.daemon.socket(), other.socket());
    let from = format!("unix:{}:{}", from.display(), bench.far("tree").display());
    let to = format!("unix:{}:{}", to.display(), bench.far("copy").display());
    let copied = bench.run(&["cp", "-r", &from, &to, "-o", "json"]).ok();
    assert_eq!(tree(&bench.far("copy")), tree(&bench.far("tree")));
    let json = copied.json();
    assert_eq!(json["files"], 169);
    assert_eq!(json["target"].as_str(), Some(format!("unix:{}", other.socket().display()).as_str()));
    assert!(other.log().contains("POST /v1/files") && !bench.daemon.log().contains("POST /v1/files"));
}

#[test]
fn links_in_a_tree_are_named_or_followed() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir_all(bench.far("tree/dir")).unwrap();
    fs::write(bench.far("tree/dir/a"), "a").unwrap();
    symlink("dir/a", bench.far("tree/to-a")).unwrap();
    symlink("dir", bench.far("tree/to-dir")).unwrap();
    let skipped = bench.run(&["cp", "-r", &bench.there("tree"), "plain"]).ok();
    assert!(skipped.err.contains("to-a`: a symbolic link") && skipped.err.contains("skipped 2"), "{}", skipped.err);
    assert_eq!(names(&bench.near("plain")), ["dir"]);
    bench.run(&["cp", "-rL", &bench.there("tree"), "followed"]).ok();
    assert_eq!(fs::read_to_string(bench.near("followed/to-a")).unwrap(), "a");
    assert_eq!(fs::read_to_string(bench.near("followed/to-dir/a")).unwrap(), "a");
    // A link onto which a file is put there is replaced: that is how the daemon writes.
    fs::write(bench.near("b"), "b").unwrap();
    bench.run(&["cp", "b", &bench.there("tree/to-a")]).ok();
    assert!(bench.far("tree/to-a").symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(bench.far("tree/dir/a")).unwrap(), "a");
}

#[test]
fn the_content_of_a_closed_directory_goes_into_one_that_stays_open() {
    let Some(bench) = Bench::new() else { return };
    for place in [bench.far("tree"), bench.near("tree"), bench.near("out"), bench.far("out")] {
        fs::create_dir(&place).unwrap();
        fs::set_permissions(place, Permissions::from_mode(0o755)).unwrap();
    }
    let trees = [bench.far("tree"), bench.near("tree")];
    let closed = |mode| trees.iter().for_each(|tree| fs::set_permissions(tree, Permissions::from_mode(mode)).unwrap());
    for tree in &trees {
        fs::write(tree.join("a"), "new").unwrap();
    }
    closed(0o555);
    bench.run(&["cp", "-r", &bench.there("tree/."), "out"]).ok();
    bench.run(&["cp", "-r", "./tree/.", &bench.there("out")]).ok();
    closed(0o755);
    for out in [bench.near("out"), bench.far("out")] {
        assert_eq!(fs::read_to_string(out.join("a")).unwrap(), "new");
        assert_eq!(out.metadata().unwrap().permissions().mode() & 0o777, 0o755);
    }
}
