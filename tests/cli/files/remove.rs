//! `files rm` and `files mkdir`.

use super::{Bench, names};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

#[test]
fn a_tree_is_not_removed_unasked() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir_all(bench.far("tree/sub")).unwrap();
    fs::write(bench.far("tree/a"), "").unwrap();
    let tree = bench.there("tree");
    let refused = bench.run(&["rm", "-r", &tree]).fails(2, "without confirmation");
    assert!(refused.err.contains("hint: pass --yes"), "{}", refused.err);
    bench.run(&["rm", &tree]).fails(7, "hint: -r removes a directory");
    assert_eq!(names(&bench.far("tree")), ["a", "sub"]);
    bench.run(&["rm", "-r", "--yes", &tree, &bench.there("never")]).ok();
    assert_eq!(names(&bench.far("")), [""; 0]);
    bench.run(&["rm", "-r", "--yes", ":/", &tree]).fails(2, "refusing to remove");
}

#[test]
fn each_path_is_tried() {
    let Some(bench) = Bench::new() else { return };
    for name in ["a", "b", "kept"] {
        fs::write(bench.far(name), "").unwrap();
    }
    symlink("kept", bench.far("link")).unwrap();
    let (a, b, link, nope) = (bench.there("a"), bench.there("b"), bench.there("link"), bench.there("nope"));
    let ended = bench.run(&["rm", &a, &nope, &b, &link, "-o", "json"]).fails(12, "no such file or directory");
    assert_eq!(ended.json().as_array().unwrap().len(), 3);
    assert_eq!(names(&bench.far("")), ["kept"]);
    bench.run(&["rm", &nope]).fails(6, "no such file or directory");
    bench.run(&["rm", "-f", &nope]).ok();
    bench.run(&["rm", "relative"]).fails(2, "is relative");
}

#[test]
fn directories_are_made() {
    let Some(bench) = Bench::new() else { return };
    let mode = |name: &str| bench.far(name).metadata().unwrap().permissions().mode() & 0o7777;
    let made = bench.run(&["mkdir", &bench.there("a"), &bench.there("b"), "--mode", "0700", "-o", "json"]).ok();
    assert_eq!((made.json()[1]["name"].as_str(), mode("a"), mode("b")), (Some("b"), 0o700, 0o700));
    bench.run(&["mkdir", &bench.there("a")]).fails(7, "file exists");
    bench.run(&["mkdir", "-p", &bench.there("a")]).ok();
    bench.run(&["mkdir", &bench.there("c/d")]).fails(6, "no such file or directory");
    let done = bench.run(&["mkdir", "-p", &bench.there("c/d")]).ok();
    assert!(done.err.starts_with("made `") && done.err.ends_with("` on `pebble`\n"), "{}", done.err);
    assert_eq!(mode("c/d"), 0o755);
    bench.run(&["mkdir", &bench.there("e"), &bench.there("a")]).fails(12, "1 of 2 directories failed");
    assert_eq!(names(&bench.far("")), ["a", "b", "c", "e"]);
}
