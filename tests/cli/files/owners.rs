//! Owners, which only root can give away.

use super::{Bench, Ended};
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

fn owner(path: &std::path::Path) -> (u32, u32) {
    let metadata = path.symlink_metadata().unwrap();
    (metadata.uid(), metadata.gid())
}

#[test]
fn owners_are_set_kept_or_refused() {
    let Some(bench) = Bench::new() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    fs::create_dir_all(bench.near("tree/sub")).unwrap();
    fs::write(bench.near("tree/sub/a"), "a").unwrap();
    for name in ["tree", "tree/sub", "tree/sub/a"] {
        chown(bench.near(name), Some(12345), Some(54321)).unwrap();
    }
    bench.run(&["cp", "-r", "tree", &bench.there("plain")]).ok();
    assert_eq!(owner(&bench.far("plain/sub/a")), (0, 0));
    bench.run(&["cp", "-r", "--preserve-owner", "tree", &bench.there("kept")]).ok();
    bench.run(&["cp", "-r", "--preserve-owner", &bench.there("kept"), "back"]).ok();
    for name in ["", "/sub", "/sub/a"] {
        assert_eq!(owner(&bench.far(&format!("kept{name}"))), (12345, 54321), "{name}");
        assert_eq!(owner(&bench.near(&format!("back{name}"))), (12345, 54321), "{name}");
    }
    bench.run(&["cp", "-r", "--owner", "77:88", "tree", &bench.there("set")]).ok();
    assert_eq!(owner(&bench.far("set/sub/a")), (77, 88));
    bench.run(&["cp", "--owner", "root", "tree/sub/a", &bench.there("named")]).ok();
    assert_eq!(owner(&bench.far("named")), (0, 0));
    bench.run(&["cp", &bench.there("set/sub/a"), "here", "--owner", "66:99"]).ok();
    assert_eq!(owner(&bench.near("here")), (66, 99));

    bench.run(&["cp", "--owner", "no-such-user", "tree/sub/a", &bench.there("x")]).fails(8, "no-such-user");
    bench.run(&["cp", "--owner", "no-such-user", &bench.there("named"), "x"]).fails(6, "no user `no-such-user`");
    bench.run(&["cp", "--owner", ":root", "tree/sub/a", &bench.there("x")]).fails(2, "USER:GROUP");
    bench.run(&["mkdir", "--owner", "77:88", &bench.there("dir")]).ok();
    assert_eq!(owner(&bench.far("dir")), (77, 88));
    assert!(!bench.far("x").exists() && !bench.near("x").exists());
}

#[test]
fn an_edit_keeps_the_owner() {
    let Some(bench) = Bench::new() else { return };
    if !rustix::process::geteuid().is_root() {
        return;
    }
    fs::write(bench.far("a"), "one\n").unwrap();
    chown(bench.far("a"), Some(12345), Some(54321)).unwrap();
    let mut edit = bench.files(&["edit", &bench.there("a")]);
    Ended::of(edit.env("EDITOR", "sed -i s/one/two/")).ok();
    assert_eq!(fs::read_to_string(bench.far("a")).unwrap(), "two\n");
    assert_eq!(owner(&bench.far("a")), (12345, 54321));
}
