//! The documents of the wire, as section 2 of the reference has them: plain data.

use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// A sandbox (section 2.2). Unknown members are kept for `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sprite {
    /// `sprite-<uuid>`.
    #[serde(default)]
    pub id: String,
    /// Its name.
    pub name: String,
    /// `cold`, `warm` or `running`; may grow.
    #[serde(default)]
    pub status: String,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// The exec sessions of a sandbox (section 2.3).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Sessions {
    /// All that run; one that ended vanishes at once.
    #[serde(default)]
    pub sessions: Vec<Session>,
}

/// An exec session. Unknown members are kept for `extra`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// The process's number, which is used again after its end.
    #[serde(deserialize_with = "text_or_number")]
    pub id: String,
    /// The resolved program and its arguments, joined by blanks.
    #[serde(default)]
    pub command: String,
    /// When it began.
    #[serde(default)]
    pub created: Option<jiff::Timestamp>,
    /// Whether it has a terminal.
    #[serde(default)]
    pub tty: bool,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// A text message of an exec websocket (section 3.4). Kinds that are not known are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ExecText {
    /// What runs: first on create and on attach, except on old servers.
    SessionInfo {
        /// Its session; once a number.
        #[serde(deserialize_with = "text_or_number")]
        session_id: String,
        /// What it runs.
        #[serde(default)]
        command: String,
        /// When it began, in Unix seconds.
        #[serde(default)]
        created: Option<serde_json::Number>,
        /// Whether it has a terminal; absent on very old servers.
        #[serde(default)]
        tty: Option<bool>,
    },
    /// It ended.
    Exit {
        /// Its status; signals are 128 and their number.
        #[serde(default)]
        exit_code: i64,
    },
    /// A port was opened by what runs.
    PortOpened {
        /// The TCP port.
        port: u16,
    },
    /// A port was closed.
    PortClosed {
        /// The TCP port.
        port: u16,
    },
    /// It is over before its time.
    Error {
        /// Why.
        #[serde(default)]
        error: Option<String>,
        /// Why, on other servers.
        #[serde(default)]
        message: Option<String>,
    },
    /// Something for later clients.
    #[serde(other)]
    Other,
}

/// A line of the answer to a kill (section 2.3).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KillEvent {
    /// `signal`, `timeout`, `exited`, `killed`, `error` or `complete`.
    #[serde(rename = "type", default)]
    pub kind: String,
    /// In words.
    #[serde(default)]
    pub message: String,
    /// How it ended, with `complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    })
}

/// A checkpoint (section 2.4).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `v1`, `auto-…`, or `Current` for the live state.
    pub id: String,
    /// RFC 3339.
    #[serde(default)]
    pub create_time: Option<String>,
    /// What its maker wrote on it.
    #[serde(default)]
    pub comment: Option<String>,
    /// The checkpoints that its state went through.
    #[serde(default)]
    pub history: Option<Vec<String>>,
    /// Whether the service made it by itself.
    #[serde(default)]
    pub is_auto: bool,
    /// The checkpoint that its state came from.
    #[serde(default)]
    pub source_id: Option<String>,
    /// `mount_failed` marks a broken one.
    #[serde(default)]
    pub health: Option<String>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, serde_json::Value>,
}

/// The answer of `fs/list` (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsList {
    /// What is in a directory, or a file itself.
    #[serde(default)]
    pub entries: Option<Vec<FsEntry>>,
}

/// A file or directory (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsEntry {
    /// The part after the last slash.
    pub name: String,
    /// The whole path.
    #[serde(default)]
    pub path: String,
    /// `file`, `directory` or `symlink`.
    #[serde(default, rename = "type")]
    pub kind: String,
    /// Bytes.
    #[serde(default)]
    pub size: u64,
    /// Octal digits.
    #[serde(default)]
    pub mode: String,
    /// RFC 3339.
    #[serde(default, rename = "modTime")]
    pub modified: Option<String>,
}

/// The answer of `fs/write` (section 2.6).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FsWritten {
    /// Bytes written.
    #[serde(default)]
    pub size: Option<u64>,
}

/// A service of a sandbox (section 2.7).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The program.
    #[serde(default)]
    pub cmd: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment, beside the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
    /// Services that are started before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The port on which it answers to the sandbox's URL.
    #[serde(default)]
    pub http_port: Option<u16>,
    /// How it is now.
    #[serde(default)]
    pub state: ServiceState,
}

/// How a service is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceState {
    /// The service's name once more.
    #[serde(default)]
    pub name: String,
    /// `stopped`, `starting`, `running`, `stopping` or `failed`; may grow.
    #[serde(default)]
    pub status: String,
    /// Its main process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How often it was restarted after a crash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_count: Option<u64>,
    /// When it is tried again, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_restart_at: Option<String>,
}

/// The body that makes a service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewService {
    /// The program.
    pub cmd: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, beside the default one.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub env: BTreeMap<String, String>,
    /// Where it runs.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub dir: Option<String>,
    /// Services that are started before it.
    #[serde(default)]
    pub needs: Vec<String>,
    /// The port on which it answers to the sandbox's URL.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub http_port: Option<u16>,
}

/// One line of the streams of services: what happened, or what was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ServiceEvent {
    /// `started`, `stdout`, `stderr`, `exit`, `error`, `stopping`, `stopped` or `complete`; may grow.
    #[serde(rename = "type")]
    pub kind: String,
    /// Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<f64>,
    /// What was written, or why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
}

/// The network policy (section 2.8): parsed strictly by the server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NetworkPolicy {
    /// Its rules; none means no restriction.
    #[serde(default)]
    pub rules: Vec<NetworkRule>,
}

/// A rule: a domain with an action, or a named set of rules.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NetworkRule {
    /// A host, `*.` and a host, or `*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// `allow` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// A named set, such as `defaults`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include: Option<String>,
}

/// The privileges policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivilegesPolicy {
    /// Empty, `minimal`, `standard` or `privileged`.
    #[serde(default)]
    pub profile: String,
    /// Devices that may be used.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Whether programs can gain no more privileges than they start with.
    #[serde(default)]
    pub no_new_privileges: bool,
}

/// The resources policy.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ResourcesPolicy {
    /// Memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPolicy>,
}

/// How much memory a sandbox has.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MemoryPolicy {
    /// The limit, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_mb: Option<u64>,
    /// Whether it grows by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscale: Option<bool>,
}

/// A port that a program in a sandbox opened or closed (section 2.10).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Port {
    /// The TCP port.
    pub port: u16,
    /// The address it listens on.
    #[serde(default)]
    pub address: String,
    /// Who listens.
    #[serde(default)]
    pub pid: Option<u32>,
}

#[cfg(test)]
mod exec_tests {
    use super::*;

    #[test]
    fn the_messages_of_the_reference_are_read() {
        let info = r#"{"type":"session_info","session_id":"812","command":"/usr/bin/cat","created":1767609000,"cols":0,"rows":0,"is_owner":true,"tty":false}"#;
        let ExecText::SessionInfo { session_id, created, tty, .. } = serde_json::from_str(info).unwrap() else {
            panic!("{info}")
        };
        assert_eq!(
            (session_id.as_str(), created.and_then(|n| n.as_i64()), tty),
            ("812", Some(1_767_609_000), Some(false))
        );
        let read = |text: &str| serde_json::from_str::<ExecText>(text).unwrap();
        assert_eq!(read(r#"{"type":"exit","exit_code":0}"#), ExecText::Exit { exit_code: 0 });
        assert_eq!(
            read(r#"{"type":"port_opened","port":8080,"address":"::","pid":7}"#),
            ExecText::PortOpened { port: 8080 }
        );
        assert_eq!(read(r#"{"type":"debug","msg":"x"}"#), ExecText::Other);
        assert!(matches!(read(r#"{"type":"session_info","session_id":840}"#),
            ExecText::SessionInfo { session_id, .. } if session_id == "840"));
    }

    #[test]
    fn a_list_of_sessions_is_read_with_ids_of_either_kind() {
        let text = r#"{"count":2,"sessions":[
            {"id":"840","command":"/usr/bin/bash","workdir":"/home/sprite","created":"2026-01-05T10:30:00.123456789Z",
             "tty":true,"bytes_per_second":0.5,"is_active":false,"last_activity":"2026-01-05T10:31:00Z"},
            {"id":841,"command":"sleep 9","created":"2026-01-05T11:30:00+01:00"}]}"#;
        let all: Sessions = serde_json::from_str(text).unwrap();
        assert_eq!(all.sessions[1].id, "841");
        assert_eq!(all.sessions[0].created.unwrap().as_second(), all.sessions[1].created.unwrap().as_second());
        assert_eq!(all.sessions[0].rest["workdir"], "/home/sprite");
    }
}
