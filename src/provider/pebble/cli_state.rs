//! Up to where notices and warnings were seen: the same `cli.json` as the official client (section 4.4), but locked,
//! and never the reason that a command fails.

use crate::error::{Error, Result};
use crate::model::Time;
use crate::provider::notices::Seen;
use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value, json};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Go's zero time: never.
const NEVER: &str = "0001-01-01T00:00:00Z";

/// Which of the two pairs of moments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Notices,
    Warnings,
}

impl Kind {
    fn key(self, moment: &str) -> String {
        let noun = match self {
            Self::Notices => "notices",
            Self::Warnings => "warnings",
        };
        format!("{noun}-last-{moment}")
    }
}

/// The state file, and the daemon whose part of it is ours.
#[derive(Clone, Debug)]
pub(super) struct CliState {
    path: Option<PathBuf>,
    socket: String,
}

impl CliState {
    /// The state kept for `socket`; without a configuration folder there is none to keep.
    pub(super) fn new(config_home: Option<&Path>, socket: &str) -> Self {
        Self { path: config_home.map(|dir| dir.join("pebble/cli.json")), socket: socket.to_owned() }
    }

    /// What was seen. A file that is not there means nothing was.
    pub(super) fn load(&self, kind: Kind) -> Result<Seen> {
        let Some(path) = &self.path else { return Ok(Seen::default()) };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Seen::default()),
            Err(error) => return Err(unusable(path, &error)),
        };
        let document: Value = serde_json::from_str(&text).map_err(|error| unusable(path, &error))?;
        let moment = |name| document["pebble"][&self.socket][kind.key(name)].as_str().and_then(super::api::parse_time);
        Ok(Seen { listed: moment("listed"), acknowledged: moment("okayed") })
    }

    /// Records what was seen; what else is in the file stays, also what a newer client wrote there.
    pub(super) fn store(&self, kind: Kind, seen: Seen) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        self.update(path, kind, seen).map_err(|error| unusable(path, &error))
    }

    fn update(&self, path: &Path, kind: Kind, seen: Seen) -> std::io::Result<()> {
        if let Some(dir) = path.parent() {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        flock(&file, FlockOperation::LockExclusive)?;
        let mut document = read(&mut file)?;
        let sockets = object(document.entry("pebble").or_insert_with(|| json!({})));
        let state = object(sockets.entry(self.socket.as_str()).or_insert_with(|| json!({})));
        for kind in [Kind::Notices, Kind::Warnings] {
            for moment in ["listed", "okayed"] {
                state.entry(kind.key(moment)).or_insert_with(|| json!(NEVER));
            }
        }
        let text = |time: Option<Time>| time.map_or_else(|| NEVER.to_owned(), |time| time.to_string());
        state.insert(kind.key("listed"), json!(text(seen.listed)));
        state.insert(kind.key("okayed"), json!(text(seen.acknowledged)));
        // In place and not by rename: the lock is on this file, and the official client opens the same one.
        let text = serde_json::to_vec(&document)?;
        file.rewind()?;
        file.set_len(0)?;
        file.write_all(&text)
    }
}

fn read(file: &mut File) -> std::io::Result<Map<String, Value>> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if text.is_empty() { Ok(Map::new()) } else { Ok(serde_json::from_str(&text)?) }
}

/// The map in `value`; anything else there is replaced.
fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    value.as_object_mut().expect("made an object above")
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::config(format!("cannot use `{}`: {error}", path.display()))
        .hint("what was acknowledged is not known; remove the file to start anew")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(dir: &Path) -> CliState {
        CliState::new(Some(dir), "/run/p.socket")
    }

    #[test]
    fn what_is_stored_is_read_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let time: Time = "2026-11-21T10:44:16.30244705Z".parse().unwrap();
        let other = r#"{"pebble":{"/other":{"notices-last-listed":"2026-01-01T00:00:00Z"}},"new":1}"#;
        fs::create_dir(dir.path().join("pebble")).unwrap();
        fs::write(dir.path().join("pebble/cli.json"), other).unwrap();
        let seen = Seen { listed: Some(time), acknowledged: None };
        state(dir.path()).store(Kind::Notices, seen).unwrap();
        assert_eq!(state(dir.path()).load(Kind::Notices).unwrap().listed, Some(time));
        assert_eq!(state(dir.path()).load(Kind::Warnings).unwrap().listed, None);
        let text = fs::read_to_string(dir.path().join("pebble/cli.json")).unwrap();
        assert!(text.contains("/other") && text.contains("\"new\":1") && text.contains(NEVER), "{text}");
    }

    #[test]
    fn a_corrupt_file_is_an_error_that_names_it_and_stays_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("pebble")).unwrap();
        let path = dir.path().join("pebble/cli.json");
        fs::write(&path, "{oops").unwrap();
        assert!(state(dir.path()).load(Kind::Notices).unwrap_err().to_string().contains("cli.json"));
        assert!(state(dir.path()).store(Kind::Notices, Seen::default()).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{oops");
    }

    #[test]
    fn parallel_writers_lose_nothing() {
        let dir = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for n in 0..16 {
                let path = dir.path();
                scope.spawn(move || {
                    let time = Time::from_second(n + 1).ok();
                    let seen = Seen { listed: time, acknowledged: None };
                    CliState::new(Some(path), &format!("/s{n}")).store(Kind::Notices, seen).unwrap();
                });
            }
        });
        for n in 0..16 {
            let seen = CliState::new(Some(dir.path()), &format!("/s{n}")).load(Kind::Notices).unwrap();
            assert_eq!(seen.listed, Time::from_second(n + 1).ok());
        }
    }
}
