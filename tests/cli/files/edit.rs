//! `files edit`

use super::{Bench, Ended, names};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

/// Runs it with `editor`, its temporary files in `near/tmp`.
fn edit(bench: &Bench, editor: &str) -> Ended {
    fs::create_dir_all(bench.near("tmp")).unwrap();
    let mut command = bench.files(&["edit", &bench.there("a.conf")]);
    command.env("TMPDIR", bench.near("tmp")).env("XDG_RUNTIME_DIR", "").env("FAR", bench.far("a.conf"));
    Ended::of(command.env("VISUAL", editor).env("EDITOR", "false"))
}

#[test]
fn what_was_edited_is_written_back() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("a.conf"), "one\n").unwrap();
    fs::set_permissions(bench.far("a.conf"), Permissions::from_mode(0o640)).unwrap();
    // The copy is private, and called like the file.
    let editor = r#"check() { stat -c %a "$(dirname "$1")" "$1" > "$FAR.seen"; basename "$1" >> "$FAR.seen"; echo two >> "$1"; }; check"#;
    let ended = edit(&bench, editor).ok();
    assert!(ended.err.starts_with("saved `"), "{}", ended.err);
    assert_eq!(fs::read_to_string(bench.far("a.conf")).unwrap(), "one\ntwo\n");
    assert_eq!(fs::read_to_string(bench.far("a.conf.seen")).unwrap(), "700\n600\na.conf\n");
    assert_eq!(bench.far("a.conf").metadata().unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(names(&bench.near("tmp")), [""; 0]);
}

#[test]
fn an_unchanged_file_is_not_written() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("a.conf"), "one\n").unwrap();
    let ended = edit(&bench, "true").ok();
    assert!(ended.err.ends_with("is unchanged\n"), "{}", ended.err);
    assert!(!bench.daemon.log().contains("POST /v1/files"));
    assert_eq!(names(&bench.near("tmp")), [""; 0]);
}

#[test]
fn work_is_never_lost() {
    let Some(bench) = Bench::new() else { return };
    fs::write(bench.far("a.conf"), "one\n").unwrap();
    let kept = |ended: &Ended| -> PathBuf {
        let start = ended.err.find("your version is kept in `").expect("it names the file") + 25;
        ended.err[start..].split('`').next().unwrap().into()
    };
    // Changed over there meanwhile, to something of the same size.
    let ended = edit(&bench, r#"f() { echo mine > "$1"; echo two > "$FAR"; }; f"#).fails(7, "was changed over there");
    assert_eq!(fs::read_to_string(kept(&ended)).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(bench.far("a.conf")).unwrap(), "two\n");
    // An editor that fails after it has changed something, and one that changed nothing.
    let ended = edit(&bench, r#"f() { echo mine > "$1"; return 3; }; f"#).fails(1, "the editor");
    assert_eq!(fs::read_to_string(kept(&ended)).unwrap(), "mine\n");
    let ended = edit(&bench, "false").fails(1, "the editor");
    assert!(!ended.err.contains("kept"), "{}", ended.err);
    assert_eq!(fs::read_to_string(bench.far("a.conf")).unwrap(), "two\n");
}

#[test]
fn only_files_are_edited() {
    let Some(bench) = Bench::new() else { return };
    edit(&bench, "true").fails(6, "no such file");
    symlink("b", bench.far("a.conf")).unwrap();
    edit(&bench, "true").fails(7, "it is a symbolic link");
    fs::remove_file(bench.far("a.conf")).unwrap();
    fs::create_dir(bench.far("a.conf")).unwrap();
    edit(&bench, "true").fails(7, "not a regular file");
}
