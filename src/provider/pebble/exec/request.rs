//! What `POST /v1/exec` is told (section 3.1).

use crate::error::{Error, Result};
use crate::provider::exec::{Account, ExecSpec, Io};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The body of the request. JSON holds text only, so bytes that are not UTF-8 are refused here, before any I/O.
#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Command<'a> {
    pub(super) command: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service_context: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    environment: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    working_dir: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    terminal: bool,
    interactive: bool,
    pub(super) split_stderr: bool,
    width: u16,
    height: u16,
}

impl<'a> Command<'a> {
    pub(super) fn new(spec: &'a ExecSpec) -> Result<Self> {
        let mut command = Self {
            command: spec.argv.iter().map(|word| text(word, "an argument")).collect::<Result<_>>()?,
            service_context: spec.service_context.as_deref(),
            timeout: spec.timeout.map(go_duration),
            ..Self::default()
        };
        for (name, value) in &spec.env {
            command.environment.insert(name, text(value, &format!("the value of `{name}`"))?);
        }
        if let Some(dir) = &spec.dir {
            command.working_dir = Some(text(&dir.0, "the working directory")?);
        }
        if let Some(owner) = &spec.user {
            (command.user, command.user_id) = account(owner.user.as_ref());
            (command.group, command.group_id) = account(owner.group.as_ref());
        }
        match spec.io {
            Io::Pipes { merge_stderr, .. } => command.split_stderr = !merge_stderr,
            Io::Terminal { size, interactive, split_stderr } => {
                (command.width, command.height) = (size.cols, size.rows);
                (command.terminal, command.interactive, command.split_stderr) = (true, interactive, split_stderr);
            }
        }
        Ok(command)
    }

    /// The program, for messages.
    pub(super) fn program(&self) -> &'a str {
        self.command.first().copied().unwrap_or_default()
    }
}

fn account(account: Option<&Account>) -> (Option<&str>, Option<u32>) {
    match account {
        Some(Account::Name(name)) => (Some(name), None),
        Some(Account::Id(id)) => (None, Some(*id)),
        None => (None, None),
    }
}

fn text<'a>(bytes: &'a [u8], what: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| {
        Error::usage(format!("{what} is not UTF-8, and Pebble takes nothing else: {}", bytes.escape_ascii()))
            .hint("pass it through stdin, or let a shell over there make it: `sh -c 'printf \"\\377\" | …'`")
    })
}

/// A duration as Go reads it; what is longer than its longest (292 years) is that.
fn go_duration(duration: Duration) -> String {
    let longest = Duration::from_nanos(i64::MAX.unsigned_abs());
    format!("{}ns", duration.min(longest).as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RemotePath;
    use crate::provider::exec::{Owner, TermSize};
    use bytes::Bytes;

    fn spec(argv: &[&[u8]]) -> ExecSpec {
        ExecSpec::new(argv.iter().map(|word| Bytes::copy_from_slice(word)).collect())
    }

    #[test]
    fn the_shortest_request_is_that_of_the_reference() {
        let spec = spec(&[b"sh", b"-c", b"cat; echo err >&2; exit 3"]);
        let body = serde_json::to_value(Command::new(&spec).unwrap()).unwrap();
        assert_eq!(body["command"], serde_json::json!(["sh", "-c", "cat; echo err >&2; exit 3"]));
        assert_eq!(body["split-stderr"], true);
        for absent in ["environment", "working-dir", "timeout", "user", "user-id", "service-context"] {
            assert!(body.get(absent).is_none(), "{absent}");
        }
    }

    #[test]
    fn everything_that_can_be_said_is_said() {
        let mut spec = spec(&[b"top"]);
        spec.env = vec![("TERM".into(), "xterm".into())];
        spec.dir = Some(RemotePath(b"/srv".to_vec()));
        spec.user = Some(Owner { user: Some(Account::Name("app".into())), group: Some(Account::Id(7)) });
        spec.service_context = Some("web".into());
        spec.timeout = Some(Duration::from_millis(1500));
        spec.io = Io::Terminal { size: TermSize { cols: 100, rows: 30 }, interactive: true, split_stderr: false };
        let body = serde_json::to_value(Command::new(&spec).unwrap()).unwrap();
        let expected = serde_json::json!({
            "command": ["top"], "service-context": "web", "environment": {"TERM": "xterm"}, "working-dir": "/srv",
            "timeout": "1500000000ns", "user": "app", "group-id": 7, "terminal": true, "interactive": true,
            "split-stderr": false, "width": 100, "height": 30
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn what_json_cannot_carry_is_refused_before_anything_is_sent() {
        let spec = spec(&[b"echo", b"\xff"]);
        let error = Command::new(&spec).err().unwrap();
        assert_eq!(error.kind(), crate::error::ErrorKind::Usage);
        assert!(error.to_string().contains("\\xff"), "{error}");
    }

    #[test]
    fn no_duration_is_too_long_for_go() {
        assert_eq!(go_duration(Duration::MAX), "9223372036854775807ns");
    }
}
