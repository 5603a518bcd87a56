//! One text of all that a command did, for snapshots: stdout, stderr and the exit status.

use std::fmt::Write as _;
use std::process::Output;

/// What a command printed and how it ended, with everything that differs between runs replaced.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = String::from_utf8_lossy(&output.stderr);
    if !stderr.is_empty() {
        let _ = write!(text, "--- stderr\n{stderr}");
    }
    let _ = writeln!(text, "[exit status: {}]", status(output));
    text
}

/// The exit status; `signal N` where a signal ended it.
pub(crate) fn status(output: &Output) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (output.status.code(), output.status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// Replaces what differs between runs: times, padded to one width each, and temporary paths.
pub(crate) fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z", "[TIME+]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "[TIME]"),
        (r"/tmp/(pb|fk|esk)[A-Za-z0-9]+", "[DIR]"),
        (r" +\n", "\n"),
    ]
}

/// `assert_snapshot!` with these filters.
macro_rules! assert_shown {
    ($text:expr, @$snapshot:literal) => {
        insta::with_settings!({filters => $crate::support::shown::filters()}, {
            insta::assert_snapshot!($text, @$snapshot);
        })
    };
}
pub(crate) use assert_shown;
