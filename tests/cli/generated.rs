//! Committed copies of what the code generates. `UPDATE=1 cargo test --test cli generated` writes them anew.

use esker::cli::{completion, man, providers};
use esker::error::ErrorKind;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Compares a directory with what it must hold, or makes it so.
fn check(dir: &str, wanted: &BTreeMap<String, String>) {
    let path = root().join(dir);
    let update = std::env::var_os("UPDATE").is_some();
    let entries = fs::read_dir(&path).into_iter().flatten().flatten();
    let there: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    if update {
        fs::create_dir_all(&path).expect("the directory can be made");
        for stray in there.iter().filter(|name| !wanted.contains_key(*name)) {
            fs::remove_file(path.join(stray)).expect("a stray file can be removed");
        }
        for (name, text) in wanted {
            fs::write(path.join(name), text).expect("the file can be written");
        }
        return;
    }
    let hint = "run `UPDATE=1 cargo test --test cli generated`";
    let stray: Vec<_> = there.iter().filter(|name| !wanted.contains_key(*name)).collect();
    assert!(stray.is_empty(), "{dir} holds {stray:?}, which nothing generates; {hint}");
    for (name, text) in wanted {
        let is = fs::read_to_string(path.join(name)).unwrap_or_default();
        assert!(is == *text, "{dir}/{name} is not up to date; {hint}");
    }
}

#[test]
fn completions_are_up_to_date() {
    let script = |(shell, file, _): &(&str, &str, &str)| {
        ((*file).to_owned(), completion::script(shell).expect("every listed shell has a script"))
    };
    check("completions", &completion::SCRIPTS.iter().map(script).collect());
}

#[test]
fn manual_pages_are_up_to_date() {
    let pages = man::pages().expect("pages can be made").into_iter().collect();
    check("man", &pages);
}

#[test]
fn the_tables_in_the_readme_are_up_to_date() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).expect("there is a README");
    let wanted = fill(&readme, "exit codes", &exit_codes());
    let wanted = fill(&wanted, "providers", &providers::markdown());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, wanted).expect("the README can be written");
    } else {
        assert!(readme == wanted, "a table is not up to date: `UPDATE=1 cargo test --test cli generated`");
    }
}

/// Puts `table` between the marks of `name`.
fn fill(text: &str, name: &str, table: &str) -> String {
    let (start, end) = (format!("<!-- {name}: generated -->\n"), format!("<!-- end of {name} -->\n"));
    let (before, rest) = text.split_once(&start).expect("the README has a place for the table");
    let (_, after) = rest.split_once(&end).expect("the place has an end");
    format!("{before}{start}{table}{end}{after}")
}

fn exit_codes() -> String {
    let mut table =
        String::from("| code | name | when |\n| --- | --- | --- |\n| 0 | ok | done; also an empty list |\n");
    for kind in ErrorKind::ALL {
        let _ = writeln!(table, "| {} | `{}` | {} |", kind.exit_code(), kind.name(), kind.meaning());
    }
    table
}
