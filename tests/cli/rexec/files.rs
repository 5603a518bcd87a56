//! Files: those that programs see, whatever the endpoints make of them.

use super::{exec, noise, stdout};
use crate::support::playground::Playground;

/// 10 to 12: odd names, links, modes, `/tmp`, and contents of every size.
#[test]
fn files_are_those_that_programs_see() {
    let box_ = Playground::container("debian-12", &[]);
    let esker = |args: &[&str]| box_.esker().args(args).assert();
    let put = |path: &str, content: &[u8]| {
        box_.esker().args(["files", "cp", "-", &format!(":{path}")]).write_stdin(content.to_vec()).assert().success();
    };
    for path in ["/home/user/two  blanks", "/home/user/+%#?&'\"", "/home/user/-n", "/tmp/hidden", "/home/user/ü 😀"]
    {
        put(path, b"content\xff");
        let assert = esker(&["files", "cat", &format!(":{path}")]).success();
        assert_eq!(assert.get_output().stdout, b"content\xff", "{path}");
        let seen = exec(&box_, &["--", "cat", path]).code(0);
        assert_eq!(seen.get_output().stdout, b"content\xff", "{path}");
    }
    let large = noise(9_500_000, 21);
    let local = tempfile::tempdir().unwrap();
    let file = local.path().join("large");
    std::fs::write(&file, &large).unwrap();
    for remote in [":/home/user/large", ":/tmp/large"] {
        esker(&["files", "cp", file.to_str().unwrap(), remote]).success();
        let back = local.path().join("back");
        esker(&["files", "cp", remote, back.to_str().unwrap()]).success();
        assert!(std::fs::read(&back).unwrap() == large, "{remote}");
    }
    let list = stdout(&esker(&["files", "list", ":/home/user", "-o", "json"]).success());
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    let names: Vec<&str> = list.as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"two  blanks") && names.contains(&"ü 😀"), "{names:?}");
    // 9: what is missing is not what is empty.
    esker(&["files", "mkdir", ":/home/user/empty"]).success();
    assert_eq!(stdout(&esker(&["files", "list", ":/home/user/empty", "-o", "json"]).success()), "[]\n");
    esker(&["files", "list", ":/home/user/missing"]).code(6);
    exec(&box_, &["--", "ln", "-s", "two  blanks", "link"]).code(0);
    assert_eq!(esker(&["files", "cat", ":/home/user/link"]).success().get_output().stdout, b"content\xff");
    esker(&["files", "rm", ":/home/user/link"]).success();
    esker(&["files", "mv", ":/home/user/large", ":/home/user/moved"]).success();
    assert_eq!(stdout(&exec(&box_, &["--", "stat", "-c", "%s %a", "moved"]).code(0)), "9500000 644\n");
}

/// 36: a tree of small files goes at once, with its modes.
#[test]
fn a_tree_goes_there_and_back() {
    let box_ = Playground::container("alpine", &[]);
    let local = tempfile::tempdir().unwrap();
    let tree = local.path().join("tree");
    for n in 0..300 {
        let dir = tree.join(format!("d{}", n % 7));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("f {n}")), noise(n * 13, n as u64)).unwrap();
    }
    let path = tree.to_str().unwrap();
    box_.esker().args(["files", "cp", "-r", path, ":/home/user/"]).assert().success();
    let back = local.path().join("back");
    box_.esker().args(["files", "cp", "-r", ":/home/user/tree", back.to_str().unwrap()]).assert().success();
    let diff = std::process::Command::new("diff").args(["-r", path, back.to_str().unwrap()]).output().unwrap();
    assert!(diff.status.success(), "{diff:?}");
}

/// 11: a download that is cut goes on by other means.
#[test]
fn a_download_that_is_cut_is_whole_all_the_same() {
    let box_ = Playground::container("debian-12", &["files-cut=5000000"]);
    let large = noise(9_000_000, 23);
    box_.esker().args(["files", "cp", "-", ":/home/user/x"]).write_stdin(large.clone()).assert().success();
    let assert = box_.esker().args(["files", "cat", ":/home/user/x"]).assert().success();
    assert!(assert.get_output().stdout == large);
}
