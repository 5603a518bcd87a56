//! State that outlives the daemon: changes, notices and identities in one file, replaced whole.

use super::changes::Changes;
use super::identities::Identities;
use super::notices::Notices;
use serde_json::json;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

/// Where state is kept.
pub(super) struct Store(PathBuf);

impl Store {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What an earlier daemon left; nothing if there is no such file, or none that can be read.
    pub(super) fn read(&self) -> Option<(Changes, Notices, Identities)> {
        let text = fs::read_to_string(&self.0).ok()?;
        let mut document: serde_json::Value = serde_json::from_str(&text).ok()?;
        let mut part = |name: &str| document.get_mut(name).map(serde_json::Value::take).unwrap_or_default();
        let (changes, notices, identities) = (part("changes"), part("notices"), part("identities"));
        Some((
            serde_json::from_value(changes).ok()?,
            serde_json::from_value(notices).ok()?,
            serde_json::from_value(identities).ok()?,
        ))
    }

    /// Writes the state; a disk that is full costs what would have been remembered, as it does with the daemon.
    pub(super) fn write(&self, changes: &Changes, notices: &Notices, identities: &Identities) {
        let document = json!({"changes": changes, "notices": notices, "identities": identities});
        let temporary = self.0.with_extension("state.new");
        let written = fs::write(&temporary, document.to_string())
            .and_then(|()| fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)));
        if written.is_ok() {
            let _ = fs::rename(&temporary, &self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::changes::{Kind, Step};
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path().join(".pebble.state"));
        assert!(store.read().is_none());
        let mut changes = Changes::default();
        let summary = "Stop".to_owned();
        let step = Step { kind: Kind::Stop, summary, subject: "web".to_owned(), lane: 0, after: vec![] };
        changes.add("stop", "Stop".to_owned(), None, vec![step]);
        changes.take_up();
        store.write(&changes, &Notices::default(), &Identities::default());
        let (mut changes, ..) = store.read().unwrap();
        assert!(changes.take_up().is_empty(), "it was begun");
        changes.begin_again();
        assert_eq!(changes.take_up()[0].subject, "web");
        fs::write(dir.path().join(".pebble.state"), "no JSON").unwrap();
        assert!(store.read().is_none());
    }
}
