//! Names that were asked for a moment ago, one small file each. Whatever goes wrong means that there is no cache.

use super::Candidate;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long names are good for.
const AGE: Duration = Duration::from_secs(30);

/// The cache of one question.
pub(super) struct Cache(Option<PathBuf>);

impl Cache {
    /// The cache of a question, below the cache directory.
    pub(super) fn new(dir: Option<&Path>, question: &impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        question.hash(&mut hasher);
        Self(dir.map(|dir| dir.join("completion").join(format!("{:016x}", hasher.finish()))))
    }

    /// What was answered, if that is not too long ago.
    pub(super) fn load(&self) -> Option<Vec<Candidate>> {
        let path = self.0.as_deref()?;
        // A time in the future is no age: the clock was set back.
        let age = fs::metadata(path).ok()?.modified().ok()?.elapsed().ok()?;
        if age > AGE {
            return None;
        }
        let text = fs::read_to_string(path).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Keeps an answer; readable by the user alone, and whole or not there.
    pub(super) fn store(&self, names: &[Candidate]) {
        let Some(path) = &self.0 else { return };
        let _ = write(path, names);
    }
}

fn write(path: &Path, names: &[Candidate]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    let temporary = path.with_extension(std::process::id().to_string());
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options
        .open(&temporary)
        .and_then(|mut file| file.write_all(serde_json::to_string(names)?.as_bytes()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn names_are_kept_for_half_a_minute_and_each_question_has_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let names = vec![("web".to_owned(), "active".to_owned())];
        let cache = Cache::new(Some(dir.path()), &"a");
        assert_eq!(cache.load(), None);
        cache.store(&names);
        assert_eq!(cache.load(), Some(names));
        assert_eq!(Cache::new(Some(dir.path()), &"b").load(), None);
        let path = cache.0.clone().unwrap();
        fs::File::open(&path).unwrap().set_modified(SystemTime::now() - AGE * 2).unwrap();
        assert_eq!(cache.load(), None);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no temporary file is left");
    }
}
