//! What this simulator can do wrong, beside the faults of every server (section 8.3 of the reference).

use crate::playground::fault::{Kind, Plan, Takes};
use crate::transport::server::Request;
use std::time::Duration;

const fn kind(name: &'static str, takes: Takes, about: &'static str) -> Kind {
    Kind { name, takes, about }
}

/// Its kinds.
pub(super) const KINDS: &[Kind] = &[
    kind("linger", Takes::Seconds(5), "keep an exec's socket open for so long after the exit"),
    kind("no-binary-exit", Takes::Nothing, "say the exit of an exec only as text"),
    kind("no-text-exit", Takes::Nothing, "say the exit of an exec only as a frame"),
    kind("no-exit", Takes::Nothing, "close an exec with 1000 and without its exit"),
    kind("drop-after-exit", Takes::Nothing, "end an exec's connection without a close"),
    kind("late-info", Takes::Seconds(1), "send the session_info of an exec so much later"),
    kind("replay-first", Takes::Nothing, "send what was replayed before session_info"),
    kind("integer-id", Takes::Nothing, "send the session_id as a number"),
    kind("truncate", Takes::Number(512 * 1024), "lose what an exec writes after so many bytes"),
    kind("unknown-text", Takes::Nothing, "send texts of an unknown type in an exec"),
    kind("unknown-stream", Takes::Nothing, "send frames of stream 7 in an exec"),
    kind("require-pong", Takes::Seconds(5), "ping an exec that often and drop it without a pong in between"),
    kind("require-ping", Takes::Seconds(45), "drop an exec that sends nothing for so long"),
    kind("stop-reading", Takes::Nothing, "read nothing that an exec's client sends"),
    kind("no-signals", Takes::Nothing, "have no in-band signals, and say so"),
    kind("old-attach", Takes::Nothing, "answer 404 to exec/ID, as old servers do"),
    kind("create-limited", Takes::Seconds(5), "answer 429 with a body to a new sprite"),
    kind("create-limited-bare", Takes::Seconds(5), "answer 429 with headers alone to a new sprite"),
    kind("too-many-running", Takes::Nothing, "answer 429 for too many running sprites"),
    kind("no-token", Takes::Nothing, "say has_more in a list without a token"),
    kind("plain-errors", Takes::Nothing, "answer errors as text/plain"),
    kind("odd-lines", Takes::Nothing, "split NDJSON at odd bytes, end lines with CRLF and the last with nothing"),
    kind("no-complete", Takes::Nothing, "end a checkpoint's or service's stream before its complete"),
    kind("freeze", Takes::Seconds(1), "from here on, freeze the sprite after so long without activity"),
    kind("cold", Takes::Seconds(1), "from here on, let a frozen sprite go cold after so long"),
    kind("survive", Takes::Seconds(1), "let a process without a terminal outlive its last client so long"),
    kind("drop-stalled", Takes::Seconds(1), "drop a client of an exec that does not read for so long"),
];

/// What goes wrong with one exec socket.
#[derive(Clone, Debug, Default)]
pub(super) struct ExecFaults {
    pub(super) linger: Option<Duration>,
    pub(super) no_binary_exit: bool,
    pub(super) no_text_exit: bool,
    pub(super) no_exit: bool,
    pub(super) drop_after_exit: bool,
    pub(super) late_info: Option<Duration>,
    pub(super) replay_first: bool,
    pub(super) integer_id: bool,
    pub(super) truncate: Option<u64>,
    pub(super) unknown_text: bool,
    pub(super) unknown_stream: bool,
    pub(super) require_pong: Option<Duration>,
    pub(super) require_ping: Option<Duration>,
    pub(super) stop_reading: bool,
    pub(super) no_signals: bool,
    pub(super) survive: Option<Duration>,
    pub(super) stall: Option<Duration>,
}

impl ExecFaults {
    /// The faults that this request meets.
    pub(super) fn of(plan: &Plan, request: &Request) -> Self {
        let has = |kind| plan.take(kind, request).is_some();
        let time = |kind| plan.take(kind, request).map(crate::playground::fault::Value::duration);
        Self {
            linger: time("linger"),
            no_binary_exit: has("no-binary-exit"),
            no_text_exit: has("no-text-exit"),
            no_exit: has("no-exit"),
            drop_after_exit: has("drop-after-exit"),
            late_info: time("late-info"),
            replay_first: has("replay-first"),
            integer_id: has("integer-id"),
            truncate: plan.take("truncate", request).map(crate::playground::fault::Value::number),
            unknown_text: has("unknown-text"),
            unknown_stream: has("unknown-stream"),
            require_pong: time("require-pong"),
            require_ping: time("require-ping"),
            stop_reading: has("stop-reading"),
            no_signals: has("no-signals"),
            survive: time("survive"),
            stall: time("drop-stalled"),
        }
    }
}
