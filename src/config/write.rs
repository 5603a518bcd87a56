//! Writing files that others may read or write at the same time: locked, whole or not at all, and private.

use super::edit::{self, Edit};
use super::{Layer, Rules, file, reason};
use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Applies edits to a configuration file, all or none; makes the file (0600) and its folders (0700) if need be.
///
/// A result that could not be loaded is refused, and so is an edit that would lose comments.
pub fn edit(path: &Path, edits: &[Edit], rules: &dyn Rules) -> Result<()> {
    // A link, as people keep in a repository of their dot-files, stays one.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let cannot = |why: &str| Error::config(format!("cannot change `{}`: {why}", path.display()));
    let _lock = lock(path)?;
    let old = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => String::new(),
        Err(e) => return Err(cannot(&reason(&e))),
    };
    let mut text = old.clone();
    for edit in edits {
        text = edit::apply(&text, edit).map_err(|why| cannot(&why).hint("edit the file by hand"))?;
    }
    file::read(&text, Layer::User, &Arc::from(path.as_path()), rules)?;
    if text == old { Ok(()) } else { replace(path, text.as_bytes()) }
}

/// Puts `new` in the place of a configuration file that was `old` when somebody began to edit it; `None` means that
/// there was none. The caller has checked that `new` is valid.
pub fn save(path: &Path, old: Option<&str>, new: &str) -> Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let _lock = lock(path)?;
    let now = fs::read_to_string(path).ok();
    if now.as_deref() != old {
        return Err(Error::conflict(format!("`{}` was changed by somebody else meanwhile", path.display())));
    }
    replace(path, new.as_bytes())
}

/// Puts `bytes` in the place of the file, in one step; a new file is private, an old one keeps its mode.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let cannot = |e: &std::io::Error| Error::failure(format!("cannot write `{}`: {}", path.display(), reason(e)));
    let dir = folder(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = dir.join(format!(".{name}.{}", std::process::id()));
    // What a crash of an equal process id left behind is in nobody's use: we hold the lock.
    let _ = fs::remove_file(&temporary);
    let written = private(&temporary)
        .and_then(|mut file| {
            if let Ok(old) = fs::metadata(path) {
                file.set_permissions(old.permissions())?;
            }
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, path));
    written.map_err(|e| {
        let _ = fs::remove_file(&temporary);
        cannot(&e)
    })
}

/// Waits for the lock of the folder that `path` is in, making the folder. The folder itself is locked, since a lock
/// on the file would not survive its replacement. The lock goes with the handle.
pub(super) fn lock(path: &Path) -> Result<Option<File>> {
    let dir = folder(path)?;
    #[cfg(unix)]
    {
        let cannot = |e: &std::io::Error| Error::failure(format!("cannot lock `{}`: {}", dir.display(), reason(e)));
        let handle = File::open(&dir).map_err(|e| cannot(&e))?;
        match handle.lock() {
            // Some network file systems have no locks; writing is still atomic there.
            Ok(()) | Err(_) => Ok(Some(handle)),
        }
    }
    #[cfg(not(unix))]
    {
        let _ = dir;
        Ok(None)
    }
}

/// The folder of a file, made with mode 0700 if it is not there.
fn folder(path: &Path) -> Result<PathBuf> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| Error::failure(format!("cannot create `{}`: {}", dir.display(), reason(&e))))?;
    Ok(dir.to_owned())
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::provider::fake::DRIVERS;
    use crate::resolve::Registry;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    fn put(name: &str, content: serde_json::Value) -> Edit {
        Edit::Put { section: "endpoints", name: name.to_owned(), content }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_file_is_made_private_with_its_folders() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/esker/config.yaml");
        edit(&path, &[put("lab", json!({"provider": "pebble"}))], &Registry(DRIVERS)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "endpoints:\n  lab:\n    provider: pebble\n");
        assert_eq!((mode(&path), mode(path.parent().unwrap()), mode(&dir.path().join("new"))), (0o600, 0o700, 0o700));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing else is left there");
    }

    #[test]
    fn a_link_stays_a_link_and_a_mode_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("dotfiles.yaml"), dir.path().join("config.yaml"));
        fs::write(&real, "# mine\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        edit(&link, &[put("lab", json!({"provider": "pebble"}))], &Registry(DRIVERS)).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::read_to_string(&real).unwrap().starts_with("# mine\nendpoints:"));
        assert_eq!(mode(&real), 0o640);
    }

    #[test]
    fn what_would_not_load_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        let good = put("lab", json!({"provider": "pebble"}));
        let error = edit(&path, &[good, put("bad", json!({"provider": "x"}))], &Registry(DRIVERS)).unwrap_err();
        assert!(error.to_string().contains("unknown provider `x`"), "{error}");
        assert!(!path.exists());
        fs::write(&path, "endpoints: {lab: {provider: pebble}}\n").unwrap();
        let remove = Edit::Remove { section: "endpoints", name: "lab".to_owned() };
        let error = edit(&path, &[remove], &Registry(DRIVERS)).unwrap_err();
        assert!(error.to_string().ends_with("`endpoints` is written inline, in braces"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "endpoints: {lab: {provider: pebble}}\n");
    }

    #[test]
    fn writers_wait_for_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.yaml");
        std::thread::scope(|scope| {
            for n in 0..8 {
                let path = &path;
                scope.spawn(move || {
                    edit(path, &[put(&format!("e{n}"), json!({"provider": "pebble"}))], &Registry(DRIVERS)).unwrap();
                });
            }
        });
        assert_eq!(fs::read_to_string(&path).unwrap().matches("provider: pebble").count(), 8);
    }
}
