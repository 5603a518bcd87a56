//! The files in which sessions are kept (section 3), read without the agent.

use super::api::{self, Message};
use super::usage::measured;
use crate::model::{AgentSession, AgentUsage, Time};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// The longest title, in characters.
const TITLE: usize = 60;

/// A line of a session file, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    timestamp: Option<String>,
    cwd: Option<String>,
    parent_session: Option<String>,
    name: Option<String>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    usage: Option<api::Usage>,
}

/// Every session file below `dir`, at any depth that either program makes.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![(dir.to_owned(), 0)];
    while let Some((dir, depth)) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < 2 => open.push((path, depth + 1)),
                Ok(kind) if kind.is_file() && path.extension().is_some_and(|e| e == "jsonl") => found.push(path),
                _ => {}
            }
        }
    }
    found
}

/// What a file says of its session; `None` if it is none. A line that is cut off is what a crash leaves.
pub(super) fn read(path: &Path, shared: bool) -> Option<AgentSession> {
    let mut reader = BufReader::new(File::open(path).ok()?);
    let mut session: Option<AgentSession> = None;
    let (mut name, mut first, mut last) = (None, None, None);
    let (mut messages, mut model, mut usage) = (0, None, AgentUsage::default());
    let mut line = Vec::new();
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).ok()? == 0 {
            break;
        }
        let Ok(entry) = serde_json::from_slice::<Entry<'_>>(&line) else { continue };
        let time = entry.timestamp.as_deref().and_then(|text| text.parse::<Time>().ok());
        last = time.or(last);
        match &*entry.kind {
            // omp puts a title before it.
            "session" => {
                session = Some(AgentSession {
                    session_id: api::text(entry.id)?,
                    title: None,
                    cwd: entry.cwd,
                    messages: 0,
                    model: None,
                    usage: AgentUsage::default(),
                    created_at: time,
                    modified_at: None,
                    parent: entry.parent_session,
                    path: path.display().to_string(),
                    shared,
                });
            }
            "session_info" => name = entry.name,
            "message" => {
                messages += 1;
                let Some(message) = api::part::<Message>(entry.message) else { continue };
                if message.role == "user" && first.is_none() {
                    first = message.content.as_ref().map(api::Content::text).filter(|text| !text.is_empty());
                }
                if message.role == "assistant" {
                    usage += message.usage.as_ref().map(measured).unwrap_or_default();
                    model = message.model.or(model);
                }
            }
            "compaction" => usage += entry.usage.as_ref().map(measured).unwrap_or_default(),
            _ => {}
        }
    }
    let mut session = session?;
    session.title = name.or(first).map(|text| title(&text));
    let modified = || Time::try_from(path.metadata().ok()?.modified().ok()?).ok();
    (session.messages, session.model, session.usage) = (messages, model, usage);
    session.modified_at = last.or_else(modified);
    Some(session)
}

/// The first line, and not too much of it.
fn title(text: &str) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    let mut title: String = line.chars().take(TITLE).collect();
    if line.chars().count() > TITLE {
        title.push('…');
    }
    title
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/agent/transcripts").join(name)
    }

    #[test]
    fn the_files_of_both_programs_are_read() {
        for (name, messages) in [
            ("pi-0.73.1-session-file.jsonl", 2),
            ("pi-0.87.1-session-file.jsonl", 3),
            ("omp-18.2.3-session-file.jsonl", 2),
        ] {
            let session = read(&fixture(name), false).expect(name);
            assert_eq!(session.messages, messages, "{name}");
            assert_eq!(session.cwd.as_deref(), Some("/workspace/project"), "{name}");
            assert!(session.title.is_some() && session.created_at.is_some(), "{name}");
            assert_eq!(session.usage.total_tokens, 128, "{name}");
        }
    }

    #[test]
    fn a_torn_file_is_read_as_far_as_it_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.jsonl");
        std::fs::create_dir(folder.path().join("a")).unwrap();
        let text = "{\"type\":\"session\",\"version\":3,\"id\":\"x\",\"cwd\":\"/w\"}\n\
            {\"type\":\"message\",\"message\":{\"role\":\"user\",\"content\":\"first\\nsecond\"}}\n{\"type\":\"mess";
        std::fs::write(&path, text).unwrap();
        let session = read(&files(folder.path())[0], true).unwrap();
        assert_eq!((session.messages, session.title.as_deref()), (1, Some("first")));
        assert!(session.shared && session.modified_at.is_some());
        std::fs::write(&path, "no session").unwrap();
        assert_eq!(read(&path, false), None);
    }
}
