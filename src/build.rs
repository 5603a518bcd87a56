//! Tells the binary what it is built from, for `esker version -o json`: target, commit and date. Builds of one commit
//! are equal: the date is `SOURCE_DATE_EPOCH`, or else that of the commit, never that of the build.

#![allow(clippy::print_stdout, reason = "how a build script speaks to cargo")]

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=src/build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    set("TARGET", std::env::var("TARGET").ok());
    let mut date = std::env::var("SOURCE_DATE_EPOCH").ok();
    // Elsewhere each commit would build everything anew, for a line that nobody reads.
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        set("COMMIT", packaged().or_else(|| own_git(&["rev-parse", "HEAD"])));
        date = date.or_else(|| own_git(&["log", "-1", "--format=%ct"]));
        for log in ["logs/HEAD", "HEAD"] {
            let path = own_git(&["rev-parse", "--git-path", log]).filter(|path| Path::new(path).exists());
            if let Some(path) = path {
                println!("cargo:rerun-if-changed={path}");
                break;
            }
        }
    }
    set("DATE", date);
    discard_unwind_tables();
}

/// Leaves the tables for unwinding out of a release: a panic there aborts. rustc's own switch for them applies to all
/// profiles, and tests do unwind.
fn discard_unwind_tables() {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if is("PROFILE", "release") && is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") {
        let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
        println!("cargo:rerun-if-changed=src/discard.ld");
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{root}/src/discard.ld");
        // See `host/unwind.rs`.
        println!("cargo:rustc-link-arg-bins=-Wl,--wrap=_Unwind_Backtrace");
    }
}

fn set(name: &str, value: Option<String>) {
    if let Some(value) = value {
        println!("cargo:rustc-env=ESKER_BUILD_{name}={value}");
    }
}

/// The commit that `cargo package` wrote down.
fn packaged() -> Option<String> {
    let text = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let (_, rest) = text.split_once("\"sha1\": \"")?;
    rest.split_once('"').map(|(commit, _)| commit.to_owned())
}

/// What git says, if this folder is the top of its repository and not somewhere inside another one.
fn own_git(args: &[&str]) -> Option<String> {
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let here = std::env::current_dir().and_then(std::fs::canonicalize).ok()?;
    (std::fs::canonicalize(top).ok()? == here).then(|| git(args))?
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
