//! Snippets and recordings of an account (sections 3.7 and 3.8).

use super::api;
use super::client::Client;
use crate::error::Result;
use crate::model::{Recording, RecordingId, Snippet};
use crate::provider::library::{Recordings, Snippets};
use crate::stream::ByteStream;
use crate::transport::Request;
use crate::transport::query::segment;
use async_trait::async_trait;
use serde_json::{Value, json};

/// The longest head of a recording, in bytes.
const HEAD: usize = 64 * 1024;

/// The snippets of an account.
#[derive(Clone)]
pub(super) struct RexecSnippets(pub(super) Client);

#[async_trait]
impl Snippets for RexecSnippets {
    async fn list(&self) -> Result<Vec<Snippet>> {
        let all: api::Snippets = self.0.get("list snippets", "/api/snippets").await?;
        Ok(all.snippets.into_iter().map(snippet).collect())
    }

    async fn used(&self, id: &str) -> Result<()> {
        let path = format!("/api/snippets/{}/use", segment(id.as_bytes()));
        self.0.fetch("count a use of a snippet", Request::post(path)).await.map(drop)
    }
}

fn snippet(snippet: api::Snippet) -> Snippet {
    let api::Snippet { id, name, content, language, description, is_public, usage_count, created_at, rest } = snippet;
    Snippet {
        name,
        id,
        language,
        content,
        description: description.filter(|text| !text.is_empty()),
        public: is_public,
        uses: usage_count,
        created_at: created_at.and_then(|text| text.parse().ok()),
        extra: rest,
    }
}

/// The recordings of an account.
#[derive(Clone)]
pub(super) struct RexecRecordings(pub(super) Client);

#[async_trait]
impl Recordings for RexecRecordings {
    async fn list(&self) -> Result<Vec<Recording>> {
        let all: Option<api::Recordings> = self.0.get("list recordings", "/api/recordings").await?;
        Ok(all.unwrap_or_default().recordings.into_iter().map(recording).collect())
    }

    async fn get(&self, id: &RecordingId) -> Result<Recording> {
        let path = format!("/api/recordings/{}", segment(id.as_str().as_bytes()));
        self.0.get(&format!("find recording {id}"), &path).await.map(recording)
    }

    async fn export(&self, id: &RecordingId) -> Result<ByteStream> {
        let what = format!("read recording {id}");
        let path = format!("/api/recordings/{}/stream", segment(id.as_str().as_bytes()));
        let response = self.0.open(&what, Request::get(path)).await?;
        let body = response.bytes(1 << 30).await.map_err(|error| self.0.broken(&what, error))?;
        let text = cast(&body).ok_or_else(|| self.0.garbled(&what, "it does not begin as a recording does"))?;
        Ok(crate::stream::iter([Ok(text.into())]))
    }
}

fn recording(recording: api::Recording) -> Recording {
    let api::Recording { id, title, container_id, duration_ms, size_bytes, created_at, rest } = recording;
    Recording {
        id: id.into(),
        title,
        machine: container_id,
        duration_seconds: duration_ms.map(|ms| ms as f64 / 1000.0),
        size_bytes,
        created_at: created_at.and_then(|text| text.parse().ok()),
        extra: rest,
    }
}

/// What the server streams, as asciicast v2 has it: the time of the header is a number, and a change of size says which.
fn cast(body: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'\n', body.get(..body.len().min(HEAD))?)?;
    let mut head: Value = serde_json::from_slice(&body[..end]).ok()?;
    if head["version"] != json!(2) {
        return None;
    }
    if let Some(time) = head["timestamp"].as_str().map(str::parse::<jiff::Timestamp>) {
        head["timestamp"] = time.ok()?.as_second().into();
    }
    let mut text = format!("{head}\n").into_bytes();
    for line in body[end + 1..].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_slice(line).ok()?;
        // A size that is not told is of no use to a player.
        if event[1] == "r" && event[2] == "" {
            continue;
        }
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::cast;

    #[test]
    fn a_recording_becomes_what_players_read() {
        let text = b"{\"version\":2,\"width\":120,\"height\":30,\"timestamp\":\"2026-01-01T00:00:00Z\"}\n[0.1,\"o\",\"a\"]\n[0.2,\"r\",\"\"]\n";
        let text = String::from_utf8(cast(text).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("\"timestamp\":1767225600"), "{text}");
        assert_eq!(lines[1..], ["[0.1,\"o\",\"a\"]"]);
        assert!(cast(b"<html>\n").is_none() && cast(b"{\"version\":1}\n").is_none());
    }
}
