//! Session files (section 3): a header, and entries that form a tree. Written once the model has answered for the first
//! time.

use super::args::Refusal;
use super::dialect::Dialect;
use crate::model::Time;
use crate::transport::nonce;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: String,
    /// Where it is kept; `None` in memory.
    pub(super) path: Option<PathBuf>,
    pub(super) name: Option<String>,
    header: Value,
    entries: Vec<Value>,
    /// How many of them the file holds, once there is one.
    written: Option<usize>,
}

impl Session {
    /// A new one in `dir`, or in memory.
    pub(super) fn new(dir: Option<&Path>, cwd: &str, parent: Option<&str>) -> Self {
        let digits = nonce();
        let id = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-");
        let time = now();
        let mut header = json!({ "type": "session", "version": 3, "id": id, "timestamp": time, "cwd": cwd });
        if let Some(parent) = parent {
            header["parentSession"] = parent.into();
        }
        let path = dir.map(|dir| dir.join(format!("{}_{id}.jsonl", time.replace([':', '.'], "-"))));
        Self { id, path, name: None, header, entries: Vec::new(), written: None }
    }

    /// The one in that file.
    pub(super) fn open(path: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(path).ok()?;
        // A line that a crash cut off is left out.
        let mut lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let at = lines.iter().position(|line| line["type"] == "session")?;
        let header = lines.remove(at);
        let mut names = lines.iter().filter(|entry| entry["type"] == "session_info").filter_map(|e| e["name"].as_str());
        let (name, written) = (names.next_back().map(str::to_owned), Some(lines.len()));
        let id = header["id"].as_str()?.to_owned();
        Some(Self { id, path: Some(path.to_owned()), name, header, entries: lines, written })
    }

    /// A copy in `dir`.
    pub(super) fn fork(&self, dir: Option<&Path>, cwd: &str) -> Self {
        let parent = self.path.as_ref().map(|path| path.display().to_string());
        let mut copy = Self::new(dir, cwd, parent.as_deref());
        copy.entries.clone_from(&self.entries);
        copy.save();
        copy
    }

    /// Adds an entry, and returns its id.
    pub(super) fn add(&mut self, kind: &str, mut entry: Value) -> String {
        let id = nonce()[..8].to_owned();
        entry["type"] = kind.into();
        entry["id"] = id.as_str().into();
        entry["parentId"] = self.entries.last().map_or(Value::Null, |last| last["id"].clone());
        entry["timestamp"] = now().into();
        let is_answer = entry["message"]["role"] == "assistant";
        self.entries.push(entry);
        if is_answer || self.written.is_some() {
            self.save();
        }
        id
    }

    /// The last message goes, since it is tried again.
    pub(super) fn take_back(&mut self) {
        if let Some(at) = self.entries.iter().rposition(|entry| entry["type"] == "message") {
            let target = self.entries[at]["id"].clone();
            self.add("context_edit", json!({ "targetId": target, "replacement": null }));
        }
    }

    /// The messages in force.
    pub(super) fn messages(&self) -> Vec<Value> {
        let is_out =
            |entry: &Value| self.entries.iter().any(|e| e["type"] == "context_edit" && e["targetId"] == entry["id"]);
        let messages = self.entries.iter().filter(|entry| entry["type"] == "message" && !is_out(entry));
        messages.map(|entry| entry["message"].clone()).collect()
    }

    /// The entries of messages of the user, with their texts.
    pub(super) fn prompts(&self) -> Vec<Value> {
        let users = self.entries.iter().filter(|entry| entry["message"]["role"] == "user");
        users.map(|entry| json!({ "entryId": entry["id"], "text": text(&entry["message"]) })).collect()
    }

    /// The entries before the one of this id.
    pub(super) fn cut(&mut self, id: &str) -> Option<String> {
        let at = self.entries.iter().position(|entry| entry["id"] == id && entry["message"]["role"] == "user")?;
        let said = text(&self.entries[at]["message"]);
        self.entries.truncate(at);
        Some(said)
    }

    /// Whether there is a file.
    pub(super) fn is_saved(&self) -> bool {
        self.written.is_some()
    }

    fn save(&mut self) {
        let Some(path) = &self.path else { return };
        let begun = self.written.is_some();
        let fresh = &self.entries[self.written.unwrap_or_default().min(self.entries.len())..];
        let lines = if begun { None } else { Some(&self.header) }.into_iter().chain(fresh);
        let text = lines.fold(String::new(), |text, line| text + &line.to_string() + "\n");
        let _ = path.parent().map(std::fs::create_dir_all);
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // A disk that is full is the real one's problem too.
        let _ = file.and_then(|mut file| file.write_all(text.as_bytes()));
        self.written = Some(self.entries.len());
    }
}

/// The directory of the sessions of `cwd`.
pub(super) fn directory(dialect: Dialect, agent: &Path, cwd: &str) -> PathBuf {
    let name = cwd.trim_start_matches('/').replace(['/', '\\', ':'], "-");
    agent.join("sessions").join(if dialect.is_pi() { format!("--{name}--") } else { format!("-{name}") })
}

/// The files in `dir`, the newest last.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "jsonl")).collect();
    files.sort();
    files
}

/// The session of that id, of which a part is enough, or of that file. A file that is not there begins a new one.
pub(super) fn find(dir: &Path, which: &str, cwd: &str) -> Result<Session, Refusal> {
    if which.contains('/') {
        let path = Path::new(which);
        return Ok(Session::open(path)
            .unwrap_or_else(|| Session { path: Some(path.to_owned()), ..Session::new(None, cwd, None) }));
    }
    let mut found = files(dir).into_iter().filter_map(|path| Session::open(&path)).filter(|s| s.id.starts_with(which));
    found.next().ok_or_else(|| Refusal::new(format!("No session found matching '{which}'")))
}

/// The text of a message.
pub(super) fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        content => content.as_array().into_iter().flatten().filter_map(|block| block["text"].as_str()).collect(),
    }
}

/// The time as JavaScript writes it.
pub(super) fn now() -> String {
    format!("{:.3}", Time::now())
}
