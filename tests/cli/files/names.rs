//! Names that only just are names.

use super::{Bench, names, tree};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// Names that the daemon can write and read.
const ODD: &[&str] = &[
    "\"",
    "'",
    "\\",
    "a\\\"b",
    " ",
    "%0A",
    "%22",
    "%",
    "ü\u{202e}",
    "-rf",
    "?[x]",
    ":",
    "a:b",
    "$(x)",
    "tab\there",
    ",",
    "a,b",
    "&x=y",
    "#",
    "+",
    ".hidden",
    "..x",
    "\u{FFFD}",
];

#[test]
fn odd_names_go_there_and_come_back() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir(bench.near("odd")).unwrap();
    for name in ODD {
        fs::write(bench.near("odd").join(name), name).unwrap();
        fs::create_dir(bench.near("odd").join(format!("{name}.d"))).unwrap();
        fs::write(bench.near("odd").join(format!("{name}.d")).join(name), name).unwrap();
    }
    let long = "x".repeat(243);
    fs::write(bench.near("odd").join(&long), "long").unwrap();
    bench.run(&["cp", "-r", "odd", &bench.there("odd")]).ok();
    assert_eq!(tree(&bench.far("odd")), tree(&bench.near("odd")));
    bench.run(&["cp", "-r", &bench.there("odd"), "back"]).ok();
    assert_eq!(tree(&bench.near("back")), tree(&bench.near("odd")));
    // One by one, as users name them.
    for name in ODD {
        let there = bench.there(&format!("odd/{name}"));
        assert_eq!(bench.run(&["cat", &there]).ok().out, name.as_bytes(), "{name}");
        bench.run(&["cp", &there, &bench.there("single")]).ok();
        assert_eq!(fs::read(bench.far("single")).unwrap(), name.as_bytes());
        assert_eq!(bench.run(&["show", &there, "-o", "json"]).ok().json()["name"], *name);
    }
}

#[test]
fn what_the_daemon_cannot_write_is_refused_and_the_rest_is_written() {
    let Some(bench) = Bench::new() else { return };
    fs::create_dir(bench.near("tree")).unwrap();
    let long = "y".repeat(250);
    for name in ["good", "new\nline", "carriage\r", "star*", "\u{1b}[31m", &long] {
        fs::write(bench.near("tree").join(name), "x").unwrap();
    }
    fs::write(bench.near("tree").join(OsStr::from_bytes(b"\xff")), "x").unwrap();
    let ended = bench.run(&["cp", "-r", "tree", &bench.there("tree")]).fails(12, "6 of 7 files failed");
    for why in [r"control character (`\n`)", r"(`\r`)", r"(`\x1b`)", "holds `*`", "longer than 243 bytes", "not UTF-8"]
    {
        assert!(ended.err.contains(why), "{}", ended.err);
    }
    assert_eq!(names(&bench.far("tree")), ["good"]);
    bench.run(&["cp", "tree/star*", &bench.there("")]).fails(11, "holds `*`");
}

#[test]
fn names_with_line_ends_are_read() {
    let Some(bench) = Bench::new() else { return };
    for name in ["new\nline", "carriage\rreturn", "both\r\n", "star*", "\u{1b}[31m\u{7f}"] {
        fs::write(bench.far(name), name).unwrap();
    }
    bench.run(&["cp", "-r", &bench.there("."), "."]).ok();
    assert_eq!(tree(&bench.near("")), tree(&bench.far("")));
}

#[test]
fn a_name_that_is_not_utf8_can_be_named_but_not_listed() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("").join(OsStr::from_bytes(b"\xff")), "raw").unwrap();
    fs::write(bench.far("good"), "good").unwrap();
    let ended = bench.run(&["cp", "-r", &bench.there("."), "."]).fails(12, "the real name is unknown");
    assert!(ended.err.contains("1 of 2 files failed"), "{}", ended.err);
    assert_eq!(names(&bench.near("")), ["good"]);
    let mut path = std::ffi::OsString::from(bench.there(""));
    path.push(OsStr::from_bytes(b"\xff"));
    let mut cat = bench.files(&["cat"]);
    assert_eq!(cat.arg(&path).output().unwrap().stdout, b"raw");
    let mut pull = bench.files(&["cp"]);
    assert!(pull.arg(&path).arg("named").output().unwrap().status.success());
    assert_eq!(fs::read(bench.near("named")).unwrap(), b"raw");
}

#[test]
fn files_without_a_size_have_content() {
    let Some(bench) = Bench::new() else { return };
    let status = bench.run(&["cat", "/proc/self/status"]).ok();
    assert!(status.text().starts_with("Name:\tpebble"), "{}", status.text());
    bench.run(&["cp", ":/proc/self/status", "status"]).ok();
    assert!(fs::read_to_string(bench.near("status")).unwrap().starts_with("Name:\tpebble"));
    bench.run(&["cp", "/proc/self/status", &bench.there("ours")]).ok();
    assert!(fs::read_to_string(bench.far("ours")).unwrap().contains("esker"));
}
