//! `GET /v1/logs`: what services wrote, and what they go on to write (section 2.11).

use super::daemon::Daemon;
use super::errors::{Refusal, Result};
use super::go;
use super::handlers::{names, text};
use super::logs::{Entry, Reader};
use crate::stream;
use crate::transport::StatusCode;
use crate::transport::server::{Request, Response};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// How many entries are shown if nobody says.
const DEFAULT_COUNT: usize = 30;

const NDJSON: &str = "application/x-ndjson";

/// Answers a GET.
pub(super) fn answer(daemon: &Arc<Daemon>, request: &Request) -> Result<Response> {
    let query = &request.query;
    let follow = match text(query, "follow").as_str() {
        "true" => true,
        "" | "false" => false,
        _ => return Err(Refusal::bad("follow parameter must be \"true\" or \"false\"")),
    };
    let count = match text(query, "n").as_str() {
        "" if follow => 0,
        "" => DEFAULT_COUNT,
        "-1" => usize::MAX,
        number => number.parse().map_err(|_| Refusal::bad("n must be -1, 0, or a positive integer"))?,
    };
    let wanted = names(query, "services");
    // Before the buffers are read, so that nothing falls between.
    let mut written = daemon.output();
    written.mark_unchanged();
    let (mut entries, mut readers) = (Vec::new(), Vec::new());
    {
        let book = daemon.book();
        for (name, service) in &book.services {
            if wanted.is_empty() || wanted.contains(name) {
                let (held, reader) = service.ring.entries();
                entries.extend(held);
                readers.push(reader);
            }
        }
    }
    entries.sort_by_key(|entry| entry.time);
    let first = lines(&entries[entries.len().saturating_sub(count)..]);
    if !follow {
        return Ok(Response::bytes(StatusCode::OK, NDJSON, first));
    }
    let body = stream::unfold((Some(first), readers, written), |(first, mut readers, mut written)| async move {
        if let Some(first) = first.filter(|first| !first.is_empty()) {
            return Ok(Some((first, (None, readers, written))));
        }
        loop {
            // The daemon that writes is gone with its buffers.
            if written.changed().await.is_err() {
                return Ok(None);
            }
            let mut entries: Vec<Entry> = readers.iter_mut().flat_map(Reader::read).collect();
            if !entries.is_empty() {
                entries.sort_by_key(|entry| entry.time);
                return Ok(Some((lines(&entries), (None, readers, written))));
            }
        }
    });
    Ok(Response::stream(StatusCode::OK, NDJSON, body))
}

fn lines(entries: &[Entry]) -> Bytes {
    let mut text = String::new();
    for Entry { time, service, message } in entries {
        let document = json!({"time": go::millis(*time), "service": service, "message": message});
        text.push_str(&document.to_string());
        text.push('\n');
    }
    text.into()
}
