//! Labels, which the server drops: they are kept here, for whoever uses this machine (section 6.2).

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The labels of an endpoint's containers, by the id that never changes.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Labels(Option<PathBuf>);

type All = BTreeMap<String, Vec<String>>;

impl Labels {
    /// Those of `endpoint`, below the state directory. Nothing is read yet.
    pub(in super::super) fn new(state: Option<&Path>, endpoint: &str) -> Self {
        let name = crate::transport::query::segment(endpoint.as_bytes());
        Self(state.map(|state| state.join("rexec").join(format!("{name}.labels.json"))))
    }

    /// All of them. A file that cannot be read has none: they are a convenience, and a list must not fail for them.
    pub(super) fn all(&self) -> All {
        let text = self.0.as_ref().and_then(|path| std::fs::read(path).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// Keeps the labels of a container; none forgets it.
    pub(super) fn set(&self, key: &str, labels: &[String]) -> Result<()> {
        let mut all = self.all();
        let before = all.clone();
        if labels.is_empty() {
            all.remove(key);
        } else {
            all.insert(key.to_owned(), labels.to_vec());
        }
        if all == before {
            return Ok(());
        }
        let path = self
            .0
            .as_deref()
            .ok_or_else(|| Error::config("there is no place to keep labels in").hint("set HOME or XDG_STATE_HOME"))?;
        write(path, &all).map_err(|error| Error::failure(format!("cannot write `{}`", path.display())).source(error))
    }
}

/// Another command may write at the same time: the file is replaced in one step.
fn write(path: &Path, all: &All) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(dir)?;
    let new = path.with_extension(format!("{}.part", std::process::id()));
    let mut file = std::fs::File::create(&new)?;
    serde_json::to_writer(&mut file, all)?;
    file.write_all(b"\n")?;
    std::fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_kept_by_endpoint_and_forgotten() {
        let state = tempfile::tempdir().unwrap();
        let labels = Labels::new(Some(state.path()), "a/b");
        let of = |labels: &Labels| labels.all().get("id").cloned().unwrap_or_default();
        labels.set("id", &["ci".to_owned(), "run=1".to_owned()]).unwrap();
        assert_eq!(of(&labels), ["ci", "run=1"]);
        assert!(of(&Labels::new(Some(state.path()), "other")).is_empty());
        labels.set("id", &[]).unwrap();
        assert!(of(&labels).is_empty());
        assert!(Labels::default().set("id", &[]).is_ok());
        assert!(Labels::default().set("id", &["x".to_owned()]).is_err());
    }
}
