//! Sessions, and what is said on their websockets (sections 2.3 and 3.4).

use serde::{Deserialize, Deserializer, Serialize};

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

#[cfg(test)]
mod tests {
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
